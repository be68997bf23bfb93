//! The page of a company: what runs, what has run, and the proof.

use serde_json::json;
use testkit::postgres;

use super::person::SYNCED_WITHIN;
use super::site::{Companies, Site};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_amount_in_our_ledger_is_named_by_account_and_month_and_repaired() {
    let database = postgres().create_database();
    let site = Site::start(Some(&database), Companies::QuickBooks(100)).await;
    let ada = site.owner().await;
    ada.import_quickbooks().await;
    ada.watch_until_verified(1).await;
    let company = ada.company_path().await;
    ada.open(&company).await;
    ada.see("Recently completed").await;
    ada.see("Succeeded").await;
    ada.does_not_see("Syncing:").await;
    let shield = "return document.querySelector('#company [data-key=now] .facts').innerText";
    assert!(ada.ask(shield).await.as_str().is_some_and(|facts| facts.contains("Verified") && !facts.contains("Not verified")));

    // one posting of one account in one month, and the name that account has
    let posting = postgres().run(
        site.database_name(),
        "SELECT p.piece, p.line, a.name, substr(p.day, 1, 7), p.ledger_id FROM postings p JOIN ledgers l ON l.id = p.ledger_id \
         JOIN accounts a ON a.company_id = l.company_id AND a.remote_id = p.account_id WHERE a.class = 'expense' AND l.basis = 0 \
         AND p.day < to_char(now() - interval '3 days', 'YYYY-MM-DD') ORDER BY p.day DESC, p.line LIMIT 1",
    );
    let [piece, line, account, month, ledger_id] = posting[0].clone().try_into().expect("five columns");
    let (account, month) = (account.expect("an account has a name"), month.expect("a posting has a day"));
    let plant = format!(
        "UPDATE postings SET amount = amount + 1234500 WHERE ledger_id = {} AND piece = {} AND line = {}",
        ledger_id.unwrap_or_default(),
        piece.unwrap_or_default(),
        line.unwrap_or_default()
    );
    postgres().run(site.database_name(), &plant);
    // the repair reads the ledger again: slowly, so that a person can see what was found
    let slow = json!({"face": "quickbooks", "path_contains": "GeneralLedger", "times": 20, "fault": {"kind": "delay", "ms": 15_000}});
    site.control("faults", Some(slow)).await;
    ada.mark_document().await;
    ada.click_on("#resync button").await;
    ada.see_within("place differs", SYNCED_WITHIN).await;
    ada.see("Syncing:").await;
    let (head, rows) = ada.table().await;
    assert_eq!(head, ["Account", "Month", "Ours", "Theirs", "Difference", "Candidates"]);
    let shown_month = jiff::civil::Date::strptime("%Y-%m-%d", format!("{month}-01")).expect("a month has a first day").strftime("%B %Y").to_string();
    let named =
        rows.iter().any(|row| row[0].contains(&account) && (row[1].contains(&shown_month) || row[1].contains(&month)) && row[4].contains("123.45"));
    assert!(named, "{account} in {shown_month} is not named: {rows:#?}");
    super::data_feed::fast(&site).await;

    ada.see_within("A difference was found, read again and repaired in the same run.", SYNCED_WITHIN).await;
    // the mark follows when the cash basis is proven too
    ada.see_within("Verified", SYNCED_WITHIN).await;
    assert!(ada.ask(shield).await.as_str().is_some_and(|facts| facts.contains("Verified") && !facts.contains("Not verified")));
    ada.see("Succeeded").await;
    // the proof of the other basis, and the months it was made of
    ada.click_on("#verification nav a[href*='basis=cash']").await;
    ada.see_within("TrialBalance report on the cash basis", SYNCED_WITHIN).await;
    ada.see("0.00").await;
    ada.open("/integrations/logs/all?status=error").await;
    ada.see("Does not tie out").await;
    ada.leave().await;
    drop(site);
    postgres().drop_database(&database);
}
