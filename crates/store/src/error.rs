//! What can go wrong with the database.

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database refused a statement: {0}")]
    Database(#[from] sqlx::Error),
    /// The database cannot be opened at all: the address, the file or the server is wrong.
    #[error("cannot open the database {address}: {reason}")]
    Unreachable { address: String, reason: String },
    #[error("the database was written by a newer Tieout (schema {found}, this program knows {known}); start the newer program")]
    NewerSchema { found: i64, known: i64 },
    #[error("the SQLite library is {found}; {needed} or newer is required (older ones can lose committed data)")]
    OldSqlite { found: String, needed: &'static str },
    #[error("the key does not fit this database: its sealed values cannot be opened with it; set TIEOUT_KEY to the key it was made with")]
    WrongKey,
    #[error("the key is not usable: {0}")]
    BadKey(String),
    /// A sealed value does not open: it was moved or changed.
    #[error("a sealed value of {0} does not open")]
    Unsealable(&'static str),
    /// The lease of a run was lost to another worker, or the run was ended: the transaction is not written.
    #[error("the lease of run {0} is lost")]
    LeaseLost(String),
    #[error("a stored value cannot be read: {0}")]
    Unreadable(String),
}

impl StoreError {
    /// Two transactions wanted the same rows at once and the database ended this one: done again, it goes well. PostgreSQL's `serialization_failure` and
    /// `deadlock_detected` (its documentation, appendix A).
    pub fn is_conflict(&self) -> bool {
        matches!(self, StoreError::Database(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("40001" | "40P01")))
    }
}
