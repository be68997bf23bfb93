//! Every page in every state a person meets: it fits phone and desk, keeps nobody out, and makes the browser complain of nothing.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use super::appearance::{draw, faults, gallery};
use super::members::invite;
use super::person::{Habits, Person, SOON, SYNCED_WITHIN};
use super::second_factor::{code_of, fill_in, seed_shown};
use super::site::{Companies, EMAIL, PASSWORD, Site};
use crate::source::read;

/// Paths of the site that answer a GET with something else than a page of their own: files, streams, redirects.
const NO_PAGE: [&str; 14] = [
    "/",
    "/healthz",
    "/readyz",
    "/assets/{name}",
    "/events",
    "/integrations/data-feed/export.csv",
    "/integrations/logs/all/export",
    "/integrations/logs/companies/{id}/export",
    "/notifications/open",
    "/palette/index.json",
    "/companies/{id}/mapping/export",
    "/organization/audit/export",
    "/oauth/{provider}/callback",
    // where somebody without an account comes back to: a form of the page `/reconnect/{token}`
    "/reconnect/result",
];

/// One walk through the whole site: what was seen, and what was wrong with it.
struct Walk<'a> {
    site: &'a Site,
    ada: &'a Person,
    seen: BTreeSet<String>,
    faults: Vec<String>,
}

impl Walk<'_> {
    async fn page(&mut self, path: &str, name: &str) {
        self.ada.open(path).await;
        self.here(name).await;
    }

    async fn pages(&mut self, pages: &[(&str, &str)]) {
        for (path, name) in pages {
            self.page(path, name).await;
        }
    }

    async fn here(&mut self, name: &str) {
        self.of(self.ada, name).await;
    }

    /// What somebody else sees.
    async fn of(&mut self, person: &Person, name: &str) {
        let path = person.path().await;
        self.seen.insert(path.split(['?', '#']).next().unwrap_or_default().to_owned());
        self.faults.extend(faults(person, name).await);
    }

    /// Opens what a button opens, and looks at it.
    async fn opened(&mut self, selector: &str, name: &str) {
        self.ada.click_on(selector).await;
        self.here(name).await;
    }
}

fn at_a_desk() -> Habits {
    Habits { size: Some((1440, 900)), ..Habits::default() }
}

// what tests cannot judge was gone through by hand (docs/accessibility.md)
// proves K2
// proves K4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_fits_a_phone_and_a_desk_and_keeps_nobody_out_in_light_and_dark() {
    let demo = gallery().is_some();
    let site = Site::on_sqlite(if demo { Companies::Demo } else { Companies::QuickBooks(100) }).await;
    let ada = Person::arrive_with(&site.url, at_a_desk()).await;
    let mut walk = Walk { site: &site, ada: &ada, seen: BTreeSet::new(), faults: Vec::new() };
    before_anything_is_there(&mut walk).await;
    connecting(&mut walk, demo).await;
    while_it_syncs(&mut walk).await;
    ada.open("/integrations/data-feed").await;
    ada.watch_until_verified(if demo { 3 } else { 2 }).await;
    let company = ada.company_path().await;
    integrations(&mut walk, &company).await;
    logs(&mut walk, &company).await;
    books(&mut walk, &company).await;
    people(&mut walk, &company).await;
    own_account(&mut walk).await;
    programs(&mut walk).await;
    when_something_is_wrong(&mut walk, &company).await;
    let complaints: Vec<String> = ada.complaints().await.into_iter().filter(|line| !is_a_refusal(line)).collect();
    assert!(complaints.is_empty(), "the browser's console holds:\n{}", complaints.join("\n"));
    let Walk { seen, faults, .. } = walk;
    ada.browser.quit().await.expect("the browser closes");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(unseen(&seen), Vec::<String>::new(), "no walk leads to these pages");
}

/// A page that is refused, missing or sent back with errors is noted by the console.
fn is_a_refusal(line: &str) -> bool {
    ["404", "410", "422"].iter().any(|status| line.contains(&format!("a status of {status}")))
}

/// The paths of `routes.rs` that show a page and were not looked at.
fn unseen(seen: &BTreeSet<String>) -> Vec<String> {
    let routes = read("crates/web/src/routes.rs");
    let paths = routes.split("route(\"").skip(1).filter_map(|rest| {
        let (path, declared) = rest.split_once('"')?;
        declared.lines().next()?.contains(" get(").then_some(path)
    });
    let paths: Vec<&str> = paths.collect();
    assert!(paths.len() > 60, "routes.rs has another form, and only {} paths are found in it", paths.len());
    let fits = |pattern: &str, path: &str| {
        let (wanted, shown): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
        wanted.len() == shown.len() && wanted.iter().zip(&shown).all(|(wanted, shown)| wanted == shown || wanted.starts_with('{'))
    };
    // a path that is written out is not one of `{token}`
    let is_another = |pattern: &str, path: &str| pattern.contains('{') && paths.contains(&path);
    let was_seen = |pattern: &str| seen.iter().any(|path| fits(pattern, path) && !is_another(pattern, path));
    paths.iter().filter(|path| !NO_PAGE.contains(path) && !was_seen(path)).map(|path| (*path).to_owned()).collect()
}

async fn before_anything_is_there(walk: &mut Walk<'_>) {
    let (site, ada) = (walk.site, walk.ada);
    walk.page("/sign-in", "sign-in-new").await;
    ada.goto(&site.setup_link).await;
    walk.here("setup").await;
    ada.fill("email", "nobody").await;
    ada.fill("password", "short").await;
    ada.click("Create organization").await;
    ada.see("Use at least 12 characters.").await;
    walk.here("setup-wrong").await;
    ada.fill("organization", "Lovelace & Co").await;
    ada.fill("name", "Ada Lovelace").await;
    ada.fill("email", EMAIL).await;
    ada.fill("password", PASSWORD).await;
    ada.click("Create organization").await;
    ada.see_title("Welcome to Tieout").await;
    walk.here("welcome").await;
    walk.pages(&[
        ("/setup/none", "setup-over"),
        ("/sign-in/link/none", "sign-in-link-over"),
        ("/password/none", "password-new-over"),
        ("/reconnect/none", "reconnect-link-over"),
        ("/again/none", "send-again-over"),
        ("/integrations", "overview-empty"),
        ("/integrations/data-feed", "data-feed-empty"),
        ("/integrations/logs", "logs-empty"),
        ("/integrations/logs/all", "log-table-empty"),
        ("/integrations/logs/all/runs", "log-runs-empty"),
        ("/integrations/incidents", "incidents-none"),
        ("/notifications", "notifications-none"),
        ("/companies", "companies-empty"),
        ("/mapping", "mapping-companies-empty"),
        ("/organization/access", "access-empty"),
        ("/organization/invitations", "invitations-empty"),
        ("/organization/api-keys", "api-keys-empty"),
        ("/palette?q=nothing+is+called+so", "palette-nothing"),
    ])
    .await;
}

/// Each way an authorization ends that leads to a page of another form.
async fn connecting(walk: &mut Walk<'_>, demo: bool) {
    let (site, ada) = (walk.site, walk.ada);
    ada.open("/integrations").await;
    ada.click("Connect QuickBooks Online").await;
    ada.see("Connect an app to QuickBooks").await;
    draw(ada, "consent-quickbooks").await;
    ada.click("No, thanks").await;
    ada.see_title("Authorization Denied").await;
    walk.here("result-denied").await;
    ada.open("/integrations").await;
    ada.click("Connect Xero").await;
    ada.see("wants access to your organisation data").await;
    draw(ada, "consent-xero").await;
    if demo {
        for box_number in [1, 2] {
            ada.click_on(&format!("fieldset label:nth-of-type({box_number}) input")).await;
        }
        ada.click("Allow access").await;
        ada.see_title("Account Connected").await;
        walk.here("account-connected-xero").await;
    } else {
        ada.click("Allow access").await;
        ada.see_title("No companies found").await;
        walk.here("result-no-companies").await;
        walk.page("/integrations/data-feed", "data-feed-three-checks").await;
        site.control("companies", Some(json!({"face": "xero", "name": "Kauri Outdoor Ltd", "seed": 7, "documents_per_month": 3}))).await;
        ada.open("/integrations/result").await;
        ada.click_by_text(".result-actions button", "Choose again at Xero").await;
        ada.click("Allow access").await;
        ada.see_title("Connected").await;
        walk.here("result-connected-again").await;
    }
    ada.open("/integrations").await;
    ada.click("Connect QuickBooks Online").await;
    ada.click("Connect").await;
    ada.see_title("Account Connected").await;
    walk.here("account-connected").await;
    walk.page("/integrations", "overview-unfinished").await;
    ada.click("Connect another QuickBooks Online account").await;
    ada.see("Connect an app to QuickBooks").await;
    ada.click("Connect").await;
    ada.see_title("Already connected").await;
    walk.here("result-duplicate").await;
    // the callback of a question nobody asked
    ada.open("/oauth/quickbooks/callback?code=invented&state=invented").await;
    ada.see_title("This sign-in link is no longer valid").await;
    walk.here("result-invalid").await;
}

async fn while_it_syncs(walk: &mut Walk<'_>) {
    let (site, ada) = (walk.site, walk.ada);
    ada.open("/integrations").await;
    let setups = ada.ask("return [...document.querySelectorAll('main a[href$=\"/setup\"]')].map((link) => link.getAttribute('href'))").await;
    let setups: BTreeSet<String> = serde_json::from_value(setups).expect("addresses are texts");
    super::data_feed::slow(site, 900, 400).await;
    for setup in setups {
        ada.open(&setup).await;
        ada.click("Import All Companies").await;
        ada.see_title("Data Feed").await;
    }
    ada.open("/integrations/data-feed").await;
    walk.here("data-feed-syncing").await;
    walk.opened("#jobs-button", "jobs-syncing").await;
    let company = ada.company_path().await;
    walk.page(&company, "company-syncing").await;
    walk.page(&format!("{company}/statements"), "statements-empty").await;
    walk.page(&format!("{company}/mapping"), "mapping-syncing").await;
    super::data_feed::fast(site).await;
}

async fn integrations(walk: &mut Walk<'_>, company: &str) {
    let ada = walk.ada;
    let id = last(company);
    walk.page("/integrations", "overview").await;
    walk.opened("button[popovertarget='manage-quickbooks']", "overview-manage").await;
    // one account: its tabs, and the ways out of it
    let account = ada.ask("return document.querySelector('a.stretched').getAttribute('href')").await;
    let account = account.as_str().expect("an address is a text").to_owned();
    walk.page(&account, "account").await;
    for tab in ["access", "usage", "history"] {
        walk.page(&format!("{account}?tab={tab}"), &format!("account-{tab}")).await;
    }
    walk.page(&format!("{account}/setup"), "account-connected-again").await;
    walk.page(&format!("{account}/disconnect"), "disconnect").await;
    ada.click_on("[value=erase]").await;
    ada.click_on("form.setup-card .button-danger").await;
    ada.see("To erase the data, type the name").await;
    walk.here("disconnect-erase-wrong").await;
    walk.page(&format!("{company}/resync"), "resync").await;
    ada.click_on("input[value=again]").await;
    ada.click("Resync").await;
    sent_back(ada).await;
    walk.here("resync-wrong").await;
    walk.page(&format!("{company}/delete"), "company-delete").await;
    ada.fill("name", "another company").await;
    ada.click("Delete company").await;
    sent_back(ada).await;
    walk.here("company-delete-wrong").await;
    walk.page(&format!("{account}/link"), "reconnect-link-to-make").await;
    ada.click("Make the link").await;
    ada.see("Copy link").await;
    walk.here("reconnect-link-to-send").await;
    let link = ada.ask("return document.querySelector('#link').value").await;
    ada.goto(link.as_str().expect("the link is a text")).await;
    walk.here("reconnect-link").await;
    // the Data Feed, and what opens on it
    walk.page("/integrations/data-feed", "data-feed").await;
    walk.opened("table.feed tbody tr:first-child .actions-cell button[popovertarget]", "data-feed-menu").await;
    for (selector, name) in [("[popovertarget=feed-filters]", "data-feed-filters"), ("[popovertarget=feed-columns]", "data-feed-columns")] {
        ada.open("/integrations/data-feed").await;
        walk.opened(selector, name).await;
    }
    ada.open("/integrations/data-feed").await;
    ada.click_on("table.feed tbody tr:first-child td.pick input").await;
    ada.see("1 selected").await;
    walk.here("data-feed-selection").await;
    ada.click_on(".bulk-bar button[value='/integrations/data-feed/unlink']").await;
    until_there(ada, "form[action='/integrations/data-feed/unlink']").await;
    walk.here("unlink").await;
    ada.open("/integrations/data-feed").await;
    ada.see("1 selected").await;
    ada.click_on("button[form=selection]").await;
    ada.see("1 queued.").await;
    walk.here("data-feed-answer").await;
    for (path, name) in [
        ("/integrations/data-feed?q=nobody+is+called+so".to_owned(), "data-feed-no-company-fits"),
        ("/integrations/data-feed/resync-all".to_owned(), "resync-all"),
        (format!("/integrations/data-feed/token-user?company={id}"), "token-user"),
        (format!("/integrations/data-feed/schedule?company={id}"), "schedule"),
    ] {
        walk.page(&path, name).await;
    }
    ada.open(&format!("/integrations/data-feed/schedule?company={id}")).await;
    ada.fill("interval", "0").await;
    ada.click("Save").await;
    sent_back(ada).await;
    walk.here("schedule-wrong").await;
    // the session ends before the form is sent
    ada.open(&format!("/integrations/data-feed/schedule?company={id}")).await;
    ada.fill("interval", "45").await;
    ada.devtools("Network.clearBrowserCookies", json!({})).await;
    ada.click("Save").await;
    ada.see_title("Sign in").await;
    ada.sign_in().await;
    ada.see_title("Send it again?").await;
    walk.here("send-again").await;
    ada.click("Send it again").await;
    ada.see("Schedule of 1 company saved.").await;
    ada.open("/integrations/data-feed").await;
    ada.watch_until_verified(ada.feed().await.len()).await;
}

async fn logs(walk: &mut Walk<'_>, company: &str) {
    let ada = walk.ada;
    let of_company = format!("/integrations/logs/companies/{}", last(company));
    for (path, name) in [
        ("/integrations/logs", "logs"),
        ("/integrations/logs?q=nobody+is+called+so", "logs-no-company-fits"),
        ("/integrations/logs/all", "log-table"),
        ("/integrations/logs/all?counts=1&status=success", "log-table-counted"),
        ("/integrations/logs/all?date=someday", "log-table-wrong-date"),
        ("/integrations/logs/all?message=nothing+says+so", "log-table-no-entry-fits"),
        (&of_company, "log-company"),
        (&format!("{of_company}/runs"), "log-runs-company"),
        ("/integrations/logs/all/runs", "log-runs"),
        ("/integrations/logs/settings", "log-settings"),
        ("/integrations/logs/errors", "error-guide"),
        ("/integrations/health", "provider-health"),
    ] {
        walk.page(path, name).await;
    }
    ada.open("/integrations/logs/all/runs").await;
    walk.opened(".run-details > summary", "log-runs-open").await;
    ada.open("/integrations/logs/all").await;
    ada.click_on(".log-message a").await;
    until_there(ada, "dialog.drawer[open]").await;
    walk.here("log-entry-drawer").await;
    let entry = ada.path().await;
    walk.page(&entry, "log-entry").await;
    ada.click("Make support bundle").await;
    ada.see("The whole file").await;
    walk.here("support-bundle").await;
    let entry = entry.split('?').next().unwrap_or_default();
    walk.page(&format!("{entry}/bundle"), "support-bundle-entry").await;
}

async fn books(walk: &mut Walk<'_>, company: &str) {
    let ada = walk.ada;
    let statements = format!("{company}/statements");
    for (path, name) in [
        ("/companies".to_owned(), "companies"),
        (company.to_owned(), "company"),
        (format!("{company}?basis=cash"), "company-cash"),
        (statements.clone(), "statements"),
        (format!("{statements}?report=balance-sheet"), "statements-sheet"),
        (format!("{statements}?report=trial-balance"), "statements-trial"),
        (format!("{statements}?chart=standard"), "statements-standard"),
        (format!("{statements}?chart=standard&report=balance-sheet"), "statements-standard-sheet"),
        (format!("{statements}?chart=standard&report=trial-balance"), "statements-standard-trial"),
        (format!("{company}/contacts"), "contact-balances"),
        ("/mapping".to_owned(), "mapping-companies"),
        (format!("{company}/mapping"), "mapping"),
        (format!("{company}/mapping?tab=all"), "mapping-all"),
        (format!("{company}/mapping?tab=unmapped"), "mapping-unmapped"),
        (format!("{company}/mapping?tab=changed"), "mapping-changed"),
        (format!("{company}/mapping/import"), "mapping-import"),
        (format!("{company}/mapping/history"), "mapping-history"),
    ] {
        walk.page(&path, name).await;
    }
    ada.open(company).await;
    walk.opened("#verification a.month", "company-month").await;
    ada.open(&statements).await;
    ada.click_on("tr.account td a").await;
    ada.see("moved in the month").await;
    walk.here("account-lines").await;
    ada.open(&format!("{company}/mapping?tab=all")).await;
    ada.click_on(".mapping-table td.actions-cell a").await;
    ada.see_title("Change category").await;
    walk.here("mapping-edit").await;
    ada.fill("category", "nothing is called so").await;
    ada.click("Preview").await;
    sent_back(ada).await;
    walk.here("mapping-edit-wrong").await;
    ada.click("Cancel").await;
    ada.click_on(".mapping-table td.actions-cell a").await;
    ada.click_on(".category-list summary").await;
    ada.click_on(".categories button").await;
    ada.see("What moves").await;
    walk.here("mapping-preview").await;
    ada.open(&format!("{company}/mapping/import")).await;
    ada.fill("table", "name,category\nNobody,nothing").await;
    ada.click_on("form .button-primary").await;
    ada.see("Nothing was imported.").await;
    walk.here("mapping-import-wrong").await;
}

async fn people(walk: &mut Walk<'_>, company: &str) {
    let ada = walk.ada;
    walk.page("/organization/invitations/new", "invite").await;
    ada.fill("emails", "ada@lovelace.example and nobody").await;
    ada.click("Send Invitation").await;
    ada.see("is not an e-mail address").await;
    walk.here("invite-wrong").await;
    let reads = ada_reads(ada, company).await;
    let mut links = Vec::new();
    for email in ["max@lovelace.example", "nina.with-a-long-name@subsidiary.lovelace-and-company.example"] {
        links.push(invite(ada, email, &[&reads]).await);
    }
    walk.here("invitations-link").await;
    let max = Person::arrive_with(&walk.site.url, at_a_desk()).await;
    max.open("/sign-in").await;
    walk.of(&max, "sign-in").await;
    max.fill("email", EMAIL).await;
    max.fill("password", "not the password").await;
    max.click("Sign in").await;
    sent_back(&max).await;
    walk.of(&max, "sign-in-wrong").await;
    max.open("/password").await;
    walk.of(&max, "password").await;
    max.goto(&links[0]).await;
    walk.of(&max, "invitation").await;
    max.fill("password", "short").await;
    max.click("Accept").await;
    max.see("Use at least 12 characters.").await;
    walk.of(&max, "invitation-wrong").await;
    max.fill("name", "Max Member").await;
    max.fill("password", PASSWORD).await;
    max.click("Accept").await;
    max.see_title("Companies").await;
    walk.of(&max, "member-companies").await;
    for (path, name) in [
        (company.to_owned(), "member-company"),
        (format!("{company}/mapping"), "member-mapping"),
        ("/palette".to_owned(), "member-palette"),
        ("/integrations".to_owned(), "no-access"),
        ("/companies/none".to_owned(), "not-found"),
    ] {
        max.open(&path).await;
        walk.of(&max, name).await;
    }
    max.goto(&links[1]).await;
    walk.of(&max, "invitation-other-address").await;
    max.goto(&links[0]).await;
    walk.of(&max, "invitation-over").await;
    walk.pages(&[
        ("/organization/members", "members"),
        ("/organization/access", "access"),
        ("/organization/settings", "organization-settings"),
        ("/organizations/new", "organization-new"),
        ("/organization/audit", "audit"),
        ("/organization/audit?who=nobody", "audit-nothing-fits"),
        ("/organization/audit?from=yesterday", "audit-wrong-day"),
    ])
    .await;
    ada.open("/organization/members").await;
    ada.click("Password link").await;
    ada.see("A link for a new password").await;
    walk.here("members-password-link").await;
    let link = ada.ask("return document.querySelector('.copy-line code').innerText").await;
    max.goto(link.as_str().expect("a link is a text")).await;
    walk.of(&max, "password-new").await;
    max.browser.quit().await.expect("the browser closes");
    ada.open("/organization/members").await;
    ada.click_by_text("td a", "Remove").await;
    ada.see_title("Remove Max Member?").await;
    walk.here("member-remove").await;
    for (selector, name) in [("[popovertarget=org-menu]", "organization-switcher"), ("[popovertarget=user-menu]", "user-menu")] {
        ada.open("/organization/members").await;
        walk.opened(selector, name).await;
    }
    ada.open("/organization/members").await;
    ada.resize(390, 844).await;
    walk.opened("[popovertarget=side]", "navigation").await;
}

/// A person's own account, with a second factor in each of its states.
async fn own_account(walk: &mut Walk<'_>) {
    let ada = walk.ada;
    walk.pages(&[("/profile", "profile"), ("/profile/email/none", "email-new-over")]).await;
    ada.open("/profile").await;
    ada.fill("name", "").await;
    ada.click("Save name").await;
    sent_back(ada).await;
    walk.here("profile-wrong").await;
    fill_in(ada, "#factor-present", PASSWORD).await;
    ada.click("Set up").await;
    let seed = seed_shown(ada).await;
    walk.here("profile-second-factor-setup").await;
    ada.fill("code", "1234567").await;
    ada.click("Turn on").await;
    sent_back(ada).await;
    walk.here("profile-second-factor-wrong").await;
    ada.fill("code", &code_of(&seed, 0)).await;
    ada.click("Turn on").await;
    ada.see("Keep these 10 recovery codes").await;
    walk.here("profile-recovery-codes").await;
    walk.page("/profile", "profile-second-factor-on").await;
    walk.pages(&[("/organization/members", "members-second-factor"), ("/organization/settings", "organization-settings-second-factor")]).await;
    let elsewhere = Person::arrive_with(&walk.site.url, at_a_desk()).await;
    elsewhere.sign_in_at("/sign-in").await;
    elsewhere.see_title("Enter your code").await;
    walk.of(&elsewhere, "sign-in-code").await;
    elsewhere.click_on(".fold > summary").await;
    elsewhere.fill("recovery", "none").await;
    elsewhere.click("Sign in with it").await;
    sent_back(&elsewhere).await;
    walk.of(&elsewhere, "sign-in-code-wrong").await;
    elsewhere.browser.quit().await.expect("the browser closes");
    ada.open("/profile").await;
    fill_in(ada, "#factor-present", PASSWORD).await;
    ada.click("Turn off").await;
    ada.see("Your second factor is off.").await;
}

/// The name of a company, from its own page.
async fn ada_reads(ada: &Person, company: &str) -> String {
    let here = ada.path().await;
    ada.open(company).await;
    let name = ada.ask("return document.querySelector('h1').innerText").await;
    ada.open(&here).await;
    name.as_str().expect("a name is a text").to_owned()
}

async fn programs(walk: &mut Walk<'_>) {
    let ada = walk.ada;
    walk.page("/developers/api", "api-reference").await;
    walk.opened(".operation > summary", "api-reference-open").await;
    ada.open("/organization/api-keys").await;
    ada.click("Make key").await;
    sent_back(ada).await;
    walk.here("api-keys-wrong").await;
    ada.fill("name", "Nightly warehouse load").await;
    ada.click("Make key").await;
    ada.see("Copy it now").await;
    walk.here("api-keys-made").await;
    ada.open("/organization/api-keys").await;
    ada.click_on(".actions-cell .button-danger").await;
    ada.see("Programs that use this key are refused").await;
    walk.here("api-keys-revoke").await;
    walk.page("/palette", "palette-page").await;
    ada.open("/integrations").await;
    ada.click_on("[data-palette]").await;
    ada.see("Enter").await;
    ada.see("Data Feed").await;
    walk.here("palette").await;
    ada.press("nothing is called so").await;
    ada.see("No command fits").await;
    walk.here("palette-no-command-fits").await;
    // every component at once; debug builds have it, and tests run those
    walk.page("/dev/design", "design").await;
}

async fn when_something_is_wrong(walk: &mut Walk<'_>, company: &str) {
    let (site, ada) = (walk.site, walk.ada);
    walk.page("/notifications/settings", "notification-settings").await;
    ada.fill("url", "http://nowhere.example").await;
    ada.click_on("form[action='/notifications/webhook'] [value=save]").await;
    sent_back(ada).await;
    walk.here("notification-settings-wrong").await;
    // the provider asks to wait, and then sends what cannot be read
    let wait = json!({"times": 9, "fault": {"kind": "rate_limit", "problem": "minute", "retry_after_secs": 600}});
    site.control("faults", Some(wait)).await;
    ada.open("/integrations/data-feed").await;
    ada.resync_first_row().await;
    ada.watch_feed(SYNCED_WITHIN, "Waiting", |rows| rows.iter().any(|row| row.is("Waiting"))).await;
    walk.here("data-feed-waiting").await;
    walk.page(company, "company-waiting").await;
    ada.open("/integrations/data-feed").await;
    ada.click_on(".status-cell form .link-button").await;
    super::data_feed::fast(site).await;
    ada.watch_feed(SYNCED_WITHIN, "Needs Resync", |rows| rows.iter().any(|row| row.is("Needs Resync"))).await;
    walk.page("/integrations/data-feed", "data-feed-needs-resync").await;
    walk.page(company, "company-needs-resync").await;
    walk.page("/integrations/data-feed/resync-all", "resync-all-due").await;
    site.control("tokens/revoke", Some(json!({}))).await;
    ada.open("/integrations/data-feed").await;
    ada.resync_first_row().await;
    ada.watch_feed(SYNCED_WITHIN, "Invalid token", |rows| rows.iter().any(|row| row.is("Invalid token"))).await;
    ada.open("/integrations").await;
    let account = ada.ask("return document.querySelector('.account.is-invalid a.stretched').getAttribute('href')").await;
    let account = account.as_str().expect("an address is a text").to_owned();
    walk.pages(&[
        ("/integrations", "overview-invalid"),
        ("/integrations/data-feed", "data-feed-invalid"),
        (&account, "account-invalid"),
        (company, "company-invalid"),
        ("/integrations/logs", "logs-invalid"),
        ("/integrations/incidents", "incidents"),
        ("/notifications", "notifications"),
    ])
    .await;
    ada.open("/integrations/logs/all?status=error").await;
    ada.click_on(".log-message a").await;
    until_there(ada, "dialog.drawer[open]").await;
    walk.here("log-entry-error-drawer").await;
    let entry = ada.path().await;
    walk.page(&entry, "log-entry-error").await;
    ada.click_on("a[href^='/integrations/incidents/']").await;
    ada.see("Errors logged").await;
    walk.here("incident").await;
}

/// Waits for a form that comes back with what is wrong.
async fn sent_back(person: &Person) {
    until_there(person, ".is-wrong, [role=alert]").await;
}

async fn until_there(person: &Person, selector: &str) {
    let deadline = Instant::now() + SOON;
    while person.ask(&format!("return !document.querySelector({})", json!(selector))).await == true {
        assert!(Instant::now() < deadline, "{} shows no `{selector}`", person.path().await);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// The last part of a path.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
