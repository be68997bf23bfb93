//! Quotes and PurchaseOrders, which post nothing.
//!
//! Contract: providers/xero.md 6.18 and 6.19.
use super::json::Object;
use super::{Detail, contacts, dates, lines};
use crate::books::lists::{Order, OrderKind, OrderStatus};
use crate::books::{Books, Document};
use crate::xero::kept::{Entry, View};

pub fn quotes(books: &Books, view: &View) -> Vec<Entry> {
    records(books, view, OrderKind::Estimate)
}

pub fn purchase_orders(books: &Books, view: &View) -> Vec<Entry> {
    records(books, view, OrderKind::PurchaseOrder)
}

fn records(books: &Books, view: &View, kind: OrderKind) -> Vec<Entry> {
    let word = word(kind);
    let entries = books.lists.orders.values().filter(|order| order.kind == kind).map(|order| Entry {
        id: books.guid(word, order.id),
        number: Some(order.number.clone()),
        at: order.stamp.updated_at,
        hidden: false,
        json: if kind == OrderKind::Estimate { quote(books, order, view.detail) } else { purchase_order(books, order, view.detail) },
    });
    entries.collect()
}

pub fn word(kind: OrderKind) -> &'static str {
    if kind == OrderKind::Estimate { "Quote" } else { "PurchaseOrder" }
}

pub fn status(order: &Order) -> &'static str {
    use OrderStatus::*;
    match (order.kind, order.status) {
        (_, Draft) => "DRAFT",
        (OrderKind::Estimate, Open) => "SENT",
        (OrderKind::Estimate, Accepted) => "ACCEPTED",
        (OrderKind::Estimate, Declined) => "DECLINED",
        (OrderKind::Estimate, Closed) => "INVOICED",
        // a purchase order knows no refusal: it is deleted
        (OrderKind::PurchaseOrder, Declined) | (_, Deleted) => "DELETED",
        (OrderKind::PurchaseOrder, Open) => "SUBMITTED",
        (OrderKind::PurchaseOrder, Accepted) => "AUTHORISED",
        (OrderKind::PurchaseOrder, Closed) => "BILLED",
    }
}

/// Quotes have no offset in their dates, upper-case amount types, and lines without the account's id.
fn quote(books: &Books, order: &Order, detail: Detail) -> String {
    let document = books.preview_order(order);
    let contact = books.contacts.get(&order.contact).map(|contact| contact.name.as_str());
    let embedded = Object::new().text("ContactID", &books.guid("Contact", order.contact)).maybe("Name", contact);
    let text = |name: &str| books.text_property("Quote", order.id, name).unwrap_or_default();
    let object = Object::new()
        .text("QuoteID", &books.guid("Quote", order.id))
        .text("QuoteNumber", &order.number)
        .text("Reference", &order.reference)
        .text("Terms", &text("Terms"))
        .raw("Contact", &embedded.end())
        .list("LineItems", &order_lines(books, &document, detail))
        .raw("Date", &dates::ms_date_bare(order.date))
        .text("DateString", &dates::date_string(order.date));
    let object = match order.expiry {
        Some(expiry) => object.raw("ExpiryDate", &dates::ms_date_bare(expiry)).text("ExpiryDateString", &dates::date_string(expiry)),
        None => object,
    };
    let object = object.text("Status", status(order)).number("CurrencyRate", lines::currency_rate(order.rate)).text("CurrencyCode", &order.currency);
    lines::totals(object, books, &document)
        .raw("TotalDiscount", "0.00")
        .text("Title", &order.title)
        .text("Summary", &order.memo)
        .raw("UpdatedDateUTC", &dates::ms_time_bare(order.stamp.updated_at))
        .text("LineAmountTypes", &lines::amount_types(books, &document).to_uppercase())
        .end()
}

/// Recorded: lines without AccountID; the lists show them too, in pages that nobody has to ask for.
fn order_lines(books: &Books, document: &Document, detail: Detail) -> Vec<String> {
    let detail = if detail == Detail::Single { Detail::Single } else { Detail::Paged };
    document.lines.iter().map(|line| lines::line_item(books, document, line, detail, false)).collect()
}

fn purchase_order(books: &Books, order: &Order, detail: Detail) -> String {
    let document = books.preview_order(order);
    let object = Object::new().text("PurchaseOrderID", &books.guid("PurchaseOrder", order.id)).text("PurchaseOrderNumber", &order.number);
    let object = dates::twins(object, "Date", order.date);
    let text = |object: Object, name: &str| match books.text_property("PurchaseOrder", order.id, name) {
        Some(value) => object.text(name, &value),
        None => object,
    };
    let object = match order.expiry {
        Some(expiry) => dates::twins(object, "DeliveryDate", expiry),
        None => object,
    };
    let object = ["DeliveryAddress", "AttentionTo", "Telephone", "DeliveryInstructions"].into_iter().fold(object, text);
    let object = object
        .flag("HasErrors", false)
        .flag("IsDiscounted", false)
        .when(detail == Detail::Single, |object| object.flag("SentToContact", false))
        .text("Reference", &order.reference)
        .text("Type", "PURCHASEORDER")
        .number("CurrencyRate", lines::currency_rate(order.rate))
        .text("CurrencyCode", &order.currency);
    let object = match contacts::embedded(books, order.contact, Detail::Single) {
        Some(contact) => object.raw("Contact", &contact),
        None => object,
    };
    let object = object
        .text("Status", status(order))
        .text("LineAmountTypes", lines::amount_types(books, &document))
        .list("LineItems", &order_lines(books, &document, detail));
    lines::totals(object, books, &document)
        .raw("UpdatedDateUTC", &dates::ms_time(order.stamp.updated_at))
        .flag("HasAttachments", super::history::has_attachments(books, "PurchaseOrder", order.id))
        .when(detail == Detail::Single, |object| object.raw("Attachments", "[]"))
        .end()
}
