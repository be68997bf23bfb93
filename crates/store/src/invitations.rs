//! Invitations: who is asked into an organization, in which role, until when.
use crate::args;
use crate::columns::word;
use crate::db::{Conn, Row, Store, Tx};
use crate::error::StoreError;
use crate::seal::token_hash;
use domain::ids::{CompanyId, OrganizationId, UserId};
use domain::organization::Role;

#[derive(Clone, Debug)]
pub struct Invitation {
    pub id: String,
    pub organization_id: OrganizationId,
    pub organization_name: String,
    pub email: String,
    pub role: Role,
    /// For a Member: what is assigned on joining.
    pub company_ids: Vec<CompanyId>,
    /// Who invited, by name.
    pub invited_by: String,
    pub sent_at: i64,
    pub expires_at: i64,
    pub accepted_at: Option<i64>,
    pub declined_at: Option<i64>,
    pub cancelled_at: Option<i64>,
    sealed_token: Vec<u8>,
}

impl Invitation {
    /// Neither accepted, declined nor cancelled; it may have expired.
    pub fn is_open(&self) -> bool {
        self.accepted_at.is_none() && self.declined_at.is_none() && self.cancelled_at.is_none()
    }
    pub fn is_valid(&self, now_ms: i64) -> bool {
        self.is_open() && now_ms < self.expires_at
    }
    /// The secret of its link.
    pub fn token(&self, store: &Store) -> Result<String, StoreError> {
        store.sealer.open_text("invitations.token", &self.id, &self.sealed_token)
    }
}

pub struct NewInvitation<'a> {
    pub id: &'a str,
    pub organization_id: &'a OrganizationId,
    /// In lower case.
    pub email: &'a str,
    pub role: Role,
    pub company_ids: &'a [CompanyId],
    pub token: &'a str,
    pub invited_by: &'a UserId,
    pub now_ms: i64,
    pub expires_at: i64,
}

const SELECT: &str = "SELECT invitations.id, invitations.organization_id, organizations.name, invitations.email, invitations.role, invitations.company_ids,
       users.name, invitations.sent_at, invitations.expires_at, invitations.accepted_at, invitations.declined_at, invitations.cancelled_at, invitations.token
FROM invitations JOIN organizations ON organizations.id = invitations.organization_id JOIN users ON users.id = invitations.invited_by";

fn read(row: &Row) -> Result<Invitation, StoreError> {
    let company_ids = row.text(5)?;
    Ok(Invitation {
        id: row.text(0)?,
        organization_id: OrganizationId(row.text(1)?),
        organization_name: row.text(2)?,
        email: row.text(3)?,
        role: word(row, 4, Role::parse)?,
        company_ids: serde_json::from_str(&company_ids).map_err(|_| StoreError::Unreadable("the companies of an invitation".into()))?,
        invited_by: row.text(6)?,
        sent_at: row.int(7)?,
        expires_at: row.int(8)?,
        accepted_at: row.opt_int(9)?,
        declined_at: row.opt_int(10)?,
        cancelled_at: row.opt_int(11)?,
        sealed_token: row.bytes(12)?,
    })
}

/// False when this address has an open invitation already: the unique index decides, also between two who invite at once.
pub async fn insert(store: &Store, conn: &mut Tx, new: &NewInvitation<'_>) -> Result<bool, StoreError> {
    let sealed = store.sealer.seal("invitations.token", new.id, new.token.as_bytes());
    let company_ids = serde_json::to_string(new.company_ids).expect("ids are plain text");
    let written = conn
        .execute(
            "INSERT INTO invitations (id, organization_id, email, role, company_ids, token_hash, token, invited_by, created_at, sent_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10) ON CONFLICT DO NOTHING",
            args![
                new.id,
                new.organization_id,
                new.email,
                new.role.as_str(),
                company_ids,
                token_hash(new.token),
                sealed,
                new.invited_by,
                new.now_ms,
                new.expires_at,
            ],
        )
        .await?;
    Ok(written == 1)
}

pub async fn find(conn: &mut Conn, organization_id: &OrganizationId, id: &str) -> Result<Option<Invitation>, StoreError> {
    let sql = format!("{SELECT} WHERE invitations.organization_id = $1 AND invitations.id = $2");
    conn.query_assembled(sql, args![organization_id, id]).await?.first().map(read).transpose()
}

pub async fn find_by_token(conn: &mut Conn, token: &str) -> Result<Option<Invitation>, StoreError> {
    let sql = format!("{SELECT} WHERE invitations.token_hash = $1");
    conn.query_assembled(sql, args![token_hash(token)]).await?.first().map(read).transpose()
}

/// Open ones, the latest first; expired ones among them can be sent again.
pub async fn list_open(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<Invitation>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE invitations.organization_id = $1 AND invitations.accepted_at IS NULL AND invitations.declined_at IS NULL
           AND invitations.cancelled_at IS NULL ORDER BY invitations.created_at DESC, invitations.id DESC"
    );
    conn.query_assembled(sql, args![organization_id]).await?.iter().map(read).collect()
}

/// Sends it once more: its time begins again, its link stays.
pub async fn renew(conn: &mut Tx, id: &str, now_ms: i64, expires_at: i64) -> Result<bool, StoreError> {
    let renewed = conn
        .execute(
            "UPDATE invitations SET sent_at = $2, expires_at = $3
             WHERE id = $1 AND accepted_at IS NULL AND declined_at IS NULL AND cancelled_at IS NULL",
            args![id, now_ms, expires_at],
        )
        .await?;
    Ok(renewed == 1)
}

/// How an invitation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Accepted,
    Declined,
    Cancelled,
}

/// Ends it, once; false when it had ended, or when its time is over and it was to be accepted or declined.
pub async fn end(conn: &mut Tx, id: &str, ending: Ending, now_ms: i64) -> Result<bool, StoreError> {
    let sql = match ending {
        Ending::Accepted => {
            "UPDATE invitations SET accepted_at = $2
             WHERE id = $1 AND expires_at > $2 AND accepted_at IS NULL AND declined_at IS NULL AND cancelled_at IS NULL"
        }
        Ending::Declined => {
            "UPDATE invitations SET declined_at = $2
             WHERE id = $1 AND expires_at > $2 AND accepted_at IS NULL AND declined_at IS NULL AND cancelled_at IS NULL"
        }
        Ending::Cancelled => {
            "UPDATE invitations SET cancelled_at = $2
             WHERE id = $1 AND accepted_at IS NULL AND declined_at IS NULL AND cancelled_at IS NULL"
        }
    };
    Ok(conn.execute(sql, args![id, now_ms]).await? == 1)
}
