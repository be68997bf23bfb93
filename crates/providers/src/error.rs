//! What can go wrong between us and a provider.
use domain::document::Unreadable;
use domain::problem::{Problem, ProblemKind};
use jiff::Timestamp;

/// Which call failed, for the log: never a body, never a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// `GET query Invoice`, `GET Journals`, `POST token`.
    pub endpoint: String,
    pub http_status: Option<u16>,
    /// `intuit_tid` or `Xero-Correlation-Id`.
    pub request_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// `invalid_grant`, or 401 after a refresh: only a new consent helps.
    #[error("{provider} no longer accepts this authorization")]
    NeedsReconnect { provider: &'static str, call: Call },
    /// `invalid_client`: our own keys are wrong; the connection is fine.
    #[error("{provider} does not know this app's client id or secret")]
    WrongKeys { provider: &'static str, call: Call },
    /// 403, a missing scope or a missing role.
    #[error("{provider} refuses: {permission}")]
    Forbidden { provider: &'static str, permission: String, call: Call },
    #[error("{provider}'s {limit} limit is reached")]
    RateLimited { provider: &'static str, limit: String, retry_at: Option<Timestamp>, call: Call },
    /// 5xx, connection refused, time-out.
    #[error("{provider} does not answer: {detail}")]
    Down { provider: &'static str, detail: String, call: Call },
    /// An answer that cannot be read.
    #[error("{provider} gave an answer that cannot be read: {detail}")]
    UnexpectedAnswer { provider: &'static str, detail: String, call: Call },
    /// The record or company is not there (any more).
    #[error("{provider} does not know this record")]
    NotFound { provider: &'static str, call: Call },
    /// More than the provider hands out in one answer: ask for less.
    #[error("{provider} cannot give that much in one answer")]
    TooLarge { provider: &'static str, call: Call },
    /// Changes are asked for from before the provider's window.
    #[error("{provider} no longer lists changes from that far back")]
    ChangesExpired { provider: &'static str, call: Call },
    /// The run was told to stop while it waited for a call.
    #[error("cancelled")]
    Cancelled,
}

impl ProviderError {
    pub fn call(&self) -> Option<&Call> {
        use ProviderError::*;
        match self {
            NeedsReconnect { call, .. }
            | WrongKeys { call, .. }
            | Forbidden { call, .. }
            | RateLimited { call, .. }
            | Down { call, .. }
            | UnexpectedAnswer { call, .. }
            | NotFound { call, .. }
            | TooLarge { call, .. }
            | ChangesExpired { call, .. } => Some(call),
            Cancelled => None,
        }
    }

    /// The failure as the log explains it.
    pub fn problem(&self) -> Problem {
        use ProviderError::*;
        let (kind, sentence) = match self {
            NeedsReconnect { provider, .. } => (ProblemKind::NeedsReconnect, format!("{provider} no longer accepts this authorization.")),
            WrongKeys { provider, .. } => {
                (ProblemKind::Internal, format!("{provider} does not know this app's client id or secret; the settings of this server are wrong."))
            }
            Forbidden { provider, permission, .. } => (ProblemKind::Forbidden, format!("{provider} refuses this data: {permission}.")),
            RateLimited { provider, limit, .. } => (ProblemKind::RateLimited, format!("{provider}'s {limit} limit is reached.")),
            Down { provider, .. } => (ProblemKind::ProviderDown, format!("{provider} did not answer.")),
            UnexpectedAnswer { provider, detail, .. } => {
                (ProblemKind::UnexpectedData, format!("{provider} gave an answer that could not be read: {detail}."))
            }
            NotFound { provider, .. } => (ProblemKind::UnexpectedData, format!("{provider} does not know a record that was asked for.")),
            TooLarge { provider, .. } => (ProblemKind::UnexpectedData, format!("{provider} cannot give that much in one answer.")),
            ChangesExpired { provider, .. } => (ProblemKind::UnexpectedData, format!("{provider} no longer lists changes from that far back.")),
            Cancelled => (ProblemKind::Cancelled, "The sync was cancelled.".into()),
        };
        let mut problem = Problem::new(kind, sentence);
        if let Some(call) = self.call() {
            problem.endpoint = Some(call.endpoint.clone());
            problem.http_status = call.http_status;
            problem.provider_request_id = call.request_id.clone();
        }
        if let RateLimited { retry_at, .. } = self {
            problem.retry_at = *retry_at;
        }
        problem
    }
}

/// A record that cannot be read is data, not an error of the call; it travels beside the others.
pub type Normalized = Result<Vec<domain::document::Document>, Unreadable>;
