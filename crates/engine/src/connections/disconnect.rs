//! Disconnect: here at once, then at the provider; the data stay readable or go for good.
use super::{Happening, note};
use crate::error::EngineError;
use crate::{Engine, audit, logbook};
use domain::audit::{Act, Object};
use domain::ids::{CompanyId, ConnectionId, OrganizationId, UserId};
use domain::log::{LogMessage, Settled};
use providers::oauth::Secret;
use store::companies::{self, Found};
use store::connections;

/// How long to wait before a revocation is asked for again.
const REVOCATION_RETRY_MS: i64 = 10 * 60_000;

/// What becomes of the data of the companies that were synced through an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Everything stays readable; nothing is synced any more.
    Keep,
    /// Every row of them is deleted.
    Erase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnected {
    /// The provider confirmed that the authorization is revoked.
    pub is_revoked: bool,
    /// Companies whose data were erased.
    pub erased: usize,
}

/// Ends a connection: here at once, then at the provider.
pub async fn disconnect(
    engine: &Engine,
    organization_id: &OrganizationId,
    connection_id: &ConnectionId,
    user_id: Option<&UserId>,
    data: Data,
) -> Result<Disconnected, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let connection =
        connections::find(&mut tx, organization_id, connection_id).await?.filter(|c| c.disconnected_at.is_none()).ok_or(EngineError::NotFound)?;
    let refresh = connections::refresh_token(&engine.store, &mut tx, connection_id).await?;
    let mut own = Vec::new();
    for company in companies::list_through(&mut tx, connection_id).await? {
        if let Some(run) = &company.run {
            store::runs::cancel(&mut tx, &run.id, now_ms).await?;
        }
        own.push(company);
    }
    connections::disconnect(&mut tx, connection_id, now_ms).await?;
    store::reconnect_links::end_all(&mut tx, connection_id, now_ms).await?;
    note(engine, &mut tx, organization_id, connection_id, Happening::Disconnected, user_id, None).await?;
    let erased = if data == Data::Erase {
        erase(engine, &mut tx, &own, Settled::Disconnected).await?;
        own.len()
    } else {
        0
    };
    if erased > 0 {
        let message = LogMessage::DataErased { companies: erased as u64 };
        logbook::about_connection(&mut tx, organization_id, &connection, &message, now_ms).await?;
    }
    let after = if data == Data::Erase { format!("data of {erased} companies erased") } else { "data kept".to_owned() };
    let account = Object::account(connection_id, connection.shown_name());
    audit::note(engine, &mut tx, organization_id, Act::AccountDisconnected, account, "", &after).await?;
    tx.commit().await?;
    engine.changed(organization_id, None);

    let is_revoked = revoke(engine, &connection.provider, connection_id, refresh).await;
    let mut tx = engine.store.begin().await?;
    if is_revoked {
        connections::revocation_confirmed(&engine.store, &mut tx, connection_id).await?;
    }
    let message = LogMessage::AccountDisconnected { revoked: is_revoked };
    logbook::about_connection(&mut tx, organization_id, &connection, &message, engine.now_ms()).await?;
    tx.commit().await?;
    engine.changed(organization_id, None);
    Ok(Disconnected { is_revoked, erased })
}

/// What became of companies that were erased.
pub(super) struct Erased {
    pub rows: u64,
    /// Companies that an account still sees: they are offered anew.
    pub offered: usize,
}

/// Deletes every row of these companies. Those that another account still sees are offered anew, with nothing imported.
pub(super) async fn erase(engine: &Engine, tx: &mut store::Tx, own: &[companies::Company], by: Settled) -> Result<Erased, EngineError> {
    let now_ms = engine.now_ms();
    let mut seen_elsewhere = Vec::new();
    for company in own {
        let others = companies::list_seen_by(tx, &company.id).await?;
        if !others.is_empty()
            && let Some(remote_id) = companies::remote_id(&engine.store, tx, &company.id).await?
        {
            seen_elsewhere.push((company, remote_id, others));
        }
    }
    let ids: Vec<CompanyId> = own.iter().map(|company| company.id.clone()).collect();
    for id in &ids {
        // nobody is stopped by what no longer exists
        store::incidents::settle_company(tx, id, by, now_ms).await?;
    }
    let rows = store::erasure::erase_companies(tx, &ids, now_ms).await?;
    let offered = seen_elsewhere.len();
    for (company, remote_id, others) in seen_elsewhere {
        let id = CompanyId(engine.make_id());
        for connection_id in &others {
            let found = Found {
                id: id.clone(),
                organization_id: &company.organization_id,
                connection_id,
                provider: &company.provider,
                remote_id: &remote_id,
                name: &company.name,
                newly_granted: false,
                now_ms,
            };
            companies::put_found(&engine.store, tx, &found).await?;
        }
    }
    Ok(Erased { rows, offered })
}

/// Asks the provider to end an authorization; whether it confirmed.
async fn revoke(engine: &Engine, provider: &str, connection_id: &ConnectionId, refresh: Option<String>) -> bool {
    let (Ok(provider), Some(refresh)) = (engine.provider(provider), refresh) else { return false };
    match provider.revoke(&Secret::new(refresh)).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(connection.id = %connection_id, error = %error, "revocation not confirmed");
            false
        }
    }
}

/// Asks again for revocations that a provider has not confirmed, each every ten minutes until it does; how many were confirmed.
pub async fn retry_revocations(engine: &Engine) -> Result<usize, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let pending = connections::take_pending_revocations(&mut tx, now_ms - REVOCATION_RETRY_MS, now_ms).await?;
    tx.commit().await?;
    let mut confirmed = 0;
    for (connection_id, organization_id, provider) in pending {
        let refresh = connections::refresh_token(&engine.store, &mut engine.store.read().await?, &connection_id).await?;
        if !revoke(engine, &provider, &connection_id, refresh).await {
            continue;
        }
        confirmed += 1;
        let mut tx = engine.store.begin().await?;
        connections::revocation_confirmed(&engine.store, &mut tx, &connection_id).await?;
        if let Some(connection) = connections::find(&mut tx, &organization_id, &connection_id).await? {
            let message = LogMessage::AccountDisconnected { revoked: true };
            logbook::about_connection(&mut tx, &organization_id, &connection, &message, engine.now_ms()).await?;
        }
        tx.commit().await?;
        engine.changed(&organization_id, None);
    }
    Ok(confirmed)
}
