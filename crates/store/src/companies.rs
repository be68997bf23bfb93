//! Companies: sets of books at a provider, linked or not, and the facts their status follows from.
use crate::args;
use crate::columns::word;
use crate::db::{Arg, Conn, Row, Store, Tx};
use crate::error::StoreError;
use crate::feed::pattern;
use crate::readers::Reader;
use domain::chart::rules;
use domain::company::{Mark, StatusFacts};
use domain::connection::ConnectionState;
use domain::ids::{CompanyId, ConnectionId, OrganizationId, RunId, UserId};
use domain::ledger::Basis;
use domain::sync::{Counts, Extent, RunState};
use std::collections::{BTreeSet, HashMap};

/// A company with the facts of its connection and of its active run.
#[derive(Clone, Debug)]
pub struct Company {
    pub id: CompanyId,
    pub organization_id: OrganizationId,
    pub provider: String,
    pub name: String,
    pub connection_id: ConnectionId,
    pub currency: String,
    pub country: String,
    pub time_zone: String,
    pub fiscal_year_start_month: i8,
    pub linked_at: Option<i64>,
    pub paused_at: Option<i64>,
    pub interval_secs: i64,
    pub next_due_at: Option<i64>,
    pub cursor_at: Option<i64>,
    pub last_success_at: Option<i64>,
    pub last_full_at: Option<i64>,
    pub last_run_id: Option<RunId>,
    pub last_run_state: Option<RunState>,
    /// JSON of `domain::problem::Problem` of the last run, when it failed.
    pub last_problem: Option<String>,
    pub first_day: Option<String>,
    pub journals_through: i64,
    /// On the cash basis; `None`: the cash ledger was never read.
    pub cash_journals_through: Option<i64>,
    /// When the last run began that read the company's facts and every list without a time of change, and came to its end: all deletions until then are known.
    pub facts_read_at: Option<i64>,
    pub mark: Mark,
    pub marked_at: Option<i64>,
    pub marked_as_of: Option<String>,
    pub evidence: String,
    pub scope_missing_at: Option<i64>,
    /// The rules that put its accounts into the standard chart; `None` before the first time.
    pub rules_version: Option<i64>,
    /// The last finished run: how long it took, and records added, changed and deleted.
    pub last_run_ms: Option<i64>,
    pub last_run_counts: Option<[i64; 3]>,
    /// How long the last successful run took, by its extent.
    pub full_run_ms: Option<i64>,
    pub changes_run_ms: Option<i64>,
    /// The company's own freshness target; `None`: the organization's holds.
    pub freshness_secs: Option<i64>,
    /// The target that holds.
    pub freshness_target_secs: i64,
    // the connection
    pub connection_name: String,
    pub connection_email: String,
    pub connection_state: ConnectionState,
    /// `production`, `sandbox` or `simulator`: under whose keys the account was connected.
    pub connection_environment: String,
    // the active run
    pub run: Option<ActiveRun>,
}

#[derive(Clone, Debug)]
pub struct ActiveRun {
    pub id: RunId,
    pub state: RunState,
    pub run_after: i64,
    pub waiting_since: Option<i64>,
    pub waiting_for: Option<String>,
    pub waiting_until: Option<i64>,
    pub extent: Extent,
    pub lease_until: Option<i64>,
    pub step: String,
    pub progress: String,
    pub started_at: Option<i64>,
    pub cancel_requested_at: Option<i64>,
}

impl Company {
    /// The number of the last journal that is stored of a basis; `None`: that ledger was never read.
    pub fn journals_through(&self, basis: Basis) -> Option<i64> {
        match basis {
            Basis::Accrual => Some(self.journals_through),
            Basis::Cash => self.cash_journals_through,
        }
    }

    /// The facts its status word follows from: `domain::company::sync_status(&company.status_facts(), now)`.
    pub fn status_facts(&self) -> StatusFacts {
        let queued = self.run.as_ref().filter(|run| run.state == RunState::Queued);
        let running = self.run.as_ref().filter(|run| run.state == RunState::Running);
        StatusFacts {
            queued: queued.is_some(),
            run_after_ms: queued.map(|run| run.run_after),
            waits_for_provider: queued.is_some_and(|run| run.waiting_since.is_some()),
            lease_until_ms: running.map(|run| run.lease_until.unwrap_or(0)),
            waits_until_ms: running.and_then(|run| run.waiting_until),
            connection_invalid: self.connection_state != ConnectionState::Active,
            paused: self.paused_at.is_some(),
            last_success_ms: self.last_success_at,
            last_run_failed: self.last_run_state == Some(RunState::Failed),
            last_run_cancelled: self.last_run_state == Some(RunState::Cancelled),
            interval_secs: self.interval_secs,
            verification_failed: self.mark == Mark::NotVerified,
            scope_missing: self.scope_missing_at.is_some(),
            mapping_changed: self.rules_version.is_some_and(|version| version != rules::VERSION),
            deletions_checked_ms: self.facts_read_at,
        }
    }
}

pub(crate) const SELECT: &str =
    "SELECT companies.id, companies.organization_id, companies.provider, companies.name, companies.connection_id, companies.currency,
       companies.country, companies.time_zone, companies.fiscal_year_start_month, companies.linked_at, companies.paused_at, companies.interval_secs,
       companies.next_due_at, companies.cursor_at, companies.last_success_at, companies.last_full_at, companies.last_run_id, companies.last_run_state,
       companies.last_problem, companies.first_day, companies.journals_through, companies.mark, companies.marked_at, companies.marked_as_of,
       companies.evidence, companies.scope_missing_at, connections.name, connections.email, connections.state,
       runs.id, runs.state, runs.run_after, runs.waiting_since, runs.waiting_for, runs.lease_until, runs.step, runs.progress, runs.started_at,
       runs.cancel_requested_at, companies.cash_journals_through, companies.facts_read_at, connections.environment,
       runs.waiting_until, runs.extent,
       companies.rules_version, companies.last_run_ms, companies.last_run_added, companies.last_run_changed, companies.last_run_deleted,
       companies.full_run_ms, companies.changes_run_ms, companies.freshness_secs, organizations.freshness_secs
FROM companies
JOIN organizations ON organizations.id = companies.organization_id
JOIN connections ON connections.id = companies.connection_id
LEFT JOIN runs ON runs.dedupe_key = 'sync:' || companies.id AND runs.state IN ('queued', 'running')";

pub(crate) fn read(row: &Row) -> Result<Company, StoreError> {
    let run = match row.opt_text(29)? {
        None => None,
        Some(id) => Some(ActiveRun {
            id: RunId(id),
            state: word(row, 30, RunState::parse)?,
            run_after: row.int(31)?,
            waiting_since: row.opt_int(32)?,
            waiting_for: row.opt_text(33)?,
            lease_until: row.opt_int(34)?,
            step: row.text(35)?,
            progress: row.text(36)?,
            started_at: row.opt_int(37)?,
            cancel_requested_at: row.opt_int(38)?,
            waiting_until: row.opt_int(42)?,
            extent: word(row, 43, Extent::parse)?,
        }),
    };
    let counts = [row.opt_int(46)?, row.opt_int(47)?, row.opt_int(48)?];
    let freshness_secs = row.opt_int(51)?;
    Ok(Company {
        id: CompanyId(row.text(0)?),
        organization_id: OrganizationId(row.text(1)?),
        provider: row.text(2)?,
        name: row.text(3)?,
        connection_id: ConnectionId(row.text(4)?),
        currency: row.text(5)?,
        country: row.text(6)?,
        time_zone: row.text(7)?,
        fiscal_year_start_month: row.int(8)?.clamp(1, 12) as i8,
        linked_at: row.opt_int(9)?,
        paused_at: row.opt_int(10)?,
        interval_secs: row.int(11)?,
        next_due_at: row.opt_int(12)?,
        cursor_at: row.opt_int(13)?,
        last_success_at: row.opt_int(14)?,
        last_full_at: row.opt_int(15)?,
        last_run_id: row.opt_text(16)?.map(RunId),
        last_run_state: match row.opt_text(17)? {
            Some(text) => RunState::parse(&text),
            None => None,
        },
        last_problem: row.opt_text(18)?,
        first_day: row.opt_text(19)?,
        journals_through: row.int(20)?,
        cash_journals_through: row.opt_int(39)?,
        facts_read_at: row.opt_int(40)?,
        mark: word(row, 21, Mark::parse)?,
        marked_at: row.opt_int(22)?,
        marked_as_of: row.opt_text(23)?,
        evidence: row.text(24)?,
        scope_missing_at: row.opt_int(25)?,
        rules_version: row.opt_int(44)?,
        last_run_ms: row.opt_int(45)?,
        last_run_counts: match counts {
            [Some(added), Some(changed), Some(deleted)] => Some([added, changed, deleted]),
            _ => None,
        },
        full_run_ms: row.opt_int(49)?,
        changes_run_ms: row.opt_int(50)?,
        freshness_secs,
        freshness_target_secs: freshness_secs.map_or_else(|| row.int(52), Ok)?,
        connection_name: row.text(26)?,
        connection_email: row.text(27)?,
        connection_state: word(row, 28, ConnectionState::parse)?,
        connection_environment: row.text(41)?,
        run,
    })
}

/// Notes a company that a connection can see. A company known already keeps its name, links and history; it changes hands only when the connection
/// it was read through was disconnected: from one that is merely refused a person moves it (Update Token User), or reconnects.
pub struct Found<'a> {
    /// Used when the company is new.
    pub id: CompanyId,
    pub organization_id: &'a OrganizationId,
    pub connection_id: &'a ConnectionId,
    pub provider: &'a str,
    pub remote_id: &'a str,
    pub name: &'a str,
    pub newly_granted: bool,
    pub now_ms: i64,
}

pub async fn put_found(store: &Store, conn: &mut Tx, found: &Found<'_>) -> Result<CompanyId, StoreError> {
    let hash = store.sealer.lookup_hash("companies.remote_id", found.remote_id);
    let sealed = store.sealer.seal("companies.remote_id", found.id.as_str(), found.remote_id.as_bytes());
    let inserted = conn
        .query_opt(
            "INSERT INTO companies (id, organization_id, provider, remote_id, remote_id_hash, name, connection_id, currency, country, time_zone,
                                    fiscal_year_start_month, found_at, interval_secs, journals_through, mark, evidence, name_folded)
             VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', 'UTC', 1, $8, $9, 0, 'not_checked', 'reported', $10)
             ON CONFLICT (organization_id, provider, remote_id_hash) DO NOTHING RETURNING id",
            args![
                &found.id,
                found.organization_id,
                found.provider,
                sealed,
                hash.as_str(),
                found.name,
                found.connection_id,
                found.now_ms,
                domain::schedule::DEFAULT_INTERVAL_SECS,
                found.name.to_lowercase(),
            ],
        )
        .await?;
    let id = match inserted {
        Some(row) => CompanyId(row.text(0)?),
        None => {
            let row = conn
                .query_one(
                    "SELECT id FROM companies WHERE organization_id = $1 AND provider = $2 AND remote_id_hash = $3",
                    args![found.organization_id, found.provider, hash],
                )
                .await?;
            let id = CompanyId(row.text(0)?);
            conn.execute(
                "UPDATE companies SET connection_id = $2 WHERE id = $1
                 AND connection_id IN (SELECT id FROM connections WHERE state = 'disconnected')",
                args![&id, found.connection_id],
            )
            .await?;
            id
        }
    };
    conn.execute(
        "INSERT INTO company_access (connection_id, company_id, seen_at, newly_granted_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (connection_id, company_id) DO UPDATE SET seen_at = excluded.seen_at, newly_granted_at = excluded.newly_granted_at",
        args![found.connection_id, &id, found.now_ms, found.newly_granted.then_some(found.now_ms)],
    )
    .await?;
    Ok(id)
}

/// The provider's id of a company: only the engine needs it, to make calls.
pub async fn remote_id(store: &Store, conn: &mut Conn, id: &CompanyId) -> Result<Option<String>, StoreError> {
    // the seal names the row the company was first written under, which is its id for ever
    match conn.query_opt("SELECT remote_id FROM companies WHERE id = $1", args![id]).await? {
        Some(row) => Ok(Some(store.sealer.open_text("companies.remote_id", id.as_str(), &row.bytes(0)?)?)),
        None => Ok(None),
    }
}

/// The provider's ids of the companies a connection can see.
pub async fn list_remote_ids(store: &Store, conn: &mut Conn, connection_id: &ConnectionId) -> Result<HashMap<CompanyId, String>, StoreError> {
    conn.query(
        "SELECT companies.id, companies.remote_id FROM companies JOIN company_access ON company_access.company_id = companies.id
         WHERE company_access.connection_id = $1",
        args![connection_id],
    )
    .await?
    .iter()
    .map(|row| {
        let id = row.text(0)?;
        let remote_id = store.sealer.open_text("companies.remote_id", &id, &row.bytes(1)?)?;
        Ok((CompanyId(id), remote_id))
    })
    .collect()
}

pub async fn find(conn: &mut Conn, organization_id: &OrganizationId, id: &CompanyId) -> Result<Option<Company>, StoreError> {
    let sql = format!("{SELECT} WHERE companies.organization_id = $1 AND companies.id = $2");
    conn.query_assembled(sql, args![organization_id, id]).await?.first().map(read).transpose()
}

/// Of any organization: for the engine, which acts for all.
pub async fn find_any(conn: &mut Conn, id: &CompanyId) -> Result<Option<Company>, StoreError> {
    let sql = format!("{SELECT} WHERE companies.id = $1");
    conn.query_assembled(sql, args![id]).await?.first().map(read).transpose()
}

/// All companies of an organization, by name.
pub async fn list(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<Company>, StoreError> {
    let sql = format!("{SELECT} WHERE companies.organization_id = $1 ORDER BY companies.name, companies.id");
    conn.query_assembled(sql, args![organization_id]).await?.iter().map(read).collect()
}

/// A company as lists of choices name it.
#[derive(Clone, Debug)]
pub struct Named {
    pub id: CompanyId,
    pub name: String,
    pub provider: String,
    pub linked_at: Option<i64>,
}

/// The companies somebody reads, by name in any case; linked or not. Costs a small part of `list`.
pub async fn list_names(conn: &mut Conn, organization_id: &OrganizationId, reader: &Reader) -> Result<Vec<Named>, StoreError> {
    let sql = "SELECT id, name, provider, linked_at FROM companies
         WHERE organization_id = $1 AND (CAST($2 AS TEXT) IS NULL OR id IN (SELECT company_id FROM company_readers WHERE user_id = $2))
         ORDER BY name_folded, id";
    let rows = conn.query(sql, vec![organization_id.into(), reader.arg()]).await?;
    let named = |row: &Row| Ok(Named { id: CompanyId(row.text(0)?), name: row.text(1)?, provider: row.text(2)?, linked_at: row.opt_int(3)? });
    rows.iter().map(named).collect()
}

/// The first `limit` companies somebody reads, by name, whose name has one of the parts in any case; without parts, all.
pub async fn search(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    reader: &Reader,
    parts: &[&str],
    limit: i64,
) -> Result<Vec<Company>, StoreError> {
    let mut sql = format!(
        "{SELECT} WHERE companies.organization_id = $1
           AND (CAST($2 AS TEXT) IS NULL OR companies.id IN (SELECT company_id FROM company_readers WHERE user_id = $2))"
    );
    let mut values = vec![organization_id.into(), reader.arg(), limit.into()];
    let likes: Vec<String> = parts
        .iter()
        .map(|part| {
            values.push(pattern(&part.to_lowercase()).into());
            format!("companies.name_folded LIKE ${} ESCAPE '\\'", values.len())
        })
        .collect();
    if !likes.is_empty() {
        sql.push_str(&format!(" AND ({})", likes.join(" OR ")));
    }
    sql.push_str(" ORDER BY companies.name_folded, companies.id LIMIT $3");
    conn.query_assembled(sql, values).await?.iter().map(read).collect()
}

/// Which companies a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompanyFilter<'a> {
    pub provider: Option<&'a str>,
    /// Part of the name, in any case.
    pub name: Option<&'a str>,
    pub linked: Option<bool>,
    /// These and no others.
    pub only: Option<&'a BTreeSet<CompanyId>>,
}

/// A page of companies in order of id: `after` is the last id of the page before, or empty.
pub async fn list_page(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    filter: &CompanyFilter<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<Company>, StoreError> {
    let mut sql = format!("{SELECT} WHERE companies.organization_id = $1 AND companies.id > $2");
    let mut values = args![organization_id, after];
    let mut bind = |value: Arg| {
        values.push(value);
        format!("${}", values.len())
    };
    if let Some(provider) = filter.provider {
        sql.push_str(&format!(" AND companies.provider = {}", bind(provider.into())));
    }
    if let Some(name) = filter.name {
        sql.push_str(&format!(" AND companies.name_folded LIKE {} ESCAPE '\\'", bind(pattern(&name.to_lowercase()).into())));
    }
    match filter.linked {
        Some(true) => sql.push_str(" AND companies.linked_at IS NOT NULL"),
        Some(false) => sql.push_str(" AND companies.linked_at IS NULL"),
        None => {}
    }
    if let Some(only) = filter.only {
        let marks: Vec<String> = only.iter().map(|id| bind(id.into())).collect();
        sql.push_str(&format!(" AND companies.id IN ({})", marks.join(",")));
    }
    let limit = bind(limit.into());
    sql.push_str(&format!(" ORDER BY companies.id LIMIT {limit}"));
    conn.query_assembled(sql, values).await?.iter().map(read).collect()
}

/// Linked companies that are read through an account this person connected, by name.
pub async fn list_powered_by(conn: &mut Conn, organization_id: &OrganizationId, user_id: &UserId) -> Result<Vec<Company>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE companies.organization_id = $1 AND companies.linked_at IS NOT NULL AND connections.connected_by = $2
           AND connections.disconnected_at IS NULL ORDER BY companies.name, companies.id"
    );
    conn.query_assembled(sql, args![organization_id, user_id]).await?.iter().map(read).collect()
}

/// Companies with an active run: running ones first, then by the age of the run.
pub async fn list_active(conn: &mut Conn, organization_id: &OrganizationId, reader: &Reader, limit: i64) -> Result<Vec<Company>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE companies.id IN (SELECT company_id FROM runs WHERE organization_id = $1 AND state IN ('queued', 'running')
                                           AND (CAST($3 AS TEXT) IS NULL OR company_id IN (SELECT company_id FROM company_readers WHERE user_id = $3))
                                         ORDER BY state DESC, id LIMIT $2)
         ORDER BY runs.state DESC, runs.id"
    );
    conn.query_assembled(sql, vec![organization_id.into(), limit.into(), reader.arg()]).await?.iter().map(read).collect()
}

/// Linked companies of all organizations, by name: for the command line.
pub async fn list_all_linked(conn: &mut Conn) -> Result<Vec<Company>, StoreError> {
    let sql = format!("{SELECT} WHERE companies.linked_at IS NOT NULL ORDER BY companies.name, companies.id");
    conn.query_assembled(sql, vec![]).await?.iter().map(read).collect()
}

/// Companies a connection can see, by name; with when they were granted anew.
pub async fn list_by_connection(conn: &mut Conn, connection_id: &ConnectionId) -> Result<Vec<(Company, Option<i64>)>, StoreError> {
    let granted = conn
        .query("SELECT company_id, newly_granted_at FROM company_access WHERE connection_id = $1", args![connection_id])
        .await?
        .iter()
        .map(|row| Ok((row.text(0)?, row.opt_int(1)?)))
        .collect::<Result<HashMap<_, _>, StoreError>>()?;
    let sql = format!(
        "{SELECT} WHERE companies.id IN (SELECT company_id FROM company_access WHERE connection_id = $1) ORDER BY companies.name, companies.id"
    );
    let companies = conn.query_assembled(sql, args![connection_id]).await?.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
    let with_grant = |company: Company| {
        let granted_at = granted.get(company.id.as_str()).copied().flatten();
        (company, granted_at)
    };
    Ok(companies.into_iter().map(with_grant).collect())
}

/// Companies that are synced through a connection, linked or not, by name.
pub async fn list_through(conn: &mut Conn, connection_id: &ConnectionId) -> Result<Vec<Company>, StoreError> {
    let sql = format!("{SELECT} WHERE companies.connection_id = $1 ORDER BY companies.name, companies.id");
    conn.query_assembled(sql, args![connection_id]).await?.iter().map(read).collect()
}

/// Lets whoever else wants to change this company wait until the transaction ends: what is read of it from here on stays so.
pub async fn hold(conn: &mut Tx, id: &CompanyId) -> Result<(), StoreError> {
    conn.execute("UPDATE companies SET linked_at = linked_at WHERE id = $1", args![id]).await?;
    Ok(())
}

/// Links a company: from now on it is synced. False when it was linked already.
pub async fn link(conn: &mut Tx, id: &CompanyId, now_ms: i64) -> Result<bool, StoreError> {
    let linked = conn.execute("UPDATE companies SET linked_at = $2, next_due_at = $2 WHERE id = $1 AND linked_at IS NULL", args![id, now_ms]).await?;
    Ok(linked == 1)
}

/// Unlinks a company; what was synced is kept.
pub async fn unlink(conn: &mut Tx, id: &CompanyId) -> Result<bool, StoreError> {
    let unlinked =
        conn.execute("UPDATE companies SET linked_at = NULL, next_due_at = NULL WHERE id = $1 AND linked_at IS NOT NULL", args![id]).await?;
    Ok(unlinked == 1)
}

/// What the provider says of the company. An empty currency or country leaves what is stored.
pub async fn set_facts(
    conn: &mut Tx,
    id: &CompanyId,
    name: &str,
    currency: &str,
    country: &str,
    time_zone: &str,
    fiscal_year_start_month: i8,
) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE companies SET name = $2, currency = CASE WHEN $3 = '' THEN currency ELSE $3 END, country = CASE WHEN $4 = '' THEN country ELSE $4 END,
                time_zone = $5, fiscal_year_start_month = $6, name_folded = $7 WHERE id = $1",
        args![id, name, currency, country, time_zone, i64::from(fiscal_year_start_month), name.to_lowercase()],
    )
    .await?;
    Ok(())
}

pub async fn set_first_day(conn: &mut Tx, id: &CompanyId, first_day: &str) -> Result<(), StoreError> {
    conn.execute("UPDATE companies SET first_day = $2 WHERE id = $1", args![id, first_day]).await?;
    Ok(())
}

/// The number of the last journal that is stored of a basis.
pub async fn set_journals_through(conn: &mut Tx, id: &CompanyId, basis: Basis, number: i64) -> Result<(), StoreError> {
    let sql = match basis {
        Basis::Accrual => "UPDATE companies SET journals_through = $2 WHERE id = $1",
        Basis::Cash => "UPDATE companies SET cash_journals_through = $2 WHERE id = $1",
    };
    conn.execute(sql, args![id, number]).await?;
    Ok(())
}

pub async fn set_mark(conn: &mut Tx, id: &CompanyId, mark: Mark, as_of: &str, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE companies SET mark = $2, marked_as_of = $3, marked_at = $4 WHERE id = $1", args![id, mark.as_str(), as_of, now_ms]).await?;
    Ok(())
}

pub async fn set_scope_missing(conn: &mut Tx, id: &CompanyId, at: Option<i64>) -> Result<(), StoreError> {
    conn.execute("UPDATE companies SET scope_missing_at = $2 WHERE id = $1", args![id, at]).await?;
    Ok(())
}

/// How a run ended, as the company remembers it.
pub struct Ended<'a> {
    pub run_id: &'a RunId,
    pub state: RunState,
    pub problem: Option<&'a str>,
    /// Success: the cursor of the next sync.
    pub cursor_at: Option<i64>,
    pub was_full: bool,
    pub next_due_at: Option<i64>,
    pub now_ms: i64,
}

pub async fn set_ended(conn: &mut Tx, id: &CompanyId, ended: &Ended<'_>) -> Result<(), StoreError> {
    let succeeded = ended.state == RunState::Succeeded;
    conn.execute(
        "UPDATE companies SET last_run_id = $2, last_run_state = $3, last_problem = $4, cursor_at = COALESCE($5, cursor_at),
                last_success_at = COALESCE($6, last_success_at), last_full_at = COALESCE($7, last_full_at),
                next_due_at = CASE WHEN linked_at IS NULL THEN NULL ELSE COALESCE($8, next_due_at) END
         WHERE id = $1",
        args![
            id,
            ended.run_id,
            ended.state.as_str(),
            ended.problem,
            ended.cursor_at.filter(|_| succeeded),
            succeeded.then_some(ended.now_ms),
            (succeeded && ended.was_full).then_some(ended.now_ms),
            ended.next_due_at,
        ],
    )
    .await?;
    Ok(())
}

/// What the last run took and did, as the Data Feed sorts by it. A success also ends what asked for it.
pub async fn set_last_run(conn: &mut Tx, id: &CompanyId, took_ms: i64, extent: Extent, state: RunState, counts: &Counts) -> Result<(), StoreError> {
    let succeeded = state == RunState::Succeeded;
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    conn.execute(
        "UPDATE companies SET last_run_ms = $2, last_run_added = $3, last_run_changed = $4, last_run_deleted = $5,
                full_run_ms = COALESCE($6, full_run_ms), changes_run_ms = COALESCE($7, changes_run_ms),
                stale_noticed_at = CASE WHEN $8 = 1 THEN NULL ELSE stale_noticed_at END
         WHERE id = $1",
        args![
            id,
            took_ms,
            count(counts.added),
            count(counts.changed),
            count(counts.deleted),
            (succeeded && extent == Extent::Full).then_some(took_ms),
            (succeeded && extent == Extent::Changes).then_some(took_ms),
            i64::from(succeeded),
        ],
    )
    .await?;
    Ok(())
}

/// A run that read the company's facts and searched every list for deletions came to its end; it began at `at`.
pub async fn set_facts_read(conn: &mut Tx, id: &CompanyId, at: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE companies SET facts_read_at = $2 WHERE id = $1", args![id, at]).await?;
    Ok(())
}

/// The accounts of a company were put into the standard chart by these rules.
pub async fn set_rules_version(conn: &mut Tx, id: &CompanyId, version: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE companies SET rules_version = $2 WHERE id = $1", args![id, version]).await?;
    Ok(())
}

/// Stops the schedule of a company. False when it was paused already.
pub async fn pause(conn: &mut Tx, id: &CompanyId, now_ms: i64) -> Result<bool, StoreError> {
    Ok(conn.execute("UPDATE companies SET paused_at = $2 WHERE id = $1 AND paused_at IS NULL", args![id, now_ms]).await? == 1)
}

/// Resumes the schedule; a company whose time came meanwhile is due now. False when it was not paused.
pub async fn resume(conn: &mut Tx, id: &CompanyId) -> Result<bool, StoreError> {
    Ok(conn.execute("UPDATE companies SET paused_at = NULL WHERE id = $1 AND paused_at IS NOT NULL", args![id]).await? == 1)
}

/// How often a company is synced, and within which time it must have been brought up to date; without one, the organization's target holds.
pub async fn set_schedule(
    conn: &mut Tx,
    id: &CompanyId,
    interval_secs: i64,
    freshness_secs: Option<i64>,
    next_due_at: Option<i64>,
) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE companies SET interval_secs = $2, freshness_secs = $3, stale_noticed_at = NULL,
                next_due_at = CASE WHEN linked_at IS NULL THEN NULL ELSE COALESCE($4, next_due_at) END WHERE id = $1",
        args![id, interval_secs, freshness_secs, next_due_at],
    )
    .await?;
    Ok(())
}

/// Takes linked companies that went past their freshness target, each once until it is fresh again: company, organization, target in seconds.
pub async fn take_stale(conn: &mut Tx, now_ms: i64, limit: i64) -> Result<Vec<(CompanyId, OrganizationId, i64)>, StoreError> {
    let stale = conn
        .query(
            "SELECT companies.id, companies.organization_id, COALESCE(companies.freshness_secs, organizations.freshness_secs)
             FROM companies JOIN organizations ON organizations.id = companies.organization_id
             WHERE companies.linked_at IS NOT NULL AND companies.paused_at IS NULL AND companies.stale_noticed_at IS NULL
               AND $1 - COALESCE(companies.last_success_at, companies.linked_at) > COALESCE(companies.freshness_secs, organizations.freshness_secs) * 1000
             ORDER BY companies.id LIMIT $2",
            args![now_ms, limit],
        )
        .await?;
    let mut taken = Vec::new();
    for row in stale {
        let id = CompanyId(row.text(0)?);
        // of two nodes that look at once, one gets it
        let noticed =
            conn.execute("UPDATE companies SET stale_noticed_at = $2 WHERE id = $1 AND stale_noticed_at IS NULL", args![&id, now_ms]).await?;
        if noticed == 1 {
            taken.push((id, OrganizationId(row.text(1)?), row.int(2)?));
        }
    }
    Ok(taken)
}

const IS_DUE: &str =
    "companies.next_due_at <= $1 AND companies.linked_at IS NOT NULL AND companies.paused_at IS NULL AND connections.state = 'active'";

/// Companies whose time has come: (company, organization).
pub async fn list_due(conn: &mut Conn, now_ms: i64, limit: i64) -> Result<Vec<(CompanyId, OrganizationId)>, StoreError> {
    let sql = format!(
        "SELECT companies.id, companies.organization_id FROM companies JOIN connections ON connections.id = companies.connection_id
         WHERE {IS_DUE} ORDER BY companies.next_due_at, companies.id LIMIT $2"
    );
    conn.query_assembled(sql, args![now_ms, limit]).await?.iter().map(|row| Ok((CompanyId(row.text(0)?), OrganizationId(row.text(1)?)))).collect()
}

/// Whether a company's time has come and no other node was faster.
pub async fn is_due(conn: &mut Conn, id: &CompanyId, now_ms: i64) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT companies.id FROM companies JOIN connections ON connections.id = companies.connection_id WHERE {IS_DUE} AND companies.id = $2"
    );
    Ok(!conn.query_assembled(sql, args![now_ms, id]).await?.is_empty())
}

/// Moves the next time of a company on, unless somebody has.
pub async fn move_due(conn: &mut Tx, id: &CompanyId, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE companies SET next_due_at = $2 + interval_secs * 1000 WHERE id = $1 AND next_due_at <= $2", args![id, now_ms]).await?;
    Ok(())
}

/// Linked companies of a connection become due at once: after a reconnect, syncing resumes by itself.
pub async fn make_due(conn: &mut Tx, connection_id: &ConnectionId, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE companies SET next_due_at = $2 WHERE connection_id = $1 AND linked_at IS NOT NULL", args![connection_id, now_ms]).await?;
    Ok(())
}

/// Hands a company over to another connection that was seen to reach it, if it is still where it was and that connection still works. What was synced,
/// its cursor and its links stay; a linked one is due at once.
pub async fn hand_over(conn: &mut Tx, id: &CompanyId, from: &ConnectionId, to: &ConnectionId, now_ms: i64) -> Result<bool, StoreError> {
    let moved = conn
        .execute(
            "UPDATE companies SET connection_id = $3, next_due_at = CASE WHEN linked_at IS NULL THEN NULL ELSE $4 END
             WHERE id = $1 AND connection_id = $2 AND EXISTS (SELECT 1 FROM connections WHERE id = $3 AND state = 'active')",
            args![id, from, to, now_ms],
        )
        .await?;
    Ok(moved == 1)
}

/// Notes that a connection can see a company that is known already.
pub async fn note_access(conn: &mut Tx, connection_id: &ConnectionId, company_id: &CompanyId, now_ms: i64) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO company_access (connection_id, company_id, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (connection_id, company_id) DO UPDATE SET seen_at = excluded.seen_at",
        args![connection_id, company_id, now_ms],
    )
    .await?;
    Ok(())
}

/// Active connections that were seen to reach a company, those that saw it last first.
pub async fn list_seen_by(conn: &mut Conn, id: &CompanyId) -> Result<Vec<ConnectionId>, StoreError> {
    conn.query(
        "SELECT connections.id FROM company_access JOIN connections ON connections.id = company_access.connection_id
         WHERE company_access.company_id = $1 AND connections.state = 'active' ORDER BY company_access.seen_at DESC, connections.id",
        args![id],
    )
    .await?
    .iter()
    .map(|row| Ok(ConnectionId(row.text(0)?)))
    .collect()
}
