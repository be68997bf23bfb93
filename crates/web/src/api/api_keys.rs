//! Keys of the API itself: listed, made and revoked. The secret is in the answer that makes it and nowhere else.
use super::answer::{List, Time};
use super::caller::Caller;
use super::error::ApiError;
use super::input::{Body, Ids, Instant, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use crate::auth::api_keys::{self, Wanted};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::CompanyId;
use domain::organization::{Action, KeyAccess, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

const TAG: &str = "API keys";

#[derive(Debug, Serialize, JsonSchema)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    pub role: &'static str,
    pub access: &'static str,
    /// Null: every company its role reaches.
    pub companies: Option<Vec<String>>,
    pub created_by: String,
    pub created_at: Time,
    pub expires_at: Option<Time>,
    pub last_used_at: Option<Time>,
    pub revoked_at: Option<Time>,
    /// It was sent in an address, where logs keep it: revoke it.
    pub exposed_at: Option<Time>,
}

/// A key that was just made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewKey {
    #[serde(flatten)]
    pub key: ApiKey,
    /// Shown this once.
    pub secret: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskKey {
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    pub role: RoleWord,
    pub access: AccessWord,
    /// A Member's key needs at least one; without any an Admin's key reaches all.
    #[serde(default)]
    pub companies: Vec<String>,
    /// At most a year ahead; 90 days unless said.
    #[serde(default)]
    pub expires_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoleWord {
    Member,
    Admin,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessWord {
    Read,
    Write,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api-keys", "list_api_keys", Action::ManageMembers, list)
            .told(TAG, "API keys", "Newest first, revoked ones included.")
            .takes_query::<Nothing>()
            .answers::<List<ApiKey>>(),
        Operation::post("/api-keys", "create_api_key", Action::ManageMembers, create)
            .told(TAG, "Make an API key", "It never allows more than the person may in whose name it is made.")
            .takes::<AskKey>(json!({ "name": "Warehouse", "role": "admin", "access": "read" }))
            .with_status(StatusCode::CREATED)
            .answers::<NewKey>(),
        Operation::delete("/api-keys/{id}", "revoke_api_key", Action::ManageMembers, revoke)
            .told(TAG, "Revoke an API key", "Its next request is refused. Revoking it again is refused with 409.")
            .refuses(StatusCode::CONFLICT)
            .answers::<ApiKey>(),
    ]
}

fn shown(key: store::api_keys::ApiKey, companies: Option<impl IntoIterator<Item = CompanyId>>) -> ApiKey {
    ApiKey {
        id: key.id.0,
        name: key.name,
        prefix: key.prefix,
        role: key.role.as_str(),
        access: key.access.as_str(),
        companies: companies.map(|companies| companies.into_iter().map(|id| id.0).collect()),
        created_by: key.creator_name,
        created_at: Time(key.created_at),
        expires_at: key.expires_at.map(Time),
        last_used_at: key.last_used_at.map(Time),
        revoked_at: key.revoked_at.map(Time),
        exposed_at: key.exposed_at.map(Time),
    }
}

async fn list(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<ApiKey>>, ApiError> {
    caller.is_unconfined()?;
    let mut conn = app.engine.store.read().await?;
    let mut data = Vec::new();
    for key in store::api_keys::list(&mut conn, &caller.organization_id).await? {
        let companies = store::api_keys::companies(&mut conn, &key.id).await?;
        data.push(shown(key, companies));
    }
    Ok(Json(List { data, next_cursor: None }))
}

async fn create(State(app): State<App>, caller: Caller, Body(asked): Body<AskKey>) -> Result<(StatusCode, Json<NewKey>), ApiError> {
    caller.is_unconfined()?;
    let wanted = Wanted {
        name: super::input::name("name", &asked.name)?,
        role: match asked.role {
            RoleWord::Member => Role::Member,
            RoleWord::Admin => Role::Admin,
        },
        access: match asked.access {
            AccessWord::Read => KeyAccess::Read,
            AccessWord::Write => KeyAccess::Write,
        },
        companies: asked.companies.into_iter().map(CompanyId::new).collect(),
        expires_at: asked.expires_at.map(|at| at.0.as_millisecond()),
    };
    let made = api_keys::make(&app, &caller.organization_id, &caller.user_id, caller.role, &wanted).await?;
    let made = made.map_err(|problem| ApiError::field(problem.field, problem.message))?;
    let mut conn = app.engine.store.read().await?;
    let key = store::api_keys::find(&mut conn, &caller.organization_id, &made.id).await?.ok_or(ApiError::NotFound)?;
    let companies = store::api_keys::companies(&mut conn, &made.id).await?;
    Ok((StatusCode::CREATED, Json(NewKey { key: shown(key, companies), secret: made.secret })))
}

async fn revoke(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<ApiKey>, ApiError> {
    caller.is_unconfined()?;
    let id = ids.api_key();
    let mut tx = app.engine.store.begin().await?;
    let key = store::api_keys::find(&mut tx, &caller.organization_id, &id).await?.ok_or(ApiError::NotFound)?;
    if !api_keys::revoke(&app, &mut tx, &key).await? {
        return Err(ApiError::Conflict { message: "This key was revoked already.".into(), run_id: None });
    }
    let key = store::api_keys::find(&mut tx, &caller.organization_id, &id).await?.ok_or(ApiError::NotFound)?;
    let companies = store::api_keys::companies(&mut tx, &id).await?;
    tx.commit().await?;
    Ok(Json(shown(key, companies)))
}
