//! The list of providers: one line for each.
use crate::error::ProviderError;
use crate::oauth::Secret;
use crate::provider::Provider;
use domain::clock::Clock;
use domain::connection::Environment;
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;

/// The keys and addresses of one provider's app, from the settings.
#[derive(Clone, Debug)]
pub struct Settings {
    pub client_id: String,
    pub client_secret: Secret,
    pub environment: Environment,
    /// `Environment::Simulator` only: where `tieout sandbox` listens. Every address of the provider is below it.
    pub simulator_url: Option<Url>,
    /// Xero: ask for the scope that Journals need (the app must be approved for it).
    pub journals: bool,
}

#[derive(Clone, Default)]
pub struct Registry {
    providers: BTreeMap<&'static str, (Arc<dyn Provider>, Environment)>,
}

impl Registry {
    /// Builds the providers that are configured, by id.
    pub fn new(settings: &BTreeMap<String, Settings>, clock: Arc<dyn Clock>) -> Result<Registry, ProviderError> {
        let mut providers: BTreeMap<&'static str, (Arc<dyn Provider>, Environment)> = BTreeMap::new();
        if let Some(settings) = settings.get("quickbooks") {
            providers.insert("quickbooks", (Arc::new(crate::quickbooks::QuickBooks::new(settings.clone(), clock.clone())?), settings.environment));
        }
        if let Some(settings) = settings.get("xero") {
            providers.insert("xero", (Arc::new(crate::xero::Xero::new(settings.clone(), clock.clone())?), settings.environment));
        }
        Ok(Registry { providers })
    }
    pub fn get(&self, id: &str) -> Option<&Arc<dyn Provider>> {
        self.providers.get(id).map(|(provider, _)| provider)
    }
    pub fn environment(&self, id: &str) -> Option<Environment> {
        self.providers.get(id).map(|(_, environment)| *environment)
    }
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.providers.values().map(|(provider, _)| provider)
    }
}
