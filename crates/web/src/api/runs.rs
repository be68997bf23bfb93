//! Runs: every sync that is queued, runs or has ended, with what it did.
use super::answer::{List, Time};
use super::caller::Caller;
use super::cursor::Place;
use super::error::ApiError;
use super::input::{Ids, Limit, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::{CompanyId, RunId};
use domain::job::Trigger;
use domain::organization::Action;
use domain::problem::Problem;
use domain::sync::{Counts, RunState};
use engine::support_bundle::Subject;
use engine::sync::Progress;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const TAG: &str = "Runs";

#[derive(Debug, Serialize, JsonSchema)]
pub struct Run {
    pub id: String,
    pub company_id: String,
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    pub state: &'static str,
    /// `full` or `changes`.
    pub extent: &'static str,
    /// Schedule, person, first import or command line.
    pub trigger: &'static str,
    /// What it does now.
    pub step: String,
    pub attempt: i64,
    pub counts: RunCounts,
    /// By the provider's name of the data type.
    pub data_types: BTreeMap<&'static str, RunCounts>,
    pub calls: i64,
    pub bytes: i64,
    pub created_at: Time,
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
    /// A queued run waits until then.
    pub waits_until: Option<Time>,
    pub waits_for: Option<String>,
    pub problem: Option<RunProblem>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct RunCounts {
    pub added: u64,
    pub changed: u64,
    pub deleted: u64,
    pub unchanged: u64,
    pub quarantined: u64,
}

/// Why a run failed, and what to do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunProblem {
    pub cause: &'static str,
    pub sentence: String,
    pub remedy: &'static str,
    pub endpoint: Option<String>,
    pub http_status: Option<u16>,
    pub provider_request_id: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRuns {
    /// Runs of this company only.
    pub company: Option<String>,
    pub state: Option<StateWord>,
    pub limit: Option<Limit>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StateWord {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl StateWord {
    fn state(self) -> RunState {
        match self {
            StateWord::Queued => RunState::Queued,
            StateWord::Running => RunState::Running,
            StateWord::Succeeded => RunState::Succeeded,
            StateWord::Failed => RunState::Failed,
            StateWord::Cancelled => RunState::Cancelled,
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LastRuns {
    /// 5 unless said.
    pub limit: Option<Limit>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/runs", "list_runs", Action::UseIntegrations, list)
            .told(TAG, "Runs", "Newest first.")
            .refuses(StatusCode::NOT_FOUND)
            .takes_query::<ListRuns>()
            .answers::<List<Run>>(),
        Operation::get("/companies/{id}/runs", "list_company_runs", Action::ReadCompany, list_of_company)
            .told(TAG, "The last runs of a company", "Newest first, also for a Member's key; `list_runs` goes further back.")
            .takes_query::<LastRuns>()
            .answers::<List<Run>>(),
        Operation::get("/runs/{id}", "get_run", Action::UseIntegrations, show).told(TAG, "One run", "").takes_query::<Nothing>().answers::<Run>(),
        Operation::get("/runs/{id}/support-bundle", "get_run_support_bundle", Action::UseIntegrations, support_bundle)
            .told(TAG, "The support bundle of a run", "What support needs to know of it, without names, addresses, amounts or secrets.")
            .takes_query::<Nothing>()
            .answers::<SupportBundle>(),
        Operation::post("/runs/{id}/cancel", "cancel_run", Action::UseIntegrations, cancel)
            .told(TAG, "Cancel a run", "It stops after the part it is writing; what was synced is kept. A run that has ended is refused with 409.")
            .answers::<Run>(),
    ]
}

/// A support bundle, and what was taken out of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SupportBundle {
    pub left_out: Vec<LeftOut>,
    /// Its form follows what there is to tell, and changes with versions.
    pub bundle: serde_json::Map<String, serde_json::Value>,
}

/// A mark that stands in the place of something, and how often.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeftOut {
    pub mark: &'static str,
    pub times: usize,
}

impl SupportBundle {
    /// Whoever asks has looked whether the caller reaches the subject.
    pub async fn make(app: &App, caller: &Caller, subject: &Subject) -> Result<Json<SupportBundle>, ApiError> {
        let bundle = engine::support_bundle::make(&app.engine, &caller.organization_id, subject).await?;
        Ok(Json(SupportBundle {
            left_out: bundle.hidden.into_iter().map(|(mark, times)| LeftOut { mark, times }).collect(),
            bundle: serde_json::from_str(&bundle.text).expect("a bundle is an object of JSON"),
        }))
    }
}

fn counts(counts: Counts) -> RunCounts {
    let Counts { added, changed, deleted, unchanged, quarantined, .. } = counts;
    RunCounts { added, changed, deleted, unchanged, quarantined }
}

pub fn shown(run: store::runs::Run) -> Run {
    let progress = Progress::parse(&run.progress);
    let waits = run.state == RunState::Queued && run.waiting_for.is_some();
    let problem = run.problem.as_deref().and_then(|text| serde_json::from_str::<Problem>(text).ok());
    Run {
        id: run.id.0,
        company_id: run.company_id.0,
        state: run.state.as_str(),
        extent: run.extent.as_str(),
        trigger: Trigger::label(&run.requested_by),
        step: run.step,
        attempt: run.attempt,
        counts: counts(progress.total()),
        data_types: progress.counts.iter().map(|(data_type, of_type)| (data_type.as_str(), counts(*of_type))).collect(),
        calls: run.calls,
        bytes: run.bytes,
        created_at: Time(run.created_at),
        started_at: run.started_at.map(Time),
        finished_at: run.finished_at.map(Time),
        waits_until: waits.then_some(Time(run.run_after)),
        waits_for: run.waiting_for.filter(|_| waits),
        problem: problem.map(|problem| RunProblem {
            cause: problem.kind.cause(),
            remedy: problem.kind.remedy().sentence(),
            sentence: problem.sentence,
            endpoint: problem.endpoint,
            http_status: problem.http_status,
            provider_request_id: problem.provider_request_id,
        }),
    }
}

async fn list(State(app): State<App>, caller: Caller, Query(asked): Query<ListRuns>) -> Result<Json<List<Run>>, ApiError> {
    let limit = asked.limit.map_or(50, |limit| limit.0);
    let state = asked.state.map(StateWord::state);
    let place = Place { app: &app, caller: &caller, list: "runs", filter: format!("{:?}|{state:?}", asked.company) };
    let before = place.open(asked.cursor.as_deref())?.map(RunId);
    let mut conn = app.engine.store.read().await?;
    let company_id = asked.company.map(CompanyId);
    if let Some(id) = &company_id {
        caller.company(&mut conn, id).await?;
    } else if caller.companies.is_some() {
        return Err(ApiError::bad("This key reaches some companies only: name one with `company`."));
    }
    let mut rows = store::runs::list_page(&mut conn, &caller.organization_id, company_id.as_ref(), state, before.as_ref(), limit as i64 + 1).await?;
    let next_cursor = place.next(&mut rows, limit, |run| run.id.0.clone());
    Ok(Json(List { data: rows.into_iter().map(shown).collect(), next_cursor }))
}

async fn list_of_company(State(app): State<App>, caller: Caller, ids: Ids, Query(asked): Query<LastRuns>) -> Result<Json<List<Run>>, ApiError> {
    let limit = asked.limit.map_or(5, |limit| limit.0);
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let mut data: Vec<Run> = store::runs::list_by_company(&mut conn, &company.id, limit as i64).await?.into_iter().map(shown).collect();
    if !caller.role.may(Action::UseIntegrations) {
        // where at the provider it failed is for those who see Integrations
        for problem in data.iter_mut().filter_map(|run| run.problem.as_mut()) {
            (problem.endpoint, problem.http_status, problem.provider_request_id) = (None, None, None);
        }
    }
    Ok(Json(List { data, next_cursor: None }))
}

async fn find(app: &App, caller: &Caller, id: &RunId) -> Result<store::runs::Run, ApiError> {
    let run = store::runs::find(&mut app.engine.store.read().await?, id).await?;
    run.filter(|run| run.organization_id == caller.organization_id && caller.reaches(&run.company_id)).ok_or(ApiError::NotFound)
}

async fn show(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<Run>, ApiError> {
    Ok(Json(shown(find(&app, &caller, &ids.run()).await?)))
}

async fn support_bundle(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<SupportBundle>, ApiError> {
    let run = find(&app, &caller, &ids.run()).await?;
    SupportBundle::make(&app, &caller, &Subject::Run(run.id)).await
}

async fn cancel(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<Run>, ApiError> {
    let run = find(&app, &caller, &ids.run()).await?;
    if !engine::sync::cancel(&app.engine, &caller.organization_id, &run.id).await? {
        return Err(ApiError::Conflict { message: "This run has ended already.".into(), run_id: Some(run.id.0) });
    }
    Ok(Json(shown(find(&app, &caller, &ids.run()).await?)))
}
