//! Creating, editing, voiding and deleting documents, with everything that follows from it: journals, sums, open amounts, touched times.
use super::guid::mix;
use super::{
    AccountId, AccountType, Application, Books, ContactId, Document, DocumentId, Edit, Face, ItemId, Journal, Kind, Line, NO_DOCUMENT, Posting,
    Refused, Status,
};
use crate::money::{Cents, Rate};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

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
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewLine {
    pub account: AccountId,
    pub item: Option<ItemId>,
    pub description: String,
    pub quantity_hundredths: i64,
    pub unit_price: Cents,
    /// See `Line::amount`.
    pub amount: Cents,
    pub tax_rate: Option<u64>,
    pub contact: Option<ContactId>,
}

impl NewLine {
    /// One unit at this price, without item, tax or contact.
    pub fn new(account: AccountId, amount: Cents, description: impl Into<String>) -> NewLine {
        NewLine {
            account,
            item: None,
            description: description.into(),
            quantity_hundredths: 100,
            unit_price: amount,
            amount,
            tax_rate: None,
            contact: None,
        }
    }
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(reason.into()))
}

impl Books {
    /// Checks and enters a document; it posts at once unless it is a draft.
    pub fn add_document(&mut self, new: NewDocument, now: Timestamp) -> Result<DocumentId, Refused> {
        let document = self.checked(new, now)?;
        let id = self.take_id();
        let number = if document.number.is_empty() { self.next_number(document.kind) } else { document.number.clone() };
        let document = Document { id, number, ..document };
        let posts = document.status == Status::Active;
        for application in &document.applications {
            let payers = self.payers.entry(application.document).or_default();
            if !payers.contains(&id) {
                payers.push(id);
            }
        }
        self.documents.insert(id, document);
        if posts {
            self.enter_gain_account(id, now);
            self.posted(id, Vec::new(), None, now);
            self.touch_paid(id, now);
        }
        Ok(id)
    }

    /// Opening balances entered when the books were taken over from elsewhere. They are no document, only a journal without source:
    /// <https://developer.xero.com/documentation/api/accounting/types> (journals from conversion balances carry no SourceType).
    pub fn add_conversion_balances(&mut self, date: Date, lines: &[(AccountId, Cents)], now: Timestamp) -> Result<(), Refused> {
        let sum: Cents = lines.iter().map(|(_, amount)| *amount).sum();
        if !sum.is_zero() {
            return refuse(format!("conversion balances must sum to zero, these sum to {sum}"));
        }
        if let Some((missing, _)) = lines.iter().find(|(account, _)| !self.accounts.contains_key(account)) {
            return refuse(format!("there is no account {missing}"));
        }
        let postings: Vec<Posting> = lines
            .iter()
            .filter(|(_, amount)| !amount.is_zero())
            .map(|&(account, amount)| Posting {
                account,
                amount,
                contact: None,
                description: "Conversion balance".into(),
                tax_rate: None,
                tax: Cents::ZERO,
            })
            .collect();
        self.sums.add(date, &postings);
        self.append_journal(NO_DOCUMENT, Kind::Journal, date, postings, now);
        Ok(())
    }

    /// Turns a draft into a document that posts.
    pub fn approve(&mut self, id: DocumentId, now: Timestamp) -> Result<(), Refused> {
        let document = self.document(id)?;
        if document.status != Status::Draft {
            return refuse(format!("{} is not a draft", describe(document)));
        }
        let document = self.documents.get_mut(&id).expect("looked up above");
        document.status = Status::Active;
        document.updated_at = now;
        document.sync_token += 1;
        self.enter_gain_account(id, now);
        self.posted(id, Vec::new(), None, now);
        self.touch_paid(id, now);
        Ok(())
    }

    /// Changes a document as a person would in the provider's own screens.
    pub fn edit(&mut self, id: DocumentId, edit: Edit, now: Timestamp) -> Result<(), Refused> {
        let old = self.document(id)?.clone();
        if matches!(old.status, Status::Voided | Status::Deleted) {
            return refuse(format!("{} is {} and cannot be changed", describe(&old), status_word(old.status)));
        }
        if self.face == Face::Xero && old.kind.is_payment() {
            return refuse("Xero payments cannot be changed: delete the payment and enter a new one");
        }
        let mut changed = old.clone();
        match edit {
            Edit::Date(date) => changed.date = date,
            Edit::Memo(memo) => changed.memo = memo,
            Edit::Contact(contact) => {
                if !self.contacts.contains_key(&contact) {
                    return refuse(format!("there is no contact {contact}"));
                }
                let open_item_in_use = old.kind.is_open_item() && !self.payments_of(id).is_empty();
                if !old.applications.is_empty() || open_item_in_use {
                    return refuse(format!("{} is applied to other documents; its contact cannot change", describe(&old)));
                }
                changed.contact = Some(contact);
            }
            Edit::Amount(amount) => self.set_amount(&mut changed, amount)?,
        }
        changed.updated_at = now;
        changed.sync_token += 1;
        let before = self.postings(&old);
        self.documents.insert(id, changed);
        if old.kind.is_open_item() && self.amount_due(id).0 < 0 {
            self.documents.insert(id, old.clone());
            return refuse(format!("{} would be smaller than what is applied to it", describe(&old)));
        }
        if old.status == Status::Active {
            self.posted(id, before, Some(old.date), now);
            self.touch_paid(id, now);
        }
        Ok(())
    }

    /// Voids a document: it stays and posts nothing.
    ///
    /// QuickBooks zeroes all amounts, sets the word `Voided` before the memo and frees the payments of a voided invoice. Xero knows
    /// voiding for invoices, bills, credit notes and manual journals only, and refuses it while payments or allocations stand.
    pub fn void(&mut self, id: DocumentId, now: Timestamp) -> Result<(), Refused> {
        let old = self.document(id)?.clone();
        if old.status != Status::Active {
            return refuse(format!("{} is {} and cannot be voided", describe(&old), status_word(old.status)));
        }
        match self.face {
            Face::Xero => {
                if !(old.kind.is_open_item() || old.kind == Kind::Journal) {
                    return refuse(format!("{} cannot be voided at Xero: delete it", describe(&old)));
                }
                self.refuse_if_applied(&old)?;
            }
            // Bills, deposits, transfers and journal entries have no void in QuickBooks.
            Face::QuickBooks => {
                if matches!(old.kind, Kind::Bill | Kind::VendorCredit | Kind::Deposit | Kind::Transfer | Kind::Journal) {
                    return refuse(format!("{} cannot be voided at QuickBooks: delete it", describe(&old)));
                }
                self.free_payers(id, now);
            }
        }
        self.touch_paid(id, now);
        let before = self.postings(&self.documents[&id]);
        let face = self.face;
        let document = self.documents.get_mut(&id).expect("looked up above");
        document.status = Status::Voided;
        document.updated_at = now;
        document.sync_token += 1;
        if face == Face::QuickBooks {
            for line in &mut document.lines {
                line.amount = Cents::ZERO;
                line.unit_price = Cents::ZERO;
                line.quantity_hundredths = 0;
            }
            document.taxes.clear();
            document.applications.clear();
            document.unapplied = Cents::ZERO;
            document.memo = if document.memo.is_empty() { "Voided".into() } else { format!("Voided - {}", document.memo) };
        }
        self.posted(id, before, Some(old.date), now);
        Ok(())
    }

    /// Deletes a document.
    ///
    /// QuickBooks: any document goes, and payments of a deleted invoice become unapplied. Xero: payments, bank transactions and bank
    /// transfers, and whatever is still a draft; a deleted payment reopens its invoice.
    pub fn delete(&mut self, id: DocumentId, now: Timestamp) -> Result<(), Refused> {
        let old = self.document(id)?.clone();
        let was_voided_in_quickbooks = self.face == Face::QuickBooks && old.status == Status::Voided;
        if !(matches!(old.status, Status::Active | Status::Draft) || was_voided_in_quickbooks) {
            return refuse(format!("{} is {} and cannot be deleted", describe(&old), status_word(old.status)));
        }
        match self.face {
            Face::Xero => {
                if old.status == Status::Active && (old.kind.is_open_item() || old.kind == Kind::Journal) {
                    return refuse(format!("{} is approved and cannot be deleted at Xero: void it", describe(&old)));
                }
                self.refuse_if_applied(&old)?;
            }
            Face::QuickBooks => self.free_payers(id, now),
        }
        self.touch_paid(id, now);
        let before = self.postings(&self.documents[&id]);
        let document = self.documents.get_mut(&id).expect("looked up above");
        document.status = Status::Deleted;
        document.updated_at = now;
        document.sync_token += 1;
        self.posted(id, before, Some(old.date), now);
        Ok(())
    }

    fn document(&self, id: DocumentId) -> Result<&Document, Refused> {
        self.documents.get(&id).ok_or_else(|| Refused(format!("there is no document {id}")))
    }

    /// Xero keeps a document as it is while payments or allocations stand on either side of it.
    fn refuse_if_applied(&self, document: &Document) -> Result<(), Refused> {
        let uses_others = document.kind.is_credit() && !document.applications.is_empty();
        if uses_others || !self.payments_of(document.id).is_empty() {
            return refuse(format!("{} has payments or allocations; remove them first", describe(document)));
        }
        Ok(())
    }

    /// QuickBooks: what paid this document keeps its total. What it paid here first ends credits it used up, the rest becomes unapplied;
    /// when a credit goes, the invoices it was used for open again.
    fn free_payers(&mut self, id: DocumentId, now: Timestamp) {
        let freed_is_credit = self.documents.get(&id).is_some_and(|d| d.kind.is_credit());
        for (payer, amount) in self.payments_of(id) {
            let old = self.documents[&payer].clone();
            let before = self.postings(&old);
            let mut changed = old.clone();
            changed.applications.retain(|a| a.document != id);
            let mut left = amount;
            for application in changed.applications.iter_mut().rev() {
                let is_credit = self.documents.get(&application.document).is_some_and(|d| d.kind.is_credit());
                if is_credit != freed_is_credit {
                    let part = left.min(application.amount);
                    application.amount -= part;
                    left -= part;
                }
            }
            self.touch_paid(payer, now);
            changed.applications.retain(|a| !a.amount.is_zero());
            changed.unapplied += if freed_is_credit { -left } else { left };
            changed.updated_at = now;
            changed.sync_token += 1;
            self.documents.insert(payer, changed);
            self.posted(payer, before, Some(old.date), now);
        }
    }

    fn set_amount(&self, document: &mut Document, amount: Cents) -> Result<(), Refused> {
        if document.kind.is_payment() {
            if amount.0 <= 0 {
                return refuse("a payment's amount must be above zero");
            }
            let [application] = document.applications.as_mut_slice() else {
                if document.applications.is_empty() {
                    document.unapplied = amount;
                    return Ok(());
                }
                return refuse(format!("{} pays several documents; its amount cannot be set as one figure", describe(document)));
            };
            let room = self.amount_due(application.document) + application.amount;
            application.amount = if amount > room { room } else { amount };
            document.unapplied = amount - application.amount;
            return Ok(());
        }
        if document.kind == Kind::Journal {
            let Some(first) = document.lines.first() else { return refuse("the journal has no lines") };
            let new_first = if first.amount.0 < 0 { -amount.abs() } else { amount.abs() };
            let change = new_first - first.amount;
            document.lines[0].amount = new_first;
            document.lines[0].unit_price = new_first;
            let last = document.lines.len() - 1;
            document.lines[last].amount -= change;
            document.lines[last].unit_price = document.lines[last].amount;
            return Ok(());
        }
        let Some(first) = document.lines.first_mut() else { return refuse(format!("{} has no lines", describe(document))) };
        first.amount = amount;
        first.unit_price = amount;
        first.quantity_hundredths = 100;
        document.taxes = self.taxes_of(document.kind, &document.lines);
        if self.total(document).0 < 0 && document.kind.is_open_item() {
            return refuse(format!("{} would have a negative total", describe(document)));
        }
        Ok(())
    }

    /// Appends what changed to the history and moves sums, dates, contact balances and touched times from the old to the new postings.
    fn posted(&mut self, id: DocumentId, before: Vec<Posting>, old_date: Option<Date>, now: Timestamp) {
        let document = &self.documents[&id];
        let (kind, date) = (document.kind, document.date);
        let after = self.postings(document);
        let old_date = old_date.unwrap_or(date);
        let posts = document.status == Status::Active;
        if let Some(ids) = self.by_date.get_mut(&old_date) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_date.remove(&old_date);
            }
        }
        if posts {
            self.by_date.entry(date).or_default().insert(id);
        }
        if before == after && old_date == date {
            return;
        }
        self.sums.remove(old_date, &before);
        self.sums.add(date, &after);
        self.move_contact_balances(&before, true);
        self.move_contact_balances(&after, false);
        if self.face == Face::QuickBooks {
            self.touch_lists(before.iter().chain(&after), now);
        }
        if !before.is_empty() {
            let negation = before.into_iter().map(|p| Posting { amount: -p.amount, tax: -p.tax, ..p }).collect();
            // The reversal is numbered before the replacement and created a little after it, as recorded from Xero.
            self.append_journal(id, kind, old_date, negation, now + SignedDuration::from_millis(17));
        }
        if !after.is_empty() {
            self.append_journal(id, kind, date, after, now);
        }
    }

    fn append_journal(&mut self, document: DocumentId, kind: Kind, date: Date, postings: Vec<Posting>, created_at: Timestamp) {
        let number = self.next_journal_number;
        let draw = mix(self.seed ^ number.rotate_left(17));
        // Now and then numbers are skipped.
        let gap = if draw.is_multiple_of(9) { 1 + (draw >> 8) % 4 } else { 0 };
        self.next_journal_number = number + 1 + gap;
        self.journals.push(Journal { number, date, created_at, document, kind, postings });
    }

    fn move_contact_balances(&mut self, postings: &[Posting], negate: bool) {
        for posting in postings {
            let Some(contact) = posting.contact else { continue };
            let account_type = self.accounts.get(&posting.account).map(|a| a.account_type);
            let amount = if negate { -posting.amount } else { posting.amount };
            match account_type {
                Some(AccountType::Receivable) => self.contact_balances.entry(contact).or_default().0 += amount,
                Some(AccountType::Payable) => self.contact_balances.entry(contact).or_default().1 += amount,
                _ => {}
            }
        }
    }

    /// QuickBooks counts a new balance as a change of the list object: `MetaData.LastUpdatedTime` moves, `SyncToken` does not.
    fn touch_lists<'a>(&mut self, postings: impl Iterator<Item = &'a Posting>, now: Timestamp) {
        for posting in postings {
            if let Some(account) = self.accounts.get_mut(&posting.account) {
                account.updated_at = account.updated_at.max(now);
            }
            if let Some(contact) = posting.contact.and_then(|id| self.contacts.get_mut(&id)) {
                contact.updated_at = contact.updated_at.max(now);
            }
        }
    }

    /// What a payment or credit stands on shows another open amount now, and so counts as changed; its version does not move.
    fn touch_paid(&mut self, id: DocumentId, now: Timestamp) {
        let paid: Vec<DocumentId> = self.documents[&id].applications.iter().map(|a| a.document).collect();
        for target in paid {
            if let Some(target) = self.documents.get_mut(&target) {
                target.updated_at = target.updated_at.max(now);
            }
        }
    }

    /// Books get their currency gain account with the first document that needs one.
    fn enter_gain_account(&mut self, id: DocumentId, now: Timestamp) {
        let is_foreign = self.documents[&id].currency != self.currency;
        if is_foreign && self.account_of(AccountType::CurrencyGain).is_none() {
            let (name, code) = if self.face == Face::Xero { ("Realised Currency Gains", "499") } else { ("Exchange Gain or Loss", "") };
            self.add_account(name, code, AccountType::CurrencyGain, None, None, now);
        }
    }

    fn next_number(&mut self, kind: Kind) -> String {
        let last = self.last_number.entry(kind).or_insert(if self.face == Face::QuickBooks { 1000 } else { 0 });
        *last += 1;
        match (self.face, kind) {
            (Face::QuickBooks, _) => last.to_string(),
            (Face::Xero, Kind::Invoice) => format!("INV-{last:04}"),
            (Face::Xero, Kind::CreditMemo) => format!("CN-{last:04}"),
            (Face::Xero, Kind::Bill) => format!("B-{last:05}"),
            (Face::Xero, Kind::VendorCredit) => format!("SC-{last:04}"),
            (Face::Xero, _) => format!("{last:05}"),
        }
    }

    /// The document that `new` describes, or why it cannot be. `number` is empty when it is to be given out, `id` is not set yet.
    fn checked(&self, new: NewDocument, now: Timestamp) -> Result<Document, Refused> {
        let kind = new.kind;
        let word = kind.word();
        if new.status == Status::Draft && !(self.face == Face::Xero && (kind.is_open_item() || kind == Kind::Journal)) {
            return refuse(format!("a {word} cannot be a draft here"));
        }
        if matches!(new.status, Status::Voided | Status::Deleted) {
            return refuse("a new document is a draft or active; void or delete it afterwards");
        }
        let currency = new.currency.unwrap_or_else(|| self.currency.clone());
        let rate = match (currency == self.currency, new.rate) {
            (true, None) => Rate::ONE,
            (true, Some(rate)) if rate == Rate::ONE => rate,
            (true, Some(_)) => return refuse(format!("{currency} is the home currency; its rate is 1")),
            (false, Some(rate)) if rate.0 > 0 => rate,
            (false, _) => return refuse(format!("a document in {currency} needs a rate above zero")),
        };
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
        let lines: Vec<Line> = new
            .lines
            .into_iter()
            .zip(1..)
            .map(|(line, id)| Line {
                id,
                account: line.account,
                item: line.item,
                description: line.description,
                quantity_hundredths: line.quantity_hundredths,
                unit_price: line.unit_price,
                amount: line.amount,
                tax_rate: line.tax_rate,
                contact: line.contact,
            })
            .collect();
        self.check_lines(kind, account, new.to_account, &lines)?;
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

    fn usable_account(&self, id: AccountId) -> Result<(), Refused> {
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

    fn check_applications(&self, document: &Document) -> Result<(), Refused> {
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
            let may_use_credit = document.kind.is_payment() && !is_xero;
            if target.kind != item && !(may_use_credit && target.kind == credit) {
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
            let due = self.amount_due(application.document);
            if application.amount.0 <= 0 || application.amount > due {
                return refuse(format!("{} has {due} open; {} cannot be applied", describe(target), application.amount));
            }
        }
        if document.kind.is_payment() {
            let total = self.total(document);
            if document.unapplied.0 < 0 || total.0 < 0 {
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

    /// Xero: uses part of a credit note for an invoice or bill after the fact.
    pub fn allocate(&mut self, credit: DocumentId, target: DocumentId, amount: Cents, now: Timestamp) -> Result<(), Refused> {
        let old = self.document(credit)?.clone();
        if self.face != Face::Xero || !old.kind.is_credit() || old.status != Status::Active {
            return refuse(format!("{} cannot be allocated: only an approved Xero credit note can", describe(&old)));
        }
        if amount > self.amount_due(credit) {
            return refuse(format!("{} has {} left; {amount} cannot be allocated", describe(&old), self.amount_due(credit)));
        }
        let probe = Document { applications: vec![Application { document: target, amount }], ..old.clone() };
        self.check_applications(&probe)?;
        let before = self.postings(&old);
        let document = self.documents.get_mut(&credit).expect("looked up above");
        match document.applications.iter_mut().find(|a| a.document == target) {
            Some(known) => known.amount += amount,
            None => document.applications.push(Application { document: target, amount }),
        }
        document.updated_at = now;
        document.sync_token += 1;
        let payers = self.payers.entry(target).or_default();
        if !payers.contains(&credit) {
            payers.push(credit);
        }
        self.posted(credit, before, Some(old.date), now);
        self.touch_paid(credit, now);
        Ok(())
    }
}

fn describe(document: &Document) -> String {
    format!("{} {} (id {})", document.kind.word(), document.number, document.id)
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Draft => "a draft",
        Status::Active => "active",
        Status::Voided => "voided",
        Status::Deleted => "deleted",
    }
}
