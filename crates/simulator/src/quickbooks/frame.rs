//! What surrounds every call of the data API: the token, the company, limits, injected faults, headers and the choice of an answer.
use super::entity::Entity;
use super::refusal::Refusal;
use super::reports::{self, Parameters};
use super::{dispatch, xml};
use crate::books::Face;
use crate::faults::{self, Fault};
use crate::oauth;
use crate::sandbox::{Sandbox, State as SandboxState};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;

/// The scope that opens the accounting API; there is no read-only variant (contract 1.2).
pub const ACCOUNTING: &str = "com.intuit.quickbooks.accounting";

/// Statements and records are far smaller; a file is not.
const MAX_BODY_BYTES: usize = 1 << 20;
const MAX_UPLOAD_BYTES: usize = 25 << 20;

/// Gives every answer its `intuit_tid`: `1-` + the time in hexadecimal + `-` + 24 digits (contract 2.4).
pub async fn identify(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let at = sandbox.clock.now().as_second();
    let mut response = next.run(request).await;
    let id = format!("1-{at:08x}-{}", oauth::random_hex(12));
    let headers = response.headers_mut();
    headers.insert("intuit_tid", HeaderValue::from_str(&id).expect("hexadecimal digits are a header"));
    // "X-Amzn-Trace-Id, X-Spanid, Strict-Transport-Security, Server: nginx" (contract 2.4).
    headers.insert("x-spanid", HeaderValue::from_str(&oauth::random_guid()).expect("a guid is a header"));
    headers.insert("x-amzn-trace-id", HeaderValue::from_str(&format!("Root={id}")).expect("hexadecimal digits are a header"));
    headers.insert("strict-transport-security", HeaderValue::from_static("max-age=15552000"));
    headers.insert(header::SERVER, HeaderValue::from_static("nginx"));
    response
}

/// One call of the data API.
pub struct Call {
    pub method: Method,
    pub realm: String,
    /// Below the company, without slashes at the ends.
    pub path: Vec<String>,
    pub full_path: String,
    pub parameters: Parameters,
    pub body: Bytes,
    pub content_type: String,
    /// The address it was sent to, without a path.
    pub base: String,
    pub wants_xml: bool,
}

pub async fn answer(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let most = if parts.uri.path().ends_with("/upload") { MAX_UPLOAD_BYTES } else { MAX_BODY_BYTES };
    let body = axum::body::to_bytes(body, most).await.unwrap_or_default();
    let text = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let full_path = parts.uri.path().to_owned();
    let mut segments = full_path.trim_start_matches("/v3/company/").split('/').filter(|segment| !segment.is_empty()).map(str::to_owned);
    let call = Call {
        method: parts.method,
        realm: segments.next().unwrap_or_default(),
        path: segments.collect(),
        parameters: Parameters(url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()),
        full_path,
        body,
        content_type: text(header::CONTENT_TYPE).unwrap_or_default().to_owned(),
        base: format!("http://{}", text(header::HOST).unwrap_or("localhost")),
        wants_xml: xml::is_wanted(text(header::ACCEPT)),
    };
    let uri = parts.uri.to_string();
    let (now, admitted) = sandbox.write(|state| {
        let now = sandbox.clock.now();
        count(state, &call);
        (now, admit(state, &call, bearer(&parts.headers), &uri, now))
    });
    let fault = match admitted {
        Ok(fault) => fault,
        Err(refusal) => return refused(&refusal, now),
    };
    if let Some(answered) = injected(fault.as_ref(), now).await {
        return answered;
    }
    // Reports and pages of a large company take a while: they must not hold up the other calls.
    let answering = {
        let sandbox = sandbox.clone();
        tokio::task::spawn_blocking(move || dispatch::respond(&sandbox, &call))
    };
    let response = answering.await.unwrap_or_else(|_| refused(&Refusal::system(StatusCode::INTERNAL_SERVER_ERROR), now));
    if fault == Some(Fault::LoseAnswer) { faults::broken_connection() } else { response }
}

/// The answer of a fault that replaces the right one. A delay has passed when this returns.
pub async fn injected(fault: Option<&Fault>, now: Timestamp) -> Option<Response> {
    match fault? {
        Fault::RateLimit { retry_after_secs, .. } => {
            let mut response = refused(&Refusal::throttled(), now);
            if let Some(secs) = retry_after_secs {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*secs));
            }
            Some(response)
        }
        Fault::Unauthorized => Some(refused(&Refusal::token(None), now)),
        Fault::Status { status } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Some(match status {
                StatusCode::UNAUTHORIZED => refused(&Refusal::token(None), now),
                StatusCode::FORBIDDEN => refused(&Refusal::application(), now),
                StatusCode::TOO_MANY_REQUESTS => refused(&Refusal::throttled(), now),
                // "500/502/503/504 may be HTML or empty" (contract 9.3).
                StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                    let mut page = faults::html_page();
                    *page.status_mut() = status;
                    page
                }
                other => refused(&Refusal::system(other), now),
            })
        }
        Fault::HtmlBody => Some(faults::html_page()),
        Fault::MalformedJson => Some(faults::malformed_json()),
        Fault::Drop => Some(faults::broken_connection()),
        Fault::Delay { ms } => {
            tokio::time::sleep(std::time::Duration::from_millis(*ms)).await;
            None
        }
        // The other faults happen on the way to here and back.
        _ => None,
    }
}

/// Counted as `quickbooks GET query`, `quickbooks GET reports/TrialBalance`, `quickbooks GET invoice`.
fn count(state: &mut SandboxState, call: &Call) {
    let name = match call.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["reports", name, ..] => format!("reports/{}", reports::named(name).unwrap_or("unknown")),
        [first @ ("query" | "cdc" | "batch"), ..] => (*first).to_owned(),
        [first, ..] => Entity::named(first).map_or_else(|| "unknown".to_owned(), |entity| entity.name().to_ascii_lowercase()),
        [] => "unknown".to_owned(),
    };
    *state.calls.entry(format!("quickbooks {} {name}", call.method)).or_default() += 1;
    if state.companies.contains_key(&call.realm) {
        *state.calls_by_company.entry(call.realm.clone()).or_default() += 1;
    }
}

pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether the token is good, whatever it may do.
pub fn authenticate<'a>(state: &'a SandboxState, token: Option<&str>, now: Timestamp) -> Result<&'a oauth::Access, Refusal> {
    let Some(token) = token else { return Err(Refusal::token(None)) };
    let start: String = token.chars().take(8).collect();
    match state.grants.access.get(token).filter(|access| access.face == Face::QuickBooks) {
        Some(access) if access.revoked => Err(Refusal::token(None)),
        Some(access) if !access.is_good(now) => Err(Refusal::token(Some(format!("Token expired: {start}...")))),
        Some(access) => Ok(access),
        // A token of our own form that is forgotten by now.
        None if token.starts_with("eyJ") && token.contains("..") => Err(Refusal::token(Some(format!("Token expired: {start}...")))),
        None => Err(Refusal::token(Some("Malformed bearer token: too short or too long".into()))),
    }
}

fn admit(state: &mut SandboxState, call: &Call, token: Option<&str>, uri: &str, now: Timestamp) -> Result<Option<Fault>, Refusal> {
    let access = authenticate(state, token, now)?;
    let client_id = access.client_id.clone();
    if !access.scope.split_whitespace().any(|scope| scope == ACCOUNTING) {
        return Err(Refusal::application());
    }
    // "Using them with another realm in the URL fails" (contract 1.4, 9.3).
    if !access.companies.contains(&call.realm) {
        return Err(Refusal::other_company());
    }
    if state.companies.get(&call.realm).is_none_or(|books| books.face != Face::QuickBooks) {
        return Err(Refusal::application());
    }
    // "Development keys reach sandbox companies only" (contract 1.1).
    if state.faults.switches.quickbooks_production.contains(&call.realm) {
        return Err(Refusal::application());
    }
    if let Some(fault) = state.faults.next(Face::QuickBooks, &call.realm, uri) {
        return Ok(Some(fault));
    }
    match state.limits.admit(Face::QuickBooks, &call.realm, &client_id, now) {
        Ok(_) => Ok(None),
        Err(_) => Err(Refusal::throttled()),
    }
}

/// Errors carry no charset; a 401 says why (contract 2.4).
pub fn refused(refusal: &Refusal, now: Timestamp) -> Response {
    let (body, content_type) = refusal.body(now);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if refusal.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Intuit\", error=\"invalid_token\""));
    }
    response
}
