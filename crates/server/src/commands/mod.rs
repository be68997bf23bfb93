//! The command line: one file for each command.
pub mod audit;
pub mod demo;
pub mod doctor;
pub mod find;
pub mod logs;
pub mod migrate;
pub mod password;
pub mod reset_second_factor;
pub mod sandbox;
pub mod serve;
pub mod status;
pub mod sync;
pub mod verify;
pub mod worker;

use crate::boot::Failure;
use crate::config::Config;
use clap::{Args, Parser, Subcommand};
use domain::audit::Actor;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_CODES: &str = "Exit codes:
  0  done; for sync, verify and demo --once: the companies are Verified
  1  it ran and did not succeed, a company is not Verified, or an audit log is broken
  2  the command line or a setting is wrong, a port is taken, the database or its key cannot be used; nothing was written

Settings come from the environment, then tieout.toml, then the defaults; `tieout doctor` shows what is wrong with them.";

/// Keeps a complete, proven local copy of the books of QuickBooks Online and Xero companies.
#[derive(Parser)]
#[command(name = "tieout", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    /// Settings file instead of tieout.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What the program tells its operator on standard error: error, warn, info, debug or trace
    #[arg(long, global = true, env = "TIEOUT_LOG", value_name = "LEVEL")]
    pub log: Option<String>,
    /// The operator's log as JSON lines
    #[arg(long, global = true)]
    pub log_json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show the whole product at once: a sandbox, a server and three companies, synced and verified
    Demo(demo::Demo),
    /// Serve the web pages and sync in the background
    Serve(serve::Serve),
    /// Only sync in the background; several nodes share one PostgreSQL database
    Worker,
    /// Serve an imitation of QuickBooks Online and Xero over real double-entry books
    Sandbox(sandbox::Sandbox),
    /// Sync one company now and wait for the end
    Sync(sync::Sync),
    /// The companies and where they stand
    Status(status::Status),
    /// The integration log
    Logs(logs::Logs),
    /// The proof of a company: its latest verification, its trial balance, the hash of its content
    Verify(verify::Verify),
    /// Check the settings, the database, the key and the providers, and say what to fix
    Doctor,
    /// The audit log: whether its entries are as they were written
    Audit(audit::Audit),
    /// Make a link with which somebody chooses a new password
    Password(password::Password),
    /// Take away the second factor of somebody who has lost their phone and their recovery codes
    ResetSecondFactor(reset_second_factor::ResetSecondFactor),
    /// Bring the database's schema up to date
    Migrate,
}

/// Machine-readable output.
#[derive(Args)]
pub struct Json {
    /// Print JSON for a program to read
    #[arg(long)]
    pub json: bool,
}

/// Sets up what the operator reads on standard error.
pub fn trace(cli: &Cli) {
    let quiet = !matches!(cli.command, Command::Serve(_) | Command::Worker);
    let level = cli.log.clone().unwrap_or_else(|| if quiet { "error".into() } else { "info".into() });
    let filter = tracing_subscriber::EnvFilter::try_new(if level.contains('=') {
        level
    } else {
        format!("warn,tieout={level},server={level},engine={level},web={level},store={level},providers={level},simulator={level}")
    })
    .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if cli.log_json { builder.json().init() } else { builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).init() }
}

pub fn config(cli: &Cli) -> Result<Config, Failure> {
    Ok(Config::load(cli.config.as_deref(), &|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?)
}

pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    // what a command does is noted as done here; what it serves is noted as whoever asks
    engine::audit::acting(Actor::command_line(), work(cli)).await
}

async fn work(cli: Cli) -> Result<ExitCode, Failure> {
    match &cli.command {
        Command::Demo(demo) => demo::run(demo, &cli).await,
        Command::Serve(serve) => serve::run(serve, config(&cli)?).await,
        Command::Worker => worker::run(config(&cli)?).await,
        Command::Sandbox(sandbox) => sandbox::run(sandbox).await,
        Command::Sync(sync) => sync::run(sync, config(&cli)?).await,
        Command::Status(status) => status::run(status, config(&cli)?).await,
        Command::Logs(logs) => logs::run(logs, config(&cli)?).await,
        Command::Verify(verify) => verify::run(verify, config(&cli)?).await,
        Command::Audit(audit) => audit::run(audit, config(&cli)?).await,
        Command::Doctor => doctor::run(config(&cli)?).await,
        Command::Password(password) => password::run(password, config(&cli)?).await,
        Command::ResetSecondFactor(reset) => reset_second_factor::run(reset, config(&cli)?).await,
        Command::Migrate => migrate::run(config(&cli)?).await,
    }
}
