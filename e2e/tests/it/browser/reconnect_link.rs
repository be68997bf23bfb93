//! A reconnect link: whoever owns the books repairs the connection without an account here.

use serde_json::json;
use testkit::each_database;

use super::person::{Person, SYNCED_WITHIN};
use super::site::{Companies, Site};

// proves A11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_owns_the_books_repairs_them_by_a_link_and_sees_nothing_else() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
        let ada = site.owner().await;
        ada.import_quickbooks().await;
        ada.watch_until_verified(1).await;
        let books = ada.feed().await.remove(0).company;
        site.control("tokens/revoke", Some(json!({"client_id": "tieout-quickbooks"}))).await;
        ada.resync_first_row().await;
        ada.watch_feed(SYNCED_WITHIN, "Invalid token", |rows| rows.iter().all(|row| row.is("Invalid token"))).await;

        ada.open("/integrations").await;
        ada.click("Manage").await;
        ada.click("Send reconnect link").await;
        ada.see_title("Send reconnect link").await;
        ada.click("Make the link").await;
        ada.see("Copy link").await;
        let link = ada.ask("return document.querySelector('#link').value").await;
        let link = link.as_str().expect("the link is a text").to_owned();
        assert!(link.starts_with(&format!("{}/reconnect/", site.url)), "{link}");

        let owner = Person::arrive(&site.url).await;
        owner.goto(&link).await;
        owner.see_title(&format!("Reconnect {books}")).await;
        for words in [
            "Ada Lovelace of Lovelace & Co",
            "Nothing is ever written",
            "You can end it there at any time",
            "This link works once and ends in 7 days",
        ] {
            owner.see(words).await;
        }
        // a refusal changes nothing, and the link still works
        owner.click("Continue to QuickBooks Online").await;
        owner.see("Connect an app to QuickBooks").await;
        owner.click("No, thanks").await;
        owner.see_title("Authorization Denied").await;
        assert_eq!(owner.path().await, "/reconnect/result");
        owner.goto(&link).await;
        owner.click("Continue to QuickBooks Online").await;
        owner.see("Connect an app to QuickBooks").await;
        owner.click("Connect").await;
        owner.see_title("Thank you").await;
        assert_eq!(owner.path().await, "/reconnect/result");
        assert_eq!(owner.ask("return document.querySelectorAll('a, button, form').length").await, json!(0), "there is nothing to go on to");
        owner.open("/integrations").await;
        owner.see_title("Sign in").await;
        // the link has done its work; the refused address is told so with the status of what is gone, which the console notes
        owner.goto(&link).await;
        owner.see_title("This link does not work any more").await;
        owner.browser.quit().await.expect("the browser closes");

        ada.open("/integrations/data-feed").await;
        ada.watch_until_verified(1).await;
        ada.leave().await;
    })
    .await;
}
