//! Fact 90 and the reports that tie out with the statements.
use super::*;
use std::collections::BTreeMap;

const YEAR: &str = "start_date=2024-07-01&end_date=2025-06-30";

async fn report(running: &Running, tokens: &Tokens, name: &str, parameters: &str) -> Value {
    let answer = running.get(tokens, &format!("reports/{name}?{parameters}")).await;
    assert_eq!(answer.status, 200, "{name}: {}", answer.text);
    let report = answer.json();
    assert_eq!(report["Header"]["ReportName"].as_str().map(str::to_lowercase), Some(name.to_lowercase()));
    let width = report["Columns"]["Column"].as_array().expect("columns").len();
    check_width(&report["Rows"], width);
    report
}

/// Every row is as wide as the columns.
fn check_width(rows: &Value, width: usize) {
    for row in rows["Row"].as_array().into_iter().flatten() {
        for cells in [&row["ColData"], &row["Header"]["ColData"], &row["Summary"]["ColData"]] {
            assert!(cells.is_null() || cells.as_array().is_some_and(|cells| cells.len() == width), "{cells}");
            assert!(cells.as_array().into_iter().flatten().all(|cell| cell["value"].is_string()), "{cells}");
        }
        check_width(&row["Rows"], width);
    }
}

/// The last cell of the summary of a group, wherever it stands.
fn total(report: &Value, group: &str) -> Cents {
    fn find<'a>(rows: &'a Value, group: &str) -> Option<&'a Value> {
        rows["Row"].as_array()?.iter().find_map(|row| if row["group"] == group { Some(row) } else { find(&row["Rows"], group) })
    }
    let row = find(&report["Rows"], group).unwrap_or_else(|| panic!("no group {group} in {report}"));
    let cells = if row["Summary"].is_null() { &row["ColData"] } else { &row["Summary"]["ColData"] };
    let titles: Vec<&str> =
        report["Columns"]["Column"].as_array().expect("columns").iter().map(|c| c["ColTitle"].as_str().expect("a title")).collect();
    let place = titles.iter().position(|title| *title == "Amount").unwrap_or(titles.len() - 1);
    cents(&cells[place]["value"])
}

// quickbooks fact 90
#[tokio::test]
async fn the_journal_report_holds_every_posting_with_totals_and_a_blank_row_per_transaction() {
    let company = with_euros(21);
    let realm = company.id.clone();
    let (from, to) = (date(2025, 2, 1), date(2025, 3, 31));
    let (movement, documents) = (company.movement(from, to), company.documents_between(from, to).filter(|d| !company.postings(d).is_empty()).count());
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let report = report(&running, &tokens, "JournalReport", "start_date=2025-02-01&end_date=2025-03-31").await;
    let rows = report["Rows"]["Row"].as_array().expect("rows");
    let mut sums: BTreeMap<u64, Cents> = BTreeMap::new();
    let (mut debits, mut credits, mut seen) = (Cents::ZERO, Cents::ZERO, 0);
    let mut expects_first = true;
    for row in rows {
        if row["type"] == "Section" {
            assert_eq!(debits, credits);
            assert_eq!((cents(&row["Summary"]["ColData"][6]["value"]), cents(&row["Summary"]["ColData"][7]["value"])), (debits, credits));
            continue;
        }
        let cells = row["ColData"].as_array().expect("cells");
        if cells.iter().all(|cell| cell["value"] == "") {
            (debits, credits, expects_first) = (Cents::ZERO, Cents::ZERO, true);
            seen += 1;
            continue;
        }
        assert_eq!(cells[0]["value"] == "0-00-00", !expects_first, "{row}");
        assert_eq!(cells[1]["id"].is_string(), expects_first, "{row}");
        expects_first = false;
        let (debit, credit) = (cents(&cells[6]["value"]), cents(&cells[7]["value"]));
        debits += debit;
        credits += credit;
        *sums.entry(cells[5]["id"].as_str().expect("an account").parse().expect("a number")).or_default() += debit - credit;
    }
    sums.retain(|_, amount| !amount.is_zero());
    assert_eq!((seen, sums), (documents, movement));
}

#[tokio::test]
async fn open_items_add_up_to_the_receivable_and_payable_accounts_on_any_day() {
    for seed in [22, 23] {
        let company = with_euros(seed);
        let realm = company.id.clone();
        let balance = |day: jiff::civil::Date, wanted: AccountType| -> Cents {
            let balances = company.balances_at(day);
            company.accounts.values().filter(|a| a.account_type == wanted).filter_map(|a| balances.get(&a.id)).copied().sum()
        };
        let days = [date(2024, 3, 31), date(2024, 12, 31), date(2025, 4, 15), date(2025, 6, 15)];
        let expected: Vec<(Cents, Cents)> =
            days.iter().map(|day| (balance(*day, AccountType::Receivable), -balance(*day, AccountType::Payable))).collect();
        let running = start(vec![company]).await;
        let tokens = running.connect(&realm).await;
        for (day, (receivable, payable)) in days.iter().zip(expected) {
            for (name, expected) in [
                ("AgedReceivables", receivable),
                ("AgedReceivableDetail", receivable),
                ("CustomerBalance", receivable),
                ("AgedPayables", payable),
                ("AgedPayableDetail", payable),
                ("VendorBalance", payable),
            ] {
                let report = report(&running, &tokens, name, &format!("report_date={day}")).await;
                let detail = name.ends_with("Detail");
                let row = report["Rows"]["Row"].as_array().expect("rows").iter().find(|row| row["group"] == "GrandTotal").expect("a total");
                let last = row["Summary"]["ColData"].as_array().expect("cells").last().expect("a total");
                // A credited foreign document can leave a cent of rounding between what is open and the account.
                let difference = (cents(&last["value"]) - expected).abs();
                assert!(difference.0 <= 5, "seed {seed} {name} {day}: {} {expected} {detail}", last["value"]);
            }
        }
        for name in ["CustomerBalanceDetail", "VendorBalanceDetail"] {
            assert!(report(&running, &tokens, name, "report_date=2025-06-15").await["Rows"]["Row"].as_array().is_some_and(|rows| rows.len() > 2));
        }
    }
}

#[tokio::test]
async fn ages_have_the_length_number_and_day_that_are_asked_for() {
    let company = with_euros(22);
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let day = "report_date=2025-06-15";
    let titles = |report: &Value| -> Vec<String> {
        report["Columns"]["Column"]
            .as_array()
            .expect("columns")
            .iter()
            .map(|column| column["ColTitle"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let sums = |report: &Value| -> Vec<Cents> {
        let row = report["Rows"]["Row"].as_array().expect("rows").iter().find(|row| row["group"] == "GrandTotal").expect("a total");
        row["Summary"]["ColData"].as_array().expect("cells")[1..].iter().map(|cell| cents(&cell["value"])).collect()
    };
    let usual = report(&running, &tokens, "AgedReceivables", day).await;
    assert_eq!(titles(&usual), ["", "Current", "1 - 30", "31 - 60", "61 - 90", "91 and over", "Total"]);
    let usual = sums(&usual);
    let fine = report(&running, &tokens, "AgedReceivables", &format!("{day}&aging_period=15&num_periods=7")).await;
    let expected = ["", "Current", "1 - 15", "16 - 30", "31 - 45", "46 - 60", "61 - 75", "76 - 90", "91 and over", "Total"];
    assert_eq!(titles(&fine), expected);
    let fine = sums(&fine);
    let pairs = [fine[0], fine[1] + fine[2], fine[3] + fine[4], fine[5] + fine[6], fine[7], fine[8]];
    assert_eq!(pairs.as_slice(), usual, "the same amounts, cut finer");
    assert!(fine[1..8].iter().filter(|sum| !sum.is_zero()).count() > 2, "{fine:?}");
    let one = report(&running, &tokens, "AgedReceivables", &format!("{day}&num_periods=1")).await;
    assert_eq!(titles(&one), ["", "Current", "1 and over", "Total"]);
    // today all of it is long past due
    let aged = sums(&report(&running, &tokens, "AgedReceivables", "report_date=2024-12-31").await);
    let now = sums(&report(&running, &tokens, "AgedReceivables", "report_date=2024-12-31&aging_method=Current").await);
    assert_eq!(aged.last(), now.last());
    assert!(now[0] < aged[0] && now[4] > aged[4], "{aged:?} {now:?}");
    let detail = report(&running, &tokens, "AgedReceivableDetail", &format!("{day}&aging_period=15&num_periods=7")).await;
    assert!(detail.to_string().contains("31 - 45 days past due"), "{detail}");
    for bad in ["aging_period=0", "aging_period=366", "num_periods=none", "aging_method=Today"] {
        let answer = running.get(&tokens, &format!("reports/AgedReceivables?{day}&{bad}")).await;
        assert_eq!(answer.status, 400, "{bad}");
        assert!(answer.detail().contains("Supplied value:"), "{}", answer.text);
    }
}

#[tokio::test]
async fn detail_and_sales_reports_agree_with_profit_and_loss_and_cash_flow_with_the_balance_sheet() {
    let company = with_euros(24);
    let realm = company.id.clone();
    let end = company.balances_at(date(2025, 6, 30));
    let cash: Cents = company
        .accounts
        .values()
        .filter(|account| account.account_type == AccountType::Bank || account.name.contains("Undeposited"))
        .filter_map(|account| end.get(&account.id))
        .copied()
        .sum();
    let count = company.documents_between(date(2024, 7, 1), date(2025, 6, 30)).count();
    let active = company.accounts.values().filter(|account| account.active).count();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let statement = report(&running, &tokens, "ProfitAndLoss", YEAR).await;
    for (by, columns) in [("Days", 366), ("Week", 54), ("Month", 13), ("Quarter", 5), ("Year", 3)] {
        let divided = report(&running, &tokens, "ProfitAndLoss", &format!("{YEAR}&summarize_column_by={by}")).await;
        assert_eq!(divided["Columns"]["Column"].as_array().map(Vec::len), Some(columns + 1), "{by}");
        assert_eq!(total(&divided, "NetIncome"), total(&statement, "NetIncome"), "{by}");
    }
    let detail = report(&running, &tokens, "ProfitAndLossDetail", YEAR).await;
    for group in ["Income", "GrossProfit", "Expenses", "NetIncome"] {
        assert_eq!(total(&detail, group), total(&statement, group), "{group}");
    }
    let flow = report(&running, &tokens, "CashFlow", YEAR).await;
    assert_eq!(total(&flow, "EndingCash"), cash);
    assert_eq!(total(&flow, "BeginningCash") + total(&flow, "CashIncrease"), cash);
    assert_eq!(total(&flow, "NetIncome"), total(&statement, "NetIncome"));
    let parts = total(&flow, "OperatingActivities") + total(&flow, "InvestingActivities") + total(&flow, "FinancingActivites");
    assert_eq!(parts, total(&flow, "CashIncrease"));

    let income = total(&statement, "Income");
    for name in ["ItemSales", "ClassSales", "DepartmentSales"] {
        let has_other = statement.to_string().contains("\"OtherIncome\"");
        let other = if has_other { total(&statement, "OtherIncome") } else { Cents::ZERO };
        assert_eq!(total(&report(&running, &tokens, name, YEAR).await, "GrandTotal"), income + other, "{name}");
    }
    for name in ["CustomerIncome", "CustomerSales", "VendorExpenses"] {
        assert!(total(&report(&running, &tokens, name, YEAR).await, "GrandTotal").0 > 0, "{name}");
    }
    let list = report(&running, &tokens, "TransactionList", YEAR).await;
    assert_eq!(list["Rows"]["Row"].as_array().map(Vec::len), Some(count));
    let invoices = report(&running, &tokens, "TransactionList", &format!("{YEAR}&transaction_type=Invoice")).await;
    assert!(invoices["Rows"]["Row"].as_array().is_some_and(|rows| rows.iter().all(|row| row["ColData"][1]["value"] == "Invoice")));
    for name in ["TransactionListByCustomer", "TransactionListByVendor"] {
        let sections = report(&running, &tokens, name, YEAR).await["Rows"]["Row"].clone();
        assert!(sections.as_array().is_some_and(|rows| rows.len() > 5 && rows.iter().all(|row| row["Header"]["ColData"][0]["id"].is_string())));
    }
    assert_eq!(report(&running, &tokens, "AccountList", "").await["Rows"]["Row"].as_array().map(Vec::len), Some(active));
    let ledger =
        report(&running, &tokens, "GeneralLedger", &format!("{YEAR}&columns=tx_date,klass_name,dept_name,item_name,quantity,debt_amt,credit_amt"))
            .await;
    for named in ["\"Retail\"", "\"Main Street\""] {
        assert!(ledger.to_string().contains(named), "{named}");
    }
}
