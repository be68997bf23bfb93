//! Disconnect: says in numbers what will stop, what is kept or what is erased, then does it.
use super::integrations::Account;
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::pages::confirm_person;
use crate::parts::address::Asked;
use crate::parts::figures::{count, counted};
use crate::parts::provider;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::ConnectionId;
use engine::connections::Data;
use store::companies::Company;

/// A company that is synced through the account.
#[derive(Clone, Debug)]
pub struct Stopping {
    pub name: String,
    pub is_linked: bool,
    pub is_running: bool,
    /// Accounts that see it too could go on with it.
    pub seen_by_others: bool,
}

#[derive(Template)]
#[template(path = "pages/disconnect.html")]
pub struct DisconnectPage {
    pub shell: Shell,
    pub account: Account,
    pub companies: Vec<Stopping>,
    pub records: i64,
    /// *Erase data* is chosen: the form is shown again.
    pub erase: bool,
    pub typed: String,
    pub error: Option<String>,
}

impl DisconnectPage {
    pub fn stopping(&self) -> usize {
        self.companies.iter().filter(|company| company.is_linked).count()
    }
    pub fn running(&self) -> usize {
        self.companies.iter().filter(|company| company.is_running).count()
    }
    /// "Stops 3 companies, cancels 1 sync, keeps 412,880 records."
    pub fn summary(&self) -> String {
        format!("{}, keeps {}.", self.stops(), counted(self.records, "record", "records"))
    }
    pub fn summary_erased(&self) -> String {
        format!("{}, deletes {}.", self.stops(), self.erased())
    }
    fn stops(&self) -> String {
        let stops = match self.stopping() {
            0 => "Stops no company".to_owned(),
            number => format!("Stops {}", counted(number, "company", "companies")),
        };
        let cancels = match self.running() {
            0 => String::new(),
            running => format!(", cancels {}", counted(running, "running sync", "running syncs")),
        };
        format!("{stops}{cancels}")
    }
    pub fn shown_records(&self) -> String {
        count(self.records)
    }
    /// "all data of 3 companies: 412,880 records, statements, history and logs"
    pub fn erased(&self) -> String {
        format!(
            "all data of {}: {}, their statements, history and logs",
            counted(self.companies.len(), "company", "companies"),
            counted(self.records, "record", "records")
        )
    }
    /// Some could be handed over instead of stopped.
    pub fn others_see_some(&self) -> bool {
        self.companies.iter().any(|company| company.is_linked && company.seen_by_others)
    }
}

async fn page(app: &App, visit: &Visit, id: &ConnectionId) -> Result<DisconnectPage, WebError> {
    let mut conn = app.engine.store.read().await?;
    let connection = store::connections::find(&mut conn, visit.organization_id(), id).await?;
    let connection = connection.filter(|connection| connection.disconnected_at.is_none()).ok_or(WebError::NotFound)?;
    let reach = store::connections::list_reach(&mut conn, visit.organization_id()).await?;
    let own = store::companies::list_through(&mut conn, id).await?;
    let records = store::connections::count_records(&mut conn, id).await?;
    let mut companies = Vec::with_capacity(own.len());
    for company in own {
        let seen_by_others = store::companies::list_seen_by(&mut conn, &company.id).await?.iter().any(|other| other != id);
        companies.push(stopping(company, seen_by_others));
    }
    let account = Account::of(app, &connection, reach.iter().find(|reach| reach.connection_id == *id), visit);
    let shell = visit.shell(&mut conn, Place::Overview, "Disconnect").await?;
    Ok(DisconnectPage { shell, account, companies, records, erase: false, typed: String::new(), error: None })
}

fn stopping(company: Company, seen_by_others: bool) -> Stopping {
    Stopping { is_linked: company.linked_at.is_some(), is_running: company.run.is_some(), seen_by_others, name: company.name }
}

/// GET /integrations/accounts/{id}/disconnect
pub async fn show(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    visit.page(&page(&app, &visit, &ConnectionId(id)).await?)
}

/// POST /integrations/accounts/{id}/disconnect
pub async fn disconnect(State(app): State<App>, Path(id): Path<String>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    let connection = store::connections::find(&mut app.engine.store.read().await?, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let service = provider::full_name(&connection.provider);
    if connection.disconnected_at.is_some() {
        return Ok(Flash::warn("This account was disconnected already.").redirect("/integrations"));
    }
    let back = format!("/integrations/accounts/{id}");
    if let Some(page) = confirm_person::before(&app, &visit, "Disconnecting an account", &form, &back).await? {
        return Ok(page);
    }
    let form = Asked::parse(&form);
    let again = async |erase: bool, error: String| -> Result<Response, WebError> {
        let page = page(&app, &visit, &id).await?;
        visit.page_with(StatusCode::UNPROCESSABLE_ENTITY, &DisconnectPage { erase, typed: form.get("name").to_owned(), error: Some(error), ..page })
    };
    let shown_name = if connection.name.is_empty() { &connection.email } else { &connection.name };
    let data = match form.get("data") {
        "keep" => Data::Keep,
        "erase" if form.get("name") == shown_name.trim() => Data::Erase,
        "erase" => return again(true, format!("To erase the data, type the name of the account exactly as it is written here: {shown_name}")).await,
        _ => return again(false, "Choose whether the data are kept or erased.".into()).await,
    };
    let done = engine::connections::disconnect(&app.engine, visit.organization_id(), &id, Some(visit.user_id()), data).await?;
    let fate = match data {
        Data::Keep => "Its data stay readable.".to_owned(),
        Data::Erase => format!("The data of {} were erased.", counted(done.erased, "company", "companies")),
    };
    let flash = if done.is_revoked {
        Flash::good(format!("{shown_name} is disconnected, and {service} confirmed that the authorization is revoked. {fate}"))
    } else {
        Flash::warn(format!("{shown_name} is disconnected here. {service} has not confirmed the revocation; we keep asking. {fate}"))
    };
    Ok(flash.redirect("/integrations"))
}
