//! The sentences of the integration log. The log never holds what stands in the books: no amounts, no names, no payloads.
use crate::clock::Timestamp;
use crate::data_type::DataType;
use crate::ledger::Basis;
use crate::money;
use crate::problem::{Problem, ProblemKind};
use crate::sync::{Counts, Extent};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LogType {
    Milestone,
    Event,
}

impl LogType {
    pub fn as_str(self) -> &'static str {
        match self {
            LogType::Milestone => "milestone",
            LogType::Event => "event",
        }
    }
    pub fn label(self) -> &'static str {
        match self {
            LogType::Milestone => "Milestone",
            LogType::Event => "Event",
        }
    }
    pub fn parse(word: &str) -> Option<LogType> {
        [LogType::Milestone, LogType::Event].into_iter().find(|t| t.as_str() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LogStatus {
    Success,
    Error,
}

impl LogStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            LogStatus::Success => "success",
            LogStatus::Error => "error",
        }
    }
    pub fn label(self) -> &'static str {
        match self {
            LogStatus::Success => "Success",
            LogStatus::Error => "Error",
        }
    }
    pub fn parse(word: &str) -> Option<LogStatus> {
        [LogStatus::Success, LogStatus::Error].into_iter().find(|s| s.as_str() == word)
    }
}

/// Everything the log can say, one variant for each sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogMessage {
    // milestones, in the order of a run
    SyncStarted {
        extent: Extent,
    },
    CompanyImported,
    CompanyKept,
    ChartImported {
        counts: Counts,
    },
    ContactsImported {
        counts: Counts,
    },
    TransactionsSynced {
        counts: Counts,
    },
    LedgerImported {
        entries: u64,
        months: u64,
    },
    ReportsImported {
        reports: u64,
    },
    NormalizationComplete {
        records: u64,
        quarantined: u64,
    },
    Verified {
        accounts: u64,
        months: u64,
    },
    SyncFinished {
        counts: Counts,
        calls: u64,
        secs: u64,
    },
    // errors that take the place of a milestone
    DoesNotTieOut {
        basis: Basis,
        accounts: u64,
        places: Vec<AccountMonth>,
    },
    SyncFailed {
        problem: Problem,
    },
    // events
    /// What a person wants to be read again, besides what has changed.
    ReadAgain {
        data_types: Vec<DataType>,
        /// The first and the last month of the ledger: `2026-01`.
        months: Option<(String, String)>,
    },
    SyncContinued {
        attempt: u32,
    },
    SyncCancelled,
    WaitingForProvider {
        problem: Problem,
        until: Timestamp,
    },
    RetryLater {
        problem: Problem,
        attempt: u32,
        of: u32,
        until: Timestamp,
    },
    RecordsQuarantined {
        data_type: DataType,
        ids: Vec<String>,
        reason: String,
    },
    DataTypeFailed {
        data_type: DataType,
        problem: Problem,
    },
    EntriesUnbalanced {
        ids: Vec<String>,
    },
    RepairStarted {
        places: Vec<AccountMonth>,
    },
    Repaired {
        places: Vec<AccountMonth>,
    },
    WindowSplit {
        from: String,
        to: String,
    },
    ChangesOverflowed {
        data_type: DataType,
    },
    DeletionsNoticed {
        data_type: DataType,
        count: u64,
    },
    FullSyncInstead {
        reason: &'static str,
    },
    /// Accounts of the provider's chart that came, or became something else, since the last sync.
    AccountsToReview {
        new: u64,
        retyped: u64,
    },
    TokenRefreshed,
    TokenRefused {
        problem: Problem,
    },
    AccountConnected,
    AccountReconnected,
    AccountDisconnected {
        revoked: bool,
    },
    CompanyLinked,
    CompanyUnlinked,
    TokenUserUpdated,
    DataErased {
        companies: u64,
    },
    SchedulePaused,
    ScheduleResumed,
    NotFresh {
        hours: u64,
    },
}

/// One account in one month, by the provider's id of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMonth {
    pub account_id: String,
    /// `2026-01`.
    pub month: String,
}

fn clock_text(at: Timestamp) -> String {
    at.strftime("%H:%M UTC").to_string()
}

fn grouped(n: u64) -> String {
    money::grouped(i64::try_from(n).unwrap_or(i64::MAX))
}

fn changes(counts: &Counts) -> String {
    let mut parts = Vec::new();
    for (n, word) in [(counts.added, "added"), (counts.changed, "updated"), (counts.deleted, "deleted"), (counts.quarantined, "quarantined")] {
        if n > 0 {
            parts.push(format!("{} {word}", grouped(n)));
        }
    }
    if parts.is_empty() { "nothing changed".into() } else { parts.join(", ") }
}

fn places_text(places: &[AccountMonth]) -> String {
    let mut shown: Vec<String> = places.iter().take(3).map(|p| format!("account {} in {}", p.account_id, p.month)).collect();
    if places.len() > 3 {
        shown.push(format!("{} more", places.len() - 3));
    }
    shown.join(", ")
}

fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

impl LogMessage {
    pub fn log_type(&self) -> LogType {
        use LogMessage::*;
        match self {
            SyncStarted { .. }
            | CompanyImported
            | CompanyKept
            | ChartImported { .. }
            | ContactsImported { .. }
            | TransactionsSynced { .. }
            | LedgerImported { .. }
            | ReportsImported { .. }
            | NormalizationComplete { .. }
            | Verified { .. }
            | SyncFinished { .. }
            | DoesNotTieOut { .. }
            | SyncFailed { .. } => LogType::Milestone,
            _ => LogType::Event,
        }
    }

    pub fn status(&self) -> LogStatus {
        use LogMessage::*;
        match self {
            DoesNotTieOut { .. }
            | SyncFailed { .. }
            | RecordsQuarantined { .. }
            | DataTypeFailed { .. }
            | EntriesUnbalanced { .. }
            | TokenRefused { .. } => LogStatus::Error,
            _ => LogStatus::Success,
        }
    }

    /// The sentence a person reads.
    pub fn sentence(&self) -> String {
        use LogMessage::*;
        match self {
            SyncStarted { extent: Extent::Full } => "Sync started: everything".into(),
            SyncStarted { extent: Extent::Changes } => "Sync started: changes since the last sync".into(),
            CompanyImported => "Company information imported".into(),
            CompanyKept => "Company information kept: it was read less than a day ago, and nothing changed since".into(),
            ChartImported { counts } => format!("Chart of accounts imported: {}", changes(counts)),
            ContactsImported { counts } => format!("Contacts imported: {}", changes(counts)),
            TransactionsSynced { counts } => format!("Transactions synced: {}", changes(counts)),
            LedgerImported { entries, months } => {
                format!("Ledger imported: {} in {}", plural(*entries, "entry", "entries"), plural(*months, "month", "months"))
            }
            ReportsImported { reports } => format!("Reports imported: {}", plural(*reports, "report", "reports")),
            NormalizationComplete { records, quarantined: 0 } => format!("Normalization complete: {}", plural(*records, "record", "records")),
            NormalizationComplete { records, quarantined } => {
                format!("Normalization complete: {}, {} quarantined", plural(*records, "record", "records"), grouped(*quarantined))
            }
            Verified { accounts, months: 0 } => {
                format!("Verified against the provider's trial balance, accrual and cash: {}", plural(*accounts, "account", "accounts"))
            }
            Verified { accounts, months } => format!(
                "Verified against the provider's trial balance, accrual and cash: {} and every one of {}",
                plural(*accounts, "account", "accounts"),
                plural(*months, "month", "months")
            ),
            SyncFinished { counts, calls, secs } => {
                format!("Sync finished: {} with {} in {}", changes(counts), plural(*calls, "call", "calls"), plural(*secs, "second", "seconds"))
            }
            DoesNotTieOut { basis, accounts, places } => format!(
                "Does not tie out: {} from the provider's {}{}",
                plural(*accounts, "account differs", "accounts differ"),
                match basis {
                    Basis::Accrual => "trial balance",
                    Basis::Cash => "trial balance on the cash basis",
                },
                if places.is_empty() { String::new() } else { format!(" ({})", places_text(places)) }
            ),
            SyncFailed { problem } => format!("Sync failed: {}", problem.sentence),
            ReadAgain { data_types, months } => {
                let mut parts: Vec<String> = data_types.iter().map(|data_type| data_type.label().to_owned()).collect();
                parts.extend(months.as_ref().map(|(first, last)| format!("the ledger from {first} to {last}")));
                format!("Read again as well: {}", parts.join(", "))
            }
            SyncContinued { attempt } => format!("Sync continued from its last checkpoint (attempt {attempt})"),
            SyncCancelled => "Sync cancelled; what was synced is kept".into(),
            WaitingForProvider { problem, until } => format!("{} The sync resumes at {}.", problem.sentence, clock_text(*until)),
            RetryLater { problem, attempt, of, until } => {
                format!("{} Try {attempt} of {of}; the next is at {}.", problem.sentence, clock_text(*until))
            }
            RecordsQuarantined { data_type, ids, .. } => {
                format!("{} could not be read and were set aside: {}", plural(ids.len() as u64, "record", "records"), data_type.label())
            }
            DataTypeFailed { data_type, problem } => format!("{} were not synced: {}", data_type.label(), problem.sentence),
            EntriesUnbalanced { ids } => {
                format!("{} whose debits and credits differ were set aside", plural(ids.len() as u64, "ledger entry", "ledger entries"))
            }
            RepairStarted { places } => format!("Reading again what differs: {}", places_text(places)),
            Repaired { places } => format!("Repaired and equal again: {}", places_text(places)),
            WindowSplit { from, to } => format!("The ledger from {from} to {to} is too large for one answer and is read in halves"),
            ChangesOverflowed { data_type } => format!("{}: too many changes for one answer, read by query instead", data_type.label()),
            DeletionsNoticed { data_type, count } => format!("{}: {} no longer exist at the provider", data_type.label(), grouped(*count)),
            FullSyncInstead { reason } => format!("Syncing everything instead of changes: {reason}"),
            AccountsToReview { new, retyped: 0 } => format!("Chart of Accounts Mapping: {} to review", plural(*new, "new account", "new accounts")),
            AccountsToReview { new: 0, retyped } => {
                format!("Chart of Accounts Mapping: {} to review", plural(*retyped, "account of another type", "accounts of another type"))
            }
            AccountsToReview { new, retyped } => format!(
                "Chart of Accounts Mapping: {} and {} to review",
                plural(*new, "new account", "new accounts"),
                plural(*retyped, "account of another type", "accounts of another type")
            ),
            TokenRefreshed => "Access renewed".into(),
            TokenRefused { problem } => problem.sentence.clone(),
            AccountConnected => "Account connected".into(),
            AccountReconnected => "Account reconnected".into(),
            AccountDisconnected { revoked: true } => "Account disconnected and access revoked at the provider".into(),
            AccountDisconnected { revoked: false } => "Account disconnected; the provider did not confirm the revocation".into(),
            CompanyLinked => "Company linked".into(),
            CompanyUnlinked => "Company unlinked; its data is kept".into(),
            TokenUserUpdated => "Token user updated: synced through this account from now on, nothing is imported again".into(),
            DataErased { companies } => format!("Data of {} erased", plural(*companies, "company", "companies")),
            SchedulePaused => "Schedule paused".into(),
            ScheduleResumed => "Schedule resumed".into(),
            NotFresh { hours } => format!("Not brought up to date within its freshness target of {}", plural(*hours, "hour", "hours")),
        }
    }

    /// What this entry shows to be over.
    pub fn settles(&self) -> Option<Settles> {
        match self {
            LogMessage::SyncFinished { .. } => Some(Settles::Run),
            LogMessage::Verified { .. } => Some(Settles::TieOut),
            LogMessage::AccountReconnected => Some(Settles::Account(Settled::Reconnected)),
            LogMessage::AccountDisconnected { .. } => Some(Settles::Account(Settled::Disconnected)),
            LogMessage::CompanyUnlinked => Some(Settles::Company),
            _ => None,
        }
    }

    /// The log body of an entry that has one: what happened, why, what to do, and the particulars.
    pub fn body(&self, attempt: u32) -> Option<LogBody> {
        use LogMessage::*;
        let (problem, records) = match self {
            SyncFailed { problem }
            | DataTypeFailed { problem, .. }
            | TokenRefused { problem }
            | WaitingForProvider { problem, .. }
            | RetryLater { problem, .. } => (problem.clone(), Vec::new()),
            DoesNotTieOut { places, .. } => (
                Problem::new(ProblemKind::DoesNotTieOut, "Our ledger and the provider's own report differ."),
                places.iter().map(|p| format!("account {} in {}", p.account_id, p.month)).collect(),
            ),
            RecordsQuarantined { data_type, ids, reason } => {
                (Problem::new(ProblemKind::UnexpectedData, reason.clone()), ids.iter().take(50).map(|id| format!("{data_type} {id}")).collect())
            }
            EntriesUnbalanced { ids } => (
                Problem::new(ProblemKind::UnexpectedData, "Debits and credits of these ledger entries differ."),
                ids.iter().take(50).cloned().collect(),
            ),
            _ => return None,
        };
        let remedy = problem.kind.remedy();
        let next_attempt_at = match self {
            WaitingForProvider { until, .. } | RetryLater { until, .. } => Some(until.as_millisecond()),
            _ => None,
        };
        Some(LogBody {
            cause: problem.kind.cause().into(),
            kind: problem.kind,
            what_happened: problem.sentence,
            what_to_do: remedy.sentence().into(),
            endpoint: problem.endpoint,
            http_status: problem.http_status,
            provider_request_id: problem.provider_request_id,
            records,
            attempt,
            of: problem.kind.tries().map(|tries| tries.max(attempt)),
            next_attempt_at,
        })
    }
}

/// The body of an error: fixed shape, shown in the drawer of a log entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogBody {
    /// The cause class, e.g. `provider limit`.
    pub cause: String,
    pub kind: ProblemKind,
    pub what_happened: String,
    pub what_to_do: String,
    pub endpoint: Option<String>,
    pub http_status: Option<u16>,
    pub provider_request_id: Option<String>,
    /// Record types and ids, or account ids and months; never names or amounts.
    pub records: Vec<String>,
    pub attempt: u32,
    /// Attempts there are at most; `None`: it waits, which uses none.
    #[serde(default)]
    pub of: Option<u32>,
    /// When the run goes on by itself, in milliseconds; `None`: this was its last attempt.
    #[serde(default)]
    pub next_attempt_at: Option<i64>,
}

impl LogBody {
    /// What a person may look the entry up by, in small letters: the provider's request id; each record as it is written here, and its id alone.
    pub fn references(&self) -> BTreeSet<String> {
        let id_alone = |record: &'_ str| record.split_once(' ').map(|(_, id)| id.to_lowercase()).filter(|id| !id.contains(' '));
        let records = self.records.iter().flat_map(|record| [Some(record.to_lowercase()), id_alone(record)]);
        let request = self.provider_request_id.as_ref().map(|id| id.to_lowercase());
        records.chain([request]).flatten().filter(|reference| !reference.is_empty()).collect()
    }
}

/// What an entry shows to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settles {
    /// A whole run went well: whatever stopped this company before, except what this very run reports.
    Run,
    /// The books tie out.
    TieOut,
    /// The account signs in again.
    Account(Settled),
    /// The company is no longer synced.
    Company,
}

/// Why a cause is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    GoodRun,
    Verified,
    Reconnected,
    Disconnected,
    Unlinked,
}

impl Settled {
    const ALL: [Settled; 5] = [Settled::GoodRun, Settled::Verified, Settled::Reconnected, Settled::Disconnected, Settled::Unlinked];
    pub fn as_str(self) -> &'static str {
        match self {
            Settled::GoodRun => "good_run",
            Settled::Verified => "verified",
            Settled::Reconnected => "reconnected",
            Settled::Disconnected => "disconnected",
            Settled::Unlinked => "unlinked",
        }
    }
    pub fn parse(word: &str) -> Option<Settled> {
        Settled::ALL.into_iter().find(|settled| settled.as_str() == word)
    }
    /// "It ended with ...".
    pub fn label(self) -> &'static str {
        match self {
            Settled::GoodRun => "the next good sync",
            Settled::Verified => "books that tie out again",
            Settled::Reconnected => "a new sign-in",
            Settled::Disconnected => "the account being disconnected",
            Settled::Unlinked => "the company being unlinked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_say_what_happened_with_counts() {
        let counts = Counts { added: 1_204, changed: 88, deleted: 3, ..Counts::default() };
        assert_eq!(LogMessage::TransactionsSynced { counts }.sentence(), "Transactions synced: 1,204 added, 88 updated, 3 deleted");
        assert_eq!(LogMessage::ContactsImported { counts: Counts::default() }.sentence(), "Contacts imported: nothing changed");
        assert_eq!(
            LogMessage::Verified { accounts: 1, months: 36 }.sentence(),
            "Verified against the provider's trial balance, accrual and cash: 1 account and every one of 36 months"
        );
        let place = AccountMonth { account_id: "33".into(), month: "2025-03".into() };
        assert_eq!(
            LogMessage::DoesNotTieOut { basis: Basis::Accrual, accounts: 1, places: vec![place] }.sentence(),
            "Does not tie out: 1 account differs from the provider's trial balance (account 33 in 2025-03)"
        );
        assert_eq!(
            LogMessage::DoesNotTieOut { basis: Basis::Cash, accounts: 2, places: vec![] }.sentence(),
            "Does not tie out: 2 accounts differ from the provider's trial balance on the cash basis"
        );
    }

    // proves D5 in part
    #[test]
    fn every_error_has_a_body_that_says_what_to_do() {
        let problem = Problem::new(ProblemKind::ProviderDown, "QuickBooks does not answer.");
        let errors = [
            LogMessage::SyncFailed { problem: problem.clone() },
            LogMessage::DataTypeFailed { data_type: DataType::Invoice, problem: problem.clone() },
            LogMessage::TokenRefused { problem },
            LogMessage::DoesNotTieOut { basis: Basis::Accrual, accounts: 2, places: vec![] },
            LogMessage::RecordsQuarantined { data_type: DataType::Bill, ids: vec!["7".into()], reason: "no Id".into() },
            LogMessage::EntriesUnbalanced { ids: vec!["Invoice 9".into()] },
        ];
        for error in errors {
            assert_eq!(error.status(), LogStatus::Error);
            let body = error.body(1).expect("an error has a body");
            assert!(!body.what_happened.is_empty() && !body.what_to_do.is_empty() && !body.cause.is_empty());
            assert!(body.of.is_some_and(|of| of >= body.attempt));
        }
    }

    #[test]
    fn an_entry_is_looked_up_by_its_request_and_by_its_records_with_and_without_their_type() {
        let mut problem = Problem::new(ProblemKind::ProviderDown, "QuickBooks does not answer.");
        problem.provider_request_id = Some("1-6AF0-Beef".into());
        let of = |message: LogMessage| message.body(1).expect("an error has a body").references().into_iter().collect::<Vec<_>>();
        assert_eq!(of(LogMessage::SyncFailed { problem }), ["1-6af0-beef"]);
        let quarantined = LogMessage::RecordsQuarantined { data_type: DataType::Bill, ids: vec!["7".into(), "81".into()], reason: "no Id".into() };
        assert_eq!(of(quarantined), ["7", "81", "bill 7", "bill 81"]);
        let place = AccountMonth { account_id: "33".into(), month: "2025-03".into() };
        assert_eq!(of(LogMessage::DoesNotTieOut { basis: Basis::Accrual, accounts: 1, places: vec![place] }), ["account 33 in 2025-03"]);
    }

    #[test]
    fn a_wait_says_when_it_goes_on_and_costs_no_attempt() {
        let until = Timestamp::from_second(1_800_000_000).unwrap();
        let limited = LogMessage::WaitingForProvider { problem: Problem::new(ProblemKind::RateLimited, "Xero's daily limit is reached."), until };
        assert_eq!(limited.sentence(), "Xero's daily limit is reached. The sync resumes at 08:00 UTC.");
        let body = limited.body(2).unwrap();
        assert_eq!((body.of, body.next_attempt_at), (None, Some(1_800_000_000_000)));
        let down = LogMessage::RetryLater { problem: Problem::new(ProblemKind::ProviderDown, "Xero did not answer."), attempt: 2, of: 5, until };
        let body = down.body(2).unwrap();
        assert_eq!((body.attempt, body.of, body.next_attempt_at), (2, Some(5), Some(1_800_000_000_000)));
    }
}
