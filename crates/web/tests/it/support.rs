//! What helps somebody who helps: the health of the providers, and the support bundle of a run.
use crate::sample::{MINUTE, Sample};
use axum::http::StatusCode;
use domain::ids::RunId;
use domain::log::LogMessage;
use domain::problem::{Problem, ProblemKind};
use serde_json::Value;
use store::provider_calls::{self, Minute, Tally};
use testkit::each_database;

// proves D22
#[tokio::test]
async fn the_health_panel_says_how_each_provider_answers_and_whom_it_keeps_waiting() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let minute = sample.now_ms / MINUTE;
        let mut tx = sample.engine.store.begin().await.unwrap();
        for (provider, ago, tally) in [
            ("xero", 2, Tally { calls: 40, failed: 30, limited: 0, slowest_ms: 12_345, took: [4, 6, 0, 0, 0, 0, 0, 30] }),
            ("xero", 120, Tally { calls: 60, failed: 0, limited: 1, slowest_ms: 900, took: [0, 50, 9, 1, 0, 0, 0, 0] }),
            ("quickbooks", 5, Tally { calls: 200, failed: 0, limited: 0, slowest_ms: 480, took: [150, 45, 5, 0, 0, 0, 0, 0] }),
            ("quickbooks", 3_000, Tally { calls: 7_777, failed: 7_777, limited: 0, slowest_ms: 1, took: [7_777, 0, 0, 0, 0, 0, 0, 0] }),
        ] {
            let minute = Minute { provider: provider.to_owned(), minute: minute - ago, tally };
            provider_calls::add(&mut tx, &sample.organization_id, &minute).await.unwrap();
        }
        tx.commit().await.unwrap();
        let page = sample.page("/integrations/health").await;
        let of = |provider: &str| {
            let section = page.split(&format!("data-key=\"health-{provider}\"")).nth(1).unwrap_or_else(|| panic!("no panel of {provider}: {page}"));
            section.split("</section>").next().unwrap().to_owned()
        };
        let xero = of("xero");
        for word in [
            "Not answering",
            "Last hour",
            ">40<",
            "75.00 %",
            "longer than 10 s",
            "12 s",
            "Last 24 hours",
            ">100<",
            "30.00 %",
            "within 250 ms",
            "100 calls in the last 24 hours, 30 of them failed",
        ] {
            assert!(xero.contains(word), "{word}: {xero}");
        }
        assert!(xero.contains("1 company waits") && xero.contains("/integrations/data-feed?status=waiting&amp;provider=xero"), "{xero}");
        assert!(xero.contains("Last incident: <a href=\"/integrations/incidents/"), "{xero}");
        let quickbooks = of("quickbooks");
        for word in ["Answering", ">200<", "0 %", "within 100 ms", "within 250 ms", "480 ms"] {
            assert!(quickbooks.contains(word), "{word}: {quickbooks}");
        }
        assert!(!quickbooks.contains("7,777"), "older than a day");
        // a wait leads there
        let feed = sample.page("/integrations/data-feed?status=waiting").await;
        assert!(feed.contains("<a href=\"/integrations/health#xero\">"), "{feed}");
        assert_eq!(sample.get_as(&sample.member_token, "/integrations/health").await.status, StatusCode::FORBIDDEN);
    })
    .await;
}

// proves D19
#[tokio::test]
async fn the_support_bundle_of_a_run_is_shown_whole_and_holds_no_name() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let log = sample.page("/integrations/logs/all?status=error&company=Alder").await;
        let id = log.split("/integrations/logs/entries/").nth(1).unwrap().split(['"', '?']).next().unwrap().to_owned();
        let entry = sample.page(&format!("/integrations/logs/entries/{id}")).await;
        let path = entry.split("href=\"/integrations/runs/").nth(1).unwrap().split('"').next().unwrap();
        let path = format!("/integrations/runs/{path}");
        // the log names nobody; if it ever does, the bundle does not
        let run_id = RunId::new(path.split('/').nth(3).unwrap());
        let run = store::runs::find(&mut sample.engine.store.read().await.unwrap(), &run_id).await.unwrap().unwrap();
        let sentence = "Xero refused Alder Clinic of Birchwood Advisory: Ada Lindqvist, Max Member, owner@birchwood.example.";
        let planted = LogMessage::SyncFailed { problem: Problem::new(ProblemKind::ProviderDown, sentence) };
        sample.log(&run.company_id, Some(&run_id), &planted, sample.now_ms - MINUTE).await;
        let page = sample.page(&path).await;
        for mark in ["[account], ", "[company], ", "[organization], ", "[person], ", "[e-mail], "] {
            assert!(page.contains(mark), "{mark}: {page}");
        }
        let file = sample.get_as(&sample.owner_token, &format!("{path}?as=file")).await;
        assert_eq!(file.status, StatusCode::OK);
        for name in ["Alder", "Lindqvist", "Max Member", "Birchwood", "@"] {
            assert!(!file.body.contains(name), "{name}: {}", file.body);
        }
        let bundle: Value = serde_json::from_str(&file.body).expect("the file is JSON");
        assert_eq!(bundle["account"]["provider"], "xero");
        assert_eq!(bundle["run"]["state"], "failed");
        let failed = bundle["log"].as_array().unwrap().iter().find(|line| line["status"] == "error").expect("the error is told");
        assert_eq!(failed["body"]["provider_request_id"], "7f0c2a4e-11c9-4a55-9f0e-d2f1f6b0b6a1", "what the provider is asked by stays");
        assert_eq!((&failed["body"]["endpoint"], &failed["body"]["http_status"]), (&"GET Invoices page 3".into(), &503.into()));
        assert_eq!(bundle["incident"]["kind"], "provider_down");
        // what is shown is what is sent
        let shown = page.split("<pre class=\"bundle").nth(1).unwrap();
        for line in ["&#34;endpoint&#34;: &#34;GET Invoices page 3&#34;", "&#34;kind&#34;: &#34;provider_down&#34;"] {
            assert!(shown.contains(line), "{line}: {shown}");
        }
        // that it left stands in the audit log
        assert!(sample.page("/organization/audit").await.contains("Support bundle"));
        assert_eq!(sample.get_as(&sample.member_token, &path).await.status, StatusCode::FORBIDDEN);

        // an entry about an account has no run
        let log = sample.page("/integrations/logs/all?status=error").await;
        let mut of_an_account = None;
        for part in log.split("/integrations/logs/entries/").skip(1) {
            let id = part.split(['"', '?']).next().unwrap();
            let entry = sample.page(&format!("/integrations/logs/entries/{id}")).await;
            if entry.contains(&format!("/integrations/logs/entries/{id}/bundle")) {
                of_an_account = Some(id.to_owned());
            }
        }
        let id = of_an_account.expect("an account was refused");
        let file = sample.get_as(&sample.owner_token, &format!("/integrations/logs/entries/{id}/bundle?as=file")).await;
        let bundle: Value = serde_json::from_str(&file.body).expect("the file is JSON");
        assert_eq!((bundle["run"].is_null(), bundle["account"]["state"].as_str()), (true, Some("invalid")), "{bundle}");
    })
    .await;
}
