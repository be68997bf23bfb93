//! Asking for a run: one transaction, one answer a person can read.
use super::progress::Progress;
use crate::connections::mixed_environment;
use crate::error::EngineError;
use crate::{Engine, audit};
use domain::audit::{Act, Object};
use domain::clock::Month;
use domain::connection::ConnectionState;
use domain::data_type::{DataType, Group};
use domain::ids::{CompanyId, OrganizationId, RunId};
use domain::job::{Job, Trigger};
use domain::log::LogMessage;
use domain::sync::Extent;
use providers::provider::LedgerSource;
use std::collections::BTreeSet;
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

/// What a person wants to be read again, besides what has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// Each is listed whole, what is gone is found, and the counts are compared.
    pub data_types: BTreeSet<DataType>,
    /// The ledger of these months, first and last.
    pub months: Option<(Month, Month)>,
}

impl Again {
    pub fn is_empty(&self) -> bool {
        self.data_types.is_empty() && self.months.is_none()
    }

    /// The progress a run begins with that has this wish.
    fn progress(&self) -> Progress {
        Progress {
            again: self.data_types.clone(),
            again_months: self.months.map(|(first, last)| (first.to_string(), last.to_string())),
            touched_months: self.months.into_iter().flat_map(|(first, last)| first.through(last)).map(|month| month.to_string()).collect(),
            ..Progress::default()
        }
    }
}

/// What of a company can be read again by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    pub data_types: Vec<DataType>,
    /// The ledger is read by months; where it is not, one month cannot be asked for.
    pub by_month: bool,
}

pub fn choices(engine: &Engine, provider: &str) -> Result<Choices, EngineError> {
    let profile = engine.provider(provider)?.profile();
    let data_types = profile.data_types.iter().copied().filter(|data_type| data_type.group() != Group::Company).collect();
    Ok(Choices { data_types, by_month: profile.ledger == LedgerSource::Windows })
}

/// The most months of the ledger that are read again at once: ten years.
const MOST_MONTHS: usize = 120;

/// Asks for changes, and for these parts whole. Refused with a sentence where it cannot be done.
pub async fn request_again(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_id: &CompanyId,
    trigger: Trigger,
    again: &Again,
) -> Result<Requested, EngineError> {
    ask_one(engine, organization_id, company_id, &trigger, Some(Extent::Changes), Some(again)).await
}

fn check(company: &Company, choices: &Choices, again: &Again) -> Result<(), String> {
    let name = &company.name;
    if company.cursor_at.is_none() {
        return Err(format!("{name} was never synced to the end: there is nothing to read again. Choose everything."));
    }
    if again.is_empty() {
        return Err(if choices.by_month { "Choose at least one data type or a period." } else { "Choose at least one data type." }.to_owned());
    }
    if let Some(unknown) = again.data_types.iter().find(|data_type| !choices.data_types.contains(data_type)) {
        return Err(format!("{name} has no data type `{unknown}`."));
    }
    if let Some((first, last)) = again.months {
        if !choices.by_month {
            return Err(format!("The ledger of {name} is read by the numbers of its journals, not by month. Choose everything."));
        }
        if first > last {
            return Err(format!("The period begins after it ends: {first} is later than {last}."));
        }
        if first.through(last).len() > MOST_MONTHS {
            return Err("The period is longer than ten years. Choose everything.".to_owned());
        }
    }
    Ok(())
}

/// What the log says of a wish to read again.
pub fn message(progress: &Progress) -> Option<LogMessage> {
    let wished = !progress.again.is_empty() || progress.again_months.is_some();
    wished.then(|| LogMessage::ReadAgain { data_types: progress.again.iter().copied().collect(), months: progress.again_months.clone() })
}

/// Asks for a sync of one company. Without `extent`: changes, or everything when there is nothing yet to build on.
pub async fn request(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_id: &CompanyId,
    trigger: Trigger,
    extent: Option<Extent>,
) -> Result<Requested, EngineError> {
    ask_one(engine, organization_id, company_id, &trigger, extent, None).await
}

/// One transaction: refused, queued or already running, with the entry of the audit log that says so.
async fn ask_one(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_id: &CompanyId,
    trigger: &Trigger,
    extent: Option<Extent>,
    again: Option<&Again>,
) -> Result<Requested, EngineError> {
    let mut tx = engine.store.begin().await?;
    let company = companies::find(&mut tx, organization_id, company_id).await?.ok_or(EngineError::NotFound)?;
    refuse(engine, &company).map_err(EngineError::Refused)?;
    if let Some(again) = again {
        check(&company, &choices(engine, &company.provider)?, again).map_err(EngineError::Refused)?;
    }
    let wish = again.map(Again::progress);
    let requested = enqueue(engine, &mut tx, organization_id, company_id, trigger, extent, wish.as_ref()).await?;
    let after = match (&requested, wish.as_ref().and_then(message)) {
        (Requested::AlreadyActive(_), _) => "already running".to_owned(),
        (Requested::Queued(_), None) => "queued".to_owned(),
        (Requested::Queued(_), Some(message)) => format!("queued; {}", message.sentence()),
    };
    audit::note(engine, &mut tx, organization_id, Act::ResyncAsked, Object::company(company_id, &company.name), "", &after).await?;
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

/// Queues a run in the caller's transaction; `wish` is the progress it begins with.
pub(crate) async fn enqueue(
    engine: &Engine,
    tx: &mut Tx,
    organization_id: &OrganizationId,
    company_id: &CompanyId,
    trigger: &Trigger,
    extent: Option<Extent>,
    wish: Option<&Progress>,
) -> Result<Requested, StoreError> {
    let extent = match extent {
        Some(extent) => extent,
        None => companies::find(tx, organization_id, company_id).await?.as_ref().map_or(Extent::Full, usual_extent),
    };
    let (requested_by, progress) = (trigger.as_text(), wish.map(Progress::to_text));
    let new = NewRun {
        id: RunId(engine.make_id()),
        kind: Job::Sync,
        organization_id,
        company_id,
        extent,
        priority: priority(trigger),
        requested_by: &requested_by,
        progress: progress.as_deref(),
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
    note_asked(engine, &mut tx, organization_id, &answer).await?;
    tx.commit().await?;
    announce(engine, organization_id, &answer);
    Ok(answer)
}

/// One click is one entry, however many companies it names.
async fn note_asked(engine: &Engine, tx: &mut Tx, organization_id: &OrganizationId, answer: &ManyRequested) -> Result<(), StoreError> {
    if answer.queued.len() + answer.already_running.len() + answer.refused.len() == 0 {
        return Ok(());
    }
    let refused = answer.refused.iter().map(|(id, name, _)| (id, name.as_str()));
    let object = Object::companies(answer.queued.iter().chain(&answer.already_running).map(|(id, name)| (id, name.as_str())).chain(refused));
    let after = format!("{} queued, {} already running, {} refused", answer.queued.len(), answer.already_running.len(), answer.refused.len());
    audit::note(engine, tx, organization_id, Act::ResyncAsked, object, "", &after).await
}

/// Asks for every company that needs it; paused ones and ones with an invalid token are passed over.
pub async fn request_all_due(engine: &Engine, organization_id: &OrganizationId, trigger: Trigger) -> Result<ManyRequested, EngineError> {
    let mut tx = engine.store.begin().await?;
    let due = Filter { status: "needs_resync".to_owned(), ..Filter::default() };
    let ids = store::feed::list_ids(&mut tx, organization_id, &due, Sort::default(), engine.now_ms(), i64::MAX, 0).await?;
    let companies = store::feed::list_by_ids(&mut tx, organization_id, &ids).await?;
    let answer = ask(engine, &mut tx, organization_id, companies, &trigger).await?;
    note_asked(engine, &mut tx, organization_id, &answer).await?;
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
            progress: None,
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
    if asked {
        let company = companies::find(&mut tx, organization_id, &run.company_id).await?.map(|company| company.name).unwrap_or_default();
        audit::note(engine, &mut tx, organization_id, Act::SyncCancelled, Object::company(&run.company_id, &company), "", "").await?;
    }
    tx.commit().await?;
    engine.stop_run(run_id);
    engine.changed(organization_id, Some(&run.company_id));
    Ok(asked)
}
