//! Full listings and what changed since.
use super::desk::{Desk, all_changes, books, fetch_all, now, today, two_currencies};
use domain::data_type::DataType;
use domain::ledger::Basis;
use domain::record::{RawRecord, RecordState};
use jiff::Timestamp;
use providers::provider::{Books as Company, Chunk, Next, Provider};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn state_word(state: RecordState) -> &'static str {
    state.as_str()
}

/// The sandbox's own list of every record, by data type and id, with its state.
async fn truth(desk: &Desk, company: &str) -> BTreeMap<(String, String), String> {
    let answer = desk.look(&format!("companies/{company}/truth")).await;
    answer["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            let text = |name: &str| record[name].as_str().unwrap().to_owned();
            ((text("type"), text("id")), text("state"))
        })
        .collect()
}

// proves C1 in part
#[tokio::test(flavor = "multi_thread")]
async fn a_full_listing_holds_every_record_in_every_state() {
    let company = books(7, two_currencies);
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    let company = Company { company: &id, gate: &gate };
    let mut ours = BTreeMap::new();
    for data_type in desk.xero.profile().data_types {
        let records = fetch_all(&desk.xero, &company, *data_type).await;
        let ids: BTreeSet<&String> = records.iter().map(|record| &record.id).collect();
        if let Some(count) = desk.xero.fetch(&company, *data_type, None).await.unwrap().total {
            assert_eq!(count, ids.len() as u64, "{data_type}");
        }
        for record in &records {
            let document = desk.xero.normalize(record).unwrap();
            assert_eq!(document.updated_at, record.updated_at, "{data_type}");
            let _: Value = serde_json::from_str(&record.body).unwrap();
            ours.insert((data_type.as_str().to_owned(), record.id.clone()), state_word(document.state).to_owned());
        }
    }
    let theirs = truth(&desk, &id).await;
    let states: BTreeSet<&str> = theirs.values().map(String::as_str).collect();
    assert_eq!(states, BTreeSet::from(["active", "archived", "deleted", "voided"]), "the books hold every state");
    assert_eq!(ours, theirs);
}

// proves C2 in part
#[tokio::test(flavor = "multi_thread")]
async fn a_thorough_sync_without_changes_lists_in_full_what_has_no_time_of_change() {
    let company = books(7, |_| {});
    let id = company.id.clone();
    let last_journal = i64::try_from(company.journals.last().unwrap().number).unwrap();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    let company = Company { company: &id, gate: &gate };
    desk.xero.company_facts(&company, false).await.unwrap();
    let chunks = all_changes(&desk.xero, &company, later()).await;
    let piece = desk.xero.ledger_journals(&company, Basis::Accrual, last_journal).await.unwrap();
    assert!(piece.entries.is_empty() && piece.next_after.is_none());
    let year = providers::provider::FiscalYear { start_month: 4, debit_normal: BTreeMap::new(), account_ids_by_name: BTreeMap::new() };
    desk.xero.reported_balances(&company, Basis::Accrual, today(), &year).await.unwrap();
    assert_eq!(gate.calls().len(), 12, "{:?}", gate.calls());
    let complete: Vec<DataType> = chunks.iter().flat_map(|chunk| chunk.complete.clone()).collect();
    assert_eq!(complete, [DataType::Account, DataType::TaxRate, DataType::BankTransfer]);
    for chunk in chunks.iter().filter(|chunk| chunk.complete.is_empty()) {
        assert!(chunk.records.is_empty());
    }
}

/// After everything the books hold so far.
fn later() -> Timestamp {
    now() + jiff::SignedDuration::from_secs(2)
}

fn of(chunks: &[Chunk], data_type: DataType) -> Vec<&RawRecord> {
    chunks.iter().flat_map(|chunk| &chunk.records).filter(|record| record.data_type == data_type).collect()
}

// proves C12 in part
#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_changed_voided_deleted_or_archived_comes_with_the_next_changes() {
    let company = books(7, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    let at = |path: &str| format!("companies/{id}/{path}");
    let contact = desk.look(&at("contacts")).await["contacts"][0].clone();
    let accounts = desk.look(&at("accounts")).await["accounts"].as_array().unwrap().clone();
    let of_type = |word: &str| accounts.iter().filter(|account| account["type"] == word).map(|account| account["name"].clone()).collect::<Vec<_>>();
    let invoice = |number: &str| {
        json!({"kind": "invoice", "number": number, "date": today().to_string(), "contact": contact["name"],
               "lines": [{"account": of_type("income")[0], "amount": "100.00"}]})
    };
    let mut made = BTreeMap::new();
    for (name, body) in [
        ("kept", invoice("N-1")),
        ("voided", invoice("N-2")),
        (
            "journal",
            json!({"kind": "journal", "date": today().to_string(), "lines": [
            {"account": of_type("expense")[0], "amount": "5.00"}, {"account": of_type("expense")[1], "amount": "-5.00"}]}),
        ),
        (
            "expense",
            json!({"kind": "expense", "date": today().to_string(), "contact": contact["name"], "account": of_type("bank")[0],
                           "lines": [{"account": of_type("expense")[0], "amount": "7.50"}]}),
        ),
        (
            "transfer",
            json!({"kind": "transfer", "date": today().to_string(), "account": of_type("bank")[0], "to_account": of_type("bank")[1], "amount": "20.00"}),
        ),
    ] {
        made.insert(name, desk.control(&at("documents"), body).await["shown_id"].as_str().unwrap().to_owned());
    }
    let payment = json!({"kind": "payment", "date": today().to_string(), "account": of_type("bank")[0], "amount": "40.00",
                         "applies_to": [{"document": made["kept"], "amount": "40.00"}]});
    made.insert("payment", desk.control(&at("documents"), payment).await["shown_id"].as_str().unwrap().to_owned());
    // the books may have been made up within this second
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let before_changes = now();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;

    desk.control(&at(&format!("documents/{}/void", made["voided"])), json!({})).await;
    for name in ["payment", "expense", "transfer"] {
        desk.control(&at(&format!("documents/{}/delete", made[name])), json!({})).await;
    }
    desk.control(&at(&format!("documents/{}/void", made["journal"])), json!({})).await;
    desk.control(&at(&format!("documents/{}/edit", made["kept"])), json!({"memo": "changed"})).await;
    let archived = accounts.iter().filter(|account| account["type"] == "expense").nth(2).unwrap()["shown_id"].as_str().unwrap().to_owned();
    desk.control(&at(&format!("accounts/{archived}/archive")), json!({})).await;
    desk.control(&at(&format!("contacts/{}/archive", contact["shown_id"].as_str().unwrap())), json!({})).await;

    let company = Company { company: &id, gate: &gate };
    let chunks = all_changes(&desk.xero, &company, before_changes + jiff::SignedDuration::from_millis(500)).await;
    let state = |data_type: DataType, id: &str| {
        let record =
            of(&chunks, data_type).into_iter().find(|record| record.id == id).unwrap_or_else(|| panic!("{data_type} {id} is not among the changes"));
        desk.xero.normalize(record).unwrap().state
    };
    assert_eq!(state(DataType::Invoice, &made["voided"]), RecordState::Voided);
    assert_eq!(state(DataType::Invoice, &made["kept"]), RecordState::Active);
    assert_eq!(state(DataType::Payment, &made["payment"]), RecordState::Deleted);
    assert_eq!(state(DataType::BankTransaction, &made["expense"]), RecordState::Deleted);
    assert_eq!(state(DataType::BankTransfer, &made["transfer"]), RecordState::Deleted);
    assert_eq!(state(DataType::ManualJournal, &made["journal"]), RecordState::Voided);
    assert_eq!(state(DataType::Contact, contact["shown_id"].as_str().unwrap()), RecordState::Archived);
    assert_eq!(state(DataType::Account, &archived), RecordState::Archived);
    assert_eq!(of(&chunks, DataType::Invoice).len(), 2, "nothing that did not change");

    let ids = vec![made["kept"].clone(), "00000000-0000-4000-8000-000000000000".into(), made["voided"].clone()];
    let mut existing = desk.xero.existing(&company, DataType::Invoice, &ids).await.unwrap().unwrap();
    existing.sort();
    let mut expected = vec![made["kept"].clone(), made["voided"].clone()];
    expected.sort();
    assert_eq!(existing, expected);
    assert_eq!(desk.xero.existing(&company, DataType::Payment, &ids).await.unwrap(), None);
}

// proves A14 in part
#[tokio::test(flavor = "multi_thread")]
async fn one_missing_scope_leaves_out_its_own_lists_only() {
    let company = books(7, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    desk.control("tokens/remove_scope", json!({"scope": "accounting.payments.read"})).await;
    let chunks = all_changes(&desk.xero, &Company { company: &id, gate: &gate }, Timestamp::UNIX_EPOCH).await;
    let refused: Vec<(DataType, String)> = chunks.iter().flat_map(|chunk| chunk.refused.clone()).collect();
    assert_eq!(refused, [(DataType::Payment, "the scope accounting.payments.read is missing".to_owned())]);
    assert!(of(&chunks, DataType::Payment).is_empty());
    assert!(!of(&chunks, DataType::Invoice).is_empty() && !of(&chunks, DataType::ManualJournal).is_empty());
}

// proves C7 in part
#[tokio::test(flavor = "multi_thread")]
async fn records_that_change_while_pages_are_read_are_not_lost() {
    let company = books(7, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    let at = |path: &str| format!("companies/{id}/{path}");
    let contact = desk.look(&at("contacts")).await["contacts"][0]["name"].clone();
    let account = desk.look(&at("accounts")).await["accounts"].as_array().unwrap().iter().find(|a| a["type"] == "income").unwrap()["name"].clone();
    let many = json!({"kind": "invoice", "date": today().to_string(), "contact": contact, "repeat": 2_400, "lines": [{"account": account, "amount": "1.00"}]});
    desk.control(&at("documents"), many).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;

    let company = Company { company: &id, gate: &gate };
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut from = None;
    let mut pages = 0;
    let mut oldest = Vec::new();
    loop {
        let chunk = desk.xero.fetch(&company, DataType::Invoice, from.as_ref()).await.unwrap();
        pages += 1;
        if oldest.is_empty() {
            oldest = chunk.records.iter().map(|record| record.id.clone()).collect();
        }
        for record in chunk.records {
            *seen.entry(record.id).or_default() += 1;
        }
        // after every page some of the records that stand in front are changed, and so move behind the end
        for moved in oldest.drain(..oldest.len().min(3)) {
            desk.sandbox.write(|state| {
                let books = state.companies.get_mut(&id).unwrap();
                let number = books.id_of_guid("Invoice", &moved).unwrap();
                books.edit(number, simulator::books::Edit::Memo(format!("changed on page {pages}")), now()).unwrap();
            });
        }
        match chunk.next {
            Next::More(checkpoint) => from = Some(checkpoint),
            Next::UpToDate => break,
        }
    }
    let every: BTreeSet<String> = truth(&desk, &id).await.into_keys().filter(|(data_type, _)| data_type == "Invoice").map(|(_, id)| id).collect();
    assert!(every.len() > 2_400 && pages >= 5, "{} records on {pages} pages", every.len());
    assert_eq!(seen.into_keys().collect::<BTreeSet<_>>(), every);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_off_listing_goes_on_from_its_checkpoint() {
    let company = books(7, |_| {});
    let id = company.id.clone();
    let desk = Desk::open(vec![company]).await;
    let (_, gate) = desk.connect("auto=approve").await;
    let company = Company { company: &id, gate: &gate };
    let whole = all_changes(&desk.xero, &company, Timestamp::UNIX_EPOCH).await;
    let resumed = desk.xero.changes(&company, Timestamp::UNIX_EPOCH, true, Some(&domain::sync::Checkpoint("Payment".into()))).await.unwrap();
    let expected: Vec<&RawRecord> = of(&whole, DataType::Payment);
    assert_eq!(resumed.records.iter().collect::<Vec<_>>(), expected);
    assert_eq!(resumed.next, Next::More(domain::sync::Checkpoint("BankTransaction".into())));
    assert!(desk.xero.changes(&company, Timestamp::UNIX_EPOCH, true, Some(&domain::sync::Checkpoint("nonsense".into()))).await.is_err());
}
