//! One-time links: the first Owner's, and sign-ins printed on a terminal. They are kept as hashes, work once, and end soon.
use super::session::make_token;
use domain::audit::Act;
use domain::ids::UserId;
use engine::{Engine, audit};
use store::StoreError;
use url::Url;

const SETUP_LIFE_MS: i64 = 24 * 3_600_000;
const SIGN_IN_LIFE_MS: i64 = 24 * 3_600_000;

/// The link that makes the first Owner; `None` as soon as there is a user.
pub async fn make_setup_link(engine: &Engine) -> Result<Option<Url>, StoreError> {
    let mut tx = engine.store.begin().await?;
    if store::members::count_users(&mut tx).await? > 0 {
        return Ok(None);
    }
    let (token, now_ms) = (make_token(), engine.clock.now_ms());
    store::sessions::insert_link(&mut tx, &token, "setup", None, now_ms, now_ms + SETUP_LIFE_MS).await?;
    tx.commit().await?;
    Ok(Some(engine.address(&["setup", &token])))
}

/// A link that signs this user in, once.
pub async fn make_sign_in_link(engine: &Engine, user_id: &UserId) -> Result<Url, StoreError> {
    let (token, now_ms) = (make_token(), engine.clock.now_ms());
    let mut tx = engine.store.begin().await?;
    store::sessions::insert_link(&mut tx, &token, "sign_in", Some(user_id), now_ms, now_ms + SIGN_IN_LIFE_MS).await?;
    audit::note_everywhere(engine, &mut tx, user_id, Act::SignInLinkMade, "for a day").await?;
    tx.commit().await?;
    Ok(engine.address(&["sign-in", "link", &token]))
}
