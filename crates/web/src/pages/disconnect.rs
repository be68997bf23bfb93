//! Disconnect: says in numbers what will stop and what is kept, then does it.
use super::integrations::Account;
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::figures::{count, counted};
use crate::parts::provider;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::ids::ConnectionId;

#[derive(Template)]
#[template(path = "pages/disconnect.html")]
pub struct DisconnectPage {
    pub shell: Shell,
    pub account: Account,
    /// Linked companies that are synced through it.
    pub stopping: Vec<String>,
    pub running: usize,
    pub records: i64,
}

impl DisconnectPage {
    /// "Stops 3 companies, cancels 1 sync, keeps 412,880 records."
    pub fn summary(&self) -> String {
        let stops = match self.stopping.len() {
            0 => "Stops no company".to_owned(),
            number => format!("Stops {}", counted(number, "company", "companies")),
        };
        let cancels = if self.running == 0 { String::new() } else { format!(", cancels {}", counted(self.running, "running sync", "running syncs")) };
        format!("{stops}{cancels}, keeps {}.", counted(self.records, "record", "records"))
    }
    pub fn shown_records(&self) -> String {
        count(self.records)
    }
}

/// GET /integrations/accounts/{id}/disconnect
pub async fn show(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    let mut conn = app.engine.store.read().await?;
    let connection = store::connections::find(&mut conn, visit.organization_id(), &id).await?;
    let connection = connection.filter(|connection| connection.disconnected_at.is_none()).ok_or(WebError::NotFound)?;
    let reach = store::connections::list_reach(&mut conn, visit.organization_id()).await?;
    let companies = store::companies::list_by_connection(&mut conn, &id).await?;
    let records = store::connections::count_records(&mut conn, &id).await?;
    let account = Account::of(&connection, reach.iter().find(|reach| reach.connection_id == id), &visit);
    let shell = visit.shell(&mut conn, Place::Overview, "Disconnect").await?;
    drop(conn);
    let used: Vec<_> =
        companies.into_iter().map(|(company, _)| company).filter(|company| company.connection_id == id && company.linked_at.is_some()).collect();
    let running = used.iter().filter(|company| company.run.is_some()).count();
    let stopping = used.into_iter().map(|company| company.name).collect();
    visit.page(&DisconnectPage { shell, account, stopping, running, records })
}

/// POST /integrations/accounts/{id}/disconnect
pub async fn disconnect(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    let connection = store::connections::find(&mut app.engine.store.read().await?, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let service = provider::full_name(&connection.provider);
    if connection.disconnected_at.is_some() {
        return Ok(Flash::warn("This account was disconnected already.").redirect("/integrations"));
    }
    let is_revoked = engine::connections::disconnect(&app.engine, visit.organization_id(), &id).await?;
    let flash = if is_revoked {
        Flash::good(format!(
            "{} is disconnected, and {service} confirmed that the authorization is revoked. Its data stays readable.",
            connection.name
        ))
    } else {
        Flash::warn(format!(
            "{} is disconnected here. {service} has not confirmed the revocation; we keep asking. Its data stays readable.",
            connection.name
        ))
    };
    Ok(flash.redirect("/integrations"))
}
