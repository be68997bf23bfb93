//! Changes of a JSON value, with what other records hold under the same names.
use super::dice::Dice;
use super::text::{self, ODD};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Values by the names they were found under.
#[derive(Default)]
pub struct Harvest {
    by_name: BTreeMap<String, Vec<Value>>,
}

const MOST_OF_A_NAME: usize = 40;

impl Harvest {
    pub fn take_in(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let known = self.by_name.entry(name.clone()).or_default();
                    if known.len() < MOST_OF_A_NAME && !known.contains(value) {
                        known.push(value.clone());
                    }
                    self.take_in(value);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.take_in(item)),
            _ => {}
        }
    }

    pub fn names(&self) -> Vec<&str> {
        self.by_name.keys().map(String::as_str).collect()
    }

    pub fn of(&self, name: &str, dice: &mut Dice) -> Value {
        match self.by_name.get(name).filter(|values| !values.is_empty()) {
            Some(values) => dice.pick(values).clone(),
            None => odd(dice),
        }
    }

    fn any(&self, dice: &mut Dice) -> Value {
        let names = self.names();
        if names.is_empty() {
            return odd(dice);
        }
        let name = dice.word(&names).to_owned();
        self.of(&name, dice)
    }
}

/// Stands for a number that no machine type holds; `written` puts it into the text as it is.
const NUMBERS: [&str; 14] = [
    "1e99",
    "-1e99",
    "1E+5",
    "0.1e-7",
    "123456789012345678901234567890",
    "-0.00",
    "0.005",
    "999999999999.99",
    "9223372036854775807",
    "-9223372036854775808",
    "92233720368547758.07",
    "0.00000000000000000001",
    "1000000000",
    "-0.01",
];

fn odd(dice: &mut Dice) -> Value {
    match dice.below(9) {
        0 => Value::Null,
        1 => Value::Bool(dice.one_in(2)),
        2 => Value::from(dice.below(3)),
        3 | 4 => Value::String(format!("#number {}", dice.word(&NUMBERS))),
        5 => Value::Array(Vec::new()),
        6 => Value::Object(Map::new()),
        7 => Value::String("x".repeat(dice.below(5_000))),
        _ => Value::String(dice.word(&ODD).to_owned()),
    }
}

/// The value after so many changes.
pub fn vary(value: &Value, harvest: &Harvest, changes: usize, dice: &mut Dice) -> Value {
    let mut value = value.clone();
    for _ in 0..changes {
        let mut paths = Vec::new();
        collect(&value, &mut Vec::new(), &mut paths);
        let path = dice.pick(&paths).clone();
        let name = path.iter().rev().find(|part| part.parse::<usize>().is_err()).cloned().unwrap_or_default();
        change(&mut value, &path, &name, harvest, dice);
    }
    value
}

fn collect(value: &Value, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    paths.push(path.clone());
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                path.push(name.clone());
                collect(value, path, paths);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                path.push(at.to_string());
                collect(item, path, paths);
                path.pop();
            }
        }
        _ => {}
    }
}

fn at<'a>(value: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, part| match value {
        Value::Object(fields) => fields.get_mut(part),
        Value::Array(items) => items.get_mut(part.parse::<usize>().ok()?),
        _ => None,
    })
}

fn change(root: &mut Value, path: &[String], name: &str, harvest: &Harvest, dice: &mut Dice) {
    if dice.one_in(4) {
        let Some((last, parent)) = path.split_last() else { return };
        match at(root, parent) {
            Some(Value::Object(fields)) => {
                fields.remove(last);
            }
            Some(Value::Array(items)) => {
                let place = last.parse().unwrap_or(0);
                if place < items.len() {
                    items.remove(place);
                }
            }
            _ => {}
        }
        return;
    }
    let Some(node) = at(root, path) else { return };
    match (dice.below(10), &mut *node) {
        (0..=3, Value::Object(fields)) => {
            let names = harvest.names();
            let new = if names.is_empty() { "Id".to_owned() } else { dice.word(&names).to_owned() };
            let value = harvest.of(&new, dice);
            fields.insert(new, value);
        }
        (0..=3, Value::Array(items)) if !items.is_empty() => {
            let item = dice.pick(items).clone();
            let times = if dice.one_in(30) { 1_001 } else { 1 };
            items.extend(std::iter::repeat_n(item, times));
        }
        (0..=2, _) => *node = harvest.of(name, dice),
        (3, _) => *node = harvest.any(dice),
        (4, Value::String(text)) => *text = text::vary(text, &[], dice),
        (5, Value::Number(number)) => {
            let number = number.to_string();
            *node = Value::String(number);
        }
        (5, Value::String(text)) => *node = Value::String(format!("#number {text}")),
        (6, _) => *node = Value::Array(vec![node.clone()]),
        (7, _) if dice.one_in(40) => {
            for _ in 0..dice.below(300) {
                *node =
                    if dice.one_in(2) { Value::Array(vec![node.take()]) } else { Value::Object(Map::from_iter([(name.to_owned(), node.take())])) };
            }
        }
        _ => *node = odd(dice),
    }
}

/// As text, with the numbers that stand for themselves.
pub fn written(value: &Value) -> String {
    let text = value.to_string();
    let mut parts = text.split("\"#number ");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('"') {
            // what is no number stays a text
            Some((number, rest)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => {
                whole.push_str(number);
                whole.push_str(rest);
            }
            _ => {
                whole.push('"');
                whole.push_str(part);
            }
        }
    }
    whole
}

/// The same as XML, as old clients send it.
pub fn as_xml(name: &str, value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let inner: String = fields.iter().map(|(name, value)| as_xml(name, value)).collect();
            format!("<{name}>{inner}</{name}>")
        }
        Value::Array(items) => items.iter().map(|item| as_xml(name, item)).collect(),
        Value::String(text) => format!("<{name}>{}</{name}>", text.replace('&', "&amp;").replace('<', "&lt;")),
        other => format!("<{name}>{other}</{name}>"),
    }
}
