//! TrialBalance: flat, one row per account with a balance.
use super::period::Period;
use super::{amount_cell, cell, cells, chart, column, frame, header, named_cell, total_cell};
use crate::money::Cents;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};

/// Balance-sheet accounts are cumulative to the end of the period, profit and loss accounts fiscal-year-to-date, earlier results inside
/// Retained Earnings, whatever the start date (contract 6.4).
pub fn report(view: &View, period: &Period) -> Object {
    let balances = view.books.on(period.basis).trial_balance(period.to);
    let (mut debits, mut credits) = (Cents::ZERO, Cents::ZERO);
    let mut rows: Vec<Json> = Vec::new();
    for account in chart(view) {
        let Some(balance) = balances.get(&account.id).copied().filter(|balance| !balance.is_zero()) else { continue };
        let name = named_cell(view.account_name(account.id), account.id);
        let row = if balance.0 > 0 {
            debits += balance;
            vec![name, amount_cell(balance), cell("")]
        } else {
            credits += -balance;
            vec![name, cell(""), amount_cell(-balance)]
        };
        rows.push(cells(row).into());
    }
    let is_empty = rows.is_empty();
    if !is_empty {
        let total = cells(vec![cell("TOTAL"), total_cell(debits), total_cell(credits)]);
        rows.push(Object::new().put("Summary", total).put("type", "Section").put("group", "GrandTotal").into());
    }
    let columns = vec![
        column("", "Account", &[("ColKey", "account".into())]),
        column("Debit", "Money", &[("ColKey", "debit".into())]),
        column("Credit", "Money", &[("ColKey", "credit".into())]),
    ];
    frame(header(view, "TrialBalance", period, Some("Total"), false, is_empty), columns, rows)
}
