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
use domain::chart::category::{self, Category};
use domain::clock::Month;
use domain::document::AccountClass;
use domain::ids::CompanyId;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::statements::trial_balance;
use jiff::civil::Date;
use store::accounts::ChartOfAccounts;
use store::ledger::Line;

pub struct LineRow {
    pub day: String,
    /// Named where the lines are those of several accounts.
    pub account: String,
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
    pub has_accounts: bool,
}

const LINES_ON_A_PAGE: usize = 200;

/// The page of an account's lines in a month.
pub fn address(company_id: &CompanyId, basis: Basis, account_id: &str, month: Month) -> Address {
    company::on_basis(company_id, "/lines", basis).with("account", account_id).with("month", month)
}

/// The page of the lines of all accounts in a category of the standard chart.
pub fn within(company_id: &CompanyId, basis: Basis, key: &str, month: Month) -> Address {
    company::on_basis(company_id, "/lines", basis).with("category", key).with("month", month)
}

/// Where the last page ended: `2026-01-31/202601/17`.
fn position(text: &str) -> Option<(Date, i64, i64)> {
    let (day, rest) = text.split_once('/')?;
    let (piece, line) = rest.rsplit_once('/')?;
    Some((day.parse().ok()?, piece.parse().ok()?, line.parse().ok()?))
}

/// What is looked at: one account, or every account in a category.
struct Looked {
    title: String,
    code: String,
    class: AccountClass,
    accounts: Vec<String>,
    category: Option<&'static Category>,
}

async fn looked(conn: &mut store::Conn, id: &CompanyId, chart: &ChartOfAccounts, asked: &Asked) -> Result<Looked, WebError> {
    if asked.get("category").is_empty() {
        let account = chart.0.get(asked.get("account")).ok_or(WebError::NotFound)?;
        return Ok(Looked {
            title: account.name.clone(),
            code: account.code.clone(),
            class: account.class,
            accounts: vec![account.remote_id.clone()],
            category: None,
        });
    }
    let category = category::find(asked.get("category")).ok_or(WebError::NotFound)?;
    let loaded = engine::mappings::load(conn, id).await?;
    // also what the ledger knows and the chart does not
    let posted = store::ledger::movements(conn, id, Basis::parse(asked.get("basis")).unwrap_or_default(), Date::MAX).await?;
    let ids: std::collections::BTreeSet<&str> = loaded.chart.0.keys().chain(posted.keys().map(|(account, _)| account)).map(String::as_str).collect();
    let accounts = ids.into_iter().filter(|account| loaded.mapping.leaf(account, &loaded.chart).lies_in(category)).map(str::to_owned).collect();
    Ok(Looked { title: category.name.to_owned(), code: String::new(), class: category.class, accounts, category: Some(category) })
}

pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let mut conn = app.engine.store.read().await?;
    let company = store::companies::find(&mut conn, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let month = Month::parse(asked.get("month")).ok_or(WebError::NotFound)?;
    let basis = Basis::parse(asked.get("basis")).unwrap_or_default();
    let chart = store::accounts::list(&mut conn, &id).await?;
    let looked = looked(&mut conn, &id, &chart, &asked).await?;
    let after = position(asked.get("after")).filter(|(day, _, _)| Month::of(*day) == month);
    let mut lines: Vec<(&str, Line)> = Vec::new();
    for account in &looked.accounts {
        let more = store::ledger::list_lines(&mut conn, &id, basis, account, month, after, LINES_ON_A_PAGE as i64 + 1).await?;
        lines.extend(more.into_iter().map(|line| (account.as_str(), line)));
    }
    lines.sort_by(|(_, a), (_, b)| (a.day, &a.piece, a.line).cmp(&(b.day, &b.piece, b.line)));
    let more = lines.len() > LINES_ON_A_PAGE;
    lines.truncate(LINES_ON_A_PAGE);
    let ids: Vec<&str> = lines.iter().map(|(_, line)| line.source_id.as_str()).filter(|id| !id.is_empty()).collect();
    let numbers = store::documents::find_numbers(&mut conn, &id, &ids).await?;
    let movements = store::ledger::movements(&mut conn, &id, basis, month.last_day()).await?;
    let shell = visit.shell(&mut conn, Place::Companies, &company.name).await?;
    drop(conn);

    // a profit-and-loss account tells what moved, every other one its balances too
    let movement: Amount = looked.accounts.iter().map(|account| movements.get(&(account.clone(), month)).copied().unwrap_or_default()).sum();
    let balances = trial_balance(&movements, &chart, month.last_day(), company.fiscal_year_start_month);
    let closing: Amount = looked.accounts.iter().map(|account| balances.get(account)).sum();
    let grows_by_debit = matches!(looked.class, AccountClass::Asset | AccountClass::Expense);
    let natural = |amount: Amount| if grows_by_debit { amount.grouped() } else { (-amount).grouped() };
    let has_balance = !looked.class.is_profit_and_loss();
    let lines_of = |month: Month| match looked.category {
        Some(category) => within(&id, basis, category.key, month),
        None => address(&id, basis, &looked.accounts[0], month),
    };
    let statement = company::on_basis(&id, "/statements", basis).with("to", month);
    let statement = statement.with("report", if has_balance { "balance-sheet" } else { "profit-and-loss" });
    let statement = if looked.category.is_some() { statement.with("chart", "standard") } else { statement };
    let end = |line: &Line| format!("{}/{}/{}", line.day, line.piece, line.line);
    let next = lines.last().filter(|_| more).map(|(_, line)| lines_of(month).with("after", end(line)).to_string());
    let rows = lines.into_iter().map(|(account, line)| LineRow {
        day: figures::day(&line.day.to_string()),
        account: if looked.category.is_some() { chart.account(account).name } else { String::new() },
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
        account: looked.title.clone(),
        code: looked.code.clone(),
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
        has_accounts: looked.category.is_some(),
    })
}
