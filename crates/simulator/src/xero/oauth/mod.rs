//! Xero's OAuth 2.0 server: discovery, consent, tokens, revocation.
//!
//! Contract: providers/xero.md section 1 (developer.xero.com, "OAuth 2.0 overview"); conformance facts 1 to 16.
pub mod authorize;
pub mod page;
pub mod scopes;
pub mod tokens;

use super::frame;
use crate::sandbox::Sandbox;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::json;

/// Tokens name the provider's own issuer whatever address the sandbox listens on: client libraries check this value.
pub const ISSUER: &str = "https://identity.xero.com";

/// The address clients reached the sandbox at.
fn base_address(headers: &HeaderMap) -> String {
    let scheme = frame::header_text(headers, "x-forwarded-proto").unwrap_or("http");
    let host = frame::header_text(headers, "host").unwrap_or("localhost");
    format!("{scheme}://{host}")
}

pub async fn discovery(headers: HeaderMap) -> Response {
    let base = base_address(&headers);
    // people are sent to another host of the provider's than programs
    let login = if base.split("://").nth(1).is_some_and(crate::tls::is_providers) { "https://login.xero.com" } else { &base };
    axum::Json(json!({
        "issuer": ISSUER,
        "jwks_uri": format!("{base}/.well-known/openid-configuration/jwks"),
        "authorization_endpoint": format!("{login}/identity/connect/authorize"),
        "token_endpoint": format!("{base}/connect/token"),
        "userinfo_endpoint": format!("{base}/connect/userinfo"),
        "revocation_endpoint": format!("{base}/connect/revocation"),
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    }))
    .into_response()
}

pub async fn jwks(State(sandbox): State<Sandbox>) -> Response {
    axum::Json(json!({"keys": [sandbox.signing_key().jwk()]})).into_response()
}

/// Who the bearer is; needs the scope `openid`.
pub async fn userinfo(State(sandbox): State<Sandbox>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if let Some(refused) = frame::begin(&sandbox, &method, "connect/userinfo", "", &uri).as_ref().and_then(frame::answer_instead) {
        return refused;
    }
    let access = match frame::bearer(&sandbox, &headers, sandbox.clock.now()) {
        Ok(access) if scopes::holds(&access.scope, "openid") => access,
        Ok(_) => return super::refusal::Refusal::Unauthorized("AuthorizationUnsuccessful".into()).into_response(),
        Err(refused) => return refused.into_response(),
    };
    let claims = sandbox.read(|state| {
        state.users.iter().find(|user| user.id == access.user_id).map(|user| {
            json!({
                "sub": subject(&user.id), "xero_userid": user.id, "email": user.email, "preferred_username": user.email,
                "given_name": user.given_name, "family_name": user.family_name, "name": format!("{} {}", user.given_name, user.family_name),
            })
        })
    });
    axum::Json(claims.unwrap_or_else(|| json!({"sub": subject(&access.user_id)}))).into_response()
}

/// `sub` is the user's id without dashes.
fn subject(user_id: &str) -> String {
    user_id.replace('-', "")
}

fn seconds_since(earlier: Timestamp, now: Timestamp) -> i64 {
    now.as_second() - earlier.as_second()
}
