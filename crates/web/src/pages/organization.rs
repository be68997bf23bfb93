//! Organization, Settings: its name; and going from one organization to another.
use crate::app::App;
use crate::auth::session;
use crate::error::WebError;
use crate::flash::Flash;
use crate::pages::members::actor;
use crate::parts::address::Asked;
use crate::parts::fields;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::OrganizationId;
use engine::people;

pub const PATH: &str = "/organization/settings";
pub const EMPTY: &str = "Give the organization a name.";

#[derive(Template)]
#[template(path = "pages/organization.html")]
pub struct OrganizationPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub error: Option<&'static str>,
    pub can_mail: bool,
}

pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let name = visit.session.organization_name.clone();
    page(&app, &visit, StatusCode::OK, name, None).await
}

async fn page(app: &App, visit: &Visit, status: StatusCode, name: String, error: Option<&'static str>) -> Result<Response, WebError> {
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::Settings, "Settings").await?;
    let page = OrganizationPage { shell, id: visit.organization_id().0.clone(), name, error, can_mail: app.engine.can_mail() };
    visit.page_with(status, &page)
}

/// POST: another name.
pub async fn save(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    visit.check_organization(&form)?;
    let name = form.get("name");
    if let Some(error) = fields::name(name, EMPTY) {
        return page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, name.to_owned(), Some(error)).await;
    }
    people::rename_organization(&app.engine, &actor(&visit), name).await?;
    Ok(Flash::good("Saved.").redirect(PATH))
}

/// POST /switch: another of one's own organizations, under a new session; what is not one's own is unknown.
pub async fn switch(State(app): State<App>, visit: Visit, headers: HeaderMap, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let id = OrganizationId::new(form.get("organization"));
    let role = store::members::role_of(&mut app.engine.store.read().await?, &id, visit.user_id()).await?;
    role.ok_or(WebError::NotFound)?;
    Ok(session::start(&app, &headers, visit.user_id(), &id, Redirect::to("/").into_response()).await?)
}
