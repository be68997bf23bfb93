//! PUT and POST of Contacts.
use super::fields::{self, Problems};
use super::{Maker, Saved};
use crate::books::{Books, ContactId};
use crate::xero::tree::Node;
use crate::xero::wire::contacts::TEXTS;
use crate::xero::wire::json::{Object, array, quoted};

/// `known` is the contact of the path; otherwise ContactID, ContactNumber or (with POST) Name say which one is meant.
pub fn save(books: &mut Books, maker: &Maker, known: Option<ContactId>, element: &Node) -> Saved {
    let mut problems = Problems::default();
    let name = problems.take(fields::text(element, "Name")).filter(|name| !name.is_empty());
    let email = problems.take(fields::text(element, "EmailAddress"));
    let currency = problems.take(fields::text(element, "DefaultCurrency")).filter(|code| !code.is_empty());
    let status = problems.take(fields::text(element, "ContactStatus"));
    let texts: Vec<(&str, String)> = TEXTS.into_iter().filter_map(|name| Some((name, problems.take(fields::text(element, name))?))).collect();
    let bank_details = problems.take(fields::text(element, "BankAccountDetails"));
    let composed = problems.take(composed(element));
    let known = known.or(problems.take(named(books, element)));
    let same_name = name.as_ref().and_then(|name| books.contacts.values().find(|c| c.active && c.name.eq_ignore_ascii_case(name)).map(|c| c.id));
    let known = if maker.only_new { known } else { known.or(same_name) };
    if let (Some(name), Some(other)) = (&name, same_name)
        && known != Some(other)
    {
        problems.0.push(format!(
            "The contact name {name} is already assigned to another contact. The contact name must be unique across all active contacts."
        ));
    }
    if known.is_none() && name.is_none() {
        problems.0.push("The contact name must be specified.".into());
    }
    if name.as_ref().is_some_and(|name| name.chars().count() > 255) {
        problems.0.push("The contact name cannot be longer than 255 characters.".into());
    }
    let active = match status.as_deref() {
        None => None,
        Some("ACTIVE") => Some(true),
        Some("ARCHIVED") => Some(false),
        Some(other) => {
            problems.0.push(format!("ContactStatus '{other}' is not one of ACTIVE, ARCHIVED"));
            None
        }
    };
    problems.end()?;
    let id = match known {
        Some(id) => id,
        None => books.add_contact(name.clone().unwrap_or_default(), "", false, false, currency.as_deref(), maker.now),
    };
    for (name, value) in texts {
        books.set_property("Contact", id, name, quoted(&value));
    }
    if let Some(details) = bank_details {
        books.set_property("Contact", id, "BankAccountDetails", quoted(&details));
    }
    for (name, json) in composed {
        books.set_property("Contact", id, name, json);
    }
    let contact = books.contacts.get_mut(&id).expect("found or made above");
    contact.name = name.unwrap_or_else(|| contact.name.clone());
    contact.email = email.unwrap_or_else(|| contact.email.clone());
    contact.currency = currency.unwrap_or_else(|| contact.currency.clone());
    contact.active = active.unwrap_or(contact.active);
    contact.updated_at = maker.now;
    contact.sync_token += 1;
    Ok(id)
}

/// The contact that an id or an outside number names.
fn named(books: &Books, element: &Node) -> Result<Option<ContactId>, Problems> {
    if let Some(id) = element.get("ContactID").and_then(Node::text).filter(|id| !id.is_empty()) {
        let found = books.id_of_guid("Contact", id).filter(|id| books.contacts.contains_key(id));
        return found.map(Some).ok_or_else(|| Problems::one("The Contact could not be found"));
    }
    let number = fields::text(element, "ContactNumber")?.filter(|number| !number.is_empty());
    Ok(number.and_then(|number| books.contacts.keys().copied().find(|id| crate::xero::wire::contacts::number(books, *id) == number)))
}

const ADDRESS_TYPES: [&str; 2] = ["STREET", "POBOX"];
const ADDRESS_FIELDS: [&str; 9] =
    ["AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "City", "Region", "PostalCode", "Country", "AttentionTo"];
const PHONE_TYPES: [&str; 4] = ["DDI", "DEFAULT", "FAX", "MOBILE"];
const PHONE_FIELDS: [&str; 3] = ["PhoneNumber", "PhoneAreaCode", "PhoneCountryCode"];
const TERM_TYPES: [&str; 4] = ["DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH"];

/// Addresses, phones, persons and terms as they will be shown.
fn composed(element: &Node) -> Result<Vec<(&'static str, String)>, Problems> {
    let mut found = Vec::new();
    if let Some(addresses) = list(element, "Addresses")? {
        found.push(("Addresses", typed(addresses, "AddressType", &ADDRESS_TYPES, &ADDRESS_FIELDS, 4)?));
    }
    if let Some(phones) = list(element, "Phones")? {
        found.push(("Phones", typed(phones, "PhoneType", &PHONE_TYPES, &PHONE_FIELDS, 0)?));
    }
    if let Some(persons) = list(element, "ContactPersons")? {
        let mut shown = Vec::new();
        for person in persons {
            let object = ["FirstName", "LastName", "EmailAddress"].into_iter().try_fold(Object::new(), |object, name| {
                Ok::<Object, Problems>(object.text(name, &fields::text(person, name)?.unwrap_or_default()))
            })?;
            shown.push(object.flag("IncludeInEmails", fields::flag(person, "IncludeInEmails")?.unwrap_or(false)).end());
        }
        if shown.len() > 5 {
            return Err(Problems::one("A contact can have at most five contact persons"));
        }
        found.push(("ContactPersons", array(&shown)));
    }
    if let Some(terms) = element.get("PaymentTerms") {
        let mut object = Object::new();
        for side in ["Bills", "Sales"] {
            let Some(term) = terms.get(side) else { continue };
            let day = term.get("Day").and_then(|day| day.scaled(0)).filter(|day| (0..=365).contains(day));
            let kind = fields::text(term, "Type")?.and_then(|kind| TERM_TYPES.into_iter().find(|known| *known == kind));
            match day.zip(kind) {
                Some((day, kind)) => object = object.raw(side, &Object::new().number("Day", day).text("Type", kind).end()),
                None => return Err(Problems::one(format!("PaymentTerms.{side} needs a Day and a Type"))),
            }
        }
        found.push(("PaymentTerms", object.end()));
    }
    Ok(found)
}

fn list<'a>(element: &'a Node, name: &str) -> Result<Option<&'a [Node]>, Problems> {
    match element.get(name) {
        None => Ok(None),
        Some(given) => given.list().map(Some).ok_or_else(|| Problems::one(format!("{name} must be a list"))),
    }
}

/// One entry of every type, in Xero's order; of the fields the first `optional` are shown only where they are given.
fn typed(given: &[Node], type_name: &str, types: &[&str], names: &[&str], optional: usize) -> Result<String, Problems> {
    if let Some(other) = given.iter().find(|entry| entry.get(type_name).and_then(Node::text).is_none_or(|kind| !types.contains(&kind))) {
        let kind = other.get(type_name).and_then(Node::text).unwrap_or_default();
        return Err(Problems::one(format!("{type_name} '{kind}' is not one of {}", types.join(", "))));
    }
    let mut shown = Vec::new();
    for kind in types {
        let entry = given.iter().find(|entry| entry.get(type_name).and_then(Node::text) == Some(kind));
        let mut object = Object::new().text(type_name, kind);
        for (index, name) in names.iter().enumerate() {
            let value = entry.map(|entry| fields::text(entry, name)).transpose()?.flatten();
            object = if index < optional || *name == "AttentionTo" {
                object.maybe(name, value.as_deref())
            } else {
                object.text(name, &value.unwrap_or_default())
            };
        }
        shown.push(object.end());
    }
    Ok(array(&shown))
}
