//! Control of what lasts longer than one call: outages, a schedule of faults, taken connections, changes that show late.
use super::behaviour::company_id;
use super::body;
use super::{Answer, Problem, json};
use crate::books::Face;
use crate::faults::{ControlRequest, Fault, Outage};
use crate::live::Pace;
use crate::network::later::Later;
use crate::network::schedule::{Plan, Schedule};
use crate::sandbox::Sandbox;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json as object;

/// Without a fault the provider is down: 503 with a page of HTML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOutage {
    face: Option<Face>,
    company: Option<String>,
    secs: i64,
    fault: Option<Fault>,
}

pub async fn outages(State(sandbox): State<Sandbox>) -> Answer {
    let now = sandbox.clock.now();
    let lasting = sandbox.read(|state| state.faults.outages.iter().filter(|outage| now < outage.until).cloned().collect::<Vec<_>>());
    json(object!({"outages": lasting}))
}

pub async fn add_outage(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: NewOutage = body::read(&bytes)?;
    const YEAR_SECS: i64 = 366 * 86_400;
    if !(1..=YEAR_SECS).contains(&wanted.secs) {
        return Err(Problem::bad("secs is at least 1 and at most a year"));
    }
    let until = sandbox.clock.now() + SignedDuration::from_secs(wanted.secs);
    sandbox.write(|state| {
        let company = wanted.company.as_deref().map(|company| company_id(state, company)).transpose()?;
        let fault = wanted.fault.unwrap_or(Fault::Html { status: 503 });
        state.faults.outages.push(Outage { face: wanted.face, company, until, fault });
        Ok::<(), Problem>(())
    })?;
    outages(State(sandbox)).await
}

pub async fn end_outages(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.write(|state| state.faults.outages.clear());
    outages(State(sandbox)).await
}

pub async fn schedule(State(sandbox): State<Sandbox>) -> Answer {
    json(sandbox.read(|state| match &state.schedule {
        Some(schedule) => object!({"plan": schedule.plan, "calls": schedule.calls, "hits": schedule.hits}),
        None => object!({"plan": null}),
    }))
}

pub async fn set_schedule(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let plan: Plan = body::read(&bytes)?;
    if plan.per_thousand > 1000 {
        return Err(Problem::bad("per_thousand is at most 1000"));
    }
    sandbox.write(|state| state.schedule = Some(Schedule::new(plan)));
    schedule(State(sandbox)).await
}

pub async fn end_schedule(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.write(|state| state.schedule = None);
    schedule(State(sandbox)).await
}

pub async fn live(State(sandbox): State<Sandbox>) -> Answer {
    json(sandbox.read(|state| match &state.live {
        Some(live) => object!({"pace": live.pace, "changes": live.changes}),
        None => object!({"pace": null}),
    }))
}

pub async fn go_live(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let pace: Pace = body::read(&bytes)?;
    const FASTEST: u32 = 1_000_000;
    if pace.speed == 0 || pace.speed > FASTEST || pace.changes_per_day == 0 {
        return Err(Problem::bad(format!("speed is 1 to {FASTEST}, changes_per_day at least 1")));
    }
    sandbox.go_live(pace);
    live(State(sandbox)).await
}

/// Trade stops; the clock runs on at its ordinary pace.
pub async fn end_live(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.write(|state| state.live = None);
    sandbox.clock.run_at(1);
    live(State(sandbox)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TakenConnection {
    company: String,
}

/// As when a user disconnects one organisation at the provider. Xero: the others of the same consent stay. QuickBooks: a consent names
/// one company, so it ends.
pub async fn remove_connection(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: TakenConnection = body::read(&bytes)?;
    sandbox.write(|state| {
        let id = company_id(state, &wanted.company)?;
        let removed = match state.companies[&id].face {
            Face::Xero => {
                let before = state.grants.xero_connections.len();
                state.grants.xero_connections.retain(|connection| connection.tenant_id != id);
                before - state.grants.xero_connections.len()
            }
            Face::QuickBooks => state.grants.revoke_where(None, None, Some(&id)),
        };
        json(object!({"removed": removed}))
    })
}

/// What a provider's status page says, whatever its API does.
pub async fn status_page(State(sandbox): State<Sandbox>, Path(face): Path<Face>) -> Answer {
    json(sandbox.read(|state| object!({"page": face, "status": state.faults.switches.status_page})))
}

/// Marks a request whose time to be seen has come.
#[derive(Clone, Copy)]
pub struct Settled;

/// Keeps changes of books back while `visible_after_secs` says so.
pub async fn keep_back(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let is_change = request.method() == Method::POST && request.uri().path().starts_with("/_control/companies/");
    let secs = sandbox.read(|state| state.faults.switches.visible_after_secs);
    if !is_change || secs == 0 || request.extensions().get::<Settled>().is_some() {
        return next.run(request).await;
    }
    let (parts, content) = request.into_parts();
    let bytes = axum::body::to_bytes(content, 1 << 24).await.unwrap_or_default();
    let wanted: serde_json::Value = match body::read(&bytes) {
        Ok(wanted) => wanted,
        Err(problem) => return problem.into_response(),
    };
    let made_at = sandbox.clock.now();
    let due = made_at + SignedDuration::from_secs(i64::from(secs));
    let path = crate::network::path_of(&parts.uri);
    sandbox.write(|state| state.later.push(Later { due, made_at, request: ControlRequest { path, body: wanted } }));
    let answer = object!({"made_at": made_at.to_string(), "visible_at": due.to_string()});
    (StatusCode::ACCEPTED, Body::from(answer.to_string())).into_response()
}
