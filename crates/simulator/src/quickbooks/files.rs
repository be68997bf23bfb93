//! The files behind attachments: the address that a download names, and what is found there.
//!
//! A download answers with a temporary address as text, which works without a token for 15 minutes (contract 7.5, trap 38).
use super::wire::View;
use super::wire::attachables;
use crate::books::Books;
use crate::books::lists::Attachment;
use crate::sandbox::Sandbox;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};

const LIFE_SECS: i64 = 900;

/// The temporary address of an attachment's file.
pub fn address(view: &View, attachment: &Attachment) -> String {
    let expires = view.now.as_second() + LIFE_SECS;
    let signature = signature(view.books, attachment.id, expires);
    let id = attachables::shown_id(attachment.id);
    format!("{}/quickbooks-files/{}/{id}?expires={expires}&signature={signature}", view.base, view.books.id)
}

fn signature(books: &Books, id: u64, expires: i64) -> String {
    hex::encode(Sha256::digest(format!("{}/{id}/{expires}/{}", books.id, books.seed)))
}

#[derive(Deserialize)]
pub struct Signed {
    expires: Option<i64>,
    signature: Option<String>,
}

pub async fn file(State(sandbox): State<Sandbox>, Path((realm, id)): Path<(String, u64)>, Query(signed): Query<Signed>) -> Response {
    let now = sandbox.clock.now();
    let found = sandbox.read(|state| content(state.companies.get(&realm)?, id, &signed, now));
    match found {
        Some((content_type, bytes)) => {
            let mut response = Response::new(Body::from(bytes));
            let value = HeaderValue::from_str(&content_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
            response.headers_mut().insert(header::CONTENT_TYPE, value);
            response
        }
        None => {
            let mut response = Response::new(Body::from("AccessDenied: Request has expired"));
            *response.status_mut() = StatusCode::FORBIDDEN;
            response
        }
    }
}

fn content(books: &Books, shown: u64, signed: &Signed, now: Timestamp) -> Option<(String, Vec<u8>)> {
    let id = attachables::id_of(shown)?;
    let expires = signed.expires.filter(|expires| now.as_second() <= *expires)?;
    if signed.signature.as_deref() != Some(signature(books, id, expires).as_str()) {
        return None;
    }
    let attachment = books.lists.attachments.get(&id).filter(|attachment| !attachment.stamp.deleted)?;
    Some((attachment.content_type.clone(), attachment.content()))
}
