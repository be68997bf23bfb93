//! Statements and the lines behind their figures.
use crate::sample::{DAY, Sample};
use domain::clock::Month;
use domain::data_type::DataType;
use domain::document::{AccountClass, AccountFacts, Document};
use domain::ids::{CompanyId, RunId};
use domain::ledger::{Basis, EntryKey, LedgerEntry, Posting};
use domain::money::Amount;
use domain::record::RecordState;
use store::{accounts, documents, ledger};
use testkit::each_database;

fn document(data_type: DataType, id: &str, name: Option<&str>, day: Option<&str>) -> Document {
    Document {
        data_type,
        id: id.to_owned(),
        state: RecordState::Active,
        date: day.map(|day| day.parse().unwrap()),
        number: name.map(str::to_owned),
        name: name.map(str::to_owned),
        contact_id: None,
        currency: None,
        total: None,
        updated_at: None,
        account: None,
    }
}

pub fn account(id: &str, name: &str, class: AccountClass, account_type: &str) -> Document {
    let facts = AccountFacts { class, account_type: account_type.to_owned(), role: String::new(), parent_id: None, is_retained_earnings: id == "re" };
    Document { account: Some(facts), number: None, ..document(DataType::Account, id, Some(name), None) }
}

fn entry(id: &str, day: &str, postings: &[(&str, i64)]) -> LedgerEntry {
    let key = EntryKey { source_type: "Invoice".into(), source_id: id.into(), journal_number: 0 };
    let posting = |(account, amount): &(&str, i64)| Posting { account_id: (*account).to_owned(), amount: Amount(amount * 10_000), contact_id: None };
    LedgerEntry::new(key, day.parse().unwrap(), postings.iter().map(posting).collect()).unwrap()
}

/// Sales of 1,000 in October, paid in November but for 400; rent of 250 in each month; a loss from the year before.
async fn books(sample: &Sample) -> CompanyId {
    let mut conn = sample.engine.store.read().await.unwrap();
    let companies = store::companies::list(&mut conn, &sample.organization_id).await.unwrap();
    let company_id = companies.into_iter().find(|company| company.name == "Harbour & Finch Ltd").unwrap().id;
    drop(conn);
    let chart = [
        account("bank", "Main <Account>", AccountClass::Asset, "Bank"),
        account("debtors", "Debtors", AccountClass::Asset, "Accounts Receivable"),
        account("sales", "Sales", AccountClass::Revenue, "Income"),
        account("goods", "Goods", AccountClass::Expense, "Cost of Goods Sold"),
        account("rent", "Rent", AccountClass::Expense, "Expense"),
        account("re", "Retained Earnings", AccountClass::Equity, "Equity"),
    ];
    let mut tx = sample.engine.store.begin().await.unwrap();
    accounts::supersede(&mut tx, &company_id, &chart.iter().collect::<Vec<_>>()).await.unwrap();
    let invoice = document(DataType::Invoice, "i1", Some("INV-77"), Some("2026-10-05"));
    let run: Option<&RunId> = None;
    documents::supersede(&mut tx, &company_id, &[(&invoice, [9; 32])], run, sample.now_ms - DAY).await.unwrap();
    let months = [
        ("2025-12", vec![entry("x", "2025-12-31", &[("goods", 70), ("bank", -70)])]),
        (
            "2026-10",
            vec![entry("i1", "2026-10-05", &[("debtors", 1_000), ("sales", -1_000)]), entry("r1", "2026-10-01", &[("rent", 250), ("bank", -250)])],
        ),
        (
            "2026-11",
            vec![entry("p1", "2026-11-03", &[("bank", 600), ("debtors", -600)]), entry("r2", "2026-11-01", &[("rent", 250), ("bank", -250)])],
        ),
    ];
    let cash = [
        ("2025-12", vec![entry("x", "2025-12-31", &[("goods", 70), ("bank", -70)])]),
        ("2026-10", vec![entry("r1", "2026-10-01", &[("rent", 250), ("bank", -250)])]),
        ("2026-11", vec![entry("p1", "2026-11-03", &[("bank", 600), ("sales", -600)]), entry("r2", "2026-11-01", &[("rent", 250), ("bank", -250)])]),
    ];
    for (basis, months) in [(Basis::Accrual, months), (Basis::Cash, cash)] {
        for (month, entries) in months {
            ledger::replace_month(&mut tx, &company_id, basis, Month::parse(month).unwrap(), &entries, &[1; 32], false, 0).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    company_id
}

/// The texts of the row with this label, without tags.
fn row(page: &str, label: &str) -> Vec<String> {
    let row = page.split("<tr").find(|row| row.contains(&format!("<bdi>{label}</bdi>"))).unwrap_or_else(|| panic!("no row {label} in\n{page}"));
    let plain = |cell: &str| {
        let mut text = String::new();
        let mut inside = false;
        for character in cell.chars() {
            match character {
                '<' => inside = true,
                '>' => inside = false,
                _ if !inside => text.push(character),
                _ => {}
            }
        }
        text.trim().to_owned()
    };
    row.split("<td").skip(1).map(|cell| plain(&format!("<td{}", cell.split("</td>").next().unwrap()))).collect()
}

#[tokio::test]
async fn profit_and_loss_counts_on_the_asked_for_basis_and_every_figure_leads_to_its_lines() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let page = sample.page(&format!("/companies/{id}/statements")).await;
        assert_eq!(row(&page, "Sales")[10..], ["1,000.00", "0.00", "1,000.00"], "October, November, total");
        assert_eq!(row(&page, "Rent")[10..], ["250.00", "250.00", "500.00"]);
        assert_eq!(row(&page, "Gross profit").last().unwrap(), "930.00");
        assert_eq!(row(&page, "Net profit")[10..], ["750.00", "-250.00", "430.00"]);
        assert!(page.contains(r#"<svg viewBox="0 0 960 220""#) && page.contains("Oct 2026: revenue 1,000.00, expenses 250.00, profit 750.00"));
        let lines = format!("/companies/{id}/lines?account=sales&#38;month=2026-10");
        assert!(page.contains(&lines), "{lines} is not in\n{page}");
        let cash = sample.page(&format!("/companies/{id}/statements?basis=cash")).await;
        assert_eq!(row(&cash, "Sales")[10..], ["0.00", "600.00", "600.00"]);
        assert_eq!(row(&cash, "Net profit").last().unwrap(), "30.00");
        let lines = format!("/companies/{id}/lines?basis=cash&#38;account=sales&#38;month=2026-11");
        assert!(cash.contains("cash basis") && cash.contains(&lines), "{lines} is not in\n{cash}");
    })
    .await;
}

#[tokio::test]
async fn the_balance_sheet_balances_and_the_trial_balance_has_equal_sides() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let sheet = sample.page(&format!("/companies/{id}/statements?report=balance-sheet")).await;
        assert_eq!(row(&sheet, "Main &#60;Account&#62;").last().unwrap(), "30.00");
        assert_eq!(row(&sheet, "Debtors")[10..], ["1,000.00", "400.00"]);
        assert_eq!(row(&sheet, "Retained Earnings")[10..], ["-70.00", "-70.00"]);
        assert_eq!(row(&sheet, "Result of this fiscal year")[10..], ["750.00", "500.00"]);
        assert_eq!(row(&sheet, "Total assets"), row(&sheet, "Total liabilities and equity"));
        assert_eq!(row(&sheet, "Total assets").last().unwrap(), "430.00");
        let trial = sample.page(&format!("/companies/{id}/statements?report=trial-balance")).await;
        assert_eq!(row(&trial, "Sales"), ["", "1,000.00"]);
        assert_eq!(row(&trial, "Retained Earnings"), ["70.00", ""]);
        assert_eq!(row(&trial, "Total"), ["1,000.00", "1,000.00"]);
        let earlier = sample.page(&format!("/companies/{id}/statements?report=trial-balance&to=2026-10")).await;
        assert_eq!(row(&earlier, "Total"), ["1,320.00", "1,320.00"]);
        assert!(trial.contains("As of 30 Nov 2026") && earlier.contains("As of 31 Oct 2026"));
    })
    .await;
}

#[tokio::test]
async fn lines_name_their_transactions_and_add_up_to_the_figure() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let page = sample.page(&format!("/companies/{id}/lines?account=debtors&month=2026-10")).await;
        for words in ["Debtors", "October 2026", "Invoice", "INV-77", "5 Oct 2026", "1,000.00", "at the beginning"] {
            assert!(page.contains(words), "`{words}` is not in\n{page}");
        }
        let page = sample.page(&format!("/companies/{id}/lines?account=sales&month=2026-11&basis=cash")).await;
        assert!(page.contains("600.00") && !page.contains("at the beginning"), "an income account has no balance");
        let empty = sample.page(&format!("/companies/{id}/lines?account=sales&month=2026-11")).await;
        assert!(empty.contains("Nothing was posted here in this month"));
        for wrong in ["account=nobody&month=2026-10", "account=sales&month=soon", "account=sales"] {
            assert_eq!(sample.get_as(&sample.owner_token, &format!("/companies/{id}/lines?{wrong}")).await.status.as_u16(), 404, "{wrong}");
        }
        assert_eq!(sample.get_as(&sample.owner_token, "/companies/nobody/statements").await.status.as_u16(), 404);
    })
    .await;
}

#[tokio::test]
async fn a_company_without_a_ledger_says_what_will_fill_its_statements() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let mut conn = sample.engine.store.read().await.unwrap();
        let companies = store::companies::list(&mut conn, &sample.organization_id).await.unwrap();
        drop(conn);
        for report in ["profit-and-loss", "balance-sheet", "trial-balance", "nonsense"] {
            let page = sample.page(&format!("/companies/{}/statements?report={report}&to=1066-10", companies[0].id)).await;
            assert!(page.contains("No ledger yet"), "{report}");
        }
    })
    .await;
}

/// An amount as a page writes it; nothing is zero.
fn amount(text: &str) -> i64 {
    let digits: String = text.chars().filter(|letter| letter.is_ascii_digit()).collect();
    if digits.is_empty() { 0 } else { digits.parse().unwrap() }
}

// proves F16 in part
#[tokio::test]
async fn every_figure_that_leads_to_lines_is_what_those_lines_add_up_to() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let mut linked = std::collections::BTreeMap::new();
        for report in ["profit-and-loss", "balance-sheet", "trial-balance"] {
            for chart in ["", "&chart=standard"] {
                for basis in ["", "&basis=cash"] {
                    for to in ["", "&to=2026-10", "&to=2025-12"] {
                        let page = sample.page(&format!("/companies/{id}/statements?report={report}{chart}{basis}{to}")).await;
                        for cell in page.split("<td class=\"num").skip(1).map(|cell| cell.split("</td>").next().unwrap()) {
                            let Some((_, link)) = cell.split_once("<a href=\"") else { continue };
                            let (href, text) = link.split_once("\">").unwrap();
                            let figure = amount(text.split("</a>").next().unwrap());
                            linked.insert((href.replace("&#38;", "&"), figure), format!("{report}{chart}{basis}{to}"));
                        }
                    }
                }
            }
        }
        let is_of = |key: &str| linked.keys().filter(|(href, _)| href.contains(key)).count();
        assert!(is_of("section=") > 20 && is_of("category=") > 20 && is_of("account=") > 20 && is_of("from=") > 20, "{:#?}", linked.keys());
        for ((href, figure), place) in linked {
            let page = sample.page(&href).await;
            let stat = |words: &str| {
                let (before, _) = page.split_once(&format!("</b><span>{words}"))?;
                Some(amount(before.rsplit("<b>").next().unwrap()))
            };
            let moved = stat("moved in").unwrap_or_else(|| panic!("{href}: {page}"));
            // what has a balance is its balance; the rest is what moved
            assert_eq!(stat("at the end").unwrap_or(moved), figure, "{place}: {href}");
            let side = |label: &str| -> i64 {
                let mark = format!("data-label=\"{label}\">");
                page.split(&mark).skip(1).map(|cell| amount(cell.split("</td>").next().unwrap())).sum()
            };
            assert_eq!((side("Debit") - side("Credit")).abs(), moved, "{href}");
        }
        for wrong in ["section=nonsense&month=2026-10", "category=nonsense&month=2026-10"] {
            assert_eq!(sample.get_as(&sample.owner_token, &format!("/companies/{id}/lines?{wrong}")).await.status.as_u16(), 404, "{wrong}");
        }
        let ages = sample.get_as(&sample.owner_token, &format!("/companies/{id}/lines?account=rent&from=0001-01&month=9999-12")).await;
        assert_eq!(ages.status.as_u16(), 200);
        // several months, and as many before and after them
        let page = sample.page(&format!("/companies/{id}/lines?account=rent&from=2026-10&month=2026-11")).await;
        for words in ["October 2026 to November 2026", "500.00", "from=2026-08&#38;month=2026-09", "from=2026-12&#38;month=2027-01"] {
            assert!(page.contains(words), "`{words}` is not in\n{page}");
        }
    })
    .await;
}
