//! `Idempotency-Key`: a request that is sent again after a lost answer has one effect and gets the first answer again.
use super::caller::Caller;
use super::error::ApiError;
use crate::app::App;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use store::idempotency::{self, Remembered};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Set on an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const LARGEST_BODY: usize = 1 << 20;

/// What is to be done with a request.
pub enum Once {
    /// It has no key, or does not change anything.
    Always,
    /// Nobody used the key before.
    First(String),
    Again {
        status: i64,
        body: String,
    },
}

/// Looks at the key of a POST, and takes it.
pub async fn answer_once(app: &App, caller: &Caller, request: &mut Request) -> Result<Once, ApiError> {
    if request.method() != Method::POST {
        return Ok(Once::Always);
    }
    let mut values = request.headers().get_all(&HEADER).iter();
    let Some(value) = values.next() else { return Ok(Once::Always) };
    let key = value.to_str().unwrap_or("").to_owned();
    if values.next().is_some() || key.is_empty() || key.len() > 255 || key.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(ApiError::bad("Idempotency-Key must be there once, with 1 to 255 printable characters without blanks, such as a UUID."));
    }
    let body = std::mem::replace(request.body_mut(), Body::empty());
    let bytes = to_bytes(body, LARGEST_BODY).await.map_err(|_| ApiError::TooLarge)?;
    let mut hasher = Sha256::new();
    hasher.update(request.uri().path().as_bytes());
    hasher.update([0]);
    hasher.update(request.uri().query().unwrap_or("").as_bytes());
    hasher.update([0]);
    hasher.update(&bytes);
    let fingerprint = hex::encode(hasher.finalize());
    *request.body_mut() = Body::from(bytes);
    let mut tx = app.engine.store.begin().await?;
    let remembered = idempotency::remember(&app.engine.store, &mut tx, caller.key_id.as_str(), &key, &fingerprint, app.engine.now_ms()).await?;
    tx.commit().await?;
    match remembered {
        Remembered::New => Ok(Once::First(key)),
        Remembered::Answered { status, body } => Ok(Once::Again { status, body }),
        Remembered::Running => Err(ApiError::Conflict {
            message: "The first request with this Idempotency-Key is still being answered. Ask again in a moment.".into(),
            run_id: None,
        }),
        Remembered::Different => Err(ApiError::field("Idempotency-Key", "This key was used for another request. Use a new key for a new request.")),
    }
}

impl Once {
    pub async fn run(self, app: &App, caller: &Caller, request: Request, next: Next) -> Response {
        match self {
            Once::Always => next.run(request).await,
            Once::Again { status, body } => {
                let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
                let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), (REPLAYED, HeaderValue::from_static("true"))];
                (status, headers, body).into_response()
            }
            Once::First(key) => {
                let response = next.run(request).await;
                match keep(app, caller, &key, response).await {
                    Ok(response) => response,
                    Err(error) => error.into_response(),
                }
            }
        }
    }
}

/// Remembers the answer; one of 500 and above is not, so that the request can be tried again.
async fn keep(app: &App, caller: &Caller, key: &str, response: Response) -> Result<Response, ApiError> {
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, 16 * LARGEST_BODY).await.map_err(|error| ApiError::Internal(error.to_string()))?;
    let text = String::from_utf8_lossy(&bytes);
    let answer = (!head.status.is_server_error()).then(|| (i64::from(head.status.as_u16()), text.as_ref()));
    let mut tx = app.engine.store.begin().await?;
    idempotency::keep_answer(&app.engine.store, &mut tx, caller.key_id.as_str(), key, answer).await?;
    tx.commit().await?;
    Ok(Response::from_parts(head, Body::from(bytes)))
}
