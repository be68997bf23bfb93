//! Control accounts: what all customers owe, and what is owed to all suppliers.

/// Which side of the business an account sums up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Control {
    Receivable,
    Payable,
}

impl Control {
    pub const ALL: [Control; 2] = [Control::Receivable, Control::Payable];
    pub fn as_str(self) -> &'static str {
        match self {
            Control::Receivable => "receivable",
            Control::Payable => "payable",
        }
    }
    pub fn parse(word: &str) -> Option<Control> {
        Control::ALL.into_iter().find(|control| control.as_str() == word)
    }
    /// By the provider's type or system role, never by a name: names are in every language.
    pub fn of(account_type: &str, role: &str) -> Option<Control> {
        match (account_type, role) {
            ("Accounts Receivable", _) | (_, "DEBTORS") => Some(Control::Receivable),
            ("Accounts Payable", _) | (_, "CREDITORS") => Some(Control::Payable),
            _ => None,
        }
    }
}
