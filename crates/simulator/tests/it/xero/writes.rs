//! PUT, POST and DELETE: what clients make and change, and how they are told what is wrong.
use super::*;
use proptest::prelude::*;
use serde_json::json;
use simulator::books::Status;

pub const WRITE_SCOPES: &str = "accounting.settings accounting.contacts accounting.transactions accounting.attachments accounting.journals.read \
                            accounting.reports.read accounting.budgets.read";

async fn writable() -> Served {
    let served = Served::with(vec![company(7, true)]).await;
    served.admit(TOKEN, WRITE_SCOPES);
    served
}

impl Served {
    /// Sends a body; status and JSON of the answer.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let response = self.request(method, &format!("/api.xro/2.0/{path}")).json(body).send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// The first record a good PUT or POST answers with.
    pub async fn saved(&self, method: Method, path: &str, key: &str, body: Value) -> Value {
        let (status, answer) = self.send(method, path, &body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer[key][0].clone()
    }

    pub async fn put(&self, path: &str, body: Value) -> Value {
        self.saved(Method::PUT, path, path.rsplit('/').next().unwrap(), body).await
    }

    /// The messages of a refused call.
    pub async fn messages(&self, method: Method, path: &str, body: Value) -> Vec<String> {
        let (status, answer) = self.send(method, path, &body).await;
        assert_eq!((status, answer["ErrorNumber"].as_u64(), answer["Type"].as_str()), (400, Some(10), Some("ValidationException")), "{answer}");
        let elements = answer["Elements"].as_array().unwrap();
        let errors = elements.iter().flat_map(|element| element["ValidationErrors"].as_array().unwrap().clone());
        errors.map(|error| error["Message"].as_str().unwrap().to_string()).collect()
    }

    pub fn assert_sound(&self) {
        self.books(crate::books::assert_sound);
    }

    pub fn code_of(&self, wanted: simulator::books::AccountType) -> String {
        self.books(|books| books.accounts[&books.account_of(wanted).unwrap()].code.clone())
    }
}

use simulator::books::AccountType::{Bank, Expense, Income};

pub fn an_invoice(served: &Served, kind: &str, contact: &str) -> Value {
    let account = served.code_of(if kind.starts_with("ACCREC") { Income } else { Expense });
    json!({
        "Type": kind, "Contact": {"Name": contact}, "Date": "2026-06-01", "DueDate": "2026-06-20", "Reference": "PO 17", "Status": "AUTHORISED",
        "LineAmountTypes": "NoTax",
        "LineItems": [{"Description": "Rope", "Quantity": 2.5, "UnitAmount": 40.10, "AccountCode": account}, {"Description": "Knots", "LineAmount": "9.75", "AccountCode": account}]
    })
}

#[tokio::test]
async fn an_invoice_goes_from_draft_to_approved_to_paid_to_void() {
    let served = writable().await;
    let mut body = an_invoice(&served, "ACCREC", "Brand New Customer");
    body["Status"] = json!("DRAFT");
    let draft = served.put("Invoices", json!({"Invoices": [body]})).await;
    assert_eq!((draft["Status"].as_str(), cents(&draft["Total"]), cents(&draft["AmountDue"])), (Some("DRAFT"), Cents(11_000), Cents(11_000)));
    assert_eq!((draft["Reference"].as_str(), draft["Contact"]["IsCustomer"].as_bool()), (Some("PO 17"), Some(true)));
    assert_eq!(draft["LineItems"][0]["UnitAmount"].to_string(), "40.1");
    let id = draft["InvoiceID"].as_str().unwrap().to_string();
    let journals_before = served.books(|books| books.journals.len());

    let approved = served.saved(Method::POST, &format!("Invoices/{id}"), "Invoices", json!({"Status": "AUTHORISED"})).await;
    assert_eq!(
        (approved["Status"].as_str(), approved["LineItems"][0]["LineItemID"].as_str()),
        (Some("AUTHORISED"), draft["LineItems"][0]["LineItemID"].as_str())
    );
    assert_eq!(served.books(|books| books.journals.len()), journals_before + 1, "approval posts");

    let bank = served.code_of(Bank);
    let bank = if bank.is_empty() {
        served.books(|books| json!({"AccountID": books.guid("Account", books.account_of(Bank).unwrap())}))
    } else {
        json!({"Code": bank})
    };
    let payment =
        json!({"Invoice": {"InvoiceID": id}, "Account": bank, "Date": "/Date(1781481600000+0000)/", "Amount": 110.00, "Reference": "Thanks"});
    let too_much =
        served.messages(Method::PUT, "Payments", json!({"Payments": [{"Invoice": {"InvoiceID": id}, "Account": bank, "Amount": 110.01}]})).await;
    assert_eq!(too_much, ["Payment amount exceeds the amount outstanding on this document"]);
    let paid = served.put("Payments", json!({"Payments": [payment]})).await;
    assert_eq!((paid["PaymentType"].as_str(), paid["Date"].as_str()), (Some("ACCRECPAYMENT"), Some("/Date(1781481600000+0000)/")));
    let invoice = served.list("Invoices", &format!("Invoices/{id}")).await.remove(0);
    assert_eq!((invoice["Status"].as_str(), cents(&invoice["AmountPaid"])), (Some("PAID"), Cents(11_000)));

    let refused = served.messages(Method::POST, &format!("Invoices/{id}"), json!({"Status": "VOIDED"})).await;
    assert_eq!(refused, ["Invoice not of valid status for modification"]);
    let payment_id = paid["PaymentID"].as_str().unwrap();
    let deleted = served.saved(Method::POST, &format!("Payments/{payment_id}"), "Payments", json!({"Payments": [{"Status": "DELETED"}]})).await;
    assert_eq!(deleted["Status"], "DELETED");
    let voided = served.saved(Method::POST, "Invoices", "Invoices", json!({"Invoices": [{"InvoiceID": id, "Status": "VOIDED"}]})).await;
    assert_eq!((voided["Status"].as_str(), cents(&voided["AmountDue"]), cents(&voided["Total"])), (Some("VOIDED"), Cents::ZERO, Cents(11_000)));
    served.assert_sound();
}

#[tokio::test]
async fn amounts_with_tax_inside_come_to_what_was_sent() {
    let served = writable().await;
    let code = served.books(|books| books.tax_rates.iter().find(|rate| rate.for_sales && rate.basis_points == 1_500).unwrap().code.clone());
    let mut body = an_invoice(&served, "ACCREC", "Inclusive Ltd");
    body["LineAmountTypes"] = json!("Inclusive");
    // 15 % of the net of 8.70 would be 1.31: the tax is what the whole leaves
    body["LineItems"] =
        json!([{"Description": "All in", "Quantity": 1, "UnitAmount": 10.00, "AccountCode": served.code_of(Income), "TaxType": code}]);
    let made = served.put("Invoices", body).await;
    let line = &made["LineItems"][0];
    assert_eq!((cents(&made["SubTotal"]), cents(&made["TotalTax"]), cents(&made["Total"])), (Cents(870), Cents(130), Cents(1_000)));
    assert_eq!((cents(&line["LineAmount"]), cents(&line["TaxAmount"]), cents(&line["UnitAmount"])), (Cents(1_000), Cents(130), Cents(1_000)));
    assert_eq!(made["LineAmountTypes"], "Inclusive");
    served.assert_sound();
}

#[tokio::test]
async fn what_is_wrong_is_told_per_element() {
    let served = writable().await;
    let count = served.books(|books| books.documents.len());
    let good = an_invoice(&served, "ACCREC", "Good");
    let bad = json!({"Type": "ACCREC", "Contact": {"Name": "Bad"}, "Date": "2026-13-01", "LineItems": [{"Description": "x", "LineAmount": 1, "AccountCode": "no such"}]});
    let messages = served.messages(Method::PUT, "Invoices", json!({"Invoices": [good, bad]})).await;
    assert_eq!(messages, ["Date '2026-13-01' is not a date", "Account code 'no such' is not a valid code for this document."]);
    assert_eq!(served.books(|books| books.documents.len()), count, "nothing is kept when one element fails");

    let (status, answer) = served.send(Method::PUT, "Invoices?summarizeErrors=false", &json!({"Invoices": [good, bad]})).await;
    let found: Vec<&str> = answer["Invoices"].as_array().unwrap().iter().map(|i| i["StatusAttributeString"].as_str().unwrap()).collect();
    assert_eq!((status, found), (200, vec!["OK", "ERROR"]));
    assert_eq!(answer["Invoices"][1]["ValidationErrors"].as_array().unwrap().len(), 2);
    assert_eq!(served.books(|books| books.documents.len()), count + 1);

    let unreadable = served.request(Method::PUT, "/api.xro/2.0/Invoices").body("{\"Invoices\":[").send().await.unwrap();
    assert_eq!((unreadable.status().as_u16(), unreadable.json::<Value>().await.unwrap()["Type"].as_str()), (400, Some("PostDataInvalidException")));
    served.assert_sound();
}

#[tokio::test]
async fn a_read_scope_writes_nothing() {
    let served = Served::plain().await;
    let (status, answer) = served.send(Method::PUT, "Contacts", &json!({"Contacts": [{"Name": "X"}]})).await;
    assert_eq!((status, answer["Detail"].as_str()), (401, Some("AuthorizationUnsuccessful")));
    served.admit(TOKEN, "accounting.contacts");
    assert_eq!(served.put("Contacts", json!({"Contacts": [{"Name": "X"}]})).await["Name"], "X");
    assert_eq!(served.send(Method::PATCH, "Contacts", &json!({})).await.0, 501);
    assert_eq!(served.send(Method::PUT, "Invoices", &json!({})).await.0, 401);
}

#[tokio::test]
async fn the_same_request_under_one_key_is_carried_out_once() {
    let served = writable().await;
    let send = |key: String, name: &str| {
        let request = served.request(Method::PUT, "/api.xro/2.0/Contacts").header("idempotency-key", key);
        request.json(&json!({"Contacts": [{"Name": name}]})).send()
    };
    let first = send("one".into(), "Only Once").await.unwrap().text().await.unwrap();
    let again = send("one".into(), "Only Once").await.unwrap().text().await.unwrap();
    assert_eq!(first, again);
    assert_eq!(send("one".into(), "Another").await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(send("k".repeat(129), "Long").await.unwrap().status(), StatusCode::BAD_REQUEST);
    // a refusal is remembered as well
    assert_eq!(send("two".into(), "Only Once").await.unwrap().status(), StatusCode::BAD_REQUEST);
    served.sandbox.clock.advance_ms(7 * 60_000);
    assert_eq!(send("one".into(), "After Six Minutes").await.unwrap().status(), StatusCode::OK, "the key is forgotten");
    assert_eq!(served.books(|books| books.contacts.values().filter(|c| c.name == "Only Once").count()), 1);
}

#[tokio::test]
async fn contacts_accounts_items_and_tax_rates_are_kept_as_sent() {
    let served = writable().await;
    let contact = served
        .put(
            "Contacts",
            json!({"Name": "Marine Systems", "FirstName": "Ida", "EmailAddress": "ida@marine.example", "ContactNumber": "M-1",
            "Addresses": [{"AddressType": "STREET", "AddressLine1": "1 Quay", "City": "Nelson"}],
            "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "555"}], "PaymentTerms": {"Sales": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}}}),
        )
        .await;
    assert_eq!((contact["FirstName"].as_str(), contact["Addresses"].as_array().unwrap().len()), (Some("Ida"), 2));
    assert_eq!((contact["Addresses"][0]["City"].as_str(), contact["Phones"][3]["PhoneNumber"].as_str()), (Some("Nelson"), Some("555")));
    assert_eq!(served.list("Contacts", "Contacts/M-1").await[0]["ContactID"], contact["ContactID"]);
    let same = served.messages(Method::PUT, "Contacts", json!({"Name": "marine systems"})).await;
    assert!(same[0].starts_with("The contact name marine systems is already assigned to another contact."), "{same:?}");
    let id = contact["ContactID"].as_str().unwrap();
    let archived = served.saved(Method::POST, &format!("Contacts/{id}"), "Contacts", json!({"ContactStatus": "ARCHIVED"})).await;
    assert_eq!((archived["ContactStatus"].as_str(), archived["FirstName"].as_str()), (Some("ARCHIVED"), Some("Ida")));

    let account =
        served.put("Accounts", json!({"Code": "4331", "Name": "Gadgets", "Type": "EXPENSE", "Description": "Things", "TaxType": "NONE"})).await;
    assert_eq!(
        (account["Class"].as_str(), account["Description"].as_str(), account["TaxType"].as_str()),
        (Some("EXPENSE"), Some("Things"), Some("NONE"))
    );
    assert_eq!(
        served.messages(Method::PUT, "Accounts", json!({"Code": "4331", "Name": "Others", "Type": "EXPENSE"})).await,
        ["Please enter a unique Code."]
    );
    let id = account["AccountID"].as_str().unwrap();
    let (status, gone) = served.send(Method::DELETE, &format!("Accounts/{id}"), &json!({})).await;
    assert_eq!((status, gone["Accounts"][0]["Status"].as_str()), (200, Some("DELETED")));
    assert_eq!(served.refused(&format!("Accounts/{id}")).await.0, 404);
    let used = served.books(|books| books.guid("Account", books.account_of(Income).unwrap()));
    assert_eq!(served.send(Method::DELETE, &format!("Accounts/{used}"), &json!({})).await.0, 400);

    let rate = served
        .put("TaxRates", json!({"Name": "Harbour levy", "TaxComponents": [{"Name": "Levy", "Rate": 2.5}, {"Name": "Port", "Rate": "1.25"}]}))
        .await;
    assert_eq!((rate["TaxType"].as_str(), rate["EffectiveRate"].to_string()), (Some("TAX001"), "3.75".into()));
    let gone = served.saved(Method::POST, "TaxRates", "TaxRates", json!({"Name": "Harbour levy", "Status": "DELETED"})).await;
    assert_eq!(gone["Status"], "DELETED");
    assert_eq!(served.put("Currencies", json!({"Code": "jpy"})).await["Code"], "JPY");
    served.assert_sound();
}

// xero fact 59
#[tokio::test]
async fn a_deleted_item_leaves_no_trace_in_the_lists() {
    let served = writable().await;
    let sales = json!({"UnitPrice": 12.5, "AccountCode": served.code_of(Income)});
    let item = served.put("Items", json!({"Code": "ROPE", "Name": "Rope", "SalesDetails": sales, "PurchaseDetails": {"UnitPrice": 7.25, "AccountCode": served.code_of(Expense)}})).await;
    assert_eq!((item["Code"].as_str(), cents(&item["PurchaseDetails"]["UnitPrice"])), (Some("ROPE"), Cents(725)));
    let mut body = an_invoice(&served, "ACCREC", "Rope Buyer");
    body["LineItems"] = json!([{"ItemCode": "ROPE", "Quantity": 3}]);
    let made = served.put("Invoices", body).await;
    assert_eq!(cents(&made["SubTotal"]), Cents(3_750));
    let id = item["ItemID"].as_str().unwrap();
    let by_code = served.list("Items", "Items/rope?unitdp=4").await;
    assert_eq!(by_code[0]["ItemID"], id);
    let text = served.call("Items/rope?unitdp=4").await.text().await.unwrap();
    assert!(text.contains("\"UnitPrice\":12.5000"), "{text}");
    assert_eq!(served.send(Method::DELETE, &format!("Items/{id}"), &json!({})).await.0, 204);
    assert!(served.list("Items", "Items").await.iter().all(|item| item["Code"] != "ROPE"));
    assert_eq!(served.refused(&format!("Items/{id}")).await.0, 404);
    let invoice = served.list("Invoices", &format!("Invoices/{}", made["InvoiceID"].as_str().unwrap())).await.remove(0);
    assert_eq!(invoice["LineItems"][0]["ItemCode"], "ROPE");
}

#[tokio::test]
async fn money_moves_by_transactions_transfers_and_journals() {
    let served = writable().await;
    let account = |wanted| served.books(|books| books.guid("Account", books.account_of(wanted).unwrap()));
    let (bank, income, expense) = (account(Bank), account(Income), account(Expense));
    let spent = served
        .put(
            "BankTransactions",
            json!({"Type": "SPEND", "Contact": {"Name": "Corner Shop"}, "BankAccount": {"AccountID": bank}, "LineAmountTypes": "NoTax",
            "LineItems": [{"Description": "Tea", "Quantity": 1, "UnitAmount": 4.4, "AccountID": expense}], "IsReconciled": true}),
        )
        .await;
    assert_eq!((spent["Type"].as_str(), cents(&spent["Total"]), spent["IsReconciled"].as_bool()), (Some("SPEND"), Cents(440), Some(true)));
    let id = spent["BankTransactionID"].as_str().unwrap().to_string();
    let more = json!({"BankTransactionID": id, "LineItems": [{"Description": "Tea and cake", "Quantity": 1, "UnitAmount": 9, "AccountID": expense}]});
    let changed = served.saved(Method::POST, "BankTransactions", "BankTransactions", more).await;
    assert_eq!(cents(&changed["Total"]), Cents(900));
    let gone = served.saved(Method::POST, &format!("BankTransactions/{id}"), "BankTransactions", json!({"Status": "DELETED"})).await;
    assert_eq!(gone["Status"], "DELETED");

    let savings = served.books(|books| {
        let other =
            books.accounts.values().find(|a| a.account_type == Bank && a.currency == books.currency && Some(a.id) != books.account_of(Bank)).unwrap();
        books.guid("Account", other.id)
    });
    let transfer =
        served.put("BankTransfers", json!({"FromBankAccount": {"AccountID": bank}, "ToBankAccount": {"AccountID": savings}, "Amount": 250})).await;
    assert_eq!((transfer["Status"].as_str(), cents(&transfer["Amount"])), (Some("AUTHORISED"), Cents(25_000)));

    let rate = served.books(|books| books.tax_rates.iter().find(|rate| rate.basis_points == 1_500).unwrap().code.clone());
    let lines = json!([{"LineAmount": 100, "AccountID": expense, "TaxType": rate, "Description": "Accrual"}, {"LineAmount": "-100.00", "AccountID": income, "TaxType": rate}]);
    let journal =
        served.put("ManualJournals", json!({"Narration": "Accrue", "Status": "POSTED", "LineAmountTypes": "Exclusive", "JournalLines": lines})).await;
    assert_eq!((journal["Status"].as_str(), journal["JournalLines"].as_array().unwrap().len()), (Some("POSTED"), 2));
    assert_eq!(cents(&journal["JournalLines"][0]["TaxAmount"]), Cents(1_500));
    let uneven = json!({"Narration": "Uneven", "JournalLines": [{"LineAmount": 1, "AccountID": expense}, {"LineAmount": -2, "AccountID": income}]});
    assert_eq!(served.messages(Method::PUT, "ManualJournals", uneven).await, ["The total debits must equal total credits: they differ by -1.00"]);
    let voided = format!("ManualJournals/{}", journal["ManualJournalID"].as_str().unwrap());
    assert_eq!(served.saved(Method::POST, &voided, "ManualJournals", json!({"Status": "VOIDED"})).await["Status"], "VOIDED");
    served.assert_sound();
}

#[tokio::test]
async fn quotes_and_purchase_orders_are_written_and_post_nothing() {
    let served = writable().await;
    let journals = served.books(|books| books.journals.len());
    let quote = served
        .put("Quotes", json!({"Contact": {"Name": "Quoted"}, "Date": "2026-06-02", "ExpiryDate": "2026-07-02", "Title": "Fit out", "Terms": "Net 20",
            "LineItems": [{"Description": "Work", "Quantity": 2, "UnitAmount": 50, "AccountCode": served.code_of(Income), "TaxType": "NONE"}], "LineAmountTypes": "EXCLUSIVE"}))
        .await;
    assert_eq!(
        (quote["Status"].as_str(), quote["LineAmountTypes"].as_str(), quote["Terms"].as_str()),
        (Some("DRAFT"), Some("EXCLUSIVE"), Some("Net 20"))
    );
    let path = format!("Quotes/{}", quote["QuoteID"].as_str().unwrap());
    let sent = served.saved(Method::POST, &path, "Quotes", json!({"Status": "SENT", "Contact": {"Name": "Quoted"}, "Date": "2026-06-02"})).await;
    assert_eq!((sent["Status"].as_str(), cents(&sent["Total"])), (Some("SENT"), Cents(10_000)));
    let order = served
        .put(
            "PurchaseOrders",
            json!({"Contact": {"Name": "Supplier"}, "DeliveryDate": "2026-07-10", "AttentionTo": "Stores",
            "LineItems": [{"Description": "Bolts", "Quantity": 10, "UnitAmount": 1.1, "AccountCode": served.code_of(Expense), "TaxType": "NONE"}]}),
        )
        .await;
    assert_eq!((order["AttentionTo"].as_str(), cents(&order["Total"])), (Some("Stores"), Cents(1_100)));
    let by_number = format!("PurchaseOrders/{}", order["PurchaseOrderNumber"].as_str().unwrap());
    assert_eq!(served.list("PurchaseOrders", &by_number).await[0]["PurchaseOrderID"], order["PurchaseOrderID"]);
    assert_eq!(served.saved(Method::POST, &by_number, "PurchaseOrders", json!({"Status": "DELETED"})).await["Status"], "DELETED");
    assert_eq!(served.books(|books| books.journals.len()), journals);
}

#[tokio::test]
async fn notes_and_files_hang_on_a_record() {
    let served = writable().await;
    let id = served.guid("Invoice", served.find(&[Kind::Invoice], |books, id| books.documents[&id].status == Status::Active));
    let note =
        served.saved(Method::PUT, &format!("Invoices/{id}/History"), "HistoryRecords", json!({"HistoryRecords": [{"Details": "Called them"}]})).await;
    assert_eq!((note["Details"].as_str(), note["User"].as_str()), (Some("Called them"), Some("Casey Morgan")));
    let records = served.list("HistoryRecords", &format!("Invoices/{id}/History")).await;
    assert_eq!((records[0]["Changes"].as_str(), records.last().unwrap()["Changes"].as_str()), (Some("Note"), Some("Created")));
    let path = format!("/api.xro/2.0/Invoices/{id}/Attachments/receipt.txt");
    let put = served.request(Method::PUT, &path).header("content-type", "text/plain").body("twelve bytes").send().await.unwrap();
    let attached = put.json::<Value>().await.unwrap()["Attachments"][0].clone();
    assert_eq!((attached["MimeType"].as_str(), attached["ContentLength"].as_u64()), (Some("text/plain"), Some(12)));
    assert!(served.list("Attachments", &format!("Invoices/{id}/Attachments")).await.contains(&attached));
    let file = served.call(&format!("Invoices/{id}/Attachments/{}", attached["AttachmentID"].as_str().unwrap())).await;
    assert_eq!(
        (file.headers()["content-type"].to_str().unwrap().to_string(), file.text().await.unwrap()),
        ("text/plain".into(), "twelve bytes".into())
    );
    assert_eq!(served.list("Invoices", &format!("Invoices/{id}")).await[0]["HasAttachments"], true);
}

/// JSON that looks like a request and is wrong in every way it can be.
fn hostile() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "Type",
        "Contact",
        "ContactID",
        "Name",
        "LineItems",
        "Quantity",
        "UnitAmount",
        "LineAmount",
        "AccountCode",
        "TaxType",
        "Status",
        "Date",
        "DueDate",
        "Amount",
        "Invoice",
        "InvoiceID",
        "Account",
        "Code",
        "Payments",
        "JournalLines",
        "Narration",
        "Tracking",
        "TaxComponents",
        "Rate",
        "Options",
        "LineAmountTypes",
        "CurrencyCode",
        "CurrencyRate",
        "BankAccount",
        "FromBankAccount",
        "ToBankAccount",
        "DiscountRate",
        "Addresses",
        "SalesDetails",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        (-2000_i64..2000).prop_map(Value::from),
        prop::sample::select(vec![
            "ACCREC",
            "ACCPAY",
            "ACCRECCREDIT",
            "AUTHORISED",
            "DRAFT",
            "DELETED",
            "VOIDED",
            "SPEND",
            "RECEIVE-PREPAYMENT",
            "SPEND-OVERPAYMENT",
            "POSTED",
            "200",
            "400",
            "090",
            "2026-06-01",
            "9999-12-31",
            "/Date(99999999999999+0000)/",
            "Inclusive",
            "NOTAX",
            "USD",
            "OUTPUT2",
            "BANK",
            "1e30",
            "-0",
            "é",
            "",
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..7)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(n, v)| (n.to_string(), v)).collect())),
        ]
    });
    tree.prop_filter("an element is an object", |value| value.is_object() || value.is_array())
}

const WRITTEN: [&str; 16] = [
    "Contacts",
    "Accounts",
    "Items",
    "TaxRates",
    "Currencies",
    "Invoices",
    "CreditNotes",
    "Payments",
    "BankTransactions",
    "BankTransfers",
    "ManualJournals",
    "BatchPayments",
    "Quotes",
    "PurchaseOrders",
    "TrackingCategories",
    "LinkedTransactions",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn hostile_bodies_are_answered_and_the_books_stay_sound(bodies in prop::collection::vec((0..WRITTEN.len(), any::<bool>(), hostile()), 12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let served = writable().await;
            for (index, put, body) in bodies {
                let method = if put { Method::PUT } else { Method::POST };
                let (status, answer) = served.send(method, &format!("{}?summarizeErrors=false", WRITTEN[index]), &body).await;
                assert!(matches!(status, 200 | 400 | 404 | 501), "{} {body}: {status} {answer}", WRITTEN[index]);
            }
            served.assert_sound();
        });
    }
}

#[tokio::test]
async fn a_body_in_xml_is_understood_as_it_is_and_as_a_form_field() {
    let served = Served::plain().await;
    served.admit(TOKEN, "accounting.transactions accounting.contacts accounting.settings.read");
    let contact = |name: &str| format!("<Contacts><Contact><Name>{name}</Name><EmailAddress>a@b.example</EmailAddress></Contact></Contacts>");
    let call = || served.request(Method::PUT, "/api.xro/2.0/Contacts");
    let plain = call().header("content-type", "application/xml").body(contact("Brown &amp; Sons")).send().await.unwrap();
    let answer: Value = plain.json().await.unwrap();
    assert_eq!(answer["Contacts"][0]["Name"], "Brown & Sons", "{answer}");
    let form = call().form(&[("xml", contact("Green Ltd"))]).send().await.unwrap();
    let answer: Value = form.json().await.unwrap();
    assert_eq!(answer["Contacts"][0]["Name"], "Green Ltd", "{answer}");
    let refused = call().header("content-type", "application/xml").body("<Contacts><Contact>").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let as_xml = served.client.put(format!("{}/api.xro/2.0/Contacts", served.base)).bearer_auth(TOKEN).header("xero-tenant-id", &served.tenant);
    let as_xml = as_xml.body(contact("Grey Ltd")).send().await.unwrap();
    assert!(as_xml.headers()["content-type"].to_str().unwrap().starts_with("text/xml"));
    assert!(as_xml.text().await.unwrap().contains("<Contacts><Contact><ContactID>"));
}

#[tokio::test]
async fn tracked_items_are_sold_at_their_average_cost_and_say_what_is_there() {
    let served = Served::plain().await;
    served.admit(TOKEN, "accounting.transactions accounting.contacts accounting.settings accounting.journals.read");
    let put = async |path: &str, body: Value| -> Value {
        let answer = served.request(Method::PUT, &format!("/api.xro/2.0/{path}")).json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    };
    put("Accounts", serde_json::json!({"Code": "630", "Name": "Inventory", "Type": "INVENTORY"})).await;
    let item = serde_json::json!({"Code": "LANTERN", "Name": "Lantern", "InventoryAssetAccountCode": "630",
        "PurchaseDetails": {"UnitPrice": 8, "COGSAccountCode": "310"}, "SalesDetails": {"UnitPrice": 30, "AccountCode": "200"}});
    put("Items", serde_json::json!({"Items": [item]})).await;
    let document = |kind: &str, day: &str, quantity: i64, price: i64| {
        let line = serde_json::json!({"ItemCode": "LANTERN", "Quantity": quantity, "UnitAmount": price, "TaxType": "NONE"});
        serde_json::json!({"Type": kind, "Contact": {"Name": "Night Shop"}, "Date": day, "DueDate": "2026-06-30", "Status": "AUTHORISED",
            "LineAmountTypes": "NoTax", "LineItems": [line]})
    };
    put("Invoices", document("ACCPAY", "2026-06-01", 10, 10)).await;
    put("Invoices", document("ACCPAY", "2026-06-02", 10, 20)).await;
    let sale = put("Invoices", document("ACCREC", "2026-06-03", 4, 30)).await["Invoices"][0].clone();
    let shown = served.list("Items", "Items?where=Code==\"LANTERN\"").await[0].clone();
    assert_eq!(shown["IsTrackedAsInventory"], true);
    assert_eq!((cents(&shown["QuantityOnHand"]), cents(&shown["TotalCostPool"])), (Cents(1_600), Cents(24_000)), "twenty at 15 less four");
    assert_eq!((&shown["InventoryAssetAccountCode"], &shown["PurchaseDetails"]["COGSAccountCode"]), (&"630".into(), &"310".into()));
    let number = served.books(|books| books.journals.last().unwrap().number);
    let journal = served.list("Journals", &format!("Journals?offset={}", number - 1)).await[0].clone();
    assert_eq!(journal["SourceID"], sale["InvoiceID"]);
    let on = |code: &str| {
        journal["JournalLines"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|line| line["AccountCode"] == code)
            .map(|line| cents(&line["NetAmount"]))
            .sum::<Cents>()
    };
    assert_eq!((on("310"), on("630"), on("200")), (Cents(6_000), Cents(-6_000), Cents(-12_000)));
    let wrong = serde_json::json!({"Code": "X", "Name": "X", "InventoryAssetAccountCode": "200", "SalesDetails": {"AccountCode": "200"}});
    let refused = served.request(Method::PUT, "/api.xro/2.0/Items").json(&wrong).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}
