//! Serving the sandbox over HTTP: both faces, the control API and a page that says what this is.
use crate::books::generator::{CompanySpec, SecondCurrency, generate};
use crate::books::{Books, Face};
use crate::money::Rate;
use crate::sandbox::Sandbox;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, Response};
use axum::routing::get;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write;
use std::future::Future;

/// How a sandbox starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Redirect addresses both standard apps admit besides loopback: exact, or a prefix that ends in `*`.
    pub redirect_uris: Vec<String>,
    pub limits_enforced: bool,
    /// Lets the sandbox's clock run on from here instead of the machine's time.
    pub start_at: Option<Timestamp>,
}

impl Default for Options {
    fn default() -> Self {
        Options { redirect_uris: Vec::new(), limits_enforced: true, start_at: None }
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
            for app in &mut state.apps {
                app.redirect_uris.extend(self.redirect_uris.iter().cloned());
            }
        });
        sandbox
    }
}

/// Everything the sandbox serves.
pub fn router(sandbox: Sandbox) -> Router {
    let router = Router::new().route("/", get(index)).with_state(sandbox.clone()).merge(crate::control::router(sandbox.clone()));
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#1c2430;background:#f6f7f9}\
main{max-width:64rem;margin:0 auto;padding:2rem 1rem}.mark{background:#7a3e00;color:#fff;padding:.5rem 1rem;text-align:center;font-weight:600}\
h1{margin:.2rem 0}h2{margin-top:2rem}table{border-collapse:collapse;width:100%;background:#fff}\
th,td{text-align:left;padding:.5rem .75rem;border-bottom:1px solid #dde1e7;vertical-align:top}code{font-size:.9em;overflow-wrap:anywhere}\
@media(prefers-color-scheme:dark){body{background:#12161c;color:#e6e9ee}table{background:#1a2029}th,td{border-color:#303a47}}";

/// The page at `/`.
async fn index(State(sandbox): State<Sandbox>) -> Html<String> {
    let now = sandbox.clock.now();
    let mut rows = String::new();
    let mut apps = String::new();
    let mut users = String::new();
    sandbox.read(|state| {
        for books in state.companies.values() {
            let face = provider(books.face);
            let first = books.first_date().map_or_else(|| "-".to_owned(), |d| d.to_string());
            write!(
                rows,
                "<tr><td>{}</td><td>{face}</td><td>{} {}</td><td><code>{}</code></td><td>{}</td><td>{first}</td></tr>",
                escaped(&books.name),
                escaped(&books.country),
                escaped(&books.currency),
                escaped(&books.id),
                books.documents.len()
            )
            .expect("writing to a string");
        }
        for app in &state.apps {
            let face = provider(app.face);
            let redirects = app.redirect_uris.iter().map(|uri| format!("<code>{}</code>", escaped(uri))).collect::<Vec<_>>().join(" ");
            write!(
                apps,
                "<tr><td>{face}</td><td><code>{}</code></td><td><code>{}</code></td><td>{redirects}</td></tr>",
                escaped(&app.client_id),
                escaped(&app.client_secret)
            )
            .expect("writing to a string");
        }
        for user in &state.users {
            let name = escaped(&format!("{} {}", user.given_name, user.family_name));
            let sees = if user.companies.is_empty() { "all companies" } else { "only some companies, or none" };
            write!(users, "<tr><td>{name}</td><td>{}</td><td>{sees}</td></tr>", escaped(&user.email)).expect("writing to a string");
        }
    });
    Html(format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
<title>Sandbox</title><style>{STYLE}</style></head><body><p class=\"mark\" style=\"margin:0\">Sandbox: imagined companies, no real data</p><main>\
<h1>QuickBooks and Xero sandbox</h1>\
<p>This server imitates the APIs of QuickBooks Online and Xero over real double-entry books. It is made by neither company. \
Point a client's base addresses here and use the client ids below. Its clock reads <code>{now}</code>.</p>\
<h2>Companies</h2><table><thead><tr><th>Name</th><th>Seen as</th><th>Country</th><th>Realm or tenant id</th><th>Documents</th>\
<th>First posting</th></tr></thead><tbody>{rows}</tbody></table>\
<h2>Apps</h2><table><thead><tr><th>Provider</th><th>Client id</th><th>Client secret</th><th>Redirect addresses</th></tr></thead>\
<tbody>{apps}</tbody></table>\
<h2>People who can sign in</h2><table><thead><tr><th>Name</th><th>E-mail</th><th>Sees</th></tr></thead><tbody>{users}</tbody></table>\
<h2>Control</h2><p>The control API under <code>/_control</code> shows the truth behind the faces, moves the clock, edits the books and \
injects faults: <a href=\"/_control/health\">health</a>, <a href=\"/_control/companies\">companies</a>, \
<a href=\"/_control/calls\">calls</a>, <a href=\"/_control/limits\">limits</a>, <a href=\"/_control/faults\">faults</a>, \
<a href=\"/_control/clock\">clock</a>.</p></main></body></html>"
    ))
}

fn provider(face: Face) -> &'static str {
    match face {
        Face::QuickBooks => "QuickBooks",
        Face::Xero => "Xero",
    }
}
