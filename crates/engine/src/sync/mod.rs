//! A sync: asking for it, its plan, its chunks, its sweep, and the loop that runs it.
pub mod chunk;
pub mod plan;
pub mod progress;
pub mod request;
pub mod run;
pub mod sweep;

pub use progress::Progress;
pub use request::{Again, Choices, ManyRequested, cancel, choices, request, request_again, request_all_due, request_many};
