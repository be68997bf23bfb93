//! Walk-throughs 2 and 5, and the other ways an authorization ends: each with its own page.

use testkit::each_database;

use super::person::{Habits, Person, SOON};
use super::site::{Companies, Site};

async fn to_consent(person: &Person) {
    person.open("/integrations").await;
    person.click("Connect QuickBooks Online").await;
    person.see("Connect an app to QuickBooks").await;
}

/// A page that explains: its heading, its cause, its way back, and nothing secret in its address.
async fn ended(person: &Person, title: &str, cause: &str) {
    person.see_title(title).await;
    person.see(cause).await;
    person.see("Back to Integrations").await;
    assert_eq!(person.path().await, "/integrations/result");
    // a reload is harmless
    person.open("/integrations/result").await;
    person.see_title(title).await;
}

// walk-through 2: deny
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_consent_says_so_and_connecting_again_works() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
        let ada = site.owner().await;
        to_consent(&ada).await;
        ada.click("No, thanks").await;
        ended(&ada, "Authorization Denied", "approve all requested access to continue").await;
        ada.click("Back to Integrations").await;
        ada.see_title("Integrations").await;
        ada.see("Not connected").await;
        ada.import_quickbooks().await;
        ada.watch_until_verified(1).await;
        ada.leave().await;
    })
    .await;
}

// proves A12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_an_authorization_can_fail_has_its_own_page_with_its_cause() {
    let mut site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = Person::arrive_with(&site.url, Habits { notes_requests: true, ..Habits::default() }).await;
    site.set_up(&ada).await;

    // denied
    to_consent(&ada).await;
    ada.click("No, thanks").await;
    ended(&ada, "Authorization Denied", "was not given permission").await;
    ada.click("Try again").await;
    ada.see("Connect an app to QuickBooks").await;

    // a permission that is not granted: the provider refuses the question itself
    to_consent(&ada).await;
    let question = ada.path().await;
    let without_scope = question.replace("scope=", "scope=unknown.permission%20");
    assert_ne!(without_scope, question);
    ada.goto(&without_scope).await;
    ended(&ada, "A permission is not available", "does not let this app ask for a permission it needs").await;

    // the state is another one than we gave out
    to_consent(&ada).await;
    let question = url::Url::parse(&ada.path().await).expect("the consent page has an address");
    let state = question.query_pairs().find(|(name, _)| name == "state").expect("a state is given out").1.into_owned();
    ada.goto(&question.as_str().replace(&state, "an-invented-state-of-somebody-else-0123456789")).await;
    ada.click("Connect").await;
    ended(&ada, "This sign-in link is no longer valid", "Nothing was changed").await;

    // the session of another browser: the callback belongs to the one that began
    let eve = Person::arrive(&site.url).await;
    eve.sign_in_at("/sign-in").await;
    eve.see_title("Integrations").await;
    to_consent(&ada).await;
    eve.goto(&ada.path().await).await;
    eve.click("Connect").await;
    ended(&eve, "This sign-in link is no longer valid", "started in another browser").await;
    eve.open("/integrations").await;
    eve.see("Not connected").await;
    eve.leave().await;

    // success, and the same callback once more
    to_consent(&ada).await;
    let callback = ada.callback_after("Connect").await;
    ada.see_title("Account Connected").await;
    ada.goto(&callback).await;
    ended(&ada, "This sign-in link is no longer valid", "It was used already").await;

    // the same account a second time
    ada.open("/integrations").await;
    ada.click("Connect another QuickBooks Online account").await;
    ada.see("Connect an app to QuickBooks").await;
    ada.click("Connect").await;
    ended(&ada, "Already connected", "The user already has an integration to that accounting software").await;
    ada.click("Open Data Feed").await;
    ada.see_title("Data Feed").await;

    // keys of another environment
    site.server.terminate(SOON);
    site.restart_with_secret("a-secret-of-another-environment");
    ada.open("/integrations").await;
    ada.click("Connect Xero").await;
    ada.see("wants access to your organisation data").await;
    ada.click("Allow access").await;
    ended(&ada, "Sandbox and production mixed", "does not accept this server's keys").await;

    // the provider is down when the code is to be exchanged
    site.server.terminate(SOON);
    site.restart();
    ada.open("/integrations").await;
    ada.click("Connect another QuickBooks Online account").await;
    ada.see("Connect an app to QuickBooks").await;
    let faults = serde_json::json!({"face": "quickbooks", "path_contains": "tokens/bearer", "times": 20, "fault": {"kind": "status", "status": 503}});
    site.control("faults", Some(faults)).await;
    ada.click("Connect").await;
    ended(&ada, "QuickBooks is not answering", "did not answer in time").await;
    ada.browser.quit().await.expect("the browser closes");
}

// walk-through 5: no companies
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_without_companies_is_told_the_three_checks() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
        let ada = site.owner().await;
        ada.click("Connect Xero").await;
        ada.see("wants access to your organisation data").await;
        ada.see("This user has no organisations").await;
        ada.click("Allow access").await;
        ended(&ada, "No companies found", "The sign-in worked, but no company or organisation came with it").await;
        for check in [
            "Does your accounting provider account have access to at least one company or organization? Xero shows this sign-in no company at this moment.",
            "did you select the correct organizations when granting access? No organisation was selected in the last consent.",
            "Does your organization here have companies available to link to? None of this account's: it brought no company.",
        ] {
            ada.see(check).await;
        }
        ada.open("/integrations/data-feed").await;
        ada.see("No companies yet").await;
        ada.see("did you select the correct organizations when granting access? No organisation was selected in the last consent.").await;
        ada.leave().await;
    })
    .await;
}
