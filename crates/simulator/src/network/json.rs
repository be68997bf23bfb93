//! An answer's JSON taken apart and put together again with every value's text as it was: no amount passes through a float.
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An object's fields in their order, each value as it was written.
#[derive(Debug, Clone)]
pub struct Fields(pub Vec<(String, String)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Fields;
            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    fields.push((name, value.get().to_owned()));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

impl Fields {
    pub fn read(text: &str) -> Option<Fields> {
        serde_json::from_str(text).ok()
    }
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
    /// The value as text without its quotation marks.
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }
    pub fn set(&mut self, name: &str, value: String) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
    pub fn write(&self) -> String {
        let fields: Vec<String> = self.0.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
        format!("{{{}}}", fields.join(","))
    }
}

/// A list's elements, each as it was written.
pub fn elements(text: &str) -> Option<Vec<String>> {
    let raw: Vec<Box<RawValue>> = serde_json::from_str(text).ok()?;
    Some(raw.iter().map(|value| value.get().to_owned()).collect())
}

pub fn list(elements: &[String]) -> String {
    format!("[{}]", elements.join(","))
}

pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The answer with every list of records replaced by what `change` makes of it; the first argument is the list's name. `None`: there is
/// no such list.
///
/// Records stand in `QueryResponse` or `CDCResponse[].QueryResponse[]` at QuickBooks, beside the envelope at Xero.
pub fn change_records(text: &str, change: &mut dyn FnMut(&str, Vec<String>) -> Vec<String>) -> Option<String> {
    let mut fields = Fields::read(text)?;
    let mut found = false;
    for (name, value) in &mut fields.0 {
        if !value.starts_with(['[', '{']) {
            continue;
        }
        let changed = match name.as_str() {
            "QueryResponse" | "CDCResponse" if value.starts_with('{') => change_records(value, change),
            "QueryResponse" | "CDCResponse" => elements(value).map(|parts| {
                let parts: Vec<String> = parts.into_iter().map(|part| change_records(&part, change).unwrap_or(part)).collect();
                list(&parts)
            }),
            _ if value.starts_with('[') && name != "Warnings" => {
                elements(value).filter(|records| records.iter().all(|record| record.starts_with('{'))).map(|records| list(&change(name, records)))
            }
            _ => None,
        };
        if let Some(changed) = changed {
            *value = changed;
            found = true;
        }
    }
    found.then(|| fields.write())
}

/// The answer with the named whole numbers changed, beside the records or in Xero's `pagination`.
pub fn change_numbers(text: &str, names: &[&str], change: &dyn Fn(i64) -> i64) -> Option<String> {
    let mut fields = Fields::read(text)?;
    let mut found = false;
    for (name, value) in &mut fields.0 {
        let changed = match (name.as_str(), value.parse::<i64>()) {
            (known, Ok(number)) if names.contains(&known) => Some(change(number).to_string()),
            ("QueryResponse" | "pagination", _) if value.starts_with('{') => change_numbers(value, names, change),
            _ => None,
        };
        if let Some(changed) = changed {
            *value = changed;
            found = true;
        }
    }
    found.then(|| fields.write())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_of_records_is_found_and_amounts_keep_their_text() {
        let query =
            r#"{"QueryResponse":{"Invoice":[{"Id":"1","TotalAmt":0.10},{"Id":"2","TotalAmt":1e2}],"startPosition":1,"totalCount":9},"time":"x"}"#;
        let mut seen = Vec::new();
        let same = change_records(query, &mut |name, records| {
            seen.push((name.to_owned(), records.len()));
            records
        });
        assert_eq!(same.as_deref(), Some(query));
        let changes = r#"{"CDCResponse":[{"QueryResponse":[{"Bill":[{"Id":"7"}]},{},{"Account":[{"Id":"8"},{"Id":"9"}]}]}],"time":"x"}"#;
        let emptied = change_records(changes, &mut |name, records| {
            seen.push((name.to_owned(), records.len()));
            Vec::new()
        });
        assert_eq!(emptied.as_deref(), Some(r#"{"CDCResponse":[{"QueryResponse":[{"Bill":[]},{},{"Account":[]}]}],"time":"x"}"#));
        let xero = r#"{"Id":"a","pagination":{"page":1,"itemCount":3},"Warnings":[],"Invoices":[{"Total":5.00}]}"#;
        change_records(xero, &mut |name, records| {
            seen.push((name.to_owned(), records.len()));
            records
        });
        let expected = [("Invoice", 2), ("Bill", 1), ("Account", 2), ("Invoices", 1)];
        assert_eq!(seen, expected.map(|(name, count)| (name.to_owned(), count)));
        assert!(change_numbers(xero, &["itemCount"], &|n| n + 2).expect("a count").contains(r#""itemCount":5"#));
        assert!(change_numbers(query, &["totalCount"], &|n| n - 1).expect("a count").contains(r#""totalCount":8"#));
        assert_eq!(change_records("[1,2]", &mut |_, records| records), None);
    }
}
