//! The libraries that Intuit and Xero publish themselves.

use super::Suite;

const SUITES: [Suite; 8] = [
    Suite { script: "quickbooks_sign_in.py", calls: 40, records: 0, fields: 0, checks: 55 },
    Suite { script: "quickbooks_sign_in.cjs", calls: 35, records: 0, fields: 0, checks: 35 },
    Suite { script: "xero_sign_in.py", calls: 40, records: 2, fields: 0, checks: 50 },
    Suite { script: "xero_sign_in.cjs", calls: 28, records: 80, fields: 0, checks: 32 },
    Suite { script: "xero_reading.py", calls: 450, records: 6_000, fields: 210_000, checks: 800 },
    Suite { script: "xero_reading.cjs", calls: 375, records: 5_400, fields: 190_000, checks: 290 },
    Suite { script: "xero_writing.py", calls: 50, records: 24, fields: 900, checks: 50 },
    Suite { script: "xero_writing.cjs", calls: 30, records: 16, fields: 0, checks: 32 },
];

/// `intuit-oauth` for Python and Node, `xero-python`, `xero-node`: whole OAuth lives, every resource, filters, changes, journals, reports, writes,
/// refusals, limits. `xero-node` cannot be told another address for signing in, so its script looks Xero's names up by itself, as the sandbox's TLS port.
// proves J2
// quickbooks facts 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 21, 22, 23, 24, 25, 26, 37, 99, 109, 111
// xero facts 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23
// xero facts 25, 27, 28, 30, 31, 32, 33, 34, 36, 38, 39, 40, 41, 42, 43, 45, 46, 49, 50, 54, 55, 59, 60, 61, 72, 74, 79, 83, 87
#[test]
fn the_official_libraries_of_both_providers_run_against_it_unmodified() {
    std::thread::scope(|scope| {
        let running = SUITES.map(|suite| (suite.script, scope.spawn(move || suite.judge())));
        // every one is waited for: what is wrong in one says nothing about the others
        let failed: Vec<String> = running.into_iter().filter_map(|(script, suite)| suite.join().err().map(|error| said(script, &error))).collect();
        assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    });
}

fn said(script: &str, panic: &(dyn std::any::Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| format!("{script} broke off"))
}
