//! What people decided about the mapping of a company: who, when, from, to, why. Nothing is ever taken out of it.
use crate::app::App;
use crate::error::WebError;
use crate::pages::mapping::{self, SourceMark};
use crate::parts::address::{Address, Asked};
use crate::parts::moment::Moment;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::chart::category;
use domain::chart::mapping::Step;
use domain::ids::CompanyId;

pub struct ChangeRow {
    pub version: i64,
    pub when: Moment,
    pub who: String,
    pub account: String,
    pub account_href: String,
    pub from: &'static str,
    pub from_source: SourceMark,
    pub to: &'static str,
    pub step: &'static str,
    pub note: String,
}

#[derive(Template)]
#[template(path = "pages/mapping_history.html")]
pub struct MappingHistoryPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub rows: Vec<ChangeRow>,
    pub next: Option<String>,
    /// The account that is looked at alone, and the way back to all.
    pub only: Option<(String, String)>,
}

const ROWS_ON_A_PAGE: usize = 100;

pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let mut conn = app.engine.store.read().await?;
    let company = store::companies::find(&mut conn, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let account = Some(asked.get("account")).filter(|account| !account.is_empty());
    let before = asked.get("before").split_once('/').and_then(|(version, account)| Some((version.parse().ok()?, account)));
    let mut changes = store::mappings::list_changes(&mut conn, &id, account, before, ROWS_ON_A_PAGE as i64 + 1).await?;
    let shell = visit.shell(&mut conn, Place::Mapping, "History of the mapping").await?;
    drop(conn);
    let more = changes.len() > ROWS_ON_A_PAGE;
    changes.truncate(ROWS_ON_A_PAGE);
    let base = Address::new(format!("{}/history", mapping::path(&id)));
    let here = base.with("account", account.unwrap_or_default());
    let next = changes.last().filter(|_| more).map(|last| here.with("before", format!("{}/{}", last.version, last.account_id)).to_string());
    let only = account.map(|account| (changes.first().map_or_else(|| account.to_owned(), |change| change.account_name.clone()), base.to_string()));
    let name = |key: &str| category::find(key).map_or("a category that is no longer there", |category| category.name);
    let rows = changes
        .into_iter()
        .map(|change| ChangeRow {
            version: change.version,
            when: Moment::exact(change.made_at, &visit.zone),
            who: if change.made_by.is_empty() { "a former member".to_owned() } else { change.made_by },
            account_href: base.with("account", &change.account_id).to_string(),
            account: change.account_name,
            from: name(&change.from_category),
            from_source: SourceMark::of(change.from_source),
            to: change.to_category.as_deref().map_or("what rules and suggestions say", name),
            step: match change.step {
                Step::Set => "changed",
                Step::Confirm => "confirmed",
                Step::Revert => "reverted",
            },
            note: change.note,
        })
        .collect();
    visit.page(&MappingHistoryPage { shell, id: id.0, name: company.name, rows, next, only })
}
