//! Writes through the API: create, full and sparse update, delete, void.
//!
//! "update when the body has Id and SyncToken; sparse true for partial" (contract 2.1, 2.7). A sparse update is a full update with what the
//! record shows already in the place of what is missing. What the books keep goes through their own checks; properties that no rule of the
//! books looks at (addresses, notes) are kept beside them as they were sent.
mod documents;
mod fields;
mod lines;
mod names;
mod orders;
mod plans;
pub mod properties;
mod small_lists;
pub mod taxes;

pub use small_lists::owners;

use super::body::{self, Value};
use super::entity::Entity;
use super::refusal::Refusal;
use super::rows::{self, Row};
use super::schema::conform;
use super::wire::View;
use super::wire::tree::Object;
use super::xml;
use crate::books::lists::OrderStatus;
use crate::books::recent::{Verb, What};
use crate::books::{Books, Kind, Refused};
use crate::markup;
use fields::{flag, text};
use jiff::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Create or update.
    Save,
    Delete,
    /// `?operation=void`: invoices.
    Void,
    /// `?operation=update&include=void`: payments, sales receipts, bill payments.
    UpdateVoid,
}

impl Operation {
    pub fn named(operation: Option<&str>, include: Option<&str>) -> Result<Operation, Refusal> {
        match (operation.unwrap_or_default().to_ascii_lowercase().as_str(), include) {
            ("update", Some("void")) => Ok(Operation::UpdateVoid),
            ("" | "create" | "update", _) => Ok(Operation::Save),
            ("delete", _) => Ok(Operation::Delete),
            ("void", _) => Ok(Operation::Void),
            (other, _) => Err(Refusal::unsupported(format!("Operation {other} is not supported."))),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Refusal {
        Refusal::business(refused.0)
    }
}

impl From<conform::Misfit> for Refusal {
    fn from(misfit: conform::Misfit) -> Refusal {
        Refusal::unsupported_property(&misfit.0)
    }
}

/// What a write has in its hands.
pub struct Write<'a> {
    pub books: &'a mut Books,
    pub entity: Entity,
    /// The whole record as it is to be.
    pub fields: Object,
    /// The record to change; `None`: a new one.
    pub id: Option<u64>,
    /// `include=allowduplicatedocnum`.
    pub allows_twins: bool,
    pub now: Timestamp,
}

/// `{"<Entity>":{…}}` for a body, in JSON or XML.
pub fn answer(books: &mut Books, entity: Entity, operation: Operation, text: &str, allows_twins: bool, now: Timestamp) -> Result<Object, Refusal> {
    let value = if markup::is_likely(text) {
        xml::record(entity, text).ok_or_else(|| Refusal::unsupported_property(entity.key()))?
    } else {
        body::read(text).map_err(|error| Refusal::unsupported_property(&format!("{error}")))?
    };
    apply(books, entity, operation, &value, allows_twins, now)
}

/// `{"<Entity>":{…}}` for a body that is read.
pub fn apply(books: &mut Books, entity: Entity, operation: Operation, value: &Value, allows_twins: bool, now: Timestamp) -> Result<Object, Refusal> {
    let fields = conform::object(entity.name(), value)?;
    match operation {
        Operation::Save if entity == Entity::ExchangeRate => {
            let (code, day) = plans::exchange_rate(books, &fields, now)?;
            let row = rows::exchange_rates(books, day).find(|row| row.name() == code).ok_or_else(Refusal::not_found)?;
            Ok(Object::new().put(entity.key(), row.render(&View::new(books, now))))
        }
        Operation::Delete => delete(books, entity, &fields, now),
        Operation::Void | Operation::UpdateVoid => void(books, entity, operation, &fields, now),
        Operation::Save => {
            let own = plans::identified(entity, &fields)?;
            let before = text(&own, "Id").and_then(|id| id.parse().ok()).and_then(|id| rows::find(books, entity, id)).map(|row| row.sync_token());
            let id = save(books, entity, fields, allows_twins, now)?;
            let after = rows::find(books, entity, id).map(|row| row.sync_token());
            if before != after {
                tell(books, entity, id, if before.is_none() { Verb::Create } else { Verb::Update }, now);
            }
            let view = View::new(books, now);
            let row = rows::find(books, entity, id).expect("a record that was just written");
            Ok(Object::new().put(entity.key(), row.render(&view)))
        }
    }
}

/// The record a body means, after the checks of its id and version.
fn existing<'a>(books: &'a Books, entity: Entity, fields: &Object) -> Result<Row<'a>, Refusal> {
    let fields = &plans::identified(entity, fields)?;
    let id = text(fields, "Id").ok_or_else(|| Refusal::missing_parameter("Id"))?;
    let number: u64 = id.parse().map_err(|_| Refusal::invalid_id(id))?;
    let row = rows::find(books, entity, number).filter(|row| !row.is_deleted()).ok_or_else(Refusal::not_found)?;
    let token = text(fields, "SyncToken").ok_or_else(|| Refusal::missing_parameter("SyncToken"))?;
    if token.parse() != Ok(row.sync_token()) {
        return Err(Refusal::stale());
    }
    Ok(row)
}

fn save(books: &mut Books, entity: Entity, fields: Object, allows_twins: bool, now: Timestamp) -> Result<u64, Refusal> {
    let unsupported = || Refusal::unsupported(format!("Operation create or update of {} is not supported.", entity.name()));
    let is_update = text(&plans::identified(entity, &fields)?, "Id").is_some();
    let (id, fields) = if is_update {
        let row = existing(books, entity, &fields)?;
        let is_sparse = flag(&fields, "sparse") == Some(true);
        let whole = if is_sparse && entity == Entity::Preferences {
            // groups of preferences are changed one by one
            let mut whole = row.render(&View::new(books, now));
            whole.lay_over(fields);
            whole
        } else if is_sparse {
            properties::laid_over(&row.render(&View::new(books, now)), fields)
        } else {
            fields
        };
        (Some(row.id()), whole)
    } else {
        (None, fields)
    };
    let sent = fields.clone();
    let write = Write { books, entity, fields, id, allows_twins, now };
    let version = |books: &Books, id: u64| rows::find(books, entity, id).map(|row| row.sync_token());
    let kept = write.id.map(|id| properties::kept(write.books, entity, id)).unwrap_or_default();
    let before = write.id.and_then(|id| version(write.books, id));
    let id = match entity {
        Entity::Account | Entity::Customer | Entity::Vendor | Entity::Employee | Entity::Item => names::save(write)?,
        Entity::Tracking(_) | Entity::Term | Entity::PaymentMethod | Entity::CompanyCurrency | Entity::TimeActivity | Entity::Attachable => {
            small_lists::save(write)?
        }
        Entity::Order(_) => orders::save(write)?,
        // what is planned keeps nothing beside the books
        Entity::Budget => return plans::budget(&mut { write }),
        Entity::RecurringTransaction => return plans::template(write),
        Entity::CompanyInfo | Entity::Preferences if write.id.is_some() => company(&write)?,
        Entity::Transaction(_) | Entity::Variant(_) => documents::save(write)?,
        _ => return Err(unsupported()),
    };
    let changed = properties::keep(books, entity, id, &sent, kept, now);
    if changed && before.is_some() && before == version(books, id) {
        touch(books, entity, id, now);
    }
    Ok(id)
}

/// What there is one of can be changed, not made.
fn company(write: &Write) -> Result<u64, Refusal> {
    let basis = fields::inner(&write.fields, "ReportPrefs").and_then(|prefs| text(prefs, "ReportBasis"));
    if basis.is_some_and(|basis| !["Accrual", "Cash"].contains(&basis)) {
        return Err(Refusal::invalid_parameter("ReportBasis", "Valid values are Accrual, Cash"));
    }
    Ok(1)
}

/// Tells of a change of what the books themselves tell nothing of.
pub fn tell(books: &mut Books, entity: Entity, id: u64, verb: Verb, now: Timestamp) {
    let is_told_by_books =
        matches!(entity, Entity::Account | Entity::Customer | Entity::Vendor | Entity::Item | Entity::Transaction(_) | Entity::Variant(_));
    if !is_told_by_books {
        books.recent.note(What::Listed(entity.name(), id), verb, now);
    }
}

/// One more version of a record whose kept properties changed.
pub fn touch(books: &mut Books, entity: Entity, id: u64, now: Timestamp) {
    if let Entity::CompanyInfo | Entity::Preferences = entity {
        let edit = books.lists.edits.entry(entity.name()).or_insert((0, now));
        *edit = (edit.0 + 1, now);
        return;
    }
    let lists = &mut books.lists;
    let stamp = match entity {
        Entity::Employee => lists.employees.get_mut(&id).map(|entry| &mut entry.stamp),
        Entity::Tracking(_) => lists.options.get_mut(&id).map(|entry| &mut entry.stamp),
        Entity::Term => lists.terms.get_mut(&id).map(|entry| &mut entry.stamp),
        Entity::PaymentMethod => lists.payment_methods.get_mut(&id).map(|entry| &mut entry.stamp),
        Entity::TimeActivity => lists.time_activities.get_mut(&id).map(|entry| &mut entry.stamp),
        Entity::Order(_) => lists.orders.get_mut(&id).map(|entry| &mut entry.stamp),
        Entity::Attachable => super::wire::attachables::id_of(id).and_then(|id| lists.attachments.get_mut(&id)).map(|entry| &mut entry.stamp),
        _ => None,
    };
    if let Some(stamp) = stamp {
        return stamp.touch(now);
    }
    let (updated_at, sync_token) = match entity {
        Entity::Account => match books.accounts.get_mut(&id) {
            Some(account) => (&mut account.updated_at, &mut account.sync_token),
            None => return,
        },
        Entity::Customer | Entity::Vendor => match books.contacts.get_mut(&id) {
            Some(contact) => (&mut contact.updated_at, &mut contact.sync_token),
            None => return,
        },
        Entity::Item => match books.items.get_mut(&id) {
            Some(item) => (&mut item.updated_at, &mut item.sync_token),
            None => return,
        },
        _ => match books.documents.get_mut(&id) {
            Some(document) => (&mut document.updated_at, &mut document.sync_token),
            None => return,
        },
    };
    *updated_at = now;
    *sync_token += 1;
}

/// `{"<Entity>":{"domain":"QBO","status":"Deleted","Id":"…"}}`. Names are never deleted, only made inactive (contract 7.1).
fn delete(books: &mut Books, entity: Entity, fields: &Object, now: Timestamp) -> Result<Object, Refusal> {
    let can_be = matches!(
        entity,
        Entity::Transaction(_) | Entity::Variant(_) | Entity::Order(_) | Entity::TimeActivity | Entity::Attachable | Entity::RecurringTransaction
    );
    if !can_be {
        return Err(Refusal::unsupported(format!("Operation delete of {} is not supported.", entity.name())));
    }
    let (id, shown) = {
        let row = existing(books, entity, fields)?;
        (row.id(), row.shown_id())
    };
    let gone = |stamp: &mut crate::books::lists::Stamp| {
        stamp.deleted = true;
        stamp.touch(now);
    };
    match entity {
        Entity::Order(_) => books.set_order_status(id, OrderStatus::Deleted, now)?,
        Entity::TimeActivity => gone(&mut books.lists.time_activities.get_mut(&id).expect("found above").stamp),
        Entity::RecurringTransaction => gone(&mut books.lists.templates.get_mut(&id).expect("found above").stamp),
        Entity::Attachable => {
            let id = super::wire::attachables::id_of(id).expect("found above");
            gone(&mut books.lists.attachments.get_mut(&id).expect("found above").stamp);
        }
        _ => {
            documents::refuse_closed(books, books.documents[&id].date)?;
            documents::refuse_deposited(books, id)?;
            books.delete(id, now)?;
        }
    }
    tell(books, entity, id, Verb::Delete, now);
    let stub = Object::new().put("domain", "QBO").put("status", "Deleted").put("Id", shown);
    Ok(Object::new().put(entity.key(), stub))
}

/// "Invoice: operation=void; Payment, SalesReceipt, BillPayment: operation=update&include=void" (contract 2.1).
fn void(books: &mut Books, entity: Entity, operation: Operation, fields: &Object, now: Timestamp) -> Result<Object, Refusal> {
    let expected = match entity {
        Entity::Transaction(Kind::Invoice) => Operation::Void,
        Entity::Transaction(Kind::Payment | Kind::SalesReceipt | Kind::BillPayment) => Operation::UpdateVoid,
        _ => return Err(Refusal::unsupported(format!("Operation void of {} is not supported.", entity.name()))),
    };
    if operation != expected {
        return Err(Refusal::unsupported(format!("Operation void of {} is not supported in this form.", entity.name())));
    }
    let id = existing(books, entity, fields)?.id();
    documents::refuse_closed(books, books.documents[&id].date)?;
    documents::refuse_deposited(books, id)?;
    books.void(id, now)?;
    properties::zero_lines(books, entity, id);
    let view = View::new(books, now);
    let row = rows::find(books, entity, id).expect("a document that was just voided");
    Ok(Object::new().put(entity.key(), row.render(&view)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::generator::{CompanySpec, generate};
    use crate::books::{AccountType, Face};
    use crate::quickbooks::schema::{self, Type};
    use jiff::civil::date;
    use proptest::prelude::*;
    use std::cell::RefCell;

    fn now() -> Timestamp {
        "2025-04-01T00:00:00Z".parse().expect("a time")
    }

    fn books() -> Books {
        let mut books = generate(Face::QuickBooks, CompanySpec::plain(Face::QuickBooks, 1, date(2025, 1, 1), date(2025, 3, 31)), now());
        books.add_account("Stock", "", AccountType::Inventory, None, None, now());
        books
    }

    thread_local! {
        /// Grows with every accepted body of a test's thread.
        static BOOKS: RefCell<Books> = RefCell::new(books());
    }

    /// Values that clients get wrong, for a property of the schema; `random` chooses.
    fn value(property: &schema::Property, random: &mut impl FnMut(u64) -> u64, depth: u32) -> Value {
        let text = |random: &mut dyn FnMut(u64) -> u64| match random(8) {
            0 => String::new(),
            1 => "é\u{1f600}\n".repeat(40),
            2 => "2025-02-30".into(),
            3 => "-9999-01-01".into(),
            4 => "99999999999999999999".into(),
            5 => ["Invoice", "Bill", "Check", "Debit", "Credit", "Vendor", "Employee", "Service"][usize::try_from(random(8)).expect("small")].into(),
            _ => random(1_400).to_string(),
        };
        if property.is_list && random(10) > 0 {
            let element = schema::Property { is_list: false, ..*property };
            return Value::List((0..random(3)).map(|_| value(&element, random, depth)).collect());
        }
        match (property.of, random(12)) {
            (_, 0) => Value::Null,
            (_, 1) => Value::Text(text(random)),
            (Type::Number | Type::Integer, _) => {
                let numbers =
                    ["0", "-1", "10", "0.005", "1e99", "123456789012345678901234567890", "-0.00", "999999999999.99", "1000000", "3.33", "100"];
                Value::Number(numbers[usize::try_from(random(11)).expect("small")].into())
            }
            (Type::Bool, _) => Value::Bool(random(2) == 0),
            (Type::Date, _) => Value::Text(
                ["2025-03-01", "1899-12-31", "2199-12-31", "0001-01-01", "2025-03-01T10:00:00"][usize::try_from(random(5)).expect("small")].into(),
            ),
            (Type::Shape(shape), _) if depth < 5 => record(shape, random, depth + 1),
            (Type::Shape(_) | Type::Any, _) => Value::List(vec![Value::Number("7".into())]),
            (Type::Text | Type::Moment, _) => Value::Text(text(random)),
        }
    }

    fn record(of: &str, random: &mut impl FnMut(u64) -> u64, depth: u32) -> Value {
        let all = schema::properties(of);
        let mut entries = Vec::new();
        for property in &all {
            // What decides the most is there the most.
            let weighty = property.name.ends_with("Ref")
                || ["Line", "DetailType", "Amount", "TotalAmt", "Name", "DisplayName", "value"].contains(&property.name);
            let weighty =
                weighty || property.name.ends_with("LineDetail") || ["Id", "SyncToken", "sparse", "PayType", "PaymentType"].contains(&property.name);
            if random(if weighty { 2 } else { 9 }) == 0 {
                let value = match property.name {
                    "DetailType" => Value::Text(
                        all.iter()
                            .filter(|other| other.name.ends_with("Detail"))
                            .nth(usize::try_from(random(18)).expect("small"))
                            .map_or("", |p| p.name)
                            .into(),
                    ),
                    "SyncToken" => Value::Text(random(2).to_string()),
                    _ => value(property, random, depth),
                };
                entries.push((property.name.to_owned(), value));
            }
        }
        Value::Object(entries)
    }

    /// Changes one place of a value: takes it away, doubles it, or puts something else there.
    fn twist(value: &mut Value, random: &mut impl FnMut(u64) -> u64) {
        let pick = |length: usize, random: &mut dyn FnMut(u64) -> u64| usize::try_from(random(u64::try_from(length).expect("small"))).expect("small");
        match value {
            Value::Object(entries) if !entries.is_empty() => {
                let index = pick(entries.len(), random);
                match random(6) {
                    0 => {
                        entries.remove(index);
                    }
                    _ => twist(&mut entries[index].1, random),
                }
            }
            Value::List(items) if !items.is_empty() => {
                let index = pick(items.len(), random);
                match random(6) {
                    0 => {
                        items.remove(index);
                    }
                    1 => items.push(items[index].clone()),
                    _ => twist(&mut items[index], random),
                }
            }
            Value::Number(text) => {
                let numbers = ["0", "-1", "0.01", "999999999999.99", "9999999999.99", "123456789012345678901", "0.000001", "1e5", "10000"];
                *text = numbers[pick(numbers.len(), random)].into();
            }
            Value::Text(text) => {
                let texts =
                    ["", "1", "40", "60", "900", "2199-12-31", "1900-01-01", "Credit", "Debit", "TAX", "EUR", "Vendor", "SalesItemLineDetail"];
                *text = texts[pick(texts.len(), random)].into();
            }
            Value::Bool(flag) => *flag = !*flag,
            other => *other = Value::Text("x".into()),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_500))]

        #[test]
        fn no_body_panics_or_unbalances_the_books(seed in any::<u64>(), entity in 0..37_usize, operation in 0..6_usize) {
            let entity = Entity::all().nth(entity).expect("37 entities");
            let operation = [Operation::Save, Operation::Save, Operation::Save, Operation::Delete, Operation::Void, Operation::UpdateVoid][operation];
            let mut state = seed;
            let mut random = |end: u64| {
                state = crate::books::guid::mix(state);
                state % end
            };
            let body = record(entity.name(), &mut random, 0).written();
            BOOKS.with_borrow_mut(|books| {
                let journals = books.journals.len();
                match answer(books, entity, operation, &body, false, now()) {
                    Ok(answered) => {
                        let text = serde_json::to_string(&answered).expect("a tree is JSON");
                        body::read(&text).expect("an answer is JSON");
                    }
                    Err(refusal) => prop_assert_eq!(refusal.status, axum::http::StatusCode::BAD_REQUEST),
                }
                for journal in &books.journals[journals..] {
                    prop_assert!(journal.postings.iter().map(|posting| posting.amount).sum::<crate::money::Cents>().is_zero());
                }
                Ok(())
            })?;
        }

        #[test]
        fn no_changed_record_panics_or_unbalances_the_books(seed in any::<u64>(), entity in 2..37_usize, is_new in any::<bool>(), changes in 0..4) {
            let entity = Entity::all().nth(entity).expect("37 entities");
            let mut state = seed;
            let mut random = |end: u64| {
                state = crate::books::guid::mix(state);
                state % end
            };
            BOOKS.with_borrow_mut(|books| {
                let count = u64::try_from(rows::living(books, entity).count()).expect("small");
                let Some(index) = count.checked_sub(1).map(|last| random(last + 1)) else { return Ok(()) };
                let row = rows::living(books, entity).nth(usize::try_from(index).expect("small")).expect("counted above");
                let text = serde_json::to_string(&row.render(&View::new(books, now()))).expect("a tree is JSON");
                let mut value = body::read(&text).expect("a record is JSON");
                if let (true, Value::Object(entries)) = (is_new, &mut value) {
                    entries.retain(|(key, _)| !matches!(key.as_str(), "Id" | "SyncToken" | "DocNumber" | "LinkedTxn"));
                }
                for _ in 0..changes {
                    twist(&mut value, &mut random);
                }
                let journals = books.journals.len();
                if let Err(refusal) = answer(books, entity, Operation::Save, &value.written(), true, now()) {
                    prop_assert_eq!(refusal.status, axum::http::StatusCode::BAD_REQUEST);
                }
                for journal in &books.journals[journals..] {
                    prop_assert!(journal.postings.iter().map(|posting| posting.amount).sum::<crate::money::Cents>().is_zero());
                }
                Ok(())
            })?;
        }

        #[test]
        fn no_text_panics(text in "[\\[\\]{}:,\"A-z0-9.+\\\\ -]{0,60}", entity in 0..37_usize) {
            let entity = Entity::all().nth(entity).expect("37 entities");
            BOOKS.with_borrow_mut(|books| answer(books, entity, Operation::Save, &text, false, now()).map_err(|refusal| refusal.code).err());
        }
    }
}
