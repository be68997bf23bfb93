//! A JSON body as it was sent: numbers keep their text, objects the order of their keys.
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Text(String),
    /// The text of a JSON number.
    Number(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

/// No body of the API nests deeper.
const MAX_DEPTH: usize = 24;

#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("the body is nested too deep")]
    TooDeep,
}

pub fn read(text: &str) -> Result<Value, Unreadable> {
    part(serde_json::from_str::<&RawValue>(text)?, 0)
}

fn part(raw: &RawValue, depth: usize) -> Result<Value, Unreadable> {
    if depth > MAX_DEPTH {
        return Err(Unreadable::TooDeep);
    }
    let text = raw.get().trim();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let Entries(entries) = serde_json::from_str(text)?;
            let entries = entries.into_iter().map(|(key, value)| Ok((key, part(&value, depth + 1)?)));
            Value::Object(entries.collect::<Result<_, Unreadable>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            Value::List(items.into_iter().map(|item| part(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(serde_json::from_str(text)?),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => {
            // larger ones than clients can read are none
            serde_json::from_str::<serde_json::Value>(text)?;
            Value::Number(text.to_owned())
        }
    })
}

/// An object's keys in their order; of a key given twice the last counts, as everywhere.
struct Entries(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Entries, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl Value {
    /// The value of a key, `None` when it is missing or null.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Object(entries) => {
                entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value).filter(|value| **value != Value::Null)
            }
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Back to JSON.
    pub fn written(&self) -> String {
        let quoted = |text: &str| serde_json::to_string(text).expect("a text is JSON");
        match self {
            Value::Null => "null".into(),
            Value::Bool(value) => value.to_string(),
            Value::Text(text) => quoted(text),
            Value::Number(text) => text.clone(),
            Value::List(items) => format!("[{}]", items.iter().map(Value::written).collect::<Vec<_>>().join(",")),
            Value::Object(entries) => {
                let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{}:{}", quoted(key), value.written())).collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_the_order_of_keys_are_kept() {
        let text = r#"{"b":1.10,"a":[true,null,"é\n"],"c":{"x":-0.005}}"#;
        let value = read(text).expect("good JSON");
        assert_eq!(value.get("b"), Some(&Value::Number("1.10".into())));
        assert_eq!(value.written(), text);
        assert!(matches!(read(&format!("{}1{}", "[".repeat(60), "]".repeat(60))), Err(Unreadable::TooDeep)));
        assert!(read("{\"a\":").is_err() && read("").is_err() && read("{\"a\":1}x").is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_writes_what_it_read(text in "[\\[\\]{}:,\"a0-9.e+\\\\ nulltrue-]{0,40}") {
            if let Ok(value) = read(&text) {
                prop_assert_eq!(read(&value.written()).expect("what is written is JSON"), value);
            }
        }
    }
}
