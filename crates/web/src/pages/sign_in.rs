//! The sign-in with address and password, and the way out.
use crate::app::App;
use crate::auth::place::Place;
use crate::auth::throttle::Attempt;
use crate::auth::{device, passwords, second_factor, session};
use crate::error::WebError;
use crate::parts::address;
use crate::parts::fields::LONGEST_PASSWORD;
use crate::protection::is_own_path;
use crate::visit::Theme;
use askama::Template;
use axum::Form;
use axum::extract::{Extension, Query, RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use store::sessions::Session;

const NO_COOKIES: &str =
    "Your browser did not keep the cookie of the sign-in, and without it nobody stays signed in. Allow cookies for this site, then sign in again.";
const RESULT_PAGE: &str = "/integrations/result";

#[derive(Template)]
#[template(path = "pages/sign_in.html")]
pub struct SignInPage {
    pub theme: Theme,
    pub style: &'static str,
    pub email: String,
    pub next: String,
    /// A provider's consent came back, but nobody is signed in here.
    pub to_finish: bool,
    pub error: Option<String>,
    /// No user exists yet: the first one is made by a link.
    pub is_new: bool,
    /// A link for a new password can be mailed.
    pub can_mail: bool,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    next: String,
    /// `off`: a sign-in went well, and the browser did not keep its cookie.
    #[serde(default)]
    cookies: String,
}

#[derive(Deserialize)]
pub struct Entry {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// GET /sign-in
pub async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    session: Option<Extension<Session>>,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let next = own(&asked.next);
    if session.is_some() {
        return Ok(Redirect::to(&next).into_response());
    }
    let is_new = store::members::count_users(&mut app.engine.store.read().await?).await? == 0;
    let page = SignInPage {
        theme: Theme::of(&headers),
        style: &crate::assets::STYLE.path,
        email: String::new(),
        to_finish: next == RESULT_PAGE,
        next,
        error: (asked.cookies == "off").then(|| NO_COOKIES.to_owned()),
        is_new,
        can_mail: app.engine.can_mail(),
    };
    Ok(Html(page.render()?).into_response())
}

/// POST /sign-in: the same words and the same time for an unknown address and for a wrong password.
pub async fn enter(State(app): State<App>, headers: HeaderMap, Place(place): Place, Form(entry): Form<Entry>) -> Result<Response, WebError> {
    let next = own(&entry.next);
    let email = address::without_nul(entry.email.trim()).to_lowercase();
    let now_ms = app.engine.clock.now_ms();
    let attempt = Attempt::new(&email, &place, device::known(&app, &headers, &email).as_deref());
    let again = |status: StatusCode, error: String| -> Result<Response, WebError> {
        let page = SignInPage {
            theme: Theme::of(&headers),
            style: &crate::assets::STYLE.path,
            email: entry.email.clone(),
            to_finish: next == RESULT_PAGE,
            next: next.clone(),
            error: Some(error),
            is_new: false,
            can_mail: app.engine.can_mail(),
        };
        Ok((status, Html(page.render()?)).into_response())
    };
    if email.is_empty() || entry.password.is_empty() {
        return again(StatusCode::UNPROCESSABLE_ENTITY, "Enter your e-mail address and your password.".to_owned());
    }
    let wait_ms = attempt.wait_ms(&app.throttle, now_ms);
    if wait_ms > 0 {
        return again(StatusCode::TOO_MANY_REQUESTS, format!("Too many attempts. Wait {} seconds and try again.", wait_ms.div_euclid(1_000) + 1));
    }
    let user = store::members::find_user_by_email(&mut app.engine.store.read().await?, &email).await?;
    let is_right = entry.password.chars().count() <= LONGEST_PASSWORD
        && passwords::verify(&app, entry.password.clone(), user.as_ref().and_then(|user| user.password_hash.clone())).await;
    let known = user.as_ref().map(|user| user.id.clone());
    let Some(user) = user.filter(|_| is_right) else {
        engine::audit::sign_in_failed(&app.engine, known, "wrong password");
        attempt.failed(&app.throttle, now_ms);
        return again(StatusCode::UNPROCESSABLE_ENTITY, "The e-mail address or the password is not right.".to_owned());
    };
    let latest = store::members::find_latest_organization(&mut app.engine.store.read().await?, &user.id).await?;
    // an invitation is accepted by whoever it is for, also by somebody who belongs nowhere yet
    let Some(organization_id) = latest else {
        return again(StatusCode::FORBIDDEN, "You are not a member of any organization. Ask an Owner for an invitation.".to_owned());
    };
    attempt.succeeded(&app.throttle);
    let (mut response, is_in) = second_factor::enter(&app, &headers, &user.id, &organization_id, &next).await?;
    if is_in {
        device::mark(&app, &headers, &email, &mut response);
    }
    Ok(response)
}

/// POST /sign-out
pub async fn leave(State(app): State<App>, headers: HeaderMap, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = address::Asked::parse(&form);
    Ok(session::end(&app, &headers, Redirect::to(form.back("/sign-in")).into_response()).await?)
}

fn own(next: &str) -> String {
    if is_own_path(next) { next.to_owned() } else { "/".to_owned() }
}
