//! ProfitAndLoss, in one column or by month.
use super::period::Period;
use super::{Amounts, Parameters, Place, account_rows, chart, computed, frame, group_section, header, span_columns, spans};
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
