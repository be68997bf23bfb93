//! Xero's dates: `/Date(1776297600000+0000)/`, with or without an offset, and ISO twins without a zone; all of them mean UTC.
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Reads a point in time. The offset of the `/Date()/` form is how it is to be shown; the milliseconds are UTC already.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        // a minus sign in front belongs to the milliseconds: dates before 1970 occur
        let digits_end = inner.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map_or(inner.len(), |(at, _)| at);
        let (milliseconds, offset) = inner.split_at(digits_end);
        let is_offset = offset.is_empty() || offset.len() == 5 && offset[1..].bytes().all(|byte| byte.is_ascii_digit());
        return if is_offset { Timestamp::from_millisecond(milliseconds.parse().ok()?).ok() } else { None };
    }
    text.parse::<Timestamp>().ok().or_else(|| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()))
}

/// Reads a calendar day: midnight UTC of the day, without any time zone meaning.
pub fn day(text: &str) -> Option<Date> {
    instant(text).map(|at| TimeZone::UTC.to_datetime(at).date())
}

/// The form of `If-Modified-Since` that the documentation names: UTC to the second, without a zone.
pub fn if_modified_since(at: Timestamp) -> String {
    let whole_second = Timestamp::from_second(at.as_second()).unwrap_or(at);
    TimeZone::UTC.to_datetime(whole_second).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Reads the head of a report column: `30 Apr 2019`, `28 Feb 18`, `Feb 28, 2018`, `Apr-19`. The month is what matters.
pub fn column_month(text: &str) -> Option<domain::clock::Month> {
    let words: Vec<String> = text.split([' ', '-', ',', '.']).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect();
    let month = words.iter().find_map(|word| MONTHS.iter().position(|name| word.starts_with(name)))?;
    let year: i16 = words.last()?.parse().ok()?;
    let year = if year < 100 { year + 2000 } else { year };
    Date::new(year, i8::try_from(month).ok()? + 1, 1).ok().map(domain::clock::Month::of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::clock::Month;
    use jiff::civil::date;

    #[test]
    fn days_are_the_calendar_days_of_utc() {
        assert_eq!(day("/Date(1776297600000+0000)/"), Some(date(2026, 4, 16)));
        assert_eq!(day("/Date(1776297600000)/"), Some(date(2026, 4, 16)));
        assert_eq!(day("2026-04-16T00:00:00"), Some(date(2026, 4, 16)));
        assert_eq!(day("/Date(-86400000+0000)/"), Some(date(1969, 12, 31)));
        assert_eq!(day("/Date(0+0000)/"), Some(date(1970, 1, 1)));
        // a day that would be another one in a local zone
        assert_eq!(day("/Date(1776297600000+1300)/"), Some(date(2026, 4, 16)));
    }

    #[test]
    fn what_is_not_a_date_is_refused() {
        for bad in [
            "",
            "/Date()/",
            "/Date(abc)/",
            "/Date(12",
            "/Date(1+00)/",
            "/Date(99999999999999999999)/",
            "/Date(9999999999999999)/",
            "yesterday",
            "/Date(--1)/",
        ] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }

    #[test]
    fn instants_keep_their_milliseconds() {
        assert_eq!(instant("/Date(1777034754042)/").unwrap().as_millisecond(), 1_777_034_754_042);
        assert_eq!(instant("2026-04-20T11:47:10.3365440").unwrap().as_millisecond(), 1_776_685_630_336);
        assert_eq!(if_modified_since(instant("/Date(1777034754042)/").unwrap()), "2026-04-24T12:45:54");
    }

    #[test]
    fn heads_of_report_columns_name_a_month() {
        let month = |year, month| Some(Month { year, month });
        assert_eq!(column_month("30 Apr 2019"), month(2019, 4));
        assert_eq!(column_month("28 Feb 18"), month(2018, 2));
        assert_eq!(column_month("Feb 28, 2018"), month(2018, 2));
        assert_eq!(column_month("Apr-19"), month(2019, 4));
        assert_eq!(column_month("31 December 2025"), month(2025, 12));
        assert_eq!(column_month("Variance"), None);
        assert_eq!(column_month(""), None);
    }
}
