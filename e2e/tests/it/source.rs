//! The files of the repository, and Rust source in two layers: code, and what its literals say.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a folder of the repository, by its path from the root; nothing that git ignores by our .gitignore.
pub fn files_below(folder: &str) -> Vec<PathBuf> {
    const SKIPPED: [&str; 5] = ["target", ".git", "tieout-data", "screenshots", "node_modules"];
    let mut found = Vec::new();
    for path in entries(&root().join(folder)) {
        let from_root = path.strip_prefix(root()).expect("entries lie below the root");
        if path.is_dir() {
            if !SKIPPED.contains(&name_of(&path).as_str()) {
                found.extend(files_below(&from_root.to_string_lossy()));
            }
        } else {
            found.push(from_root.to_owned());
        }
    }
    found
}

pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

pub fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.as_ref().display()))
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("e2e lies in the workspace")
}

/// A source text in two layers of the same lines: its code, and its literals. Comments are in neither.
pub fn layers(source: &str) -> (String, String) {
    let (mut code, mut literals) = (String::new(), String::new());
    let mut rest = source;
    while let Some(character) = rest.chars().next() {
        let raw = rest.strip_prefix('r').map(|after| after.bytes().take_while(|byte| *byte == b'#').count());
        let raw =
            raw.filter(|hashes| rest[1 + hashes..].starts_with('"') && !code.ends_with(|before: char| before.is_alphanumeric() || before == '_'));
        let mut is_literal = true;
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(hashes) = raw {
            let end = format!("\"{}", "#".repeat(hashes));
            rest[hashes + 2..].find(&end).map_or(rest.len(), |at| hashes + 2 + at + end.len())
        } else if character == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|next| {
                let ends = next == '"' && !escaped;
                escaped = next == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |at| at + 2)
        } else if let Some(length) = character_literal(rest) {
            length
        } else {
            is_literal = false;
            character.len_utf8()
        };
        let is_comment = rest.starts_with("//");
        for part in rest[..length].chars() {
            match part {
                '\n' => {
                    code.push('\n');
                    literals.push('\n');
                }
                _ if is_comment => {}
                _ if is_literal => literals.push(part),
                _ => code.push(part),
            }
        }
        rest = &rest[length..];
    }
    (code, literals)
}

/// The length of the character literal that a text begins with; a lifetime is none.
fn character_literal(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let length = if inside.starts_with('\\') { 2 + inside.get(2..)?.find('\'')? } else { inside.chars().next()?.len_utf8() };
    inside.get(length..)?.starts_with('\'').then_some(length + 2)
}

/// Whether the word stands in the code, alone or after an underscore (`as_f64`).
pub fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let outside = |character: Option<char>| !character.is_some_and(char::is_alphanumeric);
        outside(code[..at].chars().next_back()) && outside(code[at + word.len()..].chars().next().filter(|next| *next != '_'))
    })
}

/// A literal such as `0.5`; `pair.0.1` and `0..9` are none.
pub fn has_float_literal(code: &str) -> bool {
    code.match_indices('.').any(|(at, _)| {
        let whole = code[..at].trim_end_matches(|character: char| character.is_ascii_digit() || character == '_');
        let begins = whole.len() < at && !whole.ends_with(|character: char| character.is_alphanumeric() || character == '.');
        begins && code[at + 1..].starts_with(|character: char| character.is_ascii_digit())
    })
}

#[test]
fn the_search_for_floats_finds_floats_and_nothing_else() {
    let float = |line: &str| {
        let (code, _) = layers(line);
        ["f32", "f64"].iter().any(|word| has_word(&code, word)) || has_float_literal(&code)
    };
    for line in ["let x: f64 = y;", "value.as_f64()", "let x = 0.5;", "f(1_000.25)", "x as f32", "vec![1.0]", "('\"', 2.5)"] {
        assert!(float(line), "{line}");
    }
    for line in ["pair.0.1", "0..9", "// 0.5", "\"0.5 f64\"", "if64", "x.0 .1", "r#\"{\n 0.5\n}\"#", "&'a str", "'\"'; // 1.5", "\"\\\"0.5\\\"\""] {
        assert!(!float(line), "{line}");
    }
}
