//! Statements computed from our ledger: trial balance, profit and loss, balance sheet; and the proof that they equal the provider's.
use super::answer::{List, Money, Time};
use super::caller::Caller;
use super::error::ApiError;
use super::input::{BasisWord, Day, Ids, MonthText, Query};
use super::operation::Operation;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use domain::clock::Month;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::organization::Action;
use domain::statements::{AccountRow, balance_sheet, profit_and_loss, trial_balance};
use domain::verification::Difference;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::accounts::ChartOfAccounts;

const TAG: &str = "Statements";
/// Months of one answer.
const MOST_MONTHS: usize = 120;

#[derive(Debug, Serialize, JsonSchema)]
pub struct TrialBalance {
    pub as_of: String,
    pub basis: &'static str,
    pub currency: String,
    pub debits: Money,
    pub credits: Money,
    pub accounts: Vec<Balance>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Balance {
    pub account_id: String,
    pub code: String,
    pub name: String,
    pub class: &'static str,
    /// Debits are positive.
    pub balance: Money,
}

/// Columns of months.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ByMonth {
    pub basis: &'static str,
    pub currency: String,
    /// `2026-01`
    pub months: Vec<String>,
    /// Amounts are positive on the normal side of their class: assets and expenses by debit.
    pub accounts: Vec<MonthlyAmounts>,
    /// Net profit of each month, or the result of the fiscal year that runs at its end.
    pub result: Vec<Money>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct MonthlyAmounts {
    pub account_id: String,
    pub code: String,
    pub name: String,
    pub class: &'static str,
    /// One for each month.
    pub amounts: Vec<Money>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskTrialBalance {
    /// The last day that counts; the last day that was compared unless said.
    pub as_of: Option<Day>,
    pub basis: Option<BasisWord>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskMonths {
    pub from: MonthText,
    /// At most 120 months after `from`.
    pub to: MonthText,
    pub basis: Option<BasisWord>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Verification {
    pub id: String,
    pub run_id: String,
    pub basis: &'static str,
    pub as_of: String,
    /// `verified` or `not_verified`.
    pub mark: &'static str,
    /// 2 after a repair.
    pub pass: i64,
    pub accounts_compared: i64,
    pub months_compared: i64,
    pub differences: Vec<AccountDifference>,
    pub made_at: Time,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct AccountDifference {
    pub account_id: String,
    /// `2026-01`, where it could be narrowed.
    pub month: Option<String>,
    pub ours: Money,
    pub theirs: Money,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskVerifications {
    pub basis: Option<BasisWord>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/companies/{id}/trial-balance", "get_trial_balance", Action::ReadCompany, show_trial_balance)
            .told(
                TAG,
                "Trial balance",
                "From our copy of the ledger, the profit of earlier fiscal years inside retained earnings, as both providers show it.",
            )
            .takes_query::<AskTrialBalance>()
            .answers::<TrialBalance>(),
        Operation::get("/companies/{id}/profit-and-loss", "get_profit_and_loss", Action::ReadCompany, show_profit_and_loss)
            .told(TAG, "Profit and loss by month", "")
            .takes_query::<AskMonths>()
            .answers::<ByMonth>(),
        Operation::get("/companies/{id}/balance-sheet", "get_balance_sheet", Action::ReadCompany, show_balance_sheet)
            .told(TAG, "Balance sheet by month", "Balances at the end of each month.")
            .takes_query::<AskMonths>()
            .answers::<ByMonth>(),
        Operation::get("/companies/{id}/verifications", "list_verifications", Action::ReadCompany, list_verifications)
            .told(TAG, "Verifications", "The latest 50 comparisons with the provider's own trial balance, newest first.")
            .takes_query::<AskVerifications>()
            .answers::<List<Verification>>(),
    ]
}

fn basis(word: Option<BasisWord>) -> Basis {
    word.map_or(Basis::default(), |word| word.0)
}

async fn show_trial_balance(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Query(asked): Query<AskTrialBalance>,
) -> Result<Json<TrialBalance>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let basis = basis(asked.basis);
    let compared = company.marked_as_of.as_deref().and_then(|day| day.parse().ok());
    let as_of = asked.as_of.map(|day| day.0).or(compared).unwrap_or_else(|| caller.now.to_zoned(jiff::tz::TimeZone::UTC).date());
    let movements = store::ledger::movements(&mut conn, &company.id, basis, as_of).await?;
    let chart = store::accounts::list(&mut conn, &company.id).await?;
    let balances = trial_balance(&movements, &chart, as_of, company.fiscal_year_start_month);
    let debits: Amount = balances.0.values().copied().filter(|balance| balance.0 > 0).sum();
    let credits: Amount = balances.0.values().copied().filter(|balance| balance.0 < 0).sum();
    let accounts = balances.0.into_iter().map(|(account_id, balance)| {
        let account = chart.account(&account_id);
        Balance { account_id, code: account.code, name: account.name, class: account.class.as_str(), balance: Money(balance) }
    });
    Ok(Json(TrialBalance {
        as_of: as_of.to_string(),
        basis: basis.as_str(),
        currency: company.currency,
        debits: Money(debits),
        credits: Money(-credits),
        accounts: accounts.collect(),
    }))
}

fn months(asked: &AskMonths) -> Result<Vec<Month>, ApiError> {
    let (from, to) = (asked.from.0, asked.to.0);
    if from > to {
        return Err(ApiError::bad("`from` is after `to`."));
    }
    let between = (i32::from(to.year) - i32::from(from.year)) * 12 + i32::from(to.month) - i32::from(from.month);
    if between >= MOST_MONTHS as i32 {
        return Err(ApiError::bad(format!("`from` and `to` are more than {MOST_MONTHS} months apart. Ask for a part at a time.")));
    }
    Ok(from.through(to))
}

fn rows(rows: Vec<AccountRow>, chart: &ChartOfAccounts) -> Vec<MonthlyAmounts> {
    rows.into_iter()
        .map(|row| {
            let account = chart.account(&row.account_id);
            MonthlyAmounts {
                account_id: row.account_id,
                code: account.code,
                name: account.name,
                class: row.class.as_str(),
                amounts: row.amounts.into_iter().map(Money).collect(),
            }
        })
        .collect()
}

async fn show_profit_and_loss(State(app): State<App>, caller: Caller, ids: Ids, Query(asked): Query<AskMonths>) -> Result<Json<ByMonth>, ApiError> {
    let months = months(&asked)?;
    let basis = basis(asked.basis);
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let movements = store::ledger::movements(&mut conn, &company.id, basis, asked.to.0.last_day()).await?;
    let chart = store::accounts::list(&mut conn, &company.id).await?;
    let accounts = profit_and_loss(&movements, &chart, &months);
    let mut result = vec![Amount::ZERO; months.len()];
    for row in &accounts {
        for (sum, amount) in result.iter_mut().zip(&row.amounts) {
            *sum += if row.class == domain::document::AccountClass::Revenue { *amount } else { -*amount };
        }
    }
    Ok(Json(ByMonth {
        basis: basis.as_str(),
        currency: company.currency,
        months: months.iter().map(Month::to_string).collect(),
        accounts: rows(accounts, &chart),
        result: result.into_iter().map(Money).collect(),
    }))
}

async fn show_balance_sheet(State(app): State<App>, caller: Caller, ids: Ids, Query(asked): Query<AskMonths>) -> Result<Json<ByMonth>, ApiError> {
    let months = months(&asked)?;
    let basis = basis(asked.basis);
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let movements = store::ledger::movements(&mut conn, &company.id, basis, asked.to.0.last_day()).await?;
    let chart = store::accounts::list(&mut conn, &company.id).await?;
    let sheet = balance_sheet(&movements, &chart, &months, company.fiscal_year_start_month);
    Ok(Json(ByMonth {
        basis: basis.as_str(),
        currency: company.currency,
        months: months.iter().map(Month::to_string).collect(),
        accounts: rows(sheet.rows, &chart),
        result: sheet.result_of_year.into_iter().map(Money).collect(),
    }))
}

async fn list_verifications(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Query(asked): Query<AskVerifications>,
) -> Result<Json<List<Verification>>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let found = store::verifications::list(&mut conn, &company.id, basis(asked.basis), 50).await?;
    let data = found.into_iter().map(|verification| {
        let differences: Vec<Difference> = serde_json::from_str(&verification.differences).unwrap_or_default();
        Verification {
            id: verification.id,
            run_id: verification.run_id.0,
            basis: verification.basis.as_str(),
            as_of: verification.as_of,
            mark: verification.mark.as_str(),
            pass: verification.pass,
            accounts_compared: verification.accounts,
            months_compared: verification.months,
            differences: differences
                .into_iter()
                .map(|difference| AccountDifference {
                    account_id: difference.account_id,
                    month: difference.month,
                    ours: Money(difference.ours),
                    theirs: Money(difference.theirs),
                })
                .collect(),
            made_at: Time(verification.made_at),
        }
    });
    Ok(Json(List { data: data.collect(), next_cursor: None }))
}
