//! The QuickBooks client against the sandbox over real HTTP: connect, full, incremental, deleted, limits, expired and revoked access, bad
//! answers, balances that tie out.
mod access;
mod ledger;
mod oddities;
mod records;

use domain::clock::{Clock, ManualClock};
use domain::connection::Environment;
use domain::data_type::DataType;
use domain::document::{AccountClass, Document};
use domain::record::RawRecord;
use jiff::Timestamp;
use jiff::civil::date;
use providers::error::Call;
use providers::oauth::{Callback, Grant, Secret, TokenPair, random_text};
use providers::provider::{Books, CallGate, Chunk, Cost, FiscalYear, Next};
use providers::quickbooks::QuickBooks;
use providers::registry::Settings;
use providers::{Provider, ProviderError};
use serde_json::Value;
use simulator::books::generator::{CompanySpec, generate};
use simulator::books::{AccountType, Face};
use simulator::sandbox::Sandbox;
use simulator::server::Options;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Mutex;
use url::Url;

pub const SHOP: &str = "9341000000000001";
const REDIRECT: &str = "http://localhost:8080/callback/quickbooks";

pub fn now() -> Timestamp {
    "2025-06-15T18:00:00Z".parse().unwrap()
}

/// A small company whose every record a test knows.
pub fn shop() -> simulator::books::Books {
    let at: Timestamp = "2025-05-01T12:00:00Z".parse().unwrap();
    let mut books = simulator::books::Books::new(Face::QuickBooks, SHOP, "Corner Shop", "US", "USD", "America/Los_Angeles", 1, 7, at);
    books.add_account("Checking", "1000", AccountType::Bank, None, None, at);
    books.add_account("Accounts Receivable (A/R)", "1200", AccountType::Receivable, None, None, at);
    books.add_account("Accounts Payable (A/P)", "2000", AccountType::Payable, None, None, at);
    books.add_account("Retained Earnings", "3900", AccountType::RetainedEarnings, None, None, at);
    books.add_account("Sales", "4000", AccountType::Income, None, None, at);
    books.add_account("Rent", "6000", AccountType::Expense, None, None, at);
    books.add_contact("Amy's Bird Sanctuary", "amy@birds.example", true, false, None, at);
    books.add_contact("Landlord", "", false, true, None, at);
    books
}

/// A company of two and a half years with voided, deleted, inactive and foreign records.
pub fn made_up(seed: u64, second_currency: bool) -> simulator::books::Books {
    let mut spec = CompanySpec::plain(Face::QuickBooks, seed, date(2023, 1, 1), date(2025, 6, 10));
    if second_currency {
        let rate = simulator::money::Rate(1_100_000);
        spec.second_currency = Some(simulator::books::generator::SecondCurrency { code: "EUR".into(), rate });
    }
    generate(Face::QuickBooks, spec, now())
}

/// A running sandbox and our client of it.
pub struct World {
    pub provider: QuickBooks,
    pub clock: ManualClock,
    base: Url,
    http: reqwest::Client,
}

impl World {
    pub async fn start(companies: Vec<simulator::books::Books>) -> World {
        World::start_with(companies, false).await
    }

    pub async fn start_with(companies: Vec<simulator::books::Books>, limits_enforced: bool) -> World {
        let options = Options { limits_enforced, ..Options::default() };
        let sandbox: Sandbox = options.sandbox(companies);
        sandbox.clock.freeze_at(now());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(simulator::server::serve(sandbox, listener, std::future::pending()));
        let clock = ManualClock::at(now().as_millisecond());
        let provider = QuickBooks::new(settings(&base, "sandbox-secret"), Arc::new(clock.clone())).unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        World { provider, clock, base, http }
    }

    pub fn provider_with_secret(&self, secret: &str) -> QuickBooks {
        QuickBooks::new(settings(&self.base, secret), Arc::new(self.clock.clone())).unwrap()
    }

    /// What the browser of a person who consents brings back.
    pub async fn consent(&self, extra: &[(&str, &str)]) -> (Callback, Option<String>) {
        let state = random_text();
        let mut url: Url = self.provider.authorize_url(&state, REDIRECT, &random_text()).parse().unwrap();
        url.query_pairs_mut().extend_pairs(extra);
        let response = self.http.get(url).send().await.unwrap();
        let target: Url = response.headers()["location"].to_str().unwrap().parse().unwrap();
        let find = |name: &str| target.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!(find("state").as_deref(), Some(state.expose()));
        (Callback { code: find("code"), realm_id: find("realmId"), error: find("error") }, find("state"))
    }

    pub async fn grant(&self, realm: &str) -> Grant {
        let (callback, _) = self.consent(&[("auto", "approve"), ("company", realm)]).await;
        self.provider.exchange(&callback, REDIRECT, &random_text()).await.unwrap()
    }

    pub async fn connect(&self, realm: &str) -> Gate<'_> {
        let grant = self.grant(realm).await;
        Gate {
            provider: &self.provider,
            company: realm.to_owned(),
            pair: Mutex::new(grant.tokens),
            refreshes: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
        }
    }

    /// A call of the sandbox's control API.
    pub async fn control(&self, path: &str, body: Option<Value>) -> Value {
        let url = self.base.join(&format!("/_control/{path}")).unwrap();
        let request = match body {
            Some(body) => self.http.post(url).body(body.to_string()),
            None => self.http.get(url),
        };
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub async fn advance(&self, seconds: i64) {
        self.control("clock", Some(serde_json::json!({"advance_secs": seconds}))).await;
        self.clock.advance_ms(seconds * 1_000);
    }

    pub async fn fault(&self, fault: Value) {
        self.control("faults", Some(fault)).await;
    }

    pub async fn add(&self, realm: &str, document: Value) -> Value {
        self.control(&format!("companies/{realm}/documents"), Some(document)).await
    }
}

fn settings(base: &Url, secret: &str) -> Settings {
    Settings {
        client_id: "tieout-quickbooks".into(),
        client_secret: Secret::new(secret),
        environment: Environment::Simulator,
        simulator_url: Some(base.clone()),
        journals: false,
    }
}

/// Admits every call and renews the token the way the engine does: once for one refusal.
pub struct Gate<'w> {
    provider: &'w QuickBooks,
    company: String,
    pair: Mutex<TokenPair>,
    pub refreshes: AtomicUsize,
    pub calls: AtomicUsize,
}

#[async_trait::async_trait]
impl CallGate for Gate<'_> {
    async fn admit(&self, _endpoint: &str) -> Result<(), ProviderError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
    async fn token(&self, refused: Option<&Secret>) -> Result<Secret, ProviderError> {
        let mut pair = self.pair.lock().await;
        if refused == Some(&pair.access) {
            *pair = self.provider.refresh(&pair.refresh).await?;
            self.refreshes.fetch_add(1, Ordering::SeqCst);
        }
        Ok(pair.access.clone())
    }
    fn answered(&self, _call: &Call, _cost: Cost) {}
}

impl Gate<'_> {
    pub fn books(&self) -> Books<'_> {
        Books { company: &self.company, gate: self }
    }
    pub async fn refresh_token(&self) -> Secret {
        self.pair.lock().await.refresh.clone()
    }
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// All pages of one type.
    pub async fn list(&self, data_type: DataType) -> Vec<RawRecord> {
        let mut records = Vec::new();
        let mut from = None;
        loop {
            let Chunk { records: page, unreadable, next, .. } = self.provider.fetch(&self.books(), data_type, from.as_ref()).await.unwrap();
            assert!(unreadable.is_empty(), "{unreadable:?}");
            records.extend(page);
            match next {
                Next::More(checkpoint) => from = Some(checkpoint),
                Next::UpToDate => return records,
            }
        }
    }

    pub async fn documents(&self, data_type: DataType) -> Vec<Document> {
        self.list(data_type).await.iter().map(|record| self.provider.normalize(record).unwrap_or_else(|unreadable| panic!("{unreadable}"))).collect()
    }

    pub async fn chart(&self) -> Chart {
        Chart(self.documents(DataType::Account).await)
    }
}

/// The chart of accounts as the engine knows it.
pub struct Chart(pub Vec<Document>);

impl domain::statements::trial_balance::Chart for Chart {
    fn class(&self, account_id: &str) -> Option<AccountClass> {
        self.0.iter().find(|document| document.id == account_id).and_then(|document| document.account.as_ref()).map(|account| account.class)
    }
    fn retained_earnings(&self) -> Option<&str> {
        self.0
            .iter()
            .find(|document| document.account.as_ref().is_some_and(|account| account.is_retained_earnings))
            .map(|document| document.id.as_str())
    }
}

impl Chart {
    pub fn fiscal_year(&self) -> FiscalYear {
        let is_debit = |class| matches!(class, AccountClass::Asset | AccountClass::Expense);
        FiscalYear {
            start_month: 1,
            debit_normal: self.0.iter().filter_map(|document| Some((document.id.clone(), is_debit(document.account.as_ref()?.class)))).collect(),
            account_ids_by_name: self.0.iter().filter_map(|document| Some((document.name.clone()?, document.id.clone()))).collect(),
        }
    }
}

/// Records by id of the control API's truth, of one type.
pub fn truth_of(truth: &Value, data_type: DataType) -> BTreeMap<String, String> {
    let records = truth["records"].as_array().unwrap().iter().filter(|record| record["type"] == data_type.as_str());
    records.map(|record| (record["id"].as_str().unwrap().to_owned(), record["state"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn the_clock_of_the_tests_is_the_one_they_say() {
    assert_eq!(ManualClock::at(now().as_millisecond()).now(), now());
}
