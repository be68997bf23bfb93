//! Whom sales taxes are owed to: an agency for each account that a tax rate posts to.
use crate::books::{AccountId, Books, TaxRate};

/// A tax office. It is not kept: it follows from the tax rates and their accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxAgency {
    /// The id of its account.
    pub id: AccountId,
    pub name: String,
    pub on_sales: bool,
    pub on_purchases: bool,
}

impl Books {
    /// In the order of their ids.
    pub fn tax_agencies(&self) -> Vec<TaxAgency> {
        let mut accounts: Vec<AccountId> = self.tax_rates.iter().map(|rate| rate.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let agency = |account: AccountId| {
            let own: Vec<&TaxRate> = self.tax_rates.iter().filter(|rate| rate.account == account).collect();
            let name = self.accounts.get(&account).map_or("Tax", |account| account.name.as_str());
            let name = name.strip_suffix(" Payable").unwrap_or(name);
            TaxAgency {
                id: account,
                name: if name.to_lowercase().contains("agency") { name.to_owned() } else { format!("{name} Agency") },
                on_sales: own.iter().any(|rate| rate.for_sales),
                on_purchases: own.iter().any(|rate| rate.for_purchases),
            }
        };
        accounts.into_iter().map(agency).collect()
    }
}
