//! How long the log is kept: one number, with what a shorter time would remove.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::Asked;
use crate::parts::figures::{capped, count};
use crate::parts::seen::{self, Changed};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::audit::{Act, Object};
use domain::ids::OrganizationId;
use engine::audit;
use store::log_retention::{self, DEFAULT_DAYS, LONGEST_DAYS, SHORTEST_DAYS};
use store::run_days::DAY_MS;
use store::{StoreError, Tx};

pub const PATH: &str = "/integrations/logs/settings";
/// Beyond this, counting costs more than the number is worth.
const COUNT_CAP: i64 = 10_000;

#[derive(Template)]
#[template(path = "pages/log_settings.html")]
pub struct LogSettingsPage {
    pub shell: Shell,
    /// As typed.
    pub days: String,
    pub error: Option<String>,
    /// What a time that was typed would remove; the form is sent again to confirm it.
    pub removes: Option<String>,
    pub default_days: i64,
    pub shortest_days: i64,
    pub longest_days: i64,
    pub seen: String,
    pub changed: Option<Changed>,
}

async fn page(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    days: String,
    error: Option<String>,
    removes: Option<String>,
    has_changed: bool,
) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let now = log_retention::days(&mut conn, visit.organization_id()).await?;
    let shell = visit.shell(&mut conn, Place::Logs, "Log settings").await?;
    drop(conn);
    let view = LogSettingsPage {
        shell,
        days,
        error,
        removes,
        default_days: DEFAULT_DAYS,
        shortest_days: SHORTEST_DAYS,
        longest_days: LONGEST_DAYS,
        seen: seen::tag(now.to_string().as_bytes()),
        changed: has_changed.then(|| Changed::new(PATH).is("Keep log entries for", format!("{} days", count(now)))),
    };
    visit.page_with(status, &view)
}

/// GET /integrations/logs/settings
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let days = log_retention::days(&mut app.engine.store.read().await?, visit.organization_id()).await?;
    page(&app, &visit, StatusCode::OK, days.to_string(), None, None, false).await
}

/// POST /integrations/logs/settings
pub async fn save(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let typed = form.get("days").to_owned();
    let days = match parse(&typed) {
        Ok(days) => days,
        Err(error) => return page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, typed, Some(error), None, false).await,
    };
    let now = log_retention::days(&mut app.engine.store.read().await?, visit.organization_id()).await?;
    if seen::is_stale(&form, &seen::tag(now.to_string().as_bytes())) && days != now {
        return page(&app, &visit, StatusCode::CONFLICT, typed, None, None, true).await;
    }
    let now_ms = visit.now.as_millisecond();
    if form.get("confirmed") != typed {
        let older =
            log_retention::count_older(&mut app.engine.store.read().await?, visit.organization_id(), now_ms - days * DAY_MS, COUNT_CAP).await?;
        if older > 0 {
            return page(&app, &visit, StatusCode::OK, typed, None, Some(capped(older, COUNT_CAP)), false).await;
        }
    }
    let mut tx = app.engine.store.begin().await?;
    let before = log_retention::days(&mut tx, visit.organization_id()).await?;
    log_retention::set_days(&mut tx, visit.organization_id(), days, visit.user_id().as_str(), now_ms).await?;
    note_retention(&app, &mut tx, visit.organization_id(), before, days).await?;
    tx.commit().await?;
    Ok(Flash::good(format!("Log entries are now kept for {} days.", count(days))).redirect(PATH))
}

/// Notes another time to keep the log, for the page and for the API alike.
pub async fn note_retention(app: &App, tx: &mut Tx, organization_id: &OrganizationId, before: i64, after: i64) -> Result<(), StoreError> {
    let (before, after) = (format!("{before} days"), format!("{after} days"));
    audit::note(&app.engine, tx, organization_id, Act::LogRetentionSet, Object::log("Integration log"), &before, &after).await
}

fn parse(typed: &str) -> Result<i64, String> {
    let expected = format!("Enter a whole number of days from {SHORTEST_DAYS} to {}.", count(LONGEST_DAYS));
    if typed.is_empty() || !typed.chars().all(|c| c.is_ascii_digit()) {
        return Err(expected);
    }
    typed.parse().ok().filter(|days| (SHORTEST_DAYS..=LONGEST_DAYS).contains(days)).ok_or(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_a_whole_number_within_bounds() {
        assert_eq!([parse("30"), parse("400"), parse("3650")], [Ok(30), Ok(400), Ok(3_650)]);
        for typed in ["", "0", "29", "3651", "-400", "4e2", "400.5", "forever", "99999999999999999999", "٤٠٠"] {
            assert!(parse(typed).unwrap_err().contains("from 30 to 3,650"), "{typed}");
        }
    }
}
