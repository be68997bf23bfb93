//! The program from outside: its commands, its refusals, its exit codes.
mod audit;
mod command_line;
mod refusals;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Starting a program, on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// Every file and folder below one, with what is in the files.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(contents(&path));
        }
        found.insert(path.to_string_lossy().into_owned(), std::fs::read(&path).unwrap_or_default());
    }
    found
}
