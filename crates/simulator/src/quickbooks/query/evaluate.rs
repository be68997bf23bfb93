//! Runs a statement over the books. Conditions on ids, times, dates, names and `Active` read the books directly; only the page that
//! is answered, and rows whose other properties are asked about, are written as JSON.
use super::parse::{self, Condition, Operator, Order, Select, Statement};
use crate::money::Cents;
use crate::quickbooks::dates;
use crate::quickbooks::entity::Entity;
use crate::quickbooks::moments;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::rows::{self, Row};
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};
use jiff::civil::Date;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// "Default 100, maximum 1000" (contract 3.2).
const DEFAULT_RESULTS: i64 = 100;
const MAX_RESULTS: i64 = 1000;

/// The `QueryResponse` object.
pub fn answer(view: &View, text: &str) -> Result<Object, Refusal> {
    let statement = parse::parse(text).map_err(|error| Refusal::query_syntax(error.to_string()))?;
    let entity =
        Entity::named(&statement.entity).ok_or_else(|| Refusal::query_invalid(format!("Invalid context declaration: {}", statement.entity)))?;
    let (skip, take) = page(&statement)?;
    let tests = conditions(entity, &statement)?;
    let order = ordering(entity, &statement.order)?;
    let shown = projection(entity, &statement.select)?;

    if entity == Entity::JournalCode && view.books.country != "FR" {
        return Err(Refusal::feature_not_supported());
    }
    let mut found: Vec<Row> = candidates(view, entity, &tests).filter(|row| tests.iter().all(|test| test.holds(view, row))).collect();
    if statement.select == Select::Count {
        return Ok(Object::new().put("totalCount", found.len()));
    }
    let rows: Vec<Object> = if order.is_empty() && !entity.is_name_list() {
        newest_first(&found, skip, take).into_iter().map(|at| shown.show(found[at].render(view))).collect()
    } else {
        sort(view, &order, &mut found);
        found.iter().skip(skip).take(take).map(|row| shown.show(row.render(view))).collect()
    };
    if rows.is_empty() {
        return Ok(Object::new());
    }
    let count = rows.len();
    let response = Object::new().put(entity.key(), rows);
    let response = if entity.hides_start_position() { response } else { response.put("startPosition", skip + 1) };
    let response = response.put("maxResults", count);
    // "totalCount = number of rows in the answer in every recording" (contract 3.4).
    Ok(if entity.shows_total_count() { response.put("totalCount", count) } else { response })
}

/// The rows that can match, in the order of ids: the named ones if ids are named, else all.
fn candidates<'a>(view: &View<'a>, entity: Entity, tests: &[Test]) -> Box<dyn Iterator<Item = Row<'a>> + 'a> {
    let books = view.books;
    if entity == Entity::ExchangeRate {
        // "asofdate (default today)" (contract 7.5).
        let asked = tests.iter().find_map(|test| match test {
            Test::Day(Operator::Equal | Operator::In, days) => Some(days.clone()),
            _ => None,
        });
        let days = asked.unwrap_or_else(|| vec![dates::day_of(books, view.now)]);
        return Box::new(days.into_iter().flat_map(move |day| rows::exchange_rates(books, day)));
    }
    let named = tests.iter().find_map(|test| match test {
        Test::Id(Operator::Equal | Operator::In, ids) => Some(ids.iter().copied().collect::<BTreeSet<u64>>()),
        _ => None,
    });
    match named {
        Some(ids) => Box::new(ids.into_iter().filter_map(move |id| rows::find(books, entity, id)).filter(|row| !row.is_deleted())),
        None => rows::living(books, entity),
    }
}

fn page(statement: &Statement) -> Result<(usize, usize), Refusal> {
    let start = statement.start_position.unwrap_or(1);
    let max = statement.max_results.unwrap_or(DEFAULT_RESULTS);
    for value in [start, max] {
        if value < 1 {
            return Err(Refusal::query_invalid(format!("value {value} is too small. Min allowed value is 1")));
        }
    }
    if max > MAX_RESULTS {
        return Err(Refusal::query_invalid(format!("value {max} is too large. Max allowed value is {MAX_RESULTS}")));
    }
    let at_least_zero = |value: i64| usize::try_from(value).unwrap_or(0);
    Ok((at_least_zero(start - 1), at_least_zero(max)))
}

fn property(entity: Entity, asked: &str) -> Result<String, Refusal> {
    entity.property(asked).ok_or_else(|| Refusal::query_invalid(format!("Property {asked} not found for Entity {}", entity.name())))
}

/// What a condition asks, read once.
enum Test {
    Id(Operator, Vec<u64>),
    Created(Operator, Vec<i64>),
    Updated(Operator, Vec<i64>),
    Day(Operator, Vec<Date>),
    Active(Operator, Vec<bool>),
    Written { path: String, operator: Operator, values: Vec<String> },
}

fn conditions(entity: Entity, statement: &Statement) -> Result<Vec<Test>, Refusal> {
    let mut tests = statement.conditions.iter().map(|condition| test(entity, condition)).collect::<Result<Vec<_>, _>>()?;
    // "Name lists are returned only when Active = true unless the statement filters on Active" (contract 3.3).
    if entity.is_name_list() && !tests.iter().any(|test| matches!(test, Test::Active(..))) {
        tests.push(Test::Active(Operator::Equal, vec![true]));
    }
    Ok(tests)
}

fn test(entity: Entity, condition: &Condition) -> Result<Test, Refusal> {
    let path = property(entity, &condition.property)?;
    let Condition { operator, values, .. } = condition;
    let operator = *operator;
    if operator == Operator::Like {
        return Ok(Test::Written { path, operator, values: values.clone() });
    }
    let invalid = |value: &String| Refusal::query_invalid(format!("Invalid value '{value}' for property {path}"));
    Ok(match path.as_str() {
        "Id" if entity.has_number_ids() => {
            Test::Id(operator, values.iter().map(|value| value.parse().map_err(|_| invalid(value))).collect::<Result<_, _>>()?)
        }
        "MetaData.CreateTime" | "MetaData.LastUpdatedTime" => {
            let seconds = values.iter().map(|value| moments::read(value).map(|at| at.as_second()).ok_or_else(|| invalid(value)));
            let seconds = seconds.collect::<Result<_, _>>()?;
            if path == "MetaData.CreateTime" { Test::Created(operator, seconds) } else { Test::Updated(operator, seconds) }
        }
        "TxnDate" | "AsOfDate" => Test::Day(operator, values.iter().map(|value| day(value).ok_or_else(|| invalid(value))).collect::<Result<_, _>>()?),
        "Active" => {
            let read = |value: &String| match value.to_ascii_lowercase().as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(invalid(value)),
            };
            Test::Active(operator, values.iter().map(read).collect::<Result<_, _>>()?)
        }
        _ => Test::Written { path, operator, values: values.clone() },
    })
}

/// A day, also when a time follows it.
fn day(text: &str) -> Option<Date> {
    text.get(..10).filter(|_| text.len() == 10 || text.as_bytes().get(10) == Some(&b'T'))?.parse().ok()
}

impl Test {
    fn holds(&self, view: &View, row: &Row) -> bool {
        match self {
            Test::Id(operator, values) => compare(*operator, &row.id(), values),
            // Times are kept to the second: contract 3.5.
            Test::Created(operator, values) => compare(*operator, &row.created_at().as_second(), values),
            Test::Updated(operator, values) => compare(*operator, &row.updated_at().as_second(), values),
            Test::Day(operator, values) => row.date().is_some_and(|date| compare(*operator, &date, values)),
            Test::Active(operator, values) => compare(*operator, &row.is_active(), values),
            Test::Written { path, operator, values } => value_at(&row.render(view), path).is_some_and(|value| matches(&value, *operator, values)),
        }
    }
}

fn compare<T: PartialOrd>(operator: Operator, left: &T, values: &[T]) -> bool {
    values.iter().any(|right| match operator {
        Operator::Equal | Operator::In => left == right,
        Operator::Less => left < right,
        Operator::LessOrEqual => left <= right,
        Operator::Greater => left > right,
        Operator::GreaterOrEqual => left >= right,
        Operator::Like => false,
    })
}

/// The value at `Name` or `MetaData.CreateTime`; of a reference its id.
fn value_at(object: &Object, path: &str) -> Option<Json> {
    let value = match path.split_once('.') {
        None => object.get(path)?,
        Some((head, tail)) => match object.get(head)? {
            Json::Object(inner) => inner.get(tail)?,
            _ => return None,
        },
    };
    match value {
        Json::Object(inner) => inner.get("value").or_else(|| inner.get("Address")).cloned(),
        Json::List(_) => None,
        scalar => Some(scalar.clone()),
    }
}

fn matches(value: &Json, operator: Operator, values: &[String]) -> bool {
    if operator == Operator::Like {
        return values.iter().any(|pattern| like(&text_of(value), pattern));
    }
    match value {
        Json::Bool(value) => compare(operator, &value.to_string(), &values.iter().map(|v| v.to_ascii_lowercase()).collect::<Vec<_>>()),
        Json::Amount(_) | Json::Number(_) => {
            let asked: Vec<i128> = values.iter().filter_map(|value| decimal(value)).collect();
            decimal(&text_of(value)).is_some_and(|number| compare(operator, &number, &asked))
        }
        other => compare(operator, &text_of(other), values),
    }
}

fn text_of(value: &Json) -> String {
    match value {
        Json::Bool(value) => value.to_string(),
        Json::Text(text) | Json::Number(text) | Json::Written(text) => text.clone(),
        Json::Amount(cents) => cents.to_string(),
        Json::List(_) | Json::Object(_) => String::new(),
    }
}

/// A number in millionths; digits beyond are ignored.
fn decimal(text: &str) -> Option<i128> {
    let text = text.trim();
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.is_empty() || digits.len() > 24 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction: i128 = format!("{:0<6}", &fraction[..fraction.len().min(6)]).parse().ok()?;
    Some(sign * (whole * 1_000_000 + fraction))
}

/// `%` stands for anything; nothing else is special (contract 3.2).
fn like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('%');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

enum Shown {
    All,
    AllBut(&'static str),
    Only(Vec<String>),
}

impl Shown {
    fn show(&self, object: Object) -> Object {
        let properties = match self {
            Shown::All => return object,
            Shown::AllBut(hidden) => return Object(object.0.into_iter().filter(|(key, _)| key != hidden).collect()),
            Shown::Only(properties) => properties,
        };
        let kept = object.0.into_iter().filter_map(|(key, value)| {
            if key == "sparse" {
                return Some((key, Json::Bool(true)));
            }
            let asked = properties.iter().any(|property| property == key || property.split_once('.').is_some_and(|(head, _)| head == key));
            (asked || key == "domain" || key == "Id").then_some((key, value))
        });
        Object(kept.collect())
    }
}

fn projection(entity: Entity, select: &Select) -> Result<Shown, Refusal> {
    let known = |properties: &[String]| properties.iter().map(|asked| property(entity, asked)).collect::<Result<Vec<_>, _>>();
    Ok(match select {
        Select::Count => Shown::All,
        // "SELECT *, Sku FROM Item is NEEDED to get Sku with an Item query" (contract 3.2).
        Select::All { extra } => {
            let hides_sku = entity == Entity::Item && !known(extra)?.iter().any(|extra| extra == "Sku");
            if hides_sku { Shown::AllBut("Sku") } else { Shown::All }
        }
        Select::Properties(properties) => Shown::Only(known(properties)?),
    })
}

fn ordering(entity: Entity, order: &[Order]) -> Result<Vec<(String, bool)>, Refusal> {
    order.iter().map(|order| Ok((property(entity, &order.property)?, order.descending))).collect()
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Missing,
    Number(i128),
    Text(String),
}

/// "Default order: name lists by name, transactions newest first; ORDERBY Id numeric ascending" (contract fact 61). Which rows make a page of
/// transactions: only the page itself is sorted, so that a page of a large company costs one pass.
fn newest_first(rows: &[Row], skip: usize, take: usize) -> Vec<usize> {
    if skip >= rows.len() {
        return Vec::new();
    }
    let mut keyed: Vec<_> = rows.iter().enumerate().map(|(at, row)| (std::cmp::Reverse((row.date(), row.id())), at)).collect();
    if skip > 0 {
        keyed.select_nth_unstable(skip);
    }
    let rest = &mut keyed[skip..];
    let length = take.min(rest.len());
    if length < rest.len() {
        rest.select_nth_unstable(length);
    }
    let page = &mut rest[..length];
    page.sort_unstable();
    page.iter().map(|(_, at)| *at).collect()
}

fn sort(view: &View, order: &[(String, bool)], rows: &mut [Row]) {
    if order.is_empty() {
        rows.sort_by_cached_key(|row| (row.name().to_lowercase(), row.id()));
        return;
    }
    // Rows come in the order of ids.
    if let [(path, false)] = order
        && path == "Id"
    {
        return;
    }
    rows.sort_by_cached_key(|row| Keys(order.iter().map(|(path, descending)| (key(view, row, path), *descending)).collect(), row.id()));
}

#[derive(PartialEq, Eq)]
struct Keys(Vec<(Key, bool)>, u64);

impl Ord for Keys {
    fn cmp(&self, other: &Self) -> Ordering {
        for ((left, descending), (right, _)) in self.0.iter().zip(&other.0) {
            let order = if *descending { right.cmp(left) } else { left.cmp(right) };
            if order != Ordering::Equal {
                return order;
            }
        }
        self.1.cmp(&other.1)
    }
}

impl PartialOrd for Keys {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn key(view: &View, row: &Row, path: &str) -> Key {
    match path {
        "Id" => Key::Number(row.id().into()),
        "MetaData.CreateTime" => Key::Number(row.created_at().as_second().into()),
        "MetaData.LastUpdatedTime" => Key::Number(row.updated_at().as_second().into()),
        "TxnDate" => row.date().map_or(Key::Missing, |date| Key::Text(date.to_string())),
        "DisplayName" | "Name" => Key::Text(row.name().to_lowercase()),
        _ => match value_at(&row.render(view), path) {
            None => Key::Missing,
            Some(Json::Amount(Cents(cents))) => Key::Number(i128::from(cents) * 10_000),
            Some(Json::Number(text)) => decimal(&text).map_or(Key::Text(text), Key::Number),
            Some(other) => Key::Text(text_of(&other).to_lowercase()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // quickbooks fact 54
    #[test]
    fn percent_signs_match_anything_at_start_middle_and_end() {
        for (text, pattern, expected) in [
            ("Amy's Bird Sanctuary", "Amy%", true),
            ("Amy's Bird Sanctuary", "%Sanctuary", true),
            ("Amy's Bird Sanctuary", "%Bird%", true),
            ("Amy's Bird Sanctuary", "A%B%y", true),
            ("Amy's Bird Sanctuary", "Amy", false),
            ("Amy's Bird Sanctuary", "%amy%", false),
            ("aba", "ab%ba", false),
            ("", "%", true),
        ] {
            assert_eq!(like(text, pattern), expected, "{text} LIKE {pattern}");
        }
    }

    #[test]
    fn numbers_compare_by_value_however_they_are_written() {
        assert_eq!(decimal("300"), decimal("300.00"));
        assert!(decimal("-12.5") < decimal("-12.49"));
        assert_eq!(decimal("12x"), None);
        assert_eq!(decimal(""), None);
    }

    fn books() -> &'static crate::books::Books {
        use crate::books::{Face, generator};
        static BOOKS: std::sync::LazyLock<crate::books::Books> = std::sync::LazyLock::new(|| {
            let (from, to) = (jiff::civil::date(2025, 1, 1), jiff::civil::date(2025, 3, 31));
            generator::generate(
                Face::QuickBooks,
                generator::CompanySpec::plain(Face::QuickBooks, 1, from, to),
                "2025-04-01T00:00:00Z".parse().expect("a time"),
            )
        });
        &BOOKS
    }

    proptest! {
        #[test]
        fn every_statement_gives_a_page_or_a_refusal_that_names_the_reason(
            entity in prop::sample::select(vec!["Account", "Customer", "Item", "Invoice", "Purchase", "JournalEntry", "Preferences", "Employee"]),
            property in prop::sample::select(vec![
                "Id", "MetaData.LastUpdatedTime", "MetaData.CreateTime", "TxnDate", "Active", "DocNumber", "Name", "DisplayName", "TotalAmt",
                "CustomerRef", "CurrencyRef.name", "Line", "SyncToken", "domain.x", "PrimaryEmailAddr", "Balance", "sparse",
            ]),
            operator in prop::sample::select(vec!["=", "<", ">", "<=", ">=", "LIKE", "IN"]),
            value in prop_oneof!["[0-9]{1,20}", "-?[0-9]{0,3}\\.[0-9]{0,3}", "2025-[0-9]{2}-[0-9]{2}(T[0-9:]{0,8})?.?", "(true|false)", "[%a-zé]{0,5}"],
            order in prop::sample::select(vec!["", "ORDERBY Id", "ORDER BY TotalAmt DESC, Id", "ORDERBY MetaData.LastUpdatedTime"]),
            max in 0_i64..1002,
        ) {
            let view = View::new(books(), "2025-04-01T00:00:00Z".parse().expect("a time"));
            let value = format!("'{}'", value.replace(['\\', '\''], ""));
            let value = if operator == "IN" { format!("({value}, {value})") } else { value };
            let text = format!("SELECT * FROM {entity} WHERE {property} {operator} {value} {order} MAXRESULTS {max}");
            match answer(&view, &text) {
                Ok(response) => {
                    let rows = response.get(entity).map_or(0, |rows| match rows {
                        Json::List(rows) => rows.len(),
                        _ => 0,
                    });
                    prop_assert!(i64::try_from(rows).expect("a page") <= max);
                    prop_assert_eq!(rows == 0, response.0.is_empty());
                }
                Err(refusal) => {
                    prop_assert_eq!(refusal.code, "4001");
                    prop_assert!(refusal.detail.is_some_and(|detail| detail.starts_with("QueryValidationError: ")));
                }
            }
        }

        #[test]
        fn like_without_a_percent_sign_is_equality(text in "[a-c]{0,4}", pattern in "[a-c]{0,4}") {
            prop_assert_eq!(like(&text, &pattern), text == pattern);
        }
        #[test]
        fn like_and_decimal_never_panic(text in ".{0,12}", pattern in ".{0,12}") {
            like(&text, &pattern);
            decimal(&text);
        }
    }
}
