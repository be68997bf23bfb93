//! What is to be delivered outside: written in the transaction that causes it, so that a mail about something that was rolled back is never sent
//! and one about something that happened is never forgotten. `engine::delivery` sends it, under a lease, at least once.
//!
//! To send a mail: `store::outbox::put(&engine.store, &mut tx, &NewDelivery { id: engine.make_id(), .. }).await?`, commit, then
//! `engine.wake_delivery()` so that it leaves at once instead of within five seconds. Ask `engine.can_mail()` first: without SMTP nothing is put.
use crate::args;
use crate::columns::word;
use crate::db::{Conn, Row, Store, Tx};
use crate::error::StoreError;
use domain::delivery::{DeliveryKind, DeliveryState};
use domain::ids::OrganizationId;

pub struct NewDelivery<'a> {
    /// Of the caller's making; a mail carries it as its `Message-ID`, so that a mail that arrives twice is seen to be one.
    pub id: String,
    /// None: it belongs to no organization, such as the link for a new password.
    pub organization_id: Option<&'a OrganizationId>,
    pub kind: DeliveryKind,
    /// Mail: the address.
    pub recipient: &'a str,
    pub subject: &'a str,
    /// Plain text. Kept sealed: it may hold a link that signs in.
    pub body: &'a str,
    /// Says what is told, such as `incident:<id>`: a second one for the same recipient is not written. None: always written.
    pub dedupe_key: Option<&'a str>,
    pub now_ms: i64,
}

/// One that is to be sent now, with its body opened.
pub struct Due {
    pub id: String,
    pub kind: DeliveryKind,
    pub recipient: String,
    pub subject: String,
    pub body: String,
    /// This try included.
    pub attempt: i64,
    pub lease_epoch: i64,
}

/// What became of one, for pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: String,
    pub kind: DeliveryKind,
    pub recipient: String,
    pub subject: String,
    pub state: DeliveryState,
    pub attempt: i64,
    pub run_after: i64,
    pub last_error: Option<String>,
    pub created_at: i64,
    pub finished_at: Option<i64>,
}

/// Writes one, in the caller's transaction. False when its `dedupe_key` was told to this recipient already.
pub async fn put(store: &Store, conn: &mut Tx, new: &NewDelivery<'_>) -> Result<bool, StoreError> {
    put_for(store, conn, new, new.now_ms).await
}

/// The same, to leave at a later time: nobody is to be disturbed before.
pub async fn put_for(store: &Store, conn: &mut Tx, new: &NewDelivery<'_>, leaves_at: i64) -> Result<bool, StoreError> {
    let body = store.sealer.seal("deliveries.body", &new.id, new.body.as_bytes());
    let written = conn
        .execute(
            "INSERT INTO deliveries (id, organization_id, kind, recipient, subject, body, dedupe_key, state, attempt, run_after, lease_epoch, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', 0, $8, 0, $9) ON CONFLICT DO NOTHING",
            args![
                new.id.as_str(),
                new.organization_id.map(|id| id.as_str()),
                new.kind.as_str(),
                new.recipient,
                new.subject,
                body,
                new.dedupe_key,
                leaves_at,
                new.now_ms,
            ],
        )
        .await?;
    Ok(written == 1)
}

/// True when something waits that may be sent now: looking first keeps an idle server from taking the write lock.
pub async fn has_due(conn: &mut Conn, now_ms: i64) -> Result<bool, StoreError> {
    let due = conn
        .query_opt(
            "SELECT id FROM deliveries WHERE state = 'queued' AND run_after <= $1 AND (lease_until IS NULL OR lease_until < $1) LIMIT 1",
            args![now_ms],
        )
        .await?;
    Ok(due.is_some())
}

/// Takes up to `limit` of them under a lease: another node, and this one after a crash, sends what is not settled when the lease ends.
pub async fn claim(store: &Store, conn: &mut Tx, now_ms: i64, lease_ms: i64, limit: i64) -> Result<Vec<Due>, StoreError> {
    let lock = conn.skip_locked();
    let sql = format!(
        "WITH due AS (SELECT id FROM deliveries WHERE state = 'queued' AND run_after <= $1 AND (lease_until IS NULL OR lease_until < $1)
                      ORDER BY run_after, id LIMIT $2 {lock})
         UPDATE deliveries SET attempt = attempt + 1, lease_until = $3, lease_epoch = lease_epoch + 1 WHERE id IN (SELECT id FROM due)
         RETURNING id, kind, recipient, subject, body, attempt, lease_epoch"
    );
    conn.query_assembled(sql, args![now_ms, limit, now_ms + lease_ms])
        .await?
        .iter()
        .map(|row| {
            let id = row.text(0)?;
            Ok(Due {
                kind: word(row, 1, DeliveryKind::parse)?,
                recipient: row.text(2)?,
                subject: row.text(3)?,
                body: store.sealer.open_text("deliveries.body", &id, &row.bytes(4)?)?,
                attempt: row.int(5)?,
                lease_epoch: row.int(6)?,
                id,
            })
        })
        .collect()
}

/// How a try ended.
pub enum Outcome<'a> {
    Sent,
    /// Try again at this time.
    Again {
        run_after: i64,
        error: &'a str,
    },
    Failed {
        error: &'a str,
    },
}

/// Writes how a try ended, unless another node has taken it over meanwhile. What was delivered keeps no body: the link in it is nobody's business.
pub async fn settle(conn: &mut Tx, due: &Due, outcome: &Outcome<'_>, now_ms: i64) -> Result<bool, StoreError> {
    let (id, epoch) = (due.id.as_str(), due.lease_epoch);
    let settled = match outcome {
        Outcome::Sent => {
            conn.execute(
                "UPDATE deliveries SET state = 'sent', finished_at = $3, lease_until = NULL, last_error = NULL, body = $4 WHERE id = $1 AND lease_epoch = $2",
                args![id, epoch, now_ms, Vec::<u8>::new()],
            )
            .await?
        }
        Outcome::Again { run_after, error } => {
            conn.execute(
                "UPDATE deliveries SET run_after = $3, last_error = $4, lease_until = NULL WHERE id = $1 AND lease_epoch = $2",
                args![id, epoch, *run_after, *error],
            )
            .await?
        }
        Outcome::Failed { error } => {
            conn.execute(
                "UPDATE deliveries SET state = 'failed', finished_at = $3, last_error = $4, lease_until = NULL, body = $5 WHERE id = $1 AND lease_epoch = $2",
                args![id, epoch, now_ms, *error, Vec::<u8>::new()],
            )
            .await?
        }
    };
    Ok(settled == 1)
}

/// The latest deliveries of an organization, newest first.
pub async fn list(conn: &mut Conn, organization_id: &OrganizationId, limit: i64) -> Result<Vec<Delivery>, StoreError> {
    conn.query(
        "SELECT id, kind, recipient, subject, state, attempt, run_after, last_error, created_at, finished_at FROM deliveries
         WHERE organization_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2",
        args![organization_id, limit],
    )
    .await?
    .iter()
    .map(read)
    .collect()
}

/// The latest delivery that tells this, to this recipient.
pub async fn find_by_key(conn: &mut Conn, dedupe_key: &str, recipient: &str) -> Result<Option<Delivery>, StoreError> {
    conn.query_opt(
        "SELECT id, kind, recipient, subject, state, attempt, run_after, last_error, created_at, finished_at FROM deliveries
         WHERE dedupe_key = $1 AND recipient = $2",
        args![dedupe_key, recipient],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

fn read(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.text(0)?,
        kind: word(row, 1, DeliveryKind::parse)?,
        recipient: row.text(2)?,
        subject: row.text(3)?,
        state: word(row, 4, DeliveryState::parse)?,
        attempt: row.int(5)?,
        run_after: row.int(6)?,
        last_error: row.opt_text(7)?,
        created_at: row.int(8)?,
        finished_at: row.opt_int(9)?,
    })
}
