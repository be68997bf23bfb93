//! *Resync...*: what to read again of one company, with what each way took the last time.
use crate::app::App;
use crate::error::WebError;
use crate::feed::{PATH, actions};
use crate::flash::Flash;
use crate::parts::address::Asked;
use crate::parts::figures::{counted, size};
use crate::parts::moment::span;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::clock::Month;
use domain::data_type::DataType;
use domain::ids::CompanyId;
use domain::sync::{Extent, RunState};
use engine::EngineError;
use engine::sync::{Again, Choices};
use store::companies::Company;
use store::runs::Run;

/// A data type that can be read again.
pub struct Type {
    pub word: &'static str,
    pub label: &'static str,
    pub is_ticked: bool,
}

#[derive(Template)]
#[template(path = "pages/resync.html")]
pub struct ResyncPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub provider: String,
    pub software: String,
    /// `changes`, `again` or `full`.
    pub extent: String,
    pub types: Vec<Type>,
    pub by_month: bool,
    pub from: String,
    pub to: String,
    /// "12 calls, 84.0 kB, 4.2 s"
    pub changes_took: Option<String>,
    pub full_took: Option<String>,
    pub error: Option<String>,
    /// The sync that is under way.
    pub running: bool,
}

const EXTENTS: [&str; 3] = ["changes", "again", "full"];
/// Runs that are looked through for the last one of each kind.
const RUNS: i64 = 100;

/// What the last good run of this extent took.
fn took(runs: &[Run], extent: Extent) -> Option<String> {
    let run = runs.iter().find(|run| run.state == RunState::Succeeded && run.extent == extent)?;
    let took_ms = run.finished_at? - run.started_at?;
    Some(format!("{}, {}, {}", counted(run.calls, "call", "calls"), size(run.bytes), span(took_ms)))
}

async fn page(app: &App, visit: &Visit, company: &Company, choices: &Choices, asked: &Asked) -> Result<ResyncPage, WebError> {
    let mut conn = app.engine.store.read().await?;
    let runs = store::runs::list_by_company(&mut conn, &company.id, RUNS).await?;
    let shell = visit.shell(&mut conn, Place::DataFeed, "Resync").await?;
    drop(conn);
    let extent = asked.one_of("extent", &EXTENTS);
    let ticked: Vec<&str> = asked.all("data_type").collect();
    Ok(ResyncPage {
        shell,
        id: company.id.0.clone(),
        name: company.name.clone(),
        provider: company.provider.clone(),
        software: crate::parts::provider::full_name(&company.provider).to_owned(),
        extent: if extent.is_empty() { "changes" } else { extent }.to_owned(),
        types: choices
            .data_types
            .iter()
            .map(|data_type| Type { word: data_type.as_str(), label: data_type.label(), is_ticked: ticked.contains(&data_type.as_str()) })
            .collect(),
        by_month: choices.by_month,
        from: asked.get("from").to_owned(),
        to: asked.get("to").to_owned(),
        changes_took: took(&runs, Extent::Changes),
        full_took: took(&runs, Extent::Full),
        error: None,
        running: company.run.is_some(),
    })
}

async fn company(app: &App, visit: &Visit, id: String) -> Result<Company, WebError> {
    let mut conn = app.engine.store.read().await?;
    store::companies::find(&mut conn, visit.organization_id(), &CompanyId::new(id)).await?.ok_or(WebError::NotFound)
}

/// A company of a provider that this server has no keys for has no choices.
fn choices(app: &App, company: &Company) -> Choices {
    engine::sync::choices(&app.engine, &company.provider).unwrap_or(Choices { data_types: Vec::new(), by_month: false })
}

/// GET /companies/{id}/resync
pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let company = company(&app, &visit, id).await?;
    visit.page(&page(&app, &visit, &company, &choices(&app, &company), &asked).await?)
}

/// POST /companies/{id}/resync: **Resync**, or what the form of this page chose.
pub async fn ask(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let company = company(&app, &visit, id).await?;
    let (organization_id, trigger) = (visit.organization_id(), actions::trigger(&visit));
    let requested = match form.get("extent") {
        "full" => engine::sync::request(&app.engine, organization_id, &company.id, trigger, Some(Extent::Full)).await,
        "again" => match read(&form) {
            Ok(again) => engine::sync::request_again(&app.engine, organization_id, &company.id, trigger, &again).await,
            Err(sentence) => Err(EngineError::Refused(sentence)),
        },
        _ => engine::sync::request(&app.engine, organization_id, &company.id, trigger, None).await,
    };
    match requested {
        Ok(requested) => Ok(actions::told_one(&requested, &company.id).redirect(form.back(PATH))),
        // what the form says can be mended in the form
        Err(EngineError::Refused(sentence)) if form.get("extent") == "again" => {
            let page = page(&app, &visit, &company, &choices(&app, &company), &form).await?;
            visit.page_with(StatusCode::UNPROCESSABLE_ENTITY, &ResyncPage { error: Some(sentence), ..page })
        }
        Err(EngineError::Refused(sentence)) => Ok(Flash::warn(sentence).redirect(form.back(PATH))),
        Err(error) => Err(error.into()),
    }
}

fn read(form: &Asked) -> Result<Again, String> {
    let mut again = Again::default();
    for word in form.all("data_type") {
        again.data_types.insert(word.parse::<DataType>().map_err(|unknown| format!("{unknown}."))?);
    }
    let month = |name: &str| match form.get(name) {
        "" => Ok(None),
        text => Month::parse(text).map(Some).ok_or_else(|| format!("\u{201c}{text}\u{201d} is not a month: write it as 2026-01.")),
    };
    again.months = match (month("from")?, month("to")?) {
        (None, None) => None,
        (Some(first), Some(last)) => Some((first, last)),
        (Some(_), None) | (None, Some(_)) => return Err("A period needs its first and its last month.".to_owned()),
    };
    Ok(again)
}
