//! Who may call, the frame around every answer, and the limits.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::{Company, Needs, company, fault};

// quickbooks fact 1
#[tokio::test]
async fn the_discovery_document_names_every_endpoint() {
    let Some(company) = company(Needs::Reading).await else { return };
    let document = company.discovery().await;
    assert_eq!(document.as_object().expect("an object").len(), 12);
    for endpoint in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "revocation_endpoint", "jwks_uri"] {
        assert!(document[endpoint].as_str().is_some_and(|address| address.starts_with("http")), "{endpoint}");
    }
}

// quickbooks facts 20 and 25
#[tokio::test]
async fn neither_garbage_nor_the_token_of_another_company_opens_it() {
    let Some(company) = company(Needs::Reading).await else { return };
    let call = |realm: &str, token: &str| {
        let address = format!("{}/v3/company/{realm}/companyinfo/{realm}", company.base);
        company.send(company.request(Method::GET, &address).bearer_auth(token).header("accept", "application/json"))
    };
    let garbage = call(&company.company, "garbage").await;
    assert_eq!((garbage.status, fault(&garbage).1.as_str()), (401, "Malformed bearer token: too short or too long"));
    assert_eq!(garbage.header("www-authenticate"), "Bearer realm=\"Intuit\", error=\"invalid_token\"");
    let other = call("9130000000000001", &company.token).await;
    assert!(matches!(other.status, 401 | 403), "{}", other.status);
    assert!(!other.text.contains("CompanyName"));
}

// quickbooks facts 27, 29, 30 and 31
#[tokio::test]
async fn every_answer_has_its_own_trace_id_and_unknown_parameters_change_nothing() {
    let Some(company) = company(Needs::Reading).await else { return };
    let (mut seen, mut records) = (BTreeSet::new(), BTreeSet::new());
    for parameters in ["", "?minorversion=1", "?minorversion=75", "?format=json&&minorversion=75"] {
        let answer = company.get(&format!("companyinfo/{}{parameters}", company.company)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let id = answer.header("intuit_tid");
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert!(parts == [1, 8, 24], "{id}");
        seen.insert(id.to_owned());
        let body = answer.json();
        assert_eq!(super::names(&body), ["CompanyInfo", "time"]);
        // `2025-06-15T11:00:00.000-07:00`
        assert_eq!(body["time"].as_str().map(str::len), Some(29));
        records.insert(body["CompanyInfo"].to_string());
    }
    let refused = company.get("nonsense").await;
    seen.insert(refused.header("intuit_tid").to_owned());
    assert_eq!((seen.len(), records.len()), (5, 1));
}

// quickbooks fact 28
#[tokio::test]
async fn the_answer_comes_as_json_or_as_xml() {
    let Some(company) = company(Needs::Reading).await else { return };
    let path = format!("companyinfo/{}", company.company);
    let json = company.get(&path).await;
    assert!(json.header("content-type").starts_with("application/json"), "{}", json.header("content-type"));
    let xml = company.request(Method::GET, &company.url(&path)).bearer_auth(&company.token).header("accept", "application/xml");
    let xml = company.send(xml).await;
    assert!(xml.header("content-type").starts_with("application/xml"), "{}", xml.header("content-type"));
    assert!(xml.text.contains("<IntuitResponse"), "{}", xml.text);
}

fn check(value: &Value, path: &str, name: &str) {
    match value {
        Value::Null => panic!("null at {path}"),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| check(field, &format!("{path}.{name}"), name)),
        Value::Array(items) => items.iter().for_each(|item| check(item, path, name)),
        Value::String(text) => assert!(!text.is_empty() || name == "value", "an empty text at {path}"),
        Value::Number(_) => assert!(!matches!(name, "Id" | "SyncToken"), "a number at {path}"),
        Value::Bool(_) => {}
    }
}

// quickbooks facts 32, 33 and 34
#[tokio::test]
async fn ids_are_texts_amounts_are_numbers_empty_properties_are_left_out_and_times_follow_the_pacific_summer() {
    let Some(company) = company(Needs::Reading).await else { return };
    let mut offsets = BTreeSet::new();
    for entity in ["Account", "Customer", "Invoice", "Bill", "Payment", "JournalEntry"] {
        for row in company.rows(entity, "MAXRESULTS 200").await {
            check(&row, entity, entity);
            assert!(row["Id"].is_string() && row["SyncToken"].is_string(), "{row}");
            assert_eq!((&row["sparse"], &row["domain"]), (&false.into(), &"QBO".into()), "{row}");
            for amount in ["TotalAmt", "Balance", "CurrentBalance"] {
                assert!(row.get(amount).is_none_or(Value::is_number), "{row}");
            }
            for time in ["CreateTime", "LastUpdatedTime"] {
                let text = row["MetaData"][time].as_str().expect("a time");
                let moment: jiff::Timestamp = text.parse().expect("a time with its offset");
                let zoned = moment.in_tz("America/Los_Angeles").expect("a known zone");
                assert_eq!(text, zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
                offsets.insert(text[19..].to_owned());
            }
        }
    }
    assert!(!offsets.is_empty());
}

// quickbooks facts 35, 36 and 37
#[tokio::test]
async fn wrong_routes_and_ids_are_faults_that_say_so() {
    let Some(company) = company(Needs::Reading).await else { return };
    let route = company.get("nonsense").await;
    let (code, detail) = fault(&route);
    assert_eq!((route.status, code.as_str(), &route.json()["Fault"]["type"]), (400, "500", &"ValidationFault".into()));
    assert!(detail.starts_with("Operation Could not find resource for relative : "), "{detail}");
    let id = company.get("customer/1.5").await;
    assert_eq!((id.status, fault(&id).0.as_str(), &id.json()["Fault"]["Error"][0]["element"]), (400, "2030", &"Id".into()));
    let missing = company.get("invoice/99999999").await;
    let (code, detail) = fault(&missing);
    assert_eq!((missing.status, code.as_str()), (400, "610"));
    assert!(detail.starts_with("Object Not Found : Something you're trying to use has been made inactive."), "{detail}");
}

/// Statuses of so many calls at once.
async fn at_once(company: &Company, count: usize, method: Method, path: &str, body: Option<Value>) -> Vec<u16> {
    let request = || match &body {
        Some(body) => company.call(method.clone(), path).json(body),
        None => company.call(method.clone(), path),
    };
    let answers = company.send_at_once((0..count).map(|_| request()).collect()).await;
    for answer in answers.iter().filter(|answer| answer.status == 429) {
        assert_eq!(fault(answer).0, "3001", "{}", answer.text);
    }
    answers.iter().map(|answer| answer.status).collect()
}

// quickbooks facts 99 and 100
#[tokio::test]
async fn too_many_calls_are_refused_until_a_second_has_passed_and_batches_have_a_minute_of_their_own() {
    let Some(company) = company(Needs::Limits).await else { return };
    let path = format!("companyinfo/{}", company.company);
    // a busy machine may need more than one try to make eleven calls within a second
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.extend(at_once(&company, 60, Method::GET, &path, None).await);
        if statuses.contains(&429) {
            break;
        }
    }
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(company.get(&path).await.status, 200);

    let body = serde_json::json!({"BatchItemRequest": [{"bId": "1", "Query": "select * from CompanyInfo"}]});
    let mut answered = Vec::new();
    for _ in 0..30 {
        // A batch is counted somewhere between its sending and its answer: those sent less than a minute before the refusal arrived were
        // counted in the minute before it, however long a busy machine took.
        let sent = std::time::Instant::now();
        let statuses = at_once(&company, 8, Method::POST, "batch", Some(body.clone())).await;
        answered.extend(statuses.iter().filter(|status| **status == 200).map(|_| sent));
        if statuses.contains(&429) {
            let in_a_minute = answered.iter().filter(|sent| sent.elapsed().as_secs() < 59).count();
            assert!(in_a_minute <= 40, "{in_a_minute} batches were answered");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    }
    panic!("{} batches were answered and none refused", answered.len());
}
