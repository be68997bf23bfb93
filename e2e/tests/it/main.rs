//! Tests of the whole: the server against the sandbox, both over HTTP, and the rules of the house.

mod browser;
mod claims;
mod conformance;
mod contract;
mod hledger;
mod journal;
mod kill;
mod nodes;
mod program;
mod sdk;
mod source;
mod tidy;
mod visitor;
