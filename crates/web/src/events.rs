//! Live updates: one stream for each open tab, telling it to look again. It carries no data, only that something has changed.
use crate::app::App;
use crate::visit::Visit;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::ids::CompanyId;
use engine::Change;
use futures::stream::{self, Stream};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;
use store::StoreError;
use store::readers::Reader;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

/// Changes made by other processes are noticed within this time; changes of this process at once.
const POLL: Duration = Duration::from_secs(2);

struct Watch {
    app: App,
    visit: Visit,
    headers: HeaderMap,
    changes: Receiver<Change>,
    pulse: String,
    /// The companies a Member hears of; `None`: all.
    companies: Option<BTreeSet<CompanyId>>,
    next_poll: Instant,
    greeted: bool,
    ended: bool,
}

/// GET /events
pub async fn stream(State(app): State<App>, headers: HeaderMap, visit: Visit) -> Response {
    let changes = app.engine.changes.subscribe();
    let watch =
        Watch { app, visit, headers, changes, pulse: String::new(), companies: None, next_poll: Instant::now(), greeted: false, ended: false };
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
        if !self.greeted {
            self.greeted = true;
            match self.read_pulse().await {
                Ok((pulse, companies)) => (self.pulse, self.companies) = (pulse, companies),
                Err(error) => tracing::warn!(%error, "the pulse of an organization cannot be read"),
            }
            self.next_poll = Instant::now() + POLL;
            return Event::default().event("hello").retry(Duration::from_secs(2)).data("look");
        }
        loop {
            if Instant::now() >= self.next_poll {
                self.next_poll = Instant::now() + POLL;
                match self.poll().await {
                    Ok(Some(event)) => return event,
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%error, "the pulse of an organization cannot be read"),
                }
            }
            match timeout_at(self.next_poll, self.changes.recv()).await {
                Err(_) => {}
                Ok(Ok(change)) if change.organization_id == *self.visit.organization_id() => match (&change.company_id, &self.companies) {
                    (Some(company_id), Some(assigned)) if !assigned.contains(company_id) => {}
                    (Some(_), _) => return changed(),
                    // perhaps a role, or who reads what: look at once whether this session may still look
                    (None, companies) => {
                        let hears_all = companies.is_none();
                        match self.poll().await {
                            Ok(Some(event)) => return event,
                            Ok(None) if hears_all => return changed(),
                            Ok(None) => {}
                            Err(error) => tracing::warn!(%error, "the pulse of an organization cannot be read"),
                        }
                    }
                },
                Ok(Ok(_)) => {}
                Ok(Err(RecvError::Lagged(_))) => return changed(),
                // the engine is going: the poll goes on until the connection ends
                Ok(Err(RecvError::Closed)) => tokio::time::sleep_until(self.next_poll).await,
            }
        }
    }

    /// Looks at the store, and at whether this session may still look.
    async fn poll(&mut self) -> Result<Option<Event>, StoreError> {
        let session = crate::auth::session::find(&self.app, &self.headers).await?;
        let same = session.is_some_and(|session| session.role == self.visit.role() && session.organization_id == *self.visit.organization_id());
        if !same {
            self.ended = true;
            return Ok(Some(Event::default().event("end").data("look")));
        }
        let (pulse, companies) = self.read_pulse().await?;
        self.companies = companies;
        if pulse == self.pulse {
            return Ok(None);
        }
        self.pulse = pulse;
        Ok(Some(changed()))
    }

    async fn read_pulse(&self) -> Result<(String, Option<BTreeSet<CompanyId>>), StoreError> {
        let mut conn = self.app.engine.store.read().await?;
        let (organization_id, reader) = (self.visit.organization_id(), self.visit.reader());
        let pulse = store::frame::pulse(&mut conn, organization_id, &reader).await?;
        let companies = match &reader {
            Reader::Everything => None,
            Reader::Assigned(user_id) => Some(store::readers::list(&mut conn, organization_id, user_id).await?),
        };
        Ok((pulse, companies))
    }
}

// an event without data is not dispatched by browsers (HTML standard, 9.2.6)
fn changed() -> Event {
    Event::default().event("change").data("look")
}
