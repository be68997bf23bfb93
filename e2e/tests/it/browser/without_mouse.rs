//! The same pages without scripts, and without a mouse.

use serde_json::json;
use thirtyfour::prelude::*;

use super::person::{Habits, Person, SOON, SYNCED_WITHIN};
use super::site::{Companies, EMAIL, PASSWORD, Site};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_scripts_one_can_connect_import_filter_and_resync() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = Person::arrive_with(&site.url, Habits { without_scripts: true, size: None }).await;
    site.set_up(&ada).await;
    ada.import_quickbooks().await;
    // without scripts nothing moves by itself: the page is opened again
    ada.reopen_until("/integrations/data-feed", "Verified", SYNCED_WITHIN).await;
    ada.resync_first_row().await;
    ada.see("1 queued.").await;
    ada.reopen_until("/integrations/data-feed", "1 Synced", SYNCED_WITHIN).await;
    for page in ["Companies", "Overview", "Data Feed", "Logs"] {
        ada.click(page).await;
        ada.see_title(match page {
            "Overview" => "Integrations",
            "Logs" => "Integration Logs",
            other => other,
        })
        .await;
    }
    ada.click("All companies log").await;
    ada.fill("message", "sync started").await;
    ada.click("Filter").await;
    ada.see("2 entries").await;
    ada.click_on("a.chip[href*='/integrations/logs/all']").await;
    ada.open("/integrations/data-feed").await;
    ada.fill("q", "nobody is called so").await;
    ada.click("Search").await;
    ada.see("No company fits").await;
    ada.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_keyboard_alone_one_can_sign_in_and_resync() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    ada.watch_until_verified(1).await;
    ada.leave().await;

    let bob = Person::arrive(&site.url).await;
    bob.open("/sign-in?next=/integrations/data-feed").await;
    bob.press(EMAIL).await;
    bob.press(Key::Tab).await;
    bob.press(PASSWORD).await;
    bob.press(Key::Enter).await;
    bob.see_title("Data Feed").await;

    // the first stop leads past the navigation
    bob.press(Key::Tab).await;
    assert_eq!(bob.focused().await, "Skip to content");
    bob.press(Key::Enter).await;
    let mut stops = Vec::new();
    loop {
        bob.press(Key::Tab).await;
        let stop = bob.focused().await;
        assert_eq!(bob.ask("return document.activeElement.matches(':focus-visible')").await, json!(true), "the focus on `{stop}` is not visible");
        stops.push(stop.clone());
        if stop.starts_with("Actions for ") {
            break;
        }
        assert!(stops.len() < 40, "no row menu among {stops:?}");
    }
    bob.press(Key::Enter).await;
    bob.press(Key::Tab).await;
    assert_eq!(bob.focused().await, "Resync");
    // Esc closes the menu and gives the focus back
    bob.press(Key::Escape).await;
    assert!(bob.focused().await.starts_with("Actions for "), "the focus is on `{}`", bob.focused().await);
    bob.press(Key::Enter).await;
    bob.press(Key::Tab).await;
    bob.press(Key::Enter).await;
    bob.see_within("1 queued.", SOON).await;
    bob.watch_until_verified(1).await;
    bob.leave().await;
}
