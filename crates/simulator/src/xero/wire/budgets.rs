//! Budgets: the list without lines, one with its lines.
//!
//! Contract: providers/xero.md 6.22.
use super::json::Object;
use super::{Detail, dates, tracking};
use crate::books::lists::Budget;
use crate::books::{AccountId, Books};
use crate::xero::kept::{Entry, View};
use jiff::civil::Date;
use std::collections::BTreeMap;

pub fn records(books: &Books, view: &View) -> Vec<Entry> {
    let entries = books.lists.budgets.values().filter(|budget| !budget.stamp.deleted).map(|budget| Entry {
        id: books.guid("Budget", budget.id),
        number: None,
        at: budget.stamp.updated_at,
        hidden: false,
        json: record(books, budget, view),
    });
    entries.collect()
}

fn record(books: &Books, budget: &Budget, view: &View) -> String {
    let options: Vec<u64> = {
        let mut options: Vec<u64> = budget.lines.iter().filter_map(|line| line.tracking).collect();
        options.sort_unstable();
        options.dedup();
        options
    };
    let shown = if view.detail == Detail::Single { lines(books, budget, view) } else { Vec::new() };
    Object::new()
        .text("BudgetID", &books.guid("Budget", budget.id))
        .text("Status", "APPROVED")
        .text("Description", &budget.name)
        .text("Type", if options.is_empty() { "OVERALL" } else { "TRACKING" })
        .raw("UpdatedDateUTC", &dates::ms_time(budget.stamp.updated_at))
        .list("BudgetLines", &shown)
        .list("Tracking", &tracking::on_line(books, &options, true))
        .end()
}

/// Months within DateFrom and DateTo, all without them.
fn lines(books: &Books, budget: &Budget, view: &View) -> Vec<String> {
    let day = |name: &str| view.parameters.get(name).and_then(|text| text.get(..10)).and_then(|text| text.parse::<Date>().ok());
    let (from, to) = (day("datefrom").map(Date::first_of_month), day("dateto"));
    let mut accounts: BTreeMap<AccountId, Vec<String>> = BTreeMap::new();
    let within = |month: Date| from.is_none_or(|from| month >= from) && to.is_none_or(|to| month <= to);
    for line in budget.lines.iter().filter(|line| within(line.month)) {
        let period = format!("{:04}-{:02}", line.month.year(), line.month.month());
        let balance = Object::new().text("Period", &period).money("Amount", line.amount).text("Notes", "");
        accounts.entry(line.account).or_default().push(balance.end());
    }
    let shown = accounts.into_iter().map(|(account, balances)| {
        let code = books.accounts.get(&account).map(|account| account.code.as_str()).filter(|code| !code.is_empty());
        Object::new().text("AccountID", &books.guid("Account", account)).maybe("AccountCode", code).list("BudgetBalances", &balances).end()
    });
    shown.collect()
}
