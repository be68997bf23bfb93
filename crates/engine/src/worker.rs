//! Claims runs under leases, runs them, keeps the leases alive, and settles how each ended.
use crate::Engine;
use crate::error::EngineError;
use crate::schedule;
use crate::sync::Progress;
use crate::sync::run::{self, Work};
use crate::{health, limits, logbook};
use domain::ids::RunId;
use domain::log::LogMessage;
use domain::problem::{Retry, TRIES};
use domain::sync::{Extent, RunState};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::companies::{self, Ended};
use store::runs::{self, Run};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A run that stops its worker this often in a row without progress is ended.
const CRASH_LIMIT: i64 = 5;
const LONGEST_BEAT_MS: i64 = 2_000;

/// The runs this process owns, and how to stop each.
type Owned = Arc<Mutex<HashMap<RunId, Token>>>;

#[derive(Clone)]
struct Token {
    epoch: i64,
    /// A person cancelled, or the server stops: end at the next chunk.
    stop: CancellationToken,
    /// The lease is lost: end at once.
    lost: CancellationToken,
}

/// Works until `shutdown`: claims, runs, beats, schedules. Returns when every run has reached a checkpoint and is handed back.
pub async fn work(engine: Engine, shutdown: CancellationToken) {
    let owned: Owned = Arc::default();
    // in a set, so that the beats end with this worker however it ends: a lease that outlives its worker would never be free
    let mut beats = JoinSet::new();
    beats.spawn(beat_loop(engine.clone(), owned.clone(), shutdown.clone()));
    beats.spawn(crate::delivery::deliver(engine.clone(), shutdown.clone()));
    beats.spawn(crate::retention::keep(engine.clone(), shutdown.clone()));
    beats.spawn(crate::alerts::keep(engine.clone(), shutdown.clone()));
    let mut tasks: JoinSet<RunId> = JoinSet::new();
    let mut chores: JoinSet<()> = JoinSet::new();
    let mut next_tick = tokio::time::Instant::now();
    let mut next_look = next_tick;
    while !shutdown.is_cancelled() {
        if tokio::time::Instant::now() >= next_tick {
            next_tick = tokio::time::Instant::now() + Duration::from_secs(5);
            if let Err(error) = schedule::tick(&engine).await {
                tracing::error!(%error, "the schedule could not be read");
            }
            if let Err(error) = health::write(&engine).await {
                tracing::error!(%error, "how the providers answered could not be written down");
            }
            // beside the claims: a provider that does not answer must not keep runs from starting
            if chores.try_join_next().is_some() || chores.is_empty() {
                chores.spawn(tend_connections(engine.clone()));
            }
        }
        if tokio::time::Instant::now() >= next_look {
            next_look = tokio::time::Instant::now() + Duration::from_secs(60);
            if let Err(error) = schedule::notice_stale(&engine).await {
                tracing::error!(%error, "freshness could not be looked at");
            }
        }
        let free = engine.settings.workers.saturating_sub(tasks.len());
        let claimed = if free > 0 { claim(&engine, free).await } else { Vec::new() };
        let more = claimed.len() == free && free > 0;
        for run in claimed {
            let token = Token { epoch: run.lease_epoch, stop: CancellationToken::new(), lost: CancellationToken::new() };
            owned.lock().expect("the list of runs is never held across a panic").insert(run.id.clone(), token.clone());
            engine.stops.lock().expect("the list of stops is never held across a panic").insert(run.id.clone(), token.stop.clone());
            // asked for while no worker had it
            if run.cancel_requested_at.is_some() {
                token.stop.cancel();
            }
            let (engine, shutdown) = (engine.clone(), shutdown.clone());
            tasks.spawn(async move {
                let id = run.id.clone();
                execute(&engine, run, token, shutdown).await;
                id
            });
        }
        if more {
            continue;
        }
        tokio::select! {
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => forget(&engine, &owned, ended),
            () = engine.queued.notified() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = shutdown.cancelled() => {}
        }
    }
    for token in owned.lock().expect("the list of runs is never held across a panic").values() {
        token.stop.cancel();
    }
    while let Some(ended) = tasks.join_next().await {
        forget(&engine, &owned, ended);
    }
    if let Err(error) = health::write(&engine).await {
        tracing::error!(%error, "how the providers answered could not be written down");
    }
    beats.shutdown().await;
}

/// What connections need without anybody asking: revocations that were not confirmed, authorizations that nobody uses.
async fn tend_connections(engine: Engine) {
    if let Err(error) = crate::connections::retry_revocations(&engine).await {
        tracing::error!(%error, "revocations could not be asked for again");
    }
    if let Err(error) = crate::connections::keep_alive(&engine).await {
        tracing::error!(%error, "idle authorizations could not be renewed");
    }
}

fn forget(engine: &Engine, owned: &Owned, ended: Result<RunId, tokio::task::JoinError>) {
    match ended {
        Ok(id) => {
            owned.lock().expect("the list of runs is never held across a panic").remove(&id);
            engine.stops.lock().expect("the list of stops is never held across a panic").remove(&id);
        }
        // a panic inside a run: its lease ends by itself, and the crash is counted at the next claim
        Err(error) => tracing::error!(%error, "a run panicked"),
    }
}

async fn claim(engine: &Engine, limit: usize) -> Vec<Run> {
    let claimed: Result<Vec<Run>, EngineError> = async {
        // looking first keeps an idle server from taking the write lock every second
        let next = runs::next_wake(&mut engine.store.read().await?).await?;
        if next.is_none_or(|at| at > engine.now_ms()) {
            return Ok(Vec::new());
        }
        let mut tx = engine.store.begin().await?;
        let runs = runs::claim(&mut tx, &engine.settings.node, engine.now_ms(), engine.settings.lease_secs * 1_000, limit as i64).await?;
        tx.commit().await?;
        Ok(runs)
    }
    .await;
    claimed.unwrap_or_else(|error| {
        tracing::error!(%error, "runs could not be claimed");
        Vec::new()
    })
}

/// Renews the leases at least three times in their length, and often enough that a person who cancels sees it end within seconds: a beat also brings
/// the wish to stop. A run whose lease is gone is stopped at once: another worker may own it.
async fn beat_loop(engine: Engine, owned: Owned, shutdown: CancellationToken) {
    let lease_ms = engine.settings.lease_secs * 1_000;
    let every = Duration::from_millis((lease_ms / 3).clamp(100, LONGEST_BEAT_MS).unsigned_abs());
    let mut renewed_at = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(every).await;
        let holding: Vec<(RunId, Token)> =
            owned.lock().expect("the list of runs is never held across a panic").iter().map(|(id, token)| (id.clone(), token.clone())).collect();
        if holding.is_empty() {
            renewed_at = tokio::time::Instant::now();
            continue;
        }
        let beats: Result<Vec<runs::Beat>, EngineError> = async {
            let mut tx = engine.store.begin().await?;
            let beats = runs::beat(&mut tx, &engine.settings.node, engine.now_ms() + lease_ms).await?;
            tx.commit().await?;
            Ok(beats)
        }
        .await;
        match beats {
            Ok(beats) => {
                renewed_at = tokio::time::Instant::now();
                for (id, token) in holding {
                    match beats.iter().find(|beat| beat.run_id == id && beat.epoch == token.epoch) {
                        Some(beat) if beat.cancel_requested => token.stop.cancel(),
                        Some(_) => {}
                        // it may just have ended in order: then nobody listens any more
                        None => token.lost.cancel(),
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "leases could not be renewed");
                if renewed_at.elapsed() > Duration::from_millis((lease_ms * 9 / 10).unsigned_abs()) {
                    for (_, token) in holding {
                        token.lost.cancel();
                    }
                }
            }
        }
        if shutdown.is_cancelled() && owned.lock().expect("the list of runs is never held across a panic").is_empty() {
            return;
        }
    }
}

async fn execute(engine: &Engine, run: Run, token: Token, shutdown: CancellationToken) {
    let span_run = run.clone();
    let result = tokio::select! {
        result = attempt(engine, run, token.stop.clone()) => result,
        () = token.lost.cancelled() => {
            tracing::warn!(run.id = %span_run.id, "lease lost; the run is left to its new owner");
            return;
        }
    };
    let Err((error, work)) = result else { return };
    if error.is_lease_lost() {
        tracing::warn!(run.id = %span_run.id, "lease lost; the run is left to its new owner");
        return;
    }
    let stopping = shutdown.is_cancelled() && error.is_cancelled();
    let error = if stopping { EngineError::Stopping } else { error };
    if let Err(unsettled) = settle(engine, &span_run, work.as_deref(), error).await {
        tracing::error!(run.id = %span_run.id, error = %unsettled, "a run could not be settled; its lease ends by itself");
    }
}

type Unfinished = (EngineError, Option<Box<Work>>);

async fn attempt(engine: &Engine, run: Run, stop: CancellationToken) -> Result<(), Unfinished> {
    if run.crash_count >= CRASH_LIMIT {
        return Err((EngineError::CrashLoop(run.crash_count), None));
    }
    let mut work = Work::load(engine, run, stop).await.map_err(|error| (error, None))?;
    match run::run(&mut work).await {
        Ok(()) => Ok(()),
        Err(error) => Err((error, Some(Box::new(work)))),
    }
}

/// The only place that decides what becomes of a run that did not end by itself.
async fn settle(engine: &Engine, run: &Run, work: Option<&Work>, error: EngineError) -> Result<(), EngineError> {
    let now = engine.clock.now();
    let now_ms = now.as_millisecond();
    let attempt = u32::try_from(run.attempt).unwrap_or(1);
    let problem = error.problem();
    tracing::warn!(run.id = %run.id, company.id = %run.company_id, attempt, error = %error, "run did not finish");
    if let (Some(work), EngineError::Provider(refused @ providers::ProviderError::NeedsReconnect { .. })) = (work, &error) {
        work.gate.refused_after_renewal(refused).await?;
    }
    let lease = run.lease();
    let mut tx = engine.store.begin_under(&lease).await?;
    let company = companies::find_any(&mut tx, &run.company_id).await?.ok_or(EngineError::NotFound)?;
    if let Some(work) = work {
        let (calls, bytes) = work.gate.meter();
        work.write_progress(&mut tx).await?;
        store::call_budgets::add(&mut tx, &company.id, &limits::today(engine), calls as i64, bytes as i64).await?;
    }
    let until = |wait_secs: i64| Timestamp::from_second(now.as_second() + wait_secs).unwrap_or(now);
    let mut ended: Option<RunState> = None;
    // a wish to stop that met a wait, a failure or the end of the server is still a wish to stop
    let cancelled = error.is_cancelled() || runs::find(&mut tx, &run.id).await?.is_some_and(|run| run.cancel_requested_at.is_some());
    let problem = if cancelled { EngineError::from(providers::ProviderError::Cancelled).problem() } else { problem };
    let message = if cancelled {
        ended = Some(RunState::Cancelled);
        Some(LogMessage::SyncCancelled)
    } else if matches!(error, EngineError::Stopping) {
        runs::again(&mut tx, &lease, now_ms, false, None, now_ms).await?;
        None
    } else if error.is_conflict() && attempt < TRIES {
        // nothing failed: somebody else was at the same rows first
        runs::again(&mut tx, &lease, now_ms, true, None, now_ms).await?;
        None
    } else if matches!(error, EngineError::CrashLoop(_)) {
        ended = Some(RunState::Failed);
        Some(LogMessage::SyncFailed { problem: problem.clone() })
    } else {
        match problem.retry(attempt, now) {
            Retry::Snooze { wait_secs } => {
                let at = until(wait_secs);
                runs::again(&mut tx, &lease, at.as_millisecond(), false, Some(&error.waits_for()), now_ms).await?;
                Some(LogMessage::WaitingForProvider { problem: problem.clone(), until: at })
            }
            Retry::Later { wait_secs } => {
                let at = until(wait_secs);
                runs::again(&mut tx, &lease, at.as_millisecond(), true, Some(&error.waits_for()), now_ms).await?;
                Some(LogMessage::RetryLater { problem: problem.clone(), attempt, of: TRIES, until: at })
            }
            Retry::Never => {
                ended = Some(RunState::Failed);
                Some(LogMessage::SyncFailed { problem: problem.clone() })
            }
        }
    };
    if let Some(message) = message {
        logbook::about_company(&mut tx, &company, Some(&run.id), &message, attempt, now_ms).await?;
    }
    if let Some(state) = ended {
        let text = serde_json::to_string(&problem).expect("a problem is plain data");
        runs::finish(&mut tx, &lease, state, Some(&text), now_ms).await?;
        let ended = Ended {
            run_id: &run.id,
            state,
            problem: Some(&text),
            cursor_at: None,
            was_full: run.extent == Extent::Full,
            next_due_at: Some(domain::schedule::next_due_ms(now_ms, company.interval_secs, u16::MAX / 2)),
            now_ms,
        };
        companies::set_ended(&mut tx, &company.id, &ended).await?;
        let counts = work.map_or_else(|| Progress::parse(&run.progress).total(), |work| work.progress.total());
        let took_ms = (now_ms - run.started_at.unwrap_or(now_ms)).max(0);
        companies::set_last_run(&mut tx, &company.id, took_ms, run.extent, state, &counts).await?;
    }
    tx.commit().await?;
    engine.changed(&company.organization_id, Some(&company.id));
    Ok(())
}
