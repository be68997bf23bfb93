//! The integration log: entries and the totals of the cards. How its pages are found is in `log_search`.
use crate::args;
use crate::columns::word;
use crate::db::{Conn, Row, Tx};
use crate::error::StoreError;
use crate::log_search::put_shape;
use domain::company::Mark;
use domain::ids::{CompanyId, OrganizationId, RunId};
use domain::log::{LogBody, LogMessage, LogStatus, LogType};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};

pub use crate::log_search::{Filter, Page, Place, count, count_newer, list_page};

#[derive(Clone, Debug)]
pub struct LogEntry {
    /// Grows with time: 41 bits of milliseconds since 2020, then 22 bits that keep entries of one millisecond apart and in order.
    pub id: i64,
    pub company_id: Option<CompanyId>,
    pub run_id: Option<RunId>,
    pub provider: String,
    pub company_name: String,
    /// The external account, as it was called then.
    pub account_name: String,
    pub log_type: LogType,
    pub status: LogStatus,
    pub message: String,
    /// JSON of `domain::log::LogBody`.
    pub body: Option<String>,
    pub logged_at: i64,
}

/// What `read` reads.
pub(crate) const COLUMNS: &str = "id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at";

const EPOCH_MS: i64 = 1_577_836_800_000; // 2020-01-01
static LAST_ID: AtomicI64 = AtomicI64::new(0);

/// A clock that was set back by more than this is followed, so that the ids of a day stay within that day.
const CLOCK_SET_BACK_MS: i64 = 1_000;

/// How many ids this process made, from a number of its own on.
static MADE: LazyLock<AtomicI64> = LazyLock::new(|| AtomicI64::new(i64::from(random())));

fn random() -> u32 {
    let mut bytes = [0u8; 4];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    u32::from_be_bytes(bytes)
}

/// An id for an entry of this moment: larger than every id made before by this process, apart from those of other nodes by what it has counted and 10 random
/// bits. It counts so that two entries of one millisecond keep their order even after an entry of a later clock.
fn make_id(last_id: &AtomicI64, now_ms: i64) -> i64 {
    let (made, random) = (MADE.fetch_add(1, Ordering::SeqCst), i64::from(random() & 0x3ff));
    let wanted = ((now_ms - EPOCH_MS).max(1) << 22) | ((made & 0x7ff) << 10) | random;
    let after = |last: i64| if last - wanted > CLOCK_SET_BACK_MS << 22 { wanted } else { wanted.max(last + 1 + (random & 0x3f)) };
    let previous = last_id.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(after(last))).unwrap_or(0);
    after(previous)
}

/// The smallest id an entry of this moment can have: a range of time is a range of ids.
pub fn first_id_at(ms: i64) -> i64 {
    (ms - EPOCH_MS).max(0) << 22
}

/// When the entry of an id was written.
pub fn moment_of(id: i64) -> i64 {
    (id >> 22) + EPOCH_MS
}

/// Whom an entry is about.
#[derive(Clone, Debug)]
pub struct About<'a> {
    pub organization_id: &'a OrganizationId,
    pub company_id: Option<&'a CompanyId>,
    pub run_id: Option<&'a RunId>,
    pub provider: &'a str,
    pub company_name: &'a str,
    pub account_name: &'a str,
}

/// Writes one entry and counts it on the company's card, in the caller's transaction.
pub async fn insert(conn: &mut Tx, about: &About<'_>, message: &LogMessage, attempt: u32, now_ms: i64) -> Result<i64, StoreError> {
    let id = make_id(&LAST_ID, now_ms);
    let body = message.body(attempt);
    let references = body.as_ref().map(LogBody::references).unwrap_or_default();
    let body = body.map(|body| serde_json::to_string(&body).expect("a log body is plain data"));
    let (log_type, status, sentence) = (message.log_type(), message.status(), message.sentence());
    let shape_id = put_shape(conn, about, log_type, status, &sentence).await?;
    conn.execute(
        "INSERT INTO log_entries (id, organization_id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at,
                                  shape_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        args![
            id,
            about.organization_id,
            about.company_id.map(|id| id.as_str()),
            about.run_id.map(|id| id.as_str()),
            about.provider,
            about.company_name,
            about.account_name,
            log_type.as_str(),
            status.as_str(),
            sentence,
            body,
            now_ms,
            shape_id,
        ],
    )
    .await?;
    for reference in references {
        let company_id = about.company_id.map(|id| id.as_str());
        conn.execute(
            "INSERT INTO log_references (organization_id, reference, entry_id, company_id) VALUES ($1, $2, $3, $4)",
            args![about.organization_id, reference, id, company_id],
        )
        .await?;
    }
    if let Some(company_id) = about.company_id {
        let error = i64::from(status == LogStatus::Error);
        let milestone = i64::from(log_type == LogType::Milestone);
        conn.execute(
            "INSERT INTO log_totals (company_id, organization_id, total, errors, milestones, last_at) VALUES ($1, $2, 1, $3, $4, $5)
             ON CONFLICT (company_id) DO UPDATE SET total = log_totals.total + 1, errors = log_totals.errors + excluded.errors,
                         milestones = log_totals.milestones + excluded.milestones, last_at = excluded.last_at",
            args![company_id, about.organization_id, error, milestone, now_ms],
        )
        .await?;
    }
    Ok(id)
}

/// A card of the summary.
#[derive(Clone, Debug)]
pub struct Card {
    pub company_id: CompanyId,
    pub name: String,
    pub provider: String,
    pub linked: bool,
    pub mark: Mark,
    pub marked_as_of: Option<String>,
    pub total: i64,
    pub errors: i64,
    pub milestones: i64,
    pub last_at: Option<i64>,
}

/// One card for each company that is linked or has a log: last activity first.
pub async fn list_cards(conn: &mut Conn, organization_id: &OrganizationId) -> Result<Vec<Card>, StoreError> {
    conn.query(
        "SELECT companies.id, companies.name, companies.provider, companies.linked_at, log_totals.total, log_totals.errors, log_totals.milestones, log_totals.last_at,
                companies.mark, companies.marked_as_of
         FROM companies LEFT JOIN log_totals ON log_totals.company_id = companies.id
         WHERE companies.organization_id = $1 AND (companies.linked_at IS NOT NULL OR log_totals.total > 0)
         ORDER BY COALESCE(log_totals.last_at, 0) DESC, companies.name, companies.id",
        args![organization_id],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Card {
            company_id: CompanyId(row.text(0)?),
            name: row.text(1)?,
            provider: row.text(2)?,
            linked: row.opt_int(3)?.is_some(),
            mark: word(row, 8, Mark::parse)?,
            marked_as_of: row.opt_text(9)?,
            total: row.opt_int(4)?.unwrap_or(0),
            errors: row.opt_int(5)?.unwrap_or(0),
            milestones: row.opt_int(6)?.unwrap_or(0),
            last_at: row.opt_int(7)?,
        })
    })
    .collect()
}

pub async fn find(conn: &mut Conn, organization_id: &OrganizationId, id: i64) -> Result<Option<LogEntry>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM log_entries WHERE organization_id = $1 AND id = $2");
    conn.query_assembled(sql, args![organization_id, id]).await?.first().map(read).transpose()
}

/// The newest id of an organization's log: what a live page compares.
pub async fn newest_id(conn: &mut Conn, organization_id: &OrganizationId) -> Result<i64, StoreError> {
    Ok(conn
        .query_one("SELECT CAST(MAX(id) AS BIGINT) FROM log_entries WHERE organization_id = $1", args![organization_id])
        .await?
        .opt_int(0)?
        .unwrap_or(0))
}

/// Entries of one run, oldest first.
pub async fn list_by_run(conn: &mut Conn, run_id: &RunId, limit: i64) -> Result<Vec<LogEntry>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM log_entries WHERE run_id = $1 ORDER BY id LIMIT $2");
    conn.query_assembled(sql, args![run_id, limit]).await?.iter().map(read).collect()
}

pub(crate) fn read(row: &Row) -> Result<LogEntry, StoreError> {
    Ok(LogEntry {
        id: row.int(0)?,
        company_id: row.opt_text(1)?.map(CompanyId),
        run_id: row.opt_text(2)?.map(RunId),
        provider: row.text(3)?,
        company_name: row.text(4)?,
        account_name: row.text(5)?,
        log_type: word(row, 6, LogType::parse)?,
        status: word(row, 7, LogStatus::parse)?,
        message: row.text(8)?,
        body: row.opt_text(9)?,
        logged_at: row.int(10)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_moment_keep_their_order() {
        let last_id = AtomicI64::new(0);
        let ids: Vec<i64> = (0..10_000).map(|_| make_id(&last_id, 1_800_000_000_000)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(make_id(&last_id, 1_800_000_100_000) >= first_id_at(1_800_000_100_000));
        // other nodes make ids of the same moment
        let of_nodes: std::collections::BTreeSet<i64> = (0..50).map(|_| make_id(&AtomicI64::new(0), 1_800_000_000_000)).collect();
        assert_eq!(of_nodes.len(), 50);
        // entries of a clock that is ahead lie between two of one moment (the count begins anew once in 2,048 ids)
        let turned = (0..200)
            .filter(|_| {
                let first = make_id(&last_id, 1_800_000_000_000);
                make_id(&last_id, 1_800_000_100_000);
                make_id(&last_id, 1_800_000_000_000) < first
            })
            .count();
        assert!(turned <= 1, "{turned} of 200 pairs are in the wrong order");
        // set back by an hour: the id is one of that hour again
        let back = make_id(&last_id, 1_799_996_500_000);
        assert!((first_id_at(1_799_996_500_000)..first_id_at(1_799_996_501_000)).contains(&back));
    }
}
