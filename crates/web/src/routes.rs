//! The map of the site: every path and the role it asks for, in one list.
use crate::app::{App, WebOptions};
use crate::pages::{
    account, account_lines, account_setup, companies, company, data_feed, disconnect, integrations, log_entry, log_table, logs, result, resync_all,
    setup, sign_in, sign_in_link, statements,
};
use crate::{assets, auth, error, events, protection};
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use domain::organization::Action;
use engine::Engine;
use tower_http::compression::CompressionLayer;

/// Who may open a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    /// A signed-in person whose role allows this.
    SignedIn(Action),
    /// A signed-in person, whatever the role.
    AnyRole,
}

pub struct Route {
    pub path: &'static str,
    pub access: Access,
    handler: MethodRouter<App>,
}

fn route(path: &'static str, access: Access, handler: MethodRouter<App>) -> Route {
    Route { path, access, handler }
}

const INTEGRATIONS: Access = Access::SignedIn(Action::UseIntegrations);
const COMPANIES: Access = Access::SignedIn(Action::ReadCompany);

/// Every path. A route without a declaration of who may open it cannot be written.
pub fn all() -> Vec<Route> {
    use Access::{AnyRole, Public};
    vec![
        // the site itself
        route("/healthz", Public, get(healthz)),
        route("/readyz", Public, get(readyz)),
        route("/assets/{name}", Public, get(assets::show)),
        route("/events", AnyRole, get(events::stream)),
        route("/preferences/theme", Public, post(auth::preferences::set_theme)),
        // who is here
        route("/setup/{token}", Public, get(setup::show).post(setup::create)),
        route("/sign-in", Public, get(sign_in::show).post(sign_in::enter)),
        route("/sign-in/link/{token}", Public, get(sign_in_link::show).post(sign_in_link::enter)),
        route("/sign-out", Public, post(sign_in::leave)),
        route("/", AnyRole, get(integrations::start_page)),
        // integrations: overview and accounts
        route("/integrations", INTEGRATIONS, get(integrations::show)),
        route("/integrations/connect/{provider}", INTEGRATIONS, post(integrations::connect)),
        route("/integrations/accounts/{id}", INTEGRATIONS, get(account::show)),
        route("/integrations/accounts/{id}/reconnect", INTEGRATIONS, post(account::reconnect)),
        route("/integrations/accounts/{id}/disconnect", INTEGRATIONS, get(disconnect::show).post(disconnect::disconnect)),
        route("/integrations/accounts/{id}/setup", INTEGRATIONS, get(account_setup::show)),
        route("/integrations/accounts/{id}/import", INTEGRATIONS, post(account_setup::import_all)),
        route("/integrations/accounts/{id}/choose", INTEGRATIONS, post(account_setup::add_manually)),
        // integrations: how fresh the companies are
        route("/integrations/data-feed", INTEGRATIONS, get(data_feed::show)),
        route("/integrations/data-feed/resync", INTEGRATIONS, post(data_feed::resync_selected)),
        route("/integrations/data-feed/resync-all", INTEGRATIONS, get(resync_all::show).post(resync_all::resync)),
        route("/integrations/companies/{id}/link", INTEGRATIONS, post(data_feed::link)),
        route("/integrations/companies/{id}/unlink", INTEGRATIONS, post(data_feed::unlink)),
        route("/integrations/runs/{id}/cancel", INTEGRATIONS, post(data_feed::cancel)),
        // integrations: what the syncs did
        route("/integrations/logs", INTEGRATIONS, get(logs::show)),
        route("/integrations/logs/all", INTEGRATIONS, get(log_table::show_all)),
        route("/integrations/logs/companies/{id}", INTEGRATIONS, get(log_table::show_company)),
        route("/integrations/logs/entries/{id}", INTEGRATIONS, get(log_entry::show)),
        // the books
        route("/companies", COMPANIES, get(companies::show)),
        route("/companies/{id}", COMPANIES, get(company::show)),
        route("/companies/{id}/statements", COMPANIES, get(statements::show)),
        route("/companies/{id}/lines", COMPANIES, get(account_lines::show)),
        route("/companies/{id}/resync", INTEGRATIONS, post(data_feed::resync)),
        // the callback looks for its session itself: without one it leads to a sign-in that explains
        route("/oauth/{provider}/callback", Public, get(result::callback).head(not_head)),
        route("/integrations/result", INTEGRATIONS, get(result::show)),
    ]
}

/// A link scanner that asks for the head of a callback must not use it up.
async fn not_head() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

async fn healthz() -> &'static str {
    "ok"
}

/// Ready when the database answers.
async fn readyz(State(app): State<App>) -> impl IntoResponse {
    let answers = async { store::members::count_users(&mut app.engine.store.read().await?).await }.await;
    match answers {
        Ok(_) => (StatusCode::OK, "ready"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
        }
    }
}

/// The whole site.
pub fn router(engine: Engine, options: WebOptions) -> Router {
    let app = App::new(engine, options);
    let mut router = Router::new();
    for Route { path, access, handler } in all() {
        router = router.route(path, handler.layer(from_fn_with_state((app.clone(), access), auth::guard)));
    }
    router
        .fallback(|| async { error::WebError::NotFound })
        .method_not_allowed_fallback(|| async { error::WebError::MethodNotAllowed })
        .layer(from_fn_with_state(app.clone(), protection::same_origin))
        .layer(DefaultBodyLimit::max(1 << 20))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), protection::host))
        .layer(from_fn_with_state(app.clone(), error::render))
        .layer(from_fn_with_state(app.clone(), protection::headers))
        .layer(from_fn(protection::limits))
        .with_state(app)
}
