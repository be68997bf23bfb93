//! What every request handler can reach: the engine, the options of the site, and what is shared between requests.
use crate::api::caller::KeyLimits;
use crate::auth::throttle::Throttle;
use crate::events::Streams;
use crate::pages::send_again::KeptForms;
use crate::pulses::Pulses;
use axum::http::HeaderValue;
use engine::Engine;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

/// What the site must know of where it stands.
#[derive(Clone, Debug)]
pub struct WebOptions {
    /// Where people reach the site: links, cookies and the check of where a form came from follow it.
    pub public_url: Url,
    /// `Secure` on cookies; true when `public_url` is https.
    pub secure_cookies: bool,
    /// Where the providers' consent pages are (`https://appcenter.intuit.com`): browsers apply `form-action` to redirects as well.
    pub authorize_origins: Vec<String>,
    /// Proxies that stand before this server: what they say in `X-Forwarded-For` is believed, and nobody else's.
    pub trusted_proxies: Vec<IpAddr>,
    /// Open event streams of one organization in this process: one for each tab that is looked at.
    pub most_streams: usize,
    /// Requests of one key of the API at once; they are refilled in 20 seconds.
    pub key_burst: u32,
    /// How long somebody who takes nothing of an answer is waited for.
    pub patience: Duration,
}

impl WebOptions {
    pub fn new(public_url: Url) -> WebOptions {
        let secure_cookies = public_url.scheme() == "https";
        WebOptions {
            public_url,
            secure_cookies,
            authorize_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            most_streams: 10_000,
            key_burst: 4_000,
            patience: Duration::from_secs(30),
        }
    }
    /// The name of a cookie that opens something. Behind https it begins with `__Host-`: browsers take such a cookie only with `Secure`, `Path=/` and no
    /// `Domain`, so that no other host of the same domain can set it (draft-ietf-httpbis-rfc6265bis, 4.1.3.2).
    pub fn cookie_name(&self, name: &str) -> String {
        if self.secure_cookies { format!("__Host-{name}") } else { name.to_owned() }
    }
    /// `Set-Cookie` of such a cookie. `SameSite=Lax`, not `Strict`: the provider's redirect to the callback must bring it along.
    pub fn cookie(&self, name: &str, value: &str, life_secs: i64) -> HeaderValue {
        let secure = if self.secure_cookies { "; Secure" } else { "" };
        let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={life_secs}{secure}", self.cookie_name(name));
        HeaderValue::from_str(&cookie).expect("hexadecimal digits fit a header")
    }
    pub fn origin(&self) -> String {
        self.public_url.origin().ascii_serialization()
    }
}

#[derive(Clone)]
pub struct App(Arc<Inner>);

pub struct Inner {
    pub engine: Engine,
    pub options: WebOptions,
    /// Password hashing takes 19 MiB and a core each time: two at once, the others wait.
    pub hashing: Semaphore,
    pub throttle: Throttle,
    pub key_limits: KeyLimits,
    /// What the event streams of this process share.
    pub pulses: Pulses,
    pub streams: Streams,
    /// Forms that were sent after their session had ended.
    pub kept_forms: KeptForms,
}

impl App {
    pub fn new(engine: Engine, options: WebOptions) -> App {
        let (throttle, key_limits, pulses) = (Throttle::default(), KeyLimits::default(), Pulses::default());
        let (streams, kept_forms) = (Streams::default(), KeptForms::default());
        App(Arc::new(Inner { engine, options, hashing: Semaphore::new(2), throttle, key_limits, pulses, streams, kept_forms }))
    }
}

impl Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
