//! Facts 1-26: discovery, consent, tokens.
use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

const DAY: i64 = 86_400;

// quickbooks facts 1, 2
#[tokio::test]
async fn the_discovery_document_points_to_the_sandbox_itself() {
    let running = start(vec![shop().books]).await;
    let mut documents = Vec::new();
    for path in ["openid_configuration", "openid_configuration/", "openid_sandbox_configuration", "openid_sandbox_configuration/"] {
        let answer = running.send(running.http.get(format!("{}/.well-known/{path}", running.base))).await;
        assert_eq!(answer.status, 200, "{path}");
        documents.push(answer.json());
    }
    let document = &documents[0];
    assert!(documents.iter().all(|other| other == document));
    assert_eq!(document.as_object().expect("an object").len(), 12);
    assert_eq!(document["issuer"], "https://oauth.platform.intuit.com/op/v1");
    for endpoint in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "revocation_endpoint", "jwks_uri"] {
        assert!(document[endpoint].as_str().expect("an address").starts_with(&running.base), "{endpoint}");
    }
}

// quickbooks facts 3, 5
#[tokio::test]
async fn a_person_chooses_one_company_on_the_page_and_the_app_gets_its_realm() {
    let running = start(vec![shop().books, made_up(1)]).await;
    let address = format!(
        "{}/connect/oauth2?state=a%2Bb%20%26c&scope=com.intuit.quickbooks.accounting+openid&unknown=1&redirect_uri={}&response_type=code&client_id=tieout-quickbooks",
        running.base, "http%3A%2F%2Flocalhost%3A8080%2Fcallback"
    );
    let page = running.send(running.http.get(&address)).await;
    assert_eq!(page.status, 200);
    for part in ["Sandbox", "Corner Shop", "Imagined Company 1", ">Connect<", ">No, thanks<", "casey@harborpine.example", "type=\"radio\""] {
        assert!(page.text.contains(part), "{part} is not on the page");
    }
    let hidden = page.text.split("name=\"asked\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the question is repeated");
    let hidden = hidden.replace("&amp;", "&");
    let post = |company: &'static str, decision: &'static str| {
        let form =
            [("asked", hidden.clone()), ("user", "casey@harborpine.example".into()), ("company", company.into()), ("decision", decision.into())];
        running.send(running.http.post(format!("{}/connect/oauth2", running.base)).form(&form))
    };
    let approved = post(SHOP, "connect").await;
    assert_eq!(approved.status, 302);
    let target: url::Url = approved.header("location").parse().expect("an address");
    assert!(target.as_str().starts_with(REDIRECT));
    assert_eq!(parameter(&target, "state").as_deref(), Some("a+b &c"));
    assert_eq!(parameter(&target, "realmId").as_deref(), Some(SHOP));
    assert!(parameter(&target, "code").expect("a code").len() <= 512);

    let without_choice = post("", "connect").await;
    assert_eq!(without_choice.status, 422);
    assert!(without_choice.text.contains("Choose a company first."));
    let denied: url::Url = post(SHOP, "deny").await.header("location").parse().expect("an address");
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
}

// quickbooks fact 4
#[tokio::test]
async fn an_unknown_app_or_address_gets_a_page_and_no_redirect() {
    let running = start(vec![shop().books]).await;
    for wrong in [
        ("client_id", "nobody"),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "http://localhost:80@evil.example/"),
        ("redirect_uri", ""),
    ] {
        let answer = running.authorize(&[wrong, ("auto", "approve")]).await.expect_err("no redirect");
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains("didn't connect"), "{}", answer.text);
    }
}

// quickbooks facts 6, 7, 8
#[tokio::test]
async fn declining_unknown_scopes_and_sign_in_only_answer_without_a_realm() {
    let running = start(vec![shop().books]).await;
    let denied = running.authorize(&[("auto", "deny")]).await.unwrap_or_else(|answer| panic!("{}", answer.text));
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&denied, "state").as_deref(), Some("s t&1"));
    assert_eq!(parameter(&denied, "code"), None);

    let unknown = running.authorize(&[("scope", "com.intuit.quickbooks.everything")]).await.unwrap_or_else(|answer| panic!("{}", answer.text));
    assert_eq!(parameter(&unknown, "error").as_deref(), Some("invalid_scope"));

    let sign_in = running.authorize(&[("scope", "openid email"), ("auto", "approve")]).await.unwrap_or_else(|answer| panic!("{}", answer.text));
    assert!(parameter(&sign_in, "code").is_some());
    assert_eq!(parameter(&sign_in, "realmId"), None);
}

#[tokio::test]
async fn a_user_without_companies_cannot_connect_one() {
    let running = start(vec![shop().books]).await;
    let answer = running.authorize(&[("user", "newcomer@nobooks.example")]).await.expect_err("a page");
    assert!(answer.text.contains("This user has no QuickBooks company"));
    let forced = running.authorize(&[("user", "newcomer@nobooks.example"), ("auto", "approve"), ("company", SHOP)]).await.expect_err("a page");
    assert_eq!(forced.status, 422);
}

// quickbooks facts 9, 10, 12, 13, 14
#[tokio::test]
async fn a_code_is_exchanged_once_and_the_answer_has_exactly_the_known_fields() {
    let running = start(vec![shop().books]).await;
    let code = running.code(SHOP).await;
    let elsewhere = running.token(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", "http://localhost:1/")]).await;
    assert_eq!((elsewhere.status, elsewhere.json()), (400, json!({"error": "invalid_grant"})));

    let first = running.token(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)]).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("content-type"), "application/json;charset=utf-8");
    assert_eq!(first.header("cache-control"), "no-cache, no-store");
    assert_eq!(first.header("pragma"), "no-cache");
    assert!(first.header("intuit_tid").starts_with("1-"));
    let body = first.json();
    let mut keys: Vec<&str> = body.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["access_token", "expires_in", "id_token", "refresh_token", "token_type", "x_refresh_token_expires_in"]);
    assert_eq!(body["token_type"], "bearer");
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(body["x_refresh_token_expires_in"], 8_726_400);

    let again = running.token(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)]).await;
    assert_eq!((again.status, again.json()), (400, json!({"error": "invalid_grant"})));

    let late = running.code(SHOP).await;
    running.advance(601);
    let late = running.token(&[("grant_type", "authorization_code"), ("code", &late), ("redirect_uri", REDIRECT)]).await;
    assert_eq!(late.status, 400);

    let plain =
        running.authorize(&[("scope", "com.intuit.quickbooks.accounting"), ("auto", "approve")]).await.unwrap_or_else(|a| panic!("{}", a.text));
    let code = parameter(&plain, "code").expect("a code");
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT)];
    let request = running.http.post(format!("{}/oauth2/v1/tokens/bearer", running.base)).basic_auth("tieout-quickbooks", Some("sandbox-secret"));
    let answer = running.send(request.header("x-include-refresh-token-hard-expires-in", "true").form(&form)).await.json();
    assert!(answer.get("id_token").is_none());
    assert_eq!(answer["x_refresh_token_hard_expires_in"], 5 * 365 * DAY);
}

// quickbooks fact 11
#[tokio::test]
async fn credentials_come_by_header_or_form_and_wrong_ones_are_an_invalid_client() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    let address = format!("{}/oauth2/v1/tokens/bearer", running.base);
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
    let by_form = [refresh[0], refresh[1], ("client_id", "tieout-quickbooks"), ("client_secret", "sandbox-secret")];
    assert_eq!(running.send(running.http.post(&address).form(&by_form)).await.status, 200);
    for request in [running.http.post(&address).basic_auth("tieout-quickbooks", Some("wrong")), running.http.post(&address)] {
        let answer = running.send(request.form(&refresh)).await;
        assert_eq!((answer.status, answer.text.as_str()), (401, r#"{"error":"invalid_client"}"#));
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Intuit\"");
    }
    assert_eq!(running.token(&[("grant_type", "password")]).await.json()["error"], "unsupported_grant_type");
    assert_eq!(running.token(&[("x", "y")]).await.json()["error"], "invalid_request");
}

// quickbooks facts 15, 16, 18
#[tokio::test]
async fn a_refresh_token_keeps_its_value_for_a_day_and_then_changes() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    running.advance(7200);
    let same = running.token(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)]).await.json();
    assert_eq!(same["refresh_token"], tokens.refresh.as_str());
    assert_ne!(same["access_token"], tokens.access.as_str());
    assert_eq!(same["x_refresh_token_expires_in"], 8_726_400 - 7200);

    running.advance(DAY);
    let rotated = running.token(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)]).await.json();
    assert_ne!(rotated["refresh_token"], tokens.refresh.as_str());
    assert_eq!(rotated["x_refresh_token_expires_in"], 8_726_400);
    let old = running.token(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)]).await;
    assert_eq!(old.status, 400);
    assert_eq!(old.json(), json!({"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"}));
}

// quickbooks fact 17
#[tokio::test]
async fn an_idle_refresh_token_dies_after_a_hundred_days_and_a_family_after_five_years() {
    let running = start(vec![shop().books]).await;
    let idle = running.connect(SHOP).await;
    running.advance(100 * DAY);
    assert_eq!(running.token(&[("grant_type", "refresh_token"), ("refresh_token", &idle.refresh)]).await.status, 400);

    let mut kept = running.connect(SHOP).await.refresh;
    for _ in 0..20 {
        running.advance(90 * DAY);
        let answer = running.token(&[("grant_type", "refresh_token"), ("refresh_token", &kept)]).await;
        assert_eq!(answer.status, 200);
        kept = answer.json()["refresh_token"].as_str().expect("a token").to_owned();
    }
    running.advance(30 * DAY);
    assert_eq!(running.token(&[("grant_type", "refresh_token"), ("refresh_token", &kept)]).await.status, 400);
}

// quickbooks facts 21, 22
#[tokio::test]
async fn revoking_either_token_ends_the_consent() {
    let running = start(vec![shop().books]).await;
    let address = format!("{}/v2/oauth2/tokens/revoke", running.base);
    for by_form in [false, true] {
        let tokens = running.connect(SHOP).await;
        let request = running.http.post(&address).basic_auth("tieout-quickbooks", Some("sandbox-secret"));
        let request = if by_form { request.form(&[("token", &tokens.access)]) } else { request.json(&json!({"token": tokens.refresh})) };
        let answer = running.send(request).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
        assert_eq!(running.token(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)]).await.status, 400);
        assert_eq!(running.get(&tokens, "preferences").await.status, 401);
    }
    let unknown = running.http.post(&address).basic_auth("tieout-quickbooks", Some("sandbox-secret")).json(&json!({"token": "nothing"}));
    assert_eq!(running.send(unknown).await.json(), json!({"error": "invalid_request"}));
}

// quickbooks facts 23, 24
#[tokio::test]
async fn the_user_is_described_and_the_id_token_verifies_with_the_published_key() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    let request = running.http.get(format!("{}/v1/openid_connect/userinfo?minorversion=75&format=json", running.base));
    let user = running.send(request.bearer_auth(&tokens.access)).await.json();
    assert_eq!(user["givenName"], "Casey");
    assert_eq!(user["emailVerified"], true);

    let key = running.send(running.http.get(format!("{}/op/v1/jwks", running.base))).await.json()["keys"][0].clone();
    let token = tokens.answer["id_token"].as_str().expect("an id token");
    let parts: Vec<&str> = token.split('.').collect();
    let part = |index: usize| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[index]).expect("base64")).expect("JSON") };
    assert_eq!(part(0)["alg"], "RS256");
    assert_eq!(part(0)["kid"], key["kid"]);
    let claims = part(1);
    assert_eq!(claims["iss"], "https://oauth.platform.intuit.com/op/v1");
    assert_eq!(claims["aud"], json!(["tieout-quickbooks"]));
    assert_eq!(claims["realmid"], SHOP);
    assert_eq!(claims["sub"], user["sub"]);
    assert!(claims["exp"].as_i64() > Some(now().as_second()));

    use rsa::signature::Verifier;
    let number = |name: &str| rsa::BigUint::from_bytes_be(&URL_SAFE_NO_PAD.decode(key[name].as_str().expect("text")).expect("base64"));
    let public = rsa::RsaPublicKey::new(number("n"), number("e")).expect("a public key");
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).expect("base64");
    let signature = rsa::pkcs1v15::Signature::try_from(signature.as_slice()).expect("a signature");
    let signed = format!("{}.{}", parts[0], parts[1]);
    rsa::pkcs1v15::VerifyingKey::<rsa::sha2::Sha256>::new(public).verify(signed.as_bytes(), &signature).expect("the signature fits");
}

// quickbooks fact 26
#[tokio::test]
async fn connecting_the_same_company_again_kills_the_old_refresh_token_only() {
    let running = start(vec![shop().books, made_up(1)]).await;
    let other_realm = made_up(1).id;
    let other = running.connect(&other_realm).await;
    let first = running.connect(SHOP).await;
    let second = running.connect(SHOP).await;
    assert_eq!(running.token(&[("grant_type", "refresh_token"), ("refresh_token", &first.refresh)]).await.status, 400);
    assert_eq!(running.token(&[("grant_type", "refresh_token"), ("refresh_token", &second.refresh)]).await.status, 200);
    assert_eq!(running.token(&[("grant_type", "refresh_token"), ("refresh_token", &other.refresh)]).await.status, 200);
    assert_eq!(running.get(&first, "preferences").await.status, 200);
}
