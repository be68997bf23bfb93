//! Asking for a link with which to choose a new password.
use crate::app::App;
use crate::error::WebError;
use crate::parts::address::Asked;
use crate::parts::fields;
use crate::visit::Theme;
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use engine::people::passwords as links;

#[derive(Template)]
#[template(path = "pages/password.html")]
pub struct PasswordPage {
    pub theme: Theme,
    pub style: &'static str,
    pub email: String,
    pub error: Option<String>,
    pub can_mail: bool,
    /// The same for an address that is known and for one that is not.
    pub asked: bool,
}

/// GET /password
pub async fn show(State(app): State<App>, headers: HeaderMap) -> Result<Response, WebError> {
    ask_page(&app, &headers, StatusCode::OK, String::new(), None, false)
}

/// POST /password: the same answer whoever asks, and for whom.
pub async fn request(State(app): State<App>, headers: HeaderMap, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let email = form.get("email").to_lowercase();
    if let Some(error) = fields::address(&email) {
        return ask_page(&app, &headers, StatusCode::UNPROCESSABLE_ENTITY, email, Some(error.to_owned()), false);
    }
    // every request counts as a try: nobody's mailbox is filled, and nobody reads from the answer who has an account
    let (now_ms, who) = (app.engine.now_ms(), format!("password {email}"));
    let wait_ms = app.throttle.wait_ms(&who, now_ms);
    if wait_ms > 0 {
        let error = format!("Too many requests. Wait {} seconds and try again.", wait_ms.div_euclid(1_000) + 1);
        return ask_page(&app, &headers, StatusCode::TOO_MANY_REQUESTS, email, Some(error), false);
    }
    app.throttle.failed(&who, now_ms);
    // beside the answer, so that its time tells nothing
    let engine = app.engine.clone();
    let asked = email.clone();
    tokio::spawn(async move {
        if let Err(error) = links::request(&engine, &asked).await {
            tracing::error!(%error, "a link for a new password could not be made");
        }
    });
    ask_page(&app, &headers, StatusCode::OK, email, None, true)
}

fn ask_page(app: &App, headers: &HeaderMap, status: StatusCode, email: String, error: Option<String>, asked: bool) -> Result<Response, WebError> {
    let page = PasswordPage { theme: Theme::of(headers), style: &crate::assets::STYLE.path, email, error, can_mail: app.engine.can_mail(), asked };
    Ok((status, Html(page.render()?)).into_response())
}
