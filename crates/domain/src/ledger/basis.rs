//! When income and costs count.
use serde::{Deserialize, Serialize};

/// The accounting basis of a ledger and of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// When they are invoiced or billed.
    #[default]
    Accrual,
    /// When they are paid.
    Cash,
}

impl Basis {
    pub const ALL: [Basis; 2] = [Basis::Accrual, Basis::Cash];

    /// `accrual`, `cash`: as the database and addresses spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Basis::Accrual => "accrual",
            Basis::Cash => "cash",
        }
    }
    /// As a person reads it, and as QuickBooks spells it.
    pub fn label(self) -> &'static str {
        match self {
            Basis::Accrual => "Accrual",
            Basis::Cash => "Cash",
        }
    }
    pub fn parse(word: &str) -> Option<Basis> {
        Basis::ALL.into_iter().find(|basis| basis.as_str() == word)
    }
}
