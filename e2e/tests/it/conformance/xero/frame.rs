//! Headers, envelope, errors, limits.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::{Needs, organisation};

// xero facts 24 and 25
#[tokio::test]
async fn json_is_asked_for_and_comes_in_the_envelope() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let answer = organisation.get("Organisation").await;
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    let body = answer.json();
    assert_eq!((&body["Status"], body["Id"].as_str().map(str::len)), (&"OK".into(), Some(36)));
    assert!(body["ProviderName"].is_string());
    let time = body["DateTimeUTC"].as_str().expect("a time");
    assert!(time.starts_with("/Date(") && time.ends_with(")/") && !time.contains('+'), "{time}");
    let address = format!("{}/api.xro/2.0/Organisation", organisation.base);
    let bare = organisation.request(Method::GET, &address).bearer_auth(&organisation.token).header("xero-tenant-id", &organisation.company);
    let bare = organisation.send(bare).await;
    assert!(bare.header("content-type").starts_with("text/xml") && bare.text.contains("<Organisation>"), "{}", bare.text);
}

// xero facts 26 and 52
#[tokio::test]
async fn the_tenant_header_and_the_path_are_matched_in_any_case() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let request = |path: &str| {
        let address = format!("{}/api.xro/2.0/{path}", organisation.base);
        organisation.request(Method::GET, &address).bearer_auth(&organisation.token).header("accept", "application/json")
    };
    let upper = organisation.send(request("organisation").header("Xero-Tenant-Id", &organisation.company)).await;
    assert_eq!(upper.status, 200, "{}", upper.text);
    for refused in [request("Organisation"), request("Organisation").header("xero-tenant-id", "c0ffee00-0000-4000-8000-000000000001")] {
        let answer = organisation.send(refused).await;
        assert_eq!((answer.status, &answer.json()["Detail"]), (403, &"AuthenticationUnsuccessful".into()), "{}", answer.text);
    }
}

fn no_null(value: &Value, path: &str) {
    match value {
        Value::Null => panic!("null at {path}"),
        Value::Array(items) => items.iter().for_each(|item| no_null(item, path)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| no_null(field, &format!("{path}.{name}"))),
        _ => {}
    }
}

// xero facts 27, 28 and 29
#[tokio::test]
async fn there_is_no_null_amounts_are_numbers_and_dates_have_their_twins() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    for resource in ["Invoices", "CreditNotes", "BankTransactions", "Payments", "Contacts", "ManualJournals", "Accounts"] {
        for record in organisation.list(&format!("{resource}?page=1")).await {
            no_null(&record, resource);
            for amount in ["Total", "SubTotal", "TotalTax", "AmountDue", "Amount"] {
                assert!(record.get(amount).is_none_or(Value::is_number), "{resource} {amount}: {record}");
            }
            for flag in ["IsReconciled", "HasAttachments", "IsSupplier", "IsCustomer"] {
                assert!(record.get(flag).is_none_or(Value::is_boolean), "{resource} {flag}: {record}");
            }
            if let Some(time) = record.get("UpdatedDateUTC") {
                assert!(time.as_str().is_some_and(|time| time.starts_with("/Date(") && time.ends_with("+0000)/")), "{resource}: {time}");
            }
            if resource == "Invoices" {
                assert_eq!(record["DateString"].as_str().map(str::len), Some("2026-01-31T00:00:00".len()), "{record}");
                assert!(matches!(record["Type"].as_str(), Some("ACCREC" | "ACCPAY")), "{record}");
            }
        }
    }
    for journal in organisation.list("Journals").await {
        assert!(journal["JournalDate"].as_str().is_some_and(|date| !date.contains('T')), "{journal}");
    }
}

// xero facts 43 and 44
#[tokio::test]
async fn unknown_ids_and_methods_are_answered_in_their_own_ways() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let missing = organisation.get("Invoices/00000000-0000-4000-8000-000000000000").await;
    assert_eq!((missing.status, missing.text.as_str()), (404, "The resource you're looking for cannot be found"));
    assert!(missing.header("content-type").starts_with("text/html"));
    let wrong = organisation.send(organisation.call(Method::DELETE, "Invoices")).await;
    assert_eq!((wrong.status, &wrong.json()["ErrorNumber"]), (501, &20.into()), "{}", wrong.text);
}

// xero fact 45
#[tokio::test]
async fn every_answer_counts_what_is_left() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let mut left = Vec::new();
    for _ in 0..2 {
        let answer = organisation.get("Organisation").await;
        let number = |name: &str| answer.header(name).parse::<i64>().unwrap_or_else(|_| panic!("no {name}"));
        assert!(number("x-minlimit-remaining") >= 0 && number("x-appminlimit-remaining") >= 0);
        left.push(number("x-daylimit-remaining"));
    }
    assert!(left[1] <= left[0], "{left:?}");
    let request = organisation.request(Method::GET, &format!("{}/connections", organisation.base)).bearer_auth(&organisation.token);
    let answer = organisation.send(request).await;
    assert!(!answer.header("x-appminlimit-remaining").is_empty() && answer.header("x-minlimit-remaining").is_empty());
}

// xero fact 46
#[tokio::test]
async fn the_sixty_first_call_of_a_minute_is_refused() {
    let Some(organisation) = organisation(Needs::Limits).await else { return };
    let mut good = 0;
    for _ in 0..62 {
        let answers = organisation.send_at_once(vec![organisation.call(Method::GET, "Organisation")]).await;
        match answers[0].status {
            200 => good += 1,
            429 => {
                assert_eq!(answers[0].header("x-rate-limit-problem"), "minute");
                let wait: u64 = answers[0].header("retry-after").parse().expect("seconds");
                assert!((1..=60).contains(&wait) && good <= 60, "{wait} s after {good} calls");
                return;
            }
            other => panic!("{other}: {}", answers[0].text),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{good} calls in a minute were answered");
}
