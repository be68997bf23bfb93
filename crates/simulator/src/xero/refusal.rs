//! Refused calls and the bodies Xero gives them.
//!
//! Contract: providers/xero.md section 8 (developer.xero.com, "HTTP response codes and errors").
use super::filter::NotUnderstood;
use super::wire::json::{Object, array};
use crate::limits::{Limit, Problem, Remaining};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Why a call is not answered with data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Validation(String),
    #[error(transparent)]
    Query(#[from] NotUnderstood),
    /// A list of ids holds something else.
    #[error("Supplied parameter '{0}' cannot be parsed - must be of type UUID.")]
    NotAGuid(String),
    /// 401 with this detail.
    #[error("{0}")]
    Unauthorized(String),
    /// Elements of a PUT or POST, each with what is wrong with it.
    #[error("A validation exception occurred")]
    Elements(Vec<String>),
    #[error("The request body could not be read: a JSON object or list of elements is expected")]
    Unreadable,
    #[error("AuthenticationUnsuccessful")]
    Forbidden,
    #[error("The resource you're looking for cannot be found")]
    NotFound,
    #[error("The Api Method called is not implemented")]
    NotImplemented,
    #[error("rate limit exceeded")]
    Limited(Limit),
    #[error("An error occurred in Xero. Check the API Status page https://status.xero.com for current service status.")]
    ServerError,
    /// 503 and other faults of the service, plain text.
    #[error("{1}")]
    Unavailable(u16, String),
}

impl Refusal {
    /// The fault of this status, in the provider's form.
    pub fn of_status(status: u16) -> Refusal {
        match status {
            400 => Refusal::Validation("The request was refused on purpose".into()),
            401 => Refusal::Unauthorized("AuthenticationUnsuccessful".into()),
            403 => Refusal::Forbidden,
            404 => Refusal::NotFound,
            500 => Refusal::ServerError,
            501 => Refusal::NotImplemented,
            503 => Refusal::Unavailable(503, "The Organisation is offline".into()),
            other => Refusal::Unavailable(other, "The Xero API is temporarily unavailable".into()),
        }
    }

    pub fn of_limit(problem: Problem, retry_after_secs: Option<u32>) -> Refusal {
        Refusal::Limited(Limit { problem, retry_after_secs: retry_after_secs.unwrap_or(60), remaining: Remaining::default() })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let message = self.to_string();
        match self {
            Refusal::Validation(_) => json(400, validation(&message)),
            Refusal::Query(_) => json(400, exception(16, "QueryParseException", &message)),
            Refusal::Elements(elements) => json(400, validation_of(&elements)),
            Refusal::Unreadable => json(400, exception(17, "PostDataInvalidException", &message)),
            Refusal::NotAGuid(_) => text(400, "text/html; charset=utf-8", message),
            Refusal::Unauthorized(_) => json(401, authentication(401, "Unauthorized", &message)),
            Refusal::Forbidden => json(403, authentication(403, "Forbidden", &message)),
            Refusal::NotFound => text(404, "text/html; charset=utf-8", message),
            Refusal::NotImplemented => json(501, exception(20, "ApiMethodNotImplementedException", &message)),
            Refusal::Limited(limit) => limited(limit),
            Refusal::ServerError => json(500, exception(500, "InternalServerException", &message)),
            Refusal::Unavailable(status, _) => text(status, "text/plain; charset=utf-8", message),
        }
    }
}

fn exception(number: u32, kind: &str, message: &str) -> String {
    Object::new().number("ErrorNumber", number).text("Type", kind).text("Message", message).end()
}

fn validation(message: &str) -> String {
    let error = Object::new().text("Message", message).end();
    validation_of(&[Object::new().raw("ValidationErrors", &array(&[error])).end()])
}

fn validation_of(elements: &[String]) -> String {
    Object::new()
        .number("ErrorNumber", 10)
        .text("Type", "ValidationException")
        .text("Message", "A validation exception occurred")
        .list("Elements", elements)
        .end()
}

/// The one body with a null in it, recorded from the live API.
fn authentication(status: u16, title: &str, detail: &str) -> String {
    Object::new()
        .raw("Type", "null")
        .text("Title", title)
        .number("Status", status)
        .text("Detail", detail)
        .text("Instance", &crate::oauth::random_guid())
        .raw("Extensions", "{}")
        .end()
}

/// 429 has no body; the headers say which limit and, but for the concurrent one, how long to wait (section 7).
fn limited(limit: Limit) -> Response {
    let mut response = StatusCode::TOO_MANY_REQUESTS.into_response();
    let headers = response.headers_mut();
    headers.insert("x-rate-limit-problem", HeaderValue::from_static(limit.problem.word()));
    if limit.problem != Problem::Concurrent {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(limit.retry_after_secs));
    }
    response
}

pub fn json(status: u16, body: String) -> Response {
    text(status, "application/json; charset=utf-8", body)
}

pub fn text(status: u16, content_type: &'static str, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response()
}
