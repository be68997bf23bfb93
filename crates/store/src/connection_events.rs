//! What happened to an account and who did it: connected, refused, repaired, companies won and lost.
use crate::args;
use crate::db::{Conn, Tx};
use crate::error::StoreError;
use domain::ids::{CompanyId, ConnectionId, OrganizationId, UserId};

pub struct NewEvent<'a> {
    pub id: String,
    pub organization_id: &'a OrganizationId,
    pub connection_id: &'a ConnectionId,
    /// A word of `engine::connections::Happening`.
    pub kind: &'a str,
    pub user_id: Option<&'a UserId>,
    pub company_id: Option<&'a CompanyId>,
    pub now_ms: i64,
}

#[derive(Clone, Debug)]
pub struct Event {
    pub kind: String,
    /// Name of the person, where one did it and is still known.
    pub user_name: Option<String>,
    pub company: Option<(CompanyId, String)>,
    pub happened_at: i64,
}

pub async fn insert(conn: &mut Tx, new: &NewEvent<'_>) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO connection_events (id, organization_id, connection_id, kind, user_id, company_id, happened_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![
            new.id.as_str(),
            new.organization_id,
            new.connection_id,
            new.kind,
            new.user_id.map(|id| id.as_str()),
            new.company_id.map(|id| id.as_str()),
            new.now_ms,
        ],
    )
    .await?;
    Ok(())
}

/// The latest events of a connection, newest first.
pub async fn list(conn: &mut Conn, connection_id: &ConnectionId, limit: i64) -> Result<Vec<Event>, StoreError> {
    conn.query(
        "SELECT connection_events.kind, users.name, companies.id, companies.name, connection_events.happened_at FROM connection_events
         LEFT JOIN users ON users.id = connection_events.user_id LEFT JOIN companies ON companies.id = connection_events.company_id
         WHERE connection_events.connection_id = $1 ORDER BY connection_events.id DESC LIMIT $2",
        args![connection_id, limit],
    )
    .await?
    .iter()
    .map(|row| {
        let company = match (row.opt_text(2)?, row.opt_text(3)?) {
            (Some(id), Some(name)) => Some((CompanyId(id), name)),
            _ => None,
        };
        Ok(Event { kind: row.text(0)?, user_name: row.opt_text(1)?, company, happened_at: row.int(4)? })
    })
    .collect()
}
