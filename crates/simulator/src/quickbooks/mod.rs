//! The QuickBooks Online face of the sandbox: OAuth, entities, query, change data capture and reports, as the provider's
//! documentation describes them.
//!
//! Comments name the place of a rule as "contract N". The chapters gather what these pages say, and what recorded answers show:
//!
//! 1. OAuth: <https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0>
//! 2. hosts, headers, formats and 8. limits: <https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features>
//! 3. query: <https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries>
//! 4. change data capture: <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/changedatacapture>
//! 6. reports: <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/profitandloss> and its neighbours
//! 7. entities: <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/account> and its neighbours
//! 9. errors: <https://developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes>
mod attachments;
mod batch;
mod body;
mod cdc;
mod consent;
mod dates;
mod discovery;
mod dispatch;
mod entity;
mod files;
mod forms;
mod frame;
mod moments;
mod oauth;
mod query;
mod refusal;
mod reports;
mod rows;
mod schema;
mod wire;
mod write;
mod xml;

use crate::books::Books;
use crate::sandbox::Sandbox;
use axum::Router;
use axum::routing::{any, get, post};
use jiff::Timestamp;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

/// Everything QuickBooks serves, on the paths of its hosts.
pub fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/.well-known/openid_configuration", get(discovery::document))
        .route("/.well-known/openid_configuration/", get(discovery::document))
        .route("/.well-known/openid_sandbox_configuration", get(discovery::document))
        .route("/.well-known/openid_sandbox_configuration/", get(discovery::document))
        .route("/op/v1/jwks", get(discovery::keys))
        .route("/connect/oauth2", get(consent::page).post(consent::decide))
        .route("/oauth2/v1/tokens/bearer", post(oauth::token))
        .route("/v2/oauth2/tokens/revoke", post(oauth::revoke))
        .route("/v1/openid_connect/userinfo", get(oauth::user_info))
        .route("/quickbooks-files/{realm}/{id}", get(files::file))
        .route("/v3/company/{realm}", any(frame::answer))
        .route("/v3/company/{realm}/", any(frame::answer))
        .route("/v3/company/{realm}/{*rest}", any(frame::answer))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(axum::middleware::from_fn_with_state(sandbox.clone(), frame::identify))
        .with_state(sandbox)
}

/// Every record this face serves of the company, its accounts, names and items, and the transactions that post: `{"type","id","state","body"}`, the body as a query would return it, null for a deleted record.
pub fn truth(books: &Books, now: Timestamp) -> Vec<serde_json::Value> {
    let view = wire::View::new(books, now);
    let entities = entity::Entity::financial();
    let records = entities.flat_map(|entity| rows::ever(books, entity).map(move |row| (entity, row)));
    records
        .map(|(entity, row)| {
            let state = row.state();
            let body = if state == "deleted" { serde_json::Value::Null } else { serde_json::to_value(row.render(&view)).expect("a tree is JSON") };
            serde_json::json!({"type": entity.name(), "id": row.shown_id(), "state": state, "body": body})
        })
        .collect()
}
