//! Between the first proof and the session: whoever has a second factor is asked for its code, however they got here.
use super::session;
use crate::app::App;
use crate::visit::cookie;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{OrganizationId, UserId};
use store::StoreError;
use store::sessions::HalfSignIn;

/// Where the code is asked for.
pub const PATH: &str = "/sign-in/code";
const COOKIE: &str = "tieout_half";
const LIFE_SECS: i64 = 600;

/// Signs in somebody who has proved who they are: at once, or after a code of their second factor. Says whether the session has begun.
pub async fn enter(
    app: &App,
    headers: &HeaderMap,
    user_id: &UserId,
    organization_id: &OrganizationId,
    leads_to: &str,
) -> Result<(Response, bool), StoreError> {
    let confirmed_at = store::second_factors::confirmed_at(&mut app.engine.store.read().await?, user_id).await?;
    if confirmed_at.is_none() {
        let response = session::start(app, headers, user_id, organization_id, Redirect::to(leads_to).into_response()).await?;
        return Ok((response, true));
    }
    let (token, now_ms) = (session::make_token(), app.engine.now_ms());
    let half = HalfSignIn { user_id: user_id.clone(), organization_id: organization_id.clone(), leads_to: leads_to.to_owned() };
    let mut tx = app.engine.store.begin().await?;
    store::sessions::insert_half(&mut tx, &token, &half, now_ms, now_ms + LIFE_SECS * 1_000).await?;
    tx.commit().await?;
    let mut response = Redirect::to(PATH).into_response();
    response.headers_mut().append(header::SET_COOKIE, app.options.cookie(COOKIE, &token, LIFE_SECS));
    Ok((response, false))
}

/// The sign-in of this browser that waits for its code, with its token.
pub async fn find<'a>(app: &App, headers: &'a HeaderMap) -> Result<Option<(&'a str, HalfSignIn)>, StoreError> {
    let Some(token) = cookie(headers, &app.options.cookie_name(COOKIE)).filter(|token| token.len() == 64) else { return Ok(None) };
    let half = store::sessions::find_half(&mut app.engine.store.read().await?, token, app.engine.now_ms()).await?;
    Ok(half.map(|half| (token, half)))
}

/// The code was right: the session begins, on the answer that is given. `None`: another request was faster.
pub async fn finish(app: &App, headers: &HeaderMap, token: &str, half: &HalfSignIn, response: Response) -> Result<Option<Response>, StoreError> {
    let mut tx = app.engine.store.begin().await?;
    if !store::sessions::delete_half(&mut tx, token).await? {
        return Ok(None);
    }
    tx.commit().await?;
    let mut response = session::start(app, headers, &half.user_id, &half.organization_id, response).await?;
    response.headers_mut().append(header::SET_COOKIE, app.options.cookie(COOKIE, "", 0));
    Ok(Some(response))
}
