//! `tieout migrate`: opening the database brings its schema up to date.
use crate::boot::{self, Failure};
use crate::config::Config;
use std::process::ExitCode;

pub async fn run(config: Config) -> Result<ExitCode, Failure> {
    let store = boot::open_store(&config).await?;
    println!("The schema is up to date ({}).", if store.is_postgres() { "PostgreSQL" } else { "SQLite" });
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
