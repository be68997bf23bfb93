//! What people are told without looking: its kinds, and when a person is not to be disturbed.
use crate::clock::Timestamp;
use jiff::tz::TimeZone;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeKind {
    /// A provider refuses an account.
    SignInExpired,
    /// The same cause ended two runs of a company.
    RepeatedFailure,
    /// A company has not been synced for long, and no incident says why.
    Stale,
    /// Our books and the provider's differ, also after they were read again.
    NotVerified,
    /// Somebody asked whether notices arrive.
    Test,
}

impl NoticeKind {
    /// Those a person chooses about.
    pub const CHOSEN: [NoticeKind; 4] = [NoticeKind::SignInExpired, NoticeKind::RepeatedFailure, NoticeKind::Stale, NoticeKind::NotVerified];
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeKind::SignInExpired => "sign_in_expired",
            NoticeKind::RepeatedFailure => "repeated_failure",
            NoticeKind::Stale => "stale",
            NoticeKind::NotVerified => "not_verified",
            NoticeKind::Test => "test",
        }
    }
    pub fn parse(word: &str) -> Option<NoticeKind> {
        NoticeKind::CHOSEN.into_iter().chain([NoticeKind::Test]).find(|kind| kind.as_str() == word)
    }
    pub fn label(self) -> &'static str {
        match self {
            NoticeKind::SignInExpired => "Sign-in expired",
            NoticeKind::RepeatedFailure => "Repeated failure",
            NoticeKind::Stale => "Stale",
            NoticeKind::NotVerified => "Not verified",
            NoticeKind::Test => "Test",
        }
    }
    pub fn explanation(self) -> &'static str {
        match self {
            NoticeKind::SignInExpired => "A provider no longer accepts an account; its companies stop.",
            NoticeKind::RepeatedFailure => "The same cause ended two syncs of a company in a row.",
            NoticeKind::Stale => "A company has not been synced for a day, or for four of its intervals where that is longer.",
            NoticeKind::NotVerified => "The books differ from the provider's own report, also after they were read again.",
            NoticeKind::Test => "Shows that notices arrive.",
        }
    }
}

/// Minutes of the day in somebody's zone between which no mail is sent; they may go over midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    pub from_minute: i64,
    pub until_minute: i64,
    pub zone: TimeZone,
}

impl QuietHours {
    /// When a mail of this moment may leave.
    pub fn leaves_at(&self, now: Timestamp) -> Timestamp {
        let local = now.to_zoned(self.zone.clone());
        let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
        let (from, until) = (self.from_minute, self.until_minute);
        let is_quiet = if from <= until { (from..until).contains(&minute) } else { minute >= from || minute < until };
        if !is_quiet {
            return now;
        }
        let day = if minute >= until { local.date().tomorrow().unwrap_or(local.date()) } else { local.date() };
        let (hour, minute) = (i8::try_from(until / 60).unwrap_or(0), i8::try_from(until % 60).unwrap_or(0));
        day.at(hour.clamp(0, 23), minute.clamp(0, 59), 0, 0).to_zoned(self.zone.clone()).map_or(now, |end| end.timestamp())
    }
}

/// `22:30` as minutes of the day.
pub fn minute_of_day(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    Some(two_digits(hour, 23)? * 60 + two_digits(minute, 59)?)
}

fn two_digits(text: &str, most: i64) -> Option<i64> {
    let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_number && *number <= most)
}

/// Minutes of the day as `22:30`.
pub fn clock_text(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_of_the_night_leaves_in_the_morning_of_that_persons_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let quiet = QuietHours { from_minute: 22 * 60, until_minute: 7 * 60 + 30, zone: zone.clone() };
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let leaves = |text: &str| quiet.leaves_at(at(text)).to_string();
        assert_eq!(leaves("2026-11-22T12:00:00Z"), "2026-11-22T12:00:00Z");
        assert_eq!(leaves("2026-11-22T20:00:00Z"), "2026-11-23T05:30:00Z", "22:00 there, until the next morning");
        assert_eq!(leaves("2026-11-22T23:10:00Z"), "2026-11-23T05:30:00Z");
        assert_eq!(leaves("2026-11-23T05:30:00Z"), "2026-11-23T05:30:00Z");
        let noon = QuietHours { from_minute: 12 * 60, until_minute: 13 * 60, zone };
        assert_eq!(noon.leaves_at(at("2026-11-22T10:30:00Z")).to_string(), "2026-11-22T11:00:00Z");
        assert_eq!(noon.leaves_at(at("2026-11-22T11:00:00Z")).to_string(), "2026-11-22T11:00:00Z");
        let none = QuietHours { from_minute: 60, until_minute: 60, zone: TimeZone::UTC };
        assert_eq!(none.leaves_at(at("2026-11-22T01:00:00Z")).to_string(), "2026-11-22T01:00:00Z");
    }

    #[test]
    fn times_of_day_are_two_pairs_of_digits() {
        assert_eq!([minute_of_day("00:00"), minute_of_day("23:59")], [Some(0), Some(1_439)]);
        assert_eq!(clock_text(1_350), "22:30");
        for wrong in ["", "24:00", "7:30", "07:60", "aa:bb", "07:30:00", "-1:00"] {
            assert_eq!(minute_of_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_kind_has_a_word_and_a_label() {
        for kind in NoticeKind::CHOSEN {
            assert_eq!(NoticeKind::parse(kind.as_str()), Some(kind));
            assert!(!kind.label().is_empty() && kind.explanation().ends_with('.'));
        }
    }
}
