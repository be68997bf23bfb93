//! Pages, filters, changes, and what lists leave out.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Needs, Organisation, encoded, milliseconds, organisation};

// xero facts 30 and 31
#[tokio::test]
async fn changes_since_a_time_are_found_in_every_spelling_and_some_lists_ignore_it() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let since = async |path: &str, time: &str| {
        let answer = organisation.send(organisation.call(Method::GET, path).header("if-modified-since", time)).await;
        assert_eq!(answer.status, 200, "{path} {time}: {}", answer.text);
        answer.json()
    };
    for time in ["2099-01-01T00:00:00", "2099-01-01T00:00:00.000Z", "2099-01-01T00:00:00+00:00", "Thu, 01 Jan 2099 00:00:00 GMT"] {
        for resource in ["Accounts", "Contacts", "Invoices", "Payments"] {
            assert_eq!(since(resource, time).await[resource], json!([]), "{resource} {time}");
        }
        assert_eq!(since("Organisation", time).await["Organisations"].as_array().map(Vec::len), Some(1));
    }
    assert!(!since("Accounts", "2000-01-01T00:00:00").await["Accounts"].as_array().expect("a list").is_empty());
}

// xero facts 32, 33, 34, 35 and 36
#[tokio::test]
async fn pages_count_clamp_and_end_empty() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let first = organisation.found("Invoices?page=1").await;
    let pagination = &first["pagination"];
    let number = |name: &str| pagination[name].as_u64().unwrap_or_else(|| panic!("no {name} in {pagination}"));
    assert_eq!((number("page"), number("pageSize"), number("pageCount")), (1, 100, number("itemCount").div_ceil(100)));
    let beyond = number("pageCount") + 1_000;
    let end = organisation.found(&format!("Invoices?page={beyond}")).await;
    assert_eq!((&end["Invoices"], &end["pagination"]["page"]), (&json!([]), &beyond.into()));
    assert_eq!(organisation.found("Invoices?page=1&pageSize=5000").await["pagination"]["pageSize"], 1_000);
    assert!(organisation.found("PurchaseOrders").await["pagination"].is_object());
    let accounts = organisation.found("Accounts?page=2&pageSize=1").await;
    assert!(accounts.get("pagination").is_none() && accounts["Accounts"].as_array().is_some_and(|all| all.len() > 1));
    assert!(organisation.found("Organisation").await.get("pagination").is_none());
}

// xero fact 37
#[tokio::test]
async fn pages_come_by_time_and_repeat_nothing() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let (mut ids, mut times) = (Vec::new(), Vec::new());
    for page in 1..=4 {
        for record in organisation.list(&format!("Contacts?page={page}&pageSize=20&includeArchived=true")).await {
            times.push(milliseconds(&record["UpdatedDateUTC"]));
            ids.push(record["ContactID"].as_str().expect("an id").to_owned());
        }
    }
    assert!(!ids.is_empty() && times.is_sorted(), "{times:?}");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

// xero facts 38 and 39
#[tokio::test]
async fn what_is_present_depends_on_the_call() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    for resource in ["Invoices", "CreditNotes"] {
        let unpaged = organisation.list(resource).await;
        assert!(unpaged.iter().all(|record| record["LineItems"] == json!([])), "{resource}");
    }
    let paged = organisation.list("Invoices?page=1").await.remove(0);
    assert!(!paged["LineItems"].as_array().expect("lines").is_empty() && paged["Contact"].get("ContactStatus").is_none(), "{paged}");
    let single = organisation.one("Invoices", &paged["InvoiceID"]).await;
    assert!(single["Contact"]["ContactStatus"].is_string() && single["Total"] == paged["Total"], "{single}");
    let summary = organisation.found("Invoices?summaryOnly=true").await;
    assert!(summary["pagination"].is_object());
    assert!(summary["Invoices"][0].get("LineItems").is_none() && summary["Invoices"][0].get("Payments").is_none());
}

// xero facts 40, 41 and 42
#[tokio::test]
async fn conditions_ids_and_orders_select() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let some = organisation.list("Invoices?page=1&pageSize=1000").await;
    for condition in [r#"Status=="PAID""#, r#"Status="PAID""#] {
        let found = organisation.list(&format!("Invoices?{}&page=1", encoded("where", condition))).await;
        assert!(found.iter().all(|invoice| invoice["Status"] == "PAID"), "{condition}");
        assert_eq!(found.is_empty(), !some.iter().any(|invoice| invoice["Status"] == "PAID"), "{condition}");
    }
    let wrong = organisation.get(&format!("Invoices?{}", encoded("where", r#"Colour=="red""#))).await;
    assert_eq!((wrong.status, &wrong.json()["ErrorNumber"], &wrong.json()["Type"]), (400, &16.into(), &"QueryParseException".into()));
    let id = |at: usize| some[at]["InvoiceID"].as_str().expect("an id").to_owned();
    let named = organisation.list(&format!("Invoices?IDs={},{}", id(0), id(some.len() - 1))).await;
    assert_eq!(named.len(), if some.len() == 1 { 1 } else { 2 });
    assert_eq!(organisation.get("Invoices?IDs=12,13").await.status, 400);
    let newest = organisation.list("Invoices?order=Date%20DESC&page=1").await;
    let days: Vec<i64> = newest.iter().map(|invoice| milliseconds(&invoice["Date"])).collect();
    assert!(days.is_sorted_by(|left, right| left >= right), "{days:?}");
}

// xero facts 69, 70 and 71
#[tokio::test]
async fn accounts_tax_rates_and_the_organisation_say_what_a_ledger_needs() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    const CLASSES: [(&str, &str); 18] = [
        ("BANK", "ASSET"),
        ("CURRENT", "ASSET"),
        ("INVENTORY", "ASSET"),
        ("FIXED", "ASSET"),
        ("NONCURRENT", "ASSET"),
        ("PREPAYMENT", "ASSET"),
        ("CURRLIAB", "LIABILITY"),
        ("LIABILITY", "LIABILITY"),
        ("TERMLIAB", "LIABILITY"),
        ("PAYGLIABILITY", "LIABILITY"),
        ("EQUITY", "EQUITY"),
        ("REVENUE", "REVENUE"),
        ("SALES", "REVENUE"),
        ("OTHERINCOME", "REVENUE"),
        ("DIRECTCOSTS", "EXPENSE"),
        ("EXPENSE", "EXPENSE"),
        ("OVERHEADS", "EXPENSE"),
        ("DEPRECIATN", "EXPENSE"),
    ];
    for account in organisation.list("Accounts").await {
        let class = CLASSES.iter().find(|(kind, _)| account["Type"] == *kind).map(|(_, class)| *class);
        assert_eq!(account["Class"].as_str(), class, "{account}");
        assert!(account.get("SystemAccount").is_none_or(Value::is_string), "{account}");
    }
    for rate in organisation.list("TaxRates").await {
        assert!(rate["TaxType"].as_str().is_some_and(|kind| kind.bytes().all(|one| one.is_ascii_uppercase() || one.is_ascii_digit())), "{rate}");
    }
    let all = organisation.found("Organisation").await["Organisations"].as_array().expect("a list").clone();
    let [one] = all.as_slice() else { panic!("{} organisations", all.len()) };
    assert!(one.get("UpdatedDateUTC").is_none() && one["IsDemoCompany"].is_boolean() && one["Class"].is_string(), "{one}");
    assert!(one["IsDemoCompany"] == false || one["Class"] == "DEMO", "{one}");
}

async fn of_user(organisation: &Organisation, path: &str) -> Value {
    let address = format!("{}{path}", organisation.base);
    let answer = organisation.send(organisation.request(Method::GET, &address).bearer_auth(&organisation.token)).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

// xero facts 17, 18, 19, 20 and 23
#[tokio::test]
async fn connections_are_a_bare_list_in_any_case_and_name_their_tenant() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let all = of_user(&organisation, "/connections").await;
    for path in ["/Connections", "/connections/"] {
        assert_eq!(of_user(&organisation, path).await, all, "{path}");
    }
    let all = all.as_array().expect("a bare list").clone();
    for connection in &all {
        assert!(["id", "authEventId", "tenantId", "tenantType", "tenantName"].iter().all(|name| connection[name].is_string()), "{connection}");
        for name in ["createdDateUtc", "updatedDateUtc"] {
            let text = connection[name].as_str().expect("a time");
            assert!(text.split('.').nth(1).is_some_and(|fraction| fraction.len() == 7 && !fraction.ends_with('Z')), "{text}");
        }
    }
    let mine = all.iter().find(|connection| connection["tenantId"] == organisation.company.as_str()).expect("the connection under test");
    let event = mine["authEventId"].as_str().expect("an id");
    let of_event = of_user(&organisation, &format!("/connections?authEventId={event}")).await;
    assert!(of_event.as_array().expect("a list").iter().all(|connection| connection["authEventId"] == event));
    let shown = organisation.found("Organisation").await["Organisations"][0]["OrganisationID"].clone();
    assert_eq!(shown, organisation.company.as_str());
}
