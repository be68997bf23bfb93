//! Programs of the operating system that the tests need: found, or installed where that is possible.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Where hledger is: accounting software by other authors, to compare our figures with.
pub fn hledger() -> PathBuf {
    find_or_install("hledger", &[], "hledger")
}

/// Finds `program` in `PATH` or `folders`; if it is missing, root installs Debian's `packages`, and anybody else is told what to install.
pub fn find_or_install(program: &str, folders: &[PathBuf], packages: &str) -> PathBuf {
    try_find_or_install(program, folders, packages).unwrap_or_else(|reason| panic!("this test needs the program `{program}`: {reason}"))
}

/// The same; the error says why the program is not there and what to do about it.
pub fn try_find_or_install(program: &str, folders: &[PathBuf], packages: &str) -> Result<PathBuf, String> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = INSTALLING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(path) = find(program, folders) {
        return Ok(path);
    }
    let may_install = running_as_root() && find("apt-get", &[]).is_some();
    if !may_install {
        return Err(format!("`{program}` is missing: install it, on Debian with `sudo apt-get install {packages}`, and run the test again"));
    }
    eprintln!("testkit: installing {packages}, because `{program}` is missing");
    let install = format!("apt-get update -q && apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 {packages}");
    let output = Command::new("/bin/sh")
        .args(["-c", &install])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .expect("/bin/sh can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    let missing = || format!("`{program}` is missing and `{install}` did not bring it ({}): {}", output.status, said.trim());
    find(program, folders).ok_or_else(missing)
}

/// The first file of this name in `PATH`, then in `folders`.
pub fn find(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let search = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&search).collect();
    places.extend(folders.iter().cloned());
    places.iter().map(|place| place.join(program)).find(|path| path.is_file())
}

pub fn running_as_root() -> bool {
    number_of("-u", None) == Some(0)
}

/// User and group number of an account of this machine.
pub fn account(name: &str) -> Option<(u32, u32)> {
    Some((number_of("-u", Some(name))?, number_of("-g", Some(name))?))
}

fn number_of(which: &str, name: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(which).args(name).stderr(Stdio::null()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// PostgreSQL's programs are not in `PATH` on Debian; the newest version comes first.
pub fn postgresql_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir(Path::new("/usr/lib/postgresql")).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> =
        versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))).collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, folder)| folder).collect()
}
