//! The words and rules of bookkeeping and syncing: pure values, no I/O, no clock of its own.
pub mod clock;
pub mod company;
pub mod connection;
pub mod data_type;
pub mod document;
pub mod ids;
pub mod job;
pub mod ledger;
pub mod log;
pub mod money;
pub mod organization;
pub mod problem;
pub mod record;
pub mod schedule;
pub mod statements;
pub mod sync;
pub mod verification;
