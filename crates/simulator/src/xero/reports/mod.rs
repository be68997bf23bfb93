//! Reports computed from the books: rows, cells and the envelope of one report.
//!
//! Contract: providers/xero.md section 5 (developer.xero.com, "Reports"); shapes from the examples of xero_accounting.yaml.
pub mod aged;
pub mod balance_sheet;
pub mod bank_summary;
pub mod budget_summary;
pub mod executive_summary;
pub mod profit_and_loss;
pub mod ten_ninety_nine;
pub mod trial_balance;

use super::lists::Parameters;
use super::refusal::Refusal;
use super::wire::dates;
use super::wire::json::{Object, array};
use crate::books::{Account, Basis, Books};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    TrialBalance,
    ProfitAndLoss,
    BalanceSheet,
    BankSummary,
    ExecutiveSummary,
    BudgetSummary,
    AgedReceivablesByContact,
    AgedPayablesByContact,
    TenNinetyNine,
}

const ALL: [Report; 9] = [
    Report::TrialBalance,
    Report::ProfitAndLoss,
    Report::BalanceSheet,
    Report::BankSummary,
    Report::ExecutiveSummary,
    Report::BudgetSummary,
    Report::AgedReceivablesByContact,
    Report::AgedPayablesByContact,
    Report::TenNinetyNine,
];

impl Report {
    pub fn named(word: &str) -> Option<Report> {
        ALL.into_iter().find(|report| report.name().eq_ignore_ascii_case(word))
    }
    pub fn name(self) -> &'static str {
        match self {
            Report::TrialBalance => "TrialBalance",
            Report::ProfitAndLoss => "ProfitAndLoss",
            Report::BalanceSheet => "BalanceSheet",
            Report::BankSummary => "BankSummary",
            Report::ExecutiveSummary => "ExecutiveSummary",
            Report::BudgetSummary => "BudgetSummary",
            Report::AgedReceivablesByContact => "AgedReceivablesByContact",
            Report::AgedPayablesByContact => "AgedPayablesByContact",
            Report::TenNinetyNine => "TenNinetyNine",
        }
    }
    pub fn scopes(self) -> &'static [&'static str] {
        match self {
            Report::TrialBalance => &["accounting.reports.read", "accounting.reports.trialbalance.read"],
            Report::ProfitAndLoss => &["accounting.reports.read", "accounting.reports.profitandloss.read"],
            Report::BalanceSheet => &["accounting.reports.read", "accounting.reports.balancesheet.read"],
            Report::BankSummary => &["accounting.reports.read", "accounting.reports.banksummary.read"],
            Report::ExecutiveSummary => &["accounting.reports.read", "accounting.reports.executivesummary.read"],
            Report::BudgetSummary => &["accounting.reports.read", "accounting.reports.budgetsummary.read"],
            Report::AgedReceivablesByContact | Report::AgedPayablesByContact => &["accounting.reports.read", "accounting.reports.aged.read"],
            Report::TenNinetyNine => &["accounting.reports.read", "accounting.reports.tenninetynine.read"],
        }
    }
}

/// The report's JSON; `grouped` shows currency gains as one FXGROUPID row of profit and loss.
pub fn make(books: &Books, report: Report, parameters: &Parameters, now: Timestamp, grouped: bool) -> Result<Vec<String>, Refusal> {
    let basis = basis(parameters)?;
    let made = match report {
        Report::TenNinetyNine => return ten_ninety_nine::make(books, parameters, now),
        Report::TrialBalance => trial_balance::make(books, parameters, basis, now),
        Report::ProfitAndLoss => profit_and_loss::make(books, parameters, basis, now, grouped),
        Report::BalanceSheet => balance_sheet::make(books, parameters, basis, now),
        Report::BankSummary => bank_summary::make(books, parameters, now),
        Report::ExecutiveSummary => executive_summary::make(books, parameters, now),
        Report::BudgetSummary => budget_summary::make(books, parameters, now),
        Report::AgedReceivablesByContact => aged::make(books, parameters, true, now),
        Report::AgedPayablesByContact => aged::make(books, parameters, false, now),
    };
    made.map(|report| vec![report])
}

/// `paymentsOnly=true` is the cash basis.
pub fn basis(parameters: &Parameters) -> Result<Basis, Refusal> {
    Ok(if parameters.flag("paymentsonly")? { Basis::Cash } else { Basis::Accrual })
}

/// One cell; attributes as (Id, Value).
struct Cell {
    value: String,
    attributes: Vec<(&'static str, String)>,
}

impl Cell {
    fn plain(value: impl Into<String>) -> Cell {
        Cell { value: value.into(), attributes: Vec::new() }
    }
    fn of_account(value: impl Into<String>, account: &str) -> Cell {
        Cell { value: value.into(), attributes: vec![("account", account.to_string())] }
    }
    /// The cells of retained and current earnings say which results they hold.
    fn with_range(mut self, from: Option<Date>, to: Date) -> Cell {
        self.attributes.push(("fromDate", from.map(dates::us_date).unwrap_or_default()));
        self.attributes.push(("toDate", dates::us_date(to)));
        self
    }
    fn json(&self) -> String {
        let object = Object::new().text("Value", &self.value);
        if self.attributes.is_empty() {
            return object.end();
        }
        let attributes: Vec<String> = self.attributes.iter().map(|(id, value)| Object::new().text("Value", value).text("Id", id).end()).collect();
        object.list("Attributes", &attributes).end()
    }
}

fn row_of(row_type: &str, cells: &[Cell]) -> String {
    let cells: Vec<String> = cells.iter().map(Cell::json).collect();
    Object::new().text("RowType", row_type).list("Cells", &cells).end()
}

fn header(titles: &[String]) -> String {
    row_of("Header", &titles.iter().map(Cell::plain).collect::<Vec<_>>())
}

fn data_row(cells: &[Cell]) -> String {
    row_of("Row", cells)
}

/// A label and an amount per column, without attributes.
fn amounts_row(row_type: &str, label: &str, amounts: &[Cents]) -> String {
    let cells: Vec<Cell> = std::iter::once(Cell::plain(label)).chain(amounts.iter().map(|amount| Cell::plain(amount.to_string()))).collect();
    row_of(row_type, &cells)
}

/// A row of one account: every cell names it.
fn account_row(label: &str, account: &str, amounts: &[Cents]) -> String {
    let cells: Vec<Cell> =
        std::iter::once(Cell::of_account(label, account)).chain(amounts.iter().map(|amount| Cell::of_account(amount.to_string(), account))).collect();
    data_row(&cells)
}

fn section(title: &str, rows: &[String]) -> String {
    Object::new().text("RowType", "Section").text("Title", title).list("Rows", rows).end()
}

fn report(books: &Books, report: Report, name: &str, period: &str, rows: &[String], now: Timestamp) -> String {
    titled(books, report, name, &[name, &books.name, period], rows, now)
}

fn titled(books: &Books, report: Report, name: &str, titles: &[&str], rows: &[String], now: Timestamp) -> String {
    let titles: Vec<String> = titles.iter().map(|title| super::wire::json::quoted(title)).collect();
    Object::new()
        .text("ReportID", report.name())
        .text("ReportName", name)
        .text("ReportType", report.name())
        .raw("ReportTitles", &array(&titles))
        .text("ReportDate", &dates::long_date(dates::today(now, &books.time_zone)))
        .raw("UpdatedDateUTC", &dates::ms_time_bare(now))
        .raw("Fields", "[]")
        .list("Rows", rows)
        .end()
}

/// Accounts in the order of the reports: by name, then code.
fn by_name<'a>(accounts: impl Iterator<Item = &'a Account>) -> Vec<&'a Account> {
    let mut accounts: Vec<&Account> = accounts.collect();
    accounts.sort_by(|left, right| (&left.name, &left.code, left.id).cmp(&(&right.name, &right.code, right.id)));
    accounts
}

/// A range of days; the current month unless given, one missing end taken from the other's month.
fn days(books: &Books, parameters: &Parameters, now: Timestamp) -> Result<(Date, Date), Refusal> {
    let (from, to) = (date_parameter(parameters, "fromdate")?, date_parameter(parameters, "todate")?);
    let from = from.unwrap_or_else(|| dates::first_of_month(to.unwrap_or_else(|| dates::today(now, &books.time_zone))));
    let to = to.unwrap_or_else(|| dates::last_of_month(from));
    if to < from {
        return Err(Refusal::Validation("FromDate must not be after ToDate".into()));
    }
    Ok((from, to))
}

fn sum(rows: &[Vec<Cents>], columns: usize) -> Vec<Cents> {
    (0..columns).map(|column| rows.iter().map(|row| row[column]).sum()).collect()
}

fn date_parameter(parameters: &Parameters, name: &str) -> Result<Option<Date>, Refusal> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    // a time after the date is accepted and dropped
    let day = text.get(..10).filter(|_| text.len() == 10 || text[10..].starts_with('T'));
    match day.and_then(|day| day.parse().ok()) {
        Some(date) => Ok(Some(date)),
        None => Err(Refusal::Validation(format!("{name} must be a date such as 2026-03-31, not '{text}'"))),
    }
}

/// `periods` (1-11 further columns) and the months one step goes back.
fn comparison(parameters: &Parameters) -> Result<(i64, i64), Refusal> {
    let months = match parameters.get("timeframe").map(str::to_ascii_uppercase).as_deref() {
        None | Some("MONTH") => 1,
        Some("QUARTER") => 3,
        Some("YEAR") => 12,
        Some(other) => return Err(Refusal::Validation(format!("timeframe must be MONTH, QUARTER or YEAR, not '{other}'"))),
    };
    match parameters.whole("periods")? {
        None => Ok((0, months)),
        Some(periods @ 1..=11) => Ok((i64::try_from(periods).expect("at most 11"), months)),
        Some(_) => Err(Refusal::Validation("periods must be between 1 and 11".into())),
    }
}
