//! A whole installation: the sandbox and the server as processes of their own, an Owner, and the way to a connected account.
use crate::Plan;
use crate::visitor::{Answer, Visitor};
use std::ffi::OsString;
use std::time::Duration;
use store::Store;
use store::seal::Key;
use tempfile::TempDir;
use testkit::{DatabaseKind, Launch, Program, free_port, postgres, sqlite_url};
use url::Url;

/// Large books take a while to make up.
const BOOKS_WITHIN: Duration = Duration::from_secs(300);

/// How the Owner signs in.
pub const EMAIL: &str = "owner@benchmark.example";
pub const PASSWORD: &str = "a sentence for figures";

pub struct Installation {
    /// The database as the server sees it.
    pub store: Store,
    pub visitor: Visitor,
    pub server: Program,
    pub folder: TempDir,
    url: Url,
    database: String,
    key: String,
    program: std::path::PathBuf,
    _sandbox: Program,
}

impl Installation {
    /// Starts both with these options of `tieout sandbox`, and creates the Owner with the link the server prints.
    pub async fn start(plan: &Plan, kind: DatabaseKind, options: &[&str]) -> Installation {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (sandbox_port, port) = (free_port(), free_port());
        let listen = format!("127.0.0.1:{sandbox_port}");
        let arguments = ["sandbox", "--listen", &listen, "--no-limits"].into_iter().chain(options.iter().copied());
        let mut sandbox = Launch::program(plan.program.clone(), arguments).current_dir(folder.path()).start();
        sandbox.wait_for_line("The sandbox is ready", BOOKS_WITHIN);

        let database = match kind {
            DatabaseKind::Sqlite => sqlite_url(folder.path()),
            DatabaseKind::Postgres => postgres().create_database(),
        };
        let key = Key::random();
        let mut launch = Launch::program(plan.program.clone(), ["serve"])
            .env("TIEOUT_LISTEN", format!("127.0.0.1:{port}"))
            .env("TIEOUT_DATA_DIR", folder.path())
            .env("DATABASE_URL", &database)
            .env("TIEOUT_KEY", key.to_text())
            .env("TIEOUT_SIMULATOR_URL", format!("http://127.0.0.1:{sandbox_port}"))
            .current_dir(folder.path());
        for provider in ["QUICKBOOKS", "XERO"] {
            launch = launch
                .env(format!("TIEOUT_{provider}_CLIENT_ID"), format!("tieout-{}", provider.to_lowercase()))
                .env(format!("TIEOUT_{provider}_CLIENT_SECRET"), "sandbox-secret")
                .env(format!("TIEOUT_{provider}_ENVIRONMENT"), "simulator");
        }
        let mut server = launch.start();
        let line = server.wait_for_line("create the Owner with this link", Duration::from_secs(30));
        let link = line.split_whitespace().last().and_then(|word| Url::parse(word).ok()).expect("the line ends in the link");
        let mut visitor = Visitor::default();
        let form = [("organization", "Benchmark"), ("name", "Benchmark Owner"), ("email", EMAIL), ("password", PASSWORD)];
        let answer = visitor.post(&link, &form);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let url = link.join("/").expect("a path joins any address");
        let store = Store::open(&database, &key).await.expect("the server has made the database");
        Installation { store, visitor, server, folder, url, database, key: key.to_text(), program: plan.program.clone(), _sandbox: sandbox }
    }

    pub fn address(&self, path: &str) -> Url {
        self.url.join(path).expect("a path joins any address")
    }

    pub fn get(&mut self, path: &str) -> Answer {
        let address = self.address(path);
        self.visitor.get(&address)
    }

    /// Connects an account as a person does, its consent page approving for every company at once; returns the account's id.
    pub fn connect(&mut self, provider: &str) -> String {
        let address = self.address(&format!("/integrations/connect/{provider}"));
        let mut answer = self.visitor.post(&address, &[]);
        let mut consent = answer.location.take().unwrap_or_else(|| panic!("no redirect to {provider} but {}: {}", answer.status, answer.body));
        consent.query_pairs_mut().append_pair("auto", "approve");
        let approved = self.visitor.get(&consent);
        let (end, answer) = self.visitor.follow(approved);
        let parts: Vec<&str> = end.path().split('/').collect();
        match parts.as_slice() {
            ["", "integrations", "accounts", id, "setup"] => (*id).to_owned(),
            _ => panic!("connecting {provider} led to {end}: {}", answer.body),
        }
    }

    /// Import All Companies.
    pub fn import_all(&mut self, account: &str) {
        let address = self.address(&format!("/integrations/accounts/{account}/import"));
        let answer = self.visitor.post(&address, &[]);
        assert_eq!(answer.status, 303, "{}", answer.body);
    }

    /// Waits until no company has a run any more; every one must be Verified.
    pub async fn wait_until_synced(&mut self, within: Duration) {
        let began = std::time::Instant::now();
        loop {
            let mut conn = self.store.read().await.expect("the database answers");
            let companies = store::companies::list_all_linked(&mut conn).await.expect("companies can be listed");
            drop(conn);
            if !companies.is_empty() && companies.iter().all(|company| company.run.is_none() && company.last_run_id.is_some()) {
                for company in &companies {
                    let is_verified = company.mark == domain::company::Mark::Verified;
                    assert!(is_verified, "{} is {}: {:?}", company.name, company.mark.label(), company.last_problem);
                }
                return;
            }
            let said = || self.server.lines().join("\n");
            assert!(began.elapsed() < within, "the sync still runs after {} s; the server said:\n{}", within.as_secs(), said());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// How many records `tieout status --json` counts.
    pub fn records(&self) -> u64 {
        let arguments: [OsString; 2] = ["status".into(), "--json".into()];
        let finished = Launch::program(self.program.clone(), arguments)
            .env("TIEOUT_DATA_DIR", self.folder.path())
            .env("DATABASE_URL", &self.database)
            .env("TIEOUT_KEY", &self.key)
            .current_dir(self.folder.path())
            .run(Duration::from_secs(60));
        assert!(finished.status.success(), "{}", finished.stderr);
        let companies: serde_json::Value = serde_json::from_str(&finished.stdout).expect("status prints JSON");
        companies.as_array().expect("status prints a list").iter().filter_map(|company| company["records"].as_u64()).sum()
    }

    /// Ends the server and leaves nothing behind.
    pub async fn end(mut self) {
        self.store.close().await;
        self.server.terminate(Duration::from_secs(20));
        if self.database.starts_with("postgres") {
            postgres().drop_database(&self.database);
        }
    }
}
