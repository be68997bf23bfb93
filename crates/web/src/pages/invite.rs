//! **Invite Member**: addresses, a role, and for a Member the companies.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::pages::invitations::PATH;
use crate::pages::members::actor;
use crate::parts::address::Asked;
use crate::parts::fields;
use crate::parts::figures::counted;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::CompanyId;
use domain::organization::Role;
use engine::people::invitations::{self, Obstacle};
use std::collections::BTreeSet;
use store::readers::Reader;

/// A company to tick for a Member.
pub struct Company {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub ticked: bool,
}

#[derive(Template)]
#[template(path = "pages/invite.html")]
pub struct InvitePage {
    pub shell: Shell,
    pub organization_id: String,
    pub emails: String,
    pub role: String,
    pub companies: Vec<Company>,
    pub emails_error: Option<String>,
    pub role_error: Option<&'static str>,
    pub can_mail: bool,
}

pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    form_page(&app, &visit, StatusCode::OK, &Asked::default(), None, None).await
}

async fn form_page(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    form: &Asked,
    emails_error: Option<String>,
    role_error: Option<&'static str>,
) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let companies = store::companies::list_names(&mut conn, visit.organization_id(), &Reader::Everything).await?;
    let shell = visit.shell(&mut conn, Place::Members, "Invite Member").await?;
    drop(conn);
    let ticked: BTreeSet<&str> = form.all("company").collect();
    let page = InvitePage {
        shell,
        organization_id: visit.organization_id().0.clone(),
        emails: form.get("emails").to_owned(),
        role: if form.get("role").is_empty() { "member".to_owned() } else { form.get("role").to_owned() },
        companies: companies
            .into_iter()
            .filter(|company| company.linked_at.is_some())
            .map(|company| Company { ticked: ticked.contains(company.id.as_str()), id: company.id.0, name: company.name, provider: company.provider })
            .collect(),
        emails_error,
        role_error,
        can_mail: app.engine.can_mail(),
    };
    visit.page_with(status, &page)
}

/// POST: **Send Invitation** to every address, or to none where one is wrong.
pub async fn send(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    visit.check_organization(&form)?;
    let role = Role::parse(form.get("role"));
    let emails = fields::addresses(form.get("emails"));
    let (Some(role), Ok(emails)) = (role, &emails) else {
        let role_error = role.is_none().then_some("Choose Member or Admin.");
        return form_page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &form, emails.err(), role_error).await;
    };
    let company_ids: Vec<CompanyId> = form.all("company").map(CompanyId::new).collect();
    match invitations::invite(&app.engine, &actor(&visit), emails, role, &company_ids).await? {
        Ok(sent) => {
            let what = counted(sent, "invitation", "invitations");
            let sentence = match app.engine.can_mail() {
                true => format!("{what} sent."),
                false => format!("{what} made. This server sends no mail: copy the link and hand it over."),
            };
            Ok(Flash::good(sentence).redirect(PATH))
        }
        Err(obstacles) => {
            let sentence = obstacles
                .iter()
                .map(|(email, obstacle)| match obstacle {
                    Obstacle::Member => format!("{email} is a member already."),
                    Obstacle::Invited => format!("{email} is invited already; send that invitation again instead."),
                })
                .collect::<Vec<_>>()
                .join(" ");
            form_page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &form, Some(format!("{sentence} Nobody was invited.")), None).await
        }
    }
}
