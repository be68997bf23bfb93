//! Faults a test or a person injects: the next matching calls are answered wrongly, as the providers' bad days are.
use crate::books::Face;
use crate::limits::Problem;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;

/// Injected faults in the order they were given, and switches of behaviour that differs between real companies.
#[derive(Debug, Default)]
pub struct Faults {
    queue: Vec<Injected>,
    pub switches: Switches,
}

/// Behaviour of the faces that real companies and apps differ in.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// False: the Xero app has no access to the premium Journals endpoint and its scope is refused.
    pub xero_journals: bool,
    /// True: Xero's profit and loss shows currency gains as one `FXGROUPID` row.
    pub xero_groups_currency_gains: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Switches { xero_journals: true, xero_groups_currency_gains: false }
    }
}

/// One injected fault and the calls it waits for. What is left out matches every call.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Injected {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<Face>,
    /// `Books::id`. Calls that name no company (token endpoint, `/connections`) match only without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Part of path and query, compared without regard to case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_contains: Option<String>,
    /// How many matching calls pass untouched before the first is hit.
    #[serde(default)]
    pub skip: u32,
    /// How many matching calls are hit.
    #[serde(default = "once")]
    pub times: u32,
    pub fault: Fault,
}

fn once() -> u32 {
    1
}

/// What happens to a call that is hit.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429 in the provider's form.
    RateLimit {
        problem: Problem,
        #[serde(default)]
        retry_after_secs: Option<u32>,
    },
    /// An error status (500, 502, 503, 504, 403, ...) with the provider's body for it.
    Status { status: u16 },
    /// 401 in the provider's form, although the token is good.
    Unauthorized,
    /// 200 with a page of HTML, as a maintenance page or a proxy answers.
    HtmlBody,
    /// 200 with JSON that ends in the middle.
    MalformedJson,
    /// The right answer, after waiting.
    Delay { ms: u64 },
    /// The connection ends without an answer, and the call has no effect.
    Drop,
    /// The call takes effect (a token is rotated), then the connection ends without its answer.
    LoseAnswer,
}

impl Faults {
    pub fn inject(&mut self, injected: Injected) {
        self.queue.push(injected);
    }

    pub fn clear(&mut self) {
        self.queue.clear();
    }

    /// Faults that still wait for calls.
    pub fn waiting(&self) -> &[Injected] {
        &self.queue
    }

    /// The fault for this call, if one waits for it; uses up one of its times. `company` is empty for calls that name none;
    /// `path` is path and query.
    pub fn next(&mut self, face: Face, company: &str, path: &str) -> Option<Fault> {
        if self.queue.is_empty() {
            return None;
        }
        let path = path.to_lowercase();
        let mut hit = None;
        for (index, injected) in self.queue.iter_mut().enumerate() {
            let matches = injected.face.is_none_or(|f| f == face)
                && injected.company.as_deref().is_none_or(|c| c.eq_ignore_ascii_case(company))
                && injected.path_contains.as_deref().is_none_or(|part| path.contains(&part.to_lowercase()));
            if !matches {
                continue;
            }
            if injected.skip > 0 {
                injected.skip -= 1;
                continue;
            }
            hit = Some(index);
            break;
        }
        let index = hit?;
        let injected = &mut self.queue[index];
        let fault = injected.fault.clone();
        injected.times = injected.times.saturating_sub(1);
        if injected.times == 0 {
            self.queue.remove(index);
        }
        Some(fault)
    }
}

/// An answer that breaks off: the server closes the connection before the announced body has come.
pub fn broken_connection() -> Response {
    let stream = futures::stream::once(async { Err::<Bytes, std::io::Error>(std::io::Error::other("connection dropped on purpose")) });
    let mut response = Response::new(Body::from_stream(stream));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert("content-length", axum::http::HeaderValue::from_static("4096"));
    response
}

/// A maintenance page.
pub fn html_page() -> Response {
    let mut response = Response::new(Body::from(
        "<!DOCTYPE html><html><head><title>Service temporarily unavailable</title></head><body><h1>We'll be right back</h1></body></html>",
    ));
    response.headers_mut().insert("content-type", axum::http::HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// JSON that ends in the middle.
pub fn malformed_json() -> Response {
    let mut response = Response::new(Body::from("{\"QueryResponse\":{\"Invoice\":[{\"Id\":\"1\",\"TotalAmt\":12."));
    response.headers_mut().insert("content-type", axum::http::HeaderValue::from_static("application/json;charset=UTF-8"));
    response
}
