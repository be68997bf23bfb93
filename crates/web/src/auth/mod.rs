//! Who is here: sessions, the guard before every route, passwords, one-time links.
pub mod api_keys;
pub mod links;
pub mod owner;
pub mod passwords;
pub mod preferences;
pub mod session;
pub mod throttle;

pub use links::{make_setup_link, make_sign_in_link};
pub use owner::create_owner;

use crate::app::App;
use crate::error::WebError;
use crate::routes::{Access, Scope};
use axum::extract::{RawPathParams, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use store::StoreError;
use store::readers::Reader;
use store::sessions::Session;

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
            return next.run(request).await;
        }
        return sign_in_first(&request);
    };
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
    request.extensions_mut().insert(session);
    next.run(request).await
}

/// Foreign, unknown and not assigned are one answer.
async fn is_reachable(app: &App, session: &Session, scope: Scope, params: &RawPathParams) -> Result<bool, StoreError> {
    let Scope::Thing(thing) = scope else { return Ok(true) };
    let Some((_, id)) = params.iter().find(|(name, _)| *name == "id") else { return Ok(false) };
    let reader = Reader::of(session.role, &session.user_id);
    store::tenancy::is_reachable(&mut app.engine.store.read().await?, &session.organization_id, &reader, thing, id).await
}

/// Pages lead to the sign-in and back; a fragment or a stream is only told.
fn sign_in_first(request: &Request) -> Response {
    let is_page = request.method() == Method::GET && !request.headers().contains_key("x-live") && request.uri().path() != "/events";
    if !is_page {
        return if request.method() == Method::GET {
            axum::http::StatusCode::UNAUTHORIZED.into_response()
        } else {
            WebError::SignInNeeded.into_response()
        };
    }
    let address = request.uri().path_and_query().map_or("/", |address| address.as_str());
    if address == "/" {
        return Redirect::to("/sign-in").into_response();
    }
    let next: String = url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
    Redirect::to(&format!("/sign-in?next={next}")).into_response()
}
