//! The store from outside: every function on SQLite and on PostgreSQL.
mod access;
mod companies;
mod connections;
mod house;
mod oauth_states;
mod opening;
mod runs;
