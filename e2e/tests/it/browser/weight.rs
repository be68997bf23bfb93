//! What a page weighs when it is opened for the first time, and whether anything in it moves once it is seen.

use std::time::{Duration, Instant};

use serde_json::json;

use super::person::{Person, SOON};
use super::site::{Companies, Site};

/// Page, style, scripts and icons together, as they are sent.
const MOST_BYTES: u64 = 150 * 1024;

/// What a browser that has seen nothing of the site is sent for a page, and how far its parts were shifted until it had caught up with the server.
async fn measure(person: &Person, path: &str) -> (u64, f64, String) {
    person.devtools("Network.clearBrowserCache", json!({})).await;
    person.open(path).await;
    // after the first look at the server nothing is under way; two frames later everything stands where it stays
    let settled = "return !document.body.dataset.events || performance.getEntriesByType('resource')
                       .some((entry) => entry.initiatorType === 'fetch' && entry.responseEnd > 0)";
    let deadline = Instant::now() + SOON;
    while person.ask(settled).await != json!(true) {
        assert!(Instant::now() < deadline, "{path} does not look at the server");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let figures = "const done = arguments[arguments.length - 1];
         const shifts = [];
         new PerformanceObserver((list) => shifts.push(...list.getEntries())).observe({ type: 'layout-shift', buffered: true });
         requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
             const sent = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
                 .filter((entry) => entry.initiatorType !== 'fetch' && !entry.name.endsWith('/events'));
             const moved = shifts.filter((shift) => !shift.hadRecentInput);
             done([sent.reduce((sum, entry) => sum + entry.transferSize, 0), moved.reduce((sum, shift) => sum + shift.value, 0),
                 JSON.stringify([sent.map((entry) => [entry.name, entry.transferSize]),
                     moved.flatMap((shift) => shift.sources.map((source) => source.node?.outerHTML?.slice(0, 120)))])]);
         }, 0)));";
    let answer = person.browser.execute_async(figures, Vec::new()).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_value(answer.json().clone()).expect("two numbers and what they are made of")
}

// proves K4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_weighs_less_than_150_kilobytes_with_everything_and_nothing_in_it_shifts() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    for number in 0..60 {
        let company = json!({"face": "xero", "name": format!("Rata Holdings {number:02}"), "seed": 500 + number, "documents_per_month": 1,
                             "from": "2026-05-01", "to": "2026-05-31"});
        site.control("companies", Some(company)).await;
    }
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    ada.watch_until_verified(1).await;
    let company = ada.company_path().await;
    // fifty rows and more: a full page
    ada.open("/integrations").await;
    ada.click("Connect Xero").await;
    ada.see("Select one or more organisations").await;
    ada.ask("for (const box of document.querySelectorAll('fieldset input')) box.checked = true; return true").await;
    ada.click("Allow access").await;
    ada.see_title("Account Connected").await;
    let setup = ada.path().await;
    let log = company.replace("/companies/", "/integrations/logs/companies/");
    let mut wrong = Vec::new();
    for path in [
        "/integrations",
        "/integrations/data-feed",
        "/integrations/logs",
        "/integrations/logs/all?size=100",
        "/integrations/incidents",
        "/notifications",
        "/companies",
        "/mapping",
        "/organization/members",
        "/organization/access",
        &setup,
        &log,
        &company,
        &format!("{company}/statements"),
        &format!("{company}/mapping?tab=all"),
    ] {
        let (bytes, shift, parts) = measure(&ada, path).await;
        println!("{path}: {bytes} bytes, shifted by {shift}");
        assert!(bytes > 10_000, "{path}: only {bytes} bytes were seen: {parts}");
        if bytes > MOST_BYTES || shift > 0.0 {
            wrong.push(format!("{path}: {bytes} bytes, shifted by {shift}: {parts}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    ada.leave().await;
}
