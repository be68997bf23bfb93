//! Chart of Accounts Mapping: a change while its company is synced. Statements follow at once, and the sync goes on unharmed.

use serde_json::json;
use testkit::postgres;
use thirtyfour::prelude::*;

use super::data_feed::{fast, slow};
use super::person::SYNCED_WITHIN;
use super::site::{Companies, Site};

const BANNER: &str = "Sync in progress; your changes apply at once and nothing restarts.";

async fn change_a_mapping_while_its_company_syncs(site: &Site) {
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    ada.watch_until_verified(1).await;
    let company = ada.company_path().await;
    let statements = format!("{company}/statements?chart=standard");
    ada.open(&statements).await;
    ada.see("Operating profit").await;
    ada.does_not_see("Charitable contributions").await;
    // where months do not fit beside each other the newest are seen, and a section keeps its name in sight
    ada.resize(390, 844).await;
    ada.open(&statements).await;
    let seen = "const wrap = document.querySelector('.table-wrap:has(> .statement)');
                const name = wrap.querySelector('tr.section bdi').getBoundingClientRect();
                return [wrap.scrollWidth > wrap.clientWidth + 100, wrap.scrollLeft + wrap.clientWidth >= wrap.scrollWidth - 2, name.left >= wrap.getBoundingClientRect().left]";
    assert_eq!(ada.ask(seen).await, json!([true, true, true]), "overflows, at the newest, named");
    ada.resize(1440, 900).await;
    ada.click("Chart of Accounts Mapping").await;
    ada.see_title("Chart of Accounts Mapping").await;
    ada.click_on("td.name a[href$='/mapping']").await;
    ada.see("Sum normalized = sum source").await;
    ada.see("equal in every class").await;
    ada.does_not_see(BANNER).await;

    // the next calls are slow, so that a person can act while they last, on a busy machine too
    slow(site, 25_000, 40).await;
    ada.open(&company).await;
    ada.click_on("#resync button").await;
    // a page that is left before its form is on its way takes the form with it
    ada.see("1 queued.").await;
    ada.open(&format!("{company}/mapping?tab=all")).await;
    ada.see_within(BANNER, SYNCED_WITHIN).await;
    // by keyboard: Enter on the pencil, a category, Enter again
    let focused =
        ada.ask("const it = document.querySelector(\"a[aria-label='Change the category of Rent or Lease']\"); it?.focus(); return !!it").await;
    assert_eq!(focused, json!(true), "Rent or Lease has a pencil");
    ada.press(Key::Enter).await;
    ada.see_title("Change category").await;
    ada.see(BANNER).await;
    ada.fill("category", "donations").await;
    ada.press(Key::Enter).await;
    ada.see("What moves").await;
    ada.see("Charitable contributions").await;
    ada.see("Rent and leases").await;
    ada.fill("note", "agreed with the owner").await;
    ada.click("Apply").await;
    ada.see("1 account moved to “Charitable contributions”").await;
    ada.see("User Categorization").await;
    ada.open(&statements).await;
    ada.see("Charitable contributions").await;
    // the figure opens its lines
    ada.click_on("tr.account td a[href*='category=donations']").await;
    ada.see("moved in the month").await;
    fast(site).await;

    // the sync goes on and ends well, proven; what was decided holds
    ada.open("/integrations/data-feed").await;
    ada.watch_until_verified(1).await;
    ada.open(&format!("{company}/mapping/history")).await;
    ada.see("agreed with the owner").await;
    ada.open(&statements).await;
    ada.see("Charitable contributions").await;
    ada.open("/integrations/logs/all?status=error").await;
    ada.does_not_see("Sync failed").await;
    ada.leave().await;
}

// walk-through 9: map during sync
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_changed_during_a_sync_holds_at_once_and_the_sync_goes_on_on_sqlite() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    change_a_mapping_while_its_company_syncs(&site).await;
}

// walk-through 9: map during sync
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_changed_during_a_sync_holds_at_once_and_the_sync_goes_on_on_postgresql() {
    let database = postgres().create_database();
    let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
    change_a_mapping_while_its_company_syncs(&site).await;
    drop(site);
    postgres().drop_database(&database);
}
