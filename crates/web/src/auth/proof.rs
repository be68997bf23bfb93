//! Who it is, once more: whatever opens or closes an account asks for the current password, however long the session has been there.
use super::passwords;
use crate::app::App;
use crate::parts::fields::LONGEST_PASSWORD;
use crate::visit::Visit;
use axum::http::StatusCode;
use store::StoreError;

/// How long a sign-in is proof enough: as long as a one-time link for a new password would be.
const FRESH_MS: i64 = 3_600_000;

/// Why it is not known to be the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproven {
    pub status: StatusCode,
    pub sentence: String,
}

fn unproven(status: StatusCode, sentence: impl Into<String>) -> Result<Result<(), Unproven>, StoreError> {
    Ok(Err(Unproven { status, sentence: sentence.into() }))
}

/// Whether it was proven lately who this session belongs to.
pub fn is_fresh(visit: &Visit) -> bool {
    visit.now.as_millisecond() - visit.session.proven_at <= FRESH_MS
}

/// Compares the current password; a wrong one counts as an attempt.
pub async fn check(app: &App, visit: &Visit, password: String) -> Result<Result<(), Unproven>, StoreError> {
    let user = store::members::find_user(&mut app.engine.store.read().await?, visit.user_id()).await?;
    let Some(stored) = user.and_then(|user| user.password_hash) else {
        return match is_fresh(visit) {
            true => Ok(Ok(())),
            false => {
                unproven(StatusCode::FORBIDDEN, "You have no password, and signed in more than an hour ago. Sign in once more with a one-time link.")
            }
        };
    };
    if password.is_empty() {
        return unproven(StatusCode::FORBIDDEN, "Enter your current password.");
    }
    let (now_ms, who) = (app.engine.now_ms(), format!("current password {}", visit.user_id()));
    let wait_ms = app.throttle.wait_ms(&who, now_ms);
    if wait_ms > 0 {
        let sentence = format!("Too many attempts. Wait {} seconds and try again.", wait_ms.div_euclid(1_000) + 1);
        return unproven(StatusCode::TOO_MANY_REQUESTS, sentence);
    }
    let is_right = password.chars().count() <= LONGEST_PASSWORD && passwords::verify(app, password, Some(stored)).await;
    if !is_right {
        app.throttle.failed(&who, now_ms);
        return unproven(StatusCode::UNPROCESSABLE_ENTITY, "The current password is not right. Type it as you do when you sign in.");
    }
    app.throttle.succeeded(&who);
    Ok(Ok(()))
}
