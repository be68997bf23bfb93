//! What a run tells in the integration log, and that a company has one run at a time.
use crate::house::{House, PROVIDERS, books};
use domain::job::Trigger;
use domain::log::{LogStatus, LogType};
use domain::sync::{Extent, Milestone, RunState};
use engine::sync::Progress;
use simulator::books::{Edit, Face, Kind};
use simulator::money::Cents;
use store::runs::{Requested, Run};
use testkit::each_database;

/// How the sentence of each milestone begins.
const SENTENCES: [(Milestone, &str); 10] = [
    (Milestone::Started, "Sync started: "),
    (Milestone::Company, "Company information imported"),
    (Milestone::Chart, "Chart of accounts imported: "),
    (Milestone::Contacts, "Contacts imported: "),
    (Milestone::Transactions, "Transactions synced: "),
    (Milestone::Ledger, "Ledger imported: "),
    (Milestone::Reports, "Reports imported: "),
    (Milestone::Normalized, "Normalization complete: "),
    (Milestone::Verified, "Verified against the provider's trial balance, accrual and cash: "),
    (Milestone::Finished, "Sync finished: "),
];

/// What takes the place of the company's milestone where nothing changed within a day.
const COMPANY_KEPT: &str = "Company information kept: it was read less than a day ago, and nothing changed since";

/// The run succeeded and its milestones are all there, each once, in order.
pub async fn assert_complete(house: &House, run: &Run) {
    house.assert_succeeded(run).await;
    assert!(SENTENCES.iter().map(|(milestone, _)| *milestone).eq(Milestone::ALL));
    let entries = house.entries(run).await;
    let milestones: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.log_type == LogType::Milestone && entry.status == LogStatus::Success)
        .map(|entry| entry.message.as_str())
        .collect();
    let progress = Progress::parse(&run.progress);
    let counts = progress.total();
    let is_idle = !progress.thorough && counts.added + counts.changed + counts.deleted == 0;
    let begins = |message: &str, milestone: Milestone, sentence: &str| match milestone {
        Milestone::Company if is_idle => message == COMPANY_KEPT,
        _ => message.starts_with(sentence),
    };
    let complete = milestones.len() == SENTENCES.len()
        && milestones.iter().zip(SENTENCES).all(|(message, (milestone, sentence))| begins(message, milestone, sentence));
    assert!(complete, "{}", house.messages(run).await.join("\n"));
}

// proves D7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successful_run_has_every_milestone_once_and_in_order() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 51, 6, 10), books(Face::Xero, 52, 6, 10)]).await;
        let mut worker = house.work();
        for provider in PROVIDERS {
            let company = house.synced(provider).await;
            let first = house.run(company.last_run_id.as_ref().unwrap()).await;
            assert_eq!(first.extent, Extent::Full);
            assert_complete(&house, &first).await;
            let edited = |books: &mut simulator::books::Books, now| {
                let invoices: Vec<u64> = books.documents.values().filter(|d| d.kind == Kind::Invoice).map(|d| d.id).collect();
                invoices.into_iter().find(|id| books.edit(*id, Edit::Amount(Cents(987_600)), now).is_ok()).unwrap()
            };
            house.change(&company.id, edited).await;
            for (what, extent) in [("an edit", None), ("nothing", None), ("everything", Some(Extent::Full))] {
                worker = house.work_anew(worker).await;
                let run = house.sync(&company.id, extent).await;
                assert_eq!(run.extent, extent.unwrap_or(Extent::Changes), "{what}");
                assert_complete(&house, &run).await;
                let kept = house.messages(&run).await.iter().any(|message| message.ends_with(COMPANY_KEPT));
                assert_eq!(kept, what == "nothing", "{what}");
            }
        }
    })
    .await;
}

// proves C16
// proves A3 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_has_one_run_at_a_time_and_a_second_import_queues_nothing() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::Xero, 53, 3, 5), books(Face::Xero, 54, 3, 5), books(Face::Xero, 55, 3, 5)]).await;
        let result = house.authorize("xero", None, &[], &[]).await;
        let connection_id = result.connection_id.unwrap();
        // two clicks at once, and one more
        let (one, two) = tokio::join!(house.import(&connection_id), house.import(&connection_id));
        assert_eq!(one.queued.len() + two.queued.len(), 3, "{one:?} {two:?}");
        let again = house.import(&connection_id).await;
        assert!(again.queued.is_empty() && again.already == 3, "{again:?}");
        let queued = store::runs::list_active(&mut house.engine.store.read().await.unwrap(), &house.organization_id).await.unwrap();
        assert_eq!(queued.len(), 3);

        // many requests at once for one company: all are told the same run
        let company_id = queued[0].company_id.clone();
        let ask = || engine::sync::request(&house.engine, &house.organization_id, &company_id, Trigger::CommandLine, None);
        let (a, b, c) = tokio::join!(ask(), ask(), ask());
        for requested in [a, b, c] {
            assert_eq!(requested.unwrap(), Requested::AlreadyActive(queued[0].id.clone()));
        }
        // while it runs, too
        let _worker = house.work();
        house.wait_until(&queued[0].id, |run| run.state == RunState::Running).await;
        assert_eq!(ask().await.unwrap(), Requested::AlreadyActive(queued[0].id.clone()));
        for run in &queued {
            let run = house.wait_run(&run.id).await;
            house.assert_succeeded(&run).await;
        }
        let (a, b) = tokio::join!(ask(), ask());
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.run_id(), b.run_id());
        assert_ne!(a.run_id(), &queued[0].id);
        assert!(matches!(a, Requested::Queued(_)) != matches!(b, Requested::Queued(_)), "{a:?} {b:?}");
        let run = house.wait_run(a.run_id()).await;
        house.assert_succeeded(&run).await;
    })
    .await;
}
