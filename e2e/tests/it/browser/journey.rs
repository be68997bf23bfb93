//! The main job: from the first link to three companies that are proven to the cent, on both databases.

use testkit::each_database;

use super::data_feed::{fast, slow};
use super::person::{Person, Row, numbers};
use super::site::{Companies, Site};

// walk-through 1: connect
// proves A1
// proves A2 in part
// proves A3
// proves B1
// proves D7
// proves H12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_connects_both_providers_and_watches_every_company_become_synced_and_verified() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::Demo).await;
        let ada = site.owner().await;
        let setup_links: Vec<String> = site.server.lines().into_iter().filter(|line| line.contains("/setup/")).collect();
        assert_eq!(setup_links.len(), 1, "one link creates the Owner: {setup_links:?}");

        // an organization without accounts
        assert_eq!(ada.path().await, "/integrations");
        for words in ["Connect QuickBooks Online", "Connect Xero"] {
            ada.see(words).await;
        }

        // QuickBooks: one company for each consent
        ada.click("Connect QuickBooks Online").await;
        ada.see("Connect an app to QuickBooks").await;
        ada.see("Harbor & Pine Trading Co.").await;
        ada.click("Connect").await;
        ada.see_title("Account Connected").await;
        assert_eq!(ada.stats("main").await, numbers(&[("Companies found", 1), ("Already linked", 0), ("Importable", 1)]));
        assert!(!ada.path().await.contains("code="), "the code stays in no address");
        ada.click("Import All Companies").await;
        ada.see_title("Data Feed").await;
        ada.mark_document().await;
        let shown = ada.watch_until_verified(1).await;
        ada.assert_same_document().await;
        assert_seen_syncing(&shown, "Harbor & Pine Trading Co.");

        // Xero: several organisations in one consent
        ada.open("/integrations").await;
        ada.click("Connect Xero").await;
        ada.see("wants access to your organisation data").await;
        for box_number in [1, 2] {
            ada.click_on(&format!("fieldset label:nth-of-type({box_number}) input")).await;
        }
        ada.click("Allow access").await;
        ada.see_title("Account Connected").await;
        assert_eq!(ada.stats("main").await, numbers(&[("Companies found", 2), ("Already linked", 0), ("Importable", 2)]));
        let choice = ada.path().await;
        ada.click("Add Companies Manually").await;
        ada.see_title("Data Feed").await;
        assert_eq!(ada.path().await, "/integrations/data-feed?status=not_linked");
        assert_eq!(ada.feed().await.iter().filter(|row| row.is("Not linked")).count(), 2, "nothing is linked before it is chosen");

        // as slow as it takes two tabs to be looked at
        slow(&site, 2_500, 12).await;
        // the same choice in two tabs: the second click queues nothing
        ada.open(&choice).await;
        let first_tab = ada.browser.window().await.expect("a browser has a tab");
        let second_tab = ada.browser.new_tab().await.expect("a browser opens a tab");
        ada.browser.switch_to_window(second_tab.clone()).await.expect("a tab can be looked at");
        ada.open(&choice).await;
        ada.browser.switch_to_window(first_tab.clone()).await.expect("a tab can be looked at");
        ada.click("Import All Companies").await;
        ada.see_title("Data Feed").await;
        ada.mark_document().await;
        ada.browser.switch_to_window(second_tab).await.expect("a tab can be looked at");
        ada.click("Import All Companies").await;
        ada.see_title("Data Feed").await;
        ada.browser.close_window().await.expect("a tab can be closed");
        ada.browser.switch_to_window(first_tab).await.expect("a tab can be looked at");
        // it leads to the companies of this account, and to no others
        let both_sync = |rows: &[Row]| rows.len() == 2 && rows.iter().all(|row| row.is("Syncing"));
        let mut shown = ada.watch_feed(super::person::SOON, "both companies Syncing", both_sync).await;
        fast(&site).await;
        shown.extend(ada.watch_until_verified(2).await);
        ada.assert_same_document().await;
        for company in ["Kauri Outdoor Ltd", "Beacon Street Studio"] {
            assert_seen_syncing(&shown, company);
        }

        ada.open("/integrations/data-feed").await;
        ada.watch_until_verified(3).await;
        let rows = ada.feed().await;
        let described: Vec<[&str; 3]> = rows.iter().map(|row| [row.company.as_str(), row.provider.as_str(), row.account.as_str()]).collect();
        let expected = [
            ["Beacon Street Studio", "Xero", "Casey Morgan"],
            // QuickBooks names the company in each consent: the account is called so
            ["Harbor & Pine Trading Co.", "QuickBooks", "Harbor & Pine Trading Co."],
            ["Kauri Outdoor Ltd", "Xero", "Casey Morgan"],
        ];
        assert_eq!(described, expected);
        assert!(rows.iter().all(|row| row.last_synced.contains("just now") || row.last_synced.contains("ago")), "{rows:#?}");

        // the overview counts for each provider
        ada.open("/integrations").await;
        for (provider, companies) in [("quickbooks", 1), ("xero", 2)] {
            let counted = ada.stats(&format!("section[aria-labelledby=card-{provider}]")).await;
            assert_eq!(counted, numbers(&[("Accounts", 1), ("Companies", companies), ("Linked companies", companies)]), "{provider}");
        }

        // one sync for each company, its milestones in order
        for company in ["Beacon Street Studio", "Harbor & Pine Trading Co.", "Kauri Outdoor Ltd"] {
            let milestones = milestones(&ada, company).await;
            let order = [
                "Sync started: everything",
                "Company information imported",
                "Chart of accounts imported: ",
                "Contacts imported: ",
                "Transactions synced: ",
                "Ledger imported: ",
                "Reports imported: ",
                "Normalization complete: ",
                "Verified against the provider's trial balance, accrual and cash: ",
                "Sync finished: ",
            ];
            assert_eq!(milestones.len(), order.len(), "{company}: {milestones:#?}");
            for (milestone, expected) in milestones.iter().zip(order) {
                assert!(milestone.starts_with(expected), "{company}: `{milestone}` where `{expected}` belongs");
            }
        }

        // a refused token is counted as well
        site.control("tokens/revoke", Some(serde_json::json!({"client_id": "tieout-xero"}))).await;
        ada.open("/integrations/data-feed?provider=xero").await;
        ada.resync_first_row().await;
        ada.watch_feed(super::person::SOON, "Invalid token", |rows| rows.len() == 2 && rows.iter().all(|row| row.is("Invalid token"))).await;
        ada.open("/integrations").await;
        let counted = ada.stats("section[aria-labelledby=card-xero]").await;
        assert_eq!(counted, numbers(&[("Accounts", 1), ("Invalid accounts", 1), ("Companies", 2), ("Linked companies", 2)]));
        ada.leave().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_link_works_once() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    let eve = Person::arrive(&site.url).await;
    let link = site.server.lines().into_iter().find_map(|line| line.split_once("/setup/").map(|(_, token)| format!("/setup/{token}")));
    eve.open(&link.expect("the server has printed its link")).await;
    eve.does_not_see("Create organization").await;
    eve.open("/integrations").await;
    eve.see_title("Sign in").await;
    eve.fill("email", super::site::EMAIL).await;
    eve.fill("password", "a guess of mine").await;
    eve.click("Sign in").await;
    eve.see("The e-mail address or the password is not right.").await;
    eve.sign_in().await;
    eve.see_title("Integrations").await;
    ada.leave().await;
    eve.browser.quit().await.expect("the browser closes");
}

fn assert_seen_syncing(shown: &[Row], company: &str) {
    let words: Vec<&str> = shown.iter().filter(|row| row.company == company).map(|row| row.status.as_str()).collect();
    let syncing = shown.iter().position(|row| row.company == company && row.is("Syncing"));
    let synced = shown.iter().position(|row| row.company == company && row.is("Synced"));
    assert!(syncing.is_some() && syncing < synced, "{company} was not seen as Syncing before it was Synced: {words:#?}");
}

/// The milestones of a company's log, oldest first.
async fn milestones(person: &Person, company: &str) -> Vec<String> {
    person.open("/integrations/logs").await;
    person.click_on_card(company).await;
    person.see("All Companies").await;
    let path = person.path().await;
    person.open(&format!("{path}?type=milestone&size=100")).await;
    let (_, rows) = person.table().await;
    rows.into_iter().rev().map(|row| row[5].clone()).collect()
}
