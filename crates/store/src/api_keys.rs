//! Keys of the JSON API: their secrets are kept as hashes, and they never allow more than their maker may.
use crate::args;
use crate::columns::word;
use crate::db::{Conn, Row, Tx};
use crate::error::StoreError;
use crate::seal::token_hash;
use domain::ids::{ApiKeyId, CompanyId, OrganizationId, UserId};
use domain::organization::{KeyAccess, Role};
use std::collections::BTreeSet;

/// A key as lists show it; the secret itself is shown once, when it is made, and never kept.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub organization_id: OrganizationId,
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    pub role: Role,
    pub access: KeyAccess,
    pub created_by: UserId,
    pub creator_name: String,
    /// The role of its maker now; `None` when they left the organization.
    pub creator_role: Option<Role>,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub last_used_at: Option<i64>,
    pub revoked_at: Option<i64>,
    pub exposed_at: Option<i64>,
}

impl ApiKey {
    /// What the key allows now: never more than its maker may, and nothing once they left.
    pub fn effective_role(&self) -> Option<Role> {
        self.creator_role.map(|creator| creator.min(self.role))
    }
}

const SELECT: &str =
    "SELECT api_keys.id, api_keys.organization_id, api_keys.name, api_keys.prefix, api_keys.role, api_keys.access, api_keys.created_by,
        users.name, members.role, api_keys.created_at, api_keys.expires_at, api_keys.last_used_at, api_keys.revoked_at, api_keys.exposed_at
    FROM api_keys JOIN users ON users.id = api_keys.created_by
    LEFT JOIN members ON members.organization_id = api_keys.organization_id AND members.user_id = api_keys.created_by";

fn read(row: &Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: ApiKeyId(row.text(0)?),
        organization_id: OrganizationId(row.text(1)?),
        name: row.text(2)?,
        prefix: row.text(3)?,
        role: word(row, 4, Role::parse)?,
        access: word(row, 5, KeyAccess::parse)?,
        created_by: UserId(row.text(6)?),
        creator_name: row.text(7)?,
        creator_role: match row.opt_text(8)? {
            Some(_) => Some(word(row, 8, Role::parse)?),
            None => None,
        },
        created_at: row.int(9)?,
        expires_at: row.opt_int(10)?,
        last_used_at: row.opt_int(11)?,
        revoked_at: row.opt_int(12)?,
        exposed_at: row.opt_int(13)?,
    })
}

pub struct NewApiKey<'a> {
    pub id: &'a ApiKeyId,
    pub organization_id: &'a OrganizationId,
    pub name: &'a str,
    pub secret: &'a str,
    pub prefix: &'a str,
    pub role: Role,
    pub access: KeyAccess,
    /// Empty: every company the role reaches.
    pub companies: &'a [CompanyId],
    pub created_by: &'a UserId,
    pub expires_at: Option<i64>,
    pub now_ms: i64,
}

pub async fn insert(conn: &mut Tx, key: &NewApiKey<'_>) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO api_keys (id, organization_id, name, prefix, secret_hash, role, access, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![
            key.id,
            key.organization_id,
            key.name,
            key.prefix,
            token_hash(key.secret),
            key.role.as_str(),
            key.access.as_str(),
            key.created_by,
            key.now_ms,
            key.expires_at,
        ],
    )
    .await?;
    for company_id in key.companies {
        conn.execute("INSERT INTO api_key_companies (key_id, company_id) VALUES ($1, $2)", args![key.id, company_id]).await?;
    }
    Ok(())
}

/// The key of a secret, whatever its state: the caller tells an expired one from an unknown one.
pub async fn find_by_secret(conn: &mut Conn, secret: &str) -> Result<Option<ApiKey>, StoreError> {
    let sql = format!("{SELECT} WHERE api_keys.secret_hash = $1");
    conn.query_assembled(sql, args![token_hash(secret)]).await?.first().map(read).transpose()
}

pub async fn find(conn: &mut Conn, organization_id: &OrganizationId, id: &ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
    let sql = format!("{SELECT} WHERE api_keys.organization_id = $1 AND api_keys.id = $2");
    conn.query_assembled(sql, args![organization_id, id]).await?.first().map(read).transpose()
}

/// Keys of an organization, newest first, revoked ones included.
pub async fn list(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<ApiKey>, StoreError> {
    let sql = format!("{SELECT} WHERE api_keys.organization_id = $1 ORDER BY api_keys.id DESC");
    conn.query_assembled(sql, args![organization_id]).await?.iter().map(read).collect()
}

/// The companies a key is confined to; `None` when it is not.
pub async fn companies(conn: &mut Conn, id: &ApiKeyId) -> Result<Option<BTreeSet<CompanyId>>, StoreError> {
    let rows = conn.query("SELECT company_id FROM api_key_companies WHERE key_id = $1", args![id]).await?;
    let companies = rows.iter().map(|row| Ok(CompanyId(row.text(0)?))).collect::<Result<BTreeSet<_>, StoreError>>()?;
    Ok((!companies.is_empty()).then_some(companies))
}

pub async fn touch(conn: &mut Tx, id: &ApiKeyId, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE api_keys SET last_used_at = $2 WHERE id = $1", args![id, now_ms]).await?;
    Ok(())
}

/// It stood in an address: whoever keeps logs may have it now.
pub async fn note_exposed(conn: &mut Tx, secret: &str, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE api_keys SET exposed_at = COALESCE(exposed_at, $2) WHERE secret_hash = $1", args![token_hash(secret), now_ms]).await?;
    Ok(())
}

/// Ends a key for good. False when it had ended already.
pub async fn revoke(conn: &mut Tx, organization_id: &OrganizationId, id: &ApiKeyId, now_ms: i64) -> Result<bool, StoreError> {
    let revoked = conn
        .execute(
            "UPDATE api_keys SET revoked_at = $3 WHERE organization_id = $1 AND id = $2 AND revoked_at IS NULL",
            args![organization_id, id, now_ms],
        )
        .await?;
    Ok(revoked == 1)
}
