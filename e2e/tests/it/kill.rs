//! The server is killed at many moments of a first sync; the restarted one finishes with exactly what an undisturbed one has.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use testkit::{Program, postgres};

use crate::visitor::{A_SYNC, House, SOON, Sandbox};

/// Of the server that is killed.
const LEASE: Duration = Duration::from_secs(2);
/// More calls than a sync makes.
const STALLS: u64 = 1_000;
/// Starting `tieout status` once more, on a busy machine.
const SLACK: Duration = Duration::from_millis(1_500);

/// A sandbox with one company of each provider, and an installation that has both queued for their first sync: every trial begins with a copy.
struct Scene {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    database: Option<String>,
    /// Ids at the provider, QuickBooks first.
    companies: [String; 2],
    /// What an undisturbed sync leaves, in the order of `companies`.
    undisturbed: Vec<Outcome>,
}

/// What a sync leaves of a company, and what it took.
#[derive(Clone, Debug)]
struct Outcome {
    content_hash: String,
    records: u64,
    calls: u64,
    /// Without the reports of the proof.
    calls_for_records: u64,
}

/// How the moment is chosen.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// The call is on its way and never answered.
    WaitingForAnswer,
    /// The call was answered a moment ago: what came is being written, or the next call is being made.
    AtWork,
}

impl Scene {
    async fn set(on_postgres: bool) -> Scene {
        let sandbox = Sandbox::start(&["--documents", "100", "--provider", "quickbooks", "--seed", "31", "--no-limits"]);
        let xero = json!({"face": "xero", "name": "Tussock Tools", "seed": 32, "documents_per_month": 25, "from": "2025-07-01", "to": "2026-06-30"});
        sandbox.control(Method::POST, "companies", Some(xero)).await;
        let companies = [sandbox.companies("quickbooks").await.remove(0), sandbox.companies("xero").await.remove(0)];
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let database = on_postgres.then(|| postgres().create_database());
        let house = House::new(&folder.path().join("template"), database.as_deref(), &sandbox);
        let mut serve = house.serve(&["--no-worker"]);
        let mut owner = house.owner(&mut serve).await;
        owner.connect_and_import("quickbooks", &companies[..1]).await;
        owner.connect_and_import("xero", &companies[1..]).await;
        assert!(serve.terminate(SOON).success());
        let mut scene = Scene { sandbox, folder, database, companies, undisturbed: Vec::new() };
        scene.undisturbed = scene.sync_undisturbed().await;
        scene
    }

    /// A copy of the installation before its first sync.
    fn copy(&self, name: &str) -> House {
        let (from, to) = (self.folder.path().join("template"), self.folder.path().join(name));
        copy_folder(&from, &to);
        let database = self.database.as_ref().map(|template| {
            let (place, template) = template.rsplit_once('/').expect("an address ends with the name of the database");
            postgres().run("postgres", &format!("CREATE DATABASE {template}_{name} TEMPLATE {template}"));
            format!("{place}/{template}_{name}")
        });
        House::new(&to, database.as_deref(), &self.sandbox)
    }

    async fn sync_undisturbed(&self) -> Vec<Outcome> {
        self.sandbox.reset_calls().await;
        let house = self.copy("undisturbed");
        let mut serve = house.serve(&[]);
        house.wait_until_synced(A_SYNC).await;
        assert!(serve.terminate(SOON).success());
        self.outcomes(&house).await
    }

    /// In the order of `companies`.
    async fn outcomes(&self, house: &House) -> Vec<Outcome> {
        let status = house.status();
        let calls = self.sandbox.control(Method::GET, "calls", None).await;
        let outcome = |provider: &str, id: &String| {
            let company = status.iter().find(|company| company["provider"] == provider).expect("both companies are linked");
            assert_eq!(company["verified"], true, "{company}");
            let proof = house.json(&["verify", company["id"].as_str().expect("an id"), "--json"]);
            let by_endpoint = calls["calls"].as_object().expect("counts by endpoint").iter();
            let for_records = by_endpoint.filter(|(endpoint, _)| endpoint.starts_with(provider) && !endpoint.to_lowercase().contains("report"));
            Outcome {
                content_hash: proof["content_hash"].as_str().expect("a hash").to_owned(),
                records: company["records"].as_u64().expect("a count"),
                calls: calls["by_company"][id].as_u64().expect("the company was called"),
                calls_for_records: for_records.filter_map(|(_, count)| count.as_u64()).sum(),
            }
        };
        vec![outcome("quickbooks", &self.companies[0]), outcome("xero", &self.companies[1])]
    }

    /// Kills the server `at` of 1,000 parts into both companies' syncs, watches what it leaves, and lets another finish.
    async fn kill(&self, name: &str, at: u64, moment: Moment) {
        let house = self.copy(name);
        self.sandbox.reset_calls().await;
        let places: Vec<u64> = self.undisturbed.iter().map(|outcome| outcome.calls * at / 1_000).collect();
        // whoever is killed at work is on the way to a call that is not answered, so that nothing ends before
        let further = if matches!(moment, Moment::WaitingForAnswer) { 0 } else { 3 };
        for (company, place) in self.companies.iter().zip(&places) {
            let stall = json!({"company": company, "skip": place + further, "times": STALLS, "fault": {"kind": "delay", "ms": 60_000}});
            self.sandbox.control(Method::POST, "faults", Some(stall)).await;
        }
        let mut serve = house.serve_with_lease(LEASE);
        self.wait_for_moment(&mut serve, &places, moment).await;
        serve.kill_9();
        let killed = Instant::now();
        self.sandbox.control(Method::DELETE, "faults", None).await;

        // Nothing runs: at first the lease makes it look so, then no longer. A company that had finished stays Synced.
        let mut words: Vec<String>;
        loop {
            let asked = killed.elapsed();
            words = house.status().iter().map(|company| company["status"].as_str().expect("a word").to_owned()).collect();
            if words.iter().all(|word| word != "Syncing") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(asked < LEASE + SLACK, "{name}: Syncing {asked:?} after the kill, although the lease is {LEASE:?}: {words:?}");
        }
        assert!(words.iter().any(|word| word == "Needs Resync"), "{name}: the kill came too late, everything had ended: {words:?}");

        let mut serve = house.serve(&[]);
        house.wait_until_synced(A_SYNC).await;
        assert!(serve.terminate(SOON).success());
        for (undisturbed, outcome) in self.undisturbed.iter().zip(self.outcomes(&house).await) {
            assert_eq!((&outcome.content_hash, outcome.records), (&undisturbed.content_hash, undisturbed.records), "{name}: the content differs");
            // at most one page again, and the count that precedes the pages of its type
            let again = outcome.calls_for_records.saturating_sub(undisturbed.calls_for_records);
            assert!(again <= 2, "{name}: {again} calls for records came twice: {outcome:?}, undisturbed {undisturbed:?}");
        }
    }

    async fn wait_for_moment(&self, serve: &mut Program, places: &[u64], moment: Moment) {
        let began = Instant::now();
        loop {
            let reached = match moment {
                Moment::WaitingForAnswer => {
                    let faults = self.sandbox.control(Method::GET, "faults", None).await;
                    let waiting = faults["waiting"].as_array().expect("a list of faults");
                    waiting.iter().all(|fault| fault["times"].as_u64().is_some_and(|times| times < STALLS))
                }
                Moment::AtWork => {
                    let calls = self.sandbox.control(Method::GET, "calls", None).await;
                    self.companies.iter().zip(places).any(|(company, place)| calls["by_company"][company].as_u64().unwrap_or(0) > *place)
                }
            };
            if reached {
                return;
            }
            assert!(serve.running(), "the server ended by itself: {:?}", serve.lines());
            assert!(began.elapsed() < A_SYNC, "the moment did not come: {:?}", serve.lines());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the folder is new");
    for entry in fs::read_dir(from).expect("the template is a folder").flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a file can be copied, its mode too");
    }
}

/// Spread over the whole sync, from its first call on.
async fn kill_at(moments: u64, moment: Moment) {
    let scene = Scene::set(false).await;
    for number in 0..moments {
        scene.kill(&format!("kill_{number}"), number * 1_000 / moments, moment).await;
    }
}

// proves C3
// proves B4
#[tokio::test]
async fn killed_at_ten_moments_of_waiting_for_an_answer_a_restarted_server_finishes_as_if_undisturbed() {
    kill_at(10, Moment::WaitingForAnswer).await;
}

// proves C3
// proves B4
#[tokio::test]
async fn killed_at_ten_moments_of_working_on_an_answer_a_restarted_server_finishes_as_if_undisturbed() {
    kill_at(10, Moment::AtWork).await;
}

// proves C3
// proves B4
#[tokio::test]
async fn killed_at_six_moments_on_postgresql_a_restarted_server_finishes_as_if_undisturbed() {
    let scene = Scene::set(true).await;
    for number in 0..6 {
        let moment = if number % 2 == 0 { Moment::AtWork } else { Moment::WaitingForAnswer };
        scene.kill(&format!("kill_{number}"), 50 + number * 170, moment).await;
    }
}
