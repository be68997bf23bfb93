//! Several measurements of one thing: the one in the middle and the worst.
use std::time::Duration;

pub struct Measured(Vec<Duration>);

impl Measured {
    /// Measures `what` as often as asked.
    pub fn repeat(times: usize, mut what: impl FnMut() -> Duration) -> Measured {
        let mut all: Vec<Duration> = (0..times).map(|_| what()).collect();
        all.sort();
        Measured(all)
    }
    /// What was measured elsewhere.
    pub fn of(mut all: Vec<Duration>) -> Measured {
        all.sort();
        Measured(all)
    }
    pub fn count(&self) -> usize {
        self.0.len()
    }
    /// The smallest that this share of a hundred stays within.
    pub fn percentile(&self, share: usize) -> Duration {
        let at = (self.0.len() * share).div_ceil(100).max(1) - 1;
        *self.0.get(at).expect("at least one measurement is taken")
    }
    pub fn median(&self) -> Duration {
        self.0[self.0.len() / 2]
    }
    pub fn worst(&self) -> Duration {
        *self.0.last().expect("at least one measurement is taken")
    }
}

pub fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}

pub fn secs(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
