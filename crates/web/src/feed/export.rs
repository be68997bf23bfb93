//! The Data Feed as a file: every column of every company that fits, in the order of the page.
use super::choice::Choice;
use super::row::{account_name, target};
use crate::app::App;
use crate::error::WebError;
use crate::exports;
use crate::parts::address::Asked;
use crate::parts::csv::Csv;
use crate::parts::{provider, status};
use crate::visit::Visit;
use axum::extract::State;
use axum::response::Response;
use domain::company::is_stale;
use domain::connection::ConnectionState;
use jiff::Timestamp;
use store::companies::Company;

pub const MOST_ROWS: i64 = 100_000;

const HEADS: [&str; 19] = [
    "Company",
    "Accounting Software",
    "External Account",
    "Link",
    "Status",
    "Reason",
    "Resumes (UTC)",
    "Tie-out",
    "Tie-out as of",
    "Last Synced (UTC)",
    "Next run (UTC)",
    "Last run (seconds)",
    "Added",
    "Updated",
    "Deleted",
    "Freshness",
    "Freshness target",
    "Interval (minutes)",
    "Paused since (UTC)",
];

/// GET: CSV of the filter that is chosen.
pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let choice = Choice::of(&asked);
    let now_ms = visit.now.as_millisecond();
    let mut conn = app.engine.store.read().await?;
    let ids = store::feed::list_ids(&mut conn, visit.organization_id(), &choice.filter, choice.sort(), now_ms, MOST_ROWS, 0).await?;
    let companies = store::feed::list_by_ids(&mut conn, visit.organization_id(), &ids).await?;
    drop(conn);
    exports::note(&app, visit.organization_id(), "Data Feed", &asked).await?;
    let mut csv = Csv::with_heads(&HEADS);
    for company in &companies {
        csv.add(&cells(company, &visit));
    }
    Ok(csv.download("tieout-data-feed.csv"))
}

fn cells(company: &Company, visit: &Visit) -> [String; 19] {
    let status = status::of(company, visit.now, &visit.zone);
    let linked = company.linked_at.is_some();
    let is_scheduled = company.run.is_none() && company.paused_at.is_none() && linked && company.connection_state == ConnectionState::Active;
    let count = |at: usize| company.last_run_counts.map(|counts| counts[at].to_string()).unwrap_or_default();
    let is_stale = is_stale(company.last_success_at, company.linked_at, company.freshness_target_secs, visit.now);
    let resumes = company.run.as_ref().filter(|_| status.key == "waiting").map(|run| run.waiting_until.unwrap_or(run.run_after));
    [
        company.name.clone(),
        provider::name(&company.provider).to_owned(),
        account_name(&company.connection_name, &company.connection_email),
        if linked { "Linked" } else { "Not linked" }.to_owned(),
        status.label.to_owned(),
        status.reason.unwrap_or_default(),
        instant(resumes),
        if linked { company.mark.label().to_owned() } else { String::new() },
        company.marked_as_of.clone().unwrap_or_default(),
        instant(company.last_success_at),
        instant(company.next_due_at.filter(|_| is_scheduled)),
        company.last_run_ms.map(|ms| format!("{}.{}", ms / 1_000, ms % 1_000 / 100)).unwrap_or_default(),
        count(0),
        count(1),
        count(2),
        match (linked, is_stale) {
            (false, _) => String::new(),
            (true, true) => "Past its target".to_owned(),
            (true, false) => "Within its target".to_owned(),
        },
        if linked { target(company.freshness_target_secs) } else { String::new() },
        (company.interval_secs / 60).to_string(),
        instant(company.paused_at),
    ]
}

/// `2026-11-22T21:00:00Z`, as spreadsheets and programs read it.
fn instant(ms: Option<i64>) -> String {
    let at = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
}
