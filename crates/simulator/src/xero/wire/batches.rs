//! BatchPayments.
//!
//! Contract: providers/xero.md 6.12.
use super::json::Object;
use super::{dates, invoices, payments};
use crate::books::xero::batches::BatchPayment;
use crate::books::{Books, Document};
use crate::xero::kept::{Entry, View};

pub fn records(books: &Books, _: &View) -> Vec<Entry> {
    let batches = books.xero.batches.values().map(|batch| Entry {
        id: books.guid("BatchPayment", batch.id),
        number: None,
        at: batch.updated_at,
        hidden: false,
        json: batch_payment(books, batch, true),
    });
    batches.collect()
}

/// A batch, or as a payment embeds it: without its payments.
pub fn batch_payment(books: &Books, batch: &BatchPayment, with_payments: bool) -> String {
    let account = books.accounts.get(&batch.account);
    let shown = Object::new()
        .text("AccountID", &books.guid("Account", batch.account))
        .maybe("CurrencyCode", account.map(|account| account.currency.as_str()))
        .end();
    let payments: Vec<String> =
        batch.payments.iter().filter(|_| with_payments).filter_map(|id| books.documents.get(id)).map(|payment| member(books, payment)).collect();
    let object = Object::new()
        .raw("Account", &shown)
        .text("Reference", &batch.reference)
        .maybe("Details", Some(batch.details.as_str()).filter(|text| !text.is_empty()))
        .maybe("Narrative", Some(batch.narrative.as_str()).filter(|text| !text.is_empty()))
        .text("BatchPaymentID", &books.guid("BatchPayment", batch.id));
    dates::twins(object, "Date", batch.date)
        .when(with_payments, |object| object.list("Payments", &payments))
        .text("Type", if batch.received { "RECBATCH" } else { "PAYBATCH" })
        .text("Status", if batch.deleted { "DELETED" } else { "AUTHORISED" })
        .money("TotalAmount", books.batch_total(batch))
        .raw("UpdatedDateUTC", &dates::ms_time(batch.updated_at))
        .flag("IsReconciled", batch.payments.iter().all(|id| books.xero.reconciled.contains(id)))
        .end()
}

fn member(books: &Books, payment: &Document) -> String {
    let object = match payments::target(books, payment) {
        Some(paid) => Object::new().raw("Invoice", &invoices::named(books, paid.id, Some(&paid.currency))),
        None => Object::new(),
    };
    let (amount, bank_amount) = payments::amounts(books, payment);
    object.text("PaymentID", &books.guid("Payment", payment.id)).money("Amount", amount).money("BankAmount", bank_amount).end()
}
