//! Entries of a general-journal file as documents of the books.
use super::{BadRow, Entry, File, Leg};
use crate::books::{AccountId, AccountType, Application, Books, ContactId, DocumentId, Face, Kind, NewDocument, NewLine, Refused};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{HashMap, VecDeque};

/// Enters everything, oldest entries first, so that payments find the invoices before them.
pub(super) fn enter(books: &mut Books, file: File, now: Timestamp) -> Result<(), BadRow> {
    let first = file.entries.iter().map(|e| e.date).min();
    let start = first.and_then(|date| date.to_zoned(TimeZone::UTC).ok()).map_or(now, |z| z.timestamp().min(now));
    let mut accounts = HashMap::new();
    for (code, account) in file.accounts {
        let id = books.add_account(account.name, code.clone(), account.account_type, None, None, start);
        accounts.insert(code, id);
    }
    if books.account_of(AccountType::RetainedEarnings).is_none() {
        let code = free_code(books, if books.face == Face::Xero { "960" } else { "3900" });
        let name = free_name(books, "Retained Earnings");
        books.add_account(name, code, AccountType::RetainedEarnings, None, None, start);
    }
    let mut desk = Desk { books, accounts, contacts: HashMap::new(), open: HashMap::new(), clearing: None, now };
    let mut entries = file.entries;
    entries.sort_by_key(|entry| entry.date);
    for entry in entries {
        desk.enter(&entry).map_err(|refused| BadRow { line: entry.line, reason: format!("entry {}: {refused}", entry.number) })?;
    }
    Ok(())
}

fn free_code(books: &Books, wanted: &str) -> String {
    let mut code = wanted.to_owned();
    while books.account_by_code(&code).is_some() {
        code.push('A');
    }
    code
}

fn free_name(books: &Books, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    while books.accounts.values().any(|a| a.name.eq_ignore_ascii_case(&name)) {
        name.push_str(" (added)");
    }
    name
}

struct Desk<'a> {
    books: &'a mut Books,
    accounts: HashMap<String, AccountId>,
    contacts: HashMap<String, ContactId>,
    /// Invoices and bills that may still be open, oldest first, by control account and contact.
    open: HashMap<(AccountId, ContactId), VecDeque<DocumentId>>,
    /// Where mixed Xero entries pass through; zero at the end of every day.
    clearing: Option<AccountId>,
    now: Timestamp,
}

type Entered = Result<(), Refused>;

fn is_bank(account_type: AccountType) -> bool {
    matches!(account_type, AccountType::Bank | AccountType::CreditCard)
}

fn is_control(account_type: AccountType) -> bool {
    matches!(account_type, AccountType::Receivable | AccountType::Payable)
}

impl Desk<'_> {
    fn enter(&mut self, entry: &Entry) -> Entered {
        let done = match entry.kind {
            Some(Kind::Invoice | Kind::Bill) => self.open_item(entry)?,
            Some(Kind::Payment) => self.payment(entry)?,
            Some(Kind::Expense) => self.at_bank(entry, false)?,
            Some(Kind::Deposit) => self.at_bank(entry, true)?,
            Some(Kind::Transfer) => self.transfer(entry)?,
            _ => false,
        };
        if done { Ok(()) } else { self.whatever_fits(entry) }
    }

    fn whatever_fits(&mut self, entry: &Entry) -> Entered {
        let all_free = entry.legs.iter().all(|leg| leg.account_type.allowed_in_manual_journal());
        if self.books.face == Face::QuickBooks || all_free {
            return self.journal(entry);
        }
        if self.at_one_bank(entry)? || self.transfer(entry)? || self.open_item(entry)? {
            return Ok(());
        }
        self.through_clearing(entry)
    }

    fn account(&self, leg: &Leg) -> AccountId {
        self.accounts[&leg.code]
    }

    /// The contact named in the entry, or a stand-in where a document needs one.
    fn contact(&mut self, entry: &Entry, customer: bool) -> ContactId {
        let named = entry.legs.iter().filter(|leg| is_control(leg.account_type)).chain(&entry.legs).find(|leg| !leg.contact.is_empty());
        let name = named.map_or(if customer { "Customer without name" } else { "Supplier without name" }, |leg| leg.contact.as_str()).to_owned();
        self.contact_called(&name, customer, entry)
    }

    fn contact_called(&mut self, name: &str, customer: bool, entry: &Entry) -> ContactId {
        let created = self.moment(entry);
        let key = name.to_lowercase();
        let id = match self.contacts.get(&key) {
            Some(&id) => id,
            None => {
                let id = self.books.add_contact(name, "", false, false, None, created);
                self.contacts.insert(key, id);
                id
            }
        };
        let contact = self.books.contacts.get_mut(&id).expect("made above");
        if customer {
            contact.is_customer = true;
        } else {
            contact.is_supplier = true;
        }
        id
    }

    /// Noon of the entry's day: nothing is created after `now`.
    fn moment(&self, entry: &Entry) -> Timestamp {
        let noon = entry.date.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).map_or(self.now, |z| z.timestamp());
        noon.min(self.now)
    }

    fn document(&self, kind: Kind, entry: &Entry) -> NewDocument {
        let mut new = NewDocument::new(kind, entry.date);
        new.number = Some(entry.number.clone());
        new.memo = entry.legs.iter().map(|leg| &leg.memo).find(|memo| !memo.is_empty()).cloned().unwrap_or_default();
        new
    }

    fn add(&mut self, new: NewDocument, entry: &Entry) -> Result<DocumentId, Refused> {
        let created = self.moment(entry);
        self.books.add_document(new, created)
    }

    /// Lines of all legs outside `without`, in the natural direction of `kind`.
    fn lines(&self, kind: Kind, entry: &Entry, without: AccountId) -> Vec<NewLine> {
        let legs = entry.legs.iter().filter(|leg| self.account(leg) != without);
        legs.map(|leg| NewLine::new(self.account(leg), Cents(kind.line_sign() * leg.amount.0), leg.memo.clone())).collect()
    }

    /// Net amount per account of the legs that `wanted` picks, in the order of the file; accounts at zero are left out.
    fn nets(&self, entry: &Entry, wanted: impl Fn(AccountType) -> bool) -> Vec<(AccountId, Cents)> {
        let mut nets: Vec<(AccountId, Cents)> = Vec::new();
        for leg in entry.legs.iter().filter(|leg| wanted(leg.account_type)) {
            let account = self.account(leg);
            match nets.iter_mut().find(|(known, _)| *known == account) {
                Some((_, sum)) => *sum += leg.amount,
                None => nets.push((account, leg.amount)),
            }
        }
        nets.retain(|(_, sum)| !sum.is_zero());
        nets
    }

    fn journal(&mut self, entry: &Entry) -> Entered {
        let mut new = self.document(Kind::Journal, entry);
        for leg in &entry.legs {
            let mut line = NewLine::new(self.account(leg), leg.amount, leg.memo.clone());
            let customer = matches!(leg.account_type, AccountType::Receivable | AccountType::Income | AccountType::OtherIncome);
            line.contact = match (leg.contact.is_empty(), is_control(leg.account_type)) {
                (false, _) => Some(self.contact_called(&leg.contact, customer, entry)),
                (true, true) => Some(self.contact(entry, customer)),
                (true, false) => None,
            };
            new.lines.push(line);
        }
        self.add(new, entry).map(|_| ())
    }

    /// An invoice, bill or credit: one control account against accounts that are neither control nor bank.
    fn open_item(&mut self, entry: &Entry) -> Result<bool, Refused> {
        let control = self.nets(entry, is_control);
        let has_bank = entry.legs.iter().any(|leg| is_bank(leg.account_type));
        let [(account, amount)] = *control.as_slice() else { return Ok(false) };
        let other_controls = entry.legs.iter().any(|leg| is_control(leg.account_type) && self.account(leg) != account);
        if has_bank || other_controls {
            return Ok(false);
        }
        let receivable = self.books.accounts[&account].account_type == AccountType::Receivable;
        let kind = match (receivable, amount.0 > 0) {
            (true, true) => Kind::Invoice,
            (true, false) => Kind::CreditMemo,
            (false, false) => Kind::Bill,
            (false, true) => Kind::VendorCredit,
        };
        let contact = self.contact(entry, receivable);
        let mut new = self.document(kind, entry);
        new.account = Some(account);
        new.contact = Some(contact);
        new.due_date = Some(entry.date.saturating_add(jiff::Span::new().days(30)));
        new.lines = self.lines(kind, entry, account);
        let id = self.add(new, entry)?;
        if !kind.is_credit() {
            self.open.entry((account, contact)).or_default().push_back(id);
        }
        Ok(true)
    }

    /// Money in from receivable or out to payable, applied to what the contact has open, oldest first.
    fn payment(&mut self, entry: &Entry) -> Result<bool, Refused> {
        let nets = self.nets(entry, |_| true);
        let [first, second] = *nets.as_slice() else { return Ok(false) };
        let type_of = |account: AccountId| self.books.accounts[&account].account_type;
        let (bank, control) = if is_control(type_of(first.0)) { (second, first) } else { (first, second) };
        let receivable = type_of(control.0) == AccountType::Receivable;
        let kind = if receivable { Kind::Payment } else { Kind::BillPayment };
        let right_way = if receivable { bank.1.0 > 0 } else { bank.1.0 < 0 };
        if !is_control(type_of(control.0)) || is_control(type_of(bank.0)) || !right_way || !kind.may_stand_on(self.books.face, type_of(bank.0)) {
            return Ok(false);
        }
        if self.books.face == Face::Xero && !is_bank(type_of(bank.0)) {
            return Ok(false);
        }
        // What stays unapplied goes to the home control account, so another one has to be paid in full or by journal.
        let home_control = self.books.control_account(receivable, &self.books.currency) == Some(control.0);
        let contact = self.contact(entry, receivable);
        let mut left = bank.1.abs();
        let mut applications = Vec::new();
        if let Some(open) = self.open.get_mut(&(control.0, contact)) {
            open.retain(|&id| self.books.amount_due(id).0 > 0);
            for &document in open.iter() {
                if left.is_zero() {
                    break;
                }
                let amount = left.min(self.books.amount_due(document));
                left -= amount;
                applications.push(Application { document, amount });
            }
        }
        if self.books.face == Face::QuickBooks {
            if !left.is_zero() && !home_control {
                return Ok(false);
            }
            let mut new = self.document(kind, entry);
            (new.account, new.contact, new.applications, new.unapplied) = (Some(bank.0), Some(contact), applications, left);
            self.add(new, entry)?;
            return Ok(true);
        }
        for application in applications {
            let mut new = self.document(kind, entry);
            (new.account, new.contact, new.applications) = (Some(bank.0), Some(contact), vec![application]);
            self.add(new, entry)?;
        }
        if !left.is_zero() {
            let mut new = self.document(if receivable { Kind::Deposit } else { Kind::Expense }, entry);
            (new.account, new.contact, new.lines) = (Some(bank.0), Some(contact), vec![NewLine::new(control.0, left, "Not applied")]);
            self.add(new, entry)?;
        }
        Ok(true)
    }

    /// An expense (the bank is credited) or a deposit (debited): one bank or card account against anything else.
    fn at_bank(&mut self, entry: &Entry, deposit: bool) -> Result<bool, Refused> {
        let face = self.books.face;
        let kind = if deposit { Kind::Deposit } else { Kind::Expense };
        let banks = self.nets(entry, |t| is_bank(t) || (face == Face::QuickBooks && kind.may_stand_on(face, t)));
        let mut right_way = banks
            .into_iter()
            .filter(|(account, amount)| (amount.0 > 0) == deposit && kind.may_stand_on(face, self.books.accounts[account].account_type));
        let (Some((account, _)), None) = (right_way.next(), right_way.next()) else { return Ok(false) };
        let other_bank = entry.legs.iter().any(|leg| is_bank(leg.account_type) && self.account(leg) != account);
        if face == Face::Xero && other_bank {
            return Ok(false);
        }
        self.bank_document(kind, account, entry)?;
        Ok(true)
    }

    /// Xero: whatever has a single bank or card account is a bank transaction.
    fn at_one_bank(&mut self, entry: &Entry) -> Result<bool, Refused> {
        let banks = self.nets(entry, is_bank);
        let [(account, amount)] = *banks.as_slice() else { return Ok(false) };
        if entry.legs.iter().any(|leg| is_bank(leg.account_type) && self.account(leg) != account) {
            return Ok(false);
        }
        self.bank_document(if amount.0 > 0 { Kind::Deposit } else { Kind::Expense }, account, entry)?;
        Ok(true)
    }

    fn bank_document(&mut self, kind: Kind, account: AccountId, entry: &Entry) -> Entered {
        let names_contact = entry.legs.iter().any(|leg| !leg.contact.is_empty() || is_control(leg.account_type));
        let mut new = self.document(kind, entry);
        new.account = Some(account);
        // Xero bank transactions always have a contact.
        if names_contact || self.books.face == Face::Xero {
            new.contact = Some(self.contact(entry, kind == Kind::Deposit));
        }
        new.lines = self.lines(kind, entry, account);
        self.add(new, entry).map(|_| ())
    }

    fn transfer(&mut self, entry: &Entry) -> Result<bool, Refused> {
        let nets = self.nets(entry, |_| true);
        let [first, second] = *nets.as_slice() else { return Ok(false) };
        let (from, to) = if first.1.0 < 0 { (first, second) } else { (second, first) };
        let may = |account: AccountId| Kind::Transfer.may_stand_on(self.books.face, self.books.accounts[&account].account_type);
        if !may(from.0) || !may(to.0) {
            return Ok(false);
        }
        self.move_money(from.0, to.0, to.1, entry)?;
        Ok(true)
    }

    fn move_money(&mut self, from: AccountId, to: AccountId, amount: Cents, entry: &Entry) -> Entered {
        let mut new = self.document(Kind::Transfer, entry);
        (new.account, new.to_account, new.lines) = (Some(from), Some(to), vec![NewLine::new(to, amount, "")]);
        self.add(new, entry).map(|_| ())
    }

    /// Xero: entries that no single document can hold. Debits are spent from, credits received into, a clearing account that bank legs
    /// are transferred with; it ends at zero.
    fn through_clearing(&mut self, entry: &Entry) -> Entered {
        let clearing = match self.clearing {
            Some(clearing) => clearing,
            None => {
                let (code, name) = (free_code(self.books, "CLEARING"), free_name(self.books, "Journal Clearing"));
                let created = self.moment(entry);
                *self.clearing.insert(self.books.add_account(name, code, AccountType::Bank, None, None, created))
            }
        };
        for (bank, amount) in self.nets(entry, is_bank) {
            let (from, to) = if amount.0 > 0 { (clearing, bank) } else { (bank, clearing) };
            self.move_money(from, to, amount.abs(), entry)?;
        }
        for (kind, is_debit) in [(Kind::Expense, true), (Kind::Deposit, false)] {
            let legs = entry.legs.iter().filter(|leg| !is_bank(leg.account_type) && (leg.amount.0 > 0) == is_debit);
            let lines: Vec<NewLine> = legs.map(|leg| NewLine::new(self.account(leg), leg.amount.abs(), leg.memo.clone())).collect();
            if lines.is_empty() {
                continue;
            }
            let mut new = self.document(kind, entry);
            new.account = Some(clearing);
            new.contact = Some(self.contact(entry, kind == Kind::Deposit));
            new.lines = lines;
            self.add(new, entry)?;
        }
        Ok(())
    }
}
