//! What lies between a client and a face: the journal of everything that passes, limits that no single face keeps, and the faults of
//! servers, gateways and lines.
mod alter;
mod call;
mod forms;
pub mod journal;
mod json;
pub mod later;
pub mod schedule;

use crate::books::Face;
use crate::faults::{self, ControlRequest, Fault, Page};
use crate::limits::Gate;
use crate::sandbox::{Sandbox, State as Held};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::Response;
pub use call::whole as path_of;
use call::{Area, Call};
use futures::StreamExt;
use jiff::Timestamp;
use journal::Entry;
use std::time::Duration;

/// A request's body is kept up to this size.
const MOST_REQUEST_BYTES: usize = 32 << 20;

/// Every request to a provider passes here.
pub async fn pass(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    later::settle(&sandbox).await;
    let Some(call) = Call::of(&request) else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MOST_REQUEST_BYTES).await else {
        return forms::answer(413, "text/plain; charset=utf-8", "the request is too large");
    };
    // limits count calls in the order of their moments, so the moment is taken where nothing else is counted
    let (now, (number, fault, gate)) = sandbox.write(|state| {
        let now = sandbox.clock.now();
        (now, enter(state, &call, &body, now))
    });
    let _gate = gate.as_ref().ok().map(|gate| Leaving { sandbox: &sandbox, gate: gate.clone() });
    let answer = match (&gate, fault.as_ref().and_then(|fault| instead(fault, call.face, now))) {
        (Err(retry_after_secs), _) => forms::throttled(call.face, "concurrent", *retry_after_secs, now),
        (_, Some(answer)) => answer,
        (Ok(_), None) => {
            if let Some(Fault::Delay { ms }) = fault {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            let mut request = Request::from_parts(parts, Body::from(body));
            prepare(&sandbox, &call, fault.as_ref(), &mut request);
            let longest = sandbox.read(|state| state.limits.figures.quickbooks_longest_ms);
            match (call.face, longest) {
                // "Requests over 120 s are cut" with a 504; what they do may still be done.
                (Face::QuickBooks, 1..) => {
                    let running = tokio::spawn(next.run(request));
                    match tokio::time::timeout(Duration::from_millis(longest), running).await {
                        Ok(Ok(answer)) => answer,
                        Ok(Err(_)) => forms::system(call.face, 500, now),
                        Err(_) => forms::html(504),
                    }
                }
                _ => next.run(request).await,
            }
        }
    };
    let answer = finish(&sandbox, &call, fault.as_ref(), number, answer).await;
    if let Some(Fault::Meanwhile { requests }) = fault {
        for request in &requests {
            perform(&sandbox, request).await;
        }
    }
    answer
}

/// Enters the call in the journal and finds what is to happen to it. The gate is an error with the seconds to wait where a limit stands.
fn enter(state: &mut Held, call: &Call, body: &Bytes, now: Timestamp) -> (u64, Option<Fault>, Result<Gate, Option<u32>>) {
    let access = call.bearer.as_ref().and_then(|token| state.grants.access.get(token)).filter(|access| access.is_good(now));
    let client_id = access.map(|access| access.client_id.clone());
    let fault = state
        .faults
        .outage(call.face, &call.company, now)
        .or_else(|| state.faults.next_on_the_way(call.face, &call.company, &call.path))
        .or_else(|| state.schedule.as_mut().and_then(|schedule| schedule.draw(call)));
    let gate = match &client_id {
        Some(client_id) if call.face == Face::QuickBooks && call.area == Area::Data && fault.is_none() => {
            let reads = call.method == Method::GET || call.path.contains("/query");
            state.limits.enter(&call.company, client_id, reads, call.is_batch(), now)
        }
        _ => Ok(Gate::default()),
    };
    let token = call.bearer.as_ref().and_then(|text| state.journal.tokens.number(text));
    let entry = Entry {
        number: 0,
        face: call.face,
        company: call.company.clone(),
        method: call.method.to_string(),
        path: call.path.clone(),
        token,
        client_id: client_id.unwrap_or_default(),
        began_at: now,
        began: 0,
        ended_at: None,
        ended: None,
        status: None,
        fault: fault.as_ref().map(Fault::word),
        request_body: body.clone(),
        answer: Bytes::new(),
        answer_bytes: 0,
        sent_bytes: 0,
    };
    (state.journal.begin(entry), fault, gate)
}

/// Gives a place among the calls at one time back, however the call ends.
struct Leaving<'a> {
    sandbox: &'a Sandbox,
    gate: Gate,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if self.gate.is_counted() {
            self.sandbox.write(|state| state.limits.leave(&self.gate));
        }
    }
}

/// The answer of a fault that keeps the call from its face.
fn instead(fault: &Fault, face: Face, now: Timestamp) -> Option<Response> {
    Some(match fault {
        Fault::RateLimit { problem, retry_after_secs } => forms::throttled(face, problem.word(), *retry_after_secs, now),
        Fault::Status { status: 401 } | Fault::Unauthorized => forms::authentication(face, 401, now),
        Fault::Status { status: 403 } => forms::forbidden(face, now),
        Fault::Status { status: 429 } => forms::throttled(face, "minute", None, now),
        Fault::Status { status: status @ 502..=504 } if face == Face::QuickBooks => forms::html(*status),
        Fault::Status { status } => forms::system(face, *status, now),
        Fault::HtmlBody => forms::html(200),
        Fault::Html { status } => forms::html(*status),
        Fault::MalformedJson => faults::malformed_json(),
        Fault::Drop => faults::broken_connection(),
        Fault::FaultInOk { inside } => forms::fault_in_ok(face, *inside, now),
        Fault::Throttle { retry_after } => {
            let mut response = forms::answer(429, "text/plain", Body::empty());
            if let Some(value) = retry_after.as_ref().and_then(|text| header::HeaderValue::from_str(text).ok()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            response
        }
        Fault::AuthenticationFault { status } => forms::authentication(face, *status, now),
        Fault::InvalidGrant => forms::invalid_grant(face),
        Fault::Lapsed => forms::lapsed(face, now),
        Fault::Answer { status, content_type, body } => forms::answer(*status, content_type.as_deref().unwrap_or("application/json"), body.clone()),
        _ => return None,
    })
}

/// Turns a request before its face sees it.
fn prepare(sandbox: &Sandbox, call: &Call, fault: Option<&Fault>, request: &mut Request) {
    if let Some(Fault::Page { how: Page::FirstAgain }) = fault
        && let Some(uri) = call::first_page(request.uri())
    {
        *request.uri_mut() = uri;
    }
    let (retired, omits) = sandbox.read(|state| {
        let switches = &state.faults.switches;
        (switches.retired_scopes.clone(), !switches.quickbooks_cdc_omits.is_empty())
    });
    // An answer that is changed or counted cannot be a packed one.
    let is_whole_list = call.face == Face::Xero && call.area == Area::Data && !call.path.to_ascii_lowercase().contains("page=");
    if fault.is_some() || is_whole_list || (omits && call.is_change_data_capture()) {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    if retired.is_empty() {
        return;
    }
    match call.area {
        Area::SignIn => {
            if let Some(uri) = call::without_scopes(request.uri(), &retired) {
                *request.uri_mut() = uri;
            }
        }
        Area::Tokens => sandbox.write(|state| {
            for family in state.grants.families.values_mut().filter(|family| family.face == call.face) {
                let left: Vec<&str> = family.scope.split_whitespace().filter(|scope| !retired.iter().any(|gone| gone == scope)).collect();
                family.scope = left.join(" ");
            }
        }),
        Area::Connections | Area::Data => {}
    }
}

/// Changes the answer as the fault wants it, and enters in the journal what is sent.
async fn finish(sandbox: &Sandbox, call: &Call, fault: Option<&Fault>, number: u64, answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await;
    let now = sandbox.clock.now();
    let observes = call.area != Area::Data;
    let expires = matches!(fault, Some(Fault::ExpireToken { .. }));
    if observes || expires {
        sandbox.write(|state| {
            if expires && let Some(access) = call.bearer.as_ref().and_then(|token| state.grants.access.get_mut(token)) {
                access.expires_at = now;
            }
            let Held { journal, grants, .. } = state;
            journal.tokens.observe(grants, now, Some(number));
        });
    }
    let Ok(mut bytes) = whole else {
        sandbox.write(|state| {
            state.journal.answered(number, parts.status.as_u16(), Bytes::new(), 0);
            state.journal.ended(number, 0, now);
        });
        return faults::broken_connection();
    };
    if let Some(Fault::CutOff { after_ms }) = fault {
        tokio::time::sleep(Duration::from_millis(*after_ms)).await;
        (parts, bytes) = taken_apart(forms::html(504)).await;
    }
    if let Some(refused) = too_many(sandbox, call, &parts, &bytes) {
        (parts, bytes) = taken_apart(refused).await;
    }
    bytes = changed(sandbox, call, fault, bytes);
    let claimed = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let sent = match fault {
        Some(Fault::LoseAnswer) => Bytes::new(),
        Some(Fault::Truncate { bytes: most }) => bytes.slice(..bytes.len().min(*most)),
        Some(Fault::ExpireToken { mid_body: true }) => bytes.slice(..bytes.len() / 2),
        _ => bytes,
    };
    let breaks = u64::try_from(sent.len()).unwrap_or(u64::MAX) < claimed || matches!(fault, Some(Fault::LoseAnswer));
    sandbox.write(|state| state.journal.answered(number, parts.status.as_u16(), sent.clone(), claimed));
    if parts.headers.contains_key(header::CONTENT_LENGTH) || claimed > 0 || breaks {
        parts.headers.insert(header::CONTENT_LENGTH, claimed.max(u64::from(breaks)).into());
    }
    let pace = match fault {
        Some(Fault::Drip { bytes_per_second }) => Some(*bytes_per_second),
        _ => None,
    };
    Response::from_parts(parts, sending(sandbox.clone(), number, sent, pace, breaks))
}

async fn taken_apart(answer: Response) -> (axum::http::response::Parts, Bytes) {
    let (parts, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    (parts, bytes)
}

/// "A request that would give over 100,000 records ... is answered 400": <https://developer.xero.com/documentation/api/accounting/requests-and-responses>.
fn too_many(sandbox: &Sandbox, call: &Call, parts: &axum::http::response::Parts, bytes: &Bytes) -> Option<Response> {
    if call.face != Face::Xero || call.area != Area::Data || !parts.status.is_success() {
        return None;
    }
    let most = sandbox.read(|state| state.limits.figures.xero_most_records);
    // Shorter answers cannot hold so many records.
    if most == 0 || u64::try_from(bytes.len()).ok()? / 20 < most {
        return None;
    }
    let records = alter::count(std::str::from_utf8(bytes).ok()?);
    (u64::try_from(records).ok()? > most).then(|| forms::too_many_records(most))
}

fn changed(sandbox: &Sandbox, call: &Call, fault: Option<&Fault>, bytes: Bytes) -> Bytes {
    if call.area != Area::Data {
        return bytes;
    }
    let omitted = match call.is_change_data_capture() {
        true => sandbox.read(|state| state.faults.switches.quickbooks_cdc_omits.clone()),
        false => Vec::new(),
    };
    let alters = fault.is_some_and(|fault| {
        matches!(
            fault,
            Fault::FalseDelete { .. }
                | Fault::Cap { .. }
                | Fault::CountOff { .. }
                | Fault::Page { .. }
                | Fault::LargeRecords { .. }
                | Fault::ManyRecords { .. }
                | Fault::Drift { .. }
                | Fault::WrongOffset { .. }
        )
    });
    if !alters && omitted.is_empty() {
        return bytes;
    }
    let Ok(text) = String::from_utf8(bytes.to_vec()) else { return bytes };
    let text = if omitted.is_empty() { text } else { alter::without_entities(text, &omitted) };
    Bytes::from(match fault {
        Some(fault) => alter::altered(fault, text),
        None => text,
    })
}

/// The body, counted as it is handed to the connection.
fn sending(sandbox: Sandbox, number: u64, bytes: Bytes, pace: Option<u32>, breaks: bool) -> Body {
    struct Counting {
        sandbox: Sandbox,
        number: u64,
        sent: u64,
    }
    impl Drop for Counting {
        fn drop(&mut self) {
            let now = self.sandbox.clock.now();
            self.sandbox.write(|state| state.journal.ended(self.number, self.sent, now));
        }
    }
    let counting = Counting { sandbox, number, sent: 0 };
    if bytes.is_empty() && !breaks {
        return Body::empty();
    }
    let parts: Vec<Bytes> = match pace {
        None => vec![bytes],
        Some(pace) => {
            // Ten pieces a second.
            let piece = usize::try_from(pace / 10).unwrap_or(1).max(1);
            (0..bytes.len()).step_by(piece).map(|at| bytes.slice(at..(at + piece).min(bytes.len()))).collect()
        }
    };
    let end = breaks.then(|| Err(std::io::Error::other("connection dropped on purpose")));
    let pieces = futures::stream::iter(parts.into_iter().filter(|part| !part.is_empty()).map(Ok).chain(end));
    Body::from_stream(futures::stream::unfold((counting, pieces, pace), |(mut counting, mut pieces, pace)| async move {
        let piece: Result<Bytes, std::io::Error> = pieces.next().await?;
        if let Ok(piece) = &piece {
            if pace.is_some() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            counting.sent += u64::try_from(piece.len()).unwrap_or(0);
        }
        Some((piece, (counting, pieces, pace)))
    }))
}

/// Makes a request to the control API from inside, and says whether it was fulfilled.
pub async fn perform(sandbox: &Sandbox, wanted: &ControlRequest) -> bool {
    use tower::ServiceExt;
    let Ok(mut request) = axum::http::Request::post(&wanted.path).body(Body::from(wanted.body.to_string())) else { return false };
    request.extensions_mut().insert(crate::control::Settled);
    match crate::control::router(sandbox.clone()).oneshot(request).await {
        Ok(answer) => answer.status().is_success(),
        Err(never) => match never {},
    }
}
