//! The control API over HTTP.
use jiff::Timestamp;
use jiff::civil::date;
use serde_json::{Value, json};
use simulator::books::generator::{CompanySpec, generate};
use simulator::books::{Basis, Face};
use simulator::sandbox::Sandbox;
use simulator::server::{Options, demo_companies, serve};

fn now() -> Timestamp {
    "2025-06-15T12:00:00Z".parse().expect("a timestamp")
}

/// A running sandbox and a client for its control API.
struct Running {
    sandbox: Sandbox,
    base: String,
    client: reqwest::Client,
    quickbooks: String,
    xero: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    served: Option<tokio::task::JoinHandle<std::io::Result<()>>>,
}

async fn start() -> Running {
    rustls::crypto::ring::default_provider().install_default().ok();
    let companies: Vec<_> = [Face::QuickBooks, Face::Xero]
        .into_iter()
        .map(|face| generate(face, CompanySpec::plain(face, 41, date(2024, 10, 1), date(2025, 5, 31)), now()))
        .collect();
    let (quickbooks, xero) = (companies[0].id.clone(), companies[1].id.clone());
    let sandbox = Options { start_at: Some(now()), ..Options::default() }.sandbox(companies);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve(sandbox.clone(), listener, async {
        stopped.await.ok();
    }));
    Running { sandbox, base, client: reqwest::Client::new(), quickbooks, xero, stop: Some(stop), served: Some(served) }
}

impl Running {
    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(format!("{}/_control{path}", self.base)).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }
    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.post_text(path, body.to_string()).await
    }
    async fn post_text(&self, path: &str, body: String) -> (u16, Value) {
        let answer = self.client.post(format!("{}/_control{path}", self.base)).body(body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }
    async fn ok(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }
    /// Balance of an account in the trial balance, `0.00` when it is not listed.
    async fn balance(&self, company: &str, code: &str) -> String {
        let (status, answer) = self.get(&format!("/companies/{company}/trial_balance?as_of=2025-12-31")).await;
        assert_eq!(status, 200, "{answer}");
        let rows = answer["accounts"].as_array().expect("a list").clone();
        rows.iter().find(|row| row["code"] == code).map_or("0.00".into(), |row| row["balance"].as_str().expect("text").into())
    }
}

fn cents(text: &str) -> i64 {
    simulator::money::Cents::parse(text).expect("an amount").0
}

#[tokio::test]
async fn companies_are_listed_with_their_counts_and_the_trial_balance_sums_to_zero() {
    let running = start().await;
    let (_, answer) = running.get("/companies").await;
    let companies = answer["companies"].as_array().expect("a list");
    assert_eq!(companies.len(), 2);
    for company in companies {
        let id = company["id"].as_str().expect("an id");
        assert_eq!(company["first_date"], "2024-10-01");
        assert!(company["counts"]["invoice"].as_u64().expect("a count") > 20, "{company}");
        let (_, trial) = running.get(&format!("/companies/{id}/trial_balance?as_of=2025-03-31")).await;
        let sum: i64 = trial["accounts"].as_array().expect("a list").iter().map(|r| cents(r["balance"].as_str().expect("text"))).sum();
        assert_eq!(sum, 0);
        let shown = trial["accounts"][0]["id"].as_str().expect("an id");
        assert_eq!(shown.len() == 36, company["face"] == "xero", "accounts are named as the face shows them: {shown}");
    }
    let (status, health) = running.get("/health").await;
    assert_eq!((status, health["status"].as_str()), (200, Some("ok")));
}

#[tokio::test]
async fn an_invoice_is_made_paid_edited_and_taken_back_and_the_balances_follow() {
    let running = start().await;
    let company = running.xero.clone();
    let at = |path: &str| format!("/companies/{company}/{path}");
    running.ok(&at("contacts"), json!({"name": "Test Customer", "customer": true})).await;
    let before = (running.balance(&company, "610").await, running.balance(&company, "200").await);
    let made = running
        .ok(
            &at("documents"),
            json!({"kind": "invoice", "date": "2025-06-01", "contact": "Test Customer",
                   "lines": [{"account": "200", "amount": "100.10"}, {"account": "Services", "amount": 50.25, "tax": "OUTPUT2"}]}),
        )
        .await;
    assert_eq!((made["total"].as_str(), made["net_total"].as_str()), (Some("157.89"), Some("150.35")), "{made}");
    let id = made["shown_id"].as_str().expect("a guid").to_owned();
    let grown = |was: &str, is: &str| cents(is) - cents(was);
    assert_eq!(grown(&before.0, &running.balance(&company, "610").await), 15_789);
    assert_eq!(grown(&before.1, &running.balance(&company, "200").await), -10_010);
    let paid = running.ok(&at("documents"), json!({"kind": "payment", "account": "090", "applies_to": [{"document": id}], "amount": "57.89"})).await;
    assert_eq!((paid["total"].as_str(), paid["date"].as_str()), (Some("57.89"), Some("2025-06-16")), "today in Auckland: {paid}");
    assert_eq!(running.get(&at(&format!("documents/{id}"))).await.1["amount_due"], "100.00");
    let (status, refused) = running.post(&at(&format!("documents/{id}/void")), json!({})).await;
    assert_eq!(status, 400);
    assert!(refused["error"].as_str().expect("text").contains("payments"), "{refused}");
    let payment = paid["id"].as_u64().expect("a number");
    assert_eq!(running.ok(&at(&format!("documents/{payment}/delete")), json!({})).await["status"], "deleted");
    let edited = running.ok(&at(&format!("documents/{id}/edit")), json!({"amount": "10", "date": "2025-05-31", "memo": "less"})).await;
    assert_eq!((edited["date"].as_str(), edited["net_total"].as_str(), edited["memo"].as_str()), (Some("2025-05-31"), Some("60.25"), Some("less")));
    assert_eq!(running.ok(&at(&format!("documents/{id}/void")), json!({})).await["status"], "voided");
    assert_eq!(running.balance(&company, "610").await, before.0);
    assert_eq!(running.balance(&company, "200").await, before.1);
}

#[tokio::test]
async fn every_kind_of_document_can_be_made() {
    let running = start().await;
    let company = running.quickbooks.clone();
    let path = format!("/companies/{company}/documents");
    running.ok(&format!("/companies/{company}/contacts"), json!({"name": "Both", "customer": true, "supplier": true})).await;
    let line = json!([{"account": "6300", "amount": "5.00"}]);
    let income = json!([{"account": "4000", "amount": "5.00"}]);
    let invoice = running.ok(&path, json!({"kind": "invoice", "contact": "Both", "lines": income})).await["id"].clone();
    let bill = running.ok(&path, json!({"kind": "bill", "contact": "Both", "lines": line})).await["id"].clone();
    for body in [
        json!({"kind": "payment", "applies_to": [{"document": invoice}], "amount": "6.50"}),
        json!({"kind": "bill_payment", "applies_to": [{"document": bill, "amount": "2.00"}]}),
        json!({"kind": "credit_memo", "contact": "Both", "lines": income}),
        json!({"kind": "vendor_credit", "contact": "Both", "lines": line}),
        json!({"kind": "sales_receipt", "contact": "Both", "lines": income}),
        json!({"kind": "refund_receipt", "contact": "Both", "lines": income}),
        json!({"kind": "expense", "account": "2100", "lines": line}),
        json!({"kind": "deposit", "account": "Checking", "lines": income}),
        json!({"kind": "transfer", "account": "1000", "to_account": "1010", "amount": "7.77"}),
        json!({"kind": "journal", "lines": [{"account": "6300", "amount": "5"}, {"account": "1000", "amount": "-5"}]}),
    ] {
        let made = running.ok(&path, body.clone()).await;
        let sum: i64 = made["postings"].as_array().expect("a list").iter().map(|p| cents(p["amount"].as_str().expect("text"))).sum();
        assert_eq!((sum, made["postings"].as_array().map(Vec::is_empty)), (0, Some(false)), "{body} gave {made}");
    }
    let (_, listed) = running.get(&format!("{path}?kind=payment&from=2025-06-01")).await;
    let last = listed["documents"].as_array().and_then(|l| l.last()).expect("the payment");
    assert_eq!((last["total"].as_str(), last["unapplied"].as_str()), (Some("6.50"), Some("1.50")));
    let many = running.ok(&path, json!({"kind": "invoice", "contact": "Both", "lines": income, "repeat": 1200})).await;
    assert_eq!(many["ids"].as_array().map(Vec::len), Some(1200));
}

#[tokio::test]
async fn accounts_and_contacts_are_added_archived_restored_and_renamed() {
    let running = start().await;
    for company in [&running.quickbooks, &running.xero] {
        let at = |path: &str| format!("/companies/{company}/{path}");
        let made = running.ok(&at("accounts"), json!({"name": "Licences", "code": "6950", "type": "expense"})).await;
        let id = made["shown_id"].as_str().expect("an id").to_owned();
        assert_eq!(running.ok(&at(&format!("accounts/{id}/archive")), json!({})).await["active"], false);
        let body = json!({"kind": "expense", "lines": [{"account": "6950", "amount": "5"}]});
        let (status, refused) = running.post(&at("documents"), body).await;
        assert_eq!((status, refused["error"].as_str()), (400, Some("account Licences is archived")));
        assert_eq!(running.ok(&at("accounts/6950/restore"), json!({})).await["active"], true);
        assert_eq!(running.ok(&at("accounts/6950/rename"), json!({"name": "Permits"})).await["name"], "Permits");
        running.ok(&at("contacts"), json!({"name": "Nova", "supplier": true})).await;
        assert_eq!(running.ok(&at("contacts/nova/archive"), json!({})).await["active"], false);
        assert_eq!(running.ok(&at("contacts/nova/restore"), json!({})).await["active"], true);
    }
}

#[tokio::test]
async fn wrong_requests_get_an_error_that_names_what_is_wrong() {
    let running = start().await;
    let company = format!("/companies/{}", running.xero);
    let bad = [
        (format!("{company}/documents"), r#"{"kind":"cheque"}"#, 400, "kind: cheque is none of invoice"),
        (format!("{company}/documents"), r#"{"kind":"expense","lines":[{"account":"999999","amount":"5"}]}"#, 404, "999999"),
        (format!("{company}/documents"), r#"{"kind":"invoice","contact":"Nobody"}"#, 404, "no contact with the name or id Nobody"),
        (format!("{company}/documents"), r#"{"kind":"expense","lines":[{"account":"429","amount":"5.001"}]}"#, 400, "two decimals"),
        (format!("{company}/documents"), r#"{"kind":"expense","colour":"red"}"#, 400, "colour"),
        (format!("{company}/documents"), "{", 400, "the body is not as expected"),
        (format!("{company}/documents/1/explode"), "{}", 404, "document 1"),
        (format!("{company}/accounts/200/explode"), "{}", 404, "explode is none of archive"),
        (format!("{company}/accounts"), r#"{"name":"X","type":"gold"}"#, 400, "type: gold is none of bank"),
        (format!("{company}/accounts/610/archive"), "{}", 400, "system account"),
        ("/companies/nowhere/documents".into(), "{}", 400, "kind"),
        ("/companies/nowhere/documents".into(), r#"{"kind":"invoice"}"#, 404, "there is no company nowhere"),
        ("/clock".into(), "{}", 400, "exactly one of freeze"),
        ("/clock".into(), r#"{"freeze":"yesterday"}"#, 400, "the body is not as expected"),
        ("/limits".into(), r#"{"enforced":"no"}"#, 400, "enforced is true or false"),
        ("/limits".into(), r#"{"xero_per_hour":3}"#, 400, "xero_per_hour"),
        ("/faults".into(), r#"{"fault":{"kind":"earthquake"}}"#, 400, "earthquake"),
        ("/faults".into(), r#"{"company":"nowhere","fault":{"kind":"drop"}}"#, 404, "nowhere"),
        ("/tokens/revoke".into(), r#"{"user":"nobody@example.com"}"#, 404, "nobody@example.com"),
        ("/teapot".into(), "{}", 404, "/_control/teapot"),
    ];
    for (path, body, status, reason) in bad {
        let (got, answer) = running.post_text(&path, body.into()).await;
        let error = answer["error"].as_str().expect("an error text");
        assert!(got == status && error.contains(reason), "{path} {body}: {got} {error}");
    }
}

// proves J3 in part
#[tokio::test]
async fn the_clock_limits_switches_and_faults_can_be_set_and_read_back() {
    let running = start().await;
    let frozen = running.ok("/clock", json!({"freeze": "2025-02-03T04:05:06Z"})).await;
    assert_eq!(frozen["now"], "2025-02-03T04:05:06Z");
    assert_eq!(running.ok("/clock", json!({"advance_secs": 3600})).await["now"], "2025-02-03T05:05:06Z");
    let limits = running.ok("/limits", json!({"enforced": false, "xero_per_minute": 7})).await;
    assert_eq!((limits["enforced"].as_bool(), limits["figures"]["xero_per_minute"].as_u64()), (Some(false), Some(7)));
    assert_eq!(limits["figures"]["quickbooks_per_minute"], 500);
    assert_eq!(running.ok("/switches", json!({"xero_journals": false})).await["xero_journals"], false);
    let fault = json!({"face": "xero", "company": running.xero, "path_contains": "Invoices", "times": 2, "fault": {"kind": "status", "status": 503}});
    running.ok("/faults", fault).await;
    let hit = running.sandbox.write(|state| {
        let other_path = state.faults.next(Face::Xero, &running.xero, "/api.xro/2.0/Accounts");
        let other_face = state.faults.next(Face::QuickBooks, &running.xero, "/invoices");
        assert_eq!((other_path, other_face), (None, None));
        [1, 2, 3].map(|_| state.faults.next(Face::Xero, &running.xero, "/api.xro/2.0/INVOICES?page=1").is_some())
    });
    assert_eq!(hit, [true, true, false]);
    running.ok("/faults", json!([{"fault": {"kind": "drop"}}, {"fault": {"kind": "rate_limit", "problem": "day", "retry_after_secs": 9}}])).await;
    assert_eq!(running.get("/faults").await.1["waiting"].as_array().map(Vec::len), Some(2));
    let cleared = running.client.delete(format!("{}/_control/faults", running.base)).send().await.expect("an answer");
    assert!(cleared.status().is_success());
    assert!(running.sandbox.read(|state| state.faults.waiting().is_empty()));
}

#[cfg(feature = "quickbooks")]
#[tokio::test]
async fn calls_are_counted_per_company_and_forgotten_on_reset() {
    let running = start().await;
    for _ in 0..3 {
        let url = format!("{}/v3/company/{}/anything", running.base, running.quickbooks);
        running.client.get(url).send().await.expect("an answer");
    }
    let url = format!("{}/api.xro/2.0/Organisation", running.base);
    running.client.get(url).header("Xero-Tenant-Id", running.xero.to_uppercase()).send().await.expect("an answer");
    let (_, calls) = running.get("/calls").await;
    assert_eq!((calls["by_company"][&running.quickbooks].as_u64(), calls["by_company"][&running.xero].as_u64()), (Some(3), Some(1)), "{calls}");
    running.ok("/calls/reset", json!({})).await;
    assert_eq!(running.get("/calls").await.1["by_company"], json!({}));
}

#[tokio::test]
async fn companies_can_be_made_up_or_read_from_a_file_and_removed() {
    let running = start().await;
    let made = running.ok("/companies", json!({"face": "xero", "name": "Made", "seed": 9, "documents_per_month": 20})).await;
    assert!(made["documents"].as_u64().expect("a count") > 100, "{made}");
    let (status, twice) = running.post("/companies", json!({"face": "xero", "name": "Again", "seed": 9})).await;
    assert_eq!(status, 400, "{twice}");
    let file = "entry,date,kind,account_code,account_name,account_type,debit,credit,currency,contact,memo\n\
        1,2025-01-01,,1,Bank,bank,5,,,,\n1,2025-01-01,,2,Owner,equity,,5,,,\n";
    let read = running.ok("/companies", json!({"face": "quickbooks", "name": "Filed", "seed": 10, "general_journal": file})).await;
    assert_eq!(running.balance(read["id"].as_str().expect("an id"), "1").await, "5.00");
    let (status, refused) = running
        .post("/companies", json!({"face": "quickbooks", "name": "Bad", "seed": 11, "general_journal": file.replace(",5,,,,\n1", ",6,,,,\n1")}))
        .await;
    assert!(status == 400 && refused["error"].as_str().expect("text").contains("line 2: entry 1 does not balance"), "{refused}");
    let gone = running.client.delete(format!("{}/_control/companies/Made", running.base)).send().await.expect("an answer");
    assert!(gone.status().is_success());
    assert_eq!(running.get("/companies/Made").await.0, 404);
}

#[tokio::test]
async fn the_first_page_says_sandbox_and_lists_companies_and_client_ids() {
    let running = start().await;
    let page = running.client.get(&running.base).send().await.expect("an answer").text().await.expect("text");
    for text in ["Sandbox", "Imagined Company 41", "tieout-quickbooks", "tieout-xero", &running.xero, &running.quickbooks] {
        assert!(page.contains(text), "the page lacks {text}");
    }
}

#[cfg(all(feature = "quickbooks", feature = "xero"))]
#[tokio::test]
async fn the_truth_lists_every_record_of_both_faces_with_its_state() {
    let running = start().await;
    for company in [&running.quickbooks, &running.xero] {
        let (status, answer) = running.get(&format!("/companies/{company}/truth")).await;
        assert_eq!(status, 200);
        let records = answer["records"].as_array().expect("a list");
        let (_, summary) = running.get(&format!("/companies/{company}")).await;
        assert!(records.len() as u64 >= summary["documents"].as_u64().expect("a count"), "{} records", records.len());
        let states: std::collections::BTreeSet<&str> = records.iter().map(|r| r["state"].as_str().expect("a state")).collect();
        assert!(states.contains("active") && states.contains("archived") && states.contains("deleted"), "{states:?}");
        assert!(records.iter().all(|r| r["type"].is_string() && r["id"].is_string()));
    }
}

#[tokio::test]
async fn serving_ends_when_it_is_told_to() {
    let mut running = start().await;
    assert_eq!(running.get("/health").await.0, 200);
    running.stop.take().expect("not stopped yet").send(()).expect("the server listens");
    drop(running.client);
    running.served.take().expect("served once").await.expect("no panic").expect("a clean end");
}

// proves J4 in part
#[test]
fn the_demo_has_three_companies_with_three_years_of_history_in_three_home_currencies() {
    let companies = demo_companies(now());
    let facts: Vec<(&str, &str, i8)> = companies.iter().map(|b| (b.name.as_str(), b.currency.as_str(), b.fiscal_year_start_month)).collect();
    assert_eq!(facts, [("Harbor & Pine Trading Co.", "USD", 1), ("Kauri Outdoor Ltd", "NZD", 4), ("Beacon Street Studio", "GBP", 4)]);
    for books in &companies {
        let at_least = if books.face == Face::Xero { 900 } else { 1_500 };
        assert!((at_least..3_000).contains(&books.documents.len()), "{}: {}", books.name, books.documents.len());
        assert_eq!(books.first_date(), Some(date(2022, 6, 1)));
        assert!(books.documents.values().all(|d| d.updated_at <= now()), "nothing happens in the future");
    }
    assert!(companies[1].documents.values().any(|d| d.currency == "USD"));
}

// Tieout makes 58 of the 60 calls that Xero admits in a minute. Of a first sync of three years, the lists take 10, the trial balances 2, the months of both bases 18;
// a demo that needs more than is left for the journals waits a minute, on the days of the year when it does.
#[test]
fn on_any_day_of_two_years_the_first_syncs_of_the_demo_fit_into_a_minute_of_xero_s_calls() {
    let months = (0..24).map(|month| date(2026, 11, 1).saturating_add(jiff::Span::new().months(month)));
    for day in months.flat_map(|first| [first, first.last_of_month()]) {
        let noon = day.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).expect("a time").timestamp();
        for books in demo_companies(noon).iter().filter(|books| books.face == Face::Xero) {
            // a hundred in each, and an empty one at the end
            let pages = |basis| books.journals_on(basis).len().div_ceil(100) + 1;
            let pages = pages(Basis::Accrual) + pages(Basis::Cash);
            assert!(pages <= 58 - 10 - 2 - 18, "{} on {day}: {pages} pages of journals", books.name);
            assert!(books.documents.len() > 1_000, "{} on {day}: {} documents", books.name, books.documents.len());
        }
    }
}

#[test]
fn limits_refuse_the_call_above_each_figure_and_recover_after_the_window() {
    use simulator::limits::{Limits, Problem};
    let at = |ms: i64| Timestamp::from_millisecond(now().as_millisecond() + ms).expect("a timestamp");
    let mut limits = Limits::default();
    for _ in 0..10 {
        limits.admit(Face::QuickBooks, "1", "app", at(0)).expect("the first ten of a second");
    }
    let refused = limits.admit(Face::QuickBooks, "1", "app", at(999)).expect_err("the eleventh");
    assert_eq!((refused.problem, refused.retry_after_secs), (Problem::Second, 1));
    limits.admit(Face::QuickBooks, "2", "app", at(999)).expect("another company has its own window");
    limits.admit(Face::QuickBooks, "1", "app", at(1_000)).expect("the next second");
    for call in 0..60 {
        let remaining = limits.admit(Face::Xero, "t", "app", at(call)).expect("sixty a minute");
        assert_eq!((remaining.minute, remaining.day), (59 - u32::try_from(call).expect("small"), 4_999 - u32::try_from(call).expect("small")));
        limits.release(Face::Xero, "t", "app");
    }
    let refused = limits.admit(Face::Xero, "t", "app", at(30_000)).expect_err("the sixty-first");
    assert_eq!((refused.problem, refused.retry_after_secs), (Problem::Minute, 30));
    for _ in 0..5 {
        limits.admit(Face::Xero, "t", "app", at(61_000)).expect("five at once");
    }
    assert_eq!(limits.admit(Face::Xero, "t", "app", at(61_000)).expect_err("a sixth at once").problem, Problem::Concurrent);
    limits.release(Face::Xero, "t", "app");
    limits.admit(Face::Xero, "t", "app", at(61_000)).expect("one has ended");
    limits.figures.xero_per_day = 66;
    let refused = limits.admit(Face::Xero, "t", "app", at(120_001)).expect_err("the day is spent");
    assert_eq!(refused.problem, Problem::Day);
    assert!(refused.retry_after_secs > 86_000);
    limits.enforced = false;
    limits.admit(Face::Xero, "t", "app", at(120_001)).expect("counted, not refused");
}
