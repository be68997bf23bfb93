//! States of authorizations under way: kept as hashes, used once; and what became of them.
use crate::args;
use crate::db::{Conn, Store, Tx};
use crate::error::StoreError;
use crate::seal::token_hash;
use domain::ids::{ConnectionId, OrganizationId, UserId};

pub struct NewState<'a> {
    /// The random text the provider sends back.
    pub state: &'a str,
    pub organization_id: &'a OrganizationId,
    pub user_id: &'a UserId,
    pub session_hash: &'a str,
    /// Somebody follows this reconnect link; nobody is signed in, and the session is the link's own.
    pub link_hash: Option<&'a str>,
    pub provider: &'a str,
    /// Reconnect: the connection to repair.
    pub connection_id: Option<&'a ConnectionId>,
    pub verifier: &'a str,
    pub redirect_uri: &'a str,
    pub now_ms: i64,
    pub expires_at: i64,
}

/// A state that was valid and is now used up.
pub struct UsedState {
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub link_hash: Option<String>,
    pub provider: String,
    pub connection_id: Option<ConnectionId>,
    pub verifier: String,
    pub redirect_uri: String,
}

pub async fn insert(store: &Store, conn: &mut Tx, new: &NewState<'_>) -> Result<(), StoreError> {
    let state_hash = token_hash(new.state);
    let verifier = store.sealer.seal("oauth_states.verifier", &state_hash, new.verifier.as_bytes());
    conn.execute(
        "INSERT INTO oauth_states (state_hash, organization_id, user_id, session_hash, provider, action, connection_id, verifier, redirect_uri, created_at, expires_at, link_hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            state_hash,
            new.organization_id,
            new.user_id,
            new.session_hash,
            new.provider,
            if new.connection_id.is_some() { "reconnect" } else { "connect" },
            new.connection_id.map(|id| id.as_str()),
            verifier,
            new.redirect_uri,
            new.now_ms,
            new.expires_at,
            new.link_hash,
        ],
    )
    .await?;
    conn.execute("DELETE FROM oauth_states WHERE expires_at < $1", args![new.now_ms - 86_400_000]).await?;
    Ok(())
}

/// Uses a state up. `None` when it is unknown, expired, used already, of another provider or of another browser session.
pub async fn take(
    store: &Store,
    conn: &mut Tx,
    state: &str,
    provider: &str,
    session_hash: &str,
    now_ms: i64,
) -> Result<Option<UsedState>, StoreError> {
    let state_hash = token_hash(state);
    let Some(row) = conn
        .query_opt(
            "UPDATE oauth_states SET used_at = $4
             WHERE state_hash = $1 AND provider = $2 AND session_hash = $3 AND used_at IS NULL AND expires_at > $4
             RETURNING organization_id, user_id, provider, connection_id, verifier, redirect_uri, link_hash",
            args![state_hash.as_str(), provider, session_hash, now_ms],
        )
        .await?
    else {
        return Ok(None);
    };
    Ok(Some(UsedState {
        organization_id: OrganizationId(row.text(0)?),
        user_id: UserId(row.text(1)?),
        provider: row.text(2)?,
        connection_id: row.opt_text(3)?.map(ConnectionId),
        verifier: store.sealer.open_text("oauth_states.verifier", &state_hash, &row.bytes(4)?)?,
        redirect_uri: row.text(5)?,
        link_hash: row.opt_text(6)?,
    }))
}

/// Why `take` found none, in a word, and whose state it was.
pub async fn refusal(
    conn: &mut Conn,
    state: &str,
    provider: &str,
    session_hash: &str,
    now_ms: i64,
) -> Result<Option<(OrganizationId, &'static str)>, StoreError> {
    let sql = "SELECT organization_id, provider, session_hash, used_at, expires_at FROM oauth_states WHERE state_hash = $1";
    let Some(row) = conn.query_opt(sql, args![token_hash(state)]).await? else { return Ok(None) };
    let reason = match row.opt_int(3)? {
        _ if row.text(1)? != provider => "mix_up",
        _ if row.text(2)? != session_hash => "mismatch",
        Some(_) => "replay",
        None if row.int(4)? <= now_ms => "expired",
        None => "unknown_state",
    };
    Ok(Some((OrganizationId(row.text(0)?), reason)))
}

/// Whether a state was given out to somebody who followed a reconnect link: that person's session is another one.
pub async fn is_of_link(conn: &mut Conn, state: &str) -> Result<bool, StoreError> {
    let sql = "SELECT state_hash FROM oauth_states WHERE state_hash = $1 AND link_hash IS NOT NULL";
    Ok(conn.query_opt(sql, args![token_hash(state)]).await?.is_some())
}

/// What became of an authorization, for the page the callback leads to.
#[derive(Clone, Debug)]
pub struct OauthResult {
    pub id: String,
    pub provider: String,
    /// A word of `engine::connections::Outcome`.
    pub outcome: String,
    pub connection_id: Option<ConnectionId>,
    /// The account it is about, by name.
    pub detail: String,
    /// JSON of `engine::connections::Facts`.
    pub facts: String,
    pub created_at: i64,
}

pub async fn insert_result(conn: &mut Tx, session_hash: &str, result: &OauthResult) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO oauth_results (id, session_hash, provider, outcome, connection_id, detail, facts, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![
            result.id.as_str(),
            session_hash,
            result.provider.as_str(),
            result.outcome.as_str(),
            result.connection_id.as_ref().map(|id| id.as_str()),
            result.detail.as_str(),
            result.facts.as_str(),
            result.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// The latest result of a session.
pub async fn latest_result(conn: &mut Conn, session_hash: &str) -> Result<Option<OauthResult>, StoreError> {
    conn.query_opt(
        "SELECT id, provider, outcome, connection_id, detail, facts, created_at FROM oauth_results WHERE session_hash = $1 ORDER BY created_at DESC, id DESC LIMIT 1",
        args![session_hash],
    )
    .await?
    .map(|row| {
        Ok(OauthResult {
            id: row.text(0)?,
            provider: row.text(1)?,
            outcome: row.text(2)?,
            connection_id: row.opt_text(3)?.map(ConnectionId),
            detail: row.text(4)?,
            facts: row.text(5)?,
            created_at: row.int(6)?,
        })
    })
    .transpose()
}
