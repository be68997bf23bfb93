//! Trade that goes on while the sandbox runs: new documents, payments, corrections and deletions, in every company, at the pace of the
//! sandbox's clock.
use crate::books::generator::Dice;
use crate::books::{
    AccountId, AccountType, Application, Books, ContactId, Document, DocumentId, Edit, Face, ItemId, Kind, NewDocument, NewLine, Refused, Status,
};
use crate::money::{Cents, Rate};
use crate::sandbox::Sandbox;
use jiff::Timestamp;
use jiff::civil::Date;
use std::time::Duration;

/// How often the sandbox looks whether something is to happen.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// After a leap of the clock no more than this is caught up at once.
const MOST_AT_ONCE: i64 = 500;
/// How far back open documents are looked for.
const RECENT: usize = 400;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// How many times faster than the machine's the sandbox's clock runs.
    pub speed: u32,
    /// Changes a day of the sandbox's clock in each company.
    pub changes_per_day: u32,
    pub seed: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { speed: 60, changes_per_day: 48, seed: 1 }
    }
}

/// Trade in progress.
#[derive(Clone, Debug)]
pub struct Live {
    pub pace: Pace,
    pub changes: u64,
    since: Timestamp,
    dice: Dice,
}

impl Live {
    pub fn new(pace: Pace, now: Timestamp) -> Live {
        let dice = Dice::new(pace.seed);
        Live { pace, changes: 0, since: now, dice }
    }
}

/// Trades for as long as the sandbox serves.
pub async fn trade(sandbox: Sandbox) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if sandbox.read(|state| state.live.is_none()) {
            continue;
        }
        let now = sandbox.clock.now();
        sandbox.write(|state| {
            let crate::sandbox::State { live, companies, .. } = state;
            let Some(live) = live else { return };
            let day_ms = 86_400_000;
            let passed_ms = now.as_millisecond() - live.since.as_millisecond();
            let due = passed_ms * i64::from(live.pace.changes_per_day) / day_ms;
            if due < 1 {
                return;
            }
            live.since = now;
            for _ in 0..due.min(MOST_AT_ONCE) {
                for books in companies.values_mut() {
                    // What the books refuse does not happen; a person would have been told so, too.
                    if change(books, &mut live.dice, now).is_ok() {
                        live.changes += 1;
                    }
                }
            }
        });
    }
}

fn change(books: &mut Books, dice: &mut Dice, now: Timestamp) -> Result<(), Refused> {
    let today = now.in_tz(&books.time_zone).map_or_else(|_| now.to_zoned(jiff::tz::TimeZone::UTC).date(), |zoned| zoned.date());
    match dice.below(100) {
        0..=27 => sell(books, dice, Kind::Invoice, today, now),
        28..=43 => buy(books, dice, Kind::Bill, today, now),
        44..=64 => pay(books, dice, today, now),
        65..=74 => buy(books, dice, Kind::Expense, today, now),
        75..=80 => sell(books, dice, Kind::SalesReceipt, today, now),
        81..=83 => sell(books, dice, Kind::CreditMemo, today, now),
        84..=88 => edit(books, dice, |dice, _| Edit::Memo(format!("Ref {}", dice.between(1_000, 99_999))), now),
        89..=92 => edit(books, dice, |dice, _| Edit::Amount(dice.amount(20, 900)), now),
        93..=94 => edit(books, dice, |dice, day| Edit::Date(day.saturating_sub(jiff::Span::new().days(dice.between(1, 40)))), now),
        95..=96 => with_recent(books, dice, |books, id| books.void(id, now)),
        97..=98 => with_recent(books, dice, |books, id| books.delete(id, now)),
        _ => {
            let name = format!("Walk-in customer {}", dice.between(10_000, 99_999));
            if books.contacts.values().all(|contact| contact.name != name) {
                books.add_contact(name, "", true, false, None, now);
            }
            Ok(())
        }
    }
}

fn nothing<T>() -> Result<T, Refused> {
    Err(Refused("these books have nothing for it".into()))
}

fn account(books: &Books, dice: &mut Dice, wanted: &[AccountType]) -> Option<AccountId> {
    let usable = |a: &&crate::books::Account| a.active && a.currency == books.currency && wanted.contains(&a.account_type);
    let found: Vec<AccountId> = books.accounts.values().filter(usable).map(|a| a.id).collect();
    (!found.is_empty()).then(|| dice.pick(&found))
}

fn contact(books: &Books, dice: &mut Dice, customer: bool) -> Option<ContactId> {
    let usable = |c: &&crate::books::Contact| c.active && c.currency == books.currency && if customer { c.is_customer } else { c.is_supplier };
    let found: Vec<ContactId> = books.contacts.values().filter(usable).map(|c| c.id).collect();
    (!found.is_empty()).then(|| dice.pick(&found))
}

/// The company's ordinary tax of sales or purchases; QuickBooks leaves purchases untaxed.
fn tax(books: &Books, sales: bool) -> Option<u64> {
    if books.face == Face::QuickBooks && !sales {
        return None;
    }
    let fits = |rate: &&crate::books::TaxRate| rate.basis_points > 0 && if sales { rate.for_sales } else { rate.for_purchases };
    books.tax_rates.iter().find(fits).map(|rate| rate.id)
}

fn sell(books: &mut Books, dice: &mut Dice, kind: Kind, today: Date, now: Timestamp) -> Result<(), Refused> {
    let Some(customer) = contact(books, dice, true) else { return nothing() };
    let items: Vec<ItemId> = books.items.values().filter(|item| item.active).map(|item| item.id).collect();
    let tax_rate = tax(books, true);
    let mut document = NewDocument::new(kind, today);
    document.contact = Some(customer);
    for _ in 0..dice.between(1, 3) {
        let line = if items.is_empty() {
            let Some(income) = account(books, dice, &[AccountType::Income]) else { return nothing() };
            NewLine::new(income, dice.amount(20, 900), "Sale")
        } else {
            let item = &books.items[&dice.pick(&items)];
            let quantity_hundredths = dice.between(1, 5) * 100;
            let amount = item.unit_price.at(Rate(quantity_hundredths * (Rate::SCALE / 100)));
            let line = NewLine::new(item.income_account, amount, item.description.clone());
            NewLine { item: Some(item.id), quantity_hundredths, unit_price: item.unit_price, ..line }
        };
        document.lines.push(NewLine { tax_rate, ..line });
    }
    match kind {
        Kind::Invoice => document.due_date = Some(today.saturating_add(jiff::Span::new().days(30))),
        Kind::SalesReceipt => document.account = account(books, dice, &[AccountType::Bank]),
        _ => {}
    }
    books.add_document(document, now).map(|_| ())
}

fn buy(books: &mut Books, dice: &mut Dice, kind: Kind, today: Date, now: Timestamp) -> Result<(), Refused> {
    let Some(supplier) = contact(books, dice, false) else { return nothing() };
    let tax_rate = tax(books, false);
    let mut document = NewDocument::new(kind, today);
    document.contact = Some(supplier);
    for _ in 0..dice.between(1, 2) {
        let Some(cost) = account(books, dice, &[AccountType::Expense]) else { return nothing() };
        let line = NewLine::new(cost, dice.amount(10, 600), books.accounts[&cost].name.clone());
        document.lines.push(NewLine { tax_rate, ..line });
    }
    if kind == Kind::Expense {
        document.account = account(books, dice, &[AccountType::Bank, AccountType::CreditCard]);
    } else {
        document.due_date = Some(today.saturating_add(jiff::Span::new().days(20)));
    }
    books.add_document(document, now).map(|_| ())
}

/// Pays one of the newer open invoices or bills, mostly in full.
fn pay(books: &mut Books, dice: &mut Dice, today: Date, now: Timestamp) -> Result<(), Refused> {
    let is_open = |d: &&Document| {
        matches!(d.kind, Kind::Invoice | Kind::Bill) && d.status == Status::Active && d.currency == books.currency && books.amount_due(d.id).0 > 0
    };
    let open: Vec<DocumentId> = books.documents.values().rev().take(RECENT).filter(is_open).map(|d| d.id).collect();
    if open.is_empty() {
        return nothing();
    }
    let target = dice.pick(&open);
    let due = books.amount_due(target);
    let amount = if dice.percent(85) { due } else { Cents((due.0 / 2).max(1)) };
    let paid = &books.documents[&target];
    let mut document = NewDocument::new(if paid.kind == Kind::Invoice { Kind::Payment } else { Kind::BillPayment }, today);
    document.contact = paid.contact;
    document.account = account(books, dice, &[AccountType::Bank]);
    document.applications = vec![Application { document: target, amount }];
    books.add_document(document, now).map(|_| ())
}

fn edit(books: &mut Books, dice: &mut Dice, wanted: impl FnOnce(&mut Dice, Date) -> Edit, now: Timestamp) -> Result<(), Refused> {
    let Some(id) = recent(books, dice) else { return nothing() };
    let day = books.documents[&id].date;
    let edit = wanted(dice, day);
    books.edit(id, edit, now)
}

fn with_recent(books: &mut Books, dice: &mut Dice, change: impl FnOnce(&mut Books, DocumentId) -> Result<(), Refused>) -> Result<(), Refused> {
    match recent(books, dice) {
        Some(id) => change(books, id),
        None => nothing(),
    }
}

/// One of the newer documents that a person changes: no payment, journal or transfer.
fn recent(books: &Books, dice: &mut Dice) -> Option<DocumentId> {
    let changes = |d: &&Document| {
        d.status == Status::Active && matches!(d.kind, Kind::Invoice | Kind::Bill | Kind::Expense | Kind::SalesReceipt | Kind::CreditMemo)
    };
    let found: Vec<DocumentId> = books.documents.values().rev().take(RECENT).filter(changes).map(|d| d.id).collect();
    (!found.is_empty()).then(|| dice.pick(&found))
}
