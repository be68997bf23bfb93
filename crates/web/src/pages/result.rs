//! Where the provider sends the browser back to, and the page that says what became of it.
use crate::app::App;
use crate::error::WebError;
use crate::pages::reconnect_link;
use crate::parts::figures::counted;
use crate::parts::moment::Moment;
use crate::parts::provider;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::organization::Action;
use engine::connections::{CallbackQuery, Checks, Facts, Outcome, Who};
use store::oauth_states::OauthResult;
use store::sessions::Session;

pub const PATH: &str = "/integrations/result";
/// An older result is nobody's question any more.
const FRESH_MS: i64 = 3_600_000;

/// GET /oauth/{provider}/callback: 302 to our own page with an empty body, whatever came. Intuit ("Implement endpoints in your app": the redirect
/// URI must not show a page) and RFC 9700, 4.2: the code must not stay in an address somebody sees.
pub async fn callback(
    State(app): State<App>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    session: Option<Extension<Session>>,
) -> Response {
    // a browser that looks ahead must not use the code up
    if headers.get("sec-purpose").is_some_and(|purpose| purpose.to_str().is_ok_and(|purpose| purpose.contains("prefetch"))) {
        return StatusCode::NO_CONTENT.into_response();
    }
    let query = query.as_deref().unwrap_or("");
    if !is_well_formed(query) {
        return WebError::Unreadable("The address of this answer is broken".into()).into_response();
    }
    let query = read(query);
    let link_session = reconnect_link::session_of(&app, &headers, query.state.as_deref()).await;
    let (target, finished) = if let Some(session_hash) = link_session {
        // with an empty hash, from another browser, no state is found
        (reconnect_link::RESULT_PATH, engine::connections::finish_link(&app.engine, &session_hash, &provider, query).await)
    } else if let Some(Extension(session)) = session.filter(|Extension(session)| session.role.may(Action::UseIntegrations)) {
        let who = Who { organization_id: &session.organization_id, user_id: &session.user_id, session_hash: &session.token_hash };
        (PATH, engine::connections::finish(&app.engine, &who, &provider, query).await)
    } else {
        (PATH, Ok(()))
    };
    if let Err(error) = finished {
        tracing::error!(provider, %error, "an authorization could not be finished");
    }
    let headers = [
        (header::LOCATION, HeaderValue::from_static(target)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::FOUND, headers).into_response()
}

/// Whole percent escapes, and UTF-8 behind them: anything else is nobody's answer.
fn is_well_formed(query: &str) -> bool {
    let mut bytes = Vec::with_capacity(query.len());
    let mut rest = query.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else { return false };
        bytes.push((high * 16 + low) as u8);
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// A parameter that comes twice counts as missing: which one is meant cannot be known. Nothing is trimmed, nothing decoded twice.
fn read(query: &str) -> CallbackQuery {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let count = |name: &str| pairs.iter().filter(|(key, _)| key == name).count();
    let once = |name: &str, longest: usize| {
        let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) if value.len() <= longest && !value.is_empty() && !value.chars().any(char::is_control) => Some(value.clone()),
            _ => None,
        }
    };
    let is_doubled = ["code", "error", "realmId"].iter().any(|name| count(name) > 1);
    let mut query = CallbackQuery {
        state: once("state", 512),
        code: once("code", 4_096),
        error: once("error", 100),
        realm_id: once("realmId", 64),
        // one that is there but cannot be read is nobody we know
        issuer: (count("iss") > 0).then(|| once("iss", 200).unwrap_or_default()),
    };
    // an answer that contradicts itself is refused, and its state is used up
    if is_doubled || (query.code.is_some() && query.error.is_some()) {
        (query.code, query.error, query.realm_id) = (None, None, None);
    }
    query
}

/// What the page says about one outcome.
#[derive(Clone, Debug)]
pub struct Words {
    pub title: String,
    pub text: String,
    /// good, warn or bad.
    pub look: &'static str,
    /// The one thing to do.
    pub action: Step,
    pub second: Option<Step>,
    /// Where else it may lead.
    pub more: Vec<Step>,
    /// The provider's own page about its state.
    pub elsewhere: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub label: String,
    pub href: String,
    /// A form: it starts something.
    pub is_post: bool,
}

impl Step {
    fn open(label: impl Into<String>, href: impl Into<String>) -> Step {
        Step { label: label.into(), href: href.into(), is_post: false }
    }
    fn send(label: impl Into<String>, href: impl Into<String>) -> Step {
        Step { label: label.into(), href: href.into(), is_post: true }
    }
}

/// One of the three checks of an account that sees nothing, with what was found a moment ago.
#[derive(Clone, Debug)]
pub struct Check {
    pub question: &'static str,
    pub answer: String,
    pub is_good: bool,
    pub step: Step,
}

/// The companies an account sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    pub found: usize,
    pub linked: usize,
}

impl Reach {
    pub fn importable(&self) -> usize {
        self.found - self.linked
    }
}

#[derive(Template)]
#[template(path = "pages/result.html")]
pub struct ResultPage {
    pub shell: Shell,
    pub provider: String,
    pub words: Words,
    /// What the account sees, where the consent ended with one that may read.
    pub reach: Option<Reach>,
    pub checks: Vec<Check>,
    pub time: Moment,
    pub code: String,
    pub reference: String,
    pub facts: Facts,
}

impl ResultPage {
    pub fn mark(&self) -> crate::parts::icon::Icon {
        crate::parts::icon::provider_mark(&self.provider)
    }
    pub fn provider_name(&self) -> &str {
        provider::full_name(&self.provider)
    }
}

/// GET /integrations/result: harmless to open directly or again.
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let result = store::oauth_states::latest_result(&mut conn, &visit.session.token_hash).await?;
    let Some(result) = result.filter(|result| visit.now.as_millisecond() - result.created_at < FRESH_MS) else {
        return Ok(Redirect::to("/integrations").into_response());
    };
    let outcome = Outcome::parse(&result.outcome).unwrap_or(Outcome::Failed);
    if let (Outcome::Connected, Some(id)) = (outcome, &result.connection_id) {
        return Ok(Redirect::to(&format!("/integrations/accounts/{id}/setup")).into_response());
    }
    let facts: Facts = serde_json::from_str(&result.facts).unwrap_or_default();
    let words = words(outcome, &result, &facts);
    let organisations = match outcome {
        Outcome::ConnectionLimit => {
            let totals = store::connections::count_companies(&mut conn, visit.organization_id()).await?;
            totals.iter().find(|(provider, ..)| *provider == result.provider).map(|(_, companies, _)| *companies)
        }
        _ => None,
    };
    let reach = match (outcome, &result.connection_id) {
        (Outcome::Reconnected | Outcome::AlreadyConnected | Outcome::ScopeMissing, Some(id)) => {
            let found = store::companies::list_by_connection(&mut conn, id).await?;
            Some(Reach { found: found.len(), linked: found.iter().filter(|(company, _)| company.linked_at.is_some()).count() })
        }
        _ => None,
    };
    let shell = visit.shell(&mut conn, Place::Overview, &words.title).await?;
    drop(conn);
    let checks = match (outcome, &result.connection_id) {
        (Outcome::NoCompanies, Some(id)) => match engine::connections::check_companies(&app.engine, visit.organization_id(), id).await {
            Ok(found) => checks(&found, &result.provider, id.as_str()),
            // disconnected since
            Err(engine::EngineError::NotFound) => Vec::new(),
            Err(error) => return Err(error.into()),
        },
        _ => Vec::new(),
    };
    let mut page = ResultPage {
        shell,
        checks,
        reach,
        time: Moment::exact(result.created_at, &visit.zone),
        code: outcome.as_str().to_owned(),
        reference: result.id.clone(),
        provider: result.provider,
        words,
        facts,
    };
    if let Some(count) = organisations {
        page.words.text.push_str(&format!(" This organization sees {} there now.", counted(count, "company", "companies")));
    }
    visit.page(&page)
}

/// The three checks as sentences, each with the step that helps.
pub fn checks(found: &Checks, provider: &str, connection_id: &str) -> Vec<Check> {
    let service = provider::full_name(provider);
    let again = || Step::send(format!("Choose again at {}", provider::name(provider)), format!("/integrations/accounts/{connection_id}/reconnect"));
    let linked = found.linked.len();
    vec![
        Check {
            question: "Does your accounting provider account have access to at least one company or organization?",
            answer: match &found.reached {
                Ok(0) => format!("{service} shows this sign-in no company at this moment."),
                Ok(count) => format!("{service} shows this sign-in {} at this moment.", counted(*count, "company", "companies")),
                Err(sentence) => format!("It could not be checked: {sentence}"),
            },
            is_good: matches!(found.reached, Ok(count) if count > 0),
            step: again(),
        },
        Check {
            question: "For Xero: did you select the correct organizations when granting access?",
            answer: match (provider, found.granted) {
                ("xero", 0) => "No organisation was selected in the last consent.".into(),
                ("xero", count) => format!("{} selected in the last consent.", counted(count, "organisation was", "organisations were")),
                _ => format!("This is about Xero only; a sign-in at {service} is given for one company."),
            },
            is_good: provider != "xero" || found.granted > 0,
            step: again(),
        },
        Check {
            question: "Does your organization here have companies available to link to?",
            answer: match (found.linkable, linked) {
                (0, 0) => "None of this account's: it brought no company.".into(),
                (0, linked) => format!("No: {} linked already.", counted(linked, "company is", "companies are")),
                (open, _) => format!("Yes: {} can be linked.", counted(open, "company", "companies")),
            },
            is_good: found.linkable > 0,
            step: if found.linkable > 0 {
                Step::open("Choose companies", format!("/integrations/accounts/{connection_id}/setup"))
            } else {
                Step::open("Open Data Feed", "/integrations/data-feed")
            },
        },
    ]
}

/// Where a provider says whether it works.
fn status_page(provider: &str) -> Option<&'static str> {
    match provider {
        "quickbooks" => Some("https://status.developer.intuit.com"),
        "xero" => Some("https://status.xero.com"),
        _ => None,
    }
}

/// One title, one cause, one action for every outcome.
pub fn words(outcome: Outcome, result: &OauthResult, facts: &Facts) -> Words {
    let service = provider::full_name(&result.provider);
    let short = provider::name(&result.provider);
    let back = || Step::open("Back to Integrations", "/integrations");
    let repair = |label: &str| match &result.connection_id {
        Some(id) => Step::send(label, format!("/integrations/accounts/{id}/reconnect")),
        None => Step::send(label, format!("/integrations/connect/{}", result.provider)),
    };
    let again = || repair("Try again");
    let named = |otherwise: &str| if result.detail.is_empty() { otherwise.to_owned() } else { result.detail.clone() };
    let (title, look, text, action, second) = match outcome {
        Outcome::Connected => (
            "Connected".to_owned(),
            "good",
            format!("{} is connected.", named("The account")),
            match &result.connection_id {
                Some(id) => Step::open("Choose companies", format!("/integrations/accounts/{id}/setup")),
                None => back(),
            },
            None,
        ),
        Outcome::Reconnected => (
            "Connected".to_owned(),
            "good",
            format!("{service} accepts {} again. Syncing resumes by itself; links, history and logs are unchanged.", named("the account")),
            Step::open("Open Data Feed", "/integrations/data-feed"),
            Some(back()),
        ),
        Outcome::Denied => (
            "Authorization Denied".to_owned(),
            "bad",
            format!(
                "Tieout was not given permission to read from {service}, so nothing was connected. Connect again and approve all requested access to continue."
            ),
            back(),
            Some(again()),
        ),
        Outcome::InvalidState => (
            "This sign-in link is no longer valid".to_owned(),
            "bad",
            "It was used already, it is older than ten minutes, or it was started in another browser. Nothing was changed; connect once more."
                .to_owned(),
            again(),
            Some(back()),
        ),
        Outcome::AlreadyConnected => (
            "Already connected".to_owned(),
            "warn",
            format!(
                "The user already has an integration to that accounting software: {}. Manage its companies on the Data Feed. To use another account, \
                 disconnect the current one on the Integrations overview first.",
                named("this account").trim_end_matches('.')
            ),
            Step::open("Open Data Feed", "/integrations/data-feed"),
            Some(back()),
        ),
        Outcome::NoCompanies => (
            "No companies found".to_owned(),
            "warn",
            "The sign-in worked, but no company or organisation came with it. We have just checked these three:".to_owned(),
            back(),
            Some(repair(&format!("Choose again at {short}"))),
        ),
        Outcome::DifferentAccount => (
            "Different account".to_owned(),
            "bad",
            format!(
                "Expected {}, but you signed in at {short} as {}. Nothing was changed. Try again with the account that is expected, or add the other one \
                 as new.",
                named("the account to reconnect"),
                if facts.got.is_empty() { "somebody else" } else { &facts.got }
            ),
            again(),
            Some(Step::send("Add as a new account", format!("/integrations/connect/{}", result.provider))),
        ),
        Outcome::WrongKeys => (
            "Sandbox and production mixed".to_owned(),
            "bad",
            format!(
                "{service} does not accept this server's keys for this sign-in. Development keys reach sandbox companies only and production keys real \
                 companies only, or the client id and secret in the settings were changed. Whoever runs the server sets the keys of the right environment \
                 and starts it again."
            ),
            back(),
            None,
        ),
        Outcome::ProviderUnavailable => (
            format!("{short} is not answering"),
            "warn",
            format!("{service} did not answer in time, so nothing was connected. Try again in a few minutes."),
            again(),
            Some(back()),
        ),
        Outcome::ConnectionLimit => (
            "Connection limit reached".to_owned(),
            "warn",
            format!(
                "{service} lets this app hold no further connection. At Xero the app's tier sets the limit: Starter 5, Core 50, Plus 1,000, Advanced 10,000. \
                 Disconnect an account that is no longer needed, or raise the tier in the developer portal."
            ),
            back(),
            Some(again()),
        ),
        Outcome::ScopeMissing if result.connection_id.is_none() => (
            "A permission is not available".to_owned(),
            "bad",
            format!(
                "{service} does not let this app ask for a permission it needs. Nothing was changed. Whoever runs this server checks the app's permissions at {service}; \
                 for Xero, the setting xero.journals asks for one that is granted to approved apps only."
            ),
            back(),
            Some(again()),
        ),
        Outcome::ScopeMissing => (
            "Connected with limits".to_owned(),
            "warn",
            format!(
                "{service} granted {} less than was asked for. What is listed here will not sync; everything else will. Approve all requested access to get the rest.",
                named("this account")
            ),
            repair("Grant the rest"),
            Some(back()),
        ),
        Outcome::Failed => (
            "The connection could not be made".to_owned(),
            "bad",
            format!(
                "{service} gave an answer we could not use. Nothing was changed. Try again; if it happens again, the details below help support."
            ),
            again(),
            Some(back()),
        ),
    };
    let elsewhere = (outcome == Outcome::ProviderUnavailable).then(|| status_page(&result.provider)).flatten();
    let (mut action, mut more) = (action, Vec::new());
    if let Some(id) = &result.connection_id {
        if outcome == Outcome::AlreadyConnected {
            more.push(Step::open(format!("Show {}", named("the account")), format!("/integrations/accounts/{id}")));
        }
        // companies this very consent brought: the way to them, before anything else where nothing needs repair
        if facts.importable > 0 && outcome != Outcome::Connected {
            let label = format!("Choose what to import: {} new", counted(facts.importable, "company is", "companies are"));
            let choose = Step::open(label, format!("/integrations/accounts/{id}/setup"));
            match outcome {
                Outcome::AlreadyConnected | Outcome::Reconnected => more.push(std::mem::replace(&mut action, choose)),
                _ => more.push(choose),
            }
        }
    }
    Words { title, text, look, action, second, more, elsewhere }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_that_contradicts_itself_has_nothing_to_exchange() {
        let good = read("code=abc&state=xyz&realmId=123");
        assert_eq!((good.code.as_deref(), good.state.as_deref(), good.realm_id.as_deref()), (Some("abc"), Some("xyz"), Some("123")));
        assert!(read("code=a&state=x&state=x").state.is_none(), "a doubled state is no state");
        for query in ["code=a&code=b&state=x", "code=a&error=access_denied&state=x", "code=a&state=x&realmId=1&realmId=2"] {
            let read = read(query);
            assert!(read.state.is_some() && read.code.is_none() && read.error.is_none(), "{query}");
        }
        for query in ["", "state=", "state[]=x", "state=%00", "state=x%0a", &format!("state={}", "a".repeat(600))] {
            assert!(read(query).state.is_none(), "{query}");
        }
        assert_eq!(read("state=x%20").state.as_deref(), Some("x "), "nothing is trimmed");
        assert_eq!(read("state=%2541").state.as_deref(), Some("%41"), "decoded once");
        assert_eq!(read("state=x&iss=https%3A%2F%2Fa.example&iss=https%3A%2F%2Fa.example").issuer.as_deref(), Some(""), "a doubled issuer is nobody");
        assert!(
            is_well_formed("state=%C3%A9&code=a+b") && !is_well_formed("code=%zz") && !is_well_formed("code=%FF%FE") && !is_well_formed("code=%4")
        );
    }
}
