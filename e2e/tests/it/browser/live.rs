//! A page that follows what the server does, by its one stream of events.

use std::time::{Duration, Instant};

use serde_json::json;

use super::person::{Person, SYNCED_WITHIN};
use super::site::{Companies, Site};

/// Longer than a page waits after an event before it asks for itself again.
const A_LOOK: Duration = Duration::from_secs(1);

// A page learns of the change it makes itself before the answer replaces it. What it shows is gone by then: asking for it would be answered with 404.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_whose_form_is_on_its_way_asks_for_nothing_until_it_is_shown_again() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    ada.watch_until_verified(1).await;
    let second = Person::arrive(&site.url).await;
    second.sign_in_at("/sign-in").await;
    second.see_title("Integrations").await;

    // the page counts what it asks for; the last listener keeps its form from leaving, as an answer does that takes long
    ada.open("/organization/settings").await;
    ada.ask(
        "window.looks = 0;
         const ask = window.fetch;
         window.fetch = (...what) => { window.looks += 1; return ask(...what); };
         addEventListener('submit', (event) => event.preventDefault());
         return true",
    )
    .await;
    let has_looked = || async { ada.ask("return window.looks > 0").await == json!(true) };
    resync(&second).await;
    assert!(has_looked().await, "a page that rests follows what others do");

    ada.ask("document.querySelector('main form[method=post]').requestSubmit(); window.looks = 0; return true").await;
    resync(&second).await;
    assert!(!has_looked().await, "a page that is about to be replaced asks for itself");

    ada.ask("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })); return true").await;
    resync(&second).await;
    assert!(has_looked().await, "a page that is shown again follows again");
    ada.leave().await;
    second.leave().await;
}

/// A whole resync, seen from begin to end by another page, and the time that every other page has to see it.
async fn resync(second: &Person) {
    const LAST_SYNCED: &str = "return document.querySelector(\"[data-label='Last Synced'] time\").dateTime";
    second.open("/integrations/data-feed").await;
    let before = second.ask(LAST_SYNCED).await;
    second.resync_first_row().await;
    let deadline = Instant::now() + SYNCED_WITHIN;
    while second.ask(LAST_SYNCED).await == before {
        assert!(Instant::now() < deadline, "the company is not synced again: {:#?}", second.feed().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(A_LOOK).await;
}
