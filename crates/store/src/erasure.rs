//! Erasing companies: every row of them, in every table the database knows, so that a table that is added later cannot be forgotten.
use crate::args;
use crate::db::Tx;
use crate::error::StoreError;
use domain::ids::CompanyId;

/// What else names a company: a column, and the table that says whose it is.
const NAMED_BY: [(&str, &str); 2] = [("ledger_id", "ledgers"), ("run_id", "runs")];

/// Deletes every row of these companies; how many rows that were. Their runs end first: a worker that is at work loses its lease and writes no more.
/// Keys of the API that reached nothing else end: a key without companies of its own would reach all of them.
pub async fn erase_companies(conn: &mut Tx, ids: &[CompanyId], now_ms: i64) -> Result<u64, StoreError> {
    let mut owned = conn.tables_with("company_id").await?;
    let references = conn.references().await?;
    let mut named = Vec::new();
    for (column, owner) in NAMED_BY {
        let tables = conn.tables_with(column).await?.into_iter().filter(|table| !owned.contains(table));
        named.extend(tables.map(|table| format!("DELETE FROM {table} WHERE {column} IN (SELECT id FROM {owner} WHERE company_id = $1)")));
    }
    // what others refer to goes last
    let mut order: Vec<String> = Vec::with_capacity(owned.len());
    while !owned.is_empty() {
        let is_free = |table: &String| !references.iter().any(|(child, _, parent, _)| parent == table && child != table && owned.contains(child));
        let at = owned.iter().position(is_free).unwrap_or(0);
        order.push(owned.remove(at));
    }
    let mut erased = 0;
    for id in ids {
        conn.execute("UPDATE runs SET state = 'cancelled', lease_epoch = lease_epoch + 1, lease_owner = NULL WHERE company_id = $1", args![id])
            .await?;
        conn.execute(
            "UPDATE api_keys SET revoked_at = $2 WHERE revoked_at IS NULL AND id IN (SELECT key_id FROM api_key_companies WHERE company_id = $1)
               AND id NOT IN (SELECT key_id FROM api_key_companies WHERE company_id <> $1)",
            args![id, now_ms],
        )
        .await?;
        for sql in &named {
            erased += conn.execute_assembled(sql.clone(), args![id]).await?;
        }
        for table in &order {
            for (child, child_column, parent, parent_column) in &references {
                if parent == table && !order.contains(child) {
                    let sql = format!("DELETE FROM {child} WHERE {child_column} IN (SELECT {parent_column} FROM {table} WHERE company_id = $1)");
                    erased += conn.execute_assembled(sql, args![id]).await?;
                }
            }
            erased += conn.execute_assembled(format!("DELETE FROM {table} WHERE company_id = $1"), args![id]).await?;
        }
        erased += conn.execute("DELETE FROM companies WHERE id = $1", args![id]).await?;
    }
    Ok(erased)
}
