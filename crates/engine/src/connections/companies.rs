//! What is imported: link, unlink, Import All Companies.
use crate::error::EngineError;
use crate::sync::request;
use crate::{Engine, audit, logbook};
use domain::audit::{Act, Object};
use domain::ids::{CompanyId, ConnectionId, OrganizationId, UserId};
use domain::job::Trigger;
use domain::log::LogMessage;
use store::companies;
use store::connections;
use store::runs::Requested;

/// What **Import All Companies** did.
#[derive(Clone, Debug, Default)]
pub struct ImportReport {
    pub queued: Vec<CompanyId>,
    /// Companies that were linked before: a second click queues nothing.
    pub already: usize,
}

/// Links every company this connection sees that is not linked yet, and queues exactly one sync for each.
pub async fn import_all(
    engine: &Engine,
    organization_id: &OrganizationId,
    connection_id: &ConnectionId,
    user_id: &UserId,
) -> Result<ImportReport, EngineError> {
    let now_ms = engine.now_ms();
    let (mut report, mut linked) = (ImportReport::default(), Vec::new());
    let mut tx = engine.store.begin().await?;
    connections::find(&mut tx, organization_id, connection_id).await?.filter(|c| c.disconnected_at.is_none()).ok_or(EngineError::NotFound)?;
    for (company, _) in companies::list_by_connection(&mut tx, connection_id).await? {
        if link_in(engine, &mut tx, &company, user_id, now_ms).await?.is_some() {
            linked.push((company.id.clone(), company.name));
            report.queued.push(company.id);
        } else {
            report.already += 1;
        }
    }
    connections::finish_setup(&mut tx, connection_id, now_ms).await?;
    if !linked.is_empty() {
        let names = linked.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
        let object = Object::companies(linked.iter().map(|(id, name)| (id, name.as_str())));
        audit::note(engine, &mut tx, organization_id, Act::CompanyLinked, object, "", &names).await?;
    }
    tx.commit().await?;
    engine.queued.notify_one();
    engine.changed(organization_id, None);
    Ok(report)
}

/// **Add Companies Manually**: the question is answered, nothing is linked.
pub async fn finish_setup(engine: &Engine, organization_id: &OrganizationId, connection_id: &ConnectionId) -> Result<(), EngineError> {
    let mut tx = engine.store.begin().await?;
    connections::find(&mut tx, organization_id, connection_id).await?.ok_or(EngineError::NotFound)?;
    connections::finish_setup(&mut tx, connection_id, engine.now_ms()).await?;
    tx.commit().await?;
    Ok(())
}

async fn link_in(
    engine: &Engine,
    tx: &mut store::Tx,
    company: &companies::Company,
    user_id: &UserId,
    now_ms: i64,
) -> Result<Option<Requested>, EngineError> {
    if !companies::link(tx, &company.id, now_ms).await? {
        return Ok(None);
    }
    logbook::about_company(tx, company, None, &LogMessage::CompanyLinked, 1, now_ms).await?;
    // one that was unlinked a moment ago may still be ending its run: it is due at once, and the schedule asks when that has ended
    if let Some(run) = &company.run {
        return Ok(Some(Requested::AlreadyActive(run.id.clone())));
    }
    let trigger = if company.last_success_at.is_none() { Trigger::Connect } else { Trigger::Person(user_id.0.clone()) };
    Ok(Some(request::enqueue(engine, tx, &company.organization_id, &company.id, &trigger, None, None).await?))
}

/// Links one company and queues its first sync. A company that is linked already answers with the run it has, or is asked to sync.
pub async fn link(engine: &Engine, organization_id: &OrganizationId, company_id: &CompanyId, user_id: &UserId) -> Result<Requested, EngineError> {
    let mut tx = engine.store.begin().await?;
    let company = companies::find(&mut tx, organization_id, company_id).await?.ok_or(EngineError::NotFound)?;
    let requested = match link_in(engine, &mut tx, &company, user_id, engine.now_ms()).await? {
        Some(requested) => {
            let object = Object::company(company_id, &company.name);
            audit::note(engine, &mut tx, organization_id, Act::CompanyLinked, object, "", &company.connection_name).await?;
            requested
        }
        None => match &company.run {
            Some(run) => Requested::AlreadyActive(run.id.clone()),
            None => {
                // one company of a provider is one set of books here, whoever sees it
                return Err(EngineError::Refused(format!("{} is linked already, through the account {}.", company.name, company.connection_name)));
            }
        },
    };
    tx.commit().await?;
    engine.queued.notify_one();
    engine.changed(organization_id, Some(company_id));
    Ok(requested)
}

/// Unlinks a company: it is no longer synced, what was synced is kept.
pub async fn unlink(engine: &Engine, organization_id: &OrganizationId, company_id: &CompanyId) -> Result<(), EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let company = companies::find(&mut tx, organization_id, company_id).await?.ok_or(EngineError::NotFound)?;
    // the run's row before its company's, as the run itself takes them: neither can wait for the other
    if let Some(run) = company.run.as_ref().filter(|_| company.linked_at.is_some()) {
        store::runs::cancel(&mut tx, &run.id, now_ms).await?;
    }
    if companies::unlink(&mut tx, company_id).await? {
        logbook::about_company(&mut tx, &company, None, &LogMessage::CompanyUnlinked, 1, now_ms).await?;
        let object = Object::company(company_id, &company.name);
        audit::note(engine, &mut tx, organization_id, Act::CompanyUnlinked, object, &company.connection_name, "").await?;
    }
    tx.commit().await?;
    if let Some(run) = &company.run {
        engine.stop_run(&run.id);
    }
    engine.changed(organization_id, Some(company_id));
    Ok(())
}
