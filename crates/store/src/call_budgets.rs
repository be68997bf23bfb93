//! Calls and bytes per company and day: what a provider's daily limit is counted against.
use crate::args;
use crate::db::{Conn, Tx};
use crate::error::StoreError;
use domain::ids::CompanyId;

pub async fn add(conn: &mut Tx, company_id: &CompanyId, day: &str, calls: i64, bytes: i64) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO call_budgets (company_id, day, calls, bytes) VALUES ($1, $2, $3, $4)
         ON CONFLICT (company_id, day) DO UPDATE SET calls = call_budgets.calls + excluded.calls, bytes = call_budgets.bytes + excluded.bytes",
        args![company_id, day, calls, bytes],
    )
    .await?;
    Ok(())
}

/// Calls made for a company on a day.
pub async fn calls_on(conn: &mut Conn, company_id: &CompanyId, day: &str) -> Result<i64, StoreError> {
    match conn.query_opt("SELECT calls FROM call_budgets WHERE company_id = $1 AND day = $2", args![company_id, day]).await? {
        Some(row) => row.int(0),
        None => Ok(0),
    }
}
