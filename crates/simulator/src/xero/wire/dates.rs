//! Dates as Xero writes and reads them: `/Date(ms+0000)/` and its twins, If-Modified-Since in every form clients send.
//!
//! Contract: providers/xero.md section 3.3 and 3.4 (developer.xero.com, "Requests and responses").
use super::json::Object;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

const MONTHS: [&str; 12] = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// Midnight UTC of a calendar date, in milliseconds; business dates have no zone.
pub fn midnight_ms(date: Date) -> i64 {
    midnight(date).as_millisecond()
}

pub fn midnight(date: Date) -> Timestamp {
    date.at(0, 0, 0, 0).to_zoned(TimeZone::UTC).expect("UTC has every midnight").timestamp()
}

/// `/Date(1776297600000+0000)/`, the slashes escaped as Xero does.
pub fn ms_date(date: Date) -> String {
    format!("\"\\/Date({}+0000)\\/\"", midnight_ms(date))
}

/// `/Date(1595203200000)/`: JournalDate has no offset.
pub fn ms_date_bare(date: Date) -> String {
    format!("\"\\/Date({})\\/\"", midnight_ms(date))
}

pub fn ms_time(at: Timestamp) -> String {
    format!("\"\\/Date({}+0000)\\/\"", at.as_millisecond())
}

/// DateTimeUTC and the Organisation's CreatedDateUTC have no offset.
pub fn ms_time_bare(at: Timestamp) -> String {
    format!("\"\\/Date({})\\/\"", at.as_millisecond())
}

/// The milliseconds of a date or time as Xero writes it, `/Date(1776297600000+0000)/`.
pub fn read_ms(text: &str) -> Option<i64> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let digits = inner.get(1..).and_then(|rest| rest.find(['+', '-'])).map_or(inner, |sign| &inner[..=sign]);
    digits.parse().ok()
}

/// `2026-04-16T00:00:00`, the form of DateString and DueDateString.
pub fn date_string(date: Date) -> String {
    format!("{date}T00:00:00")
}

/// `2026-04-16T10:11:12+00:00`: UpdatedDateUTCString, ISO 8601 with offset.
pub fn time_string(at: Timestamp) -> String {
    format!("{}+00:00", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

/// Seven fraction digits and no zone, as /connections prints times.
pub fn connection_time(at: Timestamp) -> String {
    let seconds = at.strftime("%Y-%m-%dT%H:%M:%S");
    format!("{seconds}.{:07}", at.subsec_nanosecond() / 100)
}

/// `03/03/2020 09:46:07`: the US form in the TokenExpired message.
pub fn us_time(at: Timestamp) -> String {
    at.strftime("%m/%d/%Y %H:%M:%S").to_string()
}

/// `4/30/2019`: the form of a report's fromDate and toDate attributes.
pub fn us_date(date: Date) -> String {
    format!("{}/{}/{}", date.month(), date.day(), date.year())
}

/// `24 April 2019`: ReportDate and titles.
pub fn long_date(date: Date) -> String {
    format!("{} {} {}", date.day(), MONTHS[month_index(date)], date.year())
}

/// `30 Apr 2019`: columns of the balance sheet.
pub fn short_date(date: Date) -> String {
    format!("{} {} {}", date.day(), &MONTHS[month_index(date)][..3], date.year())
}

/// `28 Feb 18`: columns of profit and loss.
pub fn column_date(date: Date) -> String {
    format!("{} {} {:02}", date.day(), &MONTHS[month_index(date)][..3], date.year().rem_euclid(100))
}

fn month_index(date: Date) -> usize {
    usize::try_from(date.month() - 1).expect("months count from 1")
}

/// A business date with its twin: `DateString` then `Date`.
pub fn twins(object: Object, name: &str, date: Date) -> Object {
    object.text(&format!("{name}String"), &date_string(date)).raw(name, &ms_date(date))
}

/// `UpdatedDateUTC` with its twin, on the entities that have both since 16 July 2026.
pub fn updated_twins(object: Object, at: Timestamp) -> Object {
    object.raw("UpdatedDateUTC", &ms_time(at)).text("UpdatedDateUTCString", &time_string(at))
}

/// The calendar date now in the organisation's zone.
pub fn today(now: Timestamp, time_zone: &str) -> Date {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    now.to_zoned(zone).date()
}

pub fn first_of_month(date: Date) -> Date {
    date.first_of_month()
}

pub fn last_of_month(date: Date) -> Date {
    date.last_of_month()
}

/// The same day some months earlier, moved to the month's last day where the month is shorter.
pub fn months_before(date: Date, months: i64) -> Option<Date> {
    date.checked_sub(months.months()).ok()
}

/// The first day of the fiscal year a date lies in.
pub fn fiscal_year_start(date: Date, start_month: i8) -> Date {
    let year = if date.month() >= start_month { date.year() } else { date.year() - 1 };
    Date::new(year, start_month, 1).expect("the first of a month exists")
}

/// If-Modified-Since in the documented form (no zone, UTC) and in those the official libraries send: with milliseconds and Z, with an
/// offset, RFC 1123, or a bare date. Its precision is one second.
pub fn modified_since(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let at = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(|civil| civil.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp()))
        .or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))?;
    Timestamp::from_second(at.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    // xero fact 30
    #[test]
    fn every_form_of_if_modified_since_names_the_same_second() {
        let expected: Timestamp = "2026-04-16T00:00:00Z".parse().unwrap();
        for form in [
            "2026-04-16T00:00:00",
            "2026-04-16T00:00:00.000Z",
            "2026-04-16T00:00:00.123Z",
            "2026-04-16T00:00:00+00:00",
            "2026-04-16T12:00:00+12:00",
            "Thu, 16 Apr 2026 00:00:00 GMT",
            "2026-04-16",
        ] {
            assert_eq!(modified_since(form), Some(expected), "{form}");
        }
        assert_eq!(modified_since("yesterday"), None);
    }

    #[test]
    fn dates_print_as_the_provider_prints_them() {
        let day = date(2026, 4, 16);
        assert_eq!(ms_date(day), r#""\/Date(1776297600000+0000)\/""#);
        assert_eq!(ms_date_bare(date(1969, 12, 31)), r#""\/Date(-86400000)\/""#);
        assert_eq!(date_string(day), "2026-04-16T00:00:00");
        assert_eq!(long_date(day), "16 April 2026");
        assert_eq!(column_date(date(2018, 2, 28)), "28 Feb 18");
        assert_eq!(us_date(date(2019, 4, 1)), "4/1/2019");
        let at: Timestamp = "2026-04-20T11:47:10.336544Z".parse().unwrap();
        assert_eq!(connection_time(at), "2026-04-20T11:47:10.3365440");
        assert_eq!(us_time("2020-03-03T09:46:07Z".parse().unwrap()), "03/03/2020 09:46:07");
    }

    #[test]
    fn a_fiscal_year_starts_before_the_date_it_holds() {
        assert_eq!(fiscal_year_start(date(2026, 3, 31), 4), date(2025, 4, 1));
        assert_eq!(fiscal_year_start(date(2026, 4, 1), 4), date(2026, 4, 1));
        assert_eq!(fiscal_year_start(date(2026, 12, 31), 1), date(2026, 1, 1));
    }
}
