//! Allocations of credit notes: what they leave in the journals, and taking them back.
//!
//! Recorded from Xero (<https://developer.xero.com/documentation/api/accounting/journals>): an allocation adds one journal with the source
//! of the credit note that moves the amount through Tracking Transfers and back, so that it nets to zero on every account.
use crate::books::{AccountId, AccountType, Books, DocumentId, Face, Posting, Refused, Status};
use crate::money::Cents;
use jiff::Timestamp;
use jiff::civil::Date;

/// The system account has no type of its own in the books: it is known by its name, as the conversion account is.
pub const TRACKING_TRANSFERS: &str = "Tracking Transfers";

impl Books {
    /// The day an allocation of a credit note counts from: the one given, else the later of the two documents'.
    pub fn allocation_date(&self, credit: DocumentId, target: DocumentId) -> Option<Date> {
        let given = self.xero.documents.get(&credit).and_then(|details| details.allocated_on.get(&target)).copied();
        given.or_else(|| Some(self.documents.get(&credit)?.date.max(self.documents.get(&target)?.date)))
    }

    /// A credit note that is entered with its allocations.
    pub(in crate::books) fn pass_allocations_through(&mut self, id: DocumentId, now: Timestamp) {
        if self.face != Face::Xero || !self.documents[&id].kind.is_credit() {
            return;
        }
        for application in self.documents[&id].applications.clone() {
            self.pass_through_tracking_transfers(id, application.document, application.amount, now);
        }
    }

    /// The net-zero journal of one allocation; a negative amount is that of taking it back.
    pub(in crate::books) fn pass_through_tracking_transfers(&mut self, credit: DocumentId, target: DocumentId, amount: Cents, now: Timestamp) {
        if self.face != Face::Xero {
            return;
        }
        let Some(date) = self.allocation_date(credit, target) else { return };
        let document = &self.documents[&credit];
        let (kind, contact, Some(control)) = (document.kind, document.contact, document.account) else { return };
        let home = amount.at(document.rate);
        let transfers = self.tracking_transfers(now);
        let line = |account, amount| Posting {
            account,
            amount,
            contact,
            description: String::new(),
            tax_rate: None,
            tax: Cents::ZERO,
            tracking: Vec::new(),
        };
        let postings = vec![line(control, home), line(control, -home), line(transfers, home), line(transfers, -home)];
        self.append_journal(credit, kind, date, postings, now);
    }

    /// Takes an allocation of a credit note back.
    pub fn deallocate(&mut self, credit: DocumentId, target: DocumentId, now: Timestamp) -> Result<(), Refused> {
        let old = self.document(credit)?.clone();
        if self.face != Face::Xero || !old.kind.is_credit() || old.status != Status::Active {
            return Err(Refused("only an approved Xero credit note has allocations".into()));
        }
        let index = old.applications.iter().position(|a| a.document == target).ok_or_else(|| Refused("there is no such allocation".into()))?;
        let before = self.postings(&old);
        let document = self.documents.get_mut(&credit).expect("looked up above");
        let removed = document.applications.remove(index);
        document.updated_at = now;
        document.sync_token += 1;
        if let Some(target) = self.documents.get_mut(&target) {
            target.updated_at = target.updated_at.max(now);
        }
        self.posted(credit, before, Some(old.date), now);
        self.pass_through_tracking_transfers(credit, target, -removed.amount, now);
        if let Some(details) = self.xero.documents.get_mut(&credit) {
            details.allocated_on.remove(&target);
        }
        Ok(())
    }

    fn tracking_transfers(&mut self, now: Timestamp) -> AccountId {
        match self.accounts.values().find(|account| account.name == TRACKING_TRANSFERS) {
            Some(account) => account.id,
            None => self.add_account(TRACKING_TRANSFERS, "877", AccountType::CurrentLiability, None, None, now),
        }
    }
}
