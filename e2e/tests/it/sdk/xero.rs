//! Xero by its own libraries for Python and Node.

use std::path::PathBuf;

use testkit::{free_port, node, python, say};

use super::{counted, judged_by_node, judged_by_python};
use crate::source::root;
use crate::visitor::Sandbox;

// xero facts 1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 13, 17, 18, 19, 20, 21, 22, 23
#[test]
fn xero_python_lives_a_whole_oauth_life() {
    let sandbox = Sandbox::start(&["--no-limits"]);
    if let Some(counts) = judged_by_python("xero_sign_in.py", &sandbox) {
        assert!(counts.calls > 35 && counts.checks > 45, "hardly anything was looked at");
    }
}

// xero facts 25, 27, 28, 31, 32, 33, 34, 36, 38, 39, 40, 41, 42, 43, 45, 46, 49, 50, 55, 72, 74, 79, 87
#[test]
fn xero_python_reads_every_resource_by_every_way_and_loses_nothing() {
    let sandbox = Sandbox::start(&["--no-limits"]);
    if let Some(counts) = judged_by_python("xero_reading.py", &sandbox) {
        assert!(counts.calls > 300 && counts.records > 4_500 && counts.fields > 150_000, "hardly anything was looked at");
    }
}

// xero facts 25, 27, 28, 30, 32, 38, 39, 40, 41, 42, 43, 45, 46, 49
#[test]
fn xero_node_reads_every_resource_by_every_way_and_loses_nothing() {
    let sandbox = Sandbox::start(&["--no-limits"]);
    if let Some(counts) = judged_by_node("xero_reading.cjs", &sandbox) {
        assert!(counts.calls > 250 && counts.records > 4_500 && counts.fields > 150_000, "hardly anything was looked at");
    }
}

/// Its addresses are fixed: the script looks Xero's names up by itself, as the sandbox's TLS port.
// xero facts 1, 2, 4, 5, 8, 9, 10, 12, 13, 14, 15, 16, 17, 19, 22, 23, 49
#[test]
fn xero_node_lives_a_whole_oauth_life_under_the_names_of_xero() {
    let Some(environment) = node() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let port = free_port().to_string();
    let (place, address) = (folder.path().to_string_lossy(), format!("127.0.0.1:{port}"));
    let sandbox = Sandbox::start(&["--no-limits", "--tls-dir", &place, "--tls-listen", &address]);
    let launch = environment.script("xero_sign_in.cjs", &[]).env("SANDBOX_URL", &sandbox.url);
    let launch = launch.env("SANDBOX_TLS_PORT", &port).env("NODE_EXTRA_CA_CERTS", folder.path().join("ca.pem"));
    let counts = counted("xero_sign_in.cjs", launch);
    assert!(counts.calls > 25 && counts.checks > 30, "hardly anything was looked at");
}

/// Xero's published interface description (XeroAPI/Xero-OpenAPI on GitHub): where `XERO_DESCRIPTION` says, or beside the repository.
fn description() -> Option<PathBuf> {
    let beside = root().parent().map(|parent| parent.join("shared/providers/xero_accounting.yaml"));
    let file = std::env::var_os("XERO_DESCRIPTION").map(PathBuf::from).or(beside)?;
    file.is_file().then_some(file)
}

// xero facts 25, 27, 28, 29
#[test]
fn every_answer_of_xero_is_as_its_published_description_says() {
    let Some(file) = description() else {
        say("SKIPPED: Xero's interface description is not beside the repository, and XERO_DESCRIPTION names no file");
        return;
    };
    let Some(environment) = python("requirements") else { return };
    let sandbox = Sandbox::start(&["--no-limits"]);
    let launch = environment.script("xero_description.py", &[]).env("SANDBOX_URL", &sandbox.url).env("XERO_DESCRIPTION", file);
    let counts = counted("xero_description.py", launch);
    assert!(counts.records > 400 && counts.fields > 100_000, "hardly anything was looked at");
}
