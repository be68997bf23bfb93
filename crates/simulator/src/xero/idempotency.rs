//! Idempotency-Key: the same request sent twice is carried out once, and its answer given twice.
//!
//! Contract: providers/xero.md 3.1: at most 128 characters, remembered about six minutes, errors too; another request under a known key
//! is refused.
use super::refusal::Refusal;
use super::target::Target;
use crate::books::Books;
use crate::books::xero::Remembered;
use axum::body::Bytes;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

const LONGEST: usize = 128;
const REMEMBERED: SignedDuration = SignedDuration::from_mins(6);

/// A key with the request it stands for.
pub struct Key {
    name: String,
    request: String,
}

impl Key {
    pub fn read(header: Option<&str>, app: &str, method: &Method, target: &Target, body: &Bytes) -> Result<Option<Key>, Refusal> {
        let Some(key) = header.map(str::trim).filter(|key| !key.is_empty()) else { return Ok(None) };
        if key.len() > LONGEST {
            return Err(Refusal::Validation(format!("Idempotency-Key cannot be longer than {LONGEST} characters")));
        }
        let request = hex::encode(Sha256::digest([format!("{method} {target:?}").as_bytes(), b"\n", body].concat()));
        Ok(Some(Key { name: format!("{app} {key}"), request }))
    }

    /// The remembered answer, or that of `work`, which is remembered then.
    pub fn answer(self, books: &mut Books, now: Timestamp, work: impl FnOnce(&mut Books) -> Result<Response, Refusal>) -> Result<Response, Refusal> {
        books.xero.remembered.retain(|_, known| now.duration_since(known.at) < REMEMBERED);
        if let Some(known) = books.xero.remembered.get(&self.name) {
            if known.request != self.request {
                return Err(Refusal::Validation("This Idempotency-Key was used with another request".into()));
            }
            return Ok(again(known));
        }
        let response = work(books).unwrap_or_else(IntoResponse::into_response);
        let status = response.status().as_u16();
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_string();
        // answers are whole in memory: nothing is waited for
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).now_or_never().and_then(Result::ok).unwrap_or_default().to_vec();
        let known = Remembered { at: now, request: self.request, status, content_type, body };
        let response = again(&known);
        books.xero.remembered.insert(self.name, known);
        Ok(response)
    }
}

fn again(known: &Remembered) -> Response {
    let status = StatusCode::from_u16(known.status).unwrap_or(StatusCode::OK);
    let mut response = (status, known.body.clone()).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    if let Ok(kind) = HeaderValue::from_str(&known.content_type)
        && !known.content_type.is_empty()
    {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}
