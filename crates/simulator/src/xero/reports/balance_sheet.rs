//! Reports/BalanceSheet: balances at month ends; net assets equal total equity.
use super::{Cell, Report, account_row, amounts_row, by_name, comparison, data_row, date_parameter, header, report, section, sum};
use crate::books::{Account, AccountType, Basis, Books};
use crate::money::Cents;
use crate::xero::lists::Parameters;
use crate::xero::refusal::Refusal;
use crate::xero::wire::{dates, settings};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Current Year Earnings is no account: its cells carry this guid.
const NO_ACCOUNT: &str = "00000000-0000-0000-0000-000000000000";

/// Section title and the account types in it.
const ASSETS: [(&str, &[&str]); 4] = [
    ("Bank", &["BANK"]),
    ("Current Assets", &["CURRENT", "INVENTORY", "PREPAYMENT"]),
    ("Fixed Assets", &["FIXED"]),
    ("Non-current Assets", &["NONCURRENT"]),
];
const LIABILITIES: [(&str, &[&str]); 2] = [("Current Liabilities", &["CURRLIAB", "PAYG"]), ("Non-Current Liabilities", &["TERMLIAB", "LIABILITY"])];

/// One column: the balances at a month end.
struct Column {
    date: Date,
    year_start: Date,
    balances: BTreeMap<u64, Cents>,
}

impl Column {
    fn at(books: &Books, basis: Basis, date: Date) -> Column {
        Column { date, year_start: dates::fiscal_year_start(date, books.fiscal_year_start_month), balances: books.on(basis).trial_balance(date) }
    }
}

pub fn make(books: &Books, parameters: &Parameters, basis: Basis, now: Timestamp) -> Result<String, Refusal> {
    let asked = date_parameter(parameters, "date")?.unwrap_or_else(|| dates::today(now, &books.time_zone));
    let date = dates::last_of_month(asked);
    let (periods, months) = comparison(parameters)?;
    let first = dates::first_of_month(date);
    let ends: Option<Vec<Date>> = (0..=periods).map(|step| dates::months_before(first, step * months).map(dates::last_of_month)).collect();
    let ends = ends.ok_or_else(|| Refusal::Validation("The periods go back further than the calendar".into()))?;
    let columns: Vec<Column> = ends.into_iter().map(|end| Column::at(books, basis, end)).collect();

    let titles = std::iter::once(String::new()).chain(columns.iter().map(|column| dates::short_date(column.date)));
    let mut rows = vec![header(&titles.collect::<Vec<_>>()), section("Assets", &[])];
    let assets = blocks(books, &columns, &ASSETS, false, &mut rows);
    rows.push(section("", &[amounts_row("SummaryRow", "Total Assets", &assets)]));
    rows.push(section("Liabilities", &[]));
    let liabilities = blocks(books, &columns, &LIABILITIES, true, &mut rows);
    rows.push(section("", &[amounts_row("SummaryRow", "Total Liabilities", &liabilities)]));
    let net: Vec<Cents> = assets.iter().zip(&liabilities).map(|(assets, liabilities)| *assets - *liabilities).collect();
    rows.push(section("", &[amounts_row("Row", "Net Assets", &net)]));
    rows.push(equity(books, basis, &columns));
    Ok(report(books, Report::BalanceSheet, "Balance Sheet", &format!("As at {}", dates::long_date(date)), &rows, now))
}

fn amounts(columns: &[Column], account: &Account, credit: bool) -> Vec<Cents> {
    let of = |column: &Column| column.balances.get(&account.id).copied().unwrap_or_default();
    columns.iter().map(of).map(|amount| if credit { -amount } else { amount }).collect()
}

/// Sections with their totals; returns the total of all.
fn blocks(books: &Books, columns: &[Column], sections: &[(&str, &[&str])], credit: bool, rows: &mut Vec<String>) -> Vec<Cents> {
    let mut totals = Vec::new();
    for (title, types) in sections {
        let (mut lines, mut values) = (Vec::new(), Vec::new());
        for account in by_name(books.accounts.values().filter(|account| types.contains(&settings::account_type(account)))) {
            let row = amounts(columns, account, credit);
            if row.iter().all(|amount| amount.is_zero()) {
                continue;
            }
            lines.push(account_row(&account.name, &books.guid("Account", account.id), &row));
            values.push(row);
        }
        let total = sum(&values, columns.len());
        if !lines.is_empty() {
            lines.push(amounts_row("SummaryRow", &format!("Total {title}"), &total));
            rows.push(section(title, &lines));
        }
        totals.push(total);
    }
    sum(&totals, columns.len())
}

/// Equity accounts, the result of the fiscal year so far and the results of all years before it, by name.
fn equity(books: &Books, basis: Basis, columns: &[Column]) -> String {
    let current: Vec<Cents> = columns.iter().map(|column| books.on(basis).net_income(column.year_start, column.date)).collect();
    let cells = columns
        .iter()
        .zip(&current)
        .map(|(column, amount)| Cell::of_account(amount.to_string(), NO_ACCOUNT).with_range(Some(column.year_start), column.date));
    let name = "Current Year Earnings";
    let mut lines = vec![(name.to_string(), data_row(&std::iter::once(Cell::of_account(name, NO_ACCOUNT)).chain(cells).collect::<Vec<_>>()))];
    let mut values = vec![current];
    for account in by_name(books.accounts.values().filter(|account| settings::class(account) == "EQUITY")) {
        let row = amounts(columns, account, true);
        if row.iter().all(|amount| amount.is_zero()) {
            continue;
        }
        let guid = books.guid("Account", account.id);
        let json = if account.account_type == AccountType::RetainedEarnings {
            let cells = columns.iter().zip(&row).map(|(column, amount)| Cell::of_account(amount.to_string(), &guid).with_range(None, column.date));
            data_row(&std::iter::once(Cell::of_account(&account.name, &guid)).chain(cells).collect::<Vec<_>>())
        } else {
            account_row(&account.name, &guid, &row)
        };
        lines.push((account.name.clone(), json));
        values.push(row);
    }
    lines.sort_by(|left, right| left.0.cmp(&right.0));
    let mut rows: Vec<String> = lines.into_iter().map(|(_, json)| json).collect();
    rows.push(amounts_row("SummaryRow", "Total Equity", &sum(&values, columns.len())));
    section("Equity", &rows)
}
