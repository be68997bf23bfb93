//! Reports agree with each other and keep their form.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Company, Needs, amount_of, cents, company, every_row, fault, group, json, new_name};

const ALL: &str = "start_date=1990-01-01&end_date=2090-12-31";

/// First day of the fiscal year of this moment, and today.
async fn fiscal_year(company: &Company) -> (String, String) {
    let header = company.report("TrialBalance", "date_macro=This+Fiscal+Year-to-date").await["Header"].clone();
    let day = |name: &str| header[name].as_str().expect("a day").to_owned();
    (day("StartPeriod"), day("EndPeriod"))
}

/// Own amounts by account id.
fn amounts(report: &Value, column: usize) -> BTreeMap<String, i64> {
    let mut amounts = BTreeMap::new();
    every_row(&report["Rows"], &mut |row| {
        for cells in [&row["ColData"], &row["Header"]["ColData"]] {
            if let Some(id) = cells[0]["id"].as_str().filter(|id| !id.is_empty()) {
                *amounts.entry(id.to_owned()).or_default() += cents(&cells[column]["value"]);
            }
        }
    });
    amounts
}

// quickbooks facts 86, 87 and 93
#[tokio::test]
async fn the_trial_balance_balances_and_agrees_with_the_statements() {
    let Some(company) = company(Needs::Reading).await else { return };
    let (start, end) = fiscal_year(&company).await;
    let period = format!("start_date={start}&end_date={end}&accounting_method=Accrual");
    let trial = company.report("TrialBalance", &period).await;
    let rows = trial["Rows"]["Row"].as_array().expect("rows");
    assert!(rows.iter().all(|row| row.get("Rows").is_none()), "flat rows");
    let total = &rows.last().expect("a total");
    assert_eq!((&total["group"], &total["Summary"]["ColData"][0]["value"]), (&"GrandTotal".into(), &"TOTAL".into()));
    assert_eq!(total["Summary"]["ColData"][1]["value"], total["Summary"]["ColData"][2]["value"]);
    let (debits, credits) = (amounts(&trial, 1), amounts(&trial, 2));
    assert!(debits.iter().all(|(id, debit)| *debit != 0 || credits.get(id).is_some_and(|credit| *credit != 0)), "zero accounts are left out");

    let classes: BTreeMap<String, String> = company
        .rows("Account", "WHERE Active IN (true, false) MAXRESULTS 1000")
        .await
        .iter()
        .map(|account| (account["Id"].as_str().expect("an id").to_owned(), account["Classification"].as_str().unwrap_or_default().to_owned()))
        .collect();
    let is_result = |id: &String| matches!(classes.get(id).map(String::as_str), Some("Revenue" | "Expense"));
    let side = |side: &BTreeMap<String, i64>| side.iter().filter(|(id, _)| is_result(id)).map(|(_, amount)| amount).sum::<i64>();
    let net_income = side(&credits) - side(&debits);
    let profit = company.report("ProfitAndLoss", &period).await;
    assert_eq!(amount_of(&profit, "NetIncome"), Some(net_income));
    let sheet = company.report("BalanceSheet", &period).await;
    assert_eq!(amount_of(&sheet, "TotalAssets"), amount_of(&sheet, "TotalLiabilitiesAndEquity"));
    let row = group(&sheet, "NetIncome").expect("a row for the result");
    assert!(row["ColData"][0].get("id").is_none() && cents(&row["ColData"][1]["value"]) == net_income, "{row}");
}

// quickbooks fact 85
#[tokio::test]
async fn current_balances_add_up_to_the_result_of_all_time() {
    let Some(company) = company(Needs::Reading).await else { return };
    let accounts = company.rows("Account", "WHERE Active IN (true, false) MAXRESULTS 1000").await;
    let sum: i64 = accounts.iter().map(|account| cents(&account["CurrentBalance"])).sum();
    for account in &accounts {
        let hidden = matches!(account["Classification"].as_str(), Some("Revenue" | "Expense")) || account["AccountSubType"] == "RetainedEarnings";
        assert!(!hidden || cents(&account["CurrentBalance"]) == 0, "{account}");
    }
    let profit = company.report("ProfitAndLoss", &format!("{ALL}&accounting_method=Accrual")).await;
    assert_eq!(amount_of(&profit, "NetIncome"), Some(sum));
}

// quickbooks fact 89
#[tokio::test]
async fn the_general_ledger_leads_from_opening_to_closing_balance() {
    let Some(company) = company(Needs::Reading).await else { return };
    let (start, end) = fiscal_year(&company).await;
    let ledger = company.report("GeneralLedger", &format!("start_date={start}&end_date={end}&accounting_method=Accrual")).await;
    let titles: Vec<&str> =
        ledger["Columns"]["Column"].as_array().expect("columns").iter().map(|c| c["ColTitle"].as_str().expect("a title")).collect();
    let column = |name: &str| titles.iter().position(|title| *title == name).unwrap_or_else(|| panic!("no column {name} in {titles:?}"));
    let (amount, balance) = (column("Amount"), column("Balance"));
    let mut accounts = 0;
    every_row(&ledger["Rows"], &mut |row| {
        let lines = row["Rows"]["Row"].as_array().map_or(&[][..], Vec::as_slice);
        let lines: Vec<&Value> = lines.iter().filter(|line| line["type"] == "Data").map(|line| &line["ColData"]).collect();
        let Some((first, _)) = lines.split_first() else { return };
        let title = row["Header"]["ColData"][0]["value"].as_str().unwrap_or_default();
        let opening = if first[0]["value"] == "Beginning Balance" { cents(&first[balance]["value"]) } else { 0 };
        let mut running = opening;
        for line in lines.iter().filter(|line| line[0]["value"] != "Beginning Balance") {
            running += cents(&line[amount]["value"]);
            assert_eq!(cents(&line[balance]["value"]), running, "{title}: {line}");
        }
        let summary = row["Summary"]["ColData"][0]["value"].as_str().unwrap_or_default();
        assert!(summary.starts_with(&format!("Total for {title}")), "{summary}");
        accounts += 1;
    });
    assert!(accounts > 3, "the ledger shows {accounts} accounts");
}

// quickbooks fact 90
#[tokio::test]
async fn the_journal_report_balances_transaction_by_transaction() {
    let Some(company) = company(Needs::Reading).await else { return };
    let (_, end) = fiscal_year(&company).await;
    let to: jiff::civil::Date = end.parse().expect("a day");
    let from = to.saturating_sub(jiff::Span::new().days(40));
    let report = company.report("JournalReport", &format!("start_date={from}&end_date={to}")).await;
    let titles: Vec<&str> =
        report["Columns"]["Column"].as_array().expect("columns").iter().map(|c| c["ColTitle"].as_str().expect("a title")).collect();
    let column = |name: &str| titles.iter().position(|title| *title == name).unwrap_or_else(|| panic!("no column {name} in {titles:?}"));
    let (debit, credit) = (column("Debit"), column("Credit"));
    let (mut debits, mut credits, mut transactions, mut is_first) = (0, 0, 0, true);
    for row in report["Rows"]["Row"].as_array().expect("rows") {
        if let Some(total) = row["Summary"]["ColData"].as_array() {
            assert_eq!((cents(&total[debit]["value"]), cents(&total[credit]["value"])), (debits, credits));
            assert_eq!(debits, credits);
            continue;
        }
        let cells = row["ColData"].as_array().expect("cells");
        if cells.iter().all(|cell| cell["value"] == "") {
            (debits, credits, is_first) = (0, 0, true);
            transactions += 1;
            continue;
        }
        assert_eq!(cells[0]["value"] == "0-00-00", !is_first, "{row}");
        is_first = false;
        debits += cents(&cells[debit]["value"]);
        credits += cents(&cells[credit]["value"]);
    }
    assert!(transactions > 0);
}

// quickbooks fact 91
#[tokio::test]
async fn empty_reports_say_so_and_profit_and_loss_keeps_its_frame() {
    let Some(company) = company(Needs::Reading).await else { return };
    let long_ago = "start_date=1950-01-01&end_date=1950-01-31";
    for name in ["TrialBalance", "ProfitAndLoss", "GeneralLedger"] {
        let empty = company.report(name, long_ago).await;
        let options = empty["Header"]["Option"].as_array().expect("options");
        assert!(options.contains(&json!({"Name": "NoReportData", "Value": "true"})), "{name}: {options:?}");
    }
    let profit = company.report("ProfitAndLoss", long_ago).await;
    let groups: Vec<&str> = profit["Rows"]["Row"].as_array().expect("rows").iter().map(|row| row["group"].as_str().expect("a group")).collect();
    assert_eq!(groups, ["Income", "GrossProfit", "Expenses", "NetOperatingIncome", "NetIncome"]);
}

// quickbooks facts 92, 94, 95 and 97
#[tokio::test]
async fn the_period_the_basis_and_the_columns_are_as_asked_and_bad_parameters_are_refused() {
    let Some(company) = company(Needs::Reading).await else { return };
    let by_default = company.report("TrialBalance", "").await["Header"].clone();
    assert!(by_default["DateMacro"].is_string(), "{by_default}");
    let preferences = company.found("preferences").await["Preferences"].clone();
    assert_eq!(by_default["ReportBasis"], preferences["ReportPrefs"]["ReportBasis"]);
    let (start, end) = fiscal_year(&company).await;
    let dated = company.report("TrialBalance", &format!("start_date={start}&end_date={end}&accounting_method=Cash")).await["Header"].clone();
    assert_eq!((dated.get("DateMacro"), &dated["ReportBasis"], &dated["EndPeriod"]), (None, &"Cash".into(), &end.as_str().into()));

    let monthly = company.report("ProfitAndLoss", &format!("start_date={start}&end_date={end}&summarize_column_by=Month")).await;
    let columns = monthly["Columns"]["Column"].as_array().expect("columns");
    let (months, total) = columns[1..].split_at(columns.len() - 2);
    let meta = |column: &Value, name: &str| {
        let all = column["MetaData"].as_array().into_iter().flatten();
        all.filter(|meta| meta["Name"] == name).filter_map(|meta| meta["Value"].as_str()).map(str::to_owned).next()
    };
    assert!(months.iter().all(|month| month["ColType"] == "Money" && meta(month, "StartDate").is_some() && meta(month, "EndDate").is_some()));
    assert_eq!(meta(&months[0], "StartDate").as_deref(), Some(start.as_str()));
    assert_eq!(total[0]["ColTitle"], "Total");
    let row = group(&monthly, "NetIncome").expect("the result");
    let cells = row["Summary"]["ColData"].as_array().expect("cells");
    assert_eq!(cells[1..cells.len() - 1].iter().map(|cell| cents(&cell["value"])).sum::<i64>(), cents(&cells.last().expect("a total")["value"]));

    let refused = company.get("reports/TrialBalance?date_macro=thisyeartolastmonth1").await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(!fault(&refused).0.is_empty());
}

// quickbooks fact 98
#[tokio::test]
async fn an_inactive_account_with_a_balance_is_marked_in_reports() {
    let Some(company) = company(Needs::Writing).await else { return };
    let bank = company.account("Bank").await;
    let name = new_name("Closed");
    let account =
        company.save("Account", json!({"Name": name, "AccountType": "Expense", "AccountSubType": "OfficeGeneralAdministrativeExpenses"})).await;
    let side = |kind: &str, account: &Value| {
        let detail = json!({"PostingType": kind, "AccountRef": {"value": account["Id"]}});
        json!({"Amount": 7, "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail})
    };
    let entry = company.save("JournalEntry", json!({"Line": [side("Debit", &account), side("Credit", &bank)]})).await;
    let day = entry["TxnDate"].as_str().expect("a day").to_owned();
    company.save("Account", json!({"Id": account["Id"], "SyncToken": account["SyncToken"], "sparse": true, "Active": false})).await;
    for report in ["TrialBalance", "ProfitAndLoss", "GeneralLedger"] {
        let answer = company.get(&format!("reports/{report}?start_date={day}&end_date={day}")).await;
        assert!(answer.text.contains(&format!("{name} (deleted)")), "{report}");
    }
}
