//! The frame of every QuickBooks report, and the trial balance.
use crate::error::{Call, ProviderError};
use crate::http::Answer;
use crate::provider::{Books, FiscalYear, ReportBody, Reported};
use crate::quickbooks::fault::{Fault, unexpected};
use crate::quickbooks::wire::Text;
use crate::quickbooks::{NAME, QuickBooks, frame};
use crate::report;
use domain::clock::fiscal_year_start;
use domain::ledger::Basis;
use domain::money::Amount;
use domain::verification::ReportedBalances;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What QuickBooks writes into a report of more than 400,000 cells, with status 200, instead of the rest.
const CUT_OFF: &str = "Unable to display more data";
/// The suffix of the name of an inactive account.
pub const INACTIVE_SUFFIX: &str = " (deleted)";

/// A report as received: columns, and rows within rows.
#[derive(Debug, Deserialize)]
pub struct Report<'a> {
    #[serde(rename = "Header", borrow)]
    heading: Option<Heading<'a>>,
    #[serde(rename = "Columns", borrow)]
    columns: Option<Columns<'a>>,
    #[serde(rename = "Rows", borrow)]
    rows: Option<Rows<'a>>,
    #[serde(rename = "Fault", alias = "fault")]
    fault: Option<Fault>,
}

#[derive(Debug, Deserialize)]
struct Heading<'a> {
    #[serde(rename = "ReportBasis", borrow)]
    basis: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
struct Columns<'a> {
    #[serde(rename = "Column", borrow)]
    column: Option<Vec<Column<'a>>>,
}

#[derive(Debug, Deserialize)]
pub struct Column<'a> {
    #[serde(rename = "ColTitle", borrow)]
    title: Option<Text<'a>>,
    #[serde(rename = "ColType", borrow)]
    kind: Option<Text<'a>>,
    #[serde(rename = "MetaData", borrow)]
    meta: Option<Vec<Meta<'a>>>,
}

#[derive(Debug, Deserialize)]
struct Meta<'a> {
    #[serde(rename = "Name", borrow)]
    name: Option<Text<'a>>,
    #[serde(rename = "Value", borrow)]
    value: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Rows<'a> {
    #[serde(rename = "Row", borrow)]
    row: Option<Vec<Row<'a>>>,
}

/// A leaf with cells, or a section with a header, rows and a summary, each of them optional.
#[derive(Debug, Deserialize)]
pub struct Row<'a> {
    #[serde(rename = "ColData", borrow)]
    pub cells: Option<Vec<Cell<'a>>>,
    #[serde(rename = "Header", borrow)]
    pub header: Option<Line<'a>>,
    #[serde(rename = "Rows", borrow)]
    pub rows: Option<Rows<'a>>,
    #[serde(rename = "Summary", borrow)]
    pub summary: Option<Line<'a>>,
    #[serde(borrow)]
    pub group: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub struct Line<'a> {
    #[serde(rename = "ColData", borrow)]
    pub cells: Option<Vec<Cell<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Cell<'a> {
    #[serde(borrow)]
    value: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
}

impl<'a> Report<'a> {
    /// Reads a report; one that was cut off is `TooLarge`, however well it looks, and one on the other basis is refused.
    pub fn read(answer: &'a Answer, basis: Basis, now: jiff::Timestamp) -> Result<Report<'a>, ProviderError> {
        if answer.body.contains(CUT_OFF) {
            return Err(ProviderError::TooLarge { provider: NAME, call: answer.call.clone() });
        }
        let report: Report<'a> = frame(answer)?;
        if let Some(fault) = &report.fault {
            return Err(fault.refusal(answer, now).into());
        }
        let said = report.heading.as_ref().and_then(|heading| heading.basis.as_ref());
        if let Some(Text(said)) = said.filter(|said| !said.0.eq_ignore_ascii_case(basis.label())) {
            return Err(unexpected(&format!("the report is on the {said} basis, asked for was {}", basis.label()), answer.call.clone()));
        }
        if report.columns().is_empty() {
            return Err(unexpected("the report has no columns", answer.call.clone()));
        }
        Ok(report)
    }
    pub fn columns(&self) -> &[Column<'a>] {
        self.columns.as_ref().and_then(|columns| columns.column.as_deref()).unwrap_or_default()
    }
    pub fn rows(&self) -> &[Row<'a>] {
        self.rows.as_ref().map(Rows::list).unwrap_or_default()
    }
    /// Where the first of these columns stands.
    pub fn column(&self, keys: &[&str]) -> Option<usize> {
        keys.iter().find_map(|key| self.columns().iter().position(|column| column.is(key)))
    }
}

impl<'a> Rows<'a> {
    pub fn list(&self) -> &[Row<'a>] {
        self.row.as_deref().unwrap_or_default()
    }
}

impl<'a> Row<'a> {
    pub fn inner(&self) -> &[Row<'a>] {
        self.rows.as_ref().map(Rows::list).unwrap_or_default()
    }
    pub fn header(&self) -> &[Cell<'a>] {
        self.header.as_ref().and_then(|line| line.cells.as_deref()).unwrap_or_default()
    }
    pub fn group(&self) -> &str {
        self.group.as_ref().map(|text| text.0.as_ref()).unwrap_or_default()
    }
}

impl Column<'_> {
    /// The key of a column stands in its metadata; in answers of some years ago, in its type.
    fn is(&self, key: &str) -> bool {
        match self.meta("ColKey") {
            Some(found) => found == key,
            None => self.kind.as_ref().is_some_and(|kind| kind.0 == key),
        }
    }
    pub fn meta(&self, name: &str) -> Option<&str> {
        let meta = self.meta.as_deref()?.iter().find(|meta| meta.name.as_ref().is_some_and(|text| text.0 == name))?;
        meta.value.as_ref().map(|text| text.0.as_ref())
    }
    pub fn title(&self) -> &str {
        self.title.as_ref().map(|text| text.0.as_ref()).unwrap_or_default()
    }
    pub fn is_money(&self) -> bool {
        self.kind.as_ref().is_some_and(|kind| kind.0 == "Money")
    }
}

impl Cell<'_> {
    pub fn value(&self) -> &str {
        self.value.as_ref().map(|text| text.0.as_ref()).unwrap_or_default()
    }
    pub fn id(&self) -> Option<&str> {
        self.id.as_ref().map(|text| text.0.as_ref()).filter(|id| !id.is_empty())
    }
}

/// The text of the cell at `at`; a row may be shorter than the columns.
pub fn value<'r>(cells: &'r [Cell<'_>], at: usize) -> &'r str {
    cells.get(at).map(Cell::value).unwrap_or_default()
}

/// The amount in the cell at `at`; an empty cell is zero.
pub fn amount(cells: &[Cell<'_>], at: usize, call: &Call) -> Result<Amount, ProviderError> {
    report::cell(value(cells, at))
        .map_err(|_| unexpected(&format!("a cell of column {} is not an amount of at most 4 decimals", at + 1), call.clone()))
}

/// The account a cell names: by id, or by its name in the chart. Inactive accounts carry a suffix, sub-accounts may be named with or
/// without their parents, and numbered ones with or without their number.
pub fn account_of(cell: &Cell<'_>, facts: &FiscalYear) -> Option<String> {
    if let Some(id) = cell.id() {
        return Some(id.to_owned());
    }
    let name = cell.value().trim();
    if name.is_empty() {
        return None;
    }
    let known = &facts.account_ids_by_name;
    let plain = name.strip_suffix(INACTIVE_SUFFIX).unwrap_or(name);
    let numbered = plain.split_once(' ').filter(|(number, _)| number.starts_with(|c: char| c.is_ascii_digit()));
    let direct =
        known.get(name).or_else(|| known.get(plain)).or_else(|| numbered.and_then(|(number, rest)| known.get(rest).or_else(|| known.get(number))));
    if let Some(id) = direct {
        return Some(id.clone());
    }
    let ending = format!(":{plain}");
    let mut candidates = known.iter().filter(|(full, _)| full.ends_with(&ending)).map(|(_, id)| id);
    match (candidates.next(), candidates.next()) {
        (Some(id), None) => Some(id.clone()),
        _ => None,
    }
}

impl QuickBooks {
    /// Asks from the first day of the fiscal year: right whether or not QuickBooks narrows profit-and-loss rows to the period.
    pub(super) async fn read_trial_balance(
        &self,
        books: &Books<'_>,
        basis: Basis,
        as_of: Date,
        facts: &FiscalYear,
    ) -> Result<Reported<ReportedBalances>, ProviderError> {
        let (start, end) = (fiscal_year_start(as_of, facts.start_month).to_string(), as_of.to_string());
        let answer = self.read_report(books, "TrialBalance", basis, &[("start_date", &start), ("end_date", &end)]).await?;
        let balances = trial_balance(&Report::read(&answer, basis, self.now())?, facts, &answer.call)?;
        let body = ReportBody::new("TrialBalance", basis, format!("as_of={as_of}"), answer.body);
        Ok(Reported { figures: ReportedBalances { as_of, balances }, bodies: vec![body] })
    }

    /// One report; the basis is always said, as its default is a preference of the company.
    pub(super) async fn read_report(
        &self,
        books: &Books<'_>,
        name: &str,
        basis: Basis,
        parameters: &[(&str, &str)],
    ) -> Result<Answer, ProviderError> {
        let mut parameters = parameters.to_vec();
        parameters.push(("accounting_method", basis.label()));
        Ok(self.read(books, &format!("GET report {name}"), &["reports", name], &parameters).await?)
    }
}

fn trial_balance(report: &Report<'_>, facts: &FiscalYear, call: &Call) -> Result<BTreeMap<String, Amount>, ProviderError> {
    let titled = |title: &str| report.columns().iter().position(|column| column.title().eq_ignore_ascii_case(title));
    let debit_at = titled("Debit").or_else(|| report.column(&["debit", "debt_amt", "debt_home_amt"]));
    let credit_at = titled("Credit").or_else(|| report.column(&["credit", "credit_amt", "credit_home_amt"]));
    let (debit_at, credit_at) = match (debit_at, credit_at) {
        (Some(debit_at), Some(credit_at)) => (debit_at, credit_at),
        // titles follow the company's language; the order of the three columns does not
        _ if report.columns().len() == 3 => (1, 2),
        _ => return Err(unexpected("TrialBalance has no debit and credit columns", call.clone())),
    };
    let mut balances = BTreeMap::new();
    let (mut debits, mut credits) = (Amount::ZERO, Amount::ZERO);
    let mut pending: Vec<&Row<'_>> = report.rows().iter().rev().collect();
    let mut count = 0;
    while let Some(row) = pending.pop() {
        pending.extend(row.inner().iter().rev());
        // a section's own amounts stand in its header; its summary repeats what its rows say
        let cells = row.cells.as_deref().unwrap_or_else(|| row.header());
        let (debit, credit) = (amount(cells, debit_at, call)?, amount(cells, credit_at, call)?);
        count += 1;
        if debit.is_zero() && credit.is_zero() {
            continue;
        }
        let account = cells.first().and_then(|cell| account_of(cell, facts));
        let account =
            account.ok_or_else(|| unexpected(&format!("row {count} of TrialBalance names an account that is not in the chart"), call.clone()))?;
        debits += debit;
        credits += credit;
        *balances.entry(account).or_default() += debit - credit;
    }
    let total =
        report.rows().iter().find(|row| row.group() == "GrandTotal").and_then(|row| row.summary.as_ref()).and_then(|line| line.cells.as_deref());
    if let Some(total) = total
        && (amount(total, debit_at, call)?, amount(total, credit_at, call)?) != (debits, credits)
    {
        return Err(unexpected("the rows of TrialBalance do not add up to its total", call.clone()));
    }
    Ok(balances)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use jiff::Timestamp;

    pub fn answer(body: &str) -> Answer {
        let call = Call { endpoint: "GET report".into(), http_status: Some(200), request_id: None };
        Answer { status: 200, body: body.into(), call, date: None, retry_after_secs: None, limit_problem: None }
    }
    fn facts() -> FiscalYear {
        let names = [("Bank:Checking", "35"), ("Old Truck", "37"), ("Fees Billed", "5"), ("4000", "44"), ("A:Rent", "60"), ("B:Rent", "61")];
        FiscalYear {
            start_month: 1,
            debit_normal: BTreeMap::new(),
            account_ids_by_name: names.into_iter().map(|(name, id)| (name.to_owned(), id.to_owned())).collect(),
        }
    }
    fn balances(body: &str) -> Result<BTreeMap<String, Amount>, ProviderError> {
        let answer = answer(body);
        trial_balance(&Report::read(&answer, Basis::Accrual, Timestamp::UNIX_EPOCH)?, &facts(), &answer.call)
    }

    #[test]
    fn debits_are_positive_and_names_stand_in_for_missing_ids() {
        let balances = balances(include_str!("fixtures/trial_balance.json")).unwrap();
        let expected = [("33", "-1602.67"), ("35", "4151.74"), ("37", "13495.00"), ("5", "-16044.07")];
        assert_eq!(balances, expected.into_iter().map(|(id, text)| (id.to_owned(), Amount::parse(text).unwrap())).collect());
    }

    #[test]
    fn accounts_without_an_id_are_found_by_any_form_of_their_name() {
        let found = |name: &str| account_of(&Cell { value: Some(Text(name.into())), id: None }, &facts());
        assert_eq!(found("Bank:Checking").as_deref(), Some("35"));
        assert_eq!(found("Checking").as_deref(), Some("35"));
        assert_eq!(found("Fees Billed (deleted)").as_deref(), Some("5"));
        assert_eq!(found("4000 Sales").as_deref(), Some("44"));
        assert_eq!(found("Rent"), None); // there are two
        assert_eq!(found(""), None);
    }

    #[test]
    fn a_trial_balance_that_cannot_be_trusted_is_refused() {
        let good = include_str!("fixtures/trial_balance.json");
        for (bad, why) in [
            (good.replace("4151.74", "4151.745678"), "not an amount"),
            (good.replace("\"Fees Billed (deleted)\"", "\"Unknown\""), "not in the chart"),
            (good.replace("\"value\": \"13495.00\"", "\"value\": \"13495.01\""), "do not add up"),
            (good.replace("\"Column\"", "\"Columm\""), "no columns"),
            (good[..good.len() / 2].to_owned(), "ends too early"),
            ("<html></html>".to_owned(), "XML or HTML"),
        ] {
            let error = balances(&bad).unwrap_err();
            assert!(matches!(&error, ProviderError::UnexpectedAnswer { detail, .. } if detail.contains(why)), "{why}: {error}");
        }
    }

    // proves C29 in part
    #[test]
    fn a_report_that_was_cut_off_is_too_large_and_never_read() {
        let body = r#"{"Columns":{"Column":[{"ColTitle":"","ColType":"Account"}]},"Rows":{"Row":[{"ColData":[{"value":"Unable to display more data. Please reduce the date range."}]}]}}"#;
        assert!(matches!(balances(body), Err(ProviderError::TooLarge { .. })));
    }

    #[test]
    fn an_empty_report_has_no_balances() {
        for rows in ["{}", r#"{"Row":null}"#, r#"{"Row":[]}"#] {
            let body = format!(r#"{{"Columns":{{"Column":[{{"ColTitle":""}},{{"ColTitle":"Debit"}},{{"ColTitle":"Credit"}}]}},"Rows":{rows}}}"#);
            assert_eq!(balances(&body), Ok(BTreeMap::new()));
        }
    }

    #[test]
    fn a_report_on_another_basis_than_asked_for_is_refused() {
        let columns = r#""Columns":{"Column":[{"ColTitle":""},{"ColTitle":"Debit"},{"ColTitle":"Credit"}]},"Rows":{}"#;
        assert!(balances(&format!(r#"{{"Header":{{"ReportBasis":"Accrual"}},{columns}}}"#)).is_ok());
        let error = balances(&format!(r#"{{"Header":{{"ReportBasis":"Cash"}},{columns}}}"#)).unwrap_err();
        assert!(matches!(&error, ProviderError::UnexpectedAnswer { detail, .. } if detail.contains("on the Cash basis")), "{error}");
    }

    #[test]
    fn a_fault_inside_a_report_with_status_200_is_a_fault() {
        let error = balances(r#"{"Fault":{"Error":[{"Message":"m","code":"6190"}],"type":"ValidationFault"}}"#).unwrap_err();
        assert!(matches!(error, ProviderError::Forbidden { .. }));
    }
}
