//! The reports, and what they share: parameters, the frame, cells and the tree of accounts.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/trialbalance> and its neighbours. Report cells
//! are strings.
mod account_list;
mod balance_sheet;
mod cash_flow;
mod columns;
mod filter;
mod french;
mod general_ledger;
mod inventory;
mod journal_report;
mod open_items;
mod period;
mod profit_and_loss;
mod sales;
mod tax;
mod transaction_list;
mod trial_balance;

use super::moments;
use super::refusal::Refusal;
use super::wire::View;
use super::wire::tree::{Json, Object};
use crate::books::{Account, AccountId, AccountType};
use crate::money::Cents;
use open_items::Side;
use period::Period;
use std::collections::BTreeMap;

/// The parameters of a call, decoded, in order.
pub struct Parameters(pub Vec<(String, String)>);

impl Parameters {
    /// The first value that is not empty; names in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.trim().is_empty()).map(|(_, value)| value.trim())
    }
}

const NAMES: [&str; 34] = [
    "TrialBalance",
    "ProfitAndLoss",
    "BalanceSheet",
    "GeneralLedger",
    "ProfitAndLossDetail",
    "CashFlow",
    "JournalReport",
    "AccountList",
    "TransactionList",
    "TransactionListByCustomer",
    "TransactionListByVendor",
    "AgedReceivables",
    "AgedReceivableDetail",
    "AgedPayables",
    "AgedPayableDetail",
    "CustomerBalance",
    "CustomerBalanceDetail",
    "VendorBalance",
    "VendorBalanceDetail",
    "CustomerIncome",
    "CustomerSales",
    "VendorExpenses",
    "ItemSales",
    "ClassSales",
    "DepartmentSales",
    "TransactionListWithSplits",
    "InventoryValuationSummary",
    "InventoryValuationDetail",
    "TaxSummary",
    "BAS",
    "FECReport",
    "GeneralLedgerFR",
    "JournalReportFR",
    "TrialBalanceFR",
];

/// "Unable to display more data": HTTP 200 with a text in a cell (contract 6.7).
const TOO_LARGE: &str = "Unable to display more data. Please reduce the date range.";

/// The canonical spelling of a report that the sandbox makes.
pub fn named(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// The whole body: "no outer wrapper and no top-level time" (contract 6.3).
pub fn answer(view: &View, name: &'static str, parameters: &Parameters, max_cells: u64) -> Result<Object, Refusal> {
    let period = Period::read(view, parameters)?;
    match name {
        "TrialBalance" => Ok(trial_balance::report(view, &period)),
        "ProfitAndLoss" => profit_and_loss::report(view, &period, parameters),
        "BalanceSheet" => balance_sheet::report(view, &period, parameters),
        "GeneralLedger" => general_ledger::report(view, &period, parameters, max_cells),
        "ProfitAndLossDetail" => profit_and_loss::detail(view, &period, parameters, max_cells),
        "CashFlow" => Ok(cash_flow::report(view, &period)),
        "JournalReport" => Ok(journal_report::report(view, &period, max_cells)),
        "AccountList" => Ok(account_list::report(view, &period)),
        "TransactionList" | "TransactionListWithSplits" => transaction_list::report(view, name, None, &period, parameters),
        "TransactionListByCustomer" => transaction_list::report(view, name, Some(true), &period, parameters),
        "TransactionListByVendor" => transaction_list::report(view, name, Some(false), &period, parameters),
        "InventoryValuationSummary" => Ok(inventory::summary(view, name, &period)),
        "InventoryValuationDetail" => Ok(inventory::detail(view, name, &period)),
        "TaxSummary" => Ok(tax::summary(view, name, &period)),
        "BAS" => tax::bas(view, name, &period),
        "FECReport" | "GeneralLedgerFR" | "JournalReportFR" | "TrialBalanceFR" => french::report(view, name, &period, parameters, max_cells),
        "AgedReceivables" => open_items::aged(view, name, Side::Customers, &period, parameters),
        "AgedPayables" => open_items::aged(view, name, Side::Vendors, &period, parameters),
        "AgedReceivableDetail" => open_items::aged_detail(view, name, Side::Customers, &period, parameters),
        "AgedPayableDetail" => open_items::aged_detail(view, name, Side::Vendors, &period, parameters),
        "CustomerBalance" => open_items::balances(view, name, Side::Customers, &period, parameters),
        "VendorBalance" => open_items::balances(view, name, Side::Vendors, &period, parameters),
        "CustomerBalanceDetail" => open_items::balance_detail(view, name, Side::Customers, &period, parameters),
        "VendorBalanceDetail" => open_items::balance_detail(view, name, Side::Vendors, &period, parameters),
        _ => Ok(sales::report(view, name, &period)),
    }
}

/// "Key order inside Header: Time, ReportName, DateMacro?, ReportBasis, StartPeriod, EndPeriod, SummarizeColumnsBy?, Currency, Option"
/// (contract 6.3).
fn header(view: &View, name: &str, period: &Period, summarized_by: Option<&str>, has_standard: bool, is_empty: bool) -> Object {
    let option = |name: &str, value: &str| Json::from(Object::new().put("Name", name).put("Value", value));
    let mut options = Vec::new();
    if has_standard {
        options.push(option("AccountingStandard", "GAAP"));
    }
    options.push(option("NoReportData", if is_empty { "true" } else { "false" }));
    let header = Object::new()
        .put("Time", moments::seconds(view.now))
        .put("ReportName", name)
        .put_some("DateMacro", period.date_macro.clone())
        .put("ReportBasis", period.basis.word())
        .put("StartPeriod", period.from)
        .put("EndPeriod", period.to)
        .put_some("SummarizeColumnsBy", summarized_by)
        .put("Currency", view.books.currency.clone());
    let header = period.filter.echoes().fold(header, |header, (name, given)| header.put(name, given.to_owned()));
    header.put("Option", Json::List(options))
}

fn frame(header: Object, columns: Vec<Object>, rows: Vec<Json>) -> Object {
    let rows = if rows.is_empty() { Object::new() } else { Object::new().put("Row", rows) };
    Object::new().put("Header", header).put("Columns", Object::new().put("Column", columns)).put("Rows", rows)
}

fn column(title: &str, column_type: &str, metadata: &[(&str, String)]) -> Object {
    let metadata: Vec<Object> = metadata.iter().map(|(name, value)| Object::new().put("Name", *name).put("Value", value.clone())).collect();
    let column = Object::new().put("ColTitle", title).put("ColType", column_type);
    if metadata.is_empty() { column } else { column.put("MetaData", metadata) }
}

fn cell(value: impl Into<String>) -> Object {
    Object::new().put("value", value.into())
}

fn named_cell(value: impl Into<String>, id: impl std::fmt::Display) -> Object {
    cell(value).put("id", id.to_string())
}

fn cells(cells: Vec<Object>) -> Object {
    Object::new().put("ColData", cells)
}

fn data_row(row: Vec<Object>) -> Object {
    cells(row).put("type", "Data")
}

/// An amount, or nothing for zero.
fn amount_cell(amount: Cents) -> Object {
    cell(if amount.is_zero() { String::new() } else { amount.to_string() })
}

fn total_cell(amount: Cents) -> Object {
    cell(amount.to_string())
}

/// Amounts of each account, one per column, in the account's natural sign.
type Amounts = BTreeMap<AccountId, Vec<Cents>>;

fn add(sums: &mut [Cents], more: &[Cents]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += *more;
    }
}

/// Where an account stands in the statements, in the order of the chart (contract 6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    BankAccounts,
    Receivable,
    OtherCurrentAssets,
    FixedAssets,
    OtherAssets,
    Payable,
    CreditCards,
    OtherCurrentLiabilities,
    LongTermLiabilities,
    Equity,
    Income,
    CostOfGoodsSold,
    Expenses,
    OtherIncome,
    OtherExpenses,
}

impl Place {
    fn of(account: &Account) -> Place {
        use AccountType::*;
        match account.account_type {
            Bank => Place::BankAccounts,
            Receivable => Place::Receivable,
            CurrentAsset | Inventory => Place::OtherCurrentAssets,
            FixedAsset => Place::FixedAssets,
            OtherAsset => Place::OtherAssets,
            Payable => Place::Payable,
            CreditCard => Place::CreditCards,
            CurrentLiability | TaxPayable => Place::OtherCurrentLiabilities,
            LongTermLiability => Place::LongTermLiabilities,
            Equity | RetainedEarnings => Place::Equity,
            Income => Place::Income,
            CostOfSales => Place::CostOfGoodsSold,
            Expense => Place::Expenses,
            OtherIncome => Place::OtherIncome,
            Depreciation | OtherExpense | CurrencyGain => Place::OtherExpenses,
        }
    }
    /// "Amounts are in the account's NATURAL sign" (contract 6.6): credit balances of these are positive.
    fn is_credit_normal(self) -> bool {
        use Place::*;
        matches!(self, Payable | CreditCards | OtherCurrentLiabilities | LongTermLiabilities | Equity | Income | OtherIncome)
    }
    fn natural(self, debit_positive: Cents) -> Cents {
        if self.is_credit_normal() { -debit_positive } else { debit_positive }
    }
}

/// Accounts in the order of the chart: by place, then by name.
fn chart<'a>(view: &View<'a>) -> Vec<&'a Account> {
    let mut accounts: Vec<&Account> = view.books.accounts.values().collect();
    accounts.sort_by_cached_key(|account| (Place::of(account), view.account_name(account.id).to_lowercase(), account.id));
    accounts
}

/// The parent that a report nests the account under: one of the same place.
fn parent_in_report(view: &View, account: &Account) -> Option<AccountId> {
    account.parent.filter(|parent| view.books.accounts.get(parent).is_some_and(|parent| Place::of(parent) == Place::of(account)))
}

/// The name in a tree: the own one, as the branch above says the rest.
fn own_name(view: &View, account: &Account) -> String {
    view.shown_name(&account.name, account.active)
}

/// The rows of one place and their sums. "Parent account with children = Section: Header cell has id, inner rows, Summary Total
/// <parent>; the parent's own postings are in the Header's amount cells" (contract 6.5).
fn account_rows(view: &View, chart: &[&Account], place: Place, amounts: &Amounts, width: usize) -> (Vec<Json>, Vec<Cents>) {
    let roots: Vec<&Account> = chart.iter().copied().filter(|a| Place::of(a) == place && parent_in_report(view, a).is_none()).collect();
    let mut sums = vec![Cents::ZERO; width];
    let mut rows = Vec::new();
    for root in roots {
        if let Some((row, sum)) = branch(view, chart, root, amounts, width) {
            rows.push(row);
            add(&mut sums, &sum);
        }
    }
    (rows, sums)
}

fn branch(view: &View, chart: &[&Account], account: &Account, amounts: &Amounts, width: usize) -> Option<(Json, Vec<Cents>)> {
    let own = amounts.get(&account.id).filter(|own| own.iter().any(|amount| !amount.is_zero()));
    let mut sums = own.cloned().unwrap_or_else(|| vec![Cents::ZERO; width]);
    let children = chart.iter().filter(|child| child.id != account.id && parent_in_report(view, child) == Some(account.id));
    let mut rows = Vec::new();
    for child in children {
        if let Some((row, sum)) = branch(view, chart, child, amounts, width) {
            rows.push(row);
            add(&mut sums, &sum);
        }
    }
    let name = own_name(view, account);
    let mut head = vec![named_cell(name.clone(), account.id)];
    match own {
        Some(own) => head.extend(own.iter().map(|amount| amount_cell(*amount))),
        None => head.extend((0..width).map(|_| cell(""))),
    }
    if rows.is_empty() {
        return own.map(|_| (data_row(head).into(), sums));
    }
    let summary = summary_cells(&format!("Total {name}"), &sums);
    let section = Object::new().put("Header", cells(head)).put("Rows", Object::new().put("Row", rows)).put("Summary", summary).put("type", "Section");
    Some((section.into(), sums))
}

fn summary_cells(title: &str, sums: &[Cents]) -> Object {
    cells(std::iter::once(cell(title)).chain(sums.iter().map(|sum| total_cell(*sum))).collect())
}

/// A section with its group; without rows it keeps its frame and `""` totals if `keeps_frame`, else it is left out.
fn group_section(title: &str, group: &str, rows: Vec<Json>, sums: &[Cents], keeps_frame: bool) -> Option<Json> {
    let header = cells(std::iter::once(cell(title)).chain(sums.iter().map(|_| cell(""))).collect());
    let total = format!("Total {title}");
    if rows.is_empty() {
        let blank = cells(std::iter::once(cell(total)).chain(sums.iter().map(|_| cell(""))).collect());
        let section = Object::new().put("Header", header).put("Summary", blank).put("type", "Section").put("group", group);
        return keeps_frame.then(|| section.into());
    }
    let section = Object::new()
        .put("Header", header)
        .put("Rows", Object::new().put("Row", rows))
        .put("Summary", summary_cells(&total, sums))
        .put("type", "Section")
        .put("group", group);
    Some(section.into())
}

/// "Computed rows have only Summary" (contract 6.5).
fn computed(title: &str, group: &str, sums: &[Cents]) -> Json {
    Object::new().put("Summary", summary_cells(title, sums)).put("type", "Section").put("group", group).into()
}
