//! The provider's chart of accounts.
use crate::args;
use crate::columns::word;
use crate::db::{Arg, Conn, Tx};
use crate::error::StoreError;
use domain::document::{AccountClass, Document};
use domain::ids::CompanyId;
use domain::statements::trial_balance::Chart;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Account {
    pub remote_id: String,
    pub name: String,
    pub code: String,
    pub class: AccountClass,
    pub account_type: String,
    pub role: String,
    pub parent_id: Option<String>,
    pub is_retained_earnings: bool,
}

/// All accounts of a company by id.
#[derive(Clone, Debug, Default)]
pub struct ChartOfAccounts(pub BTreeMap<String, Account>);

impl ChartOfAccounts {
    /// An account of the ledger, under its id where the chart does not know it: nothing is lost silently.
    pub fn account(&self, id: &str) -> Account {
        self.0.get(id).cloned().unwrap_or_else(|| Account {
            remote_id: id.to_owned(),
            name: format!("account {id}"),
            code: String::new(),
            class: AccountClass::Asset,
            account_type: String::new(),
            role: String::new(),
            parent_id: None,
            is_retained_earnings: false,
        })
    }
}

impl Chart for ChartOfAccounts {
    fn class(&self, account_id: &str) -> Option<AccountClass> {
        self.0.get(account_id).map(|account| account.class)
    }
    fn retained_earnings(&self) -> Option<&str> {
        self.0.values().find(|account| account.is_retained_earnings).map(|account| account.remote_id.as_str())
    }
}

/// Writes what documents of `DataType::Account` say; others are passed over.
pub async fn supersede(conn: &mut Tx, company_id: &CompanyId, documents: &[&Document]) -> Result<(), StoreError> {
    let mut values = Vec::new();
    for document in documents {
        let Some(facts) = &document.account else { continue };
        values.push(Arg::from(company_id));
        values.push(Arg::from(document.id.as_str()));
        values.push(Arg::from(document.name.clone().unwrap_or_default()));
        values.push(Arg::from(document.number.clone().unwrap_or_default()));
        values.push(Arg::from(facts.class.as_str()));
        values.push(Arg::from(facts.account_type.as_str()));
        values.push(Arg::from(facts.role.as_str()));
        values.push(Arg::from(facts.parent_id.clone()));
        values.push(Arg::from(facts.is_retained_earnings.then_some(1_i64)));
    }
    conn.insert_rows(
        "INSERT INTO accounts (company_id, remote_id, name, code, class, account_type, role, parent_id, retained_earnings_at)",
        9,
        values,
        "ON CONFLICT (company_id, remote_id) DO UPDATE SET name = excluded.name, code = excluded.code, class = excluded.class,
         account_type = excluded.account_type, role = excluded.role, parent_id = excluded.parent_id, retained_earnings_at = excluded.retained_earnings_at",
    )
    .await?;
    Ok(())
}

pub async fn list(conn: &mut Conn, company_id: &CompanyId) -> Result<ChartOfAccounts, StoreError> {
    let rows = conn
        .query(
            "SELECT remote_id, name, code, class, account_type, role, parent_id, retained_earnings_at FROM accounts WHERE company_id = $1 ORDER BY remote_id",
            args![company_id],
        )
        .await?;
    let mut chart = BTreeMap::new();
    for row in &rows {
        let account = Account {
            remote_id: row.text(0)?,
            name: row.text(1)?,
            code: row.text(2)?,
            class: word(row, 3, AccountClass::parse)?,
            account_type: row.text(4)?,
            role: row.text(5)?,
            parent_id: row.opt_text(6)?,
            is_retained_earnings: row.opt_int(7)?.is_some(),
        };
        chart.insert(account.remote_id.clone(), account);
    }
    Ok(ChartOfAccounts(chart))
}
