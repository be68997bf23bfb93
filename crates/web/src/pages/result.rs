//! Where the provider sends the browser back to, and the page that says what became of it.
use crate::app::App;
use crate::error::WebError;
use crate::parts::moment::Moment;
use crate::parts::provider;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::organization::Action;
use engine::connections::{CallbackQuery, Outcome, Who};
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
    if let Some(Extension(session)) = session.filter(|Extension(session)| session.role.may(Action::UseIntegrations)) {
        let who = Who { organization_id: &session.organization_id, user_id: &session.user_id, session_hash: &session.token_hash };
        let query = read(query.as_deref().unwrap_or(""));
        if let Err(error) = engine::connections::finish(&app.engine, &who, &provider, query).await {
            tracing::error!(provider, %error, "an authorization could not be finished");
        }
    }
    let headers = [
        (header::LOCATION, HeaderValue::from_static(PATH)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::FOUND, headers).into_response()
}

/// A parameter that comes twice counts as missing: which one is meant cannot be known. Nothing is trimmed, nothing decoded twice.
fn read(query: &str) -> CallbackQuery {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let once = |name: &str, longest: usize| {
        let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) if value.len() <= longest && !value.is_empty() && !value.chars().any(char::is_control) => Some(value.clone()),
            _ => None,
        }
    };
    let is_doubled = ["code", "error", "realmId"].iter().any(|name| pairs.iter().filter(|(key, _)| key == name).count() > 1);
    let mut query = CallbackQuery { state: once("state", 512), code: once("code", 4_096), error: once("error", 100), realm_id: once("realmId", 64) };
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

#[derive(Template)]
#[template(path = "pages/result.html")]
pub struct ResultPage {
    pub shell: Shell,
    pub provider: String,
    pub words: Words,
    /// The three checks of an account that sees nothing.
    pub with_checks: bool,
    pub time: Moment,
    pub code: String,
    pub reference: String,
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
    let words = words(outcome, &result);
    let shell = visit.shell(&mut conn, Place::Overview, &words.title).await?;
    drop(conn);
    let page = ResultPage {
        shell,
        with_checks: outcome == Outcome::NoCompanies,
        time: Moment::exact(result.created_at, &visit.zone),
        code: outcome.as_str().to_owned(),
        reference: result.id.clone(),
        provider: result.provider,
        words,
    };
    visit.page(&page)
}

/// One title, one cause, one action for every outcome.
pub fn words(outcome: Outcome, result: &OauthResult) -> Words {
    let service = provider::full_name(&result.provider);
    let short = provider::name(&result.provider);
    let back = || Step::open("Back to Integrations", "/integrations");
    let again = || Step::send("Try again", format!("/integrations/connect/{}", result.provider));
    let repair = |label: &str| match &result.connection_id {
        Some(id) => Step::send(label, format!("/integrations/accounts/{id}/reconnect")),
        None => Step::send(label, format!("/integrations/connect/{}", result.provider)),
    };
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
            format!("{service} was not given permission, so nothing was connected. Connect again and approve all requested access to continue."),
            back(),
            None,
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
                named("this account")
            ),
            Step::open("Open Data Feed", "/integrations/data-feed"),
            Some(back()),
        ),
        Outcome::NoCompanies => (
            "No companies found".to_owned(),
            "warn",
            "The sign-in worked, but no company or organisation came with it. Check these three:".to_owned(),
            back(),
            Some(repair(&format!("Choose again at {short}"))),
        ),
        Outcome::DifferentAccount => (
            "Different account".to_owned(),
            "bad",
            format!(
                "You signed in with another {short} account than the one to reconnect, {}. Nothing was changed. Try again with that account, or add \
                 the other one as new.",
                named("which we expected")
            ),
            repair("Try again"),
            Some(Step::send("Add as a new account", format!("/integrations/connect/{}", result.provider))),
        ),
        Outcome::WrongKeys => (
            "Sandbox and production mixed".to_owned(),
            "bad",
            format!(
                "{service} does not know this server's keys. The client id and secret belong to another environment (sandbox or production) than the one \
                 in the settings, or they were changed. Whoever runs the server corrects them and starts it again."
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
                "{service} granted less than was asked for. Data types without permission will not sync. Approve all requested access to get the rest."
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
    Words { title, text, look, action, second }
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
    }
}
