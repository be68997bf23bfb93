//! An open incident as a line: its cause, whom it stops, and the one step that ends it.
use super::figures::counted;
use super::moment::Moment;
use super::provider;
use super::step::{Step, Stops};
use crate::visit::Visit;
use askama::Template;
use askama::filters::HtmlSafe;
use domain::problem::ProblemKind;
use store::incidents::{self, Incident, Stopped};
use store::{Conn, StoreError};

#[derive(Template, Clone)]
#[template(path = "parts/incident.html")]
pub struct IncidentLine {
    pub id: String,
    pub title: String,
    /// "14 companies stopped"; empty: none is linked.
    pub companies: String,
    pub sentence: String,
    pub since: Moment,
    pub is_sign_in: bool,
    pub step: Step,
}

/// The template escapes what it shows.
impl HtmlSafe for IncidentLine {}

/// Lines of one page; the list has the others.
const LINES: i64 = 20;

/// The open incidents, newest first: one line for each cause.
pub async fn lines(conn: &mut Conn, visit: &Visit) -> Result<Vec<IncidentLine>, StoreError> {
    let mut lines = Vec::new();
    for incident in incidents::list_open(conn, visit.organization_id(), LINES).await? {
        // the only company it stops is where its step leads
        let stopped = if incident.companies == 1 { incidents::list_companies(conn, &incident.id).await? } else { Vec::new() };
        lines.push(line(&incident, &stopped, visit));
    }
    Ok(lines)
}

fn line(incident: &Incident, stopped: &[Stopped], visit: &Visit) -> IncidentLine {
    IncidentLine {
        id: incident.id.clone(),
        title: title(incident),
        companies: if incident.companies == 0 { String::new() } else { format!("{} stopped", counted(incident.companies, "company", "companies")) },
        sentence: incident.sentence.clone(),
        since: Moment::relative(incident.opened_at, visit.now, &visit.zone),
        is_sign_in: incident.kind == ProblemKind::NeedsReconnect,
        step: step(incident, stopped, &visit.address).small(),
    }
}

pub fn title(incident: &Incident) -> String {
    domain::incident::title(incident.kind, provider::name(&incident.provider), &incident.subject)
}

/// The one step that ends an incident.
pub fn step(incident: &Incident, stopped: &[Stopped], back: &str) -> Step {
    let open: Vec<&Stopped> = stopped.iter().filter(|company| company.resolved_at.is_none()).collect();
    let only = match open.as_slice() {
        [only] => Some(only.company_id.as_str()),
        _ => None,
    };
    let connection_id = incident.connection_id.as_ref().map(|id| id.as_str());
    Step::of(incident.kind, Stops::Incident { id: &incident.id, connection_id, companies: incident.companies, only }, back)
}
