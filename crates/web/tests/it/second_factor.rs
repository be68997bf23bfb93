//! The second factor: setting it up, signing in with it, and every way that must not lead around it.
use crate::site::{Answer, Browser, PUBLIC_URL, Site};
use axum::body::Body;
use axum::http::StatusCode;
use domain::clock::ManualClock;
use domain::ids::{OrganizationId, UserId};
use domain::organization::{KeyAccess, Role};
use engine::people::second_factor::{base32, code_of, reset, step_at};
use std::sync::Arc;
use store::members;
use testkit::each_database;
use url::Url;
use web::auth::api_keys::Wanted;

const EMAIL: &str = "ada@birchwood.example";
const PASSWORD: &str = "long enough, surely";
/// In the middle of a half minute.
const START: i64 = 1_780_000_000_000;
/// Enough for wrong attempts to be forgotten.
const LATER_MS: i64 = 1_000_000;

/// A site whose clock stands still, and its Owner, who has a password.
struct House {
    site: Site,
    clock: ManualClock,
    organization_id: OrganizationId,
    ada: UserId,
}

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn path_of(link: &Url) -> String {
    link.path().to_owned()
}

impl House {
    async fn new(url: &str) -> House {
        let clock = ManualClock::at(START);
        let site = Site::at(url, Arc::new(clock.clone())).await;
        let (organization_id, ada) = web::auth::create_owner(&site.engine, "Birchwood", "Ada", EMAIL, Some(PASSWORD)).await.unwrap().unwrap();
        House { site, clock, organization_id, ada }
    }

    /// The first page of a sign-in, with the right password.
    async fn password(&self) -> Answer {
        let fields = [("email", EMAIL), ("password", PASSWORD), ("next", "/companies")];
        self.site.stranger().post("/sign-in", &form(&fields)).await
    }

    fn signed_in(&self, answer: &Answer) -> Browser<'_> {
        Browser {
            site: &self.site,
            cookie: answer.cookie("tieout_session").unwrap_or_else(|| panic!("not signed in: {} {}", answer.status, answer.text)),
        }
    }

    /// The browser of a sign-in that waits for a code.
    fn half(&self, answer: &Answer) -> Browser<'_> {
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/sign-in/code"), "{}", answer.text);
        assert!(answer.cookie("tieout_session").is_none(), "no session before the code");
        let set = answer.header("set-cookie");
        assert!(set.contains("; HttpOnly") && set.contains("SameSite=Lax") && set.contains("Max-Age=600"), "{set}");
        Browser { site: &self.site, cookie: answer.cookie("tieout_half").unwrap() }
    }

    async fn seed(&self) -> Vec<u8> {
        let store = &self.site.engine.store;
        store::second_factors::find(store, &mut store.read().await.unwrap(), &self.ada).await.unwrap().expect("a seed is kept").seed
    }

    /// The code of the half minute that lies so many after this one.
    async fn code(&self, steps: i64) -> String {
        code_of(&self.seed().await, step_at(self.site.engine.now_ms()) + steps)
    }

    /// Sets up a second factor as a person does; the recovery codes that were shown.
    async fn set_up(&self) -> Vec<String> {
        let ada = self.site.sign_in(&self.organization_id, &self.ada).await;
        let shown = ada.post("/profile/second-factor", &form(&[("present", PASSWORD)])).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
        let on = ada.post("/profile/second-factor/confirm", &form(&[("code", &self.code(0).await)])).await;
        assert_eq!(on.status, StatusCode::OK, "{}", on.text);
        codes_of(&on)
    }
}

fn codes_of(answer: &Answer) -> Vec<String> {
    let (_, rest) = answer.text.split_once("id=\"recovery-codes\">").unwrap_or_else(|| panic!("no codes in {}", answer.text));
    rest.split_once("</pre>").unwrap().0.lines().map(str::to_owned).collect()
}

// reliability.md 5.4, rows 14 to 17; 3.4, S-048
// proves H9 in part
#[tokio::test]
async fn the_code_of_now_or_of_its_neighbours_signs_in_once_and_whatever_else_is_sent_counts_as_an_attempt() {
    each_database(|url| async move {
        let house = House::new(&url).await;
        let codes = house.set_up().await;
        let of = async |steps: i64| house.code(steps).await;
        let enter = async |code: &str| house.half(&house.password().await).post("/sign-in/code", &form(&[("code", code)])).await;
        let (taken, refused) = (StatusCode::SEE_OTHER, StatusCode::UNPROCESSABLE_ENTITY);
        // the half minute whose code is sent, or what is sent instead
        let rows: [(&str, Result<i64, &str>, StatusCode); 15] = [
            ("nothing", Err(""), refused),
            ("letters", Err("abcdef"), refused),
            ("five digits", Err("12345"), refused),
            ("seven digits", Err("1234567"), refused),
            ("digits of another script", Err("١٢٣٤٥٦"), refused),
            ("a sign before them", Err("+12345"), refused),
            ("a NUL", Err("12345\0"), refused),
            ("a recovery code that is none", Err("aaaa-bbbb-cccc-dddd"), refused),
            ("ten thousand digits", Err("1"), refused),
            ("two half minutes old", Ok(-2), refused),
            ("an hour old", Ok(-120), refused),
            ("two half minutes ahead", Ok(2), refused),
            ("one half minute old", Ok(-1), taken),
            ("the code of now", Ok(0), taken),
            ("one half minute ahead", Ok(1), taken),
        ];
        for (what, sent, status) in rows {
            house.clock.advance_ms(LATER_MS);
            let code = match sent {
                Ok(steps) => of(steps).await,
                Err("1") => "1".repeat(10_000),
                Err(text) => text.to_owned(),
            };
            let answer = enter(&code).await;
            assert_eq!(answer.status, status, "{what}: {}", answer.text);
            if status == taken {
                assert_eq!(answer.location(), "/companies", "{what}: the page that was asked for");
                assert_eq!(house.signed_in(&answer).get("/companies").await.status, StatusCode::OK, "{what}");
            } else {
                assert!(answer.cookie("tieout_session").is_none(), "{what}");
                answer.assert_shows(&["id=\"code-error\" role=\"alert\"", "Enter the six digits"]);
            }
        }
        // the same once more, and one from before it
        house.clock.advance_ms(LATER_MS);
        let code = of(0).await;
        assert_eq!(enter(&code).await.status, taken);
        for again in [code.clone(), of(-1).await, format!(" {} {} ", &code[..3], &code[3..])] {
            let answer = enter(&again).await;
            assert_eq!(answer.status, refused, "a code works once, and none from before it works after");
            answer.assert_shows(&["or it was used before"]);
        }
        house.clock.advance_ms(30_000);
        let next = of(0).await;
        assert_eq!(enter(&format!(" {} {} ", &next[..3], &next[3..])).await.status, taken, "as people type it");
        // two at once
        house.clock.advance_ms(LATER_MS);
        let code = of(0).await;
        let (first, second) = tokio::join!(enter(&code), enter(&code));
        let mut statuses = [first.status, second.status];
        statuses.sort();
        assert_eq!(statuses, [taken, refused], "of two at once one is right");
        // whatever is wrong counts, and then even the right one waits
        house.clock.advance_ms(LATER_MS);
        for wrong in ["abcdef", "1234567", "12345", "aaaa-bbbb-cccc-dddd", "!"] {
            assert_eq!(enter(wrong).await.status, refused, "{wrong}");
        }
        let slowed = enter(&of(0).await).await;
        assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
        slowed.assert_shows(&["Too many attempts. Wait"]);
        house.clock.advance_ms(2_000);
        assert_eq!(enter(&of(0).await).await.status, taken);
        // a recovery code: once, however it is written
        let recover = async |code: &str| house.half(&house.password().await).post("/sign-in/code", &form(&[("recovery", code)])).await;
        let used = recover(&codes[0].to_uppercase()).await;
        assert_eq!(used.status, taken, "{}", used.text);
        let browser =
            Browser { site: &house.site, cookie: format!("{}; {}", used.cookie("tieout_session").unwrap(), used.cookie("tieout_flash").unwrap()) };
        browser.get("/companies").await.assert_shows(&["You used a recovery code; 9 are left."]);
        for again in [codes[0].clone(), codes[0].replace('-', ""), format!(" {} ", codes[0])] {
            let answer = recover(&again).await;
            assert_eq!(answer.status, refused, "{again}");
            answer.assert_shows(&["id=\"recovery-error\" role=\"alert\"", "used before"]);
        }
        assert_eq!(recover(&codes[1].replace('-', " ")).await.status, taken);
        browser.get("/profile").await.assert_shows(&["8 of 10 recovery codes left"]);
    })
    .await;
}

// reliability.md 3.4, S-048 and S-057
// proves H9 in part
#[tokio::test]
async fn no_way_to_sign_in_leads_around_the_second_factor() {
    each_database(|url| async move {
        let house = House::new(&url).await;
        let site = &house.site;
        house.set_up().await;
        // the browser of somebody who has only the password opens nothing
        let half = house.half(&house.password().await);
        half.get("/sign-in/code").await.assert_shows(&["Enter your code", "Use a recovery code instead", "autocomplete=\"one-time-code\""]);
        assert_eq!(half.get("/companies").await.location(), "/sign-in?next=%2Fcompanies");
        let refused = half.post("/profile/second-factor/off", &form(&[("present", PASSWORD)])).await;
        assert!(refused.location().starts_with("/sign-in?next=%2Fagain%2F"), "{}", refused.location());
        // a one-time link
        let link = path_of(&web::auth::make_sign_in_link(&site.engine, &house.ada).await.unwrap());
        house.half(&site.stranger().post(&link, "").await);
        // an invitation to another organization, accepted with the password
        let other = OrganizationId(site.engine.make_id());
        let zoe = site.member_of(&other, Role::Owner).await;
        zoe.post("/organization/invitations", &form(&[("emails", EMAIL), ("role", "admin")])).await;
        let page = zoe.get("/organization/invitations").await;
        let start = page.text.find(&format!("{PUBLIC_URL}/invitations/")).expect("a link to copy");
        let invitation = path_of(&Url::parse(page.text[start..].split(['<', '"', '&']).next().unwrap()).unwrap());
        let joined = house.half(&site.stranger().post(&invitation, &form(&[("password", PASSWORD)])).await);
        house.clock.advance_ms(LATER_MS);
        assert_eq!(joined.post("/sign-in/code", &form(&[("code", &house.code(0).await)])).await.location(), "/sign-in", "ten minutes are over");
        // a link for a new password: it sets the password, ends what waits, and asks for the code too
        let waiting = house.half(&house.password().await);
        let reset = path_of(&engine::people::passwords::make_link(&site.engine, &house.ada).await.unwrap());
        let new = form(&[("password", "another one, surely")]);
        let half = house.half(&site.stranger().post(&reset, &new).await);
        assert_eq!(waiting.post("/sign-in/code", &form(&[("code", &house.code(0).await)])).await.location(), "/sign-in", "the password was another");
        let entered = half.post("/sign-in/code", &form(&[("code", &house.code(0).await)])).await;
        assert_eq!((entered.status, entered.location()), (StatusCode::SEE_OTHER, "/"));
        house.signed_in(&entered).get("/profile").await.assert_shows(&["Profile and security", "On since"]);
        // what was used up is no way in any more, and there is none without a password
        assert_eq!(half.get("/sign-in/code").await.location(), "/sign-in");
        let stranger = site.stranger();
        assert_eq!(stranger.get("/sign-in/code").await.location(), "/sign-in");
        assert_eq!(stranger.post("/sign-in/code", &form(&[("code", &house.code(1).await)])).await.location(), "/sign-in");
    })
    .await;
}

// reliability.md 3.4, S-054; 3.2, S-024
// proves H9 in part
#[tokio::test]
async fn setting_up_and_taking_away_ask_for_the_password_and_the_seed_is_nowhere_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(&testkit::sqlite_url(folder.path())).await;
    let ada = house.site.sign_in(&house.organization_id, &house.ada).await;
    ada.get("/profile").await.assert_shows(&["Profile and security", "Second factor", "Set up", "href=\"/profile\""]);
    let begin = async |present: &str| ada.post("/profile/second-factor", &form(&[("present", present)])).await;
    for (present, status, says) in [
        ("", StatusCode::FORBIDDEN, "Enter your current password"),
        ("not this one", StatusCode::UNPROCESSABLE_ENTITY, "The current password is not right"),
        (" long enough, surely", StatusCode::UNPROCESSABLE_ENTITY, "The current password is not right"),
    ] {
        let answer = begin(present).await;
        assert_eq!(answer.status, status, "{present}: {}", answer.text);
        answer.assert_shows(&["id=\"factor-present-error\"", says]);
        assert!(!answer.text.contains("otpauth:"), "no seed for {present:?}");
    }
    // shown, not confirmed: nothing asks for it, and it ends by itself
    let shown = begin(PASSWORD).await;
    let seed = house.seed().await;
    let groups = base32(&seed).as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
    shown.assert_shows(&["<svg width=\"220\"", "QR code", &groups, "otpauth://totp/Tieout:ada%40birchwood.example?secret="]);
    assert!(!shown.text.contains("style=\"") && !shown.text.contains("data:"), "the policy forbids both");
    assert!(house.password().await.cookie("tieout_session").is_some(), "nothing asks for a code yet");
    let wrong = ada.post("/profile/second-factor/confirm", &form(&[("code", "abcdef")])).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    wrong.assert_shows(&["id=\"code-error\"", "This is not the code of now", &groups]);
    house.clock.advance_ms(15 * 60_000 + 1);
    let late = ada.post("/profile/second-factor/confirm", &form(&[("code", &house.code(0).await)])).await;
    assert_eq!((late.status, late.location()), (StatusCode::SEE_OTHER, "/profile"), "a quarter of an hour is over");
    assert!(house.password().await.cookie("tieout_session").is_some(), "still nothing asks for a code");
    begin(PASSWORD).await;
    assert_ne!(house.seed().await, seed, "another try has another seed");
    let on = ada.post("/profile/second-factor/confirm", &form(&[("code", &house.code(0).await)])).await;
    let codes = codes_of(&on);
    assert_eq!(codes.len(), 10);
    let page = ada.get("/profile").await;
    page.assert_shows(&["On since", "10 of 10 recovery codes left", "Turn off"]);
    assert!(codes.iter().all(|code| !page.text.contains(code)), "they are shown once");
    assert!(!page.text.contains("otpauth:"));
    assert_eq!(begin(PASSWORD).await.location(), "/profile", "a second seed needs the first one turned off");

    // nowhere in the database, its log included: neither the seed nor a recovery code, in any form it could be kept in
    let seed = house.seed().await;
    let mut canaries = vec![seed.clone(), base32(&seed).into_bytes(), hex::encode(&seed).into_bytes()];
    canaries.extend(codes.iter().flat_map(|code| [code.clone().into_bytes(), code.replace('-', "").into_bytes()]));
    let mut looked_at = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        looked_at += usize::from(bytes.windows(EMAIL.len()).any(|window| window == EMAIL.as_bytes()));
        for canary in &canaries {
            assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_slice()), "{} is kept in clear", String::from_utf8_lossy(canary));
        }
    }
    assert!(looked_at > 0, "the database was looked at: it holds the address");

    // new codes end the old ones; both need the password
    for path in ["/profile/second-factor/codes", "/profile/second-factor/off"] {
        for (present, status) in [("", StatusCode::FORBIDDEN), ("not this one", StatusCode::UNPROCESSABLE_ENTITY)] {
            let answer = ada.post(path, &form(&[("present", present)])).await;
            assert_eq!(answer.status, status, "{path}");
            answer.assert_shows(&["id=\"factor-present-error\""]);
        }
    }
    let renewed = codes_of(&ada.post("/profile/second-factor/codes", &form(&[("present", PASSWORD)])).await);
    let recover = async |code: &str| house.half(&house.password().await).post("/sign-in/code", &form(&[("recovery", code)])).await.status;
    assert_eq!(recover(&codes[0]).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(recover(&renewed[0]).await, StatusCode::SEE_OTHER);
    assert_eq!(ada.post("/profile/second-factor/off", &form(&[("present", PASSWORD)])).await.location(), "/profile");
    ada.get("/profile").await.assert_shows(&["Set up"]);
    assert!(house.password().await.cookie("tieout_session").is_some(), "the password is enough again");
}

// reliability.md 3.4, S-048: a device that is lost
// proves H9 in part
#[tokio::test]
async fn an_owner_resets_the_second_factor_of_a_member_and_whoever_runs_the_server_that_of_the_last_owner() {
    each_database(|url| async move {
        let house = House::new(&url).await;
        let site = &house.site;
        house.set_up().await;
        let path = |id: &UserId| format!("/organization/members/{id}/second-factor");
        let has = async |id: &UserId| store::second_factors::confirmed_at(&mut site.engine.store.read().await.unwrap(), id).await.unwrap().is_some();
        let ada_before = site.sign_in(&house.organization_id, &house.ada).await;
        // an Admin does not, a member without one has none to reset, and one's own is turned off elsewhere
        let admin_id = site.user_of(&house.organization_id, Role::Admin).await;
        let admin = site.sign_in(&house.organization_id, &admin_id).await;
        let refused = admin.post(&path(&house.ada), "").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        refused.assert_shows(&["Only an Owner of the organization"]);
        let second_id = site.user_of(&house.organization_id, Role::Owner).await;
        let second = site.sign_in(&house.organization_id, &second_id).await;
        assert_eq!(second.post(&path(&admin_id), "").await.location(), "/organization/members");
        ada_before.post(&path(&house.ada), "").await;
        assert!(has(&house.ada).await, "still there");
        // somebody who belongs elsewhere too
        let other = OrganizationId(site.engine.make_id());
        site.user_of(&other, Role::Owner).await;
        let mut tx = site.engine.store.begin().await.unwrap();
        members::add(&mut tx, &other, &house.ada, Role::Member, START).await.unwrap();
        tx.commit().await.unwrap();
        second.post(&path(&house.ada), "").await;
        assert!(has(&house.ada).await, "it guards the other organization as well");
        let page = second.get("/organization/members").await;
        page.assert_shows(&["Second factor"]);
        assert!(!page.text.contains("Reset second factor"));
        let mut tx = site.engine.store.begin().await.unwrap();
        members::remove(&mut tx, &other, &house.ada).await.unwrap();
        tx.commit().await.unwrap();
        // the column, sorted: who has none comes first
        let sorted = second.get("/organization/members?sort=-factor").await;
        sorted.assert_shows(&["aria-sort=\"descending\"", "Reset second factor"]);
        let place = |id: &UserId| sorted.text.find(&format!("member-{id}\"")).unwrap();
        assert!(place(&house.ada) < place(&admin_id), "who has one comes first now");
        let rows = second.get("/organization/members?sort=factor").await;
        let place = |id: &UserId| rows.text.find(&format!("member-{id}\"")).unwrap();
        assert!(place(&house.ada) > place(&admin_id));
        assert!(!admin.get("/organization/members").await.text.contains("Reset second factor"), "not for an Admin");

        let done = second.post(&path(&house.ada), "").await;
        assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/organization/members"));
        assert!(!has(&house.ada).await);
        assert_eq!(ada_before.get("/companies").await.status, StatusCode::SEE_OTHER, "a lost device may hold a session: it has ended");
        assert!(house.password().await.cookie("tieout_session").is_some(), "the password is enough");
        // from the command line
        house.clock.advance_ms(LATER_MS);
        house.set_up().await;
        let waiting = house.half(&house.password().await);
        assert!(reset(&site.engine, &house.ada).await.unwrap());
        assert!(!reset(&site.engine, &house.ada).await.unwrap(), "nothing is left to reset");
        assert_eq!(waiting.get("/sign-in/code").await.location(), "/sign-in", "what waited for a code begins again");
        assert!(house.password().await.cookie("tieout_session").is_some());
    })
    .await;
}

// reliability.md 3.4, S-048: enforceable for an organization
// proves H9 in part
#[tokio::test]
async fn an_organization_that_asks_for_a_second_factor_leads_members_to_set_one_up_and_leaves_keys_alone() {
    each_database(|url| async move {
        let house = House::new(&url).await;
        let site = &house.site;
        let setting = "/organization/settings/second-factor";
        let required =
            async || store::second_factors::is_required(&mut site.engine.store.read().await.unwrap(), &house.organization_id).await.unwrap();
        let ada = site.sign_in(&house.organization_id, &house.ada).await;
        let admin_id = site.user_of(&house.organization_id, Role::Admin).await;
        let admin = site.sign_in(&house.organization_id, &admin_id).await;
        ada.get("/organization/settings").await.assert_shows(&["Require a second factor", "Set up your own first"]);
        ada.post(setting, "required=1").await;
        assert!(!required().await, "an Owner who has none asks nobody for one");
        house.set_up().await;
        assert_eq!(admin.post(setting, "required=1").await.status, StatusCode::FORBIDDEN);
        admin.get("/organization/settings").await.assert_shows(&["Only an Owner decides this."]);
        assert_eq!(ada.post(setting, "required=1&organization=another").await.status, StatusCode::CONFLICT);
        assert!(!required().await);
        assert_eq!(ada.post(setting, "required=1").await.location(), "/organization/settings");
        assert!(required().await);

        // who has one notices nothing
        assert_eq!(ada.get("/companies").await.status, StatusCode::OK);
        // who has none is led to it from every page, by every form, and sees nothing in fragments or streams
        for path in ["/", "/companies", "/integrations", "/organization/members", "/palette/index.json", "/companies/none"] {
            let led = admin.get(path).await;
            assert_eq!((led.status, led.location()), (StatusCode::SEE_OTHER, "/profile"), "{path}");
        }
        let members = format!("/organization/members/{}/role", house.ada);
        let led = admin.post(&members, "role=member").await;
        assert_eq!((led.status, led.location()), (StatusCode::SEE_OTHER, "/profile"));
        assert_eq!(admin.get("/events").await.status, StatusCode::FORBIDDEN);
        let fragment = admin.request("GET", "/companies").header("x-live", "1").body(Body::empty()).unwrap();
        assert_eq!(site.send(fragment).await.status, StatusCode::FORBIDDEN);
        admin.get("/profile").await.assert_shows(&["asks everybody for a second factor", "Set up"]);
        // the way out, and to another organization, stays open
        assert_eq!(admin.post("/switch", "organization=none").await.status, StatusCode::NOT_FOUND);
        // a key made by somebody who has none goes on
        let app = web::App::new(site.engine.clone(), web::WebOptions::new(Url::parse(PUBLIC_URL).unwrap()));
        let wanted = Wanted { name: "Load".into(), role: Role::Admin, access: KeyAccess::Read, companies: Vec::new(), expires_at: None };
        let made = web::auth::api_keys::make(&app, &house.organization_id, &admin_id, Role::Admin, &wanted).await.unwrap().unwrap();
        let secret = made.secret;
        let asked = site.stranger().request("GET", "/api/v1/companies").header("authorization", format!("Bearer {secret}"));
        assert_eq!(site.send(asked.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
        // set up, everything is open at the very next click
        let mut tx = site.engine.store.begin().await.unwrap();
        assert!(store::second_factors::begin(&site.engine.store, &mut tx, &admin_id, b"12345678901234567890", START).await.unwrap());
        tx.commit().await.unwrap();
        let code = code_of(b"12345678901234567890", step_at(START));
        let on = admin.post("/profile/second-factor/confirm", &form(&[("code", &code)])).await;
        on.assert_shows(&["recovery codes", "I have kept them"]);
        assert!(!on.text.contains("asks everybody for a second factor"));
        assert_eq!(admin.get("/integrations").await.status, StatusCode::OK);
        // and no longer
        let member = site.member_of(&house.organization_id, Role::Member).await;
        assert_eq!(member.get("/companies").await.location(), "/profile");
        ada.post(setting, "required=0").await;
        assert_eq!(member.get("/companies").await.status, StatusCode::OK);
    })
    .await;
}
