//! The sandbox's own clock: real time plus an offset, or frozen; tests and `/_control/clock` move it.
use jiff::Timestamp;
use std::sync::Mutex;

pub struct SandboxClock(Mutex<State>);

#[derive(Clone, Copy)]
enum State {
    Running { offset_ms: i64 },
    Frozen { at: Timestamp },
}

impl Default for SandboxClock {
    fn default() -> Self {
        SandboxClock(Mutex::new(State::Running { offset_ms: 0 }))
    }
}

#[allow(clippy::disallowed_methods)] // the one place of the sandbox that asks the machine
fn machine_now() -> Timestamp {
    Timestamp::now()
}

impl SandboxClock {
    pub fn now(&self) -> Timestamp {
        match *self.0.lock().expect("the clock's lock is never held across a panic") {
            State::Frozen { at } => at,
            State::Running { offset_ms } => {
                Timestamp::from_millisecond(machine_now().as_millisecond() + offset_ms).expect("a sandbox stays in our era")
            }
        }
    }
    pub fn freeze_at(&self, at: Timestamp) {
        *self.0.lock().expect("the clock's lock is never held across a panic") = State::Frozen { at };
    }
    /// Lets time run on from `at`.
    pub fn run_from(&self, at: Timestamp) {
        let offset_ms = at.as_millisecond() - machine_now().as_millisecond();
        *self.0.lock().expect("the clock's lock is never held across a panic") = State::Running { offset_ms };
    }
    pub fn advance_ms(&self, ms: i64) {
        let mut state = self.0.lock().expect("the clock's lock is never held across a panic");
        *state = match *state {
            State::Running { offset_ms } => State::Running { offset_ms: offset_ms + ms },
            State::Frozen { at } => State::Frozen { at: Timestamp::from_millisecond(at.as_millisecond() + ms).expect("a sandbox stays in our era") },
        };
    }
}
