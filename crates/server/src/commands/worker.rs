//! `tieout worker`: background work only.
use crate::boot::{self, Failure};
use crate::config::Config;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

pub async fn run(config: Config) -> Result<ExitCode, Failure> {
    let store = boot::open_store(&config).await?;
    let engine = boot::engine(&config, store.clone())?;
    boot::watch_audit(&store).await;
    let shutdown = CancellationToken::new();
    let work = tokio::spawn(engine::worker::work(engine, shutdown.clone()));
    println!("Working in the background; stop with Ctrl-C.");
    boot::stop_signal().await;
    shutdown.cancel();
    let _ = work.await;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
