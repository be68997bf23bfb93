//! Send reconnect link: makes a link for whoever owns the books, and shows it for copying.
use super::integrations::Account;
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::Asked;
use crate::parts::moment::Moment;
use crate::parts::{fields, provider};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::ConnectionId;
use engine::EngineError;

/// A link that works.
pub struct Open {
    pub address: String,
    pub ends: Moment,
}

#[derive(Template)]
#[template(path = "pages/send_link.html")]
pub struct SendLinkPage {
    pub shell: Shell,
    pub account: Account,
    pub open: Option<Open>,
    pub can_mail: bool,
    /// Where it is to be mailed, as typed, and what is wrong with it.
    pub email: String,
    pub error: Option<String>,
}

/// GET /integrations/accounts/{id}/link
pub async fn show(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    page(&app, &ConnectionId(id), &visit, None).await
}

/// `wrong`: what was typed as an address, and the sentence beside it.
async fn page(app: &App, id: &ConnectionId, visit: &Visit, wrong: Option<(String, String)>) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let connection = store::connections::find(&mut conn, visit.organization_id(), id).await?;
    let connection = connection.filter(|connection| connection.disconnected_at.is_none()).ok_or(WebError::NotFound)?;
    let reach = store::connections::list_reach(&mut conn, visit.organization_id()).await?;
    let now_ms = visit.now.as_millisecond();
    let open = store::reconnect_links::find_open(&app.engine.store, &mut conn, id, now_ms).await?;
    let account = Account::of(app, &connection, reach.iter().find(|reach| reach.connection_id == *id), visit);
    let shell = visit.shell(&mut conn, Place::Overview, "Send reconnect link").await?;
    drop(conn);
    let open = open.map(|(token, ends)| Open {
        address: format!("{}/reconnect/{token}", app.options.origin()),
        ends: Moment::relative(ends, visit.now, &visit.zone),
    });
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (email, error) = match wrong {
        Some((email, error)) => (email, Some(error)),
        None => (connection.email.clone(), None),
    };
    visit.page_with(status, &SendLinkPage { shell, account, open, can_mail: app.engine.can_mail(), email, error })
}

/// POST /integrations/accounts/{id}/link/mail: the link that works, or a new one, to an address.
pub async fn mail(State(app): State<App>, Path(id): Path<String>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    let connection = store::connections::find(&mut app.engine.store.read().await?, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let typed = Asked::parse(&form).get("email").to_owned();
    let email = typed.to_lowercase();
    if !fields::is_address(&email) {
        return page(&app, &id, &visit, Some((typed, "Enter an e-mail address such as ada@example.com.".to_owned()))).await;
    }
    let service = provider::full_name(&connection.provider);
    let back = format!("/integrations/accounts/{id}/link");
    match engine::connections::mail_reconnect_link(&app.engine, visit.organization_id(), &id, visit.user_id(), service, &email).await {
        Ok(()) => Ok(Flash::good(format!("Mailed to {email}. The link works once, within seven days.")).redirect(&back)),
        Err(EngineError::Refused(sentence)) => Ok(Flash::warn(sentence).redirect(&back)),
        Err(error) => Err(error.into()),
    }
}

/// POST /integrations/accounts/{id}/link: a new link; the one before ends.
pub async fn make(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    engine::connections::make_reconnect_link(&app.engine, visit.organization_id(), &id, visit.user_id()).await?;
    Ok(Redirect::to(&format!("/integrations/accounts/{id}/link")).into_response())
}
