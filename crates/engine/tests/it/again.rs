//! A part of a company read again: data types listed whole, the ledger of a period, and nothing else.
use crate::house::{House, books};
use crate::truth;
use domain::clock::Month;
use domain::company::Mark;
use domain::data_type::DataType;
use domain::job::Trigger;
use domain::sync::{Extent, RunState};
use engine::sync::Again;
use simulator::books::Face;
use std::collections::BTreeSet;
use store::args;
use testkit::each_database;

// proves C9 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_type_is_listed_whole_again_and_what_is_wrong_of_it_in_our_copy_is_put_right() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 91, 4, 6), books(Face::Xero, 92, 4, 6)]).await;
        let _worker = house.work();
        for (provider, other) in [("quickbooks", DataType::Bill), ("xero", DataType::BankTransaction)] {
            let company = house.synced(provider).await;
            let good = house.content_hash(&company.id).await;
            // an invoice that our copy lost: the one that changed longest ago, as the newest are among the changes once more
            let mut tx = house.engine.store.begin().await.unwrap();
            let lost = tx
                .execute(
                    "DELETE FROM documents WHERE company_id = $1 AND data_type = 'Invoice'
                       AND remote_id = (SELECT remote_id FROM documents WHERE company_id = $1 AND data_type = 'Invoice' ORDER BY updated_at, remote_id LIMIT 1)",
                    args![&company.id],
                )
                .await
                .unwrap();
            assert_eq!(lost, 1);
            tx.commit().await.unwrap();
            house.sync(&company.id, Some(Extent::Changes)).await;
            assert_ne!(house.content_hash(&company.id).await, good, "no list of changes shows what we lost");

            house.forget_calls();
            let again = Again { data_types: BTreeSet::from([DataType::Invoice]), months: None };
            let requested =
                engine::sync::request_again(&house.engine, &house.organization_id, &company.id, Trigger::CommandLine, &again).await.unwrap();
            let run = house.wait_run(requested.run_id()).await;
            assert_eq!((run.state, run.extent), (RunState::Succeeded, Extent::Changes));
            assert_eq!(house.content_hash(&company.id).await, good, "{provider}: the copy is whole again");
            truth::assert_equal(&house, &company.id).await;
            let messages = house.messages(&run).await;
            assert_eq!(messages[1], "event success Read again as well: Invoices", "{messages:#?}");
            let progress = engine::sync::Progress::parse(&run.progress);
            assert_eq!(progress.counts[&DataType::Invoice].added, 1);
            // what was entered a moment ago may be among the changes; the whole type is not listed
            let count = "SELECT COUNT(*) FROM documents WHERE company_id = $1 AND data_type = $2";
            let all = house.engine.store.read().await.unwrap().query_one(count, args![&company.id, other.as_str()]).await.unwrap().int(0).unwrap();
            let listed = progress.counts.get(&other).map_or(0, |counts| counts.fetched);
            assert!(i64::try_from(listed).unwrap() < all / 2, "{provider}: {listed} of {all} {other} are listed: {:?}", progress.counts);
            let counted = store::inventory::list(&mut house.engine.store.read().await.unwrap(), &company.id).await.unwrap();
            let of_invoices = counted.iter().find(|counted| counted.data_type == DataType::Invoice).unwrap();
            assert!(of_invoices.complete_at >= run.started_at, "deletions of this type are complete as of now");
            let company = house.company(&company.id).await;
            assert_eq!(company.mark, Mark::Verified);
        }
    })
    .await;
}

// proves C9 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_of_a_period_is_read_again_where_it_is_read_by_month() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 93, 6, 6), books(Face::Xero, 94, 2, 3)]).await;
        let _worker = house.work();
        let company = house.synced("quickbooks").await;
        let month = Month::of(crate::house::today().saturating_sub(jiff::Span::new().months(3)));
        // a wrong amount in an old month: today's trial balance shows it only when it is asked for
        let mut tx = house.engine.store.begin().await.unwrap();
        let changed = tx
            .execute(
                "UPDATE postings SET amount = amount + 100 WHERE ledger_id = (SELECT id FROM ledgers WHERE company_id = $1 AND basis = 0)
                   AND day = (SELECT MIN(day) FROM postings WHERE ledger_id = (SELECT id FROM ledgers WHERE company_id = $1 AND basis = 0) AND day >= $2)",
                args![&company.id, month.first_day().to_string()],
            )
            .await
            .unwrap();
        assert!(changed > 0);
        tx.commit().await.unwrap();
        let again = Again { data_types: BTreeSet::new(), months: Some((month, month.next())) };
        let ask = |again: Again| {
            let (engine, organization_id, id) = (house.engine.clone(), house.organization_id.clone(), company.id.clone());
            async move { engine::sync::request_again(&engine, &organization_id, &id, Trigger::CommandLine, &again).await }
        };
        let requested = ask(again).await.unwrap();
        let run = house.wait_run(requested.run_id()).await;
        assert_eq!(run.state, RunState::Succeeded);
        assert_eq!(house.messages(&run).await[1], format!("event success Read again as well: the ledger from {month} to {}", month.next()));
        assert_eq!(house.company(&company.id).await.mark, Mark::Verified, "read again before it was compared: nothing was left to repair");
        assert!(!house.messages(&run).await.iter().any(|message| message.contains("Repaired")));
        truth::assert_equal(&house, &company.id).await;

        // what cannot be asked for is refused, and nothing is queued
        let refused = |again: Again| async { ask(again).await.expect_err("refused").to_string() };
        assert_eq!(refused(Again::default()).await, "Choose at least one data type or a period.");
        let of_xero = Again { data_types: BTreeSet::from([DataType::ManualJournal]), months: None };
        assert!(refused(of_xero).await.ends_with("has no data type `ManualJournal`."));
        let backwards = Again { data_types: BTreeSet::new(), months: Some((month.next(), month)) };
        assert!(refused(backwards).await.starts_with("The period begins after it ends"));
        let xero = house.synced("xero").await;
        let by_month = Again { data_types: BTreeSet::new(), months: Some((month, month)) };
        let answer = engine::sync::request_again(&house.engine, &house.organization_id, &xero.id, Trigger::CommandLine, &by_month).await;
        assert!(answer.expect_err("refused").to_string().contains("is read by the numbers of its journals, not by month"));
    })
    .await;
}
