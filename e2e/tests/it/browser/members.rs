//! People: an Owner invites a Member, who sees two assigned companies and nothing of the integrations; on both databases.

use testkit::each_database;

use super::person::{Habits, Person};
use super::site::{Companies, PASSWORD, Site};

/// Connects both providers and imports their three companies, without waiting for the syncs.
async fn connect_everything(ada: &Person) {
    ada.import_quickbooks().await;
    ada.open("/integrations").await;
    ada.click("Connect Xero").await;
    ada.see("wants access to your organisation data").await;
    for box_number in [1, 2] {
        ada.click_on(&format!("fieldset label:nth-of-type({box_number}) input")).await;
    }
    ada.click("Allow access").await;
    ada.see_title("Account Connected").await;
    ada.click("Import All Companies").await;
    ada.see_title("Data Feed").await;
}

/// Fills the form of **Invite Member** and sends it; the link it made.
pub(super) async fn invite(ada: &Person, email: &str, companies: &[&str]) -> String {
    ada.open("/organization/members").await;
    ada.click("Invite Member").await;
    ada.see_title("Invite Member").await;
    ada.fill("emails", email).await;
    for company in companies {
        ada.click_by_text(".pick-list label", company).await;
    }
    ada.click("Send Invitation").await;
    ada.see(email).await;
    ada.click("Copy link").await;
    let link = ada.ask("return document.querySelector('.link-fold[open] code').innerText").await;
    link.as_str().expect("a link is a text").to_owned()
}

// walk-through 11: a Member
// proves H1 in part
// proves H2 in part
// proves H5 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_sees_two_assigned_companies_no_integrations_and_403_on_direct_links() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::Demo).await;
        let ada = site.owner().await;
        connect_everything(&ada).await;
        let (mine, also_mine, hidden) = ("Kauri Outdoor Ltd", "Beacon Street Studio", "Harbor & Pine Trading Co.");
        let link = invite(&ada, "max@lovelace.example", &[mine, also_mine]).await;

        let max = Person::arrive(&site.url).await;
        max.goto(&link).await;
        max.see_title("Join Lovelace & Co").await;
        max.see("Ada Lovelace invites max@lovelace.example.").await;
        max.see("Reads the books of the companies assigned to them.").await;
        max.fill("name", "Max Member").await;
        max.fill("password", "short").await;
        max.click("Accept").await;
        max.see("Use at least 12 characters.").await;
        max.fill("password", PASSWORD).await;
        max.click("Accept").await;
        max.see_title("Companies").await;
        for company in [mine, also_mine] {
            max.see(company).await;
        }
        for words in [hidden, "Integrations", "Data Feed", "Logs", "Members"] {
            max.does_not_see(words).await;
        }
        let feed = ada.ask("return [...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))").await;
        assert!(feed.to_string().contains("/organization/members"), "the Owner has the menu item: {feed}");
        // direct links: those of the integrations are closed, those of a company that is not assigned lead nowhere
        let company = ada.company_path_of(hidden).await;
        let expected_403 = ["/integrations", "/integrations/data-feed", "/integrations/logs", "/organization/members", "/organization/settings"];
        for path in expected_403 {
            max.open(path).await;
            max.see_title("You don't have access").await;
            max.see("403").await;
        }
        max.open(&company).await;
        max.see_title("Nothing here").await;
        max.open(&ada.company_path_of(mine).await).await;
        max.see_title(mine).await;
        max.does_not_see("Resync").await;

        // what is assigned and taken away shows on the open page
        max.open("/companies").await;
        max.see(also_mine).await;
        max.mark_document().await;
        ada.open("/organization/access").await;
        ada.see("sees 2 of 3").await;
        ada.see("sees all").await;
        ada.click("All 3 companies").await;
        ada.see("1 change saved, effective now.").await;
        max.see(hidden).await;
        max.assert_same_document().await;

        // another role holds for the next click; removed is out
        ada.open("/organization/members").await;
        ada.choose_role("Max Member", "admin").await;
        ada.see("Max Member is now an Admin, effective now.").await;
        max.open("/integrations").await;
        max.see_title("Integrations").await;
        ada.open("/organization/members").await;
        ada.see("This is the last Owner.").await;
        ada.click_by_text("td a", "Remove").await;
        ada.see_title("Remove Max Member?").await;
        ada.click("Remove").await;
        ada.see("Max Member is removed.").await;
        max.open("/companies").await;
        max.see_title("Sign in").await;
        let complaints = max.complaints().await;
        let expected = |line: &String| ["401", "403", "404", "422"].iter().any(|status| line.contains(&format!("a status of {status}")));
        assert!(complaints.iter().all(expected), "the browser's console holds:\n{}", complaints.join("\n"));
        max.browser.quit().await.expect("the browser closes");
        ada.leave().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_scripts_people_are_invited_promoted_and_assigned() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    let link = invite(&ada, "max@lovelace.example", &[]).await;
    ada.leave().await;

    let plain = Habits { without_scripts: true, ..Habits::default() };
    let max = Person::arrive_with(&site.url, plain).await;
    max.goto(&link).await;
    max.fill("name", "Max Member").await;
    max.fill("password", PASSWORD).await;
    max.click("Accept").await;
    max.see_title("Companies").await;
    max.see("ask one of them").await;
    let ada = Person::arrive_with(&site.url, plain).await;
    ada.sign_in_at("/sign-in").await;
    ada.see_title("Integrations").await;
    ada.open("/organization/access").await;
    ada.click_on(".access td.cell input:not(:disabled)").await;
    ada.click("Save").await;
    ada.see("1 change saved").await;
    max.open("/companies").await;
    max.does_not_see("ask one of them").await;
    ada.open("/organization/members").await;
    ada.click_on("tr:has(a[href$='/remove']) select:not(:disabled) option[value='admin']").await;
    ada.click("Change").await;
    ada.see("is now an Admin").await;
    max.open("/integrations").await;
    max.see_title("Integrations").await;
    max.browser.quit().await.expect("the browser closes");
    ada.browser.quit().await.expect("the browser closes");
}
