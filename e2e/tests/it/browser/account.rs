//! The page of an account: its tabs, Escape, and the way out of it with the data kept or erased.

use serde_json::json;
use testkit::each_database;
use thirtyfour::Key;

use super::site::{Companies, Site};

// proves A9 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_shows_what_it_sees_may_and_did_and_is_ended_with_its_data_erased_only_by_its_name() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
        let ada = site.owner().await;
        ada.import_quickbooks().await;
        ada.watch_until_verified(1).await;
        let books = ada.feed().await.remove(0).company;
        ada.open("/integrations").await;
        let name = ada.ask("return document.querySelector('a.stretched').innerText").await;
        let name = name.as_str().unwrap_or_default().to_owned();
        ada.click(&name).await;
        ada.see_title(&name).await;
        ada.see(&books).await;
        ada.click("Access").await;
        ada.see("It never writes").await;
        ada.see("Granted").await;
        ada.click("Usage").await;
        ada.see("Calls a minute, each company").await;
        ada.see(&books).await;
        ada.click("History").await;
        ada.see("Connected by Ada Lovelace").await;
        // Escape closes it, and the focus returns to the card
        ada.press(Key::Escape).await;
        ada.see_title("Integrations").await;
        assert_eq!(ada.focused().await, name);

        ada.click(&format!("Disconnect {name}")).await;
        ada.see_title(&format!("Disconnect {name}?")).await;
        ada.see("Stops 1 company").await;
        let checked = ada.ask("return document.querySelector('[name=data]:checked').value").await;
        assert_eq!(checked, json!("keep"), "keeping is what happens without a choice");
        ada.click_on("[value=erase]").await;
        ada.fill("name", "another name").await;
        ada.click_on("form.setup-card .button-danger").await;
        ada.see("To erase the data, type the name of the account exactly as it is written here").await;
        ada.fill("name", &name).await;
        ada.click_on("form.setup-card .button-danger").await;
        ada.see_title("Integrations").await;
        ada.see("confirmed that the authorization is revoked").await;
        ada.see("The data of 1 company were erased.").await;
        ada.open("/companies").await;
        ada.does_not_see(&books).await;
        // a form that comes back with an error is answered 422, which the console notes
        ada.browser.quit().await.expect("the browser closes");
    })
    .await;
}
