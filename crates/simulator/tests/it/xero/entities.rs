//! What happens to documents, contacts and accounts, as their lists show it.
use super::*;
use simulator::books::{Application, NewDocument, NewLine, Status};
use std::collections::HashMap;

const OPEN_INVOICE: fn(&Books, DocumentId) -> bool =
    |books, id| books.documents[&id].status == Status::Active && books.payments_of(id).is_empty() && books.amount_due(id).0 > 0;

fn pay(books: &mut Books, invoice: DocumentId, amount: Cents, now: Timestamp) -> DocumentId {
    let bank = books.account_of(simulator::books::AccountType::Bank).unwrap();
    let mut payment = NewDocument::new(Kind::Payment, date(2026, 6, 15));
    payment.contact = books.documents[&invoice].contact;
    payment.account = Some(bank);
    payment.applications = vec![Application { document: invoice, amount }];
    books.add_document(payment, now).unwrap()
}

async fn invoice(served: &Served, id: DocumentId) -> Value {
    served.list("Invoices", &format!("Invoices/{}", served.guid("Invoice", id))).await.remove(0)
}

// xero facts 53, 54 and 58
#[tokio::test]
async fn deleted_and_voided_documents_stay_listed() {
    let served = Served::plain().await;
    let open = served.find(&[Kind::Invoice], OPEN_INVOICE);
    served.change(|books, now| books.void(open, now).unwrap());
    let voided = invoice(&served, open).await;
    assert_eq!(voided["Status"], "VOIDED");
    assert_eq!((cents(&voided["AmountDue"]), cents(&voided["AmountPaid"])), (Cents::ZERO, Cents::ZERO));
    assert_eq!(cents(&voided["Total"]), served.books(|books| books.total(&books.documents[&open])));
    assert!(served.all("Invoices", "Invoices").await.iter().any(|i| i["InvoiceID"] == voided["InvoiceID"]));

    let transaction = served.find(&[Kind::Expense, Kind::Deposit], |books, id| books.documents[&id].status == Status::Active);
    served.change(|books, now| books.delete(transaction, now).unwrap());
    let guid = served.guid("BankTransaction", transaction);
    let listed = served.all("BankTransactions", "BankTransactions").await;
    assert_eq!(listed.iter().find(|t| t["BankTransactionID"] == guid.as_str()).unwrap()["Status"], "DELETED");

    let transfer = served.find(&[Kind::Transfer], |books, id| books.documents[&id].status == Status::Active);
    let before = served.list("BankTransfers", "BankTransfers").await.len();
    served.sandbox.clock.advance_ms(60_000);
    served.change(|books, now| books.delete(transfer, now).unwrap());
    assert_eq!(served.list("BankTransfers", "BankTransfers").await.len(), before - 1);
    let all = served.list("BankTransfers", "BankTransfers?includeDeleted=true").await;
    let guid = served.guid("BankTransfer", transfer);
    assert_eq!(all.iter().find(|t| t["BankTransferID"] == guid.as_str()).unwrap()["Status"], "DELETED");
    let since = served.request(Method::GET, "/api.xro/2.0/BankTransfers?includeDeleted=true").header("if-modified-since", "2026-06-15T02:00:30");
    let changed: Value = since.send().await.unwrap().json().await.unwrap();
    assert_eq!(changed["BankTransfers"], serde_json::json!([]), "the header filters by creation: a later deletion is invisible to it");
}

// xero fact 55
#[tokio::test]
async fn archived_contacts_need_include_archived() {
    let served = Served::plain().await;
    let contact = served.books(|books| books.contacts.values().find(|contact| contact.active).unwrap().id);
    let before = served.all("Contacts", "Contacts").await.len();
    served.change(|books, now| books.set_contact_active(contact, false, now).unwrap());
    let active = served.all("Contacts", "Contacts").await;
    assert_eq!(active.len(), before - 1);
    assert!(active.iter().all(|contact| contact["ContactStatus"] == "ACTIVE"));
    let all = served.all("Contacts", "Contacts?includeArchived=true").await;
    let guid = served.guid("Contact", contact);
    assert_eq!(all.iter().find(|c| c["ContactID"] == guid.as_str()).unwrap()["ContactStatus"], "ARCHIVED");
}

// xero facts 60, 61, 62 and 64
#[tokio::test]
async fn a_payment_moves_its_invoice_and_its_deletion_opens_it_again() {
    let served = Served::plain().await;
    let id = served.find(&[Kind::Invoice], OPEN_INVOICE);
    let before = invoice(&served, id).await;
    let contact = before["Contact"]["ContactID"].as_str().unwrap().to_string();
    let contact_before = served.list("Contacts", &format!("Contacts/{contact}")).await;
    served.sandbox.clock.advance_ms(60_000);
    let total = cents(&before["Total"]);
    let payment = served.change(|books, now| pay(books, id, total, now));
    let paid = invoice(&served, id).await;
    assert_eq!(paid["Status"], "PAID");
    assert_eq!((cents(&paid["AmountDue"]), cents(&paid["AmountPaid"])), (Cents::ZERO, total));
    assert_eq!(paid["FullyPaidOnDate"], "/Date(1781481600000+0000)/");
    assert_ne!(paid["UpdatedDateUTC"], before["UpdatedDateUTC"]);
    let payment_guid = served.guid("Payment", payment);
    assert_eq!(paid["Payments"][0]["PaymentID"], payment_guid.as_str());
    let contact_after = served.list("Contacts", &format!("Contacts/{contact}")).await;
    assert_eq!(contact_after[0]["UpdatedDateUTC"], contact_before[0]["UpdatedDateUTC"]);
    assert_ne!(contact_after[0]["Balances"], contact_before[0]["Balances"]);

    let single = served.list("Payments", &format!("Payments/{payment_guid}")).await.remove(0);
    assert_eq!((single["PaymentType"].as_str(), single["Status"].as_str()), (Some("ACCRECPAYMENT"), Some("AUTHORISED")));
    assert_eq!((cents(&single["Amount"]), cents(&single["BankAmount"])), (total, total));
    assert_eq!(single["CurrencyRate"].to_string(), "1.0");
    assert_eq!(single["Invoice"]["InvoiceID"], before["InvoiceID"]);
    let rates: Vec<String> = served.all("Payments", "Payments").await.iter().map(|p| p["CurrencyRate"].to_string()).collect();
    assert!(rates.iter().all(|rate| rate == "0.0" || rate == "1.0") && rates.contains(&"0.0".into()) && rates.contains(&"1.0".into()));

    served.sandbox.clock.advance_ms(60_000);
    served.change(|books, now| books.delete(payment, now).unwrap());
    let reopened = invoice(&served, id).await;
    assert_eq!((reopened["Status"].as_str(), cents(&reopened["AmountDue"])), (Some("AUTHORISED"), total));
    assert_ne!(reopened["UpdatedDateUTC"], paid["UpdatedDateUTC"]);
    let deleted = served.all("Payments", "Payments").await;
    assert_eq!(deleted.iter().find(|p| p["PaymentID"] == payment_guid.as_str()).unwrap()["Status"], "DELETED");
}

// xero fact 69
#[tokio::test]
async fn accounts_have_types_classes_and_system_marks_of_the_spec() {
    let served = Served::with(vec![company(5, true)]).await;
    let classes: HashMap<&str, &str> = HashMap::from([
        ("BANK", "ASSET"),
        ("CURRENT", "ASSET"),
        ("INVENTORY", "ASSET"),
        ("FIXED", "ASSET"),
        ("NONCURRENT", "ASSET"),
        ("CURRLIAB", "LIABILITY"),
        ("TERMLIAB", "LIABILITY"),
        ("EQUITY", "EQUITY"),
        ("REVENUE", "REVENUE"),
        ("OTHERINCOME", "REVENUE"),
        ("DIRECTCOSTS", "EXPENSE"),
        ("EXPENSE", "EXPENSE"),
        ("OVERHEADS", "EXPENSE"),
        ("DEPRECIATN", "EXPENSE"),
    ]);
    let accounts = served.list("Accounts", "Accounts").await;
    for account in &accounts {
        assert_eq!(classes[account["Type"].as_str().unwrap()], account["Class"], "{account}");
        assert_eq!(account["Type"] == "BANK", account.get("CurrencyCode").is_some(), "{account}");
        assert_eq!(account["AccountID"].as_str().unwrap().len(), 36);
    }
    for mark in ["DEBTORS", "CREDITORS", "GST", "RETAINEDEARNINGS", "REALISEDCURRENCYGAIN", "HISTORICAL"] {
        assert_eq!(accounts.iter().filter(|account| account["SystemAccount"] == mark).count(), 1, "{mark}");
    }
    assert!(accounts.iter().any(|account| account["Status"] == "ARCHIVED"), "the generated chart has an archived account");
}

// xero facts 70 and 71
#[tokio::test]
async fn tax_rates_and_the_organisation_say_what_the_ledger_needs() {
    let served = Served::plain().await;
    let rates = served.list("TaxRates", "TaxRates").await;
    let codes: Vec<&str> = rates.iter().map(|rate| rate["TaxType"].as_str().unwrap()).collect();
    assert!(codes.contains(&"NONE") && codes.contains(&"OUTPUT2"), "{codes:?}");
    for invoice in served.list("Invoices", "Invoices?page=1").await {
        for line in invoice["LineItems"].as_array().unwrap() {
            assert!(codes.contains(&line["TaxType"].as_str().unwrap()), "{line}");
        }
    }
    let organisation = served.list("Organisations", "Organisation").await.remove(0);
    assert!(organisation.get("UpdatedDateUTC").is_none());
    assert_eq!((organisation["IsDemoCompany"].as_bool(), organisation["Class"].as_str()), (Some(true), Some("DEMO")));
    assert_eq!((organisation["FinancialYearEndDay"].as_u64(), organisation["FinancialYearEndMonth"].as_u64()), (Some(31), Some(3)));
    assert_eq!((organisation["BaseCurrency"].as_str(), organisation["Version"].as_str()), (Some("NZD"), Some("NZ")));
    assert_eq!(organisation["Timezone"], "NEWZEALANDSTANDARDTIME");
}

#[tokio::test]
async fn lines_taxes_and_payments_of_every_document_add_up() {
    for seed in [4, 5] {
        let served = Served::with(vec![company(seed, true)]).await;
        for path in ["Invoices", "CreditNotes", "BankTransactions"] {
            for document in served.all(path, path).await {
                let sum = |field: &str| document["LineItems"].as_array().unwrap().iter().map(|line| cents(&line[field])).sum::<Cents>();
                assert_eq!(sum("LineAmount"), cents(&document["SubTotal"]), "{document}");
                assert_eq!(sum("TaxAmount"), cents(&document["TotalTax"]), "{document}");
                assert_eq!(cents(&document["SubTotal"]) + cents(&document["TotalTax"]), cents(&document["Total"]));
                for line in document["LineItems"].as_array().unwrap() {
                    let product = i128::from(cents(&line["Quantity"]).0) * i128::from(cents(&line["UnitAmount"]).0);
                    assert_eq!(product, i128::from(cents(&line["LineAmount"]).0) * 100, "{line}");
                }
                if path == "Invoices" && matches!(document["Status"].as_str(), Some("AUTHORISED" | "PAID")) {
                    let settled = cents(&document["AmountPaid"]) + cents(&document["AmountCredited"]);
                    assert_eq!(cents(&document["AmountDue"]) + settled, cents(&document["Total"]), "{document}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_draft_is_listed_and_its_deletion_is_deleted() {
    let served = Served::plain().await;
    let id = served.change(|books, now| {
        let income = books.account_of(simulator::books::AccountType::Income).unwrap();
        let mut draft = NewDocument::new(Kind::Invoice, date(2026, 6, 14));
        draft.status = Status::Draft;
        draft.contact = books.contacts.values().find(|contact| contact.is_customer).map(|contact| contact.id);
        draft.lines = vec![NewLine::new(income, Cents(12_345), "Draft work")];
        books.add_document(draft, now).unwrap()
    });
    let draft = invoice(&served, id).await;
    assert_eq!((draft["Status"].as_str(), cents(&draft["AmountDue"])), (Some("DRAFT"), Cents(12_345)));
    served.change(|books, now| books.delete(id, now).unwrap());
    assert_eq!(invoice(&served, id).await["Status"], "DELETED");
}

// A copy of everything served must equal what the sandbox says it serves.
#[tokio::test]
async fn the_truth_is_what_the_lists_serve() {
    let served = Served::with(vec![company(9, true)]).await;
    let truth = served.books(|books| simulator::xero::truth(books, now()));
    let mut listed: HashMap<(String, String), Value> = HashMap::new();
    for (word, path, id) in [
        ("Organisation", "Organisation", "OrganisationID"),
        ("Account", "Accounts", "AccountID"),
        ("TaxRate", "TaxRates", "TaxType"),
        ("BankTransfer", "BankTransfers?includeDeleted=true", "BankTransferID"),
    ] {
        let key = if word == "Organisation" { "Organisations" } else { path.split('?').next().unwrap() };
        for record in served.list(key, path).await {
            listed.insert((word.into(), record[id].as_str().unwrap().into()), record);
        }
    }
    for (word, path, id) in [
        ("Contact", "Contacts?includeArchived=true", "ContactID"),
        ("Invoice", "Invoices", "InvoiceID"),
        ("CreditNote", "CreditNotes", "CreditNoteID"),
        ("Payment", "Payments", "PaymentID"),
        ("BankTransaction", "BankTransactions", "BankTransactionID"),
        ("ManualJournal", "ManualJournals", "ManualJournalID"),
    ] {
        for record in served.all(path.split('?').next().unwrap(), path).await {
            listed.insert((word.into(), record[id].as_str().unwrap().into()), record);
        }
    }
    assert_eq!(truth.len(), listed.len());
    for record in &truth {
        let key = (record["type"].as_str().unwrap().to_string(), record["id"].as_str().unwrap().to_string());
        assert_eq!(listed.get(&key), Some(&record["body"]), "{key:?}");
    }
    for state in ["active", "archived", "voided", "deleted"] {
        assert!(truth.iter().any(|record| record["state"] == state), "the generated company has something {state}");
    }
}

// xero fact 57
#[tokio::test]
async fn contact_groups_list_the_active_ones_and_their_members_by_id_only() {
    let served = Served::plain().await;
    let groups = served.list("ContactGroups", "ContactGroups").await;
    assert!(!groups.is_empty());
    assert!(groups.iter().all(|group| group["Status"] == "ACTIVE"));
    assert!(groups.iter().all(|group| group["Contacts"].as_array().is_none_or(Vec::is_empty)), "a list tells no members");
    let mut members = 0;
    for group in &groups {
        let alone = served.list("ContactGroups", &format!("ContactGroups/{}", group["ContactGroupID"].as_str().unwrap())).await.remove(0);
        assert_eq!(alone["Name"], group["Name"]);
        members += alone["Contacts"].as_array().map_or(0, Vec::len);
    }
    assert!(members > 0);
}

// xero fact 66
#[tokio::test]
async fn quotes_name_their_amounts_in_capitals_and_their_dates_without_an_offset() {
    let served = Served::plain().await;
    let quotes = served.list("Quotes", "Quotes?page=1").await;
    assert!(!quotes.is_empty());
    for quote in &quotes {
        assert!(matches!(quote["LineAmountTypes"].as_str(), Some("EXCLUSIVE" | "INCLUSIVE" | "NOTAX")), "{quote}");
        let date = quote["Date"].as_str().unwrap();
        assert!(date.starts_with("/Date(") && date.ends_with(")/") && !date.contains('+'), "{date}");
    }
}
