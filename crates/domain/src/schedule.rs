//! When a company is due.

/// How often a company is synced when nobody says otherwise.
pub const DEFAULT_INTERVAL_SECS: i64 = 3_600;

/// Companies are fresh when they were brought up to date within this time, unless somebody says otherwise.
pub const DEFAULT_FRESHNESS_SECS: i64 = 24 * 3_600;
/// How often a company may be synced: every quarter of an hour to once a month.
pub const INTERVAL_MINUTES: std::ops::RangeInclusive<i64> = 15..=43_200;
/// What freshness may be asked for: an hour to 90 days.
pub const FRESHNESS_HOURS: std::ops::RangeInclusive<i64> = 1..=2_160;

/// When a company is due next: one interval after `from_ms`, moved by up to a tenth of the interval in either direction so that companies
/// that were connected together do not ask their provider together. `random` is uniform over all of `u16`.
pub fn next_due_ms(from_ms: i64, interval_secs: i64, random: u16) -> i64 {
    let interval_ms = interval_secs * 1_000;
    let spread = interval_ms / 10;
    let offset = spread * 2 * i64::from(random) / i64::from(u16::MAX) - spread;
    from_ms + interval_ms + offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_a_tenth() {
        assert_eq!(next_due_ms(0, 3_600, 0), 3_240_000);
        assert_eq!(next_due_ms(0, 3_600, u16::MAX), 3_960_000);
        assert!((3_590_000..3_610_000).contains(&next_due_ms(0, 3_600, u16::MAX / 2)));
    }
}
