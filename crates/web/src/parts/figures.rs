//! Counts, sizes and accounting days as people read them.

/// What can be counted; templates pass references.
pub trait Whole {
    fn whole(&self) -> i64;
}
macro_rules! whole {
    ($($number:ty),*) => {$(
        impl Whole for $number {
            fn whole(&self) -> i64 { i64::try_from(*self).unwrap_or(i64::MAX) }
        }
    )*};
}
whole!(i64, u64, usize, u32, i32);
impl<T: Whole> Whole for &T {
    fn whole(&self) -> i64 {
        (*self).whole()
    }
}

/// With thousands separators: `31,000`.
pub fn count(number: impl Whole) -> String {
    domain::money::grouped(number.whole())
}

/// `1 company`, `12 companies`.
pub fn counted(number: impl Whole, one: &str, many: &str) -> String {
    let number = number.whole();
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Counted up to a cap: `1,000+`.
pub fn capped(number: i64, cap: i64) -> String {
    if number >= cap { format!("{}+", count(cap)) } else { count(number) }
}

/// `820 B`, `14.2 kB`, `3.1 MB`.
pub fn size(bytes: i64) -> String {
    match bytes.max(0) {
        bytes @ 0..=999 => format!("{bytes} B"),
        bytes @ 1_000..=999_999 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        bytes => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// An accounting day, which has no zone and is never shifted: `2026-01-31` as `31 Jan 2026`.
pub fn day(text: &str) -> String {
    text.parse::<jiff::civil::Date>().map_or_else(|_| text.to_owned(), |day| day.strftime("%-d %b %Y").to_string())
}

/// `2026-01` as `January 2026`.
pub fn month(text: &str) -> String {
    domain::clock::Month::parse(text).map_or_else(|| text.to_owned(), |month| month.first_day().strftime("%B %Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_capped() {
        assert_eq!([count(0), count(999), count(31_000), count(-1_234_567)], ["0", "999", "31,000", "-1,234,567"]);
        assert_eq!([capped(999, 1_000), capped(1_000, 1_000)], ["999", "1,000+"]);
        assert_eq!([counted(1, "company", "companies"), counted(1_200, "company", "companies")], ["1 company", "1,200 companies"]);
        assert_eq!([size(820), size(14_260), size(3_150_000)], ["820 B", "14.2 kB", "3.1 MB"]);
        assert_eq!([day("2026-01-31"), month("2026-01"), day("soon")], ["31 Jan 2026", "January 2026", "soon"]);
    }
}
