//! How documents post: which accounts, which amounts, in home currency.
//!
//! QuickBooks: `providers` contract "How each transaction posts" (the accounting of the QuickBooks Online entity reference,
//! <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice>). Xero: the line shapes of
//! <https://developer.xero.com/documentation/api/accounting/journals>: the control account takes the gross amount, the tax account the
//! tax, the lines the rest.
use super::{AccountId, AccountType, Books, ContactId, Document, DocumentId, Face, Kind, Line, Posting, Status, TaxLine};
use crate::money::{Cents, Rate};
use std::collections::BTreeMap;

impl Kind {
    /// Which way positive lines post: 1 debits the line's account, -1 credits it. Payments have no lines.
    pub fn line_sign(self) -> i64 {
        match self {
            Kind::Invoice | Kind::SalesReceipt | Kind::Deposit | Kind::VendorCredit => -1,
            Kind::CreditMemo | Kind::RefundReceipt | Kind::Bill | Kind::Expense | Kind::Transfer | Kind::Journal => 1,
            Kind::Payment | Kind::BillPayment => 0,
        }
    }
    pub fn is_payment(self) -> bool {
        matches!(self, Kind::Payment | Kind::BillPayment)
    }
    /// Credit memos and vendor credits.
    pub fn is_credit(self) -> bool {
        matches!(self, Kind::CreditMemo | Kind::VendorCredit)
    }
    /// Stands against a receivable or payable account and stays open until paid or used up.
    pub fn is_open_item(self) -> bool {
        matches!(self, Kind::Invoice | Kind::Bill | Kind::CreditMemo | Kind::VendorCredit)
    }
    /// On the customers' side; the others are the suppliers' side or neither.
    pub fn is_receivable(self) -> bool {
        matches!(self, Kind::Invoice | Kind::CreditMemo | Kind::Payment)
    }
}

impl AccountType {
    /// Xero refuses bank (cards are bank accounts there), inventory, receivable, payable and retained-earnings accounts:
    /// <https://developer.xero.com/documentation/api/accounting/manualjournals>.
    pub fn allowed_in_manual_journal(self) -> bool {
        use AccountType::*;
        !matches!(self, Bank | CreditCard | Inventory | Receivable | Payable | RetainedEarnings)
    }
}

impl Kind {
    /// Whether `Document::account` (and `to_account`) of this kind may be of this type. Open items stand on control accounts, journals on
    /// none; this is about the others.
    pub fn may_stand_on(self, face: Face, account_type: AccountType) -> bool {
        use AccountType::*;
        match (face, self) {
            (Face::Xero, Kind::Payment | Kind::BillPayment) => !matches!(account_type, Receivable | Payable),
            (Face::Xero, _) => matches!(account_type, Bank | CreditCard),
            (Face::QuickBooks, Kind::Expense | Kind::BillPayment) => matches!(account_type, Bank | CreditCard),
            (Face::QuickBooks, Kind::Transfer) => !account_type.is_profit_and_loss() && !matches!(account_type, Receivable | Payable),
            (Face::QuickBooks, _) => matches!(account_type, Bank | CurrentAsset),
        }
    }
}

fn signed(sign: i64, amount: Cents) -> Cents {
    Cents(sign * amount.0)
}

/// `amount * basis_points / 10000`, rounded half away from zero.
pub fn tax_on(amount: Cents, basis_points: i64) -> Cents {
    amount.at(Rate(basis_points * (Rate::SCALE / 10_000)))
}

impl Books {
    /// The document's current postings in home currency; they sum to exactly zero. Empty for drafts, voided and deleted documents.
    /// First the control, bank or card side (without description), then the tax accounts, then the lines.
    pub fn postings(&self, document: &Document) -> Vec<Posting> {
        if document.status != Status::Active {
            return Vec::new();
        }
        if document.kind.is_payment() { self.payment_postings(document) } else { self.line_postings(document) }
    }

    fn line_postings(&self, document: &Document) -> Vec<Posting> {
        let sign = document.kind.line_sign();
        let mut lines = Vec::with_capacity(document.lines.len() + document.taxes.len() + 1);
        // Xero splits the other side and the taxes by what the lines are tracked by; elsewhere there is one part of each.
        let splits = self.face == Face::Xero && document.lines.iter().any(|line| !line.tracking.is_empty());
        let mut other_side: BTreeMap<&[u64], Cents> = BTreeMap::new();
        for tax in &document.taxes {
            let Some(rate) = self.tax_rate(tax.tax_rate) else { continue };
            for (tracking, part) in self.tax_parts(document, tax, splits) {
                let amount = signed(sign, part);
                *other_side.entry(tracking).or_default() -= amount;
                lines.push(Posting {
                    account: rate.account,
                    amount,
                    contact: document.contact,
                    description: rate.name.clone(),
                    tax_rate: None,
                    tax: Cents::ZERO,
                    tracking: tracking.to_vec(),
                });
            }
        }
        for line in &document.lines {
            let amount = signed(sign, line.amount.at(document.rate));
            let tracking = if splits { line.tracking.as_slice() } else { &[] };
            *other_side.entry(tracking).or_default() -= amount;
            lines.push(Posting {
                account: line.account,
                amount,
                contact: line.contact.or(document.contact),
                description: line.description.clone(),
                tax_rate: line.tax_rate,
                tax: signed(sign, self.line_tax(line).at(document.rate)),
                tracking: tracking.to_vec(),
            });
        }
        let mut postings = Vec::with_capacity(lines.len() + 2);
        if let Some(account) = document.account {
            // A credit used against an invoice of another rate leaves the difference as a realised gain or loss.
            let gain: Cents = if document.kind.is_credit() {
                document.applications.iter().map(|a| signed(sign, a.amount.at(self.rate_of(a.document)) - a.amount.at(document.rate))).sum()
            } else {
                Cents::ZERO
            };
            let mut left = gain;
            for (tracking, amount) in other_side {
                postings.push(Posting { tracking: tracking.to_vec(), ..plain(account, amount - left, document.contact, "") });
                left = Cents::ZERO;
            }
            self.push_gain(&mut postings, gain, document);
        }
        postings.append(&mut lines);
        postings.append(&mut self.stock_postings(document));
        postings.retain(|p| !p.amount.is_zero());
        postings
    }

    /// The home amounts of a tax by what its lines are tracked by; the last part takes what rounding leaves of the whole.
    fn tax_parts<'a>(&self, document: &'a Document, tax: &TaxLine, splits: bool) -> Vec<(&'a [u64], Cents)> {
        let whole = tax.tax.at(document.rate);
        if !splits {
            return vec![(&[], whole)];
        }
        let mut parts: BTreeMap<&[u64], Cents> = BTreeMap::new();
        for line in document.lines.iter().filter(|line| line.tax_rate == Some(tax.tax_rate)) {
            *parts.entry(&line.tracking).or_default() += self.line_tax(line);
        }
        let count = parts.len();
        let mut left = whole;
        let part = |(index, (tracking, amount)): (usize, (&'a [u64], Cents))| {
            let home = if index + 1 == count { left } else { amount.at(document.rate) };
            left -= home;
            (tracking, home)
        };
        parts.into_iter().enumerate().map(part).collect()
    }

    /// Bank against control. The control account is credited at the rate of what is paid, the bank debited at the payment's own rate;
    /// the difference is a realised currency gain or loss.
    fn payment_postings(&self, document: &Document) -> Vec<Posting> {
        if let [application] = document.applications.as_slice()
            && self.advance(application.document).is_some()
            && let Some(advance) = self.documents.get(&application.document)
        {
            return self.refund_postings(document, advance, application.amount);
        }
        let sign = if document.kind == Kind::Payment { 1 } else { -1 };
        let bank = signed(sign, self.total(document).at(document.rate));
        let mut control: BTreeMap<AccountId, Cents> = BTreeMap::new();
        for application in &document.applications {
            let Some(target) = self.documents.get(&application.document) else { continue };
            let Some(account) = target.account else { continue };
            *control.entry(account).or_default() -= signed(sign * direction(target.kind), application.amount.at(target.rate));
        }
        if !document.unapplied.is_zero()
            && let Some(account) = self.control_account(document.kind == Kind::Payment, &document.currency)
        {
            *control.entry(account).or_default() -= signed(sign, document.unapplied.at(document.rate));
        }
        let gain = -(bank + control.values().copied().sum());
        let mut postings = Vec::with_capacity(control.len() + 2);
        if let Some(account) = document.account {
            postings.push(plain(account, bank, document.contact, ""));
        }
        for (account, amount) in control {
            postings.push(plain(account, amount, document.contact, ""));
        }
        self.push_gain(&mut postings, gain, document);
        postings.retain(|p| !p.amount.is_zero());
        postings
    }

    pub(super) fn push_gain(&self, postings: &mut Vec<Posting>, gain: Cents, document: &Document) {
        if gain.is_zero() {
            return;
        }
        let account = self.account_of(AccountType::CurrencyGain).expect("books with foreign documents have a currency gain account");
        postings.push(plain(account, gain, document.contact, "Realised currency gain or loss"));
    }

    fn rate_of(&self, document: DocumentId) -> Rate {
        self.documents.get(&document).map_or(Rate::ONE, |d| d.rate)
    }

    /// The tax of one line, in the document's currency. Xero rounds here, QuickBooks on the sum per rate.
    pub fn line_tax(&self, line: &Line) -> Cents {
        let rate = line.tax_rate.and_then(|id| self.tax_rate(id));
        rate.map_or(Cents::ZERO, |rate| line.tax_amount.unwrap_or_else(|| tax_on(line.amount, rate.basis_points)))
    }

    /// The tax lines that belong to `lines`: one per rate, in the order of first use.
    pub fn taxes_of(&self, kind: Kind, lines: &[Line]) -> Vec<TaxLine> {
        let mut taxes: Vec<TaxLine> = Vec::new();
        if kind == Kind::Journal || kind == Kind::Transfer {
            return taxes;
        }
        for line in lines {
            let Some(id) = line.tax_rate else { continue };
            let tax = self.line_tax(line);
            match taxes.iter_mut().find(|t| t.tax_rate == id) {
                Some(known) => {
                    known.net += line.amount;
                    known.tax += tax;
                }
                None => taxes.push(TaxLine { tax_rate: id, net: line.amount, tax }),
            }
        }
        if self.face == Face::QuickBooks {
            for line in &mut taxes {
                line.tax = self.tax_rate(line.tax_rate).map_or(Cents::ZERO, |rate| tax_on(line.net, rate.basis_points));
            }
        }
        taxes
    }

    /// Gross, in the document's currency. Payments: what moved at the bank. Journals: the sum of the debits.
    pub fn total(&self, document: &Document) -> Cents {
        match document.kind {
            Kind::Payment | Kind::BillPayment => {
                document.unapplied
                    + document
                        .applications
                        .iter()
                        .map(|a| signed(self.documents.get(&a.document).map_or(1, |target| direction(target.kind)), a.amount))
                        .sum()
            }
            Kind::Journal => document.lines.iter().map(|l| l.amount).filter(|amount| amount.0 > 0).sum(),
            _ => self.net_total(document) + document.taxes.iter().map(|t| t.tax).sum(),
        }
    }

    /// Without tax, in the document's currency.
    pub fn net_total(&self, document: &Document) -> Cents {
        match document.kind {
            Kind::Payment | Kind::BillPayment | Kind::Journal => self.total(document),
            _ => document.lines.iter().map(|l| l.amount).sum(),
        }
    }

    /// What is still open, in the document's currency: of an invoice or bill the unpaid part, of a credit the unused part, of a payment
    /// the unapplied part. Zero for voided and deleted documents and for all other kinds.
    pub fn amount_due(&self, id: DocumentId) -> Cents {
        let Some(document) = self.documents.get(&id) else { return Cents::ZERO };
        if matches!(document.status, Status::Voided | Status::Deleted) {
            return Cents::ZERO;
        }
        match document.kind {
            Kind::Payment | Kind::BillPayment => document.unapplied,
            kind if kind.is_open_item() => {
                let used: Cents = document.applications.iter().map(|a| a.amount).sum();
                self.total(document) - used - self.payments_of(id).into_iter().map(|(_, amount)| amount).sum()
            }
            _ => Cents::ZERO,
        }
    }

    /// The documents that pay or use up this one now (payments, and credits allocated to it), with the amount in its currency.
    pub fn payments_of(&self, id: DocumentId) -> Vec<(DocumentId, Cents)> {
        let Some(payers) = self.payers.get(&id) else { return Vec::new() };
        payers
            .iter()
            .filter_map(|payer| self.documents.get(payer))
            .filter(|payer| payer.status == Status::Active)
            .map(|payer| (payer.id, payer.applications.iter().filter(|a| a.document == id).map(|a| a.amount).sum::<Cents>()))
            .filter(|(_, amount)| !amount.is_zero())
            .collect()
    }

    /// Home-currency balances of a contact: (what it owes on receivable accounts, what is owed to it on payable accounts).
    pub fn contact_balance(&self, contact: ContactId) -> (Cents, Cents) {
        let (receivable, payable) = self.contact_balances.get(&contact).copied().unwrap_or_default();
        (receivable, -payable)
    }
}

/// A payment grows by what it pays and shrinks by the credits it uses up and the advances it pays back.
pub(super) fn direction(target: Kind) -> i64 {
    if target.is_credit() || !matches!(target, Kind::Invoice | Kind::Bill) { -1 } else { 1 }
}

pub(super) fn plain(account: AccountId, amount: Cents, contact: Option<ContactId>, description: &str) -> Posting {
    Posting { account, amount, contact, description: description.to_owned(), tax_rate: None, tax: Cents::ZERO, tracking: Vec::new() }
}
