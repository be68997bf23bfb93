//! Authorizations at the providers: what they see, and whether they still hold. Connecting takes a person in a browser.
use super::answer::{List, Time};
use super::caller::Caller;
use super::error::ApiError;
use super::input::{Body, Ids, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use crate::feed::row::account_name;
use crate::parts::{fields, provider};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::connection::ConnectionState;
use domain::organization::Action;
use engine::connections::{Access, Data, Happening};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Conn;
use store::connections::Reach;

const TAG: &str = "Connections";
/// Days of use that are listed.
const USAGE_DAYS: i64 = 14;
const MOST_EVENTS: i64 = 100;

#[derive(Debug, Serialize, JsonSchema)]
pub struct Connection {
    pub id: String,
    pub provider: String,
    /// `production`, `sandbox` or `simulator`.
    pub environment: String,
    pub name: String,
    pub email: String,
    /// `active`, or `invalid` when the provider refuses it and only a new consent helps.
    pub state: &'static str,
    pub scope: String,
    /// Nobody has said yet which of its companies to import.
    pub needs_setup: bool,
    /// Connected under keys of another environment than this server has now: the sentence that says so.
    pub mixed_environment: Option<String>,
    pub connected_at: Time,
    pub invalid_since: Option<Time>,
    /// The provider forgets the authorization when it is not used until then.
    pub refresh_expires_at: Time,
    /// Companies it can see.
    pub companies: i64,
    /// Of these, linked ones.
    pub linked: i64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskMail {
    /// Whoever owns the books.
    pub email: String,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/connections", "list_connections", Action::UseIntegrations, list)
            .told(TAG, "Connected accounts", "Every account that is connected, those the provider refuses first.")
            .takes_query::<Nothing>()
            .answers::<List<Connection>>(),
        Operation::get("/connections/{id}", "get_connection", Action::UseIntegrations, show)
            .told(TAG, "One connected account", "")
            .takes_query::<Nothing>()
            .answers::<Connection>(),
        Operation::get("/connections/{id}/companies", "list_connection_companies", Action::UseIntegrations, list_companies)
            .told(TAG, "Companies an account sees", "Those it could take over from another account included.")
            .takes_query::<Nothing>()
            .answers::<List<SeenCompany>>(),
        Operation::get("/connections/{id}/access", "list_connection_access", Action::UseIntegrations, list_access)
            .told(TAG, "What an account lets us read", "Every permission with the data that hang on it, granted or missing.")
            .takes_query::<Nothing>()
            .answers::<List<Permission>>(),
        Operation::get("/connections/{id}/usage", "get_connection_usage", Action::UseIntegrations, show_usage)
            .told(TAG, "Calls and data of an account", "Of the last 14 days by company, newest day first, with what the provider still admits.")
            .takes_query::<Nothing>()
            .answers::<ConnectionUsage>(),
        Operation::get("/connections/{id}/history", "list_connection_history", Action::UseIntegrations, list_history)
            .told(TAG, "What happened to an account", "The latest 100 events, newest first.")
            .takes_query::<Nothing>()
            .answers::<List<Event>>(),
        Operation::post("/connections/{id}/import", "import_companies", Action::UseIntegrations, import)
            .told(TAG, "Import all companies of an account", "Links every company it sees that is not linked yet, and queues one sync for each.")
            .with_status(StatusCode::ACCEPTED)
            .answers::<Imported>(),
        Operation::post("/connections/{id}/finish-setup", "finish_connection_setup", Action::UseIntegrations, finish_setup)
            .told(TAG, "Add companies by hand", "Answers what a fresh account asks: nothing is linked by itself.")
            .answers::<Connection>(),
        Operation::get("/connections/{id}/reconnect-link", "get_reconnect_link", Action::UseIntegrations, show_link)
            .told(
                TAG,
                "The reconnect link of an account",
                "For whoever owns the books: it needs no account here. Null while there is none that works.",
            )
            .takes_query::<Nothing>()
            .answers::<ReconnectLink>(),
        Operation::post("/connections/{id}/reconnect-link", "make_reconnect_link", Action::UseIntegrations, make_link)
            .told(TAG, "Make a reconnect link", "Good for a week, once; the one before ends.")
            .answers::<ReconnectLink>(),
        Operation::post("/connections/{id}/reconnect-link/mail", "mail_reconnect_link", Action::UseIntegrations, mail_link)
            .told(TAG, "Mail the reconnect link", "The one that works, or a new one, to whoever owns the books. 409 where the server sends no mail.")
            .takes::<AskMail>(json!({ "email": "olga@kauri.example" }))
            .refuses(StatusCode::CONFLICT)
            .answers::<ReconnectLink>(),
        Operation::get("/connections/{id}/disconnect", "preview_disconnect", Action::UseIntegrations, preview_disconnect)
            .told(TAG, "What disconnecting would do", "")
            .takes_query::<Nothing>()
            .answers::<DisconnectPreview>(),
        Operation::post("/connections/{id}/disconnect", "disconnect", Action::UseIntegrations, disconnect)
            .told(
                TAG,
                "Disconnect an account",
                "Ends it here at once and revokes it at the provider; its companies stop. Erasing their data takes the name of the account as well.",
            )
            .takes::<AskDisconnect>(json!({ "data": "keep" }))
            .answers::<Disconnected>(),
    ]
}

/// A company an account sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SeenCompany {
    pub id: String,
    /// The provider's own id of it.
    pub remote_id: String,
    pub name: String,
    pub linked: bool,
    /// The account it is synced through: this one or another.
    pub connection_id: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Permission {
    /// As the provider calls it.
    pub scope: &'static str,
    /// `Invoices, Credit notes`
    pub data: String,
    pub is_granted: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct ConnectionUsage {
    pub days: Vec<DayOfUse>,
    /// Calls a minute the provider admits for each company.
    pub calls_per_minute: Option<u32>,
    /// Calls a day, where there is such a limit.
    pub calls_per_day: Option<u32>,
    /// Of these, what the busiest company has left today.
    pub calls_left_today: Option<i64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct DayOfUse {
    pub day: String,
    pub company_id: String,
    pub calls: i64,
    pub bytes: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Event {
    /// `connected`, `refused`, `disconnected`, ...
    pub kind: String,
    pub sentence: &'static str,
    pub company_id: Option<String>,
    /// Who did it, by name, where a person did.
    pub by: Option<String>,
    pub happened_at: Time,
}

/// What an import linked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Imported {
    /// Ids of the companies whose first sync is queued.
    pub queued: Vec<String>,
    /// How many were linked before.
    pub already_linked: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct ReconnectLink {
    pub url: Option<String>,
    pub expires_at: Option<Time>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct DisconnectPreview {
    /// Companies that are synced through it.
    pub companies: Vec<Stopping>,
    /// Records of theirs that are kept or erased.
    pub records: i64,
    /// What `name` must say where data are to be erased.
    pub name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Stopping {
    pub company_id: String,
    pub name: String,
    pub linked: bool,
    pub is_running: bool,
    /// Another account could go on with it: see the operation `move_companies`.
    pub is_seen_by_others: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskDisconnect {
    pub data: DataWord,
    /// To erase: the name of the account, exactly as `preview_disconnect` writes it.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DataWord {
    /// They stay readable.
    Keep,
    /// Every record, statement and log entry of its companies is deleted.
    Erase,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Disconnected {
    /// The provider confirmed that the authorization is revoked; otherwise it is asked again.
    pub is_revoked: bool,
    /// Companies whose data were erased.
    pub erased: usize,
}

fn shown(app: &App, connection: store::connections::Connection, reach: &[Reach]) -> Connection {
    let reach = reach.iter().find(|reach| reach.connection_id == connection.id);
    Connection {
        companies: reach.map_or(0, |reach| reach.companies),
        linked: reach.map_or(0, |reach| reach.linked),
        needs_setup: connection.state == ConnectionState::Active && connection.setup_finished_at.is_none(),
        mixed_environment: engine::connections::mixed_environment(&app.engine, &connection.provider, &connection.environment),
        id: connection.id.0,
        provider: connection.provider,
        environment: connection.environment,
        name: connection.name,
        email: connection.email,
        state: connection.state.as_str(),
        scope: connection.scope,
        connected_at: Time(connection.connected_at),
        invalid_since: connection.invalid_since.map(Time),
        refresh_expires_at: Time(connection.refresh_expires_at),
    }
}

async fn list(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<Connection>>, ApiError> {
    caller.is_unconfined()?;
    let mut conn = app.engine.store.read().await?;
    let connections = store::connections::list(&mut conn, &caller.organization_id).await?;
    let reach = store::connections::list_reach(&mut conn, &caller.organization_id).await?;
    Ok(Json(List { data: connections.into_iter().map(|connection| shown(&app, connection, &reach)).collect(), next_cursor: None }))
}

/// An account that is connected, for a key that reaches the whole organization.
async fn find(conn: &mut Conn, caller: &Caller, ids: &Ids) -> Result<store::connections::Connection, ApiError> {
    caller.is_unconfined()?;
    let connection = store::connections::find(conn, &caller.organization_id, &ids.connection()).await?;
    connection.filter(|connection| connection.disconnected_at.is_none()).ok_or(ApiError::NotFound)
}

async fn show(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<Connection>, ApiError> {
    read(&app, &caller, &ids).await
}

async fn read(app: &App, caller: &Caller, ids: &Ids) -> Result<Json<Connection>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let connection = find(&mut conn, caller, ids).await?;
    let reach = store::connections::list_reach(&mut conn, &caller.organization_id).await?;
    Ok(Json(shown(app, connection, &reach)))
}

async fn list_companies(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<List<SeenCompany>>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let connection = find(&mut conn, &caller, &ids).await?;
    let found = store::companies::list_by_connection(&mut conn, &connection.id).await?;
    let mut remote_ids = store::companies::list_remote_ids(&app.engine.store, &mut conn, &connection.id).await?;
    let seen = |company: store::companies::Company| SeenCompany {
        remote_id: remote_ids.remove(&company.id).unwrap_or_default(),
        linked: company.linked_at.is_some(),
        connection_id: company.connection_id.0,
        id: company.id.0,
        name: company.name,
    };
    Ok(Json(List { data: found.into_iter().map(|(company, _)| company).map(seen).collect(), next_cursor: None }))
}

async fn list_access(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<List<Permission>>, ApiError> {
    let connection = find(&mut app.engine.store.read().await?, &caller, &ids).await?;
    let access = engine::connections::access(&app.engine, &connection);
    let permission = |Access { scope, data, is_granted }: Access| Permission { scope, data, is_granted };
    Ok(Json(List { data: access.into_iter().map(permission).collect(), next_cursor: None }))
}

async fn show_usage(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<ConnectionUsage>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let connection = find(&mut conn, &caller, &ids).await?;
    let today = caller.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let since = today.saturating_sub(jiff::Span::new().days(USAGE_DAYS - 1)).to_string();
    let used = store::connections::list_usage(&mut conn, &connection.id, &since).await?;
    let busiest = used.iter().filter(|usage| usage.day == today.to_string()).map(|usage| usage.calls).max().unwrap_or(0);
    let limits = app.engine.registry.get(&connection.provider).map(|provider| provider.profile().limits);
    let per_day = limits.as_ref().and_then(|limits| limits.per_day);
    Ok(Json(ConnectionUsage {
        days: used
            .into_iter()
            .map(|usage| DayOfUse { day: usage.day, company_id: usage.company_id.0, calls: usage.calls, bytes: usage.bytes })
            .collect(),
        calls_per_minute: limits.as_ref().map(|limits| limits.per_minute),
        calls_per_day: per_day,
        calls_left_today: per_day.map(|per_day| (i64::from(per_day) - busiest).max(0)),
    }))
}

async fn list_history(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<Event>>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let connection = find(&mut conn, &caller, &ids).await?;
    let events = store::connection_events::list(&mut conn, &connection.id, MOST_EVENTS).await?;
    let event = |event: store::connection_events::Event| {
        Some(Event {
            sentence: Happening::parse(&event.kind)?.sentence(),
            kind: event.kind,
            company_id: event.company.map(|(id, _)| id.0),
            by: event.user_name,
            happened_at: Time(event.happened_at),
        })
    };
    Ok(Json(List { data: events.into_iter().filter_map(event).collect(), next_cursor: None }))
}

async fn import(State(app): State<App>, caller: Caller, ids: Ids) -> Result<(StatusCode, Json<Imported>), ApiError> {
    caller.is_unconfined()?;
    let report = engine::connections::import_all(&app.engine, &caller.organization_id, &ids.connection(), &caller.user_id).await?;
    let queued = report.queued.into_iter().map(|id| id.0).collect();
    Ok((StatusCode::ACCEPTED, Json(Imported { queued, already_linked: report.already })))
}

async fn finish_setup(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<Connection>, ApiError> {
    find(&mut app.engine.store.read().await?, &caller, &ids).await?;
    engine::connections::finish_setup(&app.engine, &caller.organization_id, &ids.connection()).await?;
    read(&app, &caller, &ids).await
}

async fn show_link(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<ReconnectLink>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let connection = find(&mut conn, &caller, &ids).await?;
    read_link(&app, &mut conn, &caller, &connection).await
}

async fn read_link(
    app: &App,
    conn: &mut Conn,
    caller: &Caller,
    connection: &store::connections::Connection,
) -> Result<Json<ReconnectLink>, ApiError> {
    let open = store::reconnect_links::find_open(&app.engine.store, conn, &connection.id, caller.now.as_millisecond()).await?;
    let (token, ends) = open.unzip();
    let url = token.map(|token| app.engine.address(&["reconnect", &token]).to_string());
    Ok(Json(ReconnectLink { url, expires_at: ends.map(Time) }))
}

async fn mail_link(State(app): State<App>, caller: Caller, ids: Ids, Body(asked): Body<AskMail>) -> Result<Json<ReconnectLink>, ApiError> {
    caller.is_unconfined()?;
    let email = asked.email.trim().to_lowercase();
    if !fields::is_address(&email) {
        return Err(ApiError::field("email", "expected an e-mail address"));
    }
    let connection = find(&mut app.engine.store.read().await?, &caller, &ids).await?;
    let service = provider::full_name(&connection.provider);
    engine::connections::mail_reconnect_link(&app.engine, &caller.organization_id, &connection.id, &caller.user_id, service, &email).await?;
    read_link(&app, &mut app.engine.store.read().await?, &caller, &connection).await
}

async fn make_link(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<ReconnectLink>, ApiError> {
    caller.is_unconfined()?;
    engine::connections::make_reconnect_link(&app.engine, &caller.organization_id, &ids.connection(), &caller.user_id).await?;
    let mut conn = app.engine.store.read().await?;
    let connection = find(&mut conn, &caller, &ids).await?;
    read_link(&app, &mut conn, &caller, &connection).await
}

async fn preview_disconnect(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<DisconnectPreview>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let connection = find(&mut conn, &caller, &ids).await?;
    let mut companies = Vec::new();
    for company in store::companies::list_through(&mut conn, &connection.id).await? {
        let seen_by = store::companies::list_seen_by(&mut conn, &company.id).await?;
        companies.push(Stopping {
            linked: company.linked_at.is_some(),
            is_running: company.run.is_some(),
            is_seen_by_others: seen_by.iter().any(|other| *other != connection.id),
            company_id: company.id.0,
            name: company.name,
        });
    }
    let records = store::connections::count_records(&mut conn, &connection.id).await?;
    Ok(Json(DisconnectPreview { companies, records, name: account_name(&connection.name, &connection.email) }))
}

async fn disconnect(State(app): State<App>, caller: Caller, ids: Ids, Body(asked): Body<AskDisconnect>) -> Result<Json<Disconnected>, ApiError> {
    caller.is_unconfined()?;
    let mut conn = app.engine.store.read().await?;
    let connection = store::connections::find(&mut conn, &caller.organization_id, &ids.connection()).await?.ok_or(ApiError::NotFound)?;
    drop(conn);
    if connection.disconnected_at.is_some() {
        return Err(ApiError::Conflict { message: "This account was disconnected already.".into(), run_id: None });
    }
    let data = match asked.data {
        DataWord::Keep => Data::Keep,
        DataWord::Erase => {
            let name = account_name(&connection.name, &connection.email);
            if asked.name.as_deref().map(str::trim) != Some(name.trim()) {
                return Err(ApiError::field("name", format!("to erase the data, send the name of the account exactly: {name}")));
            }
            Data::Erase
        }
    };
    let done = engine::connections::disconnect(&app.engine, &caller.organization_id, &connection.id, Some(&caller.user_id), data).await?;
    Ok(Json(Disconnected { is_revoked: done.is_revoked, erased: done.erased }))
}
