//! Calendar questions of a company: its day, its fiscal year, the months of a period.
use crate::books::Books;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The company's calendar day at a moment.
pub fn day_of(books: &Books, at: Timestamp) -> Date {
    at.to_zoned(TimeZone::get(&books.time_zone).unwrap_or(TimeZone::UTC)).date()
}

pub fn month_start(day: Date) -> Date {
    day.first_of_month()
}

pub fn month_end(day: Date) -> Date {
    day.last_of_month()
}

/// The last day of the fiscal year that begins on `start`.
pub fn fiscal_year_end(start: Date) -> Date {
    day_before(date(start.year().saturating_add(1), start.month(), 1))
}

/// The day before, or the same day at the beginning of time.
pub fn day_before(day: Date) -> Date {
    day.checked_sub(1.day()).unwrap_or(day)
}
