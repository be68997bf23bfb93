//! The first start: a one-time link makes the organization and its Owner.
use crate::app::App;
use crate::auth::owner::{self, NewOwner};
use crate::auth::place::Place;
use crate::auth::{passwords, session};
use crate::error::WebError;
use crate::parts::fields;
use crate::visit::Theme;
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

const PURPOSE: &str = "setup";

#[derive(Clone, Debug, Default, Deserialize)]
pub struct SetupForm {
    #[serde(default)]
    pub organization: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    pub password: String,
}

/// One sentence for each field that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors {
    pub organization: Option<&'static str>,
    pub name: Option<&'static str>,
    pub email: Option<&'static str>,
    pub password: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "pages/setup.html")]
pub struct SetupPage {
    pub theme: Theme,
    pub style: &'static str,
    pub token: String,
    pub form: SetupForm,
    pub errors: FieldErrors,
}

/// GET /setup/{token}
pub async fn show(State(app): State<App>, Path(token): Path<String>, place: Place, headers: HeaderMap) -> Result<Response, WebError> {
    check_link(&app, &token, &place).await?;
    page(&headers, StatusCode::OK, token, SetupForm::default(), FieldErrors::default())
}

/// POST /setup/{token}: link, organization and Owner in one transaction; then signed in.
pub async fn create(
    State(app): State<App>,
    Path(token): Path<String>,
    place: Place,
    headers: HeaderMap,
    Form(form): Form<SetupForm>,
) -> Result<Response, WebError> {
    let now_ms = app.engine.clock.now_ms();
    check_link(&app, &token, &place).await?;
    let errors = check(&form);
    if errors != FieldErrors::default() {
        return page(&headers, StatusCode::UNPROCESSABLE_ENTITY, token, form, errors);
    }
    let password_hash = Some(passwords::hash(&app, form.password.clone()).await);
    let mut tx = app.engine.store.begin().await?;
    store::sessions::take_link(&mut tx, &token, PURPOSE, now_ms).await?.ok_or(WebError::NotFound)?;
    if store::members::count_users(&mut tx).await? > 0 {
        return Err(WebError::SetUpAlready);
    }
    let new = NewOwner { organization: &form.organization, name: &form.name, email: &form.email, password_hash };
    let (organization_id, user_id) = owner::insert(&app.engine, &mut tx, new).await?.ok_or(WebError::NotFound)?;
    tx.commit().await?;
    Ok(session::start(&app, &headers, &user_id, &organization_id, Redirect::to("/welcome").into_response()).await?)
}

/// Only until there is a user, and only a link that was printed. It holds 256 random bits, which nobody guesses; whoever tries waits all the same.
async fn check_link(app: &App, token: &str, Place(place): &Place) -> Result<(), WebError> {
    let (now_ms, who) = (app.engine.clock.now_ms(), format!("setup {place}"));
    let mut conn = app.engine.store.read().await?;
    if store::members::count_users(&mut conn).await? > 0 {
        return Err(WebError::SetUpAlready);
    }
    let wait_ms = app.throttle.wait_ms(&who, now_ms);
    if wait_ms > 0 {
        return Err(WebError::TooMany { wait_secs: wait_ms.div_euclid(1_000) + 1 });
    }
    if store::sessions::find_link(&mut conn, token, PURPOSE, now_ms).await?.is_none() {
        app.throttle.failed(&who, now_ms);
        return Err(WebError::NotFound);
    }
    Ok(())
}

fn check(form: &SetupForm) -> FieldErrors {
    FieldErrors {
        organization: fields::name(&form.organization, "Give the organization a name."),
        name: fields::name(&form.name, "Enter your name."),
        email: fields::address(&form.email),
        password: fields::password(&form.password, &[&form.organization, &form.email, &form.name]),
    }
}

fn page(headers: &HeaderMap, status: StatusCode, token: String, mut form: SetupForm, errors: FieldErrors) -> Result<Response, WebError> {
    form.password.clear();
    let page = SetupPage { theme: Theme::of(headers), style: &crate::assets::STYLE.path, token, form, errors };
    let mut response = (status, Html(page.render()?)).into_response();
    // the address is the secret
    response.headers_mut().insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    Ok(response)
}
