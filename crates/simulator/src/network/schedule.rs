//! Faults by a seed: the same seed hits the same calls, whatever runs beside them.
use super::call::{Area, Call};
use crate::books::guid::mix;
use crate::faults::{Fault, Page};
use std::collections::HashMap;

/// What the control API is given.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub seed: u64,
    /// How many of a thousand calls are hit.
    pub per_thousand: u32,
    /// Left out: a choice of what providers do on bad days and an honest client survives.
    #[serde(default = "usual")]
    pub faults: Vec<Fault>,
    /// Stops by itself after this many hits; left out, it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
}

#[derive(Debug)]
pub struct Schedule {
    pub plan: Plan,
    pub hits: u32,
    pub calls: u64,
    /// How often each target was asked for.
    asked: HashMap<u64, u64>,
}

fn usual() -> Vec<Fault> {
    use crate::limits::Problem;
    vec![
        Fault::Status { status: 500 },
        Fault::Html { status: 503 },
        Fault::Html { status: 502 },
        Fault::Html { status: 200 },
        Fault::Throttle { retry_after: Some("1".into()) },
        Fault::Throttle { retry_after: None },
        Fault::RateLimit { problem: Problem::Minute, retry_after_secs: Some(1) },
        Fault::FaultInOk { inside: false },
        Fault::FaultInOk { inside: true },
        Fault::AuthenticationFault { status: 401 },
        Fault::AuthenticationFault { status: 500 },
        Fault::MalformedJson,
        Fault::Drop,
        Fault::LoseAnswer,
        Fault::Truncate { bytes: 64 },
        Fault::CutOff { after_ms: 20 },
        Fault::ExpireToken { mid_body: false },
        Fault::ExpireToken { mid_body: true },
        Fault::Delay { ms: 200 },
        Fault::Page { how: Page::Doubled },
        Fault::Page { how: Page::Reversed },
    ]
}

impl Schedule {
    pub fn new(plan: Plan) -> Schedule {
        Schedule { plan, hits: 0, calls: 0, asked: HashMap::new() }
    }

    /// The fault for this call, if the seed has one for it. Consent pages are spared, and so are refresh tokens: a token request is hit
    /// only by what leaves a way back.
    pub fn draw(&mut self, call: &Call) -> Option<Fault> {
        self.calls += 1;
        if self.plan.at_most.is_some_and(|most| self.hits >= most) || call.area == Area::SignIn || self.plan.faults.is_empty() {
            return None;
        }
        let target = call.path.bytes().chain(call.company.bytes()).fold(mix(self.plan.seed), |hash, byte| mix(hash ^ u64::from(byte)));
        let times = self.asked.entry(target).or_default();
        *times += 1;
        let draw = mix(target ^ times.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if draw % 1000 >= u64::from(self.plan.per_thousand) {
            return None;
        }
        let fitting: Vec<&Fault> = self.plan.faults.iter().filter(|fault| call.area != Area::Tokens || leaves_tokens(fault)).collect();
        let index = usize::try_from((draw >> 20) % u64::try_from(fitting.len().max(1)).ok()?).ok()?;
        let fault = (*fitting.get(index)?).clone();
        self.hits += 1;
        Some(fault)
    }
}

/// After these a client still holds a token that works.
fn leaves_tokens(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Status { status: 500.. }
            | Fault::Html { .. }
            | Fault::Throttle { .. }
            | Fault::RateLimit { .. }
            | Fault::Drop
            | Fault::Delay { .. }
            | Fault::Drip { .. }
            | Fault::MalformedJson
            | Fault::InvalidGrant
    )
}
