//! Everything the sandbox holds: companies, apps, users, grants, faults, counters, and the lock around them.
pub use crate::apps::{App, Tier, User};
use crate::books::{Books, Face};
use crate::clock::SandboxClock;
use crate::faults::Faults;
use crate::limits::Limits;
use crate::live::Live;
use crate::network::journal::Journal;
use crate::network::later::Later;
use crate::network::schedule::Schedule;
use crate::oauth::Grants;
use crate::webhooks::Webhooks;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

/// The state behind the HTTP faces.
pub struct State {
    pub apps: Vec<App>,
    pub users: Vec<User>,
    pub companies: BTreeMap<String, Books>,
    pub grants: Grants,
    pub faults: Faults,
    pub limits: Limits,
    /// Calls answered, by `"<face> <method> <normalised path>"`, since the last reset; e.g. `quickbooks GET cdc`.
    pub calls: BTreeMap<String, u64>,
    /// Calls that named a company (realm in the path, tenant in the header), by `Books::id`, since the last reset.
    pub calls_by_company: BTreeMap<String, u64>,
    /// Every request, its answer's bytes, every token.
    pub journal: Journal,
    /// Faults by a seed, while one is given.
    pub schedule: Option<Schedule>,
    /// Changes that are made but cannot be seen yet.
    pub later: Vec<Later>,
    pub webhooks: Webhooks,
    /// Trade that goes on by itself, while it does.
    pub live: Option<Live>,
    /// Whether control API and console are served.
    pub has_control: bool,
}

/// A handle that is cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    pub clock: Arc<SandboxClock>,
    state: Arc<RwLock<State>>,
    keys: Arc<std::sync::OnceLock<crate::oauth::SigningKey>>,
}

impl Sandbox {
    pub fn new(companies: Vec<Books>) -> Sandbox {
        Sandbox {
            clock: Arc::new(SandboxClock::default()),
            state: Arc::new(RwLock::new(State {
                apps: vec![App::standard(Face::QuickBooks), App::standard(Face::Xero)],
                users: vec![
                    User::new("6f1c9a52-0d3f-4c55-9a5e-3f1de0b7c1a1", "casey@harborpine.example", "Casey", "Morgan"),
                    User {
                        companies: vec!["none".into()],
                        ..User::new("0b8d7e64-2a41-4b0e-8f57-9c4f5b6a7d20", "newcomer@nobooks.example", "Robin", "Empty")
                    },
                ],
                companies: companies.into_iter().map(|books| (books.id.clone(), books)).collect(),
                grants: Grants::default(),
                faults: Faults::default(),
                limits: Limits::default(),
                calls: BTreeMap::new(),
                calls_by_company: BTreeMap::new(),
                journal: Journal::default(),
                schedule: None,
                later: Vec::new(),
                webhooks: Webhooks::default(),
                live: None,
                has_control: true,
            })),
            keys: Arc::default(),
        }
    }
    pub fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().expect("the sandbox's lock is never held across a panic"))
    }
    pub fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.write().expect("the sandbox's lock is never held across a panic"))
    }
    /// The same sandbox at another moment: what is changed through it was changed then.
    pub fn at(&self, moment: Timestamp) -> Sandbox {
        let clock = SandboxClock::default();
        clock.freeze_at(moment);
        Sandbox { clock: Arc::new(clock), state: Arc::clone(&self.state), keys: Arc::clone(&self.keys) }
    }
    /// Lets trade go on by itself from now on, on a clock that runs faster.
    pub fn go_live(&self, pace: crate::live::Pace) {
        self.clock.run_at(pace.speed);
        let now = self.clock.now();
        self.write(|state| state.live = Some(Live::new(pace, now)));
    }
    /// The RS256 key of this sandbox, made at first use (or ahead of it in the background by `server::serve`).
    pub fn signing_key(&self) -> &crate::oauth::SigningKey {
        self.keys.get_or_init(crate::oauth::SigningKey::generate)
    }
}
