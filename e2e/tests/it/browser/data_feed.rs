//! Asking for syncs on the Data Feed, and what it shows when a server is killed in the middle of one.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::each_database;

use super::person::{Person, SOON, SYNCED_WITHIN};
use super::site::{Companies, SHORT_LEASE_SECS, Site};

/// Makes the next calls for a company slow, so that a sync can be looked at while it runs.
pub(super) async fn slow(site: &Site, ms: u64, times: u32) {
    site.control("faults", Some(json!({"times": times, "fault": {"kind": "delay", "ms": ms}}))).await;
}

pub(super) async fn fast(site: &Site) {
    let address = format!("{}/_control/faults", site.sandbox_url);
    reqwest::Client::new().delete(address).send().await.expect("the sandbox answers");
}

/// Clicks what the selector finds; the answer stands on the page within a second, as the page itself takes the time (`Person::take_time`).
pub(super) async fn answered(person: &Person, selector: &str, words: &str) {
    person.watch_for(words).await;
    person.click_on(selector).await;
    let took = person.took().await;
    println!("`{words}` stood on the page {} ms after the click", took.as_millis());
    assert!(took < Duration::from_secs(1), "`{words}` stood on the page only {} ms after the click", took.as_millis());
}

// proves C9 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_a_company_is_read_again_by_its_form_and_what_is_wrong_is_said_beside_it() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    ada.watch_until_verified(1).await;
    ada.click_on("table.feed .actions-cell button[popovertarget]").await;
    ada.click("Resync...").await;
    ada.see("Changes, and a part again").await;
    ada.see("The last one took").await;
    ada.click_on("input[value=again]").await;
    ada.fill("from", "last winter").await;
    ada.fill("to", "2026-03").await;
    ada.click("Resync").await;
    ada.see("“last winter” is not a month: write it as 2026-01.").await;
    // what was chosen is still there
    ada.fill("from", "2026-01").await;
    ada.click_on("input[value=Invoice]").await;
    ada.click("Resync").await;
    ada.see("1 queued.").await;
    ada.open("/integrations/data-feed").await;
    ada.watch_until_verified(1).await;
    let company = ada.company_path().await;
    let log = company.replace("/companies/", "/integrations/logs/companies/");
    ada.open(&log).await;
    ada.see("Read again as well: Invoices, the ledger from 2026-01 to 2026-03").await;
    ada.open(&format!("{log}/runs")).await;
    ada.see("changes, a part again").await;
    // the console notes the form that was sent back
    let complaints: Vec<String> = ada.complaints().await.into_iter().filter(|line| !line.contains("a status of 422")).collect();
    assert_eq!(complaints, Vec::<String>::new());
    ada.leave().await;
}

// proves B2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_company_a_selection_and_all_that_need_it_can_be_resynced_and_each_click_is_answered() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let mut names = Vec::new();
    for (seed, name) in [(901, "Aspen Bakery"), (902, "Birch Cycles")] {
        let company = json!({"face": "xero", "name": name, "seed": seed, "documents_per_month": 3});
        site.control("companies", Some(company)).await;
        names.push(name);
    }
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    ada.open("/integrations").await;
    ada.click("Connect Xero").await;
    ada.see("Select one or more organisations").await;
    for box_number in [1, 2] {
        ada.click_on(&format!("fieldset label:nth-of-type({box_number}) input")).await;
    }
    ada.click("Allow access").await;
    ada.see_title("Account Connected").await;
    ada.click("Import All Companies").await;
    ada.see_title("Data Feed").await;
    ada.open("/integrations/data-feed").await;
    ada.watch_until_verified(3).await;

    // one row, by its menu
    ada.take_time().await;
    // it runs until the second click, however long the clicks take
    slow(&site, 3_000, 40).await;
    ada.click("Actions for Aspen Bakery").await;
    answered(&ada, "form[action$='/resync'] .menu-item", "1 queued.").await;
    ada.watch_feed(SOON, "Aspen Bakery as Syncing", |rows| rows.iter().any(|row| row.company == "Aspen Bakery" && row.is("Syncing"))).await;

    // a selection, one of which runs already
    for name in names {
        ada.click_on(&format!("input[aria-label='Select {name}']")).await;
    }
    ada.see("2 selected").await;
    answered(&ada, "button[form=selection]", "1 queued, 1 already running.").await;
    fast(&site).await;
    ada.watch_until_verified(3).await;

    // nothing selected
    ada.open("/integrations/data-feed").await;
    ada.click_on("button[form=selection]").await;
    ada.see("No company is selected").await;

    // all that need it: none, then the one whose sync failed
    ada.open("/integrations/data-feed/resync-all").await;
    ada.see("No company needs a resync right now.").await;
    let broken = json!({"face": "quickbooks", "path_contains": "cdc", "times": 40, "fault": {"kind": "malformed_json"}});
    site.control("faults", Some(broken)).await;
    ada.open("/integrations/data-feed?provider=quickbooks").await;
    ada.resync_first_row().await;
    ada.watch_feed(SYNCED_WITHIN, "Needs Resync", |rows| rows.iter().any(|row| row.is("Needs Resync") && row.status.contains("last sync failed")))
        .await;
    fast(&site).await;
    ada.open("/integrations/data-feed").await;
    ada.click_on("a[href='/integrations/data-feed/resync-all']").await;
    ada.see_title("Auto Resync All").await;
    ada.see("1 company needs a resync and will be queued").await;
    slow(&site, 1_500, 2).await;
    answered(&ada, "form[action='/integrations/data-feed/resync-all'] button", "1 queued.").await;
    ada.watch_until_verified(3).await;
    ada.leave().await;
}

// proves B4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_leaves_no_company_syncing_longer_than_the_lease_and_the_next_one_finishes() {
    each_database(|database| async move {
        let mut site = Site::start_with_lease(Some(&database), Companies::QuickBooks(150), SHORT_LEASE_SECS).await;
        let ada = site.owner().await;
        slow(&site, 700, 500).await;
        ada.import_quickbooks().await;
        ada.watch_feed(SYNCED_WITHIN, "a running sync", |rows| rows.iter().any(|row| row.is("Syncing") && row.status.contains(" of 6)"))).await;
        site.server.kill_9();
        let killed = Instant::now();

        // another process reads the same database: nobody works, so the lease runs out
        loop {
            let asked = killed.elapsed();
            let status = site.status().await;
            if status != "Syncing" {
                assert_eq!(status, "Needs Resync");
                break;
            }
            assert!(asked < Duration::from_secs(SHORT_LEASE_SECS + 2), "still Syncing {asked:?} after the kill");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        fast(&site).await;
        site.restart();
        ada.open("/integrations/data-feed").await;
        ada.watch_until_verified(1).await;
        ada.open("/integrations/logs/all?message=continued").await;
        ada.see("Sync continued from its last checkpoint").await;
        // the browser has noticed the server's absence, so its console is not empty
        ada.browser.quit().await.expect("the browser closes");
    })
    .await;
}
