//! The store from outside: every function on SQLite and on PostgreSQL.
mod connections;
mod house;
mod runs;
