//! What a report covers: a period, given by dates or a date macro, on the accrual or the cash basis.
use super::Parameters;
use crate::books::Basis;
use crate::quickbooks::dates;
use crate::quickbooks::refusal::Refusal;
use crate::quickbooks::wire::View;
use jiff::civil::{Date, date};

pub struct Period {
    pub from: Date,
    pub to: Date,
    /// "Appears only when the period came from a macro" (contract 6.3).
    pub date_macro: Option<String>,
    pub basis: Basis,
}

impl Period {
    /// Explicit dates win. Without any, recordings show this month-to-date, whatever the reference page says (contract 6.2).
    pub fn read(view: &View, parameters: &Parameters) -> Result<Period, Refusal> {
        let basis = basis(parameters)?;
        let today = dates::day_of(view.books, view.now);
        let asked = |name: &'static str| {
            let wrong = |value: &str| Refusal::invalid_parameter(name, format!("Invalid date, expected YYYY-MM-DD. Supplied value:{value}"));
            parameters.get(name).map(|value| value.parse::<Date>().map_err(|_| wrong(value))).transpose()
        };
        let (start, end) = (asked("start_date")?, asked("end_date")?);
        if start.is_none() && end.is_none() {
            let name = parameters.get("date_macro").unwrap_or("this month-to-date");
            let (from, to) = macro_period(view, name, today)?;
            return Ok(Period { from, to, date_macro: Some(name.to_owned()), basis });
        }
        let to = end.unwrap_or_else(|| today.max(start.unwrap_or(today)));
        let from = start.unwrap_or_else(|| view.books.fiscal_year_start(to));
        if from > to {
            return Err(Refusal::invalid_parameter("start_date", "start_date must be less than end_date"));
        }
        Ok(Period { from, to, date_macro: None, basis })
    }
}

/// `accounting_method`; without it Preferences' ReportBasis, which is Accrual here.
fn basis(parameters: &Parameters) -> Result<Basis, Refusal> {
    match parameters.get("accounting_method") {
        None => Ok(Basis::Accrual),
        Some(method) => [Basis::Accrual, Basis::Cash]
            .into_iter()
            .find(|basis| basis.word().eq_ignore_ascii_case(method))
            .ok_or_else(|| Refusal::invalid_parameter("accounting_method", format!("Supplied value:{method}. Valid values are Cash, Accrual"))),
    }
}

fn macro_period(view: &View, name: &str, today: Date) -> Result<(Date, Date), Refusal> {
    let year_start = |day: Date| date(day.year(), 1, 1);
    let fiscal = view.books.fiscal_year_start(today);
    let last_month = dates::day_before(dates::month_start(today));
    Ok(match name.to_ascii_lowercase().as_str() {
        "all" => (view.books.first_date().unwrap_or(today).min(today), view.books.last_date().unwrap_or(today).max(today)),
        "today" => (today, today),
        "yesterday" => (dates::day_before(today), dates::day_before(today)),
        "this month" => (dates::month_start(today), dates::month_end(today)),
        "this month-to-date" => (dates::month_start(today), today),
        "last month" => (dates::month_start(last_month), last_month),
        "this fiscal year" => (fiscal, dates::fiscal_year_end(fiscal)),
        "this fiscal year-to-date" => (fiscal, today),
        "last fiscal year" => (view.books.fiscal_year_start(dates::day_before(fiscal)), dates::day_before(fiscal)),
        "this calendar year" => (year_start(today), date(today.year(), 12, 31)),
        "this calendar year-to-date" => (year_start(today), today),
        "last calendar year" => (year_start(dates::day_before(year_start(today))), dates::day_before(year_start(today))),
        _ => {
            let known = "All, Today, Yesterday, This Month, This Month-to-date, Last Month, This Fiscal Year, This Fiscal Year-to-date, \
                         Last Fiscal Year, This Calendar Year, This Calendar Year-to-date, Last Calendar Year";
            return Err(Refusal::invalid_parameter("date_macro", format!("Supplied value:{name}. This sandbox knows: {known}")));
        }
    })
}
