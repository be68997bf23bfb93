//! The sandbox: an imitation of QuickBooks Online and Xero over real double-entry books. It shares no type with the product; the two
//! meet over HTTP only.
pub mod apps;
pub mod books;
pub mod clock;
pub mod consent;
mod console;
pub mod control;
pub mod faults;
pub mod limits;
pub mod live;
mod markup;
pub mod money;
pub mod network;
pub mod oauth;
mod paper;
#[cfg(feature = "quickbooks")]
pub mod quickbooks;
pub mod sandbox;
pub mod server;
pub mod tls;
pub mod webhooks;
#[cfg(feature = "xero")]
pub mod xero;
