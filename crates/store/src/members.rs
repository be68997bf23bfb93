//! Organizations, users, and who belongs where in which role.
use crate::args;
use crate::columns::word;
use crate::db::{Conn, Tx};
use crate::error::StoreError;
use domain::ids::{OrganizationId, UserId};
use domain::organization::Role;

#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    /// An argon2 hash in PHC form; `None` until a password is set.
    pub password_hash: Option<String>,
}

pub async fn insert_organization(conn: &mut Tx, id: &OrganizationId, name: &str, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, $3)", args![id, name, now_ms]).await?;
    Ok(())
}

pub async fn organization_name(conn: &mut Conn, id: &OrganizationId) -> Result<Option<String>, StoreError> {
    conn.query_opt("SELECT name FROM organizations WHERE id = $1", args![id]).await?.map(|row| row.text(0)).transpose()
}

pub async fn first_organization(conn: &mut Conn) -> Result<Option<OrganizationId>, StoreError> {
    conn.query_opt("SELECT id FROM organizations ORDER BY created_at, id LIMIT 1", vec![])
        .await?
        .map(|row| Ok(OrganizationId(row.text(0)?)))
        .transpose()
}

/// E-mail addresses are kept in lower case; false when the address is taken.
pub async fn insert_user(conn: &mut Tx, user: &User, now_ms: i64) -> Result<bool, StoreError> {
    let inserted = conn
        .execute(
            "INSERT INTO users (id, email, name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (email) DO NOTHING",
            args![&user.id, user.email.to_lowercase(), user.name.as_str(), user.password_hash.clone(), now_ms],
        )
        .await?;
    Ok(inserted == 1)
}

pub async fn add(conn: &mut Tx, organization_id: &OrganizationId, user_id: &UserId, role: Role, now_ms: i64) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO members (organization_id, user_id, role, joined_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role",
        args![organization_id, user_id, role.as_str(), now_ms],
    )
    .await?;
    Ok(())
}

pub async fn find_user_by_email(conn: &mut Conn, email: &str) -> Result<Option<User>, StoreError> {
    conn.query_opt("SELECT id, email, name, password_hash FROM users WHERE email = $1", args![email.trim().to_lowercase()])
        .await?
        .map(|row| Ok(User { id: UserId(row.text(0)?), email: row.text(1)?, name: row.text(2)?, password_hash: row.opt_text(3)? }))
        .transpose()
}

pub async fn find_user(conn: &mut Conn, id: &UserId) -> Result<Option<User>, StoreError> {
    conn.query_opt("SELECT id, email, name, password_hash FROM users WHERE id = $1", args![id])
        .await?
        .map(|row| Ok(User { id: UserId(row.text(0)?), email: row.text(1)?, name: row.text(2)?, password_hash: row.opt_text(3)? }))
        .transpose()
}

pub async fn role_of(conn: &mut Conn, organization_id: &OrganizationId, user_id: &UserId) -> Result<Option<Role>, StoreError> {
    conn.query_opt("SELECT role FROM members WHERE organization_id = $1 AND user_id = $2", args![organization_id, user_id])
        .await?
        .map(|row| word(&row, 0, Role::parse))
        .transpose()
}

/// Organizations of a user: (id, name, role).
pub async fn list_organizations(conn: &mut Conn, user_id: &UserId) -> Result<Vec<(OrganizationId, String, Role)>, StoreError> {
    conn.query(
        "SELECT organizations.id, organizations.name, members.role FROM members JOIN organizations ON organizations.id = members.organization_id
         WHERE members.user_id = $1 ORDER BY organizations.name, organizations.id",
        args![user_id],
    )
    .await?
    .iter()
    .map(|row| Ok((OrganizationId(row.text(0)?), row.text(1)?, word(row, 2, Role::parse)?)))
    .collect()
}

/// Names of the members of an organization, by user: whoever asked for a run is shown by name.
pub async fn list_names(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<(UserId, String)>, StoreError> {
    conn.query(
        "SELECT users.id, users.name FROM members JOIN users ON users.id = members.user_id WHERE members.organization_id = $1 ORDER BY users.name, users.id",
        args![organization_id],
    )
    .await?
    .iter()
    .map(|row| Ok((UserId(row.text(0)?), row.text(1)?)))
    .collect()
}

pub async fn count_users(conn: &mut Conn) -> Result<i64, StoreError> {
    conn.query_one("SELECT COUNT(*) FROM users", vec![]).await?.int(0)
}
