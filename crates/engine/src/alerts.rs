//! Tells people what needs them: one notice for one incident, however many companies it stops, whichever node notices. What is told is taken,
//! put into the inboxes and into the outbox in one transaction: a second node finds it taken, and a crash tells it once.
use crate::Engine;
use crate::delivery::one_line;
use crate::error::EngineError;
use domain::ids::OrganizationId;
use domain::incident;
use domain::notice::NoticeKind;
use domain::problem::ProblemKind;
use std::collections::BTreeMap;
use std::time::Duration;
use store::incidents::{Incident, Stopped};
use store::notices::{self, NewNotice, Recipient, Stale, Untold};
use store::outbox::{self, NewDelivery};
use store::{StoreError, Tx};
use tokio_util::sync::CancellationToken;

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Companies become stale slowly, and looking for them reads every company.
const LOOK_FOR_STALE_EVERY: Duration = Duration::from_secs(60);
const STALE_AFTER_MS: i64 = 24 * 3_600_000;
/// Companies that become stale one after the other are told together.
const STALE_PAUSE_MS: i64 = 6 * 3_600_000;
const AT_ONCE: i64 = 50;
/// Companies named in one notice.
const NAMED: usize = 10;

/// Tells until `shutdown`; the worker runs it.
pub(crate) async fn keep(engine: Engine, shutdown: CancellationToken) {
    let mut next_stale = tokio::time::Instant::now();
    loop {
        if let Err(error) = tell_incidents(&engine).await {
            tracing::error!(%error, "people could not be told of incidents");
        }
        if tokio::time::Instant::now() >= next_stale {
            next_stale = tokio::time::Instant::now() + LOOK_FOR_STALE_EVERY;
            if let Err(error) = tell_stale(&engine).await {
                tracing::error!(%error, "people could not be told of stale companies");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// What is to be said, and once.
struct Message {
    kind: NoticeKind,
    dedupe_key: String,
    incident_id: Option<String>,
    title: String,
    text: String,
    /// A path of the site.
    path: String,
}

/// What an incident is to people; `None`: it is not time to tell, or not worth it.
fn kind_of(untold: &Untold) -> Option<NoticeKind> {
    match untold.kind {
        ProblemKind::NeedsReconnect => Some(NoticeKind::SignInExpired),
        // while the run goes on, what differs is read again
        ProblemKind::DoesNotTieOut => (untold.active == 0).then_some(NoticeKind::NotVerified),
        ProblemKind::Cancelled => None,
        _ => (untold.runs >= 2).then_some(NoticeKind::RepeatedFailure),
    }
}

/// Tells of every incident whose time has come; how many.
pub async fn tell_incidents(engine: &Engine) -> Result<usize, EngineError> {
    let untold = notices::list_untold(&mut engine.store.read().await?, AT_ONCE).await?;
    let mut told = 0;
    for untold in untold {
        let Some(kind) = kind_of(&untold) else { continue };
        let mut tx = engine.store.begin().await?;
        if !notices::take_untold(&mut tx, &untold.id, engine.now_ms()).await? {
            continue; // another node tells, or it is over
        }
        let Some(incident) = store::incidents::find(&mut tx, &untold.organization_id, &untold.id).await? else { continue };
        let stopped = store::incidents::list_companies(&mut tx, &incident.id).await?;
        tell(engine, &mut tx, &untold.organization_id, &message_of(engine, kind, &incident, &stopped)).await?;
        tx.commit().await?;
        told += 1;
        engine.wake_delivery();
        engine.changed(&untold.organization_id, None);
    }
    Ok(told)
}

fn message_of(engine: &Engine, kind: NoticeKind, found: &Incident, stopped: &[Stopped]) -> Message {
    let provider = engine.registry.get(&found.provider).map_or(found.provider.as_str(), |provider| provider.profile().name);
    let title = incident::title(found.kind, provider, &found.subject);
    let open: Vec<&str> = stopped.iter().filter(|company| company.resolved_at.is_none()).map(|company| company.name.as_str()).collect();
    let is_many = open.len() > 1;
    Message {
        kind,
        dedupe_key: format!("incident:{}", found.id),
        incident_id: Some(found.id.clone()),
        title: if is_many { format!("{title}: {} companies stopped", open.len()) } else { title },
        text: format!("{}{}\n\n{}", found.sentence, named(&open), found.kind.remedy().sentence()),
        path: format!("/integrations/incidents/{}", found.id),
    }
}

/// "Companies: A, B and 12 more", below what happened.
fn named(companies: &[&str]) -> String {
    if companies.is_empty() {
        return String::new();
    }
    let shown = companies.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = companies.len().saturating_sub(NAMED);
    let word = if companies.len() == 1 { "Company" } else { "Companies" };
    if more == 0 { format!("\n\n{word}: {shown}") } else { format!("\n\n{word}: {shown} and {more} more") }
}

/// Tells of companies that have not been synced for long and no incident says why; how many notices.
pub async fn tell_stale(engine: &Engine) -> Result<usize, EngineError> {
    let now_ms = engine.now_ms();
    let mut by_organization: BTreeMap<OrganizationId, Vec<Stale>> = BTreeMap::new();
    for stale in notices::list_stale(&mut engine.store.read().await?, now_ms, STALE_AFTER_MS).await? {
        by_organization.entry(stale.organization_id.clone()).or_default().push(stale);
    }
    let mut told = 0;
    for (organization_id, found) in by_organization {
        let mut tx = engine.store.begin().await?;
        let last = notices::last_stale_at(&mut tx, &organization_id).await?;
        if last.is_some_and(|at| now_ms - at < STALE_PAUSE_MS) {
            continue;
        }
        let mut taken = Vec::new();
        for stale in &found {
            if notices::take_stale(&mut tx, stale, now_ms).await? {
                taken.push(stale);
            }
        }
        let Some(first) = taken.first() else { continue };
        let names: Vec<&str> = taken.iter().map(|stale| stale.name.as_str()).collect();
        let message = Message {
            kind: NoticeKind::Stale,
            dedupe_key: format!("stale:{}:{}", first.company_id, first.since),
            incident_id: None,
            title: match names.as_slice() {
                [only] => format!("{only} has not been synced for a day"),
                many => format!("{} companies have not been synced for a day", many.len()),
            },
            text: format!(
                "Nothing failed, and yet no sync ended well.{}\n\nOpen the Data Feed and choose Resync; if that does not help, look at whether a worker runs.",
                named(&names)
            ),
            path: "/integrations/data-feed?status=needs_resync".to_owned(),
        };
        tell(engine, &mut tx, &organization_id, &message).await?;
        tx.commit().await?;
        told += 1;
        engine.wake_delivery();
        engine.changed(&organization_id, None);
    }
    Ok(told)
}

/// Shows one person that notices arrive: in the inbox, by mail where there is a mail server, and in the chat where one is set.
pub async fn test(engine: &Engine, organization_id: &OrganizationId, recipient: &Recipient) -> Result<(), EngineError> {
    let mut tx = engine.store.begin().await?;
    let message = Message {
        kind: NoticeKind::Test,
        dedupe_key: format!("test:{}", engine.make_id()),
        incident_id: None,
        title: "Notices arrive".to_owned(),
        text: "This is a test of the notices of Tieout. Nothing is wrong.".to_owned(),
        path: "/notifications/settings".to_owned(),
    };
    to_person(engine, &mut tx, organization_id, recipient, &message).await?;
    to_chat(engine, &mut tx, organization_id, &message).await?;
    tx.commit().await?;
    engine.wake_delivery();
    engine.changed(organization_id, None);
    Ok(())
}

async fn tell(engine: &Engine, tx: &mut Tx, organization_id: &OrganizationId, message: &Message) -> Result<(), StoreError> {
    for recipient in notices::recipients(tx, organization_id).await? {
        to_person(engine, tx, organization_id, &recipient, message).await?;
    }
    to_chat(engine, tx, organization_id, message).await
}

async fn to_person(
    engine: &Engine,
    tx: &mut Tx,
    organization_id: &OrganizationId,
    recipient: &Recipient,
    message: &Message,
) -> Result<(), StoreError> {
    let choices = notices::choices(tx, organization_id, &recipient.user_id).await?;
    // a test is always wanted
    let choice = choices.get(&message.kind).copied().unwrap_or(notices::USUAL);
    let now = engine.clock.now();
    if choice.in_app {
        let new = NewNotice {
            id: engine.make_id(),
            organization_id,
            user_id: &recipient.user_id,
            kind: message.kind,
            dedupe_key: &message.dedupe_key,
            incident_id: message.incident_id.as_deref(),
            title: &message.title,
            text: message.text.split("\n\n").next().unwrap_or_default(),
            href: &message.path,
            now_ms: now.as_millisecond(),
        };
        notices::insert(tx, &new).await?;
    }
    if choice.mail && engine.can_mail() {
        let quiet = notices::quiet_hours(tx, organization_id, &recipient.user_id).await?;
        let leaves_at = quiet.filter(|_| message.kind != NoticeKind::Test).map_or(now, |quiet| quiet.leaves_at(now));
        let body = format!(
            "{}\n\n{}\n\nWhat you are told of is yours to choose: {}\n",
            message.text,
            link(engine, &message.path),
            link(engine, "/notifications/settings")
        );
        let new = NewDelivery {
            id: engine.make_id(),
            organization_id: Some(organization_id),
            kind: domain::delivery::DeliveryKind::Mail,
            recipient: &recipient.email,
            subject: &one_line(&message.title),
            body: &body,
            dedupe_key: Some(&format!("{}:{organization_id}", message.dedupe_key)),
            now_ms: now.as_millisecond(),
        };
        outbox::put_for(&engine.store, tx, &new, leaves_at.as_millisecond()).await?;
    }
    Ok(())
}

async fn to_chat(engine: &Engine, tx: &mut Tx, organization_id: &OrganizationId, message: &Message) -> Result<(), StoreError> {
    let Some(webhook) = notices::webhook(tx, organization_id).await? else { return Ok(()) };
    if message.kind != NoticeKind::Test && !webhook.kinds.contains(&message.kind) {
        return Ok(());
    }
    let text =
        format!("*{}*\n{}\n{}", plain(&message.title), plain(message.text.split("\n\n").next().unwrap_or_default()), link(engine, &message.path));
    let new = NewDelivery {
        id: engine.make_id(),
        organization_id: Some(organization_id),
        kind: domain::delivery::DeliveryKind::Webhook,
        // the address is a secret: it is looked up when the delivery leaves
        recipient: organization_id.as_str(),
        subject: &one_line(&message.title),
        body: &serde_json::json!({ "text": text }).to_string(),
        dedupe_key: Some(&message.dedupe_key),
        now_ms: engine.now_ms(),
    };
    outbox::put(&engine.store, tx, &new).await?;
    Ok(())
}

fn link(engine: &Engine, path: &str) -> String {
    engine.settings.public_url.join(path.trim_start_matches('/')).map_or_else(|_| path.to_owned(), |url| url.to_string())
}

/// A chat reads `<`, `>` and `&` as its own marks (Slack: "Escaping text").
fn plain(text: &str) -> String {
    one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
