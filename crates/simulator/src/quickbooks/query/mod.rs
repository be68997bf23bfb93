//! The query endpoint: a statement in, a page of records out.
mod evaluate;
pub mod parse;

pub use evaluate::answer;
