//! Reports/BankSummary: what every bank account held, received and spent in a range of days, in base currency.
use super::{Cell, Report, by_name, data_row, days, header, report, row_of, section};
use crate::books::{AccountId, Books, NO_DOCUMENT, Posting};
use crate::money::Cents;
use crate::xero::lists::Parameters;
use crate::xero::refusal::Refusal;
use crate::xero::wire::{dates, settings};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Money in and money out of one account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flow {
    pub received: Cents,
    pub spent: Cents,
}

/// What moved on bank and card accounts in a range of days, both included.
pub fn flows(books: &Books, from: Date, to: Date) -> BTreeMap<AccountId, Flow> {
    let mut flows: BTreeMap<AccountId, Flow> = BTreeMap::new();
    let mut count = |posting: &Posting| {
        if books.accounts.get(&posting.account).is_some_and(|account| !settings::bank_account_type(account).is_empty()) {
            let flow = flows.entry(posting.account).or_default();
            if posting.amount.0 > 0 { flow.received += posting.amount } else { flow.spent -= posting.amount }
        }
    };
    for document in books.documents_between(from, to) {
        books.postings(document).iter().for_each(&mut count);
    }
    // conversion balances are no documents
    let conversions = books.journals.iter().filter(|journal| journal.document == NO_DOCUMENT && (from..=to).contains(&journal.date));
    conversions.flat_map(|journal| &journal.postings).for_each(&mut count);
    flows
}

pub fn make(books: &Books, parameters: &Parameters, now: Timestamp) -> Result<String, Refusal> {
    let (from, to) = days(books, parameters, now)?;
    let flows = flows(books, from, to);
    let before = from.yesterday().map(|day| books.balances_at(day)).unwrap_or_default();
    let after = books.balances_at(to);
    let of = |sums: &BTreeMap<AccountId, Cents>, id: AccountId| sums.get(&id).copied().unwrap_or_default();
    let (mut rows, mut totals) = (Vec::new(), [Cents::ZERO; 4]);
    for account in by_name(books.accounts.values().filter(|account| !settings::bank_account_type(account).is_empty())) {
        let flow = flows.get(&account.id).copied().unwrap_or_default();
        let amounts = [of(&before, account.id), flow.received, flow.spent, of(&after, account.id)];
        if !account.active && amounts.iter().all(|amount| amount.is_zero()) {
            continue;
        }
        for (total, amount) in totals.iter_mut().zip(amounts) {
            *total += amount;
        }
        let guid = books.guid("Account", account.id);
        let [opening, received, spent, closing] = amounts.map(|amount| amount.to_string());
        let name = Cell { value: account.name.clone(), attributes: vec![("accountID", guid.clone())] };
        rows.push(data_row(&[name, Cell::plain(opening), Cell::of_account(received, &guid), Cell::of_account(spent, &guid), Cell::plain(closing)]));
    }
    let cells: Vec<Cell> = std::iter::once(Cell::plain("Total")).chain(totals.map(|total| Cell::plain(total.to_string()))).collect();
    rows.push(row_of("SummaryRow", &cells));
    let titles = ["Bank Accounts", "Opening Balance", "Cash Received", "Cash Spent", "Closing Balance"].map(String::from);
    let period = format!("From {} to {}", dates::long_date(from), dates::long_date(to));
    Ok(report(books, Report::BankSummary, "Bank Summary", &period, &[header(&titles), section("", &rows)], now))
}
