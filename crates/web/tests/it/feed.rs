//! The Data Feed through the site: words, counts, and what each click does.
use crate::sample::{HOST, MINUTE, Sample};
use axum::http::StatusCode;
use domain::company::Mark;
use domain::sync::RunState;
use testkit::each_database;

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
            ("Quayside Foods", vec!["Waiting", "Xero daily limit, resumes", "22:35"]),
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
        sample.post(&format!("/integrations/companies/{harbour}/unlink"), "").await;
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
