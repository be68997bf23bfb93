//! A sandbox, a server over an own folder, and a person who visits the server without a browser: cookies by hand, one redirect at a time.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use testkit::{Finished, Launch, Program, free_port};
use url::Url;

/// Starting a program, or one call. The machine may be busy.
pub const SOON: Duration = Duration::from_secs(60);
/// A whole first sync.
pub const A_SYNC: Duration = Duration::from_secs(120);

/// One client for everything: no redirect is followed unseen, no connection outlives a server that is killed.
pub fn client() -> Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0).timeout(SOON);
    builder.build().expect("a client without special wishes can be made")
}

/// `tieout sandbox` as a child process.
pub struct Sandbox {
    _program: Program,
    pub url: String,
    client: Client,
}

impl Sandbox {
    pub fn start(arguments: &[&str]) -> Sandbox {
        let arguments = ["sandbox", "--listen", "127.0.0.1:0"].iter().chain(arguments).copied();
        let mut program = Launch::tieout(arguments).start();
        let line = program.wait_for_line("The sandbox is ready at ", SOON);
        let url = line.rsplit(' ').next().expect("a split text has a last part").to_owned();
        Sandbox { _program: program, url, client: client() }
    }

    /// Asks the control API; `path` is what follows `/_control/`.
    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self.client.request(method, format!("{}/_control/{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the sandbox answers");
        let status = answer.status();
        let text = answer.text().await.expect("the control API answers with text");
        assert!(status.is_success(), "the control API refused {path} ({status}): {text}");
        serde_json::from_str(&text).expect("the control API answers with JSON")
    }

    pub async fn reset_calls(&self) {
        self.control(Method::POST, "calls/reset", None).await;
    }

    /// The ids of its companies by face: `quickbooks` or `xero`.
    pub async fn companies(&self, face: &str) -> Vec<String> {
        let all = self.control(Method::GET, "companies", None).await;
        let companies = all["companies"].as_array().expect("a list of companies").iter();
        companies.filter(|company| company["face"] == face).map(|company| company["id"].as_str().expect("an id").to_owned()).collect()
    }
}

/// The settings of one installation: its folder, its port, its database, the sandbox it knows.
pub struct House {
    environment: BTreeMap<String, String>,
    pub port: u16,
}

impl House {
    /// An installation in `folder`, on SQLite unless `database` names another.
    pub fn new(folder: &Path, database: Option<&str>, sandbox: &Sandbox) -> House {
        let port = free_port();
        let mut environment = BTreeMap::new();
        let mut set = |name: &str, value: &str| environment.insert(name.to_owned(), value.to_owned());
        set("TIEOUT_LISTEN", &format!("127.0.0.1:{port}"));
        set("TIEOUT_DATA_DIR", &folder.to_string_lossy());
        set("TIEOUT_SIMULATOR_URL", &sandbox.url);
        // no busy machine loses it
        set("TIEOUT_LEASE_SECS", "30");
        for (prefix, id) in [("TIEOUT_QUICKBOOKS", "tieout-quickbooks"), ("TIEOUT_XERO", "tieout-xero")] {
            set(&format!("{prefix}_CLIENT_ID"), id);
            set(&format!("{prefix}_CLIENT_SECRET"), "sandbox-secret");
            set(&format!("{prefix}_ENVIRONMENT"), "simulator");
        }
        if let Some(database) = database {
            set("DATABASE_URL", database);
        }
        House { environment, port }
    }

    pub fn with(mut self, name: &str, value: &str) -> House {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn launch(&self, arguments: &[&str]) -> Launch {
        self.environment.iter().fold(Launch::tieout(arguments), |launch, (name, value)| launch.env(name, value))
    }

    /// `tieout serve`, as soon as it is ready.
    pub fn serve(&self, arguments: &[&str]) -> Program {
        ready(self.launch(&[&["serve"], arguments].concat()))
    }

    /// The same with another lease than usual.
    pub fn serve_with_lease(&self, lease: Duration) -> Program {
        ready(self.launch(&["serve"]).env("TIEOUT_LEASE_SECS", lease.as_secs().to_string()))
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.launch(arguments).run(A_SYNC)
    }

    /// Runs a command whose output is JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let finished = self.run(arguments);
        serde_json::from_str(&finished.stdout)
            .unwrap_or_else(|error| panic!("`tieout {}` printed no JSON ({error}): {}{}", arguments.join(" "), finished.stdout, finished.stderr))
    }

    /// `tieout status --json`.
    pub fn status(&self) -> Vec<Value> {
        self.json(&["status", "--json"]).as_array().expect("the status is a list").clone()
    }

    /// Waits until every company has ended its sync, and returns their status.
    pub async fn wait_until_synced(&self, within: Duration) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let companies = self.status();
            if !companies.is_empty() && companies.iter().all(|company| company["status"] == "Synced") {
                return companies;
            }
            assert!(began.elapsed() < within, "not synced within {} s: {companies:#?}", within.as_secs());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// The Owner, made with the link that `serve` printed.
    pub async fn owner(&self, serve: &mut Program) -> Visitor {
        let line = serve.wait_for_line("create the Owner with this link", SOON);
        let link = line.rsplit(' ').next().expect("a split text has a last part");
        let mut visitor = Visitor { client: client(), origin: format!("http://localhost:{}", self.port), cookies: BTreeMap::new() };
        assert_eq!(visitor.get(link).await.status(), StatusCode::OK, "the setup link shows its form");
        let form = [("organization", "Birchwood"), ("name", "Ada Owner"), ("email", "ada@birchwood.example"), ("password", "correct horse battery")];
        let (status, location) = visitor.post(link, &form).await;
        assert_eq!((status, location.as_str()), (StatusCode::SEE_OTHER, "/welcome"), "the Owner is signed in");
        visitor
    }
}

/// A person with a session.
pub struct Visitor {
    client: Client,
    origin: String,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    pub async fn get(&mut self, address: &str) -> Response {
        self.send(Method::GET, address, &[]).await
    }

    /// Sends a form as a page of the site would: status and where it leads.
    pub async fn post(&mut self, address: &str, form: &[(&str, &str)]) -> (StatusCode, String) {
        let answer = self.send(Method::POST, address, form).await;
        let location = location(&answer).unwrap_or_default();
        if answer.status().is_redirection() {
            return (answer.status(), location);
        }
        let status = answer.status();
        panic!("POST {address} answered {status}: {}", answer.text().await.unwrap_or_default());
    }

    /// Sends a form that is answered with a page.
    pub async fn post_page(&mut self, address: &str, form: &[(&str, &str)]) -> String {
        let answer = self.send(Method::POST, address, form).await;
        assert_eq!(answer.status(), StatusCode::OK, "POST {address}");
        answer.text().await.expect("a page is text")
    }

    async fn send(&mut self, method: Method, address: &str, form: &[(&str, &str)]) -> Response {
        let url = Url::parse(&self.origin).and_then(|origin| origin.join(address)).expect("an address of the site");
        let is_own = url.origin().ascii_serialization() == self.origin;
        let mut request = self.client.request(method.clone(), url);
        if is_own {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        if method == Method::POST {
            request = request.header(ORIGIN, &self.origin).form(form);
        }
        let answer = request.send().await.unwrap_or_else(|error| panic!("{method} {address} was not answered: {error}"));
        if is_own {
            for cookie in answer.headers().get_all(SET_COOKIE) {
                let pair = cookie.to_str().expect("cookies are text").split(';').next().unwrap_or_default();
                let (name, value) = pair.split_once('=').expect("a cookie is a pair");
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Connects an account as a browser would, except that the consent page is told to approve. Returns the path of the account's page.
    pub async fn connect(&mut self, provider: &str, companies: &[String]) -> String {
        let (_, authorize) = self.post(&format!("/integrations/connect/{provider}"), &[]).await;
        let mut authorize = Url::parse(&authorize).unwrap_or_else(|error| panic!("`{authorize}` is no consent page: {error}"));
        authorize.query_pairs_mut().append_pair("auto", "approve");
        if !companies.is_empty() {
            authorize.query_pairs_mut().append_pair("company", &companies.join(","));
        }
        let consent = self.get(authorize.as_str()).await;
        let callback = match location(&consent) {
            Some(callback) => callback,
            None => panic!("the consent page did not approve: {}", consent.text().await.unwrap_or_default()),
        };
        assert!(callback.starts_with(&format!("{}/oauth/{provider}/callback?", self.origin)), "{callback}");
        let answer = self.get(&callback).await;
        let result = location(&answer).expect("the callback leads on");
        assert!(answer.text().await.expect("a body").is_empty(), "the callback shows no page");
        let shown = self.get(&result).await;
        let account = match location(&shown) {
            Some(account) => account,
            None => panic!("the account was not connected: {}", shown.text().await.unwrap_or_default()),
        };
        account.strip_suffix("/setup").unwrap_or_else(|| panic!("`{account}` is not the page after connecting")).to_owned()
    }

    /// Connects an account and imports every company it sees.
    pub async fn connect_and_import(&mut self, provider: &str, companies: &[String]) {
        let account = self.connect(provider, companies).await;
        let (_, location) = self.post(&format!("{account}/import"), &[]).await;
        let id = account.rsplit('/').next().expect("the address ends with the account's id");
        assert_eq!(location, format!("/integrations/data-feed?account={id}"));
    }
}

fn ready(launch: Launch) -> Program {
    let mut program = launch.start();
    program.wait_for_line("Tieout is ready at ", SOON);
    program
}

fn location(answer: &Response) -> Option<String> {
    Some(answer.headers().get(LOCATION)?.to_str().expect("an address is text").to_owned())
}
