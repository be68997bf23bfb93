//! What the sandbox costs: it must never be the bottleneck of a test, whatever the size of its companies.
use crate::Plan;
use crate::measured::{Measured, millis, secs};
use crate::process;
use crate::table::{self, grouped, verdict};
use reqwest::redirect::Policy;
use serde_json::Value;
use std::time::{Duration, Instant};
use testkit::{Launch, Program, free_port};
use url::Url;

const READY_WITHIN: Duration = Duration::from_secs(1);
const BOOKS_WITHIN: Duration = Duration::from_secs(300);
/// A million lines, on one core.
const MILLION_WITHIN: Duration = Duration::from_secs(20);
const PAGES_A_MINUTE: u64 = 3_000;
const LARGE_PAGE_WITHIN: Duration = Duration::from_millis(30);
const PAGES: u64 = 300;
const LARGE_PAGES: usize = 40;
const REDIRECT: &str = "http://localhost:9000/callback";

/// The start with the demo companies, then a large company at each provider: how it is made and how its pages are served.
pub fn measure(plan: &Plan) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can start");
    let measured = Measured::repeat(7, || {
        let began = Instant::now();
        let sandbox = start(plan, &[], READY_WITHIN * 30);
        runtime.block_on(sandbox.json("/_control/health"));
        began.elapsed()
    });
    let row = [millis(measured.median()), millis(measured.worst()), verdict(measured.worst() < READY_WITHIN)];
    table::print("The sandbox: start to its first answer, with the demo companies (under 1 s)", ["Median of 7", "Slowest", "Promise"], &[row]);

    let (mut made, mut served) = (Vec::new(), Vec::new());
    let large = u32::try_from(plan.lines * 100 / LINES_OF_A_HUNDRED_DOCUMENTS).expect("fewer documents than a sandbox makes").max(100);
    for provider in &plan.providers {
        for documents in [USUAL_DOCUMENTS, large] {
            let (of_making, of_serving) = runtime.block_on(measure_one(plan, provider, documents));
            made.push(of_making);
            served.push(of_serving);
        }
    }
    let heads = ["Provider", "Documents", "Lines", "Processor time", "Start to ready", "Promise", "Peak memory"];
    table::print("The sandbox: a large company is made (under 20 s of one core for a million lines)", heads, &made);
    let heads = [
        "Provider",
        "Lines",
        "Pages of 100 invoices, a minute and core",
        "Promise",
        "A page of 1,000: processor time",
        "Median",
        "Slowest",
        "Promise",
    ];
    table::print("The sandbox: pages (3,000 a minute and core; 1,000 rows under 30 ms)", heads, &served);
}

struct Sandbox {
    program: Program,
    base: Url,
    client: reqwest::Client,
}

fn start(plan: &Plan, options: &[&str], within: Duration) -> Sandbox {
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let arguments = ["sandbox", "--listen", &listen, "--no-limits"].into_iter().chain(options.iter().copied());
    let mut program = Launch::program(plan.program.clone(), arguments).start();
    program.wait_for_line("The sandbox is ready", within);
    let base = Url::parse(&format!("http://{listen}/")).expect("an address");
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().redirect(Policy::none()).no_gzip().build().expect("a client");
    Sandbox { program, base, client }
}

impl Sandbox {
    fn at(&self, path: &str) -> Url {
        self.base.join(path).expect("a path joins any address")
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.client.get(self.at(path)).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.text().await.expect("text")).expect("JSON")
    }

    /// An access token for the only company, through the whole consent.
    async fn connect(&self, provider: &str) -> String {
        let (page, token, scope) = match provider {
            "xero" => ("/identity/connect/authorize", "/connect/token", "openid offline_access accounting.transactions.read"),
            _ => ("/connect/oauth2", "/oauth2/v1/tokens/bearer", "com.intuit.quickbooks.accounting"),
        };
        let client_id = format!("tieout-{provider}");
        let mut address = self.at(page);
        let asked =
            [("response_type", "code"), ("client_id", &client_id), ("redirect_uri", REDIRECT), ("scope", scope), ("state", "a"), ("auto", "approve")];
        address.query_pairs_mut().extend_pairs(asked);
        let answer = self.client.get(address).send().await.expect("an answer");
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok()).expect("a redirect");
        let location = Url::parse(location).expect("an address");
        let code = location.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
        let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)];
        let answer = self.client.post(self.at(token)).basic_auth(client_id, Some("sandbox-secret")).form(&form).send().await.expect("an answer");
        let body: Value = serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
        body["access_token"].as_str().expect("a token").to_owned()
    }
}

/// Lines that a document has on average, in hundredths, so that a company is asked for by its lines.
const LINES_OF_A_HUNDRED_DOCUMENTS: u64 = 176;
/// Of a company that a test is likely to use, and a large one at that.
const USUAL_DOCUMENTS: u32 = 20_000;

async fn measure_one(plan: &Plan, provider: &str, documents: u32) -> ([String; 7], [String; 8]) {
    let began = Instant::now();
    let sandbox = start(plan, &["--provider", provider, "--documents", &documents.to_string()], BOOKS_WITHIN);
    let took = began.elapsed();
    let process = sandbox.program.id();
    let of_making = process::processor_time(process);
    let company = sandbox.json("/_control/companies").await["companies"][0].clone();
    let number = |name: &str| company[name].as_u64().expect("a count");
    let (documents, lines, invoices) = (number("documents"), number("lines"), company["counts"]["invoice"].as_u64().expect("a count"));
    let id = company["id"].as_str().expect("an id");
    let token = sandbox.connect(provider).await;
    let page = async |rows: u64, page: u64| {
        let path = match provider {
            "xero" => format!("/api.xro/2.0/Invoices?page={page}&pageSize={rows}"),
            _ => format!("/v3/company/{id}/query?query=SELECT+*+FROM+Invoice+STARTPOSITION+{}+MAXRESULTS+{rows}", (page - 1) * rows + 1),
        };
        let request = sandbox.client.get(sandbox.at(&path)).bearer_auth(&token).header("accept", "application/json").header("xero-tenant-id", id);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let text = answer.text().await.expect("text");
        assert!(text.len() > 20 * usize::try_from(rows).expect("small"), "{path} gave {} bytes", text.len());
    };
    // deleted invoices are counted, but in no list of QuickBooks
    let last = |rows: u64| (invoices * 9 / 10 / rows).max(1);
    let used_before = process::processor_time(process);
    for at in 0..PAGES {
        page(100, 1 + at * 7 % last(100)).await;
    }
    let used = process::processor_time(process).saturating_sub(used_before);
    let a_minute = u64::try_from(60_000 * u128::from(PAGES) / used.as_millis().max(1)).expect("a count of pages");
    let used_before = process::processor_time(process);
    let mut large = Vec::new();
    for at in 0..LARGE_PAGES {
        let began = Instant::now();
        page(1_000, 1 + u64::try_from(at).expect("small") * 3 % last(1_000)).await;
        large.push(began.elapsed());
    }
    let for_each = process::processor_time(process).saturating_sub(used_before) / u32::try_from(LARGE_PAGES).expect("small");
    let mut large = large.into_iter();
    let measured = Measured::repeat(LARGE_PAGES, || large.next().expect("as many as were measured"));
    let peak_bytes = process::peak_memory_bytes(process);
    let for_million = of_making.mul_f64(1e6 / f64_of(lines));
    let name = if provider == "xero" { "Xero" } else { "QuickBooks" }.to_owned();
    let making = [
        name.clone(),
        grouped(documents),
        grouped(lines),
        secs(of_making),
        secs(took),
        verdict(for_million < MILLION_WITHIN),
        format!("{} MB", grouped(peak_bytes >> 20)),
    ];
    let serving = [
        name,
        grouped(lines),
        grouped(a_minute),
        verdict(a_minute >= PAGES_A_MINUTE),
        millis(for_each),
        millis(measured.median()),
        millis(measured.worst()),
        verdict(measured.median() < LARGE_PAGE_WITHIN),
    ];
    (making, serving)
}

/// Exact for every count of lines there is.
fn f64_of(count: u64) -> f64 {
    f64::from(u32::try_from(count.max(1)).expect("fewer than four thousand million"))
}
