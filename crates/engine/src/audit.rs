//! Writes the audit log: who acts is a fact of the request or command that is being worked on, and every act notes itself in its own transaction.
use crate::Engine;
use domain::audit::{Act, Actor, Ending, Object};
use domain::ids::{OrganizationId, UserId};
use std::future::Future;
use store::audit::{Checked, NewEntry};
use store::{Store, StoreError, Tx, members};

tokio::task_local! {
    static ACTOR: Actor;
}

/// Entries the start and `tieout doctor` look at: enough to notice a change of late, and done at once.
pub const NEWEST: i64 = 500;

/// Does `work` in the name of `actor`: all it does is noted as theirs. Whoever takes a request in says it once, and no use case can forget it.
pub async fn acting<F: Future>(actor: Actor, work: F) -> F::Output {
    ACTOR.scope(actor, work).await
}

/// Who acts now: the system, where nobody asked.
pub fn actor() -> Actor {
    ACTOR.try_with(Clone::clone).unwrap_or_else(|_| Actor::system())
}

/// Notes an act, as the last step of its transaction: when it cannot be noted, it does not happen.
pub async fn note(
    engine: &Engine,
    tx: &mut Tx,
    organization_id: &OrganizationId,
    act: Act,
    object: Object,
    before: &str,
    after: &str,
) -> Result<(), StoreError> {
    let (actor, object, at_ms) = (&actor(), &object, engine.now_ms());
    let new = NewEntry { organization_id, at_ms, actor, act, object, before, after, outcome: Ending::Done };
    store::audit::append(&engine.store, tx, &new).await?;
    Ok(())
}

/// Notes what was asked and refused, with the reason.
pub async fn note_refused(
    engine: &Engine,
    tx: &mut Tx,
    organization_id: &OrganizationId,
    act: Act,
    object: Object,
    reason: &str,
) -> Result<(), StoreError> {
    let (actor, object, at_ms) = (&actor(), &object, engine.now_ms());
    let new = NewEntry { organization_id, at_ms, actor, act, object, before: "", after: reason, outcome: Ending::Refused };
    store::audit::append(&engine.store, tx, &new).await?;
    Ok(())
}

/// Notes what a person did who was nobody until then: a sign-in, an invitation accepted.
pub async fn note_by(
    engine: &Engine,
    tx: &mut Tx,
    organization_id: &OrganizationId,
    user_id: &UserId,
    act: Act,
    object: Option<Object>,
    after: &str,
) -> Result<(), StoreError> {
    let name = name_of(tx, user_id).await?;
    let (actor, at_ms) = (&Actor::person(user_id, &name, actor().place), engine.now_ms());
    let object = &object.unwrap_or_else(|| Object::person(user_id, &name));
    let new = NewEntry { organization_id, at_ms, actor, act, object, before: "", after, outcome: Ending::Done };
    store::audit::append(&engine.store, tx, &new).await?;
    Ok(())
}

/// Notes what concerns a person everywhere they belong: their password is one for all organizations.
pub async fn note_everywhere(engine: &Engine, tx: &mut Tx, user_id: &UserId, act: Act, after: &str) -> Result<(), StoreError> {
    let object = person(tx, user_id).await?;
    for (organization_id, _, _) in members::list_organizations(tx, user_id).await? {
        note(engine, tx, &organization_id, act, object.clone(), "", after).await?;
    }
    Ok(())
}

async fn name_of(tx: &mut Tx, user_id: &UserId) -> Result<String, StoreError> {
    Ok(members::find_user(tx, user_id).await?.map(|user| user.name).unwrap_or_default())
}

/// A person as the object of an act, by name.
pub async fn person(tx: &mut Tx, user_id: &UserId) -> Result<Object, StoreError> {
    Ok(Object::person(user_id, &name_of(tx, user_id).await?))
}

/// Notes a wrong password or code of somebody who is known, beside the answer: whether somebody is known must not show in the time it takes.
pub fn sign_in_failed(engine: &Engine, user_id: Option<UserId>, why: &'static str) {
    let (Some(user_id), engine, actor) = (user_id, engine.clone(), actor()) else { return };
    tokio::spawn(acting(actor, async move {
        let noted = async {
            let mut tx = engine.store.begin().await?;
            let object = person(&mut tx, &user_id).await?;
            for (organization_id, _, _) in members::list_organizations(&mut tx, &user_id).await? {
                note_refused(&engine, &mut tx, &organization_id, Act::SignInFailed, object.clone(), why).await?;
            }
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::error!(%error, "a failed sign-in could not be noted");
        }
    }));
}

/// Looks at the newest entries of every chain, and says an alarm for each that is broken; their organizations, by name. The service goes on: what is
/// there stays readable.
pub async fn alarm(store: &Store) -> Result<Vec<(String, Checked)>, StoreError> {
    let mut conn = store.read().await?;
    let mut broken = Vec::new();
    for (organization_id, name) in store::audit::list_organizations(&mut conn).await? {
        let checked = store::audit::check(store, &mut conn, &organization_id, Some(NEWEST)).await?;
        if let Some(first) = checked.breaks.first() {
            tracing::error!(organization.id = %organization_id, entry = first.number, differs = first.difference.as_str(),
                "ALARM: the audit log is broken; `tieout audit verify` says where");
            broken.push((name, checked));
        }
    }
    Ok(broken)
}
