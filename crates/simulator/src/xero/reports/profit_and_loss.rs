//! Reports/ProfitAndLoss: a date range, and the same range in earlier months, quarters or years.
use super::{Report, account_row, amounts_row, by_name, comparison, date_parameter, header, report, section, sum};
use crate::books::{AccountType, Basis, Books};
use crate::money::Cents;
use crate::xero::lists::Parameters;
use crate::xero::refusal::Refusal;
use crate::xero::wire::{dates, settings};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;

/// The account value of the one row that stands for all currency gains in a grouped layout.
const CURRENCY_GROUP: &str = "FXGROUPID";

pub fn make(books: &Books, parameters: &Parameters, basis: Basis, now: Timestamp, grouped: bool) -> Result<String, Refusal> {
    let (from, to) = range(books, parameters, now)?;
    let (periods, months) = comparison(parameters)?;
    // each earlier column repeats the same days, cut to the month's length: 1-30 June goes with 1-30 May (section 5.3)
    let ranges: Option<Vec<(Date, Date)>> =
        (0..=periods).map(|step| Some((dates::months_before(from, step * months)?, dates::months_before(to, step * months)?))).collect();
    let ranges = ranges.ok_or_else(|| Refusal::Validation("The periods go back further than the calendar".into()))?;
    let columns: Vec<BTreeMap<u64, Cents>> = ranges.iter().map(|(from, to)| books.on(basis).movement(*from, *to)).collect();

    let titles = std::iter::once(String::new()).chain(ranges.iter().map(|(_, to)| dates::column_date(*to)));
    let mut rows = vec![header(&titles.collect::<Vec<_>>())];
    let block = |rows: &mut Vec<String>, name: &str, title: &str, credit: bool, belongs: &dyn Fn(&str) -> bool| -> Vec<Cents> {
        let (mut lines, sums) = lines(books, &columns, credit, grouped, belongs);
        if !lines.is_empty() {
            lines.push(amounts_row("SummaryRow", &format!("Total {name}"), &sums));
            rows.push(section(title, &lines));
        }
        sums
    };
    let income = block(&mut rows, "Income", " Income", true, &|word| matches!(word, "REVENUE" | "SALES"));
    let costs = block(&mut rows, "Cost of Sales", "Less Cost of Sales", false, &|word| word == "DIRECTCOSTS");
    let gross: Vec<Cents> = income.iter().zip(&costs).map(|(income, costs)| *income - *costs).collect();
    rows.push(section("", &[amounts_row("Row", "Gross Profit", &gross)]));
    let other = block(&mut rows, "Other Income", "Plus Other Income", true, &|word| word == "OTHERINCOME");
    let expenses =
        block(&mut rows, "Operating Expenses", "Less Operating Expenses", false, &|word| matches!(word, "EXPENSE" | "OVERHEADS" | "DEPRECIATN"));
    let net: Vec<Cents> = (0..columns.len()).map(|column| gross[column] + other[column] - expenses[column]).collect();
    rows.push(section("", &[amounts_row("Row", "NET PROFIT", &net)]));
    let period = format!("{} to {}", dates::long_date(from), dates::long_date(to));
    Ok(report(books, Report::ProfitAndLoss, "Profit and Loss", &period, &rows, now))
}

/// The current month unless given; one missing end is taken from the other's month.
fn range(books: &Books, parameters: &Parameters, now: Timestamp) -> Result<(Date, Date), Refusal> {
    let (from, to) = (date_parameter(parameters, "fromdate")?, date_parameter(parameters, "todate")?);
    let today = dates::today(now, &books.time_zone);
    let from = from.unwrap_or_else(|| dates::first_of_month(to.unwrap_or(today)));
    let to = to.unwrap_or_else(|| dates::last_of_month(from));
    if to < from {
        return Err(Refusal::Validation("FromDate must not be after ToDate".into()));
    }
    if from.checked_add(366.days()).is_ok_and(|limit| to >= limit) {
        return Err(Refusal::Validation("FromDate must be within a year of ToDate".into()));
    }
    Ok((from, to))
}

/// The rows of one section that have an amount in some column, with their sums.
fn lines(books: &Books, columns: &[BTreeMap<u64, Cents>], credit: bool, grouped: bool, belongs: &dyn Fn(&str) -> bool) -> (Vec<String>, Vec<Cents>) {
    let (mut rows, mut amounts, mut group) = (Vec::new(), Vec::new(), Vec::new());
    for account in by_name(books.accounts.values().filter(|account| belongs(settings::account_type(account)))) {
        let values: Vec<Cents> = columns
            .iter()
            .map(|column| column.get(&account.id).copied().unwrap_or_default())
            .map(|amount| if credit { -amount } else { amount })
            .collect();
        if values.iter().all(|amount| amount.is_zero()) {
            continue;
        }
        if grouped && account.account_type == AccountType::CurrencyGain {
            group.push(values.clone());
        } else {
            rows.push(account_row(&account.name, &books.guid("Account", account.id), &values));
        }
        amounts.push(values);
    }
    if !group.is_empty() {
        rows.push(account_row("Foreign Currency Gains and Losses", CURRENCY_GROUP, &sum(&group, columns.len())));
    }
    (rows, sum(&amounts, columns.len()))
}
