//! Sales and purchase forms as they are printed and sent by e-mail.
//!
//! `GET …/invoice/{id}/pdf`, `POST …/invoice/{id}/send?sendTo=` (contract 2.1):
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice>.
use super::entity::Entity;
use super::moments;
use super::refusal::Refusal;
use super::rows;
use super::wire::View;
use super::wire::tree::Object;
use super::{schema, write};
use crate::books::recent::{Verb, What};
use crate::books::{Books, Document, Kind};
use jiff::Timestamp;

/// "Sandbox e-mails: 40 per day per realm" (contract 8.1).
const MOST_MAILS_A_DAY: usize = 40;

fn is_a_form(entity: Entity) -> bool {
    use Kind::{CreditMemo, Invoice, Payment, RefundReceipt, SalesReceipt};
    matches!(entity, Entity::Order(_) | Entity::Transaction(Invoice | CreditMemo | SalesReceipt | RefundReceipt | Payment))
}

fn form(books: &Books, entity: Entity, id: &str) -> Result<(u64, Document), Refusal> {
    if !is_a_form(entity) {
        return Err(Refusal::unsupported(format!("Operation pdf or send of {} is not supported.", entity.name())));
    }
    let number: u64 = id.parse().map_err(|_| Refusal::invalid_id(id))?;
    rows::find(books, entity, number).filter(|row| !row.is_deleted()).ok_or_else(Refusal::not_found)?;
    let ordered = books.lists.orders.get(&number).map(|order| order.as_document());
    Ok((number, ordered.or_else(|| books.documents.get(&number).cloned()).ok_or_else(Refusal::not_found)?))
}

pub fn printed(books: &Books, entity: Entity, id: &str) -> Result<Vec<u8>, Refusal> {
    let (_, document) = form(books, entity, id)?;
    Ok(crate::paper::of_document(books, entity.name(), &document))
}

/// The form as it stands once it is sent: EmailStatus, the address, and when it was delivered.
pub fn send(books: &mut Books, entity: Entity, id: &str, to: Option<&str>, now: Timestamp) -> Result<Object, Refusal> {
    let (number, document) = form(books, entity, id)?;
    let kept = || books.lists.properties.get(&(entity.name().to_owned(), number)).and_then(|own| own.get("BillEmail"));
    let of_contact = || document.contact.and_then(|id| books.contacts.get(&id)).map(|contact| contact.email.clone());
    let known =
        kept().and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok()).and_then(|mail| mail["Address"].as_str().map(str::to_owned));
    let address = to.filter(|to| !to.is_empty()).map(str::to_owned).or(known).or_else(of_contact).unwrap_or_default();
    if !address.contains('@') {
        return Err(Refusal::business("An e-mail address is needed to send the transaction"));
    }
    let day = books.lists.mailed.entry(now.as_second() / 86_400).or_default();
    if *day >= MOST_MAILS_A_DAY {
        return Err(Refusal::business(format!("A sandbox company sends at most {MOST_MAILS_A_DAY} e-mails a day")));
    }
    *day += 1;
    let own = books.lists.properties.entry((entity.name().to_owned(), number)).or_default();
    for (name, value) in [
        ("EmailStatus", serde_json::json!("EmailSent")),
        ("BillEmail", serde_json::json!({"Address": address})),
        ("DeliveryInfo", serde_json::json!({"DeliveryType": "Email", "DeliveryTime": moments::seconds(now)})),
    ] {
        // payments and orders do not have all of these
        if schema::property(entity.name(), name).is_some() {
            own.insert(name.into(), value.to_string());
        }
    }
    write::touch(books, entity, number, now);
    let what = if matches!(entity, Entity::Order(_)) { What::Listed(entity.name(), number) } else { What::Document(number) };
    books.recent.note(what, Verb::Emailed, now);
    let view = View::new(books, now);
    let row = rows::find(books, entity, number).ok_or_else(Refusal::not_found)?;
    Ok(Object::new().put(entity.key(), row.render(&view)))
}
