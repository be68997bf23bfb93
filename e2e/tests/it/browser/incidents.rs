//! An error from the log to its end: found, understood, repaired by its one step, and its incident closed; and entries that appear by themselves.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::each_database;
use thirtyfour::prelude::*;

use super::person::{Person, SYNCED_WITHIN};
use super::site::{Companies, Site};

// walk-through 8: an error to its end
// proves D18 in part
// proves D17 in part
// proves D19
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_in_the_logs_is_found_by_its_status_repaired_by_its_one_step_and_its_incident_closes() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
        let ada = site.owner().await;
        ada.import_quickbooks().await;
        ada.watch_until_verified(1).await;
        assert_eq!(badge(&ada).await, 0);

        // the provider takes the authorization back; the next sync fails
        site.control("tokens/revoke", Some(json!({"client_id": "tieout-quickbooks"}))).await;
        ada.resync_first_row().await;
        ada.watch_feed(SYNCED_WITHIN, "Invalid token", |rows| rows.iter().all(|row| row.is("Invalid token"))).await;

        // filter Status = Error, open the entry: a drawer beside the list, with an address of its own
        ada.open("/integrations/logs").await;
        ada.see("Open incident").await;
        ada.click("All companies log").await;
        ada.ask("const select = document.querySelector('select[name=status]'); select.value = 'error'; select.form.requestSubmit(); return true")
            .await;
        ada.see("Status: Error").await;
        assert!(ada.path().await.contains("status=error"));
        let list = ada.path().await;
        ada.mark_document().await;
        ada.click_on(".log-message a").await;
        for words in ["What happened", "Sign-in expired", "What to do", "Same cause elsewhere", "Seen before", "Log body"] {
            ada.see(words).await;
        }
        assert!(ada.path().await.starts_with("/integrations/logs/entries/"), "{}", ada.path().await);
        let first = ada.path().await;
        // the keys lead to its neighbours in the same view, and Escape back to the list, which has not moved
        ada.press(Key::Right).await;
        until(&ada, "the next entry", async || ada.path().await != first).await;
        ada.press(Key::Left).await;
        until(&ada, "the entry again", async || ada.path().await == first).await;
        ada.press(Key::Escape).await;
        until(&ada, "the list again", async || ada.path().await == list).await;
        ada.assert_same_document().await;
        assert_eq!(ada.ask("return document.querySelector('dialog.drawer')").await, json!(null));

        // the same address is a page of its own, with the same step
        ada.open(&first).await;
        ada.see("Sign-in expired for").await;
        // whoever helps gets the whole story in one file, without a name
        ada.click("Make support bundle").await;
        ada.see("The whole file").await;
        let bundle = ada.ask("return document.querySelector('pre.bundle').textContent").await;
        let bundle: serde_json::Value = serde_json::from_str(bundle.as_str().expect("a text")).expect("the bundle is JSON");
        assert_eq!(bundle["account"]["provider"], "quickbooks");
        let file = ada.ask("return fetch(document.querySelector('a[download]').href).then(answer => answer.text())").await;
        assert!(file.as_str().expect("a text").contains("\"provider\": \"quickbooks\""), "{file}");
        ada.open(&first).await;
        assert_eq!(badge(&ada).await, 1, "two errors, one cause");
        ada.click_on("[data-step]").await;
        ada.see("Connect an app to QuickBooks").await;
        ada.click("Connect").await;
        ada.see_title("Connected").await;
        // resolved: the entry says so, the incident is closed, the badge is gone
        ada.open(&first).await;
        ada.see("It ended with a new sign-in").await;
        assert_eq!(ada.ask("return document.querySelectorAll('[data-step]').length").await, 0);
        assert_eq!(badge(&ada).await, 0);
        ada.click_on("a[href^='/integrations/incidents/']").await;
        ada.see("Closed").await;
        ada.see("How it ended").await;
        ada.open("/integrations/incidents").await;
        ada.see("Nothing is wrong").await;
        ada.open("/integrations/data-feed").await;
        ada.watch_until_verified(1).await;
        ada.leave().await;
    })
    .await;
}

/// What the badge of **Integrations** counts.
async fn badge(person: &Person) -> u64 {
    let count = person.ask("return Number(document.querySelector('.nav-head .count')?.textContent ?? 0)").await;
    count.as_u64().expect("a badge is a number")
}

async fn until(person: &Person, what: &str, done: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done().await {
        assert!(Instant::now() < deadline, "{what} does not come; the address is {}", person.path().await);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

// proves D11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_entries_are_counted_within_two_seconds_and_the_table_does_not_move() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    ada.watch_until_verified(1).await;
    ada.open("/integrations/logs/all").await;
    ada.see("live").await;
    let rows = "return [...document.querySelectorAll('.log-message a')].map((link) => link.href)";
    let before = ada.ask(rows).await;
    // somebody else asks for a sync: its first entry is written when a worker takes it
    let bob = Person::arrive(&site.url).await;
    bob.open("/sign-in?next=/integrations/data-feed").await;
    bob.fill("email", super::site::EMAIL).await;
    bob.fill("password", super::site::PASSWORD).await;
    bob.press(Key::Enter).await;
    bob.see_title("Data Feed").await;
    ada.mark_document().await;
    // the page itself notes when, for the driver takes its time
    let look = "const look = () => {
                    if (document.querySelector('#arrived')?.textContent.includes('new')) window.arrivedAt = Date.now(); else setTimeout(look, 20);
                };
                look();
                return true";
    ada.ask(look).await;
    bob.resync_first_row().await;
    bob.see("1 queued.").await;
    until(&ada, "the number of new entries", async || !ada.ask("return window.arrivedAt ?? null").await.is_null()).await;
    // how long it took, by the entry's own time and the browser's clock
    let arrived = ada.ask("return window.arrivedAt").await.as_i64().expect("milliseconds");
    assert_eq!(ada.ask(rows).await, before, "the table moved");
    ada.assert_same_document().await;
    bob.watch_until_verified(1).await;
    ada.click_on("#arrived a").await;
    ada.see("Sync finished").await;
    let took_ms = arrived - ada.written_at("message=sync+started").await;
    assert!((0..2_000).contains(&took_ms), "the first entry showed {took_ms} ms after it was written");
    ada.leave().await;
    bob.leave().await;
}
