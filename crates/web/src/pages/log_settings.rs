//! How long the log is kept: one number, with what a shorter time would remove.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::Asked;
use crate::parts::figures::{capped, count};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use store::log_retention::{self, DEFAULT_DAYS, LONGEST_DAYS, SHORTEST_DAYS};
use store::run_days::DAY_MS;

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
}

async fn page(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    days: String,
    error: Option<String>,
    removes: Option<String>,
) -> Result<Response, WebError> {
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::Logs, "Log settings").await?;
    let view = LogSettingsPage { shell, days, error, removes, default_days: DEFAULT_DAYS, shortest_days: SHORTEST_DAYS, longest_days: LONGEST_DAYS };
    visit.page_with(status, &view)
}

/// GET /integrations/logs/settings
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let days = log_retention::days(&mut app.engine.store.read().await?, visit.organization_id()).await?;
    page(&app, &visit, StatusCode::OK, days.to_string(), None, None).await
}

/// POST /integrations/logs/settings
pub async fn save(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let typed = form.get("days").to_owned();
    let days = match parse(&typed) {
        Ok(days) => days,
        Err(error) => return page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, typed, Some(error), None).await,
    };
    let now_ms = visit.now.as_millisecond();
    if form.get("confirmed") != typed {
        let older =
            log_retention::count_older(&mut app.engine.store.read().await?, visit.organization_id(), now_ms - days * DAY_MS, COUNT_CAP).await?;
        if older > 0 {
            return page(&app, &visit, StatusCode::OK, typed, None, Some(capped(older, COUNT_CAP))).await;
        }
    }
    let mut tx = app.engine.store.begin().await?;
    log_retention::set_days(&mut tx, visit.organization_id(), days, visit.user_id().as_str(), now_ms).await?;
    tx.commit().await?;
    Ok(Flash::good(format!("Log entries are now kept for {} days.", count(days))).redirect(PATH))
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
