//! Overpayments and prepayments: money that came or went before there was anything to pay, and its later use for invoices and bills.
//!
//! Each is a bank transaction (`Kind::Deposit` received, `Kind::Expense` spent). An overpayment stands on the receivable or payable account
//! itself; a prepayment on accounts of its own with tax, from where an allocation moves it. Sources:
//! <https://developer.xero.com/documentation/api/accounting/overpayments>, <https://developer.xero.com/documentation/api/accounting/prepayments>.
use crate::books::{AccountId, Application, Basis, Books, Document, DocumentId, Face, Kind, NewDocument, NewLine, Posting, Refused, Status};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Clone, Debug)]
pub struct Advance {
    /// True: a prepayment; false: an overpayment.
    pub is_prepayment: bool,
    pub allocations: Vec<AdvanceAllocation>,
}

#[derive(Clone, Debug)]
pub struct AdvanceAllocation {
    pub id: u64,
    pub document: DocumentId,
    pub amount: Cents,
    pub date: Date,
    /// What it posted, and what on the cash basis; taken back when it is removed.
    postings: [Vec<Posting>; 2],
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(reason.into()))
}

impl Books {
    /// Enters an overpayment or prepayment: `new` is a deposit (received) or an expense (spent). The lines of an overpayment are replaced
    /// by one on the control account, without tax.
    pub fn add_advance(&mut self, mut new: NewDocument, is_prepayment: bool, now: Timestamp) -> Result<DocumentId, Refused> {
        if self.face != Face::Xero || !matches!(new.kind, Kind::Deposit | Kind::Expense) {
            return refuse("an advance is a bank transaction of a Xero organisation");
        }
        if new.contact.is_none() {
            return refuse("an advance needs a contact");
        }
        if !is_prepayment {
            let amount: Cents = new.lines.iter().map(|line| line.amount).sum();
            let currency = new.currency.clone().unwrap_or_else(|| self.currency.clone());
            let control = self.control_account(new.kind == Kind::Deposit, &currency).ok_or_else(|| Refused("there is no control account".into()))?;
            let description = new.lines.first().map(|line| line.description.clone()).unwrap_or_default();
            new.lines = vec![NewLine::new(control, amount, description)];
        }
        if new.lines.iter().map(|line| line.amount).sum::<Cents>().0 <= 0 {
            return refuse("an advance needs an amount above zero");
        }
        let id = self.add_document(new, now)?;
        self.xero.advances.insert(id, Advance { is_prepayment, allocations: Vec::new() });
        Ok(id)
    }

    pub fn advance(&self, id: DocumentId) -> Option<&Advance> {
        self.xero.advances.get(&id)
    }

    /// What of an advance is neither used nor paid back, in its currency.
    pub fn advance_remaining(&self, id: DocumentId) -> Cents {
        let Some(document) = self.documents.get(&id).filter(|document| document.status == Status::Active) else { return Cents::ZERO };
        let used: Cents = document.applications.iter().map(|application| application.amount).sum();
        self.total(document) - used - self.payments_of(id).into_iter().map(|(_, amount)| amount).sum()
    }

    /// Uses part of an advance for an invoice or bill of the same contact and currency.
    pub fn allocate_advance(&mut self, id: DocumentId, target: DocumentId, amount: Cents, date: Date, now: Timestamp) -> Result<u64, Refused> {
        let advance = self.advance(id).ok_or_else(|| Refused(format!("{id} is neither an overpayment nor a prepayment")))?;
        let is_prepayment = advance.is_prepayment;
        let document = &self.documents[&id];
        let paid = self.documents.get(&target).ok_or_else(|| Refused(format!("there is no document {target}")))?;
        let wanted = if document.kind == Kind::Deposit { Kind::Invoice } else { Kind::Bill };
        if paid.kind != wanted || paid.status != Status::Active || paid.contact != document.contact || paid.currency != document.currency {
            return refuse(format!("it can be used for an approved {} of the same contact and currency only", wanted.word()));
        }
        let (left, due) = (self.advance_remaining(id), self.amount_due(target));
        if amount.0 <= 0 || amount > left || amount > due {
            return refuse(format!("{left} are left and {due} are open; {amount} cannot be allocated"));
        }
        let accrual = if is_prepayment { self.prepayment_use(document, paid, amount) } else { self.overpayment_use(document, paid, amount) };
        let postings = [accrual.clone(), self.cash_of_use(document, paid, accrual)];
        let kind = document.kind;
        let allocation = self.take_id();
        self.post_allocation(id, kind, date, postings.clone(), now);
        let advance = self.xero.advances.get_mut(&id).expect("looked up above");
        advance.allocations.push(AdvanceAllocation { id: allocation, document: target, amount, date, postings });
        self.settle_applications(id, now);
        Ok(allocation)
    }

    /// What the use of advances posted, and on which day: it belongs to no single document, since it moves what two of them posted.
    pub fn allocation_postings(&self, basis: Basis) -> impl Iterator<Item = (Date, &[Posting])> {
        let all = self.xero.advances.values().flat_map(|advance| &advance.allocations);
        all.map(move |allocation| {
            let [accrual, cash] = &allocation.postings;
            (allocation.date, if basis == Basis::Cash { cash.as_slice() } else { accrual.as_slice() })
        })
    }

    /// Takes an allocation of an advance back: the invoice is open again by its amount.
    pub fn deallocate_advance(&mut self, id: DocumentId, allocation: u64, now: Timestamp) -> Result<(), Refused> {
        let advance = self.xero.advances.get_mut(&id).ok_or_else(|| Refused(format!("{id} is neither an overpayment nor a prepayment")))?;
        let index = advance.allocations.iter().position(|a| a.id == allocation).ok_or_else(|| Refused("there is no such allocation".into()))?;
        let removed = advance.allocations.remove(index);
        let negation = removed.postings.map(|postings| postings.into_iter().map(|p| Posting { amount: -p.amount, tax: -p.tax, ..p }).collect());
        let kind = self.documents[&id].kind;
        self.post_allocation(id, kind, removed.date, negation, now);
        if let Some(target) = self.documents.get_mut(&removed.document) {
            target.updated_at = target.updated_at.max(now);
        }
        self.settle_applications(id, now);
        Ok(())
    }

    /// `applications` of the bank transaction are the sums of its allocations: by them the invoices know what paid them.
    fn settle_applications(&mut self, id: DocumentId, now: Timestamp) {
        let mut applications: Vec<Application> = Vec::new();
        for allocation in &self.xero.advances[&id].allocations {
            match applications.iter_mut().find(|known| known.document == allocation.document) {
                Some(known) => known.amount += allocation.amount,
                None => applications.push(Application { document: allocation.document, amount: allocation.amount }),
            }
        }
        for application in &applications {
            let payers = self.payers.entry(application.document).or_default();
            if !payers.contains(&id) {
                payers.push(id);
            }
        }
        let document = self.documents.get_mut(&id).expect("an advance is a document");
        document.applications = applications;
        document.updated_at = now;
        document.sync_token += 1;
        self.touch_paid(id, now);
    }

    fn post_allocation(&mut self, id: DocumentId, kind: Kind, date: Date, [postings, cash]: [Vec<Posting>; 2], now: Timestamp) {
        if postings.is_empty() {
            return;
        }
        self.cash_moved(id, kind, date, &[], date, &cash, now);
        self.sums.add(date, &postings);
        self.move_contact_balances(&postings, false);
        self.append_journal(id, kind, date, postings, now);
    }

    /// On the cash basis the invoice or bill counts now, by its lines and taxes instead of its control account.
    fn cash_of_use(&self, document: &Document, paid: &Document, accrual: Vec<Posting>) -> Vec<Posting> {
        let mut postings = accrual;
        if let Some(index) = postings.iter().rposition(|posting| Some(posting.account) == paid.account) {
            let control = postings.remove(index);
            postings.extend(self.shares(paid, control.amount, document));
        }
        postings
    }

    /// Nothing but the control account moves, there and back; a difference of rates is a realised gain or loss.
    fn overpayment_use(&self, document: &Document, paid: &Document, amount: Cents) -> Vec<Posting> {
        let sign = if document.kind == Kind::Deposit { 1 } else { -1 };
        let (Some(own), Some(control)) = (document.lines.first().map(|line| line.account), paid.account) else { return Vec::new() };
        let (freed, used) = (Cents(sign * amount.at(document.rate).0), Cents(-sign * amount.at(paid.rate).0));
        self.with_gain(vec![plain(own, freed, document), plain(control, used, document)], document)
    }

    /// The share of every line and tax goes back, the control account takes it.
    fn prepayment_use(&self, document: &Document, paid: &Document, amount: Cents) -> Vec<Posting> {
        let sign = if document.kind == Kind::Deposit { -1 } else { 1 };
        let mut postings = self.advance_share(document, amount);
        if let Some(control) = paid.account {
            postings.insert(0, plain(control, Cents(sign * amount.at(paid.rate).0), document));
        }
        self.with_gain(postings, document)
    }

    fn with_gain(&self, mut postings: Vec<Posting>, document: &Document) -> Vec<Posting> {
        let rest: Cents = postings.iter().map(|posting| posting.amount).sum();
        if !rest.is_zero()
            && let Some(account) = self.account_of(crate::books::AccountType::CurrencyGain)
        {
            postings.push(Posting { description: "Realised currency gain or loss".into(), ..plain(account, -rest, document) });
        }
        postings
    }

    /// A refund of an advance: money goes back through the bank, the advance is used up by it.
    pub(in crate::books) fn refund_postings(&self, payment: &Document, advance: &Document, amount: Cents) -> Vec<Posting> {
        let sign = if advance.kind == Kind::Deposit { 1 } else { -1 };
        let mut postings = Vec::new();
        if let Some(bank) = payment.account {
            postings.push(plain(bank, Cents(-sign * amount.at(payment.rate).0), payment));
        }
        match self.advance(advance.id).is_some_and(|advance| advance.is_prepayment) {
            false => postings.extend(advance.lines.first().map(|line| plain(line.account, Cents(sign * amount.at(advance.rate).0), payment))),
            true => postings.extend(self.advance_share(advance, amount)),
        }
        self.with_gain(postings, payment)
    }

    /// What the advance posted to its lines and taxes, taken back for a part of it.
    fn advance_share(&self, advance: &Document, amount: Cents) -> Vec<Posting> {
        let sign = if advance.kind == Kind::Deposit { 1 } else { -1 };
        self.shares(advance, Cents(sign * amount.at(advance.rate).0), advance)
    }

    /// Divides an amount over the taxes and lines of `whole`; the last line takes what rounding leaves.
    fn shares(&self, whole: &Document, amount: Cents, document: &Document) -> Vec<Posting> {
        let total = self.total(whole);
        let taxes = whole.taxes.iter().filter_map(|tax| self.tax_rate(tax.tax_rate).map(|rate| (rate.account, tax.tax, None)));
        let parts: Vec<(AccountId, Cents, Option<u64>)> =
            taxes.chain(whole.lines.iter().map(|line| (line.account, line.amount, line.tax_rate))).collect();
        let (mut left, mut postings) = (amount, Vec::new());
        for (index, (account, part, tax_rate)) in parts.iter().enumerate() {
            let share = if index + 1 == parts.len() { left } else { portion(amount, *part, total) };
            left -= share;
            postings.push(Posting { tax_rate: *tax_rate, ..plain(*account, share, document) });
        }
        postings.retain(|posting| !posting.amount.is_zero());
        postings
    }
}

/// `amount * part / total`, rounded half away from zero.
fn portion(amount: Cents, part: Cents, total: Cents) -> Cents {
    if total.is_zero() {
        return Cents::ZERO;
    }
    let product = i128::from(amount.0) * i128::from(part.0);
    let (whole, half) = (i128::from(total.0).abs(), i128::from(total.0).abs() / 2);
    let product = if total.0 < 0 { -product } else { product };
    let rounded = if product >= 0 { (product + half) / whole } else { (product - half) / whole };
    Cents(i64::try_from(rounded).expect("a part of an amount is an amount"))
}

fn plain(account: AccountId, amount: Cents, document: &Document) -> Posting {
    Posting { account, amount, contact: document.contact, description: String::new(), tax_rate: None, tax: Cents::ZERO, tracking: Vec::new() }
}
