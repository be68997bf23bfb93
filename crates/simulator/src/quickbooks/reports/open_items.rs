//! What customers owe and what vendors are owed on a day: the aged reports and the balances of contacts.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/agedreceivables> and its neighbours. Amounts are in
//! home currency, so that they add up to the receivable and payable accounts.
use super::filter::Filter;
use super::general_ledger::type_name;
use super::{Parameters, cell, cells, column, data_row, frame, header, named_cell, total_cell};
use crate::books::{AccountType, Books, ContactId, Document, Kind};
use crate::money::Cents;
use crate::quickbooks::dates;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::reports::period::Period;
use crate::quickbooks::wire::View;
use crate::quickbooks::wire::tree::{Json, Object};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Customers or vendors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Customers,
    Vendors,
}

impl Side {
    fn word(self) -> &'static str {
        if self == Side::Customers { "Customer" } else { "Vendor" }
    }
    fn account_type(self) -> AccountType {
        if self == Side::Customers { AccountType::Receivable } else { AccountType::Payable }
    }
    /// Receivables are debits, payables credits.
    fn sign(self) -> i64 {
        if self == Side::Customers { 1 } else { -1 }
    }
}

/// A document with what is open of it on a day.
struct Open<'a> {
    document: &'a Document,
    contact: ContactId,
    /// What it brought to the account, and what of it is open.
    amount: Cents,
    open: Cents,
}

/// Every document on the side's accounts up to the day. The open amounts of a contact add up to its balance: what a payment settles is taken
/// from the payment and from what it pays, each as far as the other is there already.
fn open_items<'a>(books: &'a Books, side: Side, day: Date, filter: &Filter) -> Vec<Open<'a>> {
    let mut items = Vec::new();
    for document in books.documents_between(Date::MIN, day) {
        for (contact, amount) in on_accounts(books, side, document) {
            items.push(Open { document, contact, amount, open: amount });
        }
    }
    let place: BTreeMap<u64, usize> = items.iter().enumerate().map(|(index, item)| (item.document.id, index)).collect();
    let mut settled = Vec::new();
    for (index, item) in items.iter().enumerate() {
        for application in &item.document.applications {
            let Some(&target) = place.get(&application.document) else { continue };
            let target_item = &items[target];
            let at_home = application.amount.at(target_item.document.rate);
            let part = Cents(target_item.amount.0.signum() * at_home.0);
            settled.push((target, part));
            settled.push((index, -part));
        }
    }
    for (index, part) in settled {
        items[index].open -= part;
    }
    items.retain(|item| !item.open.is_zero() && filter.keeps_contact(item.contact));
    items
}

/// What a document posts on the side's accounts, by contact, positive where it is owed.
fn on_accounts(books: &Books, side: Side, document: &Document) -> BTreeMap<ContactId, Cents> {
    let mut sums: BTreeMap<ContactId, Cents> = BTreeMap::new();
    for posting in books.postings(document) {
        let is_control = books.accounts.get(&posting.account).is_some_and(|account| account.account_type == side.account_type());
        if let Some(contact) = posting.contact.filter(|_| is_control) {
            *sums.entry(contact).or_default() += Cents(side.sign() * posting.amount.0);
        }
    }
    // A payment that only applies a credit moves nothing, but its applications still settle.
    if document.kind.is_payment()
        && (document.kind == Kind::Payment) == (side == Side::Customers)
        && let Some(contact) = document.contact
    {
        sums.entry(contact).or_default();
    }
    sums
}

/// How open documents are sorted by the days they are past due: `aging_period` days in each of `num_periods`, the last without an end, counted from the
/// day of the report or, with `aging_method=Current`, from today (contract 6.2).
struct Ages {
    days: i32,
    periods: i32,
    from: Date,
}

impl Ages {
    fn read(view: &View, parameters: &Parameters, day: Date) -> Result<Ages, Refusal> {
        let number = |name: &'static str, usual: i32, most: i32| match parameters.get(name) {
            None => Ok(usual),
            Some(text) => match text.parse::<i32>() {
                Ok(number) if (1..=most).contains(&number) => Ok(number),
                _ => Err(Refusal::invalid_parameter(name, format!("Invalid number, expected 1 to {most}. Supplied value:{text}"))),
            },
        };
        let from = match parameters.get("aging_method") {
            None | Some("Report_Date") => day,
            Some("Current") => dates::day_of(view.books, view.now),
            Some(text) => {
                return Err(Refusal::invalid_parameter(
                    "aging_method",
                    format!("Invalid enumeration, expected Report_Date or Current. Supplied value:{text}"),
                ));
            }
        };
        Ok(Ages { days: number("aging_period", 30, 365)?, periods: number("num_periods", 4, 52)?, from })
    }

    /// What is not due, then each period.
    fn count(&self) -> usize {
        self.periods as usize + 1
    }

    fn of(&self, document: &Document) -> usize {
        let late = self.from.since(document.due_date.unwrap_or(document.date)).map_or(0, |span| span.get_days());
        if late <= 0 { 0 } else { (((late - 1) / self.days).min(self.periods - 1) + 1) as usize }
    }

    fn title(&self, index: usize) -> String {
        let (first, last) = ((index as i32 - 1) * self.days + 1, index as i32 * self.days);
        match index {
            0 => "Current".to_owned(),
            last if last + 1 == self.count() => format!("{first} and over"),
            _ => format!("{first} - {last}"),
        }
    }
}

/// `report_date`, else the end of the period when it was asked for, else today.
fn day_of(view: &View, parameters: &Parameters) -> Result<Date, Refusal> {
    match parameters.get("report_date").or_else(|| parameters.get("end_date")) {
        None => Ok(dates::day_of(view.books, view.now)),
        Some(text) => {
            text.parse().map_err(|_| Refusal::invalid_parameter("report_date", format!("Invalid date, expected YYYY-MM-DD. Supplied value:{text}")))
        }
    }
}

fn by_name<T>(view: &View, rows: BTreeMap<ContactId, T>) -> Vec<(ContactId, String, T)> {
    let mut rows: Vec<(ContactId, String, T)> = rows.into_iter().map(|(id, row)| (id, view.contact_name(id), row)).collect();
    rows.sort_by_cached_key(|(id, name, _)| (name.to_lowercase(), *id));
    rows
}

fn at(period: &Period, day: Date) -> Period {
    Period { from: day, to: day, date_macro: None, ..period.clone() }
}

fn grand_total(sums: &[Cents]) -> Json {
    let total = cells(std::iter::once(cell("TOTAL")).chain(sums.iter().map(|sum| total_cell(*sum))).collect());
    Object::new().put("Summary", total).put("type", "Section").put("group", "GrandTotal").into()
}

/// AgedReceivables, AgedPayables: a row per contact, a column per age.
pub fn aged(view: &View, name: &'static str, side: Side, period: &Period, parameters: &Parameters) -> Result<Object, Refusal> {
    let day = day_of(view, parameters)?;
    let ages = Ages::read(view, parameters, day)?;
    let total = ages.count();
    let mut by_contact: BTreeMap<ContactId, Vec<Cents>> = BTreeMap::new();
    for item in open_items(view.books, side, day, &period.filter) {
        let row = by_contact.entry(item.contact).or_insert_with(|| vec![Cents::ZERO; total + 1]);
        row[ages.of(item.document)] += item.open;
        row[total] += item.open;
    }
    by_contact.retain(|_, row| row.iter().any(|amount| !amount.is_zero()));
    let mut sums = vec![Cents::ZERO; total + 1];
    let mut rows: Vec<Json> = Vec::new();
    for (id, name, row) in by_name(view, by_contact) {
        super::add(&mut sums, &row);
        rows.push(cells(std::iter::once(named_cell(name, id)).chain(row.iter().map(|amount| super::amount_cell(*amount))).collect()).into());
    }
    let is_empty = rows.is_empty();
    if !is_empty {
        rows.push(grand_total(&sums));
    }
    let mut columns = vec![column("", side.word(), &[("ColKey", if side == Side::Customers { "cust_name" } else { "vend_name" }.into())])];
    let key = |index: usize| if index == 0 { "current".to_owned() } else { index.to_string() };
    columns.extend((0..total).map(|index| column(&ages.title(index), "Money", &[("ColKey", key(index))])));
    columns.push(column("Total", "Money", &[("ColKey", "total".into())]));
    Ok(frame(header(view, name, &at(period, day), Some("Total"), false, is_empty), columns, rows))
}

/// AgedReceivableDetail, AgedPayableDetail: a section per age, oldest first.
pub fn aged_detail(view: &View, name: &'static str, side: Side, period: &Period, parameters: &Parameters) -> Result<Object, Refusal> {
    let day = day_of(view, parameters)?;
    let items = open_items(view.books, side, day, &period.filter);
    let mut rows: Vec<Json> = Vec::new();
    let mut sum = Cents::ZERO;
    let ages = Ages::read(view, parameters, day)?;
    for index in (0..ages.count()).rev() {
        let own: Vec<&Open> = items.iter().filter(|item| ages.of(item.document) == index).collect();
        if own.is_empty() {
            continue;
        }
        let title = if index == 0 { ages.title(index) } else { format!("{} days past due", ages.title(index)) };
        let total: Cents = own.iter().map(|item| item.open).sum();
        sum += total;
        rows.push(detail_section(view, cell(title.clone()), &title, &own, total));
    }
    let is_empty = rows.is_empty();
    if !is_empty {
        let total = cells(vec![cell("TOTAL"), cell(""), cell(""), cell(""), cell(""), cell(""), total_cell(sum)]);
        rows.push(Object::new().put("Summary", total).put("type", "Section").put("group", "GrandTotal").into());
    }
    Ok(frame(header(view, name, &at(period, day), None, false, is_empty), detail_columns(side), rows))
}

fn detail_columns(side: Side) -> Vec<Object> {
    let name = if side == Side::Customers { ("cust_name", "Customer") } else { ("vend_name", "Vendor") };
    [
        ("tx_date", "Date", "Date"),
        ("txn_type", "Transaction Type", "String"),
        ("doc_num", "Num", "String"),
        (name.0, name.1, "String"),
        ("due_date", "Due Date", "Date"),
        ("subt_amount", "Amount", "Money"),
        ("subt_open_bal", "Open Balance", "Money"),
    ]
    .into_iter()
    .map(|(key, title, kind)| column(title, kind, &[("ColKey", key.to_owned())]))
    .collect()
}

fn detail_section(view: &View, head: Object, title: &str, items: &[&Open], total: Cents) -> Json {
    let blanks = || (0..6).map(|_| cell(""));
    let rows: Vec<Json> = items
        .iter()
        .map(|item| {
            let Open { document, contact, amount, open } = item;
            let row = vec![
                cell(document.date.to_string()),
                named_cell(type_name(view, document), document.id),
                cell(document.number.clone()),
                named_cell(view.contact_name(*contact), contact),
                cell(document.due_date.unwrap_or(document.date).to_string()),
                cell(amount.to_string()),
                cell(open.to_string()),
            ];
            data_row(row).into()
        })
        .collect();
    let summary =
        cells(std::iter::once(cell(format!("Total for {title}"))).chain(blanks().take(5)).chain(std::iter::once(total_cell(total))).collect());
    Object::new()
        .put("Header", cells(std::iter::once(head).chain(blanks()).collect()))
        .put("Rows", Object::new().put("Row", rows))
        .put("Summary", summary)
        .put("type", "Section")
        .into()
}

/// CustomerBalance, VendorBalance: one figure per contact.
pub fn balances(view: &View, name: &'static str, side: Side, period: &Period, parameters: &Parameters) -> Result<Object, Refusal> {
    let day = day_of(view, parameters)?;
    let mut by_contact: BTreeMap<ContactId, Cents> = BTreeMap::new();
    for item in open_items(view.books, side, day, &period.filter) {
        *by_contact.entry(item.contact).or_default() += item.open;
    }
    by_contact.retain(|_, balance| !balance.is_zero());
    let sum: Cents = by_contact.values().copied().sum();
    let mut rows: Vec<Json> =
        by_name(view, by_contact).into_iter().map(|(id, name, balance)| cells(vec![named_cell(name, id), total_cell(balance)]).into()).collect();
    let is_empty = rows.is_empty();
    if !is_empty {
        rows.push(grand_total(&[sum]));
    }
    let columns = vec![column("", side.word(), &[]), column("Total", "Money", &[("ColKey", "total".into())])];
    Ok(frame(header(view, name, &at(period, day), Some("Total"), false, is_empty), columns, rows))
}

/// CustomerBalanceDetail, VendorBalanceDetail: a section per contact with what is open.
pub fn balance_detail(view: &View, name: &'static str, side: Side, period: &Period, parameters: &Parameters) -> Result<Object, Refusal> {
    let day = day_of(view, parameters)?;
    let items = open_items(view.books, side, day, &period.filter);
    let mut by_contact: BTreeMap<ContactId, Vec<&Open>> = BTreeMap::new();
    for item in &items {
        by_contact.entry(item.contact).or_default().push(item);
    }
    let rows: Vec<Json> = by_name(view, by_contact)
        .into_iter()
        .map(|(id, name, items)| {
            let total = items.iter().map(|item| item.open).sum();
            detail_section(view, named_cell(name.clone(), id), &name, &items, total)
        })
        .collect();
    let is_empty = rows.is_empty();
    Ok(frame(header(view, name, &at(period, day), None, false, is_empty), detail_columns(side), rows))
}
