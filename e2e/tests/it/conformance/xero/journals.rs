//! The journals.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Needs, Organisation, cents, milliseconds, organisation};

/// Journals after a number, to the end or so many pages.
async fn journals(organisation: &Organisation, mut offset: u64, pages: usize, more: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for _ in 0..pages {
        let body = organisation.found(&format!("Journals?offset={offset}{more}")).await;
        assert!(body.get("pagination").is_none());
        let page = body["Journals"].as_array().expect("a list").clone();
        assert!(page.len() <= 100);
        let Some(last) = page.last() else { break };
        offset = last["JournalNumber"].as_u64().expect("a number");
        all.extend(page);
    }
    all
}

const TO_THE_END: usize = 100_000;

fn sums(journal: &Value) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for line in journal["JournalLines"].as_array().expect("lines") {
        *sums.entry(line["AccountID"].as_str().expect("an id").to_owned()).or_default() += cents(&line["NetAmount"]);
    }
    sums.retain(|_, amount| *amount != 0);
    sums
}

// xero facts 72, 73, 74 and 76
#[tokio::test]
async fn journals_come_by_number_balance_and_carry_taxes_where_their_lines_do() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let some = journals(&organisation, 0, 12, "").await;
    let numbers: Vec<u64> = some.iter().map(|journal| journal["JournalNumber"].as_u64().expect("a number")).collect();
    assert!(numbers.is_sorted_by(|left, right| left < right));
    let after = journals(&organisation, numbers[numbers.len() / 2], 1, "").await;
    assert!(after.iter().all(|journal| journal["JournalNumber"].as_u64() > Some(numbers[numbers.len() / 2])));
    assert_eq!(organisation.found("Journals?offset=999999999").await["Journals"], json!([]));
    for journal in &some {
        let lines = journal["JournalLines"].as_array().expect("lines");
        assert_eq!(lines.iter().map(|line| cents(&line["NetAmount"])).sum::<i64>(), 0, "{journal}");
        for line in lines {
            let (net, tax, gross) = (cents(&line["NetAmount"]), cents(&line["TaxAmount"]), cents(&line["GrossAmount"]));
            // lines without a tax code that are split by tracking have no gross amount
            let split = line.get("TaxType").is_none() && gross == 0 && tax == 0;
            assert!(split || net + tax == gross, "{line}");
            let is_control =
                matches!(line["AccountType"].as_str(), Some("BANK")) && journal["SourceType"] != "MANJOURNAL" && journal.get("SourceType").is_some();
            assert!(!is_control || line.get("TaxType").is_none(), "{line}");
        }
    }
}

// xero facts 77 and 78
#[tokio::test]
async fn sources_are_named_in_the_list_and_left_out_of_single_journals() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    for journal in journals(&organisation, 0, 3, "").await {
        assert_eq!(journal.get("SourceID").is_some(), journal.get("SourceType").is_some(), "{journal}");
        assert!(journal.get("Reference").is_none_or(Value::is_string), "{journal}");
    }
    let listed = journals(&organisation, 0, 2, "").await.into_iter().find(|journal| journal.get("SourceID").is_some()).expect("a sourced journal");
    for name in [listed["JournalID"].as_str().expect("an id").to_owned(), listed["JournalNumber"].to_string()] {
        let single = organisation.list(&format!("Journals/{name}")).await.remove(0);
        assert!(single["JournalID"] == listed["JournalID"] && single.get("SourceID").is_none() && single.get("SourceType").is_none(), "{single}");
    }
}

// xero fact 81
#[tokio::test]
async fn with_payments_only_the_journals_are_those_of_the_cash_basis() {
    let Some(organisation) = organisation(Needs::Reading).await else { return };
    let cash = journals(&organisation, 0, 3, "&paymentsOnly=true").await;
    assert!(!cash.is_empty());
    for journal in &cash {
        let lines = journal["JournalLines"].as_array().expect("lines");
        assert_eq!(lines.iter().map(|line| cents(&line["NetAmount"])).sum::<i64>(), 0, "{journal}");
        assert!(!lines.iter().any(|line| line["AccountName"] == "Accounts Receivable"), "{journal}");
    }
}

// xero facts 75 and 80
#[tokio::test]
async fn a_void_adds_the_exact_negation_an_edit_two_journals_and_an_allocation_one_that_nets_to_zero() {
    let Some(organisation) = organisation(Needs::Writing).await else { return };
    let before = journals(&organisation, 0, TO_THE_END, "").await.last().and_then(|journal| journal["JournalNumber"].as_u64()).unwrap_or_default();
    let invoice = organisation.invoice("ACCREC", 9_000).await;
    let id = invoice["InvoiceID"].clone();
    let code = organisation.account("REVENUE").await["Code"].clone();
    let lines = json!([{"Description": "Rope", "Quantity": 1, "UnitAmount": 80, "AccountCode": code}]);
    organisation.post("Invoices", json!({"InvoiceID": id, "LineItems": lines})).await;
    organisation.post("Invoices", json!({"InvoiceID": id, "Status": "VOIDED"})).await;
    let note = organisation.put("CreditNotes", organisation.document("ACCRECCREDIT", 3_000).await).await;
    let owing = organisation.put("Invoices", {
        let mut body = organisation.document("ACCREC", 5_000).await;
        body["Contact"] = json!({"ContactID": note["Contact"]["ContactID"]});
        body
    });
    let owing = owing.await;
    let allocation = json!({"Allocations": [{"Amount": 20, "Date": organisation.day(0), "Invoice": {"InvoiceID": owing["InvoiceID"]}}]});
    let path = format!("CreditNotes/{}/Allocations", note["CreditNoteID"].as_str().expect("an id"));
    assert_eq!(organisation.write(Method::PUT, &path, &allocation).await.status, 200);

    let after = journals(&organisation, before, TO_THE_END, "").await;
    let of = |id: &Value| after.iter().filter(|journal| journal["SourceID"] == *id).cloned().collect::<Vec<_>>();
    let [made, undone, remade, voided] = of(&id).try_into().unwrap_or_else(|found: Vec<Value>| panic!("{} journals", found.len()));
    let negated = |journal: &Value| sums(journal).into_iter().map(|(id, amount)| (id, -amount)).collect::<BTreeMap<_, _>>();
    assert_eq!((sums(&undone), sums(&voided)), (negated(&made), negated(&remade)));
    for journal in [&undone, &remade, &voided] {
        assert_eq!((&journal["SourceType"], milliseconds(&journal["JournalDate"])), (&"ACCREC".into(), milliseconds(&made["JournalDate"])));
    }
    let of_note = of(&note["CreditNoteID"]);
    assert!(of_note.len() == 2 && sums(&of_note[1]).is_empty() && of_note[1]["SourceType"] == "ACCRECCREDIT", "{of_note:?}");
}
