//! A second factor in the browser: set up with what the page shows, asked for at the next sign-in, recovered from, and taken away from the command line.

use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use thirtyfour::prelude::*;

use super::person::{Habits, Person};
use super::site::{Companies, EMAIL, PASSWORD, Site};

/// What an authenticator app shows for a key: so many half minutes from now (RFC 6238 and RFC 4226, written a second time).
pub(super) fn code_of(key: &str, steps_from_now: i64) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut seed, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for letter in key.chars().filter(|letter| !letter.is_whitespace()) {
        held = (held << 5) | LETTERS.find(letter).unwrap_or_else(|| panic!("`{letter}` is no letter of base32")) as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            seed.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    assert_eq!(seed.len(), 20, "the key `{key}` has 160 bits");
    let step = SystemClock.now().as_second() / 30 + steps_from_now;
    let mut mac = <Hmac<Sha1> as Mac>::new_from_slice(&seed).expect("a key of any length");
    mac.update(&(step as u64).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = (hash[19] & 15) as usize;
    let number = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// Types into the field a selector finds: several forms of a page ask for the current password.
pub(super) async fn fill_in(person: &Person, selector: &str, text: &str) {
    let field = person.browser.find(By::Css(selector)).await.unwrap_or_else(|_| panic!("there is no field `{selector}`"));
    field.send_keys(text).await.expect("a field can be typed into");
}

/// The key that the page shows while a second factor is set up.
pub(super) async fn seed_shown(person: &Person) -> String {
    person.see("2. The code that the app shows now").await;
    let seed = person.ask("return document.querySelector('#seed').innerText").await;
    seed.as_str().expect("the key is a text").to_owned()
}

// proves H9 in part
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_set_up_asked_for_recovered_from_and_taken_away() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    ada.click_on("[popovertarget=user-menu]").await;
    ada.click("Profile and security").await;
    ada.see_title("Profile and security").await;
    fill_in(&ada, "#factor-present", PASSWORD).await;
    ada.click("Set up").await;
    let seed = seed_shown(&ada).await;
    // a camera sees dark on white, also in the dark
    let picture = ada
        .ask(
            "const picture = document.querySelector('#second-factor svg[role=img]');
             const fill = (name) => getComputedStyle(picture.querySelector(name)).fill;
             return [Math.round(picture.getBoundingClientRect().width), fill('rect'), fill('path')]",
        )
        .await;
    assert_eq!(picture, serde_json::json!([220, "rgb(255, 255, 255)", "rgb(0, 0, 0)"]));
    ada.fill("code", &code_of(&seed, 0)).await;
    ada.click("Turn on").await;
    ada.see("Keep these 10 recovery codes").await;
    let codes = ada.ask("return document.querySelector('#recovery-codes').innerText.split('\\n')").await;
    let codes: Vec<String> = serde_json::from_value(codes).expect("codes are texts");
    assert_eq!(codes.len(), 10, "{codes:?}");
    ada.click("I have kept them").await;
    ada.see("10 of 10 recovery codes left.").await;
    ada.see("Chrome on Linux").await;
    ada.see("this one").await;

    // out, and in again with the code that follows the one that was used
    ada.click_on("[popovertarget=user-menu]").await;
    ada.click("Sign out").await;
    ada.see_title("Sign in").await;
    ada.sign_in_at("/sign-in").await;
    ada.see_title("Enter your code").await;
    assert_eq!(ada.path().await, "/sign-in/code");
    ada.fill("code", &code_of(&seed, 1)).await;
    ada.click("Sign in").await;
    ada.see("Lovelace & Co").await;
    ada.open("/organization/members").await;
    let (head, rows) = ada.table().await;
    let at = head.iter().position(|name| name == "Second factor").unwrap_or_else(|| panic!("no such column: {head:?}"));
    assert_eq!(rows[0][at], "On", "{rows:?}");

    // without scripts, with a recovery code; the same one does not work again
    let plain = Person::arrive_with(&site.url, Habits { without_scripts: true, size: Some((320, 780)), ..Habits::default() }).await;
    plain.sign_in_at("/sign-in").await;
    plain.see_title("Enter your code").await;
    plain.click_on(".fold > summary").await;
    plain.fill("recovery", &codes[3]).await;
    plain.click("Sign in with it").await;
    plain.see("You used a recovery code; 9 are left.").await;
    plain.open("/profile").await;
    plain.click("End all others").await;
    plain.see("One other session has ended.").await;
    ada.open("/companies").await;
    ada.see_title("Sign in").await;
    ada.sign_in_at("/sign-in").await;
    ada.click_on(".fold > summary").await;
    ada.fill("recovery", &codes[3]).await;
    ada.click("Sign in with it").await;
    ada.see("it was used before").await;

    // whoever runs the server takes it away
    let nobody = site.run(&["reset-second-factor", "nobody@lovelace.example"], Duration::from_secs(60)).await;
    assert_eq!(nobody.status.code(), Some(2), "{nobody:?}");
    assert!(nobody.stderr.contains("nobody signs in with nobody@lovelace.example"), "{}", nobody.stderr);
    let reset = site.run(&["reset-second-factor", "ADA@lovelace.example"], Duration::from_secs(60)).await;
    assert_eq!(reset.status.code(), Some(0), "{reset:?}");
    assert!(reset.stdout.contains("Ada Lovelace (ada@lovelace.example) has no second factor any more"), "{}", reset.stdout);
    let again = site.run(&["reset-second-factor", EMAIL], Duration::from_secs(60)).await;
    assert!(again.status.success() && again.stdout.contains("nothing was changed"), "{again:?}");
    plain.open("/companies").await;
    plain.see_title("Sign in").await;
    ada.sign_in_at("/sign-in").await;
    ada.see("Lovelace & Co").await;
    ada.open("/profile").await;
    ada.see("Whoever learns your password still cannot sign in.").await;
    let complaints = ada.complaints().await;
    let expected = |line: &String| ["401", "422"].iter().any(|status| line.contains(&format!("a status of {status}")));
    assert!(complaints.iter().all(expected), "the browser's console holds:\n{}", complaints.join("\n"));
    for person in [ada, plain] {
        person.browser.quit().await.expect("the browser closes");
    }
}
