//! Every page on a phone and on a desk: nothing sticks out, and the console stays empty. `make screenshots` keeps the pictures.

use std::path::PathBuf;

use serde_json::json;

use super::person::{Habits, Person, SYNCED_WITHIN};
use super::site::{Companies, Site};

/// Where pictures go, when they are asked for.
fn gallery() -> Option<PathBuf> {
    std::env::var_os("TIEOUT_SCREENSHOTS")?;
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("e2e lies in the workspace").join("target/screenshots");
    std::fs::create_dir_all(&folder).expect("the folder of pictures can be made");
    Some(folder)
}

/// Looks at a page in the widths of phone and desk, and draws it in light and dark if asked to.
pub async fn look(person: &Person, path: &str, name: &str) {
    person.open(path).await;
    look_here(person, name).await;
}

pub async fn look_here(person: &Person, name: &str) {
    for (width, height) in [(360, 780), (390, 844), (1440, 900)] {
        person.resize(width, height).await;
        let wide = person
            .ask(
                "const root = document.documentElement;
                 if (root.scrollWidth <= innerWidth) return null;
                 const out = [...document.querySelectorAll('body *')].filter((node) => node.getBoundingClientRect().right > innerWidth + 1);
                 return [root.scrollWidth, innerWidth, out.slice(0, 6).map((node) => node.outerHTML.slice(0, 120))];",
            )
            .await;
        assert!(wide.is_null(), "{name} is wider than {width} pixels: {wide}");
        if let Some(folder) = gallery().filter(|_| width != 360) {
            for scheme in ["light", "dark"] {
                person.prefer(scheme).await;
                // colours fade from one scheme to the other
                tokio::time::sleep(std::time::Duration::from_millis(400)).await;
                person.screenshot(&folder.join(format!("{name}-{width}-{scheme}.png"))).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_is_wider_than_a_phone_and_none_makes_the_browser_complain() {
    let demo = gallery().is_some();
    let site = Site::on_sqlite(if demo { Companies::Demo } else { Companies::QuickBooks(100) }).await;
    let ada = Person::arrive_with(&site.url, Habits { without_scripts: false, size: Some((1440, 900)) }).await;
    look(&ada, "/sign-in", "sign-in-new").await;
    site.set_up(&ada).await;
    for (path, name) in [
        ("/integrations", "overview-empty"),
        ("/integrations/data-feed", "data-feed-empty"),
        ("/integrations/logs", "logs-empty"),
        ("/integrations/logs/all", "log-table-empty"),
        ("/companies", "companies-empty"),
    ] {
        look(&ada, path, name).await;
    }
    ada.open("/integrations").await;
    ada.click("Connect QuickBooks Online").await;
    ada.see("Connect an app to QuickBooks").await;
    look_here(&ada, "consent-quickbooks").await;
    ada.click("No, thanks").await;
    ada.see_title("Authorization Denied").await;
    look_here(&ada, "result-denied").await;
    ada.open("/integrations").await;
    ada.click("Connect QuickBooks Online").await;
    ada.click("Connect").await;
    ada.see_title("Account Connected").await;
    look_here(&ada, "account-connected").await;
    let slow = json!({"times": 25, "fault": {"kind": "delay", "ms": 400}});
    site.control("faults", Some(slow)).await;
    ada.click("Import All Companies").await;
    ada.see_title("Data Feed").await;
    look_here(&ada, "data-feed-syncing").await;
    let company = ada.company_path().await;
    look(&ada, &company, "company-syncing").await;
    ada.open("/integrations/data-feed").await;
    if demo {
        ada.open("/integrations").await;
        ada.click("Connect Xero").await;
        ada.see("Select one or more organisations").await;
        look_here(&ada, "consent-xero").await;
        for box_number in [1, 2] {
            ada.click_on(&format!("fieldset label:nth-of-type({box_number}) input")).await;
        }
        ada.click("Allow access").await;
        ada.see_title("Account Connected").await;
        look_here(&ada, "account-connected-xero").await;
        ada.click("Import All Companies").await;
        ada.watch_until_verified(3).await;
    } else {
        ada.watch_until_verified(1).await;
    }
    let company = ada.company_path().await;
    for (path, name) in [
        ("/integrations", "overview"),
        ("/integrations/data-feed", "data-feed"),
        ("/integrations/data-feed/resync-all", "resync-all"),
        ("/integrations/logs", "logs"),
        ("/integrations/logs/all", "log-table"),
        ("/companies", "companies"),
        (company.as_str(), "company"),
        (&format!("/integrations/logs/companies/{}", company.rsplit('/').next().unwrap_or_default()), "log-company"),
        (&format!("/integrations/logs/companies/{}/runs", company.rsplit('/').next().unwrap_or_default()), "log-runs-company"),
        ("/integrations/logs/all/runs", "log-runs"),
        ("/integrations/logs/all?counts=1&status=success", "log-table-counted"),
        ("/integrations/logs/settings", "log-settings"),
        ("/integrations/logs/errors", "error-guide"),
        ("/integrations/incidents", "incidents-none"),
    ] {
        look(&ada, path, name).await;
    }
    ada.open("/integrations/data-feed").await;
    ada.click_on("table.feed tbody tr:first-child .actions-cell button[popovertarget]").await;
    look_here(&ada, "data-feed-menu").await;
    // accounts: as they are, about to be disconnected, and refused
    ada.open("/integrations").await;
    let account = ada.ask("return document.querySelector('a[href^=\"/integrations/accounts/\"]').getAttribute('href')").await;
    let account = account.as_str().expect("an address is a text").trim_end_matches("/disconnect").to_owned();
    look(&ada, &account, "account").await;
    look(&ada, &format!("{account}/disconnect"), "disconnect").await;
    look(&ada, &format!("{account}/setup"), "account-connected-again").await;
    for tab in ["access", "usage", "history"] {
        look(&ada, &format!("{account}?tab={tab}"), &format!("account-{tab}")).await;
    }
    ada.open(&format!("{account}/link")).await;
    ada.click("Make the link").await;
    ada.see("Copy link").await;
    look_here(&ada, "reconnect-link-to-send").await;
    let link = ada.ask("return document.querySelector('#link').value").await;
    ada.goto(link.as_str().expect("the link is a text")).await;
    look_here(&ada, "reconnect-link").await;
    look(&ada, &format!("/integrations/data-feed/token-user?company={}", company.rsplit('/').next().unwrap_or_default()), "token-user").await;
    site.control("tokens/revoke", Some(json!({}))).await;
    ada.open("/integrations/data-feed").await;
    ada.resync_first_row().await;
    ada.watch_feed(SYNCED_WITHIN, "Invalid token", |rows| rows.iter().any(|row| row.is("Invalid token"))).await;
    for (path, name) in [
        ("/integrations", "overview-invalid"),
        ("/integrations/data-feed", "data-feed-invalid"),
        (&account, "account-invalid"),
        (&company, "company-invalid"),
        ("/integrations/logs", "logs-invalid"),
        ("/integrations/incidents", "incidents"),
    ] {
        look(&ada, path, name).await;
    }
    ada.open("/integrations/logs/all?status=error").await;
    ada.click_on(".log-message a").await;
    ada.see("What to do").await;
    look_here(&ada, "log-entry-drawer").await;
    let entry = ada.path().await;
    look(&ada, &entry, "log-entry-error").await;
    ada.click_on("a[href^='/integrations/incidents/']").await;
    ada.see("Errors logged").await;
    look_here(&ada, "incident").await;
    let complaints = ada.complaints().await;
    assert!(complaints.is_empty(), "the browser's console holds:\n{}", complaints.join("\n"));
    // a missing page is answered 404, which the console notes
    look(&ada, "/companies/none", "not-found").await;
    ada.browser.quit().await.expect("the browser closes");
}
