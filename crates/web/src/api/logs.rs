//! The log of each company in numbers, and how long all of it is kept.
use super::answer::{List, Time};
use super::caller::Caller;
use super::error::ApiError;
use super::input::{Body, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use crate::pages::log_settings::note_retention;
use axum::Json;
use axum::extract::State;
use domain::ids::CompanyId;
use domain::organization::Action;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use store::log_retention::{self, DEFAULT_DAYS, LONGEST_DAYS, SHORTEST_DAYS};
use store::run_days::{self, DAY_MS};

const TAG: &str = "Integration log";
/// Days of runs that are listed.
const DAYS: i64 = 14;
/// Beyond this, counting costs more than the number is worth.
const COUNT_CAP: i64 = 10_000;

#[derive(Debug, Serialize, JsonSchema)]
pub struct Log {
    pub company_id: String,
    pub company: String,
    pub provider: String,
    /// False: it is no longer synced, and its log is kept.
    pub linked: bool,
    pub entries: i64,
    pub errors: i64,
    pub milestones: i64,
    pub last_at: Option<Time>,
    /// An open incident stops it.
    pub has_incident: bool,
    /// Of the last 14 days, those with runs.
    pub days: Vec<DayOfRuns>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct DayOfRuns {
    /// In UTC.
    pub day: String,
    pub good: i64,
    pub failed: i64,
    /// They were put back to wait for the provider.
    pub waited: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct LogSettings {
    /// Entries are removed when they are older.
    pub days: i64,
    pub default_days: i64,
    pub shortest_days: i64,
    pub longest_days: i64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskLogSettings {
    #[schemars(range(min = 30, max = 3_650))]
    pub days: i64,
    /// Says yes to removing the entries that are older than that now.
    #[serde(default)]
    pub remove_older: bool,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/logs", "list_logs", Action::UseIntegrations, list)
            .told(TAG, "The log of each company in numbers", "Last activity first.")
            .takes_query::<Nothing>()
            .answers::<List<Log>>(),
        Operation::get("/log-settings", "get_log_settings", Action::UseIntegrations, show_settings)
            .told(TAG, "How long the log is kept", "")
            .takes_query::<Nothing>()
            .answers::<LogSettings>(),
        Operation::post("/log-settings", "set_log_settings", Action::UseIntegrations, set_settings)
            .told(TAG, "Keep the log longer or shorter", "A time that would remove entries is refused with 409 until `remove_older` says yes to it.")
            .takes::<AskLogSettings>(json!({ "days": 400 }))
            .answers::<LogSettings>(),
    ]
}

async fn list(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<Log>>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let mut cards = store::log_entries::list_cards(&mut conn, &caller.organization_id).await?;
    cards.retain(|card| caller.reaches(&card.company_id));
    let stopped: HashSet<CompanyId> =
        store::incidents::list_stopped(&mut conn, &caller.organization_id).await?.into_iter().map(|(company_id, _)| company_id).collect();
    let ids: Vec<CompanyId> = cards.iter().map(|card| card.company_id.clone()).collect();
    let today = caller.now.as_millisecond().div_euclid(DAY_MS);
    let mut days: HashMap<CompanyId, Vec<DayOfRuns>> = HashMap::new();
    for tally in run_days::list(&mut conn, &ids, today - DAYS + 1).await? {
        let day = Timestamp::from_millisecond(tally.day * DAY_MS).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%F").to_string();
        let of_day = DayOfRuns { day, good: tally.good, failed: tally.failed, waited: tally.waited };
        days.entry(tally.company_id).or_default().push(of_day);
    }
    let log = |card: store::log_entries::Card| Log {
        has_incident: stopped.contains(&card.company_id),
        days: days.remove(&card.company_id).unwrap_or_default(),
        company_id: card.company_id.0,
        company: card.name,
        provider: card.provider,
        linked: card.linked,
        entries: card.total,
        errors: card.errors,
        milestones: card.milestones,
        last_at: card.last_at.map(Time),
    };
    Ok(Json(List { data: cards.into_iter().map(log).collect(), next_cursor: None }))
}

async fn show_settings(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<LogSettings>, ApiError> {
    read(&app, &caller).await
}

async fn read(app: &App, caller: &Caller) -> Result<Json<LogSettings>, ApiError> {
    let days = log_retention::days(&mut app.engine.store.read().await?, &caller.organization_id).await?;
    Ok(Json(LogSettings { days, default_days: DEFAULT_DAYS, shortest_days: SHORTEST_DAYS, longest_days: LONGEST_DAYS }))
}

async fn set_settings(State(app): State<App>, caller: Caller, Body(asked): Body<AskLogSettings>) -> Result<Json<LogSettings>, ApiError> {
    caller.is_unconfined()?;
    if !(SHORTEST_DAYS..=LONGEST_DAYS).contains(&asked.days) {
        return Err(ApiError::field("days", format!("expected a whole number from {SHORTEST_DAYS} to {LONGEST_DAYS}")));
    }
    let now_ms = caller.now.as_millisecond();
    if !asked.remove_older {
        let before = now_ms - asked.days * DAY_MS;
        let older = log_retention::count_older(&mut app.engine.store.read().await?, &caller.organization_id, before, COUNT_CAP).await?;
        if older > 0 {
            let message = format!("{older} entries are older than that and would be removed. Send `remove_older` as true to remove them.");
            return Err(ApiError::Conflict { message, run_id: None });
        }
    }
    let mut tx = app.engine.store.begin().await?;
    let before = log_retention::days(&mut tx, &caller.organization_id).await?;
    log_retention::set_days(&mut tx, &caller.organization_id, asked.days, caller.user_id.as_str(), now_ms).await?;
    note_retention(&app, &mut tx, &caller.organization_id, before, asked.days).await?;
    tx.commit().await?;
    read(&app, &caller).await
}
