//! Incidents: opened and closed in the transactions that write the log, so that one cause is one row however many companies it stops.
use crate::args;
use crate::columns::word;
use crate::db::{Conn, Row, Tx};
use crate::error::StoreError;
use domain::ids::{CompanyId, ConnectionId, OrganizationId, RunId};
use domain::incident::Cause;
use domain::log::Settled;
use domain::problem::ProblemKind;

#[derive(Clone, Debug)]
pub struct Incident {
    pub id: String,
    pub organization_id: OrganizationId,
    pub cause_key: String,
    pub provider: String,
    pub kind: ProblemKind,
    pub subject: String,
    pub connection_id: Option<ConnectionId>,
    pub sentence: String,
    /// Errors of the log that belong to it.
    pub errors: i64,
    pub opened_at: i64,
    pub last_seen_at: i64,
    pub last_entry_id: i64,
    pub closed_at: Option<i64>,
    pub closed_by: Option<Settled>,
    /// Companies it stops now; when it is closed, companies it stopped.
    pub companies: i64,
}

const SELECT: &str = "SELECT incidents.id, incidents.organization_id, incidents.cause_key, incidents.provider, incidents.kind, incidents.subject,
       incidents.connection_id, incidents.sentence, incidents.errors, incidents.opened_at, incidents.last_seen_at, incidents.last_entry_id,
       incidents.closed_at, incidents.closed_by,
       (SELECT COUNT(*) FROM incident_companies WHERE incident_companies.incident_id = incidents.id
               AND (incident_companies.resolved_at IS NULL OR incidents.closed_at IS NOT NULL))
FROM incidents";

fn read(row: &Row) -> Result<Incident, StoreError> {
    Ok(Incident {
        id: row.text(0)?,
        organization_id: OrganizationId(row.text(1)?),
        cause_key: row.text(2)?,
        provider: row.text(3)?,
        kind: word(row, 4, ProblemKind::parse)?,
        subject: row.text(5)?,
        connection_id: row.opt_text(6)?.map(ConnectionId),
        sentence: row.text(7)?,
        errors: row.int(8)?,
        opened_at: row.int(9)?,
        last_seen_at: row.int(10)?,
        last_entry_id: row.int(11)?,
        closed_at: row.opt_int(12)?,
        closed_by: row.opt_text(13)?.as_deref().and_then(Settled::parse),
        companies: row.int(14)?,
    })
}

/// An error that was just written to the log.
pub struct Seen<'a> {
    pub organization_id: &'a OrganizationId,
    pub cause: &'a Cause,
    pub provider: &'a str,
    pub connection_id: &'a ConnectionId,
    pub company_id: Option<&'a CompanyId>,
    pub run_id: Option<&'a RunId>,
    pub entry_id: i64,
    pub sentence: &'a str,
    pub now_ms: i64,
}

/// What an error did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub incident_id: String,
    /// It is the first of its cause.
    pub opened: bool,
    /// Runs of this company that ended with it, this one included.
    pub runs: i64,
}

/// Adds an error to the open incident of its cause, or opens one. Of several nodes that see the same cause at the same moment one opens it: the
/// others wait for its row and add to it.
pub async fn note(conn: &mut Tx, seen: &Seen<'_>) -> Result<Noted, StoreError> {
    // an entry opens at most one incident, so its id names it
    let id = seen.entry_id.to_string();
    let incident_id = conn
        .query_one(
            "INSERT INTO incidents (id, organization_id, cause_key, provider, kind, subject, data_type, connection_id, sentence, errors, opened_at,
                                    last_seen_at, last_entry_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10, $11)
             ON CONFLICT (organization_id, cause_key) WHERE closed_at IS NULL
             DO UPDATE SET errors = incidents.errors + 1, last_seen_at = excluded.last_seen_at, last_entry_id = excluded.last_entry_id,
                           sentence = excluded.sentence
             RETURNING id",
            args![
                id.as_str(),
                seen.organization_id,
                seen.cause.key.as_str(),
                seen.provider,
                seen.cause.kind.as_str(),
                seen.cause.subject.as_str(),
                seen.cause.data_type.clone(),
                is_of_account(seen.cause.kind).then_some(seen.connection_id.as_str()),
                seen.sentence,
                seen.now_ms,
                seen.entry_id,
            ],
        )
        .await?
        .text(0)?;
    conn.execute("INSERT INTO incident_entries (entry_id, incident_id) VALUES ($1, $2)", args![seen.entry_id, incident_id.as_str()]).await?;
    let opened = incident_id == id;
    if opened && seen.cause.kind == ProblemKind::NeedsReconnect {
        // none of them is asked for again until somebody signs in
        conn.execute(
            "INSERT INTO incident_companies (incident_id, company_id, first_seen_at, last_seen_at, runs)
             SELECT $1, id, $2, $2, 0 FROM companies WHERE connection_id = $3 AND linked_at IS NOT NULL
             ON CONFLICT (incident_id, company_id) DO NOTHING",
            args![incident_id.as_str(), seen.now_ms, seen.connection_id],
        )
        .await?;
    }
    let runs = match seen.company_id {
        None => 0,
        Some(company_id) => conn
            .query_one(
                "INSERT INTO incident_companies (incident_id, company_id, first_seen_at, last_seen_at, runs, last_run_id) VALUES ($1, $2, $3, $3, 1, $4)
                 ON CONFLICT (incident_id, company_id)
                 DO UPDATE SET last_seen_at = excluded.last_seen_at, resolved_at = NULL, resolved_by = NULL, last_run_id = excluded.last_run_id,
                               runs = incident_companies.runs
                                    + CASE WHEN COALESCE(incident_companies.last_run_id, '') = COALESCE(excluded.last_run_id, '') THEN 0 ELSE 1 END
                 RETURNING runs",
                args![incident_id.as_str(), company_id, seen.now_ms, seen.run_id.map(|id| id.as_str())],
            )
            .await?
            .int(0)?,
    };
    Ok(Noted { incident_id, opened, runs })
}

fn is_of_account(kind: ProblemKind) -> bool {
    matches!(kind, ProblemKind::NeedsReconnect | ProblemKind::Forbidden | ProblemKind::WrongEnvironment)
}

/// A run of this company went well: it is over for the company, except what this very run reports and records that still lie aside.
pub async fn settle_run(conn: &mut Tx, company_id: &CompanyId, run_id: &RunId, now_ms: i64) -> Result<(), StoreError> {
    let open = conn
        .query(
            "SELECT incidents.id FROM incident_companies JOIN incidents ON incidents.id = incident_companies.incident_id
             WHERE incident_companies.company_id = $1 AND incident_companies.resolved_at IS NULL AND COALESCE(incident_companies.last_run_id, '') <> $2
               AND NOT EXISTS (SELECT 1 FROM quarantine WHERE quarantine.company_id = $1 AND quarantine.data_type = incidents.data_type)
             ORDER BY incidents.id",
            args![company_id, run_id],
        )
        .await?;
    settle(conn, &open, Some(company_id), Settled::GoodRun, now_ms).await
}

/// The books of this company tie out.
pub async fn settle_tie_out(conn: &mut Tx, company_id: &CompanyId, now_ms: i64) -> Result<(), StoreError> {
    let open = conn
        .query(
            "SELECT incidents.id FROM incident_companies JOIN incidents ON incidents.id = incident_companies.incident_id
             WHERE incident_companies.company_id = $1 AND incident_companies.resolved_at IS NULL AND incidents.kind = 'does_not_tie_out'
             ORDER BY incidents.id",
            args![company_id],
        )
        .await?;
    settle(conn, &open, Some(company_id), Settled::Verified, now_ms).await
}

/// This company is no longer synced.
pub async fn settle_company(conn: &mut Tx, company_id: &CompanyId, by: Settled, now_ms: i64) -> Result<(), StoreError> {
    let open = conn
        .query("SELECT incident_id FROM incident_companies WHERE company_id = $1 AND resolved_at IS NULL ORDER BY incident_id", args![company_id])
        .await?;
    settle(conn, &open, Some(company_id), by, now_ms).await
}

/// This account signs in again, or is gone: what waited for its sign-in is over for all of its companies. An account that is gone stops its
/// companies for good, so that nothing else of them is open either.
pub async fn settle_account(conn: &mut Tx, connection_id: &ConnectionId, by: Settled, now_ms: i64) -> Result<(), StoreError> {
    let open = conn.query("SELECT id FROM incidents WHERE connection_id = $1 AND closed_at IS NULL ORDER BY id", args![connection_id]).await?;
    settle(conn, &open, None, by, now_ms).await?;
    if by == Settled::Disconnected {
        for row in conn.query("SELECT id FROM companies WHERE connection_id = $1 ORDER BY id", args![connection_id]).await? {
            settle_company(conn, &CompanyId(row.text(0)?), by, now_ms).await?;
        }
    }
    Ok(())
}

/// Resolves one company, or all, in these incidents, and closes those that stop nobody any more. The row of the incident is taken first: two
/// companies that are resolved at the same moment would otherwise each see the other one open, and nobody would close it.
async fn settle(conn: &mut Tx, incidents: &[Row], company_id: Option<&CompanyId>, by: Settled, now_ms: i64) -> Result<(), StoreError> {
    for row in incidents {
        let id = row.text(0)?;
        conn.execute("UPDATE incidents SET closed_at = closed_at WHERE id = $1", args![id.as_str()]).await?;
        match company_id {
            Some(company_id) => {
                conn.execute(
                    "UPDATE incident_companies SET resolved_at = $3, resolved_by = $4 WHERE incident_id = $1 AND company_id = $2 AND resolved_at IS NULL",
                    args![id.as_str(), company_id, now_ms, by.as_str()],
                )
                .await?
            }
            None => {
                conn.execute(
                    "UPDATE incident_companies SET resolved_at = $2, resolved_by = $3 WHERE incident_id = $1 AND resolved_at IS NULL",
                    args![id.as_str(), now_ms, by.as_str()],
                )
                .await?
            }
        };
        conn.execute(
            "UPDATE incidents SET closed_at = $2, closed_by = $3 WHERE id = $1 AND closed_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM incident_companies WHERE incident_id = $1 AND resolved_at IS NULL)",
            args![id.as_str(), now_ms, by.as_str()],
        )
        .await?;
    }
    Ok(())
}

/// Open incidents, newest first.
pub async fn list_open(conn: &mut Conn, organization_id: &OrganizationId, limit: i64) -> Result<Vec<Incident>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE incidents.organization_id = $1 AND incidents.closed_at IS NULL ORDER BY incidents.last_seen_at DESC, incidents.id DESC LIMIT $2"
    );
    conn.query_assembled(sql, args![organization_id, limit]).await?.iter().map(read).collect()
}

/// Closed incidents, the one that was closed last first.
pub async fn list_closed(conn: &mut Conn, organization_id: &OrganizationId, limit: i64) -> Result<Vec<Incident>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE incidents.organization_id = $1 AND incidents.closed_at IS NOT NULL ORDER BY incidents.closed_at DESC, incidents.id DESC LIMIT $2"
    );
    conn.query_assembled(sql, args![organization_id, limit]).await?.iter().map(read).collect()
}

/// Incidents in the order they were opened, the latest first: all of them, those that are open, or those that are over. `before` is where the last
/// page ended: when its last incident was opened, and its id.
pub async fn list_page(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    is_open: Option<bool>,
    before: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<Incident>, StoreError> {
    let state = match is_open {
        None => "",
        Some(true) => "AND incidents.closed_at IS NULL",
        Some(false) => "AND incidents.closed_at IS NOT NULL",
    };
    let (opened_at, id) = before.unwrap_or((i64::MAX, ""));
    let sql = format!(
        "{SELECT} WHERE incidents.organization_id = $1 {state} AND (incidents.opened_at < $2 OR (incidents.opened_at = $2 AND incidents.id < $3))
         ORDER BY incidents.opened_at DESC, incidents.id DESC LIMIT $4"
    );
    conn.query_assembled(sql, args![organization_id, opened_at, id, limit]).await?.iter().map(read).collect()
}

/// The incident of a provider that was opened last, whether it is open or over.
pub async fn find_newest(conn: &mut Conn, organization_id: &OrganizationId, provider: &str) -> Result<Option<Incident>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE incidents.organization_id = $1 AND incidents.provider = $2 ORDER BY incidents.opened_at DESC, incidents.id DESC LIMIT 1"
    );
    conn.query_assembled(sql, args![organization_id, provider]).await?.first().map(read).transpose()
}

pub async fn find(conn: &mut Conn, organization_id: &OrganizationId, id: &str) -> Result<Option<Incident>, StoreError> {
    let sql = format!("{SELECT} WHERE incidents.organization_id = $1 AND incidents.id = $2");
    conn.query_assembled(sql, args![organization_id, id]).await?.first().map(read).transpose()
}

/// The incident an entry of the log belongs to.
pub async fn find_by_entry(conn: &mut Conn, organization_id: &OrganizationId, entry_id: i64) -> Result<Option<Incident>, StoreError> {
    let sql =
        format!("{SELECT} WHERE incidents.organization_id = $1 AND incidents.id IN (SELECT incident_id FROM incident_entries WHERE entry_id = $2)");
    conn.query_assembled(sql, args![organization_id, entry_id]).await?.first().map(read).transpose()
}

/// How often the same cause was there before an incident, when first, and how the last of them ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    pub times: i64,
    pub first_at: i64,
    pub last_closed_at: i64,
    pub closed_by: Option<Settled>,
}

pub async fn find_before(conn: &mut Conn, incident: &Incident) -> Result<Option<Before>, StoreError> {
    let earlier = conn
        .query(
            "SELECT opened_at, closed_at, closed_by FROM incidents
             WHERE organization_id = $1 AND cause_key = $2 AND closed_at IS NOT NULL AND opened_at <= $3 AND id <> $4 ORDER BY opened_at, id",
            args![&incident.organization_id, incident.cause_key.as_str(), incident.opened_at, incident.id.as_str()],
        )
        .await?;
    let (Some(first), Some(last)) = (earlier.first(), earlier.last()) else { return Ok(None) };
    Ok(Some(Before {
        times: earlier.len() as i64,
        first_at: first.int(0)?,
        last_closed_at: last.int(1)?,
        closed_by: last.opt_text(2)?.as_deref().and_then(Settled::parse),
    }))
}

/// One company of an incident.
#[derive(Clone, Debug)]
pub struct Stopped {
    pub company_id: CompanyId,
    pub name: String,
    pub provider: String,
    pub first_seen_at: i64,
    pub last_seen_at: i64,
    pub resolved_at: Option<i64>,
    pub resolved_by: Option<Settled>,
}

/// The companies of an incident, those it still stops first.
pub async fn list_companies(conn: &mut Conn, incident_id: &str) -> Result<Vec<Stopped>, StoreError> {
    conn.query(
        "SELECT companies.id, companies.name, companies.provider, incident_companies.first_seen_at, incident_companies.last_seen_at,
                incident_companies.resolved_at, incident_companies.resolved_by
         FROM incident_companies JOIN companies ON companies.id = incident_companies.company_id
         WHERE incident_companies.incident_id = $1
         ORDER BY CASE WHEN incident_companies.resolved_at IS NULL THEN 0 ELSE 1 END, companies.name, companies.id",
        args![incident_id],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Stopped {
            company_id: CompanyId(row.text(0)?),
            name: row.text(1)?,
            provider: row.text(2)?,
            first_seen_at: row.int(3)?,
            last_seen_at: row.int(4)?,
            resolved_at: row.opt_int(5)?,
            resolved_by: row.opt_text(6)?.as_deref().and_then(Settled::parse),
        })
    })
    .collect()
}

/// Companies with an open incident: (company, incident), the newest incident of each last.
pub async fn list_stopped(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<(CompanyId, String)>, StoreError> {
    conn.query(
        "SELECT incident_companies.company_id, incidents.id FROM incidents JOIN incident_companies ON incident_companies.incident_id = incidents.id
         WHERE incidents.organization_id = $1 AND incidents.closed_at IS NULL AND incident_companies.resolved_at IS NULL
         ORDER BY incidents.last_seen_at, incidents.id, incident_companies.company_id",
        args![organization_id],
    )
    .await?
    .iter()
    .map(|row| Ok((CompanyId(row.text(0)?), row.text(1)?)))
    .collect()
}
