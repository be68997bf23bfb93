//! Moments and spans as people read them: relative on the page, absolute in their zone and in UTC on hover.
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt;

/// A `<time>` element. The page's script keeps its relative words current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    iso: String,
    shown: String,
    absolute: String,
    is_relative: bool,
}

impl Moment {
    /// "3 minutes ago", "in 42 minutes".
    pub fn relative(ms: i64, now: Timestamp, zone: &TimeZone) -> Moment {
        let at = timestamp(ms);
        Moment { iso: iso(at), shown: relative_words(ms, now.as_millisecond()), absolute: absolute(at, zone), is_relative: true }
    }

    /// "22 Nov 2026, 21:09:41": for tables where the order of rows matters.
    pub fn exact(ms: i64, zone: &TimeZone) -> Moment {
        let at = timestamp(ms);
        let shown = at.to_zoned(zone.clone()).strftime("%-d %b %Y, %H:%M:%S").to_string();
        Moment { iso: iso(at), shown, absolute: absolute(at, zone), is_relative: false }
    }

    /// As it is read, where there can be no mark-up.
    pub fn plain(&self) -> &str {
        &self.shown
    }

    /// "14:20", with the day when it is another one.
    pub fn clock(ms: i64, now: Timestamp, zone: &TimeZone) -> Moment {
        let at = timestamp(ms);
        let (zoned, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()).date());
        let form = if zoned.date() == today { "%H:%M" } else { "%-d %b, %H:%M" };
        Moment { iso: iso(at), shown: zoned.strftime(form).to_string(), absolute: absolute(at, zone), is_relative: false }
    }

    pub fn words(&self) -> &str {
        &self.shown
    }
    pub fn absolute(&self) -> &str {
        &self.absolute
    }
}

fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn absolute(at: Timestamp, zone: &TimeZone) -> String {
    let utc = at.strftime("%-d %B %Y, %H:%M:%S UTC").to_string();
    if zone.iana_name().is_none_or(|name| name == "UTC") {
        return utc;
    }
    format!("{} ({utc})", at.to_zoned(zone.clone()).strftime("%-d %B %Y, %H:%M:%S %Z"))
}

/// The same words as `assets/app.js` writes when time passes. What has passed counts when it is full; what is to come is rounded, and in days for three
/// months: a link that was made for three days ends in three days.
fn relative_words(ms: i64, now_ms: i64) -> String {
    let (secs, is_past) = ((now_ms - ms).abs() / 1_000, ms <= now_ms);
    let (count, unit) = match secs {
        0..=44 if is_past => return "just now".to_owned(),
        0..=44 => return "in a moment".to_owned(),
        45..=3_599 if is_past => ((secs / 60).max(1), "minute"),
        3_600..=86_399 if is_past => (secs / 3_600, "hour"),
        86_400..=604_799 if is_past => (secs / 86_400, "day"),
        604_800..=2_591_999 if is_past => (secs / 604_800, "week"),
        2_592_000..=31_535_999 if is_past => (secs / 2_592_000, "month"),
        31_536_000.. if is_past => (secs / 31_536_000, "year"),
        ..3_570 => ((secs + 30) / 60, "minute"),
        3_570..84_600 => ((secs + 1_800) / 3_600, "hour"),
        84_600..8_640_000 => ((secs + 43_200) / 86_400, "day"),
        8_640_000..30_240_000 => ((secs + 1_296_000) / 2_592_000, "month"),
        _ => ((secs + 15_768_000) / 31_536_000, "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if is_past { format!("{count} {unit}{plural} ago") } else { format!("in {count} {unit}{plural}") }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.is_relative { " data-relative" } else { "" };
        write!(f, "<time datetime=\"{}\" title=\"{}\"{mark}>{}</time>", self.iso, self.absolute, self.shown)
    }
}

/// Digits and words of ours only; the name of a zone comes from the zone database.
impl askama::filters::HtmlSafe for Moment {}

/// How long something has been going on; the page's script lets it run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elapsed {
    iso: String,
    shown: String,
    absolute: String,
}

impl Elapsed {
    pub fn since(ms: i64, now: Timestamp, zone: &TimeZone) -> Elapsed {
        let at = timestamp(ms);
        Elapsed { iso: iso(at), shown: span((now.as_millisecond() - ms) / 1_000 * 1_000), absolute: absolute(at, zone) }
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<time datetime=\"{}\" title=\"since {}\" data-elapsed>{}</time>", self.iso, self.absolute, self.shown)
    }
}

/// Digits and words of ours only.
impl askama::filters::HtmlSafe for Elapsed {}

/// "1 min 12 s", "2 h 5 min".
pub fn span(ms: i64) -> String {
    match ms.max(0) {
        ms @ 0..=999 => format!("{ms} ms"),
        ms @ 1_000..=9_999 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        ms @ 10_000..=59_999 => format!("{} s", ms / 1_000),
        ms @ 60_000..=3_599_999 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        ms => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_say_how_long_ago_and_exactly_when() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let ago = |secs: i64| Moment::relative(now.as_millisecond() - secs * 1_000, now, &TimeZone::UTC).shown;
        assert_eq!([ago(2), ago(59), ago(150), ago(7_200), ago(200_000)], ["just now", "1 minute ago", "2 minutes ago", "2 hours ago", "2 days ago"]);
        assert_eq!([ago(-50), ago(-3_599), ago(-7_300), ago(-86_399)], ["in 1 minute", "in 1 hour", "in 2 hours", "in 1 day"]);
        assert_eq!([ago(-3 * 86_400 + 5), ago(-90 * 86_400 + 5), ago(-300 * 86_400)], ["in 3 days", "in 90 days", "in 10 months"]);
        let berlin = Moment::relative(now.as_millisecond(), now, &TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC));
        assert!(berlin.absolute.contains("21 September 2026, 14:13:20 UTC"), "{}", berlin.absolute);
        assert!(berlin.to_string().starts_with("<time datetime=\"2026-09-21T14:13:20Z\" title=\""));
    }

    #[test]
    fn spans_are_short_words() {
        assert_eq!([span(320), span(4_250), span(72_000), span(7_500_000)], ["320 ms", "4.2 s", "1 min 12 s", "2 h 5 min"]);
    }
}
