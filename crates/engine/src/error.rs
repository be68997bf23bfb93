//! What can go wrong in a use case, and the problem a person reads.
use domain::problem::{Problem, ProblemKind};
use providers::ProviderError;
use store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("not found")]
    NotFound,
    #[error("no settings for the provider `{provider}`")]
    NotConfigured { provider: String },
    /// It cannot be done, for a reason a person can do something about.
    #[error("{0}")]
    Refused(String),
    /// An account of one environment under keys of another; the sentence says which.
    #[error("{0}")]
    MixedEnvironment(String),
    /// It may not be done by this person.
    #[error("{0}")]
    NotAllowed(String),
    /// The server stops; the run continues later.
    #[error("stopping")]
    Stopping,
    #[error("the run crashed its worker {0} times in a row without progress")]
    CrashLoop(i64),
}

impl EngineError {
    /// The failure as a person reads it.
    pub fn problem(&self) -> Problem {
        match self {
            EngineError::Provider(error) => error.problem(),
            EngineError::Store(_) => {
                Problem::new(ProblemKind::Internal, "Something failed on our side, in the database. The server's own log says more.")
            }
            EngineError::NotFound => Problem::new(ProblemKind::Internal, "A record of ours is missing."),
            EngineError::NotConfigured { provider } => {
                Problem::new(ProblemKind::Internal, format!("This server has no client id and secret for `{provider}` in its settings."))
            }
            EngineError::Refused(sentence) | EngineError::NotAllowed(sentence) => Problem::new(ProblemKind::Internal, sentence.clone()),
            EngineError::MixedEnvironment(sentence) => Problem::new(ProblemKind::WrongEnvironment, sentence.clone()),
            EngineError::Stopping => Problem::new(ProblemKind::Internal, "The server is stopping."),
            EngineError::CrashLoop(_) => Problem::new(
                ProblemKind::Internal,
                "This sync stopped the server several times in a row and was ended. The server's own log says more.",
            ),
        }
    }

    /// What a run that is put back waits for, in a few words: which limit, or who does not answer.
    pub fn waits_for(&self) -> String {
        match self {
            EngineError::Provider(ProviderError::RateLimited { provider, limit, .. }) => format!("{provider} {limit} limit"),
            EngineError::Provider(ProviderError::Down { provider, .. }) => format!("{provider} does not answer"),
            _ => self.problem().kind.cause().to_owned(),
        }
    }

    pub fn is_conflict(&self) -> bool {
        matches!(self, EngineError::Store(error) if error.is_conflict())
    }
    pub fn is_lease_lost(&self) -> bool {
        matches!(self, EngineError::Store(StoreError::LeaseLost(_)))
    }
    pub fn is_cancelled(&self) -> bool {
        matches!(self, EngineError::Provider(ProviderError::Cancelled))
    }
}
