//! The provider's figures of every month: which reports are asked for, and how their columns come together.
use super::reports::{self, Columns, TrialBalanceReport};
use super::{Xero, payments_only};
use crate::error::ProviderError;
use crate::provider::{Books, FiscalYear, ReportBody, Reported};
use domain::clock::Month;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::verification::{ReportedBalances, ReportedMonth};
use jiff::civil::Date;
use std::collections::BTreeMap;

const PROFIT_AND_LOSS: &str = "ProfitAndLoss";
const BALANCE_SHEET: &str = "BalanceSheet";
const TRIAL_BALANCE: &str = "TrialBalance";

/// Collects the months of one company.
pub struct Collector<'a> {
    pub xero: &'a Xero,
    pub books: &'a Books<'a>,
    pub basis: Basis,
    pub year: &'a FiscalYear,
    pub figures: BTreeMap<Month, ReportedMonth>,
    pub bodies: Vec<ReportBody>,
}

impl Collector<'_> {
    /// Whole months come from ProfitAndLoss and BalanceSheet by month. BalanceSheet moves every date to the end of its month and would
    /// count what is dated later, so the balances of a month that is still running are those of the trial balance of that day.
    pub async fn collect(mut self, first: Month, balances: &ReportedBalances) -> Result<Reported<BTreeMap<Month, ReportedMonth>>, ProviderError> {
        let as_of = balances.as_of;
        let running = Month::of(as_of);
        let last_whole = if as_of == running.last_day() { running } else { running.previous() };
        for call in reports::columns(first, last_whole, true) {
            self.profit_and_loss(&call, call.anchor.last_day(), first, last_whole).await?;
        }
        for call in reports::columns(first, last_whole, false) {
            self.balance_sheets(&call).await?;
        }
        if last_whole < running && first <= running {
            let call = Columns { anchor: running, months: vec![running] };
            self.profit_and_loss(&call, as_of, running, running).await?;
            // it holds profit-and-loss accounts too, which are compared by their movements
            self.figures.entry(running).or_default().balance_sheet.clone_from(&balances.balances);
        }
        Ok(Reported { figures: self.figures, bodies: self.bodies })
    }

    async fn profit_and_loss(&mut self, call: &Columns, to: Date, first: Month, last: Month) -> Result<(), ProviderError> {
        let (from, to) = (call.anchor.first_day().to_string(), to.to_string());
        let mut query = vec![("fromDate", from.as_str()), ("toDate", to.as_str())];
        let periods = call.periods().to_string();
        if call.periods() > 0 {
            query.extend([("periods", periods.as_str()), ("timeframe", "MONTH")]);
        }
        query.push(("standardLayout", "true"));
        query.extend(payments_only(self.basis));
        let answer = self.xero.report(self.books, PROFIT_AND_LOSS, &query).await?;
        let read = reports::by_month(&answer.body, &call.months, self.year).map_err(|defect| super::refusals::unexpected(&answer, defect))?;
        let oldest = call.months[call.months.len() - 1];
        self.bodies.push(ReportBody::new(PROFIT_AND_LOSS, self.basis, format!("{oldest}..{to}"), answer.body));
        for (month, accounts) in read.months.into_iter().filter(|(month, _)| (first..=last).contains(month)) {
            self.figures.entry(month).or_default().profit_and_loss.extend(accounts);
        }
        for month in read.grouped.into_iter().filter(|month| (first..=last).contains(month)) {
            // the accounts of currency gains are one line here; the trial balance keeps them apart
            let day = if month == call.anchor { to.parse().unwrap_or(month.last_day()) } else { month.last_day() };
            let apart = self.trial_balance(day).await?;
            let accounts = &mut self.figures.entry(month).or_default().profit_and_loss;
            for account in apart.profit_and_loss {
                if let Some(amount) = apart.movements.get(&account) {
                    accounts.entry(account).or_insert(*amount);
                }
            }
        }
        Ok(())
    }

    async fn balance_sheets(&mut self, call: &Columns) -> Result<(), ProviderError> {
        let date = call.anchor.last_day().to_string();
        let mut query = vec![("date", date.as_str())];
        let periods = call.periods().to_string();
        if call.periods() > 0 {
            query.extend([("periods", periods.as_str()), ("timeframe", "MONTH")]);
        }
        query.push(("standardLayout", "true"));
        query.extend(payments_only(self.basis));
        let answer = self.xero.report(self.books, BALANCE_SHEET, &query).await?;
        let read = reports::by_month(&answer.body, &call.months, self.year).map_err(|defect| super::refusals::unexpected(&answer, defect))?;
        let oldest = call.months[call.months.len() - 1];
        self.bodies.push(ReportBody::new(BALANCE_SHEET, self.basis, format!("{oldest}..{}", call.anchor), answer.body));
        for (month, accounts) in read.months {
            let mut balances: BTreeMap<String, Amount> = accounts;
            balances.retain(|_, amount| !amount.is_zero());
            self.figures.entry(month).or_default().balance_sheet = balances;
        }
        Ok(())
    }

    async fn trial_balance(&mut self, as_of: Date) -> Result<TrialBalanceReport, ProviderError> {
        let (report, body) = self.xero.trial_balance(self.books, self.basis, as_of, self.year).await?;
        self.bodies.push(body);
        Ok(report)
    }
}

impl Xero {
    /// The trial balance of a day, read and as received.
    pub(super) async fn trial_balance(
        &self,
        books: &Books<'_>,
        basis: Basis,
        as_of: Date,
        year: &FiscalYear,
    ) -> Result<(TrialBalanceReport, ReportBody), ProviderError> {
        let day = as_of.to_string();
        let mut query = vec![("date", day.as_str())];
        query.extend(payments_only(basis));
        let answer = self.report(books, TRIAL_BALANCE, &query).await?;
        let report = reports::trial_balance(&answer.body, year).map_err(|defect| super::refusals::unexpected(&answer, defect))?;
        Ok((report, ReportBody::new(TRIAL_BALANCE, basis, format!("as_of={as_of}"), answer.body)))
    }
}
