//! Entries of the ledger: balanced sets of postings.
pub mod basis;
pub mod entry;
pub use basis::Basis;
pub use entry::{EntryKey, LedgerEntry, Posting, Unbalanced};
