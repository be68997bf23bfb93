//! Runs as a history: pages by keyset, newest first, and the stories of the runs of a page in one statement.
use crate::args;
use crate::columns::word;
use crate::db::{Arg, Conn};
use crate::error::StoreError;
use crate::runs::{self, Run};
use domain::ids::{CompanyId, OrganizationId, RunId};
use domain::log::{LogStatus, LogType};

/// Which runs a page is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub company_id: Option<CompanyId>,
    /// `succeeded`, `failed`, `cancelled`, or `active` for those that have not ended.
    pub state: Option<String>,
}

/// Where a page begins: ids of runs grow with time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    Newest,
    OlderThan(RunId),
    NewerThan(RunId),
    /// With this one first: a page that is looked at stays where it is while runs begin.
    From(RunId),
}

#[derive(Clone, Debug)]
pub struct Page {
    pub runs: Vec<Run>,
    pub has_older: bool,
    pub has_newer: bool,
}

pub async fn list_page(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, start: &Start, size: i64) -> Result<Page, StoreError> {
    let mut args = args![organization_id];
    let mut sql = "organization_id = $1".to_owned();
    let mut bind = |fragment: &str, value: Arg| {
        args.push(value);
        sql.push_str(&format!(" AND {fragment} ${}", args.len()));
    };
    if let Some(company_id) = &filter.company_id {
        bind("company_id =", Arg::from(company_id));
    }
    match filter.state.as_deref() {
        Some("active") => bind("state IN ('queued', 'running') AND id >", Arg::from("")),
        Some(state) => bind("state =", Arg::from(state)),
        None => {}
    }
    let order = match start {
        Start::Newest => "DESC",
        Start::OlderThan(id) => {
            bind("id <", Arg::from(id));
            "DESC"
        }
        Start::From(id) => {
            bind("id <=", Arg::from(id));
            "DESC"
        }
        Start::NewerThan(id) => {
            bind("id >", Arg::from(id));
            "ASC"
        }
    };
    args.push(Arg::from(size + 1));
    let mut runs = runs::list_assembled(conn, &format!("WHERE {sql} ORDER BY id {order} LIMIT ${}", args.len()), args).await?;
    let more = runs.len() as i64 > size;
    runs.truncate(size as usize);
    let (has_older, has_newer) = match start {
        Start::Newest => (more, false),
        Start::OlderThan(_) | Start::From(_) => (more, true),
        Start::NewerThan(_) => {
            runs.reverse();
            (true, more)
        }
    };
    Ok(Page { runs, has_older, has_newer })
}

/// How many runs of a filter have begun since one of them, counted up to `cap`.
pub async fn count_newer(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, id: &RunId, cap: i64) -> Result<i64, StoreError> {
    let page = list_page(conn, organization_id, filter, &Start::NewerThan(id.clone()), cap).await?;
    Ok(page.runs.len() as i64)
}

/// One line of a run's story.
#[derive(Clone, Debug)]
pub struct Line {
    pub run_id: RunId,
    pub entry_id: i64,
    pub log_type: LogType,
    pub status: LogStatus,
    pub message: String,
    pub logged_at: i64,
}

/// The log entries of these runs in their order, at most `limit` of all together.
pub async fn list_stories(conn: &mut Conn, run_ids: &[RunId], limit: i64) -> Result<Vec<Line>, StoreError> {
    if run_ids.is_empty() {
        return Ok(Vec::new());
    }
    let marks: Vec<String> = (0..run_ids.len()).map(|at| format!("${}", at + 2)).collect();
    let sql = format!(
        "SELECT run_id, id, log_type, status, message, logged_at FROM log_entries WHERE run_id IN ({}) ORDER BY run_id DESC, id LIMIT $1",
        marks.join(",")
    );
    let mut values = args![limit];
    values.extend(run_ids.iter().map(Arg::from));
    conn.query_assembled(sql, values)
        .await?
        .iter()
        .map(|row| {
            Ok(Line {
                run_id: RunId(row.text(0)?),
                entry_id: row.int(1)?,
                log_type: word(row, 2, LogType::parse)?,
                status: word(row, 3, LogStatus::parse)?,
                message: row.text(4)?,
                logged_at: row.int(5)?,
            })
        })
        .collect()
}
