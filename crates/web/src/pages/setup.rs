//! The first start: a one-time link makes the organization and its Owner.
use crate::app::App;
use crate::auth::owner::{self, NewOwner};
use crate::auth::{passwords, session};
use crate::error::WebError;
use crate::pages::sign_in::LONGEST_PASSWORD;
use crate::visit::Theme;
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

const PURPOSE: &str = "setup";
const SHORTEST_PASSWORD: usize = 12;
const LONGEST_NAME: usize = 100;
/// Long enough, and still among the first that are guessed.
const WELL_KNOWN: [&str; 12] = [
    "passwordpassword",
    "password1234",
    "password12345",
    "password123456",
    "123456789012",
    "1234567890123",
    "qwertyuiopas",
    "qwertyuiop123",
    "administrator",
    "administrator1",
    "letmeinletmein",
    "iloveyouiloveyou",
];

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
pub async fn show(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    store::sessions::find_link(&mut conn, &token, PURPOSE, app.engine.clock.now_ms()).await?.ok_or(WebError::NotFound)?;
    if store::members::count_users(&mut conn).await? > 0 {
        return Err(WebError::NotFound);
    }
    page(&headers, StatusCode::OK, token, SetupForm::default(), FieldErrors::default())
}

/// POST /setup/{token}: link, organization and Owner in one transaction; then signed in.
pub async fn create(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(form): Form<SetupForm>,
) -> Result<Response, WebError> {
    let now_ms = app.engine.clock.now_ms();
    store::sessions::find_link(&mut app.engine.store.read().await?, &token, PURPOSE, now_ms).await?.ok_or(WebError::NotFound)?;
    let errors = check(&form);
    if errors != FieldErrors::default() {
        return page(&headers, StatusCode::UNPROCESSABLE_ENTITY, token, form, errors);
    }
    let password_hash = Some(passwords::hash(&app, form.password.clone()).await);
    let mut tx = app.engine.store.begin().await?;
    store::sessions::take_link(&mut tx, &token, PURPOSE, now_ms).await?.ok_or(WebError::NotFound)?;
    if store::members::count_users(&mut tx).await? > 0 {
        return Err(WebError::NotFound);
    }
    let new = NewOwner { organization: &form.organization, name: &form.name, email: &form.email, password_hash };
    let (organization_id, user_id) = owner::insert(&app.engine, &mut tx, new).await?.ok_or(WebError::NotFound)?;
    tx.commit().await?;
    Ok(session::start(&app, &headers, &user_id, &organization_id, Redirect::to("/integrations").into_response()).await?)
}

fn check(form: &SetupForm) -> FieldErrors {
    let mut errors = FieldErrors::default();
    let named = |text: &str, empty: &'static str| match text.trim().chars().count() {
        0 => Some(empty),
        1..=LONGEST_NAME if !text.chars().any(char::is_control) => None,
        _ => Some("Use at most 100 characters, on one line."),
    };
    errors.organization = named(&form.organization, "Give the organization a name.");
    errors.name = named(&form.name, "Tell us your name.");
    errors.email = (!is_address(form.email.trim())).then_some("Enter an e-mail address such as ada@example.com.");
    errors.password = check_password(form);
    errors
}

/// One `@`, a dot behind it, no spaces or control characters, at most 254 characters (RFC 5321, 4.5.3.1).
fn is_address(text: &str) -> bool {
    let plain = text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\"\\[]".contains(c));
    plain
        && text.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.contains('@') && host.split('.').count() >= 2 && host.split('.').all(|part| !part.is_empty())
        })
}

/// Long rather than complicated (NIST SP 800-63B, 5.1.1.2): no rules on which characters, but not what is guessed first.
fn check_password(form: &SetupForm) -> Option<&'static str> {
    let length = form.password.chars().count();
    if length < SHORTEST_PASSWORD {
        return Some("Use at least 12 characters. A sentence is easiest to remember.");
    }
    if length > LONGEST_PASSWORD {
        return Some("Use at most 128 characters.");
    }
    let lower = form.password.to_lowercase();
    let first = lower.chars().next();
    let is_one_letter = lower.chars().all(|c| Some(c) == first);
    let names = [form.organization.trim().to_lowercase(), form.email.trim().to_lowercase(), form.name.trim().to_lowercase()];
    let is_name = names.iter().any(|name| !name.is_empty() && lower == *name);
    (is_one_letter || is_name || WELL_KNOWN.contains(&lower.as_str())).then_some("This one is guessed first. Choose another password.")
}

fn page(headers: &HeaderMap, status: StatusCode, token: String, mut form: SetupForm, errors: FieldErrors) -> Result<Response, WebError> {
    form.password.clear();
    let page = SetupPage { theme: Theme::of(headers), style: &crate::assets::STYLE.path, token, form, errors };
    let mut response = (status, Html(page.render()?)).into_response();
    // the address is the secret
    response.headers_mut().insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_gets_its_own_sentence() {
        let good = SetupForm {
            organization: "Birchwood".into(),
            name: "Ada".into(),
            email: "ada@birchwood.example".into(),
            password: "long enough, surely".into(),
        };
        assert_eq!(check(&good), FieldErrors::default());
        let errors = check(&SetupForm::default());
        assert!(errors.organization.is_some() && errors.name.is_some() && errors.email.is_some() && errors.password.is_some());
        for password in ["elevenchars", "aaaaaaaaaaaaaaaa", "Password1234", "ada@birchwood.example", &"x y".repeat(60)] {
            assert!(check(&SetupForm { password: password.to_owned(), ..good.clone() }).password.is_some(), "{password}");
        }
        for email in ["ada", "ada@", "@b.example", "ada@b", "a@b@c.example", "Ada <ada@b.example>", "a\r\nb@c.example", "a@b..example"] {
            assert!(check(&SetupForm { email: email.to_owned(), ..good.clone() }).email.is_some(), "{email:?}");
        }
    }
}
