//! The ledger against the provider's own reports, to the cent.
use super::desk::{Desk, Gate, books, fetch_all, today, two_currencies};
use domain::clock::Month;
use domain::data_type::DataType;
use domain::document::{AccountClass, Document};
use domain::ledger::Basis;
use domain::money::Amount;
use domain::statements::trial_balance::{AccountMovements, Chart, trial_balance};
use domain::verification::{compare, compare_months};
use jiff::civil::Date;
use providers::provider::{Books as Company, FiscalYear, Provider};
use serde_json::json;
use simulator::books::Books;
use simulator::books::generator::CompanySpec;
use std::collections::{BTreeMap, BTreeSet};

/// The chart of one company, from its account records.
struct Accounts(BTreeMap<String, Document>);

impl Chart for Accounts {
    fn class(&self, account_id: &str) -> Option<AccountClass> {
        Some(self.0.get(account_id)?.account.as_ref()?.class)
    }
    fn retained_earnings(&self) -> Option<&str> {
        self.0.values().find(|account| account.account.as_ref().is_some_and(|facts| facts.is_retained_earnings)).map(|account| account.id.as_str())
    }
}

impl Accounts {
    async fn read(desk: &Desk, company: &Company<'_>) -> Accounts {
        let records = fetch_all(&desk.xero, company, DataType::Account).await;
        Accounts(records.iter().map(|record| (record.id.clone(), desk.xero.normalize(record).unwrap())).collect())
    }
    fn year(&self, start_month: i8) -> FiscalYear {
        let debit_normal =
            self.0.keys().map(|id| (id.clone(), matches!(self.class(id), Some(AccountClass::Asset | AccountClass::Expense)))).collect();
        let account_ids_by_name = self.0.values().filter_map(|account| Some((account.name.clone()?, account.id.clone()))).collect();
        FiscalYear { start_month, debit_normal, account_ids_by_name }
    }
}

/// Movements by account and month, and the number of journals, from every journal dated up to `as_of`.
async fn movements(desk: &Desk, company: &Company<'_>, basis: Basis, as_of: Date) -> (AccountMovements, usize) {
    let mut movements = AccountMovements::new();
    let (mut after, mut count) = (0, 0);
    loop {
        let piece = desk.xero.ledger_journals(company, basis, after).await.unwrap();
        assert!(piece.unbalanced.is_empty() && piece.unreadable.is_empty());
        count += piece.entries.len();
        for entry in piece.entries.iter().filter(|entry| entry.date() <= as_of) {
            for posting in entry.postings() {
                *movements.entry((posting.account_id.clone(), Month::of(entry.date()))).or_default() += posting.amount;
            }
        }
        match piece.next_after {
            Some(next) => {
                assert!(next > after);
                after = next;
            }
            None => return (movements, count),
        }
    }
}

/// The sandbox's own trial balance, from its control API.
async fn truth(desk: &Desk, company: &str, basis: Basis, as_of: Date) -> BTreeMap<String, Amount> {
    let answer = desk.look(&format!("companies/{company}/trial_balance?as_of={as_of}&basis={}", basis.as_str())).await;
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    answer["accounts"].as_array().unwrap().iter().map(|row| (text(row, "id"), Amount::parse(&text(row, "balance")).unwrap())).collect()
}

async fn ties_out(made: Books, grouped: bool) {
    let id = made.id.clone();
    let start_month = made.fiscal_year_start_month;
    let first = Month::of(made.first_date().unwrap());
    let journals = [made.journals.len(), made.journals_on(simulator::books::Basis::Cash).len()];
    let desk = Desk::open(vec![made]).await;
    desk.control("switches", json!({"xero_groups_currency_gains": grouped})).await;
    let (_, gate): (_, Gate) = desk.connect("auto=approve").await;
    let company = Company { company: &id, gate: &gate };
    let chart = Accounts::read(&desk, &company).await;
    let year = chart.year(start_month);
    // a day inside a month, the end of a short month, the end of a long one
    let running = today();
    let ended = running.first_of_month().yesterday().unwrap();
    let days = [running, ended, ended.first_of_month().yesterday().unwrap()];
    for (as_of, basis) in days.into_iter().flat_map(|day| Basis::ALL.map(|basis| (day, basis))) {
        let (ours, count) = movements(&desk, &company, basis, as_of).await;
        assert_eq!(count, journals[usize::from(basis == Basis::Cash)], "every journal came once");
        let reported = desk.xero.reported_balances(&company, basis, as_of, &year).await.unwrap();
        let balance = trial_balance(&ours, &chart, as_of, start_month);
        assert_eq!(compare(&balance, &reported.figures), [], "{as_of}");
        assert_eq!(balance.0, truth(&desk, &id, basis, as_of).await, "{as_of}, {basis:?}");
        assert!(balance.0.len() > 10);

        let months = desk.xero.reported_months(&company, basis, first, &reported.figures, &year).await.unwrap();
        assert_eq!(months.figures.keys().copied().collect::<Vec<_>>(), first.through(Month::of(as_of)));
        let skip: BTreeSet<String> = chart.retained_earnings().map(str::to_owned).into_iter().collect();
        let is_profit_and_loss = |account: &str| chart.class(account).is_some_and(AccountClass::is_profit_and_loss);
        assert_eq!(compare_months(&ours, &months.figures, &is_profit_and_loss, &skip), [], "{as_of}");
        assert!(months.bodies.iter().all(|body| body.body.starts_with('{')));
        let asked_apart = months.bodies.iter().filter(|body| body.report == "TrialBalance").count();
        assert_eq!(asked_apart > 0, grouped, "the trial balance is asked for months with currency gains in one line");
    }
}

// proves F1 in part
// proves F8 in part
#[tokio::test(flavor = "multi_thread")]
async fn the_journals_tie_out_with_every_report_to_the_cent() {
    ties_out(books(11, |_| {}), false).await;
}

// proves F9 in part
#[tokio::test(flavor = "multi_thread")]
async fn two_currencies_tie_out_too() {
    ties_out(books(12, two_currencies), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn currency_gains_in_one_line_are_taken_apart_by_the_trial_balance() {
    ties_out(books(13, two_currencies), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_that_ends_in_december_ties_out() {
    ties_out(
        books(14, |spec: &mut CompanySpec| {
            spec.country = "GB".into();
            spec.currency = "GBP".into();
            spec.time_zone = "Europe/London".into();
            spec.fiscal_year_start_month = 1;
        }),
        false,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_of_days_are_not_offered() {
    let made = books(1, |_| {});
    let id = made.id.clone();
    let desk = Desk::open(vec![made]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    let refused = desk.xero.ledger_window(&Company { company: &id, gate: &gate }, Basis::Accrual, today(), today()).await.unwrap_err();
    assert!(refused.to_string().contains("numbered journals"));
}
