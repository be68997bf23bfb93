//! A sandbox and a server as child processes, for one test.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use testkit::{Finished, Launch, Program, free_port, sqlite_url};

use super::person::Person;

/// A debug build on a busy machine.
const STARTED_WITHIN: Duration = Duration::from_secs(60);
/// No busy machine loses it.
const LEASE_SECS: u64 = 30;
/// Short, so that a killed server's work is seen to move on.
pub const SHORT_LEASE_SECS: u64 = 4;
pub const PASSWORD: &str = "every account to the cent";
pub const EMAIL: &str = "ada@lovelace.example";

/// What the sandbox holds.
pub enum Companies {
    /// Harbor & Pine Trading Co. at QuickBooks, Kauri Outdoor Ltd and Beacon Street Studio at Xero.
    Demo,
    /// One at QuickBooks, with about this many documents.
    QuickBooks(u32),
}

pub struct Site {
    _sandbox: Program,
    pub server: Program,
    /// Where the pages are, without a final slash.
    pub url: String,
    pub sandbox_url: String,
    /// Where the first Owner is made.
    pub setup_link: String,
    database: String,
    listen: String,
    lease_secs: u64,
    folder: TempDir,
    client: reqwest::Client,
}

impl Site {
    /// On a SQLite database of its own.
    pub async fn on_sqlite(companies: Companies) -> Site {
        Site::start(None, companies).await
    }

    pub async fn start(database: Option<&str>, companies: Companies) -> Site {
        Site::start_with_lease(database, companies, LEASE_SECS).await
    }

    /// With another lease than usual, in seconds.
    pub async fn start_with_lease(database: Option<&str>, companies: Companies, lease_secs: u64) -> Site {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let database = database.map_or_else(|| sqlite_url(folder.path()), str::to_owned);
        let documents;
        let mut arguments = vec!["sandbox", "--listen", "127.0.0.1:0"];
        if let Companies::QuickBooks(count) = companies {
            documents = count.to_string();
            arguments.extend(["--no-limits", "--provider", "quickbooks", "--documents", &documents]);
        }
        let mut sandbox = Launch::tieout(arguments).current_dir(folder.path()).start();
        let line = sandbox.wait_for_line("The sandbox is ready at ", STARTED_WITHIN);
        let sandbox_url = line.rsplit(' ').next().expect("a split text has a last part").to_owned();
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let mut server = serve(folder.path(), &database, &listen, &sandbox_url, "sandbox-secret", lease_secs);
        let line = server.wait_for_line("/setup/", STARTED_WITHIN);
        let setup_link = line.rsplit(' ').next().expect("a split text has a last part").to_owned();
        let url = format!("http://localhost:{port}");
        assert!(setup_link.starts_with(&url), "the setup link {setup_link} does not lead to {url}");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        Site { _sandbox: sandbox, server, url, sandbox_url, setup_link, database, listen, lease_secs, folder, client }
    }

    /// Starts the server again after it has ended, on the same database and address.
    pub fn restart(&mut self) {
        self.restart_with_secret("sandbox-secret");
    }

    /// The same, with this client secret for both providers.
    pub fn restart_with_secret(&mut self, secret: &str) {
        self.server = serve(self.folder.path(), &self.database, &self.listen, &self.sandbox_url, secret, self.lease_secs);
        self.server.wait_for_line("Tieout is ready", STARTED_WITHIN);
    }

    /// Calls the control API of the sandbox; without a body it is a GET.
    pub async fn control(&self, path: &str, body: Option<Value>) -> Value {
        let address = format!("{}/_control/{path}", self.sandbox_url);
        let request = match body {
            Some(body) => self.client.post(&address).header("content-type", "application/json").body(body.to_string()),
            None => self.client.get(&address),
        };
        let answer = request.send().await.unwrap_or_else(|error| panic!("the control API cannot be asked for {path}: {error}"));
        let status = answer.status();
        let text = answer.text().await.expect("the control API answers with text");
        assert!(status.is_success(), "the control API refused {path} ({status}): {text}");
        serde_json::from_str(&text).expect("the control API answers with JSON")
    }

    /// A person who has made the organization with the first link and looks at **Integrations**.
    pub async fn owner(&self) -> Person {
        let person = Person::arrive(&self.url).await;
        self.set_up(&person).await;
        person
    }

    /// Opens the first link and creates the Owner.
    pub async fn set_up(&self, person: &Person) {
        person.goto(&self.setup_link).await;
        person.see("Set up Tieout").await;
        person.fill("organization", "Lovelace & Co").await;
        person.fill("name", "Ada Lovelace").await;
        person.fill("email", EMAIL).await;
        person.fill("password", PASSWORD).await;
        person.click("Create organization").await;
        person.see_title("Welcome to Tieout").await;
        person.click("Go to Integrations").await;
        person.see_title("Integrations").await;
    }

    /// The status word of the only company, as another process reads it from the database.
    pub async fn status(&self) -> String {
        self.statuses().await.remove(0).1
    }

    /// Name and status word of every linked company, as another process reads them.
    pub async fn statuses(&self) -> Vec<(String, String)> {
        let finished = self.run(&["status", "--json"], STARTED_WITHIN).await;
        let companies: Value = serde_json::from_str(&finished.stdout).unwrap_or_else(|_| panic!("`tieout status` printed {finished:?}"));
        let text = |company: &Value, key: &str| company[key].as_str().unwrap_or_else(|| panic!("no {key} in {companies}")).to_owned();
        companies.as_array().expect("a list of companies").iter().map(|company| (text(company, "name"), text(company, "status"))).collect()
    }

    /// Runs a command of the program on the same database, in a process of its own, to its end.
    pub async fn run(&self, arguments: &[&str], within: Duration) -> Finished {
        let launch = Launch::tieout(arguments).current_dir(self.folder.path());
        let launch = settings(launch, self.folder.path(), &self.database, &self.listen, &self.sandbox_url, "sandbox-secret", self.lease_secs);
        tokio::task::spawn_blocking(move || launch.run(within)).await.expect("the program ends")
    }

    /// The name of the PostgreSQL database.
    pub fn database_name(&self) -> &str {
        self.database.rsplit('/').next().expect("a split text has a last part")
    }
}

fn serve(folder: &Path, database: &str, listen: &str, sandbox_url: &str, secret: &str, lease_secs: u64) -> Program {
    settings(Launch::tieout(["serve"]).current_dir(folder), folder, database, listen, sandbox_url, secret, lease_secs).start()
}

fn settings(launch: Launch, folder: &Path, database: &str, listen: &str, sandbox_url: &str, secret: &str, lease_secs: u64) -> Launch {
    launch
        .env("TIEOUT_DATA_DIR", folder.join("data"))
        .env("DATABASE_URL", database)
        .env("TIEOUT_LISTEN", listen)
        .env("TIEOUT_LEASE_SECS", lease_secs.to_string())
        .env("TIEOUT_SIMULATOR_URL", sandbox_url)
        .env("TIEOUT_QUICKBOOKS_CLIENT_ID", "tieout-quickbooks")
        .env("TIEOUT_QUICKBOOKS_CLIENT_SECRET", secret)
        .env("TIEOUT_QUICKBOOKS_ENVIRONMENT", "simulator")
        .env("TIEOUT_XERO_CLIENT_ID", "tieout-xero")
        .env("TIEOUT_XERO_CLIENT_SECRET", secret)
        .env("TIEOUT_XERO_ENVIRONMENT", "simulator")
}
