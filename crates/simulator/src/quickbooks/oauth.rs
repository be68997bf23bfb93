//! Tokens: exchange, refresh with rotation, revocation, and who the user is.
//!
//! Rules: contract 1.5-1.10, from
//! <https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0> and its FAQ.
use super::discovery::ISSUER;
use super::frame;
use super::refusal::Refusal;
use crate::books::Face;
use crate::faults::{self, Fault};
use crate::oauth::{Access, Code, Family, jwt, random_guid, random_hex, random_token};
use crate::sandbox::{Sandbox, State as SandboxState};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

const DAY_SECS: i64 = 86_400;
const ACCESS_SECS: i64 = 3600;
/// Often quoted; not documented (contract 1.3).
const CODE_SECS: i64 = 600;
/// `x_refresh_token_expires_in` right after issue: 101 days.
const REFRESH_SECS: i64 = 8_726_400;
/// "100 days unused", "5 years absolute" (contract 1.6).
const UNUSED_SECS: i64 = 100 * DAY_SECS;
const ABSOLUTE_SECS: i64 = 5 * 365 * DAY_SECS;

/// Why the token endpoint refuses.
enum Problem {
    Client,
    Code,
    Refresh,
    Request,
    GrantType,
}

pub async fn token(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    let now = sandbox.clock.now();
    let fault = sandbox.write(|state| fault(state, "POST oauth2/v1/tokens/bearer", "/oauth2/v1/tokens/bearer"));
    if let Some(answered) = frame::injected(fault.as_ref(), now).await {
        return answered;
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let wants_hard_expiry =
        headers.get("x-include-refresh-token-hard-expires-in").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    let credentials = credentials(&headers, field("client_id"), field("client_secret"));
    let granted = sandbox.write(|state| {
        state.grants.forget_old(now);
        let client_id = client(state, credentials.as_ref()).ok_or(Problem::Client)?;
        match field("grant_type") {
            Some("authorization_code") => exchange(state, &client_id, field("code"), field("redirect_uri"), now),
            Some("refresh_token") => refresh(state, &client_id, field("refresh_token"), now),
            Some(_) => Err(Problem::GrantType),
            None => Err(Problem::Request),
        }
    });
    let granted = match granted {
        Ok(granted) => granted,
        Err(problem) => return problem_answer(&problem),
    };
    let mut answer = Map::new();
    answer.insert("token_type".into(), "bearer".into());
    answer.insert("access_token".into(), granted.access_token.into());
    answer.insert("expires_in".into(), ACCESS_SECS.into());
    answer.insert("refresh_token".into(), granted.refresh_token.into());
    answer.insert("x_refresh_token_expires_in".into(), granted.refresh_secs.into());
    if wants_hard_expiry {
        answer.insert("x_refresh_token_hard_expires_in".into(), granted.hard_secs.into());
    }
    if let Some(claims) = granted.claims {
        let signer = sandbox.clone();
        let signed = tokio::task::spawn_blocking(move || jwt(signer.signing_key(), &claims)).await.expect("signing does not fail");
        answer.insert("id_token".into(), signed.into());
    }
    if fault == Some(Fault::LoseAnswer) {
        return faults::broken_connection();
    }
    plain_json(StatusCode::OK, &Value::Object(answer))
}

/// Counts an OAuth call and takes the fault that waits for it.
fn fault(state: &mut SandboxState, counted: &str, path: &str) -> Option<Fault> {
    *state.calls.entry(format!("quickbooks {counted}")).or_default() += 1;
    state.faults.next(Face::QuickBooks, "", path)
}

struct Granted {
    access_token: String,
    refresh_token: String,
    refresh_secs: i64,
    hard_secs: i64,
    claims: Option<Value>,
}

/// Basic authentication, else the form's fields: "accept both" (contract 1.5).
fn credentials(headers: &HeaderMap, client_id: Option<&str>, client_secret: Option<&str>) -> Option<(String, String)> {
    if let Some(basic) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.split_once(' ')) {
        let (scheme, encoded) = basic;
        if scheme.eq_ignore_ascii_case("basic") {
            let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
            return String::from_utf8(decoded).ok()?.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()));
        }
    }
    Some((client_id?.to_owned(), client_secret?.to_owned()))
}

fn client(state: &SandboxState, credentials: Option<&(String, String)>) -> Option<String> {
    let (id, secret) = credentials?;
    let app = state.apps.iter().find(|app| app.face == Face::QuickBooks && app.client_id == *id && app.client_secret == *secret)?;
    Some(app.client_id.clone())
}

/// "Codes are single use and short lived" (contract 1.3).
fn exchange(state: &mut SandboxState, client_id: &str, code: Option<&str>, redirect_uri: Option<&str>, now: Timestamp) -> Result<Granted, Problem> {
    let text = code.ok_or(Problem::Request)?;
    let code: &mut Code = state.grants.codes.get_mut(text).filter(|code| code.face == Face::QuickBooks).ok_or(Problem::Code)?;
    let fits = !code.used
        && code.client_id == client_id
        && redirect_uri == Some(code.redirect_uri.as_str())
        && now.as_second() - code.issued_at.as_second() <= CODE_SECS;
    if !fits {
        return Err(Problem::Code);
    }
    code.used = true;
    let code = code.clone();
    // "Re-authorizing issues a new token pair; older access tokens may keep working until expiry but the old refresh token must be
    // treated as dead" (contract 1.4).
    for family in state.grants.families.values_mut() {
        if family.face == Face::QuickBooks && family.client_id == code.client_id && !code.companies.is_empty() && family.companies == code.companies {
            family.revoked = true;
        }
    }
    let family = Family {
        id: random_guid(),
        face: Face::QuickBooks,
        client_id: code.client_id.clone(),
        user_id: code.user_id.clone(),
        companies: code.companies.clone(),
        scope: code.scope.clone(),
        auth_event_id: code.auth_event_id.clone(),
        current_refresh: refresh_token(now),
        previous_refresh: None,
        rotated_at: now,
        issued_at: now,
        last_used_at: now,
        revoked: false,
    };
    let claims = code.scope.split_whitespace().any(|scope| scope == "openid").then(|| {
        let mut claims = json!({
            "sub": code.user_id,
            "aud": [code.client_id],
            "auth_time": code.issued_at.as_second(),
            "iss": ISSUER,
            "iat": now.as_second(),
            "exp": now.as_second() + ACCESS_SECS,
        });
        if let Some(realm) = code.companies.first() {
            claims["realmid"] = realm.clone().into();
        }
        if let Some(nonce) = &code.nonce {
            claims["nonce"] = nonce.clone().into();
        }
        claims
    });
    let granted = Granted { claims, ..grant(state, &family, now) };
    state.grants.families.insert(family.id.clone(), family);
    Ok(granted)
}

/// "Within about 24 h a refresh may return the same string"; once a new value has been returned, the old one is dead (contract 1.6).
fn refresh(state: &mut SandboxState, client_id: &str, token: Option<&str>, now: Timestamp) -> Result<Granted, Problem> {
    let token = token.ok_or(Problem::Request)?;
    let family = state.grants.family_of_refresh(token).ok_or(Problem::Refresh)?;
    let since = |moment: Timestamp| now.as_second() - moment.as_second();
    let is_good = family.face == Face::QuickBooks
        && family.client_id == client_id
        && family.current_refresh == token
        && !family.revoked
        && since(family.last_used_at) < UNUSED_SECS
        && since(family.rotated_at) < REFRESH_SECS
        && since(family.issued_at) < ABSOLUTE_SECS;
    if !is_good {
        return Err(Problem::Refresh);
    }
    if since(family.rotated_at) >= DAY_SECS {
        family.previous_refresh = Some(std::mem::replace(&mut family.current_refresh, refresh_token(now)));
        family.rotated_at = now;
    }
    family.last_used_at = now;
    let family = family.clone();
    Ok(grant(state, &family, now))
}

/// A new access token of the family.
fn grant(state: &mut SandboxState, family: &Family, now: Timestamp) -> Granted {
    let access_token = access_token();
    let lasting = jiff::SignedDuration::from_secs(ACCESS_SECS);
    state.grants.access.insert(
        access_token.clone(),
        Access {
            face: Face::QuickBooks,
            client_id: family.client_id.clone(),
            user_id: family.user_id.clone(),
            companies: family.companies.clone(),
            scope: family.scope.clone(),
            auth_event_id: family.auth_event_id.clone(),
            family: family.id.clone(),
            expires_at: now.checked_add(lasting).expect("a sandbox stays in our era"),
            revoked: false,
        },
    );
    Granted {
        access_token,
        refresh_token: family.current_refresh.clone(),
        refresh_secs: REFRESH_SECS - (now.as_second() - family.rotated_at.as_second()),
        hard_secs: ABSOLUTE_SECS - (now.as_second() - family.issued_at.as_second()),
        claims: None,
    }
}

/// The form of a JWE with direct encryption: header, empty key, then three random parts (contract 1.5).
fn access_token() -> String {
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"enc":"A128CBC-HS256","alg":"dir"}"#);
    format!("{header}..{}.{}.{}", random_token(16), random_token(480), random_token(16))
}

/// `AB11` + the Unix time of expiry + random, 50 characters (contract 1.5).
fn refresh_token(now: Timestamp) -> String {
    format!("AB11{}{}", now.as_second() + REFRESH_SECS, random_hex(18))
}

fn problem_answer(problem: &Problem) -> Response {
    let (status, body) = match problem {
        Problem::Client => (StatusCode::UNAUTHORIZED, json!({"error": "invalid_client"})),
        Problem::Code => (StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"})),
        Problem::Refresh => (StatusCode::BAD_REQUEST, json!({"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"})),
        Problem::Request => (StatusCode::BAD_REQUEST, json!({"error": "invalid_request"})),
        Problem::GrantType => (StatusCode::BAD_REQUEST, json!({"error": "unsupported_grant_type"})),
    };
    let mut response = plain_json(status, &body);
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Intuit\""));
    }
    response
}

fn plain_json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// Either token, as JSON `{"token"}` or as a form; it ends the whole consent (contract 1.8).
pub async fn revoke(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    let now = sandbox.clock.now();
    let fault = sandbox.write(|state| fault(state, "POST v2/oauth2/tokens/revoke", "/v2/oauth2/tokens/revoke"));
    if let Some(answered) = frame::injected(fault.as_ref(), now).await {
        return answered;
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let from_json = serde_json::from_slice::<Value>(&body).ok().and_then(|value| Some(value.get("token")?.as_str()?.to_owned()));
    let token = from_json.or_else(|| field("token"));
    let credentials = credentials(&headers, field("client_id").as_deref(), field("client_secret").as_deref());
    let revoked = sandbox.write(|state| {
        let client_id = client(state, credentials.as_ref()).ok_or(Problem::Client)?;
        let token = token.ok_or(Problem::Request)?;
        let by_access = state.grants.access.get(&token).map(|access| access.family.clone());
        let family = by_access.or_else(|| state.grants.family_of_refresh(&token).map(|family| family.id.clone())).ok_or(Problem::Request)?;
        let known = state.grants.families.get(&family).is_some_and(|family| family.client_id == client_id && !family.revoked);
        if !known {
            return Err(Problem::Request);
        }
        state.grants.revoke_family(&family);
        Ok(())
    });
    match revoked {
        Err(problem) => problem_answer(&problem),
        Ok(()) if fault == Some(Fault::LoseAnswer) => faults::broken_connection(),
        Ok(()) => Response::new(Body::empty()),
    }
}

/// Field names are camel case, not those of OpenID Connect (contract 1.9).
pub async fn user_info(State(sandbox): State<Sandbox>, headers: HeaderMap) -> Response {
    let now = sandbox.clock.now();
    let fault = sandbox.write(|state| fault(state, "GET v1/openid_connect/userinfo", "/v1/openid_connect/userinfo"));
    if let Some(answered) = frame::injected(fault.as_ref(), now).await {
        return answered;
    }
    let user = sandbox.read(|state| {
        let access = frame::authenticate(state, frame::bearer(&headers), now)?;
        if !access.scope.split_whitespace().any(|scope| scope == "openid") {
            return Err(Refusal::application());
        }
        let user = state.users.iter().find(|user| user.id == access.user_id).ok_or_else(|| Refusal::token(None))?;
        Ok(json!({
            "sub": user.id,
            "email": user.email,
            "emailVerified": true,
            "givenName": user.given_name,
            "familyName": user.family_name,
            "phoneNumberVerified": false,
        }))
    });
    match user {
        Ok(user) => plain_json(StatusCode::OK, &user),
        Err(refusal) => frame::refused(&refusal, now),
    }
}
