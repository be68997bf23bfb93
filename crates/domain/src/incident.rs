//! Incident: one cause that may stop many companies. What counts as the same cause is decided here.
use crate::log::LogMessage;
use crate::problem::ProblemKind;

/// The cause of an error, as far as it can be told apart from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub kind: ProblemKind,
    /// Equal for equal causes within an organization: at most one open incident has it.
    pub key: String,
    /// Whom or what it concerns: an account, a company, a data type or a call; empty: everything of the provider.
    pub subject: String,
    /// The data type whose records were set aside: it is over when none of them is left.
    pub data_type: Option<String>,
}

/// Whom an error is about.
#[derive(Clone, Copy, Debug)]
pub struct Concerned<'a> {
    pub provider: &'a str,
    pub connection_id: &'a str,
    pub account_name: &'a str,
    /// Id and name.
    pub company: Option<(&'a str, &'a str)>,
}

impl Cause {
    /// The cause behind a message; `None`: it is no error.
    pub fn of(message: &LogMessage, concerned: &Concerned<'_>) -> Option<Cause> {
        let (problem_kind, place) = match message {
            LogMessage::SyncFailed { problem } | LogMessage::DataTypeFailed { problem, .. } | LogMessage::TokenRefused { problem } => {
                (problem.kind, problem.endpoint.as_deref().map(family).unwrap_or_default())
            }
            LogMessage::RecordsQuarantined { data_type, .. } => (ProblemKind::UnexpectedData, data_type.label().to_owned()),
            LogMessage::EntriesUnbalanced { .. } => (ProblemKind::UnexpectedData, "Ledger".to_owned()),
            LogMessage::DoesNotTieOut { .. } => (ProblemKind::DoesNotTieOut, String::new()),
            _ => return None,
        };
        let data_type = match message {
            LogMessage::RecordsQuarantined { data_type, .. } => Some(data_type.as_str().to_owned()),
            LogMessage::EntriesUnbalanced { .. } => Some("Ledger".to_owned()),
            _ => None,
        };
        let (company_id, company_name) = concerned.company.unwrap_or_default();
        let (where_, subject) = match problem_kind {
            // one sign-in repairs all of its companies
            ProblemKind::NeedsReconnect | ProblemKind::Forbidden | ProblemKind::WrongEnvironment => {
                (concerned.connection_id.to_owned(), concerned.account_name.to_owned())
            }
            // two companies that do not tie out have two differences
            ProblemKind::DoesNotTieOut => (company_id.to_owned(), company_name.to_owned()),
            ProblemKind::UnexpectedData => (place.clone(), place),
            ProblemKind::RateLimited | ProblemKind::ProviderDown | ProblemKind::Internal | ProblemKind::Cancelled => Default::default(),
        };
        let key = format!("{}/{}/{where_}", concerned.provider, problem_kind.as_str());
        Some(Cause { kind: problem_kind, key, subject, data_type })
    }
}

/// The call without what differs between companies and pages: `GET Invoices page 3` and `GET Invoices page 7` are one place.
fn family(endpoint: &str) -> String {
    let words = endpoint.split_whitespace().filter(|word| !word.chars().any(|c| c.is_ascii_digit()) && *word != "page");
    words.collect::<Vec<_>>().join(" ")
}

/// One line that names the cause: "Sign-in expired for books@acme.example".
pub fn title(kind: ProblemKind, provider: &str, subject: &str) -> String {
    match kind {
        ProblemKind::NeedsReconnect => format!("Sign-in expired for {subject}"),
        ProblemKind::Forbidden => format!("Access is missing for {subject}"),
        ProblemKind::WrongEnvironment => format!("Sandbox and production mixed: {subject}"),
        ProblemKind::RateLimited => format!("{provider}'s limit is reached"),
        ProblemKind::ProviderDown => format!("{provider} does not answer"),
        ProblemKind::UnexpectedData if subject.is_empty() => format!("{provider} sent something that cannot be read"),
        ProblemKind::UnexpectedData => format!("{provider} sent something that cannot be read: {subject}"),
        ProblemKind::DoesNotTieOut => format!("{subject} does not tie out"),
        ProblemKind::Cancelled => "A sync was cancelled".into(),
        ProblemKind::Internal => "Something failed on our side".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_type::DataType;
    use crate::ledger::Basis;
    use crate::problem::Problem;

    fn about<'a>(connection_id: &'a str, company: &'a str) -> Concerned<'a> {
        Concerned { provider: "xero", connection_id, account_name: "books@acme.example", company: Some((company, company)) }
    }

    fn failed(kind: ProblemKind, endpoint: &str) -> LogMessage {
        let mut problem = Problem::new(kind, "It failed.");
        problem.endpoint = Some(endpoint.to_owned());
        LogMessage::SyncFailed { problem }
    }

    fn key(message: &LogMessage, concerned: &Concerned<'_>) -> String {
        Cause::of(message, concerned).expect("an error has a cause").key
    }

    #[test]
    fn the_same_cause_has_the_same_key_and_another_one_has_another() {
        let refused = failed(ProblemKind::NeedsReconnect, "POST token");
        assert_eq!(key(&refused, &about("a", "1")), key(&refused, &about("a", "2")), "one sign-in, two companies");
        assert_ne!(key(&refused, &about("a", "1")), key(&refused, &about("b", "1")), "two sign-ins");
        let down = failed(ProblemKind::ProviderDown, "GET Invoices page 3");
        assert_eq!(key(&down, &about("a", "1")), key(&failed(ProblemKind::ProviderDown, "GET Journals"), &about("b", "2")));
        let odd = |endpoint| failed(ProblemKind::UnexpectedData, endpoint);
        assert_eq!(key(&odd("GET Invoices page 3"), &about("a", "1")), key(&odd("GET Invoices page 12"), &about("b", "2")));
        assert_ne!(key(&odd("GET Invoices page 3"), &about("a", "1")), key(&odd("GET Contacts"), &about("a", "1")));
        let differs = LogMessage::DoesNotTieOut { basis: Basis::Accrual, accounts: 1, places: vec![] };
        assert_ne!(key(&differs, &about("a", "1")), key(&differs, &about("a", "2")));
        let aside = LogMessage::RecordsQuarantined { data_type: DataType::Invoice, ids: vec!["7".into()], reason: "no date".into() };
        let cause = Cause::of(&aside, &about("a", "1")).unwrap();
        assert_eq!((cause.subject.as_str(), cause.data_type.as_deref()), ("Invoices", Some("Invoice")));
        assert_eq!(Cause::of(&LogMessage::TokenRefreshed, &about("a", "1")), None);
    }

    #[test]
    fn every_kind_has_a_title_that_names_whom_it_concerns() {
        assert_eq!(title(ProblemKind::NeedsReconnect, "Xero", "books@acme.example"), "Sign-in expired for books@acme.example");
        for kind in ProblemKind::ALL {
            assert!(!title(kind, "Xero", "it").is_empty());
        }
    }
}
