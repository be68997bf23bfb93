//! The queue: one active run for each company, fair turns, leases that end, and writes that only the owner of a lease can make.
use crate::house::{House, MINUTE, NOW, new_run};
use domain::ids::RunId;
use domain::sync::{Checkpoint, Extent, RunState};
use std::collections::BTreeSet;
use store::checkpoints::{self, Position};
use store::runs::{self, Lease, Requested, Run};
use store::{Store, StoreError};
use testkit::each_database;

const LEASE: i64 = 30_000;

async fn claim(store: &Store, owner: &str, now_ms: i64, limit: i64) -> Vec<Run> {
    let mut tx = store.begin().await.unwrap();
    let claimed = runs::claim(&mut tx, owner, now_ms, LEASE, limit).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

/// Claims one run; its id.
async fn claim_next(store: &Store, now_ms: i64) -> Option<String> {
    claim(store, "worker", now_ms, 1).await.pop().map(|run| run.id.0)
}

async fn find(house: &House, id: &str) -> Run {
    runs::find(&mut house.read().await, &RunId::new(id)).await.unwrap().unwrap()
}

// proves C16
#[tokio::test]
async fn a_company_has_one_active_run_and_a_second_request_gets_its_id() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company_id = house.company("c1").await;
        assert_eq!(house.request("r1", &company_id).await, Requested::Queued(RunId::new("r1")));
        let second = house.request("r2", &company_id).await;
        assert_eq!(second, Requested::AlreadyActive(RunId::new("r1")));
        assert_eq!(second.run_id(), &RunId::new("r1"));
        // the same while it runs
        let run = claim(&house.store, "worker", NOW, 1).await.pop().unwrap();
        assert_eq!(house.request("r3", &company_id).await, Requested::AlreadyActive(RunId::new("r1")));
        assert_eq!(runs::find_active(&mut house.read().await, &company_id).await.unwrap().unwrap().id, RunId::new("r1"));
        // and a new one once it has ended
        let mut tx = house.store.begin_under(&run.lease()).await.unwrap();
        runs::finish(&mut tx, &run.lease(), RunState::Succeeded, None, NOW + 1).await.unwrap();
        tx.commit().await.unwrap();
        assert!(runs::find_active(&mut house.read().await, &company_id).await.unwrap().is_none());
        assert_eq!(house.request("r4", &company_id).await, Requested::Queued(RunId::new("r4")));
    })
    .await;
}

// proves C16
#[tokio::test(flavor = "multi_thread")]
async fn twenty_requests_at_once_from_two_nodes_queue_one_run() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company_id = house.company("c1").await;
        let other = house.another_node().await;
        let tasks: Vec<_> = (0..20)
            .map(|at| {
                let store = if at % 2 == 0 { house.store.clone() } else { other.clone() };
                let (organization_id, company_id) = (house.organization_id.clone(), company_id.clone());
                tokio::spawn(async move {
                    let mut tx = store.begin().await.unwrap();
                    let requested = runs::request(&mut tx, &new_run(&format!("r{at:02}"), &organization_id, &company_id, 0)).await.unwrap();
                    tx.commit().await.unwrap();
                    requested
                })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Requested::Queued(_))).count(), 1);
        let ids: BTreeSet<&str> = answers.iter().map(|answer| answer.run_id().as_str()).collect();
        assert_eq!(ids.len(), 1, "everybody is told of the same run: {ids:?}");
        assert_eq!(runs::list_by_company(&mut house.read().await, &company_id, 50).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn runs_are_claimed_by_priority_and_organizations_take_turns() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let small = house.organization("small").await;
        for at in 0..4 {
            let company_id = house.company(&format!("big{at}")).await;
            house.request(&format!("big{at}"), &company_id).await;
        }
        for at in 0..2 {
            let company_id = house.company_of(&small, &format!("small{at}")).await;
            house.request_for(&format!("small{at}"), &small, &company_id, 0).await;
        }
        let urgent = house.company("urgent").await;
        house.request_for("urgent", &house.organization_id, &urgent, 10).await;
        let mut order = Vec::new();
        while let Some(id) = claim_next(&house.store, NOW).await {
            order.push(id);
        }
        assert_eq!(order, ["urgent", "big0", "small0", "big1", "small1", "big2", "big3"]);
    })
    .await;
}

#[tokio::test]
async fn a_run_is_not_claimed_before_its_time_and_the_worker_knows_how_long_to_sleep() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        assert_eq!(runs::next_wake(&mut house.read().await).await.unwrap(), None);
        let company_id = house.company("c1").await;
        house.request("r1", &company_id).await;
        assert_eq!(runs::next_wake(&mut house.read().await).await.unwrap(), Some(NOW));
        assert_eq!(claim_next(&house.store, NOW - 1).await, None);
        assert_eq!(claim_next(&house.store, NOW).await.as_deref(), Some("r1"));
        assert_eq!(runs::next_wake(&mut house.read().await).await.unwrap(), Some(NOW + LEASE));
    })
    .await;
}

#[tokio::test]
async fn a_run_whose_worker_died_is_claimed_first_under_a_new_epoch() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (first, second) = (house.company("c1").await, house.company("c2").await);
        house.request("r1", &first).await;
        let lost = claim(&house.store, "dead worker", NOW, 1).await.pop().unwrap();
        assert_eq!((lost.lease_epoch, lost.crash_count, lost.state), (1, 0, RunState::Running));
        house.request_for("r2", &house.organization_id, &second, 100).await;
        // the lease holds up to its last moment
        assert_eq!(claim(&house.store, "heir", NOW + LEASE, 5).await.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["r2"]);
        let third = house.company("c3").await;
        house.request_for("r3", &house.organization_id, &third, 100).await;
        let taken = claim(&house.store, "heir", NOW + LEASE + 1, 1).await.pop().unwrap();
        assert_eq!((taken.id.as_str(), taken.lease_epoch, taken.crash_count), ("r1", 2, 1));
        assert_eq!(taken.lease_owner.as_deref(), Some("heir"));
        assert_eq!(taken.lease_until, Some(NOW + LEASE + 1 + LEASE));
        assert_eq!(taken.started_at, Some(NOW), "it began when it began");
        // progress shows that the run is not what kills its workers
        let mut tx = house.store.begin_under(&taken.lease()).await.unwrap();
        runs::progress(&mut tx, &taken.lease(), "Transactions", r#"{"done":7}"#, 12, 3_456).await.unwrap();
        tx.commit().await.unwrap();
        let run = find(&house, "r1").await;
        assert_eq!(
            (run.crash_count, run.step.as_str(), run.progress.as_str(), run.calls, run.bytes),
            (0, "Transactions", r#"{"done":7}"#, 12, 3_456)
        );
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_writes_nothing() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company_id = house.company("c1").await;
        house.request("r1", &company_id).await;
        let old = claim(&house.store, "sleeper", NOW, 1).await.pop().unwrap().lease();
        let new = claim(&house.store, "heir", NOW + 2 * LEASE, 1).await.pop().unwrap().lease();
        assert_eq!(new, Lease { run_id: RunId::new("r1"), epoch: 2 });
        let refused = house.store.begin_under(&old).await.err().unwrap();
        assert!(matches!(&refused, StoreError::LeaseLost(id) if id == "r1"), "{refused}");
        // each statement of a run looks at the epoch besides
        let mut tx = house.begin().await;
        runs::progress(&mut tx, &old, "Stolen", "{}", 99, 99).await.unwrap();
        runs::set_cursor(&mut tx, &old, 99).await.unwrap();
        runs::make_full(&mut tx, &old).await.unwrap();
        runs::again(&mut tx, &old, 99, true, None, 99).await.unwrap();
        tx.commit().await.unwrap();
        let run = find(&house, "r1").await;
        assert_eq!(
            (run.step.as_str(), run.calls, run.cursor_at, run.extent, run.state, run.attempt),
            ("", 0, None, Extent::Changes, RunState::Running, 1)
        );
        // a run that has ended belongs to nobody
        let mut tx = house.store.begin_under(&new).await.unwrap();
        runs::finish(&mut tx, &new, RunState::Failed, Some("{}"), NOW + 3 * LEASE).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(house.store.begin_under(&new).await, Err(StoreError::LeaseLost(_))));
        let run = find(&house, "r1").await;
        assert_eq!((run.state, run.problem.as_deref(), run.finished_at), (RunState::Failed, Some("{}"), Some(NOW + 3 * LEASE)));
        assert_eq!((run.lease_owner, run.lease_until), (None, None));
    })
    .await;
}

#[tokio::test]
async fn finishing_under_a_lost_lease_changes_nothing_and_forgets_no_checkpoint() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company_id = house.company("c1").await;
        house.request("r1", &company_id).await;
        let old = claim(&house.store, "sleeper", NOW, 1).await.pop().unwrap().lease();
        claim(&house.store, "heir", NOW + 2 * LEASE, 1).await.pop().unwrap();
        let mut tx = house.begin().await;
        checkpoints::set(&mut tx, &old.run_id, "Invoice", &Position::At(Checkpoint("page 2".into())), NOW).await.unwrap();
        runs::finish(&mut tx, &old, RunState::Succeeded, None, NOW + 2 * LEASE).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(find(&house, "r1").await.state, RunState::Running);
        assert_eq!(checkpoints::list(&mut house.read().await, &old.run_id).await.unwrap().len(), 1, "the heir continues from here");
    })
    .await;
}

#[tokio::test]
async fn a_beat_renews_the_leases_of_its_worker_only_and_says_who_is_asked_to_stop() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        for at in 1..=3 {
            let company_id = house.company(&format!("c{at}")).await;
            house.request(&format!("r{at}"), &company_id).await;
        }
        assert_eq!(claim(&house.store, "one", NOW, 2).await.len(), 2);
        assert_eq!(claim(&house.store, "two", NOW, 2).await.len(), 1);
        let mut tx = house.begin().await;
        assert!(runs::cancel(&mut tx, &RunId::new("r2"), NOW + 5).await.unwrap());
        let mut beats = runs::beat(&mut tx, "one", NOW + 2 * LEASE).await.unwrap();
        tx.commit().await.unwrap();
        beats.sort_by(|a, b| a.run_id.cmp(&b.run_id));
        let seen: Vec<_> = beats.iter().map(|beat| (beat.run_id.as_str(), beat.epoch, beat.cancel_requested)).collect();
        assert_eq!(seen, [("r1", 1, false), ("r2", 1, true)]);
        assert_eq!(find(&house, "r1").await.lease_until, Some(NOW + 2 * LEASE));
        assert_eq!(find(&house, "r3").await.lease_until, Some(NOW + LEASE));
        // what another took over is no longer among the answers
        assert_eq!(claim(&house.store, "two", NOW + 3 * LEASE, 9).await.len(), 3);
        let mut tx = house.begin().await;
        assert!(runs::beat(&mut tx, "one", NOW + 9 * LEASE).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_run_put_back_keeps_its_attempts_when_it_waits_and_uses_one_when_it_failed() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company_id = house.company("c1").await;
        house.request("r1", &company_id).await;
        let lease = claim(&house.store, "worker", NOW, 1).await.pop().unwrap().lease();
        let mut tx = house.store.begin_under(&lease).await.unwrap();
        runs::set_cursor(&mut tx, &lease, NOW - 10).await.unwrap();
        runs::set_cursor(&mut tx, &lease, NOW + 10).await.unwrap();
        runs::make_full(&mut tx, &lease).await.unwrap();
        runs::again(&mut tx, &lease, NOW + MINUTE, false, Some("rate limit"), NOW + 1).await.unwrap();
        tx.commit().await.unwrap();
        let run = find(&house, "r1").await;
        assert_eq!((run.state, run.attempt, run.run_after), (RunState::Queued, 1, NOW + MINUTE));
        assert_eq!((run.waiting_since, run.waiting_for.as_deref()), (Some(NOW + 1), Some("rate limit")));
        assert_eq!((run.lease_owner, run.lease_until), (None, None));
        assert_eq!((run.cursor_at, run.extent), (Some(NOW - 10), Extent::Full), "the cursor is the clock of the first call");
        assert_eq!(claim_next(&house.store, NOW + MINUTE - 1).await, None);
        let run = claim(&house.store, "worker", NOW + MINUTE, 1).await.pop().unwrap();
        assert_eq!((run.waiting_since, run.waiting_for.as_deref(), run.lease_epoch, run.crash_count), (None, None, 2, 0));
        let mut tx = house.store.begin_under(&run.lease()).await.unwrap();
        runs::again(&mut tx, &run.lease(), NOW + 2 * MINUTE, true, None, NOW + MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        let run = find(&house, "r1").await;
        assert_eq!((run.attempt, run.waiting_since, run.waiting_for), (2, None, None));
    })
    .await;
}

#[tokio::test]
async fn cancelling_ends_a_queued_run_at_once_and_asks_a_running_one() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (first, second) = (house.company("c1").await, house.company("c2").await);
        house.request("r1", &first).await;
        let lease = claim(&house.store, "worker", NOW, 1).await.pop().unwrap().lease();
        house.request("r2", &second).await;
        let mut tx = house.begin().await;
        assert!(runs::cancel(&mut tx, &RunId::new("r1"), NOW + 1).await.unwrap());
        assert!(runs::cancel(&mut tx, &RunId::new("r2"), NOW + 2).await.unwrap());
        assert!(!runs::cancel(&mut tx, &RunId::new("r2"), NOW + 3).await.unwrap(), "it has ended");
        assert!(!runs::cancel(&mut tx, &RunId::new("unknown"), NOW + 3).await.unwrap());
        tx.commit().await.unwrap();
        let (running, ended) = (find(&house, "r1").await, find(&house, "r2").await);
        assert_eq!((running.state, running.cancel_requested_at, running.finished_at), (RunState::Running, Some(NOW + 1), None));
        assert_eq!((ended.state, ended.cancel_requested_at, ended.finished_at), (RunState::Cancelled, Some(NOW + 2), Some(NOW + 2)));
        assert_eq!(claim_next(&house.store, NOW + 3).await, None, "nobody starts a cancelled run");
        let mut tx = house.store.begin_under(&lease).await.unwrap();
        runs::finish(&mut tx, &lease, RunState::Cancelled, None, NOW + 4).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        let finished = runs::list_finished(&mut conn, &house.organization_id, 10).await.unwrap();
        assert_eq!(finished.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["r1", "r2"], "latest end first");
        assert!(runs::list_active(&mut conn, &house.organization_id).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn lists_of_runs_stay_within_their_organization() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let other = house.organization("other").await;
        let (ours, theirs) = (house.company("c1").await, house.company_of(&other, "c2").await);
        house.request("r1", &ours).await;
        house.request_for("r2", &other, &theirs, 0).await;
        let mut tx = house.begin().await;
        runs::cancel(&mut tx, &RunId::new("r1"), NOW).await.unwrap();
        tx.commit().await.unwrap();
        house.request("r3", &ours).await;
        let mut conn = house.read().await;
        let ids = |runs: Vec<Run>| runs.into_iter().map(|run| run.id.0).collect::<Vec<_>>();
        assert_eq!(ids(runs::list_by_company(&mut conn, &ours, 10).await.unwrap()), ["r3", "r1"]);
        assert_eq!(ids(runs::list_by_company(&mut conn, &ours, 1).await.unwrap()), ["r3"]);
        assert_eq!(ids(runs::list_active(&mut conn, &house.organization_id).await.unwrap()), ["r3"]);
        assert_eq!(ids(runs::list_active(&mut conn, &other).await.unwrap()), ["r2"]);
        assert_eq!(ids(runs::list_finished(&mut conn, &house.organization_id, 10).await.unwrap()), ["r1"]);
        assert!(runs::list_finished(&mut conn, &other, 10).await.unwrap().is_empty());
        // more ids than one statement takes, and one of another organization among them
        let wanted: Vec<RunId> = (0..600).map(|at| RunId::new(format!("none{at}"))).chain(["r1", "r2", "r3"].map(RunId::new)).collect();
        let mut found = ids(runs::list_by_ids(&mut conn, &house.organization_id, &wanted).await.unwrap());
        found.sort();
        assert_eq!(found, ["r1", "r3"]);
        assert!(runs::list_by_ids(&mut conn, &house.organization_id, &[]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_claim_at_once_never_get_the_same_run() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        for at in 0..30 {
            let company_id = house.company(&format!("c{at:02}")).await;
            house.request(&format!("r{at:02}"), &company_id).await;
        }
        let other = house.another_node().await;
        let claimers: Vec<_> = (0..6)
            .map(|at| {
                let store = if at % 2 == 0 { house.store.clone() } else { other.clone() };
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    let mut empty = 0;
                    // what another has locked is skipped for the moment, so one empty answer is not the end
                    while empty < 3 {
                        let claimed = claim(&store, &format!("node {at}"), NOW, 4).await;
                        empty = if claimed.is_empty() { empty + 1 } else { 0 };
                        mine.extend(claimed.into_iter().map(|run| (run.id.0, run.lease_epoch)));
                    }
                    mine
                })
            })
            .collect();
        let mut all = Vec::new();
        for claimer in claimers {
            all.extend(claimer.await.unwrap());
        }
        assert!(all.iter().all(|(_, epoch)| *epoch == 1), "no run was claimed twice");
        let distinct: BTreeSet<&str> = all.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!((all.len(), distinct.len()), (30, 30));
    })
    .await;
}

#[tokio::test]
async fn checkpoints_say_where_a_step_continues_until_its_run_has_ended() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (first, second) = (house.company("c1").await, house.company("c2").await);
        house.request("r1", &first).await;
        house.request("r2", &second).await;
        let (one, two) = (RunId::new("r1"), RunId::new("r2"));
        let at = |text: &str| Position::At(Checkpoint(text.into()));
        let mut tx = house.begin().await;
        checkpoints::set(&mut tx, &one, "Invoice", &at("page 1"), NOW).await.unwrap();
        checkpoints::set(&mut tx, &one, "Invoice", &at("page 2"), NOW).await.unwrap();
        checkpoints::set(&mut tx, &one, "Bill", &at("page 1"), NOW).await.unwrap();
        checkpoints::set(&mut tx, &one, "Bill", &Position::Done, NOW).await.unwrap();
        checkpoints::set(&mut tx, &two, "Bill", &at("page 9"), NOW).await.unwrap();
        tx.commit().await.unwrap();
        let listed = checkpoints::list(&mut house.read().await, &one).await.unwrap();
        assert_eq!(listed.into_iter().collect::<Vec<_>>(), [("Bill".to_owned(), Position::Done), ("Invoice".to_owned(), at("page 2"))]);
        let mut tx = house.begin().await;
        checkpoints::clear(&mut tx, &two).await.unwrap();
        tx.commit().await.unwrap();
        assert!(checkpoints::list(&mut house.read().await, &two).await.unwrap().is_empty());
        assert_eq!(checkpoints::list(&mut house.read().await, &one).await.unwrap().len(), 2);
        let lease = claim(&house.store, "worker", NOW, 1).await.pop().unwrap().lease();
        let mut tx = house.store.begin_under(&lease).await.unwrap();
        runs::finish(&mut tx, &lease, RunState::Succeeded, None, NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert!(checkpoints::list(&mut house.read().await, &one).await.unwrap().is_empty());
    })
    .await;
}
