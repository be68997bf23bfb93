//! What faults make of a right answer: other records, other counts, other shapes.
use super::json::{Fields, change_numbers, change_records, elements, list, quoted};
use crate::faults::{Drift, Fault, Page};

/// The answer as the fault leaves it; unchanged where the fault has nothing to change.
pub fn altered(fault: &Fault, text: String) -> String {
    let changed = match fault {
        Fault::FalseDelete { records } => {
            let mut left = *records;
            change_records(&text, &mut |_, list| {
                list.into_iter()
                    .map(|record| match (left, stub(&record)) {
                        (1.., Some(stub)) => {
                            left -= 1;
                            stub
                        }
                        _ => record,
                    })
                    .collect()
            })
        }
        Fault::Cap { records } => {
            let mut left = *records;
            change_records(&text, &mut |_, mut list| {
                list.truncate(left);
                left -= list.len();
                list
            })
        }
        Fault::CountOff { by } => change_numbers(&text, &["totalCount", "itemCount"], &|count| count.saturating_add(*by).max(0)),
        Fault::Page { how } => change_records(&text, &mut |_, list| page(*how, list)),
        Fault::LargeRecords { bytes, every } => change_records(&text, &mut |_, list| {
            let enlarged = list.into_iter().enumerate();
            enlarged.map(|(index, record)| if index == 0 || *every { enlarge(record, *bytes) } else { record }).collect()
        }),
        Fault::ManyRecords { records } => change_records(&text, &mut |_, list| match list.first().and_then(|first| Fields::read(first)) {
            Some(first) => (0..*records).map(|number| small(&first, number)).collect(),
            None => list,
        }),
        Fault::Drift { drift } => {
            change_records(&text, &mut |_, list| list.into_iter().map(|record| drifted(drift, &record).unwrap_or(record)).collect())
        }
        Fault::WrongOffset { minutes } => Some(wrong_offsets(&text, *minutes)),
        _ => None,
    };
    changed.unwrap_or(text)
}

/// The answer of change data capture without these entities.
pub fn without_entities(text: String, omitted: &[String]) -> String {
    let left_out = |name: &str| omitted.iter().any(|known| known.eq_ignore_ascii_case(name));
    let rewrite = || -> Option<String> {
        let mut answer = Fields::read(&text)?;
        let mut responses = Vec::new();
        for response in elements(answer.get("CDCResponse")?)? {
            let mut response = Fields::read(&response)?;
            let groups = elements(response.get("QueryResponse")?)?;
            let groups: Vec<String> = groups
                .into_iter()
                .map(|group| match Fields::read(&group) {
                    Some(fields) if fields.0.iter().any(|(name, _)| left_out(name)) => "{}".to_owned(),
                    _ => group,
                })
                .collect();
            response.set("QueryResponse", list(&groups));
            responses.push(response.write());
        }
        answer.set("CDCResponse", list(&responses));
        Some(answer.write())
    };
    rewrite().unwrap_or(text)
}

/// How many records the answer holds.
pub fn count(text: &str) -> usize {
    let mut count = 0;
    change_records(text, &mut |_, list| {
        count += list.len();
        list
    });
    count
}

/// A live record in the form of a deleted one.
fn stub(record: &str) -> Option<String> {
    let fields = Fields::read(record)?;
    if fields.text("status").as_deref() == Some("Deleted") {
        return None;
    }
    let id = fields.get("Id")?;
    let time = fields.get("MetaData").and_then(Fields::read).and_then(|meta| meta.text("LastUpdatedTime")).unwrap_or_default();
    Some(format!(r#"{{"status":"Deleted","domain":"QBO","Id":{id},"MetaData":{{"LastUpdatedTime":{}}}}}"#, quoted(&time)))
}

fn page(how: Page, mut records: Vec<String>) -> Vec<String> {
    match how {
        Page::Doubled => {
            let again = records.clone();
            records.extend(again);
        }
        Page::Reversed => records.reverse(),
        Page::Short => records.truncate(records.len().div_ceil(2)),
        Page::Empty => records.clear(),
        // The request was turned to the first page.
        Page::FirstAgain => {}
    }
    records
}

fn enlarge(record: String, bytes: usize) -> String {
    let Some(mut fields) = Fields::read(&record) else { return record };
    let field = if fields.get("domain").is_some() { "PrivateNote" } else { "Reference" };
    fields.set(field, quoted(&"x".repeat(bytes.saturating_sub(record.len()))));
    fields.write()
}

/// Id, name and time of the first record, under an id of its own.
fn small(first: &Fields, number: usize) -> String {
    let kept = ["Id", "SyncToken", "domain", "sparse", "Name", "DisplayName", "MetaData", "UpdatedDateUTC", "Status"];
    let mut fields = Fields(first.0.iter().filter(|(name, _)| kept.contains(&name.as_str()) || name.ends_with("ID")).cloned().collect());
    for (name, value) in &mut fields.0 {
        if name == "Id" {
            *value = quoted(&format!("{}", 900_000_000 + number));
        } else if name.ends_with("ID") && value.len() == 38 {
            *value = quoted(&format!("00000000-0000-4000-8000-{number:012x}"));
        }
    }
    fields.write()
}

fn drifted(drift: &Drift, record: &str) -> Option<String> {
    let mut fields = Fields::read(record)?;
    match drift {
        Drift::Renamed { field, to } => {
            for (name, _) in &mut fields.0 {
                if name == field {
                    name.clone_from(to);
                }
            }
        }
        Drift::Missing { field } => fields.0.retain(|(name, _)| name != field),
        Drift::ChangedType { field } => {
            for (_, value) in fields.0.iter_mut().filter(|(name, _)| name == field) {
                *value = if value.starts_with(['"', '[', '{']) { format!("[{value}]") } else { quoted(value) };
            }
        }
        Drift::NewValue { field, value } => fields.set(field, quoted(value)),
    }
    Some(fields.write())
}

/// `2025-03-09T01:30:00-08:00` becomes `2025-03-09T01:30:00-07:00` for 60 minutes: the same local time, another moment.
fn wrong_offsets(text: &str, minutes: i64) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\"") {
        let (before, from) = rest.split_at(at + 1);
        out.push_str(before);
        rest = from;
        // 2025-03-09T01:30:00-08:00
        if let Some(candidate) = rest.get(..26)
            && candidate.is_ascii()
            && candidate.ends_with('"')
            && candidate.as_bytes()[10] == b'T'
            && let Some(moved) = moved_offset(&candidate[19..25], minutes)
        {
            out.push_str(&candidate[..19]);
            out.push_str(&moved);
            rest = &rest[25..];
        }
    }
    out.push_str(rest);
    out
}

fn moved_offset(offset: &str, minutes: i64) -> Option<String> {
    let sign = match offset.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = offset[1..].split_once(':')?;
    let total = sign * (hours.parse::<i64>().ok()? * 60 + rest.parse::<i64>().ok()?) + minutes;
    let sign = if total < 0 { '-' } else { '+' };
    Some(format!("{sign}{:02}:{:02}", total.abs() / 60, total.abs() % 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_moves_and_the_local_time_stays() {
        let text = r#"{"a":"2025-03-09T01:30:00-08:00","b":"2025-03-09","c":"Tea at 10:00-11:00"}"#;
        assert_eq!(wrong_offsets(text, 60), r#"{"a":"2025-03-09T01:30:00-07:00","b":"2025-03-09","c":"Tea at 10:00-11:00"}"#);
        assert_eq!(moved_offset("+00:30", -60).as_deref(), Some("-00:30"));
    }
}
