//! Reports that are narrowed, divided and sorted, and those that only some companies have.
use super::*;
use simulator::books::generator::{CompanySpec, generate};

async fn report(running: &Running, tokens: &Tokens, path: &str) -> Value {
    let answer = running.get(tokens, &format!("reports/{path}")).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

/// The cells of a group's summary, without its title.
fn summary(report: &Value, group: &str) -> Vec<Cents> {
    fn find<'a>(rows: &'a Value, group: &str) -> Option<&'a Value> {
        rows["Row"].as_array()?.iter().find_map(|row| if row["group"] == group { Some(row) } else { find(&row["Rows"], group) })
    }
    let found = find(&report["Rows"], group).unwrap_or_else(|| panic!("no {group}: {report}"));
    found["Summary"]["ColData"].as_array().expect("cells").iter().skip(1).map(|cell| cents(&cell["value"])).collect()
}

const YEAR: &str = "start_date=2024-07-01&end_date=2025-05-31";

// quickbooks fact 95
#[tokio::test]
async fn columns_of_customers_classes_and_the_like_add_up_to_the_whole() {
    let company = made_up(21);
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let whole = report(&running, &tokens, &format!("ProfitAndLoss?{YEAR}")).await;
    for by in ["Customers", "Vendors", "Classes", "Departments", "Employees", "ProductsAndServices", "FiscalQuarter", "FiscalYear", "Month"] {
        let divided = report(&running, &tokens, &format!("ProfitAndLoss?{YEAR}&summarize_column_by={by}")).await;
        assert_eq!(divided["Header"]["SummarizeColumnsBy"], by);
        let columns = divided["Columns"]["Column"].as_array().expect("columns").len();
        for group in ["Income", "Expenses", "NetIncome"] {
            let cells = summary(&divided, group);
            assert_eq!(cells.len() + 1, columns, "{by} {group}");
            let (total, parts) = cells.split_last().expect("a total");
            assert_eq!(parts.iter().copied().sum::<Cents>(), *total, "{by} {group}");
            assert_eq!(vec![*total], summary(&whole, group), "{by} {group}");
        }
        if by == "Customers" {
            let one = &divided["Columns"]["Column"][1];
            let id = one["MetaData"][0]["Value"].as_str().expect("an id");
            let filtered = report(&running, &tokens, &format!("ProfitAndLoss?{YEAR}&customer={id}")).await;
            assert_eq!(filtered["Header"]["Customer"], id, "the filter is echoed");
            assert_eq!(summary(&filtered, "Income"), [summary(&divided, "Income")[0]], "{}", one["ColTitle"]);
        }
    }
    let sheet = report(&running, &tokens, &format!("BalanceSheet?{YEAR}&summarize_column_by=Classes")).await;
    let plain = report(&running, &tokens, &format!("BalanceSheet?{YEAR}")).await;
    for group in ["TotalAssets", "TotalLiabilitiesAndEquity", "Equity"] {
        assert_eq!(summary(&sheet, group).last(), summary(&plain, group).last(), "{group}");
    }
}

#[tokio::test]
async fn lists_of_transactions_are_narrowed_and_sorted_and_show_the_columns_asked_for() {
    let company = made_up(22);
    let realm = company.id.clone();
    let books = company.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let rows = |report: &Value| report["Rows"]["Row"].as_array().cloned().unwrap_or_default();
    let all = rows(&report(&running, &tokens, &format!("TransactionList?{YEAR}")).await);
    let bills =
        rows(&report(&running, &tokens, &format!("TransactionList?{YEAR}&transaction_type=Bill&sort_by=subt_nat_amount&sort_order=descend")).await);
    assert!(!bills.is_empty() && bills.len() < all.len());
    let amounts: Vec<Cents> = bills.iter().map(|row| cents(&row["ColData"][8]["value"])).collect();
    assert!(bills.iter().all(|row| row["ColData"][1]["value"] == "Bill") && amounts.windows(2).all(|pair| pair[0] >= pair[1]), "{amounts:?}");
    let vendor = bills[0]["ColData"][4]["id"].as_str().expect("a vendor");
    let of_vendor = rows(&report(&running, &tokens, &format!("TransactionList?{YEAR}&vendor={vendor}&columns=tx_date,name,due_date")).await);
    assert!(
        !of_vendor.is_empty() && of_vendor.iter().all(|row| row["ColData"].as_array().map(Vec::len) == Some(3) && row["ColData"][1]["id"] == vendor)
    );
    let splits = rows(&report(&running, &tokens, &format!("TransactionListWithSplits?{YEAR}&transaction_type=Bill")).await);
    assert_eq!(splits.len(), bills.len());
    for section in &splits {
        let sum: Cents = section["Rows"]["Row"].as_array().expect("postings").iter().map(|row| cents(&row["ColData"][8]["value"])).sum();
        assert_eq!(sum, Cents::ZERO, "{section}");
    }
    let ledger = report(&running, &tokens, &format!("GeneralLedger?{YEAR}&account_type=Accounts%20Payable&vendor={vendor}")).await;
    let sections = rows(&ledger);
    assert_eq!(sections.len(), 1);
    let balance: Cents = sections[0]["Rows"]["Row"].as_array().expect("rows").iter().map(|row| cents(&row["ColData"][6]["value"])).sum();
    let id: u64 = vendor.parse().expect("a number");
    let posted: Cents = books
        .documents_between(date(2024, 7, 1), date(2025, 5, 31))
        .flat_map(|document| books.postings(document))
        .filter(|posting| posting.contact == Some(id) && books.accounts[&posting.account].account_type == AccountType::Payable)
        .map(|posting| -posting.amount)
        .sum();
    assert_eq!(balance, posted);
    let owed = report(&running, &tokens, &format!("VendorBalance?report_date=2025-05-31&vendor={vendor}")).await;
    assert!(rows(&owed).iter().all(|row| row["ColData"][0]["id"] == vendor || row["group"] == "GrandTotal"));
    for bad in [
        "TransactionList?columns=horoscope",
        "TransactionList?sort_by=mood",
        "TransactionList?sort_order=up",
        "ProfitAndLoss?summarize_column_by=Moons",
    ] {
        assert_eq!(running.get(&tokens, &format!("reports/{bad}")).await.code(), "2030", "{bad}");
    }
}

#[tokio::test]
async fn goods_taxes_and_the_reports_of_one_country_follow_from_the_books() {
    let spec = CompanySpec { tracks_inventory: true, ..CompanySpec::plain(Face::QuickBooks, 31, date(2024, 7, 1), date(2025, 6, 10)) };
    let store = generate(Face::QuickBooks, spec.clone(), now());
    let abroad = |seed: u64, country: &str, currency: &str| {
        let spec = CompanySpec { country: country.into(), currency: currency.into(), seed, tracks_inventory: false, ..spec.clone() };
        generate(Face::QuickBooks, spec, now())
    };
    let (french, australian, canadian) = (abroad(32, "FR", "EUR"), abroad(33, "AU", "AUD"), abroad(34, "CA", "CAD"));
    let realms: Vec<String> = [&store, &french, &australian, &canadian].map(|books| books.id.clone()).into();
    let books = store.clone();
    let running = start(vec![store, french, australian, canadian]).await;
    let tokens = running.connect(&realms[0]).await;
    let stock = report(&running, &tokens, "InventoryValuationSummary?start_date=2024-07-01&end_date=2025-05-31").await;
    let rows = stock["Rows"]["Row"].as_array().expect("rows");
    let total = cents(&rows.last().expect("a total")["Summary"]["ColData"][3]["value"]);
    let counted: Cents = books.counted_items().map(|item| books.on_hand_at(item, date(2025, 5, 31)).1).sum();
    assert!(rows.len() > 1 && total == counted && total.0 > 0, "{total} {counted} {}", rows.len());
    let moves = report(&running, &tokens, "InventoryValuationDetail?start_date=2025-05-01&end_date=2025-05-31").await;
    let section = &moves["Rows"]["Row"][0];
    let item: u64 = section["Header"]["ColData"][0]["id"].as_str().expect("an item").parse().expect("a number");
    let last = section["Summary"]["ColData"].as_array().expect("cells").last().expect("a value");
    assert_eq!(cents(&last["value"]), books.on_hand_at(item, date(2025, 5, 31)).1);
    assert_eq!(running.rows(&tokens, "Item", "WHERE Type = 'Inventory'").await.len(), books.counted_items().count());
    let taxes = report(&running, &tokens, &format!("TaxSummary?{YEAR}")).await;
    let tax: Cents = taxes["Rows"]["Row"].as_array().expect("agencies").iter().map(|agency| cents(&agency["Summary"]["ColData"][2]["value"])).sum();
    let owed: Cents = books
        .documents_between(date(2024, 7, 1), date(2025, 5, 31))
        .filter(|d| d.kind.is_sale())
        .flat_map(|d| {
            let sign = -d.kind.line_sign();
            d.taxes.iter().map(move |tax| Cents(sign * tax.tax.0)).collect::<Vec<_>>()
        })
        .sum();
    assert_eq!(tax, owed);
    for (name, country) in [("BAS", 2), ("FECReport", 1), ("GeneralLedgerFR", 1), ("JournalReportFR", 1), ("TrialBalanceFR", 1)] {
        assert_eq!(running.get(&tokens, &format!("reports/{name}?{YEAR}")).await.code(), "5030", "{name} is of another country");
        let own = running.connect(&realms[country]).await;
        assert_eq!(report(&running, &own, &format!("{name}?{YEAR}")).await["Header"]["ReportName"], name);
    }
    let france = running.connect(&realms[1]).await;
    let entries = report(&running, &france, &format!("FECReport?{YEAR}")).await;
    assert_eq!(entries["Columns"]["Column"].as_array().map(Vec::len), Some(18));
    let side =
        |index: usize| entries["Rows"]["Row"].as_array().expect("entries").iter().map(|row| cents(&row["ColData"][index]["value"])).sum::<Cents>();
    assert!(side(11) == side(12) && !side(11).is_zero());
    let groups = |report: &Value| {
        report["Rows"]["Row"].as_array().expect("rows").iter().filter_map(|row| row["group"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let canada = running.connect(&realms[3]).await;
    let canada = groups(&report(&running, &canada, &format!("ProfitAndLoss?{YEAR}")).await);
    assert!(!canada.iter().any(|group| group.starts_with("Gross") || group == "NetOperatingIncome" || group == "NetOtherIncome"), "{canada:?}");
    let australia = running.connect(&realms[2]).await;
    let australia = groups(&report(&running, &australia, &format!("ProfitAndLoss?{YEAR}")).await);
    let place = |name: &str| australia.iter().position(|group| group == name).expect("a group");
    assert!(place("OtherIncome") < place("Expenses") && place("GrossProfit") < place("OtherIncome"), "{australia:?}");
}
