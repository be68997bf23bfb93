//! Reports against the books they are computed from, to the cent.
use super::*;
use jiff::ToSpan;
use jiff::civil::Date;
use simulator::books::{AccountType, Basis};
use std::collections::BTreeMap;

async fn report(served: &Served, path: &str) -> Value {
    served.list("Reports", path).await.remove(0)
}

/// (section title, cells of the row) for every data row.
fn rows(report: &Value) -> Vec<(String, Vec<Value>)> {
    let mut found = Vec::new();
    for section in report["Rows"].as_array().unwrap().iter().filter(|row| row["RowType"] == "Section") {
        for row in section["Rows"].as_array().unwrap().iter().filter(|row| row["RowType"] == "Row") {
            found.push((section["Title"].as_str().unwrap().to_string(), row["Cells"].as_array().unwrap().clone()));
        }
    }
    found
}

/// The values of the row or summary with this label.
fn labelled(report: &Value, label: &str) -> Vec<Cents> {
    for section in report["Rows"].as_array().unwrap().iter().filter(|row| row["RowType"] == "Section") {
        for row in section["Rows"].as_array().unwrap() {
            let cells = row["Cells"].as_array().unwrap();
            if cells[0]["Value"] == label {
                return cells[1..].iter().map(|cell| cents(&cell["Value"])).collect();
            }
        }
    }
    panic!("no row {label}: {report}")
}

fn account_of(cell: &Value) -> &str {
    cell["Attributes"].as_array().unwrap().iter().find(|attribute| attribute["Id"] == "account").unwrap()["Value"].as_str().unwrap()
}

fn side(debit: &Value, credit: &Value) -> Cents {
    match (debit["Value"].as_str().unwrap(), credit["Value"].as_str().unwrap()) {
        (text, "") => Cents::parse(text).unwrap(),
        ("", text) => -Cents::parse(text).unwrap(),
        both => panic!("two sides: {both:?}"),
    }
}

/// Each basis with what asks for it.
const BASES: [(Basis, &str); 2] = [(Basis::Accrual, ""), (Basis::Cash, "&paymentsOnly=true")];
const DATES: [&str; 6] = ["2024-10-31", "2025-03-31", "2025-04-01", "2025-09-17", "2026-03-31", "2026-06-15"];

// xero facts 83, 84, 85 and 86
#[tokio::test]
async fn the_trial_balance_is_that_of_the_books() {
    for (seed, second_currency) in [(1, false), (2, true), (3, true)] {
        let served = Served::with(vec![company(seed, second_currency)]).await;
        for (day, (basis, asked)) in DATES.into_iter().flat_map(|day| BASES.map(|basis| (day, basis))) {
            let date: Date = day.parse().unwrap();
            let report = report(&served, &format!("Reports/TrialBalance?date={day}&fromDate=2020-01-01&toDate=2020-02-01{asked}")).await;
            let titles: Vec<&str> = report["Rows"].as_array().unwrap().iter().skip(1).map(|row| row["Title"].as_str().unwrap()).collect();
            assert_eq!(titles, ["Revenue", "Expenses", "Assets", "Liabilities", "Equity", ""]);
            let (mut month, mut year) = (BTreeMap::new(), BTreeMap::new());
            for (_, cells) in rows(&report) {
                assert!(cells.iter().all(|cell| account_of(cell) == account_of(&cells[0])));
                let account = account_of(&cells[0]).to_string();
                month.insert(account.clone(), side(&cells[1], &cells[2]));
                year.insert(account, side(&cells[3], &cells[4]));
            }
            let shown = |books: &Books, sums: BTreeMap<u64, Cents>| -> BTreeMap<String, Cents> {
                sums.into_iter().map(|(account, amount)| (books.guid("Account", account), amount)).collect()
            };
            month.retain(|_, amount| !amount.is_zero());
            year.retain(|_, amount| !amount.is_zero());
            served.books(|books| {
                assert_eq!(year, shown(books, books.on(basis).trial_balance(date)), "{day}, {basis:?}");
                assert_eq!(month, shown(books, books.on(basis).movement(date.first_of_month(), date)), "{day}, {basis:?}");
            });
            let total = labelled(&report, "Total");
            assert_eq!((total[0], total[2]), (total[1], total[3]), "{day}");
        }
    }
}

#[tokio::test]
async fn labels_carry_the_code_and_retained_earnings_its_range() {
    let served = Served::plain().await;
    let report = report(&served, "Reports/TrialBalance?date=2026-06-15").await;
    assert_eq!((report["ReportName"].as_str(), report["ReportDate"].as_str()), (Some("Trial Balance"), Some("15 June 2026")));
    assert_eq!(report["ReportTitles"][2], "As at 15 June 2026");
    let (label, retained) = served.books(|books| {
        let account = &books.accounts[&books.account_of(AccountType::RetainedEarnings).unwrap()];
        (format!("{} ({})", account.name, account.code), books.guid("Account", account.id))
    });
    let (section, cells) = rows(&report).into_iter().find(|(_, cells)| cells[0]["Value"] == label.as_str()).unwrap();
    assert_eq!((section.as_str(), account_of(&cells[4])), ("Equity", retained.as_str()));
    assert!(cells[4]["Attributes"].as_array().unwrap().contains(&serde_json::json!({"Value": "3/31/2026", "Id": "toDate"})));
    let (status, body) = served.refused("Reports/TrialBalance?date=31/03/2026").await;
    assert!(status == 400 && body.contains("date must be a date"), "{body}");
}

// xero fact 87
#[tokio::test]
async fn profit_and_loss_repeats_its_days_in_earlier_periods() {
    for (seed, second_currency) in [(1, false), (2, true)] {
        let served = Served::with(vec![company(seed, second_currency)]).await;
        let periods_of = [
            ("2026-05-01", "2026-05-31", 11, "MONTH"),
            ("2026-03-01", "2026-03-31", 2, "MONTH"),
            ("2026-01-01", "2026-03-31", 3, "QUARTER"),
            ("2025-04-01", "2026-03-31", 1, "YEAR"),
            ("2025-11-05", "2026-02-11", 0, "MONTH"),
        ];
        for ((from, to, periods, timeframe), (basis, asked)) in periods_of.into_iter().flat_map(|period| BASES.map(|basis| (period, basis))) {
            let periods_query = if periods > 0 { format!("&periods={periods}&timeframe={timeframe}") } else { String::new() };
            let report =
                report(&served, &format!("Reports/ProfitAndLoss?fromDate={from}&toDate={to}{periods_query}&standardLayout=true{asked}")).await;
            let step = if timeframe == "QUARTER" { 3 } else { 12_i64.min(if timeframe == "YEAR" { 12 } else { 1 }) };
            let net = labelled(&report, "NET PROFIT");
            assert_eq!(net.len(), usize::try_from(periods).unwrap() + 1);
            for (column, shown) in net.iter().enumerate() {
                let back = |day: &str| day.parse::<Date>().unwrap() - (step * i64::try_from(column).unwrap()).months();
                let (from, to) = (back(from), back(to));
                served.books(|books| {
                    assert_eq!(*shown, books.on(basis).net_income(from, to), "{from} to {to}, {basis:?}");
                    let movement = books.on(basis).movement(from, to);
                    for (section, cells) in rows(&report).into_iter().filter(|(_, cells)| cells[0].get("Attributes").is_some()) {
                        let id = books.id_of_guid("Account", account_of(&cells[0])).unwrap();
                        let amount = movement.get(&id).copied().unwrap_or_default();
                        let expected = if section.contains("Income") { -amount } else { amount };
                        assert_eq!(cents(&cells[column + 1]["Value"]), expected, "{section} {}", cells[0]["Value"]);
                    }
                });
            }
        }
        let default = report(&served, "Reports/ProfitAndLoss").await;
        assert_eq!(default["ReportTitles"][2], "1 June 2026 to 30 June 2026");
        for (query, text) in [
            ("periods=12", "periods must be between 1 and 11"),
            ("periods=0", "periods must be between 1 and 11"),
            ("fromDate=2024-01-01&toDate=2025-01-02", "within a year"),
            ("fromDate=2026-02-01&toDate=2026-01-01", "must not be after"),
            ("periods=1&timeframe=WEEK", "timeframe must be"),
        ] {
            let (status, body) = served.refused(&format!("Reports/ProfitAndLoss?{query}")).await;
            assert!(status == 400 && body.contains(text), "{query}: {body}");
        }
        assert_eq!(served.refused("Reports/ProfitAndLoss?fromDate=2024-01-01&toDate=2024-12-31").await.0, 200, "a leap year has 366 days");
    }
}

#[tokio::test]
async fn grouped_currency_gains_share_one_row() {
    let served = Served::with(vec![company(2, true)]).await;
    let path = "Reports/ProfitAndLoss?fromDate=2025-06-01&toDate=2026-05-31";
    let single = report(&served, path).await;
    let gain = served.books(|books| books.guid("Account", books.account_of(AccountType::CurrencyGain).unwrap()));
    assert!(rows(&single).iter().any(|(_, cells)| cells[0].get("Attributes").is_some() && account_of(&cells[0]) == gain));
    served.sandbox.write(|state| state.faults.switches.xero_groups_currency_gains = true);
    let grouped = report(&served, path).await;
    let accounts: Vec<String> =
        rows(&grouped).iter().filter(|(_, cells)| cells[0].get("Attributes").is_some()).map(|(_, cells)| account_of(&cells[0]).into()).collect();
    assert!(accounts.contains(&"FXGROUPID".to_string()) && !accounts.contains(&gain));
    assert_eq!(labelled(&grouped, "NET PROFIT"), labelled(&single, "NET PROFIT"));
}

// xero fact 88
#[tokio::test]
async fn the_balance_sheet_balances_at_month_ends() {
    for (seed, second_currency) in [(1, false), (2, true), (3, true)] {
        let served = Served::with(vec![company(seed, second_currency)]).await;
        let sheets = [
            ("2026-06-15", "", vec!["2026-06-30"]),
            ("2026-03-31", "&periods=2&timeframe=MONTH", vec!["2026-03-31", "2026-02-28", "2026-01-31"]),
            ("2025-12-01", "&periods=1&timeframe=QUARTER", vec!["2025-12-31", "2025-09-30"]),
            ("2025-04-02", "&periods=1&timeframe=YEAR", vec!["2025-04-30", "2024-04-30"]),
        ];
        for ((day, query, ends), (basis, asked)) in sheets.into_iter().flat_map(|sheet| BASES.map(|basis| (sheet.clone(), basis))) {
            let report = report(&served, &format!("Reports/BalanceSheet?date={day}{query}{asked}")).await;
            assert_eq!(labelled(&report, "Net Assets"), labelled(&report, "Total Equity"), "{day}");
            let rows = rows(&report);
            for (column, end) in ends.iter().enumerate() {
                let end: Date = end.parse().unwrap();
                served.books(|books| {
                    let trial = books.on(basis).trial_balance(end);
                    let mut shown = BTreeMap::new();
                    for (section, cells) in rows.iter().filter(|(_, cells)| cells[0].get("Attributes").is_some()) {
                        let amount = cents(&cells[column + 1]["Value"]);
                        let credit = section.contains("Liabilities") || section == "Equity";
                        shown.insert(account_of(&cells[0]).to_string(), if credit { -amount } else { amount });
                    }
                    let start = books.fiscal_year_start(end);
                    let current = shown.remove("00000000-0000-0000-0000-000000000000").unwrap();
                    assert_eq!(-current, books.on(basis).net_income(start, end), "{end}");
                    shown.retain(|_, amount| !amount.is_zero());
                    let expected: BTreeMap<String, Cents> = trial
                        .into_iter()
                        .filter(|(account, _)| !books.accounts[account].account_type.is_profit_and_loss())
                        .map(|(account, amount)| (books.guid("Account", account), amount))
                        .collect();
                    assert_eq!(shown, expected, "{end}");
                });
            }
            let current = rows.iter().find(|(_, cells)| cells[0]["Value"] == "Current Year Earnings").unwrap();
            let ids: Vec<&str> = current.1[1]["Attributes"].as_array().unwrap().iter().map(|a| a["Id"].as_str().unwrap()).collect();
            assert_eq!(ids, ["account", "fromDate", "toDate"]);
        }
    }
}

// xero fact 90
#[tokio::test]
async fn the_bank_summary_goes_from_opening_to_closing_by_what_came_and_went() {
    let served = Served::with(vec![company(3, true)]).await;
    for (from, to) in [("2024-10-01", "2024-10-31"), ("2025-03-01", "2026-06-10"), ("2026-05-01", "2026-05-31")] {
        let report = report(&served, &format!("Reports/BankSummary?fromDate={from}&toDate={to}")).await;
        let (from, to): (Date, Date) = (from.parse().unwrap(), to.parse().unwrap());
        let rows = rows(&report);
        assert!(rows.len() > 2, "{report}");
        let mut sums = [Cents::ZERO; 4];
        for (_, cells) in rows {
            let account = cells[0]["Attributes"][0]["Value"].as_str().unwrap();
            assert_eq!(cells[0]["Attributes"][0]["Id"], "accountID");
            assert_eq!((cells[1].get("Attributes"), account_of(&cells[2]), account_of(&cells[3])), (None, account, account));
            let amounts: Vec<Cents> = cells[1..].iter().map(|cell| cents(&cell["Value"])).collect();
            assert_eq!(amounts[0] + amounts[1] - amounts[2], amounts[3], "{cells:?}");
            let held = |day: Date| {
                served.books(|books| books.balances_at(day).get(&books.id_of_guid("Account", account).unwrap()).copied().unwrap_or_default())
            };
            assert_eq!((amounts[0], amounts[3]), (held(from.yesterday().unwrap()), held(to)));
            for (sum, amount) in sums.iter_mut().zip(amounts) {
                *sum += amount;
            }
        }
        assert_eq!(labelled(&report, "Total"), sums);
    }
}

// xero fact 89
#[tokio::test]
async fn aged_reports_need_a_contact_and_list_what_it_owes() {
    let served = Served::with(vec![company(3, false)]).await;
    for (report_name, kind, side) in [("AgedReceivablesByContact", Kind::Invoice, 0), ("AgedPayablesByContact", Kind::Bill, 1)] {
        let (status, body) = served.refused(&format!("Reports/{report_name}")).await;
        assert_eq!((status, body.contains("contactId")), (400, true), "{body}");
        assert_eq!(served.refused(&format!("Reports/{report_name}?contactId=00000000-0000-4000-8000-000000000000")).await.0, 400);
        let owing = served.find(&[kind], |books, id| books.amount_due(id).0 > 0 && books.documents[&id].status == simulator::books::Status::Active);
        let contact = served.books(|books| books.documents[&owing].contact.unwrap());
        let report = report(&served, &format!("Reports/{report_name}?contactId={}&date=2026-06-15", served.guid("Contact", contact))).await;
        let open = served.books(|books| {
            let own =
                books.documents.values().filter(|d| d.kind == kind && d.contact == Some(contact) && d.status == simulator::books::Status::Active);
            own.map(|document| books.amount_due(document.id)).sum::<Cents>()
        });
        let closing = |label: &str| -> Cents {
            let sections = report["Rows"].as_array().unwrap().iter().filter(|row| row["RowType"] == "Section");
            let mut rows = sections.flat_map(|section| section["Rows"].as_array().unwrap());
            cents(&rows.find(|row| row["Cells"][0]["Value"] == label).unwrap()["Cells"][7]["Value"])
        };
        assert_eq!((closing("Closing Balance"), closing("Total")), (open, open), "side {side}");
        let documents: Vec<_> = rows(&report).into_iter().filter(|(_, cells)| cells[0].get("Attributes").is_some()).collect();
        assert!(documents.iter().any(|(_, cells)| cells[0]["Attributes"][0]["Value"] == served.guid("Invoice", owing).as_str()));
        // a day before anything was paid shows the whole as due
        let first = served.books(|books| books.documents[&owing].date);
        let early = self::report(&served, &format!("Reports/{report_name}?contactId={}&date={first}", served.guid("Contact", contact))).await;
        let row = rows(&early).into_iter().find(|(_, cells)| cells[0]["Attributes"][0]["Value"] == served.guid("Invoice", owing).as_str()).unwrap().1;
        assert_eq!((cents(&row[4]["Value"]), row[3]["Value"].as_str()), (served.books(|books| books.total(&books.documents[&owing])), Some("")));
    }
}

#[tokio::test]
async fn the_executive_and_budget_summaries_follow_from_the_books() {
    let served = Served::with(vec![company(3, true)]).await;
    let executive = report(&served, "Reports/ExecutiveSummary?date=2026-05-20").await;
    let text = |label: &str, column: usize| {
        let rows = rows(&executive);
        let row = rows.iter().find(|(_, cells)| cells[0]["Value"] == label).unwrap_or_else(|| panic!("no row {label}"));
        row.1[column]["Value"].as_str().unwrap().to_string()
    };
    let profit = served.books(|books| [books.net_income(date(2026, 5, 1), date(2026, 5, 31)), books.net_income(date(2026, 4, 1), date(2026, 4, 30))]);
    assert_eq!([text("Profit (loss)", 1), text("Profit (loss)", 2)], profit.map(|amount| amount.to_string()));
    let banks = report(&served, "Reports/BankSummary?fromDate=2026-05-01&toDate=2026-05-31").await;
    assert_eq!(text("Cash received", 1), labelled(&banks, "Total")[1].to_string());
    assert_eq!(text("Closing bank balance", 1), labelled(&banks, "Total")[3].to_string());
    assert!(text("Gross profit margin", 1).ends_with('%') && text("Profit (loss)", 3).ends_with('%'));

    let budget = report(&served, "Reports/BudgetSummary?date=2026-04-01&periods=4&timeframe=3").await;
    let titles: Vec<&str> = budget["Rows"][0]["Cells"].as_array().unwrap().iter().map(|cell| cell["Value"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Account", "Apr-26", "Jul-26", "Oct-26", "Jan-27"]);
    let planned: Cents = served.books(|books| {
        let lines = books.lists.budgets.values().flat_map(|budget| &budget.lines);
        let sign = |account: &u64| if books.accounts[account].account_type.is_debit_normal() { -1 } else { 1 };
        lines.map(|line| Cents(sign(&line.account) * line.amount.0)).sum()
    });
    assert_eq!(labelled(&budget, "Net Profit").into_iter().sum::<Cents>(), planned);
    assert_eq!(served.refused("Reports/BudgetSummary?timeframe=2").await.0, 400);
    let text = served.call("Reports/BudgetSummary").await.text().await.unwrap();
    assert!(!text.contains("Attributes"), "a budget names no accounts by id");
}
