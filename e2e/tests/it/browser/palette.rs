//! The command palette in a real browser: opened anywhere, typed into, obeyed.

use std::time::{Duration, Instant};

use thirtyfour::prelude::*;

use super::person::{Person, SOON, SYNCED_WITHIN};
use super::site::{Companies, Site};

/// Presses the keys, and waits until there is something to choose.
async fn summon(person: &Person) {
    let chord = person.browser.action_chain().key_down(Key::Control).send_keys("k").key_up(Key::Control);
    chord.perform().await.expect("keys can be pressed together");
    let deadline = Instant::now() + SOON;
    while person
        .ask("return document.getElementById('palette').matches(':popover-open') && !!document.querySelector('#palette-list [role=option]')")
        .await
        != true
    {
        let seen = "return [document.getElementById('palette').matches(':popover-open'), document.activeElement.outerHTML.slice(0, 80), document.getElementById('palette-list').textContent.slice(0, 200)]";
        assert!(Instant::now() < deadline, "the palette does not open: {}", person.ask(seen).await);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// Types, and waits until what fits is drawn.
async fn type_in(person: &Person, text: &str) {
    person.press(text).await;
    let drawn = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(true)))";
    person.browser.execute_async(drawn, Vec::new()).await.expect("the browser draws");
}

// proves K1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_palette_opens_anywhere_finds_with_a_slip_of_the_finger_and_runs_what_is_chosen() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    ada.watch_until_verified(1).await;
    let open = "return document.getElementById('palette').matches(':popover-open')";
    let best = "return document.querySelector('#palette-list [aria-selected=true] bdi')?.textContent ?? ''";

    // from wherever the focus is, and back to it
    ada.open("/integrations/logs").await;
    ada.ask("document.querySelector('.avatar').focus(); return 1").await;
    summon(&ada).await;
    assert_eq!(ada.ask("return document.getElementById('palette-input').placeholder").await, "Search for a command to run...");
    assert_eq!(ada.ask("return document.getElementById('palette-title').textContent").await, "Command Palette");
    // what is done from this page comes first
    let first = "return [...document.querySelectorAll('#palette-list > *')].slice(0, 4).map((row) => row.querySelector('bdi')?.textContent ?? row.textContent)";
    assert_eq!(ada.ask(first).await, serde_json::json!(["This page", "Errors in the log", "Incidents", "Export the log as CSV"]));
    ada.press(Key::Escape).await;
    assert_eq!(ada.ask(open).await, false);
    assert_eq!(ada.ask("return document.activeElement.className").await, "avatar");

    // a slip of the finger finds it all the same; Enter goes there
    summon(&ada).await;
    type_in(&ada, "dtaa fede").await;
    assert_eq!(ada.ask(best).await, "Data Feed");
    ada.press(Key::Enter).await;
    ada.see_title("Data Feed").await;

    // arrows choose, the choice is told to those who hear it
    summon(&ada).await;
    type_in(&ada, "theme").await;
    let first = ada.ask(best).await;
    ada.press(Key::Down).await;
    assert_ne!(ada.ask(best).await, first);
    let told =
        ada.ask("return document.getElementById(document.getElementById('palette-input').getAttribute('aria-activedescendant')).textContent").await;
    assert_eq!(told, ada.ask(best).await);
    assert!(ada.ask("return document.getElementById('palette-told').textContent").await.as_str().unwrap().ends_with("results"));
    ada.press(Key::Escape).await;

    // the id of a run, pasted, leads to its log
    let company = ada.company_path().await;
    ada.open(&company).await;
    let run = ada.ask("return /run=([0-9a-f]+)/.exec(document.querySelector(\"main a[href*='run=']\").getAttribute('href'))[1]").await;
    let run = run.as_str().expect("a run has an id").to_owned();
    summon(&ada).await;
    ada.press(&run).await;
    let deadline = Instant::now() + SOON;
    while !ada.ask(best).await.as_str().unwrap().starts_with(&run) {
        assert!(Instant::now() < deadline, "the run is not offered: {}", ada.ask("return document.getElementById('palette-list').textContent").await);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    ada.press(Key::Enter).await;
    ada.see("Sync finished").await;
    assert!(ada.path().await.contains(&format!("run={run}")), "{}", ada.path().await);

    // an action is the form of the page, with its answer
    summon(&ada).await;
    type_in(&ada, "resync ").await;
    assert!(ada.ask(best).await.as_str().unwrap().starts_with("Resync "), "{:?}", ada.ask(best).await);
    ada.press(Key::Enter).await;
    ada.see("1 queued.").await;
    ada.open("/integrations/data-feed").await;
    ada.watch_feed(SYNCED_WITHIN, "Synced again", |rows| rows.iter().all(|row| row.is("Synced"))).await;
    let complaints = ada.complaints().await;
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    ada.leave().await;
}
