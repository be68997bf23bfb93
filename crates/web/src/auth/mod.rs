//! Who is here: sessions, the guard before every route, passwords, second factors, one-time links.
pub mod api_keys;
pub mod device;
pub mod links;
pub mod owner;
pub mod passwords;
pub mod place;
pub mod preferences;
pub mod proof;
pub mod second_factor;
pub mod session;
pub mod throttle;

pub use links::{make_setup_link, make_sign_in_link};
pub use owner::create_owner;

use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::pages::{profile, send_again};
use crate::parts::address::Address;
use crate::routes::{Access, Scope};
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use domain::audit::Actor;
use engine::audit;
use store::StoreError;
use store::readers::Reader;
use store::sessions::Session;
use url::Url;

/// Runs before every route: finds the session, checks the role the route declares and that the thing its address names is one this person may see,
/// and hands the session on.
pub async fn guard(State((app, access, scope)): State<(App, Access, Scope)>, params: RawPathParams, mut request: Request, next: Next) -> Response {
    // no address of ours holds one, and PostgreSQL cannot look for it
    if params.iter().any(|(_, value)| value.contains('\0')) {
        return WebError::Unreadable("The address holds a NUL character".to_owned()).into_response();
    }
    let session = match session::find(&app, request.headers()).await {
        Ok(session) => session,
        Err(error) => return WebError::from(error).into_response(),
    };
    let Some(session) = session else {
        if access == Access::Public {
            return audit::acting(Actor::guest(place::address(&app.options, &request)), next.run(request)).await;
        }
        return sign_in_first(&app, request).await;
    };
    if session.needs_second_factor && access != Access::Public && !is_about_oneself(request.uri().path()) {
        return set_up_first(&request, &session);
    }
    if let Access::SignedIn(action) = access
        && !session.role.may(action)
    {
        return WebError::Forbidden(action).into_response();
    }
    match is_reachable(&app, &session, scope, &params).await {
        Ok(true) => {}
        Ok(false) => return WebError::NotFound.into_response(),
        Err(error) => return WebError::from(error).into_response(),
    }
    let actor = Actor::person(&session.user_id, &session.user_name, place::address(&app.options, &request));
    request.extensions_mut().insert(session);
    audit::acting(actor, next.run(request)).await
}

/// Foreign, unknown and not assigned are one answer.
async fn is_reachable(app: &App, session: &Session, scope: Scope, params: &RawPathParams) -> Result<bool, StoreError> {
    let Scope::Thing(thing) = scope else { return Ok(true) };
    let Some((_, id)) = params.iter().find(|(name, _)| *name == "id") else { return Ok(false) };
    let reader = Reader::of(session.role, &session.user_id);
    store::tenancy::is_reachable(&mut app.engine.store.read().await?, &session.organization_id, &reader, thing, id).await
}

/// What is open to somebody whose organization asks for a second factor they do not have yet: setting it up, and going elsewhere.
fn is_about_oneself(path: &str) -> bool {
    path == profile::PATH || path.starts_with("/profile/") || path == "/switch"
}

/// Pages and forms lead to where a second factor is set up; a fragment or a stream is only told.
fn set_up_first(request: &Request, session: &Session) -> Response {
    if request.method() == Method::GET {
        return if is_page(request) { Redirect::to(profile::PATH).into_response() } else { axum::http::StatusCode::FORBIDDEN.into_response() };
    }
    let told = format!("{} asks for a second factor. Set yours up first; nothing was changed.", session.organization_name);
    Flash::warn(told).redirect(profile::PATH)
}

/// Neither a fragment that the script asks for, nor the stream.
fn is_page(request: &Request) -> bool {
    !request.headers().contains_key("x-live") && request.uri().path() != "/events"
}

/// Pages lead to the sign-in and back, and so do forms, by way of what was typed; a fragment or a stream is only told.
async fn sign_in_first(app: &App, request: Request) -> Response {
    let is_page = is_page(&request);
    if request.method() != Method::GET {
        let kept = if is_page { send_again::keep(app, request).await } else { None };
        return kept.map_or_else(|| WebError::SignInNeeded.into_response(), |next| to_sign_in(&next, false));
    }
    if !is_page {
        return axum::http::StatusCode::UNAUTHORIZED.into_response();
    }
    let address = request.uri().path_and_query().map_or("/", |address| address.as_str());
    to_sign_in(address, has_lost_its_cookie(app, request.headers()))
}

/// A sign-in leads on from its own page; whoever comes from there without a session was given one and did not keep it.
fn has_lost_its_cookie(app: &App, headers: &HeaderMap) -> bool {
    let referer = headers.get(header::REFERER).and_then(|value| Url::parse(value.to_str().ok()?).ok());
    let from_sign_in = referer.is_some_and(|page| page.origin() == app.options.public_url.origin() && page.path() == "/sign-in");
    from_sign_in && crate::visit::cookie(headers, &app.options.cookie_name(session::COOKIE)).is_none()
}

fn to_sign_in(next: &str, no_cookies: bool) -> Response {
    let next = if next == "/" { "" } else { next };
    let address = Address::new("/sign-in").with("next", next).with("cookies", if no_cookies { "off" } else { "" });
    Redirect::to(&address.to_string()).into_response()
}
