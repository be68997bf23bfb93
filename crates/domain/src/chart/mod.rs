//! Our standard chart of accounts, and how a provider's account finds its place in it: a person, a suggestion, or a rule, in this order.
pub mod category;
pub mod control;
pub mod mapping;
pub mod rules;
pub mod suggest;
mod vocabulary;
pub use category::{Category, StandardChart, Statement};
pub use mapping::{Assignment, Mapping, MappingSource};
pub use suggest::Suggestion;

use crate::document::AccountClass;

/// What a provider says of an account, as far as its place depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountKind<'a> {
    /// With its parents where the provider says so: `Utilities:Electricity`.
    pub name: &'a str,
    pub class: AccountClass,
    /// `Other Current Asset`, `CURRLIAB`.
    pub account_type: &'a str,
    /// Detail type or system role: `Checking`, `DEBTORS`. Empty when there is none.
    pub role: &'a str,
}

impl AccountKind<'_> {
    /// Class, type and role as one text: an account was retyped when this differs.
    pub fn type_text(&self) -> String {
        format!("{}/{}/{}", self.class.as_str(), self.account_type, self.role)
    }
}
