//! Xero's JSON, taken apart without copying it: objects as lists of fields, envelopes as lists of records.
use super::dates;
use domain::money::{Amount, NotAnAmount};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What is wrong with a field: names the field, never its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Defect(pub String);

/// One JSON object, its values untouched. A `null` counts as absent; of two fields with one name the last one counts.
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A text that borrows from the answer where it holds no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
                let mut fields = Vec::with_capacity(32);
                while let Some(Text(name)) = map.next_key()? {
                    fields.push((name, map.next_value::<&RawValue>()?));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'a> Fields<'a> {
    pub fn parse(json: &'a str) -> Result<Fields<'a>, Defect> {
        serde_json::from_str(json).map_err(|_| Defect("it is not a whole JSON object".into()))
    }

    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value).filter(|value| value.get() != "null")
    }

    /// A text; numbers and booleans count as their digits and words. An empty text counts as absent: Xero writes both.
    pub fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Defect> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let json = value.get();
        let text = match json.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<Text>(json).map_err(|_| Defect(format!("{name} is not a readable text")))?.0,
            Some(b'{' | b'[') => return Err(Defect(format!("{name} is not a text"))),
            _ => Cow::Borrowed(json),
        };
        Ok(if text.is_empty() { None } else { Some(text) })
    }

    pub fn required_text(&self, name: &str) -> Result<Cow<'a, str>, Defect> {
        self.text(name)?.ok_or_else(|| Defect(format!("{name} is missing")))
    }

    /// An amount, exactly as written: a JSON number or, as some answers have it, a text.
    pub fn amount(&self, name: &str) -> Result<Option<Amount>, Defect> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        Amount::parse(&text).map(Some).map_err(|error| {
            Defect(match error {
                NotAnAmount::Syntax(_) => format!("{name} is not a decimal number"),
                NotAnAmount::TooFine(_) => format!("{name} has more than 4 decimals"),
                NotAnAmount::TooLarge(_) => format!("{name} is too large for an amount"),
            })
        })
    }

    pub fn required_amount(&self, name: &str) -> Result<Amount, Defect> {
        self.amount(name)?.ok_or_else(|| Defect(format!("{name} is missing")))
    }

    /// A calendar day; where the field is absent, its twin `…String` is read.
    pub fn day(&self, name: &str) -> Result<Option<Date>, Defect> {
        let text = match self.text(name)? {
            Some(text) => Some(text),
            None => self.text(&format!("{name}String"))?,
        };
        text.map(|text| dates::day(&text).ok_or_else(|| Defect(format!("{name} is not a date")))).transpose()
    }

    pub fn instant(&self, name: &str) -> Result<Option<Timestamp>, Defect> {
        self.text(name)?.map(|text| dates::instant(&text).ok_or_else(|| Defect(format!("{name} is not a point in time")))).transpose()
    }

    pub fn integer(&self, name: &str) -> Result<Option<i64>, Defect> {
        self.text(name)?.map(|text| text.trim().parse().map_err(|_| Defect(format!("{name} is not a whole number")))).transpose()
    }

    pub fn object(&self, name: &str) -> Result<Option<Fields<'a>>, Defect> {
        self.get(name).map(|value| serde_json::from_str(value.get()).map_err(|_| Defect(format!("{name} is not an object")))).transpose()
    }

    /// The elements of a list; a list that is absent is empty.
    pub fn list(&self, name: &str) -> Result<Vec<&'a RawValue>, Defect> {
        self.get(name).map_or(Ok(Vec::new()), |value| serde_json::from_str(value.get()).map_err(|_| Defect(format!("{name} is not a list"))))
    }

    /// A text whatever the case of its name: Xero's error bodies come in both.
    pub fn text_any_case(&self, name: &str) -> Option<Cow<'a, str>> {
        let known = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(known, _)| known.clone())?;
        self.text(&known).ok().flatten()
    }
}

/// `{"Id":…,"Status":"OK","DateTimeUTC":…,"pagination":{…},"Invoices":[…]}`.
pub struct Envelope<'a> {
    /// Xero's clock when it answered.
    pub answered_at: Option<Timestamp>,
    pub pagination: Option<Pagination>,
    pub entries: Vec<&'a RawValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pagination {
    pub page_count: u64,
    pub item_count: u64,
}

/// Reads an object once: its fields as they are, and the elements of the list of this name.
struct WithList<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for WithList<'_> {
    type Value = (Fields<'de>, Option<Vec<&'de RawValue>>);
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for WithList<'_> {
    type Value = (Fields<'de>, Option<Vec<&'de RawValue>>);
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let (mut fields, mut entries) = (Vec::new(), None);
        while let Some(Text(name)) = map.next_key()? {
            if name == self.0 {
                entries = map.next_value::<Option<Vec<&RawValue>>>()?;
            } else {
                fields.push((name, map.next_value::<&RawValue>()?));
            }
        }
        Ok((Fields(fields), entries))
    }
}

impl<'a> Envelope<'a> {
    /// Takes an answer apart. An answer without the list is no answer: an empty list is always written.
    pub fn parse(body: &'a str, list: &str) -> Result<Envelope<'a>, Defect> {
        let mut reader = serde_json::Deserializer::from_str(body);
        let read = WithList(list).deserialize(&mut reader).and_then(|read| reader.end().map(|()| read));
        let (fields, entries) = read.map_err(|_| Defect(format!("it is not a whole JSON object with the list {list}")))?;
        let Some(entries) = entries else { return Err(Defect(format!("the list {list} is missing"))) };
        let pagination = fields.object("pagination")?.map(|pagination| -> Result<Pagination, Defect> {
            let count = |name| -> Result<u64, Defect> {
                let number = pagination.integer(name)?.ok_or_else(|| Defect(format!("pagination.{name} is missing")))?;
                u64::try_from(number).map_err(|_| Defect(format!("pagination.{name} is negative")))
            };
            Ok(Pagination { page_count: count("pageCount")?, item_count: count("itemCount")? })
        });
        Ok(Envelope { answered_at: fields.instant("DateTimeUTC").ok().flatten(), pagination: pagination.transpose()?, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_gives_its_records_byte_for_byte() {
        let body = "{\"Id\":\"x\",\"DateTimeUTC\":\"\\/Date(1777034754042)\\/\",\"pagination\":{\"page\":1,\"pageSize\":100,\"pageCount\":2,\"itemCount\":163},\
                    \"Invoices\":[ {\"InvoiceID\" : \"a\", \"Total\": 12.50 } ,{\"InvoiceID\":\"b\"}]}";
        let envelope = Envelope::parse(body, "Invoices").unwrap();
        assert_eq!(envelope.answered_at.unwrap().as_millisecond(), 1_777_034_754_042);
        assert_eq!(envelope.pagination, Some(Pagination { page_count: 2, item_count: 163 }));
        let bodies: Vec<&str> = envelope.entries.iter().map(|entry| entry.get()).collect();
        assert_eq!(bodies, ["{\"InvoiceID\" : \"a\", \"Total\": 12.50 }", "{\"InvoiceID\":\"b\"}"]);
    }

    #[test]
    fn an_answer_without_its_list_is_no_empty_list() {
        for body in
            ["{}", "{\"Invoices\":null}", "{\"Contacts\":[]}", "[]", "<html></html>", "{\"Invoices\":[{\"InvoiceID\":\"a\"", "", "{\"Invoices\":{}}"]
        {
            assert!(Envelope::parse(body, "Invoices").is_err(), "{body}");
        }
        assert!(Envelope::parse("{\"Invoices\":[]}", "Invoices").unwrap().entries.is_empty());
    }

    // proves F10 in part
    #[test]
    fn amounts_are_taken_exactly_from_numbers_and_texts() {
        let fields =
            Fields::parse(r#"{"a":86.96,"b":"86.96","c":1e2,"d":0.00005,"e":null,"f":"","g":{},"h":123456789012345678901,"i":"x"}"#).unwrap();
        assert_eq!(fields.amount("a").unwrap(), Some(Amount(869_600)));
        assert_eq!(fields.amount("b").unwrap(), Some(Amount(869_600)));
        assert_eq!(fields.amount("c").unwrap(), Some(Amount(1_000_000)));
        assert_eq!(fields.amount("d").unwrap_err().0, "d has more than 4 decimals");
        assert_eq!(fields.amount("e").unwrap(), None);
        assert_eq!(fields.amount("f").unwrap(), None);
        assert_eq!(fields.amount("g").unwrap_err().0, "g is not a text");
        assert_eq!(fields.amount("h").unwrap_err().0, "h is too large for an amount");
        assert_eq!(fields.amount("i").unwrap_err().0, "i is not a decimal number");
        assert_eq!(fields.required_amount("z").unwrap_err().0, "z is missing");
    }

    #[test]
    fn texts_survive_escapes_and_broken_ones_are_named() {
        let fields = Fields::parse(r#"{"Name":"Caf\u00e9 \"Zo\u00eb\"","Broken":"\ud800","Code":200}"#).unwrap();
        assert_eq!(fields.text("Name").unwrap().unwrap(), "Café \"Zoë\"");
        assert_eq!(fields.text("Code").unwrap().unwrap(), "200");
        assert_eq!(fields.text("Broken").unwrap_err().0, "Broken is not a readable text");
        assert_eq!(fields.text_any_case("NAME").unwrap(), "Café \"Zoë\"");
    }

    #[test]
    fn a_day_falls_back_to_its_twin() {
        let fields = Fields::parse(r#"{"DateString":"2026-04-16T00:00:00","DueDate":"soon"}"#).unwrap();
        assert_eq!(fields.day("Date").unwrap(), Some(jiff::civil::date(2026, 4, 16)));
        assert_eq!(fields.day("DueDate").unwrap_err().0, "DueDate is not a date");
    }
}
