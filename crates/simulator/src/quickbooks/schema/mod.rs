//! The properties of every entity and shape with their types, as the providers' schema of minor version 75 lists them.
//!
//! Sources: the entity reference, <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/account> and its
//! neighbours. `fields.txt` has one line for each: `Name < Base: Property type, …`; `[]` marks lists; a type without a line of its own is
//! taken as it comes.
pub mod conform;

use std::collections::HashMap;
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `str` and `enum`.
    Text,
    Number,
    Integer,
    Bool,
    Date,
    Moment,
    Shape(&'static str),
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property {
    pub name: &'static str,
    pub of: Type,
    pub is_list: bool,
}

struct Table {
    base: Option<&'static str>,
    own: Vec<Property>,
}

static TABLES: LazyLock<HashMap<&'static str, Table>> = LazyLock::new(|| {
    let lines = || include_str!("fields.txt").lines().filter(|line| !line.is_empty());
    let heads = lines().map(|line| line.split_once(": ").map_or(line, |(head, _)| head));
    let names: Vec<&'static str> = heads.map(|head| head.split_once(" < ").map_or(head, |(name, _)| name)).collect();
    let table = |line: &'static str| {
        let (head, properties) = line.split_once(": ").unwrap_or((line, ""));
        let (name, base) = head.split_once(" < ").map_or((head, None), |(name, base)| (name, Some(base)));
        let own = properties.split(", ").filter_map(|property| property.split_once(' ')).map(|(name, written)| {
            let (written, is_list) = written.strip_suffix("[]").map_or((written, false), |element| (element, true));
            let of = match written {
                "str" | "enum" => Type::Text,
                "num" => Type::Number,
                "int" => Type::Integer,
                "bool" => Type::Bool,
                "date" => Type::Date,
                "datetime" => Type::Moment,
                shape if names.contains(&shape) && !["BillPayment", "CreditCardPayment"].contains(&shape) => Type::Shape(shape),
                _ => Type::Any,
            };
            Property { name, of, is_list }
        });
        (name, Table { base, own: own.collect() })
    };
    lines().map(table).collect()
});

/// The properties of an entity or shape, its own first.
#[cfg(test)]
pub fn properties(of: &str) -> Vec<Property> {
    let mut found = Vec::new();
    let mut next = Some(of);
    while let Some(table) = next.and_then(|name| TABLES.get(name)) {
        found.extend_from_slice(&table.own);
        next = table.base;
    }
    found
}

/// A property by its name, whatever the case.
pub fn property(of: &str, name: &str) -> Option<Property> {
    let mut next = Some(of);
    while let Some(table) = next.and_then(|name| TABLES.get(name)) {
        if let Some(found) = table.own.iter().find(|property| property.name.eq_ignore_ascii_case(name)) {
            return Some(*found);
        }
        next = table.base;
    }
    None
}

/// `metadata.lastupdatedtime` as the schema spells it, `None` if there is no such property.
pub fn path(entity: &str, asked: &str) -> Option<String> {
    let (head, tail) = asked.split_once('.').map_or((asked, None), |(head, tail)| (head, Some(tail)));
    let head = property(entity, head)?;
    let Some(tail) = tail else { return Some(head.name.to_owned()) };
    match head.of {
        Type::Shape(shape) => property(shape, tail).map(|inner| format!("{}.{}", head.name, inner.name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_have_their_own_and_their_bases_properties() {
        assert_eq!(property("Invoice", "allowipnpayment").map(|found| (found.name, found.of)), Some(("AllowIPNPayment", Type::Bool)));
        assert_eq!(property("Invoice", "DocNumber").map(|found| found.of), Some(Type::Text));
        assert_eq!(property("Invoice", "Line").map(|found| (found.of, found.is_list)), Some((Type::Shape("Line"), true)));
        assert_eq!(property("Invoice", "Active"), None);
        assert_eq!(path("Customer", "metadata.lastupdatedtime").as_deref(), Some("MetaData.LastUpdatedTime"));
        assert_eq!(path("Customer", "PrimaryEmailAddr.address").as_deref(), Some("PrimaryEmailAddr.Address"));
        assert_eq!(path("Customer", "PrimaryEmailAddr.horn"), None);
        assert!(property("Estimate", "ExpirationDate").is_some());
    }
}
