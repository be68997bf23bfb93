//! `tieout status`: where every company stands.
use super::Json;
use crate::boot::{self, Failure};
use crate::config::Config;
use crate::show;
use clap::Args;
use domain::clock::{Clock, SystemClock};
use domain::company::{Mark, SyncStatus, sync_status};
use std::process::ExitCode;
use store::{companies, documents};

#[derive(Args)]
pub struct Status {
    #[command(flatten)]
    output: Json,
}

pub async fn run(status: &Status, config: Config) -> Result<ExitCode, Failure> {
    let store = boot::open_store(&config).await?;
    let now = SystemClock.now();
    let mut conn = store.read().await?;
    let mut entries = Vec::new();
    for company in companies::list_all_linked(&mut conn).await? {
        let records: i64 = documents::count_by_type(&mut conn, &company.id).await?.iter().map(|count| count.live).sum();
        let word = sync_status(&company.status_facts(), now);
        entries.push((company, word, records));
    }
    drop(conn);
    if status.output.json {
        let list: Vec<serde_json::Value> = entries
            .iter()
            .map(|(company, word, records)| {
                serde_json::json!({
                    "id": company.id.as_str(),
                    "name": company.name,
                    "provider": company.provider,
                    "status": word.label(),
                    "reason": match word { SyncStatus::NeedsResync(reason) => Some(reason.label()), _ => None },
                    "verified": company.mark == Mark::Verified,
                    "verification": company.mark.as_str(),
                    "verified_as_of": company.marked_as_of,
                    "last_synced": company.last_success_at.map(show::instant),
                    "records": records,
                })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&list).expect("a list of plain values is JSON"));
    } else if entries.is_empty() {
        println!("No company is linked yet. Connect one on the Integrations page, or try `tieout demo`.");
    } else {
        let mut table = show::Table::new(&["Company", "Provider", "Status", "Proof", "Last synced", "Records"]);
        for (company, word, records) in &entries {
            let status = match word {
                SyncStatus::NeedsResync(reason) => format!("{} ({})", word.label(), reason.label()),
                SyncStatus::Waiting { until_ms } => format!("{} until {}", word.label(), show::instant(*until_ms)),
                _ => word.label().to_owned(),
            };
            table.row(vec![
                company.name.clone(),
                show::provider(&company.provider).to_owned(),
                status,
                company.mark.label().to_owned(),
                company.last_success_at.map_or_else(|| "never".to_owned(), |at| show::ago(at, now.as_millisecond())),
                show::grouped(*records),
            ]);
        }
        print!("{table}");
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
