//! Companies: found, linked, due, and the facts their status follows from.
use crate::house::{House, MINUTE, NOW, new_run, tokens};
use domain::clock::Timestamp;
use domain::company::{Mark, Reason, SyncStatus, sync_status};
use domain::ids::{CompanyId, ConnectionId, OrganizationId, RunId};
use domain::schedule::DEFAULT_INTERVAL_SECS;
use domain::sync::RunState;
use std::collections::BTreeSet;
use store::companies::{self, Company, CompanyFilter, Ended, Found};
use store::readers::Reader;
use store::runs::Requested;
use store::{args, connections, runs};
use testkit::each_database;

async fn find(house: &House, id: &CompanyId) -> Company {
    companies::find(&mut house.read().await, &house.organization_id, id).await.unwrap().unwrap()
}

async fn put(house: &House, id: &str, connection_id: &ConnectionId, remote_id: &str, newly_granted: bool) -> CompanyId {
    let mut tx = house.begin().await;
    let found = Found {
        id: CompanyId::new(id),
        organization_id: &house.organization_id,
        connection_id,
        provider: "quickbooks",
        remote_id,
        name: "Found again",
        newly_granted,
        now_ms: NOW + 1,
    };
    let id = companies::put_found(&house.store, &mut tx, &found).await.unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn a_company_found_twice_is_one_company_and_keeps_its_connection_while_that_is_active() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company_id = house.company("c1").await;
        let second = ConnectionId::new("second");
        let mut tx = house.begin().await;
        assert_eq!(house.connect(&mut tx, "second", "another identity", &tokens("other")).await, Ok(()));
        tx.commit().await.unwrap();
        assert_eq!(put(&house, "new id", &second, "realm-c1", false).await, company_id);
        let company = find(&house, &company_id).await;
        assert_eq!((company.name.as_str(), &company.connection_id), ("Books of c1", &house.connection_id));
        assert_eq!(companies::remote_id(&house.store, &mut house.read().await, &company_id).await.unwrap().as_deref(), Some("realm-c1"));
        assert_eq!(companies::remote_id(&house.store, &mut house.read().await, &CompanyId::new("new id")).await.unwrap(), None);
        // both see it; only the first was granted it anew
        let granted = |list: Vec<(Company, Option<i64>)>| list.into_iter().map(|(company, at)| (company.id.0, at)).collect::<Vec<_>>();
        let mut conn = house.read().await;
        assert_eq!(granted(companies::list_by_connection(&mut conn, &house.connection_id).await.unwrap()), [("c1".to_owned(), Some(NOW))]);
        assert_eq!(granted(companies::list_by_connection(&mut conn, &second).await.unwrap()), [("c1".to_owned(), None)]);
        drop(conn);
        // one that is merely refused keeps it until a person decides
        let mut tx = house.begin().await;
        assert!(connections::mark_invalid(&mut tx, &house.connection_id, 1, NOW).await.unwrap());
        tx.commit().await.unwrap();
        put(&house, "new id", &second, "realm-c1", true).await;
        assert_eq!(find(&house, &company_id).await.connection_id, house.connection_id);
        // one that was disconnected does not: the other takes it over
        let mut tx = house.begin().await;
        connections::disconnect(&mut tx, &house.connection_id, NOW).await.unwrap();
        tx.commit().await.unwrap();
        put(&house, "new id", &second, "realm-c1", true).await;
        assert_eq!(find(&house, &company_id).await.connection_id, second);
        assert_eq!(granted(companies::list_by_connection(&mut house.read().await, &second).await.unwrap()), [("c1".to_owned(), Some(NOW + 1))]);
        let mut tx = house.begin().await;
        assert!(!companies::hand_over(&mut tx, &company_id, &second, &house.connection_id, NOW).await.unwrap(), "not to one that does not work");
        assert!(!companies::hand_over(&mut tx, &company_id, &house.connection_id, &second, NOW).await.unwrap(), "not from one that has not got it");
        tx.commit().await.unwrap();
        assert_eq!(companies::list_seen_by(&mut house.read().await, &company_id).await.unwrap(), [second]);
    })
    .await;
}

#[tokio::test]
async fn linking_makes_a_company_due_and_unlinking_keeps_what_was_synced() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let (company_id, other) = (house.company("c1").await, house.company("c2").await);
        let mut tx = house.begin().await;
        assert!(companies::link(&mut tx, &company_id, NOW + 5).await.unwrap());
        assert!(!companies::link(&mut tx, &company_id, NOW + 6).await.unwrap());
        tx.commit().await.unwrap();
        let company = find(&house, &company_id).await;
        assert_eq!((company.linked_at, company.next_due_at, company.interval_secs), (Some(NOW + 5), Some(NOW + 5), DEFAULT_INTERVAL_SECS));
        let mut conn = house.read().await;
        let linked = companies::list_all_linked(&mut conn).await.unwrap();
        assert_eq!(linked.iter().map(|company| company.id.as_str()).collect::<Vec<_>>(), ["c1"]);
        let all = companies::list(&mut conn, &house.organization_id).await.unwrap();
        assert_eq!(all.iter().map(|company| company.id.as_str()).collect::<Vec<_>>(), ["c1", "c2"]);
        assert!(companies::list(&mut conn, &OrganizationId::new("elsewhere")).await.unwrap().is_empty());
        assert!(companies::find(&mut conn, &OrganizationId::new("elsewhere"), &company_id).await.unwrap().is_none());
        assert_eq!(companies::find_any(&mut conn, &other).await.unwrap().unwrap().name, "Books of c2");
        drop(conn);
        let mut tx = house.begin().await;
        companies::set_first_day(&mut tx, &company_id, "2020-01-31").await.unwrap();
        assert!(companies::unlink(&mut tx, &company_id).await.unwrap());
        assert!(!companies::unlink(&mut tx, &company_id).await.unwrap());
        tx.commit().await.unwrap();
        let company = find(&house, &company_id).await;
        assert_eq!((company.linked_at, company.next_due_at, company.first_day.as_deref()), (None, None, Some("2020-01-31")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_is_due_gets_one_run_however_many_nodes_look() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let mut tx_ids = Vec::new();
        for at in 0..12 {
            tx_ids.push(house.company(&format!("c{at:02}")).await);
        }
        let mut tx = house.begin().await;
        for id in &tx_ids[..10] {
            assert!(companies::link(&mut tx, id, NOW).await.unwrap());
        }
        tx.execute("UPDATE companies SET paused_at = 1 WHERE id = 'c00'", args![]).await.unwrap();
        tx.execute("UPDATE companies SET next_due_at = next_due_at + 1 WHERE id = 'c01'", args![]).await.unwrap();
        tx.commit().await.unwrap();
        let other = house.another_node().await;
        let tasks: Vec<_> = (0..4)
            .map(|at| {
                let store = if at % 2 == 0 { house.store.clone() } else { other.clone() };
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    for round in 0..5 {
                        let mut due = companies::list_due(&mut store.read().await.unwrap(), NOW, 3).await.unwrap();
                        let mut tx = store.begin().await.unwrap();
                        for (company_id, organization_id) in &due {
                            if companies::is_due(&mut tx, company_id, NOW).await.unwrap() {
                                let run = new_run(&format!("run-{at}-{round}-{company_id}"), organization_id, company_id, 0);
                                if let Requested::Queued(_) = store::runs::request(&mut tx, &run).await.unwrap() {
                                    mine.push((company_id.clone(), organization_id.clone()));
                                }
                            }
                        }
                        tx.commit().await.unwrap();
                        due.sort();
                        let mut tx = store.begin().await.unwrap();
                        for (company_id, _) in &due {
                            companies::move_due(&mut tx, company_id, NOW).await.unwrap();
                        }
                        tx.commit().await.unwrap();
                    }
                    mine
                })
            })
            .collect();
        let mut taken = Vec::new();
        for task in tasks {
            taken.extend(task.await.unwrap());
        }
        // paused, not yet due and unlinked ones are left
        assert_eq!(taken.len(), 8);
        let distinct: BTreeSet<String> = taken.iter().map(|(id, _)| id.0.clone()).collect();
        assert_eq!(distinct, (2..10).map(|at| format!("c{at:02}")).collect());
        assert!(taken.iter().all(|(_, organization_id)| *organization_id == house.organization_id));
        assert_eq!(find(&house, &tx_ids[5]).await.next_due_at, Some(NOW + DEFAULT_INTERVAL_SECS * 1_000));
        // a connection that is refused stops its companies; after a reconnect they are due at once
        let mut tx = house.begin().await;
        assert!(connections::mark_invalid(&mut tx, &house.connection_id, 1, NOW).await.unwrap());
        companies::make_due(&mut tx, &house.connection_id, NOW + 2).await.unwrap();
        assert!(companies::list_due(&mut tx, NOW + 3, 50).await.unwrap().is_empty());
        connections::store_tokens(&house.store, &mut tx, &house.connection_id, &tokens("again"), None, NOW).await.unwrap();
        assert_eq!(companies::list_due(&mut tx, NOW + 3, 50).await.unwrap().len(), 9);
        tx.commit().await.unwrap();
        assert_eq!(find(&house, &tx_ids[11]).await.next_due_at, None);
    })
    .await;
}

#[tokio::test]
async fn the_status_of_a_company_follows_its_run_its_connection_and_its_last_end() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company_id = house.company("c1").await;
        let status = async |now_ms: i64| {
            let company = find(&house, &company_id).await;
            sync_status(&company.status_facts(), Timestamp::from_millisecond(now_ms).unwrap())
        };
        assert_eq!(status(NOW).await, SyncStatus::NeedsResync(Reason::NeverSynced));
        house.request("r1", &company_id).await;
        assert_eq!(status(NOW).await, SyncStatus::Syncing);
        let mut tx = house.begin().await;
        let run = runs::claim(&mut tx, "worker", NOW, MINUTE, 1).await.unwrap().pop().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(status(NOW).await, SyncStatus::Syncing);
        assert_eq!(status(NOW + MINUTE).await, SyncStatus::NeedsResync(Reason::Interrupted), "a lease that ended is no sync");
        let mut tx = house.store.begin_under(&run.lease()).await.unwrap();
        runs::progress(&mut tx, &run.lease(), "Chart", "{}", 1, 1).await.unwrap();
        runs::again(&mut tx, &run.lease(), NOW + 5 * MINUTE, false, Some("rate limit"), NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(status(NOW).await, SyncStatus::Waiting { until_ms: NOW + 5 * MINUTE });
        let active = find(&house, &company_id).await.run.unwrap();
        assert_eq!((active.id.as_str(), active.step.as_str(), active.waiting_for.as_deref()), ("r1", "Chart", Some("rate limit")));
        let mut tx = house.begin().await;
        let run = runs::claim(&mut tx, "worker", NOW + 5 * MINUTE, MINUTE, 1).await.unwrap().pop().unwrap();
        runs::finish(&mut tx, &run.lease(), RunState::Succeeded, None, NOW + 6 * MINUTE).await.unwrap();
        tx.execute("UPDATE companies SET linked_at = 1 WHERE id = 'c1'", args![]).await.unwrap();
        let end = |state, problem, cursor_at, was_full, now_ms| Ended {
            run_id: &run.id,
            state,
            problem,
            cursor_at,
            was_full,
            next_due_at: Some(NOW + 60 * MINUTE),
            now_ms,
        };
        companies::set_ended(&mut tx, &company_id, &end(RunState::Succeeded, None, Some(NOW - 7), true, NOW + 6 * MINUTE)).await.unwrap();
        tx.commit().await.unwrap();
        let company = find(&house, &company_id).await;
        assert!(company.run.is_none());
        assert_eq!(
            (company.cursor_at, company.last_success_at, company.last_full_at),
            (Some(NOW - 7), Some(NOW + 6 * MINUTE), Some(NOW + 6 * MINUTE))
        );
        assert_eq!(
            (company.last_run_id, company.last_run_state, company.next_due_at),
            (Some(RunId::new("r1")), Some(RunState::Succeeded), Some(NOW + 60 * MINUTE))
        );
        assert_eq!(status(NOW + 6 * MINUTE).await, SyncStatus::Synced);
        assert_eq!(status(NOW + 6 * MINUTE + DEFAULT_INTERVAL_SECS * 1_101).await, SyncStatus::NeedsResync(Reason::Due));
        // a failure moves neither the cursor nor the last success
        let mut tx = house.begin().await;
        companies::set_ended(&mut tx, &company_id, &end(RunState::Failed, Some("{}"), Some(NOW + 99), true, NOW + 9 * MINUTE)).await.unwrap();
        tx.commit().await.unwrap();
        let company = find(&house, &company_id).await;
        assert_eq!(
            (company.cursor_at, company.last_success_at, company.last_full_at),
            (Some(NOW - 7), Some(NOW + 6 * MINUTE), Some(NOW + 6 * MINUTE))
        );
        assert_eq!(company.last_problem.as_deref(), Some("{}"));
        assert_eq!(status(NOW + 9 * MINUTE).await, SyncStatus::NeedsResync(Reason::Failed));
        let mut tx = house.begin().await;
        tx.execute("UPDATE companies SET paused_at = 1 WHERE id = 'c1'", args![]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(status(NOW + 9 * MINUTE).await, SyncStatus::Paused);
        let mut tx = house.begin().await;
        assert!(connections::mark_invalid(&mut tx, &house.connection_id, 1, NOW).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(status(NOW + 9 * MINUTE).await, SyncStatus::InvalidToken);
    })
    .await;
}

#[tokio::test]
async fn a_company_remembers_what_its_provider_says_and_how_it_was_proven() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let company_id = house.company("c1").await;
        let mut tx = house.begin().await;
        companies::set_facts(&mut tx, &company_id, "Acme Ltd", "NZD", "NZ", "Pacific/Auckland", 4).await.unwrap();
        companies::set_facts(&mut tx, &company_id, "Acme Limited", "", "", "Pacific/Chatham", 7).await.unwrap();
        companies::set_journals_through(&mut tx, &company_id, domain::ledger::Basis::Accrual, 512).await.unwrap();
        companies::set_mark(&mut tx, &company_id, Mark::NotVerified, "2026-05-31", NOW + 3).await.unwrap();
        companies::set_scope_missing(&mut tx, &company_id, Some(NOW + 4)).await.unwrap();
        tx.commit().await.unwrap();
        let company = find(&house, &company_id).await;
        assert_eq!((company.name.as_str(), company.currency.as_str(), company.country.as_str()), ("Acme Limited", "NZD", "NZ"));
        assert_eq!((company.time_zone.as_str(), company.fiscal_year_start_month, company.journals_through), ("Pacific/Chatham", 7, 512));
        assert_eq!((company.mark, company.marked_as_of.as_deref(), company.marked_at), (Mark::NotVerified, Some("2026-05-31"), Some(NOW + 3)));
        let facts = company.status_facts();
        assert!(facts.verification_failed && facts.scope_missing);
        let mut tx = house.begin().await;
        companies::set_scope_missing(&mut tx, &company_id, None).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!find(&house, &company_id).await.status_facts().scope_missing);
    })
    .await;
}

#[tokio::test]
async fn companies_are_found_by_any_of_several_words_in_any_case_and_script() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        for (id, name) in [("c1", "Ångström Optik"), ("c2", "zeta 50%_ off"), ("c3", "Alder & Ash"), ("c4", "Zeta Trading")] {
            let id = house.company(id).await;
            let mut tx = house.begin().await;
            companies::set_facts(&mut tx, &id, name, "EUR", "DE", "Europe/Berlin", 1).await.unwrap();
            tx.commit().await.unwrap();
        }
        let mut conn = house.read().await;
        for (parts, limit, expected) in [
            (&[][..], 10, &["c3", "c2", "c4", "c1"][..]),
            (&[], 2, &["c3", "c2"]),
            (&["ÅNG"], 10, &["c1"]),
            (&["resync", "zETA"], 10, &["c2", "c4"]),
            (&["0%_"], 10, &["c2"]),
            (&["%"], 10, &["c2"]),
            (&["nobody"], 10, &[]),
        ] {
            let found = companies::search(&mut conn, &house.organization_id, &Reader::Everything, parts, limit).await.unwrap();
            assert_eq!(found.iter().map(|company| company.id.as_str()).collect::<Vec<_>>(), expected, "{parts:?}");
        }
        // the list of the API finds by the same rule
        let filter = CompanyFilter { name: Some("ÅNG"), ..CompanyFilter::default() };
        let found = companies::list_page(&mut conn, &house.organization_id, &filter, "", 10).await.unwrap();
        assert_eq!(found.iter().map(|company| company.id.as_str()).collect::<Vec<_>>(), ["c1"]);
    })
    .await;
}
