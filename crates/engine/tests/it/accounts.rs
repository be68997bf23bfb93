//! Accounts that are handed over, ended, repaired from outside, granted too little, of the wrong keys, or not used for long.
use crate::house::{House, PROVIDERS, books};
use crate::milestones::assert_complete;
use crate::truth;
use domain::company::{Mark, Reason, SyncStatus};
use domain::connection::ConnectionState;
use domain::data_type::DataType;
use domain::ids::{CompanyId, ConnectionId};
use domain::sync::{Extent, RunState};
use engine::connections::{self, Data, Facts, Target};
use engine::limits::Gate;
use providers::provider::CallGate;
use simulator::books::Face;
use simulator::faults::Fault;
use simulator::sandbox::User;
use std::time::{Duration, Instant};
use store::args;
use store::companies::Company;
use store::connections::Connection;
use testkit::each_database;
use tokio_util::sync::CancellationToken;
use url::Url;

const SECOND: &str = "ines@birchwood.example";
const RENEWAL: [&str; 2] = ["quickbooks POST oauth2/v1/tokens/bearer", "xero POST connect/token"];

/// A second person at both providers, who may open these companies only (all, when there are none).
fn add_second(house: &House, companies: Vec<String>) {
    let user = User { companies, ..User::new("5b1d2a77-41c9-4d0e-8a3f-0d2c9b7e6f11", SECOND, "Ines", "Lund") };
    house.sandbox.write(|state| state.users.push(user));
}

async fn account(house: &House, id: &ConnectionId) -> Connection {
    store::connections::find(&mut house.engine.store.read().await.unwrap(), &house.organization_id, id).await.unwrap().unwrap()
}

async fn history(house: &House, id: &ConnectionId) -> Vec<String> {
    let events = store::connection_events::list(&mut house.engine.store.read().await.unwrap(), id, 100).await.unwrap();
    events.into_iter().rev().map(|event| event.kind).collect()
}

/// What must not change when a company changes hands.
async fn kept(house: &House, company: &Company) -> (Option<i64>, Option<i64>, i64, String) {
    let now = house.company(&company.id).await;
    (now.cursor_at, now.last_full_at, house.live_records(&company.id).await, house.content_hash(&company.id).await)
}

async fn update(house: &House, ids: &[CompanyId], target: &Target) -> Vec<connections::Moved> {
    connections::update_token_user(&house.engine, &house.organization_id, &house.user_id, ids, target).await.unwrap()
}

// proves A7
// proves A8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn companies_change_hands_after_a_live_check_of_each_and_nothing_is_imported_again() {
    each_database(|address| async move {
        let mut house = House::build(
            &address,
            vec![
                books(Face::QuickBooks, 701, 2, 5),
                books(Face::QuickBooks, 702, 2, 5),
                books(Face::Xero, 703, 2, 5),
                books(Face::Xero, 704, 2, 5),
                books(Face::Xero, 705, 2, 5),
            ],
        )
        .await;
        let mut worker = house.work();
        let of_face = |face: Face| -> Vec<String> {
            house.sandbox.read(|state| state.companies.values().filter(|books| books.face == face).map(|books| books.id.clone()).collect())
        };
        let (quickbooks, xero) = (of_face(Face::QuickBooks), of_face(Face::Xero));
        // everything but the last organisation of Xero
        add_second(&house, quickbooks.iter().chain(&xero[..2]).cloned().collect());

        // Xero: one person sees three, another two of them
        let mut companies = Vec::new();
        for company in house.connect("xero").await {
            let run = house.wait(&company.id).await;
            house.assert_succeeded(&run).await;
            companies.push(house.company(&company.id).await);
        }
        let first = companies[0].connection_id.clone();
        house.sandbox.write(|state| state.grants.revoke_where(Some("tieout-xero"), None, None));
        let run = house.sync(&companies[0].id, None).await;
        assert_eq!(run.state, RunState::Failed);
        let result = house.authorize("xero", None, &[("user", SECOND)], &[]).await;
        assert_eq!(result.outcome, "connected");
        let second = result.connection_id.unwrap();
        for company in &companies {
            assert_eq!(house.company(&company.id).await.connection_id, first, "connecting alone moves nothing");
            assert_eq!(house.status(&company.id).await, SyncStatus::InvalidToken);
        }
        worker.stop().await;
        let (mut before, mut last_runs) = (Vec::new(), Vec::new());
        for company in &companies {
            before.push(kept(&house, company).await);
            last_runs.push(house.company(&company.id).await.last_run_id);
        }
        let ids: Vec<CompanyId> = companies.iter().map(|company| company.id.clone()).collect();
        let target = Target::Account(second.clone());
        house.forget_calls();
        let looked = connections::check_token_user(&house.engine, &house.organization_id, &ids, &target).await.unwrap();
        for company in &companies {
            assert_eq!(house.calls(&company.id).await, 1, "the provider itself is asked, once for each");
            assert_eq!(house.company(&company.id).await.connection_id, first, "looking moves nothing");
        }
        let moved = update(&house, &ids, &target).await;
        assert_eq!(moved, looked);
        for (at, answer) in moved.iter().enumerate() {
            let company = house.company(&ids[at]).await;
            let is_seen = xero[..2].contains(&house.remote_id(&ids[at]).await);
            assert_eq!((answer.to.is_some(), company.connection_id == second), (is_seen, is_seen), "{answer:?}");
            assert_eq!(answer.company_name, company.name);
            if !is_seen {
                assert!(answer.reason.as_ref().unwrap().contains("was not selected when access was granted"), "{answer:?}");
            }
            assert_eq!(kept(&house, &companies[at]).await, before[at]);
        }
        assert_eq!(moved.iter().filter(|answer| answer.to.is_some()).count(), 2);
        assert_eq!(history(&house, &second).await, ["connected", "gained_company", "gained_company"]);
        assert_eq!(history(&house, &first).await, ["connected", "refused", "lost_company", "lost_company"]);
        // asked again nothing moves, and it says so
        assert!(update(&house, &ids, &target).await.iter().all(|answer| answer.to.is_none() && answer.reason.is_some()));

        house.restart();
        worker = house.work();
        house.forget_calls();
        for (at, company_id) in ids.iter().enumerate().filter(|(at, _)| moved[*at].to.is_some()) {
            let run = house.wait_scheduled(company_id, last_runs[at].as_ref()).await;
            assert_complete(&house, &run).await;
            assert_eq!((run.extent, run.requested_by.as_str()), (Extent::Changes, "schedule"), "no full sync");
            let (_, last_full, records, hash) = kept(&house, &companies[at]).await;
            assert_eq!((last_full, records, hash), (before[at].1, before[at].2, before[at].3.clone()));
            assert_eq!(house.status(company_id).await, SyncStatus::Synced);
            truth::assert_equal(&house, company_id).await;
        }

        // QuickBooks: a sign-in is of one company, so that one of another company cannot take it
        let result = house.authorize("quickbooks", None, &[], &quickbooks[..1]).await;
        let company_id = house.import(&result.connection_id.unwrap()).await.queued.remove(0);
        let run = house.wait(&company_id).await;
        house.assert_succeeded(&run).await;
        let other = house.authorize("quickbooks", None, &[("user", SECOND)], &quickbooks[1..]).await.connection_id.unwrap();
        let refused = update(&house, std::slice::from_ref(&company_id), &Target::Account(other.clone())).await.remove(0);
        assert_eq!(refused.reason.as_deref(), Some("This sign-in was given for another company."));
        assert_eq!(account(&house, &other).await.state, ConnectionState::Active, "the account itself is as good as before");
        let same = house.authorize("quickbooks", None, &[("user", SECOND)], &quickbooks[..1]).await.connection_id.unwrap();
        let company = house.company(&company_id).await;
        let before = kept(&house, &company).await;
        let moved = update(&house, std::slice::from_ref(&company_id), &Target::Any).await.remove(0);
        assert!(moved.to.is_some(), "{moved:?}");
        assert_eq!(house.company(&company_id).await.connection_id, same);
        assert_eq!(kept(&house, &company).await, before);
        // an account of the other accounting software can take nothing
        let wrong = update(&house, std::slice::from_ref(&company_id), &Target::Account(second)).await.remove(0);
        assert_eq!(wrong.reason.as_deref(), Some("The account is of another accounting software."));
        worker.stop().await;
    })
    .await;
}

async fn count(house: &House, sql: &'static str, id: &CompanyId) -> i64 {
    house.engine.store.read().await.unwrap().query_one(sql, args![id]).await.unwrap().int(0).unwrap()
}

/// Rows of a company in every table that has a `company_id`, by the database's own list of tables.
async fn rows(house: &House, id: &CompanyId) -> Vec<(String, i64)> {
    let mut conn = house.engine.store.read().await.unwrap();
    let mut counts = Vec::new();
    for table in conn.tables_with("company_id").await.unwrap() {
        let sql: &'static str = Box::leak(format!("SELECT COUNT(*) FROM {table} WHERE company_id = $1").into_boxed_str());
        counts.push((table, conn.query_one(sql, args![id]).await.unwrap().int(0).unwrap()));
    }
    counts
}

/// Nothing is left in tables that name a company by its run or by its ledger.
async fn assert_no_orphans(house: &House) {
    for (column, owner) in [("run_id", "runs"), ("ledger_id", "ledgers")] {
        let mut conn = house.engine.store.read().await.unwrap();
        let tables = conn.tables_with(column).await.unwrap();
        assert!(!tables.is_empty());
        for table in tables {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT id FROM {owner})");
            let orphans = conn.query_one(Box::leak(sql.into_boxed_str()), args![]).await.unwrap().int(0).unwrap();
            assert_eq!(orphans, 0, "{table}");
        }
    }
}

// reliability.md 5.4, rows 35 and 37
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_that_is_deleted_in_mid_sync_leaves_no_row_and_comes_back_only_from_the_beginning() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::Xero, 715, 2, 5), books(Face::Xero, 716, 2, 5)]).await;
        let _worker = house.work();
        let mut companies = Vec::new();
        for company in house.connect("xero").await {
            let run = house.wait(&company.id).await;
            house.assert_succeeded(&run).await;
            companies.push(house.company(&company.id).await);
        }
        let [gone, kept] = companies.as_slice() else { panic!("two companies") };
        let before = rows(&house, &kept.id).await;
        assert!(rows(&house, &gone.id).await.iter().filter(|(_, count)| *count > 0).count() > 8);
        house.hold(&gone.id, 1, 1_500).await;
        let run_id = house.request(&gone.id, None).await;
        assert!(house.until_faults_are_met(&run_id).await);
        let delete = async || connections::delete_company(&house.engine, &house.organization_id, &gone.id, &house.user_id).await;
        assert!(delete().await.unwrap().is_offered, "the account still sees it");
        // the worker that was at work has lost its run and writes nothing after
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        let left: Vec<_> = rows(&house, &gone.id).await.into_iter().filter(|(_, count)| *count > 0).collect();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(count(&house, "SELECT COUNT(*) FROM companies WHERE id = $1", &gone.id).await, 0);
        assert_no_orphans(&house).await;
        assert_eq!(rows(&house, &kept.id).await, before, "another company lost something");
        assert!(matches!(delete().await, Err(engine::EngineError::NotFound)), "the second finds nothing");
        assert_eq!(history(&house, &gone.connection_id).await.last().map(String::as_str), Some("deleted_company"));
        // linked again, it is imported from the beginning
        let all = store::companies::list(&mut house.engine.store.read().await.unwrap(), &house.organization_id).await.unwrap();
        let anew = all.iter().find(|company| company.name == gone.name).expect("it is offered anew");
        assert!(anew.id != gone.id && anew.linked_at.is_none() && anew.cursor_at.is_none());
        connections::link(&house.engine, &house.organization_id, &anew.id, &house.user_id).await.unwrap();
        let run = house.wait(&anew.id).await;
        house.assert_succeeded(&run).await;
        assert_eq!(run.extent, domain::sync::Extent::Full);
        assert!(house.live_records(&anew.id).await > 0, "its records are there again");
    })
    .await;
}

// proves A9
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disconnecting_revokes_cancels_and_keeps_or_erases_the_data() {
    each_database(|address| async move {
        let house =
            House::build(&address, vec![books(Face::QuickBooks, 711, 2, 5), books(Face::Xero, 712, 2, 5), books(Face::Xero, 713, 2, 5)]).await;
        let _worker = house.work();
        let kept_company = house.synced("quickbooks").await;
        let mut erased = Vec::new();
        for company in house.connect("xero").await {
            let run = house.wait(&company.id).await;
            house.assert_succeeded(&run).await;
            erased.push(house.company(&company.id).await);
        }
        let alive = |client: &str| house.sandbox.read(|state| state.grants.families.values().filter(|f| f.client_id == client && !f.revoked).count());

        // kept: readable, not synced, and the run that was going on ends
        let (hash, records) = (house.content_hash(&kept_company.id).await, house.live_records(&kept_company.id).await);
        house.hold(&kept_company.id, 1, 60_000).await;
        let run_id = house.request(&kept_company.id, None).await;
        assert!(house.until_faults_are_met(&run_id).await);
        let done = connections::disconnect(&house.engine, &house.organization_id, &kept_company.connection_id, Some(&house.user_id), Data::Keep)
            .await
            .unwrap();
        assert_eq!((done.is_revoked, done.erased), (true, 0));
        assert_eq!(alive("tieout-quickbooks"), 0);
        let run = house.wait_run(&run_id).await;
        // reliability.md 5.4, row 35: whatever the provider answers meanwhile, it was a person who ended it
        assert_eq!(run.state, RunState::Cancelled, "{run:?}");
        assert_eq!((house.content_hash(&kept_company.id).await, house.live_records(&kept_company.id).await), (hash, records));
        engine::schedule::tick(&house.engine).await.unwrap();
        assert!(house.company(&kept_company.id).await.run.is_none(), "nothing is synced any more");
        assert_eq!(account(&house, &kept_company.connection_id).await.state, ConnectionState::Disconnected);

        // erased: no row of these companies is left anywhere, and no row of another is gone
        let before = rows(&house, &kept_company.id).await;
        assert!(before.len() > 12 && before.iter().filter(|(_, count)| *count > 0).count() > 8, "{before:?}");
        for company in &erased {
            assert!(rows(&house, &company.id).await.iter().filter(|(_, count)| *count > 0).count() > 8);
        }
        house.hold(&erased[0].id, 1, 1_500).await;
        let run_id = house.request(&erased[0].id, None).await;
        assert!(house.until_faults_are_met(&run_id).await);
        let done = connections::disconnect(&house.engine, &house.organization_id, &erased[0].connection_id, Some(&house.user_id), Data::Erase)
            .await
            .unwrap();
        assert_eq!((done.is_revoked, done.erased), (true, 2));
        assert_eq!(alive("tieout-xero"), 0);
        // the worker that was at work has lost its run and writes nothing after
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        for company in &erased {
            let left: Vec<_> = rows(&house, &company.id).await.into_iter().filter(|(_, count)| *count > 0).collect();
            assert!(left.is_empty(), "{left:?}");
            assert_eq!(count(&house, "SELECT COUNT(*) FROM companies WHERE id = $1", &company.id).await, 0);
        }
        assert_no_orphans(&house).await;
        assert_eq!(rows(&house, &kept_company.id).await, before);
        // connected again, it begins anew
        let again = house.connect("xero").await;
        assert_eq!(again.len(), 2);
        assert!(again.iter().all(|company| company.cursor_at.is_none()));
    })
    .await;
}

// proves A9 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_that_is_not_confirmed_is_said_and_asked_for_again() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 714, 2, 3)]).await;
        let connection_id = house.connect("quickbooks").await.remove(0).connection_id;
        house.inject(simulator::faults::Fault::Status { status: 503 }, "revoke", 0, 1);
        let done = connections::disconnect(&house.engine, &house.organization_id, &connection_id, None, Data::Keep).await.unwrap();
        assert!(!done.is_revoked);
        let mut tx = house.engine.store.begin().await.unwrap();
        tx.execute("UPDATE connections SET revocation_pending_at = revocation_pending_at - 600001 WHERE id = $1", args![&connection_id])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(connections::retry_revocations(&house.engine).await.unwrap(), 1);
        assert!(house.sandbox.read(|state| state.grants.families.values().all(|family| family.revoked)));
        // nothing needs the tokens any more
        let refresh = store::connections::refresh_token(&house.engine.store, &mut house.engine.store.read().await.unwrap(), &connection_id).await;
        assert_eq!(refresh.unwrap().as_deref(), Some(""));
    })
    .await;
}

// proves A11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reconnect_link_repairs_its_one_connection_once_within_a_week_without_an_account_here() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 721, 2, 3), books(Face::Xero, 722, 2, 3)]).await;
        add_second(&house, Vec::new());
        for provider in PROVIDERS {
            let connection_id = house.connect(provider).await.remove(0).connection_id;
            let client_id = format!("tieout-{provider}");
            let make =
                async || connections::make_reconnect_link(&house.engine, &house.organization_id, &connection_id, &house.user_id).await.unwrap();
            let follow = async |token: &str, session: &str| connections::follow_link(&house.engine, token, session).await.unwrap();
            let finish = async |session: &str, query| {
                connections::finish_link(&house.engine, session, provider, query).await.unwrap();
                let mut conn = house.engine.store.read().await.unwrap();
                store::oauth_states::latest_result(&mut conn, session).await.unwrap().unwrap()
            };
            house.sandbox.write(|state| state.grants.revoke_where(Some(&client_id), None, None));
            let generation = account(&house, &connection_id).await.token_generation;
            let old = make().await;
            let token = make().await;
            assert!(follow(&old, "guest").await.is_none(), "a newer link ends the one before");
            assert!(follow("made up", "guest").await.is_none());

            // the state belongs to the browser that followed the link, and to nobody who is signed in
            let query = house.visit(&follow(&token, "guest").await.unwrap(), &[], &[]).await;
            assert_eq!(finish("another guest", query.clone()).await.outcome, "invalid_state");
            assert_eq!(house.finish(provider, "guest", query).await.outcome, "invalid_state");
            // a member's state is none of a guest's
            let who = house.who("guest");
            let of_member = connections::start(&house.engine, &who, provider, None).await.unwrap();
            let query = house.visit(&of_member, &[], &[]).await;
            assert_eq!(finish("guest", query).await.outcome, "invalid_state");
            // somebody else's sign-in, or a refusal, repairs nothing and leaves the link as it is
            let query = house.visit(&follow(&token, "guest").await.unwrap(), &[("user", SECOND)], &[]).await;
            let result = finish("guest", query).await;
            assert_eq!(result.outcome, "different_account");
            let query = house.visit(&follow(&token, "guest").await.unwrap(), &[("auto", "deny")], &[]).await;
            assert_eq!(finish("guest", query).await.outcome, "denied");
            assert_eq!(account(&house, &connection_id).await.token_generation, generation);

            // two browsers are at it: one repairs
            let one = house.visit(&follow(&token, "one").await.unwrap(), &[], &[]).await;
            let two = house.visit(&follow(&token, "two").await.unwrap(), &[], &[]).await;
            assert_eq!(finish("one", one).await.outcome, "reconnected");
            assert_eq!(finish("two", two).await.outcome, "invalid_state");
            let repaired = account(&house, &connection_id).await;
            assert_eq!((repaired.state, repaired.token_generation), (ConnectionState::Active, generation + 1));
            assert!(follow(&token, "guest").await.is_none(), "it worked once");
            assert_eq!(history(&house, &connection_id).await.last().map(String::as_str), Some("reconnected_by_link"));
            let all = store::connections::list(&mut house.engine.store.read().await.unwrap(), &house.organization_id).await.unwrap();
            assert_eq!(all.iter().filter(|connection| connection.provider == provider).count(), 1, "it can make nothing new");

            // a week later
            let token = make().await;
            let mut tx = house.engine.store.begin().await.unwrap();
            let sql = "UPDATE reconnect_links SET expires_at = created_at + 604800000 - 604800001 WHERE connection_id = $1 AND used_at IS NULL";
            tx.execute(sql, args![&connection_id]).await.unwrap();
            tx.commit().await.unwrap();
            assert!(follow(&token, "guest").await.is_none());
            // and none of an account that is gone
            let token = make().await;
            connections::disconnect(&house.engine, &house.organization_id, &connection_id, None, Data::Keep).await.unwrap();
            assert!(follow(&token, "guest").await.is_none());
        }
    })
    .await;
}

/// The consent page of an address that asks for less.
fn without(authorize: &Url, scope: &str) -> Url {
    let pairs: Vec<(String, String)> = authorize.query_pairs().into_owned().collect();
    let mut less = authorize.clone();
    less.query_pairs_mut().clear().extend_pairs(pairs.iter().map(|(name, value)| {
        let kept: Vec<&str> = value.split(' ').filter(|word| name != "scope" || *word != scope).collect();
        (name.clone(), kept.join(" "))
    }));
    less
}

// proves A14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_that_was_not_granted_costs_its_data_types_only_until_a_new_consent_grants_it() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::Xero, 731, 3, 10)]).await;
        let mut worker = house.work();
        let session_hash = house.engine.make_id();
        let asked = connections::start(&house.engine, &house.who(&session_hash), "xero", None).await.unwrap();
        let query = house.visit(&without(&asked, "accounting.invoices.read"), &[], &[]).await;
        let result = house.finish("xero", &session_hash, query).await;
        assert_eq!(result.outcome, "scope_missing");
        let facts: Facts = serde_json::from_str(&result.facts).unwrap();
        assert_eq!(facts.missing, ["Invoices, Credit notes"]);
        let connection_id = result.connection_id.unwrap();
        let missing = async || -> Vec<(String, String)> {
            let access = connections::access(&house.engine, &account(&house, &connection_id).await);
            assert!(access.len() >= 9, "{access:?}");
            access.into_iter().filter(|access| !access.is_granted).map(|access| (access.scope.to_owned(), access.data)).collect()
        };
        assert_eq!(missing().await, [("accounting.invoices.read".to_owned(), "Invoices, Credit notes".to_owned())]);

        let company_id = house.import(&connection_id).await.queued.remove(0);
        let run = house.wait(&company_id).await;
        house.assert_succeeded(&run).await;
        let live = async |data_type: DataType| {
            let mut conn = house.engine.store.read().await.unwrap();
            let counts = store::documents::count_by_type(&mut conn, &company_id).await.unwrap();
            counts.iter().filter(|count| count.data_type == data_type).map(|count| count.live).sum::<i64>()
        };
        assert_eq!(live(DataType::Invoice).await, 0);
        assert!(live(DataType::Contact).await > 0 && live(DataType::BankTransaction).await > 0);
        assert_eq!(house.status(&company_id).await, SyncStatus::NeedsResync(Reason::ScopeMissing));
        let log = house.messages(&run).await.join("\n");
        assert!(log.contains("Invoices were not synced") && log.contains("accounting.invoices.read"), "{log}");

        worker = house.work_anew(worker).await;
        let granted = house.authorize("xero", Some(&connection_id), &[], &[]).await;
        assert_eq!(granted.outcome, "reconnected");
        assert!(connections::access(&house.engine, &account(&house, &connection_id).await).iter().all(|access| access.is_granted));
        let run = house.wait_scheduled(&company_id, Some(&run.id)).await;
        house.assert_succeeded(&run).await;
        let company = house.company(&company_id).await;
        assert_eq!((house.status(&company_id).await, company.mark), (SyncStatus::Synced, Mark::Verified));
        assert!(house.live_records(&company_id).await > 0);
        truth::assert_equal(&house, &company_id).await;
        worker.stop().await;
    })
    .await;
}

// proves A18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_of_another_environment_is_named_before_anything_is_asked_of_the_provider() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 741, 2, 3), books(Face::Xero, 742, 2, 3)]).await;
        for provider in PROVIDERS {
            // queued under the right keys; then the server starts with others
            let company = house.connect(provider).await.remove(0);
            let queued = company.run.unwrap().id;
            let connection = account(&house, &company.connection_id).await;
            assert_eq!(connection.environment, "simulator", "stored with the connection");
            let mut tx = house.engine.store.begin().await.unwrap();
            tx.execute("UPDATE connections SET environment = 'sandbox' WHERE id = $1", args![&connection.id]).await.unwrap();
            tx.commit().await.unwrap();
            house.forget_calls();
            let worker = house.work();
            let run = house.wait_run(&queued).await;
            worker.stop().await;
            assert_eq!(run.state, RunState::Failed);
            let name = if provider == "xero" { "Xero" } else { "QuickBooks" };
            let sentence = format!("This account was connected with {name}'s sandbox keys, but this server now uses its simulator keys.");
            let log = house.messages(&run).await.join("\n");
            assert!(log.contains(&sentence), "{log}");
            let trigger = domain::job::Trigger::CommandLine;
            let refused = engine::sync::request(&house.engine, &house.organization_id, &company.id, trigger, None).await.unwrap_err();
            assert_eq!(refused.to_string(), sentence);
            engine::schedule::tick(&house.engine).await.unwrap();
            assert!(house.company(&company.id).await.run.is_none());
            assert_eq!(house.calls(&company.id).await, 0, "nothing was asked");
            // a consent under the keys of now mends it
            assert_eq!(house.authorize(provider, Some(&connection.id), &[], &[]).await.outcome, "reconnected");
            assert_eq!(account(&house, &connection.id).await.environment, "simulator");
        }
        // keys for development, a company of the real world: told apart at the consent
        let realm = house.sandbox.read(|state| state.companies.values().find(|books| books.face == Face::QuickBooks).unwrap().id.clone());
        house.sandbox.write(|state| state.faults.switches.quickbooks_production.push(realm));
        add_second(&house, Vec::new());
        assert_eq!(house.authorize("quickbooks", None, &[("user", SECOND)], &[]).await.outcome, "wrong_keys");
    })
    .await;
}

// proves A15 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authorization_that_nobody_uses_is_renewed_before_it_dies() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 751, 2, 3), books(Face::Xero, 752, 2, 3)]).await;
        for (provider, renewal) in PROVIDERS.into_iter().zip(RENEWAL) {
            let connection_id = house.authorize(provider, None, &[], &[]).await.connection_id.unwrap();
            house.forget_calls();
            assert_eq!(connections::keep_alive(&house.engine).await.unwrap(), 0, "it is fresh");
            let mut tx = house.engine.store.begin().await.unwrap();
            let twenty_days = 20 * 86_400_000_i64;
            let sql = "UPDATE connections SET rotated_at = rotated_at - $2, access_expires_at = access_expires_at - $2,
                              refresh_expires_at = refresh_expires_at - $2 WHERE id = $1";
            tx.execute(sql, args![&connection_id, twenty_days]).await.unwrap();
            tx.commit().await.unwrap();
            let idle = account(&house, &connection_id).await;
            assert_eq!(connections::keep_alive(&house.engine).await.unwrap(), 1, "{provider}");
            let kept = account(&house, &connection_id).await;
            // lifetimes are told in whole seconds
            assert!(kept.refresh_expires_at >= idle.refresh_expires_at + twenty_days - 2_000 && kept.rotated_at > idle.rotated_at);
            assert_eq!((house.calls_of(renewal), connections::keep_alive(&house.engine).await.unwrap()), (1, 0));
        }
    })
    .await;
}

// proves A16
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_workers_on_two_nodes_with_one_ended_token_renew_it_once() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 755, 2, 2), books(Face::Xero, 756, 2, 2)]).await;
        for (provider, renewal) in PROVIDERS.into_iter().zip(RENEWAL) {
            let connection_id = house.authorize(provider, None, &[], &[]).await.connection_id.unwrap();
            let mut tx = house.engine.store.begin().await.unwrap();
            tx.execute("UPDATE connections SET access_expires_at = rotated_at WHERE id = $1", args![&connection_id]).await.unwrap();
            tx.commit().await.unwrap();
            house.forget_calls();
            let first = house.engine.clone();
            house.restart();
            let ask = |at: usize| {
                let engine = if at.is_multiple_of(2) { first.clone() } else { house.engine.clone() };
                let (organization_id, connection_id) = (house.organization_id.clone(), connection_id.clone());
                tokio::spawn(async move {
                    let service = engine.registry.get(provider).unwrap().clone();
                    let gate = Gate::of_account(&engine, &organization_id, &connection_id, service, CancellationToken::new()).await.unwrap();
                    gate.token(None).await.unwrap().expose().to_owned()
                })
            };
            let tokens = futures::future::join_all((0..50).map(ask)).await;
            let tokens: std::collections::BTreeSet<String> = tokens.into_iter().map(|token| token.unwrap()).collect();
            assert_eq!((tokens.len(), house.calls_of(renewal)), (1, 1), "{provider}");
        }
    })
    .await;
}

// proves A17 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_renewed_for_somebody_who_goes_away_is_kept() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 757, 2, 2), books(Face::Xero, 758, 2, 2)]).await;
        for (provider, renewal) in PROVIDERS.into_iter().zip(RENEWAL) {
            let connection_id = house.authorize(provider, None, &[], &[]).await.connection_id.unwrap();
            let mut tx = house.engine.store.begin().await.unwrap();
            tx.execute("UPDATE connections SET access_expires_at = rotated_at WHERE id = $1", args![&connection_id]).await.unwrap();
            tx.commit().await.unwrap();
            let idle = account(&house, &connection_id).await.rotated_at;
            house.forget_calls();
            house.inject(Fault::Delay { ms: 2_000 }, renewal.rsplit(' ').next().unwrap(), 0, 1);
            // a page that asks what an account reaches, and is closed as soon as the provider was asked for a new token
            let mut asked = Box::pin(connections::check_companies(&house.engine, &house.organization_id, &connection_id));
            while house.sandbox.read(|state| !state.faults.waiting().is_empty()) {
                let early = tokio::time::timeout(Duration::from_millis(20), &mut asked).await;
                assert!(early.is_err(), "{provider}: {:?}", early.map(|answer| answer.map(|checks| checks.reached)));
            }
            drop(asked);
            assert_eq!(account(&house, &connection_id).await.rotated_at, idle, "the provider has not answered yet");
            let deadline = Instant::now() + Duration::from_secs(30);
            while account(&house, &connection_id).await.rotated_at == idle {
                assert!(Instant::now() < deadline, "{provider}: the renewed token is lost");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let checks = connections::check_companies(&house.engine, &house.organization_id, &connection_id).await.unwrap();
            assert!(checks.reached.is_ok(), "{provider}: {:?}", checks.reached);
            assert_eq!(house.calls_of(renewal), 1, "{provider}");
        }
    })
    .await;
}

// proves A4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn organisations_granted_just_now_are_known_by_the_event_of_their_consent_not_by_their_place_in_the_list() {
    each_database(|address| async move {
        let house = House::build(&address, (0..4).map(|at| books(Face::Xero, 760 + at, 2, 2)).collect()).await;
        let ids: Vec<String> = house.sandbox.read(|state| state.companies.keys().cloned().collect());
        let granted = async |connection_id: &ConnectionId| {
            let mut conn = house.engine.store.read().await.unwrap();
            let seen = store::companies::list_by_connection(&mut conn, connection_id).await.unwrap();
            let mut names = Vec::new();
            for (company, granted_at) in &seen {
                if granted_at.is_some() {
                    names.push(store::companies::remote_id(&house.engine.store, &mut conn, &company.id).await.unwrap().unwrap());
                }
            }
            names.sort();
            (seen.len(), names)
        };
        let sorted = |at: &[usize]| {
            let mut chosen: Vec<String> = at.iter().map(|at| ids[*at].clone()).collect();
            chosen.sort();
            chosen
        };
        // one consent with two organisations
        let first = house.authorize("xero", None, &[], &sorted(&[1, 3])).await;
        let connection_id = first.connection_id.unwrap();
        assert_eq!(granted(&connection_id).await, (2, sorted(&[1, 3])));
        assert_eq!(house.import(&connection_id).await.queued.len(), 2, "n granted, n importable");
        // a later one brings two more: one that is listed before and one between the others
        let more = house.authorize("xero", Some(&connection_id), &[], &sorted(&[0, 2])).await;
        let facts: Facts = serde_json::from_str(&more.facts).unwrap();
        assert_eq!((more.outcome.as_str(), facts.importable), ("reconnected", 2));
        assert_eq!(granted(&connection_id).await, (4, sorted(&[0, 2])));
        // an organisation that was granted before is granted again: now it alone is of this consent
        house.authorize("xero", Some(&connection_id), &[], &sorted(&[3])).await;
        assert_eq!(granted(&connection_id).await, (4, sorted(&[3])));
        assert_eq!(house.import(&connection_id).await.queued.len(), 2);
    })
    .await;
}

// proves A10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_company_of_a_provider_is_linked_once_whoever_sees_it_and_however_many_ask_at_once() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 771, 2, 2), books(Face::Xero, 772, 2, 2)]).await;
        add_second(&house, Vec::new());
        for provider in PROVIDERS {
            // the same identity from eight browsers at once: one connection
            let same = futures::future::join_all((0..8).map(|_| house.authorize(provider, None, &[], &[]))).await;
            let made: Vec<&str> = same.iter().map(|result| result.outcome.as_str()).collect();
            assert_eq!(made.iter().filter(|outcome| **outcome == "connected").count(), 1, "{made:?}");
            assert!(same.iter().all(|result| result.connection_id == same[0].connection_id), "the existing one is named by all");
            assert!(same.iter().filter(|result| result.outcome == "already_connected").all(|result| !result.detail.is_empty()));
            // another identity is welcome; it sees the same company
            let first = same[0].connection_id.clone().unwrap();
            let second = house.authorize(provider, None, &[("user", SECOND)], &[]).await.connection_id.unwrap();
            assert_ne!(first, second);
            let (one, two) = tokio::join!(house.import(&first), house.import(&second));
            assert_eq!(one.queued.len() + two.queued.len(), 1, "one link, whichever import was first");
            let company_id = one.queued.iter().chain(&two.queued).next().unwrap().clone();
            let runs = "SELECT COUNT(*) FROM runs WHERE company_id = $1";
            assert_eq!(count(&house, runs, &company_id).await, 1);
            // a link once more is refused with a sentence that names the account, as soon as no run says it
            let company = house.company(&company_id).await;
            engine::sync::cancel(&house.engine, &house.organization_id, &company.run.unwrap().id).await.unwrap();
            let refused = connections::link(&house.engine, &house.organization_id, &company_id, &house.user_id).await.unwrap_err();
            let expected = format!("{} is linked already, through the account {}.", company.name, company.connection_name);
            assert_eq!(refused.to_string(), expected);
        }
    })
    .await;
}
