//! The ledger is the provider's own: windows of a report where changed documents touch it, or numbered journals.
use crate::error::EngineError;
use crate::sync::plan::{self, Window};
use crate::sync::run::{Work, reads_windows};
use domain::clock::Month;
use domain::data_type::DataType;
use domain::document::Unreadable;
use domain::ledger::{Basis, LedgerEntry, Unbalanced};
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
    import_on(work, Basis::Accrual).await?;
    if may_have_changed(work) {
        import_on(work, Basis::Cash).await?;
    }
    let message = LogMessage::LedgerImported { entries: work.progress.ledger_entries, months: work.progress.ledger_months };
    work.end_step("ledger", &[message]).await
}

/// Whether this run found anything: what nobody touched is on the cash basis what it was.
pub fn may_have_changed(work: &Work) -> bool {
    let counts = work.progress.total();
    let found = counts.added + counts.changed + counts.deleted + counts.quarantined + work.progress.ledger_entries > 0;
    found || is_first(work, Basis::Cash) || !work.progress.touched_months.is_empty()
}

/// Whether the ledger of a basis is read from its beginning.
fn is_first(work: &Work, basis: Basis) -> bool {
    work.run.extent == Extent::Full || work.company.journals_through(basis).is_none()
}

async fn import_on(work: &mut Work, basis: Basis) -> Result<(), EngineError> {
    if reads_windows(work) { import_windows(work, basis).await } else { import_journals(work, basis).await.map(|_| ()) }
}

/// The step of a basis: where its checkpoint is kept.
fn step(basis: Basis) -> &'static str {
    match basis {
        Basis::Accrual => "ledger",
        Basis::Cash => "ledger:cash",
    }
}

/// A piece as the list of what was set aside names it.
fn piece_name(basis: Basis, piece: &str) -> String {
    match basis {
        Basis::Accrual => piece.to_owned(),
        Basis::Cash => format!("cash {piece}"),
    }
}

async fn import_windows(work: &mut Work, basis: Basis) -> Result<(), EngineError> {
    let is_first = is_first(work, basis);
    let months: BTreeSet<Month> = match is_first {
        false => work.progress.touched_months.iter().filter_map(|text| Month::parse(text)).collect(),
        true => {
            let mut conn = work.engine.store.read().await?;
            let first = documents::first_day(&mut conn, &work.company.id).await?.unwrap_or_else(|| work.today());
            // the accrual ledger is read first and finds out where the books begin
            let known = ledger::span(&mut conn, &work.company.id, Basis::Accrual).await?.filter(|_| basis == Basis::Cash);
            let first = known.map_or(first, |(known, _)| known.min(first));
            let last = documents::last_day(&mut conn, &work.company.id).await?.unwrap_or(first).max(work.today());
            Month::of(first).through(Month::of(last)).into_iter().collect()
        }
    };
    // the checkpoint is the last month that is stored
    let after = match work.positions.get(step(basis)) {
        Some(Position::At(Checkpoint(text))) => Month::parse(text),
        _ => None,
    };
    let months: BTreeSet<Month> = months.into_iter().filter(|month| after.is_none_or(|after| *month > after)).collect();
    work.enter("Ledger", 5, Some(months.len() as u64)).await?;
    let mut todo: Vec<Window> = plan::windows(&months, LONGEST_WINDOW);
    todo.reverse();
    let mut finds_beginning = basis == Basis::Accrual && is_first && after.is_none();
    // what was too large once is too large again: later windows are asked for in the size that fitted
    let mut longest = LONGEST_WINDOW;
    while let Some(window) = todo.pop() {
        if let Some((first, second)) = window.halves().filter(|_| window.months().len() > longest) {
            todo.push(second);
            todo.push(first);
            continue;
        }
        match read_window(work, basis, window, finds_beginning).await? {
            Read::Stored => finds_beginning = false,
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
    if !is_first {
        return Ok(());
    }
    let span = ledger::span(&mut work.engine.store.read().await?, &work.company.id, Basis::Accrual).await?;
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    match (basis, span) {
        (Basis::Accrual, Some((first, _))) => companies::set_first_day(&mut tx, &work.company.id, &first.to_string()).await?,
        (Basis::Accrual, None) => {}
        // no journals here; the column says that the cash ledger is complete
        (Basis::Cash, _) => companies::set_journals_through(&mut tx, &work.company.id, Basis::Cash, 0).await?,
    }
    tx.commit().await?;
    if basis == Basis::Cash {
        work.company.cash_journals_through = Some(0);
    }
    Ok(())
}

enum Read {
    Stored,
    TooLarge(Window, Window),
    BeginsEarlier(Window),
}

async fn read_window(work: &mut Work, basis: Basis, window: Window, finds_beginning: bool) -> Result<Read, EngineError> {
    let provider = work.provider.clone();
    let piece = match provider.ledger_window(&work.books(), basis, window.from(), window.to()).await {
        // the report is as large as what was read from it, and not kept
        Ok(piece) => LedgerPiece { body: Box::default(), ..piece },
        Err(error @ ProviderError::TooLarge { .. }) => {
            let Some((first, second)) = window.halves() else { return Err(error.into()) };
            work.log(&LogMessage::WindowSplit { from: window.first.to_string(), to: window.last.to_string() }).await?;
            return Ok(Read::TooLarge(first, second));
        }
        Err(error) => return Err(error.into()),
    };
    if finds_beginning && piece.opening.values().any(|balance| !balance.is_zero()) && window.first.year > EARLIEST_YEAR {
        let last = window.first.previous();
        let first = Month { year: last.year - 1, month: last.month }.next();
        return Ok(Read::BeginsEarlier(Window { first, last }));
    }
    // whoever asks for a period again does not believe what we have of it
    let always = work.progress.again_months.as_ref().is_some_and(|(first, last)| {
        let (from, to) = (window.first.to_string(), window.last.to_string());
        from <= *last && to >= *first
    });
    store_window(work, basis, window, piece, always, Some(step(basis))).await?;
    Ok(Read::Stored)
}

/// Stores the months of a window, one transaction. `always` rewrites months that look unchanged: a repair, or somebody's wish.
async fn store_window(
    work: &mut Work,
    basis: Basis,
    window: Window,
    piece: LedgerPiece,
    always: bool,
    step: Option<&str>,
) -> Result<(), EngineError> {
    let mut by_month: BTreeMap<Month, Vec<LedgerEntry>> = window.months().into_iter().map(|month| (month, Vec::new())).collect();
    for entry in piece.entries {
        by_month.entry(Month::of(entry.date())).or_default().push(entry);
    }
    let now_ms = work.engine.now_ms();
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    for (month, entries) in &mut by_month {
        // the report's order inside a month is not part of what it says
        entries.sort_by(|a, b| (a.date(), a.key()).cmp(&(b.date(), b.key())));
        let changed = ledger::replace_month(&mut tx, &work.company.id, basis, *month, entries, &hash(entries), always, now_ms).await?;
        if basis == Basis::Cash {
            work.progress.cash_months.insert(month.to_string());
        } else if changed || always {
            work.progress.ledger_months += 1;
            work.progress.ledger_entries += entries.len() as u64;
        }
        quarantine::release_ledger_piece(&mut tx, &work.company.id, &piece_name(basis, &month.to_string())).await?;
    }
    set_aside(work, &mut tx, piece.unbalanced, |date, _| piece_name(basis, &Month::of(date).to_string())).await?;
    set_aside_unreadable(work, &mut tx, &piece.unreadable, &piece_name(basis, &window.last.to_string())).await?;
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
async fn put_journals(work: &Work, tx: &mut Tx, basis: Basis, entries: &[LedgerEntry]) -> Result<(), EngineError> {
    ledger::put_journals(tx, &work.company.id, basis, entries).await?;
    if !work.had_quarantine {
        return Ok(());
    }
    let read_well: BTreeSet<i64> = entries.iter().map(|entry| entry.key().journal_number).collect();
    let aside = quarantine::list(tx, &work.company.id, i64::MAX).await?;
    let released: Vec<&str> = aside
        .iter()
        .filter(|item| item.data_type == DataType::Ledger.as_str())
        .map(|item| item.remote_id.as_str())
        .filter(|id| journal_number(basis, id).is_some_and(|number| read_well.contains(&number)))
        .collect();
    quarantine::release(tx, &work.company.id, DataType::Ledger.as_str(), &released).await?;
    Ok(())
}

/// The journal of an item that was set aside: `j000000000098:CASHREC 9326…` when it does not balance, `journals:98` when it could not be read.
fn journal_number(basis: Basis, id: &str) -> Option<i64> {
    let (piece, rest) = id.split_once(':')?;
    let piece = match (basis, piece.strip_prefix("cash ")) {
        (Basis::Accrual, None) => piece,
        (Basis::Cash, Some(piece)) => piece,
        _ => return None,
    };
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

/// Reads the journals after the last one that is stored; says whether there were any.
pub async fn import_journals(work: &mut Work, basis: Basis) -> Result<bool, EngineError> {
    let provider = work.provider.clone();
    let through = work.company.journals_through(basis).unwrap_or(0);
    let mut after = match work.positions.get(step(basis)) {
        Some(Position::At(Checkpoint(text))) => text.parse().unwrap_or(0),
        _ if work.run.extent == Extent::Full => 0,
        _ => through,
    };
    let mut months = BTreeSet::new();
    let mut found = false;
    loop {
        let piece = provider.ledger_journals(&work.books(), basis, after).await?;
        let Some(next) = piece.next_after else { break };
        found = true;
        let now_ms = work.engine.now_ms();
        months.extend(piece.entries.iter().map(|entry| Month::of(entry.date()).to_string()));
        let mut tx = work.engine.store.begin_under(&work.lease).await?;
        put_journals(work, &mut tx, basis, &piece.entries).await?;
        if basis == Basis::Accrual {
            let sources = piece.entries.iter().map(|entry| entry.key().source_type.as_str());
            work.progress.implied.extend(sources.filter(|_| work.run.extent == Extent::Changes).filter_map(|source| provider.implied_by(source)));
            work.progress.ledger_entries += piece.entries.len() as u64;
            work.progress.ledger_months = work.progress.ledger_months.max(months.len() as u64);
            work.progress.touched_months.extend(months.iter().cloned());
        } else {
            work.progress.cash_months.extend(months.iter().cloned());
        }
        set_aside(work, &mut tx, piece.unbalanced, |_, bad| piece_name(basis, &format!("j{:012}", bad.key.journal_number))).await?;
        set_aside_unreadable(work, &mut tx, &piece.unreadable, &piece_name(basis, "journals")).await?;
        work.progress.done += piece.entries.len() as u64;
        let position = Position::At(Checkpoint(next.to_string()));
        checkpoints::set(&mut tx, &work.run.id, step(basis), &position, now_ms).await?;
        work.write_progress(&mut tx).await?;
        tx.commit().await?;
        work.positions.insert(step(basis).into(), position);
        work.engine.changed(&work.company.organization_id, Some(&work.company.id));
        after = next;
    }
    // until here the checkpoint says how far the journals are stored
    let through = after.max(through);
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    companies::set_journals_through(&mut tx, &work.company.id, basis, through).await?;
    if basis == Basis::Accrual
        && let Some((first, _)) = ledger::span(&mut tx, &work.company.id, Basis::Accrual).await?
    {
        companies::set_first_day(&mut tx, &work.company.id, &first.to_string()).await?;
    }
    tx.commit().await?;
    match basis {
        Basis::Accrual => work.company.journals_through = through,
        Basis::Cash => work.company.cash_journals_through = Some(through),
    }
    Ok(found)
}

/// Reads months again, whatever is stored of them: the targeted repair of a difference.
pub async fn reread(work: &mut Work, basis: Basis, months: &BTreeSet<Month>) -> Result<(), EngineError> {
    let provider = work.provider.clone();
    if reads_windows(work) {
        let mut todo = plan::windows(months, LONGEST_WINDOW);
        while let Some(window) = todo.pop() {
            match provider.ledger_window(&work.books(), basis, window.from(), window.to()).await {
                Ok(piece) => store_window(work, basis, window, piece, true, None).await?,
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
    let through = work.company.journals_through(basis).unwrap_or(0);
    let mut numbers = BTreeSet::new();
    for month in months {
        let of_month = ledger::journal_numbers_in_month(&mut work.engine.store.read().await?, &work.company.id, basis, *month).await?;
        if of_month.is_empty() {
            numbers = (1..=through).collect();
            break;
        }
        numbers.extend(of_month);
    }
    let mut read_through = 0;
    for number in numbers {
        if number <= read_through {
            continue;
        }
        let piece = provider.ledger_journals(&work.books(), basis, number - 1).await?;
        let Some(next) = piece.next_after else { break };
        let mut tx = work.engine.store.begin_under(&work.lease).await?;
        put_journals(work, &mut tx, basis, &piece.entries).await?;
        set_aside(work, &mut tx, piece.unbalanced, |_, bad| piece_name(basis, &format!("j{:012}", bad.key.journal_number))).await?;
        set_aside_unreadable(work, &mut tx, &piece.unreadable, &piece_name(basis, "journals")).await?;
        work.write_progress(&mut tx).await?;
        tx.commit().await?;
        read_through = next;
    }
    Ok(())
}
