//! The screen never contradicts the server: nothing is claimed before it is so, no error flashes by, and what was missed is caught up with.

use std::time::{Duration, Instant};

use domain::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use super::data_feed::{fast, slow};
use super::person::{Person, Row, SOON, SYNCED_WITHIN};
use super::site::{Companies, Site};

/// From now on, notes every state the Data Feed shows, however short: status words, messages, and anything that looks like an error. What is noted
/// outlives the document, so that it covers the time until the next one stands there.
async fn note_states(person: &Person) {
    let noting = "const noted = [];
         const last = {};
         const note = (kind, text) => {
             if (last[kind] === text) return;
             last[kind] = text;
             noted.push([Date.now(), `${kind}: ${text.trim()}`]);
             sessionStorage.setItem('noted', JSON.stringify(noted));
         };
         const look = () => {
             for (const badge of document.querySelectorAll('table.feed td.status-cell .badge')) note('status', badge.innerText);
             for (const message of document.querySelectorAll('.flash p')) note('message', message.innerText);
             for (const bad of document.querySelectorAll('main .badge-bad, main .tone-bad, main .notice-bad, main .flash-bad')) note('error', bad.innerText);
         };
         look();
         new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
         return noted";
    person.ask(noting).await;
}

async fn noted(person: &Person) -> Vec<String> {
    noted_until(person, i64::MAX).await
}

/// What was noted until this moment, in milliseconds since 1970.
async fn noted_until(person: &Person, moment: i64) -> Vec<String> {
    let noted = person.ask("return JSON.parse(sessionStorage.getItem('noted'))").await;
    let noted: Vec<(i64, String)> = serde_json::from_value(noted).expect("notes are times and texts");
    noted.into_iter().filter(|(at, _)| *at <= moment).map(|(_, text)| text).collect()
}

async fn until(person: &Person, what: &str, script: &str, wanted: Value) {
    let deadline = Instant::now() + SOON;
    while person.ask(script).await != wanted {
        assert!(Instant::now() < deadline, "{what} does not come on {}: {}", person.path().await, person.ask(script).await);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

// proves K3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_claimed_before_the_server_says_so_no_error_flashes_and_a_page_that_was_cut_off_catches_up() {
    let mut site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    ada.watch_until_verified(1).await;

    // the server is silent when Resync is clicked: until it answers, the page goes on saying what it said
    ada.open("/integrations/data-feed").await;
    note_states(&ada).await;
    let before = noted(&ada).await;
    site.server.signal("STOP");
    let click = "setTimeout(() => document.querySelector(\"form[action$='/resync']:not([id])\").requestSubmit(), 200); return true";
    ada.ask(click).await;
    // the silence itself: it lasts longer than the click takes, and nothing is waited for
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let silent_until = SystemClock.now().as_millisecond();
    site.server.signal("CONT");
    ada.see("1 queued.").await;
    assert_eq!(noted_until(&ada, silent_until).await, before, "the page claimed something before the server answered");
    ada.watch_until_verified(1).await;

    // an attempt that stumbles: answers that fail once are asked for again, and a person who watches sees no error
    let stumble = json!({"face": "quickbooks", "path_contains": "/v3/company/", "skip": 1, "times": 1, "fault": {"kind": "status", "status": 503}});
    site.control("faults", Some(stumble)).await;
    slow(&site, 10_000, 1).await;
    ada.open("/integrations/data-feed").await;
    ada.resync_first_row().await;
    ada.see("1 queued.").await;
    note_states(&ada).await;
    ada.mark_document().await;
    let shown = ada.watch_until_verified(1).await;
    ada.assert_same_document().await;
    fast(&site).await;
    let states = noted(&ada).await;
    assert_eq!(states, ["status: Syncing", "message: 1 queued.", "status: Synced"], "something else flashed by");
    assert!(shown.iter().all(|row: &Row| !row.status.contains("failed")), "{shown:#?}");

    // the page is cut off: another process syncs and writes the log meanwhile; then the server is there again, and nothing else happens
    ada.open("/integrations/logs/all?message=sync+started").await;
    ada.see("live").await;
    let rows = "return [...document.querySelectorAll('.log-message a')].map((link) => link.href)";
    let listed = ada.ask(rows).await;
    ada.mark_document().await;
    site.server.kill_9();
    ada.see("reconnecting").await;
    let company = site.statuses().await.remove(0).0;
    for _ in 0..2 {
        let synced = site.run(&["sync", "--json", &company], SYNCED_WITHIN).await;
        assert!(synced.status.success(), "{synced:?}");
    }
    assert_eq!(ada.ask("return document.querySelector('#arrived').innerText").await, json!(""), "what it cannot know it does not say");
    site.restart();
    until(&ada, "the stream", "return document.getElementById('live').innerText", json!("live")).await;
    until(&ada, "what was missed", "return document.querySelector('#arrived').innerText", json!("2 new")).await;
    assert_eq!(ada.ask(rows).await, listed, "the table moved");
    ada.assert_same_document().await;
    ada.click_on("#arrived a").await;
    until(&ada, "the new entries", "return document.querySelectorAll('.log-message a').length", json!(listed.as_array().map_or(0, Vec::len) + 2))
        .await;
    // the server's absence is in the console
    ada.browser.quit().await.expect("the browser closes");
}
