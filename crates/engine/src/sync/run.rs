//! The loop of a sync: company, chart, contacts, transactions, ledger, proof. Every step begins where its checkpoint says.
use super::chunk::{self, Arrived};
use super::plan::{self, OVERLAP_SECS};
use super::progress::Progress;
use super::{request, sweep};
use crate::Engine;
use crate::connections::mixed_environment;
use crate::error::EngineError;
use crate::limits::Gate;
use crate::{ledger, logbook, mappings, verify};
use domain::data_type::{DataType, Group};
use domain::log::LogMessage;
use domain::problem::{Problem, ProblemKind};
use domain::record::RecordState;
use domain::sync::{Counts, Extent, RunState};
use jiff::Timestamp;
use jiff::civil::Date;
use providers::error::Call;
use providers::provider::{Books, Chunk, LedgerSource, Next};
use providers::{Provider, ProviderError};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::checkpoints::{self, Position};
use store::companies::{self, Company};
use store::raw_records::Archiver;
use store::runs::{self, Lease, Run};
use store::{StoreError, Tx, documents, inventory};
use tokio_util::sync::CancellationToken;

/// One run under one lease, and all it needs.
pub struct Work {
    pub engine: Engine,
    pub run: Run,
    pub lease: Lease,
    pub company: Company,
    pub provider: Arc<dyn Provider>,
    pub gate: Gate,
    pub archiver: Archiver,
    pub progress: Progress,
    pub positions: BTreeMap<String, Position>,
    pub had_quarantine: bool,
    remote_id: String,
    stop: CancellationToken,
}

const STEPS: u32 = 6;
/// A company's own facts, and lists that can only be read in full, are read again after this long: it keeps an idle sync small.
const FACTS_KEPT_MS: i64 = 24 * 3_600_000;

impl Work {
    /// Loads what an earlier worker of this run left.
    pub async fn load(engine: &Engine, run: Run, stop: CancellationToken) -> Result<Work, EngineError> {
        let mut conn = engine.store.read().await?;
        let company = companies::find_any(&mut conn, &run.company_id).await?.ok_or(EngineError::NotFound)?;
        let remote_id = companies::remote_id(&engine.store, &mut conn, &company.id).await?.ok_or(EngineError::NotFound)?;
        let positions = checkpoints::list(&mut conn, &run.id).await?;
        let had_quarantine = store::quarantine::count(&mut conn, &company.id).await? > 0;
        drop(conn);
        if let Some(sentence) = mixed_environment(engine, &company.provider, &company.connection_environment) {
            return Err(EngineError::MixedEnvironment(sentence));
        }
        let provider = engine.provider(&company.provider)?.clone();
        let gate = Gate::open(engine, &company.organization_id, &company.id, &company.connection_id, provider.clone(), stop.clone())
            .await?
            .of_run(run.lease());
        let progress = Progress::parse(&run.progress);
        Ok(Work {
            engine: engine.clone(),
            lease: run.lease(),
            run,
            company,
            provider,
            gate,
            archiver: Archiver::default(),
            progress,
            positions,
            had_quarantine,
            remote_id,
            stop,
        })
    }

    pub fn books(&self) -> Books<'_> {
        Books { company: &self.remote_id, gate: &self.gate }
    }

    pub fn attempt(&self) -> u32 {
        u32::try_from(self.run.attempt).unwrap_or(1)
    }

    /// Calls and bytes of the whole run, over all its attempts.
    pub fn meter(&self) -> (i64, i64) {
        let (calls, bytes) = self.gate.meter();
        (self.run.calls + calls as i64, self.run.bytes + bytes as i64)
    }

    pub fn is_done(&self, step: &str) -> bool {
        self.positions.get(step) == Some(&Position::Done)
    }

    pub async fn write_progress(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let (calls, bytes) = self.meter();
        runs::progress(tx, &self.lease, &self.progress.step, &self.progress.to_text(), calls, bytes).await
    }

    /// Writes log entries, ends a step and shows the progress, in one transaction.
    pub async fn end_step(&mut self, step: &str, messages: &[LogMessage]) -> Result<(), EngineError> {
        let now_ms = self.engine.now_ms();
        let mut tx = self.engine.store.begin_under(&self.lease).await?;
        for message in messages {
            logbook::about_company(&mut tx, &self.company, Some(&self.run.id), message, self.attempt(), now_ms).await?;
        }
        checkpoints::set(&mut tx, &self.run.id, step, &Position::Done, now_ms).await?;
        self.write_progress(&mut tx).await?;
        tx.commit().await?;
        self.positions.insert(step.to_owned(), Position::Done);
        self.gate.note_stored();
        self.engine.changed(&self.company.organization_id, Some(&self.company.id));
        Ok(())
    }

    /// Writes one log entry outside any step.
    pub async fn log(&self, message: &LogMessage) -> Result<(), EngineError> {
        let mut tx = self.engine.store.begin_under(&self.lease).await?;
        logbook::about_company(&mut tx, &self.company, Some(&self.run.id), message, self.attempt(), self.engine.now_ms()).await?;
        tx.commit().await?;
        self.engine.changed(&self.company.organization_id, Some(&self.company.id));
        Ok(())
    }

    /// Shows what is being done, without waiting for a chunk.
    pub async fn enter(&mut self, step: &str, number: u32, expected: Option<u64>) -> Result<(), EngineError> {
        if self.stop.is_cancelled() {
            return Err(ProviderError::Cancelled.into());
        }
        self.progress.enter(step, number, STEPS, expected);
        let mut tx = self.engine.store.begin_under(&self.lease).await?;
        self.write_progress(&mut tx).await?;
        tx.commit().await?;
        self.engine.changed(&self.company.organization_id, Some(&self.company.id));
        Ok(())
    }

    /// Ends when the run is to end.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Today, where the company is: the day its trial balance is proven for.
    pub fn today(&self) -> Date {
        let zone = jiff::tz::TimeZone::get(&self.company.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let at = self.run.cursor_at.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_else(|| self.engine.clock.now());
        at.to_zoned(zone).date()
    }
}

/// Runs a sync to its end. `Ok` means the run's row says how it ended; an error is settled by the worker.
pub async fn run(work: &mut Work) -> Result<(), EngineError> {
    start(work).await?;
    company(work).await?;
    if work.run.extent == Extent::Full {
        fetch_all(work).await?;
    } else {
        fetch_changes(work).await?;
    }
    mappings::assign(work).await?;
    ledger::import(work).await?;
    // what new postings say has changed and no list of changes shows
    fetch_types(work, work.progress.implied.clone(), 4).await?;
    verify::prove(work).await?;
    finish(work).await
}

async fn start(work: &mut Work) -> Result<(), EngineError> {
    if work.run.extent == Extent::Changes && !work.is_done("started") {
        let window_days = work.provider.profile().changes_window_days;
        let age_days = work.company.cursor_at.map(|at| (work.engine.now_ms() - at) / 86_400_000);
        let reason = match (age_days, window_days) {
            (None, _) => Some("there is no earlier sync to build on"),
            (Some(age), Some(window)) if age >= window - 1 => Some("the last sync is older than the provider's list of changes"),
            _ => None,
        };
        if let Some(reason) = reason {
            make_full(work, reason).await?;
        }
    }
    if work.is_done("started") {
        return work.log(&LogMessage::SyncContinued { attempt: (work.run.lease_epoch).try_into().unwrap_or(1) }).await;
    }
    let started = LogMessage::SyncStarted { extent: work.run.extent };
    // a run that reads everything reads that too
    let again = request::message(&work.progress).filter(|_| work.run.extent == Extent::Changes);
    let messages: Vec<LogMessage> = std::iter::once(started).chain(again).collect();
    work.end_step("started", &messages).await
}

async fn make_full(work: &mut Work, reason: &'static str) -> Result<(), EngineError> {
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    runs::make_full(&mut tx, &work.lease).await?;
    logbook::about_company(&mut tx, &work.company, Some(&work.run.id), &LogMessage::FullSyncInstead { reason }, work.attempt(), work.engine.now_ms())
        .await?;
    tx.commit().await?;
    work.run.extent = Extent::Full;
    Ok(())
}

/// The company's own facts, once a day and after a run that failed before anything else; in between only where a run finds changes
/// (`company_of_changes`).
async fn company(work: &mut Work) -> Result<(), EngineError> {
    let are_fresh = work.company.facts_read_at.is_some_and(|at| work.engine.now_ms() - at < FACTS_KEPT_MS);
    // a run that failed may have failed before it listed what only such a run lists
    let is_complete = work.company.last_run_state == Some(RunState::Succeeded);
    if work.run.extent == Extent::Changes && are_fresh && is_complete { Ok(()) } else { read_company(work, true).await }
}

/// No list of changes shows the company's facts: they are read again where something else changed, and kept where nothing did.
async fn company_of_changes(work: &mut Work) -> Result<(), EngineError> {
    let counts = work.progress.total();
    if counts.added + counts.changed + counts.deleted > 0 || work.is_done("company") {
        read_company(work, false).await
    } else {
        work.end_step("company", &[LogMessage::CompanyKept]).await
    }
}

/// `thorough`: the run goes on to list what can only be listed in full.
async fn read_company(work: &mut Work, thorough: bool) -> Result<(), EngineError> {
    if work.is_done("company") {
        return Ok(());
    }
    work.enter("Company information", 1, None).await?;
    work.progress.thorough |= thorough;
    let with_preferences = work.run.extent == Extent::Full || work.company.currency.is_empty();
    let facts = work.provider.clone().company_facts(&work.books(), with_preferences).await?;
    let cursor_at = facts.provider_now.as_millisecond();
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    runs::set_cursor(&mut tx, &work.lease, cursor_at).await?;
    companies::set_facts(
        &mut tx,
        &work.company.id,
        &facts.name,
        &facts.currency,
        facts.country.as_deref().unwrap_or_default(),
        &facts.time_zone,
        facts.fiscal_year_start_month,
    )
    .await?;
    tx.commit().await?;
    work.run.cursor_at = work.run.cursor_at.or(Some(cursor_at));
    work.company.name = facts.name;
    work.company.time_zone = facts.time_zone;
    work.company.fiscal_year_start_month = facts.fiscal_year_start_month;
    if !facts.currency.is_empty() {
        work.company.currency = facts.currency;
    }
    let arrived = Arrived { records: facts.records, unreadable: Vec::new(), step: "company:records", position: Position::Done, listed: &[] };
    chunk::write(work, arrived).await?;
    work.end_step("company", &[LogMessage::CompanyImported]).await
}

/// Everything: each data type from its first page, then what is no longer there.
async fn fetch_all(work: &mut Work) -> Result<(), EngineError> {
    for (group, step, number) in [(Group::Chart, "chart", 2), (Group::Contacts, "contacts", 3), (Group::Transactions, "transactions", 4)] {
        if work.is_done(step) {
            continue;
        }
        fetch_types(work, plan::of_group(work.provider.profile().data_types, group), number).await?;
        let messages = [group_message(work, group)];
        work.end_step(step, &messages).await?;
    }
    Ok(())
}

fn group_message(work: &Work, group: Group) -> LogMessage {
    let counts = work.progress.group(group);
    match group {
        Group::Chart => LogMessage::ChartImported { counts },
        Group::Contacts => LogMessage::ContactsImported { counts },
        _ => LogMessage::TransactionsSynced { counts },
    }
}

/// A data type that cannot be read does not stop the others; what is stored of it stays. Anything that concerns the whole run is passed on.
async fn set_aside(work: &mut Work, data_type: DataType, error: EngineError) -> Result<(), EngineError> {
    let problem = match &error {
        EngineError::Provider(
            ProviderError::UnexpectedAnswer { .. }
            | ProviderError::Forbidden { .. }
            | ProviderError::NotFound { .. }
            | ProviderError::TooLarge { .. },
        ) => error.problem(),
        _ => return Err(error),
    };
    tracing::warn!(company.id = %work.company.id, run.id = %work.run.id, data_type = %data_type, error = %error, "data type set aside");
    work.progress.failed.insert(data_type, problem.clone());
    work.log(&LogMessage::DataTypeFailed { data_type, problem }).await
}

/// Lists one data type to its end, sweeps what is gone, and compares the counts.
async fn fetch_type(work: &mut Work, data_type: DataType, number: u32) -> Result<(), EngineError> {
    let step = format!("fetch:{data_type}");
    if work.is_done(&step) || work.progress.failed.contains_key(&data_type) {
        return Ok(());
    }
    let provider = work.provider.clone();
    let mut expected = provider.count(&work.books(), data_type).await?;
    work.progress.expect(data_type, expected);
    work.enter(data_type.label(), number, expected).await?;
    loop {
        let from = match work.positions.get(&step) {
            Some(Position::At(checkpoint)) => Some(checkpoint.clone()),
            _ => None,
        };
        let answer = provider.fetch(&work.books(), data_type, from.as_ref()).await?;
        if expected.is_none() && answer.total.is_some() {
            expected = answer.total;
            work.progress.expected = expected;
            work.progress.expect(data_type, expected);
        }
        // the step is done only after the sweep, so the end of the list is a position of its own; after a crash in between the last page is read again
        // and changes nothing
        let listing = format!("{step}:last");
        let (at, position) = match answer.next {
            Next::More(checkpoint) => (&step, Position::At(checkpoint)),
            Next::UpToDate => (&listing, Position::Done),
        };
        let done = position == Position::Done;
        chunk::write(work, Arrived { records: answer.records, unreadable: answer.unreadable, step: at, position, listed: &[data_type] }).await?;
        if done {
            break;
        }
        if work.stop.is_cancelled() {
            return Err(ProviderError::Cancelled.into());
        }
    }
    sweep::sweep(work, data_type).await?;
    let now_ms = work.engine.now_ms();
    let listed = documents::count_listed(&mut work.engine.store.read().await?, &work.company.id, data_type, &work.run.id).await?;
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    let theirs = expected.and_then(|count| i64::try_from(count).ok());
    inventory::put(&mut tx, &work.company.id, data_type, listed, theirs, Some(now_ms), now_ms).await?;
    tx.commit().await?;
    work.end_step(&step, &[]).await
}

/// What is new, changed or deleted since the cursor, over all data types.
async fn fetch_changes(work: &mut Work) -> Result<(), EngineError> {
    let provider = work.provider.clone();
    if !work.is_done("changes") {
        work.enter("Changes", 4, None).await?;
        let cursor_at = work.company.cursor_at.unwrap_or(0);
        let since = Timestamp::from_millisecond(cursor_at - OVERLAP_SECS * 1_000).unwrap_or(Timestamp::UNIX_EPOCH);
        loop {
            let from = match work.positions.get("changes") {
                Some(Position::At(checkpoint)) => Some(checkpoint.clone()),
                _ => None,
            };
            let answer = match provider.changes(&work.books(), since, work.progress.thorough, from.as_ref()).await {
                Err(ProviderError::ChangesExpired { .. }) => {
                    make_full(work, "the provider no longer lists changes from that far back").await?;
                    read_company(work, true).await?;
                    return fetch_all(work).await;
                }
                other => other?,
            };
            let mut answer = answer;
            note_cursor(work, answer.answered_at).await?;
            confirm_deletions(work, &mut answer).await?;
            for (data_type, permission) in std::mem::take(&mut answer.refused) {
                let refused = ProviderError::Forbidden { provider: provider.profile().name, permission, call: Call::default() };
                set_aside(work, data_type, refused.into()).await?;
            }
            let (overflowed, complete) = (answer.overflowed.clone(), answer.complete.clone());
            let position = match answer.next {
                Next::More(checkpoint) => Position::At(checkpoint),
                Next::UpToDate => Position::Done,
            };
            let done = position == Position::Done;
            for data_type in overflowed {
                work.log(&LogMessage::ChangesOverflowed { data_type }).await?;
                fetch_type(work, data_type, 4).await?;
            }
            chunk::write(work, Arrived { records: answer.records, unreadable: answer.unreadable, step: "changes", position, listed: &complete })
                .await?;
            for data_type in complete {
                sweep::sweep(work, data_type).await?;
            }
            if done {
                break;
            }
        }
    }
    fetch_types(work, work.progress.again.clone(), 4).await?;
    company_of_changes(work).await?;
    for (group, step) in [(Group::Chart, "chart"), (Group::Contacts, "contacts"), (Group::Transactions, "transactions")] {
        if !work.is_done(step) {
            let messages = [group_message(work, group)];
            work.end_step(step, &messages).await?;
        }
    }
    Ok(())
}

/// The next run begins where the first answer of this one was given.
async fn note_cursor(work: &mut Work, answered_at: Option<Timestamp>) -> Result<(), EngineError> {
    let (None, Some(answered_at)) = (work.run.cursor_at, answered_at) else { return Ok(()) };
    let cursor_at = answered_at.as_millisecond();
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    runs::set_cursor(&mut tx, &work.lease, cursor_at).await?;
    tx.commit().await?;
    work.run.cursor_at = Some(cursor_at);
    Ok(())
}

/// Lists these whole; one that cannot be read does not stop the others.
async fn fetch_types(work: &mut Work, data_types: impl IntoIterator<Item = DataType>, number: u32) -> Result<(), EngineError> {
    for data_type in data_types {
        match fetch_type(work, data_type, number).await {
            Ok(()) => {}
            Err(error) => set_aside(work, data_type, error).await?,
        }
    }
    Ok(())
}

/// A feed has been seen to report a live record as deleted (quickbooks.md, trap 9): each is asked for by id before it is believed gone. What we hold
/// as deleted already, or do not hold at all, costs no call: the feed repeats its deletions while they lie within the overlap.
async fn confirm_deletions(work: &Work, answer: &mut Chunk) -> Result<(), EngineError> {
    let mut deleted: BTreeMap<DataType, Vec<&str>> = BTreeMap::new();
    for record in answer.records.iter().filter(|record| record.deleted) {
        deleted.entry(record.data_type).or_default().push(&record.id);
    }
    let mut in_doubt: BTreeMap<DataType, Vec<String>> = BTreeMap::new();
    for (data_type, ids) in deleted {
        let known = documents::find_known(&mut work.engine.store.read().await?, &work.company.id, data_type, &ids).await?;
        let live = known.into_iter().filter(|(_, known)| known.state != RecordState::Deleted);
        in_doubt.entry(data_type).or_default().extend(live.map(|(id, _)| id));
    }
    in_doubt.retain(|_, ids| !ids.is_empty());
    for (data_type, ids) in in_doubt {
        if let Some(existing) = work.provider.clone().existing(&work.books(), data_type, &ids).await? {
            answer.records.retain(|record| !(record.deleted && record.data_type == data_type && existing.contains(&record.id)));
        }
    }
    Ok(())
}

/// Ends the run: its cursor becomes the company's. A run with a data type that could not be read ends as failed, so that its cursor is not taken.
async fn finish(work: &mut Work) -> Result<(), EngineError> {
    let now_ms = work.engine.now_ms();
    let (forbidden, broken): (Vec<_>, Vec<_>) = work.progress.failed.iter().partition(|(_, problem)| problem.kind == ProblemKind::Forbidden);
    let problem: Option<Problem> = broken.first().map(|(_, problem)| (*problem).clone());
    let state = if problem.is_some() { RunState::Failed } else { RunState::Succeeded };
    let scope_missing_at = (!forbidden.is_empty()).then_some(now_ms);
    let problem_text = problem.as_ref().map(|problem| serde_json::to_string(problem).expect("a problem is plain data"));
    let counts: Counts = work.progress.total();
    let (calls, bytes) = work.meter();
    let secs = work.run.started_at.map_or(0, |at| (now_ms - at).max(0) / 1_000) as u64;

    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    // idle syncs list nothing: what is there is counted when something moved
    if counts.added + counts.changed + counts.deleted > 0 {
        for count in documents::count_by_type(&mut tx, &work.company.id).await? {
            inventory::put(&mut tx, &work.company.id, count.data_type, count.live, None, None, now_ms).await?;
        }
    }
    let message = match &problem {
        None => LogMessage::SyncFinished { counts, calls: calls as u64, secs },
        Some(problem) => LogMessage::SyncFailed { problem: problem.clone() },
    };
    logbook::about_company(&mut tx, &work.company, Some(&work.run.id), &message, work.attempt(), now_ms).await?;
    work.write_progress(&mut tx).await?;
    runs::finish(&mut tx, &work.lease, state, problem_text.as_deref(), now_ms).await?;
    companies::set_scope_missing(&mut tx, &work.company.id, scope_missing_at).await?;
    // a search that missed a data type was not complete
    if work.progress.thorough && work.progress.failed.is_empty() {
        companies::set_facts_read(&mut tx, &work.company.id, work.run.started_at.unwrap_or(now_ms)).await?;
    }
    companies::set_ended(
        &mut tx,
        &work.company.id,
        &companies::Ended {
            run_id: &work.run.id,
            state,
            problem: problem_text.as_deref(),
            cursor_at: work.run.cursor_at,
            was_full: work.run.extent == Extent::Full,
            next_due_at: Some(next_due(work, now_ms)),
            now_ms,
        },
    )
    .await?;
    let took_ms = (now_ms - work.run.started_at.unwrap_or(now_ms)).max(0);
    companies::set_last_run(&mut tx, &work.company.id, took_ms, work.run.extent, state, &counts).await?;
    let (gate_calls, gate_bytes) = work.gate.meter();
    store::call_budgets::add(&mut tx, &work.company.id, &crate::limits::today(&work.engine), gate_calls as i64, gate_bytes as i64).await?;
    tx.commit().await?;
    tracing::info!(
        company.id = %work.company.id,
        run.id = %work.run.id,
        state = state.as_str(),
        calls,
        size_bytes = bytes,
        duration_secs = secs,
        "sync ended"
    );
    work.engine.changed(&work.company.organization_id, Some(&work.company.id));
    Ok(())
}

fn next_due(work: &Work, now_ms: i64) -> i64 {
    let mut random = [0u8; 2];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    domain::schedule::next_due_ms(now_ms, work.company.interval_secs, u16::from_ne_bytes(random))
}

/// Whether the provider's own ledger is read by windows of days.
pub fn reads_windows(work: &Work) -> bool {
    work.provider.profile().ledger == LedgerSource::Windows
}
