//! A log of any size, written past the server: companies of very different size, each with its account, sentences of a sync with their numbers.
use crate::installation::Installation;
use domain::ids::{CompanyId, OrganizationId};
use domain::log::{LogStatus, LogType};
use store::args;
use store::log_entries::About;

pub const DISTINCT_COMPANIES: usize = 100;
/// An entry every four seconds from 2025-01-01 on, in milliseconds.
const FIRST_MS: i64 = 1_735_689_600_000;
const STEP_MS: i64 = 4_000;
const PART: i64 = 200_000;
/// Kinds of entries that take turns; no stride of anything else divides it.
const TURNS: i64 = 20_011;

/// Sentences: what stands before and behind the number, type, status, and how many of a thousand entries say so.
const SENTENCES: [(&str, &str, LogType, LogStatus, i64); 12] = [
    ("Sync started: changes since the last sync", "", LogType::Milestone, LogStatus::Success, 130),
    ("Company information kept: it was read less than a day ago, and nothing changed since", "", LogType::Milestone, LogStatus::Success, 130),
    ("Chart of accounts imported: nothing changed", "", LogType::Milestone, LogStatus::Success, 130),
    ("Contacts imported: ", " added, 3 updated", LogType::Milestone, LogStatus::Success, 120),
    ("Transactions synced: ", " added, 12 updated", LogType::Milestone, LogStatus::Success, 130),
    ("Ledger imported: ", " entries in 2 months", LogType::Milestone, LogStatus::Success, 120),
    ("Sync finished: nothing changed with 3 calls in ", " seconds", LogType::Milestone, LogStatus::Success, 119),
    ("Access renewed", "", LogType::Event, LogStatus::Success, 100),
    ("Syncing everything instead of changes: there is no earlier sync to build on", "", LogType::Event, LogStatus::Success, 10),
    ("Sync failed: Xero did not answer.", "", LogType::Milestone, LogStatus::Error, 8),
    ("Invoices were not synced: QuickBooks answered with status ", ".", LogType::Event, LogStatus::Error, 2),
    ("Does not tie out: ", " accounts differ from the provider's trial balance", LogType::Milestone, LogStatus::Error, 1),
];

/// The id of an entry is the one the store gives: 41 bits of milliseconds since 2020, then 22 bits.
const FILL: &str = "INSERT INTO log_entries
     (id, organization_id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at, shape_id)
 WITH RECURSIVE numbers (n) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $2)
 SELECT ($3 + n * $4 - 1577836800000) * 4194304 + n % 4096, organization_id, company_id, 'run-' || CAST(n / 12 AS TEXT), provider, company_name,
        account_name, log_type, status, head || CASE tail WHEN '' THEN '' ELSE CAST(n % 997 AS TEXT) || tail END,
        CASE status WHEN 'error' THEN '{\"kind\":\"rate_limited\",\"provider\":\"made up for figures\"}' ELSE NULL END, $3 + n * $4, shape_id
 FROM numbers JOIN figures_turns ON figures_turns.turn = (n * 7919) % 20011";

const TURN_TABLE: &str =
    "CREATE TABLE figures_turns (turn BIGINT NOT NULL PRIMARY KEY, organization_id TEXT NOT NULL, company_id TEXT, provider TEXT NOT NULL,
     company_name TEXT NOT NULL, account_name TEXT NOT NULL, log_type TEXT NOT NULL, status TEXT NOT NULL, head TEXT NOT NULL, tail TEXT NOT NULL,
     shape_id BIGINT NOT NULL)";
const TURN: &str =
    "INSERT INTO figures_turns (turn, organization_id, company_id, provider, company_name, account_name, log_type, status, head, tail, shape_id)";

const OLDEST: &str = "INSERT INTO log_entries
     (id, organization_id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at, shape_id)
 VALUES ($1, $2, NULL, NULL, 'xero', 'Company 0', 'books0@acme.example', 'event', 'success', $3, NULL, $4, $5)";

const TOTALS: &str = "INSERT INTO log_totals (company_id, organization_id, total, errors, milestones, last_at)
 SELECT company_id, organization_id, COUNT(*), SUM(CASE status WHEN 'error' THEN 1 ELSE 0 END),
        SUM(CASE log_type WHEN 'milestone' THEN 1 ELSE 0 END), MAX(logged_at)
 FROM log_entries WHERE company_id IS NOT NULL GROUP BY company_id, organization_id
 ON CONFLICT (company_id) DO UPDATE SET total = excluded.total, errors = excluded.errors, milestones = excluded.milestones, last_at = excluded.last_at";

/// The id of the n-th entry, oldest first.
pub fn id_of(n: i64) -> i64 {
    store::log_entries::first_id_at(FIRST_MS + n * STEP_MS) + n % 4_096
}

/// The day of the n-th entry; the Owner's zone is UTC.
pub fn day_of(n: i64) -> jiff::civil::Date {
    let at = jiff::Timestamp::from_millisecond(FIRST_MS + n * STEP_MS).expect("the entries lie in this century");
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Writes so many entries; three of the companies are those of the sandbox, the others were unlinked long ago and left their entries.
pub async fn fill(installation: &Installation, rows: i64) {
    let mut tx = installation.store.begin().await.expect("the database can be written to");
    let companies = store::companies::list_all_linked(&mut tx).await.expect("companies can be listed");
    let organization_id = companies[0].organization_id.clone();
    let known: Vec<(CompanyId, String)> = (0..DISTINCT_COMPANIES)
        .map(|at| match companies.get(at) {
            Some(company) => (company.id.clone(), company.name.clone()),
            None => (CompanyId::new(format!("unlinked-{at}")), format!("Unlinked Company {at}")),
        })
        .collect();
    tx.execute(TURN_TABLE, vec![]).await.expect("a table can be made");
    let mut turns = Vec::new();
    for turn in 0..TURNS {
        // the square of an even spread: the largest company has a tenth of all entries, the smallest a two-hundredth
        let spread = (turn * 7_621 % TURNS) as usize;
        let company = (spread * spread * DISTINCT_COMPANIES) / (TURNS * TURNS) as usize;
        let sentence = turn * 1_013 % 1_000;
        let mut through = 0;
        let (head, tail, log_type, status, _) = SENTENCES
            .iter()
            .find(|(.., share)| {
                through += share;
                sentence < through
            })
            .expect("the shares add up to a thousand");
        let (company_id, company_name) = &known[company];
        let account_name = format!("books{}@acme.example", company % 7);
        let about = About {
            organization_id: &organization_id,
            company_id: Some(company_id),
            run_id: None,
            provider: ["quickbooks", "xero"][company % 2],
            company_name,
            account_name: &account_name,
        };
        let message = if tail.is_empty() { (*head).to_owned() } else { format!("{head}0{tail}") };
        let shape_id = store::log_search::put_shape(&mut tx, &about, *log_type, *status, &message).await.expect("a shape can be written");
        turns.extend(args![turn, &organization_id, company_id, about.provider, company_name.as_str(), account_name]);
        turns.extend(args![log_type.as_str(), status.as_str(), *head, *tail, shape_id]);
    }
    tx.insert_rows(TURN, 11, turns, "").await.expect("turns can be written");
    oldest(&mut tx, &organization_id).await;
    tx.commit().await.expect("turns can be written");
    let mut from = 0;
    while from < rows {
        let until = (from + PART).min(rows);
        let mut tx = installation.store.begin().await.expect("the database can be written to");
        tx.execute(FILL, args![from, until, FIRST_MS, STEP_MS]).await.expect("entries can be written");
        tx.commit().await.expect("entries can be written");
        from = until;
    }
    let mut tx = installation.store.begin().await.expect("the database can be written to");
    tx.execute(TOTALS, vec![]).await.expect("totals can be written");
    if tx.is_postgres() {
        // what PostgreSQL does by itself within minutes
        tx.execute("ANALYZE log_entries", vec![]).await.expect("PostgreSQL can count");
        tx.execute("ANALYZE log_shapes", vec![]).await.expect("PostgreSQL can count");
    }
    tx.commit().await.expect("totals can be written");
}

/// Twenty entries older than all others, with a word that no other has.
async fn oldest(tx: &mut store::Tx, organization_id: &OrganizationId) {
    let about =
        About { organization_id, company_id: None, run_id: None, provider: "xero", company_name: "Company 0", account_name: "books0@acme.example" };
    let message = "Company unlinked; its data is kept";
    let shape_id = store::log_search::put_shape(tx, &about, LogType::Event, LogStatus::Success, message).await.expect("a shape can be written");
    for at in 1..=20 {
        let logged_at = FIRST_MS - at * STEP_MS;
        let id = store::log_entries::first_id_at(logged_at);
        tx.execute(OLDEST, args![id, organization_id, message, logged_at, shape_id]).await.expect("entries can be written");
    }
}
