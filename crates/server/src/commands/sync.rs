//! `tieout sync COMPANY`: asks for a sync, works on it here, shows its progress, ends with it.
use super::{Json, find};
use crate::boot::{self, Failure};
use crate::config::Config;
use crate::show;
use clap::Args;
use domain::clock::Month;
use domain::company::Mark;
use domain::data_type::DataType;
use domain::ids::RunId;
use domain::job::Trigger;
use domain::sync::{Extent, RunState};
use engine::Engine;
use engine::sync::{Again, Progress};
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;
use store::runs::{self, Run};
use tokio_util::sync::CancellationToken;

#[derive(Args)]
pub struct Sync {
    /// The company: its name, a part of it that is enough, or its id
    company: String,
    /// Everything, not only what changed
    #[arg(long)]
    full: bool,
    /// Besides what changed, list this data type whole again (`Invoice`); may be given several times
    #[arg(long, value_name = "TYPE", conflicts_with = "full")]
    again: Vec<DataType>,
    /// Besides what changed, read the ledger of these months again
    #[arg(long, value_name = "FIRST..LAST", conflicts_with = "full", value_parser = months)]
    months: Option<(Month, Month)>,
    #[command(flatten)]
    output: Json,
}

/// `2026-01..2026-03`
fn months(text: &str) -> Result<(Month, Month), String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let month = |text: &str| Month::parse(text).ok_or_else(|| format!("`{text}` is not a month; write 2026-01, or 2026-01..2026-03"));
    Ok((month(first)?, month(last)?))
}

pub async fn run(sync: &Sync, config: Config) -> Result<ExitCode, Failure> {
    let store = boot::open_store(&config).await?;
    let engine = boot::engine(&config, store.clone())?;
    let company = find::company(&store, &sync.company).await?;
    let again = Again { data_types: sync.again.iter().copied().collect(), months: sync.months };
    let requested = if again.is_empty() {
        let extent = sync.full.then_some(Extent::Full);
        engine::sync::request(&engine, &company.organization_id, &company.id, Trigger::CommandLine, extent).await?
    } else {
        engine::sync::request_again(&engine, &company.organization_id, &company.id, Trigger::CommandLine, &again).await?
    };
    let shutdown = CancellationToken::new();
    let work = tokio::spawn(engine::worker::work(engine.clone(), shutdown.clone()));
    let ended = tokio::select! {
        ended = follow(&engine, requested.run_id(), &company.name, sync.output.json) => ended,
        () = boot::stop_signal() => Err(Failure::Failed("stopped; the sync continues from its checkpoints with the next `tieout serve` or `tieout sync`".into())),
    };
    shutdown.cancel();
    let _ = work.await;
    let run = ended?;
    let company =
        store::companies::find_any(&mut store.read().await?, &company.id).await?.ok_or_else(|| Failure::Failed("the company is gone".into()))?;
    let verified = company.mark == Mark::Verified;
    let total = Progress::parse(&run.progress).total();
    if sync.output.json {
        let value = serde_json::json!({
            "company": company.name,
            "run": run.id.as_str(),
            "result": run.state.as_str(),
            "verified": verified,
            "added": total.added, "updated": total.changed, "deleted": total.deleted, "unchanged": total.unchanged, "quarantined": total.quarantined,
            "calls": run.calls,
        });
        println!("{value}");
    } else {
        println!(
            "{}: {}, {} added, {} updated, {} deleted with {} calls; {}",
            company.name,
            run.state.as_str(),
            show::grouped(total.added as i64),
            show::grouped(total.changed as i64),
            show::grouped(total.deleted as i64),
            run.calls,
            company.mark.label()
        );
        if let Some(problem) = run.problem.as_deref().and_then(|text| serde_json::from_str::<domain::problem::Problem>(text).ok()) {
            println!("{} {}", problem.sentence, problem.kind.remedy().sentence());
        }
    }
    store.close().await;
    Ok(if run.state == RunState::Succeeded && verified { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Shows a run until it ends: a bar on a terminal, a line for each step otherwise.
async fn follow(engine: &Engine, run_id: &RunId, name: &str, quiet: bool) -> Result<Run, Failure> {
    let bar = (!quiet && std::io::stderr().is_terminal()).then(|| bar(name));
    let mut shown = String::new();
    loop {
        let run = runs::find(&mut engine.store.read().await?, run_id).await?.ok_or_else(|| Failure::Failed("the run is gone".into()))?;
        let progress = Progress::parse(&run.progress);
        match &bar {
            Some(bar) => advance(bar, &progress),
            None if !quiet && progress.step != shown && !progress.step.is_empty() => {
                println!("{name}: {} ({} of {})", progress.step, progress.step_number, progress.steps);
                shown = progress.step;
            }
            None => {}
        }
        if run.state.is_finished() {
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
            return Ok(run);
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

/// A progress bar with the company's name in front.
pub fn bar(name: &str) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new(6);
    let style = indicatif::ProgressStyle::with_template("  {prefix:28} {bar:24.cyan/dim} {msg}").expect("the template is fixed");
    bar.set_style(style.progress_chars("━━─"));
    bar.set_prefix(name.to_owned());
    bar
}

pub fn advance(bar: &indicatif::ProgressBar, progress: &Progress) {
    bar.set_position(u64::from(progress.step_number.saturating_sub(1)));
    let count = match progress.expected {
        Some(expected) if expected > 0 => format!(" {} of about {}", show::grouped(progress.done as i64), show::grouped(expected as i64)),
        _ if progress.done > 0 => format!(" {}", show::grouped(progress.done as i64)),
        _ => String::new(),
    };
    bar.set_message(format!("{}{count}", progress.step));
}
