//! The entities this face knows: their names, their paths, and what a statement may say about them.
use super::schema;
use crate::books::lists::{DimensionRole, OrderKind};
use crate::books::{Kind, Variant};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    CompanyInfo,
    Preferences,
    Account,
    Customer,
    Vendor,
    /// The sandbox's companies sort their customers into none.
    CustomerType,
    Employee,
    Item,
    /// Class or Department.
    Tracking(DimensionRole),
    Term,
    PaymentMethod,
    TaxCode,
    TaxRate,
    TaxAgency,
    CompanyCurrency,
    ExchangeRate,
    /// France only.
    JournalCode,
    Budget,
    Attachable,
    RecurringTransaction,
    TimeActivity,
    Order(OrderKind),
    /// One of the transactions that post.
    Transaction(Kind),
    /// A transaction that the books keep as a variant of another kind.
    Variant(Variant),
}

const NAMED: [(&str, Entity); 38] = [
    ("CompanyInfo", Entity::CompanyInfo),
    ("Preferences", Entity::Preferences),
    ("Account", Entity::Account),
    ("Customer", Entity::Customer),
    ("Vendor", Entity::Vendor),
    ("Item", Entity::Item),
    ("Invoice", Entity::Transaction(Kind::Invoice)),
    ("CreditMemo", Entity::Transaction(Kind::CreditMemo)),
    ("SalesReceipt", Entity::Transaction(Kind::SalesReceipt)),
    ("RefundReceipt", Entity::Transaction(Kind::RefundReceipt)),
    ("Payment", Entity::Transaction(Kind::Payment)),
    ("Bill", Entity::Transaction(Kind::Bill)),
    ("VendorCredit", Entity::Transaction(Kind::VendorCredit)),
    ("BillPayment", Entity::Transaction(Kind::BillPayment)),
    ("Purchase", Entity::Transaction(Kind::Expense)),
    ("Deposit", Entity::Transaction(Kind::Deposit)),
    ("Transfer", Entity::Transaction(Kind::Transfer)),
    ("JournalEntry", Entity::Transaction(Kind::Journal)),
    ("Employee", Entity::Employee),
    ("CustomerType", Entity::CustomerType),
    ("Class", Entity::Tracking(DimensionRole::Class)),
    ("Department", Entity::Tracking(DimensionRole::Location)),
    ("Term", Entity::Term),
    ("PaymentMethod", Entity::PaymentMethod),
    ("TaxCode", Entity::TaxCode),
    ("TaxRate", Entity::TaxRate),
    ("TaxAgency", Entity::TaxAgency),
    ("CompanyCurrency", Entity::CompanyCurrency),
    ("ExchangeRate", Entity::ExchangeRate),
    ("JournalCode", Entity::JournalCode),
    ("Budget", Entity::Budget),
    ("Attachable", Entity::Attachable),
    ("RecurringTransaction", Entity::RecurringTransaction),
    ("Estimate", Entity::Order(OrderKind::Estimate)),
    ("PurchaseOrder", Entity::Order(OrderKind::PurchaseOrder)),
    ("CreditCardPayment", Entity::Variant(Variant::CardPayment)),
    ("InventoryAdjustment", Entity::Variant(Variant::InventoryAdjustment)),
    ("TimeActivity", Entity::TimeActivity),
];

/// The first of `NAMED`: company, names and the transactions that post.
const FINANCIAL: usize = 18;

impl Entity {
    /// Every entity.
    pub fn all() -> impl Iterator<Item = Entity> {
        NAMED.into_iter().map(|(_, entity)| entity)
    }
    /// What a ledger is made of: the company, accounts, names, items, and the transactions that post.
    pub fn financial() -> impl Iterator<Item = Entity> {
        Entity::all().take(FINANCIAL)
    }
    /// "Keywords, entity and property names case-insensitive" (contract fact 44). Serves paths too, which are the names in lower case.
    pub fn named(name: &str) -> Option<Entity> {
        let alias = if name.eq_ignore_ascii_case("CreditCardPaymentTxn") { "CreditCardPayment" } else { name };
        NAMED.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(alias)).map(|(_, entity)| entity)
    }
    /// The name in statements and, in lower case, in paths.
    pub fn name(self) -> &'static str {
        NAMED.into_iter().find(|(_, entity)| *entity == self).map(|(name, _)| name).expect("every entity has its name")
    }
    /// The key of every answer: the name, but for `CreditCardPaymentTxn` (contract 3.4).
    pub fn key(self) -> &'static str {
        match self {
            Entity::Variant(Variant::CardPayment) => "CreditCardPaymentTxn",
            other => other.name(),
        }
    }
    /// Name lists have `Active` and are filtered by it unless the statement says otherwise (contract 3.3, 7.1).
    pub fn is_name_list(self) -> bool {
        use Entity::*;
        matches!(
            self,
            Account
                | Customer
                | Vendor
                | CustomerType
                | Employee
                | Item
                | Tracking(_)
                | Term
                | PaymentMethod
                | TaxCode
                | TaxRate
                | TaxAgency
                | CompanyCurrency
                | JournalCode
                | Budget
        )
    }
    /// "Not supported: JournalCode, TimeActivity, TaxAgency, TaxCode, TaxRate" (contract 4); of those nothing is known about, the sandbox
    /// serves what a production connector asks for and refuses the rest.
    pub fn has_cdc(self) -> bool {
        use Entity::*;
        !matches!(
            self,
            JournalCode
                | TimeActivity
                | TaxAgency
                | TaxCode
                | TaxRate
                | CustomerType
                | CompanyInfo
                | Preferences
                | CompanyCurrency
                | ExchangeRate
                | Attachable
                | RecurringTransaction
                | Variant(_)
        )
    }
    /// "totalCount present for Bill, BillPayment, Deposit, Invoice, JournalEntry, PurchaseOrder, ExchangeRate, TaxCode, TaxRate; absent for
    /// Account, Customer …" (contract 3.4).
    pub fn shows_total_count(self) -> bool {
        let name = self.name();
        matches!(name, "Bill" | "BillPayment" | "Deposit" | "Invoice" | "JournalEntry" | "PurchaseOrder" | "ExchangeRate" | "TaxCode" | "TaxRate")
    }
    /// CompanyInfo, Preferences and CompanyCurrency answer a query with `maxResults` only (contract 3.4).
    pub fn hides_start_position(self) -> bool {
        matches!(self, Entity::CompanyInfo | Entity::Preferences | Entity::CompanyCurrency)
    }
    /// US tax codes have ids like `TAX` (contract 7.5); exchange rates have none at all.
    pub fn has_number_ids(self) -> bool {
        !matches!(self, Entity::TaxCode | Entity::ExchangeRate)
    }
    /// The property as the schema spells it, or nothing if the entity has no such property.
    pub fn property(self, asked: &str) -> Option<String> {
        schema::path(self.name(), asked)
    }
}
