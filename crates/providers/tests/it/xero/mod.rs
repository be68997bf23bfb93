//! The conformance suite of Xero, over HTTP against the sandbox: connect, full, incremental, deleted, limits, expired token, revoked access,
//! answers that cannot be read, balances that tie out.
mod connect;
mod desk;
mod limits;
mod sync;
mod tie_out;
