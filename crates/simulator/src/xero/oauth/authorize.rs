//! The authorize endpoint: checks the request, asks the person, and sends the browser back with a code or a refusal.
//!
//! Contract: providers/xero.md 1.2 and 1.3. A faulty request shows an error page and never goes back to the app.
use super::{page, scopes};
use crate::apps::{App, MOST_UNCERTIFIED};
use crate::books::Face;
use crate::oauth::{Code, XeroConnection, random_guid, random_hex, random_token};
use crate::sandbox::{Sandbox, State as Held, User};
use crate::xero::frame;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use std::collections::BTreeSet;

/// The parameters of an authorize request, in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pairs: Vec<(String, String)>,
}

/// Names the page itself adds; everything else is the app's request and is carried through the form.
const OWN: [&str; 4] = ["auto", "company", "user", "decision"];

impl Request {
    fn read(text: &[u8]) -> Request {
        Request { pairs: url::form_urlencoded::parse(text).into_owned().collect() }
    }
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
    /// Every company named, whether as repeated fields or separated by commas.
    fn companies(&self) -> Vec<String> {
        let named = self.pairs.iter().filter(|(name, _)| name == "company");
        named.flat_map(|(_, value)| value.split(',')).map(|id| id.trim().to_string()).filter(|id| !id.is_empty()).collect()
    }
    /// The app's own parameters.
    pub fn of_app(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).filter(|(name, _)| !OWN.contains(name))
    }
    /// Several organisations at once are a premium feature, and an app that has it may ask for the single-organisation page (section 2).
    pub fn is_single(&self, state: &Held) -> bool {
        let is_premium = app_of(state, self).is_some_and(|app| app.tier.is_premium());
        !is_premium || self.get("acr_values").is_some_and(|values| values.split_whitespace().any(|value| value == "bulk_connect:false"))
    }
}

/// GET shows the page (or decides at once with `auto=approve|deny`); POST is the page's form.
pub async fn authorize(State(sandbox): State<Sandbox>, method: Method, uri: Uri, body: Bytes) -> Response {
    let fault = frame::begin(&sandbox, &method, "identity/connect/authorize", "", &uri);
    if let Some(refused) = fault.as_ref().and_then(frame::answer_instead) {
        return refused;
    }
    let posted = method == Method::POST;
    let request = Request::read(if posted { &body } else { uri.query().unwrap_or_default().as_bytes() });
    if let Err(problem) = sandbox.read(|state| check(state, &request)) {
        return error_page(problem);
    }
    let user = sandbox.read(|state| chosen_user(state, &request));
    let Some(user) = user else {
        return error_page(Problem { code: "invalid_request", text: "There is no sandbox user with this e-mail address".into() });
    };
    let decision = if posted { request.get("decision") } else { request.get("auto") };
    match decision {
        Some("allow" | "approve") => allow(&sandbox, &request, &user, posted),
        Some("cancel" | "deny") => back(&request, &[("error", "access_denied")]),
        _ => show(&sandbox, &request, &user, None),
    }
}

struct Problem {
    code: &'static str,
    text: String,
}

fn error_page(problem: Problem) -> Response {
    (StatusCode::BAD_REQUEST, Html(page::error(problem.code, &problem.text))).into_response()
}

fn show(sandbox: &Sandbox, request: &Request, user: &User, notice: Option<&str>) -> Response {
    let html = sandbox.read(|state| page::consent(state, request, user, &open_to(state, user), notice));
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Html(html)).into_response()
}

fn app_of<'a>(state: &'a Held, request: &Request) -> Option<&'a App> {
    let client_id = request.get("client_id")?;
    state.apps.iter().find(|app| app.face == Face::Xero && app.client_id == client_id)
}

fn check(state: &Held, request: &Request) -> Result<(), Problem> {
    let client_id = request.get("client_id").unwrap_or_default();
    let Some(app) = app_of(state, request) else {
        return Err(Problem { code: "unauthorized_client", text: format!("Unknown client or client not enabled: '{client_id}'") });
    };
    let redirect_uri = request.get("redirect_uri").unwrap_or_default();
    if redirect_uri.is_empty() || !app.allows(redirect_uri) || url::Url::parse(redirect_uri).is_err() {
        let text = format!("Invalid redirect_uri: '{redirect_uri}' is not registered for this app");
        return Err(Problem { code: "unauthorized_client", text });
    }
    if request.get("response_type") != Some("code") {
        return Err(Problem { code: "unsupported_response_type", text: "response_type must be code".into() });
    }
    let scope = request.get("scope").unwrap_or_default();
    if scope.trim().is_empty() {
        return Err(Problem { code: "invalid_scope", text: "No scope was asked for".into() });
    }
    if let Some(refused) = scopes::refused(scope, scopes::Allowance::of(app, &state.faults.switches)) {
        return Err(Problem { code: "invalid_scope", text: format!("Invalid scope for client: {refused}") });
    }
    let method = request.get("code_challenge_method");
    if request.get("code_challenge").is_some() && method != Some("S256") {
        return Err(Problem { code: "invalid_request", text: "Transform algorithm not supported: code_challenge_method must be S256".into() });
    }
    Ok(())
}

/// The user named by e-mail address, or the first one.
fn chosen_user(state: &Held, request: &Request) -> Option<User> {
    match request.get("user") {
        Some(email) => state.users.iter().find(|user| user.email.eq_ignore_ascii_case(email)).cloned(),
        None => state.users.first().cloned(),
    }
}

/// Ids of the Xero organisations this person may authorize.
fn open_to(state: &Held, user: &User) -> Vec<String> {
    let of_face = state.companies.values().filter(|books| books.face == Face::Xero);
    of_face.filter(|books| user.companies.is_empty() || user.companies.contains(&books.id)).map(|books| books.id.clone()).collect()
}

fn allow(sandbox: &Sandbox, request: &Request, user: &User, posted: bool) -> Response {
    let open = sandbox.read(|state| open_to(state, user));
    let mut companies = request.companies();
    if companies.is_empty() && !posted {
        companies = open.clone();
    }
    if let Some(unknown) = companies.iter().find(|id| !open.contains(id)) {
        return error_page(Problem { code: "invalid_request", text: format!("{} may not authorize an organisation '{unknown}'", user.email) });
    }
    if companies.is_empty() && !open.is_empty() {
        return show(sandbox, request, user, Some("Choose at least one organisation, or cancel."));
    }
    if sandbox.read(|state| request.is_single(state)) {
        companies.truncate(1);
    }
    if let Some(problem) = sandbox.read(|state| too_many(state, request, &companies)) {
        return error_page(problem);
    }
    let code = grant(sandbox, request, user, companies);
    let session = format!("{}.{}", random_token(32), random_hex(16));
    back(request, &[("code", &code), ("scope", request.get("scope").unwrap_or_default()), ("session_state", &session)])
}

/// What keeps these organisations from being connected: the app's tier has no room for them, or they have two uncertified apps already. Xero
/// says so on its own page and does not go back to the app (sections 2 and 10).
fn too_many(state: &Held, request: &Request, companies: &[String]) -> Option<Problem> {
    let app = app_of(state, request)?;
    let connections = &state.grants.xero_connections;
    let of_app: BTreeSet<&str> = connections.iter().filter(|c| c.client_id == app.client_id).map(|c| c.tenant_id.as_str()).collect();
    let new = companies.iter().filter(|id| !of_app.contains(id.as_str())).count();
    if let Some(most) = app.tier.most_connections().filter(|most| new > 0 && of_app.len() + new > *most) {
        let text = format!("This app has reached its limit of {most} connected organisations. Its developer needs a higher tier");
        return Some(Problem { code: "access_denied", text });
    }
    if app.is_certified {
        return None;
    }
    let is_uncertified = |client_id: &str| state.apps.iter().any(|other| other.client_id == client_id && !other.is_certified);
    companies.iter().find_map(|id| {
        let on_it = connections.iter().filter(|c| c.tenant_id == *id && c.client_id != app.client_id && is_uncertified(&c.client_id));
        let others: BTreeSet<&str> = on_it.map(|c| c.client_id.as_str()).collect();
        let name = state.companies.get(id).map_or(id.as_str(), |books| &books.name);
        let text = format!("{name} is connected to {MOST_UNCERTIFIED} uncertified apps, which is the most. Disconnect one of them first");
        (others.len() >= MOST_UNCERTIFIED).then_some(Problem { code: "access_denied", text })
    })
}

/// Makes the code and connects the tenants; a known connection keeps its id and moves its time.
fn grant(sandbox: &Sandbox, request: &Request, user: &User, companies: Vec<String>) -> String {
    let now = sandbox.clock.now();
    let (code, auth_event_id) = (random_token(32), random_guid());
    let text = |name: &str| request.get(name).map(str::to_string);
    let granted = Code {
        face: Face::Xero,
        client_id: text("client_id").unwrap_or_default(),
        user_id: user.id.clone(),
        redirect_uri: text("redirect_uri").unwrap_or_default(),
        scope: text("scope").unwrap_or_default(),
        companies,
        auth_event_id: auth_event_id.clone(),
        nonce: text("nonce"),
        code_challenge: text("code_challenge"),
        code_challenge_method: text("code_challenge_method"),
        issued_at: now,
        used: false,
    };
    sandbox.write(|state| {
        state.grants.forget_old(now);
        for tenant_id in &granted.companies {
            connect(&mut state.grants.xero_connections, &granted.client_id, &user.id, tenant_id, &auth_event_id, now);
        }
        state.grants.codes.insert(code.clone(), granted);
    });
    code
}

pub fn connect(connections: &mut Vec<XeroConnection>, client_id: &str, user_id: &str, tenant_id: &str, auth_event_id: &str, now: jiff::Timestamp) {
    let known = connections.iter_mut().find(|c| c.client_id == client_id && c.user_id == user_id && c.tenant_id == tenant_id);
    match known {
        Some(connection) => {
            connection.auth_event_id = auth_event_id.into();
            connection.updated_at = now;
        }
        None => connections.push(XeroConnection {
            id: random_guid(),
            auth_event_id: auth_event_id.into(),
            user_id: user_id.into(),
            client_id: client_id.into(),
            tenant_id: tenant_id.into(),
            created_at: now,
            updated_at: now,
        }),
    }
}

/// Sends the browser back to the app, with the state it sent.
fn back(request: &Request, answer: &[(&str, &str)]) -> Response {
    let mut address = url::Url::parse(request.get("redirect_uri").unwrap_or_default()).expect("the redirect address was checked");
    {
        let mut query = address.query_pairs_mut();
        query.extend_pairs(answer);
        if let Some(state) = request.get("state") {
            query.append_pair("state", state);
        }
    }
    let location = HeaderValue::from_str(address.as_str()).expect("a parsed address is a header value");
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}
