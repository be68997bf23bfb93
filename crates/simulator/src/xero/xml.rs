//! Answers written as XML, which is what the API sends when a call does not ask for JSON, and bodies sent as XML.
//!
//! Contract: providers/xero.md 3.1 (developer.xero.com, "Requests and responses": XML is the default).
use super::tree::Node;
use crate::markup::{self, Element};
use jiff::Timestamp;

/// The JSON of an answer as an XML document with this root element: `Response`, or `ApiException` for a refused call.
pub fn document(root: &str, json: &[u8]) -> Option<String> {
    let node = Node::read(json)?;
    let mut text = String::with_capacity(json.len() * 2);
    text.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    text.push('<');
    text.push_str(root);
    text.push_str(" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">");
    inside(&node, root, &mut text);
    close(root, &mut text);
    Some(text)
}

fn close(name: &str, text: &mut String) {
    text.push_str("</");
    text.push_str(name);
    text.push('>');
}

fn element(name: &str, node: &Node, text: &mut String) {
    if *node == Node::Null {
        return;
    }
    text.push('<');
    text.push_str(name);
    let empty = matches!(node, Node::List(items) if items.is_empty()) || matches!(node, Node::Object(fields) if fields.is_empty());
    if empty || matches!(node, Node::Text(value) if value.is_empty()) {
        text.push_str(" />");
        return;
    }
    text.push('>');
    inside(node, name, text);
    close(name, text);
}

fn inside(node: &Node, name: &str, text: &mut String) {
    match node {
        Node::Null => {}
        Node::Flag(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Node::Number(number) => text.push_str(number),
        Node::Text(value) => escaped(&date(value).unwrap_or_else(|| value.clone()), text),
        Node::List(items) => {
            let one = singular(name);
            for item in items {
                element(&one, item, text);
            }
        }
        Node::Object(fields) => {
            for (name, value) in fields {
                // the twins of dates exist in JSON only, where the dates themselves are hard to read
                let is_twin = name.ends_with("String") && fields.iter().any(|(other, _)| name.strip_suffix("String") == Some(other));
                if !is_twin {
                    element(name, value, text);
                }
            }
        }
    }
}

/// The element of a list's items: `Invoices` hold `Invoice`, `Addresses` hold `Address`.
fn singular(plural: &str) -> String {
    match plural {
        "Addresses" | "InvoiceAddresses" => plural[..plural.len() - 2].into(),
        "Tracking" | "SalesTrackingCategories" | "PurchasesTrackingCategories" => "TrackingCategory".into(),
        "Elements" => "DataContractBase".into(),
        _ => match (plural.strip_suffix("ies"), plural.strip_suffix('s')) {
            (Some(stem), _) => format!("{stem}y"),
            (_, Some(stem)) => stem.into(),
            _ => format!("{plural}Item"),
        },
    }
}

/// `/Date(1439434356790+0000)/` as `2015-08-13T02:52:36.79`.
fn date(value: &str) -> Option<String> {
    let inner = value.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let ms = inner.strip_suffix("+0000").unwrap_or(inner);
    let at = Timestamp::from_millisecond(ms.parse().ok()?).ok()?;
    let text = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    match at.subsec_millisecond() {
        0 => Some(text),
        ms => Some(format!("{text}.{ms:03}").trim_end_matches('0').to_string()),
    }
}

fn escaped(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            // control characters have no place in XML 1.0
            '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => text.push('\u{fffd}'),
            other => text.push(other),
        }
    }
}

/// A body sent as XML, as the JSON of the same would be: `<Invoices><Invoice>` is a list, leaves are texts.
pub fn body(text: &str) -> Option<Node> {
    let root = markup::read(text)?;
    let node = node(&root);
    Some(if matches!(node, Node::List(_)) { Node::Object(vec![(root.name, node)]) } else { node })
}

fn node(element: &Element) -> Node {
    let Some(first) = element.children.first() else { return Node::Text(element.text.clone()) };
    let is_alike = element.children.iter().all(|child| child.name == first.name);
    if is_alike && (element.children.len() > 1 || is_plural(&element.name, &first.name)) {
        return Node::List(element.children.iter().map(node).collect());
    }
    Node::Object(element.children.iter().map(|child| (child.name.clone(), node(child))).collect())
}

/// Whether an element of this name is a list of these.
fn is_plural(whole: &str, part: &str) -> bool {
    singular(whole) == part || (whole, part) == ("Options", "TrackingOption")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_sent_as_xml_is_read_as_the_same_in_json() {
        let text = "<Invoices><Invoice><Type>ACCREC</Type><Contact><Name>A &amp; B</Name></Contact><LineItems><LineItem><Quantity>2</Quantity>\
                    </LineItem></LineItems></Invoice></Invoices>";
        let json = r#"{"Invoices":[{"Type":"ACCREC","Contact":{"Name":"A & B"},"LineItems":[{"Quantity":"2"}]}]}"#;
        assert_eq!(body(text).map(|node| node.json()).as_deref(), Some(json));
        let one = "<Contact><Name>C</Name><Phones><Phone><PhoneType>FAX</PhoneType></Phone></Phones></Contact>";
        assert_eq!(body(one).map(|node| node.json()).as_deref(), Some(r#"{"Name":"C","Phones":[{"PhoneType":"FAX"}]}"#));
        assert_eq!(body("<Invoices>"), None);
    }

    #[test]
    fn lists_dates_and_signs_become_elements() {
        let json = br#"{"Status":"OK","Invoices":[{"DateString":"2026-04-16T00:00:00","Date":"\/Date(1776297600000+0000)\/","Reference":"A & B <c>","Total":1100.00,"Addresses":[{"City":""}],"Payments":[]}]}"#;
        let text = document("Response", json).unwrap();
        let body = "<Status>OK</Status><Invoices><Invoice><Date>2026-04-16T00:00:00</Date><Reference>A &amp; B &lt;c&gt;</Reference>\
                    <Total>1100.00</Total><Addresses><Address><City /></Address></Addresses><Payments /></Invoice></Invoices></Response>";
        assert!(text.starts_with("<?xml version=\"1.0\"") && text.ends_with(body), "{text}");
        assert_eq!(singular("Currencies"), "Currency");
        assert_eq!(date("/Date(1439434356790+0000)/").as_deref(), Some("2015-08-13T02:52:36.79"));
    }
}
