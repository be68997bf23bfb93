//! Xero's reports: rows of text cells with the account in an attribute, read into amounts with debits positive.
//!
//! <https://developer.xero.com/documentation/api/accounting/reports>
use super::dates;
use super::wire::Defect;
use crate::provider::FiscalYear;
use crate::report::cell;
use domain::clock::Month;
use domain::money::Amount;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The account value of the one line that stands for all accounts of currency gains, where Xero groups them.
const CURRENCY_GROUP: &str = "FXGROUPID";
/// The account value of Current Year Earnings, which is a sum and no account.
const NO_ACCOUNT: &str = "00000000-0000-0000-0000-000000000000";

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Reports")]
    reports: Vec<Rows>,
}

#[derive(Deserialize)]
struct Rows {
    #[serde(rename = "Rows", default)]
    rows: Vec<Row>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Row {
    row_type: Option<String>,
    title: Option<String>,
    cells: Option<Vec<Cell>>,
    rows: Option<Vec<Row>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Cell {
    value: Option<String>,
    attributes: Option<Vec<Attribute>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Attribute {
    value: Option<String>,
    id: Option<String>,
}

impl Cell {
    fn text(&self) -> &str {
        self.value.as_deref().unwrap_or("")
    }
    fn account(&self) -> Option<&str> {
        let attribute = self.attributes.as_ref()?.iter().find(|attribute| attribute.id.as_deref() == Some("account"))?;
        attribute.value.as_deref().filter(|value| !value.is_empty())
    }
}

/// A report as a table: the heads of its columns and its data rows, each with the titles it stands under.
struct Table {
    heads: Vec<String>,
    lines: Vec<Line>,
}

struct Line {
    /// The last title without rows of its own (`Assets`, `Liabilities`), if any.
    heading: String,
    section: String,
    cells: Vec<Cell>,
}

impl Line {
    fn label(&self) -> &str {
        self.cells.first().map_or("", Cell::text)
    }
    fn account(&self) -> Option<&str> {
        self.cells.iter().find_map(Cell::account)
    }
    fn amount(&self, column: usize) -> Result<Amount, Defect> {
        cell(self.cells.get(column).map_or("", Cell::text)).map_err(|_| Defect(format!("a cell of column {column} is not an amount")))
    }
}

fn table(body: &str) -> Result<Table, Defect> {
    let envelope: Envelope = serde_json::from_str(body).map_err(|_| Defect("it is not a report".into()))?;
    let report = envelope.reports.into_iter().next().ok_or_else(|| Defect("the list Reports is empty".into()))?;
    let mut table = Table { heads: Vec::new(), lines: Vec::new() };
    collect(report.rows, &mut String::new(), "", &mut table);
    if table.heads.is_empty() {
        return Err(Defect("the report has no header row".into()));
    }
    Ok(table)
}

fn collect(rows: Vec<Row>, heading: &mut String, section: &str, table: &mut Table) {
    for row in rows {
        let cells = row.cells.unwrap_or_default();
        match row.row_type.as_deref() {
            Some("Header") => table.heads = cells.iter().map(|cell| cell.text().trim().to_owned()).collect(),
            Some("Section") => {
                let title = row.title.unwrap_or_default().trim().to_owned();
                let rows = row.rows.unwrap_or_default();
                if rows.is_empty() && !title.is_empty() {
                    *heading = title;
                } else {
                    // the section Equity follows the liabilities without a heading of its own
                    if title.eq_ignore_ascii_case("equity") {
                        heading.clone_from(&title);
                    }
                    collect(rows, heading, &title, table);
                }
            }
            Some("Row") => table.lines.push(Line { heading: heading.clone(), section: section.to_owned(), cells }),
            _ => {} // SummaryRow: sums of what stands above
        }
    }
}

/// The trial balance of a day.
pub struct TrialBalanceReport {
    /// Balance by account, debits positive: the columns `YTD Debit` and `YTD Credit`.
    pub balances: BTreeMap<String, Amount>,
    /// Movement of the month up to the day, by account: the columns `Debit` and `Credit`.
    pub movements: BTreeMap<String, Amount>,
    /// Accounts of the sections Revenue and Expenses.
    pub profit_and_loss: Vec<String>,
}

pub fn trial_balance(body: &str, year: &FiscalYear) -> Result<TrialBalanceReport, Defect> {
    let table = table(body)?;
    let column = |head: &str| {
        table.heads.iter().position(|known| known.eq_ignore_ascii_case(head)).ok_or_else(|| Defect(format!("the trial balance has no column {head}")))
    };
    let (debit, credit, ytd_debit, ytd_credit) = (column("Debit")?, column("Credit")?, column("YTD Debit")?, column("YTD Credit")?);
    let mut report = TrialBalanceReport { balances: BTreeMap::new(), movements: BTreeMap::new(), profit_and_loss: Vec::new() };
    for line in &table.lines {
        let balance = line.amount(ytd_debit)? - line.amount(ytd_credit)?;
        let movement = line.amount(debit)? - line.amount(credit)?;
        let account = match line.account().map(str::to_owned).or_else(|| named_account(line.label(), year)) {
            Some(account) => account,
            None if balance.is_zero() && movement.is_zero() => continue,
            None => return Err(Defect("a row of the trial balance names no account".into())),
        };
        if matches!(line.section.to_ascii_lowercase().as_str(), "revenue" | "expenses") {
            report.profit_and_loss.push(account.clone());
        }
        add(&mut report.balances, &account, balance);
        add(&mut report.movements, &account, movement);
    }
    Ok(report)
}

/// Rows of the trial balance are labelled `Sales (200)`; the account stands in an attribute, or else is found by its name.
fn named_account(label: &str, year: &FiscalYear) -> Option<String> {
    let name = label.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")).map_or(label, |(name, _)| name);
    year.account_ids_by_name.get(label).or_else(|| year.account_ids_by_name.get(name)).cloned()
}

/// Figures by month and account, debits positive.
#[derive(Default)]
pub struct MonthlyFigures {
    pub months: BTreeMap<Month, BTreeMap<String, Amount>>,
    /// Months in which several accounts of currency gains are one line, so that none of them is in the figures.
    pub grouped: Vec<Month>,
}

/// Reads ProfitAndLoss or BalanceSheet with one column for each month of `expected`, in this order.
pub fn by_month(body: &str, expected: &[Month], year: &FiscalYear) -> Result<MonthlyFigures, Defect> {
    let table = table(body)?;
    if table.heads.len() != expected.len() + 1 {
        return Err(Defect(format!("the report has {} columns instead of {}", table.heads.len().saturating_sub(1), expected.len())));
    }
    let mut columns = Vec::with_capacity(expected.len());
    for (head, month) in table.heads.iter().skip(1).zip(expected) {
        // a head that names a month must name the right one; others are taken by their place
        let named = dates::column_month(head).unwrap_or(*month);
        if !expected.contains(&named) || columns.contains(&named) {
            return Err(Defect(format!("a column of the report is headed {named}, which was not asked for")));
        }
        columns.push(named);
    }
    let mut figures = MonthlyFigures { months: columns.iter().map(|month| (*month, BTreeMap::new())).collect(), grouped: Vec::new() };
    for line in &table.lines {
        // rows without an account are sums: Gross Profit, NET PROFIT, Net Assets
        let Some(account) = line.account() else { continue };
        if account == NO_ACCOUNT {
            continue;
        }
        for (at, month) in columns.iter().enumerate() {
            let amount = line.amount(at + 1)?;
            if account == CURRENCY_GROUP {
                if !amount.is_zero() {
                    figures.grouped.push(*month);
                }
            } else if let Some(accounts) = figures.months.get_mut(month) {
                add(accounts, account, if is_debit_side(line, account, year) { amount } else { -amount });
            }
        }
    }
    Ok(figures)
}

/// Whether a positive figure is a debit. The part of the statement a row stands in decides; where its title says nothing, the class of
/// the account does.
fn is_debit_side(line: &Line, account: &str, year: &FiscalYear) -> bool {
    let heading = line.heading.to_ascii_lowercase();
    let section = line.section.to_ascii_lowercase();
    if heading.contains("assets") {
        return true;
    }
    if heading.contains("liabilities") || heading == "equity" {
        return false;
    }
    if section.starts_with("less ") {
        return true;
    }
    if section.starts_with("plus ") || section == "income" || section == "revenue" {
        return false;
    }
    year.debit_normal.get(account).copied().unwrap_or(false)
}

fn add(amounts: &mut BTreeMap<String, Amount>, account: &str, amount: Amount) {
    if amount.is_zero() {
        return;
    }
    match amounts.get_mut(account) {
        Some(sum) => *sum += amount,
        None => {
            amounts.insert(account.to_owned(), amount);
        }
    }
}

/// One call of a report by month: the month it is anchored in and the months of its columns, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    pub anchor: Month,
    pub months: Vec<Month>,
}

/// `periods` may be at most 11: one column and eleven before it.
const MOST_COLUMNS: usize = 12;

impl Columns {
    /// The number for the parameter `periods`: columns beside the first.
    pub fn periods(&self) -> usize {
        self.months.len() - 1
    }
}

/// Calls that cover whole months from `first` to `last`. A column repeats the days of the first one, so a call from the 1st to the 30th
/// would cut the 31st off every longer month: with `in_long_month` each call is anchored in a month of 31 days, the next one after the
/// months that are wanted, if need be.
pub fn columns(first: Month, last: Month, in_long_month: bool) -> Vec<Columns> {
    let mut calls = Vec::new();
    let mut wanted = last;
    while wanted >= first {
        let is_short = wanted.last_day().day() < 31;
        let needs_company = wanted > first;
        let anchor = if in_long_month && is_short && needs_company { wanted.next() } else { wanted };
        let mut months = vec![anchor];
        while months.len() < MOST_COLUMNS && months[months.len() - 1] > first {
            months.push(months[months.len() - 1].previous());
        }
        wanted = months[months.len() - 1].previous();
        calls.push(Columns { anchor, months });
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }
    fn year() -> FiscalYear {
        FiscalYear {
            start_month: 4,
            debit_normal: [("sales".to_owned(), false), ("rent".to_owned(), true)].into(),
            account_ids_by_name: [("Nameless Clearing".to_owned(), "clearing".to_owned())].into(),
        }
    }

    #[test]
    fn a_trial_balance_is_read_with_debits_positive() {
        let report = trial_balance(include_str!("fixtures/trial_balance.json"), &year()).unwrap();
        let balances: Vec<(&str, i64)> = report.balances.iter().map(|(account, amount)| (account.as_str(), amount.0)).collect();
        assert_eq!(
            balances,
            [("bank", 12_345_600), ("clearing", 400), ("payable", -2_345_600), ("rent", 3_000_000), ("retained", -3_000_000), ("sales", -10_000_400)]
        );
        assert_eq!(report.balances.values().copied().sum::<Amount>(), Amount::ZERO);
        assert_eq!(report.movements.get("rent"), Some(&Amount(1_000_000)));
        assert_eq!(report.profit_and_loss, ["sales", "rent", "idle"]);
    }

    #[test]
    fn profit_and_loss_by_month_has_its_signs_from_its_sections() {
        let months = [month("2026-03"), month("2026-02")];
        let figures = by_month(include_str!("fixtures/profit_and_loss.json"), &months, &year()).unwrap();
        let march = &figures.months[&months[0]];
        assert_eq!(march.get("sales"), Some(&Amount(-5_000_000)));
        assert_eq!(march.get("materials"), Some(&Amount(1_250_000)));
        assert_eq!(march.get("interest"), Some(&Amount(-12_300)));
        assert_eq!(march.get("rent"), Some(&Amount(1_000_000)));
        let february = &figures.months[&months[1]];
        assert_eq!(february.get("sales"), Some(&Amount(250_000)), "a month of refunds");
        assert_eq!(february.get("rent"), None, "zero is left out");
        assert_eq!(figures.grouped, [months[0]], "currency gains are one line");
    }

    #[test]
    fn balance_sheets_leave_out_what_is_no_account() {
        let months = [month("2026-03"), month("2026-02")];
        let figures = by_month(include_str!("fixtures/balance_sheet.json"), &months, &year()).unwrap();
        let march: Vec<(&str, i64)> = figures.months[&months[0]].iter().map(|(account, amount)| (account.as_str(), amount.0)).collect();
        // the overdrawn bank account stands among the liabilities, where a positive figure is a credit
        assert_eq!(march, [("bank", 12_345_600), ("overdraft", -500_000), ("payable", -2_345_600), ("retained", -7_000_000)]);
        assert!(figures.grouped.is_empty());
    }

    #[test]
    fn reports_that_are_not_what_was_asked_for_are_refused() {
        let report = include_str!("fixtures/profit_and_loss.json");
        assert!(by_month(report, &[month("2026-03")], &year()).is_err(), "too many columns");
        assert!(by_month(report, &[month("2026-04"), month("2026-03")], &year()).is_err(), "other months");
        assert!(by_month(&report.replace("500.00", "n/a"), &[month("2026-03"), month("2026-02")], &year()).is_err());
        for body in
            ["", "{}", "<html></html>", "{\"Reports\":[]}", "{\"Reports\":[{\"Rows\":[]}]}", "{\"Reports\":[{\"Rows\":[{\"RowType\":\"Header\""]
        {
            assert!(by_month(body, &[month("2026-03")], &year()).is_err(), "{body}");
            assert!(trial_balance(body, &year()).is_err(), "{body}");
        }
        // columns of a comparison with last year are no trial balance of ours
        let other = include_str!("fixtures/trial_balance.json").replace("YTD Debit", "Last year");
        assert!(trial_balance(&other, &year()).is_err());
        let nameless = include_str!("fixtures/trial_balance.json").replace("Nameless Clearing", "Unknown");
        assert!(trial_balance(&nameless, &year()).is_err());
    }

    #[test]
    fn months_are_anchored_where_every_day_is_counted() {
        let calls = columns(month("2024-02"), month("2026-06"), true);
        assert_eq!(calls[0].anchor, month("2026-07"), "June is read as the column beside July");
        let mut seen: Vec<Month> = calls.iter().flat_map(|call| call.months.iter().copied()).collect();
        seen.sort();
        seen.dedup();
        assert!(month("2024-02").through(month("2026-06")).iter().all(|wanted| seen.contains(wanted)));
        for call in &calls {
            assert!(call.months.len() <= 12 && call.periods() <= 11);
            assert!(call.months.len() == 1 || call.anchor.last_day().day() == 31, "{call:?}");
            assert_eq!(call.months[0], call.anchor);
        }
        assert_eq!(columns(month("2026-02"), month("2026-02"), true), [Columns { anchor: month("2026-02"), months: vec![month("2026-02")] }]);
        assert_eq!(columns(month("2026-03"), month("2026-02"), true), []);
        assert_eq!(columns(month("2023-07"), month("2026-06"), false).len(), 3);
    }
}
