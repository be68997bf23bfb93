//! Walk-through 6: the same sign-in a second time, and the same company through another one.

use serde_json::json;
use testkit::each_database;

use super::site::{Companies, Site};

// proves A10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_is_refused_with_the_way_to_the_existing_one() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
        let second = json!({"email": "ines@birchwood.example", "given_name": "Ines", "family_name": "Lund"});
        site.control("users", Some(second)).await;
        let ada = site.owner().await;
        ada.import_quickbooks().await;
        ada.watch_until_verified(1).await;

        // the same login once more
        ada.open("/integrations").await;
        let account = ada.ask("return document.querySelector('a.stretched').getAttribute('href')").await;
        let name = ada.ask("return document.querySelector('a.stretched').innerText").await;
        ada.click("Connect another QuickBooks Online account").await;
        ada.see("Connect an app to QuickBooks").await;
        ada.click("Connect").await;
        ada.see_title("Already connected").await;
        let name = name.as_str().unwrap_or_default();
        ada.see(&format!("The user already has an integration to that accounting software: {name}.")).await;
        ada.see("disconnect the current one on the Integrations overview").await;
        ada.see("Back to Integrations").await;
        ada.click(&format!("Show {name}")).await;
        ada.see_title(name).await;
        assert_eq!(ada.path().await, account.as_str().unwrap_or_default());
        ada.open("/integrations/result").await;
        ada.click("Open Data Feed").await;
        ada.see_title("Data Feed").await;

        // somebody else's login that sees the same company: welcome, and the company is linked once
        ada.open("/integrations").await;
        ada.click("Connect another QuickBooks Online account").await;
        ada.see("Connect an app to QuickBooks").await;
        ada.ask("document.querySelector('#user').value = 'ines@birchwood.example'; return true").await;
        ada.click("Switch").await;
        ada.see("Connect an app to QuickBooks").await;
        ada.click("Connect").await;
        ada.see_title("Account Connected").await;
        ada.see("Nothing to import").await;
        ada.see("Everything is linked already.").await;
        ada.see(&format!("linked through {name}")).await;
        ada.open("/integrations/data-feed").await;
        assert_eq!(ada.feed().await.len(), 1);
        ada.leave().await;
    })
    .await;
}
