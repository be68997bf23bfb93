//! `tieout logs`: the integration log on the terminal.
use super::{Json, find};
use crate::boot::{self, Failure};
use crate::config::Config;
use crate::show;
use clap::Args;
use domain::ids::OrganizationId;
use domain::log::LogStatus;
use std::process::ExitCode;
use std::time::Duration;
use store::Store;
use store::log_entries::{self, Filter, LogEntry, Place};
use store::members;

#[derive(Args)]
pub struct Logs {
    /// Only this company: its name, a part of it, or its id
    #[arg(long, value_name = "COMPANY")]
    company: Option<String>,
    /// Only errors
    #[arg(long)]
    errors: bool,
    /// How many of the latest entries
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Go on printing new entries
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    output: Json,
}

pub async fn run(logs: &Logs, config: Config) -> Result<ExitCode, Failure> {
    let store = boot::open_store(&config).await?;
    let company = match &logs.company {
        Some(wanted) => Some(find::company(&store, wanted).await?),
        None => None,
    };
    let organization_id = match &company {
        Some(company) => company.organization_id.clone(),
        None => match members::first_organization(&mut store.read().await?).await? {
            Some(id) => id,
            None => {
                println!("{}", if logs.output.json { "[]" } else { "There is no organization yet, and no log. Start with `tieout serve`." });
                return Ok(ExitCode::SUCCESS);
            }
        },
    };
    let filter = Filter { company_id: company.map(|company| company.id), status: logs.errors.then_some(LogStatus::Error), ..Filter::default() };
    let page = log_entries::list_page(&mut store.read().await?, &organization_id, &filter, Place::Newest, i64::from(logs.limit)).await?;
    let newest = page.entries.first().map_or(0, |entry| entry.id);
    let oldest_first: Vec<LogEntry> = page.entries.into_iter().rev().collect();
    if logs.output.json && !logs.follow {
        let list: Vec<serde_json::Value> = oldest_first.iter().map(json).collect();
        println!("{}", serde_json::to_string_pretty(&list).expect("a list of plain values is JSON"));
    } else {
        for entry in &oldest_first {
            print(entry, logs.output.json);
        }
    }
    if logs.follow {
        follow(&store, &organization_id, &filter, newest, logs.output.json).await?;
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Prints what comes until it is told to stop.
async fn follow(store: &Store, organization_id: &OrganizationId, filter: &Filter, mut newest: i64, as_json: bool) -> Result<(), Failure> {
    let stop = boot::stop_signal();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        let page = log_entries::list_page(&mut store.read().await?, organization_id, filter, Place::NewerThan(newest), 500).await?;
        for entry in page.entries.iter().rev() {
            print(entry, as_json);
            newest = newest.max(entry.id);
        }
    }
}

fn print(entry: &LogEntry, as_json: bool) {
    if as_json {
        println!("{}", json(entry));
        return;
    }
    println!(
        "{}  {:<9}  {:<7}  {}  {}",
        show::instant(entry.logged_at),
        entry.log_type.label(),
        entry.status.label(),
        if entry.company_name.is_empty() { &entry.account_name } else { &entry.company_name },
        entry.message
    );
}

fn json(entry: &LogEntry) -> serde_json::Value {
    serde_json::json!({
        "id": entry.id.to_string(),
        "date": show::instant(entry.logged_at),
        "accounting_software": show::provider(&entry.provider),
        "company": entry.company_name,
        "external_account": entry.account_name,
        "log_type": entry.log_type.label(),
        "message": entry.message,
        "status": entry.status.label(),
        "run": entry.run_id.as_ref().map(|id| id.as_str()),
        "body": entry.body.as_deref().and_then(|body| serde_json::from_str::<serde_json::Value>(body).ok()),
    })
}
