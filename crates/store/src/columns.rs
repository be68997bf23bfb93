//! Domain types and columns: days are text, instants are milliseconds, states are words.
use crate::db::Row;
use crate::error::StoreError;
use jiff::Timestamp;
use jiff::civil::Date;

pub fn day(text: &str) -> Result<Date, StoreError> {
    text.parse().map_err(|_| StoreError::Unreadable(format!("`{text}` is not a day")))
}

pub fn instant(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|_| StoreError::Unreadable(format!("{ms} is not an instant")))
}

/// A word of a closed set.
pub fn word<T>(row: &Row, at: usize, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let text = row.text(at)?;
    parse(&text).ok_or_else(|| StoreError::Unreadable(format!("`{text}` is not a word of its column")))
}
