//! The lines a figure of a statement is made of: the postings of one account in one month.
use crate::app::App;
use crate::error::WebError;
use crate::pages::company;
use crate::parts::address::{Address, Asked};
use crate::parts::figures;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::clock::Month;
use domain::document::AccountClass;
use domain::ids::CompanyId;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::statements::trial_balance;
use jiff::civil::Date;
use store::ledger::Line;

pub struct LineRow {
    pub day: String,
    pub transaction: String,
    pub number: String,
    pub debit: String,
    pub credit: String,
}

#[derive(Template)]
#[template(path = "pages/account_lines.html")]
pub struct AccountLinesPage {
    pub shell: Shell,
    pub name: String,
    pub account: String,
    pub code: String,
    pub currency: String,
    pub month: String,
    pub basis: &'static str,
    pub back: String,
    pub opening: Option<String>,
    pub movement: String,
    pub closing: Option<String>,
    pub lines: Vec<LineRow>,
    pub next: Option<String>,
    pub previous_month: String,
    pub next_month: String,
}

const LINES_ON_A_PAGE: usize = 200;

/// The page of an account's lines in a month.
pub fn address(company_id: &CompanyId, basis: Basis, account_id: &str, month: Month) -> Address {
    company::on_basis(company_id, "/lines", basis).with("account", account_id).with("month", month)
}

/// Where the last page ended: `2026-01-31/202601/17`.
fn position(text: &str) -> Option<(Date, i64, i64)> {
    let (day, rest) = text.split_once('/')?;
    let (piece, line) = rest.rsplit_once('/')?;
    Some((day.parse().ok()?, piece.parse().ok()?, line.parse().ok()?))
}

pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let mut conn = app.engine.store.read().await?;
    let company = store::companies::find(&mut conn, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let account_id = asked.get("account").to_owned();
    let month = Month::parse(asked.get("month")).ok_or(WebError::NotFound)?;
    let basis = Basis::parse(asked.get("basis")).unwrap_or_default();
    let chart = store::accounts::list(&mut conn, &id).await?;
    let account = chart.0.get(&account_id).ok_or(WebError::NotFound)?;
    let after = position(asked.get("after")).filter(|(day, _, _)| Month::of(*day) == month);
    let mut lines = store::ledger::list_lines(&mut conn, &id, basis, &account_id, month, after, LINES_ON_A_PAGE as i64 + 1).await?;
    let more = lines.len() > LINES_ON_A_PAGE;
    lines.truncate(LINES_ON_A_PAGE);
    let ids: Vec<&str> = lines.iter().map(|line| line.source_id.as_str()).filter(|id| !id.is_empty()).collect();
    let numbers = store::documents::find_numbers(&mut conn, &id, &ids).await?;
    let movements = store::ledger::movements(&mut conn, &id, basis, month.last_day()).await?;
    let shell = visit.shell(&mut conn, Place::Companies, &company.name).await?;
    drop(conn);

    // a profit-and-loss account tells what moved, every other one its balances too
    let movement = movements.get(&(account_id.clone(), month)).copied().unwrap_or_default();
    let closing = trial_balance(&movements, &chart, month.last_day(), company.fiscal_year_start_month).get(&account_id);
    let grows_by_debit = matches!(account.class, AccountClass::Asset | AccountClass::Expense);
    let natural = |amount: Amount| if grows_by_debit { amount.grouped() } else { (-amount).grouped() };
    let has_balance = !account.class.is_profit_and_loss();
    let lines_of = |month: Month| address(&id, basis, &account_id, month);
    let statement = company::on_basis(&id, "/statements", basis).with("to", month);
    let statement = statement.with("report", if has_balance { "balance-sheet" } else { "profit-and-loss" });
    let end = |line: &Line| format!("{}/{}/{}", line.day, line.piece, line.line);
    let next = lines.last().filter(|_| more).map(|line| lines_of(month).with("after", end(line)).to_string());
    let rows = lines.into_iter().map(|line| LineRow {
        day: figures::day(&line.day.to_string()),
        number: numbers.get(&line.source_id).map(|(_, number)| number.clone()).unwrap_or_default(),
        transaction: match numbers.get(&line.source_id) {
            // a provider that names its transactions in words is quoted; codes such as ACCPAY are translated
            _ if line.source_type.contains(char::is_lowercase) => line.source_type.clone(),
            Some((data_type, _)) => data_type.singular(),
            None if line.source_type.is_empty() => "Journal without a source".to_owned(),
            None => line.source_type.clone(),
        },
        debit: if line.amount.0 > 0 { line.amount.grouped() } else { String::new() },
        credit: if line.amount.0 < 0 { (-line.amount).grouped() } else { String::new() },
    });
    visit.page(&AccountLinesPage {
        shell,
        name: company.name.clone(),
        account: account.name.clone(),
        code: account.code.clone(),
        currency: company.currency.clone(),
        month: figures::month(&month.to_string()),
        basis: basis.as_str(),
        back: statement.to_string(),
        opening: has_balance.then(|| natural(closing - movement)),
        movement: natural(movement),
        closing: has_balance.then(|| natural(closing)),
        lines: rows.collect(),
        next,
        previous_month: lines_of(month.previous()).to_string(),
        next_month: lines_of(month.next()).to_string(),
    })
}
