//! What counts as a finding, the requests that led to it, and how they are made fewer.
use super::shot::Shot;
use super::subject::{Answer, Subject};
use super::sweep;
use serde::{Deserialize, Serialize};
use simulator::books::Books;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

/// No answer takes longer, on a busy machine and in a build for tests.
const LONGEST: Duration = Duration::from_secs(180);

/// Panics by the name of the thread they happened on; each target has threads of its own name.
static PANICS: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

/// Notes the panics of the threads of targets; all others are told as ever.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            match thread.name().filter(|name| name.starts_with("fuzz-")) {
                Some(name) => {
                    let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
                    let said = panic.payload_as_str().unwrap_or_default().lines().next().unwrap_or_default().to_owned();
                    let mut panics = PANICS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    panics.entry(name.to_owned()).or_default().push(format!("panic at {place}: {said}"));
                }
                None => usual(panic),
            }
        }));
    });
}

/// The first panic of this thread's target since the last call.
pub fn panicked() -> Option<String> {
    let thread = std::thread::current();
    let mut panics = PANICS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    panics.remove(thread.name()?)?.into_iter().next()
}

/// What is wrong with an answer. `breaks`: faults may have been asked for, so failures of providers are right.
pub fn judge(shot: &Shot, answer: Option<&Answer>, breaks: bool) -> Option<String> {
    if let Some(panic) = panicked() {
        return Some(panic);
    }
    let answer = answer?;
    // 501: what Xero has no method for (its documentation: HTTP status codes)
    if answer.status >= 500 && answer.status != 501 && (!breaks || shot.path.starts_with("/_control")) {
        return Some(format!("{} for {} {}", answer.status, shot.method, shot.path.split('?').next().unwrap_or_default()));
    }
    let is_json = answer.content_type.starts_with("application/json") && !answer.content_type.ends_with("of a connection");
    if is_json && !answer.body.is_empty() && answer.json().is_none() && !breaks {
        return Some(format!("no JSON for {} {}", shot.method, shot.path.split('?').next().unwrap_or_default()));
    }
    None
}

/// The requests of one sandbox that had an effect.
#[derive(Clone, Default)]
pub struct Story {
    shots: Vec<Shot>,
    last: Option<Shot>,
    unswept: usize,
}

impl Story {
    pub fn add(&mut self, shot: &Shot, answer: Option<&Answer>) {
        let changed = shot.method != "GET" && answer.is_some_and(|answer| (200..400).contains(&answer.status));
        if changed {
            self.shots.push(shot.clone());
            self.unswept += 1;
        }
        self.last = Some(shot.clone());
    }
    pub fn changes_since_sweep(&self) -> usize {
        self.unswept
    }
    pub fn swept(&mut self) {
        self.unswept = 0;
    }
    fn whole(self) -> Vec<Shot> {
        let last = self.last.filter(|last| self.shots.last() != Some(last));
        self.shots.into_iter().chain(last).collect()
    }
}

#[derive(Serialize, Deserialize)]
pub struct Finding {
    pub what: String,
    #[serde(default)]
    breaks: bool,
    shots: Vec<Shot>,
}

impl Finding {
    pub fn told(&self, target: &str) -> String {
        let last = self.shots.last().map(|shot| {
            let body: String = String::from_utf8_lossy(&shot.body).chars().take(1_500).collect();
            format!("{} {} {:?}\n  {body}", shot.method, shot.path, shot.headers)
        });
        format!("{target}: {} (after {} requests)\n  {}", self.what, self.shots.len(), last.unwrap_or_default())
    }

    /// Writes it beside the build, to be sent again with `make fuzz REPLAY=FILE`.
    pub fn keep(&self, target: &str) -> PathBuf {
        let folder = std::env::current_exe().ok().and_then(|test| Some(test.ancestors().nth(3)?.join("fuzz-found"))).unwrap_or_default();
        std::fs::create_dir_all(&folder).expect("the folder of the build can be written to");
        let name: String = self.what.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '_' }).take(80).collect();
        let file = folder.join(format!("{target}-{name}.json"));
        std::fs::write(&file, serde_json::to_string_pretty(self).expect("requests are JSON")).expect("the folder of the build can be written to");
        file
    }
}

/// What these requests bring about in a fresh sandbox.
async fn replayed(shots: &[Shot], companies: &[Books], breaks: bool, watch: &Watch) -> Option<String> {
    let mut subject = Subject::new(companies);
    subject.unbalanced();
    panicked();
    for shot in shots {
        watch.sees(shot);
        let answer = subject.fire(shot).await;
        let wrong = judge(shot, answer.as_ref(), breaks).or_else(|| subject.unbalanced());
        if wrong.is_some() {
            return wrong;
        }
    }
    sweep::look_at_everything(&subject, watch).await
}

/// The same finding with as few requests as a while of trying gives.
pub async fn reduced(what: String, story: Story, companies: &[Books], breaks: bool, watch: &Watch) -> Finding {
    const TRIES: usize = 400;
    let mut shots = story.whole();
    if let Some(last) = shots.last().cloned()
        && replayed(std::slice::from_ref(&last), companies, breaks, watch).await.as_ref() == Some(&what)
    {
        return Finding { what, breaks, shots: vec![last] };
    }
    let (mut piece, mut tries) = (shots.len().div_ceil(2), 0);
    while piece > 0 && tries < TRIES {
        let mut at = 0;
        while at < shots.len() && tries < TRIES {
            let mut fewer = shots.clone();
            fewer.drain(at..(at + piece).min(shots.len()));
            tries += 1;
            match replayed(&fewer, companies, breaks, watch).await.as_ref() == Some(&what) {
                true => shots = fewer,
                false => at += piece,
            }
        }
        piece /= 2;
    }
    Finding { what, breaks, shots }
}

/// Sends the requests of a file again.
pub fn again(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()));
    let finding: Finding = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    listen();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().thread_name("fuzz-again").build().expect("a runtime");
        let watch = Watch::start("again");
        runtime.block_on(replayed(&finding.shots, &super::subject::companies(), finding.breaks, &watch))
    };
    std::thread::Builder::new().name("fuzz-again".into()).spawn(work).expect("a thread can be started").join().expect("the fuzzer does not panic")
}

/// Ends the process when a request has no end: nothing else can stop it.
pub struct Watch(Arc<Mutex<Option<(Instant, Shot)>>>);

impl Watch {
    pub fn start(target: &'static str) -> Watch {
        let seen: Arc<Mutex<Option<(Instant, Shot)>>> = Arc::default();
        let watched = Arc::downgrade(&seen);
        std::thread::spawn(move || {
            while let Some(seen) = watched.upgrade() {
                let late = seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone().filter(|(since, _)| since.elapsed() > LONGEST);
                if let Some((_, shot)) = late {
                    let finding = Finding { what: format!("no answer within {} s", LONGEST.as_secs()), breaks: false, shots: vec![shot] };
                    eprintln!("{}\n  kept in {}", finding.told(target), finding.keep(target).display());
                    std::process::exit(101);
                }
                drop(seen);
                std::thread::sleep(Duration::from_millis(250));
            }
        });
        Watch(seen)
    }

    pub fn sees(&self, shot: &Shot) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some((Instant::now(), shot.clone()));
    }
}
