//! `tieout sandbox`: the imitation of both providers, on its own.
use crate::boot::{self, Failure};
use clap::{Args, ValueEnum};
use domain::clock::{Clock, SystemClock};
use simulator::books::generator::{CompanySpec, generate};
use simulator::books::journal_csv::{self, Meta};
use simulator::books::{Books, Face};
use simulator::live::Pace;
use simulator::server::{Options, demo_companies};
use simulator::tls::{self, Authority};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub struct Sandbox {
    /// Address and port to listen on
    #[arg(long, env = "TIEOUT_SANDBOX_LISTEN", default_value = "127.0.0.1:8585", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Books from a general-journal file (columns entry,date,kind,account_code,account_name,account_type,debit,credit,currency,contact,memo)
    /// instead of the three demo companies
    #[arg(long, value_name = "FILE.csv", requires = "provider")]
    books: Option<PathBuf>,
    /// At which provider the company of --books or --documents lives
    #[arg(long, value_enum)]
    provider: Option<ProviderName>,
    /// Name of the company of --books
    #[arg(long, default_value = "Imported Books")]
    name: String,
    /// ISO 4217 code of the company of --books
    #[arg(long, default_value = "USD")]
    currency: String,
    /// Month in which the fiscal year of --books begins
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i8).range(1..=12))]
    fiscal_year_start_month: i8,
    /// One made-up company with this many documents (from 100) over three years instead of the demo companies
    #[arg(long, value_name = "COUNT", requires = "provider", conflicts_with = "books", value_parser = clap::value_parser!(u32).range(100..))]
    documents: Option<u32>,
    /// Seed of the made-up company
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A redirect address the apps admit besides loopback; a trailing * admits everything that begins so
    #[arg(long = "redirect-uri", value_name = "ADDRESS")]
    redirect_uris: Vec<String>,
    /// Answer also over TLS under the providers' own host names, with a certificate of a test authority that is made at each start; this folder gets
    /// the file ca.pem, which the client under test has to trust
    #[arg(long, value_name = "FOLDER")]
    tls_dir: Option<PathBuf>,
    /// Address and port for TLS
    #[arg(long, default_value = "127.0.0.1:8586", value_name = "ADDRESS", requires = "tls_dir")]
    tls_listen: SocketAddr,
    /// Trade goes on while the sandbox runs, on a clock that is this many times faster
    #[arg(long, value_name = "SPEED", num_args = 0..=1, default_missing_value = "60", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    live: Option<u32>,
    /// Do not enforce the providers' call limits
    #[arg(long)]
    no_limits: bool,
    /// Serve neither the control API nor the console: a provider has none
    #[arg(long)]
    no_control: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ProviderName {
    Quickbooks,
    Xero,
}

impl ProviderName {
    fn face(self) -> Face {
        match self {
            ProviderName::Quickbooks => Face::QuickBooks,
            ProviderName::Xero => Face::Xero,
        }
    }
}

pub async fn run(sandbox: &Sandbox) -> Result<ExitCode, Failure> {
    let companies = companies(sandbox)?;
    let listener = boot::bind(sandbox.listen, "--listen, TIEOUT_SANDBOX_LISTEN")?;
    let address = listener.local_addr()?;
    let secure = secure(sandbox)?;
    println!("The sandbox is ready at http://{address}");
    for books in &companies {
        let provider = if books.face == Face::QuickBooks { "QuickBooks" } else { "Xero" };
        println!("  {} ({provider}, {}, id {}): {} documents", books.name, books.currency, books.id, books.documents.len());
    }
    let control = if sandbox.no_control { "no control API".to_owned() } else { format!("control API at http://{address}/_control") };
    println!("  client ids tieout-quickbooks and tieout-xero, client secret sandbox-secret; {control}");
    let (limits_enforced, control) = (!sandbox.no_limits, !sandbox.no_control);
    let options = Options { redirect_uris: sandbox.redirect_uris.clone(), limits_enforced, control, start_at: None };
    let running = options.sandbox(companies);
    if let Some(speed) = sandbox.live {
        running.go_live(Pace { speed, seed: sandbox.seed, ..Pace::default() });
    }
    let plain = simulator::server::serve(running.clone(), listener, boot::stop_signal());
    match secure {
        None => plain.await?,
        Some((listener, authority)) => {
            futures::future::try_join(plain, tls::serve(running, listener, &authority, boot::stop_signal())).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The port for TLS and the authority behind its certificate, if they are asked for; says where they are.
fn secure(sandbox: &Sandbox) -> Result<Option<(TcpListener, Authority)>, Failure> {
    let Some(folder) = &sandbox.tls_dir else { return Ok(None) };
    let setup = |error: tls::Unmade| Failure::Setup(error.to_string());
    let authority = Authority::new(SystemClock.now()).map_err(setup)?;
    let trusted = authority.write_into(folder).map_err(setup)?;
    let listener = boot::bind(sandbox.tls_listen, "--tls-listen")?;
    println!(
        "TLS for {} and {} others at {}; trust {}",
        tls::PROVIDERS_HOSTS[0],
        tls::PROVIDERS_HOSTS.len() - 1,
        listener.local_addr()?,
        trusted.display()
    );
    Ok(Some((listener, authority)))
}

fn companies(sandbox: &Sandbox) -> Result<Vec<Books>, Failure> {
    let now = SystemClock.now();
    match (&sandbox.books, sandbox.provider, sandbox.documents) {
        (Some(path), Some(provider), _) => {
            let file = std::fs::File::open(path).map_err(|error| Failure::Setup(format!("{} cannot be read: {error}", path.display())))?;
            let meta = Meta {
                name: sandbox.name.clone(),
                country: "US".into(),
                currency: sandbox.currency.clone(),
                time_zone: "UTC".into(),
                fiscal_year_start_month: sandbox.fiscal_year_start_month,
                seed: sandbox.seed,
            };
            match journal_csv::read(std::io::BufReader::new(file), provider.face(), &meta, now) {
                Ok(books) => Ok(vec![books]),
                Err(rows) => {
                    let mut text = format!("{} is refused, nothing was loaded:", path.display());
                    for row in rows.iter().take(20) {
                        text.push_str(&format!("\n  line {}: {}", row.line, row.reason));
                    }
                    if rows.len() > 20 {
                        text.push_str(&format!("\n  and {} more", rows.len() - 20));
                    }
                    Err(Failure::Setup(text))
                }
            }
        }
        (None, Some(provider), Some(documents)) => {
            let to = now.to_zoned(jiff::tz::TimeZone::UTC).date();
            let spec = CompanySpec::of_size(provider.face(), sandbox.seed, documents, to);
            Ok(vec![generate(provider.face(), spec, now)])
        }
        (None, Some(_), None) => {
            Err(Failure::Setup("--provider says where the company of --books FILE.csv or --documents COUNT lives; give one of them".into()))
        }
        _ => Ok(demo_companies(now)),
    }
}
