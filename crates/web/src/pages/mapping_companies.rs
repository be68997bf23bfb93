//! **Chart of Accounts Mapping**: which company's accounts to look at.
use crate::app::App;
use crate::error::WebError;
use crate::parts::address::Asked;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;

pub struct Row {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub accounts: i64,
    pub flagged: i64,
    pub unmapped: i64,
}

#[derive(Template)]
#[template(path = "pages/mapping_companies.html")]
pub struct MappingCompaniesPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub search: String,
    pub companies: usize,
    pub more: usize,
}

const ROWS_SHOWN: usize = 200;

pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let companies = store::companies::list_names(&mut conn, visit.organization_id(), &visit.reader()).await?;
    let open = store::mappings::count_open(&mut conn, visit.organization_id()).await?;
    let shell = visit.shell(&mut conn, Place::Mapping, "Chart of Accounts Mapping").await?;
    drop(conn);
    let search = asked.get("q").to_lowercase();
    let linked: Vec<_> = companies.into_iter().filter(|company| company.linked_at.is_some()).collect();
    let count = linked.len();
    let mut rows: Vec<Row> = linked
        .into_iter()
        .filter(|company| company.name.to_lowercase().contains(&search))
        .map(|company| {
            let open = open.get(&company.id).copied().unwrap_or_default();
            Row {
                id: company.id.0,
                name: company.name,
                provider: company.provider,
                accounts: open.accounts,
                flagged: open.flagged,
                unmapped: open.unmapped,
            }
        })
        .collect();
    // what asks for a look first
    rows.sort_by_cached_key(|row| (row.flagged + row.unmapped == 0, row.name.to_lowercase()));
    let more = rows.len().saturating_sub(ROWS_SHOWN);
    rows.truncate(ROWS_SHOWN);
    visit.page(&MappingCompaniesPage { shell, rows, search: asked.get("q").to_owned(), companies: count, more })
}
