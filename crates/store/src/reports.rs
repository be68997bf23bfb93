//! The provider's own reports, as received: what a proof was made against.
use crate::args;
use crate::db::{Conn, Tx};
use crate::error::StoreError;
use crate::raw_records::{Archiver, decompress};
use domain::ids::{CompanyId, RunId};

#[allow(clippy::too_many_arguments)] // one column each
pub async fn put(
    conn: &mut Tx,
    archiver: &mut Archiver,
    company_id: &CompanyId,
    run_id: &RunId,
    report: &str,
    parameters: &str,
    body: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO reports (company_id, report, parameters, run_id, body, read_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (company_id, report, parameters) DO UPDATE SET run_id = excluded.run_id, body = excluded.body, read_at = excluded.read_at",
        args![company_id, report, parameters, run_id, archiver.compress(body), now_ms],
    )
    .await?;
    Ok(())
}

/// A kept report.
pub struct Report {
    pub report: String,
    pub parameters: String,
    pub read_at: i64,
    pub body: String,
}

/// The latest of a report.
pub async fn find_latest(conn: &mut Conn, company_id: &CompanyId, report: &str) -> Result<Option<Report>, StoreError> {
    conn.query_opt(
        "SELECT report, parameters, read_at, body FROM reports WHERE company_id = $1 AND report = $2 ORDER BY read_at DESC, parameters DESC LIMIT 1",
        args![company_id, report],
    )
    .await?
    .map(|row| {
        let body = decompress(&row.bytes(3)?).ok_or_else(|| StoreError::Unreadable(format!("the kept report {report}")))?;
        Ok(Report { report: row.text(0)?, parameters: row.text(1)?, read_at: row.int(2)?, body })
    })
    .transpose()
}
