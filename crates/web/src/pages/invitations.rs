//! Organization, Members, Invitations: who is asked to join; sending again, copying the link, cancelling.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::pages::members::{Tabs, actor};
use crate::parts::figures::counted;
use crate::parts::moment::Moment;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::organization::Role;
use engine::EngineError;
use engine::people::invitations;

pub const PATH: &str = "/organization/invitations";

pub struct Row {
    pub id: String,
    pub email: String,
    pub role: &'static str,
    /// For a Member: how many companies come with it.
    pub companies: Option<String>,
    pub by: String,
    pub sent: Moment,
    pub expires: Moment,
    pub is_expired: bool,
    pub link: String,
}

#[derive(Template)]
#[template(path = "pages/invitations.html")]
pub struct InvitationsPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub rows: Vec<Row>,
    pub can_mail: bool,
}

pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let open = store::invitations::list_open(&mut conn, visit.organization_id()).await?;
    let members = store::members::list_names(&mut conn, visit.organization_id()).await?.len();
    let shell = visit.shell(&mut conn, Place::Members, "Invitations").await?;
    drop(conn);
    let now_ms = visit.now.as_millisecond();
    let mut rows = Vec::with_capacity(open.len());
    for invitation in &open {
        rows.push(Row {
            id: invitation.id.clone(),
            email: invitation.email.clone(),
            role: invitation.role.label(),
            companies: (invitation.role == Role::Member).then(|| counted(invitation.company_ids.len(), "company", "companies")),
            by: invitation.invited_by.clone(),
            sent: Moment::relative(invitation.sent_at, visit.now, &visit.zone),
            expires: Moment::relative(invitation.expires_at, visit.now, &visit.zone),
            is_expired: !invitation.is_valid(now_ms),
            link: invitations::link(&app.engine, invitation)?.to_string(),
        });
    }
    visit.page(&InvitationsPage { shell, tabs: Tabs { at: "invitations", members, invitations: rows.len() }, rows, can_mail: app.engine.can_mail() })
}

/// POST: once more.
pub async fn resend(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, WebError> {
    let flash = match invitations::resend(&app.engine, &actor(&visit), &id).await {
        Ok(invitation) if app.engine.can_mail() => Flash::good(format!("Sent again to {}. It is good for three days.", invitation.email)),
        Ok(invitation) => Flash::good(format!("The link for {} is good for three days again. Copy it and hand it over.", invitation.email)),
        Err(EngineError::Refused(reason)) => Flash::warn(reason),
        Err(error) => return Err(error.into()),
    };
    Ok(flash.redirect(PATH))
}

/// POST: the link no longer works.
pub async fn cancel(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, WebError> {
    let flash = match invitations::cancel(&app.engine, &actor(&visit), &id).await {
        Ok(invitation) => Flash::good(format!("The invitation of {} is cancelled. Its link no longer works.", invitation.email)),
        Err(EngineError::Refused(reason)) => Flash::warn(reason),
        Err(error) => return Err(error.into()),
    };
    Ok(flash.redirect(PATH))
}
