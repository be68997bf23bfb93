//! Records and ledger entries that could not be read: kept whole, listed, and released when they read well again.
use crate::args;
use crate::db::{Arg, Conn, Tx};
use crate::error::StoreError;
use domain::ids::CompanyId;

#[derive(Clone, Debug)]
pub struct Quarantined {
    /// A data type, or `Ledger`.
    pub data_type: String,
    pub remote_id: String,
    pub reason: String,
    pub noticed_at: i64,
}

pub async fn insert(conn: &mut Tx, company_id: &CompanyId, items: &[(&str, &str, &str, Vec<u8>)], now_ms: i64) -> Result<(), StoreError> {
    let mut values = Vec::with_capacity(items.len() * 6);
    for (data_type, remote_id, reason, body) in items {
        values.extend([
            Arg::from(company_id),
            Arg::from(*data_type),
            Arg::from(*remote_id),
            Arg::from(*reason),
            Arg::from(body.clone()),
            Arg::from(now_ms),
        ]);
    }
    conn.insert_rows(
        "INSERT INTO quarantine (company_id, data_type, remote_id, reason, body, noticed_at)",
        6,
        values,
        "ON CONFLICT (company_id, data_type, remote_id) DO UPDATE SET reason = excluded.reason, body = excluded.body",
    )
    .await?;
    Ok(())
}

/// Releases records that were read well.
pub async fn release(conn: &mut Tx, company_id: &CompanyId, data_type: &str, ids: &[&str]) -> Result<(), StoreError> {
    for part in ids.chunks(500) {
        let marks: Vec<String> = (0..part.len()).map(|at| format!("${}", at + 3)).collect();
        let sql =
            format!("DELETE FROM quarantine WHERE company_id = $1 AND data_type = $2 AND remote_id IN ({}) RETURNING remote_id", marks.join(","));
        let mut values = args![company_id, data_type];
        values.extend(part.iter().map(|id| Arg::from(*id)));
        conn.query_assembled(sql, values).await?;
    }
    Ok(())
}

/// Releases the ledger entries of one piece before it is read again.
pub async fn release_ledger_piece(conn: &mut Tx, company_id: &CompanyId, piece: &str) -> Result<(), StoreError> {
    conn.execute(
        "DELETE FROM quarantine WHERE company_id = $1 AND data_type = 'Ledger' AND remote_id LIKE $2",
        args![company_id, format!("{piece}:%")],
    )
    .await?;
    Ok(())
}

pub async fn list(conn: &mut Conn, company_id: &CompanyId, limit: i64) -> Result<Vec<Quarantined>, StoreError> {
    conn.query(
        "SELECT data_type, remote_id, reason, noticed_at FROM quarantine WHERE company_id = $1 ORDER BY data_type, remote_id LIMIT $2",
        args![company_id, limit],
    )
    .await?
    .iter()
    .map(|row| Ok(Quarantined { data_type: row.text(0)?, remote_id: row.text(1)?, reason: row.text(2)?, noticed_at: row.int(3)? }))
    .collect()
}

pub async fn count(conn: &mut Conn, company_id: &CompanyId) -> Result<i64, StoreError> {
    conn.query_one("SELECT COUNT(*) FROM quarantine WHERE company_id = $1", args![company_id]).await?.int(0)
}
