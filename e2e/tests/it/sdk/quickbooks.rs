//! QuickBooks by Intuit's own sign-in libraries and by the two accounting libraries that most programs use.

use super::{judged_by_node, judged_by_python};
use crate::visitor::Sandbox;

// quickbooks facts 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 17, 19, 21, 22, 23, 24, 25, 26, 109
#[test]
fn intuit_oauth_for_python_lives_a_whole_oauth_life() {
    let sandbox = Sandbox::start(&["--no-limits"]);
    if let Some(counts) = judged_by_python("quickbooks_sign_in.py", &sandbox) {
        assert!(counts.calls > 30 && counts.checks > 50, "hardly anything was looked at");
    }
}

// quickbooks facts 31, 32, 33, 36, 37, 43, 44, 45, 46, 48, 49, 50, 51, 52, 54, 55, 56, 57, 64, 65, 86, 91, 93, 95, 97, 99, 110
#[test]
fn python_quickbooks_reads_every_entity_by_every_way_and_loses_nothing() {
    let sandbox = Sandbox::start(&["--no-limits"]);
    if let Some(counts) = judged_by_python("quickbooks_reading.py", &sandbox) {
        assert!(counts.calls > 250 && counts.records > 6_000 && counts.fields > 200_000, "hardly anything was looked at");
    }
}

// quickbooks facts 4, 5, 7, 9, 11, 12, 13, 14, 15, 16, 19, 21, 22, 23, 24, 37, 99, 111
#[test]
fn intuit_oauth_for_node_lives_a_whole_oauth_life() {
    let sandbox = Sandbox::start(&["--no-limits"]);
    if let Some(counts) = judged_by_node("quickbooks_sign_in.cjs", &sandbox) {
        assert!(counts.calls > 30 && counts.checks > 35, "hardly anything was looked at");
    }
}

// quickbooks facts 30, 31, 37, 43, 47, 48, 49, 50, 51, 53, 54, 64, 65, 70, 112
#[test]
fn node_quickbooks_reads_every_entity_by_every_way_and_loses_nothing() {
    let sandbox = Sandbox::start(&["--no-limits"]);
    if let Some(counts) = judged_by_node("quickbooks_reading.cjs", &sandbox) {
        assert!(counts.calls > 200 && counts.records > 5_000 && counts.fields > 100_000, "hardly anything was looked at");
    }
}
