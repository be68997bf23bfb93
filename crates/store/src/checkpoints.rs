//! Where the next chunk of each step of a run begins.
use crate::args;
use crate::db::{Conn, Tx};
use crate::error::StoreError;
use domain::ids::RunId;
use domain::sync::Checkpoint;
use std::collections::BTreeMap;

/// How far one step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    At(Checkpoint),
    Done,
}

pub async fn list(conn: &mut Conn, run_id: &RunId) -> Result<BTreeMap<String, Position>, StoreError> {
    conn.query("SELECT step, position, done_at FROM checkpoints WHERE run_id = $1", args![run_id])
        .await?
        .iter()
        .map(|row| {
            let position = match (row.opt_int(2)?, row.opt_text(1)?) {
                (None, Some(text)) => Position::At(Checkpoint(text)),
                _ => Position::Done,
            };
            Ok((row.text(0)?, position))
        })
        .collect()
}

pub async fn set(conn: &mut Tx, run_id: &RunId, step: &str, position: &Position, now_ms: i64) -> Result<(), StoreError> {
    let (text, done_at) = match position {
        Position::At(checkpoint) => (Some(checkpoint.0.as_str()), None),
        Position::Done => (None, Some(now_ms)),
    };
    conn.execute(
        "INSERT INTO checkpoints (run_id, step, position, done_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (run_id, step) DO UPDATE SET position = excluded.position, done_at = excluded.done_at",
        args![run_id, step, text, done_at],
    )
    .await?;
    Ok(())
}

pub async fn clear(conn: &mut Tx, run_id: &RunId) -> Result<(), StoreError> {
    conn.execute("DELETE FROM checkpoints WHERE run_id = $1", args![run_id]).await?;
    Ok(())
}
