//! What stands around every page: active runs with their companies, and connections that need a person; and a pulse that moves when any of it does.
use crate::args;
use crate::db::Conn;
use crate::error::StoreError;
use crate::readers::Reader;
use domain::ids::{CompanyId, OrganizationId, UserId};

/// The job indicator and the badge of the navigation.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    pub invalid_connections: i64,
    pub job_count: i64,
    /// The first of them, running ones before queued ones.
    pub jobs: Vec<FrameJob>,
}

#[derive(Clone, Debug)]
pub struct FrameJob {
    pub company_id: CompanyId,
    pub company_name: String,
    pub running: bool,
    pub step: String,
    pub run_after: i64,
    pub waiting_for: Option<String>,
}

const JOBS: i64 = 8;

/// What one reader sees: a Member the runs of assigned companies, and nothing of accounts.
pub async fn read(conn: &mut Conn, organization_id: &OrganizationId, reader: &Reader) -> Result<Frame, StoreError> {
    let counts = conn
        .query_one(
            "SELECT (SELECT COUNT(*) FROM connections WHERE organization_id = $1 AND state = 'invalid' AND disconnected_at IS NULL
                       AND CAST($2 AS TEXT) IS NULL),
                    (SELECT COUNT(*) FROM runs WHERE organization_id = $1 AND state IN ('queued', 'running')
                       AND (CAST($2 AS TEXT) IS NULL OR company_id IN (SELECT company_id FROM company_readers WHERE user_id = $2)))",
            vec![organization_id.into(), reader.arg()],
        )
        .await?;
    let (invalid_connections, job_count) = (counts.int(0)?, counts.int(1)?);
    if job_count == 0 {
        return Ok(Frame { invalid_connections, job_count, jobs: Vec::new() });
    }
    let jobs = conn
        .query(
            "SELECT companies.id, companies.name, runs.state, runs.step, runs.run_after, runs.waiting_for
             FROM runs JOIN companies ON companies.id = runs.company_id
             WHERE runs.organization_id = $1 AND runs.state IN ('queued', 'running')
               AND (CAST($3 AS TEXT) IS NULL OR runs.company_id IN (SELECT company_id FROM company_readers WHERE user_id = $3))
             ORDER BY runs.state DESC, runs.id LIMIT $2",
            vec![organization_id.into(), JOBS.into(), reader.arg()],
        )
        .await?
        .iter()
        .map(|row| {
            Ok(FrameJob {
                company_id: CompanyId(row.text(0)?),
                company_name: row.text(1)?,
                running: row.text(2)? == "running",
                step: row.text(3)?,
                run_after: row.int(4)?,
                waiting_for: row.opt_text(5)?,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Frame { invalid_connections, job_count, jobs })
}

/// A text that changes when something a page shows has changed: runs and their progress, the log, links, connections.
pub async fn pulse(conn: &mut Conn, organization_id: &OrganizationId, reader: &Reader) -> Result<String, StoreError> {
    if let Reader::Assigned(user_id) = reader {
        return pulse_of_member(conn, organization_id, user_id).await;
    }
    let row = conn
        .query_one(
            "SELECT (SELECT COUNT(*) FROM runs WHERE organization_id = $1 AND state IN ('queued', 'running')),
                    (SELECT CAST(COALESCE(SUM(calls + bytes + lease_epoch), 0) AS BIGINT) FROM runs
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
