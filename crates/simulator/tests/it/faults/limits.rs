//! Limits: every shape of a 429, limits that move, meters that run out, and faults by a seed.
use super::*;

// M4, F-20
#[tokio::test]
async fn a_429_has_an_empty_body_and_any_shape_of_retry_after_or_none() {
    let running = start().await;
    let shapes = [Some("30"), Some("Sun, 15 Jun 2025 12:01:00 GMT"), Some("soon"), Some("-1"), None];
    for shape in shapes {
        let fault = shape.map_or(json!({"kind": "throttle"}), |text| json!({"kind": "throttle", "retry_after": text}));
        running.control("/faults", json!({"times": 2, "fault": fault})).await;
        for answer in [running.quickbooks("companyinfo/1").await, running.xero("Organisation").await] {
            assert_eq!((answer.status, answer.text.as_str(), answer.header("retry-after")), (429, "", shape));
        }
    }
    for problem in ["minute", "day", "appminute"] {
        let fault = json!({"kind": "rate_limit", "problem": problem, "retry_after_secs": 7});
        running.control("/faults", json!({"company": running.tenant, "fault": fault})).await;
        let answer = running.xero("Organisation").await;
        assert_eq!((answer.status, answer.header("x-rate-limit-problem"), answer.header("retry-after")), (429, Some(problem), Some("7")));
    }
    running.control("/faults", json!({"company": running.tenant, "times": 50, "fault": {"kind": "throttle"}})).await;
    for _ in 0..50 {
        assert_eq!(running.quickbooks("companyinfo/1").await.status, 200, "the storm is over one tenant only");
        assert_eq!(running.xero("Organisation").await.status, 429);
    }
    assert_eq!(running.xero("Organisation").await.status, 200);
}

// M5
#[tokio::test]
async fn limits_move_from_calls_at_one_time_to_calls_a_second_while_the_sandbox_runs() {
    let running = start().await;
    running.control("/limits", json!({"enforced": true, "quickbooks_concurrent": 2})).await;
    running.control("/faults", json!({"times": 2, "fault": {"kind": "drip", "bytes_per_second": 2_000}})).await;
    running.control("/faults", json!({"times": 6, "fault": {"kind": "delay", "ms": 300}})).await;
    let together = || async { futures::future::join_all((0..6).map(|_| running.quickbooks("companyinfo/1"))).await };
    let refused = |answers: &[Answer]| answers.iter().filter(|answer| answer.status == 429).count();
    let answers = together().await;
    assert!(refused(&answers) >= 1, "six at one time are more than two");
    running.control("/limits", json!({"quickbooks_concurrent": 0, "quickbooks_per_second": 3, "reset": true})).await;
    let client = running.client.delete(format!("{}/_control/faults", running.base)).send().await.expect("an answer");
    assert!(client.status().is_success());
    assert_eq!(refused(&together().await), 3);
    running.sandbox.clock.advance_ms(1_100);
    running.control("/limits", json!({"quickbooks_per_second": 500})).await;
    assert_eq!(refused(&together().await), 0);
}

// quickbooks fact 102
#[tokio::test]
async fn a_month_of_metered_reads_runs_out_and_begins_anew() {
    let running = start().await;
    running.control("/limits", json!({"enforced": true, "quickbooks_per_month": 3, "reset": true})).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(running.quickbooks("companyinfo/1").await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    running.sandbox.clock.freeze_at("2025-07-01T00:00:01Z".parse().expect("a time"));
    let fresh = pair(&running.refresh(Face::QuickBooks, &running.quickbooks.refresh).await).expect("a pair");
    let url = format!("{}/v3/company/{}/companyinfo/1", running.base, running.realm);
    assert_eq!(send(running.client.get(url).bearer_auth(fresh.access).header("accept", "application/json")).await.status, 200);
}

// quickbooks fact 100
#[tokio::test]
async fn batches_have_forty_a_minute_of_their_own() {
    let running = start().await;
    running.control("/limits", json!({"enforced": true, "quickbooks_per_second": 500, "reset": true})).await;
    let batch = || async {
        let url = format!("{}/v3/company/{}/batch", running.base, running.realm);
        let body = json!({"BatchItemRequest": [{"bId": "1", "Query": "SELECT * FROM Customer MAXRESULTS 1"}]}).to_string();
        let request = running.client.post(url).bearer_auth(&running.quickbooks.access).header("accept", "application/json");
        send(request.header("content-type", "application/json").body(body)).await.status
    };
    for _ in 0..40 {
        assert_ne!(batch().await, 429);
    }
    assert_eq!(batch().await, 429);
    assert_eq!(running.quickbooks("companyinfo/1").await.status, 200, "other calls have their own window");
    running.sandbox.clock.advance_ms(60_100);
    assert_ne!(batch().await, 429);
}

#[tokio::test]
async fn the_same_seed_hits_the_same_calls_with_the_same_faults() {
    let mut runs = Vec::new();
    for seed in [11, 11, 12] {
        let running = start().await;
        running.control("/schedule", json!({"seed": seed, "per_thousand": 300})).await;
        let from = running.look("/requests?limit=1").await["last"].as_u64().expect("a number");
        for page in 0..40 {
            // A token that a fault ended is replaced, so that the next call can be hit by something else.
            let answer = running.query(&format!("SELECT * FROM Invoice STARTPOSITION {} MAXRESULTS 5", page * 5 + 1)).await;
            if answer.status == 401 {
                let again = jiff::SignedDuration::from_hours(1);
                running.sandbox.write(|state| {
                    let access = state.grants.access.get_mut(&running.quickbooks.access).expect("the token");
                    access.expires_at = now() + again;
                });
            }
        }
        let entries = running.requests(&format!("?after={from}")).await;
        let hits: Vec<Value> = entries.iter().map(|entry| entry["fault"].clone()).collect();
        let counted = running.look("/schedule").await["hits"].as_u64().expect("a count");
        assert_eq!(counted, u64::try_from(hits.iter().filter(|hit| hit.is_string()).count()).expect("a count"));
        assert!((3..=25).contains(&counted), "about three in ten of 40: {counted}");
        // Which company it is does not differ between the runs, but the port does: only paths and faults are compared.
        runs.push(hits);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}
