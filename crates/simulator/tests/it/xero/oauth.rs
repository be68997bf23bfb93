//! Consent, tokens and connections.
use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::sha2::{Digest, Sha256};
use rsa::signature::Verifier;
use rsa::{BigUint, RsaPublicKey};
use serde_json::json;
use std::collections::HashMap;

const BACK: &str = "http://localhost:8742/callback";
const SCOPE: &str = "openid profile email offline_access accounting.settings.read accounting.transactions.read";

async fn two_companies() -> Served {
    let served = Served::with(vec![company(7, false), company(8, false)]).await;
    served.sandbox.write(|state| state.grants.xero_connections.clear());
    served
}

impl Served {
    async fn authorize(&self, changes: &[(&str, &str)]) -> Response {
        let mut query = vec![("response_type", "code"), ("client_id", CLIENT), ("redirect_uri", BACK), ("scope", SCOPE), ("state", "s1")];
        for (name, value) in changes {
            query.retain(|(known, _)| known != name);
            query.push((name, value));
        }
        self.client.get(format!("{}/identity/connect/authorize", self.base)).query(&query).send().await.unwrap()
    }

    async fn code(&self, changes: &[(&str, &str)]) -> String {
        let mut changes = changes.to_vec();
        changes.push(("auto", "approve"));
        location(&self.authorize(&changes).await)["code"].clone()
    }

    async fn post(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let mut form = form.to_vec();
        if !form.iter().any(|(name, _)| *name == "client_id") {
            form.extend([("client_id", CLIENT), ("client_secret", "sandbox-secret")]);
        }
        let response = self.client.post(format!("{}/connect/token", self.base)).form(&form).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn exchange(&self, code: &str) -> (u16, Value) {
        self.post(&[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)]).await
    }

    async fn refresh(&self, token: &str) -> (u16, Value) {
        self.post(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn connections(&self, token: &str, path: &str) -> Vec<Value> {
        let response = self.client.get(format!("{}{path}", self.base)).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    fn wait(&self, secs: i64) {
        self.sandbox.clock.advance_ms(secs * 1_000);
    }
}

fn location(response: &Response) -> HashMap<String, String> {
    assert_eq!(response.status(), StatusCode::FOUND);
    let address = url::Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    assert!(address.as_str().starts_with(BACK), "{address}");
    address.query_pairs().into_owned().collect()
}

fn refused_grant() -> (u16, Value) {
    (400, json!({"error": "invalid_grant"}))
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

// xero fact 1
#[tokio::test]
async fn consent_sends_the_browser_back_with_code_scope_state_and_session() {
    let served = two_companies().await;
    let page = served.authorize(&[]).await;
    assert_eq!(page.status(), StatusCode::OK);
    let html = page.text().await.unwrap();
    assert!(html.contains("Sandbox") && html.contains("Imagined Company 7") && html.contains("Imagined Company 8"), "{html}");
    let form = [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", BACK),
        ("scope", SCOPE),
        ("state", "a b&c"),
        ("company", served.tenant.as_str()),
        ("decision", "allow"),
    ];
    let response = served.client.post(format!("{}/identity/connect/authorize", served.base)).form(&form).send().await.unwrap();
    let answer = location(&response);
    assert_eq!((answer["code"].len(), answer["state"].as_str(), answer["scope"].as_str()), (43, "a b&c", SCOPE));
    assert!(!answer["session_state"].is_empty());
    let (_, tokens) = served.exchange(&answer["code"]).await;
    let connections = served.connections(tokens["access_token"].as_str().unwrap(), "/connections").await;
    assert_eq!(connections.len(), 1, "only the ticked organisation is connected");
}

// xero fact 2
#[tokio::test]
async fn a_refusal_comes_back_as_access_denied() {
    let served = two_companies().await;
    let answer = location(&served.authorize(&[("auto", "deny")]).await);
    assert_eq!((answer["error"].as_str(), answer["state"].as_str()), ("access_denied", "s1"));
    let form = [("response_type", "code"), ("client_id", CLIENT), ("redirect_uri", BACK), ("scope", SCOPE), ("state", "s2"), ("decision", "cancel")];
    let response = served.client.post(format!("{}/identity/connect/authorize", served.base)).form(&form).send().await.unwrap();
    assert_eq!(location(&response)["error"], "access_denied");
}

#[tokio::test]
async fn allowing_without_an_organisation_asks_again() {
    let served = two_companies().await;
    let form = [("response_type", "code"), ("client_id", CLIENT), ("redirect_uri", BACK), ("scope", SCOPE), ("decision", "allow")];
    let response = served.client.post(format!("{}/identity/connect/authorize", served.base)).form(&form).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.text().await.unwrap().contains("Choose at least one organisation"));
}

#[tokio::test]
async fn what_the_app_sends_cannot_break_the_page() {
    let served = two_companies().await;
    let html = served.authorize(&[("state", "\"><script>alert(1)</script>")]).await.text().await.unwrap();
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
}

// xero fact 3
#[tokio::test]
async fn a_faulty_request_shows_an_error_page_and_never_goes_back() {
    let served = two_companies().await;
    for (change, text) in [
        (("client_id", "nobody"), "unauthorized_client"),
        (("redirect_uri", "https://elsewhere.example/callback"), "Invalid redirect_uri"),
        (("redirect_uri", ""), "Invalid redirect_uri"),
        (("scope", "openid accounting.everything"), "Invalid scope for client"),
        (("response_type", "token"), "unsupported_response_type"),
        (("user", "nobody@nowhere.example"), "no sandbox user"),
    ] {
        let response = served.authorize(&[change, ("auto", "approve")]).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{change:?}");
        assert!(response.headers().get("location").is_none());
        let html = response.text().await.unwrap();
        assert!(html.contains(text), "{change:?}: {html}");
    }
    let with_journals = [("scope", "openid accounting.journals.read"), ("auto", "approve")];
    assert_eq!(served.authorize(&with_journals).await.status(), StatusCode::FOUND);
    served.sandbox.write(|state| state.faults.switches.xero_journals = false);
    assert_eq!(served.authorize(&with_journals).await.status(), StatusCode::BAD_REQUEST, "an app without approval may not ask for Journals");
}

// xero fact 4
#[tokio::test]
async fn a_code_works_once_and_for_five_minutes() {
    let served = two_companies().await;
    let code = served.code(&[]).await;
    assert_eq!(served.exchange(&code).await.0, 200);
    assert_eq!(served.exchange(&code).await, refused_grant());
    let late = served.code(&[]).await;
    served.wait(299);
    let in_time = served.code(&[]).await;
    served.wait(1);
    assert_eq!(served.exchange(&late).await, refused_grant());
    assert_eq!(served.exchange(&in_time).await.0, 200);
    let other = served.code(&[]).await;
    let elsewhere = [("grant_type", "authorization_code"), ("code", other.as_str()), ("redirect_uri", "http://localhost:9/other")];
    assert_eq!(served.post(&elsewhere).await, refused_grant());
}

// xero facts 5 and 6
#[tokio::test]
async fn basic_body_and_pkce_authenticate_the_client() {
    let served = two_companies().await;
    let code = served.code(&[]).await;
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", BACK), ("scope", SCOPE)];
    let address = format!("{}/connect/token", served.base);
    let basic = served.client.post(&address).basic_auth(CLIENT, Some("sandbox-secret")).form(&form).send().await.unwrap();
    assert_eq!(basic.status(), StatusCode::OK);

    let verifier = "a-verifier-that-is-long-enough-for-the-rules-0123456789";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let pkce = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
    let exchange = async |verifier: &str| {
        let code = served.code(&pkce).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", BACK),
            ("client_id", CLIENT),
            ("code_verifier", verifier),
        ];
        served.post(&form).await
    };
    assert_eq!(exchange("another-verifier").await, refused_grant());
    let (status, tokens) = exchange(verifier).await;
    assert_eq!(status, 200);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let body = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", CLIENT), ("scope", "ignored")];
    assert_eq!(served.post(&body).await.0, 200, "a PKCE app refreshes with its id alone");

    let code = served.code(&[]).await;
    let wrong =
        [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", BACK), ("client_id", CLIENT), ("client_secret", "no")];
    assert_eq!(served.post(&wrong).await, (400, json!({"error": "invalid_client"})));
    let none = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", BACK), ("client_id", CLIENT)];
    assert_eq!(served.post(&none).await, (400, json!({"error": "invalid_client"})), "without PKCE the secret is needed");
}

// xero fact 7
#[tokio::test]
async fn a_json_body_is_an_unsupported_grant_type() {
    let served = two_companies().await;
    let response = served.client.post(format!("{}/connect/token", served.base)).json(&json!({"grant_type": "refresh_token"})).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(response.json::<Value>().await.unwrap(), json!({"error": "unsupported_grant_type"}));
}

// xero fact 8
#[tokio::test]
async fn the_token_answer_holds_what_the_scopes_ask_for() {
    let served = two_companies().await;
    let (_, all) = served.exchange(&served.code(&[]).await).await;
    assert_eq!((all["token_type"].as_str(), all["expires_in"].as_u64(), all["scope"].as_str()), (Some("Bearer"), Some(1800), Some(SCOPE)));
    assert!(all["refresh_token"].is_string() && all["id_token"].is_string());
    let (_, bare) = served.exchange(&served.code(&[("scope", "accounting.settings.read")]).await).await;
    assert!(bare["access_token"].is_string() && bare.get("refresh_token").is_none() && bare.get("id_token").is_none());
}

// xero facts 9 and 10
#[tokio::test]
async fn refreshing_rotates_and_the_last_token_works_for_half_an_hour() {
    let served = two_companies().await;
    let (_, first) = served.exchange(&served.code(&[]).await).await;
    let first_refresh = first["refresh_token"].as_str().unwrap();
    let (status, second) = served.refresh(first_refresh).await;
    assert_eq!(status, 200);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_ne!(second["access_token"], first["access_token"]);
    served.wait(29 * 60);
    let (status, again) = served.refresh(first_refresh).await;
    assert_eq!(status, 200, "the answer may have been lost");
    assert_ne!(again["refresh_token"], first["refresh_token"]);
    assert_eq!(served.refresh(second["refresh_token"].as_str().unwrap()).await, refused_grant(), "the lost token was replaced");
    served.wait(60);
    assert_eq!(served.refresh(first_refresh).await, refused_grant());
    assert_eq!(served.refresh(again["refresh_token"].as_str().unwrap()).await.0, 200);
    assert_eq!(served.refresh("unheard-of").await, refused_grant());
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_can_be_repeated() {
    let served = two_companies().await;
    let (_, tokens) = served.exchange(&served.code(&[]).await).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    served.sandbox.write(|state| {
        state.faults.inject(simulator::faults::Injected {
            face: Some(Face::Xero),
            company: None,
            path_contains: Some("/connect/token".into()),
            skip: 0,
            times: 1,
            fault: simulator::faults::Fault::LoseAnswer,
        });
    });
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", CLIENT), ("client_secret", "sandbox-secret")];
    let lost = served.client.post(format!("{}/connect/token", served.base)).form(&form).send().await;
    assert!(match lost {
        Ok(response) => response.text().await.is_err(),
        Err(_) => true,
    });
    let rotated = served.sandbox.read(|state| state.grants.families.values().any(|family| family.previous_refresh.as_deref() == Some(refresh)));
    assert!(rotated, "the refresh took effect although its answer was lost");
    assert_eq!(served.refresh(refresh).await.0, 200);
}

// xero fact 11
#[tokio::test]
async fn an_unused_refresh_token_dies_after_sixty_days() {
    let served = two_companies().await;
    let (_, tokens) = served.exchange(&served.code(&[]).await).await;
    served.wait(59 * 86_400);
    let (status, tokens) = served.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(status, 200);
    served.wait(59 * 86_400);
    let (status, tokens) = served.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(status, 200, "each rotation starts the clock again");
    served.wait(60 * 86_400);
    assert_eq!(served.refresh(tokens["refresh_token"].as_str().unwrap()).await, refused_grant());
}

// xero fact 12
#[tokio::test]
async fn client_credentials_give_no_refresh_token_and_need_no_tenant_header() {
    let served = two_companies().await;
    let (status, tokens) = served.post(&[("grant_type", "client_credentials"), ("scope", "accounting.settings.read")]).await;
    assert_eq!(status, 200);
    assert!(tokens.get("refresh_token").is_none());
    let bearer = tokens["access_token"].as_str().unwrap();
    let address = format!("{}/api.xro/2.0/Organisation", served.base);
    let response = served.client.get(address).bearer_auth(bearer).header("accept", "application/json").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let (status, refused) = served.post(&[("grant_type", "client_credentials"), ("scope", "accounting.everything")]).await;
    assert_eq!((status, refused["error"].as_str()), (400, Some("invalid_scope")));
    assert_eq!(refused["error_description"], "Client credentials scope validation failed");
}

// xero fact 13
#[tokio::test]
async fn revocation_ends_tokens_and_connections() {
    let served = two_companies().await;
    let (_, tokens) = served.exchange(&served.code(&[]).await).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(served.connections(access, "/connections").await.len(), 2);
    let address = format!("{}/connect/revocation", served.base);
    let form = [("token", refresh)];
    let response = served.client.post(address).basic_auth(CLIENT, Some("sandbox-secret")).form(&form).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.text().await.unwrap(), "");
    assert_eq!(served.refresh(refresh).await, refused_grant());
    let response = served.client.get(format!("{}/connections", served.base)).bearer_auth(access).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(served.sandbox.read(|state| state.grants.xero_connections.is_empty()));
}

// xero facts 14, 15 and 16
#[tokio::test]
async fn tokens_are_signed_by_the_first_published_key_and_carry_their_claims() {
    let served = two_companies().await;
    let discovery: Value = served.client.get(format!("{}/.well-known/openid-configuration", served.base)).send().await.unwrap().json().await.unwrap();
    assert_eq!(discovery["issuer"], "https://identity.xero.com");
    assert_eq!(discovery["token_endpoint"], format!("{}/connect/token", served.base));
    let keys: Value = served.client.get(discovery["jwks_uri"].as_str().unwrap()).send().await.unwrap().json().await.unwrap();
    let number = |name: &str| BigUint::from_bytes_be(&URL_SAFE_NO_PAD.decode(keys["keys"][0][name].as_str().unwrap()).unwrap());
    let key = VerifyingKey::<Sha256>::new(RsaPublicKey::new(number("n"), number("e")).unwrap());
    let (_, tokens) = served.exchange(&served.code(&[("nonce", "n1")]).await).await;
    for name in ["access_token", "id_token"] {
        let (signed, signature) = tokens[name].as_str().unwrap().rsplit_once('.').unwrap();
        let signature = Signature::try_from(URL_SAFE_NO_PAD.decode(signature).unwrap().as_slice()).unwrap();
        key.verify(signed.as_bytes(), &signature).unwrap_or_else(|_| panic!("{name}"));
    }
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!((access["iss"].as_str(), access["aud"].as_str()), (Some("https://identity.xero.com"), Some("https://identity.xero.com/resources")));
    assert_eq!(access["client_id"], CLIENT);
    assert_eq!(access["exp"].as_i64().unwrap() - access["nbf"].as_i64().unwrap(), 1_800);
    assert!(access["scope"].as_array().unwrap().contains(&json!("offline_access")));
    for name in ["sub", "xero_userid", "global_session_id", "authentication_event_id", "jti"] {
        assert!(access[name].is_string(), "{name}");
    }
    assert!(access["auth_time"].is_i64());
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!((id["aud"].as_str(), id["nonce"].as_str()), (Some(CLIENT), Some("n1")));
    let half = URL_SAFE_NO_PAD.encode(&Sha256::digest(tokens["access_token"].as_str().unwrap())[..16]);
    assert_eq!(id["at_hash"], half);
    for name in ["sid", "xero_userid", "email", "given_name", "family_name", "name"] {
        assert!(id[name].is_string(), "{name}");
    }
    assert!(id.get("authentication_event_id").is_none());
    let (_, refreshed) = served.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(claims(refreshed["access_token"].as_str().unwrap())["authentication_event_id"], access["authentication_event_id"]);
    let address = discovery["userinfo_endpoint"].as_str().unwrap();
    let me: Value = served.client.get(address).bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap().json().await.unwrap();
    assert_eq!((&me["sub"], &me["email"]), (&id["sub"], &id["email"]));
}

// xero facts 17, 18, 19, 20, 21 and 23
#[tokio::test]
async fn connections_list_what_the_user_connected() {
    let served = two_companies().await;
    let one = served.tenant.clone();
    let two = served.sandbox.read(|state| state.companies.keys().find(|id| **id != one).cloned().unwrap());
    let (_, first) = served.exchange(&served.code(&[("company", &one)]).await).await;
    served.wait(90);
    let (_, second) = served.exchange(&served.code(&[("company", &two)]).await).await;
    let token = second["access_token"].as_str().unwrap();
    let all = served.connections(token, "/connections").await;
    assert_eq!(all.len(), 2, "earlier consents are listed too");
    for path in ["/Connections", "/connections/", "/CONNECTIONS"] {
        assert_eq!(served.connections(token, path).await, all, "{path}");
    }
    for connection in &all {
        assert_eq!(connection["tenantType"], "ORGANISATION");
        assert!(connection["tenantName"].as_str().unwrap().starts_with("Imagined Company"));
        for name in ["createdDateUtc", "updatedDateUtc"] {
            let text = connection[name].as_str().unwrap();
            assert_eq!((text.len(), text.split('.').nth(1).map(str::len)), (27, Some(7)), "{text}");
        }
    }
    let event = claims(token)["authentication_event_id"].as_str().unwrap().to_string();
    let filtered = served.connections(token, &format!("/connections?authEventId={event}")).await;
    assert_eq!(filtered.len(), 1);
    assert_eq!((filtered[0]["tenantId"].as_str(), filtered[0]["authEventId"].as_str()), (Some(two.as_str()), Some(event.as_str())));

    let before = all.iter().find(|c| c["tenantId"] == one).unwrap();
    served.wait(60);
    let (_, again) = served.exchange(&served.code(&[("company", &one)]).await).await;
    let listed = served.connections(again["access_token"].as_str().unwrap(), "/connections").await;
    let after = listed.iter().find(|c| c["tenantId"] == one).unwrap();
    assert_eq!((&after["id"], &after["createdDateUtc"]), (&before["id"], &before["createdDateUtc"]));
    assert!(after["updatedDateUtc"].as_str() > before["updatedDateUtc"].as_str());
    assert_ne!(after["authEventId"], before["authEventId"]);
    let organisation = served.list("Organisations", "Organisation").await;
    assert_eq!(organisation[0]["OrganisationID"], one);
    drop(first);
}

// xero fact 22
#[tokio::test]
async fn a_deleted_connection_is_gone_and_its_tenant_forbidden() {
    let served = two_companies().await;
    let (_, tokens) = served.exchange(&served.code(&[]).await).await;
    let token = tokens["access_token"].as_str().unwrap();
    let all = served.connections(token, "/connections").await;
    let mine = all.iter().find(|c| c["tenantId"] == served.tenant).unwrap();
    let address = format!("{}/connections/{}", served.base, mine["id"].as_str().unwrap());
    let delete = || served.client.delete(&address).bearer_auth(token).send();
    assert_eq!(delete().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(delete().await.unwrap().status(), StatusCode::NOT_FOUND);
    let response = served.request(Method::GET, "/api.xro/2.0/Organisation").bearer_auth(token).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(served.connections(token, "/connections").await.len(), 1);
}

#[tokio::test]
async fn a_user_without_organisations_signs_in_and_connects_nothing() {
    let served = two_companies().await;
    let (status, tokens) = served.exchange(&served.code(&[("user", "newcomer@nobooks.example")]).await).await;
    assert_eq!(status, 200);
    assert!(served.connections(tokens["access_token"].as_str().unwrap(), "/connections").await.is_empty());
}
