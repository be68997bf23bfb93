//! Facts 27-30, 58, 59, 63 and the entities beside names and postings: lists, orders, attachments, templates.
use super::*;
use jiff::civil::date;
use simulator::books::lists::DimensionRole;
use simulator::books::{Details, Variant};

const ENTITIES: [&str; 18] = [
    "Employee",
    "Class",
    "Department",
    "Term",
    "PaymentMethod",
    "TaxCode",
    "TaxRate",
    "TaxAgency",
    "CompanyCurrency",
    "ExchangeRate",
    "Budget",
    "Attachable",
    "RecurringTransaction",
    "Estimate",
    "PurchaseOrder",
    "CreditCardPayment",
    "InventoryAdjustment",
    "TimeActivity",
];

fn key(entity: &str) -> &str {
    if entity == "CreditCardPayment" { "CreditCardPaymentTxn" } else { entity }
}

/// A made-up company with a card payment and an inventory adjustment besides.
fn everything() -> Books {
    let mut books = with_euros(11);
    let of = |books: &Books, wanted: AccountType| books.account_of(wanted).expect("made-up companies have one");
    let (bank, card, cost) = (of(&books, AccountType::Bank), of(&books, AccountType::CreditCard), of(&books, AccountType::CostOfSales));
    let asset = books.add_account("Stock", "", AccountType::Inventory, None, None, now());
    let item = *books.items.keys().next().expect("an item");
    let paid = NewDocument {
        account: Some(bank),
        to_account: Some(card),
        lines: vec![NewLine::new(card, Cents(12_000), "")],
        details: Details { variant: Some(Variant::CardPayment), ..Details::default() },
        ..NewDocument::new(Kind::Transfer, date(2025, 6, 9))
    };
    books.add_document(paid, now()).expect("a transfer to a card");
    let lost = NewDocument {
        lines: vec![
            NewLine { item: Some(item), quantity_hundredths: -200, ..NewLine::new(asset, Cents(-3_000), "") },
            NewLine::new(cost, Cents(3_000), "Shrinkage"),
        ],
        details: Details { variant: Some(Variant::InventoryAdjustment), ..Details::default() },
        ..NewDocument::new(Kind::Journal, date(2025, 6, 9))
    };
    books.add_document(lost, now()).expect("a journal");
    books
}

#[tokio::test]
async fn every_entity_is_queried_counted_ordered_and_read_by_id() {
    let company = everything();
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    for entity in ENTITIES {
        let answer = running.query(&tokens, &format!("select * from {}", entity.to_uppercase())).await;
        assert_eq!(answer.status, 200, "{entity}: {}", answer.text);
        let response = answer.json()["QueryResponse"].clone();
        let rows = response[key(entity)].as_array().unwrap_or_else(|| panic!("{entity}: {response}")).clone();
        assert_eq!(response["maxResults"], rows.len(), "{entity}");
        let count = running.query(&tokens, &format!("SELECT COUNT(*) FROM {entity}")).await.json()["QueryResponse"].clone();
        assert_eq!(count, serde_json::json!({"totalCount": rows.len()}), "{entity}");
        let has_total = ["PurchaseOrder", "ExchangeRate", "TaxCode", "TaxRate"].contains(&entity);
        assert_eq!(response.get("totalCount").is_some(), has_total, "{entity}");
        assert_eq!(response.get("startPosition").is_none(), entity == "CompanyCurrency", "{entity}");
        if matches!(entity, "ExchangeRate" | "RecurringTransaction") {
            continue;
        }
        let ordered = running.query(&tokens, &format!("SELECT * FROM {entity} ORDERBY Id DESC MAXRESULTS 1000")).await.json();
        assert_eq!(ordered["QueryResponse"][key(entity)].as_array().map(Vec::len), Some(rows.len()), "{entity}");
        for row in &rows {
            let id = row["Id"].as_str().unwrap_or_else(|| panic!("{entity}: {row}"));
            let read = running.get(&tokens, &format!("{}/{id}", entity.to_lowercase())).await;
            assert_eq!((read.status, &read.json()[key(entity)]), (200, row), "{entity}");
            let asked = running.query(&tokens, &format!("select * from {entity} where Id = '{id}'")).await.json();
            assert_eq!(asked["QueryResponse"][key(entity)][0], *row, "{entity}");
        }
    }
    assert_eq!(running.query(&tokens, "select * from CustomerType").await.json()["QueryResponse"], serde_json::json!({}));
    let inactive = |entity: &'static str| running.rows(&tokens, entity, "WHERE Active = false");
    assert_eq!(inactive("Class").await[0]["Name"], "Old line (deleted)");
    assert_eq!(inactive("Department").await[0]["FullyQualifiedName"], "Airport (deleted)");
    assert_eq!(inactive("Employee").await[0]["DisplayName"], "Jo Tane (deleted)");
    assert_eq!(running.rows(&tokens, "Estimate", "WHERE TxnStatus = 'Accepted'").await.len(), 1);
    assert_eq!(running.rows(&tokens, "PurchaseOrder", "WHERE POStatus = 'Closed'").await.len(), 2);
    assert!(running.rows(&tokens, "Employee", "WHERE HiredDate >= '2023-01-01'").await.len() == 2);
}

// quickbooks facts 58, 59
#[tokio::test]
async fn two_entities_answer_under_keys_of_their_own() {
    let company = everything();
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let paid = running.query(&tokens, "select * from creditcardpayment").await.json()["QueryResponse"].clone();
    let [row] = paid["CreditCardPaymentTxn"].as_array().expect("card payments").as_slice() else { panic!("{paid}") };
    assert_eq!((cents(&row["Amount"]), &row["BankAccountRef"]["name"]), (Cents(12_000), &"Checking".into()));
    assert!(row["CreditCardAccountRef"]["value"].is_string());
    let transfers = running.rows(&tokens, "Transfer", "MAXRESULTS 1000").await;
    assert!(!transfers.is_empty() && !ids(&transfers).contains(&row["Id"].as_str().expect("an id").to_owned()));

    let templates = running.rows(&tokens, "RecurringTransaction", "").await;
    let kinds: Vec<&String> = templates.iter().flat_map(|row| row.as_object().expect("a wrapper").keys()).collect();
    assert_eq!(kinds, ["Invoice", "Bill"]);
    let bill = &templates[1]["Bill"];
    assert_eq!((&bill["RecurringInfo"]["Name"], &bill["RecurringInfo"]["RecurType"]), (&"Rent".into(), &"Automated".into()));
    assert_eq!(bill["RecurringInfo"]["ScheduleInfo"]["NextDate"], "2025-07-01");
    assert_eq!((cents(&bill["TotalAmt"]), &bill["Id"]), (Cents(180_000), &bill["RecurDataRef"]["value"]));
    assert!(bill.get("Balance").is_none());
    let id = bill["Id"].as_str().expect("an id");
    let read = running.get(&tokens, &format!("recurringtransaction/{id}")).await.json();
    assert_eq!(read["RecurringTransaction"]["Bill"], *bill);
    assert_eq!(running.get(&tokens, &format!("bill/{id}")).await.code(), "610");
}

// quickbooks fact 63
#[tokio::test]
async fn exchange_rates_have_no_id_and_are_of_a_day() {
    let company = everything();
    let realm = company.id.clone();
    let invoice = company.documents.values().find(|d| d.currency == "EUR").expect("a document in euros").clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    assert_eq!(running.get(&tokens, "exchangerate").await.code(), "2020");
    let shown = running.get(&tokens, &format!("exchangerate?sourcecurrencycode=EUR&asofdate={}", invoice.date)).await.json()["ExchangeRate"].clone();
    assert!(shown.get("Id").is_none());
    assert_eq!((&shown["SourceCurrencyCode"], &shown["TargetCurrencyCode"]), (&"EUR".into(), &"USD".into()));
    assert_eq!((shown["AsOfDate"].as_str(), shown["Rate"].as_f64()), (Some(invoice.date.to_string().as_str()), Some(invoice.rate.0 as f64 / 1e6)));
    let asked = format!("WHERE sourcecurrencycode IN ('EUR', 'GBP') AND asofdate = '{}'", invoice.date);
    assert_eq!(running.rows(&tokens, "ExchangeRate", &asked).await, [shown]);
    let today = running.get(&tokens, "exchangerate?sourcecurrencycode=EUR").await.json()["ExchangeRate"].clone();
    assert_eq!(today["AsOfDate"], "2025-06-15");
    assert_eq!(running.get(&tokens, "exchangerate?sourcecurrencycode=XYZ").await.code(), "610");
    assert_eq!(running.get(&tokens, "exchangerate?sourcecurrencycode=EUR&asofdate=soon").await.code(), "2030");
}

#[tokio::test]
async fn tax_codes_rates_and_agencies_name_each_other() {
    let company = everything();
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let codes = running.rows(&tokens, "TaxCode", "ORDERBY Name").await;
    let names: Vec<&str> = codes.iter().map(|code| code["Id"].as_str().expect("an id")).collect();
    assert!(names.contains(&"TAX") && names.contains(&"NON"), "{names:?}");
    assert!(codes.iter().filter(|code| code["Name"] == "TAX").all(|code| code.get("SyncToken").is_none() && code.get("domain").is_none()));
    let real = codes.iter().find(|code| code["SyncToken"] == "0").expect("a code with a rate");
    let rate = real["SalesTaxRateList"]["TaxRateDetail"][0]["TaxRateRef"]["value"].as_str().expect("a rate").to_owned();
    let rate = running.get(&tokens, &format!("taxrate/{rate}")).await.json()["TaxRate"].clone();
    let agency = rate["AgencyRef"]["value"].as_str().expect("an agency").to_owned();
    let agency = running.get(&tokens, &format!("taxagency/{agency}")).await.json()["TaxAgency"].clone();
    assert_eq!(agency["TaxTrackedOnSales"], true);
    let taxed = running.rows(&tokens, "Invoice", "MAXRESULTS 1000").await.into_iter().find(|row| row["TxnTaxDetail"]["TaxLine"].is_array());
    let detail = taxed.expect("a taxed invoice")["TxnTaxDetail"].clone();
    assert_eq!(detail["TaxLine"][0]["TaxLineDetail"]["TaxRateRef"]["value"], rate["Id"]);
    assert_eq!(detail["TxnTaxCodeRef"]["value"], real["Id"]);
    assert_eq!(running.query(&tokens, "select * from JournalCode").await.code(), "5030");
    assert_eq!(running.get(&tokens, "journalcode/1").await.code(), "5030");
}

#[tokio::test]
async fn transactions_name_their_class_location_term_and_payment_method() {
    let company = everything();
    let (realm, class) = (company.id.clone(), company.dimension(DimensionRole::Class).expect("classes"));
    let classes: Vec<String> = company.lists.options.values().filter(|option| option.dimension == class).map(|o| o.id.to_string()).collect();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    for (entity, detail) in [
        ("Invoice", "SalesItemLineDetail"),
        ("Bill", "AccountBasedExpenseLineDetail"),
        ("Purchase", "AccountBasedExpenseLineDetail"),
        ("JournalEntry", "JournalEntryLineDetail"),
        ("Deposit", "DepositLineDetail"),
    ] {
        let rows = running.rows(&tokens, entity, "MAXRESULTS 1000").await;
        let lines = rows.iter().flat_map(|row| row["Line"].as_array().expect("lines"));
        let named: Vec<&str> = lines.filter_map(|line| line[detail]["ClassRef"]["value"].as_str()).collect();
        assert!(!named.is_empty() && named.iter().all(|id| classes.contains(&(*id).to_owned())), "{entity}: {named:?}");
        assert!(rows.iter().any(|row| row["DepartmentRef"]["name"].is_string()), "{entity}");
    }
    assert!(running.rows(&tokens, "Invoice", "").await.iter().all(|row| row["SalesTermRef"]["value"].is_string()));
    assert!(running.rows(&tokens, "Payment", "").await.iter().all(|row| row["PaymentMethodRef"]["name"].is_string()));
    let preferences = running.get(&tokens, "preferences").await.json()["Preferences"]["AccountingInfoPrefs"].clone();
    assert_eq!((&preferences["TrackDepartments"], &preferences["ClassTrackingPerTxnLine"]), (&true.into(), &true.into()));
}

#[tokio::test]
async fn orders_that_became_documents_are_linked_both_ways_and_deleted_ones_appear_as_stubs() {
    let company = everything();
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    for (entity, target, status) in [("Estimate", "Invoice", "TxnStatus"), ("PurchaseOrder", "Bill", "POStatus")] {
        let rows = running.rows(&tokens, entity, "").await;
        assert_eq!(rows.len(), 5, "{entity}");
        let closed = rows.iter().find(|row| row["LinkedTxn"][0].is_object()).expect("a closed order");
        assert_eq!(closed[status], "Closed");
        assert_eq!(closed["LinkedTxn"][0]["TxnType"], target);
        let id = closed["LinkedTxn"][0]["TxnId"].as_str().expect("an id");
        let document = running.get(&tokens, &format!("{}/{id}", target.to_lowercase())).await.json()[target].clone();
        let links = document["LinkedTxn"].as_array().expect("links");
        assert!(links.contains(&serde_json::json!({"TxnId": closed["Id"], "TxnType": entity})), "{links:?}");
    }
    let answer = running.get(&tokens, "cdc?entities=Estimate,TimeActivity&changedSince=2025-06-01").await;
    assert_eq!(answer.code(), "500");
    let answer = running.get(&tokens, "cdc?entities=Estimate,Class,Employee,Term,Budget&changedSince=2025-06-01").await.json();
    let groups = answer["CDCResponse"][0]["QueryResponse"].as_array().expect("groups");
    let estimates = groups[0]["Estimate"].as_array().expect("estimates");
    assert_eq!((estimates.len(), &estimates[5]["status"]), (6, &"Deleted".into()));
    for (group, entity) in groups.iter().zip(["Estimate", "Class", "Employee", "Term", "Budget"]).skip(1) {
        assert!(group[entity].as_array().is_some_and(|rows| rows.iter().all(|row| row.get("status").is_none())), "{entity}: {group}");
    }
}

#[tokio::test]
async fn a_download_answers_a_link_that_lasts_fifteen_minutes() {
    let company = everything();
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let rows = running.rows(&tokens, "Attachable", "").await;
    let file = rows.iter().find(|row| row["AttachableRef"][0]["EntityRef"]["type"] == "Invoice").expect("an invoice's file");
    let id = file["Id"].as_str().expect("an id");
    assert_eq!((id.len(), file["Size"].as_u64()), (19, Some(2_048)));
    assert_eq!(file["FileAccessUri"], format!("/v3/company/{realm}/download/{id}").as_str());
    let link = running.get(&tokens, &format!("download/{id}")).await;
    assert_eq!((link.status, link.text.as_str()), (200, file["TempDownloadUri"].as_str().expect("a link")));
    let found = running.send(running.http.get(&link.text)).await;
    assert_eq!((found.status, found.text.len(), found.header("content-type")), (200, 2_048, "text/plain"));
    assert_eq!(running.send(running.http.get(link.text.replace("signature=", "signature=0"))).await.status, 403);
    running.advance(901);
    assert_eq!(running.send(running.http.get(&link.text)).await.status, 403);
    let note = rows.iter().find(|row| row["Note"].is_string()).expect("a note");
    assert!(note.get("FileName").is_none() && note.get("TempDownloadUri").is_none());
    assert_eq!(running.get(&tokens, &format!("download/{}", note["Id"].as_str().expect("an id"))).await.code(), "610");
}

// quickbooks facts 28, 29, 30
#[tokio::test]
async fn answers_are_xml_when_asked_and_compressed_when_allowed() {
    let company = everything();
    let realm = company.id.clone();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let plain = reqwest::Client::builder().no_gzip().build().expect("a client");
    let address = format!("{}/v3/company/{realm}/query?query=select%20*%20from%20Invoice%20maxresults%205", running.base);
    let ask = |accept: Option<&'static str>| {
        let request = plain.get(&address).bearer_auth(&tokens.access);
        running.send(match accept {
            Some(accept) => request.header("accept", accept),
            None => request,
        })
    };
    let json = ask(Some("application/json")).await;
    assert!(json.header("content-type").starts_with("application/json") && json.header("content-encoding").is_empty());
    let xml = ask(Some("application/xml")).await;
    assert!(xml.header("content-type").starts_with("application/xml"));
    for part in [
        "<IntuitResponse xmlns=\"http://schema.intuit.com/finance/v3\" time=\"2025-06-15T11:00:00.000-07:00\">",
        "<QueryResponse startPosition=\"1\" maxResults=\"5\" totalCount=\"5\">",
        "<Invoice domain=\"QBO\" sparse=\"false\">",
        "<CurrencyRef name=\"United States Dollar\">USD</CurrencyRef>",
    ] {
        assert!(xml.text.contains(part), "{part} is not in {}", xml.text);
    }
    assert_eq!(xml.text.matches("<Invoice ").count(), 5);
    let unknown = running.http.get(format!("{}/v3/company/{realm}/customer/999999", running.base)).bearer_auth(&tokens.access);
    let fault = running.send(unknown.header("accept", "application/xml")).await;
    assert!(fault.status == 400 && fault.text.contains("<Fault type=\"ValidationFault\"><Error code=\"610\""), "{}", fault.text);
    for version in ["", "&minorversion=1", "&minorversion=40", "&minorversion=75", "&&format=json&minorversion=75"] {
        let request = plain.get(format!("{address}{version}")).bearer_auth(&tokens.access).header("accept", "application/json");
        assert_eq!(running.send(request).await.text, json.text, "{version}");
    }
    let packed = plain.get(&address).bearer_auth(&tokens.access).header("accept", "application/json").header("accept-encoding", "gzip");
    let packed = packed.send().await.expect("the sandbox answers");
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(packed.bytes().await.expect("a body").len() < json.text.len() / 2);
}
