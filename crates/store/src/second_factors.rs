//! The second factor of a person: the seed an authenticator app knows too, sealed, and recovery codes, as keyed hashes.
use crate::args;
use crate::db::{Arg, Conn, Store, Tx};
use crate::error::StoreError;
use domain::ids::{OrganizationId, UserId};

const SEED: &str = "second_factors.seed";

/// With its seed opened: it has no Debug.
pub struct SecondFactor {
    pub seed: Vec<u8>,
    pub begun_at: i64,
    /// `None` until the first right code: until then nothing asks for one.
    pub confirmed_at: Option<i64>,
    /// The half minute whose code was taken last.
    pub last_step: i64,
}

/// Keeps a new seed in place of one that was never confirmed. False when a confirmed one is there: it is turned off first.
pub async fn begin(store: &Store, conn: &mut Tx, user_id: &UserId, seed: &[u8], now_ms: i64) -> Result<bool, StoreError> {
    let sealed = store.sealer.seal(SEED, user_id.as_str(), seed);
    let written = conn
        .execute(
            "INSERT INTO second_factors (user_id, seed, begun_at, confirmed_at, last_step) VALUES ($1, $2, $3, NULL, 0)
             ON CONFLICT (user_id) DO UPDATE SET seed = excluded.seed, begun_at = excluded.begun_at, last_step = 0
             WHERE second_factors.confirmed_at IS NULL",
            args![user_id, sealed, now_ms],
        )
        .await?;
    Ok(written == 1)
}

pub async fn find(store: &Store, conn: &mut Conn, user_id: &UserId) -> Result<Option<SecondFactor>, StoreError> {
    conn.query_opt("SELECT seed, begun_at, confirmed_at, last_step FROM second_factors WHERE user_id = $1", args![user_id])
        .await?
        .map(|row| {
            Ok(SecondFactor {
                seed: store.sealer.open(SEED, user_id.as_str(), &row.bytes(0)?)?,
                begun_at: row.int(1)?,
                confirmed_at: row.opt_int(2)?,
                last_step: row.int(3)?,
            })
        })
        .transpose()
}

/// Since when this person has one; nothing needs to be opened for that.
pub async fn confirmed_at(conn: &mut Conn, user_id: &UserId) -> Result<Option<i64>, StoreError> {
    let row = conn.query_opt("SELECT confirmed_at FROM second_factors WHERE user_id = $1", args![user_id]).await?;
    row.map_or(Ok(None), |row| row.opt_int(0))
}

/// The first right code: from now on it is asked for. False when it was confirmed already.
pub async fn confirm(conn: &mut Tx, user_id: &UserId, step: i64, now_ms: i64) -> Result<bool, StoreError> {
    let confirmed = conn
        .execute(
            "UPDATE second_factors SET confirmed_at = $3, last_step = $2 WHERE user_id = $1 AND confirmed_at IS NULL",
            args![user_id, step, now_ms],
        )
        .await?;
    Ok(confirmed == 1)
}

/// Uses the code of a half minute up. False when that one or a later one was used before: of two requests at once one is right.
pub async fn use_step(conn: &mut Tx, user_id: &UserId, step: i64) -> Result<bool, StoreError> {
    let used = conn
        .execute("UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND confirmed_at IS NOT NULL AND last_step < $2", args![user_id, step])
        .await?;
    Ok(used == 1)
}

fn code_hash(store: &Store, user_id: &UserId, code: &str) -> String {
    store.sealer.lookup_hash("recovery_codes.code_hash", &format!("{user_id} {code}"))
}

/// Gives a person these recovery codes; those of before end.
pub async fn replace_codes(store: &Store, conn: &mut Tx, user_id: &UserId, codes: &[String]) -> Result<(), StoreError> {
    conn.execute("DELETE FROM recovery_codes WHERE user_id = $1", args![user_id]).await?;
    let values: Vec<Arg> = codes.iter().flat_map(|code| args![user_id, code_hash(store, user_id, code)]).collect();
    conn.insert_rows("INSERT INTO recovery_codes (user_id, code_hash)", 2, values, "").await?;
    Ok(())
}

/// Uses a recovery code up. False when it is unknown or was used before.
pub async fn use_code(store: &Store, conn: &mut Tx, user_id: &UserId, code: &str, now_ms: i64) -> Result<bool, StoreError> {
    let used = conn
        .execute(
            "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL",
            args![user_id, code_hash(store, user_id, code), now_ms],
        )
        .await?;
    Ok(used == 1)
}

/// How many recovery codes are left.
pub async fn count_codes(conn: &mut Conn, user_id: &UserId) -> Result<i64, StoreError> {
    conn.query_one("SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL", args![user_id]).await?.int(0)
}

/// Takes it away, with its recovery codes. False when there was none.
pub async fn delete(conn: &mut Tx, user_id: &UserId) -> Result<bool, StoreError> {
    conn.execute("DELETE FROM recovery_codes WHERE user_id = $1", args![user_id]).await?;
    Ok(conn.execute("DELETE FROM second_factors WHERE user_id = $1", args![user_id]).await? == 1)
}

/// Whether an organization asks its members for one.
pub async fn is_required(conn: &mut Conn, organization_id: &OrganizationId) -> Result<bool, StoreError> {
    let row = conn.query_opt("SELECT second_factor_required FROM organizations WHERE id = $1", args![organization_id]).await?;
    row.map_or(Ok(false), |row| Ok(row.int(0)? == 1))
}

pub async fn set_required(conn: &mut Tx, organization_id: &OrganizationId, required: bool) -> Result<(), StoreError> {
    conn.execute("UPDATE organizations SET second_factor_required = $2 WHERE id = $1", args![organization_id, i64::from(required)]).await?;
    Ok(())
}
