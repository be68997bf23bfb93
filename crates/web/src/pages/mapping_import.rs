//! The mapping of a company as a table: out of here, and in again with every mistake named by its line.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::pages::mapping;
use crate::parts::csv;
use crate::parts::figures;
use crate::parts::mapped::{MappedBooks, class_name, natural};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::audit::{Act, Object};
use domain::chart::category;
use domain::ids::CompanyId;
use engine::audit;
use engine::mappings::{Loaded, Wish};
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "pages/mapping_import.html")]
pub struct MappingImportPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub table: String,
    pub errors: Vec<String>,
    pub more: usize,
}

const ERRORS_SHOWN: usize = 50;
const MOST_ROWS: usize = 5_000;
const COLUMNS: [&str; 11] = ["account_id", "code", "name", "class", "type", "category", "path", "source", "confidence", "why", "balance"];

/// GET: every account with its category, as a file.
pub async fn export(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let mut conn = app.engine.store.read().await?;
    let books = MappedBooks::read(&visit, &mut conn, &id).await?;
    drop(conn);
    let mut tx = app.engine.store.begin().await?;
    let object = Object::company(&id, &books.company.name);
    audit::note(&app.engine, &mut tx, visit.organization_id(), Act::Exported, object, "", "Chart of Accounts Mapping").await?;
    tx.commit().await?;
    let mut table = csv::row(COLUMNS);
    for (account_id, account) in &books.loaded.chart.0 {
        let assignment = &books.loaded.mapping.0[account_id];
        let balance = natural(account.class, books.balance(account_id)).to_string();
        table.push_str(&csv::row([
            account_id.as_str(),
            &account.code,
            &account.name,
            class_name(account.class),
            &mapping::provider_type(account),
            assignment.category.key,
            &assignment.category.path(),
            assignment.source.label(),
            &assignment.confidence.to_string(),
            &assignment.reason,
            &balance,
        ]));
    }
    let mut response = table.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let plain: String = books.company.name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(60).collect();
    let disposition = format!("attachment; filename=\"mapping-{}.csv\"", plain.trim_matches('-'));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).expect("letters, digits and dashes fit a header"));
    Ok(response)
}

pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, WebError> {
    page(&app, &visit, &CompanyId::new(id), String::new(), Vec::new()).await
}

async fn page(app: &App, visit: &Visit, id: &CompanyId, table: String, mut errors: Vec<String>) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let company = store::companies::find(&mut conn, visit.organization_id(), id).await?.ok_or(WebError::NotFound)?;
    let shell = visit.shell(&mut conn, Place::Mapping, "Import a mapping").await?;
    drop(conn);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let more = errors.len().saturating_sub(ERRORS_SHOWN);
    errors.truncate(ERRORS_SHOWN);
    visit.page_with(status, &MappingImportPage { shell, id: id.0.clone(), name: company.name, table, errors, more })
}

/// POST: all rows or none.
pub async fn import(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let mut table = String::new();
    for (name, value) in url::form_urlencoded::parse(&form) {
        if name == "table" {
            table = value.into_owned();
        }
    }
    let mut conn = app.engine.store.read().await?;
    store::companies::find(&mut conn, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let loaded = engine::mappings::load(&mut conn, &id).await?;
    drop(conn);
    let rows = match read(&table, &loaded) {
        Ok(rows) => rows,
        Err(errors) => return page(&app, &visit, &id, table, errors).await,
    };
    let lines: BTreeMap<&str, usize> = rows.iter().map(|(line, account, _)| (account.as_str(), *line)).collect();
    let wishes: Vec<(String, Wish)> = rows.iter().map(|(_, account, wish)| (account.clone(), *wish)).collect();
    match engine::mappings::import(&app.engine, visit.organization_id(), &id, &wishes, visit.user_id()).await? {
        Err(refusals) => {
            let line = |account: &str| lines.get(account).copied().unwrap_or_default();
            let errors = refusals.iter().map(|refusal| format!("Line {}: {}.", line(&refusal.account_id), refusal.sentence)).collect();
            page(&app, &visit, &id, table, errors).await
        }
        Ok(decided) => {
            let text = match decided.changed {
                0 => "Every account lies where the table says already: nothing had to change.".to_owned(),
                changed => format!("{} moved as the table says. Statements follow at once.", figures::counted(changed, "account", "accounts")),
            };
            Ok(Flash::good(text).redirect(&mapping::path(&id)))
        }
    }
}

/// Line, account and wish of every row that changes something; or everything that is wrong.
fn read(table: &str, loaded: &Loaded) -> Result<Vec<(usize, String, Wish)>, Vec<String>> {
    let rows = csv::parse(table).map_err(|(line, what)| vec![format!("Line {line}: {what}.")])?;
    let Some(((_, head), rows)) = rows.split_first() else {
        return Err(vec!["The table is empty. Paste a table with a first line of column names, such as the one that Export CSV gives.".to_owned()]);
    };
    if rows.len() > MOST_ROWS {
        return Err(vec![format!("The table has {} rows; at most {MOST_ROWS} are taken at once.", rows.len())]);
    }
    let place = |name: &str| head.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
    let by = [place("account_id"), place("code"), place("name")];
    let Some(category_at) = place("category") else {
        return Err(vec!["Line 1: there is no column “category”; name one so and give keys, paths or names of categories in it.".to_owned()]);
    };
    if by.iter().all(Option::is_none) {
        return Err(vec!["Line 1: there is no column “account_id”, “code” or “name” to find the accounts by.".to_owned()]);
    }
    let (mut wishes, mut errors, mut seen) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (line, cells) in rows {
        let cell =
            |at: Option<usize>| at.and_then(|at| cells.get(at)).map(|cell| cell.trim().trim_start_matches('\'')).filter(|cell| !cell.is_empty());
        let Some(words) = cell(Some(category_at)) else { continue };
        let account = match find(loaded, by.map(cell)) {
            Ok(account) => account,
            Err(sentence) => {
                errors.push(format!("Line {line}: {sentence}."));
                continue;
            }
        };
        if let Some(earlier) = seen.insert(account.clone(), *line) {
            errors.push(format!("Line {line}: line {earlier} is about the same account; keep one of them."));
            continue;
        }
        match category::find_by_words(words) {
            // where it lies already, nothing is decided
            Some(category) if loaded.mapping.0[&account].category == category => {}
            Some(category) if category.is_unmapped() => {
                errors.push(format!("Line {line}: an account is not put into “{}” by hand; leave the cell empty.", category.name))
            }
            Some(category) => wishes.push((*line, account, Wish::Set(category))),
            None => errors.push(format!(
                "Line {line}: “{words}” is no category of the standard chart; use a key such as “rent”, or a name or path from Export CSV."
            )),
        }
    }
    if errors.is_empty() { Ok(wishes) } else { Err(errors) }
}

fn find(loaded: &Loaded, [id, code, name]: [Option<&str>; 3]) -> Result<String, String> {
    if let Some(id) = id {
        return loaded.chart.0.contains_key(id).then(|| id.to_owned()).ok_or_else(|| format!("there is no account with the id “{id}”"));
    }
    let (what, word) = match (code, name) {
        (Some(code), _) => ("code", code),
        (None, Some(name)) => ("name", name),
        (None, None) => return Err("no account is named: account_id, code and name are all empty".to_owned()),
    };
    let mut fitting = loaded.chart.0.values().filter(|account| if what == "code" { account.code == word } else { account.name == word });
    match (fitting.next(), fitting.next()) {
        (Some(account), None) => Ok(account.remote_id.clone()),
        (None, _) => Err(format!("there is no account with the {what} “{word}”")),
        (Some(_), Some(_)) => Err(format!("several accounts have the {what} “{word}”; use account_id")),
    }
}
