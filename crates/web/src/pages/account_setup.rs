//! Account Connected: what a fresh account can see, and the choice of what to import.
use super::data_feed;
use super::integrations::Account;
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::Address;
use crate::parts::figures::counted;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::ConnectionId;

/// A company the account sees.
pub struct Importable {
    pub name: String,
    pub is_linked: bool,
    /// Granted in this very consent, beside others granted before.
    pub is_new: bool,
    /// Linked through this other account.
    pub elsewhere: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/account_setup.html")]
pub struct AccountSetupPage {
    pub shell: Shell,
    pub account: Account,
    pub companies: Vec<Importable>,
    /// Companies the latest consent was given for.
    pub granted: usize,
}

/// Why there is nothing to import: one of three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    NoCompany,
    NotTicked,
    AllLinked,
}

impl AccountSetupPage {
    pub fn importable(&self) -> usize {
        self.companies.iter().filter(|company| !company.is_linked).count()
    }
    pub fn linked(&self) -> usize {
        self.companies.len() - self.importable()
    }
    pub fn nothing(&self) -> Nothing {
        match (self.companies.is_empty(), self.granted) {
            (true, _) => Nothing::NoCompany,
            (false, 0) if self.account.provider == "xero" => Nothing::NotTicked,
            _ => Nothing::AllLinked,
        }
    }
}

/// GET /integrations/accounts/{id}/setup
pub async fn show(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    let mut conn = app.engine.store.read().await?;
    let connection = store::connections::find(&mut conn, visit.organization_id(), &id).await?;
    let connection = connection.filter(|connection| connection.disconnected_at.is_none()).ok_or(WebError::NotFound)?;
    let reach = store::connections::list_reach(&mut conn, visit.organization_id()).await?;
    let found = store::companies::list_by_connection(&mut conn, &id).await?;
    let shell = visit.shell(&mut conn, Place::Overview, "Account Connected").await?;
    drop(conn);
    let account = Account::of(&app, &connection, reach.iter().find(|reach| reach.connection_id == id), &visit);
    // "new" says something only beside companies of an earlier consent
    let granted = found.iter().filter(|(_, granted)| granted.is_some()).count();
    let some_are_older = found.iter().any(|(_, granted)| granted.is_none());
    let companies = found
        .into_iter()
        .map(|(company, granted)| Importable {
            is_linked: company.linked_at.is_some(),
            is_new: some_are_older && granted.is_some(),
            elsewhere: (company.linked_at.is_some() && company.connection_id != id).then(|| company.connection_name.clone()),
            name: company.name,
        })
        .collect();
    visit.page(&AccountSetupPage { shell, account, companies, granted })
}

/// POST /integrations/accounts/{id}/import: one sync for each importable company; a second click queues nothing. It leads to the companies of this account.
pub async fn import_all(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    let report = engine::connections::import_all(&app.engine, visit.organization_id(), &ConnectionId(id.clone()), visit.user_id()).await?;
    let queued = report.queued.len();
    let flash = match (queued, report.already) {
        (0, 0) => Flash::warn("There was no company to import."),
        (0, already) => Flash::good(format!("Nothing new to import: {} linked already.", counted(already, "company is", "companies are"))),
        (_, 0) => {
            Flash::good(format!("{} queued. The first sync copies everything; you can go on working.", counted(queued, "company", "companies")))
        }
        (_, already) => Flash::good(format!("{} queued, {already} linked already.", counted(queued, "company", "companies"))),
    };
    Ok(flash.redirect(&Address::new(data_feed::PATH).with("account", id).to_string()))
}

/// POST /integrations/accounts/{id}/choose: the person picks companies on the Data Feed.
pub async fn add_manually(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    engine::connections::finish_setup(&app.engine, visit.organization_id(), &ConnectionId(id)).await?;
    Ok(Redirect::to("/integrations/data-feed?status=not_linked").into_response())
}
