//! Facts 38-40, 42, 75-84: creating, updating, voiding and deleting through the API.
use super::*;
use serde_json::json;
use simulator::books::Status;

/// What must hold whatever was written.
fn assert_sound(running: &Running, realm: &str) {
    running.sandbox.read(|state| {
        let books = &state.companies[realm];
        let all = date(2199, 1, 1);
        assert!(books.balances_at(all).into_values().sum::<Cents>().is_zero());
        assert!(books.journals.iter().all(|journal| journal.postings.iter().map(|posting| posting.amount).sum::<Cents>().is_zero()));
        let mut current = std::collections::BTreeMap::new();
        for posting in books.documents.values().flat_map(|document| books.postings(document)) {
            *current.entry(posting.account).or_insert(Cents::ZERO) += posting.amount;
        }
        current.retain(|_, amount: &mut Cents| !amount.is_zero());
        assert_eq!(books.balances_at(all), current);
    });
}

// quickbooks fact 40
#[tokio::test]
async fn sending_any_record_back_as_it_was_read_changes_nothing() {
    let company = with_euros(12);
    let realm = company.id.clone();
    let journals = company.journals.len();
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    running.advance(1_800);
    let mut sent = 0;
    for (entity, rest) in [
        ("Account", "WHERE Active = true"),
        ("Customer", "WHERE Active IN (true, false)"),
        ("Vendor", "WHERE Active IN (true, false)"),
        ("Item", ""),
        ("Employee", "WHERE Active IN (true, false)"),
        ("Class", "WHERE Active IN (true, false)"),
        ("Department", "WHERE Active IN (true, false)"),
        ("Term", ""),
        ("PaymentMethod", ""),
        ("Estimate", ""),
        ("PurchaseOrder", ""),
        ("TimeActivity", ""),
        ("Attachable", ""),
        ("Invoice", ""),
        ("CreditMemo", ""),
        ("SalesReceipt", ""),
        ("RefundReceipt", ""),
        ("Payment", ""),
        ("Bill", ""),
        ("VendorCredit", ""),
        ("BillPayment", ""),
        ("Purchase", ""),
        ("Deposit", ""),
        ("Transfer", ""),
        ("JournalEntry", ""),
    ] {
        let rows = running.rows(&tokens, entity, rest).await;
        assert!(!rows.is_empty(), "{entity}");
        for row in rows.iter().filter(|row| !row["PrivateNote"].as_str().is_some_and(|note| note.starts_with("Voided"))).take(40) {
            for is_sparse in [false, true] {
                let mut body = row.clone();
                body["sparse"] = is_sparse.into();
                let answer = running.post(&tokens, &entity.to_lowercase(), &body).await;
                assert_eq!(answer.status, 200, "{entity} {row}: {}", answer.text);
                let (mut after, mut before) = (answer.json()[entity].clone(), row.clone());
                // Its end of life moves with every answer.
                for record in [&mut after, &mut before] {
                    record.as_object_mut().expect("a record").remove("TempDownloadUri");
                }
                assert_eq!(after, before, "{entity}");
                sent += 1;
            }
        }
    }
    assert!(sent > 600, "{sent}");
    running.sandbox.read(|state| assert_eq!(state.companies[&realm].journals.len(), journals));
}

async fn refused(running: &Running, tokens: &Tokens, path: &str, body: Value, code: &str, detail: &str) {
    let answer = running.post(tokens, path, &body).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, code), "{path} {body}: {}", answer.text);
    assert_eq!(answer.json()["Fault"]["type"], "ValidationFault");
    assert!(answer.detail().contains(detail), "{path} {body}: {}", answer.detail());
}

fn invoice(customer: u64, amount: &str) -> Value {
    let amount: Value = serde_json::from_str(amount).expect("a number");
    json!({"CustomerRef": {"value": customer.to_string()}, "Line": [{"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {}}]})
}

// quickbooks facts 38, 39, 42, 79, 80
#[tokio::test]
async fn wrong_writes_are_refused_with_the_providers_codes() {
    let company = shop();
    let (customer, vendor, rent, bank, sales) = (company.customer, company.vendor, company.rent, company.bank, company.sales);
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let first = running.save(&tokens, "Invoice", invoice(customer, "100.00")).await;
    let id = first["Id"].as_str().expect("an id").to_owned();
    let line = |detail: Value| json!({"CustomerRef": {"value": customer.to_string()}, "Line": [detail]});
    let debit = |kind: &str, amount: i64, account: u64| {
        let detail = json!({"PostingType": kind, "AccountRef": {"value": account.to_string()}});
        json!({"Amount": amount, "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail})
    };
    let mut numbered = invoice(customer, "5");
    numbered["DocNumber"] = first["DocNumber"].clone();
    for (path, body, code, detail) in [
        ("invoice", json!({"CustomerRef": {"value": "1"}, "Horn": true}), "2010", "Property Name:Horn"),
        ("invoice", json!({"CustomerRef": "1"}), "2010", "CustomerRef"),
        ("invoice", json!([1]), "2010", ""),
        ("invoice", json!({"Line": [{"Amount": 1, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {}}]}), "2020", "CustomerRef"),
        ("invoice", json!({"CustomerRef": {"value": customer.to_string()}}), "2020", "Line"),
        ("invoice", line(json!({"Amount": 1, "SalesItemLineDetail": {}})), "2020", "DetailType"),
        ("invoice", invoice(999_999, "1"), "2500", "Names element id 999999 not found"),
        ("invoice", invoice(vendor, "1"), "2500", "not found"),
        ("invoice", invoice(customer, "-1"), "6000", "negative total"),
        ("invoice", numbered.clone(), "6140", "has already been used"),
        (
            "invoice",
            line(json!({"Amount": 10, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"Qty": 2, "UnitPrice": 4}})),
            "6070",
            "Amount is not equal to UnitPrice * Qty",
        ),
        ("invoice", json!({"Id": id, "SyncToken": "7", "sparse": true, "PrivateNote": "late"}), "5010", "Stale Object Error"),
        ("invoice", json!({"Id": id, "sparse": true, "PrivateNote": "late"}), "2020", "SyncToken"),
        ("invoice", json!({"Id": "99999", "SyncToken": "0", "sparse": true}), "610", "made inactive"),
        ("invoice", json!({"Id": "1.5", "SyncToken": "0"}), "2030", "Supplied value:1.5"),
        ("invoice?operation=delete", json!({"Id": id, "SyncToken": "9"}), "5010", "Stale"),
        ("invoice?operation=fly", json!({"Id": id, "SyncToken": "0"}), "500", "Operation fly"),
        ("bill?operation=void", json!({"Id": id, "SyncToken": "0"}), "500", "void of Bill"),
        ("customer?operation=delete", json!({"Id": customer.to_string(), "SyncToken": "0"}), "500", "delete of Customer"),
        ("customer", json!({"DisplayName": "AMY'S BIRD SANCTUARY"}), "6240", "already exists"),
        ("vendor", json!({"DisplayName": "Amy's Bird Sanctuary"}), "6240", "already exists"),
        ("employee", json!({"GivenName": "Landlord"}), "6240", "already exists"),
        ("customer", json!({"Notes": "nobody"}), "2020", "DisplayName"),
        ("customer", json!({"Id": customer.to_string(), "SyncToken": "0", "sparse": true, "Active": false}), "6220", "open balance"),
        ("account", json!({"Name": "Sales", "AccountType": "Income"}), "6240", "already exists"),
        ("account", json!({"Name": "New"}), "2020", "AccountType"),
        ("account", json!({"Name": "New", "AccountType": "Vault"}), "6000", "Vault"),
        ("account", json!({"Name": "A:B", "AccountType": "Income"}), "6000", "colon"),
        ("item", json!({"Name": "Box"}), "2020", "IncomeAccountRef"),
        ("item", json!({"Name": "Box", "Type": "Inventory", "IncomeAccountRef": {"value": sales.to_string()}}), "2020", "ExpenseAccountRef"),
        ("journalentry", json!({"Line": [debit("Debit", 5, bank), debit("Credit", 4, rent)]}), "2300", "debits and credits"),
        ("journalentry", json!({"Line": [debit("Neither", 5, bank), debit("Credit", 5, rent)]}), "2020", "PostingType"),
        ("journalentry", json!({"Line": [debit("Debit", 5, 99_999), debit("Credit", 5, rent)]}), "2500", "Accounts element id 99999"),
        (
            "payment",
            json!({"CustomerRef": {"value": customer.to_string()}, "TotalAmt": 5, "Line": [{"Amount": 5, "LinkedTxn": [{"TxnId": "77777", "TxnType": "Invoice"}]}]}),
            "620",
            "Invoice 77777",
        ),
        (
            "payment",
            json!({"CustomerRef": {"value": customer.to_string()}, "TotalAmt": 5, "Line": [{"Amount": 9, "LinkedTxn": [{"TxnId": id, "TxnType": "Invoice"}]}]}),
            "6000",
            "more than the payment",
        ),
        ("transfer", json!({"FromAccountRef": {"value": bank.to_string()}, "ToAccountRef": {"value": bank.to_string()}, "Amount": 1}), "6000", ""),
        ("preferences", json!({"Id": "1", "SyncToken": "0", "sparse": true}), "5010", "Stale"),
        ("preferences", json!({"ReportPrefs": {"ReportBasis": "Cash"}}), "500", "of Preferences"),
        ("taxrate", json!({"Name": "Toll"}), "500", "of TaxRate"),
        ("unicorn", json!({}), "500", "Could not find resource"),
    ] {
        refused(&running, &tokens, path, body, code, detail).await;
    }
    let sides = json!({"Line": [debit("Debit", 5, bank), debit("Credit", 5, rent)]});
    let balanced = running.save(&tokens, "JournalEntry", sides).await;
    assert_eq!(balanced["TotalAmt"], 0);
    let undone = json!({"Id": balanced["Id"], "SyncToken": "0"});
    assert_eq!(running.post(&tokens, "journalentry?operation=delete", &undone).await.status, 200);
    let twin = running.post(&tokens, "invoice?include=allowduplicatedocnum", &numbered).await;
    assert_eq!((twin.status, &twin.json()["Invoice"]["DocNumber"]), (200, &first["DocNumber"]));
    let broken = running.http.post(format!("{}/v3/company/{SHOP}/invoice", running.base)).bearer_auth(&tokens.access).body("{\"CustomerRef\":");
    assert_eq!(running.send(broken.header("accept", "application/json")).await.code(), "2010");
    // Nothing of all this was entered.
    running.sandbox.read(|state| assert_eq!(state.companies[SHOP].documents.len(), 3));
    assert_sound(&running, SHOP);
}

// quickbooks fact 81
#[tokio::test]
async fn an_invoice_needs_a_customer_and_a_line_and_the_rest_is_filled_in() {
    let company = shop();
    let (customer, sales) = (company.customer, company.sales);
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let made = running.save(&tokens, "Invoice", invoice(customer, "639.00")).await;
    assert_eq!((&made["TxnDate"], &made["DueDate"], &made["SyncToken"]), (&"2025-06-15".into(), &"2025-07-15".into(), &"0".into()));
    assert!(made["DocNumber"].as_str().is_some_and(|number| !number.is_empty()));
    assert_eq!((cents(&made["TotalAmt"]), cents(&made["Balance"])), (Cents(63_900), Cents(63_900)));
    assert_eq!(made["Line"][0]["SalesItemLineDetail"]["ItemAccountRef"]["value"], sales.to_string().as_str());
    assert_eq!(made["Line"][1]["DetailType"], "SubTotalLineDetail");
    assert_eq!(made["CustomerRef"]["name"], "Amy's Bird Sanctuary");
    let read = running.get(&tokens, &format!("invoice/{}", made["Id"].as_str().expect("an id"))).await.json();
    assert_eq!(read["Invoice"], made);
    assert_sound(&running, SHOP);
}

#[tokio::test]
async fn sparse_updates_change_what_they_name_and_full_updates_clear_the_rest() {
    let company = shop();
    let customer = company.customer;
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let mut body = invoice(customer, "100");
    body["PrivateNote"] = "first".into();
    body["CustomerMemo"] = json!({"value": "Thank you"});
    body["ShipAddr"] = json!({"Line1": "1 Quay", "City": "Bay"});
    body["Line"][0]["SalesItemLineDetail"]["ServiceDate"] = "2025-06-01".into();
    body["Line"][0]["Description"] = "Seed".into();
    let made = running.save(&tokens, "Invoice", body.clone()).await;
    assert_eq!((&made["CustomerMemo"]["value"], &made["ShipAddr"]["City"]), (&"Thank you".into(), &"Bay".into()));
    assert_eq!(made["Line"][0]["SalesItemLineDetail"]["ServiceDate"], "2025-06-01");
    running.advance(60);
    let sparse = json!({"Id": made["Id"], "SyncToken": "0", "sparse": true, "PrivateNote": "second", "DueDate": "2025-08-01"});
    let changed = running.save(&tokens, "Invoice", sparse).await;
    assert_eq!((&changed["PrivateNote"], &changed["DueDate"], &changed["SyncToken"]), (&"second".into(), &"2025-08-01".into(), &"1".into()));
    assert_eq!((&changed["CustomerMemo"], &changed["Line"]), (&made["CustomerMemo"], &made["Line"]));
    assert_ne!(changed["MetaData"]["LastUpdatedTime"], made["MetaData"]["LastUpdatedTime"]);
    let sparse = json!({"Id": made["Id"], "SyncToken": "1", "sparse": true, "CustomerMemo": {"value": "Thanks"}});
    assert_eq!(running.save(&tokens, "Invoice", sparse).await["SyncToken"], "2");

    let mut full = invoice(customer, "120.50");
    full["Id"] = made["Id"].clone();
    full["SyncToken"] = "2".into();
    let full = running.save(&tokens, "Invoice", full).await;
    assert_eq!((cents(&full["TotalAmt"]), &full["DocNumber"], &full["SyncToken"]), (Cents(12_050), &made["DocNumber"], &"3".into()));
    assert!(full.get("PrivateNote").is_none() && full.get("CustomerMemo").is_none() && full.get("ShipAddr").is_none());
    assert!(full["Line"][0]["SalesItemLineDetail"].get("ServiceDate").is_none());
    assert_sound(&running, SHOP);
}

// quickbooks facts 75, 77
#[tokio::test]
async fn deleted_transactions_answer_a_stub_and_leave_balances_behind() {
    let company = shop();
    let (customer, vendor, rent, bank) = (company.customer, company.vendor, company.rent, company.bank);
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let expense = json!({"Amount": 40, "DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": {"AccountRef": {"value": rent.to_string()}}});
    let bodies = [
        ("Invoice", invoice(customer, "10")),
        ("CreditMemo", invoice(customer, "10")),
        ("SalesReceipt", invoice(customer, "10")),
        ("Payment", json!({"CustomerRef": {"value": customer.to_string()}, "TotalAmt": 10})),
        ("Estimate", invoice(customer, "10")),
        ("Bill", json!({"VendorRef": {"value": vendor.to_string()}, "Line": [expense]})),
        ("PurchaseOrder", json!({"VendorRef": {"value": vendor.to_string()}, "Line": [expense]})),
        ("Purchase", json!({"AccountRef": {"value": bank.to_string()}, "PaymentType": "Cash", "Line": [expense]})),
    ];
    for (entity, body) in bodies {
        let made = running.save(&tokens, entity, body).await;
        let gone = running.post(&tokens, &format!("{}?operation=delete", entity.to_lowercase()), &json!({"Id": made["Id"], "SyncToken": "0"})).await;
        let body = gone.json();
        assert_eq!(body[entity], json!({"domain": "QBO", "status": "Deleted", "Id": made["Id"]}), "{entity}");
        assert!(body["time"].is_string());
        let id = made["Id"].as_str().expect("an id");
        assert_eq!(running.get(&tokens, &format!("{}/{id}", entity.to_lowercase())).await.code(), "610", "{entity}");
    }
    for (entity, id) in [("customer", customer), ("vendor", vendor)] {
        let shown = running.get(&tokens, &format!("{entity}/{id}")).await.json();
        assert_eq!(shown[if entity == "customer" { "Customer" } else { "Vendor" }]["Balance"], 0);
    }
    assert_sound(&running, SHOP);
}

// quickbooks facts 76, 77
#[tokio::test]
async fn voiding_through_the_api_zeroes_the_four_kinds_that_can_be_voided() {
    let company = shop();
    let (customer, vendor, rent, bank) = (company.customer, company.vendor, company.rent, company.bank);
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let made = running.save(&tokens, "Invoice", invoice(customer, "90")).await;
    let paying = json!({"CustomerRef": {"value": customer.to_string()}, "TotalAmt": 50, "Line": [{"Amount": 50, "LinkedTxn": [{"TxnId": made["Id"], "TxnType": "Invoice"}]}]});
    let payment = running.save(&tokens, "Payment", paying).await;
    let read = running.get(&tokens, &format!("invoice/{}", made["Id"].as_str().expect("an id"))).await.json()["Invoice"].clone();
    assert_eq!(cents(&read["Balance"]), Cents(4_000));

    let voided =
        running.post(&tokens, "payment?operation=update&include=void", &json!({"Id": payment["Id"], "SyncToken": "0", "sparse": true})).await;
    let voided = voided.json()["Payment"].clone();
    assert_eq!(
        (&voided["TotalAmt"], &voided["UnappliedAmt"], &voided["Line"], &voided["SyncToken"]),
        (&0.into(), &0.into(), &json!([]), &"1".into())
    );
    assert!(voided["PrivateNote"].as_str().is_some_and(|note| note.starts_with("Voided")));
    let voided = running.post(&tokens, "invoice?operation=void", &json!({"Id": made["Id"], "SyncToken": "0"})).await.json()["Invoice"].clone();
    assert_eq!(
        (&voided["TotalAmt"], &voided["Balance"], &voided["LinkedTxn"], &voided["SyncToken"]),
        (&0.into(), &0.into(), &json!([]), &"1".into())
    );

    let receipt = running.save(&tokens, "SalesReceipt", invoice(customer, "15")).await;
    let answer =
        running.post(&tokens, "salesreceipt?operation=update&include=void", &json!({"Id": receipt["Id"], "SyncToken": "0", "sparse": true})).await;
    assert_eq!((answer.status, &answer.json()["SalesReceipt"]["TotalAmt"]), (200, &0.into()));
    let expense = json!({"Amount": 40, "DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": {"AccountRef": {"value": rent.to_string()}}});
    let bill = running.save(&tokens, "Bill", json!({"VendorRef": {"value": vendor.to_string()}, "Line": [expense]})).await;
    let paid = json!({
        "VendorRef": {"value": vendor.to_string()}, "PayType": "Check", "CheckPayment": {"BankAccountRef": {"value": bank.to_string()}}, "TotalAmt": 40,
        "Line": [{"Amount": 40, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}]
    });
    let paid = running.save(&tokens, "BillPayment", paid).await;
    let answer =
        running.post(&tokens, "billpayment?operation=update&include=void", &json!({"Id": paid["Id"], "SyncToken": "0", "sparse": true})).await;
    assert_eq!((answer.status, &answer.json()["BillPayment"]["TotalAmt"]), (200, &0.into()));
    let bill = running.get(&tokens, &format!("bill/{}", bill["Id"].as_str().expect("an id"))).await.json()["Bill"].clone();
    assert_eq!(cents(&bill["Balance"]), Cents(4_000));
    refused(&running, &tokens, "payment?operation=void", json!({"Id": payment["Id"], "SyncToken": "1"}), "500", "in this form").await;
    assert_sound(&running, SHOP);
}

// quickbooks fact 82, 83, 84
#[tokio::test]
async fn payments_made_through_the_api_settle_and_link() {
    let company = shop();
    let customer = company.customer;
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let loose = running.save(&tokens, "Payment", json!({"CustomerRef": {"value": customer.to_string()}, "TotalAmt": 25.5})).await;
    assert_eq!((cents(&loose["UnappliedAmt"]), &loose["Line"]), (Cents(2_550), &json!([])));
    assert!(loose["DepositToAccountRef"].get("name").is_none());
    let account = loose["DepositToAccountRef"]["value"].as_str().expect("an account");
    let account = running.get(&tokens, &format!("account/{account}")).await.json()["Account"].clone();
    assert_eq!((&account["Name"], &account["AccountSubType"]), (&"Undeposited Funds".into(), &"UndepositedFunds".into()));

    let made = running.save(&tokens, "Invoice", invoice(customer, "90")).await;
    let credit = running.save(&tokens, "CreditMemo", invoice(customer, "30")).await;
    let line = |amount: i64, id: &Value, word: &str| json!({"Amount": amount, "LinkedTxn": [{"TxnId": id, "TxnType": word}]});
    let using = json!({"CustomerRef": {"value": customer.to_string()}, "TotalAmt": 0, "Line": [line(30, &made["Id"], "Invoice"), line(30, &credit["Id"], "CreditMemo")]});
    let using = running.save(&tokens, "Payment", using).await;
    assert_eq!((&using["TotalAmt"], using["Line"].as_array().map(Vec::len)), (&0.into(), Some(2)));
    let read = |entity: &'static str, id: Value| {
        let (running, tokens) = (&running, &tokens);
        async move { running.get(tokens, &format!("{}/{}", entity.to_lowercase(), id.as_str().expect("an id"))).await.json()[entity].clone() }
    };
    assert_eq!(cents(&read("Invoice", made["Id"].clone()).await["Balance"]), Cents(6_000));
    assert_eq!(cents(&read("CreditMemo", credit["Id"].clone()).await["Balance"]), Cents::ZERO);

    // Applying the loose payment afterwards is a sparse update with lines.
    let apply = json!({"Id": loose["Id"], "SyncToken": "0", "sparse": true, "Line": [line(20, &made["Id"], "Invoice")]});
    let applied = running.save(&tokens, "Payment", apply).await;
    assert_eq!((cents(&applied["UnappliedAmt"]), cents(&applied["TotalAmt"])), (Cents(550), Cents(2_550)));
    let shown = read("Invoice", made["Id"].clone()).await;
    assert_eq!(cents(&shown["Balance"]), Cents(4_000));
    assert!(shown["LinkedTxn"].as_array().expect("links").contains(&json!({"TxnId": loose["Id"], "TxnType": "Payment"})));
    assert_sound(&running, SHOP);
}

#[tokio::test]
async fn deposited_payments_cannot_change_and_cash_back_lowers_the_deposit() {
    let company = shop();
    let (customer, bank, rent) = (company.customer, company.bank, company.rent);
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let payment = running.save(&tokens, "Payment", json!({"CustomerRef": {"value": customer.to_string()}, "TotalAmt": 100})).await;
    let deposit = json!({
        "DepositToAccountRef": {"value": bank.to_string()},
        "Line": [{"Amount": 100, "LinkedTxn": [{"TxnId": payment["Id"], "TxnType": "Payment", "TxnLineId": "0"}]}],
        "CashBack": {"AccountRef": {"value": rent.to_string()}, "Amount": 20, "Memo": "till"}
    });
    let deposit = running.save(&tokens, "Deposit", deposit).await;
    assert_eq!((cents(&deposit["TotalAmt"]), cents(&deposit["CashBack"]["Amount"])), (Cents(8_000), Cents(2_000)));
    assert_eq!(deposit["Line"].as_array().map(Vec::len), Some(1));
    assert_eq!(deposit["Line"][0]["LinkedTxn"], json!([{"TxnId": payment["Id"], "TxnType": "Payment", "TxnLineId": "0"}]));
    assert!(deposit["Line"][0].get("DetailType").is_none());
    let undeposited = payment["DepositToAccountRef"]["value"].as_str().expect("an account");
    let account = running.get(&tokens, &format!("account/{undeposited}")).await.json()["Account"].clone();
    assert_eq!(account["CurrentBalance"], 0);
    let gone = json!({"Id": payment["Id"], "SyncToken": "0"});
    refused(&running, &tokens, "payment?operation=delete", gone.clone(), "6540", "edit the deposit").await;
    refused(&running, &tokens, "payment", json!({"Id": payment["Id"], "SyncToken": "0", "sparse": true, "TotalAmt": 70}), "6540", "").await;
    // The same deposit sent again is the same.
    assert_eq!(running.save(&tokens, "Deposit", deposit.clone()).await, deposit);
    assert_eq!(running.post(&tokens, "deposit?operation=delete", &json!({"Id": deposit["Id"], "SyncToken": "0"})).await.status, 200);
    assert_eq!(running.post(&tokens, "payment?operation=delete", &gone).await.status, 200);
    assert_sound(&running, SHOP);
}

#[tokio::test]
async fn discounts_and_descriptions_keep_their_lines() {
    let company = shop();
    let (customer, sales) = (company.customer, company.sales);
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let body = json!({"CustomerRef": {"value": customer.to_string()}, "Line": [
        {"DetailType": "DescriptionOnly", "Description": "As agreed:", "DescriptionLineDetail": {}},
        {"Amount": 200, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"Qty": 4, "UnitPrice": 50}},
        {"DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": true, "DiscountPercent": 10, "DiscountAccountRef": {"value": sales.to_string()}}}
    ]});
    for entity in ["Invoice", "Estimate", "SalesReceipt"] {
        let made = running.save(&tokens, entity, body.clone()).await;
        assert_eq!(cents(&made["TotalAmt"]), Cents(18_000), "{entity}");
        let kinds: Vec<&str> = made["Line"].as_array().expect("lines").iter().map(|line| line["DetailType"].as_str().expect("a type")).collect();
        assert_eq!(kinds, ["DescriptionOnly", "SalesItemLineDetail", "SubTotalLineDetail", "DiscountLineDetail"], "{entity}");
        assert!(made["Line"][0].get("Amount").is_none());
        assert_eq!((cents(&made["Line"][2]["Amount"]), cents(&made["Line"][3]["Amount"])), (Cents(20_000), Cents(2_000)));
        let detail = &made["Line"][3]["DiscountLineDetail"];
        assert_eq!((&detail["PercentBased"], &detail["DiscountPercent"]), (&true.into(), &10.into()));
        assert_eq!(running.save(&tokens, entity, made.clone()).await, made, "{entity}");
    }
    assert_sound(&running, SHOP);
}

#[tokio::test]
async fn an_estimate_becomes_an_invoice_and_a_purchase_order_a_bill() {
    let company = shop();
    let (customer, vendor, rent) = (company.customer, company.vendor, company.rent);
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let estimate = running.save(&tokens, "Estimate", invoice(customer, "70")).await;
    assert_eq!((&estimate["TxnStatus"], estimate.get("Balance")), (&"Pending".into(), None));
    let sparse = json!({"Id": estimate["Id"], "SyncToken": "0", "sparse": true, "TxnStatus": "Accepted", "ExpirationDate": "2025-07-01"});
    let accepted = running.save(&tokens, "Estimate", sparse).await;
    assert_eq!((&accepted["TxnStatus"], &accepted["ExpirationDate"]), (&"Accepted".into(), &"2025-07-01".into()));
    let mut body = invoice(customer, "70");
    body["LinkedTxn"] = json!([{"TxnId": estimate["Id"], "TxnType": "Estimate"}]);
    let made = running.save(&tokens, "Invoice", body).await;
    assert_eq!(made["LinkedTxn"], json!([{"TxnId": estimate["Id"], "TxnType": "Estimate"}]));
    let closed = running.get(&tokens, &format!("estimate/{}", estimate["Id"].as_str().expect("an id"))).await.json()["Estimate"].clone();
    assert_eq!((&closed["TxnStatus"], &closed["LinkedTxn"]), (&"Closed".into(), &json!([{"TxnId": made["Id"], "TxnType": "Invoice"}])));

    let expense = json!({"Amount": 40, "DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": {"AccountRef": {"value": rent.to_string()}}});
    let mut body = json!({"VendorRef": {"value": vendor.to_string()}, "Line": [expense]});
    let order = running.save(&tokens, "PurchaseOrder", body.clone()).await;
    assert_eq!(order["POStatus"], "Open");
    body["LinkedTxn"] = json!([{"TxnId": order["Id"], "TxnType": "PurchaseOrder"}]);
    running.save(&tokens, "Bill", body.clone()).await;
    let order = running.get(&tokens, &format!("purchaseorder/{}", order["Id"].as_str().expect("an id"))).await.json()["PurchaseOrder"].clone();
    assert_eq!(order["POStatus"], "Closed");
    body["LinkedTxn"] = json!([{"TxnId": "99999", "TxnType": "PurchaseOrder"}]);
    refused(&running, &tokens, "bill", body, "620", "PurchaseOrder 99999").await;
    assert_sound(&running, SHOP);
}

// quickbooks facts 42, 51, 56, 66, 78
#[tokio::test]
async fn every_name_list_is_created_changed_and_made_inactive() {
    let company = shop();
    let sales = company.sales.to_string();
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let bodies = [
        (
            "Account",
            "Name",
            json!({"Name": "Travel", "AccountType": "Expense", "AccountSubType": "Travel", "AcctNum": "6100", "Description": "Trips"}),
        ),
        (
            "Customer",
            "DisplayName",
            json!({"GivenName": "Ada", "FamilyName": "Hill", "BillAddr": {"Line1": "1 Road", "City": "Bay"}, "PrimaryPhone": {"FreeFormNumber": "555"}}),
        ),
        ("Vendor", "DisplayName", json!({"DisplayName": "Paper Mill", "CompanyName": "Paper Mill Ltd", "Vendor1099": true, "AcctNum": "77"})),
        ("Employee", "DisplayName", json!({"GivenName": "Tom", "FamilyName": "Reed", "HiredDate": "2024-02-01", "SSN": "XXX-XX-1234"})),
        ("Item", "Name", json!({"Name": "Hour", "Type": "Service", "UnitPrice": 12.345, "Sku": "H-1", "IncomeAccountRef": {"value": sales}})),
        ("Class", "Name", json!({"Name": "North"})),
        ("Department", "Name", json!({"Name": "Dock"})),
        ("Term", "Name", json!({"Name": "Net 45", "DueDays": 45, "DiscountPercent": 1.5, "DiscountDays": 7})),
        ("PaymentMethod", "Name", json!({"Name": "Card", "Type": "CREDIT_CARD"})),
    ];
    for (entity, name, body) in bodies {
        let made = running.save(&tokens, entity, body.clone()).await;
        for (key, value) in body.as_object().expect("a record") {
            match value {
                Value::Object(inner) => {
                    for (key_inside, value) in inner {
                        assert_eq!(made[key][key_inside], *value, "{entity} {key}");
                    }
                }
                value => assert_eq!(made[key], *value, "{entity} {key}"),
            }
        }
        assert_eq!((&made["SyncToken"], &made["Active"]), (&"0".into(), &true.into()), "{entity}");
        refused(&running, &tokens, &entity.to_lowercase(), body, "6240", "").await;
        running.advance(1);
        let since = running.sandbox.clock.now().to_string();
        let inactive = json!({"Id": made["Id"], "SyncToken": "0", "sparse": true, "Active": false});
        let inactive = running.save(&tokens, entity, inactive).await;
        let shown = format!("{} (deleted)", made[name].as_str().expect("a name"));
        assert_eq!((&inactive[name], &inactive["Active"], &inactive["SyncToken"]), (&shown.as_str().into(), &false.into(), &"1".into()), "{entity}");
        let id = made["Id"].as_str().expect("an id").to_owned();
        assert!(!ids(&running.rows(&tokens, entity, "").await).contains(&id), "{entity}");
        assert_eq!(ids(&running.rows(&tokens, entity, "WHERE Active = false").await), std::slice::from_ref(&id), "{entity}");
        let changed = running.get(&tokens, &format!("cdc?entities={entity}&changedSince={since}")).await.json();
        assert_eq!(changed["CDCResponse"][0]["QueryResponse"][0][entity][0]["Active"], false, "{entity}");
        let again = json!({"Id": id, "SyncToken": "1", "sparse": true, "Active": true});
        assert_eq!(running.save(&tokens, entity, again).await[name], made[name], "{entity}");
    }
    assert!(running.rows(&tokens, "Item", "").await[0].get("Sku").is_none());
    let with_sku = running.query(&tokens, "select *, Sku from Item").await.json();
    assert_eq!(with_sku["QueryResponse"]["Item"][0]["Sku"], "H-1");
    let person = running.rows(&tokens, "Customer", "WHERE GivenName = 'Ada'").await;
    assert_eq!((person.len(), &person[0]["DisplayName"], person[0].get("CompanyName")), (1, &"Ada Hill".into(), None));
    let sub =
        running.save(&tokens, "Class", json!({"Name": "Coast", "ParentRef": {"value": running.rows(&tokens, "Class", "").await[0]["Id"]}})).await;
    assert_eq!((&sub["FullyQualifiedName"], &sub["SubClass"]), (&"North:Coast".into(), &true.into()));
    assert_sound(&running, SHOP);
}

#[tokio::test]
async fn transactions_of_every_kind_are_made_with_classes_terms_and_methods() {
    let company = everything_at_hand();
    let realm = company.id.clone();
    let (bank, card) = (company.account_of(AccountType::Bank).expect("a bank"), company.account_of(AccountType::CreditCard).expect("a card"));
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let first = |entity: &'static str, rest: &'static str| {
        let (running, tokens) = (&running, &tokens);
        async move { json!({"value": running.rows(tokens, entity, rest).await[0]["Id"]}) }
    };
    let (customer, vendor) = (first("Customer", "").await, first("Vendor", "").await);
    let (class, location, term, method) =
        (first("Class", "").await, first("Department", "").await, first("Term", "").await, first("PaymentMethod", "").await);
    let (item, income) = (first("Item", "WHERE Type = 'NonInventory'").await, first("Account", "WHERE AccountType = 'Income'").await);
    let expense = first("Account", "WHERE AccountType = 'Expense'").await;
    let (bank, card) = (json!({"value": bank.to_string()}), json!({"value": card.to_string()}));
    let sale = json!([{"Amount": 30, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": item, "Qty": 3, "UnitPrice": 10, "ClassRef": class}}]);
    let by_account = json!({"Amount": 8, "DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": {"AccountRef": expense, "ClassRef": class, "BillableStatus": "Billable", "CustomerRef": customer}});
    let by_item =
        json!({"Amount": 4, "DetailType": "ItemBasedExpenseLineDetail", "ItemBasedExpenseLineDetail": {"ItemRef": item, "Qty": 2, "UnitPrice": 2}});
    let side = |kind: &str, account: &Value| json!({"Amount": 6, "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": {"PostingType": kind, "AccountRef": account, "ClassRef": class}});
    let bodies = [
        ("Invoice", json!({"CustomerRef": customer, "Line": sale, "DepartmentRef": location, "SalesTermRef": term})),
        ("CreditMemo", json!({"CustomerRef": customer, "Line": sale})),
        ("SalesReceipt", json!({"CustomerRef": customer, "Line": sale, "PaymentMethodRef": method, "PaymentRefNum": "A1"})),
        ("RefundReceipt", json!({"CustomerRef": customer, "Line": sale, "DepositToAccountRef": bank})),
        ("Payment", json!({"CustomerRef": customer, "TotalAmt": 5, "PaymentMethodRef": method, "PaymentRefNum": "77", "DepositToAccountRef": bank})),
        ("Bill", json!({"VendorRef": vendor, "Line": [by_account, by_item], "SalesTermRef": term})),
        ("VendorCredit", json!({"VendorRef": vendor, "Line": [by_account]})),
        ("Purchase", json!({"AccountRef": card, "PaymentType": "CreditCard", "Credit": true, "EntityRef": vendor, "Line": [by_account]})),
        (
            "Deposit",
            json!({"DepositToAccountRef": bank, "Line": [{"Amount": 9, "DetailType": "DepositLineDetail", "DepositLineDetail": {"AccountRef": income, "Entity": customer, "CheckNum": "5"}}]}),
        ),
        ("Transfer", json!({"FromAccountRef": bank, "ToAccountRef": card, "Amount": 12.5})),
        ("JournalEntry", json!({"Line": [side("Debit", &expense), side("Credit", &bank)], "Adjustment": true})),
        ("CreditCardPayment", json!({"BankAccountRef": bank, "CreditCardAccountRef": card, "Amount": 22})),
        ("PurchaseOrder", json!({"VendorRef": vendor, "Line": [by_account, by_item], "ShipAddr": {"Line1": "Dock 4"}})),
        (
            "TimeActivity",
            json!({"NameOf": "Employee", "EmployeeRef": first("Employee", "").await, "Hours": 2, "Minutes": 30, "CustomerRef": customer, "BillableStatus": "Billable", "HourlyRate": 80}),
        ),
        (
            "InventoryAdjustment",
            json!({"AdjustAccountRef": expense, "Line": [{"DetailType": "ItemAdjustmentLineDetail", "ItemAdjustmentLineDetail": {"ItemRef": item, "QtyDiff": -2}}]}),
        ),
    ];
    for (entity, body) in bodies {
        let made = running.save(&tokens, entity, body.clone()).await;
        assert_contains(&made, &body, entity);
        assert_eq!(running.save(&tokens, entity, made.clone()).await, made, "{entity}");
        let found = running.query(&tokens, &format!("select * from {entity} where Id = '{}'", made["Id"].as_str().expect("an id"))).await;
        assert!(found.text.contains(&format!("\"Id\":{}", made["Id"])), "{entity}");
    }
    let receivable = running.rows(&tokens, "Account", "WHERE AccountType = 'Accounts Receivable'").await[0]["Id"].clone();
    let nameless = json!({"Line": [side("Debit", &json!({"value": receivable})), side("Credit", &bank)]});
    refused(&running, &tokens, "journalentry", nameless, "6000", "must choose a customer").await;
    assert_sound(&running, &realm);
}

/// Everything that was sent is in what was answered.
fn assert_contains(answered: &Value, sent: &Value, place: &str) {
    match (answered, sent) {
        (Value::Object(answered), Value::Object(sent)) => {
            for (key, value) in sent {
                let shown = answered.get(key).unwrap_or_else(|| panic!("{place}.{key} is missing"));
                assert_contains(shown, value, &format!("{place}.{key}"));
            }
        }
        (Value::Array(answered), Value::Array(sent)) => {
            for (index, (answered, sent)) in answered.iter().zip(sent).enumerate() {
                assert_contains(answered, sent, &format!("{place}[{index}]"));
            }
        }
        (Value::Number(answered), Value::Number(sent)) => assert_eq!(answered.as_f64(), sent.as_f64(), "{place}"),
        (answered, sent) => assert_eq!(answered, sent, "{place}"),
    }
}

/// A made-up company with stock.
fn everything_at_hand() -> Books {
    let mut books = made_up(14);
    books.add_account("Stock", "", AccountType::Inventory, None, None, now());
    books
}

#[tokio::test]
async fn a_request_with_the_same_id_is_done_once() {
    let company = shop();
    let customer = company.customer;
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let first = running.post(&tokens, "invoice?requestid=abc-1", &invoice(customer, "10")).await;
    running.advance(30);
    let again = running.post(&tokens, "invoice?requestid=abc-1&minorversion=75", &invoice(customer, "10")).await;
    assert_eq!((again.status, &again.text), (200, &first.text));
    assert_eq!(running.rows(&tokens, "Invoice", "").await.len(), 1);
    assert_ne!(running.post(&tokens, "invoice?requestid=abc-2", &invoice(customer, "10")).await.text, first.text);
    running.sandbox.read(|state| assert_eq!(state.companies[SHOP].documents.values().filter(|d| d.status == Status::Active).count(), 2));
}

// quickbooks facts 72, 73, 74
#[tokio::test]
async fn the_items_of_a_batch_succeed_or_fail_on_their_own() {
    let company = shop();
    let customer = company.customer;
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let made = running.save(&tokens, "Invoice", invoice(customer, "10")).await;
    let batch = json!({"BatchItemRequest": [
        {"bId": "a", "operation": "create", "Vendor": {"DisplayName": "Mill", "CompanyName": ""}},
        {"bId": "b", "operation": "create", "Vendor": {"DisplayName": "Landlord"}},
        {"bId": "c", "Query": "select * from Vendor"},
        {"bId": "d", "Query": "select nothing"},
        {"bId": "e", "operation": "update", "optionsData": "void", "Invoice": {"Id": made["Id"], "SyncToken": "0"}},
        {"bId": "f", "operation": "delete", "Invoice": {"Id": made["Id"], "SyncToken": "1"}},
        {"bId": "g", "operation": "fly", "Invoice": {"Id": made["Id"], "SyncToken": "1"}},
        {"bId": "h", "Query": "select count(*) from Invoice"},
    ]});
    let answer = running.post(&tokens, "batch", &batch).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    assert!(body["time"].is_string());
    let items = body["BatchItemResponse"].as_array().expect("items");
    let ids: Vec<&str> = items.iter().map(|item| item["bId"].as_str().expect("an id")).collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e", "f", "g", "h"]);
    assert_eq!(items[0]["Vendor"]["DisplayName"], "Mill");
    assert_eq!((&items[1]["Fault"]["type"], &items[1]["Fault"]["Error"][0]["code"]), (&"ValidationFault".into(), &"6240".into()));
    assert_eq!((&items[2]["QueryResponse"]["maxResults"], &items[2]["QueryResponse"]["startPosition"]), (&2.into(), &1.into()));
    assert_eq!(items[3]["Fault"]["Error"][0]["code"], "4000");
    assert_eq!(items[4]["Invoice"]["TotalAmt"], 0);
    assert_eq!(items[5]["Invoice"]["status"], "Deleted");
    assert_eq!(items[6]["Fault"]["Error"][0]["code"], "500");
    assert_eq!(items[7]["QueryResponse"], json!({"totalCount": 0}));

    let many: Vec<Value> = (0..31).map(|index| json!({"bId": index.to_string(), "Query": "select * from Account"})).collect();
    refused(&running, &tokens, "batch", json!({"BatchItemRequest": many}), "1040", "30").await;
    assert_eq!(running.post(&tokens, "batch", &json!({"BatchItemRequest": many[..30]})).await.status, 200);
    refused(&running, &tokens, "batch", json!({}), "2020", "BatchItemRequest").await;
    assert_sound(&running, SHOP);
}

#[tokio::test]
async fn files_are_uploaded_and_come_back_byte_for_byte() {
    let company = shop();
    let customer = company.customer;
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let made = running.save(&tokens, "Invoice", invoice(customer, "10")).await;
    let facts = json!({"FileName": "note.bin", "ContentType": "application/octet-stream", "AttachableRef": [{"EntityRef": {"type": "Invoice", "value": made["Id"]}, "IncludeOnSend": true}]});
    let mut body = Vec::new();
    let content: Vec<u8> = (0..=255).collect();
    for (name, file, kind, bytes) in [
        ("file_metadata_01", "attachment.json", "application/json", facts.to_string().into_bytes()),
        ("file_content_01", "note.bin", "application/octet-stream", content.clone()),
        (
            "file_metadata_02",
            "attachment.json",
            "application/json",
            b"{\"AttachableRef\":[{\"EntityRef\":{\"type\":\"Invoice\",\"value\":\"999\"}}]}".to_vec(),
        ),
        ("file_content_02", "other.txt", "text/plain", b"x".to_vec()),
    ] {
        body.extend(
            format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: {kind}\r\n\r\n")
                .into_bytes(),
        );
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--frontier--\r\n");
    let request = running.http.post(format!("{}/v3/company/{SHOP}/upload", running.base)).bearer_auth(&tokens.access);
    let request = request.header("accept", "application/json").header("content-type", "multipart/form-data; boundary=frontier");
    let answer = running.send(request.body(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let items = answer.json()["AttachableResponse"].as_array().expect("answers").clone();
    let file = &items[0]["Attachable"];
    assert_eq!(
        (&file["FileName"], file["Size"].as_u64(), &file["AttachableRef"][0]["EntityRef"]["value"]),
        (&"note.bin".into(), Some(256), &made["Id"])
    );
    assert_eq!(items[1]["Fault"]["Error"][0]["code"], "610");
    let link = running.get(&tokens, &format!("download/{}", file["Id"].as_str().expect("an id"))).await.text;
    let found = running.http.get(link).send().await.expect("the sandbox answers").bytes().await.expect("bytes");
    assert_eq!(found, content);
    let sparse = json!({"Id": file["Id"], "SyncToken": "0", "sparse": true, "Note": "signed"});
    assert_eq!(running.save(&tokens, "Attachable", sparse).await["Note"], "signed");
    let gone = running.post(&tokens, "attachable?operation=delete", &json!({"Id": file["Id"], "SyncToken": "1"})).await;
    assert_eq!(gone.json()["Attachable"]["status"], "Deleted");
    assert_eq!(running.rows(&tokens, "Attachable", "").await.len(), 0);
}

#[tokio::test]
async fn foreign_documents_take_the_currency_of_their_customer_and_the_rate_of_the_day() {
    let company = with_euros(15);
    let realm = company.id.clone();
    let customer = company.contacts.values().find(|contact| contact.is_customer && contact.currency == "EUR").expect("a customer in euros").id;
    let rate = company.exchange_rate("EUR", date(2025, 5, 5)).expect("a rate");
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let mut body = invoice(customer, "100");
    body["TxnDate"] = "2025-05-05".into();
    let made = running.save(&tokens, "Invoice", body.clone()).await;
    assert_eq!((&made["CurrencyRef"]["value"], cents(&made["HomeTotalAmt"])), (&"EUR".into(), Cents(10_000).at(rate)));
    body["CurrencyRef"] = json!({"value": "USD"});
    refused(&running, &tokens, "invoice", body.clone(), "6000", "currency").await;
    body["CurrencyRef"] = json!({"value": "EUR"});
    body["ExchangeRate"] = json!(2);
    let dear = running.save(&tokens, "Invoice", body.clone()).await;
    assert_eq!(cents(&dear["HomeTotalAmt"]), Cents(20_000));
    body["ExchangeRate"] = json!(-2);
    refused(&running, &tokens, "invoice", body, "6000", "above zero").await;

    let yen = running.save(&tokens, "CompanyCurrency", json!({"Code": "JPY"})).await;
    assert_eq!((&yen["Name"], &yen["Active"]), (&"Japanese Yen".into(), &true.into()));
    refused(&running, &tokens, "companycurrency", json!({"Code": "JPY"}), "6240", "").await;
    let customer = running.save(&tokens, "Customer", json!({"DisplayName": "Tokyo Office", "CurrencyRef": {"value": "JPY"}})).await;
    let customer = customer["Id"].as_str().expect("an id").parse().expect("a number");
    refused(&running, &tokens, "invoice", invoice(customer, "100"), "2020", "ExchangeRate").await;
    let mut body = invoice(customer, "100");
    body["ExchangeRate"] = serde_json::from_str("0.0065").expect("a number");
    let made = running.save(&tokens, "Invoice", body).await;
    assert_eq!(cents(&made["HomeTotalAmt"]), Cents(65));
    let receivables = running.rows(&tokens, "Account", "WHERE AccountType = 'Accounts Receivable'").await;
    assert!(receivables.iter().any(|account| account["Name"] == "Accounts Receivable (A/R) - JPY"));
    assert_sound(&running, &realm);
}

#[tokio::test]
async fn taxes_follow_the_code_of_the_transaction_and_new_codes_come_from_the_tax_service() {
    let company = shop();
    let customer = company.customer;
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let body = json!({"TaxCode": "County", "TaxRateDetails": [{"TaxRateName": "County", "RateValue": "8.25", "TaxAgencyId": "1", "TaxApplicableOn": "Sales"}]});
    let made = running.post(&tokens, "taxservice/taxcode", &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let code = made.json()["TaxCodeId"].as_str().expect("an id").to_owned();
    refused(&running, &tokens, "taxservice/taxcode", body, "6240", "").await;
    let mut sale = invoice(customer, "100");
    sale["Line"][0]["SalesItemLineDetail"] = json!({"TaxCodeRef": {"value": "TAX"}});
    let untaxed = running.save(&tokens, "Invoice", sale.clone()).await;
    assert_eq!((cents(&untaxed["TotalAmt"]), &untaxed["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"]["value"]), (Cents(10_000), &"TAX".into()));
    sale["TxnTaxDetail"] = json!({"TxnTaxCodeRef": {"value": code}});
    let taxed = running.save(&tokens, "Invoice", sale.clone()).await;
    assert_eq!((cents(&taxed["TotalAmt"]), cents(&taxed["TxnTaxDetail"]["TotalTax"])), (Cents(10_825), Cents(825)));
    let doubled = json!({"Id": taxed["Id"], "SyncToken": "0", "sparse": true, "Line": [{"Id": "1", "Amount": 200, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"TaxCodeRef": {"value": "TAX"}}}]});
    assert_eq!(cents(&running.save(&tokens, "Invoice", doubled).await["TotalAmt"]), Cents(21_650));
    sale["TxnTaxDetail"] = json!({"TxnTaxCodeRef": {"value": "4711"}});
    refused(&running, &tokens, "invoice", sale, "2500", "TaxCode element id 4711").await;
    assert_sound(&running, SHOP);
}
