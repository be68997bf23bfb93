//! Classic expenses: receipts, claims, what they post, and documents as they are printed.
use super::*;
use serde_json::json;
use simulator::books::Status;

async fn with_expenses() -> Served {
    let spec = CompanySpec::plain(Face::Xero, 11, date(2026, 1, 1), date(2026, 6, 10));
    Served::with(vec![generate(Face::Xero, CompanySpec { classic_expenses: true, ..spec }, now())]).await
}

impl Served {
    async fn wrote(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let response = self.request(method, &format!("/api.xro/2.0/{path}")).json(&body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

const WRITE: &str = "accounting.transactions accounting.settings.read accounting.journals.read accounting.reports.read accounting.contacts";

#[tokio::test]
async fn receipts_and_claims_are_listed_with_what_they_hold() {
    let served = with_expenses().await;
    let receipts = served.list("Receipts", "Receipts").await;
    assert_eq!(receipts.len(), 4);
    for receipt in &receipts {
        assert!(["DRAFT", "SUBMITTED", "AUTHORISED"].contains(&receipt["Status"].as_str().unwrap()), "{receipt}");
        assert!(
            receipt["LineItems"].as_array().unwrap().is_empty() && receipt["User"]["UserID"].is_string() && receipt["Contact"]["Name"].is_string()
        );
        assert_eq!(cents(&receipt["SubTotal"]) + cents(&receipt["TotalTax"]), cents(&receipt["Total"]));
        let one = served.json(&format!("Receipts/{}", receipt["ReceiptID"].as_str().unwrap())).await["Receipts"][0].clone();
        assert_eq!(one["LineItems"].as_array().unwrap().len(), 1);
    }
    let claims = served.list("ExpenseClaims", "ExpenseClaims").await;
    let statuses: Vec<&str> = claims.iter().map(|claim| claim["Status"].as_str().unwrap()).collect();
    assert_eq!(statuses.len(), 2);
    assert!(statuses.contains(&"SUBMITTED") && statuses.contains(&"AUTHORISED"), "{statuses:?}");
    let approved = claims.iter().find(|claim| claim["Status"] == "AUTHORISED").unwrap();
    let one = served.json(&format!("ExpenseClaims/{}", approved["ExpenseClaimID"].as_str().unwrap())).await["ExpenseClaims"][0].clone();
    assert_eq!((one["Receipts"].as_array().unwrap().len(), one["Payments"].as_array().unwrap().len()), (2, 1));
    assert_eq!(cents(&one["AmountDue"]) + cents(&one["AmountPaid"]), cents(&one["Total"]));
    let recent = served.request(Method::GET, "/api.xro/2.0/ExpenseClaims").header("if-modified-since", "2026-06-16T00:00:00").send().await.unwrap();
    assert!(recent.json::<Value>().await.unwrap()["ExpenseClaims"].as_array().unwrap().is_empty(), "If-Modified-Since filters them");
}

// xero fact 75
#[tokio::test]
async fn a_claim_posts_when_it_is_approved_and_again_when_it_is_paid() {
    let served = with_expenses().await;
    let journals = served.books(|books| {
        let of_claims = books.journals.iter().filter(|journal| books.claim_of(journal.document).is_some());
        of_claims.map(|journal| (journal.number, journal.kind)).collect::<Vec<_>>()
    });
    assert_eq!(journals.len(), 2);
    let claim = served.books(|books| books.xero.claims.values().find(|claim| claim.document.is_some()).unwrap().clone());
    let unpaid = served.list("Accounts", "Accounts?where=Code==\"801\"").await;
    assert_eq!(unpaid[0]["SystemAccount"], "UNPAIDEXPCLM");
    for (number, kind) in journals {
        let found = served.list("Journals", &format!("Journals?offset={}", number - 1)).await[0].clone();
        let (source, word) = if kind == Kind::Journal { ("EXPCLAIM", "ExpenseClaim") } else { ("EXPPAYMENT", "Payment") };
        assert_eq!(found["SourceType"], source);
        let id = if kind == Kind::Journal { claim.id } else { claim.payments[0] };
        assert_eq!(found["SourceID"], served.guid(word, id).as_str());
        let lines = found["JournalLines"].as_array().unwrap();
        assert_eq!(lines.iter().map(|line| cents(&line["NetAmount"])).sum::<Cents>(), Cents::ZERO);
        assert!(lines.iter().any(|line| line["AccountCode"] == "801"));
    }
    // neither is listed among the documents that post the same way
    for (key, kinds) in [("ManualJournals", [Kind::Journal].as_slice()), ("BankTransactions", &[Kind::Expense, Kind::Deposit, Kind::SalesReceipt])] {
        let listed = served.all(key, key).await.len();
        let (all, of_claims) = served.books(|books| {
            let of_kind = || {
                books
                    .documents
                    .values()
                    .filter(|document| kinds.contains(&document.kind) || (key == "BankTransactions" && document.kind == Kind::RefundReceipt))
            };
            (of_kind().count(), of_kind().filter(|document| document.is_of_a_claim()).count())
        });
        assert_eq!((listed, of_claims), (all - 1, 1), "{key}");
    }
}

#[tokio::test]
async fn a_client_writes_receipts_hands_them_in_and_has_the_claim_approved_and_voided() {
    let served = Served::plain().await;
    served.admit(TOKEN, WRITE);
    let line = json!({"Description": "Train", "Quantity": "1.0", "UnitAmount": "48.00", "AccountCode": "493", "TaxType": "INPUT2"});
    let receipt = json!({"Contact": {"Name": "Night Trains"}, "Date": "2026-06-12", "LineItems": [line], "LineAmountTypes": "Inclusive"});
    let (status, answer) = served.wrote(Method::PUT, "Receipts", json!({"Receipts": [receipt]})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let made = answer["Receipts"][0].clone();
    assert_eq!((made["Status"].as_str(), cents(&made["Total"]), cents(&made["TotalTax"])), (Some("DRAFT"), Cents(4_800), Cents(626)));
    let id = made["ReceiptID"].as_str().unwrap().to_owned();
    let (status, answer) = served.wrote(Method::POST, &format!("Receipts/{id}"), json!({"Reference": "Trip 7"})).await;
    assert_eq!((status, answer["Receipts"][0]["Reference"].as_str()), (StatusCode::OK, Some("Trip 7")), "{answer}");
    let claim = json!({"ExpenseClaims": [{"Receipts": [{"ReceiptID": id}]}]});
    let (status, answer) = served.wrote(Method::PUT, "ExpenseClaims", claim.clone()).await;
    assert_eq!((status, answer["ExpenseClaims"][0]["Status"].as_str()), (StatusCode::OK, Some("SUBMITTED")), "{answer}");
    assert_eq!(served.wrote(Method::PUT, "ExpenseClaims", claim).await.0, StatusCode::BAD_REQUEST, "a receipt is claimed once");
    let id = answer["ExpenseClaims"][0]["ExpenseClaimID"].as_str().unwrap().to_owned();
    let sum = |served: &Served| served.books(|books| books.balances_at(date(2026, 6, 15)).values().copied().sum::<Cents>());
    let (_, answer) = served.wrote(Method::POST, &format!("ExpenseClaims/{id}"), json!({"Status": "AUTHORISED"})).await;
    assert_eq!((answer["ExpenseClaims"][0]["Status"].as_str(), cents(&answer["ExpenseClaims"][0]["AmountDue"])), (Some("AUTHORISED"), Cents(4_800)));
    let unpaid = |books: &Books| books.accounts.values().find(|account| account.code == "801").map(|account| account.id).unwrap();
    assert_eq!(served.books(|books| books.balances_at(date(2026, 6, 15))[&unpaid(books)]), Cents(-4_800));
    assert_eq!(sum(&served), Cents::ZERO);
    let (_, answer) = served.wrote(Method::POST, &format!("ExpenseClaims/{id}"), json!({"Status": "VOIDED"})).await;
    assert_eq!(answer["ExpenseClaims"][0]["Status"], "VOIDED");
    assert!(served.books(|books| !books.balances_at(date(2026, 6, 15)).contains_key(&unpaid(books))));
    assert_eq!(sum(&served), Cents::ZERO);
}

#[tokio::test]
async fn documents_are_printed_on_request() {
    let served = Served::plain().await;
    let invoice = served.find(&[Kind::Invoice], |books, id| books.documents[&id].status == Status::Active);
    let path = format!("/api.xro/2.0/Invoices/{}", served.guid("Invoice", invoice));
    for (path, accept) in [(format!("{path}/pdf"), "application/pdf"), (path.clone(), "application/pdf")] {
        let request = served.client.get(format!("{}{path}", served.base)).bearer_auth(TOKEN).header("xero-tenant-id", &served.tenant);
        let printed = request.header("accept", accept).send().await.unwrap();
        assert_eq!((printed.status(), printed.headers()["content-type"].to_str().unwrap()), (StatusCode::OK, "application/pdf"));
        assert!(printed.bytes().await.unwrap().starts_with(b"%PDF-1.4"));
    }
    assert_eq!(served.refused("Payments/00000000-0000-0000-0000-000000000000/pdf").await.0, 404);
}

#[tokio::test]
async fn the_1099_report_sums_what_suppliers_were_paid_in_a_year() {
    let mut spec = CompanySpec::plain(Face::Xero, 12, date(2025, 1, 1), date(2026, 6, 10));
    (spec.country, spec.currency, spec.time_zone) = ("US".into(), "USD".into(), "America/New_York".into());
    let served = Served::with(vec![generate(Face::Xero, spec, now())]).await;
    let reports = served.list("Reports", "Reports/TenNinetyNine?reportYear=2025").await;
    let names: Vec<&str> = reports.iter().map(|report| report["ReportName"].as_str().unwrap()).collect();
    assert_eq!(names, ["1099-NEC report", "1099-MISC report"]);
    assert_eq!(reports[0]["ReportDate"], "1 Jan 2025 to 31 Dec 2025");
    let contacts = reports[0]["Contacts"].as_array().unwrap();
    assert!(!contacts.is_empty() && contacts.iter().all(|contact| cents(&contact["Box1"]) >= Cents(60_000) && contact["ContactId"].is_string()));
    let elsewhere = Served::plain().await;
    assert_eq!(elsewhere.refused("Reports/TenNinetyNine").await.0, 400, "organisations elsewhere have none");
    assert_eq!(served.refused("Reports/TenNinetyNine?reportYear=soon").await.0, 400);
}
