//! What the fields of an element mean: texts, dates, amounts, and the accounts, contacts and tax codes they name.
use crate::books::{Account, AccountId, Books, ContactId, Refused};
use crate::money::{Cents, Rate};
use crate::xero::tree::Node;
use crate::xero::wire::dates;
use jiff::Timestamp;
use jiff::civil::Date;

/// What is wrong with an element, in the words of `ValidationErrors`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<String>);

impl Problems {
    pub fn one(message: impl Into<String>) -> Problems {
        Problems(vec![message.into()])
    }
    /// Keeps what was found and goes on with a stand-in, so that one answer names everything.
    pub fn take<T: Default>(&mut self, found: Result<T, Problems>) -> T {
        found.unwrap_or_else(|Problems(more)| {
            self.0.extend(more);
            T::default()
        })
    }
    pub fn end(self) -> Result<(), Problems> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<Refused> for Problems {
    /// The books' reason as a sentence.
    fn from(Refused(reason): Refused) -> Problems {
        let mut letters = reason.chars();
        let sentence = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
        Problems(vec![sentence])
    }
}

/// The longest text any field of the API takes.
const LONGEST: usize = 4_000;

pub fn text(node: &Node, name: &str) -> Result<Option<String>, Problems> {
    match node.get(name) {
        None => Ok(None),
        Some(Node::Text(text)) if text.chars().count() > LONGEST => Err(Problems::one(format!("{name} is longer than {LONGEST} characters"))),
        Some(Node::Text(text) | Node::Number(text)) => Ok(Some(text.trim().to_string())),
        Some(_) => Err(Problems::one(format!("{name} must be a text"))),
    }
}

pub fn flag(node: &Node, name: &str) -> Result<Option<bool>, Problems> {
    match node.get(name) {
        None => Ok(None),
        Some(value) => value.flag().map(Some).ok_or_else(|| Problems::one(format!("{name} must be true or false"))),
    }
}

pub fn money(node: &Node, name: &str) -> Result<Option<Cents>, Problems> {
    match node.get(name) {
        None => Ok(None),
        Some(value) => value.cents().map(Some).ok_or_else(|| Problems::one(format!("{name} must be an amount"))),
    }
}

/// A date in any form clients send: `2026-04-16`, with a time, or `/Date(1776297600000+0000)/`.
pub fn day(text: &str) -> Option<Date> {
    let day = match dates::read_ms(text) {
        Some(ms) => Timestamp::from_millisecond(ms).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date(),
        None => text.get(..10).filter(|_| text.len() == 10 || text[10..].starts_with(['T', ' '])).and_then(|day| day.parse().ok())?,
    };
    // years in which month ends, fiscal years and due dates can still be reckoned
    (1900..=2200).contains(&day.year()).then_some(day)
}

pub fn date(node: &Node, name: &str) -> Result<Option<Date>, Problems> {
    match text(node, name)? {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => day(&text).map(Some).ok_or_else(|| Problems::one(format!("{name} '{text}' is not a date"))),
    }
}

/// The account a field names by id or code.
pub fn account<'a>(books: &'a Books, id: Option<&Node>, code: Option<&Node>) -> Result<Option<&'a Account>, Problems> {
    if let Some(id) = id.and_then(Node::text).filter(|id| !id.is_empty()) {
        let found = books.id_of_guid("Account", id).and_then(|id| books.accounts.get(&id));
        return found.map(Some).ok_or_else(|| Problems::one("Account could not be found"));
    }
    match code.and_then(Node::text).filter(|code| !code.is_empty()) {
        None => Ok(None),
        Some(code) => {
            let found = books.account_by_code(code).and_then(|id| books.accounts.get(&id));
            found.map(Some).ok_or_else(|| Problems::one(format!("Account code '{code}' is not a valid code for this document.")))
        }
    }
}

/// `{"AccountID": …}` or `{"Code": …}`.
pub fn embedded_account(books: &Books, node: &Node, name: &str) -> Result<Option<AccountId>, Problems> {
    match node.get(name) {
        None => Ok(None),
        Some(given) => Ok(account(books, given.get("AccountID"), given.get("Code"))?.map(|account| account.id)),
    }
}

/// A contact that stands in the books, or one that was made for the element and goes again if the element fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContactFound {
    pub id: ContactId,
    pub is_new: bool,
}

impl ContactFound {
    pub fn take_back(self, books: &mut Books) {
        if self.is_new {
            books.contacts.remove(&self.id);
        }
    }
}

/// By id, number or name; a name nobody has makes a contact.
pub fn contact(books: &mut Books, node: &Node, now: Timestamp) -> Result<ContactFound, Problems> {
    let given = node.get("Contact").ok_or_else(|| Problems::one("A Contact must be specified for this type of transaction"))?;
    if let Some(id) = given.get("ContactID").and_then(Node::text).filter(|id| !id.is_empty()) {
        let found = books.id_of_guid("Contact", id).filter(|id| books.contacts.contains_key(id));
        return found.map(|id| ContactFound { id, is_new: false }).ok_or_else(|| Problems::one("The Contact could not be found"));
    }
    if let Some(number) = text(given, "ContactNumber")?.filter(|number| !number.is_empty()) {
        let found = books.contacts.keys().copied().find(|id| crate::xero::wire::contacts::number(books, *id) == number);
        if let Some(id) = found {
            return Ok(ContactFound { id, is_new: false });
        }
    }
    let name = text(given, "Name")?.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Problems::one("A Contact must be specified for this type of transaction"))?;
    if let Some(known) = books.contacts.values().find(|contact| contact.active && contact.name.eq_ignore_ascii_case(&name)) {
        return Ok(ContactFound { id: known.id, is_new: false });
    }
    let email = text(given, "EmailAddress")?.unwrap_or_default();
    Ok(ContactFound { id: books.add_contact(name, email, false, false, None, now), is_new: true })
}

/// Currency and rate of a new document. Xero's rate is foreign units per unit of base currency, the books' the other way round; without
/// one the last known rate counts, as the day's rate does at Xero.
pub fn currency(books: &Books, node: &Node, on: Date) -> Result<(String, Option<Rate>), Problems> {
    let code = text(node, "CurrencyCode")?.filter(|code| !code.is_empty()).unwrap_or_else(|| books.currency.clone()).to_uppercase();
    if code == books.currency {
        return Ok((code, None));
    }
    let known = crate::xero::wire::settings::currency_codes(books).contains(&code);
    if !known {
        return Err(Problems::one(format!("Organisation is not subscribed to currency {code}")));
    }
    let given = match node.get("CurrencyRate") {
        None => None,
        Some(rate) => {
            let scaled = rate.scaled(10).filter(|scaled| *scaled >= 0).ok_or_else(|| Problems::one("CurrencyRate must be a number"))?;
            inverse(scaled)
        }
    };
    let rate = given.or_else(|| books.exchange_rate(&code, on)).unwrap_or(Rate::ONE);
    Ok((code, Some(rate)))
}

/// Home units per foreign unit, from foreign units per home unit in ten-thousand-millionths.
fn inverse(scaled: i128) -> Option<Rate> {
    const UNIT: i128 = 10_000_000_000;
    if scaled == 0 {
        return None;
    }
    let rate = (UNIT * i128::from(Rate::SCALE) + scaled / 2) / scaled;
    i64::try_from(rate).ok().filter(|rate| (1..=Rate::SCALE * 1_000_000).contains(rate)).map(Rate)
}
