//! What a person changes about themselves: their name, their address, their password, and where they are signed in. Whoever calls has asked for the present
//! password first.
use super::second_factor::NOT_YOU;
use super::{mail, passwords, random_token};
use crate::error::EngineError;
use crate::{Engine, audit};
use domain::audit::Act;
use domain::ids::UserId;
use store::email_changes::{self, EmailChange};
use store::{members, sessions};

const EMAIL_LIFE_MS: i64 = 24 * 3_600_000;

pub async fn rename(engine: &Engine, user_id: &UserId, name: &str) -> Result<(), EngineError> {
    let mut tx = engine.store.begin().await?;
    let before = members::find_user(&mut tx, user_id).await?.ok_or(EngineError::NotFound)?.name;
    members::set_name(&mut tx, user_id, name.trim()).await?;
    audit::note_everywhere(engine, &mut tx, user_id, Act::PersonRenamed, &format!("before: {before}")).await?;
    tx.commit().await?;
    Ok(())
}

/// What becomes of another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// A mail went there; it counts once the link in it is followed.
    Mailed,
    /// This server sends no mail: it counts at once.
    Changed,
    /// Somebody else signs in with it; told only where no mail can ask.
    Taken,
}

/// Asks for another address. Where there is mail the answer is the same whether somebody has an account there or not: that address is told.
pub async fn change_email(engine: &Engine, user_id: &UserId, email: &str) -> Result<Address, EngineError> {
    let email = email.trim().to_lowercase();
    let mut tx = engine.store.begin().await?;
    let user = members::find_user(&mut tx, user_id).await?.ok_or(EngineError::NotFound)?;
    if !engine.can_mail() {
        if !members::set_email(&mut tx, user_id, &email).await? {
            return Ok(Address::Taken);
        }
        email_changes::delete_of(&mut tx, user_id).await?;
        audit::note_everywhere(engine, &mut tx, user_id, Act::EmailChanged, &email).await?;
        tx.commit().await?;
        return Ok(Address::Changed);
    }
    if members::find_user_by_email(&mut tx, &email).await?.is_some() {
        let body = "Hello,\n\nsomebody wants to sign in to Tieout with this address. It has an account of its own already, so nothing was changed.\n\n\
                    If it was you, sign in with that account. If not, ignore this mail.\n";
        mail(engine, &mut tx, &email, "This address has an account at Tieout", body).await?;
    } else {
        let token = random_token();
        email_changes::put(&mut tx, &token, &EmailChange { user_id: user_id.clone(), email: email.clone() }, engine.now_ms() + EMAIL_LIFE_MS).await?;
        let link = engine.address(&["profile", "email", &token]);
        let body = format!(
            "Hello {},\n\nyou asked to sign in to Tieout with this address from now on. Confirm it here within a day:\n\n{link}\n\n\
             If it was not you, ignore this mail; nothing is changed.\n",
            user.name
        );
        mail(engine, &mut tx, &email, "Confirm your new address for Tieout", &body).await?;
    }
    tx.commit().await?;
    engine.wake_delivery();
    Ok(Address::Mailed)
}

/// Follows the link that was mailed to a new address; the old one is told. `None`: the link does not work (any more), or somebody else has the address by now.
pub async fn confirm_email(engine: &Engine, token: &str) -> Result<Option<String>, EngineError> {
    let mut tx = engine.store.begin().await?;
    let Some(change) = email_changes::find(&mut tx, token, engine.now_ms()).await? else { return Ok(None) };
    let user = members::find_user(&mut tx, &change.user_id).await?.ok_or(EngineError::NotFound)?;
    if !email_changes::delete_of(&mut tx, &change.user_id).await? || !members::set_email(&mut tx, &change.user_id, &change.email).await? {
        return Ok(None);
    }
    audit::note_everywhere(engine, &mut tx, &change.user_id, Act::EmailChanged, &change.email).await?;
    // a link for a new password that lies in the old mailbox opens nothing
    sessions::void_links(&mut tx, passwords::PURPOSE, &change.user_id, engine.now_ms()).await?;
    let body = format!("Hello {},\n\nyou sign in to Tieout with {} from now on, no longer with this address.\n\n{NOT_YOU}", user.name, change.email);
    mail(engine, &mut tx, &user.email, "Your address for Tieout was changed", &body).await?;
    tx.commit().await?;
    engine.wake_delivery();
    Ok(Some(change.email))
}

/// Sets a new password; every other session of the person ends, and so do links for a new one.
pub async fn change_password(engine: &Engine, user_id: &UserId, kept_session: &str, password_hash: &str) -> Result<(), EngineError> {
    let mut tx = engine.store.begin().await?;
    let user = members::find_user(&mut tx, user_id).await?.ok_or(EngineError::NotFound)?;
    members::set_password(&mut tx, user_id, password_hash).await?;
    audit::note_everywhere(engine, &mut tx, user_id, Act::PasswordSet, "with the present one").await?;
    let ended = sessions::delete_others(&mut tx, user_id, kept_session).await?;
    sessions::void_links(&mut tx, passwords::PURPOSE, user_id, engine.now_ms()).await?;
    let body = format!("Hello {},\n\nyour password for Tieout was changed. You are signed out everywhere else.\n\n{NOT_YOU}", user.name);
    mail(engine, &mut tx, &user.email, "Your password for Tieout was changed", &body).await?;
    tx.commit().await?;
    engine.wake_delivery();
    ended.iter().for_each(|organization_id| engine.changed(organization_id, None));
    Ok(())
}

/// Ends one session of a person; what it has open ends too. False when it had ended.
pub async fn end_session(engine: &Engine, user_id: &UserId, hash: &str) -> Result<bool, EngineError> {
    let mut tx = engine.store.begin().await?;
    let ended = sessions::delete_one(&mut tx, user_id, hash).await?;
    if ended.is_some() {
        audit::note_everywhere(engine, &mut tx, user_id, Act::SessionsEnded, "one").await?;
    }
    tx.commit().await?;
    ended.iter().for_each(|organization_id| engine.changed(organization_id, None));
    Ok(ended.is_some())
}

/// Ends every session of a person but one; how many that were.
pub async fn end_other_sessions(engine: &Engine, user_id: &UserId, kept_session: &str) -> Result<usize, EngineError> {
    let mut tx = engine.store.begin().await?;
    let ended = sessions::delete_others(&mut tx, user_id, kept_session).await?;
    if !ended.is_empty() {
        audit::note_everywhere(engine, &mut tx, user_id, Act::SessionsEnded, &format!("all others: {}", ended.len())).await?;
    }
    tx.commit().await?;
    ended.iter().for_each(|organization_id| engine.changed(organization_id, None));
    Ok(ended.len())
}
