//! The program's own commands over real books: the demo, and what one does with a company from the command line.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Finished, Launch, postgres};

use crate::visitor::{A_SYNC, House, SOON, Sandbox};

fn demo_once(folder: &Path, database: Option<&str>) -> Finished {
    let launch = Launch::tieout(["demo", "--once", "--data-dir", &folder.to_string_lossy(), "--listen", "127.0.0.1:0"]);
    match database {
        Some(url) => launch.env("DATABASE_URL", url).run(A_SYNC),
        None => launch.run(A_SYNC),
    }
}

/// What every command that reads is told, to find what the demo left.
fn ask(folder: &Path, database: Option<&str>, arguments: &[&str]) -> Finished {
    let launch = Launch::tieout(arguments).env("TIEOUT_DATA_DIR", folder);
    let launch = if let Some(url) = database { launch.env("DATABASE_URL", url) } else { launch };
    launch.run(SOON)
}

fn json(finished: &Finished) -> Vec<Value> {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("no list in JSON ({error}): {finished:?}"))
}

/// The whole demo, and what the commands tell of it afterwards.
fn demo_shows_three_verified_companies(database: Option<&str>) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("demo");
    // the time counts from a program that is built
    assert!(ask(&data, database, &["--version"]).status.success());
    let began = Instant::now();
    let demo = demo_once(&data, database);
    assert_eq!(demo.status.code(), Some(0), "{demo:?}");
    let took = began.elapsed();
    let names = ["Beacon Street Studio", "Harbor & Pine Trading Co.", "Kauri Outdoor Ltd"];
    for name in names {
        assert!(demo.stdout.lines().any(|line| line.starts_with(name) && line.contains("Verified")), "{name}: {}", demo.stdout);
    }
    assert!(!demo.stdout.contains('\u{1b}'), "piped output is plain lines");

    let status = json(&ask(&data, database, &["status", "--json"]));
    let found: Vec<&str> = status.iter().filter_map(|company| company["name"].as_str()).collect();
    assert_eq!(found, names);
    for company in &status {
        let expected = if company["name"] == "Harbor & Pine Trading Co." { "quickbooks" } else { "xero" };
        assert_eq!(
            (company["provider"].as_str(), company["status"].as_str(), company["verified"].as_bool()),
            (Some(expected), Some("Synced"), Some(true))
        );
        let synced: jiff::Timestamp = company["last_synced"].as_str().expect("a time").parse().expect("a time in RFC 3339");
        assert!(synced.as_second() > 0);
        assert!(company["records"].as_u64().is_some_and(|records| records > 1_000), "years of history: {company}");
    }

    let log = json(&ask(&data, database, &["logs", "--json", "--limit", "1000"]));
    for name in names {
        let of_company: Vec<&str> = log.iter().filter(|entry| entry["company"] == name).filter_map(|entry| entry["message"].as_str()).collect();
        assert!(of_company.len() >= 6, "milestones of {name}: {of_company:?}");
    }
    assert!(log.iter().all(|entry| entry["status"] != "Error"), "{log:?}");
    let waited = log.iter().find(|entry| entry["message"].as_str().is_some_and(|message| message.contains("The sync resumes at")));
    assert!(waited.is_none(), "a company waited for its provider's limit: {waited:?}");
    assert!(took < Duration::from_secs(60), "it took {took:?}");
    assert!(json(&ask(&data, database, &["logs", "--json", "--errors"])).is_empty());
}

// proves I1
#[test]
fn the_demo_ends_with_three_verified_companies_within_a_minute() {
    demo_shows_three_verified_companies(None);
}

// proves J4
#[test]
fn the_demo_ends_with_three_verified_companies_of_years_of_history_with_defects_on_postgresql() {
    let database = postgres().create_database();
    demo_shows_three_verified_companies(Some(&database));
    let name = database.rsplit('/').next().expect("a split text has a last part");
    let ask = |statement: &str| postgres().run(name, statement);
    for company in ask("select id, name from companies order by name") {
        let [Some(id), Some(name)] = company.as_slice() else { panic!("two columns: {company:?}") };
        let count = |wanted: &str| -> u64 {
            let found = ask(&format!("select count(*) from documents where company_id = '{id}' and {wanted}"));
            found[0][0].as_deref().and_then(|count| count.parse().ok()).expect("a count")
        };
        let years = ask(&format!("select count(distinct left(day, 4)) from documents where company_id = '{id}' and day is not null"));
        assert!(years[0][0].as_deref().is_some_and(|years| years >= "3"), "{name}: {years:?}");
        assert!(count("state = 'voided'") > 0, "{name}: something was voided");
        assert!(count("state = 'archived'") > 0, "{name}: something is archived or inactive");
    }
    // no one's database is written over; in a file of its own the demo replaces what an earlier one left
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let refused = demo_once(folder.path(), Some(&database));
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(refused.stderr.contains("DATABASE_URL") || refused.stderr.contains("tieout.key"), "{}", refused.stderr);
}

#[tokio::test]
async fn a_company_is_synced_proven_and_examined_from_the_command_line() {
    let sandbox = Sandbox::start(&["--documents", "100", "--provider", "quickbooks", "--seed", "12"]);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let house = House::new(folder.path(), None, &sandbox);
    let nobody = house.run(&["sync", "Imagined"]);
    assert_eq!(nobody.status.code(), Some(2), "{nobody:?}");
    assert!(nobody.stderr.contains("no company is linked yet"), "{}", nobody.stderr);

    let mut serve = house.serve(&["--no-worker"]);
    house.owner(&mut serve).await.connect_and_import("quickbooks", &[]).await;
    let waiting = house.status();
    assert_eq!((waiting[0]["verified"].as_bool(), &waiting[0]["last_synced"]), (Some(false), &Value::Null), "{waiting:?}");
    let unproven = house.run(&["verify", "Imagined"]);
    assert_eq!(unproven.status.code(), Some(1), "{unproven:?}");

    // the run that the import queued is done here, although the server does no work
    let sync = house.run(&["sync", "imagined company", "--json"]);
    assert_eq!(sync.status.code(), Some(0), "{sync:?}");
    let result: Value = serde_json::from_str(&sync.stdout).expect("JSON");
    assert_eq!((result["result"].as_str(), result["verified"].as_bool()), (Some("succeeded"), Some(true)), "{result}");
    let records = house.status()[0]["records"].as_u64();
    assert_eq!(result["added"].as_u64(), records, "everything was new: {result}");

    let again = house.run(&["sync", "Imagined Company 12"]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert!(again.stdout.contains("0 added, 0 updated, 0 deleted") && again.stdout.contains("Verified"), "{}", again.stdout);
    let full = house.run(&["sync", "Imagined Company 12", "--full"]);
    assert_eq!(full.status.code(), Some(0), "{full:?}");
    assert!(full.stdout.contains("0 added, 0 updated, 0 deleted"), "everything was read and nothing was new: {}", full.stdout);

    let proof = house.run(&["verify", "Imagined"]);
    assert_eq!(proof.status.code(), Some(0), "{proof:?}");
    assert!(proof.stdout.contains("Verified, ") && proof.stdout.contains("Total"), "{}", proof.stdout);
    assert!(serve.terminate(SOON).success());

    let doctor = house.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(0), "{doctor:?}");
    for part in ["database: SQLite opens", "quickbooks: on (simulator)", "the sandbox at", "Nothing to fix."] {
        assert!(doctor.stdout.contains(part), "`{part}` is missing: {}", doctor.stdout);
    }
    drop(sandbox);
    let doctor = house.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1), "{doctor:?}");
    assert!(doctor.stdout.contains("does not answer") && doctor.stdout.contains("`tieout sandbox`"), "{}", doctor.stdout);
    let migrate = house.run(&["migrate"]);
    assert_eq!((migrate.status.code(), migrate.stdout.as_str()), (Some(0), "The schema is up to date (SQLite).\n"));
}
