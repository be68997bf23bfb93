//! `tieout audit verify`: follows the chain of every organization's audit log, and says where one is broken.
use super::Json;
use crate::boot::{self, Failure};
use crate::config::Config;
use crate::show;
use clap::{Args, Subcommand};
use domain::audit::{BROKEN_MEANS, BROKEN_REMEDY};
use std::process::ExitCode;
use store::audit;

#[derive(Args)]
pub struct Audit {
    #[command(subcommand)]
    command: What,
}

#[derive(Subcommand)]
enum What {
    /// Follow the chain of every organization; exit code 1 when one is broken
    ///
    /// Every entry names the hash of the one before it. An entry that was changed, removed, added or put elsewhere outside of Tieout is told with its
    /// organization, its number and what differs. The hash of the newest entry shows later, written down elsewhere, that nothing up to it was replaced.
    Verify(Json),
}

pub async fn run(audit: &Audit, config: Config) -> Result<ExitCode, Failure> {
    let What::Verify(output) = &audit.command;
    let store = boot::open_store(&config).await?;
    let mut conn = store.read().await?;
    let mut chains = Vec::new();
    for (organization_id, name) in audit::list_organizations(&mut conn).await? {
        let checked = audit::check(&store, &mut conn, &organization_id, None).await?;
        chains.push((organization_id, name, checked));
    }
    drop(conn);
    store.close().await;
    let is_intact = chains.iter().all(|(_, _, checked)| checked.is_intact());
    if output.json {
        let organizations: Vec<serde_json::Value> = chains
            .iter()
            .map(|(id, name, checked)| {
                let broken = |found: &domain::audit::Break| {
                    serde_json::json!({ "number": found.number, "differs": found.difference.as_str(), "sentence": found.sentence() })
                };
                serde_json::json!({
                    "organization": name,
                    "organization_id": id.0,
                    "intact": checked.is_intact(),
                    "entries": checked.entries,
                    "first_number": checked.first_number,
                    "last_number": checked.last_number,
                    "last_hash": checked.last_hash,
                    "broken": checked.broken,
                    "breaks": checked.breaks.iter().map(broken).collect::<Vec<_>>(),
                })
            })
            .collect();
        let value = serde_json::json!({ "intact": is_intact, "organizations": organizations });
        println!("{}", serde_json::to_string_pretty(&value).expect("plain values are JSON"));
    } else {
        for (_, name, checked) in &chains {
            let entries = if checked.entries == 1 { "1 entry".to_owned() } else { format!("{} entries", show::grouped(checked.entries)) };
            match checked.is_intact() {
                true => println!("{name}: {entries}, chain intact up to number {}, hash {}", checked.last_number, checked.last_hash),
                false => println!("{name}: {entries}, BROKEN"),
            }
            for found in &checked.breaks {
                println!("  {}", found.sentence());
            }
            let more = checked.broken - checked.breaks.len() as i64;
            if more > 0 {
                println!("  and {} more", show::grouped(more));
            }
        }
        if chains.is_empty() {
            println!("There is no organization yet.");
        }
        if !is_intact {
            println!("{BROKEN_MEANS}\n{BROKEN_REMEDY}");
        }
    }
    Ok(if is_intact { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
