//! One call of the Accounting API, from its headers to its answer: token, tenant, scope, limits, faults, envelope.
//!
//! Contract: providers/xero.md 3.1, 3.2, 7 and 8; the order of the checks is that of section 8.
use super::idempotency::Key;
use super::lists::{self, Parameters};
use super::read::Reading;
use super::refusal::Refusal;
use super::resource::Resource;
use super::target::Target;
use super::wire::dates;
use super::write::Writing;
use super::xml;
use crate::apps::RAPID_SYNC_SECS;
use crate::books::Face;
use crate::faults::{self, Fault};
use crate::limits::{Contract, Remaining};
use crate::oauth::Access;
use crate::sandbox::{Sandbox, State as Held};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

/// Every call under `/api.xro/2.0/`.
pub async fn accounting(
    State(sandbox): State<Sandbox>,
    Path(path): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = Target::read(&path).printed_if(header_text(&headers, "accept").is_some_and(|accept| accept.contains("application/pdf")));
    let tenant = tenant_of(&sandbox, &headers);
    let fault = begin(&sandbox, &method, &target.counted(&path), &tenant, &uri);
    if let Some(refused) = fault.as_ref().and_then(answer_instead) {
        return marked(refused, None);
    }
    let call = Call { method, target, tenant, uri, headers, body };
    let (answer, remaining) = answer(&sandbox, &call, fault.as_ref()).await;
    let headers = call.headers;
    if fault == Some(Fault::LoseAnswer) {
        return faults::broken_connection();
    }
    let answer = in_the_form_asked_for(answer.unwrap_or_else(IntoResponse::into_response), &headers).await;
    marked(answer, remaining)
}

/// The tenant a call names; a custom connection's token belongs to one organisation and needs no header (section 2), or an empty one: the libraries
/// cannot leave it out (xero-node's README, "Custom Connections").
fn tenant_of(sandbox: &Sandbox, headers: &HeaderMap) -> String {
    if let Some(tenant) = header_text(headers, "xero-tenant-id").filter(|tenant| !tenant.trim().is_empty()) {
        return tenant.trim().to_ascii_lowercase();
    }
    match bearer(sandbox, headers, sandbox.clock.now()) {
        Ok(access) if access.family.is_empty() => access.companies.into_iter().next().unwrap_or_default(),
        _ => String::new(),
    }
}

/// Counts a call and takes the fault that waits for it.
pub fn begin(sandbox: &Sandbox, method: &Method, counted: &str, tenant: &str, uri: &Uri) -> Option<Fault> {
    let whole = uri.path_and_query().map_or(uri.path(), |path| path.as_str());
    sandbox.write(|state| {
        *state.calls.entry(format!("xero {method} {counted}")).or_default() += 1;
        state.faults.next(Face::Xero, tenant, whole)
    })
}

/// The answer of a fault that replaces the right one.
pub fn answer_instead(fault: &Fault) -> Option<Response> {
    match fault {
        Fault::RateLimit { problem, retry_after_secs } => Some(Refusal::of_limit(*problem, *retry_after_secs).into_response()),
        Fault::Status { status } => Some(Refusal::of_status(*status).into_response()),
        Fault::Unauthorized => Some(Refusal::of_status(401).into_response()),
        Fault::HtmlBody => Some(faults::html_page()),
        Fault::MalformedJson => Some(faults::malformed_json()),
        Fault::Drop => Some(faults::broken_connection()),
        // A delay and a lost answer take effect later, the other faults on the way to here and back.
        _ => None,
    }
}

/// Gives a Xero call's place among the five in flight back, however the call ends.
struct InFlight<'a> {
    sandbox: &'a Sandbox,
    tenant: &'a str,
    client_id: &'a str,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.sandbox.write(|state| state.limits.release(Face::Xero, self.tenant, self.client_id));
    }
}

/// A call as it came.
struct Call {
    method: Method,
    target: Target,
    tenant: String,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

async fn answer(sandbox: &Sandbox, call: &Call, fault: Option<&Fault>) -> (Result<Response, Refusal>, Option<Remaining>) {
    let Call { method, target, tenant, uri, headers, body } = call;
    let now = sandbox.clock.now();
    let access = match bearer(sandbox, headers, now) {
        Ok(access) => access,
        Err(refused) => return (Err(refused), None),
    };
    if !is_connected(sandbox, &access, tenant) {
        return (Err(Refusal::Forbidden), None);
    }
    // an app whose approval for the premium Journals endpoint ended keeps the scope in its tokens, but is refused
    let of_journals = matches!(target, Target::List(Resource::Journals) | Target::One(Resource::Journals, _));
    let journals_refused = of_journals && !sandbox.read(|state| reaches_journals(state, &access.client_id));
    let writes = target.is_written_by(method);
    if journals_refused || !allows(&access.scope, target.scopes(), writes) {
        return (Err(Refusal::Unauthorized("AuthorizationUnsuccessful".into())), None);
    }
    // "A user without reports gets 403 on Reports and Journals" (sections 4.6 and 5.3), since 29 June 2026 on ManualJournals as well
    if (of_journals || target.is_report()) && !sandbox.read(|state| sees_reports(state, &access.user_id)) {
        return (Err(Refusal::Forbidden), None);
    }
    let admitted = sandbox.write(|state| {
        let now = sandbox.clock.now();
        let contract = contract(state, &access, tenant, now);
        state.limits.admit_under(contract, Face::Xero, tenant, &access.client_id, now)
    });
    let remaining = match admitted {
        Ok(remaining) => remaining,
        Err(limit) => return (Err(Refusal::Limited(limit)), Some(limit.remaining)),
    };
    let _in_flight = InFlight { sandbox, tenant, client_id: &access.client_id };
    if let Some(Fault::Delay { ms }) = fault {
        tokio::time::sleep(std::time::Duration::from_millis(*ms)).await;
    }
    if *target == Target::Unknown {
        return (Err(Refusal::NotFound), Some(remaining));
    }
    if method != Method::GET && !writes {
        return (Err(Refusal::NotImplemented), Some(remaining));
    }
    let question = Question {
        sandbox: sandbox.clone(),
        target: target.clone(),
        method: method.clone(),
        body: body.clone(),
        tenant: tenant.clone(),
        app: access.client_id.clone(),
        user_id: access.user_id.clone(),
        query: uri.query().unwrap_or_default().to_string(),
        headers: headers.clone(),
        now,
    };
    // a page of a large company takes a while: it must not hold up the other calls
    let answered = tokio::task::spawn_blocking(move || question.answer()).await;
    (answered.unwrap_or(Err(Refusal::ServerError)), Some(remaining))
}

/// The app's tier has the premium Journals endpoint, and it is approved for it (section 4.6).
fn reaches_journals(state: &Held, client_id: &str) -> bool {
    let is_premium = state.apps.iter().find(|app| app.face == Face::Xero && app.client_id == client_id).is_none_or(|app| app.tier.is_premium());
    state.faults.switches.xero_journals && is_premium
}

fn sees_reports(state: &Held, user_id: &str) -> bool {
    state.users.iter().find(|user| user.id == user_id).is_none_or(|user| user.sees_reports)
}

/// What the app's tier says of its calls on this tenant (section 7).
fn contract(state: &Held, access: &Access, tenant: &str, now: Timestamp) -> Contract {
    let Some(app) = state.apps.iter().find(|app| app.face == Face::Xero && app.client_id == access.client_id) else { return Contract::default() };
    let of_call = |c: &&crate::oauth::XeroConnection| c.tenant_id == tenant && c.user_id == access.user_id && c.client_id == access.client_id;
    let connected_at = state.grants.xero_connections.iter().find(of_call).map(|connection| connection.created_at);
    let is_new = connected_at.is_some_and(|at| now.as_second() - at.as_second() < RAPID_SYNC_SECS);
    Contract { most_calls_a_day: app.tier.most_calls_a_day(), syncs_rapidly: app.rapid_sync && app.tier.has_rapid_sync() && is_new }
}

/// An admitted call.
struct Question {
    sandbox: Sandbox,
    target: Target,
    tenant: String,
    app: String,
    user_id: String,
    method: Method,
    body: Bytes,
    query: String,
    headers: HeaderMap,
    now: Timestamp,
}

impl Question {
    fn answer(&self) -> Result<Response, Refusal> {
        if self.method != Method::GET {
            return self.write();
        }
        let since = lists::modified_since(header_text(&self.headers, "if-modified-since"))?;
        let parameters = Parameters::read(&self.query);
        let reading = Reading { target: &self.target, app: &self.app, parameters, since, now: self.now };
        self.sandbox.read(|state| {
            // a company can be taken away between the check and here
            let books = state.companies.get(&self.tenant).ok_or(Refusal::Forbidden)?;
            reading.answer(books, &state.faults.switches)
        })
    }

    fn write(&self) -> Result<Response, Refusal> {
        let user = self.sandbox.read(|state| {
            let user = state.users.iter().find(|user| user.id == self.user_id);
            user.map_or("System Generated".to_string(), |user| format!("{} {}", user.given_name, user.family_name))
        });
        let writing = Writing {
            target: &self.target,
            method: &self.method,
            app: &self.app,
            user: &user,
            parameters: Parameters::read(&self.query),
            body: &self.body,
            content_type: header_text(&self.headers, "content-type").unwrap_or_default(),
            now: self.now,
        };
        let key = Key::read(header_text(&self.headers, "idempotency-key"), &self.app, &self.method, &self.target, &self.body)?;
        self.sandbox.write(|state| {
            let books = state.companies.get_mut(&self.tenant).ok_or(Refusal::Forbidden)?;
            match key {
                Some(key) => key.answer(books, self.now, |books| writing.answer(books)),
                None => writing.answer(books),
            }
        })
    }
}

/// The answer as XML, unless the call asked for JSON or the answer is no JSON: refused authentication always is.
async fn in_the_form_asked_for(response: Response, headers: &HeaderMap) -> Response {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if wants_json(headers) || !is_json || matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let root = if parts.status.is_success() { "Response" } else { "ApiException" };
    let json = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let text = xml::document(root, &json).unwrap_or_default();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, text.into())
}

/// The good access token of a call.
pub fn bearer(sandbox: &Sandbox, headers: &HeaderMap, now: Timestamp) -> Result<Access, Refusal> {
    let unknown = || Refusal::Unauthorized("AuthenticationUnsuccessful".into());
    let authorization = header_text(headers, "authorization").ok_or_else(unknown)?;
    let (scheme, token) = authorization.split_once(' ').ok_or_else(unknown)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unknown());
    }
    let access = sandbox.read(|state| state.grants.access.get(token.trim()).cloned()).filter(|access| access.face == Face::Xero);
    let access = access.filter(|access| !access.revoked).ok_or_else(unknown)?;
    if now >= access.expires_at {
        return Err(Refusal::Unauthorized(format!("TokenExpired: token expired at {}", dates::us_time(access.expires_at))));
    }
    Ok(access)
}

/// The tenant is connected to this app by this user.
fn is_connected(sandbox: &Sandbox, access: &Access, tenant: &str) -> bool {
    sandbox.read(|state| {
        let connected =
            state.grants.xero_connections.iter().any(|c| c.tenant_id == tenant && c.user_id == access.user_id && c.client_id == access.client_id);
        connected && state.companies.get(tenant).is_some_and(|books| books.face == Face::Xero)
    })
}

/// One of `needed` is granted; a write scope implies its read.
fn allows(granted: &str, needed: &[&str], writes: bool) -> bool {
    let opens = |scope: &str, need: &str| (!writes && scope == need) || need.strip_suffix(".read").unwrap_or(need) == scope;
    needed.is_empty() || granted.split_whitespace().any(|scope| needed.iter().any(|need| opens(scope, need)))
}

/// Without an Accept header that names JSON the real API answers XML.
fn wants_json(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|accept| accept.to_ascii_lowercase().contains("json"))
}

pub fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The headers every answer carries.
pub fn marked(mut response: Response, remaining: Option<Remaining>) -> Response {
    let headers = response.headers_mut();
    let id = crate::oauth::random_guid();
    headers.insert("xero-correlation-id", HeaderValue::from_str(&id).expect("a guid is a header value"));
    if let Some(remaining) = remaining {
        headers.insert("x-daylimit-remaining", HeaderValue::from(remaining.day));
        headers.insert("x-minlimit-remaining", HeaderValue::from(remaining.minute));
        headers.insert("x-appminlimit-remaining", HeaderValue::from(remaining.app_minute));
    }
    response
}
