//! How a provider answered, minute by minute: the numbers of the health panel. Several nodes add to the same minute.
use crate::args;
use crate::db::{Arg, Conn, Row, Tx};
use crate::error::StoreError;
use domain::ids::OrganizationId;

/// Longest times of the classes, in milliseconds; a last class holds what took longer.
pub const WITHIN_MS: [u64; 7] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000];
pub const CLASSES: usize = WITHIN_MS.len() + 1;
pub const MINUTE_MS: i64 = 60_000;

/// Calls of some time, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub calls: i64,
    /// Without an answer, or answered with an error of the provider's own.
    pub failed: i64,
    /// Refused because of a limit.
    pub limited: i64,
    pub slowest_ms: i64,
    /// By how long they took, in the classes of `WITHIN_MS`.
    pub took: [i64; CLASSES],
}

impl Tally {
    pub fn add(&mut self, other: &Tally) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.limited += other.limited;
        self.slowest_ms = self.slowest_ms.max(other.slowest_ms);
        for (sum, more) in self.took.iter_mut().zip(other.took) {
            *sum += more;
        }
    }
}

/// Calls of one organization at one provider in one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minute {
    pub provider: String,
    /// Minutes since 1970.
    pub minute: i64,
    pub tally: Tally,
}

const COLUMNS: &str = "provider, minute, calls, failed, limited, slowest_ms, took_1, took_2, took_3, took_4, took_5, took_6, took_7, took_8";

/// Adds to what is known of a minute.
pub async fn add(conn: &mut Tx, organization_id: &OrganizationId, minute: &Minute) -> Result<(), StoreError> {
    let Tally { calls, failed, limited, slowest_ms, took } = minute.tally;
    let mut values = args![organization_id, minute.provider.as_str(), minute.minute, calls, failed, limited, slowest_ms];
    values.extend(took.into_iter().map(Arg::from));
    conn.execute(
        "INSERT INTO provider_calls (organization_id, provider, minute, calls, failed, limited, slowest_ms,
                                     took_1, took_2, took_3, took_4, took_5, took_6, took_7, took_8)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (organization_id, provider, minute) DO UPDATE SET
            calls = provider_calls.calls + excluded.calls, failed = provider_calls.failed + excluded.failed,
            limited = provider_calls.limited + excluded.limited,
            slowest_ms = CASE WHEN excluded.slowest_ms > provider_calls.slowest_ms THEN excluded.slowest_ms ELSE provider_calls.slowest_ms END,
            took_1 = provider_calls.took_1 + excluded.took_1, took_2 = provider_calls.took_2 + excluded.took_2,
            took_3 = provider_calls.took_3 + excluded.took_3, took_4 = provider_calls.took_4 + excluded.took_4,
            took_5 = provider_calls.took_5 + excluded.took_5, took_6 = provider_calls.took_6 + excluded.took_6,
            took_7 = provider_calls.took_7 + excluded.took_7, took_8 = provider_calls.took_8 + excluded.took_8",
        values,
    )
    .await?;
    Ok(())
}

fn read(row: &Row) -> Result<Minute, StoreError> {
    let mut took = [0; CLASSES];
    for (at, class) in took.iter_mut().enumerate() {
        *class = row.int(6 + at)?;
    }
    let tally = Tally { calls: row.int(2)?, failed: row.int(3)?, limited: row.int(4)?, slowest_ms: row.int(5)?, took };
    Ok(Minute { provider: row.text(0)?, minute: row.int(1)?, tally })
}

/// The minutes of an organization from this one on, in their order.
pub async fn list(conn: &mut Conn, organization_id: &OrganizationId, from_minute: i64) -> Result<Vec<Minute>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM provider_calls WHERE organization_id = $1 AND minute >= $2 ORDER BY provider, minute");
    conn.query_assembled(sql, args![organization_id, from_minute]).await?.iter().map(read).collect()
}

pub async fn has_older(conn: &mut Conn, before_minute: i64) -> Result<bool, StoreError> {
    Ok(conn.query_opt("SELECT minute FROM provider_calls WHERE minute < $1 LIMIT 1", args![before_minute]).await?.is_some())
}

/// Removes what is older; how many minutes.
pub async fn prune(conn: &mut Tx, before_minute: i64) -> Result<u64, StoreError> {
    conn.execute("DELETE FROM provider_calls WHERE minute < $1", args![before_minute]).await
}
