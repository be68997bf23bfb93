//! Statements computed from our ledger: trial balance, profit and loss, balance sheet; and the proof that they equal the provider's.
use super::answer::{List, Money, Time};
use super::caller::Caller;
use super::error::ApiError;
use super::input::{BasisWord, Day, Ids, MonthText, Query};
use super::operation::Operation;
use crate::app::App;
use crate::parts::by_contact::ByContact;
use axum::Json;
use axum::extract::State;
use domain::chart::control::Control;
use domain::chart::{StandardChart, category};
use domain::clock::Month;
use domain::document::AccountClass;
use domain::ids::CompanyId;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::organization::Action;
use domain::statements::trial_balance::Chart;
use domain::statements::{AccountMovements, AccountRow, balance_sheet, profit_and_loss, trial_balance};
use domain::verification::Difference;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Conn;
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
    pub chart: Option<ChartWord>,
}

/// Which chart the rows are of: `provider`, its own accounts, or `standard`, the categories they are mapped to (their ids are keys of `list_categories`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChartWord {
    #[default]
    Provider,
    Standard,
}

/// What a statement is computed from: movements and the chart they are on.
struct Ledger {
    movements: AccountMovements,
    accounts: ChartOfAccounts,
    chart: ChartWord,
}

impl Ledger {
    async fn read(conn: &mut Conn, company_id: &CompanyId, basis: Basis, through: Date, chart: Option<ChartWord>) -> Result<Ledger, ApiError> {
        let movements = store::ledger::movements(conn, company_id, basis, through).await?;
        let chart = chart.unwrap_or_default();
        if chart == ChartWord::Provider {
            return Ok(Ledger { movements, accounts: store::accounts::list(conn, company_id).await?, chart });
        }
        let loaded = engine::mappings::load(conn, company_id).await?;
        Ok(Ledger { movements: loaded.mapping.normalize(&movements, &loaded.chart), accounts: loaded.chart, chart })
    }
    fn chart(&self) -> &dyn Chart {
        match self.chart {
            ChartWord::Provider => &self.accounts,
            ChartWord::Standard => &StandardChart,
        }
    }
    /// Code, name and class of a row.
    fn row(&self, id: &str) -> (String, String, AccountClass) {
        match category::find(id).filter(|_| self.chart == ChartWord::Standard) {
            Some(category) => (String::new(), category.path(), category.class),
            None => {
                let account = self.accounts.account(id);
                (account.code, account.name, account.class)
            }
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskMonths {
    pub from: MonthText,
    /// At most 120 months after `from`.
    pub to: MonthText,
    pub basis: Option<BasisWord>,
    pub chart: Option<ChartWord>,
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

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskContactBalances {
    pub side: SideWord,
    /// The last day that counts; the last day that was compared unless said.
    pub as_of: Option<Day>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SideWord {
    Receivable,
    Payable,
}

/// Positive is owed to the company on the receivable side, by it on the payable side.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ContactBalances {
    pub side: &'static str,
    pub as_of: String,
    pub currency: String,
    /// Largest first.
    pub contacts: Vec<ContactBalance>,
    /// What is posted to the control accounts without a contact.
    pub without_contact: Money,
    pub sum: Money,
    pub controls: Vec<ControlAccount>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct ContactBalance {
    pub contact_id: String,
    /// Null where the provider's list of contacts does not know it.
    pub name: Option<String>,
    pub balance: Money,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct ControlAccount {
    pub account_id: String,
    pub code: String,
    pub name: String,
    pub by_contact: Money,
    /// From the whole ledger, as the proof computes it: the same, or something is wrong.
    pub balance: Money,
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
        Operation::get("/companies/{id}/contact-balances", "get_contact_balances", Action::ReadCompany, show_contact_balances)
            .told(TAG, "Receivables or payables by contact", "As of any day, beside the control accounts they add up to.")
            .takes_query::<AskContactBalances>()
            .answers::<ContactBalances>(),
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
    let ledger = Ledger::read(&mut conn, &company.id, basis, as_of, asked.chart).await?;
    let balances = trial_balance(&ledger.movements, ledger.chart(), as_of, company.fiscal_year_start_month);
    let debits: Amount = balances.0.values().copied().filter(|balance| balance.0 > 0).sum();
    let credits: Amount = balances.0.values().copied().filter(|balance| balance.0 < 0).sum();
    let accounts = balances.0.into_iter().map(|(account_id, balance)| {
        let (code, name, class) = ledger.row(&account_id);
        Balance { account_id, code, name, class: class.as_str(), balance: Money(balance) }
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

fn rows(rows: Vec<AccountRow>, ledger: &Ledger) -> Vec<MonthlyAmounts> {
    rows.into_iter()
        .map(|row| {
            let (code, name, _) = ledger.row(&row.account_id);
            MonthlyAmounts {
                account_id: row.account_id,
                code,
                name,
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
    let ledger = Ledger::read(&mut conn, &company.id, basis, asked.to.0.last_day(), asked.chart).await?;
    let accounts = profit_and_loss(&ledger.movements, ledger.chart(), &months);
    let mut result = vec![Amount::ZERO; months.len()];
    for row in &accounts {
        for (sum, amount) in result.iter_mut().zip(&row.amounts) {
            *sum += if row.class == AccountClass::Revenue { *amount } else { -*amount };
        }
    }
    Ok(Json(ByMonth {
        basis: basis.as_str(),
        currency: company.currency,
        months: months.iter().map(Month::to_string).collect(),
        accounts: rows(accounts, &ledger),
        result: result.into_iter().map(Money).collect(),
    }))
}

async fn show_balance_sheet(State(app): State<App>, caller: Caller, ids: Ids, Query(asked): Query<AskMonths>) -> Result<Json<ByMonth>, ApiError> {
    let months = months(&asked)?;
    let basis = basis(asked.basis);
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let ledger = Ledger::read(&mut conn, &company.id, basis, asked.to.0.last_day(), asked.chart).await?;
    let sheet = balance_sheet(&ledger.movements, ledger.chart(), &months, company.fiscal_year_start_month);
    Ok(Json(ByMonth {
        basis: basis.as_str(),
        currency: company.currency,
        months: months.iter().map(Month::to_string).collect(),
        accounts: rows(sheet.rows, &ledger),
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

async fn show_contact_balances(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Query(asked): Query<AskContactBalances>,
) -> Result<Json<ContactBalances>, ApiError> {
    let side = match asked.side {
        SideWord::Receivable => Control::Receivable,
        SideWord::Payable => Control::Payable,
    };
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let compared = company.marked_as_of.as_deref().and_then(|day| day.parse().ok());
    let as_of = asked.as_of.map(|day| day.0).or(compared).unwrap_or_else(|| caller.now.to_zoned(jiff::tz::TimeZone::UTC).date());
    let found = ByContact::read(&mut conn, &company, side, as_of).await?;
    Ok(Json(ContactBalances {
        side: side.as_str(),
        as_of: as_of.to_string(),
        currency: company.currency,
        contacts: found
            .ranked
            .iter()
            .map(|(id, balance)| ContactBalance { contact_id: id.clone(), name: found.names.get(id).cloned(), balance: Money(*balance) })
            .collect(),
        without_contact: Money(found.without),
        sum: Money(found.sum),
        controls: found
            .controls
            .into_iter()
            .map(|control| ControlAccount {
                account_id: control.account.remote_id,
                code: control.account.code,
                name: control.account.name,
                by_contact: Money(control.by_contact),
                balance: Money(control.balance),
            })
            .collect(),
    }))
}
