//! The only file that knows which database runs: connect, begin, bulk insert, and the fragments that differ.
use crate::error::StoreError;
use crate::lite_insert;
use crate::seal::Sealer;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row as _};
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Older SQLite libraries have a bug in the write-ahead log that can lose committed data (fixed in 3.51.3).
const OLDEST_SQLITE: &str = "3.51.3";
const OLDEST_SQLITE_NUMBER: i32 = 3_051_003;

const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_init.sql"),
    include_str!("../migrations/0002_log_by_status.sql"),
    include_str!("../migrations/0003_cash_basis.sql"),
    include_str!("../migrations/0004_short_ledger_keys.sql"),
    include_str!("../migrations/0005_log_search.sql"),
    include_str!("../migrations/0006_people.sql"),
    include_str!("../migrations/0008_repair.sql"),
    include_str!("../migrations/0010_feed.sql"),
    include_str!("../migrations/0012_mapping.sql"),
    include_str!("../migrations/0014_incidents.sql"),
    include_str!("../migrations/0015_notices.sql"),
    include_str!("../migrations/0016_api.sql"),
    include_str!("../migrations/0018_rules_version.sql"),
    include_str!("../migrations/0020_second_factor.sql"),
    include_str!("../migrations/0024_audit.sql"),
    include_str!("../migrations/0026_provider_calls.sql"),
    include_str!("../migrations/0028_log_references.sql"),
];

/// How many migrations this version knows.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();

/// The database and the key of its sealed values. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Db,
    pub(crate) sealer: Arc<Sealer>,
}

#[derive(Clone)]
enum Db {
    /// One connection writes, several read: SQLite allows one writer, and waiting for it in our own queue beats "database is locked".
    Lite {
        write: sqlx::SqlitePool,
        read: sqlx::SqlitePool,
    },
    Pg(sqlx::PgPool),
}

/// A connection, for reading, or inside a transaction.
pub enum Conn {
    Lite(sqlx::pool::PoolConnection<sqlx::Sqlite>),
    LiteTx(sqlx::Transaction<'static, sqlx::Sqlite>),
    Pg(sqlx::pool::PoolConnection<sqlx::Postgres>),
    PgTx(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// A write transaction. Dropped without `commit`, it is rolled back.
pub struct Tx(Conn);

impl Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.0
    }
}
impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

impl Tx {
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Conn::LiteTx(tx) => tx.commit().await?,
            Conn::PgTx(tx) => tx.commit().await?,
            Conn::Lite(_) | Conn::Pg(_) => unreachable!("a Tx is made by begin only"),
        }
        Ok(())
    }
}

/// A value to bind. `None` keeps its type: PostgreSQL asks for it.
#[derive(Clone, Debug)]
pub enum Arg {
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Arg {
        Arg::Text(Some(text.to_owned()))
    }
}
impl From<&String> for Arg {
    fn from(text: &String) -> Arg {
        Arg::Text(Some(text.clone()))
    }
}
impl From<String> for Arg {
    fn from(text: String) -> Arg {
        Arg::Text(Some(text))
    }
}
impl From<Option<String>> for Arg {
    fn from(text: Option<String>) -> Arg {
        Arg::Text(text)
    }
}
impl From<Option<&str>> for Arg {
    fn from(text: Option<&str>) -> Arg {
        Arg::Text(text.map(str::to_owned))
    }
}
impl From<i64> for Arg {
    fn from(number: i64) -> Arg {
        Arg::Int(Some(number))
    }
}
impl From<Option<i64>> for Arg {
    fn from(number: Option<i64>) -> Arg {
        Arg::Int(number)
    }
}
impl From<Vec<u8>> for Arg {
    fn from(bytes: Vec<u8>) -> Arg {
        Arg::Bytes(Some(bytes))
    }
}
impl From<&[u8]> for Arg {
    fn from(bytes: &[u8]) -> Arg {
        Arg::Bytes(Some(bytes.to_vec()))
    }
}
impl From<Option<Vec<u8>>> for Arg {
    fn from(bytes: Option<Vec<u8>>) -> Arg {
        Arg::Bytes(bytes)
    }
}
macro_rules! arg_from_ids {
    ($($id:ident),*) => {$(
        impl From<&domain::ids::$id> for Arg {
            fn from(id: &domain::ids::$id) -> Arg { Arg::Text(Some(id.0.clone())) }
        }
    )*};
}
arg_from_ids!(OrganizationId, UserId, ConnectionId, CompanyId, RunId, ProviderId, ApiKeyId);

/// `args![company_id, 7, None::<String>]`: values to bind, in the order of `$1`, `$2`, ...
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Arg::from($value)),*] };
}

/// A row of either database. Columns are read by position.
pub enum Row {
    Lite(SqliteRow),
    Pg(PgRow),
}

impl Row {
    pub fn text(&self, at: usize) -> Result<String, StoreError> {
        Ok(match self {
            Row::Lite(row) => row.try_get(at)?,
            Row::Pg(row) => row.try_get(at)?,
        })
    }
    pub fn opt_text(&self, at: usize) -> Result<Option<String>, StoreError> {
        Ok(match self {
            Row::Lite(row) => row.try_get(at)?,
            Row::Pg(row) => row.try_get(at)?,
        })
    }
    pub fn int(&self, at: usize) -> Result<i64, StoreError> {
        Ok(match self {
            Row::Lite(row) => row.try_get(at)?,
            Row::Pg(row) => row.try_get(at)?,
        })
    }
    pub fn opt_int(&self, at: usize) -> Result<Option<i64>, StoreError> {
        Ok(match self {
            Row::Lite(row) => row.try_get(at)?,
            Row::Pg(row) => row.try_get(at)?,
        })
    }
    pub fn bytes(&self, at: usize) -> Result<Vec<u8>, StoreError> {
        Ok(match self {
            Row::Lite(row) => row.try_get(at)?,
            Row::Pg(row) => row.try_get(at)?,
        })
    }
    pub fn opt_bytes(&self, at: usize) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(match self {
            Row::Lite(row) => row.try_get(at)?,
            Row::Pg(row) => row.try_get(at)?,
        })
    }
}

macro_rules! bind_all {
    ($query:expr, $args:expr) => {{
        let mut query = $query;
        for arg in $args {
            query = match arg {
                Arg::Text(text) => query.bind(text),
                Arg::Int(number) => query.bind(number),
                Arg::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

/// Rows of one insert on PostgreSQL, which is asked as seldom as possible; odd numbers are sent as they come.
const POSTGRES_ROWS: usize = 1_000;

fn insert_statement(head: &str, width: usize, rows: usize, tail: &str, is_postgres: bool) -> String {
    let mut sql = String::with_capacity(head.len() + tail.len() + rows * width * 7);
    sql.push_str(head);
    sql.push_str(" VALUES ");
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..width {
            if column > 0 {
                sql.push(',');
            }
            if is_postgres {
                sql.push('$');
                sql.push_str(&(row * width + column + 1).to_string());
            } else {
                // to SQLite `$1` is a name, and looking names up takes longer than the insert ("The C-language Interface to SQLite": binding values)
                sql.push('?');
            }
        }
        sql.push(')');
    }
    sql.push(' ');
    sql.push_str(tail);
    sql
}

impl Conn {
    /// Runs a statement that changes rows; how many it changed.
    pub async fn execute(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<u64, StoreError> {
        Ok(match self {
            Conn::Lite(conn) => bind_all!(sqlx::query(sql), args).execute(&mut **conn).await?.rows_affected(),
            Conn::LiteTx(conn) => bind_all!(sqlx::query(sql), args).execute(&mut **conn).await?.rows_affected(),
            Conn::Pg(conn) => bind_all!(sqlx::query(sql), args).execute(&mut **conn).await?.rows_affected(),
            Conn::PgTx(conn) => bind_all!(sqlx::query(sql), args).execute(&mut **conn).await?.rows_affected(),
        })
    }

    pub async fn query(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        self.fetch(AssertSqlSafe(sql.to_owned()), args, true).await
    }

    pub async fn query_opt(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, args).await?.into_iter().next())
    }

    pub async fn query_one(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<Row, StoreError> {
        self.query_opt(sql, args).await?.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
    }

    /// For the few statements whose text depends on the call (filters of the log): the text is assembled here and in this crate only.
    pub(crate) async fn query_assembled(&mut self, sql: String, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        self.fetch(AssertSqlSafe(sql), args, true).await
    }

    /// The same for a statement that changes rows; how many it changed.
    pub(crate) async fn execute_assembled(&mut self, sql: String, args: Vec<Arg>) -> Result<u64, StoreError> {
        let sql = AssertSqlSafe(sql);
        Ok(match self {
            Conn::Lite(conn) => bind_all!(sqlx::query(sql), args).execute(&mut **conn).await?.rows_affected(),
            Conn::LiteTx(conn) => bind_all!(sqlx::query(sql), args).execute(&mut **conn).await?.rows_affected(),
            Conn::Pg(conn) => bind_all!(sqlx::query(sql), args).execute(&mut **conn).await?.rows_affected(),
            Conn::PgTx(conn) => bind_all!(sqlx::query(sql), args).execute(&mut **conn).await?.rows_affected(),
        })
    }

    async fn fetch(&mut self, sql: AssertSqlSafe<String>, args: Vec<Arg>, keep: bool) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Conn::Lite(conn) => bind_all!(sqlx::query(sql).persistent(keep), args).fetch_all(&mut **conn).await?.into_iter().map(Row::Lite).collect(),
            Conn::LiteTx(conn) => {
                bind_all!(sqlx::query(sql).persistent(keep), args).fetch_all(&mut **conn).await?.into_iter().map(Row::Lite).collect()
            }
            Conn::Pg(conn) => bind_all!(sqlx::query(sql).persistent(keep), args).fetch_all(&mut **conn).await?.into_iter().map(Row::Pg).collect(),
            Conn::PgTx(conn) => bind_all!(sqlx::query(sql).persistent(keep), args).fetch_all(&mut **conn).await?.into_iter().map(Row::Pg).collect(),
        })
    }

    /// Inserts many rows, as many in a statement as the database likes: `head` is `INSERT INTO t (a, b)`, `tail` the `ON CONFLICT` part or nothing.
    /// Every row has `width` values, one row after the other in `values`. Returns how many rows were written.
    pub async fn insert_rows(&mut self, head: &'static str, width: usize, values: Vec<Arg>, tail: &'static str) -> Result<u64, StoreError> {
        let mut written = 0;
        match self {
            Conn::Lite(conn) => return lite_insert::insert_rows(conn, insert_statement(head, width, 1, tail, false), width, &values).await,
            Conn::LiteTx(conn) => return lite_insert::insert_rows(conn, insert_statement(head, width, 1, tail, false), width, &values).await,
            Conn::Pg(_) | Conn::PgTx(_) => {}
        }
        let mut left = values.len() / width;
        let mut values = values.into_iter();
        while left > 0 {
            let rows = left.min(POSTGRES_ROWS);
            left -= rows;
            let sql = AssertSqlSafe(insert_statement(head, width, rows, tail, true));
            let args = values.by_ref().take(rows * width);
            // a statement of a size that comes again is worth keeping prepared
            let keep = rows == POSTGRES_ROWS;
            written += match self {
                Conn::Pg(conn) => bind_all!(sqlx::query(sql).persistent(keep), args).execute(&mut **conn).await?.rows_affected(),
                Conn::PgTx(conn) => bind_all!(sqlx::query(sql).persistent(keep), args).execute(&mut **conn).await?.rows_affected(),
                Conn::Lite(_) | Conn::LiteTx(_) => unreachable!("SQLite is served above"),
            };
        }
        Ok(written)
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self, Conn::Pg(_) | Conn::PgTx(_))
    }

    /// Looks `inner` up for each row of `outer`, in that order, so that a limit around it ends the search early. SQLite keeps the order of a `CROSS JOIN`;
    /// PostgreSQL keeps it when the inner side is a limited subquery.
    pub(crate) fn nested(&self, outer: &str, inner: &str, on: &str, limit: &str) -> String {
        match self.is_postgres() {
            true => format!("{outer} CROSS JOIN LATERAL (SELECT 1 FROM {inner} WHERE {on} LIMIT {limit}) AS few"),
            false => format!("{outer} CROSS JOIN {inner} ON {on}"),
        }
    }

    /// Names of the tables that have a column, as the database itself knows them.
    pub async fn tables_with(&mut self, column: &str) -> Result<Vec<String>, StoreError> {
        let sql = if self.is_postgres() {
            "SELECT CAST(columns.table_name AS TEXT) FROM information_schema.columns
             JOIN information_schema.tables ON tables.table_schema = columns.table_schema AND tables.table_name = columns.table_name
             WHERE columns.table_schema = current_schema() AND columns.column_name = $1 AND tables.table_type = 'BASE TABLE' ORDER BY 1"
        } else {
            "SELECT tables.name FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
             WHERE tables.type = 'table' AND columns.name = $1 ORDER BY 1"
        };
        self.query(sql, crate::args![column]).await?.iter().map(|row| row.text(0)).collect()
    }

    /// Which table refers to which, by which column: (table, column, table referred to, its column).
    pub async fn references(&mut self) -> Result<Vec<(String, String, String, String)>, StoreError> {
        let sql = if self.is_postgres() {
            "SELECT CAST(child.relname AS TEXT), CAST(child_column.attname AS TEXT), CAST(parent.relname AS TEXT), CAST(parent_column.attname AS TEXT)
             FROM pg_constraint
             JOIN pg_class AS child ON child.oid = pg_constraint.conrelid
             JOIN pg_class AS parent ON parent.oid = pg_constraint.confrelid
             JOIN pg_attribute AS child_column ON child_column.attrelid = child.oid AND child_column.attnum = pg_constraint.conkey[1]
             JOIN pg_attribute AS parent_column ON parent_column.attrelid = parent.oid AND parent_column.attnum = pg_constraint.confkey[1]
             WHERE pg_constraint.contype = 'f' AND child.relnamespace = current_schema()::regnamespace ORDER BY 1, 2"
        } else {
            "SELECT tables.name, keys.\"from\", keys.\"table\", COALESCE(keys.\"to\", 'id') FROM sqlite_master AS tables
             JOIN pragma_foreign_key_list(tables.name) AS keys WHERE tables.type = 'table' ORDER BY 1, 2"
        };
        self.query(sql, vec![]).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?))).collect()
    }

    /// The fragment that lets several nodes pick different rows: PostgreSQL skips what others hold; SQLite has one writer anyway.
    pub(crate) fn skip_locked(&self) -> &'static str {
        if self.is_postgres() { "FOR UPDATE SKIP LOCKED" } else { "" }
    }
}

impl Store {
    /// Opens the database, refuses what it must not touch (an old SQLite library, a newer schema, a wrong key), and brings the schema up to date.
    /// `address` is a file name, `sqlite:FILE` or `postgres://...`.
    pub async fn open(address: &str, key: &crate::seal::Key) -> Result<Store, StoreError> {
        let store = Store::connect(address, key).await?;
        let opened = async {
            store.migrate(MIGRATIONS).await?;
            store.check_key().await
        };
        match opened.await {
            Ok(()) => Ok(store),
            Err(error) => {
                // left to itself, a connection may end after the program and leave its log beside the database
                store.close().await;
                Err(error)
            }
        }
    }

    async fn connect(address: &str, key: &crate::seal::Key) -> Result<Store, StoreError> {
        let unreachable = |error: sqlx::Error| StoreError::Unreachable { address: without_password(address), reason: error.to_string() };
        let db = if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(address).map_err(unreachable)?.disable_statement_logging().application_name("tieout");
            // the pool would try again for its whole time and then not say what was wrong
            let first = tokio::time::timeout(Duration::from_secs(10), options.connect()).await;
            let silent = |_| StoreError::Unreachable { address: without_password(address), reason: "no answer within 10 seconds".into() };
            let first = first.map_err(silent)?.map_err(unreachable)?;
            first.close().await.map_err(unreachable)?;
            let pool =
                PgPoolOptions::new().max_connections(24).acquire_timeout(Duration::from_secs(20)).connect_with(options).await.map_err(unreachable)?;
            Db::Pg(pool)
        } else {
            check_sqlite_library()?;
            let file = address.strip_prefix("sqlite://").or_else(|| address.strip_prefix("sqlite:")).unwrap_or(address);
            let options = SqliteConnectOptions::new()
                .filename(file)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // a rotated refresh token that is lost at a power cut disconnects the customer
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(30))
                .pragma("temp_store", "memory")
                .disable_statement_logging();
            let write = SqlitePoolOptions::new()
                .max_connections(1)
                .acquire_timeout(Duration::from_secs(60))
                // a file does not go away as a server does: asking each time costs as much as a short statement
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
                // a sync writes the same pages of an index again with every chunk: they are copied into the file once for many chunks, 16 MB of log later
                .connect_with(options.clone().pragma("cache_size", "-16384").pragma("wal_autocheckpoint", "4000"))
                .await
                .map_err(unreachable)?;
            let read = SqlitePoolOptions::new()
                .max_connections(4)
                .acquire_timeout(Duration::from_secs(30))
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
                // each has its own cache: together they must not weigh more than the work
                .connect_with(options.pragma("cache_size", "-4096").pragma("query_only", "on"))
                .await
                .map_err(unreachable)?;
            Db::Lite { write, read }
        };
        Ok(Store { db, sealer: Arc::new(Sealer::new(key)) })
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.db, Db::Pg(_))
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        Ok(match &self.db {
            Db::Lite { read, .. } => Conn::Lite(read.acquire().await?),
            Db::Pg(pool) => Conn::Pg(pool.acquire().await?),
        })
    }

    /// A write transaction; on SQLite it holds the one write lock from its first moment.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx(match &self.db {
            Db::Lite { write, .. } => Conn::LiteTx(write.begin_with("BEGIN IMMEDIATE").await?),
            Db::Pg(pool) => {
                // Whoever waits may go away, and sqlx 0.9.0 then returns a connection with an open transaction to its pool
                // (github.com/launchbadge/sqlx/issues/4393): so BEGIN is waited for by a task, and what nobody takes is rolled back.
                let begun = tokio::spawn(sqlx::Transaction::begin(pool.acquire().await?, None));
                Conn::PgTx(begun.await.map_err(|_| sqlx::Error::WorkerCrashed)??)
            }
        }))
    }

    /// Seals the position of a list for whoever reads it on; `row` names the list, its filter and its reader.
    pub fn seal_cursor(&self, row: &str, position: &str) -> Vec<u8> {
        self.sealer.seal_same("cursor", row, position.as_bytes())
    }
    /// What only this installation can say of an address and a browser.
    pub fn device_seal(&self, email: &str, nonce: &str) -> String {
        self.sealer.lookup_hash("device", &format!("{nonce} {email}"))
    }
    pub fn open_cursor(&self, row: &str, sealed: &[u8]) -> Result<String, StoreError> {
        self.sealer.open_text("cursor", row, sealed)
    }

    /// Brings the schema up to date, one transaction for each migration.
    async fn migrate(&self, migrations: &[&'static str]) -> Result<(), StoreError> {
        let known = migrations.len() as i64;
        let mut tx = self.begin().await?;
        if tx.is_postgres() {
            // two nodes that start at once: the second waits here
            tx.query("SELECT CAST(pg_advisory_xact_lock(7140331) AS TEXT)", vec![]).await?;
        }
        tx.execute("CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT NOT NULL PRIMARY KEY)", vec![]).await?;
        let found = tx.query_one("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM schema_versions", vec![]).await?.int(0)?;
        if found > known {
            return Err(StoreError::NewerSchema { found, known });
        }
        for (index, migration) in migrations.iter().enumerate().skip(found as usize) {
            let migration = AssertSqlSafe(of_database(migration, tx.is_postgres()));
            match &mut tx.0 {
                Conn::LiteTx(conn) => sqlx::raw_sql(migration).execute(&mut **conn).await.map(|_| ())?,
                Conn::PgTx(conn) => sqlx::raw_sql(migration).execute(&mut **conn).await.map(|_| ())?,
                Conn::Lite(_) | Conn::Pg(_) => unreachable!("a Tx is made by begin only"),
            }
            tx.execute("INSERT INTO schema_versions (version) VALUES ($1)", args![index as i64 + 1]).await?;
        }
        tx.commit().await
    }

    /// A value sealed at the first start must open with today's key.
    async fn check_key(&self) -> Result<(), StoreError> {
        const NAME: &str = "key_check";
        let mut tx = self.begin().await?;
        match crate::settings::find(&mut tx, NAME).await? {
            None => {
                let sealed = self.sealer.seal("settings", NAME, b"tieout");
                crate::settings::set(&mut tx, NAME, &hex::encode(sealed)).await?;
                tx.commit().await
            }
            Some(sealed) => {
                let sealed = hex::decode(&sealed).map_err(|_| StoreError::WrongKey)?;
                self.sealer.open("settings", NAME, &sealed).map(|_| ()).map_err(|_| StoreError::WrongKey)
            }
        }
    }

    /// Closes the connections in order: the write-ahead log is folded into the file.
    pub async fn close(&self) {
        match &self.db {
            Db::Lite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Db::Pg(pool) => pool.close().await,
        }
    }
}

/// A migration as one of the two databases reads it: what stands between `-- only SQLite` or `-- only PostgreSQL` and the next such line, or `-- both`,
/// is for that one.
fn of_database(migration: &str, is_postgres: bool) -> String {
    let mut text = String::with_capacity(migration.len());
    let mut is_ours = true;
    for line in migration.lines() {
        match line {
            "-- only SQLite" => is_ours = !is_postgres,
            "-- only PostgreSQL" => is_ours = is_postgres,
            "-- both" => is_ours = true,
            _ if is_ours => {
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    text
}

fn check_sqlite_library() -> Result<(), StoreError> {
    // SAFETY: both functions only return constants of the library that is linked in.
    let (number, found) = unsafe {
        let text = std::ffi::CStr::from_ptr(libsqlite3_sys::sqlite3_libversion());
        (libsqlite3_sys::sqlite3_libversion_number(), text.to_string_lossy().into_owned())
    };
    check_sqlite_version(number, found)
}

fn check_sqlite_version(number: i32, found: String) -> Result<(), StoreError> {
    if number < OLDEST_SQLITE_NUMBER { Err(StoreError::OldSqlite { found, needed: OLDEST_SQLITE }) } else { Ok(()) }
}

/// The address with its password taken out, for messages.
fn without_password(address: &str) -> String {
    match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => match address[scheme + 3..at].find(':') {
            Some(colon) => format!("{}:***{}", &address[..scheme + 3 + colon], &address[at..]),
            None => address.to_owned(),
        },
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_sqlite_library_is_refused() {
        assert!(check_sqlite_library().is_ok());
        let refused = check_sqlite_version(3_051_002, "3.51.2".into()).unwrap_err();
        assert!(refused.to_string().contains("3.51.3 or newer"), "{refused}");
    }

    const OLD_LOG: &str = "INSERT INTO log_entries
         (id, organization_id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body, logged_at)
         VALUES ($1, 'org', $2, NULL, 'xero', 'Acme', 'Olga@acme.example', 'event', 'success', $3, NULL, 0)";
    const OLD_POSTING: &str = "INSERT INTO postings (company_id, basis, piece, line, day, account_id, amount, source_type, source_id, contact_id)
         VALUES ($1, $2, $3, $4, '2026-01-31', 'bank', $5, 'Invoice', 'i1', NULL)";
    const OLD_PIECE: &str = "INSERT INTO ledger_pieces (company_id, basis, piece, hash, entries, read_at) VALUES ($1, $2, $3, $4, 1, 0)";

    #[tokio::test]
    async fn a_database_of_an_older_program_keeps_its_ledgers_and_its_log() {
        testkit::each_database(|url| async move {
            use crate::{ledger, log_entries};
            use domain::clock::Month;
            use domain::ids::{CompanyId, OrganizationId};
            use domain::ledger::Basis;
            let store = Store::connect(&url, &crate::seal::Key::random()).await.unwrap();
            store.migrate(&MIGRATIONS[..3]).await.unwrap();
            let mut tx = store.begin().await.unwrap();
            for (company, basis, piece) in [("windows", 0, "2026-01"), ("journals", 0, "j000000000098"), ("journals", 1, "j000000000107")] {
                for line in 1..=2 {
                    tx.execute(OLD_POSTING, args![company, basis, piece, line, 100 * (basis + 1) * line]).await.unwrap();
                }
            }
            tx.execute(OLD_PIECE, args!["windows", 0, "2026-01", vec![7_u8; 32]]).await.unwrap();
            for (id, company, message) in [(1, Some("c1"), "12 added"), (2, None, "Renewed"), (3, None, "1,204 added in 2026-01, try 3")] {
                tx.execute(OLD_LOG, args![id, company, message]).await.unwrap();
            }
            tx.commit().await.unwrap();
            store.migrate(MIGRATIONS).await.unwrap();

            let month = Month { year: 2026, month: 1 };
            let (windows, journals, last) = (CompanyId::new("windows"), CompanyId::new("journals"), month.last_day());
            let mut tx = store.begin().await.unwrap();
            for (company_id, basis, sum) in [(&windows, Basis::Accrual, 300), (&journals, Basis::Accrual, 300), (&journals, Basis::Cash, 600)] {
                let movements = ledger::movements(&mut tx, company_id, basis, last).await.unwrap();
                assert_eq!(movements.values().map(|amount| amount.0).collect::<Vec<_>>(), [sum], "{company_id} {basis:?}");
            }
            assert_eq!(ledger::journal_numbers_in_month(&mut tx, &journals, Basis::Cash, month).await.unwrap(), [107]);
            assert!(!ledger::replace_month(&mut tx, &windows, Basis::Accrual, month, &[], &[7; 32], false, 0).await.unwrap(), "its hash is known");

            let organization_id = OrganizationId::new("org");
            for (message, found) in [("added", vec![3, 1]), ("12 ADDED", vec![1]), ("2", vec![3, 1]), ("enew", vec![2]), ("26-01, try", vec![3])] {
                let filter = log_entries::Filter { message: Some(message.into()), account: Some("OLGA".into()), ..Default::default() };
                let page = log_entries::list_page(&mut tx, &organization_id, &filter, log_entries::Place::Newest, 50).await.unwrap();
                assert_eq!(page.entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), found, "{message}");
            }
            let of_company = log_entries::Filter { company_id: Some(CompanyId::new("c1")), ..Default::default() };
            assert_eq!(log_entries::count(&mut tx, &organization_id, &of_company, 10).await.unwrap(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_begin_that_nobody_waits_for_any_more_leaves_no_transaction_open() {
        testkit::each_database(|url| async move {
            let key = crate::seal::Key::random();
            let store = Store::open(&url, &key).await.unwrap();
            let looking = Store::open(&url, &key).await.unwrap();
            let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
            for micros in (0..2_000).step_by(10) {
                let begun = tokio::time::timeout(Duration::from_micros(micros), store.begin()).await;
                drop(begun);
                let free = async {
                    if looking.is_postgres() {
                        while looking.read().await.unwrap().query_one(sql, vec![]).await.unwrap().int(0).unwrap() > 0 {
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                    } else {
                        drop(looking.begin().await.unwrap());
                    }
                };
                tokio::time::timeout(Duration::from_secs(10), free).await.unwrap_or_else(|_| panic!("given up after {micros} µs, it is open"));
            }
        })
        .await;
    }

    #[test]
    fn a_migration_is_read_by_each_database_without_what_is_for_the_other() {
        let text = "CREATE TABLE a (b TEXT);\n-- only SQLite\nlite;\n-- only PostgreSQL\npostgres;\n-- both\nboth;\n";
        assert_eq!(of_database(text, false), "CREATE TABLE a (b TEXT);\nlite;\nboth;\n");
        assert_eq!(of_database(text, true), "CREATE TABLE a (b TEXT);\npostgres;\nboth;\n");
    }

    #[test]
    fn passwords_do_not_reach_messages() {
        assert_eq!(without_password("postgres://tieout:s3cret@db/books"), "postgres://tieout:***@db/books");
        assert_eq!(without_password("postgres://tieout@db/books"), "postgres://tieout@db/books");
    }
}
