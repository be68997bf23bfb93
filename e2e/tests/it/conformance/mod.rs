//! The facts of docs/sandbox-conformance.md, asked of the provider under test: a sandbox of ours, or the real provider that environment variables
//! name (docs/sandbox.md, "Against the real providers"). Nothing here uses the control API.

mod elsewhere;
mod only_here;
mod person;
mod provider;
mod quickbooks;
mod xero;

pub use only_here::reason;
