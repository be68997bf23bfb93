//! Live updates: one stream for each open tab, telling it to look again. It carries no data, only that something has changed.
use crate::app::App;
use crate::pulses::Look;
use crate::visit::Visit;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::ids::OrganizationId;
use domain::organization::Role;
use futures::stream::{self, Stream};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// The greeting waits this long for the first look at the store: what changes after it is told.
const GREETING: Duration = Duration::from_secs(1);
/// A stream is woken when its session is seen to be gone; one that was opened and lost between two looks finds out by itself.
const CHECK: Duration = Duration::from_secs(5);

/// How many streams each organization has open in this process.
#[derive(Default)]
pub struct Streams(Arc<Mutex<HashMap<OrganizationId, usize>>>);

/// One of them, for as long as somebody holds it.
struct Open {
    counts: Arc<Mutex<HashMap<OrganizationId, usize>>>,
    organization_id: OrganizationId,
}

impl Streams {
    /// One more, unless there are as many as there may be.
    fn open(&self, organization_id: &OrganizationId, most: usize) -> Option<Open> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(organization_id.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Open { counts: self.0.clone(), organization_id: organization_id.clone() })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.organization_id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.organization_id);
            }
        }
    }
}

struct Watch {
    _open: Open,
    /// It went on elsewhere before: what changed meanwhile is not known.
    has_gap: bool,
    looks: watch::Receiver<Look>,
    token_hash: String,
    role: Role,
    opened: Instant,
    seen: Option<u64>,
    ended: bool,
}

/// GET /events
pub async fn stream(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    let most = app.options.most_streams;
    let Some(open) = app.streams.open(visit.organization_id(), most) else {
        let sentence = format!("This organization has {most} pages open that follow what happens. Close some, or try again in a minute.\n");
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")], sentence).into_response();
    };
    // events carry no ids, for they carry no data: whatever somebody says to have heard last, something may have come after it
    let has_gap = headers.contains_key("last-event-id");
    let opened = Instant::now();
    let looks = app.pulses.watch(&app, visit.organization_id(), visit.reader());
    let watch =
        Watch { _open: open, has_gap, looks, token_hash: visit.session.token_hash.clone(), role: visit.role(), opened, seen: None, ended: false };
    let stream = Sse::new(events(watch)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)).text("still here"));
    // some proxies collect answers; this header asks them not to
    ([(header::CACHE_CONTROL, "no-cache, no-store"), (header::HeaderName::from_static("x-accel-buffering"), "no")], stream).into_response()
}

fn events(watch: Watch) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(watch, |mut watch| async move {
        if watch.ended {
            return None;
        }
        let event = watch.next().await;
        Some((Ok(event), watch))
    })
}

impl Watch {
    async fn next(&mut self) -> Event {
        if std::mem::take(&mut self.has_gap) {
            return Event::default().event("gap").data("look");
        }
        let Some(mut seen) = self.seen else {
            let _ = timeout(GREETING, self.looks.wait_for(|look| look.taken.is_some())).await;
            self.seen = Some(self.looks.borrow_and_update().changes);
            return Event::default().event("hello").retry(Duration::from_secs(2)).data("look");
        };
        loop {
            let (admitted, changes) = {
                let look = self.looks.borrow_and_update();
                (look.admits(&self.token_hash, self.role, self.opened), look.changes)
            };
            if !admitted {
                self.ended = true;
                return Event::default().event("end").data("look");
            }
            if changes != seen {
                seen = changes;
                self.seen = Some(seen);
                return changed();
            }
            // the looks end with the process
            if let Ok(Err(_)) = timeout(CHECK, self.looks.changed()).await {
                self.ended = true;
                return Event::default().event("end").data("look");
            }
        }
    }
}

// an event without data is not dispatched by browsers (HTML standard, 9.2.6)
fn changed() -> Event {
    Event::default().event("change").data("look")
}
