//! What somebody is told, how, and when not; and the organization's chat.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::Asked;
use crate::parts::moment::Moment;
use crate::parts::seen::{self, Changed};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::audit::{Act, Object};
use domain::delivery::{DeliveryKind, DeliveryState};
use domain::ids::{OrganizationId, UserId};
use domain::notice::{NoticeKind, QuietHours, clock_text, minute_of_day};
use engine::audit;
use std::collections::BTreeMap;
use store::notices::{self, AlertWebhook, Choice, Recipient};
use store::outbox::Delivery;
use store::{Conn, StoreError, Tx};
use url::Url;

pub const PATH: &str = "/notifications/settings";
const DELIVERIES: i64 = 200;
const SHOWN_DELIVERIES: usize = 5;

pub struct Kind {
    pub word: &'static str,
    pub label: &'static str,
    pub explanation: &'static str,
    pub in_app: bool,
    pub mail: bool,
    pub chat: bool,
}

/// One of the last mails to this person, or messages to the chat.
pub struct Sent {
    pub way: &'static str,
    pub subject: String,
    pub when: Moment,
    pub state: &'static str,
    pub is_bad: bool,
    pub error: Option<String>,
}

/// What is wrong, beside its field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    pub quiet: Option<String>,
    pub webhook: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/notification_settings.html")]
pub struct NotificationSettingsPage {
    pub shell: Shell,
    pub kinds: Vec<Kind>,
    pub can_mail: bool,
    pub email: String,
    pub quiet_from: String,
    pub quiet_until: String,
    pub quiet_zone: String,
    /// The host of the webhook that is set, and the address as typed.
    pub webhook: Option<(String, Moment)>,
    pub webhook_url: String,
    pub wrong: Wrong,
    pub sent: Vec<Sent>,
    /// What each form was drawn from.
    pub seen: String,
    pub chat_seen: String,
    pub changed: Option<Changed>,
}

/// The two forms of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Own,
    Chat,
}

/// What the page stands on.
struct Stored {
    choices: BTreeMap<NoticeKind, Choice>,
    quiet: Option<QuietHours>,
    webhook: Option<AlertWebhook>,
}

impl Stored {
    async fn read(conn: &mut Conn, visit: &Visit) -> Result<Stored, StoreError> {
        let (organization_id, user_id) = (visit.organization_id(), visit.user_id());
        Ok(Stored {
            choices: notices::choices(conn, organization_id, user_id).await?,
            quiet: notices::quiet_hours(conn, organization_id, user_id).await?,
            webhook: notices::webhook(conn, organization_id).await?,
        })
    }
    fn choice(&self, kind: NoticeKind) -> Choice {
        self.choices.get(&kind).copied().unwrap_or(notices::USUAL)
    }
    fn tells_chat(&self, kind: NoticeKind) -> bool {
        self.webhook.as_ref().is_none_or(|webhook| webhook.kinds.contains(&kind))
    }
    fn quiet_text(&self) -> String {
        self.quiet.as_ref().map_or_else(String::new, |quiet| format!("{} until {}", clock_text(quiet.from_minute), clock_text(quiet.until_minute)))
    }
    fn tag(&self, part: Part) -> String {
        let text = match part {
            Part::Own => {
                let choices = NoticeKind::CHOSEN.map(|kind| (kind.as_str(), self.choice(kind).in_app, self.choice(kind).mail));
                format!("{choices:?} {}", self.quiet_text())
            }
            Part::Chat => {
                let kinds = NoticeKind::CHOSEN.map(|kind| self.tells_chat(kind));
                format!("{:?} {kinds:?}", self.webhook.as_ref().map(|webhook| (&webhook.host, webhook.set_at)))
            }
        };
        seen::tag(text.as_bytes())
    }
    fn changed(&self, part: Part) -> Changed {
        let told = |fits: &dyn Fn(NoticeKind) -> bool| {
            let kinds: Vec<&str> = NoticeKind::CHOSEN.into_iter().filter(|kind| fits(*kind)).map(NoticeKind::label).collect();
            if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") }
        };
        let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
        match part {
            Part::Own => Changed::new(PATH)
                .is("In app", told(&|kind| self.choice(kind).in_app))
                .is("E-mail", told(&|kind| self.choice(kind).mail))
                .is("Quiet hours", or_none(self.quiet_text())),
            Part::Chat => Changed::new(PATH)
                .is("The chat", or_none(self.webhook.as_ref().map(|webhook| webhook.host.clone()).unwrap_or_default()))
                .is("It is told of", told(&|kind| self.tells_chat(kind))),
        }
    }
}

/// GET /notifications/settings
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    page(&app, &visit, StatusCode::OK, None, Wrong::default(), None).await
}

async fn page(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    typed: Option<&Asked>,
    wrong: Wrong,
    changed: Option<Part>,
) -> Result<Response, WebError> {
    let organization_id = visit.organization_id();
    let mut conn = app.engine.store.read().await?;
    let stored = Stored::read(&mut conn, visit).await?;
    let deliveries = store::outbox::list(&mut conn, organization_id, DELIVERIES).await?;
    let shell = visit.shell(&mut conn, Place::Notifications, "What to be told").await?;
    drop(conn);
    // what was typed into the form that is shown again
    let own = typed.filter(|_| wrong.quiet.is_some() || changed == Some(Part::Own));
    let chat = typed.filter(|_| wrong.webhook.is_some() || changed == Some(Part::Chat));
    let ticked = |form: Option<&Asked>, way: &str, kind: NoticeKind, stored: bool| {
        form.map_or(stored, |form| form.get(&format!("{way}_{}", kind.as_str())) == "1")
    };
    let time = |name: &str, stored: Option<i64>| match own {
        Some(form) => form.get(name).to_owned(),
        None => stored.map(clock_text).unwrap_or_default(),
    };
    let (quiet, webhook) = (stored.quiet.as_ref(), stored.webhook.as_ref());
    let view = NotificationSettingsPage {
        kinds: NoticeKind::CHOSEN
            .into_iter()
            .map(|kind| Kind {
                word: kind.as_str(),
                label: kind.label(),
                explanation: kind.explanation(),
                in_app: ticked(own, "app", kind, stored.choice(kind).in_app),
                mail: ticked(own, "mail", kind, stored.choice(kind).mail),
                chat: ticked(chat, "chat", kind, stored.tells_chat(kind)),
            })
            .collect(),
        can_mail: app.engine.can_mail(),
        email: visit.session.email.clone(),
        quiet_from: time("quiet_from", quiet.map(|quiet| quiet.from_minute)),
        quiet_until: time("quiet_until", quiet.map(|quiet| quiet.until_minute)),
        quiet_zone: quiet.and_then(|quiet| quiet.zone.iana_name()).unwrap_or(visit.zone.iana_name().unwrap_or("UTC")).to_owned(),
        webhook: webhook.map(|webhook| (webhook.host.clone(), Moment::relative(webhook.set_at, visit.now, &visit.zone))),
        webhook_url: chat.map(|form| form.get("url").to_owned()).unwrap_or_default(),
        seen: stored.tag(Part::Own),
        chat_seen: stored.tag(Part::Chat),
        changed: changed.map(|part| stored.changed(part)),
        sent: sent(&deliveries, organization_id.as_str(), &visit.session.email, visit),
        wrong,
        shell,
    };
    visit.page_with(status, &view)
}

/// The last notices to this person and to the chat; what others are sent is not shown.
fn sent(deliveries: &[Delivery], organization_id: &str, email: &str, visit: &Visit) -> Vec<Sent> {
    let own = deliveries.iter().filter(|delivery| match delivery.kind {
        DeliveryKind::Webhook => delivery.recipient == organization_id,
        DeliveryKind::Mail => delivery.recipient == email,
    });
    own.take(SHOWN_DELIVERIES)
        .map(|delivery| Sent {
            way: if delivery.kind == DeliveryKind::Mail { "E-mail" } else { "Chat" },
            subject: delivery.subject.clone(),
            when: Moment::relative(delivery.finished_at.unwrap_or(delivery.created_at), visit.now, &visit.zone),
            state: match delivery.state {
                DeliveryState::Sent => "Sent",
                DeliveryState::Failed => "Not delivered",
                DeliveryState::Queued if delivery.attempt > 0 => "Tried, waits for the next try",
                DeliveryState::Queued if delivery.run_after > visit.now.as_millisecond() => "Waits for the end of quiet hours",
                DeliveryState::Queued => "On its way",
            },
            is_bad: delivery.state == DeliveryState::Failed || delivery.last_error.is_some(),
            error: delivery.last_error.clone(),
        })
        .collect()
}

/// POST /notifications/settings: what this person is told, and when not.
pub async fn save(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let quiet = match quiet_hours(&form, &visit) {
        Ok(quiet) => quiet,
        Err(error) => {
            return page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), Wrong { quiet: Some(error), ..Wrong::default() }, None).await;
        }
    };
    let ticked = |kind: NoticeKind| {
        let is_ticked = |way: &str| form.get(&format!("{way}_{}", kind.as_str())) == "1";
        (kind, Choice { in_app: is_ticked("app"), mail: is_ticked("mail") })
    };
    let wanted = Stored { choices: NoticeKind::CHOSEN.into_iter().map(ticked).collect(), quiet: quiet.clone(), webhook: None };
    let mut tx = app.engine.store.begin().await?;
    let now = Stored::read(&mut tx, &visit).await?.tag(Part::Own);
    // a button that is pressed twice has changed nothing meanwhile
    if seen::is_stale(&form, &now) && now != wanted.tag(Part::Own) {
        drop(tx);
        return page(&app, &visit, StatusCode::CONFLICT, Some(&form), Wrong::default(), Some(Part::Own)).await;
    }
    let before = told(&mut tx, visit.organization_id(), visit.user_id()).await?;
    for (kind, choice) in &wanted.choices {
        notices::set_choice(&mut tx, visit.organization_id(), visit.user_id(), *kind, *choice).await?;
    }
    notices::set_quiet_hours(&mut tx, visit.organization_id(), visit.user_id(), quiet.as_ref()).await?;
    note_choices(&app, &mut tx, visit.organization_id(), visit.user_id(), &before).await?;
    tx.commit().await?;
    Ok(Flash::good("Saved.").redirect(PATH))
}

/// What somebody is told and when not, in a line.
pub async fn told(conn: &mut Conn, organization_id: &OrganizationId, user_id: &UserId) -> Result<String, StoreError> {
    let choices = notices::choices(conn, organization_id, user_id).await?;
    let quiet = notices::quiet_hours(conn, organization_id, user_id).await?;
    let mut parts: Vec<String> = NoticeKind::CHOSEN
        .into_iter()
        .map(|kind| {
            let choice = choices.get(&kind).copied().unwrap_or(notices::USUAL);
            let way = match (choice.in_app, choice.mail) {
                (true, true) => "here and by mail",
                (true, false) => "here",
                (false, true) => "by mail",
                (false, false) => "no",
            };
            format!("{}: {way}", kind.label())
        })
        .collect();
    parts.extend(quiet.map(|quiet| format!("quiet from {} to {}", clock_text(quiet.from_minute), clock_text(quiet.until_minute))));
    Ok(parts.join("; "))
}

/// Notes what a person chose, for the page and for the API alike.
pub async fn note_choices(app: &App, tx: &mut Tx, organization_id: &OrganizationId, user_id: &UserId, before: &str) -> Result<(), StoreError> {
    let (object, after) = (audit::person(tx, user_id).await?, told(tx, organization_id, user_id).await?);
    audit::note(&app.engine, tx, organization_id, Act::NotificationsSet, object, before, &after).await
}

/// The host of the chat and what it is told, in a line; its address is a secret.
pub async fn chat(conn: &mut Conn, organization_id: &OrganizationId) -> Result<String, StoreError> {
    let Some(webhook) = notices::webhook(conn, organization_id).await? else { return Ok(String::new()) };
    Ok(format!("{}: {}", webhook.host, webhook.kinds.iter().map(|kind| kind.label()).collect::<Vec<_>>().join(", ")))
}

/// Notes that the chat was set or removed.
pub async fn note_chat(app: &App, tx: &mut Tx, organization_id: &OrganizationId, before: &str) -> Result<(), StoreError> {
    let name = store::members::organization_name(tx, organization_id).await?.unwrap_or_default();
    let (object, after) = (Object::organization(organization_id, &name), chat(tx, organization_id).await?);
    audit::note(&app.engine, tx, organization_id, Act::ChatSet, object, before, &after).await
}

fn quiet_hours(form: &Asked, visit: &Visit) -> Result<Option<QuietHours>, String> {
    let (from, until) = (form.get("quiet_from"), form.get("quiet_until"));
    if from.is_empty() && until.is_empty() {
        return Ok(None);
    }
    match (minute_of_day(from), minute_of_day(until)) {
        (Some(from), Some(until)) if from == until => {
            Err("Quiet hours that begin and end at the same time are none. Choose two times, or empty both.".to_owned())
        }
        (Some(from_minute), Some(until_minute)) => Ok(Some(QuietHours { from_minute, until_minute, zone: visit.zone.clone() })),
        _ => Err("Write both times as 22:00, or empty both.".to_owned()),
    }
}

/// POST /notifications/webhook: where the organization's chat is told, and of what.
pub async fn save_webhook(State(app): State<App>, visit: Visit, RawForm(form): RawForm) -> Result<Response, WebError> {
    let form = Asked::parse(&form);
    let kinds: Vec<NoticeKind> = NoticeKind::CHOSEN.into_iter().filter(|kind| form.get(&format!("chat_{}", kind.as_str())) == "1").collect();
    let stored = Stored::read(&mut app.engine.store.read().await?, &visit).await?;
    let typed_host = Url::parse(form.get("url")).ok().and_then(|url| url.host_str().map(str::to_owned));
    let is_so = match &stored.webhook {
        None => form.get("action") == "remove",
        Some(webhook) => webhook.kinds == kinds && typed_host.is_none_or(|host| host == webhook.host),
    };
    if seen::is_stale(&form, &stored.tag(Part::Chat)) && !is_so {
        return page(&app, &visit, StatusCode::CONFLICT, Some(&form), Wrong::default(), Some(Part::Chat)).await;
    }
    if form.get("action") == "remove" {
        let mut tx = app.engine.store.begin().await?;
        let before = chat(&mut tx, visit.organization_id()).await?;
        notices::remove_webhook(&mut tx, visit.organization_id()).await?;
        note_chat(&app, &mut tx, visit.organization_id(), &before).await?;
        tx.commit().await?;
        return Ok(Flash::good("The chat is no longer told.").redirect(PATH));
    }
    let wrong = async |error: String| {
        page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), Wrong { webhook: Some(error), ..Wrong::default() }, None).await
    };
    if kinds.is_empty() {
        return wrong("Tick at least one kind, or remove the webhook.".to_owned()).await;
    }
    let typed = form.get("url");
    let url: Option<Url> = match typed {
        "" => None,
        typed => match app.engine.check_webhook(typed) {
            Ok(url) => Some(url),
            Err(error) => return wrong(error).await,
        },
    };
    let address = url.as_ref().map(|url| (url.as_str(), url.host_str().unwrap_or_default()));
    let mut tx = app.engine.store.begin().await?;
    let before = chat(&mut tx, visit.organization_id()).await?;
    let is_set =
        notices::set_webhook(&app.engine.store, &mut tx, visit.organization_id(), address, &kinds, visit.user_id(), visit.now.as_millisecond())
            .await?;
    if is_set {
        note_chat(&app, &mut tx, visit.organization_id(), &before).await?;
    }
    tx.commit().await?;
    if !is_set {
        return wrong("Paste the address your chat gave you.".to_owned()).await;
    }
    Ok(Flash::good("Saved. Send a test to see that it arrives.").redirect(PATH))
}

/// POST /notifications/test
pub async fn test(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let recipient = Recipient { user_id: visit.user_id().clone(), email: visit.session.email.clone() };
    engine::alerts::test(&app.engine, visit.organization_id(), &recipient).await?;
    Ok(Flash::good("A test is on its way. What became of it stands below, under Last deliveries.").redirect(PATH))
}
