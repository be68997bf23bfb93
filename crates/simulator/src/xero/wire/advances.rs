//! Prepayments and Overpayments: a second view of bank transactions that are not used up yet.
//!
//! Contract: providers/xero.md 6.15 and 6.16.
use super::json::Object;
use super::{Detail, banking, contacts, dates, invoices, lines};
use crate::books::xero::advances::{Advance, AdvanceAllocation};
use crate::books::{Books, Document, Kind, Status};
use crate::xero::kept::{Entry, View};

pub fn overpayments(books: &Books, view: &View) -> Vec<Entry> {
    records(books, view, false)
}

pub fn prepayments(books: &Books, view: &View) -> Vec<Entry> {
    records(books, view, true)
}

fn records(books: &Books, view: &View, prepayments: bool) -> Vec<Entry> {
    let of_it = books.xero.advances.iter().filter(|(_, advance)| advance.is_prepayment == prepayments);
    let entries = of_it.filter_map(|(id, advance)| {
        let document = books.documents.get(id)?;
        let json = record(books, document, advance, view.detail);
        Some(Entry { id: books.guid(word(advance), *id), number: None, at: document.updated_at, hidden: false, json })
    });
    entries.collect()
}

/// `Overpayment` or `Prepayment`.
pub fn word(advance: &Advance) -> &'static str {
    if advance.is_prepayment { "Prepayment" } else { "Overpayment" }
}

/// AUTHORISED, PAID when used up, VOIDED with its bank transaction.
pub fn status(books: &Books, document: &Document) -> &'static str {
    match document.status {
        Status::Active | Status::Draft if books.advance_remaining(document.id).is_zero() => "PAID",
        Status::Active | Status::Draft => "AUTHORISED",
        Status::Voided | Status::Deleted => "VOIDED",
    }
}

/// ARPREPAYMENT, APPREPAYMENT, AROVERPAYMENT or APOVERPAYMENT: the source of its journals.
pub fn source_type(document: &Document, advance: &Advance) -> &'static str {
    match (document.kind == Kind::Deposit, advance.is_prepayment) {
        (true, true) => "ARPREPAYMENT",
        (true, false) => "AROVERPAYMENT",
        (false, true) => "APPREPAYMENT",
        (false, false) => "APOVERPAYMENT",
    }
}

pub fn record(books: &Books, document: &Document, advance: &Advance, detail: Detail) -> String {
    let word = word(advance);
    let id = books.guid(word, document.id);
    let object = Object::new()
        .text(&format!("{word}ID"), &id)
        .text("ID", &id)
        .text("Type", banking::transaction_type(books, document))
        .text("Reference", &document.memo)
        .when(advance.is_prepayment, |object| object.text("InvoiceNumber", &document.memo))
        .when(document.currency != books.currency, |object| object.number("CurrencyRate", lines::currency_rate(document.rate)))
        .money("RemainingCredit", books.advance_remaining(document.id))
        .list("Allocations", &advance.allocations.iter().map(|allocation| allocated(books, allocation)).collect::<Vec<_>>())
        .list("Payments", &invoices::payments_on(books, document))
        .flag("HasAttachments", false)
        .when(detail == Detail::Single, |object| object.raw("Attachments", "[]"));
    let object = match document.contact.and_then(|id| contacts::embedded(books, id, detail)) {
        Some(contact) => object.raw("Contact", &contact),
        None => object,
    };
    let object = dates::twins(object, "Date", document.date)
        .text("Status", status(books, document))
        .text("LineAmountTypes", lines::amount_types(books, document))
        .list("LineItems", &lines::line_items(books, document, detail));
    dates::updated_twins(lines::totals(object, books, document), document.updated_at).text("CurrencyCode", &document.currency).end()
}

pub fn allocation_guid(books: &Books, allocation: u64) -> String {
    books.guid("Allocation", allocation)
}

fn allocated(books: &Books, allocation: &AdvanceAllocation) -> String {
    let number = books.documents.get(&allocation.document).map(|invoice| invoice.number.as_str());
    let invoice = Object::new().text("InvoiceID", &books.guid("Invoice", allocation.document)).maybe("InvoiceNumber", number).raw("LineItems", "[]");
    Object::new()
        .text("AllocationID", &allocation_guid(books, allocation.id))
        .money("Amount", allocation.amount)
        .raw("Date", &dates::ms_date(allocation.date))
        .raw("Invoice", &invoice.end())
        .flag("IsDeleted", false)
        .end()
}

/// As an invoice embeds what was used for it.
pub fn embedded(books: &Books, document: &Document, advance: &Advance, amount: crate::money::Cents) -> String {
    let word = word(advance);
    let id = books.guid(word, document.id);
    Object::new()
        .text(&format!("{word}ID"), &id)
        .text("ID", &id)
        .money("AppliedAmount", amount)
        .raw("Date", &dates::ms_date(document.date))
        .money("Total", books.total(document))
        .raw("LineItems", "[]")
        .end()
}
