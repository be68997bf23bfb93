//! How a person likes to see the site: kept in a cookie, without an account.
use crate::app::App;
use crate::visit::Theme;
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct ThemeForm {
    theme: String,
    #[serde(default)]
    next: String,
}

/// POST /preferences/theme
pub async fn set_theme(State(app): State<App>, Form(form): Form<ThemeForm>) -> Response {
    let next = if crate::protection::is_own_path(&form.next) { form.next.as_str() } else { "/" };
    let secure = if app.options.secure_cookies { "; Secure" } else { "" };
    let cookie = format!("{}={}; Path=/; SameSite=Lax; Max-Age=31536000{secure}", Theme::COOKIE, Theme::parse(&form.theme).as_str());
    let mut response = Redirect::to(next).into_response();
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(&cookie).expect("a word fits a header"));
    response
}
