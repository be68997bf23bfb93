//! Two servers on one PostgreSQL database share the work: each run is done once, by one of them.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;
use testkit::postgres;

use crate::visitor::{A_SYNC, House, SOON, Sandbox};

const COMPANIES: u64 = 6;

// proves C16 in part
#[tokio::test]
async fn two_servers_on_one_postgresql_share_the_syncs_and_do_none_twice() {
    let sandbox = Sandbox::start(&["--documents", "100", "--provider", "quickbooks", "--seed", "50", "--no-limits"]);
    for number in 1..=COMPANIES {
        let company = json!({"face": "xero", "name": format!("Branch {number}"), "seed": 100 + number, "documents_per_month": 8, "from": "2025-07-01", "to": "2026-03-31"});
        sandbox.control(Method::POST, "companies", Some(company)).await;
    }
    let database = postgres().create_database();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    // one worker each: neither can take everything
    let node = || House::new(folder.path(), Some(&database), &sandbox).with("TIEOUT_WORKERS", "1");
    let (first, second) = (node(), node());
    let mut one = first.serve(&[]);
    let mut owner = first.owner(&mut one).await;
    let mut other = second.serve(&[]);
    owner.connect_and_import("xero", &[]).await;
    let companies = first.wait_until_synced(A_SYNC).await;
    assert_eq!(companies.len() as u64, COMPANIES);
    assert!(companies.iter().all(|company| company["verified"] == true), "{companies:?}");
    assert_eq!(second.status(), companies, "both see the same");
    assert!(one.terminate(SOON).success());
    assert!(other.terminate(SOON).success());

    let name = database.rsplit('/').next().expect("a split text has a last part");
    let runs = postgres().run(name, "select company_id, state, attempt, lease_epoch, id from runs");
    let of: BTreeSet<&Option<String>> = runs.iter().map(|run| &run[0]).collect();
    assert_eq!((runs.len() as u64, of.len() as u64), (COMPANIES, COMPANIES), "one run for each company: {runs:?}");
    let (of_one, of_other) = (one.lines(), other.lines());
    let unfinished = || of_one.iter().chain(&of_other).filter(|line| line.contains("did not finish") || line.contains("ERROR")).collect::<Vec<_>>();
    for run in &runs {
        let [_, Some(state), Some(attempt), Some(epoch), Some(id)] = run.as_slice() else { panic!("five columns: {run:?}") };
        // PostgreSQL ends one of two that are at the same rows at once; it goes on where it was
        let is_conflict =
            |line: &&&String| line.contains(id) && ["deadlock detected", "could not serialize"].iter().any(|words| line.contains(words));
        let claims = (1 + unfinished().iter().filter(is_conflict).count()).to_string();
        let once = state == "succeeded" && *attempt == claims && *epoch == claims;
        assert!(once, "not claimed once: {runs:?}\n{:#?}", unfinished());
    }
    // each server says which runs it ended
    let ended = |lines: &[String]| lines.iter().filter(|line| line.contains("sync ended")).count() as u64;
    let (by_one, by_other) = (ended(&of_one), ended(&of_other));
    assert!(by_one > 0 && by_other > 0 && by_one + by_other == COMPANIES, "{by_one} and {by_other}");
}
