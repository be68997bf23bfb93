//! **Auto Resync All**: says what it will do, in numbers, before it does it.
use crate::app::App;
use crate::error::WebError;
use crate::pages::data_feed;
use crate::parts::figures;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::company::{SyncStatus, sync_status};

/// A company that **Auto Resync All** would queue.
pub struct Due {
    pub name: String,
    pub provider: String,
    pub reason: String,
}

#[derive(Template)]
#[template(path = "pages/resync_all.html")]
pub struct ResyncAllPage {
    pub shell: Shell,
    pub due: Vec<Due>,
    pub running: usize,
    pub invalid: usize,
    pub paused: usize,
    pub synced: usize,
}

impl ResyncAllPage {
    fn button(&self) -> String {
        format!("Resync {}", figures::counted(self.due.len() as i64, "company", "companies"))
    }
}

/// GET: says what **Auto Resync All** will do, in numbers, before it does it.
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let companies = store::companies::list(&mut conn, visit.organization_id()).await?;
    let shell = visit.shell(&mut conn, Place::DataFeed, "Auto Resync All").await?;
    drop(conn);
    let mut page = ResyncAllPage { shell, due: Vec::new(), running: 0, invalid: 0, paused: 0, synced: 0 };
    for company in companies.iter().filter(|company| company.linked_at.is_some()) {
        match sync_status(&company.status_facts(), visit.now) {
            SyncStatus::NeedsResync(reason) => {
                page.due.push(Due { name: company.name.clone(), provider: company.provider.clone(), reason: reason.label().to_owned() });
            }
            SyncStatus::Syncing | SyncStatus::Waiting { .. } => page.running += 1,
            SyncStatus::InvalidToken => page.invalid += 1,
            SyncStatus::Paused => page.paused += 1,
            SyncStatus::Synced => page.synced += 1,
        }
    }
    visit.page(&page)
}

/// POST: **Auto Resync All**.
pub async fn resync(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let answer = engine::sync::request_all_due(&app.engine, visit.organization_id(), data_feed::trigger(&visit)).await?;
    Ok(data_feed::told(&answer).redirect(data_feed::PATH))
}
