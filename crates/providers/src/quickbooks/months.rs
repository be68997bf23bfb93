//! ProfitAndLoss and BalanceSheet by month: the provider's own figures of every month.
use crate::error::{Call, ProviderError};
use crate::provider::{Books, FiscalYear, ReportBody, Reported};
use crate::quickbooks::QuickBooks;
use crate::quickbooks::fault::unexpected;
use crate::quickbooks::reports::{Cell, Column, Report, Row, account_of, amount};
use domain::clock::Month;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::verification::ReportedMonth;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Months in one call: keeps answers far below the limit of cells and of run time.
const MONTHS_IN_ONE_CALL: usize = 24;

type Figures = BTreeMap<Month, BTreeMap<String, Amount>>;

impl QuickBooks {
    pub(super) async fn read_months(
        &self,
        books: &Books<'_>,
        basis: Basis,
        first: Month,
        as_of: Date,
        facts: &FiscalYear,
    ) -> Result<Reported<BTreeMap<Month, ReportedMonth>>, ProviderError> {
        let months = first.through(Month::of(as_of));
        let mut figures: BTreeMap<Month, ReportedMonth> = months.iter().map(|month| (*month, ReportedMonth::default())).collect();
        let mut bodies = Vec::new();
        for span in months.chunks(MONTHS_IN_ONE_CALL) {
            let (from, to) = (span[0], span[span.len() - 1]);
            let (start, end) = (from.first_day().to_string(), to.last_day().min(as_of).to_string());
            let parameters = [("start_date", start.as_str()), ("end_date", end.as_str()), ("summarize_column_by", "Month")];
            for name in ["ProfitAndLoss", "BalanceSheet"] {
                let answer = self.read_report(books, name, basis, &parameters).await?;
                let read = by_month(&Report::read(&answer, basis, self.now())?, name, facts, &answer.call)?;
                for (month, accounts) in read {
                    let Some(reported) = figures.get_mut(&month) else {
                        return Err(unexpected(&format!("{name} has a column of a month that was not asked for"), answer.call));
                    };
                    if name == "ProfitAndLoss" {
                        reported.profit_and_loss = accounts;
                    } else {
                        reported.balance_sheet = accounts;
                    }
                }
                bodies.push(ReportBody::new(name, basis, format!("{from}..{to}"), answer.body));
            }
        }
        Ok(Reported { figures, bodies })
    }
}

/// The figures of each account and month, debits positive.
fn by_month(report: &Report<'_>, name: &str, facts: &FiscalYear, call: &Call) -> Result<Figures, ProviderError> {
    let months: Vec<(usize, Month)> =
        report.columns().iter().enumerate().filter_map(|(at, column)| month_of(column).map(|month| (at, month))).collect();
    if months.is_empty() {
        return Err(unexpected(&format!("{name} has no columns of months"), call.clone()));
    }
    let mut sheet = Sheet { months, figures: Figures::new(), name, facts, call };
    sheet.figures.extend(sheet.months.iter().map(|(_, month)| (*month, BTreeMap::new())));
    sheet.add_rows(report.rows(), Side::Debit, false)?;
    Ok(sheet.figures)
}

/// The side on which the accounts of a section grow: reports print each account in its natural sign.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Debit,
    Credit,
}

struct Sheet<'r> {
    months: Vec<(usize, Month)>,
    figures: Figures,
    name: &'r str,
    facts: &'r FiscalYear,
    call: &'r Call,
}

impl Sheet<'_> {
    /// Adds rows of data and the own amounts of section headers; summaries repeat them and computed rows have nothing else.
    fn add_rows(&mut self, rows: &[Row<'_>], side: Side, in_equity: bool) -> Result<(), ProviderError> {
        for row in rows {
            // the result of the running year is no account
            if row.group() == "NetIncome" {
                continue;
            }
            let side = match row.group() {
                "Income" | "OtherIncome" | "TotalLiabilitiesAndEquity" | "Liabilities" | "Equity" => Side::Credit,
                "COGS" | "Expenses" | "OtherExpenses" | "TotalAssets" => Side::Debit,
                _ => side,
            };
            let in_equity = in_equity || row.group() == "Equity";
            self.add_cells(row.cells.as_deref().unwrap_or_else(|| row.header()), side, in_equity)?;
            self.add_rows(row.inner(), side, in_equity)?;
        }
        Ok(())
    }

    fn add_cells(&mut self, cells: &[Cell<'_>], side: Side, in_equity: bool) -> Result<(), ProviderError> {
        let Some(label) = cells.first() else { return Ok(()) };
        let mut account: Option<String> = None;
        for (at, month) in &self.months {
            let natural = amount(cells, *at, self.call)?;
            if natural.is_zero() {
                continue;
            }
            if account.is_none() {
                account = account_of(label, self.facts);
            }
            let Some(account) = &account else {
                // "Net Income" of equity carries another name in some countries; it is computed and has no account
                if in_equity {
                    return Ok(());
                }
                return Err(unexpected(&format!("a row of {} names an account that is not in the chart", self.name), self.call.clone()));
            };
            let grows_by_debit = self.facts.debit_normal.get(account).copied().unwrap_or(side == Side::Debit);
            let signed = if grows_by_debit { natural } else { -natural };
            *self.figures.entry(*month).or_default().entry(account.clone()).or_default() += signed;
        }
        Ok(())
    }
}

/// The month of a money column: its metadata says so, or its title (`Jan 2026`, `Jan 1 - 15, 2026`). The total has neither.
fn month_of(column: &Column<'_>) -> Option<Month> {
    if !column.is_money() {
        return None;
    }
    if let Some(start) = column.meta("StartDate") {
        // the total column of some answers spans the whole period
        let (start, end): (Date, Option<Date>) = (start.parse().ok()?, column.meta("EndDate").and_then(|end| end.parse().ok()));
        let same = end.is_none_or(|end| Month::of(end) == Month::of(start));
        return (same && column.meta("ColKey") != Some("total")).then(|| Month::of(start));
    }
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let title = column.title();
    let at = NAMES.iter().position(|name| title.starts_with(name))?;
    Month::parse(&format!("{}-{}", title.get(title.len().checked_sub(4)?..)?, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quickbooks::reports::tests::answer;
    use jiff::Timestamp;

    fn facts() -> FiscalYear {
        let credit = ["33", "34", "79", "1", "45"];
        let debit = ["35", "84", "60", "61", "80", "37", "38"];
        FiscalYear {
            start_month: 1,
            debit_normal: credit.into_iter().map(|id| (id.to_owned(), false)).chain(debit.into_iter().map(|id| (id.to_owned(), true))).collect(),
            account_ids_by_name: BTreeMap::new(),
        }
    }
    fn read(body: &str, name: &str) -> Result<Figures, ProviderError> {
        let answer = answer(body);
        by_month(&Report::read(&answer, Basis::Accrual, Timestamp::UNIX_EPOCH)?, name, &facts(), &answer.call)
    }
    fn of(figures: &Figures, month: i8) -> Vec<(String, String)> {
        figures[&Month { year: 2026, month }].iter().map(|(id, amount)| (id.clone(), amount.to_string())).collect()
    }
    fn list(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn profit_and_loss_counts_rows_and_headers_but_no_summaries() {
        let figures = read(include_str!("fixtures/profit_and_loss.json"), "ProfitAndLoss").unwrap();
        assert_eq!(of(&figures, 1), list(&[("45", "-1200.00"), ("60", "89.09"), ("61", "19.99"), ("79", "-300.50"), ("80", "405.00")]));
        assert_eq!(of(&figures, 2), list(&[("45", "-800.00"), ("60", "-12.00"), ("80", "0.44")]));
        assert_eq!(figures.len(), 2);
    }

    #[test]
    fn the_balance_sheet_leaves_out_the_result_of_the_running_year() {
        let figures = read(include_str!("fixtures/balance_sheet.json"), "BalanceSheet").unwrap();
        assert_eq!(of(&figures, 1), list(&[("33", "-602.00"), ("34", "9337.50"), ("35", "1201.00"), ("84", "50.00")]));
        assert_eq!(of(&figures, 2), list(&[("33", "-602.00"), ("34", "9337.50"), ("35", "2101.00"), ("84", "50.00")]));
    }

    #[test]
    fn months_can_be_read_from_titles_and_totals_are_no_months() {
        let columns = |json: &str| {
            let body = format!(r#"{{"Columns":{{"Column":{json}}},"Rows":{{}}}}"#);
            read(&body, "ProfitAndLoss").map(|figures| figures.keys().map(Month::to_string).collect::<Vec<_>>())
        };
        let titles = r#"[{"ColTitle":"","ColType":"Account"},{"ColTitle":"Dec 2025","ColType":"Money"},{"ColTitle":"Jan 1 - 15, 2026","ColType":"Money"},{"ColTitle":"Total","ColType":"Money"}]"#;
        assert_eq!(columns(titles).unwrap(), ["2025-12", "2026-01"]);
        assert!(columns(r#"[{"ColTitle":"","ColType":"Account"},{"ColTitle":"Total","ColType":"Money"}]"#).is_err());
    }

    #[test]
    fn an_account_outside_the_chart_is_an_error_not_a_gap() {
        let bad = include_str!("fixtures/profit_and_loss.json").replace("\"id\": \"45\"", "\"other\": \"45\"");
        assert!(matches!(read(&bad, "ProfitAndLoss"), Err(ProviderError::UnexpectedAnswer { detail, .. }) if detail.contains("not in the chart")));
    }
}
