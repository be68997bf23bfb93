//! The audit log from outside: every privileged act has its entry, nothing secret is in one, and the page, the files and the API tell whether the chain
//! is intact.
use crate::api::{Program, admin, company_ids, key};
use crate::mapping::books;
use crate::sample::{DAY, Sample};
use crate::site::{Browser, PUBLIC_URL, Site};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode};
use domain::audit::{Entry, NOTHING_BEFORE};
use domain::clock::ManualClock;
use domain::ids::OrganizationId;
use domain::organization::{KeyAccess, Role};
use engine::{Engine, Settings};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::audit::{self, Filter};
use store::log_entries::Place;
use testkit::each_database;
use tokio_util::sync::CancellationToken;
use url::Url;

const PASSWORD: &str = "long enough, surely";
const HOOK: &str = "https://hooks.example.com/services/T0/s3cr3t-of-the-hook";

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// All entries of an organization, oldest first.
async fn entries(engine: &Engine, organization_id: &OrganizationId) -> Vec<Entry> {
    let mut conn = engine.store.read().await.unwrap();
    let mut page = audit::list_page(&mut conn, organization_id, &Filter::default(), Place::Newest, 1_000).await.unwrap().entries;
    page.reverse();
    page
}

/// Somebody who does one thing after the other, and looks after each what was noted.
struct Script<'a> {
    engine: &'a Engine,
    organization_id: OrganizationId,
    seen: usize,
}

impl Script<'_> {
    /// What was noted since the last look, which is exactly this.
    async fn noted(&mut self, what: &str, expected: &[&str]) -> Vec<Entry> {
        let new = entries(self.engine, &self.organization_id).await.split_off(self.seen);
        let acts: Vec<&str> = new.iter().map(|entry| entry.act.as_str()).collect();
        assert_eq!(acts, expected, "{what}");
        self.seen += new.len();
        new
    }
    async fn one(&mut self, what: &str, expected: &str) -> Entry {
        self.noted(what, &[expected]).await.remove(0)
    }
}

/// Posts, and expects to be led on.
async fn led(browser: &Browser<'_>, path: &str, pairs: &[(&str, &str)]) {
    let answer = browser.post(path, &form(pairs)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.text);
}

fn signed_in<'a>(site: &'a Site, cookie: Option<String>) -> Browser<'a> {
    Browser { site, cookie: cookie.expect("a session begins") }
}

// proves H11, D21
#[tokio::test]
async fn every_privileged_act_has_exactly_one_entry_and_no_secret_is_in_any() {
    each_database(|url| async move {
        let site = Site::with_sandbox(&url).await;
        let (organization_id, owner_id) =
            web::auth::create_owner(&site.engine, "Birchwood", "Ada", "ada@birchwood.example", Some(PASSWORD)).await.unwrap().unwrap();
        let mut script = Script { engine: &site.engine, organization_id: organization_id.clone(), seen: 0 };
        let made = script.one("the first Owner", "organization_made").await;
        assert_eq!((made.actor_name.as_str(), made.object_name.as_str(), made.previous_hash.as_str()), ("Ada", "Birchwood", NOTHING_BEFORE));

        // signing in, from a place
        let from = ConnectInfo("192.0.2.44:5000".parse::<SocketAddr>().unwrap());
        let enter = async |password: &str| {
            let request = site.stranger().request("POST", "/sign-in").header("origin", PUBLIC_URL).extension(from);
            let body = form(&[("email", "ada@birchwood.example"), ("password", password)]);
            site.send(request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(body)).unwrap()).await
        };
        assert_eq!(enter("wrong wrong wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        // noted beside the answer, so that the answer takes as long as for somebody unknown
        for _ in 0..200 {
            if entries(&site.engine, &organization_id).await.len() > script.seen {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let failed = script.one("a wrong password", "sign_in_failed").await;
        let told = [&failed.actor_kind, &failed.object_name, &failed.outcome, &failed.after, &failed.place];
        assert_eq!(told, ["guest", "Ada", "refused", "wrong password", "192.0.2.44"]);
        let owner = signed_in(&site, enter(PASSWORD).await.cookie("tieout_session"));
        let entered = script.one("a sign-in", "signed_in").await;
        assert_eq!([&entered.actor_kind, &entered.actor_id, &entered.place], ["person", &owner_id.0, "192.0.2.44"]);

        // the organization and its people
        led(&owner, "/organization/settings", &[("name", "Birchwood Advisory")]).await;
        let renamed = script.one("another name", "organization_renamed").await;
        assert_eq!([&renamed.before, &renamed.after, &renamed.outcome], ["Birchwood", "Birchwood Advisory", "done"]);
        led(&owner, "/organization/invitations", &[("emails", "nina@new.example\nadam@new.example\neve@new.example"), ("role", "member")]).await;
        let invited = script.noted("three invitations", &["invited", "invited", "invited"]).await;
        assert_eq!([&invited[0].object_name, &invited[0].after], ["nina@new.example", "Member"]);
        let open = store::invitations::list_open(&mut site.engine.store.read().await.unwrap(), &organization_id).await.unwrap();
        let of = |email: &str| open.iter().find(|invitation| invitation.email == email).unwrap();
        let link = |email: &str| format!("/invitations/{}", of(email).token(&site.engine.store).unwrap());
        led(&owner, &format!("/organization/invitations/{}/resend", of("nina@new.example").id), &[]).await;
        script.one("sent again", "invitation_resent").await;
        led(&owner, &format!("/organization/invitations/{}/cancel", of("adam@new.example").id), &[]).await;
        script.one("taken back", "invitation_cancelled").await;
        site.stranger().post(&format!("{}/decline", link("eve@new.example")), "").await;
        assert_eq!(script.one("declined", "invitation_declined").await.actor_kind, "guest");
        let joined = site.stranger().post(&link("nina@new.example"), &form(&[("name", "Nina"), ("password", PASSWORD)])).await;
        let nina = signed_in(&site, joined.cookie("tieout_session"));
        let joined = script.noted("accepted, and signed in by it", &["invitation_accepted", "signed_in"]).await;
        assert_eq!([&joined[0].actor_name, &joined[0].object_name], ["Nina", "nina@new.example"]);
        let members = store::members::list(&mut site.engine.store.read().await.unwrap(), &organization_id).await.unwrap();
        let nina_id = members.iter().find(|member| member.name == "Nina").unwrap().user_id.clone();
        led(&owner, &format!("/organization/members/{nina_id}/role"), &[("role", "admin")]).await;
        let promoted = script.one("another role", "role_changed").await;
        assert_eq!([&promoted.actor_name, &promoted.object_name, &promoted.before, &promoted.after], ["Ada", "Nina", "Member", "Admin"]);
        // what is refused changes nothing, and nothing is noted as done
        assert_ne!(nina.post(&format!("/organization/members/{owner_id}/role"), "role=member").await.status, StatusCode::OK);
        script.noted("an Admin demotes an Owner", &[]).await;
        led(&owner, &format!("/organization/members/{nina_id}/role"), &[("role", "member")]).await;
        script.one("back again", "role_changed").await;
        let link = owner.post(&format!("/organization/members/{nina_id}/password-link"), "").await;
        script.one("a link to hand over", "password_link_made").await;
        let password_link = &link.text[link.text.find("/password/").expect("the link is shown")..][..10 + 64];
        let set = site.stranger().post(password_link, &form(&[("password", "another long one")])).await;
        assert_eq!(set.status, StatusCode::SEE_OTHER, "{}", set.text);
        let set = script.noted("a new password, and signed in by it", &["password_set", "signed_in"]).await;
        assert_eq!([&set[0].actor_kind, &set[0].object_name], ["guest", "Nina"]);

        // accounts
        owner.connect("xero").await;
        let connected = script.one("an account", "account_connected").await;
        owner.connect("quickbooks").await;
        script.one("another", "account_connected").await;
        let account = format!("/integrations/accounts/{}", connected.object_id);
        let sent = owner.post(&format!("{account}/reconnect"), "").await;
        script.noted("leaving for the provider", &[]).await;
        let callback = simulator::consent::approve(&site.sandbox, &Url::parse(sent.location()).unwrap(), &[]).await.unwrap();
        let back = &callback[url::Position::BeforePath..];
        owner.get(back).await;
        script.one("and back", "account_reconnected").await;
        owner.get(back).await;
        let refused = script.one("the same answer again", "callback_refused").await;
        assert_eq!([&refused.after, &refused.outcome, &refused.object_name], ["replay", "refused", "xero"]);
        let sent = owner.post(&format!("{account}/reconnect"), "").await;
        let callback = simulator::consent::approve(&site.sandbox, &Url::parse(sent.location()).unwrap(), &[]).await.unwrap();
        let other = site.sign_in(&organization_id, &owner_id).await;
        other.get(&callback[url::Position::BeforePath..]).await;
        assert_eq!(script.one("from another browser", "callback_refused").await.after, "mismatch");
        other.get(&callback[url::Position::BeforePath..].replace("/xero/", "/quickbooks/")).await;
        assert_eq!(script.one("at the other provider's address", "callback_refused").await.after, "mix_up");
        owner.get("/oauth/xero/callback?code=x&state=nothing-we-gave-out").await;
        assert_eq!(script.one("an invented answer", "callback_refused").await.after, "unknown_state");
        led(&owner, &format!("{account}/link"), &[]).await;
        script.one("a reconnect link", "reconnect_link_made").await;

        // companies
        let found = store::companies::list(&mut site.engine.store.read().await.unwrap(), &organization_id).await.unwrap();
        let first = found.iter().find(|company| company.provider == "quickbooks").unwrap();
        let company = format!("/integrations/companies/{}", first.id);
        led(&owner, &format!("{company}/link"), &[]).await;
        assert_eq!(script.one("one linked", "company_linked").await.object_name, first.name);
        led(&owner, &format!("{account}/import"), &[]).await;
        script.one("all of an account linked", "company_linked").await;
        led(&owner, &format!("{account}/import"), &[]).await;
        script.noted("again, where nothing is left", &[]).await;
        led(&owner, &format!("/companies/{}/resync", first.id), &[]).await;
        script.one("a resync", "resync_asked").await;
        let ticked: Vec<(&str, &str)> = found.iter().map(|company| ("company", company.id.as_str())).collect();
        led(&owner, "/integrations/data-feed/resync", &ticked).await;
        let asked = script.one("a resync of many", "resync_asked").await;
        assert_eq!(asked.object_name, format!("{} companies", found.len()));
        led(&owner, "/integrations/data-feed/pause", &ticked).await;
        script.one("many paused", "schedule_paused").await;
        led(&owner, &format!("{company}/pause"), &[]).await;
        script.noted("one that is paused", &[]).await;
        led(&owner, &format!("{company}/resume"), &[]).await;
        assert_eq!(script.one("one resumed", "schedule_resumed").await.object_id, first.id.0);
        led(&owner, "/integrations/data-feed/schedule", &[("company", first.id.as_str()), ("interval", "30"), ("target", "own"), ("freshness", "2")])
            .await;
        assert_eq!(script.one("another schedule", "schedule_changed").await.after, "every 30 min, fresh within 120 min");
        led(&owner, "/integrations/data-feed/freshness", &[("organization_hours", "48")]).await;
        script.one("another target", "freshness_target_set").await;
        let run = store::companies::find(&mut site.engine.store.read().await.unwrap(), &organization_id, &first.id).await.unwrap().unwrap().run;
        led(&owner, &format!("/integrations/runs/{}/cancel", run.expect("its first sync waits").id), &[]).await;
        script.one("a sync cancelled", "sync_cancelled").await;
        let pair = format!("{nina_id}:{}", first.id);
        led(&owner, "/organization/access", &[("reads", &pair)]).await;
        let assigned = script.one("a company to read", "access_assigned").await;
        assert_eq!([&assigned.object_name, &assigned.before, &assigned.after], ["Nina", "", &first.name]);
        led(&owner, "/organization/access", &[("had", &pair)]).await;
        assert_eq!(script.one("and not any more", "access_assigned").await.before, first.name);
        led(&owner, "/integrations/data-feed/unlink", &[("company", first.id.as_str())]).await;
        script.one("unlinked", "company_unlinked").await;

        // settings and files
        led(&owner, "/integrations/logs/settings", &[("days", "90"), ("confirmed", "90")]).await;
        let kept = script.one("how long the log is kept", "log_retention_set").await;
        assert_eq!([&kept.before, &kept.after], ["400 days", "90 days"]);
        led(&owner, "/notifications/settings", &[("app_stale", "1"), ("quiet_from", "22:00"), ("quiet_until", "07:00")]).await;
        assert!(script.one("what to be told", "notifications_set").await.after.contains("Stale: here; "));
        led(&owner, "/notifications/webhook", &[("url", HOOK), ("chat_stale", "1")]).await;
        assert_eq!(script.one("a chat", "chat_set").await.after, "hooks.example.com: Stale");
        led(&owner, "/notifications/webhook", &[("action", "remove")]).await;
        script.one("and none", "chat_set").await;
        for (path, name) in [
            ("/integrations/logs/all/export?format=csv&status=error", "Integration log"),
            ("/integrations/data-feed/export.csv", "Data Feed"),
            ("/organization/audit/export?format=jsonl", "Audit log"),
        ] {
            assert_eq!(owner.get(path).await.status, StatusCode::OK, "{path}");
            assert_eq!(script.one(path, "exported").await.object_name, name);
        }

        // keys, and what they do in their own name
        let made =
            owner.post("/organization/api-keys", &form(&[("name", "Warehouse"), ("role", "admin"), ("access", "write"), ("days", "30")])).await;
        let secret = made.text.split("id=\"secret\">").nth(1).and_then(|rest| rest.split('<').next()).expect("the secret is shown").to_owned();
        let key = script.one("a key", "api_key_made").await;
        assert_eq!([&key.object_name, &key.after], ["Warehouse", "Admin, write, all companies"]);
        let request = Request::builder().method("POST").uri("/api/v1/organization").header("host", "tieout.example:8484");
        let request = request.header("authorization", format!("Bearer {secret}")).header("content-type", "application/json").extension(from);
        let answer = site.send(request.body(Body::from("{\"name\": \"Birchwood Ltd\"}")).unwrap()).await;
        assert!(answer.status.is_success(), "{}", answer.text);
        let by_key = script.one("by a key", "organization_renamed").await;
        assert_eq!([&by_key.actor_kind, &by_key.actor_name, &by_key.actor_id, &by_key.place], ["api_key", "Warehouse", &key.object_id, "192.0.2.44"]);
        led(&owner, &format!("/organization/api-keys/{}/revoke", key.object_id), &[]).await;
        script.one("a key revoked", "api_key_revoked").await;
        led(&owner, &format!("/organization/api-keys/{}/revoke", key.object_id), &[]).await;
        script.noted("once more", &[]).await;

        // and out
        led(&owner, &format!("{account}/disconnect"), &[("data", "keep")]).await;
        assert_eq!(script.one("disconnected", "account_disconnected").await.after, "data kept");
        led(&owner, &format!("/organization/members/{nina_id}/remove"), &[]).await;
        assert_eq!(script.one("removed", "member_removed").await.object_name, "Nina");
        let elsewhere = owner.post("/organizations/new", &form(&[("name", "Second")])).await;
        let owner = signed_in(&site, elsewhere.cookie("tieout_session"));
        script.noted("another organization has a log of its own", &[]).await;
        let second = store::members::list_organizations(&mut site.engine.store.read().await.unwrap(), &owner_id).await.unwrap();
        let second = second.into_iter().find(|(_, name, _)| name == "Second").unwrap().0;
        let acts: Vec<String> = entries(&site.engine, &second).await.into_iter().map(|entry| entry.act).collect();
        assert_eq!(acts, ["organization_made", "organization_entered"]);
        let back = owner.post("/switch", &form(&[("organization", organization_id.as_str())])).await;
        let owner = signed_in(&site, back.cookie("tieout_session"));
        script.one("and back", "organization_entered").await;
        led(&owner, "/sign-out", &[]).await;
        assert_eq!(script.one("out", "signed_out").await.actor_name, "Ada");
        // background work is not somebody's act
        engine::schedule::tick(&site.engine).await.unwrap();
        script.noted("the schedule", &[]).await;

        let all = entries(&site.engine, &organization_id).await;
        let text = all.iter().map(Entry::canonical).collect::<String>();
        let token = |cookie: &str| cookie.split('=').nth(1).unwrap().to_owned();
        let secrets = [
            PASSWORD.to_owned(),
            "another long one".into(),
            "s3cr3t".into(),
            secret,
            token(&owner.cookie),
            token(&nina.cookie),
            password_link[10..].to_owned(),
        ];
        for canary in secrets {
            assert!(!text.contains(&canary), "`{canary}` is in the log");
        }
        let links = all.iter().filter(|entry| entry.act.contains("link_made") || entry.act.contains("invit"));
        assert!(links.flat_map(|entry| [&entry.after, &entry.before, &entry.object_id]).all(|text| text.len() < 40), "no link is in the log");
        let checked = audit::check(&site.engine.store, &mut site.engine.store.read().await.unwrap(), &organization_id, None).await.unwrap();
        assert!(checked.is_intact() && checked.entries == all.len() as i64, "{checked:?}");
    })
    .await;
}

#[tokio::test]
async fn decisions_about_the_mapping_are_noted_by_account_and_category() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let path = format!("/companies/{id}/mapping");
        let mut script = Script { engine: &sample.engine, organization_id: sample.organization_id.clone(), seen: 0 };
        sample.post(&format!("{path}/edit"), "account=odd&category=rent&note=").await;
        let changed = script.one("one account", "mapping_changed").await;
        assert_eq!([&changed.object_id, &changed.after, &changed.actor_name], [id.as_str(), "odd: rent", "Ada Lindqvist"]);
        assert!(changed.before.starts_with("odd: "), "{changed:?}");
        sample.post(&format!("{path}/edit"), "account=odd&category=rent&note=").await;
        script.noted("where it lies already", &[]).await;
        sample.post(&format!("{path}/revert"), "account=odd").await;
        assert_eq!(script.one("rolled back", "mapping_reverted").await.after, "odd: as the rules say");
        sample.post(&format!("{path}/import"), &form(&[("table", "account_id,category\nodd,rent\n")])).await;
        assert_eq!(script.one("a table", "mapping_imported").await.after, "odd: rent");
        assert_eq!(sample.get_as(&sample.owner_token, &format!("{path}/export")).await.status, StatusCode::OK);
        let file = script.one("its file", "exported").await;
        assert_eq!([&file.object_id, &file.after], [id.as_str(), "Chart of Accounts Mapping"]);
    })
    .await;
}

// reliability.md S-103
#[tokio::test]
async fn an_act_whose_entry_cannot_be_written_does_not_happen() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let mut tx = sample.engine.store.begin().await.unwrap();
        tx.execute("ALTER TABLE audit_entries RENAME TO gone", vec![]).await.unwrap();
        tx.commit().await.unwrap();
        let answer = sample.post("/organization/members/member/role", "role=admin").await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{answer:?}");
        sample.post("/organization/settings", "name=Renamed").await;
        let companies = store::companies::list(&mut sample.engine.store.read().await.unwrap(), &sample.organization_id).await.unwrap();
        let id = companies.into_iter().find(|company| company.paused_at.is_none()).unwrap().id;
        sample.post(&format!("/integrations/companies/{id}/pause"), "").await;
        let mut conn = sample.engine.store.read().await.unwrap();
        let role = store::members::role_of(&mut conn, &sample.organization_id, &domain::ids::UserId::new("member")).await.unwrap();
        let name = store::members::organization_name(&mut conn, &sample.organization_id).await.unwrap();
        let company = store::companies::find(&mut conn, &sample.organization_id, &id).await.unwrap().unwrap();
        assert_eq!((role, name.as_deref(), company.paused_at), (Some(Role::Member), Some("Birchwood Advisory"), None));
    })
    .await;
}

/// A log with a few entries: five renamings by the Owner and one export.
async fn filled(url: &str) -> Sample {
    let sample = Sample::full(url).await;
    for name in ["One", "Two", "=Three", "<b>Four</b>", "Five \u{202e}evif"] {
        sample.post("/organization/settings", &form(&[("name", name)])).await;
    }
    sample.get_as(&sample.owner_token, "/integrations/data-feed/export.csv").await;
    sample
}

/// Changes an entry behind Tieout's back.
async fn tamper(sample: &Sample, sql: &'static str) {
    let mut tx = sample.engine.store.begin().await.unwrap();
    let drops = match tx.is_postgres() {
        true => ["DROP TRIGGER audit_entries_unchanged ON audit_entries", "DROP TRIGGER audit_entries_kept ON audit_entries"],
        false => ["DROP TRIGGER audit_entries_unchanged", "DROP TRIGGER audit_entries_kept"],
    };
    for drop in drops {
        tx.execute(drop, vec![]).await.unwrap();
    }
    tx.execute(sql, vec![]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn the_page_shows_and_filters_entries_and_says_that_the_chain_is_intact() {
    each_database(|url| async move {
        let sample = filled(&url).await;
        let page = sample.page("/organization/audit").await;
        for shown in ["Audit log", "Chain intact", "6 entries, checked ", "Organization renamed", "Exported", "Ada Lindqvist", "Kept for 400 days"] {
            assert!(page.contains(shown), "`{shown}` is not in {page}");
        }
        assert!(page.contains("&#60;b&#62;Four") && !page.contains("<b>Four"), "names are text");
        assert!(page.contains("href=\"/organization/audit\" aria-current=\"page\""));
        let rows = |page: &str| page.matches("<tr id=\"entry-").count();
        assert_eq!(rows(&page), 6);
        assert!(page.find("entry-6").unwrap() < page.find("entry-1\"").unwrap(), "newest first");
        for (query, found) in [
            ("who=lindqvist", 6),
            ("who=max", 0),
            ("act=exported", 1),
            ("object=Three", 1),
            ("object=data+feed&act=exported", 1),
            ("from=2026-11-22&to=2026-11-22", 6),
            ("from=2026-11-23", 0),
            ("to=2026-11-21", 0),
        ] {
            let page = sample.page(&format!("/organization/audit?{query}")).await;
            assert_eq!(rows(&page), found, "{query}");
            assert!(page.contains("Chain intact"), "whatever is filtered");
            if found == 0 {
                assert!(page.contains("No entry fits"), "{query}");
            }
        }
        assert!(sample.page("/organization/audit?from=22.11.2026").await.contains("is not a day. Write it as 2026-01-31."));
        // pages stand still while entries arrive
        for at in 0..25 {
            sample.post("/organization/settings", &form(&[("name", &format!("Name {at}"))])).await;
        }
        let first = sample.page("/organization/audit?size=25").await;
        assert_eq!(rows(&first), 25);
        let older = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
        let second = sample.page(&older).await;
        assert_eq!(rows(&second), 6);
        sample.post("/organization/settings", "name=Later").await;
        assert_eq!(rows(&sample.page(&older).await), 6);
        // Members have no business here
        let refused = sample.get_as(&sample.member_token, "/organization/audit").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let export = sample.get_as(&sample.member_token, "/organization/audit/export?format=csv").await;
        assert_eq!(export.status, StatusCode::FORBIDDEN);
        let palette = sample.get_as(&sample.member_token, "/companies").await;
        assert!(!palette.body.contains("/organization/audit"));
    })
    .await;
}

// proves H11 in part
#[tokio::test]
async fn a_broken_chain_is_told_with_its_place_its_meaning_and_what_to_do_and_entries_stay_shown() {
    each_database(|url| async move {
        let sample = filled(&url).await;
        let program = admin(&sample).await;
        let intact = program.get("/audit/check").await;
        assert_eq!((intact.body["intact"].as_bool(), intact.body["entries"].as_i64(), &intact.body["meaning"]), (Some(true), Some(6), &Value::Null));
        tamper(&sample, "UPDATE audit_entries SET actor_name = 'Somebody Else' WHERE number = 3").await;
        let page = sample.page("/organization/audit").await;
        for shown in [
            "The chain is broken",
            "Entry 3 was changed after it was written: its content does not give its hash.",
            "those before the first break are as they were written",
            "What to do:",
            "Keep a copy of the database as it is",
            "Somebody Else",
            "Chain broken here",
        ] {
            assert!(page.contains(shown), "`{shown}` is not in {page}");
        }
        assert!(!page.contains("Chain intact"));
        assert_eq!(page.matches("<tr id=\"entry-").count(), 6);
        // the service goes on, and what it writes hides nothing
        sample.post("/organization/settings", "name=After").await;
        let broken = program.get("/audit/check").await.body;
        assert_eq!((broken["intact"].as_bool(), broken["entries"].as_i64(), broken["broken"].as_i64()), (Some(false), Some(7), Some(1)), "{broken}");
        assert_eq!((broken["breaks"][0]["number"].as_i64(), broken["breaks"][0]["differs"].as_str()), (Some(3), Some("content")));
        assert!(broken["what_to_do"].as_str().unwrap().contains("compare both with your latest backup"));
        let alarms = engine::audit::alarm(&sample.engine.store).await.unwrap();
        assert_eq!(alarms.iter().map(|(name, checked)| (name.as_str(), checked.broken)).collect::<Vec<_>>(), [("After", 1)]);
        tamper_again(&sample).await;
        let page = sample.page("/organization/audit").await;
        assert!(page.contains("Entries 4 to 5 are missing."), "{page}");
    })
    .await;
}

async fn tamper_again(sample: &Sample) {
    let mut tx = sample.engine.store.begin().await.unwrap();
    tx.execute("DELETE FROM audit_entries WHERE number IN (4, 5)", vec![]).await.unwrap();
    tx.commit().await.unwrap();
}

/// What `docs/operating.md` tells a reader to do, done with nothing of ours: the hash of a line of the export.
fn recomputed(line: &Value) -> String {
    let names = [
        "organization_id",
        "number",
        "at_ms",
        "actor_kind",
        "actor_id",
        "actor_name",
        "act",
        "object_kind",
        "object_id",
        "object_name",
        "before",
        "after",
        "place",
        "outcome",
        "previous_hash",
    ];
    let mut hasher = Sha256::new();
    hasher.update(b"14:tieout audit 1\n");
    for name in names {
        let text = line[name].as_str().map_or_else(|| line[name].to_string(), str::to_owned);
        hasher.update(format!("{}:{text}\n", text.len()));
    }
    hex::encode(hasher.finalize())
}

#[tokio::test]
async fn exports_hold_the_whole_chain_for_a_reader_to_follow() {
    each_database(|url| async move {
        let sample = filled(&url).await;
        let lines = sample.page("/organization/audit/export?format=jsonl").await;
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
        assert_eq!(lines.len(), 7, "with the entry that tells of the export itself");
        let mut previous = NOTHING_BEFORE.to_owned();
        for (at, line) in lines.iter().enumerate() {
            assert_eq!(line["number"].as_u64(), Some(at as u64 + 1));
            assert_eq!(line["previous_hash"].as_str(), Some(previous.as_str()));
            assert_eq!(line["hash"].as_str(), Some(recomputed(line).as_str()), "{line}");
            previous = line["hash"].as_str().unwrap().to_owned();
        }
        assert!(lines[4]["after"].as_str().unwrap().contains('\u{202e}'), "a hidden mark reads back as it is");
        let csv = sample.page("/organization/audit/export?format=csv&act=organization_renamed").await;
        let rows: Vec<&str> = csv.lines().collect();
        assert_eq!(rows.len(), 6, "{csv}");
        assert!(rows[0].starts_with("Number,Date,Who,Who is,Who id,What,Object,"), "{csv}");
        assert!(rows[3].contains("\"'=Three\"") && rows[5].contains("\\u202e") && !csv.contains('\u{202e}'), "{csv}");
        let unknown = sample.get_as(&sample.owner_token, "/organization/audit/export?format=xml").await;
        assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
        // more than one part of a file
        for at in 0..520 {
            let mut tx = sample.engine.store.begin().await.unwrap();
            let object = domain::audit::Object::log("Integration log");
            engine::audit::note(&sample.engine, &mut tx, &sample.organization_id, domain::audit::Act::Exported, object, "", &at.to_string())
                .await
                .unwrap();
            tx.commit().await.unwrap();
        }
        let csv = sample.page("/organization/audit/export").await;
        assert_eq!(csv.lines().count(), 1 + 7 + 1 + 520 + 1);
        let numbers: Vec<i64> = csv.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "each entry once, in order");
    })
    .await;
}

#[tokio::test]
async fn programs_read_the_audit_log_page_by_page_with_the_filters_of_the_page() {
    each_database(|url| async move {
        let sample = filled(&url).await;
        let program = admin(&sample).await;
        let all = program.all("/audit", 4).await;
        let numbers: Vec<i64> = all.iter().map(|row| row["number"].as_i64().unwrap()).collect();
        assert_eq!(numbers, [6, 5, 4, 3, 2, 1]);
        assert_eq!(
            (all[5]["actor"]["name"].as_str(), all[5]["act"].as_str(), all[5]["after"].as_str()),
            (Some("Ada Lindqvist"), Some("organization_renamed"), Some("One"))
        );
        assert_eq!((all[0]["outcome"].as_str(), all[0]["object"]["kind"].as_str()), (Some("done"), Some("log")));
        for (query, found) in [
            ("actor=ada", 6),
            ("act=exported", 1),
            ("object=Three", 1),
            ("from=2026-11-22T00:00:00Z&until=2026-11-23T00:00:00Z", 6),
            ("until=2026-11-22T00:00:00Z", 0),
        ] {
            assert_eq!(program.all(&format!("/audit?{query}"), 50).await.len(), found, "{query}");
        }
        for wrong in ["act=nonsense", "from=yesterday", "limit=0", "who=ada", "cursor=abc"] {
            assert_eq!(program.get(&format!("/audit?{wrong}")).await.status, StatusCode::BAD_REQUEST, "{wrong}");
        }
        // a key that names companies, and one of a Member, see nothing of the organization as a whole
        let companies = company_ids(&sample).await;
        let confined = key(&sample, &sample.organization_id, &sample.owner, Role::Admin, KeyAccess::Read, &companies[..1]).await;
        let member = key(&sample, &sample.organization_id, &sample.owner, Role::Member, KeyAccess::Read, &companies[..1]).await;
        for path in ["/audit", "/audit/check"] {
            assert_eq!(confined.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
            assert_eq!(member.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        // the same request sent again is one act
        let twice = async |program: &Program<'_>| {
            let headers = [("idempotency-key", "only-once")];
            program.post_with("/organization", &json!({ "name": "Once" }).to_string(), &headers).await
        };
        assert_eq!((twice(&program).await.status, twice(&program).await.status), (StatusCode::OK, StatusCode::OK));
        let renamed = program.all("/audit?act=organization_renamed", 50).await;
        assert_eq!(
            (renamed.len(), renamed[0]["actor"]["kind"].as_str(), renamed[0]["actor"]["name"].as_str()),
            (6, Some("api_key"), Some("Nightly load"))
        );
        let gone = program.send(program.request(Method::DELETE, "/audit").body(Body::empty()).unwrap()).await;
        assert_eq!(gone.status, StatusCode::METHOD_NOT_ALLOWED, "nothing of it can be removed");
    })
    .await;
}

#[tokio::test]
async fn entries_go_when_their_time_is_over_and_the_log_says_so() {
    each_database(|url| async move {
        let sample = filled(&url).await;
        let settings = Settings { public_url: Url::parse(PUBLIC_URL).unwrap(), node: "later".into(), workers: 1, lease_secs: 60 };
        let at = |days: i64| Arc::new(ManualClock::at(sample.now_ms + days * DAY));
        let early = Engine::new(sample.engine.store.clone(), Default::default(), at(399), settings.clone());
        let later = Engine::new(sample.engine.store.clone(), Default::default(), at(401), settings.clone());
        let longer = Engine::new(sample.engine.store.clone(), Default::default(), at(401), settings);
        longer.keep_audit(500);
        let prune = async |engine: &Engine| engine::retention::prune_audit(engine, &CancellationToken::new()).await.unwrap();
        assert_eq!([prune(&early).await, prune(&longer).await, prune(&later).await, prune(&later).await], [0, 0, 6, 0]);
        let left = entries(&later, &sample.organization_id).await;
        assert_eq!(left.len(), 1);
        assert_eq!(
            [&left[0].act, &left[0].actor_kind, &left[0].after],
            ["entries_removed", "system", "6 entries, up to number 6; kept for 400 days"]
        );
        assert_eq!(left[0].number, 7);
        let page = sample.page("/organization/audit").await;
        assert!(page.contains("Chain intact") && page.contains("1 entry, checked") && page.contains("6 older entries were removed"), "{page}");
    })
    .await;
}
