//! The same pages without a mouse: Tab, Enter, Space, Escape and the arrows alone. Wherever the focus stops it is seen, and nothing lies over it.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::person::{Person, SOON, SYNCED_WITHIN, squeezed};
use super::site::{Companies, EMAIL, PASSWORD, Site};

/// More stops than any page has.
const MOST_STOPS: usize = 250;

/// The name of what has the focus, and whether a person sees that it has: it is marked, and no part of the frame covers it.
const STOP: &str = "
    const it = document.activeElement;
    const named = (node) => node.getAttribute('aria-label') ?? node.labels?.[0]?.innerText ?? (node.innerText || node.title || node.name || '');
    const style = getComputedStyle(it);
    const outlined = it.matches(':focus-visible') && parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== 'none';
    // the palette's only field shows its caret; the browser itself marks the button within a field for a day
    const marked = outlined || it.matches('#palette-input, input[type=date]');
    const box = it.getBoundingClientRect();
    const places = [[.5, .5], [.1, .5], [.9, .5], [.5, .1], [.5, .9]].map(([x, y]) => [box.left + box.width * x, box.top + box.height * y]);
    const bare = places.some(([x, y]) => { const top = document.elementFromPoint(x, y); return top && (it.contains(top) || top.contains(it) || it.labels?.[0]?.contains(top)); });
    return [named(it), marked, bare, it === document.body];";

/// Presses Tab until the focus is on what is called so.
async fn tab_to(person: &Person, name: &str) {
    let mut stops: Vec<String> = Vec::new();
    loop {
        person.press(Key::Tab).await;
        let stop: (String, bool, bool, bool) = serde_json::from_value(person.ask(STOP).await).expect("a stop has a name and is seen or not");
        let (stop, marked, bare, is_nowhere) = (squeezed(&stop.0), stop.1, stop.2, stop.3);
        if !is_nowhere {
            assert!(marked, "the focus on `{stop}` of {} is not visible", person.path().await);
            assert!(bare, "the focus on `{stop}` of {} lies under something else", person.path().await);
            if stop == name {
                return;
            }
        }
        stops.push(stop);
        assert!(stops.len() < MOST_STOPS, "no `{name}` on {} among {stops:?}", person.path().await);
    }
}

async fn enter(person: &Person, name: &str) {
    tab_to(person, name).await;
    person.press(Key::Enter).await;
}

/// Types keys in place of what a field holds.
async fn retype(person: &Person, text: &str) {
    person.browser.action_chain().key_down(Key::Control).send_keys("a").key_up(Key::Control).perform().await.expect("keys can be pressed together");
    person.press(text).await;
}

async fn until(person: &Person, script: &str, wanted: Value) {
    let deadline = std::time::Instant::now() + SOON;
    loop {
        let found = person.ask(script).await;
        if found == wanted {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "`{script}` stays {found} on {}", person.path().await);
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
    }
}

/// From field to field until the one that is called so has the focus.
async fn press_tab_until(person: &Person, name: &str) {
    let mut stops = 0;
    while person.focused().await != name {
        person.press(Key::Tab).await;
        stops += 1;
        assert!(stops < 100, "`{name}` is not reached after {stops} stops on {}", person.path().await);
    }
}

// proves K2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_keyboard_alone_one_can_sign_in_connect_import_resync_filter_map_and_invite() {
    let site = Site::on_sqlite(Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    ada.leave().await;
    let bob = Person::arrive(&site.url).await;
    bob.open("/sign-in?next=/integrations").await;
    bob.focuses("email").await;
    bob.press(EMAIL).await;
    bob.press(Key::Tab).await;
    bob.press(PASSWORD).await;
    bob.press(Key::Enter).await;
    bob.see_title("Integrations").await;

    connect_and_import(&bob).await;
    resync(&bob).await;
    follow_the_log(&bob).await;
    map(&bob).await;
    find_by_the_palette(&bob).await;
    invite_and_revoke(&bob).await;
    let complaints: Vec<String> = bob.complaints().await.into_iter().filter(|line| !line.contains("a status of 422")).collect();
    assert!(complaints.is_empty(), "the browser's console holds:\n{}", complaints.join("\n"));
    bob.browser.quit().await.expect("the browser closes");
}

async fn connect_and_import(bob: &Person) {
    enter(bob, "Connect QuickBooks Online").await;
    bob.see("Connect an app to QuickBooks").await;
    // the provider's page is not ours to judge
    press_tab_until(bob, "Connect").await;
    bob.press(Key::Enter).await;
    bob.see_title("Account Connected").await;
    enter(bob, "Import All Companies").await;
    bob.see_title("Data Feed").await;
    bob.watch_until_verified(1).await;
    // an account is closed by Escape, and the focus returns to its card
    bob.open("/integrations").await;
    let account = bob.ask("return document.querySelector('a.stretched').innerText").await;
    let account = account.as_str().expect("a name is a text").to_owned();
    enter(bob, &account).await;
    bob.see_title(&account).await;
    bob.press(Key::Escape).await;
    bob.see_title("Integrations").await;
    until(bob, "return document.activeElement.innerText", json!(account)).await;
}

async fn resync(bob: &Person) {
    bob.open("/integrations/data-feed").await;
    // arrows pass over choices; Enter makes one
    until(bob, "const it = document.querySelector('select[name=provider]'); it.focus(); return document.activeElement === it", json!(true)).await;
    bob.press(Key::Down).await;
    bob.press(Key::Down).await;
    bob.press(Key::Up).await;
    until(bob, "return document.querySelector('select[name=provider]').value", json!("quickbooks")).await;
    assert_eq!(bob.path().await, "/integrations/data-feed", "nothing is sent on the way");
    bob.press(Key::Enter).await;
    until(bob, "return new URLSearchParams(location.search).get('provider')", json!("quickbooks")).await;
    bob.open("/integrations/data-feed").await;
    // the first stop leads past the navigation
    tab_to(bob, "Skip to content").await;
    bob.press(Key::Enter).await;
    let mut stops = 0;
    while !bob.focused().await.starts_with("Actions for ") {
        bob.press(Key::Tab).await;
        stops += 1;
        assert!(stops < 40, "no row menu after {stops} stops");
    }
    let menu = bob.focused().await;
    bob.press(Key::Enter).await;
    bob.press(Key::Down).await;
    assert_eq!(bob.focused().await, "Resync");
    bob.press(Key::Up).await;
    assert_ne!(bob.focused().await, "Resync", "arrows go round");
    // Esc closes the menu and gives the focus back
    bob.press(Key::Escape).await;
    assert_eq!(bob.focused().await, menu);
    bob.press(Key::Enter).await;
    bob.press(Key::Tab).await;
    assert_eq!(bob.focused().await, "Resync");
    bob.press(Key::Enter).await;
    bob.see("1 queued.").await;
    bob.watch_until_verified(1).await;

    // a selection: Space ticks, and what can be done with it is the next stop but some
    let company = bob.feed().await.remove(0).company;
    bob.open("/integrations/data-feed").await;
    tab_to(bob, &format!("Select {company}")).await;
    bob.press(" ").await;
    bob.see("1 selected").await;
    bob.open("/integrations/data-feed").await;
    bob.see("1 selected").await;
    enter(bob, "Auto Resync").await;
    bob.see("1 queued.").await;
    bob.watch_until_verified(1).await;
    bob.open("/integrations/data-feed").await;
    enter(bob, "Auto Resync All").await;
    bob.see_title("Auto Resync All").await;
}

async fn follow_the_log(bob: &Person) {
    bob.open("/integrations/logs/all").await;
    tab_to(bob, "Message").await;
    bob.press("sync started").await;
    bob.press(Key::Enter).await;
    bob.see("3 entries").await;
    let entry = bob.ask("return document.querySelector('.log-message a').innerText").await;
    let entry = entry.as_str().expect("a message is a text").to_owned();
    enter(bob, &entry).await;
    until(bob, "return !!document.querySelector('dialog.drawer[open]')", json!(true)).await;
    // the focus stays within the drawer, until Escape gives it back to the entry
    for _ in 0..40 {
        bob.press(Key::Tab).await;
        let inside = "const it = document.activeElement; return it === document.body || !!it.closest('dialog.drawer')";
        assert_eq!(bob.ask(inside).await, json!(true), "the focus is on `{}` outside the drawer", bob.focused().await);
    }
    bob.press(Key::Escape).await;
    until(bob, "return !document.querySelector('dialog.drawer') && location.pathname === '/integrations/logs/all'", json!(true)).await;
    assert_eq!(bob.focused().await, entry);
}

async fn map(bob: &Person) {
    let company = bob.company_path().await;
    bob.open(&format!("{company}/mapping?tab=all")).await;
    tab_to(bob, "Search accounts by name, code or type").await;
    bob.press("Office Supplies").await;
    bob.press(Key::Enter).await;
    bob.see_title("Chart of Accounts Mapping").await;
    enter(bob, "Change the category of Office Supplies").await;
    bob.see_title("Change category").await;
    // the field has the focus already
    bob.focuses("category").await;
    retype(bob, "donations").await;
    bob.press(Key::Enter).await;
    bob.see("What moves").await;
    enter(bob, "Apply").await;
    bob.see("1 account moved to “Charitable contributions”").await;
}

async fn find_by_the_palette(bob: &Person) {
    tab_to(bob, "Search or run Ctrl K Command Palette").await;
    let opener = bob.focused().await;
    bob.press(Key::Enter).await;
    until(bob, "return document.activeElement.id", json!("palette-input")).await;
    bob.press(Key::Escape).await;
    assert_eq!(bob.focused().await, opener);
    bob.press(Key::Enter).await;
    until(bob, "return document.querySelectorAll('#palette-list [role=option]').length > 3", json!(true)).await;
    bob.press("invite member").await;
    until(bob, "return document.querySelector('#palette-list [aria-selected=true] bdi')?.textContent", json!("Invite Member")).await;
    bob.press(Key::Enter).await;
    bob.see_title("Invite Member").await;
}

async fn invite_and_revoke(bob: &Person) {
    until(bob, "return document.activeElement.id", json!("emails")).await;
    bob.press("max@lovelace.example").await;
    bob.press(Key::Tab).await;
    bob.press(Key::Down).await;
    assert_eq!(bob.ask("return document.querySelector('[name=role]:checked').value").await, json!("admin"));
    enter(bob, "Send Invitation").await;
    bob.see("max@lovelace.example").await;
    bob.see("Copy link").await;

    // a dialog asks, keeps the focus, and gives it back
    bob.open("/organization/api-keys").await;
    tab_to(bob, "Name").await;
    bob.press("Nightly load").await;
    bob.press(Key::Enter).await;
    bob.see("Copy it now").await;
    bob.open("/organization/api-keys").await;
    tab_to(bob, "Revoke Nightly load").await;
    bob.press(Key::Enter).await;
    until(bob, "return document.querySelector('#confirm').open", json!(true)).await;
    bob.press(Key::Escape).await;
    assert_eq!(bob.focused().await, "Revoke Nightly load");
    bob.press(Key::Enter).await;
    until(bob, "return document.querySelector('#confirm').open", json!(true)).await;
    press_tab_until(bob, "Revoke").await;
    bob.press(Key::Enter).await;
    bob.see_within("revoked", SYNCED_WITHIN).await;
}
