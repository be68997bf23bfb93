//! Misbehaviour on demand, over HTTP: each of the ways in which providers are known to fail, and the journal that tells what happened.
mod answers;
mod books;
mod journal;
mod limits;
mod pages;
mod schedule;
mod tokens;

use jiff::Timestamp;
use jiff::civil::date;
use serde_json::{Value, json};
use simulator::books::generator::{CompanySpec, generate};
use simulator::books::{Books, DocumentId, Face, Kind};
use simulator::sandbox::Sandbox;
use simulator::server::{Options, serve};

const QUICKBOOKS_SCOPE: &str = "com.intuit.quickbooks.accounting openid";
const XERO_SCOPE: &str = "openid offline_access accounting.settings.read accounting.contacts.read accounting.transactions.read";
const REDIRECT: &str = "http://localhost:9000/callback";

fn now() -> Timestamp {
    "2025-06-15T12:00:00Z".parse().expect("a timestamp")
}

/// A running sandbox with a QuickBooks and a Xero company, and an app that is connected to both.
struct Running {
    sandbox: Sandbox,
    base: String,
    client: reqwest::Client,
    realm: String,
    tenant: String,
    quickbooks: Pair,
    xero: Pair,
}

#[derive(Clone, Default)]
struct Pair {
    access: String,
    refresh: String,
}

struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    /// Empty where the body broke off.
    text: String,
    broke: bool,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

fn books(face: Face) -> Books {
    generate(face, CompanySpec::plain(face, 41, date(2024, 10, 1), date(2025, 6, 14)), now())
}

async fn start() -> Running {
    start_with(vec![books(Face::QuickBooks), books(Face::Xero)]).await
}

async fn start_with(companies: Vec<Books>) -> Running {
    rustls::crypto::ring::default_provider().install_default().ok();
    let id = |face| companies.iter().find(|books| books.face == face).map(|books| books.id.clone()).unwrap_or_default();
    let (realm, tenant) = (id(Face::QuickBooks), id(Face::Xero));
    let sandbox = Options { limits_enforced: false, ..Options::default() }.sandbox(companies);
    sandbox.clock.freeze_at(now());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(serve(sandbox.clone(), listener, std::future::pending()));
    let client = reqwest::Client::builder().no_gzip().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let mut running = Running { sandbox, base, client, realm, tenant, quickbooks: Pair::default(), xero: Pair::default() };
    running.quickbooks = running.connect(Face::QuickBooks, QUICKBOOKS_SCOPE).await.expect("consent is given");
    running.xero = running.connect(Face::Xero, XERO_SCOPE).await.expect("consent is given");
    running
}

impl Running {
    /// The whole consent; an error is what the consent page or the token endpoint answered.
    async fn connect(&self, face: Face, scope: &str) -> Result<Pair, String> {
        let (path, client, company) = match face {
            Face::QuickBooks => ("/connect/oauth2", "tieout-quickbooks", &self.realm),
            Face::Xero => ("/identity/connect/authorize", "tieout-xero", &self.tenant),
        };
        let parameters = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", REDIRECT),
            ("scope", scope),
            ("state", "a-state"),
            ("auto", "approve"),
            ("company", company),
        ];
        let page = self.client.get(format!("{}{path}", self.base)).query(&parameters).send().await.expect("an answer");
        let location = page.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let target = url::Url::parse(&location.unwrap_or_else(|| format!("error:{}", page.status()))).expect("an address");
        let Some(code) = target.query_pairs().find(|(name, _)| name == "code").map(|(_, value)| value.into_owned()) else {
            return Err(target.to_string());
        };
        let answer = self.token(face, &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)]).await;
        pair(&answer).ok_or(answer.text)
    }

    async fn token(&self, face: Face, form: &[(&str, &str)]) -> Answer {
        let (path, client) = match face {
            Face::QuickBooks => ("/oauth2/v1/tokens/bearer", "tieout-quickbooks"),
            Face::Xero => ("/connect/token", "tieout-xero"),
        };
        let request = self.client.post(format!("{}{path}", self.base)).basic_auth(client, Some("sandbox-secret")).form(form);
        send(request).await
    }

    async fn refresh(&self, face: Face, token: &str) -> Answer {
        self.token(face, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn quickbooks(&self, path: &str) -> Answer {
        let url = format!("{}/v3/company/{}/{path}", self.base, self.realm);
        send(self.client.get(url).bearer_auth(&self.quickbooks.access).header("accept", "application/json")).await
    }

    async fn query(&self, statement: &str) -> Answer {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("query", statement).finish();
        self.quickbooks(&format!("query?{query}")).await
    }

    async fn rows(&self, entity: &str, rest: &str) -> Vec<Value> {
        let answer = self.query(&format!("SELECT * FROM {entity} {rest}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["QueryResponse"].get(entity).and_then(Value::as_array).cloned().unwrap_or_default()
    }

    async fn changes(&self, entities: &str) -> Answer {
        self.quickbooks(&format!("cdc?entities={entities}&changedSince=2025-06-01T00:00:00Z")).await
    }

    async fn xero(&self, path: &str) -> Answer {
        let request = self.client.get(format!("{}/api.xro/2.0/{path}", self.base)).bearer_auth(&self.xero.access);
        send(request.header("xero-tenant-id", &self.tenant).header("accept", "application/json")).await
    }

    async fn list(&self, name: &str, rest: &str) -> Vec<Value> {
        let answer = self.xero(&format!("{name}{rest}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()[name].as_array().cloned().unwrap_or_default()
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let answer = send(self.client.post(format!("{}/_control{path}", self.base)).body(body.to_string())).await;
        assert!((200..300).contains(&answer.status), "{path}: {}", answer.text);
        answer.json()
    }

    async fn look(&self, path: &str) -> Value {
        send(self.client.get(format!("{}/_control{path}", self.base))).await.json()
    }

    /// One fault for the next call whose path contains this.
    async fn fault(&self, path_contains: &str, fault: Value) {
        self.control("/faults", json!({"path_contains": path_contains, "fault": fault})).await;
    }

    async fn requests(&self, filter: &str) -> Vec<Value> {
        self.look(&format!("/requests{filter}")).await["requests"].as_array().expect("a list").clone()
    }

    /// An open invoice of the QuickBooks company.
    fn an_invoice(&self, face: Face) -> DocumentId {
        let company = if face == Face::Xero { &self.tenant } else { &self.realm };
        self.sandbox.read(|state| {
            let books = &state.companies[company];
            let open = books.documents.values().find(|d| d.kind == Kind::Invoice && books.amount_due(d.id) == books.total(d) && books.total(d).0 > 0);
            open.expect("an open invoice").id
        })
    }
}

fn pair(answer: &Answer) -> Option<Pair> {
    let body: Value = serde_json::from_str(&answer.text).ok()?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    Some(Pair { access: text("access_token")?, refresh: text("refresh_token")? })
}

async fn send(request: reqwest::RequestBuilder) -> Answer {
    match request.send().await {
        Ok(answer) => {
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            match answer.text().await {
                Ok(text) => Answer { status, headers, text, broke: false },
                Err(_) => Answer { status, headers, text: String::new(), broke: true },
            }
        }
        Err(error) => {
            assert!(!error.is_builder(), "{error}");
            Answer { status: 0, headers: Default::default(), text: String::new(), broke: true }
        }
    }
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["Id"].as_str().expect("an id").to_owned()).collect()
}
