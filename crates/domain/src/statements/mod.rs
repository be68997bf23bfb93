//! Statements: values to show and to prove, computed from postings.
pub mod trial_balance;
pub use trial_balance::{AccountMovements, TrialBalance, trial_balance};
