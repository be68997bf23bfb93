//! Tokens: lost answers, false refusals, tokens that end too early, grants that shrink, and many callers at one time.
use super::*;

// M7, F-25
#[tokio::test]
async fn a_good_refresh_token_is_called_invalid_once_and_works_the_next_time() {
    let running = start().await;
    for (face, refresh) in [(Face::QuickBooks, &running.quickbooks.refresh), (Face::Xero, &running.xero.refresh)] {
        running.fault("token", json!({"kind": "invalid_grant"})).await;
        let refused = running.refresh(face, refresh).await;
        assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some("invalid_grant")));
        assert_eq!(running.refresh(face, refresh).await.status, 200);
    }
}

// F-22, F-25
#[tokio::test]
async fn the_answer_of_a_refresh_is_lost_after_the_token_was_rotated() {
    let running = start().await;
    running.fault("token", json!({"kind": "lose_answer"})).await;
    assert!(running.refresh(Face::Xero, &running.xero.refresh).await.broke);
    let tokens = running.look("/tokens").await["tokens"].as_array().expect("a list").clone();
    let old = tokens.iter().find(|token| token["token"] == running.xero.refresh.as_str()).expect("the old token");
    assert_eq!(old["retired"], "rotated");
    let newest = tokens.iter().rfind(|token| token["kind"] == "refresh" && token["face"] == "xero").expect("the new token");
    assert!(newest["retired"].is_null());
    let request = newest["issued_by"].as_u64().expect("a request");
    let entry = running.requests(&format!("?after={}&limit=1000", request - 1)).await[0].clone();
    assert_eq!((entry["number"].as_u64(), entry["sent_bytes"].as_u64()), (Some(request), Some(0)), "it never left: {entry}");
    assert_eq!(running.refresh(Face::Xero, &running.xero.refresh).await.status, 200, "Xero's grace for lost answers");
}

// F-25
#[tokio::test]
async fn a_refresh_is_slow_or_answers_nonsense_and_the_token_stays_good() {
    let running = start().await;
    let refresh = &running.quickbooks.refresh;
    running.fault("token", json!({"kind": "delay", "ms": 400})).await;
    let began = std::time::Instant::now();
    assert_eq!(running.refresh(Face::QuickBooks, refresh).await.status, 200);
    assert!(began.elapsed().as_millis() >= 400);
    for fault in [json!({"kind": "malformed_json"}), json!({"kind": "answer", "status": 200, "body": "{\"access_token\":null}"})] {
        running.fault("token", fault).await;
        let answer = running.refresh(Face::QuickBooks, refresh).await;
        assert!(answer.status == 200 && pair(&answer).is_none(), "{}", answer.text);
        assert_eq!(running.refresh(Face::QuickBooks, refresh).await.status, 200);
    }
}

// F-23
#[tokio::test]
async fn an_access_token_ends_between_two_pages_or_in_the_middle_of_one() {
    let running = start().await;
    running.fault("STARTPOSITION+1+", json!({"kind": "expire_token"})).await;
    assert_eq!(running.rows("Invoice", "STARTPOSITION 1 MAXRESULTS 10").await.len(), 10, "the page itself arrives");
    assert_eq!(running.query("SELECT * FROM Invoice STARTPOSITION 11 MAXRESULTS 10").await.status, 401);
    running.fault("Invoices", json!({"kind": "expire_token", "mid_body": true})).await;
    assert!(running.xero("Invoices?page=1").await.broke);
    assert_eq!(running.xero("Invoices?page=1").await.status, 401);
    let fresh = pair(&running.refresh(Face::Xero, &running.xero.refresh).await).expect("a pair");
    let request = running.client.get(format!("{}/api.xro/2.0/Organisation", running.base)).bearer_auth(fresh.access);
    assert_eq!(send(request.header("xero-tenant-id", &running.tenant).header("accept", "application/json")).await.status, 200);
}

// F-26
#[tokio::test]
async fn sixty_four_callers_that_refresh_in_the_same_moment_are_all_in_the_journal() {
    let running = start().await;
    running.sandbox.clock.advance_ms(25 * 3_600_000);
    let refresh = running.quickbooks.refresh.clone();
    running.fault("token", json!({"kind": "delay", "ms": 200})).await;
    let before = running.look("/requests?limit=1").await["last"].as_u64().expect("a number");
    let answers = futures::future::join_all((0..64).map(|_| running.refresh(Face::QuickBooks, &refresh))).await;
    let good = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(good >= 1, "at least the first is served");
    assert!(good < 64, "after the rotation the old token is dead, so some callers lose");
    let entries = running.requests(&format!("?path_contains=tokens/bearer&after={before}")).await;
    assert_eq!(entries.len(), 64);
    let moment = |entry: &Value, name: &str| entry[name].as_u64().expect("a moment");
    let overlaps =
        entries.iter().any(|a| entries.iter().any(|b| a != b && moment(a, "began") < moment(b, "began") && moment(b, "began") < moment(a, "ended")));
    assert!(overlaps, "the journal tells which calls overlapped");
}

// M20, F-27
#[tokio::test]
async fn one_organisation_is_disconnected_at_the_provider_while_the_grant_lives() {
    let mut other = CompanySpec::plain(Face::Xero, 43, date(2025, 1, 1), date(2025, 6, 14));
    other.name = "The Other One".into();
    let mut running = start_with(vec![books(Face::QuickBooks), books(Face::Xero), generate(Face::Xero, other, now())]).await;
    let first = running.tenant.clone();
    running.tenant = CompanySpec::plain(Face::Xero, 43, date(2025, 1, 1), date(2025, 6, 14)).company_id(Face::Xero);
    running.xero = running.connect(Face::Xero, XERO_SCOPE).await.expect("consent is given");
    running.tenant.clone_from(&first);
    running.xero = running.connect(Face::Xero, XERO_SCOPE).await.expect("consent is given");
    assert_eq!(running.xero("Organisation").await.status, 200);
    assert_eq!(running.control("/connections/remove", json!({"company": first})).await["removed"], 1);
    assert_eq!(running.xero("Organisation").await.status, 403);
    let request = running.client.get(format!("{}/connections", running.base)).bearer_auth(&running.xero.access);
    let left = send(request).await.json();
    assert_eq!((left.as_array().map(Vec::len), left[0]["tenantName"].as_str()), (Some(1), Some("The Other One")));
    assert_eq!(running.refresh(Face::Xero, &running.xero.refresh).await.status, 200, "the grant itself lives");
}

// M22
#[tokio::test]
async fn a_new_consent_of_a_xero_user_covers_the_organisations_of_the_earlier_one() {
    let mut running = start_with(vec![
        books(Face::QuickBooks),
        books(Face::Xero),
        generate(Face::Xero, CompanySpec::plain(Face::Xero, 43, date(2025, 1, 1), date(2025, 6, 14)), now()),
    ])
    .await;
    let first = running.tenant.clone();
    running.tenant = CompanySpec::plain(Face::Xero, 43, date(2025, 1, 1), date(2025, 6, 14)).company_id(Face::Xero);
    running.xero = running.connect(Face::Xero, XERO_SCOPE).await.expect("consent is given");
    running.tenant = first;
    assert_eq!(running.xero("Organisation").await.status, 200, "the newest token set serves the tenants of the earlier consent, too");
}

// M23, F-27
#[tokio::test]
async fn a_retired_scope_is_refused_at_consent_and_lost_at_the_next_refresh() {
    let running = start().await;
    running.control("/switches", json!({"retired_scopes": ["accounting.transactions.read"]})).await;
    let refused = running.connect(Face::Xero, XERO_SCOPE).await.err().expect("the consent is refused");
    assert!(refused.contains("invalid_scope") || refused.contains("400"), "{refused}");
    assert_eq!(running.xero("Invoices?page=1").await.status, 200, "tokens given out keep theirs");
    let answer = running.refresh(Face::Xero, &running.xero.refresh).await;
    assert!(!answer.json()["scope"].as_str().unwrap_or_default().contains("accounting.transactions.read"), "{}", answer.text);
    let fresh = pair(&answer).expect("a pair");
    let request = running.client.get(format!("{}/api.xro/2.0/Invoices?page=1", running.base)).bearer_auth(fresh.access);
    assert_eq!(send(request.header("xero-tenant-id", &running.tenant).header("accept", "application/json")).await.status, 401);
}

// F-27
#[tokio::test]
async fn a_grant_is_revoked_at_the_provider() {
    let running = start().await;
    assert_eq!(running.control("/tokens/revoke", json!({"company": running.realm})).await["revoked"], 1);
    assert_eq!(running.quickbooks("companyinfo/1").await.status, 401);
    assert_eq!(running.refresh(Face::QuickBooks, &running.quickbooks.refresh).await.json()["error"], "invalid_grant");
    let tokens = running.look("/tokens").await;
    let of_realm = tokens["tokens"].as_array().expect("a list").iter().filter(|token| token["companies"][0] == running.realm.as_str());
    assert!(of_realm.clone().count() == 2 && of_realm.clone().all(|token| token["retired"] == "revoked"), "{tokens}");
}
