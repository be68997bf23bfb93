//! What keeps people from using a page, as axe-core finds it: the rules of WCAG 2.2 up to level AA, and its best practices.

use serde_json::{Value, json};
use testkit::axe;

use super::person::Person;

/// Which rules of axe-core are asked.
#[derive(Clone, Copy)]
pub enum Rules {
    All,
    /// In the other colour scheme nothing else can differ.
    Contrast,
}

impl Rules {
    fn options(self) -> Value {
        match self {
            Rules::All => json!({"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}),
            Rules::Contrast => json!({"type": "rule", "values": ["color-contrast"]}),
        }
    }
}

/// What is wrong with the page as it stands, a sentence for each rule; nothing where axe-core cannot be had, which its look-up has said aloud.
pub async fn violations(person: &Person, rules: Rules) -> Vec<String> {
    let Some(script) = axe() else { return Vec::new() };
    let options = json!({"runOnly": rules.options(), "resultTypes": ["violations"]});
    let run = format!(
        "window.axe && axe.run(document, {options}).then((found) => found.violations.map((rule) =>
             `${{rule.id}} (${{rule.help}}), ${{rule.nodes.length}} times: ` + rule.nodes.slice(0, 4).map((node) =>
                 `${{node.target.join(' ')}} ${{node.html.slice(0, 140)}} [${{node.any.concat(node.all, node.none).map((check) => check.message).join('; ')}}]`).join(' | ')))"
    );
    // the protocol's own evaluation is not the page's script: the page's content security policy stays as it is
    let mut found = evaluate(person, &run).await;
    if found.is_null() {
        found = evaluate(person, &format!("{script}; {run}")).await;
    }
    serde_json::from_value(found).expect("violations are texts")
}

async fn evaluate(person: &Person, expression: &str) -> Value {
    let answer = person.devtools("Runtime.evaluate", json!({"expression": expression, "awaitPromise": true, "returnByValue": true})).await;
    assert!(answer.get("exceptionDetails").is_none(), "the page cannot be judged: {answer}");
    answer["result"]["value"].clone()
}

/// A judge that finds nothing proves nothing: it must see what is planted, and be there without a change to the page's policy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_planted_is_found() {
    if axe().is_none() {
        return;
    }
    let person = Person::arrive("data:").await;
    let page = "data:text/html,<html lang=en><meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">\
                <title>Planted</title><main><h1>Planted</h1><button></button><p style='color:%23ccc;background:%23fff'>pale</p></main>";
    person.goto(page).await;
    let found = violations(&person, Rules::All).await;
    for rule in ["button-name", "color-contrast"] {
        assert!(found.iter().any(|line| line.starts_with(rule)), "{rule} is not among {found:#?}");
    }
    assert_eq!(violations(&person, Rules::Contrast).await.len(), 1);
    person.leave().await;
}
