//! Reading the properties of a conformed body, and finding what they refer to.
use crate::books::lists::DimensionRole;
use crate::books::{AccountId, Books, ContactId, ItemId};
use crate::money::{Cents, Rate};
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::tree::{Json, Object};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Ten thousand million: beyond it the provider's own fields end.
const MOST: Cents = Cents(1_000_000_000_000);

pub fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    match object.get(key)? {
        Json::Text(text) | Json::Number(text) => Some(text.trim()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

pub fn flag(object: &Object, key: &str) -> Option<bool> {
    match object.get(key)? {
        Json::Bool(value) => Some(*value),
        _ => None,
    }
}

pub fn date(object: &Object, key: &str) -> Result<Option<Date>, Refusal> {
    let Some(text) = text(object, key) else { return Ok(None) };
    let date: Date = text.parse().map_err(|_| Refusal::business(format!("Invalid date: {text}")))?;
    if !(1900..=2199).contains(&date.year()) {
        return Err(Refusal::business(format!("Transaction date {date} is outside of what is supported")));
    }
    Ok(Some(date))
}

/// An amount of money with at most two decimals.
pub fn amount(object: &Object, key: &'static str) -> Result<Option<Cents>, Refusal> {
    let cents = match object.get(key) {
        Some(Json::Amount(cents)) => *cents,
        Some(Json::Number(text)) => Cents::parse(text).ok_or_else(|| Refusal::unsupported_property(key))?,
        _ => return Ok(None),
    };
    if cents.abs() > MOST {
        return Err(Refusal::business(format!("{key} {cents} is larger than what is supported")));
    }
    Ok(Some(cents))
}

pub fn whole(object: &Object, key: &str) -> Option<i64> {
    match object.get(key)? {
        Json::Number(text) => text.split('.').next()?.parse().ok(),
        _ => None,
    }
}

/// Any decimal in millionths, rounded toward zero.
pub fn millionths(object: &Object, key: &'static str) -> Result<Option<i64>, Refusal> {
    let text = match object.get(key) {
        Some(Json::Number(text)) => text.clone(),
        Some(Json::Amount(cents)) => cents.to_string(),
        _ => return Ok(None),
    };
    let (sign, digits) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = format!("{:0<6}", fraction.get(..fraction.len().min(6)).unwrap_or_default());
    let value = whole.parse::<i64>().ok().filter(|whole| *whole <= 1_000_000_000).zip(fraction.parse::<i64>().ok());
    let (whole, fraction) = value.ok_or_else(|| Refusal::unsupported_property(key))?;
    Ok(Some(sign * (whole * 1_000_000 + fraction)))
}

/// A rate above zero and below ten thousand.
pub fn rate(object: &Object, key: &'static str) -> Result<Option<Rate>, Refusal> {
    match millionths(object, key)? {
        None => Ok(None),
        Some(value) if value > 0 && value <= 10_000 * Rate::SCALE => Ok(Some(Rate(value))),
        Some(_) => Err(Refusal::business("The exchange rate must be above zero")),
    }
}

pub fn inner<'a>(object: &'a Object, key: &str) -> Option<&'a Object> {
    match object.get(key)? {
        Json::Object(inner) => Some(inner),
        _ => None,
    }
}

pub fn objects<'a>(object: &'a Object, key: &str) -> Vec<&'a Object> {
    match object.get(key) {
        Some(Json::List(items)) => items.iter().filter_map(|item| if let Json::Object(item) = item { Some(item) } else { None }).collect(),
        _ => Vec::new(),
    }
}

/// The value of a reference.
pub fn reference<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    inner(object, key).and_then(|reference| text(reference, "value"))
}

/// A name without the suffix that inactive ones are shown with.
pub fn name<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    text(object, key).map(|name| name.strip_suffix(" (deleted)").unwrap_or(name).trim()).filter(|name| !name.is_empty())
}

/// Finds what references name. What the record refers to already may be inactive by now.
pub struct References<'a> {
    pub books: &'a Books,
    pub used: BTreeSet<u64>,
}

impl References<'_> {
    fn checked(&self, kind: &str, id: &str, found: Option<(u64, bool)>) -> Result<u64, Refusal> {
        match found {
            None => Err(Refusal::invalid_reference(kind, id)),
            Some((number, false)) if !self.used.contains(&number) => Err(Refusal::not_found()),
            Some((number, _)) => Ok(number),
        }
    }

    fn named<T>(
        &self,
        object: &Object,
        key: &str,
        kind: &str,
        find: impl Fn(u64) -> Option<T>,
        active: impl Fn(&T) -> bool,
    ) -> Result<Option<u64>, Refusal> {
        let Some(id) = reference(object, key) else { return Ok(None) };
        let found = id.parse().ok().and_then(|number| find(number).map(|found| (number, active(&found))));
        self.checked(kind, id, found).map(Some)
    }

    pub fn account(&self, object: &Object, key: &str) -> Result<Option<AccountId>, Refusal> {
        self.named(object, key, "Accounts", |id| self.books.accounts.get(&id), |account| account.active)
    }
    pub fn item(&self, object: &Object, key: &str) -> Result<Option<ItemId>, Refusal> {
        self.named(object, key, "Items", |id| self.books.items.get(&id), |item| item.active)
    }
    pub fn customer(&self, object: &Object, key: &str) -> Result<Option<ContactId>, Refusal> {
        let find = |id| self.books.contacts.get(&id).filter(|contact| contact.is_customer);
        self.named(object, key, "Names", find, |contact| contact.active)
    }
    pub fn vendor(&self, object: &Object, key: &str) -> Result<Option<ContactId>, Refusal> {
        let find = |id| self.books.contacts.get(&id).filter(|contact| contact.is_supplier);
        self.named(object, key, "Names", find, |contact| contact.active)
    }
    pub fn contact(&self, object: &Object, key: &str) -> Result<Option<ContactId>, Refusal> {
        self.named(object, key, "Names", |id| self.books.contacts.get(&id), |contact| contact.active)
    }
    pub fn employee(&self, object: &Object, key: &str) -> Result<Option<u64>, Refusal> {
        self.named(object, key, "Names", |id| self.books.lists.employees.get(&id), |employee| employee.stamp.active)
    }
    pub fn term(&self, object: &Object, key: &str) -> Result<Option<u64>, Refusal> {
        self.named(object, key, "Terms", |id| self.books.lists.terms.get(&id), |term| term.stamp.active)
    }
    pub fn payment_method(&self, object: &Object, key: &str) -> Result<Option<u64>, Refusal> {
        self.named(object, key, "PaymentMethods", |id| self.books.lists.payment_methods.get(&id), |method| method.stamp.active)
    }
    pub fn tracking(&self, object: &Object, key: &str, role: DimensionRole) -> Result<Option<u64>, Refusal> {
        let dimension = self.books.dimension(role);
        let find = |id| self.books.lists.options.get(&id).filter(|option| Some(option.dimension) == dimension);
        self.named(object, key, if role == DimensionRole::Class { "Classes" } else { "Departments" }, find, |option| option.stamp.active)
    }
}
