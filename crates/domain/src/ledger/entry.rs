//! An entry balances or cannot exist.
use crate::clock::Date;
use crate::money::Amount;

/// Where an entry came from: the provider's type and id of the transaction, or the number of its journal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey {
    /// `Invoice`, `Bill Payment (Check)`, `ACCREC`; empty when the provider names no source.
    pub source_type: String,
    /// The provider's id of the source document; empty when it names none.
    pub source_id: String,
    /// Xero's JournalNumber. Zero where the provider has no journal numbers.
    pub journal_number: i64,
}

/// One line of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The provider's id of the account.
    pub account_id: String,
    /// Home currency; debits are positive.
    pub amount: Amount,
    /// The provider's id of the contact, where it says so.
    pub contact_id: Option<String>,
}

/// A balanced set of postings of one day, in the company's home currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    key: EntryKey,
    date: Date,
    postings: Vec<Posting>,
}

/// The postings of an entry do not sum to zero; the difference is debits minus credits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("debits and credits of {} {} differ", key.source_type, key.source_id)]
pub struct Unbalanced {
    pub key: EntryKey,
    pub difference: Amount,
    pub postings: Vec<Posting>,
}

impl LedgerEntry {
    /// Fails with `Unbalanced` when debits and credits differ by any amount, or when the sum leaves the range of `Amount`.
    pub fn new(key: EntryKey, date: Date, postings: Vec<Posting>) -> Result<LedgerEntry, Unbalanced> {
        let sum: i128 = postings.iter().map(|posting| i128::from(posting.amount.0)).sum();
        if sum == 0 {
            Ok(LedgerEntry { key, date, postings })
        } else {
            let difference = Amount(i64::try_from(sum).unwrap_or(if sum > 0 { i64::MAX } else { i64::MIN }));
            Err(Unbalanced { key, difference, postings })
        }
    }
    pub fn key(&self) -> &EntryKey {
        &self.key
    }
    pub fn date(&self) -> Date {
        self.date
    }
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posting(account: &str, amount: i64) -> Posting {
        Posting { account_id: account.into(), amount: Amount(amount), contact_id: None }
    }
    fn key() -> EntryKey {
        EntryKey { source_type: "Invoice".into(), source_id: "7".into(), journal_number: 0 }
    }

    // proves F4 in part
    #[test]
    fn an_entry_that_does_not_balance_cannot_exist() {
        let date = jiff::civil::date(2026, 1, 31);
        assert!(LedgerEntry::new(key(), date, vec![posting("1", 500), posting("2", -500)]).is_ok());
        let refused = LedgerEntry::new(key(), date, vec![posting("1", 500), posting("2", -499)]).unwrap_err();
        assert_eq!(refused.difference, Amount(1));
        let overflow = LedgerEntry::new(key(), date, vec![posting("1", i64::MAX), posting("2", i64::MAX)]).unwrap_err();
        assert_eq!(overflow.difference, Amount(i64::MAX));
    }
}
