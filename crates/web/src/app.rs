//! What every request handler can reach: the engine, the options of the site, and what is shared between requests.
use crate::api::caller::KeyLimits;
use crate::auth::throttle::Throttle;
use crate::pulses::Pulses;
use engine::Engine;
use std::ops::Deref;
use std::sync::Arc;
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
}

impl WebOptions {
    pub fn new(public_url: Url) -> WebOptions {
        let secure_cookies = public_url.scheme() == "https";
        WebOptions { public_url, secure_cookies, authorize_origins: Vec::new() }
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
}

impl App {
    pub fn new(engine: Engine, options: WebOptions) -> App {
        let (throttle, key_limits, pulses) = (Throttle::default(), KeyLimits::default(), Pulses::default());
        App(Arc::new(Inner { engine, options, hashing: Semaphore::new(2), throttle, key_limits, pulses }))
    }
}

impl Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
