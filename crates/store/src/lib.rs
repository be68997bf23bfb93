//! Our SQL: the two databases, every statement, and the sealing of secrets. One module for each table.
pub mod accounts;
pub mod call_budgets;
pub mod checkpoints;
pub mod columns;
pub mod companies;
pub mod connections;
pub mod db;
pub mod documents;
pub mod error;
pub mod frame;
pub mod inventory;
pub mod ledger;
pub mod log_entries;
pub mod members;
pub mod oauth_states;
pub mod quarantine;
pub mod raw_records;
pub mod readers;
pub mod reports;
pub mod runs;
pub mod seal;
pub mod sessions;
pub mod settings;
pub mod tenancy;
pub mod verifications;

pub use db::{Conn, Store, Tx};
pub use error::StoreError;
