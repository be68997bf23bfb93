//! Credit notes, overpayments, prepayments and batch payments, and what they leave in the journals.
use super::writes::{WRITE_SCOPES, an_invoice};
use super::*;
use serde_json::json;
use simulator::books::AccountType::{Bank, Expense, Income};

async fn writable() -> Served {
    let served = Served::with(vec![company(7, true)]).await;
    served.admit(TOKEN, WRITE_SCOPES);
    served
}

/// The last journals, as the API lists them.
async fn journals_after(served: &Served, number: u64) -> Vec<Value> {
    served.list("Journals", &format!("Journals?offset={number}")).await
}

fn last_journal(served: &Served) -> u64 {
    served.books(|books| books.journals.last().unwrap().number)
}

fn account(served: &Served, wanted: simulator::books::AccountType) -> String {
    served.books(|books| books.guid("Account", books.account_of(wanted).unwrap()))
}

// xero facts 68 and 80
#[tokio::test]
async fn an_allocation_nets_to_zero_through_tracking_transfers_and_can_be_taken_back() {
    let served = writable().await;
    let invoice = served.put("Invoices", an_invoice(&served, "ACCREC", "Credited Ltd")).await;
    let mut note = an_invoice(&served, "ACCRECCREDIT", "Credited Ltd");
    note["LineItems"] = json!([{"Description": "Back", "Quantity": 1, "UnitAmount": 30, "AccountCode": served.code_of(Income)}]);
    let note = served.put("CreditNotes", note).await;
    let id = note["CreditNoteID"].as_str().unwrap();
    let before = last_journal(&served);
    let wanted = json!({"Amount": 20, "Date": "2026-06-10", "Invoice": {"InvoiceID": invoice["InvoiceID"]}});
    let allocation = served.put(&format!("CreditNotes/{id}/Allocations"), json!({"Allocations": [wanted]})).await;
    assert_eq!((cents(&allocation["Amount"]), allocation["Date"].as_str()), (Cents(2_000), Some("/Date(1781049600000+0000)/")));

    let journal = journals_after(&served, before).await.remove(0);
    assert_eq!((journal["SourceID"].as_str(), journal["SourceType"].as_str()), (Some(id), Some("ACCRECCREDIT")));
    let accounts = served.list("Accounts", "Accounts").await;
    let marked = |mark: &str| accounts.iter().find(|account| account["SystemAccount"] == mark).unwrap()["AccountID"].clone();
    for (mark, amounts) in [("DEBTORS", [2_000, -2_000]), ("TRACKINGTRANSFERS", [2_000, -2_000])] {
        let lines = journal["JournalLines"].as_array().unwrap().iter().filter(|line| line["AccountID"] == marked(mark));
        assert_eq!(lines.map(|line| cents(&line["NetAmount"]).0).collect::<Vec<_>>(), amounts, "{mark}");
    }
    let path = format!("CreditNotes/{id}");
    let used = served.list("CreditNotes", &path).await.remove(0);
    assert_eq!((used["Allocations"].as_array().unwrap().len(), cents(&used["RemainingCredit"])), (1, Cents(1_000)));
    assert_eq!(used["Allocations"][0]["AllocationID"], allocation["AllocationID"]);
    let too_much = json!({"Allocations": [{"Amount": 10.01, "Invoice": {"InvoiceID": invoice["InvoiceID"]}}]});
    assert_eq!(served.messages(Method::PUT, &format!("{path}/Allocations"), too_much).await, ["Allocation amount exceeds the credit that remains"]);

    let taken = format!("{path}/Allocations/{}", allocation["AllocationID"].as_str().unwrap());
    let (status, answer) = served.send(Method::DELETE, &taken, &json!({})).await;
    assert_eq!((status, answer["IsDeleted"].as_bool()), (200, Some(true)));
    let free = served.list("CreditNotes", &path).await.remove(0);
    assert_eq!((free["Allocations"].as_array().unwrap().len(), cents(&free["RemainingCredit"])), (0, Cents(3_000)));
    assert_eq!(served.send(Method::DELETE, &taken, &json!({})).await.0, 404);
    // what is left of the credit is paid back
    let refund = json!({"CreditNote": {"CreditNoteID": id}, "Account": {"AccountID": account(&served, Bank)}, "Amount": 30, "Date": "2026-06-12"});
    assert_eq!(served.put("Payments", refund).await["PaymentType"], "ARCREDITPAYMENT");
    assert_eq!(served.list("CreditNotes", &path).await[0]["Status"], "PAID");
    served.assert_sound();
}

// xero fact 67
#[tokio::test]
async fn an_overpayment_stands_under_both_endpoints_and_is_used_or_paid_back() {
    let served = writable().await;
    let invoice = served.put("Invoices", an_invoice(&served, "ACCREC", "Pays Twice")).await;
    let before = last_journal(&served);
    let body = json!({"Type": "RECEIVE-OVERPAYMENT", "Contact": {"Name": "Pays Twice"}, "BankAccount": {"AccountID": account(&served, Bank)},
        "Date": "2026-06-03", "Reference": "Twice", "LineItems": [{"Description": "Too much", "LineAmount": 60}]});
    let received = served.put("BankTransactions", body).await;
    let id = received["OverpaymentID"].as_str().unwrap().to_string();
    assert_ne!(received["BankTransactionID"], id.as_str());
    let journal = journals_after(&served, before).await.remove(0);
    assert_eq!((journal["SourceType"].as_str(), journal["SourceID"].as_str()), (Some("AROVERPAYMENT"), Some(id.as_str())));
    let listed = served.all("BankTransactions", "BankTransactions?where=Type==\"RECEIVE-OVERPAYMENT\"").await;
    assert!(listed.iter().any(|transaction| transaction["OverpaymentID"] == id.as_str()));
    let one = served.list("Overpayments", &format!("Overpayments/{id}")).await.remove(0);
    assert_eq!(
        (one["Type"].as_str(), one["LineAmountTypes"].as_str(), cents(&one["RemainingCredit"])),
        (Some("RECEIVE-OVERPAYMENT"), Some("NoTax"), Cents(6_000))
    );
    assert!(served.all("Overpayments", "Overpayments").await.iter().any(|known| known["OverpaymentID"] == id.as_str()));
    assert!(served.list("Overpayments", "Overpayments?References=Twice").await.iter().all(|known| known["Reference"] == "Twice"));

    let use_it = json!({"Amount": 45.5, "Date": "2026-06-10", "Invoice": {"InvoiceID": invoice["InvoiceID"]}});
    let allocation = served.put(&format!("Overpayments/{id}/Allocations"), use_it).await;
    let paid = served.list("Invoices", &format!("Invoices/{}", invoice["InvoiceID"].as_str().unwrap())).await.remove(0);
    assert_eq!((cents(&paid["AmountCredited"]), cents(&paid["AmountDue"])), (Cents(4_550), Cents(6_450)));
    assert_eq!(paid["Overpayments"][0]["OverpaymentID"], id.as_str());
    served.assert_sound();
    let (status, _) = served
        .send(Method::POST, &format!("BankTransactions/{}", received["BankTransactionID"].as_str().unwrap()), &json!({"Status": "DELETED"}))
        .await;
    assert_eq!(status, 400, "it is in use");
    let taken = format!("Overpayments/{id}/Allocations/{}", allocation["AllocationID"].as_str().unwrap());
    assert_eq!(served.send(Method::DELETE, &taken, &json!({})).await.0, 200);
    let refund = json!({"Overpayment": {"OverpaymentID": id}, "Account": {"AccountID": account(&served, Bank)}, "Amount": 60, "Date": "2026-06-14"});
    assert_eq!(served.put("Payments", refund).await["PaymentType"], "AROVERPAYMENTPAYMENT");
    let used = served.list("Overpayments", &format!("Overpayments/{id}")).await.remove(0);
    assert_eq!(
        (used["Status"].as_str(), cents(&used["RemainingCredit"]), used["Payments"].as_array().unwrap().len()),
        (Some("PAID"), Cents::ZERO, 1)
    );
    served.assert_sound();
}

#[tokio::test]
async fn a_prepayment_moves_from_its_accounts_to_the_bill_it_is_used_for() {
    let served = writable().await;
    let (bank, expense) = (account(&served, Bank), account(&served, Expense));
    let rate = served.books(|books| books.tax_rates.iter().find(|rate| rate.for_purchases && rate.basis_points == 1_500).unwrap().code.clone());
    let body = json!({"Type": "SPEND-PREPAYMENT", "Contact": {"Name": "Paid Ahead"}, "BankAccount": {"AccountID": bank}, "Date": "2026-06-03",
        "LineItems": [{"Description": "Deposit", "LineAmount": 100, "AccountID": expense, "TaxType": rate}]});
    let spent = served.put("BankTransactions", body).await;
    let id = spent["PrepaymentID"].as_str().unwrap().to_string();
    assert_eq!(cents(&spent["Total"]), Cents(11_500));
    let mut bill = an_invoice(&served, "ACCPAY", "Paid Ahead");
    bill["LineItems"] = json!([{"Description": "Goods", "LineAmount": 200, "AccountID": expense}]);
    let bill = served.put("Invoices", bill).await;
    let held = |served: &Served| served.books(|books| books.balances_at(date(2030, 1, 1))[&books.account_of(Expense).unwrap()]);
    let before = (held(&served), last_journal(&served));
    served
        .put(&format!("Prepayments/{id}/Allocations"), json!({"Amount": 57.5, "Date": "2026-06-10", "Invoice": {"InvoiceID": bill["InvoiceID"]}}))
        .await;
    assert_eq!(held(&served), before.0 - Cents(5_000), "half of what was paid ahead is no cost of its own any more");
    let journal = journals_after(&served, before.1).await.remove(0);
    assert_eq!((journal["SourceType"].as_str(), journal["JournalDate"].as_str()), (Some("APPREPAYMENT"), Some("/Date(1781049600000)/")));
    let mut nets: Vec<i64> = journal["JournalLines"].as_array().unwrap().iter().map(|line| cents(&line["NetAmount"]).0).collect();
    nets.sort();
    assert_eq!(nets, [-5_000, -750, 5_750]);
    let one = served.list("Prepayments", &format!("Prepayments/{id}")).await.remove(0);
    assert_eq!((cents(&one["RemainingCredit"]), one["Status"].as_str()), (Cents(5_750), Some("AUTHORISED")));
    served.assert_sound();
}

// xero fact 63
#[tokio::test]
async fn a_batch_shows_on_its_payments_and_under_its_id_on_the_invoices() {
    let served = writable().await;
    let mut bills = Vec::new();
    for _ in 0..2 {
        bills.push(served.put("Invoices", an_invoice(&served, "ACCPAY", "In A Batch")).await["InvoiceID"].clone());
    }
    let payments: Vec<Value> = bills.iter().map(|bill| json!({"Invoice": {"InvoiceID": bill}, "Amount": 110})).collect();
    let body = json!({"Account": {"AccountID": account(&served, Bank)}, "Date": "2026-06-11", "Reference": "Run 7", "Payments": payments});
    let batch = served.put("BatchPayments", json!({"BatchPayments": [body]})).await;
    assert_eq!(
        (batch["Type"].as_str(), cents(&batch["TotalAmount"]), batch["Payments"].as_array().unwrap().len()),
        (Some("PAYBATCH"), Cents(22_000), 2)
    );
    let id = batch["BatchPaymentID"].as_str().unwrap();
    let payment = served.list("Payments", &format!("Payments/{}", batch["Payments"][0]["PaymentID"].as_str().unwrap())).await.remove(0);
    assert_eq!((payment["BatchPaymentID"].as_str(), payment["BatchPayment"]["BatchPaymentID"].as_str()), (Some(id), Some(id)));
    let invoice = served.list("Invoices", &format!("Invoices/{}", bills[0].as_str().unwrap())).await.remove(0);
    assert_eq!((invoice["Status"].as_str(), invoice["Payments"][0]["PaymentID"].as_str()), (Some("PAID"), Some(id)));
    let twice = json!({"Account": {"AccountID": account(&served, Bank)}, "Date": "2026-06-11", "Payments": [{"Invoice": {"InvoiceID": bills[0]}, "Amount": 1}]});
    assert_eq!(served.messages(Method::PUT, "BatchPayments", twice).await, ["Payment amount exceeds the amount outstanding on this document"]);
    let deleted = served.saved(Method::POST, &format!("BatchPayments/{id}"), "BatchPayments", json!({"Status": "DELETED"})).await;
    assert_eq!(deleted["Status"], "DELETED");
    let open = served.list("Invoices", &format!("Invoices/{}", bills[0].as_str().unwrap())).await.remove(0);
    assert_eq!((open["Status"].as_str(), cents(&open["AmountDue"])), (Some("AUTHORISED"), Cents(11_000)));
    served.assert_sound();
}
