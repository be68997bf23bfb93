//! Reports/BudgetSummary: the overall budget by account, over months, quarters or years.
use super::{Cell, Report, amounts_row, by_name, data_row, date_parameter, header, section, sum, titled};
use crate::books::lists::Budget;
use crate::books::{AccountId, Books};
use crate::money::Cents;
use crate::xero::lists::Parameters;
use crate::xero::refusal::Refusal;
use crate::xero::wire::{dates, settings};
use jiff::Timestamp;
use jiff::civil::Date;

/// A column: its first and last day.
type Column = (Date, Date);

pub fn make(books: &Books, parameters: &Parameters, now: Timestamp) -> Result<String, Refusal> {
    let first = date_parameter(parameters, "date")?.unwrap_or_else(|| dates::today(now, &books.time_zone)).first_of_month();
    let months = match parameters.whole("timeframe")? {
        None => 1,
        Some(months @ (1 | 3 | 12)) => i64::try_from(months).expect("at most 12"),
        Some(other) => return Err(Refusal::Validation(format!("timeframe must be 1, 3 or 12, not {other}"))),
    };
    let periods = match parameters.whole("periods")? {
        None => 12,
        Some(periods @ 1..=12) => i64::try_from(periods).expect("at most 12"),
        Some(_) => return Err(Refusal::Validation("periods must be between 1 and 12".into())),
    };
    let column = |step: i64| -> Option<Column> {
        let from = dates::months_before(first, -step * months)?;
        Some((from, dates::months_before(first, -(step + 1) * months)?.yesterday().ok()?))
    };
    let columns: Option<Vec<Column>> = (0..periods).map(column).collect();
    let columns = columns.ok_or_else(|| Refusal::Validation("The periods go further than the calendar".into()))?;
    let budget = books.lists.budgets.values().find(|budget| !budget.stamp.deleted && budget.is_profit_and_loss);

    let titles = std::iter::once("Account".to_string()).chain(columns.iter().map(|(from, _)| short_month(*from)));
    let mut rows = vec![header(&titles.collect::<Vec<_>>())];
    let block = |rows: &mut Vec<String>, title: &str, types: &[&str]| -> Vec<Cents> {
        let (mut lines, mut values) = (Vec::new(), Vec::new());
        for account in by_name(books.accounts.values().filter(|account| types.contains(&settings::account_type(account)))) {
            let amounts: Vec<Cents> = columns.iter().map(|column| planned(budget, account.id, *column)).collect();
            if amounts.iter().any(|amount| !amount.is_zero()) {
                let cells = std::iter::once(Cell::plain(&account.name)).chain(amounts.iter().map(|amount| Cell::plain(amount.to_string())));
                lines.push(data_row(&cells.collect::<Vec<_>>()));
                values.push(amounts);
            }
        }
        let total = sum(&values, columns.len());
        if !lines.is_empty() {
            lines.push(amounts_row("SummaryRow", &format!("Total {title}"), &total));
            rows.push(section(title, &lines));
        }
        total
    };
    let income = block(&mut rows, "Income", &["REVENUE", "SALES"]);
    let costs = block(&mut rows, "Cost of Sales", &["DIRECTCOSTS"]);
    let gross: Vec<Cents> = income.iter().zip(&costs).map(|(income, costs)| *income - *costs).collect();
    rows.push(section("", &[amounts_row("SummaryRow", "Gross Profit", &gross)]));
    let other = block(&mut rows, "Other Income", &["OTHERINCOME"]);
    let expenses = block(&mut rows, "Operating Expenses", &["EXPENSE", "OVERHEADS", "DEPRECIATN"]);
    rows.push(section("", &[amounts_row("SummaryRow", "Total Expenses", &expenses)]));
    let net: Vec<Cents> = (0..columns.len()).map(|column| gross[column] + other[column] - expenses[column]).collect();
    rows.push(section("", &[amounts_row("SummaryRow", "Net Profit", &net)]));
    let last = columns.last().map_or(first, |(_, to)| *to);
    let range = format!("{} to {}", month_name(first), month_name(last));
    let name = budget.map_or("Overall Budget", |budget| budget.name.as_str());
    Ok(titled(books, Report::BudgetSummary, "Budget Summary", &[name, "Budget Summary", &books.name, &range], &rows, now))
}

fn planned(budget: Option<&Budget>, account: AccountId, (from, to): Column) -> Cents {
    let lines = budget.into_iter().flat_map(|budget| &budget.lines);
    lines.filter(|line| line.account == account && (from..=to).contains(&line.month)).map(|line| line.amount).sum()
}

/// `Jan-20`.
fn short_month(date: Date) -> String {
    format!("{}-{:02}", date.strftime("%b"), date.year().rem_euclid(100))
}

/// `January 2020`.
fn month_name(date: Date) -> String {
    date.strftime("%B %Y").to_string()
}
