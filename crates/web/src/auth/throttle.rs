//! Slows guessing down: after a few wrong passwords for an address each further one waits longer.
use std::collections::HashMap;
use std::sync::Mutex;

const FREE_TRIES: u32 = 5;
const LONGEST_WAIT_MS: i64 = 60_000;
const FORGET_AFTER_MS: i64 = 900_000;
/// Many addresses from one place are as suspicious as many tries for one address.
const MOST_KEPT: usize = 10_000;

/// Failures by address of mail and place of the caller. In memory: every node slows guessing by itself.
#[derive(Default)]
pub struct Throttle(Mutex<HashMap<String, Failures>>);

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last_ms: i64,
}

impl Throttle {
    /// How long this address must wait before its next try, in milliseconds.
    pub fn wait_ms(&self, who: &str, now_ms: i64) -> i64 {
        let failures = self.0.lock().expect("no holder of this lock panics");
        let Some(failures) = failures.get(who) else { return 0 };
        if failures.count < FREE_TRIES || now_ms - failures.last_ms > FORGET_AFTER_MS {
            return 0;
        }
        let pause = (1_000_i64 << (failures.count - FREE_TRIES).min(6)).min(LONGEST_WAIT_MS);
        (failures.last_ms + pause - now_ms).max(0)
    }
    pub fn failed(&self, who: &str, now_ms: i64) {
        let mut all = self.0.lock().expect("no holder of this lock panics");
        if all.len() >= MOST_KEPT {
            all.retain(|_, failures| now_ms - failures.last_ms < FORGET_AFTER_MS);
        }
        let failures = all.entry(who.to_owned()).or_insert(Failures { count: 0, last_ms: now_ms });
        failures.count = if now_ms - failures.last_ms > FORGET_AFTER_MS { 1 } else { failures.count + 1 };
        failures.last_ms = now_ms;
    }
    pub fn succeeded(&self, who: &str) {
        self.0.lock().expect("no holder of this lock panics").remove(who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slower_and_is_forgotten_after_a_while() {
        let throttle = Throttle::default();
        for _ in 0..FREE_TRIES {
            assert_eq!(throttle.wait_ms("ada", 1_000), 0);
            throttle.failed("ada", 1_000);
        }
        assert_eq!(throttle.wait_ms("ada", 1_000), 1_000);
        throttle.failed("ada", 2_000);
        assert_eq!(throttle.wait_ms("ada", 2_000), 2_000);
        for _ in 0..40 {
            throttle.failed("ada", 2_000);
        }
        assert_eq!(throttle.wait_ms("ada", 2_000), LONGEST_WAIT_MS);
        assert_eq!(throttle.wait_ms("grace", 2_000), 0, "others are not affected");
        assert_eq!(throttle.wait_ms("ada", 2_000 + FORGET_AFTER_MS + 1), 0);
        throttle.succeeded("ada");
        assert_eq!(throttle.wait_ms("ada", 2_000), 0);
    }
}
