//! Links for a new password: by mail, by an Owner or Admin, or by whoever runs the server. One link counts at a time, for an hour, once.
use super::{Actor, begin_managing, random_token};
use crate::error::EngineError;
use crate::{Engine, audit};
use domain::audit::Act;
use domain::delivery::DeliveryKind;
use domain::ids::UserId;
use domain::organization::{Refusal, Role};
use store::outbox::{self, NewDelivery};
use store::{Tx, members, sessions};
use url::Url;

/// The purpose of these one-time links.
pub const PURPOSE: &str = "password";
const LIFE_MS: i64 = 3_600_000;

async fn make(engine: &Engine, tx: &mut Tx, user_id: &UserId) -> Result<Url, EngineError> {
    let (token, now_ms) = (random_token(), engine.now_ms());
    sessions::void_links(tx, PURPOSE, user_id, now_ms).await?;
    sessions::insert_link(tx, &token, PURPOSE, Some(user_id), now_ms, now_ms + LIFE_MS).await?;
    Ok(engine.address(&["password", &token]))
}

/// A link for whoever runs the server to hand over.
pub async fn make_link(engine: &Engine, user_id: &UserId) -> Result<Url, EngineError> {
    let mut tx = engine.store.begin().await?;
    let link = make(engine, &mut tx, user_id).await?;
    audit::note_everywhere(engine, &mut tx, user_id, Act::PasswordLinkMade, "to hand over").await?;
    tx.commit().await?;
    Ok(link)
}

/// A link an Owner or Admin hands over to a member. Not for somebody who belongs to other organizations too: it would open those as well.
pub async fn make_link_for(engine: &Engine, actor: &Actor<'_>, target: &UserId) -> Result<Url, EngineError> {
    let (mut tx, own) = begin_managing(engine, actor).await?;
    let role = members::role_of(&mut tx, actor.organization_id, target).await?.ok_or(EngineError::NotFound)?;
    if role == Role::Owner && own != Role::Owner {
        return Err(Refusal::OwnersOnly.into());
    }
    if members::list_organizations(&mut tx, target).await?.len() > 1 {
        return Err(EngineError::Refused(
            "This person belongs to other organizations too; their password is theirs alone. They can ask for a new one on the sign-in page."
                .to_owned(),
        ));
    }
    let link = make(engine, &mut tx, target).await?;
    audit::note_everywhere(engine, &mut tx, target, Act::PasswordLinkMade, "to hand over").await?;
    tx.commit().await?;
    Ok(link)
}

/// Mails a link to this address, if somebody has it. The caller tells the same either way.
pub async fn request(engine: &Engine, email: &str) -> Result<(), EngineError> {
    if !engine.can_mail() {
        return Ok(());
    }
    let mut tx = engine.store.begin().await?;
    let Some(user) = members::find_user_by_email(&mut tx, email).await? else { return Ok(()) };
    let link = make(engine, &mut tx, &user.id).await?;
    let body = format!(
        "Hello {},\n\nsomebody asked for a new password for your account at Tieout. If it was you, choose one here within an hour:\n\n{link}\n\n\
         If it was not you, ignore this mail; your password stays.\n",
        user.name
    );
    let new = NewDelivery {
        id: engine.make_id(),
        organization_id: None,
        kind: DeliveryKind::Mail,
        recipient: &user.email,
        subject: "A new password for Tieout",
        body: &body,
        dedupe_key: None,
        now_ms: engine.now_ms(),
    };
    outbox::put(&engine.store, &mut tx, &new).await?;
    audit::note_everywhere(engine, &mut tx, &user.id, Act::PasswordLinkMade, "sent by mail").await?;
    tx.commit().await?;
    engine.wake_delivery();
    Ok(())
}

/// Uses a link up and sets the password; every session of the person ends. `None`: the link does not work (any more).
pub async fn set(engine: &Engine, token: &str, password_hash: &str) -> Result<Option<UserId>, EngineError> {
    let mut tx = engine.store.begin().await?;
    let Some(user_id) = sessions::take_link(&mut tx, token, PURPOSE, engine.now_ms()).await?.flatten() else { return Ok(None) };
    members::set_password(&mut tx, &user_id, password_hash).await?;
    sessions::delete_all_of(&mut tx, &user_id).await?;
    audit::note_everywhere(engine, &mut tx, &user_id, Act::PasswordSet, "with a link").await?;
    tx.commit().await?;
    Ok(Some(user_id))
}
