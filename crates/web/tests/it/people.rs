//! Members, invitations, internal access, organizations and new passwords, from outside.
use crate::sample::NOW_MS;
use crate::site::{Answer, Browser, PUBLIC_URL, Site};
use axum::body::Body;
use axum::http::StatusCode;
use domain::clock::ManualClock;
use domain::ids::{CompanyId, OrganizationId, UserId};
use domain::organization::Role;
use engine::delivery::{Mailer, deliver_due};
use std::sync::Arc;
use testkit::each_database;
use testkit::mail::MailServer;
use url::Url;
use url::form_urlencoded::byte_serialize;

const PASSWORD: &str = "long enough, surely";

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The path of a link that stands in a text.
fn path_of(link: &str) -> String {
    Url::parse(link).unwrap().path().to_owned()
}

/// The link of the only invitation the page shows.
async fn invitation_link(owner: &Browser<'_>) -> String {
    let page = owner.get("/organization/invitations").await;
    let start = page.text.find(&format!("{PUBLIC_URL}/invitations/")).unwrap_or_else(|| panic!("no link in {}", page.text));
    path_of(page.text[start..].split(['<', '"', '&']).next().unwrap())
}

async fn companies(site: &Site, owner: &Browser<'_>) -> Vec<store::companies::Company> {
    owner.connect("xero").await;
    owner.connect("quickbooks").await;
    let mut tx = site.engine.store.begin().await.unwrap();
    let found = store::companies::list(&mut tx, &site.organization_id).await.unwrap();
    for company in &found {
        store::companies::link(&mut tx, &company.id, 1).await.unwrap();
    }
    tx.commit().await.unwrap();
    found
}

fn signed_in<'a>(site: &'a Site, answer: &Answer) -> Browser<'a> {
    Browser { site, cookie: answer.cookie("tieout_session").unwrap_or_else(|| panic!("not signed in: {} {}", answer.status, answer.text)) }
}

// proves H4
#[tokio::test]
async fn an_invitation_is_sent_shown_accepted_and_leads_to_assigned_companies_only() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let mail = MailServer::start();
        site.engine.set_mailer(Mailer::new(&mail.url(), "Tieout <books@tieout.example>").unwrap());
        let owner = site.member(Role::Owner).await;
        let companies = companies(&site, &owner).await;
        let (mine, other) = (&companies[0], &companies[1]);
        owner.get("/organization/invitations/new").await.assert_shows(&["Invite Member", "Send Invitation", &mine.name]);
        let fields = [("emails", "Nina@New.example\nadam@new.example"), ("role", "member"), ("company", mine.id.as_str())];
        let sent = owner.post("/organization/invitations", &form(&fields)).await;
        assert_eq!((sent.status, sent.location()), (StatusCode::SEE_OTHER, "/organization/invitations"), "{}", sent.text);
        while deliver_due(&site.engine).await.unwrap() > 0 {}
        let mails = mail.mails();
        assert_eq!(mails.len(), 2);
        let mail = mails.iter().find(|mail| mail.to == ["nina@new.example"]).unwrap();
        assert!(mail.text.contains("Ada Lindqvist invites you to Birchwood Advisory") && mail.text.contains("as Member"), "{}", mail.text);
        let link = mail.link().unwrap();
        assert!(link.starts_with(PUBLIC_URL), "{link}");
        let path = path_of(link);

        let stranger = site.stranger();
        stranger.get(&path).await.assert_shows(&["Birchwood Advisory", "nina@new.example", "Member", "Reads the books", "Accept", "Decline"]);
        // somebody else who is signed in
        let other_person = site.member(Role::Admin).await;
        other_person.get(&path).await.assert_shows(&["You are signed in as", "is for", "Sign out and continue"]);
        assert_eq!(other_person.post(&path, "").await.status, StatusCode::FORBIDDEN);
        let wrong = stranger.post(&path, &form(&[("name", ""), ("password", "short")])).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        wrong.assert_shows(&["Enter your name.", "Use at least 12 characters."]);
        let accepted = stranger
            .post(&path, &form(&[("name", "Nina <b>New</b>"), ("password", PASSWORD), ("email", "owner@evil.example"), ("role", "owner")]))
            .await;
        let nina = signed_in(&site, &accepted);
        let page = nina.get("/companies").await;
        page.assert_shows(&[&mine.name, "Nina &#60;b&#62;New", "Member"]);
        assert!(!page.text.contains(&other.name) && !page.text.contains("/integrations") && !page.text.contains("href=\"/organization/"));
        assert_eq!(nina.get(&format!("/companies/{}", mine.id)).await.status, StatusCode::OK);
        assert_eq!(nina.get(&format!("/companies/{}", other.id)).await.status, StatusCode::NOT_FOUND);
        // used up, and the password of the invitation signs in
        let again = stranger.get(&path).await;
        assert_eq!(again.status, StatusCode::GONE);
        again.assert_shows(&["no longer works", "accepted already"]);
        let entered = stranger.post("/sign-in", &form(&[("email", "nina@new.example"), ("password", PASSWORD)])).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER);

        // the other one says no, with nothing but the link
        let adam = path_of(mails.iter().find(|mail| mail.to == ["adam@new.example"]).unwrap().link().unwrap());
        stranger.post(&format!("{adam}/decline"), "").await.assert_shows(&["Declined", "did not join"]);
        let over = stranger.get(&adam).await;
        assert_eq!(over.status, StatusCode::GONE);
        over.assert_shows(&["It was declined"]);
        owner.get("/organization/invitations").await.assert_shows(&["No open invitation"]);

        // removed, she belongs nowhere and cannot sign in; invited again, her password accepts
        let members = store::members::list(&mut site.engine.store.read().await.unwrap(), &site.organization_id).await.unwrap();
        let id = members.iter().find(|member| member.email == "nina@new.example").unwrap().user_id.clone();
        owner.post(&format!("/organization/members/{id}/remove"), "").await;
        let entered = stranger.post("/sign-in", &form(&[("email", "nina@new.example"), ("password", PASSWORD)])).await;
        assert_eq!(entered.status, StatusCode::FORBIDDEN);
        owner.post("/organization/invitations", &form(&[("emails", "nina@new.example"), ("role", "admin")])).await;
        let path = invitation_link(&owner).await;
        let back = signed_in(&site, &stranger.post(&path, &form(&[("password", PASSWORD)])).await);
        assert_eq!(back.get("/integrations").await.status, StatusCode::OK);
    })
    .await;
}

// proves H4 in part
#[tokio::test]
async fn without_mail_the_link_is_copied_and_it_can_be_cancelled_and_sent_again() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        let owner = site.member(Role::Owner).await;
        let invite = async |email: &str| owner.post("/organization/invitations", &form(&[("emails", email), ("role", "admin")])).await;
        invite("eve@new.example").await;
        owner.get("/organization/invitations").await.assert_shows(&["eve@new.example", "Admin", "sends no mail", "Resend", "Copy link", "Cancel"]);
        let path = invitation_link(&owner).await;
        let id = store::invitations::list_open(&mut site.engine.store.read().await.unwrap(), &site.organization_id).await.unwrap()[0].id.clone();
        let resent = owner.post(&format!("/organization/invitations/{id}/resend"), "").await;
        assert_eq!(resent.status, StatusCode::SEE_OTHER);
        assert_eq!(invitation_link(&owner).await, path, "its link stays");
        // expired: it says so, and sending it again makes the same link work again
        let mut tx = site.engine.store.begin().await.unwrap();
        assert!(store::invitations::renew(&mut tx, &id, 1, 2).await.unwrap());
        tx.commit().await.unwrap();
        let expired = site.stranger().get(&path).await;
        assert_eq!(expired.status, StatusCode::GONE);
        expired.assert_shows(&["three days, which are over"]);
        assert_eq!(site.stranger().post(&path, &form(&[("name", "Eve"), ("password", PASSWORD)])).await.status, StatusCode::GONE);
        owner.get("/organization/invitations").await.assert_shows(&["expired"]);
        owner.post(&format!("/organization/invitations/{id}/resend"), "").await;
        assert_eq!(site.stranger().get(&path).await.status, StatusCode::OK);
        owner.post(&format!("/organization/invitations/{id}/cancel"), "").await;
        site.stranger().get(&path).await.assert_shows(&["It was cancelled"]);
        let reference = site.stranger().get("/invitations/none").await;
        assert_eq!(reference.status, StatusCode::GONE);

        // somebody who has an account signs in first, comes back, and belongs to two organizations
        invite("bob@other.example").await;
        let path = invitation_link(&owner).await;
        let other = OrganizationId(site.engine.make_id());
        let bob_id = site.user_of(&other, Role::Owner).await;
        let mut tx = site.engine.store.begin().await.unwrap();
        let user = store::members::User { id: UserId::new("bob"), email: "bob@other.example".into(), name: "Bob".into(), password_hash: None };
        assert!(store::members::insert_user(&mut tx, &user, 1).await.unwrap());
        store::members::add(&mut tx, &other, &user.id, Role::Member, 1).await.unwrap();
        tx.commit().await.unwrap();
        let _ = bob_id;
        site.stranger().get(&path).await.assert_shows(&["This address has an account here", "Accept"]);
        let mallory = site.stranger().post(&path, &form(&[("name", "Mallory"), ("password", PASSWORD)])).await;
        assert_eq!(mallory.status, StatusCode::UNPROCESSABLE_ENTITY);
        mallory.assert_shows(&["The password is not right."]);
        let bob = site.sign_in(&other, &user.id).await;
        bob.get(&path).await.assert_shows(&["Accept"]);
        let joined = signed_in(&site, &bob.post(&path, "").await);
        joined.get("/integrations").await.assert_shows(&["Admin", "/switch", "Create another organization"]);
        assert_eq!(bob.get("/companies").await.status, StatusCode::SEE_OTHER, "the session of before has ended");
        // back to the other organization, and not into one that is none of his
        let switched = joined.post("/switch", &form(&[("organization", other.as_str())])).await;
        let there = signed_in(&site, &switched);
        assert_eq!(there.get("/integrations").await.status, StatusCode::FORBIDDEN, "a Member there");
        assert_eq!(joined.get("/integrations").await.status, StatusCode::SEE_OTHER, "switching makes a new session");
        let third = OrganizationId(site.engine.make_id());
        site.user_of(&third, Role::Owner).await;
        for foreign in [third.as_str(), "unknown", ""] {
            assert_eq!(there.post("/switch", &form(&[("organization", foreign)])).await.status, StatusCode::NOT_FOUND);
        }
    })
    .await;
}

// proves H5
#[tokio::test]
async fn another_role_holds_for_the_very_next_request_and_a_removed_member_is_out() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        let owner = site.member(Role::Owner).await;
        let target = site.user_of(&site.organization_id, Role::Member).await;
        let person = site.sign_in(&site.organization_id, &target).await;
        let role = |word: &str| form(&[("role", word)]);
        let path = format!("/organization/members/{target}/role");
        assert_eq!(person.get("/integrations").await.status, StatusCode::FORBIDDEN);
        let promoted = owner.post(&path, &role("admin")).await;
        assert_eq!((promoted.status, promoted.location()), (StatusCode::SEE_OTHER, "/organization/members"));
        assert_eq!(person.get("/integrations").await.status, StatusCode::OK);
        owner.post(&path, &role("member")).await;
        assert_eq!(person.get("/integrations").await.status, StatusCode::FORBIDDEN);
        assert_eq!(person.get("/organization/members").await.status, StatusCode::FORBIDDEN);
        owner.post(&path, &role("emperor")).await;
        assert_eq!(person.get("/integrations").await.status, StatusCode::FORBIDDEN, "an unknown word changes nothing");
        owner.get(&format!("/organization/members/{target}/remove")).await.assert_shows(&["Remove", "Keep"]);
        owner.post(&format!("/organization/members/{target}/remove"), "").await;
        assert_eq!(person.get("/companies").await.status, StatusCode::SEE_OTHER, "signed out");
        assert_eq!(owner.post(&path, &role("admin")).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

// proves H3 in part
#[tokio::test]
async fn the_last_owner_is_locked_with_the_reason_and_admins_touch_no_owner() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        let owner_id = site.user_of(&site.organization_id, Role::Owner).await;
        let owner = site.sign_in(&site.organization_id, &owner_id).await;
        let admin_id = site.user_of(&site.organization_id, Role::Admin).await;
        let admin = site.sign_in(&site.organization_id, &admin_id).await;
        owner.get("/organization/members").await.assert_shows(&["This is the last Owner.", "disabled", "Invite Member", "Internal Access"]);
        let role = |id: &UserId| format!("/organization/members/{id}/role");
        let alone = owner.post(&role(&owner_id), &form(&[("role", "member")])).await;
        assert_eq!(alone.status, StatusCode::SEE_OTHER);
        assert_eq!(owner.get("/organization/members").await.status, StatusCode::OK, "still the Owner");
        owner.post(&format!("/organization/members/{owner_id}/remove"), "").await;
        assert_eq!(owner.get("/organization/members").await.status, StatusCode::OK, "still here");
        for (path, body) in [
            (role(&owner_id), "role=member"),
            (role(&admin_id), "role=owner"),
            (role(&admin_id), "role=member"),
            (format!("/organization/members/{owner_id}/remove"), ""),
            (format!("/organization/members/{owner_id}/password-link"), ""),
        ] {
            let answer = admin.post(&path, body).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {body}");
            answer.assert_shows(&["You don&#39;t have access"]);
        }
        // a page that only a form leads to is not asked for again by its script
        let link = owner.post(&format!("/organization/members/{admin_id}/password-link"), "").await;
        link.assert_shows(&["A link for a new password"]);
        assert!(!link.text.contains("data-events"), "the answer to a form follows nothing");
        owner.get("/organization/members").await.assert_shows(&["data-events=\"/events\""]);
        let sorted = owner.get("/organization/members?sort=-role").await;
        sorted.assert_shows(&["aria-sort=\"descending\"", "Date joined", "Last seen"]);
        let places = (sorted.text.find(&format!("member-{owner_id}")).unwrap(), sorted.text.find(&format!("member-{admin_id}")).unwrap());
        assert!(places.0 > places.1, "the Owner comes last");
    })
    .await;
}

// proves H2 in part
#[tokio::test]
async fn internal_access_assigns_in_bulk_and_two_who_save_at_once_lose_nothing() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let owner = site.member(Role::Owner).await;
        let companies = companies(&site, &owner).await;
        let user_id = site.user_of(&site.organization_id, Role::Member).await;
        let member = site.sign_in(&site.organization_id, &user_id).await;
        let pair = |company: &CompanyId| format!("{user_id}:{company}");
        let read = async || {
            let mut conn = site.engine.store.read().await.unwrap();
            store::readers::list(&mut conn, &site.organization_id, &user_id).await.unwrap().into_iter().collect::<Vec<_>>()
        };
        let (first, second) = (&companies[0].id, &companies[1].id);
        let page = owner.get("/organization/access").await;
        page.assert_shows(&[&pair(first), &format!("sees 0 of {}", companies.len()), "sees all", "Owners and Admins read every company"]);
        // both drew the page while nothing was assigned
        owner.post("/organization/access", &form(&[("reads", &pair(first))])).await;
        owner.post("/organization/access", &form(&[("reads", &pair(second))])).await;
        assert_eq!(read().await.len(), 2, "the second did not take away what the first gave");
        owner.post("/organization/access", &form(&[("had", &pair(first)), ("had", &pair(second)), ("reads", &pair(second))])).await;
        assert_eq!(read().await.as_slice(), std::slice::from_ref(second));
        assert_eq!(member.get(&format!("/companies/{first}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(member.get(&format!("/companies/{second}")).await.status, StatusCode::OK);
        owner.post("/organization/access", &form(&[("all", user_id.as_str())])).await;
        assert_eq!(read().await.len(), companies.len());
        owner.post("/organization/access", &form(&[("none", user_id.as_str()), ("q", &companies[0].name)])).await;
        assert!(!read().await.contains(first), "only what the filter finds");
        owner.get("/organization/access?q=no+such+company").await.assert_shows(&["No company fits"]);
        owner.get("/organization/access?who=nobody").await.assert_shows(&["No member has this name"]);
        // a person or a company of elsewhere is passed over
        let other = OrganizationId(site.engine.make_id());
        let stranger = site.user_of(&other, Role::Member).await;
        owner.post("/organization/access", &form(&[("reads", &format!("{stranger}:{first}"))])).await;
        assert!(store::readers::list_all(&mut site.engine.store.read().await.unwrap(), &other).await.unwrap().is_empty());
        // removing whose sign-in powers companies lists them first
        let owners = store::members::list(&mut site.engine.store.read().await.unwrap(), &site.organization_id).await.unwrap();
        let powering = owners.iter().find(|member| member.role == Role::Owner).unwrap();
        let second_owner = site.member(Role::Owner).await;
        let ask = second_owner.get(&format!("/organization/members/{}/remove", powering.user_id)).await;
        ask.assert_shows(&[&companies[0].name, "Update Token User", "companies are synced through"]);
    })
    .await;
}

#[tokio::test]
async fn a_new_password_comes_by_mail_and_tells_nobody_who_has_an_account() {
    each_database(|url| async move {
        // no pause ends by itself
        let site = Site::at(&url, Arc::new(ManualClock::at(NOW_MS))).await;
        let mail = MailServer::start();
        site.engine.set_mailer(Mailer::new(&mail.url(), "books@tieout.example").unwrap());
        web::auth::create_owner(&site.engine, "Birchwood", "Ada", "ada@birchwood.example", Some(PASSWORD)).await.unwrap();
        let stranger = site.stranger();
        let ask = async |email: &str| stranger.post("/password", &form(&[("email", email)])).await;
        let (known, unknown) = (ask("Ada@birchwood.example").await, ask("eve@birchwood.example").await);
        assert_eq!((known.status, known.text.replace("ada@", "x@")), (unknown.status, unknown.text.replace("eve@", "x@")));
        known.assert_shows(&["Look into your mail", "If <bdi>ada@birchwood.example</bdi> has an account"]);
        let wait = async {
            while mail.mails().is_empty() {
                deliver_due(&site.engine).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), wait).await.unwrap();
        assert_eq!(mail.mails().len(), 1, "nobody else gets a mail");
        let link = mail.mails()[0].link().unwrap().to_owned();
        assert!(link.starts_with(&format!("{PUBLIC_URL}/password/")), "the configured address, whatever a request says: {link}");
        let path = path_of(&link);
        let before = signed_in(&site, &stranger.post("/sign-in", &form(&[("email", "ada@birchwood.example"), ("password", PASSWORD)])).await);
        stranger.get(&path).await.assert_shows(&["Choose a password", "ada@birchwood.example"]);
        let new = " another one, with a space ";
        let after = signed_in(&site, &stranger.post(&path, &form(&[("password", new)])).await);
        assert_eq!(after.get("/companies").await.status, StatusCode::OK);
        assert_eq!(before.get("/companies").await.status, StatusCode::SEE_OTHER, "every other session has ended");
        assert_eq!(stranger.get(&path).await.status, StatusCode::GONE);
        assert_eq!(stranger.post(&path, &form(&[("password", "yet another one")])).await.status, StatusCode::GONE);
        for (password, status) in
            [(PASSWORD, StatusCode::UNPROCESSABLE_ENTITY), (new.trim(), StatusCode::UNPROCESSABLE_ENTITY), (new, StatusCode::SEE_OTHER)]
        {
            let entered = stranger.post("/sign-in", &form(&[("email", "ada@birchwood.example"), ("password", password)])).await;
            assert_eq!(entered.status, status, "{password:?}");
        }
        for _ in 0..6 {
            ask("ada@birchwood.example").await;
        }
        assert_eq!(ask("ada@birchwood.example").await.status, StatusCode::TOO_MANY_REQUESTS, "nobody's mailbox is filled");
    })
    .await;
}

/// One form, what is put into it, and what the page says.
struct Case {
    path: &'static str,
    fields: Vec<(&'static str, String)>,
    status: StatusCode,
    says: &'static str,
}

fn case(path: &'static str, fields: &[(&'static str, &str)], status: StatusCode, says: &'static str) -> Case {
    Case { path, fields: fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(), status, says }
}

#[tokio::test]
async fn every_wrong_field_of_these_pages_is_told_beside_it_and_nothing_is_half_done() {
    each_database(|url| async move {
        let site = Site::new(&url).await;
        site.engine.set_mailer(Mailer::new("smtp://127.0.0.1:9", "books@tieout.example").unwrap());
        let (owner, member_id) = (site.member(Role::Owner).await, site.user_of(&site.organization_id, Role::Member).await);
        let present = format!("fine@new.example, {member_id}@birchwood.example");
        let (invite, settings, new) = ("/organization/invitations", "/organization/settings", "/organizations/new");
        let wrong = StatusCode::UNPROCESSABLE_ENTITY;
        let long = "x".repeat(101);
        let long_address = format!("{}@b.example", "a".repeat(390));
        let many: Vec<String> = (0..51).map(|at| format!("a{at}@b.example")).collect();
        let cases = [
            case(invite, &[("emails", ""), ("role", "member")], wrong, "Enter at least one e-mail address."),
            case(invite, &[("emails", " \r\n "), ("role", "member")], wrong, "Enter at least one e-mail address."),
            case(invite, &[("emails", "fine@new.example nobody"), ("role", "member")], wrong, "is not an e-mail address"),
            case(invite, &[("emails", "Ada <ada@b.example>"), ("role", "member")], wrong, "is not an e-mail address"),
            case(invite, &[("emails", &long_address), ("role", "member")], wrong, "is not an e-mail address"),
            case(invite, &[("emails", &many.join("\n")), ("role", "member")], wrong, "invite at most 50 at once"),
            case(invite, &[("emails", &present), ("role", "member")], wrong, "is a member already"),
            case(invite, &[("emails", "fine@new.example")], wrong, "Choose Member or Admin."),
            case(invite, &[("emails", "fine@new.example"), ("role", "emperor")], wrong, "Choose Member or Admin."),
            case(invite, &[("emails", "fine@new.example"), ("role", "owner")], StatusCode::FORBIDDEN, "Nobody is invited as an Owner"),
            case(
                invite,
                &[("emails", "fine@new.example"), ("role", "member"), ("organization", "another")],
                StatusCode::CONFLICT,
                "another organization now",
            ),
            case(settings, &[("name", "")], wrong, "Give the organization a name."),
            case(settings, &[("name", "  \t ")], wrong, "Give the organization a name."),
            case(settings, &[("name", &long)], wrong, "Use at most 100 characters"),
            case(settings, &[("name", "two\nlines")], wrong, "on one line"),
            case(settings, &[("name", "Fine"), ("organization", "another")], StatusCode::CONFLICT, "another organization now"),
            case(settings, &[("name", &"x".repeat(2 << 20))], StatusCode::PAYLOAD_TOO_LARGE, "too much at once"),
            case(new, &[("name", "")], wrong, "Give the organization a name."),
            case("/password", &[("email", "nobody")], wrong, "Enter an e-mail address"),
            case("/password", &[("email", "a@b.example\r\nBcc: c@d.example")], wrong, "Enter an e-mail address"),
            case("/password/none", &[("password", PASSWORD)], StatusCode::GONE, "does not work any more"),
            case("/invitations/none", &[("name", "A"), ("password", PASSWORD)], StatusCode::GONE, "no longer works"),
            case("/sign-in", &[("email", "' OR 1=1--"), ("password", "x")], wrong, "is not right"),
            case("/sign-in", &[("email", "a@b.example"), ("password", "")], wrong, "Enter your e-mail address and your password."),
            case("/sign-in", &[("email", "a@b.example"), ("password", &"x".repeat(2 << 20))], StatusCode::PAYLOAD_TOO_LARGE, "too much at once"),
        ];
        for Case { path, fields, status, says } in &cases {
            let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = owner.post(path, &form(&pairs)).await;
            let shown: String = format!("{fields:?}").chars().take(120).collect();
            assert_eq!(answer.status, *status, "{path} {shown}: {}", answer.text.chars().take(2_000).collect::<String>());
            assert!(answer.text.contains(says), "{path} {shown} does not say `{says}`");
        }
        let mut conn = site.engine.store.read().await.unwrap();
        assert!(store::invitations::list_open(&mut conn, &site.organization_id).await.unwrap().is_empty(), "nothing half done");
        assert_eq!(store::members::organization_name(&mut conn, &site.organization_id).await.unwrap().as_deref(), Some("Birchwood Advisory"));
        drop(conn);
        // odd names are kept and do nothing; two organizations may have the same
        for name in ["<img src=x onerror=alert(1)>", "\u{202e}gnp.exe", "=1+1", "Birchwood Advisory"] {
            let saved = owner.post(settings, &form(&[("name", name)])).await;
            assert_eq!(saved.status, StatusCode::SEE_OTHER, "{name}");
            let page = owner.get(settings).await;
            assert!(!page.text.contains("<img src=x"), "a name became markup");
        }
        let made = signed_in(&site, &owner.post(new, &form(&[("name", "Birchwood Advisory")])).await);
        made.get("/companies").await.assert_shows(&["No companies yet"]);
        // a form that was cut off, and one with thousands of fields
        let request = made.request("POST", invite).header("origin", PUBLIC_URL).header("content-type", "application/x-www-form-urlencoded");
        let odd = site.send(request.body(Body::from(format!("emails=%ff%fe&role=%00&{}", "a=1&".repeat(20_000)))).unwrap()).await;
        assert_eq!(odd.status, wrong);
        let next: String = byte_serialize(b"https://evil.example").collect();
        assert_eq!(made.post("/sign-out", &format!("back={next}")).await.location(), "/sign-in");
    })
    .await;
}
