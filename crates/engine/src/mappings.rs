//! Where accounts lie in the standard chart: assigned in every sync, decided by people at any time, applied when a statement is read.
use crate::error::EngineError;
use crate::sync::run::Work;
use crate::{Engine, audit, logbook};
use domain::audit::{Act, Object};
use domain::chart::category::{self, Category};
use domain::chart::mapping::{self, Flag, Step};
use domain::chart::suggest::{self, Suggestion};
use domain::chart::{AccountKind, Assignment, Mapping, MappingSource, rules};
use domain::data_type::DataType;
use domain::ids::{CompanyId, OrganizationId, UserId};
use domain::log::LogMessage;
use domain::record::RecordState;
use domain::statements::trial_balance::Chart;
use providers::suggestions::AT_ONCE;
use std::collections::{BTreeMap, BTreeSet};
use store::Conn;
use store::accounts::{Account, ChartOfAccounts};
use store::mappings::{Assigned, Change, ModelAnswer, NewChange};

/// Questions to the endpoint in one sync; the next sync asks about the rest.
const QUESTIONS: usize = 5;

/// What decides where an account lies.
pub fn kind(account: &Account) -> AccountKind<'_> {
    // whatever it is called: the provider rolls the result of earlier years into it
    let role = if account.is_retained_earnings { "RetainedEarnings" } else { account.role.as_str() };
    AccountKind { name: &account.name, class: account.class, account_type: &account.account_type, role }
}

/// Everything about the mapping of a company, as of now or of a version.
pub struct Loaded {
    pub chart: ChartOfAccounts,
    pub mapping: Mapping,
    /// What rules and suggestions say, and what a sync found.
    pub assigned: BTreeMap<String, Assigned>,
    /// What people decided, by account.
    pub decisions: BTreeMap<String, Change>,
}

pub async fn load(conn: &mut Conn, company_id: &CompanyId) -> Result<Loaded, EngineError> {
    load_at(conn, company_id, i64::MAX).await
}

/// The mapping with people's decisions up to a version.
pub async fn load_at(conn: &mut Conn, company_id: &CompanyId, version: i64) -> Result<Loaded, EngineError> {
    let chart = store::accounts::list(conn, company_id).await?;
    let assigned = store::mappings::list(conn, company_id).await?;
    let decisions = store::mappings::list_decisions(conn, company_id, version).await?;
    let mut loaded = Mapping::default();
    for (id, account) in &chart.0 {
        let machine = by_machine(account, assigned.get(id));
        let chosen = decisions.get(id).and_then(|decision| decision.to_category.as_deref().map(|key| (key, told(decision))));
        loaded.0.insert(id.clone(), mapping::decide(account.class, machine, chosen));
    }
    Ok(Loaded { chart, mapping: loaded, assigned, decisions })
}

/// What the last sync assigned, while the account is what it was then; else what rules and vocabulary say at once.
fn by_machine(account: &Account, assigned: Option<&Assigned>) -> Assignment {
    let stored = assigned.filter(|assigned| assigned.account_type == kind(account).type_text()).and_then(|assigned| {
        let category = category::find_leaf(&assigned.category).filter(|category| category.class == account.class)?;
        Some(Assignment { category, source: assigned.source, confidence: assigned.confidence, reason: assigned.reason.clone() })
    });
    stored.unwrap_or_else(|| mapping::assign(&kind(account), None))
}

/// Who decided, when and why.
fn told(decision: &Change) -> String {
    let who = if decision.made_by.is_empty() { "Somebody who is no longer a member" } else { &decision.made_by };
    let verb = if decision.step == Step::Confirm { "confirmed" } else { "chose" };
    let day = jiff::Timestamp::from_millisecond(decision.made_at).unwrap_or(jiff::Timestamp::UNIX_EPOCH).strftime("%-d %b %Y");
    let place = decision.to_category.as_deref().and_then(category::find).map_or("it", |category| category.name);
    let note = if decision.note.is_empty() { String::new() } else { format!(": {}", decision.note) };
    format!("{who} {verb} “{place}” on {day}{note}")
}

/// After the chart is imported: puts every account somewhere, and flags what came or changed. Nothing in a chart can stop it: it looks at one account
/// at a time and follows no parents.
pub async fn assign(work: &Work) -> Result<(), EngineError> {
    let company_id = &work.company.id;
    let mut conn = work.engine.store.read().await?;
    let chart = store::accounts::list(&mut conn, company_id).await?;
    let known = store::mappings::list(&mut conn, company_id).await?;
    drop(conn);
    let first = known.is_empty();
    let service = work.engine.suggestions.get();
    let is_current = |account: &Account, known: &Assigned| {
        let asked = service.is_none_or(|service| known.answer.as_ref().is_some_and(|answer| answer.model == service.model()));
        is_same(account, known) && known.rules_version == rules::VERSION && (asked || !mapping::is_undecided(&kind(account)))
    };
    let open: Vec<&Account> =
        chart.0.values().filter(|account| known.get(&account.remote_id).is_none_or(|known| !is_current(account, known))).collect();
    let is_by_these_rules = work.company.rules_version == Some(rules::VERSION);
    if open.is_empty() && is_by_these_rules {
        return Ok(());
    }
    let answers = ask(work, &open, &known).await;
    let now_ms = work.engine.now_ms();
    let (mut written, mut new, mut retyped) = (Vec::new(), 0, 0);
    for account in open {
        let before = known.get(&account.remote_id);
        let answer = answers
            .get(&account.remote_id)
            .cloned()
            .or_else(|| before.filter(|before| is_same(account, before)).and_then(|before| before.answer.clone()));
        let assigned = assigned(account, before, answer, first, now_ms);
        if before.is_none_or(|before| before.flag != assigned.flag) {
            new += u64::from(assigned.flag == Some(Flag::New));
            retyped += u64::from(assigned.flag == Some(Flag::Retyped));
        }
        if before != Some(&assigned) {
            written.push(assigned);
        }
    }
    if written.is_empty() && is_by_these_rules {
        return Ok(());
    }
    let mut tx = work.engine.store.begin_under(&work.lease).await?;
    store::mappings::put(&mut tx, company_id, &written).await?;
    store::companies::set_rules_version(&mut tx, company_id, rules::VERSION).await?;
    if new + retyped > 0 {
        let message = LogMessage::AccountsToReview { new, retyped };
        logbook::about_company(&mut tx, &work.company, Some(&work.run.id), &message, work.attempt(), now_ms).await?;
    }
    tx.commit().await?;
    work.engine.changed(&work.company.organization_id, Some(company_id));
    Ok(())
}

fn is_same(account: &Account, known: &Assigned) -> bool {
    known.account_name == account.name && known.account_type == kind(account).type_text()
}

fn assigned(account: &Account, before: Option<&Assigned>, answer: Option<ModelAnswer>, first: bool, now_ms: i64) -> Assigned {
    let kind = kind(account);
    let suggestion = answer.as_ref().and_then(|answer| suggest::checked(&kind, &answer.category, answer.confidence, &answer.model, &answer.reason));
    let Assignment { category, source, confidence, reason } = mapping::assign(&kind, suggestion.as_ref());
    let account_type = kind.type_text();
    let (flag, previous) = match before {
        None if first => (None, None),
        None => (Some(Flag::New), None),
        Some(before) if before.account_type != account_type => (Some(Flag::Retyped), Some(before.account_type.clone())),
        // an account that is new stays new, whatever it is called meanwhile
        Some(before) if before.account_name != account.name => {
            (before.flag.or(Some(Flag::Renamed)), before.previous.clone().or(Some(before.account_name.clone())))
        }
        Some(before) => (before.flag, before.previous.clone()),
    };
    let flagged_at = match before {
        Some(before) if before.flag == flag => before.flagged_at,
        _ => flag.map(|_| now_ms),
    };
    Assigned {
        account_id: account.remote_id.clone(),
        category: category.key.to_owned(),
        source,
        confidence,
        reason,
        account_name: account.name.clone(),
        account_type,
        rules_version: rules::VERSION,
        answer,
        assigned_at: now_ms,
        flag,
        flagged_at,
        previous,
    }
}

/// What the configured endpoint says of accounts that rules leave undecided. No endpoint, no answer, nonsense: then the vocabulary does it alone.
async fn ask(work: &Work, open: &[&Account], known: &BTreeMap<String, Assigned>) -> BTreeMap<String, ModelAnswer> {
    let mut answers = BTreeMap::new();
    let Some(service) = work.engine.suggestions.get() else { return answers };
    let is_answered = |account: &Account| {
        let before = known.get(&account.remote_id).filter(|before| is_same(account, before));
        before.and_then(|before| before.answer.as_ref()).is_some_and(|answer| answer.model == service.model())
    };
    let undecided: Vec<&&Account> = open.iter().filter(|account| mapping::is_undecided(&kind(account)) && !is_answered(account)).collect();
    for part in undecided.chunks(AT_ONCE).take(QUESTIONS) {
        let kinds: Vec<AccountKind<'_>> = part.iter().map(|account| kind(account)).collect();
        let answered = tokio::select! {
            answered = service.ask(&kinds) => answered,
            () = work.stopped() => return answers,
        };
        match answered {
            Ok(found) => {
                for (at, account) in part.iter().enumerate() {
                    // one that was left out counts as asked, and is not asked again until it changes
                    let (category, confidence, reason) = match found.get(&at) {
                        Some(Suggestion { category, confidence, matched, .. }) => (category.key.to_owned(), *confidence, matched.clone()),
                        None => (String::new(), 0, String::new()),
                    };
                    let answer = ModelAnswer { model: service.model().to_owned(), category, confidence, reason };
                    answers.insert(account.remote_id.clone(), answer);
                }
            }
            Err(error) => {
                tracing::warn!(company.id = %work.company.id, run.id = %work.run.id, %error, "no suggestions from the endpoint; names are compared here instead");
                return answers;
            }
        }
    }
    answers
}

/// What a person wants of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Set(&'static Category),
    Confirm,
    Revert,
}

/// Why a wish cannot be fulfilled, about which account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub account_id: String,
    pub sentence: String,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// How many accounts it changed; none: everything was so already.
    pub changed: usize,
    pub version: Option<i64>,
}

/// Where accounts lie and why, as a text that is another one as soon as anything of it is.
pub fn state_of(loaded: &Loaded, account_ids: &[&str]) -> String {
    let line = |id: &&str| {
        let (category, source, reason) = loaded
            .mapping
            .0
            .get(*id)
            .map_or(("", "", ""), |assignment| (assignment.category.key, assignment.source.as_str(), assignment.reason.as_str()));
        format!("{id}\u{1f}{category}\u{1f}{source}\u{1f}{reason}\n")
    };
    account_ids.iter().map(line).collect()
}

/// All of it or nothing. No sync is started, stopped or started again by it: statements are normalized when they are read.
pub async fn decide(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_id: &CompanyId,
    wishes: &[(String, Wish)],
    by: &UserId,
    note: &str,
) -> Result<Result<Decided, Vec<Refusal>>, EngineError> {
    let decided = decide_if(engine, organization_id, company_id, wishes, by, note, |_| true).await?;
    Ok(decided.expect("it is decided whatever the mapping is now"))
}

/// The same, unless the mapping is another one than whoever decides has seen: `None`.
pub async fn decide_if(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_id: &CompanyId,
    wishes: &[(String, Wish)],
    by: &UserId,
    note: &str,
    is_as_seen: impl Fn(&Loaded) -> bool + Send,
) -> Result<Option<Result<Decided, Vec<Refusal>>>, EngineError> {
    let takes_back = wishes.iter().all(|(_, wish)| *wish == Wish::Revert);
    let act = if takes_back { Act::MappingReverted } else { Act::MappingChanged };
    settle(engine, organization_id, company_id, wishes, by, (act, note), is_as_seen).await
}

/// The same for the rows of a table.
pub async fn import(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_id: &CompanyId,
    wishes: &[(String, Wish)],
    by: &UserId,
) -> Result<Result<Decided, Vec<Refusal>>, EngineError> {
    let decided = settle(engine, organization_id, company_id, wishes, by, (Act::MappingImported, "imported from a table"), |_| true).await?;
    Ok(decided.expect("it is decided whatever the mapping is now"))
}

async fn settle(
    engine: &Engine,
    organization_id: &OrganizationId,
    company_id: &CompanyId,
    wishes: &[(String, Wish)],
    by: &UserId,
    (act, note): (Act, &str),
    is_as_seen: impl Fn(&Loaded) -> bool + Send,
) -> Result<Option<Result<Decided, Vec<Refusal>>>, EngineError> {
    let mut tx = engine.store.begin().await?;
    store::companies::hold(&mut tx, company_id).await?;
    let company = store::companies::find(&mut tx, organization_id, company_id).await?.ok_or(EngineError::NotFound)?;
    let loaded = load(&mut tx, company_id).await?;
    if !is_as_seen(&loaded) {
        return Ok(None);
    }
    let (mut changes, mut refusals) = (Vec::new(), Vec::new());
    for (account_id, wish) in wishes {
        match change(&loaded, account_id, *wish, note) {
            Ok(change) => changes.extend(change),
            Err(sentence) => refusals.push(Refusal { account_id: account_id.clone(), sentence }),
        }
    }
    if !refusals.is_empty() {
        return Ok(Some(Err(refusals)));
    }
    let seen: Vec<&str> = wishes.iter().map(|(id, _)| id.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    store::mappings::clear_flags(&mut tx, company_id, Some(&seen)).await?;
    let version = if changes.is_empty() { None } else { Some(store::mappings::append(&mut tx, company_id, &changes, by, engine.now_ms()).await?) };
    if version.is_some() {
        let (before, after) = (places(&changes, |change| Some(&change.from_category)), places(&changes, |change| change.to_category.as_ref()));
        audit::note(engine, &mut tx, organization_id, act, Object::company(company_id, &company.name), &before, &after).await?;
    }
    tx.commit().await?;
    engine.changed(organization_id, Some(company_id));
    Ok(Some(Ok(Decided { changed: changes.len(), version })))
}

/// Where the accounts of a change lie, by the provider's ids; the mapping's own history tells all of a large one.
fn places(changes: &[NewChange], of: fn(&NewChange) -> Option<&String>) -> String {
    const TOLD: usize = 20;
    let place = |change: &NewChange| format!("{}: {}", change.account_id, of(change).map_or("as the rules say", String::as_str));
    let mut told: Vec<String> = changes.iter().take(TOLD).map(place).collect();
    if changes.len() > TOLD {
        told.push(format!("and {} more", changes.len() - TOLD));
    }
    told.join("; ")
}

fn change(loaded: &Loaded, account_id: &str, wish: Wish, note: &str) -> Result<Option<NewChange>, String> {
    let account = loaded.chart.0.get(account_id).ok_or("The provider's chart has no such account (any more)")?;
    let now = &loaded.mapping.0[account_id];
    let is_decided = loaded.decisions.get(account_id).is_some_and(|decision| decision.to_category.is_some());
    let (step, to) = match wish {
        Wish::Set(category) if !category.is_leaf => return Err(format!("“{}” is a group; choose one of the categories in it", category.name)),
        Wish::Set(category) if category.class != account.class => {
            return Err(format!(
                "“{}” is one of the {}, but “{}” is one of the provider's {}; choose a category of the same class",
                category.name,
                class_word(category.class),
                account.name,
                class_word(account.class)
            ));
        }
        Wish::Set(category) if now.source == MappingSource::User && now.category == category => return Ok(None),
        Wish::Set(category) => (Step::Set, Some(category)),
        Wish::Confirm if now.source == MappingSource::User => return Ok(None),
        Wish::Confirm if now.category.is_unmapped() => return Err(format!("“{}” lies nowhere yet; choose a category for it", account.name)),
        Wish::Confirm => (Step::Confirm, Some(now.category)),
        Wish::Revert if !is_decided => return Ok(None),
        Wish::Revert => (Step::Revert, None),
    };
    Ok(Some(NewChange {
        account_id: account_id.to_owned(),
        account_name: account.name.clone(),
        step,
        from_category: now.category.key.to_owned(),
        from_source: now.source,
        to_category: to.map(|category| category.key.to_owned()),
        note: note.to_owned(),
    }))
}

/// `assets`, `expenses`.
pub fn class_word(class: domain::document::AccountClass) -> String {
    category::unmapped(class).line()[0].name.to_lowercase()
}

/// Somebody has looked at everything that came or changed.
pub async fn see_all(engine: &Engine, organization_id: &OrganizationId, company_id: &CompanyId) -> Result<(), EngineError> {
    let mut tx = engine.store.begin().await?;
    store::companies::find(&mut tx, organization_id, company_id).await?.ok_or(EngineError::NotFound)?;
    store::mappings::clear_flags(&mut tx, company_id, None).await?;
    tx.commit().await?;
    engine.changed(organization_id, Some(company_id));
    Ok(())
}

/// Accounts that the provider has made inactive, deleted, or merged into others.
pub async fn inactive(conn: &mut Conn, company_id: &CompanyId) -> Result<BTreeMap<String, RecordState>, EngineError> {
    let (mut inactive, mut after) = (BTreeMap::new(), String::new());
    loop {
        let page = store::documents::list(conn, company_id, DataType::Account, &after, 2_000).await?;
        let Some(last) = page.last() else { return Ok(inactive) };
        after = last.remote_id.clone();
        inactive.extend(page.into_iter().filter(|record| record.state != RecordState::Active).map(|record| (record.remote_id, record.state)));
    }
}

/// Whether an account of the ledger is in the chart.
pub fn is_known(loaded: &Loaded, account_id: &str) -> bool {
    loaded.chart.class(account_id).is_some()
}
