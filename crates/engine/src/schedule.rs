//! What recurs: companies that are due get a run, once over all nodes; and what a person says about it: pause, resume, how often, how fresh.
use crate::connections::mixed_environment;
use crate::error::EngineError;
use crate::sync::request;
use crate::{Engine, audit, logbook};
use domain::audit::{Act, Object};
use domain::ids::{CompanyId, OrganizationId};
use domain::job::Trigger;
use domain::log::LogMessage;
use store::companies;

/// Queues every company whose time has come; how many.
///
/// A run holds its own row and then wants that of its company; who asks for a run waits for the row of an active one. So runs are asked for first, and only
/// then are the next times moved on: whoever held a company's row while asking could wait for a run that waits for that row. A node that is killed in between
/// leaves companies that are still due and have a run: the next tick moves them on.
pub async fn tick(engine: &Engine) -> Result<usize, EngineError> {
    let now_ms = engine.now_ms();
    let mut conn = engine.store.read().await?;
    let mut due = companies::list_due(&mut conn, now_ms, 200).await?;
    drop(conn);
    if due.is_empty() {
        return Ok(0);
    }
    // in one order, as two nodes may be here at once
    due.sort_by(|(a, of_a), (b, of_b)| (of_a, a).cmp(&(of_b, b)));
    let mut touched = Vec::new();
    let mut tx = engine.store.begin().await?;
    let environments = store::connections::list_environments(&mut tx).await?;
    let some_are_mixed = environments.iter().any(|(provider, environment)| mixed_environment(engine, provider, environment).is_some());
    for (company_id, organization_id) in &due {
        // an account of one environment under keys of another is named on its pages; its companies wait
        if some_are_mixed
            && let Some(company) = store::companies::find_any(&mut tx, company_id).await?
            && mixed_environment(engine, &company.provider, &company.connection_environment).is_some()
        {
            continue;
        }
        // an active run is enough; asking beside one would wait for its end, and then ask for another
        let is_idle = store::runs::find_active(&mut tx, company_id).await?.is_none();
        if is_idle && companies::is_due(&mut tx, company_id, now_ms).await? {
            request::enqueue(engine, &mut tx, organization_id, company_id, &Trigger::Schedule, None, None).await?;
            touched.push((organization_id.clone(), company_id.clone()));
        }
    }
    tx.commit().await?;
    let mut tx = engine.store.begin().await?;
    for (company_id, _) in &due {
        companies::move_due(&mut tx, company_id, now_ms).await?;
    }
    tx.commit().await?;
    for (organization_id, company_id) in &touched {
        engine.changed(organization_id, Some(company_id));
    }
    if !touched.is_empty() {
        engine.queued.notify_one();
    }
    Ok(touched.len())
}

/// Says in the log of every company that went past its freshness target that it did, once; how many.
pub async fn notice_stale(engine: &Engine) -> Result<usize, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let stale = companies::take_stale(&mut tx, now_ms, 200).await?;
    for (company_id, _, target_secs) in &stale {
        if let Some(company) = companies::find_any(&mut tx, company_id).await? {
            let message = LogMessage::NotFresh { hours: (target_secs / 3_600).unsigned_abs() };
            logbook::about_company(&mut tx, &company, None, &message, 1, now_ms).await?;
        }
    }
    tx.commit().await?;
    for (company_id, organization_id, _) in &stale {
        engine.changed(organization_id, Some(company_id));
    }
    Ok(stale.len())
}

/// Pauses the schedule of companies; how many were not paused before. A sync that is going on ends as usual.
pub async fn pause(engine: &Engine, organization_id: &OrganizationId, company_ids: &[CompanyId]) -> Result<usize, EngineError> {
    set_paused(engine, organization_id, company_ids, true).await
}

/// Resumes the schedule of companies; how many were paused.
pub async fn resume(engine: &Engine, organization_id: &OrganizationId, company_ids: &[CompanyId]) -> Result<usize, EngineError> {
    set_paused(engine, organization_id, company_ids, false).await
}

async fn set_paused(engine: &Engine, organization_id: &OrganizationId, company_ids: &[CompanyId], is_paused: bool) -> Result<usize, EngineError> {
    let now_ms = engine.now_ms();
    let mut changed = Vec::new();
    let mut tx = engine.store.begin().await?;
    for company in find_all(&mut tx, organization_id, company_ids).await? {
        let (is_changed, message) = match is_paused {
            true => (companies::pause(&mut tx, &company.id, now_ms).await?, LogMessage::SchedulePaused),
            false => (companies::resume(&mut tx, &company.id).await?, LogMessage::ScheduleResumed),
        };
        if is_changed {
            logbook::about_company(&mut tx, &company, None, &message, 1, now_ms).await?;
            changed.push(company);
        }
    }
    if !changed.is_empty() {
        let act = if is_paused { Act::SchedulePaused } else { Act::ScheduleResumed };
        audit::note(engine, &mut tx, organization_id, act, named(&changed), "", &names(&changed)).await?;
    }
    tx.commit().await?;
    engine.changed(organization_id, None);
    Ok(changed.len())
}

/// How often companies are synced, and within which time each must have been brought up to date; without one, the organization's target holds.
pub async fn set(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_ids: &[CompanyId],
    interval_secs: i64,
    freshness_secs: Option<i64>,
) -> Result<usize, EngineError> {
    let set = set_if(engine, organization_id, company_ids, interval_secs, freshness_secs, |_| true).await?;
    Ok(set.expect("it is set whatever the schedules are now"))
}

/// The same, unless the schedules are other ones than whoever sets them has seen: `None`.
pub async fn set_if(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_ids: &[CompanyId],
    interval_secs: i64,
    freshness_secs: Option<i64>,
    are_as_seen: impl Fn(&[companies::Company]) -> bool + Send,
) -> Result<Option<usize>, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    // always in the same order, so that nobody waits for somebody who waits for them
    let mut in_order: Vec<&CompanyId> = company_ids.iter().collect();
    in_order.sort();
    for id in in_order {
        companies::hold(&mut tx, id).await?;
    }
    let found = find_all(&mut tx, organization_id, company_ids).await?;
    if !are_as_seen(&found) {
        return Ok(None);
    }
    for company in &found {
        // the next run keeps its distance to the last one, in the new interval
        let next_due_at = company.last_success_at.map(|at| (at + interval_secs * 1_000).max(now_ms));
        companies::set_schedule(&mut tx, &company.id, interval_secs, freshness_secs, next_due_at).await?;
    }
    if !found.is_empty() {
        let target = freshness_secs.map_or("the organization's target".to_owned(), |secs| format!("fresh within {} min", secs / 60));
        let after = format!("every {} min, {target}", interval_secs / 60);
        audit::note(engine, &mut tx, organization_id, Act::ScheduleChanged, named(&found), "", &after).await?;
    }
    tx.commit().await?;
    engine.changed(organization_id, None);
    Ok(Some(found.len()))
}

/// The freshness target of every company that has none of its own.
pub async fn set_target(engine: &Engine, organization_id: &OrganizationId, freshness_secs: i64) -> Result<(), EngineError> {
    let mut tx = engine.store.begin().await?;
    store::feed::set_freshness_target(&mut tx, organization_id, freshness_secs).await?;
    let name = store::members::organization_name(&mut tx, organization_id).await?.unwrap_or_default();
    let (object, after) = (Object::organization(organization_id, &name), format!("fresh within {} min", freshness_secs / 60));
    audit::note(engine, &mut tx, organization_id, Act::FreshnessTargetSet, object, "", &after).await?;
    tx.commit().await?;
    engine.changed(organization_id, None);
    Ok(())
}

fn named(found: &[companies::Company]) -> Object {
    Object::companies(found.iter().map(|company| (&company.id, company.name.as_str())))
}

fn names(found: &[companies::Company]) -> String {
    found.iter().map(|company| company.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// All of them, or none is found: an id of somebody else looks like one that does not exist.
async fn find_all(tx: &mut store::Tx, organization_id: &OrganizationId, company_ids: &[CompanyId]) -> Result<Vec<companies::Company>, EngineError> {
    let found = store::feed::list_by_ids(tx, organization_id, company_ids).await?;
    if found.len() < company_ids.len() { Err(EngineError::NotFound) } else { Ok(found) }
}
