//! The control API of the sandbox under `/_control`: looks behind the faces, moves time, changes books as a person would, breaks things.
//!
//! Bodies are JSON; amounts are texts with up to two decimals (JSON numbers are accepted and read exactly). Faulty requests get 400,
//! unknown things 404, both with `{"error": "..."}`.
mod behaviour;
mod body;
mod companies;
mod documents;
mod journal;
mod lists;
mod people;
mod trouble;
mod webhooks;

pub use trouble::Settled;

use crate::sandbox::Sandbox;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};

pub fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/_control/health", get(behaviour::health))
        .route("/_control/clock", get(behaviour::clock).post(behaviour::set_clock))
        .route("/_control/calls", get(behaviour::calls))
        .route("/_control/calls/reset", post(behaviour::reset_calls))
        .route("/_control/requests", get(journal::requests).delete(journal::forget_requests))
        .route("/_control/requests/{number}/{part}", get(journal::bytes))
        .route("/_control/tokens", get(journal::tokens))
        .route("/_control/connections/remove", post(trouble::remove_connection))
        .route("/_control/outages", get(trouble::outages).post(trouble::add_outage).delete(trouble::end_outages))
        .route("/_control/live", get(trouble::live).post(trouble::go_live).delete(trouble::end_live))
        .route("/_control/schedule", get(trouble::schedule).post(trouble::set_schedule).delete(trouble::end_schedule))
        .route("/_control/webhooks", get(webhooks::endpoints).post(webhooks::add).delete(webhooks::remove))
        .route("/_control/webhooks/mischief", post(webhooks::mischief))
        .route("/_control/webhooks/deliveries", get(webhooks::deliveries))
        .route("/_status/{face}", get(trouble::status_page))
        .route("/_control/tokens/expire", post(behaviour::expire_tokens))
        .route("/_control/tokens/revoke", post(behaviour::revoke_tokens))
        .route("/_control/tokens/remove_scope", post(behaviour::remove_scope))
        .route("/_control/faults", get(behaviour::faults).post(behaviour::inject).delete(behaviour::clear_faults))
        .route("/_control/limits", get(behaviour::limits).post(behaviour::set_limits))
        .route("/_control/switches", get(behaviour::switches).post(behaviour::set_switches))
        .route("/_control/apps", get(people::apps).post(people::put_app))
        .route("/_control/users", get(people::users).post(people::put_user))
        .route("/_control/companies", get(companies::companies).post(companies::add_company))
        .route("/_control/companies/{company}", get(companies::company).delete(companies::remove_company))
        .route("/_control/companies/{company}/documents", get(documents::documents).post(documents::add_document))
        .route("/_control/companies/{company}/documents/{document}", get(documents::document))
        .route("/_control/companies/{company}/documents/{document}/{change}", post(documents::change_document))
        .route("/_control/companies/{company}/accounts", get(lists::accounts).post(lists::add_account))
        .route("/_control/companies/{company}/accounts/{account}/{change}", post(lists::change_account))
        .route("/_control/companies/{company}/contacts", get(lists::contacts).post(lists::add_contact))
        .route("/_control/companies/{company}/contacts/{contact}/{change}", post(lists::change_contact))
        .route("/_control/companies/{company}/trial_balance", get(companies::trial_balance))
        .route("/_control/companies/{company}/truth", get(companies::truth))
        .route("/_control/{*rest}", any(|uri: axum::http::Uri| async move { Problem::missing(format!("the control API has no {}", uri.path())) }))
        .layer(axum::middleware::from_fn_with_state(sandbox.clone(), trouble::keep_back))
        .with_state(sandbox)
}

/// A request the control API cannot fulfil.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    reason: String,
}

impl Problem {
    fn bad(reason: impl Into<String>) -> Problem {
        Problem { status: StatusCode::BAD_REQUEST, reason: reason.into() }
    }
    fn missing(reason: impl Into<String>) -> Problem {
        Problem { status: StatusCode::NOT_FOUND, reason: reason.into() }
    }
}

impl From<crate::books::Refused> for Problem {
    fn from(refused: crate::books::Refused) -> Problem {
        Problem::bad(refused.0)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, axum::Json(serde_json::json!({"error": self.reason}))).into_response()
    }
}

type Answer = Result<axum::Json<serde_json::Value>, Problem>;

fn json(value: serde_json::Value) -> Answer {
    Ok(axum::Json(value))
}
