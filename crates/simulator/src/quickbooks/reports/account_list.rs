//! AccountList: the chart of accounts as a report.
use super::period::Period;
use super::{cell, column, data_row, frame, header, named_cell};
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::names::{Classes, classes};
use crate::quickbooks::wire::tree::{Json, Object};

/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/accountlistdetail>: active accounts with what they
/// hold now.
pub fn report(view: &View, period: &Period) -> Object {
    let rows: Vec<Json> = super::chart(view)
        .into_iter()
        .filter(|account| account.active)
        .map(|account| {
            let Classes { account_type, sub_type, .. } = classes(account, &view.books.country);
            let balance = view.current_balance(account.id);
            let row =
                vec![named_cell(view.account_name(account.id), account.id), cell(account_type), cell(sub_type), cell(""), cell(balance.to_string())];
            data_row(row).into()
        })
        .collect();
    let columns = [
        ("account_name", "Account", "String"),
        ("account_type", "Type", "String"),
        ("detail_acc_type", "Detail type", "String"),
        ("account_desc", "Description", "String"),
        ("account_bal", "Balance", "Money"),
    ];
    let columns = columns.into_iter().map(|(key, title, kind)| column(title, kind, &[("ColKey", key.to_owned())])).collect();
    let is_empty = rows.is_empty();
    frame(header(view, "AccountList", period, None, false, is_empty), columns, rows)
}
