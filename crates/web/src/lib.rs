//! What a person sees: pages rendered on the server, live updates, sessions. HTTP only.
pub mod api;
pub mod app;
pub mod assets;
pub mod auth;
pub mod error;
pub mod events;
mod exports;
pub mod feed;
pub mod flash;
pub mod pages;
pub mod parts;
pub mod protection;
pub mod pulses;
pub mod routes;
pub mod serve;
pub mod visit;

pub use app::{App, WebOptions};
pub use error::WebError;
pub use routes::router;
pub use serve::serve;
