//! The inbox: what somebody was told, what became of it, and what is unread.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::Asked;
use crate::parts::icon::{Icon, icon};
use crate::parts::moment::Moment;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::notice::NoticeKind;
use store::notices::{self, Notice};

pub const PATH: &str = "/notifications";
const LINES: i64 = 100;

pub struct Line {
    pub id: String,
    pub icon: Icon,
    pub kind: &'static str,
    pub title: String,
    pub text: String,
    pub when: Moment,
    pub is_unread: bool,
    pub resolved: Option<Moment>,
}

#[derive(Template)]
#[template(path = "pages/notifications.html")]
pub struct NotificationsPage {
    pub shell: Shell,
    pub lines: Vec<Line>,
    pub unread: usize,
}

/// GET /notifications
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let found = notices::list(&mut conn, visit.organization_id(), visit.user_id(), LINES).await?;
    let shell = visit.shell(&mut conn, Place::Notifications, "Notifications").await?;
    drop(conn);
    let lines: Vec<Line> = found.into_iter().map(|notice| line(notice, &visit)).collect();
    visit.page(&NotificationsPage { shell, unread: lines.iter().filter(|line| line.is_unread).count(), lines })
}

fn line(notice: Notice, visit: &Visit) -> Line {
    Line {
        icon: match notice.kind {
            NoticeKind::SignInExpired => icon("key"),
            NoticeKind::RepeatedFailure => icon("x-circle"),
            NoticeKind::Stale => icon("clock"),
            NoticeKind::NotVerified => icon("shield-broken"),
            NoticeKind::Test => icon("check-circle"),
        },
        kind: notice.kind.label(),
        id: notice.id,
        title: notice.title,
        text: notice.text,
        when: Moment::relative(notice.created_at, visit.now, &visit.zone),
        is_unread: notice.read_at.is_none(),
        resolved: notice.resolved_at.map(|at| Moment::relative(at, visit.now, &visit.zone)),
    }
}

/// GET /notifications/open?notice=...: marks one as read and leads to what it tells of.
pub async fn open(State(app): State<App>, visit: Visit, asked: Asked) -> Result<Response, WebError> {
    let mut tx = app.engine.store.begin().await?;
    let now_ms = visit.now.as_millisecond();
    let href = notices::mark_read(&mut tx, visit.organization_id(), visit.user_id(), asked.get("notice"), now_ms).await?;
    tx.commit().await?;
    let href = href.filter(|href| crate::protection::is_own_path(href)).ok_or(WebError::NotFound)?;
    Ok(Redirect::to(&href).into_response())
}

/// POST /notifications/read: **Mark all as read**.
pub async fn read_all(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let mut tx = app.engine.store.begin().await?;
    notices::mark_all_read(&mut tx, visit.organization_id(), visit.user_id(), visit.now.as_millisecond()).await?;
    tx.commit().await?;
    app.engine.changed(visit.organization_id(), None);
    Ok(Flash::good("All notifications are marked as read.").redirect(PATH))
}
