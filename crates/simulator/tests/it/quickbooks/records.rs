//! Facts 32, 33, 76, 81-85, 88 and the shapes of the entities.
use super::*;
use jiff::civil::date;
use simulator::books::{Application, Status};
use std::collections::BTreeMap;

async fn read(running: &Running, tokens: &Tokens, entity: &str, id: u64) -> Value {
    let answer = running.get(tokens, &format!("{}/{id}", entity.to_lowercase())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()[entity].clone()
}

// quickbooks facts 32, 33, 81
#[tokio::test]
async fn amounts_are_exact_numbers_and_empty_properties_are_left_out() {
    let mut company = shop();
    let invoice = company.invoice(date(2025, 6, 2), 63_900);
    let id = company.books.add_document(invoice, now()).expect("a good invoice");
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    let answer = running.get(&tokens, &format!("invoice/{id}")).await;
    for part in [r#""TotalAmt":639.00"#, r#""Balance":639.00"#, r#""TotalTax":0}"#, r#""SyncToken":"0""#, r#""sparse":false"#, r#""domain":"QBO""#] {
        assert!(answer.text.contains(part), "{part} is not in {}", answer.text);
    }
    let invoice = &answer.json()["Invoice"];
    assert_eq!(invoice["Id"], id.to_string().as_str());
    assert!(invoice.get("PrivateNote").is_none() && invoice.get("ExchangeRate").is_none());
    assert!(!invoice["DocNumber"].as_str().expect("a number").is_empty());
    assert_eq!(invoice["Line"][0]["SalesItemLineDetail"]["ItemAccountRef"]["name"], "Sales");
    assert_eq!(invoice["Line"][1]["DetailType"], "SubTotalLineDetail");
    assert!(invoice["Line"][1].get("Id").is_none());
}

// quickbooks facts 82, 83, 84
#[tokio::test]
async fn payments_link_to_what_they_pay_and_back() {
    let mut company = shop();
    let at = now();
    let invoice = company.books.add_document(company.invoice(date(2025, 6, 2), 10_000), at).expect("a good invoice");
    let bill = company.books.add_document(company.bill(date(2025, 6, 2), 5_000), at).expect("a good bill");
    let pay = |kind, contact, account, document: Option<(u64, i64)>, unapplied| NewDocument {
        contact: Some(contact),
        account: Some(account),
        applications: document.into_iter().map(|(document, cents)| Application { document, amount: Cents(cents) }).collect(),
        unapplied: Cents(unapplied),
        ..NewDocument::new(kind, date(2025, 6, 5))
    };
    let payment = pay(Kind::Payment, company.customer, company.bank, Some((invoice, 4_000)), 500);
    let payment = company.books.add_document(payment, at).expect("a good payment");
    let alone = pay(Kind::Payment, company.customer, company.bank, None, 700);
    let alone = company.books.add_document(alone, at).expect("a good payment");
    let paid = pay(Kind::BillPayment, company.vendor, company.bank, Some((bill, 5_000)), 0);
    let paid = company.books.add_document(paid, at).expect("a good bill payment");
    let bank = company.bank.to_string();
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;

    let shown = read(&running, &tokens, "Invoice", invoice).await;
    assert_eq!(cents(&shown["Balance"]), Cents(6_000));
    assert_eq!(shown["LinkedTxn"], serde_json::json!([{"TxnId": payment.to_string(), "TxnType": "Payment"}]));
    let shown = read(&running, &tokens, "Payment", payment).await;
    assert_eq!((cents(&shown["TotalAmt"]), cents(&shown["UnappliedAmt"])), (Cents(4_500), Cents(500)));
    assert_eq!(cents(&shown["Line"][0]["Amount"]), Cents(4_000));
    assert_eq!(shown["Line"][0]["LinkedTxn"], serde_json::json!([{"TxnId": invoice.to_string(), "TxnType": "Invoice"}]));
    assert_eq!(shown["DepositToAccountRef"], serde_json::json!({"value": bank}));
    let shown = read(&running, &tokens, "Payment", alone).await;
    assert_eq!((cents(&shown["TotalAmt"]), cents(&shown["UnappliedAmt"]), &shown["Line"]), (Cents(700), Cents(700), &serde_json::json!([])));
    let shown = read(&running, &tokens, "Bill", bill).await;
    assert_eq!(shown["LinkedTxn"], serde_json::json!([{"TxnId": paid.to_string(), "TxnType": "BillPaymentCheck"}]));
    assert_eq!(cents(&shown["Balance"]), Cents::ZERO);
    let shown = read(&running, &tokens, "BillPayment", paid).await;
    assert_eq!((&shown["PayType"], &shown["CheckPayment"]["BankAccountRef"]["name"]), (&"Check".into(), &"Checking".into()));
    assert_eq!(shown["Line"][0]["LinkedTxn"], serde_json::json!([{"TxnId": bill.to_string(), "TxnType": "Bill"}]));
}

// quickbooks fact 76
#[tokio::test]
async fn a_voided_invoice_stays_with_zeros_and_a_note() {
    let mut company = shop();
    let id = company.books.add_document(company.invoice(date(2025, 6, 2), 10_000), now()).expect("a good invoice");
    let running = start(vec![company.books]).await;
    let tokens = running.connect(SHOP).await;
    running.change(SHOP, |books, now| books.void(id, now).expect("an open invoice"));
    let invoice = read(&running, &tokens, "Invoice", id).await;
    assert_eq!((&invoice["SyncToken"], &invoice["TxnDate"], &invoice["LinkedTxn"]), (&"1".into(), &"2025-06-02".into(), &serde_json::json!([])));
    assert_eq!(invoice["PrivateNote"], "Voided");
    for amount in [&invoice["TotalAmt"], &invoice["Balance"], &invoice["Line"][0]["Amount"], &invoice["TxnTaxDetail"]["TotalTax"]] {
        assert_eq!(amount, &Value::from(0));
    }
    assert_eq!(invoice["Line"][0]["SalesItemLineDetail"]["UnitPrice"], 0);
    assert_eq!(running.rows(&tokens, "Invoice", "").await.len(), 1);
}

// quickbooks fact 85
#[tokio::test]
async fn current_balances_are_debit_positive_and_sum_to_the_net_income_to_date() {
    let company = made_up(5);
    let (realm, first, last) = (company.id.clone(), date(2000, 1, 1), date(2100, 1, 1));
    let result = company.net_income(first, last);
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let accounts = running.rows(&tokens, "Account", "WHERE Active IN (true, false) MAXRESULTS 1000").await;
    let sum: Cents = accounts.iter().map(|account| cents(&account["CurrentBalance"])).sum();
    assert_eq!(sum, result);
    for account in &accounts {
        let hidden = matches!(account["Classification"].as_str(), Some("Revenue" | "Expense")) || account["AccountSubType"] == "RetainedEarnings";
        assert!(!hidden || account["CurrentBalance"] == 0, "{account}");
    }
    let payable = accounts.iter().find(|account| account["AccountType"] == "Accounts Payable").expect("a payable account");
    assert!(cents(&payable["CurrentBalance"]).0 < 0);
}

/// Posts what the entities say, by the rules of the contract's section 7.6.
fn recompute(records: &BTreeMap<&str, Vec<Value>>, retained_from: &str) -> BTreeMap<String, Cents> {
    let mut balances: BTreeMap<String, Cents> = BTreeMap::new();
    let accounts = &records["Account"];
    let of_type = |word: &str| accounts.iter().find(|a| a["AccountType"] == word).map(|a| a["Id"].as_str().expect("an id").to_owned());
    let sub_type = |word: &str| accounts.iter().find(|a| a["AccountSubType"] == word).map(|a| a["Id"].as_str().expect("an id").to_owned());
    let (receivable, payable) = (of_type("Accounts Receivable").expect("A/R"), of_type("Accounts Payable").expect("A/P"));
    let (tax, retained) = (sub_type("SalesTaxPayable").expect("a tax account"), sub_type("RetainedEarnings").expect("retained earnings"));
    let results: Vec<String> = accounts
        .iter()
        .filter(|a| matches!(a["Classification"].as_str(), Some("Revenue" | "Expense")))
        .map(|a| a["Id"].as_str().expect("an id").to_owned())
        .collect();
    for (entity, rows) in records {
        for row in rows {
            let before = row["TxnDate"].as_str().is_some_and(|date| date < retained_from);
            let mut post = |account: &str, amount: Cents| {
                let account = if before && results.iter().any(|id| id == account) { &retained } else { account };
                *balances.entry(account.to_owned()).or_default() += amount;
            };
            let value = |path: &str| row.pointer(path).and_then(Value::as_str).map(str::to_owned);
            let lines: &[Value] = row["Line"].as_array().map_or(&[], Vec::as_slice);
            let total = row.get("TotalAmt").map_or(Cents::ZERO, cents);
            let detail = |line: &Value, name: &str| -> String {
                [
                    "SalesItemLineDetail/ItemAccountRef",
                    "AccountBasedExpenseLineDetail/AccountRef",
                    "DepositLineDetail/AccountRef",
                    "JournalEntryLineDetail/AccountRef",
                ]
                .iter()
                .find_map(|path| line.pointer(&format!("/{path}/value")).and_then(Value::as_str))
                .unwrap_or_else(|| panic!("{name} line without an account: {line}"))
                .to_owned()
            };
            let sign = |positive: bool, amount: Cents| if positive { amount } else { -amount };
            match *entity {
                "Invoice" | "SalesReceipt" | "CreditMemo" | "RefundReceipt" => {
                    let sells = matches!(*entity, "Invoice" | "SalesReceipt");
                    let other = value("/DepositToAccountRef/value").unwrap_or_else(|| receivable.clone());
                    post(&other, sign(sells, total));
                    for line in lines.iter().filter(|line| line["DetailType"] == "SalesItemLineDetail") {
                        post(&detail(line, entity), sign(!sells, cents(&line["Amount"])));
                    }
                    post(&tax, sign(!sells, cents(&row["TxnTaxDetail"]["TotalTax"])));
                }
                "Payment" => {
                    post(&value("/DepositToAccountRef/value").expect("a deposit account"), total);
                    post(&receivable, -total);
                }
                "Bill" | "VendorCredit" => {
                    let owes = *entity == "Bill";
                    post(&value("/APAccountRef/value").expect("A/P"), sign(!owes, total));
                    for line in lines {
                        let account = line
                            .pointer("/ItemBasedExpenseLineDetail/ItemRef/value")
                            .map(|item| {
                                let item = records["Item"].iter().find(|known| known["Id"] == *item).expect("a known item");
                                item.pointer("/ExpenseAccountRef/value").and_then(Value::as_str).expect("an account").to_owned()
                            })
                            .unwrap_or_else(|| detail(line, entity));
                        post(&account, sign(owes, cents(&line["Amount"])));
                    }
                }
                "BillPayment" => {
                    let bank = value("/CheckPayment/BankAccountRef/value").or_else(|| value("/CreditCardPayment/CCAccountRef/value"));
                    post(&bank.expect("a bank or card account"), -total);
                    post(&payable, total);
                }
                "Purchase" => {
                    let spends = row["Credit"] == false;
                    post(&value("/AccountRef/value").expect("an account"), sign(!spends, total));
                    for line in lines {
                        post(&detail(line, entity), sign(spends, cents(&line["Amount"])));
                    }
                }
                "Deposit" => {
                    post(&value("/DepositToAccountRef/value").expect("an account"), total);
                    for line in lines {
                        post(&detail(line, entity), -cents(&line["Amount"]));
                    }
                }
                "Transfer" => {
                    post(&value("/ToAccountRef/value").expect("an account"), cents(&row["Amount"]));
                    post(&value("/FromAccountRef/value").expect("an account"), -cents(&row["Amount"]));
                }
                "JournalEntry" => {
                    for line in lines {
                        let debit = line["JournalEntryLineDetail"]["PostingType"] == "Debit";
                        post(&detail(line, entity), sign(debit, cents(&line["Amount"])));
                    }
                }
                _ => {}
            }
        }
    }
    balances.retain(|_, amount| !amount.is_zero());
    balances
}

// quickbooks fact 88
#[tokio::test]
async fn the_entities_alone_give_the_trial_balance_to_the_cent() {
    for seed in [6, 7] {
        let company = made_up(seed);
        let realm = company.id.clone();
        let running = start(vec![company]).await;
        let tokens = running.connect(&realm).await;
        let mut records = BTreeMap::new();
        for entity in [
            "Account",
            "Item",
            "Invoice",
            "CreditMemo",
            "SalesReceipt",
            "RefundReceipt",
            "Payment",
            "Bill",
            "VendorCredit",
            "BillPayment",
            "Purchase",
            "Deposit",
            "Transfer",
            "JournalEntry",
        ] {
            let active = if matches!(entity, "Account" | "Item") { "WHERE Active IN (true, false) " } else { "" };
            let mut rows = Vec::new();
            loop {
                let page = running.rows(&tokens, entity, &format!("{active}ORDERBY Id STARTPOSITION {} MAXRESULTS 1000", rows.len() + 1)).await;
                let done = page.len() < 1000;
                rows.extend(page);
                if done {
                    break;
                }
            }
            records.insert(entity, rows);
        }
        assert!(records.values().all(|rows| !rows.is_empty()), "every entity occurs");
        let report = running.get(&tokens, "reports/TrialBalance?start_date=2025-01-01&end_date=2025-12-31").await.json();
        let mut reported = BTreeMap::new();
        for row in report["Rows"]["Row"].as_array().expect("rows").iter().filter(|row| row.get("Summary").is_none()) {
            let id = row["ColData"][0]["id"].as_str().expect("an id").to_owned();
            reported.insert(id, cents(&row["ColData"][1]["value"]) - cents(&row["ColData"][2]["value"]));
        }
        assert_eq!(recompute(&records, "2025-01-01"), reported, "seed {seed}");
    }
}

#[tokio::test]
async fn the_truth_lists_every_record_as_a_query_shows_it() {
    let company = made_up(8);
    let realm = company.id.clone();
    let truth = simulator::quickbooks::truth(&company, now());
    let deleted = company.documents.values().filter(|d| d.status == Status::Deleted).count();
    let voided = company.documents.values().filter(|d| d.status == Status::Voided).count();
    let count = |state: &str| truth.iter().filter(|record| record["state"] == state).count();
    assert_eq!((count("deleted"), count("voided")), (deleted, voided));
    assert!(deleted > 0 && voided > 0 && count("archived") > 0);
    assert!(truth.iter().all(|record| (record["state"] == "deleted") == record["body"].is_null()));
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    for record in truth.iter().step_by(97) {
        let entity = record["type"].as_str().expect("a type");
        if record["body"].is_null() || matches!(entity, "CompanyInfo" | "Preferences") {
            continue;
        }
        let shown = read(&running, &tokens, entity, record["id"].as_str().expect("an id").parse().expect("a number")).await;
        assert_eq!(shown, record["body"], "{entity}");
    }
}

#[tokio::test]
async fn a_foreign_invoice_shows_its_rate_and_both_values() {
    let company = with_euros(4);
    let realm = company.id.clone();
    let invoice = company.documents.values().rev().find(|d| d.kind == Kind::Invoice && d.currency == "EUR" && d.status == Status::Active);
    let invoice = invoice.expect("an invoice in euros").clone();
    let total = company.total(&invoice);
    let running = start(vec![company]).await;
    let tokens = running.connect(&realm).await;
    let shown = read(&running, &tokens, "Invoice", invoice.id).await;
    assert_eq!(shown["CurrencyRef"], serde_json::json!({"value": "EUR", "name": "Euro"}));
    assert_eq!((cents(&shown["TotalAmt"]), cents(&shown["HomeTotalAmt"])), (total, total.at(invoice.rate)));
    assert!(shown["ExchangeRate"].as_f64().is_some_and(|rate| (0.9..1.4).contains(&rate)));
    let preferences = running.get(&tokens, "preferences").await.json()["Preferences"].clone();
    assert_eq!(preferences["CurrencyPrefs"]["MultiCurrencyEnabled"], true);
    assert_eq!(preferences["AccountingInfoPrefs"]["FirstMonthOfFiscalYear"], "July");
}
