//! Brings what a client sent into the form of the schema, or says which property it cannot be.
use super::{Property, Type, property};
use crate::quickbooks::body::Value;
use crate::quickbooks::moments;
use crate::quickbooks::wire::tree::{Json, Object};

/// A property that the schema does not know or whose value is not of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Property Name:{0} specified is unsupported or invalid")]
pub struct Misfit(pub String);

/// The properties of an entity or shape. Nulls are left out; so are empty texts where no text belongs, as clients send them for "nothing".
pub fn object(of: &str, value: &Value) -> Result<Object, Misfit> {
    let Value::Object(entries) = value else { return Err(Misfit(of.to_owned())) };
    let mut conformed = Object::new();
    for (key, value) in entries {
        let known = property(of, key).filter(|known| known.name == key).ok_or_else(|| Misfit(key.clone()))?;
        if let Some(value) = property_value(&known, value)? {
            conformed.set(known.name, value);
        }
    }
    Ok(conformed)
}

fn property_value(known: &Property, value: &Value) -> Result<Option<Json>, Misfit> {
    if *value == Value::Null {
        return Ok(None);
    }
    if !known.is_list {
        return one(known, value);
    }
    match value {
        Value::List(items) => {
            let items = items.iter().map(|item| one(known, item)).collect::<Result<Vec<_>, _>>()?;
            Ok(Some(Json::List(items.into_iter().flatten().collect())))
        }
        Value::Text(text) if text.is_empty() => Ok(None),
        _ => Err(Misfit(known.name.to_owned())),
    }
}

fn one(known: &Property, value: &Value) -> Result<Option<Json>, Misfit> {
    let misfit = || Misfit(known.name.to_owned());
    let text = match value {
        Value::Null => return Ok(None),
        Value::Text(text) => Some(text.trim()),
        Value::Number(text) => Some(text.as_str()),
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        Value::List(_) | Value::Object(_) => None,
    };
    let is_empty = text == Some("");
    let scalar = || text.ok_or_else(misfit);
    Ok(match known.of {
        Type::Text => match value {
            Value::Text(text) => Some(Json::Text(text.clone())),
            _ => Some(Json::Text(scalar()?.to_owned())),
        },
        _ if is_empty => None,
        Type::Number | Type::Integer => {
            let text = scalar()?;
            let is_number = !matches!(value, Value::Bool(_)) && is_decimal(text, known.of == Type::Number);
            if !is_number {
                return Err(misfit());
            }
            Some(Json::Number(text.to_owned()))
        }
        Type::Bool => match scalar()?.to_ascii_lowercase().as_str() {
            "true" => Some(Json::Bool(true)),
            "false" => Some(Json::Bool(false)),
            _ => return Err(misfit()),
        },
        Type::Date => {
            let text = scalar()?;
            let day = text.get(..10).filter(|_| text.len() == 10 || text.as_bytes()[10] == b'T' || text.as_bytes()[10] == b'-');
            let day: jiff::civil::Date = day.and_then(|day| day.parse().ok()).ok_or_else(misfit)?;
            Some(Json::Text(day.to_string()))
        }
        Type::Moment => {
            let text = scalar()?;
            moments::read(text).ok_or_else(misfit)?;
            Some(Json::Text(text.to_owned()))
        }
        Type::Shape(_) if !matches!(value, Value::Object(_)) => return Err(misfit()),
        Type::Shape(shape) => Some(Json::Object(object(shape, value)?)),
        Type::Any => Some(Json::Written(value.written())),
    })
}

/// A JSON number without an exponent, of at most 30 digits.
fn is_decimal(text: &str, may_have_fraction: bool) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let leads_well = whole == "0" || !whole.starts_with('0');
    digits.len() <= 30
        && all_digits(whole)
        && leads_well
        && fraction.is_none_or(|fraction| all_digits(fraction) && (may_have_fraction || fraction.bytes().all(|b| b == b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quickbooks::body;

    fn conform(of: &str, text: &str) -> Result<String, Misfit> {
        object(of, &body::read(text).expect("a test's JSON")).map(|object| serde_json::to_string(&object).expect("a tree is JSON"))
    }

    // quickbooks fact 38
    #[test]
    fn unknown_properties_and_wrong_types_are_named_wherever_they_stand() {
        let good = r#"{"CustomerRef":{"value":"1"},"Line":[{"Amount":100.50,"DetailType":"SalesItemLineDetail","SalesItemLineDetail":{"Qty":2}}]}"#;
        assert_eq!(conform("Invoice", good).as_deref(), Ok(good));
        for (text, name) in [
            (r#"{"Horn":1}"#, "Horn"),
            (r#"{"customerref":{"value":"1"}}"#, "customerref"),
            (r#"{"Line":[{"SalesItemLineDetail":{"Horn":1}}]}"#, "Horn"),
            (r#"{"Line":{"Amount":1}}"#, "Line"),
            (r#"{"TxnDate":"yesterday"}"#, "TxnDate"),
            (r#"{"TotalAmt":"many"}"#, "TotalAmt"),
            (r#"{"TotalAmt":1e3}"#, "TotalAmt"),
            (r#"{"CustomerRef":"1"}"#, "CustomerRef"),
            (r#"{"DocNumber":["1"]}"#, "DocNumber"),
        ] {
            assert_eq!(conform("Invoice", text), Err(Misfit(name.into())), "{text}");
        }
    }

    #[test]
    fn what_clients_send_for_nothing_is_left_out() {
        let sent = r#"{"Balance":"","TxnDate":null,"DocNumber":"","Line":[null],"TotalAmt":"12.50","ApplyTaxAfterDiscount":"False"}"#;
        assert_eq!(conform("Invoice", sent).as_deref(), Ok(r#"{"DocNumber":"","Line":[],"TotalAmt":12.50,"ApplyTaxAfterDiscount":false}"#));
    }
}
