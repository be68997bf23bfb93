//! Incidents: what stops companies, one for each cause, and how it ended.
use super::answer::{List, Time};
use super::caller::Caller;
use super::companies::{Syncs, many};
use super::cursor::Place;
use super::error::ApiError;
use super::input::{Flag, Ids, Limit, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use crate::parts::incident;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::CompanyId;
use domain::organization::Action;
use domain::problem::ProblemKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const TAG: &str = "Incidents";

#[derive(Debug, Serialize, JsonSchema)]
pub struct Incident {
    pub id: String,
    pub title: String,
    pub provider: String,
    /// A class of `list_problem_kinds`.
    pub kind: &'static str,
    pub sentence: String,
    pub what_to_do: &'static str,
    /// The account it is about, where it is about one.
    pub connection_id: Option<String>,
    /// Companies it stops now; when it is over, companies it stopped.
    pub companies: i64,
    /// Errors of the log that belong to it.
    pub errors: i64,
    pub opened_at: Time,
    pub last_seen_at: Time,
    pub closed_at: Option<Time>,
    /// How it ended.
    pub closed_by: Option<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct IncidentInFull {
    #[serde(flatten)]
    pub incident: Incident,
    /// Those it still stops first.
    pub affected: Vec<Affected>,
    /// The same cause, earlier.
    pub before: Option<Before>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Affected {
    pub company_id: String,
    pub name: String,
    pub since: Time,
    pub resolved_at: Option<Time>,
    pub resolved_by: Option<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Before {
    pub times: i64,
    pub first_at: Time,
    pub last_closed_at: Time,
    pub closed_by: Option<&'static str>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListIncidents {
    /// Those that are open, or those that are over.
    pub open: Option<Flag>,
    pub limit: Option<Limit>,
    pub cursor: Option<String>,
}

/// A class of errors.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProblemClass {
    pub kind: &'static str,
    pub cause: &'static str,
    pub explanation: &'static str,
    pub retry: String,
    pub what_to_do: &'static str,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/incidents", "list_incidents", Action::UseIntegrations, list)
            .told(TAG, "Incidents", "Those opened last first.")
            .takes_query::<ListIncidents>()
            .answers::<List<Incident>>(),
        Operation::get("/incidents/{id}", "get_incident", Action::UseIntegrations, show)
            .told(TAG, "One incident with its companies", "")
            .takes_query::<Nothing>()
            .answers::<IncidentInFull>(),
        Operation::post("/incidents/{id}/sync", "sync_incident", Action::UseIntegrations, sync)
            .told(TAG, "Sync every company an incident stops", "Each company gets its own answer.")
            .with_status(StatusCode::ACCEPTED)
            .answers::<Syncs>(),
        Operation::get("/problem-kinds", "list_problem_kinds", Action::UseIntegrations, list_kinds)
            .told(TAG, "What errors mean", "Each class of errors with what is behind it and its one remedy.")
            .takes_query::<Nothing>()
            .answers::<List<ProblemClass>>(),
    ]
}

fn shown(found: store::incidents::Incident) -> Incident {
    Incident {
        title: incident::title(&found),
        id: found.id,
        provider: found.provider,
        kind: found.kind.as_str(),
        sentence: found.sentence,
        what_to_do: found.kind.remedy().sentence(),
        connection_id: found.connection_id.map(|id| id.0),
        companies: found.companies,
        errors: found.errors,
        opened_at: Time(found.opened_at),
        last_seen_at: Time(found.last_seen_at),
        closed_at: found.closed_at.map(Time),
        closed_by: found.closed_by.map(|by| by.as_str()),
    }
}

async fn list(State(app): State<App>, caller: Caller, Query(asked): Query<ListIncidents>) -> Result<Json<List<Incident>>, ApiError> {
    caller.is_unconfined()?;
    let limit = asked.limit.map_or(50, |limit| limit.0);
    let is_open = asked.open.map(|flag| flag.0);
    let place = Place { app: &app, caller: &caller, list: "incidents", filter: format!("{is_open:?}") };
    let position = place.open(asked.cursor.as_deref())?;
    let before = position.as_deref().and_then(|text| text.split_once('/')).and_then(|(at, id)| Some((at.parse().ok()?, id)));
    let mut conn = app.engine.store.read().await?;
    let mut rows = store::incidents::list_page(&mut conn, &caller.organization_id, is_open, before, limit as i64 + 1).await?;
    let next_cursor = place.next(&mut rows, limit, |incident| format!("{}/{}", incident.opened_at, incident.id));
    Ok(Json(List { data: rows.into_iter().map(shown).collect(), next_cursor }))
}

async fn show(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<IncidentInFull>, ApiError> {
    caller.is_unconfined()?;
    let mut conn = app.engine.store.read().await?;
    let found = store::incidents::find(&mut conn, &caller.organization_id, ids.text("id")).await?.ok_or(ApiError::NotFound)?;
    let companies = store::incidents::list_companies(&mut conn, &found.id).await?;
    let before = store::incidents::find_before(&mut conn, &found).await?;
    let affected = companies.into_iter().map(|company| Affected {
        company_id: company.company_id.0,
        name: company.name,
        since: Time(company.first_seen_at),
        resolved_at: company.resolved_at.map(Time),
        resolved_by: company.resolved_by.map(|by| by.as_str()),
    });
    Ok(Json(IncidentInFull {
        incident: shown(found),
        affected: affected.collect(),
        before: before.map(|before| Before {
            times: before.times,
            first_at: Time(before.first_at),
            last_closed_at: Time(before.last_closed_at),
            closed_by: before.closed_by.map(|by| by.as_str()),
        }),
    }))
}

async fn sync(State(app): State<App>, caller: Caller, ids: Ids) -> Result<(StatusCode, Json<Syncs>), ApiError> {
    caller.is_unconfined()?;
    let mut conn = app.engine.store.read().await?;
    let found = store::incidents::find(&mut conn, &caller.organization_id, ids.text("id")).await?.ok_or(ApiError::NotFound)?;
    let companies = store::incidents::list_companies(&mut conn, &found.id).await?;
    drop(conn);
    let stopped: Vec<CompanyId> = companies.into_iter().filter(|company| company.resolved_at.is_none()).map(|company| company.company_id).collect();
    let answer = engine::sync::request_many(&app.engine, &caller.organization_id, &stopped, caller.trigger()).await?;
    Ok((StatusCode::ACCEPTED, Json(many(answer))))
}

async fn list_kinds(Query(Nothing {}): Query<Nothing>) -> Json<List<ProblemClass>> {
    let class = |kind: ProblemKind| {
        let class = crate::pages::error_guide::Class::of(kind);
        ProblemClass { kind: class.id, cause: class.cause, explanation: class.explanation, retry: class.retry, what_to_do: class.remedy }
    };
    Json(List { data: ProblemKind::ALL.map(class).into(), next_cursor: None })
}
