//! PUT and POST of Quotes and PurchaseOrders.
use super::fields::{self, Problems};
use super::lines::{self, Purpose};
use super::{Maker, Saved};
use crate::books::lists::{NewOrder, OrderKind, OrderStatus};
use crate::books::xero::AmountTypes;
use crate::books::{Books, NewLine};
use crate::xero::tree::Node;
use crate::xero::wire::json::quoted;

fn status(kind: OrderKind, word: &str) -> Option<OrderStatus> {
    use OrderStatus::*;
    Some(match (kind, word) {
        (_, "DRAFT") => Draft,
        (_, "DELETED") => Deleted,
        (OrderKind::Estimate, "SENT") | (OrderKind::PurchaseOrder, "SUBMITTED") => Open,
        (OrderKind::Estimate, "ACCEPTED") | (OrderKind::PurchaseOrder, "AUTHORISED") => Accepted,
        (OrderKind::Estimate, "DECLINED") => Declined,
        (OrderKind::Estimate, "INVOICED") | (OrderKind::PurchaseOrder, "BILLED") => Closed,
        _ => return None,
    })
}

pub fn save(books: &mut Books, maker: &Maker, is_quote: bool, known: Option<u64>, element: &Node) -> Saved {
    let (kind, word) = if is_quote { (OrderKind::Estimate, "Quote") } else { (OrderKind::PurchaseOrder, "PurchaseOrder") };
    let mut problems = Problems::default();
    let number = problems.take(fields::text(element, &format!("{word}Number"))).filter(|number| !number.is_empty());
    let known = match (known, element.get(&format!("{word}ID")).and_then(Node::text).filter(|id| !id.is_empty())) {
        (Some(id), _) => Some(id),
        (None, Some(id)) => {
            let found = books.id_of_guid(word, id).filter(|id| books.lists.orders.get(id).is_some_and(|order| order.kind == kind));
            Some(found.ok_or_else(|| Problems::one(format!("{word} could not be found")))?)
        }
        (None, None) => {
            let same = |order: &&crate::books::lists::Order| {
                order.kind == kind && order.status != OrderStatus::Deleted && Some(&order.number) == number.as_ref()
            };
            books.lists.orders.values().find(same).map(|order| order.id)
        }
    };
    if known.is_some() && maker.only_new {
        problems.0.push(format!("{word} number must be unique"));
    }
    let old = known.and_then(|id| books.lists.orders.get(&id)).cloned();
    let wanted = match problems.take(fields::text(element, "Status")).as_deref() {
        None | Some("") => old.as_ref().map_or(OrderStatus::Draft, |old| old.status),
        Some(asked) => status(kind, asked).unwrap_or_else(|| {
            problems.0.push(format!("Status '{asked}' is not valid for this document"));
            OrderStatus::Draft
        }),
    };
    let date = problems.take(fields::date(element, "Date")).or(old.as_ref().map(|old| old.date)).unwrap_or(maker.today);
    let expiry =
        problems.take(fields::date(element, if is_quote { "ExpiryDate" } else { "DeliveryDate" })).or(old.as_ref().and_then(|old| old.expiry));
    let known_types = known.and_then(|id| books.xero.documents.get(&id)).and_then(|details| details.amount_types);
    let amount_types = problems.take(lines::amount_types(element)).or(known_types).unwrap_or(AmountTypes::Exclusive);
    let items = problems.take(lines::read(books, element, Purpose { is_sale: is_quote, amount_types, continues: None }));
    let title = problems.take(fields::text(element, "Title"));
    let summary = problems.take(fields::text(element, "Summary"));
    let reference = problems.take(fields::text(element, "Reference"));
    let texts: Vec<(&str, String)> = ["Terms", "DeliveryAddress", "AttentionTo", "Telephone", "DeliveryInstructions"]
        .into_iter()
        .filter_map(|name| Some((name, problems.take(fields::text(element, name))?)))
        .collect();
    let currency = match &old {
        Some(old) => Some((old.currency.clone(), Some(old.rate))),
        None => problems.take(fields::currency(books, element, date).map(Some)),
    };
    if old.is_none() && items.as_ref().is_none_or(Vec::is_empty) {
        problems.0.push("One or more line items must be specified".into());
    }
    problems.end()?;
    if let Some(old) = old.as_ref().filter(|_| wanted == OrderStatus::Deleted) {
        books.set_order_status(old.id, wanted, maker.now)?;
        return Ok(old.id);
    }
    let contact = match (&old, element.get("Contact")) {
        (Some(old), None) => fields::ContactFound { id: old.contact, is_new: false },
        _ => fields::contact(books, element, maker.now)?,
    };
    let (code, rate) = currency.expect("without problems there is one");
    let mut new = NewOrder::new(kind, date, contact.id);
    new.status = wanted;
    new.number = number;
    new.expiry = expiry;
    new.currency = Some(code);
    new.rate = rate;
    new.lines = items.or_else(|| old.as_ref().map(|old| old.lines.iter().map(NewLine::again).collect())).unwrap_or_default();
    new.reference = reference.or_else(|| old.as_ref().map(|old| old.reference.clone())).unwrap_or_default();
    new.title = title.or_else(|| old.as_ref().map(|old| old.title.clone())).unwrap_or_default();
    new.memo = summary.or_else(|| old.as_ref().map(|old| old.memo.clone())).unwrap_or_default();
    if let Some(old) = &old {
        new.links = old.links.clone();
        new.term = old.term;
        new.tracking = old.tracking.clone();
    }
    let saved = match &old {
        Some(old) => books.replace_order(old.id, new, maker.now).map(|()| old.id),
        None => books.add_order(new, maker.now),
    };
    let id = saved.map_err(|refused| {
        contact.take_back(books);
        Problems::from(refused)
    })?;
    for (name, value) in texts {
        books.set_property(word, id, name, quoted(&value));
    }
    books.xero.documents.entry(id).or_default().amount_types = Some(amount_types);
    Ok(id)
}
