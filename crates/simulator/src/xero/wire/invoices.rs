//! Invoices (ACCREC, ACCPAY) and CreditNotes (ACCRECCREDIT, ACCPAYCREDIT).
//!
//! Contract: providers/xero.md 6.9 and 6.10; what is present when: 3.6.
use super::json::Object;
use super::{Detail, advances, contacts, dates, history, lines};
use crate::books::{Books, Document, DocumentId, Kind, Status};
use crate::money::Cents;
use jiff::civil::Date;

pub fn invoice_type(document: &Document) -> &'static str {
    match document.kind {
        Kind::Invoice => "ACCREC",
        Kind::Bill => "ACCPAY",
        Kind::CreditMemo => "ACCRECCREDIT",
        _ => "ACCPAYCREDIT",
    }
}

/// DRAFT, AUTHORISED, PAID, VOIDED or DELETED; a credit note that is used up is PAID.
pub fn status(books: &Books, document: &Document) -> &'static str {
    match document.status {
        Status::Draft if books.xero.documents.get(&document.id).is_some_and(|details| details.submitted) => "SUBMITTED",
        Status::Draft => "DRAFT",
        Status::Active if books.amount_due(document.id).is_zero() => "PAID",
        Status::Active => "AUTHORISED",
        Status::Voided => "VOIDED",
        Status::Deleted => "DELETED",
    }
}

/// What is still to pay. Zero when voided or deleted, while Total stays.
pub fn amount_due(books: &Books, document: &Document) -> Cents {
    match document.status {
        Status::Draft => books.total(document),
        Status::Active => books.amount_due(document.id),
        Status::Voided | Status::Deleted => Cents::ZERO,
    }
}

/// What payments, and what credit notes and advances, took off a document.
#[derive(Default)]
struct Settled {
    paid: Cents,
    credited: Cents,
    payments: Vec<String>,
    credit_notes: Vec<String>,
    prepayments: Vec<String>,
    overpayments: Vec<String>,
    last: Option<Date>,
}

fn settled(books: &Books, document: &Document) -> Settled {
    let mut settled = Settled::default();
    for (payer, amount) in books.payments_of(document.id) {
        let Some(payer) = books.documents.get(&payer) else { continue };
        settled.last = settled.last.max(Some(payer.date));
        if payer.kind.is_payment() {
            settled.paid += amount;
            settled.payments.push(embedded_payment(books, payer, amount));
        } else if let Some(advance) = books.advance(payer.id) {
            settled.credited += amount;
            let list = if advance.is_prepayment { &mut settled.prepayments } else { &mut settled.overpayments };
            list.push(advances::embedded(books, payer, advance, amount));
        } else {
            settled.credited += amount;
            settled.credit_notes.push(
                Object::new()
                    .text("CreditNoteID", &books.guid("CreditNote", payer.id))
                    .text("CreditNoteNumber", &payer.number)
                    .text("ID", &books.guid("CreditNote", payer.id))
                    .money("AppliedAmount", amount)
                    .raw("Date", &dates::ms_date(payer.date))
                    .money("Total", books.total(payer))
                    .flag("HasErrors", false)
                    .raw("LineItems", "[]")
                    .end(),
            );
        }
    }
    settled
}

/// What payments and credits paid so far; for `where=AmountPaid>0`.
pub fn amount_paid(books: &Books, id: DocumentId) -> Cents {
    books
        .payments_of(id)
        .into_iter()
        .filter(|(payer, _)| books.documents.get(payer).is_some_and(|p| p.kind.is_payment()))
        .map(|(_, amount)| amount)
        .sum()
}

/// The payments that stand on a document, as it embeds them.
pub fn payments_on(books: &Books, document: &Document) -> Vec<String> {
    settled(books, document).payments
}

/// Recorded: a payment of a batch appears under the batch's id.
fn embedded_payment(books: &Books, payment: &Document, amount: Cents) -> String {
    let id = match books.batch_of(payment.id) {
        Some(batch) => books.guid("BatchPayment", batch.id),
        None => books.guid("Payment", payment.id),
    };
    Object::new()
        .text("PaymentID", &id)
        .raw("Date", &dates::ms_date(payment.date))
        .money("Amount", amount)
        .maybe("Reference", Some(payment.memo.as_str()).filter(|text| !text.is_empty()))
        .number("CurrencyRate", lines::currency_rate(payment.rate))
        .flag("HasAccount", false)
        .flag("HasValidationErrors", false)
        .end()
}

/// A foreign document always shows its rate; one in base currency often does not (recorded: 22 of 75 did).
fn rate(object: Object, books: &Books, document: &Document) -> Object {
    let shown = document.currency != books.currency || document.id.is_multiple_of(3);
    object.when(shown, |object| object.number("CurrencyRate", lines::currency_rate(document.rate)))
}

fn contact(object: Object, books: &Books, document: &Document, detail: Detail) -> Object {
    match document.contact.and_then(|id| contacts::embedded(books, id, detail)) {
        Some(contact) => object.raw("Contact", &contact),
        None => object,
    }
}

pub fn invoice(books: &Books, document: &Document, detail: Detail) -> String {
    let settled = settled(books, document);
    let details = books.xero.documents.get(&document.id);
    let (single, summary) = (detail == Detail::Single, detail == Detail::Summary);
    let status = status(books, document);
    let object = Object::new()
        .text("Type", invoice_type(document))
        .text("InvoiceID", &books.guid("Invoice", document.id))
        .text("InvoiceNumber", &document.number)
        .text("Reference", &document.memo)
        .when(!(summary || single && settled.payments.is_empty()), |object| object.list("Payments", &settled.payments))
        .when(!(single && settled.credit_notes.is_empty()), |object| object.list("CreditNotes", &settled.credit_notes))
        .list("Prepayments", &settled.prepayments)
        .list("Overpayments", &settled.overpayments)
        .money("AmountDue", amount_due(books, document))
        .money("AmountPaid", settled.paid)
        .when(!(single && settled.credited.is_zero()), |object| object.money("AmountCredited", settled.credited));
    let object = rate(object, books, document)
        .flag("IsDiscounted", false)
        .when(!summary, |object| object.flag("HasAttachments", history::has_attachments(books, "Invoice", document.id)))
        .when(single || details.is_some_and(|details| details.sent_to_contact), |object| {
            object.flag("SentToContact", details.is_some_and(|details| details.sent_to_contact))
        })
        .maybe("Url", details.map(|details| details.url.as_str()).filter(|url| !url.is_empty()))
        .when(single, |object| object.raw("Attachments", "[]"))
        .flag("HasErrors", false)
        .when(document.kind == Kind::Invoice, |object| object.raw("InvoicePaymentServices", "[]"))
        .when(!single, |object| object.raw("InvoiceAddresses", "[]"));
    let object = dates::twins(contact(object, books, document, detail), "Date", document.date);
    let object = match document.due_date {
        Some(due) => dates::twins(object, "DueDate", due),
        None => object,
    };
    let object = object
        .text("Status", status)
        .text("LineAmountTypes", lines::amount_types(books, document))
        .when(!summary, |object| object.list("LineItems", &lines::line_items(books, document, detail)));
    let object = dates::updated_twins(lines::totals(object, books, document), document.updated_at).text("CurrencyCode", &document.currency);
    paid_on(object, status, settled.last).end()
}

fn paid_on(object: Object, status: &str, last: Option<Date>) -> Object {
    match last {
        Some(day) if status == "PAID" => object.raw("FullyPaidOnDate", &dates::ms_date(day)),
        _ => object,
    }
}

/// A credit note is allocated once to an invoice, so the pair names the allocation: the numbers of both, below a million of each other.
pub fn credit_allocation_guid(books: &Books, credit: DocumentId, invoice: DocumentId) -> String {
    books.guid("CreditNoteAllocation", credit << 24 ^ invoice)
}

pub fn credit_note(books: &Books, document: &Document, detail: Detail) -> String {
    let settled = settled(books, document);
    let mut allocations = Vec::new();
    let mut last = settled.last;
    let counts = document.status == Status::Active;
    for application in document.applications.iter().filter(|_| counts) {
        let Some(invoice) = books.documents.get(&application.document) else { continue };
        let date = books.allocation_date(document.id, invoice.id).unwrap_or(document.date);
        last = last.max(Some(date));
        let embedded =
            Object::new().text("InvoiceID", &books.guid("Invoice", invoice.id)).text("InvoiceNumber", &invoice.number).raw("LineItems", "[]").end();
        allocations.push(
            Object::new()
                .text("AllocationID", &credit_allocation_guid(books, document.id, invoice.id))
                .money("Amount", application.amount)
                .raw("Date", &dates::ms_date(date))
                .raw("Invoice", &embedded)
                .flag("IsDeleted", false)
                .end(),
        );
    }
    let status = status(books, document);
    let object = Object::new()
        .text("CreditNoteID", &books.guid("CreditNote", document.id))
        .text("CreditNoteNumber", &document.number)
        .list("Payments", &settled.payments)
        .text("ID", &books.guid("CreditNote", document.id));
    let object = rate(object, books, document)
        .text("Type", invoice_type(document))
        .text("Reference", &document.memo)
        .money("RemainingCredit", amount_due(books, document))
        .list("Allocations", &allocations)
        .flag("HasAttachments", false)
        .when(detail == Detail::Single, |object| object.raw("Attachments", "[]"))
        .flag("HasErrors", false)
        .when(detail != Detail::Single, |object| object.raw("InvoiceAddresses", "[]"));
    let object = dates::twins(contact(object, books, document, detail), "Date", document.date)
        .text("Status", status)
        .text("LineAmountTypes", lines::amount_types(books, document))
        .list("LineItems", &lines::line_items(books, document, detail));
    let object = dates::updated_twins(lines::totals(object, books, document), document.updated_at).text("CurrencyCode", &document.currency);
    paid_on(object, status, last).end()
}

/// An invoice where another record only names it: its lists are there, and empty.
pub fn named(books: &Books, id: DocumentId, currency: Option<&str>) -> String {
    Object::new()
        .text("InvoiceID", &books.guid("Invoice", id))
        .maybe("CurrencyCode", currency)
        .raw("Payments", "[]")
        .raw("CreditNotes", "[]")
        .raw("Prepayments", "[]")
        .raw("Overpayments", "[]")
        .flag("HasErrors", false)
        .flag("IsDiscounted", false)
        .raw("LineItems", "[]")
        .end()
}
