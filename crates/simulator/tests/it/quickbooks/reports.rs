//! Facts 86-89, 91-98: the reports agree with the books and with each other.
use super::*;
use jiff::civil::{Date, date};
use simulator::books::Basis;
use std::collections::BTreeMap;

async fn report(running: &Running, tokens: &Tokens, name: &str, query: &str) -> Value {
    let answer = running.get(tokens, &format!("reports/{name}?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    let width = body["Columns"]["Column"].as_array().expect("columns").len();
    every_row(&body["Rows"], &mut |row| {
        for part in [&row["ColData"], &row["Header"]["ColData"], &row["Summary"]["ColData"]] {
            if let Some(cells) = part.as_array() {
                assert_eq!(cells.len(), width);
                assert!(cells.iter().all(|cell| cell["value"].is_string()));
            }
        }
    });
    body
}

fn every_row(rows: &Value, look: &mut impl FnMut(&Value)) {
    for row in rows["Row"].as_array().map_or(&[][..], Vec::as_slice) {
        look(row);
        every_row(&row["Rows"], look);
    }
}

fn group(report: &Value, group: &str) -> Option<Value> {
    let mut found = None;
    every_row(&report["Rows"], &mut |row| {
        if row["group"] == group {
            found = Some(row.clone());
        }
    });
    found
}

fn summary(report: &Value, name: &str, column: usize) -> Cents {
    let row = group(report, name).unwrap_or_else(|| panic!("no group {name}"));
    cents(&row["Summary"]["ColData"][column]["value"])
}

/// Own amounts per account: of leaves, and of the headers of parents.
fn amounts(report: &Value, column: usize) -> BTreeMap<String, Cents> {
    let mut amounts = BTreeMap::new();
    every_row(&report["Rows"], &mut |row| {
        for cells in [&row["ColData"], &row["Header"]["ColData"]] {
            if let Some(id) = cells[0]["id"].as_str() {
                *amounts.entry(id.to_owned()).or_default() += cents(&cells[column]["value"]);
            }
        }
    });
    amounts.retain(|_, amount: &mut Cents| !amount.is_zero());
    amounts
}

fn trial_balance(report: &Value) -> BTreeMap<String, Cents> {
    let (debits, credits) = (amounts(report, 1), amounts(report, 2));
    debits.into_iter().chain(credits.into_iter().map(|(id, amount)| (id, -amount))).collect()
}

const BASES: [Basis; 2] = [Basis::Accrual, Basis::Cash];

fn true_balance(books: &Books, basis: Basis, day: Date) -> BTreeMap<String, Cents> {
    books.on(basis).trial_balance(day).into_iter().map(|(id, amount)| (id.to_string(), amount)).collect()
}

fn dates() -> [Date; 5] {
    [date(2023, 10, 1), date(2023, 12, 31), date(2024, 6, 17), date(2025, 1, 1), date(2025, 6, 30)]
}

fn credit_normal(books: &Books, id: &str) -> bool {
    let account = &books.accounts[&id.parse::<u64>().expect("a number")];
    !account.account_type.is_debit_normal()
}

// quickbooks facts 86, 87, 93
#[tokio::test]
async fn trial_balance_profit_and_loss_and_balance_sheet_tie_out_to_the_books() {
    for company in [made_up(1), made_up(2), made_up(3), with_euros(4)] {
        let seed = company.seed;
        let (books, realm) = (company.clone(), company.id.clone());
        let running = start(vec![company]).await;
        let tokens = running.connect(&realm).await;
        for (basis, day) in BASES.into_iter().flat_map(|basis| dates().map(|day| (basis, day))) {
            let year = books.fiscal_year_start(day);
            let period = format!("start_date={year}&end_date={day}&accounting_method={}", basis.word());
            let trial = report(&running, &tokens, "TrialBalance", &period).await;
            assert_eq!(trial["Header"]["ReportBasis"], basis.word());
            assert_eq!(trial_balance(&trial), true_balance(&books, basis, day), "seed {seed}, {day}, {basis:?}");
            let rows = trial["Rows"]["Row"].as_array().expect("rows");
            let total = rows.last().expect("a total");
            assert_eq!((&total["group"], &total["Summary"]["ColData"][0]["value"]), (&"GrandTotal".into(), &"TOTAL".into()));
            assert_eq!(total["Summary"]["ColData"][1]["value"], total["Summary"]["ColData"][2]["value"]);
            assert!(rows.iter().all(|row| row.get("Rows").is_none()), "flat rows");

            let profit = report(&running, &tokens, "profitandloss", &period).await;
            assert_eq!(summary(&profit, "NetIncome", 1), books.on(basis).net_income(year, day));
            let mut expected: BTreeMap<String, Cents> =
                books.on(basis).movement(year, day).into_iter().map(|(id, amount)| (id.to_string(), amount)).collect();
            expected.retain(|id, _| books.accounts[&id.parse::<u64>().expect("a number")].account_type.is_profit_and_loss());
            for (id, amount) in &mut expected {
                *amount = if credit_normal(&books, id) { -*amount } else { *amount };
            }
            assert_eq!(amounts(&profit, 1), expected, "seed {seed}, {day}");

            let sheet = report(&running, &tokens, "BalanceSheet", &period).await;
            assert_eq!(summary(&sheet, "TotalAssets", 1), summary(&sheet, "TotalLiabilitiesAndEquity", 1));
            if let Some(row) = group(&sheet, "NetIncome") {
                assert!(row["ColData"][0].get("id").is_none());
                assert_eq!(cents(&row["ColData"][1]["value"]), books.on(basis).net_income(year, day));
            } else {
                assert_eq!(books.on(basis).net_income(year, day), Cents::ZERO);
            }
            let mut expected = true_balance(&books, basis, day);
            expected.retain(|id, _| !books.accounts[&id.parse::<u64>().expect("a number")].account_type.is_profit_and_loss());
            for (id, amount) in &mut expected {
                *amount = if credit_normal(&books, id) { -*amount } else { *amount };
            }
            assert_eq!(amounts(&sheet, 1), expected, "seed {seed}, {day}");
        }
    }
}

// quickbooks fact 95
#[tokio::test]
async fn columns_by_month_add_up_and_name_their_periods() {
    let company = made_up(2);
    let (books, realm) = (company.clone(), company.id.clone());
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let by_month = "start_date=2024-02-01&end_date=2024-07-15&summarize_column_by=Month";
    let profit = report(&running, &tokens, "ProfitAndLoss", by_month).await;
    let columns = profit["Columns"]["Column"].as_array().expect("columns");
    assert_eq!(columns.len(), 8);
    assert_eq!(
        (&columns[1]["ColTitle"], &columns[6]["ColTitle"], &columns[7]["ColTitle"]),
        (&"Feb 2024".into(), &"Jul 1 - 15, 2024".into(), &"Total".into())
    );
    assert_eq!(profit["Header"]["SummarizeColumnsBy"], "Month");
    let mut sum = Cents::ZERO;
    for (index, column) in columns.iter().enumerate().skip(1).take(6) {
        let of = |name: &str| -> Date {
            let metadata = column["MetaData"].as_array().expect("metadata");
            let value = metadata.iter().find(|entry| entry["Name"] == name).expect("the period")["Value"].as_str();
            value.expect("text").parse().expect("a date")
        };
        let income = summary(&profit, "NetIncome", index);
        assert_eq!(income, books.net_income(of("StartDate"), of("EndDate")));
        sum += income;
    }
    assert_eq!(summary(&profit, "NetIncome", 7), sum);

    let sheet = report(&running, &tokens, "BalanceSheet", by_month).await;
    assert_eq!(sheet["Columns"]["Column"].as_array().expect("columns").len(), 7);
    for (index, day) in [(1, date(2024, 2, 29)), (3, date(2024, 4, 30)), (6, date(2024, 7, 15))] {
        assert_eq!(summary(&sheet, "TotalAssets", index), summary(&sheet, "TotalLiabilitiesAndEquity", index));
        let bank = books.accounts.values().find(|account| account.account_type == AccountType::Bank).expect("a bank account").id;
        let shown = amounts(&sheet, index).get(&bank.to_string()).copied().unwrap_or_default();
        assert_eq!(shown, books.balances_at(day).get(&bank).copied().unwrap_or_default());
    }
}

struct LedgerLine {
    transaction: String,
    account: String,
    debit: Cents,
    credit: Cents,
}

/// All lines of a ledger asked with the columns below, and the opening balances in natural sign.
fn ledger_lines(report: &Value) -> (Vec<LedgerLine>, BTreeMap<String, Cents>) {
    let keys: Vec<&str> =
        report["Columns"]["Column"].as_array().expect("columns").iter().map(|c| c["MetaData"][0]["Value"].as_str().expect("a key")).collect();
    let at = |key: &str| keys.iter().position(|known| *known == key).unwrap_or_else(|| panic!("no column {key}"));
    let (mut lines, mut openings) = (Vec::new(), BTreeMap::new());
    every_row(&report["Rows"], &mut |section| {
        let Some(account) = section["Header"]["ColData"][0]["id"].as_str() else { return };
        let rows = section["Rows"]["Row"].as_array().expect("rows");
        let mut running: Option<Cents> = None;
        for (index, row) in rows.iter().filter(|row| row["type"] == "Data").enumerate() {
            let cells = &row["ColData"];
            let balance = cents(&cells[at("rbal_nat_amount")]["value"]);
            if cells[0]["value"] == "Beginning Balance" {
                assert_eq!(index, 0, "the beginning balance comes first");
                openings.insert(account.to_owned(), balance);
            } else {
                let amount = cents(&cells[at("subt_nat_amount")]["value"]);
                assert_eq!(running.expect("a beginning balance") + amount, balance);
                lines.push(LedgerLine {
                    transaction: cells[at("txn_type")]["id"].as_str().expect("a transaction").to_owned(),
                    account: account.to_owned(),
                    debit: cents(&cells[at("debt_amt")]["value"]),
                    credit: cents(&cells[at("credit_amt")]["value"]),
                });
            }
            running = Some(balance);
        }
    });
    (lines, openings)
}

const LEDGER_COLUMNS: &str = "columns=tx_date,txn_type,doc_num,name,memo,account_name,split_acc,debt_amt,credit_amt,subt_nat_amount,rbal_nat_amount";

// quickbooks facts 89, 93
#[tokio::test]
async fn the_general_ledger_lists_every_posting_and_leads_from_opening_to_closing_balance() {
    for (company, from, to) in [
        (made_up(1), date(2024, 1, 1), date(2024, 6, 30)),
        (made_up(2), date(2024, 4, 10), date(2024, 12, 31)),
        (made_up(3), date(2023, 10, 1), date(2023, 12, 31)),
        (with_euros(4), date(2024, 11, 5), date(2025, 5, 31)),
    ] {
        let seed = company.seed;
        let (books, realm) = (company.clone(), company.id.clone());
        let running = start(vec![company]).await;
        let tokens = running.connect(&realm).await;
        for basis in BASES {
            let ledger = report(
                &running,
                &tokens,
                "GeneralLedger",
                &format!("start_date={from}&end_date={to}&accounting_method={}&{LEDGER_COLUMNS}", basis.word()),
            )
            .await;
            let (lines, openings) = ledger_lines(&ledger);

            let mut expected: BTreeMap<(String, String), Cents> = BTreeMap::new();
            for document in books.documents_between(from, to) {
                for posting in books.on(basis).postings(document) {
                    *expected.entry((document.id.to_string(), posting.account.to_string())).or_default() += posting.amount;
                }
            }
            let mut shown: BTreeMap<(String, String), Cents> = BTreeMap::new();
            let mut per_transaction: BTreeMap<String, Cents> = BTreeMap::new();
            for line in &lines {
                assert!(line.debit.is_zero() != line.credit.is_zero());
                *shown.entry((line.transaction.clone(), line.account.clone())).or_default() += line.debit - line.credit;
                *per_transaction.entry(line.transaction.clone()).or_default() += line.debit - line.credit;
            }
            assert_eq!(shown, expected, "seed {seed}, {basis:?}");
            assert!(per_transaction.values().all(|sum| sum.is_zero()));

            let signed = |id: &str, natural: Cents| if credit_normal(&books, id) { -natural } else { natural };
            assert_eq!(openings.iter().map(|(id, natural)| signed(id, *natural)).sum::<Cents>(), Cents::ZERO);
            let mut closing: BTreeMap<String, Cents> = openings.iter().map(|(id, natural)| (id.clone(), signed(id, *natural))).collect();
            for line in &lines {
                *closing.entry(line.account.clone()).or_default() += line.debit - line.credit;
            }
            closing.retain(|_, amount| !amount.is_zero());
            assert_eq!(closing, true_balance(&books, basis, to), "seed {seed}, {basis:?}");
        }
    }
}

// quickbooks fact 89
#[tokio::test]
async fn sub_accounts_nest_in_the_ledger_and_totals_carry_their_names() {
    let company = made_up(1);
    let parent = company.accounts.values().find_map(|account| account.parent).expect("a sub-account");
    let name = company.accounts[&parent].name.clone();
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let ledger = report(&running, &tokens, "GeneralLedger", "start_date=2024-01-01&end_date=2024-12-31").await;
    let titles: Vec<&str> =
        ledger["Columns"]["Column"].as_array().expect("columns").iter().map(|c| c["ColTitle"].as_str().expect("a title")).collect();
    assert_eq!(titles, ["Date", "Transaction Type", "Num", "Name", "Memo/Description", "Split", "Amount", "Balance"]);
    let mut nested = false;
    every_row(&ledger["Rows"], &mut |row| {
        if row["Header"]["ColData"][0]["id"] == parent.to_string().as_str() {
            assert_eq!(row["Summary"]["ColData"][0]["value"], format!("Total for {name} with subs"));
            nested = row["Rows"]["Row"].as_array().expect("rows").iter().any(|inner| inner["Header"]["ColData"][0]["id"].is_string());
        }
    });
    assert!(nested);
}

// quickbooks fact 91
#[tokio::test]
async fn empty_reports_say_so_and_profit_and_loss_keeps_its_frame() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    for name in ["TrialBalance", "ProfitAndLoss", "BalanceSheet", "GeneralLedger"] {
        let empty = report(&running, &tokens, name, "start_date=2025-01-01&end_date=2025-05-31").await;
        let options = empty["Header"]["Option"].as_array().expect("options");
        assert!(options.contains(&serde_json::json!({"Name": "NoReportData", "Value": "true"})), "{name}");
        let has_standard = options.iter().any(|option| option["Name"] == "AccountingStandard");
        assert_eq!(has_standard, matches!(name, "ProfitAndLoss" | "BalanceSheet"));
    }
    let profit = report(&running, &tokens, "ProfitAndLoss", "start_date=2025-01-01&end_date=2025-05-31").await;
    let groups: Vec<&str> = profit["Rows"]["Row"].as_array().expect("rows").iter().map(|row| row["group"].as_str().expect("a group")).collect();
    assert_eq!(groups, ["Income", "GrossProfit", "Expenses", "NetOperatingIncome", "NetIncome"]);
}

// quickbooks facts 92, 94, 97
#[tokio::test]
async fn the_period_comes_from_dates_or_a_macro_and_bad_parameters_are_refused() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    let by_default = report(&running, &tokens, "TrialBalance", "").await["Header"].clone();
    assert_eq!(
        (&by_default["DateMacro"], &by_default["StartPeriod"], &by_default["EndPeriod"]),
        (&"this month-to-date".into(), &"2025-06-01".into(), &"2025-06-15".into())
    );
    assert_eq!(by_default["ReportBasis"], "Accrual");
    let fiscal = report(&running, &tokens, "TrialBalance", "date_macro=This+Fiscal+Year-to-date").await["Header"].clone();
    assert_eq!((&fiscal["StartPeriod"], &fiscal["EndPeriod"]), (&"2025-01-01".into(), &"2025-06-15".into()));
    let dates = report(&running, &tokens, "TrialBalance", "start_date=2025-01-01&end_date=2025-03-31&date_macro=All").await["Header"].clone();
    assert!(dates.get("DateMacro").is_none());
    assert_eq!(dates["EndPeriod"], "2025-03-31");
    for (query, detail) in [
        ("date_macro=thisyeartolastmonth1", "Supplied value:thisyeartolastmonth1"),
        ("start_date=2025-13-01&end_date=2025-12-31", "Supplied value:2025-13-01"),
        ("start_date=2025-02-01&end_date=2025-01-31", "start_date must be less than end_date"),
        ("accounting_method=Gut", "Supplied value:Gut"),
    ] {
        let answer = running.get(&tokens, &format!("reports/TrialBalance?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.detail().contains(detail), "{}", answer.detail());
    }
    assert_eq!(running.get(&tokens, "reports/GeneralLedger?columns=debit").await.status, 400);
    assert_eq!(running.get(&tokens, "reports/ProfitAndLoss?summarize_column_by=Moons").await.status, 400);
    assert_eq!(running.get(&tokens, "reports/Horoscope").await.code(), "500");
}

// quickbooks fact 96
#[tokio::test]
async fn a_ledger_beyond_the_cell_limit_is_cut_with_a_text_and_status_200() {
    let company = made_up(1);
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    running.sandbox.write(|state| state.limits.figures.quickbooks_report_cells = 800);
    let query = format!("start_date=2024-01-01&end_date=2024-12-31&{LEDGER_COLUMNS}");
    let cut = report(&running, &tokens, "GeneralLedger", &query).await;
    let mut rows = 0;
    every_row(&cut["Rows"], &mut |row| rows += usize::from(row["type"] == "Data"));
    assert_eq!(rows, 800 / 11 + 1);
    let last = cut["Rows"]["Row"].as_array().expect("rows").last().expect("a last row").clone();
    assert_eq!(last["ColData"][0]["value"], "Unable to display more data. Please reduce the date range.");
    running.sandbox.write(|state| state.limits.figures.quickbooks_report_cells = 400_000);
    let whole = running.get(&tokens, &format!("reports/GeneralLedger?{query}")).await;
    assert!(!whole.text.contains("Unable to display"));
}

// quickbooks fact 98
#[tokio::test]
async fn an_inactive_account_with_a_balance_is_marked_in_reports() {
    let mut company = shop();
    let bill = company.bill(date(2025, 6, 2), 5_000);
    company.books.add_document(bill, now()).expect("a good bill");
    let rent = company.rent;
    company.books.set_account_active(rent, false, now()).expect("a plain account");
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    for name in ["TrialBalance", "ProfitAndLoss", "GeneralLedger"] {
        let answer = running.get(&tokens, &format!("reports/{name}?start_date=2025-06-01&end_date=2025-06-30")).await;
        assert!(answer.text.contains(r#"{"value":"Rent (deleted)","id":""#), "{name}: {}", answer.text);
    }
}

#[tokio::test]
async fn home_currency_columns_exist_only_where_there_are_several_currencies() {
    let (single, several) = (made_up(1), with_euros(4));
    let (single_realm, several_realm) = (single.id.clone(), several.id.clone());
    assert!(several.documents.values().any(|document| document.currency == "EUR" && document.kind == Kind::Payment));
    let running = start(vec![single, several]).await;
    let query = "start_date=2024-07-01&end_date=2024-12-31&columns=tx_date,txn_type,debt_amt,credit_amt,debt_home_amt,credit_home_amt";
    let keys = async |realm: &str| {
        let tokens = running.connect(realm).await;
        let ledger = report(&running, &tokens, "GeneralLedger", query).await;
        let columns = ledger["Columns"]["Column"].as_array().expect("columns").clone();
        columns.iter().map(|c| c["MetaData"][0]["Value"].as_str().expect("a key").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&single_realm).await, ["tx_date", "txn_type", "debt_amt", "credit_amt"]);
    assert_eq!(keys(&several_realm).await, ["tx_date", "txn_type", "debt_amt", "credit_amt", "debt_home_amt", "credit_home_amt"]);
}
