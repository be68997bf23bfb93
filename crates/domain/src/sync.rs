//! SyncRun: its states, its arrows, and the steps it goes through.
use serde::{Deserialize, Serialize};

/// The states of a run as the database keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RunState {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl RunState {
    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Queued => "queued",
            RunState::Running => "running",
            RunState::Succeeded => "succeeded",
            RunState::Failed => "failed",
            RunState::Cancelled => "cancelled",
        }
    }
    pub fn parse(word: &str) -> Option<RunState> {
        [RunState::Queued, RunState::Running, RunState::Succeeded, RunState::Failed, RunState::Cancelled].into_iter().find(|s| s.as_str() == word)
    }
    pub fn is_finished(self) -> bool {
        matches!(self, RunState::Succeeded | RunState::Failed | RunState::Cancelled)
    }
    /// The arrows. Everything else is a bug.
    pub fn may_become(self, next: RunState) -> bool {
        use RunState::*;
        matches!(
            (self, next),
            (Queued, Running)        // a worker claims it
                | (Queued, Cancelled)    // a person cancels before it starts
                | (Running, Running)     // the lease ended; another worker continues from the checkpoints
                | (Running, Queued)      // it waits for a provider, or the server stops in order
                | (Running, Succeeded)
                | (Running, Failed)
                | (Running, Cancelled)
        )
    }
}

/// How much a run fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Extent {
    /// Everything, from the first transaction of the books.
    Full,
    /// What is new, changed or deleted since the last success.
    Changes,
}

impl Extent {
    pub fn as_str(self) -> &'static str {
        match self {
            Extent::Full => "full",
            Extent::Changes => "changes",
        }
    }
    pub fn parse(word: &str) -> Option<Extent> {
        [Extent::Full, Extent::Changes].into_iter().find(|e| e.as_str() == word)
    }
}

/// What a run did with the records of one data type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub fetched: u64,
    pub added: u64,
    pub changed: u64,
    pub deleted: u64,
    pub unchanged: u64,
    pub quarantined: u64,
}

impl Counts {
    pub fn add(&mut self, other: Counts) {
        self.fetched += other.fetched;
        self.added += other.added;
        self.changed += other.changed;
        self.deleted += other.deleted;
        self.unchanged += other.unchanged;
        self.quarantined += other.quarantined;
    }
}

/// Where the next chunk begins. The text is opaque outside its provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Checkpoint(pub String);

/// The milestones of a run, in order; a successful run has every one of them (product.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Milestone {
    Started,
    Company,
    Chart,
    Contacts,
    Transactions,
    Ledger,
    Reports,
    Normalized,
    Verified,
    Finished,
}

impl Milestone {
    pub const ALL: [Milestone; 10] = [
        Milestone::Started,
        Milestone::Company,
        Milestone::Chart,
        Milestone::Contacts,
        Milestone::Transactions,
        Milestone::Ledger,
        Milestone::Reports,
        Milestone::Normalized,
        Milestone::Verified,
        Milestone::Finished,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_run_never_moves_again() {
        use RunState::*;
        for state in [Succeeded, Failed, Cancelled] {
            for next in [Queued, Running, Succeeded, Failed, Cancelled] {
                assert!(!state.may_become(next));
            }
        }
        assert!(Running.may_become(Running));
        assert!(!Queued.may_become(Succeeded));
    }
}
