//! The organization a key belongs to, and what the key itself may do.
use super::answer::Time;
use super::caller::Caller;
use super::error::ApiError;
use super::input::{Body, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use crate::pages::organization;
use crate::parts::fields;
use axum::Json;
use axum::extract::State;
use domain::organization::Action;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Serialize, JsonSchema)]
pub struct Organization {
    pub id: String,
    pub name: String,
    /// Its members are asked for a second factor; keys are not.
    pub second_factor_required: bool,
    pub key: KeyInUse,
}

/// The key this was asked with.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyInUse {
    pub id: String,
    /// What it allows now: never more than the person who made it may.
    pub role: &'static str,
    pub access: &'static str,
    /// Null: every company of the organization.
    pub companies: Option<Vec<String>>,
    /// What the server's clock says.
    pub now: Time,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskName {
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/organization", "get_organization", Action::ReadCompany, show)
            .told("Organization", "The organization of this key", "A first call to try a key with: it tells what the key reaches.")
            .takes_query::<Nothing>()
            .answers::<Organization>(),
        Operation::post("/organization", "rename_organization", Action::ManageMembers, rename)
            .told("Organization", "Rename the organization", "")
            .takes::<AskName>(json!({ "name": "Birchwood Advisory" }))
            .answers::<Organization>(),
    ]
}

async fn show(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<Organization>, ApiError> {
    read(&app, caller).await
}

async fn rename(State(app): State<App>, caller: Caller, Body(asked): Body<AskName>) -> Result<Json<Organization>, ApiError> {
    caller.is_unconfined()?;
    if let Some(wrong) = fields::name(&asked.name, organization::EMPTY) {
        return Err(ApiError::field("name", wrong));
    }
    engine::people::rename_organization(&app.engine, &caller.actor(), &asked.name).await?;
    read(&app, caller).await
}

async fn read(app: &App, caller: Caller) -> Result<Json<Organization>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let name = store::members::organization_name(&mut conn, &caller.organization_id).await?.ok_or(ApiError::NotFound)?;
    let second_factor_required = store::second_factors::is_required(&mut conn, &caller.organization_id).await?;
    Ok(Json(Organization {
        id: caller.organization_id.0.clone(),
        name,
        second_factor_required,
        key: KeyInUse {
            id: caller.key_id.0.clone(),
            role: caller.role.as_str(),
            access: caller.access.as_str(),
            companies: caller.companies.map(|companies| companies.into_iter().map(|id| id.0).collect()),
            now: Time(caller.now.as_millisecond()),
        },
    }))
}
