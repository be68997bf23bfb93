//! Statements of the QuickBooks query language, and the other questions one can put to that company: changes, reports, single records.
use super::dice::Dice;
use super::json::Harvest;
use super::shot::{Shot, encoded};
use super::subject::Subject;
use super::sweep::{ENTITIES, QUICKBOOKS_REPORTS};
use super::{Target, text};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Query {
    realm: String,
    /// Paths to properties, by entity.
    properties: BTreeMap<String, Vec<String>>,
}

const WORDS: [&str; 44] = [
    "SELECT",
    "FROM",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "ORDERBY",
    "ORDER BY",
    "ASC",
    "DESC",
    "STARTPOSITION",
    "MAXRESULTS",
    "COUNT(*)",
    "*",
    "=",
    "<",
    ">",
    "<=",
    ">=",
    "!=",
    "<>",
    "(",
    ")",
    ",",
    "'",
    "\\'",
    "\\",
    "%",
    "true",
    "false",
    "null",
    "IS NULL",
    "BETWEEN",
    "JOIN",
    "Id",
    "MetaData.LastUpdatedTime",
    "Active",
    "Line.Amount",
    "--",
    ";",
    ".",
    "9223372036854775808",
];

fn paths_of(value: &Value, prefix: &str, paths: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                // conditions are on texts, numbers and flags
                if !value.is_object() && !value.is_array() && !paths.contains(&path) {
                    paths.push(path.clone());
                }
                paths_of(value, &path, paths);
            }
        }
        Value::Array(items) => items.iter().take(3).for_each(|item| paths_of(item, prefix, paths)),
        _ => {}
    }
}

/// The records of a company, by entity; every target that needs records asks so.
pub async fn records(subject: &Subject, most: u32) -> BTreeMap<String, Vec<Value>> {
    let mut all = BTreeMap::new();
    for entity in ENTITIES {
        let statement = format!("select * from {entity} maxresults {most}");
        let path = format!("/v3/company/{}/query?{}", subject.realm, encoded(&[("query".into(), statement)]));
        let answer = subject.fire(&Shot::get(path)).await.and_then(|answer| answer.json()).unwrap_or_default();
        let lists = answer["QueryResponse"].as_object().into_iter().flat_map(|fields| fields.values()).find_map(Value::as_array);
        all.insert(entity.to_owned(), lists.cloned().unwrap_or_default());
    }
    all
}

impl Query {
    fn statement(&self, harvest: &Harvest, dice: &mut Dice) -> String {
        let entity = dice.word(&ENTITIES);
        let known = self.properties.get(entity).map(Vec::as_slice).unwrap_or_default();
        let property = |dice: &mut Dice| match known.is_empty() || dice.one_in(40) {
            true => dice.word(&WORDS).to_owned(),
            false => dice.pick(known).clone(),
        };
        let value = |property: &str, dice: &mut Dice| {
            let name = property.rsplit('.').next().unwrap_or(property);
            let value = match harvest.of(name, dice) {
                Value::String(text) => text,
                Value::Number(number) if dice.one_in(2) => return number.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => return flag.to_string(),
                _ => dice.word(&text::ODD).to_owned(),
            };
            match dice.below(30) {
                0 => value,
                1 => format!("'{}'", dice.word(&text::ODD)),
                2..=4 => format!("'%{}%'", value.chars().take(3).collect::<String>().replace('\'', "\\'")),
                _ => format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'")),
            }
        };
        let select = match dice.below(5) {
            0 => "count(*)".to_owned(),
            1 => (0..=dice.below(4)).map(|_| property(dice)).collect::<Vec<_>>().join(", "),
            2 => format!("*, {}", property(dice)),
            _ => "*".to_owned(),
        };
        let entity = if dice.one_in(8) { entity.to_lowercase() } else { entity.to_owned() };
        let mut statement = format!("{} {select} FROM {entity}", dice.word(&["SELECT", "select", "Select"]));
        for at in 0..dice.below(4) {
            let property = property(dice);
            let operator = if dice.one_in(30) { "!=" } else { dice.word(&["=", "<", ">", "<=", ">=", "LIKE", "IN", "like", "in"]) };
            let value = match operator.eq_ignore_ascii_case("in") {
                true => format!("({})", (0..1 + dice.below(4)).map(|_| value(&property, dice)).collect::<Vec<_>>().join(", ")),
                false => value(&property, dice),
            };
            statement.push_str(&format!(" {} {property} {operator} {value}", if at == 0 { "WHERE" } else { "AND" }));
        }
        let mut clauses = Vec::new();
        if dice.one_in(3) {
            let order: Vec<String> = (0..=dice.below(2)).map(|_| format!("{} {}", property(dice), dice.word(&["", "ASC", "DESC"]))).collect();
            clauses.push(format!("{} {}", dice.word(&["ORDERBY", "ORDER BY"]), order.join(", ")));
        }
        let number = |dice: &mut Dice| match dice.one_in(5) {
            true => dice.word(&["1001", "0", "-1", "9223372036854775807", "99999999999999999999", "1.5"]),
            false => dice.word(&["1", "2", "10", "100", "1000"]),
        };
        if dice.one_in(3) {
            clauses.push(format!("STARTPOSITION {}", number(dice)));
        }
        if dice.one_in(3) {
            clauses.push(format!("MAXRESULTS {}", number(dice)));
        }
        if dice.one_in(3) {
            clauses.reverse();
        }
        format!("{statement} {}", clauses.join(" "))
    }

    fn other_question(&self, harvest: &Harvest, dice: &mut Dice) -> String {
        let day = |dice: &mut Dice| match dice.below(4) {
            0 => dice.word(&text::ODD).to_owned(),
            1 => dice
                .word(&["2025-06-01T00:00:00Z", "2025-06-01T00:00:00-07:00", "2025-06-10", "1900-01-01", "9999-12-31", "-009999-01-01"])
                .to_owned(),
            _ => format!("20{:02}-{:02}-{:02}", 20 + dice.below(10), 1 + dice.below(12), 1 + dice.below(31)),
        };
        match dice.below(4) {
            0 => {
                let entities: Vec<&str> = (0..dice.below(5)).map(|_| dice.word(&ENTITIES)).collect();
                format!("cdc?{}", encoded(&[("entities".into(), entities.join(",")), ("changedSince".into(), day(dice))]))
            }
            1 | 2 => {
                const NAMES: [&str; 22] = [
                    "start_date",
                    "end_date",
                    "date_macro",
                    "accounting_method",
                    "summarize_column_by",
                    "columns",
                    "customer",
                    "vendor",
                    "account",
                    "class",
                    "department",
                    "item",
                    "sort_by",
                    "sort_order",
                    "report_date",
                    "aging_period",
                    "num_periods",
                    "past_due",
                    "duedate",
                    "qzurl",
                    "source_account_type",
                    "group_by",
                ];
                const VALUES: [&str; 30] = [
                    "Cash",
                    "Accrual",
                    "Month",
                    "Days",
                    "Week",
                    "Quarter",
                    "Year",
                    "Total",
                    "Customers",
                    "Vendors",
                    "Classes",
                    "ProductsAndServices",
                    "This Fiscal Year",
                    "Last Month",
                    "Today",
                    "All",
                    "tx_date,txn_type,doc_num,debt_amt,credit_amt,account_name",
                    "ascend",
                    "descend",
                    "1",
                    "30",
                    "100",
                    "4294967296",
                    "-1",
                    "subt_nat_amount",
                    "Report_Date",
                    "Current",
                    "Last Fiscal Year-to-date",
                    "Employees",
                    "",
                ];
                let pairs: Vec<(String, String)> = (0..dice.below(6))
                    .map(|_| {
                        let name = dice.word(&NAMES).to_owned();
                        let value = if name.ends_with("date") { day(dice) } else { dice.word(&VALUES).to_owned() };
                        (name, value)
                    })
                    .collect();
                format!("reports/{}?{}", dice.word(&QUICKBOOKS_REPORTS), encoded(&pairs))
            }
            _ => {
                let entity = dice.word(&ENTITIES).to_lowercase();
                let id = harvest.of("Id", dice);
                let id = id.as_str().map_or_else(|| dice.word(&text::ODD).to_owned(), str::to_owned);
                format!("{entity}/{}?minorversion=75", encoded(&[(id, String::new())]).trim_end_matches('='))
            }
        }
    }
}

impl Target for Query {
    async fn begin(&mut self, subject: &Subject, harvest: &mut Harvest) {
        self.realm = subject.realm.clone();
        for (entity, rows) in records(subject, 30).await {
            let mut paths = Vec::new();
            for row in &rows {
                paths_of(row, "", &mut paths);
                harvest.take_in(row);
            }
            self.properties.insert(entity, paths);
        }
    }

    fn shot(&mut self, harvest: &Harvest, dice: &mut Dice) -> Shot {
        let company = format!("/v3/company/{}", self.realm);
        if dice.one_in(5) {
            return Shot::get(format!("{company}/{}", self.other_question(harvest, dice)));
        }
        let mut statement = self.statement(harvest, dice);
        if dice.one_in(4) {
            statement = text::vary(&statement, &WORDS, dice);
        }
        let shot = match dice.one_in(4) {
            true => Shot { method: "POST".into(), path: format!("{company}/query"), body: statement.into_bytes(), ..Shot::default() }
                .with("content-type", "application/text"),
            false => Shot::get(format!("{company}/query?{}", encoded(&[("query".into(), statement)]))),
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
