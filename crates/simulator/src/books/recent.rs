//! What changed lately, for those who want to be told: the newest changes of documents, contacts, accounts and items, in their order.
use super::{AccountId, Books, ContactId, DocumentId, ItemId, Status};
use jiff::Timestamp;
use std::collections::VecDeque;

const MOST_CHANGES: usize = 20_000;

/// Bounded: the oldest changes are forgotten.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    changes: VecDeque<Change>,
    /// The number of the last change.
    last: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub number: u64,
    pub at: Timestamp,
    pub what: What,
    pub verb: Verb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Document(DocumentId),
    Contact(ContactId),
    Account(AccountId),
    Item(ItemId),
    /// An entry of a small list, by the name its face has for it.
    Listed(&'static str, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Create,
    Update,
    Void,
    Delete,
    /// Sent to its contact.
    Emailed,
    /// With the record that is gone.
    Merge(u64),
}

impl Recent {
    pub fn note(&mut self, what: What, verb: Verb, at: Timestamp) {
        self.last += 1;
        self.changes.push_back(Change { number: self.last, at, what, verb });
        if self.changes.len() > MOST_CHANGES {
            self.changes.pop_front();
        }
    }

    pub fn last(&self) -> u64 {
        self.last
    }

    /// Changes after this number, oldest first.
    pub fn after(&self, number: u64) -> impl Iterator<Item = &Change> {
        let skipped = self.changes.partition_point(|change| change.number <= number);
        self.changes.iter().skip(skipped)
    }
}

impl Books {
    /// What became of a document, from how it stands now.
    pub(super) fn note_document(&mut self, id: DocumentId, now: Timestamp) {
        let Some(document) = self.documents.get(&id) else { return };
        let verb = match document.status {
            Status::Voided => Verb::Void,
            Status::Deleted => Verb::Delete,
            Status::Draft | Status::Active if document.sync_token == 0 && document.created_at == now => Verb::Create,
            Status::Draft | Status::Active => Verb::Update,
        };
        self.recent.note(What::Document(id), verb, now);
    }
}
