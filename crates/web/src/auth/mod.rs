//! Who is here: sessions, the guard before every route, passwords, one-time links.
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
use crate::routes::Access;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// Runs before every route: finds the session, checks the role the route declares, and hands the session on.
pub async fn guard(State((app, access)): State<(App, Access)>, mut request: Request, next: Next) -> Response {
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
        return WebError::Forbidden.into_response();
    }
    request.extensions_mut().insert(session);
    next.run(request).await
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
