//! Runs that are told to stop: by a person, and by the end of the server.
use crate::house::{House, PROVIDERS, books};
use crate::{milestones, truth};
use domain::company::{Mark, Reason, SyncStatus};
use domain::sync::{Extent, RunState};
use simulator::books::Face;
use simulator::faults::Fault;
use std::time::{Duration, Instant};
use testkit::each_database;

/// From the wish to stop until the run had ended, as both were noted.
fn stopped_within_ms(run: &store::runs::Run) -> i64 {
    run.finished_at.expect("it has ended") - run.cancel_requested_at.expect("it was to stop")
}

// proves B8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_sync_ends_within_five_seconds_and_the_next_one_goes_on() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 81, 6, 10), books(Face::Xero, 82, 6, 10)]).await;
        let mut worker = house.work();
        for (provider, records) in [("quickbooks", "/v3/company/"), ("xero", "/api.xro/2.0/")] {
            // a provider that takes long for each call
            house.inject(Fault::Delay { ms: 400 }, records, 1, 1_000);
            let company = house.connect(provider).await.remove(0);
            let run_id = company.run.as_ref().unwrap().id.clone();
            house.wait_until(&run_id, |run| run.step == "Invoices").await;
            // and then does not answer at all
            house.sandbox.write(|state| state.faults.clear());
            house.hold(&company.id, 0, 60_000).await;
            assert!(house.until_faults_are_met(&run_id).await);
            assert!(engine::sync::cancel(&house.engine, &house.organization_id, &run_id).await.unwrap());
            let run = house.wait_run(&run_id).await;
            assert!(stopped_within_ms(&run) < 5_000, "{provider}: {run:?}");
            assert_eq!(run.state, RunState::Cancelled);
            assert_eq!(house.status(&company.id).await, SyncStatus::NeedsResync(Reason::Cancelled));
            assert!(house.messages(&run).await.contains(&"event success Sync cancelled; what was synced is kept".to_owned()));
            assert!(house.live_records(&company.id).await > 0);
            assert!(!engine::sync::cancel(&house.engine, &house.organization_id, &run_id).await.unwrap(), "it has ended already");

            house.sandbox.write(|state| state.faults.clear());
            worker = house.work_anew(worker).await;
            let run = house.sync(&company.id, None).await;
            assert_eq!(run.extent, Extent::Full, "there is nothing complete to build on");
            milestones::assert_complete(&house, &run).await;
            assert_eq!(house.company(&company.id).await.mark, Mark::Verified);
            truth::assert_equal(&house, &company.id).await;

            // one that has not begun ends at once
            worker = {
                worker.stop().await;
                let run_id = house.request(&company.id, None).await;
                assert!(engine::sync::cancel(&house.engine, &house.organization_id, &run_id).await.unwrap());
                assert_eq!(house.run(&run_id).await.state, RunState::Cancelled);
                assert_eq!(house.status(&company.id).await, SyncStatus::NeedsResync(Reason::Cancelled));
                house.restart();
                house.work()
            };
            let run = house.sync(&company.id, None).await;
            assert_eq!(run.extent, Extent::Changes, "what was complete before stays complete");
            milestones::assert_complete(&house, &run).await;
            assert_eq!(house.status(&company.id).await, SyncStatus::Synced);
        }
    })
    .await;
}

// proves B8 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_cancelled_while_its_token_is_renewed_ends_and_the_renewed_token_is_kept() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 85, 2, 4), books(Face::Xero, 86, 2, 4)]).await;
        let worker = house.work();
        for (provider, endpoint) in [("quickbooks", "tokens/bearer"), ("xero", "connect/token")] {
            let company = house.synced(provider).await;
            let token = async || {
                let mut conn = house.engine.store.read().await.unwrap();
                store::connections::access_token(&house.engine.store, &mut conn, &company.connection_id).await.unwrap().unwrap()
            };
            let before = token().await.generation;
            let mut tx = house.engine.store.begin().await.unwrap();
            tx.execute("UPDATE connections SET access_expires_at = 0 WHERE id = $1", store::args![&company.connection_id]).await.unwrap();
            tx.commit().await.unwrap();
            house.inject(Fault::Delay { ms: 12_000 }, endpoint, 0, 1);
            let run_id = house.request(&company.id, None).await;
            assert!(house.until_faults_are_met(&run_id).await);
            assert!(engine::sync::cancel(&house.engine, &house.organization_id, &run_id).await.unwrap());
            let run = house.wait_run(&run_id).await;
            assert!(stopped_within_ms(&run) < 5_000, "{provider}: {run:?}");
            assert_eq!(run.state, RunState::Cancelled);
            assert_eq!(token().await.generation, before, "the provider has not answered yet");
            // what the provider rotated is stored, though nobody waits for it any more
            let deadline = Instant::now() + Duration::from_secs(30);
            while token().await.generation == before {
                assert!(Instant::now() < deadline, "{provider}: the renewed token is lost");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let run = house.sync(&company.id, None).await;
            assert_eq!(run.state, RunState::Succeeded);
        }
        worker.stop().await;
    })
    .await;
}

// proves B7 in part
// proves B8 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_to_stop_ends_a_run_that_is_put_back_meanwhile() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::Xero, 87, 2, 4)]).await;
        let company = house.connect("xero").await.remove(0);
        let run_id = company.run.as_ref().unwrap().id.clone();
        // asked while another process works on it, which then meets a limit
        house.hold(&company.id, 2, 1_500).await;
        house.inject(Fault::RateLimit { problem: simulator::limits::Problem::Minute, retry_after_secs: Some(600) }, "/api.xro/2.0/", 3, 1);
        let worker = house.work();
        house.wait_until(&run_id, |run| run.calls >= 1 || run.step == "Company information").await;
        let mut tx = house.engine.store.begin().await.unwrap();
        assert!(store::runs::cancel(&mut tx, &run_id, house.engine.now_ms()).await.unwrap());
        tx.commit().await.unwrap();
        let run = house.wait_run(&run_id).await;
        assert_eq!((run.state, run.waiting_for), (RunState::Cancelled, None));
        assert_eq!(house.status(&company.id).await, SyncStatus::NeedsResync(Reason::Cancelled));
        worker.stop().await;
    })
    .await;
}

// proves I8 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_in_order_hands_its_runs_back_without_using_up_an_attempt() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 83, 6, 10), books(Face::Xero, 84, 6, 10)]).await;
        for provider in PROVIDERS {
            let company = house.connect(provider).await.remove(0);
            let run_id = company.run.as_ref().unwrap().id.clone();
            house.forget_calls();
            house.hold(&company.id, 9, 700).await;
            let worker = house.work();
            assert!(house.until_faults_are_met(&run_id).await);
            let asked = Instant::now();
            worker.stop().await;
            assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
            let run = house.run(&run_id).await;
            assert_eq!((run.state, run.attempt, run.crash_count, run.waiting_for), (RunState::Queued, 1, 0, None));
            assert_eq!((run.lease_owner, run.lease_until), (None, None));
            assert_eq!(house.status(&company.id).await, SyncStatus::Syncing);

            // no lease to wait for
            house.restart();
            let worker = house.work();
            let run = house.wait_run(&run_id).await;
            milestones::assert_complete(&house, &run).await;
            assert_eq!((run.attempt, run.lease_epoch, run.crash_count), (1, 2, 0));
            assert_eq!(run.calls as u64, house.calls(&company.id).await, "no call is lost to the meter");
            assert_eq!(house.company(&company.id).await.mark, Mark::Verified);
            truth::assert_equal(&house, &company.id).await;
            worker.stop().await;
        }
    })
    .await;
}
