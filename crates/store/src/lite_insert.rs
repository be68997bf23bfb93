//! Many rows into SQLite without a detour: the library's own calls, one prepared statement, values bound where they lie. The way of every other
//! statement (a message to a thread, a copy of each value) costs more than the insert itself; see docs/benchmarks.md.
use crate::db::Arg;
use crate::error::StoreError;
use libsqlite3_sys as ffi;
use sqlx::SqliteConnection;
use std::ffi::{CStr, CString};
use std::os::raw::c_int;
use std::ptr;

/// Rows between two pauses in which other work gets its turn: a millisecond or two.
const ROWS_AT_ONCE: usize = 500;

/// Runs `sql`, an insert of one row, for each `width` values. Returns how many rows were written.
pub async fn insert_rows(conn: &mut SqliteConnection, sql: String, width: usize, values: &[Arg]) -> Result<u64, StoreError> {
    let sql = CString::new(sql).map_err(|_| refused("a statement holds a zero byte".into()))?;
    let mut written = 0;
    for part in values.chunks(ROWS_AT_ONCE * width) {
        {
            let mut locked = conn.lock_handle().await?;
            // SAFETY: while the handle is locked nobody else uses this connection, and it stays open.
            let database = unsafe { locked.as_raw_handle().as_mut() };
            let mut statement = Statement::prepare(database, &sql)?;
            for row in part.chunks_exact(width) {
                written += statement.run(row)?;
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(written)
}

fn refused(message: String) -> StoreError {
    StoreError::Database(sqlx::Error::Protocol(message))
}

struct Statement<'a> {
    database: &'a mut ffi::sqlite3,
    raw: *mut ffi::sqlite3_stmt,
}

impl<'a> Statement<'a> {
    fn prepare(database: &'a mut ffi::sqlite3, sql: &CStr) -> Result<Statement<'a>, StoreError> {
        let mut raw = ptr::null_mut();
        // SAFETY: the database is open, the text ends in a zero, and `raw` is written to before it is read.
        let code = unsafe { ffi::sqlite3_prepare_v2(database, sql.as_ptr(), -1, &mut raw, ptr::null_mut()) };
        let statement = Statement { database, raw };
        statement.check(code, ffi::SQLITE_OK)?;
        Ok(statement)
    }

    fn run(&mut self, row: &[Arg]) -> Result<u64, StoreError> {
        for (at, value) in (1..).zip(row) {
            self.bind(at, value)?;
        }
        // SAFETY: the statement is prepared, and what is bound lives until it has run: `row` outlives this call, and every value is bound anew
        // before the next one. Reset repeats the code of a failed step, which is checked already.
        let (code, written) = unsafe {
            let code = ffi::sqlite3_step(self.raw);
            let written = ffi::sqlite3_changes64(self.database);
            (code, written)
        };
        self.check(code, ffi::SQLITE_DONE)?;
        // SAFETY: as above.
        unsafe { ffi::sqlite3_reset(self.raw) };
        Ok(u64::try_from(written).unwrap_or(0))
    }

    fn bind(&mut self, at: c_int, value: &Arg) -> Result<(), StoreError> {
        let (static_memory, utf8) = (ffi::SQLITE_STATIC(), ffi::SQLITE_UTF8 as u8);
        // SAFETY: the pointer and the length are those of a text or of bytes that live until the statement has run.
        let code = unsafe {
            match value {
                Arg::Text(Some(text)) => ffi::sqlite3_bind_text64(self.raw, at, text.as_ptr().cast(), text.len() as u64, static_memory, utf8),
                // a null pointer would be NULL: an empty value needs one that is not
                Arg::Bytes(Some(bytes)) if bytes.is_empty() => ffi::sqlite3_bind_zeroblob(self.raw, at, 0),
                Arg::Bytes(Some(bytes)) => ffi::sqlite3_bind_blob64(self.raw, at, bytes.as_ptr().cast(), bytes.len() as u64, static_memory),
                Arg::Int(Some(number)) => ffi::sqlite3_bind_int64(self.raw, at, *number),
                Arg::Text(None) | Arg::Int(None) | Arg::Bytes(None) => ffi::sqlite3_bind_null(self.raw, at),
            }
        };
        self.check(code, ffi::SQLITE_OK)
    }

    fn check(&self, code: c_int, expected: c_int) -> Result<(), StoreError> {
        if code == expected {
            return Ok(());
        }
        // SAFETY: the message is a text of the library that ends in a zero and lasts until the next call on this connection.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(ptr::from_ref(self.database).cast_mut())).to_string_lossy().into_owned() };
        Err(refused(format!("{message} (SQLite code {code})")))
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: made by prepare and used by nobody else; null is allowed.
        unsafe { ffi::sqlite3_finalize(self.raw) };
    }
}
