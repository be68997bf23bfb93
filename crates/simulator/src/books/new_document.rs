//! What a new document must be, and why one is refused.
use super::{AccountId, AccountType, Application, Books, ContactId, Details, Document, Face, ItemId, Kind, Line, Refused, Status};
use crate::money::{Cents, Rate};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// A document to be made. Start from `NewDocument::new`.
#[derive(Clone, Debug)]
pub struct NewDocument {
    pub kind: Kind,
    /// `Draft` only at Xero.
    pub status: Status,
    /// `None`: the next number of its kind.
    pub number: Option<String>,
    pub date: Date,
    pub due_date: Option<Date>,
    pub contact: Option<ContactId>,
    /// `None`: the home currency.
    pub currency: Option<String>,
    /// Home units per foreign unit; needed in a foreign currency.
    pub rate: Option<Rate>,
    /// See `Document::account`. For invoices, bills and credits `None` means the control account of the currency.
    pub account: Option<AccountId>,
    pub to_account: Option<AccountId>,
    /// A transfer has one line, on `to_account`, with the amount.
    pub lines: Vec<NewLine>,
    pub applications: Vec<Application>,
    pub unapplied: Cents,
    pub memo: String,
    pub details: Details,
}

impl NewDocument {
    pub fn new(kind: Kind, date: Date) -> NewDocument {
        NewDocument {
            kind,
            status: Status::Active,
            number: None,
            date,
            due_date: None,
            contact: None,
            currency: None,
            rate: None,
            account: None,
            to_account: None,
            lines: Vec::new(),
            applications: Vec::new(),
            unapplied: Cents::ZERO,
            memo: String::new(),
            details: Details::default(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewLine {
    /// The line of the replaced document that this one continues; `None` or a number given twice: a new line.
    pub id: Option<u64>,
    pub account: AccountId,
    pub item: Option<ItemId>,
    pub description: String,
    pub quantity_hundredths: i64,
    pub unit_price: Cents,
    /// See `Line::amount`.
    pub amount: Cents,
    pub tax_rate: Option<u64>,
    /// See `Line::tax_amount`.
    pub tax_amount: Option<Cents>,
    pub contact: Option<ContactId>,
    /// See `Line::tracking`.
    pub tracking: Vec<u64>,
}

impl NewLine {
    /// A line that stays as it is, its number included.
    pub fn again(line: &Line) -> NewLine {
        NewLine {
            id: Some(line.id),
            item: line.item,
            quantity_hundredths: line.quantity_hundredths,
            unit_price: line.unit_price,
            tax_rate: line.tax_rate,
            tax_amount: line.tax_amount,
            contact: line.contact,
            tracking: line.tracking.clone(),
            ..NewLine::new(line.account, line.amount, line.description.clone())
        }
    }

    /// One unit at this price, without item, tax or contact.
    pub fn new(account: AccountId, amount: Cents, description: impl Into<String>) -> NewLine {
        NewLine {
            id: None,
            account,
            item: None,
            description: description.into(),
            quantity_hundredths: 100,
            unit_price: amount,
            amount,
            tax_rate: None,
            tax_amount: None,
            contact: None,
            tracking: Vec::new(),
        }
    }
}

/// Lines with their ids: continued lines keep theirs, new ones get the next above all of them.
pub(super) fn numbered(lines: Vec<NewLine>) -> Vec<Line> {
    let mut next = lines.iter().filter_map(|line| line.id).max().unwrap_or(0);
    let mut used = BTreeSet::new();
    let mut numbered = Vec::with_capacity(lines.len());
    for line in lines {
        let kept = line.id.filter(|id| *id > 0 && used.insert(*id));
        let id = kept.unwrap_or_else(|| {
            next = next.saturating_add(1);
            next
        });
        numbered.push(Line {
            id,
            account: line.account,
            item: line.item,
            description: line.description,
            quantity_hundredths: line.quantity_hundredths,
            unit_price: line.unit_price,
            amount: line.amount,
            tax_rate: line.tax_rate,
            tax_amount: line.tax_amount,
            contact: line.contact,
            tracking: line.tracking,
        });
    }
    numbered
}

pub(super) fn refuse<T>(reason: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(reason.into()))
}

impl Books {
    /// The document that `new` describes, or why it cannot be. `number` is empty when it is to be given out, `id` is not set yet.
    pub(super) fn checked(&self, new: NewDocument, now: Timestamp) -> Result<Document, Refused> {
        let kind = new.kind;
        let word = kind.word();
        if new.status == Status::Draft && !(self.face == Face::Xero && (kind.is_open_item() || kind == Kind::Journal)) {
            return refuse(format!("a {word} cannot be a draft here"));
        }
        if matches!(new.status, Status::Voided | Status::Deleted) {
            return refuse("a new document is a draft or active; void or delete it afterwards");
        }
        let currency = new.currency.unwrap_or_else(|| self.currency.clone());
        let rate = self.checked_rate(&currency, new.rate)?;
        if kind == Kind::Journal && currency != self.currency {
            return refuse("journals are kept in the home currency");
        }
        if let Some(contact) = new.contact
            && !self.contacts.contains_key(&contact)
        {
            return refuse(format!("there is no contact {contact}"));
        }
        if (kind.is_open_item() || kind.is_payment()) && new.contact.is_none() {
            return refuse(format!("a {word} needs a contact"));
        }
        let account = self.checked_account(kind, new.account, &currency)?;
        if kind == Kind::Transfer {
            match new.to_account {
                None => return refuse("a transfer needs to_account"),
                Some(to) if Some(to) == account => return refuse("a transfer needs two different accounts"),
                Some(to) => {
                    self.usable_account(to)?;
                    let account_type = self.accounts[&to].account_type;
                    if !kind.may_stand_on(self.face, account_type) {
                        return refuse(format!("a transfer cannot go to {} ({})", self.accounts[&to].name, account_type.word()));
                    }
                }
            }
        }
        let lines = numbered(new.lines);
        self.check_lines(kind, account, new.to_account, &lines)?;
        self.check_tracking(&new.details.tracking)?;
        let taxes = self.taxes_of(kind, &lines);
        let document = Document {
            id: 0,
            kind,
            status: new.status,
            number: new.number.unwrap_or_default(),
            date: new.date,
            due_date: new.due_date,
            contact: new.contact,
            currency,
            rate,
            account,
            to_account: new.to_account,
            lines,
            taxes,
            applications: new.applications,
            unapplied: new.unapplied,
            memo: new.memo,
            details: new.details,
            created_at: now,
            updated_at: now,
            sync_token: 0,
        };
        self.check_applications(&document)?;
        if kind.is_open_item() && self.total(&document).0 < 0 {
            return refuse(format!("a {word} cannot have a negative total"));
        }
        Ok(document)
    }

    /// What `new` would look like as a document, without any check: for showing what is not entered.
    pub fn unentered(&self, new: &NewDocument, now: Timestamp) -> Document {
        let lines = numbered(new.lines.clone());
        Document {
            id: 0,
            kind: new.kind,
            status: new.status,
            number: new.number.clone().unwrap_or_default(),
            date: new.date,
            due_date: new.due_date,
            contact: new.contact,
            currency: new.currency.clone().unwrap_or_else(|| self.currency.clone()),
            rate: new.rate.unwrap_or(Rate::ONE),
            account: new.account,
            to_account: new.to_account,
            taxes: self.taxes_of(new.kind, &lines),
            lines,
            applications: new.applications.clone(),
            unapplied: new.unapplied,
            memo: new.memo.clone(),
            details: new.details.clone(),
            created_at: now,
            updated_at: now,
            sync_token: 0,
        }
    }

    /// The rate of a document in this currency, which is one at home.
    pub(super) fn checked_rate(&self, currency: &str, rate: Option<Rate>) -> Result<Rate, Refused> {
        match (currency == self.currency, rate) {
            (true, None) => Ok(Rate::ONE),
            (true, Some(rate)) if rate == Rate::ONE => Ok(rate),
            (true, Some(_)) => refuse(format!("{currency} is the home currency; its rate is 1")),
            (false, Some(rate)) if rate.0 > 0 => Ok(rate),
            (false, _) => refuse(format!("a document in {currency} needs a rate above zero")),
        }
    }

    pub(super) fn usable_account(&self, id: AccountId) -> Result<(), Refused> {
        match self.accounts.get(&id) {
            None => refuse(format!("there is no account {id}")),
            Some(account) if !account.active => refuse(format!("account {} is archived", account.name)),
            Some(_) => Ok(()),
        }
    }

    fn checked_account(&self, kind: Kind, given: Option<AccountId>, currency: &str) -> Result<Option<AccountId>, Refused> {
        let word = kind.word();
        if kind == Kind::Journal {
            return if given.is_none() { Ok(None) } else { refuse("a journal has no account of its own, only lines") };
        }
        if kind.is_open_item() {
            let receivable = kind.is_receivable();
            let Some(account) = given.or_else(|| self.control_account(receivable, currency)) else {
                let side = if receivable { "receivable" } else { "payable" };
                return refuse(format!("there is no {side} account in {currency}"));
            };
            let expected = if receivable { AccountType::Receivable } else { AccountType::Payable };
            self.usable_account(account)?;
            if self.accounts[&account].account_type != expected {
                return refuse(format!("the account of a {word} must be of type {}", expected.word()));
            }
            return Ok(Some(account));
        }
        let Some(account) = given else { return refuse(format!("a {word} needs an account")) };
        self.usable_account(account)?;
        let account_type = self.accounts[&account].account_type;
        if !kind.may_stand_on(self.face, account_type) {
            return refuse(format!("a {word} cannot stand on {} ({})", self.accounts[&account].name, account_type.word()));
        }
        Ok(Some(account))
    }

    fn check_lines(&self, kind: Kind, account: Option<AccountId>, to_account: Option<AccountId>, lines: &[Line]) -> Result<(), Refused> {
        let word = kind.word();
        if kind.is_payment() {
            return if lines.is_empty() { Ok(()) } else { refuse(format!("a {word} has applications, not lines")) };
        }
        if lines.is_empty() {
            return refuse(format!("a {word} needs at least one line"));
        }
        for line in lines {
            self.usable_account(line.account)?;
            self.check_tracking(&line.tracking)?;
            if let Some(rate) = line.tax_rate
                && self.tax_rate(rate).is_none()
            {
                return refuse(format!("there is no tax rate {rate}"));
            }
            if Some(line.account) == account {
                return refuse(format!("a line of a {word} cannot be on the document's own account"));
            }
        }
        if kind == Kind::Transfer && (lines.len() != 1 || Some(lines[0].account) != to_account || lines[0].amount.0 <= 0) {
            return refuse("a transfer has one line on to_account with an amount above zero");
        }
        if kind == Kind::Journal {
            let sum: Cents = lines.iter().map(|l| l.amount).sum();
            if !sum.is_zero() {
                return refuse(format!("a journal must sum to zero, this one sums to {sum}"));
            }
            // <https://developer.xero.com/documentation/api/accounting/manualjournals>: system and bank accounts are refused.
            if self.face == Face::Xero
                && let Some(line) = lines.iter().find(|l| !self.accounts[&l.account].account_type.allowed_in_manual_journal())
            {
                let account = &self.accounts[&line.account];
                return refuse(format!("a Xero manual journal cannot use {} ({})", account.name, account.account_type.word()));
            }
        }
        Ok(())
    }

    pub(super) fn check_applications(&self, document: &Document) -> Result<(), Refused> {
        let word = document.kind.word();
        let is_xero = self.face == Face::Xero;
        let may_apply = document.kind.is_payment() || (is_xero && document.kind.is_credit());
        if !may_apply {
            let is_plain = document.applications.is_empty() && document.unapplied.is_zero();
            return if is_plain { Ok(()) } else { refuse(format!("a {word} cannot be applied to other documents")) };
        }
        if document.kind.is_payment() && is_xero && (document.applications.len() != 1 || !document.unapplied.is_zero()) {
            return refuse("a Xero payment pays exactly one document");
        }
        let (item, credit) = if document.kind.is_receivable() { (Kind::Invoice, Kind::CreditMemo) } else { (Kind::Bill, Kind::VendorCredit) };
        for (index, application) in document.applications.iter().enumerate() {
            let target = self.document(application.document)?;
            // a Xero payment of a credit note, an overpayment or a prepayment is a refund
            let advance = if document.kind == Kind::Payment { Kind::Deposit } else { Kind::Expense };
            let may_use_credit = document.kind.is_payment() && target.kind == credit;
            let may_refund = document.kind.is_payment() && target.kind == advance && self.advance(target.id).is_some();
            if target.kind != item && !may_use_credit && !may_refund {
                return refuse(format!("a {word} cannot be applied to {}", describe(target)));
            }
            if target.status != Status::Active {
                return refuse(format!("{} is {} and cannot be paid", describe(target), status_word(target.status)));
            }
            if target.currency != document.currency {
                return refuse(format!("{} is in {}, the {word} in {}", describe(target), target.currency, document.currency));
            }
            if target.contact != document.contact {
                return refuse(format!("{} belongs to another contact", describe(target)));
            }
            if document.applications[..index].iter().any(|a| a.document == application.document) {
                return refuse(format!("{} is named twice", describe(target)));
            }
            let due = if may_refund { self.advance_remaining(target.id) } else { self.amount_due(target.id) };
            if application.amount.0 <= 0 || application.amount > due {
                return refuse(format!("{} has {due} open; {} cannot be applied", describe(target), application.amount));
            }
        }
        if document.kind.is_payment() {
            let total = self.total(document);
            if document.unapplied.0 < 0 || (total.0 < 0 && !is_xero) {
                return refuse("a payment cannot use up more credit than it pays");
            }
            if total.is_zero() && document.applications.is_empty() {
                return refuse("a payment needs an amount");
            }
        } else {
            let used: Cents = document.applications.iter().map(|a| a.amount).sum();
            if used > self.total(document) {
                return refuse(format!("the {word} is smaller than what it is applied to"));
            }
        }
        Ok(())
    }
}

pub(super) fn describe(document: &Document) -> String {
    format!("{} {} (id {})", document.kind.word(), document.number, document.id)
}

pub(super) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Draft => "a draft",
        Status::Active => "active",
        Status::Voided => "voided",
        Status::Deleted => "deleted",
    }
}
