//! Why no company appears: the three checks, asked of the provider and of our own data now.
use crate::Engine;
use crate::error::EngineError;
use crate::limits::Gate;
use domain::ids::{CompanyId, ConnectionId, OrganizationId};
use jiff::Timestamp;
use providers::oauth::{Grant, Secret, TokenPair};
use providers::provider::CallGate;
use store::companies::{self, Company, Found};
use store::connections;
use tokio_util::sync::CancellationToken;

/// What the checks found.
#[derive(Clone, Debug)]
pub struct Checks {
    /// Companies the account reaches at this moment, or why that cannot be told.
    pub reached: Result<usize, String>,
    /// Companies its latest consent was given for.
    pub granted: usize,
    /// Companies it sees that nobody has linked.
    pub linkable: usize,
    /// Companies it sees that are linked, with the account each is synced through.
    pub linked: Vec<Company>,
}

/// Looks anew at what an account reaches, and notes companies that have appeared since.
pub async fn check_companies(engine: &Engine, organization_id: &OrganizationId, connection_id: &ConnectionId) -> Result<Checks, EngineError> {
    let mut conn = engine.store.read().await?;
    let connection =
        connections::find(&mut conn, organization_id, connection_id).await?.filter(|c| c.disconnected_at.is_none()).ok_or(EngineError::NotFound)?;
    let known = companies::list_by_connection(&mut conn, connection_id).await?;
    let company_hint = match known.first() {
        Some((company, _)) => companies::remote_id(&engine.store, &mut conn, &company.id).await?,
        None => None,
    };
    drop(conn);
    let provider = engine.provider(&connection.provider)?.clone();
    let gate = Gate::of_account(engine, organization_id, connection_id, provider.clone(), CancellationToken::new()).await?;
    let remote = match gate.token(None).await {
        Ok(access) => {
            let none = Secret::new("");
            let ends = Timestamp::UNIX_EPOCH;
            let tokens = TokenPair { access, refresh: none, access_expires_at: ends, refresh_expires_at: ends, scope: connection.scope.clone() };
            provider.companies(&Grant { tokens, company_hint }).await
        }
        Err(error) => Err(error),
    };
    let reached = match remote {
        Ok(remote) => {
            let mut tx = engine.store.begin().await?;
            for company in &remote {
                let found = Found {
                    id: CompanyId(engine.make_id()),
                    organization_id,
                    connection_id,
                    provider: &connection.provider,
                    remote_id: &company.id,
                    name: &company.name,
                    newly_granted: company.newly_granted,
                    now_ms: engine.now_ms(),
                };
                companies::put_found(&engine.store, &mut tx, &found).await?;
            }
            tx.commit().await?;
            Ok(remote.len())
        }
        Err(error) => Err(error.problem().sentence),
    };
    let seen = companies::list_by_connection(&mut engine.store.read().await?, connection_id).await?;
    let granted = seen.iter().filter(|(_, granted_at)| granted_at.is_some()).count();
    let (linked, open): (Vec<_>, Vec<_>) = seen.into_iter().map(|(company, _)| company).partition(|company| company.linked_at.is_some());
    Ok(Checks { reached, granted, linkable: open.len(), linked })
}
