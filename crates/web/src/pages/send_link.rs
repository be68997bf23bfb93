//! Send reconnect link: makes a link for whoever owns the books, and shows it for copying.
use super::integrations::Account;
use crate::app::App;
use crate::error::WebError;
use crate::parts::moment::Moment;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::ConnectionId;

/// A link that works.
pub struct Open {
    pub address: String,
    pub ends: Moment,
}

#[derive(Template)]
#[template(path = "pages/send_link.html")]
pub struct SendLinkPage {
    pub shell: Shell,
    pub account: Account,
    pub open: Option<Open>,
}

/// GET /integrations/accounts/{id}/link
pub async fn show(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    let mut conn = app.engine.store.read().await?;
    let connection = store::connections::find(&mut conn, visit.organization_id(), &id).await?;
    let connection = connection.filter(|connection| connection.disconnected_at.is_none()).ok_or(WebError::NotFound)?;
    let reach = store::connections::list_reach(&mut conn, visit.organization_id()).await?;
    let now_ms = visit.now.as_millisecond();
    let open = store::reconnect_links::find_open(&app.engine.store, &mut conn, &id, now_ms).await?;
    let account = Account::of(&app, &connection, reach.iter().find(|reach| reach.connection_id == id), &visit);
    let shell = visit.shell(&mut conn, Place::Overview, "Send reconnect link").await?;
    drop(conn);
    let open = open.map(|(token, ends)| Open {
        address: format!("{}/reconnect/{token}", app.options.origin()),
        ends: Moment::relative(ends, visit.now, &visit.zone),
    });
    visit.page(&SendLinkPage { shell, account, open })
}

/// POST /integrations/accounts/{id}/link: a new link; the one before ends.
pub async fn make(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    engine::connections::make_reconnect_link(&app.engine, visit.organization_id(), &id, visit.user_id()).await?;
    Ok(Redirect::to(&format!("/integrations/accounts/{id}/link")).into_response())
}
