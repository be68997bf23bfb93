//! The store from outside: every function on SQLite and on PostgreSQL.
mod access;
mod audit;
mod books;
mod companies;
mod connections;
mod feed;
mod house;
mod incidents;
mod ledger;
mod log_entries;
mod oauth_states;
mod opening;
mod runs;
mod second_factors;
