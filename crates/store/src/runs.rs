//! Runs: the queue, the leases and the history of all background work. A worker owns a run under a lease with an epoch; every write it
//! makes checks that epoch in its own transaction.
use crate::args;
use crate::columns::word;
use crate::db::{Conn, Row, Store, Tx};
use crate::error::StoreError;
use domain::ids::{CompanyId, OrganizationId, RunId};
use domain::job::Job;
use domain::sync::{Extent, RunState};
use std::collections::HashMap;

/// A run as the table holds it. Instants are milliseconds UTC.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: RunId,
    pub kind: Job,
    pub organization_id: OrganizationId,
    pub company_id: CompanyId,
    pub extent: Extent,
    pub state: RunState,
    pub run_after: i64,
    pub waiting_since: Option<i64>,
    pub waiting_for: Option<String>,
    /// A running run waits in its place for a provider's limit, until then.
    pub waiting_until: Option<i64>,
    pub attempt: i64,
    pub crash_count: i64,
    pub lease_owner: Option<String>,
    pub lease_until: Option<i64>,
    pub lease_epoch: i64,
    pub cancel_requested_at: Option<i64>,
    pub requested_by: String,
    pub cursor_at: Option<i64>,
    /// The step it is in, in words: `Transactions`.
    pub step: String,
    /// JSON of the engine's progress: counts per data type.
    pub progress: String,
    pub calls: i64,
    pub bytes: i64,
    /// JSON of `domain::problem::Problem`.
    pub problem: Option<String>,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
}

const COLUMNS: &str = "id, kind, organization_id, company_id, extent, state, run_after, waiting_since, waiting_for, attempt, crash_count, lease_owner, lease_until, lease_epoch, cancel_requested_at, requested_by, cursor_at, step, progress, calls, bytes, problem, created_at, started_at, finished_at, waiting_until";

fn read(row: &Row) -> Result<Run, StoreError> {
    Ok(Run {
        id: RunId(row.text(0)?),
        kind: word(row, 1, Job::parse)?,
        organization_id: OrganizationId(row.text(2)?),
        company_id: CompanyId(row.text(3)?),
        extent: word(row, 4, Extent::parse)?,
        state: word(row, 5, RunState::parse)?,
        run_after: row.int(6)?,
        waiting_since: row.opt_int(7)?,
        waiting_for: row.opt_text(8)?,
        attempt: row.int(9)?,
        crash_count: row.int(10)?,
        lease_owner: row.opt_text(11)?,
        lease_until: row.opt_int(12)?,
        lease_epoch: row.int(13)?,
        cancel_requested_at: row.opt_int(14)?,
        requested_by: row.text(15)?,
        cursor_at: row.opt_int(16)?,
        step: row.text(17)?,
        progress: row.text(18)?,
        calls: row.int(19)?,
        bytes: row.int(20)?,
        problem: row.opt_text(21)?,
        created_at: row.int(22)?,
        started_at: row.opt_int(23)?,
        finished_at: row.opt_int(24)?,
        waiting_until: row.opt_int(25)?,
    })
}

/// Proof of ownership: which run, and by which claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub run_id: RunId,
    pub epoch: i64,
}

impl Run {
    pub fn lease(&self) -> Lease {
        Lease { run_id: self.id.clone(), epoch: self.lease_epoch }
    }
}

pub struct NewRun<'a> {
    pub id: RunId,
    pub kind: Job,
    pub organization_id: &'a OrganizationId,
    pub company_id: &'a CompanyId,
    pub extent: Extent,
    pub priority: i64,
    pub requested_by: &'a str,
    /// JSON of the engine's progress, where the run begins with a wish.
    pub progress: Option<&'a str>,
    pub now_ms: i64,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requested {
    Queued(RunId),
    /// The company already has an active run: this one. One sync per company is a fact of the database.
    AlreadyActive(RunId),
}

impl Requested {
    pub fn run_id(&self) -> &RunId {
        match self {
            Requested::Queued(id) | Requested::AlreadyActive(id) => id,
        }
    }
}

/// Queues a run, unless the company has an active one. The fair key lets an organization with a thousand companies and one with two take
/// turns: each organization's keys count up from the front of the queue.
pub async fn request(conn: &mut Tx, run: &NewRun<'_>) -> Result<Requested, StoreError> {
    let dedupe_key = format!("sync:{}", run.company_id);
    let front = conn.query_one("SELECT CAST(COALESCE(MIN(fair_key), 0) AS BIGINT) FROM runs WHERE state = 'queued'", vec![]).await?.int(0)?;
    let fair_key = conn
        .query_one(
            "INSERT INTO fair_keys (organization_id, last_key) VALUES ($1, $2)
             ON CONFLICT (organization_id) DO UPDATE SET last_key = CASE WHEN fair_keys.last_key + 1 > $2 THEN fair_keys.last_key + 1 ELSE $2 END
             RETURNING last_key",
            args![run.organization_id, front],
        )
        .await?
        .int(0)?;
    // an active run that ends between the two statements leaves room for ours: ask again
    for _ in 0..3 {
        let inserted = conn
            .query_opt(
                "INSERT INTO runs (id, kind, organization_id, company_id, dedupe_key, extent, state, priority, fair_key, run_after, attempt, crash_count,
                                   lease_epoch, requested_by, step, progress, calls, bytes, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $9, 1, 0, 0, $10, '', $11, 0, 0, $9)
                 ON CONFLICT DO NOTHING RETURNING id",
                args![
                    &run.id,
                    run.kind.as_str(),
                    run.organization_id,
                    run.company_id,
                    dedupe_key.as_str(),
                    run.extent.as_str(),
                    run.priority,
                    fair_key,
                    run.now_ms,
                    run.requested_by,
                    run.progress.unwrap_or("{}"),
                ],
            )
            .await?;
        if inserted.is_some() {
            return Ok(Requested::Queued(run.id.clone()));
        }
        let active =
            conn.query_opt("SELECT id FROM runs WHERE dedupe_key = $1 AND state IN ('queued', 'running')", args![dedupe_key.as_str()]).await?;
        if let Some(active) = active {
            return Ok(Requested::AlreadyActive(RunId(active.text(0)?)));
        }
    }
    Err(StoreError::Unreadable(format!("the active run of {}", run.company_id)))
}

/// Queues runs of one organization in a few statements, however many there are: what became of each, in their order.
pub async fn request_many(conn: &mut Tx, runs: &[NewRun<'_>]) -> Result<Vec<Requested>, StoreError> {
    let Some(first) = runs.first() else { return Ok(Vec::new()) };
    let front = conn.query_one("SELECT CAST(COALESCE(MIN(fair_key), 0) AS BIGINT) FROM runs WHERE state = 'queued'", vec![]).await?.int(0)?;
    // their keys follow one another, from behind the last one that was given to this organization
    let last_key = conn
        .query_one(
            "INSERT INTO fair_keys (organization_id, last_key) VALUES ($1, $2 + $3 - 1)
             ON CONFLICT (organization_id) DO UPDATE
             SET last_key = CASE WHEN fair_keys.last_key + 1 > $2 THEN fair_keys.last_key + 1 ELSE $2 END + $3 - 1
             RETURNING last_key",
            args![first.organization_id, front, runs.len() as i64],
        )
        .await?
        .int(0)?;
    let mut values = Vec::with_capacity(runs.len() * 20);
    for (at, run) in runs.iter().enumerate() {
        let fair_key = last_key - (runs.len() - 1 - at) as i64;
        let dedupe_key = format!("sync:{}", run.company_id);
        values.extend(args![
            &run.id,
            run.kind.as_str(),
            run.organization_id,
            run.company_id,
            dedupe_key,
            run.extent.as_str(),
            RunState::Queued.as_str(),
            run.priority,
            fair_key,
            run.now_ms,
            1,
            0,
            0,
            run.requested_by,
            "",
            "{}",
            0,
            0,
            run.now_ms,
        ]);
    }
    conn.insert_rows(
        "INSERT INTO runs (id, kind, organization_id, company_id, dedupe_key, extent, state, priority, fair_key, run_after, attempt, crash_count,
                           lease_epoch, requested_by, step, progress, calls, bytes, created_at)",
        19,
        values,
        "ON CONFLICT DO NOTHING",
    )
    .await?;
    let active: HashMap<String, String> = conn
        .query("SELECT company_id, id FROM runs WHERE organization_id = $1 AND state IN ('queued', 'running')", args![first.organization_id])
        .await?
        .iter()
        .map(|row| Ok((row.text(0)?, row.text(1)?)))
        .collect::<Result<_, StoreError>>()?;
    let mut answers = Vec::with_capacity(runs.len());
    for run in runs {
        answers.push(match active.get(run.company_id.as_str()) {
            Some(id) if *id == run.id.0 => Requested::Queued(run.id.clone()),
            Some(id) => Requested::AlreadyActive(RunId(id.clone())),
            // the run in our way ended between the two statements: ask again
            None => request(conn, run).await?,
        });
    }
    Ok(answers)
}

/// Claims up to `limit` runs: first those whose lease ended (their worker is gone), then those that are due.
pub async fn claim(conn: &mut Tx, owner: &str, now_ms: i64, lease_ms: i64, limit: i64) -> Result<Vec<Run>, StoreError> {
    let lock = conn.skip_locked();
    let sql = format!(
        "WITH dead AS (SELECT id FROM runs WHERE state = 'running' AND lease_until < $1 ORDER BY lease_until, id LIMIT $2 {lock}),
              due AS (SELECT id FROM runs WHERE state = 'queued' AND run_after <= $1 ORDER BY priority DESC, fair_key, id LIMIT $2 {lock}),
              pick AS MATERIALIZED (SELECT id FROM (SELECT id, 0 AS place FROM dead UNION ALL SELECT id, 1 AS place FROM due) AS candidates ORDER BY place LIMIT $2)
         UPDATE runs SET crash_count = crash_count + CASE WHEN state = 'running' THEN 1 ELSE 0 END,
                         state = 'running', lease_owner = $3, lease_until = $4, lease_epoch = lease_epoch + 1,
                         started_at = COALESCE(started_at, $1), waiting_since = NULL, waiting_for = NULL, waiting_until = NULL
         WHERE id IN (SELECT id FROM pick)
         RETURNING {COLUMNS}"
    );
    conn.query_assembled(sql, args![now_ms, limit, owner, now_ms + lease_ms]).await?.iter().map(read).collect()
}

/// What a beat says about one run that is still ours.
#[derive(Clone, Debug)]
pub struct Beat {
    pub run_id: RunId,
    pub epoch: i64,
    pub cancel_requested: bool,
}

/// Renews every lease of this worker. A run that is not among the answers is no longer ours.
pub async fn beat(conn: &mut Tx, owner: &str, lease_until: i64) -> Result<Vec<Beat>, StoreError> {
    conn.query(
        "UPDATE runs SET lease_until = $2 WHERE lease_owner = $1 AND state = 'running' RETURNING id, lease_epoch, cancel_requested_at",
        args![owner, lease_until],
    )
    .await?
    .iter()
    .map(|row| Ok(Beat { run_id: RunId(row.text(0)?), epoch: row.int(1)?, cancel_requested: row.opt_int(2)?.is_some() }))
    .collect()
}

impl Store {
    /// A write transaction of a run: it fails with `LeaseLost` unless the run is still owned by this claim, and holds the run's row until it ends.
    pub async fn begin_under(&self, lease: &Lease) -> Result<Tx, StoreError> {
        let mut tx = self.begin().await?;
        let held = tx
            .execute(
                "UPDATE runs SET lease_epoch = lease_epoch WHERE id = $1 AND lease_epoch = $2 AND state = 'running'",
                args![&lease.run_id, lease.epoch],
            )
            .await?;
        if held == 1 { Ok(tx) } else { Err(StoreError::LeaseLost(lease.run_id.0.clone())) }
    }
}

/// Writes how far a run is. Progress shows that the run is not the one that kills its workers.
pub async fn progress(conn: &mut Tx, lease: &Lease, step: &str, progress: &str, calls: i64, bytes: i64) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE runs SET step = $3, progress = $4, calls = $5, bytes = $6, crash_count = 0 WHERE id = $1 AND lease_epoch = $2",
        args![&lease.run_id, lease.epoch, step, progress, calls, bytes],
    )
    .await?;
    Ok(())
}

/// Says that a running run waits in its place, for what and until when; `None`: it goes on.
pub async fn set_waiting(conn: &mut Tx, lease: &Lease, waiting: Option<(&str, i64)>, now_ms: i64) -> Result<(), StoreError> {
    let (waiting_for, until) = waiting.unzip();
    conn.execute(
        "UPDATE runs SET waiting_for = $3, waiting_until = $4, waiting_since = CASE WHEN $4 IS NULL THEN NULL ELSE COALESCE(waiting_since, $5) END
         WHERE id = $1 AND lease_epoch = $2 AND state = 'running'",
        args![&lease.run_id, lease.epoch, waiting_for, until, now_ms],
    )
    .await?;
    Ok(())
}

/// Sets the provider's clock of the first call, once.
pub async fn set_cursor(conn: &mut Tx, lease: &Lease, cursor_at: i64) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE runs SET cursor_at = COALESCE(cursor_at, $3) WHERE id = $1 AND lease_epoch = $2",
        args![&lease.run_id, lease.epoch, cursor_at],
    )
    .await?;
    Ok(())
}

/// Turns a run for changes into one for everything.
pub async fn make_full(conn: &mut Tx, lease: &Lease) -> Result<(), StoreError> {
    conn.execute("UPDATE runs SET extent = 'full' WHERE id = $1 AND lease_epoch = $2", args![&lease.run_id, lease.epoch]).await?;
    Ok(())
}

pub async fn finish(conn: &mut Tx, lease: &Lease, state: RunState, problem: Option<&str>, now_ms: i64) -> Result<(), StoreError> {
    debug_assert!(state.is_finished());
    let ended = conn
        .execute(
            "UPDATE runs SET state = $3, problem = $4, finished_at = $5, lease_owner = NULL, lease_until = NULL, waiting_until = NULL WHERE id = $1 AND lease_epoch = $2",
            args![&lease.run_id, lease.epoch, state.as_str(), problem, now_ms],
        )
        .await?;
    if ended == 0 {
        return Ok(()); // another worker has the run: it continues from the checkpoints
    }
    // where the next chunk of a finished run would begin is of no use to anybody
    conn.execute("DELETE FROM checkpoints WHERE run_id = $1", args![&lease.run_id]).await?;
    Ok(())
}

/// Puts a run back: nothing sleeps in a worker. `used` counts an attempt; `waiting_for` says what is waited for.
pub async fn again(conn: &mut Tx, lease: &Lease, run_after: i64, used: bool, waiting_for: Option<&str>, now_ms: i64) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE runs SET state = 'queued', run_after = $3, attempt = attempt + $4, waiting_since = CASE WHEN $5 IS NULL THEN NULL ELSE $6 END,
                         waiting_for = $5, waiting_until = NULL, lease_owner = NULL, lease_until = NULL
         WHERE id = $1 AND lease_epoch = $2",
        args![&lease.run_id, lease.epoch, run_after, i64::from(used), waiting_for, now_ms],
    )
    .await?;
    Ok(())
}

/// Asks a run to stop. A queued one ends at once; a running one ends at its next chunk. False when there is nothing to cancel.
pub async fn cancel(conn: &mut Tx, run_id: &RunId, now_ms: i64) -> Result<bool, StoreError> {
    let ended = conn
        .execute(
            "UPDATE runs SET state = 'cancelled', finished_at = $2, cancel_requested_at = $2 WHERE id = $1 AND state = 'queued'",
            args![run_id, now_ms],
        )
        .await?;
    let asked = conn.execute("UPDATE runs SET cancel_requested_at = $2 WHERE id = $1 AND state = 'running'", args![run_id, now_ms]).await?;
    Ok(ended + asked > 0)
}

pub async fn find(conn: &mut Conn, run_id: &RunId) -> Result<Option<Run>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = $1");
    conn.query_assembled(sql, args![run_id]).await?.first().map(read).transpose()
}

/// The queued or running run of a company.
pub async fn find_active(conn: &mut Conn, company_id: &CompanyId) -> Result<Option<Run>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE dedupe_key = $1 AND state IN ('queued', 'running')");
    conn.query_assembled(sql, args![format!("sync:{company_id}")]).await?.first().map(read).transpose()
}

/// The latest runs of a company, newest first.
pub async fn list_by_company(conn: &mut Conn, company_id: &CompanyId, limit: i64) -> Result<Vec<Run>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE company_id = $1 ORDER BY id DESC LIMIT $2");
    conn.query_assembled(sql, args![company_id, limit]).await?.iter().map(read).collect()
}

/// A page of an organization's runs, newest first: `before` is the last id of the page before.
pub async fn list_page(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    company_id: Option<&CompanyId>,
    state: Option<RunState>,
    before: Option<&RunId>,
    limit: i64,
) -> Result<Vec<Run>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM runs WHERE organization_id = $1 AND ($2 = '' OR company_id = $2) AND ($3 = '' OR state = $3) AND ($4 = '' OR id < $4)
         ORDER BY id DESC LIMIT $5"
    );
    let text = |id: Option<&str>| id.unwrap_or("").to_owned();
    let values =
        args![organization_id, text(company_id.map(CompanyId::as_str)), text(state.map(RunState::as_str)), text(before.map(RunId::as_str)), limit];
    conn.query_assembled(sql, values).await?.iter().map(read).collect()
}

/// For `run_history`, whose condition depends on the call.
pub(crate) async fn list_assembled(conn: &mut Conn, tail: &str, args: Vec<crate::db::Arg>) -> Result<Vec<Run>, StoreError> {
    conn.query_assembled(format!("SELECT {COLUMNS} FROM runs {tail}"), args).await?.iter().map(read).collect()
}

/// Runs of an organization by id, in no order: the last run of each company of a page, in one statement.
pub async fn list_by_ids(conn: &mut Conn, organization_id: &OrganizationId, ids: &[RunId]) -> Result<Vec<Run>, StoreError> {
    let mut runs = Vec::with_capacity(ids.len());
    for part in ids.chunks(500) {
        let marks: Vec<String> = (0..part.len()).map(|at| format!("${}", at + 2)).collect();
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE organization_id = $1 AND id IN ({})", marks.join(","));
        let mut values = args![organization_id];
        values.extend(part.iter().map(crate::db::Arg::from));
        for row in conn.query_assembled(sql, values).await? {
            runs.push(read(&row)?);
        }
    }
    Ok(runs)
}

/// Queued and running runs of an organization, oldest first.
pub async fn list_active(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<Run>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE organization_id = $1 AND state IN ('queued', 'running') ORDER BY id");
    conn.query_assembled(sql, args![organization_id]).await?.iter().map(read).collect()
}

/// Runs of an organization that ended, latest end first.
pub async fn list_finished(conn: &mut Conn, organization_id: &OrganizationId, limit: i64) -> Result<Vec<Run>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM runs WHERE organization_id = $1 AND finished_at IS NOT NULL ORDER BY finished_at DESC, id DESC LIMIT $2");
    conn.query_assembled(sql, args![organization_id, limit]).await?.iter().map(read).collect()
}

/// When the next queued run may start, or the next lease ends: how long a worker may sleep.
pub async fn next_wake(conn: &mut Conn) -> Result<Option<i64>, StoreError> {
    conn.query_one(
        "SELECT CAST(MIN(at) AS BIGINT) FROM (SELECT MIN(run_after) AS at FROM runs WHERE state = 'queued'
                 UNION ALL SELECT MIN(lease_until) AS at FROM runs WHERE state = 'running') AS moments",
        vec![],
    )
    .await?
    .opt_int(0)
}
