//! Organization, Settings: its name, and whether it asks for a second factor; and going from one organization to another.
use crate::app::App;
use crate::auth::session;
use crate::error::WebError;
use crate::flash::Flash;
use crate::pages::members::actor;
use crate::parts::address::Asked;
use crate::parts::fields;
use crate::parts::seen::{self, Changed};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::OrganizationId;
use domain::organization::Action;
use engine::EngineError;
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
    /// Members without a second factor are led to set one up.
    pub asks_for_second_factor: bool,
    /// Owners decide.
    pub may_decide: bool,
    /// Whoever looks has a second factor of their own.
    pub has_second_factor: bool,
    pub seen: String,
    pub changed: Option<Changed>,
}

pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let name = visit.session.organization_name.clone();
    page(&app, &visit, StatusCode::OK, name, None, None).await
}

async fn page(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    name: String,
    error: Option<&'static str>,
    changed: Option<Changed>,
) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let shell = visit.shell(&mut conn, Place::Settings, "Settings").await?;
    let page = OrganizationPage {
        shell,
        id: visit.organization_id().0.clone(),
        name,
        error,
        can_mail: app.engine.can_mail(),
        asks_for_second_factor: store::second_factors::is_required(&mut conn, visit.organization_id()).await?,
        may_decide: visit.may(Action::PromoteOwner),
        has_second_factor: store::second_factors::confirmed_at(&mut conn, visit.user_id()).await?.is_some(),
        seen: seen::tag(visit.session.organization_name.as_bytes()),
        changed,
    };
    drop(conn);
    visit.page_with(status, &page)
}

/// POST: another name.
pub async fn save(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    visit.check_organization(&form)?;
    let name = form.get("name");
    if let Some(error) = fields::name(name, EMPTY) {
        return page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, name.to_owned(), Some(error), None).await;
    }
    let now = &visit.session.organization_name;
    if seen::is_stale(&form, &seen::tag(now.as_bytes())) && name != now {
        let changed = Changed::new(PATH).is("Organization", now.as_str());
        return page(&app, &visit, StatusCode::CONFLICT, name.to_owned(), None, Some(changed)).await;
    }
    people::rename_organization(&app.engine, &actor(&visit), name).await?;
    Ok(Flash::good("Saved.").redirect(PATH))
}

/// POST: whether every member is asked for a second factor.
pub async fn require_second_factor(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    visit.check_organization(&form)?;
    let required = form.get("required") == "1";
    match people::second_factor::require(&app.engine, &actor(&visit), required).await {
        Ok(()) if required => Ok(Flash::good("Members without a second factor are led to set one up, from their next click on.").redirect(PATH)),
        Ok(()) => Ok(Flash::good("A second factor is no longer asked for. Those who have one keep it.").redirect(PATH)),
        Err(EngineError::Refused(reason)) => Ok(Flash::warn(reason).redirect(PATH)),
        Err(error) => Err(error.into()),
    }
}

/// POST /switch: another of one's own organizations, under a new session; what is not one's own is unknown.
pub async fn switch(State(app): State<App>, visit: Visit, headers: HeaderMap, asked: Asked, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    // a command of the palette without scripts says it in its address
    let id = Some(form.get("organization")).filter(|id| !id.is_empty()).unwrap_or(asked.get("organization"));
    let id = OrganizationId::new(id);
    let role = store::members::role_of(&mut app.engine.store.read().await?, &id, visit.user_id()).await?;
    role.ok_or(WebError::NotFound)?;
    Ok(session::go_on(&app, &headers, &visit.session, &id, Redirect::to("/").into_response()).await?)
}
