//! One look at the store for everybody who watches: whether there is something new, and which sessions may still watch. However many tabs are open, a
//! process looks once for each organization, and once for each of its Members who watches.
use crate::app::App;
use domain::ids::{CompanyId, OrganizationId, UserId};
use domain::organization::Role;
use engine::Change;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use store::StoreError;
use store::readers::Reader;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// Changes made by other processes are noticed within this time; changes of this process at once.
const POLL: Duration = Duration::from_secs(2);
/// Changes that follow each other within this time are told as one.
const PAUSE: Duration = Duration::from_millis(50);

/// What was seen last.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Counts what there was to look at again.
    pub changes: u64,
    /// When the look began; `None` before the first.
    pub taken: Option<Instant>,
    sessions: HashMap<String, Role>,
}

impl Look {
    /// Whether a session that began its watch at `since` may go on. A look from before says nothing about it.
    pub fn admits(&self, token_hash: &str, role: Role, since: Instant) -> bool {
        self.taken.is_none_or(|taken| taken < since) || self.sessions.get(token_hash) == Some(&role)
    }
}

/// Who looks with whose eyes: an organization, and the Member whose companies count.
type Key = (OrganizationId, Option<UserId>);

/// Everybody who is watched for in this process.
#[derive(Default)]
pub struct Pulses(Mutex<HashMap<Key, watch::Sender<Look>>>);

impl Pulses {
    /// Looks that go on as long as somebody holds what this returns.
    pub fn watch(&self, app: &App, organization_id: &OrganizationId, reader: Reader) -> watch::Receiver<Look> {
        let member = match reader {
            Reader::Everything => None,
            Reader::Assigned(user_id) => Some(user_id),
        };
        let key = (organization_id.clone(), member);
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = watched.get(&key) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(Look::default());
        watched.insert(key.clone(), sender.clone());
        let watcher = Watcher { changes: app.engine.changes.subscribe(), app: app.clone(), key, sender, pulse: None, companies: None };
        tokio::spawn(watcher.run());
        receiver
    }

    /// Forgets what nobody watches any more; false when somebody came meanwhile.
    fn forget(&self, key: &Key, sender: &watch::Sender<Look>) -> bool {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = sender.receiver_count() == 0;
        if forgotten {
            watched.remove(key);
        }
        forgotten
    }
}

struct Watcher {
    app: App,
    key: Key,
    sender: watch::Sender<Look>,
    changes: Receiver<Change>,
    pulse: Option<String>,
    /// The companies a Member hears of; `None`: all.
    companies: Option<BTreeSet<CompanyId>>,
}

/// What was heard from the engine of this process.
#[derive(Clone, Copy, Default)]
struct News {
    changed: bool,
    /// Perhaps a role, or who reads what: look at once who may still watch.
    ask: bool,
}

impl Watcher {
    async fn run(mut self) {
        self.look(false).await;
        let mut next_poll = Instant::now() + POLL;
        loop {
            let heard = tokio::select! {
                () = self.sender.closed() => {
                    if self.app.pulses.forget(&self.key, &self.sender) {
                        return;
                    }
                    continue;
                }
                heard = timeout_at(next_poll, self.changes.recv()) => heard,
            };
            let mut news = News::default();
            match heard {
                Ok(Ok(change)) => self.hear(&change, &mut news),
                Ok(Err(RecvError::Lagged(_))) => news.changed = true,
                // the engine is going: polls go on until the connections end
                Ok(Err(RecvError::Closed)) => sleep_until(next_poll).await,
                Err(_) => {}
            }
            loop {
                match self.changes.try_recv() {
                    Ok(change) => self.hear(&change, &mut news),
                    Err(TryRecvError::Lagged(_)) => news.changed = true,
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            if news.changed {
                self.sender.send_modify(|look| look.changes += 1);
            }
            if news.ask || Instant::now() >= next_poll {
                self.look(news.ask).await;
                next_poll = Instant::now() + POLL;
            }
            if news.changed {
                sleep(PAUSE).await;
            }
        }
    }

    fn hear(&self, change: &Change, news: &mut News) {
        if change.organization_id != self.key.0 {
            return;
        }
        match (&change.company_id, &self.companies) {
            (Some(company_id), Some(assigned)) => news.changed |= assigned.contains(company_id),
            (Some(_), None) => news.changed = true,
            (None, companies) => {
                news.ask = true;
                news.changed |= companies.is_none();
            }
        }
    }

    /// Looks at the store. Watchers are woken when there is something new, when a session is gone or has another role, or when they are asked to check.
    async fn look(&mut self, ask: bool) {
        let taken = Instant::now();
        let (pulse, companies, sessions) = match self.read().await {
            Ok(read) => read,
            Err(error) => return tracing::warn!(%error, "the pulse of an organization cannot be read"),
        };
        let is_new = self.pulse.as_ref().is_some_and(|before| *before != pulse);
        self.pulse = Some(pulse);
        self.companies = companies;
        self.sender.send_if_modified(|look| {
            let lost = look.sessions.iter().any(|(token_hash, role)| sessions.get(token_hash) != Some(role));
            let is_first = look.taken.replace(taken).is_none();
            look.sessions = sessions;
            look.changes += u64::from(is_new);
            is_first || is_new || lost || ask
        });
    }

    async fn read(&self) -> Result<(String, Option<BTreeSet<CompanyId>>, HashMap<String, Role>), StoreError> {
        let (organization_id, member) = &self.key;
        let mut conn = self.app.engine.store.read().await?;
        let (reader, companies) = match member {
            None => (Reader::Everything, None),
            Some(user_id) => (Reader::Assigned(user_id.clone()), Some(store::readers::list(&mut conn, organization_id, user_id).await?)),
        };
        let pulse = store::frame::pulse(&mut conn, organization_id, &reader).await?;
        let sessions = store::sessions::list_roles(&mut conn, organization_id, self.app.engine.clock.now_ms()).await?;
        Ok((pulse, companies, sessions))
    }
}
