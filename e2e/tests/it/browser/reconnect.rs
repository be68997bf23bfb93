//! An authorization that the provider has taken back, and its repair.

use std::time::{Duration, Instant};

use serde_json::json;

use super::person::SYNCED_WITHIN;
use super::site::{Companies, Site};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_shows_within_five_seconds_and_reconnecting_resumes_by_itself() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    ada.watch_until_verified(1).await;
    let company = ada.company_path().await;
    let records = records(&ada, &company).await;

    site.control("tokens/revoke", Some(json!({"client_id": "tieout-quickbooks"}))).await;
    ada.open("/integrations/data-feed").await;
    ada.resync_first_row().await;
    let asked = Instant::now();
    ada.watch_feed(Duration::from_secs(5), "Invalid token", |rows| rows.iter().all(|row| row.is("Invalid token"))).await;
    assert!(asked.elapsed() < Duration::from_secs(5));
    ada.see("sign-in expired").await;
    ada.open(&company).await;
    ada.see("Invalid token").await;
    ada.open("/integrations").await;
    ada.see("Sign-in expired for").await;
    ada.see("Invalid accounts").await;

    ada.click("Manage").await;
    ada.click_on("#manage-quickbooks form button").await;
    ada.see("Connect an app to QuickBooks").await;
    ada.click("Connect").await;
    ada.see_title("Connected").await;
    ada.see("Syncing resumes by itself").await;
    ada.click("Open Data Feed").await;
    ada.mark_document().await;
    let synced = |rows: &[super::person::Row]| rows.iter().all(|row| row.is("Synced") && row.tie_out == "Verified");
    ada.watch_feed(SYNCED_WITHIN, "Synced again", synced).await;
    ada.assert_same_document().await;
    assert_eq!(self::records(&ada, &company).await, records, "nothing is read twice");
    ada.leave().await;
}

/// What the data inventory of the company's page counts.
async fn records(person: &super::person::Person, company: &str) -> String {
    person.open(company).await;
    let line = person.ask("return document.querySelector('#inventory-title + small').textContent").await;
    line.as_str().expect("the inventory has a line").to_owned()
}
