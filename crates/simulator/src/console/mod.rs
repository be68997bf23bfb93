//! The sandbox's face for people: what companies there are, what stands in their books, who called, and buttons for common mischief. Plain
//! HTML that works without scripts.
mod mischief;
mod page;

use crate::sandbox::Sandbox;
use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

pub fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/", get(overview))
        .route("/companies/{company}", get(company))
        .route("/mischief", post(trouble))
        .route("/companies/{company}/mischief", post(company_trouble))
        .with_state(sandbox)
}

/// What the last button did, to be said once.
#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    done: String,
}

#[derive(Deserialize)]
struct Wanted {
    what: String,
}

async fn overview(State(sandbox): State<Sandbox>, Query(done): Query<Done>) -> Html<String> {
    let now = sandbox.clock.now();
    Html(sandbox.read(|state| page::overview(state, now, &done.done)))
}

async fn company(State(sandbox): State<Sandbox>, Path(company): Path<String>, Query(done): Query<Done>) -> Response {
    let now = sandbox.clock.now();
    let page = sandbox.read(|state| state.companies.get(&company).map(|books| page::company(state, books, now, &done.done)));
    match page {
        Some(page) => Html(page).into_response(),
        None => (StatusCode::NOT_FOUND, Html(page::missing())).into_response(),
    }
}

async fn trouble(State(sandbox): State<Sandbox>, headers: HeaderMap, Form(wanted): Form<Wanted>) -> Response {
    if is_foreign(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match mischief::of_provider(&sandbox, &wanted.what) {
        Some(done) => back("/", &done),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn company_trouble(State(sandbox): State<Sandbox>, Path(company): Path<String>, headers: HeaderMap, Form(wanted): Form<Wanted>) -> Response {
    if is_foreign(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match mischief::of_company(&sandbox, &company, &wanted.what) {
        Some(done) => back(&format!("/companies/{company}"), &done),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// A page elsewhere must not press the buttons of a sandbox that runs on its reader's machine.
fn is_foreign(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

fn back(path: &str, done: &str) -> Response {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("done", done).finish();
    let mut response = StatusCode::SEE_OTHER.into_response();
    let target = format!("{path}?{query}");
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&target).expect("an encoded query is ASCII"));
    response
}
