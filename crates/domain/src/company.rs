//! A set of books and its status words. The status is derived from facts every time it is shown; it is never stored.
use crate::clock::Timestamp;

/// The word shown for a company, first match wins (product.md, "How a company's status is derived").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncStatus {
    Syncing,
    /// Waiting for a provider's limit or recovery until this instant (milliseconds UTC).
    Waiting {
        until_ms: i64,
    },
    InvalidToken,
    Paused,
    NeedsResync(Reason),
    Synced,
}

/// Why a company needs a resync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    NeverSynced,
    Due,
    Failed,
    Cancelled,
    /// The process that ran the last sync stopped; it continues from its checkpoints.
    Interrupted,
    ScopeMissing,
    MappingChanged,
    TieOutFailed,
    DeletionCheckOverdue,
}

/// Where deletions are not reported they are looked for once a day; a company whose last look is older than this, and than its interval, says so.
pub const DELETION_CHECK_SECS: i64 = 3 * 24 * 3_600;

impl Reason {
    pub const ALL: [Reason; 9] = [
        Reason::NeverSynced,
        Reason::Due,
        Reason::Failed,
        Reason::Cancelled,
        Reason::Interrupted,
        Reason::ScopeMissing,
        Reason::MappingChanged,
        Reason::TieOutFailed,
        Reason::DeletionCheckOverdue,
    ];
    /// The word of filters in addresses.
    pub fn key(self) -> &'static str {
        match self {
            Reason::NeverSynced => "never_synced",
            Reason::Due => "due",
            Reason::Failed => "failed",
            Reason::Cancelled => "cancelled",
            Reason::Interrupted => "interrupted",
            Reason::ScopeMissing => "scope_missing",
            Reason::MappingChanged => "mapping_changed",
            Reason::TieOutFailed => "tie_out_failed",
            Reason::DeletionCheckOverdue => "deletion_check_overdue",
        }
    }
    pub fn label(self) -> &'static str {
        match self {
            Reason::NeverSynced => "never synced",
            Reason::Due => "due",
            Reason::Failed => "last sync failed",
            Reason::Cancelled => "cancelled",
            Reason::Interrupted => "interrupted, continuing",
            Reason::ScopeMissing => "permission missing",
            Reason::MappingChanged => "mapping changed",
            Reason::TieOutFailed => "does not tie out",
            Reason::DeletionCheckOverdue => "deletion check overdue",
        }
    }
}

impl SyncStatus {
    /// The fixed wording of the Data Feed.
    pub fn label(&self) -> &'static str {
        match self {
            SyncStatus::Syncing => "Syncing",
            SyncStatus::Waiting { .. } => "Waiting",
            SyncStatus::InvalidToken => "Invalid token",
            SyncStatus::Paused => "Paused",
            SyncStatus::NeedsResync(_) => "Needs Resync",
            SyncStatus::Synced => "Synced",
        }
    }
    /// The word of the JSON of `tieout status` and of filters in addresses.
    pub fn key(&self) -> &'static str {
        match self {
            SyncStatus::Syncing => "syncing",
            SyncStatus::Waiting { .. } => "waiting",
            SyncStatus::InvalidToken => "invalid_token",
            SyncStatus::Paused => "paused",
            SyncStatus::NeedsResync(_) => "needs_resync",
            SyncStatus::Synced => "synced",
        }
    }
}

/// The facts a status is derived from, all in milliseconds UTC.
#[derive(Clone, Debug, Default)]
pub struct StatusFacts {
    /// A run is queued.
    pub queued: bool,
    /// A queued run may not start before this instant.
    pub run_after_ms: Option<i64>,
    /// A queued run waits for a provider's limit or recovery (it was started before and put back).
    pub waits_for_provider: bool,
    /// A run is in state running, and its lease ends here.
    pub lease_until_ms: Option<i64>,
    /// The running run waits in its place for a provider's limit, until this instant.
    pub waits_until_ms: Option<i64>,
    pub connection_invalid: bool,
    pub paused: bool,
    pub last_success_ms: Option<i64>,
    pub last_run_failed: bool,
    pub last_run_cancelled: bool,
    pub interval_secs: i64,
    pub verification_failed: bool,
    pub scope_missing: bool,
    /// The accounts were put into the standard chart by other rules than this program's: the next sync does it anew.
    pub mapping_changed: bool,
    /// When the last search for what was deleted that came to its end began; `None` before the first one.
    pub deletions_checked_ms: Option<i64>,
}

/// Derives the status word from facts.
pub fn sync_status(facts: &StatusFacts, now: Timestamp) -> SyncStatus {
    let now_ms = now.as_millisecond();
    if facts.lease_until_ms.is_some_and(|until| until > now_ms) {
        return match facts.waits_until_ms {
            Some(until_ms) if until_ms > now_ms => SyncStatus::Waiting { until_ms },
            _ => SyncStatus::Syncing,
        };
    }
    if facts.queued {
        return match facts.run_after_ms {
            Some(until_ms) if facts.waits_for_provider && until_ms > now_ms => SyncStatus::Waiting { until_ms },
            _ => SyncStatus::Syncing,
        };
    }
    if facts.connection_invalid {
        return SyncStatus::InvalidToken;
    }
    if facts.paused {
        return SyncStatus::Paused;
    }
    if facts.lease_until_ms.is_some() {
        return SyncStatus::NeedsResync(Reason::Interrupted);
    }
    let Some(last_success_ms) = facts.last_success_ms else {
        return SyncStatus::NeedsResync(if facts.last_run_failed {
            Reason::Failed
        } else if facts.last_run_cancelled {
            Reason::Cancelled
        } else {
            Reason::NeverSynced
        });
    };
    if facts.last_run_failed {
        return SyncStatus::NeedsResync(Reason::Failed);
    }
    if facts.last_run_cancelled {
        return SyncStatus::NeedsResync(Reason::Cancelled);
    }
    // due: last success older than the interval plus a tenth
    if now_ms - last_success_ms > facts.interval_secs * 1_100 {
        return SyncStatus::NeedsResync(Reason::Due);
    }
    if facts.scope_missing {
        return SyncStatus::NeedsResync(Reason::ScopeMissing);
    }
    if facts.mapping_changed {
        return SyncStatus::NeedsResync(Reason::MappingChanged);
    }
    if facts.verification_failed {
        return SyncStatus::NeedsResync(Reason::TieOutFailed);
    }
    if facts.deletions_checked_ms.is_some_and(|at_ms| now_ms - at_ms > DELETION_CHECK_SECS * 1_000 + facts.interval_secs * 1_100) {
        return SyncStatus::NeedsResync(Reason::DeletionCheckOverdue);
    }
    SyncStatus::Synced
}

/// A company that was not brought up to date within its freshness target: seen as a badge.
pub fn is_stale(last_success_ms: Option<i64>, linked_ms: Option<i64>, target_secs: i64, now: Timestamp) -> bool {
    // a company that was just linked has its whole target for the first sync
    linked_ms.is_some_and(|linked_ms| now.as_millisecond() - last_success_ms.unwrap_or(linked_ms) > target_secs * 1_000)
}

/// The second, independent mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    NotChecked,
    NotVerified,
    Verified,
}

impl Mark {
    pub fn as_str(self) -> &'static str {
        match self {
            Mark::NotChecked => "not_checked",
            Mark::NotVerified => "not_verified",
            Mark::Verified => "verified",
        }
    }
    pub fn parse(word: &str) -> Option<Mark> {
        [Mark::NotChecked, Mark::NotVerified, Mark::Verified].into_iter().find(|m| m.as_str() == word)
    }
    pub fn label(self) -> &'static str {
        match self {
            Mark::NotChecked => "Not checked",
            Mark::NotVerified => "Not verified",
            Mark::Verified => "Verified",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millisecond(10_000_000).unwrap()
    }
    fn good() -> StatusFacts {
        StatusFacts { last_success_ms: Some(9_999_000), interval_secs: 3_600, ..StatusFacts::default() }
    }

    // proves B1 in part
    #[test]
    fn each_word_follows_from_its_facts() {
        assert_eq!(sync_status(&good(), now()), SyncStatus::Synced);
        assert_eq!(sync_status(&StatusFacts { queued: true, ..good() }, now()), SyncStatus::Syncing);
        assert_eq!(
            sync_status(&StatusFacts { queued: true, run_after_ms: Some(10_060_000), waits_for_provider: true, ..good() }, now()),
            SyncStatus::Waiting { until_ms: 10_060_000 }
        );
        assert_eq!(sync_status(&StatusFacts { connection_invalid: true, ..good() }, now()), SyncStatus::InvalidToken);
        assert_eq!(sync_status(&StatusFacts { paused: true, ..good() }, now()), SyncStatus::Paused);
        assert_eq!(sync_status(&StatusFacts { last_run_failed: true, ..good() }, now()), SyncStatus::NeedsResync(Reason::Failed));
        assert_eq!(sync_status(&StatusFacts { verification_failed: true, ..good() }, now()), SyncStatus::NeedsResync(Reason::TieOutFailed));
        assert_eq!(sync_status(&StatusFacts { last_success_ms: Some(1_000_000), ..good() }, now()), SyncStatus::NeedsResync(Reason::Due));
        assert_eq!(sync_status(&StatusFacts::default(), now()), SyncStatus::NeedsResync(Reason::NeverSynced));
        let running = StatusFacts { lease_until_ms: Some(10_060_000), ..good() };
        assert_eq!(
            sync_status(&StatusFacts { waits_until_ms: Some(10_030_000), ..running.clone() }, now()),
            SyncStatus::Waiting { until_ms: 10_030_000 }
        );
        assert_eq!(sync_status(&StatusFacts { waits_until_ms: Some(10_000_000), ..running }, now()), SyncStatus::Syncing, "the wait is over");
    }

    // proves B5 in part
    #[test]
    fn needs_resync_has_one_reason_and_the_gravest_comes_first() {
        // each line adds a fact to the ones above it
        let mut facts = StatusFacts { last_success_ms: Some(9_999_000), interval_secs: 3_600, ..StatusFacts::default() };
        let day_ms = 86_400_000;
        facts.deletions_checked_ms = Some(10_000_000 - 4 * day_ms);
        let mut reasons = vec![sync_status(&facts, now())];
        facts.verification_failed = true;
        reasons.push(sync_status(&facts, now()));
        facts.mapping_changed = true;
        reasons.push(sync_status(&facts, now()));
        facts.scope_missing = true;
        reasons.push(sync_status(&facts, now()));
        facts.last_success_ms = Some(1_000_000);
        reasons.push(sync_status(&facts, now()));
        facts.last_run_cancelled = true;
        reasons.push(sync_status(&facts, now()));
        (facts.last_run_cancelled, facts.last_run_failed) = (false, true);
        reasons.push(sync_status(&facts, now()));
        use Reason::*;
        let expected = [DeletionCheckOverdue, TieOutFailed, MappingChanged, ScopeMissing, Due, Cancelled, Failed];
        assert_eq!(reasons, expected.map(SyncStatus::NeedsResync));
        let keys: std::collections::BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.key()).collect();
        assert_eq!(keys.len(), Reason::ALL.len());
    }

    // proves B4 in part
    #[test]
    fn syncing_ends_with_the_lease_even_if_nobody_says_so() {
        let alive = StatusFacts { lease_until_ms: Some(10_000_001), ..good() };
        let dead = StatusFacts { lease_until_ms: Some(10_000_000), ..good() };
        assert_eq!(sync_status(&alive, now()), SyncStatus::Syncing);
        assert_eq!(sync_status(&dead, now()), SyncStatus::NeedsResync(Reason::Interrupted));
    }
}
