//! The same tests against a provider elsewhere: a sandbox in a process of its own that has no control API, named by the variables that name real ones.

use std::collections::BTreeMap;
use std::time::Duration;

use testkit::{Launch, free_port, say};

use crate::visitor::{Sandbox, client};

const ALL_OF_THEM: Duration = Duration::from_secs(300);

/// Access token and company of a consent that a stand-in gives.
async fn connected(base: &str, face: &str) -> (String, String) {
    let (page, endpoint, scope) = match face {
        "xero" => {
            let scope = "openid profile email offline_access accounting.settings accounting.contacts accounting.transactions accounting.reports.read \
                         accounting.journals.read";
            ("identity/connect/authorize", "connect/token", scope)
        }
        _ => ("connect/oauth2", "oauth2/v1/tokens/bearer", "com.intuit.quickbooks.accounting"),
    };
    let (client, client_id, redirect) = (client(), format!("tieout-{face}"), "http://localhost:9005/callback");
    let asked = [
        ("client_id", client_id.as_str()),
        ("redirect_uri", redirect),
        ("scope", scope),
        ("response_type", "code"),
        ("state", "1"),
        ("auto", "approve"),
    ];
    let answer = client.get(format!("{base}/{page}")).query(&asked).send().await.expect("a consent page");
    let location = answer.headers()["location"].to_str().expect("an address").to_owned();
    let back: BTreeMap<String, String> = url::Url::parse(&location).expect("an address").query_pairs().into_owned().collect();
    let form = [("grant_type", "authorization_code"), ("code", back["code"].as_str()), ("redirect_uri", redirect)];
    let request = client.post(format!("{base}/{endpoint}")).basic_auth(&client_id, Some("sandbox-secret")).form(&form);
    let tokens: serde_json::Value = request.send().await.expect("an answer").json().await.expect("JSON");
    let token = tokens["access_token"].as_str().expect("a token").to_owned();
    if let Some(realm) = back.get("realmId") {
        return (token, realm.clone());
    }
    let request = client.get(format!("{base}/connections")).bearer_auth(&token);
    let connections: serde_json::Value = request.send().await.expect("an answer").json().await.expect("JSON");
    (token, connections[0]["tenantId"].as_str().expect("a tenant").to_owned())
}

/// Runs the tests whose name contains `part` as they run for somebody with an account at the provider, and says how many ran.
async fn run(face: &str, part: &str, permissions: &[&str], sandbox: &Sandbox) -> (u64, Vec<String>) {
    let (token, company) = connected(&sandbox.url, face).await;
    let prefix = format!("TIEOUT_REAL_{}", face.to_uppercase());
    let this = std::env::current_exe().expect("a running test knows its own file");
    let discovery = if face == "xero" { "openid-configuration" } else { "openid_sandbox_configuration" };
    let mut launch = Launch::program(this, [part, "--nocapture", "--test-threads=1"])
        .env(format!("{prefix}_BASE"), &sandbox.url)
        .env(format!("{prefix}_TOKEN"), token)
        .env(format!("{prefix}_{}", if face == "xero" { "TENANT" } else { "REALM" }), company)
        .env(format!("{prefix}_DISCOVERY"), format!("{}/.well-known/{discovery}", sandbox.url))
        .env(format!("{prefix}_CONSENT"), "auto")
        .env(format!("{prefix}_REDIRECT_URI"), format!("http://localhost:{}/callback", free_port()))
        .env(format!("{prefix}_PACE_MS"), "0");
    for permission in permissions {
        let (name, value) = permission.split_once('=').expect("a name and a value");
        launch = launch.env(format!("{prefix}_{name}"), value);
    }
    let finished = launch.run(ALL_OF_THEM);
    assert!(finished.status.success(), "{part} at {}:\n{}\n{}", sandbox.url, finished.stdout, finished.stderr);
    let passed = finished.stdout.lines().find_map(|line| line.strip_prefix("test result: ok. ")?.split(' ').next()?.parse().ok());
    let skipped = finished.stderr.lines().filter(|line| line.starts_with("SKIPPED")).map(str::to_owned).collect();
    (passed.unwrap_or_else(|| panic!("no tests ran: {}", finished.stdout)), skipped)
}

// proves J8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_conformance_tests_run_against_a_provider_elsewhere_without_its_control_api() {
    let sandbox = Sandbox::start(&["--no-control", "--no-limits"]);
    for path in ["_control/health", "_control/companies", "", "mischief"] {
        let answer = client().get(format!("{}/{path}", sandbox.url)).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "/{path} is served");
    }
    for face in ["quickbooks", "xero"] {
        let part = format!("conformance::{face}::");
        let app = [format!("CLIENT_ID=tieout-{face}"), "CLIENT_SECRET=sandbox-secret".to_owned()];
        let (reading, skipped) = run(face, &part, &[], &sandbox).await;
        assert!(!skipped.is_empty() && skipped.iter().all(|line| line.contains("TIEOUT_REAL_")), "{skipped:?}");
        let (all, still_skipped) = run(face, &part, &["WRITES=1", &app[0], &app[1]], &sandbox).await;
        // a sandbox without limits has none to use up
        assert!(all == reading && all > 25 && still_skipped.len() == 1, "{all} tests, {still_skipped:?}");
        say(&format!("{face} elsewhere: {all} conformance tests, {} of them only where they may write or sign in", skipped.len()));
    }
}
