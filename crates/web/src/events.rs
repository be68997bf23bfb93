//! Live updates: one stream for each open tab, telling it to look again. It carries no data, only that something has changed.
use crate::app::App;
use crate::pulses::Look;
use crate::visit::Visit;
use axum::extract::State;
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::organization::Role;
use futures::stream::{self, Stream};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// The greeting waits this long for the first look at the store: what changes after it is told.
const GREETING: Duration = Duration::from_secs(1);
/// A stream is woken when its session is seen to be gone; one that was opened and lost between two looks finds out by itself.
const CHECK: Duration = Duration::from_secs(5);

struct Watch {
    looks: watch::Receiver<Look>,
    token_hash: String,
    role: Role,
    opened: Instant,
    seen: Option<u64>,
    ended: bool,
}

/// GET /events
pub async fn stream(State(app): State<App>, visit: Visit) -> Response {
    let opened = Instant::now();
    let looks = app.pulses.watch(&app, visit.organization_id(), visit.reader());
    let watch = Watch { looks, token_hash: visit.session.token_hash.clone(), role: visit.role(), opened, seen: None, ended: false };
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
