//! Intuit's addresses and its OAuth 2.0: consent, tokens, revocation, who consented.
use crate::error::{Call, ProviderError};
use crate::http::{Answer, Http};
use crate::oauth::{Callback, Grant, Identity, Secret, TokenPair};
use crate::quickbooks::NAME;
use crate::quickbooks::fault::{accepted, unexpected};
use crate::quickbooks::wire;
use crate::registry::Settings;
use domain::connection::Environment;
use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

/// What we ask for. The accounting scope is all or nothing; the rest says who consented.
const SCOPES: &str = "com.intuit.quickbooks.accounting openid profile email";

pub const ACCOUNTING: &str = "com.intuit.quickbooks.accounting";
/// `issuer` of Intuit's discovery documents.
pub const ISSUER: &str = "https://oauth.platform.intuit.com/op/v1";

/// Where QuickBooks is reached.
#[derive(Clone, Debug)]
pub struct Addresses {
    authorize: Url,
    token: Url,
    revoke: Url,
    userinfo: Url,
    api: Url,
}

impl Addresses {
    /// The values of Intuit's discovery documents, or the same paths below the simulator.
    pub fn of(settings: &Settings) -> Result<Addresses, ProviderError> {
        let parse = |text: &str| Url::parse(text).expect("the addresses of Intuit are well formed");
        let (userinfo, api) = match (settings.environment, &settings.simulator_url) {
            (Environment::Production, _) => {
                ("https://accounts.platform.intuit.com/v1/openid_connect/userinfo", "https://quickbooks.api.intuit.com/v3/company")
            }
            (Environment::Sandbox, _) => {
                ("https://sandbox-accounts.platform.intuit.com/v1/openid_connect/userinfo", "https://sandbox-quickbooks.api.intuit.com/v3/company")
            }
            (Environment::Simulator, Some(base)) => {
                return Ok(Addresses {
                    authorize: below(base, &["connect", "oauth2"]),
                    token: below(base, &["oauth2", "v1", "tokens", "bearer"]),
                    revoke: below(base, &["v2", "oauth2", "tokens", "revoke"]),
                    userinfo: below(base, &["v1", "openid_connect", "userinfo"]),
                    api: below(base, &["v3", "company"]),
                });
            }
            (Environment::Simulator, None) => {
                return Err(ProviderError::Down {
                    provider: NAME,
                    detail: "the settings choose the simulator but do not say where it listens (simulator_url)".into(),
                    call: Call::default(),
                });
            }
        };
        Ok(Addresses {
            authorize: parse("https://appcenter.intuit.com/connect/oauth2"),
            token: parse("https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"),
            revoke: parse("https://developer.api.intuit.com/v2/oauth2/tokens/revoke"),
            userinfo: parse(userinfo),
            api: parse(api),
        })
    }

    /// `…/v3/company/{realm}/{path}` with its parameters; `minorversion=75` is the only one still served.
    pub fn company(&self, realm: &str, path: &[&str], parameters: &[(&str, &str)]) -> Url {
        let mut segments = vec![realm];
        segments.extend_from_slice(path);
        let mut url = below(&self.api, &segments);
        url.query_pairs_mut().extend_pairs(parameters).append_pair("minorversion", "75");
        url
    }
}

fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.path_segments_mut().expect("addresses of providers are http addresses").pop_if_empty().extend(segments);
    url
}

pub fn authorize_url(addresses: &Addresses, settings: &Settings, state: &Secret, redirect_uri: &str) -> String {
    let mut url = addresses.authorize.clone();
    url.query_pairs_mut()
        .append_pair("client_id", &settings.client_id)
        .append_pair("response_type", "code")
        .append_pair("scope", SCOPES)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("state", state.expose());
    url.into()
}

pub async fn exchange(
    http: &Http,
    addresses: &Addresses,
    settings: &Settings,
    callback: &Callback,
    redirect_uri: &str,
) -> Result<Grant, ProviderError> {
    let call = || Call { endpoint: "callback".into(), ..Call::default() };
    if callback.error.is_some() {
        return Err(ProviderError::NeedsReconnect { provider: NAME, call: call() });
    }
    let code = callback.code.as_deref().filter(|code| !code.is_empty()).ok_or_else(|| unexpected("the callback holds no code", call()))?;
    let realm = callback.realm_id.as_deref().ok_or_else(|| unexpected("the callback names no company (realmId)", call()))?;
    if realm.is_empty() || realm.len() > 20 || !realm.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(unexpected("the realmId of the callback is not a number", call()));
    }
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
    let answer = http.oauth_post("POST token", &addresses.token, &settings.client_id, &settings.client_secret, &form).await?;
    Ok(Grant { tokens: tokens(&answer, http.clock.now())?, company_hint: Some(realm.to_owned()) })
}

pub async fn refresh(http: &Http, addresses: &Addresses, settings: &Settings, refresh: &Secret) -> Result<TokenPair, ProviderError> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
    let answer = http.oauth_post("POST token", &addresses.token, &settings.client_id, &settings.client_secret, &form).await?;
    tokens(&answer, http.clock.now())
}

pub async fn revoke(http: &Http, addresses: &Addresses, settings: &Settings, refresh: &Secret) -> Result<(), ProviderError> {
    let form = [("token", refresh.expose())];
    let answer = http.oauth_post("POST revoke", &addresses.revoke, &settings.client_id, &settings.client_secret, &form).await?;
    match (answer.status, oauth_error(&answer.body).as_deref()) {
        (200, _) => Ok(()),
        (400, Some("invalid_client")) | (401, _) => Err(ProviderError::WrongKeys { provider: NAME, call: answer.call }),
        // an unknown or already revoked token: it is dead, which is what was asked for
        (400, _) => Ok(()),
        _ => Err(token_refusal(&answer, http.clock.now())),
    }
}

pub async fn identity(http: &Http, addresses: &Addresses, grant: &Grant) -> Result<Identity, ProviderError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct UserInfo {
        sub: Option<String>,
        email: Option<String>,
        given_name: Option<String>,
        family_name: Option<String>,
    }
    let endpoint = "GET userinfo";
    let realm = realm_of(grant)?;
    let answer = accepted(http.get_with(&grant.tokens.access, endpoint, &addresses.userinfo, &[]).await?, http.clock.now())?;
    let user: UserInfo = serde_json::from_str(&answer.body).map_err(|error| unexpected(wire::defect(&answer.body, &error), answer.call.clone()))?;
    let sub = user.sub.filter(|sub| !sub.is_empty()).ok_or_else(|| unexpected("it does not say who consented (sub)", answer.call.clone()))?;
    let name = [user.given_name, user.family_name].into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    Ok(Identity { key: format!("{sub}|{realm}"), email: user.email.unwrap_or_default(), name })
}

/// The company the consent was given for: QuickBooks names it in the callback only.
pub fn realm_of(grant: &Grant) -> Result<&str, ProviderError> {
    grant
        .company_hint
        .as_deref()
        .ok_or_else(|| unexpected("the callback named no company (realmId)", Call { endpoint: "callback".into(), ..Call::default() }))
}

/// Believes a token answer only when it is status 200, JSON, with both tokens and lifetimes that can be true; everything else leaves the
/// stored pair as it is.
fn tokens(answer: &Answer, now: Timestamp) -> Result<TokenPair, ProviderError> {
    #[derive(Deserialize)]
    struct TokenAnswer {
        token_type: Option<String>,
        access_token: Option<String>,
        expires_in: Option<i64>,
        refresh_token: Option<String>,
        x_refresh_token_expires_in: Option<i64>,
    }
    if answer.status != 200 {
        return Err(token_refusal(answer, now));
    }
    let odd = |detail: &str| unexpected(detail, answer.call.clone());
    let body: TokenAnswer = serde_json::from_str(&answer.body).map_err(|error| odd(wire::defect(&answer.body, &error)))?;
    if body.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(odd("token_type is not bearer"));
    }
    let access = token_text(body.access_token, 8_192).ok_or_else(|| odd("access_token is missing or malformed"))?;
    let refresh = token_text(body.refresh_token, 2_048).ok_or_else(|| odd("refresh_token is missing or malformed"))?;
    let lifetime = |secs: Option<i64>, range: std::ops::RangeInclusive<i64>| {
        let secs = secs.filter(|secs| range.contains(secs))?;
        Timestamp::from_second(now.as_second() + secs).ok()
    };
    // 3,600 s and 101 days are usual; five years is the longest Intuit grants
    let access_expires_at = lifetime(body.expires_in, 30..=86_400).ok_or_else(|| odd("expires_in is no lifetime"))?;
    let refresh_expires_at =
        lifetime(body.x_refresh_token_expires_in, 60..=5 * 366 * 86_400).ok_or_else(|| odd("x_refresh_token_expires_in is no lifetime"))?;
    Ok(TokenPair { access, refresh, access_expires_at, refresh_expires_at, scope: String::new() })
}

/// A token that fits into a header.
fn token_text(text: Option<String>, limit: usize) -> Option<Secret> {
    text.filter(|text| !text.is_empty() && text.len() <= limit && text.bytes().all(|byte| byte.is_ascii_graphic())).map(Secret::new)
}

fn oauth_error(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct OAuthError {
        error: String,
    }
    serde_json::from_str::<OAuthError>(body).ok().map(|body| body.error)
}

fn token_refusal(answer: &Answer, now: Timestamp) -> ProviderError {
    let (provider, call) = (NAME, answer.call.clone());
    match (answer.status, oauth_error(&answer.body).as_deref()) {
        (400 | 401, Some("invalid_grant")) => ProviderError::NeedsReconnect { provider, call },
        (400 | 401, Some("invalid_client" | "unauthorized_client")) | (401, None) => ProviderError::WrongKeys { provider, call },
        (429, _) => ProviderError::RateLimited { provider, limit: "sign-in".into(), retry_at: Some(answer.retry_at(now, 60)), call },
        (408 | 500..=599, _) => ProviderError::Down { provider, detail: format!("HTTP status {}", answer.status), call },
        (status, _) => unexpected(&format!("HTTP status {status} from the token endpoint"), call),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(environment: Environment) -> Settings {
        Settings {
            client_id: "client".into(),
            client_secret: Secret::new("secret"),
            environment,
            simulator_url: Some(Url::parse("http://127.0.0.1:4400/").unwrap()),
            journals: false,
        }
    }
    fn answer(status: u16, body: &str) -> Answer {
        let call = Call { endpoint: "POST token".into(), http_status: Some(status), request_id: None };
        Answer { status, body: body.into(), call, date: None, retry_after_secs: None, limit_problem: None }
    }

    #[test]
    fn the_simulator_has_the_paths_of_intuit() {
        let addresses = Addresses::of(&settings(Environment::Simulator)).unwrap();
        assert_eq!(addresses.token.as_str(), "http://127.0.0.1:4400/oauth2/v1/tokens/bearer");
        let url = addresses.company("9341453000000001", &["query"], &[("query", "SELECT * FROM Bill")]);
        assert_eq!(url.as_str(), "http://127.0.0.1:4400/v3/company/9341453000000001/query?query=SELECT+*+FROM+Bill&minorversion=75");
        let escaped = addresses.company("1/../2", &["preferences"], &[]);
        assert_eq!(escaped.path(), "/v3/company/1%2F..%2F2/preferences");
    }

    #[test]
    fn a_simulator_without_an_address_is_refused_with_the_name_of_the_setting() {
        let error = Addresses::of(&Settings { simulator_url: None, ..settings(Environment::Simulator) }).unwrap_err();
        assert!(error.to_string().contains("simulator_url"));
    }

    #[test]
    fn production_and_sandbox_differ_in_the_hosts_of_data_and_of_userinfo() {
        let production = Addresses::of(&settings(Environment::Production)).unwrap();
        let sandbox = Addresses::of(&settings(Environment::Sandbox)).unwrap();
        assert_eq!((&production.authorize, &production.token, &production.revoke), (&sandbox.authorize, &sandbox.token, &sandbox.revoke));
        assert_eq!(production.api.host_str(), Some("quickbooks.api.intuit.com"));
        assert_eq!(sandbox.api.host_str(), Some("sandbox-quickbooks.api.intuit.com"));
        assert_ne!(production.userinfo, sandbox.userinfo);
    }

    #[test]
    fn consent_is_asked_for_with_state_and_all_scopes() {
        let addresses = Addresses::of(&settings(Environment::Production)).unwrap();
        let text = authorize_url(&addresses, &settings(Environment::Production), &Secret::new("s t"), "https://books.example/callback/quickbooks");
        let url = Url::parse(&text).unwrap();
        let pairs: std::collections::BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs["scope"], SCOPES);
        assert_eq!(pairs["state"], "s t");
        assert_eq!(pairs["redirect_uri"], "https://books.example/callback/quickbooks");
        assert!(!text.contains("secret"));
    }

    #[test]
    fn a_whole_token_answer_is_believed() {
        let now = Timestamp::from_second(1_000).unwrap();
        let pair = tokens(&answer(200, include_str!("fixtures/token.json")), now).unwrap();
        assert!(pair.access.expose().starts_with("eyJ") && pair.refresh.expose().starts_with("AB11"));
        assert_eq!((pair.access_expires_at.as_second(), pair.refresh_expires_at.as_second()), (4_600, 8_727_400));
    }

    #[test]
    fn garbage_from_the_token_endpoint_is_never_a_token() {
        let good = include_str!("fixtures/token.json");
        let mut garbage: Vec<(u16, String)> = vec![
            (200, String::new()),
            (200, "<html>busy</html>".into()),
            (200, "null".into()),
            (200, "[]".into()),
            (200, "{}".into()),
            (200, good[..good.len() - 3].into()),
            (200, good.replace("3600", "0")),
            (200, good.replace("3600", "-5")),
            (200, good.replace("3600", "99999999999")),
            (200, good.replace("3600", "\"3600\"")),
            (200, good.replace("8726400", "0")),
            (200, good.replace("8726400", "null")),
            (200, good.replace("bearer", "mac")),
            (201, good.into()),
            (204, String::new()),
            (302, String::new()),
        ];
        for field in ["access_token", "refresh_token", "expires_in", "x_refresh_token_expires_in"] {
            garbage.push((200, good.replace(&format!("\"{field}\""), "\"other\"")));
        }
        garbage.push((
            200,
            r#"{"token_type":"bearer","access_token":"a b","expires_in":3600,"refresh_token":"r","x_refresh_token_expires_in":8726400}"#.into(),
        ));
        garbage.push((
            200,
            r#"{"token_type":"bearer","access_token":"a","expires_in":3600,"refresh_token":"","x_refresh_token_expires_in":8726400}"#.into(),
        ));
        for (status, body) in garbage {
            let error = tokens(&answer(status, &body), Timestamp::UNIX_EPOCH).expect_err(&body);
            assert!(matches!(error, ProviderError::UnexpectedAnswer { .. }), "{status} {body}: {error:?}");
        }
    }

    #[test]
    fn refusals_of_the_token_endpoint_say_whose_fault_it_is() {
        let of = |status, body: &str| tokens(&answer(status, body), Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(matches!(of(400, r#"{"error":"invalid_grant"}"#), ProviderError::NeedsReconnect { .. }));
        assert!(matches!(of(400, r#"{"error_description":"Token invalid","error":"invalid_grant"}"#), ProviderError::NeedsReconnect { .. }));
        assert!(matches!(of(401, r#"{"error":"invalid_client"}"#), ProviderError::WrongKeys { .. }));
        assert!(matches!(of(400, r#"{"error":"invalid_request"}"#), ProviderError::UnexpectedAnswer { .. }));
        assert!(matches!(of(429, ""), ProviderError::RateLimited { retry_at: Some(_), .. }));
        assert!(matches!(of(503, "<html/>"), ProviderError::Down { .. }));
    }
}
