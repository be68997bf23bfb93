//! The small lists both faces show beside accounts, contacts, items and documents. Nothing here posts; documents only refer to it.
pub mod attachments;
pub mod budgets;
pub mod currencies;
pub mod employees;
pub mod names;
pub mod orders;
pub mod recurring;
pub mod tax;
pub mod terms;
pub mod tracking;

pub use attachments::{Attachment, Owner};
pub use budgets::{Budget, BudgetLine};
pub use currencies::Currency;
pub use employees::{Employee, TimeActivity, Worker};
pub use names::{AccountFacts, ContactFacts, ItemFacts};
pub use orders::{NewOrder, Order, OrderKind, OrderStatus};
pub use recurring::{Every, Template};
pub use tax::TaxAgency;
pub use terms::{Due, PaymentMethod, Term};
pub use tracking::{Dimension, DimensionRole, TrackingOption};

use crate::money::Rate;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, VecDeque};

/// Everything in these lists by its id, which comes from the same sequence as all ids of the books.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    pub dimensions: BTreeMap<u64, Dimension>,
    pub options: BTreeMap<u64, TrackingOption>,
    pub terms: BTreeMap<u64, Term>,
    pub payment_methods: BTreeMap<u64, PaymentMethod>,
    pub employees: BTreeMap<u64, Employee>,
    pub orders: BTreeMap<u64, Order>,
    pub time_activities: BTreeMap<u64, TimeActivity>,
    pub budgets: BTreeMap<u64, Budget>,
    pub attachments: BTreeMap<u64, Attachment>,
    pub templates: BTreeMap<u64, Template>,
    /// Currencies added by hand; those in use are known without.
    pub currencies: BTreeMap<String, Currency>,
    /// Rates set by hand, by currency and day.
    pub exchange_rates: BTreeMap<(String, Date), Rate>,
    /// The last number given out to an estimate or purchase order.
    pub last_order_number: BTreeMap<OrderKind, u64>,
    /// Properties that only a face knows and no rule of the books looks at (an address, a note), as JSON texts: by the face's name of the
    /// record's kind and its id, then by property.
    pub properties: BTreeMap<(String, u64), BTreeMap<String, String>>,
    /// How often, and when last, a client changed what there is one of: the company's facts and its preferences.
    pub edits: BTreeMap<&'static str, (u32, Timestamp)>,
    /// E-mails sent, by day since 1970.
    pub mailed: BTreeMap<i64, usize>,
    /// The last answers to writes that carried a key against doing them twice, oldest first.
    answers: VecDeque<(String, String)>,
}

/// So many answers are remembered.
const MOST_ANSWERS: usize = 1_000;

impl Lists {
    /// What a write with this key was answered before.
    pub fn answered(&self, key: &str) -> Option<&str> {
        self.answers.iter().find(|(known, _)| known == key).map(|(_, answer)| answer.as_str())
    }

    pub fn remember_answer(&mut self, key: String, answer: String) {
        if self.answers.len() >= MOST_ANSWERS {
            self.answers.pop_front();
        }
        self.answers.push_back((key, answer));
    }
}

/// What every list entry carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// False: inactive (QuickBooks) or archived (Xero).
    pub active: bool,
    /// True: gone for good, kept only so that a list of changes can name it.
    pub deleted: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub sync_token: u32,
}

impl Stamp {
    pub fn new(now: Timestamp) -> Stamp {
        Stamp { active: true, deleted: false, created_at: now, updated_at: now, sync_token: 0 }
    }
    /// One more version.
    pub fn touch(&mut self, now: Timestamp) {
        self.updated_at = now;
        self.sync_token += 1;
    }
}
