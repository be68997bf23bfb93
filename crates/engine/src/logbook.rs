//! Writes the integration log: who an entry is about, and what follows from it, in the caller's transaction. An error opens the incident of its
//! cause or adds to it; what shows that a cause is over closes it.
use crate::error::EngineError;
use domain::ids::{ConnectionId, OrganizationId, RunId};
use domain::incident::{Cause, Concerned};
use domain::log::{LogMessage, Settled, Settles};
use store::companies::Company;
use store::connections::Connection;
use store::incidents::{self, Seen};
use store::log_entries::{self, About};
use store::run_days::{self, Day};
use store::{StoreError, Tx};

/// One entry about a company; its id.
pub async fn about_company(
    tx: &mut Tx,
    company: &Company,
    run_id: Option<&RunId>,
    message: &LogMessage,
    attempt: u32,
    now_ms: i64,
) -> Result<i64, StoreError> {
    let account_name = if company.connection_email.is_empty() { &company.connection_name } else { &company.connection_email };
    let about = About {
        organization_id: &company.organization_id,
        company_id: Some(&company.id),
        run_id,
        provider: &company.provider,
        company_name: &company.name,
        account_name,
    };
    let entry_id = log_entries::insert(tx, &about, message, attempt, now_ms).await?;
    let day = match message {
        LogMessage::SyncFinished { .. } => Some(Day::Good),
        LogMessage::SyncFailed { .. } => Some(Day::Failed),
        LogMessage::WaitingForProvider { .. } | LogMessage::RetryLater { .. } => Some(Day::Waited),
        _ => None,
    };
    if let Some(day) = day {
        run_days::add(tx, &company.id, day, now_ms).await?;
    }
    match message.settles() {
        Some(Settles::Run) => {
            if let Some(run_id) = run_id {
                incidents::settle_run(tx, &company.id, run_id, now_ms).await?;
            }
        }
        Some(Settles::TieOut) => incidents::settle_tie_out(tx, &company.id, now_ms).await?,
        Some(Settles::Company) => incidents::settle_company(tx, &company.id, Settled::Unlinked, now_ms).await?,
        Some(Settles::Account(_)) | None => {}
    }
    let concerned = Concerned {
        provider: &company.provider,
        connection_id: company.connection_id.as_str(),
        account_name,
        company: Some((company.id.as_str(), &company.name)),
    };
    note(tx, &about, &concerned, &company.connection_id, message, entry_id, now_ms).await?;
    Ok(entry_id)
}

/// One entry about an account, of no company; its id.
pub async fn about_connection(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    connection: &Connection,
    message: &LogMessage,
    now_ms: i64,
) -> Result<i64, EngineError> {
    let account_name = if connection.email.is_empty() { &connection.name } else { &connection.email };
    let about = About { organization_id, company_id: None, run_id: None, provider: &connection.provider, company_name: "", account_name };
    let entry_id = log_entries::insert(tx, &about, message, 1, now_ms).await?;
    if let Some(Settles::Account(by)) = message.settles() {
        incidents::settle_account(tx, &connection.id, by, now_ms).await?;
    }
    let concerned = Concerned { provider: &connection.provider, connection_id: connection.id.as_str(), account_name, company: None };
    note(tx, &about, &concerned, &connection.id, message, entry_id, now_ms).await?;
    Ok(entry_id)
}

async fn note(
    tx: &mut Tx,
    about: &About<'_>,
    concerned: &Concerned<'_>,
    connection_id: &ConnectionId,
    message: &LogMessage,
    entry_id: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let Some(cause) = Cause::of(message, concerned) else { return Ok(()) };
    let seen = Seen {
        organization_id: about.organization_id,
        cause: &cause,
        provider: about.provider,
        connection_id,
        company_id: about.company_id,
        run_id: about.run_id,
        entry_id,
        sentence: &message.sentence(),
        now_ms,
    };
    incidents::note(tx, &seen).await?;
    Ok(())
}
