//! What the tests start: a sandbox on a free port, an engine over a database, one organization, connections made by the ordinary code flow.
use domain::clock::{Clock, SystemClock};
use domain::connection::Environment;
use domain::ids::{CompanyId, ConnectionId, OrganizationId, RunId, UserId};
use domain::job::Trigger;
use domain::ledger::Basis;
use domain::organization::Role;
use domain::sync::{Extent, RunState};
use engine::connections::{self, CallbackQuery, ImportReport, Who};
use engine::{Engine, Settings};
use jiff::civil::Date;
use providers::Registry;
use providers::oauth::Secret;
use simulator::books::generator::{CompanySpec, generate};
use simulator::books::{Books, Face};
use simulator::faults::{Fault, Injected};
use simulator::sandbox::Sandbox;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use store::companies::Company;
use store::log_entries::LogEntry;
use store::oauth_states::OauthResult;
use store::runs::Run;
use store::seal::Key;
use store::verifications::Verification;
use store::{Store, args, members};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Now, as the tests of this binary see it.
pub fn now() -> jiff::Timestamp {
    SystemClock.now()
}

pub fn today() -> Date {
    now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Made-up books of the last `months` months.
pub fn books(face: Face, seed: u64, months: i32, per_month: u32) -> Books {
    let to = today();
    let from = to.saturating_sub(jiff::Span::new().months(months)).first_of_month();
    generate(face, CompanySpec { documents_per_month: per_month, ..CompanySpec::plain(face, seed, from, to) }, now())
}

pub const PROVIDERS: [&str; 2] = ["quickbooks", "xero"];

pub struct House {
    pub sandbox: Sandbox,
    pub engine: Engine,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    registry: Registry,
    starts: AtomicU32,
    stop: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A worker in the background.
pub struct Worker {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    /// Asks it to stop in order and waits until it has.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    /// Ends it where it stands: nothing of it runs any more when this returns.
    pub async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

impl House {
    /// A sandbox with these companies, and an engine over the database at `address`. The sandbox counts calls but refuses none for their number:
    /// tests ask for far more syncs in a minute than a provider admits.
    pub async fn build(address: &str, companies: Vec<Books>) -> House {
        // TIEOUT_LOG=debug shows what the engine tells its operator
        if let Ok(level) = std::env::var("TIEOUT_LOG") {
            let _ = tracing_subscriber::fmt().with_env_filter(level).with_test_writer().try_init();
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let sandbox = simulator::server::Options { limits_enforced: false, ..Default::default() }.sandbox(companies);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(simulator::server::serve(sandbox.clone(), listener, stop.clone().cancelled_owned()));
        let store = Store::open(address, &Key::random()).await.unwrap();
        let clock = Arc::new(SystemClock);
        let providers: BTreeMap<String, providers::registry::Settings> = PROVIDERS
            .into_iter()
            .map(|id| {
                let settings = providers::registry::Settings {
                    client_id: format!("tieout-{id}"),
                    client_secret: Secret::new("sandbox-secret"),
                    environment: Environment::Simulator,
                    simulator_url: Some(url.clone()),
                    journals: true,
                };
                (id.to_owned(), settings)
            })
            .collect();
        let registry = Registry::new(&providers, clock.clone()).unwrap();
        let engine = Engine::new(store, registry.clone(), clock.clone(), settings(0));
        let (organization_id, user_id) = make_organization(&engine).await;
        House { sandbox, engine, organization_id, user_id, registry, starts: AtomicU32::new(1), stop }
    }

    /// From here on everything is done for an organization that knows nothing yet.
    pub async fn move_to_a_new_organization(&mut self) {
        (self.organization_id, self.user_id) = make_organization(&self.engine).await;
    }

    /// Starts the server anew: the same database and providers, another node, nothing remembered.
    pub fn restart(&mut self) {
        let start = self.starts.fetch_add(1, Ordering::SeqCst);
        self.engine = Engine::new(self.engine.store.clone(), self.registry.clone(), Arc::new(SystemClock), settings(start));
    }

    /// The server anew, with a worker: also one that does not know how many calls it made in this minute, which the tests make more of than a provider
    /// admits.
    pub async fn work_anew(&mut self, worker: Worker) -> Worker {
        worker.stop().await;
        self.restart();
        self.work()
    }

    /// Lets the time pass that a run has to wait: its lease ends, or it may be tried again. The clocks stay as they are, for all tests of this process
    /// write their logs by one of them.
    pub async fn wait_over(&self, run_id: &RunId) {
        let mut tx = self.engine.store.begin().await.unwrap();
        let statement = "UPDATE runs SET run_after = $2, lease_until = CASE WHEN lease_until IS NULL THEN NULL ELSE $2 END WHERE id = $1";
        assert_eq!(tx.execute(statement, args![run_id, now().as_millisecond() - 1]).await.unwrap(), 1);
        tx.commit().await.unwrap();
    }

    /// Works in the background until the house is gone or the worker is stopped.
    pub fn work(&self) -> Worker {
        let stop = self.stop.child_token();
        Worker { stop: stop.clone(), task: tokio::spawn(engine::worker::work(self.engine.clone(), stop)) }
    }

    // connections

    pub fn who<'a>(&'a self, session_hash: &'a str) -> Who<'a> {
        Who { organization_id: &self.organization_id, user_id: &self.user_id, session_hash }
    }

    /// Goes to the consent page with these additions to its address and takes what it sends back.
    pub async fn visit(&self, authorize: &Url, additions: &[(&str, &str)], companies: &[String]) -> CallbackQuery {
        let mut authorize = authorize.clone();
        authorize.query_pairs_mut().extend_pairs(additions);
        let callback = simulator::consent::approve(&self.sandbox, &authorize, companies).await.unwrap();
        let value = |name: &str| callback.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        CallbackQuery { code: value("code"), state: value("state"), error: value("error"), realm_id: value("realmId"), issuer: value("iss") }
    }

    /// One authorization from the button to its result.
    pub async fn authorize(&self, provider: &str, reconnect: Option<&ConnectionId>, additions: &[(&str, &str)], companies: &[String]) -> OauthResult {
        let session_hash = self.engine.make_id();
        let authorize = connections::start(&self.engine, &self.who(&session_hash), provider, reconnect).await.unwrap();
        let query = self.visit(&authorize, additions, companies).await;
        self.finish(provider, &session_hash, query).await
    }

    pub async fn finish(&self, provider: &str, session_hash: &str, query: CallbackQuery) -> OauthResult {
        connections::finish(&self.engine, &self.who(session_hash), provider, query).await.unwrap();
        let mut conn = self.engine.store.read().await.unwrap();
        store::oauth_states::latest_result(&mut conn, session_hash).await.unwrap().unwrap()
    }

    pub async fn import(&self, connection_id: &ConnectionId) -> ImportReport {
        connections::import_all(&self.engine, &self.organization_id, connection_id, &self.user_id).await.unwrap()
    }

    /// Goes through the consent of a provider and imports every company it reaches.
    pub async fn connect(&self, provider: &str) -> Vec<Company> {
        let result = self.authorize(provider, None, &[], &[]).await;
        assert_eq!(result.outcome, "connected", "{result:?}");
        let mut companies = Vec::new();
        for id in self.import(&result.connection_id.unwrap()).await.queued {
            companies.push(self.company(&id).await);
        }
        companies
    }

    /// Connects and brings the only company of a provider up to date.
    pub async fn synced(&self, provider: &str) -> Company {
        let companies = self.connect(provider).await;
        assert_eq!(companies.len(), 1);
        let run = self.wait(&companies[0].id).await;
        self.assert_succeeded(&run).await;
        self.company(&companies[0].id).await
    }

    // the provider's side

    /// The id of a company at its provider: the key of its books in the sandbox.
    pub async fn remote_id(&self, company_id: &CompanyId) -> String {
        let mut conn = self.engine.store.read().await.unwrap();
        store::companies::remote_id(&self.engine.store, &mut conn, company_id).await.unwrap().unwrap()
    }

    /// Changes the books of a company as a person at the provider would.
    pub async fn change<T>(&self, company_id: &CompanyId, change: impl FnOnce(&mut Books, jiff::Timestamp) -> T) -> T {
        let remote_id = self.remote_id(company_id).await;
        let now = self.sandbox.clock.now();
        self.sandbox.write(|state| change(state.companies.get_mut(&remote_id).unwrap(), now))
    }

    pub async fn look<T>(&self, company_id: &CompanyId, look: impl FnOnce(&Books) -> T) -> T {
        let remote_id = self.remote_id(company_id).await;
        self.sandbox.read(|state| look(&state.companies[&remote_id]))
    }

    /// Calls that named this company since the last reset, by the sandbox's own count.
    pub async fn calls(&self, company_id: &CompanyId) -> u64 {
        let remote_id = self.remote_id(company_id).await;
        self.sandbox.read(|state| state.calls_by_company.get(&remote_id).copied().unwrap_or(0))
    }

    pub fn calls_of(&self, name: &str) -> u64 {
        self.sandbox.read(|state| state.calls.get(name).copied().unwrap_or(0))
    }

    pub fn forget_calls(&self) {
        self.sandbox.write(|state| {
            state.calls.clear();
            state.calls_by_company.clear();
        });
    }

    pub fn inject(&self, fault: Fault, path: &str, skip: u32, times: u32) {
        let path_contains = Some(path.to_owned()).filter(|path| !path.is_empty());
        self.sandbox.write(|state| state.faults.inject(Injected { face: None, company: None, path_contains, skip, times, fault }));
    }

    /// Holds the data call number `at` (from 0) of a company for `ms`.
    pub async fn hold(&self, company_id: &CompanyId, at: u32, ms: u64) {
        let company = Some(self.remote_id(company_id).await);
        let injected = Injected { face: None, company, path_contains: None, skip: at, times: 1, fault: Fault::Delay { ms } };
        self.sandbox.write(|state| state.faults.inject(injected));
    }

    /// Waits until every injected fault has met its calls; false when the run ended before.
    pub async fn until_faults_are_met(&self, run_id: &RunId) -> bool {
        for step in 0..60_000 {
            if self.sandbox.read(|state| state.faults.waiting().is_empty()) {
                return true;
            }
            if step % 20 == 0 && self.run(run_id).await.state.is_finished() {
                return self.sandbox.read(|state| state.faults.waiting().is_empty());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("the calls that were waited for did not come in two minutes");
    }

    // our side

    pub async fn company(&self, id: &CompanyId) -> Company {
        store::companies::find_any(&mut self.engine.store.read().await.unwrap(), id).await.unwrap().unwrap()
    }

    pub async fn run(&self, id: &RunId) -> Run {
        store::runs::find(&mut self.engine.store.read().await.unwrap(), id).await.unwrap().unwrap()
    }

    /// The status word and, for a company that needs a resync, its reason.
    pub async fn status(&self, id: &CompanyId) -> domain::company::SyncStatus {
        domain::company::sync_status(&self.company(id).await.status_facts(), now())
    }

    /// Waits for the active run of a company to end.
    pub async fn wait(&self, company_id: &CompanyId) -> Run {
        let active = store::runs::find_active(&mut self.engine.store.read().await.unwrap(), company_id).await.unwrap();
        let id = match active {
            Some(run) => run.id,
            None => self.company(company_id).await.last_run_id.expect("a run was asked for"),
        };
        self.wait_run(&id).await
    }

    /// Waits for the run that the schedule asks for after `before`. Its worker may be at the same companies: what another node's tick has locked, a tick
    /// passes over, so that a run may be there only after that one's transaction.
    pub async fn wait_scheduled(&self, company_id: &CompanyId, before: Option<&RunId>) -> Run {
        for _ in 0..3_000 {
            engine::schedule::tick(&self.engine).await.unwrap();
            let active = store::runs::find_active(&mut self.engine.store.read().await.unwrap(), company_id).await.unwrap();
            let id = active.map(|run| run.id).or(self.company(company_id).await.last_run_id);
            if let Some(id) = id.filter(|id| Some(id) != before) {
                return self.wait_run(&id).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the schedule asked for no run of {company_id} in a minute");
    }

    pub async fn wait_run(&self, id: &RunId) -> Run {
        self.wait_until(id, |run| run.state.is_finished()).await
    }

    /// Waits until a run has come so far.
    pub async fn wait_until(&self, id: &RunId, so_far: impl Fn(&Run) -> bool) -> Run {
        for _ in 0..6_000 {
            let run = self.run(id).await;
            if so_far(&run) {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let run = self.run(id).await;
        panic!("run {id} did not get there in two minutes: {run:?}\n{}", self.messages(&run).await.join("\n"));
    }

    /// Asks for a sync.
    pub async fn request(&self, company_id: &CompanyId, extent: Option<Extent>) -> RunId {
        let requested = engine::sync::request(&self.engine, &self.organization_id, company_id, Trigger::CommandLine, extent).await.unwrap();
        requested.run_id().clone()
    }

    /// Asks for a sync and waits for its end.
    pub async fn sync(&self, company_id: &CompanyId, extent: Option<Extent>) -> Run {
        let id = self.request(company_id, extent).await;
        self.wait_run(&id).await
    }

    pub async fn quarantined(&self, company_id: &CompanyId) -> Vec<store::quarantine::Quarantined> {
        store::quarantine::list(&mut self.engine.store.read().await.unwrap(), company_id, 100).await.unwrap()
    }

    pub async fn entries(&self, run: &Run) -> Vec<LogEntry> {
        store::log_entries::list_by_run(&mut self.engine.store.read().await.unwrap(), &run.id, 1_000).await.unwrap()
    }

    pub async fn messages(&self, run: &Run) -> Vec<String> {
        let entries = self.entries(run).await;
        entries.into_iter().map(|entry| format!("{} {} {}", entry.log_type.as_str(), entry.status.as_str(), entry.message)).collect()
    }

    /// The passes of a run on one basis, oldest first.
    pub async fn verifications(&self, run: &Run, basis: Basis) -> Vec<Verification> {
        let mut conn = self.engine.store.read().await.unwrap();
        let mut list = store::verifications::list(&mut conn, &run.company_id, basis, 100).await.unwrap();
        list.retain(|verification| verification.run_id == run.id);
        list.reverse();
        list
    }

    pub async fn content_hash(&self, company_id: &CompanyId) -> String {
        engine::verify::content_hash(&mut self.engine.store.read().await.unwrap(), company_id).await.unwrap()
    }

    /// Records that are not deleted, over all data types.
    pub async fn live_records(&self, company_id: &CompanyId) -> i64 {
        let mut conn = self.engine.store.read().await.unwrap();
        store::documents::count_by_type(&mut conn, company_id).await.unwrap().iter().map(|count| count.live).sum()
    }

    pub async fn assert_succeeded(&self, run: &Run) {
        assert_eq!(run.state, RunState::Succeeded, "{:?}\n{}", run.problem, self.messages(run).await.join("\n"));
    }
}

async fn make_organization(engine: &Engine) -> (OrganizationId, UserId) {
    let (organization_id, user_id) = (OrganizationId(engine.make_id()), UserId(engine.make_id()));
    let mut tx = engine.store.begin().await.unwrap();
    members::insert_organization(&mut tx, &organization_id, "Test", engine.now_ms()).await.unwrap();
    let user = members::User { id: user_id.clone(), email: format!("{user_id}@test.example"), name: "Owner".into(), password_hash: None };
    members::insert_user(&mut tx, &user, engine.now_ms()).await.unwrap();
    members::add(&mut tx, &organization_id, &user_id, Role::Owner, engine.now_ms()).await.unwrap();
    tx.commit().await.unwrap();
    (organization_id, user_id)
}

fn settings(start: u32) -> Settings {
    Settings { public_url: Url::parse("http://localhost:8484/").unwrap(), node: format!("test-{start}"), workers: 8, lease_secs: 30 }
}
