//! Job: all background work. The queue is the table of runs.
use serde::{Deserialize, Serialize};

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {
    /// Brings one company up to date and proves it.
    Sync,
    /// Only the proof: our balances against the provider's.
    Verify,
}

impl Job {
    pub fn as_str(self) -> &'static str {
        match self {
            Job::Sync => "sync",
            Job::Verify => "verify",
        }
    }
    pub fn parse(word: &str) -> Option<Job> {
        [Job::Sync, Job::Verify].into_iter().find(|j| j.as_str() == word)
    }
}

/// Who or what asked for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    Person(String),
    Schedule,
    Connect,
    CommandLine,
}

impl Trigger {
    /// `person:<user id>`, `schedule`, `connect`, `command_line`.
    pub fn as_text(&self) -> String {
        match self {
            Trigger::Person(user) => format!("person:{user}"),
            Trigger::Schedule => "schedule".into(),
            Trigger::Connect => "connect".into(),
            Trigger::CommandLine => "command_line".into(),
        }
    }
    pub fn label(text: &str) -> &'static str {
        match text {
            "schedule" => "Schedule",
            "connect" => "First import",
            "command_line" => "Command line",
            _ => "Person",
        }
    }
}
