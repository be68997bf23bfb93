//! The currencies a company trades in, and a rate for any day.
use super::Stamp;
use crate::books::Books;
use crate::money::Rate;
use jiff::civil::Date;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    /// ISO 4217.
    pub code: String,
    pub stamp: Stamp,
}

impl Currency {
    /// A number that stands for the code whatever else is in the list: its letters as digits.
    pub fn id(code: &str) -> u64 {
        code.bytes().take(3).fold(0, |id, byte| id * 26 + u64::from(byte.to_ascii_uppercase().saturating_sub(b'A').min(25))) + 1
    }
}

impl Books {
    /// Foreign currencies: those of accounts, contacts and documents, and those added by hand, by code.
    pub fn foreign_currencies(&self) -> BTreeMap<String, Currency> {
        let accounts = self.accounts.values().map(|account| (&account.currency, account.created_at));
        let contacts = self.contacts.values().map(|contact| (&contact.currency, contact.created_at));
        let mut currencies = self.lists.currencies.clone();
        for (code, created_at) in accounts.chain(contacts).filter(|(code, _)| **code != self.currency) {
            currencies.entry(code.clone()).or_insert_with(|| Currency { code: code.clone(), stamp: Stamp::new(created_at) });
        }
        currencies
    }

    /// Home units per unit of `code` on a day: the rate set by hand or used by a document last before or on it, else the first one after.
    pub fn exchange_rate(&self, code: &str, day: Date) -> Option<Rate> {
        if code == self.currency {
            return Some(Rate::ONE);
        }
        let set = self.lists.exchange_rates.range((code.to_owned(), Date::MIN)..=(code.to_owned(), day)).next_back();
        let used = |dates: Box<dyn Iterator<Item = &Date> + '_>| {
            let mut documents = dates.flat_map(|date| &self.by_date[date]).filter_map(|id| self.documents.get(id));
            documents.find(|document| document.currency == code).map(|document| (document.date, document.rate))
        };
        let before = used(Box::new(self.by_date.range(..=day).rev().map(|(date, _)| date)));
        match (set, before) {
            (Some(((_, set_on), rate)), Some((used_on, _))) if *set_on >= used_on => Some(*rate),
            (Some((_, rate)), None) => Some(*rate),
            (_, Some((_, rate))) => Some(rate),
            (None, None) => used(Box::new(self.by_date.range(day..).map(|(date, _)| date))).map(|(_, rate)| rate),
        }
    }
}
