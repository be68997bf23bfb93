//! Calendar questions of a company: its day, its fiscal year, the months of a period.
use crate::books::Books;
use jiff::civil::Date;
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

/// The day before, or the same day at the beginning of time.
pub fn day_before(day: Date) -> Date {
    day.checked_sub(1.day()).unwrap_or(day)
}
