//! The sandbox judged by clients of other authors: their libraries, unmodified, drive it over HTTP, and lose nothing of what it answers.

mod quickbooks;
mod xero;

use std::time::Duration;

use serde_json::Value;
use testkit::{Environment, Launch, node, python, say};

use crate::visitor::Sandbox;

const A_SUITE: Duration = Duration::from_secs(300);

/// What a script looked at.
struct Counts {
    calls: u64,
    records: u64,
    fields: u64,
    checks: u64,
}

/// Runs a script of `e2e/sdk/python` against the sandbox; nothing where Python or the libraries cannot be had.
fn judged_by_python(script: &str, sandbox: &Sandbox) -> Option<Counts> {
    python("requirements").map(|environment| judge(&environment, script, sandbox))
}

/// Runs a script of `e2e/sdk/node` against the sandbox; nothing where Node or the libraries cannot be had.
fn judged_by_node(script: &str, sandbox: &Sandbox) -> Option<Counts> {
    node().map(|environment| judge(&environment, script, sandbox))
}

fn judge(environment: &Environment, script: &str, sandbox: &Sandbox) -> Counts {
    counted(script, environment.script(script, &[]).env("SANDBOX_URL", &sandbox.url))
}

/// A script ends with its counts and with every difference it met, each on a line of its own.
fn counted(script: &str, launch: Launch) -> Counts {
    let finished = launch.run(A_SUITE);
    let wrong: Vec<&str> = finished.stdout.lines().skip_while(|line| !line.starts_with("WRONG ")).collect();
    assert!(finished.status.success() && wrong.is_empty(), "{script}:\n{}\n{}\n{}", finished.stdout, wrong.join("\n"), finished.stderr);
    let line = finished.stdout.lines().find_map(|line| line.strip_prefix("COUNTS "));
    let line = line.unwrap_or_else(|| panic!("{script} told no counts: {finished:?}"));
    let counts: Value = serde_json::from_str(line).expect("the counts are JSON");
    let count = |name: &str| counts[name].as_u64().unwrap_or_else(|| panic!("{script} did not count {name}: {line}"));
    let counts = Counts { calls: count("calls"), records: count("records"), fields: count("fields"), checks: count("checks") };
    say(&format!(
        "{script}: {} calls answered, {} records and {} fields compared, {} further checks",
        counts.calls, counts.records, counts.fields, counts.checks
    ));
    counts
}
