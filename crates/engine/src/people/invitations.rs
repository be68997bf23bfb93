//! Inviting people: a link for one address, sent by mail where there is a mail server, good for three days and once.
use super::{Actor, begin_managing, random_token};
use crate::delivery::one_line;
use crate::error::EngineError;
use crate::{Engine, audit};
use domain::audit::{Act, Object, ObjectKind};
use domain::delivery::DeliveryKind;
use domain::ids::{CompanyId, OrganizationId, UserId};
use domain::organization::Role;
use store::invitations::{self, Ending, Invitation, NewInvitation};
use store::members::{self, User};
use store::outbox::{self, NewDelivery};
use store::readers::Reader;
use store::{Tx, readers};
use url::Url;

const LIFE_MS: i64 = 72 * 3_600_000;
/// One form invites at most this many.
pub const MOST_AT_ONCE: usize = 50;

/// Why an address cannot be invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    Member,
    Invited,
}

/// Invites every address or none; `Ok(Err(..))` names those that stand in the way.
pub async fn invite(
    engine: &Engine,
    actor: &Actor<'_>,
    emails: &[String],
    role: Role,
    company_ids: &[CompanyId],
) -> Result<Result<usize, Vec<(String, Obstacle)>>, EngineError> {
    if role == Role::Owner {
        return Err(EngineError::NotAllowed("Nobody is invited as an Owner. Invite an Admin, and promote after joining.".to_owned()));
    }
    let (mut tx, _) = begin_managing(engine, actor).await?;
    let now_ms = engine.now_ms();
    let present = members::list(&mut tx, actor.organization_id).await?;
    let companies = store::companies::list_names(&mut tx, actor.organization_id, &Reader::Everything).await?;
    let company_ids: Vec<CompanyId> =
        company_ids.iter().filter(|id| role == Role::Member && companies.iter().any(|company| company.id == **id)).cloned().collect();
    let mut obstacles = Vec::new();
    for email in emails {
        if present.iter().any(|member| member.email == *email) {
            obstacles.push((email.clone(), Obstacle::Member));
            continue;
        }
        let (id, token) = (engine.make_id(), random_token());
        let new = NewInvitation {
            id: &id,
            organization_id: actor.organization_id,
            email,
            role,
            company_ids: &company_ids,
            token: &token,
            invited_by: actor.user_id,
            now_ms,
            expires_at: now_ms + LIFE_MS,
        };
        if !invitations::insert(&engine.store, &mut tx, &new).await? {
            obstacles.push((email.clone(), Obstacle::Invited));
            continue;
        }
        let invitation = invitations::find(&mut tx, actor.organization_id, &id).await?.ok_or(EngineError::NotFound)?;
        post(engine, &mut tx, &invitation).await?;
    }
    if !obstacles.is_empty() {
        return Ok(Err(obstacles));
    }
    for email in emails {
        audit::note(engine, &mut tx, actor.organization_id, Act::Invited, invited(email), "", role.label()).await?;
    }
    tx.commit().await?;
    engine.wake_delivery();
    Ok(Ok(emails.len()))
}

/// The link of an invitation, for whoever manages members to copy.
pub fn link(engine: &Engine, invitation: &Invitation) -> Result<Url, EngineError> {
    let token = invitation.token(&engine.store)?;
    Ok(engine.address(&["invitations", &token]))
}

/// Puts the mail into the outbox, where there is a mail server.
async fn post(engine: &Engine, tx: &mut Tx, invitation: &Invitation) -> Result<(), EngineError> {
    if !engine.can_mail() {
        return Ok(());
    }
    let link = link(engine, invitation)?;
    let Invitation { organization_name, invited_by, role, .. } = invitation;
    let body = format!(
        "Hello,\n\n{invited_by} invites you to {organization_name} on Tieout, as {}.\n\n{}\n\nAccept or decline here, within three days:\n\n{link}\n\n\
         The invitation is for {} only. If you did not expect it, ignore this mail.\n",
        role.label(),
        role.allows(),
        invitation.email,
    );
    let subject = format!("{} invites you to {}", one_line(invited_by), one_line(organization_name));
    let new = NewDelivery {
        id: engine.make_id(),
        organization_id: Some(&invitation.organization_id),
        kind: DeliveryKind::Mail,
        recipient: &invitation.email,
        subject: &subject,
        body: &body,
        dedupe_key: None,
        now_ms: engine.now_ms(),
    };
    outbox::put(&engine.store, tx, &new).await?;
    Ok(())
}

/// Sends an invitation once more; its three days begin again and its link stays.
pub async fn resend(engine: &Engine, actor: &Actor<'_>, id: &str) -> Result<Invitation, EngineError> {
    let (mut tx, _) = begin_managing(engine, actor).await?;
    let now_ms = engine.now_ms();
    let invitation = invitations::find(&mut tx, actor.organization_id, id).await?.ok_or(EngineError::NotFound)?;
    if !invitations::renew(&mut tx, id, now_ms, now_ms + LIFE_MS).await? {
        return Err(EngineError::Refused(format!("The invitation of {} has ended already.", invitation.email)));
    }
    post(engine, &mut tx, &invitation).await?;
    audit::note(engine, &mut tx, actor.organization_id, Act::InvitationResent, invited(&invitation.email), "", invitation.role.label()).await?;
    tx.commit().await?;
    engine.wake_delivery();
    Ok(invitation)
}

pub async fn cancel(engine: &Engine, actor: &Actor<'_>, id: &str) -> Result<Invitation, EngineError> {
    let (mut tx, _) = begin_managing(engine, actor).await?;
    let invitation = invitations::find(&mut tx, actor.organization_id, id).await?.ok_or(EngineError::NotFound)?;
    if !invitations::end(&mut tx, id, Ending::Cancelled, engine.now_ms()).await? {
        return Err(EngineError::Refused(format!("The invitation of {} has ended already.", invitation.email)));
    }
    audit::note(engine, &mut tx, actor.organization_id, Act::InvitationCancelled, invited(&invitation.email), invitation.role.label(), "").await?;
    tx.commit().await?;
    Ok(invitation)
}

/// An invitation as the object of an act: it is known by its address.
fn invited(email: &str) -> Object {
    Object::new(ObjectKind::Invitation, "", email)
}

/// Who accepts.
pub enum Guest<'a> {
    /// Somebody who is signed in.
    Known(&'a UserId),
    /// A new person, who chose a name and a password.
    New { name: &'a str, password_hash: String },
}

/// How an acceptance ends.
#[derive(Debug, PartialEq, Eq)]
pub enum Accepted {
    Joined(OrganizationId, UserId),
    /// Unknown, used, cancelled or expired.
    Void,
    /// It is for another address than the signed-in person's.
    OtherAddress,
    /// There is an account of this address: its owner signs in instead of making another.
    HasAccount,
}

/// Joins: invitation, person, membership and companies in one transaction.
pub async fn accept(engine: &Engine, token: &str, guest: Guest<'_>) -> Result<Accepted, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let Some(invitation) = invitations::find_by_token(&mut tx, token).await? else { return Ok(Accepted::Void) };
    members::lock(&mut tx, &invitation.organization_id).await?;
    let user_id = match guest {
        Guest::Known(user_id) => {
            let user = members::find_user(&mut tx, user_id).await?.ok_or(EngineError::NotFound)?;
            if user.email != invitation.email {
                return Ok(Accepted::OtherAddress);
            }
            user.id
        }
        Guest::New { name, password_hash } => {
            let user = User {
                id: UserId(engine.make_id()),
                email: invitation.email.clone(),
                name: name.trim().to_owned(),
                password_hash: Some(password_hash),
            };
            if !members::insert_user(&mut tx, &user, now_ms).await? {
                return Ok(Accepted::HasAccount);
            }
            user.id
        }
    };
    if !invitations::end(&mut tx, &invitation.id, Ending::Accepted, now_ms).await? {
        return Ok(Accepted::Void);
    }
    // somebody who joined by another way meanwhile keeps the role they have
    if members::role_of(&mut tx, &invitation.organization_id, &user_id).await?.is_none() {
        members::add(&mut tx, &invitation.organization_id, &user_id, invitation.role, now_ms).await?;
    }
    for company_id in &invitation.company_ids {
        readers::add(&mut tx, &invitation.organization_id, &user_id, company_id, now_ms).await?;
    }
    let (object, role) = (invited(&invitation.email), invitation.role.label());
    audit::note_by(engine, &mut tx, &invitation.organization_id, &user_id, Act::InvitationAccepted, Some(object), role).await?;
    tx.commit().await?;
    engine.changed(&invitation.organization_id, None);
    Ok(Accepted::Joined(invitation.organization_id, user_id))
}

/// Says no, with the link alone: whoever got it may. False when it had ended.
pub async fn decline(engine: &Engine, token: &str) -> Result<bool, EngineError> {
    let mut tx = engine.store.begin().await?;
    let Some(invitation) = invitations::find_by_token(&mut tx, token).await? else { return Ok(false) };
    let declined = invitations::end(&mut tx, &invitation.id, Ending::Declined, engine.now_ms()).await?;
    if declined {
        audit::note(engine, &mut tx, &invitation.organization_id, Act::InvitationDeclined, invited(&invitation.email), "", "").await?;
    }
    tx.commit().await?;
    engine.changed(&invitation.organization_id, None);
    Ok(declined)
}
