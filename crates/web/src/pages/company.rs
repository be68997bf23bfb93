//! One company: how fresh and how proven its books are, what its last runs did, and what is in the copy.
use crate::app::App;
use crate::error::WebError;
use crate::feed::row::account_name;
use crate::parts::address::{Address, Asked};
use crate::parts::moment::{Moment, span};
use crate::parts::status::{self, Shield, Status};
use crate::parts::step::{Step, Stops};
use crate::parts::tracking::{self, Tracked, result_look};
use crate::parts::{figures, provider};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::clock::Month;
use domain::company::Mark;
use domain::connection::ConnectionState;
use domain::ids::{CompanyId, UserId};
use domain::job::Trigger;
use domain::ledger::Basis;
use domain::organization::Action;
use domain::problem::Problem;
use domain::sync::Extent;
use engine::sync::Progress;
use engine::verify::ShownDifference;
use std::collections::BTreeMap;
use store::companies::Company;
use store::runs::Run;
use store::verifications::Verification;

/// A finished run.
pub struct Finished {
    pub result: &'static str,
    /// `good`, `bad`, `muted`.
    pub look: &'static str,
    pub reason: Option<String>,
    pub trigger: String,
    pub extent: &'static str,
    pub counts: String,
    pub quarantined: Option<String>,
    pub calls: String,
    pub took: String,
    pub when: Moment,
    pub href: String,
}

/// A month of the strip.
pub struct MonthCell {
    pub label: String,
    pub href: String,
    /// `is-good`, `is-bad`, or nothing while the month is not proven.
    pub look: &'static str,
    pub chosen: bool,
}

pub struct YearRow {
    pub year: i16,
    /// January to December; `None` outside the books.
    pub months: Vec<Option<MonthCell>>,
}

pub struct DifferenceRow {
    pub account: String,
    pub code: String,
    pub month: String,
    pub ours: String,
    pub theirs: String,
    pub difference: String,
    pub candidates: Vec<String>,
    pub more: usize,
}

/// One of the bases of the books, to look at its proof.
pub struct BasisTab {
    pub label: &'static str,
    pub href: String,
    pub chosen: bool,
    /// Whether it ties out; `None` before its first proof.
    pub ties_out: Option<bool>,
}

/// The proof and what it was made of.
pub struct Proof {
    pub bases: Vec<BasisTab>,
    pub on_cash: bool,
    pub all_months: String,
    pub as_of: String,
    pub made: Moment,
    pub accounts: String,
    pub months: String,
    pub monthly_made: Option<Moment>,
    pub years: Vec<YearRow>,
    pub differences: Vec<DifferenceRow>,
    pub differing: usize,
    pub sum: String,
    pub repaired: bool,
    /// The month that is looked at, in words.
    pub month: Option<String>,
    pub evidence: &'static str,
}

pub struct TypeRow {
    pub label: &'static str,
    pub live: String,
    pub deleted: String,
    pub oldest: String,
    pub newest: String,
    pub theirs: Option<String>,
    pub agrees: bool,
    pub complete: Option<Moment>,
}

pub struct QuarantineRow {
    pub data_type: String,
    pub remote_id: String,
    pub reason: String,
    pub noticed: Moment,
}

#[derive(Template)]
#[template(path = "pages/company.html")]
pub struct CompanyPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub provider: String,
    pub software: String,
    pub currency: String,
    pub country: String,
    pub fiscal_year: String,
    pub linked: bool,
    pub status: Status,
    pub shield: Shield,
    pub evidence: String,
    pub as_of: Option<String>,
    pub last_synced: Option<Moment>,
    pub next_run: Option<Moment>,
    pub account: String,
    pub account_id: String,
    pub invalid: bool,
    pub tracked: Option<Tracked>,
    pub paused: bool,
    pub problem: Option<(String, Option<Step>)>,
    pub runs: Vec<Finished>,
    pub proof: Option<Proof>,
    pub inventory: Vec<TypeRow>,
    pub records: String,
    pub deleted: String,
    pub quarantined: i64,
    pub quarantine: Vec<QuarantineRow>,
    /// Owner and Admin: resync, logs, reconnect.
    pub may_act: bool,
    pub can_resync: bool,
}

const RUNS_SHOWN: usize = 5;
const CANDIDATES_SHOWN: usize = 6;
const QUARANTINE_SHOWN: i64 = 50;

pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let organization_id = visit.organization_id();
    let mut conn = app.engine.store.read().await?;
    let company = store::companies::find(&mut conn, organization_id, &id).await?.ok_or(WebError::NotFound)?;
    // one may be active, the others have ended
    let runs = store::runs::list_by_company(&mut conn, &id, RUNS_SHOWN as i64 + 1).await?;
    let names: BTreeMap<UserId, String> = store::members::list_names(&mut conn, organization_id).await?.into_iter().collect();
    let basis = Basis::parse(asked.get("basis")).unwrap_or_default();
    let mut latest: BTreeMap<Basis, Verification> = BTreeMap::new();
    for basis in Basis::ALL {
        latest.extend(store::verifications::list(&mut conn, &id, basis, 1).await?.pop().map(|proof| (basis, proof)));
    }
    let monthly = store::verifications::find_latest_monthly(&mut conn, &id, basis).await?;
    let counted = store::inventory::list(&mut conn, &id).await?;
    let types = store::documents::count_by_type(&mut conn, &id).await?;
    let quarantine = store::quarantine::list(&mut conn, &id, QUARANTINE_SHOWN).await?;
    let quarantined = store::quarantine::count(&mut conn, &id).await?;
    let shell = visit.shell(&mut conn, Place::Companies, &company.name).await?;
    drop(conn);

    let (now, zone) = (visit.now, &visit.zone);
    let status = status::of(&company, now, zone);
    let inventory: Vec<TypeRow> = types
        .iter()
        .map(|row| {
            let ours = counted.iter().find(|counted| counted.data_type == row.data_type);
            TypeRow {
                label: row.data_type.label(),
                live: figures::count(row.live),
                deleted: figures::count(row.deleted),
                oldest: row.oldest.as_deref().map(figures::day).unwrap_or_default(),
                newest: row.newest.as_deref().map(figures::day).unwrap_or_default(),
                theirs: ours.and_then(|counted| counted.theirs).map(figures::count),
                agrees: ours.is_some_and(|counted| counted.theirs == Some(counted.ours)),
                complete: ours.and_then(|counted| counted.complete_at).map(|ms| Moment::relative(ms, now, zone)),
            }
        })
        .collect();
    let may_act = visit.may(Action::UseIntegrations);
    let active = company.run.as_ref();
    let linked = company.linked_at.is_some();
    let invalid = company.connection_state != ConnectionState::Active;
    visit.page(&CompanyPage {
        shell,
        shield: Shield::of(&company),
        evidence: if company.last_success_at.is_some() { evidence_word(&company.evidence) } else { "nothing yet" }.to_owned(),
        as_of: company.marked_as_of.as_deref().map(figures::day),
        last_synced: company.last_success_at.map(|ms| Moment::relative(ms, now, zone)),
        next_run: company
            .next_due_at
            .filter(|_| active.is_none() && linked && !invalid && company.paused_at.is_none())
            .map(|ms| Moment::relative(ms.max(now.as_millisecond()), now, zone)),
        account: account_name(&company.connection_name, &company.connection_email),
        account_id: company.connection_id.0.clone(),
        tracked: Tracked::of(&company, now, zone),
        // while an attempt runs, no error is shown
        problem: company.last_problem.as_deref().filter(|_| status.key == "needs_resync").and_then(|json| problem(json, &company, may_act)),
        runs: runs.iter().filter(|run| run.state.is_finished()).take(RUNS_SHOWN).map(|run| finished(run, &names, &visit)).collect(),
        proof: latest.get(&basis).map(|shown| proof(&company, &latest, shown, monthly.as_ref(), asked.get("month"), &visit)),
        records: figures::count(types.iter().map(|row| row.live).sum::<i64>()),
        deleted: figures::count(types.iter().map(|row| row.deleted).sum::<i64>()),
        inventory,
        quarantined,
        quarantine: quarantine
            .into_iter()
            .map(|row| QuarantineRow {
                data_type: row.data_type.parse::<domain::data_type::DataType>().map_or(row.data_type, |data_type| data_type.label().to_owned()),
                remote_id: row.remote_id,
                reason: row.reason,
                noticed: Moment::relative(row.noticed_at, now, zone),
            })
            .collect(),
        paused: company.paused_at.is_some(),
        can_resync: linked && !matches!(status.key, "syncing" | "waiting" | "invalid_token"),
        may_act,
        linked,
        invalid,
        id: company.id.0.clone(),
        name: company.name.clone(),
        software: provider::full_name(&company.provider).to_owned(),
        currency: company.currency.clone(),
        country: company.country.clone(),
        fiscal_year: month_name(company.fiscal_year_start_month),
        provider: company.provider,
        status,
    })
}

fn month_name(month: i8) -> String {
    Month { year: 2000, month }.first_day().strftime("%B").to_string()
}

/// What the ledger is built from.
fn evidence_word(evidence: &str) -> &'static str {
    match evidence {
        "derived" => "derived from documents",
        "both" => "reported and derived, both agree",
        _ => "reported by the provider",
    }
}

fn problem_sentence(json: &str) -> Option<String> {
    serde_json::from_str::<Problem>(json).ok().map(|problem| problem.sentence)
}

/// What stopped the last sync, and the one step against it for those who may take it.
fn problem(json: &str, company: &Company, may_act: bool) -> Option<(String, Option<Step>)> {
    let problem = serde_json::from_str::<Problem>(json).ok()?;
    let stops = Stops::Company { id: company.id.as_str(), connection_id: company.connection_id.as_str() };
    let step = may_act.then(|| Step::of(problem.kind, stops, &format!("/companies/{}", company.id)).small());
    Some((problem.sentence, step))
}

pub use crate::parts::tracking::counts_text;

pub fn result_word(run: &Run) -> &'static str {
    tracking::result_word(run.state)
}

pub fn extent_word(run: &Run) -> &'static str {
    let progress = Progress::parse(&run.progress);
    match (run.extent, progress.again.is_empty() && progress.again_months.is_none()) {
        (Extent::Full, _) => "everything",
        (Extent::Changes, true) => "changes",
        (Extent::Changes, false) => "changes, a part again",
    }
}

fn finished(run: &Run, names: &BTreeMap<UserId, String>, visit: &Visit) -> Finished {
    let counts = Progress::parse(&run.progress).total();
    let ended = run.finished_at.unwrap_or(run.created_at);
    let person = run.requested_by.strip_prefix("person:").and_then(|id| names.get(&UserId::new(id))).cloned();
    Finished {
        result: result_word(run),
        look: result_look(run.state),
        reason: run.problem.as_deref().and_then(problem_sentence),
        trigger: person.unwrap_or_else(|| Trigger::label(&run.requested_by).to_owned()),
        extent: extent_word(run),
        counts: counts_text(&counts),
        quarantined: (counts.quarantined > 0).then(|| figures::count(counts.quarantined as i64)),
        calls: figures::count(run.calls),
        took: span(ended - run.started_at.unwrap_or(ended)),
        when: Moment::relative(ended, visit.now, &visit.zone),
        href: Address::new(format!("/integrations/logs/companies/{}", run.company_id)).with("run", &run.id).to_string(),
    }
}

fn proof(
    company: &Company,
    by_basis: &BTreeMap<Basis, Verification>,
    latest: &Verification,
    monthly: Option<&Verification>,
    month: &str,
    visit: &Visit,
) -> Proof {
    // an unreadable text shows no rows; the mark beside it still says what was found
    let all: Vec<ShownDifference> = serde_json::from_str(&latest.differences).unwrap_or_default();
    let chosen = Month::parse(month).map(|month| month.to_string());
    let sum: domain::money::Amount = all.iter().map(|difference| (difference.ours - difference.theirs).abs()).sum();
    let differences = all
        .iter()
        .filter(|difference| chosen.is_none() || difference.month.is_none() || difference.month == chosen)
        .map(|difference| DifferenceRow {
            account: difference.account_name.clone(),
            code: difference.account_code.clone(),
            month: difference.month.as_deref().map(figures::month).unwrap_or_default(),
            ours: difference.ours.grouped(),
            theirs: difference.theirs.grouped(),
            difference: (difference.ours - difference.theirs).grouped(),
            more: difference.candidates.len().saturating_sub(CANDIDATES_SHOWN),
            candidates: difference.candidates.iter().take(CANDIDATES_SHOWN).map(|(data_type, id)| format!("{data_type} {id}")).collect(),
        })
        .collect();
    let tab = |basis: Basis| BasisTab {
        label: basis.label(),
        href: format!("{}#verification", on_basis(&company.id, "", basis)),
        chosen: basis == latest.basis,
        ties_out: by_basis.get(&basis).map(|proof| proof.mark == Mark::Verified),
    };
    Proof {
        bases: Basis::ALL.map(tab).into(),
        on_cash: latest.basis == Basis::Cash,
        all_months: format!("{}#verification", on_basis(&company.id, "", latest.basis)),
        as_of: figures::day(&latest.as_of),
        made: Moment::relative(latest.made_at, visit.now, &visit.zone),
        accounts: figures::count(latest.accounts),
        months: monthly.map_or("0".to_owned(), |monthly| figures::count(monthly.months)),
        monthly_made: monthly.map(|monthly| Moment::relative(monthly.made_at, visit.now, &visit.zone)),
        years: monthly.map(|monthly| strip(company, monthly, chosen.as_deref())).unwrap_or_default(),
        differences,
        differing: all.len(),
        sum: sum.grouped(),
        repaired: latest.pass > 1 && latest.mark == Mark::Verified,
        month: chosen.as_deref().map(figures::month),
        evidence: evidence_word(&company.evidence),
    }
}

/// A page of a company on a basis: accrual is not said.
pub fn on_basis(company_id: &CompanyId, below: &str, basis: Basis) -> Address {
    let page = Address::new(format!("/companies/{company_id}{below}"));
    if basis == Basis::Accrual { page } else { page.with("basis", basis.as_str()) }
}

/// The months of the books, a row for each year: proven, differing, or outside the proof.
fn strip(company: &Company, monthly: &Verification, chosen: Option<&str>) -> Vec<YearRow> {
    let differing: BTreeMap<String, u64> = serde_json::from_str(&monthly.month_strip).unwrap_or_default();
    let Some(last) = monthly.as_of.parse().ok().map(Month::of) else { return Vec::new() };
    // the proof covers as many months as it says, up to the day it is of; the strip names each of them
    let first = differing.keys().next().and_then(|month| Month::parse(month)).unwrap_or(last);
    let base = on_basis(&company.id, "", monthly.basis);
    let mut years: Vec<YearRow> = Vec::new();
    for month in first.through(last) {
        if years.last().is_none_or(|row| row.year != month.year) {
            years.push(YearRow { year: month.year, months: (0..12).map(|_| None).collect() });
        }
        let name = month.to_string();
        let count = differing.get(&name).copied();
        let words = match count {
            Some(0) => "0.00 on every account".to_owned(),
            Some(count) => format!("{} differ", figures::counted(count as i64, "account", "accounts")),
            None => "not compared".to_owned(),
        };
        let cell = MonthCell {
            label: format!("{}: {words}", figures::month(&name)),
            href: format!("{}#verification", base.with("month", &name)),
            look: match count {
                Some(0) => "is-good",
                Some(_) => "is-bad",
                None => "",
            },
            chosen: chosen == Some(name.as_str()),
        };
        let row = years.last_mut().expect("a row was just made");
        row.months[month.month as usize - 1] = Some(cell);
    }
    years
}
