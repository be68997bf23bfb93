//! Xero's OAuth: token answers, the claims of access tokens, scopes.
//!
//! <https://developer.xero.com/documentation/guides/oauth2/auth-flow>
use super::refusals::{PROVIDER, unexpected};
use super::wire::Fields;
use crate::error::ProviderError;
use crate::http::Answer;
use crate::oauth::{Secret, TokenPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// A refresh token dies when it is unused for 60 days; every refresh gives a new one.
const REFRESH_DAYS: i64 = 60;
/// Access tokens live 30 minutes; anything beyond a day is not a lifetime Xero gives.
const LONGEST_LIFETIME_SECS: i64 = 86_400;

/// What we ask for. Requesting Journals without Xero's approval fails the whole consent, so it is asked for only where the settings say so.
pub fn scopes(journals: bool) -> String {
    let mut scopes = String::from(
        "openid profile email offline_access accounting.settings.read accounting.contacts.read accounting.invoices.read accounting.payments.read \
         accounting.banktransactions.read accounting.manualjournals.read accounting.reports.trialbalance.read \
         accounting.reports.profitandloss.read accounting.reports.balancesheet.read",
    );
    if journals {
        scopes.push_str(" accounting.journals.read");
    }
    scopes
}

/// Whether granted scopes cover a granular one: itself, its writing form, or the broad scope it came out of.
pub fn covers(granted: &[String], wanted: &str) -> bool {
    let broad = match wanted {
        "accounting.invoices.read" | "accounting.payments.read" | "accounting.banktransactions.read" | "accounting.manualjournals.read" => {
            "accounting.transactions.read"
        }
        report if report.starts_with("accounting.reports.") => "accounting.reports.read",
        own => own,
    };
    granted.iter().any(|scope| {
        let reading = |name: &str| scope == name || name.strip_suffix(".read").is_some_and(|writing| scope == writing);
        reading(wanted) || reading(broad)
    })
}

/// The claims we read from an access token. It came over TLS from the token endpoint, so its signature is not checked again.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Claims {
    /// Names the consent; the connections made by it carry the same value as `authEventId`.
    #[serde(default)]
    pub authentication_event_id: Option<String>,
    #[serde(default)]
    pub xero_userid: Option<String>,
    #[serde(default)]
    scope: Option<Scope>,
}

/// Xero writes an array; RFC 9068 would have it a text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Scope {
    List(Vec<String>),
    Text(String),
}

impl Claims {
    /// `None` when the token is not a JWT.
    pub fn read(access: &Secret) -> Option<Claims> {
        let payload = access.expose().split('.').nth(1)?;
        let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&json).ok()
    }
    /// Granted scopes; `None` when the token does not say.
    pub fn scopes(&self) -> Option<Vec<String>> {
        Some(match self.scope.as_ref()? {
            Scope::List(list) => list.clone(),
            Scope::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

/// Reads the answer of the token endpoint. Only 200 with JSON, both tokens and a sane lifetime counts, so that no maintenance page and no
/// proxy can ever replace a stored pair.
pub fn token_pair(answer: &Answer, now: Timestamp) -> Result<TokenPair, ProviderError> {
    if answer.status != 200 {
        return Err(refusal(answer, now));
    }
    let fields = Fields::parse(&answer.body).map_err(|defect| unexpected(answer, defect))?;
    let token = |name: &str| -> Result<Secret, ProviderError> {
        let text = fields.required_text(name).map_err(|defect| unexpected(answer, defect))?;
        if text.trim().is_empty() || text.contains(char::is_whitespace) {
            return Err(unexpected(answer, format!("{name} is not a token")));
        }
        Ok(Secret::new(text.into_owned()))
    };
    let lifetime_secs = fields.integer("expires_in").map_err(|defect| unexpected(answer, defect))?.unwrap_or(0);
    if !(1..=LONGEST_LIFETIME_SECS).contains(&lifetime_secs) {
        return Err(unexpected(answer, "expires_in is not the lifetime of an access token"));
    }
    let token_type = fields.text("token_type").map_err(|defect| unexpected(answer, defect))?;
    if token_type.is_some_and(|word| !word.eq_ignore_ascii_case("bearer")) {
        return Err(unexpected(answer, "token_type is not Bearer"));
    }
    let after = |secs| now.checked_add(SignedDuration::from_secs(secs)).unwrap_or(now);
    Ok(TokenPair {
        access: token("access_token")?,
        refresh: token("refresh_token")?,
        access_expires_at: after(lifetime_secs),
        refresh_expires_at: after(REFRESH_DAYS * 86_400),
        scope: fields.text("scope").ok().flatten().map(|text| text.into_owned()).unwrap_or_default(),
    })
}

/// The access token itself says what it covers; that counts more than the words beside it.
pub fn with_scope(pair: TokenPair) -> TokenPair {
    match Claims::read(&pair.access).and_then(|claims| claims.scopes()) {
        Some(scopes) => TokenPair { scope: scopes.join(" "), ..pair },
        None => pair,
    }
}

/// What a refusal of the token or revocation endpoint means.
pub fn refusal(answer: &Answer, now: Timestamp) -> ProviderError {
    let provider = PROVIDER;
    let call = answer.call.clone();
    let word = error_word(answer);
    match (answer.status, word.as_deref()) {
        (_, Some("invalid_grant")) => ProviderError::NeedsReconnect { provider, call },
        (_, Some("invalid_client" | "unauthorized_client")) => ProviderError::WrongKeys { provider, call },
        (429, _) => ProviderError::RateLimited { provider, limit: "token".into(), retry_at: Some(answer.retry_at(now, 60)), call },
        (408 | 409 | 423 | 425 | 500..=599, _) => ProviderError::Down { provider, detail: format!("HTTP status {}", answer.status), call },
        // some accounts tell of a bare 401 for wrong keys
        (401, None) => ProviderError::WrongKeys { provider, call },
        (status, Some(word)) => unexpected(answer, format!("HTTP status {status}, {}", word.chars().take(60).collect::<String>())),
        (status, None) => unexpected(answer, format!("HTTP status {status}")),
    }
}

/// `{"error":"invalid_grant"}`.
pub fn error_word(answer: &Answer) -> Option<String> {
    Fields::parse(&answer.body).ok()?.text("error").ok().flatten().map(|word| word.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Call;

    fn answer(status: u16, body: &str) -> Answer {
        let call = Call { endpoint: "POST token".into(), http_status: Some(status), request_id: None };
        Answer { status, body: body.into(), call, date: None, retry_after_secs: None, limit_problem: None }
    }
    fn now() -> Timestamp {
        Timestamp::from_second(1_000).unwrap()
    }
    const GOOD: &str =
        r#"{"id_token":"i","access_token":"aaa","expires_in":1800,"token_type":"Bearer","refresh_token":"rrr","scope":"openid offline_access"}"#;

    #[test]
    fn a_token_answer_is_read_whole() {
        let pair = token_pair(&answer(200, GOOD), now()).unwrap();
        assert_eq!((pair.access.expose(), pair.refresh.expose()), ("aaa", "rrr"));
        assert_eq!(pair.access_expires_at.as_second(), 2_800);
        assert_eq!(pair.refresh_expires_at.as_second(), 1_000 + 60 * 86_400);
        assert_eq!(pair.scope, "openid offline_access");
    }

    #[test]
    fn garbage_never_becomes_a_token_pair() {
        let garbage = [
            (200, ""),
            (200, "null"),
            (200, "[]"),
            (200, "\"ok\""),
            (200, "{}"),
            (200, "<html><body>maintenance</body></html>"),
            (200, r#"{"error":"invalid_grant"}"#),
            (200, r#"{"access_token":"aaa","expires_in":1800,"refresh_token":"rr"#),
            (200, r#"{"access_token":"aaa","expires_in":1800}"#),
            (200, r#"{"access_token":"","expires_in":1800,"refresh_token":"rrr"}"#),
            (200, r#"{"access_token":"aaa","expires_in":1800,"refresh_token":""}"#),
            (200, r#"{"access_token":null,"expires_in":1800,"refresh_token":"rrr"}"#),
            (200, r#"{"access_token":"aaa","expires_in":1800,"refresh_token":null}"#),
            (200, r#"{"access_token":"a a","expires_in":1800,"refresh_token":"rrr"}"#),
            (200, r#"{"access_token":{},"expires_in":1800,"refresh_token":"rrr"}"#),
            (200, r#"{"access_token":"aaa","refresh_token":"rrr"}"#),
            (200, r#"{"access_token":"aaa","expires_in":0,"refresh_token":"rrr"}"#),
            (200, r#"{"access_token":"aaa","expires_in":-5,"refresh_token":"rrr"}"#),
            (200, r#"{"access_token":"aaa","expires_in":99999999,"refresh_token":"rrr"}"#),
            (200, r#"{"access_token":"aaa","expires_in":"soon","refresh_token":"rrr"}"#),
            (200, r#"{"access_token":"aaa","expires_in":1800,"refresh_token":"rrr","token_type":"mac"}"#),
            (201, GOOD),
            (204, ""),
            (302, GOOD),
            (400, GOOD),
            (500, GOOD),
        ];
        for (status, body) in garbage {
            assert!(token_pair(&answer(status, body), now()).is_err(), "{status} {body}");
        }
    }

    #[test]
    fn refusals_of_the_token_endpoint_have_their_meaning() {
        let refused = |status, body| token_pair(&answer(status, body), now()).unwrap_err();
        assert!(matches!(refused(400, r#"{"error":"invalid_grant"}"#), ProviderError::NeedsReconnect { .. }));
        assert!(matches!(refused(400, r#"{"error":"invalid_client"}"#), ProviderError::WrongKeys { .. }));
        assert!(matches!(refused(401, r#"{"error":"invalid_client"}"#), ProviderError::WrongKeys { .. }));
        assert!(matches!(refused(400, r#"{"error":"unauthorized_client"}"#), ProviderError::WrongKeys { .. }));
        assert!(matches!(refused(401, ""), ProviderError::WrongKeys { .. }));
        assert!(matches!(refused(429, ""), ProviderError::RateLimited { .. }));
        for status in [408, 409, 423, 425, 500, 502, 503, 504] {
            assert!(matches!(refused(status, "<html>"), ProviderError::Down { .. }), "{status}");
        }
        assert!(matches!(refused(400, r#"{"error":"unsupported_grant_type"}"#), ProviderError::UnexpectedAnswer { .. }));
    }

    #[test]
    fn claims_are_read_without_their_signature() {
        let payload =
            URL_SAFE_NO_PAD.encode(r#"{"xero_userid":"u-1","authentication_event_id":"e-1","scope":["openid","accounting.settings.read"]}"#);
        let claims = Claims::read(&Secret::new(format!("h.{payload}.s"))).unwrap();
        assert_eq!(claims.xero_userid.as_deref(), Some("u-1"));
        assert_eq!(claims.authentication_event_id.as_deref(), Some("e-1"));
        assert_eq!(claims.scopes().unwrap(), ["openid", "accounting.settings.read"]);
        assert!(Claims::read(&Secret::new("opaque")).is_none());
        assert!(Claims::read(&Secret::new("a.!!.c")).is_none());
    }

    #[test]
    fn broad_and_writing_scopes_cover_the_granular_ones() {
        let granted = |scope: &str| vec![scope.to_owned()];
        assert!(covers(&granted("accounting.invoices.read"), "accounting.invoices.read"));
        assert!(covers(&granted("accounting.invoices"), "accounting.invoices.read"));
        assert!(covers(&granted("accounting.transactions"), "accounting.payments.read"));
        assert!(covers(&granted("accounting.transactions.read"), "accounting.manualjournals.read"));
        assert!(covers(&granted("accounting.reports.read"), "accounting.reports.trialbalance.read"));
        assert!(!covers(&granted("accounting.reports.read"), "accounting.journals.read"));
        assert!(!covers(&granted("accounting.transactions.read"), "accounting.contacts.read"));
        assert!(!covers(&[], "accounting.settings.read"));
    }
}
