//! The current state of every record, in neutral words.
use crate::args;
use crate::columns::{day, instant, word};
use crate::db::{Arg, Conn, Row, Tx};
use crate::error::StoreError;
use domain::data_type::DataType;
use domain::document::Document;
use domain::ids::{CompanyId, RunId};
use domain::money::Amount;
use domain::record::RecordState;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Ids in one statement. SQLite looks each `$1` up by its name among all before it, so long lists cost more than several short ones.
const IDS_AT_ONCE: usize = 100;

/// What is known of a record before a chunk is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub hash: Vec<u8>,
    pub state: RecordState,
    pub day: Option<jiff::civil::Date>,
}

/// Which of these records are known, and in which version.
pub async fn find_known(conn: &mut Conn, company_id: &CompanyId, data_type: DataType, ids: &[&str]) -> Result<BTreeMap<String, Known>, StoreError> {
    let mut known = BTreeMap::new();
    for part in ids.chunks(IDS_AT_ONCE) {
        let marks: Vec<String> = (0..part.len()).map(|at| format!("${}", at + 3)).collect();
        let sql = format!(
            "SELECT remote_id, raw_hash, state, day FROM documents WHERE company_id = $1 AND data_type = $2 AND remote_id IN ({})",
            marks.join(",")
        );
        let mut values = args![company_id, data_type.as_str()];
        values.extend(part.iter().map(|id| Arg::from(*id)));
        for row in conn.query_assembled(sql, values).await? {
            let known_day = row.opt_text(3)?.as_deref().map(day).transpose()?;
            known.insert(row.text(0)?, Known { hash: row.bytes(1)?, state: word(&row, 2, RecordState::parse)?, day: known_day });
        }
    }
    Ok(known)
}

/// Writes the new current state of records. What was current before stays in the archive.
pub async fn supersede(
    conn: &mut Tx,
    company_id: &CompanyId,
    documents: &[(&Document, [u8; 32])],
    listed_by: Option<&RunId>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut values = Vec::with_capacity(documents.len() * 14);
    for (document, hash) in documents {
        values.push(Arg::from(company_id));
        values.push(Arg::from(document.data_type.as_str()));
        values.push(Arg::from(document.id.as_str()));
        values.push(Arg::from(document.state.as_str()));
        values.push(Arg::from(&hash[..]));
        values.push(Arg::from(document.date.map(|date| date.to_string())));
        values.push(Arg::from(document.number.clone()));
        values.push(Arg::from(document.name.clone()));
        values.push(Arg::from(document.contact_id.clone()));
        values.push(Arg::from(document.currency.clone()));
        values.push(Arg::from(document.total.map(|total| total.0)));
        values.push(Arg::from(document.updated_at.map(|at| at.as_millisecond())));
        values.push(Arg::from(now_ms));
        values.push(Arg::from(listed_by.map(|run| run.as_str())));
    }
    conn.insert_rows(
        "INSERT INTO documents (company_id, data_type, remote_id, state, raw_hash, day, number, name, contact_id, currency, total, updated_at, noticed_at, listed_run_id)",
        14,
        values,
        "ON CONFLICT (company_id, data_type, remote_id) DO UPDATE SET state = excluded.state, raw_hash = excluded.raw_hash, day = excluded.day,
         number = excluded.number, name = excluded.name, contact_id = excluded.contact_id, currency = excluded.currency, total = excluded.total,
         updated_at = excluded.updated_at, noticed_at = CASE WHEN documents.state = excluded.state THEN documents.noticed_at ELSE excluded.noticed_at END,
         listed_run_id = COALESCE(excluded.listed_run_id, documents.listed_run_id)",
    )
    .await?;
    Ok(())
}

/// Other ids by which the ledger names documents.
pub async fn put_aliases(conn: &mut Tx, company_id: &CompanyId, data_type: DataType, aliases: &[(String, &str)]) -> Result<(), StoreError> {
    let values = aliases
        .iter()
        .flat_map(|(alias, id)| [Arg::from(company_id), Arg::from(alias.as_str()), Arg::from(data_type.as_str()), Arg::from(*id)])
        .collect();
    conn.insert_rows(
        "INSERT INTO document_aliases (company_id, alias, data_type, remote_id)",
        4,
        values,
        "ON CONFLICT (company_id, alias) DO UPDATE SET data_type = excluded.data_type, remote_id = excluded.remote_id",
    )
    .await?;
    Ok(())
}

/// Notes that a complete listing saw these unchanged records.
pub async fn mark_listed(conn: &mut Tx, company_id: &CompanyId, data_type: DataType, ids: &[&str], run_id: &RunId) -> Result<(), StoreError> {
    for part in ids.chunks(IDS_AT_ONCE) {
        let marks: Vec<String> = (0..part.len()).map(|at| format!("${}", at + 4)).collect();
        let sql = format!(
            "UPDATE documents SET listed_run_id = $3 WHERE company_id = $1 AND data_type = $2 AND remote_id IN ({}) RETURNING remote_id",
            marks.join(",")
        );
        let mut values = args![company_id, data_type.as_str(), run_id];
        values.extend(part.iter().map(|id| Arg::from(*id)));
        conn.query_assembled(sql, values).await?;
    }
    Ok(())
}

/// How many records of a data type a run has listed, in whatever state.
pub async fn count_listed(conn: &mut Conn, company_id: &CompanyId, data_type: DataType, run_id: &RunId) -> Result<i64, StoreError> {
    conn.query_one(
        "SELECT COUNT(*) FROM documents WHERE company_id = $1 AND data_type = $2 AND listed_run_id = $3",
        args![company_id, data_type.as_str(), run_id],
    )
    .await?
    .int(0)
}

/// Records that are not deleted and that the complete listing of `run_id` did not see, a page at a time in order of id.
pub async fn list_unlisted(
    conn: &mut Conn,
    company_id: &CompanyId,
    data_type: DataType,
    run_id: &RunId,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    conn.query(
        "SELECT remote_id FROM documents
         WHERE company_id = $1 AND data_type = $2 AND state <> 'deleted' AND remote_id > $4 AND (listed_run_id IS NULL OR listed_run_id <> $3)
         ORDER BY remote_id LIMIT $5",
        args![company_id, data_type.as_str(), run_id, after, limit],
    )
    .await?
    .iter()
    .map(|row| row.text(0))
    .collect()
}

/// Marks records as deleted and keeps their last content; answers id and day of those that were not deleted before.
pub async fn mark_deleted(
    conn: &mut Tx,
    company_id: &CompanyId,
    data_type: DataType,
    ids: &[&str],
    now_ms: i64,
) -> Result<Vec<(String, Option<jiff::civil::Date>)>, StoreError> {
    let mut marked = Vec::new();
    for part in ids.chunks(IDS_AT_ONCE) {
        let marks: Vec<String> = (0..part.len()).map(|at| format!("${}", at + 4)).collect();
        let sql = format!(
            "UPDATE documents SET state = 'deleted', noticed_at = $3 WHERE company_id = $1 AND data_type = $2 AND state <> 'deleted'
             AND remote_id IN ({}) RETURNING remote_id, day",
            marks.join(",")
        );
        let mut values = args![company_id, data_type.as_str(), now_ms];
        values.extend(part.iter().map(|id| Arg::from(*id)));
        for row in conn.query_assembled(sql, values).await? {
            marked.push((row.text(0)?, row.opt_text(1)?.as_deref().map(day).transpose()?));
        }
    }
    Ok(marked)
}

/// Type and number of transactions by id, whatever their type.
pub async fn find_numbers(conn: &mut Conn, company_id: &CompanyId, ids: &[&str]) -> Result<BTreeMap<String, (DataType, String)>, StoreError> {
    let mut found = BTreeMap::new();
    for part in ids.chunks(200) {
        let marks: Vec<String> = (0..part.len()).map(|at| format!("${}", at + 2)).collect();
        let sql = format!(
            "SELECT remote_id, data_type, number FROM documents WHERE company_id = $1 AND day IS NOT NULL AND remote_id IN ({})",
            marks.join(",")
        );
        let mut values = args![company_id];
        values.extend(part.iter().map(|id| Arg::from(*id)));
        for row in conn.query_assembled(sql, values).await? {
            let text = row.text(1)?;
            let data_type = text.parse().map_err(|_| StoreError::Unreadable(format!("data type `{text}`")))?;
            found.insert(row.text(0)?, (data_type, row.opt_text(2)?.unwrap_or_default()));
        }
    }
    Ok(found)
}

/// How many records of each data type are there: (all that are not deleted, deleted ones kept, oldest day, newest day).
#[derive(Clone, Debug)]
pub struct TypeCount {
    pub data_type: DataType,
    pub live: i64,
    pub deleted: i64,
    pub oldest: Option<String>,
    pub newest: Option<String>,
}

pub async fn count_by_type(conn: &mut Conn, company_id: &CompanyId) -> Result<Vec<TypeCount>, StoreError> {
    conn.query(
        "SELECT data_type, CAST(SUM(CASE WHEN state = 'deleted' THEN 0 ELSE 1 END) AS BIGINT),
                CAST(SUM(CASE WHEN state = 'deleted' THEN 1 ELSE 0 END) AS BIGINT), MIN(day), MAX(day)
         FROM documents WHERE company_id = $1 GROUP BY data_type ORDER BY data_type",
        args![company_id],
    )
    .await?
    .iter()
    .map(|row| {
        let text = row.text(0)?;
        Ok(TypeCount {
            data_type: text.parse().map_err(|_| StoreError::Unreadable(format!("data type `{text}`")))?,
            live: row.int(1)?,
            deleted: row.int(2)?,
            oldest: row.opt_text(3)?,
            newest: row.opt_text(4)?,
        })
    })
    .collect()
}

/// The earliest accounting day of any record.
pub async fn first_day(conn: &mut Conn, company_id: &CompanyId) -> Result<Option<jiff::civil::Date>, StoreError> {
    conn.query_one("SELECT MIN(day) FROM documents WHERE company_id = $1", args![company_id]).await?.opt_text(0)?.as_deref().map(day).transpose()
}

/// The latest accounting day of any record that still exists.
pub async fn last_day(conn: &mut Conn, company_id: &CompanyId) -> Result<Option<jiff::civil::Date>, StoreError> {
    conn.query_one("SELECT MAX(day) FROM documents WHERE company_id = $1 AND state <> 'deleted'", args![company_id])
        .await?
        .opt_text(0)?
        .as_deref()
        .map(day)
        .transpose()
}

/// One record of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub data_type: DataType,
    pub remote_id: String,
    pub state: RecordState,
    pub day: Option<jiff::civil::Date>,
    pub number: Option<String>,
    pub total: Option<Amount>,
    pub updated_at: Option<jiff::Timestamp>,
    pub noticed_at: i64,
    pub raw_hash: Vec<u8>,
}

fn listed(row: &Row, data_type: DataType) -> Result<Listed, StoreError> {
    Ok(Listed {
        data_type,
        remote_id: row.text(0)?,
        state: word(row, 1, RecordState::parse)?,
        day: row.opt_text(2)?.as_deref().map(day).transpose()?,
        number: row.opt_text(3)?,
        total: row.opt_int(4)?.map(Amount),
        updated_at: row.opt_int(5)?.map(instant).transpose()?,
        noticed_at: row.int(6)?,
        raw_hash: row.bytes(7)?,
    })
}

/// Records of one data type in order of id, a page at a time: `after` is the last id of the page before, or empty.
pub async fn list(conn: &mut Conn, company_id: &CompanyId, data_type: DataType, after: &str, limit: i64) -> Result<Vec<Listed>, StoreError> {
    conn.query(
        "SELECT remote_id, state, day, number, total, updated_at, noticed_at, raw_hash FROM documents
         WHERE company_id = $1 AND data_type = $2 AND remote_id > $3 ORDER BY remote_id LIMIT $4",
        args![company_id, data_type.as_str(), after, limit],
    )
    .await?
    .iter()
    .map(|row| listed(row, data_type))
    .collect()
}

pub async fn find(conn: &mut Conn, company_id: &CompanyId, data_type: DataType, remote_id: &str) -> Result<Option<Listed>, StoreError> {
    conn.query_opt(
        "SELECT remote_id, state, day, number, total, updated_at, noticed_at, raw_hash FROM documents
         WHERE company_id = $1 AND data_type = $2 AND remote_id = $3",
        args![company_id, data_type.as_str(), remote_id],
    )
    .await?
    .map(|row| listed(&row, data_type))
    .transpose()
}

/// Feeds every current record (type, id, state, content) into a hash, in a fixed order.
pub async fn hash_content(conn: &mut Conn, company_id: &CompanyId, hasher: &mut Sha256) -> Result<(), StoreError> {
    let mut types: Vec<&DataType> = DataType::ALL.iter().collect();
    types.sort_by_key(|data_type| data_type.as_str());
    for data_type in types {
        let mut after = String::new();
        loop {
            let page = list(conn, company_id, *data_type, &after, 5_000).await?;
            for record in &page {
                hasher.update(record.data_type.as_str());
                hasher.update([0]);
                hasher.update(&record.remote_id);
                hasher.update([0]);
                hasher.update(record.state.as_str());
                hasher.update(&record.raw_hash);
            }
            match page.last() {
                Some(last) => after = last.remote_id.clone(),
                None => break,
            }
        }
    }
    Ok(())
}
