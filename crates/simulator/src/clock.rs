//! The sandbox's own clock: real time, shifted and if wanted faster, or frozen; tests, `/_control/clock` and live trading move it.
use jiff::Timestamp;
use std::sync::Mutex;

pub struct SandboxClock(Mutex<State>);

#[derive(Clone, Copy)]
enum State {
    /// It read `from` when the machine read `machine_ms`, and runs so many times faster.
    Running {
        machine_ms: i64,
        from_ms: i64,
        speed: u32,
    },
    Frozen {
        at: Timestamp,
    },
}

impl Default for SandboxClock {
    fn default() -> Self {
        SandboxClock(Mutex::new(State::Running { machine_ms: 0, from_ms: 0, speed: 1 }))
    }
}

#[allow(clippy::disallowed_methods)] // the one place of the sandbox that asks the machine
fn machine_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).expect("a sandbox stays in our era")
}

impl State {
    fn now(self) -> Timestamp {
        match self {
            State::Frozen { at } => at,
            State::Running { machine_ms: since, from_ms, speed } => moment(from_ms + (machine_ms() - since) * i64::from(speed)),
        }
    }
}

impl SandboxClock {
    pub fn now(&self) -> Timestamp {
        self.state().now()
    }
    pub fn freeze_at(&self, at: Timestamp) {
        *self.0.lock().expect("the clock's lock is never held across a panic") = State::Frozen { at };
    }
    /// Lets time run on from `at`.
    pub fn run_from(&self, at: Timestamp) {
        self.run(at, 1);
    }
    /// Lets time run on from now, so many times faster than the machine's.
    pub fn run_at(&self, speed: u32) {
        let now = self.now();
        self.run(now, speed);
    }
    pub fn advance_ms(&self, ms: i64) {
        let mut state = self.0.lock().expect("the clock's lock is never held across a panic");
        *state = match *state {
            State::Running { machine_ms, from_ms, speed } => State::Running { machine_ms, from_ms: from_ms + ms, speed },
            State::Frozen { at } => State::Frozen { at: moment(at.as_millisecond() + ms) },
        };
    }
    fn run(&self, at: Timestamp, speed: u32) {
        let running = State::Running { machine_ms: machine_ms(), from_ms: at.as_millisecond(), speed };
        *self.0.lock().expect("the clock's lock is never held across a panic") = running;
    }
    fn state(&self) -> State {
        *self.0.lock().expect("the clock's lock is never held across a panic")
    }
}
