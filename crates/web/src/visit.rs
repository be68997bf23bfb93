//! One request of a signed-in person: who asks, how they like to see things, and the frame around every page.
use crate::app::App;
use crate::error::WebError;
use crate::flash::{self, Flash};
use crate::parts::address::Asked;
use crate::parts::tracking::{Done, Tracked};
use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use domain::ids::{OrganizationId, UserId};
use domain::organization::{Action, Role};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use store::readers::Reader;
use store::sessions::Session;
use store::{Conn, StoreError};

/// The value of a cookie, when it is there exactly once.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = None;
    for line in headers.get_all(header::COOKIE) {
        for pair in line.to_str().ok()?.split(';') {
            if let Some((key, value)) = pair.trim().split_once('=')
                && key == name
            {
                if found.is_some() {
                    return None;
                }
                found = Some(value);
            }
        }
    }
    found
}

/// Light, dark, or as the system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const COOKIE: &str = "tieout_theme";
    pub fn parse(word: &str) -> Theme {
        match word {
            "light" => Theme::Light,
            "dark" => Theme::Dark,
            _ => Theme::Auto,
        }
    }
    pub fn of(headers: &HeaderMap) -> Theme {
        cookie(headers, Theme::COOKIE).map_or(Theme::Auto, Theme::parse)
    }
    pub fn as_str(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// The zone the browser told us (a cookie set by the script); UTC until then.
pub fn zone(headers: &HeaderMap) -> TimeZone {
    let name = cookie(headers, "tieout_zone").map(|name| name.replace("%2F", "/"));
    name.filter(|name| name.len() <= 64).and_then(|name| TimeZone::get(&name).ok()).unwrap_or(TimeZone::UTC)
}

/// Extracted by every page behind the sign-in; the guard of the route has checked the role.
pub struct Visit {
    pub session: Session,
    pub now: Timestamp,
    pub zone: TimeZone,
    pub theme: Theme,
    pub flash: Option<Flash>,
    /// The script refreshes fragments: a message must wait for the person.
    pub is_live: bool,
    /// Path and query of this request.
    pub address: String,
    /// It answers a form: its address, asked by GET, shows something else or nothing.
    pub answers_form: bool,
}

impl FromRequestParts<App> for Visit {
    type Rejection = WebError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Visit, WebError> {
        let session = parts.extensions.get::<Session>().cloned().ok_or(WebError::SignInNeeded)?;
        let is_live = parts.headers.contains_key("x-live");
        Ok(Visit {
            session,
            now: app.engine.clock.now(),
            zone: zone(&parts.headers),
            theme: Theme::of(&parts.headers),
            flash: if is_live { None } else { flash::read(&parts.headers) },
            is_live,
            address: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), |address| address.as_str().to_owned()),
            answers_form: parts.method == Method::POST,
        })
    }
}

impl Visit {
    pub fn organization_id(&self) -> &OrganizationId {
        &self.session.organization_id
    }
    pub fn user_id(&self) -> &UserId {
        &self.session.user_id
    }
    pub fn role(&self) -> Role {
        self.session.role
    }
    /// What of the organization this person reads: every list of a page begins here.
    pub fn reader(&self) -> Reader {
        Reader::of(self.session.role, &self.session.user_id)
    }
    /// A form names the organization it was drawn for: in another tab the session may be in another one by now.
    pub fn check_organization(&self, form: &Asked) -> Result<(), WebError> {
        let drawn_for = form.get("organization");
        if drawn_for.is_empty() || drawn_for == self.organization_id().as_str() { Ok(()) } else { Err(WebError::OtherOrganization) }
    }
    pub fn may(&self, action: Action) -> bool {
        self.session.role.may(action)
    }

    /// What stands around the page: read on the page's own connection.
    pub async fn shell(&self, conn: &mut Conn, place: Place, title: &str) -> Result<Shell, StoreError> {
        let organizations = store::members::list_organizations(conn, self.user_id()).await?;
        let frame = store::frame::read(conn, self.organization_id(), &self.reader(), self.now.as_millisecond()).await?;
        let unread = store::notices::count_unread(conn, self.organization_id(), self.user_id()).await?;
        Ok(Shell {
            title: title.to_owned(),
            place,
            organization: self.session.organization_name.clone(),
            user_name: self.session.user_name.clone(),
            email: self.session.email.clone(),
            organizations: organizations
                .into_iter()
                .map(|(id, name, role)| Belonging { is_here: id == *self.organization_id(), id: id.0, name, role: role.label() })
                .collect(),
            role: self.session.role.label(),
            manages_members: self.may(Action::ManageMembers),
            sees_integrations: self.may(Action::UseIntegrations),
            open_incidents: frame.open_incidents,
            unread,
            job_count: frame.job_count,
            waiting_count: frame.waiting_count,
            jobs: frame.jobs.iter().filter_map(|company| Tracked::of(company, self.now, &self.zone)).collect(),
            finished: frame.finished.iter().map(|run| Done::of(run, self.now, &self.zone)).collect(),
            now_ms: self.now.as_millisecond(),
            theme: self.theme,
            flash: self.flash.clone(),
            address: self.address.clone(),
            zone: self.zone.iana_name().unwrap_or("UTC").to_owned(),
            is_live: !self.answers_form,
        })
    }

    /// The answer with a page.
    pub fn page(&self, page: &impl Template) -> Result<Response, WebError> {
        self.page_with(StatusCode::OK, page)
    }
    pub fn page_with(&self, status: StatusCode, page: &impl Template) -> Result<Response, WebError> {
        let mut response = (status, Html(page.render()?)).into_response();
        if self.flash.is_some() {
            flash::clear(&mut response);
        }
        Ok(response)
    }
}

/// Which line of the navigation a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Companies,
    Mapping,
    Overview,
    DataFeed,
    Logs,
    ApiKeys,
    ApiReference,
    Palette,
    Members,
    Settings,
    AuditLog,
    Notifications,
    /// No line of it.
    Elsewhere,
}

/// An organization this person belongs to: a line of the switcher.
#[derive(Clone, Debug)]
pub struct Belonging {
    pub id: String,
    pub name: String,
    pub role: &'static str,
    pub is_here: bool,
}

/// What `parts/layout.html` shows around a page; every page struct has it in a field named `shell`.
#[derive(Clone, Debug)]
pub struct Shell {
    pub title: String,
    pub place: Place,
    pub organization: String,
    pub user_name: String,
    pub email: String,
    pub role: &'static str,
    pub sees_integrations: bool,
    pub manages_members: bool,
    /// All of this person's, this one included.
    pub organizations: Vec<Belonging>,
    pub open_incidents: i64,
    /// Notifications this person has not read.
    pub unread: i64,
    pub job_count: i64,
    pub waiting_count: i64,
    /// The first few of them.
    pub jobs: Vec<Tracked>,
    pub finished: Vec<Done>,
    /// The server's clock: the page's script tells times by it, whatever the browser's clock says.
    pub now_ms: i64,
    pub theme: Theme,
    pub flash: Option<Flash>,
    pub address: String,
    pub zone: String,
    /// It follows what the server does. The answer to a form does not: asking for its address again shows something else or nothing.
    pub is_live: bool,
}

impl Shell {
    /// A frame with sample values, for tests that render a page without a request.
    pub fn sample(place: Place, title: &str) -> Shell {
        Shell {
            title: title.to_owned(),
            place,
            organization: "Birchwood Advisory".to_owned(),
            user_name: "Ada Lindqvist".to_owned(),
            email: "ada@birchwood.example".to_owned(),
            role: "Owner",
            sees_integrations: true,
            manages_members: true,
            organizations: Vec::new(),
            open_incidents: 0,
            unread: 0,
            job_count: 0,
            waiting_count: 0,
            jobs: Vec::new(),
            finished: Vec::new(),
            now_ms: 1_780_000_000_000,
            theme: Theme::Auto,
            flash: None,
            address: "/".to_owned(),
            zone: "UTC".to_owned(),
            is_live: true,
        }
    }
    pub fn initials(&self) -> String {
        let initials: String = self.user_name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect();
        if initials.is_empty() { "?".to_owned() } else { initials.to_uppercase() }
    }
    pub fn is_at(&self, place: Place) -> bool {
        self.place == place
    }
    pub fn style(&self) -> &'static str {
        &crate::assets::STYLE.path
    }
    pub fn script(&self) -> &'static str {
        &crate::assets::SCRIPT.path
    }
}
