//! Removes log entries that are older than their organization keeps them: in the background, in batches so small that nobody waits for one.
use crate::Engine;
use crate::error::EngineError;
use std::time::Duration;
use store::log_retention;
use store::run_days::DAY_MS;
use tokio_util::sync::CancellationToken;

/// Entries of one batch: removing them takes less than a tenth of a second.
const BATCH: i64 = 1_000;
/// Others write in between.
const PAUSE: Duration = Duration::from_millis(100);
const EVERY: Duration = Duration::from_secs(15 * 60);

/// Prunes until `shutdown`.
pub async fn keep(engine: Engine, shutdown: CancellationToken) {
    loop {
        if let Err(error) = prune(&engine, &shutdown).await {
            tracing::error!(%error, "old log entries could not be removed");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Removes everything that is due to go, of every organization; how many entries.
pub async fn prune(engine: &Engine, shutdown: &CancellationToken) -> Result<i64, EngineError> {
    let mut removed = 0;
    let kept = log_retention::list(&mut engine.store.read().await?).await?;
    for (organization_id, days) in kept {
        let before_ms = engine.now_ms() - days * DAY_MS;
        let mut of_organization = 0;
        // an organization with nothing to remove costs no write transaction
        while !shutdown.is_cancelled() && log_retention::count_older(&mut engine.store.read().await?, &organization_id, before_ms, 1).await? > 0 {
            let mut tx = engine.store.begin().await?;
            let batch = log_retention::prune(&mut tx, &organization_id, before_ms, BATCH).await?;
            tx.commit().await?;
            of_organization += batch;
            // what is left is in the hands of another node
            if batch == 0 {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if of_organization > 0 {
            tracing::info!(organization.id = %organization_id, removed = of_organization, days, "old log entries removed");
            engine.changed(&organization_id, None);
        }
        removed += of_organization;
    }
    Ok(removed)
}
