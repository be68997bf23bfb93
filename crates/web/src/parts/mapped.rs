//! A company's accounts in the standard chart with their balances: what the pages of the mapping share.
use crate::error::WebError;
use crate::parts::icon::{Icon, icon};
use crate::visit::Visit;
use domain::chart::category::Category;
use domain::chart::mapping::{self, MappingSource};
use domain::clock::Month;
use domain::document::AccountClass;
use domain::ids::CompanyId;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::statements::{AccountMovements, trial_balance};
use engine::EngineError;
use engine::mappings::Loaded;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use store::Conn;
use store::companies::Company;

/// A company's mapping and what its ledger says of each account.
pub struct MappedBooks {
    pub company: Company,
    pub loaded: Loaded,
    pub movements: AccountMovements,
    pub as_of: Date,
    /// Debits positive. Balance sheet: as of the day; profit and loss: of the twelve months up to it.
    pub balances: BTreeMap<String, Amount>,
    pub last_month: BTreeMap<String, Month>,
}

impl MappedBooks {
    pub async fn read(visit: &Visit, conn: &mut Conn, id: &CompanyId) -> Result<MappedBooks, WebError> {
        let company = store::companies::find(conn, visit.organization_id(), id).await?.ok_or(WebError::NotFound)?;
        Ok(MappedBooks::of(company, visit.now.to_zoned(visit.zone.clone()).date(), conn).await?)
    }

    /// As of the day that was proven last, or else of `today`.
    pub async fn of(company: Company, today: Date, conn: &mut Conn) -> Result<MappedBooks, EngineError> {
        let id = &company.id;
        let as_of = company.marked_as_of.as_deref().and_then(|day| day.parse::<Date>().ok()).unwrap_or(today);
        let loaded = engine::mappings::load(conn, id).await?;
        let movements = store::ledger::movements(conn, id, Basis::Accrual, as_of).await?;
        let mut balances: BTreeMap<String, Amount> = BTreeMap::new();
        let mut last_month: BTreeMap<String, Month> = BTreeMap::new();
        let first = (0..11).fold(Month::of(as_of), |month, _| month.previous());
        for ((account, month), amount) in &movements {
            last_month.entry(account.clone()).and_modify(|last| *last = (*last).max(*month)).or_insert(*month);
            if loaded.chart.account(account).class.is_profit_and_loss() && *month >= first {
                *balances.entry(account.clone()).or_default() += *amount;
            }
        }
        for (account, balance) in trial_balance(&movements, &loaded.chart, as_of, company.fiscal_year_start_month).0 {
            if !loaded.chart.account(&account).class.is_profit_and_loss() {
                balances.insert(account, balance);
            }
        }
        Ok(MappedBooks { company, loaded, movements, as_of, balances, last_month })
    }

    pub fn balance(&self, account_id: &str) -> Amount {
        self.balances.get(account_id).copied().unwrap_or_default()
    }

    pub fn leaf(&self, account_id: &str) -> &'static Category {
        self.loaded.mapping.leaf(account_id, &self.loaded.chart)
    }

    /// Every account of the chart, and those the ledger knows besides.
    pub fn account_ids(&self) -> BTreeSet<&str> {
        self.loaded.chart.0.keys().chain(self.balances.keys()).map(String::as_str).collect()
    }

    pub fn impact(&self, account_id: &str) -> Amount {
        let confidence = self.loaded.mapping.0.get(account_id).map_or(0, |assignment| assignment.confidence);
        mapping::impact(self.balance(account_id), confidence)
    }

    /// Sums by leaf and by everything a leaf lies in, positive on the normal side of the class.
    pub fn totals(&self) -> BTreeMap<usize, (Amount, usize)> {
        let mut totals: BTreeMap<usize, (Amount, usize)> = BTreeMap::new();
        for id in self.account_ids() {
            let leaf = self.leaf(id);
            for category in leaf.line() {
                let total = totals.entry(category.rank).or_default();
                total.0 += natural(leaf.class, self.balance(id));
                total.1 += 1;
            }
        }
        totals
    }
}

/// Positive where a class usually is: assets and expenses by debits, the others by credits.
pub fn natural(class: AccountClass, debits: Amount) -> Amount {
    if matches!(class, AccountClass::Asset | AccountClass::Expense) { debits } else { -debits }
}

/// The mark of a source: one drawing each, and always its word beside it or on hover.
pub fn source_icon(source: MappingSource) -> Icon {
    match source {
        MappingSource::User => icon("user"),
        MappingSource::Ai => icon("sparkle"),
        MappingSource::Rule => icon("rules"),
        MappingSource::Unmapped => icon("flag"),
    }
}

/// The title of a class in the standard chart.
pub fn class_name(class: AccountClass) -> &'static str {
    domain::chart::category::unmapped(class).line()[0].name
}
