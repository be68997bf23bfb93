//! Incidents: one row for one cause, also when several nodes see it at once; closed by what ends the cause. And what the log keeps of the past.
use crate::house::{House, MINUTE, NOW};
use domain::data_type::DataType;
use domain::ids::{CompanyId, RunId};
use domain::incident::{Cause, Concerned};
use domain::log::{LogMessage, LogStatus, LogType, Settled};
use domain::problem::{Problem, ProblemKind};
use domain::sync::Extent;
use store::incidents::{self, Noted, Seen};
use store::log_entries::{self, About, Filter, Place};
use store::readers::Reader;
use store::run_days::{self, DAY_MS, Day};
use store::run_history::{self, Start};
use store::{Store, Tx, companies, frame, log_retention, quarantine};
use testkit::each_database;

fn failed(kind: ProblemKind) -> LogMessage {
    let mut problem = Problem::new(kind, "It failed.");
    problem.endpoint = Some("GET Invoices page 3".to_owned());
    problem.provider_request_id = Some("1-6AF0-Beef".to_owned());
    LogMessage::SyncFailed { problem }
}

fn cause(house: &House, message: &LogMessage, company: &CompanyId) -> Cause {
    let concerned = Concerned {
        provider: "quickbooks",
        connection_id: house.connection_id.as_str(),
        account_name: "olga@acme.example",
        company: Some((company.as_str(), company.as_str())),
    };
    Cause::of(message, &concerned).unwrap()
}

/// An error of a run of a company, in a transaction of its own.
async fn note(house: &House, store: &Store, message: &LogMessage, company: &CompanyId, run: &str, entry_id: i64) -> Noted {
    let mut tx = store.begin().await.unwrap();
    let noted = note_in(house, &mut tx, message, company, run, entry_id).await;
    tx.commit().await.unwrap();
    noted
}

async fn note_in(house: &House, tx: &mut Tx, message: &LogMessage, company: &CompanyId, run: &str, entry_id: i64) -> Noted {
    let (cause, run_id) = (cause(house, message, company), RunId::new(run));
    let seen = Seen {
        organization_id: &house.organization_id,
        cause: &cause,
        provider: "quickbooks",
        connection_id: &house.connection_id,
        company_id: Some(company),
        run_id: Some(&run_id),
        entry_id,
        sentence: "It failed.",
        // small numbers are minutes; ids of real entries are no times
        now_ms: NOW + entry_id.min(1_000) * MINUTE,
    };
    incidents::note(tx, &seen).await.unwrap()
}

async fn settle_run(store: &Store, company: &CompanyId, run: &str) {
    let mut tx = store.begin().await.unwrap();
    incidents::settle_run(&mut tx, company, &RunId::new(run), NOW + 999 * MINUTE).await.unwrap();
    tx.commit().await.unwrap();
}

// proves D17 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_cause_on_two_hundred_companies_is_one_incident_whichever_node_sees_it() {
    each_database(|url| async move {
        let house = std::sync::Arc::new(House::build(&url).await);
        let other = house.another_node().await;
        let mut companies = Vec::new();
        for at in 0..200 {
            companies.push(house.company(&format!("c{at:03}")).await);
        }
        let down = failed(ProblemKind::ProviderDown);
        // two nodes, eight at a time each
        let mut opened = 0;
        for (at, part) in companies.chunks(16).enumerate() {
            let mut tasks = tokio::task::JoinSet::new();
            for (within, company) in part.iter().cloned().enumerate() {
                let (house, down) = (house.clone(), down.clone());
                let store = if within % 2 == 0 { house.store.clone() } else { other.clone() };
                tasks.spawn(async move { note(&house, &store, &down, &company, "r1", (at * 16 + within + 1) as i64).await });
            }
            while let Some(noted) = tasks.join_next().await {
                opened += usize::from(noted.unwrap().opened);
            }
        }
        assert_eq!(opened, 1);
        let mut conn = house.read().await;
        let open = incidents::list_open(&mut conn, &house.organization_id, 10).await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].companies, open[0].errors, open[0].kind), (200, 200, ProblemKind::ProviderDown));
        assert_eq!(incidents::list_companies(&mut conn, &open[0].id).await.unwrap().len(), 200);
        assert_eq!(incidents::list_stopped(&mut conn, &house.organization_id).await.unwrap().len(), 200);
        assert_eq!(frame::count_incidents(&mut conn, &house.organization_id).await.unwrap(), 1);
        assert_eq!(
            frame::read(&mut conn, &house.organization_id, &Reader::Everything, NOW).await.unwrap().open_incidents,
            1,
            "the badge counts causes, not rows"
        );
        assert_eq!(incidents::find_by_entry(&mut conn, &house.organization_id, 77).await.unwrap().unwrap().id, open[0].id);
        drop(conn);
        // the last two are repaired at the same moment: somebody closes it
        for company in &companies[..198] {
            settle_run(&house.store, company, "r2").await;
        }
        let (a, b) = (companies[198].clone(), companies[199].clone());
        tokio::join!(settle_run(&house.store, &a, "r2"), settle_run(&other, &b, "r2"));
        let mut conn = house.read().await;
        assert!(incidents::list_open(&mut conn, &house.organization_id, 10).await.unwrap().is_empty());
        let closed = incidents::list_closed(&mut conn, &house.organization_id, 10).await.unwrap();
        assert_eq!((closed.len(), closed[0].closed_by, closed[0].companies), (1, Some(Settled::GoodRun), 200));
    })
    .await;
}

#[tokio::test]
async fn a_cause_that_comes_again_is_a_new_incident_that_knows_the_old_one() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company = house.company("c1").await;
        let down = failed(ProblemKind::ProviderDown);
        let first = note(&house, &house.store, &down, &company, "r1", 1).await;
        // the same run says it twice, the next one again
        assert_eq!(note(&house, &house.store, &down, &company, "r1", 2).await, Noted { opened: false, runs: 1, ..first.clone() });
        assert_eq!(note(&house, &house.store, &down, &company, "r2", 3).await, Noted { opened: false, runs: 2, ..first.clone() });
        // a run that reports it does not end it, although it ends well
        settle_run(&house.store, &company, "r2").await;
        let open = async || incidents::list_open(&mut house.read().await, &house.organization_id, 10).await.unwrap();
        assert_eq!(open().await.len(), 1);
        settle_run(&house.store, &company, "r3").await;
        assert!(open().await.is_empty());
        let again = note(&house, &house.store, &down, &company, "r4", 4).await;
        assert!(again.opened && again.incident_id != first.incident_id);
        let mut conn = house.read().await;
        let incident = incidents::find(&mut conn, &house.organization_id, &again.incident_id).await.unwrap().unwrap();
        let before = incidents::find_before(&mut conn, &incident).await.unwrap().unwrap();
        assert_eq!((before.times, before.first_at, before.closed_by), (1, NOW + MINUTE, Some(Settled::GoodRun)));
        let stranger = domain::ids::OrganizationId::new("stranger");
        assert!(incidents::find(&mut conn, &stranger, &again.incident_id).await.unwrap().is_none());
        assert!(incidents::find_by_entry(&mut conn, &stranger, 4).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_stops_all_of_its_linked_companies_and_repairs_them_at_once() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let linked = [house.company("c1").await, house.company("c2").await];
        house.company("not linked").await;
        let mut tx = house.begin().await;
        for company in &linked {
            assert!(companies::link(&mut tx, company, NOW).await.unwrap());
        }
        tx.commit().await.unwrap();
        let refused = failed(ProblemKind::NeedsReconnect);
        let noted = note(&house, &house.store, &refused, &linked[0], "r1", 1).await;
        let names = async || -> Vec<(String, Option<Settled>)> {
            let list = incidents::list_companies(&mut house.read().await, &noted.incident_id).await.unwrap();
            list.into_iter().map(|company| (company.company_id.0, company.resolved_by)).collect()
        };
        assert_eq!(names().await, [("c1".to_owned(), None), ("c2".to_owned(), None)]);
        let mut tx = house.begin().await;
        incidents::settle_account(&mut tx, &house.connection_id, Settled::Reconnected, NOW + 5 * MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(names().await, [("c1".to_owned(), Some(Settled::Reconnected)), ("c2".to_owned(), Some(Settled::Reconnected))]);
        assert!(incidents::list_open(&mut house.read().await, &house.organization_id, 10).await.unwrap().is_empty());

        // an account that is gone takes everything of its companies with it
        let down = failed(ProblemKind::ProviderDown);
        note(&house, &house.store, &down, &linked[1], "r2", 2).await;
        note(&house, &house.store, &refused, &linked[1], "r2", 3).await;
        assert_eq!(incidents::list_open(&mut house.read().await, &house.organization_id, 10).await.unwrap().len(), 2);
        let mut tx = house.begin().await;
        incidents::settle_account(&mut tx, &house.connection_id, Settled::Disconnected, NOW + 6 * MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        assert!(incidents::list_open(&mut house.read().await, &house.organization_id, 10).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn records_set_aside_stay_an_incident_until_none_is_left_and_a_difference_until_the_books_tie_out() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company = house.company("c1").await;
        let aside =
            LogMessage::RecordsQuarantined { data_type: domain::data_type::DataType::Invoice, ids: vec!["7".into()], reason: "no date".into() };
        let differs = LogMessage::DoesNotTieOut { basis: domain::ledger::Basis::Accrual, accounts: 1, places: vec![] };
        let mut tx = house.begin().await;
        quarantine::insert(&mut tx, &company, &[("Invoice", "7", "no date", vec![1])], NOW).await.unwrap();
        note_in(&house, &mut tx, &aside, &company, "r1", 1).await;
        note_in(&house, &mut tx, &differs, &company, "r1", 2).await;
        tx.commit().await.unwrap();
        let open = async || -> Vec<ProblemKind> {
            let open = incidents::list_open(&mut house.read().await, &house.organization_id, 10).await.unwrap();
            open.into_iter().map(|incident| incident.kind).collect()
        };
        let mut tx = house.begin().await;
        incidents::settle_tie_out(&mut tx, &company, NOW + MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(open().await, [ProblemKind::UnexpectedData]);
        settle_run(&house.store, &company, "r2").await;
        assert_eq!(open().await, [ProblemKind::UnexpectedData], "the record still lies aside");
        let mut tx = house.begin().await;
        quarantine::release(&mut tx, &company, "Invoice", &["7"]).await.unwrap();
        tx.commit().await.unwrap();
        settle_run(&house.store, &company, "r3").await;
        assert!(open().await.is_empty());

        note(&house, &house.store, &failed(ProblemKind::Internal), &company, "r4", 3).await;
        let mut tx = house.begin().await;
        incidents::settle_company(&mut tx, &company, Settled::Unlinked, NOW + MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        assert!(open().await.is_empty());
    })
    .await;
}

// proves D10 in part
// proves I12 in part
#[tokio::test]
async fn entries_are_found_by_what_their_details_name_in_any_case_beside_every_other_filter() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (company, other) = (house.company("c1").await, house.company("c2").await);
        let stranger = house.organization("stranger").await;
        let quarantined = LogMessage::RecordsQuarantined { data_type: DataType::Bill, ids: vec!["7".into(), "81".into()], reason: "no Id".into() };
        let messages = [failed(ProblemKind::ProviderDown), quarantined, LogMessage::TokenRefreshed];
        let mut tx = house.begin().await;
        for (at, message) in messages.iter().enumerate() {
            for (organization_id, company_id) in [(&house.organization_id, Some(&company)), (&house.organization_id, Some(&other)), (&stranger, None)]
            {
                let about = About { organization_id, company_id, run_id: None, provider: "quickbooks", company_name: "Books", account_name: "olga" };
                log_entries::insert(&mut tx, &about, message, 1, NOW + at as i64 * MINUTE).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
        let mut conn = house.read().await;
        for (reference, expected) in
            [("1-6AF0-Beef", 2), ("1-6af0-beef", 2), ("1-6af0", 0), ("Bill 81", 2), ("bill 7", 2), ("7", 2), ("8", 0), ("", 0)]
        {
            let filter = Filter { reference: Some(reference.to_owned()), ..Filter::default() };
            let found = log_entries::list_page(&mut conn, &house.organization_id, &filter, Place::Newest, 10).await.unwrap().entries;
            assert_eq!(found.len(), expected, "{reference}");
            assert_eq!(log_entries::count(&mut conn, &house.organization_id, &filter, 10).await.unwrap(), expected as i64, "{reference}");
            assert_eq!(log_entries::count_newer(&mut conn, &house.organization_id, &filter, i64::MAX - 1, 10).await.unwrap(), 0);
            let of_one = Filter { company_id: Some(company.clone()), ..filter.clone() };
            assert_eq!(log_entries::count(&mut conn, &house.organization_id, &of_one, 10).await.unwrap(), expected as i64 / 2, "{reference}");
            let good = Filter { status: Some(LogStatus::Success), ..filter };
            assert_eq!(log_entries::count(&mut conn, &house.organization_id, &good, 10).await.unwrap(), 0);
        }
        drop(conn);
        // and gone with its company
        let mut tx = house.begin().await;
        store::erasure::erase_companies(&mut tx, std::slice::from_ref(&company), NOW).await.unwrap();
        tx.commit().await.unwrap();
        let left = house.read().await.query("SELECT entry_id FROM log_references WHERE company_id = 'c1'", vec![]).await.unwrap();
        assert_eq!(left.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_older_than_its_organization_keeps_goes_in_batches_and_cards_and_table_agree_all_the_way() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company = house.company("c1").await;
        let stranger = house.organization("stranger").await;
        let down = failed(ProblemKind::ProviderDown);
        for at in 0..60_i64 {
            let mut tx = house.begin().await;
            let about = About {
                organization_id: if at % 10 == 9 { &stranger } else { &house.organization_id },
                company_id: (at % 10 != 9 && at % 5 != 4).then_some(&company),
                run_id: None,
                provider: "quickbooks",
                company_name: "Books",
                account_name: "olga@acme.example",
            };
            let messages = [LogMessage::TokenRefreshed, down.clone(), LogMessage::SyncStarted { extent: Extent::Full }];
            let message = &messages[at as usize % 3];
            let entry_id = log_entries::insert(&mut tx, &about, message, 1, NOW - (600 - at * 10) * DAY_MS).await.unwrap();
            if at % 10 != 9 && at % 3 == 1 {
                note_in(&house, &mut tx, &down, &company, "r1", entry_id).await;
            }
            tx.commit().await.unwrap();
        }
        let mut conn = house.read().await;
        assert_eq!(log_retention::days(&mut conn, &house.organization_id).await.unwrap(), 400);
        assert_eq!(log_retention::list(&mut conn).await.unwrap().iter().map(|(_, days)| *days).collect::<Vec<_>>(), [400, 400]);
        drop(conn);
        let mut tx = house.begin().await;
        log_retention::set_days(&mut tx, &house.organization_id, 300, "owner", NOW).await.unwrap();
        tx.commit().await.unwrap();
        let days = log_retention::days(&mut house.read().await, &house.organization_id).await.unwrap();
        assert_eq!(days, 300);
        let before_ms = NOW - days * DAY_MS;
        let older = log_retention::count_older(&mut house.read().await, &house.organization_id, before_ms, 1_000).await.unwrap();
        assert_eq!(older, 27);
        let mut removed = Vec::new();
        loop {
            let mut tx = house.begin().await;
            let batch = log_retention::prune(&mut tx, &house.organization_id, before_ms, 10).await.unwrap();
            tx.commit().await.unwrap();
            removed.push(batch);
            let mut conn = house.read().await;
            let filter = Filter { company_id: Some(company.clone()), ..Filter::default() };
            let left = log_entries::list_page(&mut conn, &house.organization_id, &filter, Place::Newest, 100).await.unwrap().entries;
            let card = log_entries::list_cards(&mut conn, &house.organization_id).await.unwrap().remove(0);
            assert_eq!((card.total, card.errors), (left.len() as i64, left.iter().filter(|entry| entry.body.is_some()).count() as i64));
            assert_eq!(card.milestones, left.iter().filter(|entry| entry.log_type == LogType::Milestone).count() as i64);
            if batch == 0 {
                break;
            }
        }
        assert_eq!(removed, [10, 10, 7, 0]);
        let mut conn = house.read().await;
        let oldest = log_entries::list_page(&mut conn, &house.organization_id, &Filter::default(), Place::Newest, 100).await.unwrap().entries;
        assert!(oldest.iter().all(|entry| entry.logged_at >= before_ms) && oldest.len() == 27);
        let foreign = log_entries::list_page(&mut conn, &stranger, &Filter::default(), Place::Newest, 100).await.unwrap().entries;
        assert_eq!(foreign.len(), 6, "another organization keeps its own");
        let orphans = conn.query("SELECT entry_id FROM log_references WHERE entry_id NOT IN (SELECT id FROM log_entries)", vec![]).await.unwrap();
        assert_eq!(orphans.len(), 0, "what entries name goes with them");
    })
    .await;
}

#[tokio::test]
async fn days_are_tallied_and_runs_are_read_in_pages_that_stand() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (first, second) = (house.company("c1").await, house.company("c2").await);
        let mut tx = house.begin().await;
        for (company, day, at) in
            [(&first, Day::Good, 0), (&first, Day::Good, 1), (&first, Day::Failed, 2), (&first, Day::Waited, 3), (&second, Day::Good, 0)]
        {
            run_days::add(&mut tx, company, day, NOW + at * MINUTE).await.unwrap();
        }
        run_days::add(&mut tx, &first, Day::Good, NOW - 20 * DAY_MS).await.unwrap();
        tx.commit().await.unwrap();
        let tallies = run_days::list(&mut house.read().await, &[first.clone(), second.clone()], NOW / DAY_MS - 13).await.unwrap();
        let shown: Vec<_> = tallies.iter().map(|tally| (tally.company_id.as_str(), tally.good, tally.failed, tally.waited)).collect();
        assert_eq!(shown, [("c1", 2, 1, 1), ("c2", 1, 0, 0)]);

        for at in 0..9 {
            let run = format!("r{at}");
            house.request(&run, if at % 3 == 0 { &second } else { &first }).await;
            let mut tx = house.begin().await;
            let claimed = store::runs::claim(&mut tx, "worker", NOW, MINUTE, 1).await.unwrap().remove(0);
            let state = if at == 4 { domain::sync::RunState::Failed } else { domain::sync::RunState::Succeeded };
            store::runs::finish(&mut tx, &claimed.lease(), state, None, NOW + at).await.unwrap();
            let about = About {
                organization_id: &house.organization_id,
                company_id: Some(&claimed.company_id),
                run_id: Some(&claimed.id),
                provider: "quickbooks",
                company_name: "Books",
                account_name: "a",
            };
            for message in [LogMessage::SyncStarted { extent: Extent::Changes }, LogMessage::CompanyImported] {
                log_entries::insert(&mut tx, &about, &message, 1, NOW + at).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
        let page = async |filter: run_history::Filter, start: Start| {
            let page = run_history::list_page(&mut house.read().await, &house.organization_id, &filter, &start, 4).await.unwrap();
            (page.runs.into_iter().map(|run| run.id.0).collect::<Vec<_>>(), page.has_older, page.has_newer)
        };
        let all = run_history::Filter::default;
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(page(all(), Start::Newest).await, (words("r8 r7 r6 r5"), true, false));
        assert_eq!(page(all(), Start::OlderThan(RunId::new("r5"))).await, (words("r4 r3 r2 r1"), true, true));
        assert_eq!(page(all(), Start::OlderThan(RunId::new("r1"))).await, (words("r0"), false, true));
        assert_eq!(page(all(), Start::NewerThan(RunId::new("r2"))).await, (words("r6 r5 r4 r3"), true, true));
        let of_second = run_history::Filter { company_id: Some(second), state: None };
        assert_eq!(page(of_second, Start::Newest).await, (words("r6 r3 r0"), false, false));
        let broken = run_history::Filter { company_id: None, state: Some("failed".to_owned()) };
        assert_eq!(page(broken, Start::Newest).await.0, words("r4"));
        let active = run_history::Filter { company_id: None, state: Some("active".to_owned()) };
        assert!(page(active, Start::Newest).await.0.is_empty());
        let stories = run_history::list_stories(&mut house.read().await, &[RunId::new("r2"), RunId::new("r7")], 100).await.unwrap();
        let told: Vec<_> = stories.iter().map(|line| (line.run_id.as_str(), line.message.as_str())).collect();
        let begun = "Sync started: changes since the last sync";
        let read = "Company information imported";
        assert_eq!(told, [("r7", begun), ("r7", read), ("r2", begun), ("r2", read)]);
        assert!(run_history::list_stories(&mut house.read().await, &[], 100).await.unwrap().is_empty());
    })
    .await;
}
