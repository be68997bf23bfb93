//! Requests that nobody should send, by chance and by what was learned from the answers: a panic, a failure of the sandbox's own, a request without
//! an end and books that do not balance are findings.
mod control;
mod dice;
mod filters;
mod finding;
mod journal_file;
mod json;
mod query;
mod shot;
mod sign_in;
mod subject;
mod sweep;
mod text;
mod wire;
mod writes;

use dice::Dice;
use finding::{Finding, Story};
use json::Harvest;
use serde_json::Value;
use shot::Shot;
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};
use subject::{Answer, Subject};

/// One kind of input.
trait Target {
    /// Looks at a fresh sandbox for what requests can be made of.
    async fn begin(&mut self, _subject: &Subject, _harvest: &mut Harvest) {}
    fn shot(&mut self, harvest: &Harvest, dice: &mut Dice) -> Shot;
    /// The words its language knows.
    fn words(&self) -> Vec<&str>;
    /// What an answer hands out for later requests.
    fn observe(&mut self, _answer: &Answer) {}
    /// How many requests a sandbox gets before there is a new one.
    fn patience(&self) -> u32 {
        500
    }
    /// Requests of this kind may break the sandbox on purpose.
    fn breaks(&self) -> bool {
        false
    }
    /// Whether records are looked at again after they were changed.
    fn sweeps(&self) -> bool {
        true
    }
}

const TARGETS: [&str; 8] = ["query", "filters", "quickbooks", "xero", "sign_in", "control", "journal_file", "wire"];

enum Until {
    Shots(u64),
    Over(Instant),
}

/// What a run did.
#[derive(Default)]
struct Report {
    shots: u64,
    accepted: u64,
    statuses: BTreeMap<u16, u64>,
    kinds: usize,
    sweeps: u64,
    findings: Vec<Finding>,
}

const MOST_FINDINGS: usize = 12;
const MOST_KEPT: usize = 4_000;
/// Accepted changes between two looks at every record and report.
const SWEEP_EVERY: usize = 60;

/// Runs a target on a thread of its own, whose panics are counted.
fn run(target: &'static str, seed: u64, until: Until) -> Report {
    finding::listen();
    let thread = std::thread::Builder::new().name(format!("fuzz-{target}")).stack_size(8 << 20);
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().thread_name(format!("fuzz-{target}")).build().expect("a runtime");
        runtime.block_on(async {
            match target {
                "query" => bombard(target, query::Query::default(), seed, until).await,
                "filters" => bombard(target, filters::Filters::default(), seed, until).await,
                "quickbooks" => bombard(target, writes::quickbooks(), seed, until).await,
                "xero" => bombard(target, writes::xero(), seed, until).await,
                "sign_in" => bombard(target, sign_in::SignIn::default(), seed, until).await,
                "control" => bombard(target, control::Control::default(), seed, until).await,
                "journal_file" => bombard(target, journal_file::JournalFile, seed, until).await,
                "wire" => bombard(target, wire::Wire, seed, until).await,
                other => panic!("`{other}` is none of {}", TARGETS.join(", ")),
            }
        })
    };
    thread.spawn(work).expect("a thread can be started").join().expect("the fuzzer itself does not panic")
}

async fn bombard(name: &'static str, mut target: impl Target, seed: u64, until: Until) -> Report {
    let companies = subject::companies();
    let mut dice = Dice::new(seed);
    let mut report = Report::default();
    let (mut seen, mut kept) = (HashSet::new(), Vec::new());
    let watch = finding::Watch::start(name);
    'sandboxes: while report.findings.len() < MOST_FINDINGS {
        let mut subject = Subject::new(&companies);
        let mut harvest = Harvest::default();
        target.begin(&subject, &mut harvest).await;
        subject.unbalanced();
        let mut story = Story::default();
        for _ in 0..target.patience() {
            match until {
                Until::Shots(most) if report.shots >= most => break 'sandboxes,
                Until::Over(end) if Instant::now() >= end => break 'sandboxes,
                _ => {}
            }
            let shot = match kept.is_empty() || dice.one_in(2) {
                true => target.shot(&harvest, &mut dice),
                false => vary(dice.pick(&kept), &target.words(), &harvest, &mut dice),
            };
            watch.sees(&shot);
            let answer = subject.fire(&shot).await;
            report.shots += 1;
            story.add(&shot, answer.as_ref());
            if let Some(answer) = &answer {
                *report.statuses.entry(answer.status).or_default() += 1;
                report.accepted += u64::from((200..300).contains(&answer.status));
                target.observe(answer);
                if seen.insert(kind_of(answer)) {
                    if kept.len() < MOST_KEPT {
                        kept.push(shot.clone())
                    } else {
                        *kept.get_mut(dice.below(MOST_KEPT)).expect("below its length") = shot.clone()
                    }
                }
            }
            let mut wrong = finding::judge(&shot, answer.as_ref(), target.breaks());
            if wrong.is_none() && story.changes_since_sweep() > 0 && shot.method != "GET" {
                wrong = subject.unbalanced();
            }
            if wrong.is_none() && target.sweeps() && story.changes_since_sweep() >= SWEEP_EVERY {
                report.sweeps += 1;
                wrong = sweep::look_at_everything(&subject, &watch).await;
                story.swept();
            }
            if let Some(what) = wrong {
                let is_new = report.findings.iter().all(|known: &Finding| known.what != what);
                if is_new {
                    report.findings.push(finding::reduced(what, story, &companies, target.breaks(), &watch).await);
                }
                // a lock that was held across a panic is of no use
                continue 'sandboxes;
            }
        }
    }
    report.kinds = seen.len();
    report
}

/// A request that was answered in a new way, changed.
fn vary(shot: &Shot, words: &[&str], harvest: &Harvest, dice: &mut Dice) -> Shot {
    let mut shot = shot.clone();
    if matches!(shot.method.as_str(), "RAW" | "FILE") {
        shot.body = text::vary_bytes(&shot.body, words, dice);
        return shot;
    }
    let has_body = !shot.body.is_empty();
    if has_body && !dice.one_in(5) {
        let changes = 1 + dice.below(3);
        shot.body = match serde_json::from_slice::<Value>(&shot.body) {
            Ok(value) if !dice.one_in(12) => json::written(&json::vary(&value, harvest, changes, dice)).into_bytes(),
            Ok(_) => text::vary_bytes(&shot.body, words, dice),
            Err(_) => {
                let pairs: Vec<(String, String)> = url::form_urlencoded::parse(&shot.body).into_owned().collect();
                vary_pairs(pairs, words, dice).into_bytes()
            }
        };
        return shot;
    }
    match shot.path.split_once('?') {
        Some((path, query)) => {
            let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            shot.path = format!("{path}?{}", vary_pairs(pairs, words, dice));
        }
        None => {
            let names = harvest.names();
            let new = if names.is_empty() { "page" } else { dice.word(&names) };
            let parts: Vec<&str> = shot.path.split('/').collect();
            let at = dice.below(parts.len());
            let mut parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
            parts[at] = match dice.below(4) {
                0 => shot::encoded(&[(dice.word(&text::ODD).to_owned(), String::new())]).trim_end_matches('=').to_owned(),
                1 => harvest.of("Id", dice).as_str().unwrap_or("1").to_owned(),
                2 => parts[at].to_uppercase(),
                _ => new.to_owned(),
            };
            shot.path = format!("/{}", parts.join("/").trim_start_matches('/'));
        }
    }
    shot
}

fn vary_pairs(mut pairs: Vec<(String, String)>, words: &[&str], dice: &mut Dice) -> String {
    for _ in 0..=dice.below(2) {
        if pairs.is_empty() || dice.one_in(10) {
            pairs.push((dice.word(&["page", "minorversion", "where", "query", "scope", "company"]).into(), dice.word(&text::ODD).into()));
            continue;
        }
        let at = dice.below(pairs.len());
        match dice.below(8) {
            0 => {
                pairs.remove(at);
            }
            1 => pairs.push(pairs[at].clone()),
            2 => pairs[at].0 = text::vary(&pairs[at].0, words, dice),
            _ => pairs[at].1 = text::vary(&pairs[at].1, words, dice),
        }
    }
    shot::encoded(&pairs)
}

/// What an answer is, but for the values in it: an input that was answered in a new way is worth changing further.
fn kind_of(answer: &Answer) -> u64 {
    let mut hasher = DefaultHasher::new();
    (answer.status, answer.content_type.as_str()).hash(&mut hasher);
    match answer.json() {
        Some(value) => {
            let mut marks = std::collections::BTreeSet::new();
            marks_of(&value, "", 0, &mut marks);
            marks.hash(&mut hasher);
        }
        None => letters(&String::from_utf8_lossy(&answer.body)).hash(&mut hasher),
    }
    hasher.finish()
}

fn marks_of(value: &Value, name: &str, depth: u32, marks: &mut std::collections::BTreeSet<String>) {
    const TOLD: [&str; 10] = ["Message", "Detail", "error", "code", "Type", "message", "ErrorNumber", "Title", "Status", "element"];
    match value {
        Value::Object(fields) if depth < 7 => {
            for (name, value) in fields {
                marks.insert(format!("{depth}{name}"));
                marks_of(value, name, depth + 1, marks);
            }
        }
        Value::Array(items) => items.iter().take(4).for_each(|item| marks_of(item, name, depth, marks)),
        Value::String(text) if TOLD.contains(&name) => {
            marks.insert(format!("{name}={}", letters(text)));
        }
        Value::Number(number) if TOLD.contains(&name) => {
            marks.insert(format!("{name}={number}"));
        }
        _ => {}
    }
}

/// The first words of a sentence, without what it repeats of the request.
fn letters(text: &str) -> String {
    let mut quoted = false;
    let kept = text.chars().filter(|one| {
        if matches!(one, '\'' | '"') {
            quoted = !quoted;
        }
        !quoted && (one.is_ascii_alphabetic() || *one == ' ')
    });
    kept.take(40).collect()
}

fn tell(target: &str, seed: u64, report: &Report, took: Duration) {
    let statuses: Vec<String> = report.statuses.iter().map(|(status, count)| format!("{count} times {status}")).collect();
    eprintln!(
        "fuzz {target}, seed {seed}: {} requests in {:.0} s ({} accepted, {} kinds of answer, {} looks at everything); {}; {} findings",
        report.shots,
        took.as_secs_f64(),
        report.accepted,
        report.kinds,
        report.sweeps,
        statuses.join(", "),
        report.findings.len()
    );
}

fn nothing_found(target: &str, seed: u64, report: &Report) {
    let told: Vec<String> = report.findings.iter().map(|finding| finding.told(target)).collect();
    assert!(told.is_empty(), "fuzz {target}, seed {seed}: {} findings\n{}", told.len(), told.join("\n\n"));
}

/// The short version; `make fuzz TARGET=query MINUTES=10 SEED=7` is the long one.
// proves J1 in part
#[test]
fn no_request_makes_the_sandbox_panic_fail_hang_or_lose_its_balance() {
    const SEED: u64 = 1;
    std::thread::scope(|scope| {
        let running = TARGETS.map(|target| {
            let shots = if target == "wire" { 60 } else { 500 };
            scope.spawn(move || (target, run(target, SEED, Until::Shots(shots))))
        });
        for running in running {
            let (target, report) = running.join().expect("the fuzzer itself does not panic");
            nothing_found(target, SEED, &report);
            assert!(report.kinds > 5, "{target} met only {} kinds of answer: it asks for nothing", report.kinds);
        }
    });
}

/// Requests that were findings once, in files under `found`.
#[test]
fn what_was_found_once_stays_mended() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzz/found");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no finding is kept");
    for file in files {
        assert_eq!(finding::again(&file), None, "{}", file.display());
    }
}

#[test]
#[ignore = "runs for minutes; `make fuzz` starts it"]
fn for_long() {
    let setting = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(file) = setting("FUZZ_REPLAY") {
        assert_eq!(finding::again(std::path::Path::new(&file)), None, "{file}");
        return;
    }
    let minutes: f64 = setting("FUZZ_MINUTES").map_or(1.0, |text| text.parse().expect("FUZZ_MINUTES is a number"));
    let seed: u64 = setting("FUZZ_SEED").map_or_else(|| u64::from(std::process::id()), |text| text.parse().expect("FUZZ_SEED is a number"));
    let wanted = setting("FUZZ_TARGET").unwrap_or_else(|| TARGETS.join(","));
    let mut found = Vec::new();
    for target in TARGETS.into_iter().filter(|target| wanted.split(',').any(|wanted| wanted.trim() == *target)) {
        let began = Instant::now();
        let report = run(target, seed, Until::Over(began + Duration::from_secs_f64(minutes * 60.0)));
        tell(target, seed, &report, began.elapsed());
        for finding in &report.findings {
            eprintln!("{}\n  kept in {}", finding.told(target), finding.keep(target).display());
            found.push(finding.what.clone());
        }
    }
    assert!(found.is_empty(), "{} findings", found.len());
}

/// Whoever looks for failures has to see one.
#[test]
fn a_panic_a_failure_and_broken_json_are_findings() {
    finding::listen();
    let broken = std::thread::Builder::new().name("fuzz-broken".into()).spawn(|| {
        let caught = std::panic::catch_unwind(|| panic!("on purpose"));
        (caught.is_err(), finding::panicked())
    });
    let (is_caught, seen) = broken.expect("a thread can be started").join().expect("the panic is caught");
    assert!(is_caught && seen.as_deref().is_some_and(|seen| seen.ends_with("on purpose")), "{seen:?}");
    let answer = |status, body: &str| Answer { status, content_type: "application/json".into(), location: String::new(), body: body.into() };
    let shot = Shot::get("/v3/company/1/query");
    assert_eq!(finding::judge(&shot, Some(&answer(200, "{}")), false), None);
    assert!(finding::judge(&shot, Some(&answer(500, "{}")), false).is_some_and(|wrong| wrong.starts_with("500")));
    assert!(finding::judge(&shot, Some(&answer(200, "{")), false).is_some_and(|wrong| wrong.starts_with("no JSON")));
    let mut subject = Subject::new(&subject::companies());
    assert_eq!(subject.unbalanced(), None);
    let realm = subject.realm.clone();
    subject.sandbox.write(|state| {
        let books = state.companies.get_mut(&realm).expect("the company");
        let mut journal = books.journals.last().expect("a journal").clone();
        journal.postings[0].amount += simulator::money::Cents(1);
        books.journals.push(journal);
    });
    assert!(subject.unbalanced().is_some_and(|wrong| wrong.contains("sums to")));
}
