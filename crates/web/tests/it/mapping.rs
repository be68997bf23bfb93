//! Chart of Accounts Mapping: the pages over written books, on both databases.
use crate::sample::Sample;
use crate::statements::account;
use axum::http::StatusCode;
use domain::clock::Month;
use domain::document::{AccountClass, Document};
use domain::ids::{CompanyId, RunId};
use domain::ledger::{Basis, EntryKey, LedgerEntry, Posting};
use domain::money::Amount;
use domain::sync::Extent;
use store::{accounts, documents, ledger};
use testkit::each_database;

fn entry(id: &str, day: &str, postings: &[(&str, i64)]) -> LedgerEntry {
    let key = EntryKey { source_type: "Invoice".into(), source_id: id.into(), journal_number: 0 };
    let posting = |(account, amount): &(&str, i64)| Posting { account_id: (*account).to_owned(), amount: Amount(amount * 10_000), contact_id: None };
    LedgerEntry::new(key, day.parse().unwrap(), postings.iter().map(posting).collect()).unwrap()
}

async fn company(sample: &Sample, name: &str) -> CompanyId {
    let mut conn = sample.engine.store.read().await.unwrap();
    let companies = store::companies::list(&mut conn, &sample.organization_id).await.unwrap();
    companies.into_iter().find(|company| company.name == name).unwrap().id
}

/// Accounts that rules decide, that a name decides, and that nobody knows.
pub async fn books(sample: &Sample) -> CompanyId {
    let id = company(sample, "Harbour & Finch Ltd").await;
    let chart: Vec<Document> = vec![
        account("bank", "Main <Account>", AccountClass::Asset, "Bank"),
        account("debtors", "Debtors", AccountClass::Asset, "Accounts Receivable"),
        account("sales", "Sales", AccountClass::Revenue, "Income"),
        account("rent", "Büromiete", AccountClass::Expense, "Expense"),
        account("odd", "Qwertz", AccountClass::Expense, "Expense"),
        account("re", "Retained Earnings", AccountClass::Equity, "Equity"),
    ];
    let mut tx = sample.engine.store.begin().await.unwrap();
    accounts::supersede(&mut tx, &id, &chart.iter().collect::<Vec<_>>()).await.unwrap();
    let run: Option<&RunId> = None;
    let listed: Vec<(&Document, [u8; 32])> = chart.iter().map(|document| (document, [7; 32])).collect();
    documents::supersede(&mut tx, &id, &listed, run, sample.now_ms).await.unwrap();
    let months = [
        ("2025-12", vec![entry("x", "2025-12-31", &[("odd", 70), ("bank", -70)])]),
        (
            "2026-10",
            vec![entry("i1", "2026-10-05", &[("debtors", 1_000), ("sales", -1_000)]), entry("r1", "2026-10-01", &[("rent", 250), ("bank", -250)])],
        ),
        ("2026-11", vec![entry("o1", "2026-11-03", &[("odd", 40), ("bank", -40)]), entry("r2", "2026-11-01", &[("rent", 250), ("bank", -250)])]),
    ];
    for basis in Basis::ALL {
        for (month, entries) in &months {
            ledger::replace_month(&mut tx, &id, basis, Month::parse(month).unwrap(), entries, &[1; 32], false, 0).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    id
}

/// The rows of the account table, by their names, in order.
fn names(page: &str) -> Vec<&str> {
    page.split("data-key=\"row-").skip(1).map(|row| row.split("<bdi>").nth(1).unwrap().split("</bdi>").next().unwrap()).collect()
}

fn row<'a>(page: &'a str, id: &str) -> &'a str {
    page.split("<tr data-key=\"row-").find(|row| row.starts_with(&format!("{id}\""))).unwrap_or_else(|| panic!("no row {id} in\n{page}"))
}

// proves E4, E10, E16
#[tokio::test]
async fn accounts_are_reviewed_by_impact_and_confirming_one_takes_it_from_the_list() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let path = format!("/companies/{id}/mapping");
        let page = sample.page(&path).await;
        // Qwertz: 110 with no confidence at all; Büromiete 500 with some; the bank 610 by its type
        assert_eq!(names(&page)[0], "Qwertz", "{:?}", names(&page));
        assert!(names(&page).contains(&"Büromiete") && !names(&page).contains(&"Retained Earnings"));
        for words in [
            "To review (",
            "Unmapped (110.00)",
            "New or changed since last sync (0)",
            "Inactive (0)",
            "User Categorization",
            "AI normalization",
            "Rule-based categorization",
        ] {
            assert!(page.contains(words), "`{words}` is not in\n{page}");
        }
        // the chart beside the accounts follows a sync as they do
        assert!(page.contains(r#"id="mapping-tree" data-live="self""#) && page.contains(r#"id="mapping" data-live="self""#));
        let rent = row(&page, "rent");
        assert!(
            rent.contains("Rent and leases") && rent.contains("built-in vocabulary: “Büromiete” is like") && rent.contains("source-ai"),
            "{rent}"
        );
        assert!(row(&page, "bank").contains("Rule type.Bank: the account type is “Bank”"));
        assert!(page.contains("Main &#60;Account&#62;") && !page.contains("Main <Account>"));
        assert!(page.contains("equal in every class of 3 months"), "{page}");

        let answer = sample.post(&format!("{path}/confirm"), "account=rent&account=bank").await;
        assert_eq!((answer.status, answer.location.as_str()), (StatusCode::SEE_OTHER, path.as_str()));
        assert!(answer.flash.contains("2 accounts confirmed."), "{}", answer.flash);
        let page = sample.page(&path).await;
        assert!(!names(&page).contains(&"Büromiete") && !names(&page).contains(&"Main &#60;Account&#62;"));
        // what lies nowhere cannot be confirmed
        let answer = sample.post(&format!("{path}/confirm"), "account=odd").await;
        assert!(answer.flash.contains("choose a category"), "{}", answer.flash);
        let unmapped = sample.page(&format!("{path}?tab=unmapped")).await;
        assert_eq!(names(&unmapped), ["Qwertz"]);
        let all = sample.page(&format!("{path}?tab=all&q=miet")).await;
        assert_eq!(names(&all), ["Büromiete"]);
        assert!(row(&all, "rent").contains("Ada Lindqvist confirmed “Rent and leases”"));
        let within = sample.page(&format!("{path}?in=cash")).await;
        assert_eq!(names(&within), ["Main &#60;Account&#62;"]);
    })
    .await;
}

// proves E3 in part
#[tokio::test]
async fn a_category_is_changed_after_a_preview_and_statements_history_and_export_follow() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let path = format!("/companies/{id}/mapping");
        let before = sample.page(&format!("/companies/{id}/statements?chart=standard")).await;
        assert!(before.contains("Unmapped expenses") && before.contains("Rent and leases") && before.contains("Operating profit"));
        assert!(before.contains(&format!("/companies/{id}/lines?category=rent&#38;month=2026-11")), "{before}");

        assert!(!sample.page(&format!("{path}/edit?account=odd")).await.contains("What moves"));
        let preview = sample.page(&format!("{path}/edit?account=odd&category=donations")).await;
        for words in ["What moves", "Unmapped expenses", "−110.00", "Charitable contributions", "+110.00", "+40.00", "2 months, Dec 2025 to Nov 2026"] {
            assert!(preview.contains(words), "`{words}` is not in\n{preview}");
        }
        let answer = sample.post(&format!("{path}/edit"), &format!("account=odd&category=donations&note=As+agreed&back={path}?tab=all")).await;
        assert_eq!((answer.status, answer.location.as_str()), (StatusCode::SEE_OTHER, format!("{path}?tab=all").as_str()));
        assert!(answer.flash.contains("1 account moved to “Charitable contributions”"), "{}", answer.flash);
        let after = sample.page(&format!("/companies/{id}/statements?chart=standard")).await;
        assert!(after.contains("Charitable contributions") && !after.contains("Unmapped expenses"));
        let lines = sample.page(&format!("/companies/{id}/lines?category=donations&month=2026-11")).await;
        assert!(lines.contains("Charitable contributions") && lines.contains("Qwertz") && lines.contains("40.00"), "{lines}");
        let history = sample.page(&format!("{path}/history")).await;
        for words in ["Ada Lindqvist", "Qwertz", "Unmapped expenses", "Charitable contributions", "As agreed"] {
            assert!(history.contains(words), "`{words}` is not in\n{history}");
        }
        let table = sample.page(&format!("{path}/export")).await;
        assert!(table.starts_with("account_id,code,name,class,type,category,"), "{table}");
        assert!(table.contains("odd,,Qwertz,Expenses,Expense,donations,Expenses › Operating expenses › General and administrative › Charitable contributions,User Categorization,100,"), "{table}");
        let answer = sample.post(&format!("{path}/revert"), "account=odd").await;
        assert!(answer.flash.contains("1 account reverted"), "{}", answer.flash);
        assert!(sample.page(&format!("/companies/{id}/statements?chart=standard")).await.contains("Unmapped expenses"));
        // the table puts it back; a second time nothing has to change
        let form = format!("table={}", url::form_urlencoded::byte_serialize(table.as_bytes()).collect::<String>());
        let answer = sample.post(&format!("{path}/import"), &form).await;
        assert!(answer.flash.contains("1 account moved as the table says"), "{} {}", answer.flash, answer.body);
        let answer = sample.post(&format!("{path}/import"), &form).await;
        assert!(answer.flash.contains("nothing had to change"), "{}", answer.flash);
    })
    .await;
}

#[tokio::test]
async fn wrong_input_is_answered_beside_its_field_and_changes_nothing() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let path = format!("/companies/{id}/mapping");
        for (form, error) in [
            ("account=odd&category=", "Choose a category from the list."),
            ("account=odd&category=nonsense", "“nonsense” is no category of the standard chart"),
            ("account=odd&category=Premises", "“Premises” is a group; choose one of the categories in it."),
            ("account=odd&category=bank-accounts", "choose a category of the same class."),
            ("account=odd&account=bank&category=rent", "choose a category of the same class."),
            (&format!("account=odd&category=rent&note={}", "n".repeat(301)), "The note has 301 characters; 300 are kept. Shorten it."),
        ] {
            let answer = sample.post(&format!("{path}/edit"), form).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
            assert!(answer.body.contains(error) && answer.body.contains("id=\"category-error\""), "{form}: {}", answer.body);
        }
        let nothing = sample.post(&format!("{path}/confirm"), "").await;
        assert!(nothing.flash.contains("No account is selected"), "{}", nothing.flash);
        for (table, errors) in [
            ("", vec!["The table is empty."]),
            ("account_id,name\nodd,x", vec!["Line 1: there is no column “category”"]),
            ("what,category\nodd,rent", vec!["Line 1: there is no column “account_id”, “code” or “name”"]),
            ("account_id,category\nodd,\"rent", vec!["Line 2: a quotation mark is opened and never closed."]),
            (
                "account_id,name,category\nodd,,nonsense\nnobody,,rent\nrent,,rent\n,,rent\n,Qwertz,donations\nbank,,rent\n",
                vec![
                    "Line 2: “nonsense” is no category of the standard chart",
                    "Line 3: there is no account with the id “nobody”.",
                    "Line 5: no account is named",
                    "Line 6: line 2 is about the same account; keep one of them.",
                ],
            ),
            ("name;category\nMain <Account>;rent", vec!["Line 2: “Rent and leases” is one of the expenses"]),
        ] {
            let form = format!("table={}", url::form_urlencoded::byte_serialize(table.as_bytes()).collect::<String>());
            let answer = sample.post(&format!("{path}/import"), &form).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{table}");
            for error in errors {
                assert!(answer.body.contains(error), "`{error}` is not in\n{}", answer.body);
            }
        }
        let mut conn = sample.engine.store.read().await.unwrap();
        assert_eq!(store::mappings::list_changes(&mut conn, &id, None, None, 10).await.unwrap(), []);
        drop(conn);
        let wrong_day = sample.page(&format!("/companies/{id}/contacts?as_of=soon")).await;
        assert!(wrong_day.contains("“soon” is not a day"), "{wrong_day}");
    })
    .await;
}

// proves E6
#[tokio::test]
async fn while_a_company_is_synced_a_banner_tells_that_nothing_restarts_and_a_change_holds_at_once() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let path = format!("/companies/{id}/mapping");
        let banner = "Sync in progress; your changes apply at once and nothing restarts.";
        assert!(!sample.page(&path).await.contains(banner));
        let run = sample.start_run(&id, Extent::Changes, sample.now_ms).await;
        for page in [&path, &format!("{path}/edit?account=odd")] {
            assert!(sample.page(page).await.contains(banner), "{page}");
        }
        let answer = sample.post(&format!("{path}/edit"), "account=odd&category=donations").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert!(sample.page(&format!("/companies/{id}/statements?chart=standard")).await.contains("Charitable contributions"));
        let mut conn = sample.engine.store.read().await.unwrap();
        let active = store::runs::find_active(&mut conn, &id).await.unwrap().unwrap();
        assert_eq!((active.id, active.lease_epoch, active.cancel_requested_at), (run.id, run.lease_epoch, None), "the same run goes on");
        let runs = store::runs::list_by_company(&mut conn, &id, 50).await.unwrap();
        assert!(runs.iter().filter(|run| !run.state.is_finished()).count() == 1, "and no other was asked for");
    })
    .await;
}

#[tokio::test]
async fn every_company_is_picked_from_the_navigation_and_statements_of_both_charts_agree() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let id = books(&sample).await;
        let picker = sample.page("/mapping").await;
        assert!(picker.contains("Harbour &#38; Finch Ltd") && picker.contains(&format!("/companies/{id}/mapping")), "{picker}");
        assert!(!picker.contains("Bramble"), "only linked companies have a mapping");
        assert!(sample.page("/mapping?q=nobody").await.contains("No company has this name"));
        // profit, assets and equity are the same in either chart
        for (report, label) in [("profit-and-loss", "Net profit"), ("balance-sheet", "Total assets"), ("balance-sheet", "Total equity")] {
            let figures = |page: &str| {
                let row =
                    page.split("<tr").find(|row| row.contains(&format!("<bdi>{label}</bdi>"))).unwrap_or_else(|| panic!("{label} is not in\n{page}"));
                let text = |cell: &str| {
                    cell.split('>').skip(1).map(|part| part.split('<').next().unwrap()).find(|text| !text.is_empty()).unwrap().to_owned()
                };
                row.split("<td").skip(1).map(|cell| text(cell.split("</td>").next().unwrap())).collect::<Vec<_>>()
            };
            let provider = sample.page(&format!("/companies/{id}/statements?report={report}")).await;
            let standard = sample.page(&format!("/companies/{id}/statements?report={report}&chart=standard")).await;
            assert_eq!(figures(&provider), figures(&standard), "{report} {label}");
        }
        let trial = sample.page(&format!("/companies/{id}/statements?report=trial-balance&chart=standard")).await;
        assert!(trial.contains("Accounts receivable") && trial.contains("1,000.00"), "{trial}");
        // by contact: the receivable has none here, which is said
        let contacts = sample.page(&format!("/companies/{id}/contacts?as_of=2026-11-30")).await;
        assert!(contacts.contains("Without a contact") && contacts.contains("equal to the cent"), "{contacts}");
        let empty = company(&sample, "Northlight Studio").await;
        for path in ["mapping", "mapping/history", "contacts", "statements?chart=standard"] {
            sample.page(&format!("/companies/{empty}/{path}")).await;
        }
    })
    .await;
}
