//! ProfitAndLoss, in one column or by month, and its detail.
use super::period::Period;
use super::{
    Amounts, Parameters, Place, account_rows, cell, cells, chart, column, computed, frame, general_ledger, group_section, header, span_columns, spans,
};
use crate::money::Cents;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};

/// Groups and which of them stay when empty: contract 6.5 and
/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/profitandloss>.
pub fn report(view: &View, period: &Period, parameters: &Parameters) -> Result<Object, Refusal> {
    let (summarized_by, spans) = spans(period, parameters, true)?;
    let width = spans.len();
    let mut amounts = Amounts::new();
    for (index, span) in spans.iter().enumerate() {
        for (id, amount) in view.books.on(period.basis).movement(span.from, span.to) {
            let Some(account) = view.books.accounts.get(&id).filter(|account| account.account_type.is_profit_and_loss()) else { continue };
            amounts.entry(id).or_insert_with(|| vec![Cents::ZERO; width])[index] = Place::of(account).natural(amount);
        }
    }
    let chart = chart(view);
    let mut rows: Vec<Json> = Vec::new();
    let section = |place: Place, title: &str, group: &str, keeps_frame: bool, rows: &mut Vec<Json>| {
        let (inner, sums) = account_rows(view, &chart, place, &amounts, width);
        rows.extend(group_section(title, group, inner, &sums, keeps_frame));
        sums
    };
    let minus = |left: &[Cents], right: &[Cents]| left.iter().zip(right).map(|(l, r)| *l - *r).collect::<Vec<Cents>>();
    let plus = |left: &[Cents], right: &[Cents]| left.iter().zip(right).map(|(l, r)| *l + *r).collect::<Vec<Cents>>();

    let income = section(Place::Income, "Income", "Income", true, &mut rows);
    let cost = section(Place::CostOfGoodsSold, "Cost of Goods Sold", "COGS", false, &mut rows);
    let gross = minus(&income, &cost);
    rows.push(computed("Gross Profit", "GrossProfit", &gross));
    let expenses = section(Place::Expenses, "Expenses", "Expenses", true, &mut rows);
    let operating = minus(&gross, &expenses);
    rows.push(computed("Net Operating Income", "NetOperatingIncome", &operating));
    let before = rows.len();
    let other_income = section(Place::OtherIncome, "Other Income", "OtherIncome", false, &mut rows);
    let other_expenses = section(Place::OtherExpenses, "Other Expenses", "OtherExpenses", false, &mut rows);
    let other = minus(&other_income, &other_expenses);
    if rows.len() > before {
        rows.push(computed("Net Other Income", "NetOtherIncome", &other));
    }
    rows.push(computed("Net Income", "NetIncome", &plus(&operating, &other)));

    let is_empty = amounts.is_empty();
    Ok(frame(header(view, "ProfitAndLoss", period, Some(summarized_by), true, is_empty), span_columns(&spans), rows))
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
