//! Organization, Members: who belongs here, in which role; changing a role, handing over a link for a new password, and resetting a second factor.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::pages::confirm_person;
use crate::parts::address::{Address, Asked};
use crate::parts::moment::Moment;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::response::Response;
use domain::ids::UserId;
use domain::organization::{Role, may_remove, may_set_role};
use engine::EngineError;
use engine::people::{self, Actor};
use std::collections::BTreeMap;
use store::members::Member;
use store::readers::Reader;

pub const PATH: &str = "/organization/members";

/// One entry of the dropdown of roles.
pub struct Choice {
    pub value: &'static str,
    pub label: &'static str,
    pub chosen: bool,
}

pub struct Row {
    pub id: String,
    pub name: String,
    pub email: String,
    pub is_self: bool,
    pub role: &'static str,
    pub role_word: &'static str,
    pub choices: Vec<Choice>,
    /// Why the role stays; shown beside the disabled dropdown.
    pub role_locked: Option<&'static str>,
    pub remove_locked: Option<&'static str>,
    /// Whether whoever looks may hand over a link for a new password.
    pub may_reset: bool,
    pub has_second_factor: bool,
    /// Whether whoever looks may take it away.
    pub may_reset_factor: bool,
    pub joined: Moment,
    pub seen: Option<Moment>,
    /// "sees 3 of 12 companies"
    pub sees: String,
}

/// A column that sorts.
pub struct Column {
    pub label: &'static str,
    pub href: String,
    /// For `aria-sort`: `ascending`, `descending` or nothing.
    pub sorted: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "pages/members.html")]
pub struct MembersPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    /// A link that was just made: for whom, and the link.
    pub link: Option<(String, String)>,
}

/// The three tabs of Members.
pub struct Tabs {
    pub at: &'static str,
    pub members: usize,
    pub invitations: usize,
}

impl Tabs {
    pub fn is_at(&self, tab: &str) -> bool {
        self.at == tab
    }
}

pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    page(&app, &visit, &asked, None).await
}

async fn page(app: &App, visit: &Visit, asked: &Asked, link: Option<(String, String)>) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let organization_id = visit.organization_id();
    let mut members = store::members::list(&mut conn, organization_id).await?;
    let invitations = store::invitations::list_open(&mut conn, organization_id).await?.len();
    let companies = store::companies::list_names(&mut conn, organization_id, &Reader::Everything)
        .await?
        .iter()
        .filter(|company| company.linked_at.is_some())
        .count();
    let mut assigned: BTreeMap<UserId, usize> = BTreeMap::new();
    for (user_id, _) in store::readers::list_all(&mut conn, organization_id).await? {
        *assigned.entry(user_id).or_default() += 1;
    }
    let shell = visit.shell(&mut conn, Place::Members, "Members").await?;
    drop(conn);
    let owners = members.iter().filter(|member| member.role == Role::Owner).count() as i64;
    let (sort, descending) = match asked.get("sort").strip_prefix('-') {
        Some(column) => (column.to_owned(), true),
        None => (asked.get("sort").to_owned(), false),
    };
    match sort.as_str() {
        "role" => members.sort_by_key(|member| std::cmp::Reverse(member.role)),
        "joined" => members.sort_by_key(|member| member.joined_at),
        "seen" => members.sort_by_key(|member| member.seen_at.unwrap_or(0)),
        // who has none comes first: they are whom one looks for
        "factor" => members.sort_by_key(|member| member.has_second_factor),
        "companies" => {
            members.sort_by_key(|member| if member.role >= Role::Admin { usize::MAX } else { assigned.get(&member.user_id).copied().unwrap_or(0) })
        }
        _ => members.sort_by_cached_key(|member| member.name.to_lowercase()),
    }
    if descending {
        members.reverse();
    }
    let columns = [
        ("name", "Name"),
        ("role", "Role"),
        ("companies", "Companies"),
        ("joined", "Date joined"),
        ("seen", "Last seen"),
        ("factor", "Second factor"),
    ]
    .map(|(key, label)| {
        let is_it = sort == key || (sort.is_empty() && key == "name");
        let next = if is_it && !descending { format!("-{key}") } else { key.to_owned() };
        let sorted = is_it.then_some(if descending { "descending" } else { "ascending" });
        Column { label, href: Address::new(PATH).with("sort", next).to_string(), sorted }
    })
    .into();
    let count = members.len();
    let rows = members.iter().map(|member| row(member, visit, owners, assigned.get(&member.user_id).copied().unwrap_or(0), companies)).collect();
    visit.page(&MembersPage { shell, tabs: Tabs { at: "members", members: count, invitations }, columns, rows, link })
}

fn row(member: &Member, visit: &Visit, owners: i64, assigned: usize, companies: usize) -> Row {
    let is_self = member.user_id == *visit.user_id();
    let allowed = |to: Role| may_set_role(visit.role(), is_self, member.role, to, owners);
    let choices: Vec<Choice> = [Role::Owner, Role::Admin, Role::Member]
        .into_iter()
        .filter(|role| *role == member.role || allowed(*role).is_ok())
        .map(|role| Choice { value: role.as_str(), label: role.label(), chosen: role == member.role })
        .collect();
    let other = if member.role == Role::Member { Role::Admin } else { Role::Member };
    Row {
        id: member.user_id.0.clone(),
        name: member.name.clone(),
        email: member.email.clone(),
        is_self,
        role: member.role.label(),
        role_word: member.role.as_str(),
        role_locked: (choices.len() < 2).then(|| allowed(other).err().map(|refusal| refusal.sentence())).flatten(),
        choices,
        remove_locked: may_remove(visit.role(), is_self, member.role, owners).err().map(|refusal| refusal.sentence()),
        may_reset: !is_self && member.organizations == 1 && (member.role != Role::Owner || visit.role() == Role::Owner),
        has_second_factor: member.has_second_factor,
        may_reset_factor: !is_self && member.has_second_factor && member.organizations == 1 && visit.role() == Role::Owner,
        joined: Moment::relative(member.joined_at, visit.now, &visit.zone),
        seen: member.seen_at.map(|ms| Moment::relative(ms, visit.now, &visit.zone)),
        sees: match member.role {
            Role::Owner | Role::Admin => "all".to_owned(),
            Role::Member => format!("sees {assigned} of {}", companies.max(assigned)),
        },
    }
}

/// Whoever acts, as the engine asks.
pub fn actor(visit: &Visit) -> Actor<'_> {
    Actor::person(visit.organization_id(), visit.user_id())
}

/// POST: another role. It holds for that person's very next request.
pub async fn set_role(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let sent = form;
    let form = Asked::parse(&sent);
    let back = form.back(PATH).to_owned();
    let Some(role) = Role::parse(form.get("role")) else {
        return Ok(Flash::bad("Choose Owner, Admin or Member. Nothing was changed.").redirect(&back));
    };
    let target = UserId::new(id);
    let name = name_of(&app, &visit, &target).await?;
    let now = store::members::role_of(&mut app.engine.store.read().await?, visit.organization_id(), &target).await?;
    if let (Some(was), Some(now)) = (Role::parse(form.get("was")), now)
        && was != now
        && now != role
    {
        let sentence = format!(
            "Changed meanwhile: {name} is now {}. You chose {}; nothing was changed. Choose again if it still shall be so.",
            with_article(now),
            role.label()
        );
        return Ok(Flash::warn(sentence).redirect(&back));
    }
    if (role == Role::Owner || now == Some(Role::Owner))
        && let Some(page) = confirm_person::before(&app, &visit, "Changing who is Owner", &sent, &back).await?
    {
        return Ok(page);
    }
    match people::set_role(&app.engine, &actor(&visit), &target, role).await {
        Ok(()) => Ok(Flash::good(format!("{name} is now {}, effective now.", with_article(role))).redirect(&back)),
        Err(EngineError::Refused(reason)) => Ok(Flash::warn(reason).redirect(&back)),
        Err(error) => Err(error.into()),
    }
}

fn with_article(role: Role) -> &'static str {
    match role {
        Role::Owner => "an Owner",
        Role::Admin => "an Admin",
        Role::Member => "a Member",
    }
}

/// The name of a member; 404 for anybody else.
pub async fn name_of(app: &App, visit: &Visit, target: &UserId) -> Result<String, WebError> {
    let mut conn = app.engine.store.read().await?;
    let names = store::members::list_names(&mut conn, visit.organization_id()).await?;
    names.into_iter().find(|(id, _)| id == target).map(|(_, name)| name).ok_or(WebError::NotFound)
}

/// POST: a link for a new password, shown once to whoever asked for it.
pub async fn make_password_link(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    if let Some(page) = confirm_person::before(&app, &visit, "Making a link for somebody's new password", &form, PATH).await? {
        return Ok(page);
    }
    let target = UserId::new(id);
    let name = name_of(&app, &visit, &target).await?;
    match people::passwords::make_link_for(&app.engine, &actor(&visit), &target).await {
        Ok(link) => page(&app, &visit, &Asked::default(), Some((name, link.to_string()))).await,
        Err(EngineError::Refused(reason)) => Ok(Flash::warn(reason).redirect(PATH)),
        Err(error) => Err(error.into()),
    }
}

/// POST: takes away the second factor of a member who has lost it.
pub async fn reset_second_factor(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    if let Some(page) = confirm_person::before(&app, &visit, "Taking away a second factor", &form, PATH).await? {
        return Ok(page);
    }
    let target = UserId::new(id);
    let name = name_of(&app, &visit, &target).await?;
    match people::second_factor::reset_for(&app.engine, &actor(&visit), &target).await {
        Ok(()) => Ok(Flash::good(format!("{name} has no second factor any more, and is signed out everywhere.")).redirect(PATH)),
        Err(EngineError::Refused(reason)) => Ok(Flash::warn(reason).redirect(PATH)),
        Err(error) => Err(error.into()),
    }
}
