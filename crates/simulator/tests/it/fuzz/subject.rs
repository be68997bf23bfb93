//! The sandbox under fire: small companies of both providers, tokens that open everything, and the requests sent to its router from inside.
use super::shot::Shot;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use futures::FutureExt;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use simulator::books::generator::{CompanySpec, SecondCurrency, generate};
use simulator::books::{Basis, Books, Face, journal_csv};
use simulator::money::{Cents, Rate};
use simulator::oauth::{Access, XeroConnection};
use simulator::sandbox::Sandbox;
use simulator::server::Options;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::ServiceExt;

pub const CLIENTS: [(Face, &str); 2] = [(Face::QuickBooks, "tieout-quickbooks"), (Face::Xero, "tieout-xero")];
const SCOPES: &str = "com.intuit.quickbooks.accounting openid profile email offline_access accounting.settings accounting.contacts accounting.transactions \
                      accounting.attachments accounting.reports.read accounting.reports.taxreports.read accounting.journals.read \
                      accounting.budgets.read paymentservices";
/// A connection that says nothing for so long hangs.
const SILENT: Duration = Duration::from_secs(60);

pub fn now() -> Timestamp {
    "2025-06-15T12:00:00Z".parse().expect("a timestamp")
}

/// Small, but with every kind of record and a second currency.
pub fn companies() -> Vec<Books> {
    let company = |face, seed| {
        let mut spec = CompanySpec::plain(face, seed, date(2024, 11, 1), date(2025, 6, 10));
        spec.documents_per_month = 12;
        spec.second_currency = Some(SecondCurrency { code: "EUR".into(), rate: Rate(1_100_000) });
        generate(face, spec, now())
    };
    vec![company(Face::QuickBooks, 1), company(Face::Xero, 2)]
}

pub struct Subject {
    pub sandbox: Sandbox,
    router: Router,
    pub realm: String,
    pub tenant: String,
    /// How many journals of each company were looked at.
    looked_at: BTreeMap<String, usize>,
}

pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub location: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl Subject {
    pub fn new(companies: &[Books]) -> Subject {
        let options = Options { limits_enforced: false, ..Options::default() };
        let sandbox = options.sandbox(companies.to_vec());
        sandbox.clock.freeze_at(now());
        let id = |face| companies.iter().find(|books| books.face == face).map(|books| books.id.clone()).expect("a company of each provider");
        let (realm, tenant) = (id(Face::QuickBooks), id(Face::Xero));
        let subject = Subject { router: simulator::server::router(sandbox.clone()), sandbox, realm, tenant, looked_at: BTreeMap::new() };
        subject.admit();
        subject
    }

    /// Consent is a target of its own; the others need a token that is always the same.
    pub fn admit(&self) {
        self.sandbox.write(|state| {
            let user_id = state.users[0].id.clone();
            for (face, client_id) in CLIENTS {
                let company = if face == Face::Xero { &self.tenant } else { &self.realm };
                let access = Access {
                    face,
                    client_id: client_id.into(),
                    user_id: user_id.clone(),
                    companies: vec![company.clone()],
                    scope: SCOPES.into(),
                    auth_event_id: "event".into(),
                    family: "family".into(),
                    expires_at: now() + SignedDuration::from_hours(1),
                    revoked: false,
                };
                state.grants.access.insert(client_id.into(), access);
            }
            state.grants.xero_connections.retain(|connection| connection.id != "connection");
            state.grants.xero_connections.push(XeroConnection {
                id: "connection".into(),
                auth_event_id: "event".into(),
                user_id,
                client_id: CLIENTS[1].1.into(),
                tenant_id: self.tenant.clone(),
                created_at: now(),
                updated_at: now(),
            });
        });
    }

    /// The request with the token of its provider, unless it brings one.
    fn request(&self, shot: &Shot) -> Option<Request<Body>> {
        let mut request = Request::builder().method(shot.method.as_bytes()).uri(&shot.path);
        let names = |name: &str| shot.headers.iter().any(|(known, _)| known == name);
        let token = if shot.path.starts_with("/v3") { CLIENTS[0].1 } else { CLIENTS[1].1 };
        if !names("authorization") && (shot.path.starts_with("/v3") || shot.path.starts_with("/api.xro") || shot.path.starts_with("/connections")) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !names("accept") {
            request = request.header("accept", "application/json");
        }
        if !names("xero-tenant-id") && shot.path.starts_with("/api.xro") {
            request = request.header("xero-tenant-id", &self.tenant);
        }
        for (name, value) in &shot.headers {
            request = request.header(name, value.as_bytes());
        }
        request.body(Body::from(shot.body.clone())).ok()
    }

    /// Nothing where no such request can be sent, or a panic kept the answer back.
    pub async fn fire(&self, shot: &Shot) -> Option<Answer> {
        match shot.method.as_str() {
            "RAW" => return self.fire_raw(&shot.body).await,
            "FILE" => return AssertUnwindSafe(async { read_file(&shot.body) }).catch_unwind().await.ok(),
            _ => {}
        }
        let request = self.request(shot)?;
        let answering = async {
            let answer = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
            let (parts, body) = answer.into_parts();
            let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default().to_vec();
            Answer { status: parts.status.as_u16(), content_type: text("content-type"), location: text("location"), body }
        };
        AssertUnwindSafe(answering).catch_unwind().await.ok()
    }

    /// Bytes on a connection; what comes back until the other side closes it. A status of 0: nothing came.
    async fn fire_raw(&self, bytes: &[u8]) -> Option<Answer> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.ok()?;
        let address = listener.local_addr().ok()?;
        let router = self.router.clone();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        let mut said = Vec::new();
        let mut hangs = false;
        if let Ok(mut stream) = tokio::net::TcpStream::connect(address).await {
            // the other side may refuse before it has heard all
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
            hangs = tokio::time::timeout(SILENT, stream.read_to_end(&mut said)).await.is_err();
        }
        serving.abort();
        let line = String::from_utf8_lossy(&said);
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(if hangs { 599 } else { 0 });
        let content_type = if said.windows(16).any(|part| part == b"application/json") { "application/json" } else { "" };
        Some(Answer { status, content_type: format!("{content_type} of a connection"), location: String::new(), body: said })
    }

    /// What does not balance, of that which was posted since the last look.
    pub fn unbalanced(&mut self) -> Option<String> {
        let far: jiff::civil::Date = date(9999, 12, 31);
        let looked_at = &mut self.looked_at;
        self.sandbox.read(|state| {
            for (id, books) in &state.companies {
                let from = looked_at.insert(id.clone(), books.journals.len()).unwrap_or(0).min(books.journals.len());
                for journal in &books.journals[from..] {
                    let sum: Cents = journal.postings.iter().map(|posting| posting.amount).sum();
                    if !sum.is_zero() {
                        return Some(format!("journal {} of {} sums to {sum}", journal.number, books.name));
                    }
                }
                for basis in [Basis::Accrual, Basis::Cash] {
                    let sum: Cents = books.on(basis).trial_balance(far).values().copied().sum();
                    if !sum.is_zero() {
                        return Some(format!("the trial balance of {} sums to {sum} ({basis:?})", books.name));
                    }
                }
            }
            None
        })
    }
}

/// A general journal is read or refused line by line; what is read balances.
fn read_file(bytes: &[u8]) -> Answer {
    let face = if bytes.len().is_multiple_of(2) { Face::Xero } else { Face::QuickBooks };
    let meta = journal_csv::Meta {
        name: "File".into(),
        country: "US".into(),
        currency: "USD".into(),
        time_zone: "UTC".into(),
        fiscal_year_start_month: 1,
        seed: 9,
    };
    let (status, body) = match journal_csv::read(bytes, face, &meta, now()) {
        Ok(books) => {
            let sums: Vec<Cents> =
                [Basis::Accrual, Basis::Cash].map(|basis| books.on(basis).trial_balance(date(9999, 12, 31)).values().copied().sum()).to_vec();
            let balanced = sums.iter().all(|sum| sum.is_zero());
            (if balanced { 200 } else { 599 }, format!("{{\"documents\":{}}}", books.documents.len().min(3)))
        }
        Err(rows) => {
            let reasons: Vec<String> = rows.iter().take(3).map(|row| row.reason.clone()).collect();
            (400, serde_json::json!({"Message": reasons.join("; ")}).to_string())
        }
    };
    Answer { status, content_type: "application/json".into(), location: String::new(), body: body.into_bytes() }
}
