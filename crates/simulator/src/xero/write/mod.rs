//! The write side: elements in the body of a PUT or POST become records, one by one, and what is wrong with them is told one by one.
//!
//! Contract: providers/xero.md 3.1 (PUT creates, POST creates or updates, summarizeErrors, Idempotency-Key) and section 8.
mod allocations;
mod banking;
mod contacts;
mod documents;
mod expenses;
mod fields;
mod groups;
mod journals;
mod lines;
mod notes;
mod orders;
mod payments;
mod settings;
mod tracking;

use super::lists::Parameters;
use super::read::{self, envelope};
use super::refusal::{self, Refusal};
use super::resource::Resource;
use super::target::{Below, Target};
use super::tree::Node;
use super::wire::dates;
use super::wire::json::{Object, array, quoted};
use super::xml;
use crate::books::Books;
use crate::markup;
use axum::body::Bytes;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use fields::Problems;
use jiff::Timestamp;
use jiff::civil::Date;

/// A call that changes something and was let in.
pub struct Writing<'a> {
    pub target: &'a Target,
    pub method: &'a Method,
    pub app: &'a str,
    /// The person who connected the app, for the history of records.
    pub user: &'a str,
    pub parameters: Parameters,
    pub body: &'a Bytes,
    pub content_type: &'a str,
    pub now: Timestamp,
}

/// What an element is made with.
pub struct Maker<'a> {
    pub app: &'a str,
    pub now: Timestamp,
    /// Today at the organisation.
    pub today: Date,
    /// PUT: a record that exists already is refused, not changed.
    pub only_new: bool,
}

/// A record that was made or changed.
pub type Saved = Result<u64, Problems>;

/// More elements than any client sends at once (section 7: 50 are advised).
const MOST_ELEMENTS: usize = 1_000;

impl Writing<'_> {
    pub fn answer(&self, books: &mut Books) -> Result<Response, Refusal> {
        let maker = Maker { app: self.app, now: self.now, today: dates::today(self.now, &books.time_zone), only_new: self.method == Method::PUT };
        match self.target {
            _ if self.method == Method::DELETE => self.delete(books, &maker),
            Target::Below(resource, id, Below::Attachments, Some(file)) => {
                let owner = read::record_id(books, *resource, id).ok_or(Refusal::NotFound)?;
                let online = self.parameters.flag("includeonline")?;
                let attached = notes::attach(books, *resource, owner, file, self.content_type, self.body, online, self.now);
                Ok(refusal::json(200, envelope(self.app, self.now).list("Attachments", &[attached]).end()))
            }
            Target::Below(Resource::Invoices, id, Below::Email, None) => {
                let invoice = read::record_id(books, Resource::Invoices, id).ok_or(Refusal::NotFound)?;
                documents::send(books, invoice, self.now).map_err(|Problems(all)| Refusal::Validation(all.join("; ")))?;
                Ok(StatusCode::NO_CONTENT.into_response())
            }
            _ => {
                let body = self.read_body().ok_or(Refusal::Unreadable)?;
                self.save_all(books, &maker, body)
            }
        }
    }

    /// JSON, or XML, which older clients send: as it is, or as the form field `xml` (pyxero's manager.py).
    fn read_body(&self) -> Option<Node> {
        if self.content_type.starts_with("application/x-www-form-urlencoded") {
            let mut fields = url::form_urlencoded::parse(self.body);
            return fields.find(|(name, _)| name == "xml").and_then(|(_, text)| xml::body(&text));
        }
        match std::str::from_utf8(self.body) {
            Ok(text) if markup::is_likely(text) => xml::body(text),
            _ => Node::read(self.body),
        }
    }

    /// The key of the list in body and answer.
    fn list_key(&self) -> &'static str {
        match self.target {
            Target::Below(_, _, Below::History, _) => "HistoryRecords",
            Target::Below(_, _, Below::Allocations, _) => "Allocations",
            Target::Below(_, _, Below::Options, _) => "Options",
            Target::Below(_, _, Below::Contacts, _) => "Contacts",
            Target::List(resource) | Target::One(resource, _) | Target::Below(resource, ..) => resource.list_key(),
            _ => "Elements",
        }
    }

    fn save_all(&self, books: &mut Books, maker: &Maker, body: Node) -> Result<Response, Refusal> {
        let elements = elements(body, self.list_key());
        if elements.is_empty() || elements.len() > MOST_ELEMENTS || elements.iter().any(|element| !matches!(element, Node::Object(_))) {
            return Err(Refusal::Unreadable);
        }
        let each = matches!(self.parameters.flag("summarizeerrors"), Ok(false)) && self.parameters.get("summarizeerrors").is_some();
        // all or nothing, unless the call asks to be told about each element
        let before = (!each && elements.len() > 1).then(|| books.clone());
        let (mut records, mut failed) = (Vec::new(), Vec::new());
        for element in &elements {
            match self.save(books, maker, element)? {
                Ok(record) => records.push(if each { with_field(record, "StatusAttributeString", "\"OK\"") } else { record }),
                Err(problems) => {
                    let told = told(element, &problems, each);
                    records.push(told.clone());
                    failed.push(told);
                }
            }
        }
        if !failed.is_empty() && !each {
            if let Some(before) = before {
                *books = before;
            }
            return Err(Refusal::Elements(failed));
        }
        Ok(refusal::json(200, envelope(self.app, self.now).list(self.list_key(), &records).end()))
    }

    /// One element; the record as it stands afterwards.
    fn save(&self, books: &mut Books, maker: &Maker, element: &Node) -> Result<Result<String, Problems>, Refusal> {
        match self.target {
            Target::List(resource) => {
                let saved = save_record(books, maker, *resource, None, element);
                Ok(saved.and_then(|id| self.shown(books, *resource, id)))
            }
            Target::One(resource, id) => {
                let known = read::record_id(books, *resource, id).ok_or(Refusal::NotFound)?;
                let saved = save_record(books, maker, *resource, Some(known), element);
                Ok(saved.and_then(|id| self.shown(books, *resource, id)))
            }
            Target::Below(resource, id, below, rest) => {
                let owner = read::record_id(books, *resource, id).ok_or(Refusal::NotFound)?;
                match below {
                    Below::History => Ok(notes::note(books, *resource, owner, element, self.user, self.now)),
                    Below::Allocations => Ok(allocations::allocate(books, maker, *resource, owner, element)),
                    Below::Options => tracking::save_option(books, maker, owner, rest.as_deref(), element),
                    Below::Contacts => Ok(groups::add_member(books, owner, element)),
                    _ => Err(Refusal::NotImplemented),
                }
            }
            _ => Err(Refusal::NotImplemented),
        }
    }

    fn shown(&self, books: &Books, resource: Resource, id: u64) -> Result<String, Problems> {
        let guid = match resource {
            Resource::TaxRates => books.tax_rate(id).map(|rate| rate.code.clone()).unwrap_or_default(),
            Resource::Currencies => return Ok(settings::currency(books, id)),
            _ => books.guid(resource.word(), id),
        };
        if let Some(record) = read::one(books, resource, &guid, &self.parameters, self.now) {
            return Ok(record);
        }
        // what was deleted by the call is in no list any more
        Ok(Object::new().text(&format!("{}ID", resource.word()), &guid).text("Status", "DELETED").end())
    }

    fn delete(&self, books: &mut Books, maker: &Maker) -> Result<Response, Refusal> {
        let refused = |Problems(all): Problems| Refusal::Validation(all.join("; "));
        let (key, record) = match self.target {
            Target::One(resource, id) => {
                let known = read::record_id(books, *resource, id).ok_or(Refusal::NotFound)?;
                let before = self.shown(books, *resource, known).map_err(refused)?;
                delete_record(books, maker, *resource, known).map_err(refused)?;
                match resource {
                    Resource::Accounts => (resource.list_key(), replaced_status(&before)),
                    Resource::Kept(kept) if kept.name == "TrackingCategories" => (resource.list_key(), replaced_status(&before)),
                    _ => return Ok(StatusCode::NO_CONTENT.into_response()),
                }
            }
            Target::Below(resource, id, below, rest) => {
                let owner = read::record_id(books, *resource, id).ok_or(Refusal::NotFound)?;
                match (below, rest) {
                    (Below::Allocations, Some(allocation)) => {
                        let record = allocations::take_back(books, maker, *resource, owner, allocation)?;
                        return Ok(refusal::json(200, merged(envelope(self.app, self.now).end(), &record)));
                    }
                    (Below::Options, Some(option)) => ("Options", tracking::delete_option(books, maker, owner, option)?),
                    (Below::Contacts, member) => {
                        groups::remove_members(books, owner, member.as_deref())?;
                        return Ok(StatusCode::NO_CONTENT.into_response());
                    }
                    _ => return Err(Refusal::NotImplemented),
                }
            }
            _ => return Err(Refusal::NotImplemented),
        };
        Ok(refusal::json(200, envelope(self.app, self.now).list(key, &[record]).end()))
    }
}

fn save_record(books: &mut Books, maker: &Maker, resource: Resource, known: Option<u64>, element: &Node) -> Saved {
    match resource {
        Resource::Contacts => contacts::save(books, maker, known, element),
        Resource::Accounts => settings::save_account(books, maker, known, element),
        Resource::Items => settings::save_item(books, maker, known, element),
        Resource::TaxRates => settings::save_tax_rate(books, maker, element),
        Resource::Currencies => settings::add_currency(books, maker, element),
        Resource::Invoices => documents::save_invoice(books, maker, known, element),
        Resource::CreditNotes => documents::save_credit_note(books, maker, known, element),
        Resource::Payments => payments::save(books, maker, known, element),
        Resource::BankTransactions => banking::save_transaction(books, maker, known, element),
        Resource::BankTransfers => banking::save_transfer(books, maker, element),
        Resource::ManualJournals => journals::save(books, maker, known, element),
        Resource::Kept(kept) => match kept.name {
            "BatchPayments" => payments::save_batch(books, maker, known, element),
            "Quotes" | "PurchaseOrders" => orders::save(books, maker, kept.name == "Quotes", known, element),
            "TrackingCategories" => tracking::save_category(books, maker, known, element),
            "Receipts" => expenses::save_receipt(books, maker, known, element),
            "ExpenseClaims" => expenses::save_claim(books, maker, known, element),
            "ContactGroups" => groups::save(books, maker, known, element),
            "LinkedTransactions" => groups::save_linked(books, maker, known, element),
            _ => Err(Problems::one("This cannot be written")),
        },
        Resource::Organisation | Resource::Journals => Err(Problems::one("This cannot be written")),
    }
}

fn delete_record(books: &mut Books, maker: &Maker, resource: Resource, id: u64) -> Result<(), Problems> {
    match resource {
        Resource::Accounts => settings::delete_account(books, id),
        Resource::Items => {
            books.xero.deleted_items.insert(id);
            Ok(())
        }
        Resource::Kept(kept) if kept.name == "LinkedTransactions" => {
            books.xero.linked_transactions.remove(&id);
            Ok(())
        }
        Resource::Kept(kept) if kept.name == "TrackingCategories" => tracking::delete_category(books, maker, id),
        _ => Err(Problems::one("This cannot be deleted")),
    }
}

/// `{"Invoices":[…]}`, a bare list, or one bare element.
fn elements(body: Node, key: &str) -> Vec<Node> {
    match body {
        Node::List(items) => items,
        Node::Object(_) if matches!(body.get(key), Some(Node::List(_))) => {
            body.get(key).and_then(Node::list).map(<[Node]>::to_vec).unwrap_or_default()
        }
        one => vec![one],
    }
}

/// The record with one more field at its end.
fn with_field(record: String, name: &str, json: &str) -> String {
    match record.strip_suffix('}') {
        Some(open) if open.ends_with('{') => format!("{open}{}:{json}}}", quoted(name)),
        Some(open) => format!("{open},{}:{json}}}", quoted(name)),
        None => record,
    }
}

/// The fields of both objects.
fn merged(first: String, second: &str) -> String {
    match (first.strip_suffix('}'), second.strip_prefix('{')) {
        (Some(open), Some(rest)) => format!("{open},{rest}"),
        _ => first,
    }
}

fn replaced_status(record: &str) -> String {
    ["ACTIVE", "ARCHIVED"]
        .into_iter()
        .fold(record.to_string(), |record, status| record.replacen(&format!("\"Status\":\"{status}\""), "\"Status\":\"DELETED\"", 1))
}

/// The element as it was sent, with what is wrong with it.
fn told(element: &Node, problems: &Problems, with_status: bool) -> String {
    let errors: Vec<String> = problems.0.iter().map(|message| Object::new().text("Message", message).end()).collect();
    let echo = with_field(clean(element, ""), "ValidationErrors", &array(&errors));
    let echo = with_field(echo, "HasErrors", "true");
    if with_status { with_field(echo, "StatusAttributeString", "\"ERROR\"") } else { echo }
}

/// What was sent, in the form answers have: no nulls, dates as Xero writes them, none of the fields that say what is wrong.
fn clean(node: &Node, name: &str) -> String {
    match node {
        Node::Object(fields) => {
            let kept = fields
                .iter()
                .filter(|(name, value)| *value != Node::Null && !matches!(name.as_str(), "ValidationErrors" | "HasErrors" | "StatusAttributeString"));
            kept.fold(Object::new(), |object, (name, value)| object.field(name, &clean(value, name))).end()
        }
        Node::List(items) => array(&items.iter().filter(|item| **item != Node::Null).map(|item| clean(item, "")).collect::<Vec<_>>()),
        Node::Text(text) if name.ends_with("Date") => match fields::day(text) {
            Some(day) => dates::ms_date(day),
            None => node.json(),
        },
        _ => node.json(),
    }
}
