//! Named values of the installation itself.
use crate::args;
use crate::db::Conn;
use crate::error::StoreError;

pub async fn find(conn: &mut Conn, name: &str) -> Result<Option<String>, StoreError> {
    conn.query_opt("SELECT value FROM settings WHERE name = $1", args![name]).await?.map(|row| row.text(0)).transpose()
}

pub async fn set(conn: &mut Conn, name: &str, value: &str) -> Result<(), StoreError> {
    conn.execute("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", args![name, value])
        .await?;
    Ok(())
}
