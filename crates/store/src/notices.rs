//! What people are told: the inbox, what each chose, when they are not to be disturbed, and the incidents nobody was told of yet.
use crate::args;
use crate::columns::word;
use crate::db::{Conn, Row, Store, Tx};
use crate::error::StoreError;
use domain::ids::{CompanyId, OrganizationId, UserId};
use domain::notice::{NoticeKind, QuietHours};
use domain::problem::ProblemKind;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// One line of somebody's inbox.
#[derive(Clone, Debug)]
pub struct Notice {
    pub id: String,
    pub kind: NoticeKind,
    pub title: String,
    pub text: String,
    pub href: String,
    pub created_at: i64,
    pub read_at: Option<i64>,
    /// When the incident it tells of was closed.
    pub resolved_at: Option<i64>,
}

pub struct NewNotice<'a> {
    pub id: String,
    pub organization_id: &'a OrganizationId,
    pub user_id: &'a UserId,
    pub kind: NoticeKind,
    pub dedupe_key: &'a str,
    pub incident_id: Option<&'a str>,
    pub title: &'a str,
    pub text: &'a str,
    pub href: &'a str,
    pub now_ms: i64,
}

/// Puts a notice into an inbox; false when this person was told already.
pub async fn insert(conn: &mut Tx, new: &NewNotice<'_>) -> Result<bool, StoreError> {
    let written = conn
        .execute(
            "INSERT INTO notices (id, organization_id, user_id, kind, dedupe_key, incident_id, title, text, href, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (organization_id, user_id, dedupe_key) DO NOTHING",
            args![
                new.id.as_str(),
                new.organization_id,
                new.user_id,
                new.kind.as_str(),
                new.dedupe_key,
                new.incident_id,
                new.title,
                new.text,
                new.href,
                new.now_ms,
            ],
        )
        .await?;
    Ok(written == 1)
}

fn read(row: &Row) -> Result<Notice, StoreError> {
    Ok(Notice {
        id: row.text(0)?,
        kind: word(row, 1, NoticeKind::parse)?,
        title: row.text(2)?,
        text: row.text(3)?,
        href: row.text(4)?,
        created_at: row.int(5)?,
        read_at: row.opt_int(6)?,
        resolved_at: row.opt_int(7)?,
    })
}

/// Somebody's inbox, newest first.
pub async fn list(conn: &mut Conn, organization_id: &OrganizationId, user_id: &UserId, limit: i64) -> Result<Vec<Notice>, StoreError> {
    list_page(conn, organization_id, user_id, None, limit).await
}

/// A page of the same; `before` is where the last one ended: when its last notice was made, and its id.
pub async fn list_page(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
    before: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<Notice>, StoreError> {
    let (created_at, id) = before.unwrap_or((i64::MAX, ""));
    conn.query(
        "SELECT notices.id, notices.kind, notices.title, notices.text, notices.href, notices.created_at, notices.read_at, incidents.closed_at
         FROM notices LEFT JOIN incidents ON incidents.id = notices.incident_id
         WHERE notices.organization_id = $1 AND notices.user_id = $2
           AND (notices.created_at < $3 OR (notices.created_at = $3 AND notices.id < $4)) ORDER BY notices.created_at DESC, notices.id DESC LIMIT $5",
        args![organization_id, user_id, created_at, id, limit],
    )
    .await?
    .iter()
    .map(read)
    .collect()
}

pub async fn find(conn: &mut Conn, organization_id: &OrganizationId, user_id: &UserId, id: &str) -> Result<Option<Notice>, StoreError> {
    conn.query_opt(
        "SELECT notices.id, notices.kind, notices.title, notices.text, notices.href, notices.created_at, notices.read_at, incidents.closed_at
         FROM notices LEFT JOIN incidents ON incidents.id = notices.incident_id
         WHERE notices.organization_id = $1 AND notices.user_id = $2 AND notices.id = $3",
        args![organization_id, user_id, id],
    )
    .await?
    .as_ref()
    .map(read)
    .transpose()
}

pub async fn count_unread(conn: &mut Conn, organization_id: &OrganizationId, user_id: &UserId) -> Result<i64, StoreError> {
    conn.query_one("SELECT COUNT(*) FROM notices WHERE organization_id = $1 AND user_id = $2 AND read_at IS NULL", args![organization_id, user_id])
        .await?
        .int(0)
}

/// Marks one of somebody's notices as read; where it leads. `None`: there is no such notice in this inbox.
pub async fn mark_read(
    conn: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
    id: &str,
    now_ms: i64,
) -> Result<Option<String>, StoreError> {
    conn.query_opt(
        "UPDATE notices SET read_at = COALESCE(read_at, $4) WHERE organization_id = $1 AND user_id = $2 AND id = $3 RETURNING href",
        args![organization_id, user_id, id, now_ms],
    )
    .await?
    .map(|row| row.text(0))
    .transpose()
}

pub async fn mark_all_read(conn: &mut Tx, organization_id: &OrganizationId, user_id: &UserId, now_ms: i64) -> Result<u64, StoreError> {
    conn.execute(
        "UPDATE notices SET read_at = $3 WHERE organization_id = $1 AND user_id = $2 AND read_at IS NULL",
        args![organization_id, user_id, now_ms],
    )
    .await
}

/// How somebody wants to be told of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub in_app: bool,
    pub mail: bool,
}

/// Until somebody chooses: both.
pub const USUAL: Choice = Choice { in_app: true, mail: true };

pub async fn choices(conn: &mut Conn, organization_id: &OrganizationId, user_id: &UserId) -> Result<BTreeMap<NoticeKind, Choice>, StoreError> {
    let mut choices: BTreeMap<NoticeKind, Choice> = NoticeKind::CHOSEN.into_iter().map(|kind| (kind, USUAL)).collect();
    let rows = conn
        .query(
            "SELECT kind, in_app, mail FROM notice_choices WHERE organization_id = $1 AND user_id = $2 ORDER BY kind",
            args![organization_id, user_id],
        )
        .await?;
    for row in rows {
        if let Some(kind) = NoticeKind::parse(&row.text(0)?) {
            choices.insert(kind, Choice { in_app: row.int(1)? == 1, mail: row.int(2)? == 1 });
        }
    }
    Ok(choices)
}

pub async fn set_choice(
    conn: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
    kind: NoticeKind,
    choice: Choice,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO notice_choices (organization_id, user_id, kind, in_app, mail) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (organization_id, user_id, kind) DO UPDATE SET in_app = excluded.in_app, mail = excluded.mail",
        args![organization_id, user_id, kind.as_str(), i64::from(choice.in_app), i64::from(choice.mail)],
    )
    .await?;
    Ok(())
}

pub async fn quiet_hours(conn: &mut Conn, organization_id: &OrganizationId, user_id: &UserId) -> Result<Option<QuietHours>, StoreError> {
    conn.query_opt(
        "SELECT from_minute, until_minute, time_zone FROM quiet_hours WHERE organization_id = $1 AND user_id = $2",
        args![organization_id, user_id],
    )
    .await?
    .map(|row| {
        let zone = TimeZone::get(&row.text(2)?).unwrap_or(TimeZone::UTC);
        Ok(QuietHours { from_minute: row.int(0)?, until_minute: row.int(1)?, zone })
    })
    .transpose()
}

/// Sets or, with `None`, removes somebody's quiet hours.
pub async fn set_quiet_hours(
    conn: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
    quiet: Option<&QuietHours>,
) -> Result<(), StoreError> {
    match quiet {
        None => conn.execute("DELETE FROM quiet_hours WHERE organization_id = $1 AND user_id = $2", args![organization_id, user_id]).await?,
        Some(quiet) => {
            conn.execute(
                "INSERT INTO quiet_hours (organization_id, user_id, from_minute, until_minute, time_zone) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (organization_id, user_id)
                 DO UPDATE SET from_minute = excluded.from_minute, until_minute = excluded.until_minute, time_zone = excluded.time_zone",
                args![organization_id, user_id, quiet.from_minute, quiet.until_minute, quiet.zone.iana_name().unwrap_or("UTC")],
            )
            .await?
        }
    };
    Ok(())
}

/// Somebody who is told: Owners and Admins are.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub user_id: UserId,
    pub email: String,
}

pub async fn recipients(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<Recipient>, StoreError> {
    conn.query(
        "SELECT users.id, users.email FROM members JOIN users ON users.id = members.user_id
         WHERE members.organization_id = $1 AND members.role IN ('owner', 'admin') ORDER BY users.id",
        args![organization_id],
    )
    .await?
    .iter()
    .map(|row| Ok(Recipient { user_id: UserId(row.text(0)?), email: row.text(1)? }))
    .collect()
}

/// Where an organization's chat is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertWebhook {
    pub host: String,
    pub kinds: Vec<NoticeKind>,
    pub set_at: i64,
}

pub async fn webhook(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Option<AlertWebhook>, StoreError> {
    conn.query_opt("SELECT host, kinds, set_at FROM alert_webhooks WHERE organization_id = $1", args![organization_id])
        .await?
        .map(|row| {
            let words: Vec<String> = serde_json::from_str(&row.text(1)?).map_err(|_| StoreError::Unreadable("the kinds of a webhook".to_owned()))?;
            Ok(AlertWebhook { host: row.text(0)?, kinds: words.iter().filter_map(|word| NoticeKind::parse(word)).collect(), set_at: row.int(2)? })
        })
        .transpose()
}

/// The address itself: only the delivery needs it.
pub async fn webhook_url(store: &Store, conn: &mut Conn, organization_id: &OrganizationId) -> Result<Option<String>, StoreError> {
    match conn.query_opt("SELECT url FROM alert_webhooks WHERE organization_id = $1", args![organization_id]).await? {
        Some(row) => Ok(Some(store.sealer.open_text("alert_webhooks.url", organization_id.as_str(), &row.bytes(0)?)?)),
        None => Ok(None),
    }
}

/// Sets where the chat is told, and of what. Without an address the one that is set stays.
#[allow(clippy::too_many_arguments)] // one column each
pub async fn set_webhook(
    store: &Store,
    conn: &mut Tx,
    organization_id: &OrganizationId,
    address: Option<(&str, &str)>,
    kinds: &[NoticeKind],
    by: &UserId,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let words = serde_json::to_string(&words).expect("words are plain data");
    let written = match address {
        None => {
            conn.execute(
                "UPDATE alert_webhooks SET kinds = $2, set_by = $3, set_at = $4 WHERE organization_id = $1",
                args![organization_id, words, by, now_ms],
            )
            .await?
        }
        Some((url, host)) => {
            let sealed = store.sealer.seal("alert_webhooks.url", organization_id.as_str(), url.as_bytes());
            conn.execute(
                "INSERT INTO alert_webhooks (organization_id, url, host, kinds, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (organization_id) DO UPDATE SET url = excluded.url, host = excluded.host, kinds = excluded.kinds,
                             set_by = excluded.set_by, set_at = excluded.set_at",
                args![organization_id, sealed, host, words, by, now_ms],
            )
            .await?
        }
    };
    Ok(written == 1)
}

pub async fn remove_webhook(conn: &mut Tx, organization_id: &OrganizationId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM alert_webhooks WHERE organization_id = $1", args![organization_id]).await? == 1)
}

/// An open incident nobody was told of yet, with what decides whether it is time.
#[derive(Clone, Debug)]
pub struct Untold {
    pub id: String,
    pub organization_id: OrganizationId,
    pub kind: ProblemKind,
    /// The most runs of one company that ended with it.
    pub runs: i64,
    /// Companies of it that are being synced now.
    pub active: i64,
}

pub async fn list_untold(conn: &mut Conn, limit: i64) -> Result<Vec<Untold>, StoreError> {
    conn.query(
        "SELECT incidents.id, incidents.organization_id, incidents.kind,
                (SELECT CAST(COALESCE(MAX(incident_companies.runs), 0) AS BIGINT) FROM incident_companies WHERE incident_companies.incident_id = incidents.id),
                (SELECT COUNT(*) FROM incident_companies JOIN runs ON runs.dedupe_key = 'sync:' || incident_companies.company_id
                 WHERE incident_companies.incident_id = incidents.id AND runs.state IN ('queued', 'running'))
         FROM incidents WHERE incidents.closed_at IS NULL AND incidents.alerted_at IS NULL ORDER BY incidents.opened_at, incidents.id LIMIT $1",
        args![limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Untold {
            id: row.text(0)?,
            organization_id: OrganizationId(row.text(1)?),
            kind: word(row, 2, ProblemKind::parse)?,
            runs: row.int(3)?,
            active: row.int(4)?,
        })
    })
    .collect()
}

/// Takes the right to tell of an incident; of several nodes one gets it.
pub async fn take_untold(conn: &mut Tx, incident_id: &str, now_ms: i64) -> Result<bool, StoreError> {
    let taken = conn
        .execute("UPDATE incidents SET alerted_at = $2 WHERE id = $1 AND alerted_at IS NULL AND closed_at IS NULL", args![incident_id, now_ms])
        .await?;
    Ok(taken == 1)
}

/// A company that has not been synced for long.
#[derive(Clone, Debug)]
pub struct Stale {
    pub company_id: CompanyId,
    pub name: String,
    pub organization_id: OrganizationId,
    /// Its last success, or when it was linked.
    pub since: i64,
}

/// Companies that ought to be synced and have not been for `after_ms`, or for four of their intervals where that is longer; without those an open
/// incident or a refused account explains, and those that people were told of.
pub async fn list_stale(conn: &mut Conn, now_ms: i64, after_ms: i64) -> Result<Vec<Stale>, StoreError> {
    conn.query(
        "SELECT companies.id, companies.name, companies.organization_id, COALESCE(companies.last_success_at, companies.linked_at)
         FROM companies JOIN connections ON connections.id = companies.connection_id
         WHERE companies.linked_at IS NOT NULL AND companies.paused_at IS NULL AND connections.state = 'active'
           AND COALESCE(companies.last_success_at, companies.linked_at) < $2
           AND COALESCE(companies.last_success_at, companies.linked_at) < $1 - companies.interval_secs * 4000
           AND NOT EXISTS (SELECT 1 FROM incident_companies WHERE incident_companies.company_id = companies.id AND incident_companies.resolved_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM stale_told WHERE stale_told.company_id = companies.id
                           AND stale_told.since = COALESCE(companies.last_success_at, companies.linked_at))
         ORDER BY companies.organization_id, companies.name, companies.id",
        args![now_ms, now_ms - after_ms],
    )
    .await?
    .iter()
    .map(|row| Ok(Stale { company_id: CompanyId(row.text(0)?), name: row.text(1)?, organization_id: OrganizationId(row.text(2)?), since: row.int(3)? }))
    .collect()
}

/// When an organization was told of stale companies last.
pub async fn last_stale_at(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Option<i64>, StoreError> {
    conn.query_one("SELECT CAST(MAX(told_at) AS BIGINT) FROM stale_told WHERE organization_id = $1", args![organization_id]).await?.opt_int(0)
}

/// Takes the right to tell of a stale company; of several nodes one gets it.
pub async fn take_stale(conn: &mut Tx, stale: &Stale, now_ms: i64) -> Result<bool, StoreError> {
    let taken = conn
        .execute(
            "INSERT INTO stale_told (company_id, since, organization_id, told_at) VALUES ($1, $2, $3, $4) ON CONFLICT (company_id, since) DO NOTHING",
            args![&stale.company_id, stale.since, &stale.organization_id, now_ms],
        )
        .await?;
    Ok(taken == 1)
}
