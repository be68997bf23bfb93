//! The scopes Xero knows: identity, the classic broad ones, and the granular ones of 2026.
//!
//! Contract: providers/xero.md 1.8 (developer.xero.com, "Scopes" and the FAQ on granular scopes).

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

/// The first scope of the request that this app may not have.
pub fn refused(requested: &str, journals_allowed: bool) -> Option<&str> {
    requested.split_whitespace().find(|scope| !is_known(scope) || (*scope == JOURNALS && !journals_allowed))
}

/// Everything of the Accounting API that an app may have.
pub fn of_a_custom_connection(journals_allowed: bool) -> String {
    let others = OTHERS.into_iter().filter(|scope| scope.starts_with("accounting.") && (*scope != JOURNALS || journals_allowed));
    READ_AND_WRITE.into_iter().chain(others).collect::<Vec<_>>().join(" ")
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
        assert_eq!(refused("openid accounting.everything", true), Some("accounting.everything"));
        assert_eq!(refused("openid accounting.journals.read", false), Some(JOURNALS));
        assert_eq!(refused("openid accounting.journals.read", true), None);
    }
}
