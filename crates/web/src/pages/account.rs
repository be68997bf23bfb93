//! One connected account: its companies, what it may read, what it used, and what happened to it.
use super::integrations::{Account, begin};
use crate::app::App;
use crate::error::WebError;
use crate::parts::figures::{self, count};
use crate::parts::moment::Moment;
use crate::parts::status::{self, Shield, Status};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use domain::ids::ConnectionId;
use engine::connections::{Access, Happening};
use serde::Deserialize;
use std::collections::HashMap;
use store::connections::Connection;

/// Days of use that are listed.
const USAGE_DAYS: i64 = 14;
const MOST_EVENTS: i64 = 100;

/// A company this account can see.
pub struct Seen {
    pub id: String,
    /// The provider's own id of it.
    pub remote_id: String,
    pub name: String,
    pub is_linked: bool,
    pub is_running: bool,
    /// Synced through another account that sees it too.
    pub elsewhere: Option<String>,
    pub status: Status,
    pub shield: Shield,
    pub last_synced: Option<Moment>,
}

/// Calls and data of one company on one day.
pub struct Used {
    pub day: String,
    pub company: String,
    pub calls: String,
    pub size: String,
}

/// What the provider still admits.
pub struct Headroom {
    pub name: &'static str,
    pub value: String,
}

/// One line of the history.
pub struct Happened {
    pub what: &'static str,
    pub company: Option<(String, String)>,
    pub by: Option<String>,
    pub at: Moment,
    pub look: &'static str,
}

/// What the chosen tab shows.
pub enum Tab {
    Companies(Vec<Seen>),
    Access(Vec<Access>),
    Usage { used: Vec<Used>, headroom: Vec<Headroom> },
    History(Vec<Happened>),
}

#[derive(Template)]
#[template(path = "pages/account.html")]
pub struct AccountPage {
    pub shell: Shell,
    pub account: Account,
    /// Who connected it.
    pub connected_by: String,
    pub refreshed: Moment,
    pub signs_in_by: Moment,
    pub invalid_since: Option<Moment>,
    pub tab: Tab,
}

impl AccountPage {
    /// (word of the address, label, chosen)
    pub fn tabs(&self) -> [(&'static str, &'static str, bool); 4] {
        [
            ("companies", "Companies", matches!(self.tab, Tab::Companies(_))),
            ("access", "Access", matches!(self.tab, Tab::Access(_))),
            ("usage", "Usage", matches!(self.tab, Tab::Usage { .. })),
            ("history", "History", matches!(self.tab, Tab::History(_))),
        ]
    }
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    tab: String,
}

/// GET /integrations/accounts/{id}
pub async fn show(State(app): State<App>, Path(id): Path<String>, Query(asked): Query<Asked>, visit: Visit) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    let mut conn = app.engine.store.read().await?;
    let connection = store::connections::find(&mut conn, visit.organization_id(), &id).await?;
    let connection = connection.filter(|connection| connection.disconnected_at.is_none()).ok_or(WebError::NotFound)?;
    let reach = store::connections::list_reach(&mut conn, visit.organization_id()).await?;
    let connected_by =
        store::members::find_user(&mut conn, &connection.connected_by).await?.map_or_else(|| "a former member".to_owned(), |user| user.name);
    let account = Account::of(&app, &connection, reach.iter().find(|reach| reach.connection_id == id), &visit);
    let shell = visit.shell(&mut conn, Place::Overview, &account.name).await?;
    let tab = match asked.tab.as_str() {
        "access" => Tab::Access(engine::connections::access(&app.engine, &connection)),
        "usage" => usage(&app, &mut conn, &connection, &visit).await?,
        "history" => history(&mut conn, &id, &visit).await?,
        _ => companies(&app, &mut conn, &id, &visit).await?,
    };
    drop(conn);
    let page = AccountPage {
        shell,
        account,
        connected_by,
        refreshed: Moment::relative(connection.rotated_at, visit.now, &visit.zone),
        signs_in_by: Moment::relative(connection.refresh_expires_at, visit.now, &visit.zone),
        invalid_since: connection.invalid_since.map(|at| Moment::relative(at, visit.now, &visit.zone)),
        tab,
    };
    visit.page(&page)
}

async fn companies(app: &App, conn: &mut store::Conn, id: &ConnectionId, visit: &Visit) -> Result<Tab, WebError> {
    let found = store::companies::list_by_connection(conn, id).await?;
    let mut remote_ids = store::companies::list_remote_ids(&app.engine.store, conn, id).await?;
    let seen = |company: store::companies::Company| Seen {
        id: company.id.0.clone(),
        remote_id: remote_ids.remove(&company.id).unwrap_or_default(),
        is_linked: company.linked_at.is_some(),
        is_running: company.run.is_some(),
        elsewhere: (company.connection_id != *id).then(|| company.connection_name.clone()),
        status: status::of(&company, visit.now, &visit.zone).with_health(&company.provider),
        shield: Shield::of(&company),
        last_synced: company.last_success_at.map(|at| Moment::relative(at, visit.now, &visit.zone)),
        name: company.name,
    };
    Ok(Tab::Companies(found.into_iter().map(|(company, _)| company).map(seen).collect()))
}

async fn usage(app: &App, conn: &mut store::Conn, connection: &Connection, visit: &Visit) -> Result<Tab, WebError> {
    let today = visit.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let since = today.saturating_sub(jiff::Span::new().days(USAGE_DAYS - 1)).to_string();
    let names: HashMap<_, _> =
        store::companies::list_through(conn, &connection.id).await?.into_iter().map(|company| (company.id, company.name)).collect();
    let list = store::connections::list_usage(conn, &connection.id, &since).await?;
    let busiest = list.iter().filter(|usage| usage.day == today.to_string()).map(|usage| usage.calls).max().unwrap_or(0);
    let used = list
        .into_iter()
        .map(|usage| Used {
            day: figures::day(&usage.day),
            company: names.get(&usage.company_id).cloned().unwrap_or_default(),
            calls: count(usage.calls),
            size: figures::size(usage.bytes),
        })
        .collect();
    let mut headroom = Vec::new();
    if let Some(provider) = app.engine.registry.get(&connection.provider) {
        let limits = provider.profile().limits;
        headroom.push(Headroom { name: "Calls a minute, each company", value: format!("up to {}", count(limits.per_minute)) });
        if let Some(per_day) = limits.per_day {
            let left = i64::from(per_day) - busiest;
            headroom.push(Headroom { name: "Calls left today, busiest company", value: format!("{} of {}", count(left.max(0)), count(per_day)) });
        }
    }
    Ok(Tab::Usage { used, headroom })
}

async fn history(conn: &mut store::Conn, id: &ConnectionId, visit: &Visit) -> Result<Tab, WebError> {
    let events = store::connection_events::list(conn, id, MOST_EVENTS).await?;
    let happened = events.into_iter().filter_map(|event| {
        let what = Happening::parse(&event.kind)?;
        Some(Happened {
            what: what.sentence(),
            company: event.company.map(|(id, name)| (id.0, name)),
            by: event.user_name,
            at: Moment::exact(event.happened_at, &visit.zone),
            look: match what {
                Happening::Refused => "bad",
                Happening::Connected | Happening::Reconnected | Happening::ReconnectedByLink => "good",
                _ => "muted",
            },
        })
    });
    Ok(Tab::History(happened.collect()))
}

/// POST /integrations/accounts/{id}/reconnect
pub async fn reconnect(State(app): State<App>, Path(id): Path<String>, visit: Visit) -> Result<Response, WebError> {
    let id = ConnectionId(id);
    let mut conn = app.engine.store.read().await?;
    let connection = store::connections::find(&mut conn, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    drop(conn);
    begin(&app, &visit, &connection.provider, Some(&id)).await
}
