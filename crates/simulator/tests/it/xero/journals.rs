//! The general ledger through `offset`.
use super::*;
use simulator::books::{Basis, NO_DOCUMENT, Status};
use std::collections::BTreeMap;

/// Every journal, as a sync reads them: until an empty page.
async fn all_journals(served: &Served) -> (Vec<Value>, Vec<usize>) {
    journals_with(served, "").await
}

async fn journals_with(served: &Served, more: &str) -> (Vec<Value>, Vec<usize>) {
    let (mut journals, mut pages, mut offset) = (Vec::<Value>::new(), Vec::new(), 0);
    loop {
        let answer = served.json(&format!("Journals?offset={offset}{more}")).await;
        assert!(answer.get("pagination").is_none());
        let page = answer["Journals"].as_array().unwrap();
        if page.is_empty() {
            return (journals, pages);
        }
        pages.push(page.len());
        offset = page.last().unwrap()["JournalNumber"].as_u64().unwrap();
        journals.extend(page.iter().cloned());
    }
}

/// `/Date(1781496660000+0000)/` in milliseconds.
fn created(journal: &Value) -> i64 {
    let text = journal["CreatedDateUTC"].as_str().unwrap();
    text.trim_start_matches("/Date(").split(['+', ')']).next().unwrap().parse().unwrap()
}

// xero facts 72 and 73
#[tokio::test]
async fn journals_come_by_number_with_gaps_and_short_pages() {
    let served = Served::plain().await;
    let (journals, pages) = all_journals(&served).await;
    let numbers: Vec<u64> = journals.iter().map(|journal| journal["JournalNumber"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|left, right| left < right));
    assert_eq!(numbers, served.books(|books| books.journals.iter().map(|journal| journal.number).collect::<Vec<_>>()));
    assert!(numbers.len() < usize::try_from(*numbers.last().unwrap()).unwrap(), "numbers have gaps");
    assert!(pages.iter().all(|length| *length <= 100));
    assert!(pages[..pages.len() - 1].iter().any(|length| *length < 100), "a short page is not the end: {pages:?}");
}

// xero fact 74, and the sum of all journals is the trial balance
#[tokio::test]
async fn journals_balance_and_add_up_to_the_balances() {
    for (seed, second_currency) in [(1, false), (2, true), (3, true)] {
        let served = Served::with(vec![company(seed, second_currency)]).await;
        let (journals, _) = all_journals(&served).await;
        let mut sums: BTreeMap<String, Cents> = BTreeMap::new();
        for journal in &journals {
            let lines = journal["JournalLines"].as_array().unwrap();
            assert_eq!(lines.iter().map(|line| cents(&line["NetAmount"])).sum::<Cents>(), Cents::ZERO, "{journal}");
            for line in lines {
                // control and tax lines that are split by tracking have no gross amount: tracking.rs
                let whole = line.get("TaxType").is_some() || line["TrackingCategories"].as_array().unwrap().is_empty();
                let gross = cents(&line["GrossAmount"]);
                let split = !whole && gross.is_zero() && cents(&line["TaxAmount"]).is_zero();
                assert!(split || cents(&line["NetAmount"]) + cents(&line["TaxAmount"]) == gross, "{line}");
                *sums.entry(line["AccountID"].as_str().unwrap().into()).or_default() += cents(&line["NetAmount"]);
            }
        }
        sums.retain(|_, amount| !amount.is_zero());
        let expected: BTreeMap<String, Cents> = served.books(|books| {
            books.balances_at(date(2030, 1, 1)).into_iter().map(|(account, amount)| (books.guid("Account", account), amount)).collect()
        });
        assert_eq!(sums, expected, "seed {seed}");
    }
}

// xero fact 81
#[tokio::test]
async fn with_payments_only_the_journals_are_those_of_the_cash_basis() {
    for (seed, second_currency) in [(1, false), (2, true)] {
        let served = Served::with(vec![company(seed, second_currency)]).await;
        let (journals, _) = journals_with(&served, "&paymentsOnly=true").await;
        let (accrual, _) = all_journals(&served).await;
        let mut sums: BTreeMap<String, Cents> = BTreeMap::new();
        for journal in &journals {
            let lines = journal["JournalLines"].as_array().unwrap();
            assert_eq!(lines.iter().map(|line| cents(&line["NetAmount"])).sum::<Cents>(), Cents::ZERO, "{journal}");
            assert!(!matches!(journal["SourceType"].as_str(), Some("ACCREC" | "ACCPAY")), "an invoice counts when it is paid");
            assert!(accrual.iter().all(|other| other["JournalID"] != journal["JournalID"]));
            for line in lines {
                *sums.entry(line["AccountID"].as_str().unwrap().into()).or_default() += cents(&line["NetAmount"]);
            }
        }
        sums.retain(|_, amount| !amount.is_zero());
        let expected: BTreeMap<String, Cents> = served.books(|books| {
            let balances = books.on(Basis::Cash).balances_at(date(2030, 1, 1));
            balances.into_iter().map(|(account, amount)| (books.guid("Account", account), amount)).collect()
        });
        assert_eq!(sums, expected, "seed {seed}");
    }
}

// xero facts 75 and 82
#[tokio::test]
async fn a_void_adds_the_exact_negation_and_an_edit_two_journals() {
    let served = Served::plain().await;
    let open: fn(&Books, DocumentId) -> bool = |books, id| books.documents[&id].status == Status::Active && books.payments_of(id).is_empty();
    let (edited, voided) = {
        let first = served.find(&[Kind::Invoice], open);
        (first, served.find(&[Kind::Bill], open))
    };
    let of = |journals: &[Value], guid: &str| -> Vec<Value> { journals.iter().filter(|j| j["SourceID"] == guid).cloned().collect() };
    let amounts = |journal: &Value| -> BTreeMap<String, i64> {
        let mut sums = BTreeMap::new();
        for line in journal["JournalLines"].as_array().unwrap() {
            *sums.entry(line["AccountID"].as_str().unwrap().to_string()).or_default() += cents(&line["NetAmount"]).0;
        }
        sums
    };
    let negated = |journal: &Value| -> BTreeMap<String, i64> { amounts(journal).into_iter().map(|(id, amount)| (id, -amount)).collect() };
    let (before, _) = all_journals(&served).await;
    served.sandbox.clock.advance_ms(60_000);
    served.change(|books, now| books.void(voided, now).unwrap());
    served.change(|books, now| books.edit(edited, simulator::books::Edit::Amount(Cents(98_700)), now).unwrap());
    let (after, _) = all_journals(&served).await;
    assert_eq!(after[..before.len()], before[..], "journals never change");

    let guid = served.guid("Invoice", voided);
    let (old, new) = (of(&before, &guid), of(&after, &guid));
    assert_eq!(new.len(), old.len() + 1);
    let reversal = new.last().unwrap();
    assert_eq!(amounts(reversal), negated(old.last().unwrap()));
    assert_eq!((&reversal["JournalDate"], &reversal["SourceType"]), (&old.last().unwrap()["JournalDate"], &old.last().unwrap()["SourceType"]));
    assert_eq!(reversal["SourceType"], "ACCPAY");

    let guid = served.guid("Invoice", edited);
    let (old, new) = (of(&before, &guid), of(&after, &guid));
    assert_eq!(new.len(), old.len() + 2);
    assert_eq!(amounts(&new[new.len() - 2]), negated(old.last().unwrap()));
    assert_ne!(amounts(&new[new.len() - 1]), amounts(old.last().unwrap()));
    assert_eq!(new[new.len() - 1]["SourceType"], "ACCREC");
    let (reversal, replacement) = (&new[new.len() - 2], &new[new.len() - 1]);
    assert!(reversal["JournalNumber"].as_u64() < replacement["JournalNumber"].as_u64());
    assert!(created(reversal) > created(replacement), "the time of creation does not rise with the number");
}

// xero facts 76 and 77
#[tokio::test]
async fn tax_codes_and_sources_stand_where_the_capture_has_them() {
    let served = Served::plain().await;
    let accounts: BTreeMap<String, Value> =
        served.list("Accounts", "Accounts").await.into_iter().map(|account| (account["AccountID"].as_str().unwrap().into(), account)).collect();
    let (journals, _) = all_journals(&served).await;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for journal in &journals {
        let source = journal["SourceType"].as_str().unwrap_or("none").to_string();
        assert_eq!(journal.get("SourceID").is_some(), source != "none");
        for line in journal["JournalLines"].as_array().unwrap() {
            let account = &accounts[line["AccountID"].as_str().unwrap()];
            // a tax return paid from the bank has a line of its own on the tax account; the tax of an invoice has none
            let tax = account["SystemAccount"] == "GST" && matches!(source.as_str(), "ACCREC" | "ACCPAY" | "ACCRECCREDIT" | "ACCPAYCREDIT");
            let own = tax || account["Type"] == "BANK" || matches!(account["SystemAccount"].as_str(), Some("DEBTORS" | "CREDITORS"));
            if source == "none" {
                assert_eq!(line["TaxType"], "BASEXCLUDED");
            } else if own {
                assert!(line.get("TaxType").is_none() && line.get("TaxName").is_none(), "{line}");
            }
            assert_eq!(line["AccountCode"], account["Code"]);
        }
        *seen.entry(source).or_default() += 1;
    }
    let conversions = served.books(|books| books.journals.iter().filter(|journal| journal.document == NO_DOCUMENT).count());
    assert_eq!(seen.get("none").copied().unwrap_or(0), conversions);
    assert!(conversions > 0, "the generated company has conversion balances");
    for source in ["ACCREC", "ACCPAY", "ACCRECPAYMENT", "ACCPAYPAYMENT", "CASHREC", "CASHPAID", "TRANSFER", "MANJOURNAL"] {
        assert!(seen.contains_key(source), "{source}: {seen:?}");
    }
}

// xero fact 78
#[tokio::test]
async fn one_journal_leaves_its_source_out() {
    let served = Served::plain().await;
    let listed = served.list("Journals", "Journals").await;
    let sample = listed.iter().find(|journal| journal.get("SourceID").is_some()).unwrap();
    for key in [sample["JournalID"].as_str().unwrap().to_string(), sample["JournalNumber"].to_string()] {
        let one = served.list("Journals", &format!("Journals/{key}")).await.remove(0);
        assert_eq!(one["JournalLines"], sample["JournalLines"]);
        assert!(one.get("SourceID").is_none() && one.get("SourceType").is_none());
    }
    assert_eq!(served.refused("Journals/999999999").await.0, 404);
}

// xero fact 79
#[tokio::test]
async fn journals_need_their_scope_and_the_app_s_approval() {
    let served = Served::plain().await;
    served.admit(TOKEN, "accounting.transactions.read accounting.reports.read");
    assert_eq!(served.refused("Journals").await.0, 401);
    served.admit(TOKEN, "accounting.journals.read");
    assert_eq!(served.call("Journals").await.status(), StatusCode::OK);
    served.sandbox.write(|state| state.faults.switches.xero_journals = false);
    let (status, body) = served.refused("Journals").await;
    assert!(status == 401 && body.contains("AuthorizationUnsuccessful"), "{body}");
    served.sandbox.write(|state| state.faults.switches.xero_journals = true);
}

#[tokio::test]
async fn journals_filter_by_creation_when_asked() {
    let served = Served::plain().await;
    served.sandbox.clock.advance_ms(600_000);
    let open = served.find(&[Kind::Bill], |books, id| books.documents[&id].status == Status::Active && books.payments_of(id).is_empty());
    served.change(|books, now| books.void(open, now).unwrap());
    let request = served.request(Method::GET, "/api.xro/2.0/Journals").header("if-modified-since", "2026-06-15T02:10:00");
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["Journals"].as_array().unwrap().len(), 1);
}
