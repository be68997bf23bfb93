//! What the tests start: a site over a database, with both providers of a sandbox, and browsers that are signed in.
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use domain::clock::{Clock, SystemClock};
use domain::connection::Environment;
use domain::ids::{OrganizationId, UserId};
use domain::organization::Role;
use engine::{Engine, ProviderSettings, Registry, Secret, Settings};
use simulator::books::generator::{CompanySpec, generate};
use simulator::books::{Books, Face};
use simulator::sandbox::Sandbox;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::members::{self, User};
use store::seal::Key;
use store::{Store, sessions};
use tower::ServiceExt;
use url::Url;
use web::WebOptions;

pub const PUBLIC_URL: &str = "http://tieout.example:8484";

pub struct Site {
    pub engine: Engine,
    pub router: Router,
    /// Listens only when the test asks for it.
    pub sandbox: Sandbox,
    pub organization_id: OrganizationId,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    /// `name=value` of a cookie that was set.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
        set.filter_map(|line| line.split(';').next()).find(|pair| pair.starts_with(&format!("{name}="))).map(str::to_owned)
    }
    pub fn assert_shows(&self, words: &[&str]) {
        for word in words {
            assert!(self.text.contains(word), "`{word}` is not in the page ({}):\n{}", self.status, self.text);
        }
    }
}

impl Site {
    /// A site with an organization, over an empty database. The sandbox's companies are there, but its server does not listen: see `listen`.
    pub async fn new(address: &str) -> Site {
        Site::at(address, Arc::new(SystemClock)).await
    }

    /// The same with a clock of the test's own.
    pub async fn at(address: &str, clock: Arc<dyn Clock>) -> Site {
        Site::build(address, Url::parse("http://127.0.0.1:9").unwrap(), Vec::new(), clock).await
    }

    /// The same with a sandbox that answers.
    pub async fn with_sandbox(address: &str) -> Site {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let companies = [Face::QuickBooks, Face::Xero].into_iter().enumerate().map(|(seed, face)| books(face, seed as u64)).collect();
        let site = Site::build(address, url, companies, Arc::new(SystemClock)).await;
        tokio::spawn(simulator::server::serve(site.sandbox.clone(), listener, std::future::pending()));
        site
    }

    async fn build(address: &str, simulator_url: Url, companies: Vec<Books>, clock: Arc<dyn Clock>) -> Site {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = |id: &str| ProviderSettings {
            client_id: format!("tieout-{id}"),
            client_secret: Secret::new("sandbox-secret"),
            environment: Environment::Simulator,
            simulator_url: Some(simulator_url.clone()),
            journals: true,
        };
        let providers: BTreeMap<String, ProviderSettings> = ["quickbooks", "xero"].into_iter().map(|id| (id.to_owned(), settings(id))).collect();
        let registry = Registry::new(&providers, clock.clone()).unwrap();
        let store = Store::open(address, &Key::random()).await.unwrap();
        let public_url = Url::parse(PUBLIC_URL).unwrap();
        let engine =
            Engine::new(store, registry, clock, Settings { public_url: public_url.clone(), node: "test".into(), workers: 1, lease_secs: 10 });
        let organization_id = OrganizationId(engine.make_id());
        let router = web::router(engine.clone(), WebOptions::new(public_url));
        let options = simulator::server::Options { redirect_uris: redirect_uris(), ..Default::default() };
        Site { engine, router, sandbox: options.sandbox(companies), organization_id }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, 16 << 20).await.unwrap();
        Answer { status: head.status, headers: head.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// Somebody without a session.
    pub fn stranger(&self) -> Browser<'_> {
        Browser { site: self, cookie: String::new() }
    }

    /// A new member of the organization, signed in.
    pub async fn member(&self, role: Role) -> Browser<'_> {
        self.member_of(&self.organization_id, role).await
    }

    pub async fn member_of(&self, organization_id: &OrganizationId, role: Role) -> Browser<'_> {
        let user_id = self.user_of(organization_id, role).await;
        self.sign_in(organization_id, &user_id).await
    }

    /// A browser in which this person is signed in.
    pub async fn sign_in(&self, organization_id: &OrganizationId, user_id: &UserId) -> Browser<'_> {
        let now_ms = self.engine.clock.now_ms();
        let token = web::auth::session::make_token();
        let mut tx = self.engine.store.begin().await.unwrap();
        sessions::insert(&mut tx, &token, user_id, organization_id, now_ms, now_ms + 3_600_000).await.unwrap();
        tx.commit().await.unwrap();
        Browser { site: self, cookie: format!("tieout_session={token}") }
    }

    /// A new person of an organization, which is made where it is not there.
    pub async fn user_of(&self, organization_id: &OrganizationId, role: Role) -> UserId {
        let engine = &self.engine;
        let now_ms = engine.clock.now_ms();
        let user_id = UserId(engine.make_id());
        let mut tx = engine.store.begin().await.unwrap();
        if members::organization_name(&mut tx, organization_id).await.unwrap().is_none() {
            members::insert_organization(&mut tx, organization_id, "Birchwood Advisory", now_ms).await.unwrap();
        }
        let user = User { id: user_id.clone(), email: format!("{user_id}@birchwood.example"), name: "Ada Lindqvist".into(), password_hash: None };
        assert!(members::insert_user(&mut tx, &user, now_ms).await.unwrap());
        members::add(&mut tx, organization_id, &user_id, role, now_ms).await.unwrap();
        tx.commit().await.unwrap();
        user_id
    }
}

/// One browser: it keeps its session, and says where its forms come from.
pub struct Browser<'a> {
    pub site: &'a Site,
    pub cookie: String,
}

impl Browser<'_> {
    pub async fn get(&self, path: &str) -> Answer {
        self.site.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }
    pub async fn post(&self, path: &str, form: &str) -> Answer {
        let request = self.request("POST", path).header("origin", PUBLIC_URL).header("content-type", "application/x-www-form-urlencoded");
        self.site.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }
    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header("host", "tieout.example:8484");
        if self.cookie.is_empty() { request } else { request.header("cookie", self.cookie.as_str()) }
    }

    /// Goes to the provider, agrees there, and comes back: where the callback leads.
    pub async fn connect(&self, provider: &str) -> Answer {
        let sent = self.post(&format!("/integrations/connect/{provider}"), "").await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        let authorize = Url::parse(sent.location()).unwrap();
        let callback = simulator::consent::approve(&self.site.sandbox, &authorize, &[]).await.unwrap();
        self.get(&callback[url::Position::BeforePath..]).await
    }
}

fn redirect_uris() -> Vec<String> {
    ["quickbooks", "xero"].into_iter().map(|id| format!("{PUBLIC_URL}/oauth/{id}/callback")).collect()
}

/// A few months of made-up books.
fn books(face: Face, seed: u64) -> Books {
    let now = jiff::Timestamp::from_second(1_780_000_000).unwrap();
    let to = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let from = to.saturating_sub(jiff::Span::new().months(2)).first_of_month();
    generate(face, CompanySpec { documents_per_month: 8, ..CompanySpec::plain(face, seed, from, to) }, now)
}
