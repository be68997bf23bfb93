//! Webhooks: tells registered addresses which records changed, as each provider does, and as unreliably as is asked for.
//!
//! QuickBooks: <https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks>. Xero:
//! <https://developer.xero.com/documentation/guides/webhooks/overview/>. Times to wait run on the sandbox's clock.
mod events;
mod post;

use crate::books::Face;
use crate::books::recent::Change;
use crate::sandbox::{Sandbox, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
pub use post::Address;
use sha2::Sha256;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

const MOST_DELIVERIES: usize = 2_000;
/// How often the sandbox looks for changes.
const LOOK_EVERY: Duration = Duration::from_millis(25);

#[derive(Debug, Default)]
pub struct Webhooks {
    pub endpoints: Vec<Endpoint>,
    pub mischief: Mischief,
    /// What was sent and how it was answered, the newest last.
    pub deliveries: VecDeque<Delivery>,
    waiting: Vec<Waiting>,
    last_delivery: u64,
}

/// An address that is told, and what has been told to it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub number: u64,
    pub face: Face,
    pub address: Address,
    /// QuickBooks: the verifier token. Xero: the webhook key.
    pub key: String,
    pub form: Form,
    /// QuickBooks has been seen with both `void` and `voided`.
    pub void_word: String,
    pub status: Status,
    /// Per company the number of the last change told.
    told: BTreeMap<String, u64>,
    /// Xero numbers its events.
    sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// QuickBooks today: a list of CloudEvents.
    CloudEvents,
    /// QuickBooks until 2026: `eventNotifications`.
    Classic,
    Xero,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Xero has not yet tried whether signatures are checked.
    Unproven,
    Delivering,
    /// Xero: a wrong signature was accepted, or a right one refused.
    IntentRefused,
    /// A day of failures.
    Disabled,
}

/// What goes wrong on the way; the numbers count down.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mischief {
    /// So many of the next deliveries are never sent.
    pub lose: u32,
    /// So many are sent twice.
    pub double: u32,
    /// So many wait until the one after them was sent, and name their events in reverse.
    pub reorder: u32,
    /// All wait this long.
    pub delay_secs: u32,
}

#[derive(Clone, Debug)]
pub struct Delivery {
    pub number: u64,
    pub endpoint: u64,
    pub at: Timestamp,
    pub attempt: u32,
    /// `None`: no answer in time.
    pub status: Option<u16>,
    pub body: String,
    /// Not sent on purpose.
    pub lost: bool,
}

#[derive(Clone, Debug)]
struct Waiting {
    endpoint: u64,
    body: String,
    due: Timestamp,
    attempt: u32,
    first_at: Timestamp,
    /// Goes after the next one.
    behind: bool,
}

impl Webhooks {
    pub fn add(&mut self, face: Face, address: Address, key: String, form: Form, void_word: String, known: &BTreeMap<String, u64>) -> u64 {
        let number = self.endpoints.iter().map(|endpoint| endpoint.number).max().unwrap_or(0) + 1;
        let status = if face == Face::Xero { Status::Unproven } else { Status::Delivering };
        self.endpoints.push(Endpoint { number, face, address, key, form, void_word, status, told: known.clone(), sequence: 0 });
        number
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn endpoint(&mut self, number: u64) -> Option<&mut Endpoint> {
        self.endpoints.iter_mut().find(|endpoint| endpoint.number == number)
    }

    fn record(&mut self, delivery: Delivery) {
        self.last_delivery += 1;
        self.deliveries.push_back(Delivery { number: self.last_delivery, ..delivery });
        if self.deliveries.len() > MOST_DELIVERIES {
            self.deliveries.pop_front();
        }
    }
}

/// The number of the last change of every company.
pub fn known(state: &State) -> BTreeMap<String, u64> {
    state.companies.values().map(|books| (books.id.clone(), books.recent.last())).collect()
}

/// `base64(HMAC-SHA256(body, key))`, of both providers.
pub fn signature(key: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Looks for changes and tells them, for as long as the sandbox serves.
pub async fn deliver(sandbox: Sandbox) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if sandbox.read(|state| state.webhooks.endpoints.is_empty()) {
            continue;
        }
        prove(&sandbox).await;
        let now = sandbox.clock.now();
        sandbox.write(|state| collect(state, now));
        send_due(&sandbox, now).await;
    }
}

/// Turns new changes into deliveries: all companies of one endpoint in one body.
fn collect(state: &mut State, now: Timestamp) {
    let connected: Vec<String> = state
        .companies
        .values()
        .filter(|books| match books.face {
            Face::Xero => state.grants.xero_connections.iter().any(|connection| connection.tenant_id == books.id),
            Face::QuickBooks => state.grants.families.values().any(|family| !family.revoked && family.companies.contains(&books.id)),
        })
        .map(|books| books.id.clone())
        .collect();
    let State { webhooks, companies, .. } = state;
    let Webhooks { endpoints, mischief, waiting, .. } = webhooks;
    let mut lost = Vec::new();
    for endpoint in endpoints.iter_mut().filter(|endpoint| endpoint.status == Status::Delivering) {
        let mut changes: Vec<(&crate::books::Books, Change)> = Vec::new();
        for books in companies.values().filter(|books| books.face == endpoint.face) {
            // A company that came later has nothing to tell of its making.
            let told = endpoint.told.entry(books.id.clone()).or_insert_with(|| books.recent.last());
            if connected.contains(&books.id) {
                changes.extend(books.recent.after(*told).map(|change| (books, *change)));
            }
            *told = books.recent.last();
        }
        changes.dedup_by(|later, earlier| later.0.id == earlier.0.id && later.1.what == earlier.1.what && later.1.verb == earlier.1.verb);
        let reorders = mischief.reorder > 0;
        if reorders {
            changes.reverse();
        }
        let Some(body) = events::body(endpoint, &changes) else { continue };
        if mischief.lose > 0 {
            mischief.lose -= 1;
            lost.push(Delivery { number: 0, endpoint: endpoint.number, at: now, attempt: 0, status: None, body, lost: true });
            continue;
        }
        let due = now + SignedDuration::from_secs(i64::from(mischief.delay_secs));
        let one = Waiting { endpoint: endpoint.number, body, due, attempt: 0, first_at: now, behind: reorders };
        if reorders {
            mischief.reorder -= 1;
        }
        if mischief.double > 0 {
            mischief.double -= 1;
            waiting.push(one.clone());
        }
        waiting.push(one);
    }
    for delivery in lost {
        webhooks.record(delivery);
    }
}

async fn send_due(sandbox: &Sandbox, now: Timestamp) {
    while let Some((waiting, endpoint)) = sandbox.write(|state| take_due(&mut state.webhooks, now)) {
        let signed = signature(&endpoint.key, waiting.body.as_bytes());
        let status = send(&endpoint, &waiting.body, &signed).await;
        let at = sandbox.clock.now();
        sandbox.write(|state| {
            let attempt = waiting.attempt + 1;
            state.webhooks.record(Delivery { number: 0, endpoint: endpoint.number, at, attempt, status, body: waiting.body.clone(), lost: false });
            if accepted(&endpoint, status) {
                return;
            }
            let wait = retry_secs(endpoint.face, attempt);
            let day_over = at.as_second() - waiting.first_at.as_second() >= 86_400;
            match state.webhooks.endpoint(endpoint.number) {
                Some(endpoint) if day_over => endpoint.status = Status::Disabled,
                Some(_) => state.webhooks.waiting.insert(0, Waiting { attempt, due: at + SignedDuration::from_secs(wait), ..waiting }),
                None => {}
            }
        });
    }
}

/// The first delivery that is due. Of one endpoint "later events queue behind until acknowledged".
fn take_due(webhooks: &mut Webhooks, now: Timestamp) -> Option<(Waiting, Endpoint)> {
    let mut held: Vec<u64> = Vec::new();
    let mut found = None;
    for (index, waiting) in webhooks.waiting.iter().enumerate() {
        if held.contains(&waiting.endpoint) {
            continue;
        }
        let overtaken = webhooks.waiting[index + 1..].iter().any(|next| next.endpoint == waiting.endpoint && !next.behind);
        if waiting.due > now {
            held.push(waiting.endpoint);
        } else if !waiting.behind || overtaken {
            found = Some(index);
            if overtaken && waiting.behind {
                // The next one goes first.
                let after = webhooks.waiting[index + 1..].iter().position(|next| next.endpoint == waiting.endpoint && !next.behind);
                found = after.map(|offset| index + 1 + offset);
            }
            break;
        }
    }
    let mut waiting = webhooks.waiting.remove(found?);
    if !waiting.behind {
        // What waited to be overtaken has been.
        webhooks.waiting.iter_mut().filter(|other| other.endpoint == waiting.endpoint).for_each(|other| other.behind = false);
    }
    waiting.behind = false;
    let endpoint = webhooks.endpoints.iter().find(|endpoint| endpoint.number == waiting.endpoint)?.clone();
    Some((waiting, endpoint))
}

async fn send(endpoint: &Endpoint, body: &str, signed: &str) -> Option<u16> {
    let (header, limit) = match endpoint.face {
        // "200 within 3 seconds"; Xero: 5.
        Face::QuickBooks => ("intuit-signature", Duration::from_secs(3)),
        Face::Xero => ("x-xero-signature", Duration::from_secs(5)),
    };
    post::post(&endpoint.address, &[(header, signed)], body, limit).await
}

fn accepted(endpoint: &Endpoint, status: Option<u16>) -> bool {
    match endpoint.face {
        Face::QuickBooks => status == Some(200),
        Face::Xero => status.is_some_and(|status| (200..300).contains(&status)),
    }
}

/// Seconds to the next attempt: Intuit's published steps; Xero: at once, then more and more seldom up to a quarter of an hour.
fn retry_secs(face: Face, attempt: u32) -> i64 {
    let steps: &[i64] = match face {
        Face::QuickBooks => &[10, 20, 30, 300, 1_200, 7_200, 14_400, 21_600],
        Face::Xero => &[0, 10, 60, 300, 900],
    };
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX).min(steps.len() - 1);
    steps[index]
}

/// Xero's intent to receive: empty bodies, some with a right and some with a wrong signature.
async fn prove(sandbox: &Sandbox) {
    let unproven: Vec<Endpoint> =
        sandbox.read(|state| state.webhooks.endpoints.iter().filter(|endpoint| endpoint.status == Status::Unproven).cloned().collect());
    for endpoint in unproven {
        let mut kept = true;
        for right in [true, false, true, false] {
            let body = events::intent();
            let key = if right { endpoint.key.clone() } else { format!("{}-not", endpoint.key) };
            let status = send(&endpoint, &body, &signature(&key, body.as_bytes())).await;
            kept &= if right { accepted(&endpoint, status) } else { status == Some(401) };
            let at = sandbox.clock.now();
            sandbox.write(|state| {
                state.webhooks.record(Delivery { number: 0, endpoint: endpoint.number, at, attempt: 1, status, body, lost: false });
            });
        }
        sandbox.write(|state| {
            let known = known(state);
            if let Some(endpoint) = state.webhooks.endpoint(endpoint.number) {
                endpoint.status = if kept { Status::Delivering } else { Status::IntentRefused };
                endpoint.told = known;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        // Test case 2.
        let expected = hex::decode("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843").expect("hexadecimal");
        assert_eq!(signature("Jefe", b"what do ya want for nothing?"), STANDARD.encode(expected));
    }

    #[test]
    fn retries_wait_longer_and_longer() {
        let waits = |face| (1..=10).map(|attempt| retry_secs(face, attempt)).collect::<Vec<_>>();
        assert_eq!(waits(Face::QuickBooks), [10, 20, 30, 300, 1_200, 7_200, 14_400, 21_600, 21_600, 21_600]);
        assert!(waits(Face::Xero).is_sorted() && waits(Face::Xero)[0] == 0);
    }
}
