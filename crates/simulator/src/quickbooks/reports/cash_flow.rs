//! CashFlow: from net income to the change of cash, by the indirect method.
//!
//! Groups, the misspelt one included: contract 6.5. Cash is bank accounts and what waits to be deposited.
use super::period::Period;
use super::{Place, cell, cells, column, data_row, frame, header, named_cell, summary_cells};
use crate::books::Account;
use crate::money::Cents;
use crate::quickbooks::dates;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};

pub fn report(view: &View, period: &Period) -> Object {
    let books = view.books.on(period.basis);
    let movement = books.movement(period.from, period.to);
    let net_income = -movement
        .iter()
        .filter(|(id, _)| view.books.accounts.get(id).is_some_and(|account| account.account_type.is_profit_and_loss()))
        .map(|(_, amount)| *amount)
        .sum::<Cents>();
    let is_cash = |account: &Account| {
        Place::of(account) == Place::BankAccounts
            || (Place::of(account) == Place::OtherCurrentAssets && account.name.to_lowercase().contains("undeposited"))
    };
    let chart = super::chart(view);
    // What leaves an asset or comes to a liability or equity is cash that came in.
    let flow = |wanted: &dyn Fn(&Account) -> bool| {
        let mut sum = Cents::ZERO;
        let mut rows: Vec<Json> = Vec::new();
        for account in chart.iter().filter(|account| !account.account_type.is_profit_and_loss() && !is_cash(account) && wanted(account)) {
            let amount = -movement.get(&account.id).copied().unwrap_or_default();
            if !amount.is_zero() {
                sum += amount;
                rows.push(data_row(vec![named_cell(view.account_name(account.id), account.id), cell(amount.to_string())]).into());
            }
        }
        (rows, sum)
    };
    let is_investing = |account: &Account| matches!(Place::of(account), Place::FixedAssets | Place::OtherAssets);
    let is_financing = |account: &Account| matches!(Place::of(account), Place::LongTermLiabilities | Place::Equity);
    let (adjustments, adjusted) = flow(&|account| !is_investing(account) && !is_financing(account));
    let (investing, invested) = flow(&is_investing);
    let (financing, financed) = flow(&is_financing);
    let before = books.balances_at(dates::day_before(period.from));
    let beginning: Cents = chart.iter().filter(|account| is_cash(account)).map(|account| before.get(&account.id).copied().unwrap_or_default()).sum();
    let operating = net_income + adjusted;
    let increase = operating + invested + financed;

    let mut inner: Vec<Json> = vec![data_row(vec![cell("Net Income"), cell(net_income.to_string())]).put("group", "NetIncome").into()];
    let title = "Adjustments to reconcile Net Income to Net Cash provided by operations:";
    inner.extend(section(title, "OperatingAdjustments", adjustments, adjusted));
    let mut rows: Vec<Json> = Vec::new();
    rows.extend(section("OPERATING ACTIVITIES", "OperatingActivities", inner, operating));
    rows.extend(section("INVESTING ACTIVITIES", "InvestingActivities", investing, invested));
    rows.extend(section("FINANCING ACTIVITIES", "FinancingActivites", financing, financed));
    for (title, group, amount) in [
        ("Net cash increase for period", "CashIncrease", increase),
        ("Cash at beginning of period", "BeginningCash", beginning),
        ("Cash at end of period", "EndingCash", beginning + increase),
    ] {
        rows.push(Object::new().put("Summary", summary_cells(title, &[amount])).put("type", "Section").put("group", group).into());
    }
    let columns = vec![column("", "Account", &[("ColKey", "account".into())]), column("Total", "Money", &[("ColKey", "total".into())])];
    frame(header(view, "CashFlow", period, Some("Total"), false, movement.is_empty()), columns, rows)
}

fn section(title: &str, group: &str, rows: Vec<Json>, sum: Cents) -> Option<Json> {
    let total = if group == "OperatingAdjustments" { format!("Total {title}") } else { format!("Net cash provided by {}", title.to_lowercase()) };
    (!rows.is_empty()).then(|| {
        Object::new()
            .put("Header", cells(vec![cell(title), cell("")]))
            .put("Rows", Object::new().put("Row", rows))
            .put("Summary", summary_cells(&total, &[sum]))
            .put("type", "Section")
            .put("group", group)
            .into()
    })
}
