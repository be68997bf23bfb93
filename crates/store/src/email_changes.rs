//! Another address of mail that a person asked for: it counts once the link that was mailed to it is followed.
use crate::args;
use crate::db::{Conn, Tx};
use crate::error::StoreError;
use crate::seal::token_hash;
use domain::ids::UserId;

/// Whose address becomes which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailChange {
    pub user_id: UserId,
    pub email: String,
}

/// Keeps what a person asked for; what they asked for before ends.
pub async fn put(conn: &mut Tx, token: &str, change: &EmailChange, expires_at: i64) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO email_changes (user_id, email, token_hash, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET email = excluded.email, token_hash = excluded.token_hash, expires_at = excluded.expires_at",
        args![&change.user_id, change.email.as_str(), token_hash(token), expires_at],
    )
    .await?;
    Ok(())
}

/// What a link would change, without using it up.
pub async fn find(conn: &mut Conn, token: &str, now_ms: i64) -> Result<Option<EmailChange>, StoreError> {
    conn.query_opt("SELECT user_id, email FROM email_changes WHERE token_hash = $1 AND expires_at > $2", args![token_hash(token), now_ms])
        .await?
        .map(|row| Ok(EmailChange { user_id: UserId(row.text(0)?), email: row.text(1)? }))
        .transpose()
}

/// The address a person waits for.
pub async fn find_of(conn: &mut Conn, user_id: &UserId, now_ms: i64) -> Result<Option<String>, StoreError> {
    conn.query_opt("SELECT email FROM email_changes WHERE user_id = $1 AND expires_at > $2", args![user_id, now_ms])
        .await?
        .map(|row| row.text(0))
        .transpose()
}

/// Ends what a person asked for: it is done, or no longer wanted.
pub async fn delete_of(conn: &mut Tx, user_id: &UserId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM email_changes WHERE user_id = $1", args![user_id]).await? == 1)
}
