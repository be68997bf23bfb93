//! Facts 19, 20, 25-37, 99, 101: who may call, and the frame around every answer.
use super::*;
use futures::StreamExt;
use simulator::faults::{Fault, Injected};
use simulator::limits::Problem;

fn inject(running: &Running, fault: Fault) {
    let injected = Injected { face: Some(Face::QuickBooks), company: None, path_contains: Some("companyinfo".into()), skip: 0, times: 1, fault };
    running.sandbox.write(|state| state.faults.inject(injected));
}

// quickbooks facts 19, 20
#[tokio::test]
async fn an_expired_and_a_malformed_token_are_told_apart() {
    let running = start(vec![shop().books]).await;
    let mut tokens = running.connect(SHOP).await;
    assert_eq!(running.get(&tokens, "preferences").await.status, 200);
    running.advance(3600);
    let expired = running.get(&tokens, "preferences").await;
    assert_eq!((expired.status, expired.code().as_str()), (401, "3200"));
    assert!(expired.detail().starts_with("Token expired: "));
    assert!(!expired.text.contains(&tokens.access));
    assert_eq!(expired.header("www-authenticate"), "Bearer realm=\"Intuit\", error=\"invalid_token\"");
    assert_eq!(expired.json()["fault"]["type"], "AUTHENTICATION");
    assert_eq!(expired.json()["time"], running.sandbox.clock.now().as_millisecond());
    tokens.access = "garbage".into();
    let garbage = running.get(&tokens, "preferences").await;
    assert_eq!((garbage.status, garbage.detail().as_str()), (401, "Malformed bearer token: too short or too long"));
}

// quickbooks fact 25
#[tokio::test]
async fn a_token_never_opens_another_company() {
    let other = made_up(1);
    let other_realm = other.id.clone();
    let running = start(vec![shop().books, other]).await;
    let mut tokens = running.connect(SHOP).await;
    tokens.realm = other_realm;
    let answer = running.get(&tokens, "query?query=select%20*%20from%20Account").await;
    assert_eq!(answer.status, 401);
    assert!(answer.text.contains("code=\"100\"") && answer.text.contains("SRV-110-Authentication Failure"), "{}", answer.text);
    assert!(!answer.text.contains("Checking"));
}

#[tokio::test]
async fn a_sign_in_token_does_not_open_the_books() {
    let running = start(vec![shop().books]).await;
    let target = running.authorize(&[("scope", "openid"), ("auto", "approve")]).await.unwrap_or_else(|answer| panic!("{}", answer.text));
    let code = parameter(&target, "code").expect("a code");
    let answer = running.token(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)]).await.json();
    let access = answer["access_token"].as_str().expect("a token").to_owned();
    let tokens = Tokens { realm: SHOP.into(), access, refresh: String::new(), answer };
    let answer = running.get(&tokens, "preferences").await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "3100"));
}

// quickbooks facts 27, 29, 30, 31
#[tokio::test]
async fn every_answer_has_its_own_trace_id_and_unknown_parameters_change_nothing() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    let mut seen = std::collections::BTreeSet::new();
    let mut bodies = std::collections::BTreeSet::new();
    for parameters in ["", "?minorversion=1", "?minorversion=75", "?format=json&&minorversion=75", "?x=%FF"] {
        let answer = running.get(&tokens, &format!("companyinfo/{SHOP}{parameters}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("content-type"), "application/json;charset=UTF-8");
        let id = answer.header("intuit_tid").to_owned();
        let parts: Vec<&str> = id.split('-').collect();
        assert!(parts.len() == 3 && parts[0] == "1" && parts[1].len() == 8 && parts[2].len() == 24, "{id}");
        seen.insert(id);
        bodies.insert(answer.text);
    }
    assert_eq!((seen.len(), bodies.len()), (5, 1));
    let body: Value = serde_json::from_str(bodies.first().expect("a body")).expect("JSON");
    assert_eq!(body["CompanyInfo"]["CompanyName"], "Corner Shop");
    assert_eq!(body["CompanyInfo"]["Id"], "1");
    assert_eq!(body["time"], "2025-06-15T11:00:00.000-07:00");
    assert!(!running.get(&tokens, "nonsense").await.header("intuit_tid").is_empty());
}

// quickbooks facts 35, 36, 37
#[tokio::test]
async fn wrong_routes_and_ids_are_faults_that_say_so() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    for path in ["customer/1/5", "nonsense", "", "reports"] {
        let route = running.get(&tokens, path).await;
        assert_eq!((route.status, route.code().as_str()), (400, "500"), "{path}");
        assert!(route.detail().starts_with("Operation Could not find resource for relative : "), "{}", route.detail());
    }
    let id = running.get(&tokens, "customer/1.5").await;
    assert_eq!((id.status, id.code().as_str()), (400, "2030"));
    assert_eq!(id.json()["Fault"]["Error"][0]["element"], "Id");
    assert_eq!(id.detail(), "Id should be a valid number. Supplied value:1.5");
    let missing = running.get(&tokens, "invoice/999999").await;
    assert_eq!((missing.status, missing.code().as_str()), (400, "610"));
    assert!(missing.detail().starts_with("Object Not Found : Something you're trying to use has been made inactive."));
    for path in ["nonsense", "invoice/1", "reports/BalanceSheet"] {
        let write = running.http.post(format!("{}/v3/company/{SHOP}/{path}", running.base)).bearer_auth(&tokens.access).body("{}");
        let write = running.send(write).await;
        assert_eq!((write.status, write.code().as_str()), (400, "500"), "{path}");
    }
}

// quickbooks fact 99
#[tokio::test]
async fn the_eleventh_call_in_a_second_is_throttled_and_the_next_second_is_free() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    running.sandbox.write(|state| state.limits.enforced = true);
    for _ in 0..10 {
        assert_eq!(running.get(&tokens, "preferences").await.status, 200);
    }
    let throttled = running.get(&tokens, "preferences").await;
    assert_eq!((throttled.status, throttled.code().as_str()), (429, "3001"));
    assert_eq!(throttled.detail(), "The request limit was reached.  Try again later");
    assert_eq!(throttled.header("retry-after"), "");
    running.advance(1);
    assert_eq!(running.get(&tokens, "preferences").await.status, 200);
    let calls = running.sandbox.read(|state| state.calls.clone());
    assert_eq!(calls["quickbooks GET preferences"], 12);
}

// quickbooks fact 99
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_calls_at_one_time_each_is_counted() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    running.sandbox.clock.run_from(now());
    running.sandbox.write(|state| {
        state.limits.enforced = true;
        state.limits.figures.quickbooks_per_second = 100_000;
        state.limits.figures.quickbooks_per_minute = 400;
    });
    let calls = (0..1_200).map(|_| running.get(&tokens, "preferences"));
    let statuses: Vec<u16> = futures::stream::iter(calls).buffer_unordered(64).map(|answer| answer.status).collect().await;
    let answered = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!((answered, statuses.len()), (400, 1_200));
}

// quickbooks fact 103
#[tokio::test]
async fn development_keys_do_not_reach_a_production_company() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    assert_eq!(running.get(&tokens, "preferences").await.status, 200);
    running.sandbox.write(|state| state.faults.switches.quickbooks_production = vec![SHOP.into()]);
    let refused = running.get(&tokens, "preferences").await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "3100"));
    running.sandbox.write(|state| state.faults.switches.quickbooks_production.clear());
    assert_eq!(running.get(&tokens, "preferences").await.status, 200);
}

// quickbooks fact 101
#[tokio::test]
async fn injected_faults_hit_once_and_look_like_the_real_ones() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    let path = format!("companyinfo/{SHOP}");
    for (fault, status) in [
        (Fault::RateLimit { problem: Problem::Minute, retry_after_secs: None }, 429),
        (Fault::Unauthorized, 401),
        (Fault::Status { status: 500 }, 500),
        (Fault::Status { status: 403 }, 403),
    ] {
        inject(&running, fault);
        assert_eq!(running.get(&tokens, "preferences").await.status, 200);
        let hit = running.get(&tokens, &path).await;
        assert_eq!(hit.status, status);
        assert!(!hit.code().is_empty());
        assert_eq!(running.get(&tokens, &path).await.status, 200);
    }
    for (fault, status) in [(Fault::Status { status: 503 }, 503), (Fault::HtmlBody, 200), (Fault::MalformedJson, 200)] {
        inject(&running, fault);
        let hit = running.get(&tokens, &path).await;
        assert_eq!(hit.status, status);
        assert!(serde_json::from_str::<Value>(&hit.text).is_err());
    }
    for fault in [Fault::Drop, Fault::LoseAnswer] {
        inject(&running, fault);
        let request = running.http.get(format!("{}/v3/company/{SHOP}/{path}", running.base)).bearer_auth(&tokens.access);
        let broken = match request.send().await {
            Err(_) => true,
            Ok(response) => response.text().await.is_err(),
        };
        assert!(broken);
    }
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_has_rotated_the_token() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    running.advance(86_400);
    let injected = Injected {
        face: Some(Face::QuickBooks),
        company: None,
        path_contains: Some("tokens/bearer".into()),
        skip: 0,
        times: 1,
        fault: Fault::LoseAnswer,
    };
    running.sandbox.write(|state| state.faults.inject(injected));
    let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
    let request = running.http.post(format!("{}/oauth2/v1/tokens/bearer", running.base)).basic_auth("tieout-quickbooks", Some("sandbox-secret"));
    let lost = match request.form(&form).send().await {
        Err(_) => true,
        Ok(response) => response.text().await.is_err(),
    };
    assert!(lost);
    assert_eq!(running.token(&form).await.status, 400);
}
