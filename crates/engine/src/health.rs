//! How the providers answer: counted with every call, kept minute by minute, read by the health panel.
use crate::Engine;
use crate::error::EngineError;
use domain::ids::{CompanyId, OrganizationId};
use providers::error::Call;
use providers::provider::{CallLimits, Cost};
use std::collections::HashMap;
use std::sync::Mutex;
use store::feed::{self, Filter};
use store::incidents::{self, Incident};
use store::provider_calls::{self, CLASSES, MINUTE_MS, Minute, Tally, WITHIN_MS};

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;
/// What the state follows from.
const LATELY: i64 = 10;
/// Minutes that are kept.
const KEPT: i64 = 2 * DAY;

type Place = (OrganizationId, &'static str, i64);

/// Calls that were counted and are not in the database yet: at most those of a few seconds.
#[derive(Default)]
pub struct Calls(Mutex<HashMap<Place, Tally>>);

impl Calls {
    /// Counts a call that was answered, or was not.
    pub(crate) fn note(&self, organization_id: &OrganizationId, provider: &'static str, call: &Call, cost: &Cost, now_ms: i64) {
        // whoever did not wait for the answer knows nothing of it
        if cost.given_up {
            return;
        }
        let took_ms = u64::try_from(cost.took.as_millis()).unwrap_or(u64::MAX);
        let mut took = [0; CLASSES];
        took[WITHIN_MS.iter().position(|within| took_ms <= *within).unwrap_or(CLASSES - 1)] = 1;
        let tally = Tally {
            calls: 1,
            failed: i64::from(call.http_status.is_none_or(|status| status >= 500)),
            limited: i64::from(call.http_status == Some(429)),
            slowest_ms: i64::try_from(took_ms).unwrap_or(i64::MAX),
            took,
        };
        self.add((organization_id.clone(), provider, now_ms.div_euclid(MINUTE_MS)), &tally);
    }

    fn add(&self, place: Place, tally: &Tally) {
        self.0.lock().expect("the counts are never held across a panic").entry(place).or_default().add(tally);
    }

    fn take(&self) -> HashMap<Place, Tally> {
        std::mem::take(&mut *self.0.lock().expect("the counts are never held across a panic"))
    }
}

/// Writes down what was counted. What could not be written is kept for the next time.
pub async fn write(engine: &Engine) -> Result<(), EngineError> {
    let counted = engine.calls.take();
    if counted.is_empty() {
        return Ok(());
    }
    let written = async {
        // in one order, so that two nodes never wait for each other
        let mut in_order: Vec<(&Place, &Tally)> = counted.iter().collect();
        in_order.sort_by_key(|(place, _)| *place);
        let mut tx = engine.store.begin().await?;
        for ((organization_id, provider, minute), tally) in in_order {
            let minute = Minute { provider: (*provider).to_owned(), minute: *minute, tally: *tally };
            provider_calls::add(&mut tx, organization_id, &minute).await?;
        }
        tx.commit().await
    };
    let written: Result<(), store::StoreError> = written.await;
    if written.is_err() {
        counted.into_iter().for_each(|(place, tally)| engine.calls.add(place, &tally));
    }
    Ok(written?)
}

/// Forgets what is older than two days. Where nothing is, no write transaction is opened.
pub async fn prune(engine: &Engine) -> Result<(), EngineError> {
    let first_kept = engine.now_ms().div_euclid(MINUTE_MS) - KEPT;
    if !provider_calls::has_older(&mut engine.store.read().await?, first_kept).await? {
        return Ok(());
    }
    let mut tx = engine.store.begin().await?;
    provider_calls::prune(&mut tx, first_kept).await?;
    tx.commit().await?;
    Ok(())
}

/// What can be said of a provider now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No call in the last ten minutes.
    Quiet,
    Answering,
    /// Some calls failed.
    Unsteady,
    /// A limit was reached.
    Limited,
    /// Half of the calls failed, or more.
    Failing,
}

impl State {
    fn of(lately: &Tally) -> State {
        match lately {
            Tally { calls: 0, .. } => State::Quiet,
            Tally { calls, failed, .. } if failed * 2 >= *calls => State::Failing,
            Tally { limited: 1.., .. } => State::Limited,
            Tally { failed: 1.., .. } => State::Unsteady,
            _ => State::Answering,
        }
    }
    pub fn as_str(self) -> &'static str {
        match self {
            State::Quiet => "quiet",
            State::Answering => "answering",
            State::Unsteady => "unsteady",
            State::Limited => "limited",
            State::Failing => "failing",
        }
    }
}

/// Calls of a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub tally: Tally,
    /// The most calls of one minute, of all companies together.
    pub busiest_minute: i64,
}

impl Summary {
    /// The class that so many percent of the calls fall into or below, in milliseconds, or the slowest of all where the class reaches further; `None`: no call, or longer than the classes reach.
    pub fn within_ms(&self, percent: i64) -> Option<u64> {
        let needed = (self.tally.calls * percent + 99) / 100;
        let mut sum = 0;
        let class = self.tally.took.iter().position(|count| {
            sum += count;
            needed > 0 && sum >= needed
        })?;
        Some((*WITHIN_MS.get(class)?).min(self.tally.slowest_ms.unsigned_abs()))
    }
    /// Calls that failed, in hundredths of a percent.
    pub fn failed_basis_points(&self) -> i64 {
        if self.tally.calls == 0 { 0 } else { self.tally.failed * 10_000 / self.tally.calls }
    }
    fn add(&mut self, minute: &Minute) {
        self.tally.add(&minute.tally);
        self.busiest_minute = self.busiest_minute.max(minute.tally.calls);
    }
}

/// The company that made the most calls of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busiest {
    pub company_id: CompanyId,
    pub name: String,
    pub calls: i64,
}

/// The health of one provider, as one organization sees it.
#[derive(Clone, Debug)]
pub struct Health {
    pub provider: String,
    pub state: State,
    pub hour: Summary,
    pub day: Summary,
    /// The last 24 hours, the current one last: when each began, and its calls.
    pub hours: Vec<(i64, Tally)>,
    pub last_answer_minute: Option<i64>,
    /// `None`: this server has no keys for it.
    pub limits: Option<CallLimits>,
    /// Against the limit of a day, counted in UTC.
    pub busiest_today: Option<Busiest>,
    /// Companies that wait for it.
    pub waiting: i64,
    /// The newest incident, open or over.
    pub last_incident: Option<Incident>,
}

/// Every provider this server has keys for or this organization is connected to, in the order of the registry.
pub async fn list(engine: &Engine, organization_id: &OrganizationId) -> Result<Vec<Health>, EngineError> {
    let now_ms = engine.now_ms();
    let now = now_ms.div_euclid(MINUTE_MS);
    let mut conn = engine.store.read().await?;
    let mut ids: Vec<String> = engine.registry.iter().map(|provider| provider.profile().id.to_owned()).collect();
    for connection in store::connections::list(&mut conn, organization_id).await? {
        if !ids.contains(&connection.provider) {
            ids.push(connection.provider);
        }
    }
    // whole hours, so that the bars of a picture do not move under the reader
    let first_hour = now.div_euclid(HOUR) - 23;
    let minutes = provider_calls::list(&mut conn, organization_id, (now - DAY).min(first_hour * HOUR)).await?;
    let mut found = Vec::with_capacity(ids.len());
    for provider in ids {
        let of = || minutes.iter().filter(|minute| minute.provider == provider);
        let since = |from: i64| {
            let mut sum = Summary::default();
            of().filter(|minute| minute.minute > from).for_each(|minute| sum.add(minute));
            sum
        };
        let hours = (first_hour..first_hour + 24).map(|hour| {
            let mut tally = Tally::default();
            of().filter(|minute| minute.minute.div_euclid(HOUR) == hour).for_each(|minute| tally.add(&minute.tally));
            (hour * HOUR * MINUTE_MS, tally)
        });
        let limits = engine.registry.get(&provider).map(|provider| provider.profile().limits);
        let waiting = Filter { status: "waiting".to_owned(), provider: provider.clone(), ..Filter::default() };
        let busiest = store::call_budgets::busiest_on(&mut conn, organization_id, &provider, &crate::limits::today(engine)).await?;
        found.push(Health {
            state: State::of(&since(now - LATELY).tally),
            hour: since(now - HOUR),
            day: since(now - DAY),
            hours: hours.collect(),
            last_answer_minute: of().filter(|minute| minute.tally.failed < minute.tally.calls).map(|minute| minute.minute).max(),
            busiest_today: busiest.map(|(company_id, name, calls)| Busiest { company_id, name, calls }),
            waiting: feed::count_fitting(&mut conn, organization_id, &waiting, now_ms).await?,
            last_incident: incidents::find_newest(&mut conn, organization_id, &provider).await?,
            limits,
            provider,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn calls_are_told_apart_by_how_they_ended_and_how_long_they_took() {
        let calls = Calls::default();
        let organization_id = OrganizationId::new("o");
        let note = |http_status: Option<u16>, took_ms: u64, given_up: bool| {
            let cost = Cost { bytes: 1, took: Duration::from_millis(took_ms), given_up };
            calls.note(&organization_id, "xero", &Call { http_status, ..Call::default() }, &cost, 61_000);
        };
        for took_ms in [100, 101, 260, 400] {
            note(Some(200), took_ms, false);
        }
        note(Some(429), 20, false);
        note(Some(503), 900, false);
        note(None, 11_000, false);
        note(Some(401), 2, false);
        note(None, 5, true);
        let counted = calls.take();
        let tally = counted[&(organization_id, "xero", 1)];
        assert_eq!((tally.calls, tally.failed, tally.limited, tally.slowest_ms), (8, 2, 1, 11_000));
        assert_eq!(tally.took, [3, 1, 2, 1, 0, 0, 0, 1]);
        let summary = Summary { tally, busiest_minute: 8 };
        assert_eq!((summary.within_ms(50), summary.within_ms(75), summary.within_ms(95)), (Some(250), Some(500), None));
        assert_eq!(summary.failed_basis_points(), 2_500);
        assert_eq!(Summary::default().within_ms(50), None);
        let one = Tally { calls: 1, slowest_ms: 1_100, took: [0, 0, 0, 0, 1, 0, 0, 0], ..Tally::default() };
        assert_eq!(Summary { tally: one, busiest_minute: 1 }.within_ms(95), Some(1_100), "no call took longer than the slowest");
        assert!(calls.take().is_empty());
    }

    #[test]
    fn the_state_follows_from_the_last_minutes() {
        let of = |calls: i64, failed: i64, limited: i64| State::of(&Tally { calls, failed, limited, ..Tally::default() });
        assert_eq!(of(0, 0, 0), State::Quiet);
        assert_eq!(of(9, 0, 0), State::Answering);
        assert_eq!(of(9, 1, 0), State::Unsteady);
        assert_eq!(of(9, 1, 1), State::Limited);
        assert_eq!(of(9, 5, 4), State::Failing);
    }
}
