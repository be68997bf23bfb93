//! A sync from the first call to the proof.
use crate::house::{House, books};
use domain::company::Mark;
use simulator::books::Face;
use testkit::each_database;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_sync_of_each_provider_ties_out() {
    each_database(|address| async move {
        let house = House::build(&address, vec![books(Face::QuickBooks, 11, 14, 25), books(Face::Xero, 12, 14, 25)]).await;
        let _worker = house.work();
        for provider in ["quickbooks", "xero"] {
            for company in house.connect(provider).await {
                let run = house.wait(&company.id).await;
                house.assert_succeeded(&run).await;
                let company = house.company(&company.id).await;
                assert_eq!(company.mark, Mark::Verified, "{}", house.messages(&run).await.join("\n"));
                println!("{}\ncalls {}", house.messages(&run).await.join("\n"), run.calls);
            }
        }
    })
    .await;
}
