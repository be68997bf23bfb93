//! `tieout reset-second-factor`: for whoever has lost their phone and their recovery codes, when no Owner can help.
use crate::boot::{self, Failure};
use crate::config::Config;
use clap::Args;
use std::process::ExitCode;

#[derive(Args)]
pub struct ResetSecondFactor {
    /// The e-mail address the person signs in with
    email: String,
}

pub async fn run(reset: &ResetSecondFactor, config: Config) -> Result<ExitCode, Failure> {
    let store = boot::open_store(&config).await?;
    let engine = boot::engine(&config, store.clone())?;
    let user = store::members::find_user_by_email(&mut store.read().await?, &reset.email).await?;
    let user = user.ok_or_else(|| {
        Failure::Setup(format!("nobody signs in with {}; the members of an organization are under Organization, Members", reset.email.trim()))
    })?;
    let removed = engine::people::second_factor::reset(&engine, &user.id).await?;
    match removed {
        true => println!("{} ({}) has no second factor any more, and is signed out everywhere; the password is as it was.", user.name, user.email),
        false => println!("{} ({}) has no second factor; nothing was changed.", user.name, user.email),
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
