//! What is ticked on the Data Feed: kept for the session, so that it survives paging, sorting and filtering without a script.
use super::choice::Choice;
use super::{PATH, export};
use crate::app::App;
use crate::error::WebError;
use crate::parts::address::Asked;
use crate::visit::Visit;
use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::CompanyId;
use store::{Tx, selections};

/// What a form of the page says of its rows, and where it wants to go.
struct Said {
    shown: Vec<CompanyId>,
    ticked: Vec<CompanyId>,
}

impl Said {
    fn of(form: &Asked) -> Said {
        let ids = |name: &str| {
            let mut ids: Vec<CompanyId> = form.all(name).map(CompanyId::new).collect();
            ids.sort();
            ids.dedup();
            ids
        };
        Said { shown: ids("shown"), ticked: ids("company") }
    }
}

async fn keep(tx: &mut Tx, visit: &Visit, form: &Asked) -> Result<(), WebError> {
    let said = Said::of(form);
    Ok(selections::put(tx, &visit.session.token_hash, visit.organization_id(), &said.shown, &said.ticked).await?)
}

/// POST: keeps what is ticked and goes on: to another page, to everything that fits, or to nothing.
pub async fn select(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let mut tx = app.engine.store.begin().await?;
    match form.get("take") {
        "none" => selections::clear(&mut tx, &visit.session.token_hash).await?,
        "all" => {
            let fitting = form.back(PATH);
            let choice = Choice::of(&Asked::parse(fitting.split_once('?').map_or("", |(_, query)| query).as_bytes()));
            let now_ms = visit.now.as_millisecond();
            let ids = store::feed::list_ids(&mut tx, visit.organization_id(), &choice.filter, choice.sort(), now_ms, export::MOST_ROWS, 0).await?;
            selections::add(&mut tx, &visit.session.token_hash, visit.organization_id(), &ids).await?;
        }
        _ => keep(&mut tx, &visit, &form).await?,
    }
    tx.commit().await?;
    if visit.is_live {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let go = Some(form.get("go")).filter(|go| crate::protection::is_own_path(go));
    Ok(Redirect::to(go.unwrap_or(form.back(PATH))).into_response())
}

/// The companies an action is for: what the page says, and what is ticked on its other pages.
pub async fn chosen(app: &App, visit: &Visit, form: &Asked) -> Result<Vec<CompanyId>, WebError> {
    let mut tx = app.engine.store.begin().await?;
    keep(&mut tx, visit, form).await?;
    let ids = selections::list(&mut tx, &visit.session.token_hash, visit.organization_id()).await?;
    tx.commit().await?;
    Ok(ids)
}

/// The action is done: nothing is ticked any more.
pub async fn forget(app: &App, visit: &Visit) -> Result<(), WebError> {
    let mut tx = app.engine.store.begin().await?;
    selections::clear(&mut tx, &visit.session.token_hash).await?;
    Ok(tx.commit().await?)
}
