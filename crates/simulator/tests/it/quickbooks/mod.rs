//! The QuickBooks face over HTTP, fact by fact of the provider contract's list of conformance facts.
mod access;
mod changes;
mod filters;
mod forms;
mod lists;
mod more_reports;
mod oauth;
mod preferences;
mod query;
mod records;
mod reports;
mod stock;
mod writes;

use jiff::Timestamp;
use jiff::civil::date;
use reqwest::header::HeaderMap;
use serde_json::Value;
use simulator::books::generator::{CompanySpec, SecondCurrency, generate};
use simulator::books::{AccountId, AccountType, Books, Face, Kind, NewDocument, NewLine};
use simulator::money::{Cents, Rate};
use simulator::sandbox::Sandbox;

pub const SCOPE: &str = "com.intuit.quickbooks.accounting openid profile email";
pub const REDIRECT: &str = "http://localhost:8080/callback";

pub fn now() -> Timestamp {
    "2025-06-15T18:00:00Z".parse().expect("a timestamp")
}

pub fn made_up(seed: u64) -> Books {
    generate(Face::QuickBooks, CompanySpec::plain(Face::QuickBooks, seed, date(2023, 10, 1), date(2025, 6, 10)), now())
}

/// A company that also trades in euros.
pub fn with_euros(seed: u64) -> Books {
    let mut spec = CompanySpec::plain(Face::QuickBooks, seed, date(2023, 10, 1), date(2025, 6, 10));
    spec.second_currency = Some(SecondCurrency { code: "EUR".into(), rate: Rate(1_100_000) });
    spec.fiscal_year_start_month = 7;
    generate(Face::QuickBooks, spec, now())
}

/// A small company whose every record a test knows.
pub struct Shop {
    pub books: Books,
    pub bank: AccountId,
    pub sales: AccountId,
    pub rent: AccountId,
    pub customer: u64,
    pub vendor: u64,
}

pub const SHOP: &str = "9341000000000001";

pub fn shop() -> Shop {
    let at: Timestamp = "2025-06-01T12:00:00Z".parse().expect("a timestamp");
    let mut books = Books::new(Face::QuickBooks, SHOP, "Corner Shop", "US", "USD", "America/Los_Angeles", 1, 7, at);
    let bank = books.add_account("Checking", "1000", AccountType::Bank, None, None, at);
    books.add_account("Accounts Receivable (A/R)", "1200", AccountType::Receivable, None, None, at);
    books.add_account("Accounts Payable (A/P)", "2000", AccountType::Payable, None, None, at);
    books.add_account("Retained Earnings", "3900", AccountType::RetainedEarnings, None, None, at);
    let sales = books.add_account("Sales", "4000", AccountType::Income, None, None, at);
    let rent = books.add_account("Rent", "6000", AccountType::Expense, None, None, at);
    let customer = books.add_contact("Amy's Bird Sanctuary", "amy@birds.example", true, false, None, at);
    let vendor = books.add_contact("Landlord", "", false, true, None, at);
    Shop { books, bank, sales, rent, customer, vendor }
}

impl Shop {
    pub fn invoice(&self, day: jiff::civil::Date, cents: i64) -> NewDocument {
        NewDocument {
            contact: Some(self.customer),
            lines: vec![NewLine::new(self.sales, Cents(cents), "Goods")],
            ..NewDocument::new(Kind::Invoice, day)
        }
    }
    pub fn bill(&self, day: jiff::civil::Date, cents: i64) -> NewDocument {
        NewDocument { contact: Some(self.vendor), lines: vec![NewLine::new(self.rent, Cents(cents), "Rent")], ..NewDocument::new(Kind::Bill, day) }
    }
}

/// A running sandbox and a browser that follows no redirects.
pub struct Running {
    pub sandbox: Sandbox,
    pub base: String,
    pub http: reqwest::Client,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a text header"))
    }
    /// The code of a fault in either form.
    pub fn code(&self) -> String {
        let body = self.json();
        let error = body.pointer("/Fault/Error/0").or_else(|| body.pointer("/fault/error/0"));
        error.and_then(|error| error["code"].as_str()).unwrap_or_default().to_owned()
    }
    pub fn detail(&self) -> String {
        let body = self.json();
        let detail = body.pointer("/Fault/Error/0/Detail").or_else(|| body.pointer("/fault/error/0/detail"));
        detail.and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

pub async fn start(companies: Vec<Books>) -> Running {
    rustls::crypto::ring::default_provider().install_default().ok();
    let sandbox = Sandbox::new(companies);
    sandbox.clock.freeze_at(now());
    sandbox.write(|state| state.limits.enforced = false);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("a bound port"));
    let router = simulator::quickbooks::router(sandbox.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    Running { sandbox, base, http }
}

/// Tokens of one consent.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub realm: String,
    pub access: String,
    pub refresh: String,
    pub answer: Value,
}

impl Running {
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("the sandbox answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.expect("a text body") }
    }

    /// Where the authorize address redirects to.
    pub async fn authorize(&self, parameters: &[(&str, &str)]) -> Result<url::Url, Answer> {
        let standard =
            [("client_id", "tieout-quickbooks"), ("response_type", "code"), ("scope", SCOPE), ("redirect_uri", REDIRECT), ("state", "s t&1")];
        let mut query: Vec<(&str, &str)> = standard.into_iter().filter(|(name, _)| !parameters.iter().any(|(own, _)| own == name)).collect();
        query.extend(parameters.iter().filter(|(_, value)| !value.is_empty()));
        let answer = self.send(self.http.get(format!("{}/connect/oauth2", self.base)).query(&query)).await;
        if answer.status == 302 { Ok(answer.header("location").parse().expect("an address")) } else { Err(answer) }
    }

    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        let request = self.http.post(format!("{}/oauth2/v1/tokens/bearer", self.base)).basic_auth("tieout-quickbooks", Some("sandbox-secret"));
        self.send(request.form(form)).await
    }

    pub async fn code(&self, realm: &str) -> String {
        let target = self.authorize(&[("auto", "approve"), ("company", realm)]).await.unwrap_or_else(|answer| panic!("{}", answer.text));
        parameter(&target, "code").expect("a code")
    }

    pub async fn connect(&self, realm: &str) -> Tokens {
        let code = self.code(realm).await;
        let answer = self.token(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let answer = answer.json();
        let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
        Tokens { realm: realm.to_owned(), access: text("access_token"), refresh: text("refresh_token"), answer }
    }

    pub async fn get(&self, tokens: &Tokens, path: &str) -> Answer {
        let request = self.http.get(format!("{}/v3/company/{}/{path}", self.base, tokens.realm));
        self.send(request.bearer_auth(&tokens.access).header("accept", "application/json")).await
    }

    pub async fn query(&self, tokens: &Tokens, statement: &str) -> Answer {
        let request =
            self.http.get(format!("{}/v3/company/{}/query", self.base, tokens.realm)).query(&[("query", statement), ("minorversion", "75")]);
        self.send(request.bearer_auth(&tokens.access).header("accept", "application/json")).await
    }

    /// The rows of a query that must succeed.
    pub async fn rows(&self, tokens: &Tokens, entity: &str, rest: &str) -> Vec<Value> {
        let answer = self.query(tokens, &format!("SELECT * FROM {entity} {rest}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["QueryResponse"].get(entity).and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// Changes the books of a company as a person at QuickBooks would.
    pub fn change<T>(&self, realm: &str, change: impl FnOnce(&mut Books, Timestamp) -> T) -> T {
        let now = self.sandbox.clock.now();
        self.sandbox.write(|state| change(state.companies.get_mut(realm).expect("the company exists"), now))
    }

    pub fn advance(&self, seconds: i64) {
        self.sandbox.clock.advance_ms(seconds * 1000);
    }
}

pub fn parameter(target: &url::Url, name: &str) -> Option<String> {
    target.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

pub fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["Id"].as_str().expect("an id").to_owned()).collect()
}

/// An amount as exact cents, from a JSON number or a report's cell.
pub fn cents(value: &Value) -> Cents {
    let text = match value {
        Value::String(text) if text.is_empty() => "0".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Cents::parse(&text).unwrap_or_else(|| panic!("{text} is not an amount"))
}

impl Running {
    /// Sends a record (or a batch) to a path below the company.
    pub async fn post(&self, tokens: &Tokens, path: &str, body: &Value) -> Answer {
        let request = self.http.post(format!("{}/v3/company/{}/{path}", self.base, tokens.realm));
        let request = request.bearer_auth(&tokens.access).header("accept", "application/json").header("content-type", "application/json");
        self.send(request.body(body.to_string())).await
    }

    /// Saves a record that must be accepted, and gives it as it is answered.
    pub async fn save(&self, tokens: &Tokens, entity: &str, body: Value) -> Value {
        let answer = self.post(tokens, &entity.to_lowercase(), &body).await;
        assert_eq!(answer.status, 200, "{entity} {body}: {}", answer.text);
        let key = if entity == "CreditCardPayment" { "CreditCardPaymentTxn" } else { entity };
        answer.json()[key].clone()
    }
}
