//! Consent, tokens and their end.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Company, Needs, company, names, provider};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

// quickbooks facts 3 and 5
#[tokio::test]
async fn a_person_chooses_one_company_and_the_app_gets_its_realm() {
    let Some(company) = company(Needs::SigningIn).await else { return };
    let back = company.consent(&[("state", "a+b &c"), ("unknown", "1")], true).await.expect("a redirect");
    assert_eq!((back["state"].as_str(), back["realmId"].is_empty()), ("a+b &c", false));
    assert!((1..=512).contains(&back["code"].len()));
}

// quickbooks fact 4
#[tokio::test]
async fn an_unknown_app_or_address_is_never_redirected_to() {
    let Some(company) = company(Needs::SigningIn).await else { return };
    for wrong in [("client_id", "nobody"), ("redirect_uri", "https://evil.example/")] {
        let (status, location) = company.leads_to(&[wrong]).await;
        let elsewhere = location.is_none_or(|location| !location.starts_with(wrong.1) && !location.starts_with(&company.app().redirect_uri));
        assert!(elsewhere, "{wrong:?}: {status}");
    }
}

// quickbooks facts 6, 7 and 8
#[tokio::test]
async fn a_refusal_an_unknown_scope_and_signing_in_alone_bring_no_realm() {
    let Some(company) = company(Needs::SigningIn).await else { return };
    let denied = company.consent(&[("state", "s t&1")], false).await.expect("a redirect");
    assert_eq!((denied["error"].as_str(), denied["state"].as_str(), denied.get("code")), ("access_denied", "s t&1", None));
    let unknown = company.consent(&[("scope", "com.intuit.quickbooks.everything")], true).await.expect("a redirect");
    assert_eq!(unknown["error"], "invalid_scope");
    let signed_in = company.consent(&[("scope", "openid email")], true).await.expect("a redirect");
    assert!(signed_in.contains_key("code") && !signed_in.contains_key("realmId"), "{signed_in:?}");
}

// quickbooks facts 9, 10, 12, 13 and 14
#[tokio::test]
async fn a_code_is_exchanged_once_and_the_answer_has_exactly_the_known_fields() {
    let Some(company) = company(Needs::SigningIn).await else { return };
    let code = company.consent(&[], true).await.expect("a redirect")["code"].clone();
    let elsewhere = company.token(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", "http://localhost:1/")]).await;
    assert_eq!((elsewhere.status, &elsewhere.json()["error"]), (400, &"invalid_grant".into()));
    let answer = company.exchange(&code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/json;charset=utf-8", "no-cache, no-store"));
    assert!(answer.header("pragma") == "no-cache" && answer.header("intuit_tid").starts_with("1-"));
    let body = answer.json();
    assert_eq!(names(&body), ["access_token", "expires_in", "id_token", "refresh_token", "token_type", "x_refresh_token_expires_in"]);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&"bearer".into(), &3_600.into()));
    assert_eq!(body["x_refresh_token_expires_in"], 8_726_400);
    let again = company.exchange(&code).await;
    assert_eq!((again.status, &again.json()["error"]), (400, &"invalid_grant".into()));

    let app = company.app();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", text(&body, "refresh_token"))];
    let request = company.request(Method::POST, &company.address("token_endpoint").await).basic_auth(&app.client_id, Some(&app.client_secret));
    let hard = company.send(request.header("x-include-refresh-token-hard-expires-in", "true").form(&refresh)).await;
    assert!(hard.json()["x_refresh_token_hard_expires_in"].is_u64(), "{}", hard.text);
}

// quickbooks fact 11
#[tokio::test]
async fn credentials_come_by_header_or_form_and_wrong_ones_are_an_invalid_client() {
    let Some(company) = company(Needs::SigningIn).await else { return };
    let (tokens, _) = company.signed_in(&[]).await;
    let (app, address) = (company.app(), company.address("token_endpoint").await);
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    let by_form = [refresh[0], refresh[1], ("client_id", &app.client_id), ("client_secret", &app.client_secret)];
    assert_eq!(company.send(company.request(Method::POST, &address).form(&by_form)).await.status, 200);
    let wrong = company.request(Method::POST, &address).basic_auth(&app.client_id, Some("wrong"));
    let wrong = company.send(wrong.form(&refresh)).await;
    assert_eq!((wrong.status, wrong.text.as_str()), (401, r#"{"error":"invalid_client"}"#));
    assert_eq!(wrong.header("www-authenticate"), "Basic realm=\"Intuit\"");
}

// quickbooks facts 15 and 18
#[tokio::test]
async fn within_a_day_a_refresh_returns_the_same_refresh_token_with_less_time_left() {
    let Some(company) = company(Needs::SigningIn).await else { return };
    let (tokens, _) = company.signed_in(&[]).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let refreshed = company.refresh(text(&tokens, "refresh_token")).await.json();
    assert_eq!(refreshed["refresh_token"], tokens["refresh_token"]);
    assert_ne!(refreshed["access_token"], tokens["access_token"]);
    let left = |answer: &Value| answer["x_refresh_token_expires_in"].as_u64().expect("seconds");
    assert!(left(&refreshed) < left(&tokens));
}

async fn opens(company: &Company, token: &str) -> u16 {
    let address = company.url(&format!("companyinfo/{}", company.company));
    company.send(company.request(Method::GET, &address).bearer_auth(token).header("accept", "application/json")).await.status
}

// quickbooks facts 21 and 22
#[tokio::test]
async fn revoking_either_token_ends_the_consent() {
    let Some(company) = company(Needs::SigningIn).await else { return };
    for (name, as_json) in [("refresh_token", true), ("access_token", false)] {
        let (tokens, _) = company.signed_in(&[]).await;
        assert_eq!(opens(&company, text(&tokens, "access_token")).await, 200);
        let answer = company.revoke(text(&tokens, name), as_json).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{name}");
        let refused = company.refresh(text(&tokens, "refresh_token")).await;
        assert_eq!((refused.status, &refused.json()["error"]), (400, &"invalid_grant".into()), "{name}");
        assert_eq!(opens(&company, text(&tokens, "access_token")).await, 401, "{name}");
    }
}

// quickbooks facts 2, 23 and 24
#[tokio::test]
async fn the_user_is_described_and_the_id_token_is_of_this_app_and_company() {
    let Some(company) = company(Needs::SigningIn).await else { return };
    let (tokens, realm) = company.signed_in(&[]).await;
    let address = format!("{}?minorversion=75&format=json", company.address("userinfo_endpoint").await);
    let user = company.send(company.request(Method::GET, &address).bearer_auth(text(&tokens, "access_token"))).await.json();
    assert!(user["sub"].is_string() && user["emailVerified"].is_boolean() && user["givenName"].is_string(), "{user}");

    let discovery = company.discovery().await;
    let keys = company.send(company.request(Method::GET, text(&discovery, "jwks_uri"))).await.json();
    let claims = provider::claims(text(&tokens, "id_token"));
    let head = provider::head(text(&tokens, "id_token"));
    assert_eq!((&head["alg"], &head["kid"]), (&"RS256".into(), &keys["keys"][0]["kid"]));
    assert_eq!((&claims["iss"], &claims["sub"]), (&discovery["issuer"], &user["sub"]));
    assert_eq!(claims["aud"], json!([company.app().client_id]));
    assert_eq!(claims["realmid"], realm.as_str());
}

// quickbooks fact 26
#[tokio::test]
async fn connecting_the_same_company_again_kills_the_old_refresh_token() {
    let Some(company) = company(Needs::SigningIn).await else { return };
    let (first, _) = company.signed_in(&[]).await;
    let (second, _) = company.signed_in(&[]).await;
    assert_eq!(company.refresh(text(&first, "refresh_token")).await.status, 400);
    assert_eq!(company.refresh(text(&second, "refresh_token")).await.status, 200);
}
