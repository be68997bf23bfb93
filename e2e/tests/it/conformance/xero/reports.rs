//! Reports agree with the journals and with each other.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Needs, cents, organisation};

/// Section and cells of every row about an account.
fn rows(report: &Value) -> Vec<(String, Vec<Value>)> {
    let mut found = Vec::new();
    for section in report["Rows"].as_array().expect("rows").iter().filter(|row| row["RowType"] == "Section") {
        for row in section["Rows"].as_array().expect("rows").iter().filter(|row| row["RowType"] == "Row") {
            found.push((section["Title"].as_str().unwrap_or_default().to_owned(), row["Cells"].as_array().expect("cells").clone()));
        }
    }
    found
}

fn attribute<'a>(cell: &'a Value, id: &str) -> Option<&'a str> {
    cell["Attributes"].as_array()?.iter().find(|attribute| attribute["Id"] == id)?["Value"].as_str()
}

/// The amounts of the row or summary with this label.
fn labelled(report: &Value, label: &str) -> Vec<i64> {
    let sections = report["Rows"].as_array().expect("rows").iter().filter(|row| row["RowType"] == "Section");
    let mut all = sections.flat_map(|section| section["Rows"].as_array().expect("rows"));
    let row = all.find(|row| row["Cells"][0]["Value"] == label).unwrap_or_else(|| panic!("no row {label}: {report}"));
    row["Cells"].as_array().expect("cells")[1..].iter().map(|cell| cents(&cell["Value"])).collect()
}

// xero facts 83, 84, 85 and 86
#[tokio::test]
async fn the_trial_balance_balances_names_accounts_and_ignores_other_dates() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let day = organisation.day(-20);
    let report = organisation.report("TrialBalance", &format!("date={day}")).await;
    let again = organisation.report("TrialBalance", &format!("date={day}&fromDate=2020-01-01&toDate=2020-02-01")).await;
    assert_eq!(report["Rows"], again["Rows"]);
    let titles: Vec<&str> = report["Rows"].as_array().expect("rows").iter().skip(1).map(|row| row["Title"].as_str().unwrap_or_default()).collect();
    assert!(titles.iter().all(|title| ["Revenue", "Expenses", "Assets", "Liabilities", "Equity", ""].contains(title)), "{titles:?}");
    let total = labelled(&report, "Total");
    assert_eq!((total[0], total[2]), (total[1], total[3]));
    let mut sides = [0; 4];
    for (_, cells) in rows(&report) {
        let account = attribute(&cells[0], "account");
        assert!(account.is_some() && cells.iter().all(|cell| attribute(cell, "account") == account), "{cells:?}");
        assert!(cells[0]["Value"].as_str().is_some_and(|label| label.ends_with(')') && label.contains(" (")), "{cells:?}");
        for (side, cell) in sides.iter_mut().zip(&cells[1..]) {
            let text = cell["Value"].as_str().expect("values are texts");
            assert!(text.is_empty() || text.split('.').nth(1).is_some_and(|decimals| decimals.len() == 2), "{text}");
            *side += cents(&cell["Value"]);
        }
        assert!(cells[3]["Value"] == "" || cells[4]["Value"] == "", "one side is empty: {cells:?}");
    }
    assert_eq!(sides.to_vec(), total);
}

// xero fact 87
#[tokio::test]
async fn profit_and_loss_has_at_most_eleven_earlier_periods_and_a_year() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let by_default = organisation.report("ProfitAndLoss", "").await;
    let (from, to) = by_default["ReportTitles"][2].as_str().and_then(|title| title.split_once(" to ")).expect("the title names the days");
    let day = |text: &str| jiff::civil::Date::strptime("%d %B %Y", text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!((day(from).day(), day(to)), (1, day(from).last_of_month()));
    assert_eq!(organisation.get("Reports/ProfitAndLoss?periods=12&timeframe=MONTH").await.status, 400);
    assert_eq!(organisation.get("Reports/ProfitAndLoss?fromDate=2020-01-01&toDate=2022-01-01").await.status, 400);
    let month = "fromDate=2025-05-01&toDate=2025-05-31";
    let with_earlier = organisation.report("ProfitAndLoss", &format!("{month}&periods=11&timeframe=MONTH")).await;
    let header = with_earlier["Rows"][0]["Cells"].as_array().expect("a header");
    assert_eq!(header.len(), 13);
}

// xero fact 88
#[tokio::test]
async fn the_balance_sheet_is_of_a_month_end_and_balances() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let day: jiff::civil::Date = organisation.day(-40).parse().expect("a day");
    let (first, last) = (day.first_of_month(), day.last_of_month());
    let early = organisation.report("BalanceSheet", &format!("date={first}")).await;
    let late = organisation.report("BalanceSheet", &format!("date={last}")).await;
    assert_eq!(early["Rows"], late["Rows"]);
    let (assets, equity) = (labelled(&late, "Net Assets"), labelled(&late, "Total Equity"));
    assert!(assets.iter().zip(&equity).all(|(assets, equity)| (assets - equity).abs() <= 1), "{assets:?} {equity:?}");
    let (_, current) = rows(&late).into_iter().find(|(_, cells)| cells[0]["Value"] == "Current Year Earnings").expect("the result of the year");
    assert_eq!(attribute(&current[1], "account"), Some("00000000-0000-0000-0000-000000000000"));
    assert!(attribute(&current[1], "fromDate").is_some() && attribute(&current[1], "toDate").is_some());
}

// xero facts 89 and 90
#[tokio::test]
async fn aged_reports_need_a_contact_and_the_bank_summary_leads_from_opening_to_closing() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    for report in ["AgedReceivablesByContact", "AgedPayablesByContact"] {
        assert_eq!(organisation.get(&format!("Reports/{report}")).await.status, 400, "{report}");
    }
    let report = organisation.report("BankSummary", &format!("fromDate={}&toDate={}", organisation.day(-60), organisation.day(0))).await;
    let mut sums: BTreeMap<usize, i64> = BTreeMap::new();
    for (_, cells) in rows(&report) {
        let amounts: Vec<i64> = cells[1..].iter().map(|cell| cents(&cell["Value"])).collect();
        assert_eq!(amounts[0] + amounts[1] - amounts[2], amounts[3], "{cells:?}");
        amounts.iter().enumerate().for_each(|(at, amount)| *sums.entry(at).or_default() += amount);
    }
    assert_eq!(labelled(&report, "Total"), sums.into_values().collect::<Vec<_>>());
}
