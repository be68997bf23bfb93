//! A record in neutral words: what the rest of the product reads, whatever provider it came from.
use crate::clock::{Date, Timestamp};
use crate::data_type::DataType;
use crate::money::Amount;
use crate::record::RecordState;

/// One record in neutral words. `None` means the provider does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub data_type: DataType,
    pub id: String,
    pub state: RecordState,
    /// Accounting date of a transaction: a calendar day without a zone.
    pub date: Option<Date>,
    /// Document number, or account code.
    pub number: Option<String>,
    /// Name of a list record (account, contact, item).
    pub name: Option<String>,
    /// The provider's id of the customer, vendor or contact.
    pub contact_id: Option<String>,
    /// ISO 4217 code of `total`.
    pub currency: Option<String>,
    /// Total in the document's own currency.
    pub total: Option<Amount>,
    pub updated_at: Option<Timestamp>,
    /// Set for `DataType::Account` only.
    pub account: Option<AccountFacts>,
}

/// What a chart of accounts says of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    pub class: AccountClass,
    /// The provider's own type: `Accounts Receivable`, `CURRLIAB`.
    pub account_type: String,
    /// The provider's own subtype or system role: `RetainedEarnings`, `DEBTORS`. Empty when it has none.
    pub role: String,
    pub parent_id: Option<String>,
    /// The account into which the provider rolls the profit of earlier fiscal years.
    pub is_retained_earnings: bool,
}

/// The five classes of double-entry bookkeeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountClass {
    Asset,
    Liability,
    Equity,
    Revenue,
    Expense,
}

impl AccountClass {
    pub fn as_str(self) -> &'static str {
        match self {
            AccountClass::Asset => "asset",
            AccountClass::Liability => "liability",
            AccountClass::Equity => "equity",
            AccountClass::Revenue => "revenue",
            AccountClass::Expense => "expense",
        }
    }
    pub fn parse(word: &str) -> Option<Self> {
        [AccountClass::Asset, AccountClass::Liability, AccountClass::Equity, AccountClass::Revenue, AccountClass::Expense]
            .into_iter()
            .find(|c| c.as_str() == word)
    }
    /// Revenue and expense accounts start at zero every fiscal year; the others carry their balance on.
    pub fn is_profit_and_loss(self) -> bool {
        matches!(self, AccountClass::Revenue | AccountClass::Expense)
    }
}

/// Why a record could not be turned into a document or entry: it is quarantined with this, and the run goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{data_type} {id}: {reason}")]
pub struct Unreadable {
    pub data_type: DataType,
    pub id: String,
    /// What is wrong, naming the field, never a value from the books.
    pub reason: String,
}
