//! The product as a person meets it: the real server, the sandbox and a real Chromium.

mod appearance;
mod company;
mod consent;
mod data_feed;
mod journey;
mod logs;
mod mapping;
mod palette;
mod person;
mod reconnect;
mod site;
mod without_mouse;
