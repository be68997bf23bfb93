//! Deleting a company: says in numbers what goes, and does it for whoever types its name.
use crate::app::App;
use crate::error::WebError;
use crate::feed::PATH;
use crate::flash::Flash;
use crate::pages::confirm_person;
use crate::parts::address::Asked;
use crate::parts::figures::count;
use crate::parts::provider;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::CompanyId;
use store::companies::Company;

#[derive(Template)]
#[template(path = "pages/company_delete.html")]
pub struct CompanyDeletePage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    /// What is to be typed.
    pub word: String,
    pub provider: String,
    pub software: String,
    pub linked: bool,
    pub running: bool,
    pub records: String,
    /// An account sees it, so that it is offered anew.
    pub is_seen: bool,
    pub typed: String,
    pub error: Option<String>,
}

/// What deletes a company: its name as it reads on one line, or its id where the provider gave it no name.
pub fn word(company: &Company) -> String {
    let name = on_one_line(&company.name);
    if name.is_empty() { company.id.0.clone() } else { name }
}

/// Browsers show several blanks as one and send fields without line breaks.
pub fn on_one_line(text: &str) -> String {
    let shown: String = text.chars().filter(|c| !c.is_control() || c.is_whitespace()).take(1_000).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn page(app: &App, visit: &Visit, id: &CompanyId) -> Result<CompanyDeletePage, WebError> {
    let mut conn = app.engine.store.read().await?;
    let company = store::companies::find(&mut conn, visit.organization_id(), id).await?.ok_or(WebError::NotFound)?;
    let records = store::inventory::sum(&mut conn, std::slice::from_ref(id)).await?;
    let is_seen = !store::companies::list_seen_by(&mut conn, id).await?.is_empty();
    let shell = visit.shell(&mut conn, Place::Companies, "Delete a company").await?;
    Ok(CompanyDeletePage {
        shell,
        id: company.id.0.clone(),
        word: word(&company),
        software: provider::full_name(&company.provider).to_owned(),
        linked: company.linked_at.is_some(),
        running: company.run.is_some(),
        records: count(records),
        is_seen,
        typed: String::new(),
        error: None,
        name: company.name,
        provider: company.provider,
    })
}

/// GET /companies/{id}/delete
pub async fn show(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    visit.page(&page(&app, &visit, &CompanyId(id)).await?)
}

/// POST /companies/{id}/delete
pub async fn delete(State(app): State<App>, Path(id): Path<String>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let id = CompanyId(id);
    if let Some(page) = confirm_person::before(&app, &visit, "Deleting a company", &form, &format!("/companies/{id}")).await? {
        return Ok(page);
    }
    let typed = Asked::parse(&form).get("name").to_owned();
    let page = page(&app, &visit, &id).await?;
    if on_one_line(&typed) != page.word {
        let error = "To delete the company, type its name exactly as it is written here. Nothing was deleted.".to_owned();
        return visit.page_with(StatusCode::UNPROCESSABLE_ENTITY, &CompanyDeletePage { typed, error: Some(error), ..page });
    }
    let deleted = engine::connections::delete_company(&app.engine, visit.organization_id(), &id, visit.user_id()).await?;
    let shown: String = page.word.chars().take(80).collect();
    let sentence = format!("{shown} is deleted, with everything that was synced of it.");
    let flash = match deleted.is_offered {
        true => Flash::good(format!("{sentence} An account still sees it at {}: it is listed as not linked, and empty.", page.software)),
        false => Flash::good(sentence),
    };
    Ok(flash.redirect(PATH))
}
