//! Keeping idle authorizations alive: a refresh token that nobody uses dies at the provider.
use crate::Engine;
use crate::error::EngineError;
use crate::limits::Gate;
use providers::provider::CallGate;
use store::connections;
use tokio_util::sync::CancellationToken;

/// Well inside Xero's 60 and QuickBooks' 100 days.
const IDLE_MS: i64 = 20 * 86_400_000;
const AT_ONCE: i64 = 5;

/// Renews authorizations that were not used for twenty days; how many.
pub async fn keep_alive(engine: &Engine) -> Result<usize, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let idle = connections::take_idle(&mut tx, now_ms - IDLE_MS, now_ms, AT_ONCE).await?;
    tx.commit().await?;
    let mut renewed = 0;
    for (connection_id, organization_id, provider) in idle {
        let Ok(provider) = engine.provider(&provider) else { continue };
        let gate = Gate::of_account(engine, &organization_id, &connection_id, provider.clone(), CancellationToken::new()).await?;
        // its access token ended long ago, so that asking for one renews the pair
        match gate.token(None).await {
            Ok(_) => renewed += 1,
            Err(error) => tracing::warn!(connection.id = %connection_id, %error, "an idle authorization could not be renewed"),
        }
        engine.changed(&organization_id, None);
    }
    Ok(renewed)
}
