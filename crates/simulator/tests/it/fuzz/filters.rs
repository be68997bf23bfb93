//! What one can ask of Xero's lists and reports: `where`, `order`, pages, ids, times, periods.
use super::dice::Dice;
use super::json::Harvest;
use super::shot::{Shot, encoded};
use super::subject::Subject;
use super::sweep::{RESOURCES, XERO_REPORTS};
use super::{Target, text};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Filters {
    /// Paths to fields, by resource.
    fields: BTreeMap<String, Vec<String>>,
}

const WORDS: [&str; 46] = [
    "==",
    "!=",
    "=",
    "<",
    ">",
    "<=",
    ">=",
    "&&",
    "||",
    "AND",
    "OR",
    "and",
    "or",
    "!",
    "(",
    ")",
    "null",
    "true",
    "false",
    "Guid(\"",
    "DateTime(",
    "DateTime.Parse(\"",
    ".Contains(\"",
    ".StartsWith(\"",
    ".EndsWith(\"",
    ".ToLower()",
    ".ToString()",
    ".HasValue",
    "\"",
    "\\\"",
    ",",
    "ASC",
    "DESC",
    "Contact.Name",
    "Type",
    "Status",
    "Date",
    "AmountDue",
    "IsReconciled",
    "Invoice.Contact.ContactID",
    "2024",
    "13",
    "-1",
    "0.5",
    "1e9",
    ".",
];

fn paths_of(value: &Value, prefix: &str, paths: &mut Vec<String>) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        paths_of(value, &path, paths);
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
}

/// The records of an organisation, by resource.
pub async fn records(subject: &Subject, most: usize) -> BTreeMap<String, Vec<Value>> {
    let mut all = BTreeMap::new();
    for resource in RESOURCES {
        let path = format!("/api.xro/2.0/{resource}?page=1&pageSize={most}&includeArchived=true");
        let answer = subject.fire(&Shot::get(path)).await.and_then(|answer| answer.json()).unwrap_or_default();
        let list = answer.as_object().into_iter().flat_map(|fields| fields.values()).find_map(Value::as_array).cloned().unwrap_or_default();
        all.insert(resource.to_owned(), list.into_iter().take(most).collect());
    }
    all
}

impl Filters {
    fn value(field: &str, harvest: &Harvest, dice: &mut Dice) -> String {
        let name = field.rsplit('.').next().unwrap_or(field);
        let number = |dice: &mut Dice| dice.word(&["0", "1", "2", "2024", "2025", "12", "31", "32", "-1", "99999", "2147483648"]).to_owned();
        match dice.below(9) {
            0 => format!("Guid(\"{}\")", harvest.of(name, dice).as_str().unwrap_or("00000000-0000-0000-0000-000000000000")),
            1 => format!("DateTime({})", (0..dice.below(7)).map(|_| number(dice)).collect::<Vec<_>>().join(dice.word(&[",", ", "]))),
            2 => format!("DateTime(2025, {}, {})", 1 + dice.below(13), 1 + dice.below(32)),
            3 => format!("DateTime.Parse(\"{}\")", dice.word(&["2025-01-01", "2025-06-01T00:00:00Z", "31/12/2024", "", "9999-99-99"])),
            4 => dice.word(&["null", "true", "false", "0", "-0.00", "1e400", "99999999999999999999", "12.345678901234567890"]).to_owned(),
            5 => format!("\"{}\"", dice.word(&text::ODD).replace('"', "\\\"")),
            _ => match harvest.of(name, dice) {
                Value::String(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
                other => other.to_string(),
            },
        }
    }

    fn condition(&self, known: &[String], harvest: &Harvest, depth: u32, dice: &mut Dice) -> String {
        if depth < 6 && dice.one_in(3) {
            let both = [self.condition(known, harvest, depth + 1, dice), self.condition(known, harvest, depth + 1, dice)];
            let joined = both.join(dice.word(&[" AND ", " OR ", "&&", "||", " and "]));
            return if dice.one_in(2) { format!("({joined})") } else { joined };
        }
        let field = if known.is_empty() || dice.one_in(10) { dice.word(&WORDS).to_owned() } else { dice.pick(known).clone() };
        let value = Filters::value(&field, harvest, dice);
        match dice.below(6) {
            0 => format!("{field}.{}({value})", dice.word(&["Contains", "StartsWith", "EndsWith", "Equals", "ToLower"])),
            1 => format!("{field}.ToLower().Contains({value})"),
            2 => format!("{field}{}", dice.word(&["", ".HasValue", " != null", "==null", " == true"])),
            3 => format!("!({field} == {value})"),
            _ => format!("{field}{}{value}", dice.word(&["==", "!=", " >= ", " <= ", ">", "<", " = "])),
        }
    }
}

impl Target for Filters {
    async fn begin(&mut self, subject: &Subject, harvest: &mut Harvest) {
        for (resource, rows) in records(subject, 40).await {
            let mut paths = Vec::new();
            for row in &rows {
                paths_of(row, "", &mut paths);
                harvest.take_in(row);
            }
            self.fields.insert(resource, paths);
        }
    }

    fn shot(&mut self, harvest: &Harvest, dice: &mut Dice) -> Shot {
        let day = |dice: &mut Dice| match dice.below(3) {
            0 => dice.word(&text::ODD).to_owned(),
            _ => format!("20{:02}-{:02}-{:02}", 20 + dice.below(10), 1 + dice.below(12), 1 + dice.below(31)),
        };
        if dice.one_in(5) {
            const NAMES: [&str; 15] = [
                "date",
                "fromDate",
                "toDate",
                "periods",
                "timeframe",
                "trackingCategoryID",
                "trackingOptionID",
                "trackingCategoryID2",
                "trackingOptionID2",
                "standardLayout",
                "paymentsOnly",
                "contactID",
                "bankAccountID",
                "DateFrom",
                "DateTo",
            ];
            let pairs: Vec<(String, String)> = (0..dice.below(6))
                .map(|_| {
                    let name = dice.word(&NAMES);
                    let value = match name {
                        _ if name.to_lowercase().contains("date") => day(dice),
                        "contactID" => harvest.of("ContactID", dice).as_str().unwrap_or_default().to_owned(),
                        _ if name.starts_with("tracking") => harvest.of("TrackingCategoryID", dice).as_str().unwrap_or_default().to_owned(),
                        "bankAccountID" => harvest.of("AccountID", dice).as_str().unwrap_or_default().to_owned(),
                        _ => dice.word(&["true", "false", "1", "11", "12", "0", "MONTH", "QUARTER", "YEAR", "x", "-1"]).to_owned(),
                    };
                    (name.to_owned(), value)
                })
                .collect();
            return Shot::get(format!("/api.xro/2.0/Reports/{}?{}", dice.word(&XERO_REPORTS), encoded(&pairs)));
        }
        let resource = dice.word(&RESOURCES);
        let known = self.fields.get(resource).map(Vec::as_slice).unwrap_or_default();
        let mut pairs = Vec::new();
        if !dice.one_in(4) {
            let mut condition = self.condition(known, harvest, 0, dice);
            if dice.one_in(3) {
                condition = text::vary(&condition, &WORDS, dice);
            }
            if dice.one_in(200) {
                condition = format!("{}{condition}{}", "(".repeat(5_000), ")".repeat(5_000));
            }
            pairs.push(("where".to_owned(), condition));
        }
        if dice.one_in(3) {
            let mut order: Vec<String> = Vec::new();
            for _ in 0..=dice.below(3) {
                let field = if known.is_empty() { dice.word(&WORDS).to_owned() } else { dice.pick(known).clone() };
                order.push(format!("{field}{}", dice.word(&["", " ASC", " DESC", " desc", " x"])));
            }
            let order = order.join(dice.word(&[",", ", "]));
            pairs.push(("order".to_owned(), if dice.one_in(4) { text::vary(&order, &WORDS, dice) } else { order }));
        }
        for _ in 0..dice.below(3) {
            let name = dice.word(&[
                "page",
                "pageSize",
                "ids",
                "IDs",
                "InvoiceNumbers",
                "ContactIDs",
                "Statuses",
                "searchTerm",
                "summaryOnly",
                "includeArchived",
                "createdByMyApp",
                "unitdp",
                "offset",
                "paymentsOnly",
                "Status",
                "DateFrom",
                "DateTo",
                "ContactID",
                "SourceTransactionID",
                "LinkedTransactionID",
            ]);
            let value = match name {
                "ids" | "IDs" => format!(
                    "{},{}",
                    harvest.of("InvoiceID", dice).as_str().unwrap_or_default(),
                    harvest.of("ContactID", dice).as_str().unwrap_or_default()
                ),
                "ContactIDs" | "ContactID" => harvest.of("ContactID", dice).as_str().unwrap_or("x").to_owned(),
                "Statuses" | "Status" => dice.word(&["DRAFT", "AUTHORISED,PAID", "VOIDED", "x", ",,"]).to_owned(),
                "DateFrom" | "DateTo" => day(dice),
                "searchTerm" => harvest.of("Name", dice).as_str().map_or("a".to_owned(), |name| name.chars().take(4).collect()),
                _ => dice
                    .word(&[
                        "1",
                        "2",
                        "100",
                        "1000",
                        "1001",
                        "0",
                        "-1",
                        "true",
                        "false",
                        "4",
                        "18446744073709551615",
                        "99999999999999999999",
                        "",
                        "x",
                    ])
                    .to_owned(),
            };
            pairs.push((name.to_owned(), value));
        }
        let id = match dice.one_in(8) {
            true => format!(
                "/{}",
                harvest.of(&format!("{}ID", resource.trim_end_matches('s')), dice).as_str().unwrap_or("x").replace([' ', '/', '?', '#'], "_")
            ),
            false => String::new(),
        };
        let shot = Shot::get(format!("/api.xro/2.0/{resource}{id}?{}", encoded(&pairs)));
        let shot = match dice.below(6) {
            0 => shot.with("if-modified-since", day(dice).replace(['\0', '\n', '\r'], "")),
            1 => shot
                .with("if-modified-since", dice.word(&["2025-06-01T00:00:00", "Mon, 02 Jun 2025 00:00:00 GMT", "x", "9999-12-31T23:59:59Z", "-1"])),
            _ => shot,
        };
        if dice.one_in(10) { shot.with("accept", "application/xml") } else { shot }
    }

    fn words(&self) -> Vec<&str> {
        WORDS.to_vec()
    }

    fn patience(&self) -> u32 {
        20_000
    }

    fn sweeps(&self) -> bool {
        false
    }
}
