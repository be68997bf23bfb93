//! The command palette: pages, companies, accounts and actions this person may use, as an index for the script and as a page of its own without it.
use crate::app::App;
use crate::error::WebError;
use crate::parts::address::{Address, Asked};
use crate::parts::figures::counted;
use crate::parts::moment::Moment;
use crate::parts::provider;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::company::{SyncStatus, sync_status};
use domain::connection::ConnectionState;
use domain::ids::RunId;
use domain::organization::Action;
use serde::Serialize;
use store::StoreError;
use store::log_entries::{self, Filter};

/// Companies in the index; with more the palette asks the server as one types.
const MOST_COMPANIES: usize = 2_000;
/// Companies that are syncing, shown before anything is typed.
const MOST_RUNNING: i64 = 40;
/// Words of a search that companies are looked for by.
const MOST_WORDS: usize = 8;
/// Entries of the log that name what is typed; of more, the log itself.
const MOST_NAMING: i64 = 3;
/// Results of the page without scripts.
const MOST_SHOWN: usize = 50;

/// One thing to go to or to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Command {
    pub group: &'static str,
    pub label: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
    pub href: String,
    /// The address takes a form; otherwise it is opened.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub post: bool,
    /// Why it cannot be done now: shown, and nothing happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<String>,
    /// Shown before anything is typed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
}

/// What the script keeps.
#[derive(Debug, Serialize)]
pub struct Index {
    pub commands: Vec<Command>,
    /// There are more companies than these: ask again with what is typed.
    pub more: bool,
}

#[derive(Template)]
#[template(path = "pages/palette.html")]
pub struct PalettePage {
    pub shell: Shell,
    pub search: String,
    pub groups: Vec<(&'static str, Vec<Command>)>,
    pub found: usize,
}

fn go(group: &'static str, label: impl Into<String>, hint: impl Into<String>, href: impl Into<String>) -> Command {
    Command { group, label: label.into(), hint: hint.into(), href: href.into(), post: false, disabled: None, first: false }
}

/// What this person may use apart from single companies; what runs or waits for somebody comes first.
async fn of_the_site(app: &App, visit: &Visit) -> Result<Vec<Command>, StoreError> {
    let mut conn = app.engine.store.read().await?;
    let running = store::companies::list_active(&mut conn, visit.organization_id(), &visit.reader(), MOST_RUNNING).await?;
    let integrations = visit.may(Action::UseIntegrations);
    let manages = visit.may(Action::ManageMembers);
    let connections = match integrations {
        true => store::connections::list(&mut conn, visit.organization_id()).await?,
        false => Vec::new(),
    };
    let incidents = match integrations {
        true => store::incidents::list_open(&mut conn, visit.organization_id(), MOST_RUNNING).await?,
        false => Vec::new(),
    };
    let members = match manages {
        true => store::members::list(&mut conn, visit.organization_id()).await?,
        false => Vec::new(),
    };
    let organizations = store::members::list_organizations(&mut conn, visit.user_id()).await?;
    drop(conn);

    let mut commands = Vec::new();
    for company in &running {
        let run = company.run.as_ref().map(|run| run.step.clone()).unwrap_or_default();
        commands.push(Command { first: true, ..go("Running", &company.name, run, format!("/companies/{}", company.id)) });
    }
    for connection in connections.iter().filter(|connection| connection.state == ConnectionState::Invalid) {
        let href = format!("/integrations/accounts/{}/reconnect", connection.id);
        let label = format!("Reconnect {}", account_label(connection));
        commands.push(Command { post: true, first: true, ..go("Needs a person", label, "the provider refuses its sign-in", href) });
    }
    for incident in &incidents {
        let stopped = match incident.companies {
            0 => String::new(),
            companies => format!("{} stopped", counted(companies, "company", "companies")),
        };
        let href = format!("/integrations/incidents/{}", incident.id);
        commands.push(Command { first: true, ..go("Needs a person", crate::parts::incident::title(incident), stopped, href) });
    }
    commands.push(Command { first: true, ..go("Pages", "Companies", "", "/companies") });
    commands.push(go("Pages", "Chart of Accounts Mapping", "", "/mapping"));
    if integrations {
        for (label, href) in [
            ("Integrations", "/integrations"),
            ("Data Feed", "/integrations/data-feed"),
            ("Integration Logs", "/integrations/logs"),
            ("All companies log", "/integrations/logs/all"),
        ] {
            commands.push(Command { first: true, ..go("Pages", label, "", href) });
        }
        let errors = Address::new("/integrations/logs/all").with("status", "error").to_string();
        commands.push(go("Pages", "Errors in the log", "", errors));
        for (label, hint, href) in [
            ("Runs of all companies", "each sync, what it did and how long it took", "/integrations/logs/all/runs"),
            ("Incidents", "one for each cause", "/integrations/incidents"),
            ("Provider health", "how QuickBooks and Xero answer", "/integrations/health"),
            ("Guide to errors", "what each one means and what to do", "/integrations/logs/errors"),
            ("Log settings", "how long entries are kept", "/integrations/logs/settings"),
            ("Notifications", "", "/notifications"),
            ("Notification settings", "mail and webhook, by kind", "/notifications/settings"),
        ] {
            commands.push(go("Pages", label, hint, href));
        }
        for company in &running {
            if let Some(run) = &company.run {
                let href = format!("/integrations/runs/{}/cancel", run.id);
                commands.push(Command { post: true, ..go("Actions", format!("Cancel the sync of {}", company.name), "", href) });
            }
        }
        commands.push(go("Actions", "Export the Data Feed as CSV", "", "/integrations/data-feed/export.csv"));
        commands.push(go("Actions", "Export the log as CSV", "", "/integrations/logs/all/export?format=csv"));
        commands.push(go("Actions", "Auto Resync All", "asks first", "/integrations/data-feed/resync-all"));
        commands.push(go("Actions", "Connect an account", "QuickBooks or Xero", "/integrations"));
    }
    if manages {
        commands.push(go("Pages", "Members", "", "/organization/members"));
        commands.push(go("Pages", "Invitations", "", "/organization/invitations"));
        commands.push(go("Pages", "Internal Access", "which Member reads which company", "/organization/access"));
        commands.push(go("Pages", "Settings", "of the organization", "/organization/settings"));
        commands.push(go("Actions", "Invite Member", "", "/organization/invitations/new"));
        commands.push(go("Pages", "API keys", "", "/organization/api-keys"));
        commands.push(go("Pages", "Audit log", "who did what", "/organization/audit"));
    }
    commands.push(go("Pages", "Profile and security", "password, second factor, sessions", "/profile"));
    commands.push(go("Pages", "API reference", "", "/developers/api"));
    for (label, word) in [("Light theme", "light"), ("Dark theme", "dark"), ("Theme of the system", "auto")] {
        commands.push(Command { post: true, ..go("Actions", label, "", format!("/preferences/theme?theme={word}")) });
    }
    for member in members {
        let hint = format!("{}, {}", member.role.label(), member.email);
        commands.push(go("Members", member.name, hint, format!("/organization/members#role-{}", member.user_id)));
    }
    for (id, name, role) in organizations.into_iter().filter(|(id, ..)| id != visit.organization_id()) {
        commands.push(Command { post: true, ..go("Actions", format!("Switch to {name}"), role.label(), format!("/switch?organization={id}")) });
    }
    for connection in &connections {
        commands.push(go(
            "Accounts",
            account_label(connection),
            provider::name(&connection.provider),
            format!("/integrations/accounts/{}", connection.id),
        ));
    }
    Ok(commands)
}

/// Companies whose name has one of the words, and what can be done with them: the other words may say what.
async fn of_companies(app: &App, visit: &Visit, words: &[&str]) -> Result<Index, StoreError> {
    let most = MOST_COMPANIES as i64 + 1;
    let mut conn = app.engine.store.read().await?;
    let mut found = store::companies::search(&mut conn, visit.organization_id(), &visit.reader(), words, most).await?;
    drop(conn);
    let more = found.len() > MOST_COMPANIES;
    found.truncate(MOST_COMPANIES);
    let integrations = visit.may(Action::UseIntegrations);
    let mut commands = Vec::new();
    for company in &found {
        let status = sync_status(&company.status_facts(), visit.now);
        let hint = match company.linked_at {
            Some(_) => format!("{}, {}", provider::name(&company.provider), status.label()),
            None => format!("{}, not linked", provider::name(&company.provider)),
        };
        commands.push(go("Companies", &company.name, hint, format!("/companies/{}", company.id)));
    }
    for company in found.iter().filter(|company| company.linked_at.is_some()) {
        let about = |what: &str, path: &str| go("Companies", format!("{}: {what}", company.name), "", format!("/companies/{}{path}", company.id));
        commands.push(about("statements", "/statements"));
        if integrations {
            let disabled = match sync_status(&company.status_facts(), visit.now) {
                SyncStatus::InvalidToken => Some("its sign-in is refused: Reconnect first".to_owned()),
                SyncStatus::Syncing | SyncStatus::Waiting { .. } => Some("a sync is queued or running already".to_owned()),
                _ => None,
            };
            let resync = go("Actions", format!("Resync {}", company.name), "", format!("/companies/{}/resync", company.id));
            commands.push(Command { post: true, disabled, ..resync });
            commands.push(go("Companies", format!("{}: log", company.name), "", format!("/integrations/logs/companies/{}", company.id)));
        }
    }
    Ok(Index { commands, more })
}

fn account_label(connection: &store::connections::Connection) -> &str {
    if connection.name.is_empty() { &connection.email } else { &connection.name }
}

/// What a text names exactly: a run, or entries of the log by the provider's request id or a record. Each label begins with the text.
async fn of_references(app: &App, visit: &Visit, typed: &str) -> Result<Vec<Command>, StoreError> {
    let typed = typed.trim();
    if !visit.may(Action::UseIntegrations) || !typed.contains(|letter: char| letter.is_ascii_digit()) {
        return Ok(Vec::new());
    }
    let organization_id = visit.organization_id();
    let mut conn = app.engine.store.read().await?;
    let mut commands = Vec::new();
    if let Some(run) = store::runs::find(&mut conn, &RunId::new(typed)).await?.filter(|run| run.organization_id == *organization_id) {
        let company = store::companies::find(&mut conn, organization_id, &run.company_id).await?.map_or_else(String::new, |company| company.name);
        let href = Address::new(format!("/integrations/logs/companies/{}", run.company_id)).with("run", typed).to_string();
        commands.push(go("References", format!("{typed}: the log of this sync"), company, href));
    }
    let filter = Filter { reference: Some(typed.to_owned()), ..Filter::default() };
    let page = log_entries::list_page(&mut conn, organization_id, &filter, log_entries::Place::Newest, MOST_NAMING).await?;
    for entry in &page.entries {
        let hint = format!("{}, {}", entry.company_name, Moment::exact(entry.logged_at, &visit.zone).plain());
        commands.push(go("References", format!("{typed}: {}", entry.message), hint, format!("/integrations/logs/entries/{}", entry.id)));
    }
    if page.has_older {
        let href = Address::new("/integrations/logs/all").with("reference", typed).to_string();
        commands.push(go("References", format!("{typed}: all entries that name it"), "", href));
    }
    Ok(commands)
}

/// GET: the index as JSON, read when the palette is opened for the first time on a page; with what is typed, only the companies it names.
pub async fn index(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Json<Index>, WebError> {
    let words: Vec<&str> = asked.get("q").split_whitespace().take(MOST_WORDS).collect();
    let mut index = of_companies(&app, &visit, &words).await?;
    if words.is_empty() {
        let mut commands = of_the_site(&app, &visit).await?;
        commands.append(&mut index.commands);
        index.commands = commands;
    } else {
        index.commands.append(&mut of_references(&app, &visit, asked.get("q")).await?);
    }
    Ok(Json(index))
}

/// GET: the palette without a script.
pub async fn show(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let search = asked.get("q").to_owned();
    let words: Vec<String> = search.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let fits = |command: &Command| match words.is_empty() {
        true => command.first,
        false => {
            let text = format!("{} {}", command.label, command.group).to_lowercase();
            words.iter().all(|word| text.contains(word.as_str()))
        }
    };
    let mut all = of_the_site(&app, &visit).await?;
    all.append(&mut of_references(&app, &visit, &search).await?);
    all.append(&mut of_companies(&app, &visit, &words.iter().take(MOST_WORDS).map(String::as_str).collect::<Vec<_>>()).await?.commands);
    let mut groups: Vec<(&'static str, Vec<Command>)> = Vec::new();
    let mut found = 0;
    for command in all.into_iter().filter(fits) {
        found += 1;
        if found > MOST_SHOWN {
            continue;
        }
        match groups.iter_mut().find(|(group, _)| *group == command.group) {
            Some((_, commands)) => commands.push(command),
            None => groups.push((command.group, vec![command])),
        }
    }
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::Palette, "Command Palette").await?;
    visit.page(&PalettePage { shell, search, groups, found })
}
