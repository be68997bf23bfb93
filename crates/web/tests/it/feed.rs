//! The Data Feed through the site: words, counts, and what each click does.
use crate::sample::{HOST, MINUTE, Sample};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::chart::rules;
use domain::company::{Mark, Reason};
use domain::sync::{Counts, Extent, RunState};
use futures::StreamExt;
use std::time::Duration;
use store::args;
use testkit::{COPY_COMPANY, each_database};
use tower::ServiceExt;

/// The row of a company, as HTML.
pub fn row<'a>(page: &'a str, name: &str) -> &'a str {
    let body = page.split("<tbody>").nth(1).unwrap_or_else(|| panic!("no table in {page}"));
    let at = body.split("<tr").find(|row| row.contains(&format!("<bdi>{name}</bdi></a>")));
    at.unwrap_or_else(|| panic!("no row of {name}"))
}

/// The ids of the rows, in order.
fn ids(page: &str) -> Vec<String> {
    page.split("data-key=\"row-").skip(1).map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

async fn id_of(sample: &Sample, name: &str) -> String {
    let mut conn = sample.engine.store.read().await.unwrap();
    let companies = store::companies::list(&mut conn, &sample.organization_id).await.unwrap();
    companies.into_iter().find(|company| company.name == name).unwrap().id.0
}

async fn active_runs(sample: &Sample) -> Vec<store::runs::Run> {
    store::runs::list_active(&mut sample.engine.store.read().await.unwrap(), &sample.organization_id).await.unwrap()
}

// proves B1
#[tokio::test]
async fn every_company_an_account_can_see_stands_in_the_feed_with_its_word() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let page = sample.page("/integrations/data-feed").await;
        for (name, words) in [
            ("Harbour &#38; Finch Ltd", vec!["Synced", "Verified", "QuickBooks", "books@birchwood.example", "10 minutes ago", "in 49 minutes"]),
            ("Alder Clinic", vec!["Needs Resync", "last sync failed", "Not checked", "Xero", "Ada Lindqvist"]),
            ("Tern Logistics", vec!["Needs Resync", "does not tie out", "Not verified", "+1,204", "~88", "−3", "1 min 14 s"]),
            ("Cedar Dental Group", vec!["Syncing", "Transactions (3 of 6), 12,400 of about 31,000", "value=\"40\"", "1 min 12 s", "Cancel"]),
            ("Quayside Foods", vec!["Waiting", "Xero daily limit</a>, resumes", "22:35"]),
            ("Old Mill Joinery", vec!["Invalid token", "sign-in expired", "Reconnect", "The sign-in is no longer accepted"]),
            ("Bramble &#38; Co", vec!["Not linked", "Link"]),
        ] {
            for word in words {
                assert!(row(&page, name).contains(word), "{name}: no {word} in {}", row(&page, name));
            }
        }
        // nothing that is not so: an account that signs in has no Reconnect, a failed run that is over shows no progress
        assert!(!row(&page, "Harbour &#38; Finch Ltd").contains("Reconnect") && !row(&page, "Alder Clinic").contains("<progress"));
        assert_eq!(ids(&page).len(), 10);
    })
    .await;
}

#[tokio::test]
async fn the_counts_above_the_feed_are_what_a_click_on_them_shows() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        for filter in ["", "provider=xero", "q=e"] {
            let page = sample.page(&format!("/integrations/data-feed?{filter}")).await;
            let facets: Vec<(&str, usize)> = page
                .split("data-key=\"facet-")
                .skip(1)
                .map(|facet| (facet.split('"').next().unwrap(), facet.split("<b>").nth(1).unwrap().split('<').next().unwrap().parse().unwrap()))
                .collect();
            assert!(facets.len() >= 4, "{facets:?}");
            for (key, count) in facets {
                let shown = sample.page(&format!("/integrations/data-feed?{filter}&status={key}")).await;
                assert_eq!(ids(&shown).len(), count, "{filter} {key}");
            }
        }
        let page = sample.page("/integrations/data-feed?q=HARBOUR&status=synced").await;
        assert_eq!(ids(&page).len(), 1);
        assert!(sample.page("/integrations/data-feed?q=nobody").await.contains("No company fits"));
    })
    .await;
}

#[tokio::test]
async fn pages_of_the_feed_hold_each_company_once() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        let account = sample.connect("xero", "Ada").await;
        for at in 0..60 {
            sample.company(&account, "xero", &format!("Company {at:02}"), at % 2 == 0).await;
        }
        for sort in ["name", "status", "last_synced"] {
            let mut seen = Vec::new();
            for (page, rows) in [(1, 25), (2, 25), (3, 10)] {
                let page = sample.page(&format!("/integrations/data-feed?size=25&sort={sort}&page={page}")).await;
                assert_eq!(ids(&page).len(), rows);
                seen.extend(ids(&page));
            }
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 60, "{sort}");
        }
        // a page that is not there is the last one, nonsense is the first
        assert_eq!(ids(&sample.page("/integrations/data-feed?size=25&page=99").await).len(), 10);
        assert_eq!(ids(&sample.page("/integrations/data-feed?size=25&page=x").await).len(), 25);
    })
    .await;
}

#[tokio::test]
async fn the_list_of_companies_is_sorted_by_its_heads_and_a_search_keeps_the_order() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        let account = sample.connect("xero", "Ada").await;
        let mut by_name = Vec::new();
        for name in ["Alder Ltd", "Birch Ltd", "Cedar Ltd"] {
            let company = sample.company(&account, "xero", name, true).await;
            if name == "Birch Ltd" {
                sample.finished_run(&company, Extent::Full, sample.now_ms - 10 * MINUTE, Counts::default(), None).await;
            }
            by_name.push(company.0);
        }
        let mut tx = sample.engine.store.begin().await.unwrap();
        tx.execute("UPDATE companies SET linked_at = $1 WHERE name = 'Alder Ltd'", args![sample.now_ms - MINUTE]).await.unwrap();
        tx.commit().await.unwrap();
        let feed = sample.page("/integrations/data-feed").await;
        assert!(row(&feed, "Birch Ltd").contains("24 h") && !row(&feed, "Alder Ltd").contains("24 h"), "nothing is fresh before its first sync");
        assert_eq!(ids(&sample.page("/companies").await), by_name);
        let downwards: Vec<String> = by_name.iter().rev().cloned().collect();
        let page = sample.page("/companies?q=ltd&sort=-name").await;
        assert_eq!(ids(&page), downwards);
        assert!(page.contains(r#"<th aria-sort="descending"><a href="/companies?q=ltd">Company</a>"#), "{page}");
        assert!(page.contains(r#"<input type="hidden" name="sort" value="-name">"#), "{page}");
        // the newest first
        assert_eq!(ids(&sample.page("/companies?sort=last_synced").await)[0], by_name[1]);
        // an order of the Data Feed that this list has no head for, and nonsense
        for sort in ["freshness", "x"] {
            assert_eq!(ids(&sample.page(&format!("/companies?sort={sort}")).await), by_name, "{sort}");
        }
    })
    .await;
}

// how fast is measured by `make bench BENCH=feed` (docs/benchmarks.md)
// proves B14
#[tokio::test]
async fn with_ten_thousand_companies_a_page_holds_its_rows_only_and_a_change_of_one_is_told_to_open_pages() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        let account = sample.connect("xero", "Ada").await;
        let first = sample.company(&account, "xero", "Company 0 Ltd", true).await;
        let mut tx = sample.engine.store.begin().await.unwrap();
        tx.execute(COPY_COMPANY, args![&first, 9_999]).await.unwrap();
        tx.commit().await.unwrap();
        let page = sample.page("/integrations/data-feed").await;
        assert!(page.contains("10,000"), "how many there are");
        assert_eq!(ids(&page).len(), 50);
        assert!(page.len() < 300_000, "{} bytes", page.len());
        assert_eq!(ids(&sample.page("/integrations/data-feed?page=200").await).len(), 50);

        let open = Request::get("/events")
            .header("host", HOST)
            .header("cookie", format!("tieout_session={}", sample.owner_token))
            .body(Body::empty())
            .unwrap();
        let mut stream = sample.router.clone().oneshot(open).await.unwrap().into_body().into_data_stream();
        let mut told = async || {
            let frame = tokio::time::timeout(Duration::from_secs(30), stream.next()).await.expect("an event").unwrap().unwrap();
            String::from_utf8(frame.to_vec()).unwrap()
        };
        assert!(told().await.contains("event: hello"));
        let changed = ids(&page)[25].clone();
        let paused = |page: &str| page.split("data-key=\"row-").find(|row| row.starts_with(&format!("{changed}\""))).unwrap().contains("Paused");
        let company_id = domain::ids::CompanyId(changed.clone());
        let was_paused = paused(&page);
        let change = if was_paused {
            engine::schedule::resume(&sample.engine, &sample.organization_id, &[company_id]).await
        } else {
            engine::schedule::pause(&sample.engine, &sample.organization_id, &[company_id]).await
        };
        assert_eq!(change.unwrap(), 1);
        assert!(told().await.contains("event: change"));
        assert_ne!(paused(&sample.page("/integrations/data-feed").await), was_paused, "what an open page gets when it looks again");
    })
    .await;
}

// proves B2
#[tokio::test]
async fn auto_resync_says_what_became_of_each_company() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let [harbour, cedar, mill] =
            [id_of(&sample, "Harbour & Finch Ltd").await, id_of(&sample, "Cedar Dental Group").await, id_of(&sample, "Old Mill Joinery").await];
        let form = format!("company={harbour}&company={cedar}&company={mill}&back=%2Fintegrations%2Fdata-feed%3Fsize%3D25");
        let answer = sample.post("/integrations/data-feed/resync", &form).await;
        assert_eq!((answer.status, answer.location.as_str()), (StatusCode::SEE_OTHER, "/integrations/data-feed?size=25"));
        assert!(answer.flash.contains("1 queued, 1 already running, 1 invalid token."), "{}", answer.flash);
        assert!(answer.flash.contains(&format!("/companies/{cedar}")) && answer.flash.contains("Old Mill Joinery"), "{}", answer.flash);
        assert_eq!(active_runs(&sample).await.iter().filter(|run| run.company_id.0 == harbour).count(), 1);
        let page = sample.page("/integrations/data-feed").await;
        assert!(row(&page, "Harbour &#38; Finch Ltd").contains("Syncing") && row(&page, "Harbour &#38; Finch Ltd").contains("Queued"));

        // nothing is ticked; a path of somebody else is not returned to
        let answer = sample.post("/integrations/data-feed/resync", "back=%2F%2Fevil.example").await;
        assert_eq!(answer.location, "/integrations/data-feed");
        assert!(answer.flash.contains("No company is selected"), "{}", answer.flash);
    })
    .await;
}

#[tokio::test]
async fn auto_resync_all_asks_first_and_queues_only_what_needs_it() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let question = sample.page("/integrations/data-feed/resync-all").await;
        assert!(question.contains("2 companies need a resync") && question.contains("Resync 2 companies"), "{question}");
        assert!(question.contains("Alder Clinic") && question.contains("Tern Logistics") && !question.contains("Old Mill Joinery"));
        let before = active_runs(&sample).await.len();
        let answer = sample.post("/integrations/data-feed/resync-all", "").await;
        assert!(answer.flash.contains("2 queued."), "{}", answer.flash);
        assert_eq!(active_runs(&sample).await.len(), before + 2);
        let answer = sample.post("/integrations/data-feed/resync-all", "").await;
        assert!(answer.flash.contains("No company needs a resync."), "{}", answer.flash);
        assert_eq!(active_runs(&sample).await.len(), before + 2);
    })
    .await;
}

// proves C16
#[tokio::test]
async fn a_second_request_answers_with_the_run_that_is_going_on() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let cedar = id_of(&sample, "Cedar Dental Group").await;
        let running = active_runs(&sample).await.into_iter().find(|run| run.company_id.0 == cedar).unwrap();
        let answer = sample.post(&format!("/companies/{cedar}/resync"), "").await;
        assert!(answer.flash.contains(&format!("1 already running: job {}.", running.id)), "{}", answer.flash);
        assert_eq!(active_runs(&sample).await.iter().filter(|run| run.company_id.0 == cedar).count(), 1);

        let answer = sample.post(&format!("/integrations/runs/{}/cancel", running.id), "").await;
        assert!(answer.flash.contains("Cancelling"), "{}", answer.flash);
        assert!(row(&sample.page("/integrations/data-feed").await, "Cedar Dental Group").contains("stopping"));
        let answer = sample.post("/integrations/runs/unknown/cancel", "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn companies_are_linked_and_unlinked_in_the_feed() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let bramble = id_of(&sample, "Bramble & Co").await;
        let refused = sample.post(&format!("/companies/{bramble}/resync"), "").await;
        assert!(refused.flash.contains("is not linked"), "{}", refused.flash);
        let answer = sample.post(&format!("/integrations/companies/{bramble}/link"), "back=%2Fintegrations%2Fdata-feed%3Fstatus%3Dnot_linked").await;
        assert_eq!(answer.location, "/integrations/data-feed?status=not_linked");
        assert!(answer.flash.contains("Linked"), "{}", answer.flash);
        assert!(row(&sample.page("/integrations/data-feed").await, "Bramble &#38; Co").contains("Syncing"));

        let harbour = id_of(&sample, "Harbour & Finch Ltd").await;
        let feed = sample.page("/integrations/data-feed?link=linked").await;
        let menu = format!("/integrations/data-feed/unlink?company={harbour}&#38;back=/integrations/data-feed%3Flink%3Dlinked");
        assert!(feed.contains(&menu) || feed.contains(&menu.replace("&#38;", "&amp;")), "{menu} is not in {feed}");
        let question = sample.page(&format!("/integrations/data-feed/unlink?company={harbour}&back=/integrations/data-feed%3Flink%3Dlinked")).await;
        for words in ["Unlink <bdi>Harbour &#38; Finch Ltd</bdi>?", "<b>1</b><span>will be unlinked", "records are kept", "linking it again goes on"]
        {
            assert!(question.contains(words), "{words} is not in {question}");
        }
        let form = format!("company={harbour}&back=%2Fintegrations%2Fdata-feed%3Flink%3Dlinked");
        let answer = sample.post("/integrations/data-feed/unlink", &form).await;
        assert_eq!(answer.location, "/integrations/data-feed?link=linked");
        assert!(answer.flash.contains("1 company unlinked"), "{}", answer.flash);
        assert!(sample.post("/integrations/data-feed/unlink", &form).await.flash.contains("It was unlinked already."));
        let page = sample.page("/integrations/data-feed").await;
        assert!(row(&page, "Harbour &#38; Finch Ltd").contains("Not linked"));
        let mut conn = sample.engine.store.read().await.unwrap();
        let company = store::companies::find(&mut conn, &sample.organization_id, &domain::ids::CompanyId::new(harbour)).await.unwrap().unwrap();
        assert_eq!((company.mark, company.last_run_state), (Mark::Verified, Some(RunState::Succeeded)), "what was synced is kept");
        let unknown = sample.post("/integrations/companies/unknown/link", "").await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    })
    .await;
}

/// Keeps what a page with these rows says is ticked.
async fn tick(sample: &Sample, shown: &[&str], ticked: &[&str], more: &str) -> crate::sample::Answer {
    let ids = |name: &str, ids: &[&str]| ids.iter().map(|id| format!("{name}={id}&")).collect::<String>();
    sample.post("/integrations/data-feed/select", &format!("{}{}{more}", ids("shown", shown), ids("company", ticked))).await
}

// proves B2 in part
#[tokio::test]
async fn what_is_ticked_survives_paging_and_an_action_is_for_all_of_it() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        let account = sample.connect("xero", "Ada").await;
        let mut all = Vec::new();
        for at in 0..60 {
            all.push(sample.company(&account, "xero", &format!("Company {at:02}"), true).await.0);
        }
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        // two on the first page, on the way to the second
        let answer = tick(&sample, &all[..25], &all[..2], "go=%2Fintegrations%2Fdata-feed%3Fsize%3D25%26page%3D2").await;
        assert_eq!((answer.status, answer.location.as_str()), (StatusCode::SEE_OTHER, "/integrations/data-feed?size=25&page=2"));
        let page = sample.page(&answer.location).await;
        assert!(page.contains("2 selected, 2 on other pages") && page.contains("Select all 60"), "{page}");
        assert!(!row(&page, "Company 30").contains("\" checked>"));
        tick(&sample, &all[25..50], &all[30..31], "").await;
        // back on the first: one is taken back
        tick(&sample, &all[..25], &all[1..2], "").await;
        let page = sample.page("/integrations/data-feed?size=25").await;
        assert!(page.contains("2 selected, 1 on other pages"), "{page}");
        assert!(row(&page, "Company 01").contains("\" checked>") && !row(&page, "Company 00").contains("\" checked>"));
        // a filter shows what is ticked elsewhere too
        assert!(sample.page("/integrations/data-feed?q=59").await.contains("2 selected, 2 on other pages"));
        // the action is for both, and what the page itself says counts
        let answer = sample.post("/integrations/data-feed/resync", &format!("shown={}&company={}", all[59], all[59])).await;
        assert!(answer.flash.contains("3 queued."), "{}", answer.flash);
        let mut queued: Vec<String> = active_runs(&sample).await.into_iter().map(|run| run.company_id.0).collect();
        queued.sort();
        assert_eq!(queued, [all[1], all[30], all[59]]);
        assert!(sample.page("/integrations/data-feed").await.contains("data-elsewhere=\"0\""), "nothing is ticked any more");

        // everything that fits a filter, and nothing
        tick(&sample, &[], &[], "take=all&back=%2Fintegrations%2Fdata-feed%3Fstatus%3Dneeds_resync").await;
        assert!(sample.page("/integrations/data-feed").await.contains("57 selected, 9 on other pages"));
        tick(&sample, &all[..2], &all[..2], "take=none").await;
        let answer = sample.post("/integrations/data-feed/pause", "").await;
        assert!(answer.flash.contains("No company is selected"), "{}", answer.flash);
        // a page of somebody else is not gone to
        assert_eq!(tick(&sample, &[], &[], "go=https%3A%2F%2Fevil.example").await.location, "/integrations/data-feed");
    })
    .await;
}

// proves B11
#[tokio::test]
async fn a_paused_company_is_shown_so_and_left_out_of_auto_resync_all() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let [alder, tern] = [id_of(&sample, "Alder Clinic").await, id_of(&sample, "Tern Logistics").await];
        let answer = sample.post(&format!("/integrations/companies/{alder}/pause"), "").await;
        assert!(answer.flash.contains("Schedule paused"), "{}", answer.flash);
        let page = sample.page("/integrations/data-feed").await;
        let alder_row = row(&page, "Alder Clinic");
        assert!(alder_row.contains("Paused") && alder_row.contains("Resume schedule") && !alder_row.contains("last sync failed"), "{alder_row}");
        let question = sample.page("/integrations/data-feed/resync-all").await.split("<main").nth(1).unwrap().to_owned();
        assert!(
            question.contains("1 company needs a resync") && question.contains("paused, skipped") && !question.contains("Alder Clinic"),
            "{question}"
        );
        assert!(sample.post("/integrations/data-feed/resync-all", "").await.flash.contains("1 queued."));
        // the schedule passes it over as well, however late it is
        let mut tx = sample.engine.store.begin().await.unwrap();
        let due = store::companies::list_due(&mut tx, sample.now_ms + 30 * crate::sample::DAY, 100).await.unwrap();
        assert!(!due.is_empty() && due.iter().all(|(id, _)| id.0 != alder));
        drop(tx);
        // several at once; a person may still resync one
        tick(&sample, &[], &[&alder, &tern], "").await;
        assert!(sample.post("/integrations/data-feed/pause", "").await.flash.contains("1 paused, 1 paused before."));
        assert!(sample.post(&format!("/companies/{alder}/resync"), "").await.flash.contains("1 queued."));
        tick(&sample, &[], &[&alder, &tern], "").await;
        assert!(sample.post("/integrations/data-feed/resume", "").await.flash.contains("2 resumed."));
        assert!(!sample.page("/integrations/data-feed").await.contains("<span>Paused</span>"), "nobody is paused");
        let unknown = sample.post("/integrations/companies/unknown/pause", "").await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    })
    .await;
}

// proves B10
// proves B12
#[tokio::test]
async fn interval_and_freshness_are_set_for_one_for_many_and_for_the_organization_and_a_breach_is_seen() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let [harbour, north] = [id_of(&sample, "Harbour & Finch Ltd").await, id_of(&sample, "Northlight Studio").await];
        let page = sample.page("/integrations/data-feed").await;
        assert!(row(&page, "Harbour &#38; Finch Ltd").contains("in 49 minutes"), "the next run");
        assert!(row(&page, "Harbour &#38; Finch Ltd").contains("24 h") && row(&page, "Alder Clinic").contains("past 24 h"), "{page}");
        assert!(page.contains("Past freshness target"));

        let form = sample.page(&format!("/integrations/data-feed/schedule?company={harbour}")).await;
        assert!(form.contains("Schedule of Harbour &#38; Finch Ltd") && form.contains("value=\"60\""), "{form}");
        let wrong = sample.post("/integrations/data-feed/schedule", &format!("company={harbour}&interval=15.5&target=own&freshness=0")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        for sentence in
            ["Enter a whole number of minutes between 15 and 43,200.", "Enter a whole number of hours between 1 and 2,160.", "value=\"15.5\""]
        {
            assert!(wrong.body.contains(sentence), "{sentence} is not in {}", wrong.body);
        }
        let saved = sample.post("/integrations/data-feed/schedule", &format!("company={harbour}&interval=15&target=own&freshness=1")).await;
        assert!(saved.flash.contains("Schedule of 1 company saved."), "{}", saved.flash);
        let page = sample.page("/integrations/data-feed").await;
        assert!(row(&page, "Harbour &#38; Finch Ltd").contains("in 4 minutes") && row(&page, "Harbour &#38; Finch Ltd").contains(">1 h<"), "{page}");

        tick(&sample, &[], &[&harbour, &north], "").await;
        let saved = sample.post("/integrations/data-feed/schedule", "interval=120&target=").await;
        assert!(saved.flash.contains("Schedule of 2 companies saved."), "{}", saved.flash);
        let wrong = sample.post("/integrations/data-feed/freshness", &format!("company={north}&organization_hours=1e9")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        sample.post("/integrations/data-feed/freshness", &format!("company={north}&organization_hours=72")).await;
        let page = sample.page("/integrations/data-feed").await;
        assert!(row(&page, "Northlight Studio").contains("3 days") && row(&page, "Alder Clinic").contains("3 days"), "{page}");
        assert!(!row(&page, "Alder Clinic").contains("past ") && row(&page, "Old Mill Joinery").contains("past 3 days"), "{page}");
        // the log says of each company once that it is late, which is what alerts are made of
        sample.post("/integrations/data-feed/freshness", &format!("company={north}&organization_hours=1")).await;
        let late = engine::schedule::notice_stale(&sample.engine).await.unwrap();
        assert!(late >= 1);
        assert_eq!(engine::schedule::notice_stale(&sample.engine).await.unwrap(), 0);
        let log = sample.page("/integrations/logs/all?message=freshness").await;
        assert!(log.contains("Not brought up to date within its freshness target of 1 hour"), "{log}");
        let unknown = sample.get_as(&sample.owner_token, "/integrations/data-feed/schedule?company=unknown").await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    })
    .await;
}

// proves B9
#[tokio::test]
async fn the_filter_that_is_chosen_is_exported_with_all_columns_and_nothing_becomes_a_formula() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let account = sample.connect("xero", "=cmd|' /C calc'!A0").await;
        sample.company(&account, "xero", "Ünder, \"Wood\" Ltd", true).await;
        let answer = sample.get_as(&sample.owner_token, "/integrations/data-feed/export.csv").await;
        let lines: Vec<&str> = answer.body.lines().collect();
        assert_eq!(lines.len(), 12, "the heads and eleven companies: {}", answer.body);
        assert!(lines[0].starts_with("Company,Accounting Software,External Account,Link,Status,Reason,"), "{}", lines[0]);
        let line = |name: &str| *lines.iter().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {}", answer.body));
        let tern = line("Tern Logistics,");
        assert!(
            tern.starts_with("Tern Logistics,QuickBooks,books@birchwood.example,Linked,Needs Resync,does not tie out,,Not verified,2026-11-22,"),
            "{tern}"
        );
        assert!(tern.contains(",74.0,1204,88,3,Within its target,24 h,60,"), "{tern}");
        assert!(line("Quayside Foods,").contains(",Waiting,Xero daily limit,2026-11-22T22:35:00Z,"), "{}", line("Quayside Foods,"));
        let under = line("\"Ünder, \"\"Wood\"\" Ltd\"");
        assert!(under.contains(",'=cmd|' /C calc'!A0,"), "{under}");
        // the same filter and order as the page
        for query in ["status=not_linked", "q=%C3%9CNDER", "mark=not_verified&sort=-name", "reason=x&synced=never", "freshness=missed&sort=took"] {
            let page = sample.page(&format!("/integrations/data-feed?{query}")).await;
            let file = sample.get_as(&sample.owner_token, &format!("/integrations/data-feed/export.csv?{query}")).await;
            let shown: Vec<&str> =
                page.split("<td class=\"name\">").skip(1).map(|part| part.split("<bdi>").nth(1).unwrap().split('<').next().unwrap()).collect();
            let exported = file.body.lines().count() - 1;
            assert_eq!(shown.len(), exported, "{query}");
            let first = file.body.lines().nth(1).unwrap_or_default();
            assert!(shown.first().is_none_or(|name| first.trim_start_matches('"').starts_with(&name.replace("&#38;", "&")[..3])), "{query}: {first}");
        }
        assert!(
            sample
                .page("/integrations/data-feed?mark=verified&sort=-took")
                .await
                .contains("/integrations/data-feed/export.csv?mark=verified&amp;sort=-took")
                || sample
                    .page("/integrations/data-feed?mark=verified&sort=-took")
                    .await
                    .contains("/integrations/data-feed/export.csv?mark=verified&#38;sort=-took")
        );
    })
    .await;
}

#[tokio::test]
async fn columns_that_are_not_chosen_are_left_out_in_this_browser() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::full(&testkit::sqlite_url(folder.path())).await;
    let all = sample.page("/integrations/data-feed").await;
    for label in ["External account", "Link", "Tie-out", "Last Synced", "Next run", "Duration", "Last run", "Freshness"] {
        assert!(all.contains(&format!("data-label=\"{label}\"")), "{label}");
    }
    let answer = sample.post("/integrations/data-feed/columns", "column=tie_out&column=freshness&column=evil&back=%2Fintegrations%2Fdata-feed").await;
    assert_eq!((answer.status, answer.location.as_str()), (StatusCode::SEE_OTHER, "/integrations/data-feed"));
    let cookie =
        answer.cookies.iter().find_map(|cookie| cookie.split(';').next().filter(|pair| pair.starts_with("tieout_feed_hidden="))).unwrap().to_owned();
    let few = sample.page_with_cookie("/integrations/data-feed", &cookie).await;
    assert!(few.contains("data-label=\"Tie-out\"") && few.contains("data-label=\"Freshness\"") && few.contains("data-label=\"Status\""));
    for label in ["External account", "Link", "Last Synced", "Next run", "Duration", "Last run"] {
        assert!(!few.contains(&format!("data-label=\"{label}\"")), "{label}");
    }
}

// proves B6
// proves B7 in part
#[tokio::test]
async fn a_run_is_followed_on_three_places_from_one_source() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let cedar = id_of(&sample, "Cedar Dental Group").await;
        let run = active_runs(&sample).await.into_iter().find(|run| run.company_id.0 == cedar).unwrap();
        let mut progress = engine::sync::Progress::parse(&run.progress);
        progress.expect(domain::data_type::DataType::Invoice, Some(31_000));
        sample.set_progress(&run, &progress).await;
        let company = sample.page(&format!("/companies/{cedar}")).await;
        for words in [
            "Syncing: Transactions (3 of 6)",
            "12,400 of about 31,000",
            "<dt>Invoices</dt><dd class=\"num\"><b>12,400</b> of 31,000",
            "1 min 12 s",
            "left",
        ] {
            assert!(company.contains(words), "{words} is not in {company}");
        }
        let feed = sample.page("/integrations/data-feed").await;
        let panel = feed.split("id=\"jobs-panel\"").nth(1).unwrap().split("id=\"feed\"").next().unwrap().to_owned();
        for place in [row(&feed, "Cedar Dental Group"), &panel] {
            for words in ["Transactions (3 of 6), 12,400 of about 31,000", &format!("/integrations/runs/{}/cancel", run.id)] {
                assert!(place.contains(words), "{words} is not in {place}");
            }
        }
        assert!(row(&feed, "Cedar Dental Group").contains("about ") && row(&feed, "Cedar Dental Group").contains(" left"));
        assert!(
            panel.contains("Waiting: <a href=\"/integrations/health\">Xero daily limit</a>, resumes") && panel.contains("1 waiting for a provider"),
            "{panel}"
        );
        assert!(panel.contains("Recently completed") && panel.contains("Succeeded, nothing changed"), "{panel}");

        // a run that waits in its place is shown as waiting, and is no error
        let mut tx = sample.engine.store.begin().await.unwrap();
        store::runs::set_waiting(&mut tx, &run.lease(), Some(("QuickBooks minute limit", sample.now_ms + 40_000)), sample.now_ms).await.unwrap();
        tx.commit().await.unwrap();
        let feed = sample.page("/integrations/data-feed").await;
        let waiting = row(&feed, "Cedar Dental Group");
        assert!(waiting.contains("Waiting") && waiting.contains("QuickBooks minute limit</a>, resumes") && waiting.contains("21:00"), "{waiting}");
        assert!(!waiting.contains("badge-bad") && !waiting.contains("failed"), "{waiting}");
        assert!(
            sample
                .page(&format!("/companies/{cedar}"))
                .await
                .contains("Waiting: <a href=\"/integrations/health#quickbooks\">QuickBooks minute limit</a>, resumes")
        );
        let mut tx = sample.engine.store.begin().await.unwrap();
        store::runs::set_waiting(&mut tx, &run.lease(), None, sample.now_ms).await.unwrap();
        tx.commit().await.unwrap();
        assert!(row(&sample.page("/integrations/data-feed").await, "Cedar Dental Group").contains("Syncing"));
        // a Member follows, but does not stop
        let member = sample.get_as(&sample.member_token, &format!("/companies/{cedar}")).await.body;
        assert!(!member.contains("/cancel"));
    })
    .await;
}

// proves B3
#[tokio::test]
async fn no_error_is_shown_while_an_attempt_runs_and_an_invalid_token_is_a_status_of_its_own() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let alder = id_of(&sample, "Alder Clinic").await;
        let company = format!("/companies/{alder}");
        assert!(sample.page(&company).await.contains("Xero did not answer."));
        sample.post(&format!("/companies/{alder}/resync"), "").await;
        for page in [sample.page("/integrations/data-feed").await, sample.page("/integrations/data-feed?q=alder").await] {
            assert!(row(&page, "Alder Clinic").contains("Syncing") && !row(&page, "Alder Clinic").contains("failed"), "{page}");
        }
        // the last run stays among the completed ones; the state of now is not an error
        assert!(!sample.page(&company).await.contains("data-key=\"problem\""));
        let page = sample.page("/integrations/data-feed?status=invalid_token").await;
        assert_eq!(ids(&page).len(), 1);
        let mill = row(&page, "Old Mill Joinery");
        assert!(mill.contains("Invalid token") && !mill.contains("Needs Resync") && mill.contains("Reconnect"), "{mill}");
    })
    .await;
}

#[tokio::test]
async fn unlinking_several_says_what_stops_and_what_is_kept() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let [harbour, cedar, bramble] =
            [id_of(&sample, "Harbour & Finch Ltd").await, id_of(&sample, "Cedar Dental Group").await, id_of(&sample, "Bramble & Co").await];
        let answer = tick(&sample, &[], &[&harbour, &cedar, &bramble], "go=%2Fintegrations%2Fdata-feed%2Funlink").await;
        let question = sample.page(&answer.location).await;
        for words in ["Unlink 2 companies?", "<b>1</b><span>running sync stops", "records are kept", "<b>1</b><span>not linked, left out"] {
            assert!(question.contains(words), "{words} is not in {question}");
        }
        assert!(sample.page("/integrations/data-feed?status=not_linked").await.contains("Bramble"), "nothing has happened yet");
        let answer = sample.post("/integrations/data-feed/unlink", "").await;
        assert!(answer.flash.contains("2 companies unlinked; what was synced is kept."), "{}", answer.flash);
        assert_eq!(ids(&sample.page("/integrations/data-feed?link=not_linked").await).len(), 5);
        let asked = active_runs(&sample).await.into_iter().find(|run| run.company_id.0 == cedar).unwrap();
        assert!(asked.cancel_requested_at.is_some());

        tick(&sample, &[], &[&harbour, &bramble], "").await;
        let answer = sample.post("/integrations/data-feed/link", "").await;
        assert!(answer.flash.contains("2 companies linked"), "{}", answer.flash);
        let again = sample.post("/integrations/data-feed/unlink", "").await;
        assert!(again.flash.contains("They were unlinked already."), "nothing is ticked: {}", again.flash);
    })
    .await;
}

#[tokio::test]
async fn an_empty_feed_says_what_to_check() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        assert!(sample.page("/integrations/data-feed").await.contains("No companies yet"));
        sample.connect("xero", "Ada").await;
        let page = sample.page("/integrations/data-feed").await;
        for check in ["has access to at least one company", "For Xero, the right organizations were selected", "companies available to link to"] {
            assert!(page.contains(check), "{check}");
        }
        assert!(sample.page("/integrations/data-feed/resync-all").await.contains("No company needs a resync right now"));
    })
    .await;
}

#[tokio::test]
async fn times_stand_in_the_zone_of_the_reader_and_in_utc() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::full(&testkit::sqlite_url(folder.path())).await;
    let page = sample.page("/integrations/data-feed").await;
    let synced = jiff::Timestamp::from_millisecond(sample.now_ms - 12 * MINUTE + 74_000).unwrap();
    assert!(page.contains(&format!("<time datetime=\"{synced}\"")), "{HOST}: {synced}");
    assert!(page.contains("22 November 2026, 20:49:14 UTC"), "the absolute time on hover");
}

// proves B5
#[tokio::test]
async fn beside_needs_resync_stands_one_reason_whichever_it_is_and_a_filter_finds_it() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        let account = sample.connect("xero", "Ada").await;
        let mut named = Vec::new();
        for (at, reason) in Reason::ALL.into_iter().enumerate() {
            let id = sample.company(&account, "xero", &format!("Company {at}"), true).await;
            // everything is well, but for one fact
            let (good, late) = (sample.now_ms - MINUTE, sample.now_ms - 90 * MINUTE);
            let (mut success, mut state, mut mark, mut scope, mut rules, mut facts) = (Some(good), "succeeded", "verified", None, rules::VERSION, good);
            match reason {
                Reason::NeverSynced => success = None,
                Reason::Due => success = Some(late),
                Reason::Failed => state = "failed",
                Reason::Cancelled => state = "cancelled",
                Reason::Interrupted => {
                    let run = sample.start_run(&id, Extent::Full, good).await;
                    let mut tx = sample.engine.store.begin().await.unwrap();
                    tx.execute("UPDATE runs SET lease_until = $2 WHERE id = $1", args![&run.id, sample.now_ms]).await.unwrap();
                    tx.commit().await.unwrap();
                }
                Reason::ScopeMissing => scope = Some(good),
                Reason::MappingChanged => rules -= 1,
                Reason::TieOutFailed => mark = "not_verified",
                Reason::DeletionCheckOverdue => facts = sample.now_ms - 4 * crate::sample::DAY,
            }
            let mut tx = sample.engine.store.begin().await.unwrap();
            tx.execute(
                "UPDATE companies SET last_success_at = $2, last_run_state = $3, mark = $4, scope_missing_at = $5, rules_version = $6, facts_read_at = $7
                 WHERE id = $1",
                args![&id, success, state, mark, scope, rules, facts],
            )
            .await
            .unwrap();
            tx.commit().await.unwrap();
            named.push((reason, format!("Company {at}"), id));
        }
        let page = sample.page("/integrations/data-feed").await;
        let question = sample.page("/integrations/data-feed/resync-all").await;
        for (reason, name, id) in &named {
            let found = row(&page, name);
            let words: Vec<&str> = Reason::ALL.iter().map(|reason| reason.label()).filter(|label| found.contains(&format!(">{label}<"))).collect();
            assert!(found.contains("Needs Resync") && words == [reason.label()], "{reason:?}: {words:?} in {found}");
            // the same beside it on its own page and in the head of its log
            for path in [format!("/companies/{id}"), format!("/integrations/logs/companies/{id}")] {
                let page = sample.page(&path).await;
                assert!(page.contains("Needs Resync") && page.contains(&format!(">{}<", reason.label())), "{reason:?}: {path}");
            }
            assert_eq!(ids(&sample.page(&format!("/integrations/data-feed?status={}", reason.key())).await), [id.0.as_str()], "{reason:?}");
            assert!(question.contains(name) && question.contains(reason.label()), "{reason:?}: {question}");
        }
        assert!(sample.post("/integrations/data-feed/resync-all", "").await.flash.contains("queued"));
    })
    .await;
}
