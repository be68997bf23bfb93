//! *Unlink* of the companies that are ticked: says in numbers what it will do before it does it.
use crate::app::App;
use crate::error::WebError;
use crate::feed::{PATH, selection};
use crate::flash::Flash;
use crate::parts::address::Asked;
use crate::parts::figures::{self, counted};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::response::Response;
use domain::ids::CompanyId;

#[derive(Template)]
#[template(path = "pages/unlink.html")]
pub struct UnlinkPage {
    pub shell: Shell,
    pub names: Vec<String>,
    pub running: usize,
    pub records: String,
    pub not_linked: usize,
    /// Named in the address instead of ticked.
    pub named: Vec<String>,
    pub back: String,
}

/// The companies an address or a form names; where it names none, those that are ticked on the Data Feed.
async fn chosen(conn: &mut store::Conn, visit: &Visit, asked: &Asked) -> Result<(Vec<CompanyId>, bool), WebError> {
    let named: Vec<CompanyId> = asked.all("company").map(CompanyId::new).collect();
    match named.is_empty() {
        false => Ok((named, true)),
        true => Ok((store::selections::list(conn, &visit.session.token_hash, visit.organization_id()).await?, false)),
    }
}

/// GET /integrations/data-feed/unlink
pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let (ids, are_named) = chosen(&mut conn, &visit, &asked).await?;
    let companies = store::feed::list_by_ids(&mut conn, visit.organization_id(), &ids).await?;
    let (linked, others): (Vec<_>, Vec<_>) = companies.into_iter().partition(|company| company.linked_at.is_some());
    let linked_ids: Vec<CompanyId> = linked.iter().map(|company| company.id.clone()).collect();
    let records = store::inventory::sum(&mut conn, &linked_ids).await?;
    let shell = visit.shell(&mut conn, Place::DataFeed, "Unlink").await?;
    drop(conn);
    if linked.is_empty() {
        let sentence = match are_named {
            true => "It was unlinked already.",
            false => "No linked company is selected. Tick the companies to unlink first.",
        };
        return Ok(Flash::warn(sentence).redirect(asked.back(PATH)));
    }
    visit.page(&UnlinkPage {
        shell,
        running: linked.iter().filter(|company| company.run.is_some()).count(),
        named: linked_ids.iter().filter(|_| are_named).map(|id| id.0.clone()).collect(),
        back: asked.back(PATH).to_owned(),
        names: linked.into_iter().map(|company| company.name).collect(),
        records: figures::count(records),
        not_linked: others.len(),
    })
}

/// POST /integrations/data-feed/unlink
pub async fn unlink(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let mut conn = app.engine.store.read().await?;
    let (ids, are_named) = chosen(&mut conn, &visit, &form).await?;
    let companies = store::feed::list_by_ids(&mut conn, visit.organization_id(), &ids).await?;
    drop(conn);
    let mut unlinked = 0;
    for company in companies.iter().filter(|company| company.linked_at.is_some()) {
        engine::connections::unlink(&app.engine, visit.organization_id(), &company.id).await?;
        unlinked += 1;
    }
    if !are_named {
        selection::forget(&app, &visit).await?;
    }
    let flash = match unlinked {
        0 if are_named => Flash::warn("It was unlinked already."),
        0 => Flash::warn("They were unlinked already."),
        _ => Flash::good(format!("{} unlinked; what was synced is kept.", counted(unlinked, "company", "companies"))),
    };
    Ok(flash.redirect(form.back(PATH)))
}
