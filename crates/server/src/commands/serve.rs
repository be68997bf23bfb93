//! `tieout serve`: web pages and, unless asked otherwise, background work.
use crate::boot::{self, Failure};
use crate::config::Config;
use clap::Args;
use engine::Engine;
use std::net::TcpListener;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;
use web::WebOptions;

#[derive(Args)]
pub struct Serve {
    /// Serve pages only; workers run elsewhere on the same database
    #[arg(long)]
    no_worker: bool,
}

pub async fn run(serve: &Serve, config: Config) -> Result<ExitCode, Failure> {
    // the port first: nothing is written when it is taken
    let listener = boot::bind(config.listen, "setting listen, TIEOUT_LISTEN")?;
    let store = boot::open_store(&config).await?;
    let engine = boot::engine(&config, store.clone())?;
    boot::watch_audit(&store).await;
    println!("Tieout is ready at {}", config.public_url);
    if let Some(link) = web::auth::make_setup_link(&engine).await.map_err(|error| Failure::Failed(error.to_string()))? {
        println!("First start: create the Owner with this link (valid once): {link}");
    }
    if config.providers.is_empty() {
        println!("No provider is set up yet: see quickbooks.client_id and xero.client_id in the settings, or try `tieout demo`.");
    }
    let shutdown = CancellationToken::new();
    let work = (!serve.no_worker).then(|| tokio::spawn(engine::worker::work(engine.clone(), shutdown.clone())));
    let pages = tokio::spawn(pages(engine, listener, &config, shutdown.clone()));
    boot::stop_signal().await;
    shutdown.cancel();
    if let Some(work) = work {
        let _ = work.await;
    }
    let _ = tokio::time::timeout(std::time::Duration::from_secs(5), pages).await;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Serves the web pages until `shutdown`.
pub fn pages(
    engine: Engine,
    listener: TcpListener,
    config: &Config,
    shutdown: CancellationToken,
) -> impl Future<Output = std::io::Result<()>> + Send + 'static {
    let mut options = WebOptions::new(config.public_url.clone());
    options.authorize_origins = authorize_origins(&engine);
    options.trusted_proxies = config.trusted_proxies.clone();
    options.most_streams = config.streams;
    async move { web::serve(engine, options, listener, async move { shutdown.cancelled().await }).await }
}

/// Where the providers' consent pages are, as origins.
fn authorize_origins(engine: &Engine) -> Vec<String> {
    let secret = providers::oauth::random_text();
    let mut origins: Vec<String> = engine
        .registry
        .iter()
        .filter_map(|provider| url::Url::parse(&provider.authorize_url(&secret, "http://localhost/", &secret)).ok())
        .map(|address| address.origin().ascii_serialization())
        .collect();
    origins.sort();
    origins.dedup();
    origins
}
