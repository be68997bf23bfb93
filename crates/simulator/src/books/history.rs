//! What follows from every change of a document: journals, sums, contact balances, touched times, numbers.
use super::guid::mix;
use super::recent::{Verb, What};
use super::{AccountType, Books, DocumentId, Face, Journal, Kind, Posting, Status};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

impl Books {
    /// Appends what changed to the history and moves sums, dates, contact balances and touched times from the old to the new postings.
    pub(super) fn posted(&mut self, id: DocumentId, before: Vec<Posting>, old_date: Option<Date>, now: Timestamp) {
        self.note_document(id, now);
        let dearer = self.stock_moved(id, now);
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
        if before != after || old_date != date {
            self.accrual_moved(id, kind, old_date, before, date, after, now);
        }
        self.cash_posted(id, now);
        for (other, before) in dearer {
            let document = &self.documents[&other];
            let (kind, date, after) = (document.kind, document.date, self.postings(document));
            if before != after {
                self.accrual_moved(other, kind, date, before, date, after, now);
                self.cash_posted(other, now);
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // old and new of one posting event
    fn accrual_moved(&mut self, id: DocumentId, kind: Kind, old_date: Date, before: Vec<Posting>, date: Date, after: Vec<Posting>, now: Timestamp) {
        if !(kind.is_payment() || kind.is_open_item()) {
            self.cash_moved(id, kind, old_date, &before, date, &after, now);
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

    pub(super) fn append_journal(&mut self, document: DocumentId, kind: Kind, date: Date, postings: Vec<Posting>, created_at: Timestamp) {
        let number = self.next_journal_number;
        self.next_journal_number = number + 1 + gap_after(self.seed, number);
        self.journals.push(Journal { number, date, created_at, document, kind, postings });
    }

    pub(super) fn move_contact_balances(&mut self, postings: &[Posting], negate: bool) {
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
    pub(super) fn touch_lists<'a>(&mut self, postings: impl Iterator<Item = &'a Posting>, now: Timestamp) {
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
    pub(super) fn touch_paid(&mut self, id: DocumentId, now: Timestamp) {
        let paid: Vec<DocumentId> = self.documents[&id].applications.iter().map(|a| a.document).collect();
        for target in paid {
            if let Some(paid) = self.documents.get_mut(&target) {
                paid.updated_at = paid.updated_at.max(now);
                self.recent.note(What::Document(target), Verb::Update, now);
            }
        }
    }

    /// Books get their currency gain account with the first document that needs one.
    pub(super) fn enter_gain_account(&mut self, id: DocumentId, now: Timestamp) {
        let is_foreign = self.documents[&id].currency != self.currency;
        if is_foreign && self.account_of(AccountType::CurrencyGain).is_none() {
            let (name, code) = if self.face == Face::Xero { ("Realised Currency Gains", "499") } else { ("Exchange Gain or Loss", "") };
            self.add_account(name, code, AccountType::CurrencyGain, None, None, now);
        }
    }

    pub(super) fn next_number(&mut self, kind: Kind) -> String {
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
}

/// Now and then numbers are skipped: how many after this one.
pub(super) fn gap_after(seed: u64, number: u64) -> u64 {
    let draw = mix(seed ^ number.rotate_left(17));
    if draw.is_multiple_of(9) { 1 + (draw >> 8) % 4 } else { 0 }
}
