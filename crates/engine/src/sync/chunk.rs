//! One chunk, one transaction: records as received, what is made of them, the checkpoint, the log.
use super::run::Work;
use crate::error::EngineError;
use crate::logbook;
use domain::data_type::DataType;
use domain::document::{Document, Unreadable};
use domain::log::LogMessage;
use domain::record::{RawRecord, RecordState};
use domain::sync::Counts;
use jiff::civil::Date;
use providers::provider::LedgerSource;
use std::collections::BTreeMap;
use store::checkpoints::{self, Position};
use store::documents::Known;
use store::raw_records::Version;
use store::{accounts, documents, quarantine, raw_records, runs};

/// The records of one answer, and where the next begins.
pub struct Arrived<'a> {
    pub records: Vec<RawRecord>,
    pub unreadable: Vec<Unreadable>,
    /// The step that is done or further on with this chunk.
    pub step: &'a str,
    pub position: Position,
    /// The data types of which this chunk is part of a complete listing.
    pub listed: &'a [DataType],
}

/// Writes one chunk under the lease. A crash before the commit repeats the chunk and changes nothing.
pub async fn write(work: &mut Work, arrived: Arrived<'_>) -> Result<(), EngineError> {
    let now_ms = work.engine.now_ms();
    let mut by_type: BTreeMap<DataType, Vec<&RawRecord>> = BTreeMap::new();
    for record in &arrived.records {
        by_type.entry(record.data_type).or_default().push(record);
    }
    let mut sorted = Vec::with_capacity(by_type.len());
    {
        let mut conn = work.engine.store.read().await?;
        for (data_type, records) in by_type {
            let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
            let known = documents::find_known(&mut conn, &work.company.id, data_type, &ids).await?;
            sorted.push(sort(work, data_type, records, &known));
        }
    }
    let mut unreadable: BTreeMap<DataType, Vec<(Unreadable, Option<&str>)>> = BTreeMap::new();
    for bad in arrived.unreadable {
        unreadable.entry(bad.data_type).or_default().push((bad, None));
    }

    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    for part in &mut sorted {
        let data_type = part.data_type;
        let versions: Vec<Version<'_>> =
            part.written.iter().map(|(document, hash, body)| Version { data_type, remote_id: &document.id, hash, body }).collect();
        raw_records::archive(&mut tx, &mut work.archiver, &work.company.id, &versions, now_ms).await?;
        let listed_by = arrived.listed.contains(&data_type).then_some(&work.run.id);
        let current: Vec<(&Document, [u8; 32])> = part.written.iter().map(|(document, hash, _)| (document, *hash)).collect();
        documents::supersede(&mut tx, &work.company.id, &current, listed_by, now_ms).await?;
        let aliases: Vec<(String, &str)> = part
            .written
            .iter()
            .flat_map(|(document, _, body)| work.provider.also_known_as(data_type, body).into_iter().map(|alias| (alias, document.id.as_str())))
            .collect();
        documents::put_aliases(&mut tx, &work.company.id, data_type, &aliases).await?;
        if data_type == DataType::Account {
            let accounts: Vec<&Document> = part.written.iter().map(|(document, _, _)| document).collect();
            accounts::supersede(&mut tx, &work.company.id, &accounts).await?;
        }
        if listed_by.is_some() {
            documents::mark_listed(&mut tx, &work.company.id, data_type, &part.unchanged, &work.run.id).await?;
        }
        for (id, day) in documents::mark_deleted(&mut tx, &work.company.id, data_type, &part.deleted, now_ms).await? {
            part.counts.deleted += 1;
            tracing::debug!(data_type = %data_type, record.id = id, "deleted at the provider");
            part.touched.extend(day);
        }
        let read_well: Vec<&str> = part.written.iter().map(|(document, _, _)| document.id.as_str()).collect();
        if part.may_be_quarantined {
            quarantine::release(&mut tx, &work.company.id, data_type.as_str(), &read_well).await?;
        }
        for (bad, body) in part.unreadable.drain(..) {
            unreadable.entry(data_type).or_default().push((bad, Some(body)));
        }
        let counts = work.progress.counts.entry(data_type).or_default();
        counts.add(part.counts);
        work.progress.done += part.counts.fetched;
        if work.provider.profile().ledger == LedgerSource::Windows {
            work.progress.touched_months.extend(part.touched.iter().map(|day| domain::clock::Month::of(*day).to_string()));
        }
    }
    for (data_type, bad) in &unreadable {
        let items: Vec<(&str, &str, &str, Vec<u8>)> = bad
            .iter()
            .map(|(bad, body)| (data_type.as_str(), bad.id.as_str(), bad.reason.as_str(), work.archiver.compress(body.unwrap_or_default())))
            .collect();
        quarantine::insert(&mut tx, &work.company.id, &items, now_ms).await?;
        work.progress.counts.entry(*data_type).or_default().quarantined += bad.len() as u64;
        let message = LogMessage::RecordsQuarantined {
            data_type: *data_type,
            ids: bad.iter().map(|(bad, _)| bad.id.clone()).collect(),
            reason: bad.first().map(|(bad, _)| bad.reason.clone()).unwrap_or_default(),
        };
        logbook::about_company(&mut tx, &work.company, Some(&work.run.id), &message, work.attempt(), now_ms).await?;
    }
    checkpoints::set(&mut tx, &work.run.id, arrived.step, &arrived.position, now_ms).await?;
    let (calls, bytes) = work.meter();
    runs::progress(&mut tx, &work.lease, &work.progress.step, &work.progress.to_text(), calls, bytes).await?;
    tx.commit().await?;
    work.positions.insert(arrived.step.to_owned(), arrived.position);
    work.gate.note_stored();
    work.engine.changed(&work.company.organization_id, Some(&work.company.id));
    Ok(())
}

/// The records of one data type, by what is to be done with them.
struct Sorted<'a> {
    data_type: DataType,
    written: Vec<(Document, [u8; 32], &'a str)>,
    unchanged: Vec<&'a str>,
    deleted: Vec<&'a str>,
    unreadable: Vec<(Unreadable, &'a str)>,
    counts: Counts,
    /// Accounting days whose ledger may differ now: of the old version and of the new.
    touched: Vec<Date>,
    may_be_quarantined: bool,
}

fn sort<'a>(work: &Work, data_type: DataType, records: Vec<&'a RawRecord>, known: &BTreeMap<String, Known>) -> Sorted<'a> {
    let mut sorted = Sorted {
        data_type,
        written: Vec::new(),
        unchanged: Vec::new(),
        deleted: Vec::new(),
        unreadable: Vec::new(),
        counts: Counts::default(),
        touched: Vec::new(),
        may_be_quarantined: work.had_quarantine,
    };
    // a page may hold the same record twice when it moved while the pages were read: the later one counts
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        last.insert(&record.id, at);
    }
    for (at, record) in records.iter().enumerate() {
        if last[record.id.as_str()] != at {
            continue;
        }
        sorted.counts.fetched += 1;
        if record.deleted {
            sorted.deleted.push(&record.id);
            continue;
        }
        let before = known.get(&record.id);
        let hash = record.hash();
        if before.is_some_and(|before| before.hash == hash && before.state != RecordState::Deleted) {
            sorted.counts.unchanged += 1;
            sorted.unchanged.push(&record.id);
            continue;
        }
        match work.provider.normalize(record) {
            Err(bad) => sorted.unreadable.push((bad, &record.body)),
            Ok(document) => {
                if before.is_some_and(|before| before.hash == hash && before.state == document.state) {
                    sorted.counts.unchanged += 1;
                    sorted.unchanged.push(&record.id);
                    continue;
                }
                sorted.touched.extend(before.and_then(|before| before.day));
                sorted.touched.extend(document.date);
                match before {
                    None => sorted.counts.added += 1,
                    Some(before) if before.state != RecordState::Deleted && document.state == RecordState::Deleted => sorted.counts.deleted += 1,
                    Some(_) => sorted.counts.changed += 1,
                }
                sorted.written.push((document, hash, &record.body));
            }
        }
    }
    sorted
}
