//! Removing a member, or leaving: asks first, with what their sign-in powers.
use crate::app::App;
use crate::error::WebError;
use crate::feed::row::account_name;
use crate::flash::Flash;
use crate::pages::members::{PATH, actor, name_of};
use crate::parts::figures::counted;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::ids::UserId;
use domain::organization::{Role, may_remove};
use engine::{EngineError, people};

/// What removing somebody would do.
#[derive(Template)]
#[template(path = "pages/member_remove.html")]
pub struct RemovePage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub email: String,
    pub is_self: bool,
    pub locked: Option<&'static str>,
    /// Companies read through accounts this person connected: (id, name, account).
    pub powers: Vec<(String, String, String)>,
}

impl RemovePage {
    pub fn powered(&self) -> String {
        counted(self.powers.len(), "company is", "companies are")
    }
}

/// GET: asks first, with what their sign-in powers.
pub async fn ask(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, WebError> {
    let target = UserId::new(id);
    let mut conn = app.engine.store.read().await?;
    let members = store::members::list(&mut conn, visit.organization_id()).await?;
    let owners = members.iter().filter(|member| member.role == Role::Owner).count() as i64;
    let member = members.into_iter().find(|member| member.user_id == target).ok_or(WebError::NotFound)?;
    let powers = store::companies::list_powered_by(&mut conn, visit.organization_id(), &target).await?;
    let shell = visit.shell(&mut conn, Place::Members, "Remove a member").await?;
    drop(conn);
    let is_self = member.user_id == *visit.user_id();
    visit.page(&RemovePage {
        shell,
        id: member.user_id.0.clone(),
        name: member.name.clone(),
        email: member.email.clone(),
        is_self,
        locked: may_remove(visit.role(), is_self, member.role, owners).err().map(|refusal| refusal.sentence()),
        powers: powers
            .into_iter()
            .map(|company| (company.id.0.clone(), company.name.clone(), account_name(&company.connection_name, &company.connection_email)))
            .collect(),
    })
}

/// POST: **Remove**, or leaving.
pub async fn remove(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, WebError> {
    let target = UserId::new(id);
    let name = name_of(&app, &visit, &target).await?;
    match people::remove(&app.engine, &actor(&visit), &target).await {
        // whoever left has no session here any more: the start page leads to the sign-in
        Ok(()) if target == *visit.user_id() => Ok(Flash::good("You have left the organization.").redirect("/sign-in")),
        Ok(()) => Ok(Flash::good(format!("{name} is removed. Sessions ended at once.")).redirect(PATH)),
        Err(EngineError::Refused(reason)) => Ok(Flash::warn(reason).redirect(PATH)),
        Err(error) => Err(error.into()),
    }
}
