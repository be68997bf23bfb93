//! Providers on their bad days: limits, outages, answers that break off, reports that are too large.
use crate::house::{House, books};
use crate::milestones::{self, assert_complete};
use crate::truth;
use domain::company::{Mark, Reason, SyncStatus};
use domain::log::{LogBody, LogStatus};
use domain::problem::ProblemKind;
use domain::sync::{Extent, RunState};
use simulator::books::{Edit, Face, Kind};
use simulator::faults::Fault;
use simulator::limits::Problem;
use simulator::money::Cents;
use testkit::each_database;

/// Where the data calls of a provider go.
fn data_path(provider: &str) -> &'static str {
    if provider == "quickbooks" { "/v3/company/" } else { "/api.xro/2.0/" }
}

// proves B7 in part
// proves C17 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reached_limit_puts_the_run_aside_until_the_provider_admits_calls_again() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 71, 6, 10), books(Face::Xero, 72, 6, 10)]).await;
        let mut worker = house.work();
        for (provider, limit) in [("quickbooks", "QuickBooks request limit"), ("xero", "Xero minute limit")] {
            house.inject(Fault::RateLimit { problem: Problem::Minute, retry_after_secs: Some(40) }, data_path(provider), 6, 1);
            let company = house.connect(provider).await.remove(0);
            let run_id = company.run.as_ref().unwrap().id.clone();
            let run = house.wait_until(&run_id, |run| run.waiting_since.is_some()).await;
            assert_eq!((run.state, run.attempt, run.waiting_for.as_deref()), (RunState::Queued, 1, Some(limit)));
            assert_eq!(run.lease_owner, None, "nothing sleeps in a worker");
            let wait_secs = (run.run_after - crate::house::now().as_millisecond()) / 1_000;
            assert!((30..=41).contains(&wait_secs), "{wait_secs}");
            assert_eq!(house.status(&company.id).await, SyncStatus::Waiting { until_ms: run.run_after });
            let calls = house.calls(&company.id).await;
            worker = house.work_anew(worker).await;
            tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
            assert_eq!(house.calls(&company.id).await, calls, "nobody calls before the time has come");
            let waiting = house.entries(&run).await.pop().unwrap();
            assert_eq!(waiting.status, LogStatus::Success, "a limit is no error");
            assert!(waiting.message.contains("limit is reached. The sync resumes at "), "{}", waiting.message);

            house.wait_over(&run_id).await;
            let run = house.wait_run(&run_id).await;
            assert_complete(&house, &run).await;
            assert_eq!((run.attempt, house.company(&company.id).await.mark), (1, Mark::Verified));
            truth::assert_equal(&house, &company.id).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_tried_again_and_ends_the_run_only_when_it_lasts() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 73, 3, 5), books(Face::Xero, 74, 3, 5)]).await;
        let mut worker = house.work();
        for (provider, fault) in [("quickbooks", Fault::Status { status: 500 }), ("xero", Fault::Drop)] {
            // one bad answer is asked for again at once
            house.inject(fault.clone(), data_path(provider), 4, 1);
            let company = house.synced(provider).await;
            let run = house.run(company.last_run_id.as_ref().unwrap()).await;
            assert_complete(&house, &run).await;
            assert_eq!((run.attempt, run.lease_epoch), (1, 1));
            let hash = house.content_hash(&company.id).await;

            // more of them put the run aside, and it goes on where it was
            worker = house.work_anew(worker).await;
            house.inject(fault.clone(), data_path(provider), 4, 3);
            let run_id = house.request(&company.id, Some(Extent::Full)).await;
            let run = house.wait_until(&run_id, |run| run.attempt == 2).await;
            assert_eq!(
                (run.state, run.waiting_for.as_deref()),
                (RunState::Queued, Some(if provider == "xero" { "Xero does not answer" } else { "QuickBooks does not answer" }))
            );
            let entry = house.entries(&run).await.pop().unwrap();
            assert!(entry.message.contains("did not answer. Try 1 of 5; the next is at "), "{}", entry.message);
            house.wait_over(&run_id).await;
            let run = house.wait_run(&run_id).await;
            assert_complete(&house, &run).await;
            assert_eq!(house.content_hash(&company.id).await, hash);

            // an outage without end: five tries, then one error that says what happened; what is stored stays
            worker = house.work_anew(worker).await;
            house.inject(Fault::Status { status: 503 }, data_path(provider), 1, 1_000);
            let run_id = house.request(&company.id, None).await;
            for attempt in 2..=5 {
                house.wait_until(&run_id, |run| run.attempt == attempt && run.state == RunState::Queued).await;
                house.wait_over(&run_id).await;
                worker = house.work_anew(worker).await;
            }
            let run = house.wait_run(&run_id).await;
            assert_eq!(run.state, RunState::Failed);
            assert_eq!(house.status(&company.id).await, SyncStatus::NeedsResync(Reason::Failed));
            let errors: Vec<_> = house.entries(&run).await.into_iter().filter(|entry| entry.status == LogStatus::Error).collect();
            assert_eq!(errors.len(), 1, "{}", house.messages(&run).await.join("\n"));
            let body: LogBody = serde_json::from_str(errors[0].body.as_ref().unwrap()).unwrap();
            assert_eq!((body.kind, body.http_status, body.attempt), (ProblemKind::ProviderDown, Some(503), 5));
            assert!(body.endpoint.is_some_and(|endpoint| endpoint.starts_with("GET ")));
            assert_eq!((house.content_hash(&company.id).await, house.company(&company.id).await.mark), (hash, Mark::Verified));
            house.sandbox.write(|state| state.faults.clear());
            let run = house.sync(&company.id, None).await;
            assert_complete(&house, &run).await;
            assert_eq!(house.status(&company.id).await, SyncStatus::Synced);
        }
    })
    .await;
}

// proves D6 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cannot_be_read_fails_its_data_type_only_and_the_next_sync_heals_it() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 75, 3, 10), books(Face::Xero, 76, 3, 10)]).await;
        let mut worker = house.work();
        for (provider, path, endpoint) in
            [("quickbooks", "+FROM+Invoice+ORDERBY", "GET query Invoice"), ("xero", "/Invoices?page=1&pageSize=1000", "GET Invoices")]
        {
            for fault in [Fault::MalformedJson, Fault::HtmlBody] {
                house.move_to_a_new_organization().await;
                worker = house.work_anew(worker).await;
                // on a first sync: everything else arrives
                house.inject(fault.clone(), path, 0, 1);
                let company = house.connect(provider).await.remove(0);
                let run = house.wait(&company.id).await;
                let log = house.messages(&run).await.join("\n");
                assert_eq!(run.state, RunState::Failed, "{log}");
                let errors: Vec<_> = house.entries(&run).await.into_iter().filter(|entry| entry.status == LogStatus::Error).collect();
                assert!(errors[0].message.starts_with("Invoices were not synced: "), "{log}");
                assert!(errors.last().unwrap().message.starts_with("Sync failed: "), "{log}");
                for error in [&errors[0], errors.last().unwrap()] {
                    let body: LogBody = serde_json::from_str(error.body.as_ref().unwrap()).unwrap();
                    assert_eq!((body.kind, body.endpoint.as_deref(), body.http_status), (ProblemKind::UnexpectedData, Some(endpoint), Some(200)));
                    assert!(body.provider_request_id.as_ref().is_some_and(|id| id.len() > 20), "{body:?}");
                    assert!(!body.what_to_do.is_empty());
                }
                let count = |counts: Vec<store::documents::TypeCount>, data_type: domain::data_type::DataType| {
                    counts.into_iter().find(|count| count.data_type == data_type).map_or(0, |count| count.live)
                };
                let counts = async || store::documents::count_by_type(&mut house.engine.store.read().await.unwrap(), &company.id).await.unwrap();
                use domain::data_type::DataType;
                assert_eq!(count(counts().await, DataType::Invoice), 0);
                assert!(count(counts().await, DataType::Payment) > 0, "the other data types went on: {log}");
                assert_eq!(house.company(&company.id).await.cursor_at, None, "nothing was missed: the next sync begins anew");
                assert_eq!(house.status(&company.id).await, SyncStatus::NeedsResync(Reason::Failed));
                worker = house.work_anew(worker).await;
                let run = house.sync(&company.id, None).await;
                milestones::assert_complete(&house, &run).await;
                truth::assert_equal(&house, &company.id).await;

                // on a later one: what is stored stays, and an edit that came in between is not lost
                worker = house.work_anew(worker).await;
                let before = house.live_records(&company.id).await;
                let change = |books: &mut simulator::books::Books, now| {
                    let ids: Vec<u64> = books.documents.values().filter(|d| d.kind == Kind::Invoice).map(|d| d.id).collect();
                    ids.into_iter().find(|id| books.edit(*id, Edit::Amount(Cents(7_654_300)), now).is_ok()).unwrap()
                };
                house.change(&company.id, change).await;
                house.inject(fault.clone(), path, 0, 1);
                let run = house.sync(&company.id, Some(Extent::Full)).await;
                assert_eq!(run.state, RunState::Failed);
                assert_eq!(house.live_records(&company.id).await, before);
                let run = house.sync(&company.id, None).await;
                assert_eq!(run.extent, Extent::Changes);
                milestones::assert_complete(&house, &run).await;
                truth::assert_equal(&house, &company.id).await;
                assert_eq!(house.company(&company.id).await.mark, Mark::Verified);
            }
        }
    })
    .await;
}

// proves C29 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_too_large_for_one_answer_is_read_in_halves_and_still_ties_out() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 77, 13, 15)]).await;
        let _worker = house.work();
        // a year of this company has more cells than that, a report by month has fewer
        house.sandbox.write(|state| state.limits.figures.quickbooks_report_cells = 4_000);
        let company = house.synced("quickbooks").await;
        let run = house.run(company.last_run_id.as_ref().unwrap()).await;
        let log = house.messages(&run).await;
        let splits = log.iter().filter(|message| message.ends_with("is too large for one answer and is read in halves")).count();
        assert!(splits >= 2, "{}", log.join("\n"));
        assert_eq!(company.mark, Mark::Verified, "{}", log.join("\n"));
        assert_complete(&house, &run).await;
        truth::assert_equal(&house, &company.id).await;
    })
    .await;
}
