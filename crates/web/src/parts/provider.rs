//! How pages name the providers.

/// In running text and tables: `QuickBooks`, `Xero`.
pub fn name(provider: &str) -> &str {
    match provider {
        "quickbooks" => "QuickBooks",
        "xero" => "Xero",
        other => other,
    }
}

/// On buttons and cards: `QuickBooks Online`, `Xero`.
pub fn full_name(provider: &str) -> &str {
    match provider {
        "quickbooks" => "QuickBooks Online",
        other => name(other),
    }
}
