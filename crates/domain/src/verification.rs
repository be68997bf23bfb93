//! Ours against theirs: equal to the cent, or a list of what differs.
use crate::clock::{Date, Month};
use crate::money::Amount;
use crate::statements::TrialBalance;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The provider's own trial balance: home currency, debits positive, by its account id. Accounts it leaves out are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedBalances {
    pub as_of: Date,
    pub balances: BTreeMap<String, Amount>,
}

/// The provider's own figures of one month, from ProfitAndLoss and BalanceSheet by month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportedMonth {
    /// Movement of each profit-and-loss account in the month, debits positive.
    pub profit_and_loss: BTreeMap<String, Amount>,
    /// Balance of each balance-sheet account at the end of the month (or at the day of the report, in the running month), debits positive.
    /// Retained earnings and the result of the running year are not in it: they follow from the rest.
    pub balance_sheet: BTreeMap<String, Amount>,
}

/// One account that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub account_id: String,
    /// The month it comes from, where it could be narrowed: `2026-01`.
    pub month: Option<String>,
    pub ours: Amount,
    pub theirs: Amount,
}

impl Difference {
    /// Ours minus theirs.
    pub fn amount(&self) -> Amount {
        self.ours - self.theirs
    }
}

/// Compares trial balances account by account; an account one side leaves out is zero there.
pub fn compare(ours: &TrialBalance, theirs: &ReportedBalances) -> Vec<Difference> {
    let accounts: BTreeSet<&String> = ours.0.keys().chain(theirs.balances.keys()).collect();
    accounts
        .into_iter()
        .filter_map(|account_id| {
            let (our, their) = (ours.get(account_id), theirs.balances.get(account_id).copied().unwrap_or_default());
            (our != their).then(|| Difference { account_id: account_id.clone(), month: None, ours: our, theirs: their })
        })
        .collect()
}

/// Compares every month: the movement of each profit-and-loss account, and the movement of each balance-sheet account that follows from
/// its balances. `ours` holds our movements by account and month. `skip` are accounts whose figures are computed by the provider
/// (retained earnings). A month-end balance is turned into a movement so that one wrong posting shows in its own month only.
pub fn compare_months(
    ours: &BTreeMap<(String, Month), Amount>,
    theirs: &BTreeMap<Month, ReportedMonth>,
    is_profit_and_loss: &dyn Fn(&str) -> bool,
    skip: &BTreeSet<String>,
) -> Vec<Difference> {
    let mut accounts: BTreeSet<&str> = ours.keys().map(|(account_id, _)| account_id.as_str()).collect();
    for month in theirs.values() {
        accounts.extend(month.profit_and_loss.keys().map(String::as_str));
        accounts.extend(month.balance_sheet.keys().map(String::as_str));
    }
    let mut differences = Vec::new();
    for account_id in accounts {
        if skip.contains(account_id) {
            continue;
        }
        let mut before = Amount::ZERO;
        for (month, reported) in theirs {
            let our = ours.get(&(account_id.to_owned(), *month)).copied().unwrap_or_default();
            let their = if is_profit_and_loss(account_id) {
                reported.profit_and_loss.get(account_id).copied().unwrap_or_default()
            } else {
                let balance = reported.balance_sheet.get(account_id).copied().unwrap_or_default();
                let movement = balance - before;
                before = balance;
                movement
            };
            if our != their {
                differences.push(Difference { account_id: account_id.to_owned(), month: Some(month.to_string()), ours: our, theirs: their });
            }
        }
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(m: i8) -> Month {
        Month { year: 2026, month: m }
    }

    // proves F1 in part
    #[test]
    fn one_cent_is_a_difference() {
        let ours = TrialBalance([("1".to_owned(), Amount(1_000_000)), ("2".to_owned(), Amount(-1_000_000))].into());
        let same = ReportedBalances { as_of: jiff::civil::date(2026, 1, 31), balances: ours.0.clone() };
        assert!(compare(&ours, &same).is_empty());
        let off = ReportedBalances { balances: [("1".to_owned(), Amount(1_000_100)), ("2".to_owned(), Amount(-1_000_000))].into(), ..same };
        let differences = compare(&ours, &off);
        assert_eq!(differences.len(), 1);
        assert_eq!((differences[0].account_id.as_str(), differences[0].amount()), ("1", Amount(-100)));
    }

    #[test]
    fn a_wrong_balance_is_named_in_the_month_it_comes_from() {
        let ours = BTreeMap::from([
            (("1".to_owned(), month(1)), Amount(10)),
            (("1".to_owned(), month(2)), Amount(6)),
            (("1".to_owned(), month(3)), Amount(5)),
        ]);
        let sheet = |balance| ReportedMonth { balance_sheet: [("1".to_owned(), Amount(balance))].into(), ..ReportedMonth::default() };
        let theirs = BTreeMap::from([(month(1), sheet(10)), (month(2), sheet(15)), (month(3), sheet(20))]);
        let differences = compare_months(&ours, &theirs, &|_| false, &BTreeSet::new());
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].month.as_deref(), Some("2026-02"));
        assert_eq!(differences[0].amount(), Amount(1));
    }
}
