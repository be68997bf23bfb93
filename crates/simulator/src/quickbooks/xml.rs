//! The same answers and bodies as XML: keys with a small first letter are attributes, a reference is text with a `name`, lists repeat their element.
//!
//! Shapes as recorded from the provider (contract 2.5); the XML schema is the same as that of the JSON.
use super::body::Value;
use super::entity::Entity;
use super::schema::{self, Type};
use crate::markup::{self, Element};
use std::fmt::Write;

const NAMESPACE: &str = "http://schema.intuit.com/finance/v3";

/// An answer's JSON as a document. Reports are their own root, everything else stands in `IntuitResponse`.
pub fn document(json: &Value) -> String {
    let is_report = json.get("Header").is_some() && json.get("Columns").is_some();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>");
    element(&mut out, if is_report { "Report" } else { "IntuitResponse" }, json, Some(NAMESPACE));
    out
}

const ATTRIBUTES: [&str; 15] = [
    "domain",
    "status",
    "sparse",
    "name",
    "type",
    "bId",
    "time",
    "startPosition",
    "maxResults",
    "totalCount",
    "code",
    "element",
    "group",
    "id",
    "href",
];

fn element(out: &mut String, tag: &str, value: &Value, namespace: Option<&str>) {
    let Value::Object(entries) = value else {
        match scalar(value) {
            Some(text) => write!(out, "<{tag}>{}</{tag}>", escaped(&text)),
            None => write!(out, "<{tag}/>"),
        }
        .expect("writing to a string");
        return;
    };
    write!(out, "<{tag}").expect("writing to a string");
    if let Some(namespace) = namespace {
        write!(out, " xmlns=\"{namespace}\"").expect("writing to a string");
    }
    let is_cell = tag == "ColData";
    let mut text = None;
    let mut inner = Vec::new();
    for (key, value) in entries {
        let is_attribute = ATTRIBUTES.contains(&key.as_str()) || (is_cell && key == "value");
        match scalar(value) {
            Some(value) if is_attribute => write!(out, " {key}=\"{}\"", escaped(&value)).expect("writing to a string"),
            Some(value) if key == "value" => text = Some(value),
            _ => inner.push((key.as_str(), value)),
        }
    }
    if inner.is_empty() && text.is_none() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    out.push_str(&text.map(|text| escaped(&text)).unwrap_or_default());
    for (key, value) in inner {
        match value {
            Value::Null => {}
            // The bag of names and values keeps its Java wrapping in JSON only.
            Value::List(items) if key == "any" => {
                for item in items.iter().filter_map(|item| item.get("value")) {
                    element(out, "NameValue", item, None);
                }
            }
            Value::List(items) => {
                for item in items {
                    element(out, key, item, None);
                }
            }
            value => element(out, key, value, None),
        }
    }
    write!(out, "</{tag}>").expect("writing to a string");
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Text(text) | Value::Number(text) => Some(text.clone()),
        Value::Null | Value::List(_) | Value::Object(_) => None,
    }
}

/// Characters that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

/// A record sent as XML, as the JSON of the same would be. `None`: no document, or one of something else.
pub fn record(entity: Entity, text: &str) -> Option<Value> {
    let root = markup::read(text)?;
    (root.name == entity.key()).then(|| value_of(entity.name(), &root))
}

/// The items of a batch sent as XML.
pub fn batch(text: &str) -> Option<Value> {
    let root = markup::read(text).filter(|root| root.name == "IntuitBatchRequest")?;
    let items = root.children.iter().filter(|item| item.name == "BatchItemRequest").map(|item| {
        let mut entries: Vec<(String, Value)> = attributes(item);
        entries.extend(item.children.iter().map(|child| {
            let value = match Entity::named(&child.name).filter(|entity| entity.key() == child.name) {
                Some(entity) => value_of(entity.name(), child),
                None => loose(child),
            };
            (child.name.clone(), value)
        }));
        Value::Object(entries)
    });
    Some(Value::Object(vec![("BatchItemRequest".into(), Value::List(items.collect()))]))
}

fn attributes(element: &Element) -> Vec<(String, Value)> {
    let own =
        element.attributes.iter().filter(|(name, _)| ATTRIBUTES.contains(&name.as_str()) || ["operation", "optionsData"].contains(&name.as_str()));
    own.map(|(name, value)| (name.clone(), Value::Text(value.clone()))).collect()
}

/// An element by what the schema says of it: references are text with a `name`, repeated elements a list.
fn value_of(of: &str, element: &Element) -> Value {
    let mut entries = attributes(element);
    if schema::property(of, "value").is_some() && !element.text.trim().is_empty() {
        entries.insert(0, ("value".into(), Value::Text(element.text.trim().to_owned())));
    }
    for child in &element.children {
        let known = schema::property(of, &child.name).filter(|known| known.name == child.name);
        let value = match known.map(|known| known.of) {
            Some(Type::Shape(shape)) => value_of(shape, child),
            Some(Type::Any) => loose(child),
            _ => Value::Text(child.text.clone()),
        };
        let is_list = known.is_some_and(|known| known.is_list);
        match entries.iter_mut().find(|(name, _)| *name == child.name) {
            Some((_, Value::List(items))) if is_list => items.push(value),
            _ if is_list => entries.push((child.name.clone(), Value::List(vec![value]))),
            _ => entries.push((child.name.clone(), value)),
        }
    }
    Value::Object(entries)
}

/// An element that the schema does not describe.
fn loose(element: &Element) -> Value {
    if element.children.is_empty() && element.attributes.is_empty() {
        return Value::Text(element.text.clone());
    }
    let mut entries = attributes(element);
    if !element.text.trim().is_empty() {
        entries.push(("value".into(), Value::Text(element.text.trim().to_owned())));
    }
    entries.extend(element.children.iter().map(|child| (child.name.clone(), loose(child))));
    Value::Object(entries)
}

/// Whether an `Accept` header asks for XML. "Do not count on JSON without it" (contract 2.3): no header at all means XML, `*/*` is anybody's
/// default and means JSON.
pub fn is_wanted(accept: Option<&str>) -> bool {
    match accept {
        None => true,
        Some(accept) => accept.contains("xml") && !accept.contains("json") && !accept.contains("html"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quickbooks::body;

    #[test]
    fn a_record_sent_as_xml_is_read_by_its_schema() {
        let text = r#"<Invoice xmlns="http://schema.intuit.com/finance/v3" sparse="true"><Id>7</Id><CustomerRef name="A &amp; B">3</CustomerRef>
            <CustomerMemo>Thanks</CustomerMemo><Line><Amount>12.50</Amount><DetailType>SalesItemLineDetail</DetailType>
            <SalesItemLineDetail><ItemRef>9</ItemRef><Qty>2</Qty></SalesItemLineDetail></Line></Invoice>"#;
        let json = r#"{"sparse":"true","Id":"7","CustomerRef":{"value":"3","name":"A & B"},"CustomerMemo":{"value":"Thanks"},"Line":[{"Amount":"12.50","DetailType":"SalesItemLineDetail","SalesItemLineDetail":{"ItemRef":{"value":"9"},"Qty":"2"}}]}"#;
        assert_eq!(record(Entity::Transaction(crate::books::Kind::Invoice), text).map(|value| value.written()).as_deref(), Some(json));
        assert_eq!(record(Entity::Customer, text), None, "another record");
        let items = r#"<IntuitBatchRequest><BatchItemRequest bId="b1" operation="create"><Class><Name>North</Name></Class></BatchItemRequest>
            <BatchItemRequest bId="b2"><Query>select * from Term</Query></BatchItemRequest></IntuitBatchRequest>"#;
        let json = r#"{"BatchItemRequest":[{"bId":"b1","operation":"create","Class":{"Name":"North"}},{"bId":"b2","Query":"select * from Term"}]}"#;
        assert_eq!(batch(items).map(|value| value.written()).as_deref(), Some(json));
    }

    #[test]
    fn references_attributes_and_lists_have_their_xml_forms() {
        let json = r#"{"QueryResponse":{"Customer":[{"Name":"A & B","CurrencyRef":{"value":"USD","name":"Dollar"},"Line":[],"domain":"QBO","Id":"1"}],
            "maxResults":1},"time":"now"}"#;
        let body = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><IntuitResponse xmlns=\"http://schema.intuit.com/finance/v3\" \
                    time=\"now\"><QueryResponse maxResults=\"1\"><Customer domain=\"QBO\"><Name>A &amp; B</Name><CurrencyRef name=\"Dollar\">USD\
                    </CurrencyRef><Id>1</Id></Customer></QueryResponse></IntuitResponse>";
        assert_eq!(document(&body::read(json).expect("a test's JSON")), body);
        for (accept, expected) in [
            (None, true),
            (Some("application/xml"), true),
            (Some("*/*"), false),
            (Some("application/json, text/plain, */*"), false),
            (Some("text/html,application/xml"), false),
        ] {
            assert_eq!(is_wanted(accept), expected, "{accept:?}");
        }
    }
}
