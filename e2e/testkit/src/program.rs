//! The program `tieout` as a child process of a test.

use std::ffi::{OsStr, OsString};
use std::fs::DirEntry;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crate::guarded::{Guarded, Order};

/// What to start: arguments, environment, folder. Settings of the developer's own environment are not passed on.
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
}

/// What a program that has ended leaves.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// A running program. It is killed when the value is dropped, and when the test process ends in whatever way.
pub struct Program {
    process: Guarded,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Output {
    lines: Mutex<Vec<Line>>,
    changed: Condvar,
}

struct Line {
    from_stderr: bool,
    text: String,
}

impl Launch {
    /// The product itself, with these arguments.
    pub fn tieout<I: IntoIterator<Item: Into<OsString>>>(arguments: I) -> Launch {
        Launch::program(tieout().to_owned(), arguments)
    }

    /// Any other program, with these arguments.
    pub fn program<I: IntoIterator<Item: Into<OsString>>>(program: PathBuf, arguments: I) -> Launch {
        Launch { program, arguments: arguments.into_iter().map(Into::into).collect(), environment: Vec::new(), folder: None }
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Launch {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Launch {
        self.folder = Some(folder.into());
        self
    }

    pub fn start(self) -> Program {
        let order = Order { program: &self.program, arguments: self.arguments, user: None, end_signal: "KILL", folder: None };
        let mut process = Guarded::start(order, |command| {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            forget_settings(command);
            command.envs(self.environment);
            if let Some(folder) = &self.folder {
                command.current_dir(folder);
            }
        });
        let output = Arc::new(Output::default());
        let stdout = process.child().stdout.take().expect("the output of the child is a pipe");
        let stderr = process.child().stderr.take().expect("the errors of the child are a pipe");
        let readers = vec![collect(stdout, false, &output), collect(stderr, true, &output)];
        Program { process, output, readers }
    }

    /// Starts the program and waits for its end.
    pub fn run(self, within: Duration) -> Finished {
        self.start().finish(within)
    }
}

impl Program {
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Everything it has printed so far, both streams, in the order of arrival.
    pub fn lines(&self) -> Vec<String> {
        self.output.lock().iter().map(|line| line.text.clone()).collect()
    }

    /// Waits for a line that contains `pattern`, also among those already printed, and returns it.
    pub fn wait_for_line(&mut self, pattern: &str, within: Duration) -> String {
        let deadline = Instant::now() + within;
        loop {
            // Asked before the lines are read: what an ended program printed is then complete.
            let ended = self.process.ended();
            if ended.is_some() {
                self.readers.drain(..).for_each(|reader| reader.join().expect("a reader of output does not fail"));
            }
            let lines = self.output.lock();
            if let Some(line) = lines.iter().find(|line| line.text.contains(pattern)) {
                return line.text.clone();
            }
            let printed = || lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
            if let Some(status) = ended {
                panic!("the program ended ({status}) without a line that contains `{pattern}`; it printed:\n{}", printed());
            }
            if Instant::now() >= deadline {
                panic!("no line contained `{pattern}` within {} s; the program printed:\n{}", within.as_secs(), printed());
            }
            drop(self.output.changed.wait_timeout(lines, Duration::from_millis(50)));
        }
    }

    /// Whether it still runs.
    pub fn running(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// Waits for its end and returns all it printed.
    pub fn finish(mut self, within: Duration) -> Finished {
        let status = self.wait(within);
        self.readers.drain(..).for_each(|reader| reader.join().expect("a reader of output does not fail"));
        let lines = self.output.lock();
        let stream = |from_stderr| lines.iter().filter(|line| line.from_stderr == from_stderr).map(|line| format!("{}\n", line.text)).collect();
        Finished { status, stdout: stream(false), stderr: stream(true) }
    }

    /// Waits for its end.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.process.ended() {
                return status;
            }
            if Instant::now() >= deadline {
                panic!("the program still runs after {} s; it printed:\n{}", within.as_secs(), self.lines().join("\n"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it with signal 9: it gets no chance to tidy up.
    pub fn kill_9(&mut self) -> ExitStatus {
        self.process.signal("KILL");
        self.wait(Duration::from_secs(10))
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub fn terminate(&mut self, within: Duration) -> ExitStatus {
        self.process.signal("TERM");
        self.wait(within)
    }

    /// Sends another signal by name, such as `STOP` or `CONT`.
    pub fn signal(&mut self, name: &str) {
        self.process.signal(name);
    }
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn collect(stream: impl Read + Send + 'static, from_stderr: bool, output: &Arc<Output>) -> JoinHandle<()> {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
            output.lock().push(Line { from_stderr, text });
            output.changed.notify_all();
        }
    })
}

fn forget_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| name == "DATABASE_URL" || name.starts_with("TIEOUT_"));
        if ours {
            command.env_remove(name);
        }
    }
}

/// The built product: beside the running test, built now if it is missing or older than its source.
fn tieout() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().expect("a running test knows its own file");
        let target = test.parent().and_then(Path::parent).expect("a test runs from the folder `deps` of its build");
        let program = target.join("tieout");
        let built = std::fs::metadata(&program).and_then(|about| about.modified()).ok();
        if built.is_none_or(|built| built < newest_source(&workspace().join("crates"))) {
            build(target);
        }
        assert!(program.is_file(), "`cargo build -p server --bin tieout` did not make {}", program.display());
        program
    })
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent).expect("testkit lies in e2e, which lies in the workspace")
}

fn build(target: &Path) {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "-p", "server", "--bin", "tieout"]).current_dir(workspace()).stdin(Stdio::null());
    if target.ends_with("release") {
        command.arg("--release");
    }
    // Cargo's own variables describe the test that runs now, not the build that is asked for.
    command.env_remove("CARGO_MANIFEST_DIR").env("CARGO_TARGET_DIR", target.parent().expect("a build has a profile folder"));
    let output = command.output().expect("cargo can be started");
    assert!(output.status.success(), "the product cannot be built:\n{}", String::from_utf8_lossy(&output.stderr));
}

/// When anything that is compiled into the product was last changed. Tests are not.
fn newest_source(folder: &Path) -> SystemTime {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let time_of = |entry: DirEntry| {
        let path = entry.path();
        if path.is_dir() { if path.ends_with("tests") { None } else { Some(newest_source(&path)) } } else { entry.metadata().ok()?.modified().ok() }
    };
    entries.filter_map(time_of).max().unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Launch {
        Launch::program("/bin/sh".into(), ["-c", script])
    }

    #[test]
    fn lines_can_be_read_while_the_program_runs() {
        let mut program = shell("echo first; echo second >&2; sleep 60").start();
        assert_eq!(program.wait_for_line("sec", SOON), "second");
        assert_eq!(program.wait_for_line("first", SOON), "first");
        assert!(program.running());
    }

    #[test]
    fn an_ended_program_leaves_its_streams_and_its_exit_code() {
        let finished = shell("echo out; echo \"$WORD\" >&2; exit 3").env("WORD", "err").run(SOON);
        assert_eq!((finished.status.code(), finished.stdout.as_str(), finished.stderr.as_str()), (Some(3), "out\n", "err\n"));
    }

    #[test]
    fn a_program_can_be_asked_to_end_and_can_be_killed() {
        let mut polite = shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done").start();
        polite.wait_for_line("ready", SOON);
        assert!(polite.terminate(SOON).success());
        assert_eq!(polite.wait_for_line("bye", SOON), "bye");
        let mut stubborn = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done").start();
        stubborn.wait_for_line("ready", SOON);
        assert_eq!(stubborn.kill_9().code(), None);
    }

    #[test]
    fn no_program_outlives_its_value() {
        let program = shell("while :; do sleep 0.05; done").start();
        let id = program.id().to_string();
        drop(program);
        let alive = Command::new("/bin/sh").args(["-c", "kill -0 \"$1\"", "sh", &id]).stderr(Stdio::null()).status();
        assert!(!alive.expect("/bin/sh can be started").success());
    }
}
