//! Removes entries of the log that are older than their organization keeps them, and of the audit log that are older than the installation does: in the
//! background, in batches so small that nobody waits for one.
use crate::error::EngineError;
use crate::{Engine, audit, health};
use domain::audit::{Act, Object};
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
        if let Err(error) = prune_audit(&engine, &shutdown).await {
            tracing::error!(%error, "old entries of the audit log could not be removed");
        }
        if let Err(error) = health::prune(&engine).await {
            tracing::error!(%error, "old counts of calls could not be removed");
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

/// The same for the audit log; what is left begins behind the hash of the last entry removed.
pub async fn prune_audit(engine: &Engine, shutdown: &CancellationToken) -> Result<i64, EngineError> {
    let mut removed = 0;
    let organizations = store::audit::list_organizations(&mut engine.store.read().await?).await?;
    let before_ms = engine.now_ms() - engine.audit_days() * DAY_MS;
    for (organization_id, _) in organizations {
        while !shutdown.is_cancelled() && store::audit::has_older(&mut engine.store.read().await?, &organization_id, before_ms).await? {
            let mut tx = engine.store.begin().await?;
            // nothing: another node was faster, or the chain is broken and stays as it is
            let Some((batch, until)) = store::audit::prune(&engine.store, &mut tx, &organization_id, before_ms, BATCH).await? else { break };
            let after = format!("{batch} entries, up to number {until}; kept for {} days", engine.audit_days());
            audit::note(engine, &mut tx, &organization_id, Act::EntriesRemoved, Object::log("Audit log"), "", &after).await?;
            tx.commit().await?;
            removed += batch;
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(removed)
}
