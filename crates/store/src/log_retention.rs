//! How long an organization keeps its log, and the removal of what is older: in small batches, so that nobody waits for it.
use crate::args;
use crate::db::{Arg, Conn, Tx};
use crate::error::StoreError;
use crate::log_entries::first_id_at;
use domain::ids::OrganizationId;
use std::collections::BTreeMap;

pub const DEFAULT_DAYS: i64 = 400;
pub const SHORTEST_DAYS: i64 = 30;
pub const LONGEST_DAYS: i64 = 3_650;

pub async fn days(conn: &mut Conn, organization_id: &OrganizationId) -> Result<i64, StoreError> {
    let row = conn.query_opt("SELECT days FROM log_retention WHERE organization_id = $1", args![organization_id]).await?;
    row.map_or(Ok(DEFAULT_DAYS), |row| row.int(0))
}

pub async fn set_days(conn: &mut Tx, organization_id: &OrganizationId, days: i64, by: &str, now_ms: i64) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO log_retention (organization_id, days, changed_at, changed_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (organization_id) DO UPDATE SET days = excluded.days, changed_at = excluded.changed_at, changed_by = excluded.changed_by",
        args![organization_id, days, now_ms, by],
    )
    .await?;
    Ok(())
}

/// Every organization, with the days it keeps.
pub async fn list(conn: &mut Conn) -> Result<Vec<(OrganizationId, i64)>, StoreError> {
    conn.query(
        "SELECT organizations.id, log_retention.days FROM organizations LEFT JOIN log_retention ON log_retention.organization_id = organizations.id
         ORDER BY organizations.id",
        vec![],
    )
    .await?
    .iter()
    .map(|row| Ok((OrganizationId(row.text(0)?), row.opt_int(1)?.unwrap_or(DEFAULT_DAYS))))
    .collect()
}

/// How many entries are older than an instant, counted up to `cap`: what a shorter time would remove.
pub async fn count_older(conn: &mut Conn, organization_id: &OrganizationId, before_ms: i64, cap: i64) -> Result<i64, StoreError> {
    conn.query_one(
        "SELECT COUNT(*) FROM (SELECT id FROM log_entries WHERE organization_id = $1 AND id < $2 LIMIT $3) AS older",
        args![organization_id, first_id_at(before_ms), cap],
    )
    .await?
    .int(0)
}

/// Removes the oldest entries that were made before an instant, at most `limit`, and takes them off the cards in the same transaction: cards and
/// table agree at any moment. How many were removed.
pub async fn prune(conn: &mut Tx, organization_id: &OrganizationId, before_ms: i64, limit: i64) -> Result<i64, StoreError> {
    let lock = conn.skip_locked();
    let sql = format!(
        "DELETE FROM log_entries WHERE id IN (SELECT id FROM log_entries WHERE organization_id = $1 AND id < $2 ORDER BY id LIMIT $3 {lock})
         RETURNING id, company_id, log_type, status"
    );
    let rows = conn.query_assembled(sql, args![organization_id, first_id_at(before_ms), limit]).await?;
    let mut off: BTreeMap<String, (i64, i64, i64)> = BTreeMap::new();
    let mut ids = Vec::with_capacity(rows.len());
    for row in &rows {
        ids.push(row.int(0)?);
        let Some(company_id) = row.opt_text(1)? else { continue };
        let (total, errors, milestones) = off.entry(company_id).or_default();
        *total += 1;
        *errors += i64::from(row.text(3)? == "error");
        *milestones += i64::from(row.text(2)? == "milestone");
    }
    for (company_id, (total, errors, milestones)) in off {
        conn.execute(
            "UPDATE log_totals SET total = total - $2, errors = errors - $3, milestones = milestones - $4 WHERE company_id = $1",
            args![company_id, total, errors, milestones],
        )
        .await?;
    }
    for part in ids.chunks(500) {
        let marks: Vec<String> = (1..=part.len()).map(|at| format!("${at}")).collect();
        for table in ["incident_entries", "log_references"] {
            let sql = format!("DELETE FROM {table} WHERE entry_id IN ({})", marks.join(","));
            conn.query_assembled(sql, part.iter().map(|id| Arg::from(*id)).collect()).await?;
        }
    }
    Ok(rows.len() as i64)
}
