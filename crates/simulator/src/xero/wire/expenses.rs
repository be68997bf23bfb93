//! Receipts and ExpenseClaims.
//!
//! Contract: providers/xero.md 6.23; fields as in the examples of xero_accounting.yaml.
use super::json::Object;
use super::{Detail, contacts, dates, lines};
use crate::books::xero::AmountTypes;
use crate::books::xero::expenses::{Claim, ClaimStatus, Receipt, ReceiptStatus};
use crate::books::{Books, Status};
use crate::xero::kept::{Entry, View};

pub fn receipts(books: &Books, view: &View) -> Vec<Entry> {
    let entries = books.xero.receipts.values().map(|receipt| Entry {
        id: books.guid("Receipt", receipt.id),
        number: None,
        at: receipt.updated_at,
        hidden: false,
        json: receipt_record(books, receipt, view.detail),
    });
    entries.collect()
}

fn user(books: &Books, id: u64) -> String {
    let object = Object::new().text("UserID", &books.guid("User", id));
    match books.xero.users.iter().find(|user| user.id == id) {
        Some(user) => object.text("FirstName", &user.first_name).text("LastName", &user.last_name).end(),
        None => object.end(),
    }
}

/// Lists have no line items (section 3.6 tells it of the other documents; the example of Receipts shows it).
fn receipt_record(books: &Books, receipt: &Receipt, detail: Detail) -> String {
    let document = books.receipt_document(receipt);
    let id = books.guid("Receipt", receipt.id);
    let status = match receipt.status {
        ReceiptStatus::Draft => "DRAFT",
        ReceiptStatus::Submitted => "SUBMITTED",
        ReceiptStatus::Authorised => "AUTHORISED",
        ReceiptStatus::Declined => "DECLINED",
        ReceiptStatus::Voided => "VOIDED",
    };
    let amount_types = match receipt.amount_types {
        AmountTypes::Exclusive => "Exclusive",
        AmountTypes::Inclusive => "Inclusive",
        AmountTypes::NoTax => "NoTax",
    };
    let object = Object::new()
        .text("ReceiptID", &id)
        .text("ReceiptNumber", &receipt.number.to_string())
        .text("Status", status)
        .raw("User", &user(books, receipt.user));
    let object = match document.contact.and_then(|contact| contacts::embedded(books, contact, Detail::Listed)) {
        Some(contact) => object.raw("Contact", &contact),
        None => object,
    };
    let object = object
        .raw("Date", &dates::ms_date(document.date))
        .raw("UpdatedDateUTC", &dates::ms_time(receipt.updated_at))
        .text("Reference", &document.memo)
        .text("LineAmountTypes", amount_types)
        .list("LineItems", &lines::line_items(books, &document, detail));
    lines::totals(object, books, &document)
        .text("ID", &id)
        .flag("HasAttachments", super::history::has_attachments(books, "Receipt", receipt.id))
        .when(detail == Detail::Single, |object| object.raw("Attachments", "[]"))
        .end()
}

pub fn claims(books: &Books, view: &View) -> Vec<Entry> {
    let entries = books.xero.claims.values().map(|claim| Entry {
        id: books.guid("ExpenseClaim", claim.id),
        number: None,
        at: claim.updated_at,
        hidden: false,
        json: claim_record(books, claim, view.detail),
    });
    entries.collect()
}

/// Receipts and payments come by id; the list names neither.
fn claim_record(books: &Books, claim: &Claim, detail: Detail) -> String {
    let is_single = detail == Detail::Single;
    let (total, paid) = (books.claim_total(claim), books.claim_paid(claim));
    let stands = claim.status == ClaimStatus::Authorised;
    let status = match claim.status {
        ClaimStatus::Submitted => "SUBMITTED",
        ClaimStatus::Authorised if paid == total => "PAID",
        ClaimStatus::Authorised => "AUTHORISED",
        ClaimStatus::Voided => "VOIDED",
        ClaimStatus::Deleted => "DELETED",
    };
    let of_claim = claim.receipts.iter().filter_map(|id| books.xero.receipts.get(id)).filter(|_| is_single);
    let receipts: Vec<String> = of_claim.map(|receipt| receipt_record(books, receipt, Detail::Paged)).collect();
    let made = claim.payments.iter().filter_map(|id| books.documents.get(id)).filter(|payment| is_single && payment.status == Status::Active);
    let payments: Vec<String> = made
        .map(|payment| {
            Object::new()
                .text("PaymentID", &books.guid("Payment", payment.id))
                .raw("Date", &dates::ms_date(payment.date))
                .money("Amount", books.total(payment))
                .text("Reference", &payment.memo)
                .end()
        })
        .collect();
    let object = Object::new()
        .text("ExpenseClaimID", &books.guid("ExpenseClaim", claim.id))
        .text("Status", status)
        .raw("UpdatedDateUTC", &dates::ms_time(claim.updated_at))
        .raw("User", &user(books, claim.user))
        .list("Receipts", &receipts)
        .list("Payments", &payments)
        .money("Total", total)
        .money("AmountDue", if stands { total - paid } else { crate::money::Cents::ZERO })
        .money("AmountPaid", paid);
    let object = match claim.due_on {
        Some(day) => object.raw("PaymentDueDate", &dates::ms_date(day)),
        None => object,
    };
    match claim.reported_on {
        Some(day) => object.raw("ReportingDate", &dates::ms_date(day)).end(),
        None => object.end(),
    }
}
