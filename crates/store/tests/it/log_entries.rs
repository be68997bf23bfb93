//! The integration log: cards that agree with the table, and entries that stay within their organization.
use crate::house::{House, MINUTE, NOW};
use domain::data_type::DataType;
use domain::ids::{OrganizationId, RunId};
use domain::log::{LogMessage, LogStatus, LogType};
use domain::sync::Extent;
use store::log_entries::{self, About, Filter, Place};
use testkit::each_database;

fn messages() -> [LogMessage; 4] {
    [
        LogMessage::SyncStarted { extent: Extent::Full },
        LogMessage::CompanyImported,
        LogMessage::RecordsQuarantined { data_type: DataType::Invoice, ids: vec!["7".into()], reason: "no date".into() },
        LogMessage::TokenRefreshed,
    ]
}

#[tokio::test]
async fn the_totals_of_a_card_are_what_counting_its_entries_gives() {
    each_database(|url| async move {
        let house = House::build(&url).await;
        let companies = [house.company("c1").await, house.company("c2").await, house.company("silent").await];
        let run_id = RunId::new("r1");
        let mut newest = 0;
        for at in 0..30_usize {
            let mut tx = house.begin().await;
            let about = About {
                organization_id: &house.organization_id,
                company_id: Some(&companies[usize::from(at % 3 == 0)]),
                run_id: (at % 2 == 0).then_some(&run_id),
                provider: "quickbooks",
                company_name: "Books",
                account_name: "olga@acme.example",
            };
            newest = log_entries::insert(&mut tx, &about, &messages()[at % 4], 1, NOW + at as i64 * MINUTE).await.unwrap();
            // what is rolled back counts nowhere
            if at % 7 != 0 {
                tx.commit().await.unwrap();
            }
        }
        let mut tx = house.begin().await;
        let nobody =
            About { organization_id: &house.organization_id, company_id: None, run_id: None, provider: "xero", company_name: "", account_name: "a" };
        let last = log_entries::insert(&mut tx, &nobody, &LogMessage::AccountConnected, 1, NOW + 99 * MINUTE).await.unwrap();
        tx.commit().await.unwrap();
        assert!(last > newest);
        let mut conn = house.read().await;
        let cards = log_entries::list_cards(&mut conn, &house.organization_id).await.unwrap();
        assert_eq!(cards.iter().map(|card| card.company_id.as_str()).collect::<Vec<_>>(), ["c1", "c2"], "last activity first; no card without a log");
        for card in cards {
            let of_company = Filter { company_id: Some(card.company_id.clone()), ..Filter::default() };
            let page = log_entries::list_page(&mut conn, &house.organization_id, &of_company, Place::Newest, 100).await.unwrap().entries;
            assert_eq!(card.total, page.len() as i64);
            assert_eq!(card.total, log_entries::count(&mut conn, &house.organization_id, &of_company, 100).await.unwrap());
            assert_eq!(card.errors, page.iter().filter(|entry| entry.status == LogStatus::Error).count() as i64);
            assert_eq!(card.milestones, page.iter().filter(|entry| entry.log_type == LogType::Milestone).count() as i64);
            assert_eq!(card.last_at, Some(page[0].logged_at));
            assert!(card.errors > 0 && card.milestones > 0 && !card.linked);
        }
        assert_eq!(log_entries::newest_id(&mut conn, &house.organization_id).await.unwrap(), last);
        assert_eq!(log_entries::count_newer(&mut conn, &house.organization_id, &Filter::default(), last - 1, 10).await.unwrap(), 1);
        let of_run = log_entries::list_by_run(&mut conn, &run_id, 100).await.unwrap();
        assert_eq!(of_run.len(), (0..30).filter(|at| at % 2 == 0 && at % 7 != 0).count());
        assert!(of_run.windows(2).all(|pair| pair[0].id < pair[1].id), "oldest first");
        let found = log_entries::find(&mut conn, &house.organization_id, last).await.unwrap().unwrap();
        assert_eq!((found.message, found.account_name.as_str(), found.company_id), (LogMessage::AccountConnected.sentence(), "a", None));
        // nothing of it is seen from elsewhere
        let elsewhere = OrganizationId::new("elsewhere");
        assert!(log_entries::find(&mut conn, &elsewhere, last).await.unwrap().is_none());
        assert_eq!(log_entries::newest_id(&mut conn, &elsewhere).await.unwrap(), 0);
        assert_eq!(log_entries::count(&mut conn, &elsewhere, &Filter::default(), 10).await.unwrap(), 0);
        assert!(log_entries::list_cards(&mut conn, &elsewhere).await.unwrap().is_empty());
    })
    .await;
}
