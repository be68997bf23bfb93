//! Our trial balance, as both providers define theirs: balance-sheet accounts cumulative, profit-and-loss accounts for the fiscal year to
//! date, the result of earlier years inside retained earnings.
use crate::clock::{Date, Month, fiscal_year_start};
use crate::document::AccountClass;
use crate::money::Amount;
use std::collections::BTreeMap;

/// Balance by the provider's account id, home currency, debits positive. Zero balances are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrialBalance(pub BTreeMap<String, Amount>);

/// Net movement of each account in each month, with the part that lies after the asked-for day already left out.
pub type AccountMovements = BTreeMap<(String, Month), Amount>;

/// What the chart says about an account, as far as a trial balance cares.
pub trait Chart {
    fn class(&self, account_id: &str) -> Option<AccountClass>;
    /// The account that takes the result of earlier fiscal years.
    fn retained_earnings(&self) -> Option<&str>;
}

/// Computes the trial balance as of `as_of` from monthly movements up to and including that day. An account the chart does not know counts
/// as a balance-sheet account, so that nothing is lost silently.
pub fn trial_balance(movements: &AccountMovements, chart: &dyn Chart, as_of: Date, fiscal_year_start_month: i8) -> TrialBalance {
    let year_start = Month::of(fiscal_year_start(as_of, fiscal_year_start_month));
    let mut balances: BTreeMap<String, Amount> = BTreeMap::new();
    for ((account_id, month), amount) in movements {
        let earlier_result = chart.class(account_id).is_some_and(AccountClass::is_profit_and_loss) && *month < year_start;
        let target = match chart.retained_earnings() {
            Some(retained_earnings) if earlier_result => retained_earnings,
            _ => account_id.as_str(),
        };
        match balances.get_mut(target) {
            Some(balance) => *balance += *amount,
            None => {
                balances.insert(target.to_owned(), *amount);
            }
        }
    }
    balances.retain(|_, balance| !balance.is_zero());
    TrialBalance(balances)
}

impl TrialBalance {
    pub fn total(&self) -> Amount {
        self.0.values().copied().sum()
    }
    pub fn get(&self, account_id: &str) -> Amount {
        self.0.get(account_id).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    struct Fixed;
    impl Chart for Fixed {
        fn class(&self, account_id: &str) -> Option<AccountClass> {
            match account_id {
                "sales" => Some(AccountClass::Revenue),
                "re" => Some(AccountClass::Equity),
                _ => Some(AccountClass::Asset),
            }
        }
        fn retained_earnings(&self) -> Option<&str> {
            Some("re")
        }
    }

    #[test]
    fn earlier_years_lie_in_retained_earnings() {
        let month = |y, m| Month { year: y, month: m };
        let movements: AccountMovements = [
            (("sales".to_owned(), month(2025, 3)), Amount(-100)),
            (("bank".to_owned(), month(2025, 3)), Amount(100)),
            (("sales".to_owned(), month(2025, 4)), Amount(-7)),
            (("bank".to_owned(), month(2025, 4)), Amount(7)),
        ]
        .into();
        let balance = trial_balance(&movements, &Fixed, date(2025, 4, 30), 4);
        assert_eq!(balance.get("re"), Amount(-100));
        assert_eq!(balance.get("sales"), Amount(-7));
        assert_eq!(balance.get("bank"), Amount(107));
        assert_eq!(balance.total(), Amount::ZERO);
        let same_year = trial_balance(&movements, &Fixed, date(2025, 4, 30), 1);
        assert_eq!(same_year.get("re"), Amount::ZERO);
        assert_eq!(same_year.get("sales"), Amount(-107));
    }
}
