//! Update Token User: which account can take these companies over, checked with the provider now, and what became of each.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::pages::data_feed;
use crate::parts::address::without_nul;
use crate::parts::figures::counted;
use crate::parts::provider;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, RawQuery, State};
use axum::response::Response;
use domain::connection::ConnectionState;
use domain::ids::{CompanyId, ConnectionId};
use engine::connections::{Moved, Target};
use store::companies::Company;
use store::connections::Connection;

pub const PATH: &str = "/integrations/data-feed/token-user";
const ANY: &str = "any";
/// One page of the Data Feed; each company costs a call at the provider.
const MOST_COMPANIES: usize = 100;

/// An account that may take them over.
#[derive(Clone, Debug)]
pub struct Choice {
    pub key: String,
    pub name: String,
    pub detail: String,
    pub is_chosen: bool,
    /// It cannot be chosen: the provider refuses it.
    pub is_invalid: bool,
}

/// One company, and what was found out about it.
#[derive(Clone, Debug)]
pub struct Line {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub account: String,
    pub account_is_invalid: bool,
    pub answer: Option<Answer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The account that can take it, or has taken it.
    Yes(String),
    No(String),
}

#[derive(Template)]
#[template(path = "pages/token_user.html")]
pub struct TokenUserPage {
    pub shell: Shell,
    pub choices: Vec<Choice>,
    pub lines: Vec<Line>,
    /// They have been moved; otherwise they were only looked at.
    pub is_done: bool,
}

impl TokenUserPage {
    pub fn chosen(&self) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.is_chosen)
    }
    pub fn movable(&self) -> usize {
        self.lines.iter().filter(|line| matches!(line.answer, Some(Answer::Yes(_)))).count()
    }
    pub fn refused(&self) -> usize {
        self.lines.iter().filter(|line| matches!(line.answer, Some(Answer::No(_)))).count()
    }
    pub fn summary(&self) -> String {
        let (moved, refused) = (counted(self.movable(), "company", "companies"), self.refused());
        match (self.is_done, refused) {
            (true, 0) => format!("{moved} moved."),
            (true, refused) => format!("{moved} moved, {refused} refused."),
            (false, 0) => format!("{moved} can be moved."),
            (false, refused) => format!("{moved} can be moved, {refused} cannot."),
        }
    }
}

/// What the form or the address asks for.
#[derive(Default)]
struct Asked {
    companies: Vec<CompanyId>,
    account: Option<String>,
}

fn read(bytes: &[u8]) -> Asked {
    let mut asked = Asked::default();
    for (name, value) in url::form_urlencoded::parse(bytes) {
        let value = without_nul(&value);
        match name.as_ref() {
            "company" if !asked.companies.iter().any(|id| id.as_str() == value) => asked.companies.push(CompanyId(value)),
            "account" if !value.is_empty() => asked.account = Some(value),
            _ => {}
        }
    }
    asked
}

impl Asked {
    fn target(&self) -> Option<Target> {
        self.account.as_deref().map(|account| if account == ANY { Target::Any } else { Target::Account(ConnectionId(account.to_owned())) })
    }
}

/// GET /integrations/data-feed/token-user: with an account in the address, each company is checked with the provider.
pub async fn show(State(app): State<App>, RawQuery(query): RawQuery, visit: Visit) -> Result<Response, WebError> {
    let mut asked = read(query.as_deref().unwrap_or("").as_bytes());
    if asked.companies.is_empty() {
        // those that are ticked on the Data Feed, over all its pages
        let mut conn = app.engine.store.read().await?;
        asked.companies = store::selections::list(&mut conn, &visit.session.token_hash, visit.organization_id()).await?;
    }
    if let Some(refusal) = refuse(&asked) {
        return Ok(refusal);
    }
    let (companies, accounts) = load(&app, &visit, &asked).await?;
    // with one account to choose there is nothing to choose
    if let (None, [only]) = (&asked.account, able(&accounts, &companies).as_slice()) {
        asked.account = Some(only.id.0.clone());
    }
    let answers = match asked.target() {
        Some(target) => engine::connections::check_token_user(&app.engine, visit.organization_id(), &asked.companies, &target).await?,
        None => Vec::new(),
    };
    render(&app, &visit, &asked, companies, accounts, answers, false).await
}

/// POST /integrations/data-feed/token-user: each is checked once more before it is moved. Sent twice it moves nothing twice.
pub async fn update(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let asked = read(&form);
    if let Some(refusal) = refuse(&asked) {
        return Ok(refusal);
    }
    let (companies, accounts) = load(&app, &visit, &asked).await?;
    let Some(target) = asked.target() else {
        return render(&app, &visit, &asked, companies, accounts, Vec::new(), false).await;
    };
    let moved = engine::connections::update_token_user(&app.engine, visit.organization_id(), visit.user_id(), &asked.companies, &target).await?;
    render(&app, &visit, &asked, companies, accounts, moved, true).await
}

fn refuse(asked: &Asked) -> Option<Response> {
    let flash = match asked.companies.len() {
        0 => Flash::warn("Select at least one company first: Update Token User moves the companies that are ticked."),
        count if count > MOST_COMPANIES => {
            Flash::warn(format!("{} were selected. Update Token User takes up to {MOST_COMPANIES} at once.", counted(count, "company", "companies")))
        }
        _ => return None,
    };
    Some(flash.redirect(data_feed::PATH))
}

async fn load(app: &App, visit: &Visit, asked: &Asked) -> Result<(Vec<Company>, Vec<Connection>), WebError> {
    let mut conn = app.engine.store.read().await?;
    let mut companies = Vec::with_capacity(asked.companies.len());
    for id in &asked.companies {
        companies.push(store::companies::find(&mut conn, visit.organization_id(), id).await?.ok_or(WebError::NotFound)?);
    }
    let mut accounts = store::connections::list(&mut conn, visit.organization_id()).await?;
    accounts.retain(|account| companies.iter().any(|company| company.provider == account.provider));
    Ok((companies, accounts))
}

/// Accounts that at least one of the companies could move to.
fn able<'a>(accounts: &'a [Connection], companies: &[Company]) -> Vec<&'a Connection> {
    let fits = |account: &&Connection| {
        account.state == ConnectionState::Active
            && companies.iter().any(|company| company.provider == account.provider && company.connection_id != account.id)
    };
    accounts.iter().filter(fits).collect()
}

async fn render(
    app: &App,
    visit: &Visit,
    asked: &Asked,
    companies: Vec<Company>,
    accounts: Vec<Connection>,
    answers: Vec<Moved>,
    is_done: bool,
) -> Result<Response, WebError> {
    let chosen = asked.account.as_deref();
    let able_ids: Vec<String> = able(&accounts, &companies).iter().map(|account| account.id.0.clone()).collect();
    let mut choices: Vec<Choice> = accounts
        .iter()
        .filter(|account| able_ids.contains(&account.id.0) || account.state != ConnectionState::Active)
        .map(|account| Choice {
            key: account.id.0.clone(),
            name: if account.name.is_empty() { account.email.clone() } else { account.name.clone() },
            detail: match account.email.as_str() {
                "" => provider::full_name(&account.provider).to_owned(),
                email => format!("{}, {email}", provider::full_name(&account.provider)),
            },
            is_chosen: chosen == Some(account.id.as_str()),
            is_invalid: account.state != ConnectionState::Active,
        })
        .collect();
    if able_ids.len() > 1 {
        let detail = "For each company the first one that the provider lets see it".to_owned();
        choices.insert(
            0,
            Choice { key: ANY.into(), name: "Any account that sees it".into(), detail, is_chosen: chosen == Some(ANY), is_invalid: false },
        );
    }
    let lines = companies
        .into_iter()
        .map(|company| {
            let answer = answers.iter().find(|answer| answer.company_id == company.id).map(|answer| match (&answer.to, &answer.reason) {
                (Some(to), _) => Answer::Yes(to.clone()),
                (None, reason) => Answer::No(reason.clone().unwrap_or_default()),
            });
            Line {
                account_is_invalid: company.connection_state != ConnectionState::Active,
                id: company.id.0,
                name: company.name,
                provider: company.provider,
                account: company.connection_name,
                answer,
            }
        })
        .collect();
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::DataFeed, "Update Token User").await?;
    visit.page(&TokenUserPage { shell, choices, lines, is_done })
}
