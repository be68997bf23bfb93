//! Child processes that end together with the test process, also when that is killed with signal 9.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// The process waits for a line before it becomes the program, so that its guard is there first. Without the line it ends at once.
const WAIT_THEN_BECOME: &str = r#"read go || exit 0; exec "$@" </dev/null"#;

/// The guard reads from a pipe that only the test process can write to: it ends with that process, however that ended. The parent-death signal of
/// Linux would not do: it follows the thread that started the child, and test threads come and go. The processes of an ended browser write for a
/// moment longer, so its folder counts as removed only when it has stayed away.
const GUARD: &str = r#"
alive() {
    kill -0 "$1" 2>/dev/null || return 1
    # An ended process keeps its number until its parent asks for it; in a container that can be never.
    about=
    [ -r "/proc/$1/stat" ] && read -r about <"/proc/$1/stat"
    case "${about##*) }" in Z*) return 1 ;; esac
}
read nothing
kill -"$2" "$1" 2>/dev/null
turns=0
while [ "$turns" -lt 50 ] && alive "$1"; do sleep 0.1; turns=$((turns + 1)); done
kill -KILL "$1" 2>/dev/null
# what it started and did not end is in its group
kill -KILL "-$1" 2>/dev/null
for lock in "$3"/*/SingletonLock; do
    browser=$(readlink "$lock") && kill -KILL "${browser##*-}" 2>/dev/null
done
[ -n "$3" ] || exit 0
gone=0
turns=0
while [ "$gone" -lt 2 ] && [ "$turns" -lt 50 ]; do
    [ -e "$3" ] && gone=0 || gone=$((gone + 1))
    rm -rf "$3"
    sleep 0.1
    turns=$((turns + 1))
done
"#;

/// What to start, and how to end it.
pub struct Order<'a> {
    pub program: &'a Path,
    pub arguments: Vec<OsString>,
    /// User and group to run as; only root may ask for others than its own.
    pub user: Option<(u32, u32)>,
    /// The signal that ends the program, without `SIG`.
    pub end_signal: &'a str,
    /// Removed when the program has ended. Browsers whose profiles lie in it are ended too.
    pub folder: Option<PathBuf>,
}

/// A running child and the shell that guards it.
pub struct Guarded {
    child: Child,
    guard: Child,
}

impl Guarded {
    /// Starts the order; `prepare` sets environment, folder and outputs of the child.
    pub fn start(order: Order<'_>, prepare: impl FnOnce(&mut Command)) -> Guarded {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WAIT_THEN_BECOME, "sh"]).arg(order.program).args(&order.arguments);
        prepare(&mut command);
        if let Some((user, group)) = order.user {
            command.uid(user).gid(group);
        }
        // An own process group: Ctrl-C in a terminal reaches the tests, and they end the child.
        command.stdin(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", order.program.display()));
        let guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "sh", &child.id().to_string(), order.end_signal])
            .arg(order.folder.unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("/bin/sh can be started");
        let mut signal_to_begin = child.stdin.take().expect("the input of the child is a pipe");
        signal_to_begin.write_all(b"go\n").expect("the child waits for its line");
        Guarded { child, guard }
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the state of a child can be asked for")
    }

    /// Sends a signal by name (`TERM`, `KILL`, `STOP`, `CONT`). An ended child is left alone: its number may be somebody else's by now.
    pub fn signal(&mut self, name: &str) {
        if self.ended().is_none() {
            let status = Command::new("/bin/sh").args(["-c", &format!("kill -{name} {}", self.id())]).status();
            assert!(status.is_ok_and(|status| status.success()) || self.ended().is_some(), "signal {name} cannot be sent to process {}", self.id());
        }
    }
}

impl Drop for Guarded {
    /// Closing the guard's pipe makes it end the child and remove the folder.
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.child.wait();
        let _ = self.guard.wait();
    }
}
