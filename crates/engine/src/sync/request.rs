//! Asking for a run: one transaction, one answer a person can read.
use crate::Engine;
use crate::connections::mixed_environment;
use crate::error::EngineError;
use domain::connection::ConnectionState;
use domain::ids::{CompanyId, OrganizationId, RunId};
use domain::job::{Job, Trigger};
use domain::sync::Extent;
use store::companies::{self, Company};
use store::feed::{Filter, Sort};
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
    let extent = match extent {
        Some(extent) => extent,
        None => companies::find(tx, organization_id, company_id).await?.as_ref().map_or(Extent::Full, usual_extent),
    };
    let requested_by = trigger.as_text();
    let new = NewRun {
        id: RunId(engine.make_id()),
        kind: Job::Sync,
        organization_id,
        company_id,
        extent,
        priority: priority(trigger),
        requested_by: &requested_by,
        now_ms: engine.now_ms(),
    };
    runs::request(tx, &new).await
}

/// Changes, or everything when there is nothing complete to build on.
fn usual_extent(company: &Company) -> Extent {
    if company.cursor_at.is_some() && company.scope_missing_at.is_none() { Extent::Changes } else { Extent::Full }
}

fn priority(trigger: &Trigger) -> i64 {
    match trigger {
        Trigger::Schedule => 0,
        Trigger::Connect => 1,
        Trigger::Person(_) | Trigger::CommandLine => 2,
    }
}

/// Asks for several companies; each gets its own answer.
pub async fn request_many(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_ids: &[CompanyId],
    trigger: Trigger,
) -> Result<ManyRequested, EngineError> {
    let mut tx = engine.store.begin().await?;
    let companies = store::feed::list_by_ids(&mut tx, organization_id, company_ids).await?;
    if companies.len() < company_ids.len() {
        return Err(EngineError::NotFound);
    }
    let answer = ask(engine, &mut tx, organization_id, companies, &trigger).await?;
    tx.commit().await?;
    announce(engine, organization_id, &answer);
    Ok(answer)
}

/// Asks for every company that needs it; paused ones and ones with an invalid token are passed over.
pub async fn request_all_due(engine: &Engine, organization_id: &OrganizationId, trigger: Trigger) -> Result<ManyRequested, EngineError> {
    let mut tx = engine.store.begin().await?;
    let due = Filter { status: "needs_resync".to_owned(), ..Filter::default() };
    let ids = store::feed::list_ids(&mut tx, organization_id, &due, Sort::default(), engine.now_ms(), i64::MAX, 0).await?;
    let companies = store::feed::list_by_ids(&mut tx, organization_id, &ids).await?;
    let answer = ask(engine, &mut tx, organization_id, companies, &trigger).await?;
    tx.commit().await?;
    announce(engine, organization_id, &answer);
    Ok(answer)
}

async fn ask(
    engine: &Engine,
    tx: &mut Tx,
    organization_id: &OrganizationId,
    companies: Vec<Company>,
    trigger: &Trigger,
) -> Result<ManyRequested, StoreError> {
    let mut answer = ManyRequested::default();
    let mut admitted = Vec::with_capacity(companies.len());
    for company in companies {
        match refuse(engine, &company) {
            Err(reason) => answer.refused.push((company.id, company.name, reason)),
            Ok(()) => admitted.push(company),
        }
    }
    let (requested_by, now_ms) = (trigger.as_text(), engine.now_ms());
    let new = |company: &'_ Company| (RunId(engine.make_id()), usual_extent(company));
    let ids: Vec<(RunId, Extent)> = admitted.iter().map(new).collect();
    let runs: Vec<NewRun<'_>> = admitted
        .iter()
        .zip(ids)
        .map(|(company, (id, extent))| NewRun {
            id,
            kind: Job::Sync,
            organization_id,
            company_id: &company.id,
            extent,
            priority: priority(trigger),
            requested_by: &requested_by,
            now_ms,
        })
        .collect();
    for (company, requested) in admitted.iter().zip(runs::request_many(tx, &runs).await?) {
        let named = (company.id.clone(), company.name.clone());
        match requested {
            Requested::Queued(_) => answer.queued.push(named),
            Requested::AlreadyActive(_) => answer.already_running.push(named),
        }
    }
    Ok(answer)
}

fn announce(engine: &Engine, organization_id: &OrganizationId, answer: &ManyRequested) {
    engine.queued.notify_one();
    match answer.queued.as_slice() {
        [] => {}
        [(company_id, _)] => engine.changed(organization_id, Some(company_id)),
        // one event is enough to look again
        _ => engine.changed(organization_id, None),
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
    engine.stop_run(run_id);
    engine.changed(organization_id, Some(&run.company_id));
    Ok(asked)
}
