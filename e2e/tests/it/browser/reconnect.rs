//! Walk-through 3: an authorization that the provider has taken back, and its repair from **Manage**.

use serde_json::json;
use testkit::each_database;

use super::person::{Person, SYNCED_WITHIN};
use super::site::{Companies, Site};

// walk-through 3: reconnect
// proves A5
// proves A6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_shows_within_five_seconds_and_reconnecting_resumes_by_itself() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
        site.control("companies", Some(json!({"face": "xero", "name": "Kauri Outdoor Ltd", "seed": 7, "documents_per_month": 6}))).await;
        let ada = site.owner().await;
        ada.import_quickbooks().await;
        ada.watch_until_verified(1).await;
        repair(&site, &ada, "quickbooks", "Connect an app to QuickBooks", "Connect").await;

        ada.open("/integrations").await;
        ada.click("Connect Xero").await;
        ada.click("Allow access").await;
        ada.see_title("Account Connected").await;
        ada.click("Import All Companies").await;
        ada.watch_until_verified(1).await;
        repair(&site, &ada, "xero", "wants access to your organisation data", "Allow access").await;
        ada.leave().await;
    })
    .await;
}

/// Takes the grant of a provider away, sees it everywhere, and repairs it as the page on common issues says: Integrations, Manage, Reconnect.
async fn repair(site: &Site, ada: &Person, provider: &str, consent: &str, allow: &str) {
    ada.open(&format!("/integrations/data-feed?provider={provider}")).await;
    let company = ada.ask("return document.querySelector('table.feed td.name a').getAttribute('href')").await.as_str().unwrap_or_default().to_owned();
    let before = inventory(ada, &company).await;

    site.control("tokens/revoke", Some(json!({"client_id": format!("tieout-{provider}")}))).await;
    ada.open(&format!("/integrations/data-feed?provider={provider}")).await;
    ada.resync_first_row().await;
    ada.see("1 queued.").await;
    ada.note_when("Invalid token").await;
    let said_at = ada.said_at().await;
    let took_ms = said_at - ada.written_at("status=error").await;
    assert!((0..5_000).contains(&took_ms), "{provider}: the page said so {took_ms} ms after the token was refused");
    ada.watch_feed(SYNCED_WITHIN, "Invalid token", |rows| rows.iter().all(|row| row.is("Invalid token"))).await;
    ada.see("sign-in expired").await;
    ada.open(&company).await;
    ada.see("Invalid token").await;
    ada.open("/integrations").await;
    ada.see("Sign-in expired for").await;
    ada.see("Invalid accounts").await;

    ada.click_on(&format!("button[popovertarget='manage-{provider}']")).await;
    ada.click_on(&format!("#manage-{provider} form button")).await;
    ada.see(consent).await;
    ada.click(allow).await;
    ada.see_title("Connected").await;
    ada.see("Syncing resumes by itself").await;
    ada.click("Open Data Feed").await;
    ada.see_title("Data Feed").await;
    ada.mark_document().await;
    let synced = |rows: &[super::person::Row]| rows.iter().all(|row| row.is("Synced") && row.tie_out == "Verified");
    ada.watch_feed(SYNCED_WITHIN, "Synced again", synced).await;
    ada.assert_same_document().await;
    assert_eq!(inventory(ada, &company).await, before, "nothing is read twice, and the company is the same");
}

/// What the data inventory of the company's page counts.
async fn inventory(person: &Person, company: &str) -> String {
    person.open(company).await;
    let line = person.ask("return document.querySelector('#inventory-title + small').textContent").await;
    line.as_str().expect("the inventory has a line").to_owned()
}
