//! Estimates and purchase orders.
use super::fields::{References, date, objects, rate, reference, text};
use super::lines::{Reader, links};
use super::{Write, properties};
use crate::books::lists::{DimensionRole, NewOrder, Order, OrderKind, OrderStatus};
use crate::books::{Books, Document, Kind};
use crate::quickbooks::dates;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::tree::Object;
use std::collections::BTreeSet;

pub fn save(write: Write) -> Result<u64, Refusal> {
    let kind = if write.entity.name() == "Estimate" { OrderKind::Estimate } else { OrderKind::PurchaseOrder };
    let old = write.id.and_then(|id| write.books.lists.orders.get(&id)).cloned();
    let (order, variants) = read(&write, kind, old.as_ref())?;
    let (books, entity) = (write.books, write.entity);
    let id = match write.id {
        Some(id) => {
            books.replace_order(id, order, write.now)?;
            id
        }
        None => books.add_order(order, write.now)?,
    };
    let lines = &books.lists.orders[&id].lines;
    let variants = variants.into_iter().filter_map(|(position, variant)| Some((lines.get(position)?.id.to_string(), variant))).collect();
    properties::set_variants(books, entity, id, variants);
    Ok(id)
}

fn used_by(order: &Order) -> BTreeSet<u64> {
    let lines = order.lines.iter().flat_map(|line| line.tracking.iter().copied().chain(line.item).chain(std::iter::once(line.account)));
    lines.chain(order.tracking.iter().copied()).chain(order.term).chain(std::iter::once(order.contact)).collect()
}

fn read(write: &Write, kind: OrderKind, old: Option<&Order>) -> Result<(NewOrder, Vec<(usize, Object)>), Refusal> {
    let fields = &write.fields;
    let books: &Books = write.books;
    let references = References { books, used: old.map(used_by).unwrap_or_default() };
    let contact = match kind {
        OrderKind::Estimate => references.customer(fields, "CustomerRef")?.ok_or_else(|| Refusal::missing_parameter("CustomerRef"))?,
        OrderKind::PurchaseOrder => references.vendor(fields, "VendorRef")?.ok_or_else(|| Refusal::missing_parameter("VendorRef"))?,
    };
    let day = date(fields, "TxnDate")?.unwrap_or_else(|| dates::day_of(books, write.now));
    let mut order = NewOrder::new(kind, day, contact);
    order.number = text(fields, "DocNumber").map(str::to_owned);
    if order.number.as_ref().is_some_and(|number| number.chars().count() > 21) {
        return Err(Refusal::too_long("DocNumber", 21));
    }
    let twin = books.lists.orders.values().find(|other| {
        let is_other = Some(other.id) != write.id && other.kind == kind && !other.stamp.deleted;
        is_other && order.number.as_ref() == Some(&other.number)
    });
    if let Some(twin) = twin.filter(|_| kind == OrderKind::Estimate && !write.allows_twins) {
        return Err(Refusal::duplicate_number(&twin.number, write.entity.name(), twin.id));
    }
    order.expiry = date(fields, if kind == OrderKind::Estimate { "ExpirationDate" } else { "DueDate" })?;
    order.memo = text(fields, "PrivateNote").unwrap_or_default().to_owned();
    order.term = references.term(fields, "SalesTermRef")?;
    let class = references.tracking(fields, "ClassRef", DimensionRole::Class)?;
    let location = references.tracking(fields, "DepartmentRef", DimensionRole::Location)?;
    order.tracking = location.into_iter().chain(class).collect();
    order.status = status(kind, fields, old)?;
    let currency = reference(fields, "CurrencyRef").map_or_else(|| books.contacts[&contact].currency.clone(), str::to_owned);
    if currency != books.contacts[&contact].currency {
        return Err(Refusal::business("The currency of the transaction is not that of its customer or vendor"));
    }
    if currency != books.currency {
        let day_rate = rate(fields, "ExchangeRate")?.or_else(|| books.exchange_rate(&currency, day));
        order.rate = Some(day_rate.ok_or_else(|| Refusal::missing_parameter("ExchangeRate"))?);
    }
    order.currency = Some(currency);
    let document: Option<Document> = old.map(Order::as_document);
    let line_kind = if kind == OrderKind::Estimate { Kind::Invoice } else { Kind::Bill };
    let lines = Reader { references: &references, kind: line_kind, old: document.as_ref(), fields }.read()?;
    order.lines = lines.lines;
    order.links = old.map(|old| old.links.clone()).unwrap_or_default();
    if !objects(fields, "LinkedTxn").is_empty() {
        let wanted: Vec<u64> = links(fields)?.into_iter().map(|(_, id)| id).collect();
        order.links.retain(|link| wanted.contains(link));
    }
    order.reference = old.map(|old| old.reference.clone()).unwrap_or_default();
    order.title = old.map(|old| old.title.clone()).unwrap_or_default();
    Ok((order, lines.variants))
}

/// "TxnStatus Accepted, Closed, Pending, Rejected"; "POStatus Open, Closed" (contract 7.5).
fn status(kind: OrderKind, fields: &Object, old: Option<&Order>) -> Result<OrderStatus, Refusal> {
    let old = old.map_or(OrderStatus::Open, |old| old.status);
    let key = if kind == OrderKind::Estimate { "TxnStatus" } else { "POStatus" };
    Ok(match (kind, text(fields, key)) {
        (_, None) => OrderStatus::Open,
        (OrderKind::Estimate, Some("Accepted")) => OrderStatus::Accepted,
        (OrderKind::Estimate, Some("Rejected")) => OrderStatus::Declined,
        (OrderKind::PurchaseOrder, Some("Closed")) if old == OrderStatus::Declined => old,
        (_, Some("Closed" | "Converted")) => OrderStatus::Closed,
        (OrderKind::Estimate, Some("Pending")) if matches!(old, OrderStatus::Draft | OrderStatus::Open) => old,
        (OrderKind::PurchaseOrder, Some("Open")) if matches!(old, OrderStatus::Draft | OrderStatus::Open | OrderStatus::Accepted) => old,
        (_, Some("Pending" | "Open")) => OrderStatus::Open,
        (_, Some(other)) => return Err(Refusal::business(format!("Invalid status: {other}"))),
    })
}
