//! A sandbox of its own for each test, and a gate with the tokens of one consent.
use async_trait::async_trait;
use domain::clock::{Clock, SystemClock};
use domain::connection::Environment;
use domain::data_type::DataType;
use domain::record::RawRecord;
use domain::sync::Checkpoint;
use jiff::Timestamp;
use jiff::civil::Date;
use providers::error::{Call, ProviderError};
use providers::oauth::{Callback, Grant, Secret, random_text};
use providers::provider::{Books as Company, CallGate, Chunk, Cost, Next, Provider};
use providers::registry::Settings;
use providers::xero::Xero;
use serde_json::{Value, json};
use simulator::books::generator::{CompanySpec, SecondCurrency, generate};
use simulator::books::{Books, Face};
use simulator::money::Rate;
use simulator::sandbox::Sandbox;
use simulator::server;
use std::sync::{Arc, Mutex};

pub const REDIRECT: &str = "http://localhost:7070/oauth/xero/callback";

/// Runs a sandbox and talks to it as the server would.
pub struct Desk {
    pub sandbox: Sandbox,
    pub address: url::Url,
    pub xero: Arc<Xero>,
    pub web: reqwest::Client,
}

impl Desk {
    pub async fn open(companies: Vec<Books>) -> Desk {
        let sandbox = server::Options { limits_enforced: false, ..server::Options::default() }.sandbox(companies);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = url::Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(server::serve(sandbox.clone(), listener, std::future::pending()));
        let xero = Xero::new(settings(&address, "tieout-xero", "sandbox-secret", true), Arc::new(SystemClock)).unwrap();
        let web = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Desk { sandbox, address, xero: Arc::new(xero), web }
    }

    /// Gives the consent of `query` (`auto=approve`, `company=…`) and comes back with what the callback would carry.
    pub async fn consent(&self, xero: &Xero, verifier: &Secret, query: &str) -> Callback {
        let state = random_text();
        let url = format!("{}&{query}", xero.authorize_url(&state, REDIRECT, verifier));
        let answer = self.web.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
        let back = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let value = |name: &str| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!(value("state").as_deref(), Some(state.expose()));
        Callback { code: value("code"), realm_id: None, error: value("error") }
    }

    pub async fn connect(&self, query: &str) -> (Grant, Gate) {
        let verifier = random_text();
        let callback = self.consent(&self.xero, &verifier, query).await;
        let grant = self.xero.exchange(&callback, REDIRECT, &verifier).await.unwrap();
        let gate = Gate::new(self.xero.clone(), &grant);
        (grant, gate)
    }

    /// POST to the sandbox's control API.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let answer = self.web.post(self.address.join(&format!("/_control/{path}")).unwrap()).body(body.to_string()).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }
    pub async fn look(&self, path: &str) -> Value {
        let answer = self.web.get(self.address.join(&format!("/_control/{path}")).unwrap()).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}");
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }
    pub async fn fault(&self, path_contains: &str, times: u32, fault: Value) {
        self.control("faults", json!({"face": "xero", "path_contains": path_contains, "times": times, "fault": fault})).await;
    }
    /// Calls of one kind since the last reset, `GET Invoices`.
    pub fn calls(&self, call: &str) -> u64 {
        self.sandbox.read(|state| state.calls.get(&format!("xero {call}")).copied().unwrap_or(0))
    }
}

pub fn settings(address: &url::Url, client_id: &str, client_secret: &str, journals: bool) -> Settings {
    Settings {
        client_id: client_id.into(),
        client_secret: Secret::new(client_secret),
        environment: Environment::Simulator,
        simulator_url: Some(address.clone()),
        journals,
    }
}

pub fn now() -> Timestamp {
    SystemClock.now()
}

pub fn today() -> Date {
    now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// A year of books up to today.
pub fn books(seed: u64, change: impl FnOnce(&mut CompanySpec)) -> Books {
    let from = today().saturating_sub(jiff::Span::new().months(14)).first_of_month();
    let mut spec = CompanySpec::plain(Face::Xero, seed, from, today());
    change(&mut spec);
    generate(Face::Xero, spec, now())
}

pub fn two_currencies(spec: &mut CompanySpec) {
    spec.second_currency = Some(SecondCurrency { code: "USD".into(), rate: Rate(1_645_000) });
}

/// Holds the tokens of one consent, renews them as the engine would, and remembers the calls.
pub struct Gate {
    xero: Arc<Xero>,
    tokens: Mutex<(Secret, Secret)>,
    pub renewals: Mutex<u32>,
    pub answered: Mutex<Vec<Call>>,
}

impl Gate {
    pub fn new(xero: Arc<Xero>, grant: &Grant) -> Gate {
        let tokens = Mutex::new((grant.tokens.access.clone(), grant.tokens.refresh.clone()));
        Gate { xero, tokens, renewals: Mutex::new(0), answered: Mutex::new(Vec::new()) }
    }
    pub fn refresh_token(&self) -> Secret {
        self.tokens.lock().unwrap().1.clone()
    }
    pub fn calls(&self) -> Vec<String> {
        self.answered.lock().unwrap().iter().map(|call| call.endpoint.clone()).collect()
    }
}

#[async_trait]
impl CallGate for Gate {
    async fn admit(&self, _endpoint: &str) -> Result<(), ProviderError> {
        Ok(())
    }
    async fn token(&self, refused: Option<&Secret>) -> Result<Secret, ProviderError> {
        let (access, refresh) = self.tokens.lock().unwrap().clone();
        if refused != Some(&access) {
            return Ok(access);
        }
        *self.renewals.lock().unwrap() += 1;
        let pair = self.xero.refresh(&refresh).await?;
        *self.tokens.lock().unwrap() = (pair.access.clone(), pair.refresh);
        Ok(pair.access)
    }
    fn answered(&self, call: &Call, _cost: Cost) {
        self.answered.lock().unwrap().push(call.clone());
    }
}

/// Every record of one data type, in the order they came.
pub async fn fetch_all(xero: &Xero, company: &Company<'_>, data_type: DataType) -> Vec<RawRecord> {
    let mut records = Vec::new();
    let mut from: Option<Checkpoint> = None;
    loop {
        let Chunk { records: page, unreadable, next, .. } = xero.fetch(company, data_type, from.as_ref()).await.unwrap();
        assert!(unreadable.is_empty());
        records.extend(page);
        match next {
            Next::More(checkpoint) => from = Some(checkpoint),
            Next::UpToDate => return records,
        }
    }
}

/// Every chunk of the changes since an instant.
pub async fn all_changes(xero: &Xero, company: &Company<'_>, since: Timestamp) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut from: Option<Checkpoint> = None;
    loop {
        let chunk = xero.changes(company, since, true, from.as_ref()).await.unwrap();
        let next = chunk.next.clone();
        chunks.push(chunk);
        match next {
            Next::More(checkpoint) => from = Some(checkpoint),
            Next::UpToDate => return chunks,
        }
    }
}
