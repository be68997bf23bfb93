//! What an invited person sees: who asks, in which role, what it allows; **Accept** or **Decline**.
use crate::app::App;
use crate::auth::{passwords, second_factor, session};
use crate::error::WebError;
use crate::parts::address::Asked;
use crate::parts::fields;
use crate::visit::Theme;
use askama::Template;
use axum::extract::{Extension, Path, RawForm, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use engine::people::invitations::{self, Accepted, Guest};
use store::invitations::Invitation;
use store::sessions::Session;

/// How the invited person can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Signed in with the invited address.
    Accept,
    /// The address has an account: its password accepts, also for somebody who belongs nowhere at the moment and could not sign in.
    SignIn,
    /// Nobody has an account of this address: name and password come with accepting.
    New,
    /// Signed in as somebody else.
    OtherAddress {
        signed_in_as: String,
    },
    /// It no longer works; why.
    Over(&'static str),
    Declined,
}

#[derive(Template)]
#[template(path = "pages/invitation.html")]
pub struct InvitationPage {
    pub theme: Theme,
    pub style: &'static str,
    pub token: String,
    pub organization: String,
    pub email: String,
    pub invited_by: String,
    pub role: &'static str,
    pub allows: &'static str,
    pub way: Way,
    pub name: String,
    pub name_error: Option<&'static str>,
    pub password_error: Option<&'static str>,
}

/// GET /invitations/{token}
pub async fn show(
    State(app): State<App>,
    session: Option<Extension<Session>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let (invitation, way) = find(&app, session.as_ref(), &token).await?;
    let status = if matches!(way, Way::Over(_)) { StatusCode::GONE } else { StatusCode::OK };
    page(&headers, status, token, invitation.as_ref(), way, &Asked::default(), None, None)
}

async fn find(app: &App, session: Option<&Extension<Session>>, token: &str) -> Result<(Option<Invitation>, Way), WebError> {
    let mut conn = app.engine.store.read().await?;
    let Some(invitation) = store::invitations::find_by_token(&mut conn, token).await? else {
        return Ok((None, Way::Over("This link is not one of ours, or a part of it is missing. Ask for the invitation to be sent again.")));
    };
    let way = if invitation.accepted_at.is_some() {
        Way::Over("It was accepted already. Sign in with your password.")
    } else if invitation.declined_at.is_some() {
        Way::Over("It was declined. Ask for another one if that was a mistake.")
    } else if invitation.cancelled_at.is_some() {
        Way::Over("It was cancelled. Ask whoever invited you.")
    } else if !invitation.is_valid(app.engine.now_ms()) {
        Way::Over("It was good for three days, which are over. Ask for it to be sent again.")
    } else if let Some(Extension(session)) = session {
        match session.email == invitation.email {
            true => Way::Accept,
            false => Way::OtherAddress { signed_in_as: session.email.clone() },
        }
    } else if store::members::find_user_by_email(&mut conn, &invitation.email).await?.is_some() {
        Way::SignIn
    } else {
        Way::New
    };
    Ok((Some(invitation), way))
}

/// POST /invitations/{token}: **Accept**, as who is signed in or as a new person.
pub async fn accept(
    State(app): State<App>,
    session: Option<Extension<Session>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Result<Response, WebError> {
    // a password is taken exactly as sent: not as `Asked` would trim it
    let password = url::form_urlencoded::parse(&form).find(|(name, _)| name == "password").map(|(_, value)| value.into_owned()).unwrap_or_default();
    let form = Asked::parse(&form);
    let (invitation, way) = find(&app, session.as_ref(), &token).await?;
    let refused = |status: StatusCode, way: Way| page(&headers, status, token.clone(), invitation.as_ref(), way, &form, None, None);
    let accepted = match &way {
        Way::Accept => {
            let Some(Extension(session)) = &session else { return Err(WebError::SignInNeeded) };
            invitations::accept(&app.engine, &token, Guest::Known(&session.user_id)).await?
        }
        Way::New => {
            let Some(invitation) = &invitation else { return Err(WebError::NotFound) };
            let name_error = fields::name(form.get("name"), "Enter your name.");
            let password_error = fields::password(&password, &[&invitation.organization_name, &invitation.email, form.get("name")]);
            if name_error.is_some() || password_error.is_some() {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return page(&headers, status, token.clone(), Some(invitation), way, &form, name_error, password_error);
            }
            let password_hash = passwords::hash(&app, password).await;
            invitations::accept(&app.engine, &token, Guest::New { name: form.get("name"), password_hash }).await?
        }
        Way::Over(_) | Way::Declined => return refused(StatusCode::GONE, way),
        Way::SignIn => {
            let Some(invitation) = &invitation else { return Err(WebError::NotFound) };
            let again = |status: StatusCode, error: &'static str| {
                page(&headers, status, token.clone(), Some(invitation), Way::SignIn, &form, None, Some(error))
            };
            let (now_ms, who) = (app.engine.now_ms(), format!("invitation {}", invitation.email));
            if app.throttle.wait_ms(&who, now_ms) > 0 {
                return again(StatusCode::TOO_MANY_REQUESTS, "Too many attempts. Wait a minute and try again.");
            }
            let user = store::members::find_user_by_email(&mut app.engine.store.read().await?, &invitation.email).await?;
            let is_right = password.chars().count() <= fields::LONGEST_PASSWORD
                && passwords::verify(&app, password, user.as_ref().and_then(|user| user.password_hash.clone())).await;
            let Some(user) = user.filter(|_| is_right) else {
                app.throttle.failed(&who, now_ms);
                return again(StatusCode::UNPROCESSABLE_ENTITY, "The password is not right.");
            };
            app.throttle.succeeded(&who);
            invitations::accept(&app.engine, &token, Guest::Known(&user.id)).await?
        }
        Way::OtherAddress { .. } => return refused(StatusCode::FORBIDDEN, way),
    };
    match accepted {
        Accepted::Joined(organization_id, user_id) => {
            let Some(Extension(session)) = &session else {
                return Ok(second_factor::enter(&app, &headers, &user_id, &organization_id, "/").await?.0);
            };
            Ok(session::go_on(&app, &headers, session, &organization_id, Redirect::to("/").into_response()).await?)
        }
        // something happened between looking and accepting: look again
        Accepted::Void | Accepted::OtherAddress | Accepted::HasAccount => {
            let (invitation, way) = find(&app, session.as_ref(), &token).await?;
            page(&headers, StatusCode::CONFLICT, token, invitation.as_ref(), way, &form, None, None)
        }
    }
}

/// POST /invitations/{token}/decline: whoever holds the link may say no.
pub async fn decline(
    State(app): State<App>,
    session: Option<Extension<Session>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let declined = invitations::decline(&app.engine, &token).await?;
    let (invitation, way) = find(&app, session.as_ref(), &token).await?;
    let (status, way) = if declined { (StatusCode::OK, Way::Declined) } else { (StatusCode::GONE, way) };
    page(&headers, status, token, invitation.as_ref(), way, &Asked::default(), None, None)
}

#[allow(clippy::too_many_arguments)] // one page in all its states
fn page(
    headers: &HeaderMap,
    status: StatusCode,
    token: String,
    invitation: Option<&Invitation>,
    way: Way,
    form: &Asked,
    name_error: Option<&'static str>,
    password_error: Option<&'static str>,
) -> Result<Response, WebError> {
    let text = |pick: fn(&Invitation) -> &str| invitation.map(|invitation| pick(invitation).to_owned()).unwrap_or_default();
    let page = InvitationPage {
        theme: Theme::of(headers),
        style: &crate::assets::STYLE.path,
        organization: text(|invitation| &invitation.organization_name),
        email: text(|invitation| &invitation.email),
        invited_by: text(|invitation| &invitation.invited_by),
        role: invitation.map_or("", |invitation| invitation.role.label()),
        allows: invitation.map_or("", |invitation| invitation.role.allows()),
        token,
        way,
        name: form.get("name").to_owned(),
        name_error,
        password_error,
    };
    let mut response = (status, Html(page.render()?)).into_response();
    // the address is the secret
    response.headers_mut().insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    Ok(response)
}
