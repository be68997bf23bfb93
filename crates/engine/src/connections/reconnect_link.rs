//! The reconnect link: lets whoever owns the books repair one connection, once, within a week, without an account here.
use super::authorize::{Who, begin};
use super::{Happening, note};
use crate::Engine;
use crate::error::EngineError;
use domain::ids::{ConnectionId, OrganizationId, UserId};
use providers::oauth::random_text;
use store::connections;
use store::reconnect_links::{self, NewLink};
use url::Url;

const LINK_MS: i64 = 7 * 86_400_000;

/// Makes a link for a connection; those made before end. Its token.
pub async fn make_reconnect_link(
    engine: &Engine,
    organization_id: &OrganizationId,
    connection_id: &ConnectionId,
    user_id: &UserId,
) -> Result<String, EngineError> {
    let now_ms = engine.now_ms();
    let token = random_text().expose().to_owned();
    let mut tx = engine.store.begin().await?;
    connections::find(&mut tx, organization_id, connection_id).await?.filter(|c| c.disconnected_at.is_none()).ok_or(EngineError::NotFound)?;
    let new = NewLink { token: &token, organization_id, connection_id, made_by: user_id, now_ms, expires_at: now_ms + LINK_MS };
    reconnect_links::insert(&engine.store, &mut tx, &new).await?;
    note(engine, &mut tx, organization_id, connection_id, Happening::LinkMade, Some(user_id), None).await?;
    tx.commit().await?;
    engine.changed(organization_id, None);
    Ok(token)
}

/// Follows a link to the provider's consent page. The authorization is bound to `session_hash`, a session of the link's own. `None` when the link does
/// not work (any more).
pub async fn follow_link(engine: &Engine, token: &str, session_hash: &str) -> Result<Option<Url>, EngineError> {
    let now_ms = engine.now_ms();
    let mut conn = engine.store.read().await?;
    let link = reconnect_links::find(&mut conn, token).await?.filter(|link| link.used_at.is_none() && link.expires_at > now_ms);
    let Some(link) = link else { return Ok(None) };
    let connection = connections::find(&mut conn, &link.organization_id, &link.connection_id).await?;
    drop(conn);
    let Some(connection) = connection.filter(|connection| connection.disconnected_at.is_none()) else { return Ok(None) };
    let who = Who { organization_id: &link.organization_id, user_id: &link.made_by, session_hash };
    Ok(Some(begin(engine, &who, &connection.provider, Some(&link.connection_id), Some(&link.token_hash)).await?))
}
