//! Facts that ask for a resync, and the resync that ends them: an overdue search for deletions, and a mapping by earlier rules.
use crate::house::{House, PROVIDERS, books};
use domain::chart::{category, rules};
use domain::company::{Reason, SyncStatus};
use domain::ids::CompanyId;
use domain::sync::RunState;
use engine::mappings::{Wish, decide};
use simulator::books::Face;
use simulator::faults::Fault;
use store::args;
use testkit::each_database;

const DAY_MS: i64 = 86_400_000;

async fn change(house: &House, sql: &'static str, company_id: &CompanyId) {
    let mut tx = house.engine.store.begin().await.unwrap();
    assert!(tx.execute(sql, args![company_id]).await.unwrap() > 0, "{sql}");
    tx.commit().await.unwrap();
}

/// Needs Resync, for this reason.
fn needs(reason: Reason) -> SyncStatus {
    SyncStatus::NeedsResync(reason)
}

// proves B5 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_for_deletions_counts_when_it_came_to_its_end_and_asks_for_a_resync_when_it_is_overdue() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 81, 2, 4), books(Face::Xero, 82, 2, 4)]).await;
        let mut worker = house.work();
        for (provider, broken) in PROVIDERS.into_iter().zip(["/cdc", "/TaxRates"]) {
            let company = house.synced(provider).await;
            let first = house.run(company.last_run_id.as_ref().unwrap()).await;
            assert_eq!(company.facts_read_at, first.started_at, "a deletion after the beginning of the search may have been missed");
            assert_eq!(house.status(&company.id).await, SyncStatus::Synced);

            // syncs go on, but none searched for four days
            change(&house, "UPDATE companies SET facts_read_at = facts_read_at - 345600000 WHERE id = $1", &company.id).await;
            assert_eq!(house.status(&company.id).await, needs(Reason::DeletionCheckOverdue), "{provider}");
            // a search that misses a part is none
            worker = house.work_anew(worker).await;
            house.inject(Fault::MalformedJson, broken, 0, 40);
            let run = house.sync(&company.id, None).await;
            assert_eq!(run.state, RunState::Failed);
            assert_eq!(house.company(&company.id).await.facts_read_at, first.started_at.map(|at| at - 4 * DAY_MS));
            assert_eq!(house.status(&company.id).await, needs(Reason::Failed), "the graver reason");
            house.sandbox.write(|state| state.faults.clear());
            worker = house.work_anew(worker).await;
            let run = house.sync(&company.id, None).await;
            house.assert_succeeded(&run).await;
            assert_eq!(house.company(&company.id).await.facts_read_at, run.started_at);
            assert_eq!(house.status(&company.id).await, SyncStatus::Synced);
        }
        worker.stop().await;
    })
    .await;
}

// proves B5 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_by_earlier_rules_asks_for_a_resync_and_a_persons_decision_does_not() {
    each_database(|address| async move {
        let mut house = House::build(&address, vec![books(Face::QuickBooks, 83, 2, 4), books(Face::Xero, 84, 2, 4)]).await;
        let mut worker = house.work();
        for provider in PROVIDERS {
            let company = house.synced(provider).await;
            assert_eq!(company.rules_version, Some(rules::VERSION));
            // the program was replaced by one with other rules: what the last sync assigned is of the earlier ones
            change(&house, "UPDATE mapping_assignments SET rules_version = rules_version - 1 WHERE company_id = $1", &company.id).await;
            change(&house, "UPDATE companies SET rules_version = rules_version - 1 WHERE id = $1", &company.id).await;
            assert_eq!(house.status(&company.id).await, needs(Reason::MappingChanged), "{provider}");
            worker = house.work_anew(worker).await;
            let run = house.sync(&company.id, None).await;
            house.assert_succeeded(&run).await;
            assert_eq!(house.status(&company.id).await, SyncStatus::Synced);
            let assigned = store::mappings::list(&mut house.engine.store.read().await.unwrap(), &company.id).await.unwrap();
            assert!(!assigned.is_empty() && assigned.values().all(|assigned| assigned.rules_version == rules::VERSION), "{provider}");

            // what a person decides holds at once
            let donations = category::find_leaf("donations").unwrap();
            let is_another = |key: &str| key != donations.key && category::find(key).is_some_and(|category| category.class == donations.class);
            let expense = assigned.values().find(|assigned| is_another(&assigned.category)).expect("books have expenses");
            let wishes = [(expense.account_id.clone(), Wish::Set(donations))];
            let decided = decide(&house.engine, &house.organization_id, &company.id, &wishes, &house.user_id, "").await.unwrap().unwrap();
            assert_eq!(decided.changed, 1);
            assert_eq!(house.status(&company.id).await, SyncStatus::Synced, "nothing is to be synced because of it");
        }
        worker.stop().await;
    })
    .await;
}
