//! How far a run is: kept in the run's row, written with every chunk, read by the pages.
use domain::data_type::{DataType, Group};
use domain::sync::Counts;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How far a run is. It is written in the transaction of the chunk it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    pub counts: BTreeMap<DataType, Counts>,
    /// What it does now, in words: `Invoices`.
    pub step: String,
    pub step_number: u32,
    pub steps: u32,
    pub done: u64,
    pub expected: Option<u64>,
    /// What the provider says it has of each data type that is listed whole.
    pub expected_of: BTreeMap<DataType, u64>,
    /// Months that changed records touch, old and new: their ledger is read again.
    pub touched_months: BTreeSet<String>,
    /// Data types that could not be synced, and why: the run goes on and ends as failed.
    pub failed: BTreeMap<DataType, domain::problem::Problem>,
    pub ledger_entries: u64,
    pub ledger_months: u64,
    /// Months of the cash ledger that were read in this run.
    pub cash_months: BTreeSet<String>,
    /// Data types that new postings say must be listed again.
    pub implied: BTreeSet<DataType>,
    /// Data types that a person wants to be listed whole again.
    pub again: BTreeSet<DataType>,
    /// The first and the last month whose ledger a person wants to be read again.
    pub again_months: Option<(String, String)>,
    /// The company's own facts were read in this run, and with them what seldom changes.
    pub thorough: bool,
    /// Calls and bytes of earlier attempts of this run.
    pub calls: u64,
    pub bytes: u64,
}

impl Progress {
    /// Reads what a run's row holds; something unreadable counts as nothing done yet.
    pub fn parse(text: &str) -> Progress {
        serde_json::from_str(text).unwrap_or_default()
    }
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("progress is plain data")
    }
    /// Counts of all data types of a milestone.
    pub fn group(&self, group: Group) -> Counts {
        let mut sum = Counts::default();
        for (data_type, counts) in &self.counts {
            if data_type.group() == group {
                sum.add(*counts);
            }
        }
        sum
    }
    pub fn total(&self) -> Counts {
        let mut sum = Counts::default();
        for counts in self.counts.values() {
            sum.add(*counts);
        }
        sum
    }
    pub fn expect(&mut self, data_type: DataType, expected: Option<u64>) {
        if let Some(expected) = expected {
            self.expected_of.insert(data_type, expected);
        }
    }
    pub fn enter(&mut self, step: &str, number: u32, steps: u32, expected: Option<u64>) {
        if self.step != step {
            self.done = 0;
        }
        self.step = step.to_owned();
        self.step_number = number;
        self.steps = steps;
        self.expected = expected;
    }
}
