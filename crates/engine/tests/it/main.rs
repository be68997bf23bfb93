//! The engine from outside: real databases, the real sandbox over HTTP.
mod access;
mod accounts;
mod alerts;
mod crash;
mod dates;
mod delivery;
mod edits;
mod faults;
mod house;
mod mapping;
mod milestones;
mod people;
mod reasons;
mod repair;
mod stop;
mod sync;
mod truth;
