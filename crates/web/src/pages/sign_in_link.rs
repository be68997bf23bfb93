//! A one-time link that signs in: a page with a button, so that a program that follows links does not use it up.
use crate::app::App;
use crate::auth::second_factor;
use crate::error::WebError;
use crate::visit::Theme;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};

const PURPOSE: &str = "sign_in";

#[derive(Template)]
#[template(path = "pages/sign_in_link.html")]
pub struct SignInLinkPage {
    pub theme: Theme,
    pub style: &'static str,
    /// Name of the person; `None` when the link does not work any more.
    pub name: Option<String>,
    pub token: String,
}

/// GET /sign-in/link/{token}
pub async fn show(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let user_id = store::sessions::find_link(&mut conn, &token, PURPOSE, app.engine.clock.now_ms()).await?.flatten();
    let user = match user_id {
        Some(user_id) => store::members::find_user(&mut conn, &user_id).await?,
        None => None,
    };
    page(&headers, user.map(|user| user.name), token)
}

/// POST /sign-in/link/{token}
pub async fn enter(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, WebError> {
    let mut tx = app.engine.store.begin().await?;
    let Some(user_id) = store::sessions::take_link(&mut tx, &token, PURPOSE, app.engine.clock.now_ms()).await?.flatten() else {
        return page(&headers, None, token);
    };
    let Some(organization_id) = store::members::find_latest_organization(&mut tx, &user_id).await? else { return page(&headers, None, token) };
    tx.commit().await?;
    Ok(second_factor::enter(&app, &headers, &user_id, &organization_id, "/").await?.0)
}

fn page(headers: &HeaderMap, name: Option<String>, token: String) -> Result<Response, WebError> {
    let status = if name.is_some() { StatusCode::OK } else { StatusCode::GONE };
    let page = SignInLinkPage { theme: Theme::of(headers), style: &crate::assets::STYLE.path, name, token };
    let mut response = (status, Html(page.render()?)).into_response();
    // the address is the secret
    response.headers_mut().insert("referrer-policy", axum::http::HeaderValue::from_static("no-referrer"));
    Ok(response)
}
