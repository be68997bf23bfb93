//! What recurs: companies that are due get a run, once over all nodes.
use crate::Engine;
use crate::connections::mixed_environment;
use crate::error::EngineError;
use crate::sync::request;
use domain::job::Trigger;

/// Queues every company whose time has come; how many.
pub async fn tick(engine: &Engine) -> Result<usize, EngineError> {
    let now_ms = engine.now_ms();
    let mut tx = engine.store.begin().await?;
    let due = store::companies::take_due(&mut tx, now_ms, 200).await?;
    let mut touched = Vec::new();
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
        request::enqueue(engine, &mut tx, organization_id, company_id, &Trigger::Schedule, None).await?;
        touched.push((organization_id.clone(), company_id.clone()));
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
