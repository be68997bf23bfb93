//! The scopes Xero knows: identity, the classic broad ones, and the granular ones of 2026.
//!
//! Contract: providers/xero.md 1.8 (developer.xero.com, "Scopes" and the FAQ on granular scopes).
use crate::apps::App;
use crate::faults::Switches;

/// Scopes that also exist without `.read`, which then allow writing as well.
const READ_AND_WRITE: [&str; 10] = [
    "accounting.transactions",
    "accounting.settings",
    "accounting.contacts",
    "accounting.attachments",
    "accounting.invoices",
    "accounting.payments",
    "accounting.banktransactions",
    "accounting.manualjournals",
    "accounting.classicexpenses",
    "accounting.budgets",
];

const OTHERS: [&str; 18] = [
    "openid",
    "profile",
    "email",
    "offline_access",
    "accounting.journals.read",
    "accounting.reports.read",
    "accounting.reports.tenninetynine.read",
    "accounting.reports.aged.read",
    "accounting.reports.balancesheet.read",
    "accounting.reports.banksummary.read",
    "accounting.reports.budgetsummary.read",
    "accounting.reports.executivesummary.read",
    "accounting.reports.profitandloss.read",
    "accounting.reports.trialbalance.read",
    "accounting.reports.taxreports.read",
    "paymentservices",
    "app.connections",
    "marketplace.billing",
];

/// The premium scope an app has to be approved for (section 4.6).
pub const JOURNALS: &str = "accounting.journals.read";

pub fn is_known(scope: &str) -> bool {
    OTHERS.contains(&scope) || READ_AND_WRITE.contains(&scope.strip_suffix(".read").unwrap_or(scope))
}

/// The broad scopes that granular ones took the place of; "apps created on or after 2 March 2026 may use granular scopes only".
const BROAD: [&str; 3] = ["accounting.transactions", "accounting.transactions.read", "accounting.reports.read"];

/// "Closed to new apps": <https://developer.xero.com/faq/granular-scopes>.
const CLASSIC_EXPENSES: [&str; 2] = ["accounting.classicexpenses", "accounting.classicexpenses.read"];

/// What an app may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// The app's tier has the premium Journals endpoint, and it is approved for it.
    pub journals: bool,
    pub granular_only: bool,
}

impl Allowance {
    pub fn of(app: &App, switches: &Switches) -> Allowance {
        Allowance { journals: switches.xero_journals && app.tier.is_premium(), granular_only: app.granular_only }
    }
    fn has(self, scope: &str) -> bool {
        let too_broad = self.granular_only && (BROAD.contains(&scope) || CLASSIC_EXPENSES.contains(&scope));
        is_known(scope) && !too_broad && (scope != JOURNALS || self.journals)
    }
}

/// The first scope of the request that this app may not have.
pub fn refused(requested: &str, allowance: Allowance) -> Option<&str> {
    requested.split_whitespace().find(|scope| !allowance.has(scope))
}

/// Everything of the Accounting API that an app may have.
pub fn of_a_custom_connection(allowance: Allowance) -> String {
    let all = READ_AND_WRITE.into_iter().chain(OTHERS.into_iter().filter(|scope| scope.starts_with("accounting.")));
    all.filter(|scope| allowance.has(scope)).collect::<Vec<_>>().join(" ")
}

pub fn holds(granted: &str, scope: &str) -> bool {
    granted.split_whitespace().any(|word| word == scope)
}

/// What a scope lets an app do, for the consent page.
pub fn meaning(scope: &str) -> Option<&'static str> {
    Some(match scope.strip_suffix(".read").unwrap_or(scope) {
        "openid" | "profile" | "email" => "See your name and e-mail address",
        "offline_access" => "Stay connected while you are away",
        "accounting.settings" => "Read organisation settings, accounts and tax rates",
        "accounting.contacts" => "Read contacts",
        "accounting.transactions" => "Read invoices, payments, bank transactions and manual journals",
        "accounting.invoices" => "Read invoices, bills and credit notes",
        "accounting.payments" => "Read payments",
        "accounting.banktransactions" => "Read bank transactions and transfers",
        "accounting.manualjournals" => "Read manual journals",
        "accounting.journals" => "Read the general ledger",
        "accounting.budgets" => "Read budgets",
        "accounting.attachments" => "Read attachments",
        scope if scope.starts_with("accounting.reports") => "Read reports",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classic_and_granular_scopes_are_known_and_others_are_not() {
        for scope in ["openid", "accounting.transactions", "accounting.transactions.read", "accounting.invoices.read", "accounting.reports.read"] {
            assert!(is_known(scope), "{scope}");
        }
        let all = Allowance { journals: true, granular_only: false };
        assert_eq!(refused("openid accounting.everything", all), Some("accounting.everything"));
        assert_eq!(refused("openid accounting.journals.read", Allowance { journals: false, ..all }), Some(JOURNALS));
        assert_eq!(refused("openid accounting.journals.read accounting.transactions.read", all), None);
        let new = Allowance { granular_only: true, ..all };
        assert_eq!(refused("openid accounting.invoices.read accounting.transactions.read", new), Some("accounting.transactions.read"));
        assert!(!holds(&of_a_custom_connection(new), "accounting.reports.read") && holds(&of_a_custom_connection(new), "accounting.invoices"));
    }
}
