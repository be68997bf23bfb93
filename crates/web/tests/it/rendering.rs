//! Each page struct renders with sample data, empty and full.
use askama::Template;
use domain::company::Mark;
use domain::problem::ProblemKind;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use web::pages::account::{AccountPage, Happened, Headroom, Seen, Tab, Used};
use web::pages::account_setup::{AccountSetupPage, Importable};
#[cfg(debug_assertions)]
use web::pages::design::DesignPage;
use web::pages::disconnect::{DisconnectPage, Stopping};
use web::pages::integrations::{Account, Card, IntegrationsPage};
use web::pages::reconnect_link::{Invitation, ReconnectLinkPage};
use web::pages::setup::{FieldErrors, SetupForm, SetupPage};
use web::pages::sign_in::SignInPage;
use web::pages::sign_in_link::SignInLinkPage;
use web::pages::token_user::{Answer, Choice, Line, TokenUserPage};
use web::parts::incident::IncidentLine;
use web::parts::moment::Moment;
use web::parts::status::{Shield, Status};
use web::parts::step::{Step, Stops};
use web::parts::tracking::{Done, Tracked, TrackedState};
use web::visit::{Place, Shell, Theme};

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
        signs_in_again: Some("signs in again in 9 days".into()),
        needs_setup: !is_invalid,
        mixed: is_invalid.then(|| "This account was connected with Xero's sandbox keys.".into()),
        missing: 2,
    }
}

fn job(state: TrackedState) -> Tracked {
    Tracked {
        run_id: "r1".into(),
        company: HOSTILE.into(),
        href: "/companies/c1".into(),
        state,
        step: "Transactions (3 of 6)".into(),
        counts: Some("12 of about 40".into()),
        percent: Some(41),
        elapsed: None,
        left: None,
        types: Vec::new(),
        cancelling: false,
        waits_for: Some("Xero daily limit".into()),
        resumes: Some(moment(-60_000)),
    }
}

fn shell() -> Shell {
    Shell {
        open_incidents: 2,
        job_count: 11,
        waiting_count: 1,
        jobs: vec![job(TrackedState::Running), job(TrackedState::Waiting)],
        finished: vec![Done {
            company: HOSTILE.into(),
            href: "/companies/c1".into(),
            result: "Succeeded",
            look: "good",
            changes: "3 added".into(),
            when: moment(60_000),
        }],
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
        incidents: vec![],
        cards: vec![card("quickbooks", true, vec![]), card("xero", false, vec![])],
    };
    check(&empty, &["Connect QuickBooks Online", "TIEOUT_XERO_CLIENT_ID", "TIEOUT_XERO_CLIENT_SECRET", "Not configured on this server"]);
    let full = IntegrationsPage {
        shell: shell(),
        incidents: vec![IncidentLine {
            id: "i1".into(),
            title: format!("Sign-in expired for {HOSTILE}"),
            companies: "14 companies stopped".into(),
            sentence: "Xero no longer accepts this authorization.".into(),
            since: moment(86_400_000),
            is_sign_in: true,
            step: Step::of(ProblemKind::NeedsReconnect, Stops::Account { connection_id: Some("a1") }, "/integrations"),
        }],
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
            "and 9 more",
            "Sandbox and production mixed",
            "2 permissions missing",
            "signs in again in 9 days",
            "Send reconnect link",
        ],
    );
}

#[test]
fn the_account_renders_empty_and_full() {
    let status = Status { key: "needs_resync", label: "Needs Resync", reason: Some("last sync failed".into()), resumes: None, health: None };
    let shield = Shield { label: Mark::Verified.label(), look: "verified", icon: "shield-full", title: "Equal".into() };
    let seen = Seen {
        id: "c1".into(),
        remote_id: "9341453000000001".into(),
        name: HOSTILE.into(),
        is_linked: true,
        is_running: false,
        elsewhere: Some("Other".into()),
        status,
        shield,
        last_synced: Some(moment(180_000)),
    };
    let permission = |scope: &'static str, is_granted: bool| engine::connections::Access { scope, data: "Invoices, Credit notes".into(), is_granted };
    let used = Used { day: "22 Nov 2026".into(), company: HOSTILE.into(), calls: "1,204".into(), size: "3.1 MB".into() };
    let happened =
        Happened { what: "Handed over", company: Some(("c1".into(), HOSTILE.into())), by: Some(HOSTILE.into()), at: moment(60_000), look: "muted" };
    for (is_invalid, name, tab, words) in [
        (false, "Acme", Tab::Companies(vec![]), ["No companies", "Connected"]),
        (true, HOSTILE, Tab::Companies(vec![seen]), ["Needs Resync", "last sync failed"]),
        (
            false,
            HOSTILE,
            Tab::Access(vec![permission("accounting.invoices.read", false), permission("other", true)]),
            ["Re-consent", "will not sync"],
        ),
        (false, "Acme", Tab::Usage { used: vec![], headroom: vec![] }, ["Nothing was asked for", "Usage"]),
        (false, "Acme", Tab::Usage { used: vec![used], headroom: vec![Headroom { name: "Calls left", value: "4,000".into() }] }, ["1,204", "4,000"]),
        (false, "Acme", Tab::History(vec![]), ["Nothing has happened", "History"]),
        (false, "Acme", Tab::History(vec![happened]), ["Handed over", "by"]),
    ] {
        let page = AccountPage {
            shell: shell(),
            account: account(name, is_invalid),
            connected_by: "Ada".into(),
            refreshed: moment(720_000),
            signs_in_by: moment(-86_400_000),
            invalid_since: Some(moment(60_000)),
            tab,
        };
        check(&page, &words);
        check(&page, &["Reconnect", "Send reconnect link", "Disconnect", "data-escape"]);
        if is_invalid {
            check(&page, &["\"/integrations/data-feed?account=a1\">Update Token User"]);
        }
    }
}

#[cfg(debug_assertions)]
#[test]
fn the_page_of_the_components_shows_every_status_mark_and_step() {
    let page = DesignPage::new(shell(), Timestamp::from_millisecond(NOW_MS).unwrap(), &TimeZone::UTC);
    check(&page, &web::parts::status::WORDS.map(|(_, label)| label));
    check(&page, &[Mark::Verified, Mark::NotVerified, Mark::NotChecked].map(Mark::label));
    check(&page, &ProblemKind::ALL.map(|kind| kind.remedy().button()));
}

#[test]
fn account_connected_renders_each_of_its_cases() {
    let company =
        |is_linked: bool, is_new: bool| Importable { name: HOSTILE.into(), is_linked, is_new, elsewhere: is_linked.then(|| "Other".into()) };
    let page = |companies, granted| AccountSetupPage { shell: shell(), account: account("Acme", false), companies, granted };
    check(
        &page(vec![company(false, true), company(true, false)], 1),
        &["Account Connected", "Import All Companies", "Add Companies Manually", "new", "linked through"],
    );
    check(&page(vec![company(true, false)], 1), &["Nothing to import", "Everything is linked already.", "linked through", "Open Data Feed"]);
    check(&page(vec![company(true, false)], 0), &["Nothing to import", "No organisation was ticked.", "Back to Xero"]);
    check(&page(vec![], 0), &["Nothing to import", "No company behind this sign-in.", "Back to Xero"]);
}

#[test]
fn disconnecting_says_what_will_happen_in_numbers() {
    let company = |is_running| Stopping { name: HOSTILE.into(), is_linked: true, is_running, seen_by_others: is_running };
    let page = DisconnectPage {
        shell: shell(),
        account: account(HOSTILE, false),
        companies: vec![company(true), company(false), company(false)],
        records: 412_880,
        erase: true,
        typed: HOSTILE.into(),
        error: Some("Type the name.".into()),
    };
    check(&page, &["Stops 3 companies, cancels 1 running sync, keeps 412,880 records.", "Keep data (read-only)", "Erase data", "Type the name."]);
    check(&page, &["Stops 3 companies, cancels 1 running sync, deletes all data of 3 companies: 412,880 records"]);
    // to the companies of this account, by its id
    check(&page, &["Deletes all data of 3 companies: 412,880 records", "\"/integrations/data-feed?account=a1\">Update Token User"]);
    let idle = DisconnectPage {
        shell: shell(),
        account: account("Acme", false),
        companies: vec![],
        records: 0,
        erase: false,
        typed: String::new(),
        error: None,
    };
    check(&idle, &["Stops no company, keeps 0 records."]);
}

#[test]
fn update_token_user_renders_in_every_stage() {
    let choice = |key: &str, is_chosen, is_invalid| Choice { key: key.into(), name: HOSTILE.into(), detail: "Xero".into(), is_chosen, is_invalid };
    let line =
        |answer| Line { id: "c1".into(), name: HOSTILE.into(), provider: "xero".into(), account: HOSTILE.into(), account_is_invalid: true, answer };
    let page = |choices, lines, is_done| TokenUserPage { shell: shell(), choices, lines, is_done };
    let (yes, no) = (Some(Answer::Yes(HOSTILE.into())), Some(Answer::No("It was not selected.".into())));
    check(&page(vec![], vec![line(None)], false), &["No other account", "not checked yet", "Open Integrations"]);
    check(&page(vec![choice("any", false, false), choice("a", false, true)], vec![line(None)], false), &["Check access", "reconnect it first"]);
    check(
        &page(vec![choice("a", true, false)], vec![line(yes.clone()), line(no.clone())], false),
        &["1 company can be moved, 1 cannot.", "can see this company", "cannot see this company", "It was not selected.", "Update Token User"],
    );
    check(&page(vec![choice("a", true, false)], vec![line(yes), line(no)], true), &["1 company moved, 1 refused.", "not moved", "Open Data Feed"]);
}

#[test]
fn pages_without_the_frame_render_in_every_state() {
    let style = web::assets::STYLE.path.as_str();
    for (is_new, to_finish) in [(false, false), (true, false), (false, true)] {
        let page = SignInPage {
            theme: Theme::Dark,
            style,
            email: HOSTILE.into(),
            next: "/".into(),
            to_finish,
            error: Some("Wrong".into()),
            is_new,
            can_mail: true,
        };
        check(&page, &["data-theme=\"dark\""]);
    }
    let invitation = Invitation {
        token: "t".into(),
        books: HOSTILE.into(),
        provider: "Xero".into(),
        account: HOSTILE.into(),
        organization: HOSTILE.into(),
        asked_by: HOSTILE.into(),
        ends: "6 days".into(),
        is_refused: true,
    };
    for (invitation, shows) in [(Some(invitation), "Continue to Xero"), (None, "Some data")] {
        let page = ReconnectLinkPage {
            theme: Theme::Auto,
            style,
            title: format!("Reconnect {HOSTILE}"),
            lead: HOSTILE.into(),
            is_good: true,
            invitation,
            missing: vec!["Some data".into()],
        };
        check(&page, &[shows]);
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
