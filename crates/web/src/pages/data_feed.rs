//! The Data Feed: every company the accounts can see, how fresh it is, and what to do about it.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::{Address, Asked};
use crate::parts::moment::{Moment, span};
use crate::parts::status::{self, Shield, Status};
use crate::parts::{figures, provider};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::response::Response;
use domain::company::{Mark, SyncStatus, sync_status};
use domain::connection::ConnectionState;
use domain::ids::{CompanyId, RunId};
use domain::job::Trigger;
use engine::sync::{ManyRequested, Progress};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use store::companies::{ActiveRun, Company};
use store::runs::{Requested, Run};

pub const PATH: &str = "/integrations/data-feed";

/// One company of the table.
pub struct Row {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub account: String,
    pub account_id: String,
    pub linked: bool,
    pub invalid: bool,
    pub status: Status,
    pub shield: Shield,
    pub last_synced: Option<Moment>,
    pub next_run: Option<Moment>,
    pub last_run: Option<LastRun>,
    pub syncing: Option<Syncing>,
    /// The run *Cancel* would stop.
    pub cancellable: Option<String>,
}

/// What the last finished run did.
pub struct LastRun {
    pub added: String,
    pub changed: String,
    pub deleted: String,
    pub took: String,
    pub href: String,
}

/// How far the run is that is going on.
pub struct Syncing {
    pub run_id: String,
    pub step: String,
    /// `12,400 of about 31,000`
    pub counts: Option<String>,
    /// Of 100, over all steps; `None` while the end is not known.
    pub percent: Option<u32>,
    pub elapsed: Option<String>,
    pub cancelling: bool,
    pub queued: bool,
}

/// A count of the summary line: a filter at the same time.
pub struct Facet {
    pub key: &'static str,
    pub label: &'static str,
    pub count: String,
    pub any: bool,
    pub href: String,
    pub chosen: bool,
}

pub struct Pager {
    pub from: usize,
    pub to: usize,
    pub total: String,
    pub previous: Option<String>,
    pub next: Option<String>,
    pub sizes: Vec<(usize, String, bool)>,
}

pub struct Chip {
    pub label: String,
    pub remove: String,
}

#[derive(Template)]
#[template(path = "pages/data_feed.html")]
pub struct DataFeedPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub facets: Vec<Facet>,
    pub chips: Vec<Chip>,
    pub pager: Pager,
    pub search: String,
    pub provider: String,
    pub status: String,
    pub account: String,
    pub size: usize,
    pub sort: String,
    pub sorts: Sorts,
    /// This page, for forms that return here.
    pub address: String,
    /// Companies there are, whatever the filter.
    pub companies: usize,
    pub accounts: usize,
    pub due: usize,
    pub all_visible: String,
}

/// Addresses of the column heads that sort.
pub struct Sorts {
    pub name: String,
    pub status: String,
    pub last_synced: String,
}

/// What the address asks for.
#[derive(Clone, Debug, Default)]
struct Choice {
    search: String,
    provider: String,
    status: String,
    account: String,
    sort: String,
    size: usize,
    page: usize,
}

const STATUS_FILTERS: [&str; 8] = ["synced", "needs_resync", "syncing", "waiting", "invalid_token", "paused", "not_linked", "not_verified"];

impl Choice {
    fn of(asked: &Asked) -> Choice {
        Choice {
            search: asked.get("q").to_owned(),
            provider: asked.get("provider").to_owned(),
            status: asked.one_of("status", &STATUS_FILTERS).to_owned(),
            account: asked.get("account").to_owned(),
            sort: asked.one_of("sort", &["name", "status", "last_synced"]).to_owned(),
            size: asked.size(),
            page: asked.get("page").parse().unwrap_or(1).max(1),
        }
    }
    fn address(&self) -> Address {
        Address::new(PATH)
            .with("q", &self.search)
            .with("provider", &self.provider)
            .with("account", &self.account)
            .with("status", &self.status)
            .with("sort", &self.sort)
            .with("size", if self.size == 50 { String::new() } else { self.size.to_string() })
    }
    /// Everything but the status: the summary line counts what a click on a status would show.
    fn fits(&self, company: &Company) -> bool {
        let search = self.search.to_lowercase();
        (search.is_empty() || company.name.to_lowercase().contains(&search) || company.connection_name.to_lowercase().contains(&search))
            && (self.provider.is_empty() || company.provider == self.provider)
            && (self.account.is_empty() || company.connection_id.as_str() == self.account)
    }
    fn fits_status(&self, company: &Company, key: &str) -> bool {
        match self.status.as_str() {
            "" => true,
            "not_verified" => is_not_verified(company),
            word => word == key,
        }
    }
}

fn is_not_verified(company: &Company) -> bool {
    company.linked_at.is_some() && company.mark == Mark::NotVerified
}

/// The word a company is counted and filtered by.
fn key(company: &Company, now: Timestamp) -> &'static str {
    let word = sync_status(&company.status_facts(), now);
    let runs = matches!(word, SyncStatus::Syncing | SyncStatus::Waiting { .. });
    if company.linked_at.is_none() && !runs { "not_linked" } else { word.key() }
}

/// A company belongs to the feed while an account can see it, or while it is linked.
fn is_shown(company: &Company) -> bool {
    company.connection_state != ConnectionState::Disconnected || company.linked_at.is_some()
}

pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let choice = Choice::of(&asked);
    let mut conn = app.engine.store.read().await?;
    let companies: Vec<Company> = store::companies::list(&mut conn, visit.organization_id()).await?.into_iter().filter(is_shown).collect();
    let selected = select(&companies, &choice, visit.now);
    let ids: Vec<RunId> = selected.rows.iter().filter_map(|company| company.last_run_id.clone()).collect();
    let runs: BTreeMap<RunId, Run> =
        store::runs::list_by_ids(&mut conn, visit.organization_id(), &ids).await?.into_iter().map(|run| (run.id.clone(), run)).collect();
    let shell = visit.shell(&mut conn, Place::DataFeed, "Data Feed").await?;
    let accounts = match companies.is_empty() {
        true => store::connections::list(&mut conn, visit.organization_id()).await?.len(),
        false => 0,
    };
    drop(conn);
    let rows = selected.rows.iter().map(|company| row(company, &runs, visit.now, &visit.zone)).collect();
    let address = choice.address();
    let due = companies.iter().filter(|company| key(company, visit.now) == "needs_resync").count();
    visit.page(&DataFeedPage {
        shell,
        rows,
        facets: facets(&selected.counts, &choice),
        chips: chips(&choice, &companies),
        pager: pager(&selected, &choice),
        sorts: Sorts {
            name: address.with("sort", "").to_string(),
            status: address.with("sort", "status").to_string(),
            last_synced: address.with("sort", "last_synced").to_string(),
        },
        address: address.with("page", if selected.page > 1 { selected.page.to_string() } else { String::new() }).to_string(),
        companies: companies.len(),
        accounts,
        due,
        all_visible: figures::counted(selected.total, "company", "companies"),
        search: choice.search,
        provider: choice.provider,
        status: choice.status,
        account: choice.account,
        size: choice.size,
        sort: choice.sort,
    })
}

/// The companies of one page, and the counts of the summary line.
struct Selected<'a> {
    rows: Vec<&'a Company>,
    counts: BTreeMap<&'static str, usize>,
    total: usize,
    page: usize,
}

fn select<'a>(companies: &'a [Company], choice: &Choice, now: Timestamp) -> Selected<'a> {
    let mut counts = BTreeMap::new();
    let mut found = Vec::new();
    for company in companies.iter().filter(|company| choice.fits(company)) {
        let key = key(company, now);
        *counts.entry(key).or_insert(0) += 1;
        *counts.entry("").or_insert(0) += 1;
        if is_not_verified(company) {
            *counts.entry("not_verified").or_insert(0) += 1;
        }
        if choice.fits_status(company, key) {
            found.push((key, company));
        }
    }
    match choice.sort.as_str() {
        "status" => {
            const ORDER: [&str; 7] = ["invalid_token", "needs_resync", "waiting", "syncing", "paused", "synced", "not_linked"];
            found.sort_by_key(|(key, _)| ORDER.iter().position(|word| word == key));
        }
        "last_synced" => found.sort_by_key(|(_, company)| std::cmp::Reverse(company.last_success_at)),
        // as the store lists them, upper and lower case together
        _ => found.sort_by_cached_key(|(_, company)| company.name.to_lowercase()),
    }
    let total = found.len();
    let page = choice.page.min(total.div_ceil(choice.size.max(1))).max(1);
    let rows = found.into_iter().map(|(_, company)| company).skip((page - 1) * choice.size).take(choice.size).collect();
    Selected { rows, counts, total, page }
}

fn facets(counts: &BTreeMap<&'static str, usize>, choice: &Choice) -> Vec<Facet> {
    let words = [("", "All companies")].into_iter().chain(status::WORDS).chain([("not_verified", "Not verified")]);
    words
        .map(|(key, label)| {
            let count = counts.get(key).copied().unwrap_or(0);
            Facet {
                key,
                label,
                count: figures::count(count as i64),
                any: count > 0,
                href: choice.address().with("status", key).to_string(),
                chosen: choice.status == key,
            }
        })
        // words nobody has are left out, unless they are chosen
        .filter(|facet| facet.any || facet.chosen || matches!(facet.key, "" | "synced" | "needs_resync" | "syncing"))
        .collect()
}

fn chips(choice: &Choice, companies: &[Company]) -> Vec<Chip> {
    let address = choice.address();
    let mut chips = Vec::new();
    let mut chip = |name: &str, label: String| chips.push(Chip { label, remove: address.with(name, "").to_string() });
    if !choice.search.is_empty() {
        chip("q", format!("Name: {}", choice.search));
    }
    if !choice.provider.is_empty() {
        chip("provider", provider::name(&choice.provider).to_owned());
    }
    if !choice.account.is_empty() {
        let name = companies.iter().find(|company| company.connection_id.as_str() == choice.account).map(|company| company.connection_name.clone());
        chip("account", format!("External account: {}", name.unwrap_or_else(|| "unknown".to_owned())));
    }
    chips
}

fn pager(selected: &Selected<'_>, choice: &Choice) -> Pager {
    let address = choice.address();
    let first = (selected.page - 1) * choice.size;
    let to = first + selected.rows.len();
    let page = |number: usize| address.with("page", if number > 1 { number.to_string() } else { String::new() }).to_string();
    Pager {
        from: if selected.rows.is_empty() { 0 } else { first + 1 },
        to,
        total: figures::count(selected.total as i64),
        previous: (selected.page > 1).then(|| page(selected.page - 1)),
        next: (to < selected.total).then(|| page(selected.page + 1)),
        sizes: [25, 50, 100]
            .map(|size| (size, address.with("size", if size == 50 { String::new() } else { size.to_string() }).to_string(), size == choice.size))
            .into(),
    }
}

fn row(company: &Company, runs: &BTreeMap<RunId, Run>, now: Timestamp, zone: &TimeZone) -> Row {
    let now_ms = now.as_millisecond();
    let status = status::of(company, now, zone);
    let next_due = company.next_due_at.filter(|_| company.run.is_none() && company.paused_at.is_none() && company.linked_at.is_some());
    Row {
        id: company.id.0.clone(),
        name: company.name.clone(),
        provider: company.provider.clone(),
        account: account_name(&company.connection_name, &company.connection_email),
        account_id: company.connection_id.0.clone(),
        linked: company.linked_at.is_some(),
        invalid: company.connection_state != ConnectionState::Active,
        shield: Shield::of(company),
        last_synced: company.last_success_at.map(|ms| Moment::relative(ms, now, zone)),
        next_run: next_due.filter(|_| company.connection_state == ConnectionState::Active).map(|ms| Moment::relative(ms.max(now_ms), now, zone)),
        last_run: company.last_run_id.as_ref().and_then(|id| runs.get(id)).map(|run| last_run(run, &company.id)),
        cancellable: company.run.as_ref().filter(|run| run.cancel_requested_at.is_none()).map(|run| run.id.0.clone()),
        syncing: company.run.as_ref().filter(|_| status.key == "syncing").map(|run| syncing(run, now_ms)),
        status,
    }
}

/// An account as the table names it: its name, or its address where it has none.
pub fn account_name(name: &str, email: &str) -> String {
    if name.is_empty() { email.to_owned() } else { name.to_owned() }
}

fn last_run(run: &Run, company_id: &CompanyId) -> LastRun {
    let counts = Progress::parse(&run.progress).total();
    LastRun {
        added: figures::count(counts.added as i64),
        changed: figures::count(counts.changed as i64),
        deleted: figures::count(counts.deleted as i64),
        took: span(run.finished_at.unwrap_or(run.created_at) - run.started_at.unwrap_or(run.created_at)),
        href: Address::new(format!("/integrations/logs/companies/{company_id}")).with("run", &run.id).to_string(),
    }
}

/// How far a run is, in words and of 100.
pub fn syncing(run: &ActiveRun, now_ms: i64) -> Syncing {
    let progress = Progress::parse(&run.progress);
    let queued = run.started_at.is_none();
    let step = match (queued, progress.steps) {
        (true, _) => "Queued".to_owned(),
        (false, 0) if run.step.is_empty() => "Starting".to_owned(),
        (false, 0) => run.step.clone(),
        (false, steps) => format!("{} ({} of {steps})", progress.step, progress.step_number),
    };
    let counts = match (progress.done, progress.expected) {
        (0, None) => None,
        (done, None) => Some(format!("{} so far", figures::count(done as i64))),
        (done, Some(expected)) => Some(format!("{} of about {}", figures::count(done as i64), figures::count(expected.max(done) as i64))),
    };
    let percent = (progress.steps > 0).then(|| {
        let within = match progress.expected {
            Some(expected) if expected > 0 => (progress.done.min(expected) * 100 / expected) as u32,
            _ => 0,
        };
        ((progress.step_number.saturating_sub(1) * 100 + within) / progress.steps).min(100)
    });
    Syncing {
        run_id: run.id.0.clone(),
        step,
        counts,
        percent,
        elapsed: run.started_at.map(|started| span((now_ms - started) / 1_000 * 1_000)),
        cancelling: run.cancel_requested_at.is_some(),
        queued,
    }
}

/// Who clicked.
pub fn trigger(visit: &Visit) -> Trigger {
    Trigger::Person(visit.user_id().0.clone())
}

/// POST: **Auto Resync** of the rows that are ticked.
pub async fn resync_selected(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let mut ids: Vec<CompanyId> = form.all("company").map(CompanyId::new).collect();
    ids.sort();
    ids.dedup();
    let back = form.back(PATH);
    if ids.is_empty() {
        return Ok(Flash::warn("No company is selected. Tick the companies to resync first.").redirect(back));
    }
    let answer = engine::sync::request_many(&app.engine, visit.organization_id(), &ids, trigger(&visit)).await?;
    Ok(told(&answer).redirect(back))
}

/// "9 queued, 2 already running, 1 invalid token", with a link to each.
pub fn told(answer: &ManyRequested) -> Flash {
    let mut parts = Vec::new();
    let not_linked = answer.refused.iter().filter(|(_, _, reason)| reason.contains("is not linked")).count();
    let counts = [
        (answer.queued.len(), "queued"),
        (answer.already_running.len(), "already running"),
        (answer.refused.len() - not_linked, "invalid token"),
        (not_linked, "not linked"),
    ];
    for (count, word) in counts {
        if count > 0 {
            parts.push(format!("{} {word}", figures::count(count as i64)));
        }
    }
    if parts.is_empty() {
        return Flash::good("No company needs a resync.");
    }
    let sentence = format!("{}.", parts.join(", "));
    let mut flash = if answer.refused.is_empty() { Flash::good(sentence) } else { Flash::warn(sentence) };
    for (_, name, reason) in &answer.refused {
        let href = Address::new(PATH).with("q", name).to_string();
        flash = flash.item(format!("{name}: {reason}"), Some(href));
    }
    for (id, name) in answer.already_running.iter().chain(&answer.queued) {
        flash = flash.item(name.clone(), Some(format!("/companies/{id}")));
    }
    flash
}

/// POST: **Resync** of one company.
pub async fn resync(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let company_id = CompanyId::new(id);
    let flash = match engine::sync::request(&app.engine, visit.organization_id(), &company_id, trigger(&visit), None).await {
        Ok(requested) => told_one(&requested, &company_id),
        Err(engine::EngineError::Refused(reason)) => Flash::warn(reason),
        Err(error) => return Err(error.into()),
    };
    Ok(flash.redirect(form.back(PATH)))
}

fn told_one(requested: &Requested, company_id: &CompanyId) -> Flash {
    let progress = Some(format!("/companies/{company_id}"));
    match requested {
        Requested::Queued(_) => Flash::good("1 queued.").item("Show progress", progress),
        Requested::AlreadyActive(id) => Flash::warn(format!("1 already running: job {id}.")).item("Show progress", progress),
    }
}

/// POST: **Link**.
pub async fn link(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let company_id = CompanyId::new(id);
    let flash = match engine::connections::link(&app.engine, visit.organization_id(), &company_id, visit.user_id()).await {
        Ok(_) => Flash::good("Linked. Its first sync is queued.").item("Show progress", Some(format!("/companies/{company_id}"))),
        Err(engine::EngineError::Refused(reason)) => Flash::warn(reason),
        Err(error) => return Err(error.into()),
    };
    Ok(flash.redirect(form.back(PATH)))
}

/// POST: *Unlink*.
pub async fn unlink(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    engine::connections::unlink(&app.engine, visit.organization_id(), &CompanyId::new(id)).await?;
    Ok(Flash::good("Unlinked. It is no longer synced; what was synced is kept.").redirect(form.back(PATH)))
}

/// POST: *Cancel* of a run.
pub async fn cancel(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let asked = engine::sync::cancel(&app.engine, visit.organization_id(), &RunId::new(id)).await?;
    let flash = match asked {
        true => Flash::good("Cancelling. The sync stops after the part it is writing; what was synced is kept."),
        false => Flash::warn("This sync has ended already."),
    };
    Ok(flash.redirect(form.back(PATH)))
}
