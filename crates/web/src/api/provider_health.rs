//! How the providers answer this organization's calls.
use super::answer::{List, Time};
use super::caller::Caller;
use super::error::ApiError;
use super::input::{Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use domain::organization::Action;
use engine::health::{self, Health, Summary};
use schemars::JsonSchema;
use serde::Serialize;
use store::provider_calls::MINUTE_MS;

const TAG: &str = "Connections";

#[derive(Debug, Serialize, JsonSchema)]
pub struct ProviderHealth {
    pub provider: String,
    /// Of the last ten minutes: `quiet` (no call), `answering`, `unsteady` (some calls failed), `limited` (a limit was reached) or `failing` (half of the
    /// calls failed, or more).
    pub state: &'static str,
    /// To the minute, within the last 24 hours.
    pub last_answered_at: Option<Time>,
    pub hour: Calls,
    pub day: Calls,
    /// Companies that wait for it now.
    pub waiting_companies: i64,
    /// `null`: this server has no keys for it.
    pub limits: Option<Limits>,
    pub last_incident_id: Option<String>,
}

/// Calls of the last hour or the last 24 hours.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Calls {
    pub calls: i64,
    /// Without an answer, or answered with an error of the provider's own.
    pub failed: i64,
    /// Refused because of a limit.
    pub limited: i64,
    /// Half of the calls took at most this, rounded up to a class; `null`: no call, or more than 10,000.
    pub half_within_ms: Option<u64>,
    /// The same of 95 of 100 calls.
    pub most_within_ms: Option<u64>,
    pub slowest_ms: i64,
    /// Calls of all companies in the minute with the most.
    pub busiest_minute: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Limits {
    pub per_minute_and_company: u32,
    pub per_day_and_company: Option<u32>,
    pub per_minute: Option<u32>,
    /// Calls today, in UTC, of the company that made the most.
    pub busiest_company_today: i64,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/provider-health", "list_provider_health", Action::UseIntegrations, list)
            .told(
                TAG,
                "How the providers answer",
                "Errors, times and limits of this organization's calls, counted over all nodes; up to five seconds old.",
            )
            .takes_query::<Nothing>()
            .answers::<List<ProviderHealth>>(),
    ]
}

fn calls(summary: &Summary) -> Calls {
    let tally = summary.tally;
    Calls {
        calls: tally.calls,
        failed: tally.failed,
        limited: tally.limited,
        half_within_ms: summary.within_ms(50),
        most_within_ms: summary.within_ms(95),
        slowest_ms: tally.slowest_ms,
        busiest_minute: summary.busiest_minute,
    }
}

fn shown(health: Health) -> ProviderHealth {
    ProviderHealth {
        state: health.state.as_str(),
        last_answered_at: health.last_answer_minute.map(|minute| Time(minute * MINUTE_MS)),
        hour: calls(&health.hour),
        day: calls(&health.day),
        waiting_companies: health.waiting,
        limits: health.limits.map(|limits| Limits {
            per_minute_and_company: limits.per_minute,
            per_day_and_company: limits.per_day,
            per_minute: limits.app_per_minute,
            busiest_company_today: health.busiest_today.as_ref().map_or(0, |busiest| busiest.calls),
        }),
        last_incident_id: health.last_incident.map(|incident| incident.id),
        provider: health.provider,
    }
}

async fn list(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<ProviderHealth>>, ApiError> {
    let found = health::list(&app.engine, &caller.organization_id).await?;
    Ok(Json(List { data: found.into_iter().map(shown).collect(), next_cursor: None }))
}
