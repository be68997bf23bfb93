//! The program `tieout`: reads the command line and hands over.
use clap::Parser;
use server::commands::{self, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    // one TLS provider for the whole process, before anything asks for one
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    commands::trace(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("tieout: the runtime cannot start: {error}");
            return ExitCode::from(1);
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("tieout: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
