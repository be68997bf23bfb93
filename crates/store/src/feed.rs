//! The Data Feed: companies filtered, counted, sorted and paged by the database, by the same rules as `domain::company::sync_status`.
use crate::args;
use crate::companies::{self, Company};
use crate::db::{Arg, Conn, Tx};
use crate::error::StoreError;
use crate::readers::Reader;
use domain::chart::rules;
use domain::company::{DELETION_CHECK_SECS, Mark};
use domain::ids::{CompanyId, OrganizationId, UserId};
use std::collections::{BTreeMap, HashMap};

/// What is asked for; an empty text asks for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what this person reads; `None`: every company of the organization.
    pub assigned_to: Option<UserId>,
    /// Part of the company's name.
    pub name: String,
    /// Part of the company's or the account's name.
    pub search: String,
    /// Part of the account's name or address.
    pub account_name: String,
    pub provider: String,
    /// The id of an account.
    pub account: String,
    /// A word of `WORDS`, or a reason of Needs Resync by its key.
    pub status: String,
    /// `verified`, `not_verified`, `not_checked`.
    pub mark: String,
    /// `hour`, `day`, `week`: since then; `older`: before a day; `never`.
    pub synced: String,
    /// `hour`: within the next; `later`; `none`.
    pub next: String,
    /// `changed`, `unchanged`: what the last run found; `minute`: it took longer.
    pub last_run: String,
    /// `met`, `missed`.
    pub freshness: String,
    /// `linked`, `not_linked`.
    pub link: String,
}

/// Status words in the order they are sorted by.
pub const WORDS: [&str; 7] = ["invalid_token", "needs_resync", "waiting", "syncing", "paused", "synced", "not_linked"];

/// By what the companies are sorted; `Sort::parse("-last_synced")` is the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub is_reversed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    #[default]
    Name,
    Account,
    Link,
    Status,
    TieOut,
    LastSynced,
    NextRun,
    Took,
    Changes,
    Freshness,
}

impl Column {
    pub const ALL: [Column; 10] = [
        Column::Name,
        Column::Account,
        Column::Link,
        Column::Status,
        Column::TieOut,
        Column::LastSynced,
        Column::NextRun,
        Column::Took,
        Column::Changes,
        Column::Freshness,
    ];
    pub fn key(self) -> &'static str {
        match self {
            Column::Name => "name",
            Column::Account => "account",
            Column::Link => "link",
            Column::Status => "status",
            Column::TieOut => "tie_out",
            Column::LastSynced => "last_synced",
            Column::NextRun => "next_run",
            Column::Took => "took",
            Column::Changes => "changes",
            Column::Freshness => "freshness",
        }
    }
    /// What a person wants first: names from A, the newest, the longest, the most.
    pub fn is_descending(self) -> bool {
        matches!(self, Column::LastSynced | Column::Took | Column::Changes | Column::Freshness)
    }
    fn expressions(self) -> &'static [&'static str] {
        match self {
            Column::Name => &["name_folded"],
            Column::Account => &["account_folded"],
            Column::Link => &["linked"],
            Column::Status => &["place"],
            Column::TieOut => &["CASE mark WHEN 'not_verified' THEN 0 WHEN 'not_checked' THEN 1 ELSE 2 END"],
            Column::LastSynced => &["COALESCE(last_success_at, 0)"],
            // without a next run: last
            Column::NextRun => &["CASE WHEN next_run_at IS NULL THEN 1 ELSE 0 END", "COALESCE(next_run_at, 0)"],
            Column::Took => &["COALESCE(last_run_ms, -1)"],
            Column::Changes => &["COALESCE(changes, -1)"],
            Column::Freshness => &["COALESCE(over_target_ms, -9000000000000000)"],
        }
    }
}

impl Filter {
    /// Everything this reader reads.
    pub fn read_by(reader: &Reader) -> Filter {
        let assigned_to = match reader {
            Reader::Everything => None,
            Reader::Assigned(user_id) => Some(user_id.clone()),
        };
        Filter { assigned_to, ..Filter::default() }
    }
}

impl Sort {
    pub fn parse(text: &str) -> Sort {
        let (key, is_reversed) = text.strip_prefix('-').map_or((text, false), |key| (key, true));
        let column = Column::ALL.into_iter().find(|column| column.key() == key);
        column.map_or_else(Sort::default, |column| Sort { column, is_reversed })
    }
    /// As addresses have it.
    pub fn text(self) -> String {
        format!("{}{}", if self.is_reversed { "-" } else { "" }, self.column.key())
    }
    pub fn is_descending(self) -> bool {
        self.column.is_descending() != self.is_reversed
    }
    fn order(self) -> String {
        let direction = if self.is_descending() { "DESC" } else { "ASC" };
        let order = self.column.expressions().iter().map(|part| format!("{part} {direction}")).collect::<Vec<_>>().join(", ");
        format!("{order}, name_folded, id")
    }
}

/// How many companies there are of each word, whatever the status that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub words: BTreeMap<String, i64>,
    pub total: i64,
    pub verified: i64,
    pub not_verified: i64,
    pub stale: i64,
}

// $1 is now, $2 the organization. Every company of the feed with the facts it is filtered and sorted by: those an account can see, and those
// that are linked. `state` is `domain::company::sync_status` in SQL, one word for each outcome; a test compares them over generated facts.
const FACTS: &str = "SELECT companies.id, companies.provider, companies.connection_id, companies.name_folded, companies.linked_at, companies.mark,
       companies.last_success_at, companies.last_run_ms,
       companies.last_run_added + companies.last_run_changed + companies.last_run_deleted AS changes,
       LOWER(CASE WHEN connections.name = '' THEN connections.email ELSE connections.name END) AS account_folded,
       connections.name AS account_name, connections.email AS account_email,
       CASE WHEN companies.linked_at IS NULL THEN 1 ELSE 0 END AS linked,
       CASE WHEN runs.id IS NULL AND companies.linked_at IS NOT NULL AND companies.paused_at IS NULL AND connections.state = 'active'
            THEN companies.next_due_at END AS next_run_at,
       CASE WHEN companies.linked_at IS NOT NULL
            THEN $1 - COALESCE(companies.last_success_at, companies.linked_at) - COALESCE(companies.freshness_secs, organizations.freshness_secs) * 1000
       END AS over_target_ms,
       CASE WHEN runs.state = 'running' AND runs.lease_until > $1 THEN CASE WHEN runs.waiting_until > $1 THEN 'waiting' ELSE 'syncing' END
            WHEN runs.state = 'queued' THEN CASE WHEN runs.waiting_since IS NOT NULL AND runs.run_after > $1 THEN 'waiting' ELSE 'syncing' END
            WHEN companies.linked_at IS NULL THEN 'not_linked'
            WHEN connections.state <> 'active' THEN 'invalid_token'
            WHEN companies.paused_at IS NOT NULL THEN 'paused'
            WHEN runs.state = 'running' THEN 'interrupted'
            WHEN companies.last_run_state = 'failed' THEN 'failed'
            WHEN companies.last_run_state = 'cancelled' THEN 'cancelled'
            WHEN companies.last_success_at IS NULL THEN 'never_synced'
            WHEN $1 - companies.last_success_at > companies.interval_secs * 1100 THEN 'due'
            WHEN companies.scope_missing_at IS NOT NULL THEN 'scope_missing'
            WHEN companies.rules_version <> RULES_VERSION THEN 'mapping_changed'
            WHEN companies.mark = 'not_verified' THEN 'tie_out_failed'
            WHEN $1 - companies.facts_read_at > DELETION_CHECK_MS + companies.interval_secs * 1100 THEN 'deletion_check_overdue'
            ELSE 'synced' END AS state
FROM companies
JOIN organizations ON organizations.id = companies.organization_id
JOIN connections ON connections.id = companies.connection_id
LEFT JOIN runs ON runs.dedupe_key = 'sync:' || companies.id AND runs.state IN ('queued', 'running')
WHERE companies.organization_id = $2 AND (connections.state <> 'disconnected' OR companies.linked_at IS NOT NULL)";

const WORD: &str = "CASE WHEN state IN ('syncing', 'waiting', 'not_linked', 'invalid_token', 'paused', 'synced') THEN state ELSE 'needs_resync' END";
const PLACE: &str = "CASE state WHEN 'invalid_token' THEN 0 WHEN 'waiting' THEN 2 WHEN 'syncing' THEN 3 WHEN 'paused' THEN 4 WHEN 'synced' THEN 5
       WHEN 'not_linked' THEN 6 ELSE 1 END";

/// A statement over the facts, with what it binds.
struct Statement {
    sql: String,
    args: Vec<Arg>,
}

impl Statement {
    fn new(organization_id: &OrganizationId, now_ms: i64) -> Statement {
        let facts = FACTS.replace("DELETION_CHECK_MS", &(DELETION_CHECK_SECS * 1_000).to_string());
        let facts = facts.replace("RULES_VERSION", &rules::VERSION.to_string());
        let sql = format!("FROM (SELECT facts.*, {WORD} AS word, {PLACE} AS place FROM ({facts}) AS facts) AS feed WHERE 1 = 1");
        Statement { sql, args: vec![now_ms.into(), organization_id.into()] }
    }

    fn bind(&mut self, value: impl Into<Arg>) -> String {
        self.args.push(value.into());
        format!("${}", self.args.len())
    }

    fn and(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }

    /// Everything but the status, which the summary line counts.
    fn fit(&mut self, filter: &Filter, now_ms: i64) {
        if let Some(user_id) = &filter.assigned_to {
            let user_id = self.bind(user_id);
            self.and(&format!("id IN (SELECT company_id FROM company_readers WHERE user_id = {user_id})"));
        }
        if !filter.name.is_empty() {
            let folded = self.bind(pattern(&filter.name.to_lowercase()));
            self.and(&format!("name_folded LIKE {folded} ESCAPE '\\'"));
        }
        if !filter.search.is_empty() {
            let folded = self.bind(pattern(&filter.search.to_lowercase()));
            let typed = self.bind(pattern(&filter.search));
            self.and(&format!(
                "(name_folded LIKE {folded} ESCAPE '\\' OR account_folded LIKE {folded} ESCAPE '\\' OR account_name LIKE {typed} ESCAPE '\\')"
            ));
        }
        if !filter.account_name.is_empty() {
            let folded = self.bind(pattern(&filter.account_name.to_lowercase()));
            let typed = self.bind(pattern(&filter.account_name));
            self.and(&format!(
                "(account_folded LIKE {folded} ESCAPE '\\' OR LOWER(account_email) LIKE {folded} ESCAPE '\\' OR account_name LIKE {typed} ESCAPE '\\')"
            ));
        }
        for (column, value) in [("provider", &filter.provider), ("connection_id", &filter.account), ("mark", &filter.mark)] {
            if !value.is_empty() {
                let value = self.bind(value.as_str());
                self.and(&format!("{column} = {value}"));
            }
        }
        let hours_ago = |hours: i64| now_ms - hours * 3_600_000;
        match filter.synced.as_str() {
            "hour" => self.and_since("last_success_at >=", hours_ago(1)),
            "day" => self.and_since("last_success_at >=", hours_ago(24)),
            "week" => self.and_since("last_success_at >=", hours_ago(168)),
            "older" => self.and_since("last_success_at <", hours_ago(24)),
            "never" => self.and("last_success_at IS NULL"),
            _ => {}
        }
        match filter.next.as_str() {
            "hour" => self.and_since("next_run_at <=", now_ms + 3_600_000),
            "later" => self.and_since("next_run_at >", now_ms + 3_600_000),
            "none" => self.and("next_run_at IS NULL"),
            _ => {}
        }
        match filter.last_run.as_str() {
            "changed" => self.and("changes > 0"),
            "unchanged" => self.and("changes = 0"),
            "minute" => self.and("last_run_ms > 60000"),
            _ => {}
        }
        match filter.freshness.as_str() {
            "met" => self.and("over_target_ms <= 0"),
            "missed" => self.and("over_target_ms > 0"),
            _ => {}
        }
        match filter.link.as_str() {
            "linked" => self.and("linked_at IS NOT NULL"),
            "not_linked" => self.and("linked_at IS NULL"),
            _ => {}
        }
    }

    fn and_since(&mut self, comparison: &str, instant: i64) {
        let instant = self.bind(instant);
        self.and(&format!("{comparison} {instant}"));
    }

    fn fit_status(&mut self, filter: &Filter) {
        match filter.status.as_str() {
            "" => {}
            "not_verified" => {
                let mark = self.bind(Mark::NotVerified.as_str());
                self.and(&format!("linked_at IS NOT NULL AND mark = {mark}"));
            }
            "stale" => self.and("over_target_ms > 0"),
            status => {
                let column = if WORDS.contains(&status) { "word" } else { "state" };
                let value = self.bind(status);
                self.and(&format!("{column} = {value}"));
            }
        }
    }

    async fn query(self, conn: &mut Conn, head: &str, tail: &str) -> Result<Vec<crate::db::Row>, StoreError> {
        conn.query_assembled(format!("{head} {} {tail}", self.sql), self.args).await
    }
}

/// A text to be found anywhere, with what LIKE would take for a sign.
pub(crate) fn pattern(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// Counts what a click on each word would show.
pub async fn count(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, now_ms: i64) -> Result<Counts, StoreError> {
    let mut statement = Statement::new(organization_id, now_ms);
    statement.fit(filter, now_ms);
    let head = "SELECT word, COUNT(*), CAST(SUM(CASE WHEN linked_at IS NOT NULL AND mark = 'not_verified' THEN 1 ELSE 0 END) AS BIGINT),
                       CAST(SUM(CASE WHEN over_target_ms > 0 THEN 1 ELSE 0 END) AS BIGINT),
                       CAST(SUM(CASE WHEN linked_at IS NOT NULL AND mark = 'verified' THEN 1 ELSE 0 END) AS BIGINT)";
    let mut counts = Counts::default();
    for row in statement.query(conn, head, "GROUP BY word ORDER BY word").await? {
        let count = row.int(1)?;
        counts.words.insert(row.text(0)?, count);
        counts.total += count;
        counts.not_verified += row.int(2)?;
        counts.stale += row.int(3)?;
        counts.verified += row.int(4)?;
    }
    Ok(counts)
}

/// The ids of what fits, in order; `limit` of them from `offset`.
pub async fn list_ids(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    filter: &Filter,
    sort: Sort,
    now_ms: i64,
    limit: i64,
    offset: i64,
) -> Result<Vec<CompanyId>, StoreError> {
    let mut statement = Statement::new(organization_id, now_ms);
    statement.fit(filter, now_ms);
    statement.fit_status(filter);
    let (limit, offset) = (statement.bind(limit), statement.bind(offset));
    let tail = format!("ORDER BY {} LIMIT {limit} OFFSET {offset}", sort.order());
    statement.query(conn, "SELECT id", &tail).await?.iter().map(|row| Ok(CompanyId(row.text(0)?))).collect()
}

/// How many fit, the status included.
pub async fn count_fitting(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, now_ms: i64) -> Result<i64, StoreError> {
    let mut statement = Statement::new(organization_id, now_ms);
    statement.fit(filter, now_ms);
    statement.fit_status(filter);
    let rows = statement.query(conn, "SELECT COUNT(*)", "").await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// These companies, in this order; ones of other organizations are left out.
pub async fn list_by_ids(conn: &mut Conn, organization_id: &OrganizationId, ids: &[CompanyId]) -> Result<Vec<Company>, StoreError> {
    let mut found = HashMap::with_capacity(ids.len());
    for part in ids.chunks(500) {
        let marks: Vec<String> = (0..part.len()).map(|at| format!("${}", at + 2)).collect();
        let sql = format!("{} WHERE companies.organization_id = $1 AND companies.id IN ({})", companies::SELECT, marks.join(","));
        let mut args = vec![Arg::from(organization_id)];
        args.extend(part.iter().map(Arg::from));
        for row in conn.query_assembled(sql, args).await? {
            let company = companies::read(&row)?;
            found.insert(company.id.clone(), company);
        }
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// One page of the feed.
pub struct Page {
    pub companies: Vec<Company>,
    pub counts: Counts,
    /// How many fit, the status included.
    pub total: i64,
    /// The page that is shown, from 1: the last one when a later one was asked for.
    pub page: i64,
}

pub async fn page(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    filter: &Filter,
    sort: Sort,
    now_ms: i64,
    size: i64,
    page: i64,
) -> Result<Page, StoreError> {
    let counts = count(conn, organization_id, filter, now_ms).await?;
    let total = match filter.status.as_str() {
        "" => counts.total,
        "not_verified" => counts.not_verified,
        "stale" => counts.stale,
        word if WORDS.contains(&word) => counts.words.get(word).copied().unwrap_or(0),
        _ => count_fitting(conn, organization_id, filter, now_ms).await?,
    };
    let page = page.min((total + size - 1) / size).max(1);
    let ids = list_ids(conn, organization_id, filter, sort, now_ms, size, (page - 1) * size).await?;
    Ok(Page { companies: list_by_ids(conn, organization_id, &ids).await?, counts, total, page })
}

/// The freshness target of every company that has none of its own.
pub async fn freshness_target(conn: &mut Conn, organization_id: &OrganizationId) -> Result<i64, StoreError> {
    conn.query_one("SELECT freshness_secs FROM organizations WHERE id = $1", args![organization_id]).await?.int(0)
}

pub async fn set_freshness_target(conn: &mut Tx, organization_id: &OrganizationId, freshness_secs: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE organizations SET freshness_secs = $2 WHERE id = $1", args![organization_id, freshness_secs]).await?;
    // what was late for the old target is judged anew
    conn.execute("UPDATE companies SET stale_noticed_at = NULL WHERE organization_id = $1 AND freshness_secs IS NULL", args![organization_id])
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_from_addresses_and_end_in_the_id() {
        assert_eq!(Sort::parse(""), Sort::default());
        assert_eq!(Sort::parse("nonsense; DROP TABLE companies"), Sort::default());
        for column in Column::ALL {
            let (plain, reversed) = (Sort::parse(column.key()), Sort::parse(&format!("-{}", column.key())));
            assert_eq!((plain.column, reversed.column), (column, column));
            assert_ne!(plain.is_descending(), reversed.is_descending());
            assert!(plain.order().ends_with(", name_folded, id"));
        }
    }

    #[test]
    fn what_a_person_types_is_plain_text() {
        assert_eq!(pattern("50%_\\"), "%50\\%\\_\\\\%");
    }
}
