//! Which companies somebody reads: all of the organization, or those assigned to a Member.
use crate::args;
use crate::db::{Arg, Conn, Tx};
use crate::error::StoreError;
use domain::ids::{CompanyId, OrganizationId, UserId};
use domain::organization::Role;
use std::collections::BTreeSet;

/// Whose eyes look at an organization. Functions that list what belongs to companies ask for it, so that no page can forget the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Owner, Admin.
    Everything,
    /// A Member: the companies assigned to this person.
    Assigned(UserId),
}

impl Reader {
    pub fn of(role: Role, user_id: &UserId) -> Reader {
        if role >= Role::Admin { Reader::Everything } else { Reader::Assigned(user_id.clone()) }
    }
    /// Binds to `(CAST($n AS TEXT) IS NULL OR <company> IN (SELECT company_id FROM company_readers WHERE user_id = $n))`.
    pub(crate) fn arg(&self) -> Arg {
        match self {
            Reader::Everything => Arg::Text(None),
            Reader::Assigned(user_id) => Arg::Text(Some(user_id.0.clone())),
        }
    }
}

/// The companies assigned to a person, by id.
pub async fn list(conn: &mut Conn, organization_id: &OrganizationId, user_id: &UserId) -> Result<BTreeSet<CompanyId>, StoreError> {
    conn.query(
        "SELECT company_id FROM company_readers WHERE organization_id = $1 AND user_id = $2 ORDER BY company_id",
        args![organization_id, user_id],
    )
    .await?
    .iter()
    .map(|row| Ok(CompanyId(row.text(0)?)))
    .collect()
}

/// Every assignment of an organization, for the matrix of members and companies.
pub async fn list_all(conn: &mut Conn, organization_id: &OrganizationId) -> Result<BTreeSet<(UserId, CompanyId)>, StoreError> {
    conn.query("SELECT user_id, company_id FROM company_readers WHERE organization_id = $1 ORDER BY user_id, company_id", args![organization_id])
        .await?
        .iter()
        .map(|row| Ok((UserId(row.text(0)?), CompanyId(row.text(1)?))))
        .collect()
}

/// Assigns a company of this organization to one of its members. Nothing happens when either belongs elsewhere.
pub async fn add(conn: &mut Tx, organization_id: &OrganizationId, user_id: &UserId, company_id: &CompanyId, now_ms: i64) -> Result<bool, StoreError> {
    let added = conn
        .execute(
            "INSERT INTO company_readers (organization_id, user_id, company_id, added_at)
             SELECT members.organization_id, members.user_id, companies.id, CAST($4 AS BIGINT) FROM members JOIN companies ON companies.organization_id = members.organization_id
             WHERE members.organization_id = $1 AND members.user_id = $2 AND companies.id = $3
             ON CONFLICT (user_id, company_id) DO NOTHING",
            args![organization_id, user_id, company_id, now_ms],
        )
        .await?;
    Ok(added == 1)
}

pub async fn remove(conn: &mut Tx, organization_id: &OrganizationId, user_id: &UserId, company_id: &CompanyId) -> Result<bool, StoreError> {
    let removed = conn
        .execute(
            "DELETE FROM company_readers WHERE organization_id = $1 AND user_id = $2 AND company_id = $3",
            args![organization_id, user_id, company_id],
        )
        .await?;
    Ok(removed == 1)
}
