//! BankTransactions and BankTransfers.
//!
//! Contract: providers/xero.md 6.13 and 6.14.
use super::json::Object;
use super::{Detail, advances, contacts, dates, lines};
use crate::books::{Books, Document, Kind, Status};

/// RECEIVE for money in, SPEND for money out.
pub fn transaction_type(books: &Books, document: &Document) -> &'static str {
    let received = matches!(document.kind, Kind::SalesReceipt | Kind::Deposit);
    match (received, books.advance(document.id).map(|advance| advance.is_prepayment)) {
        (true, None) => "RECEIVE",
        (true, Some(true)) => "RECEIVE-PREPAYMENT",
        (true, Some(false)) => "RECEIVE-OVERPAYMENT",
        (false, None) => "SPEND",
        (false, Some(true)) => "SPEND-PREPAYMENT",
        (false, Some(false)) => "SPEND-OVERPAYMENT",
    }
}

/// AUTHORISED or DELETED.
pub fn status(document: &Document) -> &'static str {
    match document.status {
        Status::Active | Status::Draft => "AUTHORISED",
        Status::Voided | Status::Deleted => "DELETED",
    }
}

pub fn transaction(books: &Books, document: &Document, detail: Detail) -> String {
    let object = Object::new().text("BankTransactionID", &books.guid("BankTransaction", document.id));
    let object = match books.advance(document.id).map(advances::word) {
        Some(word) => object.text(&format!("{word}ID"), &books.guid(word, document.id)),
        None => object,
    };
    let object = match document.account.and_then(|id| books.accounts.get(&id)) {
        Some(account) => object.raw("BankAccount", &lines::embedded_account(books, account, true)),
        None => object,
    };
    let object = object
        .text("Type", transaction_type(books, document))
        .maybe("Reference", Some(document.memo.as_str()).filter(|text| !text.is_empty()))
        .flag("IsReconciled", books.xero.reconciled.contains(&document.id))
        .when(document.currency != books.currency, |object| object.number("CurrencyRate", lines::currency_rate(document.rate)))
        .flag("HasAttachments", false)
        .when(detail == Detail::Single, |object| object.raw("Attachments", "[]"));
    let object = match document.contact.and_then(|id| contacts::embedded(books, id, detail)) {
        Some(contact) => object.raw("Contact", &contact),
        None => object,
    };
    let object = dates::twins(object, "Date", document.date)
        .text("Status", status(document))
        .text("LineAmountTypes", lines::amount_types(books, document))
        .list("LineItems", &lines::line_items(books, document, detail));
    lines::totals(object, books, document).raw("UpdatedDateUTC", &dates::ms_time(document.updated_at)).text("CurrencyCode", &document.currency).end()
}

/// A transfer has no UpdatedDateUTC: CreatedDateUTC is its only timestamp.
pub fn transfer(books: &Books, document: &Document) -> String {
    let account = |id: Option<u64>| id.and_then(|id| books.accounts.get(&id)).map(|account| lines::embedded_account(books, account, true));
    let object = Object::new()
        .text("BankTransferID", &books.guid("BankTransfer", document.id))
        .text("CreatedDateUTCString", &dates::time_string(document.created_at)[..19])
        .raw("CreatedDateUTC", &dates::ms_time(document.created_at));
    let mut object = dates::twins(object, "Date", document.date).text("Status", status(document));
    for (name, id) in [("FromBankAccount", document.account), ("ToBankAccount", document.to_account)] {
        if let Some(account) = account(id) {
            object = object.raw(name, &account);
        }
    }
    object
        .money("Amount", books.total(document))
        .text("FromBankTransactionID", &books.guid("FromBankTransaction", document.id))
        .text("ToBankTransactionID", &books.guid("ToBankTransaction", document.id))
        .flag("FromIsReconciled", books.xero.reconciled.contains(&document.id))
        .flag("ToIsReconciled", books.xero.reconciled.contains(&document.id))
        .text("Reference", &document.memo)
        .number("CurrencyRate", lines::currency_rate(document.rate))
        .flag("HasAttachments", false)
        .end()
}
