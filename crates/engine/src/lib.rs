//! What the product does: connect, sync, verify. It joins providers and store, which do not know each other.
pub mod alerts;
pub mod audit;
pub mod connections;
pub mod delivery;
pub mod error;
pub mod health;
pub mod ledger;
pub mod limits;
pub mod logbook;
pub mod mappings;
pub mod people;
pub mod retention;
pub mod schedule;
pub mod support_bundle;
pub mod sync;
pub mod verify;
pub mod worker;

pub use error::EngineError;
/// What an engine is built from; whoever builds one names the providers by these only.
pub use providers::suggestions::{Settings as SuggestionSettings, Suggestions};
pub use providers::{oauth::Secret, registry::Registry, registry::Settings as ProviderSettings};

use domain::clock::Clock;
use domain::ids::{CompanyId, OrganizationId, RunId};
use providers::Provider;
use providers::post::Reach;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock};
use store::Store;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use url::Url;

/// How this node works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address people use: redirect addresses and links begin with it.
    pub public_url: Url,
    /// Names this process as the owner of leases: different for every start.
    pub node: String,
    /// Runs at the same time.
    pub workers: usize,
    pub lease_secs: i64,
}

/// Something that pages show has changed. Sent after the commit, inside this process only; pages also poll.
#[derive(Clone, Debug)]
pub struct Change {
    pub organization_id: OrganizationId,
    pub company_id: Option<CompanyId>,
}

/// Everything a use case needs. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

pub struct Inner {
    pub store: Store,
    pub registry: Registry,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
    pub changes: broadcast::Sender<Change>,
    /// Wakes the worker when a run is queued.
    pub(crate) queued: Notify,
    /// Wakes the delivery when something was put into the outbox.
    pub(crate) posted: Notify,
    /// None: this installation has no mail server, and people copy links instead.
    pub(crate) mailer: OnceLock<delivery::Mailer>,
    /// Webhooks may lead into private networks: this installation's chat is in one.
    pub(crate) reaches_private: OnceLock<()>,
    /// How to stop the runs this process works on: a person who cancels one need not wait for the next beat.
    pub(crate) stops: Mutex<HashMap<RunId, CancellationToken>>,
    /// Call windows of companies this node has synced.
    pub(crate) pacers: Mutex<HashMap<CompanyId, Arc<limits::Pacer>>>,
    /// How the providers answered, until it is written down.
    pub(crate) calls: health::Calls,
    /// Off unless the operator configured one.
    pub(crate) suggestions: OnceLock<Suggestions>,
    /// How many days the audit log is kept, where it is not the usual time.
    pub(crate) audit_days: OnceLock<i64>,
}

impl Deref for Engine {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Engine {
    pub fn new(store: Store, registry: Registry, clock: Arc<dyn Clock>, settings: Settings) -> Engine {
        let (changes, _) = broadcast::channel(1_024);
        Engine(Arc::new(Inner {
            store,
            registry,
            clock,
            settings,
            changes,
            queued: Notify::new(),
            posted: Notify::new(),
            mailer: OnceLock::new(),
            reaches_private: OnceLock::new(),
            stops: Mutex::default(),
            pacers: Mutex::default(),
            calls: health::Calls::default(),
            suggestions: OnceLock::new(),
            audit_days: OnceLock::new(),
        }))
    }

    /// Also asks this endpoint about accounts that rules leave undecided. The first one given stays.
    pub fn use_suggestions(&self, suggestions: Suggestions) {
        let _ = self.suggestions.set(suggestions);
    }

    /// A new id, ordered by time.
    pub fn make_id(&self) -> String {
        let mut random = [0u8; 10];
        getrandom::fill(&mut random).expect("the operating system gives random bytes");
        domain::ids::make_id(self.clock.now(), random)
    }

    /// Gives this process its mail server, once, at the start.
    pub fn set_mailer(&self, mailer: delivery::Mailer) {
        let _ = self.mailer.set(mailer);
    }
    pub fn can_mail(&self) -> bool {
        self.mailer.get().is_some()
    }
    pub(crate) fn mailer(&self) -> Option<&delivery::Mailer> {
        self.mailer.get()
    }
    /// Keeps the audit log for so many days, once, at the start.
    pub fn keep_audit(&self, days: i64) {
        let _ = self.audit_days.set(days);
    }
    pub fn audit_days(&self) -> i64 {
        self.audit_days.get().copied().unwrap_or(store::audit::DEFAULT_DAYS)
    }
    /// Lets webhooks lead into private networks, once, at the start.
    pub fn allow_private_webhooks(&self) {
        let _ = self.reaches_private.set(());
    }
    pub(crate) fn reach(&self) -> Reach {
        if self.reaches_private.get().is_some() { Reach::PrivateToo } else { Reach::Public }
    }
    /// Whether an address can be posted to, as far as its text shows; else what is wrong with it.
    pub fn check_webhook(&self, text: &str) -> Result<Url, String> {
        providers::post::check_address(text, self.reach()).map_err(|error| error.to_string())
    }
    /// What was put into the outbox leaves at once; call it after the commit.
    pub fn wake_delivery(&self) {
        self.posted.notify_one();
    }

    /// An address of this installation, for links in mails and on terminals: always from the settings, never from a request.
    pub fn address(&self, path: &[&str]) -> Url {
        let mut url = self.settings.public_url.clone();
        url.path_segments_mut().expect("the public URL is http or https").clear().extend(path);
        url
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Tells open pages to look again.
    pub fn changed(&self, organization_id: &OrganizationId, company_id: Option<&CompanyId>) {
        // nobody listening is fine
        let _ = self.changes.send(Change { organization_id: organization_id.clone(), company_id: company_id.cloned() });
    }

    /// Stops a run that this process works on; other processes learn of it with their next beat.
    pub(crate) fn stop_run(&self, run_id: &RunId) {
        if let Some(stop) = self.stops.lock().expect("the list of stops is never held across a panic").get(run_id) {
            stop.cancel();
        }
    }

    pub(crate) fn provider(&self, id: &str) -> Result<&Arc<dyn Provider>, EngineError> {
        self.registry.get(id).ok_or_else(|| EngineError::NotConfigured { provider: id.to_owned() })
    }
}
