//! Two hundred made-up companies of each provider: every way to a trial balance gives the same one, to the cent.
use jiff::civil::{Date, date};
use jiff::{Span, Timestamp};
use serde_json::Value;
use simulator::books::generator::{CompanySpec, SecondCurrency, generate};
use simulator::books::{AccountId, Basis, Books, Face, NO_DOCUMENT};
use simulator::money::{Cents, Rate};
use simulator::oauth::{Access, XeroConnection};
use simulator::sandbox::Sandbox;
use simulator::server::{Options, serve};
use std::collections::BTreeMap;

type Balances = BTreeMap<String, Cents>;

const SEEDS: u64 = 200;
const BASES: [Basis; 2] = [Basis::Accrual, Basis::Cash];

fn now() -> Timestamp {
    "2025-06-15T12:00:00Z".parse().expect("a timestamp")
}

/// Companies of different countries, years, currencies and sizes, some with counted goods and expense claims.
fn company(face: Face, seed: u64) -> Books {
    let from = date(2024, 3, 1).saturating_add(Span::new().months(i64::try_from(seed % 7).expect("small")));
    let mut spec = CompanySpec::plain(face, 10_000 + seed, from, date(2025, 5, 20));
    let places =
        [("US", "USD", "America/New_York"), ("GB", "GBP", "Europe/London"), ("NZ", "NZD", "Pacific/Auckland"), ("AU", "AUD", "Australia/Sydney")];
    let (country, currency, zone) = places[usize::try_from(seed % 4).expect("small")];
    (spec.country, spec.currency, spec.time_zone) = (country.into(), currency.into(), zone.into());
    spec.fiscal_year_start_month = i8::try_from(1 + seed % 12).expect("a month");
    spec.documents_per_month = 6 + u32::try_from(seed % 9).expect("small");
    if seed.is_multiple_of(3) {
        spec.second_currency = Some(SecondCurrency { code: "EUR".into(), rate: Rate(1_100_000 + i64::try_from(seed).expect("small") * 1_000) });
    }
    // Goods at what they cost by line, and expense claims, post as everything else does.
    spec.tracks_inventory = seed.is_multiple_of(5);
    spec.classic_expenses = seed % 4 == 1;
    generate(face, spec, now())
}

/// What the documents post, added up here: the trial balance without the books' own sums.
fn from_documents(books: &Books, basis: Basis, day: Date) -> BTreeMap<AccountId, Cents> {
    let mut postings: Vec<(Date, AccountId, Cents)> = Vec::new();
    for document in books.documents.values() {
        let of_document = books.on(basis).postings(document);
        assert_eq!(of_document.iter().map(|posting| posting.amount).sum::<Cents>(), Cents::ZERO, "seed {}", books.seed);
        postings.extend(of_document.into_iter().map(|posting| (document.date, posting.account, posting.amount)));
    }
    for (date, of_allocation) in books.allocation_postings(basis) {
        postings.extend(of_allocation.iter().map(|posting| (date, posting.account, posting.amount)));
    }
    for journal in books.journals.iter().filter(|journal| journal.document == NO_DOCUMENT) {
        postings.extend(journal.postings.iter().map(|posting| (journal.date, posting.account, posting.amount)));
    }
    let year = books.fiscal_year_start(day);
    let retained = books.account_of(simulator::books::AccountType::RetainedEarnings).expect("retained earnings");
    let mut balances = BTreeMap::new();
    for (_, account, amount) in postings.into_iter().filter(|(date, _, _)| *date <= day).map(|(date, account, amount)| {
        let closed = date < year && books.accounts[&account].account_type.is_profit_and_loss();
        (date, if closed { retained } else { account }, amount)
    }) {
        *balances.entry(account).or_default() += amount;
    }
    balances.retain(|_, amount: &mut Cents| !amount.is_zero());
    balances
}

struct Running {
    sandbox: Sandbox,
    base: String,
    client: reqwest::Client,
}

async fn start(companies: Vec<Books>) -> Running {
    rustls::crypto::ring::default_provider().install_default().ok();
    let sandbox = Options { limits_enforced: false, ..Options::default() }.sandbox(companies);
    sandbox.clock.freeze_at(now());
    // Consent is tested elsewhere.
    sandbox.write(|state| {
        let user_id = state.users[0].id.clone();
        for books in state.companies.values() {
            let (client_id, scope) = match books.face {
                Face::QuickBooks => ("tieout-quickbooks", "com.intuit.quickbooks.accounting"),
                Face::Xero => ("tieout-xero", "accounting.reports.read accounting.journals.read"),
            };
            let access = Access {
                face: books.face,
                client_id: client_id.into(),
                user_id: user_id.clone(),
                companies: vec![books.id.clone()],
                scope: scope.into(),
                auth_event_id: String::new(),
                family: "a family".into(),
                expires_at: now() + jiff::SignedDuration::from_hours(1),
                revoked: false,
            };
            state.grants.access.insert(format!("token of {}", books.id), access);
            if books.face == Face::Xero {
                state.grants.xero_connections.push(XeroConnection {
                    id: books.id.clone(),
                    auth_event_id: String::new(),
                    user_id: user_id.clone(),
                    client_id: client_id.into(),
                    tenant_id: books.id.clone(),
                    created_at: now(),
                    updated_at: now(),
                });
            }
        }
    });
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(serve(sandbox.clone(), listener, std::future::pending()));
    Running { sandbox, base, client: reqwest::Client::new() }
}

impl Running {
    async fn get(&self, books: &Books, path: &str) -> Value {
        let url = match books.face {
            Face::QuickBooks => format!("{}/v3/company/{}/{path}", self.base, books.id),
            Face::Xero => format!("{}/api.xro/2.0/{path}", self.base),
        };
        let request = self.client.get(url).bearer_auth(format!("token of {}", books.id)).header("accept", "application/json");
        let answer = request.header("xero-tenant-id", &books.id).send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("text");
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }
}

fn cents(value: &Value) -> Cents {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.is_empty() { Cents::ZERO } else { Cents::parse(&text).unwrap_or_else(|| panic!("{text} is no amount")) }
}

fn without_zeros(mut balances: Balances) -> Balances {
    balances.retain(|_, amount| !amount.is_zero());
    balances
}

fn add(balances: &mut Balances, account: &str, amount: Cents) {
    *balances.entry(account.to_owned()).or_default() += amount;
}

mod quickbooks {
    use super::*;

    fn rows(report: &Value) -> Vec<&Value> {
        fn below<'a>(rows: &'a Value, found: &mut Vec<&'a Value>) {
            for row in rows["Row"].as_array().map_or(&[][..], Vec::as_slice) {
                found.push(row);
                below(&row["Rows"], found);
            }
        }
        let mut found = Vec::new();
        below(&report["Rows"], &mut found);
        found
    }

    /// Accounts and the amounts beside them, of leaves and of parents' own lines.
    fn amounts(report: &Value, column: usize) -> Balances {
        let mut amounts = Balances::new();
        for row in rows(report) {
            for cells in [&row["ColData"], &row["Header"]["ColData"]] {
                if let Some(id) = cells[0]["id"].as_str() {
                    add(&mut amounts, id, cents(&cells[column]["value"]));
                }
            }
        }
        amounts
    }

    fn signed(books: &Books, natural: Balances) -> Balances {
        let debit = |id: &str| books.accounts[&id.parse::<u64>().expect("a number")].account_type.is_debit_normal();
        natural
            .into_iter()
            .map(|(id, amount)| {
                let amount = if debit(&id) { amount } else { -amount };
                (id, amount)
            })
            .collect()
    }

    pub async fn trial_balance(running: &Running, books: &Books, basis: Basis, day: Date) -> Balances {
        let year = books.fiscal_year_start(day);
        let report = running.get(books, &format!("reports/TrialBalance?start_date={year}&end_date={day}&accounting_method={}", basis.word())).await;
        let (debits, credits) = (amounts(&report, 1), amounts(&report, 2));
        let mut balances = debits;
        for (id, amount) in credits {
            add(&mut balances, &id, -amount);
        }
        without_zeros(balances)
    }

    /// Every line since the beginning; what was earned before this fiscal year moves to retained earnings.
    pub async fn general_ledger(running: &Running, books: &Books, basis: Basis, day: Date) -> Balances {
        let path = format!(
            "reports/GeneralLedger?start_date=2020-01-01&end_date={day}&accounting_method={}&columns=tx_date,txn_type,debt_amt,credit_amt",
            basis.word()
        );
        let report = running.get(books, &path).await;
        let retained = books.account_of(simulator::books::AccountType::RetainedEarnings).expect("retained earnings").to_string();
        let year = books.fiscal_year_start(day);
        let mut balances = Balances::new();
        for section in rows(&report) {
            let Some(account) = section["Header"]["ColData"][0]["id"].as_str() else { continue };
            let is_result = books.accounts[&account.parse::<u64>().expect("a number")].account_type.is_profit_and_loss();
            for row in section["Rows"]["Row"].as_array().expect("rows").iter().filter(|row| row["type"] == "Data") {
                let Ok(date) = row["ColData"][0]["value"].as_str().unwrap_or_default().parse::<Date>() else { continue };
                let amount = cents(&row["ColData"][2]["value"]) - cents(&row["ColData"][3]["value"]);
                add(&mut balances, if is_result && date < year { &retained } else { account }, amount);
            }
        }
        without_zeros(balances)
    }

    pub async fn statements(running: &Running, books: &Books, basis: Basis, day: Date) -> Balances {
        let year = books.fiscal_year_start(day);
        let period = format!("start_date={year}&end_date={day}&accounting_method={}", basis.word());
        let profit = amounts(&running.get(books, &format!("reports/ProfitAndLoss?{period}")).await, 1);
        let sheet = amounts(&running.get(books, &format!("reports/BalanceSheet?{period}")).await, 1);
        without_zeros(signed(books, profit.into_iter().chain(sheet).collect()))
    }
}

mod xero {
    use super::*;

    /// Section, account and amounts of every row about an account.
    fn rows(report: &Value) -> Vec<(String, String, Vec<Cents>)> {
        let mut found = Vec::new();
        let sections = report["Reports"][0]["Rows"].as_array().expect("rows").iter().filter(|row| row["RowType"] == "Section");
        for section in sections {
            for row in section["Rows"].as_array().expect("rows").iter().filter(|row| row["RowType"] == "Row") {
                let cells = row["Cells"].as_array().expect("cells");
                let attributes = cells[0]["Attributes"].as_array().map_or(&[][..], Vec::as_slice);
                let Some(account) = attributes.iter().find(|attribute| attribute["Id"] == "account") else { continue };
                let amounts = cells[1..].iter().map(|cell| cents(&cell["Value"])).collect();
                found.push((section["Title"].as_str().unwrap_or_default().to_owned(), account["Value"].as_str().expect("an id").to_owned(), amounts));
            }
        }
        found
    }

    fn asked(basis: Basis) -> &'static str {
        if basis == Basis::Cash { "&paymentsOnly=true" } else { "" }
    }

    pub async fn trial_balance(running: &Running, books: &Books, basis: Basis, day: Date) -> Balances {
        let report = running.get(books, &format!("Reports/TrialBalance?date={day}{}", asked(basis))).await;
        let mut balances = Balances::new();
        for (_, account, amounts) in rows(&report) {
            add(&mut balances, &account, amounts[2] - amounts[3]);
        }
        without_zeros(balances)
    }

    /// Every journal, dated.
    pub async fn journals(running: &Running, books: &Books, basis: Basis) -> Vec<(Date, String, Cents)> {
        let (mut lines, mut offset) = (Vec::new(), 0);
        loop {
            let page = running.get(books, &format!("Journals?offset={offset}{}", asked(basis))).await;
            let journals = page["Journals"].as_array().expect("a list");
            let Some(last) = journals.last() else { return lines };
            offset = last["JournalNumber"].as_u64().expect("a number");
            for journal in journals {
                // /Date(1718409600000+0000)/
                let text = journal["JournalDate"].as_str().expect("text");
                let ms: i64 = text[6..].split(['+', ')']).next().and_then(|ms| ms.parse().ok()).expect("milliseconds");
                let date = Timestamp::from_millisecond(ms).expect("a time").to_zoned(jiff::tz::TimeZone::UTC).date();
                for line in journal["JournalLines"].as_array().expect("a list") {
                    lines.push((date, line["AccountID"].as_str().expect("an id").to_owned(), cents(&line["NetAmount"])));
                }
            }
        }
    }

    pub fn from_journals(books: &Books, lines: &[(Date, String, Cents)], day: Date) -> Balances {
        let year = books.fiscal_year_start(day);
        let retained = books.guid("Account", books.account_of(simulator::books::AccountType::RetainedEarnings).expect("retained earnings"));
        let mut balances = Balances::new();
        for (date, account, amount) in lines.iter().filter(|(date, _, _)| *date <= day) {
            let id = books.id_of_guid("Account", account).expect("an account");
            let closed = *date < year && books.accounts[&id].account_type.is_profit_and_loss();
            add(&mut balances, if closed { &retained } else { account }, *amount);
        }
        without_zeros(balances)
    }

    pub async fn statements(running: &Running, books: &Books, basis: Basis, day: Date) -> Balances {
        let year = books.fiscal_year_start(day);
        let more = asked(basis);
        let profit = running.get(books, &format!("Reports/ProfitAndLoss?fromDate={year}&toDate={day}&standardLayout=true{more}")).await;
        let sheet = running.get(books, &format!("Reports/BalanceSheet?date={day}{more}")).await;
        let mut balances = Balances::new();
        for (section, account, amounts) in rows(&profit) {
            add(&mut balances, &account, if section.contains("Income") { -amounts[0] } else { amounts[0] });
        }
        for (section, account, amounts) in rows(&sheet) {
            // This year's result is what the profit and loss has line by line.
            if account != "00000000-0000-0000-0000-000000000000" {
                let credit = section.contains("Liabilities") || section == "Equity";
                add(&mut balances, &account, if credit { -amounts[0] } else { amounts[0] });
            }
        }
        without_zeros(balances)
    }
}

/// Ends of months, as Xero's balance sheet knows no others; the ends of a fiscal year and of the month before are among them.
fn dates(books: &Books) -> [Date; 5] {
    let year_end = books.fiscal_year_start(date(2025, 5, 20)).yesterday().expect("a day before");
    let month_end = |months: i64| date(2025, 5, 1).saturating_sub(Span::new().months(months)).last_of_month();
    [month_end(0), month_end(1), month_end(4), month_end(9), year_end]
}

// proves J1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_ways_to_a_trial_balance_agree_for_two_hundred_seeds_at_five_dates_on_both_bases() {
    let mut compared = 0u64;
    for first in (0..SEEDS).step_by(20) {
        let companies: Vec<Books> = (first..first + 20).flat_map(|seed| [Face::QuickBooks, Face::Xero].map(|face| company(face, seed))).collect();
        let running = start(companies).await;
        let companies: Vec<Books> = running.sandbox.read(|state| state.companies.values().cloned().collect());
        for books in &companies {
            for (at, basis) in BASES.into_iter().enumerate() {
                let lines = if books.face == Face::Xero { xero::journals(&running, books, basis).await } else { Vec::new() };
                assert_eq!(lines.iter().map(|(_, _, amount)| *amount).sum::<Cents>(), Cents::ZERO);
                // On the cash basis every other company is asked.
                for day in dates(books).into_iter().take(if at == 1 && !books.seed.is_multiple_of(2) { 0 } else { 5 }) {
                    let shown = |id: AccountId| if books.face == Face::Xero { books.guid("Account", id) } else { id.to_string() };
                    let expected: Balances = from_documents(books, basis, day).into_iter().map(|(id, amount)| (shown(id), amount)).collect();
                    assert_eq!(expected.values().copied().sum::<Cents>(), Cents::ZERO);
                    let context = format!("{:?}, seed {}, {day}, {basis:?}", books.face, books.seed);
                    let own: Balances = books.on(basis).trial_balance(day).into_iter().map(|(id, amount)| (shown(id), amount)).collect();
                    assert_eq!(own, expected, "the books' own sums: {context}");
                    let (report, ledger, statements) = match books.face {
                        Face::QuickBooks => (
                            quickbooks::trial_balance(&running, books, basis, day).await,
                            quickbooks::general_ledger(&running, books, basis, day).await,
                            quickbooks::statements(&running, books, basis, day).await,
                        ),
                        Face::Xero => (
                            xero::trial_balance(&running, books, basis, day).await,
                            xero::from_journals(books, &lines, day),
                            xero::statements(&running, books, basis, day).await,
                        ),
                    };
                    assert_eq!(report, expected, "trial balance: {context}");
                    assert_eq!(ledger, expected, "ledger: {context}");
                    assert_eq!(statements, expected, "statements: {context}");
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, SEEDS * 2 * 5 + SEEDS * 5);
}
