//! The JSON API under `/api/v1`: one file for each resource, named like the pages. One list of operations is its routes, its check of roles and its
//! OpenAPI document.
pub mod answer;
pub mod api_keys;
pub mod audit;
pub mod caller;
pub mod companies;
pub mod connections;
pub mod cursor;
pub mod data_feed;
pub mod error;
pub mod idempotency;
pub mod incidents;
pub mod input;
pub mod invitations;
pub mod ledger;
pub mod log_entries;
pub mod logs;
pub mod mapping;
pub mod members;
pub mod notifications;
pub mod openapi;
pub mod operation;
pub mod organization;
pub mod provider_health;
pub mod records;
pub mod runs;
pub mod statements;

use crate::app::App;
use axum::Router;
use axum::middleware::from_fn_with_state;
pub use error::ApiError;
pub use operation::Operation;

/// Where every path of an operation begins.
pub const BASE: &str = "/api/v1";

/// Every operation, in the order of the document.
pub fn all() -> Vec<Operation> {
    let resources = [
        organization::operations(),
        members::operations(),
        invitations::operations(),
        connections::operations(),
        provider_health::operations(),
        data_feed::operations(),
        companies::operations(),
        runs::operations(),
        incidents::operations(),
        logs::operations(),
        log_entries::operations(),
        notifications::operations(),
        statements::operations(),
        ledger::operations(),
        mapping::operations(),
        records::operations(),
        api_keys::operations(),
        audit::operations(),
    ];
    resources.into_iter().flatten().collect()
}

/// The routes of the API, and its own words for what is not there.
pub fn router(app: &App) -> Router<App> {
    let mut router = Router::new().route("/openapi.json", axum::routing::get(openapi::show));
    for operation in all() {
        let guarded = operation.handler.layer(from_fn_with_state((app.clone(), operation.needs), caller::guard));
        router = router.route(operation.path, guarded);
    }
    router
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(axum::middleware::from_fn(answer::finish))
}
