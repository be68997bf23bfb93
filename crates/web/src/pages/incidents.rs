//! Incidents: what stops companies now, one line for each cause, and how earlier ones ended.
use crate::app::App;
use crate::error::WebError;
use crate::parts::figures::counted;
use crate::parts::incident::{self, IncidentLine};
use crate::parts::moment::{Moment, span};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use store::incidents::Incident;

/// One that is over.
pub struct Past {
    pub id: String,
    pub title: String,
    pub companies: String,
    pub opened: Moment,
    pub lasted: String,
    pub ended_with: &'static str,
}

#[derive(Template)]
#[template(path = "pages/incidents.html")]
pub struct IncidentsPage {
    pub shell: Shell,
    pub open: Vec<IncidentLine>,
    pub past: Vec<Past>,
}

const PAST: i64 = 50;

/// GET /integrations/incidents
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let open = incident::lines(&mut conn, &visit).await?;
    let past = store::incidents::list_closed(&mut conn, visit.organization_id(), PAST).await?;
    let shell = visit.shell(&mut conn, Place::Logs, "Incidents").await?;
    drop(conn);
    visit.page(&IncidentsPage { shell, open, past: past.iter().map(|incident| past_line(incident, &visit)).collect() })
}

fn past_line(incident: &Incident, visit: &Visit) -> Past {
    Past {
        id: incident.id.clone(),
        title: incident::title(incident),
        companies: counted(incident.companies, "company", "companies"),
        opened: Moment::exact(incident.opened_at, &visit.zone),
        lasted: span(incident.closed_at.unwrap_or(incident.last_seen_at) - incident.opened_at),
        ended_with: incident.closed_by.map_or("", |by| by.label()),
    }
}
