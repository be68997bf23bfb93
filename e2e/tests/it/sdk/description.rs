//! The Xero face held against Xero's published interface description (XeroAPI/Xero-OpenAPI on GitHub).

use std::path::PathBuf;

use testkit::{python, say};

use super::Suite;
use crate::source::root;

/// Where `XERO_DESCRIPTION` says, or beside the repository.
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
    let suite = Suite { script: "xero_description.py", calls: 600, records: 570, fields: 120_000, checks: 9 };
    suite.judge_in(&environment, &[], |launch| launch.env("XERO_DESCRIPTION", file));
}
