//! Every refusal of the API has one form: a code for programs, a sentence that says what to do, and the fields it is about.
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::EngineError;
use schemars::JsonSchema;
use serde::Serialize;
use store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{0}")]
    Unauthenticated(&'static str),
    #[error("{0}")]
    Forbidden(&'static str),
    /// Unknown, or somebody else's: the answer is the same.
    #[error("not found")]
    NotFound,
    #[error("this path does not answer this method")]
    MethodNotAllowed,
    #[error("{0}")]
    BadRequest(String),
    #[error("the body cannot be taken")]
    Unprocessable(Vec<FieldProblem>),
    #[error("{0}")]
    UnsupportedMediaType(String),
    #[error("only application/json is answered")]
    NotAcceptable,
    #[error("the entity tag does not hold")]
    Stale,
    #[error("the body is too large")]
    TooLarge,
    #[error("too many requests")]
    TooMany { wait_secs: u64 },
    /// It cannot be done as things are.
    #[error("{message}")]
    Conflict { message: String, run_id: Option<String> },
    /// Refused by what stands around the whole site.
    #[error("{1}")]
    Refused(StatusCode, String),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Internal(String),
}

/// What is wrong with one field of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldProblem {
    /// `companies[2]`; empty when it is about the whole body.
    pub field: String,
    pub message: String,
}

/// The one form of a refusal.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ErrorAnswer {
    pub error: ErrorBody,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ErrorBody {
    /// For programs: `not_found`, `invalid_parameter`, `conflict`, ...
    pub code: &'static str,
    /// For people: what is wrong and what to do.
    pub message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldProblem>,
    /// The run that is in the way of a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
}

impl ApiError {
    pub fn field(field: &str, message: impl Into<String>) -> ApiError {
        ApiError::Unprocessable(vec![FieldProblem { field: field.to_owned(), message: message.into() }])
    }
    pub fn bad(message: impl Into<String>) -> ApiError {
        ApiError::BadRequest(message.into())
    }

    fn parts(&self) -> (StatusCode, &'static str, String) {
        let is = |status, code, text: &str| (status, code, text.to_owned());
        match self {
            ApiError::Unauthenticated(why) => is(StatusCode::UNAUTHORIZED, "unauthenticated", why),
            ApiError::Forbidden(why) => is(StatusCode::FORBIDDEN, "forbidden", why),
            ApiError::NotFound | ApiError::Engine(EngineError::NotFound) => {
                is(StatusCode::NOT_FOUND, "not_found", "Nothing is here, or it belongs to something this key cannot reach. Check path and id.")
            }
            ApiError::MethodNotAllowed => is(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This path does not answer this method. The OpenAPI document lists those it does.",
            ),
            ApiError::BadRequest(why) => is(StatusCode::BAD_REQUEST, "invalid_request", why),
            ApiError::Unprocessable(_) => is(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_body",
                "The body cannot be taken as it is; `fields` says which fields and why. Nothing was changed.",
            ),
            ApiError::UnsupportedMediaType(why) => is(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", why),
            ApiError::NotAcceptable => is(StatusCode::NOT_ACCEPTABLE, "not_acceptable", "Answers are application/json. Ask for that, or for */*."),
            ApiError::Stale => is(
                StatusCode::PRECONDITION_FAILED,
                "precondition_failed",
                "What is changed here has no entity tag, so that `If-Match` never holds. Nothing was changed; send the request without it.",
            ),
            ApiError::TooLarge => is(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is larger than 1 MB. Send less at once."),
            ApiError::TooMany { wait_secs } => {
                (StatusCode::TOO_MANY_REQUESTS, "too_many_requests", format!("This key has sent too many requests. Wait {wait_secs} seconds."))
            }
            ApiError::Conflict { message, .. } => is(StatusCode::CONFLICT, "conflict", message),
            ApiError::Refused(status, why) => (*status, "refused", why.clone()),
            ApiError::Engine(EngineError::NotAllowed(sentence)) => is(StatusCode::FORBIDDEN, "forbidden", sentence),
            ApiError::Engine(EngineError::Refused(sentence)) => is(StatusCode::CONFLICT, "conflict", sentence),
            other => {
                tracing::error!(error = %other, "an API request failed");
                is(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something failed on our side. Nothing was lost; try again in a moment.")
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, message) = self.parts();
        let (fields, run_id) = match &self {
            ApiError::Unprocessable(fields) => (fields.clone(), None),
            ApiError::Conflict { run_id, .. } => (Vec::new(), run_id.clone()),
            _ => (Vec::new(), None),
        };
        let mut response = (status, Json(ErrorAnswer { error: ErrorBody { code, message, fields, run_id } })).into_response();
        match self {
            ApiError::Unauthenticated(_) => {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tieout\""));
            }
            ApiError::TooMany { wait_secs } => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait_secs));
            }
            _ => {}
        }
        response
    }
}
