//! The companies of the organization: where each stands, at a glance.
use super::data_feed;
use crate::app::App;
use crate::error::WebError;
use crate::parts::address::{Address, Asked};
use crate::parts::figures::count;
use crate::parts::moment::Moment;
use crate::parts::status::{self, Shield, Status};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::organization::Action;
use store::feed::{self, Column, Filter, Sort};

pub struct Row {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub currency: String,
    pub status: Status,
    pub shield: Shield,
    pub as_of: Option<String>,
    pub last_synced: Option<Moment>,
}

/// A column, and where its head leads when the table can be sorted by it.
pub struct Head {
    pub label: &'static str,
    pub href: Option<String>,
    /// `ascending` or `descending`, when the table is sorted by it.
    pub sorted: Option<&'static str>,
}

const COLUMNS: [(&str, Option<Column>); 5] = [
    ("Company", Some(Column::Name)),
    ("Status", Some(Column::Status)),
    ("Tie-out", Some(Column::TieOut)),
    ("Last Synced", Some(Column::LastSynced)),
    ("Currency", None),
];

#[derive(Template)]
#[template(path = "pages/companies.html")]
pub struct CompaniesPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub heads: Vec<Head>,
    pub search: String,
    /// As the address has it; empty: by name.
    pub sort: String,
    pub companies: i64,
    pub synced: i64,
    pub verified: i64,
    pub not_verified: i64,
    pub attention: i64,
    pub may_act: bool,
    /// Which of how many are on this page, when it does not hold them all.
    pub shown: Option<String>,
    pub previous: Option<String>,
    pub next: Option<String>,
}

const ROWS_ON_A_PAGE: i64 = 50;

pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let search = asked.get("q").to_owned();
    let chosen: i64 = asked.get("page").parse().unwrap_or(1).clamp(1, i64::from(i32::MAX));
    let sort = Sort::parse(asked.get("sort"));
    let is_here = COLUMNS.iter().any(|(_, column)| *column == Some(sort.column));
    let sort = if is_here { sort } else { Sort::default() };
    let now_ms = visit.now.as_millisecond();
    let all = Filter { link: "linked".to_owned(), ..Filter::read_by(&visit.reader()) };
    let found = Filter { name: search.clone(), ..all.clone() };
    let mut conn = app.engine.store.read().await?;
    let page = feed::page(&mut conn, visit.organization_id(), &found, sort, now_ms, ROWS_ON_A_PAGE, chosen).await?;
    // the summary counts all, whatever is searched for
    let counts = match search.is_empty() {
        true => page.counts,
        false => feed::count(&mut conn, visit.organization_id(), &all, now_ms).await?,
    };
    let from = (page.page - 1) * ROWS_ON_A_PAGE;
    let shell = visit.shell(&mut conn, Place::Companies, "Companies").await?;
    drop(conn);
    let of_word = |word: &str| counts.words.get(word).copied().unwrap_or(0);
    let said = if sort == Sort::default() { String::new() } else { sort.text() };
    let address = Address::new("/companies").with("q", &search).with("sort", &said);
    let head = |(label, column): (&'static str, Option<Column>)| Head {
        label,
        href: column.map(|column| data_feed::sorted_by(&address, sort, column)),
        sorted: column.and_then(|column| data_feed::direction(sort, column)),
    };
    let rows: Vec<Row> = page
        .companies
        .iter()
        .map(|company| Row {
            id: company.id.0.clone(),
            name: company.name.clone(),
            provider: company.provider.clone(),
            currency: company.currency.clone(),
            shield: Shield::of(company),
            as_of: company.marked_as_of.as_deref().map(crate::parts::figures::day),
            last_synced: company.last_success_at.map(|ms| Moment::relative(ms, visit.now, &visit.zone)),
            status: match visit.may(Action::UseIntegrations) {
                true => status::of(company, visit.now, &visit.zone).with_health(&company.provider),
                false => status::of(company, visit.now, &visit.zone),
            },
        })
        .collect();
    visit.page(&CompaniesPage {
        shell,
        companies: counts.total,
        synced: of_word("synced"),
        verified: counts.verified,
        not_verified: counts.not_verified,
        attention: of_word("needs_resync") + of_word("invalid_token"),
        may_act: visit.may(Action::UseIntegrations),
        shown: (page.total > ROWS_ON_A_PAGE).then(|| format!("{} to {} of {}", count(from + 1), count(from + rows.len() as i64), count(page.total))),
        previous: (page.page > 1).then(|| address.with("page", page.page - 1).to_string()),
        next: (from + ROWS_ON_A_PAGE < page.total).then(|| address.with("page", page.page + 1).to_string()),
        heads: COLUMNS.map(head).into(),
        search,
        sort: said,
        rows,
    })
}
