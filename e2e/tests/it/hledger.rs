//! Books made by hledger, synced through each provider: our trial balance is hledger's own to the cent, on any day.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::ToSpan;
use jiff::civil::Date;
use testkit::hledger;

use crate::journal::{CLASSIC, FIRST_YEAR, trading_company};
use crate::visitor::{A_SYNC, House, SOON, Sandbox};

/// What an account is, by the longest beginning of its name.
const TYPES: [(&str, &str); 24] = [
    ("assets", "current_asset"),
    ("assets:bank", "bank"),
    ("assets:cash", "bank"),
    ("assets:receivable", "receivable"),
    ("assets:inventory", "inventory"),
    ("assets:equipment", "fixed_asset"),
    ("liabilities", "current_liability"),
    ("liabilities:card", "credit_card"),
    ("liabilities:payable", "payable"),
    ("liabilities:sales tax", "tax_payable"),
    ("liabilities:loan", "long_term_liability"),
    ("equity", "equity"),
    ("equity:retained earnings", "retained_earnings"),
    ("income", "income"),
    ("income:gifts", "other_income"),
    ("revenue", "income"),
    ("revenue:interest", "other_income"),
    ("expenses", "expense"),
    ("expenses:cost of goods", "cost_of_sales"),
    ("expenses:depreciation", "depreciation"),
    ("expenses:bad debts", "other_expense"),
    ("expenses:interest", "other_expense"),
    ("expenses:supplies", "cost_of_sales"),
    ("expenses:insurance", "expense"),
];

/// A journal file, and the numbers its accounts get, in the order of their names.
struct Journal {
    file: PathBuf,
    codes: BTreeMap<String, String>,
}

impl Journal {
    fn write(folder: &Path, text: &str) -> Journal {
        let file = folder.join("books.journal");
        std::fs::write(&file, text).expect("the folder can be written to");
        let mut journal = Journal { file, codes: BTreeMap::new() };
        let names = journal.ask(&["accounts"]);
        journal.codes = names.lines().enumerate().map(|(number, name)| (name.to_owned(), (1_001 + number).to_string())).collect();
        journal
    }

    /// What hledger answers.
    fn ask(&self, arguments: &[&str]) -> String {
        let output =
            Command::new(hledger()).arg("-f").arg(&self.file).args(arguments).env("LC_ALL", "C.UTF-8").output().expect("hledger can be started");
        assert!(output.status.success(), "hledger {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("hledger writes UTF-8")
    }

    /// The journal in the form that `tieout sandbox --books` reads.
    fn to_general_journal(&self) -> String {
        let mut csv = String::from("entry,date,kind,account_code,account_name,account_type,debit,credit,currency,contact,memo\n");
        for row in rows(&self.ask(&["print", "-O", "csv"])) {
            let account = &row["account"];
            let (payee, note) = row["description"].split_once(" | ").unwrap_or(("", &row["description"]));
            let kind = row["comment"].split("kind:").nth(1).unwrap_or_default().trim();
            // QuickBooks takes a colon in a name for the mark between an account and its parent
            let name = account.replace(':', " ");
            let fields = [
                &row["txnidx"],
                &row["date"],
                kind,
                &self.codes[account],
                &name,
                type_of(account),
                &row["debit"],
                &row["credit"],
                &row["commodity"],
                payee,
                note,
            ];
            csv.push_str(&fields.map(quoted).join(","));
            csv.push('\n');
        }
        csv
    }

    /// hledger's balances of a period, in cents, by account.
    fn balances(&self, from: Option<Date>, until: Date) -> BTreeMap<String, i64> {
        let (from, end) = (from.map(|from| from.to_string()), until.tomorrow().expect("a day after").to_string());
        let mut arguments = vec!["balance", "--flat", "--no-total", "-O", "csv", "-e", &end];
        arguments.extend(from.as_deref().into_iter().flat_map(|from| ["-b", from]));
        rows(&self.ask(&arguments)).into_iter().map(|row| (row["account"].clone(), cents(&row["balance"]))).collect()
    }

    /// The trial balance a provider shows on a day, from hledger's figures: income and expenses since the fiscal year began, what was earned before
    /// in retained earnings. By the number of the account; without the accounts that are zero.
    fn trial_balance(&self, on: Date, fiscal_start_month: i8, own_retained: &str) -> BTreeMap<String, i64> {
        let year = if on.month() < fiscal_start_month { on.year() - 1 } else { on.year() };
        let start = Date::new(year, fiscal_start_month, 1).expect("the first of a month");
        let is_profit_or_loss = |account: &str| ["income", "revenue", "expenses"].iter().any(|class| account.starts_with(class));
        let retained = self.codes.get("equity:retained earnings").map_or(own_retained, String::as_str);
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for (account, amount) in self.balances(None, on) {
            if !is_profit_or_loss(&account) {
                *expected.entry(self.codes[&account].clone()).or_default() += amount;
            }
        }
        for (account, amount) in self.balances(Some(start), on) {
            if is_profit_or_loss(&account) {
                *expected.entry(self.codes[&account].clone()).or_default() += amount;
            }
        }
        let earlier = self.balances(None, start.yesterday().expect("a day before"));
        let earned: i64 = earlier.iter().filter(|(account, _)| is_profit_or_loss(account)).map(|(_, amount)| amount).sum();
        *expected.entry(retained.to_owned()).or_default() += earned;
        expected.retain(|_, amount| *amount != 0);
        expected
    }
}

fn type_of(account: &str) -> &'static str {
    let fitting = TYPES.iter().filter(|(beginning, _)| account == *beginning || account.starts_with(&format!("{beginning}:")));
    fitting.max_by_key(|(beginning, _)| beginning.len()).unwrap_or_else(|| panic!("no type for {account}")).1
}

/// `-1234.50 USD`, `12`, `0`.
fn cents(amount: &str) -> i64 {
    let number = amount.split(' ').next().unwrap_or_default();
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    assert!(fraction.len() <= 2, "{amount} has more than cents");
    let cents = whole.parse::<i64>().expect("digits") * 100 + format!("{fraction:0<2}").parse::<i64>().expect("digits");
    if negative { -cents } else { cents }
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

/// The rows of hledger's CSV by the names in its first line; every field is quoted.
fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    let fields = |line: &str| -> Vec<String> {
        let inner = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap_or_else(|| panic!("not quoted: {line}"));
        inner.split("\",\"").map(|field| field.replace("\"\"", "\"")).collect()
    };
    let mut lines = csv.lines();
    let names = fields(lines.next().expect("hledger writes the names of the columns"));
    lines.map(|line| names.iter().cloned().zip(fields(line)).collect()).collect()
}

/// Loads a journal into a sandbox, syncs it, and compares with hledger on each of the days.
async fn ties_out_with_hledger(text: &str, provider: &str, fiscal_start_month: i8, days: [Date; 3]) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let journal = Journal::write(folder.path(), text);
    let file = folder.path().join("books.csv");
    std::fs::write(&file, journal.to_general_journal()).expect("the folder can be written to");
    let month = fiscal_start_month.to_string();
    let books = file.to_string_lossy();
    let sandbox = Sandbox::start(&["--books", &books, "--provider", provider, "--name", "Made by hledger", "--fiscal-year-start-month", &month]);
    let house = House::new(&folder.path().join("data"), None, &sandbox);
    let mut serve = house.serve(&[]);
    house.owner(&mut serve).await.connect_and_import(provider, &sandbox.companies(provider).await).await;
    let companies = house.wait_until_synced(A_SYNC).await;
    assert_eq!((companies[0]["name"].as_str(), companies[0]["verified"].as_bool()), (Some("Made by hledger"), Some(true)), "{companies:?}");
    // where the journal names none, the sandbox adds the account every company has
    let own_retained = if provider == "xero" { "960" } else { "3900" };
    for day in days {
        let proof = house.json(&["verify", "hledger", "--as-of", &day.to_string(), "--json"]);
        let lines = proof["trial_balance"].as_array().expect("a list of accounts");
        let text = |line: &serde_json::Value, name: &str| line[name].as_str().expect("a text").to_owned();
        let ours: BTreeMap<String, i64> = lines.iter().map(|line| (text(line, "code"), cents(&text(line, "balance")))).collect();
        assert_eq!(ours.len(), lines.len(), "every account has its number: {lines:?}");
        let theirs = journal.trial_balance(day, fiscal_start_month, own_retained);
        assert!(theirs.len() > 3, "hledger has something to compare on {day}: {theirs:?}");
        assert_eq!(ours, theirs, "{provider} on {day}, ours and hledger's");
    }
    assert!(serve.terminate(SOON).success());
}

fn day(years: i16, month: i8, day: i8) -> Date {
    Date::new(FIRST_YEAR + years, month, day).expect("a day of the calendar")
}

// proves F1 in part
#[tokio::test]
async fn three_years_made_by_hledger_tie_out_through_quickbooks() {
    let days = [day(0, 8, 14), day(1, 12, 31), day(2, 12, 31)];
    ties_out_with_hledger(&trading_company(), "quickbooks", 1, days).await;
}

// proves F1 in part
#[tokio::test]
async fn three_years_made_by_hledger_tie_out_through_xero_with_a_fiscal_year_that_begins_in_july() {
    let last = day(2, 12, 31);
    ties_out_with_hledger(&trading_company(), "xero", 7, [day(0, 6, 30), day(1, 7, 1), last.saturating_add(5.months())]).await;
}

// proves F1 in part
#[tokio::test]
async fn a_classic_journal_of_hledger_ties_out_through_quickbooks() {
    ties_out_with_hledger(CLASSIC, "quickbooks", 4, [day(0, 6, 3), day(1, 4, 1), day(2, 3, 30)]).await;
}

// proves F1 in part
#[tokio::test]
async fn a_classic_journal_of_hledger_ties_out_through_xero() {
    ties_out_with_hledger(CLASSIC, "xero", 1, [day(0, 12, 31), day(1, 12, 31), day(2, 3, 30)]).await;
}
