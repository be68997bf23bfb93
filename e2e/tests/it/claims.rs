//! What tests say they show, in a comment above them, and the two lists that are made of it: docs/features.md and docs/sandbox-conformance.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::conformance;
use crate::source::{read, root};
use crate::tidy::{nothing, source_files};

/// A comment above a test: what follows its first words, and the test.
struct Claim {
    place: String,
    said: String,
    test: String,
    /// What a test that runs against real providers does there: `Reading`, `Writing`.
    needs: Option<String>,
}

/// Every comment line that begins with one of these words and stands above a test.
fn claims(words: &[&str]) -> Vec<Claim> {
    let mut claims = Vec::new();
    for file in source_files() {
        let text = read(&file);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (number, line) in lines.iter().enumerate() {
            let Some(said) = words.iter().find_map(|words| line.strip_prefix("// ")?.strip_prefix(words)) else { continue };
            let place = format!("{}:{}", file.display(), number + 1);
            let of_a_test = |line: &&str| line.starts_with("#[") || line.starts_with("//");
            let above: Vec<&str> = lines[..number].iter().rev().copied().take_while(of_a_test).collect();
            let below: Vec<&str> = lines[number + 1..].iter().copied().take_while(|line| of_a_test(line) || line.contains("fn ")).collect();
            let function = below.iter().position(|line| !of_a_test(line));
            let Some(function) = function else { panic!("{place}: no test follows `{line}`") };
            let attributes = [&below[..function], &above].concat();
            let is_test = attributes.iter().any(|line| line.starts_with("#[") && line.contains("test"));
            let name = below[function].split("fn ").nth(1).and_then(|rest| rest.split(['(', '<']).next()).expect("a function has a name");
            assert!(is_test, "{place}: `{name}` is not a test");
            assert!(!attributes.iter().any(|line| line.starts_with("#[ignore")), "{place}: `{name}` is ignored, so it proves nothing");
            let first = lines[number + 1..].iter().skip(function + 1).find(|line| !line.is_empty());
            let needs = first.and_then(|line| line.split("(Needs::").nth(1)?.split(')').next()).map(str::to_owned);
            let needs = needs.filter(|_| file.starts_with("e2e/tests/it/conformance"));
            claims.push(Claim { place, said: said.trim().to_owned(), test: format!("{} {name}", file.display()), needs });
        }
    }
    claims
}

/// Writes a list anew, or says in which lines it is out of date.
fn keep(path: &str, is: &str, wanted: &str, command: &str) {
    if std::env::var_os("WRITE_FEATURES").is_some() {
        fs::write(root().join(path), wanted).unwrap_or_else(|error| panic!("{path} cannot be written: {error}"));
        return;
    }
    let differing = is.lines().zip(wanted.lines()).filter(|(is, should)| is != should);
    nothing(differing.map(|(is, should)| format!("{path} is out of date (`{command}` rewrites it)\n  is:     {is}\n  should: {should}")));
}

/// Rows of docs/features.md are `| A1 | statement | state | tests |`. Rewrite the last two columns with `make features`.
#[test]
fn the_list_of_features_tells_what_the_tests_prove() {
    let proofs = proofs();
    let text = read("docs/features.md");
    let mut wanted = String::new();
    let mut known = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let [row, statement, ..] = cells.as_slice()
            && is_row(row)
        {
            let ordinal: u32 = row[1..].parse().expect("a row is a letter and a number");
            let before = known.insert(row[..1].to_owned(), ordinal).unwrap_or_default();
            assert_eq!(ordinal, before + 1, "docs/features.md: row {row} is out of order, doubled, or follows a gap");
            let proofs = proofs.get(*row).map(Vec::as_slice).unwrap_or_default();
            let state = match proofs {
                [] => "not yet",
                proofs if proofs.iter().all(|proof| proof.in_part) => "in part",
                _ => "proven",
            };
            let tests: Vec<String> = proofs.iter().map(|proof| format!("`{}`", proof.test)).collect();
            wanted.push_str(&format!("| {row} | {statement} | {state} | {} |\n", tests.join(", ")));
        } else {
            wanted.push_str(line);
            wanted.push('\n');
        }
    }
    nothing(proofs.iter().filter_map(|(row, proofs)| {
        let ordinal: u32 = row[1..].parse().expect("a row is a letter and a number");
        let is_known = ordinal <= known.get(&row[..1]).copied().unwrap_or_default();
        (!is_known).then(|| format!("`{}` proves {row}, but docs/features.md has no such row", proofs[0].test))
    }));
    keep("docs/features.md", &text, &wanted, "make features");
}

struct Proof {
    test: String,
    /// The test shows a part of the row; what is left needs another.
    in_part: bool,
}

/// Which tests prove which row. A test says so in a comment line above it: `proves C3`, `proves C3 C12`, or `proves C3 in part`.
fn proofs() -> BTreeMap<String, Vec<Proof>> {
    let mut proofs: BTreeMap<String, Vec<Proof>> = BTreeMap::new();
    for Claim { place, said, test, .. } in claims(&["proves "]) {
        let (rows, in_part) = said.strip_suffix(" in part").map_or((said.as_str(), false), |rows| (rows, true));
        for row in rows.split([' ', ',']).filter(|row| !row.is_empty()) {
            assert!(is_row(row), "{place}: `{row}` is not a row of docs/features.md");
            proofs.entry(row.to_owned()).or_default().push(Proof { test: test.clone(), in_part });
        }
    }
    proofs
}

fn is_row(word: &str) -> bool {
    word.split_at_checked(1).is_some_and(|(letter, number)| ("A"..="K").contains(&letter) && number.parse::<u32>().is_ok())
}

/// Rows of docs/sandbox-conformance.md are `| Q12 | behaviour | source | at the provider | tests |`, Q for QuickBooks and X for Xero. A test names them
/// in a comment above it: `quickbooks fact 12`, `xero facts 3, 4 and 5`. Rewrite the last two columns with `make features`.
#[test]
fn the_list_of_conformance_tells_which_test_shows_each_behaviour() {
    let mut shown: BTreeMap<String, (Vec<String>, BTreeSet<&str>)> = BTreeMap::new();
    for (provider, letter) in [("quickbooks", 'Q'), ("xero", 'X')] {
        for Claim { place, said, test, needs } in claims(&[&format!("{provider} facts "), &format!("{provider} fact ")]) {
            let numbers = said.split([' ', ',']).filter(|word| !word.is_empty() && *word != "and").map_while(|word| word.parse::<u32>().ok());
            let numbers: Vec<u32> = numbers.collect();
            assert!(!numbers.is_empty(), "{place}: `{said}` names no fact");
            for number in numbers {
                let (tests, by) = shown.entry(format!("{letter}{number}")).or_default();
                tests.push(format!("`{test}`"));
                by.extend(needs.as_deref().map(by_doing));
            }
        }
    }
    let text = read("docs/sandbox-conformance.md");
    let (mut wanted, mut missing) = (String::new(), Vec::new());
    for line in text.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let fact = cells[0].strip_prefix(['Q', 'X']).filter(|number| number.parse::<u32>().is_ok());
        if let (Some(_), [fact, behaviour, source, ..]) = (fact, cells.as_slice()) {
            let (tests, by) = shown.remove(*fact).unwrap_or_default();
            if tests.is_empty() {
                missing.push(format!("docs/sandbox-conformance.md: no test shows {fact}: {behaviour}"));
            }
            let there = match (by.is_empty(), conformance::reason(fact)) {
                (false, None) => by.into_iter().collect::<Vec<_>>().join(", "),
                (true, Some(reason)) => format!("no: {reason}"),
                (true, None) => {
                    missing.push(format!(
                        "{fact}: no test under e2e/tests/it/conformance asks a provider, and only_here.rs does not say why: {behaviour}"
                    ));
                    String::new()
                }
                (false, Some(reason)) => {
                    missing.push(format!("{fact} is asked of providers, but only_here.rs says that it cannot be: {reason}"));
                    String::new()
                }
            };
            wanted.push_str(&format!("| {fact} | {behaviour} | {source} | {there} | {} |\n", tests.join(", ")));
        } else {
            wanted.push_str(match line {
                "| Fact | Behaviour | Source | Tests |" => "| Fact | Behaviour | Source | At the provider | Tests |",
                "| --- | --- | --- | --- |" => "| --- | --- | --- | --- | --- |",
                other => other,
            });
            wanted.push('\n');
        }
    }
    nothing(shown.iter().map(|(fact, (tests, _))| format!("{} shows {fact}, but docs/sandbox-conformance.md has no such row", tests[0])));
    keep("docs/sandbox-conformance.md", &text, &wanted, "make features");
    nothing(missing);
}

/// What a test does at a provider, as the list says it.
fn by_doing(needs: &str) -> &'static str {
    match needs {
        "Reading" => "reading",
        "Writing" => "writing",
        "SigningIn" => "signing in",
        "Limits" => "using up a limit",
        other => panic!("`{other}` is nothing a test does at a provider"),
    }
}

/// What each flow is called where a test walks through it, and its number in the specification of the pages.
const WALKS: [(u32, &[&str]); 11] = [
    (1, &["connect"]),
    (2, &["deny"]),
    (3, &["reconnect"]),
    (4, &["another account"]),
    (5, &["no companies"]),
    (6, &["duplicate"]),
    (7, &["resync", "cancel"]),
    (8, &["an error to its end"]),
    (9, &["map during sync"]),
    (11, &["a Member"]),
    (12, &["all against a limit"]),
];

/// A test that walks through a flow says so in a comment line above it: `walk-through 7: resync, cancel`.
// proves J7
#[test]
fn each_flow_is_walked_through_in_the_browser_on_both_databases() {
    let mut wrong = Vec::new();
    let claims = claims(&["walk-through "]);
    for (number, flows) in WALKS {
        let tests: Vec<&Claim> = claims.iter().filter(|claim| claim.said.split(':').next() == Some(number.to_string().as_str())).collect();
        let mut databases = String::new();
        for claim in &tests {
            let named: Vec<&str> = claim.said.split_once(": ").map_or("", |(_, named)| named).split(", ").collect();
            if named != flows {
                wrong.push(format!("{}: walk-through {number} is called {flows:?}, not {named:?}", claim.place));
            }
            let (file, test) = claim.test.split_once(' ').expect("a test has a file and a name");
            if !file.starts_with("e2e/tests/it/browser/") {
                wrong.push(format!("{}: `{test}` is no test in the browser", claim.place));
            }
            let text = read(file);
            let body = text.split(&format!("fn {test}(")).nth(1).expect("the test is there");
            databases.push_str(body.split("\n}\n").next().unwrap_or(body));
        }
        let on_both = databases.contains("each_database(") || (databases.contains("on_sqlite(") && databases.contains("postgres()"));
        if !on_both {
            let names: Vec<&str> = tests.iter().map(|claim| claim.test.as_str()).collect();
            wrong.push(format!("walk-through {number} ({}) is not walked through on both databases: {names:?}", flows.join(", ")));
        }
    }
    wrong.extend(
        claims
            .iter()
            .filter(|claim| !WALKS.iter().any(|(number, _)| claim.said.starts_with(&format!("{number}:"))))
            .map(|claim| format!("{}: there is no walk-through `{}`", claim.place, claim.said)),
    );
    nothing(wrong);
}

/// The page the product began with, sentence by sentence.
#[test]
fn every_sentence_of_the_original_page_names_a_test_in_the_browser() {
    let table = read("docs/original-page.md");
    let mut wrong = Vec::new();
    let mut rows = 0;
    for line in table.lines().filter(|line| line.ends_with("` |")) {
        rows += 1;
        let named = line.rsplit('`').nth(1).unwrap_or_default();
        let (file, test) = named.split_once(' ').unwrap_or((named, ""));
        let file = format!("e2e/tests/it/{file}");
        let is_there = root().join(&file).exists() && read(&file).contains(&format!("fn {test}("));
        if !is_there || test.is_empty() {
            wrong.push(format!("docs/original-page.md names `{named}`, which is not there: {line}"));
        }
    }
    assert!(rows > 80, "docs/original-page.md has only {rows} sentences");
    nothing(wrong);
}
