//! The same pages without scripts: links and forms alone do everything.

use thirtyfour::prelude::*;

use super::person::{Habits, Person, SYNCED_WITHIN};
use super::site::{Companies, Site};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_scripts_one_can_connect_import_filter_resync_map_and_invite() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = Person::arrive_with(&site.url, Habits { without_scripts: true, ..Habits::default() }).await;
    site.set_up(&ada).await;
    ada.import_quickbooks().await;
    // nothing moves by itself: the page is opened again
    ada.reopen_until("/integrations/data-feed", "Verified", SYNCED_WITHIN).await;
    let company = ada.company_path().await;

    // the navigation
    for page in ["Companies", "Overview", "Data Feed", "Logs"] {
        ada.click(page).await;
        ada.see_title(match page {
            "Overview" => "Integrations",
            "Logs" => "Integration Logs",
            other => other,
        })
        .await;
    }

    // the Data Feed: a row's menu, a selection, all that need it, search, a facet, a filter, a sort
    ada.open("/integrations/data-feed").await;
    ada.resync_first_row().await;
    ada.see("1 queued.").await;
    ada.reopen_until("/integrations/data-feed", "1 Synced", SYNCED_WITHIN).await;
    ada.click_on("td.pick input").await;
    ada.click_on("button[form=selection]").await;
    ada.see("1 queued.").await;
    ada.reopen_until("/integrations/data-feed", "1 Synced", SYNCED_WITHIN).await;
    ada.click_on("a[href='/integrations/data-feed/resync-all']").await;
    ada.see("No company needs a resync right now.").await;
    ada.open("/integrations/data-feed").await;
    ada.fill("q", "nobody is called so").await;
    ada.click("Search").await;
    ada.see("No company fits").await;
    ada.click("Clear the filter").await;
    ada.see("1 Synced").await;
    ada.click("Filters").await;
    ada.fill("account_name", "nobody").await;
    ada.click("Apply").await;
    ada.see("No company fits").await;
    ada.click("Clear the filter").await;
    ada.click_on(".feed-facets a[href*='status=needs_resync']").await;
    ada.see("No company fits").await;
    ada.open("/integrations/data-feed").await;
    ada.click_on("table.feed th a[href*='sort=']").await;
    ada.see_path("sort=").await;

    // the log: filters that combine, a chip that takes one away, an entry as a page of its own
    ada.open("/integrations/logs").await;
    ada.click("All companies log").await;
    ada.fill("message", "sync started").await;
    choose(&ada, "status", "Success").await;
    ada.click("Filter").await;
    ada.see("3 entries").await;
    ada.click_on("a.chip.is-on").await;
    ada.no_longer_sees("Message: sync started").await;
    ada.click_on(".log-message a").await;
    ada.see("This run").await;
    assert!(ada.path().await.starts_with("/integrations/logs/entries/"));

    // a mapping, previewed and applied
    ada.open(&format!("{company}/mapping?tab=all&q=Office+Supplies")).await;
    ada.click_on(".mapping-table td.actions-cell a").await;
    ada.see_title("Change category").await;
    ada.fill("category", "donations").await;
    ada.click("Preview").await;
    ada.see("What moves").await;
    ada.fill("note", "agreed with the owner").await;
    ada.click("Apply").await;
    ada.see("1 account moved to “Charitable contributions”").await;
    ada.open(&format!("{company}/mapping/history")).await;
    ada.see("agreed with the owner").await;

    // a form that comes back with what is wrong, and then is right
    ada.open("/organization/members").await;
    ada.click("Invite Member").await;
    ada.fill("emails", "nobody").await;
    ada.click("Send Invitation").await;
    ada.see("is not an e-mail address").await;
    ada.fill("emails", "max@lovelace.example").await;
    ada.click("Send Invitation").await;
    ada.see("max@lovelace.example").await;
    assert!(ada.path().await.starts_with("/organization/invitations"));

    // a form that came back is answered 422, which the console notes
    let complaints: Vec<String> = ada.complaints().await.into_iter().filter(|line| !line.contains("a status of 422")).collect();
    assert!(complaints.is_empty(), "the browser's console holds:\n{}", complaints.join("\n"));
    ada.browser.quit().await.expect("the browser closes");
}

/// Chooses what reads so from a list.
async fn choose(person: &Person, name: &str, words: &str) {
    let path = format!("//select[@name='{name}']/option[normalize-space(.)='{words}']");
    person.browser.find(By::XPath(path)).await.expect("it can be chosen").click().await.expect("it can be clicked");
}
