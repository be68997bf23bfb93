//! What the tests of every crate share: throw-away databases, a browser, and the program itself as a child process.

mod chromium;
mod companies;
mod databases;
mod guarded;
mod listen;
pub mod mail;
mod packages;
mod ports;
mod postgres;
mod program;
pub mod receiver;
mod sdk;
mod wire;

pub use chromium::{Chromium, chromium};
pub use companies::COPY_COMPANY;
pub use databases::{DatabaseKind, each_database, sqlite_url};
pub use packages::hledger;
pub use ports::free_port;
pub use postgres::{Postgres, postgres};
pub use program::{Finished, Launch, Program};
pub use sdk::{Environment, axe, node, python, say};
