//! Connecting accounts as a browser sees it: to the provider and back, every result, and the import.
use crate::site::{Browser, Site};
use axum::body::Body;
use axum::http::StatusCode;
use domain::log::LogMessage;
use domain::organization::Role;
use domain::problem::{Problem, ProblemKind};
use engine::connections::{Facts, Outcome};
use engine::delivery::{Mailer, deliver_due};
use store::oauth_states::OauthResult;
use testkit::each_database;
use testkit::mail::MailServer;
use url::Url;

const RESULT: &str = "/integrations/result";

/// The state of a consent under way: where the browser was sent.
async fn start(browser: &Browser<'_>, provider: &str) -> String {
    start_at(browser, &format!("/integrations/connect/{provider}")).await
}

/// Leaves for the provider by this form; the state of the consent.
async fn start_at(browser: &Browser<'_>, form: &str) -> String {
    let sent = browser.post(form, "").await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    let authorize = Url::parse(sent.location()).unwrap();
    authorize.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
}

// proves A12 H12
#[tokio::test]
async fn the_callback_answers_302_with_an_empty_body_whatever_comes() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        let owner = site.member(Role::Owner).await;
        let member = site.member(Role::Member).await;
        let state = start(&owner, "xero").await;
        let queries = [
            String::new(),
            "?code=abc".to_owned(),
            "?state=".to_owned(),
            "?state=never-issued&code=abc".to_owned(),
            "?error=access_denied".to_owned(),
            "?error=%3Cscript%3Ealert(1)%3C%2Fscript%3E&state=x".to_owned(),
            "?next=https%3A%2F%2Fevil.example&return_to=%2F%2Fevil.example".to_owned(),
            format!("?state={state}&error=access_denied"),
            format!("?state={state}&error=access_denied"),
        ];
        for query in &queries {
            for (who, browser) in [("owner", &owner), ("member", &member), ("stranger", &site.stranger())] {
                for provider in ["xero", "quickbooks", "unknown"] {
                    let answer = browser.get(&format!("/oauth/{provider}/callback{query}")).await;
                    assert_eq!((answer.status, answer.location()), (StatusCode::FOUND, RESULT), "{who} {provider} {query}");
                    assert_eq!(answer.text, "");
                    assert_eq!((answer.header("referrer-policy"), answer.header("cache-control")), ("no-referrer", "no-store"));
                }
            }
        }
        for (method, status) in [("POST", StatusCode::METHOD_NOT_ALLOWED), ("HEAD", StatusCode::METHOD_NOT_ALLOWED)] {
            let request =
                owner.request(method, "/oauth/xero/callback?state=x").header("origin", crate::site::PUBLIC_URL).body(Body::empty()).unwrap();
            assert_eq!(site.send(request).await.status, status, "{method}");
        }
        let ahead = owner.request("GET", "/oauth/xero/callback?state=x").header("sec-purpose", "prefetch").body(Body::empty()).unwrap();
        assert_eq!(site.send(ahead).await.status, StatusCode::NO_CONTENT);
    })
    .await;
}

// proves A12
#[tokio::test]
async fn a_denied_consent_says_so_and_leads_back() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        let owner = site.member(Role::Owner).await;
        let state = start(&owner, "quickbooks").await;
        owner.get(&format!("/oauth/quickbooks/callback?state={state}&error=access_denied")).await;
        let page = owner.get(RESULT).await;
        page.assert_shows(&["Authorization Denied", "approve all requested access", "Back to Integrations", "QuickBooks Online"]);
        // the same answer a second time is a replay
        owner.get(&format!("/oauth/quickbooks/callback?state={state}&error=access_denied")).await;
        owner.get(RESULT).await.assert_shows(&["This sign-in link is no longer valid", "Nothing was changed", "Back to Integrations"]);
        owner.get("/integrations").await.assert_shows(&["Connect QuickBooks Online", "Connect Xero"]);
    })
    .await;
}

// proves A12
#[tokio::test]
async fn who_tries_again_tries_the_same_again() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        owner.connect("xero").await;
        let setup = owner.get(RESULT).await;
        let account = setup.location().strip_suffix("/setup").expect("it is connected");
        for (word, title) in [("access_denied", "Authorization Denied"), ("temporarily_unavailable", "Xero is not answering")] {
            for (path, what) in
                [("/integrations/connect/xero".to_owned(), "a new account"), (format!("{account}/reconnect"), "an account that is known")]
            {
                let state = start_at(&owner, &path).await;
                owner.get(&format!("/oauth/xero/callback?state={state}&error={word}")).await;
                let page = owner.get(RESULT).await;
                page.assert_shows(&[title, "Try again", "Back to Integrations"]);
                assert!(page.text.contains(&format!("action=\"{path}\"")), "{what} after {word}: {}", page.text);
            }
        }
    })
    .await;
}

// proves A12 H12
#[tokio::test]
async fn a_consent_is_finished_only_by_the_session_that_started_it() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        let (owner, other) = (site.member(Role::Owner).await, site.member(Role::Owner).await);
        let state = start(&owner, "xero").await;
        other.get(&format!("/oauth/xero/callback?state={state}&error=access_denied")).await;
        other.get(RESULT).await.assert_shows(&["This sign-in link is no longer valid"]);
        // a state of Xero on QuickBooks' path
        owner.get(&format!("/oauth/quickbooks/callback?state={state}&error=access_denied")).await;
        owner.get(RESULT).await.assert_shows(&["This sign-in link is no longer valid"]);
        // nobody is signed in: the page says what to do, and the state is not used up
        let stranger = site.stranger();
        stranger.get(&format!("/oauth/xero/callback?state={state}&error=access_denied")).await;
        let asked = stranger.get(RESULT).await;
        assert_eq!(asked.location(), "/sign-in?next=%2Fintegrations%2Fresult");
        stranger.get(asked.location()).await.assert_shows(&["Sign in to finish"]);
        owner.get(&format!("/oauth/xero/callback?state={state}&error=access_denied")).await;
        owner.get(RESULT).await.assert_shows(&["Authorization Denied"]);
    })
    .await;
}

// proves A12
#[tokio::test]
async fn a_provider_that_does_not_answer_has_its_own_page() {
    each_database(|url| async move {
        // nothing listens where the provider should be
        let site = Site::new(&url).await;
        let owner = site.member(Role::Owner).await;
        let state = start(&owner, "xero").await;
        owner.get(&format!("/oauth/xero/callback?state={state}&code=abc")).await;
        owner.get(RESULT).await.assert_shows(&["Xero is not answering", "Try again", "Back to Integrations"]);
    })
    .await;
}

// proves A3
#[tokio::test]
async fn import_all_companies_queues_one_sync_for_each_and_a_second_click_queues_nothing() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        assert_eq!(owner.connect("xero").await.location(), RESULT);
        let result = owner.get(RESULT).await;
        let setup = result.location().to_owned();
        assert!(setup.starts_with("/integrations/accounts/") && setup.ends_with("/setup"), "{setup}");
        owner.get(&setup).await.assert_shows(&["Account Connected", "Companies found", "Import All Companies", "Add Companies Manually"]);
        owner.get("/integrations").await.assert_shows(&["Finish setup"]);

        let queued = async || {
            let mut conn = site.engine.store.read().await.unwrap();
            let runs = store::runs::list_active(&mut conn, &site.organization_id).await.unwrap();
            (runs.len(), store::companies::list(&mut conn, &site.organization_id).await.unwrap().len())
        };
        assert_eq!(queued().await.0, 0, "nothing is imported before somebody chooses");
        let import = setup.replace("/setup", "/import");
        let first = owner.post(&import, "").await;
        let account = setup.split('/').nth(3).expect("the address has the account's id");
        assert_eq!((first.status, first.location().to_owned()), (StatusCode::SEE_OTHER, format!("/integrations/data-feed?account={account}")));
        let (runs, companies) = queued().await;
        assert!(companies > 0);
        assert_eq!(runs, companies, "one sync for each importable company");
        owner.post(&import, "").await;
        assert_eq!(queued().await.0, runs, "the second click queues nothing");
        owner.get(&setup).await.assert_shows(&["Nothing to import", "Everything is linked already."]);

        let manually = owner.post(&setup.replace("/setup", "/choose"), "").await;
        assert_eq!(manually.location(), "/integrations/data-feed?status=not_linked");
        assert_eq!(queued().await.0, runs);
    })
    .await;
}

// proves A1 A12 A15
#[tokio::test]
async fn the_overview_counts_accounts_and_companies_and_a_duplicate_is_named() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        owner.get("/integrations").await.assert_shows(&["Connect QuickBooks Online", "Connect Xero", "Not connected"]);
        for provider in ["quickbooks", "xero"] {
            owner.connect(provider).await;
        }
        let mut conn = site.engine.store.read().await.unwrap();
        let connections = store::connections::list(&mut conn, &site.organization_id).await.unwrap();
        assert_eq!(connections.len(), 2);
        assert_eq!(
            store::connections::count_companies(&mut conn, &site.organization_id).await.unwrap(),
            [("quickbooks".into(), 1, 0), ("xero".into(), 1, 0)]
        );
        let reach = store::connections::list_reach(&mut conn, &site.organization_id).await.unwrap();
        assert!(reach.iter().all(|reach| (reach.companies, reach.linked, reach.used) == (1, 0, 0)), "{reach:?}");
        drop(conn);
        // both sign-ins of the sandbox are the same person's: the second consent is a duplicate
        owner.connect("xero").await;
        let page = owner.get(RESULT).await;
        page.assert_shows(&[
            "Already connected",
            "The user already has an integration to that accounting software",
            "Open Data Feed",
            "Back to Integrations",
        ]);

        let xero = connections.iter().find(|connection| connection.provider == "xero").unwrap();
        assert!(!owner.get("/integrations").await.text.contains("signs in again"), "there is time");
        let mut tx = site.engine.store.begin().await.unwrap();
        let soon = site.engine.clock.now_ms() + 9 * 86_400_000 + 3_600_000;
        tx.execute("UPDATE connections SET refresh_expires_at = $2 WHERE id = $1", store::args![&xero.id, soon]).await.unwrap();
        tx.commit().await.unwrap();
        owner.get("/integrations").await.assert_shows(&["signs in again in 9 days"]);
        owner.post(&format!("/integrations/accounts/{}/import", xero.id), "").await;
        let mut tx = site.engine.store.begin().await.unwrap();
        let xero = store::connections::find(&mut tx, &site.organization_id, &xero.id).await.unwrap().unwrap();
        let now_ms = site.engine.clock.now_ms();
        assert!(store::connections::mark_invalid(&mut tx, &xero.id, xero.token_generation, now_ms).await.unwrap());
        let problem = Problem::new(ProblemKind::NeedsReconnect, "Xero no longer accepts this authorization.");
        let refused = LogMessage::TokenRefused { problem };
        engine::logbook::about_connection(&mut tx, &site.organization_id, &xero, &refused, now_ms).await.unwrap();
        tx.commit().await.unwrap();
        let page = owner.get("/integrations").await;
        page.assert_shows(&[
            "Invalid accounts",
            "Sign-in expired for",
            "1 company stopped",
            "Invalid token",
            "Reconnect",
            "Manage",
            "Linked companies",
        ]);
    })
    .await;
}

#[tokio::test]
async fn disconnecting_says_what_stops_and_asks_the_provider_to_revoke() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        owner.connect("quickbooks").await;
        let connections = store::connections::list(&mut site.engine.store.read().await.unwrap(), &site.organization_id).await.unwrap();
        let account = format!("/integrations/accounts/{}", connections[0].id);
        owner.post(&format!("{account}/import"), "").await;
        let page = owner.get(&format!("{account}/disconnect")).await;
        page.assert_shows(&["Stops 1 company, cancels 1 running sync, keeps 0 records."]);
        let nothing_chosen = owner.post(&format!("{account}/disconnect"), "").await;
        assert_eq!(nothing_chosen.status, StatusCode::UNPROCESSABLE_ENTITY);
        nothing_chosen.assert_shows(&["Choose whether the data are kept or erased."]);
        let done = owner.post(&format!("{account}/disconnect"), "data=keep").await;
        assert_eq!(done.location(), "/integrations");
        let told = Browser { site: &site, cookie: format!("{}; {}", owner.cookie, done.cookie("tieout_flash").unwrap()) };
        let page = told.get("/integrations").await;
        page.assert_shows(&["confirmed that the authorization is revoked", "Connect QuickBooks Online"]);
        assert!(page.cookie("tieout_flash").is_some_and(|cookie| cookie == "tieout_flash="), "the message is shown once");
        assert_eq!(owner.get(&account).await.status, StatusCode::NOT_FOUND);
        // reliability.md 5.4, row 36
        let twice = owner.post(&format!("{account}/disconnect"), "data=keep").await;
        assert_eq!(twice.location(), "/integrations");
        let told = Browser { site: &site, cookie: format!("{}; {}", owner.cookie, twice.cookie("tieout_flash").unwrap()) };
        told.get("/integrations").await.assert_shows(&["This account was disconnected already."]);
        assert!(store::runs::list_active(&mut site.engine.store.read().await.unwrap(), &site.organization_id).await.unwrap().is_empty());
    })
    .await;
}

// proves A12
#[test]
fn every_outcome_has_its_own_title_and_a_way_back() {
    let mut titles = Vec::new();
    for outcome in Outcome::ALL {
        let result = OauthResult {
            id: "r".into(),
            provider: "xero".into(),
            outcome: outcome.as_str().into(),
            connection_id: None,
            detail: "Kauri Outdoor".into(),
            facts: "{}".into(),
            created_at: 0,
        };
        let words = web::pages::result::words(*outcome, &result, &Facts::default());
        assert!(!words.text.is_empty() && words.text.ends_with(['.', ':']), "{outcome:?}: {}", words.text);
        let leads_back = |href: &str| href == "/integrations" || href.starts_with("/integrations/");
        assert!(leads_back(&words.action.href) && words.second.iter().all(|step| leads_back(&step.href)), "{outcome:?}");
        titles.push(words.title);
    }
    titles.sort();
    titles.dedup();
    // a fresh and a repaired connection share the title *Connected*
    assert_eq!(titles.len(), Outcome::ALL.len() - 1, "{titles:?}");
}

// proves A11 in part
#[tokio::test]
async fn a_reconnect_link_is_mailed_to_whoever_owns_the_books_and_leads_to_the_one_that_is_shown() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        owner.connect("xero").await;
        let mut conn = site.engine.store.read().await.unwrap();
        let connection = store::connections::list(&mut conn, &site.organization_id).await.unwrap().remove(0);
        drop(conn);
        let path = format!("/integrations/accounts/{}/link", connection.id);
        // without a mail server it is copied only
        assert!(!owner.get(&path).await.text.contains("Mail the link"));
        let refused = owner.post(&format!("{path}/mail"), "email=olga%40kauri.example").await;
        assert_eq!((refused.status, refused.location()), (StatusCode::SEE_OTHER, path.as_str()));
        assert!(owner.get(&path).await.text.contains("Make the link"), "none was made");

        let server = MailServer::start();
        site.engine.set_mailer(Mailer::new(&server.url(), "Tieout <books@tieout.example>").unwrap());
        let page = owner.get(&path).await;
        page.assert_shows(&["Mail it to whoever owns the books", "A link is made and sent.", &format!("value=\"{}\"", connection.email)]);
        for wrong in ["", "olga", "a@b.example%0D%0ABcc: c@d.example", "Olga <olga@kauri.example>"] {
            let answer = owner.post(&format!("{path}/mail"), &format!("email={wrong}")).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
            answer.assert_shows(&["id=\"email-error\"", "Enter an e-mail address"]);
        }
        deliver_due(&site.engine).await.unwrap();
        assert!(server.mails().is_empty(), "nothing was sent");
        let sent = owner.post(&format!("{path}/mail"), "email=Olga%40kauri.example").await;
        assert_eq!((sent.status, sent.location()), (StatusCode::SEE_OTHER, path.as_str()));
        deliver_due(&site.engine).await.unwrap();
        let mails = server.mails();
        assert_eq!(mails.iter().map(|mail| mail.to.as_slice()).collect::<Vec<_>>(), [["olga@kauri.example"]]);
        let link = mails[0].link().expect("a link is in it").to_owned();
        for words in ["Birchwood Advisory asks you to reconnect Xero", "Ada Lindqvist of Birchwood Advisory", "works once, within seven days"] {
            assert!(mails[0].text.contains(words), "`{words}` is not in {}", mails[0].text);
        }
        // it is the one the page shows, and sending it again makes no other
        owner.get(&path).await.assert_shows(&[&format!("value=\"{link}\""), "The link above is sent."]);
        owner.post(&format!("{path}/mail"), "email=olga%40kauri.example").await;
        deliver_due(&site.engine).await.unwrap();
        assert_eq!(server.mails()[1].link(), Some(link.as_str()));
        let stranger = site.stranger().get(link.strip_prefix(crate::site::PUBLIC_URL).unwrap()).await;
        assert_eq!(stranger.status, StatusCode::OK);
        stranger.assert_shows(&["Birchwood Advisory"]);
    })
    .await;
}
