//! Incidents through the site: one line for each cause, one step for each class, and what the log leads to: runs, files, and how long it is kept.
use crate::sample::{DAY, MINUTE, Sample};
use axum::http::StatusCode;
use domain::ids::{CompanyId, ConnectionId};
use domain::log::LogMessage;
use domain::problem::{Problem, ProblemKind};
use domain::sync::{Counts, Extent};
use testkit::each_database;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");

fn failed(kind: ProblemKind) -> LogMessage {
    LogMessage::SyncFailed { problem: Problem::new(kind, "It did not work.") }
}

/// The one step of a page: where it leads, and whether it is a form.
fn step(page: &str) -> (String, bool) {
    let parts: Vec<&str> = page.split("data-step").collect();
    assert_eq!(parts.len(), 2, "a page has one step:\n{page}");
    let before = parts[0];
    let (form, link) = (before.rfind("<form method=\"post\" action=\"").unwrap_or(0), before.rfind("<a class=\"button").unwrap_or(0));
    let at = form.max(link);
    let address = before[at..].split(if form > link { "action=\"" } else { "href=\"" }).nth(1).unwrap().split('"').next().unwrap();
    (address.to_owned(), form > link)
}

async fn company(sample: &Sample) -> (ConnectionId, CompanyId) {
    let account = sample.connect("xero", "Ada").await;
    let company = sample.company(&account, "xero", "Northlight Studio", true).await;
    (account, company)
}

// proves D18
#[tokio::test]
async fn every_class_of_error_has_one_remedy_documented_and_one_button_on_every_page_that_shows_it() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        let (_, company) = company(&sample).await;
        let guide = sample.page("/integrations/logs/errors").await;
        let document = std::fs::read_to_string(GUIDE).unwrap();
        for kind in ProblemKind::ALL {
            let heading = format!("\n`{}`. ", kind.as_str());
            assert_eq!(document.matches(&heading).count(), 1, "{kind:?} has one section in docs/errors.md");
            let section = document.split(&heading).nth(1).unwrap().split("\n## ").next().unwrap();
            assert!(section.contains(kind.remedy().sentence()) && section.matches("**What to do:").count() == 1, "{kind:?}: {section}");
            let remedy = kind.remedy().sentence().replace('\'', "&#39;");
            assert!(guide.contains(&format!("id=\"{}\"", kind.as_str())) && guide.contains(&remedy), "{kind:?}");

            let entry_id = sample.log(&company, None, &failed(kind), sample.now_ms).await;
            let entry = sample.page(&format!("/integrations/logs/entries/{entry_id}")).await;
            assert!(entry.contains(&remedy), "{kind:?}");
            let incident = entry.split("href=\"/integrations/incidents/").nth(1).unwrap().split('"').next().unwrap();
            let incident = sample.page(&format!("/integrations/incidents/{incident}")).await;
            let overview = sample.page("/integrations").await;
            let line = overview.split("<div class=\"notice notice-bad incident\"").nth(1).unwrap().split("<div class=\"providers\"").next().unwrap();
            for page in [entry.as_str(), incident.as_str(), line] {
                let (address, is_post) = step(page);
                let path = address.split('#').next().unwrap();
                // it performs the remedy or opens where that is done: no button leads nowhere
                let answer = if is_post { sample.post(path, "").await } else { sample.get_as(&sample.owner_token, path).await };
                let expected = if is_post { StatusCode::SEE_OTHER } else { StatusCode::OK };
                assert_eq!(answer.status, expected, "{kind:?}: {address}");
                if let Some((_, anchor)) = address.split_once('#') {
                    assert!(["quarantine", "verification", "companies"].contains(&anchor), "{anchor}");
                }
            }
            let mut tx = sample.engine.store.begin().await.unwrap();
            store::incidents::settle_company(&mut tx, &company, domain::log::Settled::GoodRun, sample.now_ms).await.unwrap();
            tx.commit().await.unwrap();
            let over = sample.page(&format!("/integrations/logs/entries/{entry_id}")).await;
            assert!(over.contains("It ended with the next good sync") && !over.contains("data-step"), "{kind:?}: what is over asks for nothing");
        }
    })
    .await;
}

/// Written anew by `WRITE_FEATURES=1 cargo test -p web --test it the_guide`.
#[test]
fn the_guide_is_written_in_the_words_of_the_program() {
    let words = web::pages::error_guide::document();
    if std::env::var_os("WRITE_FEATURES").is_some() {
        std::fs::write(GUIDE, &words).unwrap();
    }
    assert_eq!(std::fs::read_to_string(GUIDE).unwrap(), words, "docs/errors.md and domain::problem differ");
}

// proves D17 in part
#[tokio::test]
async fn twenty_companies_with_one_cause_are_one_line_one_count_and_one_step() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        let account = sample.connect("xero", "Ada").await;
        let mut companies = Vec::new();
        for at in 0..20 {
            companies.push(sample.company(&account, "xero", &format!("Company {at:02}"), true).await);
        }
        let mut last_entry = 0;
        for company in &companies {
            last_entry = sample.log(company, None, &failed(ProblemKind::ProviderDown), sample.now_ms).await;
        }
        let overview = sample.page("/integrations").await;
        assert_eq!(overview.matches("<div class=\"notice notice-bad incident\"").count(), 1);
        for word in ["Xero does not answer", "20 companies stopped", "Resync 20 companies"] {
            assert!(overview.contains(word), "{word}");
        }
        // the badge counts causes
        assert!(overview.contains("title=\"Open incidents\">1</span>"));
        let cards = sample.page("/integrations/logs").await;
        assert_eq!(cards.matches("Open incident</span>").count(), 20);
        let entry = sample.page(&format!("/integrations/logs/entries/{last_entry}")).await;
        assert!(entry.contains("Same cause elsewhere") && entry.contains("19 other companies") && entry.contains("Not within the log that is kept"));
        // one action for all of them
        let path = overview.split("<a class=\"plain\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let page = sample.page(&path).await;
        assert_eq!(page.matches("data-key=\"company-").count(), 20);
        let (address, is_post) = step(&page);
        assert!(is_post);
        let answer = sample.post(&address, "").await;
        assert!(answer.status == StatusCode::SEE_OTHER && answer.flash.contains("20 queued"), "{answer:?}");
        let active = store::runs::list_active(&mut sample.engine.store.read().await.unwrap(), &sample.organization_id).await.unwrap();
        assert_eq!(active.len(), 20);
        // each good run takes one company off; the last one closes it
        for (at, company) in companies.iter().enumerate() {
            let page = sample.page(&path).await;
            assert_eq!(page.matches("<span>Stopped</span>").count(), 20 - at);
            let mut tx = sample.engine.store.begin().await.unwrap();
            store::incidents::settle_run(&mut tx, company, &domain::ids::RunId::new("later"), sample.now_ms + MINUTE).await.unwrap();
            tx.commit().await.unwrap();
        }
        let page = sample.page(&path).await;
        assert!(page.contains("<span>Closed</span>") && page.contains("With the next good sync"));
        assert!(!sample.page("/integrations").await.contains("notice-bad"));
        let list = sample.page("/integrations/incidents").await;
        assert!(list.contains("Nothing is wrong") && list.contains("20 companies") && list.contains("the next good sync"));
        // the same cause again: it was seen before
        let entry_id = sample.log(&companies[3], None, &failed(ProblemKind::ProviderDown), sample.now_ms + DAY).await;
        let entry = sample.page(&format!("/integrations/logs/entries/{entry_id}")).await;
        assert!(entry.contains("Seen before") && entry.contains("1 time: first") && entry.contains("when it ended with the next good sync"));
        // somebody else's does not exist
        assert_eq!(sample.get_as(&sample.owner_token, "/integrations/incidents/unknown").await.status, StatusCode::NOT_FOUND);
        assert_eq!(sample.get_as(&sample.member_token, &path).await.status, StatusCode::FORBIDDEN);
    })
    .await;
}

// proves D6
#[tokio::test]
async fn the_body_of_an_error_has_its_fixed_shape() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let list = sample.page("/integrations/logs/all?status=error&software=xero").await;
        let address = list.split("/integrations/logs/entries/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let entry = sample.page(&format!("/integrations/logs/entries/{address}")).await;
        for (what, shown) in [
            ("cause class", "provider outage"),
            ("plain sentence", "Xero did not answer."),
            ("provider request id", "<dt>Xero-Correlation-Id</dt>"),
            ("its value, to copy", "data-copy=\"7f0c2a4e-11c9-4a55-9f0e-d2f1f6b0b6a1\""),
            ("endpoint", "GET Invoices page 3"),
            ("HTTP status", "<dt>HTTP status</dt><dd class=\"num\">503</dd>"),
            ("attempt n of m", "<dt>Attempt</dt><dd class=\"num\">1 of 5</dd>"),
            ("next attempt", "<dt>Next attempt</dt><dd><time"),
            ("next step", "data-step"),
        ] {
            assert!(entry.contains(shown), "{what}: `{shown}` is not in\n{entry}");
        }
        // the way back is the view it was opened from, and so are its neighbours
        assert!(entry.contains("href=\"/integrations/logs/all?software=xero&#38;status=error\""), "{entry}");
        // record types and ids
        let list = sample.page("/integrations/logs/all?message=tie+out&status=error").await;
        let address = list.split("/integrations/logs/entries/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let entry = sample.page(&format!("/integrations/logs/entries/{address}")).await;
        assert!(entry.contains("<li class=\"mono\"><bdi>account 33 in 2026-03</bdi></li>"));
        // a wait says when it goes on, and that it costs no attempt
        let list = sample.page("/integrations/logs/all?message=daily+limit").await;
        let address = list.split("/integrations/logs/entries/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let entry = sample.page(&format!("/integrations/logs/entries/{address}")).await;
        assert!(entry.contains("1, waiting uses none up") && entry.contains("<dt>Next attempt</dt>") && entry.contains("Show progress"));
    })
    .await;
}

// proves D9
#[tokio::test]
async fn filters_live_in_the_address_and_a_link_reproduces_the_view() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let address = "/integrations/logs/all?software=xero&company=a&type=milestone&status=success&date=2026-11-20&to=2026-11-22&size=25";
        let page = sample.page(address).await;
        let rows = |page: &str| page.split("<tbody>").nth(1).map(|rest| rest.split("</tbody>").next().unwrap().to_owned());
        assert!(rows(&page).is_some_and(|rows| rows.contains("Alder Clinic")));
        assert_eq!(rows(&page), rows(&sample.page(address).await));
        for shown in [
            "value=\"xero\" selected",
            "value=\"milestone\" selected",
            "value=\"success\" selected",
            "name=\"company\" value=\"a\"",
            "value=\"2026-11-20\"",
            "value=\"2026-11-22\"",
        ] {
            assert!(page.contains(shown), "{shown}");
        }
        assert_eq!(page.matches("title=\"Remove this filter\"").count(), 6);
        // both days are in it
        let all = sample.page("/integrations/logs/all?date=2026-11-01&to=2026-11-30&company=wren").await;
        assert!(all.contains("Wren Holdings") && !page.contains("Wren Holdings"));
        let wrong = sample.page("/integrations/logs/all?date=2026-11-22&to=2026-11-20").await;
        assert!(wrong.contains("Put the earlier day first.") && wrong.contains("aria-invalid"));
        // counts for each value, beside the other filters
        let counted = sample.page("/integrations/logs/all?status=error&counts=1").await;
        let count = |label: &str| -> String {
            let part = counted.split(&format!("{label} <b>")).nth(1).unwrap_or_else(|| panic!("{label} is not counted:\n{counted}"));
            part.split('<').next().unwrap().to_owned()
        };
        let errors: i64 = count("Error").parse().unwrap();
        assert_eq!(errors, count("QuickBooks").parse::<i64>().unwrap() + count("Xero").parse::<i64>().unwrap());
        assert!(errors >= 4 && count("Success").parse::<i64>().unwrap() > errors);
        // since the last good run: one address on the page of a company, and nothing that came before
        let alder = page.split("/integrations/logs/entries/").nth(1).unwrap().split(['"', '?']).next().unwrap();
        let entry = sample.page(&format!("/integrations/logs/entries/{alder}")).await;
        let log = entry.split("<a class=\"back\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let since = sample.page(&format!("{log}?since=good_run")).await;
        assert!(since.contains("Since: the last good run") && since.contains("Sync failed") && !since.contains("Sync finished"), "{since}");
    })
    .await;
}

// proves D8
#[tokio::test]
async fn the_runs_say_what_each_did_what_it_cost_who_asked_for_it_and_tell_its_story() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let list = sample.page("/integrations/logs/all/runs?size=100").await;
        let head: Vec<&str> = list
            .split("<thead>")
            .nth(1)
            .unwrap()
            .split("</thead>")
            .next()
            .unwrap()
            .split("<th")
            .skip(1)
            .map(|cell| cell.split('>').nth(1).unwrap().split('<').next().unwrap())
            .collect();
        assert_eq!(
            head,
            ["Started", "Company", "Trigger", "Kind", "Added", "Updated", "Deleted", "Quarantined", "Calls", "Data", "Duration", "Result"]
        );
        let north = list.split("<tbody id=\"run-").skip(1).find(|row| row.contains("Northlight Studio")).unwrap();
        for shown in [
            "First import",
            "everything",
            "<td data-label=\"Added\" class=\"num\">1,204</td>",
            "<td data-label=\"Updated\" class=\"num\">88</td>",
            "<td data-label=\"Deleted\" class=\"num\">3</td>",
            "<td data-label=\"Quarantined\" class=\"num\">0</td>",
            "<td data-label=\"Calls\" class=\"num\">42</td>",
            "1.8 MB",
            "1 min 14 s",
            "Succeeded",
            "<th class=\"num\">Unchanged</th>",
            "<td>Invoices</td>",
        ] {
            assert!(north.contains(shown), "{shown}:\n{north}");
        }
        let story: Vec<usize> = [
            "Sync started",
            "Company information",
            "Chart of accounts",
            "Contacts",
            "Transactions synced",
            "Ledger",
            "Reports",
            "Normalization complete",
            "Verified",
            "Sync finished",
        ]
        .iter()
        .map(|message| north.find(message).unwrap_or_else(|| panic!("{message}")))
        .collect();
        assert!(story.is_sorted(), "{story:?}");
        // who asked: a person by name
        assert!(list.contains("<bdi>Ada Lindqvist</bdi>"));
        let failed = sample.page("/integrations/logs/all/runs?result=failed").await;
        assert_eq!(failed.matches("<tbody id=\"run-").count(), 2);
        assert!(failed.contains("Xero did not answer."));
        // pages by keyset
        let first = sample.page("/integrations/logs/all/runs?size=25").await;
        assert_eq!(first.matches("<tbody id=\"run-").count(), list.matches("<tbody id=\"run-").count().min(25));
        // the script asks for the rows that are looked at, and for how many have begun since
        let live = first.split("id=\"runs\" data-live=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
        let pinned = sample.page(&live).await;
        assert_eq!(pinned.matches("<tbody id=\"run-").count(), first.matches("<tbody id=\"run-").count());
        assert!(!pinned.contains(" new</b>"), "{pinned}");
        let earlier = failed.split("<tbody id=\"run-").nth(1).unwrap().split('"').next().unwrap();
        let pinned = sample.page(&format!("/integrations/logs/all/runs?from={earlier}")).await;
        assert_eq!(pinned.split("<tbody id=\"run-").nth(1).unwrap().split('"').next().unwrap(), earlier);
        let before = list.split(&format!("<tbody id=\"run-{earlier}\"")).next().unwrap().matches("<tbody id=\"run-").count();
        assert!(before > 0 && pinned.contains(&format!("<b>{before} new</b>")), "{before}: {pinned}");
        // an entry leads to its run, a run to its log and to the run view of its company
        let log = north.split("<a href=\"/integrations/logs/companies/").find(|part| part.contains("?run=")).unwrap().split('"').next().unwrap();
        assert!(sample.page(&format!("/integrations/logs/companies/{log}")).await.contains("10 entries"));
        let company = log.split('?').next().unwrap();
        let runs = sample.page(&format!("/integrations/logs/companies/{company}/runs")).await;
        assert_eq!(runs.matches("<tbody id=\"run-").count(), 1);
        assert!(runs.contains("aria-current=\"true\">Runs</a>"));
    })
    .await;
}

// proves D1
#[tokio::test]
async fn a_card_has_fourteen_days_and_marks_an_open_incident() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let page = sample.page("/integrations/logs").await;
        let card =
            |name: &str| page.split("data-key=\"card-").skip(1).find(|card| card.contains(name)).unwrap().split("</a>").next().unwrap().to_owned();
        let alder = card("Alder Clinic");
        assert_eq!(alder.matches("class=\"strip-day").count(), 14);
        assert!(alder.contains("Runs of the last 14 days: 1 good, 1 failed") && alder.contains("Open incident"), "{alder}");
        let north = card("Northlight Studio");
        assert!(north.contains("Runs of the last 14 days: 1 good\"") && !north.contains("Open incident"));
        assert!(card("Quayside Foods").contains("1 waited"));
    })
    .await;
}

// proves D10
#[tokio::test]
async fn the_log_is_exported_as_csv_and_as_json_lines_and_kept_as_long_as_the_organization_says() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let company = {
            let mut conn = sample.engine.store.read().await.unwrap();
            store::companies::list(&mut conn, &sample.organization_id).await.unwrap().into_iter().find(|company| company.name == "Tern Logistics").unwrap().id
        };
        // more than the pages an export is read in
        for at in 0..1_200 {
            sample.log(&company, None, &LogMessage::TokenRefreshed, sample.now_ms + at * 10).await;
        }
        let all = sample.page("/integrations/logs/all/export?format=csv").await;
        let lines: Vec<&str> = all.lines().collect();
        assert_eq!(lines[0], "Date,Accounting Software,Company,External Account,Log Type,Message,Status,Run,Entry,Cause,What to do,Endpoint,HTTP status,Provider request id");
        let mut conn = sample.engine.store.read().await.unwrap();
        let filter = store::log_entries::Filter::default();
        let count = store::log_entries::count(&mut conn, &sample.organization_id, &filter, 100_000).await.unwrap();
        assert_eq!(lines.len() as i64, count + 1);
        let failed = lines.iter().find(|line| line.contains("Alder Clinic") && line.contains("Sync failed")).unwrap();
        for cell in ["Xero,Alder Clinic,", "Milestone,Sync failed: Xero did not answer.,Error,", "provider outage", "GET Invoices page 3,503,7f0c2a4e"] {
            assert!(failed.contains(cell), "{cell}: {failed}");
        }
        let few = sample.page("/integrations/logs/all/export?format=jsonl&status=error&software=xero").await;
        let parsed: Vec<serde_json::Value> = few.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(parsed.len(), 1);
        assert_eq!((parsed[0]["status"].as_str(), parsed[0]["body"]["http_status"].as_i64()), (Some("error"), Some(503)));
        let of_company = sample.page(&format!("/integrations/logs/companies/{company}/export?format=csv&message=renewed")).await;
        assert_eq!(of_company.lines().count(), 1_201);
        assert_eq!(sample.get_as(&sample.owner_token, "/integrations/logs/all/export?format=xlsx").await.status, StatusCode::BAD_REQUEST);
        assert_eq!(sample.get_as(&sample.member_token, "/integrations/logs/all/export?format=csv").await.status, StatusCode::FORBIDDEN);

        // kept for 400 days, said in the footer; a wrong number is said beside the field, a shorter time asks first
        assert!(sample.page("/integrations/logs/all").await.contains(">400 days</a>"));
        let path = "/integrations/logs/settings";
        let wrong = sample.post(path, "days=ten").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.body.contains("Enter a whole number of days from 30 to 3,650.") && wrong.body.contains("value=\"ten\"") && wrong.body.contains("aria-invalid"));
        sample.finished_run(&company, Extent::Changes, sample.now_ms - 90 * DAY, Counts::default(), None).await;
        let asked = sample.post(path, "days=60").await;
        assert!(asked.status == StatusCode::OK && asked.body.contains("This removes 10 log entries"), "{}", asked.body);
        assert!(sample.page(path).await.contains("value=\"400\""), "nothing is set yet");
        let saved = sample.post(path, "days=60&confirmed=60").await;
        assert_eq!((saved.status, saved.flash.contains("kept for 60 days")), (StatusCode::SEE_OTHER, true));
        assert!(sample.page("/integrations/logs/all").await.contains(">60 days</a>"));
        let stop = Default::default();
        assert_eq!(engine::retention::prune(&sample.engine, &stop).await.unwrap(), 10);
        assert_eq!(engine::retention::prune(&sample.engine, &stop).await.unwrap(), 0);
        let left = store::log_entries::count(&mut conn, &sample.organization_id, &filter, 100_000).await.unwrap();
        assert_eq!(left, count);
    })
    .await;
}
