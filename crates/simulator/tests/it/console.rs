//! The console, as a browser without scripts sees and uses it.
use jiff::Timestamp;
use serde_json::Value;
use simulator::books::{Face, Kind, Status};
use simulator::money::Cents;
use simulator::sandbox::Sandbox;
use simulator::server::{Options, demo_companies, serve};

fn now() -> Timestamp {
    "2025-06-15T12:00:00Z".parse().expect("a timestamp")
}

struct Running {
    sandbox: Sandbox,
    base: String,
    client: reqwest::Client,
}

async fn start() -> Running {
    rustls::crypto::ring::default_provider().install_default().ok();
    let sandbox = Options { start_at: Some(now()), ..Options::default() }.sandbox(demo_companies(now()));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(serve(sandbox.clone(), listener, std::future::pending()));
    Running { sandbox, base, client: reqwest::Client::new() }
}

impl Running {
    async fn page(&self, path: &str) -> String {
        let answer = self.client.get(format!("{}{path}", self.base)).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        answer.text().await.expect("text")
    }
    /// Presses a button and gives the page that follows.
    async fn press(&self, path: &str, what: &str) -> String {
        let answer = self.client.post(format!("{}{path}", self.base)).form(&[("what", what)]).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{what}");
        answer.text().await.expect("text")
    }
    fn company(&self, face: Face) -> String {
        self.sandbox.read(|state| state.companies.values().find(|books| books.face == face).expect("a company").id.clone())
    }
}

/// Every `value` of the buttons of a page.
fn buttons(page: &str) -> Vec<String> {
    page.split("name=\"what\" value=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_console_shows_companies_calls_and_a_trial_balance_and_says_that_it_is_a_sandbox() {
    let running = start().await;
    let page = running.page("/").await;
    for text in
        ["Sandbox: imagined companies", "Harbor &amp; Pine Trading Co.", "Kauri Outdoor Ltd", "Nobody has called yet", "all is well", "tieout-xero"]
    {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<script"), "it works without scripts");
    for path in ["/v3/company/1/companyinfo/1", "/connections"] {
        running.client.get(format!("{}{path}", running.base)).send().await.expect("an answer");
    }
    assert!(running.page("/").await.contains("quickbooks GET companyinfo"));
    let company = running.company(Face::Xero);
    let page = running.page(&format!("/companies/{company}")).await;
    assert!(page.contains("Trial balance at 2025-06-1") && page.contains("Changed last") && page.contains("not connected"));
    let total = page.split("<td>Total</td>").nth(1).expect("a total");
    let sides: Vec<&str> = total.split("<td class=\"number\">").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert!(sides[0] == sides[1] && sides[0].len() > 8, "{sides:?}");
    let missing = running.client.get(format!("{}/companies/nowhere", running.base)).send().await.expect("an answer");
    assert_eq!(missing.status().as_u16(), 404);
}

#[tokio::test]
async fn every_button_does_what_it_says_and_the_books_stay_balanced() {
    let running = start().await;
    for face in [Face::QuickBooks, Face::Xero] {
        let company = running.company(face);
        let path = format!("/companies/{company}/mischief");
        let page = running.page(&format!("/companies/{company}")).await;
        assert_eq!(buttons(&page).len(), 9);
        let count = |kind: Kind, status: Status| {
            running.sandbox.read(|state| state.companies[&company].documents.values().filter(|d| d.kind == kind && d.status == status).count())
        };
        let january = || running.sandbox.read(|state| state.companies[&company].trial_balance(jiff::civil::date(2025, 1, 31)));
        let gone = if face == Face::QuickBooks { Status::Deleted } else { Status::Voided };
        let (bills, invoices, before) = (count(Kind::Bill, gone), count(Kind::Invoice, Status::Voided), january());
        assert!(running.press(&path, "add_invoice").await.contains("Written: invoice"));
        assert!(running.press(&path, "delete_bill").await.contains("Gone: bill"));
        assert_eq!(count(Kind::Bill, gone), bills + 1);
        assert!(running.press(&path, "void_invoice").await.contains("Voided: invoice"));
        assert_eq!(count(Kind::Invoice, Status::Voided), invoices + 1);
        assert_eq!(january(), before);
        assert!(running.press(&path, "edit_january").await.contains("Changed: "));
        assert_ne!(january(), before, "last January is another one now");
        assert!(running.press(&path, "backdate").await.contains("Moved: invoice"));
        assert!(running.press(&path, "silent_edit").await.contains("Changed without a new time"));
        assert!(running.press(&path, "revoke").await.contains("0 grants ended"));
        assert!(running.press(&path, "disconnect").await.contains("0 connections ended"));
        assert!(running.press(&path, "lapse").await.contains("ended for a minute"));
        let sum = |state: &simulator::sandbox::State| {
            state.companies[&company].trial_balance(jiff::civil::date(2026, 1, 1)).values().copied().sum::<Cents>()
        };
        assert_eq!(running.sandbox.read(sum), Cents::ZERO);
    }
    assert!(running.page("/").await.contains("lapsed for"), "what is wrong is told");
    assert_eq!(buttons(&running.page("/").await).len(), 8);
    for what in ["quickbooks_down", "xero_down", "throttle", "lose_refresh", "expire", "html", "live"] {
        running.press("/mischief", what).await;
    }
    let down = running.client.get(format!("{}/connections", running.base)).send().await.expect("an answer");
    assert_eq!(down.status().as_u16(), 503);
    assert!(running.page("/").await.contains("trade goes on at speed 60"));
    running.press("/mischief", "live").await;
    assert!(running.press("/mischief", "end_outages").await.contains("all is well"));
    let unknown = running.client.post(format!("{}/mischief", running.base)).form(&[("what", "earthquake")]).send().await.expect("an answer");
    assert_eq!(unknown.status().as_u16(), 400);
    let foreign = running.client.post(format!("{}/mischief", running.base)).header("sec-fetch-site", "cross-site").form(&[("what", "expire")]);
    assert_eq!(foreign.send().await.expect("an answer").status().as_u16(), 403, "a page elsewhere presses no buttons");
    let waiting: Value = running.client.get(format!("{}/_control/faults", running.base)).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(waiting["waiting"].as_array().map(Vec::len), Some(0));
}
