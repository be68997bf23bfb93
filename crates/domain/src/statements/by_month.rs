//! Profit and loss and balance sheet in columns of months, computed from the ledger.
use super::trial_balance::{AccountMovements, Chart, trial_balance};
use crate::clock::Month;
use crate::document::AccountClass;
use crate::money::Amount;
use std::collections::BTreeMap;

/// One account of a statement: an amount for each month, positive on the account's normal side (assets and expenses: debits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    pub account_id: String,
    pub class: AccountClass,
    pub amounts: Vec<Amount>,
}

/// The balance sheet: its accounts, and the result of the fiscal year that runs at each month's end, which is no account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BalanceSheet {
    pub rows: Vec<AccountRow>,
    pub result_of_year: Vec<Amount>,
}

fn natural(class: AccountClass, debits: Amount) -> Amount {
    if matches!(class, AccountClass::Asset | AccountClass::Expense) { debits } else { -debits }
}

/// What each income and expense account moved in each month; accounts that did not move in any of them are left out.
pub fn profit_and_loss(movements: &AccountMovements, chart: &dyn Chart, months: &[Month]) -> Vec<AccountRow> {
    let mut rows: BTreeMap<&str, AccountRow> = BTreeMap::new();
    for ((account_id, month), amount) in movements {
        let Some(class) = chart.class(account_id).filter(|class| class.is_profit_and_loss()) else { continue };
        let Some(column) = months.iter().position(|shown| shown == month) else { continue };
        let row =
            rows.entry(account_id).or_insert_with(|| AccountRow { account_id: account_id.clone(), class, amounts: vec![Amount::ZERO; months.len()] });
        row.amounts[column] += natural(class, *amount);
    }
    rows.into_values().filter(|row| row.amounts.iter().any(|amount| !amount.is_zero())).collect()
}

/// The balances at the end of each month. An account that the chart does not know counts as an asset, so that nothing is lost silently.
pub fn balance_sheet(movements: &AccountMovements, chart: &dyn Chart, months: &[Month], fiscal_year_start_month: i8) -> BalanceSheet {
    let mut rows: BTreeMap<String, AccountRow> = BTreeMap::new();
    let mut result_of_year = vec![Amount::ZERO; months.len()];
    for (column, month) in months.iter().enumerate() {
        let until: AccountMovements = movements.iter().filter(|((_, at), _)| at <= month).map(|(key, amount)| (key.clone(), *amount)).collect();
        for (account_id, balance) in trial_balance(&until, chart, month.last_day(), fiscal_year_start_month).0 {
            let class = chart.class(&account_id).unwrap_or(AccountClass::Asset);
            if class.is_profit_and_loss() {
                result_of_year[column] -= balance;
                continue;
            }
            let row = rows.entry(account_id.clone()).or_insert_with(|| AccountRow { account_id, class, amounts: vec![Amount::ZERO; months.len()] });
            row.amounts[column] = natural(class, balance);
        }
    }
    BalanceSheet { rows: rows.into_values().collect(), result_of_year }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Chart for Fixed {
        fn class(&self, account_id: &str) -> Option<AccountClass> {
            Some(match account_id {
                "sales" => AccountClass::Revenue,
                "rent" => AccountClass::Expense,
                "re" => AccountClass::Equity,
                "loan" => AccountClass::Liability,
                "bank" => AccountClass::Asset,
                _ => return None,
            })
        }
        fn retained_earnings(&self) -> Option<&str> {
            Some("re")
        }
    }

    fn month(year: i16, month: i8) -> Month {
        Month { year, month }
    }

    fn movements() -> AccountMovements {
        [
            ("sales", 2025, 12, -1_000),
            ("bank", 2025, 12, 1_000),
            ("sales", 2026, 1, -300),
            ("rent", 2026, 1, 120),
            ("bank", 2026, 1, 180),
            ("loan", 2026, 2, -500),
            ("bank", 2026, 2, 500),
        ]
        .into_iter()
        .map(|(account, year, m, amount)| ((account.to_owned(), month(year, m)), Amount(amount)))
        .collect()
    }

    #[test]
    fn income_and_expenses_are_positive_in_their_months() {
        let rows = profit_and_loss(&movements(), &Fixed, &[month(2026, 1), month(2026, 2)]);
        let shown: Vec<(&str, Vec<i64>)> = rows.iter().map(|row| (row.account_id.as_str(), row.amounts.iter().map(|a| a.0).collect())).collect();
        assert_eq!(shown, [("rent", vec![120, 0]), ("sales", vec![300, 0])]);
        assert_eq!(profit_and_loss(&movements(), &Fixed, &[month(2026, 2)]), []);
    }

    #[test]
    fn a_balance_sheet_balances_in_every_column_and_moves_a_closed_year_to_retained_earnings() {
        let months = [month(2025, 12), month(2026, 1), month(2026, 2)];
        let sheet = balance_sheet(&movements(), &Fixed, &months, 1);
        let of = |id: &str| sheet.rows.iter().find(|row| row.account_id == id).map(|row| row.amounts.iter().map(|a| a.0).collect::<Vec<_>>());
        assert_eq!(of("bank"), Some(vec![1_000, 1_180, 1_680]));
        assert_eq!(of("re"), Some(vec![0, 1_000, 1_000]));
        assert_eq!(of("loan"), Some(vec![0, 0, 500]));
        assert_eq!(sheet.result_of_year.iter().map(|a| a.0).collect::<Vec<_>>(), [1_000, 180, 180]);
        for column in 0..months.len() {
            let sum = |assets: bool| -> Amount {
                sheet.rows.iter().filter(|row| (row.class == AccountClass::Asset) == assets).map(|row| row.amounts[column]).sum()
            };
            assert_eq!(sum(true), sum(false) + sheet.result_of_year[column]);
        }
    }

    #[test]
    fn an_account_the_chart_does_not_know_is_still_shown() {
        let strange = [(("strange".to_owned(), month(2026, 1)), Amount(5)), (("loan".to_owned(), month(2026, 1)), Amount(-5))].into();
        let sheet = balance_sheet(&strange, &Fixed, &[month(2026, 1)], 1);
        assert!(sheet.rows.iter().any(|row| row.account_id == "strange" && row.amounts == [Amount(5)]));
    }
}
