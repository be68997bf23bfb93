//! Keeps the house as ARCHITECTURE.md describes it: who may use whom, what lies where, and that every proof named in docs/features.md exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::source::{entries, files_below, has_float_literal, has_word, layers, name_of, read, root};

/// Our crates, and which of ours each may use. Tests may use the sandbox and the test kit besides.
const MAY_USE: [(&str, &[&str]); 9] = [
    ("domain", &[]),
    ("providers", &["domain"]),
    ("store", &["domain"]),
    ("engine", &["domain", "providers", "store"]),
    ("web", &["domain", "store", "engine"]),
    ("server", &["domain", "providers", "store", "engine", "web", "simulator"]),
    ("simulator", &[]),
    ("testkit", &[]),
    ("e2e", &[]),
];

/// Libraries that only their owners may use outside tests. The sandbox is a server of its own, hence its web framework.
const OWNERS: [(&str, &[&str]); 21] = [
    ("reqwest", &["providers"]),
    ("rustls", &["providers", "server", "simulator"]),
    ("tokio-rustls", &["simulator"]),
    ("lettre", &["engine"]),
    ("rcgen", &["simulator"]),
    ("sqlx", &["store"]),
    ("libsqlite3-sys", &["store"]),
    ("chacha20poly1305", &["store"]),
    ("zstd", &["store"]),
    ("axum", &["web", "simulator"]),
    ("tower", &["web", "simulator"]),
    ("tower-http", &["web", "simulator"]),
    ("askama", &["web"]),
    ("argon2", &["web"]),
    ("qrcodegen", &["web"]),
    ("sha1", &["engine"]),
    ("rsa", &["simulator"]),
    ("clap", &["server"]),
    ("toml", &["server"]),
    ("tracing-subscriber", &["server"]),
    ("indicatif", &["server"]),
];

const PRODUCT: [&str; 6] = ["domain", "providers", "store", "engine", "web", "server"];

#[test]
fn every_crate_uses_only_what_lies_below_it() {
    let mut wrong = Vec::new();
    for (owner, dependency, kind) in dependencies() {
        if !MAY_USE.iter().any(|(name, _)| *name == dependency) {
            continue;
        }
        let (_, allowed) = MAY_USE.iter().find(|(name, _)| *name == owner).unwrap_or_else(|| panic!("crate `{owner}` is not in the table MAY_USE"));
        let in_tests = kind == "dev" && (owner == "e2e" || dependency == "testkit" || (dependency == "simulator" && owner != "domain"));
        if !allowed.contains(&dependency.as_str()) && !in_tests {
            wrong.push(format!("`{owner}` may not use `{dependency}` ({kind})"));
        }
    }
    nothing(wrong);
}

#[test]
fn every_library_has_its_owner() {
    let mut wrong = Vec::new();
    for (user, dependency, kind) in dependencies() {
        if let Some((_, owners)) = OWNERS.iter().find(|(name, _)| *name == dependency)
            && kind != "dev"
            && !owners.contains(&user.as_str())
        {
            wrong.push(format!("`{user}` uses `{dependency}`, which belongs to {}", owners.join(" and ")));
        }
    }
    nothing(wrong);
}

#[test]
fn every_crate_inherits_the_lints_and_the_version_of_the_workspace() {
    let manifests = files_below("").into_iter().filter(|path| path.ends_with("Cargo.toml") && path.components().count() > 1);
    nothing(manifests.flat_map(|manifest| {
        let text = read(&manifest);
        let missing = |line: &str| (!text.contains(line)).then(|| format!("{}: `{}` is missing", manifest.display(), line.replace('\n', " ")));
        ["[lints]\nworkspace = true", "version.workspace = true", "edition.workspace = true", "license.workspace = true"]
            .into_iter()
            .filter_map(missing)
            .collect::<Vec<_>>()
    }));
}

#[test]
fn the_architecture_names_only_what_exists() {
    let text = read("ARCHITECTURE.md");
    let mut wrong = Vec::new();
    let mut folder = PathBuf::new();
    let mut named = 0;
    for line in text.lines() {
        // A heading that names a folder: the first cells of the table below it are files of that folder.
        let heading = line.starts_with('#');
        if heading {
            folder = PathBuf::new();
        }
        for name in quoted(line) {
            let in_folder =
                !folder.as_os_str().is_empty() && line.starts_with("| `") && line.split('|').nth(1).is_some_and(|cell| cell.contains(name));
            let from_root = name.contains('/') && !name.starts_with('/') && root().join(name.split('/').next().unwrap_or_default()).exists();
            let path = if in_folder { folder.join(name) } else { PathBuf::from(name) };
            if heading && from_root {
                folder = PathBuf::from(name);
            }
            if in_folder || from_root {
                named += 1;
                if !root().join(&path).exists() {
                    wrong.push(format!("ARCHITECTURE.md names {}, which does not exist", path.display()));
                }
            }
        }
    }
    assert!(named > 40, "the map in ARCHITECTURE.md names only {named} paths: its form has changed, and this test no longer reads it");
    nothing(wrong);
}

#[test]
fn every_page_is_a_pair_of_files() {
    let pages: BTreeSet<PathBuf> = files_below("crates/web/src/pages").into_iter().filter(|path| !path.ends_with("mod.rs")).collect();
    assert!(!pages.is_empty(), "crates/web/src/pages holds no page");
    nothing(pages.iter().filter_map(|page| {
        let partner = match page.extension()?.to_str()? {
            "rs" => page.with_extension("html"),
            "html" => page.with_extension("rs"),
            _ => return Some(format!("{} is neither a page's code nor its template", page.display())),
        };
        (!pages.contains(&partner)).then(|| format!("{} has no {}", page.display(), partner.display()))
    }));
}

#[test]
fn every_provider_has_its_rooms() {
    let folder = root().join("crates/providers/src");
    let providers: Vec<String> = entries(&folder).into_iter().filter(|path| path.is_dir()).map(|path| name_of(&path)).collect();
    assert!(providers.len() >= 2, "crates/providers/src holds a folder for each provider, but here are {providers:?}");
    let registry = read("crates/providers/src/registry.rs");
    nothing(providers.iter().flat_map(|provider| {
        let room = |room: &str| {
            let place = folder.join(provider);
            let exists = place.join(room).exists() || (room.ends_with(".rs") && place.join(room.trim_end_matches(".rs")).join("mod.rs").exists());
            (!exists).then(|| format!("crates/providers/src/{provider} has no {room}"))
        };
        let mut wrong: Vec<String> =
            ["mod.rs", "oauth.rs", "fetch.rs", "wire.rs", "normalize.rs", "fixtures", "logo.svg"].into_iter().filter_map(room).collect();
        if !registry.contains(provider.as_str()) {
            wrong.push(format!("crates/providers/src/registry.rs does not list {provider}"));
        }
        let imitation = format!("crates/simulator/src/{provider}");
        if !root().join(&imitation).is_dir() {
            wrong.push(format!("{imitation}, the imitation of {provider}, does not exist"));
        }
        wrong
    }));
}

// proves F10
#[test]
fn no_binary_float_is_where_money_can_be() {
    nothing(product_lines().filter_map(|line| {
        let float = ["f32", "f64"].iter().any(|word| has_word(&line.code, word)) || has_float_literal(&line.code);
        (float && !line.whole.ends_with("// not money"))
            .then(|| format!("{} (if no money can be here, end the line with `// not money`)", line.place))
    }));
}

#[test]
fn sql_is_written_only_in_the_store() {
    const STATEMENTS: [&str; 6] = ["INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "ON CONFLICT", "SELECT ", "UPDATE "];
    nothing(product_lines().filter(|line| line.owner != "store").filter_map(|line| {
        // QuickBooks has a query language of its own that looks like SQL (Intuit: "Query operations and syntax").
        let theirs = line.file.starts_with("crates/providers/src/quickbooks");
        let word = STATEMENTS.iter().find(|word| line.literals.contains(*word))?;
        (!(theirs && *word == "SELECT ")).then(|| format!("{} holds SQL (`{}`)", line.place, word.trim_end()))
    }));
}

#[test]
fn source_files_open_with_what_is_in_them_and_leave_nothing_undone() {
    let undone = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let vague = ["utils", "util", "common", "helpers", "helper", "misc"];
    let mut wrong = Vec::new();
    for file in source_files() {
        let text = read(&file);
        if !text.starts_with("//! ") {
            wrong.push(format!("{} does not begin with a sentence on what is in it (`//! …`)", file.display()));
        }
        if vague.iter().any(|name| file.file_stem().is_some_and(|stem| stem == *name)) {
            wrong.push(format!("{}: the name does not say what is in it", file.display()));
        }
        let in_tests = file.components().any(|part| part.as_os_str() == "tests");
        let outside_tests = text.split("#[cfg(test)]").next().unwrap_or_default().lines().count();
        for (number, code) in layers(&text).0.lines().enumerate() {
            let place = format!("{}:{}", file.display(), number + 1);
            wrong.extend(undone.iter().filter(|call| code.contains(*call)).map(|call| format!("{place} holds `{call}`")));
            if code.contains(".unwrap()") && !in_tests && number < outside_tests {
                wrong.push(format!("{place} holds `.unwrap()`; `expect` states why it cannot fail"));
            }
        }
    }
    nothing(wrong);
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    let private = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    const TEXT: [&str; 14] = ["rs", "toml", "md", "html", "css", "js", "sql", "json", "csv", "svg", "py", "sh", "lock", "txt"];
    nothing(files_below("").into_iter().flat_map(|file| {
        let text = file.extension().and_then(|end| end.to_str()).is_none_or(|end| TEXT.contains(&end));
        let content = if text { fs::read_to_string(root().join(&file)).unwrap_or_default() } else { String::new() };
        let named = |(number, line): (usize, &str)| {
            // Only as the beginning of a path: an address may have such a part.
            let begins = |folder: &String| {
                line.match_indices(folder.as_str())
                    .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-}/".contains(before)))
            };
            private.iter().any(begins).then(|| format!("{}:{} names a folder of one machine", file.display(), number + 1))
        };
        content.lines().enumerate().filter_map(named).collect::<Vec<_>>()
    }));
}

#[test]
fn every_crate_has_one_test_binary() {
    let tests = files_below("")
        .into_iter()
        .filter(|path| path.ends_with("tests/it/main.rs") || path.parent().is_some_and(|parent| parent.ends_with("tests")));
    nothing(
        tests
            .filter(|path| !path.ends_with("tests/it/main.rs"))
            .map(|path| format!("{} would be a second test binary; move it to tests/it", path.display())),
    );
}

/// Cargo builds a program for the tests of its own package only. Without such tests the first journey would build it, and most of its libraries again.
#[test]
fn the_program_is_built_together_with_the_tests() {
    let text = fs::read_to_string(root().join("crates/server/tests/it/main.rs")).unwrap_or_default();
    assert!(
        !text.is_empty(),
        "crates/server/tests/it/main.rs is missing: `cargo test --workspace` builds `tieout` only if the crate `server` has tests there"
    );
}

/// User, used, and `normal`, `dev` or `build`: every dependency that a manifest of ours declares.
fn dependencies() -> Vec<(String, String, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root()).output();
    let output = output.expect("cargo can be started");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let text = |value: &Value| value.as_str().unwrap_or("normal").to_owned();
    let packages = metadata["packages"].as_array().expect("cargo lists packages");
    let all = packages.iter().flat_map(|package| {
        let dependencies = package["dependencies"].as_array().expect("cargo lists dependencies");
        dependencies.iter().map(|dependency| (text(&package["name"]), text(&dependency["name"]), text(&dependency["kind"])))
    });
    let all: Vec<_> = all.collect();
    assert!(all.len() > 80, "cargo told of only {} dependencies", all.len());
    all
}

struct Line {
    owner: &'static str,
    file: PathBuf,
    place: String,
    whole: String,
    code: String,
    literals: String,
}

fn product_lines() -> impl Iterator<Item = Line> {
    PRODUCT.into_iter().flat_map(|owner| {
        let files: Vec<PathBuf> =
            files_below(&format!("crates/{owner}/src")).into_iter().filter(|file| file.extension().is_some_and(|end| end == "rs")).collect();
        assert!(!files.is_empty(), "crates/{owner}/src holds no source");
        files.into_iter().flat_map(move |file| {
            let text = read(&file);
            let (code, literals) = layers(&text);
            let layers = text.lines().zip(code.lines()).zip(literals.lines()).enumerate();
            let line = |(number, ((whole, code), literals)): (usize, ((&str, &str), &str))| Line {
                owner,
                place: format!("{}:{}: {}", file.display(), number + 1, whole.trim()),
                file: file.clone(),
                whole: whole.to_owned(),
                code: code.to_owned(),
                literals: literals.to_owned(),
            };
            layers.map(line).collect::<Vec<_>>()
        })
    })
}

fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

pub fn source_files() -> Vec<PathBuf> {
    let mut files = files_below("crates");
    files.extend(files_below("e2e"));
    files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "rs")).collect()
}

pub fn nothing(wrong: impl IntoIterator<Item = String>) {
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
