//! The provider under test: where it is, what opens it, and what a test may do there.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use testkit::say;
use tokio::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use url::Url;

use super::person::Person;
use crate::visitor::{SOON, Sandbox, client};

/// What a test does at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// It reads: any company will do.
    Reading,
    /// It makes records of its own and changes those.
    Writing,
    /// It uses up a limit of calls.
    Limits,
    /// It signs in anew: an app of its own, and a person at the consent page.
    SigningIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    QuickBooks,
    Xero,
}

impl Kind {
    fn word(self) -> &'static str {
        if self == Kind::Xero { "xero" } else { "quickbooks" }
    }
}

/// An app registered at the provider, and who answers its consent pages.
#[derive(Clone)]
pub struct App {
    pub client_id: String,
    pub client_secret: String,
    pub redirect_uri: String,
    person: Person,
}

pub struct Provider {
    pub kind: Kind,
    /// Of the data API, without a slash at its end.
    pub base: String,
    /// Realm or tenant.
    pub company: String,
    pub token: String,
    pub app: Option<App>,
    discovery: String,
    /// Between the beginnings of two calls.
    pace: Duration,
    client: Client,
    _connection: Connection,
}

/// Tests that sign in also take connections away, so they have them alone.
enum Connection {
    Free,
    Shared(#[expect(dead_code, reason = "it is held, not read")] RwLockReadGuard<'static, ()>),
    Alone(#[expect(dead_code, reason = "it is held, not read")] RwLockWriteGuard<'static, ()>),
}

static CONNECTED: RwLock<()> = RwLock::const_new(());

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} ({}): {}", self.status, self.text))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A company for a test, or nothing and a sentence why.
pub async fn under_test(kind: Kind, needs: Needs) -> Option<Provider> {
    // first, for whoever has connections alone may replace the token that is found
    let connection = if needs == Needs::SigningIn { Connection::Alone(CONNECTED.write().await) } else { Connection::Shared(CONNECTED.read().await) };
    let mut provider = found(kind, needs).await?;
    provider._connection = connection;
    Some(provider)
}

async fn found(kind: Kind, needs: Needs) -> Option<Provider> {
    let word = kind.word();
    let prefix = format!("TIEOUT_REAL_{}", word.to_uppercase());
    let setting = |name: &str| std::env::var(format!("{prefix}_{name}")).ok().filter(|value| !value.is_empty());
    let Some(base) = setting("BASE") else { return Some(in_a_sandbox(kind, needs).await) };
    let company = setting(if kind == Kind::Xero { "TENANT" } else { "REALM" });
    let (Some(company), Some(token)) = (company, setting("TOKEN")) else {
        panic!("{prefix}_BASE goes together with {prefix}_TOKEN and {prefix}_{}", if kind == Kind::Xero { "TENANT" } else { "REALM" });
    };
    let allowed = |name: &str| setting(name).is_some_and(|value| value == "1");
    let app = setting("CLIENT_ID").zip(setting("CLIENT_SECRET")).map(|(client_id, client_secret)| App {
        client_id,
        client_secret,
        redirect_uri: setting("REDIRECT_URI").unwrap_or_else(|| "http://localhost:9005/callback".into()),
        person: if setting("CONSENT").as_deref() == Some("auto") { Person::StandIn } else { Person::Asked },
    });
    let missing = match needs {
        Needs::Writing if !allowed("WRITES") => Some("WRITES=1"),
        Needs::Limits if !allowed("LIMITS") => Some("LIMITS=1"),
        Needs::SigningIn if app.is_none() => Some("CLIENT_ID, _CLIENT_SECRET"),
        _ => None,
    };
    if let Some(missing) = missing {
        say(&format!("SKIPPED: without {prefix}_{missing} nothing is done there that needs {needs:?}"));
        return None;
    }
    let usual_ms = if kind == Kind::Xero { 1_100 } else { 150 };
    let pace = setting("PACE_MS").map_or(usual_ms, |text| text.parse().expect("a pace is a number of milliseconds"));
    let usual_discovery = match kind {
        Kind::QuickBooks => "https://developer.api.intuit.com/.well-known/openid_sandbox_configuration",
        Kind::Xero => "https://identity.xero.com/.well-known/openid-configuration",
    };
    let discovery = setting("DISCOVERY").unwrap_or_else(|| usual_discovery.into());
    let base = base.trim_end_matches('/').to_owned();
    let anew = TOKENS.lock().await.get(&key(&base, kind)).cloned();
    let (company, token) = anew.unwrap_or((company, token));
    let pace = Duration::from_millis(pace);
    Some(Provider { kind, base, company, token, app, discovery, pace, client: client(), _connection: Connection::Free })
}

/// Company and access token of consents that tests gave, by provider.
static TOKENS: Mutex<BTreeMap<String, (String, String)>> = Mutex::const_new(BTreeMap::new());

fn key(base: &str, kind: Kind) -> String {
    format!("{base} {}", kind.word())
}

/// Sandboxes of this process: one to read, one to write, and one that enforces the limits.
async fn in_a_sandbox(kind: Kind, needs: Needs) -> Provider {
    static SANDBOXES: OnceLock<[Sandbox; 3]> = OnceLock::new();
    let without_limits = || Sandbox::start(&["--no-limits", "--no-control"]);
    let sandboxes = SANDBOXES.get_or_init(|| [without_limits(), without_limits(), Sandbox::start(&["--no-control"])]);
    let place = match needs {
        Needs::Reading => 0,
        Needs::Writing | Needs::SigningIn => 1,
        Needs::Limits => 2,
    };
    let base = sandboxes[place].url.clone();
    let discovery = match kind {
        Kind::QuickBooks => format!("{base}/.well-known/openid_sandbox_configuration"),
        Kind::Xero => format!("{base}/.well-known/openid-configuration"),
    };
    let app = App {
        client_id: format!("tieout-{}", kind.word()),
        client_secret: "sandbox-secret".into(),
        redirect_uri: "http://localhost:9005/callback".into(),
        person: Person::StandIn,
    };
    let (company, token) = (String::new(), String::new());
    let (pace, client) = (Duration::ZERO, client());
    let mut provider = Provider { kind, base, company, token, app: Some(app), discovery, pace, client, _connection: Connection::Free };
    let mut tokens = TOKENS.lock().await;
    let key = key(&provider.base, kind);
    if !tokens.contains_key(&key) {
        tokens.insert(key.clone(), provider.connect().await);
    }
    (provider.company, provider.token) = tokens[&key].clone();
    provider
}

static LAST_CALL: Mutex<Option<tokio::time::Instant>> = Mutex::const_new(None);

impl Provider {
    pub fn request(&self, method: Method, address: &str) -> RequestBuilder {
        self.client.request(method, address)
    }

    /// Sends a request when its time has come.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.wait_for_turn().await;
        let answer = request.timeout(SOON).send().await.unwrap_or_else(|error| panic!("no answer: {error}"));
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, text: answer.text().await.expect("a text") }
    }

    async fn wait_for_turn(&self) {
        if self.pace.is_zero() {
            return;
        }
        let mut last: MutexGuard<'_, Option<tokio::time::Instant>> = LAST_CALL.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep_until(last + self.pace).await;
        }
        *last = Some(tokio::time::Instant::now());
    }

    /// Many at once, whatever the pace: their statuses.
    pub async fn send_at_once(&self, requests: Vec<RequestBuilder>) -> Vec<Answer> {
        let sending = requests.into_iter().map(|request| async {
            let answer = request.timeout(SOON).send().await.unwrap_or_else(|error| panic!("no answer: {error}"));
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            Answer { status, headers, text: answer.text().await.expect("a text") }
        });
        futures::future::join_all(sending).await
    }

    pub async fn discovery(&self) -> Value {
        let answer = self.send(self.request(Method::GET, &self.discovery)).await;
        assert_eq!(answer.status, 200, "{}: {}", self.discovery, answer.text);
        answer.json()
    }

    /// An address that the discovery document names.
    pub async fn address(&self, endpoint: &str) -> String {
        self.discovery().await[endpoint].as_str().unwrap_or_else(|| panic!("{} does not name {endpoint}", self.discovery)).to_owned()
    }

    pub fn app(&self) -> &App {
        self.app.as_ref().expect("a test that needs an app asks for it")
    }

    /// The consent page's address for these parameters; those of the app stand for what is left out, an empty value takes one away.
    pub async fn consent_address(&self, parameters: &[(&str, &str)]) -> Url {
        let app = self.app();
        let scope = match self.kind {
            Kind::QuickBooks => "com.intuit.quickbooks.accounting openid profile email",
            Kind::Xero => {
                "openid profile email offline_access accounting.settings accounting.contacts accounting.transactions accounting.reports.read \
                 accounting.journals.read"
            }
        };
        let usual = [
            ("client_id", app.client_id.as_str()),
            ("redirect_uri", &app.redirect_uri),
            ("scope", scope),
            ("response_type", "code"),
            ("state", "s t&1"),
        ];
        let named = |name: &str| parameters.iter().any(|(known, _)| *known == name);
        let mut address = Url::parse(&self.address("authorization_endpoint").await).expect("the discovery document names addresses");
        let pairs = usual.into_iter().filter(|(name, _)| !named(name)).chain(parameters.iter().copied().filter(|(_, value)| !value.is_empty()));
        address.query_pairs_mut().extend_pairs(pairs);
        address
    }

    /// What the browser is sent back with after a person decided, or nothing where the provider keeps it on a page of its own.
    pub async fn consent(&self, parameters: &[(&str, &str)], approve: bool) -> Option<BTreeMap<String, String>> {
        let address = self.consent_address(parameters).await;
        let app = self.app();
        let answer = app.person.decide(&self.client, address, approve, &self.company, &app.redirect_uri).await?;
        Some(answer.query_pairs().into_owned().collect())
    }

    /// A request without its person: where a faulty one leads.
    pub async fn leads_to(&self, parameters: &[(&str, &str)]) -> (u16, Option<String>) {
        let address = self.consent_address(parameters).await;
        let answer = self.send(self.request(Method::GET, address.as_str())).await;
        (answer.status, answer.headers.get(LOCATION).map(|location| location.to_str().expect("an address is text").to_owned()))
    }

    pub async fn exchange(&self, code: &str) -> Answer {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", &self.app().redirect_uri)];
        self.token(&form).await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        let app = self.app();
        let request = self.request(Method::POST, &self.address("token_endpoint").await).basic_auth(&app.client_id, Some(&app.client_secret));
        self.send(request.form(form).header("accept", "application/json")).await
    }

    /// A whole consent: the answer of the token endpoint, and at QuickBooks the realm that the redirect names.
    pub async fn signed_in(&self, parameters: &[(&str, &str)]) -> (Value, String) {
        let back = self.consent(parameters, true).await.expect("an approved consent comes back");
        let answer = self.exchange(&back["code"]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        (answer.json(), back.get("realmId").cloned().unwrap_or_default())
    }

    /// Signs in again and lets the tests that follow use that: whoever ended the consent they had.
    pub async fn reconnect(&self) {
        let connected = self.connect().await;
        TOKENS.lock().await.insert(key(&self.base, self.kind), connected);
    }

    /// Company and access token of a new consent.
    async fn connect(&self) -> (String, String) {
        let (tokens, realm) = self.signed_in(&[]).await;
        let token = tokens["access_token"].as_str().expect("a token").to_owned();
        if self.kind == Kind::QuickBooks {
            return (realm, token);
        }
        let answer = self.send(self.request(Method::GET, &format!("{}/connections", self.base)).bearer_auth(&token)).await;
        (answer.json()[0]["tenantId"].as_str().expect("a connection").to_owned(), token)
    }

    pub async fn revoke(&self, token: &str, as_json: bool) -> Answer {
        let app = self.app();
        let request = self.request(Method::POST, &self.address("revocation_endpoint").await).basic_auth(&app.client_id, Some(&app.client_secret));
        let request = if as_json { request.json(&serde_json::json!({"token": token})) } else { request.form(&[("token", token)]) };
        self.send(request).await
    }
}

/// A name that no record has yet.
pub fn new_name(what: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static BEGAN: OnceLock<(u32, Instant)> = OnceLock::new();
    let (process, began) = BEGAN.get_or_init(|| (std::process::id(), Instant::now()));
    let salt = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), began.elapsed());
    format!("{what} {process}-{}-{:04x}", COUNT.fetch_add(1, Ordering::Relaxed), salt & 0xffff)
}

/// An amount in hundredths, from a JSON number or the text of a cell.
pub fn cents(value: &Value) -> i64 {
    let text = match value {
        Value::String(text) => text.replace(',', ""),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let (negative, digits) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().unwrap_or_else(|_| panic!("`{text}` is no amount")) };
    assert!(fraction.len() <= 2 || fraction[2..].bytes().all(|digit| digit == b'0'), "`{text}` has more than two decimals");
    let hundredths: i64 = format!("{:0<2}", &fraction[..fraction.len().min(2)]).parse().unwrap_or_else(|_| panic!("`{text}` is no amount"));
    let amount = whole * 100 + hundredths;
    if negative { -amount } else { amount }
}

/// What a JSON web token says before it is verified.
pub fn head(token: &str) -> Value {
    part_of(token, 0)
}

pub fn claims(token: &str) -> Value {
    part_of(token, 1)
}

fn part_of(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap_or_else(|| panic!("`{token}` is no JSON web token"));
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_else(|error| panic!("`{token}`: {error}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("`{token}`: {error}"))
}
