//! Answers that are not what they seem: faults with 200, pages of HTML, refusals with a good token, answers that end too early.
use super::*;
use std::time::Instant;

// M1
#[tokio::test]
async fn a_fault_can_come_with_200_at_the_top_or_inside_the_frame() {
    let running = start().await;
    for (inside, pointer) in [(false, "/Fault/Error/0/code"), (true, "/QueryResponse/Fault/Error/0/code")] {
        running.fault("query", json!({"kind": "fault_in_ok", "inside": inside})).await;
        let answer = running.query("SELECT * FROM Invoice").await;
        assert_eq!((answer.status, answer.json().pointer(pointer).and_then(Value::as_str)), (200, Some("10000")), "{}", answer.text);
    }
    running.fault("Invoices", json!({"kind": "fault_in_ok"})).await;
    let answer = running.xero("Invoices?page=1").await;
    assert_eq!((answer.status, answer.json()["ErrorNumber"].as_u64()), (200, Some(500)));
    assert_eq!(running.xero("Invoices?page=1").await.json()["Status"], "OK", "one call was hit");
}

// M2, M3
#[tokio::test]
async fn a_page_of_html_comes_in_place_of_json_with_200_and_with_503() {
    let running = start().await;
    for status in [200, 503] {
        running.fault("", json!({"kind": "html", "status": status})).await;
        let answer = running.quickbooks("companyinfo/1").await;
        assert_eq!((answer.status, answer.header("content-type")), (status, Some("text/html; charset=utf-8")));
        assert!(answer.text.starts_with("<!DOCTYPE html>") && !answer.text.contains("429"));
        running.fault("", json!({"kind": "html", "status": status})).await;
        assert_eq!(running.xero("Organisation").await.status, status);
    }
}

// M6, F-24
#[tokio::test]
async fn a_good_token_is_refused_now_and_then_and_stays_good() {
    let running = start().await;
    for status in [401, 500] {
        running.fault("", json!({"kind": "authentication_fault", "status": status})).await;
        let answer = running.quickbooks("companyinfo/1").await;
        assert_eq!((answer.status, answer.json().pointer("/fault/error/0/code").and_then(Value::as_str)), (status, Some("3200")));
        assert_eq!(running.quickbooks("companyinfo/1").await.status, 200);
        running.fault("", json!({"kind": "authentication_fault", "status": status})).await;
        assert_eq!(running.xero("Organisation").await.status, status);
        assert_eq!(running.xero("Organisation").await.status, 200);
    }
    running.fault("", json!({"kind": "status", "status": 403})).await;
    assert_eq!(running.quickbooks("companyinfo/1").await.status, 403);
    running.fault("", json!({"kind": "status", "status": 403})).await;
    assert_eq!(running.xero("Organisation").await.status, 403);
}

// M21, F-27
#[tokio::test]
async fn a_lapsed_subscription_refuses_one_company_while_its_tokens_stay_good() {
    let running = start().await;
    for company in [&running.realm, &running.tenant] {
        running.control("/outages", json!({"company": company, "secs": 86_400, "fault": {"kind": "lapsed"}})).await;
    }
    let answer = running.quickbooks("companyinfo/1").await;
    assert_eq!((answer.status, answer.json().pointer("/Fault/Error/0/code").and_then(Value::as_str)), (403, Some("6190")));
    assert_eq!(running.xero("Organisation").await.status, 403);
    assert_eq!(running.refresh(Face::QuickBooks, &running.quickbooks.refresh).await.status, 200, "the token endpoint knows nothing of it");
    running.sandbox.clock.advance_ms(60_000 * 20);
    assert_eq!(running.quickbooks("companyinfo/1").await.status, 403);
    let ended = running.client.delete(format!("{}/_control/outages", running.base)).send().await.expect("an answer");
    assert!(ended.status().is_success());
    assert_eq!(running.quickbooks("companyinfo/1").await.status, 200);
}

// M25
#[tokio::test]
async fn a_request_that_runs_too_long_is_cut_off() {
    let running = start().await;
    running.control("/limits", json!({"quickbooks_longest_ms": 300})).await;
    running.fault("query", json!({"kind": "delay", "ms": 60_000})).await;
    let began = Instant::now();
    let answer = running.query("SELECT * FROM Invoice").await;
    assert_eq!(answer.status, 504);
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    // long enough for an answer on any machine
    running.control("/limits", json!({"quickbooks_longest_ms": 120_000})).await;
    running.fault("query", json!({"kind": "cut_off", "after_ms": 50})).await;
    assert_eq!(running.query("SELECT * FROM Invoice").await.status, 504);
    assert_eq!(running.query("SELECT * FROM Invoice").await.status, 200);
}

// M27
#[tokio::test]
async fn an_outage_lasts_until_its_end_on_the_sandboxs_clock_while_the_status_page_says_all_is_well() {
    let running = start().await;
    running.control("/outages", json!({"face": "quickbooks", "secs": 7_200})).await;
    for _ in 0..3 {
        assert_eq!(running.quickbooks("companyinfo/1").await.status, 503);
        assert_eq!(running.refresh(Face::QuickBooks, &running.quickbooks.refresh).await.status, 503);
        assert_eq!(running.xero("Organisation").await.status, 200, "the other provider is well");
        running.sandbox.clock.advance_ms(500_000);
    }
    let page = send(running.client.get(format!("{}/_status/quickbooks", running.base))).await;
    assert_eq!(page.json()["status"], "operational");
    running.sandbox.clock.advance_ms(7_200_000);
    assert_eq!(running.quickbooks("companyinfo/1").await.status, 401, "the outage is over; the token has run out meanwhile");
    assert_eq!(running.refresh(Face::QuickBooks, &running.quickbooks.refresh).await.status, 200);
    running.control("/switches", json!({"status_page": "major outage"})).await;
    let page = send(running.client.get(format!("{}/_status/xero", running.base))).await;
    assert_eq!((page.json()["status"].as_str(), running.xero("Organisation").await.status), (Some("major outage"), 401));
}

// F-21
#[tokio::test]
async fn every_status_of_a_bad_day_can_be_had_from_both_providers() {
    let running = start().await;
    for status in [500, 502, 503, 504] {
        running.fault("", json!({"kind": "status", "status": status})).await;
        assert_eq!(running.quickbooks("companyinfo/1").await.status, status);
        running.fault("", json!({"kind": "status", "status": status})).await;
        assert_eq!(running.xero("Organisation").await.status, status);
    }
    running.fault("", json!({"kind": "answer", "status": 418, "content_type": "text/plain", "body": "short and stout"})).await;
    let answer = running.xero("Organisation").await;
    assert_eq!((answer.status, answer.text.as_str(), answer.header("content-type")), (418, "short and stout", Some("text/plain")));
}

#[tokio::test]
async fn an_answer_can_end_in_the_middle_come_slowly_or_not_at_all() {
    let running = start().await;
    running.fault("", json!({"kind": "truncate", "bytes": 40})).await;
    let cut = running.quickbooks("companyinfo/1").await;
    assert!(cut.broke, "{}", cut.text);
    for kind in ["drop", "lose_answer"] {
        running.fault("", json!({"kind": kind})).await;
        assert!(running.xero("Organisation").await.broke, "{kind}");
    }
    let whole = running.quickbooks("companyinfo/1").await.text.len();
    running.fault("", json!({"kind": "drip", "bytes_per_second": whole * 2})).await;
    let began = Instant::now();
    let slow = running.quickbooks("companyinfo/1").await;
    assert_eq!((slow.status, slow.text.len()), (200, whole));
    assert!(began.elapsed().as_millis() > 300, "{:?}", began.elapsed());
    running.fault("", json!({"kind": "malformed_json"})).await;
    let answer = running.quickbooks("companyinfo/1").await;
    assert!(answer.status == 200 && serde_json::from_str::<Value>(&answer.text).is_err());
}
