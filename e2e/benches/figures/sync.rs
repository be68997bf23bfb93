//! What a full sync of a large company costs the server: processor time for each record, and memory.
use crate::Plan;
use crate::installation::Installation;
use crate::measured::secs;
use crate::process;
use crate::table::{self, grouped, verdict};
use std::time::{Duration, Instant};
use testkit::DatabaseKind;

/// Xero admits 60 calls a minute and gives 100 journals in each (Xero: "API limits"): the server keeps to that whatever the sandbox would admit, so a
/// large company there takes its time without costing any.
const LONGEST: Duration = Duration::from_secs(5_400);
const MICROS_PER_RECORD: u128 = 100;
const MEMORY_BYTES: u64 = 200 << 20;

/// Full syncs of the large company at each provider, and of one a tenth as large: memory must not grow with it.
pub fn measure(plan: &Plan) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can start");
    let mut rows = Vec::new();
    for database in &plan.databases {
        for provider in &plan.providers {
            for documents in [plan.documents / 10, plan.documents] {
                rows.push(runtime.block_on(measure_one(plan, *database, provider, documents)));
            }
        }
    }
    let heads = [
        "Provider",
        "Database",
        "Records",
        "Processor time",
        "For each record",
        "Promise",
        "Peak memory",
        "Promise",
        "Wall clock",
        "Idle sync after it",
    ];
    table::print("A full sync: at most 100 µs of the server's processor time for each record, memory under 200 MB", heads, &rows);
}

async fn measure_one(plan: &Plan, database: DatabaseKind, provider: &str, documents: u32) -> [String; 10] {
    let options = ["--provider", provider, "--documents", &documents.to_string()];
    let mut installation = Installation::start(plan, database, &options).await;
    let account = installation.connect(provider);
    let id = installation.server.id();
    let (began, used_before) = (Instant::now(), process::processor_time(id));
    installation.import_all(&account);
    installation.wait_until_synced(LONGEST).await;
    let (took, used) = (began.elapsed(), process::processor_time(id).saturating_sub(used_before));
    let peak_bytes = process::peak_memory_bytes(id);
    let records = installation.records();
    let each = used.as_nanos() / u128::from(records.max(1));
    let idle = resync(&mut installation).await;
    installation.end().await;
    let name = if provider == "xero" { "Xero" } else { "QuickBooks" };
    eprintln!("{name} on {database}: {} records, {} of processor time, {} MB", grouped(records), secs(used), peak_bytes >> 20);
    [
        name.to_owned(),
        database.to_string(),
        grouped(records),
        secs(used),
        format!("{} µs", each / 1_000),
        verdict(each <= MICROS_PER_RECORD * 1_000),
        format!("{} MB", peak_bytes >> 20),
        verdict(peak_bytes < MEMORY_BYTES),
        secs(took),
        idle,
    ]
}

/// Asks for a sync when nothing has changed: its calls and its processor time.
async fn resync(installation: &mut Installation) -> String {
    let mut conn = installation.store.read().await.expect("the database answers");
    let company = store::companies::list_all_linked(&mut conn).await.expect("companies can be listed").remove(0);
    drop(conn);
    let used_before = process::processor_time(installation.server.id());
    let address = installation.address(&format!("/companies/{}/resync", company.id));
    let answer = installation.visitor.post(&address, &[]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    installation.wait_until_synced(LONGEST).await;
    let used = process::processor_time(installation.server.id()).saturating_sub(used_before);
    let mut conn = installation.store.read().await.expect("the database answers");
    let company = store::companies::list_all_linked(&mut conn).await.expect("companies can be listed").remove(0);
    let run_id = company.last_run_id.expect("a run has ended");
    let run = store::runs::find(&mut conn, &run_id).await.expect("runs can be read").expect("the run is there");
    format!("{} calls, {:.2} s", run.calls, used.as_secs_f64())
}
