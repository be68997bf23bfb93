//! `tieout password`: a link for a new password, for whoever runs the server to hand over.
use crate::boot::{self, Failure};
use crate::config::Config;
use clap::Args;
use std::process::ExitCode;

#[derive(Args)]
pub struct Password {
    /// The e-mail address the person signs in with
    email: String,
}

pub async fn run(password: &Password, config: Config) -> Result<ExitCode, Failure> {
    let store = boot::open_store(&config).await?;
    let engine = boot::engine(&config, store.clone())?;
    let user = store::members::find_user_by_email(&mut store.read().await?, &password.email).await?;
    let user = user.ok_or_else(|| {
        Failure::Setup(format!("nobody signs in with {}; the members of an organization are under Organization, Members", password.email.trim()))
    })?;
    let link = engine::people::passwords::make_link(&engine, &user.id).await?;
    println!("A new password for {} ({}), valid once and for an hour: {link}", user.name, user.email);
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
