//! The frames QuickBooks puts around its records, and the few fields every record has.
use crate::quickbooks::fault::Fault;
use domain::data_type::DataType;
use domain::document::Unreadable;
use domain::record::RawRecord;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A text that is borrowed from the answer unless it holds escapes.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// The answer of the query endpoint: `{"QueryResponse":{"Invoice":[…],…},"time":"…"}`.
#[derive(Debug, Deserialize)]
pub struct QueryAnswer<'a> {
    #[serde(rename = "QueryResponse", borrow)]
    pub response: Option<Group<'a>>,
    #[serde(rename = "Fault", alias = "fault")]
    pub fault: Option<Fault>,
}

/// The answer of the cdc endpoint: one group for each type that was asked for.
#[derive(Debug, Deserialize)]
pub struct ChangesAnswer<'a> {
    #[serde(rename = "CDCResponse", borrow)]
    pub responses: Option<Vec<ChangesGroups<'a>>>,
    #[serde(borrow)]
    pub time: Option<&'a RawValue>,
    #[serde(rename = "Fault", alias = "fault")]
    pub fault: Option<Fault>,
}

#[derive(Debug, Deserialize)]
pub struct ChangesGroups<'a> {
    #[serde(rename = "QueryResponse", borrow)]
    pub groups: Option<Vec<Group<'a>>>,
    #[serde(rename = "Fault", alias = "fault")]
    pub fault: Option<Fault>,
}

/// The answer to a read of one object: `{"CompanyInfo":{…},"time":"…"}`.
#[derive(Debug, Deserialize)]
pub struct SingleAnswer<'a> {
    #[serde(rename = "CompanyInfo", borrow)]
    pub company_info: Option<&'a RawValue>,
    #[serde(rename = "Preferences", borrow)]
    pub preferences: Option<&'a RawValue>,
    #[serde(borrow)]
    pub time: Option<&'a RawValue>,
    #[serde(rename = "Fault", alias = "fault")]
    pub fault: Option<Fault>,
}

/// What stands between the braces of a `QueryResponse`: records under the name of their type, and counters.
#[derive(Debug, Default)]
pub struct Group<'a> {
    pub rows: Vec<(DataType, Vec<&'a RawValue>)>,
    pub total_count: Option<u64>,
    pub fault: Option<Fault>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Group<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Group<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a QueryResponse")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Group<'de>, M::Error> {
                let mut group = Group::default();
                while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
                    match key.as_ref() {
                        "totalCount" => group.total_count = map.next_value()?,
                        "Fault" | "fault" => group.fault = map.next_value()?,
                        word => match word.parse::<DataType>() {
                            Ok(data_type) => group.rows.push((data_type, map.next_value::<Option<Vec<&'de RawValue>>>()?.unwrap_or_default())),
                            Err(_) => {
                                map.next_value::<IgnoredAny>()?;
                            }
                        },
                    }
                }
                Ok(group)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "Id", borrow)]
    id: Option<&'a RawValue>,
    #[serde(rename = "MetaData", borrow)]
    meta: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct MetaData<'a> {
    #[serde(rename = "LastUpdatedTime", borrow)]
    last_updated: Option<Text<'a>>,
}

/// Takes one record out of an answer, its JSON unchanged.
pub fn record(data_type: DataType, raw: &RawValue) -> Result<RawRecord, Unreadable> {
    let unreadable = |reason: &str| Unreadable { data_type, id: String::new(), reason: reason.to_owned() };
    let head: Head<'_> = serde_json::from_str(raw.get()).map_err(|_| unreadable("the record is not a JSON object with distinct keys"))?;
    let id = match head.id {
        None => return Err(unreadable("Id is missing")),
        Some(raw) => text(raw).ok_or_else(|| unreadable("Id is not a text"))?,
    };
    if id.is_empty() {
        return Err(unreadable("Id is empty"));
    }
    // REF/changedatacapture: a deleted object comes as a stub with status "Deleted"
    let deleted = head.status.is_some_and(|raw| raw.get() == "\"Deleted\"");
    Ok(RawRecord { data_type, id, body: raw.get().into(), updated_at: head.meta.and_then(last_updated), deleted })
}

/// `MetaData.LastUpdatedTime`, read with its offset; `None` when it is missing or no time.
pub fn last_updated(meta: &RawValue) -> Option<Timestamp> {
    let meta: MetaData<'_> = serde_json::from_str(meta.get()).ok()?;
    moment(&meta.last_updated?.0)
}

/// A time with its offset: `2020-09-29T06:03:07.405-07:00`. A time without one is refused, for nobody can say when it is.
pub fn moment(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok()
}

/// A JSON string; `None` for any other value.
pub fn text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// Why a body cannot be read, without a word of what stands in it.
pub fn defect(body: &str, error: &serde_json::Error) -> &'static str {
    if body.trim().is_empty() {
        "it is empty"
    } else if body.trim_start().starts_with('<') {
        "it is XML or HTML instead of JSON"
    } else if error.is_eof() {
        "the JSON ends too early"
    } else if error.is_data() {
        "the JSON has an unknown shape"
    } else {
        "it is not JSON"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(body: &str) -> Vec<Result<RawRecord, Unreadable>> {
        let answer: QueryAnswer<'_> = serde_json::from_str(body).unwrap();
        let group = answer.response.unwrap();
        group.rows.into_iter().flat_map(|(data_type, rows)| rows.into_iter().map(move |raw| record(data_type, raw))).collect()
    }

    #[test]
    fn records_keep_their_bytes() {
        let body = include_str!("fixtures/query_invoice.json");
        let records: Vec<RawRecord> = rows(body).into_iter().map(Result::unwrap).collect();
        assert_eq!(records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["130", "131", "139"]);
        for record in &records {
            assert!(body.contains(&*record.body), "{}", record.id);
            assert_eq!(record.data_type, DataType::Invoice);
            assert!(!record.deleted);
        }
        // the spelling of numbers is kept, too
        assert!(records[0].body.contains("\"TotalAmt\":639.00"));
        assert_eq!(records[0].updated_at, Some("2026-05-05T10:24:10Z".parse().unwrap()));
    }

    #[test]
    fn a_record_without_a_readable_id_is_set_aside_alone() {
        let results = rows(
            r#"{"QueryResponse":{"Bill":[{"TotalAmt":1},{"Id":7},{"Id":""},"x",{"Id":"1","Id":"2"},{"Id":"9","MetaData":{"LastUpdatedTime":"soon"}}],"maxResults":6}}"#,
        );
        let reasons: Vec<&str> = results.iter().filter_map(|result| result.as_ref().err()).map(|unreadable| unreadable.reason.as_str()).collect();
        let no_object = "the record is not a JSON object with distinct keys";
        assert_eq!(reasons, ["Id is missing", "Id is not a text", "Id is empty", no_object, no_object]);
        let good: Vec<&RawRecord> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!((good.len(), good[0].updated_at), (1, None));
    }

    #[test]
    fn counters_and_unknown_keys_are_no_records() {
        let answer: QueryAnswer<'_> =
            serde_json::from_str(r#"{"QueryResponse":{"totalCount":26,"warnings":null,"Novelty":[{}]},"time":"x"}"#).unwrap();
        let group = answer.response.unwrap();
        assert_eq!((group.total_count, group.rows.len()), (Some(26), 0));
    }

    #[test]
    fn times_need_an_offset() {
        assert_eq!(moment("2020-09-29T06:03:07.405-07:00").map(|at| at.as_millisecond()), Some(1_601_384_587_405));
        assert_eq!(moment("2020-09-29T06:03:07"), None);
        assert_eq!(moment("0-00-00"), None);
    }

    #[test]
    fn a_defect_says_what_is_wrong_and_quotes_nothing() {
        let why = |body: &str| {
            let error = serde_json::from_str::<QueryAnswer<'_>>(body).unwrap_err();
            defect(body, &error)
        };
        assert_eq!(why(r#"{"QueryResponse":{"Invoice":[{"Id":"1","Tot"#), "the JSON ends too early");
        assert_eq!(why("<html><body>503</body></html>"), "it is XML or HTML instead of JSON");
        assert_eq!(why(""), "it is empty");
        assert_eq!(why(r#"{"QueryResponse":"secret"}"#), "the JSON has an unknown shape");
        assert_eq!(why("hello"), "it is not JSON");
    }
}
