//! What the tests start: a sandbox on a free port, an engine over a database, one organization, connections made by the ordinary code flow.
use domain::clock::SystemClock;
use domain::connection::Environment;
use domain::ids::{CompanyId, OrganizationId, RunId, UserId};
use domain::job::Trigger;
use domain::organization::Role;
use domain::sync::{Extent, RunState};
use engine::connections::{self, CallbackQuery, Who};
use engine::{Engine, Settings};
use jiff::civil::Date;
use providers::Registry;
use providers::oauth::Secret;
use simulator::books::Books;
use simulator::books::Face;
use simulator::books::generator::{CompanySpec, generate};
use simulator::sandbox::Sandbox;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::companies::Company;
use store::runs::Run;
use store::seal::Key;
use store::{Store, members};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Now, as the tests of this binary see it.
pub fn now() -> jiff::Timestamp {
    use domain::clock::Clock;
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

pub struct House {
    pub sandbox: Sandbox,
    pub url: Url,
    pub engine: Engine,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    stop: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl House {
    /// A sandbox with these companies, and an engine over the database at `address`.
    pub async fn build(address: &str, companies: Vec<Books>) -> House {
        // TIEOUT_LOG=debug shows what the engine tells its operator
        if let Ok(level) = std::env::var("TIEOUT_LOG") {
            let _ = tracing_subscriber::fmt().with_env_filter(level).with_test_writer().try_init();
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let sandbox = simulator::server::Options::default().sandbox(companies);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(simulator::server::serve(sandbox.clone(), listener, stop.clone().cancelled_owned()));
        let store = Store::open(address, &Key::random()).await.unwrap();
        let clock = Arc::new(SystemClock);
        let providers: BTreeMap<String, providers::registry::Settings> = ["quickbooks", "xero"]
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
        let settings =
            Settings { public_url: Url::parse("http://localhost:8484/").unwrap(), node: format!("test-{}", url.port().unwrap()), workers: 4, lease_secs: 10 };
        let engine = Engine::new(store, registry, clock, settings);
        let (organization_id, user_id) = (OrganizationId(engine.make_id()), UserId(engine.make_id()));
        let mut tx = engine.store.begin().await.unwrap();
        members::insert_organization(&mut tx, &organization_id, "Test", engine.now_ms()).await.unwrap();
        let user = members::User { id: user_id.clone(), email: "owner@test.example".into(), name: "Owner".into(), password_hash: None };
        members::insert_user(&mut tx, &user, engine.now_ms()).await.unwrap();
        members::add(&mut tx, &organization_id, &user_id, Role::Owner, engine.now_ms()).await.unwrap();
        tx.commit().await.unwrap();
        House { sandbox, url, engine, organization_id, user_id, stop }
    }

    /// Goes through the consent of a provider and imports every company it reaches.
    pub async fn connect(&self, provider: &str) -> Vec<Company> {
        let session_hash = self.engine.make_id();
        let who = Who { organization_id: &self.organization_id, user_id: &self.user_id, session_hash: &session_hash };
        let authorize = connections::start(&self.engine, &who, provider, None).await.unwrap();
        let callback = simulator::consent::approve(&self.sandbox, &authorize, &[]).await.unwrap();
        let value = |name: &str| callback.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let query = CallbackQuery { code: value("code"), state: value("state"), error: value("error"), realm_id: value("realmId") };
        connections::finish(&self.engine, &who, provider, query).await.unwrap();
        let mut conn = self.engine.store.read().await.unwrap();
        let result = store::oauth_states::latest_result(&mut conn, &session_hash).await.unwrap().unwrap();
        assert_eq!(result.outcome, "connected", "{result:?}");
        let connection_id = result.connection_id.unwrap();
        drop(conn);
        let report = connections::import_all(&self.engine, &self.organization_id, &connection_id, &self.user_id).await.unwrap();
        let mut companies = Vec::new();
        for id in report.queued {
            companies.push(self.company(&id).await);
        }
        companies
    }

    pub async fn company(&self, id: &CompanyId) -> Company {
        store::companies::find_any(&mut self.engine.store.read().await.unwrap(), id).await.unwrap().unwrap()
    }

    /// Works in the background until the returned token is cancelled.
    pub fn work(&self) -> CancellationToken {
        let stop = self.stop.child_token();
        tokio::spawn(engine::worker::work(self.engine.clone(), stop.clone()));
        stop
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

    pub async fn wait_run(&self, id: &RunId) -> Run {
        for _ in 0..1_200 {
            let run = store::runs::find(&mut self.engine.store.read().await.unwrap(), id).await.unwrap().unwrap();
            if run.state.is_finished() {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let run = store::runs::find(&mut self.engine.store.read().await.unwrap(), id).await.unwrap().unwrap();
        panic!("run {id} did not end in two minutes: {run:?}\n{}", self.messages(&run).await.join("\n"));
    }

    /// Asks for a sync and waits for its end.
    pub async fn sync(&self, company_id: &CompanyId, extent: Option<Extent>) -> Run {
        let requested = engine::sync::request(&self.engine, &self.organization_id, company_id, Trigger::CommandLine, extent).await.unwrap();
        self.wait_run(requested.run_id()).await
    }

    pub async fn messages(&self, run: &Run) -> Vec<String> {
        let entries = store::log_entries::list_by_run(&mut self.engine.store.read().await.unwrap(), &run.id, 1_000).await.unwrap();
        entries.into_iter().map(|entry| format!("{} {} {}", entry.log_type.as_str(), entry.status.as_str(), entry.message)).collect()
    }

    pub async fn assert_succeeded(&self, run: &Run) {
        assert_eq!(run.state, RunState::Succeeded, "{:?}\n{}", run.problem, self.messages(run).await.join("\n"));
    }
}
