//! Who uses the providers: developers' apps with what their provider grants them, and people with a sign-in.
use crate::books::Face;

/// A developer's app registered at a provider.
#[derive(Clone, Debug)]
pub struct App {
    pub face: Face,
    pub client_id: String,
    pub client_secret: String,
    /// Exact addresses, or a prefix that ends in `*` (the default `http://127.0.0.1:*` and `http://localhost:*` admit every loopback port and path).
    pub redirect_uris: Vec<String>,
    /// Xero: what the developer pays for.
    pub tier: Tier,
    /// Xero: an organisation takes any number of certified apps, of others [`MOST_UNCERTIFIED`].
    pub is_certified: bool,
    /// Xero: registered on or after 2 March 2026, so that it has never known the broad scopes.
    pub granular_only: bool,
    /// Xero: signed up for Rapid Sync, which tiers from Plus on offer.
    pub rapid_sync: bool,
}

/// "An organisation accepts at most two uncertified apps": <https://developer.xero.com/faq/pricing-and-policy-updates>.
pub const MOST_UNCERTIFIED: usize = 2;

/// Xero's developer tiers since 2 March 2026: <https://developer.xero.com/pricing>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    Starter,
    Core,
    Plus,
    Advanced,
    Enterprise,
}

impl Tier {
    /// Organisations an app can be connected to at one time.
    pub fn most_connections(self) -> Option<usize> {
        match self {
            Tier::Starter => Some(5),
            Tier::Core => Some(50),
            Tier::Plus => Some(1_000),
            Tier::Advanced => Some(10_000),
            Tier::Enterprise => None,
        }
    }
    /// Calls a day and organisation where the tier has fewer than the usual figure.
    pub fn most_calls_a_day(self) -> Option<u32> {
        (self == Tier::Starter).then_some(1_000)
    }
    /// The premium Journals endpoint, and several organisations in one consent.
    pub fn is_premium(self) -> bool {
        self >= Tier::Advanced
    }
    /// "Rapid Sync lifts minute and day limits for a new connection's first 30 minutes".
    pub fn has_rapid_sync(self) -> bool {
        self >= Tier::Plus
    }
    /// Certification comes with this tier.
    pub fn is_certified(self) -> bool {
        self >= Tier::Plus
    }
}

/// How long Rapid Sync lasts.
pub const RAPID_SYNC_SECS: i64 = 30 * 60;

impl App {
    /// The app every sandbox knows: `tieout-quickbooks` / `tieout-xero` with the secret `sandbox-secret`, loopback redirects. At Xero it has
    /// all that an app can have.
    pub fn standard(face: Face) -> App {
        let word = if face == Face::QuickBooks { "quickbooks" } else { "xero" };
        App {
            face,
            client_id: format!("tieout-{word}"),
            client_secret: "sandbox-secret".into(),
            redirect_uris: vec!["http://127.0.0.1:*".into(), "http://localhost:*".into()],
            tier: Tier::Enterprise,
            is_certified: true,
            granular_only: false,
            rapid_sync: false,
        }
    }
    pub fn allows(&self, redirect_uri: &str) -> bool {
        self.redirect_uris.iter().any(|allowed| match allowed.strip_suffix('*') {
            Some(prefix) => redirect_uri.starts_with(prefix) && !redirect_uri[prefix.len()..].contains('@'),
            None => allowed == redirect_uri,
        })
    }
}

/// A person with a sign-in at the providers. A consent page lets the visitor pick one.
#[derive(Clone, Debug)]
pub struct User {
    /// A uuid: QuickBooks' `sub`, Xero's `xero_userid`.
    pub id: String,
    pub email: String,
    pub given_name: String,
    pub family_name: String,
    /// Companies (`Books::id`) this person may authorize; empty means all.
    pub companies: Vec<String>,
    /// Xero: false for a Standard user without reports, whom Reports, Journals and ManualJournals are closed to.
    pub sees_reports: bool,
}

impl User {
    /// Somebody who may authorize every company and see all of it.
    pub fn new(id: impl Into<String>, email: impl Into<String>, given_name: impl Into<String>, family_name: impl Into<String>) -> User {
        User {
            id: id.into(),
            email: email.into(),
            given_name: given_name.into(),
            family_name: family_name.into(),
            companies: Vec::new(),
            sees_reports: true,
        }
    }
}
