//! What a person at a browser waits for with very many companies: the first paint of a page, and the next one after a click or a key.
use crate::installation::{EMAIL, Installation, PASSWORD};
use crate::measured::{Measured, millis};
use crate::table::{self, verdict};
use serde_json::json;
use std::time::Duration;
use testkit::chromium;
use thirtyfour::common::capabilities::chrome::ChromeCapabilities;
use thirtyfour::prelude::*;

const PAINTED_WITHIN: Duration = Duration::from_secs(1);
const ANSWERED_WITHIN: Duration = Duration::from_millis(100);

/// Prints both tables.
pub async fn measure(installation: &Installation, repeat: usize, title: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let driver = chromium();
    let mut wanted = ChromeCapabilities::new();
    let mut arguments = driver.arguments();
    arguments.push("--window-size=1440,900".to_owned());
    wanted.as_mut().set("goog:chromeOptions", json!({"binary": driver.browser(), "args": arguments})).expect("options are JSON");
    let browser = WebDriver::new(driver.driver_url(), wanted).await.expect("chromedriver opens a browser");
    let open = async |path: &str| browser.goto(installation.address(path).as_str()).await.expect("a page opens");
    open("/sign-in").await;
    for (name, text) in [("email", EMAIL), ("password", PASSWORD)] {
        browser.find(By::Name(name)).await.expect("a field").send_keys(text).await.expect("a field can be typed into");
    }
    browser.find(By::Css("form button[type=submit], form .button-primary")).await.expect("a button").click().await.expect("it can be clicked");

    let mut rows = Vec::new();
    for (name, path) in [
        ("Integrations", "/integrations"),
        ("Data Feed", "/integrations/data-feed"),
        ("Integration Logs", "/integrations/logs"),
        ("Companies", "/companies"),
    ] {
        let mut times = Vec::new();
        for _ in 0..repeat {
            open(path).await;
            let script = "const done = arguments[arguments.length - 1];
                 new PerformanceObserver((list) => done(list.getEntriesByName('first-contentful-paint')[0].startTime)).observe({ type: 'paint', buffered: true });";
            let ms = browser.execute_async(script, Vec::new()).await.expect("a page is painted").json().as_f64().expect("a time is a number");
            times.push(Duration::from_secs_f64(ms / 1_000.0));
        }
        let measured = Measured::of(times);
        let most = measured.percentile(95);
        rows.push([name.to_owned(), millis(measured.median()), millis(most), verdict(most < PAINTED_WITHIN)]);
    }
    table::print(&format!("First paint {title}"), ["Page", "Median", "95 %", "Promise"], &rows);

    let mut rows = Vec::new();
    let cases: [(&str, &str, &str); 4] = [
        ("open the menu of a row", "table.feed tbody tr:nth-child(3) .actions-cell button[popovertarget]", ""),
        ("tick a row", "table.feed tbody tr:nth-child(4) td.pick input", ""),
        ("open the Command Palette", "[data-palette]", ""),
        ("type into it, with a slip of the finger", "[data-palette]", "compny 77"),
    ];
    for (name, selector, keys) in cases {
        let mut times = Vec::new();
        for _ in 0..repeat {
            open("/integrations/data-feed").await;
            let watch = "window.answered = []; new PerformanceObserver((list) => window.answered.push(...list.getEntries().filter((entry) => entry.interactionId).map((entry) => entry.duration)))
                 .observe({ type: 'event', durationThreshold: 16 });";
            browser.execute(watch, Vec::new()).await.expect("events can be watched");
            browser.find(By::Css(selector.to_owned())).await.expect("it is there").click().await.expect("it can be clicked");
            tokio::time::sleep(Duration::from_millis(300)).await;
            if !keys.is_empty() {
                // the commands are there, and only what the keys cost is counted
                browser.query(By::Css("#palette-list [role=option]")).first().await.expect("the palette has commands");
                browser.execute("window.answered = []", Vec::new()).await.expect("events can be forgotten");
                browser.find(By::Id("palette-input")).await.expect("a field").send_keys(keys).await.expect("a field can be typed into");
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            let answered = browser.execute("return Math.max(0, ...window.answered)", Vec::new()).await.expect("events were watched");
            // what took less than 16 ms is not told
            times.push(Duration::from_secs_f64(answered.json().as_f64().expect("a time is a number").max(16.0) / 1_000.0));
        }
        let measured = Measured::of(times);
        let most = measured.percentile(95);
        rows.push([name.to_owned(), millis(measured.median()), millis(most), verdict(most < ANSWERED_WITHIN)]);
    }
    browser.quit().await.expect("the browser closes");
    table::print(&format!("From a click to the next paint {title}"), ["Interaction on the Data Feed", "Median", "95 %", "Promise"], &rows);
}
