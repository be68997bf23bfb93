//! Links that let whoever owns the books repair one connection, once, without an account here.
use crate::args;
use crate::db::{Conn, Store, Tx};
use crate::error::StoreError;
use crate::seal::token_hash;
use domain::ids::{ConnectionId, OrganizationId, UserId};

#[derive(Clone, Debug)]
pub struct ReconnectLink {
    pub token_hash: String,
    pub organization_id: OrganizationId,
    pub connection_id: ConnectionId,
    pub made_by: UserId,
    pub created_at: i64,
    pub expires_at: i64,
    pub used_at: Option<i64>,
}

pub struct NewLink<'a> {
    pub token: &'a str,
    pub organization_id: &'a OrganizationId,
    pub connection_id: &'a ConnectionId,
    pub made_by: &'a UserId,
    pub now_ms: i64,
    pub expires_at: i64,
}

/// Stores a link. Those made for this connection before end: one link at a time can repair it.
pub async fn insert(store: &Store, conn: &mut Tx, new: &NewLink<'_>) -> Result<(), StoreError> {
    end_all(conn, new.connection_id, new.now_ms).await?;
    let hash = token_hash(new.token);
    let sealed = store.sealer.seal("reconnect_links.token", &hash, new.token.as_bytes());
    conn.execute(
        "INSERT INTO reconnect_links (token_hash, organization_id, connection_id, token, made_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![hash, new.organization_id, new.connection_id, sealed, new.made_by, new.now_ms, new.expires_at],
    )
    .await?;
    Ok(())
}

/// Ends every link of a connection that still works.
pub async fn end_all(conn: &mut Tx, connection_id: &ConnectionId, now_ms: i64) -> Result<(), StoreError> {
    let sql = "UPDATE reconnect_links SET expires_at = $2 WHERE connection_id = $1 AND used_at IS NULL AND expires_at > $2";
    conn.execute(sql, args![connection_id, now_ms]).await?;
    Ok(())
}

/// The link a token opens, whether it still works or not.
pub async fn find(conn: &mut Conn, token: &str) -> Result<Option<ReconnectLink>, StoreError> {
    conn.query_opt(
        "SELECT token_hash, organization_id, connection_id, made_by, created_at, expires_at, used_at FROM reconnect_links WHERE token_hash = $1",
        args![token_hash(token)],
    )
    .await?
    .map(|row| {
        Ok(ReconnectLink {
            token_hash: row.text(0)?,
            organization_id: OrganizationId(row.text(1)?),
            connection_id: ConnectionId(row.text(2)?),
            made_by: UserId(row.text(3)?),
            created_at: row.int(4)?,
            expires_at: row.int(5)?,
            used_at: row.opt_int(6)?,
        })
    })
    .transpose()
}

/// The link of a connection that still works: its token and when it ends.
pub async fn find_open(store: &Store, conn: &mut Conn, connection_id: &ConnectionId, now_ms: i64) -> Result<Option<(String, i64)>, StoreError> {
    conn.query_opt(
        "SELECT token_hash, token, expires_at FROM reconnect_links WHERE connection_id = $1 AND used_at IS NULL AND expires_at > $2
         ORDER BY created_at DESC, token_hash LIMIT 1",
        args![connection_id, now_ms],
    )
    .await?
    .map(|row| Ok((store.sealer.open_text("reconnect_links.token", &row.text(0)?, &row.bytes(1)?)?, row.int(2)?)))
    .transpose()
}

/// Uses a link up. False when it was used or has ended: of two people who finish at once one repairs.
pub async fn use_up(conn: &mut Tx, token_hash: &str, now_ms: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE reconnect_links SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2";
    Ok(conn.execute(sql, args![token_hash, now_ms]).await? == 1)
}
