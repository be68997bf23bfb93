//! Authorizations at the providers: what they see, and whether they still hold. Connecting takes a person in a browser.
use super::answer::{List, Time};
use super::caller::Caller;
use super::error::ApiError;
use super::input::{Ids, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use domain::organization::Action;
use schemars::JsonSchema;
use serde::Serialize;
use store::connections::Reach;

const TAG: &str = "Connections";

#[derive(Debug, Serialize, JsonSchema)]
pub struct Connection {
    pub id: String,
    pub provider: String,
    /// `production`, `sandbox` or `simulator`.
    pub environment: String,
    pub name: String,
    pub email: String,
    /// `active`, or `invalid` when the provider refuses it and only a new consent helps.
    pub state: &'static str,
    pub scope: String,
    pub connected_at: Time,
    pub invalid_since: Option<Time>,
    /// The provider forgets the authorization when it is not used until then.
    pub refresh_expires_at: Time,
    /// Companies it can see.
    pub companies: i64,
    /// Of these, linked ones.
    pub linked: i64,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/connections", "list_connections", Action::UseIntegrations, list)
            .told(TAG, "Connected accounts", "Every account that is connected, those the provider refuses first.")
            .takes_query::<Nothing>()
            .answers::<List<Connection>>(),
        Operation::get("/connections/{id}", "get_connection", Action::UseIntegrations, show)
            .told(TAG, "One connected account", "")
            .takes_query::<Nothing>()
            .answers::<Connection>(),
    ]
}

fn shown(connection: store::connections::Connection, reach: &[Reach]) -> Connection {
    let reach = reach.iter().find(|reach| reach.connection_id == connection.id);
    Connection {
        companies: reach.map_or(0, |reach| reach.companies),
        linked: reach.map_or(0, |reach| reach.linked),
        id: connection.id.0,
        provider: connection.provider,
        environment: connection.environment,
        name: connection.name,
        email: connection.email,
        state: connection.state.as_str(),
        scope: connection.scope,
        connected_at: Time(connection.connected_at),
        invalid_since: connection.invalid_since.map(Time),
        refresh_expires_at: Time(connection.refresh_expires_at),
    }
}

/// A key that is confined to companies does not see accounts: they reach further than it does.
fn is_unconfined(caller: &Caller) -> Result<(), ApiError> {
    match caller.companies {
        None => Ok(()),
        Some(_) => Err(ApiError::Forbidden("This key reaches some companies only; accounts take a key for the whole organization.")),
    }
}

async fn list(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<Connection>>, ApiError> {
    is_unconfined(&caller)?;
    let mut conn = app.engine.store.read().await?;
    let connections = store::connections::list(&mut conn, &caller.organization_id).await?;
    let reach = store::connections::list_reach(&mut conn, &caller.organization_id).await?;
    Ok(Json(List { data: connections.into_iter().map(|connection| shown(connection, &reach)).collect(), next_cursor: None }))
}

async fn show(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<Connection>, ApiError> {
    is_unconfined(&caller)?;
    let mut conn = app.engine.store.read().await?;
    let connection = store::connections::find(&mut conn, &caller.organization_id, &ids.connection()).await?;
    let connection = connection.filter(|connection| connection.disconnected_at.is_none()).ok_or(ApiError::NotFound)?;
    let reach = store::connections::list_reach(&mut conn, &caller.organization_id).await?;
    Ok(Json(shown(connection, &reach)))
}
