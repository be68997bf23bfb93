//! The discovery document and the keys of the id tokens.
use crate::sandbox::Sandbox;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;

/// "JSA has the issuer hard-coded; the issuer string need not be its own URL" (contract 1.10).
pub const ISSUER: &str = "https://oauth.platform.intuit.com/op/v1";

/// Where the caller reached this server.
fn base(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let scheme = text("x-forwarded-proto").unwrap_or_else(|| "http".into());
    let host = text("x-forwarded-host").or_else(|| text(header::HOST.as_str())).unwrap_or_else(|| "127.0.0.1".into());
    format!("{scheme}://{host}")
}

/// The fields of contract 1.1, with endpoints on this server: under the provider's own names where the caller used one of them. Only the address of
/// the user info tells the sandbox's document from that of production.
pub async fn document(headers: HeaderMap, uri: Uri) -> Response {
    let base = base(&headers);
    let providers = base.split("://").nth(1).is_some_and(crate::tls::is_providers);
    let at = |host: &str, path: &str| if providers { format!("https://{host}{path}") } else { format!("{base}{path}") };
    let accounts = if uri.path().contains("sandbox") { "sandbox-accounts.platform.intuit.com" } else { "accounts.platform.intuit.com" };
    Json(json!({
        "issuer": ISSUER,
        "authorization_endpoint": at("appcenter.intuit.com", "/connect/oauth2"),
        "token_endpoint": at("oauth.platform.intuit.com", "/oauth2/v1/tokens/bearer"),
        "userinfo_endpoint": at(accounts, "/v1/openid_connect/userinfo"),
        "revocation_endpoint": at("developer.api.intuit.com", "/v2/oauth2/tokens/revoke"),
        "jwks_uri": at("oauth.platform.intuit.com", "/op/v1/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile", "address", "phone"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
    }))
    .into_response()
}

pub async fn keys(State(sandbox): State<Sandbox>) -> Response {
    let key = tokio::task::spawn_blocking(move || sandbox.signing_key().jwk()).await.expect("making a key does not fail");
    Json(json!({"keys": [key]})).into_response()
}
