//! The providers against the sandbox, over real HTTP.
mod quickbooks;
mod xero;
