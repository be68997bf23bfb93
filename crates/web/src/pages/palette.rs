//! The command palette: pages, companies, accounts and actions this person may use, as an index for the script and as a page of its own without it.
use crate::app::App;
use crate::error::WebError;
use crate::parts::address::{Address, Asked};
use crate::parts::provider;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::company::{SyncStatus, sync_status};
use domain::connection::ConnectionState;
use domain::organization::Action;
use serde::Serialize;
use store::StoreError;

/// Companies in the index; with more the palette asks the server as one types.
const MOST_COMPANIES: usize = 2_000;
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

/// Everything this person may use, companies whose name has `part` only.
async fn commands(app: &App, visit: &Visit, part: &str) -> Result<Index, StoreError> {
    let mut conn = app.engine.store.read().await?;
    let companies = store::companies::list_read_by(&mut conn, visit.organization_id(), &visit.reader()).await?;
    let integrations = visit.may(Action::UseIntegrations);
    let connections = match integrations {
        true => store::connections::list(&mut conn, visit.organization_id()).await?,
        false => Vec::new(),
    };
    drop(conn);
    let part = part.to_lowercase();
    let mut found: Vec<_> = companies.into_iter().filter(|company| company.name.to_lowercase().contains(&part)).collect();
    let more = found.len() > MOST_COMPANIES;
    found.truncate(MOST_COMPANIES);

    let mut commands = Vec::new();
    for company in found.iter().filter(|company| company.run.is_some()) {
        let run = company.run.as_ref().map(|run| run.step.clone()).unwrap_or_default();
        commands.push(Command { first: true, ..go("Running", &company.name, run, format!("/companies/{}", company.id)) });
    }
    for connection in connections.iter().filter(|connection| connection.state == ConnectionState::Invalid) {
        let href = format!("/integrations/accounts/{}/reconnect", connection.id);
        let label = format!("Reconnect {}", account_label(connection));
        commands.push(Command { post: true, first: true, ..go("Needs a person", label, "the provider refuses its sign-in", href) });
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
        commands.push(go("Actions", "Auto Resync All", "asks first", "/integrations/data-feed/resync-all"));
        commands.push(go("Actions", "Connect an account", "QuickBooks or Xero", "/integrations"));
    }
    if visit.may(Action::ManageMembers) {
        commands.push(go("Pages", "Members", "", "/organization/members"));
        commands.push(go("Pages", "Internal Access", "which Member reads which company", "/organization/access"));
        commands.push(go("Pages", "Settings", "of the organization", "/organization/settings"));
        commands.push(go("Actions", "Invite Member", "", "/organization/invitations/new"));
        commands.push(go("Pages", "API keys", "", "/organization/api-keys"));
    }
    commands.push(go("Pages", "API reference", "", "/developers/api"));
    for (label, word) in [("Light theme", "light"), ("Dark theme", "dark"), ("Theme of the system", "auto")] {
        commands.push(Command { post: true, ..go("Actions", label, "", format!("/preferences/theme?theme={word}")) });
    }
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
    for connection in &connections {
        commands.push(go(
            "Accounts",
            account_label(connection),
            provider::name(&connection.provider),
            format!("/integrations/accounts/{}", connection.id),
        ));
    }
    Ok(Index { commands, more })
}

fn account_label(connection: &store::connections::Connection) -> &str {
    if connection.name.is_empty() { &connection.email } else { &connection.name }
}

/// GET: the index as JSON, read when the palette is opened for the first time on a page.
pub async fn index(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Json<Index>, WebError> {
    Ok(Json(commands(&app, &visit, asked.get("q")).await?))
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
    // words may be of a label as well as of a name: the companies are not narrowed here
    let all = commands(&app, &visit, "").await?.commands;
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
