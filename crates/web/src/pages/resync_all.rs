//! **Auto Resync All**: says what it will do, in numbers, before it does it.
use crate::app::App;
use crate::error::WebError;
use crate::feed::{PATH, actions};
use crate::parts::{figures, status};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use store::feed::{self, Filter, Sort};

/// A company that **Auto Resync All** would queue.
pub struct Due {
    pub name: String,
    pub provider: String,
    pub reason: String,
}

/// The first of them are named.
const NAMED: i64 = 100;

#[derive(Template)]
#[template(path = "pages/resync_all.html")]
pub struct ResyncAllPage {
    pub shell: Shell,
    pub due: Vec<Due>,
    pub due_count: i64,
    pub running: i64,
    pub invalid: i64,
    pub paused: i64,
    pub synced: i64,
}

impl ResyncAllPage {
    fn button(&self) -> String {
        format!("Resync {}", figures::counted(self.due_count, "company", "companies"))
    }
}

/// GET: says what **Auto Resync All** will do, in numbers, before it does it.
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let now_ms = visit.now.as_millisecond();
    let counts = feed::count(&mut conn, visit.organization_id(), &Filter::default(), now_ms).await?;
    let due = Filter { status: "needs_resync".to_owned(), ..Filter::default() };
    let ids = feed::list_ids(&mut conn, visit.organization_id(), &due, Sort::default(), now_ms, NAMED, 0).await?;
    let companies = feed::list_by_ids(&mut conn, visit.organization_id(), &ids).await?;
    let shell = visit.shell(&mut conn, Place::DataFeed, "Auto Resync All").await?;
    drop(conn);
    let of = |word: &str| counts.words.get(word).copied().unwrap_or(0);
    let due = companies.into_iter().map(|company| Due {
        reason: status::of(&company, visit.now, &visit.zone).reason.unwrap_or_default(),
        name: company.name,
        provider: company.provider,
    });
    visit.page(&ResyncAllPage {
        shell,
        due: due.collect(),
        due_count: of("needs_resync"),
        running: of("syncing") + of("waiting"),
        invalid: of("invalid_token"),
        paused: of("paused"),
        synced: of("synced"),
    })
}

/// POST: **Auto Resync All**.
pub async fn resync(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let answer = engine::sync::request_all_due(&app.engine, visit.organization_id(), actions::trigger(&visit)).await?;
    Ok(actions::told(&answer).redirect(PATH))
}
