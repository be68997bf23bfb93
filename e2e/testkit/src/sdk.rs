//! Throw-away environments with libraries of other authors, at the versions that `e2e/sdk` pins.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

use crate::Launch;
use crate::packages::{running_as_root, try_find_or_install};

/// An interpreter that finds the installed libraries.
pub struct Environment {
    interpreter: PathBuf,
    scripts: PathBuf,
    variables: Vec<(&'static str, PathBuf)>,
}

impl Environment {
    /// A script of `e2e/sdk`, with arguments.
    pub fn script(&self, name: &str, arguments: &[&str]) -> Launch {
        let script = self.scripts.join(name);
        assert!(script.is_file(), "{} does not exist", script.display());
        self.program([script.to_string_lossy().as_ref()].iter().chain(arguments).copied())
    }

    /// The interpreter itself, with arguments.
    pub fn program<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Launch {
        self.variables.iter().fold(Launch::program(self.interpreter.clone(), arguments), |launch, (name, value)| launch.env(name, value))
    }
}

/// Python with the libraries of `e2e/sdk/python/{list}.txt`. Nothing where they cannot be installed: then a sentence says why.
pub fn python(list: &str) -> Option<Environment> {
    told(list, || {
        let scripts = pins().join("python");
        let python = try_find_or_install("python3", &[], "python3 python3-venv")?;
        if !succeeds(Command::new(&python).args(["-c", "import ensurepip"])) && running_as_root() {
            // Debian keeps it apart; the name of a program that is missing for sure makes it come.
            let _ = try_find_or_install("the module ensurepip", &[], "python3-venv");
        }
        let pins = scripts.join(format!("{list}.txt"));
        let folder = made_once(&format!("python-{list}"), &[&pins, &python], |folder| {
            run(Command::new(&python).args(["-m", "venv"]).arg(folder))?;
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1", "--require-hashes", "-r"];
            run(Command::new(folder.join("bin/python")).args(pip).arg(&pins))
        })?;
        // compiled copies of the scripts would lie among the sources
        Ok(Environment { interpreter: folder.join("bin/python"), scripts, variables: vec![("PYTHONDONTWRITEBYTECODE", "1".into())] })
    })
}

/// Node with the libraries of `e2e/sdk/node/package-lock.json`. Nothing where they cannot be installed: then a sentence says why.
pub fn node() -> Option<Environment> {
    told("node", || {
        let node = try_find_or_install("node", &[], "nodejs npm")?;
        let modules = node_modules("node", &node)?;
        Ok(Environment { interpreter: node, scripts: pins().join("node"), variables: vec![("NODE_PATH", modules)] })
    })
}

/// The script of axe-core, which looks for what keeps people from using a page. Nothing where it cannot be installed: then a sentence says why.
pub fn axe() -> Option<&'static str> {
    static SCRIPT: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let node = try_find_or_install("node", &[], "nodejs npm")?;
        let script = node_modules("axe", &node)?.join("axe-core/axe.min.js");
        fs::read_to_string(&script).map_err(|error| format!("{} cannot be read: {error}", script.display()))
    };
    SCRIPT.get_or_init(|| told("axe", read)).as_deref()
}

/// What `e2e/sdk/{list}/package-lock.json` names, installed.
fn node_modules(list: &str, node: &Path) -> Result<PathBuf, String> {
    let npm = try_find_or_install("npm", &[], "npm")?;
    let pins = pins().join(list);
    let (package, lock) = (pins.join("package.json"), pins.join("package-lock.json"));
    let folder = made_once(list, &[&lock, node], |folder| {
        fs::create_dir_all(folder).and_then(|()| fs::copy(&package, folder.join("package.json"))).map_err(|error| error.to_string())?;
        fs::copy(&lock, folder.join("package-lock.json")).map_err(|error| error.to_string())?;
        run(Command::new(&npm)
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"])
            .current_dir(folder))
    })?;
    Ok(folder.join("node_modules"))
}

/// Says a sentence that is read although the test passes: what a test prints is shown only when it fails.
pub fn say(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "{sentence}");
}

/// What could not be made is not tried again by the other tests of this process: without a network each try takes its time.
fn told<T>(what: &str, make: impl FnOnce() -> Result<T, String>) -> Option<T> {
    static MISSING: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut missing = MISSING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if missing.contains(what) {
        say(&format!("SKIPPED: the libraries `{what}` are not here"));
        return None;
    }
    match make() {
        Ok(made) => Some(made),
        Err(reason) => {
            say(&format!("SKIPPED: the libraries `{what}` are not here, and {reason}"));
            missing.insert(what.to_owned());
            None
        }
    }
}

fn pins() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("testkit lies in e2e");
    folder.join("sdk")
}

/// A folder beside the build, made anew whenever one of `inputs` is another; tests that need it at the same time wait for the first.
fn made_once(name: &str, inputs: &[&Path], make: impl FnOnce(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let test = std::env::current_exe().expect("a running test knows its own file");
    let place = test.parent().and_then(Path::parent).expect("a test runs from the folder `deps` of its build").join("sdk");
    let mut content = DefaultHasher::new();
    for input in inputs {
        input.hash(&mut content);
        fs::metadata(input).and_then(|about| if about.len() < 1_000_000 { fs::read(input) } else { Ok(Vec::new()) }).ok().hash(&mut content);
    }
    let folder = place.join(format!("{name}-{:016x}", content.finish()));
    let complete = folder.join(".complete");
    let prepare = || -> std::io::Result<File> {
        fs::create_dir_all(&place)?;
        let lock = File::create(place.join(format!("{name}.lock")))?;
        lock.lock()?;
        Ok(lock)
    };
    let lock = prepare().map_err(|error| format!("{} cannot be written to: {error}", place.display()))?;
    if !complete.is_file() {
        let _ = fs::remove_dir_all(&folder);
        make(&folder)?;
        fs::write(&complete, "").map_err(|error| error.to_string())?;
    }
    drop(lock);
    Ok(folder)
}

fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs a step of an installation; its last words are the reason when it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{:?} cannot be started: {error}", command.get_program()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing").trim().to_owned();
    Err(format!("installing them failed ({}): {last}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_made_once_and_again_when_its_pins_change() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let pins = folder.path().join("pins.txt");
        let name = format!("test-{}", std::process::id());
        let mut made = 0;
        let mut ask = |content: &str| {
            fs::write(&pins, content).expect("the folder can be written to");
            let place = made_once(&name, &[&pins], |folder| {
                made += 1;
                fs::create_dir_all(folder).map_err(|error| error.to_string())
            });
            place.expect("it can be made")
        };
        let (first, again, other) = (ask("a==1"), ask("a==1"), ask("a==2"));
        assert_eq!(first, again);
        assert_ne!(first, other);
        assert_eq!(made, 2);
        let lock = first.parent().expect("a folder has a parent").join(format!("{name}.lock"));
        for path in [first, other] {
            fs::remove_dir_all(path).expect("it is there");
        }
        fs::remove_file(lock).expect("it is there");
        let refused = made_once(&name, &[&pins], |_| Err("no network".into()));
        assert_eq!(refused, Err("no network".into()));
    }
}
