//! GeneralLedger: every posting of a period, account by account.
//!
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/report-entities/generalledger>. The sandbox keeps postings in home
//! currency, so the plain amounts and their `…home…` twins are the same figures.
use super::filter::Filter;
use super::period::Period;
use super::{Parameters, Place, TOO_LARGE, cell, cells, chart, column, data_row, frame, header, named_cell, own_name, parent_in_report};
use crate::books::lists::DimensionRole;
use crate::books::{Account, AccountId, Document, Kind, Line, Posting, Variant};
use crate::money::{Cents, Rate};
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::tree::{Json, Object};
use crate::quickbooks::wire::{View, shortest};
use crate::quickbooks::{dates, moments};
use std::collections::{BTreeMap, BTreeSet};

/// Key, title, type.
const COLUMNS: [(&str, &str, &str); 35] = [
    ("tx_date", "Date", "Date"),
    ("txn_type", "Transaction Type", "String"),
    ("doc_num", "Num", "String"),
    ("name", "Name", "String"),
    ("memo", "Memo/Description", "String"),
    ("split_acc", "Split", "String"),
    ("subt_nat_amount", "Amount", "Money"),
    ("rbal_nat_amount", "Balance", "Money"),
    ("debt_amt", "Debit", "Money"),
    ("credit_amt", "Credit", "Money"),
    ("subt_nat_home_amount", "Amount", "Money"),
    ("rbal_nat_home_amount", "Balance", "Money"),
    ("debt_home_amt", "Debit", "Money"),
    ("credit_home_amt", "Credit", "Money"),
    ("account_name", "Account", "String"),
    ("account_num", "Account #", "String"),
    ("cust_name", "Customer", "String"),
    ("vend_name", "Vendor", "String"),
    ("emp_name", "Employee", "String"),
    ("create_date", "Create Date", "String"),
    ("last_mod_date", "Last Modified", "String"),
    ("create_by", "Created By", "String"),
    ("last_mod_by", "Last Modified By", "String"),
    ("exch_rate", "Exchange Rate", "String"),
    ("currency", "Currency", "String"),
    ("is_adj", "Adj", "Boolean"),
    ("is_cleared", "Clr", "String"),
    ("is_ar_paid", "A/R Paid", "String"),
    ("is_ap_paid", "A/P Paid", "String"),
    ("klass_name", "Class", "String"),
    ("dept_name", "Location", "String"),
    ("item_name", "Product/Service", "String"),
    ("quantity", "Qty", "String"),
    ("rate", "Rate", "Money"),
    ("nat_open_bal", "Open Balance", "Money"),
];

const DEFAULT: [&str; 8] = ["tx_date", "txn_type", "doc_num", "name", "memo", "split_acc", "subt_nat_amount", "rbal_nat_amount"];

/// "Multicurrency adds" these (contract 6.6): a company with one currency does not show them, asked for or not.
const MULTICURRENCY_ONLY: [&str; 6] = ["debt_home_amt", "credit_home_amt", "subt_nat_home_amount", "rbal_nat_home_amount", "exch_rate", "currency"];

pub fn report(view: &View, period: &Period, parameters: &Parameters, max_cells: u64) -> Result<Object, Refusal> {
    let columns = columns(view, parameters)?;
    let chart = chart(view);
    let mut ledger = Ledger {
        view,
        chart: &chart,
        columns: &columns,
        openings: if period.filter.divides_accounts() { BTreeMap::new() } else { openings(view, period) },
        shows_openings: true,
        entries: entries(view, period),
        filter: &period.filter,
        cells_left: max_cells,
        is_full: false,
    };
    let mut rows: Vec<Json> = Vec::new();
    for account in &chart {
        if parent_in_report(view, account).is_none() {
            rows.extend(ledger.section(account).map(|(section, _)| Json::from(section)));
        }
    }
    if ledger.is_full {
        rows.push(data_row(std::iter::once(cell(TOO_LARGE)).chain(columns.iter().skip(1).map(|_| cell(""))).collect()).into());
    }
    let is_empty = rows.is_empty();
    let columns = columns.iter().map(|(key, title, kind)| column(title, kind, &[("ColKey", (*key).to_owned())])).collect();
    Ok(frame(header(view, "GeneralLedger", period, None, false, is_empty), columns, rows))
}

/// The sections of the accounts at one place, without their opening balances, and the sum of their amounts: for ProfitAndLossDetail.
pub fn sections_of(view: &View, period: &Period, places: &[Place], columns: &[Column], max_cells: u64) -> Vec<(Vec<Json>, Cents)> {
    let chart = chart(view);
    let mut ledger = Ledger {
        view,
        chart: &chart,
        columns,
        openings: BTreeMap::new(),
        shows_openings: false,
        entries: entries(view, period),
        filter: &period.filter,
        cells_left: max_cells,
        is_full: false,
    };
    let mut sections = |place: Place| {
        let mut sum = Cents::ZERO;
        let mut rows: Vec<Json> = Vec::new();
        for account in chart.iter().filter(|account| Place::of(account) == place && parent_in_report(view, account).is_none()) {
            if let Some((section, sums)) = ledger.section(account) {
                sum += sums.amount;
                rows.push(section.into());
            }
        }
        (rows, sum)
    };
    places.iter().map(|place| sections(*place)).collect()
}

/// The columns that a detail report shows without being asked.
pub fn default_columns(view: &View, parameters: &Parameters) -> Result<Vec<Column>, Refusal> {
    columns(view, parameters)
}

pub type Column = (&'static str, &'static str, &'static str);

fn columns(view: &View, parameters: &Parameters) -> Result<Vec<Column>, Refusal> {
    let find = |key: &str| {
        // "Non-tracking companies get …_nt variants" (contract 6.6).
        let plain = key.strip_suffix("_nt").unwrap_or(key);
        COLUMNS.into_iter().find(|(known, ..)| known.eq_ignore_ascii_case(plain))
    };
    let asked: Vec<Column> = match parameters.get("columns") {
        None => DEFAULT.iter().filter_map(|key| find(key)).collect(),
        Some(keys) => keys
            .split(',')
            .map(str::trim)
            .filter(|key| !key.is_empty())
            .map(|key| find(key).ok_or_else(|| Refusal::invalid_parameter("columns", format!("Unknown column. Supplied value:{key}"))))
            .collect::<Result<_, _>>()?,
    };
    Ok(asked.into_iter().filter(|(key, ..)| view.is_multicurrency() || !MULTICURRENCY_ONLY.contains(key)).collect())
}

/// Balances the day before the period, debit-positive: of profit and loss accounts since the beginning of the fiscal year that the
/// period starts in; the results of earlier years are in Retained Earnings.
fn openings(view: &View, period: &Period) -> BTreeMap<AccountId, Cents> {
    let books = view.books;
    let before = dates::day_before(period.from);
    if books.fiscal_year_start(period.from) != period.from {
        return books.on(period.basis).trial_balance(before);
    }
    let mut balances = books.on(period.basis).trial_balance(before);
    let mut result = Cents::ZERO;
    balances.retain(|id, balance| {
        let closes = books.accounts.get(id).is_some_and(|account| account.account_type.is_profit_and_loss());
        if closes {
            result += *balance;
        }
        !closes
    });
    if let Some(retained) = books.account_of(crate::books::AccountType::RetainedEarnings) {
        *balances.entry(retained).or_default() += result;
    }
    balances
}

struct Entry<'a> {
    document: &'a Document,
    posting: Posting,
    split: Split,
}

#[derive(Clone, Copy)]
enum Split {
    Account(AccountId),
    Several,
    None,
}

fn entries<'a>(view: &View<'a>, period: &Period) -> BTreeMap<AccountId, Vec<Entry<'a>>> {
    let mut entries: BTreeMap<AccountId, Vec<Entry>> = BTreeMap::new();
    for document in view.books.documents_between(period.from, period.to).filter(|document| period.filter.keeps_document(view, document)) {
        let postings = view.books.on(period.basis).postings(document);
        let accounts: BTreeSet<AccountId> = postings.iter().map(|posting| posting.account).collect();
        for posting in postings {
            if !period.filter.keeps_posting(view, document, &posting) {
                continue;
            }
            let split = match document.account {
                Some(main) if posting.account != main && document.kind != Kind::Journal => Split::Account(main),
                _ if accounts.len() == 2 => {
                    accounts.iter().find(|account| **account != posting.account).map_or(Split::None, |other| Split::Account(*other))
                }
                _ if accounts.len() > 2 => Split::Several,
                _ => Split::None,
            };
            entries.entry(posting.account).or_default().push(Entry { document, posting, split });
        }
    }
    entries
}

struct Ledger<'a> {
    view: &'a View<'a>,
    chart: &'a [&'a Account],
    columns: &'a [Column],
    openings: BTreeMap<AccountId, Cents>,
    shows_openings: bool,
    entries: BTreeMap<AccountId, Vec<Entry<'a>>>,
    filter: &'a Filter,
    cells_left: u64,
    is_full: bool,
}

/// Sums of a section: natural amount, debits, credits.
#[derive(Clone, Copy, Default)]
struct Sums {
    amount: Cents,
    debits: Cents,
    credits: Cents,
}

impl Ledger<'_> {
    /// "One Section per account: Header; first Data row Beginning Balance; one row per posting; Summary Total for X; nested Sections for
    /// sub-accounts, then Total for X with subs" (contract 6.6).
    fn section(&mut self, account: &Account) -> Option<(Object, Sums)> {
        if self.is_full {
            return None;
        }
        let name = own_name(self.view, account);
        let own = self.own_rows(account);
        let children: Vec<&Account> =
            self.chart.iter().copied().filter(|child| child.id != account.id && parent_in_report(self.view, child) == Some(account.id)).collect();
        let mut nested: Vec<Json> = Vec::new();
        let mut with_children = own.as_ref().map(|(_, sums)| *sums).unwrap_or_default();
        for child in children {
            if let Some((section, sums)) = self.section(child) {
                with_children.amount += sums.amount;
                with_children.debits += sums.debits;
                with_children.credits += sums.credits;
                nested.push(section.into());
            }
        }
        let head = cells(std::iter::once(named_cell(name.clone(), account.id)).chain(self.columns.iter().skip(1).map(|_| cell(""))).collect());
        let object = Object::new().put("Header", head);
        match (own, nested.is_empty()) {
            (None, true) => None,
            (Some((rows, sums)), true) => {
                let summary = self.summary(&format!("Total for {name}"), sums);
                Some((object.put("Rows", Object::new().put("Row", rows)).put("Summary", summary).put("type", "Section"), with_children))
            }
            (own, false) => {
                let mut rows = Vec::new();
                if let Some((own, sums)) = own {
                    rows = own;
                    rows.push(Object::new().put("Summary", self.summary(&format!("Total for {name}"), sums)).put("type", "Section").into());
                }
                rows.extend(nested);
                let summary = self.summary(&format!("Total for {name} with subs"), with_children);
                Some((object.put("Rows", Object::new().put("Row", rows)).put("Summary", summary).put("type", "Section"), with_children))
            }
        }
    }

    /// The rows of the account itself; none if it neither had a balance nor moved.
    fn own_rows(&mut self, account: &Account) -> Option<(Vec<Json>, Sums)> {
        if !self.filter.keeps_account(self.view, account.id) {
            return None;
        }
        let opening = self.openings.get(&account.id).copied().unwrap_or_default();
        let entries = self.entries.remove(&account.id).unwrap_or_default();
        if opening.is_zero() && entries.is_empty() {
            return None;
        }
        let place = Place::of(account);
        let mut balance = place.natural(opening);
        let mut sums = Sums::default();
        let mut rows = Vec::with_capacity(entries.len() + 1);
        if self.shows_openings && self.takes_row() {
            let opening_row: Vec<Object> = self
                .columns
                .iter()
                .enumerate()
                .map(|(index, (key, ..))| match *key {
                    "rbal_nat_amount" | "rbal_nat_home_amount" => cell(balance.to_string()),
                    _ if index == 0 => cell("Beginning Balance"),
                    _ => cell(""),
                })
                .collect();
            rows.push(data_row(opening_row).into());
        }
        for entry in entries {
            if !self.takes_row() {
                break;
            }
            let amount = place.natural(entry.posting.amount);
            balance += amount;
            sums.amount += amount;
            if entry.posting.amount.0 > 0 {
                sums.debits += entry.posting.amount;
            } else {
                sums.credits += -entry.posting.amount;
            }
            let row: Vec<Object> = self.columns.iter().map(|(key, ..)| self.entry_cell(key, account, &entry, amount, balance)).collect();
            rows.push(Json::Written(serde_json::to_string(&data_row(row)).expect("a tree is JSON")));
        }
        Some((rows, sums))
    }

    fn takes_row(&mut self) -> bool {
        let width = self.columns.len() as u64;
        if self.cells_left < width {
            self.is_full = true;
            return false;
        }
        self.cells_left -= width;
        true
    }

    fn summary(&self, title: &str, sums: Sums) -> Object {
        let cells_of = self.columns.iter().enumerate().map(|(index, (key, ..))| match *key {
            _ if index == 0 => cell(title),
            "subt_nat_amount" | "subt_nat_home_amount" => cell(sums.amount.to_string()),
            "debt_amt" | "debt_home_amt" => cell(sums.debits.to_string()),
            "credit_amt" | "credit_home_amt" => cell(sums.credits.to_string()),
            _ => cell(""),
        });
        cells(cells_of.collect())
    }

    fn entry_cell(&self, key: &str, account: &Account, entry: &Entry, amount: Cents, balance: Cents) -> Object {
        let Entry { document, posting, split } = entry;
        let contact = |only: Option<&str>| {
            let shown = posting.contact.filter(|id| only.is_none_or(|kind| self.view.contact_type(*id, kind == "Customer") == kind));
            shown.map_or_else(|| cell(""), |id| named_cell(self.view.contact_name(id), id))
        };
        match key {
            "tx_date" => cell(document.date.to_string()),
            "txn_type" => named_cell(type_name(self.view, document), document.id),
            "doc_num" => cell(document.number.clone()),
            "name" => contact(None),
            "cust_name" => contact(Some("Customer")),
            "vend_name" => contact(Some("Vendor")),
            "memo" => cell(if posting.description.is_empty() { document.memo.clone() } else { posting.description.clone() }),
            "split_acc" => match split {
                Split::Account(id) => named_cell(self.view.account_name(*id), id),
                Split::Several => cell("-Split-"),
                Split::None => cell(""),
            },
            "subt_nat_amount" | "subt_nat_home_amount" => cell(amount.to_string()),
            "rbal_nat_amount" | "rbal_nat_home_amount" => cell(balance.to_string()),
            "debt_amt" | "debt_home_amt" if posting.amount.0 > 0 => cell(posting.amount.to_string()),
            "credit_amt" | "credit_home_amt" if posting.amount.0 < 0 => cell((-posting.amount).to_string()),
            "account_name" => named_cell(self.view.account_name(account.id), account.id),
            "account_num" => cell(account.code.clone()),
            "create_date" => cell(moments::seconds(document.created_at)),
            "last_mod_date" => cell(moments::seconds(document.updated_at)),
            "exch_rate" if document.rate != Rate::ONE => cell(shortest(document.rate)),
            "currency" => cell(document.currency.clone()),
            "is_adj" => cell("No"),
            "klass_name" | "dept_name" => {
                let role = if key == "klass_name" { DimensionRole::Class } else { DimensionRole::Location };
                let option = self.view.books.tracked(document, line_of(document, posting), role);
                option.map_or_else(|| cell(""), |option| named_cell(self.view.tracking_name(option), option.id))
            }
            "item_name" => {
                let item = line_of(document, posting).and_then(|line| self.view.books.items.get(&line.item?));
                item.map_or_else(|| cell(""), |item| named_cell(self.view.shown_name(&item.name, item.active), item.id))
            }
            "quantity" => cell(line_of(document, posting).map(|line| Cents(line.quantity_hundredths).to_string()).unwrap_or_default()),
            "rate" => cell(line_of(document, posting).map(|line| line.unit_price.to_string()).unwrap_or_default()),
            _ => cell(""),
        }
    }
}

/// The line a posting came from, where it can be told.
pub fn line_of<'a>(document: &'a Document, posting: &Posting) -> Option<&'a Line> {
    if document.account == Some(posting.account) {
        return None;
    }
    document.lines.iter().find(|line| line.account == posting.account && line.description == posting.description)
}

/// "Check, Expense, Credit Card Expense, Bill Payment (Check)" are the names in reports (contract 11, trap 26).
pub fn type_name(view: &View, document: &Document) -> &'static str {
    let by_card = matches!(view.link_type(document), "BillPaymentCreditCard");
    match (document.kind, document.details.variant) {
        (_, Some(Variant::CardPayment)) => "Credit Card Payment",
        (_, Some(Variant::InventoryAdjustment)) => "Inventory Qty Adjust",
        (_, Some(Variant::InventoryStart)) => "Inventory Starting Value",
        (Kind::Invoice, _) => "Invoice",
        (Kind::CreditMemo, _) => "Credit Memo",
        (Kind::SalesReceipt, _) => "Sales Receipt",
        (Kind::RefundReceipt, _) => "Refund",
        (Kind::Payment, _) => "Payment",
        (Kind::Bill, _) => "Bill",
        (Kind::VendorCredit, _) => "Vendor Credit",
        (Kind::BillPayment, _) if by_card => "Bill Payment (Credit Card)",
        (Kind::BillPayment, _) => "Bill Payment (Check)",
        (Kind::Expense, _) => "Expense",
        (Kind::Deposit, _) => "Deposit",
        (Kind::Transfer, _) => "Transfer",
        (Kind::Journal, _) => "Journal Entry",
    }
}
