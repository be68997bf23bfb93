//! What stands around every page: active runs with their companies, and connections that need a person; and a pulse that moves when any of it does.
use crate::args;
use crate::columns::word;
use crate::companies::{self, Company};
use crate::db::Conn;
use crate::error::StoreError;
use crate::readers::Reader;
use domain::ids::{CompanyId, OrganizationId, UserId};
use domain::sync::RunState;

/// The job indicator and the badge of the navigation.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Causes that stop somebody: what the badge of **Integrations** counts.
    pub open_incidents: i64,
    pub job_count: i64,
    /// How many of them wait for a provider.
    pub waiting_count: i64,
    /// The companies of the first of them, running ones before queued ones.
    pub jobs: Vec<Company>,
    /// The runs that ended last, latest first.
    pub finished: Vec<FinishedRun>,
}

#[derive(Clone, Debug)]
pub struct FinishedRun {
    pub company_id: CompanyId,
    pub company_name: String,
    pub state: RunState,
    pub progress: String,
    pub finished_at: i64,
}

const JOBS: i64 = 8;
const FINISHED: i64 = 5;

/// What one reader sees: a Member the runs of assigned companies, and nothing of accounts.
pub async fn read(conn: &mut Conn, organization_id: &OrganizationId, reader: &Reader, now_ms: i64) -> Result<Frame, StoreError> {
    let counts = conn
        .query_one(
            "SELECT (SELECT COUNT(*) FROM incidents WHERE organization_id = $1 AND closed_at IS NULL AND CAST($2 AS TEXT) IS NULL),
                    COUNT(*),
                    CAST(COALESCE(SUM(CASE WHEN waiting_since IS NOT NULL
                                            AND CASE WHEN state = 'queued' THEN run_after ELSE COALESCE(waiting_until, 0) END > $3 THEN 1 ELSE 0 END), 0) AS BIGINT)
             FROM runs WHERE organization_id = $1 AND state IN ('queued', 'running')
               AND (CAST($2 AS TEXT) IS NULL OR company_id IN (SELECT company_id FROM company_readers WHERE user_id = $2))",
            vec![organization_id.into(), reader.arg(), now_ms.into()],
        )
        .await?;
    let (open_incidents, job_count, waiting_count) = (counts.int(0)?, counts.int(1)?, counts.int(2)?);
    let jobs = match job_count {
        0 => Vec::new(),
        _ => companies::list_active(conn, organization_id, reader, JOBS).await?,
    };
    let finished = conn
        .query(
            "SELECT companies.id, companies.name, runs.state, runs.progress, runs.finished_at
             FROM runs JOIN companies ON companies.id = runs.company_id
             WHERE runs.organization_id = $1 AND runs.finished_at IS NOT NULL
               AND (CAST($3 AS TEXT) IS NULL OR runs.company_id IN (SELECT company_id FROM company_readers WHERE user_id = $3))
             ORDER BY runs.finished_at DESC, runs.id DESC LIMIT $2",
            vec![organization_id.into(), FINISHED.into(), reader.arg()],
        )
        .await?
        .iter()
        .map(|row| {
            Ok(FinishedRun {
                company_id: CompanyId(row.text(0)?),
                company_name: row.text(1)?,
                state: word(row, 2, RunState::parse)?,
                progress: row.text(3)?,
                finished_at: row.int(4)?,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Frame { open_incidents, job_count, waiting_count, jobs, finished })
}

pub async fn count_incidents(conn: &mut Conn, organization_id: &OrganizationId) -> Result<i64, StoreError> {
    conn.query_one("SELECT COUNT(*) FROM incidents WHERE organization_id = $1 AND closed_at IS NULL", args![organization_id]).await?.int(0)
}

/// A text that changes when something a page shows has changed: runs and their progress, the log, links, connections.
pub async fn pulse(conn: &mut Conn, organization_id: &OrganizationId, reader: &Reader) -> Result<String, StoreError> {
    if let Reader::Assigned(user_id) = reader {
        return pulse_of_member(conn, organization_id, user_id).await;
    }
    let row = conn
        .query_one(
            "SELECT (SELECT COUNT(*) FROM runs WHERE organization_id = $1 AND state IN ('queued', 'running')),
                    (SELECT CAST(COALESCE(SUM(calls + bytes + lease_epoch + COALESCE(waiting_until, 0) + COALESCE(cancel_requested_at, 0)), 0) AS BIGINT) FROM runs
                     WHERE organization_id = $1 AND state IN ('queued', 'running')),
                    (SELECT COALESCE(MAX(id), 0) FROM log_entries WHERE organization_id = $1),
                    (SELECT CAST(COALESCE(SUM(COALESCE(linked_at, 0) + COALESCE(paused_at, 0) + COALESCE(marked_at, 0)), 0) AS BIGINT) FROM companies
                     WHERE organization_id = $1),
                    (SELECT CAST(COALESCE(SUM(connected_at + COALESCE(invalid_since, 0) + COALESCE(disconnected_at, 0)), 0) AS BIGINT) FROM connections
                     WHERE organization_id = $1)",
            args![organization_id],
        )
        .await?;
    Ok(format!("{}.{}.{}.{}.{}", row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?, row.int(4)?))
}

/// The same of what a Member sees: assigned companies and their runs.
async fn pulse_of_member(conn: &mut Conn, organization_id: &OrganizationId, user_id: &UserId) -> Result<String, StoreError> {
    let row = conn
        .query_one(
            "SELECT (SELECT COUNT(*) FROM runs WHERE organization_id = $1 AND state IN ('queued', 'running')
                       AND company_id IN (SELECT company_id FROM company_readers WHERE user_id = $2)),
                    (SELECT CAST(COALESCE(SUM(calls + bytes + lease_epoch), 0) AS BIGINT) FROM runs
                     WHERE organization_id = $1 AND state IN ('queued', 'running')
                       AND company_id IN (SELECT company_id FROM company_readers WHERE user_id = $2)),
                    (SELECT CAST(COALESCE(SUM(COALESCE(linked_at, 0) + COALESCE(paused_at, 0) + COALESCE(marked_at, 0) + COALESCE(last_success_at, 0)), 0) AS BIGINT)
                     FROM companies WHERE organization_id = $1 AND id IN (SELECT company_id FROM company_readers WHERE user_id = $2)),
                    (SELECT CAST(COALESCE(SUM(added_at), 0) AS BIGINT) FROM company_readers WHERE organization_id = $1 AND user_id = $2)",
            args![organization_id, user_id],
        )
        .await?;
    Ok(format!("{}.{}.{}.{}", row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?))
}
