//! The first Owner and the organization: made together.
use super::passwords;
use domain::audit::{Act, Object};
use domain::ids::{OrganizationId, UserId};
use domain::organization::Role;
use engine::{Engine, audit};
use store::members::User;
use store::{StoreError, Tx};

/// What a new Owner needs.
pub struct NewOwner<'a> {
    pub organization: &'a str,
    pub name: &'a str,
    pub email: &'a str,
    pub password_hash: Option<String>,
}

/// Makes an organization and its Owner. Without a password the Owner signs in by one-time links. `None` when the address is taken.
pub async fn create_owner(
    engine: &Engine,
    organization: &str,
    name: &str,
    email: &str,
    password: Option<&str>,
) -> Result<Option<(OrganizationId, UserId)>, StoreError> {
    let password = password.map(str::to_owned);
    let password_hash = match password {
        Some(password) => Some(tokio::task::spawn_blocking(move || passwords::hash_blocking(&password)).await.expect("hashing does not panic")),
        None => None,
    };
    let mut tx = engine.store.begin().await?;
    let made = insert(engine, &mut tx, NewOwner { organization, name, email, password_hash }).await?;
    if made.is_some() {
        tx.commit().await?;
    }
    Ok(made)
}

/// The same inside a transaction that also uses the one-time link up.
pub async fn insert(engine: &Engine, tx: &mut Tx, new: NewOwner<'_>) -> Result<Option<(OrganizationId, UserId)>, StoreError> {
    let now_ms = engine.clock.now_ms();
    let (organization_id, user_id) = (OrganizationId(engine.make_id()), UserId(engine.make_id()));
    let user =
        User { id: user_id.clone(), email: new.email.trim().to_lowercase(), name: new.name.trim().to_owned(), password_hash: new.password_hash };
    if !store::members::insert_user(tx, &user, now_ms).await? {
        return Ok(None);
    }
    store::members::insert_organization(tx, &organization_id, new.organization.trim(), now_ms).await?;
    store::members::add(tx, &organization_id, &user_id, Role::Owner, now_ms).await?;
    let (object, name) = (Object::organization(&organization_id, new.organization.trim()), new.organization.trim());
    audit::note_by(engine, tx, &organization_id, &user_id, Act::OrganizationMade, Some(object), name).await?;
    Ok(Some((organization_id, user_id)))
}
