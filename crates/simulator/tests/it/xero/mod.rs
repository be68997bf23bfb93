//! The Xero face over HTTP, fact by fact: the numbers are those of providers/xero.md section 11.
mod advances;
mod entities;
mod expenses;
mod generics;
mod journals;
mod ledger;
mod oauth;
mod reports;
mod tiers;
mod tracking;
mod writes;

use jiff::Timestamp;
use jiff::civil::date;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use simulator::books::generator::{CompanySpec, SecondCurrency, generate};
use simulator::books::{Books, DocumentId, Face, Kind};
use simulator::money::{Cents, Rate};
use simulator::oauth::{Access, XeroConnection};
use simulator::sandbox::Sandbox;

/// The present of every test.
const NOW: &str = "2026-06-15T02:00:00Z";
const ALL_SCOPES: &str = "openid profile email offline_access accounting.settings.read accounting.contacts.read accounting.transactions.read \
                          accounting.reports.read accounting.journals.read";
const CLIENT: &str = "tieout-xero";
const TOKEN: &str = "token-of-the-test";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn company(seed: u64, second_currency: bool) -> Books {
    let mut spec = CompanySpec::plain(Face::Xero, seed, date(2024, 10, 1), date(2026, 6, 10));
    spec.second_currency = second_currency.then(|| SecondCurrency { code: "USD".into(), rate: Rate(1_640_000) });
    generate(Face::Xero, spec, now())
}

/// A sandbox listening on a port of its own, with a token and a connection to its first company.
struct Served {
    base: String,
    sandbox: Sandbox,
    client: Client,
    tenant: String,
}

impl Served {
    async fn with(companies: Vec<Books>) -> Served {
        rustls::crypto::ring::default_provider().install_default().ok();
        let tenant = companies[0].id.clone();
        let sandbox = Sandbox::new(companies);
        sandbox.clock.freeze_at(now());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = simulator::xero::router(sandbox.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let served = Served { base, sandbox, client, tenant };
        served.sandbox.write(|state| state.limits.enforced = false);
        served.admit(TOKEN, ALL_SCOPES);
        served
    }

    async fn plain() -> Served {
        Served::with(vec![company(7, false)]).await
    }

    /// Gives out a token without the OAuth dance; `oauth.rs` tests that.
    fn admit(&self, token: &str, scope: &str) {
        self.sandbox.write(|state| {
            let user_id = state.users[0].id.clone();
            state.grants.access.insert(
                token.into(),
                Access {
                    face: Face::Xero,
                    client_id: CLIENT.into(),
                    user_id: user_id.clone(),
                    companies: vec![self.tenant.clone()],
                    scope: scope.into(),
                    auth_event_id: "7e2f9c1e-0000-4000-8000-000000000001".into(),
                    family: "family-of-the-test".into(),
                    expires_at: now() + jiff::SignedDuration::from_mins(30),
                    revoked: false,
                },
            );
            if state.grants.xero_connections.is_empty() {
                state.grants.xero_connections.push(XeroConnection {
                    id: "c0ffee00-0000-4000-8000-000000000001".into(),
                    auth_event_id: "7e2f9c1e-0000-4000-8000-000000000001".into(),
                    user_id,
                    client_id: CLIENT.into(),
                    tenant_id: self.tenant.clone(),
                    created_at: now(),
                    updated_at: now(),
                });
            }
        });
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("xero-tenant-id", &self.tenant)
            .header("accept", "application/json")
    }

    async fn call(&self, path: &str) -> Response {
        self.request(Method::GET, &format!("/api.xro/2.0/{path}")).send().await.unwrap()
    }

    /// A good answer's JSON.
    async fn json(&self, path: &str) -> Value {
        let response = self.call(path).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn list(&self, key: &str, path: &str) -> Vec<Value> {
        self.json(path).await[key].as_array().unwrap().clone()
    }

    /// A refused call's status and body.
    async fn refused(&self, path: &str) -> (u16, String) {
        let response = self.call(path).await;
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Every page of a list.
    async fn all(&self, key: &str, path: &str) -> Vec<Value> {
        let (mut found, joint) = (Vec::new(), if path.contains('?') { '&' } else { '?' });
        for page in 1.. {
            let answer = self.json(&format!("{path}{joint}page={page}&pageSize=1000")).await;
            found.extend(answer[key].as_array().unwrap().iter().cloned());
            if page >= answer["pagination"]["pageCount"].as_u64().unwrap() {
                return found;
            }
        }
        unreachable!("pages end")
    }

    fn books<T>(&self, look: impl FnOnce(&Books) -> T) -> T {
        self.sandbox.read(|state| look(&state.companies[&self.tenant]))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Books, Timestamp) -> T) -> T {
        let now = self.sandbox.clock.now();
        self.sandbox.write(|state| change(state.companies.get_mut(&self.tenant).unwrap(), now))
    }

    /// The first document of these kinds that passes.
    fn find(&self, kinds: &[Kind], wanted: impl Fn(&Books, DocumentId) -> bool) -> DocumentId {
        self.books(|books| {
            let of_kind = books.documents.values().filter(|document| kinds.contains(&document.kind));
            of_kind.map(|document| document.id).find(|id| wanted(books, *id)).expect("the generated books have such a document")
        })
    }

    fn guid(&self, word: &str, id: DocumentId) -> String {
        self.books(|books| books.guid(word, id))
    }
}

/// An amount in an answer, as exact cents: numbers keep two decimals on the wire.
fn cents(value: &Value) -> Cents {
    let text = value.as_str().map(str::to_string).unwrap_or_else(|| value.to_string());
    Cents::parse(&text).unwrap_or_else(|| panic!("not an amount: {value}"))
}
