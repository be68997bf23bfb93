//! What only a Xero organisation keeps beside its documents: people, themes, groups, templates, batches, advances and spare details.
//!
//! Names and fields: Xero's Accounting API, <https://developer.xero.com/documentation/api/accounting/overview>.
pub mod advances;
pub mod allocations;
pub mod batches;
pub mod expenses;
pub mod furnish;
mod preview;

use super::{Books, ContactId, DocumentId, ItemId};
use advances::Advance;
use batches::BatchPayment;
use expenses::{Claim, Receipt};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Empty at a QuickBooks company.
#[derive(Clone, Debug, Default)]
pub struct XeroLists {
    pub users: Vec<User>,
    pub branding_themes: Vec<BrandingTheme>,
    pub contact_groups: BTreeMap<u64, ContactGroup>,
    pub linked_transactions: BTreeMap<u64, LinkedTransaction>,
    pub batches: BTreeMap<u64, BatchPayment>,
    pub receipts: BTreeMap<u64, Receipt>,
    pub claims: BTreeMap<u64, Claim>,
    /// Overpayments and prepayments, by the bank transaction they came with.
    pub advances: BTreeMap<DocumentId, Advance>,
    /// Items leave no trace in the lists when they are deleted; documents still name them.
    pub deleted_items: BTreeSet<ItemId>,
    pub documents: HashMap<DocumentId, DocumentDetails>,
    /// Payments, transactions and transfers that a person matched with the bank's statement.
    pub reconciled: BTreeSet<DocumentId>,
    /// Rates added through the API that are archived or deleted since; a rate itself has no status.
    pub retired_tax_rates: BTreeMap<u64, TaxRateStatus>,
    /// Answers given under an Idempotency-Key, by app and key.
    pub remembered: BTreeMap<String, Remembered>,
    /// Notes on the history of a record, oldest first, by the record's word and number.
    pub notes: BTreeMap<(&'static str, u64), Vec<Note>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxRateStatus {
    Deleted,
    Archived,
}

#[derive(Clone, Debug)]
pub struct User {
    pub id: u64,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub is_subscriber: bool,
    /// `STANDARD`, `FINANCIALADVISER`, ...
    pub role: &'static str,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct BrandingTheme {
    pub id: u64,
    pub name: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct ContactGroup {
    pub id: u64,
    pub name: String,
    pub contacts: BTreeSet<ContactId>,
    pub deleted: bool,
}

/// A cost on a bill that is to be charged on to a customer.
#[derive(Clone, Debug)]
pub struct LinkedTransaction {
    pub id: u64,
    pub source: DocumentId,
    pub source_line: u64,
    pub contact: Option<ContactId>,
    pub target: Option<DocumentId>,
    pub target_line: Option<u64>,
    pub updated_at: Timestamp,
}

/// How the lines' amounts were entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountTypes {
    Exclusive,
    Inclusive,
    NoTax,
}

#[derive(Clone, Debug, Default)]
pub struct DocumentDetails {
    pub amount_types: Option<AmountTypes>,
    pub url: String,
    pub sent_to_contact: bool,
    /// The app that made it; for `createdByMyApp`.
    pub made_by: String,
    /// SUBMITTED is a draft that waits for approval.
    pub submitted: bool,
    pub hidden_on_cash_basis: bool,
    /// How many of a manual journal's last lines are the tax of the others; they are not shown.
    pub tax_lines: usize,
    /// The day each allocation of a credit was made, by the invoice or bill.
    pub allocated_on: BTreeMap<DocumentId, Date>,
}

/// An answer that is given again when the same request comes again.
#[derive(Clone, Debug)]
pub struct Remembered {
    pub at: Timestamp,
    /// Digest of method, path and body.
    pub request: String,
    pub status: u16,
    pub content_type: String,
    pub body: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Note {
    pub at: Timestamp,
    pub changes: &'static str,
    pub user: String,
    pub details: String,
}

impl XeroLists {
    /// What every organisation has from its first day: two people and the standard theme.
    pub fn standard(created_at: Timestamp) -> XeroLists {
        let user = |id, email: &str, first: &str, last: &str, is_subscriber, role| User {
            id,
            email: email.into(),
            first_name: first.into(),
            last_name: last.into(),
            is_subscriber,
            role,
            updated_at: created_at,
        };
        XeroLists {
            users: vec![
                user(1, "casey@harborpine.example", "Casey", "Morgan", true, "STANDARD"),
                user(2, "alex@ledgerhouse.example", "Alex", "Rivera", false, "FINANCIALADVISER"),
            ],
            branding_themes: [(1, "Standard"), (2, "Very orange invoice!")]
                .map(|(id, name)| BrandingTheme { id, name: name.into(), created_at })
                .into(),
            ..XeroLists::default()
        }
    }
}

impl Books {
    /// A number for a record of these lists.
    pub fn new_xero_id(&mut self) -> u64 {
        self.take_id()
    }

    /// A property of a record that no rule of the books looks at, as JSON: what a client sent and wants to read again.
    pub fn property(&self, kind: &str, id: u64, name: &str) -> Option<&str> {
        self.lists.properties.get(&(kind.to_owned(), id))?.get(name).map(String::as_str)
    }

    /// The same, where it is a text.
    pub fn text_property(&self, kind: &str, id: u64, name: &str) -> Option<String> {
        self.property(kind, id, name).and_then(|json| serde_json::from_str(json).ok())
    }

    pub fn set_property(&mut self, kind: &str, id: u64, name: &str, json: impl Into<String>) {
        self.lists.properties.entry((kind.to_owned(), id)).or_default().insert(name.to_owned(), json.into());
    }
}
