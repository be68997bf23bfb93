//! Before a step that opens or closes what others rely on, whoever signed in more than an hour ago says once more who they are. The form they sent is
//! carried along, so that nothing is typed twice.
use crate::app::App;
use crate::auth::proof;
use crate::error::WebError;
use crate::parts::address::{exactly, without_nul};
use crate::parts::moment::Moment;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

/// The field of the password; whatever else a form has is sent again as it is.
const PASSWORD: &str = "present";

#[derive(Template)]
#[template(path = "pages/confirm_person.html")]
pub struct ConfirmPersonPage {
    pub shell: Shell,
    /// "Making an API key".
    pub step: &'static str,
    /// Where the form goes.
    pub address: String,
    pub fields: Vec<(String, String)>,
    pub signed_in: Moment,
    pub has_password: bool,
    pub error: Option<String>,
    /// The page without this step.
    pub back: String,
}

/// What stands in the way of a step, if anything: a page that asks for the password and sends the form again. A session that was proven within the last
/// hour goes on; a right password proves it anew.
pub async fn before(app: &App, visit: &Visit, step: &'static str, form: &[u8], back: &str) -> Result<Option<Response>, WebError> {
    if proof::is_fresh(visit) {
        return Ok(None);
    }
    let mut pairs = url::form_urlencoded::parse(form);
    let is_answer = pairs.clone().any(|(name, _)| name == PASSWORD);
    let has_password = {
        let user = store::members::find_user(&mut app.engine.store.read().await?, visit.user_id()).await?;
        user.is_some_and(|user| user.password_hash.is_some())
    };
    let (status, error) = match is_answer || !has_password {
        false => (StatusCode::FORBIDDEN, None),
        true => match proof::check(app, visit, exactly(form, PASSWORD)).await? {
            Err(why) => (why.status, Some(why.sentence)),
            Ok(()) => {
                let mut tx = app.engine.store.begin().await?;
                store::sessions::prove(&mut tx, &visit.session.token_hash, visit.now.as_millisecond()).await?;
                tx.commit().await?;
                return Ok(None);
            }
        },
    };
    let fields = pairs.by_ref().filter(|(name, _)| name != PASSWORD).map(|(name, value)| (without_nul(&name), without_nul(&value))).collect();
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::Elsewhere, "Confirm it is you").await?;
    let page = ConfirmPersonPage {
        shell,
        step,
        address: visit.address.clone(),
        fields,
        signed_in: Moment::relative(visit.session.proven_at, visit.now, &visit.zone),
        has_password,
        error,
        back: back.to_owned(),
    };
    Ok(Some(visit.page_with(status, &page)?))
}
