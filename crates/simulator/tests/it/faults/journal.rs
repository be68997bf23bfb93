//! The journal: every request, every byte sent, every token from its issue to its end.
use super::*;

// proves J3 in part
#[tokio::test]
async fn every_request_stands_in_the_journal_with_the_bytes_that_were_sent() {
    let running = start().await;
    let from = running.look("/requests?limit=1").await["last"].as_u64().expect("a number");
    let answer = running.query("SELECT * FROM Invoice MAXRESULTS 20").await;
    let missing = running.xero("Invoices/00000000-0000-4000-8000-000000000000").await;
    running.fault("companyinfo", json!({"kind": "truncate", "bytes": 33})).await;
    assert!(running.quickbooks("companyinfo/1").await.broke);
    let entries = running.requests(&format!("?after={from}")).await;
    let told: Vec<(Option<&str>, Option<u64>)> = entries.iter().map(|entry| (entry["face"].as_str(), entry["status"].as_u64())).collect();
    assert_eq!(told, [(Some("quickbooks"), Some(200)), (Some("xero"), Some(u64::from(missing.status))), (Some("quickbooks"), Some(200))]);
    let length = u64::try_from(answer.text.len()).expect("a length");
    assert_eq!((entries[0]["answer_bytes"].as_u64(), entries[0]["sent_bytes"].as_u64()), (Some(length), Some(length)));
    assert_eq!((entries[2]["sent_bytes"].as_u64(), entries[2]["fault"].as_str()), (Some(33), Some("truncate")));
    assert!(entries[2]["answer_bytes"].as_u64() > Some(33));
    assert!(entries[0]["path"].as_str().is_some_and(|path| path.contains("SELECT+*+FROM+Invoice")), "{}", entries[0]);
    let number = entries[0]["number"].as_u64().expect("a number");
    let sent = send(running.client.get(format!("{}/_control/requests/{number}/answer", running.base))).await;
    assert_eq!(sent.text, answer.text, "byte by byte");
    assert_eq!(running.requests("?fault=any").await.len(), 1);
    assert_eq!(running.requests(&format!("?company={}&after={from}", running.tenant)).await.len(), 1);
    assert_eq!(running.requests(&format!("?status=200&after={from}&path_contains=COMPANYINFO")).await.len(), 1);
    let unknown = send(running.client.get(format!("{}/_control/requests/999999/answer", running.base))).await;
    assert_eq!(unknown.status, 404);
    let refused = send(running.client.get(format!("{}/_control/requests?colour=red", running.base))).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn every_token_is_followed_from_the_request_that_got_it_to_its_end() {
    let running = start().await;
    running.sandbox.clock.advance_ms(25 * 3_600_000);
    let fresh = pair(&running.refresh(Face::QuickBooks, &running.quickbooks.refresh).await).expect("a pair");
    let tokens = running.look("/tokens").await["tokens"].as_array().expect("a list").clone();
    let of = |text: &str| tokens.iter().find(|token| token["token"] == text).unwrap_or_else(|| panic!("{text} is not in the journal")).clone();
    assert_eq!(of(&running.quickbooks.access)["retired"], "expired");
    assert_eq!(of(&running.quickbooks.refresh)["retired"], "rotated");
    assert_eq!((of(&fresh.access)["kind"].as_str(), of(&fresh.refresh)["kind"].as_str()), (Some("access"), Some("refresh")));
    let by = of(&fresh.access)["issued_by"].as_u64().expect("a request");
    let entry = running.requests(&format!("?after={}&limit=1", by - 1)).await[0].clone();
    assert_eq!((entry["number"].as_u64(), entry["path"].as_str()), (Some(by), Some("/oauth2/v1/tokens/bearer")));
    let body = send(running.client.get(format!("{}/_control/requests/{by}/body", running.base))).await;
    assert!(body.text.contains("grant_type=refresh_token"), "{}", body.text);
    let url = format!("{}/v3/company/{}/companyinfo/1", running.base, running.realm);
    assert_eq!(send(running.client.get(url).bearer_auth(&fresh.access)).await.status, 200);
    let last = running.requests("?limit=1").await[0].clone();
    assert_eq!((last["token"].as_u64(), last["client_id"].as_str()), (of(&fresh.access)["number"].as_u64(), Some("tieout-quickbooks")));
}

// proves J3
#[tokio::test]
async fn every_kind_of_fault_can_be_switched_for_both_providers_and_the_journal_tells_that_it_hit() {
    let running = start().await;
    let faults = json!([
        {"kind": "fault_in_ok"}, {"kind": "html", "status": 503}, {"kind": "throttle", "retry_after": "9"}, {"kind": "authentication_fault", "status": 401},
        {"kind": "invalid_grant"}, {"kind": "lapsed"}, {"kind": "answer", "status": 204}, {"kind": "cut_off", "after_ms": 5}, {"kind": "truncate", "bytes": 9},
        {"kind": "drip", "bytes_per_second": 100_000}, {"kind": "false_delete", "records": 1}, {"kind": "cap", "records": 1}, {"kind": "count_off", "by": 1},
        {"kind": "page", "how": "doubled"}, {"kind": "large_records", "bytes": 90_000}, {"kind": "many_records", "records": 3000},
        {"kind": "drift", "drift": {"missing": {"field": "Id"}}}, {"kind": "wrong_offset", "minutes": 60}, {"kind": "meanwhile", "requests": []},
        {"kind": "expire_token"},
    ]);
    for fault in faults.as_array().expect("a list") {
        let kind = fault["kind"].as_str().expect("text");
        running.control("/faults", json!({"times": 2, "fault": fault})).await;
        running.query("SELECT * FROM Invoice MAXRESULTS 5").await;
        running.xero("Invoices?page=1&pageSize=5").await;
        let hit = running.requests(&format!("?fault={kind}")).await;
        let faces: Vec<&str> = hit.iter().filter_map(|entry| entry["face"].as_str()).collect();
        assert_eq!(faces, ["quickbooks", "xero"], "{kind}");
        assert!(running.look("/faults").await["waiting"].as_array().is_some_and(Vec::is_empty), "{kind} was used up");
    }
    let fresh = pair(&running.refresh(Face::QuickBooks, &running.quickbooks.refresh).await).expect("a pair");
    let url = format!("{}/v3/company/{}/companyinfo/1", running.base, running.realm);
    let own = [
        (json!({"kind": "status", "status": 500}), 500),
        (json!({"kind": "unauthorized"}), 401),
        (json!({"kind": "rate_limit", "problem": "minute"}), 429),
        (json!({"kind": "html_body"}), 200),
        (json!({"kind": "malformed_json"}), 200),
        (json!({"kind": "delay", "ms": 5}), 200),
        (json!({"kind": "drop"}), 0),
        (json!({"kind": "lose_answer"}), 0),
    ];
    for (fault, status) in own {
        running.fault("companyinfo", fault.clone()).await;
        let answer = send(running.client.get(&url).bearer_auth(&fresh.access).header("accept", "application/json")).await;
        assert!(answer.status == status || (status == 0 && answer.broke), "{fault}: {}", answer.status);
        assert!(running.look("/faults").await["waiting"].as_array().is_some_and(Vec::is_empty), "{fault} was used up");
    }
}
