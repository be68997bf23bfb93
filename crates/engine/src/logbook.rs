//! Writes the integration log: who an entry is about, in the caller's transaction.
use crate::error::EngineError;
use domain::ids::{OrganizationId, RunId};
use domain::log::LogMessage;
use store::companies::Company;
use store::connections::Connection;
use store::log_entries::{self, About};
use store::{StoreError, Tx};

/// One entry about a company.
pub async fn about_company(
    tx: &mut Tx,
    company: &Company,
    run_id: Option<&RunId>,
    message: &LogMessage,
    attempt: u32,
    now_ms: i64,
) -> Result<(), StoreError> {
    let account_name = if company.connection_email.is_empty() { &company.connection_name } else { &company.connection_email };
    let about = About {
        organization_id: &company.organization_id,
        company_id: Some(&company.id),
        run_id,
        provider: &company.provider,
        company_name: &company.name,
        account_name,
    };
    log_entries::insert(tx, &about, message, attempt, now_ms).await?;
    Ok(())
}

/// One entry about an account, of no company.
pub async fn about_connection(
    tx: &mut Tx,
    organization_id: &OrganizationId,
    connection: &Connection,
    message: &LogMessage,
    now_ms: i64,
) -> Result<(), EngineError> {
    let account_name = if connection.email.is_empty() { &connection.name } else { &connection.email };
    let about = About { organization_id, company_id: None, run_id: None, provider: &connection.provider, company_name: "", account_name };
    log_entries::insert(tx, &about, message, 1, now_ms).await?;
    Ok(())
}
