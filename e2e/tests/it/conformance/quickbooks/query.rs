//! The query endpoint and batches of queries.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Needs, cents, company, fault, ids, names};

// quickbooks facts 43 and 44
#[tokio::test]
async fn get_and_post_find_the_same_in_any_case() {
    let Some(company) = company(Needs::Reading).await else { return };
    let expected = company.rows("Account", "").await;
    assert!(!expected.is_empty());
    let with_plus = company.send(company.call(Method::GET, "query?query=select+*+from+account")).await;
    assert_eq!(with_plus.json()["QueryResponse"]["Account"].as_array(), Some(&expected));
    for content_type in ["application/text", "text/plain"] {
        let request = company.call(Method::POST, "query?minorversion=75").header("content-type", content_type);
        let answer = company.send(request.body("SELECT * FROM ACCOUNT")).await;
        assert_eq!(answer.json()["QueryResponse"]["Account"].as_array(), Some(&expected), "{content_type}");
    }
    let lower = company.response("select * from Account where metadata.lastupdatedtime >= '2000-01-01'").await;
    assert_eq!(lower["Account"].as_array(), Some(&expected));
}

// quickbooks facts 45, 48, 49 and 50
#[tokio::test]
async fn pages_cover_every_record_once_and_counts_agree() {
    let Some(company) = company(Needs::Reading).await else { return };
    let count = company.response("SELECT COUNT(*) FROM Invoice").await;
    assert_eq!(names(&count), ["totalCount"]);
    let count = usize::try_from(count["totalCount"].as_u64().expect("a count")).expect("small");
    let first = company.response("SELECT * FROM Invoice").await;
    assert_eq!((&first["startPosition"], &first["maxResults"]), (&1.into(), &count.min(100).into()));
    assert!(first["totalCount"].is_u64() && company.response("SELECT * FROM Customer").await.get("totalCount").is_none());
    let mut paged = Vec::new();
    loop {
        let rows = company.rows("Invoice", &format!("ORDERBY Id STARTPOSITION {} MAXRESULTS 500", paged.len() + 1)).await;
        if rows.is_empty() {
            break;
        }
        paged.extend(ids(&rows));
    }
    let mut once = paged.clone();
    once.sort();
    once.dedup();
    // other tests may write meanwhile
    assert!(once.len() == paged.len() && paged.len() >= count, "{} of {count}", paged.len());
    assert_eq!(company.response("SELECT * FROM Invoice STARTPOSITION 1000000").await, json!({}));
    assert_eq!(company.response("SELECT COUNT(*) FROM Invoice WHERE Id = '99999999'").await, json!({"totalCount": 0}));
    assert_eq!(company.rows("Invoice", "MAXRESULTS 1000").await.len().min(1_000), paged.len().min(1_000));
}

// quickbooks facts 45, 46 and 57
#[tokio::test]
async fn wrong_statements_are_refused_with_the_reason() {
    let Some(company) = company(Needs::Reading).await else { return };
    for (statement, code, detail) in [
        ("SELECT * FROM Invoice STARTPOSITION 0", "4001", "QueryValidationError: value 0 is too small. Min allowed value is 1"),
        ("SELECT * FROM Invoice MAXRESULTS 1001", "4001", "QueryValidationError: value 1001 is too large. Max allowed value is 1000"),
        ("SELECT * FROM Invoice WHERE Id = '1' OR Id = '2'", "4000", "QueryParserError: Encountered"),
        ("SELECT", "4000", "QueryParserError: Encountered"),
    ] {
        let answer = company.query(statement).await;
        let (found, said) = fault(&answer);
        assert_eq!((answer.status, found.as_str()), (400, code), "{statement}: {}", answer.text);
        assert!(said.starts_with(detail), "{statement}: {said}");
        if code == "4000" {
            assert_eq!(answer.json()["Fault"]["Error"][0]["Message"], "Error parsing query");
        }
    }
}

// quickbooks facts 47 and 61
#[tokio::test]
async fn clauses_come_in_either_order_ids_sort_as_numbers_and_the_default_order_is_by_name_or_newest() {
    let Some(company) = company(Needs::Reading).await else { return };
    let numbers = |rows: &[Value]| ids(rows).iter().map(|id| id.parse::<u64>().expect("a number")).collect::<Vec<_>>();
    let ordered = numbers(&company.rows("Bill", "ORDER BY Id MAXRESULTS 50 STARTPOSITION 1").await);
    assert!(!ordered.is_empty() && ordered.is_sorted());
    assert_eq!(numbers(&company.rows("Bill", "ORDERBY Id STARTPOSITION 1 MAXRESULTS 50").await), ordered);
    let text = |rows: Vec<Value>, name: &str| rows.iter().map(|row| row[name].as_str().expect("a text").to_lowercase()).collect::<Vec<_>>();
    let newest = text(company.rows("Bill", "MAXRESULTS 50").await, "TxnDate");
    assert!(newest.is_sorted_by(|left, right| left >= right), "{newest:?}");
    let by_name = text(company.rows("Vendor", "MAXRESULTS 50").await, "DisplayName");
    assert!(by_name.len() > 1 && by_name.is_sorted(), "{by_name:?}");
}

// quickbooks facts 51 and 52
#[tokio::test]
async fn only_active_names_are_found_unless_others_are_asked_for() {
    let Some(company) = company(Needs::Reading).await else { return };
    let count = async |condition: &str| company.rows("Account", &format!("{condition} MAXRESULTS 1000")).await;
    let active = count("").await;
    assert!(!active.is_empty() && active.iter().all(|account| account["Active"] == true));
    assert_eq!(count("WHERE Active = True").await.len(), active.len());
    let inactive = count("WHERE Active = false").await;
    assert!(inactive.iter().all(|account| account["Active"] == false));
    assert_eq!(count("WHERE Active IN (true, false)").await.len(), active.len() + inactive.len());
    let most = active.iter().map(|account| cents(&account["CurrentBalance"])).max().expect("an account");
    let amount = format!("{}.{:02}", most / 100, most % 100);
    assert_eq!(count(&format!("WHERE CurrentBalance >= '{amount}'")).await.len(), count(&format!("WHERE CurrentBalance >= {amount}")).await.len());
}

// quickbooks fact 54
#[tokio::test]
async fn percent_signs_match_at_start_and_end() {
    let Some(company) = company(Needs::Reading).await else { return };
    let customers = company.rows("Customer", "MAXRESULTS 1").await;
    let name = customers[0]["DisplayName"].as_str().expect("a name").to_owned();
    let plain: String = name.chars().take_while(|one| one.is_ascii_alphanumeric()).collect();
    let found = async |pattern: String| ids(&company.rows("Customer", &format!("WHERE DisplayName LIKE '{pattern}' MAXRESULTS 1000")).await);
    let id = customers[0]["Id"].as_str().expect("an id").to_owned();
    assert!(found(format!("{plain}%")).await.contains(&id));
    assert!(found(format!("%{}%", &plain[plain.len() / 2..])).await.contains(&id));
    assert!(!found(format!("x{plain}%")).await.contains(&id));
}

// quickbooks fact 55
#[tokio::test]
async fn times_compare_as_instants_in_every_spelling() {
    let Some(company) = company(Needs::Reading).await else { return };
    let row = company.rows("Invoice", "ORDERBY MetaData.LastUpdatedTime DESC STARTPOSITION 5 MAXRESULTS 1").await.remove(0);
    let id = row["Id"].as_str().expect("an id");
    let moment: jiff::Timestamp = row["MetaData"]["LastUpdatedTime"].as_str().expect("a time").parse().expect("a time");
    let zoned = moment.in_tz("America/Los_Angeles").expect("a known zone");
    let later = moment + jiff::SignedDuration::from_secs(1);
    for (condition, holds) in [
        (format!(">= '{moment}'"), true),
        (format!("<= '{}'", zoned.strftime("%Y-%m-%dT%H:%M:%S%:z")), true),
        (format!(">= '{}'", zoned.strftime("%Y-%m-%dT%H:%M:%S")), true),
        (format!(">= '{}'", zoned.strftime("%Y-%m-%d")), true),
        (format!(">= '{later}'"), false),
        (format!("< '{}'", zoned.strftime("%Y-%m-%dT%H:%M:%S%z")), false),
    ] {
        let found = company.rows("Invoice", &format!("WHERE Id = '{id}' AND MetaData.LastUpdatedTime {condition}")).await;
        assert_eq!(!found.is_empty(), holds, "{condition}");
    }
}

// quickbooks facts 58, 59, 60 and 63
#[tokio::test]
async fn some_entities_answer_under_names_and_frames_of_their_own() {
    let Some(company) = company(Needs::Reading).await else { return };
    for entity in ["CompanyInfo", "Preferences"] {
        let response = company.response(&format!("select * from {entity}")).await;
        assert_eq!(response["maxResults"], 1);
        assert!(response.get("startPosition").is_none() && response.get("totalCount").is_none());
    }
    let paid = company.response("select * from creditcardpayment").await;
    assert!(paid == json!({}) || paid["CreditCardPaymentTxn"].is_array(), "{paid}");
    for template in company.rows("RecurringTransaction", "").await {
        let wrapped: Vec<&Value> = template.as_object().expect("a wrapper").values().collect();
        assert!(wrapped.len() == 1 && wrapped[0]["RecurringInfo"].is_object(), "{template}");
    }
    let rate = company.get("exchangerate").await;
    assert_eq!((rate.status, fault(&rate).0.as_str()), (400, "2020"), "{}", rate.text);
    for rate in company.rows("ExchangeRate", "").await {
        assert!(rate.get("Id").is_none() && rate["SourceCurrencyCode"].is_string(), "{rate}");
    }
}

// quickbooks facts 72, 73 and 74
#[tokio::test]
async fn the_items_of_a_batch_succeed_or_fail_on_their_own() {
    let Some(company) = company(Needs::Reading).await else { return };
    let item = |id: &str, statement: &str| json!({"bId": id, "Query": statement});
    let body = json!({"BatchItemRequest": [item("a", "select * from CompanyInfo"), item("b", "select * from Unicorn"), item("c", "select count(*) from Account")]});
    let answer = company.post("batch", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let items = answer.json()["BatchItemResponse"].as_array().expect("items").clone();
    let by = |id: &str| items.iter().find(|item| item["bId"] == id).unwrap_or_else(|| panic!("{id} is missing")).clone();
    assert_eq!(by("a")["QueryResponse"]["CompanyInfo"].as_array().map(Vec::len), Some(1));
    assert!(by("b")["Fault"]["Error"][0]["code"].is_string() && by("b").get("QueryResponse").is_none());
    assert!(by("c")["QueryResponse"]["totalCount"].is_u64());
    let many: Vec<Value> = (0..31).map(|at| item(&at.to_string(), "select * from CompanyInfo")).collect();
    assert_eq!(company.refused("batch", &json!({"BatchItemRequest": many})).await.0, "1040");
}
