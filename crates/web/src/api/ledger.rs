//! The chart of accounts and the postings of the ledger.
use super::answer::{List, Money};
use super::caller::Caller;
use super::cursor::Place;
use super::error::ApiError;
use super::input::{BasisWord, Ids, Limit, MonthText, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use domain::organization::Action;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const TAG: &str = "Ledger";

#[derive(Debug, Serialize, JsonSchema)]
pub struct Account {
    /// The provider's id.
    pub id: String,
    pub code: String,
    pub name: String,
    /// `asset`, `liability`, `equity`, `revenue` or `expense`.
    pub class: &'static str,
    /// The provider's own type.
    pub account_type: String,
    pub parent_id: Option<String>,
    /// Into it goes the profit of earlier fiscal years.
    pub is_retained_earnings: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Posting {
    pub day: String,
    /// Home currency; debits are positive.
    pub amount: Money,
    /// What the provider calls the transaction.
    pub source_type: String,
    /// The provider's id of it; empty where it gives none.
    pub source_id: String,
    pub contact_id: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPostings {
    pub month: MonthText,
    pub basis: Option<BasisWord>,
    pub limit: Option<Limit>,
    pub cursor: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/companies/{id}/accounts", "list_accounts", Action::ReadCompany, list_accounts)
            .told(TAG, "Chart of accounts", "The provider's own chart, archived accounts included, in order of id.")
            .takes_query::<Nothing>()
            .answers::<List<Account>>(),
        Operation::get("/companies/{id}/accounts/{account_id}/postings", "list_postings", Action::ReadCompany, list_postings)
            .told(TAG, "Postings of an account in a month", "In order of day.")
            .takes_query::<AskPostings>()
            .answers::<List<Posting>>(),
    ]
}

async fn list_accounts(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<Account>>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let chart = store::accounts::list(&mut conn, &company.id).await?;
    let data = chart.0.into_values().map(|account| Account {
        id: account.remote_id,
        code: account.code,
        name: account.name,
        class: account.class.as_str(),
        account_type: account.account_type,
        parent_id: account.parent_id,
        is_retained_earnings: account.is_retained_earnings,
    });
    Ok(Json(List { data: data.collect(), next_cursor: None }))
}

/// `2026-01-31/000123/4`: day, piece of the ledger, line.
fn position(text: &str) -> Option<(Date, i64, i64)> {
    let (day, rest) = text.split_once('/')?;
    let (piece, line) = rest.rsplit_once('/')?;
    Some((day.parse().ok()?, piece.parse().ok()?, line.parse().ok()?))
}

async fn list_postings(State(app): State<App>, caller: Caller, ids: Ids, Query(asked): Query<AskPostings>) -> Result<Json<List<Posting>>, ApiError> {
    let limit = asked.limit.map_or(100, |limit| limit.0);
    let basis = asked.basis.map_or(domain::ledger::Basis::default(), |word| word.0);
    let account_id = ids.text("account_id");
    let filter = format!("{}|{account_id}|{}|{}", ids.text("id"), asked.month.0, basis.as_str());
    let place = Place { app: &app, caller: &caller, list: "postings", filter };
    let after = place.open(asked.cursor.as_deref())?;
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let chart = store::accounts::list(&mut conn, &company.id).await?;
    if !chart.0.contains_key(account_id) {
        return Err(ApiError::NotFound);
    }
    let after = after.as_deref().and_then(position);
    let mut rows =
        store::ledger::list_lines(&mut conn, &company.id, basis, account_id, (asked.month.0, asked.month.0), after, limit as i64 + 1).await?;
    let next_cursor = place.next(&mut rows, limit, |line| format!("{}/{}/{}", line.day, line.piece, line.line));
    let data = rows.into_iter().map(|line| Posting {
        day: line.day.to_string(),
        amount: Money(line.amount),
        source_type: line.source_type,
        source_id: line.source_id,
        contact_id: line.contact_id,
    });
    Ok(Json(List { data: data.collect(), next_cursor }))
}
