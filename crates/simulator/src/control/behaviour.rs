//! Control of what is not books: time, call counters, tokens, faults, limits, switches.
use super::{Answer, Problem, body, json};
use crate::books::Face;
use crate::faults::Injected;
use crate::sandbox::Sandbox;
use axum::body::Bytes;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json as object};
use std::collections::BTreeMap;

pub async fn health(State(sandbox): State<Sandbox>) -> Answer {
    let companies = sandbox.read(|state| state.companies.len());
    json(object!({"status": "ok", "sandbox": true, "time": sandbox.clock.now().to_string(), "companies": companies}))
}

pub async fn clock(State(sandbox): State<Sandbox>) -> Answer {
    json(object!({"now": sandbox.clock.now().to_string()}))
}

/// Exactly one of the three.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    freeze: Option<Timestamp>,
    run_from: Option<Timestamp>,
    advance_secs: Option<i64>,
}

pub async fn set_clock(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: SetClock = body::read(&bytes)?;
    match wanted {
        SetClock { freeze: Some(at), run_from: None, advance_secs: None } => sandbox.clock.freeze_at(at),
        SetClock { freeze: None, run_from: Some(at), advance_secs: None } => sandbox.clock.run_from(at),
        SetClock { freeze: None, run_from: None, advance_secs: Some(seconds) } => {
            const CENTURY_SECS: i64 = 100 * 366 * 86_400;
            if seconds.abs() > CENTURY_SECS {
                return Err(Problem::bad("advance_secs is more than a century"));
            }
            sandbox.clock.advance_ms(seconds * 1000);
        }
        _ => return Err(Problem::bad("give exactly one of freeze, run_from (RFC 3339 times) and advance_secs (a whole number)")),
    }
    clock(State(sandbox)).await
}

pub async fn calls(State(sandbox): State<Sandbox>) -> Answer {
    let (calls, by_company) = sandbox.read(|state| (state.calls.clone(), state.calls_by_company.clone()));
    let mut by_face: BTreeMap<&str, u64> = BTreeMap::new();
    for (call, count) in &calls {
        let mut words = call.split(' ');
        // Entries that do not name a method are details of another entry and would count twice.
        if let (Some(face), Some("GET" | "POST" | "DELETE" | "PUT" | "HEAD")) = (words.next(), words.next()) {
            *by_face.entry(face).or_default() += count;
        }
    }
    json(object!({"calls": calls, "by_face": by_face, "by_company": by_company}))
}

pub async fn reset_calls(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.write(|state| {
        state.calls.clear();
        state.calls_by_company.clear();
    });
    json(object!({"reset": true}))
}

pub async fn expire_tokens(State(sandbox): State<Sandbox>) -> Answer {
    let now = sandbox.clock.now();
    json(object!({"expired": sandbox.write(|state| state.grants.expire_access(now))}))
}

/// What is left out matches all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    client_id: Option<String>,
    /// Id or e-mail address.
    user: Option<String>,
    company: Option<String>,
}

pub async fn revoke_tokens(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: Revoke = body::read(&bytes)?;
    let revoked = sandbox.write(|state| {
        let user = match &wanted.user {
            Some(user) => {
                let known = state.users.iter().find(|u| u.id == *user || u.email.eq_ignore_ascii_case(user));
                Some(known.map(|u| u.id.clone()).ok_or_else(|| Problem::missing(format!("there is no user {user}")))?)
            }
            None => None,
        };
        let company = match &wanted.company {
            Some(company) => Some(company_id(state, company)?),
            None => None,
        };
        if company.is_none() && user.is_none() && wanted.client_id.is_none() {
            state.grants.xero_connections.clear();
        }
        Ok::<usize, Problem>(state.grants.revoke_where(wanted.client_id.as_deref(), user.as_deref(), company.as_deref()))
    })?;
    json(object!({"revoked": revoked}))
}

pub(super) fn company_id(state: &crate::sandbox::State, wanted: &str) -> Result<String, Problem> {
    let known = state.companies.values().find(|b| b.id.eq_ignore_ascii_case(wanted) || b.name.eq_ignore_ascii_case(wanted));
    known.map(|b| b.id.clone()).ok_or_else(|| Problem::missing(format!("there is no company {wanted}; see GET /_control/companies")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveScope {
    scope: String,
    face: Option<Face>,
}

/// Takes one scope away from every standing consent, as when an administrator narrows an app's access.
pub async fn remove_scope(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: RemoveScope = body::read(&bytes)?;
    let changed = sandbox.write(|state| {
        let mut changed = 0usize;
        let mut narrow = |face: Face, scope: &mut String| {
            let left: Vec<&str> = scope.split_whitespace().filter(|s| *s != wanted.scope).collect();
            if wanted.face.is_none_or(|f| f == face) && left.len() < scope.split_whitespace().count() {
                *scope = left.join(" ");
                changed += 1;
            }
        };
        state.grants.access.values_mut().for_each(|access| narrow(access.face, &mut access.scope));
        state.grants.families.values_mut().for_each(|family| narrow(family.face, &mut family.scope));
        changed
    });
    json(object!({"changed": changed}))
}

pub async fn faults(State(sandbox): State<Sandbox>) -> Answer {
    json(object!({"waiting": sandbox.read(|state| state.faults.waiting().to_vec())}))
}

/// One fault or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Value>),
    One(Value),
}

pub async fn inject(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted = match body::read(&bytes)? {
        OneOrMany::Many(list) => list,
        OneOrMany::One(one) => vec![one],
    };
    let mut injected = Vec::new();
    for one in wanted {
        let fault: Injected = from_value(one)?;
        if fault.times == 0 {
            return Err(Problem::bad("times must be at least 1"));
        }
        injected.push(fault);
    }
    sandbox.write(|state| {
        for mut fault in injected {
            if let Some(company) = &fault.company {
                fault.company = Some(company_id(state, company)?);
            }
            state.faults.inject(fault);
        }
        Ok::<(), Problem>(())
    })?;
    faults(State(sandbox)).await
}

pub async fn clear_faults(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.write(|state| state.faults.clear());
    faults(State(sandbox)).await
}

pub async fn limits(State(sandbox): State<Sandbox>) -> Answer {
    json(sandbox.read(|state| object!({"enforced": state.limits.enforced, "figures": state.limits.figures})))
}

/// `{"enforced": false}`, figures by name, `{"reset": true}` to forget counted calls; any of them together.
pub async fn set_limits(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let mut wanted: serde_json::Map<String, Value> = body::read(&bytes)?;
    let enforced = take_switch(&mut wanted, "enforced")?;
    let reset = take_switch(&mut wanted, "reset")?;
    sandbox.write(|state| {
        state.limits.figures = changed(&state.limits.figures, wanted)?;
        state.limits.enforced = enforced.unwrap_or(state.limits.enforced);
        if reset == Some(true) {
            state.limits.reset_windows();
        }
        Ok::<(), Problem>(())
    })?;
    limits(State(sandbox)).await
}

pub async fn switches(State(sandbox): State<Sandbox>) -> Answer {
    json(sandbox.read(|state| object!(state.faults.switches)))
}

pub async fn set_switches(State(sandbox): State<Sandbox>, bytes: Bytes) -> Answer {
    let wanted: serde_json::Map<String, Value> = body::read(&bytes)?;
    sandbox.write(|state| {
        state.faults.switches = changed(&state.faults.switches, wanted)?;
        Ok::<(), Problem>(())
    })?;
    switches(State(sandbox)).await
}

fn take_switch(wanted: &mut serde_json::Map<String, Value>, name: &str) -> Result<Option<bool>, Problem> {
    match wanted.remove(name) {
        None => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(value)),
        Some(other) => Err(Problem::bad(format!("{name} is true or false, not {other}"))),
    }
}

/// `current` with the named fields replaced.
fn changed<T: serde::Serialize + DeserializeOwned>(current: &T, wanted: serde_json::Map<String, Value>) -> Result<T, Problem> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(current) else { return Err(Problem::bad("nothing to change here")) };
    fields.extend(wanted);
    from_value(Value::Object(fields))
}

fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| Problem::bad(format!("the body is not as expected: {error}")))
}
