//! A person's own account: name, address, password, and where they are signed in.
use crate::site::{Answer, Browser, PUBLIC_URL, Site};
use axum::body::Body;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::clock::ManualClock;
use domain::ids::{OrganizationId, UserId};
use domain::organization::Role;
use engine::delivery::{Mailer, deliver_due};
use std::sync::Arc;
use testkit::each_database;
use testkit::mail::MailServer;
use url::Url;

const EMAIL: &str = "ada@birchwood.example";
const PASSWORD: &str = "long enough, surely";
const START: i64 = 1_780_000_000_000;

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A site whose clock stands still, and its Owner, who has a password.
async fn house(url: &str) -> (Site, OrganizationId, UserId) {
    let site = Site::at(url, Arc::new(ManualClock::at(START))).await;
    let (organization_id, ada) =
        web::auth::create_owner(&site.engine, "Birchwood Advisory", "Ada Lindqvist", EMAIL, Some(PASSWORD)).await.unwrap().unwrap();
    (site, organization_id, ada)
}

async fn enter(site: &Site, email: &str, password: &str) -> Answer {
    site.stranger().post("/sign-in", &form(&[("email", email), ("password", password)])).await
}

fn signed_in<'a>(site: &'a Site, answer: &Answer) -> Browser<'a> {
    Browser { site, cookie: answer.cookie("tieout_session").unwrap_or_else(|| panic!("not signed in: {} {}", answer.status, answer.text)) }
}

/// Path, fields, status, the field a sentence stands beside, and what it says.
type Row = (&'static str, Vec<(&'static str, String)>, u16, &'static str, &'static str);

// reliability.md 5.4, rows 3 to 7 and 26 to 28; 3.4, S-054
// proves H9 in part
#[tokio::test]
async fn another_address_or_password_needs_the_present_one_and_what_is_wrong_is_told_beside_its_field() {
    each_database(|url| async move {
        let (site, organization_id, ada_id) = house(&url).await;
        let ada = site.sign_in(&organization_id, &ada_id).await;
        let present = |password: &str| ("present", password.to_owned());
        let email = |address: &str| ("email", address.to_owned());
        let new = |password: &str| ("password", password.to_owned());
        let (at, word) = ("/profile/email", "/profile/password");
        let taken = site.user_of(&organization_id, Role::Member).await;
        let taken = format!("{taken}@birchwood.example");
        let groups: Vec<Vec<Row>> = vec![
            vec![
                ("/profile/name", vec![("name", String::new())], 422, "name", "Enter your name."),
                ("/profile/name", vec![("name", "  \t ".into())], 422, "name", "Enter your name."),
                ("/profile/name", vec![("name", "x".repeat(101))], 422, "name", "Use at most 100 characters"),
                ("/profile/name", vec![("name", "two\nlines".into())], 422, "name", "on one line"),
            ],
            // without the current password, and with a wrong one
            vec![
                (at, vec![email("new@birchwood.example")], 403, "email-present", "Enter your current password"),
                (at, vec![email("new@birchwood.example"), present("")], 403, "email-present", "Enter your current password"),
                (at, vec![email("new@birchwood.example"), present("not this one")], 422, "email-present", "is not right"),
                (at, vec![email("new@birchwood.example"), present(&"x".repeat(129))], 422, "email-present", "is not right"),
                (at, vec![email("new@birchwood.example"), present(&format!("{PASSWORD} "))], 422, "email-present", "is not right"),
                (at, vec![email("nobody"), present(PASSWORD)], 422, "email", "Enter an e-mail address"),
                (at, vec![email(""), present(PASSWORD)], 422, "email", "Enter an e-mail address"),
                (at, vec![email("a@b.example\r\nBcc: c@d.example"), present(PASSWORD)], 422, "email", "Enter an e-mail address"),
                (at, vec![email("Ada <new@birchwood.example>"), present(PASSWORD)], 422, "email", "Enter an e-mail address"),
                (at, vec![email(&format!("{}@b.example", "a".repeat(390))), present(PASSWORD)], 422, "email", "Enter an e-mail address"),
                (at, vec![email(&taken), present(PASSWORD)], 422, "email", "Somebody signs in with this address already"),
            ],
            vec![
                (word, vec![new("another one, surely")], 403, "password-present", "Enter your current password"),
                (word, vec![new("another one, surely"), present("not this one")], 422, "password-present", "is not right"),
                (word, vec![new("another one, surely"), present(&PASSWORD.to_uppercase())], 422, "password-present", "is not right"),
                (word, vec![present(PASSWORD)], 422, "password", "Use at least 12 characters"),
                (word, vec![new("seven77"), present(PASSWORD)], 422, "password", "Use at least 12 characters"),
                (word, vec![new("elevenchars"), present(PASSWORD)], 422, "password", "Use at least 12 characters"),
                (word, vec![new(&"y z".repeat(43)), present(PASSWORD)], 422, "password", "Use at most 128 characters"),
                (word, vec![new("password1234"), present(PASSWORD)], 422, "password", "This one is guessed first"),
                (word, vec![new("QwertyQwerty"), present(PASSWORD)], 422, "password", "This one is guessed first"),
                (word, vec![new("aaaaaaaaaaaa"), present(PASSWORD)], 422, "password", "This one is guessed first"),
                (word, vec![new("ADA@birchwood.example"), present(PASSWORD)], 422, "password", "This one is guessed first"),
                (word, vec![new("birchwood advisory"), present(PASSWORD)], 422, "password", "This one is guessed first"),
                (word, vec![new("ada lindqvist"), present(PASSWORD)], 422, "password", "This one is guessed first"),
            ],
        ];
        for rows in groups {
            for (path, fields, status, beside, says) in rows {
                let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let answer = ada.post(path, &form(&pairs)).await;
                let shown: String = format!("{path} {fields:?}").chars().take(120).collect();
                assert_eq!(answer.status.as_u16(), status, "{shown}: {}", answer.text);
                let (_, error) =
                    answer.text.split_once(&format!("id=\"{beside}-error\">")).unwrap_or_else(|| panic!("{shown}: nothing beside {beside}"));
                assert!(error.split("</p>").next().unwrap().contains(says), "{shown} does not say `{says}` beside {beside}");
                assert!(!answer.text.contains(PASSWORD), "{shown}: a password is not sent back");
                let holds_old_name = answer.text.contains("value=\"Ada Lindqvist\"");
                assert!(path != "/profile/name" || !holds_old_name, "{shown}: the field holds what was sent");
            }
        }
        let huge = ada.post(word, &form(&[("password", &"x".repeat(2 << 20)), ("present", PASSWORD)])).await;
        assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
        // nothing was changed, and nobody was signed out
        assert_eq!(enter(&site, EMAIL, PASSWORD).await.status, StatusCode::SEE_OTHER);
        ada.get("/profile").await.assert_shows(&["value=\"Ada Lindqvist\"", &format!("value=\"{EMAIL}\"")]);
        // a current password that is guessed waits longer and longer, whichever form it is guessed with
        let mut last = StatusCode::OK;
        for at in 0..6 {
            let path = ["/profile/email", "/profile/password", "/profile/second-factor"][at % 3];
            let fields = [("email", "new@birchwood.example"), ("password", "another one, surely"), ("present", "not this one")];
            last = ada.post(path, &form(&fields)).await.status;
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
        let slowed = ada.post(word, &form(&[("password", "another one, surely"), ("present", PASSWORD)])).await;
        assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
        slowed.assert_shows(&["id=\"password-present-error\"", "Too many attempts. Wait"]);
        assert_eq!(enter(&site, EMAIL, PASSWORD).await.status, StatusCode::SEE_OTHER, "the password is the old one");
    })
    .await;
}

// reliability.md 3.4, S-052 and S-053
// proves H9 in part
#[tokio::test]
async fn a_new_password_ends_every_other_session_and_one_sees_and_ends_where_one_is_signed_in() {
    each_database(|url| async move {
        let (site, _, ada_id) = house(&url).await;
        let other = OrganizationId(site.engine.make_id());
        let zoe = site.member_of(&other, Role::Owner).await;
        let mut tx = site.engine.store.begin().await.unwrap();
        store::members::add(&mut tx, &other, &ada_id, Role::Member, 1).await.unwrap();
        tx.commit().await.unwrap();
        let enter_with = async |user_agent: &str| {
            let request = site.stranger().request("POST", "/sign-in").header("origin", PUBLIC_URL).header("user-agent", user_agent);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            site.send(request.body(Body::from(form(&[("email", EMAIL), ("password", PASSWORD)]))).unwrap()).await
        };
        let desk = signed_in(&site, &enter_with("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0").await);
        let phone = signed_in(
            &site,
            &enter_with("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1").await,
        );
        let odd = signed_in(&site, &enter_with("<script>alert(1)</script>").await);
        let page = desk.get("/profile").await;
        page.assert_shows(&[
            "Firefox on Linux</span> <span class=\"badge\">this one",
            "Safari on iPhone",
            "Another browser or a program",
            "End all others",
        ]);
        assert!(!page.text.contains("<script>alert"), "what a browser calls itself is text");
        assert_eq!(page.text.matches("name=\"session\"").count(), 2, "each but this one can be ended");

        // one of them, and none of somebody else's
        let there = signed_in(&site, &odd.post("/switch", &format!("organization={other}")).await);
        let hash = |answer: &Answer, after: &str| -> String {
            let rest = answer.text.split_once(after).unwrap().1.split_once("name=\"session\" value=\"").unwrap().1;
            rest.split('"').next().unwrap().to_owned()
        };
        let of_phone = hash(&page, "Safari on iPhone");
        zoe.post("/profile/sessions/end", &form(&[("session", &of_phone)])).await;
        assert_eq!(phone.get("/profile").await.status, StatusCode::OK, "a stranger ends nothing");
        let ended = desk.post("/profile/sessions/end", &form(&[("session", &of_phone)])).await;
        assert_eq!((ended.status, ended.location()), (StatusCode::SEE_OTHER, "/profile"));
        assert_eq!(phone.get("/companies").await.status, StatusCode::SEE_OTHER);
        assert_eq!(there.get("/companies").await.status, StatusCode::OK);
        for odd in ["none", "\0", &"a".repeat(3_000)] {
            assert_eq!(desk.post("/profile/sessions/end", &form(&[("session", odd)])).await.status, StatusCode::SEE_OTHER, "{odd:?}");
        }
        assert_eq!(there.get("/companies").await.status, StatusCode::OK);
        desk.post("/profile/sessions/end", "").await;
        assert_eq!(there.get("/companies").await.status, StatusCode::SEE_OTHER, "in whatever organization");
        assert_eq!(desk.get("/companies").await.status, StatusCode::OK);
        assert_eq!(zoe.get("/companies").await.status, StatusCode::OK);

        // another password: taken exactly as sent
        let phone = signed_in(&site, &enter(&site, EMAIL, PASSWORD).await);
        let link = engine::people::passwords::make_link(&site.engine, &ada_id).await.unwrap();
        let new = " another one 😀, with spaces ";
        let changed = desk.post("/profile/password", &form(&[("present", PASSWORD), ("password", new)])).await;
        assert_eq!((changed.status, changed.location()), (StatusCode::SEE_OTHER, "/profile"), "{}", changed.text);
        assert_eq!(desk.get("/companies").await.status, StatusCode::OK, "this one goes on");
        assert_eq!(phone.get("/companies").await.status, StatusCode::SEE_OTHER, "the others have ended");
        for (password, status) in
            [(PASSWORD, StatusCode::UNPROCESSABLE_ENTITY), (new.trim(), StatusCode::UNPROCESSABLE_ENTITY), (new, StatusCode::SEE_OTHER)]
        {
            assert_eq!(enter(&site, EMAIL, password).await.status, status, "{password:?}");
        }
        assert_eq!(site.stranger().get(link.path()).await.status, StatusCode::GONE, "a link for a new password ends with it");
        // a name
        let renamed = desk.post("/profile/name", &form(&[("name", "Ada <b>Lovelace</b>")])).await;
        assert_eq!(renamed.status, StatusCode::SEE_OTHER);
        desk.get("/companies").await.assert_shows(&["Ada &#60;b&#62;Lovelace"]);
    })
    .await;
}

// proves H9 in part
#[tokio::test]
async fn without_mail_an_address_is_changed_at_once_and_with_mail_when_its_link_is_followed() {
    each_database(|url| async move {
        let (site, organization_id, ada_id) = house(&url).await;
        let ada = site.sign_in(&organization_id, &ada_id).await;
        let change = async |email: &str| ada.post("/profile/email", &form(&[("email", email), ("present", PASSWORD)])).await;
        ada.get("/profile").await.assert_shows(&["This server sends no mail: a new address counts at once."]);
        assert_eq!(change(" ADA@new.example ").await.location(), "/profile");
        assert_eq!(enter(&site, "ada@new.example", PASSWORD).await.status, StatusCode::SEE_OTHER);
        assert_eq!(enter(&site, EMAIL, PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);

        let mail = MailServer::start();
        site.engine.set_mailer(Mailer::new(&mail.url(), "Tieout <books@tieout.example>").unwrap());
        let deliver = async || while deliver_due(&site.engine).await.unwrap() > 0 {};
        let sent_to = |address: &str| mail.mails().into_iter().rfind(|mail| mail.to == [address]);
        assert_eq!(change("first@new.example").await.location(), "/profile");
        assert_eq!(change("second@new.example").await.location(), "/profile");
        deliver().await;
        let path = |address: &str| -> String {
            let mail = sent_to(address).unwrap_or_else(|| panic!("no mail to {address}"));
            let link = mail.link().expect("a link").to_owned();
            assert!(link.starts_with(&format!("{PUBLIC_URL}/profile/email/")), "{link}");
            Url::parse(&link).unwrap().path().to_owned()
        };
        let (first, second) = (path("first@new.example"), path("second@new.example"));
        ada.get("/profile").await.assert_shows(&["A link was mailed to <bdi>second@new.example</bdi>", "value=\"ada@new.example\""]);
        assert_eq!(enter(&site, "second@new.example", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY, "not before it is confirmed");
        // the latest counts, with a click, once
        let stranger = site.stranger();
        assert_eq!(stranger.get(&first).await.status, StatusCode::GONE);
        assert_eq!(stranger.post(&first, "").await.status, StatusCode::GONE);
        stranger.get(&second).await.assert_shows(&["Sign in with <bdi>second@new.example</bdi> from now on?"]);
        let confirmed = stranger.post(&second, "").await;
        confirmed.assert_shows(&["Your address is changed", "second@new.example"]);
        assert!(confirmed.cookie("tieout_session").is_none(), "the link signs nobody in");
        assert_eq!(stranger.post(&second, "").await.status, StatusCode::GONE);
        assert_eq!(enter(&site, "second@new.example", PASSWORD).await.status, StatusCode::SEE_OTHER);
        assert_eq!(enter(&site, "ada@new.example", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        deliver().await;
        let told = sent_to("ada@new.example").expect("the address of before is told");
        assert!(told.text.contains("second@new.example from now on") && told.link().is_none(), "{}", told.text);

        // an address that somebody has: the same answer, and that somebody is told; nothing is changed
        let member = site.user_of(&organization_id, Role::Member).await;
        let taken = format!("{member}@birchwood.example");
        let (free, same) = (change("free@new.example").await, change(&taken).await);
        let told = |answer: &Answer, email: &str| {
            let flash = URL_SAFE_NO_PAD.decode(answer.cookie("tieout_flash").unwrap().strip_prefix("tieout_flash=").unwrap()).unwrap();
            (answer.status, String::from_utf8(flash).unwrap().replace(email, "x"))
        };
        assert_eq!(told(&free, "free@new.example"), told(&same, &taken));
        deliver().await;
        let told = sent_to(&taken).expect("who has the address is told");
        assert!(told.text.contains("has an account of its own already") && told.link().is_none(), "{}", told.text);
        // a link whose address was taken meanwhile, and one that is too old
        let late = path("free@new.example");
        let mut tx = site.engine.store.begin().await.unwrap();
        assert!(store::members::set_email(&mut tx, &member, "free@new.example").await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(stranger.post(&late, "").await.status, StatusCode::GONE);
        assert_eq!(enter(&site, "second@new.example", PASSWORD).await.status, StatusCode::SEE_OTHER);
        let mut tx = site.engine.store.begin().await.unwrap();
        assert!(store::members::set_email(&mut tx, &member, &taken).await.unwrap());
        tx.execute("UPDATE email_changes SET expires_at = 1", Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(stranger.get(&late).await.status, StatusCode::GONE);
        assert_eq!(stranger.post(&late, "").await.status, StatusCode::GONE);
        // nobody's mailbox is filled
        for _ in 0..4 {
            change("third@new.example").await;
        }
        assert_eq!(change("third@new.example").await.status, StatusCode::TOO_MANY_REQUESTS);
    })
    .await;
}

// proves H9 in part
#[tokio::test]
async fn who_has_no_password_is_believed_for_an_hour_after_the_one_time_link_and_going_elsewhere_does_not_renew_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(START);
    let site = Site::at(&testkit::sqlite_url(folder.path()), Arc::new(clock.clone())).await;
    let (_, ada_id) = web::auth::create_owner(&site.engine, "Birchwood Advisory", "Ada Lindqvist", EMAIL, None).await.unwrap().unwrap();
    let enter = async || {
        let link = web::auth::make_sign_in_link(&site.engine, &ada_id).await.unwrap();
        signed_in(&site, &site.stranger().post(link.path(), "").await)
    };
    let browser = enter().await;
    browser.get("/profile").await.assert_shows(&["You have none yet, and sign in with one-time links.", "Set password"]);
    clock.advance_ms(3_599_000);
    // another organization is a new session, but no new proof
    let browser = signed_in(&site, &browser.post("/organizations/new", "name=Other").await);
    clock.advance_ms(2_000);
    let fields = form(&[("password", "another one, surely")]);
    let late = browser.post("/profile/password", &fields).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    late.assert_shows(&["id=\"password-present-error\"", "signed in more than an hour ago"]);
    let again = enter().await;
    assert_eq!(again.post("/profile/password", &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(again.post("/profile/password", &fields).await.status, StatusCode::FORBIDDEN, "now there is one to ask for");
}
