//! The `where` and `order` parameters of Xero's lists: reading them, checking them against a resource's fields, evaluating them.
//!
//! Contract: providers/xero.md section 3.5 (developer.xero.com, "Requests and responses"). What cannot be read or names an unknown field
//! is answered with a QueryParseException, whose message is the text of `NotUnderstood`.
pub mod evaluate;
pub mod parse;

/// Why an expression is refused, in the words of a QueryParseException.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotUnderstood(pub String);
