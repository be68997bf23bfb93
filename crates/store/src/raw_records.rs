//! Every version of every record the provider sent, addressed by its content.
use crate::args;
use crate::db::{Arg, Conn, Tx};
use crate::error::StoreError;
use domain::data_type::DataType;
use domain::ids::CompanyId;

/// Compresses bodies; one per worker, because the context is worth keeping.
pub struct Archiver(zstd::bulk::Compressor<'static>);

impl Default for Archiver {
    fn default() -> Self {
        Archiver(zstd::bulk::Compressor::new(1).expect("zstd knows level 1"))
    }
}

impl Archiver {
    pub fn compress(&mut self, body: &str) -> Vec<u8> {
        self.0.compress(body.as_bytes()).expect("zstd compresses anything that fits in memory")
    }
}

/// Reads a body back. `None` when it is damaged.
pub fn decompress(body: &[u8]) -> Option<String> {
    String::from_utf8(zstd::stream::decode_all(body).ok()?).ok()
}

/// One version to keep.
pub struct Version<'a> {
    pub data_type: DataType,
    pub remote_id: &'a str,
    pub hash: &'a [u8; 32],
    pub body: &'a str,
}

/// Keeps versions; one that is kept already is left alone.
pub async fn archive(
    conn: &mut Tx,
    archiver: &mut Archiver,
    company_id: &CompanyId,
    versions: &[Version<'_>],
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut values = Vec::with_capacity(versions.len() * 6);
    for version in versions {
        values.push(Arg::from(company_id));
        values.push(Arg::from(version.data_type.as_str()));
        values.push(Arg::from(version.remote_id));
        values.push(Arg::from(&version.hash[..]));
        values.push(Arg::from(archiver.compress(version.body)));
        values.push(Arg::from(now_ms));
    }
    conn.insert_rows("INSERT INTO raw_records (company_id, data_type, remote_id, hash, body, seen_at)", 6, values, "ON CONFLICT DO NOTHING").await?;
    Ok(())
}

/// The body of the current version of a record.
pub async fn find_current(conn: &mut Conn, company_id: &CompanyId, data_type: DataType, remote_id: &str) -> Result<Option<String>, StoreError> {
    let row = conn
        .query_opt(
            "SELECT raw_records.body FROM documents
             JOIN raw_records ON raw_records.company_id = documents.company_id AND raw_records.data_type = documents.data_type
                             AND raw_records.remote_id = documents.remote_id AND raw_records.hash = documents.raw_hash
             WHERE documents.company_id = $1 AND documents.data_type = $2 AND documents.remote_id = $3",
            args![company_id, data_type.as_str(), remote_id],
        )
        .await?;
    row.map(|row| decompress(&row.bytes(0)?).ok_or_else(|| StoreError::Unreadable(format!("the archived body of {data_type} {remote_id}"))))
        .transpose()
}

/// How many versions of a record are kept.
pub async fn count_versions(conn: &mut Conn, company_id: &CompanyId, data_type: DataType, remote_id: &str) -> Result<i64, StoreError> {
    conn.query_one(
        "SELECT COUNT(*) FROM raw_records WHERE company_id = $1 AND data_type = $2 AND remote_id = $3",
        args![company_id, data_type.as_str(), remote_id],
    )
    .await?
    .int(0)
}
