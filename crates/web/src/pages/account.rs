//! One connected account: its companies, what it may read, and how to repair or end it.
use super::integrations::{Account, begin};
use crate::app::App;
use crate::error::WebError;
use crate::parts::moment::Moment;
use crate::parts::status::{self, Shield, Status};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::ids::ConnectionId;

/// A company this account can see.
pub struct Seen {
    pub id: String,
    pub name: String,
    pub is_linked: bool,
    /// Synced through another account that sees it too.
    pub elsewhere: Option<String>,
    pub status: Status,
    pub shield: Shield,
    pub last_synced: Option<Moment>,
}

#[derive(Template)]
#[template(path = "pages/account.html")]
pub struct AccountPage {
    pub shell: Shell,
    pub account: Account,
    pub companies: Vec<Seen>,
    /// Who connected it.
    pub connected_by: String,
    pub refreshed: Moment,
    pub signs_in_by: Moment,
    pub invalid_since: Option<Moment>,
    pub scopes: Vec<String>,
}

/// GET /integrations/accounts/{id}
pub async fn show(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    let mut conn = app.engine.store.read().await?;
    let connection = store::connections::find(&mut conn, visit.organization_id(), &id).await?;
    let connection = connection.filter(|connection| connection.disconnected_at.is_none()).ok_or(WebError::NotFound)?;
    let reach = store::connections::list_reach(&mut conn, visit.organization_id()).await?;
    let found = store::companies::list_by_connection(&mut conn, &id).await?;
    let connected_by =
        store::members::find_user(&mut conn, &connection.connected_by).await?.map_or_else(|| "a former member".to_owned(), |user| user.name);
    let account = Account::of(&connection, reach.iter().find(|reach| reach.connection_id == id), &visit);
    let shell = visit.shell(&mut conn, Place::Overview, &account.name).await?;
    drop(conn);
    let companies = found
        .into_iter()
        .map(|(company, _)| Seen {
            id: company.id.0.clone(),
            is_linked: company.linked_at.is_some(),
            elsewhere: (company.connection_id != id).then(|| company.connection_name.clone()),
            status: status::of(&company, visit.now, &visit.zone),
            shield: Shield::of(&company),
            last_synced: company.last_success_at.map(|at| Moment::relative(at, visit.now, &visit.zone)),
            name: company.name,
        })
        .collect();
    let page = AccountPage {
        shell,
        account,
        companies,
        connected_by,
        refreshed: Moment::relative(connection.rotated_at, visit.now, &visit.zone),
        signs_in_by: Moment::relative(connection.refresh_expires_at, visit.now, &visit.zone),
        invalid_since: connection.invalid_since.map(|at| Moment::relative(at, visit.now, &visit.zone)),
        scopes: connection.scope.split_whitespace().map(str::to_owned).collect(),
    };
    visit.page(&page)
}

/// POST /integrations/accounts/{id}/reconnect
pub async fn reconnect(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    let mut conn = app.engine.store.read().await?;
    let connection = store::connections::find(&mut conn, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    drop(conn);
    begin(&app, &visit, &connection.provider, Some(&id)).await
}
