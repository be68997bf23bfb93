//! A JSON value that keeps the order of its keys and writes amounts exactly.
use crate::money::{self, Cents};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Bool(bool),
    Text(String),
    /// Written with two decimals, zero as `0`: "the wire keeps the scale, but zero is 0" (contract 2.5).
    Amount(Cents),
    /// Any other number, as its text.
    Number(String),
    /// JSON that is written already; keeps large reports small in memory.
    Written(String),
    List(Vec<Json>),
    Object(Object),
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Text(text) => serializer.serialize_str(text),
            Json::Amount(Cents(0)) => serializer.serialize_u64(0),
            Json::Amount(cents) => money::json(*cents).serialize(serializer),
            Json::Number(text) | Json::Written(text) => {
                RawValue::from_string(text.clone()).expect("a number's text is written by this crate").serialize(serializer)
            }
            Json::List(items) => items.serialize(serializer),
            Json::Object(object) => object.serialize(serializer),
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(text.to_owned())
    }
}
impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Text(text)
    }
}
impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}
impl From<Cents> for Json {
    fn from(cents: Cents) -> Json {
        Json::Amount(cents)
    }
}
impl From<i64> for Json {
    fn from(value: i64) -> Json {
        Json::Number(value.to_string())
    }
}
impl From<usize> for Json {
    fn from(value: usize) -> Json {
        Json::Number(value.to_string())
    }
}
impl From<jiff::civil::Date> for Json {
    fn from(date: jiff::civil::Date) -> Json {
        Json::Text(date.to_string())
    }
}
impl From<Object> for Json {
    fn from(object: Object) -> Json {
        Json::Object(object)
    }
}
impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Json {
        Json::List(items)
    }
}
impl From<Vec<Object>> for Json {
    fn from(items: Vec<Object>) -> Json {
        Json::List(items.into_iter().map(Json::Object).collect())
    }
}

/// Keys in the order they were put.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(pub Vec<(&'static str, Json)>);

impl Object {
    pub fn new() -> Object {
        Object::default()
    }
    /// Adds a key.
    pub fn put(mut self, key: &'static str, value: impl Into<Json>) -> Object {
        self.0.push((key, value.into()));
        self
    }
    /// Adds a key unless there is nothing to say: "only properties that hold a value are returned" (contract 2.5).
    pub fn put_some(self, key: &'static str, value: Option<impl Into<Json>>) -> Object {
        match value {
            Some(value) => self.put(key, value),
            None => self,
        }
    }
    /// Adds a text unless it is empty.
    pub fn put_text(self, key: &'static str, text: &str) -> Object {
        if text.is_empty() { self } else { self.put(key, text) }
    }
    /// Puts a key in place of one that is there.
    pub fn set(&mut self, key: &'static str, value: Json) {
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, known)) => *known = value,
            None => self.0.push((key, value)),
        }
    }
    /// Puts the keys of another object over these, inner objects likewise.
    pub fn lay_over(&mut self, other: Object) {
        for (key, value) in other.0 {
            match (self.0.iter_mut().find(|(name, _)| *name == key), value) {
                (Some((_, Json::Object(inner))), Json::Object(over)) => inner.lay_over(over),
                (_, value) => self.set(key, value),
            }
        }
    }
    /// Finds a key whatever its case.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// `{"value":"35","name":"Checking"}`.
pub fn reference(id: impl std::fmt::Display, name: &str) -> Object {
    Object::new().put("value", id.to_string()).put_text("name", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_two_decimals_and_zero_is_bare() {
        let object = Object::new().put("Balance", Cents(63_900)).put("Zero", Cents::ZERO).put("Less", Cents(-5)).put_text("Nothing", "");
        assert_eq!(serde_json::to_string(&object).expect("a tree is JSON"), r#"{"Balance":639.00,"Zero":0,"Less":-0.05}"#);
    }
}
