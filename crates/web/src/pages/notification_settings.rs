//! What somebody is told, how, and when not; and the organization's chat.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::Asked;
use crate::parts::moment::Moment;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::delivery::{DeliveryKind, DeliveryState};
use domain::notice::{NoticeKind, QuietHours, clock_text, minute_of_day};
use store::notices::{self, AlertWebhook, Choice, Recipient};
use store::outbox::Delivery;
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
}

/// GET /notifications/settings
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    page(&app, &visit, StatusCode::OK, None, Wrong::default()).await
}

async fn page(app: &App, visit: &Visit, status: StatusCode, typed: Option<&Asked>, wrong: Wrong) -> Result<Response, WebError> {
    let (organization_id, user_id) = (visit.organization_id(), visit.user_id());
    let mut conn = app.engine.store.read().await?;
    let choices = notices::choices(&mut conn, organization_id, user_id).await?;
    let quiet = notices::quiet_hours(&mut conn, organization_id, user_id).await?;
    let webhook = notices::webhook(&mut conn, organization_id).await?;
    let deliveries = store::outbox::list(&mut conn, organization_id, DELIVERIES).await?;
    let shell = visit.shell(&mut conn, Place::Notifications, "What to be told").await?;
    drop(conn);
    let chosen = |kind: NoticeKind| choices.get(&kind).copied().unwrap_or(notices::USUAL);
    let in_chat = |kind: NoticeKind| webhook.as_ref().is_none_or(|webhook| webhook.kinds.contains(&kind));
    let time = |name: &str, stored: Option<i64>| match typed {
        Some(form) if wrong.quiet.is_some() => form.get(name).to_owned(),
        _ => stored.map(clock_text).unwrap_or_default(),
    };
    let view = NotificationSettingsPage {
        kinds: NoticeKind::CHOSEN
            .into_iter()
            .map(|kind| Kind {
                word: kind.as_str(),
                label: kind.label(),
                explanation: kind.explanation(),
                in_app: chosen(kind).in_app,
                mail: chosen(kind).mail,
                chat: in_chat(kind),
            })
            .collect(),
        can_mail: app.engine.can_mail(),
        email: visit.session.email.clone(),
        quiet_from: time("quiet_from", quiet.as_ref().map(|quiet| quiet.from_minute)),
        quiet_until: time("quiet_until", quiet.as_ref().map(|quiet| quiet.until_minute)),
        quiet_zone: quiet.as_ref().and_then(|quiet| quiet.zone.iana_name()).unwrap_or(visit.zone.iana_name().unwrap_or("UTC")).to_owned(),
        webhook: webhook.as_ref().map(|webhook: &AlertWebhook| (webhook.host.clone(), Moment::relative(webhook.set_at, visit.now, &visit.zone))),
        webhook_url: typed.filter(|_| wrong.webhook.is_some()).map(|form| form.get("url").to_owned()).unwrap_or_default(),
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
            return page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), Wrong { quiet: Some(error), ..Wrong::default() }).await;
        }
    };
    let mut tx = app.engine.store.begin().await?;
    for kind in NoticeKind::CHOSEN {
        let is_ticked = |way: &str| form.get(&format!("{way}_{}", kind.as_str())) == "1";
        let choice = Choice { in_app: is_ticked("app"), mail: is_ticked("mail") };
        notices::set_choice(&mut tx, visit.organization_id(), visit.user_id(), kind, choice).await?;
    }
    notices::set_quiet_hours(&mut tx, visit.organization_id(), visit.user_id(), quiet.as_ref()).await?;
    tx.commit().await?;
    Ok(Flash::good("Saved.").redirect(PATH))
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
    if form.get("action") == "remove" {
        let mut tx = app.engine.store.begin().await?;
        notices::remove_webhook(&mut tx, visit.organization_id()).await?;
        tx.commit().await?;
        return Ok(Flash::good("The chat is no longer told.").redirect(PATH));
    }
    let wrong = async |error: String| {
        page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, Some(&form), Wrong { webhook: Some(error), ..Wrong::default() }).await
    };
    let kinds: Vec<NoticeKind> = NoticeKind::CHOSEN.into_iter().filter(|kind| form.get(&format!("chat_{}", kind.as_str())) == "1").collect();
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
    let is_set =
        notices::set_webhook(&app.engine.store, &mut tx, visit.organization_id(), address, &kinds, visit.user_id(), visit.now.as_millisecond())
            .await?;
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
