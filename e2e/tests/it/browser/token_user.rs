//! Walk-through 4: the person who connected is gone; another account takes the companies over.

use std::time::Duration;

use serde_json::json;
use testkit::each_database;

use super::person::{Person, Row, SYNCED_WITHIN};
use super::site::{Companies, Site};

/// Twelve first syncs on a busy machine.
const TWELVE_SYNCED_WITHIN: Duration = Duration::from_secs(420);
const FIRST: &str = "casey@harborpine.example";

async fn allow_all(person: &Person) {
    person.see("Select one or more organisations").await;
    person.ask("document.querySelectorAll('input[type=checkbox]').forEach((box) => { box.checked = true; }); return true").await;
    person.click("Allow access").await;
    person.see_title("Account Connected").await;
}

fn all_but(count: usize, rows: &[Row], refused: &str) -> bool {
    let good = rows.iter().filter(|row| row.is("Synced") && row.tie_out == "Verified").count();
    good == count && rows.iter().filter(|row| row.company == refused).all(|row| row.is("Invalid token"))
}

// walk-through 4: another account
// proves A8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_account_takes_over_eleven_of_twelve_companies_and_the_twelfth_says_why() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
        let names: Vec<String> = (1..=12).map(|number| format!("Rata Holdings {number:02}")).collect();
        for (seed, name) in names.iter().enumerate() {
            let company = json!({"face": "xero", "name": name, "seed": 900 + seed, "documents_per_month": 1});
            site.control("companies", Some(company)).await;
        }
        let second = json!({"email": "ines@birchwood.example", "given_name": "Ines", "family_name": "Lund", "companies": names[..11]});
        site.control("users", Some(second)).await;
        let ada = site.owner().await;
        ada.click("Connect Xero").await;
        allow_all(&ada).await;
        ada.click("Import All Companies").await;
        let synced = |rows: &[Row]| rows.len() == 12 && rows.iter().all(|row| row.is("Synced") && row.tie_out == "Verified");
        ada.watch_feed(TWELVE_SYNCED_WITHIN, "twelve companies Synced and Verified", synced).await;
        let company = ada.company_path().await;
        let before = records(&ada, &company).await;

        site.control("tokens/revoke", Some(json!({"client_id": "tieout-xero", "user": FIRST}))).await;
        ada.open("/integrations/data-feed").await;
        ada.resync_first_row().await;
        ada.watch_feed(SYNCED_WITHIN, "Invalid token", |rows| rows.iter().all(|row| row.is("Invalid token"))).await;

        // another person's account
        ada.open("/integrations").await;
        ada.click("Connect another Xero account").await;
        ada.click("Ines Lund").await;
        ada.see("Signed in as Ines Lund").await;
        allow_all(&ada).await;
        ada.see("Nothing to import").await;
        ada.see("linked through").await;

        ada.open("/integrations/data-feed").await;
        ada.click_on("[data-select-all]").await;
        ada.see("12 selected").await;
        ada.click("Update Token User").await;
        ada.see_title("Update Token User").await;
        ada.see("11 companies can be moved, 1 cannot.").await;
        ada.see("it was not selected when access was granted").await;
        ada.click("Update Token User").await;
        ada.see("11 companies moved, 1 refused.").await;
        ada.see("it was not selected when access was granted").await;
        ada.click("Open Data Feed").await;
        ada.watch_feed(TWELVE_SYNCED_WITHIN, "eleven Synced again", |rows| rows.len() == 12 && all_but(11, rows, &names[11])).await;
        assert_eq!(records(&ada, &company).await, before, "nothing is imported again");

        // one company alone, from its own page
        ada.open(&company).await;
        ada.click("Update Token User").await;
        ada.see_title("Update Token User").await;
        ada.see("the provider refuses it, reconnect it first").await;
        ada.leave().await;
    })
    .await;
}

async fn records(person: &Person, company: &str) -> String {
    person.open(company).await;
    let line = person.ask("return document.querySelector('#inventory-title + small').textContent").await;
    line.as_str().expect("the inventory has a line").to_owned()
}
