//! The ledger is the provider's own: windows of a report where changed documents touch it, or numbered journals.
use crate::error::EngineError;
use crate::sync::plan::{self, Window};
use crate::sync::run::{Work, reads_windows};
use domain::clock::Month;
use domain::data_type::DataType;
use domain::document::Unreadable;
use domain::ledger::{LedgerEntry, Unbalanced};
use domain::log::LogMessage;
use domain::sync::{Checkpoint, Extent};
use jiff::civil::Date;
use providers::ProviderError;
use providers::provider::LedgerPiece;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use store::checkpoints::{self, Position};
use store::{Tx, companies, documents, ledger, quarantine};

/// Months asked for in one call to begin with; halved when the answer is too large.
const LONGEST_WINDOW: usize = 12;
/// Books older than this are not believed.
const EARLIEST_YEAR: i16 = 1970;

/// Reads what a run has to read of the ledger.
pub async fn import(work: &mut Work) -> Result<(), EngineError> {
    if work.is_done("ledger") {
        return Ok(());
    }
    work.enter("Ledger", 5, None).await?;
    if reads_windows(work) {
        import_windows(work).await?;
    } else {
        import_journals(work).await?;
    }
    let message = LogMessage::LedgerImported { entries: work.progress.ledger_entries, months: work.progress.ledger_months };
    work.end_step("ledger", &[message]).await
}

async fn import_windows(work: &mut Work) -> Result<(), EngineError> {
    let months: BTreeSet<Month> = match work.run.extent {
        Extent::Changes => work.progress.touched_months.iter().filter_map(|text| Month::parse(text)).collect(),
        Extent::Full => {
            let mut conn = work.engine.store.read().await?;
            let first = documents::first_day(&mut conn, &work.company.id).await?.unwrap_or_else(|| work.today());
            let last = documents::last_day(&mut conn, &work.company.id).await?.unwrap_or(first).max(work.today());
            Month::of(first).through(Month::of(last)).into_iter().collect()
        }
    };
    // the checkpoint is the last month that is stored
    let after = match work.positions.get("ledger") {
        Some(Position::At(Checkpoint(text))) => Month::parse(text),
        _ => None,
    };
    let months: BTreeSet<Month> = months.into_iter().filter(|month| after.is_none_or(|after| *month > after)).collect();
    work.enter("Ledger", 5, Some(months.len() as u64)).await?;
    let mut todo: Vec<Window> = plan::windows(&months, LONGEST_WINDOW);
    todo.reverse();
    let mut is_first = work.run.extent == Extent::Full && after.is_none();
    // what was too large once is too large again: later windows are asked for in the size that fitted
    let mut longest = LONGEST_WINDOW;
    while let Some(window) = todo.pop() {
        if let Some((first, second)) = window.halves().filter(|_| window.months().len() > longest) {
            todo.push(second);
            todo.push(first);
            continue;
        }
        match read_window(work, window, is_first).await? {
            Read::Stored => is_first = false,
            Read::TooLarge(first, second) => {
                longest = second.months().len();
                todo.push(second);
                todo.push(first);
            }
            Read::BeginsEarlier(earlier) => {
                // the report shows balances from before the first document: the books begin earlier
                todo.push(window);
                todo.push(earlier);
            }
        }
    }
    if work.run.extent == Extent::Full
        && let Some((first, _)) = ledger::span(&mut work.engine.store.read().await?, &work.company.id).await?
    {
        let mut tx = work.engine.store.begin_under(&work.lease).await?;
        companies::set_first_day(&mut tx, &work.company.id, &first.to_string()).await?;
        tx.commit().await?;
    }
    Ok(())
}

enum Read {
    Stored,
    TooLarge(Window, Window),
    BeginsEarlier(Window),
}

async fn read_window(work: &mut Work, window: Window, is_first: bool) -> Result<Read, EngineError> {
    let provider = work.provider.clone();
    let piece = match provider.ledger_window(&work.books(), window.from(), window.to()).await {
        // the report is as large as what was read from it, and not kept
        Ok(piece) => LedgerPiece { body: Box::default(), ..piece },
        Err(error @ ProviderError::TooLarge { .. }) => {
            let Some((first, second)) = window.halves() else { return Err(error.into()) };
            work.log(&LogMessage::WindowSplit { from: window.first.to_string(), to: window.last.to_string() }).await?;
            return Ok(Read::TooLarge(first, second));
        }
        Err(error) => return Err(error.into()),
    };
    if is_first && piece.opening.values().any(|balance| !balance.is_zero()) && window.first.year > EARLIEST_YEAR {
        let last = window.first.previous();
        let first = Month { year: last.year - 1, month: last.month }.next();
        return Ok(Read::BeginsEarlier(Window { first, last }));
    }
    store_window(work, window, piece, false, Some("ledger")).await?;
    Ok(Read::Stored)
}

/// Stores the months of a window, one transaction. `always` rewrites months that look unchanged: a repair.
async fn store_window(work: &mut Work, window: Window, piece: LedgerPiece, always: bool, step: Option<&str>) -> Result<(), EngineError> {
    let mut by_month: BTreeMap<Month, Vec<LedgerEntry>> = window.months().into_iter().map(|month| (month, Vec::new())).collect();
    for entry in piece.entries {
        by_month.entry(Month::of(entry.date())).or_default().push(entry);
    }
    let now_ms = work.engine.now_ms();
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    for (month, entries) in &mut by_month {
        // the report's order inside a month is not part of what it says
        entries.sort_by(|a, b| (a.date(), a.key()).cmp(&(b.date(), b.key())));
        let changed = ledger::replace_month(&mut tx, &work.company.id, *month, entries, &hash(entries), always, now_ms).await?;
        if changed || always {
            work.progress.ledger_months += 1;
            work.progress.ledger_entries += entries.len() as u64;
        }
        quarantine::release_ledger_piece(&mut tx, &work.company.id, &month.to_string()).await?;
    }
    set_aside(work, &mut tx, piece.unbalanced, |date, _| Month::of(date).to_string()).await?;
    set_aside_unreadable(work, &mut tx, &piece.unreadable, &window.last.to_string()).await?;
    work.progress.done += by_month.len() as u64;
    if let Some(step) = step {
        let position = Position::At(Checkpoint(window.last.to_string()));
        checkpoints::set(&mut tx, &work.run.id, step, &position, now_ms).await?;
        work.positions.insert(step.to_owned(), position);
    }
    work.write_progress(&mut tx).await?;
    tx.commit().await?;
    work.engine.changed(&work.company.organization_id, Some(&work.company.id));
    Ok(())
}

/// Entries that do not balance are kept aside whole and listed; the proof will say what they leave out.
async fn set_aside(
    work: &mut Work,
    tx: &mut Tx,
    unbalanced: Vec<(Date, Unbalanced)>,
    piece: impl Fn(Date, &Unbalanced) -> String,
) -> Result<(), EngineError> {
    if unbalanced.is_empty() {
        return Ok(());
    }
    let now_ms = work.engine.now_ms();
    let mut items = Vec::new();
    let mut ids = Vec::new();
    for (date, bad) in &unbalanced {
        let id = format!("{}:{} {}", piece(*date, bad), bad.key.source_type, bad.key.source_id);
        ids.push(format!("{} {} on {date}", bad.key.source_type, bad.key.source_id));
        let body = format!("{:?}", bad.postings);
        items.push((id, work.archiver.compress(&body)));
    }
    let rows: Vec<(&str, &str, &str, Vec<u8>)> =
        items.iter().map(|(id, body)| ("Ledger", id.as_str(), "debits and credits differ", body.clone())).collect();
    quarantine::insert(tx, &work.company.id, &rows, now_ms).await?;
    work.had_quarantine = true;
    work.progress.counts.entry(DataType::Ledger).or_default().quarantined += unbalanced.len() as u64;
    crate::logbook::about_company(tx, &work.company, Some(&work.run.id), &LogMessage::EntriesUnbalanced { ids }, work.attempt(), now_ms).await?;
    Ok(())
}

async fn set_aside_unreadable(work: &mut Work, tx: &mut Tx, unreadable: &[Unreadable], piece: &str) -> Result<(), EngineError> {
    let Some(first) = unreadable.first() else { return Ok(()) };
    let now_ms = work.engine.now_ms();
    let ids: Vec<String> = unreadable.iter().map(|bad| format!("{piece}:{}", bad.id)).collect();
    let rows: Vec<(&str, &str, &str, Vec<u8>)> =
        unreadable.iter().zip(&ids).map(|(bad, id)| ("Ledger", id.as_str(), bad.reason.as_str(), work.archiver.compress(""))).collect();
    quarantine::insert(tx, &work.company.id, &rows, now_ms).await?;
    work.had_quarantine = true;
    work.progress.counts.entry(DataType::Ledger).or_default().quarantined += unreadable.len() as u64;
    let message = LogMessage::RecordsQuarantined { data_type: DataType::Ledger, ids, reason: first.reason.clone() };
    crate::logbook::about_company(tx, &work.company, Some(&work.run.id), &message, work.attempt(), now_ms).await?;
    Ok(())
}

/// Writes journals, and releases those of them that were set aside before and are read well now.
async fn put_journals(work: &Work, tx: &mut Tx, entries: &[LedgerEntry]) -> Result<(), EngineError> {
    ledger::put_journals(tx, &work.company.id, entries).await?;
    if !work.had_quarantine {
        return Ok(());
    }
    let read_well: BTreeSet<i64> = entries.iter().map(|entry| entry.key().journal_number).collect();
    let aside = quarantine::list(tx, &work.company.id, i64::MAX).await?;
    let released: Vec<&str> = aside
        .iter()
        .filter(|item| item.data_type == DataType::Ledger.as_str())
        .map(|item| item.remote_id.as_str())
        .filter(|id| journal_number(id).is_some_and(|number| read_well.contains(&number)))
        .collect();
    quarantine::release(tx, &work.company.id, DataType::Ledger.as_str(), &released).await?;
    Ok(())
}

/// The journal of an item that was set aside: `j000000000098:CASHREC 9326…` when it does not balance, `journals:98` when it could not be read.
fn journal_number(id: &str) -> Option<i64> {
    let (piece, rest) = id.split_once(':')?;
    if piece == "journals" { rest.parse().ok() } else { piece.strip_prefix('j')?.parse().ok() }
}

fn hash(entries: &[LedgerEntry]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for entry in entries {
        hasher.update(entry.date().to_string());
        hasher.update(&entry.key().source_type);
        hasher.update([0]);
        hasher.update(&entry.key().source_id);
        hasher.update([0]);
        for posting in entry.postings() {
            hasher.update(&posting.account_id);
            hasher.update([0]);
            hasher.update(posting.amount.0.to_be_bytes());
        }
        hasher.update([1]);
    }
    hasher.finalize().into()
}

async fn import_journals(work: &mut Work) -> Result<(), EngineError> {
    let provider = work.provider.clone();
    let mut after = match work.positions.get("ledger") {
        Some(Position::At(Checkpoint(text))) => text.parse().unwrap_or(0),
        _ if work.run.extent == Extent::Full => 0,
        _ => work.company.journals_through,
    };
    let mut months = BTreeSet::new();
    loop {
        let piece = provider.ledger_journals(&work.books(), after).await?;
        let Some(next) = piece.next_after else { break };
        let now_ms = work.engine.now_ms();
        months.extend(piece.entries.iter().map(|entry| Month::of(entry.date()).to_string()));
        let mut tx = work.engine.store.begin_under(&work.lease).await?;
        put_journals(work, &mut tx, &piece.entries).await?;
        set_aside(work, &mut tx, piece.unbalanced, |_, bad| format!("j{:012}", bad.key.journal_number)).await?;
        set_aside_unreadable(work, &mut tx, &piece.unreadable, "journals").await?;
        companies::set_journals_through(&mut tx, &work.company.id, next.max(work.company.journals_through)).await?;
        work.progress.ledger_entries += piece.entries.len() as u64;
        work.progress.ledger_months = work.progress.ledger_months.max(months.len() as u64);
        work.progress.touched_months.extend(months.iter().cloned());
        work.progress.done += piece.entries.len() as u64;
        let position = Position::At(Checkpoint(next.to_string()));
        checkpoints::set(&mut tx, &work.run.id, "ledger", &position, now_ms).await?;
        work.write_progress(&mut tx).await?;
        tx.commit().await?;
        work.positions.insert("ledger".into(), position);
        work.engine.changed(&work.company.organization_id, Some(&work.company.id));
        after = next;
    }
    if let Some((first, _)) = ledger::span(&mut work.engine.store.read().await?, &work.company.id).await? {
        let mut tx = work.engine.store.begin_under(&work.lease).await?;
        companies::set_first_day(&mut tx, &work.company.id, &first.to_string()).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Reads months again, whatever is stored of them: the targeted repair of a difference.
pub async fn reread(work: &mut Work, months: &BTreeSet<Month>) -> Result<(), EngineError> {
    let provider = work.provider.clone();
    if reads_windows(work) {
        let mut todo = plan::windows(months, LONGEST_WINDOW);
        while let Some(window) = todo.pop() {
            match provider.ledger_window(&work.books(), window.from(), window.to()).await {
                Ok(piece) => store_window(work, window, piece, true, None).await?,
                Err(error @ ProviderError::TooLarge { .. }) => {
                    let Some((first, second)) = window.halves() else { return Err(error.into()) };
                    todo.extend([second, first]);
                }
                Err(error) => return Err(error.into()),
            }
        }
        return Ok(());
    }
    // journals: the numbers our ledger has in these months, read again in runs of neighbours; a month without any is looked for from the beginning
    let mut numbers = BTreeSet::new();
    for month in months {
        let of_month = ledger::journal_numbers_in_month(&mut work.engine.store.read().await?, &work.company.id, *month).await?;
        if of_month.is_empty() {
            numbers = (1..=work.company.journals_through).collect();
            break;
        }
        numbers.extend(of_month);
    }
    let mut read_through = 0;
    for number in numbers {
        if number <= read_through {
            continue;
        }
        let piece = provider.ledger_journals(&work.books(), number - 1).await?;
        let Some(next) = piece.next_after else { break };
        let mut tx = work.engine.store.begin_under(&work.lease).await?;
        put_journals(work, &mut tx, &piece.entries).await?;
        set_aside(work, &mut tx, piece.unbalanced, |_, bad| format!("j{:012}", bad.key.journal_number)).await?;
        set_aside_unreadable(work, &mut tx, &piece.unreadable, "journals").await?;
        work.write_progress(&mut tx).await?;
        tx.commit().await?;
        read_through = next;
    }
    Ok(())
}
