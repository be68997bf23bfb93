//! Statements: values to show and to prove, computed from postings.
pub mod by_month;
pub mod trial_balance;
pub use by_month::{AccountRow, BalanceSheet, balance_sheet, profit_and_loss};
pub use trial_balance::{AccountMovements, TrialBalance, trial_balance};
