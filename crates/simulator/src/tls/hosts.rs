//! The providers' host names, from their documentation and discovery documents.

/// QuickBooks: <https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0> and
/// <https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features>. Xero:
/// <https://developer.xero.com/documentation/guides/oauth2/auth-flow>.
pub const PROVIDERS_HOSTS: [&str; 11] = [
    "appcenter.intuit.com",
    "oauth.platform.intuit.com",
    "developer.api.intuit.com",
    "developer.intuit.com",
    "accounts.platform.intuit.com",
    "sandbox-accounts.platform.intuit.com",
    "quickbooks.api.intuit.com",
    "sandbox-quickbooks.api.intuit.com",
    "login.xero.com",
    "identity.xero.com",
    "api.xero.com",
];

/// Whether a call came under one of these names, as its `Host` header says.
pub fn is_providers(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    PROVIDERS_HOSTS.iter().any(|known| known.eq_ignore_ascii_case(name))
}
