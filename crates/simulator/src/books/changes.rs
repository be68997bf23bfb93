//! Creating, editing, voiding and deleting documents.
use super::new_document::{describe, refuse, status_word};
use super::{AccountId, Application, Books, Document, DocumentId, Edit, Face, Kind, NO_DOCUMENT, NewDocument, Posting, Refused, Status};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;

impl Books {
    /// Checks and enters a document; it posts at once unless it is a draft.
    pub fn add_document(&mut self, new: NewDocument, now: Timestamp) -> Result<DocumentId, Refused> {
        let document = self.checked(new, now)?;
        let id = self.take_id();
        let number = if document.number.is_empty() { self.next_number(document.kind) } else { document.number.clone() };
        let document = Document { id, number, ..document };
        let posts = document.status == Status::Active;
        self.documents.insert(id, document);
        self.enter_payer(id);
        if posts {
            self.enter_gain_account(id, now);
            self.posted(id, Vec::new(), None, now);
            self.pass_allocations_through(id, now);
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
                tracking: Vec::new(),
            })
            .collect();
        self.sums.add(date, &postings);
        self.cash_moved(NO_DOCUMENT, Kind::Journal, date, &[], date, &postings, now);
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

    /// A full update: the document becomes what `new` describes, under the checks of a new one. Its number, unless given, and the ids of
    /// continued lines stay; what is applied to it must still fit, and payers are posted anew when its rate or account moves what they
    /// settle. A document with the same content stays as it is, its version too.
    pub fn replace_document(&mut self, id: DocumentId, new: NewDocument, now: Timestamp) -> Result<(), Refused> {
        let old = self.document(id)?.clone();
        if matches!(old.status, Status::Voided | Status::Deleted) {
            return refuse(format!("{} is {} and cannot be changed", describe(&old), status_word(old.status)));
        }
        if self.face == Face::Xero && old.kind.is_payment() {
            return refuse("Xero payments cannot be changed: delete the payment and enter a new one");
        }
        if new.kind != old.kind {
            return refuse(format!("{} cannot become a {}", describe(&old), new.kind.word()));
        }
        if old.status == Status::Active && new.status == Status::Draft {
            return refuse(format!("{} is approved and cannot become a draft again", describe(&old)));
        }
        let number = new.number.clone().filter(|number| !number.is_empty()).unwrap_or_else(|| old.number.clone());
        let before = self.postings(&old);
        let payers: Vec<DocumentId> = self.payments_of(id).into_iter().map(|(payer, _)| payer).collect();
        let payers_before: Vec<Vec<Posting>> = payers.iter().map(|payer| self.postings(&self.documents[payer])).collect();
        // What the document itself has applied so far is free again while the new applications are checked.
        self.documents.get_mut(&id).expect("looked up above").applications.clear();
        let archived = self.archived_accounts_of(&old);
        let set_active = |books: &mut Books, active: bool| {
            for account in &archived {
                books.accounts.get_mut(account).expect("an account of the document").active = active;
            }
        };
        // Accounts that were archived since may stay where they are used.
        set_active(self, true);
        let checked = self.checked(new, now);
        set_active(self, false);
        self.documents.insert(id, old.clone());
        let changed = Document { id, number, created_at: old.created_at, updated_at: old.updated_at, sync_token: old.sync_token, ..checked? };
        if changed == old {
            return Ok(());
        }
        if !payers.is_empty() && (changed.contact, &changed.currency) != (old.contact, &old.currency) {
            return refuse(format!("{} is applied to other documents; its contact and currency cannot change", describe(&old)));
        }
        self.documents.insert(id, Document { updated_at: now, sync_token: old.sync_token + 1, ..changed });
        if old.kind.is_open_item() && self.amount_due(id).0 < 0 {
            self.documents.insert(id, old.clone());
            return refuse(format!("{} would be smaller than what is applied to it", describe(&old)));
        }
        for application in &old.applications {
            if let Some(released) = self.documents.get_mut(&application.document) {
                released.updated_at = released.updated_at.max(now);
            }
        }
        self.enter_payer(id);
        self.enter_gain_account(id, now);
        self.posted(id, before, Some(old.date), now);
        for (payer, before) in payers.into_iter().zip(payers_before) {
            let date = self.documents[&payer].date;
            self.posted(payer, before, Some(date), now);
        }
        self.touch_paid(id, now);
        Ok(())
    }

    fn archived_accounts_of(&self, document: &Document) -> Vec<AccountId> {
        let used = document.lines.iter().map(|line| line.account).chain(document.account).chain(document.to_account);
        let mut archived: Vec<AccountId> = used.filter(|id| self.accounts.get(id).is_some_and(|account| !account.active)).collect();
        archived.sort_unstable();
        archived.dedup();
        archived
    }

    /// Makes what this document applies to findable from there.
    fn enter_payer(&mut self, id: DocumentId) {
        let targets: Vec<DocumentId> = self.documents[&id].applications.iter().map(|application| application.document).collect();
        for target in targets {
            let payers = self.payers.entry(target).or_default();
            if !payers.contains(&id) {
                payers.push(id);
            }
        }
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

    pub(super) fn document(&self, id: DocumentId) -> Result<&Document, Refused> {
        self.documents.get(&id).ok_or_else(|| Refused(format!("there is no document {id}")))
    }

    /// Xero keeps a document as it is while payments or allocations stand on either side of it.
    fn refuse_if_applied(&self, document: &Document) -> Result<(), Refused> {
        let uses_others = !document.kind.is_payment() && !document.applications.is_empty();
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
        first.tax_amount = None;
        first.unit_price = amount;
        first.quantity_hundredths = 100;
        document.taxes = self.taxes_of(document.kind, &document.lines);
        if self.total(document).0 < 0 && document.kind.is_open_item() {
            return refuse(format!("{} would have a negative total", describe(document)));
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
        self.pass_through_tracking_transfers(credit, target, amount, now);
        self.touch_paid(credit, now);
        Ok(())
    }
}
