//! Who calls the API: a key in the `Authorization` header, what it allows, and how often it may ask.
use super::error::ApiError;
use super::operation::Needs;
use crate::app::App;
use crate::auth;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::audit::Actor;
use domain::ids::{ApiKeyId, CompanyId, OrganizationId, UserId};
use domain::job::Trigger;
use domain::organization::{KeyAccess, Role};
use engine::{audit, people};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use store::companies::Company;
use store::{Conn, StoreError};

/// How a secret begins, so that leaked ones can be searched for.
pub const PREFIX: &str = "tieout_";
/// The requests a key may send at once (`WebOptions::key_burst`) are refilled over this time.
const REFILL: Duration = Duration::from_secs(20);
/// How often the use of a key is written down.
const TOUCH_EVERY_MS: i64 = 60_000;

/// The key of a request, as handlers see it.
#[derive(Clone, Debug)]
pub struct Caller {
    pub key_id: ApiKeyId,
    pub key_name: String,
    pub organization_id: OrganizationId,
    pub role: Role,
    pub access: KeyAccess,
    /// Its maker: what the key does, it does in their name.
    pub user_id: UserId,
    /// The key reaches these only.
    pub companies: Option<BTreeSet<CompanyId>>,
    pub now: Timestamp,
}

impl Caller {
    pub fn trigger(&self) -> Trigger {
        Trigger::Person(self.user_id.0.clone())
    }
    /// The same, as the engine asks who manages people: never with more than the key allows.
    pub fn actor(&self) -> people::Actor<'_> {
        people::Actor { organization_id: &self.organization_id, user_id: &self.user_id, at_most: self.role }
    }
    /// What belongs to the organization as a whole is no business of a key that is confined to companies: it reaches further than the key does.
    pub fn is_unconfined(&self) -> Result<(), ApiError> {
        match self.companies {
            None => Ok(()),
            Some(_) => Err(ApiError::Forbidden("This key reaches some companies only; this takes a key for the whole organization.")),
        }
    }
    /// A Member's key reaches the companies it names and no other; an Admin's key every one, unless it names some.
    pub fn reaches(&self, company_id: &CompanyId) -> bool {
        match &self.companies {
            Some(companies) => companies.contains(company_id),
            None => self.role > Role::Member,
        }
    }
    /// A company the key reaches; an unknown one and one it does not reach are the same.
    pub async fn company(&self, conn: &mut Conn, id: &CompanyId) -> Result<Company, ApiError> {
        let company = store::companies::find(conn, &self.organization_id, id).await?;
        company.filter(|company| self.reaches(&company.id)).ok_or(ApiError::NotFound)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Caller, ApiError> {
        parts.extensions.get::<Caller>().cloned().ok_or(ApiError::Unauthenticated(MISSING))
    }
}

const MISSING: &str =
    "Send a key of this organization: `Authorization: Bearer tieout_...`. Owners and Admins make keys under Organization, API keys.";
const UNKNOWN: &str = "This key is not known, or it was revoked. Make a new one under Organization, API keys.";

/// Runs before every operation: finds the key, checks what it may do and how often it asks, and hands the caller on.
pub async fn guard(State((app, needs)): State<(App, Needs)>, mut request: Request, next: Next) -> Response {
    let (headers, query) = (request.headers().clone(), request.uri().query().map(str::to_owned));
    match identify(&app, needs, &headers, query.as_deref()).await {
        Ok(caller) => {
            let actor = Actor::api_key(&caller.key_id, &caller.key_name, auth::place::address(&app.options, &request));
            let answer = super::idempotency::answer_once(&app, &caller, &mut request).await;
            request.extensions_mut().insert(caller.clone());
            match answer {
                Ok(once) => audit::acting(actor, once.run(&app, &caller, request, next)).await,
                Err(error) => error.into_response(),
            }
        }
        Err(error) => error.into_response(),
    }
}

async fn identify(app: &App, needs: Needs, headers: &HeaderMap, query: Option<&str>) -> Result<Caller, ApiError> {
    refuse_key_in_address(app, query).await?;
    let secret = bearer(headers)?;
    let mut conn = app.engine.store.read().await?;
    let key = store::api_keys::find_by_secret(&mut conn, secret).await?.ok_or(ApiError::Unauthenticated(UNKNOWN))?;
    let companies = store::api_keys::companies(&mut conn, &key.id).await?;
    drop(conn);
    let now = app.engine.clock.now();
    let now_ms = now.as_millisecond();
    if key.revoked_at.is_some() {
        return Err(ApiError::Unauthenticated(UNKNOWN));
    }
    if key.expires_at.is_some_and(|at| at <= now_ms) {
        return Err(ApiError::Unauthenticated("This key has expired. Make a new one under Organization, API keys."));
    }
    let role = key.effective_role().ok_or(ApiError::Unauthenticated("The person who made this key has left the organization. Make a new one."))?;
    app.key_limits.admit(&key.id, app.options.key_burst, Instant::now())?;
    if key.last_used_at.is_none_or(|at| now_ms - at > TOUCH_EVERY_MS) {
        let mut tx = app.engine.store.begin().await?;
        store::api_keys::touch(&mut tx, &key.id, now_ms).await?;
        tx.commit().await?;
    }
    if !role.may(needs.action) {
        return Err(ApiError::Forbidden("The role of this key does not allow this. It takes a key of an Admin or Owner."));
    }
    if needs.changes && key.access != KeyAccess::Write {
        return Err(ApiError::Forbidden("This key may only read. It takes a key with write access."));
    }
    Ok(Caller {
        key_id: key.id,
        key_name: key.name,
        organization_id: key.organization_id,
        role,
        access: key.access,
        user_id: key.created_by,
        companies,
        now,
    })
}

/// The secret of the one `Authorization` header.
fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(ApiError::Unauthenticated(MISSING))?;
    if values.next().is_some() {
        return Err(ApiError::bad("There are two Authorization headers. Send one."));
    }
    let text = value.to_str().map_err(|_| ApiError::Unauthenticated(UNKNOWN))?;
    let (scheme, secret) = text.split_once(' ').ok_or(ApiError::Unauthenticated(MISSING))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::Unauthenticated(MISSING));
    }
    let well_formed =
        secret.len() <= 100 && secret.starts_with(PREFIX) && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if well_formed { Ok(secret) } else { Err(ApiError::Unauthenticated(UNKNOWN)) }
}

/// A key in an address is in somebody's log by now: it is refused, and its list says so.
async fn refuse_key_in_address(app: &App, query: Option<&str>) -> Result<(), ApiError> {
    let Some(query) = query.filter(|query| query.contains(PREFIX)) else { return Ok(()) };
    for (_, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if value.starts_with(PREFIX) {
            let mut tx = app.engine.store.begin().await?;
            store::api_keys::note_exposed(&mut tx, &value, app.engine.now_ms()).await?;
            tx.commit().await?;
            return Err(ApiError::bad(
                "A key belongs into the Authorization header. In an address it is kept by logs: revoke this one and make a new one.",
            ));
        }
    }
    Ok(())
}

/// What is left of each key's allowance.
#[derive(Default)]
pub struct KeyLimits(Mutex<HashMap<ApiKeyId, (u32, Instant)>>);

impl KeyLimits {
    /// `now` is not of the engine's clock: a limit measures how time passes, and is never stored.
    fn admit(&self, id: &ApiKeyId, burst: u32, now: Instant) -> Result<(), ApiError> {
        let mut keys = self.0.lock().expect("the limits are never held across a panic");
        let (left, since) = keys.entry(id.clone()).or_insert((burst, now));
        let refilled = (now.duration_since(*since).as_millis() * u128::from(burst) / REFILL.as_millis()).min(u128::from(burst)) as u32;
        if refilled > 0 {
            (*left, *since) = ((*left + refilled).min(burst), now);
        }
        match left.checked_sub(1) {
            Some(rest) => {
                *left = rest;
                Ok(())
            }
            None => Err(ApiError::TooMany { wait_secs: 1 }),
        }
    }
}

/// Companies of the organization the caller reaches.
pub async fn reached_companies(conn: &mut Conn, caller: &Caller) -> Result<Vec<Company>, StoreError> {
    let companies = store::companies::list(conn, &caller.organization_id).await?;
    Ok(companies.into_iter().filter(|company| caller.reaches(&company.id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::WebOptions;
    use url::Url;

    #[test]
    fn a_key_may_send_four_thousand_requests_at_once_and_as_many_again_in_twenty_seconds() {
        let burst = WebOptions::new(Url::parse("http://tieout.example").unwrap()).key_burst;
        let (limits, one, other, start) = (KeyLimits::default(), ApiKeyId::new("one"), ApiKeyId::new("other"), Instant::now());
        let admitted = |id: &ApiKeyId, now: Instant| (0..20_000).take_while(|_| limits.admit(id, burst, now).is_ok()).count();
        assert_eq!(admitted(&one, start), 4_000);
        assert_eq!(admitted(&one, start + Duration::from_secs(1)), 200);
        assert_eq!(admitted(&one, start + Duration::from_secs(21)), 4_000);
        assert_eq!(admitted(&one, start + Duration::from_secs(600)), 4_000, "what is not used is not saved up");
        assert_eq!(admitted(&other, start), 4_000, "each key has its own");
    }
}
