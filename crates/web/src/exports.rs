//! Files of the log: CSV and JSON lines of everything a view finds, streamed page by page, so that a million entries take no more memory than
//! a thousand. No connection is held while a slow reader takes its time.
use crate::app::App;
use crate::error::WebError;
use crate::pages::log_table;
use crate::parts::address::Asked;
use crate::parts::provider;
use crate::visit::Visit;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::audit::{Act, Object};
use domain::clock::instant;
use domain::ids::{CompanyId, OrganizationId, RunId};
use domain::log::LogBody;
use engine::audit;
use futures::stream;
use serde_json::json;
use std::future::Future;
use store::log_entries::{self, Filter, LogEntry, Place};
use store::{Conn, StoreError};

/// Entries read at once.
const PAGE: i64 = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    JsonLines,
}

impl Format {
    pub fn of(asked: &Asked) -> Result<Format, WebError> {
        match asked.get("format") {
            "csv" | "" => Ok(Format::Csv),
            "jsonl" => Ok(Format::JsonLines),
            other => Err(WebError::Unreadable(format!("The format \u{201c}{other}\u{201d} is not known; use csv or jsonl"))),
        }
    }
}

/// Where the entries of a file come from, and how one is written.
pub trait Source: Send + Sized + 'static {
    type Entry: Send;
    /// `tieout-NAME-2026-01-31.csv`
    const NAME: &'static str;
    const HEAD: &'static [&'static str];
    fn csv(entry: &Self::Entry) -> String;
    fn json_line(entry: &Self::Entry) -> String;
    /// The next entries, in the order of the file. Not asked again once it has ended.
    fn next(&mut self, conn: &mut Conn) -> impl Future<Output = Result<Vec<Self::Entry>, StoreError>> + Send;
    fn has_ended(&self) -> bool;
}

/// The answer: a file that is written as it is read.
pub fn file<S: Source>(app: App, visit: &Visit, format: Format, source: S) -> Response {
    let (ending, content_type) = match format {
        Format::Csv => ("csv", "text/csv; charset=utf-8"),
        Format::JsonLines => ("jsonl", "application/jsonl; charset=utf-8"),
    };
    let day = visit.now.to_zoned(visit.zone.clone()).date();
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"tieout-{}-{day}.{ending}\"", S::NAME)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let start = Parts { app, format, source, begun: false };
    (headers, Body::from_stream(stream::try_unfold(start, Parts::next))).into_response()
}

struct Parts<S> {
    app: App,
    format: Format,
    source: S,
    begun: bool,
}

impl<S: Source> Parts<S> {
    /// The next part of the file. A reader that goes away drops it, and nothing more is read.
    async fn next(mut self) -> Result<Option<(Bytes, Parts<S>)>, StoreError> {
        if self.source.has_ended() {
            return Ok(None);
        }
        let mut conn = self.app.engine.store.read().await?;
        let entries = self.source.next(&mut conn).await.inspect_err(|error| {
            // the answer has begun: all that can be done is to break it off, so that nobody takes half a file for the whole
            tracing::error!(%error, file = S::NAME, "an export broke off");
        })?;
        drop(conn);
        let mut text = String::new();
        if !self.begun && self.format == Format::Csv {
            text.push_str(&csv_line(&S::HEAD.iter().map(|&word| word.to_owned()).collect::<Vec<String>>()));
        }
        self.begun = true;
        let write = match self.format {
            Format::Csv => S::csv,
            Format::JsonLines => S::json_line,
        };
        entries.iter().for_each(|entry| text.push_str(&write(entry)));
        Ok(Some((Bytes::from(text), self)))
    }
}

/// GET /integrations/logs/all/export
pub async fn log_of_all(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    log(&app, &visit, &asked, None).await
}

/// GET /integrations/logs/companies/{id}/export
pub async fn log_of_company(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    log(&app, &visit, &asked, Some(CompanyId::new(id))).await
}

async fn log(app: &App, visit: &Visit, asked: &Asked, company_id: Option<CompanyId>) -> Result<Response, WebError> {
    let format = Format::of(asked)?;
    let organization_id = visit.organization_id().clone();
    let mut conn = app.engine.store.read().await?;
    let last_success_at = match &company_id {
        Some(id) => store::companies::find(&mut conn, &organization_id, id).await?.ok_or(WebError::NotFound)?.last_success_at,
        None => None,
    };
    let run_id = Some(asked.get("run")).filter(|id| !id.is_empty()).map(RunId::new);
    let (filter, typed) = log_table::filter(asked, company_id, last_success_at, run_id, &visit.zone);
    if let Some(error) = typed.date_error {
        return Err(WebError::Unreadable(error.trim_end_matches('.').to_owned()));
    }
    // what arrives while the file is written is not in it
    let newest = log_entries::newest_id(&mut conn, &organization_id).await?;
    drop(conn);
    note(app, &organization_id, "Integration log", asked).await?;
    let source = LogSource { organization_id, filter, place: Some(Place::OlderThan(newest + 1)) };
    Ok(file(app.clone(), visit, format, source))
}

/// Notes an export with its filters, before the first line of it leaves.
pub async fn note(app: &App, organization_id: &OrganizationId, name: &str, asked: &Asked) -> Result<(), WebError> {
    let mut tx = app.engine.store.begin().await?;
    audit::note(&app.engine, &mut tx, organization_id, Act::Exported, Object::log(name), "", &asked.shown()).await?;
    tx.commit().await?;
    Ok(())
}

struct LogSource {
    organization_id: OrganizationId,
    filter: Filter,
    /// `None`: everything was read.
    place: Option<Place>,
}

impl Source for LogSource {
    type Entry = LogEntry;
    const NAME: &'static str = "log";
    const HEAD: &'static [&'static str] = &HEAD;
    fn csv(entry: &LogEntry) -> String {
        csv(entry)
    }
    fn json_line(entry: &LogEntry) -> String {
        json_line(entry)
    }
    async fn next(&mut self, conn: &mut Conn) -> Result<Vec<LogEntry>, StoreError> {
        let Some(place) = self.place.take() else { return Ok(Vec::new()) };
        let page = log_entries::list_page(conn, &self.organization_id, &self.filter, place, PAGE).await?;
        // a search that stops before its page is full says up to where it has looked
        let last_id = page.entries.last().map(|last| last.id);
        let looked_to = page.searched_to.filter(|_| (page.entries.len() as i64) < PAGE).or(last_id);
        self.place = looked_to.filter(|_| page.has_older).map(Place::OlderThan);
        Ok(page.entries)
    }
    fn has_ended(&self) -> bool {
        self.place.is_none()
    }
}

const HEAD: [&str; 14] = [
    "Date",
    "Accounting Software",
    "Company",
    "External Account",
    "Log Type",
    "Message",
    "Status",
    "Run",
    "Entry",
    "Cause",
    "What to do",
    "Endpoint",
    "HTTP status",
    "Provider request id",
];

fn body(entry: &LogEntry) -> Option<LogBody> {
    entry.body.as_deref().and_then(|text| serde_json::from_str(text).ok())
}

fn csv(entry: &LogEntry) -> String {
    let body = body(entry);
    let of = |value: fn(&LogBody) -> Option<String>| body.as_ref().and_then(value).unwrap_or_default();
    csv_line(&[
        instant(entry.logged_at),
        provider::name(&entry.provider).to_owned(),
        entry.company_name.clone(),
        entry.account_name.clone(),
        entry.log_type.label().to_owned(),
        entry.message.clone(),
        entry.status.label().to_owned(),
        entry.run_id.as_ref().map(|id| id.0.clone()).unwrap_or_default(),
        entry.id.to_string(),
        of(|body| Some(body.cause.clone())),
        of(|body| Some(body.what_to_do.clone())),
        of(|body| body.endpoint.clone()),
        of(|body| body.http_status.map(|status| status.to_string())),
        of(|body| body.provider_request_id.clone()),
    ])
}

/// One line (RFC 4180). A name that a spreadsheet would take for a formula is marked as text (OWASP, CSV Injection).
pub fn csv_line(cells: &[String]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        let cell = visible(cell);
        let is_formula = cell.starts_with(['=', '+', '-', '@']);
        if is_formula || cell.contains([',', '"', '\'']) {
            line.push('"');
            if is_formula {
                line.push('\'');
            }
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(&cell);
        }
    }
    line.push_str("\r\n");
    line
}

/// The same for a line of JSON, in which such marks stand inside of texts only: it is the same JSON.
pub fn escape_hidden(json: &str) -> String {
    visible(json)
}

/// Controls, line breaks and marks that turn the reading direction are written out: one entry is one line, and reads as it is.
fn visible(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().flat_map(|c| if is_hidden(c) { format!("\\u{:04x}", c as u32).chars().collect::<Vec<_>>() } else { vec![c] }).collect()
}

fn json_line(entry: &LogEntry) -> String {
    let shown = |text: &str| visible(text);
    let line = json!({
        "id": entry.id.to_string(),
        "date": instant(entry.logged_at),
        "accounting_software": entry.provider,
        "company": shown(&entry.company_name),
        "company_id": entry.company_id.as_ref().map(|id| &id.0),
        "external_account": shown(&entry.account_name),
        "log_type": entry.log_type.as_str(),
        "message": shown(&entry.message),
        "status": entry.status.as_str(),
        "run_id": entry.run_id.as_ref().map(|id| &id.0),
        "body": body(entry),
    });
    format!("{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_cell_on_one_line_and_no_formula() {
        let line =
            csv_line(&["=HYPERLINK(\"x\")".to_owned(), "a, \"b\"".to_owned(), "line\r\nbreak \u{202e}fdp\u{1b}[31m".to_owned(), "O'Hara".to_owned()]);
        assert_eq!(line, "\"'=HYPERLINK(\"\"x\"\")\",\"a, \"\"b\"\"\",line\\u000d\\u000abreak \\u202efdp\\u001b[31m,\"O'Hara\"\r\n");
        assert_eq!(line.matches('\n').count(), 1);
    }
}
