//! A support bundle: shown whole before it is downloaded, so that whoever sends it knows what is sent.
use crate::app::App;
use crate::error::WebError;
use crate::pages::log_table::ALL;
use crate::parts::address::Asked;
use crate::parts::figures::{counted, size};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::audit::{Act, Object};
use domain::ids::RunId;
use engine::audit;
use engine::support_bundle::{self, Bundle, Subject};

#[derive(Template)]
#[template(path = "pages/support_bundle.html")]
pub struct SupportBundlePage {
    pub shell: Shell,
    /// "run 0197…"
    pub of: String,
    pub back: String,
    pub href: String,
    pub name: String,
    pub size: String,
    /// "12 names of the company".
    pub hidden: Vec<String>,
    pub text: String,
}

/// GET /integrations/runs/{id}/bundle
pub async fn show_run(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let subject = Subject::Run(RunId::new(id.clone()));
    show(&app, &visit, subject, format!("run {id}"), format!("/integrations/runs/{id}/bundle"), &asked).await
}

/// GET /integrations/logs/entries/{id}/bundle
pub async fn show_entry(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let entry = id.parse().map_err(|_| WebError::NotFound)?;
    show(&app, &visit, Subject::Entry(entry), format!("log entry {id}"), format!("/integrations/logs/entries/{id}/bundle"), &asked).await
}

async fn show(app: &App, visit: &Visit, subject: Subject, of: String, path: String, asked: &Asked) -> Result<Response, WebError> {
    let bundle = support_bundle::make(&app.engine, visit.organization_id(), &subject).await?;
    let name = format!("tieout-{}.json", of.replace(' ', "-"));
    if asked.get("as") == "file" {
        return send(app, visit, &of, name, bundle).await;
    }
    let back = match &subject {
        Subject::Entry(id) => format!("/integrations/logs/entries/{id}"),
        Subject::Run(id) => format!("{ALL}?run={id}"),
    };
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::Logs, "Support bundle").await?;
    visit.page(&SupportBundlePage {
        shell,
        of,
        back,
        href: format!("{path}?as=file"),
        name,
        size: size(i64::try_from(bundle.text.len()).unwrap_or(i64::MAX)),
        hidden: bundle.hidden.iter().map(|(mark, times)| format!("{mark}, {}", counted(*times, "time", "times"))).collect(),
        text: bundle.text,
    })
}

/// The file. That it left is in the audit log before it leaves.
async fn send(app: &App, visit: &Visit, of: &str, name: String, bundle: Bundle) -> Result<Response, WebError> {
    let mut tx = app.engine.store.begin().await?;
    audit::note(&app.engine, &mut tx, visit.organization_id(), Act::Exported, Object::log("Support bundle"), "", of).await?;
    tx.commit().await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bundle.text).into_response())
}
