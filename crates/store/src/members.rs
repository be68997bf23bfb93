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

/// Where a sign-in leads: the organization this person used last, else the first by name.
pub async fn find_latest_organization(conn: &mut Conn, user_id: &UserId) -> Result<Option<OrganizationId>, StoreError> {
    conn.query_opt(
        "SELECT organizations.id FROM members JOIN organizations ON organizations.id = members.organization_id
         WHERE members.user_id = $1 ORDER BY COALESCE(members.seen_at, 0) DESC, organizations.name, organizations.id LIMIT 1",
        args![user_id],
    )
    .await?
    .map(|row| Ok(OrganizationId(row.text(0)?)))
    .transpose()
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

/// A member as the page of members shows one.
#[derive(Clone, Debug)]
pub struct Member {
    pub user_id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub joined_at: i64,
    pub seen_at: Option<i64>,
    /// Of how many organizations this person is a member.
    pub organizations: i64,
    pub has_second_factor: bool,
}

/// The members of an organization, by name.
pub async fn list(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<Member>, StoreError> {
    conn.query(
        "SELECT users.id, users.name, users.email, members.role, members.joined_at, members.seen_at,
                (SELECT COUNT(*) FROM members AS others WHERE others.user_id = users.id), second_factors.confirmed_at
         FROM members JOIN users ON users.id = members.user_id LEFT JOIN second_factors ON second_factors.user_id = users.id
         WHERE members.organization_id = $1 ORDER BY users.name, users.id",
        args![organization_id],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Member {
            user_id: UserId(row.text(0)?),
            name: row.text(1)?,
            email: row.text(2)?,
            role: word(row, 3, Role::parse)?,
            joined_at: row.int(4)?,
            seen_at: row.opt_int(5)?,
            organizations: row.int(6)?,
            has_second_factor: row.opt_int(7)?.is_some(),
        })
    })
    .collect()
}

/// Holds the organization's row until the transaction ends: changes of roles happen one after the other, so that two Owners who demote each other
/// at once do not both succeed. False when there is no such organization.
pub async fn lock(conn: &mut Tx, organization_id: &OrganizationId) -> Result<bool, StoreError> {
    Ok(conn.execute("UPDATE organizations SET name = name WHERE id = $1", args![organization_id]).await? == 1)
}

pub async fn count_owners(conn: &mut Conn, organization_id: &OrganizationId) -> Result<i64, StoreError> {
    conn.query_one("SELECT COUNT(*) FROM members WHERE organization_id = $1 AND role = 'owner'", args![organization_id]).await?.int(0)
}

pub async fn set_role(conn: &mut Tx, organization_id: &OrganizationId, user_id: &UserId, role: Role) -> Result<bool, StoreError> {
    let changed = conn
        .execute("UPDATE members SET role = $3 WHERE organization_id = $1 AND user_id = $2", args![organization_id, user_id, role.as_str()])
        .await?;
    Ok(changed == 1)
}

/// Removes somebody from an organization, with the companies assigned there and the sessions begun there.
pub async fn remove(conn: &mut Tx, organization_id: &OrganizationId, user_id: &UserId) -> Result<bool, StoreError> {
    conn.execute("DELETE FROM company_readers WHERE organization_id = $1 AND user_id = $2", args![organization_id, user_id]).await?;
    conn.execute("DELETE FROM sessions WHERE organization_id = $1 AND user_id = $2", args![organization_id, user_id]).await?;
    Ok(conn.execute("DELETE FROM members WHERE organization_id = $1 AND user_id = $2", args![organization_id, user_id]).await? == 1)
}

/// Notes that somebody is here.
pub async fn touch(conn: &mut Tx, organization_id: &OrganizationId, user_id: &UserId, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE members SET seen_at = $3 WHERE organization_id = $1 AND user_id = $2", args![organization_id, user_id, now_ms]).await?;
    Ok(())
}

pub async fn rename_organization(conn: &mut Tx, id: &OrganizationId, name: &str) -> Result<(), StoreError> {
    conn.execute("UPDATE organizations SET name = $2 WHERE id = $1", args![id, name]).await?;
    Ok(())
}

pub async fn set_password(conn: &mut Tx, user_id: &UserId, password_hash: &str) -> Result<(), StoreError> {
    conn.execute("UPDATE users SET password_hash = $2 WHERE id = $1", args![user_id, password_hash]).await?;
    Ok(())
}

pub async fn set_name(conn: &mut Tx, user_id: &UserId, name: &str) -> Result<(), StoreError> {
    conn.execute("UPDATE users SET name = $2 WHERE id = $1", args![user_id, name]).await?;
    Ok(())
}

/// Another address, in lower case. False when somebody else has it.
pub async fn set_email(conn: &mut Tx, user_id: &UserId, email: &str) -> Result<bool, StoreError> {
    let changed = conn
        .execute(
            "UPDATE users SET email = $2 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM users AS others WHERE others.email = $2 AND others.id <> $1)",
            args![user_id, email.to_lowercase()],
        )
        .await?;
    Ok(changed == 1)
}

pub async fn count_users(conn: &mut Conn) -> Result<i64, StoreError> {
    conn.query_one("SELECT COUNT(*) FROM users", vec![]).await?.int(0)
}
