//! What each click on the Data Feed does, and what it is answered with.
use super::{PATH, selection};
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::{Address, Asked};
use crate::parts::figures::{self, counted};
use crate::visit::Visit;
use axum::extract::{Path, RawForm, State};
use axum::response::Response;
use domain::ids::{CompanyId, RunId};
use domain::job::Trigger;
use engine::EngineError;
use engine::sync::ManyRequested;
use store::runs::Requested;

/// Who clicked.
pub fn trigger(visit: &Visit) -> Trigger {
    Trigger::Person(visit.user_id().0.clone())
}

fn nothing_selected(what: &str) -> Flash {
    Flash::warn(format!("No company is selected. Tick the companies to {what} first."))
}

/// POST: **Auto Resync** of the rows that are ticked.
pub async fn resync_selected(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let ids = selection::chosen(&app, &visit, &form).await?;
    if ids.is_empty() {
        return Ok(nothing_selected("resync").redirect(form.back(PATH)));
    }
    let answer = engine::sync::request_many(&app.engine, visit.organization_id(), &ids, trigger(&visit)).await?;
    selection::forget(&app, &visit).await?;
    Ok(told(&answer).redirect(form.back(PATH)))
}

/// "9 queued, 2 already running, 1 invalid token", with a link to each.
pub fn told(answer: &ManyRequested) -> Flash {
    let mut parts = Vec::new();
    let refused = |words: &str| answer.refused.iter().filter(|(_, _, reason)| reason.contains(words)).count();
    let (not_linked, invalid) = (refused("is not linked"), refused("is no longer accepted"));
    let counts = [
        (answer.queued.len(), "queued"),
        (answer.already_running.len(), "already running"),
        (invalid, "invalid token"),
        (not_linked, "not linked"),
        (answer.refused.len() - not_linked - invalid, "not possible"),
    ];
    for (count, word) in counts {
        if count > 0 {
            parts.push(format!("{} {word}", figures::count(count)));
        }
    }
    if parts.is_empty() {
        return Flash::good("No company needs a resync.");
    }
    let sentence = format!("{}.", parts.join(", "));
    let mut flash = if answer.refused.is_empty() { Flash::good(sentence) } else { Flash::warn(sentence) };
    for (_, name, reason) in &answer.refused {
        let href = Address::new(PATH).with("q", name).to_string();
        flash = flash.item(format!("{name}: {reason}"), Some(href));
    }
    for (id, name) in &answer.already_running {
        flash = flash.item(format!("{name}: already running"), Some(format!("/companies/{id}")));
    }
    for (id, name) in &answer.queued {
        flash = flash.item(name.clone(), Some(format!("/companies/{id}")));
    }
    flash
}

/// What became of the request for one company, with a link to its progress.
pub fn told_one(requested: &Requested, company_id: &CompanyId) -> Flash {
    let progress = Some(format!("/companies/{company_id}"));
    match requested {
        Requested::Queued(_) => Flash::good("1 queued.").item("Show progress", progress),
        Requested::AlreadyActive(id) => Flash::warn(format!("1 already running: job {id}.")).item("Show progress", progress),
    }
}

/// POST: **Link**.
pub async fn link(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let company_id = CompanyId::new(id);
    let flash = match engine::connections::link(&app.engine, visit.organization_id(), &company_id, visit.user_id()).await {
        Ok(_) => Flash::good("Linked. Its first sync is queued.").item("Show progress", Some(format!("/companies/{company_id}"))),
        Err(EngineError::Refused(reason)) => Flash::warn(reason),
        Err(error) => return Err(error.into()),
    };
    Ok(flash.redirect(form.back(PATH)))
}

/// POST: **Link** of the rows that are ticked; each that cannot be linked says why.
pub async fn link_selected(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let ids = selection::chosen(&app, &visit, &form).await?;
    if ids.is_empty() {
        return Ok(nothing_selected("link").redirect(form.back(PATH)));
    }
    let (mut linked, mut refused) = (0, Vec::new());
    for id in &ids {
        match engine::connections::link(&app.engine, visit.organization_id(), id, visit.user_id()).await {
            Ok(Requested::Queued(_)) => linked += 1,
            Ok(Requested::AlreadyActive(_)) => refused.push("One is linked already and syncing.".to_owned()),
            Err(EngineError::Refused(reason)) => refused.push(reason),
            Err(error) => return Err(error.into()),
        }
    }
    selection::forget(&app, &visit).await?;
    let sentence = format!("{} linked, {} not.", figures::count(linked), figures::count(refused.len()));
    let flash = match refused.is_empty() {
        true => Flash::good(format!("{} linked; their first syncs are queued.", counted(linked, "company", "companies"))),
        false => refused.into_iter().fold(Flash::warn(sentence), |flash, reason| flash.item(reason, None)),
    };
    Ok(flash.redirect(form.back(PATH)))
}

/// POST: *Cancel* of a run.
pub async fn cancel(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let asked = engine::sync::cancel(&app.engine, visit.organization_id(), &RunId::new(id)).await?;
    let flash = match asked {
        true => Flash::good("Cancelling. The sync stops after the part it is writing; what was synced is kept."),
        false => Flash::warn("This sync has ended already."),
    };
    Ok(flash.redirect(form.back(PATH)))
}

/// POST: *Pause schedule* of one company.
pub async fn pause(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let paused = engine::schedule::pause(&app.engine, visit.organization_id(), &[CompanyId::new(id)]).await?;
    let flash = match paused {
        0 => Flash::warn("Its schedule was paused already."),
        _ => Flash::good("Schedule paused. It is synced only when somebody chooses Resync; a sync that is going on ends as usual."),
    };
    Ok(flash.redirect(form.back(PATH)))
}

/// POST: *Resume schedule* of one company.
pub async fn resume(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let resumed = engine::schedule::resume(&app.engine, visit.organization_id(), &[CompanyId::new(id)]).await?;
    let flash = match resumed {
        0 => Flash::warn("Its schedule was not paused."),
        _ => Flash::good("Schedule resumed."),
    };
    Ok(flash.redirect(form.back(PATH)))
}

/// POST: *Pause* of the rows that are ticked.
pub async fn pause_selected(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let ids = selection::chosen(&app, &visit, &form).await?;
    if ids.is_empty() {
        return Ok(nothing_selected("pause").redirect(form.back(PATH)));
    }
    let paused = engine::schedule::pause(&app.engine, visit.organization_id(), &ids).await?;
    selection::forget(&app, &visit).await?;
    Ok(Flash::good(counts("paused", paused, ids.len(), "paused before")).redirect(form.back(PATH)))
}

/// POST: *Resume* of the rows that are ticked.
pub async fn resume_selected(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let ids = selection::chosen(&app, &visit, &form).await?;
    if ids.is_empty() {
        return Ok(nothing_selected("resume").redirect(form.back(PATH)));
    }
    let resumed = engine::schedule::resume(&app.engine, visit.organization_id(), &ids).await?;
    selection::forget(&app, &visit).await?;
    Ok(Flash::good(counts("resumed", resumed, ids.len(), "not paused before")).redirect(form.back(PATH)))
}

/// "3 paused, 1 paused before."
fn counts(word: &str, changed: usize, all: usize, otherwise: &str) -> String {
    match all - changed {
        0 => format!("{} {word}.", figures::count(changed)),
        same => format!("{} {word}, {} {otherwise}.", figures::count(changed), figures::count(same)),
    }
}
