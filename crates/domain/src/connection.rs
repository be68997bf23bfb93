//! An authorization of one user at one provider, and its state.
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConnectionState {
    Active,
    /// The provider refuses it: only a new consent helps.
    Invalid,
    /// A person ended it.
    Disconnected,
}

impl ConnectionState {
    pub fn as_str(self) -> &'static str {
        match self {
            ConnectionState::Active => "active",
            ConnectionState::Invalid => "invalid",
            ConnectionState::Disconnected => "disconnected",
        }
    }
    pub fn parse(word: &str) -> Option<Self> {
        [ConnectionState::Active, ConnectionState::Invalid, ConnectionState::Disconnected].into_iter().find(|s| s.as_str() == word)
    }
}

/// Which half of the provider's world the keys belong to. Stored per connection; mixing them is named before any sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    Production,
    /// The provider's own development environment.
    Sandbox,
    /// `tieout sandbox`.
    Simulator,
}

impl Environment {
    pub fn as_str(self) -> &'static str {
        match self {
            Environment::Production => "production",
            Environment::Sandbox => "sandbox",
            Environment::Simulator => "simulator",
        }
    }
    pub fn parse(word: &str) -> Option<Self> {
        [Environment::Production, Environment::Sandbox, Environment::Simulator].into_iter().find(|e| e.as_str() == word)
    }
}
