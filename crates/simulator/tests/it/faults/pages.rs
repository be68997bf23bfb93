//! Lists that lie: change data capture, pages, counts, and records that are not as documented.
use super::*;

// M8, F-52
#[tokio::test]
async fn change_data_capture_shows_a_live_record_as_deleted() {
    let running = start().await;
    let entity = |answer: Answer| answer.json().pointer("/CDCResponse/0/QueryResponse/0/Invoice").cloned().expect("invoices");
    let before = entity(running.changes("Invoice").await);
    running.fault("cdc", json!({"kind": "false_delete", "records": 1})).await;
    let lied = entity(running.changes("Invoice").await);
    assert_eq!((lied[0]["status"].as_str(), &lied[0]["Id"]), (Some("Deleted"), &before[0]["Id"]));
    assert_eq!(lied[0]["MetaData"]["LastUpdatedTime"], before[0]["MetaData"]["LastUpdatedTime"]);
    assert!(lied[1]["TotalAmt"].is_number(), "only one lie was asked for: {}", lied[1]);
    let id = before[0]["Id"].as_str().expect("an id");
    assert_eq!(running.rows("Invoice", &format!("WHERE Id = '{id}'")).await.len(), 1, "the record lives");
}

// M9
#[tokio::test]
async fn change_data_capture_keeps_some_entities_to_itself() {
    let running = start().await;
    let both = running.changes("Account,Invoice").await.json();
    assert!(both.pointer("/CDCResponse/0/QueryResponse/0/Account").is_some());
    running.control("/switches", json!({"quickbooks_cdc_omits": ["Account"]})).await;
    let fewer = running.changes("Account,Invoice").await.json();
    assert_eq!(fewer.pointer("/CDCResponse/0/QueryResponse/0"), Some(&json!({})));
    assert_eq!(fewer.pointer("/CDCResponse/0/QueryResponse/1/Invoice"), both.pointer("/CDCResponse/0/QueryResponse/1/Invoice"));
}

// M10, F-52
#[tokio::test]
async fn change_data_capture_ends_at_1000_objects_or_sooner_and_looks_back_30_days() {
    let running = start().await;
    let path = format!("/companies/{}/documents", running.realm);
    let customer = running.rows("Customer", "WHERE Active = true").await[0]["DisplayName"].clone();
    running.control(&path, json!({"kind": "invoice", "contact": customer, "repeat": 1_100, "lines": [{"account": "4000", "amount": "5"}]})).await;
    let count = |answer: &Answer| answer.json().pointer("/CDCResponse/0/QueryResponse/0/Invoice").and_then(Value::as_array).map(Vec::len);
    assert_eq!(count(&running.changes("Invoice").await), Some(1_000));
    running.fault("cdc", json!({"kind": "cap", "records": 7})).await;
    let capped = running.changes("Invoice").await;
    assert_eq!(count(&capped), Some(7));
    let answer = running.quickbooks("cdc?entities=Invoice&changedSince=2025-05-01T00:00:00Z").await;
    assert_eq!(answer.status, 400, "{}", answer.text);
}

// M11
#[tokio::test]
async fn a_query_without_a_size_gives_100_rows() {
    let running = start().await;
    let customer = running.rows("Customer", "WHERE Active = true").await[0]["DisplayName"].clone();
    let body = json!({"kind": "invoice", "contact": customer, "repeat": 150, "lines": [{"account": "4000", "amount": "5"}]});
    running.control(&format!("/companies/{}/documents", running.realm), body).await;
    assert_eq!(running.rows("Invoice", "").await.len(), 100);
}

// M16
#[tokio::test]
async fn xero_writes_dates_as_milliseconds_and_reads_whole_seconds_only() {
    let running = start().await;
    let invoices = running.list("Invoices", "?page=1").await;
    let written = invoices[0]["UpdatedDateUTC"].as_str().expect("text");
    assert!(written.starts_with("/Date(") && written.ends_with("+0000)/"), "{written}");
    let newest = |rows: &[Value]| -> i64 {
        let ms = |row: &Value| row["UpdatedDateUTC"].as_str().and_then(|text| text[6..].split('+').next()?.parse::<i64>().ok());
        rows.iter().filter_map(ms).max().expect("times")
    };
    let rest = "?page=1&order=UpdatedDateUTC%20DESC";
    let at = newest(&running.list("Invoices", rest).await);
    let since = Timestamp::from_second(at / 1000).expect("a time").strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let request = running.client.get(format!("{}/api.xro/2.0/Invoices{rest}", running.base)).bearer_auth(&running.xero.access);
    let request = request.header("xero-tenant-id", &running.tenant).header("accept", "application/json").header("if-modified-since", since);
    let found = send(request).await.json()["Invoices"].as_array().expect("a list").clone();
    assert_eq!(newest(&found), at, "whole seconds never hide the newest record");
}

// M17
#[tokio::test]
async fn xero_refuses_more_records_at_once_than_its_limit_and_gives_them_in_pages() {
    let running = start().await;
    running.control("/limits", json!({"xero_most_records": 120})).await;
    let refused = running.xero("Invoices").await;
    assert_eq!((refused.status, refused.json()["Type"].as_str()), (400, Some("ValidationException")), "{}", refused.text);
    assert_eq!(running.list("Invoices", "?page=1").await.len(), 100);
}

// M19, F-43
#[tokio::test]
async fn times_around_a_clock_change_carry_the_wrong_offset() {
    let running = start().await;
    let time = |rows: Vec<Value>| rows[0]["MetaData"]["LastUpdatedTime"].as_str().expect("text").to_owned();
    let rest = "ORDERBY Id MAXRESULTS 1";
    let right = time(running.rows("Invoice", rest).await);
    running.fault("query", json!({"kind": "wrong_offset", "minutes": 60})).await;
    let wrong = time(running.rows("Invoice", rest).await);
    let moment = |text: &str| text.parse::<Timestamp>().expect("a time").as_second();
    assert_eq!((&right[..19], moment(&right) - moment(&wrong)), (&wrong[..19], 3_600));
}

// M26
#[tokio::test]
async fn the_count_and_the_pages_disagree() {
    let running = start().await;
    let count = |answer: Answer| answer.json()["QueryResponse"]["totalCount"].as_i64().expect("a count");
    let right = count(running.query("SELECT COUNT(*) FROM Invoice").await);
    running.fault("query", json!({"kind": "count_off", "by": -5})).await;
    assert_eq!(count(running.query("SELECT COUNT(*) FROM Invoice").await), right - 5);
    let items = |answer: Answer| answer.json()["pagination"]["itemCount"].as_i64().expect("a count");
    let right = items(running.xero("Invoices?page=1").await);
    running.fault("Invoices", json!({"kind": "count_off", "by": 3})).await;
    assert_eq!(items(running.xero("Invoices?page=1").await), right + 3);
}

// M26, F-51
#[tokio::test]
async fn the_first_page_comes_again_and_again() {
    let running = start().await;
    let first = ids(&running.rows("Invoice", "ORDERBY Id STARTPOSITION 1 MAXRESULTS 10").await);
    let path = json!({"path_contains": "query", "times": 3, "fault": {"kind": "page", "how": "first_again"}});
    running.control("/faults", path).await;
    for start in [11, 21, 31] {
        assert_eq!(ids(&running.rows("Invoice", &format!("ORDERBY Id STARTPOSITION {start} MAXRESULTS 10")).await), first);
    }
    assert_ne!(ids(&running.rows("Invoice", "ORDERBY Id STARTPOSITION 11 MAXRESULTS 10").await), first);
    let first = running.list("Invoices", "?page=1&pageSize=10").await;
    running.fault("Invoices", json!({"kind": "page", "how": "first_again"})).await;
    assert_eq!(running.list("Invoices", "?page=2&pageSize=10").await, first);
}

// F-51
#[tokio::test]
async fn pages_come_doubled_turned_round_short_and_empty() {
    let running = start().await;
    let rest = "ORDERBY Id MAXRESULTS 10";
    let right = ids(&running.rows("Invoice", rest).await);
    let turned: Vec<String> = right.iter().rev().cloned().collect();
    let doubled: Vec<String> = right.iter().chain(&right).cloned().collect();
    for (how, expected) in [("doubled", doubled), ("reversed", turned), ("short", right[..5].to_vec()), ("empty", Vec::new())] {
        running.fault("query", json!({"kind": "page", "how": how})).await;
        assert_eq!(ids(&running.rows("Invoice", rest).await), expected, "{how}");
    }
    assert_eq!(ids(&running.rows("Invoice", rest).await), right);
}

// F-53
#[tokio::test]
async fn records_of_ten_megabytes_pages_of_sixty_and_a_million_small_records_can_be_had() {
    let running = start().await;
    running.fault("query", json!({"kind": "large_records", "bytes": 10_000_000})).await;
    let large = running.query("SELECT * FROM Invoice MAXRESULTS 3").await;
    assert!((10_000_000..10_100_000).contains(&large.text.len()), "{}", large.text.len());
    assert_eq!(large.json()["QueryResponse"]["Invoice"].as_array().map(Vec::len), Some(3));
    running.fault("Invoices", json!({"kind": "large_records", "bytes": 601_000, "every": true})).await;
    let page = running.xero("Invoices?page=1").await;
    assert!(page.text.len() > 60_000_000, "{}", page.text.len());
    running.fault("query", json!({"kind": "many_records", "records": 1_000_000})).await;
    let many = running.query("SELECT * FROM Customer MAXRESULTS 1").await;
    assert_eq!(many.text.matches("\"Id\":\"").count(), 1_000_000);
}

// M24, F-54
#[tokio::test]
async fn records_drift_from_their_documentation() {
    let running = start().await;
    let first = |rows: Vec<Value>| rows[0].clone();
    let rest = "ORDERBY Id MAXRESULTS 1";
    let right = first(running.rows("Invoice", rest).await);
    let drift = |drift: Value| json!({"kind": "drift", "drift": drift});
    running.fault("query", drift(json!({"renamed": {"field": "TotalAmt", "to": "TotalAmount"}}))).await;
    let renamed = first(running.rows("Invoice", rest).await);
    assert_eq!((renamed.get("TotalAmt"), &renamed["TotalAmount"]), (None, &right["TotalAmt"]));
    running.fault("query", drift(json!({"missing": {"field": "SyncToken"}}))).await;
    assert_eq!(first(running.rows("Invoice", rest).await).get("SyncToken"), None);
    running.fault("query", drift(json!({"changed_type": {"field": "TotalAmt"}}))).await;
    assert_eq!(first(running.rows("Invoice", rest).await)["TotalAmt"].as_str(), Some(right["TotalAmt"].to_string().as_str()));
    running.fault("Invoices", drift(json!({"new_value": {"field": "Status", "value": "QUARANTINED"}}))).await;
    assert_eq!(first(running.list("Invoices", "?page=1").await)["Status"], "QUARANTINED");
    assert_eq!(first(running.rows("Invoice", rest).await), right);
}

// M24
#[tokio::test]
async fn a_page_that_was_good_a_moment_ago_is_refused_in_the_middle_of_a_sync() {
    let running = start().await;
    running.fault("page=2", json!({"kind": "status", "status": 400})).await;
    assert_eq!(running.xero("Invoices?page=1&pageSize=50").await.status, 200);
    assert_eq!(running.xero("Invoices?page=2&pageSize=50").await.status, 400);
}
