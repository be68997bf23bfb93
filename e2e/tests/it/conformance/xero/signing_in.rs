//! Consent, tokens, connections and their end.

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::provider::{claims, head};
use super::{Answer, Needs, Organisation, organisation};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status, &answer.json()["error"]), (400, &error.into()), "{}", answer.text);
}

// xero facts 1 and 2
#[tokio::test]
async fn the_browser_comes_back_with_a_code_or_a_refusal() {
    let Some(organisation) = organisation(Needs::SigningIn).await else { return };
    let back = organisation.consent(&[("state", "a b&c")], true).await.expect("a redirect");
    assert!(["code", "scope", "session_state"].iter().all(|name| back.get(*name).is_some_and(|value| !value.is_empty())), "{back:?}");
    assert_eq!(back["state"], "a b&c");
    let denied = organisation.consent(&[("state", "s2")], false).await.expect("a redirect");
    assert_eq!((denied["error"].as_str(), denied["state"].as_str()), ("access_denied", "s2"));
}

// xero fact 3
#[tokio::test]
async fn a_faulty_request_is_never_redirected_to_the_app() {
    let Some(organisation) = organisation(Needs::SigningIn).await else { return };
    for wrong in [("client_id", "nobody"), ("redirect_uri", "https://evil.example/"), ("scope", "accounting.everything")] {
        let (status, location) = organisation.leads_to(&[wrong]).await;
        let elsewhere = location.is_none_or(|location| !location.starts_with(wrong.1) && !location.starts_with(&organisation.app().redirect_uri));
        assert!(elsewhere, "{wrong:?}: {status}");
    }
}

// xero facts 4, 6, 7 and 8
#[tokio::test]
async fn a_code_works_once_and_the_answer_holds_what_the_scopes_ask_for() {
    let Some(organisation) = organisation(Needs::SigningIn).await else { return };
    let code = organisation.consent(&[], true).await.expect("a redirect")["code"].clone();
    let redirect_uri = organisation.app().redirect_uri.clone();
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", &redirect_uri), ("scope", "ignored")];
    let answer = organisation.token(&form).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&"Bearer".into(), &1_800.into()));
    assert!(["access_token", "refresh_token", "id_token", "scope"].iter().all(|name| body[name].is_string()), "{body}");
    refused(&organisation.exchange(&code).await, "invalid_grant");
    let address = organisation.address("token_endpoint").await;
    let as_json = organisation.request(Method::POST, &address).json(&json!({"grant_type": "refresh_token"}));
    refused(&organisation.send(as_json).await, "unsupported_grant_type");
    let (bare, _) = organisation.signed_in(&[("scope", "accounting.settings.read")]).await;
    assert!(bare.get("refresh_token").is_none() && bare.get("id_token").is_none(), "{bare}");
}

// xero fact 5
#[tokio::test]
async fn the_app_proves_itself_by_header_by_form_or_by_a_verifier() {
    let Some(organisation) = organisation(Needs::SigningIn).await else { return };
    let (app, address) = (organisation.app().clone(), organisation.address("token_endpoint").await);
    let code = organisation.consent(&[], true).await.expect("a redirect")["code"].clone();
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", &app.redirect_uri)];
    let by_form = [form[0], form[1], form[2], ("client_id", &app.client_id), ("client_secret", &app.client_secret)];
    assert_eq!(organisation.send(organisation.request(Method::POST, &address).form(&by_form)).await.status, 200);

    let verifier = "a-verifier-that-is-long-enough-for-the-rules-0123456789";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let asked = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
    let code = organisation.consent(&asked, true).await.expect("a redirect")["code"].clone();
    let wrong = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", &app.redirect_uri), ("code_verifier", "another")];
    refused(&organisation.token(&wrong).await, "invalid_grant");
}

// xero facts 9 and 10
#[tokio::test]
async fn refreshing_rotates_and_the_last_token_still_works_for_a_while() {
    let Some(organisation) = organisation(Needs::SigningIn).await else { return };
    let (first, _) = organisation.signed_in(&[]).await;
    let second = organisation.refresh(text(&first, "refresh_token")).await.json();
    assert!(second["refresh_token"] != first["refresh_token"] && second["access_token"] != first["access_token"]);
    let again = organisation.refresh(text(&first, "refresh_token")).await;
    assert_eq!(again.status, 200, "the answer may have been lost: {}", again.text);
    refused(&organisation.refresh("unheard-of").await, "invalid_grant");
}

// xero facts 14, 15 and 16
#[tokio::test]
async fn tokens_name_their_key_and_carry_their_claims() {
    let Some(organisation) = organisation(Needs::SigningIn).await else { return };
    let discovery = organisation.discovery().await;
    let keys = organisation.send(organisation.request(Method::GET, text(&discovery, "jwks_uri"))).await.json();
    let (tokens, _) = organisation.signed_in(&[]).await;
    for name in ["access_token", "id_token"] {
        let head = head(text(&tokens, name));
        assert_eq!((&head["alg"], &head["kid"]), (&"RS256".into(), &keys["keys"][0]["kid"]), "{name}");
    }
    let access = claims(text(&tokens, "access_token"));
    for name in ["iss", "sub", "xero_userid", "global_session_id", "authentication_event_id", "jti"] {
        assert!(access[name].is_string(), "{name}: {access}");
    }
    assert_eq!((&access["client_id"], &access["iss"]), (&organisation.app().client_id.as_str().into(), &discovery["issuer"]));
    assert!(access["scope"].is_array() && access["auth_time"].is_i64() && access["nbf"].is_i64(), "{access}");
    let id = claims(text(&tokens, "id_token"));
    assert_eq!(id["aud"], organisation.app().client_id.as_str());
    assert_eq!(id["at_hash"], URL_SAFE_NO_PAD.encode(&Sha256::digest(text(&tokens, "access_token"))[..16]));
    assert!(["sid", "xero_userid", "email", "given_name", "family_name"].iter().all(|name| id[name].is_string()), "{id}");
    assert!(id.get("authentication_event_id").is_none());
}

async fn connections(organisation: &Organisation, token: &str) -> Answer {
    organisation.send(organisation.request(Method::GET, &format!("{}/connections", organisation.base)).bearer_auth(token)).await
}

fn of_tenant(organisation: &Organisation, connections: &Value) -> Value {
    let found = connections.as_array().expect("a list").iter().find(|connection| connection["tenantId"] == organisation.company.as_str());
    found.unwrap_or_else(|| panic!("{} is not connected: {connections}", organisation.company)).clone()
}

// xero facts 21 and 22
#[tokio::test]
async fn a_new_consent_keeps_the_connection_and_a_deleted_one_is_gone() {
    let Some(organisation) = organisation(Needs::SigningIn).await else { return };
    let (first, _) = organisation.signed_in(&[]).await;
    let before = of_tenant(&organisation, &connections(&organisation, text(&first, "access_token")).await.json());
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let (second, _) = organisation.signed_in(&[]).await;
    let token = text(&second, "access_token");
    let after = of_tenant(&organisation, &connections(&organisation, token).await.json());
    assert_eq!((&after["id"], &after["createdDateUtc"]), (&before["id"], &before["createdDateUtc"]));
    assert!(text(&after, "updatedDateUtc") > text(&before, "updatedDateUtc"));

    let address = format!("{}/connections/{}", organisation.base, text(&after, "id"));
    let delete = || organisation.send(organisation.request(Method::DELETE, &address).bearer_auth(token));
    assert_eq!((delete().await.status, delete().await.status), (204, 404));
    let forbidden = organisation.call(Method::GET, "Organisation");
    assert_eq!(organisation.send(forbidden).await.status, 403);
    // the other tests need it
    organisation.signed_in(&[]).await;
    assert_eq!(organisation.get("Organisation").await.status, 200);
}

// xero facts 50 and 79
#[tokio::test]
async fn what_the_scopes_do_not_open_is_unauthorized() {
    let Some(organisation) = organisation(Needs::SigningIn).await else { return };
    let (tokens, _) = organisation.signed_in(&[("scope", "openid accounting.settings.read")]).await;
    let call = |path: &str| {
        let request = organisation.request(Method::GET, &format!("{}/api.xro/2.0/{path}", organisation.base)).header("accept", "application/json");
        organisation.send(request.bearer_auth(text(&tokens, "access_token")).header("xero-tenant-id", &organisation.company))
    };
    assert_eq!(call("Accounts").await.status, 200);
    for path in ["Invoices?page=1", "Journals"] {
        let answer = call(path).await;
        assert_eq!((answer.status, &answer.json()["Detail"]), (401, &"AuthorizationUnsuccessful".into()), "{path}");
    }
    organisation.signed_in(&[]).await;
}

// xero fact 13
#[tokio::test]
async fn revocation_ends_the_tokens_and_the_connections() {
    let Some(organisation) = organisation(Needs::SigningIn).await else { return };
    let (tokens, _) = organisation.signed_in(&[]).await;
    let answer = organisation.revoke(text(&tokens, "refresh_token"), false).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    refused(&organisation.refresh(text(&tokens, "refresh_token")).await, "invalid_grant");
    assert_eq!(connections(&organisation, text(&tokens, "access_token")).await.status, 401);
    // every consent of this user to this app has ended, so also the one of the other tests
    assert!(matches!(organisation.get("Organisation").await.status, 401 | 403));
    organisation.reconnect().await;
}
