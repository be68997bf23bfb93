//! Confirming another address of mail: a page with a button, so that a program that follows links does not use it up.
use crate::app::App;
use crate::error::WebError;
use crate::visit::Theme;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use engine::people::profile;

#[derive(Template)]
#[template(path = "pages/email_new.html")]
pub struct NewEmailPage {
    pub theme: Theme,
    pub style: &'static str,
    pub token: String,
    /// `None`: the link does not work any more.
    pub email: Option<String>,
    /// It was confirmed just now.
    pub done: bool,
}

/// GET /profile/email/{token}
pub async fn show(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, WebError> {
    let change = store::email_changes::find(&mut app.engine.store.read().await?, &token, app.engine.now_ms()).await?;
    page(&headers, token, change.map(|change| change.email), false)
}

/// POST /profile/email/{token}: the link is the permission; nobody is signed in by it.
pub async fn confirm(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, WebError> {
    let email = profile::confirm_email(&app.engine, &token).await?;
    page(&headers, token, email, true)
}

fn page(headers: &HeaderMap, token: String, email: Option<String>, done: bool) -> Result<Response, WebError> {
    let status = if email.is_some() { StatusCode::OK } else { StatusCode::GONE };
    let page = NewEmailPage { theme: Theme::of(headers), style: &crate::assets::STYLE.path, token, email, done };
    let mut response = (status, Html(page.render()?)).into_response();
    // the address is the secret
    response.headers_mut().insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    Ok(response)
}
