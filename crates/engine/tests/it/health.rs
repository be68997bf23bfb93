//! How the providers answer: what the health panel says is what the sandbox did.
use crate::house::{House, books};
use engine::health::{self, State};
use simulator::books::Face;
use simulator::faults::Fault;
use simulator::limits::Problem;
use testkit::each_database;

// proves D22 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_failures_limits_and_times_of_each_provider_are_counted_over_the_nodes() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 81, 3, 5), books(Face::Xero, 82, 3, 5)]).await;
        let found = health::list(&house.engine, &house.organization_id).await.unwrap();
        let quiet: Vec<(&str, State, i64)> = found.iter().map(|health| (health.provider.as_str(), health.state, health.day.tally.calls)).collect();
        assert_eq!(quiet, [("quickbooks", State::Quiet, 0), ("xero", State::Quiet, 0)]);
        assert!(found.iter().all(|health| health.last_answer_minute.is_none() && health.last_incident.is_none()));

        let worker = house.work();
        house.inject(Fault::Status { status: 500 }, "/v3/company/", 3, 2);
        house.inject(Fault::Delay { ms: 300 }, "/v3/company/", 6, 1);
        let quickbooks = house.synced("quickbooks").await;
        let xero = house.synced("xero").await;
        // stopping writes down what was counted; another node adds to the same minutes
        let worker = house.work_anew(worker).await;
        let run_id = house.request(&xero.id, None).await;
        house.wait_run(&run_id).await;
        house.inject(Fault::RateLimit { problem: Problem::Minute, retry_after_secs: Some(40) }, "/v3/company/", 0, 1);
        let run_id = house.request(&quickbooks.id, None).await;
        house.wait_until(&run_id, |run| run.waiting_since.is_some() || run.state.is_finished()).await;
        let waiting = health::list(&house.engine, &house.organization_id).await.unwrap();
        assert_eq!(waiting[0].waiting, 1, "one company waits for QuickBooks");
        house.wait_over(&run_id).await;
        house.wait_run(&run_id).await;
        let _worker = house.work_anew(worker).await;

        let found = health::list(&house.engine, &house.organization_id).await.unwrap();
        // QuickBooks is asked for the company's name once while it is connected, outside of any sync
        for (health, company, before) in [(&found[0], &quickbooks, 1), (&found[1], &xero, 0)] {
            let made = house.calls(&company.id).await - before;
            assert_eq!(health.day.tally.calls.unsigned_abs(), made, "{}: as many calls as the sandbox answered", health.provider);
            assert_eq!(health.hours.iter().map(|(_, tally)| tally.calls).sum::<i64>(), health.day.tally.calls);
            assert_eq!(health.day.tally.took.iter().sum::<i64>(), health.day.tally.calls);
            assert!(health.day.within_ms(50).is_some() && health.last_answer_minute.is_some());
            assert_eq!(health.busiest_today.as_ref().map(|busiest| &busiest.company_id), Some(&company.id));
        }
        let (of_quickbooks, of_xero) = (&found[0], &found[1]);
        assert_eq!((of_quickbooks.day.tally.failed, of_quickbooks.day.tally.limited, of_quickbooks.state), (2, 1, State::Limited));
        assert_eq!((of_xero.day.tally.failed, of_xero.day.tally.limited, of_xero.state), (0, 0, State::Answering));
        assert!(of_quickbooks.day.tally.slowest_ms >= 300, "{}", of_quickbooks.day.tally.slowest_ms);
    })
    .await;
}
