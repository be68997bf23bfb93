//! The audit log as an Owner reads it: what was done stands there with who, what, before, after and from where, with and without scripts.

use serde_json::json;
use testkit::each_database;

use super::person::{Habits, Person};
use super::site::{Companies, Site};

// proves H11 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_finds_who_did_what_and_sees_that_the_chain_is_intact() {
    each_database(|database| async move {
        let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
        let ada = site.owner().await;
        ada.open("/organization/settings").await;
        ada.fill("name", "Lovelace & Daughters").await;
        ada.click("Save").await;
        ada.see("Saved.").await;
        ada.click("Audit log").await;
        ada.see_title("Audit log").await;
        ada.see("Chain intact").await;
        let (heads, rows) = ada.table().await;
        assert_eq!(heads, ["When", "Who", "What", "Object", "Before → after", "From where"]);
        let newest = &rows[0];
        assert_eq!((newest[1].as_str(), newest[2].as_str(), newest[5].as_str()), ("Ada Lovelace", "Organization renamed", "127.0.0.1"), "{rows:?}");
        assert!(newest[4].contains("Lovelace & Co") && newest[4].contains("Lovelace & Daughters"), "{newest:?}");
        let acts: Vec<&str> = rows.iter().map(|row| row[2].as_str()).collect();
        assert_eq!(acts, ["Organization renamed", "Signed in", "Organization made"]);

        // a filter stands in the address; choosing from the list is enough
        ada.ask("const list = document.querySelector('select[name=act]'); list.value = 'signed_in'; list.dispatchEvent(new Event('change', { bubbles: true }))").await;
        ada.see("What: Signed in").await;
        assert!(ada.path().await.contains("act=signed_in"), "{}", ada.path().await);
        assert_eq!(ada.table().await.1.len(), 1);
        ada.see("Chain intact").await;

        // a narrow window, without scripts
        let narrow = Person::arrive_with(&site.url, Habits { without_scripts: true, size: Some((320, 640)), ..Habits::default() }).await;
        narrow.sign_in_at("/sign-in?next=/organization/audit").await;
        narrow.see_title("Audit log").await;
        let fits = narrow.ask("return document.documentElement.scrollWidth <= innerWidth").await;
        assert_eq!(fits, json!(true), "nothing stands out of the window");
        narrow.fill("who", "nobody is called so").await;
        narrow.click("Filter").await;
        narrow.see("No entry fits").await;
        narrow.click("Clear").await;
        narrow.see("Organization made").await;
        narrow.leave().await;
        ada.leave().await;
    })
    .await;
}
