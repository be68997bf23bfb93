//! Serving the sandbox over HTTP: both faces, the control API and the console.
use crate::books::generator::{CompanySpec, SecondCurrency, generate};
use crate::books::{Books, Face};
use crate::money::Rate;
use crate::sandbox::Sandbox;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::future::Future;

/// How a sandbox starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Redirect addresses both standard apps admit besides loopback: exact, or a prefix that ends in `*`.
    pub redirect_uris: Vec<String>,
    pub limits_enforced: bool,
    /// False: neither the control API nor the console is served, as at a provider.
    pub control: bool,
    /// Lets the sandbox's clock run on from here instead of the machine's time.
    pub start_at: Option<Timestamp>,
}

impl Default for Options {
    fn default() -> Self {
        Options { redirect_uris: Vec::new(), limits_enforced: true, control: true, start_at: None }
    }
}

impl Options {
    /// A sandbox of these companies.
    pub fn sandbox(&self, companies: Vec<Books>) -> Sandbox {
        let sandbox = Sandbox::new(companies);
        if let Some(at) = self.start_at {
            sandbox.clock.run_from(at);
        }
        sandbox.write(|state| {
            state.limits.enforced = self.limits_enforced;
            state.has_control = self.control;
            for app in &mut state.apps {
                app.redirect_uris.extend(self.redirect_uris.iter().cloned());
            }
        });
        sandbox
    }
}

/// Everything the sandbox serves.
pub fn router(sandbox: Sandbox) -> Router {
    let router = match sandbox.read(|state| state.has_control) {
        true => crate::console::router(sandbox.clone()).merge(crate::control::router(sandbox.clone())),
        false => Router::new(),
    };
    #[cfg(feature = "quickbooks")]
    let router = router.merge(crate::quickbooks::router(sandbox.clone()));
    #[cfg(feature = "xero")]
    let router = router.merge(crate::xero::router(sandbox.clone()));
    router.layer(from_fn_with_state(sandbox.clone(), count_tenant)).layer(from_fn_with_state(sandbox, crate::network::pass))
}

/// Serves until `shutdown` is done; calls in flight are finished.
pub async fn serve(sandbox: Sandbox, listener: std::net::TcpListener, shutdown: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    // A key takes a moment to make; the first sign-in should not wait for it.
    let keys = sandbox.clone();
    tokio::task::spawn_blocking(move || {
        keys.signing_key();
    });
    let _webhooks = Background(tokio::spawn(crate::webhooks::deliver(sandbox.clone())));
    let _trade = Background(tokio::spawn(crate::live::trade(sandbox.clone())));
    axum::serve(listener, router(sandbox)).with_graceful_shutdown(shutdown).await
}

/// Work beside the serving, ended with it.
struct Background(tokio::task::JoinHandle<()>);

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Three companies with about three years of history to `now` and deliberate defects: voided and deleted documents, an archived account
/// with history, inactive contacts, drafts, a bill entered twice, backdated edits.
pub fn demo_companies(now: Timestamp) -> Vec<Books> {
    let to = now.to_zoned(TimeZone::UTC).date();
    let from = to.saturating_sub(jiff::Span::new().years(3)).first_of_month();
    // Xero allows 60 calls a minute: its companies are small enough that a first sync of both ledgers fits into one
    let plain = |face, name: &str, seed| {
        let documents_per_month = if face == Face::Xero { 22 } else { 60 };
        CompanySpec { name: name.into(), documents_per_month, ..CompanySpec::plain(face, seed, from, to) }
    };
    let harbor = plain(Face::QuickBooks, "Harbor & Pine Trading Co.", 4_210);
    let kauri = CompanySpec {
        second_currency: Some(SecondCurrency { code: "USD".into(), rate: Rate(1_645_000) }),
        ..plain(Face::Xero, "Kauri Outdoor Ltd", 4_220)
    };
    let beacon = CompanySpec {
        country: "GB".into(),
        currency: "GBP".into(),
        time_zone: "Europe/London".into(),
        ..plain(Face::Xero, "Beacon Street Studio", 4_231)
    };
    vec![generate(Face::QuickBooks, harbor, now), generate(Face::Xero, kauri, now), generate(Face::Xero, beacon, now)]
}

/// Counts Xero calls by the tenant in their header, whatever answers them; the QuickBooks face counts by the realm in its paths.
async fn count_tenant(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let named = request.headers().get("xero-tenant-id").and_then(|value| value.to_str().ok());
    if let Some(tenant) = named.map(str::to_ascii_lowercase) {
        sandbox.write(|state| {
            if state.companies.contains_key(&tenant) {
                *state.calls_by_company.entry(tenant).or_default() += 1;
            }
        });
    }
    next.run(request).await
}
