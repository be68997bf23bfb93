//! The libraries that most programs read QuickBooks with; Intuit publishes none for Python or Node.

use super::Suite;

// quickbooks facts 31, 32, 33, 36, 37, 43, 44, 45, 46, 48, 49, 50, 51, 52, 54, 55, 56, 57, 64, 65, 86, 91, 93, 95, 97, 99, 110
#[test]
fn python_quickbooks_reads_every_entity_by_every_way_and_loses_nothing() {
    Suite { script: "quickbooks_reading.py", calls: 400, records: 6_500, fields: 280_000, checks: 9_000 }.judge();
}

// quickbooks facts 30, 31, 37, 43, 47, 48, 49, 50, 51, 53, 54, 64, 65, 70, 112
#[test]
fn node_quickbooks_reads_every_entity_by_every_way_and_loses_nothing() {
    Suite { script: "quickbooks_reading.cjs", calls: 300, records: 5_500, fields: 130_000, checks: 95 }.judge();
}

// quickbooks facts 31, 39, 42, 72, 75, 76, 77, 79, 80, 81, 82, 83, 84, 86, 110
#[test]
fn python_quickbooks_writes_and_the_books_stay_balanced() {
    Suite { script: "quickbooks_writing.py", calls: 95, records: 60, fields: 550, checks: 120 }.judge();
}

// quickbooks facts 39, 72, 73, 74, 75, 76, 77, 83, 84, 86, 112
#[test]
fn node_quickbooks_writes_and_the_books_stay_balanced() {
    Suite { script: "quickbooks_writing.cjs", calls: 60, records: 22, fields: 500, checks: 70 }.judge();
}
