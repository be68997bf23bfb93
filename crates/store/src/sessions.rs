//! Sessions and one-time links: random tokens, kept as hashes.
use crate::args;
use crate::columns::word;
use crate::db::{Conn, Tx};
use crate::error::StoreError;
use crate::seal::token_hash;
use domain::ids::{OrganizationId, UserId};
use domain::organization::Role;
use std::collections::HashMap;

/// Who a request comes from. Role and membership are read with every request.
#[derive(Clone, Debug)]
pub struct Session {
    pub token_hash: String,
    pub user_id: UserId,
    pub user_name: String,
    pub email: String,
    pub organization_id: OrganizationId,
    pub organization_name: String,
    pub role: Role,
    pub seen_at: i64,
    pub expires_at: i64,
}

pub async fn insert(
    conn: &mut Tx,
    token: &str,
    user_id: &UserId,
    organization_id: &OrganizationId,
    now_ms: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO sessions (token_hash, user_id, organization_id, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $4, $5)",
        args![token_hash(token), user_id, organization_id, now_ms, expires_at],
    )
    .await?;
    conn.execute("DELETE FROM sessions WHERE expires_at < $1", args![now_ms]).await?;
    crate::members::touch(conn, organization_id, user_id, now_ms).await
}

pub async fn find(conn: &mut Conn, token: &str, now_ms: i64) -> Result<Option<Session>, StoreError> {
    conn.query_opt(
        "SELECT sessions.token_hash, sessions.user_id, users.name, users.email, sessions.organization_id, organizations.name, members.role, sessions.seen_at,
                sessions.expires_at
         FROM sessions JOIN users ON users.id = sessions.user_id JOIN organizations ON organizations.id = sessions.organization_id
         JOIN members ON members.organization_id = sessions.organization_id AND members.user_id = sessions.user_id
         WHERE sessions.token_hash = $1 AND sessions.expires_at > $2",
        args![token_hash(token), now_ms],
    )
    .await?
    .map(|row| {
        Ok(Session {
            token_hash: row.text(0)?,
            user_id: UserId(row.text(1)?),
            user_name: row.text(2)?,
            email: row.text(3)?,
            organization_id: OrganizationId(row.text(4)?),
            organization_name: row.text(5)?,
            role: word(&row, 6, Role::parse)?,
            seen_at: row.int(7)?,
            expires_at: row.int(8)?,
        })
    })
    .transpose()
}

/// The sessions of an organization, by the hash of their token, and the role each has now: one question instead of one for each.
pub async fn list_roles(conn: &mut Conn, organization_id: &OrganizationId, now_ms: i64) -> Result<HashMap<String, Role>, StoreError> {
    conn.query(
        "SELECT sessions.token_hash, members.role FROM sessions
         JOIN members ON members.organization_id = sessions.organization_id AND members.user_id = sessions.user_id
         WHERE sessions.organization_id = $1 AND sessions.expires_at > $2",
        args![organization_id, now_ms],
    )
    .await?
    .iter()
    .map(|row| Ok((row.text(0)?, word(row, 1, Role::parse)?)))
    .collect()
}

pub async fn touch(conn: &mut Tx, session: &Session, now_ms: i64, expires_at: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE sessions SET seen_at = $2, expires_at = $3 WHERE token_hash = $1", args![session.token_hash.as_str(), now_ms, expires_at])
        .await?;
    crate::members::touch(conn, &session.organization_id, &session.user_id, now_ms).await
}

/// Ends every session of a person: the password is a new one.
pub async fn delete_all_of(conn: &mut Tx, user_id: &UserId) -> Result<(), StoreError> {
    conn.execute("DELETE FROM sessions WHERE user_id = $1", args![user_id]).await?;
    Ok(())
}

/// Voids the links of a purpose that a person has not used: the latest one counts.
pub async fn void_links(conn: &mut Tx, purpose: &str, user_id: &UserId, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE one_time_links SET used_at = $3 WHERE purpose = $1 AND user_id = $2 AND used_at IS NULL", args![purpose, user_id, now_ms])
        .await?;
    Ok(())
}

pub async fn delete(conn: &mut Tx, token: &str) -> Result<(), StoreError> {
    conn.execute("DELETE FROM sessions WHERE token_hash = $1", args![token_hash(token)]).await?;
    Ok(())
}

/// `purpose`: `setup` (no user yet) or `sign_in`.
pub async fn insert_link(
    conn: &mut Tx,
    token: &str,
    purpose: &str,
    user_id: Option<&UserId>,
    now_ms: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO one_time_links (token_hash, purpose, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        args![token_hash(token), purpose, user_id.map(|id| id.as_str()), now_ms, expires_at],
    )
    .await?;
    Ok(())
}

/// Whether a link would work, without using it up (the page that shows a form). The user of a `sign_in` link.
pub async fn find_link(conn: &mut Conn, token: &str, purpose: &str, now_ms: i64) -> Result<Option<Option<UserId>>, StoreError> {
    conn.query_opt(
        "SELECT user_id FROM one_time_links WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3",
        args![token_hash(token), purpose, now_ms],
    )
    .await?
    .map(|row| Ok(row.opt_text(0)?.map(UserId)))
    .transpose()
}

/// Uses a link up. `None` when it is unknown, used or expired; otherwise the user of a `sign_in` link.
pub async fn take_link(conn: &mut Tx, token: &str, purpose: &str, now_ms: i64) -> Result<Option<Option<UserId>>, StoreError> {
    conn.query_opt(
        "UPDATE one_time_links SET used_at = $3 WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3 RETURNING user_id",
        args![token_hash(token), purpose, now_ms],
    )
    .await?
    .map(|row| Ok(row.opt_text(0)?.map(UserId)))
    .transpose()
}
