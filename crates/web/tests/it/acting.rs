//! What pages do, done by programs: each operation that changes something against what it changed, on both databases.
use crate::api::{Answer, Program, admin, company_ids, key};
use crate::mapping::books;
use crate::sample::{NOW_MS, Sample};
use axum::http::{Method, StatusCode};
use domain::ids::UserId;
use domain::organization::{KeyAccess, Role};
use serde_json::{Value, json};
use store::members::{self, User};
use testkit::each_database;

async fn delete(program: &Program<'_>, path: &str) -> Answer {
    program.send(program.request(Method::DELETE, path).body(axum::body::Body::empty()).unwrap()).await
}

fn done(answer: Answer) -> Value {
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.text);
    answer.body
}

/// The fields a refusal names.
fn fields(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    answer.body["error"]["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap()).collect()
}

// proves G1, G8 in part
#[tokio::test]
async fn members_and_what_they_read_are_managed_by_a_key_with_no_more_than_its_role() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        let companies = company_ids(&sample).await;
        let members = program.get("/members").await.body;
        let max = members["data"].as_array().unwrap().iter().find(|row| row["id"] == "member").unwrap().clone();
        let reads = |row: &Value| row["companies"].as_array().unwrap().len();
        let all = reads(&max);
        assert_eq!((max["role"].as_str(), all > 2), (Some("member"), true), "{max}");

        let change = |reads: bool, company: &str| json!({ "member_id": "member", "company_id": company, "reads": reads });
        let changes = json!({ "changes": [change(false, companies[0].as_str()), change(false, companies[1].as_str())] });
        assert_eq!(done(program.post("/members/access", changes.clone()).await)["changed"], 2);
        assert_eq!(done(program.post("/members/access", changes).await)["changed"], 0, "said again, nothing changes");
        assert_eq!(reads(&program.get("/members/member").await.body), all - 2);
        let wrong = json!({ "changes": [
            change(true, companies[0].as_str()), change(true, "none"), { "member_id": "owner", "company_id": companies[0].0, "reads": false },
            { "member_id": "nobody", "company_id": companies[0].0, "reads": true },
        ] });
        let refused = program.post("/members/access", wrong).await;
        assert_eq!(fields(&refused), ["changes[1].company_id", "changes[2].member_id", "changes[3].member_id"]);
        assert_eq!(reads(&program.get("/members/member").await.body), all - 2, "nothing is half done");

        // an Admin's key of an Owner is an Admin: it makes no Owners and touches none
        let owner = program.post("/members/member/role", json!({ "role": "owner" })).await;
        assert_eq!((owner.status, owner.message()), (StatusCode::FORBIDDEN, "Only an Owner can make, change or remove an Owner."));
        let last = delete(&program, "/members/owner").await;
        assert_eq!((last.status, last.code()), (StatusCode::CONFLICT, "conflict"), "{}", last.text);
        assert_eq!(done(program.post("/members/member/role", json!({ "role": "admin" })).await)["role"], "admin");
        let link = done(program.post("/members/member/password-link", json!({})).await)["url"].as_str().unwrap().to_owned();
        assert!(link.starts_with("http://tieout.test/password/"), "{link}");
        let mut tx = sample.engine.store.begin().await.unwrap();
        let user = User { id: UserId::new("second"), email: "grace@birchwood.example".into(), name: "Grace".into(), password_hash: None };
        assert!(members::insert_user(&mut tx, &user, NOW_MS).await.unwrap());
        members::add(&mut tx, &sample.organization_id, &user.id, Role::Owner, NOW_MS).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(delete(&program, "/members/second").await.status, StatusCode::FORBIDDEN);
        assert_eq!(program.post("/members/second/password-link", json!({})).await.status, StatusCode::FORBIDDEN);
        done(delete(&program, "/members/member").await);
        assert_eq!(delete(&program, "/members/member").await.status, StatusCode::NOT_FOUND);
        assert_eq!(sample.get_as(&sample.member_token, "/companies").await.status, StatusCode::SEE_OTHER, "the session has ended");
        // whose key it is names whom it powers
        let powers = program.get("/members/owner").await.body["powers"].as_array().unwrap().len();
        assert!(powers >= 6, "{powers}");

        done(program.post("/organization", json!({ "name": "Birchwood & Daughters" })).await);
        assert_eq!(program.get("/organization").await.body["name"], "Birchwood & Daughters");
    })
    .await;
}

// proves G1, H4 in part
#[tokio::test]
async fn invitations_are_made_all_or_none_sent_again_and_cancelled() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        let company = company_ids(&sample).await[0].clone();
        let ask = |emails: Value, role: &str, companies: Value| json!({ "emails": emails, "role": role, "companies": companies });
        let made = program.post("/invitations", ask(json!(["Nina@new.example", "adam@new.example"]), "member", json!([company.0]))).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let made = made.body["data"].as_array().unwrap().clone();
        let nina = made.iter().find(|row| row["email"] == "nina@new.example").unwrap();
        assert_eq!((&nina["companies"], nina["is_expired"].as_bool()), (&json!([company.0]), Some(false)));
        let life: jiff::SignedDuration = nina["expires_at"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
            .duration_since(nina["sent_at"].as_str().unwrap().parse().unwrap());
        assert_eq!(life, jiff::SignedDuration::from_hours(72));
        for (body, field) in [
            (ask(json!([]), "member", json!([])), "emails"),
            (ask(json!(["new@new.example", "nobody"]), "member", json!([])), "emails[1]"),
            (ask(json!(["new@new.example", "NEW@new.example"]), "member", json!([])), "emails[1]"),
            (ask(json!(["new@new.example", "nina@new.example"]), "member", json!([])), "emails[1]"),
            (ask(json!(["new@new.example", "owner@birchwood.example"]), "admin", json!([])), "emails[1]"),
            (ask(json!(["new@new.example"]), "owner", json!([])), "role"),
            (ask(json!(["new@new.example"]), "admin", json!([company.0])), "companies"),
            (ask(json!(["new@new.example"]), "member", json!(["none"])), "companies[0]"),
        ] {
            assert_eq!(fields(&program.post("/invitations", body.clone()).await), [field], "{body}");
        }
        assert_eq!(program.get("/invitations").await.body["data"].as_array().unwrap().len(), 2, "nobody was invited by what was refused");
        let path = format!("/invitations/{}", nina["id"].as_str().unwrap());
        assert_eq!(done(program.post(&format!("{path}/resend"), json!({})).await)["url"], nina["url"], "its link stays");
        done(delete(&program, &path).await);
        assert_eq!(delete(&program, &path).await.status, StatusCode::CONFLICT);
        assert_eq!(program.post(&format!("{path}/resend"), json!({})).await.status, StatusCode::CONFLICT);
        assert_eq!(program.get("/invitations").await.body["data"].as_array().unwrap().len(), 1);
    })
    .await;
}

// proves G1 in part
#[tokio::test]
async fn accounts_are_looked_at_imported_linked_to_their_owners_and_disconnected() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        let connections = program.get("/connections").await.body["data"].as_array().unwrap().clone();
        let ada = connections.iter().find(|row| row["name"] == "Ada Lindqvist").unwrap();
        let path = format!("/connections/{}", ada["id"].as_str().unwrap());
        let seen = program.get(&format!("{path}/companies")).await.body["data"].as_array().unwrap().clone();
        assert!(seen.iter().any(|row| row["name"] == "Bramble & Co" && row["linked"] == false), "{seen:?}");
        for part in ["access", "usage", "history", "reconnect-link", "disconnect"] {
            assert_eq!(program.get(&format!("{path}/{part}")).await.status, StatusCode::OK, "{part}");
        }
        let imported = done(program.post(&format!("{path}/import"), json!({})).await);
        assert_eq!(imported["queued"].as_array().unwrap().len(), 1, "{imported}");
        let again = done(program.post(&format!("{path}/import"), json!({})).await);
        assert_eq!((again["queued"].as_array().unwrap().len(), again["already_linked"].as_i64()), (0, Some(seen.len() as i64)));
        done(program.post(&format!("{path}/finish-setup"), json!({})).await);

        assert!(program.get(&format!("{path}/reconnect-link")).await.body["url"].is_null());
        let link = done(program.post(&format!("{path}/reconnect-link"), json!({})).await);
        assert!(link["url"].as_str().unwrap().starts_with("http://tieout.test/reconnect/"), "{link}");
        assert_eq!(program.get(&format!("{path}/reconnect-link")).await.body["url"], link["url"]);
        let mail = format!("{path}/reconnect-link/mail");
        assert_eq!(fields(&program.post(&mail, json!({ "email": "olga" })).await), ["email"]);
        let refused = program.post(&mail, json!({ "email": "olga@kauri.example" })).await;
        assert_eq!((refused.status, &refused.body["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")), "this server sends no mail");
        let history = program.get(&format!("{path}/history")).await.body["data"].as_array().unwrap().clone();
        assert_eq!(history[0]["by"], "Ada Lindqvist", "{history:?}");

        // who could take a company over: without the provider's keys nobody can be asked, and each says why
        let company = seen.iter().find(|row| row["linked"] == true).unwrap()["id"].clone();
        for (body, field) in [
            (json!({ "companies": [] }), "companies"),
            (json!({ "companies": [company, "none"] }), "companies"),
            (json!({ "companies": [company], "connection_id": "none" }), "connection_id"),
        ] {
            assert_eq!(fields(&program.post("/data-feed/move/check", body.clone()).await), [field], "{body}");
            assert_eq!(fields(&program.post("/data-feed/move", body.clone()).await), [field], "{body}");
        }
        let own = json!({ "companies": [company], "connection_id": ada["id"] });
        let checked = done(program.post("/data-feed/move/check", own.clone()).await);
        assert!(checked["data"][0]["to"].is_null() && checked["data"][0]["reason"].as_str().unwrap().contains("already"), "{checked}");
        let moved = done(program.post("/data-feed/move", own.clone()).await);
        assert_eq!(moved["data"], checked["data"]);
        let reader = key(&sample, &sample.organization_id, &sample.owner, Role::Admin, KeyAccess::Read, &[]).await;
        assert_eq!(reader.post("/data-feed/move/check", own.clone()).await.status, StatusCode::OK, "it changes nothing");
        assert_eq!(reader.post("/data-feed/move", own).await.status, StatusCode::FORBIDDEN);

        let preview = program.get(&format!("{path}/disconnect")).await.body;
        assert_eq!((preview["name"].as_str(), preview["companies"].as_array().unwrap().len()), (Some("Ada Lindqvist"), seen.len()));
        for body in [json!({ "data": "erase" }), json!({ "data": "erase", "name": "ada lindqvist" })] {
            assert_eq!(fields(&program.post(&format!("{path}/disconnect"), body.clone()).await), ["name"], "{body}");
        }
        assert_eq!(fields(&program.post(&format!("{path}/disconnect"), json!({ "data": "burn" })).await), ["data"]);
        assert_eq!(program.get(&path).await.status, StatusCode::OK, "nothing was half done");
        let ended = done(program.post(&format!("{path}/disconnect"), json!({ "data": "erase", "name": "Ada Lindqvist" })).await);
        assert_eq!(ended["erased"].as_u64(), Some(seen.len() as u64), "{ended}");
        assert_eq!(program.get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(
            program.post(&format!("{path}/disconnect"), json!({ "data": "keep" })).await.status,
            StatusCode::CONFLICT,
            "the second says already"
        );
        assert_eq!(program.get(&format!("/companies/{}", company.as_str().unwrap())).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

// proves G1 in part
#[tokio::test]
async fn the_feed_is_scheduled_paused_and_counted_as_on_its_page() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        let feed = program.get("/data-feed").await.body;
        assert_eq!((feed["companies"].as_i64(), feed["freshness_hours"].as_i64()), (Some(10), Some(24)), "{feed}");
        let companies = program.all("/companies?linked=true", 200).await;
        let counted: i64 = companies.iter().filter(|row| row["status"] == "needs_resync").count() as i64;
        assert_eq!(feed["statuses"]["needs_resync"].as_i64(), Some(counted), "{feed}");
        let idle = companies.iter().find(|row| row["status"] == "synced").unwrap()["id"].as_str().unwrap().to_owned();
        let paused = done(program.post(&format!("/companies/{idle}/pause"), json!({})).await);
        assert_eq!((paused["paused"].as_bool(), paused["status"].as_str()), (Some(true), Some("paused")));
        let resumed = done(program.post(&format!("/companies/{idle}/resume"), json!({})).await);
        assert_eq!(resumed["paused"], false);

        let schedule = |minutes: Value, hours: Value| json!({ "companies": [idle], "interval_minutes": minutes, "freshness_hours": hours });
        assert_eq!(done(program.post("/data-feed/schedule", schedule(json!(30), json!(2))).await)["scheduled"], 1);
        let company = program.get(&format!("/companies/{idle}")).await.body;
        assert_eq!((&company["interval_minutes"], &company["freshness_hours"], &company["has_own_freshness"]), (&json!(30), &json!(2), &json!(true)));
        for minutes in [json!(0), json!(-1), json!(1), json!(43_201), json!("abc"), json!(15.5), json!(1e9), json!("15")] {
            assert_eq!(fields(&program.post("/data-feed/schedule", schedule(minutes.clone(), Value::Null)).await), ["interval_minutes"], "{minutes}");
        }
        assert_eq!(fields(&program.post("/data-feed/schedule", schedule(json!(60), json!(0))).await), ["freshness_hours"]);
        let unknown = json!({ "companies": [idle, "none"], "interval_minutes": 60 });
        assert_eq!(fields(&program.post("/data-feed/schedule", unknown).await), ["companies"]);
        assert_eq!(program.get(&format!("/companies/{idle}")).await.body["interval_minutes"], 30, "nothing is half done");
        // and back to the organization's target, which is another one now
        done(program.post("/data-feed/schedule", schedule(json!(60), Value::Null)).await);
        assert_eq!(done(program.post("/data-feed/freshness", json!({ "hours": 48 })).await)["freshness_hours"], 48);
        assert_eq!(fields(&program.post("/data-feed/freshness", json!({ "hours": 2_161 })).await), ["hours"]);
        let company = program.get(&format!("/companies/{idle}")).await.body;
        assert_eq!((&company["freshness_hours"], &company["has_own_freshness"]), (&json!(48), &json!(false)));
        // a Member's key reads the last runs of its company, without where at the provider they failed
        let failed = companies.iter().find(|row| row["problem"].is_string()).unwrap()["id"].as_str().unwrap().to_owned();
        let id = domain::ids::CompanyId::new(failed.clone());
        let member = key(&sample, &sample.organization_id, &sample.owner, Role::Member, KeyAccess::Read, std::slice::from_ref(&id)).await;
        let runs = member.get(&format!("/companies/{failed}/runs")).await.body;
        assert!(runs["data"][0]["problem"]["sentence"].is_string() && runs["data"][0]["problem"]["endpoint"].is_null(), "{runs}");
    })
    .await;
}

// proves G1 in part
#[tokio::test]
async fn incidents_logs_and_notices_come_in_pages_and_are_answered() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        let incidents = program.all("/incidents", 200).await;
        assert!(incidents.len() >= 3, "{incidents:?}");
        assert_eq!(incidents, program.all("/incidents", 1).await, "in pages of one it is another list");
        assert_eq!(program.all("/incidents?open=true", 2).await.len() + program.all("/incidents?open=false", 2).await.len(), incidents.len());
        let down = incidents.iter().find(|row| row["kind"] == "provider_down").unwrap();
        let path = format!("/incidents/{}", down["id"].as_str().unwrap());
        let whole = program.get(&path).await.body;
        assert_eq!((&whole["affected"][0]["name"], &whole["affected"][0]["resolved_at"]), (&json!("Alder Clinic"), &Value::Null), "{whole}");
        let synced = done(program.post(&format!("{path}/sync"), json!({})).await);
        assert_eq!(synced["queued"], json!([whole["affected"][0]["company_id"]]));
        let kinds = program.get("/problem-kinds").await.body["data"].as_array().unwrap().clone();
        assert!(kinds.iter().any(|kind| kind["kind"] == down["kind"] && kind["what_to_do"] == down["what_to_do"]));

        let logs = program.get("/logs").await.body["data"].as_array().unwrap().clone();
        let alder = logs.iter().find(|row| row["company"] == "Alder Clinic").unwrap();
        assert_eq!((alder["has_incident"].as_bool(), alder["linked"].as_bool()), (Some(true), Some(true)));
        let entries = program.all(&format!("/log-entries?company={}", alder["company_id"].as_str().unwrap()), 200).await.len();
        assert_eq!(alder["entries"].as_u64(), Some(entries as u64), "the number is the one the list has");
        assert_eq!(program.get("/log-settings").await.body["days"], 400);
        for days in [29, 3_651] {
            assert_eq!(fields(&program.post("/log-settings", json!({ "days": days })).await), ["days"]);
        }
        assert_eq!(done(program.post("/log-settings", json!({ "days": 30 })).await)["days"], 30, "nothing is that old");

        // the inbox of whoever made the key
        for _ in 0..3 {
            assert_eq!(program.post("/notification-settings/test", json!({})).await.status, StatusCode::ACCEPTED);
        }
        let notices = program.all("/notifications", 200).await;
        assert_eq!((notices.len(), &notices), (3, &program.all("/notifications", 1).await));
        assert_eq!(notices[0]["url"], "http://tieout.test/notifications/settings");
        let id = notices[1]["id"].as_str().unwrap();
        assert!(done(program.post(&format!("/notifications/{id}/read"), json!({})).await)["read_at"].is_string());
        assert_eq!(program.post("/notifications/none/read", json!({})).await.status, StatusCode::NOT_FOUND);
        assert_eq!(done(program.post("/notifications/read", json!({})).await)["marked"], 2);
        let settings = json!({
            "choices": [{ "kind": "stale", "in_app": true, "mail": false }],
            "quiet_hours": { "from": "22:00", "until": "07:30", "time_zone": "Europe/Berlin" },
        });
        let saved = done(program.post("/notification-settings", settings.clone()).await);
        assert_eq!(saved["quiet_hours"], settings["quiet_hours"]);
        let choices = saved["choices"].as_array().unwrap();
        assert_eq!(choices.len(), 4, "kinds that were left out are as they were: {choices:?}");
        assert!(choices.contains(&settings["choices"][0]) && choices.contains(&json!({ "kind": "not_verified", "in_app": true, "mail": true })));
        for (quiet, field) in [
            (json!({ "from": "24:00", "until": "07:30", "time_zone": "UTC" }), "quiet_hours.from"),
            (json!({ "from": "22:00", "until": "22:00", "time_zone": "UTC" }), "quiet_hours.until"),
            (json!({ "from": "22:00", "until": "07:30", "time_zone": "Mars/Base" }), "quiet_hours.time_zone"),
        ] {
            assert_eq!(fields(&program.post("/notification-settings", json!({ "choices": [], "quiet_hours": quiet })).await), [field], "{quiet}");
        }
        assert_eq!(fields(&program.post("/notification-settings/chat", json!({ "kinds": ["stale"] })).await), ["url"]);
        let chat = |url: &str, kinds: Value| json!({ "url": url, "kinds": kinds });
        for url in ["http://hooks.example.com/x", "https://127.0.0.1/x", "nonsense"] {
            assert_eq!(fields(&program.post("/notification-settings/chat", chat(url, json!(["stale"]))).await), ["url"], "{url}");
        }
        assert_eq!(fields(&program.post("/notification-settings/chat", chat("https://hooks.example.com/x", json!([]))).await), ["kinds"]);
        let set = done(program.post("/notification-settings/chat", chat("https://hooks.example.com/secret", json!(["stale"]))).await);
        assert_eq!((&set["chat"]["host"], &set["chat"]["kinds"]), (&json!("hooks.example.com"), &json!(["stale"])));
        assert!(!set.to_string().contains("secret"));
        assert!(done(delete(&program, "/notification-settings/chat").await)["chat"].is_null());
        assert_eq!(program.get("/notification-settings/deliveries").await.status, StatusCode::OK);
        // the same choices stand on the page
        let page = sample.page("/notifications/settings").await;
        assert!(page.contains("value=\"22:00\"") && page.contains("value=\"07:30\""), "{page}");
    })
    .await;
}

// proves G1 in part
#[tokio::test]
async fn a_mapping_is_read_previewed_decided_and_its_statements_follow() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        let id = books(&sample).await;
        let path = format!("/companies/{id}/mapping");
        let rows = program.all(&path, 200).await;
        assert_eq!(rows, program.all(&path, 2).await, "in pages of two it is another list");
        let of = |rows: &[Value], account: &str| rows.iter().find(|row| row["account_id"] == account).unwrap().clone();
        assert_eq!((&of(&rows, "odd")["source"], &of(&rows, "odd")["balance"]), (&json!("unmapped"), &json!("110.00")));
        assert_eq!(program.all(&format!("{path}?source=unmapped"), 50).await.len(), 1);
        assert_eq!(program.get(&format!("{path}?category=nonsense")).await.status, StatusCode::BAD_REQUEST);
        let categories = program.get("/categories").await.body["data"].as_array().unwrap().clone();
        let rent = of(&rows, "rent")["category"].as_str().unwrap().to_owned();
        assert!(categories.iter().any(|row| row["key"] == rent.as_str() && row["is_leaf"] == true));
        let totals = program.get(&format!("{path}/totals")).await.body;
        assert!(totals["check"].as_array().unwrap().iter().all(|class| class["agrees"] == true), "{totals}");

        let preview = done(program.post(&format!("{path}/preview"), json!({ "accounts": ["odd"], "category": rent })).await);
        let gains = preview["lines"].as_array().unwrap().iter().find(|line| line["category"] == rent.as_str()).unwrap().clone();
        assert_eq!((&gains["total"], gains["months"].as_array().unwrap().len()), (&json!("110.00"), 2), "{preview}");
        assert_eq!(program.get(&format!("{path}/changes")).await.body["data"], json!([]), "a preview changes nothing");

        let decide = |decisions: Value| json!({ "decisions": decisions, "note": "The office" });
        let set = |account: &str, category: &str| json!({ "account_id": account, "step": "set", "category": category });
        for (decisions, field) in [
            (json!([]), "decisions"),
            (json!([set("odd", &rent), set("nobody", &rent)]), "decisions[1]"),
            (json!([set("odd", &rent), set("odd", &rent)]), "decisions[1].account_id"),
            (json!([set("odd", &rent), set("bank", &rent)]), "decisions[1]"),
            (json!([set("odd", "expenses")]), "decisions[0].category"),
            (json!([set("odd", "nonsense")]), "decisions[0].category"),
            (json!([set("odd", "unmapped-expenses")]), "decisions[0].category"),
            (json!([{ "account_id": "odd", "step": "set" }]), "decisions[0].category"),
            (json!([{ "account_id": "odd", "step": "confirm", "category": rent }]), "decisions[0].category"),
            (json!([{ "account_id": "odd", "step": "confirm" }]), "decisions[0]"),
        ] {
            assert_eq!(fields(&program.post(&format!("{path}/decisions"), decide(decisions.clone())).await), [field], "{decisions}");
        }
        let long = json!({ "decisions": [set("odd", &rent)], "note": "x".repeat(301) });
        assert_eq!(fields(&program.post(&format!("{path}/decisions"), long).await), ["note"]);
        assert_eq!(program.get(&format!("{path}/changes")).await.body["data"], json!([]), "nothing is half done");
        let decided =
            done(program.post(&format!("{path}/decisions"), decide(json!([set("odd", &rent), { "account_id": "bank", "step": "confirm" }]))).await);
        assert_eq!(decided["changed"], 2);
        assert_eq!(of(&program.all(&path, 50).await, "odd")["source"], "user");
        let changes = program.all(&format!("{path}/changes"), 1).await;
        assert_eq!((changes.len(), &changes[0]["note"], &changes[0]["made_by"]), (2, &json!("The office"), &json!("Ada Lindqvist")));
        // in the standard chart the account counts where it lies now
        let months = "from=2026-10&to=2026-11";
        let standard = program.get(&format!("/companies/{id}/profit-and-loss?{months}&chart=standard")).await.body;
        let line = standard["accounts"].as_array().unwrap().iter().find(|row| row["account_id"] == rent.as_str()).unwrap().clone();
        assert_eq!(line["amounts"], json!(["250.00", "290.00"]), "{standard}");
        let own = program.get(&format!("/companies/{id}/profit-and-loss?{months}")).await.body;
        assert_eq!(own["result"], standard["result"], "both charts end in one result");
        done(program.post(&format!("{path}/decisions"), decide(json!([{ "account_id": "odd", "step": "revert" }]))).await);
        assert_eq!(of(&program.all(&path, 50).await, "odd")["source"], "unmapped");
        assert_eq!(done(program.post(&format!("{path}/seen"), json!({})).await)["flagged"], 0);
        assert!(program.get("/mappings").await.body["data"].as_array().unwrap().iter().any(|row| row["company_id"] == id.as_str()));
        let receivables = program.get(&format!("/companies/{id}/contact-balances?side=receivable&as_of=2026-11-30")).await.body;
        assert_eq!(
            (&receivables["controls"][0]["balance"], &receivables["controls"][0]["account_id"]),
            (&json!("1000.00"), &json!("debtors")),
            "{receivables}"
        );
    })
    .await;
}

// proves G9 in part
#[tokio::test]
async fn an_answer_that_is_kept_for_a_second_try_is_sealed() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        let body = json!({ "name": "Warehouse", "role": "admin", "access": "read" }).to_string();
        let first = program.post_with("/api-keys", &body, &[("idempotency-key", "make-1")]).await;
        let secret = first.body["secret"].as_str().unwrap();
        let again = program.post_with("/api-keys", &body, &[("idempotency-key", "make-1")]).await;
        assert_eq!((again.status, again.text.as_str()), (StatusCode::CREATED, first.text.as_str()));
        let mut conn = sample.engine.store.read().await.unwrap();
        let kept = conn.query("SELECT body FROM idempotency_keys WHERE idempotency_key = 'make-1'", vec![]).await.unwrap();
        let kept = kept[0].text(0).unwrap();
        assert!(!kept.is_empty() && !kept.contains(secret) && !kept.contains("Warehouse"), "{kept}");
    })
    .await;
}
