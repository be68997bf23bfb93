//! Who belongs to an organization, in which role, and which companies a Member reads; and what a person's own account holds.
pub mod invitations;
pub mod passwords;
pub mod profile;
pub mod second_factor;

use crate::error::EngineError;
use crate::{Engine, audit};
use domain::audit::{Act, Object};
use domain::delivery::DeliveryKind;
use domain::ids::{CompanyId, OrganizationId, UserId};
use domain::organization::{Action, Refusal, Role, may_remove, may_set_role};
use std::collections::BTreeMap;
use store::outbox::{self, NewDelivery};
use store::{Tx, members, readers};

/// Who asks, in which organization. The role is read again in every transaction that changes something.
#[derive(Clone, Copy)]
pub struct Actor<'a> {
    pub organization_id: &'a OrganizationId,
    pub user_id: &'a UserId,
    /// The most that is done in this person's name: a key of the API may be given less than its maker has.
    pub at_most: Role,
}

impl<'a> Actor<'a> {
    /// Somebody who acts with all their role allows.
    pub fn person(organization_id: &'a OrganizationId, user_id: &'a UserId) -> Actor<'a> {
        Actor { organization_id, user_id, at_most: Role::Owner }
    }
}

impl From<Refusal> for EngineError {
    fn from(refusal: Refusal) -> EngineError {
        if refusal.is_about_the_person() {
            EngineError::NotAllowed(refusal.sentence().to_owned())
        } else {
            EngineError::Refused(refusal.sentence().to_owned())
        }
    }
}

/// The secret of a link: 256 random bits.
fn random_token() -> String {
    let mut random = [0u8; 32];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    hex::encode(random)
}

/// Tells a person by mail what happened to their account, where there is a mail server.
async fn mail(engine: &Engine, tx: &mut Tx, recipient: &str, subject: &str, body: &str) -> Result<(), EngineError> {
    if !engine.can_mail() {
        return Ok(());
    }
    let (id, now_ms) = (engine.make_id(), engine.now_ms());
    let new = NewDelivery { id, organization_id: None, kind: DeliveryKind::Mail, recipient, subject, body, dedupe_key: None, now_ms };
    outbox::put(&engine.store, tx, &new).await?;
    Ok(())
}

/// A transaction that holds the organization, with the role its actor has now.
async fn begin(engine: &Engine, actor: &Actor<'_>) -> Result<(Tx, Role), EngineError> {
    let mut tx = engine.store.begin().await?;
    if !members::lock(&mut tx, actor.organization_id).await? {
        return Err(EngineError::NotFound);
    }
    let role = members::role_of(&mut tx, actor.organization_id, actor.user_id).await?.ok_or(Refusal::NotAManager)?;
    Ok((tx, role.min(actor.at_most)))
}

/// The same for what Owners and Admins do.
async fn begin_managing(engine: &Engine, actor: &Actor<'_>) -> Result<(Tx, Role), EngineError> {
    let (tx, role) = begin(engine, actor).await?;
    if role.may(Action::ManageMembers) { Ok((tx, role)) } else { Err(Refusal::NotAManager.into()) }
}

/// Gives a member a role: it holds for the very next request, and streams that are open end.
pub async fn set_role(engine: &Engine, actor: &Actor<'_>, target: &UserId, role: Role) -> Result<(), EngineError> {
    let (mut tx, own) = begin(engine, actor).await?;
    let from = members::role_of(&mut tx, actor.organization_id, target).await?.ok_or(EngineError::NotFound)?;
    let owners = members::count_owners(&mut tx, actor.organization_id).await?;
    may_set_role(own, target == actor.user_id, from, role, owners)?;
    members::set_role(&mut tx, actor.organization_id, target, role).await?;
    let person = audit::person(&mut tx, target).await?;
    audit::note(engine, &mut tx, actor.organization_id, Act::RoleChanged, person, from.label(), role.label()).await?;
    tx.commit().await?;
    engine.changed(actor.organization_id, None);
    Ok(())
}

/// Removes a member, or lets one leave; sessions end at once.
pub async fn remove(engine: &Engine, actor: &Actor<'_>, target: &UserId) -> Result<(), EngineError> {
    let (mut tx, own) = begin(engine, actor).await?;
    let role = members::role_of(&mut tx, actor.organization_id, target).await?.ok_or(EngineError::NotFound)?;
    let owners = members::count_owners(&mut tx, actor.organization_id).await?;
    may_remove(own, target == actor.user_id, role, owners)?;
    members::remove(&mut tx, actor.organization_id, target).await?;
    let person = audit::person(&mut tx, target).await?;
    audit::note(engine, &mut tx, actor.organization_id, Act::MemberRemoved, person, role.label(), "").await?;
    tx.commit().await?;
    engine.changed(actor.organization_id, None);
    Ok(())
}

/// A change of who reads what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub user_id: UserId,
    pub company_id: CompanyId,
    pub reads: bool,
}

/// Applies changes of who reads what, all or none; how many changed anything. Whom or what this organization does not have is passed over.
pub async fn assign(engine: &Engine, actor: &Actor<'_>, changes: &[Assignment]) -> Result<usize, EngineError> {
    let (mut tx, _) = begin_managing(engine, actor).await?;
    let now_ms = engine.now_ms();
    let (mut changed, mut told) = (0, BTreeMap::<&UserId, Vec<(bool, &CompanyId)>>::new());
    for Assignment { user_id, company_id, reads } in changes {
        let did = match reads {
            true => readers::add(&mut tx, actor.organization_id, user_id, company_id, now_ms).await?,
            false => readers::remove(&mut tx, actor.organization_id, user_id, company_id).await?,
        };
        changed += usize::from(did);
        if did {
            told.entry(user_id).or_default().push((*reads, company_id));
        }
    }
    let names = if told.is_empty() { Vec::new() } else { store::companies::list(&mut tx, actor.organization_id).await? };
    for (user_id, companies) in told {
        let person = audit::person(&mut tx, user_id).await?;
        let named = |reads: bool| {
            let of = companies.iter().filter(|(gains, _)| *gains == reads).filter_map(|(_, id)| names.iter().find(|company| company.id == **id));
            of.map(|company| company.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        audit::note(engine, &mut tx, actor.organization_id, Act::AccessAssigned, person, &named(false), &named(true)).await?;
    }
    tx.commit().await?;
    if changed > 0 {
        engine.changed(actor.organization_id, None);
    }
    Ok(changed)
}

/// Makes another organization, whose Owner this person is.
pub async fn create_organization(engine: &Engine, user_id: &UserId, name: &str) -> Result<OrganizationId, EngineError> {
    let (id, now_ms) = (OrganizationId(engine.make_id()), engine.now_ms());
    let mut tx = engine.store.begin().await?;
    members::insert_organization(&mut tx, &id, name.trim(), now_ms).await?;
    members::add(&mut tx, &id, user_id, Role::Owner, now_ms).await?;
    audit::note(engine, &mut tx, &id, Act::OrganizationMade, Object::organization(&id, name.trim()), "", name.trim()).await?;
    tx.commit().await?;
    Ok(id)
}

pub async fn rename_organization(engine: &Engine, actor: &Actor<'_>, name: &str) -> Result<(), EngineError> {
    let (mut tx, _) = begin_managing(engine, actor).await?;
    let before = members::organization_name(&mut tx, actor.organization_id).await?.unwrap_or_default();
    members::rename_organization(&mut tx, actor.organization_id, name.trim()).await?;
    let organization = Object::organization(actor.organization_id, name.trim());
    audit::note(engine, &mut tx, actor.organization_id, Act::OrganizationRenamed, organization, &before, name.trim()).await?;
    tx.commit().await?;
    engine.changed(actor.organization_id, None);
    Ok(())
}
