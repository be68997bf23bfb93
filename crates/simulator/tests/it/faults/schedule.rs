//! Every misbehaviour by a seed: what the control API can switch on for one call, a schedule can bring by itself.
use super::*;

/// M1 to M27 and F-20 to F-28, F-50 to F-54 as faults of calls; what is no fault of a call is a request that is made meanwhile.
fn faults() -> Vec<(&'static str, Value)> {
    vec![
        ("M1", json!({"kind": "fault_in_ok", "inside": true})),
        ("M1, F-21", json!({"kind": "fault_in_ok"})),
        ("M2", json!({"kind": "html", "status": 200})),
        ("M3, M27", json!({"kind": "html", "status": 503})),
        ("M2", json!({"kind": "html_body"})),
        ("M4, F-20", json!({"kind": "throttle", "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"})),
        ("M4", json!({"kind": "throttle"})),
        ("M5, F-20", json!({"kind": "rate_limit", "problem": "day", "retry_after_secs": 77_000})),
        ("M6, F-24", json!({"kind": "authentication_fault", "status": 500})),
        ("M6", json!({"kind": "unauthorized"})),
        ("M8, F-52", json!({"kind": "false_delete", "records": 1})),
        ("M10, M11", json!({"kind": "cap", "records": 2})),
        ("M19", json!({"kind": "wrong_offset", "minutes": 60})),
        ("M21, F-27", json!({"kind": "lapsed"})),
        ("M24, F-54", json!({"kind": "drift", "drift": {"renamed": {"field": "Id", "to": "Key"}}})),
        ("F-54", json!({"kind": "drift", "drift": {"new_value": {"field": "Id", "value": "x"}}})),
        ("M25", json!({"kind": "cut_off", "after_ms": 5})),
        ("M26", json!({"kind": "count_off", "by": 3})),
        ("M26, F-51", json!({"kind": "page", "how": "first_again"})),
        ("F-51", json!({"kind": "page", "how": "empty"})),
        ("F-53", json!({"kind": "large_records", "bytes": 50_000})),
        ("F-53", json!({"kind": "many_records", "records": 2_000})),
        ("F-21", json!({"kind": "status", "status": 502})),
        ("F-21", json!({"kind": "answer", "status": 418, "body": "short and stout"})),
        ("F-23", json!({"kind": "malformed_json"})),
        ("F-23", json!({"kind": "truncate", "bytes": 20})),
        ("F-23", json!({"kind": "drip", "bytes_per_second": 500_000})),
        ("F-22", json!({"kind": "drop"})),
        ("F-22", json!({"kind": "lose_answer"})),
        ("F-25", json!({"kind": "delay", "ms": 5})),
        ("F-50, M18", json!({"kind": "meanwhile", "requests": []})),
        ("F-23", json!({"kind": "expire_token", "mid_body": true})),
    ]
}

// proves J3
#[tokio::test]
async fn a_seed_brings_each_misbehaviour_to_either_provider_and_to_the_same_calls_again() {
    let running = start().await;
    for (names, fault) in faults() {
        let kind = fault["kind"].as_str().expect("text").to_owned();
        for _ in 0..2 {
            let plan = json!({"seed": 5, "per_thousand": 1_000, "faults": [fault], "at_most": 2});
            running.control("/schedule", plan).await;
            let from = running.look("/requests?limit=1").await["last"].as_u64().expect("a number");
            running.query("SELECT * FROM Invoice MAXRESULTS 5").await;
            running.xero("Invoices?page=1&pageSize=5").await;
            running.query("SELECT * FROM Invoice MAXRESULTS 5").await;
            let entries = running.requests(&format!("?after={from}")).await;
            let hit: Vec<Option<&str>> = entries.iter().map(|entry| entry["fault"].as_str()).collect();
            assert_eq!(hit, [Some(kind.as_str()), Some(kind.as_str()), None], "{names}: {fault}");
            // what a fault did to the tokens is undone, so that the next one meets good ones
            let again = now() + jiff::SignedDuration::from_hours(1);
            running.sandbox.write(|state| state.grants.access.values_mut().for_each(|access| access.expires_at = again));
        }
    }
    running.control("/schedule", json!({"seed": 5, "per_thousand": 1_000, "faults": [{"kind": "invalid_grant"}], "at_most": 1})).await;
    let refused = running.refresh(Face::QuickBooks, &running.quickbooks.refresh).await;
    assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some("invalid_grant")), "M7, F-25");
    assert_eq!(running.refresh(Face::QuickBooks, &running.quickbooks.refresh).await.status, 200);
}

// proves J3
#[tokio::test]
async fn a_seed_changes_books_grants_and_limits_between_two_calls() {
    let running = start().await;
    let (realm, tenant) = (running.realm.clone(), running.tenant.clone());
    let find = |company: &str, wanted: &dyn Fn(&Books) -> Option<u64>| running.sandbox.read(|state| wanted(&state.companies[company]));
    let open = |kind: Kind| {
        move |books: &Books| {
            let free = |id: &u64| books.payments_of(*id).is_empty();
            books.documents.values().filter(|d| d.kind == kind && d.status == simulator::books::Status::Active).map(|d| d.id).find(free)
        }
    };
    let invoice = find(&realm, &open(Kind::Invoice)).expect("an open invoice");
    let bill = find(&realm, &open(Kind::Bill)).expect("an open bill");
    let customers: Vec<u64> = running.sandbox.read(|state| {
        let active = state.companies[&realm].contacts.values().filter(|contact| contact.is_customer && contact.active);
        active.map(|contact| contact.id).take(2).collect()
    });
    let request = |path: String, body: Value| json!({"path": format!("/_control{path}"), "body": body});
    let requests = json!([
        request(format!("/companies/{realm}/documents/{invoice}/void"), json!({})),
        request(format!("/companies/{realm}/documents/{bill}/delete"), json!({})),
        request(format!("/companies/{realm}/contacts/{}/merge", customers[0]), json!({"into": customers[1].to_string()})),
        request(
            "/switches".into(),
            json!({"quickbooks_cdc_omits": ["TimeActivity"], "retired_scopes": ["accounting.transactions.read"], "status_page": "operational"})
        ),
        request("/limits".into(), json!({"quickbooks_concurrent": 10, "xero_most_records": 50})),
        request("/connections/remove".into(), json!({"company": tenant})),
        request("/outages".into(), json!({"secs": 60, "face": "xero"})),
    ]);
    let plan = json!({"seed": 9, "per_thousand": 1_000, "at_most": 1, "faults": [{"kind": "meanwhile", "requests": requests}]});
    running.control("/schedule", plan).await;
    assert_eq!(running.query("SELECT * FROM Invoice MAXRESULTS 1").await.status, 200, "the call itself is answered");
    running.sandbox.read(|state| {
        use simulator::books::Status;
        let books = &state.companies[&realm];
        assert_eq!((books.documents[&invoice].status, books.documents[&bill].status), (Status::Voided, Status::Deleted), "F-50, M13");
        assert!(!books.contacts.contains_key(&customers[0]), "M14");
        assert_eq!(state.faults.switches.quickbooks_cdc_omits, ["TimeActivity"], "M9");
        assert_eq!((state.limits.figures.quickbooks_concurrent, state.limits.figures.xero_most_records), (10, 50), "M5, M17");
        assert!(state.grants.xero_connections.is_empty(), "M20, F-27");
        assert_eq!(state.faults.switches.retired_scopes, ["accounting.transactions.read"], "M23");
    });
    assert_eq!(running.xero("Invoices").await.status, 503, "M27");
}
