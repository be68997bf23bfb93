//! The command palette: what it offers to whom, and the page without a script.
use crate::sample::Sample;
use axum::http::StatusCode;
use serde_json::Value;
use testkit::each_database;

async fn commands(sample: &Sample, token: &str, query: &str) -> Vec<Value> {
    let answer = sample.get_as(token, &format!("/palette/index.json{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    serde_json::from_str::<Value>(&answer.body).unwrap()["commands"].as_array().unwrap().clone()
}

// proves K1 in part
#[tokio::test]
async fn the_palette_offers_what_the_role_allows_and_nothing_else() {
    each_database(|url| async move {
        let sample = Sample::full(&url).await;
        let owner = commands(&sample, &sample.owner_token, "").await;
        let label = |command: &Value| command["label"].as_str().unwrap().to_owned();
        let of = |label: &str| owner.iter().find(|command| command["label"] == label).unwrap_or_else(|| panic!("`{label}` is not offered"));
        for (name, href) in [
            ("Data Feed", "/integrations/data-feed"),
            ("Integration Logs", "/integrations/logs"),
            ("Auto Resync All", "/integrations/data-feed/resync-all"),
            ("API keys", "/organization/api-keys"),
            ("Audit log", "/organization/audit"),
        ] {
            assert_eq!(of(name)["href"], href);
        }
        // what changes something is a form; the one that concerns many asks first on a page of its own
        let resync = of("Resync Northlight Studio");
        assert!(resync["post"] == true && resync["href"].as_str().unwrap().ends_with("/resync"));
        assert!(of("Auto Resync All")["post"].is_null());
        // what is not possible now says why
        let refused: Vec<&Value> = owner.iter().filter(|command| !command["disabled"].is_null()).collect();
        assert!(refused.iter().any(|command| command["disabled"].as_str().unwrap().contains("Reconnect first")), "{refused:?}");
        assert!(owner.iter().any(|command| label(command).starts_with("Reconnect ") && command["post"] == true));
        // every address is there
        for command in owner.iter().filter(|command| command["post"].is_null()) {
            let href = command["href"].as_str().unwrap();
            let answer = sample.get_as(&sample.owner_token, href).await;
            assert_eq!(answer.status, StatusCode::OK, "{href}");
        }
        // people by name and address, what runs, and what waits for somebody before anything is typed
        assert_eq!(of("Export the log as CSV")["href"], "/integrations/logs/all/export?format=csv");
        assert!(owner.iter().any(|command| command["group"] == "Members" && command["hint"].as_str().unwrap().starts_with("Member, ")), "{owner:?}");
        let cancel = of("Cancel the sync of Cedar Dental Group");
        assert!(cancel["post"] == true && cancel["href"].as_str().unwrap().ends_with("/cancel"));
        let first: Vec<&str> = owner.iter().filter(|command| command["first"] == true).map(|command| command["group"].as_str().unwrap()).collect();
        assert!(first.starts_with(&["Running"]) && first.contains(&"Needs a person") && first.contains(&"Pages"), "{first:?}");
        // companies by part of their name, in any case
        let some = commands(&sample, &sample.owner_token, "?q=NORTHLIGHT").await;
        assert!(some.iter().any(|command| label(command) == "Northlight Studio") && !some.iter().any(|command| label(command).contains("Tern")));
        // what is typed may also say what to do with it
        let some = commands(&sample, &sample.owner_token, "?q=Resync+north").await;
        assert!(
            some.iter().any(|command| label(command) == "Resync Northlight Studio") && !some.iter().any(|command| label(command).contains("Tern"))
        );

        // a request id of the provider leads to the entries whose details name it, a run's id to its log; a Member is offered neither
        let request = "7F0C2A4E-11c9-4a55-9f0e-d2f1f6b0b6a1";
        let named = commands(&sample, &sample.owner_token, &format!("?q={request}")).await;
        let entry = named.iter().find(|command| command["group"] == "References").unwrap_or_else(|| panic!("{named:?}"));
        assert!(label(entry).starts_with(&format!("{request}: ")), "{entry}");
        let shown = sample.get_as(&sample.owner_token, entry["href"].as_str().unwrap()).await;
        assert!(shown.status == StatusCode::OK && shown.body.contains(&request.to_lowercase()), "{}", shown.body);
        let run_id = cancel["href"].as_str().unwrap().split('/').nth(3).unwrap();
        let named = commands(&sample, &sample.owner_token, &format!("?q={run_id}")).await;
        let run = named.iter().find(|command| command["group"] == "References").unwrap_or_else(|| panic!("{named:?}"));
        assert!(run["hint"] == "Cedar Dental Group" && run["href"].as_str().unwrap().ends_with(&format!("?run={run_id}")), "{run}");
        assert_eq!(sample.get_as(&sample.owner_token, run["href"].as_str().unwrap()).await.status, StatusCode::OK);
        let page = sample.get_as(&sample.owner_token, &format!("/palette?q={request}")).await;
        assert!(page.body.contains("References") && page.body.contains(entry["href"].as_str().unwrap()), "{}", page.body);
        for text in [request, run_id] {
            let named = commands(&sample, &sample.member_token, &format!("?q={text}")).await;
            assert!(named.iter().all(|command| command["group"] != "References"), "{named:?}");
        }

        let member = commands(&sample, &sample.member_token, "").await;
        assert!(member.iter().any(|command| label(command) == "Northlight Studio"));
        for command in &member {
            let href = command["href"].as_str().unwrap();
            assert!(
                !href.starts_with("/integrations") && !href.ends_with("/resync") && !href.starts_with("/organization"),
                "a Member is offered {command}"
            );
        }

        let page = sample.get_as(&sample.owner_token, "/palette?q=resync+north").await;
        assert!(page.body.contains("Command Palette") && page.body.contains("Resync Northlight Studio") && !page.body.contains("Resync Tern"));
        assert!(page.body.contains("Search for a command to run..."));
        let page = sample.get_as(&sample.owner_token, "/palette?q=zzzz").await;
        assert!(page.body.contains("No command fits"));
        let dark = sample.post("/preferences/theme?theme=dark", "").await;
        assert_eq!(dark.status, StatusCode::SEE_OTHER);
    })
    .await;
}
