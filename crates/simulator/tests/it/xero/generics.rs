//! Headers, envelope, paging, filters, errors and limits.
use super::*;
use proptest::prelude::*;
use simulator::faults::{Fault, Injected};
use simulator::limits::Problem;

fn injected(fault: Fault) -> Injected {
    Injected { face: Some(Face::Xero), company: None, path_contains: None, skip: 0, times: 1, fault }
}

// xero facts 24 and 25
#[tokio::test]
async fn json_is_asked_for_and_comes_in_the_envelope() {
    let served = Served::plain().await;
    let response = served.call("Organisation").await;
    assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
    assert!(response.headers().contains_key("xero-correlation-id"));
    let text = response.text().await.unwrap();
    assert!(text.contains(r#""DateTimeUTC":"\/Date(1781488800000)\/""#), "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((answer["Status"].as_str(), answer["ProviderName"].as_str()), (Some("OK"), Some(CLIENT)));
    assert_eq!(answer["Id"].as_str().unwrap().len(), 36);

    let bare = served
        .client
        .get(format!("{}/api.xro/2.0/Organisation", served.base))
        .bearer_auth(TOKEN)
        .header("xero-tenant-id", &served.tenant)
        .send()
        .await
        .unwrap();
    assert_eq!((bare.status(), bare.headers()["content-type"].to_str().unwrap()), (StatusCode::OK, "text/xml; charset=utf-8"));
    let xml = bare.text().await.unwrap();
    let organisation = format!("<Organisations><Organisation><Name>{}</Name>", served.books(|books| books.name.clone()));
    assert!(xml.starts_with("<?xml") && xml.contains(&organisation) && xml.ends_with("</Response>"), "{xml}");
    assert!(xml.contains("<DateTimeUTC>2026-06-15T02:00:00</DateTimeUTC>"), "{xml}");
}

// xero facts 26 and 52
#[tokio::test]
async fn the_tenant_header_and_the_path_are_matched_in_any_case() {
    let served = Served::plain().await;
    let request = |path: &str| served.client.get(format!("{}{path}", served.base)).bearer_auth(TOKEN).header("accept", "application/json");
    let upper = request("/api.xro/2.0/organisation").header("Xero-Tenant-Id", served.tenant.to_uppercase()).send().await.unwrap();
    assert_eq!(upper.status(), StatusCode::OK);
    for response in [
        request("/api.xro/2.0/Organisation").send().await.unwrap(),
        request("/api.xro/2.0/Organisation").header("xero-tenant-id", "c0ffee00-0000-4000-8000-000000000001").send().await.unwrap(),
    ] {
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let body: Value = response.json().await.unwrap();
        assert_eq!((body["Title"].as_str(), body["Detail"].as_str()), (Some("Forbidden"), Some("AuthenticationUnsuccessful")));
    }
}

fn assert_no_null(value: &Value, path: &str) {
    match value {
        Value::Null => panic!("null at {path}"),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| assert_no_null(item, &format!("{path}[{index}]"))),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| assert_no_null(field, &format!("{path}.{name}"))),
        _ => {}
    }
}

const LISTS: [(&str, &str); 12] = [
    ("Accounts", "Accounts"),
    ("Contacts", "Contacts"),
    ("TaxRates", "TaxRates"),
    ("Currencies", "Currencies"),
    ("Items", "Items"),
    ("Invoices", "Invoices"),
    ("CreditNotes", "CreditNotes"),
    ("Payments", "Payments"),
    ("BankTransactions", "BankTransactions"),
    ("BankTransfers", "BankTransfers"),
    ("ManualJournals", "ManualJournals"),
    ("Journals", "Journals"),
];

// xero facts 27, 28 and 29
#[tokio::test]
async fn there_is_no_null_anywhere_and_amounts_keep_their_decimals() {
    let served = Served::with(vec![company(3, true)]).await;
    for (path, key) in LISTS {
        let text = served.call(&format!("{path}?page=1")).await.text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(!answer[key].as_array().unwrap().is_empty(), "{path} is empty");
        assert_no_null(&answer, path);
    }
    let text = served.call("Invoices?page=1&pageSize=1000").await.text().await.unwrap();
    let whole = text.split("\"Total\":").nth(1).and_then(|rest| rest.split([',', '}']).next()).unwrap();
    assert_eq!(whole.split('.').nth(1).map(str::len), Some(2), "{whole}");
    assert!(text.contains("\\/Date("), "slashes are escaped");
    let invoice = &served.list("Invoices", "Invoices?page=1").await[0];
    let (date, twin) = (invoice["Date"].as_str().unwrap(), invoice["DateString"].as_str().unwrap());
    assert!(date.starts_with("/Date(") && date.ends_with("+0000)/") && twin.ends_with("T00:00:00"), "{date} {twin}");
    let journal = &served.list("Journals", "Journals").await[0];
    assert!(!journal["JournalDate"].as_str().unwrap().contains("+0000"));
    assert!(journal["CreatedDateUTC"].as_str().unwrap().contains("+0000"));
}

// xero facts 30 and 31
#[tokio::test]
async fn if_modified_since_filters_what_changed_in_every_form() {
    let served = Served::plain().await;
    served.sandbox.clock.advance_ms(600_000);
    let account = served.books(|books| books.accounts.values().next().unwrap().id);
    served.change(|books, now| books.rename_account(account, "Renamed account", now).unwrap());
    for form in
        ["2026-06-15T02:10:00", "2026-06-15T02:10:00.000Z", "2026-06-15T02:10:00+00:00", "Mon, 15 Jun 2026 02:10:00 GMT", "2026-06-15T02:05:00"]
    {
        let request = |path: &str| served.request(Method::GET, &format!("/api.xro/2.0/{path}")).header("if-modified-since", form).send();
        let changed: Value = request("Accounts").await.unwrap().json().await.unwrap();
        assert_eq!(changed["Accounts"].as_array().unwrap().len(), 1, "{form}");
        assert_eq!(changed["Accounts"][0]["Name"], "Renamed account");
        let invoices: Value = request("Invoices?page=1").await.unwrap().json().await.unwrap();
        assert_eq!(invoices["pagination"]["itemCount"], 0, "{form}");
        let rates: Value = request("TaxRates").await.unwrap().json().await.unwrap();
        assert!(!rates["TaxRates"].as_array().unwrap().is_empty(), "TaxRates ignore the header");
        let organisation: Value = request("Organisation").await.unwrap().json().await.unwrap();
        assert_eq!(organisation["Organisations"].as_array().unwrap().len(), 1);
    }
    let later = served.request(Method::GET, "/api.xro/2.0/Accounts").header("if-modified-since", "2026-06-15T02:10:01").send().await.unwrap();
    assert_eq!(later.json::<Value>().await.unwrap()["Accounts"], serde_json::json!([]));
    let garbage = served.request(Method::GET, "/api.xro/2.0/Accounts").header("if-modified-since", "yesterday").send().await.unwrap();
    assert_eq!(garbage.status(), StatusCode::BAD_REQUEST);
    assert!(garbage.text().await.unwrap().contains("If-Modified-Since 'yesterday'"));
}

// xero facts 32, 33, 34, 35 and 36
#[tokio::test]
async fn pages_count_clamp_and_end_empty() {
    let served = Served::plain().await;
    let count = served.books(|books| books.documents.values().filter(|d| matches!(d.kind, Kind::Invoice | Kind::Bill)).count());
    let pages = count.div_ceil(100);
    assert!(pages > 1, "the company has more than one page");
    let first = served.json("Invoices?page=1").await;
    assert_eq!(first["pagination"], serde_json::json!({"page": 1, "pageSize": 100, "pageCount": pages, "itemCount": count}));
    assert_eq!(first["Invoices"].as_array().unwrap().len(), 100);
    let beyond = served.json(&format!("Invoices?page={}", pages + 1)).await;
    assert_eq!(beyond["Invoices"], serde_json::json!([]));
    assert_eq!(beyond["pagination"]["page"], pages + 1);
    assert_eq!(served.json("Invoices?page=1&pageSize=5000").await["pagination"]["pageSize"], 1000);
    assert!(served.json("Invoices").await.get("pagination").is_none());
    let accounts = served.json("Accounts?page=2&pageSize=1").await;
    assert!(accounts.get("pagination").is_none());
    assert_eq!(accounts["Accounts"].as_array().unwrap().len(), served.books(|books| books.accounts.len()));
    assert!(served.json("PurchaseOrders").await.get("pagination").is_some());
    let (status, body) = served.refused("Invoices?page=first").await;
    assert!(status == 400 && body.contains("page must be a whole number"), "{body}");
}

// xero fact 37
#[tokio::test]
async fn pages_come_by_time_then_id_and_miss_nothing() {
    let served = Served::plain().await;
    for (path, key, id) in [("Invoices", "Invoices", "InvoiceID"), ("Payments", "Payments", "PaymentID"), ("Contacts", "Contacts", "ContactID")] {
        let mut seen = Vec::new();
        for page in 1.. {
            let records = served.list(key, &format!("{path}?page={page}&pageSize=37&includeArchived=true")).await;
            if records.is_empty() {
                break;
            }
            seen.extend(records.iter().map(|r| (milliseconds(&r["UpdatedDateUTC"]), r[id].as_str().unwrap().to_string())));
        }
        assert!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{path} is ascending");
        let mut ids: Vec<&String> = seen.iter().map(|(_, id)| id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), seen.len(), "{path} repeats nothing");
        assert_eq!(seen.len(), served.all(key, &format!("{path}?includeArchived=true")).await.len());
    }
    let codes: Vec<String> = served.list("Accounts", "Accounts").await.iter().map(|a| a["Code"].as_str().unwrap_or("").into()).collect();
    assert!(codes.is_sorted(), "{codes:?}");
}

fn milliseconds(value: &Value) -> i64 {
    value.as_str().unwrap().trim_start_matches("/Date(").split(['+', ')']).next().unwrap().parse().unwrap()
}

// xero facts 38 and 39
#[tokio::test]
async fn what_is_present_depends_on_the_call() {
    let served = Served::plain().await;
    let unpaged = served.list("Invoices", "Invoices").await;
    assert!(unpaged.iter().all(|invoice| invoice["LineItems"] == serde_json::json!([])));
    assert!(unpaged[0]["Contact"].get("ContactStatus").is_none());
    let paged = &served.list("Invoices", "Invoices?page=1").await[0];
    assert!(!paged["LineItems"].as_array().unwrap().is_empty());
    assert!(paged["Contact"].get("ContactStatus").is_none());
    let single = &served.list("Invoices", &format!("Invoices/{}", paged["InvoiceID"].as_str().unwrap())).await[0];
    assert_eq!(single["Contact"]["ContactStatus"], "ACTIVE");
    assert_eq!(single["LineItems"][0]["ValidationErrors"], serde_json::json!([]));
    assert_eq!(single["Total"], paged["Total"]);
    let summary = served.json("Invoices?summaryOnly=true").await;
    assert!(summary["Invoices"][0].get("LineItems").is_none() && summary["Invoices"][0].get("Payments").is_none());
    assert!(summary.get("pagination").is_some());
    let notes = served.list("CreditNotes", "CreditNotes").await;
    assert!(notes.iter().all(|note| note["LineItems"] == serde_json::json!([])));
}

// xero facts 40, 41 and 42
#[tokio::test]
async fn where_ids_statuses_and_order_select() {
    let served = Served::plain().await;
    let all = served.all("Invoices", "Invoices").await;
    let of = |status: &str| all.iter().filter(|invoice| invoice["Status"] == status).count();
    for filter in [r#"Status=="PAID""#, r#"Status="PAID""#, r#"status == "PAID" AND Type != "NOTHING""#] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("where", filter).finish();
        assert_eq!(served.all("Invoices", &format!("Invoices?{query}")).await.len(), of("PAID"), "{filter}");
    }
    assert!(of("PAID") > 0 && of("AUTHORISED") > 0);
    let both = served.all("Invoices", "Invoices?Statuses=PAID,VOIDED").await;
    assert_eq!(both.len(), of("PAID") + of("VOIDED"));
    let contact = all[0]["Contact"]["ContactID"].as_str().unwrap();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("where", &format!(r#"Contact.ContactID==guid("{contact}") AND Date>=DateTime(2025,1,1)"#))
        .finish();
    let expected = all.iter().filter(|i| i["Contact"]["ContactID"] == contact && i["DateString"].as_str().unwrap() >= "2025-01-01").count();
    assert_eq!(served.all("Invoices", &format!("Invoices?{query}")).await.len(), expected);
    let (one, two) = (all[3]["InvoiceID"].as_str().unwrap(), all[9]["InvoiceID"].as_str().unwrap());
    assert_eq!(served.list("Invoices", &format!("Invoices?IDs={one},{}", two.to_uppercase())).await.len(), 2);
    let (status, body) = served.refused("Invoices?IDs=12,13").await;
    assert_eq!((status, body.as_str()), (400, "Supplied parameter 'Ids' cannot be parsed - must be of type UUID."));
    let response = served.call(r#"Invoices?where=Colour%3D%3D%22red%22"#).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let body: Value = response.json().await.unwrap();
    assert_eq!((body["ErrorNumber"].as_u64(), body["Type"].as_str()), (Some(16), Some("QueryParseException")));
    assert_eq!(body["Message"], "No property or field 'Colour' exists in type 'Invoice'");
    let newest: Vec<String> =
        served.all("Invoices", "Invoices?order=Date%20DESC").await.iter().map(|i| i["DateString"].as_str().unwrap().into()).collect();
    assert!(newest.is_sorted_by(|left, right| left >= right));
    assert_eq!(newest.len(), all.len());
}

// xero facts 43 and 44
#[tokio::test]
async fn unknown_ids_and_methods_are_answered_as_the_real_api_does() {
    let served = Served::plain().await;
    for path in ["Invoices/00000000-0000-4000-8000-000000000000", "Accounts/nonsense", "Widgets", "Reports/Widgets"] {
        let response = served.call(path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        assert_eq!(response.text().await.unwrap(), "The resource you're looking for cannot be found");
    }
    let payment = served.find(&[Kind::Payment], |_, _| true);
    assert_eq!(served.refused(&format!("Invoices/{}", served.guid("Payment", payment))).await.0, 404, "an id of another entity");
    let response = served.request(Method::DELETE, "/api.xro/2.0/Invoices").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
    assert_eq!(response.json::<Value>().await.unwrap()["ErrorNumber"], 20);
}

// xero facts 45 and 46
#[tokio::test]
async fn the_sixty_first_call_of_a_minute_is_refused() {
    let served = Served::plain().await;
    served.sandbox.write(|state| state.limits.enforced = true);
    let number = |response: &Response, name: &str| response.headers()[name].to_str().unwrap().parse::<u32>().unwrap();
    for call in 1..=60 {
        let response = served.call("Organisation").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(number(&response, "x-minlimit-remaining"), 60 - call);
        assert_eq!(number(&response, "x-daylimit-remaining"), 5_000 - call);
        assert_eq!(number(&response, "x-appminlimit-remaining"), 10_000 - call);
    }
    served.sandbox.clock.advance_ms(20_000);
    let response = served.call("Organisation").await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["x-rate-limit-problem"], "minute");
    assert_eq!(number(&response, "retry-after"), 40);
    served.sandbox.clock.advance_ms(40_000);
    assert_eq!(served.call("Organisation").await.status(), StatusCode::OK);
    let response = served.request(Method::GET, "/connections").send().await.unwrap();
    assert!(response.headers().contains_key("x-appminlimit-remaining") && !response.headers().contains_key("x-minlimit-remaining"));
}

// xero fact 47
#[tokio::test]
async fn a_day_that_is_used_up_says_when_it_ends() {
    let served = Served::plain().await;
    served.sandbox.write(|state| {
        state.limits.enforced = true;
        state.limits.figures.xero_per_day = 3;
    });
    for _ in 0..3 {
        assert_eq!(served.call("Organisation").await.status(), StatusCode::OK);
    }
    served.sandbox.clock.advance_ms(1_200_000);
    let response = served.call("Organisation").await;
    assert_eq!(response.headers()["x-rate-limit-problem"], "day");
    assert_eq!(response.headers()["retry-after"], "85200");
    assert_eq!(response.headers()["x-daylimit-remaining"], "0");
}

// xero fact 48
#[tokio::test]
async fn a_sixth_call_in_flight_is_refused() {
    let served = Served::plain().await;
    served.sandbox.write(|state| {
        state.limits.enforced = true;
        for _ in 0..5 {
            state.faults.inject(injected(Fault::Delay { ms: 5_000 }));
        }
    });
    let slow: Vec<_> = (0..5)
        .map(|_| {
            let request = served.request(Method::GET, "/api.xro/2.0/Organisation");
            tokio::spawn(async move { request.send().await.unwrap().status() })
        })
        .collect();
    // each of them is inside when its wait is taken
    while !served.sandbox.read(|state| state.faults.waiting().is_empty()) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let sixth = served.call("Organisation").await;
    assert_eq!(sixth.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(sixth.headers()["x-rate-limit-problem"], "concurrent");
    for call in slow {
        assert_eq!(call.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(served.call("Organisation").await.status(), StatusCode::OK, "places are given back");
}

// xero fact 49
#[tokio::test]
async fn expired_and_unknown_tokens_are_told_apart() {
    let served = Served::plain().await;
    served.sandbox.clock.advance_ms(1_800_000);
    let response = served.call("Organisation").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let body: Value = response.json().await.unwrap();
    assert_eq!((body["Title"].as_str(), body["Status"].as_u64()), (Some("Unauthorized"), Some(401)));
    assert_eq!(body["Detail"], "TokenExpired: token expired at 06/15/2026 02:30:00");
    let response = served.request(Method::GET, "/api.xro/2.0/Organisation").header("authorization", "Bearer nothing").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

// xero fact 50
#[tokio::test]
async fn scopes_open_their_endpoints_broad_granular_and_write() {
    let served = Served::plain().await;
    for (scope, path, open) in [
        ("accounting.settings.read", "Organisation", true),
        ("accounting.settings", "Accounts", true),
        ("accounting.settings.read", "Invoices?page=1", false),
        ("accounting.invoices.read", "Invoices?page=1", true),
        ("accounting.invoices.read", "Payments?page=1", false),
        ("accounting.payments", "Payments?page=1", true),
        ("accounting.banktransactions.read", "BankTransfers", true),
        ("accounting.manualjournals.read", "ManualJournals?page=1", true),
        ("accounting.transactions", "ManualJournals?page=1", true),
        ("accounting.transactions", "Journals", false),
        ("accounting.journals.read", "Journals", true),
        ("accounting.reports.trialbalance.read", "Reports/TrialBalance", true),
        ("accounting.reports.trialbalance.read", "Reports/BalanceSheet", false),
        ("accounting.reports.read", "Reports/ProfitAndLoss", true),
        ("accounting.contacts.read", "Contacts", true),
    ] {
        served.admit(TOKEN, scope);
        let response = served.call(path).await;
        assert_eq!(response.status() == StatusCode::OK, open, "{scope} {path}");
        if !open {
            let body: Value = response.json().await.unwrap();
            assert_eq!((body["Status"].as_u64(), body["Detail"].as_str()), (Some(401), Some("AuthorizationUnsuccessful")));
        }
    }
}

// xero fact 51
#[tokio::test]
async fn injected_faults_take_the_provider_s_form() {
    let served = Served::plain().await;
    let next = async |fault: Fault| {
        served.sandbox.write(|state| state.faults.inject(injected(fault)));
        served.request(Method::GET, "/api.xro/2.0/Organisation").send().await
    };
    let offline = next(Fault::Status { status: 503 }).await.unwrap();
    assert_eq!(offline.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(offline.text().await.unwrap(), "The Organisation is offline");
    let limited = next(Fault::RateLimit { problem: Problem::Day, retry_after_secs: Some(77_000) }).await.unwrap();
    assert_eq!((&limited.headers()["x-rate-limit-problem"], &limited.headers()["retry-after"]), (&"day".parse().unwrap(), &"77000".parse().unwrap()));
    assert_eq!(next(Fault::Unauthorized).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(next(Fault::Status { status: 500 }).await.unwrap().json::<Value>().await.unwrap()["ErrorNumber"], 500);
    assert!(next(Fault::HtmlBody).await.unwrap().text().await.unwrap().starts_with("<!DOCTYPE html>"));
    assert!(next(Fault::MalformedJson).await.unwrap().json::<Value>().await.is_err());
    assert!(match next(Fault::Drop).await {
        Ok(response) => response.text().await.is_err(),
        Err(_) => true,
    });
    assert_eq!(served.call("Organisation").await.status(), StatusCode::OK);
    assert_eq!(served.sandbox.read(|state| state.calls["xero GET Organisation"]), 8);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_query_string_makes_a_list_fail_on_our_side(text in "[ -~]{0,40}", name in "(where|order|IDs|page|pageSize|Statuses|searchTerm|offset|date|periods)") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(&name, &text).finish();
        runtime.block_on(async {
            let served = Served::with(vec![Books::new(Face::Xero, "11111111-1111-4111-8111-111111111111", "Empty", "NZ", "NZD", "Pacific/Auckland", 4, 1, now())]).await;
            for path in ["Invoices", "Contacts", "Journals", "Reports/TrialBalance", "Reports/ProfitAndLoss", "Reports/BalanceSheet"] {
                let status = served.call(&format!("{path}?{query}")).await.status().as_u16();
                assert!(status == 200 || status == 400, "{path}?{query}: {status}");
            }
        });
    }
}
