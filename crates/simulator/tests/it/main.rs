//! The sandbox's tests: its books, its files, its control API and both faces over HTTP.
#[cfg(all(feature = "quickbooks", feature = "xero"))]
mod agreement;
mod books;
mod cash;
mod console;
mod control;
mod csv;
#[cfg(all(feature = "quickbooks", feature = "xero"))]
mod faults;
#[cfg(all(feature = "quickbooks", feature = "xero"))]
mod fuzz;
mod lists;
mod live;
#[cfg(feature = "quickbooks")]
mod quickbooks;
mod tls;
mod webhooks;
#[cfg(feature = "xero")]
mod xero;
