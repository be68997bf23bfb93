//! Deleting a company: by its typed name only, whole and for good, on both databases.
use crate::api::{admin, key};
use crate::mapping::books;
use crate::sample::Sample;
use axum::http::StatusCode;
use domain::ids::CompanyId;
use domain::organization::{KeyAccess, Role};
use serde_json::json;
use store::args;
use testkit::each_database;

/// Rows of a company in every table that has a `company_id`, and in those that name it by its run or its ledger.
async fn rows(sample: &Sample, id: &CompanyId) -> Vec<(String, i64)> {
    let mut conn = sample.engine.store.read().await.unwrap();
    let mut counts = Vec::new();
    for (column, of) in [
        ("company_id", "$1"),
        ("run_id", "(SELECT id FROM runs WHERE company_id = $1)"),
        ("ledger_id", "(SELECT id FROM ledgers WHERE company_id = $1)"),
    ] {
        for table in conn.tables_with(column).await.unwrap() {
            let sql = match column {
                "company_id" => format!("SELECT COUNT(*) FROM {table} WHERE company_id = {of}"),
                _ => format!("SELECT COUNT(*) FROM {table} WHERE {column} IN {of}"),
            };
            let count = conn.query_one(Box::leak(sql.into_boxed_str()), args![id]).await.unwrap().int(0).unwrap();
            counts.push((format!("{table}.{column}"), count));
        }
    }
    counts
}

/// Rows that name a run or a ledger that is not there.
async fn orphans(sample: &Sample) -> i64 {
    let mut conn = sample.engine.store.read().await.unwrap();
    let mut orphans = 0;
    for (column, owner) in [("run_id", "runs"), ("ledger_id", "ledgers"), ("company_id", "companies")] {
        for table in conn.tables_with(column).await.unwrap() {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT id FROM {owner})");
            orphans += conn.query_one(Box::leak(sql.into_boxed_str()), vec![]).await.unwrap().int(0).unwrap();
        }
    }
    orphans
}

async fn companies(sample: &Sample) -> Vec<store::companies::Company> {
    store::companies::list(&mut sample.engine.store.read().await.unwrap(), &sample.organization_id).await.unwrap()
}

fn typed(name: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("name", name).finish()
}

// reliability.md 5.4, row 37
#[tokio::test]
async fn a_company_goes_by_its_typed_name_only_and_no_table_keeps_a_row_of_it() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let edit = format!("/companies/{id}/mapping/edit");
        assert_eq!(sample.post(&edit, "account=odd&category=rent&note=ours").await.status, StatusCode::SEE_OTHER);
        assert_eq!(sample.post("/integrations/data-feed/select", &format!("company={id}&shown={id}")).await.status, StatusCode::SEE_OTHER);
        let other = companies(&sample).await.into_iter().find(|company| company.name == "Tern Logistics").unwrap().id;
        let one = key(&sample, &sample.organization_id, &sample.owner, Role::Admin, KeyAccess::Write, std::slice::from_ref(&id)).await;
        let two = key(&sample, &sample.organization_id, &sample.owner, Role::Admin, KeyAccess::Write, &[id.clone(), other.clone()]).await;
        let (before, of_other) = (rows(&sample, &id).await, rows(&sample, &other).await);
        let filled = before.iter().filter(|(_, count)| *count > 0).count();
        assert!(filled >= 15, "only {filled} tables hold something of it: {before:?}");

        let path = format!("/companies/{id}/delete");
        assert!(sample.page(&format!("/companies/{id}")).await.contains(&format!("href=\"{path}\"")), "the page of the company leads there");
        let asked = sample.page(&path).await;
        for words in ["Delete <bdi>Harbour &#38; Finch Ltd</bdi>?", "Schedules end", "stays on the Data Feed as not linked", "It is unlinked first"] {
            assert!(asked.contains(words), "`{words}` is not in {asked}");
        }
        for wrong in ["", " ", "harbour & finch ltd", "Harbour", "Harbour & Finch Ltd.", "Harbour & Finch Ltd\u{0}", "Tern Logistics", id.as_str()] {
            let answer = sample.post(&path, &typed(wrong)).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
            let kept = format!("value=\"{}\"", wrong.trim().replace('&', "&#38;").replace('\0', "\u{fffd}"));
            for words in ["type its name exactly", "aria-describedby=\"name-error\"", &kept] {
                assert!(answer.body.contains(words), "{wrong:?}: `{words}` is not in {}", answer.body);
            }
        }
        let refused = sample.get_as(&sample.member_token, &path).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(rows(&sample, &id).await, before, "a refused form deleted something");

        let done = sample.post(&path, &typed("  Harbour &  Finch Ltd ")).await;
        assert_eq!((done.status, done.location.as_str()), (StatusCode::SEE_OTHER, "/integrations/data-feed"), "{}", done.body);
        assert!(done.flash.contains("is deleted") && done.flash.contains("listed as not linked"), "{}", done.flash);
        let left: Vec<_> = rows(&sample, &id).await.into_iter().filter(|(_, count)| *count > 0).collect();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(orphans(&sample).await, 0);
        assert_eq!(rows(&sample, &other).await, of_other, "another company lost something");
        assert_eq!(sample.get_as(&sample.owner_token, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(sample.post(&path, &typed("Harbour & Finch Ltd")).await.status, StatusCode::NOT_FOUND, "it is gone already");

        // an account sees it: it is there anew, empty, and can be deleted from the menu of its row
        let anew = companies(&sample).await.into_iter().find(|company| company.name == "Harbour & Finch Ltd").expect("it is offered anew");
        assert!(anew.id != id && anew.linked_at.is_none() && anew.last_success_at.is_none());
        let feed = sample.page("/integrations/data-feed?q=Harbour").await;
        assert!(feed.contains(&format!("class=\"menu-item is-danger\" href=\"/companies/{}/delete\"", anew.id)), "{feed}");
        assert!(!sample.page("/integrations/data-feed?q=Tern").await.contains("/delete\""), "who is linked is unlinked first there");
        // what stays says that it was done and by whom, and not of which company
        let log = sample.page("/integrations/logs/all?message=erased").await;
        assert!(log.contains("Data of 1 company erased"), "{log}");
        let account = sample.page(&format!("/integrations/accounts/{}?tab=history", anew.connection_id)).await;
        assert!(account.contains("Deleted a company with all of its data") && account.contains("Ada Lindqvist"), "{account}");
        // a key that reached only this one reaches nothing, instead of everything
        assert_eq!(one.get("/companies").await.status, StatusCode::UNAUTHORIZED);
        let reached = two.get("/companies").await.body;
        assert_eq!(reached["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(), [other.as_str()]);
    })
    .await;
}

// reliability.md 5.4, row 37
#[tokio::test]
async fn a_program_deletes_a_company_that_syncs_and_one_whose_account_is_refused() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let program = admin(&sample).await;
        for (name, runs, is_seen) in [("Cedar Dental Group", true, true), ("Old Mill Joinery", false, false), ("Bramble & Co", false, true)] {
            let id = companies(&sample).await.into_iter().find(|company| company.name == name).unwrap().id;
            let path = format!("/companies/{id}/delete");
            let preview = program.get(&path).await.body;
            assert_eq!(
                (preview["name"].as_str(), preview["is_running"].as_bool(), preview["is_seen"].as_bool()),
                (Some(name), Some(runs), Some(is_seen))
            );
            for wrong in [json!({ "name": "" }), json!({ "name": name.to_lowercase() }), json!({}), json!({ "name": name, "force": true })] {
                let refused = program.post(&path, wrong.clone()).await;
                assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {}", refused.text);
            }
            assert_eq!(program.get(&format!("/companies/{id}")).await.status, StatusCode::OK, "nothing was half done");
            let deleted = program.post(&path, json!({ "name": name })).await;
            assert_eq!((deleted.status, deleted.body["is_seen"].as_bool()), (StatusCode::OK, Some(is_seen)), "{}", deleted.text);
            assert!(rows(&sample, &id).await.iter().all(|(_, count)| *count == 0), "{name}");
            assert_eq!(companies(&sample).await.iter().filter(|company| company.name == name).count(), usize::from(is_seen), "{name}");
            assert_eq!(program.post(&path, json!({ "name": name })).await.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(orphans(&sample).await, 0);
    })
    .await;
}

// a name as a provider may send it, and none
#[tokio::test]
async fn a_company_with_a_name_that_nobody_can_type_is_deleted_by_what_its_page_shows() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::empty(&testkit::sqlite_url(folder.path())).await;
    let account = sample.connect("xero", "Ada").await;
    for name in ["", "  two  blanks\tand a tab ", "\u{202e}gnp.exe", &"x".repeat(10_000), "<b>\"quoted\"</b>"] {
        let id = sample.company(&account, "xero", name, true).await;
        let path = format!("/companies/{id}/delete");
        let page = sample.page(&path).await;
        let shown = page.split("type its").nth(1).unwrap().split("<bdi>").nth(1).unwrap().split("</bdi>").next().unwrap();
        let shown = shown.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"").replace("&#38;", "&");
        assert!(!shown.is_empty());
        let done = sample.post(&path, &typed(&shown)).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{name:?}: {}", done.body);
        assert!(rows(&sample, &id).await.iter().all(|(_, count)| *count == 0));
    }
}
