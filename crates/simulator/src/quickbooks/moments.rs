//! QuickBooks' way with times: shown in US Pacific time with the offset of that day, read in several spellings.
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::sync::LazyLock;

/// US Pacific by rule, so that no time-zone database is needed; every recording shows this zone (contract 2.6).
static PACIFIC: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::posix("PST8PDT,M3.2.0,M11.1.0").expect("a POSIX rule of US Pacific time"));

fn pacific(at: Timestamp) -> Zoned {
    at.to_zoned(PACIFIC.clone())
}

/// The day in the zone that times are shown in.
pub fn day(at: Timestamp) -> Date {
    pacific(at).date()
}

/// `2026-05-05T03:24:10-07:00`, as MetaData and report headers show it.
pub fn seconds(at: Timestamp) -> String {
    pacific(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `2020-09-29T06:03:07.405-07:00`, as the envelope shows it.
pub fn milliseconds(at: Timestamp) -> String {
    pacific(at).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// Reads `YYYY-MM-DD`, `…THH:MM:SS[.fff]`, `…Z`, `…±HH:MM`, `…±HHMM`; without an offset it is Pacific time (contract 2.6). A blank in
/// the place of the sign is the `+` that a form decoder ate.
pub fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if !text.is_ascii() {
        return None;
    }
    let Some((day, clock)) = text.split_once(['T', 't']) else {
        let midnight = text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight());
        return midnight.to_zoned(PACIFIC.clone()).ok().map(|zoned| zoned.timestamp());
    };
    let split = clock.find(['Z', 'z', '+', '-', ' ']);
    let (clock, offset) = clock.split_at(split.unwrap_or(clock.len()));
    let local: DateTime = day.parse::<Date>().ok()?.to_datetime(clock.parse().ok()?);
    match offset.get(..1) {
        None => local.to_zoned(PACIFIC.clone()).ok().map(|zoned| zoned.timestamp()),
        Some("Z" | "z") if offset.len() == 1 => local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()),
        Some("Z" | "z") => None,
        Some(sign) => {
            let digits: String = offset[1..].chars().filter(|c| *c != ':').collect();
            if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let hours: i32 = digits[..2].parse().ok()?;
            let minutes: i32 = digits.get(2..4).map_or(Ok(0), str::parse).ok()?;
            let total = (hours * 60 + minutes) * 60 * if sign == "-" { -1 } else { 1 };
            let offset = jiff::tz::Offset::from_seconds(total).ok()?;
            offset.to_timestamp(local).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a test's time")
    }

    // quickbooks fact 34
    #[test]
    fn metadata_times_follow_pacific_summer_time_without_milliseconds() {
        assert_eq!(seconds(at("2026-05-05T10:24:10.9Z")), "2026-05-05T03:24:10-07:00");
        assert_eq!(seconds(at("2026-01-05T10:24:10Z")), "2026-01-05T02:24:10-08:00");
        assert_eq!(milliseconds(at("2020-09-29T13:03:07.405Z")), "2020-09-29T06:03:07.405-07:00");
    }

    // quickbooks fact 55
    #[test]
    fn every_documented_spelling_of_a_time_is_read_as_the_same_instant() {
        let instant = at("2026-05-05T10:24:10Z");
        for text in [
            "2026-05-05T10:24:10Z",
            "2026-05-05T03:24:10-07:00",
            "2026-05-05T03:24:10-0700",
            "2026-05-05T03:24:10",
            "2026-05-05T12:24:10+02:00",
            "2026-05-05T12:24:10 02:00",
            "2026-05-05T10:24:10.000Z",
        ] {
            assert_eq!(read(text), Some(instant), "{text}");
        }
        assert_eq!(read("2026-05-05"), Some(at("2026-05-05T07:00:00Z")));
        for wrong in ["", "yesterday", "2026-13-01", "2026-05-05T", "2026-05-05T10:00:00Zulu", "2026-05-05T10:00:00+1", "2026-05-05T10:00:00+99:99"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
