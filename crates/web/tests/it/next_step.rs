//! Where nothing is to be shown, or something failed: one sentence, and one step that leads on.
use crate::sample::{MINUTE, Sample};
use crate::site::{Browser, Site};
use axum::body::Body;
use axum::http::StatusCode;
use domain::organization::Role;
use domain::problem::{Problem, ProblemKind};
use domain::sync::{Counts, Extent};
use engine::connections::{Facts, Outcome};
use store::oauth_states::OauthResult;
use testkit::each_database;

/// What stands between the tags, without them.
fn words(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, rest)| rest));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every element with this class, whole.
fn elements<'a>(html: &'a str, class: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (at, _) in html.match_indices("class=\"") {
        let classes = html[at + 7..].split('"').next().unwrap();
        if !classes.split(' ').any(|word| word == class) {
            continue;
        }
        let start = html[..at].rfind('<').unwrap();
        let tag = html[start + 1..].split(' ').next().unwrap();
        let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
        let (mut depth, mut end) = (0, start);
        loop {
            let rest = &html[end..];
            let next_close = rest.find(&close).unwrap_or_else(|| panic!("<{tag} class=\"{classes}\"> has no end"));
            match rest.find(&open).filter(|next| *next < next_close) {
                Some(next) => (depth, end) = (depth + 1, end + next + open.len()),
                None => (depth, end) = (depth - 1, end + next_close + close.len()),
            }
            if depth == 0 {
                break;
            }
        }
        found.push(&html[start..end]);
    }
    found
}

/// Each state of a part that may be in several: from its heading to the next one.
fn states(element: &str) -> Vec<String> {
    let heading = if element.contains("<h2") { "<h2" } else { "<h3" };
    let mut states: Vec<String> = element.split(heading).skip(1).map(|state| format!("{heading}{state}")).collect();
    if states.len() < 2 {
        return states;
    }
    // what follows the last of them may belong to all
    let common = states.last().and_then(|last| last.split_once("{% endif %}")).map(|(_, common)| common.to_owned()).unwrap_or_default();
    for state in &mut states {
        state.push_str(&common);
    }
    states
}

/// What keeps a state from telling the next step.
fn lacks(state: &str) -> Option<&'static str> {
    let sentences = ["<p>", "<p class=\"quiet\">", "<p class=\"lead\">"];
    let says = sentences.iter().flat_map(|open| state.split(open).skip(1)).any(|text| {
        let text = words(text.split("</p>").next().unwrap());
        text.ends_with(['.', '?', ':'])
    });
    let leads = state.contains("<a ") || state.contains("<button");
    match (says, leads) {
        (false, _) => Some("no sentence"),
        (true, false) => Some("no step"),
        (true, true) => None,
    }
}

// proves K5 in part
#[test]
fn every_empty_state_of_every_page_has_a_sentence_and_a_step() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages");
    for file in std::fs::read_dir(pages).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "html") {
            continue;
        }
        let template = std::fs::read_to_string(&path).unwrap();
        for element in elements(&template, "empty") {
            let found = states(element);
            assert!(!found.is_empty(), "{}: an empty state without a heading: {element}", path.display());
            for state in found {
                count += 1;
                wrong.extend(lacks(&state).map(|what| format!("{}: {what} in {}", path.display(), words(&state))));
            }
        }
    }
    assert!(count > 30, "only {count} empty states were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The part of a page that a person looks at.
fn main_of(page: &str) -> &str {
    page.split("<main").nth(1).unwrap_or_else(|| panic!("no main in {page}")).split("</main>").next().unwrap()
}

/// A page says this, in a sentence, and leads on by this link or button.
fn assert_leads(name: &str, page: &str, says: &str, step: &str) {
    let main = main_of(page);
    let text = words(main);
    assert!(text.contains(says), "{name} does not say `{says}`: {text}");
    let leads = main.split("<a ").chain(main.split("<button")).skip(1).any(|rest| {
        let label = rest.split_once('>').map_or("", |(_, rest)| rest.split("</a>").next().unwrap().split("</button>").next().unwrap());
        words(label) == step
    });
    assert!(leads, "{name} says `{says}`, but nothing is called `{step}`: {main}");
    for element in elements(main, "empty") {
        assert!(lacks(element).is_none(), "{name}: {:?} in {element}", lacks(element));
    }
}

// proves K5 in part
#[tokio::test]
async fn a_new_organization_is_told_the_next_step_on_every_page() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        for (path, says, step) in [
            ("/integrations/data-feed", "Connect a QuickBooks Online or Xero account; its companies appear here.", "Open Integrations"),
            ("/integrations/data-feed/resync-all", "No company needs a resync right now.", "Back to Data Feed"),
            ("/integrations/logs", "A card appears here for each company as soon as it is linked and its first sync begins.", "Open Data Feed"),
            ("/integrations/logs/all", "Entries appear as soon as the first sync begins.", "Open Data Feed"),
            ("/integrations/logs/all?status=error&message=nothing", "No log entry matches all of these filters.", "Clear"),
            ("/integrations/logs/all/runs", "A row appears here with the first sync.", "Open Data Feed"),
            ("/integrations/logs/all/runs?result=failed", "No run has this result.", "Clear"),
            ("/integrations/incidents", "No cause stops any company right now.", "Open Data Feed"),
            ("/notifications", "When a sign-in expires, a sync fails again, or books do not tie out, it is said here once.", "What to be told"),
            ("/notifications/settings", "None yet. Send a test , above, makes the first.", "Send a test"),
            ("/companies", "Connect QuickBooks Online or Xero and link a company; its books appear here.", "Open Integrations"),
            ("/mapping", "Link a company; its chart of accounts is mapped with the first sync.", "Open Data Feed"),
            ("/organization/access", "Link companies in the Data Feed; then choose here which Member reads which.", "Open Data Feed"),
            ("/organization/invitations", "Invite somebody by e-mail address; they choose their name and password themselves.", "Invite Member"),
            ("/organization/invitations/new", "No company is linked yet. Assign companies later, under Internal Access .", "Internal Access"),
            ("/organization/api-keys", "No key has been made yet.", "Make the first one"),
            ("/palette?q=zzzz", "Try fewer letters, or part of a company's name.", "Show all commands"),
        ] {
            assert_leads(path, &sample.page(path).await, says, step);
        }
        // no keys of a provider: what to set, and the command that checks it
        let overview = sample.page("/integrations").await;
        for words in ["This server has no keys for", "CLIENT_ID", "<code>tieout doctor</code>"] {
            assert!(overview.contains(words), "{words} is not in {overview}");
        }
        // a Member without companies
        for path in ["/companies", "/mapping"] {
            let page = sample.get_as(&sample.member_token, path).await.body;
            assert_leads(
                path,
                &page,
                "An Owner or Admin of Birchwood Advisory links companies and assigns them to you; ask one of them.",
                "Look again",
            );
        }

        // an account that was connected a moment ago, and a company that was linked and not synced
        let account = sample.connect("xero", "Ada").await;
        for (tab, says, step) in [
            ("companies", "This sign-in sees no company. Check at the provider which ones it may open, then reconnect.", "Reconnect"),
            ("access", "tieout doctor names which are missing.", "Reconnect"),
            ("usage", "Calls and data of the last two weeks appear here, for each company and day, as soon as one is synced.", "Open Data Feed"),
            ("history", "Nothing has happened since history is kept.", "Reconnect"),
        ] {
            assert_leads(tab, &sample.page(&format!("/integrations/accounts/{account}?tab={tab}")).await, says, step);
        }
        let setup = sample.page(&format!("/integrations/accounts/{account}/setup")).await;
        assert_leads("setup", &setup, "No company behind this sign-in.", "Back to Xero");
        let feed = sample.page("/integrations/data-feed").await;
        assert_leads("three checks", &feed, "Check these three things:", "Open Integrations");
        let company = sample.company(&account, "xero", "Alder Clinic", true).await;
        for (path, says, step) in [
            ("", "The first finished sync compares our trial balance with the provider's own, account by account.", "Follow it on the Data Feed"),
            ("/statements", "The first sync reads the provider's own ledger; statements follow from it.", "Back to the company"),
            ("/contacts", "The first sync reads the provider's own ledger; balances by contact follow from it.", "Back to the company"),
            ("/mapping", "The chart of accounts comes with the first sync", "Open the company"),
            ("/mapping/history", "Every account lies where rules and suggestions put it.", "Open the mapping"),
        ] {
            assert_leads(path, &sample.page(&format!("/companies/{company}{path}")).await, says, step);
        }
        for (path, says, step) in [
            ("/integrations/data-feed?q=nobody", "No company fits all of what is chosen above.", "Clear the filter"),
            ("/companies?q=nobody", "Search for a part of it.", "Show all"),
            ("/mapping?q=nobody", "Search for a part of it.", "Show all"),
            ("/organization/access?q=nobody", "Nothing fits all of what is chosen above.", "Clear"),
            (
                &format!("/integrations/data-feed/token-user?company={company}"),
                "Connect the account of somebody who sees this company, then come back.",
                "Open Integrations",
            ),
        ] {
            assert_leads(path, &sample.page(path).await, says, step);
        }
        let member = sample.get_as(&sample.member_token, &format!("/companies/{company}")).await.body;
        assert_leads("company of a Member", &member, "The first finished sync compares", "Back to Companies");
        sample.log(&company, None, &domain::log::LogMessage::SyncStarted { extent: Extent::Full }, sample.now_ms).await;
        assert_leads(
            "cards",
            &sample.page("/integrations/logs?q=nobody").await,
            "No company with a log has this name and provider.",
            "Clear the filter",
        );
    })
    .await;
}

// proves K5 in part
#[tokio::test]
async fn a_sync_that_failed_says_why_and_shows_its_one_step_where_its_company_is_looked_at() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        let account = sample.connect("quickbooks", "Ada").await;
        for (at, kind) in ProblemKind::ALL.into_iter().enumerate() {
            let company = sample.company(&account, "quickbooks", &format!("Company {at}"), true).await;
            let problem = Problem::new(kind, "What happened is said here.");
            sample.finished_run(&company, Extent::Full, sample.now_ms - MINUTE, Counts::default(), Some(problem)).await;
            let page = sample.page(&format!("/companies/{company}")).await;
            let shown = page.split("data-key=\"problem\"").nth(1).unwrap_or_else(|| panic!("{kind:?}: {page}"));
            let shown = shown.split("</section>").next().unwrap();
            assert!(shown.contains("What happened is said here.") && shown.matches("data-step").count() == 1, "{kind:?}: {shown}");
            let member = sample.get_as(&sample.member_token, &format!("/companies/{company}")).await.body;
            assert!(member.contains("Owners and Admins see what to do; ask one of them.") && !member.contains("data-step"), "{kind:?}");
        }
    })
    .await;
}

/// A page of an error: its code, its title, a sentence, and one thing to do.
fn assert_explains(name: &str, page: &str) {
    let main = main_of(page);
    assert!(main.contains("<h1"), "{name} has no title: {main}");
    assert!(lacks(main).is_none(), "{name}: {:?} in {main}", lacks(main));
}

// proves K5
#[tokio::test]
async fn every_failed_request_and_every_dead_link_says_what_to_do_next() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        let owner = site.member(Role::Owner).await;
        let member = site.member(Role::Member).await;
        let stranger = site.stranger();
        for (browser, path, status) in [
            (&owner, "/nothing/here", StatusCode::NOT_FOUND),
            (&owner, "/companies/unknown", StatusCode::NOT_FOUND),
            (&owner, "/integrations/accounts/unknown", StatusCode::NOT_FOUND),
            (&owner, "/integrations/logs/entries/unknown", StatusCode::NOT_FOUND),
            (&member, "/integrations", StatusCode::FORBIDDEN),
            (&member, "/organization/members", StatusCode::FORBIDDEN),
            (&owner, "/integrations/connect/xero", StatusCode::METHOD_NOT_ALLOWED),
            (&owner, "/sign-out", StatusCode::METHOD_NOT_ALLOWED),
            (&stranger, "/setup/used", StatusCode::GONE),
            (&stranger, "/sign-in/link/used", StatusCode::GONE),
            (&stranger, "/password/used", StatusCode::GONE),
            (&stranger, "/invitations/used", StatusCode::GONE),
        ] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
            assert_explains(path, &answer.text);
        }
        // whoever has no account here is sent to whoever sent the link
        let link = stranger.get("/reconnect/used").await;
        assert_eq!(link.status, StatusCode::GONE);
        assert!(words(main_of(&link.text)).contains("Ask whoever sent it for a new one."), "{}", link.text);

        // a form of somewhere else, one that is too large, and ones with a wrong field: told beside it, and the form stays
        let foreign = owner.request("POST", "/organization/settings").header("origin", "https://evil.example").body(Body::empty()).unwrap();
        assert_explains("foreign form", &site.send(foreign).await.text);
        let large = owner.post("/organization/settings", &format!("name={}", "x".repeat(1 << 21))).await;
        assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_explains("large form", &large.text);
        for (browser, path, form) in [
            (&owner, "/organization/settings", "name="),
            (&owner, "/organization/invitations", "emails=nobody&role=member"),
            (&owner, "/organization/api-keys", "name=&role=admin&access=read&days=0"),
            (&owner, "/integrations/logs/settings", "days=none"),
            (&owner, "/notifications/settings", "quiet_from=25%3A00&quiet_until=07%3A00"),
            (&owner, "/notifications/webhook", "url=http%3A%2F%2Flocalhost&action=save"),
            (&stranger, "/sign-in", "email=nobody%40example.com&password=guess"),
        ] {
            let answer = browser.post(path, form).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", answer.text);
            let main = main_of(&answer.text);
            let told = ["class=\"error", "role=\"alert\"", "tone-bad"].iter().any(|mark| main.contains(mark));
            assert!(told && main.contains("<button"), "{path}: {main}");
        }
        every_outcome_names_a_step(&owner).await;
    })
    .await;
}

/// The pages after a consent, as their visitor sees them.
async fn every_outcome_names_a_step(owner: &Browser<'_>) {
    let site = owner.site;
    let token = owner.cookie.split_once('=').unwrap().1;
    let session = store::seal::token_hash(token);
    for (at, outcome) in Outcome::ALL.iter().enumerate().filter(|(_, outcome)| **outcome != Outcome::Connected) {
        let result = OauthResult {
            id: format!("result{at:02}"),
            provider: "xero".into(),
            outcome: outcome.as_str().into(),
            connection_id: None,
            detail: "Kauri Outdoor".into(),
            facts: serde_json::to_string(&Facts::default()).unwrap(),
            created_at: site.engine.clock.now_ms() + at as i64,
        };
        let mut tx = site.engine.store.begin().await.unwrap();
        store::oauth_states::insert_result(&mut tx, &session, &result).await.unwrap();
        tx.commit().await.unwrap();
        let page = owner.get("/integrations/result").await;
        let main = main_of(&page.text);
        assert!(lacks(main).is_none() && main.contains("button-primary"), "{outcome:?}: {:?} in {main}", lacks(main));
        assert!(words(main).contains(&web::pages::result::words(*outcome, &result, &Facts::default()).title), "{outcome:?}: {main}");
    }
}
