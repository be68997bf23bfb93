//! The token and revocation endpoints.
//!
//! Contract: providers/xero.md 1.4 to 1.7; conformance facts 4 to 15.
use super::{ISSUER, authorize, scopes, seconds_since, subject};
use crate::books::Face;
use crate::faults::{self, Fault};
use crate::oauth::{Access, Family, jwt, random_guid, random_hex, random_token, verifies};
use crate::sandbox::{App, Sandbox, State as Held, User};
use crate::xero::frame;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

const CODE_SECS: i64 = 5 * 60;
const ACCESS_SECS: i64 = 1_800;
const ID_TOKEN_SECS: i64 = 300;
const REFRESH_SECS: i64 = 60 * 86_400;
/// How long the refresh token before the current one still works, for answers that were lost.
const GRACE_SECS: i64 = 30 * 60;

/// A refused token request, in the words of RFC 6749; all are 400, and most come without a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("invalid_grant")]
    Grant,
    #[error("invalid_client")]
    Client,
    #[error("unsupported_grant_type")]
    GrantType,
    #[error("invalid_request")]
    Request,
    #[error("invalid_scope")]
    Scope,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        body.insert("error".into(), json!(self.to_string()));
        if self == Refused::Scope {
            body.insert("error_description".into(), json!("Client credentials scope validation failed"));
        }
        (StatusCode::BAD_REQUEST, axum::Json(Value::Object(body))).into_response()
    }
}

/// A form body with the client it names.
struct Form {
    pairs: Vec<(String, String)>,
    client_id: String,
    secret: Option<String>,
}

impl Form {
    /// Only form bodies are understood; JSON ends as an unsupported grant type.
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Form, Refused> {
        let content_type = frame::header_text(headers, "content-type").unwrap_or_default();
        if !content_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
            return Err(Refused::GrantType);
        }
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
        let of = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let (client_id, secret) = match basic(headers) {
            Some((id, secret)) => (id, Some(secret)),
            None => (of("client_id").unwrap_or_default(), of("client_secret")),
        };
        Ok(Form { pairs, client_id, secret })
    }
    fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
    /// The app, if the secret is right; without a secret only where PKCE stands in for it.
    fn app<'a>(&self, state: &'a Held, without_secret: bool) -> Result<&'a App, Refused> {
        let app = state.apps.iter().find(|app| app.face == Face::Xero && app.client_id == self.client_id).ok_or(Refused::Client)?;
        match &self.secret {
            Some(secret) if *secret == app.client_secret => Ok(app),
            None if without_secret => Ok(app),
            _ => Err(Refused::Client),
        }
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = frame::header_text(headers, "authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_string(), secret.to_string()))
}

/// `POST /connect/token`.
pub async fn token(State(sandbox): State<Sandbox>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let fault = frame::begin(&sandbox, &method, "connect/token", "", &uri);
    if let Some(refused) = fault.as_ref().and_then(frame::answer_instead) {
        return refused;
    }
    if let Some(Fault::Delay { ms }) = fault {
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
    let answer = Form::read(&headers, &body).and_then(|form| match form.get("grant_type") {
        Some("authorization_code") => by_code(&sandbox, &form),
        Some("refresh_token") => by_refresh(&sandbox, &form),
        Some("client_credentials") => by_credentials(&sandbox, &form),
        _ => Err(Refused::GrantType),
    });
    if fault == Some(Fault::LoseAnswer) {
        return faults::broken_connection();
    }
    let mut response = match answer {
        Ok(body) => axum::Json(body).into_response(),
        Err(refused) => refused.into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn by_code(sandbox: &Sandbox, form: &Form) -> Result<Value, Refused> {
    let now = sandbox.clock.now();
    let (code, family) = sandbox.write(|state| {
        let text = form.get("code").ok_or(Refused::Request)?;
        let known = state.grants.codes.get(text).filter(|code| code.face == Face::Xero).cloned();
        form.app(state, known.as_ref().is_some_and(|code| code.code_challenge.is_some()))?;
        let code = known.ok_or(Refused::Grant)?;
        let fits = code.client_id == form.client_id && !code.used && seconds_since(code.issued_at, now) < CODE_SECS;
        if !fits || form.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
            return Err(Refused::Grant);
        }
        if let Some(challenge) = &code.code_challenge
            && !verifies(challenge, code.code_challenge_method.as_deref(), form.get("code_verifier").unwrap_or_default())
        {
            return Err(Refused::Grant);
        }
        if let Some(stored) = state.grants.codes.get_mut(text) {
            stored.used = true;
        }
        let family = Family {
            id: random_guid(),
            face: Face::Xero,
            client_id: code.client_id.clone(),
            user_id: code.user_id.clone(),
            companies: code.companies.clone(),
            scope: code.scope.clone(),
            auth_event_id: code.auth_event_id.clone(),
            current_refresh: random_token(32),
            previous_refresh: None,
            rotated_at: now,
            issued_at: now,
            last_used_at: now,
            revoked: false,
        };
        state.grants.families.insert(family.id.clone(), family.clone());
        Ok((code, family))
    })?;
    Ok(tokens(sandbox, &family, code.nonce.as_deref(), now))
}

fn by_refresh(sandbox: &Sandbox, form: &Form) -> Result<Value, Refused> {
    let now = sandbox.clock.now();
    let family = sandbox.write(|state| {
        let presented = form.get("refresh_token").ok_or(Refused::Request)?;
        // a PKCE app refreshes with its client id alone
        form.app(state, true)?;
        let family = state.grants.family_of_refresh(presented).filter(|family| family.face == Face::Xero).ok_or(Refused::Grant)?;
        if family.revoked || family.client_id != form.client_id || seconds_since(family.last_used_at, now) >= REFRESH_SECS {
            return Err(Refused::Grant);
        }
        if family.current_refresh == presented {
            family.previous_refresh = Some(std::mem::replace(&mut family.current_refresh, random_token(32)));
            family.rotated_at = now;
        } else {
            // the answer that carried the current token was lost; its window does not grow by asking again
            if seconds_since(family.rotated_at, now) >= GRACE_SECS {
                return Err(Refused::Grant);
            }
            family.current_refresh = random_token(32);
        }
        family.last_used_at = now;
        Ok(family.clone())
    })?;
    Ok(tokens(sandbox, &family, None, now))
}

/// A custom connection: one organisation, no user, no refresh token.
fn by_credentials(sandbox: &Sandbox, form: &Form) -> Result<Value, Refused> {
    let now = sandbox.clock.now();
    let asked = form.get("scope").unwrap_or_default().to_string();
    let (access, scope) = sandbox.write(|state| {
        let app = form.app(state, false)?;
        // xero-python asks without naming scopes and uses the token for all that the app may do (its api_client/oauth2.py)
        let allowance = scopes::Allowance::of(app, &state.faults.switches);
        let scope = if asked.is_empty() { scopes::of_a_custom_connection(allowance) } else { asked };
        let identity = ["openid", "profile", "email", "offline_access"];
        let refused = scopes::refused(&scope, allowance).is_some();
        if refused || identity.iter().any(|word| scopes::holds(&scope, word)) {
            return Err(Refused::Scope);
        }
        let (client_id, user_id) = (app.client_id.clone(), format!("custom connection of {}", app.client_id));
        let company = state.companies.values().find(|books| books.face == Face::Xero).map(|books| books.id.clone());
        let auth_event_id = random_guid();
        if let Some(tenant_id) = &company {
            authorize::connect(&mut state.grants.xero_connections, &client_id, &user_id, tenant_id, &auth_event_id, now);
        }
        let access = Access {
            face: Face::Xero,
            client_id,
            user_id,
            companies: company.into_iter().collect(),
            scope: scope.clone(),
            auth_event_id,
            family: String::new(),
            expires_at: expiry(now, ACCESS_SECS),
            revoked: false,
        };
        Ok((access, scope))
    })?;
    let claims = json!({
        "nbf": now.as_second(), "exp": access.expires_at.as_second(), "iss": ISSUER, "aud": format!("{ISSUER}/resources"),
        "client_id": access.client_id, "jti": random_hex(16).to_uppercase(), "authentication_event_id": access.auth_event_id,
        "scope": words(&scope),
    });
    let token = jwt(sandbox.signing_key(), &claims);
    sandbox.write(|state| state.grants.access.insert(token.clone(), access));
    Ok(json!({"access_token": token, "expires_in": ACCESS_SECS, "token_type": "Bearer", "scope": scope}))
}

fn words(scope: &str) -> Vec<&str> {
    scope.split_whitespace().collect()
}

fn expiry(now: Timestamp, secs: i64) -> Timestamp {
    now.checked_add(secs.seconds()).expect("a sandbox stays in our era")
}

/// A new access token of the family, and what else its scopes ask for.
fn tokens(sandbox: &Sandbox, family: &Family, nonce: Option<&str>, now: Timestamp) -> Value {
    let access = Access {
        face: Face::Xero,
        client_id: family.client_id.clone(),
        user_id: family.user_id.clone(),
        companies: family.companies.clone(),
        scope: family.scope.clone(),
        auth_event_id: family.auth_event_id.clone(),
        family: family.id.clone(),
        expires_at: expiry(now, ACCESS_SECS),
        revoked: false,
    };
    let session = session_id(family);
    let claims = json!({
        "nbf": now.as_second(),
        "exp": access.expires_at.as_second(),
        "iss": ISSUER,
        "aud": format!("{ISSUER}/resources"),
        "client_id": family.client_id,
        "sub": subject(&family.user_id),
        "auth_time": family.issued_at.as_second(),
        "xero_userid": family.user_id,
        "global_session_id": session,
        "sid": session,
        "jti": random_hex(16).to_uppercase(),
        "authentication_event_id": family.auth_event_id,
        "scope": words(&family.scope),
        "amr": ["pwd"],
    });
    let token = jwt(sandbox.signing_key(), &claims);
    let user = sandbox.write(|state| {
        state.grants.access.insert(token.clone(), access);
        state.users.iter().find(|user| user.id == family.user_id).cloned()
    });
    let mut body = Map::new();
    if scopes::holds(&family.scope, "openid")
        && let Some(user) = user
    {
        body.insert("id_token".into(), json!(id_token(sandbox, family, &user, &token, nonce, now)));
    }
    body.insert("access_token".into(), json!(token));
    body.insert("expires_in".into(), json!(ACCESS_SECS));
    body.insert("token_type".into(), json!("Bearer"));
    if scopes::holds(&family.scope, "offline_access") {
        body.insert("refresh_token".into(), json!(family.current_refresh));
    }
    body.insert("scope".into(), json!(family.scope));
    Value::Object(body)
}

/// One browser session per consent.
fn session_id(family: &Family) -> String {
    family.id.replace('-', "")
}

fn id_token(sandbox: &Sandbox, family: &Family, user: &User, access_token: &str, nonce: Option<&str>, now: Timestamp) -> String {
    let hash = Sha256::digest(access_token.as_bytes());
    let mut claims = json!({
        "nbf": now.as_second(),
        "exp": now.as_second() + ID_TOKEN_SECS,
        "iss": ISSUER,
        "aud": family.client_id,
        "iat": now.as_second(),
        "at_hash": URL_SAFE_NO_PAD.encode(&hash[..16]),
        "sid": session_id(family),
        "sub": subject(&user.id),
        "auth_time": family.issued_at.as_second(),
        "idp": "local",
        "xero_userid": user.id,
        "global_session_id": session_id(family),
        "preferred_username": user.email,
        "email": user.email,
        "given_name": user.given_name,
        "family_name": user.family_name,
        "name": format!("{} {}", user.given_name, user.family_name),
        "amr": ["pwd"],
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    jwt(sandbox.signing_key(), &claims)
}

/// `POST /connect/revocation`: ends all tokens and all connections this user made for the app; 200 with an empty body, also for a
/// token nobody knows (RFC 7009).
pub async fn revocation(State(sandbox): State<Sandbox>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let fault = frame::begin(&sandbox, &method, "connect/revocation", "", &uri);
    if let Some(refused) = fault.as_ref().and_then(frame::answer_instead) {
        return refused;
    }
    let done = Form::read(&headers, &body).and_then(|form| {
        sandbox.write(|state| {
            form.app(state, true)?;
            let token = form.get("token").ok_or(Refused::Request)?;
            let family = state.grants.family_of_refresh(token).filter(|family| family.face == Face::Xero && family.client_id == form.client_id);
            if let Some((client_id, user_id)) = family.map(|family| (family.client_id.clone(), family.user_id.clone())) {
                state.grants.revoke_where(Some(&client_id), Some(&user_id), None);
                state.grants.xero_connections.retain(|c| c.client_id != client_id || c.user_id != user_id);
            }
            Ok(())
        })
    });
    if fault == Some(Fault::LoseAnswer) {
        return faults::broken_connection();
    }
    match done {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refused) => refused.into_response(),
    }
}
