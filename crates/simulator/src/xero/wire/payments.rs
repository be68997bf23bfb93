//! Payments of invoices and bills, and refunds of credit notes.
//!
//! Contract: providers/xero.md 6.11. A Xero payment pays exactly one document.
use super::json::Object;
use super::{Detail, advances, batches, contacts, dates, invoices, lines};
use crate::books::{Books, Document, Kind, Status};
use crate::money::Cents;

/// The document a payment pays.
pub fn target<'a>(books: &'a Books, payment: &Document) -> Option<&'a Document> {
    payment.applications.first().and_then(|application| books.documents.get(&application.document))
}

pub fn payment_type(books: &Books, payment: &Document) -> &'static str {
    match (payment.kind, target(books, payment).map(|target| target.kind)) {
        (_, Some(Kind::CreditMemo)) => "ARCREDITPAYMENT",
        (_, Some(Kind::VendorCredit)) => "APCREDITPAYMENT",
        (Kind::Payment, Some(Kind::Deposit)) if is_prepayment(books, payment) => "ARPREPAYMENTPAYMENT",
        (Kind::Payment, Some(Kind::Deposit)) => "AROVERPAYMENTPAYMENT",
        (_, Some(Kind::Expense)) if is_prepayment(books, payment) => "APPREPAYMENTPAYMENT",
        (_, Some(Kind::Expense)) => "APOVERPAYMENTPAYMENT",
        (Kind::Payment, _) => "ACCRECPAYMENT",
        _ => "ACCPAYPAYMENT",
    }
}

fn is_prepayment(books: &Books, payment: &Document) -> bool {
    target(books, payment).and_then(|target| books.advance(target.id)).is_some_and(|advance| advance.is_prepayment)
}

/// AUTHORISED or DELETED; payments are never edited.
pub fn status(payment: &Document) -> &'static str {
    match payment.status {
        Status::Active | Status::Draft => "AUTHORISED",
        Status::Voided | Status::Deleted => "DELETED",
    }
}

/// In the currency of the document paid, and in that of the account, which is the same or the base currency.
pub fn amounts(books: &Books, payment: &Document) -> (Cents, Cents) {
    let amount = books.total(payment).abs();
    let account = payment.account.and_then(|id| books.accounts.get(&id));
    (amount, if account.is_some_and(|a| a.currency == payment.currency) { amount } else { amount.at(payment.rate) })
}

pub fn payment(books: &Books, payment: &Document, detail: Detail) -> String {
    let single = detail == Detail::Single;
    let (amount, bank_amount) = amounts(books, payment);
    let account = payment.account.and_then(|id| books.accounts.get(&id));
    // recorded: the list shows rate 0 for many payments in base currency, where the single answer shows 1
    let rate = if payment.currency == books.currency && !single && payment.id % 5 < 3 { "0.0".into() } else { lines::currency_rate(payment.rate) };
    let object = Object::new()
        .text("PaymentID", &books.guid("Payment", payment.id))
        .raw("Date", &dates::ms_date(payment.date))
        .money("BankAmount", bank_amount)
        .money("Amount", amount)
        .text("Reference", &payment.memo)
        .number("CurrencyRate", rate)
        .text("PaymentType", payment_type(books, payment))
        .text("Status", status(payment));
    let object = dates::updated_twins(object, payment.updated_at)
        .flag("HasAccount", account.is_some())
        .flag("IsReconciled", books.xero.reconciled.contains(&payment.id));
    let object = match books.batch_of(payment.id) {
        Some(batch) => {
            object.text("BatchPaymentID", &books.guid("BatchPayment", batch.id)).raw("BatchPayment", &batches::batch_payment(books, batch, false))
        }
        None => object,
    };
    let object = match account {
        Some(account) => object.raw("Account", &lines::embedded_account(books, account, single)),
        None => object,
    };
    let object = match target(books, payment) {
        Some(paid) if let Some(advance) = books.advance(paid.id) => {
            object.raw(advances::word(advance), &advances::record(books, paid, advance, Detail::Listed))
        }
        Some(paid) if paid.kind.is_credit() => object.raw("CreditNote", &paid_credit_note(books, paid)),
        Some(paid) if single => object.raw("Invoice", &invoices::invoice(books, paid, Detail::Paged)),
        Some(paid) => object.raw("Invoice", &paid_invoice(books, paid)),
        None => object,
    };
    object.flag("HasValidationErrors", false).end()
}

fn paid_invoice(books: &Books, invoice: &Document) -> String {
    let object = Object::new()
        .text("Type", invoices::invoice_type(invoice))
        .text("InvoiceID", &books.guid("Invoice", invoice.id))
        .text("InvoiceNumber", &invoice.number)
        .raw("Payments", "[]")
        .raw("CreditNotes", "[]")
        .raw("Prepayments", "[]")
        .raw("Overpayments", "[]")
        .flag("IsDiscounted", false)
        .raw("InvoiceAddresses", "[]")
        .flag("HasErrors", false)
        .raw("InvoicePaymentServices", "[]");
    with_contact(object, books, invoice).raw("LineItems", "[]").text("CurrencyCode", &invoice.currency).end()
}

fn paid_credit_note(books: &Books, note: &Document) -> String {
    let object = Object::new()
        .text("Type", invoices::invoice_type(note))
        .text("CreditNoteID", &books.guid("CreditNote", note.id))
        .text("CreditNoteNumber", &note.number)
        .text("ID", &books.guid("CreditNote", note.id))
        .flag("HasErrors", false);
    with_contact(object, books, note).raw("LineItems", "[]").text("CurrencyCode", &note.currency).end()
}

fn with_contact(object: Object, books: &Books, document: &Document) -> Object {
    match document.contact.and_then(|id| contacts::embedded(books, id, Detail::Listed)) {
        Some(contact) => object.raw("Contact", &contact),
        None => object,
    }
}
