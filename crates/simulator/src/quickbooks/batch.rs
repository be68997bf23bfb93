//! Batch: up to thirty writes and queries in one call, each with its own answer.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/batch>
use super::body::{self, Value};
use super::entity::Entity;
use super::moments;
use super::query;
use super::refusal::Refusal;
use super::reports::{self, Parameters};
use super::wire::View;
use super::wire::tree::{Json, Object};
use super::write::{self, Operation};
use super::{cdc, xml};
use crate::books::Books;
use crate::markup;
use jiff::Timestamp;

/// "30 items per request" (contract 5).
const MOST_ITEMS: usize = 30;
/// "400,000 cells per answer" (contract 6.7).
const MOST_CELLS: u64 = 400_000;

pub fn answer(books: &mut Books, text: &str, base: &str, now: Timestamp) -> Result<Object, Refusal> {
    let value = if markup::is_likely(text) {
        xml::batch(text).ok_or_else(|| Refusal::unsupported_property("IntuitBatchRequest"))?
    } else {
        body::read(text).map_err(|error| Refusal::unsupported_property(&error.to_string()))?
    };
    let Some(Value::List(items)) = value.get("BatchItemRequest") else { return Err(Refusal::missing_parameter("BatchItemRequest")) };
    if items.len() > MOST_ITEMS {
        return Err(Refusal::batch_too_large(MOST_ITEMS));
    }
    let answers: Vec<Object> = items.iter().map(|item| one(books, item, base, now)).collect();
    Ok(Object::new().put("BatchItemResponse", answers).put("time", Json::Text(moments::milliseconds(now))))
}

/// "Items run independently; HTTP is 200 with a per-item Fault; bId echoed" (contract 5).
fn one(books: &mut Books, item: &Value, base: &str, now: Timestamp) -> Object {
    let answered = run(books, item, base, now).unwrap_or_else(|refusal| refusal.fault());
    answered.put_some("bId", item.get("bId").and_then(Value::text))
}

fn run(books: &mut Books, item: &Value, base: &str, now: Timestamp) -> Result<Object, Refusal> {
    let Value::Object(entries) = item else { return Err(Refusal::unsupported_property("BatchItemRequest")) };
    if let Some(statement) = item.get("Query").and_then(Value::text) {
        let view = View::new(books, now).asked_at(base);
        return Ok(Object::new().put("QueryResponse", query::answer(&view, statement)?));
    }
    if let Some(asked) = item.get("CDCQuery") {
        let view = View::new(books, now).asked_at(base);
        let part = |name: &str| asked.get(name).and_then(Value::text);
        return Ok(Object::new().put("CDCResponse", cdc::answer(&view, part("Entities"), part("ChangedSince"), false)?));
    }
    if let Some(asked) = item.get("ReportQuery").and_then(Value::text) {
        // as it would follow `reports/` in a path
        let (name, query) = asked.split_once('?').unwrap_or((asked, ""));
        let name = reports::named(name).ok_or_else(|| Refusal::unsupported(format!("Operation report {name} is not supported by the sandbox.")))?;
        let parameters = Parameters(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect());
        let view = View::new(books, now).asked_at(base);
        return Ok(Object::new().put("Report", reports::answer(&view, name, &parameters, MOST_CELLS)?));
    }
    let named = entries.iter().find_map(|(key, value)| Entity::named(key).filter(|entity| entity.key() == key).map(|entity| (entity, value)));
    let (entity, value) = named.ok_or_else(|| Refusal::unsupported("Operation without a known entity is not supported."))?;
    let options = item.get("optionsData").and_then(Value::text);
    let operation = match (item.get("operation").and_then(Value::text), options) {
        // "void via operation update, optionsData void" (contract 5).
        (Some("void"), _) | (Some("update"), Some("void")) if entity.name() == "Invoice" => Operation::Void,
        (Some("void"), _) | (Some("update"), Some("void")) => Operation::UpdateVoid,
        (Some("create" | "update"), _) => Operation::Save,
        (Some("delete"), _) => Operation::Delete,
        (Some(other), _) => return Err(Refusal::unsupported(format!("Operation {other} is not supported."))),
        (None, _) => return Err(Refusal::missing_parameter("operation")),
    };
    write::apply(books, entity, operation, value, options == Some("allowduplicatedocnum"), now)
}
