//! What QuickBooks writes about a record: the books, seen through the JSON of minor version 75.
pub mod attachables;
mod banking;
pub mod company;
mod journal;
pub mod names;
pub mod orders;
mod purchases;
mod sales;
pub mod small_lists;
pub mod taxes;
pub mod time;
pub mod tree;

use crate::books::lists::{DimensionRole, OrderKind};
use crate::books::{AccountId, AccountType, Books, ContactId, Document, DocumentId, Kind, Line, Status, Variant};
use crate::money::{Cents, Rate};
use crate::quickbooks::moments;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use tree::{Json, Object, reference};

/// One look at a company's books, for the length of one answer.
pub struct View<'a> {
    pub books: &'a Books,
    pub now: Timestamp,
    /// Where this answer was asked for: `http://127.0.0.1:4000`. Empty outside of a call.
    pub base: String,
    balances: OnceCell<BTreeMap<AccountId, Cents>>,
    multicurrency: OnceCell<bool>,
}

/// Later than every accounting date.
const FOREVER: Date = date(9999, 12, 31);

impl<'a> View<'a> {
    pub fn new(books: &'a Books, now: Timestamp) -> View<'a> {
        View { books, now, base: String::new(), balances: OnceCell::new(), multicurrency: OnceCell::new() }
    }

    /// The address that temporary links begin with.
    pub fn asked_at(self, base: &str) -> View<'a> {
        View { base: base.to_owned(), ..self }
    }

    pub fn is_multicurrency(&self) -> bool {
        *self.multicurrency.get_or_init(|| {
            let home = &self.books.currency;
            self.books.accounts.values().any(|account| account.currency != *home) || self.books.contacts.values().any(|c| c.currency != *home)
        })
    }

    /// "Active:false and the suffix ` (deleted)` on Name/DisplayName and FullyQualifiedName" (contract 7.2).
    pub fn shown_name(&self, name: &str, active: bool) -> String {
        if active { name.to_owned() } else { format!("{name} (deleted)") }
    }

    /// `Parent:Child`, with the suffix of an inactive account.
    pub fn account_name(&self, id: AccountId) -> String {
        let Some(account) = self.books.accounts.get(&id) else { return String::new() };
        let mut path = vec![account.name.as_str()];
        let mut parent = account.parent;
        // "max 5 levels" (contract 7.4), which also ends a circle.
        while let Some(above) = parent.and_then(|id| self.books.accounts.get(&id))
            && path.len() < 5
        {
            path.push(above.name.as_str());
            parent = above.parent;
        }
        path.reverse();
        self.shown_name(&path.join(":"), account.active)
    }

    pub fn account_reference(&self, id: AccountId) -> Object {
        reference(id, &self.account_name(id))
    }

    pub fn contact_name(&self, id: ContactId) -> String {
        self.books.contacts.get(&id).map(|contact| self.shown_name(&contact.name, contact.active)).unwrap_or_default()
    }

    pub fn contact_reference(&self, id: ContactId) -> Object {
        reference(id, &self.contact_name(id))
    }

    /// `Customer` or `Vendor`: what the other side of a document is called.
    pub fn contact_type(&self, id: ContactId, prefers_customer: bool) -> &'static str {
        match self.books.contacts.get(&id) {
            Some(contact) if contact.is_customer && (prefers_customer || !contact.is_supplier) => "Customer",
            Some(contact) if !contact.is_supplier && contact.is_customer => "Customer",
            _ => "Vendor",
        }
    }

    pub fn currency(&self, code: &str) -> Object {
        names::currency(code)
    }

    /// Debit-positive; zero for profit and loss accounts and Retained Earnings (contract 7.4).
    pub fn current_balance(&self, id: AccountId) -> Cents {
        let hidden =
            self.books.accounts.get(&id).is_none_or(|a| a.account_type.is_profit_and_loss() || a.account_type == AccountType::RetainedEarnings);
        if hidden { Cents::ZERO } else { self.balances.get_or_init(|| self.books.balances_at(FOREVER)).get(&id).copied().unwrap_or_default() }
    }

    pub fn balance_with_children(&self, id: AccountId) -> Cents {
        // each account once, so that a circle of parents ends
        let mut members = vec![id];
        let mut at = 0;
        while let Some(above) = members.get(at).copied() {
            let children = self.books.accounts.values().filter(|account| account.parent == Some(above)).map(|account| account.id);
            members.extend(children.filter(|child| !members.contains(child)).collect::<Vec<_>>());
            at += 1;
        }
        members.into_iter().map(|member| self.current_balance(member)).sum()
    }

    /// The keys every entity ends with (contract 2.5).
    pub fn identified(&self, object: Object, id: u64, sync_token: u32, created_at: Timestamp, updated_at: Timestamp) -> Object {
        object
            .put("domain", "QBO")
            .put("sparse", false)
            .put("Id", id.to_string())
            .put("SyncToken", sync_token.to_string())
            .put("MetaData", Object::new().put("CreateTime", moments::seconds(created_at)).put("LastUpdatedTime", moments::seconds(updated_at)))
    }

    /// A transaction.
    pub fn document(&self, document: &Document) -> Object {
        self.identified(self.content(document), document.id, document.sync_token, document.created_at, document.updated_at)
    }

    /// A transaction without the keys that every entity ends with.
    fn content(&self, document: &Document) -> Object {
        match document.kind {
            Kind::Transfer if document.details.variant == Some(Variant::CardPayment) => banking::card_payment(self, document),
            Kind::Journal if document.details.variant == Some(Variant::InventoryAdjustment) => journal::inventory_adjustment(self, document),
            Kind::Invoice | Kind::CreditMemo | Kind::SalesReceipt | Kind::RefundReceipt => sales::sale(self, document),
            Kind::Payment => sales::payment(self, document),
            Kind::Bill | Kind::VendorCredit => purchases::bill(self, document),
            Kind::BillPayment => purchases::bill_payment(self, document),
            Kind::Expense => purchases::purchase(self, document),
            Kind::Deposit => banking::deposit(self, document),
            Kind::Transfer => banking::transfer(self, document),
            Kind::Journal => journal::entry(self, document),
        }
    }

    /// Number, date, currency and note, which every transaction has. The note of a voided one begins with `Voided` (contract 7.2), which
    /// the books write there.
    fn transaction(&self, document: &Document) -> Object {
        let object =
            Object::new().put_text("DocNumber", &document.number).put("TxnDate", document.date).put("CurrencyRef", self.currency(&document.currency));
        let object = if self.is_multicurrency() { object.put("ExchangeRate", Json::Number(shortest(document.rate))) } else { object };
        let location = self.books.tracked(document, None, DimensionRole::Location);
        object.put_some("DepartmentRef", location.map(|option| self.tracking_reference(option))).put_text("PrivateNote", &document.memo)
    }

    /// `ClassRef` of a line, its own or that of the whole transaction.
    fn class(&self, document: &Document, line: &Line) -> Option<Object> {
        self.books.tracked(document, Some(line), DimensionRole::Class).map(|option| self.tracking_reference(option))
    }

    /// `TotalAmt`, and in a company with several currencies its value in the home currency, where the schema has a place for it.
    fn total(&self, object: Object, document: &Document) -> Object {
        let total = self.amount(document, self.books.total(document));
        let object = object.put("TotalAmt", total);
        let has_home_total = document.kind.is_sale() || document.kind == Kind::Deposit;
        if self.is_multicurrency() && has_home_total { object.put("HomeTotalAmt", total.at(document.rate)) } else { object }
    }

    fn balance(&self, object: Object, document: &Document) -> Object {
        let due = self.books.amount_due(document.id);
        let object = object.put("Balance", due);
        let has_home_balance = document.kind != Kind::VendorCredit;
        if self.is_multicurrency() && has_home_balance { object.put("HomeBalance", due.at(document.rate)) } else { object }
    }

    /// A voided transaction reads zero everywhere.
    fn amount(&self, document: &Document, amount: Cents) -> Cents {
        if document.status == Status::Voided { Cents::ZERO } else { amount }
    }

    /// `LinkedTxn` of an open item: what pays it or uses it up, and what it is used for itself.
    fn links(&self, document: &Document) -> Json {
        if document.status != Status::Active {
            return Json::List(Vec::new());
        }
        let payers = self.books.payments_of(document.id).into_iter().map(|(id, _)| id);
        let used_for = document.applications.iter().map(|application| application.document);
        let links = payers.chain(used_for).filter_map(|id| self.link(id));
        Json::List(links.chain(self.orders_of(document.id)).map(Json::Object).collect())
    }

    /// The estimates and purchase orders that became this document.
    fn orders_of(&self, id: DocumentId) -> impl Iterator<Item = Object> {
        let orders = self.books.lists.orders.values().filter(move |order| order.links.contains(&id) && !order.stamp.deleted);
        orders.map(|order| {
            let word = if order.kind == OrderKind::Estimate { "Estimate" } else { "PurchaseOrder" };
            Object::new().put("TxnId", order.id.to_string()).put("TxnType", word)
        })
    }

    fn link(&self, id: DocumentId) -> Option<Object> {
        let document = self.books.documents.get(&id)?;
        Some(Object::new().put("TxnId", id.to_string()).put("TxnType", self.link_type(document)))
    }

    /// "BillPayment and Purchase never appear under their API names" (contract 7.3).
    pub fn link_type(&self, document: &Document) -> &'static str {
        match document.kind {
            Kind::Invoice => "Invoice",
            Kind::CreditMemo => "CreditMemo",
            Kind::SalesReceipt => "SalesReceipt",
            Kind::RefundReceipt => "RefundReceipt",
            Kind::Payment => "Payment",
            Kind::Bill => "Bill",
            Kind::VendorCredit => "VendorCredit",
            Kind::BillPayment if self.is_card(document.account) => "BillPaymentCreditCard",
            Kind::BillPayment => "BillPaymentCheck",
            Kind::Expense => "Expense",
            Kind::Deposit => "Deposit",
            Kind::Transfer => "Transfer",
            Kind::Journal => "JournalEntry",
        }
    }

    fn is_card(&self, account: Option<AccountId>) -> bool {
        account.and_then(|id| self.books.accounts.get(&id)).is_some_and(|account| account.account_type == AccountType::CreditCard)
    }

    /// "Line-level TaxCodeRef in the US is only TAX/NON" (contract 7.5); elsewhere the id of the rate.
    fn tax_code(&self, line: &Line) -> Object {
        let code = match (line.tax_rate, self.books.country.as_str()) {
            (None, _) => "NON".to_owned(),
            (Some(_), "US") => "TAX".to_owned(),
            (Some(rate), _) => rate.to_string(),
        };
        Object::new().put("value", code)
    }

    /// `TxnTaxDetail`: the tax on top of the lines.
    fn tax_detail(&self, document: &Document) -> Object {
        let total: Cents = document.taxes.iter().map(|tax| self.amount(document, tax.tax)).sum();
        let lines = document.taxes.iter().filter_map(|tax| {
            let rate = self.books.tax_rate(tax.tax_rate)?;
            Some(
                Object::new().put("Amount", self.amount(document, tax.tax)).put("DetailType", "TaxLineDetail").put(
                    "TaxLineDetail",
                    Object::new()
                        .put("TaxRateRef", Object::new().put("value", rate.id.to_string()))
                        .put("PercentBased", true)
                        .put("TaxPercent", Cents(rate.basis_points))
                        .put("NetAmountTaxable", self.amount(document, tax.net)),
                ),
            )
        });
        let lines: Vec<Object> = lines.collect();
        let object = Object::new();
        let object = match document.taxes.first() {
            Some(tax) => object.put("TxnTaxCodeRef", Object::new().put("value", tax.tax_rate.to_string())),
            None => object,
        };
        let object = object.put("TotalTax", total);
        if lines.is_empty() { object } else { object.put("TaxLine", lines) }
    }
}

/// A rate without trailing zeros: `1`, `0.65`.
pub fn shortest(rate: Rate) -> String {
    let text = rate.to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Hundredths as a number without trailing zeros: `3`, `1.5`.
pub fn quantity(hundredths: i64) -> Json {
    let text = Cents(hundredths).to_string();
    Json::Number(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}
