//! Tests of the whole: the server against the sandbox, both over HTTP, and the rules of the house.

mod source;
mod tidy;
