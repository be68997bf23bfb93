//! BalanceSheet, in one column or one per month end.
use super::columns::Columns;
use super::period::Period;
use super::{Amounts, Parameters, Place, account_rows, add, cell, chart, data_row, frame, group_section, header, total_cell};
use crate::books::Account;
use crate::money::Cents;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};

/// Nesting and groups: contract 6.5 and
/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/balancesheet>.
pub fn report(view: &View, period: &Period, parameters: &Parameters) -> Result<Object, Refusal> {
    // Balances of several month ends do not add up to anything, so there is no column of totals.
    let columns = Columns::read(view, period, parameters, false)?;
    let width = columns.width();
    let (balances, net_income) = columns.balances(view, period);
    let mut amounts = Amounts::new();
    for (id, row) in balances {
        if let Some(account) = view.books.accounts.get(&id) {
            amounts.insert(id, row.into_iter().map(|balance| Place::of(account).natural(balance)).collect());
        }
    }
    let has_income = net_income.iter().any(|amount| !amount.is_zero());
    let is_empty = amounts.is_empty() && !has_income;
    let chart = chart(view);
    let sheet = Sheet { view, chart: &chart, amounts: &amounts, width };

    let current_assets = sheet.nest(
        "Current Assets",
        "CurrentAssets",
        vec![
            sheet.place(Place::BankAccounts, "Bank Accounts", "BankAccounts"),
            sheet.place(Place::Receivable, "Accounts Receivable", "AR"),
            sheet.place(Place::OtherCurrentAssets, "Other Current Assets", "OtherCurrentAssets"),
        ],
    );
    let assets = sheet.nest(
        "ASSETS",
        "TotalAssets",
        vec![
            current_assets,
            sheet.place(Place::FixedAssets, "Fixed Assets", "FixedAssets"),
            sheet.place(Place::OtherAssets, "Other Assets", "OtherAssets"),
        ],
    );
    let current_liabilities = sheet.nest(
        "Current Liabilities",
        "CurrentLiabilities",
        vec![
            sheet.place(Place::Payable, "Accounts Payable", "AP"),
            sheet.place(Place::CreditCards, "Credit Cards", "CreditCards"),
            sheet.place(Place::OtherCurrentLiabilities, "Other Current Liabilities", "OtherCurrentLiabilities"),
        ],
    );
    let liabilities = sheet.nest(
        "Liabilities",
        "Liabilities",
        vec![current_liabilities, sheet.place(Place::LongTermLiabilities, "Long-Term Liabilities", "LongTermLiabilities")],
    );
    let (mut equity_rows, mut equity_sums) = account_rows(view, &chart, Place::Equity, &amounts, width);
    if has_income {
        // "A Data row Net Income has group NetIncome and no id" (contract 6.5).
        let row = std::iter::once(cell("Net Income")).chain(net_income.iter().map(|amount| total_cell(*amount))).collect();
        equity_rows.push(data_row(row).put("group", "NetIncome").into());
        add(&mut equity_sums, &net_income);
    }
    let equity = (group_section("Equity", "Equity", equity_rows, &equity_sums, false), equity_sums);
    let both = sheet.nest("LIABILITIES AND EQUITY", "TotalLiabilitiesAndEquity", vec![liabilities, equity]);
    let rows: Vec<Json> = [assets.0, both.0].into_iter().flatten().collect();
    Ok(frame(header(view, "BalanceSheet", period, Some(columns.word()), true, is_empty), columns.shown(), rows))
}

/// A section, unless it is empty, and its sums.
type Section = (Option<Json>, Vec<Cents>);

struct Sheet<'a> {
    view: &'a View<'a>,
    chart: &'a [&'a Account],
    amounts: &'a Amounts,
    width: usize,
}

impl Sheet<'_> {
    fn place(&self, place: Place, title: &str, group: &str) -> Section {
        let (rows, sums) = account_rows(self.view, self.chart, place, self.amounts, self.width);
        (group_section(title, group, rows, &sums, false), sums)
    }
    fn nest(&self, title: &str, group: &str, sections: Vec<Section>) -> Section {
        let mut sums = vec![Cents::ZERO; self.width];
        let mut rows = Vec::new();
        for (section, more) in sections {
            add(&mut sums, &more);
            rows.extend(section);
        }
        (group_section(title, group, rows, &sums, false), sums)
    }
}
