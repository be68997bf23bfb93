//! The examples of README.md, run as they stand there, but for the sandbox's address.

use std::time::Duration;

use testkit::{Finished, Launch, node, python, say};

use crate::source::read;
use crate::visitor::Sandbox;

const WITHIN: Duration = Duration::from_secs(60);
const ADDRESS: &str = "http://127.0.0.1:8585";

/// The one example in this language under the heading, asking this sandbox.
fn example(language: &str, sandbox: &Sandbox) -> String {
    let text = read("README.md");
    let section = text.split("\n## Use the sandbox in your own tests\n").nth(1).expect("README.md has the section");
    let section = section.split("\n## ").next().expect("a split text has a first part");
    let fence = format!("\n```{language}\n");
    let mut examples = section.split(&fence).skip(1).map(|rest| rest.split("\n```").next().expect("a fence has an end"));
    let example = examples.next().unwrap_or_else(|| panic!("README.md has no example in {language}"));
    assert!(examples.next().is_none(), "README.md has two examples in {language}");
    assert!(example.contains(ADDRESS), "the example in {language} does not name the sandbox's address");
    example.replace(ADDRESS, &sandbox.url)
}

fn ran_well(example: &str, finished: Finished) -> String {
    assert!(finished.status.success(), "{example}\n{finished:?}");
    finished.stdout
}

#[test]
fn the_readmes_example_in_python_works() {
    let Some(environment) = python("requirements") else { return };
    let sandbox = Sandbox::start(&[]);
    let example = example("python", &sandbox);
    let printed = ran_well(&example, environment.program(["-W", "ignore", "-c", &example]).run(WITHIN));
    let (count, rest) = printed.trim().split_once(" unpaid invoices, the first is due on ").unwrap_or_else(|| panic!("it printed `{printed}`"));
    assert!(count.parse::<u32>().is_ok_and(|count| count > 0) && rest.len() == "2026-01-31".len(), "{printed}");
}

#[test]
fn the_readmes_example_in_node_works() {
    let Some(environment) = node() else { return };
    let sandbox = Sandbox::start(&[]);
    let example = example("js", &sandbox);
    let printed = ran_well(&example, environment.program(["-e", &example]).run(WITHIN));
    assert!(printed.starts_with("Trial Balance, ") && printed.contains(", As at "), "{printed}");
}

#[test]
fn the_readmes_example_with_curl_works() {
    let sandbox = Sandbox::start(&[]);
    let example = example("sh", &sandbox);
    if !Launch::program("/bin/sh".into(), ["-c", "command -v curl"]).run(WITHIN).status.success() {
        say("SKIPPED: curl is missing; on Debian `sudo apt-get install curl` brings it");
        return;
    }
    let printed = ran_well(&example, Launch::program("/bin/sh".into(), ["-c", &example]).run(WITHIN));
    assert_eq!(printed, "first attempt: 429\nsecond attempt: 200\n", "{example}");
}
