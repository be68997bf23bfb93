//! Facts 41, 64-71, 77: change data capture.
use super::*;
use jiff::civil::date;

async fn changed(running: &Running, tokens: &Tokens, entities: &str, since: &str) -> Vec<Value> {
    let answer = running.get(tokens, &format!("cdc?entities={entities}&changedSince={since}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    assert!(body["time"].is_string());
    body["CDCResponse"][0]["QueryResponse"].as_array().expect("a list of groups").clone()
}

// quickbooks facts 64, 65, 66, 70, 71
#[tokio::test]
async fn changes_come_per_entity_in_the_order_asked_with_deletions_last() {
    let company = shop();
    let (first, second, rent) = (company.invoice(date(2025, 6, 2), 1_000), company.invoice(date(2025, 6, 3), 2_000), company.rent);
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    running.advance(60);
    let since = running.sandbox.clock.now().to_string();
    let quiet = changed(&running, &tokens, "Invoice,account,Estimate", &since).await;
    assert_eq!(quiet, [serde_json::json!({}), serde_json::json!({}), serde_json::json!({})]);

    running.advance(60);
    let gone = running.change(SHOP, |books, now| books.add_document(first, now).expect("a good invoice"));
    running.advance(60);
    running.change(SHOP, |books, now| books.delete(gone, now).expect("an open invoice"));
    running.advance(60);
    let kept = running.change(SHOP, |books, now| books.add_document(second, now).expect("a good invoice"));
    running.change(SHOP, |books, now| books.set_account_active(rent, false, now).expect("a plain account"));

    let groups = changed(&running, &tokens, "estimate,INVOICE,Account", &since).await;
    assert_eq!(groups[0], serde_json::json!({}));
    let invoices = groups[1]["Invoice"].as_array().expect("invoices");
    assert_eq!(ids(invoices), [kept.to_string(), gone.to_string()]);
    assert!(invoices[0]["Line"].is_array());
    let mut keys: Vec<&str> = invoices[1].as_object().expect("a stub").keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["Id", "MetaData", "domain", "status"]);
    assert_eq!(invoices[1]["status"], "Deleted");
    assert_eq!(invoices[1]["MetaData"], serde_json::json!({"LastUpdatedTime": "2025-06-15T11:03:00-07:00"}));
    assert_eq!((&groups[1]["startPosition"], &groups[1]["maxResults"]), (&1.into(), &2.into()));
    let accounts = groups[2]["Account"].as_array().expect("accounts");
    let archived = accounts.iter().find(|account| account["Id"] == rent.to_string().as_str()).expect("the archived account");
    assert_eq!((&archived["Active"], &archived["Name"]), (&false.into(), &"Rent (deleted)".into()));
    assert!(archived.get("status").is_none());
}

// quickbooks facts 67, 68, 70
#[tokio::test]
async fn the_window_is_thirty_days_and_some_entities_have_no_changes() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    for since in ["2025-05-17", "2025-05-16T18:00:00Z", "2025-05-16T20:00:00+02:00", "2025-05-16T20:00:00%2B02:00"] {
        assert_eq!(running.get(&tokens, &format!("cdc?entities=Invoice%2CCustomer&changedSince={since}")).await.status, 200, "{since}");
    }
    for (query, code, detail) in [
        ("entities=Invoice&changedSince=2025-05-16T17:59:59Z", "500", "older than fixed days is not supported."),
        ("entities=Invoice,TaxRate&changedSince=2025-06-01", "500", "entity TaxRate is not supported"),
        ("entities=Unicorn&changedSince=2025-06-01", "500", "entity Unicorn is not supported"),
        ("entities=Invoice&changedSince=never", "2030", "Supplied value:never"),
        ("entities=Invoice", "2020", "changedSince"),
        ("changedSince=2025-06-01", "2020", "entities"),
    ] {
        let answer = running.get(&tokens, &format!("cdc?{query}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{query}");
        assert!(answer.detail().contains(detail), "{}", answer.detail());
    }
    running.sandbox.write(|state| state.faults.switches.quickbooks_cdc_any_age = true);
    assert_eq!(running.get(&tokens, "cdc?entities=Invoice&changedSince=2011-01-01").await.status, 200);
}

// quickbooks fact 69
#[tokio::test]
async fn an_answer_holds_a_thousand_objects_oldest_changes_first() {
    let mut company = shop();
    let document = company.invoice(date(2025, 6, 2), 100);
    let mut last = 0;
    for index in 0..1_005 {
        let at = now() - jiff::SignedDuration::from_secs(2_000 - index);
        last = company.books.add_document(document.clone(), at).expect("a good invoice");
    }
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let groups = changed(&running, &tokens, "Invoice,Customer", "2025-06-15T00:00:00Z").await;
    let invoices = groups[0]["Invoice"].as_array().expect("invoices");
    assert_eq!((invoices.len(), groups[0]["maxResults"].as_u64()), (1_000, Some(1_000)));
    assert!(!ids(invoices).contains(&last.to_string()));
    assert_eq!(groups[1], serde_json::json!({}));
    let times: Vec<&str> = invoices.iter().map(|row| row["MetaData"]["LastUpdatedTime"].as_str().expect("a time")).collect();
    assert!(times.is_sorted());
}

// quickbooks facts 41, 77
#[tokio::test]
async fn a_transaction_touches_its_customer_and_accounts_without_a_new_sync_token() {
    let company = shop();
    let (customer, sales, invoice) = (company.customer.to_string(), company.sales.to_string(), company.invoice(date(2025, 6, 2), 12_345));
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    running.advance(60);
    let since = running.sandbox.clock.now().to_string();
    let id = running.change(SHOP, |books, now| books.add_document(invoice, now).expect("a good invoice"));
    let groups = changed(&running, &tokens, "Customer,Account,Vendor", &since).await;
    let found = &groups[0]["Customer"][0];
    assert_eq!((&found["Id"], &found["SyncToken"], cents(&found["Balance"])), (&customer.as_str().into(), &"0".into(), Cents(12_345)));
    let accounts = groups[1]["Account"].as_array().expect("accounts");
    assert!(ids(accounts).contains(&sales));
    assert!(accounts.iter().all(|account| account["SyncToken"] == "0"));
    assert_eq!(groups[2], serde_json::json!({}));

    running.advance(60);
    running.change(SHOP, |books, now| books.void(id, now).expect("an open invoice"));
    let found = running.get(&tokens, &format!("customer/{customer}")).await.json()["Customer"].clone();
    assert_eq!(cents(&found["Balance"]), Cents::ZERO);
    assert_eq!(found["MetaData"]["LastUpdatedTime"], "2025-06-15T11:02:00-07:00");
}
