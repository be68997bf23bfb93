//! The log by runs: one row for each, what it did in numbers, and its story.
use super::log_table::{ALL, COMPANIES};
use crate::app::App;
use crate::error::WebError;
use crate::parts::address::{Address, Asked};
use crate::parts::moment::{Moment, span};
use crate::parts::status::{self, Shield, Status};
use crate::parts::{figures, provider};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::ids::{CompanyId, RunId, UserId};
use domain::log::{LogStatus, LogType};
use domain::sync::{Counts, RunState};
use engine::sync::Progress;
use std::collections::{BTreeMap, HashMap};
use store::readers::Reader;
use store::run_history::{self, Filter, Line, Start};
use store::runs::Run;

/// What a run did with the records of one data type.
pub struct Fetched {
    pub label: &'static str,
    pub added: String,
    pub updated: String,
    pub deleted: String,
    pub unchanged: String,
    pub quarantined: String,
}

/// A line of a run's story.
pub struct Told {
    pub href: String,
    pub message: String,
    pub time: Moment,
    pub is_error: bool,
    pub is_milestone: bool,
}

pub struct Row {
    pub id: String,
    pub company_id: String,
    pub company: String,
    pub provider: String,
    pub started: Moment,
    pub trigger: String,
    pub kind: &'static str,
    pub total: Fetched,
    pub by_type: Vec<Fetched>,
    pub calls: String,
    pub size: String,
    pub took: String,
    pub result: &'static str,
    pub look: &'static str,
    pub reason: Option<String>,
    pub story: Vec<Told>,
    /// The log of this run.
    pub log: String,
    pub is_open: bool,
}

pub struct Head {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub status: Status,
    pub shield: Option<Shield>,
}

#[derive(Template)]
#[template(path = "pages/log_runs.html")]
pub struct LogRunsPage {
    pub shell: Shell,
    pub path: String,
    pub logs: String,
    pub head: Option<Head>,
    pub result: String,
    pub rows: Vec<Row>,
    pub newest: Option<String>,
    pub newer: Option<String>,
    pub older: Option<String>,
    pub size: usize,
    pub sizes: Vec<(usize, String, bool)>,
    pub address: String,
    /// Where the script asks for these rows anew, and for what came meanwhile.
    pub live: String,
    /// Runs that have begun since.
    pub arrived: Option<String>,
    pub fresh: String,
}

const ARRIVED_CAP: i64 = 100;
const RESULTS: [&str; 4] = ["succeeded", "failed", "cancelled", "active"];
/// Lines of all stories of a page: a run has about a dozen.
const STORY_LINES: i64 = 5_000;

/// GET /integrations/logs/all/runs
pub async fn show_all(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    show(&app, &visit, &asked, None).await
}

/// GET /integrations/logs/companies/{id}/runs
pub async fn show_company(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    show(&app, &visit, &asked, Some(CompanyId::new(id))).await
}

async fn show(app: &App, visit: &Visit, asked: &Asked, company_id: Option<CompanyId>) -> Result<Response, WebError> {
    let organization_id = visit.organization_id();
    let mut conn = app.engine.store.read().await?;
    let company = match &company_id {
        Some(id) => Some(store::companies::find(&mut conn, organization_id, id).await?.ok_or(WebError::NotFound)?),
        None => None,
    };
    let size = if asked.get("size").is_empty() { 25 } else { asked.size() };
    let result = asked.one_of("result", &RESULTS);
    let start = match (asked.get("older"), asked.get("newer"), asked.get("from")) {
        ("", "", "") => Start::Newest,
        ("", "", from) => Start::From(RunId::new(from)),
        ("", newer, _) => Start::NewerThan(RunId::new(newer)),
        (older, ..) => Start::OlderThan(RunId::new(older)),
    };
    let filter = Filter { company_id, state: Some(result.to_owned()).filter(|state| !state.is_empty()) };
    let page = run_history::list_page(&mut conn, organization_id, &filter, &start, size as i64).await?;
    let arrived = match (&start, page.runs.first()) {
        (Start::From(_), Some(first)) => run_history::count_newer(&mut conn, organization_id, &filter, &first.id, ARRIVED_CAP).await?,
        _ => 0,
    };
    let ids: Vec<RunId> = page.runs.iter().map(|run| run.id.clone()).collect();
    let mut stories: HashMap<RunId, Vec<Line>> = HashMap::new();
    for line in run_history::list_stories(&mut conn, &ids, STORY_LINES).await? {
        stories.entry(line.run_id.clone()).or_default().push(line);
    }
    let names: BTreeMap<UserId, String> = store::members::list_names(&mut conn, organization_id).await?.into_iter().collect();
    let companies: HashMap<CompanyId, (String, String)> = match &company {
        Some(company) => HashMap::from([(company.id.clone(), (company.name.clone(), company.provider.clone()))]),
        None => store::companies::list_names(&mut conn, organization_id, &Reader::Everything)
            .await?
            .into_iter()
            .map(|company| (company.id, (company.name, company.provider)))
            .collect(),
    };
    let title = company.as_ref().map_or("Runs of all companies".to_owned(), |company| format!("{} runs", company.name));
    let shell = visit.shell(&mut conn, Place::Logs, &title).await?;
    drop(conn);

    let logs = company.as_ref().map_or(ALL.to_owned(), |company| format!("{COMPANIES}{}", company.id));
    let path = format!("{logs}/runs");
    let base = Address::new(&path).with("result", result).with("size", if size == 25 { String::new() } else { size.to_string() });
    let at = |name: &str, run: Option<&Run>, there: bool| run.filter(|_| there).map(|run| base.with(name, &run.id).to_string());
    let view = LogRunsPage {
        newest: (start != Start::Newest).then(|| base.to_string()),
        newer: at("newer", page.runs.first(), page.has_newer && start != Start::Newest),
        older: at("older", page.runs.last(), page.has_older),
        rows: page.runs.iter().map(|run| row(run, &companies, &names, stories.get(&run.id), asked.get("run"), visit)).collect(),
        sizes: [25, 50, 100].map(|of| (of, base.with("size", if of == 25 { String::new() } else { of.to_string() }).to_string(), of == size)).into(),
        head: company.as_ref().map(|company| Head {
            id: company.id.0.clone(),
            name: company.name.clone(),
            provider: company.provider.clone(),
            status: status::of(company, visit.now, &visit.zone).with_health(&company.provider),
            shield: company.linked_at.map(|_| Shield::of(company)),
        }),
        // the same rows, whatever begins meanwhile
        live: match (&start, page.runs.first()) {
            (Start::Newest, Some(first)) => base.with("from", &first.id).to_string(),
            _ => visit.address.clone(),
        },
        arrived: (arrived > 0).then(|| figures::capped(arrived, ARRIVED_CAP)),
        fresh: base.to_string(),
        result: result.to_owned(),
        address: visit.address.clone(),
        shell,
        path,
        logs,
        size,
    };
    visit.page(&view)
}

fn fetched(label: &'static str, counts: &Counts) -> Fetched {
    let shown = |number: u64| figures::count(number);
    Fetched {
        label,
        added: shown(counts.added),
        updated: shown(counts.changed),
        deleted: shown(counts.deleted),
        unchanged: shown(counts.unchanged),
        quarantined: shown(counts.quarantined),
    }
}

fn row(
    run: &Run,
    companies: &HashMap<CompanyId, (String, String)>,
    names: &BTreeMap<UserId, String>,
    story: Option<&Vec<Line>>,
    asked_for: &str,
    visit: &Visit,
) -> Row {
    let progress = Progress::parse(&run.progress);
    let (company, of) = companies.get(&run.company_id).cloned().unwrap_or_default();
    let started = run.started_at.unwrap_or(run.created_at);
    let person = run.requested_by.strip_prefix("person:").and_then(|id| names.get(&UserId::new(id))).cloned();
    let story = story.map(Vec::as_slice).unwrap_or_default();
    Row {
        id: run.id.0.clone(),
        company_id: run.company_id.0.clone(),
        company,
        provider: provider::name(&of).to_owned(),
        started: Moment::exact(started, &visit.zone),
        trigger: person.unwrap_or_else(|| domain::job::Trigger::label(&run.requested_by).to_owned()),
        kind: super::company::extent_word(run),
        total: fetched("All", &progress.total()),
        by_type: progress.counts.iter().map(|(data_type, counts)| fetched(data_type.label(), counts)).collect(),
        calls: figures::count(run.calls),
        size: figures::size(run.bytes),
        took: if run.started_at.is_none() { "\u{2013}".to_owned() } else { span(run.finished_at.unwrap_or(visit.now.as_millisecond()) - started) },
        result: super::company::result_word(run),
        look: match run.state {
            RunState::Succeeded => "good",
            RunState::Failed => "bad",
            RunState::Cancelled => "muted",
            RunState::Queued | RunState::Running => "busy",
        },
        reason: run.problem.as_deref().and_then(|text| serde_json::from_str::<domain::problem::Problem>(text).ok()).map(|problem| problem.sentence),
        story: story.iter().map(|line| told(line, visit)).collect(),
        log: Address::new(format!("{COMPANIES}{}", run.company_id)).with("run", &run.id).to_string(),
        is_open: asked_for == run.id.as_str(),
    }
}

fn told(line: &Line, visit: &Visit) -> Told {
    Told {
        href: format!("/integrations/logs/entries/{}", line.entry_id),
        message: line.message.clone(),
        time: Moment::clock(line.logged_at, visit.now, &visit.zone),
        is_error: line.status == LogStatus::Error,
        is_milestone: line.log_type == LogType::Milestone,
    }
}
