//! Idempotency keys: a request that is sent again gets the first answer again.
use crate::Store;
use crate::args;
use crate::db::Tx;
use crate::error::StoreError;

/// The answer that was given to a request of the same key before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// Nobody asked before: the caller answers and remembers.
    New,
    /// Another request with this key is being answered.
    Running,
    /// The key was used for something else.
    Different,
    Answered {
        status: i64,
        body: String,
    },
}

/// An answer that never came is given up after this: its server has stopped.
const ABANDONED_MS: i64 = 60_000;
/// How long an answer is remembered.
const REMEMBERED_MS: i64 = 24 * 3_600_000;
const BODY: &str = "idempotency_keys.body";

/// Takes an idempotency key for a request, or tells what became of the first one. Safe against two at once: the primary key decides.
pub async fn remember(store: &Store, conn: &mut Tx, owner: &str, key: &str, fingerprint: &str, now_ms: i64) -> Result<Remembered, StoreError> {
    conn.execute("DELETE FROM idempotency_keys WHERE created_at < $1", args![now_ms - REMEMBERED_MS]).await?;
    let taken = conn
        .execute(
            "INSERT INTO idempotency_keys (owner_id, idempotency_key, fingerprint, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (owner_id, idempotency_key) DO UPDATE SET created_at = excluded.created_at
                 WHERE idempotency_keys.status IS NULL AND idempotency_keys.created_at < $5 AND idempotency_keys.fingerprint = excluded.fingerprint",
            args![owner, key, fingerprint, now_ms, now_ms - ABANDONED_MS],
        )
        .await?;
    if taken == 1 {
        return Ok(Remembered::New);
    }
    let row = conn
        .query_one("SELECT fingerprint, status, body FROM idempotency_keys WHERE owner_id = $1 AND idempotency_key = $2", args![owner, key])
        .await?;
    Ok(match (row.text(0)? == fingerprint, row.opt_int(1)?) {
        (false, _) => Remembered::Different,
        (true, None) => Remembered::Running,
        (true, Some(status)) => Remembered::Answered { status, body: open(store, owner, key, row.opt_text(2)?.as_deref())? },
    })
}

fn open(store: &Store, owner: &str, key: &str, sealed: Option<&str>) -> Result<String, StoreError> {
    let sealed = hex::decode(sealed.unwrap_or_default()).map_err(|_| StoreError::Unsealable(BODY))?;
    store.sealer.open_text(BODY, &format!("{owner}|{key}"), &sealed)
}

/// Keeps the answer of a request that was taken; without one (it failed on our side) the key is free again. It is sealed: an answer may hold a secret
/// that is shown once.
pub async fn keep_answer(store: &Store, conn: &mut Tx, owner: &str, key: &str, answer: Option<(i64, &str)>) -> Result<(), StoreError> {
    match answer {
        Some((status, body)) => {
            let body = hex::encode(store.sealer.seal(BODY, &format!("{owner}|{key}"), body.as_bytes()));
            conn.execute(
                "UPDATE idempotency_keys SET status = $3, body = $4 WHERE owner_id = $1 AND idempotency_key = $2",
                args![owner, key, status, body],
            )
            .await?;
        }
        None => {
            conn.execute("DELETE FROM idempotency_keys WHERE owner_id = $1 AND idempotency_key = $2", args![owner, key]).await?;
        }
    }
    Ok(())
}
