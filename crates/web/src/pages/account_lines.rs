//! The lines a figure of a statement is made of: the postings of an account, of a part of a statement or of a category, in a month or in several.
use crate::app::App;
use crate::error::WebError;
use crate::pages::company;
use crate::pages::statements::Part;
use crate::parts::address::{Address, Asked};
use crate::parts::figures;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::chart::category;
use domain::clock::Month;
use domain::document::AccountClass;
use domain::ids::CompanyId;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::statements::trial_balance;
use jiff::civil::Date;
use std::collections::BTreeSet;
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
    /// "Oct 2026", or "Jan 2026 to Oct 2026".
    pub period: String,
    pub is_one_month: bool,
    pub basis: &'static str,
    pub back: String,
    pub opening: Option<String>,
    pub movement: String,
    pub closing: Option<String>,
    pub lines: Vec<LineRow>,
    pub next: Option<String>,
    /// As many months before these, and after them.
    pub earlier: String,
    pub later: String,
    pub has_accounts: bool,
}

const LINES_ON_A_PAGE: usize = 200;

/// Whose lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// The provider's id of an account.
    Account(&'a str),
    /// Every account of a part of a statement in the provider's own chart, by its key.
    Section(&'a str),
    /// Every account in a category of the standard chart, by its key.
    Category(&'a str),
}

impl What<'_> {
    /// The page of its lines from the first month through the last.
    pub fn address(self, company_id: &CompanyId, basis: Basis, (first, last): (Month, Month)) -> Address {
        let page = company::on_basis(company_id, "/lines", basis);
        let page = match self {
            What::Account(id) => page.with("account", id),
            What::Section(key) => page.with("section", key),
            What::Category(key) => page.with("category", key),
        };
        let page = if first == last { page } else { page.with("from", first) };
        page.with("month", last)
    }
}

/// Where the last page ended: `2026-01-31/202601/17`.
fn position(text: &str) -> Option<(Date, i64, i64)> {
    let (day, rest) = text.split_once('/')?;
    let (piece, line) = rest.rsplit_once('/')?;
    Some((day.parse().ok()?, piece.parse().ok()?, line.parse().ok()?))
}

/// What is looked at: one account, or every account of a part of a statement.
struct Looked {
    title: String,
    code: String,
    class: AccountClass,
    accounts: Vec<String>,
}

async fn looked(conn: &mut store::Conn, id: &CompanyId, chart: &ChartOfAccounts, what: What<'_>, basis: Basis) -> Result<Looked, WebError> {
    let of_several = |title: &str, class, accounts| Looked { title: title.to_owned(), code: String::new(), class, accounts };
    match what {
        What::Account(id) => {
            let account = chart.0.get(id).ok_or(WebError::NotFound)?;
            let accounts = vec![account.remote_id.clone()];
            Ok(Looked { title: account.name.clone(), code: account.code.clone(), class: account.class, accounts })
        }
        What::Section(key) => {
            let part = Part::find(key).ok_or(WebError::NotFound)?;
            let accounts = known(conn, id, chart, basis).await?.into_iter().filter(|account| part.has(&chart.account(account)));
            Ok(of_several(part.title, part.class, accounts.collect()))
        }
        What::Category(key) => {
            let category = category::find(key).ok_or(WebError::NotFound)?;
            let loaded = engine::mappings::load(conn, id).await?;
            let lies_there = |account: &String| loaded.mapping.leaf(account, &loaded.chart).lies_in(category);
            let accounts = known(conn, id, chart, basis).await?.into_iter().filter(lies_there);
            Ok(of_several(category.name, category.class, accounts.collect()))
        }
    }
}

/// Every account: also what the ledger knows and the chart does not.
async fn known(conn: &mut store::Conn, id: &CompanyId, chart: &ChartOfAccounts, basis: Basis) -> Result<BTreeSet<String>, WebError> {
    let posted = store::ledger::movements(conn, id, basis, Date::MAX).await?;
    Ok(chart.0.keys().cloned().chain(posted.into_keys().map(|(account, _)| account)).collect())
}

pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let mut conn = app.engine.store.read().await?;
    let company = store::companies::find(&mut conn, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let month = Month::parse(asked.get("month")).ok_or(WebError::NotFound)?;
    let first = Month::parse(asked.get("from")).filter(|from| *from < month).unwrap_or(month);
    let basis = Basis::parse(asked.get("basis")).unwrap_or_default();
    let chart = store::accounts::list(&mut conn, &id).await?;
    let what = match (asked.get("category"), asked.get("section")) {
        ("", "") => What::Account(asked.get("account")),
        ("", key) => What::Section(key),
        (key, _) => What::Category(key),
    };
    let looked = looked(&mut conn, &id, &chart, what, basis).await?;
    let after = position(asked.get("after")).filter(|(day, _, _)| (first..=month).contains(&Month::of(*day)));
    let mut lines: Vec<(&str, Line)> = Vec::new();
    for account in &looked.accounts {
        let more = store::ledger::list_lines(&mut conn, &id, basis, account, (first, month), after, LINES_ON_A_PAGE as i64 + 1).await?;
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
    let looked_at: BTreeSet<&str> = looked.accounts.iter().map(String::as_str).collect();
    let moved = movements.iter().filter(|((account, at), _)| (first..=month).contains(at) && looked_at.contains(account.as_str()));
    let movement: Amount = moved.map(|(_, amount)| *amount).sum();
    let balances = trial_balance(&movements, &chart, month.last_day(), company.fiscal_year_start_month);
    let closing: Amount = looked.accounts.iter().map(|account| balances.get(account)).sum();
    let grows_by_debit = matches!(looked.class, AccountClass::Asset | AccountClass::Expense);
    let natural = |amount: Amount| if grows_by_debit { amount.grouped() } else { (-amount).grouped() };
    let has_balance = !looked.class.is_profit_and_loss();
    let lines_of = |first: Month, last: Month| what.address(&id, basis, (first, last));
    // as many months before, and after
    let count = first.through(month).len();
    let step = |from: Month, to: fn(Month) -> Month| (0..count).fold(from, |month, _| to(month));
    let has_accounts = !matches!(what, What::Account(_));
    let statement = company::on_basis(&id, "/statements", basis).with("to", month);
    let statement = statement.with("report", if has_balance { "balance-sheet" } else { "profit-and-loss" });
    let statement = if matches!(what, What::Category(_)) { statement.with("chart", "standard") } else { statement };
    let end = |line: &Line| format!("{}/{}/{}", line.day, line.piece, line.line);
    let next = lines.last().filter(|_| more).map(|(_, line)| lines_of(first, month).with("after", end(line)).to_string());
    let rows = lines.into_iter().map(|(account, line)| LineRow {
        day: figures::day(&line.day.to_string()),
        account: if has_accounts { chart.account(account).name } else { String::new() },
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
        period: match first == month {
            true => figures::month(&month.to_string()),
            false => format!("{} to {}", figures::month(&first.to_string()), figures::month(&month.to_string())),
        },
        is_one_month: first == month,
        basis: basis.as_str(),
        back: statement.to_string(),
        opening: has_balance.then(|| natural(closing - movement)),
        movement: natural(movement),
        closing: has_balance.then(|| natural(closing)),
        lines: rows.collect(),
        next,
        earlier: lines_of(step(first, Month::previous), step(month, Month::previous)).to_string(),
        later: lines_of(step(first, Month::next), step(month, Month::next)).to_string(),
        has_accounts,
    })
}
