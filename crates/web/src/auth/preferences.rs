//! How a person likes to see the site: kept in a cookie, without an account.
use crate::app::App;
use crate::parts::address::Asked;
use crate::visit::Theme;
use axum::extract::{RawForm, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};

/// POST /preferences/theme: what is wanted stands in the form, or in the address where the form is a single button.
pub async fn set_theme(State(app): State<App>, asked: Asked, RawForm(form): RawForm) -> Response {
    let form = Asked::parse(&form);
    let theme = Some(form.get("theme")).filter(|word| !word.is_empty()).unwrap_or(asked.get("theme"));
    let next = if crate::protection::is_own_path(form.get("next")) { form.get("next") } else { "/" };
    let secure = if app.options.secure_cookies { "; Secure" } else { "" };
    let cookie = format!("{}={}; Path=/; SameSite=Lax; Max-Age=31536000{secure}", Theme::COOKIE, Theme::parse(theme).as_str());
    let mut response = Redirect::to(next).into_response();
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(&cookie).expect("a word fits a header"));
    response
}
