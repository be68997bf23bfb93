//! Walk-through 6: the same sign-in a second time, and the same company through another one.

use serde_json::json;
use testkit::each_database;

use super::person::{Person, numbers};
use super::site::{Companies, Site};

// walk-through 6: duplicate
// proves A2
// proves A10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_is_refused_with_the_way_to_the_existing_one() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
        let second = json!({"email": "ines@birchwood.example", "given_name": "Ines", "family_name": "Lund"});
        site.control("users", Some(second)).await;
        let ada = site.owner().await;
        ada.import_quickbooks().await;
        ada.watch_until_verified(1).await;

        // the same login once more
        ada.open("/integrations").await;
        let account = ada.ask("return document.querySelector('a.stretched').getAttribute('href')").await;
        let name = ada.ask("return document.querySelector('a.stretched').innerText").await;
        ada.click("Connect another QuickBooks Online account").await;
        ada.see("Connect an app to QuickBooks").await;
        ada.click("Connect").await;
        ada.see_title("Already connected").await;
        let name = name.as_str().unwrap_or_default();
        ada.see(&format!("The user already has an integration to that accounting software: {name}.")).await;
        ada.see("disconnect the current one on the Integrations overview").await;
        assert_eq!(ada.stats("main").await, numbers(&[("Companies found", 1), ("Already linked", 1), ("Importable", 0)]));
        ada.see("Back to Integrations").await;
        ada.click(&format!("Show {name}")).await;
        ada.see_title(name).await;
        assert_eq!(ada.path().await, account.as_str().unwrap_or_default());
        ada.open("/integrations/result").await;
        ada.click("Open Data Feed").await;
        ada.see_title("Data Feed").await;

        // somebody else's login that sees the same company: welcome, and the company is linked once
        ada.open("/integrations").await;
        ada.click("Connect another QuickBooks Online account").await;
        ada.see("Connect an app to QuickBooks").await;
        ada.ask("document.querySelector('#user').value = 'ines@birchwood.example'; return true").await;
        ada.click("Switch").await;
        ada.see("Connect an app to QuickBooks").await;
        ada.click("Connect").await;
        ada.see_title("Account Connected").await;
        ada.see("ines@birchwood.example").await;
        assert_eq!(ada.stats("main").await, numbers(&[("Companies found", 1), ("Already linked", 1), ("Importable", 0)]));
        ada.see("Nothing to import").await;
        ada.see("Everything is linked already.").await;
        ada.see(&format!("linked through {name}")).await;
        ada.open("/integrations/data-feed").await;
        assert_eq!(ada.feed().await.len(), 1);
        second_consents_at_xero(&site, &ada).await;
        ada.leave().await;
    })
    .await;
}

/// One organisation is imported; a second consent of the same person brings another one, and one of another person sees both.
async fn second_consents_at_xero(site: &Site, ada: &Person) {
    for (seed, name) in [(921, "Aspen Bakery"), (922, "Birch Cycles")] {
        let company = json!({"face": "xero", "name": name, "seed": seed, "documents_per_month": 1, "from": "2026-05-01", "to": "2026-06-30"});
        site.control("companies", Some(company)).await;
    }
    ada.open("/integrations").await;
    ada.click("Connect Xero").await;
    ada.see("Select one or more organisations").await;
    choose(ada, &["Aspen Bakery"]).await;
    ada.see_title("Account Connected").await;
    ada.see("Casey Morgan").await;
    assert_eq!(ada.stats("main").await, numbers(&[("Companies found", 1), ("Already linked", 0), ("Importable", 1)]));
    ada.click("Import All Companies").await;
    ada.see_title("Data Feed").await;

    // the same person grants one more: the account is there already, and the page leads to what came with this consent
    ada.open("/integrations").await;
    ada.click("Connect another Xero account").await;
    ada.see("Select one or more organisations").await;
    choose(ada, &["Birch Cycles"]).await;
    ada.see_title("Already connected").await;
    ada.see("Casey Morgan").await;
    assert_eq!(ada.stats("main").await, numbers(&[("Companies found", 2), ("Already linked", 1), ("Importable", 1)]));
    ada.click("Choose what to import: 1 company is new").await;
    ada.see_title("Account Connected").await;
    assert_eq!(ada.stats("main").await, numbers(&[("Companies found", 2), ("Already linked", 1), ("Importable", 1)]));
    assert_eq!(lines(ada).await, ["Aspen Bakery linked", "Birch Cycles new importable"]);

    // another person sees both: what is linked, and through whom, and what is left
    ada.open("/integrations").await;
    ada.click("Connect another Xero account").await;
    ada.click("Ines Lund").await;
    ada.see("Signed in as Ines Lund").await;
    ada.see("Select one or more organisations").await;
    choose(ada, &["Aspen Bakery", "Birch Cycles"]).await;
    ada.see_title("Account Connected").await;
    ada.see("ines@birchwood.example").await;
    assert_eq!(ada.stats("main").await, numbers(&[("Companies found", 2), ("Already linked", 1), ("Importable", 1)]));
    assert_eq!(lines(ada).await, ["Aspen Bakery linked through Casey Morgan", "Birch Cycles importable"]);
    ada.click("Add Companies Manually").await;
    ada.see_title("Data Feed").await;
    assert_eq!(ada.feed().await.into_iter().map(|row| row.company).collect::<Vec<_>>(), ["Birch Cycles"], "nothing was linked by looking");
}

/// Ticks these organisations on Xero's page, and no others, and allows.
async fn choose(person: &Person, names: &[&str]) {
    let script = "for (const label of document.querySelectorAll('fieldset label')) {
                      label.querySelector('input').checked = NAMES.some((name) => label.textContent.includes(name));
                  }
                  return document.querySelectorAll('fieldset input:checked').length";
    let ticked = person.ask(&script.replace("NAMES", &json!(names).to_string())).await;
    assert_eq!(ticked, json!(names.len()), "{names:?}");
    person.click("Allow access").await;
}

/// The companies of the page after a consent, with what is said of each.
async fn lines(person: &Person) -> Vec<String> {
    let read = person.ask("return [...document.querySelectorAll('.setup-card li')].map((line) => line.innerText)").await;
    let lines: Vec<String> = serde_json::from_value(read).expect("lines are texts");
    lines.iter().map(|line| super::person::squeezed(line)).collect()
}
