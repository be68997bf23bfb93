//! What there is one of: the company's facts and preferences, changed by clients, and books that are closed.
use super::*;
use serde_json::json;

#[tokio::test]
async fn preferences_and_the_company_s_facts_are_changed_and_their_versions_move() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    let before = running.get(&tokens, "preferences").await.json()["Preferences"].clone();
    let body = json!({"Id": "1", "SyncToken": before["SyncToken"], "sparse": true, "ReportPrefs": {"ReportBasis": "Cash"}});
    let after = running.save(&tokens, "Preferences", body.clone()).await;
    assert_eq!((after["ReportPrefs"]["ReportBasis"].as_str(), after["SyncToken"].as_str()), (Some("Cash"), Some("3")));
    assert_eq!(after["ReportPrefs"]["CalcAgingReportFromTxnDate"], false, "the rest of the group stays");
    assert_eq!(running.post(&tokens, "preferences", &body).await.code(), "5010", "the version is old");
    let report = running.get(&tokens, "reports/ProfitAndLoss?start_date=2025-01-01&end_date=2025-06-30").await.json();
    assert_eq!(report["Header"]["ReportBasis"], "Cash", "reports follow the preference");
    let company = running.get(&tokens, "companyinfo/1").await.json()["CompanyInfo"].clone();
    let body = json!({"Id": "1", "SyncToken": company["SyncToken"], "sparse": true, "CompanyName": "Corner Shop and Sons"});
    let company = running.save(&tokens, "CompanyInfo", body).await;
    assert_eq!((company["CompanyName"].as_str(), company["SyncToken"].as_str()), (Some("Corner Shop and Sons"), Some("5")));
    let refused = running.post(&tokens, "companyinfo", &json!({"CompanyName": "Another"})).await;
    assert_eq!(refused.code(), "500", "there is only one");
    let wrong = json!({"Id": "1", "SyncToken": "3", "sparse": true, "ReportPrefs": {"ReportBasis": "Sometimes"}});
    assert_eq!(running.post(&tokens, "preferences", &wrong).await.code(), "2030");
}

#[tokio::test]
async fn closed_books_take_no_change_through_the_api() {
    let mut shop = shop();
    let old = shop.invoice(date(2025, 3, 10), 5_000);
    let old = shop.books.add_document(old, now()).unwrap();
    let customer = shop.customer.to_string();
    let running = start(vec![shop.books]).await;
    let tokens = running.connect(SHOP).await;
    let body = json!({"Id": "1", "SyncToken": "2", "sparse": true, "AccountingInfoPrefs": {"BookCloseDate": "2025-03-31"}});
    assert_eq!(running.save(&tokens, "Preferences", body).await["AccountingInfoPrefs"]["BookCloseDate"], "2025-03-31");
    let line = json!({"Amount": 10, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {}});
    let invoice = |day: &str| json!({"CustomerRef": {"value": customer}, "TxnDate": day, "Line": [line]});
    assert_eq!(running.post(&tokens, "invoice", &invoice("2025-03-31")).await.code(), "6200");
    let made = running.save(&tokens, "Invoice", invoice("2025-04-01")).await;
    let moved = json!({"Id": made["Id"], "SyncToken": made["SyncToken"], "sparse": true, "TxnDate": "2025-03-01"});
    assert_eq!(running.post(&tokens, "invoice", &moved).await.code(), "6200", "nothing is moved into the closed months");
    let old = json!({"Id": old.to_string(), "SyncToken": "0"});
    for operation in ["delete", "void"] {
        assert_eq!(running.post(&tokens, &format!("invoice?operation={operation}"), &old).await.code(), "6200", "{operation}");
    }
}

#[tokio::test]
async fn budgets_templates_and_exchange_rates_are_written_and_post_nothing() {
    let mut shop = shop();
    shop.books.add_contact("Bonjour SARL", "", true, false, Some("EUR"), now());
    let (sales, customer) = (shop.sales.to_string(), shop.customer.to_string());
    let journals = shop.books.journals.len();
    let running = start(vec![shop.books]).await;
    let tokens = running.connect(SHOP).await;
    let detail = |month: &str, amount: i64| json!({"BudgetDate": month, "Amount": amount, "AccountRef": {"value": sales}});
    let body = json!({"Name": "Plan", "StartDate": "2026-01-01", "EndDate": "2026-12-31", "BudgetType": "ProfitAndLoss", "BudgetEntryType": "Monthly",
        "BudgetDetail": [detail("2026-01-01", 900), detail("2026-02-01", 950)]});
    let made = running.save(&tokens, "Budget", body).await;
    assert_eq!((made["BudgetDetail"].as_array().map(Vec::len), made["SyncToken"].as_str()), (Some(2), Some("0")));
    let mut changed = made.clone();
    changed["BudgetDetail"][1]["Amount"] = json!(1_000);
    assert_eq!(running.save(&tokens, "Budget", changed.clone()).await["SyncToken"], "1");
    assert_eq!(running.post(&tokens, "budget", &changed).await.code(), "5010");
    let outside = json!({"Name": "Plan 2", "StartDate": "2026-01-01", "EndDate": "2026-01-31", "BudgetDetail": [detail("2026-02-01", 1)]});
    assert_eq!(running.post(&tokens, "budget", &outside).await.code(), "6000");

    let line = json!({"Amount": 25, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {}});
    let info = json!({"Name": "Care plan", "RecurType": "Automated", "Active": true, "ScheduleInfo": {"IntervalType": "Monthly", "NumInterval": 2, "StartDate": "2025-07-01"}});
    let body = json!({"Invoice": {"CustomerRef": {"value": customer}, "Line": [line], "RecurringInfo": info}});
    let made = running.post(&tokens, "recurringtransaction", &body).await.json()["RecurringTransaction"]["Invoice"].clone();
    assert_eq!((made["RecurringInfo"]["ScheduleInfo"]["NumInterval"].as_i64(), cents(&made["TotalAmt"])), (Some(2), Cents(2_500)), "{made}");
    let delete = json!({"Invoice": {"Id": made["Id"], "SyncToken": made["SyncToken"]}});
    assert_eq!(running.post(&tokens, "recurringtransaction?operation=delete", &delete).await.status, 200);
    assert!(running.rows(&tokens, "RecurringTransaction", "").await.is_empty());
    assert!(running.rows(&tokens, "Invoice", "").await.is_empty(), "a template is no invoice");

    let rate = json!({"SourceCurrencyCode": "EUR", "Rate": 1.25, "AsOfDate": "2025-06-02"});
    let set = running.save(&tokens, "ExchangeRate", rate).await;
    assert_eq!((set["Rate"].to_string(), set["AsOfDate"].as_str()), ("1.25".into(), Some("2025-06-02")));
    let read = running.get(&tokens, "exchangerate?sourcecurrencycode=EUR&asofdate=2025-06-10").await.json();
    assert_eq!(read["ExchangeRate"]["Rate"].to_string(), "1.25");
    assert_eq!(running.post(&tokens, "exchangerate", &json!({"SourceCurrencyCode": "XYZ", "Rate": 1})).await.code(), "2500");
    assert_eq!(running.sandbox.read(|state| state.companies[SHOP].journals.len()), journals);
}
