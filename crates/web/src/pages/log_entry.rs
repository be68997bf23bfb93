//! One log entry: what happened, why, what to do, and the particulars support asks for.
use crate::app::App;
use crate::error::WebError;
use crate::parts::moment::Moment;
use crate::parts::provider;
use crate::visit::{Place as Section, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::log::{LogBody, LogStatus, LogType};
use domain::problem::Remedy;
use store::companies::Company;
use store::log_entries::{self, Filter, LogEntry, Place};

/// The one step that helps, as a button.
pub struct Step {
    pub label: &'static str,
    pub icon: crate::parts::icon::Icon,
    pub href: String,
    /// A form that is posted, or a link.
    pub is_post: bool,
}

/// The body of an entry that has one.
pub struct Body {
    pub cause: String,
    pub what_happened: String,
    pub what_to_do: String,
    pub endpoint: Option<String>,
    pub http_status: Option<String>,
    pub request_id: Option<String>,
    pub request_id_name: &'static str,
    pub records: Vec<String>,
    pub attempt: u32,
    pub step: Option<Step>,
    pub raw: String,
}

/// A line of the run's story.
pub struct Line {
    pub id: i64,
    pub message: String,
    pub time: Moment,
    pub is_error: bool,
    pub is_milestone: bool,
    pub is_this: bool,
}

#[derive(Template)]
#[template(path = "pages/log_entry.html")]
pub struct LogEntryPage {
    pub shell: Shell,
    pub message: String,
    pub time: Moment,
    pub ago: Moment,
    pub is_error: bool,
    pub status: &'static str,
    pub log_type: &'static str,
    pub is_milestone: bool,
    pub provider: String,
    pub software: String,
    pub company: String,
    pub company_id: Option<String>,
    pub account: String,
    pub run: Option<(String, String)>,
    pub body: Option<Body>,
    /// The address this page returns to after its step.
    pub address: String,
    pub list: String,
    pub newer: Option<String>,
    pub older: Option<String>,
    pub story: Vec<Line>,
}

const STORY_LINES: i64 = 60;

pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, WebError> {
    let id: i64 = id.parse().map_err(|_| WebError::NotFound)?;
    let organization_id = visit.organization_id();
    let mut conn = app.engine.store.read().await?;
    let entry = log_entries::find(&mut conn, organization_id, id).await?.ok_or(WebError::NotFound)?;
    let company = match &entry.company_id {
        Some(company_id) => store::companies::find(&mut conn, organization_id, company_id).await?,
        None => None,
    };
    let story = match &entry.run_id {
        Some(run_id) => log_entries::list_by_run(&mut conn, run_id, STORY_LINES).await?,
        None => Vec::new(),
    };
    let neighbours = Filter { company_id: entry.company_id.clone(), ..Filter::default() };
    let newer = log_entries::list_page(&mut conn, organization_id, &neighbours, Place::NewerThan(id), 1).await?.entries.pop();
    let older = log_entries::list_page(&mut conn, organization_id, &neighbours, Place::OlderThan(id), 1).await?.entries.pop();
    let shell = visit.shell(&mut conn, Section::Logs, "Log entry").await?;
    drop(conn);

    let href = |entry: LogEntry| format!("/integrations/logs/entries/{}", entry.id);
    let list = entry.company_id.as_ref().map_or("/integrations/logs/all".to_owned(), |id| format!("/integrations/logs/companies/{id}"));
    let body = entry.body.as_deref().and_then(|text| body(text, &entry, company.as_ref()));
    visit.page(&LogEntryPage {
        shell,
        time: Moment::exact(entry.logged_at, &visit.zone),
        ago: Moment::relative(entry.logged_at, visit.now, &visit.zone),
        is_error: entry.status == LogStatus::Error,
        status: entry.status.label(),
        log_type: entry.log_type.label(),
        is_milestone: entry.log_type == LogType::Milestone,
        software: provider::name(&entry.provider).to_owned(),
        company_id: company.as_ref().map(|company| company.id.0.clone()),
        run: entry.run_id.as_ref().map(|id| (id.0.clone(), format!("{list}?run={id}"))),
        story: story
            .iter()
            .map(|line| Line {
                id: line.id,
                message: line.message.clone(),
                time: Moment::clock(line.logged_at, visit.now, &visit.zone),
                is_error: line.status == LogStatus::Error,
                is_milestone: line.log_type == LogType::Milestone,
                is_this: line.id == id,
            })
            .collect(),
        body,
        address: format!("/integrations/logs/entries/{id}"),
        list,
        newer: newer.map(href),
        older: older.map(href),
        message: entry.message,
        provider: entry.provider,
        company: entry.company_name,
        account: entry.account_name,
    })
}

fn body(text: &str, entry: &LogEntry, company: Option<&Company>) -> Option<Body> {
    let body: LogBody = serde_json::from_str(text).ok()?;
    Some(Body {
        step: step(body.kind.remedy(), company),
        raw: serde_json::to_string_pretty(&body).expect("a log body is plain data"),
        cause: body.cause,
        what_happened: body.what_happened,
        what_to_do: body.what_to_do,
        endpoint: body.endpoint,
        http_status: body.http_status.map(|status| status.to_string()),
        request_id: body.provider_request_id,
        // both providers ask for this id when they are asked about a call
        request_id_name: if entry.provider == "xero" { "Xero-Correlation-Id" } else { "intuit_tid" },
        records: body.records,
        attempt: body.attempt,
    })
}

fn step(remedy: Remedy, company: Option<&Company>) -> Option<Step> {
    use crate::parts::icon::icon;
    let label = remedy.button();
    let Some(company) = company else {
        let asks_for_account = matches!(remedy, Remedy::Reconnect | Remedy::GrantAccess);
        return asks_for_account.then(|| Step { label, icon: icon("key"), href: "/integrations".to_owned(), is_post: false });
    };
    Some(match remedy {
        Remedy::Reconnect | Remedy::GrantAccess => {
            Step { label, icon: icon("key"), href: format!("/integrations/accounts/{}/reconnect", company.connection_id), is_post: true }
        }
        Remedy::SwitchKeys => Step { label, icon: icon("plug"), href: "/integrations".to_owned(), is_post: false },
        Remedy::Wait => Step { label: "Show progress", icon: icon("clock"), href: format!("/companies/{}", company.id), is_post: false },
        Remedy::Resync => Step { label, icon: icon("resync"), href: format!("/companies/{}/resync", company.id), is_post: true },
        Remedy::ShowRecords => Step { label, icon: icon("archive"), href: format!("/companies/{}#quarantine", company.id), is_post: false },
        Remedy::ShowDifference => Step { label, icon: icon("scale"), href: format!("/companies/{}#verification", company.id), is_post: false },
    })
}
