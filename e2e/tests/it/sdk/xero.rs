//! Xero by its own libraries for Python and Node.

use super::{judged_by_node, judged_by_python};
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
        assert!(counts.calls > 350 && counts.records > 9_000 && counts.fields > 300_000, "hardly anything was looked at");
    }
}

// xero facts 25, 27, 28, 30, 32, 38, 39, 40, 41, 42, 43, 45, 46, 49
#[test]
fn xero_node_reads_every_resource_by_every_way_and_loses_nothing() {
    let sandbox = Sandbox::start(&["--no-limits"]);
    if let Some(counts) = judged_by_node("xero_reading.cjs", &sandbox) {
        assert!(counts.calls > 300 && counts.records > 8_000 && counts.fields > 300_000, "hardly anything was looked at");
    }
}
