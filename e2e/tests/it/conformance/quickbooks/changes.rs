//! Change data capture.

use serde_json::{Value, json};

use super::{Company, Needs, company, fault, ids, names, new_name};

async fn changed(company: &Company, entities: &str, since: &str) -> Vec<Value> {
    let body = company.found(&format!("cdc?entities={entities}&changedSince={since}")).await;
    assert!(body["time"].is_string());
    body["CDCResponse"][0]["QueryResponse"].as_array().expect("a list of groups").clone()
}

/// The provider's own time, some seconds ago: clocks differ.
async fn a_moment_ago(company: &Company, secs: i64) -> jiff::Timestamp {
    let time = company.found(&format!("companyinfo/{}", company.company)).await["time"].as_str().expect("a time").to_owned();
    time.parse::<jiff::Timestamp>().expect("a time with its offset") - jiff::SignedDuration::from_secs(secs)
}

// quickbooks facts 64, 69 and 70
#[tokio::test]
async fn groups_come_in_the_order_asked_oldest_changes_first_and_at_most_a_thousand() {
    let Some(company) = company(Needs::Reading).await else { return };
    let future = a_moment_ago(&company, -86_000).await;
    assert_eq!(changed(&company, "Invoice,account,Estimate", &future.to_string()).await, [json!({}), json!({}), json!({})]);
    let since = a_moment_ago(&company, 29 * 86_400).await;
    let groups = changed(&company, "INVOICE,customer", &since.to_string()).await;
    assert_eq!(groups.len(), 2);
    let mut objects = 0;
    for (group, entity) in groups.iter().zip(["Invoice", "Customer"]) {
        let rows = group.get(entity).and_then(Value::as_array).cloned().unwrap_or_default();
        objects += rows.len();
        let living: Vec<&str> =
            rows.iter().filter(|row| row.get("status").is_none()).map(|row| row["MetaData"]["LastUpdatedTime"].as_str().expect("a time")).collect();
        let moments: Vec<jiff::Timestamp> = living.iter().map(|time| time.parse().expect("a time")).collect();
        assert!(moments.is_sorted(), "{entity}");
    }
    assert!(objects <= 1_000);
    // an offset whose plus sign came through as a space
    let zoned = since.in_tz("Europe/Paris").expect("a known zone").strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    assert_eq!(changed(&company, "invoice", &zoned).await.len(), 1);
}

// quickbooks facts 67 and 68
#[tokio::test]
async fn the_window_is_thirty_days_and_some_entities_have_no_changes() {
    let Some(company) = company(Needs::Reading).await else { return };
    let (old, recent) = (a_moment_ago(&company, 31 * 86_400).await, a_moment_ago(&company, 3_600).await);
    let refused = company.get(&format!("cdc?entities=Invoice&changedSince={old}")).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(fault(&refused).1.contains("older than fixed days is not supported."), "{}", refused.text);
    for entity in ["TaxRate", "TaxCode", "TimeActivity"] {
        assert_eq!(company.get(&format!("cdc?entities=Invoice,{entity}&changedSince={recent}")).await.status, 400, "{entity}");
    }
}

// quickbooks facts 65, 66 and 71
#[tokio::test]
async fn deletions_come_as_stubs_after_the_living_and_what_was_made_inactive_comes_whole() {
    let Some(company) = company(Needs::Writing).await else { return };
    let since = a_moment_ago(&company, 2).await.to_string();
    let customer = company.customer().await;
    let (gone, kept) = (company.invoice(&customer, 1_000).await, company.invoice(&customer, 2_000).await);
    let delete = json!({"Id": gone["Id"], "SyncToken": gone["SyncToken"]});
    assert_eq!(company.post("invoice?operation=delete", &delete).await.status, 200);
    let term = company.save("Term", json!({"Name": new_name("Net"), "DueDays": 12})).await;
    let inactive = company.save("Term", json!({"Id": term["Id"], "SyncToken": term["SyncToken"], "sparse": true, "Active": false})).await;
    assert_eq!(inactive["Active"], false);

    let groups = changed(&company, "Invoice,Term", &since).await;
    let invoices = groups[0]["Invoice"].as_array().expect("invoices");
    let place = |id: &Value| ids(invoices).iter().position(|known| known == id.as_str().expect("an id"));
    let (gone_at, kept_at) = (place(&gone["Id"]).expect("the stub"), place(&kept["Id"]).expect("the invoice"));
    assert!(invoices[kept_at]["Line"].is_array() && kept_at < gone_at);
    assert_eq!(names(&invoices[gone_at]), ["Id", "MetaData", "domain", "status"]);
    assert_eq!((&invoices[gone_at]["status"], names(&invoices[gone_at]["MetaData"])), (&"Deleted".into(), vec!["LastUpdatedTime"]));
    let terms = groups[1]["Term"].as_array().expect("terms");
    let shown = terms.iter().find(|shown| shown["Id"] == term["Id"]).expect("the term");
    assert!(shown["Active"] == false && shown.get("status").is_none() && shown["DueDays"] == 12, "{shown}");
}

// quickbooks facts 41 and 62
#[tokio::test]
async fn a_new_transaction_touches_its_customer_without_a_new_sync_token_and_shifts_the_pages() {
    let Some(company) = company(Needs::Writing).await else { return };
    let customer = company.customer().await;
    let of_customer = format!("WHERE CustomerRef = '{}' ORDERBY MetaData.CreateTime DESC", customer["Id"].as_str().expect("an id"));
    let first = company.invoice(&customer, 1_200).await;
    assert_eq!(ids(&company.rows("Invoice", &format!("{of_customer} STARTPOSITION 1 MAXRESULTS 1")).await), [first["Id"].as_str().expect("an id")]);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let second = company.invoice(&customer, 1_300).await;
    assert_ne!(first["Id"], second["Id"]);
    // what stood on the first page stands on the second now
    assert_eq!(ids(&company.rows("Invoice", &format!("{of_customer} STARTPOSITION 2 MAXRESULTS 1")).await), [first["Id"].as_str().expect("an id")]);
    let touched = company.read("Customer", &customer["Id"]).await;
    assert_eq!(touched["SyncToken"], customer["SyncToken"]);
    let time = |record: &Value| record["MetaData"]["LastUpdatedTime"].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
    assert!(time(&touched) > time(&customer));
}
