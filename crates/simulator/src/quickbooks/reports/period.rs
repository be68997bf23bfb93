//! What a report covers: a period, given by dates or a date macro, on the accrual or the cash basis, and what it is narrowed to.
use super::Parameters;
use super::filter::Filter;
use crate::books::{Basis, Books};
use crate::quickbooks::dates;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::{View, company};
use jiff::Span;
use jiff::civil::{Date, date};

#[derive(Clone)]
pub struct Period {
    pub from: Date,
    pub to: Date,
    /// "Appears only when the period came from a macro" (contract 6.3).
    pub date_macro: Option<String>,
    pub basis: Basis,
    pub filter: Filter,
}

impl Period {
    /// Explicit dates win. Without any, recordings show this month-to-date, whatever the reference page says (contract 6.2).
    pub fn read(view: &View, parameters: &Parameters) -> Result<Period, Refusal> {
        let basis = basis(view, parameters)?;
        let filter = Filter::read(parameters)?;
        let today = dates::day_of(view.books, view.now);
        let asked = |name: &'static str| {
            let wrong = |value: &str| Refusal::invalid_parameter(name, format!("Invalid date, expected YYYY-MM-DD. Supplied value:{value}"));
            parameters.get(name).map(|value| value.parse::<Date>().map_err(|_| wrong(value))).transpose()
        };
        let (start, end) = (asked("start_date")?, asked("end_date")?);
        if start.is_none() && end.is_none() {
            let name = parameters.get("date_macro").unwrap_or("this month-to-date");
            let (from, to) = macro_period(view.books, name, today).ok_or_else(|| {
                Refusal::invalid_parameter(
                    "date_macro",
                    format!("Supplied value:{name}. It is none of the date macros, such as This Month or Last Fiscal Year"),
                )
            })?;
            return Ok(Period { from, to, date_macro: Some(name.to_owned()), basis, filter });
        }
        let to = end.unwrap_or_else(|| today.max(start.unwrap_or(today)));
        let from = start.unwrap_or_else(|| view.books.fiscal_year_start(to));
        if from > to {
            return Err(Refusal::invalid_parameter("start_date", "start_date must be less than end_date"));
        }
        Ok(Period { from, to, date_macro: None, basis, filter })
    }
}

/// `accounting_method`; without it Preferences' ReportBasis.
fn basis(view: &View, parameters: &Parameters) -> Result<Basis, Refusal> {
    let method = parameters.get("accounting_method").map_or_else(|| company::report_basis(view.books), str::to_owned);
    [Basis::Accrual, Basis::Cash]
        .into_iter()
        .find(|basis| basis.word().eq_ignore_ascii_case(&method))
        .ok_or_else(|| Refusal::invalid_parameter("accounting_method", format!("Supplied value:{method}. Valid values are Cash, Accrual")))
}

/// The stretches of time that macros speak of.
#[derive(Clone, Copy)]
enum Stretch {
    Week,
    Month,
    FiscalQuarter,
    FiscalYear,
    CalendarQuarter,
    CalendarYear,
}

impl Stretch {
    fn named(word: &str) -> Option<Stretch> {
        Some(match word {
            "week" => Stretch::Week,
            "month" => Stretch::Month,
            "fiscal quarter" => Stretch::FiscalQuarter,
            "fiscal year" => Stretch::FiscalYear,
            "calendar quarter" => Stretch::CalendarQuarter,
            "calendar year" => Stretch::CalendarYear,
            _ => return None,
        })
    }

    /// The first day of the one that a day is in. Weeks begin on Sundays.
    fn start(self, books: &Books, day: Date) -> Date {
        let months_back = |first_month: i8| i64::from((i16::from(day.month()) - i16::from(first_month)).rem_euclid(3));
        let month = dates::month_start(day);
        match self {
            Stretch::Week => day.saturating_sub(Span::new().days(i64::from(day.weekday().to_sunday_zero_offset()))),
            Stretch::Month => month,
            Stretch::FiscalQuarter => month.saturating_sub(Span::new().months(months_back(books.fiscal_year_start_month))),
            Stretch::CalendarQuarter => month.saturating_sub(Span::new().months(months_back(1))),
            Stretch::FiscalYear => books.fiscal_year_start(day),
            Stretch::CalendarYear => date(day.year(), 1, 1),
        }
    }

    fn length(self) -> Span {
        match self {
            Stretch::Week => Span::new().days(7),
            Stretch::Month => Span::new().months(1),
            Stretch::FiscalQuarter | Stretch::CalendarQuarter => Span::new().months(3),
            Stretch::FiscalYear | Stretch::CalendarYear => Span::new().months(12),
        }
    }
}

/// The macros of the schema (contract 6.2): `This Week`, `Last Fiscal Quarter-to-date`, `Next 4 Weeks`, ...
fn macro_period(books: &Books, name: &str, today: Date) -> Option<(Date, Date)> {
    let name = name.to_ascii_lowercase();
    let yesterday = dates::day_before(today);
    match name.as_str() {
        "all" => return Some((books.first_date().unwrap_or(today).min(today), books.last_date().unwrap_or(today).max(today))),
        "today" => return Some((today, today)),
        "yesterday" => return Some((yesterday, yesterday)),
        "next 4 weeks" => {
            let from = Stretch::Week.start(books, today).saturating_add(Span::new().days(7));
            return Some((from, from.saturating_add(Span::new().days(27))));
        }
        _ => {}
    }
    let (plain, to_date) = name.strip_suffix("-to-date").map_or((name.as_str(), false), |plain| (plain, true));
    let (which, word) = plain.split_once(' ')?;
    let stretch = Stretch::named(word)?;
    let this = stretch.start(books, today);
    let (from, as_of) = match which {
        "this" => (this, today),
        "last" => (this.saturating_sub(stretch.length()), today.saturating_sub(stretch.length())),
        "next" if !to_date => (this.saturating_add(stretch.length()), today),
        _ => return None,
    };
    let end = dates::day_before(from.saturating_add(stretch.length()));
    Some((from, if to_date { as_of.min(end) } else { end }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::Face;

    #[test]
    fn macros_name_their_days() {
        let at = "2025-01-01T00:00:00Z".parse().expect("a time");
        let books = Books::new(Face::QuickBooks, "1", "Shop", "US", "USD", "America/Los_Angeles", 7, 1, at);
        let today = date(2025, 8, 20);
        for (name, from, to) in [
            ("This Week", date(2025, 8, 17), date(2025, 8, 23)),
            ("Last Week-to-date", date(2025, 8, 10), date(2025, 8, 13)),
            ("Next Week", date(2025, 8, 24), date(2025, 8, 30)),
            ("Next 4 Weeks", date(2025, 8, 24), date(2025, 9, 20)),
            ("This Month-to-date", date(2025, 8, 1), date(2025, 8, 20)),
            ("Last Month", date(2025, 7, 1), date(2025, 7, 31)),
            ("Next Month", date(2025, 9, 1), date(2025, 9, 30)),
            ("This Fiscal Quarter", date(2025, 7, 1), date(2025, 9, 30)),
            ("Last Fiscal Quarter-to-date", date(2025, 4, 1), date(2025, 5, 20)),
            ("This Calendar Quarter-to-date", date(2025, 7, 1), date(2025, 8, 20)),
            ("This Fiscal Year", date(2025, 7, 1), date(2026, 6, 30)),
            ("Last Fiscal Year-to-date", date(2024, 7, 1), date(2024, 8, 20)),
            ("Last Calendar Year", date(2024, 1, 1), date(2024, 12, 31)),
            ("Next Fiscal Year", date(2026, 7, 1), date(2027, 6, 30)),
            ("yesterday", date(2025, 8, 19), date(2025, 8, 19)),
        ] {
            assert_eq!(macro_period(&books, name, today), Some((from, to)), "{name}");
        }
        for name in ["thisyeartolastmonth1", "Next Month-to-date", "This Decade", ""] {
            assert_eq!(macro_period(&books, name, today), None, "{name}");
        }
    }
}
