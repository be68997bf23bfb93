//! Calls and bytes per company and day: what a provider's daily limit is counted against.
use crate::args;
use crate::db::{Conn, Tx};
use crate::error::StoreError;
use domain::ids::{CompanyId, OrganizationId};

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

/// The company of an organization at a provider that made the most calls on a day: its id, its name, its calls.
pub async fn busiest_on(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    provider: &str,
    day: &str,
) -> Result<Option<(CompanyId, String, i64)>, StoreError> {
    let row = conn
        .query_opt(
            "SELECT companies.id, companies.name, call_budgets.calls FROM call_budgets JOIN companies ON companies.id = call_budgets.company_id
             WHERE companies.organization_id = $1 AND companies.provider = $2 AND call_budgets.day = $3
             ORDER BY call_budgets.calls DESC, companies.id LIMIT 1",
            args![organization_id, provider, day],
        )
        .await?;
    row.map(|row| Ok((CompanyId(row.text(0)?), row.text(1)?, row.int(2)?))).transpose()
}
