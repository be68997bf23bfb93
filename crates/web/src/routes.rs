//! The map of the site: every path, the role it asks for and whose things it names, in one list.
use crate::app::{App, WebOptions};
use crate::pages::{
    access, account, account_lines, account_setup, api_keys, api_reference, audit, companies, company, company_delete, contact_balances, data_feed,
    disconnect, email_new, error_guide, incident, incidents, integrations, invitation, invitations, invite, log_entry, log_runs, log_settings,
    log_table, logs, mapping, mapping_companies, mapping_edit, mapping_history, mapping_import, member_remove, members, notification_settings,
    notifications, organization, organization_new, palette, password, password_new, profile, provider_health, reconnect_link, result, resync,
    resync_all, schedule, send_again, send_link, setup, sign_in, sign_in_code, sign_in_link, statements, support_bundle, token_user, unlink, welcome,
};
use crate::{api, assets, auth, error, events, exports, feed, protection};
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use domain::organization::Action;
use engine::Engine;
use store::tenancy::Thing;
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

/// Whose things a path names. The guard looks a `Thing` up before the handler runs: what is unknown, of another organization, or not assigned to
/// this Member is one and the same 404, whatever the handler would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing of any organization.
    Nothing,
    /// The address is a secret that names what it opens: `{token}`.
    Token,
    /// Only what is the signed-in person's own.
    Person,
    /// The organization of the session as a whole; the handler lists what `Visit::reader` may see.
    Organization,
    /// One thing of it: `{id}`.
    Thing(Thing),
}

pub struct Route {
    pub path: &'static str,
    pub access: Access,
    pub scope: Scope,
    handler: MethodRouter<App>,
}

/// The only way to make a route: it takes both declarations, so one without them does not compile.
pub fn route(path: &'static str, access: Access, scope: Scope, handler: MethodRouter<App>) -> Route {
    Route { path, access, scope, handler }
}

const INTEGRATIONS: Access = Access::SignedIn(Action::UseIntegrations);
const MEMBERS: Access = Access::SignedIn(Action::ManageMembers);
const OWNERS: Access = Access::SignedIn(Action::PromoteOwner);
const COMPANIES: Access = Access::SignedIn(Action::ReadCompany);
const MAPPING: Access = Access::SignedIn(Action::EditMapping);

const COMPANY: Scope = Scope::Thing(Thing::Company);
const CONNECTION: Scope = Scope::Thing(Thing::Connection);
const RUN: Scope = Scope::Thing(Thing::Run);
const INCIDENT: Scope = Scope::Thing(Thing::Incident);
const LOG_ENTRY: Scope = Scope::Thing(Thing::LogEntry);
const MEMBER: Scope = Scope::Thing(Thing::Member);
const INVITATION: Scope = Scope::Thing(Thing::Invitation);

/// Every path, with who may open it and whose things it names.
pub fn all() -> Vec<Route> {
    use Access::{AnyRole, Public};
    use Scope::{Nothing, Organization, Person, Token};
    let routes = vec![
        // the site itself
        route("/healthz", Public, Nothing, get(healthz)),
        route("/readyz", Public, Nothing, get(readyz)),
        route("/assets/{name}", Public, Nothing, get(assets::show)),
        route("/events", AnyRole, Organization, get(events::stream)),
        route("/preferences/theme", Public, Nothing, post(auth::preferences::set_theme)),
        // who is here
        route("/setup/{token}", Public, Token, get(setup::show).post(setup::create)),
        route("/sign-in", Public, Nothing, get(sign_in::show).post(sign_in::enter)),
        route("/sign-in/link/{token}", Public, Token, get(sign_in_link::show).post(sign_in_link::enter)),
        route("/sign-in/code", Public, Nothing, get(sign_in_code::show).post(sign_in_code::enter)),
        route("/again/{token}", AnyRole, Token, get(send_again::show)),
        route("/sign-out", Public, Person, post(sign_in::leave)),
        route("/password", Public, Nothing, get(password::show).post(password::request)),
        route("/password/{token}", Public, Token, get(password_new::show).post(password_new::set)),
        route("/invitations/{token}", Public, Token, get(invitation::show).post(invitation::accept)),
        route("/invitations/{token}/decline", Public, Token, post(invitation::decline)),
        route("/switch", AnyRole, Person, post(organization::switch)),
        route("/organizations/new", AnyRole, Person, get(organization_new::show).post(organization_new::create)),
        route("/", AnyRole, Person, get(integrations::start_page)),
        route("/welcome", INTEGRATIONS, Organization, get(welcome::show)),
        // one's own account
        route("/profile", AnyRole, Person, get(profile::show)),
        route("/profile/name", AnyRole, Person, post(profile::save_name)),
        route("/profile/email", AnyRole, Person, post(profile::save_email)),
        route("/profile/email/{token}", Public, Token, get(email_new::show).post(email_new::confirm)),
        route("/profile/password", AnyRole, Person, post(profile::save_password)),
        route("/profile/second-factor", AnyRole, Person, post(profile::set_up)),
        route("/profile/second-factor/confirm", AnyRole, Person, post(profile::confirm)),
        route("/profile/second-factor/codes", AnyRole, Person, post(profile::renew_codes)),
        route("/profile/second-factor/off", AnyRole, Person, post(profile::turn_off)),
        route("/profile/sessions/end", AnyRole, Person, post(profile::end_sessions)),
        // the organization: people and settings
        route("/organization/members", MEMBERS, Organization, get(members::show)),
        route("/organization/members/{id}/role", MEMBERS, MEMBER, post(members::set_role)),
        route("/organization/members/{id}/remove", MEMBERS, MEMBER, get(member_remove::ask).post(member_remove::remove)),
        route("/organization/members/{id}/password-link", MEMBERS, MEMBER, post(members::make_password_link)),
        route("/organization/members/{id}/second-factor", OWNERS, MEMBER, post(members::reset_second_factor)),
        route("/organization/invitations", MEMBERS, Organization, get(invitations::show).post(invite::send)),
        route("/organization/invitations/new", MEMBERS, Organization, get(invite::show)),
        route("/organization/invitations/{id}/resend", MEMBERS, INVITATION, post(invitations::resend)),
        route("/organization/invitations/{id}/cancel", MEMBERS, INVITATION, post(invitations::cancel)),
        route("/organization/access", MEMBERS, Organization, get(access::show).post(access::save)),
        route("/organization/settings", MEMBERS, Organization, get(organization::show).post(organization::save)),
        route("/organization/settings/second-factor", OWNERS, Organization, post(organization::require_second_factor)),
        // integrations: overview and accounts
        route("/integrations", INTEGRATIONS, Organization, get(integrations::show)),
        route("/integrations/health", INTEGRATIONS, Organization, get(provider_health::show)),
        route("/integrations/connect/{provider}", INTEGRATIONS, Organization, post(integrations::connect)),
        route("/integrations/accounts/{id}", INTEGRATIONS, CONNECTION, get(account::show)),
        route("/integrations/accounts/{id}/reconnect", INTEGRATIONS, CONNECTION, post(account::reconnect)),
        route("/integrations/accounts/{id}/disconnect", INTEGRATIONS, CONNECTION, get(disconnect::show).post(disconnect::disconnect)),
        route("/integrations/accounts/{id}/setup", INTEGRATIONS, CONNECTION, get(account_setup::show)),
        route("/integrations/accounts/{id}/link", INTEGRATIONS, CONNECTION, get(send_link::show).post(send_link::make)),
        route("/integrations/accounts/{id}/link/mail", INTEGRATIONS, CONNECTION, post(send_link::mail)),
        route("/integrations/accounts/{id}/import", INTEGRATIONS, CONNECTION, post(account_setup::import_all)),
        route("/integrations/accounts/{id}/choose", INTEGRATIONS, CONNECTION, post(account_setup::add_manually)),
        // integrations: how fresh the companies are
        route("/integrations/data-feed", INTEGRATIONS, Organization, get(data_feed::show)),
        route("/integrations/data-feed/export.csv", INTEGRATIONS, Organization, get(feed::export::show)),
        route("/integrations/data-feed/columns", INTEGRATIONS, Person, post(data_feed::choose_columns)),
        route("/integrations/data-feed/select", INTEGRATIONS, Person, post(feed::selection::select)),
        route("/integrations/data-feed/resync", INTEGRATIONS, Organization, post(feed::actions::resync_selected)),
        route("/integrations/data-feed/resync-all", INTEGRATIONS, Organization, get(resync_all::show).post(resync_all::resync)),
        route("/integrations/data-feed/token-user", INTEGRATIONS, Organization, get(token_user::show).post(token_user::update)),
        route("/integrations/data-feed/pause", INTEGRATIONS, Organization, post(feed::actions::pause_selected)),
        route("/integrations/data-feed/resume", INTEGRATIONS, Organization, post(feed::actions::resume_selected)),
        route("/integrations/data-feed/link", INTEGRATIONS, Organization, post(feed::actions::link_selected)),
        route("/integrations/data-feed/unlink", INTEGRATIONS, Organization, get(unlink::show).post(unlink::unlink)),
        route("/integrations/data-feed/schedule", INTEGRATIONS, Organization, get(schedule::show).post(schedule::save)),
        route("/integrations/data-feed/freshness", INTEGRATIONS, Organization, post(schedule::save_target)),
        route("/integrations/companies/{id}/link", INTEGRATIONS, COMPANY, post(feed::actions::link)),
        route("/integrations/companies/{id}/pause", INTEGRATIONS, COMPANY, post(feed::actions::pause)),
        route("/integrations/companies/{id}/resume", INTEGRATIONS, COMPANY, post(feed::actions::resume)),
        route("/integrations/runs/{id}/cancel", INTEGRATIONS, RUN, post(feed::actions::cancel)),
        // integrations: what the syncs did
        route("/integrations/logs", INTEGRATIONS, Organization, get(logs::show)),
        route("/integrations/logs/all", INTEGRATIONS, Organization, get(log_table::show_all)),
        route("/integrations/logs/companies/{id}", INTEGRATIONS, COMPANY, get(log_table::show_company)),
        route("/integrations/logs/entries/{id}", INTEGRATIONS, LOG_ENTRY, get(log_entry::show)),
        route("/integrations/logs/entries/{id}/bundle", INTEGRATIONS, LOG_ENTRY, get(support_bundle::show_entry)),
        route("/integrations/runs/{id}/bundle", INTEGRATIONS, RUN, get(support_bundle::show_run)),
        route("/integrations/logs/all/runs", INTEGRATIONS, Organization, get(log_runs::show_all)),
        route("/integrations/logs/all/export", INTEGRATIONS, Organization, get(exports::log_of_all)),
        route("/integrations/logs/companies/{id}/runs", INTEGRATIONS, COMPANY, get(log_runs::show_company)),
        route("/integrations/logs/companies/{id}/export", INTEGRATIONS, COMPANY, get(exports::log_of_company)),
        route("/integrations/logs/settings", INTEGRATIONS, Organization, get(log_settings::show).post(log_settings::save)),
        route("/integrations/logs/errors", INTEGRATIONS, Nothing, get(error_guide::show)),
        route("/integrations/incidents", INTEGRATIONS, Organization, get(incidents::show)),
        route("/integrations/incidents/{id}", INTEGRATIONS, INCIDENT, get(incident::show)),
        route("/integrations/incidents/{id}/resync", INTEGRATIONS, INCIDENT, post(incident::resync)),
        // what people are told
        route("/notifications", INTEGRATIONS, Person, get(notifications::show)),
        route("/notifications/open", INTEGRATIONS, Person, get(notifications::open)),
        route("/notifications/read", INTEGRATIONS, Person, post(notifications::read_all)),
        route("/notifications/settings", INTEGRATIONS, Organization, get(notification_settings::show).post(notification_settings::save)),
        route("/notifications/webhook", INTEGRATIONS, Organization, post(notification_settings::save_webhook)),
        route("/notifications/test", INTEGRATIONS, Organization, post(notification_settings::test)),
        // the books
        route("/companies", COMPANIES, Organization, get(companies::show)),
        route("/companies/{id}", COMPANIES, COMPANY, get(company::show)),
        route("/companies/{id}/statements", COMPANIES, COMPANY, get(statements::show)),
        route("/companies/{id}/lines", COMPANIES, COMPANY, get(account_lines::show)),
        route("/companies/{id}/contacts", COMPANIES, COMPANY, get(contact_balances::show)),
        route("/companies/{id}/resync", INTEGRATIONS, COMPANY, get(resync::show).post(resync::ask)),
        route("/companies/{id}/delete", INTEGRATIONS, COMPANY, get(company_delete::show).post(company_delete::delete)),
        // from anywhere
        route("/palette", AnyRole, Organization, get(palette::show)),
        route("/palette/index.json", AnyRole, Organization, get(palette::index)),
        // for programs
        route("/developers/api", AnyRole, Nothing, get(api_reference::show)),
        route("/organization/api-keys", MEMBERS, Organization, get(api_keys::show).post(api_keys::create)),
        route("/organization/api-keys/{id}/revoke", MEMBERS, Scope::Thing(Thing::ApiKey), post(api_keys::revoke)),
        // what people, keys and the command line did
        route("/organization/audit", MEMBERS, Organization, get(audit::show)),
        route("/organization/audit/export", MEMBERS, Organization, get(audit::export)),
        // where accounts lie in the standard chart
        route("/mapping", COMPANIES, Organization, get(mapping_companies::show)),
        route("/companies/{id}/mapping", COMPANIES, COMPANY, get(mapping::show)),
        route("/companies/{id}/mapping/history", COMPANIES, COMPANY, get(mapping_history::show)),
        route("/companies/{id}/mapping/export", COMPANIES, COMPANY, get(mapping_import::export)),
        route("/companies/{id}/mapping/edit", MAPPING, COMPANY, get(mapping_edit::show).post(mapping_edit::apply)),
        route("/companies/{id}/mapping/confirm", MAPPING, COMPANY, post(mapping::confirm)),
        route("/companies/{id}/mapping/revert", MAPPING, COMPANY, post(mapping::revert)),
        route("/companies/{id}/mapping/seen", MAPPING, COMPANY, post(mapping::see)),
        route("/companies/{id}/mapping/import", MAPPING, COMPANY, get(mapping_import::show).post(mapping_import::import)),
        // the callback looks for its session itself: without one it leads to a sign-in that explains
        route("/oauth/{provider}/callback", Public, Person, get(result::callback).head(not_head)),
        route("/integrations/result", INTEGRATIONS, Person, get(result::show)),
        // whoever owns the books repairs one connection: the link is the permission
        route("/reconnect/{token}", Public, Token, get(reconnect_link::show).post(reconnect_link::follow)),
        route("/reconnect/result", Public, Nothing, get(reconnect_link::result)),
    ];
    // for those who work on the pages
    #[cfg(debug_assertions)]
    let routes = routes.into_iter().chain([route("/dev/design", AnyRole, Nothing, get(crate::pages::design::show))]).collect();
    routes
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
    router_of(engine, options, all())
}

/// A site of these routes: tests plant one that is wrong.
pub fn router_of(engine: Engine, options: WebOptions, routes: Vec<Route>) -> Router {
    let app = App::new(engine, options);
    let mut router = Router::new();
    for Route { path, access, scope, handler } in routes {
        router = router.route(path, handler.layer(from_fn_with_state((app.clone(), access, scope), auth::guard)));
    }
    router
        .nest(api::BASE, api::router(&app))
        .fallback(|| async { error::WebError::NotFound })
        .method_not_allowed_fallback(|| async { error::WebError::MethodNotAllowed })
        .layer(from_fn_with_state(app.clone(), protection::same_origin))
        .layer(from_fn(protection::body))
        .layer(from_fn(protection::to_its_end))
        .layer(DefaultBodyLimit::max(1 << 20))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), protection::host))
        .layer(from_fn_with_state(app.clone(), error::render))
        .layer(from_fn_with_state(app.clone(), protection::headers))
        .layer(from_fn(protection::limits))
        .with_state(app)
}
