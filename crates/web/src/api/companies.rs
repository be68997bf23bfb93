//! Companies: their status as the Data Feed shows it, and what can be asked of them.
use super::answer::{List, Time};
use super::caller::Caller;
use super::cursor::Place;
use super::error::ApiError;
use super::input::{Body, Flag, Ids, Limit, Nothing, Part, Query};
use super::operation::Operation;
use super::runs::{Run, shown as shown_run};
use crate::app::App;
use crate::pages::company_delete;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::clock::Month;
use domain::company::{SyncStatus, sync_status};
use domain::data_type::UnknownDataType;
use domain::ids::CompanyId;
use domain::organization::Action;
use domain::problem::Problem;
use domain::sync::Extent;
use engine::sync::Again;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::companies::CompanyFilter;
use store::runs::Requested;

const TAG: &str = "Companies";

#[derive(Debug, Serialize, JsonSchema)]
pub struct Company {
    pub id: String,
    pub name: String,
    /// `quickbooks` or `xero`.
    pub provider: String,
    pub currency: String,
    pub country: String,
    pub time_zone: String,
    /// 1 is January.
    pub fiscal_year_start_month: i8,
    pub linked: bool,
    pub paused: bool,
    /// `synced`, `needs_resync`, `syncing`, `waiting`, `invalid_token` or `paused`; null while it is not linked.
    pub status: Option<&'static str>,
    /// Why it needs a resync.
    pub status_reason: Option<&'static str>,
    /// `verified`, `not_verified` or `not_checked`.
    pub mark: &'static str,
    /// The day of the trial balance that was compared.
    pub verified_as_of: Option<String>,
    /// What its ledger stands on: `reported` is the provider's own.
    pub evidence: String,
    pub last_synced_at: Option<Time>,
    pub next_sync_at: Option<Time>,
    /// How often it is synced.
    pub interval_minutes: i64,
    /// Within which time it must have been brought up to date.
    pub freshness_hours: i64,
    /// That is a target of its own, not the organization's.
    pub has_own_freshness: bool,
    /// Why its last run failed, as a sentence; null when it did not.
    pub problem: Option<String>,
    /// The account it is read through. Only Admins and Owners see it.
    pub connection_id: Option<String>,
    pub run_id: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCompanies {
    /// `quickbooks` or `xero`.
    pub provider: Option<ProviderWord>,
    /// Part of the name.
    pub name: Option<Part>,
    pub linked: Option<Flag>,
    /// Rows of a page, 50 unless said.
    pub limit: Option<Limit>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProviderWord {
    Quickbooks,
    Xero,
}

impl ProviderWord {
    pub fn as_str(self) -> &'static str {
        match self {
            ProviderWord::Quickbooks => "quickbooks",
            ProviderWord::Xero => "xero",
        }
    }
}

/// How much a sync fetches.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSync {
    /// `changes` since the last sync, or `full`: everything from the first transaction. Changes unless said.
    #[serde(default)]
    pub extent: Option<ExtentWord>,
    /// With changes: data types to list whole again, by the provider's names (`Invoice`).
    #[serde(default)]
    pub data_types: Vec<String>,
    /// With changes: the ledger of a period to read again, by its first and last month; where the provider's ledger is read by month.
    #[serde(default)]
    pub months: Option<Months>,
}

/// A period of whole months.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Months {
    /// `2026-01`
    pub first: String,
    /// `2026-03`
    pub last: String,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExtentWord {
    Changes,
    Full,
}

/// Several companies at once.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSyncs {
    /// 1 to 1,000 ids of companies. Without it: every company that needs a resync.
    #[serde(default)]
    pub companies: Option<Vec<String>>,
}

/// What became of each.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Syncs {
    pub queued: Vec<String>,
    pub already_running: Vec<String>,
    pub refused: Vec<Refused>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Refused {
    pub company_id: String,
    pub reason: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletePreview {
    /// Records that are deleted.
    pub records: i64,
    pub linked: bool,
    /// A sync is under way; it stops.
    pub is_running: bool,
    /// What `name` must say.
    pub name: String,
    /// An account sees it at the provider: it is listed anew, not linked, with nothing in it.
    pub is_seen: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskDelete {
    /// The name of the company, exactly as `preview_delete_company` writes it.
    #[schemars(length(max = 1000))]
    pub name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Deleted {
    /// An account sees it at the provider: it is listed anew, not linked, with nothing in it.
    pub is_seen: bool,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/companies", "list_companies", Action::ReadCompany, list)
            .told(TAG, "Companies", "Every company the key reaches, in order of id.")
            .takes_query::<ListCompanies>()
            .answers::<List<Company>>(),
        Operation::get("/companies/{id}", "get_company", Action::ReadCompany, show)
            .told(TAG, "One company", "")
            .takes_query::<Nothing>()
            .answers::<Company>(),
        Operation::post("/companies/{id}/sync", "sync_company", Action::UseIntegrations, sync)
            .told(
                TAG,
                "Sync a company",
                "Queues a sync. A company has one sync at a time: while one is queued or running the answer is 409 with its `run_id`.",
            )
            .takes::<AskSync>(json!({ "extent": "changes" }))
            .with_status(StatusCode::ACCEPTED)
            .answers::<Run>(),
        Operation::post("/companies/sync", "sync_companies", Action::UseIntegrations, sync_many)
            .told(TAG, "Sync several companies", "Each company gets its own answer; nothing is queued when one of the ids is unknown.")
            .takes::<AskSyncs>(json!({ "companies": ["0197a1c2d3e4f5061728394a5b6c7d8e"] }))
            .with_status(StatusCode::ACCEPTED)
            .answers::<Syncs>(),
        Operation::post("/companies/{id}/link", "link_company", Action::UseIntegrations, link)
            .told(TAG, "Link a company", "From now on it is synced; its first sync is queued.")
            .with_status(StatusCode::ACCEPTED)
            .answers::<Company>(),
        Operation::post("/companies/{id}/unlink", "unlink_company", Action::UseIntegrations, unlink)
            .told(TAG, "Unlink a company", "It is no longer synced; what was synced is kept.")
            .answers::<Company>(),
        Operation::post("/companies/{id}/pause", "pause_company", Action::UseIntegrations, pause)
            .told(TAG, "Pause the schedule of a company", "It is synced only when somebody asks for it; a sync that is going on ends as usual.")
            .answers::<Company>(),
        Operation::post("/companies/{id}/resume", "resume_company", Action::UseIntegrations, resume)
            .told(TAG, "Resume the schedule of a company", "")
            .answers::<Company>(),
        Operation::get("/companies/{id}/delete", "preview_delete_company", Action::UseIntegrations, preview_delete)
            .told(TAG, "What deleting a company would do", "")
            .takes_query::<Nothing>()
            .answers::<DeletePreview>(),
        Operation::post("/companies/{id}/delete", "delete_company", Action::UseIntegrations, delete)
            .told(
                TAG,
                "Delete a company",
                "Ends its sync and deletes every record, statement, proof and log entry of it, linked or not. It takes the name of the company; keys that \
                 reach nothing else end with it. Nothing is changed at the provider.",
            )
            .takes::<AskDelete>(json!({ "name": "Kauri Outdoor Ltd" }))
            .answers::<Deleted>(),
    ]
}

pub fn shown(company: store::companies::Company, caller: &Caller) -> Company {
    let status = sync_status(&company.status_facts(), caller.now);
    let linked = company.linked_at.is_some();
    let sees_accounts = caller.role.may(Action::UseIntegrations);
    Company {
        id: company.id.0,
        name: company.name,
        provider: company.provider,
        currency: company.currency,
        country: company.country,
        time_zone: company.time_zone,
        fiscal_year_start_month: company.fiscal_year_start_month,
        linked,
        paused: company.paused_at.is_some(),
        status: linked.then(|| status.key()),
        status_reason: match status {
            SyncStatus::NeedsResync(reason) if linked => Some(reason.label()),
            _ => None,
        },
        mark: company.mark.as_str(),
        verified_as_of: company.marked_as_of,
        evidence: company.evidence,
        last_synced_at: company.last_success_at.map(Time),
        next_sync_at: company.next_due_at.filter(|_| linked && company.paused_at.is_none()).map(Time),
        interval_minutes: company.interval_secs / 60,
        freshness_hours: company.freshness_target_secs / 3_600,
        has_own_freshness: company.freshness_secs.is_some(),
        problem: company.last_problem.as_deref().and_then(|text| serde_json::from_str::<Problem>(text).ok()).map(|problem| problem.sentence),
        connection_id: sees_accounts.then_some(company.connection_id.0),
        run_id: company.run.map(|run| run.id.0),
    }
}

async fn list(State(app): State<App>, caller: Caller, Query(asked): Query<ListCompanies>) -> Result<Json<List<Company>>, ApiError> {
    let limit = asked.limit.map_or(50, |limit| limit.0);
    let provider = asked.provider.map(ProviderWord::as_str);
    let (name, linked) = (asked.name.map(|part| part.0), asked.linked.map(|flag| flag.0));
    let place = Place { app: &app, caller: &caller, list: "companies", filter: format!("{provider:?}|{name:?}|{linked:?}") };
    let after = place.open(asked.cursor.as_deref())?.unwrap_or_default();
    let filter = CompanyFilter { provider, name: name.as_deref(), linked, only: caller.companies.as_ref() };
    let mut conn = app.engine.store.read().await?;
    let mut rows = match caller.companies.is_none() && caller.role == domain::organization::Role::Member {
        true => Vec::new(),
        false => store::companies::list_page(&mut conn, &caller.organization_id, &filter, &after, limit as i64 + 1).await?,
    };
    let next_cursor = place.next(&mut rows, limit, |company| company.id.0.clone());
    Ok(Json(List { data: rows.into_iter().map(|company| shown(company, &caller)).collect(), next_cursor }))
}

async fn show(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<Company>, ApiError> {
    let company = caller.company(&mut app.engine.store.read().await?, &ids.company()).await?;
    Ok(Json(shown(company, &caller)))
}

fn again(asked: &AskSync) -> Result<Again, ApiError> {
    let mut again = Again::default();
    for word in &asked.data_types {
        again.data_types.insert(word.parse().map_err(|unknown: UnknownDataType| ApiError::field("data_types", unknown.to_string()))?);
    }
    if let Some(Months { first, last }) = &asked.months {
        let month = |name: &str, text: &str| Month::parse(text).ok_or_else(|| ApiError::field(name, "expected a month like `2026-01`"));
        again.months = Some((month("months.first", first)?, month("months.last", last)?));
    }
    Ok(again)
}

async fn sync(State(app): State<App>, caller: Caller, ids: Ids, Body(asked): Body<AskSync>) -> Result<(StatusCode, Json<Run>), ApiError> {
    let id = ids.company();
    caller.company(&mut app.engine.store.read().await?, &id).await?;
    let again = again(&asked)?;
    let requested = match asked.extent {
        Some(ExtentWord::Full) if !again.is_empty() => return Err(ApiError::field("extent", "a full sync reads every data type and month")),
        Some(ExtentWord::Full) => engine::sync::request(&app.engine, &caller.organization_id, &id, caller.trigger(), Some(Extent::Full)).await?,
        // changes are what is asked for without an extent, where there is something to build on
        _ if again.is_empty() => engine::sync::request(&app.engine, &caller.organization_id, &id, caller.trigger(), None).await?,
        _ => engine::sync::request_again(&app.engine, &caller.organization_id, &id, caller.trigger(), &again).await?,
    };
    match requested {
        Requested::Queued(run_id) => {
            let run = store::runs::find(&mut app.engine.store.read().await?, &run_id).await?.ok_or(ApiError::NotFound)?;
            Ok((StatusCode::ACCEPTED, Json(shown_run(run))))
        }
        Requested::AlreadyActive(run_id) => {
            Err(ApiError::Conflict { message: "A sync of this company is queued or running already.".into(), run_id: Some(run_id.0) })
        }
    }
}

async fn sync_many(State(app): State<App>, caller: Caller, Body(asked): Body<AskSyncs>) -> Result<(StatusCode, Json<Syncs>), ApiError> {
    let answer = match asked.companies {
        Some(ids) => {
            if ids.is_empty() || ids.len() > 1_000 {
                return Err(ApiError::field("companies", "expected 1 to 1,000 ids"));
            }
            let mut ids: Vec<CompanyId> = ids.into_iter().map(CompanyId::new).collect();
            ids.sort();
            ids.dedup();
            if ids.iter().any(|id| !caller.reaches(id)) {
                return Err(ApiError::field("companies", "one of the ids is unknown, or this key does not reach it"));
            }
            match engine::sync::request_many(&app.engine, &caller.organization_id, &ids, caller.trigger()).await {
                Err(engine::EngineError::NotFound) => {
                    return Err(ApiError::field("companies", "one of the ids is unknown, or this key does not reach it"));
                }
                answer => answer?,
            }
        }
        None if caller.companies.is_some() => {
            return Err(ApiError::field("companies", "this key reaches some companies only: name those to sync"));
        }
        None => engine::sync::request_all_due(&app.engine, &caller.organization_id, caller.trigger()).await?,
    };
    Ok((StatusCode::ACCEPTED, Json(many(answer))))
}

/// What became of each company that was asked for.
pub fn many(answer: engine::sync::ManyRequested) -> Syncs {
    let ids = |named: Vec<(CompanyId, String)>| named.into_iter().map(|(id, _)| id.0).collect();
    let refused = answer.refused.into_iter().map(|(id, _, reason)| Refused { company_id: id.0, reason }).collect();
    Syncs { queued: ids(answer.queued), already_running: ids(answer.already_running), refused }
}

async fn pause(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<Company>, ApiError> {
    let id = ids.company();
    caller.company(&mut app.engine.store.read().await?, &id).await?;
    engine::schedule::pause(&app.engine, &caller.organization_id, std::slice::from_ref(&id)).await?;
    let company = caller.company(&mut app.engine.store.read().await?, &id).await?;
    Ok(Json(shown(company, &caller)))
}

async fn resume(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<Company>, ApiError> {
    let id = ids.company();
    caller.company(&mut app.engine.store.read().await?, &id).await?;
    engine::schedule::resume(&app.engine, &caller.organization_id, std::slice::from_ref(&id)).await?;
    let company = caller.company(&mut app.engine.store.read().await?, &id).await?;
    Ok(Json(shown(company, &caller)))
}

async fn link(State(app): State<App>, caller: Caller, ids: Ids) -> Result<(StatusCode, Json<Company>), ApiError> {
    let id = ids.company();
    caller.company(&mut app.engine.store.read().await?, &id).await?;
    engine::connections::link(&app.engine, &caller.organization_id, &id, &caller.user_id).await?;
    let company = caller.company(&mut app.engine.store.read().await?, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(shown(company, &caller))))
}

async fn unlink(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<Company>, ApiError> {
    let id = ids.company();
    caller.company(&mut app.engine.store.read().await?, &id).await?;
    engine::connections::unlink(&app.engine, &caller.organization_id, &id).await?;
    let company = caller.company(&mut app.engine.store.read().await?, &id).await?;
    Ok(Json(shown(company, &caller)))
}

async fn preview_delete(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<DeletePreview>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    Ok(Json(DeletePreview {
        records: store::inventory::sum(&mut conn, std::slice::from_ref(&company.id)).await?,
        linked: company.linked_at.is_some(),
        is_running: company.run.is_some(),
        name: company_delete::word(&company),
        is_seen: !store::companies::list_seen_by(&mut conn, &company.id).await?.is_empty(),
    }))
}

async fn delete(State(app): State<App>, caller: Caller, ids: Ids, Body(asked): Body<AskDelete>) -> Result<Json<Deleted>, ApiError> {
    let company = caller.company(&mut app.engine.store.read().await?, &ids.company()).await?;
    let word = company_delete::word(&company);
    if company_delete::on_one_line(&asked.name) != word {
        return Err(ApiError::field("name", format!("to delete the company, send its name exactly: {word}")));
    }
    let deleted = engine::connections::delete_company(&app.engine, &caller.organization_id, &company.id, &caller.user_id).await?;
    Ok(Json(Deleted { is_seen: deleted.is_offered }))
}
