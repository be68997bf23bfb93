//! Pages of a log with a million entries, as the server answers them: at every depth, under every filter.
use crate::Plan;
use crate::installation::Installation;
use crate::measured::{Measured, millis};
use crate::table::{self, grouped, verdict};
use std::time::Duration;
use store::args;
use testkit::DatabaseKind;

const PAGE_WITHIN: Duration = Duration::from_millis(20);
/// An entry every half minute from 2025-01-01 on, in milliseconds.
const FIRST_MS: i64 = 1_735_689_600_000;
const STEP_MS: i64 = 30_000;
const PART: i64 = 50_000;

/// Companies, accounts, types and statuses take turns in strides that share no factor; three companies are those of the sandbox, the others were
/// unlinked long ago and left their entries. The id of an entry is the one the store gives: 41 bits of milliseconds since 2020, then 22 bits.
const FILL: &str = "INSERT INTO log_entries
     (id, organization_id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at)
 WITH RECURSIVE numbers (n) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $2),
      linked AS (SELECT id, name, ROW_NUMBER() OVER (ORDER BY id) AS turn FROM companies)
 SELECT ($3 + n * $4 - 1577836800000) * 4194304 + n % 4096,
        (SELECT id FROM organizations),
        COALESCE(linked.id, 'unlinked-' || CAST(n % 40 AS TEXT)),
        'run-' || CAST(n / 12 AS TEXT),
        CASE n % 2 WHEN 0 THEN 'quickbooks' ELSE 'xero' END,
        COALESCE(linked.name, 'Unlinked Company ' || CAST(n % 40 AS TEXT)),
        'books' || CAST(n % 7 AS TEXT) || '@acme.example',
        CASE n % 3 WHEN 0 THEN 'milestone' ELSE 'event' END,
        CASE n % 101 WHEN 0 THEN 'error' ELSE 'success' END,
        CASE n % 5 WHEN 0 THEN 'Invoices: 12 added, 3 updated, 1 deleted' WHEN 1 THEN 'Sync completed' WHEN 2 THEN 'Token refreshed'
                   WHEN 3 THEN 'Verified: every account agrees' ELSE 'The rate limit of the provider was reached' END,
        CASE n % 101 WHEN 0 THEN '{\"kind\":\"rate_limited\",\"provider\":\"made up for figures\"}' ELSE NULL END,
        $3 + n * $4
 FROM numbers LEFT JOIN linked ON linked.turn = n % 40";

const TOTALS: &str = "INSERT INTO log_totals (company_id, organization_id, total, errors, milestones, last_at)
 SELECT company_id, organization_id, COUNT(*), SUM(CASE status WHEN 'error' THEN 1 ELSE 0 END),
        SUM(CASE log_type WHEN 'milestone' THEN 1 ELSE 0 END), MAX(logged_at)
 FROM log_entries WHERE company_id IS NOT NULL GROUP BY company_id, organization_id
 ON CONFLICT (company_id) DO UPDATE SET total = excluded.total, errors = excluded.errors, milestones = excluded.milestones, last_at = excluded.last_at";

pub fn measure(plan: &Plan) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can start");
    for database in &plan.databases {
        runtime.block_on(measure_on(plan, *database));
    }
}

async fn measure_on(plan: &Plan, database: DatabaseKind) {
    let mut installation = Installation::start(plan, database, &[]).await;
    for provider in ["quickbooks", "xero"] {
        let account = installation.connect(provider);
        installation.import_all(&account);
    }
    installation.wait_until_synced(Duration::from_secs(120)).await;
    fill(&installation, plan.rows).await;
    let mut conn = installation.store.read().await.expect("the database answers");
    let company = store::companies::list_all_linked(&mut conn).await.expect("companies can be listed").remove(0);
    drop(conn);

    let all = "/integrations/logs/all?";
    let own = format!("/integrations/logs/companies/{}?", company.id);
    let older = |share: i64| format!("older={}", id_of(plan.rows * share / 100));
    let middle = older(50);
    let cases = [
        ("newest", String::from(all)),
        ("a quarter deep", format!("{all}{}", older(75))),
        ("half deep", format!("{all}{middle}")),
        ("three quarters deep", format!("{all}{}", older(25))),
        ("the oldest 50", format!("{all}older={}", id_of(50))),
        ("back towards the newest, half deep", format!("{all}newer={}", id_of(plan.rows / 2))),
        ("accounting software, half deep", format!("{all}software=xero&{middle}")),
        ("company, half deep", format!("{all}company=company%2017&{middle}")),
        ("external account, half deep", format!("{all}account=books3&{middle}")),
        ("log type, half deep", format!("{all}type=milestone&{middle}")),
        ("message, half deep", format!("{all}message=token&{middle}")),
        ("status: error, half deep", format!("{all}status=error&{middle}")),
        ("date: one day, half deep", format!("{all}date={}", day_of(plan.rows / 2))),
        (
            "all but date at once, half deep",
            format!("{all}software=quickbooks&company=unlinked&account=books3&type=event&message=token&status=success&{middle}"),
        ),
        ("one run", format!("{all}run=run-{}", plan.rows / 24)),
        ("one company's log, newest", own.clone()),
        ("one company's log, half deep", format!("{own}{middle}")),
        ("one company's errors, half deep", format!("{own}status=error&{middle}")),
        ("message that no entry has", format!("{all}message=no%20such%20words")),
        ("company that no entry has", format!("{all}company=no%20such%20company")),
        ("cards", "/integrations/logs".to_owned()),
    ];
    let mut rows = Vec::new();
    for (name, path) in cases {
        let answer = installation.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let shown = answer.body.matches("/integrations/logs/entries/").count();
        // a page is measured only when it is full; few entries are found by few conditions, or in a small log
        let few = name.contains("no entry has") || matches!(name, "cards" | "one run") || plan.rows < 1_000_000;
        assert!(shown >= 50 || few, "{path} shows {shown} entries");
        let measured = Measured::repeat(plan.repeat, || installation.get(&path).took);
        rows.push([name.to_owned(), millis(measured.median()), millis(measured.worst()), verdict(measured.median() < PAGE_WITHIN)]);
    }
    installation.end().await;
    let title = format!("A page of 50 of a log with {} entries, on {database} (under 20 ms)", grouped(plan.rows as u64));
    let median = format!("Median of {}", plan.repeat);
    table::print(&title, ["Page", &median, "Slowest", "Promise"], &rows);
}

/// The id of the n-th entry, oldest first.
fn id_of(n: i64) -> i64 {
    store::log_entries::first_id_at(FIRST_MS + n * STEP_MS) + n % 4_096
}

/// The day of the n-th entry; the Owner's zone is UTC.
fn day_of(n: i64) -> jiff::civil::Date {
    let at = jiff::Timestamp::from_millisecond(FIRST_MS + n * STEP_MS).expect("the entries lie in this century");
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

async fn fill(installation: &Installation, rows: i64) {
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
    }
    tx.commit().await.expect("totals can be written");
}
