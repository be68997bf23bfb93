//! Counts per data type, ours beside the provider's, and since when a listing is known to be complete.
use crate::args;
use crate::db::{Conn, Tx};
use crate::error::StoreError;
use domain::data_type::DataType;
use domain::ids::CompanyId;

#[derive(Clone, Debug)]
pub struct Counted {
    pub data_type: DataType,
    /// How many records the same listing gave us, when theirs were counted.
    pub ours: i64,
    pub theirs: Option<i64>,
    pub counted_at: Option<i64>,
    /// Deletions are proven complete as of this instant.
    pub complete_at: Option<i64>,
}

/// Keeps what was counted beside the provider's own count until they are counted together again.
pub async fn put(
    conn: &mut Tx,
    company_id: &CompanyId,
    data_type: DataType,
    ours: i64,
    theirs: Option<i64>,
    complete_at: Option<i64>,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO inventory (company_id, data_type, ours, theirs, counted_at, complete_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (company_id, data_type) DO UPDATE SET ours = CASE WHEN excluded.theirs IS NULL AND inventory.theirs IS NOT NULL THEN inventory.ours ELSE excluded.ours END,
                     theirs = COALESCE(excluded.theirs, inventory.theirs),
                     counted_at = CASE WHEN excluded.theirs IS NULL THEN inventory.counted_at ELSE excluded.counted_at END,
                     complete_at = COALESCE(excluded.complete_at, inventory.complete_at)",
        args![company_id, data_type.as_str(), ours, theirs, now_ms, complete_at],
    )
    .await?;
    Ok(())
}

pub async fn list(conn: &mut Conn, company_id: &CompanyId) -> Result<Vec<Counted>, StoreError> {
    conn.query("SELECT data_type, ours, theirs, counted_at, complete_at FROM inventory WHERE company_id = $1 ORDER BY data_type", args![company_id])
        .await?
        .iter()
        .map(|row| {
            let text = row.text(0)?;
            Ok(Counted {
                data_type: text.parse().map_err(|_| StoreError::Unreadable(format!("data type `{text}`")))?,
                ours: row.int(1)?,
                theirs: row.opt_int(2)?,
                counted_at: row.opt_int(3)?,
                complete_at: row.opt_int(4)?,
            })
        })
        .collect()
}

/// Records of several companies together.
pub async fn sum(conn: &mut Conn, company_ids: &[CompanyId]) -> Result<i64, StoreError> {
    let mut sum = 0;
    for part in company_ids.chunks(500) {
        let marks: Vec<String> = (1..=part.len()).map(|at| format!("${at}")).collect();
        let sql = format!("SELECT CAST(COALESCE(SUM(ours), 0) AS BIGINT) FROM inventory WHERE company_id IN ({})", marks.join(","));
        let rows = conn.query_assembled(sql, part.iter().map(crate::db::Arg::from).collect()).await?;
        sum += rows.first().map_or(Ok(0), |row| row.int(0))?;
    }
    Ok(sum)
}
