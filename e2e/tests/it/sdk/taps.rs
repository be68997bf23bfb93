//! Singer taps: programs that copy a company for a living. Their addresses are fixed, so they run under the providers' own names.

use testkit::python;

use super::Suite;

fn copies(kind: &str, least: &Suite) {
    // each tap pins what it needs, so each has an environment of its own
    if let Some(environment) = python(&format!("tap-{kind}")) {
        least.judge_in(&environment, &[kind], |launch| launch);
    }
}

// quickbooks facts 43, 47, 55, 65, 72, 74
#[test]
fn the_singer_tap_of_quickbooks_copies_everything_and_then_what_changed() {
    copies("quickbooks", &Suite { script: "singer_tap.py", calls: 10, records: 2_900, fields: 45_000, checks: 35 });
}

// xero facts 18, 30, 31, 42, 53, 56, 72
#[test]
fn the_singer_tap_of_xero_copies_everything_and_then_what_changed() {
    copies("xero", &Suite { script: "singer_tap.py", calls: 60, records: 2_000, fields: 26_000, checks: 22 });
}
