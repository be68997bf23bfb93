//! The JSON API judged by a program of other authors: requests its document allows and requests it forbids, against the running program.

use std::time::{Duration, Instant};

use testkit::{Environment, each_database, python, say};

use crate::source::root;
use crate::visitor::{A_SYNC, House, Sandbox};

/// Requests on each database in the tests.
const BOUNDED: usize = 700;

// proves G1 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_makes_the_api_fail_or_answer_otherwise_than_its_document_says() {
    let Some(environment) = python("schemathesis") else { return };
    let cases = std::env::var("CONTRACT_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(BOUNDED);
    each_database(|url| judge(&environment, url, cases)).await;
}

async fn judge(environment: &Environment, database: String, cases: usize) {
    let sandbox = Sandbox::start(&["--no-limits"]);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let house = House::new(folder.path(), Some(&database), &sandbox);
    let mut serve = house.serve(&[]);
    let mut owner = house.owner(&mut serve).await;
    owner.connect_and_import("quickbooks", &sandbox.companies("quickbooks").await[..1]).await;
    house.wait_until_synced(A_SYNC).await;
    let form = [("name", "Contract"), ("role", "admin"), ("access", "write"), ("days", "30")];
    let made = owner.post_page("/organization/api-keys", &form).await;
    let key = made.split("id=\"secret\">").nth(1).and_then(|rest| rest.split('<').next()).expect("the key is shown once").to_owned();

    // most of the many cases vary what one operation takes; without them each value is tried once
    let (examples, phases) = if cases > BOUNDED { (cases / 80, "examples,coverage,fuzzing") } else { (cases / 65, "examples,fuzzing") };
    let document = root().join("docs/openapi.json");
    let url = format!("http://localhost:{}/api/v1", house.port);
    let arguments = [document.to_str().expect("the folder is text"), &url, &examples.to_string(), phases];
    let began = Instant::now();
    let limit = Duration::from_secs(if cases > BOUNDED { 3_600 } else { 900 });
    let finished = environment.script("contract.py", &arguments).env("TIEOUT_KEY", &key).run(limit);
    assert!(finished.status.success(), "{}\n{}", finished.stdout, finished.stderr);
    let asked = finished.stdout.lines().find_map(|line| line.strip_prefix("CASES ")?.parse::<usize>().ok()).unwrap_or(0);
    assert!(asked >= cases, "only {asked} requests were made: {}", finished.stdout);
    say(&format!("contract.py: {asked} requests in {} s, and every answer is one the document tells of", began.elapsed().as_secs()));
}
