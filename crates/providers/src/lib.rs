//! The accounting services: their HTTP, their OAuth, their JSON. Nothing here knows of storage, jobs or pages.
pub mod error;
pub mod http;
pub mod oauth;
pub mod post;
pub mod provider;
pub mod quickbooks;
pub mod registry;
pub mod report;
pub mod suggestions;
pub mod xero;

pub use error::ProviderError;
pub use provider::Provider;
pub use registry::Registry;
