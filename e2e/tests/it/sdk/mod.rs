//! The sandbox judged by clients of other authors: their libraries, unmodified, drive it over HTTP, and lose nothing of what it answers.

mod community;
mod description;
mod official;
mod readme;
mod taps;

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use testkit::{Environment, Launch, free_port, node, python, say};

use crate::visitor::Sandbox;

const A_SUITE: Duration = Duration::from_secs(900);

/// A script of `e2e/sdk`, in the language its name says, and the least that it looks at.
struct Suite {
    script: &'static str,
    calls: u64,
    records: u64,
    fields: u64,
    checks: u64,
}

/// A sandbox that answers under the providers' own names too.
struct Court {
    sandbox: Sandbox,
    folder: TempDir,
    port: u16,
}

impl Court {
    fn open() -> Court {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let port = free_port();
        let (place, address) = (folder.path().to_string_lossy(), format!("127.0.0.1:{port}"));
        let sandbox = Sandbox::start(&["--no-limits", "--tls-dir", &place, "--tls-listen", &address]);
        Court { sandbox, folder, port }
    }

    fn admit(&self, launch: Launch) -> Launch {
        let launch = launch.env("SANDBOX_URL", &self.sandbox.url).env("SANDBOX_TLS_PORT", self.port.to_string());
        let trusted = self.folder.path().join("ca.pem");
        launch.env("NODE_EXTRA_CA_CERTS", &trusted).env("SANDBOX_CA", &trusted)
    }
}

impl Suite {
    /// Runs the script against a sandbox of its own; nothing happens where its language or its libraries cannot be had.
    fn judge(&self) {
        let environment = if self.script.ends_with(".py") { python("requirements") } else { node() };
        if let Some(environment) = environment {
            self.judge_in(&environment, &[], |launch| launch);
        }
    }

    /// A script ends with its counts and with every difference it met, each on a line of its own.
    fn judge_in(&self, environment: &Environment, arguments: &[&str], prepare: impl FnOnce(Launch) -> Launch) {
        let court = Court::open();
        let script = self.script;
        let finished = court.admit(prepare(environment.script(script, arguments))).run(A_SUITE);
        assert!(finished.status.success(), "{script}:\n{}\n{}", finished.stdout, finished.stderr);
        let line = finished.stdout.lines().find_map(|line| line.strip_prefix("COUNTS "));
        let line = line.unwrap_or_else(|| panic!("{script} told no counts: {finished:?}"));
        let counts: Value = serde_json::from_str(line).expect("the counts are JSON");
        let count = |name: &str| counts[name].as_u64().unwrap_or_else(|| panic!("{script} did not count {name}: {line}"));
        let (calls, records, fields, checks) = (count("calls"), count("records"), count("fields"), count("checks"));
        let enough = calls >= self.calls && records >= self.records && fields >= self.fields && checks >= self.checks;
        assert!(enough, "{script} looked at too little: {line}");
        let script = [&[script], arguments].concat().join(" ");
        say(&format!("{script}: {calls} calls answered, {records} records and {fields} fields compared, {checks} further checks"));
    }
}
