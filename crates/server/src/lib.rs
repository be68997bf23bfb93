//! Starts everything: settings, commands, shutdown.
pub mod boot;
pub mod commands;
pub mod config;
pub mod show;
