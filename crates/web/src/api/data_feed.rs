//! The Data Feed as a whole: how many companies are in which state, how fresh they must be, and who syncs them.
use super::answer::List;
use super::caller::Caller;
use super::error::ApiError;
use super::input::{Body, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use domain::ids::{CompanyId, ConnectionId};
use domain::organization::Action;
use domain::schedule::{FRESHNESS_HOURS, INTERVAL_MINUTES};
use engine::EngineError;
use engine::connections::{Moved, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use store::feed::{self, Filter};

const TAG: &str = "Data Feed";
/// Each company costs a call at the provider.
const MOST_MOVED: usize = 100;
const MOST_SCHEDULED: usize = 1_000;
const UNKNOWN: &str = "one of the ids is unknown, or this key does not reach it";

#[derive(Debug, Serialize, JsonSchema)]
pub struct DataFeed {
    /// Companies by status: `synced`, `needs_resync`, `syncing`, `waiting`, `invalid_token`, `paused`, `not_linked`.
    pub statuses: BTreeMap<String, i64>,
    pub companies: i64,
    /// Linked ones whose books differ from the provider's report.
    pub not_verified: i64,
    /// Linked ones that are older than their freshness target.
    pub stale: i64,
    /// The target of every company without one of its own.
    pub freshness_hours: i64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskFreshness {
    #[schemars(range(min = 1, max = 2_160))]
    pub hours: i64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSchedule {
    /// 1 to 1,000 ids; all are scheduled or none.
    #[schemars(length(min = 1, max = 1_000))]
    pub companies: Vec<String>,
    #[schemars(range(min = 15, max = 43_200))]
    pub interval_minutes: i64,
    /// Null: the organization's target holds.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2_160))]
    pub freshness_hours: Option<i64>,
}

/// How many companies it was done for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Scheduled {
    pub scheduled: usize,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskMove {
    /// 1 to 100 ids of companies.
    #[schemars(length(min = 1, max = 100))]
    pub companies: Vec<String>,
    /// The account that is to take them over; without one, for each company the first that the provider lets see it.
    #[serde(default)]
    pub connection_id: Option<String>,
}

/// What can become, or became, of one company.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Move {
    pub company_id: String,
    /// The account that can take it over, or has done so, by name.
    pub to: Option<String>,
    /// Why it cannot be moved.
    pub reason: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    let companies = json!({ "companies": ["0197a1c2d3e4f5061728394a5b6c7d8e"] });
    let schedule = json!({ "companies": ["0197a1c2d3e4f5061728394a5b6c7d8e"], "interval_minutes": 60, "freshness_hours": 24 });
    vec![
        Operation::get("/data-feed", "get_data_feed", Action::UseIntegrations, show)
            .told(TAG, "The Data Feed in numbers", "What `sync_companies` without ids would queue are those that need a resync.")
            .takes_query::<Nothing>()
            .answers::<DataFeed>(),
        Operation::post("/data-feed/freshness", "set_freshness", Action::UseIntegrations, set_freshness)
            .told(TAG, "Set the freshness target of the organization", "")
            .takes::<AskFreshness>(json!({ "hours": 24 }))
            .answers::<DataFeed>(),
        Operation::post("/data-feed/schedule", "schedule_companies", Action::UseIntegrations, schedule_companies)
            .told(TAG, "Schedule companies", "How often they are synced, and how fresh each must be.")
            .takes::<AskSchedule>(schedule)
            .answers::<Scheduled>(),
        Operation::post("/data-feed/move/check", "check_move", Action::UseIntegrations, check_move)
            .told(TAG, "Check who could sync companies", "Asks the provider, now, whether the account sees each of them; nothing is changed.")
            .takes::<AskMove>(companies.clone())
            .only_reads()
            .answers::<List<Move>>(),
        Operation::post("/data-feed/move", "move_companies", Action::UseIntegrations, move_companies)
            .told(TAG, "Update Token User", "Hands over every company the account can see, after a check of each; one answer for each company.")
            .takes::<AskMove>(companies)
            .answers::<List<Move>>(),
    ]
}

async fn show(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<DataFeed>, ApiError> {
    read(&app, &caller).await
}

async fn read(app: &App, caller: &Caller) -> Result<Json<DataFeed>, ApiError> {
    caller.is_unconfined()?;
    let mut conn = app.engine.store.read().await?;
    let counts = feed::count(&mut conn, &caller.organization_id, &Filter::default(), caller.now.as_millisecond()).await?;
    let target = feed::freshness_target(&mut conn, &caller.organization_id).await?;
    Ok(Json(DataFeed {
        statuses: counts.words,
        companies: counts.total,
        not_verified: counts.not_verified,
        stale: counts.stale,
        freshness_hours: target / 3_600,
    }))
}

fn within(field: &str, number: i64, bounds: &std::ops::RangeInclusive<i64>) -> Result<i64, ApiError> {
    match bounds.contains(&number) {
        true => Ok(number),
        false => Err(ApiError::field(field, format!("expected a whole number from {} to {}", bounds.start(), bounds.end()))),
    }
}

async fn set_freshness(State(app): State<App>, caller: Caller, Body(asked): Body<AskFreshness>) -> Result<Json<DataFeed>, ApiError> {
    caller.is_unconfined()?;
    let hours = within("hours", asked.hours, &FRESHNESS_HOURS)?;
    engine::schedule::set_target(&app.engine, &caller.organization_id, hours * 3_600).await?;
    read(&app, &caller).await
}

/// The companies a body names, each once, all of them reached by this key.
fn reached(caller: &Caller, ids: Vec<String>, most: usize) -> Result<Vec<CompanyId>, ApiError> {
    if ids.is_empty() || ids.len() > most {
        return Err(ApiError::field("companies", format!("expected 1 to {most} ids")));
    }
    let mut ids: Vec<CompanyId> = ids.into_iter().map(CompanyId).collect();
    ids.sort();
    ids.dedup();
    if ids.iter().any(|id| !caller.reaches(id)) { Err(ApiError::field("companies", UNKNOWN)) } else { Ok(ids) }
}

fn known<T>(answer: Result<T, EngineError>) -> Result<T, ApiError> {
    match answer {
        Err(EngineError::NotFound) => Err(ApiError::field("companies", UNKNOWN)),
        answer => Ok(answer?),
    }
}

async fn schedule_companies(State(app): State<App>, caller: Caller, Body(asked): Body<AskSchedule>) -> Result<Json<Scheduled>, ApiError> {
    let ids = reached(&caller, asked.companies, MOST_SCHEDULED)?;
    let minutes = within("interval_minutes", asked.interval_minutes, &INTERVAL_MINUTES)?;
    let hours = asked.freshness_hours.map(|hours| within("freshness_hours", hours, &FRESHNESS_HOURS)).transpose()?;
    let set = engine::schedule::set(&app.engine, &caller.organization_id, &ids, minutes * 60, hours.map(|hours| hours * 3_600)).await;
    Ok(Json(Scheduled { scheduled: known(set)? }))
}

/// Whom a body asks to take companies over. Accounts reach further than a key that is confined to companies.
async fn target(app: &App, caller: &Caller, connection_id: Option<String>) -> Result<Target, ApiError> {
    caller.is_unconfined()?;
    let Some(id) = connection_id.map(ConnectionId) else { return Ok(Target::Any) };
    let found = store::connections::find(&mut app.engine.store.read().await?, &caller.organization_id, &id).await?;
    match found.filter(|connection| connection.disconnected_at.is_none()) {
        Some(_) => Ok(Target::Account(id)),
        None => Err(ApiError::field("connection_id", "unknown in this organization")),
    }
}

fn answered(moved: Vec<Moved>) -> Json<List<Move>> {
    let one = |Moved { company_id, to, reason, .. }: Moved| Move { company_id: company_id.0, to, reason };
    Json(List { data: moved.into_iter().map(one).collect(), next_cursor: None })
}

async fn check_move(State(app): State<App>, caller: Caller, Body(asked): Body<AskMove>) -> Result<Json<List<Move>>, ApiError> {
    let target = target(&app, &caller, asked.connection_id).await?;
    let ids = reached(&caller, asked.companies, MOST_MOVED)?;
    Ok(answered(known(engine::connections::check_token_user(&app.engine, &caller.organization_id, &ids, &target).await)?))
}

async fn move_companies(State(app): State<App>, caller: Caller, Body(asked): Body<AskMove>) -> Result<Json<List<Move>>, ApiError> {
    let target = target(&app, &caller, asked.connection_id).await?;
    let ids = reached(&caller, asked.companies, MOST_MOVED)?;
    let moved = engine::connections::update_token_user(&app.engine, &caller.organization_id, &caller.user_id, &ids, &target).await;
    Ok(answered(known(moved)?))
}
