//! Plans by account and month.
use super::Stamp;
use crate::books::{AccountId, Books};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    pub id: u64,
    pub name: String,
    /// First day of the first and last day of the last month.
    pub from: Date,
    pub to: Date,
    /// True: profit and loss accounts; false: balance sheet accounts.
    pub is_profit_and_loss: bool,
    pub lines: Vec<BudgetLine>,
    pub stamp: Stamp,
}

/// One figure, positive in the account's natural direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetLine {
    /// First day of the month.
    pub month: Date,
    pub account: AccountId,
    pub amount: Cents,
    pub tracking: Option<u64>,
}

impl Books {
    pub fn add_budget(&mut self, name: impl Into<String>, from: Date, to: Date, lines: Vec<BudgetLine>, now: Timestamp) -> u64 {
        let id = self.take_id();
        let is_profit_and_loss =
            lines.first().is_none_or(|line| self.accounts.get(&line.account).is_none_or(|account| account.account_type.is_profit_and_loss()));
        self.lists.budgets.insert(id, Budget { id, name: name.into(), from, to, is_profit_and_loss, lines, stamp: Stamp::new(now) });
        id
    }
}
