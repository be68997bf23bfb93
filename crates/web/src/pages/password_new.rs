//! Choosing a new password with a link.
use crate::app::App;
use crate::auth::{passwords, second_factor};
use crate::error::WebError;
use crate::parts::fields;
use crate::visit::Theme;
use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use engine::people::passwords as links;

#[derive(Template)]
#[template(path = "pages/password_new.html")]
pub struct NewPasswordPage {
    pub theme: Theme,
    pub style: &'static str,
    pub token: String,
    /// Whose password; `None`: the link does not work any more.
    pub email: Option<String>,
    pub error: Option<&'static str>,
}

/// GET /password/{token}
pub async fn show(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, WebError> {
    let email = find(&app, &token).await?;
    let status = if email.is_some() { StatusCode::OK } else { StatusCode::GONE };
    choose_page(&headers, status, token, email, None)
}

async fn find(app: &App, token: &str) -> Result<Option<String>, WebError> {
    let mut conn = app.engine.store.read().await?;
    let Some(user_id) = store::sessions::find_link(&mut conn, token, links::PURPOSE, app.engine.now_ms()).await?.flatten() else {
        return Ok(None);
    };
    Ok(store::members::find_user(&mut conn, &user_id).await?.map(|user| user.email))
}

/// POST /password/{token}: the new password; every session of before ends, and a new one begins here, after the second factor where there is one.
pub async fn set(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap, RawForm(form): RawForm) -> Result<Response, WebError> {
    let password = url::form_urlencoded::parse(&form).find(|(name, _)| name == "password").map(|(_, value)| value.into_owned()).unwrap_or_default();
    let Some(email) = find(&app, &token).await? else { return choose_page(&headers, StatusCode::GONE, token, None, None) };
    if let Some(error) = fields::password(&password, &[&email]) {
        return choose_page(&headers, StatusCode::UNPROCESSABLE_ENTITY, token, Some(email), Some(error));
    }
    let password_hash = passwords::hash(&app, password).await;
    let Some(user_id) = links::set(&app.engine, &token, &password_hash).await? else {
        return choose_page(&headers, StatusCode::GONE, token, None, None);
    };
    let organization_id = store::members::find_latest_organization(&mut app.engine.store.read().await?, &user_id).await?;
    let Some(organization_id) = organization_id else { return Ok(Redirect::to("/sign-in").into_response()) };
    Ok(second_factor::enter(&app, &headers, &user_id, &organization_id, "/").await?.0)
}

fn choose_page(
    headers: &HeaderMap,
    status: StatusCode,
    token: String,
    email: Option<String>,
    error: Option<&'static str>,
) -> Result<Response, WebError> {
    let page = NewPasswordPage { theme: Theme::of(headers), style: &crate::assets::STYLE.path, token, email, error };
    let mut response = (status, Html(page.render()?)).into_response();
    // the address is the secret
    response.headers_mut().insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    Ok(response)
}
