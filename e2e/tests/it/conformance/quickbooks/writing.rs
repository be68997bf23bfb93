//! What is created, changed, voided, deleted and refused.

use serde_json::{Value, json};

use super::{Needs, cents, company, names, new_name, purchase, sale};

// quickbooks facts 38, 39, 40 and 42
#[tokio::test]
async fn updates_need_the_newest_version_and_known_properties() {
    let Some(company) = company(Needs::Writing).await else { return };
    let customer = company.customer().await;
    let invoice = company.invoice(&customer, 10_000).await;
    let body = json!({"CustomerRef": {"value": customer["Id"]}, "Horn": true});
    assert_eq!(company.refused("invoice", &body).await.0, "2010");
    let update = |token: &Value, note: &str| json!({"Id": invoice["Id"], "SyncToken": token, "sparse": true, "PrivateNote": note});
    let changed = company.save("Invoice", update(&invoice["SyncToken"], "first")).await;
    assert_ne!(changed["SyncToken"], invoice["SyncToken"]);
    assert_eq!(company.refused("invoice", &update(&invoice["SyncToken"], "late")).await.0, "5010");
    let again = company.save("Invoice", changed.clone()).await;
    assert_eq!((&again["SyncToken"], &again["MetaData"]["LastUpdatedTime"]), (&changed["SyncToken"], &changed["MetaData"]["LastUpdatedTime"]));
    assert_eq!(company.refused("customer", &json!({"DisplayName": customer["DisplayName"]})).await.0, "6240");
}

// quickbooks facts 53 and 56
#[tokio::test]
async fn an_apostrophe_is_found_when_escaped_and_a_stock_number_only_when_named() {
    let Some(company) = company(Needs::Writing).await else { return };
    let name = new_name("Amy's Bird Sanctuary");
    let customer = company.save("Customer", json!({"DisplayName": name})).await;
    let found = company.rows("Customer", &format!("WHERE DisplayName = '{}'", name.replace('\'', "\\'"))).await;
    assert_eq!(found.iter().map(|row| &row["Id"]).collect::<Vec<_>>(), [&customer["Id"]]);
    let income = company.account("Income").await;
    let item = json!({"Name": new_name("Box"), "Type": "Service", "Sku": "B-1", "IncomeAccountRef": {"value": income["Id"]}});
    let item = company.save("Item", item).await;
    let of_item = format!("FROM Item WHERE Id = '{}'", item["Id"].as_str().expect("an id"));
    assert!(company.response(&format!("SELECT * {of_item}")).await["Item"][0].get("Sku").is_none());
    assert_eq!(company.response(&format!("SELECT *, Sku {of_item}")).await["Item"][0]["Sku"], "B-1");
}

// quickbooks facts 75 and 77
#[tokio::test]
async fn a_deleted_invoice_answers_a_stub_and_leaves_no_balance() {
    let Some(company) = company(Needs::Writing).await else { return };
    let customer = company.customer().await;
    let invoice = company.invoice(&customer, 4_200).await;
    assert_eq!(cents(&company.read("Customer", &customer["Id"]).await["Balance"]), 4_200);
    let answer = company.post("invoice?operation=delete", &json!({"Id": invoice["Id"], "SyncToken": invoice["SyncToken"]})).await;
    let body = answer.json();
    assert_eq!(body["Invoice"], json!({"domain": "QBO", "status": "Deleted", "Id": invoice["Id"]}));
    assert!(body["time"].is_string());
    assert_eq!(cents(&company.read("Customer", &customer["Id"]).await["Balance"]), 0);
    assert_eq!(company.get(&format!("invoice/{}", invoice["Id"].as_str().expect("an id"))).await.status, 400);
}

// quickbooks facts 76 and 77
#[tokio::test]
async fn what_is_voided_stays_with_zeros_and_a_note() {
    let Some(company) = company(Needs::Writing).await else { return };
    let customer = company.customer().await;
    let invoice = company.invoice(&customer, 5_000).await;
    let voided = company.post("invoice?operation=void", &json!({"Id": invoice["Id"], "SyncToken": invoice["SyncToken"]})).await;
    let voided = voided.json()["Invoice"].clone();
    assert_eq!((cents(&voided["TotalAmt"]), cents(&voided["Balance"]), &voided["LinkedTxn"]), (0, 0, &json!([])));
    assert!(voided["PrivateNote"].as_str().is_some_and(|note| note.starts_with("Voided")), "{voided}");
    assert_ne!(voided["SyncToken"], invoice["SyncToken"]);
    assert_eq!(cents(&company.read("Customer", &customer["Id"]).await["Balance"]), 0);

    let payment = company.save("Payment", json!({"CustomerRef": {"value": customer["Id"]}, "TotalAmt": 30})).await;
    let body = json!({"Id": payment["Id"], "SyncToken": payment["SyncToken"], "sparse": true});
    let voided = company.post("payment?operation=update&include=void", &body).await;
    assert_eq!(cents(&voided.json()["Payment"]["TotalAmt"]), 0, "{}", voided.text);
}

// quickbooks facts 78 and 79
#[tokio::test]
async fn an_inactive_account_is_renamed_and_a_customer_who_owes_stays_active() {
    let Some(company) = company(Needs::Writing).await else { return };
    let name = new_name("Travel");
    let account = company.save("Account", json!({"Name": name, "AccountType": "Expense", "AccountSubType": "Travel"})).await;
    let inactive = json!({"Id": account["Id"], "SyncToken": account["SyncToken"], "sparse": true, "Active": false});
    let inactive = company.save("Account", inactive).await;
    let shown = format!("{name} (deleted)");
    assert_eq!((inactive["Name"].as_str(), inactive["FullyQualifiedName"].as_str()), (Some(shown.as_str()), Some(shown.as_str())));

    let customer = company.customer().await;
    company.invoice(&customer, 900).await;
    let customer = company.read("Customer", &customer["Id"]).await;
    let body = json!({"Id": customer["Id"], "SyncToken": customer["SyncToken"], "sparse": true, "Active": false});
    let (code, detail) = company.refused("customer", &body).await;
    assert!(code.starts_with('6') && code.len() == 4, "{code}: {detail}");
}

// quickbooks fact 80
#[tokio::test]
async fn a_journal_entry_balances_or_is_refused() {
    let Some(company) = company(Needs::Writing).await else { return };
    let (bank, expense) = (company.account("Bank").await, company.account("Expense").await);
    let side = |kind: &str, amount: i64, account: &Value| {
        let detail = json!({"PostingType": kind, "AccountRef": {"value": account["Id"]}});
        json!({"Amount": amount, "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail})
    };
    let (code, detail) = company.refused("journalentry", &json!({"Line": [side("Debit", 5, &expense), side("Credit", 4, &bank)]})).await;
    assert!(matches!(code.as_str(), "2300" | "6000"), "{code}: {detail}");
    let entry = company.save("JournalEntry", json!({"Line": [side("Debit", 5, &expense), side("Credit", 5, &bank)]})).await;
    assert_eq!(cents(&entry["TotalAmt"]), 0);
}

// quickbooks fact 81
#[tokio::test]
async fn an_invoice_needs_a_customer_and_a_line_and_the_rest_is_filled_in() {
    let Some(company) = company(Needs::Writing).await else { return };
    let (customer, item) = (company.customer().await, company.item().await);
    let made = company.save("Invoice", sale(&customer, &item, 63_900)).await;
    assert!(made["DocNumber"].as_str().is_some_and(|number| !number.is_empty()) && made["DueDate"].is_string(), "{made}");
    assert_eq!(made["Balance"], made["TotalAmt"]);
    let kinds: Vec<&str> = made["Line"].as_array().expect("lines").iter().map(|line| line["DetailType"].as_str().expect("a kind")).collect();
    assert_eq!(kinds, ["SalesItemLineDetail", "SubTotalLineDetail"]);
    assert!(made["Line"][0]["SalesItemLineDetail"]["ItemAccountRef"]["value"].is_string(), "{made}");
}

// quickbooks facts 82, 83 and 84
#[tokio::test]
async fn payments_lower_balances_and_link_both_ways() {
    let Some(company) = company(Needs::Writing).await else { return };
    let customer = company.customer().await;
    let loose = company.save("Payment", json!({"CustomerRef": {"value": customer["Id"]}, "TotalAmt": 25})).await;
    assert_eq!((cents(&loose["UnappliedAmt"]), cents(&loose["TotalAmt"]), &loose["Line"]), (2_500, 2_500, &json!([])));
    assert_eq!(names(&loose["DepositToAccountRef"]), ["value"]);

    let invoice = company.invoice(&customer, 9_000).await;
    let line = json!({"Amount": 40, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]});
    let payment = company.save("Payment", json!({"CustomerRef": {"value": customer["Id"]}, "TotalAmt": 40, "Line": [line]})).await;
    let shown = company.read("Invoice", &invoice["Id"]).await;
    assert_eq!(cents(&shown["Balance"]), 5_000);
    assert!(shown["LinkedTxn"].as_array().expect("links").contains(&json!({"TxnId": payment["Id"], "TxnType": "Payment"})), "{shown}");

    let (vendor, expense, bank) = (company.vendor().await, company.account("Expense").await, company.account("Bank").await);
    let bill = company.save("Bill", purchase(&vendor, &expense, 4_000)).await;
    let body = json!({
        "VendorRef": {"value": vendor["Id"]}, "PayType": "Check", "CheckPayment": {"BankAccountRef": {"value": bank["Id"]}}, "TotalAmt": 40,
        "Line": [{"Amount": 40, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}],
    });
    let paid = company.save("BillPayment", body).await;
    assert_eq!(paid["Line"][0]["LinkedTxn"], json!([{"TxnId": bill["Id"], "TxnType": "Bill"}]));
    assert_eq!(company.read("Bill", &bill["Id"]).await["LinkedTxn"], json!([{"TxnId": paid["Id"], "TxnType": "BillPaymentCheck"}]));
}
