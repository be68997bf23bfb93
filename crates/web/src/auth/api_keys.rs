//! Making a key of the JSON API: what is checked, for the page and for the API alike.
use crate::api::caller::PREFIX;
use crate::app::App;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::audit::{Act, Object, ObjectKind};
use domain::ids::{ApiKeyId, CompanyId, OrganizationId, UserId};
use domain::organization::{KeyAccess, Role};
use engine::audit;
use store::api_keys::{ApiKey, NewApiKey};
use store::{StoreError, Tx};

const DAY_MS: i64 = 86_400_000;
/// Unless its maker says otherwise.
pub const DAYS: i64 = 90;
const MOST_DAYS: i64 = 366;

/// What somebody wants a key for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: String,
    pub role: Role,
    pub access: KeyAccess,
    pub companies: Vec<CompanyId>,
    pub expires_at: Option<i64>,
}

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub field: &'static str,
    pub message: String,
}

pub struct Made {
    pub id: ApiKeyId,
    /// Shown once; only its hash is kept.
    pub secret: String,
}

fn refuse(field: &'static str, message: &str) -> Result<Result<Made, Refusal>, StoreError> {
    Ok(Err(Refusal { field, message: message.to_owned() }))
}

/// Makes a key in the name of a person, with at most the role they have.
pub async fn make(
    app: &App,
    organization_id: &OrganizationId,
    user_id: &UserId,
    role: Role,
    wanted: &Wanted,
) -> Result<Result<Made, Refusal>, StoreError> {
    let now_ms = app.engine.now_ms();
    if wanted.role > role {
        return refuse("role", "expected a role you have yourself");
    }
    if wanted.role == Role::Member && wanted.companies.is_empty() {
        return refuse("companies", "expected at least one company: a Member's key reaches only those it names");
    }
    if wanted.companies.len() > 1_000 {
        return refuse("companies", "expected at most 1,000 companies; leave them out for a key that reaches all");
    }
    let expires_at = wanted.expires_at.unwrap_or(now_ms + DAYS * DAY_MS);
    if expires_at <= now_ms || expires_at > now_ms + MOST_DAYS * DAY_MS {
        return refuse("expires_at", "expected a time after now and at most a year ahead");
    }
    let mut random = [0u8; 32];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let id = ApiKeyId(app.engine.make_id());
    let mut companies = wanted.companies.clone();
    companies.sort();
    companies.dedup();
    let mut tx = app.engine.store.begin().await?;
    for company_id in &companies {
        if store::companies::find(&mut tx, organization_id, company_id).await?.is_none() {
            return refuse("companies", "one of the companies is unknown");
        }
    }
    let key = NewApiKey {
        id: &id,
        organization_id,
        name: &wanted.name,
        secret: &secret,
        prefix: &secret[..PREFIX.len() + 6],
        role: wanted.role,
        access: wanted.access,
        companies: &companies,
        created_by: user_id,
        expires_at: Some(expires_at),
        now_ms,
    };
    store::api_keys::insert(&mut tx, &key).await?;
    let reach = if companies.is_empty() { "all companies".to_owned() } else { format!("{} companies", companies.len()) };
    let after = format!("{}, {}, {reach}", wanted.role.label(), wanted.access.as_str());
    audit::note(&app.engine, &mut tx, organization_id, Act::ApiKeyMade, object(&id, &wanted.name), "", &after).await?;
    tx.commit().await?;
    Ok(Ok(Made { id, secret }))
}

fn object(id: &ApiKeyId, name: &str) -> Object {
    Object::new(ObjectKind::ApiKey, id.as_str(), name)
}

/// Ends a key for good, in the caller's transaction; false when it had ended already.
pub async fn revoke(app: &App, tx: &mut Tx, key: &ApiKey) -> Result<bool, StoreError> {
    let revoked = store::api_keys::revoke(tx, &key.organization_id, &key.id, app.engine.now_ms()).await?;
    if revoked {
        let before = format!("{}, {}", key.role.label(), key.access.as_str());
        audit::note(&app.engine, tx, &key.organization_id, Act::ApiKeyRevoked, object(&key.id, &key.name), &before, "").await?;
    }
    Ok(revoked)
}
