//! Each page struct renders with sample data, empty and full.
use askama::Template;
use domain::company::Mark;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use web::pages::account::{AccountPage, Seen};
use web::pages::account_setup::{AccountSetupPage, Importable};
use web::pages::disconnect::DisconnectPage;
use web::pages::integrations::{Account, Card, IntegrationsPage};
use web::pages::setup::{FieldErrors, SetupForm, SetupPage};
use web::pages::sign_in::SignInPage;
use web::pages::sign_in_link::SignInLinkPage;
use web::parts::moment::Moment;
use web::parts::status::{Shield, Status};
use web::visit::{Job, Place, Shell, Theme};

const NOW_MS: i64 = 1_780_000_000_000;
/// A name that must not become markup, and turns the reading direction.
const HOSTILE: &str = "<script>alert(1)</script>\u{202e}gnp.exe\"'&";

fn moment(ms_ago: i64) -> Moment {
    Moment::relative(NOW_MS - ms_ago, Timestamp::from_millisecond(NOW_MS).unwrap(), &TimeZone::UTC)
}

fn account(name: &str, is_invalid: bool) -> Account {
    Account {
        id: "a1".into(),
        provider: "xero".into(),
        name: name.into(),
        email: "books@acme.example".into(),
        is_invalid,
        environment: Some("Simulator"),
        companies: 1_204,
        linked: 14,
        used: 14,
        connected: moment(86_400_000),
        signs_in_again: Some("needs a new sign-in in 9 days".into()),
        needs_setup: !is_invalid,
    }
}

fn shell() -> Shell {
    Shell {
        invalid_accounts: 2,
        job_count: 11,
        jobs: vec![Job { company: HOSTILE.into(), href: "/companies/c1".into(), step: "Transactions".into(), waiting: false }],
        ..Shell::sample(Place::Overview, "Integrations")
    }
}

/// Well-formed enough, and nothing of a name became markup.
fn check(page: &impl Template, shows: &[&str]) {
    let text = page.render().unwrap();
    for word in shows {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
    assert!(!text.contains("<script>alert"), "a name became markup");
    assert!(!text.contains("style=\"") && !text.contains("onclick"), "the content security policy forbids inline styles and scripts");
    for tag in ["div", "section", "form", "table", "ul", "span", "button", "main"] {
        let (open, closed) = (text.matches(&format!("<{tag}")).count(), text.matches(&format!("</{tag}>")).count());
        assert_eq!(open, closed, "<{tag}> is opened {open} times and closed {closed} times");
    }
}

#[test]
fn the_overview_renders_empty_and_full() {
    let card = |id: &str, is_configured: bool, accounts: Vec<Account>| Card {
        id: id.into(),
        name: web::parts::provider::full_name(id).into(),
        is_configured,
        environment: None,
        companies: accounts.len() as i64,
        linked: 0,
        accounts,
    };
    let empty = IntegrationsPage {
        shell: Shell::sample(Place::Overview, "Integrations"),
        cards: vec![card("quickbooks", true, vec![]), card("xero", false, vec![])],
    };
    check(&empty, &["Connect QuickBooks Online", "TIEOUT_XERO_CLIENT_ID", "TIEOUT_XERO_CLIENT_SECRET", "Not configured on this server"]);
    let full = IntegrationsPage {
        shell: shell(),
        cards: vec![card("quickbooks", true, vec![account("Acme", false)]), card("xero", true, vec![account(HOSTILE, true)])],
    };
    check(
        &full,
        &[
            "Manage",
            "Reconnect",
            "Disconnect",
            "Invalid accounts",
            "Linked companies",
            "Sign-in expired for",
            "14 companies stopped",
            "Finish setup",
            "and 10 more",
        ],
    );
}

#[test]
fn the_account_renders_empty_and_full() {
    let status = Status { key: "needs_resync", label: "Needs Resync", reason: Some("last sync failed".into()), resumes: None };
    let shield = Shield { label: Mark::Verified.label(), look: "verified", icon: "shield-full", title: "Equal".into() };
    let seen = Seen {
        id: "c1".into(),
        name: HOSTILE.into(),
        is_linked: true,
        elsewhere: Some("Other".into()),
        status,
        shield,
        last_synced: Some(moment(180_000)),
    };
    for (account, companies, words) in
        [(account("Acme", false), vec![], ["No companies", "Connected"]), (account(HOSTILE, true), vec![seen], ["Needs Resync", "last sync failed"])]
    {
        let page = AccountPage {
            shell: shell(),
            account,
            companies,
            connected_by: "Ada".into(),
            refreshed: moment(720_000),
            signs_in_by: moment(-86_400_000),
            invalid_since: Some(moment(60_000)),
            scopes: vec!["accounting.settings.read".into()],
        };
        check(&page, &words);
    }
}

#[test]
fn account_connected_renders_each_of_its_cases() {
    let company =
        |is_linked: bool, is_new: bool| Importable { name: HOSTILE.into(), is_linked, is_new, elsewhere: is_linked.then(|| "Other".into()) };
    let page = |companies| AccountSetupPage { shell: shell(), account: account("Acme", false), companies };
    check(
        &page(vec![company(false, true), company(true, false)]),
        &["Account Connected", "Import All Companies", "Add Companies Manually", "new", "linked through"],
    );
    check(&page(vec![company(true, false)]), &["Nothing to import", "linked already", "Open Data Feed"]);
    check(&page(vec![]), &["No company behind this sign-in.", "No organisation was ticked.", "Everything is linked elsewhere."]);
}

#[test]
fn disconnecting_says_what_will_happen_in_numbers() {
    let page = DisconnectPage { shell: shell(), account: account(HOSTILE, false), stopping: vec![HOSTILE.into(); 3], running: 1, records: 412_880 };
    check(&page, &["Stops 3 companies, cancels 1 running sync, keeps 412,880 records."]);
    let idle = DisconnectPage { shell: shell(), account: account("Acme", false), stopping: vec![], running: 0, records: 0 };
    check(&idle, &["Stops no company, keeps 0 records."]);
}

#[test]
fn pages_without_the_frame_render_in_every_state() {
    let style = web::assets::STYLE.path.as_str();
    for (is_new, to_finish) in [(false, false), (true, false), (false, true)] {
        let page = SignInPage { theme: Theme::Dark, style, email: HOSTILE.into(), next: "/".into(), to_finish, error: Some("Wrong".into()), is_new };
        check(&page, &["data-theme=\"dark\""]);
    }
    for name in [Some(HOSTILE.to_owned()), None] {
        check(&SignInLinkPage { theme: Theme::Auto, style, name, token: "t".into() }, &["sign"]);
    }
    let errors = FieldErrors { password: Some("Use at least 12 characters."), ..FieldErrors::default() };
    check(
        &SetupPage { theme: Theme::Light, style, token: "t".into(), form: SetupForm { name: HOSTILE.into(), ..SetupForm::default() }, errors },
        &["Use at least 12 characters."],
    );
}
