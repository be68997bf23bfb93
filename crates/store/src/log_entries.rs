//! The integration log: entries, the totals of the cards, and pages by keyset under any combination of filters.
use crate::args;
use crate::columns::word;
use crate::db::{Arg, Conn, Row, Tx};
use crate::error::StoreError;
use domain::company::Mark;
use domain::ids::{CompanyId, OrganizationId, RunId};
use domain::log::{LogMessage, LogStatus, LogType};
use std::sync::atomic::{AtomicI64, Ordering};

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

const EPOCH_MS: i64 = 1_577_836_800_000; // 2020-01-01
static LAST_ID: AtomicI64 = AtomicI64::new(0);

/// A clock that was set back by more than this is followed, so that the ids of a day stay within that day.
const CLOCK_SET_BACK_MS: i64 = 1_000;

/// An id for an entry of this moment: larger than every id made before by this process, apart from those of other nodes by 12 random bits.
fn make_id(last_id: &AtomicI64, now_ms: i64) -> i64 {
    let mut random = [0u8; 2];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let node = i64::from(u16::from_be_bytes(random) & 0x0fff);
    let wanted = ((now_ms - EPOCH_MS).max(1) << 22) | node;
    let after = |last: i64| if last - wanted > CLOCK_SET_BACK_MS << 22 { wanted } else { wanted.max(last + 1 + (node & 0x3f)) };
    let previous = last_id.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(after(last))).unwrap_or(0);
    after(previous)
}

/// The smallest id an entry of this moment can have: a range of time is a range of ids.
pub fn first_id_at(ms: i64) -> i64 {
    (ms - EPOCH_MS).max(0) << 22
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
    let body = message.body(attempt).map(|body| serde_json::to_string(&body).expect("a log body is plain data"));
    let (log_type, status) = (message.log_type(), message.status());
    conn.execute(
        "INSERT INTO log_entries (id, organization_id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
            message.sentence(),
            body,
            now_ms,
        ],
    )
    .await?;
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

/// The seven filters of the table, and the company of a card. All combine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub company_id: Option<CompanyId>,
    pub provider: Option<String>,
    /// Part of a company's name, any case.
    pub company: Option<String>,
    /// Part of the external account, any case.
    pub account: Option<String>,
    pub log_type: Option<LogType>,
    /// Part of the message, any case.
    pub message: Option<String>,
    pub status: Option<LogStatus>,
    /// From this instant (milliseconds), included.
    pub from_ms: Option<i64>,
    /// To this instant, not included.
    pub until_ms: Option<i64>,
    pub run_id: Option<RunId>,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Newest,
    /// Entries older than this id.
    OlderThan(i64),
    /// Entries newer than this id.
    NewerThan(i64),
}

/// A page, newest first, and whether there are more on either side.
#[derive(Clone, Debug)]
pub struct Page {
    pub entries: Vec<LogEntry>,
    pub has_older: bool,
    pub has_newer: bool,
}

/// The condition of a filter. Of the columns that have an index of their own only the most selective one is left bare: a column inside an
/// expression keeps both databases from reading, say, every success of the organization to find those of one run.
fn conditions(organization_id: &OrganizationId, filter: &Filter) -> (String, Vec<Arg>) {
    let by_run = filter.run_id.is_some();
    let by_company = filter.company_id.is_some() && !by_run;
    let bare = |column: &str, is_bare: bool| if is_bare { column.to_owned() } else { format!("({column} || '')") };
    let mut sql = format!("{} = $1", bare("organization_id", !by_run));
    let mut args = args![organization_id];
    let mut equal = |column: &str, operator: &str, value: Arg| {
        args.push(value);
        sql.push_str(&format!(" AND {column} {operator} ${}", args.len()));
    };
    if let Some(company_id) = &filter.company_id {
        equal(&bare("company_id", by_company), "=", Arg::from(company_id));
    }
    if let Some(run_id) = &filter.run_id {
        equal("run_id", "=", Arg::from(run_id));
    }
    if let Some(provider) = &filter.provider {
        equal("provider", "=", Arg::from(provider));
    }
    if let Some(log_type) = filter.log_type {
        equal("log_type", "=", Arg::from(log_type.as_str()));
    }
    if let Some(status) = filter.status {
        equal(&bare("status", !by_run), "=", Arg::from(status.as_str()));
    }
    if let Some(from_ms) = filter.from_ms {
        equal("id", ">=", Arg::from(first_id_at(from_ms)));
    }
    if let Some(until_ms) = filter.until_ms {
        equal("id", "<", Arg::from(first_id_at(until_ms)));
    }
    for (column, text) in [("company_name", &filter.company), ("account_name", &filter.account), ("message", &filter.message)] {
        if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
            // what a person types is text, not a pattern
            let pattern = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
            args.push(Arg::from(format!("%{pattern}%")));
            sql.push_str(&format!(" AND LOWER({column}) LIKE ${} ESCAPE '!'", args.len()));
        }
    }
    (sql, args)
}

fn page_statement(organization_id: &OrganizationId, filter: &Filter, place: Place, size: i64) -> (String, Vec<Arg>) {
    let (mut sql, mut args) = conditions(organization_id, filter);
    let order = match place {
        Place::Newest => "DESC",
        Place::OlderThan(id) => {
            args.push(Arg::from(id));
            sql.push_str(&format!(" AND id < ${}", args.len()));
            "DESC"
        }
        Place::NewerThan(id) => {
            args.push(Arg::from(id));
            sql.push_str(&format!(" AND id > ${}", args.len()));
            "ASC"
        }
    };
    args.push(Arg::from(size + 1));
    let sql = format!(
        "SELECT id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at FROM log_entries
         WHERE {sql} ORDER BY id {order} LIMIT ${}",
        args.len()
    );
    (sql, args)
}

/// A page of the log under a filter. Pages are found by id, so any depth costs the same and new entries move nothing.
pub async fn list_page(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, place: Place, size: i64) -> Result<Page, StoreError> {
    let (sql, args) = page_statement(organization_id, filter, place, size);
    let mut entries = conn.query_assembled(sql, args).await?.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
    let more = entries.len() as i64 > size;
    entries.truncate(size as usize);
    let (has_older, has_newer) = match place {
        Place::Newest => (more, false),
        Place::OlderThan(_) => (more, true),
        Place::NewerThan(_) => {
            entries.reverse();
            (true, more)
        }
    };
    Ok(Page { entries, has_older, has_newer })
}

/// How many entries a filter finds, counted up to `cap`.
pub async fn count(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, cap: i64) -> Result<i64, StoreError> {
    let (sql, mut args) = conditions(organization_id, filter);
    args.push(Arg::from(cap));
    let sql = format!("SELECT COUNT(*) FROM (SELECT id FROM log_entries WHERE {sql} LIMIT ${}) AS found", args.len());
    conn.query_assembled(sql, args).await?[0].int(0)
}

/// How many entries of a filter are newer than `id`, counted up to `cap`: what a page says instead of moving.
pub async fn count_newer(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, id: i64, cap: i64) -> Result<i64, StoreError> {
    let (sql, mut args) = conditions(organization_id, filter);
    args.extend(args![id, cap]);
    let sql = format!("SELECT COUNT(*) FROM (SELECT id FROM log_entries WHERE {sql} AND id > ${} LIMIT ${}) AS found", args.len() - 1, args.len());
    conn.query_assembled(sql, args).await?[0].int(0)
}

pub async fn find(conn: &mut Conn, organization_id: &OrganizationId, id: i64) -> Result<Option<LogEntry>, StoreError> {
    conn.query_opt(
        "SELECT id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at FROM log_entries
         WHERE organization_id = $1 AND id = $2",
        args![organization_id, id],
    )
    .await?
    .as_ref()
    .map(read)
    .transpose()
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
    conn.query(
        "SELECT id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at FROM log_entries
         WHERE run_id = $1 ORDER BY id LIMIT $2",
        args![run_id, limit],
    )
    .await?
    .iter()
    .map(read)
    .collect()
}

fn read(row: &Row) -> Result<LogEntry, StoreError> {
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
        // set back by an hour: the id is one of that hour again
        let back = make_id(&last_id, 1_799_996_500_000);
        assert!((first_id_at(1_799_996_500_000)..first_id_at(1_799_996_501_000)).contains(&back));
    }

    const MINUTE: i64 = 60_000;
    const START_MS: i64 = 1_780_000_000_000;

    /// `count` entries a minute apart: companies, providers, types and statuses take turns in strides that share no factor.
    async fn fill(conn: &mut Tx, organization_id: &str, count: i64) {
        let mut values = Vec::new();
        for at in 0..count {
            let logged_at = START_MS + at * MINUTE;
            let company = format!("company-{}", at % 7);
            values.extend(args![
                first_id_at(logged_at) + at % 5,
                organization_id,
                company.as_str(),
                format!("run-{}", at / 10),
                if at % 2 == 0 { "quickbooks" } else { "xero" },
                format!("Company_{} 100%", at % 7),
                format!("books{}@acme.example", at % 4),
                if at % 3 == 0 { "milestone" } else { "event" },
                if at % 11 == 0 { "error" } else { "success" },
                format!("Message {at}"),
                None::<String>,
                logged_at,
            ]);
        }
        conn.insert_rows(
            "INSERT INTO log_entries (id, organization_id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at)",
            12,
            values,
            "",
        )
        .await
        .unwrap();
    }

    async fn open(url: &str) -> crate::db::Store {
        crate::db::Store::open(url, &crate::seal::Key::random()).await.unwrap()
    }

    fn filters() -> Vec<Filter> {
        let mut filters = vec![Filter::default()];
        for at in 1..256_u32 {
            let has = |bit: u32| at & (1 << bit) != 0;
            filters.push(Filter {
                company_id: has(0).then(|| CompanyId::new("company-3")),
                provider: has(1).then(|| "xero".to_owned()),
                company: has(2).then(|| "pany_3 100%".to_owned()),
                account: has(3).then(|| "BOOKS1".to_owned()),
                log_type: has(4).then_some(LogType::Milestone),
                message: has(5).then(|| "ssage 1".to_owned()),
                status: has(6).then_some(LogStatus::Success),
                from_ms: has(7).then_some(START_MS + 500 * MINUTE),
                until_ms: has(7).then_some(START_MS + 1_500 * MINUTE),
                run_id: None,
            });
        }
        filters
    }

    // proves D3 in part
    #[tokio::test]
    async fn every_combination_of_filters_finds_what_a_search_by_hand_finds_and_counts_the_same() {
        testkit::each_database(|url| async move {
            let store = open(&url).await;
            let mut tx = store.begin().await.unwrap();
            fill(&mut tx, "org", 2_000).await;
            fill_other(&mut tx).await;
            tx.commit().await.unwrap();
            let mut conn = store.read().await.unwrap();
            let organization_id = OrganizationId::new("org");
            for filter in filters() {
                let by_hand = (0..2_000_i64)
                    .filter(|at| filter.company_id.is_none() || at % 7 == 3)
                    .filter(|at| filter.provider.is_none() || at % 2 == 1)
                    .filter(|at| filter.company.is_none() || at % 7 == 3)
                    .filter(|at| filter.account.is_none() || at % 4 == 1)
                    .filter(|at| filter.log_type.is_none() || at % 3 == 0)
                    .filter(|at| filter.message.is_none() || at.to_string().starts_with('1'))
                    .filter(|at| filter.status.is_none() || at % 11 != 0)
                    .filter(|at| filter.from_ms.is_none() || (500..1_500).contains(at))
                    .count() as i64;
                assert_eq!(count(&mut conn, &organization_id, &filter, 10_000).await.unwrap(), by_hand, "{filter:?}");
                let page = list_page(&mut conn, &organization_id, &filter, Place::Newest, 5_000).await.unwrap();
                assert_eq!(page.entries.len() as i64, by_hand, "{filter:?}");
            }
        })
        .await;
    }

    async fn fill_other(conn: &mut Tx) {
        conn.execute(
            "INSERT INTO log_entries (id, organization_id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at)
             SELECT id + 7, 'other', company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at FROM log_entries
             WHERE organization_id = 'org'",
            vec![],
        )
        .await
        .unwrap();
    }

    // proves D4 in part
    #[tokio::test]
    async fn pages_neither_repeat_nor_skip_while_entries_arrive() {
        testkit::each_database(|url| async move {
            let store = open(&url).await;
            let organization_id = OrganizationId::new("org");
            let mut tx = store.begin().await.unwrap();
            fill(&mut tx, "org", 500).await;
            tx.commit().await.unwrap();
            for filter in [Filter::default(), Filter { status: Some(LogStatus::Success), ..Filter::default() }] {
                let mut conn = store.read().await.unwrap();
                let expected = list_page(&mut conn, &organization_id, &filter, Place::Newest, 1_000).await.unwrap().entries;
                let (mut seen, mut place) = (Vec::new(), Place::Newest);
                loop {
                    let page = list_page(&mut conn, &organization_id, &filter, place, 25).await.unwrap();
                    // an entry arrives between any two pages
                    let mut tx = store.begin().await.unwrap();
                    let about = About {
                        organization_id: &organization_id,
                        company_id: None,
                        run_id: None,
                        provider: "xero",
                        company_name: "New",
                        account_name: "new",
                    };
                    insert(&mut tx, &about, &LogMessage::TokenRefreshed, 1, START_MS + 10_000 * MINUTE).await.unwrap();
                    tx.commit().await.unwrap();
                    seen.extend(page.entries.iter().map(|entry| entry.id));
                    if !page.has_older {
                        break;
                    }
                    place = Place::OlderThan(*seen.last().unwrap());
                }
                assert_eq!(seen, expected.iter().map(|entry| entry.id).collect::<Vec<_>>());
                let arrived = count_newer(&mut conn, &organization_id, &filter, seen[0], 1_000).await.unwrap();
                assert_eq!(arrived, (expected.len() as i64 + 24) / 25);
                // back again: the same pages in the other direction
                let back = list_page(&mut conn, &organization_id, &filter, Place::NewerThan(seen[50]), 25).await.unwrap();
                assert_eq!(back.entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), seen[25..50]);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn every_page_is_read_from_an_index_in_its_order() {
        testkit::each_database(|url| async move {
            let store = open(&url).await;
            let mut tx = store.begin().await.unwrap();
            fill(&mut tx, "org", 20_000).await;
            fill_other(&mut tx).await;
            tx.commit().await.unwrap();
            let mut tx = store.begin().await.unwrap();
            if tx.is_postgres() {
                tx.execute("ANALYZE log_entries", vec![]).await.unwrap();
            }
            let cases = [
                (Filter::default(), "log_entries_by_organization"),
                (Filter { status: Some(LogStatus::Error), ..Filter::default() }, "log_entries_errors"),
                (
                    Filter { company_id: Some(CompanyId::new("company-3")), status: Some(LogStatus::Error), ..Filter::default() },
                    "log_entries_by_company_status",
                ),
                (Filter { company_id: Some(CompanyId::new("company-3")), ..Filter::default() }, "log_entries_by_company"),
                (
                    Filter { company_id: Some(CompanyId::new("company-3")), status: Some(LogStatus::Success), ..Filter::default() },
                    "log_entries_by_company",
                ),
                (Filter { run_id: Some(RunId::new("run-7")), status: Some(LogStatus::Success), ..Filter::default() }, "log_entries_by_run"),
            ];
            for (filter, index) in cases {
                for place in [Place::Newest, Place::OlderThan(first_id_at(START_MS + 900 * MINUTE))] {
                    let (sql, args) = page_statement(&OrganizationId::new("org"), &filter, place, 50);
                    let (head, column) = if tx.is_postgres() { ("EXPLAIN", 0) } else { ("EXPLAIN QUERY PLAN", 3) };
                    let plan: Vec<String> =
                        tx.query_assembled(format!("{head} {sql}"), args).await.unwrap().iter().map(|row| row.text(column).unwrap()).collect();
                    let plan = plan.join("\n");
                    // half of the rows are of the organization: PostgreSQL may also walk the primary key
                    let walks = plan.contains(index) || (plan.contains("log_entries_pkey") && index == "log_entries_by_organization");
                    assert!(walks || plan.contains("Bitmap"), "{filter:?} does not use {index}:\n{plan}");
                    assert!(!plan.contains("TEMP B-TREE") && !plan.contains("Seq Scan") && !plan.contains("SCAN log_entries"), "{filter:?}:\n{plan}");
                }
            }
        })
        .await;
    }
}
