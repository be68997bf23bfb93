//! What happens in the books behind a client's back: deletions, merges, silent changes, changes between pages, changes that show late.
use super::*;

// M12
#[tokio::test]
async fn inactive_names_are_left_out_until_asked_for() {
    let running = start().await;
    let active = running.rows("Customer", "MAXRESULTS 1000").await;
    assert!(active.iter().all(|row| row["Active"] == true));
    let all = running.rows("Customer", "WHERE Active IN (true, false) MAXRESULTS 1000").await;
    assert!(all.len() > active.len());
    let archived = running.list("Contacts", "?includeArchived=true&page=1&pageSize=1000").await.len();
    assert!(archived > running.list("Contacts", "?page=1&pageSize=1000").await.len());
}

// M13
#[tokio::test]
async fn a_deleted_transaction_vanishes_and_a_deleted_name_is_only_inactive_and_renamed() {
    let running = start().await;
    let invoice = running.an_invoice(Face::QuickBooks);
    running.control(&format!("/companies/{}/documents/{invoice}/delete", running.realm), json!({})).await;
    assert!(running.rows("Invoice", &format!("WHERE Id = '{invoice}'")).await.is_empty());
    assert_eq!(running.quickbooks(&format!("invoice/{invoice}")).await.status, 400);
    running.control(&format!("/companies/{}/contacts", running.realm), json!({"name": "Brief Encounter", "customer": true})).await;
    running.control(&format!("/companies/{}/contacts/Brief%20Encounter/archive", running.realm), json!({})).await;
    let gone = running.rows("Customer", "WHERE Active = false MAXRESULTS 1000").await;
    assert!(gone.iter().any(|row| row["DisplayName"] == "Brief Encounter (deleted)"), "{gone:?}");
}

// M14
#[tokio::test]
async fn of_two_merged_customers_one_disappears_and_its_documents_move_without_a_new_time() {
    let running = start().await;
    let company = format!("/companies/{}", running.realm);
    let balances = running.look(&format!("{company}/trial_balance")).await;
    let rows = running.rows("Invoice", "ORDERBY Id MAXRESULTS 1000").await;
    let from = rows[0]["CustomerRef"]["value"].as_str().expect("an id").to_owned();
    let other = rows.iter().find(|row| row["CustomerRef"]["value"] != from.as_str()).expect("another customer");
    let into = other["CustomerRef"]["value"].as_str().expect("an id").to_owned();
    running.control(&format!("{company}/contacts/{from}/merge"), json!({"into": into})).await;
    assert_ne!(running.quickbooks(&format!("customer/{from}")).await.status, 200);
    let after = running.rows("Invoice", "ORDERBY Id MAXRESULTS 1000").await;
    assert_eq!(after[0]["CustomerRef"]["value"], into.as_str());
    assert_eq!(after[0]["MetaData"]["LastUpdatedTime"], rows[0]["MetaData"]["LastUpdatedTime"]);
    assert_eq!(running.look(&format!("{company}/trial_balance")).await, balances);
    let accounts = (running.rows("Account", "WHERE AcctNum = '6300'").await, running.rows("Account", "WHERE AcctNum = '6400'").await);
    let (office, travel) = (accounts.0[0]["Id"].as_str().expect("an id"), accounts.1[0]["Id"].as_str().expect("an id"));
    running.control(&format!("{company}/accounts/6300/merge"), json!({"into": "6400"})).await;
    assert_ne!(running.quickbooks(&format!("account/{office}")).await.status, 200);
    let merged = running.look(&format!("{company}/trial_balance")).await;
    let balance = |answer: &Value, id: &str| -> i64 {
        let rows = answer["accounts"].as_array().expect("a list");
        let text = rows.iter().find(|row| row["id"] == id).map_or("0.00", |row| row["balance"].as_str().expect("text"));
        simulator::money::Cents::parse(text).expect("an amount").0
    };
    assert_eq!(balance(&merged, travel), balance(&balances, office) + balance(&balances, travel));
    assert_ne!(balance(&balances, office), 0);
    let sum: i64 = merged["accounts"].as_array().expect("a list").iter().map(|row| balance(&merged, row["id"].as_str().expect("an id"))).sum();
    assert_eq!(sum, 0);
    let contacts = running.list("Contacts", "?page=1&pageSize=1000").await;
    let customers: Vec<&str> = contacts.iter().filter(|row| row["IsCustomer"] == true).filter_map(|row| row["ContactID"].as_str()).collect();
    running.control(&format!("/companies/{}/contacts/{}/merge", running.tenant, customers[0]), json!({"into": customers[1]})).await;
    let gone = running.list("Contacts", &format!("/{}", customers[0])).await;
    assert_eq!((gone[0]["ContactStatus"].as_str(), gone[0]["MergedToContactID"].as_str()), (Some("ARCHIVED"), Some(customers[1])));
}

// M15
#[tokio::test]
async fn some_changes_do_not_move_the_modified_time() {
    let running = start().await;
    let invoice = running.an_invoice(Face::Xero);
    let guid = running.sandbox.read(|state| state.companies[&running.tenant].guid("Invoice", invoice));
    let before = running.list("Invoices", &format!("/{guid}")).await[0].clone();
    running.control(&format!("/companies/{}/documents/{invoice}/edit", running.tenant), json!({"memo": "sent again", "quiet": true})).await;
    let after = running.list("Invoices", &format!("/{guid}")).await[0].clone();
    assert_eq!((after["Reference"].as_str(), &after["UpdatedDateUTC"]), (Some("sent again"), &before["UpdatedDateUTC"]));
    running.control(&format!("/companies/{}/documents/{invoice}/edit", running.tenant), json!({"memo": "loudly"})).await;
    assert_ne!(running.list("Invoices", &format!("/{guid}")).await[0]["UpdatedDateUTC"], before["UpdatedDateUTC"]);
}

// M18, F-52
#[tokio::test]
async fn a_change_shows_late_with_the_time_at_which_it_was_made() {
    let running = start().await;
    running.control("/switches", json!({"visible_after_secs": 30})).await;
    let customer = running.rows("Customer", "WHERE Active = true").await[0]["DisplayName"].clone();
    let body = json!({"kind": "invoice", "number": "LATE-1", "contact": customer, "lines": [{"account": "4000", "amount": "5"}]});
    let answer = running.control(&format!("/companies/{}/documents", running.realm), body).await;
    assert_eq!(answer["visible_at"], "2025-06-15T12:00:30Z");
    running.sandbox.clock.advance_ms(29_000);
    assert!(running.rows("Invoice", "WHERE DocNumber = 'LATE-1'").await.is_empty());
    running.sandbox.clock.advance_ms(2_000);
    let shown = running.rows("Invoice", "WHERE DocNumber = 'LATE-1'").await;
    let changed: Timestamp = shown[0]["MetaData"]["LastUpdatedTime"].as_str().and_then(|text| text.parse().ok()).expect("a time");
    assert_eq!(changed, now(), "older than a mark that was set a moment ago");
}

// F-50
#[tokio::test]
async fn records_change_between_two_pages_and_within_one_second() {
    let running = start().await;
    let invoice = running.an_invoice(Face::QuickBooks);
    let path = format!("/_control/companies/{}", running.realm);
    let customer = running.rows("Customer", "WHERE Active = true").await[0]["DisplayName"].clone();
    let requests = json!([
        {"path": format!("{path}/documents"), "body": {"kind": "invoice", "number": "BETWEEN", "contact": customer, "lines": [{"account": "4000", "amount": "5"}]}},
        {"path": format!("{path}/documents/{invoice}/edit"), "body": {"memo": "changed between pages"}},
        {"path": format!("{path}/documents/{invoice}/void")},
        {"path": format!("{path}/documents/{invoice}/delete")},
    ]);
    running.fault("query", json!({"kind": "meanwhile", "requests": requests})).await;
    let count = |rows: Vec<Value>| rows.len();
    let first = running.rows("Invoice", "STARTPOSITION 1 MAXRESULTS 1000").await;
    assert!(ids(&first).contains(&invoice.to_string()), "the first page was read before the changes");
    assert_eq!(count(running.rows("Invoice", "WHERE DocNumber = 'BETWEEN'").await), 1);
    assert_eq!(count(running.rows("Invoice", &format!("WHERE Id = '{invoice}'")).await), 0);
}
