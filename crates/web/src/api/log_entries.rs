//! The integration log, with the filters of the page.
use super::answer::{List, Time};
use super::caller::Caller;
use super::companies::ProviderWord;
use super::cursor::Place;
use super::error::ApiError;
use super::input::{Ids, Instant, Limit, Nothing, Part, Query};
use super::operation::Operation;
use super::runs::SupportBundle;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::{CompanyId, RunId};
use domain::log::{LogBody, LogStatus, LogType};
use domain::organization::Action;
use engine::support_bundle::Subject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::log_entries::{self, Filter};

const TAG: &str = "Integration log";

#[derive(Debug, Serialize, JsonSchema)]
pub struct LogEntry {
    pub id: String,
    pub logged_at: Time,
    pub provider: String,
    pub company_id: Option<String>,
    pub company: String,
    /// The account, as it was called then.
    pub external_account: String,
    /// `milestone` or `event`.
    pub log_type: &'static str,
    /// `success` or `error`.
    pub status: &'static str,
    pub message: String,
    pub run_id: Option<String>,
    /// What happened, why, and what to do: there when something went wrong.
    pub body: Option<Details>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Details {
    pub cause: String,
    pub what_happened: String,
    pub what_to_do: String,
    pub endpoint: Option<String>,
    pub http_status: Option<u16>,
    pub provider_request_id: Option<String>,
    /// Types and ids, never what stands in the books.
    pub records: Vec<String>,
    pub attempt: u32,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListLogEntries {
    pub provider: Option<ProviderWord>,
    /// Id of a company.
    pub company: Option<String>,
    /// Part of the company's name.
    pub company_name: Option<Part>,
    /// Part of the account's name or address.
    pub external_account: Option<Part>,
    pub log_type: Option<TypeWord>,
    /// Part of the message.
    pub message: Option<Part>,
    pub status: Option<StatusWord>,
    /// Entries of this moment and later.
    pub from: Option<Instant>,
    /// Entries before this moment.
    pub until: Option<Instant>,
    pub run: Option<String>,
    /// What the details name: the provider's request id, or a record, with its type or by its id alone.
    pub reference: Option<Part>,
    pub limit: Option<Limit>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TypeWord {
    Milestone,
    Event,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StatusWord {
    Success,
    Error,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/log-entries", "list_log_entries", Action::UseIntegrations, list)
            .told(TAG, "Log entries", "Newest first; all filters combine.")
            .refuses(StatusCode::NOT_FOUND)
            .takes_query::<ListLogEntries>()
            .answers::<List<LogEntry>>(),
        Operation::get("/log-entries/{id}", "get_log_entry", Action::UseIntegrations, show)
            .told(TAG, "One log entry", "")
            .takes_query::<Nothing>()
            .answers::<LogEntry>(),
        Operation::get("/log-entries/{id}/support-bundle", "get_log_entry_support_bundle", Action::UseIntegrations, support_bundle)
            .told(TAG, "The support bundle of a log entry", "For an entry about an account; an entry of a run is told of in the bundle of its run.")
            .takes_query::<Nothing>()
            .answers::<SupportBundle>(),
    ]
}

fn shown(entry: log_entries::LogEntry) -> LogEntry {
    let body = entry.body.as_deref().and_then(|text| serde_json::from_str::<LogBody>(text).ok());
    LogEntry {
        id: entry.id.to_string(),
        logged_at: Time(entry.logged_at),
        provider: entry.provider,
        company_id: entry.company_id.map(|id| id.0),
        company: entry.company_name,
        external_account: entry.account_name,
        log_type: entry.log_type.as_str(),
        status: entry.status.as_str(),
        message: entry.message,
        run_id: entry.run_id.map(|id| id.0),
        body: body.map(|body| Details {
            cause: body.cause,
            what_happened: body.what_happened,
            what_to_do: body.what_to_do,
            endpoint: body.endpoint,
            http_status: body.http_status,
            provider_request_id: body.provider_request_id,
            records: body.records,
            attempt: body.attempt,
        }),
    }
}

async fn list(State(app): State<App>, caller: Caller, Query(asked): Query<ListLogEntries>) -> Result<Json<List<LogEntry>>, ApiError> {
    let limit = asked.limit.as_ref().map_or(50, |limit| limit.0);
    let filter = Filter {
        company_id: asked.company.map(CompanyId),
        provider: asked.provider.map(|provider| provider.as_str().to_owned()),
        company: asked.company_name.map(|part| part.0),
        account: asked.external_account.map(|part| part.0),
        log_type: asked.log_type.map(|word| match word {
            TypeWord::Milestone => LogType::Milestone,
            TypeWord::Event => LogType::Event,
        }),
        message: asked.message.map(|part| part.0),
        status: asked.status.map(|word| match word {
            StatusWord::Success => LogStatus::Success,
            StatusWord::Error => LogStatus::Error,
        }),
        from_ms: asked.from.map(|at| at.0.as_millisecond()),
        until_ms: asked.until.map(|at| at.0.as_millisecond()),
        run_id: asked.run.map(RunId),
        reference: asked.reference.map(|part| part.0),
    };
    if filter.from_ms.zip(filter.until_ms).is_some_and(|(from, until)| from > until) {
        return Err(ApiError::bad("`from` is after `until`."));
    }
    let place = Place { app: &app, caller: &caller, list: "log_entries", filter: format!("{filter:?}") };
    let older_than = place.open(asked.cursor.as_deref())?.and_then(|id| id.parse().ok());
    let mut conn = app.engine.store.read().await?;
    match &filter.company_id {
        Some(id) => drop(caller.company(&mut conn, id).await?),
        None if caller.companies.is_some() => {
            return Err(ApiError::bad("This key reaches some companies only: name one with `company`."));
        }
        None => {}
    }
    let from = older_than.map_or(log_entries::Place::Newest, log_entries::Place::OlderThan);
    let page = log_entries::list_page(&mut conn, &caller.organization_id, &filter, from, limit as i64).await?;
    // a search that stopped before the end goes on from where it stopped, whatever it has found
    let last = page.searched_to.or_else(|| page.entries.last().map(|last| last.id));
    let next_cursor = last.filter(|_| page.has_older).map(|id| place.seal(&id.to_string()));
    Ok(Json(List { data: page.entries.into_iter().map(shown).collect(), next_cursor }))
}

/// An entry that this key reaches.
async fn find(app: &App, caller: &Caller, ids: &Ids) -> Result<log_entries::LogEntry, ApiError> {
    let id = ids.text("id").parse().map_err(|_| ApiError::NotFound)?;
    let entry = log_entries::find(&mut app.engine.store.read().await?, &caller.organization_id, id).await?;
    let reached = |entry: &log_entries::LogEntry| match (&caller.companies, &entry.company_id) {
        (None, _) => true,
        (Some(_), Some(company_id)) => caller.reaches(company_id),
        (Some(_), None) => false,
    };
    entry.filter(reached).ok_or(ApiError::NotFound)
}

async fn show(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<LogEntry>, ApiError> {
    Ok(Json(shown(find(&app, &caller, &ids).await?)))
}

async fn support_bundle(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<SupportBundle>, ApiError> {
    let entry = find(&app, &caller, &ids).await?;
    let subject = entry.run_id.map_or(Subject::Entry(entry.id), Subject::Run);
    SupportBundle::make(&app, &caller, &subject).await
}
