//! Integrations overview: a card for each provider, the connected accounts, and what needs a person.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::figures::{count, counted};
use crate::parts::icon::Icon;
use crate::parts::incident::{self, IncidentLine};
use crate::parts::moment::Moment;
use crate::parts::provider;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::connection::ConnectionState;
use domain::ids::ConnectionId;
use domain::organization::Action;
use engine::EngineError;
use engine::connections::Who;
use std::collections::HashMap;
use store::connections::{Connection, Reach};

/// Providers the product knows, in the order of their cards.
pub const PROVIDERS: [&str; 2] = ["quickbooks", "xero"];

/// One connected account.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    pub provider: String,
    pub name: String,
    pub email: String,
    pub is_invalid: bool,
    /// `production` is not said.
    pub environment: Option<&'static str>,
    pub companies: i64,
    pub linked: i64,
    /// Linked companies that stop when it ends.
    pub used: i64,
    pub connected: Moment,
    /// "signs in again in 9 days", when that is soon.
    pub signs_in_again: Option<String>,
    pub needs_setup: bool,
    /// Connected under keys of another environment than this server has now: the sentence that says so.
    pub mixed: Option<String>,
    /// How many permissions it lacks.
    pub missing: usize,
}

impl Account {
    pub fn of(app: &App, connection: &Connection, reach: Option<&Reach>, visit: &Visit) -> Account {
        let days_left = (connection.refresh_expires_at - visit.now.as_millisecond()) / 86_400_000;
        let is_invalid = connection.state != ConnectionState::Active;
        Account {
            id: connection.id.0.clone(),
            provider: connection.provider.clone(),
            name: if connection.name.is_empty() { connection.email.clone() } else { connection.name.clone() },
            email: connection.email.clone(),
            is_invalid,
            environment: environment_word(&connection.environment),
            companies: reach.map_or(0, |reach| reach.companies),
            linked: reach.map_or(0, |reach| reach.linked),
            used: reach.map_or(0, |reach| reach.used),
            connected: Moment::relative(connection.connected_at, visit.now, &visit.zone),
            signs_in_again: (!is_invalid && days_left < 14).then(|| format!("signs in again in {}", counted(days_left.max(0), "day", "days"))),
            needs_setup: !is_invalid && connection.setup_finished_at.is_none(),
            mixed: engine::connections::mixed_environment(&app.engine, &connection.provider, &connection.environment),
            missing: engine::connections::access(&app.engine, connection).iter().filter(|access| !access.is_granted).count(),
        }
    }
    pub fn mark(&self) -> Icon {
        crate::parts::icon::provider_mark(&self.provider)
    }
    pub fn provider_name(&self) -> &str {
        provider::full_name(&self.provider)
    }
    /// As whom one signs in at the provider.
    pub fn sign_in(&self) -> &str {
        if self.email.is_empty() { &self.name } else { &self.email }
    }
    /// Companies nobody has linked yet.
    pub fn importable(&self) -> i64 {
        self.companies - self.linked
    }
    pub fn ready(&self) -> String {
        counted(self.importable(), "company", "companies")
    }
    pub fn reach(&self) -> String {
        format!("{}, {} linked", counted(self.companies, "company", "companies"), count(self.linked))
    }
}

pub fn environment_word(environment: &str) -> Option<&'static str> {
    match environment {
        "sandbox" => Some("Sandbox"),
        "simulator" => Some("Simulator"),
        _ => None,
    }
}

/// One provider's card.
#[derive(Clone, Debug)]
pub struct Card {
    pub id: String,
    pub name: String,
    /// Keys are set: people can connect.
    pub is_configured: bool,
    pub environment: Option<&'static str>,
    pub accounts: Vec<Account>,
    pub companies: i64,
    pub linked: i64,
}

impl Card {
    pub fn mark(&self) -> Icon {
        crate::parts::icon::provider_mark(&self.id)
    }
    pub fn invalid(&self) -> usize {
        self.accounts.iter().filter(|account| account.is_invalid).count()
    }
    /// `TIEOUT_QUICKBOOKS_CLIENT_ID`
    pub fn setting(&self, name: &str) -> String {
        format!("TIEOUT_{}_{name}", self.id.to_uppercase())
    }
    pub fn what_it_is(&self) -> &'static str {
        match self.id.as_str() {
            "quickbooks" => "Each sign-in reaches one company. Connect once for every company you follow.",
            "xero" => "One sign-in reaches every organisation you tick while granting access.",
            _ => "Sign in once; Tieout lists the companies it can see.",
        }
    }
}

#[derive(Template)]
#[template(path = "pages/integrations.html")]
pub struct IntegrationsPage {
    pub shell: Shell,
    /// What is wrong: one line for each cause.
    pub incidents: Vec<IncidentLine>,
    pub cards: Vec<Card>,
}

impl IntegrationsPage {
    pub fn is_empty(&self) -> bool {
        self.cards.iter().all(|card| card.accounts.is_empty())
    }
    /// Accounts of another environment than the keys of now.
    pub fn mixed(&self) -> Vec<&Account> {
        self.cards.iter().flat_map(|card| &card.accounts).filter(|account| account.mixed.is_some()).collect()
    }
    /// Accounts whose post-connect question was not answered.
    pub fn unfinished(&self) -> Vec<&Account> {
        self.cards.iter().flat_map(|card| &card.accounts).filter(|account| account.needs_setup && account.importable() > 0).collect()
    }
}

/// GET /integrations
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let connections = store::connections::list(&mut conn, visit.organization_id()).await?;
    let reach = store::connections::list_reach(&mut conn, visit.organization_id()).await?;
    let totals = store::connections::count_companies(&mut conn, visit.organization_id()).await?;
    let incidents = incident::lines(&mut conn, &visit).await?;
    let shell = visit.shell(&mut conn, Place::Overview, "Integrations").await?;
    drop(conn);
    let reach: HashMap<&ConnectionId, &Reach> = reach.iter().map(|reach| (&reach.connection_id, reach)).collect();
    let mut ids: Vec<String> = PROVIDERS.iter().map(|id| (*id).to_owned()).collect();
    let known = app.engine.registry.iter().map(|provider| provider.profile().id.to_owned());
    for id in known.chain(connections.iter().map(|connection| connection.provider.clone())) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let card = |id: String| {
        let mut accounts: Vec<Account> = connections
            .iter()
            .filter(|connection| connection.provider == id)
            .map(|connection| Account::of(&app, connection, reach.get(&connection.id).copied(), &visit))
            .collect();
        // what needs a person stands first
        accounts.sort_by(|a, b| (!a.is_invalid, &a.name, &a.id).cmp(&(!b.is_invalid, &b.name, &b.id)));
        let (companies, linked) = totals.iter().find(|(provider, ..)| *provider == id).map_or((0, 0), |(_, companies, linked)| (*companies, *linked));
        Card {
            name: provider::full_name(&id).to_owned(),
            is_configured: app.engine.registry.get(&id).is_some(),
            environment: app.engine.registry.environment(&id).and_then(|environment| environment_word(environment.as_str())),
            accounts,
            companies,
            linked,
            id,
        }
    };
    let cards = ids.into_iter().map(card).collect();
    visit.page(&IntegrationsPage { shell, incidents, cards })
}

/// POST /integrations/connect/{provider}
pub async fn connect(State(app): State<App>, Path(provider): Path<String>, visit: Visit) -> Result<Response, WebError> {
    begin(&app, &visit, &provider, None).await
}

/// Sends the browser to the provider's consent page, for a new account or to repair one.
pub async fn begin(app: &App, visit: &Visit, provider: &str, reconnect: Option<&ConnectionId>) -> Result<Response, WebError> {
    let who = Who { organization_id: visit.organization_id(), user_id: visit.user_id(), session_hash: &visit.session.token_hash };
    match engine::connections::start(&app.engine, &who, provider, reconnect).await {
        Ok(url) => Ok(Redirect::to(url.as_str()).into_response()),
        Err(EngineError::NotConfigured { .. }) if !PROVIDERS.contains(&provider) => Err(WebError::NotFound),
        Err(error @ (EngineError::NotConfigured { .. } | EngineError::Refused(_) | EngineError::Provider(_))) => {
            Ok(Flash::bad(error.problem().sentence).redirect("/integrations"))
        }
        Err(error) => Err(error.into()),
    }
}

/// GET /: everybody has a place to start.
pub async fn start_page(visit: Visit) -> Redirect {
    Redirect::to(if visit.may(Action::UseIntegrations) { "/integrations" } else { "/companies" })
}
