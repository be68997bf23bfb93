//! The engine from outside: real databases, the real sandbox over HTTP.
mod house;
mod sync;
