//! What an account lets us read, what it does not, and whether its keys are those of this server.
use crate::Engine;
use providers::Provider;
use store::connections::Connection;

/// One permission as the Access tab shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub scope: &'static str,
    /// What hangs on it: `Invoices, Credit notes`.
    pub data: String,
    pub is_granted: bool,
}

/// Every permission of an account, granted or missing; nothing when the provider is not configured.
pub fn access(engine: &Engine, connection: &Connection) -> Vec<Access> {
    let Ok(provider) = engine.provider(&connection.provider) else { return Vec::new() };
    let of = |permission: providers::provider::Permission| Access {
        is_granted: provider.is_granted(&connection.scope, permission.scope),
        scope: permission.scope,
        data: permission.data,
    };
    provider.permissions().into_iter().map(of).collect()
}

/// What will not be read with these granted scopes, in words.
pub(super) fn missing(provider: &dyn Provider, granted: &str) -> Vec<String> {
    let permissions = provider.permissions().into_iter();
    permissions.filter(|permission| !provider.is_granted(granted, permission.scope)).map(|permission| permission.data).collect()
}

/// A connection of one environment under keys of another: the sentence that says so, before anything is asked of the provider.
pub fn mixed_environment(engine: &Engine, provider: &str, environment: &str) -> Option<String> {
    let ours = engine.registry.environment(provider)?;
    let name = engine.registry.get(provider)?.profile().name;
    (ours.as_str() != environment)
        .then(|| format!("This account was connected with {name}'s {environment} keys, but this server now uses its {} keys.", ours.as_str()))
}
