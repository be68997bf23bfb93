//! The page on which a person lets an app into one company, and the answer it sends back.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0>: one company for each consent;
//! an unknown app or redirect address gets a page, never a redirect.
use super::frame::ACCOUNTING;
use crate::books::Face;
use crate::oauth::{Code, random_guid, random_token};
use crate::sandbox::{Sandbox, State as SandboxState, User};
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;

/// Contract 1.2, from the SDKs' lists.
const SCOPES: [&str; 19] = [
    ACCOUNTING,
    PAYMENT,
    "openid",
    "profile",
    "email",
    "phone",
    "address",
    "intuit_name",
    "com.intuit.quickbooks.payroll",
    "com.intuit.quickbooks.payroll.timetracking",
    "com.intuit.quickbooks.payroll.benefits",
    "com.intuit.quickbooks.payroll.payslip.read",
    "payroll.compensation.read",
    "project-management.project",
    "app-foundations.custom-dimensions.read",
    "app-foundations.custom-field-definitions",
    "app-foundations.custom-field-definitions.read",
    "indirect-tax.tax-calculation.quickbooks",
    "time-tracking.time-entry",
];
const PAYMENT: &str = "com.intuit.quickbooks.payment";

/// What an app asks for.
struct Asked {
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: Option<String>,
    nonce: Option<String>,
    /// The query as it came, to repeat the question.
    query: Vec<(String, String)>,
}

impl Asked {
    /// Parameters come in any order and unknown ones are ignored (contract fact 3).
    fn read(query: &str) -> Asked {
        let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let get = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        Asked {
            client_id: get("client_id").unwrap_or_default(),
            redirect_uri: get("redirect_uri").unwrap_or_default(),
            scope: get("scope").unwrap_or_default(),
            state: get("state"),
            nonce: get("nonce"),
            query,
        }
    }
    fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
    fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split_whitespace()
    }
    /// "realmId appears only when an accounting or payments scope was granted" (contract 1.3).
    fn needs_company(&self) -> bool {
        self.scopes().any(|scope| scope == ACCOUNTING || scope == PAYMENT)
    }
}

/// How the question ends before anybody is asked.
enum Unaskable {
    Page(String),
    Redirect(&'static str),
}

fn check(state: &SandboxState, asked: &Asked) -> Result<(), Unaskable> {
    let Some(app) = state.apps.iter().find(|app| app.face == Face::QuickBooks && app.client_id == asked.client_id) else {
        return Err(Unaskable::Page("The client_id query parameter value is invalid: no app has this id.".into()));
    };
    if !app.allows(&asked.redirect_uri) || url::Url::parse(&asked.redirect_uri).is_err() {
        return Err(Unaskable::Page(
            "The redirect_uri query parameter value is invalid. Make sure it is listed in the redirect addresses of the app.".into(),
        ));
    }
    if asked.get("response_type") != Some("code") {
        return Err(Unaskable::Redirect("unsupported_response_type"));
    }
    if asked.scopes().next().is_none() || asked.scopes().any(|scope| !SCOPES.contains(&scope)) {
        return Err(Unaskable::Redirect("invalid_scope"));
    }
    Ok(())
}

/// The companies a person may open, by name.
fn companies_of<'a>(state: &'a SandboxState, user: &User) -> Vec<(&'a str, &'a str, &'a str)> {
    let mut companies: Vec<_> = state
        .companies
        .values()
        .filter(|books| books.face == Face::QuickBooks && (user.companies.is_empty() || user.companies.contains(&books.id)))
        .map(|books| (books.id.as_str(), books.name.as_str(), books.currency.as_str()))
        .collect();
    companies.sort_by_key(|(id, name, _)| (*name, *id));
    companies
}

pub async fn page(State(sandbox): State<Sandbox>, RawQuery(query): RawQuery) -> Response {
    let asked = Asked::read(query.as_deref().unwrap_or_default());
    let now = sandbox.clock.now();
    sandbox.write(|state| {
        *state.calls.entry("quickbooks GET connect/oauth2".into()).or_default() += 1;
        if let Err(unaskable) = check(state, &asked) {
            return unasked(&asked, unaskable);
        }
        match asked.get("auto") {
            Some("approve") => approve(state, &asked, asked.get("user"), asked.get("company"), now),
            Some("deny") => redirect(&asked, &[("error", "access_denied")]),
            Some(other) => error_page(&format!("auto={other} is not known: use auto=approve or auto=deny.")),
            None => question(state, &asked, asked.get("user"), None),
        }
    })
}

pub async fn decide(State(sandbox): State<Sandbox>, body: Bytes) -> Response {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str());
    let asked = Asked::read(field("asked").unwrap_or_default());
    let now = sandbox.clock.now();
    sandbox.write(|state| {
        *state.calls.entry("quickbooks POST connect/oauth2".into()).or_default() += 1;
        if let Err(unaskable) = check(state, &asked) {
            return unasked(&asked, unaskable);
        }
        match field("decision") {
            Some("connect") => approve(state, &asked, field("user"), field("company"), now),
            _ => redirect(&asked, &[("error", "access_denied")]),
        }
    })
}

fn unasked(asked: &Asked, unaskable: Unaskable) -> Response {
    match unaskable {
        Unaskable::Page(reason) => error_page(&reason),
        Unaskable::Redirect(error) => redirect(asked, &[("error", error)]),
    }
}

/// Issues a code for one company, the first one the person has if none is named on an automatic approval.
fn approve(state: &mut SandboxState, asked: &Asked, user: Option<&str>, company: Option<&str>, now: Timestamp) -> Response {
    let user = match user {
        Some(email) => state.users.iter().find(|user| user.email.eq_ignore_ascii_case(email)).cloned(),
        None => state.users.first().cloned(),
    };
    let Some(user) = user else { return error_page("The sandbox has no such user.") };
    let mut chosen = Vec::new();
    if asked.needs_company() {
        let companies = companies_of(state, &user);
        let found = match company {
            Some(id) => companies.iter().find(|(known, ..)| *known == id),
            None if asked.get("auto").is_some() => companies.first(),
            None => None,
        };
        match found {
            Some((id, ..)) => chosen.push((*id).to_owned()),
            None => {
                let problem = match company {
                    Some(id) => format!("{} has no company {id}.", user.email),
                    None => "Choose a company first.".to_owned(),
                };
                return question(state, asked, Some(&user.email), Some(&problem));
            }
        }
    }
    let code = format!("XAB1{}{}", now.as_second(), random_token(27));
    let realm = chosen.first().cloned();
    state.grants.codes.insert(
        code.clone(),
        Code {
            face: Face::QuickBooks,
            client_id: asked.client_id.clone(),
            user_id: user.id,
            redirect_uri: asked.redirect_uri.clone(),
            scope: asked.scopes().collect::<Vec<_>>().join(" "),
            companies: chosen,
            auth_event_id: random_guid(),
            nonce: asked.nonce.clone(),
            code_challenge: None,
            code_challenge_method: None,
            issued_at: now,
            used: false,
        },
    );
    let mut answer = vec![("code", code.as_str())];
    if let Some(realm) = &realm {
        answer.push(("realmId", realm));
    }
    redirect(asked, &answer)
}

/// 302 to the app: its own query is kept, `state` comes back as it was.
fn redirect(asked: &Asked, answer: &[(&str, &str)]) -> Response {
    let Ok(mut target) = url::Url::parse(&asked.redirect_uri) else { return error_page("The redirect_uri query parameter value is invalid.") };
    {
        let mut pairs = target.query_pairs_mut();
        for (index, (name, value)) in answer.iter().enumerate() {
            pairs.append_pair(name, value);
            if index == 0
                && let Some(state) = &asked.state
            {
                pairs.append_pair("state", state);
            }
        }
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let location = HeaderValue::from_str(target.as_str()).expect("a parsed address is ASCII");
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn question(state: &SandboxState, asked: &Asked, email: Option<&str>, problem: Option<&str>) -> Response {
    let user = email.and_then(|email| state.users.iter().find(|user| user.email.eq_ignore_ascii_case(email))).or(state.users.first());
    let Some(user) = user else { return error_page("The sandbox has no user.") };
    let companies = companies_of(state, user);
    let needs_company = asked.needs_company();
    let mut content =
        format!("<h1>Connect an app to QuickBooks</h1>\n<p>The app <strong>{}</strong> asks to use your data.</p>\n", escape(&asked.client_id));
    if let Some(problem) = problem {
        content += &format!("<p class=\"problem\" role=\"alert\">{}</p>\n", escape(problem));
    }
    content += "<form method=\"get\" action=\"/connect/oauth2\" class=\"who\">\n";
    for (name, value) in asked.query.iter().filter(|(name, _)| !matches!(name.as_str(), "user" | "company")) {
        content += &format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escape(name), escape(value));
    }
    content += "<div><label for=\"user\">Signed in as</label><select id=\"user\" name=\"user\">\n";
    for known in &state.users {
        let selected = if known.id == user.id { " selected" } else { "" };
        let name = format!("{} {} ({})", known.given_name, known.family_name, known.email);
        content += &format!("<option value=\"{}\"{selected}>{}</option>\n", escape(&known.email), escape(&name));
    }
    content += "</select></div>\n<button type=\"submit\">Switch</button>\n</form>\n";
    content += "<form method=\"post\" action=\"/connect/oauth2\">\n";
    let repeated = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(asked.query.iter().filter(|(name, _)| !matches!(name.as_str(), "user" | "company")))
        .finish();
    content += &format!("<input type=\"hidden\" name=\"asked\" value=\"{}\">\n", escape(&repeated));
    content += &format!("<input type=\"hidden\" name=\"user\" value=\"{}\">\n", escape(&user.email));
    if needs_company && companies.is_empty() {
        content += "<p><strong>This user has no QuickBooks company.</strong> Switch to another user, or decline.</p>\n";
    } else if needs_company {
        content += "<fieldset>\n<legend>Choose one company</legend>\n";
        for (index, (id, name, currency)) in companies.iter().enumerate() {
            let chosen = asked.get("company").map_or(index == 0, |company| company == *id);
            content += &format!(
                "<label class=\"choice\"><input type=\"radio\" name=\"company\" value=\"{}\"{} required><span>{}<small>{} · company {}</small></span></label>\n",
                escape(id),
                if chosen { " checked" } else { "" },
                escape(name),
                escape(currency),
                escape(id),
            );
        }
        content += "</fieldset>\n";
    }
    content += "<p>The app will be able to:</p>\n<ul class=\"scopes\">\n";
    for scope in asked.scopes() {
        let meaning = match scope {
            ACCOUNTING => "read and change the accounting data of the company",
            PAYMENT => "process payments",
            "openid" => "know who you are",
            "profile" => "see your name",
            "email" => "see your e-mail address",
            "phone" => "see your phone number",
            "address" => "see your address",
            other => other,
        };
        content += &format!("<li>{}</li>\n", escape(meaning));
    }
    content += "</ul>\n<div class=\"actions\">\n";
    let disabled = if needs_company && companies.is_empty() { " disabled" } else { "" };
    content += &format!("<button class=\"primary\" type=\"submit\" name=\"decision\" value=\"connect\"{disabled}>Connect</button>\n");
    content += "<button type=\"submit\" name=\"decision\" value=\"deny\" formnovalidate>No, thanks</button>\n</div>\n</form>\n";
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    html(status, "Connect an app", &content)
}

fn error_page(reason: &str) -> Response {
    let content = format!(
        "<h1>Sorry, but the app didn't connect</h1>\n<p role=\"alert\">{}</p>\n<p>Nothing was shared. Go back to the app and try again, or ask its developer.</p>\n",
        escape(reason)
    );
    html(StatusCode::BAD_REQUEST, "Didn't connect", &content)
}

fn html(status: StatusCode, title: &str, content: &str) -> Response {
    let page = include_str!("consent.html").replace("{{title}}", &escape(title)).replace("{{content}}", content);
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
