//! Entries of the ledger: balanced sets of postings.
pub mod entry;
pub use entry::{EntryKey, LedgerEntry, Posting, Unbalanced};
