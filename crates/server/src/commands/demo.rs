//! `tieout demo`: from nothing to three companies synced and verified, then the pages to look at.
use super::{Cli, serve, sync};
use crate::boot::{self, Failure};
use crate::config::Config;
use crate::show;
use clap::Args;
use domain::clock::{Clock, SystemClock};
use domain::company::Mark;
use domain::ids::{OrganizationId, UserId};
use domain::ledger::Basis;
use domain::money::Amount;
use domain::sync::RunState;
use engine::Engine;
use engine::connections::{self, CallbackQuery, Who};
use engine::sync::Progress;
use simulator::books::Face;
use simulator::sandbox::Sandbox;
use simulator::server::{Options, demo_companies};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use store::companies::Company;
use store::verifications;
use tokio_util::sync::CancellationToken;

#[derive(Args)]
pub struct Demo {
    /// End after the tie-out instead of serving the pages; exit code 0 only when every company is Verified
    #[arg(long)]
    once: bool,
    /// Where the pages are served
    #[arg(long, default_value = "127.0.0.1:8484", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where the sandbox is served [default: a free port of this machine]
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    sandbox_listen: SocketAddr,
    /// The folder of the demo's database; what an earlier demo left there is replaced
    #[arg(long, default_value = "tieout-data/demo", value_name = "FOLDER")]
    data_dir: PathBuf,
}

pub async fn run(demo: &Demo, _cli: &Cli) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let now = SystemClock.now();
    // pages first: nothing is written when a port is taken
    let listener = if demo.once { None } else { Some(boot::bind(demo.listen, "--listen")?) };
    let sandbox_listener = boot::bind(demo.sandbox_listen, "--sandbox-listen")?;
    let sandbox_url = format!("http://{}", sandbox_listener.local_addr()?);
    let config = config(demo, &sandbox_url)?;

    println!("Making the books of three imagined companies ...");
    let sandbox = Options::default().sandbox(demo_companies(now));
    let shutdown = CancellationToken::new();
    let sandbox_task = tokio::spawn(simulator::server::serve(sandbox.clone(), sandbox_listener, shutdown.clone().cancelled_owned()));
    let store = boot::open_store(&config).await?;
    let engine = boot::engine(&config, store.clone())?;
    let (organization_id, user_id) = web::auth::create_owner(&engine, "Demo Organization", "Demo Owner", "owner@demo.example", None)
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?
        .ok_or_else(|| Failure::Setup("the database of DATABASE_URL is in use already; the demo wants an empty one".into()))?;
    println!("The sandbox stands in for QuickBooks and Xero at {sandbox_url}");

    connect(&engine, &sandbox, &organization_id, &user_id).await?;
    let work = tokio::spawn(engine::worker::work(engine.clone(), shutdown.clone()));
    let pages = listener.map(|listener| tokio::spawn(serve::pages(engine.clone(), listener, &config, shutdown.clone())));
    let followed = tokio::select! {
        followed = follow(&engine, &organization_id) => followed,
        () = boot::stop_signal() => Err(Failure::Failed("stopped".into())),
    };
    let all_verified = match &followed {
        Ok(companies) => {
            tie_out(&engine, companies).await?;
            companies.iter().all(|company| company.mark == Mark::Verified)
        }
        Err(_) => false,
    };
    if followed.is_ok() {
        println!(
            "{} after {} s.",
            if all_verified { "Every company is Verified" } else { "Not every company is Verified" },
            began.elapsed().as_secs()
        );
        if !demo.once {
            let link = web::auth::make_sign_in_link(&engine, &user_id).await.map_err(|error| Failure::Failed(error.to_string()))?;
            println!("\nOpen the pages, signed in, with this link (valid once): {link}");
            println!("Mischief for the sandbox: {sandbox_url}/_control   Stop with Ctrl-C.");
            boot::stop_signal().await;
        }
    }
    shutdown.cancel();
    let _ = work.await;
    if let Some(pages) = pages {
        let _ = tokio::time::timeout(Duration::from_secs(5), pages).await;
    }
    let _ = tokio::time::timeout(Duration::from_secs(5), sandbox_task).await;
    store.close().await;
    followed?;
    Ok(if all_verified { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The demo's own settings: its folder, its sandbox; only DATABASE_URL, TIEOUT_LEASE_SECS and TIEOUT_WORKERS are taken from outside.
fn config(demo: &Demo, sandbox_url: &str) -> Result<Config, Failure> {
    let mut values: BTreeMap<String, String> = ["DATABASE_URL", "TIEOUT_LEASE_SECS", "TIEOUT_WORKERS"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect();
    values.insert("TIEOUT_LISTEN".into(), demo.listen.to_string());
    values.insert("TIEOUT_DATA_DIR".into(), demo.data_dir.to_string_lossy().into_owned());
    values.insert("TIEOUT_SIMULATOR_URL".into(), sandbox_url.to_owned());
    for (prefix, id) in [("TIEOUT_QUICKBOOKS", "tieout-quickbooks"), ("TIEOUT_XERO", "tieout-xero")] {
        values.insert(format!("{prefix}_CLIENT_ID"), id.into());
        values.insert(format!("{prefix}_CLIENT_SECRET"), "sandbox-secret".into());
        values.insert(format!("{prefix}_ENVIRONMENT"), "simulator".into());
    }
    let config = Config::from_text("", &|name| values.get(name).cloned())?;
    if !config.database.starts_with("postgres") {
        // the sandbox forgets its grants when it stops: what an earlier demo stored is of no use
        for name in ["tieout.db", "tieout.db-wal", "tieout.db-shm", "tieout.key"] {
            let path = demo.data_dir.join(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::Setup(format!("{} of an earlier demo cannot be replaced: {error} (--data-dir)", path.display())));
                }
                _ => {}
            }
        }
    }
    Ok(config)
}

/// Connects both providers by their ordinary code flow and imports all companies.
async fn connect(engine: &Engine, sandbox: &Sandbox, organization_id: &OrganizationId, user_id: &UserId) -> Result<(), Failure> {
    let session_hash = engine.make_id();
    let who = Who { organization_id, user_id, session_hash: &session_hash };
    let ids = |face: Face| -> Vec<String> {
        sandbox.read(|state| state.companies.values().filter(|books| books.face == face).map(|books| books.id.clone()).collect())
    };
    for (provider, face) in [("quickbooks", Face::QuickBooks), ("xero", Face::Xero)] {
        let authorize = connections::start(engine, &who, provider, None).await?;
        let callback = simulator::consent::approve(sandbox, &authorize, &ids(face)).await.map_err(|error| Failure::Failed(error.to_string()))?;
        let value = |name: &str| callback.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let query = CallbackQuery { code: value("code"), state: value("state"), realm_id: value("realmId"), ..CallbackQuery::default() };
        connections::finish(engine, &who, provider, query).await?;
    }
    let mut conn = engine.store.read().await?;
    let connected = store::connections::list(&mut conn, organization_id).await?;
    drop(conn);
    for connection in connected {
        let report = connections::import_all(engine, organization_id, &connection.id, user_id).await?;
        println!("Connected {} as {}: {} companies to import", show::provider(&connection.provider), connection.email, report.queued.len());
    }
    Ok(())
}

/// Shows every sync until all have ended.
async fn follow(engine: &Engine, organization_id: &OrganizationId) -> Result<Vec<Company>, Failure> {
    let drawn = std::io::stderr().is_terminal().then(indicatif::MultiProgress::new);
    let mut bars: BTreeMap<String, indicatif::ProgressBar> = BTreeMap::new();
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let companies = store::companies::list(&mut engine.store.read().await?, organization_id).await?;
        for company in &companies {
            let Some(run) = &company.run else {
                if let Some(bar) = bars.get(&company.name) {
                    bar.finish_with_message(company.mark.label());
                }
                continue;
            };
            let progress = Progress::parse(&run.progress);
            match &drawn {
                Some(drawn) => {
                    let bar = bars.entry(company.name.clone()).or_insert_with(|| drawn.add(sync::bar(&company.name)));
                    sync::advance(bar, &progress);
                }
                None if !progress.step.is_empty() && shown.get(&company.name) != Some(&progress.step) => {
                    println!("{}: {} ({} of {})", company.name, progress.step, progress.step_number, progress.steps);
                    shown.insert(company.name.clone(), progress.step);
                }
                None => {}
            }
        }
        if companies.iter().all(|company| company.run.is_none()) {
            for bar in bars.values() {
                bar.finish();
            }
            return Ok(companies);
        }
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
}

/// Prints the proof of each company: its totals, and what they were compared with.
async fn tie_out(engine: &Engine, companies: &[Company]) -> Result<(), Failure> {
    let mut table = show::Table::new(&["Company", "Provider", "Proof", "As of", "Debits", "Credits", "Accounts", "Months", "Records"]);
    for company in companies {
        let mut conn = engine.store.read().await?;
        let latest = verifications::list(&mut conn, &company.id, Basis::Accrual, 1).await?.into_iter().next();
        let records: i64 = store::documents::count_by_type(&mut conn, &company.id).await?.iter().map(|count| count.live).sum();
        let as_of = latest.as_ref().and_then(|latest| latest.as_of.parse().ok());
        let lines = match as_of {
            Some(as_of) => engine::verify::our_trial_balance(&mut conn, company, Basis::Accrual, as_of).await?,
            None => Vec::new(),
        };
        let debits: Amount = lines.iter().map(|(_, amount)| *amount).filter(|amount| amount.0 > 0).sum();
        let credits: Amount = lines.iter().map(|(_, amount)| -*amount).filter(|amount| amount.0 > 0).sum();
        table.row(vec![
            company.name.clone(),
            show::provider(&company.provider).to_owned(),
            company.mark.label().to_owned(),
            latest.as_ref().map_or_else(String::new, |latest| latest.as_of.clone()),
            debits.grouped(),
            credits.grouped(),
            latest.as_ref().map_or(0, |latest| latest.accounts).to_string(),
            latest.as_ref().map_or(0, |latest| latest.months).to_string(),
            show::grouped(records),
        ]);
        if company.last_run_state == Some(RunState::Failed) {
            let sentence = company.last_problem.as_deref().and_then(|text| serde_json::from_str::<domain::problem::Problem>(text).ok());
            println!("{}: {}", company.name, sentence.map_or_else(|| "the sync failed".to_owned(), |problem| problem.sentence));
        }
    }
    println!("\nThe tie-out: our trial balance equals the provider's own report, account by account, to the cent, accrual and cash.\n\n{table}");
    Ok(())
}
