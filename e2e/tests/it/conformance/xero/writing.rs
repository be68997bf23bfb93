//! What is made, paid, voided, archived, deleted, and how lists show it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Needs, cents, milliseconds, new_name, organisation};

fn find<'a>(records: &'a [Value], name: &str, id: &Value) -> Option<&'a Value> {
    records.iter().find(|record| record[name] == *id)
}

// xero facts 53 and 54
#[tokio::test]
async fn deleted_and_voided_documents_stay_listed() {
    let Some(organisation) = organisation(Needs::Writing).await else { return };
    let invoice = organisation.invoice("ACCREC", 10_000).await;
    let voided = organisation.post("Invoices", json!({"InvoiceID": invoice["InvoiceID"], "Status": "VOIDED"})).await;
    assert_eq!((&voided["Status"], cents(&voided["AmountDue"]), cents(&voided["AmountPaid"])), (&"VOIDED".into(), 0, 0));
    assert_eq!(cents(&voided["Total"]), cents(&invoice["Total"]));
    let mut draft = organisation.document("ACCPAY", 2_000).await;
    draft["Status"] = "DRAFT".into();
    let draft = organisation.put("Invoices", draft).await;
    organisation.post("Invoices", json!({"InvoiceID": draft["InvoiceID"], "Status": "DELETED"})).await;
    let (bank, income) = (organisation.account("BANK").await, organisation.account("REVENUE").await);
    let lines = json!([{"Description": "Cash", "Quantity": 1, "UnitAmount": 12, "AccountCode": income["Code"]}]);
    let body = json!({"Type": "RECEIVE", "Contact": {"Name": new_name("Conformance Contact")}, "BankAccount": {"AccountID": bank["AccountID"]}, "LineAmountTypes": "NoTax", "LineItems": lines});
    let received = organisation.put("BankTransactions", body).await;
    organisation.post("BankTransactions", json!({"BankTransactionID": received["BankTransactionID"], "Status": "DELETED"})).await;

    let ids = format!("IDs={},{}", invoice["InvoiceID"].as_str().expect("an id"), draft["InvoiceID"].as_str().expect("an id"));
    let listed = organisation.list(&format!("Invoices?{ids}")).await;
    for (record, status) in [(&invoice, "VOIDED"), (&draft, "DELETED")] {
        assert_eq!(find(&listed, "InvoiceID", &record["InvoiceID"]).expect("it is listed")["Status"], status);
    }
    let listed = organisation.all("BankTransactions").await;
    assert_eq!(find(&listed, "BankTransactionID", &received["BankTransactionID"]).expect("it is listed")["Status"], "DELETED");
}

// xero facts 55 and 57
#[tokio::test]
async fn archived_contacts_need_include_archived_and_groups_name_their_members_by_id_only() {
    let Some(organisation) = organisation(Needs::Writing).await else { return };
    let contact = organisation.put("Contacts", json!({"Name": new_name("Conformance Contact")})).await;
    let group = organisation.put("ContactGroups", json!({"Name": new_name("Group")})).await;
    let path = format!("ContactGroups/{}", group["ContactGroupID"].as_str().expect("an id"));
    organisation.put(&format!("{path}/Contacts"), json!({"Contacts": [{"ContactID": contact["ContactID"]}]})).await;
    let listed = organisation.list("ContactGroups").await;
    let shown = find(&listed, "ContactGroupID", &group["ContactGroupID"]).expect("it is listed");
    assert!(shown.get("Contacts").is_none_or(|members| *members == json!([])), "{shown}");
    let members = organisation.list(&path).await.remove(0)["Contacts"].clone();
    assert_eq!(members[0]["ContactID"], contact["ContactID"]);
    organisation.post(&path, json!({"Status": "DELETED"})).await;
    assert!(organisation.list("ContactGroups").await.iter().all(|group| group["Status"] == "ACTIVE"));

    organisation.post("Contacts", json!({"ContactID": contact["ContactID"], "ContactStatus": "ARCHIVED"})).await;
    let name = super::encoded("where", &format!("Name==\"{}\"", contact["Name"].as_str().expect("a name")));
    assert!(organisation.list(&format!("Contacts?{name}")).await.is_empty());
    let archived = organisation.list(&format!("Contacts?{name}&includeArchived=true")).await;
    assert_eq!((archived.len(), &archived[0]["ContactStatus"]), (1, &"ARCHIVED".into()));
}

// xero facts 56 and 65
#[tokio::test]
async fn tracking_stands_on_lines_and_archived_categories_are_listed_only_when_asked_for() {
    let Some(organisation) = organisation(Needs::Writing).await else { return };
    let active = organisation.list("TrackingCategories").await;
    assert!(active.iter().all(|category| category["Status"] == "ACTIVE" && category["Options"].is_array()));
    let all = organisation.list("TrackingCategories?includeArchived=true").await;
    assert!(all.len() >= active.len());
    // an organisation has two at most, and people use them
    let category = match active.into_iter().find(|category| category["Options"].as_array().is_some_and(|options| !options.is_empty())) {
        Some(category) => category,
        None => {
            let made = organisation.put("TrackingCategories", json!({"Name": new_name("Region")})).await;
            let path = format!("TrackingCategories/{}", made["TrackingCategoryID"].as_str().expect("an id"));
            organisation.put(&format!("{path}/Options"), json!({"Name": "North"})).await;
            organisation.list(&path).await.remove(0)
        }
    };
    let option = &category["Options"][0];
    let mut body = organisation.document("ACCREC", 1_500).await;
    body["LineItems"][0]["Tracking"] = json!([{"Name": category["Name"], "Option": option["Name"]}]);
    let invoice = organisation.put("Invoices", body).await;
    let id = invoice["InvoiceID"].as_str().expect("an id");
    let listed = organisation.list(&format!("Invoices?IDs={id}&page=1")).await.remove(0)["LineItems"][0]["Tracking"][0].clone();
    assert_eq!(
        listed,
        json!({"Name": category["Name"], "Option": option["Name"], "TrackingCategoryID": category["TrackingCategoryID"], "Options": []})
    );
    let single = organisation.one("Invoices", &invoice["InvoiceID"]).await["LineItems"][0]["Tracking"][0].clone();
    assert_eq!(single["TrackingOptionID"], option["TrackingOptionID"]);
}

// xero fact 58
#[tokio::test]
async fn transfers_are_listed_when_they_stand() {
    let Some(organisation) = organisation(Needs::Writing).await else { return };
    let banks: Vec<Value> = organisation.list("Accounts").await.into_iter().filter(|a| a["Type"] == "BANK" && a["Status"] == "ACTIVE").collect();
    let from = &banks[0];
    let to = banks[1..].iter().find(|to| to["CurrencyCode"] == from["CurrencyCode"]).cloned();
    let to = match to {
        Some(to) => to,
        None => organisation.put("Accounts", json!({"Code": format!("T{}", std::process::id() % 9_000), "Name": new_name("Till"), "Type": "BANK", "BankAccountNumber": "020108-0012345-00"})).await,
    };
    let body = json!({"FromBankAccount": {"AccountID": from["AccountID"]}, "ToBankAccount": {"AccountID": to["AccountID"]}, "Amount": 3, "Date": organisation.day(0)});
    let made = organisation.put("BankTransfers", json!({"BankTransfers": [body]})).await;
    let listed = organisation.list("BankTransfers").await;
    assert!(find(&listed, "BankTransferID", &made["BankTransferID"]).is_some());
    assert!(listed.iter().all(|transfer| transfer.get("Status").is_none_or(|status| status == "AUTHORISED")), "no deleted ones");
    assert!(organisation.list("BankTransfers?includeDeleted=true").await.len() >= listed.len());
    let later = organisation.call(Method::GET, "BankTransfers").header("if-modified-since", "2099-01-01T00:00:00");
    assert_eq!(organisation.send(later).await.json()["BankTransfers"], json!([]));
}

// xero fact 59
#[tokio::test]
async fn a_deleted_item_leaves_no_trace() {
    let Some(organisation) = organisation(Needs::Writing).await else { return };
    let code: String = new_name("I").chars().filter(char::is_ascii_alphanumeric).collect();
    let item = organisation.put("Items", json!({"Code": code, "Name": "A box"})).await;
    let path = format!("Items/{}", item["ItemID"].as_str().expect("an id"));
    assert!(find(&organisation.list("Items").await, "ItemID", &item["ItemID"]).is_some());
    assert_eq!(organisation.send(organisation.call(Method::DELETE, &path)).await.status, 204);
    assert!(find(&organisation.list("Items").await, "ItemID", &item["ItemID"]).is_none());
    assert_eq!(organisation.get(&path).await.status, 404);
}

// xero facts 60, 61, 62 and 64
#[tokio::test]
async fn a_payment_moves_its_invoice_and_its_deletion_opens_it_again() {
    let Some(organisation) = organisation(Needs::Writing).await else { return };
    let made = organisation.invoice("ACCREC", 8_000).await;
    let before = organisation.one("Invoices", &made["InvoiceID"]).await;
    let contact = organisation.one("Contacts", &before["Contact"]["ContactID"]).await;
    // times have whole seconds at some providers' doors
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let payment = organisation.pay(&before, 8_000).await;
    let paid = organisation.one("Invoices", &made["InvoiceID"]).await;
    assert_eq!((&paid["Status"], cents(&paid["AmountDue"]), cents(&paid["AmountPaid"])), (&"PAID".into(), 0, 8_000));
    assert!(paid["FullyPaidOnDate"].is_string() && milliseconds(&paid["UpdatedDateUTC"]) > milliseconds(&before["UpdatedDateUTC"]), "{paid}");
    assert_eq!(organisation.one("Contacts", &before["Contact"]["ContactID"]).await["UpdatedDateUTC"], contact["UpdatedDateUTC"]);
    let single = organisation.one("Payments", &payment["PaymentID"]).await;
    assert_eq!((&single["Status"], single["CurrencyRate"].as_f64()), (&"AUTHORISED".into(), Some(1.0)));

    let path = format!("Payments/{}", payment["PaymentID"].as_str().expect("an id"));
    organisation.post(&path, json!({"Status": "DELETED"})).await;
    let reopened = organisation.one("Invoices", &made["InvoiceID"]).await;
    assert_eq!((&reopened["Status"], cents(&reopened["AmountDue"])), (&"AUTHORISED".into(), 8_000));
    let of_invoice = super::encoded("where", &format!("Invoice.InvoiceID==Guid(\"{}\")", made["InvoiceID"].as_str().expect("an id")));
    let listed = organisation.list(&format!("Payments?{of_invoice}")).await;
    assert_eq!(find(&listed, "PaymentID", &payment["PaymentID"]).expect("it is listed")["Status"], "DELETED");
}

// xero fact 63
#[tokio::test]
async fn a_batch_shows_on_its_payments_and_under_its_id_on_the_bills() {
    let Some(organisation) = organisation(Needs::Writing).await else { return };
    let bank = organisation.account("BANK").await;
    let mut payments = Vec::new();
    for cents in [1_000, 2_000] {
        let bill = organisation.invoice("ACCPAY", cents).await;
        payments.push(json!({"Invoice": {"InvoiceID": bill["InvoiceID"]}, "Amount": cents / 100}));
    }
    let body = json!({"Account": {"AccountID": bank["AccountID"]}, "Date": organisation.day(0), "Reference": "Run 7", "Payments": payments});
    let batch = organisation.put("BatchPayments", json!({"BatchPayments": [body]})).await;
    assert_eq!((&batch["Type"], cents(&batch["TotalAmount"])), (&"PAYBATCH".into(), 3_000));
    let payment = organisation.one("Payments", &batch["Payments"][0]["PaymentID"]).await;
    assert_eq!((&payment["BatchPaymentID"], &payment["BatchPayment"]["BatchPaymentID"]), (&batch["BatchPaymentID"], &batch["BatchPaymentID"]));
    let bill = organisation.one("Invoices", &payments[0]["Invoice"]["InvoiceID"]).await;
    assert_eq!((&bill["Status"], &bill["Payments"][0]["PaymentID"]), (&"PAID".into(), &batch["BatchPaymentID"]));
}

// xero fact 66
#[tokio::test]
async fn quotes_name_their_amounts_in_capitals_and_their_dates_without_an_offset() {
    let Some(organisation) = organisation(Needs::Writing).await else { return };
    let income = organisation.account("REVENUE").await;
    let lines = json!([{"Description": "Rope", "Quantity": 1, "UnitAmount": 5, "AccountCode": income["Code"]}]);
    let body = json!({"Contact": {"Name": new_name("Conformance Contact")}, "Date": organisation.day(0), "LineAmountTypes": "EXCLUSIVE", "LineItems": lines});
    let quote = organisation.put("Quotes", body).await;
    assert_eq!(quote["LineAmountTypes"], "EXCLUSIVE");
    assert!(quote["Date"].as_str().is_some_and(|date| date.starts_with("/Date(") && !date.contains('+')), "{quote}");
}

// xero facts 67 and 68
#[tokio::test]
async fn an_overpayment_stands_under_both_endpoints_and_its_allocation_can_be_taken_back() {
    let Some(organisation) = organisation(Needs::Writing).await else { return };
    let bank = organisation.account("BANK").await;
    let invoice = organisation.invoice("ACCREC", 10_000).await;
    let body = json!({
        "Type": "RECEIVE-OVERPAYMENT", "Contact": {"ContactID": invoice["Contact"]["ContactID"]}, "BankAccount": {"AccountID": bank["AccountID"]},
        "Date": organisation.day(0), "LineItems": [{"Description": "Too much", "LineAmount": 60}],
    });
    let received = organisation.put("BankTransactions", body).await;
    let id = received["OverpaymentID"].clone();
    assert!(id.is_string() && received["BankTransactionID"] != id, "{received}");
    let one = organisation.one("Overpayments", &id).await;
    assert_eq!((&one["Type"], cents(&one["RemainingCredit"])), (&"RECEIVE-OVERPAYMENT".into(), 6_000));
    let path = format!("Overpayments/{}/Allocations", id.as_str().expect("an id"));
    let body = json!({"Allocations": [{"Amount": 45, "Date": organisation.day(0), "Invoice": {"InvoiceID": invoice["InvoiceID"]}}]});
    let allocation = organisation.put(&path, body).await;
    let used = organisation.one("Overpayments", &id).await;
    assert_eq!((used["Allocations"].as_array().map(Vec::len), cents(&used["RemainingCredit"])), (Some(1), 1_500));
    let taken = format!("{path}/{}", allocation["AllocationID"].as_str().expect("an id"));
    assert_eq!(organisation.send(organisation.call(Method::DELETE, &taken)).await.status, 200);
    let free = organisation.one("Overpayments", &id).await;
    assert_eq!((free["Allocations"].as_array().map(Vec::len), cents(&free["RemainingCredit"])), (Some(0), 6_000));
}
