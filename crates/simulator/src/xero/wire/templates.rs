//! RepeatingInvoices and LinkedTransactions: what posts nothing but stands behind documents that do.
//!
//! Contract: providers/xero.md 6.20 and 6.21.
use super::json::Object;
use super::{Detail, contacts, dates, invoices, lines};
use crate::books::lists::{Every, Template};
use crate::books::xero::LinkedTransaction;
use crate::books::{Books, Kind, Status};
use crate::xero::kept::{Entry, View};

pub fn repeating_invoices(books: &Books, _: &View) -> Vec<Entry> {
    let sales_and_bills = books.lists.templates.values().filter(|template| matches!(template.document.kind, Kind::Invoice | Kind::Bill));
    let entries = sales_and_bills.map(|template| Entry {
        id: books.guid("RepeatingInvoice", template.id),
        number: None,
        at: template.stamp.updated_at,
        hidden: false,
        json: repeating_invoice(books, template),
    });
    entries.collect()
}

/// Xero counts in weeks and months only.
fn repeating_invoice(books: &Books, template: &Template) -> String {
    let id = books.guid("RepeatingInvoice", template.id);
    let (unit, times) = match template.every {
        Every::Week => ("WEEKLY", 1),
        Every::Month => ("MONTHLY", 1),
        Every::Year => ("MONTHLY", 12),
    };
    let schedule = Object::new()
        .number("Period", template.count * times)
        .text("Unit", unit)
        .number("DueDate", 20)
        .text("DueDateType", "OFFOLLOWINGMONTH")
        .raw("StartDate", &dates::ms_date(template.starts));
    let schedule = match template.next {
        Some(next) => schedule.raw("NextScheduledDate", &dates::ms_date(next)),
        None => schedule,
    };
    let document = books.preview(template);
    let object = Object::new()
        .raw("Schedule", &schedule.end())
        .text("RepeatingInvoiceID", &id)
        .text("Type", invoices::invoice_type(&document))
        .text("Reference", &document.memo)
        .flag("HasAttachments", false)
        .flag("ApprovedForSending", template.is_automated)
        .flag("SendCopy", false)
        .flag("MarkAsSent", false)
        .flag("IncludePDF", false)
        .text("ID", &id);
    let object = match document.contact.and_then(|id| contacts::embedded(books, id, Detail::Listed)) {
        Some(contact) => object.raw("Contact", &contact),
        None => object,
    };
    let status = match (template.stamp.deleted, template.stamp.active) {
        (true, _) => "DELETED",
        (_, true) => "AUTHORISED",
        _ => "DRAFT",
    };
    let object = object
        .text("Status", status)
        .text("LineAmountTypes", lines::amount_types(books, &document))
        .list("LineItems", &lines::line_items(books, &document, Detail::Paged));
    lines::totals(object, books, &document).text("CurrencyCode", &document.currency).end()
}

pub fn linked_transactions(books: &Books, _: &View) -> Vec<Entry> {
    let linked = books.xero.linked_transactions.values().map(|linked| Entry {
        id: books.guid("LinkedTransaction", linked.id),
        number: None,
        at: linked.updated_at,
        hidden: false,
        json: linked_transaction(books, linked),
    });
    linked.collect()
}

/// DRAFT until a customer is named, APPROVED then, ONDRAFT or BILLED with the customer's invoice, VOIDED with the bill.
fn status(books: &Books, linked: &LinkedTransaction) -> &'static str {
    let source_stands = books.documents.get(&linked.source).is_some_and(|source| matches!(source.status, Status::Active | Status::Draft));
    match linked.target.and_then(|id| books.documents.get(&id)) {
        _ if !source_stands => "VOIDED",
        Some(target) if target.status == Status::Active => "BILLED",
        Some(target) if target.status == Status::Draft => "ONDRAFT",
        _ if linked.contact.is_some() => "APPROVED",
        _ => "DRAFT",
    }
}

fn linked_transaction(books: &Books, linked: &LinkedTransaction) -> String {
    let source = books.documents.get(&linked.source);
    let bill = source.is_none_or(|source| source.kind == Kind::Bill);
    let object = Object::new()
        .text("LinkedTransactionID", &books.guid("LinkedTransaction", linked.id))
        .text("SourceTransactionID", &books.guid(if bill { "Invoice" } else { "BankTransaction" }, linked.source))
        .text("SourceLineItemID", &lines::line_guid(books, linked.source, linked.source_line))
        .maybe("ContactID", linked.contact.map(|id| books.guid("Contact", id)).as_deref())
        .maybe("TargetTransactionID", linked.target.map(|id| books.guid("Invoice", id)).as_deref());
    let target_line = linked.target.zip(linked.target_line).map(|(id, line)| lines::line_guid(books, id, line));
    object
        .maybe("TargetLineItemID", target_line.as_deref())
        .text("Status", status(books, linked))
        .text("Type", "BILLABLEEXPENSE")
        .raw("UpdatedDateUTC", &dates::ms_time(linked.updated_at))
        .text("SourceTransactionTypeCode", source.map_or("ACCPAY", |source| if bill { invoices::invoice_type(source) } else { "SPEND" }))
        .end()
}
