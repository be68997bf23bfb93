//! What people are told: the inbox of whoever made the key, what they want to be told, and the organization's chat.
use super::answer::{List, Time};
use super::caller::Caller;
use super::cursor::Place;
use super::error::ApiError;
use super::input::{Body, Ids, Limit, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use crate::pages::notification_settings::{chat, note_chat, note_choices, told};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::delivery::DeliveryKind;
use domain::notice::{NoticeKind, QuietHours, clock_text, minute_of_day};
use domain::organization::Action;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::notices::{self, Choice, Recipient};

const TAG: &str = "Notifications";
const LISTED_DELIVERIES: usize = 50;
/// Deliveries of the organization among which those to this person are looked for.
const LOOKED_THROUGH: i64 = 1_000;

#[derive(Debug, Serialize, JsonSchema)]
pub struct Notification {
    pub id: String,
    pub kind: &'static str,
    pub title: String,
    pub text: String,
    /// The page that tells more.
    pub url: String,
    pub created_at: Time,
    pub read_at: Option<Time>,
    /// When the incident it tells of was over.
    pub resolved_at: Option<Time>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListNotifications {
    pub limit: Option<Limit>,
    pub cursor: Option<String>,
}

/// How many were unread.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MarkedRead {
    pub marked: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct NotificationSettings {
    pub choices: Vec<ChoiceOfKind>,
    /// Between these times no mail is sent; null: at any time.
    pub quiet_hours: Option<QuietHoursText>,
    /// Null: the organization's chat is not told.
    pub chat: Option<Chat>,
    /// This server sends mail.
    pub can_mail: bool,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChoiceOfKind {
    pub kind: KindWord,
    pub in_app: bool,
    pub mail: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindWord {
    SignInExpired,
    RepeatedFailure,
    Stale,
    NotVerified,
}

impl KindWord {
    fn kind(self) -> NoticeKind {
        match self {
            KindWord::SignInExpired => NoticeKind::SignInExpired,
            KindWord::RepeatedFailure => NoticeKind::RepeatedFailure,
            KindWord::Stale => NoticeKind::Stale,
            KindWord::NotVerified => NoticeKind::NotVerified,
        }
    }
    fn of(kind: NoticeKind) -> Option<KindWord> {
        match kind {
            NoticeKind::SignInExpired => Some(KindWord::SignInExpired),
            NoticeKind::RepeatedFailure => Some(KindWord::RepeatedFailure),
            NoticeKind::Stale => Some(KindWord::Stale),
            NoticeKind::NotVerified => Some(KindWord::NotVerified),
            NoticeKind::Test => None,
        }
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHoursText {
    /// `22:00`
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub from: String,
    /// `07:00`; it may be of the next morning.
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub until: String,
    /// `Europe/Berlin`
    pub time_zone: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Chat {
    /// The address itself is kept sealed and never shown again.
    pub host: String,
    pub kinds: Vec<KindWord>,
    pub set_at: Time,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSettings {
    /// Kinds that are left out stay as they are.
    pub choices: Vec<ChoiceOfKind>,
    /// Null or left out: mail at any time.
    #[serde(default)]
    pub quiet_hours: Option<QuietHoursText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskChat {
    /// The address the chat gave; left out: the one that is set stays.
    #[serde(default)]
    #[schemars(length(max = 2_000))]
    pub url: Option<String>,
    #[schemars(length(min = 1))]
    pub kinds: Vec<KindWord>,
}

/// A mail to this person, or a message to the chat.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Delivery {
    pub id: String,
    /// `mail` or `webhook`.
    pub kind: &'static str,
    pub subject: String,
    /// `queued`, `sent` or `failed`.
    pub state: &'static str,
    pub attempts: i64,
    pub created_at: Time,
    pub finished_at: Option<Time>,
    pub last_error: Option<String>,
}

/// A test is on its way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TestSent {
    pub queued_at: Time,
}

pub fn operations() -> Vec<Operation> {
    let settings = json!({
        "choices": [{ "kind": "stale", "in_app": true, "mail": false }],
        "quiet_hours": { "from": "22:00", "until": "07:00", "time_zone": "Europe/Berlin" },
    });
    vec![
        Operation::get("/notifications", "list_notifications", Action::UseIntegrations, list)
            .told(TAG, "The inbox", "Of whoever made the key, newest first.")
            .takes_query::<ListNotifications>()
            .answers::<List<Notification>>(),
        Operation::post("/notifications/read", "read_all_notifications", Action::UseIntegrations, read_all)
            .told(TAG, "Mark everything as read", "")
            .answers::<MarkedRead>(),
        Operation::post("/notifications/{id}/read", "read_notification", Action::UseIntegrations, read_one)
            .told(TAG, "Mark a notification as read", "")
            .answers::<Notification>(),
        Operation::get("/notification-settings", "get_notification_settings", Action::UseIntegrations, show_settings)
            .told(TAG, "What somebody is told, and how", "")
            .takes_query::<Nothing>()
            .answers::<NotificationSettings>(),
        Operation::post("/notification-settings", "set_notification_settings", Action::UseIntegrations, set_settings)
            .told(TAG, "Choose what to be told", "For whoever made the key; nobody else's choices change.")
            .takes::<AskSettings>(settings)
            .answers::<NotificationSettings>(),
        Operation::post("/notification-settings/chat", "set_chat", Action::UseIntegrations, set_chat)
            .told(TAG, "Tell the organization's chat", "Where, and of what.")
            .takes::<AskChat>(json!({ "url": "https://hooks.example.com/T000/B000", "kinds": ["sign_in_expired"] }))
            .answers::<NotificationSettings>(),
        Operation::delete("/notification-settings/chat", "remove_chat", Action::UseIntegrations, remove_chat)
            .told(TAG, "Stop telling the chat", "")
            .answers::<NotificationSettings>(),
        Operation::post("/notification-settings/test", "test_notifications", Action::UseIntegrations, test)
            .told(TAG, "Send a test", "To the inbox, by mail and to the chat, as far as each is there.")
            .with_status(StatusCode::ACCEPTED)
            .answers::<TestSent>(),
        Operation::get("/notification-settings/deliveries", "list_deliveries", Action::UseIntegrations, list_deliveries)
            .told(TAG, "The last deliveries", "At most 50 mails to whoever made the key and messages to the chat, newest first.")
            .takes_query::<Nothing>()
            .answers::<List<Delivery>>(),
    ]
}

fn shown(app: &App, notice: notices::Notice) -> Notification {
    Notification {
        url: format!("{}{}", app.options.origin(), notice.href),
        id: notice.id,
        kind: notice.kind.as_str(),
        title: notice.title,
        text: notice.text,
        created_at: Time(notice.created_at),
        read_at: notice.read_at.map(Time),
        resolved_at: notice.resolved_at.map(Time),
    }
}

async fn list(State(app): State<App>, caller: Caller, Query(asked): Query<ListNotifications>) -> Result<Json<List<Notification>>, ApiError> {
    caller.is_unconfined()?;
    let limit = asked.limit.map_or(50, |limit| limit.0);
    let place = Place { app: &app, caller: &caller, list: "notifications", filter: String::new() };
    let position = place.open(asked.cursor.as_deref())?;
    let before = position.as_deref().and_then(|text| text.split_once('/')).and_then(|(at, id)| Some((at.parse().ok()?, id)));
    let mut conn = app.engine.store.read().await?;
    let mut rows = notices::list_page(&mut conn, &caller.organization_id, &caller.user_id, before, limit as i64 + 1).await?;
    let next_cursor = place.next(&mut rows, limit, |notice| format!("{}/{}", notice.created_at, notice.id));
    Ok(Json(List { data: rows.into_iter().map(|notice| shown(&app, notice)).collect(), next_cursor }))
}

async fn read_all(State(app): State<App>, caller: Caller) -> Result<Json<MarkedRead>, ApiError> {
    caller.is_unconfined()?;
    let mut tx = app.engine.store.begin().await?;
    let marked = notices::mark_all_read(&mut tx, &caller.organization_id, &caller.user_id, caller.now.as_millisecond()).await?;
    tx.commit().await?;
    app.engine.changed(&caller.organization_id, None);
    Ok(Json(MarkedRead { marked }))
}

async fn read_one(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<Notification>, ApiError> {
    caller.is_unconfined()?;
    let mut tx = app.engine.store.begin().await?;
    notices::mark_read(&mut tx, &caller.organization_id, &caller.user_id, ids.text("id"), caller.now.as_millisecond())
        .await?
        .ok_or(ApiError::NotFound)?;
    let notice = notices::find(&mut tx, &caller.organization_id, &caller.user_id, ids.text("id")).await?.ok_or(ApiError::NotFound)?;
    tx.commit().await?;
    app.engine.changed(&caller.organization_id, None);
    Ok(Json(shown(&app, notice)))
}

async fn show_settings(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<NotificationSettings>, ApiError> {
    read_settings(&app, &caller).await
}

async fn read_settings(app: &App, caller: &Caller) -> Result<Json<NotificationSettings>, ApiError> {
    caller.is_unconfined()?;
    let (organization_id, user_id) = (&caller.organization_id, &caller.user_id);
    let mut conn = app.engine.store.read().await?;
    let chosen = notices::choices(&mut conn, organization_id, user_id).await?;
    let quiet = notices::quiet_hours(&mut conn, organization_id, user_id).await?;
    let chat = notices::webhook(&mut conn, organization_id).await?;
    let choice = |kind: NoticeKind| {
        let choice = chosen.get(&kind).copied().unwrap_or(notices::USUAL);
        KindWord::of(kind).map(|kind| ChoiceOfKind { kind, in_app: choice.in_app, mail: choice.mail })
    };
    Ok(Json(NotificationSettings {
        choices: NoticeKind::CHOSEN.into_iter().filter_map(choice).collect(),
        quiet_hours: quiet.map(|quiet| QuietHoursText {
            from: clock_text(quiet.from_minute),
            until: clock_text(quiet.until_minute),
            time_zone: quiet.zone.iana_name().unwrap_or("UTC").to_owned(),
        }),
        chat: chat.map(|chat| Chat { host: chat.host, kinds: chat.kinds.into_iter().filter_map(KindWord::of).collect(), set_at: Time(chat.set_at) }),
        can_mail: app.engine.can_mail(),
    }))
}

fn quiet_hours(asked: &QuietHoursText) -> Result<QuietHours, ApiError> {
    let minute = |field: &str, text: &str| minute_of_day(text).ok_or_else(|| ApiError::field(field, "expected a time of day such as 22:00"));
    let (from_minute, until_minute) = (minute("quiet_hours.from", &asked.from)?, minute("quiet_hours.until", &asked.until)?);
    if from_minute == until_minute {
        return Err(ApiError::field("quiet_hours.until", "quiet hours that begin and end at the same time are none"));
    }
    let zone = Some(asked.time_zone.as_str()).filter(|name| name.len() <= 64).and_then(|name| TimeZone::get(name).ok());
    let zone = zone.ok_or_else(|| ApiError::field("quiet_hours.time_zone", "expected the name of a time zone such as Europe/Berlin"))?;
    Ok(QuietHours { from_minute, until_minute, zone })
}

async fn set_settings(State(app): State<App>, caller: Caller, Body(asked): Body<AskSettings>) -> Result<Json<NotificationSettings>, ApiError> {
    caller.is_unconfined()?;
    let quiet = asked.quiet_hours.as_ref().map(quiet_hours).transpose()?;
    let kinds: Vec<KindWord> = asked.choices.iter().map(|choice| choice.kind).collect();
    if let Some(at) = (0..kinds.len()).find(|at| kinds[..*at].contains(&kinds[*at])) {
        return Err(ApiError::field(&format!("choices[{at}].kind"), "named twice"));
    }
    let mut tx = app.engine.store.begin().await?;
    let before = told(&mut tx, &caller.organization_id, &caller.user_id).await?;
    for ChoiceOfKind { kind, in_app, mail } in asked.choices {
        notices::set_choice(&mut tx, &caller.organization_id, &caller.user_id, kind.kind(), Choice { in_app, mail }).await?;
    }
    notices::set_quiet_hours(&mut tx, &caller.organization_id, &caller.user_id, quiet.as_ref()).await?;
    note_choices(&app, &mut tx, &caller.organization_id, &caller.user_id, &before).await?;
    tx.commit().await?;
    read_settings(&app, &caller).await
}

async fn set_chat(State(app): State<App>, caller: Caller, Body(asked): Body<AskChat>) -> Result<Json<NotificationSettings>, ApiError> {
    caller.is_unconfined()?;
    if asked.kinds.is_empty() {
        return Err(ApiError::field("kinds", "expected at least one kind; to tell the chat nothing, remove it"));
    }
    let url = asked.url.as_deref().map(|url| app.engine.check_webhook(url).map_err(|error| ApiError::field("url", error))).transpose()?;
    let address = url.as_ref().map(|url| (url.as_str(), url.host_str().unwrap_or_default()));
    let kinds: Vec<NoticeKind> = NoticeKind::CHOSEN.into_iter().filter(|kind| asked.kinds.iter().any(|asked| asked.kind() == *kind)).collect();
    let mut tx = app.engine.store.begin().await?;
    let (store, now_ms) = (&app.engine.store, caller.now.as_millisecond());
    let before = chat(&mut tx, &caller.organization_id).await?;
    let is_set = notices::set_webhook(store, &mut tx, &caller.organization_id, address, &kinds, &caller.user_id, now_ms).await?;
    if !is_set {
        return Err(ApiError::field("url", "expected the address the chat gave: none is set yet"));
    }
    note_chat(&app, &mut tx, &caller.organization_id, &before).await?;
    tx.commit().await?;
    read_settings(&app, &caller).await
}

async fn remove_chat(State(app): State<App>, caller: Caller) -> Result<Json<NotificationSettings>, ApiError> {
    caller.is_unconfined()?;
    let mut tx = app.engine.store.begin().await?;
    let before = chat(&mut tx, &caller.organization_id).await?;
    notices::remove_webhook(&mut tx, &caller.organization_id).await?;
    note_chat(&app, &mut tx, &caller.organization_id, &before).await?;
    tx.commit().await?;
    read_settings(&app, &caller).await
}

async fn email(app: &App, caller: &Caller) -> Result<String, ApiError> {
    let user = store::members::find_user(&mut app.engine.store.read().await?, &caller.user_id).await?;
    user.map(|user| user.email).ok_or(ApiError::NotFound)
}

async fn test(State(app): State<App>, caller: Caller) -> Result<(StatusCode, Json<TestSent>), ApiError> {
    caller.is_unconfined()?;
    let recipient = Recipient { user_id: caller.user_id.clone(), email: email(&app, &caller).await? };
    engine::alerts::test(&app.engine, &caller.organization_id, &recipient).await?;
    Ok((StatusCode::ACCEPTED, Json(TestSent { queued_at: Time(caller.now.as_millisecond()) })))
}

async fn list_deliveries(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<Delivery>>, ApiError> {
    caller.is_unconfined()?;
    let email = email(&app, &caller).await?;
    let deliveries = store::outbox::list(&mut app.engine.store.read().await?, &caller.organization_id, LOOKED_THROUGH).await?;
    let own = deliveries.into_iter().filter(|delivery| match delivery.kind {
        DeliveryKind::Webhook => delivery.recipient == caller.organization_id.as_str(),
        DeliveryKind::Mail => delivery.recipient == email,
    });
    let one = |delivery: store::outbox::Delivery| Delivery {
        id: delivery.id,
        kind: delivery.kind.as_str(),
        subject: delivery.subject,
        state: delivery.state.as_str(),
        attempts: delivery.attempt,
        created_at: Time(delivery.created_at),
        finished_at: delivery.finished_at.map(Time),
        last_error: delivery.last_error,
    };
    Ok(Json(List { data: own.take(LISTED_DELIVERIES).map(one).collect(), next_cursor: None }))
}
