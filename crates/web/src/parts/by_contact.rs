//! What each contact owes or is owed, beside the control accounts it adds up to: what the page and the API share.
use domain::chart::control::Control;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::statements::trial_balance;
use jiff::civil::Date;
use std::collections::BTreeMap;
use store::accounts::Account;
use store::companies::Company;
use store::{Conn, StoreError};

/// A control account: what its contacts add up to, and what the ledger says.
pub struct ControlBalance {
    pub account: Account,
    pub by_contact: Amount,
    pub balance: Amount,
}

/// Positive on the natural side: owed to the company for receivables, by it for payables.
pub struct ByContact {
    /// Contacts by the provider's id, largest balance first.
    pub ranked: Vec<(String, Amount)>,
    pub names: BTreeMap<String, String>,
    pub without: Amount,
    pub sum: Amount,
    pub controls: Vec<ControlBalance>,
    /// The ledger holds nothing yet.
    pub is_empty: bool,
}

impl ByContact {
    pub async fn read(conn: &mut Conn, company: &Company, side: Control, day: Date) -> Result<ByContact, StoreError> {
        let chart = store::accounts::list(conn, &company.id).await?;
        let controls: Vec<&Account> = chart.0.values().filter(|account| Control::of(&account.account_type, &account.role) == Some(side)).collect();
        let ids: Vec<&str> = controls.iter().map(|account| account.remote_id.as_str()).collect();
        let balances = store::contact_balances::list(conn, &company.id, &ids, day).await?;
        let names = store::contact_balances::names(conn, &company.id).await?;
        // computed apart from the contacts: the whole ledger, every account, as the proof computes it
        let movements = store::ledger::movements(conn, &company.id, Basis::Accrual, day).await?;
        let ledger = trial_balance(&movements, &chart, day, company.fiscal_year_start_month);

        let natural = |amount: Amount| if side == Control::Receivable { amount } else { -amount };
        let mut by_contact: BTreeMap<Option<&str>, Amount> = BTreeMap::new();
        let mut by_account: BTreeMap<&str, Amount> = BTreeMap::new();
        for ((account, contact), amount) in &balances {
            *by_contact.entry(contact.as_deref()).or_default() += natural(*amount);
            *by_account.entry(account).or_default() += natural(*amount);
        }
        let without = by_contact.remove(&None).unwrap_or_default();
        by_contact.retain(|_, amount| !amount.is_zero());
        let sum: Amount = by_contact.values().copied().sum::<Amount>() + without;
        let mut ranked: Vec<(String, Amount)> = by_contact.into_iter().filter_map(|(contact, amount)| Some((contact?.to_owned(), amount))).collect();
        ranked.sort_by(|(left, more), (right, less)| less.cmp(more).then_with(|| left.cmp(right)));
        let controls = controls
            .into_iter()
            .map(|account| ControlBalance {
                by_contact: by_account.get(account.remote_id.as_str()).copied().unwrap_or_default(),
                balance: natural(ledger.get(&account.remote_id)),
                account: account.clone(),
            })
            .collect();
        Ok(ByContact { ranked, names, without, sum, controls, is_empty: movements.is_empty() })
    }
}
