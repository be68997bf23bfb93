//! Making another organization.
use crate::app::App;
use crate::auth::session;
use crate::error::WebError;
use crate::pages::organization::EMPTY;
use crate::parts::address::Asked;
use crate::parts::fields;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use engine::people;

#[derive(Template)]
#[template(path = "pages/organization_new.html")]
pub struct NewOrganizationPage {
    pub shell: Shell,
    pub name: String,
    pub error: Option<&'static str>,
}

/// GET /organizations/new
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::Elsewhere, "Create an organization").await?;
    visit.page(&NewOrganizationPage { shell, name: String::new(), error: None })
}

/// POST /organizations/new: whoever makes it is its Owner, and is there at once.
pub async fn create(State(app): State<App>, visit: Visit, headers: HeaderMap, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let name = form.get("name");
    if let Some(error) = fields::name(name, EMPTY) {
        let shell = visit.shell(&mut app.engine.store.read().await?, Place::Elsewhere, "Create an organization").await?;
        let page = NewOrganizationPage { shell, name: name.to_owned(), error: Some(error) };
        return visit.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let id = people::create_organization(&app.engine, visit.user_id(), name).await?;
    Ok(session::go_on(&app, &headers, &visit.session, &id, Redirect::to("/").into_response()).await?)
}
