//! Sessions: a random token in a cookie, its hash in the database, two weeks from the last visit.
use crate::app::App;
use crate::visit::cookie;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use domain::audit::{Act, Object};
use domain::ids::{OrganizationId, UserId};
use engine::audit;
use store::StoreError;
use store::sessions::Session;

pub const COOKIE: &str = "tieout_session";
const LIFE_SECS: i64 = 14 * 86_400;
/// How often a visit is written down.
const TOUCH_EVERY_MS: i64 = 600_000;

/// 256 random bits.
pub fn make_token() -> String {
    let mut random = [0u8; 32];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    hex::encode(random)
}

/// The session of a request. Role and membership are read anew with every request.
pub async fn find(app: &App, headers: &HeaderMap) -> Result<Option<Session>, StoreError> {
    let Some(token) = cookie(headers, &app.options.cookie_name(COOKIE)).filter(|token| token.len() == 64) else { return Ok(None) };
    let now_ms = app.engine.clock.now_ms();
    let mut conn = app.engine.store.read().await?;
    let found = store::sessions::find(&mut conn, token, now_ms).await?;
    drop(conn);
    if let Some(session) = &found
        && now_ms - session.seen_at > TOUCH_EVERY_MS
    {
        let mut tx = app.engine.store.begin().await?;
        store::sessions::touch(&mut tx, session, now_ms, now_ms + LIFE_SECS * 1_000).await?;
        tx.commit().await?;
    }
    Ok(found)
}

/// Starts a session of somebody who has just proved who they are, and puts its cookie on the answer. A session of before ends: the token is new at every
/// sign-in.
pub async fn start(
    app: &App,
    headers: &HeaderMap,
    user_id: &UserId,
    organization_id: &OrganizationId,
    response: Response,
) -> Result<Response, StoreError> {
    open(app, headers, user_id, organization_id, app.engine.clock.now_ms(), response).await
}

/// A new session of the same person in another organization: it proves nothing anew.
pub async fn go_on(
    app: &App,
    headers: &HeaderMap,
    session: &Session,
    organization_id: &OrganizationId,
    response: Response,
) -> Result<Response, StoreError> {
    open(app, headers, &session.user_id, organization_id, session.proven_at, response).await
}

async fn open(
    app: &App,
    headers: &HeaderMap,
    user_id: &UserId,
    organization_id: &OrganizationId,
    proven_at: i64,
    mut response: Response,
) -> Result<Response, StoreError> {
    let token = make_token();
    let now_ms = app.engine.clock.now_ms();
    let mut tx = app.engine.store.begin().await?;
    let mut act = Act::SignedIn;
    if let Some(old) = cookie(headers, &app.options.cookie_name(COOKIE)) {
        if store::sessions::find(&mut tx, old, now_ms).await?.is_some_and(|session| session.user_id == *user_id) {
            act = Act::OrganizationEntered;
        }
        store::sessions::delete(&mut tx, old).await?;
    }
    store::sessions::insert(&mut tx, &token, user_id, organization_id, now_ms, now_ms + LIFE_SECS * 1_000).await?;
    store::sessions::describe(&mut tx, &token, user_agent(headers).as_deref(), proven_at).await?;
    audit::note_by(&app.engine, &mut tx, organization_id, user_id, act, None, "").await?;
    tx.commit().await?;
    set_cookie(app, &mut response, &token, LIFE_SECS);
    Ok(response)
}

/// What the browser calls itself; longer than this it is no browser's.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(500).collect())
}

pub async fn end(app: &App, headers: &HeaderMap, mut response: Response) -> Result<Response, StoreError> {
    if let Some(token) = cookie(headers, &app.options.cookie_name(COOKIE)) {
        let mut tx = app.engine.store.begin().await?;
        let ended = store::sessions::find(&mut tx, token, app.engine.now_ms()).await?;
        store::sessions::delete(&mut tx, token).await?;
        if let Some(session) = ended {
            let object = Object::person(&session.user_id, &session.user_name);
            audit::note(&app.engine, &mut tx, &session.organization_id, Act::SignedOut, object, "", "").await?;
        }
        tx.commit().await?;
    }
    set_cookie(app, &mut response, "", 0);
    Ok(response)
}

fn set_cookie(app: &App, response: &mut Response, token: &str, life_secs: i64) {
    response.headers_mut().append(header::SET_COOKIE, app.options.cookie(COOKIE, token, life_secs));
}
