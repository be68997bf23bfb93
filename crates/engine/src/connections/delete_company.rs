//! Deleting one company, linked or not: its sync ends and every row of it goes. What stays is that somebody did it, without its name.
use super::disconnect::erase;
use super::{Happening, note};
use crate::error::EngineError;
use crate::{Engine, audit, logbook};
use domain::audit::{Act, Object};
use domain::ids::{CompanyId, OrganizationId, UserId};
use domain::log::{LogMessage, Settled};
use store::{companies, connections};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// An account still sees it at the provider: it is offered anew, not linked, with nothing imported.
    pub is_offered: bool,
}

/// Deletes a company with everything that was synced of it.
pub async fn delete_company(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_id: &CompanyId,
    user_id: &UserId,
) -> Result<Deleted, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let company = companies::find(&mut tx, organization_id, company_id).await?.ok_or(EngineError::NotFound)?;
    let connection = connections::find(&mut tx, organization_id, &company.connection_id).await?.ok_or(EngineError::NotFound)?;
    if let Some(run) = &company.run {
        // its row before any other: what a worker is writing under it comes to its end first, and nothing is written after
        store::runs::cancel(&mut tx, &run.id, now_ms).await?;
    }
    let erased = erase(engine, &mut tx, std::slice::from_ref(&company), Settled::Unlinked).await?;
    if erased.rows == 0 {
        return Err(EngineError::NotFound);
    }
    note(engine, &mut tx, organization_id, &connection.id, Happening::DeletedCompany, Some(user_id), None).await?;
    logbook::about_connection(&mut tx, organization_id, &connection, &LogMessage::DataErased { companies: 1 }, now_ms).await?;
    let after = format!("{} rows erased", erased.rows);
    audit::note(engine, &mut tx, organization_id, Act::CompanyDeleted, Object::company(company_id, &company.name), "", &after).await?;
    tx.commit().await?;
    if let Some(run) = &company.run {
        engine.stop_run(&run.id);
    }
    engine.changed(organization_id, None);
    Ok(Deleted { is_offered: erased.offered > 0 })
}
