//! Finds the deleted: what a complete listing did not see is asked for by id before it is believed gone.
use super::run::Work;
use crate::error::EngineError;
use crate::logbook;
use domain::clock::Month;
use domain::data_type::DataType;
use domain::log::LogMessage;
use std::collections::BTreeSet;
use store::documents;

/// Marks what is gone, after the listing of `data_type` by this run is complete; how many.
pub async fn sweep(work: &mut Work, data_type: DataType) -> Result<u64, EngineError> {
    let mut gone = 0;
    let mut after = String::new();
    loop {
        let missing = documents::list_unlisted(&mut work.engine.store.read().await?, &work.company.id, data_type, &work.run.id, &after, 200).await?;
        let Some(last) = missing.last() else { break };
        after = last.clone();
        // a record that moved while the pages were read may have been missed: the provider says which still exist
        let existing: BTreeSet<String> =
            work.provider.clone().existing(&work.books(), data_type, &missing).await?.unwrap_or_default().into_iter().collect();
        let deleted: Vec<&str> = missing.iter().map(String::as_str).filter(|id| !existing.contains(*id)).collect();
        let now_ms = work.engine.now_ms();
        let mut tx = work.engine.store.begin_under(&work.lease).await?;
        let marked = documents::mark_deleted(&mut tx, &work.company.id, data_type, &deleted, now_ms).await?;
        gone += marked.len() as u64;
        work.progress.counts.entry(data_type).or_default().deleted += marked.len() as u64;
        for (_, day) in &marked {
            work.progress.touched_months.extend(day.map(|day| Month::of(day).to_string()));
        }
        work.write_progress(&mut tx).await?;
        tx.commit().await?;
    }
    if gone > 0 {
        let now_ms = work.engine.now_ms();
        let mut tx = work.engine.store.begin_under(&work.lease).await?;
        let message = LogMessage::DeletionsNoticed { data_type, count: gone };
        logbook::about_company(&mut tx, &work.company, Some(&work.run.id), &message, work.attempt(), now_ms).await?;
        tx.commit().await?;
    }
    Ok(gone)
}
