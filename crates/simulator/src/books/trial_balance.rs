//! Balances at any date, from sums of the current postings that every change keeps up to date.
use super::{AccountId, AccountType, Basis, Books, Document, Posting};
use crate::money::Cents;
use jiff::civil::Date;
use std::collections::{BTreeMap, HashMap};

/// Sums of the current postings per account, by month and by day: a balance at a date reads whole months and the days of the last one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    by_month: BTreeMap<(i16, i8), HashMap<AccountId, Cents>>,
    by_day: BTreeMap<Date, HashMap<AccountId, Cents>>,
}

impl Sums {
    pub(super) fn add(&mut self, date: Date, postings: &[Posting]) {
        self.apply(date, postings, false);
    }
    pub(super) fn remove(&mut self, date: Date, postings: &[Posting]) {
        self.apply(date, postings, true);
    }
    /// Moves everything that stands on one account to another.
    pub(super) fn merge(&mut self, from: AccountId, into: AccountId) {
        for part in self.by_month.values_mut().chain(self.by_day.values_mut()) {
            if let Some(amount) = part.remove(&from) {
                *part.entry(into).or_default() += amount;
            }
        }
    }
    fn apply(&mut self, date: Date, postings: &[Posting], negate: bool) {
        if postings.is_empty() {
            return;
        }
        let month = self.by_month.entry((date.year(), date.month())).or_default();
        let day = self.by_day.entry(date).or_default();
        for posting in postings {
            let amount = if negate { -posting.amount } else { posting.amount };
            *month.entry(posting.account).or_default() += amount;
            *day.entry(posting.account).or_default() += amount;
        }
    }
    /// Sums dated on or before `date`; accounts that come to zero are left out.
    fn until(&self, date: Date) -> BTreeMap<AccountId, Cents> {
        let mut sums = BTreeMap::new();
        let collect = |sums: &mut BTreeMap<AccountId, Cents>, part: &HashMap<AccountId, Cents>| {
            for (&account, &amount) in part {
                *sums.entry(account).or_default() += amount;
            }
        };
        for (_, part) in self.by_month.range(..(date.year(), date.month())) {
            collect(&mut sums, part);
        }
        for (_, part) in self.by_day.range(date.first_of_month()..=date) {
            collect(&mut sums, part);
        }
        sums.retain(|_, amount| !amount.is_zero());
        sums
    }
}

/// The balances of one basis.
#[derive(Clone, Copy)]
pub struct Balances<'a> {
    books: &'a Books,
    basis: Basis,
}

impl Balances<'_> {
    fn until(&self, date: Date) -> BTreeMap<AccountId, Cents> {
        match self.basis {
            Basis::Accrual => self.books.sums.until(date),
            Basis::Cash => self.books.cash.sums.until(date),
        }
    }

    /// What a document posts now.
    pub fn postings(&self, document: &Document) -> Vec<Posting> {
        match self.basis {
            Basis::Accrual => self.books.postings(document),
            Basis::Cash => self.books.cash_postings(document),
        }
    }

    /// Sums of all postings dated on or before `date`, debit-positive, home currency; accounts at zero are left out.
    pub fn balances_at(&self, date: Date) -> BTreeMap<AccountId, Cents> {
        self.until(date)
    }

    /// What was posted from `from` to `to`, both included; accounts at zero are left out.
    pub fn movement(&self, from: Date, to: Date) -> BTreeMap<AccountId, Cents> {
        if to < from {
            return BTreeMap::new();
        }
        let mut movement = self.until(to);
        if let Ok(before) = from.yesterday() {
            for (account, amount) in self.until(before) {
                *movement.entry(account).or_default() -= amount;
            }
        }
        movement.retain(|_, amount| !amount.is_zero());
        movement
    }

    /// Profit and loss accounts from the beginning of the fiscal year, all others since ever; results of earlier fiscal years stand in
    /// the retained-earnings account. Neither provider posts closing entries: both compute this when asked.
    pub fn trial_balance(&self, as_of: Date) -> BTreeMap<AccountId, Cents> {
        let mut balances = self.until(as_of);
        let Ok(year_end) = self.books.fiscal_year_start(as_of).yesterday() else {
            return balances;
        };
        let mut earlier_results = Cents::ZERO;
        for (account, amount) in self.until(year_end) {
            if self.books.is_profit_and_loss(account) {
                *balances.entry(account).or_default() -= amount;
                earlier_results += amount;
            }
        }
        if let Some(retained) = self.books.account_of(AccountType::RetainedEarnings) {
            *balances.entry(retained).or_default() += earlier_results;
        }
        balances.retain(|_, amount| !amount.is_zero());
        balances
    }

    /// Income minus costs from `from` to `to`, both included: positive is a profit.
    pub fn net_income(&self, from: Date, to: Date) -> Cents {
        -self.movement(from, to).into_iter().filter(|(account, _)| self.books.is_profit_and_loss(*account)).map(|(_, amount)| amount).sum::<Cents>()
    }
}

impl Books {
    /// The books on a basis; the methods below are those of the accrual basis.
    pub fn on(&self, basis: Basis) -> Balances<'_> {
        Balances { books: self, basis }
    }

    /// See [`Balances::balances_at`].
    pub fn balances_at(&self, date: Date) -> BTreeMap<AccountId, Cents> {
        self.on(Basis::Accrual).balances_at(date)
    }

    /// See [`Balances::movement`].
    pub fn movement(&self, from: Date, to: Date) -> BTreeMap<AccountId, Cents> {
        self.on(Basis::Accrual).movement(from, to)
    }

    /// See [`Balances::trial_balance`].
    pub fn trial_balance(&self, as_of: Date) -> BTreeMap<AccountId, Cents> {
        self.on(Basis::Accrual).trial_balance(as_of)
    }

    /// See [`Balances::net_income`].
    pub fn net_income(&self, from: Date, to: Date) -> Cents {
        self.on(Basis::Accrual).net_income(from, to)
    }

    /// First day of the fiscal year that contains `date`.
    pub fn fiscal_year_start(&self, date: Date) -> Date {
        let year = if date.month() < self.fiscal_year_start_month { date.year() - 1 } else { date.year() };
        Date::new(year, self.fiscal_year_start_month, 1).expect("the first of a month 1-12 is a date")
    }

    /// Documents that post, dated from `from` to `to` (both included), by date and then id.
    pub fn documents_between(&self, from: Date, to: Date) -> impl Iterator<Item = &Document> {
        let days = (from <= to).then(|| self.by_date.range(from..=to));
        days.into_iter().flatten().flat_map(|(_, ids)| ids.iter()).filter_map(|id| self.documents.get(id))
    }

    /// Date of the oldest posting.
    pub fn first_date(&self) -> Option<Date> {
        self.sums.by_day.iter().find(|(_, sums)| sums.values().any(|amount| !amount.is_zero())).map(|(date, _)| *date)
    }

    /// Date of the newest posting.
    pub fn last_date(&self) -> Option<Date> {
        self.sums.by_day.iter().rev().find(|(_, sums)| sums.values().any(|amount| !amount.is_zero())).map(|(date, _)| *date)
    }

    fn is_profit_and_loss(&self, account: AccountId) -> bool {
        self.accounts.get(&account).is_some_and(|a| a.account_type.is_profit_and_loss())
    }
}
