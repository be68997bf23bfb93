//! A failure explained to a person: its kind, its sentence, its one remedy, and whether the job tries again.
use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};

/// How often a run is tried, the first time included.
pub const TRIES: u32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The provider no longer accepts this authorization.
    NeedsReconnect,
    /// A permission or scope is missing.
    Forbidden,
    /// The provider's limit is reached.
    RateLimited,
    /// The provider does not answer or answers with a server error.
    ProviderDown,
    /// An answer or record that cannot be read.
    UnexpectedData,
    /// The account was connected under keys of another environment than this server has now.
    WrongEnvironment,
    /// Our ledger and the provider's report differ.
    DoesNotTieOut,
    /// A person stopped it.
    Cancelled,
    /// Something failed on our side.
    Internal,
}

impl ProblemKind {
    pub const ALL: [ProblemKind; 9] = [
        ProblemKind::NeedsReconnect,
        ProblemKind::Forbidden,
        ProblemKind::RateLimited,
        ProblemKind::ProviderDown,
        ProblemKind::UnexpectedData,
        ProblemKind::WrongEnvironment,
        ProblemKind::DoesNotTieOut,
        ProblemKind::Cancelled,
        ProblemKind::Internal,
    ];
    /// The word of addresses, columns and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            ProblemKind::NeedsReconnect => "needs_reconnect",
            ProblemKind::Forbidden => "forbidden",
            ProblemKind::RateLimited => "rate_limited",
            ProblemKind::ProviderDown => "provider_down",
            ProblemKind::UnexpectedData => "unexpected_data",
            ProblemKind::WrongEnvironment => "wrong_environment",
            ProblemKind::DoesNotTieOut => "does_not_tie_out",
            ProblemKind::Cancelled => "cancelled",
            ProblemKind::Internal => "internal",
        }
    }
    pub fn parse(word: &str) -> Option<ProblemKind> {
        ProblemKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
    /// How often a run is tried before it fails for this; `None`: it waits, which costs no try.
    pub fn tries(self) -> Option<u32> {
        match self {
            ProblemKind::RateLimited => None,
            ProblemKind::ProviderDown | ProblemKind::Internal => Some(TRIES),
            _ => Some(1),
        }
    }
    /// What is behind it, for somebody who meets it for the first time.
    pub fn explanation(self) -> &'static str {
        match self {
            ProblemKind::NeedsReconnect => {
                "The provider refuses the authorization of a connected account: it was revoked, it expired unused, or its user lost access. \
                 Every company read through that account stops until somebody signs in again; nothing stored is lost."
            }
            ProblemKind::Forbidden => {
                "The provider accepts the authorization but not for this data: a permission was not granted, or the user's role at the provider \
                 does not include it. Everything else is synced."
            }
            ProblemKind::RateLimited => {
                "The provider hands out a limited number of calls in a minute or a day, and they are used up. The sync waits at its checkpoint."
            }
            ProblemKind::ProviderDown => {
                "The provider did not answer, or answered with an error of its own. The sync was tried five times, with longer pauses each time."
            }
            ProblemKind::UnexpectedData => {
                "An answer or a record breaks the provider's own description of it. Records that cannot be read are set aside whole; the others \
                 are synced."
            }
            ProblemKind::WrongEnvironment => {
                "The account was connected under keys of another environment than this server has now: a sandbox and real books are kept apart."
            }
            ProblemKind::DoesNotTieOut => {
                "Our trial balance and the provider's own differ in at least one account. What differs was read again once, and still differs."
            }
            ProblemKind::Cancelled => "A person stopped the sync. What was synced until then is kept.",
            ProblemKind::Internal => {
                "Something failed on our side: in the database, in the settings, or in the program. The server's own log says more. The sync was \
                 tried five times."
            }
        }
    }
    /// The one remedy of this kind: what to do, in words.
    pub fn remedy(self) -> Remedy {
        match self {
            ProblemKind::NeedsReconnect => Remedy::Reconnect,
            ProblemKind::Forbidden => Remedy::GrantAccess,
            ProblemKind::RateLimited => Remedy::Wait,
            ProblemKind::ProviderDown => Remedy::Resync,
            ProblemKind::UnexpectedData => Remedy::ShowRecords,
            ProblemKind::WrongEnvironment => Remedy::SwitchKeys,
            ProblemKind::DoesNotTieOut => Remedy::ShowDifference,
            ProblemKind::Cancelled => Remedy::Resync,
            ProblemKind::Internal => Remedy::Resync,
        }
    }
    /// Why, in a few words: the cause class shown in a log body.
    pub fn cause(self) -> &'static str {
        match self {
            ProblemKind::NeedsReconnect => "sign-in expired",
            ProblemKind::Forbidden => "permission or scope missing",
            ProblemKind::RateLimited => "provider limit",
            ProblemKind::ProviderDown => "provider outage",
            ProblemKind::UnexpectedData => "record refused",
            ProblemKind::WrongEnvironment => "sandbox and production mixed",
            ProblemKind::DoesNotTieOut => "does not tie out",
            ProblemKind::Cancelled => "cancelled",
            ProblemKind::Internal => "our bug",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    Reconnect,
    GrantAccess,
    SwitchKeys,
    Wait,
    Resync,
    ShowRecords,
    ShowDifference,
}

impl Remedy {
    /// The words on the button.
    pub fn button(self) -> &'static str {
        match self {
            Remedy::Reconnect => "Reconnect",
            Remedy::GrantAccess => "Grant access",
            Remedy::SwitchKeys => "Open Integrations",
            Remedy::Wait => "Wait",
            Remedy::Resync => "Resync",
            Remedy::ShowRecords => "Show records",
            Remedy::ShowDifference => "Show the difference",
        }
    }
    pub fn sentence(self) -> &'static str {
        match self {
            Remedy::Reconnect => "Open Integrations, then Manage on the provider's card, and choose Reconnect. Syncing resumes by itself.",
            Remedy::GrantAccess => "Reconnect and approve all requested access.",
            Remedy::SwitchKeys => {
                "Whoever runs the server sets the keys of the environment the account was connected in, or an Owner reconnects it under the keys of now."
            }
            Remedy::Wait => "Nothing to do: the sync resumes by itself when the limit allows.",
            Remedy::Resync => "Choose Resync on the Data Feed. If it fails again, look at the provider's status page.",
            Remedy::ShowRecords => "Look at the listed records; the rest was synced. They are read again with the next sync.",
            Remedy::ShowDifference => "Open the company's verification panel: it names account and month. A resync reads them again.",
        }
    }
}

/// A failure, explained. It holds types, ids and counts, never what stands in the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub kind: ProblemKind,
    /// One sentence for a person.
    pub sentence: String,
    /// The provider's word for the call: `GET query Invoice`.
    pub endpoint: Option<String>,
    pub http_status: Option<u16>,
    /// `intuit_tid` or `Xero-Correlation-Id`.
    pub provider_request_id: Option<String>,
    /// When it may be tried again, where the provider says so.
    pub retry_at: Option<Timestamp>,
}

impl Problem {
    pub fn new(kind: ProblemKind, sentence: impl Into<String>) -> Problem {
        Problem { kind, sentence: sentence.into(), endpoint: None, http_status: None, provider_request_id: None, retry_at: None }
    }
    /// What becomes of the job after its `attempt`-th try (1-based). No other code decides this.
    pub fn retry(&self, attempt: u32, now: Timestamp) -> Retry {
        match self.kind {
            ProblemKind::RateLimited => {
                let wait = self.retry_at.map_or(60, |at| (at.as_second() - now.as_second()).max(1));
                Retry::Snooze { wait_secs: wait }
            }
            ProblemKind::ProviderDown | ProblemKind::Internal if attempt < TRIES => Retry::Later { wait_secs: 15 << (attempt - 1).min(6) },
            _ => Retry::Never,
        }
    }
}

/// What becomes of a job that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Put back without using up an attempt.
    Snooze {
        wait_secs: i64,
    },
    /// Put back; an attempt is used.
    Later {
        wait_secs: i64,
    },
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_cost_no_attempt_and_outages_are_tried_again_a_few_times() {
        let now = Timestamp::from_second(1_000).unwrap();
        let mut limited = Problem::new(ProblemKind::RateLimited, "limit");
        limited.retry_at = Some(Timestamp::from_second(1_030).unwrap());
        assert_eq!(limited.retry(9, now), Retry::Snooze { wait_secs: 30 });
        let down = Problem::new(ProblemKind::ProviderDown, "down");
        assert_eq!(down.retry(1, now), Retry::Later { wait_secs: 15 });
        assert_eq!(down.retry(5, now), Retry::Never);
        assert_eq!(Problem::new(ProblemKind::NeedsReconnect, "token").retry(1, now), Retry::Never);
    }

    #[test]
    fn every_kind_has_a_remedy_with_words() {
        for kind in ProblemKind::ALL {
            assert!(!kind.remedy().button().is_empty() && !kind.remedy().sentence().is_empty() && !kind.cause().is_empty());
            assert_eq!(ProblemKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
