//! The call gate: keeps to the provider's limits, holds the authorization and renews it, one renewal at a time for each grant over all nodes.
use crate::Engine;
use crate::connections::{Happening, note};
use crate::error::EngineError;
use crate::logbook;
use async_trait::async_trait;
use domain::ids::{CompanyId, ConnectionId, OrganizationId};
use domain::log::LogMessage;
use providers::Provider;
use providers::error::{Call, ProviderError};
use providers::oauth::{Secret, TokenPair};
use providers::provider::{CallGate, CallLimits, Cost};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::connections::{self, Tokens};
use store::runs::Lease;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A token is renewed this long before it expires.
const RENEW_EARLY_MS: i64 = 60_000;
/// How long one node may hold the right to renew: longer than the request can take.
const RENEW_LEASE_MS: i64 = 40_000;
/// Xero accepts the refresh token before the last one for 30 minutes (xero.md 1.4).
const GRACE_MS: i64 = 30 * 60_000;
/// A wait that is longer is shown: the company is waiting, not syncing.
const SHOWN_WAIT: Duration = Duration::from_secs(2);
/// A run that has stored something waits no longer than this in its worker: it is put back, and the worker is free for others. One that has not
/// stored anything since it was claimed waits in its place, or it would never get further.
const LONGEST_HOLD: Duration = Duration::from_secs(5);
/// How long a run that is to stop waits for the call under way: an answer that comes in this time is stored, so that it is not asked for again.
const PATIENCE: Duration = Duration::from_secs(2);

/// The calls of one company within the provider's windows.
#[derive(Default)]
pub struct Pacer {
    made: Mutex<VecDeque<Instant>>,
}

impl Pacer {
    /// How long to wait before the next call; counts the call when it may be made now.
    fn wait(&self, limits: &CallLimits) -> Option<Duration> {
        let now = Instant::now();
        let mut made = self.made.lock().expect("the pacer's lock is never held across a panic");
        while made.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(60)) {
            made.pop_front();
        }
        let window_full = |count: u32, window: Duration| -> Option<Duration> {
            let nth = made.len().checked_sub(count as usize)?;
            let elapsed = now.duration_since(made[nth]);
            (elapsed < window).then(|| window - elapsed)
        };
        let second = limits.per_second.and_then(|count| window_full(count, Duration::from_secs(1)));
        let minute = window_full(limits.per_minute, Duration::from_secs(60));
        match second.max(minute) {
            None => {
                made.push_back(now);
                None
            }
            wait => wait,
        }
    }
}

/// The gate of one run.
pub struct Gate {
    engine: Engine,
    provider: Arc<dyn Provider>,
    organization_id: OrganizationId,
    company_id: CompanyId,
    connection_id: ConnectionId,
    pacer: Arc<Pacer>,
    /// The calls of all companies of this node, where the provider limits the app as a whole.
    app_pacer: Option<(Arc<Pacer>, CallLimits)>,
    /// The run whose calls these are: its waits are shown on it.
    lease: Option<Lease>,
    is_waiting: AtomicBool,
    /// Something was stored since the run was claimed.
    has_stored: AtomicBool,
    stop: CancellationToken,
    token: tokio::sync::Mutex<Option<(Secret, i64)>>,
    /// Calls this gate may still make today, where the provider has a daily limit.
    calls_left_today: Option<AtomicU64>,
    calls: AtomicU64,
    bytes: AtomicU64,
}

impl Gate {
    pub async fn open(
        engine: &Engine,
        organization_id: &OrganizationId,
        company_id: &CompanyId,
        connection_id: &ConnectionId,
        provider: Arc<dyn Provider>,
        stop: CancellationToken,
    ) -> Result<Gate, EngineError> {
        let pacer_of = |id: CompanyId| {
            let mut pacers = engine.pacers.lock().expect("the pacers' lock is never held across a panic");
            pacers.entry(id).or_default().clone()
        };
        let pacer = pacer_of(company_id.clone());
        let profile = provider.profile();
        let app_pacer = profile.limits.app_per_minute.map(|per_minute| {
            let limits = CallLimits { per_second: None, per_minute, per_day: None, concurrent: 1, app_per_minute: None };
            (pacer_of(CompanyId(format!("app {}", profile.id))), limits)
        });
        let calls_left_today = match provider.profile().limits.per_day {
            Some(per_day) => {
                let made = store::call_budgets::calls_on(&mut engine.store.read().await?, company_id, &today(engine)).await?;
                Some(AtomicU64::new(u64::from(per_day).saturating_sub(made.unsigned_abs())))
            }
            None => None,
        };
        Ok(Gate {
            engine: engine.clone(),
            provider,
            organization_id: organization_id.clone(),
            company_id: company_id.clone(),
            connection_id: connection_id.clone(),
            pacer,
            app_pacer,
            lease: None,
            is_waiting: AtomicBool::new(false),
            has_stored: AtomicBool::new(false),
            stop,
            token: tokio::sync::Mutex::new(None),
            calls_left_today,
            calls: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    /// The gate of calls that concern an account and none of its companies.
    pub async fn of_account(
        engine: &Engine,
        organization_id: &OrganizationId,
        connection_id: &ConnectionId,
        provider: Arc<dyn Provider>,
        stop: CancellationToken,
    ) -> Result<Gate, EngineError> {
        let no_company = CompanyId(format!("account {connection_id}"));
        Gate::open(engine, organization_id, &no_company, connection_id, provider, stop).await
    }

    /// The same for a run: while its calls wait for a limit, its company is shown as waiting.
    pub fn of_run(self, lease: Lease) -> Gate {
        Gate { lease: Some(lease), ..self }
    }

    /// The run has written a chunk or ended a step: it may be put back without losing it.
    pub fn note_stored(&self) {
        self.has_stored.store(true, Ordering::Relaxed);
    }

    /// A gate for one renewal, which goes on when the run that asked for it stops.
    fn aside(&self) -> Gate {
        Gate {
            engine: self.engine.clone(),
            provider: self.provider.clone(),
            organization_id: self.organization_id.clone(),
            company_id: self.company_id.clone(),
            connection_id: self.connection_id.clone(),
            pacer: self.pacer.clone(),
            app_pacer: None,
            lease: None,
            is_waiting: AtomicBool::new(false),
            has_stored: AtomicBool::new(false),
            stop: CancellationToken::new(),
            token: tokio::sync::Mutex::new(None),
            calls_left_today: None,
            calls: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// How long the next call has to wait, and for which limit; counts the call when it may be made now.
    fn pace(&self, limits: &CallLimits) -> Option<(Duration, &'static str)> {
        if let Some((pacer, limits)) = &self.app_pacer
            && let Some(wait) = pacer.wait(limits)
        {
            return Some((wait, "whole app's minute"));
        }
        self.pacer.wait(limits).map(|wait| (wait, "minute"))
    }

    /// Shows on the run that it waits in its place, or that it goes on. What cannot be shown does not stop the run.
    async fn show_wait(&self, waiting: Option<(&str, Duration)>) {
        let Some(lease) = &self.lease else { return };
        let now_ms = self.engine.now_ms();
        let shown = waiting.map(|(limit, wait)| {
            let until = now_ms + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            (format!("{} {limit} limit", self.provider.profile().name), until)
        });
        let written: Result<(), EngineError> = async {
            let mut tx = self.engine.store.begin().await?;
            store::runs::set_waiting(&mut tx, lease, shown.as_ref().map(|(what, until)| (what.as_str(), *until)), now_ms).await?;
            tx.commit().await?;
            Ok(())
        }
        .await;
        match written {
            Ok(()) => self.engine.changed(&self.organization_id, Some(&self.company_id)),
            Err(error) => tracing::warn!(%error, company.id = %self.company_id, "a wait could not be shown"),
        }
        self.is_waiting.store(shown.is_some(), Ordering::Relaxed);
    }

    /// Calls and bytes since the gate was opened.
    pub fn meter(&self) -> (u64, u64) {
        (self.calls.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    fn internal(&self, detail: String) -> ProviderError {
        ProviderError::Down { provider: self.provider.profile().name, detail, call: Call::default() }
    }

    async fn renew(&self, refused: Option<&Secret>) -> Result<(Secret, i64), EngineError> {
        let store = &self.engine.store;
        let mut waited = 0;
        loop {
            let stored = connections::access_token(store, &mut store.read().await?, &self.connection_id).await?.ok_or(EngineError::NotFound)?;
            let now_ms = self.engine.now_ms();
            if stored.state != domain::connection::ConnectionState::Active {
                return Err(self.needs_reconnect().into());
            }
            let is_refused = refused.is_some_and(|token| token.expose() == stored.token);
            if !is_refused && stored.expires_at > now_ms + if waited > 0 { 0 } else { RENEW_EARLY_MS } {
                return Ok((Secret::new(stored.token), stored.expires_at));
            }
            let mut tx = store.begin().await?;
            let right = connections::take_refresh(
                store,
                &mut tx,
                &self.connection_id,
                stored.generation,
                &self.engine.settings.node,
                now_ms,
                now_ms + RENEW_LEASE_MS,
            )
            .await?;
            tx.commit().await?;
            let Some(right) = right else {
                // another worker renews: wait for its pair
                waited += 1;
                if waited > 300 {
                    return Err(self.internal("the renewal of the access token by another worker did not end".into()).into());
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            };
            let mut answer = self.provider.refresh(&Secret::new(right.refresh)).await;
            if let (Err(ProviderError::NeedsReconnect { .. }), Some((previous, rotated_at))) = (&answer, &right.previous)
                && now_ms - rotated_at < GRACE_MS
            {
                // the answer to an earlier renewal may have been lost: the pair before is still good for a while
                answer = self.provider.refresh(&Secret::new(previous.clone())).await;
            }
            match answer {
                Ok(pair) => {
                    let tokens = tokens(&pair);
                    let scope = Some(pair.scope.as_str()).filter(|scope| !scope.is_empty());
                    let mut tx = store.begin().await?;
                    let written = connections::store_refreshed(
                        store,
                        &mut tx,
                        &self.connection_id,
                        right.generation,
                        &self.engine.settings.node,
                        &tokens,
                        scope,
                        self.engine.now_ms(),
                    )
                    .await?;
                    tx.commit().await?;
                    if written {
                        tracing::info!(connection.id = %self.connection_id, "access token renewed");
                        return Ok((pair.access, tokens.access_expires_at));
                    }
                    // a newer pair was stored meanwhile: use that one
                }
                Err(error @ ProviderError::NeedsReconnect { .. }) => {
                    self.mark_invalid(right.generation, &error).await?;
                    return Err(error.into());
                }
                Err(error) => {
                    let mut tx = store.begin().await?;
                    connections::release_refresh(&mut tx, &self.connection_id, &self.engine.settings.node).await?;
                    tx.commit().await?;
                    return Err(error.into());
                }
            }
        }
    }

    fn needs_reconnect(&self) -> ProviderError {
        ProviderError::NeedsReconnect { provider: self.provider.profile().name, call: Call::default() }
    }

    /// The provider refuses the grant: seen on the account, on every company of it, and in the log, at once.
    pub(crate) async fn mark_invalid(&self, generation: i64, error: &ProviderError) -> Result<(), EngineError> {
        let now_ms = self.engine.now_ms();
        let mut tx = self.engine.store.begin().await?;
        if connections::mark_invalid(&mut tx, &self.connection_id, generation, now_ms).await?
            && let Some(connection) = connections::find(&mut tx, &self.organization_id, &self.connection_id).await?
        {
            let message = LogMessage::TokenRefused { problem: error.problem() };
            logbook::about_connection(&mut tx, &self.organization_id, &connection, &message, now_ms).await?;
            note(&self.engine, &mut tx, &self.organization_id, &self.connection_id, Happening::Refused, None, None).await?;
        }
        tx.commit().await?;
        self.engine.changed(&self.organization_id, None);
        Ok(())
    }

    /// A call was refused with a token that was just renewed: the grant itself is no good.
    pub async fn refused_after_renewal(&self, error: &ProviderError) -> Result<(), EngineError> {
        let stored = connections::access_token(&self.engine.store, &mut self.engine.store.read().await?, &self.connection_id)
            .await?
            .ok_or(EngineError::NotFound)?;
        self.mark_invalid(stored.generation, error).await
    }
}

/// The day daily limits are counted by.
pub(crate) fn today(engine: &Engine) -> String {
    engine.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

pub(crate) fn tokens(pair: &TokenPair) -> Tokens {
    Tokens {
        access: pair.access.expose().to_owned(),
        refresh: pair.refresh.expose().to_owned(),
        access_expires_at: pair.access_expires_at.as_millisecond(),
        refresh_expires_at: pair.refresh_expires_at.as_millisecond(),
    }
}

#[async_trait]
impl CallGate for Gate {
    async fn admit(&self, endpoint: &str) -> Result<(), ProviderError> {
        let limits = &self.provider.profile().limits;
        if let Some(left) = &self.calls_left_today
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
        {
            let now = self.engine.clock.now();
            let tomorrow = now.to_zoned(jiff::tz::TimeZone::UTC).date().tomorrow().ok().and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
            return Err(ProviderError::RateLimited {
                provider: self.provider.profile().name,
                limit: "daily".into(),
                retry_at: tomorrow.map(|day| day.timestamp()),
                call: Call { endpoint: endpoint.to_owned(), ..Call::default() },
            });
        }
        loop {
            if self.stop.is_cancelled() {
                return Err(ProviderError::Cancelled);
            }
            match self.pace(limits) {
                None => {
                    if self.is_waiting.load(Ordering::Relaxed) {
                        self.show_wait(None).await;
                    }
                    return Ok(());
                }
                Some((wait, limit)) if wait > LONGEST_HOLD && self.has_stored.load(Ordering::Relaxed) => {
                    if let Some(left) = &self.calls_left_today {
                        left.fetch_add(1, Ordering::SeqCst);
                    }
                    return Err(ProviderError::RateLimited {
                        provider: self.provider.profile().name,
                        limit: limit.into(),
                        retry_at: self.engine.clock.now().checked_add(wait).ok(),
                        call: Call { endpoint: endpoint.to_owned(), ..Call::default() },
                    });
                }
                Some((wait, limit)) => {
                    if wait > SHOWN_WAIT && !self.is_waiting.load(Ordering::Relaxed) {
                        self.show_wait(Some((limit, wait))).await;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(wait + Duration::from_millis(2)) => {}
                        () = self.stop.cancelled() => return Err(ProviderError::Cancelled),
                    }
                }
            }
        }
    }

    async fn token(&self, refused: Option<&Secret>) -> Result<Secret, ProviderError> {
        let mut held = self.token.lock().await;
        if refused.is_none()
            && let Some((token, expires_at)) = &*held
            && *expires_at > self.engine.now_ms() + RENEW_EARLY_MS
        {
            return Ok(token.clone());
        }
        // a renewal that has begun goes to its end: a token the provider has rotated must be stored, whoever cancels or goes away meanwhile
        let (aside, refused) = (self.aside(), refused.cloned());
        let renewal = tokio::spawn(async move { aside.renew(refused.as_ref()).await });
        let renewed = tokio::select! {
            renewed = renewal => renewed,
            () = self.given_up() => return Err(ProviderError::Cancelled),
        };
        match renewed.unwrap_or_else(|failed| Err(self.internal(failed.to_string()).into())) {
            Ok((token, expires_at)) => {
                *held = Some((token.clone(), expires_at));
                Ok(token)
            }
            Err(EngineError::Provider(error)) => Err(error),
            Err(error) => Err(self.internal(error.to_string())),
        }
    }

    async fn given_up(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(PATIENCE).await;
    }

    fn answered(&self, call: &Call, cost: Cost) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(cost.bytes, Ordering::Relaxed);
        self.engine.calls.note(&self.organization_id, self.provider.profile().id, call, &cost, self.engine.now_ms());
        tracing::debug!(
            company.id = %self.company_id,
            endpoint = call.endpoint,
            http_status = call.http_status,
            request_id = call.request_id,
            size_bytes = cost.bytes,
            took_ms = cost.took.as_millis() as u64,
            "call answered"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_keep_to_the_second_and_to_the_minute() {
        let limits = CallLimits { per_second: Some(2), per_minute: 5, per_day: None, concurrent: 1, app_per_minute: None };
        let pacer = Pacer::default();
        assert!(pacer.wait(&limits).is_none());
        assert!(pacer.wait(&limits).is_none());
        let wait = pacer.wait(&limits).expect("the second is full");
        assert!(wait <= Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(pacer.wait(&limits).is_none());
        assert!(pacer.wait(&limits).is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(pacer.wait(&limits).is_none());
        let wait = pacer.wait(&limits).expect("the minute is full");
        assert!(wait > Duration::from_secs(50));
    }
}
