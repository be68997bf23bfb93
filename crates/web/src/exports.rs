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
use domain::ids::{CompanyId, OrganizationId, RunId};
use domain::log::LogBody;
use futures::stream;
use jiff::Timestamp;
use serde_json::json;
use store::log_entries::{self, Filter, LogEntry, Place};

/// Entries read at once.
const PAGE: i64 = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
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
    let format = match asked.get("format") {
        "csv" | "" => Format::Csv,
        "jsonl" => Format::JsonLines,
        other => return Err(WebError::Unreadable(format!("The format \u{201c}{other}\u{201d} is not known; use csv or jsonl"))),
    };
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
    let start = Export { app: app.clone(), organization_id, filter, format, place: Place::OlderThan(newest + 1), begun: false, ended: false };
    let day = visit.now.to_zoned(visit.zone.clone()).date();
    let (ending, content_type) = match format {
        Format::Csv => ("csv", "text/csv; charset=utf-8"),
        Format::JsonLines => ("jsonl", "application/jsonl; charset=utf-8"),
    };
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"tieout-log-{day}.{ending}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(stream::try_unfold(start, Export::next))).into_response())
}

struct Export {
    app: App,
    organization_id: OrganizationId,
    filter: Filter,
    format: Format,
    place: Place,
    begun: bool,
    ended: bool,
}

impl Export {
    /// The next part of the file. A reader that goes away drops it, and nothing more is read.
    async fn next(mut self) -> Result<Option<(Bytes, Export)>, store::StoreError> {
        if self.ended {
            return Ok(None);
        }
        let mut conn = self.app.engine.store.read().await?;
        let page = log_entries::list_page(&mut conn, &self.organization_id, &self.filter, self.place, PAGE).await.inspect_err(|error| {
            // the answer has begun: all that can be done is to break it off, so that nobody takes half a file for the whole
            tracing::error!(%error, "an export of the log broke off");
        })?;
        drop(conn);
        let mut text = String::new();
        if !self.begun && self.format == Format::Csv {
            text.push_str(&csv_line(&HEAD.map(str::to_owned)));
        }
        self.begun = true;
        for entry in &page.entries {
            match self.format {
                Format::Csv => text.push_str(&csv(entry)),
                Format::JsonLines => text.push_str(&json_line(entry)),
            }
        }
        // a search that stops before its page is full says up to where it has looked
        let last_id = page.entries.last().map(|last| last.id);
        match page.searched_to.filter(|_| (page.entries.len() as i64) < PAGE).or(last_id) {
            Some(id) if page.has_older => self.place = Place::OlderThan(id),
            _ => self.ended = true,
        }
        Ok(Some((Bytes::from(text), self)))
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

fn instant(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
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
fn csv_line<const N: usize>(cells: &[String; N]) -> String {
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
