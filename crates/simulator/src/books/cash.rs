//! The cash basis: what an invoice or a bill earned or cost counts on the day it is paid, and as far as it is paid.
//!
//! Neither provider publishes its algorithm (providers/quickbooks.md 7.6, rule 6), so this is the plain textbook reading of it, and only what
//! both document is built on: an unpaid invoice shows nowhere; a payment brings in its share of every line and tax of what it pays; a credit
//! counts when it is used; what a QuickBooks payment pays in advance stands in Unapplied Cash Payment Income or Unapplied Cash Bill Payment
//! Expense. Everything that is paid at once, and every journal, counts as on the accrual basis. A payment counts on its own day, also where
//! what it pays is dated later.
use super::posting::direction;
use super::{AccountId, AccountType, Books, Document, DocumentId, Face, Journal, Kind, Posting, Status};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::HashMap;

/// When income and costs count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// When they are invoiced or billed.
    #[default]
    Accrual,
    /// When they are paid.
    Cash,
}

impl Basis {
    /// `Accrual`, `Cash`: as QuickBooks spells it.
    pub fn word(self) -> &'static str {
        match self {
            Basis::Accrual => "Accrual",
            Basis::Cash => "Cash",
        }
    }
}

/// What the cash basis keeps beside the documents. Kept by `Books::posted`.
#[derive(Clone, Debug, Default)]
pub(crate) struct CashBooks {
    pub sums: super::trial_balance::Sums,
    /// Append-only, as `Books::journals`, with numbers of its own; for Xero.
    pub journals: Vec<Journal>,
    pub next_number: u64,
    /// What payments and used credits post now, and on which day: it changes with what they pay.
    posted: HashMap<DocumentId, (Date, Vec<Posting>)>,
    unapplied_income: Option<AccountId>,
    unapplied_expense: Option<AccountId>,
}

impl CashBooks {
    /// Moves everything that stands on one account to another.
    pub(super) fn merge_accounts(&mut self, from: AccountId, into: AccountId) {
        self.sums.merge(from, into);
        let of_documents = self.posted.values_mut().flat_map(|(_, postings)| postings);
        let of_journals = self.journals.iter_mut().flat_map(|journal| &mut journal.postings);
        for posting in of_documents.chain(of_journals).filter(|posting| posting.account == from) {
            posting.account = into;
        }
        for account in [&mut self.unapplied_income, &mut self.unapplied_expense].into_iter().flatten().filter(|account| **account == from) {
            *account = into;
        }
    }
}

/// A line or tax of a document, and its part of the whole.
struct Part {
    account: AccountId,
    /// In the document's currency.
    weight: Cents,
    tax_rate: Option<u64>,
    tax: Cents,
}

impl Books {
    /// The document's current postings on the cash basis; they sum to exactly zero.
    pub fn cash_postings(&self, document: &Document) -> Vec<Posting> {
        if document.status != Status::Active {
            return Vec::new();
        }
        match document.kind {
            kind if kind.is_payment() => self.cash_of_payment(document),
            // goods count when they come and leave, on either basis
            kind if kind.is_open_item() => {
                let mut postings = self.cash_of_credit(document);
                postings.append(&mut self.stock_postings(document));
                postings
            }
            _ => self.postings(document),
        }
    }

    /// Bank, then each line and tax of what is paid, in proportion.
    fn cash_of_payment(&self, payment: &Document) -> Vec<Posting> {
        let sign = if payment.kind == Kind::Payment { 1 } else { -1 };
        let mut postings = Vec::new();
        if let Some(account) = payment.account {
            postings.push(self.cash_posting(payment, account, Cents(sign * self.total(payment).at(payment.rate).0)));
        }
        for application in &payment.applications {
            let Some(target) = self.documents.get(&application.document) else { continue };
            let amount = Cents(-sign * direction(target.kind) * application.amount.at(target.rate).0);
            self.push_shares(&mut postings, payment, target, amount);
        }
        if !payment.unapplied.is_zero()
            && let Some(account) = self.unapplied_account(payment)
        {
            postings.push(self.cash_posting(payment, account, Cents(-sign * payment.unapplied.at(payment.rate).0)));
        }
        self.balanced_by_gain(postings, payment)
    }

    /// Xero: the part of a credit note that is allocated, against the same part of what it is allocated to.
    fn cash_of_credit(&self, credit: &Document) -> Vec<Posting> {
        let mut postings = Vec::new();
        for application in &credit.applications {
            let Some(target) = self.documents.get(&application.document) else { continue };
            let sign = credit.kind.line_sign();
            self.push_shares(&mut postings, credit, credit, Cents(sign * application.amount.at(credit.rate).0));
            self.push_shares(&mut postings, credit, target, Cents(-sign * application.amount.at(target.rate).0));
        }
        self.balanced_by_gain(postings, credit)
    }

    /// A difference of rates between a payment and what it pays is a realised gain or loss on either basis.
    fn balanced_by_gain(&self, mut postings: Vec<Posting>, document: &Document) -> Vec<Posting> {
        let gain = -postings.iter().map(|posting| posting.amount).sum::<Cents>();
        self.push_gain(&mut postings, gain, document);
        postings.retain(|posting| !posting.amount.is_zero());
        postings
    }

    /// Divides `amount` over the taxes and lines of `target`; the parts add up to it to the cent.
    fn push_shares(&self, postings: &mut Vec<Posting>, document: &Document, target: &Document, amount: Cents) {
        let taxes = target.taxes.iter().filter_map(|tax| {
            let account = self.tax_rate(tax.tax_rate)?.account;
            Some(Part { account, weight: tax.tax, tax_rate: None, tax: Cents::ZERO })
        });
        let lines =
            target.lines.iter().map(|line| Part { account: line.account, weight: line.amount, tax_rate: line.tax_rate, tax: self.line_tax(line) });
        let parts: Vec<Part> = taxes.chain(lines).collect();
        let whole: Cents = parts.iter().map(|part| part.weight).sum();
        let (mut weight, mut given) = (Cents::ZERO, Cents::ZERO);
        for part in parts {
            weight += part.weight;
            let until_here = portion(amount, weight, whole);
            let posting = self.cash_posting(document, part.account, until_here - given);
            postings.push(Posting { tax_rate: part.tax_rate, tax: portion(amount, part.tax, whole), ..posting });
            given = until_here;
        }
    }

    fn cash_posting(&self, document: &Document, account: AccountId, amount: Cents) -> Posting {
        Posting { account, amount, contact: document.contact, description: String::new(), tax_rate: None, tax: Cents::ZERO, tracking: Vec::new() }
    }

    /// Where a payment in advance counts: QuickBooks' two accounts for it, elsewhere the control account.
    fn unapplied_account(&self, payment: &Document) -> Option<AccountId> {
        let receivable = payment.kind == Kind::Payment;
        let own = if receivable { self.cash.unapplied_income } else { self.cash.unapplied_expense };
        own.or_else(|| self.control_account(receivable, &payment.currency))
    }

    /// The detail type of the two accounts that QuickBooks makes for payments in advance.
    pub fn unapplied_subtype(&self, account: AccountId) -> Option<&'static str> {
        if self.cash.unapplied_income == Some(account) {
            Some("UnappliedCashPaymentIncome")
        } else if self.cash.unapplied_expense == Some(account) {
            Some("UnappliedCashBillPaymentExpense")
        } else {
            None
        }
    }

    /// QuickBooks makes them with the first payment that needs one.
    fn enter_unapplied_account(&mut self, id: DocumentId, now: Timestamp) {
        let payment = &self.documents[&id];
        if self.face != Face::QuickBooks || !payment.kind.is_payment() || payment.unapplied.is_zero() {
            return;
        }
        if payment.kind == Kind::Payment && self.cash.unapplied_income.is_none() {
            let account = self.add_account("Unapplied Cash Payment Income", "", AccountType::Income, None, None, now);
            self.cash.unapplied_income = Some(account);
        }
        if self.documents[&id].kind == Kind::BillPayment && self.cash.unapplied_expense.is_none() {
            let account = self.add_account("Unapplied Cash Bill Payment Expense", "", AccountType::Expense, None, None, now);
            self.cash.unapplied_expense = Some(account);
        }
    }

    /// Brings the cash basis up to date after a document changed: its own part of it, and that of everything that pays it.
    pub(super) fn cash_posted(&mut self, id: DocumentId, now: Timestamp) {
        self.enter_unapplied_account(id, now);
        self.refresh_cash(id, now);
        for payer in self.payers.get(&id).cloned().unwrap_or_default() {
            self.refresh_cash(payer, now);
        }
    }

    fn refresh_cash(&mut self, id: DocumentId, now: Timestamp) {
        let Some(document) = self.documents.get(&id) else { return };
        let (kind, date) = (document.kind, document.date);
        if !(kind.is_payment() || kind.is_open_item()) {
            return;
        }
        let after = self.cash_postings(document);
        let (old_date, before) = self.cash.posted.remove(&id).unwrap_or((date, Vec::new()));
        if before != after || old_date != date {
            self.cash_moved(id, kind, old_date, &before, date, &after, now);
        }
        if !after.is_empty() {
            self.cash.posted.insert(id, (date, after));
        }
    }

    /// Moves sums and appends journals from what was posted to what is posted now.
    #[allow(clippy::too_many_arguments)] // old and new of one posting event
    pub(super) fn cash_moved(
        &mut self,
        id: DocumentId,
        kind: Kind,
        old_date: Date,
        before: &[Posting],
        date: Date,
        after: &[Posting],
        now: Timestamp,
    ) {
        self.cash.sums.remove(old_date, before);
        self.cash.sums.add(date, after);
        if self.face != Face::Xero {
            return;
        }
        if !before.is_empty() {
            let negation = before.iter().map(|p| Posting { amount: -p.amount, tax: -p.tax, ..p.clone() }).collect();
            self.append_cash_journal(id, kind, old_date, negation, now);
        }
        if !after.is_empty() {
            self.append_cash_journal(id, kind, date, after.to_vec(), now);
        }
    }

    pub(super) fn append_cash_journal(&mut self, document: DocumentId, kind: Kind, date: Date, postings: Vec<Posting>, created_at: Timestamp) {
        let number = self.cash.next_number.max(1);
        self.cash.next_number = number + 1 + super::history::gap_after(!self.seed, number);
        self.cash.journals.push(Journal { number, date, created_at, document, kind, postings });
    }

    /// The numbered journals of a basis, oldest first.
    pub fn journals_on(&self, basis: Basis) -> &[Journal] {
        match basis {
            Basis::Accrual => &self.journals,
            Basis::Cash => &self.cash.journals,
        }
    }
}

/// `amount * part / whole`, rounded half away from zero; nothing of nothing.
fn portion(amount: Cents, part: Cents, whole: Cents) -> Cents {
    if whole.is_zero() {
        return Cents::ZERO;
    }
    let (product, whole) = (i128::from(amount.0) * i128::from(part.0), i128::from(whole.0));
    let half = whole.abs() / 2;
    let (product, whole) = if whole < 0 { (-product, -whole) } else { (product, whole) };
    let rounded = if product < 0 { (product - half) / whole } else { (product + half) / whole };
    Cents(i64::try_from(rounded).expect("a part of an amount is an amount"))
}
