//! The reconnect link: lets whoever owns the books repair one connection, once, within a week, without an account here.
use super::authorize::{Who, begin};
use super::{Happening, note};
use crate::delivery::one_line;
use crate::error::EngineError;
use crate::{Engine, audit};
use domain::audit::{Act, Object};
use domain::delivery::DeliveryKind;
use domain::ids::{ConnectionId, OrganizationId, UserId};
use providers::oauth::random_text;
use store::connections::{self, Connection};
use store::outbox::{self, NewDelivery};
use store::reconnect_links::{self, NewLink};
use store::{Tx, members};
use url::Url;

const LINK_MS: i64 = 7 * 86_400_000;

/// Makes a link for a connection; those made before end. Its token.
pub async fn make_reconnect_link(
    engine: &Engine,
    organization_id: &OrganizationId,
    connection_id: &ConnectionId,
    user_id: &UserId,
) -> Result<String, EngineError> {
    let mut tx = engine.store.begin().await?;
    let connection = connected(&mut tx, organization_id, connection_id).await?;
    let token = insert(engine, &mut tx, organization_id, connection_id, user_id).await?;
    let account = Object::account(connection_id, connection.shown_name());
    audit::note(engine, &mut tx, organization_id, Act::ReconnectLinkMade, account, "", "for seven days").await?;
    tx.commit().await?;
    engine.changed(organization_id, None);
    Ok(token)
}

/// Mails the link of a connection at `service`, as people call it, to whoever owns the books; one that works is sent again, otherwise it is made.
pub async fn mail_reconnect_link(
    engine: &Engine,
    organization_id: &OrganizationId,
    connection_id: &ConnectionId,
    user_id: &UserId,
    service: &str,
    email: &str,
) -> Result<(), EngineError> {
    if !engine.can_mail() {
        return Err(EngineError::Refused("This server sends no mail. Copy the link and hand it over.".to_owned()));
    }
    let mut tx = engine.store.begin().await?;
    let connection = connected(&mut tx, organization_id, connection_id).await?;
    let token = match reconnect_links::find_open(&engine.store, &mut tx, connection_id, engine.now_ms()).await? {
        Some((token, _)) => token,
        None => insert(engine, &mut tx, organization_id, connection_id, user_id).await?,
    };
    let organization = members::organization_name(&mut tx, organization_id).await?.unwrap_or_default();
    let asker = members::find_user(&mut tx, user_id).await?.map(|user| user.name).unwrap_or_default();
    let body = format!(
        "Hello,\n\n{asker} of {organization} reads the books of {} at {service} with Tieout, and {service} asks for your sign-in again.\n\n\
         Follow this link and sign in at {service} once:\n\n{}\n\nYou need no account with Tieout. The link works once, within seven days, and can only \
         repair this one connection. If you do not know {asker}, ignore this mail.\n",
        connection.shown_name(),
        engine.address(&["reconnect", &token]),
    );
    let new = NewDelivery {
        id: engine.make_id(),
        organization_id: Some(organization_id),
        kind: DeliveryKind::Mail,
        recipient: email,
        subject: &one_line(&format!("{organization} asks you to reconnect {service}")),
        body: &body,
        dedupe_key: None,
        now_ms: engine.now_ms(),
    };
    outbox::put(&engine.store, &mut tx, &new).await?;
    let account = Object::account(connection_id, connection.shown_name());
    audit::note(engine, &mut tx, organization_id, Act::ReconnectLinkMade, account, "", &format!("mailed to {email}")).await?;
    tx.commit().await?;
    engine.wake_delivery();
    engine.changed(organization_id, None);
    Ok(())
}

async fn connected(tx: &mut Tx, organization_id: &OrganizationId, id: &ConnectionId) -> Result<Connection, EngineError> {
    let connection = connections::find(tx, organization_id, id).await?;
    connection.filter(|connection| connection.disconnected_at.is_none()).ok_or(EngineError::NotFound)
}

async fn insert(
    engine: &Engine,
    tx: &mut Tx,
    organization_id: &OrganizationId,
    connection_id: &ConnectionId,
    user_id: &UserId,
) -> Result<String, EngineError> {
    let now_ms = engine.now_ms();
    let token = random_text().expose().to_owned();
    let new = NewLink { token: &token, organization_id, connection_id, made_by: user_id, now_ms, expires_at: now_ms + LINK_MS };
    reconnect_links::insert(&engine.store, tx, &new).await?;
    note(engine, tx, organization_id, connection_id, Happening::LinkMade, Some(user_id), None).await?;
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
