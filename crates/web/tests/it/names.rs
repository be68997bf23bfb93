//! Texts of providers on every page: each stands in a `bdi`, so that whatever is in it turns or swallows nothing around it.
use crate::api::admin;
use crate::mapping::books;
use crate::sample::Sample;
use axum::http::StatusCode;
use std::collections::BTreeSet;
use store::tenancy::Thing;
use web::routes::{Scope, all};

/// Begins every name, and stands in no text of ours.
const MARK: &str = "Zq7";

fn names() -> [String; 4] {
    [
        format!("{MARK}\u{202e}gnp.exe\u{2066}"),
        format!("{MARK} 👩‍👩‍👧‍👦 é\u{301}\u{301}\u{301} אבג"),
        format!("{MARK}</bdi><b>bold</b> \"quoted\" 'single' &amp; =1+1"),
        format!("{MARK}{}", "x".repeat(10_000)),
    ]
}

/// Places in the text of a page where the mark stands outside of a `bdi`: what stands before each.
fn bare(page: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut isolated, mut plain) = (0_usize, 0_usize);
    let mut rest = page;
    let mut before = String::new();
    while let Some(at) = rest.find('<') {
        let (text, tail) = rest.split_at(at);
        if text.contains(MARK) && isolated == 0 && plain == 0 {
            faults.push(format!("{before}{}", text.split(MARK).next().unwrap_or_default()));
        }
        // the end of the tag: an attribute may hold anything
        let mut quote = None;
        let end = tail.char_indices().skip(1).find(|(_, c)| match quote {
            Some(open) => {
                if *c == open {
                    quote = None;
                }
                false
            }
            None if *c == '"' || *c == '\'' => {
                quote = Some(*c);
                false
            }
            None => *c == '>',
        });
        let end = end.map_or(tail.len() - 1, |(at, _)| at);
        let tag = &tail[1..end];
        let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let is_end = tag.starts_with('/');
        let count = match name {
            "bdi" => Some(&mut isolated),
            // one text each, which browsers isolate by themselves
            "title" | "option" | "textarea" => Some(&mut plain),
            _ => None,
        };
        if let Some(count) = count {
            *count = if is_end { count.saturating_sub(1) } else { *count + 1 };
        }
        before = tail[..=end].to_owned();
        rest = &tail[end + 1..];
    }
    faults
}

#[test]
fn a_name_outside_of_its_bdi_is_found() {
    assert!(bare("<title>Zq7</title><p title=\"Zq7 > x\">of <bdi>Zq7 <b>x</b></bdi> and <option>Zq7</option></p>").is_empty());
    assert_eq!(bare("<p>of <bdi>Zq7</bdi> and <b class=\"a\">the Zq7</b></p>"), ["<b class=\"a\">the "]);
    assert_eq!(bare("<bdi></bdi>Zq7<p>").len(), 1);
}

/// Every page there is, by the map of the site, and what opens on some of them.
async fn pages(sample: &Sample) -> Vec<String> {
    let id = books(sample).await;
    let program = admin(sample).await;
    assert_eq!(
        program.post("/invitations", serde_json::json!({ "emails": ["nina@new.example"], "role": "member" })).await.status,
        StatusCode::CREATED
    );
    program.post("/notification-settings/test", serde_json::json!({})).await;
    let first = async |path: &str| program.get(path).await.body["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{path} is empty")).to_owned();
    let incident = first("/incidents").await;
    let (connection, run, invitation, api_key) =
        (first("/connections").await, first("/runs").await, first("/invitations").await, first("/api-keys").await);
    let entries = program.get("/log-entries?status=error").await.body;
    let entry = entries["data"][0]["id"].as_str().expect("an error").to_owned();
    let mut pages = Vec::new();
    for route in all() {
        let thing = match route.scope {
            Scope::Thing(Thing::Company) => id.as_str(),
            Scope::Thing(Thing::Connection) => &connection,
            Scope::Thing(Thing::Run) => &run,
            Scope::Thing(Thing::Incident) => &incident,
            Scope::Thing(Thing::LogEntry) => &entry,
            Scope::Thing(Thing::Member) => "member",
            Scope::Thing(Thing::Invitation) => &invitation,
            Scope::Thing(Thing::ApiKey) => &api_key,
            _ => "none",
        };
        if route.path != "/events" {
            pages.push(route.path.replace("{id}", thing).replace("{token}", "none").replace("{provider}", "xero").replace("{name}", "none"));
        }
    }
    let company = format!("/companies/{id}");
    let unlinked = store::companies::list(&mut sample.engine.store.read().await.unwrap(), &sample.organization_id).await.unwrap();
    let unlinked = unlinked.into_iter().find(|company| company.linked_at.is_none()).unwrap().id;
    for more in [
        format!("{company}/statements?report=balance-sheet"),
        format!("{company}/statements?report=trial-balance"),
        format!("{company}/statements?chart=standard"),
        format!("{company}/lines?account=odd&month=2026-11"),
        format!("{company}/contacts?side=payable"),
        format!("{company}/mapping?tab=all"),
        format!("{company}/mapping?tab=changed"),
        format!("{company}/mapping/edit?account=odd&category=rent"),
        format!("{company}/mapping/edit?account=odd&account=rent&category=rent"),
        format!("{company}/mapping/edit?account=odd&account=bank&category=rent"),
        format!("{company}?basis=cash"),
        format!("/integrations/accounts/{connection}?tab=access"),
        format!("/integrations/accounts/{connection}?tab=usage"),
        format!("/integrations/accounts/{connection}?tab=history"),
        format!("/integrations/data-feed/schedule?company={id}"),
        format!("/integrations/data-feed/token-user?company={id}"),
        format!("/companies/{unlinked}/delete"),
        format!("/integrations/logs/companies/{id}?run={run}"),
        "/integrations/logs?q=Zq7".into(),
        "/integrations/logs/all?company=Zq7&account=Zq7&message=Zq7&status=error".into(),
        "/integrations/logs/all?counts=1".into(),
        "/integrations/data-feed?q=Zq7&account_name=Zq7".into(),
        "/organization/access?q=Zq7&who=Max".into(),
        "/companies?q=Zq7".into(),
        "/mapping?q=Zq7".into(),
        "/palette?q=Zq7".into(),
    ] {
        pages.push(more);
    }
    pages
}

// reliability.md 3.6, S-074
#[tokio::test]
async fn every_text_of_a_provider_stands_in_a_bdi_on_every_page() {
    // what is drawn is the same on both databases: one is enough
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::full(&testkit::sqlite_url(folder.path())).await;
    let pages = pages(&sample).await;
    let mut faults = BTreeSet::new();
    for name in names() {
        let mut tx = sample.engine.store.begin().await.unwrap();
        for sql in [
            "UPDATE companies SET name = $1, name_folded = LOWER($1), country = $1 WHERE organization_id = 'org'",
            "UPDATE connections SET name = $1, email = $1 WHERE organization_id = 'org'",
            "UPDATE log_entries SET message = $1, company_name = $1, account_name = $1 WHERE organization_id = 'org'",
            "UPDATE incidents SET sentence = $1, subject = $1 WHERE organization_id = 'org'",
            "UPDATE notices SET title = $1, text = $1 WHERE organization_id = 'org'",
            "UPDATE quarantine SET reason = $1, remote_id = $1",
            "UPDATE accounts SET name = $1, code = $1, account_type = $1",
            "UPDATE documents SET name = $1, number = $1",
        ] {
            tx.execute(sql, vec![name.as_str().into()]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut shown = 0;
        for path in &pages {
            let answer = sample.get_as(&sample.owner_token, path).await;
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.body);
            if !answer.body.starts_with("<!doctype html>") {
                continue;
            }
            shown += usize::from(answer.body.contains(MARK));
            assert!(answer.body.trim_end().ends_with("</html>"), "{path} has no end");
            for fault in bare(&answer.body) {
                let path = path.split('?').next().unwrap_or_default();
                faults.insert(format!("{path}: … {}", fault.chars().take(200).collect::<String>()));
            }
        }
        assert!(shown > 40, "only {shown} pages show such a name");
        // what a click says, on the page that follows
        let company = store::companies::list(&mut sample.engine.store.read().await.unwrap(), &sample.organization_id).await.unwrap().remove(0);
        let told = sample.post(&format!("/companies/{}/resync", company.id), "").await;
        let flash = told.cookies.iter().find_map(|line| line.split(';').next().filter(|pair| pair.starts_with("tieout_flash=")));
        let page = sample.page_with_cookie(&told.location, flash.unwrap_or_default()).await;
        faults.extend(bare(&page).into_iter().map(|fault| format!("the answer to a click: … {fault}")));
    }
    assert!(faults.is_empty(), "{} places:\n{}", faults.len(), faults.into_iter().collect::<Vec<_>>().join("\n"));
}
