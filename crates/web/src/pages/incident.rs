//! One incident: its cause, the companies it stops, the one step that ends it, and what became of it before.
use crate::app::App;
use crate::error::WebError;
use crate::feed::actions;
use crate::parts::figures::{count, counted};
use crate::parts::incident;
use crate::parts::moment::{Moment, span};
use crate::parts::provider;
use crate::parts::step::Step;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::ids::CompanyId;
use store::incidents::{Before, Stopped};

/// A company of the list.
pub struct Line {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub since: Moment,
    /// How it ended for this company, and when.
    pub resolved: Option<(&'static str, Moment)>,
}

/// The same cause, earlier.
pub struct SeenBefore {
    pub times: String,
    pub first: Moment,
    pub last: Moment,
    pub ended_with: &'static str,
}

impl SeenBefore {
    pub fn of(before: &Before, visit: &Visit) -> SeenBefore {
        SeenBefore {
            times: counted(before.times, "time", "times"),
            first: Moment::relative(before.first_at, visit.now, &visit.zone),
            last: Moment::relative(before.last_closed_at, visit.now, &visit.zone),
            ended_with: before.closed_by.map_or("", |by| by.label()),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/incident.html")]
pub struct IncidentPage {
    pub shell: Shell,
    pub id: String,
    pub title: String,
    pub provider: String,
    pub software: String,
    pub cause: &'static str,
    pub kind: &'static str,
    pub sentence: String,
    pub what_to_do: &'static str,
    pub step: Step,
    pub opened: Moment,
    pub last_seen: Moment,
    pub errors: String,
    pub last_entry: i64,
    /// When and how it ended, and how long it lasted.
    pub closed: Option<(Moment, &'static str, String)>,
    pub stopped: i64,
    pub companies: Vec<Line>,
    pub before: Option<SeenBefore>,
}

/// GET /integrations/incidents/{id}
pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let found = store::incidents::find(&mut conn, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let companies = store::incidents::list_companies(&mut conn, &found.id).await?;
    let before = store::incidents::find_before(&mut conn, &found).await?;
    let title = incident::title(&found);
    let shell = visit.shell(&mut conn, Place::Logs, &title).await?;
    drop(conn);
    let closed = found
        .closed_at
        .map(|at| (Moment::relative(at, visit.now, &visit.zone), found.closed_by.map_or("", |by| by.label()), span(at - found.opened_at)));
    visit.page(&IncidentPage {
        shell,
        step: incident::step(&found, &companies, &format!("/integrations/incidents/{}", found.id)),
        title,
        software: provider::full_name(&found.provider).to_owned(),
        cause: found.kind.cause(),
        kind: found.kind.as_str(),
        what_to_do: found.kind.remedy().sentence(),
        opened: Moment::relative(found.opened_at, visit.now, &visit.zone),
        last_seen: Moment::relative(found.last_seen_at, visit.now, &visit.zone),
        errors: count(found.errors),
        last_entry: found.last_entry_id,
        closed,
        stopped: companies.iter().filter(|company| company.resolved_at.is_none()).count() as i64,
        companies: companies.iter().map(|company| line(company, &visit)).collect(),
        before: before.as_ref().map(|before| SeenBefore::of(before, &visit)),
        id: found.id,
        provider: found.provider,
        sentence: found.sentence,
    })
}

fn line(company: &Stopped, visit: &Visit) -> Line {
    Line {
        id: company.company_id.0.clone(),
        name: company.name.clone(),
        provider: company.provider.clone(),
        since: Moment::relative(company.first_seen_at, visit.now, &visit.zone),
        resolved: company.resolved_at.map(|at| (company.resolved_by.map_or("", |by| by.label()), Moment::relative(at, visit.now, &visit.zone))),
    }
}

/// POST /integrations/incidents/{id}/resync: one action for every company it stops.
pub async fn resync(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let found = store::incidents::find(&mut conn, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let companies = store::incidents::list_companies(&mut conn, &found.id).await?;
    drop(conn);
    let stopped: Vec<CompanyId> = companies.into_iter().filter(|company| company.resolved_at.is_none()).map(|company| company.company_id).collect();
    let answer = engine::sync::request_many(&app.engine, visit.organization_id(), &stopped, actions::trigger(&visit)).await?;
    Ok(actions::told(&answer).redirect(&format!("/integrations/incidents/{}", found.id)))
}
