//! A step that opens something, an hour after the sign-in: the password once more, and what was entered goes through.

use testkit::postgres;

use super::appearance::faults;
use super::site::{Companies, PASSWORD, Site};

// proves H9 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_made_long_after_the_sign_in_asks_for_the_password_and_keeps_what_was_entered() {
    let database = postgres().create_database();
    let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    postgres().run(site.database_name(), "UPDATE sessions SET proven_at = proven_at - 3700000");
    ada.open("/organization/api-keys").await;
    ada.fill("name", "Nightly warehouse load").await;
    ada.click("Make key").await;
    ada.see_title("Confirm it is you").await;
    ada.see("Nothing was changed yet, and what you entered is kept.").await;
    // one types at once
    ada.focuses("present").await;
    let mut wrong = faults(&ada, "confirm-person").await;
    ada.fill("present", "a guess of mine").await;
    ada.click("Continue").await;
    ada.see("The current password is not right.").await;
    wrong.extend(faults(&ada, "confirm-person-wrong").await);
    assert_eq!(wrong, Vec::<String>::new());
    ada.fill("present", PASSWORD).await;
    ada.click("Continue").await;
    ada.see("Your new key").await;
    ada.see("Nightly warehouse load").await;
    // it is proven for an hour
    ada.fill("name", "Another one").await;
    ada.click("Make key").await;
    ada.see("Your new key").await;
    ada.see("Another one").await;
    // the console notes the two forms that were sent back
    let complaints: Vec<String> =
        ada.complaints().await.into_iter().filter(|line| !line.contains("a status of 403") && !line.contains("a status of 422")).collect();
    assert_eq!(complaints, Vec::<String>::new());
    ada.leave().await;
    drop(site);
    postgres().drop_database(&database);
}
