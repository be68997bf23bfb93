//! Trade that goes on by itself.
use jiff::Timestamp;
use jiff::civil::date;
use serde_json::{Value, json};
use simulator::books::generator::{CompanySpec, generate};
use simulator::books::{Books, DocumentId, Face, Status};
use simulator::money::Cents;
use simulator::server::{Options, serve};
use std::collections::BTreeMap;
use std::time::Duration;

fn now() -> Timestamp {
    "2025-06-15T12:00:00Z".parse().expect("a timestamp")
}

fn versions(books: &Books) -> BTreeMap<DocumentId, (u32, Status)> {
    books.documents.values().map(|document| (document.id, (document.sync_token, document.status))).collect()
}

#[tokio::test]
async fn trade_goes_on_in_every_company_on_a_faster_clock_and_the_books_stay_balanced() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let companies: Vec<Books> =
        [Face::QuickBooks, Face::Xero].map(|face| generate(face, CompanySpec::plain(face, 9, date(2024, 9, 1), date(2025, 6, 14)), now())).into();
    let sandbox = Options { start_at: Some(now()), ..Options::default() }.sandbox(companies);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}/_control", listener.local_addr().expect("an address"));
    tokio::spawn(serve(sandbox.clone(), listener, std::future::pending()));
    let before: Vec<Books> = sandbox.read(|state| state.companies.values().cloned().collect());
    let client = reqwest::Client::new();
    let control = async |body: Value| {
        let answer = client.post(format!("{base}/live")).body(body.to_string()).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    assert_eq!(control(json!({"speed": 0})).await.0, 400);
    assert_eq!(control(json!({"speed": 86_400, "changes_per_day": 60, "seed": 3})).await.0, 200);
    let mut changes = 0;
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let told: Value = client.get(format!("{base}/live")).send().await.expect("an answer").json().await.expect("JSON");
        changes = told["changes"].as_u64().expect("a number");
        if changes > 500 {
            break;
        }
    }
    assert!(changes > 500, "a day passes each second: {changes}");
    let ended = client.delete(format!("{base}/live")).send().await.expect("an answer");
    assert!(ended.status().is_success());
    assert!(sandbox.clock.now() > now() + jiff::SignedDuration::from_hours(48), "{}", sandbox.clock.now());
    sandbox.read(|state| {
        for (then, books) in before.iter().zip(state.companies.values()) {
            let (old, new) = (versions(then), versions(books));
            let fresh = new.keys().filter(|id| !old.contains_key(id)).count();
            let changed = old.iter().filter(|(id, version)| new[id] != **version).count();
            assert!(fresh > 100 && changed > 3, "{}: {fresh} new, {changed} changed", books.name);
            let gone = books.documents.values().filter(|d| d.updated_at > now() && matches!(d.status, Status::Voided | Status::Deleted)).count();
            assert!(gone > 0, "something was voided or deleted");
            assert!(books.documents.values().all(|d| books.postings(d).iter().map(|p| p.amount).sum::<Cents>().is_zero()));
            assert_eq!(books.trial_balance(date(2026, 12, 31)).values().copied().sum::<Cents>(), Cents::ZERO);
            assert!(books.documents.values().any(|d| d.date >= date(2025, 6, 16)), "time went on");
        }
    });
    let count = |sandbox: &simulator::sandbox::Sandbox| sandbox.read(|state| state.companies.values().map(|b| b.journals.len()).sum::<usize>());
    let ended_at = count(&sandbox);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(count(&sandbox), ended_at, "trade has stopped");
}
