//! Slows guessing down: after a few wrong passwords for an address each further one waits longer; so it is for one place that tries many addresses, and
//! for one address that is tried from many places.
use std::collections::HashMap;
use std::sync::Mutex;

const FREE_TRIES: u32 = 5;
/// Of a whole network, and of one account over all networks: people mistype, and offices share an address.
const FREE_TRIES_OF_MANY: u32 = 50;
const LONGEST_WAIT_MS: i64 = 60_000;
const FORGET_AFTER_MS: i64 = 900_000;
/// What is kept in memory at most: beyond it, what was seen longest ago is forgotten.
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
        self.wait_after(FREE_TRIES, who, now_ms)
    }
    fn wait_after(&self, free_tries: u32, who: &str, now_ms: i64) -> i64 {
        let failures = self.0.lock().expect("no holder of this lock panics");
        let Some(failures) = failures.get(who) else { return 0 };
        if failures.count < free_tries || now_ms - failures.last_ms > FORGET_AFTER_MS {
            return 0;
        }
        let pause = (1_000_i64 << (failures.count - free_tries).min(6)).min(LONGEST_WAIT_MS);
        (failures.last_ms + pause - now_ms).max(0)
    }
    pub fn failed(&self, who: &str, now_ms: i64) {
        let mut all = self.0.lock().expect("no holder of this lock panics");
        if all.len() >= MOST_KEPT {
            all.retain(|_, failures| now_ms - failures.last_ms < FORGET_AFTER_MS);
        }
        if all.len() >= MOST_KEPT && !all.contains_key(who) {
            let oldest = all.iter().min_by_key(|(_, failures)| failures.last_ms).map(|(who, _)| who.clone());
            oldest.and_then(|who| all.remove(&who));
        }
        let failures = all.entry(who.to_owned()).or_insert(Failures { count: 0, last_ms: now_ms });
        failures.count = if now_ms - failures.last_ms > FORGET_AFTER_MS { 1 } else { failures.count + 1 };
        failures.last_ms = now_ms;
    }
    pub fn succeeded(&self, who: &str) {
        self.0.lock().expect("no holder of this lock panics").remove(who);
    }
}

/// A sign-in: whose, from where, and whether from a browser that has been here before.
pub struct Attempt {
    /// By what it is counted, and how often it may be wrong.
    counted: Vec<(String, u32)>,
}

impl Attempt {
    pub fn new(email: &str, place: &str, device: Option<&str>) -> Attempt {
        let counted = match device {
            // guesses of others do not count against it, and its own are as few as anybody's
            Some(device) => vec![(format!("device {device}"), FREE_TRIES)],
            None => vec![
                (format!("{email} {place}"), FREE_TRIES),
                (format!("place {place}"), FREE_TRIES_OF_MANY),
                (format!("address {email}"), FREE_TRIES_OF_MANY),
            ],
        };
        Attempt { counted }
    }
    pub fn wait_ms(&self, throttle: &Throttle, now_ms: i64) -> i64 {
        self.counted.iter().map(|(who, free)| throttle.wait_after(*free, who, now_ms)).max().unwrap_or(0)
    }
    pub fn failed(&self, throttle: &Throttle, now_ms: i64) {
        for (who, _) in &self.counted {
            throttle.failed(who, now_ms);
        }
    }
    /// Only what is this person's own is forgiven: whoever tries many accounts may have one.
    pub fn succeeded(&self, throttle: &Throttle) {
        if let Some((who, _)) = self.counted.first() {
            throttle.succeeded(who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // reliability.md 5.4, rows 12 and 13
    #[test]
    fn one_place_with_many_accounts_and_one_account_from_many_places_are_slowed_down_and_a_known_device_is_not() {
        let tried = |throttle: &Throttle, attempt: Attempt, now_ms: i64| {
            let is_let = attempt.wait_ms(throttle, now_ms) == 0;
            if is_let {
                attempt.failed(throttle, now_ms);
            }
            usize::from(is_let)
        };
        // a minute of guessing, one every 6 ms
        let throttle = Throttle::default();
        let of_a_place: usize = (0..10_000).map(|at| tried(&throttle, Attempt::new(&format!("u{at}"), "192.0.2.1", None), at * 6)).sum();
        assert!((50..60).contains(&of_a_place), "{of_a_place}");
        let throttle = Throttle::default();
        let of_an_account: usize = (0..10_000).map(|at| tried(&throttle, Attempt::new("ada", &format!("p{at}"), None), at * 6)).sum();
        assert!((50..60).contains(&of_an_account), "{of_an_account}");
        assert!(Attempt::new("ada", "another place", None).wait_ms(&throttle, 60_000) > 0);
        assert_eq!(Attempt::new("ada", "another place", Some("d1")).wait_ms(&throttle, 60_000), 0, "its owner enters from a known device");
        assert_eq!(Attempt::new("grace", "another place", None).wait_ms(&throttle, 60_000), 0, "others are not affected");
        // a stolen device guesses no faster than anybody
        let of_a_device: usize = (0..10_000).map(|at| tried(&throttle, Attempt::new("ada", "x", Some("d1")), at * 6)).sum();
        assert!((5..12).contains(&of_a_device), "{of_a_device}");
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        let throttle = Throttle::default();
        let last = MOST_KEPT as i64 + 300;
        for at in 0..=last {
            throttle.failed(&format!("who {at}"), at);
        }
        assert_eq!(throttle.0.lock().unwrap().len(), MOST_KEPT);
        assert!(throttle.0.lock().unwrap().contains_key(&format!("who {last}")));
    }

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
