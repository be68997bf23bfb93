//! ProfitAndLoss, in one column or by month, and its detail.
use super::columns::Columns;
use super::period::Period;
use super::{Parameters, Place, account_rows, cell, cells, chart, column, computed, frame, general_ledger, group_section, header};
use crate::money::Cents;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};

/// Groups and which of them stay when empty: contract 6.5 and
/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/profitandloss>.
pub fn report(view: &View, period: &Period, parameters: &Parameters) -> Result<Object, Refusal> {
    let columns = Columns::read(view, period, parameters, true)?;
    let width = columns.width();
    let amounts = columns.movement(view, period);
    let chart = chart(view);
    let mut rows: Vec<Json> = Vec::new();
    let section = |place: Place, title: &str, group: &str, keeps_frame: bool, rows: &mut Vec<Json>| {
        let (inner, sums) = account_rows(view, &chart, place, &amounts, width);
        rows.extend(group_section(title, group, inner, &sums, keeps_frame));
        sums
    };
    let minus = |left: &[Cents], right: &[Cents]| left.iter().zip(right).map(|(l, r)| *l - *r).collect::<Vec<Cents>>();
    let plus = |left: &[Cents], right: &[Cents]| left.iter().zip(right).map(|(l, r)| *l + *r).collect::<Vec<Cents>>();

    // "CA has no GrossProfit, NetOperatingIncome, NetOtherIncome; AU and IN put OtherIncome before Expenses" (contract 6.5).
    let (is_canadian, gains_first) = (view.books.country == "CA", matches!(view.books.country.as_str(), "AU" | "IN"));
    let income = section(Place::Income, "Income", "Income", true, &mut rows);
    let cost = section(Place::CostOfGoodsSold, "Cost of Goods Sold", "COGS", false, &mut rows);
    let gross = minus(&income, &cost);
    if !is_canadian {
        rows.push(computed("Gross Profit", "GrossProfit", &gross));
    }
    let gained = |rows: &mut Vec<Json>| section(Place::OtherIncome, "Other Income", "OtherIncome", false, rows);
    let before_expenses = gains_first.then(|| gained(&mut rows));
    let expenses = section(Place::Expenses, "Expenses", "Expenses", true, &mut rows);
    let operating = minus(&gross, &expenses);
    if !is_canadian && !gains_first {
        rows.push(computed("Net Operating Income", "NetOperatingIncome", &operating));
    }
    let before = rows.len();
    let other_income = before_expenses.unwrap_or_else(|| gained(&mut rows));
    let other_expenses = section(Place::OtherExpenses, "Other Expenses", "OtherExpenses", false, &mut rows);
    let other = minus(&other_income, &other_expenses);
    if rows.len() > before && !is_canadian && !gains_first {
        rows.push(computed("Net Other Income", "NetOtherIncome", &other));
    }
    rows.push(computed("Net Income", "NetIncome", &plus(&operating, &other)));

    let is_empty = amounts.is_empty();
    Ok(frame(header(view, "ProfitAndLoss", period, Some(columns.word()), true, is_empty), columns.shown(), rows))
}

/// ProfitAndLossDetail: "same column family as the general ledger; Sections OrdinaryIncomeExpenses, Income, … with account sub-sections"
/// (contract 6.6).
pub fn detail(view: &View, period: &Period, parameters: &Parameters, max_cells: u64) -> Result<Object, Refusal> {
    let columns = general_ledger::default_columns(view, parameters)?;
    let places = [Place::Income, Place::CostOfGoodsSold, Place::Expenses, Place::OtherIncome, Place::OtherExpenses];
    let found = general_ledger::sections_of(view, period, &places, &columns, max_cells);
    let line = |title: String, sum: Option<Cents>| {
        let cells_of = columns.iter().enumerate().map(|(index, (key, ..))| match (*key, sum) {
            _ if index == 0 => cell(title.clone()),
            ("subt_nat_amount", Some(sum)) => cell(sum.to_string()),
            _ => cell(""),
        });
        cells(cells_of.collect())
    };
    let section = |title: &str, group: &str, rows: Vec<Json>, sum: Cents| {
        (!rows.is_empty()).then(|| {
            let section = Object::new().put("Header", line(title.to_owned(), None)).put("Rows", Object::new().put("Row", rows));
            Json::from(section.put("Summary", line(format!("Total for {title}"), Some(sum))).put("type", "Section").put("group", group))
        })
    };
    let computed = |title: &str, group: &str, sum: Cents| {
        Json::from(Object::new().put("Summary", line(title.to_owned(), Some(sum))).put("type", "Section").put("group", group))
    };
    let is_empty = found.iter().all(|(rows, _)| rows.is_empty());
    let mut found = found.into_iter();
    let mut next = || found.next().unwrap_or_default();
    let ((income, earned), (cost, sold), (expenses, spent), (other_income, gained), (other_expenses, lost)) =
        (next(), next(), next(), next(), next());
    let mut ordinary: Vec<Json> = Vec::new();
    ordinary.extend(section("Income", "Income", income, earned));
    ordinary.extend(section("Cost of Goods Sold", "COGS", cost, sold));
    ordinary.push(computed("Gross Profit", "GrossProfit", earned - sold));
    ordinary.extend(section("Expenses", "Expenses", expenses, spent));
    let operating = earned - sold - spent;
    let mut rows: Vec<Json> = Vec::new();
    rows.extend(section("Ordinary Income/Expenses", "OrdinaryIncomeExpenses", ordinary, operating));
    let mut others: Vec<Json> = Vec::new();
    others.extend(section("Other Income", "OtherIncome", other_income, gained));
    others.extend(section("Other Expense", "OtherExpenses", other_expenses, lost));
    rows.extend(section("Other Income/Expense", "OtherIncomeExpenses", others, gained - lost));
    rows.push(computed("Net Income", "NetIncome", operating + gained - lost));
    let columns = columns.iter().map(|(key, title, kind)| column(title, kind, &[("ColKey", (*key).to_owned())])).collect();
    Ok(frame(header(view, "ProfitAndLossDetail", period, None, false, is_empty), columns, rows))
}
