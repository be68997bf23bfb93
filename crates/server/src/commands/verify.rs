//! `tieout verify COMPANY`: the proof, in words or as JSON.
use super::{Json, find};
use crate::boot::{self, Failure};
use crate::config::Config;
use crate::show;
use clap::Args;
use domain::clock::{Clock, SystemClock};
use domain::company::Mark;
use domain::ledger::Basis;
use domain::money::Amount;
use engine::verify::{ShownDifference, content_hash, our_trial_balance};
use jiff::civil::Date;
use std::process::ExitCode;
use store::verifications;

#[derive(Args)]
pub struct Verify {
    /// The company: its name, a part of it that is enough, or its id
    company: String,
    /// The day of the trial balance [default: that of the latest verification]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
    /// The trial balance on the cash basis: what counts when it is paid
    #[arg(long)]
    cash: bool,
    #[command(flatten)]
    output: Json,
}

pub async fn run(verify: &Verify, config: Config) -> Result<ExitCode, Failure> {
    let store = boot::open_store(&config).await?;
    let company = find::company(&store, &verify.company).await?;
    let mut conn = store.read().await?;
    let basis = if verify.cash { Basis::Cash } else { Basis::Accrual };
    let latest = verifications::list(&mut conn, &company.id, basis, 1).await?.into_iter().next();
    let as_of = verify
        .as_of
        .or_else(|| latest.as_ref().and_then(|latest| latest.as_of.parse().ok()))
        .unwrap_or_else(|| SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date());
    let lines = our_trial_balance(&mut conn, &company, basis, as_of).await?;
    let hash = content_hash(&mut conn, &company.id).await?;
    drop(conn);
    let differences: Vec<ShownDifference> = latest.as_ref().and_then(|latest| serde_json::from_str(&latest.differences).ok()).unwrap_or_default();
    let debits: Amount = lines.iter().map(|(_, amount)| *amount).filter(|amount| amount.0 > 0).sum();
    let credits: Amount = lines.iter().map(|(_, amount)| -*amount).filter(|amount| amount.0 > 0).sum();
    if verify.output.json {
        let value = serde_json::json!({
            "company": company.name,
            "provider": company.provider,
            "verification": company.mark.as_str(),
            "verified_as_of": company.marked_as_of,
            "basis": basis.as_str(),
            "as_of": as_of.to_string(),
            "currency": company.currency,
            "trial_balance": lines.iter().map(|(account, amount)| serde_json::json!({
                "account_id": account.remote_id, "code": account.code, "name": account.name, "class": account.class.as_str(), "balance": amount.to_string(),
            })).collect::<Vec<_>>(),
            "differences": differences.iter().map(|difference| serde_json::json!({
                "account_id": difference.account_id, "name": difference.account_name, "month": difference.month,
                "ours": difference.ours.to_string(), "theirs": difference.theirs.to_string(), "candidates": difference.candidates,
            })).collect::<Vec<_>>(),
            "content_hash": hash,
        });
        println!("{}", serde_json::to_string_pretty(&value).expect("plain values are JSON"));
    } else {
        println!(
            "{} ({}), trial balance on the {} basis as of {as_of}, {}",
            company.name,
            show::provider(&company.provider),
            basis.as_str(),
            company.currency
        );
        let mut table = show::Table::new(&["Code", "Account", "Debit", "Credit"]);
        for (account, amount) in &lines {
            let (debit, credit) = if amount.0 >= 0 { (amount.grouped(), String::new()) } else { (String::new(), (-*amount).grouped()) };
            table.row(vec![account.code.clone(), account.name.clone(), debit, credit]);
        }
        table.row(vec![String::new(), "Total".into(), debits.grouped(), credits.grouped()]);
        print!("{table}");
        println!(
            "{}, {} accounts{}",
            company.mark.label(),
            lines.len(),
            company.marked_as_of.as_deref().map_or(String::new(), |day| format!(", proven as of {day}"))
        );
        for difference in &differences {
            println!(
                "differs: {} {} in {}: ours {}, theirs {}",
                difference.account_code,
                difference.account_name,
                difference.month.as_deref().unwrap_or("the balance"),
                difference.ours.grouped(),
                difference.theirs.grouped()
            );
        }
        println!("content {hash}");
    }
    store.close().await;
    Ok(if company.mark == Mark::Verified { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
