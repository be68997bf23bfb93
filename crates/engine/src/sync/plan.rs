//! What a run does, in which order. Pure.
use domain::clock::Month;
use domain::data_type::{DataType, Group};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Changes are asked for from this long before the cursor: both providers' clocks have a grain of a second and commit later than they stamp.
pub const OVERLAP_SECS: i64 = 300;

/// A stretch of days of the ledger, read in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub first: Month,
    pub last: Month,
}

impl Window {
    pub fn from(&self) -> Date {
        self.first.first_day()
    }
    pub fn to(&self) -> Date {
        self.last.last_day()
    }
    pub fn months(&self) -> Vec<Month> {
        self.first.through(self.last)
    }
    /// Two halves of whole months; `None` for a single month.
    pub fn halves(&self) -> Option<(Window, Window)> {
        let months = self.months();
        if months.len() < 2 {
            return None;
        }
        let middle = months[months.len() / 2 - 1];
        Some((Window { first: self.first, last: middle }, Window { first: middle.next(), last: self.last }))
    }
}

/// Groups months into windows of neighbours, none longer than `longest` months.
pub fn windows(months: &BTreeSet<Month>, longest: usize) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for month in months {
        match windows.last_mut() {
            Some(window) if window.last.next() == *month && window.months().len() < longest => window.last = *month,
            _ => windows.push(Window { first: *month, last: *month }),
        }
    }
    windows
}

/// The data types of one milestone, in the provider's order.
pub fn of_group(data_types: &[DataType], group: Group) -> Vec<DataType> {
    data_types.iter().copied().filter(|data_type| data_type.group() == group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(year: i16, month: i8) -> Month {
        Month { year, month }
    }

    #[test]
    fn neighbouring_months_are_read_together() {
        let months = BTreeSet::from([month(2025, 11), month(2025, 12), month(2026, 1), month(2026, 5)]);
        let windows = windows(&months, 2);
        assert_eq!(
            windows,
            [
                Window { first: month(2025, 11), last: month(2025, 12) },
                Window { first: month(2026, 1), last: month(2026, 1) },
                Window { first: month(2026, 5), last: month(2026, 5) },
            ]
        );
    }

    #[test]
    fn a_window_is_halved_down_to_a_month() {
        let year = Window { first: month(2025, 1), last: month(2025, 12) };
        let (first, second) = year.halves().expect("twelve months have halves");
        assert_eq!((first.last, second.first), (month(2025, 6), month(2025, 7)));
        assert_eq!(Window { first: month(2025, 1), last: month(2025, 1) }.halves(), None);
    }
}
