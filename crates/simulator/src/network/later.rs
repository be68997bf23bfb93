//! Changes that show later than they were made: what the control API changed keeps the moment it was asked for, and appears when that
//! much time has passed on the sandbox's clock.
use super::perform;
use crate::faults::ControlRequest;
use crate::sandbox::Sandbox;
use jiff::Timestamp;

/// A change that waits to be seen.
#[derive(Clone, Debug)]
pub struct Later {
    pub due: Timestamp,
    pub made_at: Timestamp,
    pub request: ControlRequest,
}

/// Lets everything happen that is due.
pub async fn settle(sandbox: &Sandbox) {
    let now = sandbox.clock.now();
    if sandbox.read(|state| state.later.iter().all(|later| later.due > now)) {
        return;
    }
    let due: Vec<Later> = sandbox.write(|state| {
        let (due, waiting) = state.later.drain(..).partition(|later| later.due <= now);
        state.later = waiting;
        due
    });
    for later in due {
        let then = sandbox.at(later.made_at);
        perform(&then, &later.request).await;
    }
}
