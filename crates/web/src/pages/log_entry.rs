//! One log entry: what happened, why, what to do, and the particulars support asks for.
use crate::app::App;
use crate::error::WebError;
use crate::pages::incident::SeenBefore;
use crate::pages::log_table::{self, ALL, COMPANIES};
use crate::parts::address::{Address, Asked};
use crate::parts::figures::counted;
use crate::parts::incident as incident_part;
use crate::parts::moment::Moment;
use crate::parts::provider;
use crate::parts::step::{Step, Stops};
use crate::visit::{Place as Section, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::connection::ConnectionState;
use domain::ids::CompanyId;
use domain::log::{LogBody, LogStatus, LogType};
use store::companies::Company;
use store::incidents::{self, Incident, Stopped};
use store::log_entries::{self, Filter, LogEntry, Place};

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
    /// "2 of 5".
    pub attempt: String,
    /// When it goes on by itself, while it has not.
    pub next_attempt: Option<Moment>,
    /// The section of the guide.
    pub kind: &'static str,
    pub step: Step,
    pub raw: String,
}

/// The incident an error belongs to.
pub struct Elsewhere {
    pub title: String,
    pub href: String,
    /// "19 other companies"; empty: no other.
    pub others: String,
    /// How it ended for this company, and when.
    pub resolved: Option<(&'static str, Moment)>,
    pub before: Option<SeenBefore>,
}

/// A line of the run's story.
pub struct Line {
    pub href: String,
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
    pub bundle: String,
    pub elsewhere: Option<Elsewhere>,
    /// The view of the log it was opened from.
    pub list: String,
    pub newer: Option<String>,
    pub older: Option<String>,
    pub story: Vec<Line>,
}

const STORY_LINES: i64 = 60;

/// GET /integrations/logs/entries/{id}
pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
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
    let (list, neighbours) = opened_from(&mut conn, &asked, &entry, &visit).await?;
    let newer = log_entries::list_page(&mut conn, organization_id, &neighbours, Place::NewerThan(id), 1).await?.entries.pop();
    let older = log_entries::list_page(&mut conn, organization_id, &neighbours, Place::OlderThan(id), 1).await?.entries.pop();
    let incident = incidents::find_by_entry(&mut conn, organization_id, id).await?;
    let stopped = match &incident {
        Some(incident) => incidents::list_companies(&mut conn, &incident.id).await?,
        None => Vec::new(),
    };
    let before = match &incident {
        Some(incident) => incidents::find_before(&mut conn, incident).await?,
        None => None,
    };
    let shell = visit.shell(&mut conn, Section::Logs, "Log entry").await?;
    drop(conn);

    let is_listed = !asked.get("from").is_empty();
    let href =
        |id: i64| Address::new(format!("/integrations/logs/entries/{id}")).with("from", if is_listed { list.as_str() } else { "" }).to_string();
    let address = href(id);
    let body = entry.body.as_deref().and_then(|text| body(text, &entry, company.as_ref(), incident.as_ref(), &address, &visit));
    let elsewhere = incident.as_ref().map(|incident| elsewhere(incident, &stopped, before.as_ref(), entry.company_id.as_ref(), &visit));
    let log = entry.company_id.as_ref().map_or(ALL.to_owned(), |id| format!("{COMPANIES}{id}"));
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
        run: entry.run_id.as_ref().map(|id| (id.0.clone(), format!("{log}?run={id}"))),
        bundle: match &entry.run_id {
            Some(run_id) => format!("/integrations/runs/{run_id}/bundle"),
            None => format!("/integrations/logs/entries/{id}/bundle"),
        },
        story: story
            .iter()
            .map(|line| Line {
                href: href(line.id),
                message: line.message.clone(),
                time: Moment::clock(line.logged_at, visit.now, &visit.zone),
                is_error: line.status == LogStatus::Error,
                is_milestone: line.log_type == LogType::Milestone,
                is_this: line.id == id,
            })
            .collect(),
        body,
        elsewhere,
        newer: newer.map(|entry| href(entry.id)),
        older: older.map(|entry| href(entry.id)),
        list,
        message: entry.message,
        provider: entry.provider,
        company: entry.company_name,
        account: entry.account_name,
    })
}

/// The view an entry was opened from, and its filter: the entry's neighbours are the ones of that view. Without one, the log of its company.
async fn opened_from(conn: &mut store::Conn, asked: &Asked, entry: &LogEntry, visit: &Visit) -> Result<(String, Filter), WebError> {
    let from = asked.get("from");
    let (path, query) = from.split_once('?').unwrap_or((from, ""));
    let company_id = path.strip_prefix(COMPANIES).map(CompanyId::new);
    let company = match &company_id {
        Some(id) => store::companies::find(conn, visit.organization_id(), id).await?,
        None => None,
    };
    if path == ALL || company.is_some() {
        let asked = Asked::parse(query.as_bytes());
        let run_id = Some(asked.get("run")).filter(|id| !id.is_empty()).map(domain::ids::RunId::new);
        let last_success_at = company.and_then(|company| company.last_success_at);
        let (filter, typed) = log_table::filter(&asked, company_id, last_success_at, run_id, &visit.zone);
        if typed.date_error.is_none() {
            return Ok((from.to_owned(), filter));
        }
    }
    let list = entry.company_id.as_ref().map_or(ALL.to_owned(), |id| format!("{COMPANIES}{id}"));
    Ok((list, Filter { company_id: entry.company_id.clone(), ..Filter::default() }))
}

fn body(text: &str, entry: &LogEntry, company: Option<&Company>, incident: Option<&Incident>, address: &str, visit: &Visit) -> Option<Body> {
    let body: LogBody = serde_json::from_str(text).ok()?;
    let connection_id = incident.and_then(|incident| incident.connection_id.as_ref()).map(|id| id.as_str());
    let stops = match company {
        Some(company) => Stops::Company { id: company.id.as_str(), connection_id: company.connection_id.as_str() },
        None => Stops::Account { connection_id },
    };
    // a run that failed is followed by the next one the schedule brings
    let next_by_schedule = || {
        let company = company.filter(|company| company.linked_at.is_some() && company.paused_at.is_none())?;
        company.next_due_at.filter(|_| company.connection_state == ConnectionState::Active && entry.status == LogStatus::Error)
    };
    let next_attempt_at = body.next_attempt_at.or_else(next_by_schedule).filter(|at| *at > visit.now.as_millisecond());
    Some(Body {
        step: Step::of(body.kind, stops, address),
        raw: serde_json::to_string_pretty(&body).expect("a log body is plain data"),
        kind: body.kind.as_str(),
        attempt: match body.of {
            Some(of) => format!("{} of {of}", body.attempt),
            None => format!("{}, waiting uses none up", body.attempt),
        },
        next_attempt: next_attempt_at.map(|at| Moment::relative(at, visit.now, &visit.zone)),
        cause: body.cause,
        what_happened: body.what_happened,
        what_to_do: body.what_to_do,
        endpoint: body.endpoint,
        http_status: body.http_status.map(|status| status.to_string()),
        request_id: body.provider_request_id,
        // both providers ask for this id when they are asked about a call
        request_id_name: if entry.provider == "xero" { "Xero-Correlation-Id" } else { "intuit_tid" },
        records: body.records,
    })
}

fn elsewhere(
    incident: &Incident,
    stopped: &[Stopped],
    before: Option<&incidents::Before>,
    company_id: Option<&CompanyId>,
    visit: &Visit,
) -> Elsewhere {
    let this = stopped.iter().find(|company| Some(&company.company_id) == company_id);
    let others = stopped.len() - usize::from(this.is_some());
    // an entry about an account is over when its incident is
    let (resolved_at, resolved_by) = match this {
        Some(this) => (this.resolved_at, this.resolved_by),
        None => (incident.closed_at, incident.closed_by),
    };
    Elsewhere {
        title: incident_part::title(incident),
        href: format!("/integrations/incidents/{}", incident.id),
        others: match others {
            0 => String::new(),
            others if this.is_some() => counted(others, "other company", "other companies"),
            others => counted(others, "company", "companies"),
        },
        resolved: resolved_at.map(|at| (resolved_by.map_or("", |by| by.label()), Moment::relative(at, visit.now, &visit.zone))),
        before: before.map(|before| SeenBefore::of(before, visit)),
    }
}
