//! Asking for a run: one transaction, one answer a person can read.
use crate::Engine;
use crate::connections::mixed_environment;
use crate::error::EngineError;
use domain::company::{SyncStatus, sync_status};
use domain::connection::ConnectionState;
use domain::ids::{CompanyId, OrganizationId, RunId};
use domain::job::{Job, Trigger};
use domain::sync::Extent;
use store::companies::{self, Company};
use store::runs::{self, NewRun, Requested};
use store::{StoreError, Tx};

/// What became of a request for several companies.
#[derive(Clone, Debug, Default)]
pub struct ManyRequested {
    pub queued: Vec<(CompanyId, String)>,
    pub already_running: Vec<(CompanyId, String)>,
    /// Company, its name, and the reason.
    pub refused: Vec<(CompanyId, String, String)>,
}

/// Asks for a sync of one company. Without `extent`: changes, or everything when there is nothing yet to build on.
pub async fn request(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_id: &CompanyId,
    trigger: Trigger,
    extent: Option<Extent>,
) -> Result<Requested, EngineError> {
    let mut tx = engine.store.begin().await?;
    let company = companies::find(&mut tx, organization_id, company_id).await?.ok_or(EngineError::NotFound)?;
    refuse(engine, &company).map_err(EngineError::Refused)?;
    let requested = enqueue(engine, &mut tx, organization_id, company_id, &trigger, extent).await?;
    tx.commit().await?;
    engine.queued.notify_one();
    engine.changed(organization_id, Some(company_id));
    Ok(requested)
}

/// Why a company cannot be synced now, in a sentence.
fn refuse(engine: &Engine, company: &Company) -> Result<(), String> {
    if company.linked_at.is_none() {
        return Err(format!("{} is not linked. Link it on the Data Feed first.", company.name));
    }
    if company.connection_state != ConnectionState::Active {
        return Err(format!("The sign-in of {} is no longer accepted. Choose Reconnect first.", company.connection_name));
    }
    if let Some(sentence) = mixed_environment(engine, &company.provider, &company.connection_environment) {
        return Err(sentence);
    }
    Ok(())
}

pub(crate) async fn enqueue(
    engine: &Engine,
    tx: &mut Tx,
    organization_id: &OrganizationId,
    company_id: &CompanyId,
    trigger: &Trigger,
    extent: Option<Extent>,
) -> Result<Requested, StoreError> {
    let has_base = match extent {
        Some(_) => true,
        None => companies::find(tx, organization_id, company_id).await?.is_some_and(|c| c.cursor_at.is_some() && c.scope_missing_at.is_none()),
    };
    let priority = match trigger {
        Trigger::Schedule => 0,
        Trigger::Connect => 1,
        Trigger::Person(_) | Trigger::CommandLine => 2,
    };
    let new = NewRun {
        id: RunId(engine.make_id()),
        kind: Job::Sync,
        organization_id,
        company_id,
        extent: extent.unwrap_or(if has_base { Extent::Changes } else { Extent::Full }),
        priority,
        requested_by: &trigger.as_text(),
        now_ms: engine.now_ms(),
    };
    runs::request(tx, &new).await
}

/// Asks for several companies; each gets its own answer.
pub async fn request_many(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_ids: &[CompanyId],
    trigger: Trigger,
) -> Result<ManyRequested, EngineError> {
    let mut answer = ManyRequested::default();
    let mut tx = engine.store.begin().await?;
    for company_id in company_ids {
        let Some(company) = companies::find(&mut tx, organization_id, company_id).await? else { return Err(EngineError::NotFound) };
        ask(engine, &mut tx, &company, &trigger, &mut answer).await?;
    }
    tx.commit().await?;
    announce(engine, organization_id, &answer);
    Ok(answer)
}

/// Asks for every company that needs it; paused ones and ones with an invalid token are passed over.
pub async fn request_all_due(engine: &Engine, organization_id: &OrganizationId, trigger: Trigger) -> Result<ManyRequested, EngineError> {
    let mut answer = ManyRequested::default();
    let mut tx = engine.store.begin().await?;
    let now = engine.clock.now();
    for company in companies::list(&mut tx, organization_id).await? {
        if company.linked_at.is_some() && matches!(sync_status(&company.status_facts(), now), SyncStatus::NeedsResync(_)) {
            ask(engine, &mut tx, &company, &trigger, &mut answer).await?;
        }
    }
    tx.commit().await?;
    announce(engine, organization_id, &answer);
    Ok(answer)
}

async fn ask(engine: &Engine, tx: &mut Tx, company: &Company, trigger: &Trigger, answer: &mut ManyRequested) -> Result<(), StoreError> {
    let named = (company.id.clone(), company.name.clone());
    match refuse(engine, company) {
        Err(reason) => answer.refused.push((named.0, named.1, reason)),
        Ok(()) => match enqueue(engine, tx, &company.organization_id, &company.id, trigger, None).await? {
            Requested::Queued(_) => answer.queued.push(named),
            Requested::AlreadyActive(_) => answer.already_running.push(named),
        },
    }
    Ok(())
}

fn announce(engine: &Engine, organization_id: &OrganizationId, answer: &ManyRequested) {
    engine.queued.notify_one();
    for (company_id, _) in &answer.queued {
        engine.changed(organization_id, Some(company_id));
    }
}

/// Asks a run to stop. False when it has ended already.
pub async fn cancel(engine: &Engine, organization_id: &OrganizationId, run_id: &RunId) -> Result<bool, EngineError> {
    let mut tx = engine.store.begin().await?;
    let run = runs::find(&mut tx, run_id).await?.filter(|run| run.organization_id == *organization_id).ok_or(EngineError::NotFound)?;
    let now_ms = engine.now_ms();
    let asked = runs::cancel(&mut tx, run_id, now_ms).await?;
    if asked && run.state == domain::sync::RunState::Queued {
        // it never starts: the company remembers it here, a running one is remembered by its worker
        let ended = companies::Ended {
            run_id,
            state: domain::sync::RunState::Cancelled,
            problem: None,
            cursor_at: None,
            was_full: false,
            next_due_at: None,
            now_ms,
        };
        companies::set_ended(&mut tx, &run.company_id, &ended).await?;
    }
    tx.commit().await?;
    engine.changed(organization_id, Some(&run.company_id));
    Ok(asked)
}
