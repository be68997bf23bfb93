//! Sessions, sign-ins that wait for a second factor, and one-time links: random tokens, kept as hashes.
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
    /// When the person last proved who they are: going to another organization does not do it again.
    pub proven_at: i64,
    pub seen_at: i64,
    pub expires_at: i64,
    /// The organization asks for a second factor, and this person has none.
    pub needs_second_factor: bool,
}

/// A session that begins with a proof of who it is.
pub async fn insert(
    conn: &mut Tx,
    token: &str,
    user_id: &UserId,
    organization_id: &OrganizationId,
    now_ms: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO sessions (token_hash, user_id, organization_id, created_at, proven_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $4, $4, $5)",
        args![token_hash(token), user_id, organization_id, now_ms, expires_at],
    )
    .await?;
    conn.execute("DELETE FROM sessions WHERE expires_at < $1", args![now_ms]).await?;
    crate::members::touch(conn, organization_id, user_id, now_ms).await
}

/// The person of a session has proven once more who they are.
pub async fn prove(conn: &mut Tx, token_hash: &str, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE sessions SET proven_at = $2 WHERE token_hash = $1", args![token_hash, now_ms]).await?;
    Ok(())
}

pub async fn find(conn: &mut Conn, token: &str, now_ms: i64) -> Result<Option<Session>, StoreError> {
    conn.query_opt(
        "SELECT sessions.token_hash, sessions.user_id, users.name, users.email, sessions.organization_id, organizations.name, members.role, sessions.proven_at,
                sessions.seen_at, sessions.expires_at, organizations.second_factor_required, second_factors.confirmed_at
         FROM sessions JOIN users ON users.id = sessions.user_id JOIN organizations ON organizations.id = sessions.organization_id
         JOIN members ON members.organization_id = sessions.organization_id AND members.user_id = sessions.user_id
         LEFT JOIN second_factors ON second_factors.user_id = sessions.user_id
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
            proven_at: row.int(7)?,
            seen_at: row.int(8)?,
            expires_at: row.int(9)?,
            needs_second_factor: row.int(10)? == 1 && row.opt_int(11)?.is_none(),
        })
    })
    .transpose()
}

/// Notes what the browser of a new session calls itself, and when its person proved who they are, where that was before.
pub async fn describe(conn: &mut Tx, token: &str, user_agent: Option<&str>, proven_at: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE sessions SET user_agent = $2, proven_at = $3 WHERE token_hash = $1", args![token_hash(token), user_agent, proven_at])
        .await?;
    Ok(())
}

/// A session as its person sees it.
#[derive(Clone, Debug)]
pub struct Open {
    pub token_hash: String,
    pub organization_name: String,
    /// As the browser called itself.
    pub user_agent: Option<String>,
    pub proven_at: i64,
    pub seen_at: i64,
}

/// The sessions of a person in every organization, the one used last first.
pub async fn list_of(conn: &mut Conn, user_id: &UserId, now_ms: i64) -> Result<Vec<Open>, StoreError> {
    conn.query(
        "SELECT sessions.token_hash, organizations.name, sessions.user_agent, sessions.proven_at, sessions.seen_at
         FROM sessions JOIN organizations ON organizations.id = sessions.organization_id
         WHERE sessions.user_id = $1 AND sessions.expires_at > $2 ORDER BY sessions.seen_at DESC, sessions.token_hash",
        args![user_id, now_ms],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Open {
            token_hash: row.text(0)?,
            organization_name: row.text(1)?,
            user_agent: row.opt_text(2)?,
            proven_at: row.int(3)?,
            seen_at: row.int(4)?,
        })
    })
    .collect()
}

/// Ends one session of a person; the organization it was in. `None`: there is none of theirs by this hash.
pub async fn delete_one(conn: &mut Tx, user_id: &UserId, hash: &str) -> Result<Option<OrganizationId>, StoreError> {
    conn.query_opt("DELETE FROM sessions WHERE user_id = $1 AND token_hash = $2 RETURNING organization_id", args![user_id, hash])
        .await?
        .map(|row| Ok(OrganizationId(row.text(0)?)))
        .transpose()
}

/// Ends every session of a person but one, and the sign-ins that wait for a second factor; the organizations they were in.
pub async fn delete_others(conn: &mut Tx, user_id: &UserId, kept_hash: &str) -> Result<Vec<OrganizationId>, StoreError> {
    conn.execute("DELETE FROM half_sign_ins WHERE user_id = $1", args![user_id]).await?;
    conn.query("DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2 RETURNING organization_id", args![user_id, kept_hash])
        .await?
        .iter()
        .map(|row| Ok(OrganizationId(row.text(0)?)))
        .collect()
}

/// A sign-in that waits for its second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HalfSignIn {
    pub user_id: UserId,
    pub organization_id: OrganizationId,
    /// The page that was asked for.
    pub leads_to: String,
}

pub async fn insert_half(conn: &mut Tx, token: &str, half: &HalfSignIn, now_ms: i64, expires_at: i64) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO half_sign_ins (token_hash, user_id, organization_id, leads_to, expires_at) VALUES ($1, $2, $3, $4, $5)",
        args![token_hash(token), &half.user_id, &half.organization_id, half.leads_to.as_str(), expires_at],
    )
    .await?;
    conn.execute("DELETE FROM half_sign_ins WHERE expires_at < $1", args![now_ms]).await?;
    Ok(())
}

pub async fn find_half(conn: &mut Conn, token: &str, now_ms: i64) -> Result<Option<HalfSignIn>, StoreError> {
    conn.query_opt(
        "SELECT user_id, organization_id, leads_to FROM half_sign_ins WHERE token_hash = $1 AND expires_at > $2",
        args![token_hash(token), now_ms],
    )
    .await?
    .map(|row| Ok(HalfSignIn { user_id: UserId(row.text(0)?), organization_id: OrganizationId(row.text(1)?), leads_to: row.text(2)? }))
    .transpose()
}

/// False when it was ended already: of two requests at once one goes on.
pub async fn delete_half(conn: &mut Tx, token: &str) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM half_sign_ins WHERE token_hash = $1", args![token_hash(token)]).await? == 1)
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

/// Ends every session of a person, and the sign-ins that wait for a second factor: the password is a new one, or the second factor was taken away.
pub async fn delete_all_of(conn: &mut Tx, user_id: &UserId) -> Result<(), StoreError> {
    conn.execute("DELETE FROM half_sign_ins WHERE user_id = $1", args![user_id]).await?;
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
