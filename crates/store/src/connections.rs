//! Connections: authorizations and their sealed tokens. At most one refresh per connection is in flight, over all nodes.
use crate::args;
use crate::columns::word;
use crate::db::{Conn, Row, Store, Tx};
use crate::error::StoreError;
use domain::connection::ConnectionState;
use domain::ids::{CompanyId, ConnectionId, OrganizationId, UserId};

/// What a page may know of a connection: no tokens.
#[derive(Clone, Debug)]
pub struct Connection {
    pub id: ConnectionId,
    pub organization_id: OrganizationId,
    pub provider: String,
    pub environment: String,
    pub name: String,
    pub email: String,
    pub state: ConnectionState,
    pub scope: String,
    pub rotated_at: i64,
    pub access_expires_at: i64,
    pub refresh_expires_at: i64,
    pub token_generation: i64,
    pub connected_by: UserId,
    pub connected_at: i64,
    pub invalid_since: Option<i64>,
    pub disconnected_at: Option<i64>,
    pub setup_finished_at: Option<i64>,
}

impl Connection {
    /// What it is called: its address, where the provider gave no name.
    pub fn shown_name(&self) -> &str {
        if self.name.is_empty() { &self.email } else { &self.name }
    }
}

const COLUMNS: &str = "id, organization_id, provider, environment, name, email, state, scope, rotated_at, access_expires_at, refresh_expires_at, token_generation, connected_by, connected_at, invalid_since, disconnected_at, setup_finished_at";

fn read(row: &Row) -> Result<Connection, StoreError> {
    Ok(Connection {
        id: ConnectionId(row.text(0)?),
        organization_id: OrganizationId(row.text(1)?),
        provider: row.text(2)?,
        environment: row.text(3)?,
        name: row.text(4)?,
        email: row.text(5)?,
        state: word(row, 6, ConnectionState::parse)?,
        scope: row.text(7)?,
        rotated_at: row.int(8)?,
        access_expires_at: row.int(9)?,
        refresh_expires_at: row.int(10)?,
        token_generation: row.int(11)?,
        connected_by: UserId(row.text(12)?),
        connected_at: row.int(13)?,
        invalid_since: row.opt_int(14)?,
        disconnected_at: row.opt_int(15)?,
        setup_finished_at: row.opt_int(16)?,
    })
}

/// A token pair in clear: exists only between the provider and the seal.
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub access_expires_at: i64,
    pub refresh_expires_at: i64,
}

pub struct NewConnection<'a> {
    pub id: ConnectionId,
    pub organization_id: &'a OrganizationId,
    pub provider: &'a str,
    pub environment: &'a str,
    /// The provider's identity of the consent, see `providers::oauth::Identity::key`; kept as a keyed hash only.
    pub identity_key: &'a str,
    pub name: &'a str,
    pub email: &'a str,
    pub scope: &'a str,
    pub tokens: &'a Tokens,
    pub connected_by: &'a UserId,
    pub now_ms: i64,
}

/// Inserts a connection; `Err(existing)` when the organization already has one of this identity. Safe against two callbacks at once: the unique
/// index decides.
pub async fn insert(store: &Store, conn: &mut Tx, new: &NewConnection<'_>) -> Result<Result<(), ConnectionId>, StoreError> {
    let identity_hash = store.sealer.lookup_hash("connections.identity", new.identity_key);
    let access = store.sealer.seal("connections.access_token", new.id.as_str(), new.tokens.access.as_bytes());
    let refresh = store.sealer.seal("connections.refresh_token", new.id.as_str(), new.tokens.refresh.as_bytes());
    let inserted = conn
        .query_opt(
            "INSERT INTO connections (id, organization_id, provider, environment, identity_hash, name, email, state, scope, access_token, refresh_token,
                                      rotated_at, access_expires_at, refresh_expires_at, token_generation, connected_by, connected_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $8, $9, $10, $11, $12, $13, 1, $14, $11)
             ON CONFLICT DO NOTHING RETURNING id",
            args![
                &new.id,
                new.organization_id,
                new.provider,
                new.environment,
                identity_hash.as_str(),
                new.name,
                new.email,
                new.scope,
                access,
                refresh,
                new.now_ms,
                new.tokens.access_expires_at,
                new.tokens.refresh_expires_at,
                new.connected_by,
            ],
        )
        .await?;
    if inserted.is_some() {
        return Ok(Ok(()));
    }
    let existing = conn
        .query_one(
            "SELECT id FROM connections WHERE organization_id = $1 AND provider = $2 AND identity_hash = $3 AND disconnected_at IS NULL",
            args![new.organization_id, new.provider, identity_hash],
        )
        .await?;
    Ok(Err(ConnectionId(existing.text(0)?)))
}

/// True when `identity_key` is the identity this connection was made with.
pub async fn has_identity(store: &Store, conn: &mut Conn, id: &ConnectionId, identity_key: &str) -> Result<bool, StoreError> {
    let identity_hash = store.sealer.lookup_hash("connections.identity", identity_key);
    Ok(conn.query_opt("SELECT id FROM connections WHERE id = $1 AND identity_hash = $2", args![id, identity_hash]).await?.is_some())
}

/// Stores a fresh pair and makes the connection valid again; the pair before it stays sealed beside it for the provider's grace time.
pub async fn store_tokens(
    store: &Store,
    conn: &mut Tx,
    id: &ConnectionId,
    tokens: &Tokens,
    scope: Option<&str>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let access = store.sealer.seal("connections.access_token", id.as_str(), tokens.access.as_bytes());
    let refresh = store.sealer.seal("connections.refresh_token", id.as_str(), tokens.refresh.as_bytes());
    conn.execute(
        "UPDATE connections SET previous_refresh_token = refresh_token, access_token = $2, refresh_token = $3, access_expires_at = $4,
                refresh_expires_at = $5, rotated_at = $6, token_generation = token_generation + 1, refresh_lease_owner = NULL, refresh_lease_until = NULL,
                state = 'active', invalid_since = NULL, scope = COALESCE($7, scope)
         WHERE id = $1",
        args![id, access, refresh, tokens.access_expires_at, tokens.refresh_expires_at, now_ms, scope],
    )
    .await?;
    Ok(())
}

/// Under which keys the consent of now was given.
pub async fn set_environment(conn: &mut Tx, id: &ConnectionId, environment: &str) -> Result<(), StoreError> {
    conn.execute("UPDATE connections SET environment = $2 WHERE id = $1", args![id, environment]).await?;
    Ok(())
}

/// Which environments the active connections of each provider are of.
pub async fn list_environments(conn: &mut Conn) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT DISTINCT provider, environment FROM connections WHERE state = 'active' ORDER BY provider, environment";
    conn.query(sql, vec![]).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// The access token and its age.
pub struct AccessToken {
    pub token: String,
    pub expires_at: i64,
    pub generation: i64,
    pub state: ConnectionState,
}

pub async fn access_token(store: &Store, conn: &mut Conn, id: &ConnectionId) -> Result<Option<AccessToken>, StoreError> {
    let Some(row) =
        conn.query_opt("SELECT access_token, access_expires_at, token_generation, state FROM connections WHERE id = $1", args![id]).await?
    else {
        return Ok(None);
    };
    let token = store.sealer.open_text("connections.access_token", id.as_str(), &row.bytes(0)?)?;
    Ok(Some(AccessToken { token, expires_at: row.int(1)?, generation: row.int(2)?, state: word(&row, 3, ConnectionState::parse)? }))
}

/// The right to refresh, and what to refresh with.
pub struct RefreshRight {
    pub refresh: String,
    /// The pair before, and when it was replaced: Xero accepts it for 30 minutes.
    pub previous: Option<(String, i64)>,
    pub generation: i64,
}

/// Takes the right to refresh, if the stored pair is still the one of `generation` and nobody else holds the right.
pub async fn take_refresh(
    store: &Store,
    conn: &mut Tx,
    id: &ConnectionId,
    generation: i64,
    owner: &str,
    now_ms: i64,
    until_ms: i64,
) -> Result<Option<RefreshRight>, StoreError> {
    let Some(row) = conn
        .query_opt(
            "UPDATE connections SET refresh_lease_owner = $3, refresh_lease_until = $4
             WHERE id = $1 AND token_generation = $2 AND state = 'active' AND (refresh_lease_until IS NULL OR refresh_lease_until < $5)
             RETURNING refresh_token, previous_refresh_token, rotated_at, token_generation",
            args![id, generation, owner, until_ms, now_ms],
        )
        .await?
    else {
        return Ok(None);
    };
    let refresh = store.sealer.open_text("connections.refresh_token", id.as_str(), &row.bytes(0)?)?;
    let rotated_at = row.int(2)?;
    let previous = match row.opt_bytes(1)? {
        Some(sealed) => Some((store.sealer.open_text("connections.refresh_token", id.as_str(), &sealed)?, rotated_at)),
        None => None,
    };
    Ok(Some(RefreshRight { refresh, previous, generation: row.int(3)? }))
}

/// Writes the renewed pair, unless another has been stored since the right was taken. `scope`: what the answer says it still covers.
#[allow(clippy::too_many_arguments)] // who, which pair, and what is written
pub async fn store_refreshed(
    store: &Store,
    conn: &mut Tx,
    id: &ConnectionId,
    generation: i64,
    owner: &str,
    tokens: &Tokens,
    scope: Option<&str>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let access = store.sealer.seal("connections.access_token", id.as_str(), tokens.access.as_bytes());
    let refresh = store.sealer.seal("connections.refresh_token", id.as_str(), tokens.refresh.as_bytes());
    let written = conn
        .execute(
            "UPDATE connections SET previous_refresh_token = refresh_token, access_token = $4, refresh_token = $5, access_expires_at = $6,
                    refresh_expires_at = $7, rotated_at = $8, token_generation = token_generation + 1, refresh_lease_owner = NULL, refresh_lease_until = NULL,
                    scope = COALESCE($9, scope)
             WHERE id = $1 AND token_generation = $2 AND refresh_lease_owner = $3",
            args![id, generation, owner, access, refresh, tokens.access_expires_at, tokens.refresh_expires_at, now_ms, scope],
        )
        .await?;
    Ok(written == 1)
}

pub async fn release_refresh(conn: &mut Tx, id: &ConnectionId, owner: &str) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE connections SET refresh_lease_owner = NULL, refresh_lease_until = NULL WHERE id = $1 AND refresh_lease_owner = $2",
        args![id, owner],
    )
    .await?;
    Ok(())
}

/// The provider refuses the pair of `generation`. False when a newer pair is stored already.
pub async fn mark_invalid(conn: &mut Tx, id: &ConnectionId, generation: i64, now_ms: i64) -> Result<bool, StoreError> {
    let marked = conn
        .execute(
            "UPDATE connections SET state = 'invalid', invalid_since = $3, refresh_lease_owner = NULL, refresh_lease_until = NULL
             WHERE id = $1 AND token_generation = $2 AND state = 'active'",
            args![id, generation, now_ms],
        )
        .await?;
    Ok(marked == 1)
}

/// Ends a connection here; the revocation at the provider is confirmed by `revocation_confirmed`.
pub async fn disconnect(conn: &mut Tx, id: &ConnectionId, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE connections SET state = 'disconnected', disconnected_at = $2, revocation_pending_at = $2 WHERE id = $1", args![id, now_ms])
        .await?;
    Ok(())
}

/// The provider confirmed: nothing needs the tokens any more, so they go.
pub async fn revocation_confirmed(store: &Store, conn: &mut Tx, id: &ConnectionId) -> Result<(), StoreError> {
    let access = store.sealer.seal("connections.access_token", id.as_str(), b"");
    let refresh = store.sealer.seal("connections.refresh_token", id.as_str(), b"");
    conn.execute(
        "UPDATE connections SET revocation_pending_at = NULL, access_token = $2, refresh_token = $3, previous_refresh_token = NULL
         WHERE id = $1 AND state = 'disconnected'",
        args![id, access, refresh],
    )
    .await?;
    Ok(())
}

/// Takes authorizations that nobody has used since `before_ms`, so that they are renewed before the provider lets them end; each at most once in an
/// hour: (connection, organization, provider).
pub async fn take_idle(conn: &mut Tx, before_ms: i64, now_ms: i64, limit: i64) -> Result<Vec<(ConnectionId, OrganizationId, String)>, StoreError> {
    let lock = conn.skip_locked();
    let sql = format!(
        "WITH idle AS (SELECT id FROM connections WHERE state = 'active' AND rotated_at <= $1 AND (kept_alive_at IS NULL OR kept_alive_at <= $3)
                       ORDER BY rotated_at, id LIMIT $4 {lock})
         UPDATE connections SET kept_alive_at = $2 WHERE id IN (SELECT id FROM idle) RETURNING id, organization_id, provider"
    );
    conn.query_assembled(sql, args![before_ms, now_ms, now_ms - 3_600_000, limit])
        .await?
        .iter()
        .map(|row| Ok((ConnectionId(row.text(0)?), OrganizationId(row.text(1)?), row.text(2)?)))
        .collect()
}

/// Takes disconnected connections whose revocation the provider has not confirmed since `before_ms`, noting this try: (connection, organization, provider).
pub async fn take_pending_revocations(conn: &mut Tx, before_ms: i64, now_ms: i64) -> Result<Vec<(ConnectionId, OrganizationId, String)>, StoreError> {
    conn.query(
        "UPDATE connections SET revocation_pending_at = $2 WHERE revocation_pending_at <= $1 RETURNING id, organization_id, provider",
        args![before_ms, now_ms],
    )
    .await?
    .iter()
    .map(|row| Ok((ConnectionId(row.text(0)?), OrganizationId(row.text(1)?), row.text(2)?)))
    .collect()
}

pub async fn refresh_token(store: &Store, conn: &mut Conn, id: &ConnectionId) -> Result<Option<String>, StoreError> {
    match conn.query_opt("SELECT refresh_token FROM connections WHERE id = $1", args![id]).await? {
        Some(row) => Ok(Some(store.sealer.open_text("connections.refresh_token", id.as_str(), &row.bytes(0)?)?)),
        None => Ok(None),
    }
}

pub async fn find(conn: &mut Conn, organization_id: &OrganizationId, id: &ConnectionId) -> Result<Option<Connection>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM connections WHERE organization_id = $1 AND id = $2");
    conn.query_assembled(sql, args![organization_id, id]).await?.first().map(read).transpose()
}

/// Connections of an organization that are not disconnected: invalid ones first, then by name.
pub async fn list(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<Connection>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM connections WHERE organization_id = $1 AND disconnected_at IS NULL ORDER BY provider, state DESC, name, id");
    conn.query_assembled(sql, args![organization_id]).await?.iter().map(read).collect()
}

/// The person chose what to import, or closed the question.
pub async fn finish_setup(conn: &mut Tx, id: &ConnectionId, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE connections SET setup_finished_at = COALESCE(setup_finished_at, $2) WHERE id = $1", args![id, now_ms]).await?;
    Ok(())
}

/// How much a connection reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    pub connection_id: ConnectionId,
    /// Companies it can see.
    pub companies: i64,
    /// Of these, linked ones.
    pub linked: i64,
    /// Linked ones that are synced through this connection: what stops when it ends.
    pub used: i64,
}

/// What each connection of an organization reaches, in one statement. Connections that see no company are not among the answers.
pub async fn list_reach(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<Reach>, StoreError> {
    conn.query(
        "SELECT company_access.connection_id, COUNT(*),
                CAST(SUM(CASE WHEN companies.linked_at IS NULL THEN 0 ELSE 1 END) AS BIGINT),
                CAST(SUM(CASE WHEN companies.linked_at IS NULL OR companies.connection_id <> company_access.connection_id THEN 0 ELSE 1 END) AS BIGINT)
         FROM companies JOIN company_access ON company_access.company_id = companies.id
         WHERE companies.organization_id = $1 GROUP BY company_access.connection_id",
        args![organization_id],
    )
    .await?
    .iter()
    .map(|row| Ok(Reach { connection_id: ConnectionId(row.text(0)?), companies: row.int(1)?, linked: row.int(2)?, used: row.int(3)? }))
    .collect()
}

/// Companies that at least one connection of a provider sees now: (provider, companies, linked). A company seen by two counts once.
pub async fn count_companies(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<(String, i64, i64)>, StoreError> {
    conn.query(
        "SELECT companies.provider, COUNT(*), CAST(SUM(CASE WHEN companies.linked_at IS NULL THEN 0 ELSE 1 END) AS BIGINT) FROM companies
         WHERE companies.organization_id = $1 AND EXISTS (
             SELECT 1 FROM company_access JOIN connections ON connections.id = company_access.connection_id
             WHERE company_access.company_id = companies.id AND connections.disconnected_at IS NULL)
         GROUP BY companies.provider ORDER BY companies.provider",
        args![organization_id],
    )
    .await?
    .iter()
    .map(|row| Ok((row.text(0)?, row.int(1)?, row.int(2)?)))
    .collect()
}

/// Records kept of the companies that are synced through a connection: the number a person reads before ending it.
pub async fn count_records(conn: &mut Conn, connection_id: &ConnectionId) -> Result<i64, StoreError> {
    conn.query_one(
        "SELECT CAST(COALESCE(SUM(inventory.ours), 0) AS BIGINT) FROM inventory JOIN companies ON companies.id = inventory.company_id
         WHERE companies.connection_id = $1",
        args![connection_id],
    )
    .await?
    .int(0)
}

/// Calls and bytes of one day, of the companies synced through a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub company_id: CompanyId,
    pub day: String,
    pub calls: i64,
    pub bytes: i64,
}

/// What was asked of the provider for each company of a connection since a day, newest day first.
pub async fn list_usage(conn: &mut Conn, connection_id: &ConnectionId, since_day: &str) -> Result<Vec<Usage>, StoreError> {
    conn.query(
        "SELECT call_budgets.company_id, call_budgets.day, call_budgets.calls, call_budgets.bytes FROM call_budgets
         JOIN companies ON companies.id = call_budgets.company_id
         WHERE companies.connection_id = $1 AND call_budgets.day >= $2 ORDER BY call_budgets.day DESC, call_budgets.company_id",
        args![connection_id, since_day],
    )
    .await?
    .iter()
    .map(|row| Ok(Usage { company_id: CompanyId(row.text(0)?), day: row.text(1)?, calls: row.int(2)?, bytes: row.int(3)? }))
    .collect()
}
