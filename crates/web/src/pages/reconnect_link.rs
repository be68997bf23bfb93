//! What somebody sees who follows a reconnect link: who asks, what is read, the way to the provider, and a thank-you. Nothing else of the site.
use crate::app::App;
use crate::error::WebError;
use crate::parts::provider;
use crate::visit::{Theme, cookie};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::connection::ConnectionState;
use engine::connections::{Facts, Outcome};
use store::seal::token_hash;

pub const RESULT_PATH: &str = "/reconnect/result";
/// The session of a guest: it binds the authorization to this browser, and opens nothing here.
const COOKIE: &str = "tieout_reconnect";
const LIFE_SECS: i64 = 1_800;

/// What the link asks for.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub token: String,
    /// The company, or the account when it is of several.
    pub books: String,
    pub provider: String,
    /// The sign-in that is expected.
    pub account: String,
    pub organization: String,
    pub asked_by: String,
    /// "6 days"
    pub ends: String,
    /// The provider refuses the account already; otherwise the sign-in is renewed ahead of time.
    pub is_refused: bool,
}

#[derive(Template)]
#[template(path = "pages/reconnect_link.html")]
pub struct ReconnectLinkPage {
    pub theme: Theme,
    pub style: &'static str,
    pub title: String,
    pub lead: String,
    pub is_good: bool,
    /// The link works: the page asks.
    pub invitation: Option<Invitation>,
    /// What will not be read, where less was granted.
    pub missing: Vec<String>,
}

impl ReconnectLinkPage {
    fn says(headers: &HeaderMap, title: impl Into<String>, lead: impl Into<String>, is_good: bool) -> ReconnectLinkPage {
        ReconnectLinkPage {
            theme: Theme::of(headers),
            style: &crate::assets::STYLE.path,
            title: title.into(),
            lead: lead.into(),
            is_good,
            invitation: None,
            missing: Vec::new(),
        }
    }
    fn gone(headers: &HeaderMap) -> ReconnectLinkPage {
        ReconnectLinkPage::says(
            headers,
            "This link does not work any more",
            "It was used already, it is older than seven days, or a newer one was sent. Ask whoever sent it for a new one.",
            false,
        )
    }
    fn answer(&self, status: StatusCode) -> Result<Response, WebError> {
        let mut response = (status, Html(self.render()?)).into_response();
        // the address is the secret
        response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
        Ok(response)
    }
}

/// GET /reconnect/{token}: looking does not use the link up.
pub async fn show(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, WebError> {
    let Some(invitation) = find(&app, &token).await? else { return ReconnectLinkPage::gone(&headers).answer(StatusCode::GONE) };
    let title = format!("Reconnect {}", invitation.books);
    let lead = if invitation.is_refused {
        format!("{} no longer lets {} read these books. Signing in once more repairs it.", invitation.provider, invitation.organization)
    } else {
        format!("{} reads these books through {}. Signing in once more keeps it so.", invitation.organization, invitation.provider)
    };
    ReconnectLinkPage { invitation: Some(invitation), ..ReconnectLinkPage::says(&headers, title, lead, true) }.answer(StatusCode::OK)
}

async fn find(app: &App, token: &str) -> Result<Option<Invitation>, WebError> {
    let mut conn = app.engine.store.read().await?;
    let now_ms = app.engine.clock.now_ms();
    let link = store::reconnect_links::find(&mut conn, token).await?.filter(|link| link.used_at.is_none() && link.expires_at > now_ms);
    let Some(link) = link else { return Ok(None) };
    let connection = store::connections::find(&mut conn, &link.organization_id, &link.connection_id).await?;
    let Some(connection) = connection.filter(|connection| connection.disconnected_at.is_none()) else { return Ok(None) };
    let through = store::companies::list_through(&mut conn, &connection.id).await?;
    let linked: Vec<_> = through.iter().filter(|company| company.linked_at.is_some()).collect();
    let name = if connection.name.is_empty() { &connection.email } else { &connection.name };
    let books = match linked.as_slice() {
        [only] => only.name.clone(),
        _ => name.clone(),
    };
    let asked_by = store::members::find_user(&mut conn, &link.made_by).await?.map_or_else(|| "A former member".to_owned(), |user| user.name);
    let organization = store::members::organization_name(&mut conn, &link.organization_id).await?.unwrap_or_default();
    let hours = (link.expires_at - now_ms) / 3_600_000;
    Ok(Some(Invitation {
        token: token.to_owned(),
        books,
        provider: provider::full_name(&connection.provider).to_owned(),
        account: if connection.email.is_empty() || connection.email == *name { name.clone() } else { format!("{name}, {}", connection.email) },
        organization,
        asked_by,
        is_refused: connection.state != ConnectionState::Active,
        ends: if hours >= 48 { format!("{} days", (hours + 12) / 24) } else { crate::parts::figures::counted(hours.max(1), "hour", "hours") },
    }))
}

/// POST /reconnect/{token}: to the provider, with a session of the link's own.
pub async fn follow(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, WebError> {
    let session = crate::auth::session::make_token();
    let Some(url) = engine::connections::follow_link(&app.engine, &token, &token_hash(&session)).await? else {
        return ReconnectLinkPage::gone(&headers).answer(StatusCode::GONE);
    };
    let mut response = Redirect::to(url.as_str()).into_response();
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    set_cookie(&app, &mut response, &session, LIFE_SECS);
    Ok(response)
}

fn set_cookie(app: &App, response: &mut Response, session: &str, life_secs: i64) {
    response.headers_mut().append(header::SET_COOKIE, app.options.cookie(COOKIE, session, life_secs));
}

fn session_hash(app: &App, headers: &HeaderMap) -> Option<String> {
    cookie(headers, &app.options.cookie_name(COOKIE)).filter(|session| session.len() == 64).map(token_hash)
}

/// The guest's session, when the state of a callback was given out to somebody who followed a link. Empty when this browser is another one.
pub async fn session_of(app: &App, headers: &HeaderMap, state: Option<&str>) -> Option<String> {
    let state = state?;
    let is_of_link = async { store::oauth_states::is_of_link(&mut app.engine.store.read().await?, state).await }.await;
    match is_of_link {
        Ok(true) => Some(session_hash(app, headers).unwrap_or_default()),
        Ok(false) => None,
        Err(error) => {
            tracing::error!(%error, "a state cannot be looked up");
            None
        }
    }
}

/// GET /reconnect/result: the thank-you, or what went wrong. Harmless to open directly or again.
pub async fn result(State(app): State<App>, headers: HeaderMap) -> Result<Response, WebError> {
    let result = match session_hash(&app, &headers) {
        Some(session_hash) => store::oauth_states::latest_result(&mut app.engine.store.read().await?, &session_hash).await?,
        None => None,
    };
    let Some(result) = result.filter(|result| app.engine.clock.now_ms() - result.created_at < LIFE_SECS * 1_000) else {
        return ReconnectLinkPage::gone(&headers).answer(StatusCode::OK);
    };
    let service = provider::full_name(&result.provider);
    let facts: Facts = serde_json::from_str(&result.facts).unwrap_or_default();
    let once_more = "Open the link you were sent once more";
    let page = |title: &str, lead: String, is_good: bool| ReconnectLinkPage::says(&headers, title, lead, is_good);
    let page = match Outcome::parse(&result.outcome).unwrap_or(Outcome::Failed) {
        Outcome::Reconnected | Outcome::Connected => {
            page("Thank you", "The books are connected again. There is nothing more to do; you can close this page.".into(), true)
        }
        Outcome::ScopeMissing if result.connection_id.is_some() => ReconnectLinkPage {
            missing: facts.missing,
            ..page("Thank you", "The books are connected again, but less was granted than was asked for. Some data will be missing:".into(), true)
        },
        Outcome::Denied => page(
            "Authorization Denied",
            format!("{service} was not given permission, so nothing was changed. {once_more} if that was a mistake."),
            false,
        ),
        Outcome::DifferentAccount => page(
            "Different account",
            format!(
                "You signed in at {service} with another account than the one to reconnect, so nothing was changed. {once_more} and sign in as {}.",
                result.detail
            ),
            false,
        ),
        Outcome::ProviderUnavailable => page(
            &format!("{} is not answering", provider::name(&result.provider)),
            format!("{service} did not answer in time, so nothing was changed. {once_more} in a few minutes."),
            false,
        ),
        Outcome::InvalidState => page(
            "This sign-in is no longer valid",
            format!(
                "It was finished already, it took longer than ten minutes, or it was started in another browser. Nothing was changed. {once_more}."
            ),
            false,
        ),
        _ => page("It could not be reconnected", format!("{service} refused it, and nothing was changed. Tell whoever sent the link."), false),
    };
    page.answer(StatusCode::OK)
}
