//! The truth: double-entry books of one imagined company. Both faces are views of this; nothing is stored twice.
//!
//! A document posts by the rules in `posting.rs`; every create, edit, void and delete also appends to `journals`, which is never
//! changed (Xero's Journals are this list; QuickBooks' reports read the current postings). On the cash basis it posts by `cash.rs`. The sum of all postings is zero at any time.
pub mod cash;
pub mod changes;
pub mod chart;
pub mod generator;
pub mod guid;
mod history;
pub mod journal_csv;
pub mod lists;
mod merge;
pub mod new_document;
pub mod posting;
pub mod recent;
pub mod stock;
pub mod trial_balance;
pub mod xero;

pub use cash::Basis;
pub use lists::Lists;
pub use new_document::{NewDocument, NewLine};

use crate::money::{Cents, Rate};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Which face a company is seen through. One company lives at one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Face {
    QuickBooks,
    Xero,
}

pub type AccountId = u64;
pub type ContactId = u64;
pub type ItemId = u64;
pub type DocumentId = u64;

/// One company's books.
#[derive(Clone, Debug)]
pub struct Books {
    /// QuickBooks: the realm id, a decimal text of 16 digits. Xero: the tenant id, a guid. Also the key of the sandbox's list of companies.
    pub id: String,
    pub face: Face,
    pub name: String,
    pub legal_name: String,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// ISO 4217 code of the home (base) currency.
    pub currency: String,
    /// IANA name, e.g. `Pacific/Auckland`.
    pub time_zone: String,
    /// 1-12: the month in which the fiscal year begins.
    pub fiscal_year_start_month: i8,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Seed of the deterministic ids (guids) of this company.
    pub seed: u64,
    pub accounts: BTreeMap<AccountId, Account>,
    pub contacts: BTreeMap<ContactId, Contact>,
    pub items: BTreeMap<ItemId, Item>,
    pub tax_rates: Vec<TaxRate>,
    /// Classes, terms, employees, orders and the like.
    pub lists: Lists,
    /// All documents ever made, deleted and voided ones included (see `Document::status`).
    pub documents: BTreeMap<DocumentId, Document>,
    /// Current documents by accounting date, for windows. Kept by `posting.rs`.
    pub by_date: BTreeMap<Date, BTreeSet<DocumentId>>,
    /// Append-only: every posting event, numbered with gaps as Xero's are.
    pub journals: Vec<Journal>,
    /// What only a Xero organisation keeps.
    pub xero: xero::XeroLists,
    pub next_id: u64,
    pub next_journal_number: u64,
    /// Sums of the current postings by day and month. Kept by `trial_balance.rs`.
    pub(crate) sums: trial_balance::Sums,
    /// The newest changes, for webhooks.
    pub recent: recent::Recent,
    /// What is on hand of counted items. Kept by `stock.rs`.
    pub(crate) stock: stock::Stock,
    /// The same on the cash basis. Kept by `cash.rs`.
    pub(crate) cash: cash::CashBooks,
    /// Documents that name another one in `applications`, by the one named; deleted and voided payers included.
    pub(crate) payers: HashMap<DocumentId, Vec<DocumentId>>,
    /// The last automatic number given out per kind.
    pub(crate) last_number: BTreeMap<Kind, u64>,
    /// Home-currency balance on receivable and payable accounts per contact.
    pub(crate) contact_balances: HashMap<ContactId, (Cents, Cents)>,
}

/// `Journal::document` of conversion balances, which come from no document.
pub const NO_DOCUMENT: DocumentId = 0;

/// The type of an account in neutral words, fine enough to give both providers' types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountType {
    Bank,
    Receivable,
    CurrentAsset,
    /// Inventory asset.
    Inventory,
    FixedAsset,
    OtherAsset,
    Payable,
    CreditCard,
    CurrentLiability,
    /// Sales tax, GST or VAT owed.
    TaxPayable,
    LongTermLiability,
    Equity,
    RetainedEarnings,
    Income,
    OtherIncome,
    CostOfSales,
    Expense,
    Depreciation,
    OtherExpense,
    /// Realised gains and losses on foreign currency.
    CurrencyGain,
}

impl AccountType {
    /// Debits increase it: assets and expenses.
    pub fn is_debit_normal(self) -> bool {
        use AccountType::*;
        matches!(
            self,
            Bank | Receivable
                | CurrentAsset
                | Inventory
                | FixedAsset
                | OtherAsset
                | CostOfSales
                | Expense
                | Depreciation
                | OtherExpense
                | CurrencyGain
        )
    }
    pub fn is_profit_and_loss(self) -> bool {
        use AccountType::*;
        matches!(self, Income | OtherIncome | CostOfSales | Expense | Depreciation | OtherExpense | CurrencyGain)
    }
    /// The word used in a general-journal file: `bank`, `receivable`, `current_asset`, ...
    pub fn word(self) -> &'static str {
        use AccountType::*;
        match self {
            Bank => "bank",
            Receivable => "receivable",
            CurrentAsset => "current_asset",
            Inventory => "inventory",
            FixedAsset => "fixed_asset",
            OtherAsset => "other_asset",
            Payable => "payable",
            CreditCard => "credit_card",
            CurrentLiability => "current_liability",
            TaxPayable => "tax_payable",
            LongTermLiability => "long_term_liability",
            Equity => "equity",
            RetainedEarnings => "retained_earnings",
            Income => "income",
            OtherIncome => "other_income",
            CostOfSales => "cost_of_sales",
            Expense => "expense",
            Depreciation => "depreciation",
            OtherExpense => "other_expense",
            CurrencyGain => "currency_gain",
        }
    }
    pub const ALL: [AccountType; 20] = {
        use AccountType::*;
        [
            Bank,
            Receivable,
            CurrentAsset,
            Inventory,
            FixedAsset,
            OtherAsset,
            Payable,
            CreditCard,
            CurrentLiability,
            TaxPayable,
            LongTermLiability,
            Equity,
            RetainedEarnings,
            Income,
            OtherIncome,
            CostOfSales,
            Expense,
            Depreciation,
            OtherExpense,
            CurrencyGain,
        ]
    };
    pub fn from_word(word: &str) -> Option<AccountType> {
        Self::ALL.into_iter().find(|t| t.word() == word)
    }
}

#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    /// Account number; may be empty.
    pub code: String,
    pub account_type: AccountType,
    pub parent: Option<AccountId>,
    /// Currency of a bank, receivable or payable account; the home currency for all others.
    pub currency: String,
    /// False: inactive (QuickBooks) or archived (Xero).
    pub active: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub sync_token: u32,
}

#[derive(Clone, Debug)]
pub struct Contact {
    pub id: ContactId,
    pub name: String,
    pub email: String,
    pub is_customer: bool,
    pub is_supplier: bool,
    pub currency: String,
    pub active: bool,
    /// Xero: the contact this one was merged into.
    pub merged_into: Option<ContactId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub sync_token: u32,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub id: ItemId,
    pub name: String,
    pub description: String,
    pub unit_price: Cents,
    pub income_account: AccountId,
    pub expense_account: Option<AccountId>,
    pub active: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub sync_token: u32,
}

/// A sales or purchase tax. `basis_points`: 825 is 8.25 %.
#[derive(Clone, Debug)]
pub struct TaxRate {
    pub id: u64,
    pub name: String,
    /// Xero's TaxType (`OUTPUT2`, `INPUT2`, `NONE`); QuickBooks uses the id.
    pub code: String,
    pub basis_points: i64,
    /// Where the tax is posted.
    pub account: AccountId,
    pub for_sales: bool,
    pub for_purchases: bool,
}

/// What a document is, in neutral words. How each face shows it stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// QuickBooks Invoice · Xero Invoice ACCREC.
    Invoice,
    /// QuickBooks CreditMemo · Xero CreditNote ACCRECCREDIT.
    CreditMemo,
    /// Sold and paid at once. QuickBooks SalesReceipt · Xero BankTransaction RECEIVE.
    SalesReceipt,
    /// QuickBooks RefundReceipt · Xero BankTransaction SPEND.
    RefundReceipt,
    /// Received from a customer. QuickBooks Payment · Xero Payment ACCRECPAYMENT (exactly one application).
    Payment,
    /// QuickBooks Bill · Xero Invoice ACCPAY.
    Bill,
    /// QuickBooks VendorCredit · Xero CreditNote ACCPAYCREDIT.
    VendorCredit,
    /// Paid to a supplier. QuickBooks BillPayment · Xero Payment ACCPAYPAYMENT (exactly one application).
    BillPayment,
    /// Spent from a bank or card account. QuickBooks Purchase · Xero BankTransaction SPEND.
    Expense,
    /// Received into a bank account. QuickBooks Deposit · Xero BankTransaction RECEIVE.
    Deposit,
    /// QuickBooks Transfer · Xero BankTransfer.
    Transfer,
    /// QuickBooks JournalEntry · Xero ManualJournal.
    Journal,
}

impl Kind {
    /// The word of the control API and of general-journal files.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Invoice => "invoice",
            Kind::CreditMemo => "credit_memo",
            Kind::SalesReceipt => "sales_receipt",
            Kind::RefundReceipt => "refund_receipt",
            Kind::Payment => "payment",
            Kind::Bill => "bill",
            Kind::VendorCredit => "vendor_credit",
            Kind::BillPayment => "bill_payment",
            Kind::Expense => "expense",
            Kind::Deposit => "deposit",
            Kind::Transfer => "transfer",
            Kind::Journal => "journal",
        }
    }
    pub const ALL: [Kind; 12] = [
        Kind::Invoice,
        Kind::CreditMemo,
        Kind::SalesReceipt,
        Kind::RefundReceipt,
        Kind::Payment,
        Kind::Bill,
        Kind::VendorCredit,
        Kind::BillPayment,
        Kind::Expense,
        Kind::Deposit,
        Kind::Transfer,
        Kind::Journal,
    ];
    pub fn from_word(word: &str) -> Option<Kind> {
        Self::ALL.into_iter().find(|k| k.word() == word)
    }
    /// Invoices, credit memos and receipts: lines carry income; the other side is the control or deposit account.
    pub fn is_sale(self) -> bool {
        matches!(self, Kind::Invoice | Kind::CreditMemo | Kind::SalesReceipt | Kind::RefundReceipt)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Posts nothing yet (Xero DRAFT). QuickBooks has none.
    Draft,
    Active,
    /// Kept, posts nothing. In QuickBooks all amounts read zero; in Xero the status is VOIDED.
    Voided,
    /// QuickBooks: gone, a stub in CDC. Xero: status DELETED, still listed.
    Deleted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub id: DocumentId,
    pub kind: Kind,
    pub status: Status,
    pub number: String,
    pub date: Date,
    pub due_date: Option<Date>,
    pub contact: Option<ContactId>,
    /// Currency of `lines` and `applications`.
    pub currency: String,
    /// Home units per unit of `currency`; `Rate::ONE` in the home currency.
    pub rate: Rate,
    /// The side the lines stand against: receivable or payable account; bank or card account; the account a transfer leaves.
    /// `None` for journals.
    pub account: Option<AccountId>,
    /// The account a transfer goes to.
    pub to_account: Option<AccountId>,
    pub lines: Vec<Line>,
    /// Tax on top of the lines, one per rate.
    pub taxes: Vec<TaxLine>,
    /// What a payment pays: invoices (Payment) or bills (BillPayment); at QuickBooks also the credits it uses up (a credit memo or vendor
    /// credit), which count against it. The total of a payment is invoices minus credits plus `unapplied`, so a QuickBooks payment that
    /// only applies a credit has the total zero. In a Xero credit note: its allocations to invoices or bills.
    pub applications: Vec<Application>,
    /// The part of a payment that pays nothing yet (QuickBooks UnappliedAmt).
    pub unapplied: Cents,
    pub memo: String,
    pub details: Details,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub sync_token: u32,
}

/// What a document says besides, none of which posts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Of `Lists::terms`.
    pub term: Option<u64>,
    /// Of `Lists::payment_methods`.
    pub payment_method: Option<u64>,
    /// Number of a cheque or card slip.
    pub payment_reference: String,
    /// Tracking options of the whole document (a QuickBooks location).
    pub tracking: Vec<u64>,
    /// Xero: Reference.
    pub reference: String,
    pub variant: Option<Variant>,
}

/// A document that a face shows under a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// A transfer that pays down a card: QuickBooks CreditCardPayment.
    CardPayment,
    /// A journal that changes a quantity on hand: QuickBooks InventoryAdjustment.
    InventoryAdjustment,
    /// What an item had on hand when it was entered; QuickBooks shows it in reports only.
    InventoryStart,
    /// A journal or bank transaction of a Xero expense claim, listed nowhere else.
    ExpenseClaim,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// 1, 2, 3 within the document; stable over edits.
    pub id: u64,
    pub account: AccountId,
    pub item: Option<ItemId>,
    pub description: String,
    /// In hundredths of a unit: 150 is 1.5.
    pub quantity_hundredths: i64,
    pub unit_price: Cents,
    /// Net of tax, in the document's currency. Positive in the natural direction of the document; negative lines (a discount, a refund) go
    /// the other way. In a journal: debits positive, credits negative.
    pub amount: Cents,
    pub tax_rate: Option<u64>,
    /// Xero: the tax in the document's currency where it was given with the line, as with amounts that include it; otherwise it follows
    /// from the rate.
    pub tax_amount: Option<Cents>,
    /// Journals: the customer or vendor of a receivable or payable line.
    pub contact: Option<ContactId>,
    /// Tracking options (a QuickBooks class), at most one of each dimension.
    pub tracking: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxLine {
    pub tax_rate: u64,
    /// In the document's currency.
    pub net: Cents,
    pub tax: Cents,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Application {
    pub document: DocumentId,
    /// In the document's currency.
    pub amount: Cents,
}

/// One side of a posting event, in home currency; debits positive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    pub account: AccountId,
    pub amount: Cents,
    pub contact: Option<ContactId>,
    pub description: String,
    /// Xero: lines that came from a document line carry its tax code, control, tax and bank lines do not.
    pub tax_rate: Option<u64>,
    /// Xero: the tax that belongs to such a line, home currency, signed like `amount`; zero on all other lines.
    pub tax: Cents,
    /// Xero: the tracking options of the document lines it covers.
    pub tracking: Vec<u64>,
}

/// One posting event of the append-only history. An edit appends the negation of the old and then the new postings; a void or a
/// deletion appends the negation.
#[derive(Clone, Debug)]
pub struct Journal {
    pub number: u64,
    pub date: Date,
    pub created_at: Timestamp,
    /// `NO_DOCUMENT`: conversion balances, which have no source.
    pub document: DocumentId,
    pub kind: Kind,
    pub postings: Vec<Posting>,
}

/// A change made by a person in the provider's own screens, as the control API makes it.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Changes the document's first line to this amount (net, in the document's currency), taxes following.
    Amount(Cents),
    Date(Date),
    Memo(String),
    Contact(ContactId),
}

/// Why an edit is refused: a sentence that names what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);
