//! Update Token User: hands companies over to another account that sees the very same company at the provider. Nothing is imported again.
use super::{Happening, mixed_environment, note};
use crate::error::EngineError;
use crate::limits::{Gate, today};
use crate::{Engine, audit, logbook};
use domain::audit::{Act, Object};
use domain::connection::ConnectionState;
use domain::ids::{CompanyId, ConnectionId, OrganizationId, UserId};
use domain::log::LogMessage;
use futures::StreamExt;
use providers::ProviderError;
use providers::provider::{Books, Sight};
use store::companies::{self, Company};
use store::connections::{self, Connection};
use tokio_util::sync::CancellationToken;

/// Checks made at the same time: below what a provider admits.
const AT_ONCE: usize = 4;
/// Accounts that are tried for one company when any will do.
const MOST_TRIES: usize = 5;

/// Who is to take a company over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Account(ConnectionId),
    /// Whichever account of the organization sees it.
    Any,
}

/// What can become, or became, of one company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub company_id: CompanyId,
    pub company_name: String,
    /// The account that can take it over, or has done so, by name.
    pub to: Option<String>,
    /// Why it cannot be moved.
    pub reason: Option<String>,
}

/// Asks the provider, now, whether an account sees a company. `Err` holds the sentence for a person: it cannot, or it cannot be told.
async fn check_access(engine: &Engine, company: &Company, account: &Connection) -> Result<Result<(), String>, EngineError> {
    if account.provider != company.provider {
        return Ok(Err("The account is of another accounting software.".into()));
    }
    if account.id == company.connection_id && account.state == ConnectionState::Active {
        return Ok(Err("It is synced through this account already.".into()));
    }
    if account.state != ConnectionState::Active {
        return Ok(Err("The provider refuses this account; reconnect it first.".into()));
    }
    if let Some(sentence) = mixed_environment(engine, &account.provider, &account.environment) {
        return Ok(Err(sentence));
    }
    let provider = engine.provider(&company.provider)?.clone();
    let remote_id = companies::remote_id(&engine.store, &mut engine.store.read().await?, &company.id).await?.ok_or(EngineError::NotFound)?;
    let gate = Gate::open(engine, &company.organization_id, &company.id, &account.id, provider.clone(), CancellationToken::new()).await?;
    let sight = provider.can_see(&Books { company: &remote_id, gate: &gate }).await;
    let (calls, bytes) = gate.meter();
    let mut tx = engine.store.begin().await?;
    store::call_budgets::add(&mut tx, &company.id, &today(engine), calls as i64, bytes as i64).await?;
    tx.commit().await?;
    Ok(match sight {
        Ok(Sight::Sees) => Ok(()),
        Ok(Sight::Blind(reason)) => Err(capitalized(&reason)),
        // a grant that is refused has been marked by the gate
        Err(error @ ProviderError::NeedsReconnect { .. }) => Err(error.problem().sentence),
        Err(error) => Err(format!("It could not be checked: {}", error.problem().sentence)),
    })
}

fn capitalized(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Which of these companies the account can see, asked of the provider now; nothing is changed.
pub async fn check_token_user(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_ids: &[CompanyId],
    target: &Target,
) -> Result<Vec<Moved>, EngineError> {
    answer_each(engine, organization_id, None, company_ids, target).await
}

/// Hands over every company that the account can see, after a check of each; one answer per company, in the order asked.
pub async fn update_token_user(
    engine: &Engine,
    organization_id: &OrganizationId,
    user_id: &UserId,
    company_ids: &[CompanyId],
    target: &Target,
) -> Result<Vec<Moved>, EngineError> {
    let moved = answer_each(engine, organization_id, Some(user_id), company_ids, target).await;
    engine.changed(organization_id, None);
    engine.queued.notify_one();
    moved
}

async fn answer_each(
    engine: &Engine,
    organization_id: &OrganizationId,
    mover: Option<&UserId>,
    company_ids: &[CompanyId],
    target: &Target,
) -> Result<Vec<Moved>, EngineError> {
    let mut conn = engine.store.read().await?;
    let accounts = connections::list(&mut conn, organization_id).await?;
    if let Target::Account(id) = target
        && !accounts.iter().any(|account| account.id == *id)
    {
        return Err(EngineError::NotFound);
    }
    let mut work = Vec::with_capacity(company_ids.len());
    for company_id in company_ids {
        let company = companies::find(&mut conn, organization_id, company_id).await?.ok_or(EngineError::NotFound)?;
        let candidates = match target {
            Target::Account(id) => accounts.iter().filter(|account| account.id == *id).cloned().collect(),
            Target::Any => candidates(&mut conn, &company, &accounts).await?,
        };
        work.push((company, candidates));
    }
    drop(conn);
    let answers = work.into_iter().map(|(company, candidates)| answer_one(engine, mover, company, candidates));
    let answers: Vec<Result<Moved, EngineError>> = futures::stream::iter(answers).buffered(AT_ONCE).collect().await;
    answers.into_iter().collect()
}

/// Accounts that may see a company: those that were seen to, then the others of its provider.
async fn candidates(conn: &mut store::Conn, company: &Company, accounts: &[Connection]) -> Result<Vec<Connection>, EngineError> {
    let seen = companies::list_seen_by(conn, &company.id).await?;
    let place = |account: &Connection| seen.iter().position(|id| *id == account.id).unwrap_or(usize::MAX);
    let mut fit: Vec<Connection> = accounts
        .iter()
        .filter(|account| account.provider == company.provider && account.id != company.connection_id && account.state == ConnectionState::Active)
        .cloned()
        .collect();
    fit.sort_by_key(|account| place(account));
    fit.truncate(MOST_TRIES);
    Ok(fit)
}

async fn answer_one(engine: &Engine, mover: Option<&UserId>, company: Company, candidates: Vec<Connection>) -> Result<Moved, EngineError> {
    let answer =
        |to: Option<String>, reason: Option<String>| Moved { company_id: company.id.clone(), company_name: company.name.clone(), to, reason };
    let mut reason = "No other account of this accounting software is connected.".to_owned();
    for account in &candidates {
        match check_access(engine, &company, account).await? {
            Err(sentence) => reason = if candidates.len() > 1 { format!("{}: {sentence}", account.name) } else { sentence },
            Ok(()) => {
                let is_done = match mover {
                    Some(user_id) => hand_over(engine, user_id, &company, account).await?,
                    None => true,
                };
                if is_done {
                    return Ok(answer(Some(account.name.clone()), None));
                }
                reason = "Somebody else changed it at the same time; look at the Data Feed.".to_owned();
            }
        }
    }
    Ok(answer(None, Some(reason)))
}

async fn hand_over(engine: &Engine, user_id: &UserId, company: &Company, account: &Connection) -> Result<bool, EngineError> {
    let now_ms = engine.now_ms();
    let organization_id = &company.organization_id;
    let mut tx = engine.store.begin().await?;
    if !companies::hand_over(&mut tx, &company.id, &company.connection_id, &account.id, now_ms).await? {
        return Ok(false);
    }
    companies::note_access(&mut tx, &account.id, &company.id, now_ms).await?;
    for (connection_id, what) in [(&account.id, Happening::GainedCompany), (&company.connection_id, Happening::LostCompany)] {
        note(engine, &mut tx, organization_id, connection_id, what, Some(user_id), Some(&company.id)).await?;
    }
    let before = company.connection_name.clone();
    // the entry names the account that has the company now
    let company = companies::find(&mut tx, organization_id, &company.id).await?.ok_or(EngineError::NotFound)?;
    logbook::about_company(&mut tx, &company, None, &LogMessage::TokenUserUpdated, 1, now_ms).await?;
    let object = Object::company(&company.id, &company.name);
    audit::note(engine, &mut tx, organization_id, Act::TokenUserUpdated, object, &before, &company.connection_name).await?;
    tx.commit().await?;
    Ok(true)
}
