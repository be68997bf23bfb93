//! What the API answers: lists in one envelope, times and amounts in one form, and a tag by which an unchanged answer need not be sent again.
use super::error::ApiError;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::money::Amount;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// A page of a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct List<T> {
    pub data: Vec<T>,
    /// Pass it as `cursor` for the rows that follow; null when these were the last.
    pub next_cursor: Option<String>,
}

/// A moment, kept in milliseconds UTC and written as RFC 3339.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub i64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let moment = jiff::Timestamp::from_millisecond(self.0).map_err(serde::ser::Error::custom)?;
        serializer.collect_str(&moment)
    }
}
impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// An exact amount, written as a decimal text so that no reader rounds it.
#[derive(Clone, Copy, Debug)]
pub struct Money(pub Amount);

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^-?[0-9]+\\.[0-9]{2,4}$", "description": "An exact decimal amount" })
    }
}

/// Runs around every answer of the API: refuses what nobody can read, tags what can be asked for again, and words what axum refuses by itself.
pub async fn finish(request: Request, next: Next) -> Response {
    if !accepts_json(request.headers()) {
        return ApiError::NotAcceptable.into_response();
    }
    let reads = request.method() == Method::GET;
    // what changes something has no entity tag: nobody can hold the one that is asked for
    if !reads && request.headers().get(header::IF_MATCH).is_some_and(|tags| tags != "*") {
        return ApiError::Stale.into_response();
    }
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    let is_json =
        |response: &Response| response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    match response.status() {
        StatusCode::OK if reads && is_json(&response) => tagged(response, known).await,
        StatusCode::METHOD_NOT_ALLOWED if !is_json(&response) => ApiError::MethodNotAllowed.into_response(),
        _ => response,
    }
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let mut asked = headers.get_all(header::ACCEPT).iter().peekable();
    asked.peek().is_none()
        || asked.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|part| {
            let kind = part.split(';').next().unwrap_or("").trim();
            matches!(kind, "*/*" | "application/*" | "application/json" | "")
        })
}

async fn tagged(response: Response, known: Option<HeaderValue>) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return ApiError::Internal("an answer could not be read back".into()).into_response() };
    let tag = format!("\"{}\"", crate::parts::seen::tag(&bytes));
    let tag = HeaderValue::from_str(&tag).expect("hexadecimal digits fit a header");
    // a cache may keep the answer, and must ask each time whether it still holds
    head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let unchanged = known
        .as_ref()
        .and_then(|known| known.to_str().ok())
        .is_some_and(|known| known.split(',').any(|one| one.trim() == "*" || one.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes()));
    head.headers.insert(header::ETAG, tag);
    if unchanged {
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(head, Body::empty());
    }
    Response::from_parts(head, Body::from(bytes))
}
