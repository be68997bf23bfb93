//! Measures what the product promises about speed and size, from outside: the program runs as its own process, against the sandbox in another one.
mod events;
mod feed;
mod installation;
mod log_fill;
mod log_pages;
mod measured;
mod paint;
mod process;
mod readers;
mod sandbox;
mod start;
mod sync;
mod table;
mod visitor;

use std::path::{Path, PathBuf};
use testkit::DatabaseKind;

const HELP: &str = "cargo bench --profile dev -p e2e --bench figures -- [PART ...] [OPTIONS]
  PART              start, demo, sync, logs, events, feed or sandbox; all of them when none is named
  --documents N     documents of the large company (100000)
  --at PROVIDER     quickbooks or xero, for the large company; both without it
  --rows N          entries of the large log (10000000)
  --lines N         lines of the sandbox's large company (1000000)
  --clients N       open event streams (5000)
  --companies N     companies of the Data Feed (10000)
  --repeat N        how often each page is read (20)
  --only DATABASE   sqlite or postgres; both without it
  --program FILE    the program to measure (target/release/tieout)";

/// What to measure, and on what.
pub struct Plan {
    parts: Vec<String>,
    pub documents: u32,
    pub providers: Vec<&'static str>,
    pub rows: i64,
    pub lines: u64,
    pub clients: usize,
    pub companies: i64,
    pub repeat: usize,
    pub databases: Vec<DatabaseKind>,
    pub program: PathBuf,
}

fn main() {
    let plan = match plan(std::env::args().skip(1)) {
        Ok(plan) => plan,
        Err(text) => {
            eprintln!("{text}\n\n{HELP}");
            std::process::exit(2);
        }
    };
    println!("{}\n", machine());
    type Part = (&'static str, fn(&Plan));
    let parts: [Part; 7] = [
        ("start", start::measure),
        ("demo", start::measure_demo),
        ("sync", sync::measure),
        ("logs", log_pages::measure),
        ("events", events::measure),
        ("feed", feed::measure),
        ("sandbox", sandbox::measure),
    ];
    for (name, measure) in parts {
        if plan.parts.is_empty() || plan.parts.iter().any(|part| part == name) {
            measure(&plan);
        }
    }
}

fn plan(arguments: impl Iterator<Item = String>) -> Result<Plan, String> {
    let mut plan = Plan {
        parts: Vec::new(),
        documents: 100_000,
        providers: vec!["quickbooks", "xero"],
        rows: 10_000_000,
        lines: 1_000_000,
        clients: 5_000,
        companies: 10_000,
        repeat: 20,
        databases: vec![DatabaseKind::Sqlite, DatabaseKind::Postgres],
        program: released(),
    };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            // cargo says so to every benchmark
            "--bench" => {}
            "start" | "demo" | "sync" | "logs" | "events" | "feed" | "sandbox" => plan.parts.push(argument),
            "--documents" => plan.documents = number(&argument, &value()?)?,
            "--rows" => plan.rows = number(&argument, &value()?)?,
            "--lines" => plan.lines = number(&argument, &value()?)?,
            "--clients" => plan.clients = usize::from(number::<u16>(&argument, &value()?)?),
            "--companies" => plan.companies = number(&argument, &value()?)?,
            "--repeat" => plan.repeat = number(&argument, &value()?)?,
            "--program" => plan.program = PathBuf::from(value()?),
            "--at" => {
                plan.providers = match value()?.as_str() {
                    "quickbooks" => vec!["quickbooks"],
                    "xero" => vec!["xero"],
                    other => return Err(format!("--at is `{other}`; expected quickbooks or xero")),
                }
            }
            "--only" => {
                plan.databases = match value()?.as_str() {
                    "sqlite" => vec![DatabaseKind::Sqlite],
                    "postgres" => vec![DatabaseKind::Postgres],
                    other => return Err(format!("--only is `{other}`; expected sqlite or postgres")),
                }
            }
            other => return Err(format!("`{other}` is neither a part nor an option")),
        }
    }
    if !plan.program.is_file() {
        return Err(format!("{} does not exist; `make bench` builds it first, or name another with --program", plan.program.display()));
    }
    Ok(plan)
}

fn number<N: std::str::FromStr + PartialOrd + From<u8>>(name: &str, text: &str) -> Result<N, String> {
    text.parse().ok().filter(|number| *number >= N::from(1)).ok_or_else(|| format!("{name} is `{text}`; expected a whole number from 1"))
}

/// The program as it is released, in the target folder this benchmark was built in.
fn released() -> PathBuf {
    let this = std::env::current_exe().expect("a running program knows its own file");
    let target = this.ancestors().nth(3).expect("a benchmark runs from the folder `deps` of its build");
    target.join("release/tieout")
}

/// On what the figures were taken.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
    let field = |text: &str, name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':').map(|value| value.trim().to_owned())).unwrap_or_default()
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{processors} processors ({}), {} of memory", field(&read("/proc/cpuinfo"), "model name"), field(&read("/proc/meminfo"), "MemTotal"))
}
