//! Companies ticked on the Data Feed: kept for a session over all pages of the table, so that it needs no script.
use crate::args;
use crate::db::{Arg, Conn, Tx};
use crate::error::StoreError;
use domain::ids::{CompanyId, OrganizationId};

/// Takes over what a page says: of the companies it showed, these are ticked. Ids that are none of the organization's are passed over.
pub async fn put(
    conn: &mut Tx,
    session_hash: &str,
    organization_id: &OrganizationId,
    shown: &[CompanyId],
    ticked: &[CompanyId],
) -> Result<(), StoreError> {
    for id in shown.iter().filter(|id| !ticked.contains(id)) {
        conn.execute("DELETE FROM selections WHERE session_hash = $1 AND company_id = $2", args![session_hash, id]).await?;
    }
    add(conn, session_hash, organization_id, ticked).await
}

pub async fn add(conn: &mut Tx, session_hash: &str, organization_id: &OrganizationId, ids: &[CompanyId]) -> Result<(), StoreError> {
    // what sessions that are over left behind
    conn.execute("DELETE FROM selections WHERE session_hash NOT IN (SELECT token_hash FROM sessions)", vec![]).await?;
    for part in ids.chunks(500) {
        let marks: Vec<String> = (0..part.len()).map(|at| format!("${}", at + 3)).collect();
        let sql = format!(
            "INSERT INTO selections (session_hash, company_id)
             SELECT CAST($1 AS TEXT), id FROM companies WHERE organization_id = $2 AND id IN ({})
             ON CONFLICT (session_hash, company_id) DO NOTHING",
            marks.join(",")
        );
        let mut values = args![session_hash, organization_id];
        values.extend(part.iter().map(Arg::from));
        conn.query_assembled(sql, values).await?;
    }
    Ok(())
}

pub async fn clear(conn: &mut Tx, session_hash: &str) -> Result<(), StoreError> {
    conn.execute("DELETE FROM selections WHERE session_hash = $1", args![session_hash]).await?;
    Ok(())
}

/// The companies of this organization that are ticked.
pub async fn list(conn: &mut Conn, session_hash: &str, organization_id: &OrganizationId) -> Result<Vec<CompanyId>, StoreError> {
    conn.query(
        "SELECT selections.company_id FROM selections JOIN companies ON companies.id = selections.company_id
         WHERE selections.session_hash = $1 AND companies.organization_id = $2 ORDER BY companies.name_folded, companies.id",
        args![session_hash, organization_id],
    )
    .await?
    .iter()
    .map(|row| Ok(CompanyId(row.text(0)?)))
    .collect()
}
