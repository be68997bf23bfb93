//! Time is passed in. `Clock` is the only way the product learns what time it is.
pub use jiff::Timestamp;
pub use jiff::civil::Date;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// What time it is, in UTC.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
    /// Milliseconds since 1970 in UTC: the form the database keeps.
    fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }
}

/// Milliseconds since 1970 as files and programs read them: `2026-01-31T09:05:00.000Z`.
pub fn instant(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The clock of this machine.
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place that asks the machine
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until a test moves it.
#[derive(Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub fn at(ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(ms)))
    }
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).expect("tests stay inside the range of Timestamp")
    }
}

/// The calendar month of a date as `2026-01`: how ledger windows and monthly figures are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    pub year: i16,
    pub month: i8,
}

impl Month {
    pub fn of(date: Date) -> Self {
        Self { year: date.year(), month: date.month() }
    }
    pub fn first_day(self) -> Date {
        Date::new(self.year, self.month, 1).expect("a month made from a date has a first day")
    }
    pub fn last_day(self) -> Date {
        self.first_day().last_of_month()
    }
    pub fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { year: self.year, month: self.month + 1 } }
    }
    pub fn previous(self) -> Self {
        if self.month == 1 { Self { year: self.year - 1, month: 12 } } else { Self { year: self.year, month: self.month - 1 } }
    }
    /// Every month from `self` to `last`, both included.
    pub fn through(self, last: Month) -> Vec<Month> {
        let mut months = Vec::new();
        let mut at = self;
        while at <= last {
            months.push(at);
            at = at.next();
        }
        months
    }
    /// Reads `2026-01`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok().map(Month::of)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// The first day of the fiscal year that holds `date`, for a year that begins with `start_month` (1-12).
pub fn fiscal_year_start(date: Date, start_month: i8) -> Date {
    let year = if date.month() >= start_month { date.year() } else { date.year() - 1 };
    Date::new(year, start_month, 1).expect("a fiscal year begins on the first of a month")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn fiscal_years_begin_where_they_say() {
        assert_eq!(fiscal_year_start(date(2026, 3, 31), 4), date(2025, 4, 1));
        assert_eq!(fiscal_year_start(date(2026, 4, 1), 4), date(2026, 4, 1));
        assert_eq!(fiscal_year_start(date(2026, 1, 1), 1), date(2026, 1, 1));
    }

    #[test]
    fn months_run_over_the_turn_of_a_year() {
        let months = Month::of(date(2025, 11, 30)).through(Month::of(date(2026, 2, 1)));
        let names: Vec<String> = months.iter().map(Month::to_string).collect();
        assert_eq!(names, ["2025-11", "2025-12", "2026-01", "2026-02"]);
        assert_eq!(Month::parse("2026-02").unwrap().last_day(), date(2026, 2, 28));
    }
}
