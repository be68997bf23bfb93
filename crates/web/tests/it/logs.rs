//! The integration log through the site: cards, table, filters, pages, and the body of an error.
use crate::sample::{DAY, MINUTE, Sample};
use axum::http::StatusCode;
use domain::log::LogMessage;
use domain::sync::Extent;
use testkit::each_database;

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split(before).nth(1).unwrap_or_else(|| panic!("no {before} in {text}")).split(after).next().unwrap()
}

/// The ids of the entries of a page, in order.
fn entries(page: &str) -> Vec<String> {
    let Some(body) = page.split("<tbody>").nth(1) else { return Vec::new() };
    let body = body.split("</tbody>").next().unwrap();
    body.split("/integrations/logs/entries/").skip(1).map(|part| part.split(['"', '?']).next().unwrap().to_owned()).collect()
}

/// The number above the table.
fn total(page: &str) -> String {
    between(page, "<span class=\"num strong\">", " entr").to_owned()
}

fn link(page: &str, rel: &str) -> Option<String> {
    let part = page.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
    Some(part.split('"').next()?.replace("&#38;", "&").replace("&amp;", "&"))
}

/// Every entry of a view, page by page.
async fn read_all(sample: &Sample, first: &str) -> Vec<String> {
    let (mut seen, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(path) = next {
        let page = sample.page(&path).await;
        seen.extend(entries(&page));
        next = link(&page, "next");
    }
    seen
}

// proves D1
#[tokio::test]
async fn the_numbers_of_a_card_are_the_numbers_of_its_table() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let page = sample.page("/integrations/logs").await;
        assert!(page.contains("<h1>Integration Logs</h1>") && page.contains("All companies log") && page.contains("Past companies"));
        let cards: Vec<&str> = page.split("data-key=\"card-").skip(1).collect();
        assert_eq!(cards.len(), 8);
        let mut sum = 0;
        for card in cards {
            let id = card.split('"').next().unwrap();
            let number = |label: &str| -> usize {
                let before = card.split(&format!("</b><span>{label}</span>")).next().unwrap();
                before.rsplit("<b>").next().unwrap().parse().unwrap()
            };
            let of = async |filter: &str| read_all(&sample, &format!("/integrations/logs/companies/{id}?size=25{filter}")).await.len();
            assert_eq!(number("Total logs"), of("").await, "{id}");
            assert_eq!(number("Errors"), of("&status=error").await, "{id}");
            assert_eq!(number("Milestones"), of("&type=milestone").await, "{id}");
            assert!(card.contains("Last activity") && card.contains("<time datetime="));
            sum += number("Total logs");
        }
        // one entry is about an account, of no company
        assert_eq!(total(&sample.page("/integrations/logs/all").await), (sum + 1).to_string());
        // search, provider and errors narrow the cards
        let found = async |query: &str| sample.page(&format!("/integrations/logs?{query}")).await.matches("data-key=\"card-").count();
        assert_eq!([found("q=tern").await, found("provider=xero").await, found("errors=1").await, found("q=nobody").await], [1, 3, 3, 0]);
    })
    .await;
}

// proves D2
#[tokio::test]
async fn the_table_has_the_seven_columns_in_their_order() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        for path in ["/integrations/logs/all".to_owned(), format!("/integrations/logs/companies/{}", company(&sample, "Alder Clinic").await)] {
            let page = sample.page(&path).await;
            let head = between(&page, "<thead>", "</thead>");
            let columns: Vec<&str> = head.split("<th>").skip(1).map(|cell| cell.split('<').next().unwrap()).collect();
            assert_eq!(columns, ["Date", "Accounting Software", "Company", "External Account", "Log Type", "Message", "Status"]);
            assert!(page.contains("All Companies</a>"));
            for filter in ["software", "company", "account", "type", "message", "status", "date"] {
                assert!(page.contains(&format!("name=\"{filter}\"")), "{filter}");
            }
        }
        let page = sample.page("/integrations/logs/all?status=error").await;
        let failed = page.split("<tr").find(|row| row.contains("Sync failed: Xero did not answer.")).expect("the row of the failure");
        for word in ["Xero", "Alder Clinic", "Ada Lindqvist", "Milestone", "indicator-bad", "Error"] {
            assert!(failed.contains(word), "{word}: {failed}");
        }
        assert!(!page.contains("indicator-good"));
    })
    .await;
}

async fn company(sample: &Sample, name: &str) -> String {
    let mut conn = sample.engine.store.read().await.unwrap();
    let companies = store::companies::list(&mut conn, &sample.organization_id).await.unwrap();
    companies.into_iter().find(|company| company.name == name).unwrap().id.0
}

// proves D3
#[tokio::test]
async fn filters_combine_and_the_count_is_the_number_of_rows() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let all = read_all(&sample, "/integrations/logs/all?size=25").await.len();
        let filters = ["software=xero", "company=a", "account=lind", "type=milestone", "message=SYNC", "status=success", "date=2026-11-22"];
        for chosen in 1..128_u32 {
            let query: Vec<&str> = filters.iter().enumerate().filter(|(at, _)| chosen & (1 << at) != 0).map(|(_, filter)| *filter).collect();
            let path = format!("/integrations/logs/all?size=100&{}", query.join("&"));
            let (page, found) = (sample.page(&path).await, read_all(&sample, &path).await.len());
            assert_eq!(total(&page), found.to_string(), "{query:?}");
            assert!(found < all, "{query:?} filters nothing");
            assert_eq!(page.matches("title=\"Remove this filter\"").count(), query.len(), "{query:?}");
        }
        // the same link shows the same view; what is typed is text, not a pattern
        let page = sample.page("/integrations/logs/all?message=%25&account=%3Cb%3E").await;
        assert_eq!(total(&page), "0");
        assert!(page.contains("&#60;b&#62;") && !page.contains("<b>&"), "what was typed comes back escaped");
        let wrong = sample.page("/integrations/logs/all?date=31.1.2026").await;
        assert!(wrong.contains("31.1.2026\u{201d} is not a day. Write it as 2026-01-31."));
        assert!(wrong.contains("No entry is shown"));
        assert!(!wrong.contains("num strong") && !wrong.contains("Count each value"), "what cannot be looked for is not counted");
    })
    .await;
}

// proves D4
#[tokio::test]
async fn pages_stand_still_while_entries_arrive() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let tern = domain::ids::CompanyId::new(company(&sample, "Tern Logistics").await);
        for at in 0..80 {
            sample.log(&tern, None, &LogMessage::WindowSplit { from: "a".into(), to: "b".into() }, sample.now_ms + at * MINUTE).await;
        }
        let path = "/integrations/logs/all?size=25";
        let expected = read_all(&sample, path).await;
        let (mut seen, mut next, mut arrived) = (Vec::new(), Some(path.to_owned()), 0_i64);
        let mut previous = Vec::new();
        while let Some(path) = next {
            let page = sample.page(&path).await;
            assert!(entries(&page).len() <= 25);
            if arrived > 0 {
                assert!(page.contains(&format!("<b>{arrived} new</b>")), "{arrived} arrived");
                // one page back is the page before, unmoved
                let back = sample.page(&link(&page, "prev").expect("a way back")).await;
                assert_eq!(entries(&back), previous);
            }
            previous = entries(&page);
            seen.extend(entries(&page));
            next = link(&page, "next");
            sample.log(&tern, None, &LogMessage::TokenRefreshed, sample.now_ms + DAY + arrived).await;
            arrived += 1;
        }
        assert_eq!(seen, expected);
        // the fragment a live page asks for: the same entries, and how many are new
        let live = sample.page(&format!("{path}&seen={}", seen[0])).await;
        assert!(live.contains(&format!("<b>{arrived} new</b>")));
    })
    .await;
}

// proves D5
#[tokio::test]
async fn an_error_shows_what_happened_why_and_what_to_do() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let page = sample.page("/integrations/logs/all?status=error").await;
        for id in entries(&page) {
            let entry = sample.page(&format!("/integrations/logs/entries/{id}")).await;
            for word in ["What happened", "Why", "What to do", "Log body"] {
                assert!(entry.contains(word), "{word}");
            }
            let is_of_an_account = entry.contains("<dt>Company</dt><dd><span class=\"muted\">none</span>");
            assert_eq!(entry.contains("This run"), !is_of_an_account);
        }
        let alder = company(&sample, "Alder Clinic").await;
        let id = entries(&sample.page(&format!("/integrations/logs/companies/{alder}?status=error")).await).remove(0);
        let entry = sample.page(&format!("/integrations/logs/entries/{id}")).await;
        for word in [
            "provider outage",
            "GET Invoices page 3",
            "503",
            "Xero-Correlation-Id",
            "7f0c2a4e-11c9-4a55-9f0e-d2f1f6b0b6a1",
            "&#34;http_status&#34;: 503",
        ] {
            assert!(entry.contains(word), "{word}");
        }
        assert!(entry.contains(&format!("action=\"/companies/{alder}/resync\"")), "the step is one button");
        let mill = company(&sample, "Old Mill Joinery").await;
        let id = entries(&sample.page(&format!("/integrations/logs/companies/{mill}?status=error")).await).remove(0);
        assert!(sample.page(&format!("/integrations/logs/entries/{id}")).await.contains("/reconnect\""));
    })
    .await;
}

#[tokio::test]
async fn an_entry_leads_to_its_run_and_a_run_tells_its_story_in_order() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let north = company(&sample, "Northlight Studio").await;
        let first = entries(&sample.page(&format!("/integrations/logs/companies/{north}")).await).remove(0);
        let entry = sample.page(&format!("/integrations/logs/entries/{first}")).await;
        let path = between(&entry, "<a class=\"mono\" href=\"", "\"").to_owned();
        let run = sample.page(&path).await;
        assert_eq!(total(&run), "10");
        for word in ["Succeeded", "1,204 added, 88 updated, 3 deleted", "everything", "First import", "1 min 14 s", "1.8 MB"] {
            assert!(run.contains(word), "{word}");
        }
        let story: Vec<usize> = [
            "Sync started",
            "Company information imported",
            "Chart of accounts imported",
            "Contacts imported",
            "Transactions synced",
            "Sync finished",
        ]
        .iter()
        .map(|message| between(&entry, "timeline story", "</aside>").find(message).unwrap_or_else(|| panic!("{message}")))
        .collect();
        assert!(story.is_sorted(), "{story:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_ones_own_answer_alike() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        for path in ["/integrations/logs/entries/1", "/integrations/logs/entries/x", "/integrations/logs/companies/unknown", "/companies/unknown"] {
            assert_eq!(sample.get_as(&sample.owner_token, path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for path in ["/integrations/logs", "/integrations/logs/all", "/integrations/data-feed"] {
            assert_eq!(sample.get_as(&sample.member_token, path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_empty_log_says_where_to_begin() {
    each_database(|url| async move {
        let sample = Sample::empty(&url).await;
        assert!(sample.page("/integrations/logs").await.contains("No activity yet"));
        assert!(sample.page("/integrations/logs/all").await.contains("No activity yet"));
        let account = sample.connect("xero", "Ada").await;
        let linked = sample.company(&account, "xero", "Northlight Studio", true).await;
        let page = sample.page("/integrations/logs").await;
        assert!(page.contains("none yet") && page.contains(&format!("/integrations/logs/companies/{linked}")));
        sample.log(&linked, None, &LogMessage::SyncStarted { extent: Extent::Full }, sample.now_ms).await;
        assert_eq!(total(&sample.page(&format!("/integrations/logs/companies/{linked}")).await), "1");
    })
    .await;
}

// proves D6 in part
#[tokio::test]
async fn a_request_id_that_is_pasted_into_the_message_leads_to_the_entries_whose_details_name_it() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let request = "7f0c2a4e-11c9-4a55-9f0e-d2f1f6b0b6a1";
        let page = sample.page(&format!("/integrations/logs/all?message={request}")).await;
        assert!(entries(&page).is_empty() && page.contains("1 entry names this in its details"), "{page}");
        let view = format!("/integrations/logs/all?reference={request}");
        assert!(page.contains(&format!("<a href=\"{view}\">1 entry names this")), "{page}");
        let page = sample.page(&view).await;
        assert_eq!((entries(&page).len(), total(&page)), (1, "1".to_owned()));
        assert!(page.contains(&format!("Reference: {request}")) && page.contains(&format!("name=\"reference\" value=\"{request}\"")));
        // it combines with the other filters, and a file holds what the page shows
        assert!(entries(&sample.page(&format!("{view}&status=success")).await).is_empty());
        assert_eq!(entries(&sample.page(&format!("{view}&status=error")).await).len(), 1);
        let file = sample.page(&format!("/integrations/logs/all/export?format=jsonl&reference={request}")).await;
        assert_eq!(file.lines().count(), 1, "{file}");
        assert!(!sample.page("/integrations/logs/all?message=nothing-like-it-7").await.contains("in its details"));
    })
    .await;
}
