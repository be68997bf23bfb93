//! Checks a `where` or `order` against the fields of a resource, then applies it to records.
use super::NotUnderstood;
use super::parse::{self, Condition, Operand, Operator, OrderKey, TextTest};
use std::cmp::Ordering;

/// The type of a field, for the checks a typed language makes before running a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    Text,
    Guid,
    Time,
    Number,
    Flag,
}

impl FieldType {
    fn name(self) -> &'static str {
        match self {
            FieldType::Text => "String",
            FieldType::Guid => "Guid",
            FieldType::Time => "DateTime",
            FieldType::Number => "Decimal",
            FieldType::Flag => "Boolean",
        }
    }
}

/// A field's value in one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Guid(String),
    /// Milliseconds since 1970.
    Time(i64),
    /// In ten-thousandths.
    Number(i128),
    Flag(bool),
    Absent,
}

impl Value {
    pub fn money(cents: crate::money::Cents) -> Value {
        Value::Number(i128::from(cents.0) * 100)
    }
    pub fn text(text: &str) -> Value {
        Value::Text(text.to_string())
    }
}

/// The fields of a resource that can be asked for: lower-case path and type.
pub type Schema = &'static [(&'static str, FieldType)];

/// A checked `where` with a checked `order`.
#[derive(Clone, Debug, Default)]
pub struct Query {
    condition: Option<Condition>,
    order: Vec<OrderKey>,
}

impl Query {
    pub fn read(filter: Option<&str>, order: Option<&str>, schema: Schema, type_name: &str) -> Result<Query, NotUnderstood> {
        let checker = Checker { schema, type_name };
        let condition = match filter.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => {
                let mut condition = parse::condition(text)?;
                checker.condition(&mut condition)?;
                Some(condition)
            }
            None => None,
        };
        let mut keys = match order.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => parse::order(text)?,
            None => Vec::new(),
        };
        for key in &mut keys {
            key.path = checker.field(&key.path)?.0.to_string();
        }
        Ok(Query { condition, order: keys })
    }

    pub fn is_ordered(&self) -> bool {
        !self.order.is_empty()
    }

    /// Whether a record passes; `field` gives its values by lower-case path.
    pub fn passes(&self, field: &dyn Fn(&str) -> Value) -> bool {
        self.condition.as_ref().is_none_or(|condition| holds(condition, field))
    }

    /// The values a record is ordered by.
    pub fn key(&self, field: &dyn Fn(&str) -> Value) -> Vec<Value> {
        self.order.iter().map(|key| field(&key.path)).collect()
    }

    pub fn compare(&self, left: &[Value], right: &[Value]) -> Ordering {
        for ((key, left), right) in self.order.iter().zip(left).zip(right) {
            let ordering = compare(left, right).unwrap_or_else(|| matches!(right, Value::Absent).cmp(&matches!(left, Value::Absent)));
            if ordering != Ordering::Equal {
                return if key.descending { ordering.reverse() } else { ordering };
            }
        }
        Ordering::Equal
    }
}

struct Checker<'a> {
    schema: Schema,
    type_name: &'a str,
}

impl Checker<'_> {
    fn field(&self, path: &str) -> Result<(&'static str, FieldType), NotUnderstood> {
        let wanted = path.to_ascii_lowercase();
        self.schema
            .iter()
            .find(|(name, _)| *name == wanted)
            .copied()
            .ok_or_else(|| NotUnderstood(format!("No property or field '{path}' exists in type '{}'", self.type_name)))
    }

    /// Makes every path lower-case and refuses what does not fit together.
    fn condition(&self, condition: &mut Condition) -> Result<(), NotUnderstood> {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => parts.iter_mut().try_for_each(|part| self.condition(part)),
            Condition::Not(inner) => self.condition(inner),
            Condition::Holds(operand) => match self.operand(operand)? {
                Some(FieldType::Flag) => Ok(()),
                _ => Err(NotUnderstood("Expression of type 'Boolean' expected".into())),
            },
            Condition::Test { subject, argument, .. } => match (self.operand(subject)?, self.operand(argument)?) {
                (Some(FieldType::Text), Some(FieldType::Text)) => Ok(()),
                _ => Err(NotUnderstood("Contains, StartsWith and EndsWith compare texts".into())),
            },
            Condition::Compare { left, operator, right } => {
                let (left, right) = (self.operand(left)?, self.operand(right)?);
                match (left, right) {
                    (Some(left), Some(right)) if left != right => Err(NotUnderstood(format!(
                        "Operator '{}' incompatible with operand types '{}' and '{}'",
                        operator.symbol(),
                        left.name(),
                        right.name()
                    ))),
                    (Some(one), _) | (_, Some(one))
                        if !matches!(operator, Operator::Equal | Operator::NotEqual) && matches!(one, FieldType::Flag | FieldType::Guid) =>
                    {
                        Err(NotUnderstood(format!("Operator '{}' incompatible with operand type '{}'", operator.symbol(), one.name())))
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// The operand's type; `None` for null.
    fn operand(&self, operand: &mut Operand) -> Result<Option<FieldType>, NotUnderstood> {
        Ok(Some(match operand {
            Operand::Field(path) => {
                let (name, field_type) = self.field(path)?;
                *path = name.to_string();
                field_type
            }
            Operand::Lower(inner) | Operand::Upper(inner) => match self.operand(inner)? {
                Some(FieldType::Text) => FieldType::Text,
                _ => return Err(NotUnderstood("ToLower and ToUpper belong to texts".into())),
            },
            Operand::Text(_) => FieldType::Text,
            Operand::Number(_) => FieldType::Number,
            Operand::Guid(_) => FieldType::Guid,
            Operand::Time(_) => FieldType::Time,
            Operand::Flag(_) => FieldType::Flag,
            Operand::Null => return Ok(None),
        }))
    }
}

fn holds(condition: &Condition, field: &dyn Fn(&str) -> Value) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(part, field)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, field)),
        Condition::Not(inner) => !holds(inner, field),
        Condition::Holds(operand) => value(operand, field) == Value::Flag(true),
        Condition::Test { subject, test, argument } => match (value(subject, field), value(argument, field)) {
            (Value::Text(subject), Value::Text(argument)) => match test {
                TextTest::Contains => subject.contains(&argument),
                TextTest::StartsWith => subject.starts_with(&argument),
                TextTest::EndsWith => subject.ends_with(&argument),
            },
            _ => false,
        },
        Condition::Compare { left, operator, right } => {
            let (left, right) = (value(left, field), value(right, field));
            match (operator, compare(&left, &right)) {
                (Operator::Equal, found) => found == Some(Ordering::Equal),
                (Operator::NotEqual, found) => found != Some(Ordering::Equal),
                (_, None) => false,
                (Operator::Less, Some(found)) => found == Ordering::Less,
                (Operator::LessOrEqual, Some(found)) => found != Ordering::Greater,
                (Operator::Greater, Some(found)) => found == Ordering::Greater,
                (Operator::GreaterOrEqual, Some(found)) => found != Ordering::Less,
            }
        }
    }
}

fn value(operand: &Operand, field: &dyn Fn(&str) -> Value) -> Value {
    match operand {
        Operand::Field(path) => field(path),
        Operand::Lower(inner) => match value(inner, field) {
            Value::Text(text) => Value::Text(text.to_lowercase()),
            other => other,
        },
        Operand::Upper(inner) => match value(inner, field) {
            Value::Text(text) => Value::Text(text.to_uppercase()),
            other => other,
        },
        Operand::Text(text) => Value::Text(text.clone()),
        Operand::Number(number) => Value::Number(*number),
        Operand::Guid(guid) => Value::Guid(guid.clone()),
        Operand::Time(at) => Value::Time(*at),
        Operand::Flag(flag) => Value::Flag(*flag),
        Operand::Null => Value::Absent,
    }
}

/// `None` when the values cannot be put in order, as with an absent one.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) | (Value::Guid(left), Value::Guid(right)) => Some(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => Some(left.cmp(right)),
        (Value::Flag(left), Value::Flag(right)) => Some(left.cmp(right)),
        (Value::Absent, Value::Absent) => Some(Ordering::Equal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: Schema =
        &[("status", FieldType::Text), ("total", FieldType::Number), ("contact.contactid", FieldType::Guid), ("issupplier", FieldType::Flag)];

    fn field(path: &str) -> Value {
        match path {
            "status" => Value::text("PAID"),
            "total" => Value::money(crate::money::Cents(10_050)),
            "issupplier" => Value::Flag(true),
            _ => Value::Absent,
        }
    }

    fn passes(text: &str) -> bool {
        Query::read(Some(text), None, SCHEMA, "Invoice").unwrap().passes(&field)
    }

    // xero fact 40
    #[test]
    fn conditions_hold_or_not() {
        assert!(passes(r#"Status=="PAID""#) && passes(r#"status="PAID" AND Total>=100.5"#));
        assert!(!passes(r#"Status!="PAID" || Total<100.5"#));
        assert!(passes(r#"Status.ToLower().StartsWith("pa") and IsSupplier and Contact.ContactID==null"#));
        assert!(passes(r#"!(Total==1) && null!=Status"#));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let refused = |text| Query::read(Some(text), None, SCHEMA, "Invoice").unwrap_err().0;
        assert_eq!(refused(r#"Foo=="a""#), "No property or field 'Foo' exists in type 'Invoice'");
        assert_eq!(refused("Status==1"), "Operator '==' incompatible with operand types 'String' and 'Decimal'");
        assert_eq!(refused("Status"), "Expression of type 'Boolean' expected");
        assert!(Query::read(None, Some("Bar DESC"), SCHEMA, "Invoice").is_err());
    }
}
