//! The proof after every sync, on the accrual and on the cash basis: our trial balance against the provider's own, account by account to the
//! cent; every month where older months changed; one targeted repair when something differs.
use crate::error::EngineError;
use crate::ledger;
use crate::sync::run::{Work, reads_windows};
use domain::clock::Month;
use domain::company::Mark;
use domain::document::AccountClass;
use domain::ids::CompanyId;
use domain::ledger::Basis;
use domain::log::{AccountMonth, LogMessage};
use domain::money::Amount;
use domain::statements::trial_balance;
use domain::sync::Extent;
use domain::verification::{Difference, ReportedBalances, ReportedMonth, compare, compare_months};
use jiff::civil::Date;
use providers::provider::{FiscalYear, ReportBody};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use store::accounts::ChartOfAccounts;
use store::verifications::{self, Verification};
use store::{Conn, StoreError, accounts, companies, documents, reports};

/// One account that differs, as the verification panel shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownDifference {
    pub account_id: String,
    pub account_name: String,
    pub account_code: String,
    /// `2026-01`, where it could be narrowed.
    pub month: Option<String>,
    pub ours: Amount,
    pub theirs: Amount,
    /// Transactions on that account in that month: type and id at the provider.
    pub candidates: Vec<(String, String)>,
}

/// What the provider says on a basis, read once and compared as often as needed.
struct Reported {
    basis: Basis,
    /// How many reports it was read from.
    reports: u64,
    balances: ReportedBalances,
    months: Option<BTreeMap<Month, ReportedMonth>>,
}

/// What a comparison found.
struct Found {
    differences: Vec<Difference>,
    accounts: usize,
    months: usize,
    strip: BTreeMap<String, u64>,
}

/// What was proven of one basis.
struct Outcome {
    accounts: usize,
    months: usize,
    ties_out: bool,
}

/// Proves the company after a sync, and repairs once what does not tie out.
pub async fn prove(work: &mut Work) -> Result<(), EngineError> {
    if work.is_done("verified") {
        return Ok(());
    }
    work.enter("Verification", 6, None).await?;
    let as_of = work.today();
    let fiscal_year = fiscal_year(work).await?;
    let accrual = ask(work, Basis::Accrual, as_of, &fiscal_year).await?;
    let cash = ask(work, Basis::Cash, as_of, &fiscal_year).await?;
    if !work.is_done("reports") {
        let total = work.progress.total();
        let messages = [
            LogMessage::ReportsImported { reports: accrual.reports + cash.reports },
            LogMessage::NormalizationComplete { records: total.fetched, quarantined: total.quarantined },
        ];
        work.end_step("reports", &messages).await?;
    }
    let accrual = judge(work, accrual, as_of, &fiscal_year).await?;
    let cash = judge(work, cash, as_of, &fiscal_year).await?;
    let ties_out = accrual.ties_out && cash.ties_out;
    set_mark(work, if ties_out { Mark::Verified } else { Mark::NotVerified }, as_of).await?;
    let verified = LogMessage::Verified { accounts: accrual.accounts.max(cash.accounts) as u64, months: accrual.months.max(cash.months) as u64 };
    work.end_step("verified", if ties_out { std::slice::from_ref(&verified) } else { &[] }).await
}

/// The provider's own trial balance, and its months where older ones may differ.
async fn ask(work: &mut Work, basis: Basis, as_of: Date, fiscal_year: &FiscalYear) -> Result<Reported, EngineError> {
    let this_month = Month::of(as_of);
    let mut touched = work.progress.touched_months.iter();
    let mut cash_touched = work.progress.cash_months.iter().filter(|_| basis == Basis::Cash);
    let is_older = |text: &String| Month::parse(text).is_some_and(|month| month < this_month);
    let monthly = work.run.extent == Extent::Full || touched.any(is_older) || cash_touched.any(is_older);

    let answer = work.provider.clone().reported_balances(&work.books(), basis, as_of, fiscal_year).await?;
    let mut reported = Reported { basis, balances: answer.figures, months: None, reports: 0 };
    keep_reports(work, &mut reported, &answer.bodies).await?;
    if monthly {
        read_months(work, as_of, fiscal_year, &mut reported).await?;
    }
    Ok(reported)
}

/// Compares one basis, and repairs it once. A difference is on record at once; that there is none is said when both bases are proven.
async fn judge(work: &mut Work, mut reported: Reported, as_of: Date, fiscal_year: &FiscalYear) -> Result<Outcome, EngineError> {
    let basis = reported.basis;
    let mut found = compare_all(work, as_of, &reported).await?;
    if !found.differences.is_empty() && reported.months.is_none() {
        // narrow it: which month
        read_months(work, as_of, fiscal_year, &mut reported).await?;
        found = compare_all(work, as_of, &reported).await?;
    }
    if !found.differences.is_empty() && basis == Basis::Cash && follow_cash(work, &found).await? {
        found = compare_all(work, as_of, &reported).await?;
    }
    let outcome = |found: &Found| Outcome { accounts: found.accounts, months: found.months, ties_out: found.differences.is_empty() };
    record(work, basis, as_of, 1, &found).await?;
    if found.differences.is_empty() {
        return Ok(outcome(&found));
    }
    let places = places(&found.differences);
    set_mark(work, Mark::NotVerified, as_of).await?;
    work.log(&LogMessage::DoesNotTieOut { basis, accounts: differing_accounts(&found.differences), places: places.clone() }).await?;
    let months: BTreeSet<Month> = places.iter().filter_map(|place| Month::parse(&place.month)).collect();
    if months.is_empty() {
        return Ok(outcome(&found));
    }
    work.log(&LogMessage::RepairStarted { places: places.clone() }).await?;
    ledger::reread(work, basis, &months).await?;
    let again = compare_all(work, as_of, &reported).await?;
    record(work, basis, as_of, 2, &again).await?;
    let message = match again.differences.is_empty() {
        true => LogMessage::Repaired { places },
        false => {
            let places = self::places(&again.differences);
            LogMessage::DoesNotTieOut { basis, accounts: differing_accounts(&again.differences), places }
        }
    };
    work.log(&message).await?;
    Ok(outcome(&again))
}

/// What one document changed on the cash basis stands where it is paid, in other documents and other months: where records changed, the provider's
/// own figures by month say which months to read. This is no repair; in a run that found nothing changed, a difference is one. True when something
/// was read.
async fn follow_cash(work: &mut Work, found: &Found) -> Result<bool, EngineError> {
    if !reads_windows(work) {
        return ledger::import_journals(work, Basis::Cash).await;
    }
    if work.run.extent == Extent::Full || !ledger::may_have_changed(work) {
        return Ok(false);
    }
    let months: BTreeSet<Month> = places(&found.differences).iter().filter_map(|place| Month::parse(&place.month)).collect();
    ledger::reread(work, Basis::Cash, &months).await?;
    Ok(!months.is_empty())
}

fn places(differences: &[Difference]) -> Vec<AccountMonth> {
    differences
        .iter()
        .filter_map(|difference| {
            let month = difference.month.clone()?;
            Some(AccountMonth { account_id: difference.account_id.clone(), month })
        })
        .collect()
}

fn differing_accounts(differences: &[Difference]) -> u64 {
    differences.iter().map(|difference| difference.account_id.as_str()).collect::<BTreeSet<_>>().len() as u64
}

/// Writes what a comparison found.
async fn record(work: &mut Work, basis: Basis, as_of: Date, pass: i64, found: &Found) -> Result<(), EngineError> {
    let now_ms = work.engine.now_ms();
    let mut conn = work.engine.store.read().await?;
    let chart = accounts::list(&mut conn, &work.company.id).await?;
    let mut shown = Vec::new();
    for difference in found.differences.iter().take(200) {
        let account = chart.0.get(&difference.account_id);
        let candidates = match difference.month.as_deref().and_then(Month::parse) {
            Some(month) => store::ledger::list_sources(&mut conn, &work.company.id, basis, &difference.account_id, month, 20).await?,
            None => Vec::new(),
        };
        shown.push(ShownDifference {
            account_id: difference.account_id.clone(),
            account_name: account.map(|account| account.name.clone()).unwrap_or_default(),
            account_code: account.map(|account| account.code.clone()).unwrap_or_default(),
            month: difference.month.clone(),
            ours: difference.ours,
            theirs: difference.theirs,
            candidates,
        });
    }
    drop(conn);
    let mark = if found.differences.is_empty() { Mark::Verified } else { Mark::NotVerified };
    let verification = Verification {
        id: work.engine.make_id(),
        run_id: work.run.id.clone(),
        basis,
        pass,
        as_of: as_of.to_string(),
        mark,
        accounts: found.accounts as i64,
        months: found.months as i64,
        differences: serde_json::to_string(&shown).expect("differences are plain data"),
        month_strip: serde_json::to_string(&found.strip).expect("a strip is plain data"),
        made_at: now_ms,
    };
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    verifications::insert(&mut tx, &work.company.id, &verification).await?;
    tx.commit().await?;
    work.engine.changed(&work.company.organization_id, Some(&work.company.id));
    Ok(())
}

async fn set_mark(work: &mut Work, mark: Mark, as_of: Date) -> Result<(), EngineError> {
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    companies::set_mark(&mut tx, &work.company.id, mark, &as_of.to_string(), work.engine.now_ms()).await?;
    tx.commit().await?;
    work.company.mark = mark;
    work.engine.changed(&work.company.organization_id, Some(&work.company.id));
    Ok(())
}

async fn keep_reports(work: &mut Work, reported: &mut Reported, bodies: &[ReportBody]) -> Result<(), EngineError> {
    let now_ms = work.engine.now_ms();
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    for report in bodies {
        reports::put(&mut tx, &mut work.archiver, &work.company.id, &work.run.id, report.report, &report.parameters, &report.body, now_ms).await?;
    }
    tx.commit().await?;
    reported.reports += bodies.len() as u64;
    Ok(())
}

async fn read_months(work: &mut Work, as_of: Date, fiscal_year: &FiscalYear, reported: &mut Reported) -> Result<(), EngineError> {
    let span = store::ledger::span(&mut work.engine.store.read().await?, &work.company.id, Basis::Accrual).await?;
    let first = span.map_or(Month::of(as_of), |(first, _)| Month::of(first)).min(Month::of(as_of));
    let provider = work.provider.clone();
    let answer = provider.reported_months(&work.books(), reported.basis, first, &reported.balances, fiscal_year).await?;
    reported.months = Some(answer.figures);
    keep_reports(work, reported, &answer.bodies).await
}

async fn compare_all(work: &Work, as_of: Date, reported: &Reported) -> Result<Found, EngineError> {
    let mut conn = work.engine.store.read().await?;
    let chart = accounts::list(&mut conn, &work.company.id).await?;
    let movements = store::ledger::movements(&mut conn, &work.company.id, reported.basis, as_of).await?;
    drop(conn);
    let ours = trial_balance(&movements, &chart, as_of, work.company.fiscal_year_start_month);
    let mut differences = compare(&ours, &reported.balances);
    let accounts: BTreeSet<&String> = ours.0.keys().chain(reported.balances.balances.keys()).collect();
    let mut strip = BTreeMap::new();
    let mut months = 0;
    if let Some(by_month) = &reported.months {
        months = by_month.len();
        let retained: BTreeSet<String> =
            chart.0.values().filter(|account| account.is_retained_earnings).map(|account| account.remote_id.clone()).collect();
        let is_profit_and_loss = |account_id: &str| chart.0.get(account_id).is_some_and(|account| account.class.is_profit_and_loss());
        let monthly = compare_months(&movements, by_month, &is_profit_and_loss, &retained);
        for month in by_month.keys() {
            let text = month.to_string();
            let differing = monthly.iter().filter(|difference| difference.month.as_deref() == Some(text.as_str())).count();
            strip.insert(text, differing as u64);
        }
        // a month says more than a balance: what could be narrowed is shown by month
        let narrowed: BTreeSet<String> = monthly.iter().map(|difference| difference.account_id.clone()).collect();
        let any = !monthly.is_empty();
        differences.retain(|difference| !(narrowed.contains(&difference.account_id) || any && retained.contains(&difference.account_id)));
        differences.extend(monthly);
    }
    Ok(Found { accounts: accounts.len(), differences, months, strip })
}

async fn fiscal_year(work: &Work) -> Result<FiscalYear, EngineError> {
    let chart = accounts::list(&mut work.engine.store.read().await?, &work.company.id).await?;
    Ok(FiscalYear {
        start_month: work.company.fiscal_year_start_month,
        debit_normal: chart
            .0
            .values()
            .map(|account| (account.remote_id.clone(), matches!(account.class, AccountClass::Asset | AccountClass::Expense)))
            .collect(),
        account_ids_by_name: names(&chart),
    })
}

/// Account ids by full name and by code; a name that two accounts share is left out.
fn names(chart: &ChartOfAccounts) -> BTreeMap<String, String> {
    let mut names: BTreeMap<String, Option<String>> = BTreeMap::new();
    for account in chart.0.values() {
        for name in [&account.name, &account.code] {
            if !name.is_empty() {
                names.entry(name.clone()).and_modify(|id| *id = None).or_insert_with(|| Some(account.remote_id.clone()));
            }
        }
    }
    names.into_iter().filter_map(|(name, id)| Some((name, id?))).collect()
}

/// Our trial balance of a company as of a day: (account id, name, code, class, balance with debits positive), zero balances left out.
pub async fn our_trial_balance(
    conn: &mut Conn,
    company: &store::companies::Company,
    basis: Basis,
    as_of: Date,
) -> Result<Vec<(store::accounts::Account, Amount)>, StoreError> {
    let chart = accounts::list(conn, &company.id).await?;
    let movements = store::ledger::movements(conn, &company.id, basis, as_of).await?;
    let balance = trial_balance(&movements, &chart, as_of, company.fiscal_year_start_month);
    let mut lines: Vec<_> = balance
        .0
        .into_iter()
        .map(|(account_id, amount)| {
            let account = chart.account(&account_id);
            (account, amount)
        })
        .collect();
    lines.sort_by(|a, b| (a.0.class, &a.0.code, &a.0.name).cmp(&(b.0.class, &b.0.code, &b.0.name)));
    Ok(lines)
}

/// A hash of everything we hold of a company's books: records with their states and contents, and both ledgers. Equal books, equal hash, however
/// often the sync was interrupted.
pub async fn content_hash(conn: &mut Conn, company_id: &CompanyId) -> Result<String, StoreError> {
    let mut hasher = Sha256::new();
    documents::hash_content(conn, company_id, &mut hasher).await?;
    store::ledger::hash_content(conn, company_id, &mut hasher).await?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
