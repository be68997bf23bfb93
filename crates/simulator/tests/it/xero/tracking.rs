//! Tracking categories, the tracking of lines, and how journals are split by it.
use super::writes::{WRITE_SCOPES, an_invoice};
use super::*;
use serde_json::json;
use std::collections::BTreeMap;

async fn writable() -> Served {
    let served = Served::with(vec![company(7, true)]).await;
    served.admit(TOKEN, WRITE_SCOPES);
    served
}

// xero fact 56
#[tokio::test]
async fn categories_come_with_their_options_and_archived_ones_when_asked_for() {
    let served = writable().await;
    let categories = served.list("TrackingCategories", "TrackingCategories").await;
    assert_eq!(categories.len(), 2);
    let options = |category: &Value| category["Options"].as_array().unwrap().clone();
    assert!(categories.iter().all(|category| category["Status"] == "ACTIVE" && options(category).iter().all(|option| option["Status"] == "ACTIVE")));
    let with_archived = served.list("TrackingCategories", "TrackingCategories?includeArchived=true").await;
    assert!(options(&with_archived[0]).len() > options(&categories[0]).len());
    let refused = served.messages(Method::PUT, "TrackingCategories", json!({"Name": "Third"})).await;
    assert_eq!(refused, ["Only two active tracking categories, and four in all, are allowed."]);
    let path = format!("TrackingCategories/{}", categories[0]["TrackingCategoryID"].as_str().unwrap());
    assert_eq!(served.saved(Method::POST, &path, "TrackingCategories", json!({"Status": "ARCHIVED"})).await["Status"], "ARCHIVED");
    assert_eq!(served.list("TrackingCategories", "TrackingCategories").await.len(), 1);
    let all = served.list("TrackingCategories", "TrackingCategories?includeArchived=true").await;
    assert!(all.len() == 2 && all.iter().any(|category| category["Status"] == "ARCHIVED"));

    let made = served.put("TrackingCategories", json!({"Name": "Project"})).await;
    let path = format!("TrackingCategories/{}", made["TrackingCategoryID"].as_str().unwrap());
    let option = served.saved(Method::PUT, &format!("{path}/Options"), "Options", json!({"Name": "Alpha"})).await;
    let renamed = served
        .saved(Method::POST, &format!("{path}/Options/{}", option["TrackingOptionID"].as_str().unwrap()), "Options", json!({"Name": "Beta"}))
        .await;
    assert_eq!((renamed["Name"].as_str(), &renamed["TrackingOptionID"]), (Some("Beta"), &option["TrackingOptionID"]));
    assert_eq!(served.list("TrackingCategories", &path).await[0]["Options"][0]["Name"], "Beta");
    assert_eq!(served.send(Method::DELETE, &format!("{path}/Options/{}", option["TrackingOptionID"].as_str().unwrap()), &json!({})).await.0, 200);
    assert_eq!(served.send(Method::DELETE, &path, &json!({})).await.0, 200);
    assert_eq!(served.refused(&path).await.0, 404, "deleted ones disappear");
}

// xero facts 65 and 74
#[tokio::test]
async fn lines_name_their_options_and_journals_split_control_and_tax_lines_by_them() {
    let served = writable().await;
    let category = served.list("TrackingCategories", "TrackingCategories").await.remove(0);
    let (name, options) = (category["Name"].as_str().unwrap(), category["Options"].as_array().unwrap());
    let rate = served.books(|books| books.tax_rates.iter().find(|rate| rate.for_purchases && rate.basis_points == 1_500).unwrap().code.clone());
    let mut bill = an_invoice(&served, "ACCPAY", "Split Ltd");
    let account = served.code_of(simulator::books::AccountType::Expense);
    let by_name = json!([{"Name": name, "Option": options[0]["Name"]}]);
    let by_id = json!([{"TrackingCategoryID": category["TrackingCategoryID"], "TrackingOptionID": options[1]["TrackingOptionID"]}]);
    bill["LineAmountTypes"] = json!("Exclusive");
    bill["LineItems"] = json!([
        {"Description": "A", "LineAmount": 100, "AccountCode": account, "TaxType": rate, "Tracking": by_name},
        {"Description": "B", "LineAmount": 40, "AccountCode": account, "TaxType": rate, "Tracking": by_id},
        {"Description": "C", "LineAmount": 10, "AccountCode": account, "TaxType": rate},
    ]);
    let before = served.books(|books| books.journals.last().unwrap().number);
    let made = served.put("Invoices", bill).await;
    let id = made["InvoiceID"].as_str().unwrap();
    let single = served.list("Invoices", &format!("Invoices/{id}")).await.remove(0)["LineItems"][0]["Tracking"][0].clone();
    assert_eq!(
        (single["Name"].as_str(), &single["Option"], &single["TrackingOptionID"]),
        (Some(name), &options[0]["Name"], &options[0]["TrackingOptionID"])
    );
    let listed = served.all("Invoices", &format!("Invoices?IDs={id}")).await.remove(0)["LineItems"][1]["Tracking"][0].clone();
    assert_eq!((listed.get("TrackingOptionID"), &listed["Options"]), (None, &json!([])));
    assert_eq!((&listed["TrackingCategoryID"], &listed["Option"]), (&category["TrackingCategoryID"], &options[1]["Name"]));

    let journal = served.list("Journals", &format!("Journals?offset={before}")).await.remove(0);
    let option_of = |line: &Value| line["TrackingCategories"][0]["Option"].as_str().unwrap_or_default().to_string();
    let (mut control, mut tax, mut costs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let accounts = served.list("Accounts", "Accounts").await;
    let marked = |mark: &str| accounts.iter().find(|account| account["SystemAccount"] == mark).unwrap()["AccountID"].clone();
    for line in journal["JournalLines"].as_array().unwrap() {
        let net = cents(&line["NetAmount"]);
        if line["AccountID"] == marked("CREDITORS") {
            assert_eq!(cents(&line["GrossAmount"]), Cents::ZERO, "split lines have no gross amount");
            control.insert(option_of(line), net);
        } else if line["AccountID"] == marked("GST") {
            assert_eq!(cents(&line["GrossAmount"]), Cents::ZERO);
            tax.insert(option_of(line), net);
        } else {
            assert_eq!(cents(&line["GrossAmount"]), net + cents(&line["TaxAmount"]));
            costs.insert(option_of(line), net);
        }
    }
    let (first, second) = (options[0]["Name"].as_str().unwrap().to_string(), options[1]["Name"].as_str().unwrap().to_string());
    let of = |amounts: [i64; 3]| {
        BTreeMap::from([(String::new(), Cents(amounts[2])), (first.clone(), Cents(amounts[0])), (second.clone(), Cents(amounts[1]))])
    };
    assert_eq!((control, tax, costs), (of([-11_500, -4_600, -1_150]), of([1_500, 600, 150]), of([10_000, 4_000, 1_000])));
    served.assert_sound();
}
