//! Facts 43-62: the query endpoint.
use super::*;
use jiff::civil::date;
use simulator::books::Status;

// quickbooks facts 43, 44
#[tokio::test]
async fn get_and_post_find_the_same_in_any_case() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    let expected = running.query(&tokens, "SELECT * FROM Account").await;
    assert!(expected.json()["QueryResponse"]["Account"].is_array());
    let address = format!("{}/v3/company/{SHOP}/query", running.base);
    let with_plus = running.send(running.http.get(format!("{address}?query=select+*+from+account")).bearer_auth(&tokens.access)).await;
    assert_eq!(with_plus.text, expected.text);
    for content_type in ["application/text", "text/plain"] {
        let request = running.http.post(format!("{address}?minorversion=75")).bearer_auth(&tokens.access).header("content-type", content_type);
        assert_eq!(running.send(request.body("SELECT * FROM ACCOUNT")).await.text, expected.text);
    }
    let in_address = running.http.post(format!("{address}?query=select%20*%20from%20account")).bearer_auth(&tokens.access);
    assert_eq!(running.send(in_address).await.text, expected.text);
    let lower = running.query(&tokens, "select * from Account where metadata.lastupdatedtime >= '2020-01-01'").await;
    assert_eq!(lower.text, expected.text);
}

// quickbooks facts 45, 48, 49, 50, 62
#[tokio::test]
async fn pages_cover_every_record_once_and_a_new_row_shifts_the_next_page() {
    let company = made_up(3);
    let realm = company.id.clone();
    let expected = company.documents.values().filter(|d| d.kind == Kind::Invoice && d.status != Status::Deleted).map(|d| d.id).collect::<Vec<_>>();
    assert!(expected.len() > 180, "{} invoices", expected.len());
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let first = running.query(&tokens, "SELECT * FROM Invoice").await.json()["QueryResponse"].clone();
    assert_eq!((&first["startPosition"], &first["maxResults"], &first["totalCount"]), (&1.into(), &100.into(), &100.into()));

    let mut paged = Vec::new();
    for start in (1..).step_by(90) {
        let rows = running.rows(&tokens, "Invoice", &format!("ORDERBY Id STARTPOSITION {start} MAXRESULTS 90")).await;
        if rows.is_empty() {
            break;
        }
        paged.extend(ids(&rows));
    }
    assert_eq!(paged, expected.iter().map(u64::to_string).collect::<Vec<_>>());

    let count = running.query(&tokens, "SELECT COUNT(*) FROM Invoice ").await.json()["QueryResponse"].clone();
    assert_eq!(count, serde_json::json!({"totalCount": expected.len()}));
    let end = running.query(&tokens, "SELECT * FROM Invoice STARTPOSITION 100000").await.json()["QueryResponse"].clone();
    assert_eq!(end, serde_json::json!({}));

    let newest_first = ids(&running.rows(&tokens, "Invoice", "MAXRESULTS 1").await);
    running.change(&realm, |books, now| {
        let (customer, account) =
            books.documents.values().find(|d| d.kind == Kind::Invoice).map(|d| (d.contact, d.lines[0].account)).expect("an invoice");
        let invoice = NewDocument {
            contact: customer,
            lines: vec![NewLine::new(account, Cents(100), "")],
            ..NewDocument::new(Kind::Invoice, date(2025, 6, 14))
        };
        books.add_document(invoice, now).expect("a good invoice")
    });
    assert_eq!(ids(&running.rows(&tokens, "Invoice", "STARTPOSITION 2 MAXRESULTS 1").await), newest_first);
}

// quickbooks facts 45, 46, 57
#[tokio::test]
async fn wrong_statements_are_refused_with_the_reason() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    for (statement, code, detail) in [
        ("SELECT * FROM Invoice STARTPOSITION 0", "4001", "QueryValidationError: value 0 is too small. Min allowed value is 1"),
        ("SELECT * FROM Invoice MAXRESULTS 1001", "4001", "QueryValidationError: value 1001 is too large. Max allowed value is 1000"),
        ("SELECT * FROM Unicorn", "4001", "QueryValidationError: Invalid context declaration: Unicorn"),
        ("SELECT * FROM Invoice WHERE Horn = '1'", "4001", "QueryValidationError: Property Horn not found for Entity Invoice"),
        ("SELECT * FROM Invoice WHERE Active = true", "4001", "QueryValidationError: Property Active not found for Entity Invoice"),
        ("SELECT * FROM Invoice WHERE TxnDate > 'yesterday'", "4001", "QueryValidationError: Invalid value 'yesterday' for property TxnDate"),
        ("SELECT * FROM Invoice WHERE Id = '1' OR Id = '2'", "4000", "QueryParserError: Encountered \" <IDENTIFIER> \"OR \"\" at line 1, column 38."),
        ("", "4000", "QueryParserError: Encountered \" <EOF> \" \"\" at line 1, column 1."),
    ] {
        let answer = running.query(&tokens, statement).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{statement}");
        assert!(answer.detail().starts_with(detail), "{statement}: {}", answer.detail());
        assert_eq!(answer.json()["Fault"]["type"], "ValidationFault");
    }
    assert_eq!(running.query(&tokens, "SELECT").await.json()["Fault"]["Error"][0]["Message"], "Error parsing query");
}

// quickbooks facts 51, 52, 78
#[tokio::test]
async fn inactive_names_are_found_only_when_asked_for_and_carry_the_suffix() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    let rent = shop().rent;
    running.change(SHOP, |books, now| books.set_account_active(rent, false, now).expect("a plain account"));
    let names = |rows: Vec<Value>| rows.iter().map(|row| row["Name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>();
    assert_eq!(
        names(running.rows(&tokens, "Account", "").await),
        ["Accounts Payable (A/P)", "Accounts Receivable (A/R)", "Checking", "Retained Earnings", "Sales"]
    );
    assert_eq!(running.rows(&tokens, "Account", "WHERE Active = True").await.len(), 5);
    assert_eq!(running.rows(&tokens, "Account", "WHERE Active IN (true, false)").await.len(), 6);
    let inactive = running.rows(&tokens, "Account", "WHERE Active = false").await;
    assert_eq!(names(inactive.clone()), ["Rent (deleted)"]);
    assert_eq!(inactive[0]["FullyQualifiedName"], "Rent (deleted)");
    assert_eq!(inactive[0]["Active"], false);
    let read = running.get(&tokens, &format!("account/{rent}")).await;
    assert_eq!((read.status, &read.json()["Account"]), (200, &inactive[0]));
}

// quickbooks facts 52, 53, 54
#[tokio::test]
async fn conditions_on_any_property_hold_together() {
    let mut company = shop();
    let at = now();
    for (index, cents) in [(1, 10_000), (2, 30_000), (3, 30_001)] {
        let document = company.invoice(date(2025, 6, index), cents);
        company.books.add_document(document, at).expect("a good invoice");
    }
    let customer = company.customer;
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let count = async |rest: &str| running.rows(&tokens, "Invoice", rest).await.len();
    assert_eq!(count("WHERE TotalAmt > '300.00'").await, 1);
    assert_eq!(count("WHERE TotalAmt >= 300").await, 2);
    assert_eq!(count("WHERE TotalAmt IN ('100', '300.01')").await, 2);
    assert_eq!(count(&format!("WHERE CustomerRef = '{customer}' AND TxnDate >= '2025-06-02' AND TxnDate <= '2025-06-02'")).await, 1);
    assert_eq!(count("WHERE CustomerRef = '999'").await, 0);
    assert_eq!(count("WHERE Balance = '0'").await, 0);
    assert_eq!(running.rows(&tokens, "Customer", r"WHERE DisplayName = 'Amy\'s Bird Sanctuary'").await.len(), 1);
    assert_eq!(running.rows(&tokens, "Customer", "WHERE DisplayName LIKE '%Bird%'").await.len(), 1);
    assert_eq!(running.rows(&tokens, "Customer", "WHERE DisplayName LIKE 'Bird%'").await.len(), 0);
    assert_eq!(running.rows(&tokens, "Account", "WHERE AccountType = 'Accounts Receivable' AND Classification = 'Asset'").await.len(), 1);
    let amounts: Vec<String> =
        running.rows(&tokens, "Invoice", "ORDER BY TotalAmt DESC, Id").await.iter().map(|row| row["TotalAmt"].to_string()).collect();
    assert_eq!(amounts, ["300.01", "300.0", "100.0"]);
    let part = running.query(&tokens, "SELECT Id, TotalAmt, MetaData.CreateTime FROM Invoice MAXRESULTS 1").await.json();
    let mut keys: Vec<String> = part["QueryResponse"]["Invoice"][0].as_object().expect("a row").keys().cloned().collect();
    keys.sort();
    assert_eq!(keys, ["Id", "MetaData", "TotalAmt", "domain", "sparse"]);
}

// quickbooks fact 55
#[tokio::test]
async fn times_compare_as_instants_in_every_spelling() {
    let mut company = shop();
    let document = company.invoice(date(2025, 6, 1), 100);
    let at: Timestamp = "2025-06-10T17:30:00.700Z".parse().expect("a timestamp");
    company.books.add_document(document, at).expect("a good invoice");
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    for (condition, expected) in [
        (">= '2025-06-10T17:30:00Z'", 1),
        ("> '2025-06-10T17:30:00Z'", 0),
        ("<= '2025-06-10T10:30:00-07:00'", 1),
        (">= '2025-06-10T10:30:01-0700'", 0),
        (">= '2025-06-10T10:30:00'", 1),
        (">= '2025-06-10T19:30:01+02:00'", 0),
        (">= '2025-06-10'", 1),
        (">= '2025-06-11'", 0),
    ] {
        let found = running.rows(&tokens, "Invoice", &format!("WHERE Metadata.LastUpdatedTime {condition}")).await;
        assert_eq!(found.len(), expected, "{condition}");
    }
}

// quickbooks facts 47, 61
#[tokio::test]
async fn ids_order_and_compare_as_numbers_and_the_default_order_is_by_name_or_newest() {
    let company = made_up(4);
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let numbers = |rows: &[Value]| ids(rows).iter().map(|id| id.parse::<u64>().expect("a number")).collect::<Vec<_>>();
    let ordered = numbers(&running.rows(&tokens, "Bill", "ORDER BY Id MAXRESULTS 1000 STARTPOSITION 1").await);
    assert!(ordered.len() > 100 && ordered.is_sorted());
    let middle = ordered[ordered.len() / 2];
    let above = numbers(&running.rows(&tokens, "Bill", &format!("WHERE Id > '{middle}' ORDERBY Id MAXRESULTS 1000")).await);
    assert_eq!(above, ordered[ordered.len() / 2 + 1..]);
    let newest: Vec<String> =
        running.rows(&tokens, "Bill", "MAXRESULTS 50").await.iter().map(|row| row["TxnDate"].as_str().expect("a date").to_owned()).collect();
    assert!(newest.is_sorted_by(|left, right| left >= right));
    let names: Vec<String> =
        running.rows(&tokens, "Vendor", "").await.iter().map(|row| row["DisplayName"].as_str().expect("a name").to_lowercase()).collect();
    assert!(names.len() > 5 && names.is_sorted());
}

// quickbooks fact 60
#[tokio::test]
async fn company_and_preferences_answer_without_a_start_position() {
    let running = start(vec![shop().books]).await;
    let tokens = running.connect(SHOP).await;
    for entity in ["CompanyInfo", "Preferences"] {
        let response = running.query(&tokens, &format!("select * from {entity}")).await.json()["QueryResponse"].clone();
        assert_eq!(response["maxResults"], 1);
        assert!(response.get("startPosition").is_none() && response.get("totalCount").is_none());
    }
    let preferences = running.get(&tokens, "preferences").await.json()["Preferences"].clone();
    assert_eq!(preferences["CurrencyPrefs"]["HomeCurrency"]["value"], "USD");
    assert_eq!(preferences["CurrencyPrefs"]["MultiCurrencyEnabled"], false);
    assert_eq!(preferences["ReportPrefs"]["ReportBasis"], "Accrual");
    for unused in ["Employee", "Class", "Estimate", "creditcardpayment"] {
        assert_eq!(running.query(&tokens, &format!("select * from {unused}")).await.json()["QueryResponse"], serde_json::json!({}));
    }
}

#[tokio::test]
async fn named_ids_find_the_living_records_of_that_entity_only() {
    let mut company = shop();
    let at = now();
    let invoices: Vec<u64> =
        (1..=3).map(|day| company.books.add_document(company.invoice(date(2025, 6, day), 100), at).expect("a good invoice")).collect();
    let bill = company.books.add_document(company.bill(date(2025, 6, 1), 100), at).expect("a good bill");
    company.books.delete(invoices[1], at).expect("an open invoice");
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let asked = format!("WHERE Id IN ('{}', '{}', '{}', '{bill}', '1', '999999') ORDERBY Id", invoices[2], invoices[1], invoices[0]);
    assert_eq!(ids(&running.rows(&tokens, "Invoice", &asked).await), [invoices[0].to_string(), invoices[2].to_string()]);
    assert_eq!(running.rows(&tokens, "Invoice", &format!("WHERE Id = '{}' AND TxnDate = '2025-06-02'", invoices[0])).await.len(), 0);
    assert_eq!(running.query(&tokens, "SELECT * FROM Invoice WHERE Id = 'abc'").await.code(), "4001");
    assert_eq!(running.rows(&tokens, "CompanyInfo", "WHERE Id = '2'").await.len(), 0);
}
