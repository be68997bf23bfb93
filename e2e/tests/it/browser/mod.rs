//! The product as a person meets it: the real server, the sandbox and a real Chromium.

mod accessibility;
mod account;
mod appearance;
mod company;
mod consent;
mod data_feed;
mod duplicate;
mod every_page;
mod incidents;
mod journey;
mod logs;
mod mapping;
mod members;
mod palette;
mod person;
mod reconnect;
mod reconnect_link;
mod site;
mod token_user;
mod tracking;
mod truth;
mod weight;
mod without_mouse;
mod without_scripts;
