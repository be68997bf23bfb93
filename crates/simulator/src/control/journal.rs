//! Reading the journal: requests with their bytes, and tokens.
use super::behaviour::company_id;
use super::{Answer, Problem, json};
use crate::books::Face;
use crate::network::journal::Entry;
use crate::sandbox::Sandbox;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json as object};

/// What is left out matches all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    face: Option<Face>,
    company: Option<String>,
    method: Option<String>,
    path_contains: Option<String>,
    status: Option<u16>,
    /// Only requests that a fault hit, of this kind; `any` for all of them.
    fault: Option<String>,
    /// Only requests after this number.
    after: Option<u64>,
    /// At most this many, the newest.
    limit: Option<usize>,
}

impl Wanted {
    fn fits(&self, entry: &Entry) -> bool {
        let contains = |part: &String| entry.path.to_lowercase().contains(&part.to_lowercase());
        self.face.is_none_or(|face| face == entry.face)
            && self.company.as_ref().is_none_or(|company| entry.company.eq_ignore_ascii_case(company))
            && self.method.as_ref().is_none_or(|method| entry.method.eq_ignore_ascii_case(method))
            && self.path_contains.as_ref().is_none_or(contains)
            && self.status.is_none_or(|status| entry.status == Some(status))
            && self.fault.as_ref().is_none_or(|fault| entry.fault.as_ref().is_some_and(|hit| fault == "any" || hit == fault))
            && self.after.is_none_or(|after| entry.number > after)
    }
}

pub async fn requests(State(sandbox): State<Sandbox>, Query(mut wanted): Query<Wanted>) -> Answer {
    let (last, found) = sandbox.read(|state| {
        if let Some(company) = &wanted.company {
            wanted.company = Some(company_id(state, company)?);
        }
        let fitting = state.journal.entries().rev().filter(|entry| wanted.fits(entry));
        let mut found: Vec<Value> = fitting.take(wanted.limit.unwrap_or(1_000)).map(Entry::shown).collect();
        found.reverse();
        Ok::<_, Problem>((state.journal.last_number(), found))
    })?;
    json(object!({"last": last, "requests": found}))
}

pub async fn forget_requests(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.write(|state| state.journal.clear());
    json(object!({"cleared": true}))
}

/// The bytes of a request's body, or of its answer as far as they were sent.
pub async fn bytes(State(sandbox): State<Sandbox>, Path((number, part)): Path<(u64, String)>) -> Result<Response, Problem> {
    sandbox.read(|state| {
        let entry = state.journal.entry(number).ok_or_else(|| Problem::missing(format!("the journal has no request {number}")))?;
        if !state.journal.has_bodies(number) {
            return Err(Problem::missing(format!("the bytes of request {number} are forgotten; the journal keeps the newest 16 MB")));
        }
        let bytes = match part.as_str() {
            "body" => entry.request_body.clone(),
            "answer" => entry.answer.clone(),
            other => return Err(Problem::missing(format!("{other} is none of body, answer"))),
        };
        Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
    })
}

pub async fn tokens(State(sandbox): State<Sandbox>) -> Answer {
    let now = sandbox.clock.now();
    json(sandbox.write(|state| {
        let crate::sandbox::State { journal, grants, .. } = state;
        journal.tokens.observe(grants, now, None);
        object!({"tokens": journal.tokens.all().map(|token| token.shown()).collect::<Vec<_>>()})
    }))
}
