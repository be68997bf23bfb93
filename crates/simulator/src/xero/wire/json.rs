//! A writer of JSON objects that keeps the order of fields, leaves absent values out (Xero never sends null) and never makes a float.
use crate::money::Cents;
use std::fmt::{Display, Write};

/// A JSON object in the making.
#[derive(Clone, Debug, Default)]
pub struct Object {
    text: String,
}

impl Object {
    pub fn new() -> Object {
        Object::default()
    }
    /// A value that is JSON already.
    pub fn raw(mut self, name: &str, json: &str) -> Object {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        write!(self.text, "\"{name}\":{json}").expect("writing to a string does not fail");
        self
    }
    /// A value that is JSON already, under a name that somebody else chose.
    pub fn field(mut self, name: &str, json: &str) -> Object {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        write!(self.text, "{}:{json}", quoted(name)).expect("writing to a string does not fail");
        self
    }
    pub fn text(self, name: &str, value: &str) -> Object {
        self.raw(name, &quoted(value))
    }
    /// Left out when there is none.
    pub fn maybe(self, name: &str, value: Option<&str>) -> Object {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }
    pub fn flag(self, name: &str, value: bool) -> Object {
        self.raw(name, if value { "true" } else { "false" })
    }
    /// A whole number, or a text that reads as a JSON number.
    pub fn number(self, name: &str, value: impl Display) -> Object {
        self.raw(name, &value.to_string())
    }
    /// An amount: a JSON number that keeps its two decimals.
    pub fn money(self, name: &str, value: Cents) -> Object {
        self.number(name, value)
    }
    pub fn list(self, name: &str, items: &[String]) -> Object {
        self.raw(name, &array(items))
    }
    /// Goes on with `more` when it says something.
    pub fn when(self, condition: bool, more: impl FnOnce(Object) -> Object) -> Object {
        if condition { more(self) } else { self }
    }
    pub fn end(mut self) -> String {
        if self.text.is_empty() {
            return "{}".into();
        }
        self.text.push('}');
        self.text
    }
}

/// A JSON string.
pub fn quoted(value: &str) -> String {
    serde_json::to_string(value).expect("a string is always JSON")
}

/// A JSON array of values that are JSON already.
pub fn array(items: &[String]) -> String {
    let mut text = String::with_capacity(items.iter().map(|item| item.len() + 1).sum::<usize>() + 2);
    text.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(item);
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_keeps_order_decimals_and_escapes() {
        let made = Object::new().text("A", "say \"hi\"").money("B", Cents(110_000)).maybe("C", None).flag("D", false).list("E", &[]).end();
        assert_eq!(made, r#"{"A":"say \"hi\"","B":1100.00,"D":false,"E":[]}"#);
        assert_eq!(Object::new().end(), "{}");
    }
}
